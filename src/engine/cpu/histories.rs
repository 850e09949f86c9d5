//! The recent spikes of the neurons of one share, with their traces as each spike left them: a ring of entries for each neuron.
//! Knows no synapse.
//!
//! Entry 0 of a neuron is no spike but what was before: the start of the run, or the base of a state. An entry that is pushed out
//! of the ring has acted on every synapse, since the share is brought up to date before it would not have.

use super::partition::Share;
use crate::plan::{History, TracePlan, Traced, after};

pub struct Histories {
    /// Number among the plan's `targets`.
    pub targets: usize,
    pub share: Share,
    traces: usize,
    /// A power of two.
    depth: u32,
    /// Entries so far, by neuron.
    counts: Vec<u32>,
    /// By neuron and place in its ring; values also by trace.
    steps: Vec<u32>,
    values: Vec<f32>,
    /// Up to this step all spikes have acted on all synapses.
    pub done: u32,
    scratch: (Vec<f32>, Vec<f32>),
}

impl Histories {
    pub fn new(t: &TracePlan, targets: usize, share: Share, depth: usize) -> Self {
        let (neurons, traces) = (share.len() as usize, t.states.len());
        let mut made = Self {
            targets,
            share,
            traces,
            depth: depth as u32,
            counts: vec![0; neurons],
            steps: vec![0; neurons * depth],
            values: vec![0.0; neurons * depth * traces],
            done: 0,
            scratch: Default::default(),
        };
        (0..neurons).for_each(|i| made.push(i, 0, &t.initial));
        made
    }

    fn at(&self, neuron: usize, entry: u32) -> usize {
        neuron * self.depth as usize + (entry & (self.depth - 1)) as usize
    }

    fn push(&mut self, neuron: usize, step: u32, values: &[f32]) {
        let at = self.at(neuron, self.counts[neuron]);
        self.steps[at] = step;
        self.values[at * self.traces..(at + 1) * self.traces].copy_from_slice(values);
        self.counts[neuron] += 1;
    }

    #[inline(always)]
    pub fn step(&self, neuron: usize, entry: u32) -> u32 {
        self.steps[self.at(neuron, entry)]
    }

    /// Entries so far.
    #[inline(always)]
    pub fn count(&self, neuron: usize) -> u32 {
        self.counts[neuron]
    }

    #[inline(always)]
    pub fn values(&self, neuron: usize, entry: u32) -> &[f32] {
        let at = self.at(neuron, entry);
        &self.values[at * self.traces..(at + 1) * self.traces]
    }

    /// The last entry at or before a step.
    #[inline(always)]
    pub fn last(&self, neuron: usize, step: u32) -> u32 {
        let mut entry = self.counts[neuron] - 1;
        while entry > 0 && self.step(neuron, entry) > step {
            entry -= 1;
        }
        entry
    }

    /// Whether the next spike of a neuron would push out what a spike that has not yet acted on all synapses starts from, when
    /// delays are at most `longest`.
    pub fn full(&self, neuron: usize, longest: u32) -> bool {
        let count = self.counts[neuron];
        count >= self.depth && self.step(neuron, count + 1 - self.depth) + longest > self.done
    }

    /// A neuron of the share has spiked.
    pub fn spike(&mut self, t: &TracePlan, neuron: usize, step: u32) {
        let entry = self.counts[neuron] - 1;
        let (mut states, mut registers) = std::mem::take(&mut self.scratch);
        states.clear();
        states.extend_from_slice(self.values(neuron, entry));
        states.push(1.0);
        after(t, step - self.step(neuron, entry), &mut states, &mut registers);
        self.push(neuron, step, &states[..self.traces]);
        self.scratch = (states, registers);
    }

    /// Puts what is here into the state of the network at step `now`: spikes of up to `longest` steps ago are told one by one.
    pub fn save(&self, now: u32, longest: u32, into: &mut History) {
        for neuron in 0..self.counts.len() {
            let base = self.last(neuron, now.saturating_sub(longest));
            let place = self.share.start as usize + neuron;
            into.base.last[place] = self.step(neuron, base);
            for (column, x) in into.base.values.iter_mut().zip(self.values(neuron, base)) {
                column[place] = *x;
            }
            into.spikes.extend((base + 1..self.counts[neuron]).map(|entry| [place as u32, self.step(neuron, entry)]));
        }
    }

    /// The traces of the only neuron as its last spike left them.
    pub fn save_one(&self, into: &mut Traced) {
        let entry = self.counts[0] - 1;
        into.last[0] = self.step(0, entry);
        into.values.iter_mut().zip(self.values(0, entry)).for_each(|(column, x)| column[0] = *x);
    }

    /// Goes on from a state of the network at step `now`, up to which all spikes have acted.
    pub fn restore(&mut self, t: &TracePlan, now: u32, history: &History) {
        let Traced { values, last } = &history.base;
        self.done = now;
        self.counts.fill(0);
        for neuron in 0..self.counts.len() {
            let place = self.share.start as usize + neuron;
            let base: Vec<f32> = values.iter().map(|column| column[place]).collect();
            self.push(neuron, last[place], &base);
        }
        for [neuron, step] in &history.spikes {
            if (self.share.start..self.share.end).contains(neuron) {
                self.spike(t, (neuron - self.share.start) as usize, *step);
            }
        }
    }
}
