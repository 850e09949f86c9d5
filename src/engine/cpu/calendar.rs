//! What is under way: rows of past spikes, each waiting for its next run to be due, and inputs taken over from a state.
//! Knows no neuron model.

use std::collections::VecDeque;

use super::rows::{BLOCK, Block, Cursor, Kind, Run};
use super::sums::Sums;
use crate::plan::{Spike, UNCHANGED, scaled};

/// Rows that are asked for ahead of their delivery.
const AHEAD: usize = 4;

#[derive(Clone, Copy)]
struct Waiting {
    cursor: Cursor,
    run: Run,
    /// Of all weights, in units of 2^-31.
    factor: u32,
}

pub struct Calendar {
    /// Bucket k holds the rows whose next run is due at a step that is k modulo their number.
    buckets: Vec<Vec<Waiting>>,
    /// Inputs that belong to no row here: entry 0 is due at the next step; by receptor and neuron of the thread.
    taken_over: VecDeque<Vec<Vec<i32>>>,
    kinds: Vec<Kind>,
    spare: Vec<Waiting>,
}

impl Calendar {
    /// For delays of at most `longest` steps.
    pub fn new(longest: usize, kinds: Vec<Kind>) -> Self {
        Self { buckets: vec![Vec::new(); longest + 1], taken_over: VecDeque::new(), kinds, spare: Vec::new() }
    }

    /// The kinds of an edited plan.
    pub fn reweigh(&mut self, kinds: Vec<Kind>) {
        self.kinds = kinds;
    }

    /// Asks for what sending off later spikes of a list will read: first where their rows end, then their first runs.
    #[inline(always)]
    pub fn prefetch(&self, spikes: &[Spike], now: usize, blocks: &[Block]) {
        let block = |spike: &Spike| &blocks[(spike.neuron / BLOCK) as usize];
        if let Some(spike) = spikes.get(now + 2 * AHEAD) {
            block(spike).prefetch_ends(spike.neuron);
        }
        if let Some(spike) = spikes.get(now + AHEAD) {
            block(spike).prefetch_start(spike.neuron);
        }
    }

    /// A neuron has spiked at step `now`: its row is under way, every weight times a factor. Gives the number of its synapses.
    #[inline(always)]
    pub fn spike(&mut self, now: u64, neuron: u32, factor: u32, blocks: &[Block]) -> u32 {
        let block = &blocks[(neuron / BLOCK) as usize];
        let Some((cursor, count)) = block.start(neuron) else { return 0 };
        let run = block.runs[cursor.run as usize];
        let bucket = (now + u64::from(run.delay)) % self.buckets.len() as u64;
        self.buckets[bucket as usize].push(Waiting { cursor, run, factor });
        count
    }

    /// Adds what is due at step `now` to its sums.
    #[inline(always)]
    pub fn deliver(&mut self, now: u64, blocks: &[Block], sums: &mut Sums) {
        for (receptor, row) in self.taken_over.pop_front().iter().flatten().enumerate() {
            let lanes = sums.lanes(now, receptor, 0, row.len());
            lanes.iter_mut().zip(row).for_each(|(a, b)| *a = a.wrapping_add(*b));
        }
        let count = self.buckets.len() as u64;
        let mut bucket = std::mem::replace(&mut self.buckets[(now % count) as usize], std::mem::take(&mut self.spare));
        for (i, waiting) in bucket.iter().enumerate() {
            if let Some(ahead) = bucket.get(i + AHEAD) {
                blocks[(ahead.cursor.source / BLOCK) as usize].prefetch(ahead.cursor, ahead.run);
            }
            let block = &blocks[(waiting.cursor.source / BLOCK) as usize];
            let Waiting { mut cursor, mut run, factor } = *waiting;
            let delay = run.delay;
            loop {
                let kind = self.kinds[usize::from(run.kind)];
                if factor == UNCHANGED {
                    block.add(cursor, run, kind, sums, now);
                } else {
                    block.add_scaled(cursor, run, kind, factor, sums, now);
                }
                cursor = Cursor { run: cursor.run + 1, at: cursor.at + run.len, ..cursor };
                let Some(next) = block.run(cursor) else { break };
                run = next;
                if run.delay != delay {
                    let later = (now + u64::from(run.delay - delay)) % count;
                    self.buckets[later as usize].push(Waiting { cursor, run, factor });
                    break;
                }
            }
        }
        bucket.clear();
        self.spare = bucket;
    }

    /// Calls `each(d, receptor, neuron, weight)` for all that is under way after step `now`, due at now + 1 + d.
    pub fn due(&self, now: u64, blocks: &[Block], mut each: impl FnMut(usize, usize, u32, i32)) {
        for (d, rows) in self.taken_over.iter().enumerate() {
            for (receptor, row) in rows.iter().enumerate() {
                row.iter().enumerate().filter(|(_, w)| **w != 0).for_each(|(i, w)| each(d, receptor, i as u32, *w));
            }
        }
        let count = self.buckets.len();
        for d in 0..count - 1 {
            let bucket = ((now + 1 + d as u64) % count as u64) as usize;
            for Waiting { cursor, run, factor } in &self.buckets[bucket] {
                let block = &blocks[(cursor.source / BLOCK) as usize];
                let (mut cursor, mut next) = (*cursor, Some(*run));
                while let Some(r) = next {
                    let kind = self.kinds[usize::from(r.kind)];
                    let later = d + usize::from(r.delay - run.delay);
                    block.each(cursor, r, kind, |neuron, weight| {
                        each(later, usize::from(kind.receptor), neuron, scaled(weight, *factor));
                    });
                    cursor = Cursor { run: cursor.run + 1, at: cursor.at + r.len, ..cursor };
                    next = block.run(cursor);
                }
            }
        }
    }

    /// Forgets all rows and goes on from these inputs: by step, receptor and neuron of the thread.
    pub fn take_over(&mut self, due: VecDeque<Vec<Vec<i32>>>) {
        self.buckets.iter_mut().for_each(Vec::clear);
        self.taken_over = due;
    }
}
