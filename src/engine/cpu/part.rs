//! What one thread owns: the neurons of its shares, all that arrives at them, and the synapses onto them. Knows no other
//! thread but by the spikes that it is given.

use std::ops::Range;

use super::calendar::Calendar;
use super::changing::Changing;
use super::currents::{self, Feed};
use super::drive::Draws;
use super::exchange::Exchange;
use super::gaps::Coupled;
use super::partition::{Share, numbers};
use super::phases::{Phases, Watch};
use super::plastic::{self, Plastic};
use super::procedural::{self, Procedural};
use super::rows::{Block, Kind};
use super::sums::Sums;
use super::update::Columns;
use crate::base::rng::Stream;
use crate::plan::{Plan, Sample, Spike, UNCHANGED, purpose};

pub struct Part {
    pub shares: Vec<Share>,
    pub columns: Vec<Columns>,
    /// The currents of each share, by input.
    feeds: Vec<Vec<Feed>>,
    coupled: Coupled,
    draws: Vec<Draws>,
    pub rows: Vec<Block>,
    pub calendar: Calendar,
    procedural: Procedural,
    pub changing: Changing,
    pub plastic: Plastic,
    sums: Sums,
    /// Rows of the sums.
    steps: usize,
    /// What happened in the present call: sorted by step, then neuron; and by step, then probe.
    pub spikes: Vec<Spike>,
    pub samples: Vec<Sample>,
    /// Neurons that spiked in the present batch, by step.
    spiked: Vec<Vec<u32>>,
    published: Vec<Spike>,
    pub phases: Phases,
    /// Population, state variable and neuron of a state that is no number, as the last call left it.
    pub broken: Option<(usize, usize, usize)>,
}

/// Receptors of the model that has most.
pub fn receptors(plan: &Plan) -> usize {
    plan.populations.iter().map(|p| p.scale.len()).max().unwrap_or(0)
}

impl Part {
    /// `batch` is the most steps that are taken at once.
    pub fn new(plan: &Plan, shares: Vec<Share>, layers: Vec<Vec<Block>>, kinds: Vec<Kind>, batch: usize) -> Self {
        let mut layers = layers.into_iter();
        let rows = layers.next().unwrap_or_default();
        let neurons = numbers(&shares);
        let steps = if procedural::any(plan) || plastic::any(plan) { batch.max(plan.ring - 1) } else { batch };
        let noise = Stream::new(plan.seed, [purpose::NOISE, 0]);
        let mut part = Self {
            columns: shares
                .iter()
                .map(|s| Columns::new(&plan.populations[s.population], *s, noise, &currents::fed(plan, s.population)))
                .collect(),
            feeds: Vec::new(),
            coupled: Coupled::new(plan),
            draws: Vec::new(),
            rows,
            changing: Changing::new(plan, layers, &kinds),
            plastic: Plastic::new(plan, &shares),
            calendar: Calendar::new(plan.ring - 1, kinds),
            procedural: Procedural::new(plan, &shares),
            sums: Sums::new(neurons, receptors(plan), steps),
            steps,
            spikes: Vec::new(),
            samples: Vec::new(),
            spiked: vec![Vec::new(); batch],
            published: Vec::new(),
            phases: Phases::default(),
            broken: None,
            shares,
        };
        part.drives(plan);
        part
    }

    /// The most steps that are taken at once.
    pub fn batch(&self) -> u64 {
        self.spiked.len() as u64
    }

    fn drives(&mut self, plan: &Plan) {
        self.feeds = self.shares.iter().map(|s| currents::feeds(plan, s)).collect();
        let draws = |(i, d)| self.shares.iter().filter_map(move |s| Draws::new(plan.seed, i, d, *s));
        self.draws = plan.drives.iter().enumerate().flat_map(draws).collect();
    }

    /// Other rows, by layer, against those that are here.
    pub fn swap(&mut self, layers: &mut [Vec<Block>]) {
        if let Some((rows, changing)) = layers.split_first_mut() {
            std::mem::swap(&mut self.rows, rows);
            self.changing.swap(changing);
        }
    }

    /// The kinds of an edited plan.
    pub fn reweigh(&mut self, kinds: &[Kind]) {
        self.calendar.reweigh(kinds.to_vec());
        self.changing.reweigh(kinds);
    }

    /// Takes over the numbers of an edited plan; states and inputs under way stay.
    pub fn adopt(&mut self, plan: &Plan) {
        for (columns, share) in self.columns.iter_mut().zip(&self.shares) {
            columns.adopt(&plan.populations[share.population], &currents::fed(plan, share.population));
        }
        self.drives(plan);
        self.plastic.adopt(plan);
    }

