//! Weights that change, on a device: where the spikes of targets and the traces of sources stand, and the words that the kernels
//! find them by. Their layout is declared here alone. Knows no kernel and no buffer.
//!
//! *Histories* of targets stand behind the states of a shard: for each neuron the number of its entries so far, then a ring of
//! entries, each a step and the traces that its spike left; entry 0 is no spike but what was before. *Traces of sources* stand
//! behind the work lists, which all shards share: columns over a whole population, of the traces as the last spike left them and
//! its step, then of the same before the first spike of the present batch.
//!
//! The words of `wires` behind a projection's record: 0 rule, 1-3 numbers (of a spike of the source, of one of the target, of the
//! source's traces), 4 where the traces of its sources stand among the work items, 5 their neurons, 6-7 sources as neurons (mode;
//! first or table), 8 where the histories of its targets stand, 9 slot of their first neuron, 10 reciprocal of the largest weight in
//! quanta, 11 that weight, 12 numbers of what happens between events, 13 where the history of its modulator stands, 14 synapses of
//! the projection in the shard: what they keep beside the weight stands behind all weights, value by value. Header of `wires`: 1 rows of the ring, 2 slots of a row, 3 length of a history less one, 4 where the
//! records of these projections are listed, 5 their number, 6 capacity of a list of rows that change, 7 where those lists begin,
//! 8 number of the shard.

use std::ops::Range;

use super::modulators;
use super::rows::Rows;
use super::shards::Piece;
use super::tables::Sizes;
use super::traces::Place;
use super::wires::{record_of, slot_base};
use crate::plan::{History, Plan, Plastic, ProjectionPlan, TracePlan, Traced, after};

pub const LIST: usize = 4;
pub const COUNT: usize = 5;
/// Steps of a batch, at most: the spikes of one neuron in a batch are the bits of a word.
pub const LONGEST_BATCH: u32 = 32;
/// Words of an item of a list of rows that change.
pub const ITEM: u32 = 4;

/// Whether any weights change.
pub fn any(plan: &Plan) -> bool {
    plan.projections.iter().any(|p| p.plastic.is_some())
}

/// Whether traces are of sources of synapses whose weights change.
pub fn of_plastic(plan: &Plan, traces: usize) -> bool {
    plan.projections.iter().any(|p| p.plastic.is_some() && p.traces == Some(traces))
}

/// Where the records of all projections whose weights change are.
pub fn records(plan: &Plan) -> Vec<u32> {
    changing(plan).map(|(i, _)| record_of(i) as u32).collect()
}

fn changing(plan: &Plan) -> impl Iterator<Item = (usize, &ProjectionPlan)> {
    plan.projections.iter().enumerate().filter(|(_, p)| p.plastic.is_some())
}

/// The programs of a rule: of a spike of the source, of one of the target, of the source's traces.
fn alike(plan: &Plan, a: &ProjectionPlan, b: &ProjectionPlan) -> bool {
    let programs = |p: &ProjectionPlan| {
        let drift = |c: &Plastic| c.drift.as_ref().map(|d| d.program.clone());
        let modulated = |c: &Plastic| c.modulator.map(|m| plan.modulators[m].traces.states.len());
        let change = p.plastic.as_ref().map(|c| (c.pre.program.clone(), c.post.program.clone(), drift(c), c.kept.len(), modulated(c)));
        (change, p.traces.map(|n| plan.traces[n].program.clone()))
    };
    programs(a) == programs(b)
}

/// One projection for each rule.
pub fn rules(plan: &Plan) -> Vec<&ProjectionPlan> {
    let mut rules: Vec<&ProjectionPlan> = Vec::new();
    for (_, p) in changing(plan) {
        if !rules.iter().any(|known| alike(plan, known, p)) {
            rules.push(p);
        }
    }
    rules
}

