//! Histories of targets on a device, and the rings of what rules read of them: words behind the states of the shard that holds the
//! neurons. Their layout is declared here alone. Knows no kernel and no buffer.
//!
//! Of the targets in a piece there is first for each neuron the number of its entries so far and a ring of entries. An entry is a
//! step and the traces that it left; of neurons that rules read also what was read of them then; and where steps are events at which
//! a condition holds, last a word that is 1 of such a step and 0 of a spike. Entry 0 is no event but what was before. In a step the
//! spike comes before the condition.
//!
//! Behind all histories of the piece stand the *rings* of what is read, one by one: a row for each of the last steps, step s in row
//! s % rows, with one f32 for each neuron. As on the CPU a ring holds as many steps as a spike of a source may ask for after the
//! longest delay and a batch.

use std::ops::Range;

use super::shards::Piece;
use crate::plan::{History, Number, Plan, Reading, TracePlan, Traced, after, after_condition};

/// Where the histories of a piece stand behind the states of its shard.
#[derive(Clone, Copy, Debug)]
pub struct Stand {
    /// Number among the plan's `targets`.
    pub targets: usize,
    /// Neurons of the population.
    pub from: u32,
    pub len: u32,
    pub first: u32,
    /// Words of a neuron in its history, and in all rings.
    each: u32,
    read: u32,
    depth: u32,
}

/// What is read of the neurons of targets.
pub fn reads(t: &TracePlan) -> &[Reading] {
    t.watch.as_ref().map_or(&[], |w| &w.reads)
}

/// Whether steps at which a condition holds are entries too.
pub fn conditional(t: &TracePlan) -> bool {
    t.watch.as_ref().is_some_and(|w| w.condition.is_some())
}

/// Words of an entry.
pub fn entry(t: &TracePlan) -> u32 {
    (1 + t.states.len() + reads(t).len()) as u32 + u32::from(conditional(t))
}

/// How many times as long as others the histories of these targets are.
pub fn deeper(plan: &Plan, t: &TracePlan) -> u32 {
    (plan.history_of(t) / plan.history()).max(1) as u32
}

/// Rows of a ring.
pub fn rows(plan: &Plan, reading: &Reading) -> u32 {
    (plan.recalled(reading) + plan.ring) as u32
}

/// Words of a neuron: in its history, when others have so many entries, and in all rings.
pub fn words(plan: &Plan, t: &TracePlan, history: u32) -> [u32; 2] {
    [1 + history * deeper(plan, t) * entry(t), reads(t).iter().map(|r| rows(plan, r)).sum()]
}

/// The traces of targets of a population, by number.
pub fn targets_of(plan: &Plan, population: usize) -> impl Iterator<Item = (usize, &TracePlan)> {
    plan.targets.iter().enumerate().filter(move |(_, t)| t.population == population)
}

impl Stand {
    /// All histories of a shard, piece by piece; those that are not deeper have so many entries.
    pub fn all(plan: &Plan, pieces: &[Piece], history: u32) -> Vec<Self> {
        let mut first = pieces.iter().map(|p| p.len() * plan.populations[p.population].program.states).sum();
        let mut out = Vec::new();
        for piece in pieces {
            for (targets, t) in targets_of(plan, piece.population) {
                let ([each, read], depth) = (words(plan, t, history), history * deeper(plan, t));
                out.push(Self { targets, from: piece.from, len: piece.len(), first, each, read, depth });
                first += (each + read) * piece.len();
            }
        }
        out
    }

    /// Words of histories and rings.
    pub fn words(&self) -> u32 {
        (self.each + self.read) * self.len
    }

    /// Where the rings stand.
    pub fn rings(&self) -> u32 {
        self.first + self.each * self.len
    }

    /// The histories of a state of the network at step `now`.
    pub fn of(&self, plan: &Plan, history: &History, now: u32) -> Vec<u32> {
        let t = &plan.targets[self.targets];
        let mut words = vec![0; self.words() as usize];
        let (entries, rings) = words.split_at_mut((self.each * self.len) as usize);
        let mut each: Vec<Entries> =
            entries.chunks_exact_mut(self.each as usize).map(|words| Entries { words, t, depth: self.depth }).collect();
        for (i, neuron) in each.iter_mut().enumerate() {
            let place = self.from as usize + i;
            let base: Vec<f32> = history.base.values.iter().map(|column| column[place]).collect();
            neuron.push(history.base.last[place], &base, &vec![0.0; reads(t).len()], false);
        }
        let all = history.spikes.iter().map(|s| (*s, false)).chain(history.conditions.iter().map(|s| (*s, true)));
        let mut events: Vec<_> = all.filter(|([neuron, _], _)| (self.from..self.from + self.len).contains(neuron)).collect();
        events.sort_unstable();
        let size = history.base.last.len();
        for ([neuron, step], condition) in events {
            let recalled = |(r, values): (&Reading, &Vec<f32>)| {
                let at = (now.saturating_sub(step) + r.age) as usize * size + neuron as usize;
                // A state tells of no event that is older than what it recalls, unless a file is damaged.
                values.get(at).copied().unwrap_or(0.0)
            };
            let read: Vec<f32> = reads(t).iter().zip(&history.reads).map(recalled).collect();
            each[(neuron - self.from) as usize].enter(step, &read, condition);
        }
        self.each_row(plan, now, |at, reading, age| {
            let from = &history.reads[reading][age * size + self.from as usize..][..self.len as usize];
            rings[at..at + from.len()].iter_mut().zip(from).for_each(|(w, x)| *w = x.to_bits());
        });
        words
    }

