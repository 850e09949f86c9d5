//! The recent spikes of the neurons of one share, with their traces as each spike left them: a ring of entries for each neuron.
//! Steps at which the condition of a rule holds are entries as spikes are, with what is read of the neuron. Knows no synapse.
//!
//! Entry 0 of a neuron is no spike but what was before: the start of the run, or the base of a state. An entry that is pushed out
//! of the ring has acted on every synapse, since the share is brought up to date before it would not have. The last few entries of
//! each neuron stand once more in a short record: synapses ask for hardly anything else, and the records of a share fit a cache.

use super::partition::Share;
use super::watch::Watch;
use crate::plan::{History, TracePlan, Traced, after, after_condition};

/// Entries in the record of a neuron.
const RECENT: usize = 3;

pub struct Histories {
    /// Number among the plan's `targets`.
    pub targets: usize,
    pub share: Share,
    traces: usize,
    /// A power of two.
    depth: u32,
    /// By neuron: entries so far, the steps of the last ones, the newest first, and their values.
    recent: Vec<u32>,
    /// By neuron and place in its ring; values also by trace.
    steps: Vec<u32>,
    values: Vec<f32>,
    /// Of neurons that are watched: what is read of them, the kind of each entry, and what was read then.
    pub watch: Option<Watch>,
    conditions: Vec<bool>,
    read: Vec<f32>,
    reads: usize,
    /// Up to this step all spikes have acted on all synapses.
    pub done: u32,
    scratch: (Vec<f32>, Vec<f32>),
}

