//! Rows by distance. Knows no weight.
//!
//! *By probability*: the cells near a source are visited strip by strip (a strip is all cells of one row of cells), as `strips` says:
//! a cell's bound is the largest probability at its nearest point. A strip is drawn from its own counters, so that strips can be
//! drawn anywhere and in any order.
//!
//! *By out-degree*: synapse k draws a cell by (targets times bound), a target in it, and keeps it with the share kernel/bound, or
//! else draws again.

mod bound;
mod strips;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::base::exponential::{Exponential, ONE};
use crate::base::rng::Stream;
use crate::network::{Degree, Distance, Shape};
use crate::plan::space::{Between, Cells, Near, Table, index};
pub use strips::Kept;

pub struct Rows {
    pub between: Arc<Between>,
    cells: Cells,
    reach: u32,
    /// Distance is the largest difference of a coordinate, not the root of the sum of squares.
    square: bool,
    /// The kernel in units of 2^-32, at a distance and at the largest from there on.
    chance: Table<u32>,
    bound: Vec<u32>,
    /// -ln(1 - p) of the kernel p in units of 1 / `ONE`, and the largest from there on, with its reciprocal in units of 2^-64; `EACH`
    /// where targets take a word each.
    limit: Vec<u32>,
    hazard: Vec<(u64, u32)>,
    /// What a target is kept below: limits, then chances.
    below: Vec<u32>,
    law: Exponential,
    /// Targets of each source; none by probability.
    degree: Option<u32>,
    /// Synapses of a source, in the mean; once it has been asked for.
    mean: OnceLock<f64>,
}

const UNIT: f64 = 4_294_967_296.0;
/// Stands for the hazard where the kernel is above `LARGE`.
const EACH: u32 = u32::MAX;
const LARGE: u32 = 1 << 30;
/// Pairs that are looked at to count synapses.
const MOST_PAIRS: u64 = 1 << 22;
/// Draws of a synapse before its row is weighed target by target.
const PATIENCE: u32 = 1000;

