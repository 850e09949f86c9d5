//! What is under way: rows of past spikes, each waiting for its next run to be due, and inputs taken over from a state.
//! Knows no neuron model.

use std::collections::VecDeque;

use super::rows::{BLOCK, Block, Cursor, Run};

pub struct Calendar {
    /// Bucket k holds the rows whose next run is due at a step that is k modulo their number.
    buckets: Vec<Vec<(Cursor, Run)>>,
    /// Inputs that belong to no row here: entry 0 is due at the next step.
    taken_over: VecDeque<Vec<i32>>,
    constants: Vec<i32>,
    spare: Vec<(Cursor, Run)>,
}

impl Calendar {
    /// For delays of at most `longest` steps.
    pub fn new(longest: usize, constants: Vec<i32>) -> Self {
        Self { buckets: vec![Vec::new(); longest + 1], taken_over: VecDeque::new(), constants, spare: Vec::new() }
    }

    /// The constant weights of an edited plan.
    pub fn reweigh(&mut self, constants: Vec<i32>) {
        self.constants = constants;
    }

    /// A neuron has spiked at step `now`: its row is under way. Gives the number of its synapses.
    #[inline(always)]
    pub fn spike(&mut self, now: u64, neuron: u32, blocks: &[Block]) -> u32 {
        let block = &blocks[(neuron / BLOCK) as usize];
        let Some((cursor, count)) = block.start(neuron) else { return 0 };
        let run = block.runs[cursor.run as usize];
        let bucket = (now + u64::from(run.delay)) % self.buckets.len() as u64;
        self.buckets[bucket as usize].push((cursor, run));
        count
    }

    /// Adds what is due at step `now` to the accumulators.
    #[inline(always)]
    pub fn deliver(&mut self, now: u64, blocks: &[Block], due: &mut [i32]) {
        if let Some(row) = self.taken_over.pop_front() {
            due.iter_mut().zip(row).for_each(|(a, b)| *a = a.wrapping_add(b));
        }
        let count = self.buckets.len() as u64;
        let mut bucket = std::mem::replace(&mut self.buckets[(now % count) as usize], std::mem::take(&mut self.spare));
        for (cursor, run) in bucket.drain(..) {
            let block = &blocks[(cursor.neuron / BLOCK) as usize];
            let (mut cursor, mut run) = (cursor, run);
            let delay = run.delay;
            loop {
                block.add(cursor, run, &self.constants, due);
                cursor = Cursor { run: cursor.run + 1, at: cursor.at + run.len, ..cursor };
                let Some(next) = block.run(cursor) else { break };
                run = next;
                if run.delay != delay {
                    let later = (now + u64::from(run.delay - delay)) % count;
                    self.buckets[later as usize].push((cursor, run));
                    break;
                }
            }
        }
        self.spare = bucket;
    }

    /// All inputs that are under way after step `now`: entry d is due at now + 1 + d.
    pub fn due(&self, now: u64, slots: usize, blocks: &[Block]) -> Vec<Vec<i32>> {
        let count = self.buckets.len();
        let mut due: Vec<Vec<i32>> = self.taken_over.iter().cloned().collect();
        due.resize(count - 1, vec![0; slots]);
        for d in 0..count - 1 {
            let bucket = ((now + 1 + d as u64) % count as u64) as usize;
            for (cursor, run) in &self.buckets[bucket] {
                let block = &blocks[(cursor.neuron / BLOCK) as usize];
                let (mut cursor, mut next) = (*cursor, Some(*run));
                while let Some(r) = next {
                    block.add(cursor, r, &self.constants, &mut due[d + usize::from(r.delay - run.delay)]);
                    cursor = Cursor { run: cursor.run + 1, at: cursor.at + r.len, ..cursor };
                    next = block.run(cursor);
                }
            }
        }
        due
    }

    /// Forgets all rows and goes on from these inputs.
    pub fn take_over(&mut self, due: Vec<Vec<i32>>) {
        self.buckets.iter_mut().for_each(Vec::clear);
        self.taken_over = due.into();
    }
}
