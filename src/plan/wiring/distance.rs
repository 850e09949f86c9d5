//! Rows by distance. Knows no weight.
//!
//! *By probability*: the cells near a source are visited strip by strip (a strip is all cells of one row of cells). A cell's bound is
//! the largest probability at its nearest point; its targets pass the bound by gaps of an exponential budget that is carried from
//! cell to cell, since the law has no memory, and then keep the share probability/bound. Where the bound is large, each target
//! takes a word of its own. A strip is drawn from its own counters, so that strips can be drawn anywhere and in any order.
//!
//! *By out-degree*: synapse k draws a cell by (targets times bound), a target in it, and keeps it with the share kernel/bound, or
//! else draws again.

use std::sync::Arc;

use crate::base::draw::{Kind, Law, Quantile};
use crate::base::rng::Stream;
use crate::network::{Degree, Distance, Shape};
use crate::plan::space::{Between, Cells, Near, Table, index};

pub struct Rows {
    pub between: Arc<Between>,
    cells: Cells,
    reach: u32,
    /// Distance is the largest difference of a coordinate, not the root of the sum of squares.
    square: bool,
    /// The kernel in units of 2^-32, at a distance and at the largest from there on.
    chance: Table<u32>,
    bound: Vec<u32>,
    /// -ln(1 - bound) in units of 2^-24, never less; `EACH` where targets take a word each. The bound that this really is.
    hazard: Vec<u32>,
    passed: Vec<u32>,
    budget: Quantile,
    /// Targets of each source; none by probability.
    degree: Option<u32>,
}

const UNIT: f64 = 4_294_967_296.0;
const HAZARD: f64 = 16_777_216.0;
const EACH: u32 = u32::MAX;
/// Draws of a synapse before its row is weighed target by target.
const PATIENCE: u32 = 1000;

/// What a row needs while it is drawn.
#[derive(Default)]
pub struct Scratch {
    near: [Vec<Near>; 3],
    weighed: Vec<([u32; 3], u32, u64)>,
}

/// A source that is drawn for: its place, and the target that it may not reach, itself.
#[derive(Clone, Copy)]
struct Source<'a> {
    stream: &'a Stream,
    number: u32,
    place: [u32; 3],
    own: Option<u32>,
}

impl Rows {
    /// Rows of the sources of `between`. An error says what is wrong with the kernel.
    pub fn new(rule: &Distance, between: Arc<Between>) -> Result<Self, String> {
        let quantum = between.to.grain.quantum;
        if !(rule.reach.is_finite() && rule.reach >= quantum) {
            return Err(format!("a reach of {} um: positions are told apart by {quantum} um", rule.reach));
        }
        let reach = (libm::floor(rule.reach / quantum).min(65_535.0) as u32).min(between.longest());
        let factor = match rule.degree {
            Degree::Probability(p) if !(0.0..=1.0).contains(&(p * rule.shape.max())) => {
                return Err(format!("a probability of up to {}: it lies between 0 and 1", p * rule.shape.max()));
            }
            Degree::Probability(p) => p,
            // A degree takes the kernel as a weight.
            _ if !(rule.shape.max() > 0.0 && rule.shape.max().is_finite()) => return Err("the kernel is zero everywhere".into()),
            _ => 1.0 / rule.shape.max(),
        };
        let chance = Table::new(reach, quantum, |d| (rule.shape.at(d) * factor * UNIT).clamp(0.0, UNIT - 1.0) as u32);
        let mut bound = chance.values.clone();
        (0..bound.len().saturating_sub(1)).rev().for_each(|i| bound[i] = bound[i].max(bound[i + 1]));
        let hazard: Vec<u32> = bound
            .iter()
            .map(|b| if *b > 1 << 30 { EACH } else { libm::ceil(-libm::log1p(-f64::from(*b) / UNIT) * HAZARD) as u32 })
            .collect();
        let passed = hazard.iter().map(|h| libm::ceil(-libm::expm1(-f64::from(*h) / HAZARD) * UNIT).min(UNIT - 1.0) as u32).collect();
        let budget = Quantile::new(Law::of(Kind::Exponential { mean: 1.0 }, 1.0, 0.0), HAZARD)?;
        let degree = match rule.degree {
            Degree::Probability(_) => None,
            Degree::Out(k) | Degree::In(k) => Some(k),
        };
        let cells = Cells::new(&between, reach);
        Ok(Self { cells, reach, square: rule.shape == Shape::Box, chance, bound, hazard, passed, budget, degree, between })
    }

    /// Targets of each source, if the rule fixes them.
    pub fn degree(&self) -> Option<u32> {
        self.degree
    }

