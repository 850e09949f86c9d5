//! The update of a share of a population: its program, run over blocks of neurons. Knows no synapse.
//!
//! Values live in a bank of lanes-wide cells: uniform numbers first (filled once), then states, then one cell for each
//! register in order of definition. Every operation reads cells before the one it writes, so one split borrow serves all.

use super::partition::Share;
use super::sums::Sums;
use crate::base::math;
use crate::base::rng::Stream;
use crate::model::program::{Binary, Op, Stmt, Unary};
use crate::plan::{Number, PopulationPlan};

/// Neurons that are updated together: small enough for the bank to stay in cache.
pub const LANES: usize = super::partition::LANES as usize;
type Cell = [f32; LANES];

pub struct Columns {
    /// One column for each state variable, one value for each neuron.
    pub states: Vec<Vec<f32>>,
    /// One column for each continuous input.
    pub inputs: Vec<Vec<f32>>,
    /// The inputs must be computed again, whatever the step.
    pub stale: bool,
    share: Share,
    noise: Stream,
    bank: Vec<Cell>,
    spiked: Cell,
    code: Vec<Code>,
    first_state: usize,
}

enum Code {
    /// A column of coefficients into a cell.
    Column(usize, usize),
    Receptor(usize, usize),
    Input(usize, usize),
    Copy(usize, usize),
    Unary(Unary, usize, usize),
    Binary(Binary, usize, usize, usize),
    Select(usize, usize, usize, usize),
    Normal(usize, u32),
    Uniform(usize, u32),
    Spike(usize),
    /// A loop of so many turns begins, or its turn ends.
    Loop(u32),
    Again,
    /// Leaves out so many codes if the cell is zero in every lane.
    Skip(usize, usize),
}

struct Lowering<'a> {
    plan: &'a PopulationPlan,
    bank: Vec<Cell>,
    place: Vec<usize>,
    first_state: usize,
}

impl Columns {
    pub fn new(plan: &PopulationPlan, share: Share, noise: Stream) -> Self {
        let mut columns = Self {
            states: plan.initial.iter().map(|n| column(n, &share)).collect(),
            inputs: vec![vec![0.0; share.len() as usize]; plan.program.inputs as usize],
            stale: true,
            share,
            noise,
            first_state: 0,
            bank: Vec::new(),
            spiked: [0.0; LANES],
            code: Vec::new(),
        };
        columns.adopt(plan);
        columns
    }

    /// Takes over the numbers of a plan; the states stay.
    pub fn adopt(&mut self, plan: &PopulationPlan) {
        let program = &plan.program;
        let mut lowering = Lowering { plan, bank: Vec::new(), place: vec![0; program.registers as usize], first_state: 0 };
        lowering.uniforms(&program.body);
        lowering.first_state = lowering.bank.len();
        lowering.bank.resize(lowering.first_state + program.states as usize, [0.0; LANES]);
        self.code.clear();
        lowering.lower(&program.body, &mut self.code);
        self.first_state = lowering.first_state;
        self.bank = lowering.bank;
        self.stale = true;
    }

    /// Takes up neurons `start..start + lanes` of the share.
    #[inline(always)]
    pub fn load(&mut self, start: usize, lanes: usize) {
        for (cell, column) in self.bank[self.first_state..].iter_mut().zip(&self.states) {
            cell[..lanes].copy_from_slice(&column[start..start + lanes]);
        }
    }

    /// The step from `step` to the next of the neurons that were taken up; calls `spike` with their numbers in the share.
    #[inline(always)]
    pub fn step(&mut self, plan: &PopulationPlan, sums: &mut Sums, step: u64, start: usize, lanes: usize, mut spike: impl FnMut(u32)) {
        self.spiked = [0.0; LANES];
        let first = self.share.local as usize + start;
        let at = At { plan, sums, inputs: &self.inputs, share: &self.share, first, start, lanes, noise: &self.noise, step };
        run(&self.code, &at, &mut self.bank, &mut self.spiked);
        for cell in &mut self.bank[self.first_state..self.first_state + self.states.len()] {
            cell.iter_mut().for_each(|x| *x = math::flush(*x));
        }
        (0..plan.scale.len()).for_each(|r| sums.lanes(step + 1, r, first, lanes).fill(0));
        if self.spiked.iter().fold(0, |any, s| any | s.to_bits()) != 0 {
            (0..lanes).filter(|i| self.spiked[*i] != 0.0).for_each(|i| spike((start + i) as u32));
        }
    }

    /// A state variable of the neurons that were taken up.
    pub fn taken_up(&self, variable: usize) -> &[f32] {
        &self.bank[self.first_state + variable]
    }

    /// Puts the neurons back.
    #[inline(always)]
    pub fn store(&mut self, start: usize, lanes: usize) {
        for (cell, column) in self.bank[self.first_state..].iter().zip(&mut self.states) {
            column[start..start + lanes].copy_from_slice(&cell[..lanes]);
        }
    }
}

