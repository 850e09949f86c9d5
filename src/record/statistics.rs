//! Running sums of a run after its warm-up: what the metrics are computed from. Knows no metric.

use super::Layout;
use super::counts::{BIN, Counts};

#[derive(Clone, Copy, Debug, Default)]
pub struct Neuron {
    /// Step of the last spike; 0 before the first.
    pub last: u64,
    pub spikes: u32,
    /// Intervals between spikes, in ms: how many, their sum, their squares' sum.
    pub intervals: u32,
    pub sum: f64,
    pub squares: f64,
}

pub struct Statistics {
    pub dt: f64,
    pub warmup: u64,
    /// Steps counted, the warm-up left out.
    pub steps: u64,
    pub neurons: Vec<Neuron>,
    /// First neuron and size of each population.
    pub ranges: Vec<(u32, u32)>,
    /// Spikes of each population in bins of `BIN` ms.
    pub counts: Vec<Counts>,
    /// Step of the last spike of each population, warm-up included.
    pub last: Vec<u64>,
    population: Vec<u32>,
}

impl Statistics {
    pub fn new(layout: &Layout) -> Self {
        let population: Vec<u32> =
            layout.populations.iter().enumerate().flat_map(|(i, p)| std::iter::repeat_n(i as u32, p.2 as usize)).collect();
        Self {
            dt: layout.dt,
            warmup: layout.warmup,
            steps: 0,
            neurons: vec![Neuron::default(); population.len()],
            ranges: layout.populations.iter().map(|p| (p.1, p.2)).collect(),
            counts: layout.populations.iter().map(|_| Counts::new()).collect(),
            last: vec![0; layout.populations.len()],
            population,
        }
    }

    pub fn spike(&mut self, step: u64, neuron: u32) {
        let p = self.population[neuron as usize] as usize;
        self.last[p] = step;
        if step <= self.warmup {
            return;
        }
        self.counts[p].spike(((step - self.warmup - 1) as f64 * self.dt / BIN) as u64);
        let n = &mut self.neurons[neuron as usize];
        n.spikes += 1;
        if n.last > 0 {
            let interval = (step - n.last) as f64 * self.dt;
            n.intervals += 1;
            n.sum += interval;
            n.squares += interval * interval;
        }
        n.last = step;
    }

    /// The run has come to this step.
    pub fn reach(&mut self, step: u64) {
        self.steps = step.saturating_sub(self.warmup);
        let whole = (self.steps as f64 * self.dt / BIN) as u64;
        self.counts.iter_mut().for_each(|c| c.reach(whole));
    }

    pub fn of(&self, population: usize) -> &[Neuron] {
        let (first, size) = self.ranges[population];
        &self.neurons[first as usize..(first + size) as usize]
    }
}