    /// Strips by probability; a row by degree is one stretch.
    pub fn stretches(&self) -> u32 {
        let [_, y, z] = self.cells.count();
        if self.degree.is_some() { 1 } else { y * z }
    }

    /// One strip of a row.
    #[inline(always)]
    pub fn stretch(&self, stream: &Stream, source: u32, own: Option<u32>, strip: u32, mut each: impl FnMut(u32)) {
        let mut scratch = Scratch::default();
        if self.degree.is_some() {
            return self.row(stream, source, own, &mut scratch, |_, t| each(t));
        }
        let source = self.source(stream, source, own);
        let place = source.place;
        let (y, z) = (strip % self.cells.count()[1], strip / self.cells.count()[1]);
        let [along, across, up] = &mut scratch.near;
        self.cells.near(&self.between, 0, place[0], self.reach, along);
        self.cells.near(&self.between, 1, place[1], self.reach, across);
        self.cells.near(&self.between, 2, place[2], self.reach, up);
        if let (Some(y), Some(z)) = (across.iter().find(|n| n.cell == y), up.iter().find(|n| n.cell == z)) {
            self.strip(source, along, [y, z], &mut each);
        }
    }

    /// The row of a source: stretches and targets in canonical order.
    #[inline(always)]
    pub fn row(&self, stream: &Stream, source: u32, own: Option<u32>, scratch: &mut Scratch, mut each: impl FnMut(u32, u32)) {
        let source = self.source(stream, source, own);
        for (axis, near) in scratch.near.iter_mut().enumerate() {
            self.cells.near(&self.between, axis, source.place[axis], self.reach, near);
        }
        match self.degree {
            Some(count) => self.weighted(source, count, scratch, &mut |t| each(0, t)),
            None => {
                let [along, across, up] = &scratch.near;
                for z in up {
                    for y in across {
                        let strip = z.cell * self.cells.count()[1] + y.cell;
                        self.strip(source, along, [y, z], &mut |t| each(strip, t));
                    }
                }
            }
        }
    }

