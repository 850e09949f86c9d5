//! Synapses whose weights change, onto the neurons of one thread. A weight is brought up to date when its source spikes: first the
//! spikes of the target that have reached the synapse since, in order, then the spike itself; then the weight is on its way.
//! Knows no neuron model.
//!
//! The delay is that of the dendrite: a spike of the target at step s acts at s + delay, one of the source at its own step t, and
//! at t the spikes of targets up to t - delay are known, however long a batch is. Bringing all weights up to date in between
//! (`settle`) applies the same changes in the same order, and so changes no bit of what follows. Spikes of a modulator act at
//! their own step, after those of source and target: the span of an update is cut at each of them.

use std::ops::Range;

use super::change::Change;
use super::histories::Histories;
use super::learning::{End, Here, Rows, Span};
use super::partition::Share;
use super::sums::Sums;
use super::update::Columns;
use super::watch::Watch;
use crate::plan::{self, Plan, Spike, State, Traces};

pub struct Plastic {
    rows: Vec<Rows>,
    histories: Vec<Histories>,
    /// One neuron each, which stands for all.
    modulators: Vec<Histories>,
    /// Bits of a delay, and the longest delay.
    bits: u32,
    longest: u32,
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
            histories.extend(share.map(|s| Histories::new(t, number, *s, plan.history_of(t), Watch::new(plan, t, *s))));
        }
        let one = Share { population: 0, start: 0, end: 1, local: 0 };
        let modulator = |(i, m): (usize, &plan::ModulatorPlan)| Histories::new(&m.traces, i, one, Plan::MODULATOR_HISTORY, None);
        let modulators = plan.modulators.iter().enumerate().map(modulator).collect();
        let mut rows = Vec::new();
        for (i, p) in plan.projections.iter().enumerate() {
            let Some(plastic) = &p.plastic else { continue };
            let Some(place) = histories.iter().position(|h| h.targets == plastic.targets) else { continue };
            rows.push(Rows::new(plan, i, plastic, place, histories[place].share, bits));
        }
        Self { rows, histories, modulators, bits, longest }
    }

    /// The numbers of an edited plan.
    pub fn adopt(&mut self, plan: &Plan) {
        self.histories.iter_mut().for_each(|h| h.watch.iter_mut().for_each(|w| w.adopt(&plan.targets[h.targets])));
        for rows in &mut self.rows {
            if let Some(plastic) = &plan.projections[rows.projection].plastic {
                (rows.pre, rows.post) = (Change::new(&plastic.pre), Change::new(&plastic.post));
                rows.condition = plastic.condition.as_ref().map(Change::new);
                if let (Some(drift), Some(change)) = (&mut rows.drift, &plastic.drift) {
                    drift.adopt(change);
                }
            }
        }
    }

    /// What rules read of the neurons of a block at the end of a step.
    #[inline(always)]
    pub fn look(&mut self, population: usize, step: u32, block: &Range<usize>, columns: &Columns) {
        let watches = self.histories.iter_mut().filter(|h| h.share.population == population).filter_map(|h| h.watch.as_mut());
        watches.for_each(|w| w.look(step, block, columns));
    }

    /// Whether rules read the neurons of a population.
    pub fn watches(&self, population: usize) -> bool {
        self.histories.iter().any(|h| h.share.population == population && h.watch.is_some())
    }

    /// Records for neurons that are watched the events of a batch that began after step `now`: in every step spikes come first.
    pub fn record_watched(&mut self, plan: &Plan, now: u32, traces: &Traces, spikes: &[Spike]) {
        for h in 0..self.histories.len() {
            let (share, t) = (self.histories[h].share, &plan.targets[self.histories[h].targets]);
            let Some(watch) = &mut self.histories[h].watch else { continue };
            let first = plan.populations[t.population].first + share.start;
            let mut events: Vec<(u32, bool, u32)> = watch.held().map(|(step, neuron)| (step, true, neuron)).collect();
            events.extend(spikes.iter().map(|s| (s.step, false, s.neuron.wrapping_sub(first))).filter(|e| e.2 < share.len()));
            events.sort_unstable();
            for (step, condition, neuron) in events {
                self.make_room(plan, h, neuron as usize, now, traces);
                self.histories[h].enter(t, neuron as usize, step, condition);
            }
        }
    }

    /// Nothing is pushed out of a history that is still needed: before that, all its synapses are brought up to step `now`.
    fn make_room(&mut self, plan: &Plan, h: usize, neuron: usize, now: u32, traces: &Traces) {
        if self.histories[h].full(neuron, self.longest) {
            for rows in self.rows.iter_mut().filter(|r| r.histories == h) {
                let here = here(plan, &self.histories, &self.modulators, self.bits, rows);
                rows.settle(here, now, traces, End::Rest);
            }
            self.histories[h].done = now;
        }
    }

    /// Records spikes of a batch that began after step `now`, but for neurons that are watched.
    pub fn record(&mut self, plan: &Plan, now: u32, traces: &Traces, spikes: &[Spike]) {
        for h in 0..self.histories.len() {
            if self.histories[h].watch.is_some() {
                continue;
            }
            let (share, t) = (self.histories[h].share, &plan.targets[self.histories[h].targets]);
            let first = plan.populations[t.population].first;
            for spike in spikes {
                let index = spike.neuron.wrapping_sub(first);
                if !(share.start..share.end).contains(&index) {
                    continue;
                }
                let neuron = (index - share.start) as usize;
                self.make_room(plan, h, neuron, now, traces);
                self.histories[h].spike(t, neuron, spike.step);
            }
        }
    }

    /// Whether the spikes of anyone modulate what is here.
    pub fn modulated(&self) -> bool {
        !self.modulators.is_empty()
    }

    /// Records the spikes of modulators, all those of a batch that began after step `now`, in the order of their steps.
    pub fn modulate(&mut self, plan: &Plan, now: u32, traces: &Traces, spikes: &[Spike]) {
        for (m, modulator) in plan.modulators.iter().enumerate() {
            for spike in spikes.iter().filter(|s| modulator.has(&plan.populations, s.neuron)) {
                if self.modulators[m].full(0, 0) {
                    for rows in self.rows.iter_mut().filter(|r| r.modulator == Some(m)) {
                        let here = here(plan, &self.histories, &self.modulators, self.bits, rows);
                        rows.settle(here, now, traces, End::Rest);
                    }
                    self.modulators[m].done = now;
                }
                self.modulators[m].together(&modulator.traces, spike.step);
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
            let here = here(plan, &self.histories, &self.modulators, self.bits, rows);
            let (values, last) = traces.of(traced, index);
            let span = Span { from: here.done(last), to: spike.step, last, end: End::Spike };
            events += rows.update(here, source, span, values, Some(&mut *sums));
        }
        events
    }

    /// The weights of a projection at step `now`, all spikes taken into account, put into their canonical places. What is kept here
    /// stays as it is.
    pub fn weights(&self, plan: &Plan, projection: usize, now: u32, traces: &Traces, into: &mut [f32]) {
        for rows in self.rows.iter().filter(|r| r.projection == projection) {
            let here = here(plan, &self.histories, &self.modulators, self.bits, rows);
            let mut settled = rows.clone();
            settled.settle(here, now, traces, End::Look);
            rows.each(here, |at, k| into[at] = settled.weights[k]);
        }
    }

    /// Adds what is here to the state of the network at step `now`.
    pub fn save(&self, plan: &Plan, now: u32, traces: &Traces, state: &mut State) {
        self.histories.iter().for_each(|h| h.save(now, self.longest, &mut state.histories[h.targets]));
        self.modulators.iter().zip(&mut state.modulators).for_each(|(m, into)| m.save_one(into));
        for rows in &self.rows {
            let here = here(plan, &self.histories, &self.modulators, self.bits, rows);
            let (number, mut settled) = (number(plan, rows.projection), rows.clone());
            settled.settle(here, now, traces, End::Rest);
            let (weights, kept) = (&mut state.weights[number], &mut state.kept[number]);
            let synapses = weights.len();
            rows.each(here, |at, k| {
                weights[at] = settled.weights[k];
                settled.kept.iter().enumerate().for_each(|(v, values)| kept[v * synapses + at] = values[k]);
            });
        }
    }

    pub fn restore(&mut self, plan: &Plan, state: &State) {
        for h in &mut self.histories {
            h.restore(&plan.targets[h.targets], state.step as u32, &state.histories[h.targets]);
        }
        for ((m, modulator), base) in self.modulators.iter_mut().zip(&plan.modulators).zip(&state.modulators) {
            let history = plan::History { base: base.clone(), ..plan::History::default() };
            m.restore(&modulator.traces, state.step as u32, &history);
        }
        for rows in &mut self.rows {
            let here = here(plan, &self.histories, &self.modulators, self.bits, rows);
            let number = number(plan, rows.projection);
            let (mut weights, mut kept) = (std::mem::take(&mut rows.weights), std::mem::take(&mut rows.kept));
            let synapses = state.weights[number].len();
            rows.each(here, |at, k| {
                weights[k] = state.weights[number][at];
                kept.iter_mut().enumerate().for_each(|(v, values)| values[k] = state.kept[number][v * synapses + at]);
            });
            (rows.weights, rows.kept) = (weights, kept);
        }
    }

    pub fn bytes(&self) -> u64 {
        self.rows.iter().map(|r| (r.ends.len() + r.weights.len()) as u64 * 8 + (r.kept.len() * r.weights.len()) as u64 * 4).sum()
    }
}

fn here<'a>(plan: &'a Plan, histories: &'a [Histories], modulators: &'a [Histories], bits: u32, rows: &Rows) -> Here<'a> {
    Here { plan, histories: &histories[rows.histories], modulator: rows.modulator.map(|m| &modulators[m]), bits }
}

/// The number of a projection among those whose weights change.
fn number(plan: &Plan, projection: usize) -> usize {
    plan.projections[..projection].iter().filter(|p| p.plastic.is_some()).count()
}