/// Where the traces of sources stand among the work items, and where they end.
pub fn sources(plan: &Plan, sizes: Sizes) -> (Vec<Place>, u64) {
    let (mut places, mut first) = (Vec::new(), sizes.behind());
    for (traces, t) in plan.traces.iter().enumerate().filter(|(n, _)| of_plastic(plan, *n)) {
        let len = plan.populations[t.population].size;
        places.push(Place { traces, from: 0, len, first: first as u32 });
        first += u64::from(source_words(t)) * u64::from(len);
    }
    (places, first)
}

/// Words of all traces of sources.
pub fn source_total(plan: &Plan) -> u64 {
    let of = |t: &TracePlan| u64::from(source_words(t)) * u64::from(plan.populations[t.population].size);
    plan.traces.iter().enumerate().filter(|(n, _)| of_plastic(plan, *n)).map(|(_, t)| of(t)).sum()
}

fn source_words(t: &TracePlan) -> u32 {
    2 * super::traces::words(t)
}

/// The words behind a projection's record. `numbers` says where its numbers are, `sources` who its sources are.
pub fn words(plan: &Plan, p: &ProjectionPlan, change: &Plastic, pieces: &[Piece], numbers: [u32; 4], sources: [u32; 2]) -> Vec<u32> {
    let rule = rules(plan).iter().position(|known| alike(plan, known, p)).unwrap_or(0) as u32;
    let piece = pieces.iter().find(|piece| piece.population == p.target);
    let slot = piece.map_or(0, |piece| slot_base(plan, p, piece, 0).wrapping_add(piece.from));
    let mut words = vec![rule];
    words.extend(&numbers[..3]);
    words.extend([0, plan.populations[p.source].size]);
    words.extend(sources);
    words.extend([0, slot, change.unit().to_bits(), change.quanta.to_bits(), numbers[3], 0, 0]);
    words
}

/// Completes the tables of a shard with what is known when all rows have been counted.
pub fn enter(plan: &Plan, wires: &mut [u32], number: usize, pieces: &[Piece], sizes: Sizes, rows: &Rows) {
    let slots: u32 = pieces.iter().map(|p| p.len() * plan.populations[p.population].program.receptors).sum();
    wires[1..4].copy_from_slice(&[plan.ring as u32, slots, sizes.history - 1]);
    wires[6..9].copy_from_slice(&[sizes.changes, sizes.changes_at() as u32, number as u32]);
    let ((places, _), stands) = (sources(plan, sizes), Stand::all(plan, pieces, sizes.history));
    modulators::enter(plan, wires, sizes);
    for (i, p) in changing(plan) {
        let words = wires[record_of(i) + 32] as usize;
        let modulator = p.plastic.as_ref().and_then(|c| c.modulator);
        wires[words + 13] = modulator.map_or(0, |m| modulators::place(plan, sizes, m));
        wires[words + 14] = rows.count(i);
        wires[words + 4] = places.iter().find(|s| Some(s.traces) == p.traces).map_or(0, |s| s.first);
        wires[words + 8] = stands.iter().find(|s| p.plastic.as_ref().is_some_and(|c| c.targets == s.targets)).map_or(0, |s| s.first);
    }
}

/// Where the histories of a piece stand behind the states of its shard.
#[derive(Clone, Copy, Debug)]
pub struct Stand {
    /// Number among the plan's `targets`.
    pub targets: usize,
    /// Neurons of the population.
    pub from: u32,
    pub len: u32,
    pub first: u32,
    /// Words of a neuron.
    each: u32,
    depth: u32,
}

/// Words of an entry.
pub fn entry(t: &TracePlan) -> u32 {
    1 + t.states.len() as u32
}

/// Words of the history of a neuron.
pub fn history(t: &TracePlan, depth: u32) -> u32 {
    1 + depth * entry(t)
}

/// The traces of targets of a population, by number.
pub fn targets_of(plan: &Plan, population: usize) -> impl Iterator<Item = (usize, &TracePlan)> {
    plan.targets.iter().enumerate().filter(move |(_, t)| t.population == population)
}

