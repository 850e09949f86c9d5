//! Probes of weights in a running simulation: when they are due, and what they give. Knows no file.
//!
//! Static weights are a function of the plan, which every edit replaces, and both engines deliver the weights of the plan that they
//! run. Weights that change come from the engine's memory, with all spikes so far taken into account.

use super::Simulation;
use crate::network::{Probe, Which};
use crate::plan::{Connection, connections, connections_of};

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

    /// The weights of a projection now, in canonical order and in the unit of their receptor; none if they do not change. A device that
    /// fails here is told of by the next step.
    pub fn changing_weights(&self, projection: usize) -> Option<Vec<f32>> {
        let most = self.plan.projections.get(projection)?.plastic.as_ref()?.most;
        let weights = self.engine.weights(projection).ok().flatten()?;
        Some(weights.into_iter().map(|w| (f64::from(w) * most) as f32).collect())
    }

    /// Gives the synapses of a probe in canonical order, with their weights now in the unit of their receptor.
    pub fn weights(&self, probe: usize, mut each: impl FnMut(Connection, f32) -> Result<(), String>) -> Result<(), String> {
        let Some((projection, from, to, _)) = self.asked().nth(probe) else { return Ok(()) };
        let mut result = Ok(());
        self.each_weight((projection, from, to), |c, w| {
            if result.is_ok() {
                result = each(c, w as f32);
            }
        })?;
        result
    }

    /// The weights of some synapses in canonical order: in units of the largest where they change, else in their own unit.
    pub fn relative_weights(&self, synapses: (usize, &Which, &Which)) -> Result<Vec<f64>, String> {
        let plastic = self.plan.projections.get(synapses.0).and_then(|p| p.plastic.as_ref());
        let unit = plastic.map_or(1.0, |plastic| plastic.most);
        let mut out = Vec::new();
        self.each_weight(synapses, |_, w| out.push(w / unit))?;
        Ok(out)
    }

    /// Gives every synapse of a part of a projection, and its weight now.
    fn each_weight(&self, (projection, from, to): (usize, &Which, &Which), mut each: impl FnMut(Connection, f64)) -> Result<(), String> {
        let Some(p) = self.plan.projections.get(projection) else { return Ok(()) };
        if let (Some(plastic), Some(weights)) = (&p.plastic, self.engine.weights(projection)?) {
            let (sources, targets) = (self.plan.populations[p.source].first, self.plan.populations[p.target].first);
            let mut weights = weights.into_iter();
            connections(&self.plan, p, |c| {
                let w = weights.next().unwrap_or(f32::NAN);
                let asked = from.find(c.source - sources).is_some() && to.find(c.target - targets).is_some();
                if asked {
                    each(c, f64::from(w) * plastic.most);
                }
            });
            return Ok(());
        }
        connections_of(&self.plan, p, from, to, |c| each(c, f64::from(c.weight) / p.weight.quanta));
        Ok(())
    }
}
