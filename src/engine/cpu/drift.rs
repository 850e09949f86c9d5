//! What happens to synapses between their events: the weight, and what a synapse keeps beside it, moved from the last event to the
//! next. Knows no rows and no thread.
//!
//! Events are the spikes of the source, of the target and of the modulator. A synapse moves at events alone, so that bringing it up
//! to date in between changes no bit of what follows: where it stands is the last event that it has seen.

use super::change::{Change, LANES};
use super::histories::Histories;
use crate::plan;

#[derive(Clone)]
pub struct Drift {
    change: Change,
    /// Traces of the source, then of the target; then what is kept, the traces of the modulator, the weight.
    sources: usize,
    targets: usize,
    /// By lane of the present synapses: the step of the last event.
    pub stand: [u32; LANES],
}

/// One synapse that is to be moved.
#[derive(Clone, Copy)]
pub struct Move {
    /// Its place in the row, and among the present lanes.
    pub synapse: usize,
    pub lane: usize,
    pub neuron: usize,
    pub delay: u32,
    /// The last spike of the target that it has seen.
    pub entry: u32,
    pub to: u32,
}

impl Drift {
    pub fn new(change: &plan::Change, sources: usize, targets: usize) -> Self {
        Self { change: Change::new(change), sources, targets, stand: [0; LANES] }
    }

    pub fn adopt(&mut self, change: &plan::Change) {
        self.change = Change::new(change);
    }

    /// The traces of the source, as its last spike left them.
    pub fn source(&mut self, trace: usize, value: f32) {
        self.change.state(trace).fill(value);
    }

    /// Moves some synapses, whose source spiked last at step `last`; `modulator` has its entry.
    pub fn go(
        &mut self,
        moves: &[Move],
        last: u32,
        histories: &Histories,
        modulator: Option<(&Histories, u32)>,
        weights: &mut [f32],
        kept: &mut [Vec<f32>],
    ) {
        let (targets, own) = (self.sources, self.sources + self.targets);
        if let Some((history, entry)) = modulator {
            let set = |(n, x): (usize, &f32)| self.change.state(own + kept.len() + n).fill(*x);
            history.values(0, entry).iter().enumerate().for_each(set);
        }
        for (k, m) in moves.iter().enumerate() {
            let stand = self.stand[m.lane];
            for (s, x) in histories.values(m.neuron, m.entry).iter().enumerate() {
                self.change.state(targets + s)[k] = *x;
            }
            for (v, values) in kept.iter().enumerate() {
                self.change.state(own + v)[k] = values[m.synapse];
            }
            self.change.weights()[k] = weights[m.synapse];
            self.change.steps(0)[k] = (m.to - stand) as f32;
            self.change.steps(1)[k] = (stand - last) as f32;
            self.change.steps(2)[k] = stand.saturating_sub(m.delay).saturating_sub(histories.step(m.neuron, m.entry)) as f32;
            self.change.steps(3)[k] = modulator.map_or(0.0, |(history, entry)| (stand - history.step(0, entry)) as f32);
        }
        let new = self.change.run(moves.len());
        moves.iter().zip(new).for_each(|(m, w)| weights[m.synapse] = *w);
        for (v, values) in kept.iter_mut().enumerate() {
            moves.iter().zip(self.change.new_state(own + v)).for_each(|(m, x)| values[m.synapse] = *x);
        }
        moves.iter().for_each(|m| self.stand[m.lane] = m.to);
    }
}
