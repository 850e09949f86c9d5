//! The runaway guard: a population that fires above a limit for a while. Knows no engine.

use crate::plan::Spike;

/// How long a population must be above the limit, in ms.
const WHILE: f64 = 50.0;

#[derive(Debug)]
pub struct Guard {
    limit: Option<f64>,
    /// First neuron and size of each population.
    ranges: Vec<(u32, u32)>,
    counts: Vec<u64>,
    from: u64,
}

impl Guard {
    pub fn new(ranges: Vec<(u32, u32)>, limit: Option<f64>, step: u64) -> Self {
        Self { limit, counts: vec![0; ranges.len()], ranges, from: step }
    }

    /// Looks at the spikes up to `to`. Gives the population that runs away, its rate in Hz, and the step since when.
    pub fn look(&mut self, spikes: &[Spike], to: u64, dt: f64) -> Option<(usize, f64, u64)> {
        let limit = self.limit?;
        for spike in spikes {
            let p = self.ranges.partition_point(|r| r.0 <= spike.neuron).saturating_sub(1);
            self.counts[p] += 1;
        }
        let time = (to - self.from) as f64 * dt;
        if time < WHILE {
            return None;
        }
        let rate = |p: usize| self.counts[p] as f64 / (f64::from(self.ranges[p].1.max(1)) * time * 1e-3);
        // A handful of cells may be driven as hard as one likes: it costs nothing.
        let found = (0..self.counts.len()).find(|p| self.ranges[*p].1 >= 20 && rate(*p) > limit).map(|p| (p, rate(p), self.from));
        self.counts.fill(0);
        self.from = to;
        found
    }
}