    fn source<'a>(&self, stream: &'a Stream, number: u32, own: Option<u32>) -> Source<'a> {
        Source { stream, number, place: self.between.source(number), own }
    }

    /// The square that kernel tables are read at, from how far two places are apart along each axis.
    #[inline(always)]
    fn combine(&self, apart: [u32; 3]) -> u32 {
        let [x, y, z] = apart.map(|a| a * a);
        if self.square { x.max(y).max(z) } else { x + y + z }
    }

    #[inline(always)]
    fn between(&self, a: [u32; 3], b: [u32; 3]) -> u32 {
        self.combine(std::array::from_fn(|axis| self.between.apart(axis, a[axis], b[axis])))
    }

    /// The kernel between two places.
    #[inline(always)]
    fn chance(&self, a: [u32; 3], b: [u32; 3]) -> u32 {
        let square = self.between(a, b);
        if square > self.reach * self.reach { 0 } else { self.chance.at(square) }
    }

    /// The table's entry for a cell, if it is within reach.
    #[inline(always)]
    fn entry(&self, apart: [u32; 3]) -> Option<usize> {
        let square = self.combine(apart);
        (square <= self.reach * self.reach).then(|| index(square))
    }

    #[inline(always)]
    fn strip(&self, source: Source<'_>, along: &[Near], [y, z]: [&Near; 2], each: &mut impl FnMut(u32)) {
        if self.entry([0, y.apart, z.apart]).is_none() {
            return;
        }
        let mut words = Words::new(source.stream, source.number, z.cell * self.cells.count()[1] + y.cell);
        let mut budget = self.budget.draw(words.next()) as u64;
        for x in along {
            let Some(entry) = self.entry([x.apart, y.apart, z.apart]) else { continue };
            let cell = [x.cell, y.cell, z.cell];
            let count = u64::from(self.cells.len(cell));
            let mut keep = |j: u64, limit: u32, words: &mut Words| {
                let (target, at) = self.cells.target(cell, j as u32);
                let word = ((u64::from(words.next()) * u64::from(limit)) >> 32) as u32;
                if word < self.chance(source.place, at) && Some(target) != source.own {
                    each(target);
                }
            };
            match u64::from(self.hazard[entry]) {
                0 => {}
                hazard if hazard == u64::from(EACH) => (0..count).for_each(|j| keep(j, u32::MAX, &mut words)),
                hazard => {
                    let mut j = 0;
                    while budget < (count - j) * hazard {
                        j += budget / hazard;
                        keep(j, self.passed[entry], &mut words);
                        j += 1;
                        budget = self.budget.draw(words.next()) as u64;
                    }
                    budget -= (count - j) * hazard;
                }
            }
        }
    }

    fn weighted(&self, source: Source<'_>, count: u32, scratch: &mut Scratch, each: &mut impl FnMut(u32)) {
        let Scratch { near, weighed } = scratch;
        let sum = self.weigh(near, weighed);
        if sum == 0 {
            return;
        }
        for k in 0..count {
            let drawn = (0..PATIENCE).find_map(|attempt| {
                let block = source.stream.block([source.number, k, attempt, 1]);
                let word = u128::from(u64::from(block[0]) << 32 | u64::from(block[1]));
                let at = ((word * u128::from(sum)) >> 64) as u64;
                let c = weighed.partition_point(|(_, _, end)| *end <= at);
                let (cell, bound, end) = weighed[c];
                let left = end - u64::from(bound) * u64::from(self.cells.len(cell));
                let (target, there) = self.cells.target(cell, ((at - left) / u64::from(bound)) as u32);
                let word = ((u64::from(block[2]) * u64::from(bound)) >> 32) as u32;
                (word < self.chance(source.place, there) && Some(target) != source.own).then_some(target)
            });
            match drawn.or_else(|| self.choose(source, k, near)) {
                Some(target) => each(target),
                None => return,
            }
        }
    }

    /// The cells near a source with their bounds, and the running sum of targets times bound.
    fn weigh(&self, [along, across, up]: &[Vec<Near>; 3], out: &mut Vec<([u32; 3], u32, u64)>) -> u64 {
        out.clear();
        let mut sum = 0;
        for z in up {
            for y in across {
                for x in along {
                    let Some(entry) = self.entry([x.apart, y.apart, z.apart]) else { continue };
                    let cell = [x.cell, y.cell, z.cell];
                    let weight = u64::from(self.bound[entry]) * u64::from(self.cells.len(cell));
                    if weight > 0 {
                        sum += weight;
                        out.push((cell, self.bound[entry], sum));
                    }
                }
            }
        }
        sum
    }

    /// A target drawn by weighing each of them: for kernels that are small nearly everywhere near their source.
    fn choose(&self, Source { stream, number, place, own }: Source<'_>, k: u32, near: &[Vec<Near>; 3]) -> Option<u32> {
        let mut sum = 0u64;
        self.candidates(place, own, near, |_, chance| sum += u64::from(chance));
        let block = stream.block([number, k, 0, 2]);
        let word = u128::from(u64::from(block[0]) << 32 | u64::from(block[1]));
        let mut at = ((word * u128::from(sum)) >> 64) as u64;
        let mut found = None;
        self.candidates(place, own, near, |target, chance| {
            if found.is_none() && at < u64::from(chance) {
                found = Some(target);
            }
            at = at.wrapping_sub(if found.is_none() { u64::from(chance) } else { 0 });
        });
        found
    }

    /// Every target near a source, with the kernel there.
    fn candidates(&self, place: [u32; 3], own: Option<u32>, [along, across, up]: &[Vec<Near>; 3], mut each: impl FnMut(u32, u32)) {
        for z in up {
            for y in across {
                for x in along.iter().filter(|x| self.entry([x.apart, y.apart, z.apart]).is_some()) {
                    let cell = [x.cell, y.cell, z.cell];
                    for j in 0..self.cells.len(cell) {
                        let (target, at) = self.cells.target(cell, j);
                        if Some(target) != own {
                            each(target, self.chance(place, at));
                        }
                    }
                }
            }
        }
    }

    /// The sum of the kernel over all targets of a source: of synapses, if the kernel is a probability.
    pub fn mean(&self, source: u32, own: Option<u32>) -> f64 {
        let place = self.between.source(source);
        let mut near: [Vec<Near>; 3] = Default::default();
        near.iter_mut().enumerate().for_each(|(axis, near)| self.cells.near(&self.between, axis, place[axis], self.reach, near));
        let mut sum = 0u64;
        self.candidates(place, own, &near, |_, chance| sum += u64::from(chance));
        sum as f64 / UNIT
    }

    /// A bound on the mean number of synapses that one target receives, from cells alone.
    pub fn most(&self) -> f64 {
        let sources = Cells::new(&self.between.turned(), self.reach);
        // What a synapse more is worth to a source of each cell: a degree is shared by what the source sees at least.
        let share = |cell: [u32; 3], near: &Neighbours| match self.degree {
            None => 1.0,
            Some(k) => {
                let mut low = 0.0;
                near.each(cell, |other, _| low += f64::from(self.cells.len(other)) * self.least(&sources, cell, other));
                f64::from(k) / low.max(1.0 / UNIT)
            }
        };
        let outward = Neighbours::new(&self.between, &sources, &self.cells, self.reach);
        let shares: Vec<f64> = every(sources.count()).map(|c| if sources.len(c) == 0 { 0.0 } else { share(c, &outward) }).collect();
        let inward = Neighbours::new(&self.between, &self.cells, &sources, self.reach);
        let limit = self.degree.map_or(1.0, f64::from);
        let most = |target: [u32; 3]| {
            let mut sum = 0.0;
            inward.each(target, |source, apart| {
                let chance = self.entry(apart).map_or(0.0, |e| f64::from(self.bound[e]) / UNIT);
                sum += f64::from(sources.len(source)) * (chance * shares[number(sources.count(), source)]).min(limit);
            });
            sum
        };
        every(self.cells.count()).filter(|c| self.cells.len(*c) > 0).map(most).fold(0.0, f64::max)
    }

    /// The least of the kernel between a cell of sources and one of targets.
    fn least(&self, sources: &Cells, from: [u32; 3], to: [u32; 3]) -> f64 {
        let far = self.combine(std::array::from_fn(|a| sources.farthest(&self.between, a, from[a], &self.cells, to[a])));
        let near = self.combine(std::array::from_fn(|a| sources.apart(&self.between, a, from[a], &self.cells, to[a])));
        if far > self.reach * self.reach {
            return 0.0;
        }
        let (a, b) = (index(near), index(far));
        self.chance.values[a..=b].iter().copied().min().map_or(0.0, |c| f64::from(c) / UNIT)
    }

    /// The first source that reaches no target at all.
    pub fn lonely(&self, own: impl Fn(u32) -> Option<u32> + Sync) -> Option<u32> {
        (0..self.between.sources.len()).find(|source| {
            let mut scratch = Scratch::default();
            let place = self.between.source(*source);
            let near = &mut scratch.near;
            near.iter_mut().enumerate().for_each(|(axis, near)| self.cells.near(&self.between, axis, place[axis], self.reach, near));
            !self.reaches(place, own(*source), near)
        })
    }

    fn reaches(&self, place: [u32; 3], own: Option<u32>, [along, across, up]: &[Vec<Near>; 3]) -> bool {
        up.iter().any(|z| {
            across.iter().any(|y| {
                let cells = along.iter().filter(|x| self.entry([x.apart, y.apart, z.apart]).is_some());
                cells.map(|x| [x.cell, y.cell, z.cell]).any(|cell| {
                    (0..self.cells.len(cell)).any(|j| {
                        let (target, at) = self.cells.target(cell, j);
                        Some(target) != own && self.chance(place, at) > 0
                    })
                })
            })
        })
    }

    pub fn bytes(&self) -> u64 {
        self.cells.bytes() + self.chance.values.len() as u64 * 16
    }
}