impl Histories {
    pub fn new(t: &TracePlan, targets: usize, share: Share, depth: usize, watch: Option<Watch>) -> Self {
        let (neurons, traces) = (share.len() as usize, t.states.len());
        let reads = t.watch.as_ref().filter(|_| watch.is_some()).map_or(0, |w| w.reads.len());
        let mut made = Self {
            targets,
            share,
            traces,
            depth: depth as u32,
            recent: vec![0; neurons * (1 + RECENT + RECENT * traces)],
            steps: vec![0; neurons * depth],
            values: vec![0.0; neurons * depth * traces],
            conditions: vec![false; if watch.is_some() { neurons * depth } else { 0 }],
            read: vec![0.0; neurons * depth * reads],
            reads,
            watch,
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
        let at = self.at(neuron, self.count(neuron));
        self.steps[at] = step;
        self.values[at * self.traces..(at + 1) * self.traces].copy_from_slice(values);
        let (stride, traces) = (self.stride(), self.traces);
        let (count, recent) = self.recent[neuron * stride..(neuron + 1) * stride].split_at_mut(1);
        let (steps, all) = recent.split_at_mut(RECENT);
        count[0] += 1;
        steps.copy_within(..RECENT - 1, 1);
        steps[0] = step;
        all.copy_within(..(RECENT - 1) * traces, traces);
        all[..traces].copy_from_slice(bytemuck::cast_slice(values));
    }

    /// Words of the record of a neuron.
    #[inline(always)]
    fn stride(&self) -> usize {
        1 + RECENT + RECENT * self.traces
    }

    #[inline(always)]
    fn record(&self, neuron: usize) -> &[u32] {
        &self.recent[neuron * self.stride()..(neuron + 1) * self.stride()]
    }

    #[inline(always)]
    pub fn step(&self, neuron: usize, entry: u32) -> u32 {
        let record = self.record(neuron);
        match (record[0] - 1 - entry) as usize {
            back @ ..RECENT => record[1 + back],
            _ => self.steps[self.at(neuron, entry)],
        }
    }

    /// Entries so far.
    #[inline(always)]
    pub fn count(&self, neuron: usize) -> u32 {
        self.record(neuron)[0]
    }

    #[inline(always)]
    pub fn values(&self, neuron: usize, entry: u32) -> &[f32] {
        let record = self.record(neuron);
        match (record[0] - 1 - entry) as usize {
            back @ ..RECENT => bytemuck::cast_slice(&record[1 + RECENT + back * self.traces..][..self.traces]),
            _ => &self.values[self.at(neuron, entry) * self.traces..][..self.traces],
        }
    }

    /// Whether an entry is a step at which the condition of the rule holds, and no spike.
    #[inline(always)]
    pub fn is_condition(&self, neuron: usize, entry: u32) -> bool {
        self.conditions[self.at(neuron, entry)]
    }

    /// What was read of a neuron then.
    #[inline(always)]
    pub fn read(&self, neuron: usize, entry: u32) -> &[f32] {
        let at = self.at(neuron, entry);
        &self.read[at * self.reads..(at + 1) * self.reads]
    }

    /// The last entry at or before a step.
    #[inline(always)]
    pub fn last(&self, neuron: usize, step: u32) -> u32 {
        let mut entry = self.count(neuron) - 1;
        while entry > 0 && self.step(neuron, entry) > step {
            entry -= 1;
        }
        entry
    }

    /// Step and values of an entry.
    #[inline(always)]
    pub fn entry(&self, neuron: usize, entry: u32) -> (u32, &[f32]) {
        let record = self.record(neuron);
        match (record[0] - 1 - entry) as usize {
            back @ ..RECENT => (record[1 + back], bytemuck::cast_slice(&record[1 + RECENT + back * self.traces..][..self.traces])),
            _ => (self.steps[self.at(neuron, entry)], &self.values[self.at(neuron, entry) * self.traces..][..self.traces]),
        }
    }

    /// The last entry at or before step `latest`, and before it the last that is not later than `after`; the first entry is never later.
    #[inline(always)]
    pub fn between(&self, neuron: usize, after: Option<u32>, latest: u32) -> [u32; 2] {
        let record = self.record(neuron);
        let step = |entry: u32| match (record[0] - 1 - entry) as usize {
            back @ ..RECENT => record[1 + back],
            _ => self.steps[self.at(neuron, entry)],
        };
        let mut end = record[0] - 1;
        while end > 0 && step(end) > latest {
            end -= 1;
        }
        let mut before = end;
        while before > 0 && after.is_none_or(|after| step(before) > after) {
            before -= 1;
        }
        [before, end]
    }

    /// Whether the next spike of a neuron would push out what a spike that has not yet acted on all synapses starts from, when
    /// delays are at most `longest`.
    pub fn full(&self, neuron: usize, longest: u32) -> bool {
        let count = self.count(neuron);
        count >= self.depth && self.step(neuron, count + 1 - self.depth) + longest > self.done
    }

    /// A neuron of the share has spiked.
    pub fn spike(&mut self, t: &TracePlan, neuron: usize, step: u32) {
        self.enter(t, neuron, step, false);
    }

    /// Someone of those for whom the only neuron stands has spiked: the spikes of one step are one entry.
    pub fn together(&mut self, t: &TracePlan, step: u32) {
        let entry = self.count(0) - 1;
        if entry == 0 || self.step(0, entry) < step {
            return self.spike(t, 0, step);
        }
        let (mut states, mut registers) = std::mem::take(&mut self.scratch);
        states.clear();
        states.extend_from_slice(self.values(0, entry));
        states.push(1.0);
        after(t, 0, &[], &mut states, &mut registers);
        let at = self.at(0, entry);
        self.values[at * self.traces..(at + 1) * self.traces].copy_from_slice(&states[..self.traces]);
        self.recent[1 + RECENT..][..self.traces].copy_from_slice(bytemuck::cast_slice(&states[..self.traces]));
        self.scratch = (states, registers);
    }

    /// A neuron of the share has spiked, or the condition of the rule holds of it, at a step.
    pub fn enter(&mut self, t: &TracePlan, neuron: usize, step: u32, condition: bool) {
        let entry = self.count(neuron) - 1;
        let (mut states, mut registers) = std::mem::take(&mut self.scratch);
        if let Some(watch) = &self.watch {
            let at = self.at(neuron, entry + 1);
            self.conditions[at] = condition;
            self.read[at * self.reads..(at + 1) * self.reads].iter_mut().zip(watch.at(neuron, step)).for_each(|(to, x)| *to = x);
        }
        states.clear();
        states.extend_from_slice(self.values(neuron, entry));
        states.push(1.0);
        let (steps, read) = (step - self.step(neuron, entry), self.read(neuron, entry + 1));
        if condition {
            after_condition(t, steps, read, &mut states, &mut registers)
        } else {
            after(t, steps, read, &mut states, &mut registers)
        }
        self.push(neuron, step, &states[..self.traces]);
        self.scratch = (states, registers);
    }

    /// Puts what is here into the state of the network at step `now`: spikes of up to `longest` steps ago are told one by one.
    pub fn save(&self, now: u32, longest: u32, into: &mut History) {
        for neuron in 0..self.share.len() as usize {
            let base = self.last(neuron, now.saturating_sub(longest));
            let place = self.share.start as usize + neuron;
            into.base.last[place] = self.step(neuron, base);
            for (column, x) in into.base.values.iter_mut().zip(self.values(neuron, base)) {
                column[place] = *x;
            }
            for entry in base + 1..self.count(neuron) {
                let condition = self.watch.is_some() && self.is_condition(neuron, entry);
                let events = if condition { &mut into.conditions } else { &mut into.spikes };
                events.push([place as u32, self.step(neuron, entry)]);
            }
        }
        if let Some(watch) = &self.watch {
            watch.save(now, into.base.last.len(), &mut into.reads);
        }
    }

    /// The traces of the only neuron as its last spike left them.
    pub fn save_one(&self, into: &mut Traced) {
        let entry = self.count(0) - 1;
        into.last[0] = self.step(0, entry);
        into.values.iter_mut().zip(self.values(0, entry)).for_each(|(column, x)| column[0] = *x);
    }

    /// Goes on from a state of the network at step `now`, up to which all spikes have acted.
    pub fn restore(&mut self, t: &TracePlan, now: u32, history: &History) {
        let Traced { values, last } = &history.base;
        self.done = now;
        self.recent.fill(0);
        for neuron in 0..self.share.len() as usize {
            let place = self.share.start as usize + neuron;
            let base: Vec<f32> = values.iter().map(|column| column[place]).collect();
            self.push(neuron, last[place], &base);
        }
        if let Some(watch) = &mut self.watch {
            watch.restore(now, last.len(), &history.reads);
        }
        let all = history.spikes.iter().map(|s| (*s, false)).chain(history.conditions.iter().map(|s| (*s, true)));
        let mut events: Vec<_> = all.filter(|([neuron, _], _)| (self.share.start..self.share.end).contains(neuron)).collect();
        events.sort_unstable();
        for ([neuron, step], condition) in events {
            self.enter(t, (neuron - self.share.start) as usize, step, condition);
        }
    }
}
