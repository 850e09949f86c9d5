//! A second implementation of every deterministic model, in f64 and written by hand from the papers' equations, integrated by
//! Runge-Kutta in steps of a few microseconds. The engine must agree over several drives, step sizes and parameters.

mod cells;
mod compare;
mod random;

use std::collections::BTreeMap;

/// Parameters by name, in ms, mV, pA, pF, nS.
pub type Parameters = BTreeMap<String, f64>;

type Rates = Box<dyn Fn(&[f64], f64, &mut [f64])>;

/// A test of the state before and after.
pub type Test = Box<dyn Fn(&[f64], &[f64]) -> bool>;
/// What happens to the state at a spike.
pub type Reset = Box<dyn Fn(&mut [f64])>;

/// A cell in f64. Knows nothing of the program but the order of its state variables.
pub struct Cell {
    pub state: Vec<f64>,
    /// Derivatives from the state and the input current.
    pub rates: Rates,
    /// Whether the state before and after is a spike.
    pub spikes: Test,
    pub reset: Reset,
    /// The first variable after a spike from its value at the start of the step, where the model wants that one.
    pub from_before: Option<Box<dyn Fn(f64) -> f64>>,
    /// Tested within the step, as soon as it happens; else at its end.
    pub at_once: bool,
    pub clamped: Vec<usize>,
    pub period: f64,
    /// For each receptor the state that it adds to, and how much for a weight of 1.
    pub receptors: Vec<(usize, f64)>,
    refractory: u64,
}

impl Cell {
    pub fn new(state: Vec<f64>, rates: Rates) -> Self {
        let n = state.len();
        Self {
            state,
            rates,
            spikes: Box::new(|_, _| false),
            reset: Box::new(|_| {}),
            from_before: None,
            at_once: false,
            clamped: Vec::new(),
            period: 0.0,
            receptors: vec![(0, 1.0); n.min(1)],
            refractory: 0,
        }
    }

    fn integrate(&mut self, h: f64, current: f64) {
        let n = self.state.len();
        let mut slopes = vec![vec![0.0; n]; 4];
        for stage in 0..4 {
            let reach = [0.0, h / 2.0, h / 2.0, h][stage];
            let at: Vec<f64> = (0..n).map(|i| self.state[i] + if stage > 0 { reach * slopes[stage - 1][i] } else { 0.0 }).collect();
            (self.rates)(&at, current, &mut slopes[stage]);
            if self.refractory > 0 {
                self.clamped.iter().for_each(|i| slopes[stage][*i] = 0.0);
            }
        }
        for (i, x) in self.state.iter_mut().enumerate() {
            *x += h / 6.0 * (slopes[0][i] + 2.0 * slopes[1][i] + 2.0 * slopes[2][i] + slopes[3][i]);
        }
    }

    /// One step of `dt` with so many inner ones; `arriving` holds (receptor, weight).
    pub fn step(&mut self, dt: f64, inner: usize, current: f64, arriving: &[(usize, f64)]) -> bool {
        let steps = (self.period / dt + 0.5).floor() as u64;
        let before = self.state.clone();
        let (mut spiked, held) = (false, self.refractory > 0);
        for _ in 0..inner {
            let start = self.state.clone();
            self.integrate(dt / inner as f64, current);
            if self.at_once && self.refractory == 0 && (self.spikes)(&start, &self.state) {
                spiked = true;
                (self.reset)(&mut self.state);
                self.refractory = if steps > 0 { steps + 1 } else { 0 };
            }
        }
        let holds = if self.at_once { self.refractory > 0 } else { held };
        for (receptor, weight) in arriving {
            let (i, factor) = self.receptors[*receptor];
            if !(holds && self.clamped.contains(&i)) {
                self.state[i] += weight * factor;
            }
        }
        if !self.at_once && !held && (self.spikes)(&before, &self.state) {
            spiked = true;
            (self.reset)(&mut self.state);
            if let Some(reset) = &self.from_before {
                self.state[0] = reset(before[0]);
            }
            self.refractory = steps;
        } else {
            self.refractory = self.refractory.saturating_sub(1);
        }
        spiked
    }
}
