//! The rows of one projection whose weights change, onto the neurons of one thread: how they are brought up to date. Knows no other
//! projection; `plastic` has the laws.

use std::ops::Range;
use std::sync::Arc;

use super::change::{Change, LANES};
use super::drift::{Drift, Move};
use super::histories::Histories;
use super::partition::Share;
use super::sums::Sums;
use crate::model::READS;
use crate::plan::{self, Plan, Synapses, Traces};

/// The rows of one projection onto the thread.
#[derive(Clone)]
pub struct Rows {
    pub projection: usize,
    /// Where the targets' recent spikes are.
    pub histories: usize,
    pub ends: Vec<u64>,
    /// Neuron within its share, and delay in the lower bits.
    synapses: Arc<[u32]>,
    pub weights: Vec<f32>,
    /// What else each synapse keeps, by value, then synapse.
    pub kept: Vec<Vec<f32>>,
    pub pre: Change,
    pub post: Change,
    /// What a step of a target does at which the condition of the rule holds.
    pub condition: Option<Change>,
    pub drift: Option<Drift>,
    pub modulator: Option<usize>,
    /// Synapses that are to be moved.
    moves: Vec<Move>,
    /// Synapses that a spike of their target has reached, and its entry.
    reached: Vec<(usize, u32)>,
    /// By lane of the present synapses: the last entry of the target that has reached them.
    seen: [u32; LANES],
}

/// What rows are updated with.
#[derive(Clone, Copy)]
pub struct Here<'a> {
    pub plan: &'a Plan,
    pub histories: &'a Histories,
    pub modulator: Option<&'a Histories>,
    pub bits: u32,
}

impl Here<'_> {
    /// The step up to which the spikes of targets and of the modulator have acted on a row whose source spiked last at `last`.
    pub fn done(&self, last: u32) -> u32 {
        last.max(self.histories.done).max(self.modulator.map_or(0, |m| m.done))
    }

    /// Neuron within its share, and delay.
    #[inline(always)]
    fn parts(&self, synapse: u32) -> (usize, u32) {
        ((synapse >> self.bits) as usize, synapse & ((1 << self.bits) - 1))
    }
}

/// What a row is brought up to: from one step (left out) to another (included); its source did spike last at `last`.
#[derive(Clone, Copy)]
pub struct Span {
    pub from: u32,
    pub to: u32,
    pub last: u32,
    pub end: End,
}

/// What there is at the end of a span.
#[derive(Clone, Copy, PartialEq)]
pub enum End {
    /// A spike of the source.
    Spike,
    /// Nothing: synapses stay where their last events left them.
    Rest,
    /// Someone who wants to know the weights of this very step.
    Look,
}