/// Every cell.
fn every([x, y, z]: [u32; 3]) -> impl Iterator<Item = [u32; 3]> {
    (0..z).flat_map(move |z| (0..y).flat_map(move |y| (0..x).map(move |x| [x, y, z])))
}

fn number([x, y, _]: [u32; 3], cell: [u32; 3]) -> usize {
    ((cell[2] * y + cell[1]) * x + cell[0]) as usize
}

/// For each cell of one kind, along each axis, the cells of another kind that are within reach.
struct Neighbours([Vec<Vec<Near>>; 3]);

impl Neighbours {
    fn new(between: &Between, of: &Cells, among: &Cells, reach: u32) -> Self {
        Self(std::array::from_fn(|axis| {
            let near = |cell| {
                let apart = |other| Near { cell: other, apart: of.apart(between, axis, cell, among, other) };
                (0..among.count()[axis]).map(apart).filter(|n| n.apart <= reach).collect()
            };
            (0..of.count()[axis]).map(near).collect()
        }))
    }

    fn each(&self, cell: [u32; 3], mut each: impl FnMut([u32; 3], [u32; 3])) {
        let [along, across, up] = [0, 1, 2].map(|a| &self.0[a][cell[a] as usize]);
        for z in up {
            for y in across {
                along.iter().for_each(|x| each([x.cell, y.cell, z.cell], [x.apart, y.apart, z.apart]));
            }
        }
    }
}

/// The words of a strip, one after another: word w is lane w%4 of counter [source, w/4, strip, 0].
struct Words<'a> {
    stream: &'a Stream,
    counter: [u32; 4],
    buffer: [u32; 64],
    at: usize,
}

impl<'a> Words<'a> {
    #[inline(always)]
    fn new(stream: &'a Stream, source: u32, strip: u32) -> Self {
        let counter = [source, 0, strip, 0];
        Self { stream, counter, buffer: stream.many(counter), at: 0 }
    }

    #[inline(always)]
    fn next(&mut self) -> u32 {
        if self.at == 64 {
            self.counter[1] += 16;
            self.buffer = self.stream.many(self.counter);
            self.at = 0;
        }
        self.at += 1;
        self.buffer[self.at - 1]
    }
}
