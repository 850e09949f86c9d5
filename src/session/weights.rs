//! Probes of weights in a running simulation: when they are due, and what they give. Knows no file.
//!
//! The synapses here are static: their weights are a function of the plan, which every edit replaces, and both engines deliver
//! the weights of the plan that they run. What changes weights by itself would have to give them here from its own memory.

use super::Simulation;
use crate::network::{Probe, Which};
use crate::plan::{Connection, connections_of};

impl Simulation {
    /// Every probe of weights: its number among them, and its interval in steps; none for one that looks at the end alone.
    pub fn weights_probes(&self) -> Vec<(usize, Option<u64>)> {
        self.asked().enumerate().map(|(i, (_, _, _, every))| (i, every)).collect()
    }

    fn asked(&self) -> impl Iterator<Item = (usize, &Which, &Which, Option<u64>)> {
        self.scene.network.probes.iter().filter_map(|p| match p {
            Probe::Weights { projection, from, to, every, .. } => Some((*projection, from, to, *every)),
            _ => None,
        })
    }

    /// The step after this one at which a probe of weights is due next.
    pub fn next_weights(&self) -> Option<u64> {
        self.asked().filter_map(|(_, _, _, every)| every).map(|every| (self.step() / every + 1) * every).min()
    }

    /// Gives the synapses of a probe in canonical order, with their weights now in the unit of their receptor.
    pub fn weights(&self, probe: usize, mut each: impl FnMut(Connection, f32) -> Result<(), String>) -> Result<(), String> {
        let Some((projection, from, to, _)) = self.asked().nth(probe) else { return Ok(()) };
        let Some(p) = self.plan.projections.get(projection) else { return Ok(()) };
        let mut result = Ok(());
        connections_of(&self.plan, p, from, to, |c| {
            if result.is_ok() {
                result = each(c, (f64::from(c.weight) / p.weight.quanta) as f32);
            }
        });
        result
    }
}