    /// Adds all that is under way after step `now` to `due`: entry d is due at now + 1 + d, one sum for each slot of the network.
    pub fn due(&self, plan: &Plan, now: u64, due: &mut [Vec<i32>]) {
        let slot = |receptor: usize, neuron: u32| {
            let share = &self.shares[self.shares.partition_point(|s| s.local + s.len() <= neuron)];
            let p = &plan.populations[share.population];
            p.slot + receptor * p.size as usize + (share.start + neuron - share.local) as usize
        };
        let mut add = |d: usize, receptor, neuron, weight| {
            let sum = &mut due[d][slot(receptor, neuron)];
            *sum = sum.wrapping_add(weight);
        };
        self.calendar.due(now, &self.rows, &mut add);
        self.changing.due(now, &mut add);
        for (d, row) in due.iter_mut().enumerate().take(self.steps) {
            self.each_share(plan, |slot, receptor, share| {
                let sums = self.sums.read(now + 1 + d as u64, receptor, share.local as usize, share.len() as usize);
                row[slot..slot + sums.len()].iter_mut().zip(sums).for_each(|(a, b)| *a = a.wrapping_add(*b));
            });
        }
    }

    /// Forgets what is under way, and goes on from these inputs, as `due` gives them.
    pub fn take_over(&mut self, plan: &Plan, due: &[Vec<i32>]) {
        let (receptors, neurons) = (receptors(plan), numbers(&self.shares));
        let local = due.iter().map(|row| {
            let mut rows = vec![vec![0; neurons]; receptors];
            self.each_share(plan, |slot, receptor, share| {
                let first = share.local as usize;
                rows[receptor][first..first + share.len() as usize].copy_from_slice(&row[slot..slot + share.len() as usize]);
            });
            rows
        });
        let local = local.collect();
        self.calendar.take_over(local);
        self.changing.forget();
        self.sums.clear();
    }

    /// Calls `each(slot of the first neuron, receptor, share)` for every receptor of every share.
    fn each_share(&self, plan: &Plan, mut each: impl FnMut(usize, usize, &Share)) {
        for share in &self.shares {
            let p = &plan.populations[share.population];
            (0..p.scale.len()).for_each(|r| each(p.slot + r * p.size as usize + share.start as usize, r, share));
        }
    }

    /// The steps from `from` on, `batch` at a time, in step with the other threads. False if one of them has failed.
    #[inline(always)]
    pub fn run(&mut self, plan: &Plan, thread: usize, exchange: &Exchange, from: u64, steps: u64, clock: Option<fn() -> f64>) -> bool {
        let mut watch = Watch::new(clock);
        let batch = self.batch();
        if self.coupled.any() {
            self.coupled.show(thread, 0, exchange, &self.shares, &self.columns);
            if !exchange.wait() {
                return false;
            }
        }
        for (number, first) in (from..from + steps).step_by(batch as usize).enumerate() {
            let count = batch.min(from + steps - first);
            for step in first..first + count {
                self.calendar.deliver(step + 1, &self.rows, &mut self.sums);
                self.changing.deliver(step + 1, &mut self.sums);
            }
            watch.lap(&mut self.phases.deliver);
            for step in first..first + count {
                for draws in &mut self.draws {
                    let drive = &plan.drives[draws.drive];
                    let population = &plan.populations[drive.population];
                    self.phases.draws += draws.apply(drive, population.size, population.slot, step, &mut self.sums);
                }
            }
            watch.lap(&mut self.phases.drive);
            if self.coupled.any() {
                self.coupled.couple(plan, number as u64, exchange, &self.shares, &mut self.feeds);
            }
            self.update(plan, first, count);
            if self.coupled.any() {
                self.coupled.show(thread, number as u64 + 1, exchange, &self.shares, &self.columns);
            }
            self.plastic.record_watched(plan, first as u32, &self.changing.traces, &self.published);
            watch.lap(&mut self.phases.update);
            exchange.publish(thread, number as u64, &mut self.published);
            let all_here = exchange.wait();
            watch.lap(&mut self.phases.wait);
            if !all_here {
                return false;
            }
            self.modulate(plan, first, number as u64, exchange);
            for spikes in exchange.each(number as u64) {
                self.spread(plan, first, &spikes);
            }
            watch.lap(&mut self.phases.spread);
        }
        true
    }