/// A number spread over a share.
fn column(number: &Number, share: &Share) -> Vec<f32> {
    match number {
        Number::Uniform(x) => vec![*x; share.len() as usize],
        Number::Column(c) => c[share.start as usize..share.end as usize].to_vec(),
    }
}

impl Lowering<'_> {
    fn uniforms(&mut self, body: &[Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::Let(reg, Op::Const(x)) => self.uniform(*reg, *x),
                Stmt::Let(reg, Op::Coefficient(c)) => {
                    if let Number::Uniform(x) = self.plan.coefficients[*c as usize] {
                        self.uniform(*reg, x);
                    }
                }
                Stmt::Repeat(_, inner) | Stmt::When(_, inner) => self.uniforms(inner),
                _ => {}
            }
        }
    }

    fn uniform(&mut self, reg: u32, x: f32) {
        self.place[reg as usize] = self.bank.len();
        self.bank.push([x; LANES]);
    }

    fn temporary(&mut self, reg: u32) -> usize {
        self.place[reg as usize] = self.bank.len();
        self.bank.push([0.0; LANES]);
        self.bank.len() - 1
    }

    fn lower(&mut self, body: &[Stmt], out: &mut Vec<Code>) {
        for stmt in body {
            match stmt {
                Stmt::SetState(s, r) => out.push(Code::Copy(self.first_state + *s as usize, self.place[*r as usize])),
                Stmt::Spike(r) => out.push(Code::Spike(self.place[*r as usize])),
                Stmt::Repeat(n, inner) => {
                    out.push(Code::Loop(*n));
                    self.lower(inner, out);
                    out.push(Code::Again);
                }
                Stmt::When(r, inner) => {
                    let at = out.len();
                    out.push(Code::Again);
                    self.lower(inner, out);
                    out[at] = Code::Skip(self.place[*r as usize], out.len() - at - 1);
                }
                Stmt::Let(reg, op) => out.extend(self.operation(*reg, *op)),
            }
        }
    }

    fn operation(&mut self, reg: u32, op: Op) -> Option<Code> {
        let at = |me: &Self, r: u32| me.place[r as usize];
        Some(match op {
            Op::Const(_) => return None,
            Op::Coefficient(c) => match self.plan.coefficients[c as usize] {
                Number::Uniform(_) => return None,
                Number::Column(_) => Code::Column(self.temporary(reg), c as usize),
            },
            Op::State(s) => Code::Copy(self.temporary(reg), self.first_state + s as usize),
            Op::Receptor(r) => Code::Receptor(self.temporary(reg), r as usize),
            Op::Input(i) => Code::Input(self.temporary(reg), i as usize),
            Op::Normal(n) => Code::Normal(self.temporary(reg), n),
            Op::Uniform(n) => Code::Uniform(self.temporary(reg), n),
            Op::Unary(u, a) => Code::Unary(u, self.temporary(reg), at(self, a)),
            Op::Binary(b, x, y) => Code::Binary(b, self.temporary(reg), at(self, x), at(self, y)),
            Op::Select(c, x, y) => Code::Select(self.temporary(reg), at(self, c), at(self, x), at(self, y)),
        })
    }
}

struct At<'a> {
    plan: &'a PopulationPlan,
    sums: &'a Sums,
    inputs: &'a [Vec<f32>],
    share: &'a Share,
    /// The block's first neuron within the thread, and within the share.
    first: usize,
    start: usize,
    lanes: usize,
    noise: &'a Stream,
    step: u64,
}

/// Loops under way: first code, turns, turn, and the turn of what is around. No call, since a function that calls itself is not
/// inlined into the code that has the widest vectors.
#[inline(always)]
fn run(code: &[Code], at: &At, bank: &mut [Cell], spiked: &mut Cell) {
    let mut loops = [(0usize, 0u32, 0u32, 0u32); 4];
    let (mut depth, mut turn, mut next) = (0, 0, 0);
    while next < code.len() {
        let now = &code[next];
        next += 1;
        match *now {
            Code::Loop(n) => {
                loops[depth] = (next, n, 0, turn);
                turn *= n;
                depth += 1;
            }
            Code::Again => {
                let (first, n, k, around) = &mut loops[depth - 1];
                *k += 1;
                if k < n {
                    turn += 1;
                    next = *first;
                } else {
                    turn = *around;
                    depth -= 1;
                }
            }
            Code::Skip(r, codes) => {
                if bank[r].iter().fold(0, |any, x| any | x.to_bits()) == 0 {
                    next += codes;
                }
            }
            _ => one(now, at, turn, bank, spiked),
        }
    }
}

