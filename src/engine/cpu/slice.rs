//! An engine of some neurons of a network: what is theirs, and the spikes of the others. Knows no equation.

use std::ops::Range;

use rayon::prelude::*;

use super::Cpu;
use crate::plan::{Plan, Spike};

/// Of each population the neurons that lie in the slice.
pub fn ranges(plan: &Plan, slice: &Range<u32>) -> Vec<Range<u32>> {
    let within = |p: &crate::plan::PopulationPlan| {
        let end = slice.end.clamp(p.first, p.first + p.size);
        slice.start.clamp(p.first, end) - p.first..end - p.first
    };
    plan.populations.iter().map(within).collect()
}

/// What acts without a delay cannot be told in time.
pub fn check(plan: &Plan, slice: &Range<u32>) -> Result<(), String> {
    if *slice == (0..plan.neurons) {
        return Ok(());
    }
    if !plan.modulators.is_empty() {
        return Err("spikes of modulators act at once on all synapses: such a network is stepped whole".into());
    }
    if !plan.gaps.is_empty() {
        return Err("gap junctions join neurons at every step: such a network is stepped whole".into());
    }
    Ok(())
}

impl Cpu {
    /// A slice can go no further than the spikes of the others are known.
    pub(super) fn check_steps(&self, steps: u64) -> Result<(), String> {
        if self.slice == (0..self.plan.neurons) {
            return Ok(());
        }
        self.plan.reach(steps)
    }

    /// Takes spikes of neurons outside of the slice. Each must be so recent that none of its synapses is due yet: engines
    /// that advance by the shortest delay and then exchange their spikes give what one engine gives.
    pub fn accept(&mut self, spikes: &[Spike]) -> Result<(), String> {
        self.plan.recent(spikes, self.step)?;
        let slice = self.slice.clone();
        let foreign: Vec<Spike> = spikes.iter().filter(|s| !slice.contains(&s.neuron)).copied().collect();
        let first = spikes.iter().map(|s| u64::from(s.step)).min().unwrap_or(1).saturating_sub(1);
        let plan = &*self.plan;
        self.parts.par_iter_mut().for_each(|part| part.spread(plan, first, &foreign));
        Ok(())
    }
}
