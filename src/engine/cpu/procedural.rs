//! Rows that are drawn again at every spike, into the ring of sums, which then has one row for each step that is under way.
//! Nothing is stored but what the wiring itself keeps. Knows no stored row.

use super::partition::Share;
use super::sums::Sums;
use crate::plan::{Drawn, Plan, Synapses, UNCHANGED, scaled};

pub struct Procedural {
    /// Procedural projections by the population that they leave.
    leaving: Vec<Vec<usize>>,
    /// The share of each population in this thread, if it has one.
    shares: Vec<Option<Share>>,
    drawn: Vec<Drawn>,
}

/// Whether any projection is procedural.
pub fn any(plan: &Plan) -> bool {
    plan.projections.iter().any(|p| p.procedural())
}

impl Procedural {
    pub fn new(plan: &Plan, shares: &[Share]) -> Self {
        let mut leaving = vec![Vec::new(); if any(plan) { plan.populations.len() } else { 0 }];
        plan.projections.iter().enumerate().filter(|(_, p)| p.procedural()).for_each(|(i, p)| leaving[p.source].push(i));
        let share = |population: usize| shares.iter().find(|s| s.population == population).copied();
        Self { leaving, shares: (0..plan.populations.len()).map(share).collect(), drawn: Vec::new() }
    }

    /// A neuron has spiked at step `now`: its rows are drawn, and what lands in this thread is under way, weights times the factor
    /// that its traces have made. Gives the number of synapses that do.
    #[inline(always)]
    pub fn spike(&mut self, now: u64, neuron: u32, factors: &[u32], plan: &Plan, sums: &mut Sums) -> u64 {
        if self.leaving.is_empty() {
            return 0;
        }
        let population = plan.populations.partition_point(|p| p.first + p.size <= neuron);
        let index = neuron - plan.populations[population].first;
        let mut events = 0;
        for i in &self.leaving[population] {
            let p = &plan.projections[*i];
            let (Some(source), Some(share)) = (p.from.find(index), self.shares[p.target]) else { continue };
            let mut synapses = Synapses::new(plan.seed, p);
            let factor = p.traces.map_or(UNCHANGED, |n| factors[n]);
            self.drawn.clear();
            synapses.row(source, &mut self.drawn);
            let target = &plan.populations[p.target];
            let receptors = p.slots.map(|slot| (slot - target.slot) / (target.size as usize).max(1));
            for d in &self.drawn {
                let Some(local) = share.local(d.target) else { continue };
                events += 1;
                let sum = &mut sums.from(now + u64::from(d.delay), receptors[usize::from(d.weight < 0)])[local as usize];
                *sum = sum.wrapping_add(scaled(synapses.quanta(d), factor));
            }
        }
        events
    }
}
