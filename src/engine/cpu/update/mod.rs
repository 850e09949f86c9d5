//! The update of a share of a population: its program, run over blocks of neurons. Knows no synapse.
//!
//! A block is a small table: one cell of values for each state, input that is fed and coefficient that differs from
//! neuron to neuron.
//! It is wide enough that choosing an operation costs little against doing it, and small enough to stay in the cache.

mod allocate;
mod code;
mod fuse;
mod lanes;
mod lower;

use std::ops::Range;

use super::partition::Share;
use super::sums::Sums;
use crate::base::math;
use crate::base::prefetch::prefetch;
use crate::base::rng::Stream;
use crate::plan::{Number, PopulationPlan};
use code::{Code, Place, Signs};
use lanes::{GROUP, Group, Operand};
use lower::Lowered;

/// Bytes of a block and of its temporary cells: well within the first cache.
const BLOCK: usize = 20 << 10;
/// Bytes of the second cache that states are sure to have.
const CACHE: usize = 256 << 10;
/// Groups of lanes in a cell, at least and at most.
const WIDTH: (usize, usize) = (1, 8);

pub struct Columns {
    share: Share,
    noise: Stream,
    /// The inputs must be computed again, whatever the step.
    pub stale: bool,
    codes: Vec<Code>,
    /// Columns of coefficients, in order of their cells.
    coefficients: Vec<usize>,
    states: usize,
    /// The inputs that have a cell; the others are zero in every step.
    fed: Vec<usize>,
    /// Groups of lanes in a cell; fewer in the last block.
    width: usize,
    /// Block by block, cell by cell.
    cells: Vec<Group>,
    temps: Vec<Group>,
}

impl Columns {
    /// Inputs that are not `fed` are zero in every step.
    pub fn new(plan: &PopulationPlan, share: Share, noise: Stream, fed: &[usize]) -> Self {
        let mut columns = Self {
            share,
            noise,
            stale: true,
            codes: Vec::new(),
            coefficients: Vec::new(),
            states: plan.program.states as usize,
            fed: Vec::new(),
            width: 1,
            cells: Vec::new(),
            temps: Vec::new(),
        };
        columns.lay_out(plan, fed);
        for (s, number) in plan.initial.iter().enumerate() {
            columns.set_cell(s, |i| value(number, &share, i));
        }
        columns
    }

    /// Takes over the numbers of a plan; the states stay.
    pub fn adopt(&mut self, plan: &PopulationPlan, fed: &[usize]) {
        let states: Vec<Vec<f32>> = (0..self.states).map(|s| self.state(s)).collect();
        self.lay_out(plan, fed);
        states.iter().enumerate().for_each(|(s, values)| self.set_state(s, values));
        self.stale = true;
    }

    fn lay_out(&mut self, plan: &PopulationPlan, fed: &[usize]) {
        let Lowered { codes, columns: coefficients, ones } = lower::lower(plan, fed);
        let (codes, temps) = allocate::allocate(codes, ones);
        self.fed = fed.to_vec();
        let cells = self.states + self.fed.len() + coefficients.len();
        self.width = (BLOCK / (size_of::<Group>() * (cells + temps).max(1))).clamp(WIDTH.0, WIDTH.1);
        self.cells = vec![[0.0; GROUP]; cells * (self.share.len() as usize).div_ceil(GROUP)];
        self.temps = vec![[0.0; GROUP]; temps * self.width];
        self.temps[..self.width].fill([1.0; GROUP]);
        (self.codes, self.coefficients) = (codes, coefficients);
        for k in 0..self.coefficients.len() {
            let number = &plan.coefficients[self.coefficients[k]];
            let share = self.share;
            self.set_cell(self.states + self.fed.len() + k, |i| value(number, &share, i));
        }
    }

    /// Cells of a block.
    fn kinds(&self) -> usize {
        self.states + self.fed.len() + self.coefficients.len()
    }

