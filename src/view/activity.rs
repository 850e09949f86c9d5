//! How active cells of a picture are: spikes that fade, summed by cell and carried along as time goes on, so that a frame costs
//! its new spikes and its cells, whatever the number of neurons. Knows no place and no colour.

use crate::session::live::Frame;

/// No cell: a neuron that is not shown.
pub const NOWHERE: u32 = u32::MAX;
/// Time constants after which a spike is forgotten.
const REACH: f64 = 8.0;

#[derive(Debug, Default)]
pub struct Activity {
    /// What the sums are of: the network, the cells and the time constant.
    of: Option<(u64, u64, f64)>,
    sums: Vec<f32>,
    /// Neurons of each cell.
    members: Vec<u32>,
    /// Step up to which spikes are counted.
    until: u64,
    /// Spikes that were added, for the tests of its cost.
    pub added: u64,
}

impl Activity {
    /// Brings the sums to step `to` of a frame. `cells` has the cell of each neuron, `version` names it; `tau` is in steps.
    pub fn update(&mut self, frame: &Frame, cells: &[u32], version: u64, tau: f64, to: u64) {
        let (of, to) = ((frame.generation, version, tau), to.min(frame.step));
        let goes_on = self.of == Some(of) && to >= self.until && (to - self.until) as f64 <= REACH * tau;
        if self.of != Some(of) {
            let count = cells.iter().filter(|c| **c != NOWHERE).max().map_or(0, |c| *c as usize + 1);
            self.members.clear();
            self.members.resize(count, 0);
            cells.iter().filter(|c| **c != NOWHERE).for_each(|c| self.members[*c as usize] += 1);
        }
        let from = if goes_on {
            let fade = libm::exp(-((to - self.until) as f64) / tau) as f32;
            self.sums.iter_mut().for_each(|s| *s *= fade);
            self.until
        } else {
            self.sums.clear();
            self.sums.resize(self.members.len(), 0.0);
            to.saturating_sub((REACH * tau) as u64)
        };
        for spike in frame.chunks(from, to).iter().flat_map(|c| c.within(from, to)) {
            let sum = cells.get(spike.neuron as usize).and_then(|c| self.sums.get_mut(*c as usize));
            if let Some(sum) = sum {
                *sum += libm::expf(-((to - u64::from(spike.step)) as f32) / tau as f32);
            }
            self.added += 1;
        }
        (self.of, self.until) = (Some(of), to);
    }

    /// Spikes per neuron and step, lately, of each cell that has neurons.
    pub fn rates(&self) -> impl Iterator<Item = Option<f32>> + '_ {
        let tau = self.of.map_or(1.0, |of| of.2 as f32);
        self.sums.iter().zip(&self.members).map(move |(s, n)| (*n > 0).then(|| s / (*n as f32 * tau)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Harvest, Spike};
    use crate::session::live::History;
    use std::sync::Arc;

    #[test]
    fn activity_is_the_sum_of_fading_spikes_and_counts_each_once() {
        let (mut history, mut all, mut seed) = (History::default(), Vec::<Spike>::new(), 5u64);
        let mut random = |n: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) % n
        };
        let cells: Vec<u32> = (0..40).map(|n| if n % 7 == 6 { NOWHERE } else { n / 4 }).collect();
        let (mut activity, mut step, tau) = (Activity::default(), 0, 50.0);
        for round in 0..60 {
            let steps = 1 + random(30);
            let mut spikes: Vec<Spike> =
                (0..random(40)).map(|_| Spike { step: (step + 1 + random(steps)) as u32, neuron: random(40) as u32 }).collect();
            spikes.sort_unstable();
            all.extend_from_slice(&spikes);
            history.take(Harvest { from: step, to: step + steps, spikes, ..Harvest::default() }, &Arc::from([]), usize::MAX);
            step += steps;
            let frame = Frame { step, chunks: history.chunks(), generation: 1, ..Frame::default() };
            // Now and then it looks back.
            let to = if round % 13 == 12 { step / 2 } else { step };
            activity.update(&frame, &cells, 0, tau, to);
            for (cell, rate) in activity.rates().enumerate() {
                let members = cells.iter().filter(|c| **c == cell as u32).count();
                let due: f64 = all
                    .iter()
                    .filter(|s| u64::from(s.step) <= to && cells[s.neuron as usize] == cell as u32)
                    .map(|s| (-((to - u64::from(s.step)) as f64) / tau).exp())
                    .sum();
                let found = f64::from(rate.unwrap_or(0.0)) * members as f64 * tau;
                assert!((found - due).abs() < 1e-3 + 0.002 * due, "round {round}, cell {cell}: {found} and not {due}");
            }
        }
        let before = activity.added;
        let frame = Frame { step, chunks: history.chunks(), generation: 1, ..Frame::default() };
        activity.update(&frame, &cells, 0, tau, step);
        activity.update(&frame, &cells, 0, tau, step);
        assert_eq!(activity.added, before);
    }
}