    /// Spikes of modulators act without a delay: all of a batch are known before any synapse is looked at.
    #[inline(always)]
    fn modulate(&mut self, plan: &Plan, first: u64, number: u64, exchange: &Exchange) {
        if !self.plastic.modulated() {
            return;
        }
        let mut all: Vec<Spike> = Vec::new();
        for spikes in exchange.each(number) {
            all.extend(spikes.iter().filter(|s| plan.modulators.iter().any(|m| m.has(&plan.populations, s.neuron))));
        }
        all.sort();
        self.plastic.modulate(plan, first as u32, &self.changing.traces, &all);
    }

    /// Sends off what the spikes of a batch bring to these neurons; `first` is the step before it.
    #[inline(always)]
    pub fn spread(&mut self, plan: &Plan, first: u64, spikes: &[Spike]) {
        self.plastic.record(plan, first as u32, &self.changing.traces, spikes);
        for (i, spike) in spikes.iter().enumerate() {
            self.calendar.prefetch(spikes, i, &self.rows);
            let step = u64::from(spike.step);
            self.phases.events += u64::from(self.calendar.spike(step, spike.neuron, UNCHANGED, &self.rows));
            self.phases.events += self.plastic.spike(plan, spike, &self.changing.traces, &mut self.sums);
            self.phases.events += self.changing.spike(spike, plan);
            self.phases.events += self.procedural.spike(step, spike.neuron, self.changing.factors(), plan, &mut self.sums);
        }
    }

    /// Every block goes through all steps of the batch before the next one, so that its states stay in the cache.
    #[inline(always)]
    fn update(&mut self, plan: &Plan, first: u64, count: u64) {
        let sampled = self.samples.len();
        self.expect_samples(plan, first, count);
        for ((share, columns), feeds) in self.shares.iter().zip(&mut self.columns).zip(&self.feeds) {
            let population = &plan.populations[share.population];
            let stale = std::mem::take(&mut columns.stale);
            let id = population.first + share.start;
            let watched = self.plastic.watches(share.population);
            let large = columns.large();
            for block in columns.blocks() {
                if large {
                    columns.prefetch(&block);
                    (0..population.scale.len())
                        .for_each(|r| self.sums.prefetch(first + 1, r, share.local as usize + block.end, block.len()));
                }
                // Samples are in the order of steps, so one pass over them goes along with the steps.
                let mut next = sampled;
                for step in first..first + count {
                    for (input, feed) in feeds.iter().enumerate() {
                        if (stale && step == first || feed.changes(plan, step))
                            && let Some(values) = columns.input(&block, input)
                        {
                            feed.set(plan, step, share.start + block.start as u32, values);
                        }
                    }
                    let spiked = &mut self.spiked[(step - first) as usize];
                    columns.step(population, &mut self.sums, step, &block, |i| spiked.push(id + i));
                    if watched {
                        self.plastic.look(share.population, step as u32 + 1, &block, columns);
                    }
                    while let Some(sample) = self.samples.get_mut(next).filter(|s| u64::from(s.step) == step + 1) {
                        take(plan, sample, share, columns, &block);
                        next += 1;
                    }
                }
            }
            self.phases.updates += u64::from(share.len()) * count;
        }
        self.published.clear();
        for (step, spiked) in (first + 1..).zip(&mut self.spiked) {
            self.published.extend(spiked.drain(..).map(|neuron| Spike { step: step as u32, neuron }));
        }
        self.phases.spikes += self.published.len() as u64;
        self.spikes.extend_from_slice(&self.published);
    }

    /// One empty sample for each probe and step of the batch.
    fn expect_samples(&mut self, plan: &Plan, first: u64, count: u64) {
        for step in first + 1..first + count + 1 {
            for (i, _) in plan.probes.iter().enumerate().filter(|(_, probe)| step.is_multiple_of(probe.every)) {
                self.samples.push(Sample { probe: i as u32, step: step as u32, values: Vec::new() });
            }
        }
    }

    /// The first state variable that is infinite or no number: population, variable, neuron.
    #[inline(always)]
    pub fn not_finite(&self) -> Option<(usize, usize, usize)> {
        let found =
            |(share, columns): (&Share, &Columns)| columns.not_finite().map(|(v, i)| (share.population, v, share.start as usize + i));
        self.shares.iter().zip(&self.columns).find_map(found)
    }
}

/// Takes what a sample wants of a block: members come in the order of their neurons.
#[inline(always)]
fn take(plan: &Plan, sample: &mut Sample, share: &Share, columns: &Columns, block: &Range<usize>) {
    let probe = &plan.probes[sample.probe as usize];
    if probe.population != share.population {
        return;
    }
    let first = share.start + block.start as u32;
    let values = columns.cell(block, probe.variable);
    let members = probe.of.position(first)..probe.of.position(first + block.len() as u32);
    sample.values.extend(members.map(|k| values[(probe.of.get(k) - first) as usize]));
}