#[inline(always)]
fn one(code: &Code, at: &At, turn: u32, bank: &mut [Cell], spiked: &mut Cell) {
    match *code {
        Code::Column(to, c) => {
            if let Number::Column(column) = &at.plan.coefficients[c] {
                let first = at.share.start as usize + at.start;
                bank[to][..at.lanes].copy_from_slice(&column[first..first + at.lanes]);
            }
        }
        Code::Receptor(to, r) => {
            let quantum = math::power_of_two(-at.plan.scale[r]);
            for (x, q) in bank[to].iter_mut().zip(at.sums.read(at.step + 1, r, at.first, at.lanes)) {
                *x = *q as f32 * quantum;
            }
        }
        Code::Input(to, i) => bank[to][..at.lanes].copy_from_slice(&at.inputs[i][at.start..at.start + at.lanes]),
        Code::Copy(to, from) => bank.copy_within(from..from + 1, to),
        Code::Normal(to, n) => {
            for (i, x) in bank[to].iter_mut().enumerate() {
                let neuron = at.plan.first + at.share.start + (at.start + i) as u32;
                *x = at.noise.normal([neuron, at.step as u32, n, turn]);
            }
        }
        Code::Uniform(to, n) => {
            for (i, x) in bank[to].iter_mut().enumerate() {
                let neuron = at.plan.first + at.share.start + (at.start + i) as u32;
                *x = at.noise.uniform([neuron, at.step as u32, n, turn]);
            }
        }
        Code::Spike(r) => spiked.iter_mut().zip(&bank[r]).for_each(|(s, x)| *s = if *x != 0.0 { 1.0 } else { *s }),
        Code::Unary(op, to, a) => {
            let (before, after) = bank.split_at_mut(to);
            unary(op, &mut after[0], &before[a]);
        }
        Code::Binary(op, to, a, b) => {
            let (before, after) = bank.split_at_mut(to);
            binary(op, &mut after[0], &before[a], &before[b]);
        }
        Code::Select(to, c, a, b) => {
            let (before, after) = bank.split_at_mut(to);
            select(&mut after[0], &before[c], &before[a], &before[b]);
        }
        Code::Loop(_) | Code::Again | Code::Skip(..) => {}
    }
}

#[inline(always)]
fn map(to: &mut Cell, a: &Cell, f: impl Fn(f32) -> f32) {
    for i in 0..LANES {
        to[i] = f(a[i]);
    }
}

#[inline(always)]
fn zip(to: &mut Cell, a: &Cell, b: &Cell, f: impl Fn(f32, f32) -> f32) {
    for i in 0..LANES {
        to[i] = f(a[i], b[i]);
    }
}

/// By masks: written as a conditional, the compiler chooses between addresses, one lane at a time.
#[inline(always)]
fn select(to: &mut Cell, condition: &Cell, yes: &Cell, no: &Cell) {
    for i in 0..LANES {
        let mask = if condition[i] != 0.0 { u32::MAX } else { 0 };
        to[i] = f32::from_bits((yes[i].to_bits() & mask) | (no[i].to_bits() & !mask));
    }
}

#[inline(always)]
fn truth(x: bool) -> f32 {
    if x { 1.0 } else { 0.0 }
}

#[inline(always)]
fn unary(op: Unary, to: &mut Cell, a: &Cell) {
    match op {
        Unary::Neg => map(to, a, |x| -x),
        Unary::Recip => map(to, a, math::recip),
        Unary::Sqrt => map(to, a, math::sqrt),
        Unary::Exp => map(to, a, math::exp),
        Unary::Expm1 => map(to, a, math::expm1),
        Unary::Exprel => map(to, a, math::exprel),
        Unary::Log => map(to, a, math::log),
        Unary::Tanh => map(to, a, math::tanh),
        Unary::Abs => map(to, a, f32::abs),
        Unary::Floor => map(to, a, f32::floor),
        Unary::Not => map(to, a, |x| truth(x == 0.0)),
    }
}

#[inline(always)]
fn binary(op: Binary, to: &mut Cell, a: &Cell, b: &Cell) {
    match op {
        Binary::Add => zip(to, a, b, |x, y| x + y),
        Binary::Sub => zip(to, a, b, |x, y| x - y),
        Binary::Mul => zip(to, a, b, |x, y| x * y),
        Binary::Pow => zip(to, a, b, math::pow),
        Binary::Min => zip(to, a, b, |x, y| if y < x { y } else { x }),
        Binary::Max => zip(to, a, b, |x, y| if x < y { y } else { x }),
        Binary::Less => zip(to, a, b, |x, y| truth(x < y)),
        Binary::LessEqual => zip(to, a, b, |x, y| truth(x <= y)),
        Binary::Equal => zip(to, a, b, |x, y| truth(x == y)),
        Binary::And => zip(to, a, b, |x, y| truth(x != 0.0 && y != 0.0)),
        Binary::Or => zip(to, a, b, |x, y| truth(x != 0.0 || y != 0.0)),
    }
}