impl Rows {
    pub fn new(plan: &Plan, projection: usize, plastic: &plan::Plastic, histories: usize, share: Share, bits: u32) -> Self {
        let p = &plan.projections[projection];
        let (mut drawn, mut all) = (Vec::new(), Synapses::new(plan.seed, p));
        let (mut ends, mut synapses, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for source in 0..p.from.len() {
            drawn.clear();
            all.row(source, &mut drawn);
            for d in drawn.iter().filter(|d| (share.start..share.end).contains(&d.target)) {
                synapses.push((d.target - share.start) << bits | d.delay);
                weights.push(plastic.start(all.quanta(d)));
            }
            ends.push(synapses.len() as u64);
        }
        let (pre, post) = (Change::new(&plastic.pre), Change::new(&plastic.post));
        let (sources, targets) = (p.traces.map_or(0, |t| plan.traces[t].states.len()), plan.targets[plastic.targets].states.len());
        Self {
            projection,
            histories,
            ends,
            synapses: synapses.into(),
            kept: plastic.kept.iter().map(|x| vec![*x; weights.len()]).collect(),
            weights,
            pre,
            post,
            condition: plastic.condition.as_ref().map(Change::new),
            drift: plastic.drift.as_ref().map(|d| Drift::new(d, sources, targets)),
            modulator: plastic.modulator,
            moves: Vec::new(),
            reached: Vec::new(),
            seen: [0; LANES],
        }
    }

    fn range(&self, source: u32) -> Range<usize> {
        let s = source as usize;
        (if s == 0 { 0 } else { self.ends[s - 1] as usize })..self.ends[s] as usize
    }

    /// Calls `each(place in canonical order, place here)` for every synapse that is here.
    pub fn each(&self, here: Here, mut each: impl FnMut(usize, usize)) {
        let p = &here.plan.projections[self.projection];
        let (mut drawn, mut all) = (Vec::new(), Synapses::new(here.plan.seed, p));
        let (share, mut at, mut k) = (here.histories.share, 0, 0);
        for source in 0..p.from.len() {
            drawn.clear();
            all.row(source, &mut drawn);
            for d in &drawn {
                if (share.start..share.end).contains(&d.target) {
                    each(at, k);
                    k += 1;
                }
                at += 1;
            }
        }
    }

    /// Brings all rows up to step `now`.
    pub fn settle(&mut self, here: Here, now: u32, traces: &Traces, end: End) {
        let p = &here.plan.projections[self.projection];
        let Some(traced) = p.traces else { return };
        for source in 0..p.from.len() {
            let (values, last) = traces.of(traced, p.from.get(source));
            let span = Span { from: here.done(last), to: now, last, end };
            if span.from < span.to || end == End::Look {
                self.update(here, source, span, values, None);
            }
        }
    }

    /// Brings a row up to date; `values` are the traces of its source as its last spike left them.
    #[inline(always)]
    pub fn update(&mut self, here: Here, source: u32, span: Span, values: impl Iterator<Item = f32>, mut sums: Option<&mut Sums>) -> u64 {
        let Some(plastic) = &here.plan.projections[self.projection].plastic else { return 0 };
        let targets = here.plan.targets[plastic.targets].states.len();
        let mut sources = 0;
        for x in values {
            self.pre.state(sources).fill(x);
            self.post.state(targets + 1 + sources).fill(x);
            if let Some(condition) = &mut self.condition {
                condition.state(targets + 1 + sources).fill(x);
            }
            if let Some(drift) = &mut self.drift {
                drift.source(sources, x);
            }
            sources += 1;
        }
        self.pre.state(sources).fill(1.0);
        self.post.state(targets).fill(1.0);
        if let Some(condition) = &mut self.condition {
            condition.state(targets).fill(1.0);
        }
        self.pre.steps(0).fill((span.to - span.last) as f32);
        let row = self.range(source);
        for start in row.clone().step_by(LANES) {
            let lanes = start..row.end.min(start + LANES);
            let entry = self.reach(here, lanes.clone(), span);
            if span.end == End::Spike {
                self.act(here, lanes.clone(), span.to, sources, entry);
                if let Some(sums) = sums.as_deref_mut() {
                    self.send(here, lanes, span.to, plastic, sums);
                }
            }
        }
        if span.end == End::Spike { row.len() as u64 } else { 0 }
    }

    /// All events within the span but the spike of the source; the synapses then stand at its end, if that is an event or someone
    /// looks. Gives the last spike of the modulator that the synapses have seen.
    #[inline(always)]
    fn reach(&mut self, here: Here, lanes: Range<usize>, span: Span) -> u32 {
        if self.drift.is_some() {
            self.stand(here, lanes.clone(), span);
        }
        let Some(modulator) = here.modulator else {
            self.react(here, lanes.clone(), span, 0);
            if span.end != End::Rest {
                self.go(here, lanes, span, 0);
            }
            return 0;
        };
        let (mut entry, mut from) = (modulator.last(0, span.from), span.from);
        loop {
            // One that meets a spike of the source comes after it.
            let limit = span.to - u32::from(span.end == End::Spike);
            let next = (entry + 1 < modulator.count(0)).then(|| modulator.step(0, entry + 1)).filter(|step| *step <= limit);
            let part = Span { from, to: next.unwrap_or(span.to), ..span };
            self.react(here, lanes.clone(), part, entry);
            if next.is_some() || span.end != End::Rest {
                self.go(here, lanes.clone(), part, entry);
            }
            if next.is_none() {
                return entry;
            }
            (entry, from) = (entry + 1, part.to);
        }
    }

    /// Where synapses stand when a span begins: at their last event.
    fn stand(&mut self, here: Here, lanes: Range<usize>, span: Span) {
        let Some(drift) = &mut self.drift else { return };
        let modulated = here.modulator.map_or(0, |m| m.step(0, m.last(0, span.from)));
        for (lane, j) in lanes.enumerate() {
            let (neuron, delay) = here.parts(self.synapses[j]);
            let entry = here.histories.last(neuron, span.from.saturating_sub(delay));
            // The first entry is no spike.
            let step = here.histories.step(neuron, entry);
            let arrived = if step == 0 || step + delay > span.from { 0 } else { step + delay };
            drift.stand[lane] = span.last.max(modulated).max(arrived);
        }
    }

    /// Moves all these synapses to the end of a span, all of whose events they have seen.
    fn go(&mut self, here: Here, lanes: Range<usize>, span: Span, entry: u32) {
        let Some(drift) = &mut self.drift else { return };
        self.moves.clear();
        for (lane, synapse) in lanes.enumerate() {
            let (neuron, delay) = here.parts(self.synapses[synapse]);
            let last = here.histories.last(neuron, span.to.saturating_sub(delay));
            self.moves.push(Move { synapse, lane, neuron, delay, entry: last, to: span.to });
        }
        let modulator = here.modulator.map(|m| (m, entry));
        drift.go(&self.moves, span.last, here.histories, modulator, &mut self.weights, &mut self.kept);
    }

    /// Puts the traces of the modulator into place, and gives their first state and the step of their spike.
    fn modulated(change: &mut Change, here: Here, entry: u32) -> Option<u32> {
        let modulator = here.modulator?;
        let values = modulator.values(0, entry);
        let first = change.states() - 1 - values.len();
        values.iter().enumerate().for_each(|(n, x)| change.state(first + n).fill(*x));
        Some(modulator.step(0, entry))
    }

    /// The first state of what a synapse keeps, in a change.
    fn kept_at(&self, change: &Change, here: Here) -> usize {
        change.states() - 1 - here.modulator.map_or(0, |m| m.values(0, m.count(0) - 1).len()) - self.kept.len()
    }

    /// The spikes of the targets that reach these synapses within the span, in order: turn by turn the next one of every synapse.
    #[inline(always)]
    fn react(&mut self, here: Here, lanes: Range<usize>, span: Span, modulator: u32) {
        let histories = here.histories;
        let (first, modulated) = (self.kept_at(&self.post, here), Self::modulated(&mut self.post, here, modulator));
        if let Some(condition) = &mut self.condition {
            Self::modulated(condition, here, modulator);
        }
        self.reached.clear();
        for (lane, j) in lanes.clone().enumerate() {
            let (neuron, delay) = here.parts(self.synapses[j]);
            self.seen[lane] = 0;
            let Some(latest) = span.to.checked_sub(delay) else { continue };
            let [before, end] = histories.between(neuron, span.from.checked_sub(delay), latest);
            self.seen[lane] = end;
            if before < end {
                self.reached.push((j, before + 1));
            }
        }
        while !self.reached.is_empty() {
            if let Some(drift) = &mut self.drift {
                self.moves.clear();
                for (synapse, entry) in self.reached.iter().copied() {
                    let (neuron, delay) = here.parts(self.synapses[synapse]);
                    let to = histories.step(neuron, entry) + delay;
                    self.moves.push(Move { synapse, lane: synapse - lanes.start, neuron, delay, entry: entry - 1, to });
                }
                let modulator = here.modulator.map(|m| (m, modulator));
                drift.go(&self.moves, span.last, histories, modulator, &mut self.weights, &mut self.kept);
            }
            let spikes = self.sort_out(here);
            let place = Place { here, last: span.last, first, modulated };
            let (reached, synapses) = (&self.reached, &self.synapses);
            strike(&mut self.post, place, &reached[..spikes], synapses, &mut self.weights, &mut self.kept);
            if let Some(condition) = &mut self.condition {
                strike(condition, place, &reached[spikes..], synapses, &mut self.weights, &mut self.kept);
            }
            let synapses = &self.synapses;
            self.reached.retain_mut(|(j, entry)| {
                let (neuron, delay) = here.parts(synapses[*j]);
                *entry += 1;
                *entry < histories.count(neuron) && histories.step(neuron, *entry) + delay <= span.to
            });
        }
    }

    /// Puts those whose event is a spike before those whose event is a condition, and counts them.
    #[inline(always)]
    fn sort_out(&mut self, here: Here) -> usize {
        if self.condition.is_none() {
            return self.reached.len();
        }
        let mut spikes = 0;
        for k in 0..self.reached.len() {
            let (j, entry) = self.reached[k];
            if !here.histories.is_condition(here.parts(self.synapses[j]).0, entry) {
                self.reached.swap(spikes, k);
                spikes += 1;
            }
        }
        spikes
    }

    /// The spike of the source at step `now`, which sees the traces of a target from before `now - delay`.
    #[inline(always)]
    fn act(&mut self, here: Here, lanes: Range<usize>, now: u32, sources: usize, modulator: u32) {
        let (first, modulated) = (self.kept_at(&self.pre, here), Self::modulated(&mut self.pre, here, modulator));
        if let Some(last) = modulated {
            self.pre.steps(2).fill((now - last) as f32);
        }
        for (lane, j) in lanes.clone().enumerate() {
            let (neuron, delay) = here.parts(self.synapses[j]);
            let (known, mut entry) = (now.saturating_sub(delay), self.seen[lane]);
            let (mut step, mut values) = here.histories.entry(neuron, entry);
            while entry > 0 && step == known {
                entry -= 1;
                (step, values) = here.histories.entry(neuron, entry);
            }
            self.pre.put(sources + 1, lane, values);
            self.pre.steps(1)[lane] = known.saturating_sub(step) as f32;
            if let Some(watch) = &here.histories.watch {
                watch.at(neuron, known).enumerate().for_each(|(r, x)| self.pre.steps(READS + r)[lane] = x);
            }
        }
        let count = lanes.len();
        self.pre.weights()[..count].copy_from_slice(&self.weights[lanes.clone()]);
        for (v, values) in self.kept.iter().enumerate() {
            self.pre.state(first + v)[..count].copy_from_slice(&values[lanes.clone()]);
        }
        self.weights[lanes.clone()].copy_from_slice(&self.pre.run(count)[..count]);
        for (v, values) in self.kept.iter_mut().enumerate() {
            values[lanes.clone()].copy_from_slice(&self.pre.new_state(first + v)[..count]);
        }
    }

    /// The weights are on their way.
    #[inline(always)]
    fn send(&self, here: Here, lanes: Range<usize>, now: u32, plastic: &plan::Plastic, sums: &mut Sums) {
        let p = &here.plan.projections[self.projection];
        let target = &here.plan.populations[p.target];
        let receptor = (p.slots[usize::from(plastic.quanta < 0.0)] - target.slot) / (target.size as usize).max(1);
        let first = here.histories.share.local as usize;
        // Neighbours of one delay, as mostly all are, share a row of sums.
        let delay = |synapse: &u32| here.parts(*synapse).1;
        let mut weights = self.weights[lanes.clone()].iter();
        for alike in self.synapses[lanes].chunk_by(|a, b| delay(a) == delay(b)) {
            let row = &mut sums.from(u64::from(now) + u64::from(delay(&alike[0])), receptor)[first..];
            for (synapse, weight) in alike.iter().zip(&mut weights) {
                let sum = &mut row[here.parts(*synapse).0];
                *sum = sum.wrapping_add(plastic.sent(*weight));
            }
        }
    }
}

/// Where synapses stand that an event of their targets has reached.
#[derive(Clone, Copy)]
struct Place<'a> {
    here: Here<'a>,
    /// The last spikes of the source and of the modulator.
    last: u32,
    modulated: Option<u32>,
    /// The first state of what a synapse keeps.
    first: usize,
}