    /// Neurons of each block, as numbers in the share.
    pub fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (len, step) = (self.share.len() as usize, self.width * GROUP);
        (0..len).step_by(step).map(move |start| start..(start + step).min(len))
    }

    /// Where a cell of a block lies.
    fn place(&self, block: &Range<usize>, cell: usize) -> Range<usize> {
        let width = block.len().div_ceil(GROUP);
        let first = block.start / GROUP * self.kinds() + cell * width;
        first..first + width
    }

    /// One value for each neuron of a block.
    pub fn cell(&self, block: &Range<usize>, cell: usize) -> &[f32] {
        &self.cells[self.place(block, cell)].as_flattened()[..block.len()]
    }

    fn cell_mut(&mut self, block: &Range<usize>, cell: usize) -> &mut [f32] {
        let place = self.place(block, cell);
        &mut self.cells[place].as_flattened_mut()[..block.len()]
    }

    /// The values of an input, if it is fed.
    pub fn input(&mut self, block: &Range<usize>, input: usize) -> Option<&mut [f32]> {
        let cell = self.states + self.fed.iter().position(|f| *f == input)?;
        Some(self.cell_mut(block, cell))
    }

    fn set_cell(&mut self, cell: usize, value: impl Fn(usize) -> f32) {
        for block in self.blocks() {
            let values = self.cell_mut(&block, cell);
            values.iter_mut().enumerate().for_each(|(i, x)| *x = value(block.start + i));
        }
    }

    pub fn state(&self, variable: usize) -> Vec<f32> {
        self.blocks().flat_map(|b| self.cell(&b, variable).to_vec()).collect()
    }

    /// The first state variable that is no number somewhere, and its first such neuron in the share.
    #[inline(always)]
    pub fn not_finite(&self) -> Option<(usize, usize)> {
        // No exit within a block, so that it is read by vectors.
        let broken = |values: &[f32]| values.iter().fold(false, |broken, x| broken | !x.is_finite());
        let any = |block: Range<usize>| (0..self.states).any(|v| broken(self.cell(&block, v)));
        if !self.blocks().any(any) {
            return None;
        }
        (0..self.states).find_map(|v| Some((v, self.state(v).iter().position(|x| !x.is_finite())?)))
    }

    pub fn set_state(&mut self, variable: usize, values: &[f32]) {
        self.set_cell(variable, |i| values[i]);
    }

    /// Whether the states are too many to stay in the caches of a core from one step to the next.
    pub fn large(&self) -> bool {
        size_of_val(&*self.cells) > CACHE
    }

    /// Asks for the block that comes after this one, so that its states are on their way while this one is computed.
    #[inline(always)]
    pub fn prefetch(&self, block: &Range<usize>) {
        let first = block.end / GROUP * self.kinds();
        for group in first..first + self.width * self.kinds() {
            prefetch(&self.cells, group);
            prefetch(self.cells.as_flattened(), group * GROUP + GROUP / 2);
        }
    }

    /// The step from `step` to the next of a block; calls `spike` with the numbers of neurons in the share.
    #[inline(always)]
    pub fn step(&mut self, plan: &PopulationPlan, sums: &mut Sums, step: u64, block: &Range<usize>, mut spike: impl FnMut(u32)) {
        let width = block.len().div_ceil(GROUP);
        let kinds = self.kinds();
        let first = block.start / GROUP * kinds;
        let mut run = Run {
            plan,
            sums,
            step,
            neuron: plan.first + self.share.start + block.start as u32,
            local: self.share.local as usize + block.start,
            noise: &self.noise,
            width,
            cells: &mut self.cells[first..first + width * kinds],
            temps: &mut self.temps[..],
            spiked: [0; WIDTH.1],
        };
        run.all(&self.codes);
        let spiked = run.spiked;
        if width < self.width {
            // The cells of a narrow block lie closer together, some of them upon the ones.
            self.temps[..self.width].fill([1.0; GROUP]);
        }
        for (g, bits) in spiked.iter().enumerate().take(width).filter(|(_, bits)| **bits != 0) {
            let lanes = (0..GROUP).filter(|i| bits >> i & 1 == 1).map(|i| block.start + g * GROUP + i);
            lanes.filter(|i| *i < block.end).for_each(|i| spike(i as u32));
        }
    }
}

/// The value of a neuron of a share.
fn value(number: &Number, share: &Share, i: usize) -> f32 {
    match number {
        Number::Uniform(x) => *x,
        Number::Column(c) => c[share.start as usize + i],
    }
}

/// One step of one block.
struct Run<'a> {
    plan: &'a PopulationPlan,
    sums: &'a mut Sums,
    step: u64,
    /// Number of the first neuron in the network, and within the thread.
    neuron: u32,
    local: usize,
    noise: &'a Stream,
    width: usize,
    cells: &'a mut [Group],
    temps: &'a mut [Group],
    /// One bit for each lane of each group.
    spiked: [u32; WIDTH.1],
}