/// What a row needs while it is drawn.
#[derive(Default)]
pub struct Scratch {
    near: [Vec<Near>; 3],
    weighed: Vec<([u32; 3], u32, u64)>,
    cells: Vec<strips::Cell>,
    points: Vec<u64>,
    lines: Vec<strips::Place>,
    squares: Vec<u32>,
    tried: Vec<strips::Tried>,
    kept: Vec<Kept>,
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
        let hazard = |p: &u32| {
            if *p > LARGE { EACH } else { libm::rint(-libm::log1p(-f64::from(*p) / UNIT) * f64::from(ONE)) as u32 }
        };
        let limit: Vec<u32> = chance.values.iter().map(hazard).collect();
        let hazard = bound.iter().map(hazard).map(|h| (u64::MAX / u64::from(h.max(1)), h)).collect();
        let below = [&limit[..], &chance.values].concat();
        let degree = match rule.degree {
            Degree::Probability(_) => None,
            Degree::Out(k) | Degree::In(k) => Some(k),
        };
        let cells = Cells::new(&between, reach);
        let square = rule.shape == Shape::Box;
        let (law, mean) = (Exponential::new(), OnceLock::new());
        Ok(Self { cells, reach, square, chance, bound, limit, hazard, below, law, degree, mean, between })
    }

    /// Cells, for an engine that draws elsewhere.
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Tables by the square of the distance: the largest hazard from there on, that of the kernel, and the kernel.
    pub fn tables(&self) -> [Vec<u32>; 3] {
        [self.hazard.iter().map(|h| h.1).collect(), self.limit.clone(), self.chance.values.clone()]
    }

    /// Reach in quanta, and whether it is that of the largest difference of a coordinate.
    pub fn reach(&self) -> (u32, bool) {
        (self.reach, self.square)
    }

    /// Of the points in a strip.
    pub fn law(&self) -> &Exponential {
        &self.law
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
        let scratch = &mut Scratch::default();
        match self.degree {
            Some(_) => self.row(stream, source, own, scratch, |_, t| each(t)),
            None => self.strips(stream, source, own, scratch, |s, _| s == strip, |_, kept| kept.iter().for_each(|k| each(k.target))),
        }
    }

    /// The row of a source: stretches and targets in canonical order.
    #[inline(always)]
    pub fn row(&self, stream: &Stream, source: u32, own: Option<u32>, scratch: &mut Scratch, mut each: impl FnMut(u32, u32)) {
        match self.degree {
            Some(count) => self.weighted(self.source(stream, source, own), count, scratch, &mut |t| each(0, t)),
            None => {
                let all = |_, _: Option<Range<u32>>| true;
                self.strips(stream, source, own, scratch, all, |strip, kept| kept.iter().for_each(|k| each(strip, k.target)));
            }
        }
    }

    /// The strips of a row by probability that may hold targets in a range: their targets, in the range or not.
    #[inline(always)]
    pub fn within(
        &self,
        stream: &Stream,
        source: u32,
        own: Option<u32>,
        range: Range<u32>,
        scratch: &mut Scratch,
        mut each: impl FnMut(&[Kept]),
    ) {
        let wanted = |_, targets: Option<Range<u32>>| targets.is_none_or(|t| t.start < range.end && range.start < t.end);
        self.strips(stream, source, own, scratch, wanted, |_, kept| each(kept));
    }

    /// What is near a place, along each axis.
    #[inline(always)]
    fn near(&self, place: [u32; 3], near: &mut [Vec<Near>; 3]) {
        near.iter_mut().enumerate().for_each(|(axis, near)| self.cells.near(&self.between, axis, place[axis], self.reach, near));
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

    fn weighted(&self, source: Source<'_>, count: u32, scratch: &mut Scratch, each: &mut impl FnMut(u32)) {
        let Scratch { near, weighed, .. } = scratch;
        self.near(source.place, near);
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

    /// The mean number of synapses of a source by probability: from up to a thousand of them, fewer where many targets are near.
    pub fn mean(&self, own: impl Fn(u32) -> Option<u32>) -> f64 {
        *self.mean.get_or_init(|| {
            let sources = self.between.sources.len();
            let mut near: [Vec<Near>; 3] = Default::default();
            if sources > 0 {
                self.near(self.between.source(0), &mut near);
            }
            let targets = near.iter().map(|n| n.len() as u64).product::<u64>() * u64::from(self.between.targets.len())
                / self.cells.count().map(u64::from).iter().product::<u64>().max(1);
            let asked = (MOST_PAIRS / targets.max(1)).clamp(50, 1000) as u32;
            let step = sources.div_ceil(asked).max(1) as usize;
            let asked: Vec<f64> = (0..sources).step_by(step).map(|s| self.sum(s, own(s))).collect();
            asked.iter().sum::<f64>() / asked.len().max(1) as f64
        })
    }

    /// The sum of the kernel over all targets of a source: of synapses, if the kernel is a probability.
    fn sum(&self, source: u32, own: Option<u32>) -> f64 {
        let place = self.between.source(source);
        let mut near: [Vec<Near>; 3] = Default::default();
        self.near(place, &mut near);
        let mut sum = 0u64;
        self.candidates(place, own, &near, |_, chance| sum += u64::from(chance));
        sum as f64 / UNIT
    }

    /// The first source that reaches no target at all.
    pub fn lonely(&self, own: impl Fn(u32) -> Option<u32> + Sync) -> Option<u32> {
        (0..self.between.sources.len()).find(|source| {
            let mut scratch = Scratch::default();
            let place = self.between.source(*source);
            self.near(place, &mut scratch.near);
            !self.reaches(place, own(*source), &scratch.near)
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
        self.cells.bytes() + self.chance.values.len() as u64 * 36
    }
}