/// What the events of targets make of synapses that they have reached: each is the one of this entry.
#[inline(always)]
fn strike(change: &mut Change, place: Place, reached: &[(usize, u32)], synapses: &[u32], weights: &mut [f32], kept: &mut [Vec<f32>]) {
    let Place { here, last, modulated, first } = place;
    if reached.is_empty() {
        return;
    }
    let histories = here.histories;
    for (lane, (j, entry)) in reached.iter().enumerate() {
        let (neuron, delay) = here.parts(synapses[*j]);
        let step = histories.step(neuron, *entry);
        let (before, values) = histories.entry(neuron, entry - 1);
        change.put(0, lane, values);
        change.steps(0)[lane] = (step - before) as f32;
        change.steps(1)[lane] = (step + delay - last) as f32;
        change.weights()[lane] = weights[*j];
        if let Some(last) = modulated {
            change.steps(2)[lane] = (step + delay - last) as f32;
        }
        if histories.watch.is_some() {
            histories.read(neuron, *entry).iter().enumerate().for_each(|(r, x)| change.steps(READS + r)[lane] = *x);
        }
        for (v, values) in kept.iter().enumerate() {
            change.state(first + v)[lane] = values[*j];
        }
    }
    let new = change.run(reached.len());
    reached.iter().zip(new).for_each(|((j, _), w)| weights[*j] = *w);
    for (v, values) in kept.iter_mut().enumerate() {
        reached.iter().zip(change.new_state(first + v)).for_each(|((j, _), x)| values[*j] = *x);
    }
}
