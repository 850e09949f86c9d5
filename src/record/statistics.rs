//! Running sums of a window of a run: what the metrics are computed from. Knows no metric.

use super::Layout;
use super::bursts::Bursts;
use super::counts::{BIN, Counts};

/// The steps that count, `start < step <= stop`, and how bursts are told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub start: u64,
    pub stop: u64,
    /// Steps of silence before a burst.
    pub gap: u64,
    /// Population whose bursts bound the cycles of phases.
    pub against: Option<usize>,
}

impl Window {
    /// Silence before a burst unless told, ms.
    pub const GAP: f64 = 20.0;

    /// All of a run after this step.
    pub fn after(start: u64, dt: f64) -> Self {
        Self { start, stop: u64::MAX, gap: libm::round(Self::GAP / dt) as u64, against: None }
    }
}

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

/// Over the spikes of one population: how many, the step of the first, and the sums of the steps since the start of the window and
/// of their squares.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    pub count: u64,
    pub first: u64,
    pub sum: u128,
    pub squares: u128,
}

pub struct Statistics {
    pub dt: f64,
    pub window: Window,
    /// Steps of the window that have passed.
    pub steps: u64,
    pub neurons: Vec<Neuron>,
    /// First neuron and size of each population.
    pub ranges: Vec<(u32, u32)>,
    /// Spikes of each population in bins of `BIN` ms.
    pub counts: Vec<Counts>,
    pub times: Vec<Times>,
    pub bursts: Bursts,
    /// Step of the last spike of each population up to the end of the window, those before its start included.
    pub last: Vec<u64>,
    population: Vec<u32>,
}

impl Statistics {
    pub fn new(layout: &Layout, window: Window) -> Self {
        let population: Vec<u32> =
            layout.populations.iter().enumerate().flat_map(|(i, p)| std::iter::repeat_n(i as u32, p.2 as usize)).collect();
        Self {
            dt: layout.dt,
            window,
            steps: 0,
            neurons: vec![Neuron::default(); population.len()],
            ranges: layout.populations.iter().map(|p| (p.1, p.2)).collect(),
            counts: layout.populations.iter().map(|_| Counts::new()).collect(),
            times: vec![Times::default(); layout.populations.len()],
            bursts: Bursts::new(window.gap, window.start, window.against, layout.populations.len()),
            last: vec![0; layout.populations.len()],
            population,
        }
    }

    pub fn spike(&mut self, step: u64, neuron: u32) {
        if step > self.window.stop {
            return;
        }
        let p = self.population[neuron as usize] as usize;
        self.last[p] = step;
        if step <= self.window.start {
            return;
        }
        let since = step - self.window.start;
        self.counts[p].spike(((since - 1) as f64 * self.dt / BIN) as u64);
        self.bursts.spike(step, p);
        let times = &mut self.times[p];
        times.first = if times.count == 0 { step } else { times.first };
        times.count += 1;
        times.sum += u128::from(since);
        times.squares += u128::from(since) * u128::from(since);
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
        self.steps = step.min(self.window.stop).saturating_sub(self.window.start);
        let whole = (self.steps as f64 * self.dt / BIN) as u64;
        self.counts.iter_mut().for_each(|c| c.reach(whole));
    }

    pub fn of(&self, population: usize) -> &[Neuron] {
        let (first, size) = self.ranges[population];
        &self.neurons[first as usize..(first + size) as usize]
    }
}