impl Stand {
    /// All histories of a shard, piece by piece.
    pub fn all(plan: &Plan, pieces: &[Piece], depth: u32) -> Vec<Self> {
        let mut first = pieces.iter().map(|p| p.len() * plan.populations[p.population].program.states).sum();
        let mut out = Vec::new();
        for piece in pieces {
            for (targets, t) in targets_of(plan, piece.population) {
                let each = history(t, depth);
                out.push(Self { targets, from: piece.from, len: piece.len(), first, each, depth });
                first += each * piece.len();
            }
        }
        out
    }

    pub fn words(&self) -> u32 {
        self.each * self.len
    }

    /// The histories of a state of the network.
    pub fn of(&self, t: &TracePlan, history: &History) -> Vec<u32> {
        let mut words = vec![0; self.words() as usize];
        let mut each: Vec<Entries> =
            words.chunks_exact_mut(self.each as usize).map(|words| Entries { words, t, depth: self.depth }).collect();
        for (i, neuron) in each.iter_mut().enumerate() {
            let place = self.from as usize + i;
            let base: Vec<f32> = history.base.values.iter().map(|column| column[place]).collect();
            neuron.push(history.base.last[place], &base);
        }
        for [neuron, step] in history.spikes.iter().filter(|s| (self.from..self.from + self.len).contains(&s[0])) {
            each[(neuron - self.from) as usize].spike(*step);
        }
        words
    }

    /// Puts words that a device gave into a state of the network at step `now`: spikes of up to `longest` steps ago one by one.
    pub fn put(&self, t: &TracePlan, words: &mut [u32], now: u32, longest: u32, into: &mut History) {
        for (i, words) in words.chunks_exact_mut(self.each as usize).enumerate() {
            let place = self.from as usize + i;
            let entries = Entries { words, t, depth: self.depth };
            let (mut base, count) = (entries.count() - 1, entries.count());
            while base > 0 && entries.step(base) > now.saturating_sub(longest) {
                base -= 1;
            }
            into.base.last[place] = entries.step(base);
            into.base.values.iter_mut().zip(entries.values(base)).for_each(|(column, x)| column[place] = x);
            into.spikes.extend((base + 1..count).map(|n| [place as u32, entries.step(n)]));
        }
    }
}

/// The history of one neuron.
struct Entries<'a> {
    words: &'a mut [u32],
    t: &'a TracePlan,
    depth: u32,
}

impl Entries<'_> {
    fn count(&self) -> u32 {
        self.words[0]
    }

    fn at(&self, n: u32) -> usize {
        (1 + (n & (self.depth - 1)) * entry(self.t)) as usize
    }

    fn step(&self, n: u32) -> u32 {
        self.words[self.at(n)]
    }

    fn range(&self, n: u32) -> Range<usize> {
        let at = self.at(n);
        at + 1..at + entry(self.t) as usize
    }

    fn values(&self, n: u32) -> impl Iterator<Item = f32> + '_ {
        self.words[self.range(n)].iter().map(|w| f32::from_bits(*w))
    }

    fn push(&mut self, step: u32, values: &[f32]) {
        let n = self.count();
        let (at, range) = (self.at(n), self.range(n));
        self.words[at] = step;
        self.words[range].iter_mut().zip(values).for_each(|(w, x)| *w = x.to_bits());
        self.words[0] = n + 1;
    }

    fn spike(&mut self, step: u32) {
        let n = self.count() - 1;
        let mut states: Vec<f32> = self.values(n).chain([1.0]).collect();
        after(self.t, step - self.step(n), &[], &mut states, &mut Vec::new());
        self.push(step, &states[..self.t.states.len()]);
    }
}

/// Traces of targets as a run begins.
pub fn beginning(plan: &Plan) -> Vec<History> {
    let of = |t: &TracePlan| {
        let size = plan.populations[t.population].size as usize;
        let values = t.initial.iter().map(|x| vec![*x; size]).collect();
        History { base: Traced { values, last: vec![0; size] }, ..History::default() }
    };
    plan.targets.iter().map(of).collect()
}
