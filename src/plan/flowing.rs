//! Rows that can be taken piece by piece as they are drawn: by distance and probability, with one weight, and delays that are
//! constant or follow from the distance. No synapse of them depends on its number in the row, so an engine draws only the part of a
//! row that it wants. Knows no engine.

use std::ops::Range;

use super::wiring::distance::{Kept, Rows};
use super::{Kind, ProjectionPlan, constant};
use crate::network::Which;

pub use super::wiring::distance::Scratch;

pub struct Flowing<'a> {
    p: &'a ProjectionPlan,
    rows: &'a Rows,
    /// The first target, as an index into its population.
    first: u32,
    /// In quanta.
    pub weight: i32,
    delay: u32,
    /// Delays by the square of the distance, where they follow from it.
    delays: Option<&'a [u16]>,
}

impl<'a> Flowing<'a> {
    /// None where rows are not of this kind.
    pub fn new(p: &'a ProjectionPlan) -> Option<Self> {
        let Kind::Distance(rows) = p.wiring.kind() else { return None };
        let Which::Range { start, .. } = p.to else { return None };
        let weight = constant(&p.weight.law) && p.by_distance.weight.is_none();
        let plain = rows.degree().is_none() && weight && (constant(&p.delay) || p.by_distance.delay.is_some());
        let (weight, delay) = (p.weight.law.min() << p.weight.shift, p.delay.min().max(1) as u32);
        let delays = p.by_distance.delay.as_ref().map(|table| &table.values[..]);
        plain.then_some(Self { p, rows, first: start, weight, delay, delays })
    }

    /// Calls `each(places among the targets)` for the synapses of a source, piece by piece: at least those onto the targets in
    /// `range`, which are indices into their population.
    #[inline(always)]
    pub fn pieces(&self, source: u32, range: Range<u32>, scratch: &mut Scratch, each: impl FnMut(&[Kept])) {
        let wiring = &self.p.wiring;
        let range = range.start.saturating_sub(self.first)..range.end.saturating_sub(self.first);
        self.rows.within(wiring.stream(), source, wiring.own(source), range, scratch, each);
    }

    /// The target of a synapse, as an index into its population.
    #[inline(always)]
    pub fn target(&self, kept: &Kept) -> u32 {
        self.first + kept.target
    }

    /// Its delay in steps.
    #[inline(always)]
    pub fn delay(&self, kept: &Kept) -> u32 {
        self.delays.map_or(self.delay, |table| u32::from(table[(kept.entry as usize).min(table.len() - 1)]))
    }
}
