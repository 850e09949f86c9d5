//! Synapses whose weights change, onto the neurons of one thread. A weight is brought up to date when its source spikes: first the
//! spikes of the target that have reached the synapse since, in order, then the spike itself; then the weight is on its way.
//! Knows no neuron model.
//!
//! The delay is that of the dendrite: a spike of the target at step s acts at s + delay, one of the source at its own step t, and
//! at t the spikes of targets up to t - delay are known, however long a batch is. Bringing all weights up to date in between
//! (`settle`) applies the same changes in the same order, and so changes no bit of what follows.

use std::ops::Range;
use std::sync::Arc;

use super::change::{Change, LANES};
use super::histories::Histories;
use super::partition::Share;
use super::sums::Sums;
use crate::plan::{self, Plan, Spike, State, Synapses, Traces};

/// The rows of one projection onto the thread.
#[derive(Clone)]
struct Rows {
    projection: usize,
    /// Where the targets' recent spikes are.
    histories: usize,
    ends: Vec<u64>,
    /// Neuron within its share, and delay in the lower bits.
    synapses: Arc<[u32]>,
    weights: Vec<f32>,
    pre: Change,
    post: Change,
    /// Synapses that a spike of their target has reached, and its entry.
    reached: Vec<(usize, u32)>,
}

pub struct Plastic {
    rows: Vec<Rows>,
    histories: Vec<Histories>,
    /// Bits of a delay, and the longest delay.
    bits: u32,
    longest: u32,
}

/// What rows are updated with.
#[derive(Clone, Copy)]
struct Here<'a> {
    plan: &'a Plan,
    histories: &'a Histories,
    bits: u32,
}

impl Here<'_> {
    /// Neuron within its share, and delay.
    #[inline(always)]
    fn parts(&self, synapse: u32) -> (usize, u32) {
        ((synapse >> self.bits) as usize, synapse & ((1 << self.bits) - 1))
    }
}

/// What a row is brought up to: from one step (left out) to another (included); `spike` says that its source spikes then, and did
/// last at `last`.
#[derive(Clone, Copy)]
struct Span {
    from: u32,
    to: u32,
    last: u32,
    spike: bool,
}

/// Whether the weights of any projection change.
pub fn any(plan: &Plan) -> bool {
    plan.projections.iter().any(|p| p.plastic.is_some())
}

/// An error if neuron and delay do not fit a word.
pub fn check(plan: &Plan, shares: &[Share]) -> Result<(), String> {
    let longest = plan.ring - 1;
    let wide = |s: &&Share| plan.targets.iter().any(|t| t.population == s.population) && s.len() >= 1 << (32 - delay_bits(plan));
    match shares.iter().find(wide) {
        None => Ok(()),
        Some(s) => Err(format!(
            "{} neurons of {} on one thread, with delays of up to {longest} steps, are too many for weights that change: more threads, \
             a longer dt or shorter delays would do",
            s.len(),
            plan.populations[s.population].name
        )),
    }
}

fn delay_bits(plan: &Plan) -> u32 {
    usize::BITS - plan.ring.leading_zeros()
}

impl Plastic {
    pub fn new(plan: &Plan, shares: &[Share]) -> Self {
        let (bits, longest) = (delay_bits(plan), plan.ring as u32 - 1);
        let mut histories = Vec::new();
        for (number, t) in plan.targets.iter().enumerate() {
            let share = shares.iter().find(|s| s.population == t.population);
            histories.extend(share.map(|s| Histories::new(t, number, *s, plan.history())));
        }
        let mut rows = Vec::new();
        for (i, p) in plan.projections.iter().enumerate() {
            let Some(plastic) = &p.plastic else { continue };
            let Some(place) = histories.iter().position(|h| h.targets == plastic.targets) else { continue };
            rows.push(Rows::new(plan, i, plastic, place, histories[place].share, bits));
        }
        Self { rows, histories, bits, longest }
    }

    /// The numbers of an edited plan.
    pub fn adopt(&mut self, plan: &Plan) {
        for rows in &mut self.rows {
            if let Some(plastic) = &plan.projections[rows.projection].plastic {
                (rows.pre, rows.post) = (Change::new(&plastic.pre), Change::new(&plastic.post));
            }
        }
    }

