//! What happened lately: spikes and samples in chunks that are shared with readers and never changed. Bounded: the oldest
//! chunks go first, and what has gone is counted.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use super::Watched;
use crate::plan::{Harvest, Spike};

/// Chunks below this many spikes and samples grow with the next batch.
const SMALL: usize = 8192;
/// Chunks of a history, at most.
const MOST: usize = 8192;

/// Spikes and samples of the steps (from, to].
#[derive(Debug, Default)]
pub struct Chunk {
    pub from: u64,
    pub to: u64,
    /// Sorted by step, then neuron.
    pub spikes: Vec<Spike>,
    /// Whose membrane was recorded; `traces` has one row for each.
    pub watched: Arc<[Watched]>,
    /// The values at from + 1, from + 2, ... to.
    pub traces: Vec<Vec<f32>>,
    counts: OnceLock<Vec<Vec<u32>>>,
}

impl Chunk {
    fn bytes(&self) -> usize {
        self.spikes.len() * size_of::<Spike>() + self.traces.iter().map(|t| t.len() * 4).sum::<usize>() + 200
    }

    /// Spikes of the steps (from, to].
    pub fn within(&self, from: u64, to: u64) -> &[Spike] {
        let at = |step: u64| self.spikes.partition_point(|s| u64::from(s.step) <= step);
        let (low, high) = (at(from), at(to));
        &self.spikes[low..high.max(low)]
    }

    /// Spikes of each population in each millisecond-like bin of `bin` steps; bin k of the run holds the steps
    /// (k bin, (k + 1) bin]. Gives the first bin and the counts by population. Made once, when it is first looked at.
    pub fn counts(&self, ranges: &[(u32, u32)], bin: u64) -> (u64, &[Vec<u32>]) {
        let first = self.from / bin;
        let counts = self.counts.get_or_init(|| {
            let bins = (self.to.max(self.from + 1) - 1) / bin - first + 1;
            let mut counts = vec![vec![0; bins as usize]; ranges.len()];
            for spike in &self.spikes {
                let p = ranges.partition_point(|r| r.0 <= spike.neuron).saturating_sub(1);
                if let Some(count) = counts.get_mut(p).and_then(|c| c.get_mut(((u64::from(spike.step) - 1) / bin - first) as usize)) {
                    *count += 1;
                }
            }
            counts
        });
        (first, counts)
    }
}

/// The chunks of a run, oldest first, without gaps.
#[derive(Debug, Default)]
pub struct History {
    chunks: VecDeque<Arc<Chunk>>,
    bytes: usize,
    /// Spikes that are no longer held.
    pub forgotten: u64,
}

impl History {
    /// Takes a harvest in; at most `limit` bytes are kept. What came last is kept even if it is larger.
    pub fn take(&mut self, harvest: Harvest, watched: &Arc<[Watched]>, limit: usize) {
        let mut traces = vec![Vec::with_capacity((harvest.to - harvest.from) as usize); watched.len()];
        for sample in harvest.samples {
            if let (Some(trace), Some(value)) = (traces.get_mut(sample.probe as usize), sample.values.first()) {
                trace.push(*value);
            }
        }
        // A copy of just its size: what it was gathered in may be twice as large, and made smaller it would leave a hole that is
        // held as long as the chunk.
        let spikes = harvest.spikes.as_slice().to_vec();
        let mut next = Chunk { from: harvest.from, to: harvest.to, spikes, watched: watched.clone(), traces, ..Chunk::default() };
        let small = |c: &Chunk| c.spikes.len() < SMALL && c.traces.iter().map(Vec::len).sum::<usize>() < SMALL;
        if let Some(last) = self.chunks.back().filter(|c| small(c) && Arc::ptr_eq(&c.watched, watched) && c.to == next.from).cloned() {
            next = joined(&last, &next);
            self.bytes -= last.bytes();
            self.chunks.pop_back();
        }
        self.bytes += next.bytes();
        self.chunks.push_back(Arc::new(next));
        while self.chunks.len() > 1 && (self.bytes > limit || self.chunks.len() > MOST) {
            if let Some(old) = self.chunks.pop_front() {
                self.bytes -= old.bytes();
                self.forgotten += old.spikes.len() as u64;
            }
        }
    }

    pub fn chunks(&self) -> Arc<[Arc<Chunk>]> {
        self.chunks.iter().cloned().collect()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

fn joined(a: &Chunk, b: &Chunk) -> Chunk {
    Chunk {
        from: a.from,
        to: b.to,
        spikes: [&a.spikes[..], &b.spikes[..]].concat(),
        watched: a.watched.clone(),
        traces: a.traces.iter().zip(&b.traces).map(|(a, b)| [&a[..], &b[..]].concat()).collect(),
        counts: OnceLock::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn harvest(from: u64, to: u64, spikes: &[(u32, u32)]) -> Harvest {
        let spikes = spikes.iter().map(|(step, neuron)| Spike { step: *step, neuron: *neuron }).collect();
        Harvest { from, to, spikes, ..Harvest::default() }
    }

    #[test]
    fn a_history_keeps_to_its_bytes_and_counts_what_it_forgot() {
        let (mut history, nobody) = (History::default(), Arc::from([]));
        let many: Vec<(u32, u32)> = (0..10_000).map(|n| (1, n)).collect();
        for k in 0..50 {
            let spikes: Vec<_> = many.iter().map(|(_, n)| (k * 10 + 1, *n)).collect();
            history.take(harvest(u64::from(k) * 10, u64::from(k) * 10 + 10, &spikes), &nobody, 1_000_000);
        }
        let chunks = history.chunks();
        let held: usize = chunks.iter().map(|c| c.spikes.len()).sum();
        assert!(history.bytes() <= 1_000_000 && held > 90_000, "{} bytes, {held} spikes", history.bytes());
        assert_eq!(history.forgotten + held as u64, 500_000);
        assert!(chunks.windows(2).all(|w| w[0].to == w[1].from));
    }

    #[test]
    fn counts_of_chunks_add_up_to_those_of_the_run() {
        let (mut history, nobody) = (History::default(), Arc::from([]));
        history.take(harvest(0, 7, &[(1, 0), (5, 3), (6, 0)]), &nobody, 1 << 20);
        history.take(harvest(7, 20, &[(8, 4), (10, 0), (11, 1), (20, 4)]), &nobody, 1 << 20);
        let chunks = history.chunks();
        assert_eq!(chunks.len(), 1);
        let (first, counts) = chunks[0].counts(&[(0, 3), (3, 2)], 5);
        assert_eq!((first, counts), (0, &[vec![1, 2, 1, 0], vec![1, 1, 0, 1]][..]));
    }
}
