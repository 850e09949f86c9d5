//! What an event makes of many synapses at once: the program of a change over lanes, one synapse to a lane. Knows no history.

use crate::base::math;
use crate::model::program::{Binary, Op, Reg, Stmt, Unary};
use crate::plan;

/// Synapses that are taken together.
pub const LANES: usize = 64;
/// Loops are over whole groups of lanes, so that the compiler makes vectors of them.
const GROUP: usize = 16;
pub type Cell = [f32; LANES];

#[derive(Clone)]
pub struct Change {
    /// States, then inputs, then one cell for each register; those of numbers alone are filled once.
    cells: Vec<Cell>,
    codes: Vec<Code>,
    states: usize,
    /// The states that are set, and where their new values stand; the weight last.
    sets: Vec<(usize, usize)>,
}

#[derive(Clone, Copy)]
enum Code {
    Unary(Unary, usize, usize),
    Binary(Binary, usize, usize, usize),
    Select(usize, usize, usize, usize),
}

impl Change {
    pub fn new(change: &plan::Change) -> Self {
        let program = &change.program;
        let (states, inputs) = (program.states as usize, program.inputs as usize);
        let mut made = Self { cells: vec![[0.0; LANES]; states + inputs], codes: Vec::new(), states, sets: Vec::new() };
        let mut places = vec![0; program.registers as usize];
        for stmt in &program.body {
            match stmt {
                Stmt::Let(to, op) => places[*to as usize] = made.place(*op, &places, &change.coefficients),
                Stmt::SetState(s, r) => made.sets.push((*s as usize, places[*r as usize])),
                // Made by models of neurons alone.
                Stmt::Spike(_) | Stmt::Repeat(..) | Stmt::When(..) => {}
            }
        }
        made
    }

    /// Where the value of an operation stands.
    fn place(&mut self, op: Op, places: &[usize], coefficients: &[f32]) -> usize {
        let at = |r: Reg| places[r as usize];
        let to = self.cells.len();
        let number = match op {
            Op::State(s) => return s as usize,
            Op::Input(i) => return self.states + i as usize,
            Op::Const(x) => x,
            Op::Coefficient(c) => coefficients[c as usize],
            Op::Unary(op, a) => {
                self.codes.push(Code::Unary(op, to, at(a)));
                0.0
            }
            Op::Binary(op, a, b) => {
                self.codes.push(Code::Binary(op, to, at(a), at(b)));
                0.0
            }
            Op::Select(c, a, b) => {
                self.codes.push(Code::Select(to, at(c), at(a), at(b)));
                0.0
            }
            // A synapse model has none of these.
            Op::Receptor(_) | Op::Normal(_) | Op::Uniform(_) => 0.0,
        };
        self.cells.push([number; LANES]);
        to
    }

    /// State `s` of all lanes.
    #[inline(always)]
    pub fn state(&mut self, s: usize) -> &mut Cell {
        &mut self.cells[s]
    }

    /// Puts values into the states of a lane, from state `first` on.
    #[inline(always)]
    pub fn put(&mut self, first: usize, lane: usize, values: &[f32]) {
        self.cells[first..].iter_mut().zip(values).for_each(|(cell, x)| cell[lane % LANES] = *x);
    }

    /// States of a lane.
    pub fn states(&self) -> usize {
        self.states
    }

    #[inline(always)]
    pub fn weights(&mut self) -> &mut Cell {
        &mut self.cells[self.states - 1]
    }

    /// Input `number`: steps since the last spike of the spiking side (0), of the other (1), of the modulator (2).
    #[inline(always)]
    pub fn steps(&mut self, number: usize) -> &mut Cell {
        &mut self.cells[self.states + number]
    }

    /// What has become of state `s`, after a run.
    #[inline(always)]
    pub fn new_state(&self, s: usize) -> &Cell {
        let at = self.sets.iter().find(|set| set.0 == s).map_or(s, |set| set.1);
        &self.cells[at]
    }

    /// The new weights of so many lanes; all that is set is flushed.
    #[inline(always)]
    pub fn run(&mut self, lanes: usize) -> &Cell {
        let lanes = lanes.next_multiple_of(GROUP);
        for code in &self.codes {
            match *code {
                Code::Unary(op, to, a) => {
                    let (before, after) = self.cells.split_at_mut(to);
                    unary(op, &mut after[0][..lanes], &before[a][..lanes]);
                }
                Code::Binary(op, to, a, b) => {
                    let (before, after) = self.cells.split_at_mut(to);
                    binary(op, &mut after[0][..lanes], &before[a][..lanes], &before[b][..lanes]);
                }
                Code::Select(to, c, a, b) => {
                    let (before, after) = self.cells.split_at_mut(to);
                    let lanes = after[0][..lanes].iter_mut().zip(&before[c]).zip(&before[a]).zip(&before[b]);
                    lanes.for_each(|(((to, c), a), b)| *to = if *c != 0.0 { *a } else { *b });
                }
            }
        }
        for set in 0..self.sets.len() {
            let (state, at) = self.sets[set];
            // What stays as it was is no result, and what is one twice is flushed twice, to the same.
            if state != at {
                self.cells[at][..lanes].iter_mut().for_each(|w| *w = math::flush(*w));
            }
        }
        self.new_state(self.states - 1)
    }
}

#[inline(always)]
fn map(to: &mut [f32], a: &[f32], f: impl Fn(f32) -> f32) {
    to.iter_mut().zip(a).for_each(|(to, a)| *to = f(*a));
}

#[inline(always)]
fn zip(to: &mut [f32], a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) {
    to.iter_mut().zip(a).zip(b).for_each(|((to, a), b)| *to = f(*a, *b));
}

#[inline(always)]
fn unary(op: Unary, to: &mut [f32], a: &[f32]) {
    match op {
        Unary::Neg => map(to, a, |x| -x),
        Unary::Recip => map(to, a, math::recip),
        Unary::Exp => map(to, a, math::exp),
        Unary::Log => map(to, a, math::log),
        _ => map(to, a, |x| op.of(x)),
    }
}

#[inline(always)]
fn binary(op: Binary, to: &mut [f32], a: &[f32], b: &[f32]) {
    match op {
        Binary::Add => zip(to, a, b, |x, y| x + y),
        Binary::Sub => zip(to, a, b, |x, y| x - y),
        Binary::Mul => zip(to, a, b, |x, y| x * y),
        Binary::Pow => zip(to, a, b, math::pow),
        Binary::Min => zip(to, a, b, |x, y| if y < x { y } else { x }),
        Binary::Max => zip(to, a, b, |x, y| if x < y { y } else { x }),
        _ => zip(to, a, b, |x, y| op.of(x, y)),
    }
}