/// What can be read while one cell is written: the cells before and after it.
struct Others<'a> {
    width: usize,
    cells: [&'a [Group]; 2],
    temps: [&'a [Group]; 2],
}

impl<'a> Others<'a> {
    #[inline(always)]
    fn cell(&self, place: Place) -> &'a [Group] {
        match place {
            Place::Cell(i) => self.pick(self.cells, i),
            Place::Temp(i) => self.pick(self.temps, i),
            Place::Uniform(_) | Place::Final(_) => &[],
        }
    }

    #[inline(always)]
    fn pick(&self, [before, after]: [&'a [Group]; 2], i: u32) -> &'a [Group] {
        let at = i as usize * self.width;
        if at < before.len() {
            &before[at..at + self.width]
        } else {
            // The cell that is written lies between.
            let at = at - before.len() - self.width;
            &after[at..at + self.width]
        }
    }

    #[inline(always)]
    fn operand(&self, place: Place) -> Operand<'a> {
        match place {
            Place::Uniform(x) => Operand::Uniform(x),
            place => Operand::Cell(self.cell(place)),
        }
    }
}

impl Run<'_> {
    /// Loops under way: first code, turns, turn, and the turn of what is around. No call, since a function that calls itself
    /// is not inlined into the code that has the widest vectors.
    #[inline(always)]
    fn all(&mut self, codes: &[Code]) {
        let mut loops = [(0usize, 0u32, 0u32, 0u32); 4];
        let (mut depth, mut turn, mut next) = (0, 0, 0);
        while next < codes.len() {
            let now = &codes[next];
            next += 1;
            match now {
                Code::Loop { turns } => {
                    loops[depth] = (next, *turns, 0, turn);
                    turn *= turns;
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
                Code::Skip { a, codes } => {
                    if !self.any(*a) {
                        next += *codes as usize;
                    }
                }
                Code::Spike { a } => self.spike(*a),
                Code::Clear { receptor } => self.sums.lanes(self.step + 1, *receptor as usize, self.local, self.width * GROUP).fill(0),
                Code::Flush { a: Place::Cell(i) } => lanes::flush(&mut self.cells[*i as usize * self.width..][..self.width]),
                Code::Take { to, receptor, kept } => self.take(*to, *receptor as usize, *kept),
                Code::Fire { hit, v, left, from, threshold, reset, steps } => {
                    if self.fire(*hit, [*v, *left], *from, [*threshold, *reset, *steps]) {
                        self.spike(*hit);
                    }
                }
                Code::Filter { state, own, gain, receptor } => self.filter(*state, *own, *gain, *receptor as usize),
                code => self.compute(code, turn),
            }
        }
    }

    #[inline(always)]
    fn fire(&mut self, hit: Place, [v, left]: [u32; 2], from: Place, numbers: [f32; 3]) -> bool {
        let (Place::Temp(hit), Place::Temp(from)) = (hit, from) else { return false };
        let width = self.width;
        let (low, high) = (v.min(left) as usize, v.max(left) as usize);
        let (before, rest) = self.cells.split_at_mut(high * width);
        let (first, second) = (&mut before[low * width..][..width], &mut rest[..width]);
        let (v, left) = if v < left { (first, second) } else { (second, first) };
        let (before, rest) = self.temps.split_at_mut(hit as usize * width);
        let (hit, after) = rest.split_at_mut(width);
        let others = Others { width, cells: [&[], &[]], temps: [before, after] };
        lanes::fire(hit, v, left, others.cell(Place::Temp(from)), numbers)
    }

    #[inline(always)]
    fn filter(&mut self, state: u32, own: [f32; 2], gain: f32, receptor: usize) {
        let quantum = math::power_of_two(-self.plan.scale[receptor]);
        let sums = self.sums.lanes(self.step + 1, receptor, self.local, self.width * GROUP);
        lanes::filter(&mut self.cells[state as usize * self.width..][..self.width], sums, own, gain, quantum);
    }

    /// Splits memory at the cell that is written.
    #[inline(always)]
    fn split(&mut self, to: Place) -> (&mut [Group], Others<'_>, bool) {
        let width = self.width;
        match to {
            Place::Cell(i) | Place::Final(i) => {
                let (before, rest) = self.cells.split_at_mut(i as usize * width);
                let (cell, after) = rest.split_at_mut(width);
                (cell, Others { width, cells: [before, after], temps: [self.temps, &[]] }, matches!(to, Place::Final(_)))
            }
            Place::Temp(i) => {
                let (before, rest) = self.temps.split_at_mut(i as usize * width);
                let (cell, after) = rest.split_at_mut(width);
                (cell, Others { width, cells: [self.cells, &[]], temps: [before, after] }, false)
            }
            Place::Uniform(_) => (&mut [], Others { width, cells: [self.cells, &[]], temps: [self.temps, &[]] }, false),
        }
    }

    #[inline(always)]
    fn any(&mut self, a: Place) -> bool {
        match a {
            Place::Uniform(x) => x != 0.0,
            a => lanes::any(self.split(Place::Uniform(0.0)).1.cell(a)),
        }
    }

    #[inline(always)]
    fn spike(&mut self, a: Place) {
        if !self.any(a) {
            return;
        }
        for g in 0..self.width {
            let group = match self.split(Place::Uniform(0.0)).1.operand(a) {
                Operand::Cell(cell) => cell[g],
                Operand::Uniform(x) => [x; GROUP],
            };
            (0..GROUP).filter(|i| group[*i] != 0.0).for_each(|i| self.spiked[g] |= 1 << i);
        }
    }

    #[inline(always)]
    fn take(&mut self, to: Place, receptor: usize, kept: bool) {
        let quantum = math::power_of_two(-self.plan.scale[receptor]);
        let sums = self.sums.lanes(self.step + 1, receptor, self.local, self.width * GROUP);
        let cell = match to {
            Place::Temp(i) => &mut self.temps[i as usize * self.width..][..self.width],
            _ => return,
        };
        for (x, q) in cell.as_flattened_mut().iter_mut().zip(&*sums) {
            *x = *q as f32 * quantum;
        }
        if !kept {
            sums.fill(0);
        }
    }

    #[inline(always)]
    fn compute(&mut self, code: &Code, turn: u32) {
        let Some(to) = code.to() else { return };
        let (neuron, step, noise) = (self.neuron, self.step as u32, self.noise);
        let (cell, from, flush) = self.split(to);
        match code {
            Code::Copy { a, .. } => lanes::copy(cell, from.operand(*a), flush),
            Code::Unary { op, a, .. } => lanes::unary(*op, cell, from.cell(*a)),
            Code::Binary { op, a, b, .. } => lanes::binary(*op, cell, from.operand(*a), from.operand(*b)),
            Code::MulAdd { a, b, c, signs, .. } => {
                let signs = match signs {
                    Signs::Plus => [1.0, 1.0],
                    Signs::MinusC => [1.0, -1.0],
                    Signs::MinusProduct => [-1.0, 1.0],
                };
                lanes::mul_add(cell, from.operand(*a), from.operand(*b), from.operand(*c), signs, flush);
            }
            Code::Select { condition, a, b, .. } => lanes::select(cell, from.cell(*condition), from.operand(*a), from.operand(*b), flush),
            Code::Linear { terms, .. } => linear(cell, &from, terms, flush),
            Code::Normal { number, .. } => {
                for (i, x) in cell.as_flattened_mut().iter_mut().enumerate() {
                    *x = noise.normal([neuron.wrapping_add(i as u32), step, *number, turn]);
                }
            }
            Code::Even { number, .. } => {
                for (i, x) in cell.as_flattened_mut().iter_mut().enumerate() {
                    *x = noise.uniform([neuron.wrapping_add(i as u32), step, *number, turn]);
                }
            }
            _ => {}
        }
    }
}

#[inline(always)]
fn linear(to: &mut [Group], from: &Others, terms: &[(f32, Place)], flush: bool) {
    #[inline(always)]
    fn of<const N: usize>(to: &mut [Group], from: &Others, terms: &[(f32, Place)], flush: bool) {
        let (mut factors, mut cells): ([f32; N], [&[Group]; N]) = ([0.0; N], [&[]; N]);
        for (k, (factor, place)) in terms.iter().take(N).enumerate() {
            (factors[k], cells[k]) = (*factor, from.cell(*place));
        }
        lanes::linear(to, factors, cells, flush);
    }
    match terms.len() {
        1 => of::<1>(to, from, terms, flush),
        2 => of::<2>(to, from, terms, flush),
        3 => of::<3>(to, from, terms, flush),
        4 => of::<4>(to, from, terms, flush),
        5 => of::<5>(to, from, terms, flush),
        _ => of::<{ lower::TERMS }>(to, from, terms, flush),
    }
}