    /// Records spikes of a batch that began after step `now`. Nothing is pushed out of a history that is still needed.
    pub fn record(&mut self, plan: &Plan, now: u32, traces: &Traces, spikes: &[Spike]) {
        for h in 0..self.histories.len() {
            let (share, t) = (self.histories[h].share, &plan.targets[self.histories[h].targets]);
            let first = plan.populations[t.population].first;
            for spike in spikes {
                let index = spike.neuron.wrapping_sub(first);
                if !(share.start..share.end).contains(&index) {
                    continue;
                }
                let neuron = (index - share.start) as usize;
                if self.histories[h].full(neuron, self.longest) {
                    let here = Here { plan, histories: &self.histories[h], bits: self.bits };
                    self.rows.iter_mut().filter(|r| r.histories == h).for_each(|r| r.settle(here, now, traces));
                    self.histories[h].done = now;
                }
                self.histories[h].spike(t, neuron, spike.step);
            }
        }
    }

    /// A neuron has spiked, and `traces` do not yet know: its weights change and are on their way. Gives the number of synapses.
    #[inline(always)]
    pub fn spike(&mut self, plan: &Plan, spike: &Spike, traces: &Traces, sums: &mut Sums) -> u64 {
        let mut events = 0;
        for rows in &mut self.rows {
            let p = &plan.projections[rows.projection];
            let population = &plan.populations[p.source];
            let index = spike.neuron.wrapping_sub(population.first);
            if index >= population.size {
                continue;
            }
            let (Some(source), Some(traced)) = (p.from.find(index), p.traces) else { continue };
            let here = Here { plan, histories: &self.histories[rows.histories], bits: self.bits };
            let (values, last) = traces.of(traced, index);
            let span = Span { from: last.max(here.histories.done), to: spike.step, last, spike: true };
            events += rows.update(here, source, span, values, Some(&mut *sums));
        }
        events
    }

    /// The weights of a projection at step `now`, all spikes taken into account, put into their canonical places. What is kept here
    /// stays as it is.
    pub fn weights(&self, plan: &Plan, projection: usize, now: u32, traces: &Traces, into: &mut [f32]) {
        for rows in self.rows.iter().filter(|r| r.projection == projection) {
            let here = Here { plan, histories: &self.histories[rows.histories], bits: self.bits };
            let mut settled = rows.clone();
            settled.settle(here, now, traces);
            rows.each(here, |at, k| into[at] = settled.weights[k]);
        }
    }

    /// Adds what is here to the state of the network at step `now`.
    pub fn save(&self, plan: &Plan, now: u32, traces: &Traces, state: &mut State) {
        self.histories.iter().for_each(|h| h.save(now, self.longest, &mut state.histories[h.targets]));
        let plastic = plan.projections.iter().enumerate().filter(|(_, p)| p.plastic.is_some());
        plastic.zip(&mut state.weights).for_each(|((i, _), into)| self.weights(plan, i, now, traces, into));
    }

    pub fn restore(&mut self, plan: &Plan, state: &State) {
        for h in &mut self.histories {
            h.restore(&plan.targets[h.targets], state.step as u32, &state.histories[h.targets]);
        }
        for rows in &mut self.rows {
            let here = Here { plan, histories: &self.histories[rows.histories], bits: self.bits };
            let (number, mut weights) = (number(plan, rows.projection), std::mem::take(&mut rows.weights));
            rows.each(here, |at, k| weights[k] = state.weights[number][at]);
            rows.weights = weights;
        }
    }

    pub fn bytes(&self) -> u64 {
        self.rows.iter().map(|r| (r.ends.len() + r.weights.len()) as u64 * 8).sum()
    }
}

/// The number of a projection among those whose weights change.
fn number(plan: &Plan, projection: usize) -> usize {
    plan.projections[..projection].iter().filter(|p| p.plastic.is_some()).count()
}

impl Rows {
    fn new(plan: &Plan, projection: usize, plastic: &plan::Plastic, histories: usize, share: Share, bits: u32) -> Self {
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
        Self { projection, histories, ends, synapses: synapses.into(), weights, pre, post, reached: Vec::new() }
    }

    fn range(&self, source: u32) -> Range<usize> {
        let s = source as usize;
        (if s == 0 { 0 } else { self.ends[s - 1] as usize })..self.ends[s] as usize
    }

