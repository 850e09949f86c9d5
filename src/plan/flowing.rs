//! Rows that can be drawn without being kept: by distance, with one weight, and delays that are constant or follow from the
//! distance. Each synapse of them stands alone, so that an engine takes only the part of a row that it wants. Knows no engine.

use std::ops::Range;

use super::synapses::constant;
use super::wiring::distance;
use super::{Kind, ProjectionPlan};
use crate::network::Which;

pub use distance::Scratch;

pub struct Flowing<'a> {
    p: &'a ProjectionPlan,
    rows: &'a distance::Rows,
    /// The first target, as an index into its population.
    first: u32,
    /// In quanta.
    pub weight: i32,
    delay: u32,
}

impl<'a> Flowing<'a> {
    pub fn new(p: &'a ProjectionPlan) -> Option<Self> {
        let Kind::Distance(rows) = p.wiring.kind() else { return None };
        let Which::Range { start, .. } = p.to else { return None };
        let plain = rows.degree().is_none() && constant(&p.weight.law) && (constant(&p.delay) || p.by_distance.delay.is_some());
        let (weight, delay) = (p.weight.law.min() << p.weight.shift, p.delay.min().max(1) as u32);
        plain.then_some(Self { p, rows, first: start, weight, delay })
    }

    /// Calls `each(target, delay)` for the synapses of a source onto the targets in `range`, indices into their population.
    #[inline(always)]
    pub fn each(&self, source: u32, range: Range<u32>, scratch: &mut Scratch, mut each: impl FnMut(u32, u32)) {
        let wiring = &self.p.wiring;
        let range = range.start.saturating_sub(self.first)..range.end.saturating_sub(self.first);
        let table = self.p.by_distance.delay.as_deref();
        self.rows.within(wiring.stream(), source, wiring.own(source), range.clone(), scratch, |kept| {
            for k in kept.iter().filter(|k| range.contains(&k.target)) {
                each(self.first + k.target, table.map_or(self.delay, |t| u32::from(t.entry(k.entry as usize))));
            }
        });
    }
}
