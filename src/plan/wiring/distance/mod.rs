//! Rows by distance. Knows no weight.
//!
//! *By probability*: the cells near a source are visited strip by strip (a strip is all cells of one row of cells). A cell's bound is
//! the largest probability at its nearest point; its targets pass the bound by gaps of an exponential budget that is carried from
//! cell to cell, since the law has no memory, and then keep the share probability/bound. Where the bound is large, each target
//! takes a word of its own. A strip is drawn from its own counters, so that strips can be drawn anywhere and in any order.
//!
//! *By out-degree*: synapse k draws a cell by (targets times bound), a target in it, and keeps it with the share kernel/bound, or
//! else draws again.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::base::hazard::{Hazard, ONE};
use crate::base::rng::Stream;
use crate::network::{Degree, Distance, Shape};
use crate::plan::space::{Between, Cells, Line, Near, Table, index};

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
    budget: Hazard,
    /// 2^32 / hazard.
    inverse: Vec<u32>,
    /// Targets of each source; none by probability.
    degree: Option<u32>,
    /// Synapses of a source, in the mean; once it has been asked for.
    mean: OnceLock<f64>,
}

mod bound;
mod strips;

use strips::Candidate;
pub use strips::Kept;

const UNIT: f64 = 4_294_967_296.0;
const EACH: u32 = u32::MAX;
/// Draws of a synapse before its row is weighed target by target.
const PATIENCE: u32 = 1000;

/// What a row needs while it is drawn.
#[derive(Default)]
pub struct Scratch {
    near: [Vec<Near>; 3],
    lines: Vec<Line>,
    words: Vec<u32>,
    candidates: Vec<Candidate>,
    kept: Vec<Kept>,
    weighed: Vec<([u32; 3], u32, u64)>,
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
            .map(|b| if *b > 1 << 30 { EACH } else { libm::ceil(-libm::log1p(-f64::from(*b) / UNIT) * f64::from(ONE)) as u32 })
            .collect();
        let passed =
            hazard.iter().map(|h| libm::ceil(-libm::expm1(-f64::from(*h) / f64::from(ONE)) * UNIT).min(UNIT - 1.0) as u32).collect();
        let inverse = hazard.iter().map(|h| if *h < 2 { u32::MAX } else { (UNIT / f64::from(*h)) as u32 }).collect();
        let degree = match rule.degree {
            Degree::Probability(_) => None,
            Degree::Out(k) | Degree::In(k) => Some(k),
        };
        let cells = Cells::new(&between, reach);
        Ok(Self {
            cells,
            reach,
            square: rule.shape == Shape::Box,
            chance,
            bound,
            hazard,
            passed,
            inverse,
            budget: Hazard::new(),
            degree,
            mean: OnceLock::new(),
            between,
        })
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
            Some(count) => self.weighted(stream, source, own, count, scratch, &mut |t| each(0, t)),
            None => {
                self.strips(stream, source, own, scratch, |_, _| true, |strip, kept| kept.iter().for_each(|k| each(strip, k.target)));
            }
        }
    }

    /// The strips of a row that may hold targets in a range: their targets, in the range or not.
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

    /// What is near a source, along each axis.
    #[inline(always)]
    fn near(&self, place: [u32; 3], near: &mut [Vec<Near>; 3]) {
        near.iter_mut().enumerate().for_each(|(axis, near)| self.cells.near(&self.between, axis, place[axis], self.reach, near));
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

    fn weighted(&self, stream: &Stream, source: u32, own: Option<u32>, count: u32, scratch: &mut Scratch, each: &mut impl FnMut(u32)) {
        let place = self.between.source(source);
        let Scratch { near, weighed, .. } = scratch;
        self.near(place, near);
        let sum = self.weigh(near, weighed);
        if sum == 0 {
            return;
        }
        for k in 0..count {
            let drawn = (0..PATIENCE).find_map(|attempt| {
                let block = stream.block([source, k, attempt, 1]);
                let word = u128::from(u64::from(block[0]) << 32 | u64::from(block[1]));
                let at = ((word * u128::from(sum)) >> 64) as u64;
                let c = weighed.partition_point(|(_, _, end)| *end <= at);
                let (cell, bound, end) = weighed[c];
                let left = end - u64::from(bound) * u64::from(self.cells.len(cell));
                let (target, there) = self.cells.target(cell, ((at - left) / u64::from(bound)) as u32);
                let word = ((u64::from(block[2]) * u64::from(bound)) >> 32) as u32;
                (word < self.chance(place, there) && Some(target) != own).then_some(target)
            });
            match drawn.or_else(|| self.choose(stream, [source, k], place, own, near)) {
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
    fn choose(&self, stream: &Stream, [source, k]: [u32; 2], place: [u32; 3], own: Option<u32>, near: &[Vec<Near>; 3]) -> Option<u32> {
        let mut sum = 0u64;
        self.candidates(place, own, near, |_, chance| sum += u64::from(chance));
        let block = stream.block([source, k, 0, 2]);
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

    /// The mean number of synapses of a source by probability, from up to 200 of them.
    pub fn expected(&self, own: impl Fn(u32) -> Option<u32>) -> f64 {
        *self.mean.get_or_init(|| {
            let sources = self.between.sources.len();
            let step = sources.div_ceil(200).max(1) as usize;
            let asked: Vec<f64> = (0..sources).step_by(step).map(|s| self.mean(s, own(s))).collect();
            asked.iter().sum::<f64>() / asked.len().max(1) as f64
        })
    }

    /// The sum of the kernel over all targets of a source: of synapses, if the kernel is a probability.
    fn mean(&self, source: u32, own: Option<u32>) -> f64 {
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
        self.cells.bytes() + self.chance.values.len() as u64 * 16
    }
}