    /// Puts words that a device gave into a state of the network at step `now`: events of up to `longest` steps ago one by one.
    pub fn put(&self, plan: &Plan, words: &mut [u32], now: u32, longest: u32, into: &mut History) {
        let t = &plan.targets[self.targets];
        let (entries, rings) = words.split_at_mut((self.each * self.len) as usize);
        for (i, words) in entries.chunks_exact_mut(self.each as usize).enumerate() {
            let place = self.from as usize + i;
            let entries = Entries { words, t, depth: self.depth };
            let (mut base, count) = (entries.count() - 1, entries.count());
            while base > 0 && entries.step(base) > now.saturating_sub(longest) {
                base -= 1;
            }
            into.base.last[place] = entries.step(base);
            into.base.values.iter_mut().zip(entries.values(base)).for_each(|(column, x)| column[place] = x);
            for n in base + 1..count {
                let events = if entries.is_condition(n) { &mut into.conditions } else { &mut into.spikes };
                events.push([place as u32, entries.step(n)]);
            }
        }
        let size = into.base.last.len();
        self.each_row(plan, now, |at, reading, age| {
            let to = &mut into.reads[reading][age * size + self.from as usize..][..self.len as usize];
            to.iter_mut().zip(&rings[at..]).for_each(|(x, w)| *x = f32::from_bits(*w));
        });
    }

    /// Calls `each(first word among the rings, number of the reading, steps before now)` for all rows that a state recalls.
    fn each_row(&self, plan: &Plan, now: u32, mut each: impl FnMut(usize, usize, usize)) {
        let mut first = 0;
        for (number, reading) in reads(&plan.targets[self.targets]).iter().enumerate() {
            let rows = u64::from(rows(plan, reading));
            for age in 0..plan.recalled(reading) {
                let row = (u64::from(now) + rows - age as u64) % rows;
                each((first + row as usize) * self.len as usize, number, age);
            }
            first += rows as usize;
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
        self.words[self.range(n)].iter().take(self.t.states.len()).map(|w| f32::from_bits(*w))
    }

    fn is_condition(&self, n: u32) -> bool {
        conditional(self.t) && self.words[self.range(n).end - 1] == 1
    }

    fn push(&mut self, step: u32, values: &[f32], read: &[f32], condition: bool) {
        let n = self.count();
        let (at, range) = (self.at(n), self.range(n));
        self.words[at] = step;
        let numbers = values.iter().chain(read).map(|x| x.to_bits());
        let kind = conditional(self.t).then_some(u32::from(condition));
        self.words[range].iter_mut().zip(numbers.chain(kind)).for_each(|(w, x)| *w = x);
        self.words[0] = n + 1;
    }

    fn enter(&mut self, step: u32, read: &[f32], condition: bool) {
        let n = self.count() - 1;
        let mut states: Vec<f32> = self.values(n).chain([1.0]).collect();
        let steps = step - self.step(n);
        if condition {
            after_condition(self.t, steps, read, &mut states, &mut Vec::new());
        } else {
            after(self.t, steps, read, &mut states, &mut Vec::new());
        }
        self.push(step, &states[..self.t.states.len()], read, condition);
    }
}

/// Traces of targets, and what is read of them, as a run begins.
pub fn beginning(plan: &Plan) -> Vec<History> {
    let of = |t: &TracePlan| {
        let population = &plan.populations[t.population];
        let size = population.size as usize;
        let values = t.initial.iter().map(|x| vec![*x; size]).collect();
        let initial = |r: &Reading| match &population.initial[r.variable] {
            Number::Uniform(x) => vec![*x; size * plan.recalled(r)],
            Number::Column(column) => column.repeat(plan.recalled(r)),
        };
        let reads = reads(t).iter().map(initial).collect();
        History { base: Traced { values, last: vec![0; size] }, reads, ..History::default() }
    };
    plan.targets.iter().map(of).collect()
}