    /// Calls `each(place in canonical order, place here)` for every synapse that is here.
    fn each(&self, here: Here, mut each: impl FnMut(usize, usize)) {
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
    fn settle(&mut self, here: Here, now: u32, traces: &Traces) {
        let p = &here.plan.projections[self.projection];
        let Some(traced) = p.traces else { return };
        for source in 0..p.from.len() {
            let (values, last) = traces.of(traced, p.from.get(source));
            let span = Span { from: last.max(here.histories.done), to: now, last, spike: false };
            if span.from < span.to {
                self.update(here, source, span, values, None);
            }
        }
    }

    /// Brings a row up to date; `values` are the traces of its source as its last spike left them.
    #[inline(always)]
    fn update(&mut self, here: Here, source: u32, span: Span, values: impl Iterator<Item = f32>, mut sums: Option<&mut Sums>) -> u64 {
        let Some(plastic) = &here.plan.projections[self.projection].plastic else { return 0 };
        let targets = here.plan.targets[plastic.targets].states.len();
        let mut sources = 0;
        for x in values {
            self.pre.state(sources).fill(x);
            self.post.state(targets + 1 + sources).fill(x);
            sources += 1;
        }
        self.pre.state(sources).fill(1.0);
        self.post.state(targets).fill(1.0);
        self.pre.steps(0).fill((span.to - span.last) as f32);
        let row = self.range(source);
        for start in row.clone().step_by(LANES) {
            let lanes = start..row.end.min(start + LANES);
            self.react(here, lanes.clone(), span);
            if span.spike {
                self.act(here, lanes.clone(), span.to, sources);
                if let Some(sums) = sums.as_deref_mut() {
                    self.send(here, lanes, span.to, plastic, sums);
                }
            }
        }
        if span.spike { row.len() as u64 } else { 0 }
    }

    /// The spikes of the targets that reach these synapses within the span, in order: turn by turn the next one of every synapse.
    #[inline(always)]
    fn react(&mut self, here: Here, lanes: Range<usize>, span: Span) {
        let histories = here.histories;
        self.reached.clear();
        for j in lanes {
            let (neuron, delay) = here.parts(self.synapses[j]);
            let Some(latest) = span.to.checked_sub(delay) else { continue };
            let end = histories.last(neuron, latest);
            let mut before = end;
            while before > 0 && histories.step(neuron, before) + delay > span.from {
                before -= 1;
            }
            if before < end {
                self.reached.push((j, before + 1));
            }
        }
        while !self.reached.is_empty() {
            for (lane, (j, entry)) in self.reached.iter().enumerate() {
                let (neuron, delay) = here.parts(self.synapses[*j]);
                let (step, before) = (histories.step(neuron, *entry), histories.step(neuron, entry - 1));
                for (s, x) in histories.values(neuron, entry - 1).iter().enumerate() {
                    self.post.state(s)[lane] = *x;
                }
                self.post.steps(0)[lane] = (step - before) as f32;
                self.post.steps(1)[lane] = (step + delay - span.last) as f32;
                self.post.weights()[lane] = self.weights[*j];
            }
            let new = self.post.run(self.reached.len());
            self.reached.iter().zip(new).for_each(|((j, _), w)| self.weights[*j] = *w);
            let synapses = &self.synapses;
            self.reached.retain_mut(|(j, entry)| {
                let (neuron, delay) = here.parts(synapses[*j]);
                *entry += 1;
                *entry < histories.count(neuron) && histories.step(neuron, *entry) + delay <= span.to
            });
        }
    }

    /// The spike of the source at step `now`, which sees the traces of a target from before `now - delay`.
    #[inline(always)]
    fn act(&mut self, here: Here, lanes: Range<usize>, now: u32, sources: usize) {
        for (lane, j) in lanes.clone().enumerate() {
            let (neuron, delay) = here.parts(self.synapses[j]);
            let known = now.saturating_sub(delay);
            let entry = here.histories.last(neuron, known.saturating_sub(1));
            for (s, x) in here.histories.values(neuron, entry).iter().enumerate() {
                self.pre.state(sources + 1 + s)[lane] = *x;
            }
            self.pre.steps(1)[lane] = known.saturating_sub(here.histories.step(neuron, entry)) as f32;
        }
        let count = lanes.len();
        self.pre.weights()[..count].copy_from_slice(&self.weights[lanes.clone()]);
        self.weights[lanes].copy_from_slice(&self.pre.run(count)[..count]);
    }

    /// The weights are on their way.
    #[inline(always)]
    fn send(&self, here: Here, lanes: Range<usize>, now: u32, plastic: &plan::Plastic, sums: &mut Sums) {
        let p = &here.plan.projections[self.projection];
        let target = &here.plan.populations[p.target];
        let receptor = (p.slots[usize::from(plastic.quanta < 0.0)] - target.slot) / (target.size as usize).max(1);
        let first = here.histories.share.local as usize;
        for j in lanes {
            let (neuron, delay) = here.parts(self.synapses[j]);
            let sum = &mut sums.from(u64::from(now) + u64::from(delay), receptor)[first + neuron];
            *sum = sum.wrapping_add(plastic.sent(self.weights[j]));
        }
    }
}
