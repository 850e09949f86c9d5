//! The count of a population's spikes, bin by bin, as running sums: moments and a power spectrum, in memory that does not
//! grow with the run. Knows no neuron and no metric.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Width of a bin, ms.
pub const BIN: f64 = 0.5;
/// Bins of a window of the spectrum.
pub const WINDOW: usize = 1024;

pub struct Counts {
    /// Spikes of the bin that is open, and its number.
    open: u32,
    at: u64,
    /// Closed bins of the window that is being filled; all of them while there are fewer than `WINDOW`.
    window: Vec<u32>,
    /// Over pairs of bins: how many, their spikes, their squares.
    pairs: (u64, u64, u128),
    half: Option<u32>,
    /// Sum over windows of |FFT|^2.
    power: Vec<f64>,
    fft: Arc<dyn Fft<f64>>,
}

impl Counts {
    pub fn new() -> Self {
        let fft = FftPlanner::new().plan_fft_forward(WINDOW);
        Self { open: 0, at: 0, window: Vec::new(), pairs: (0, 0, 0), half: None, power: Vec::new(), fft }
    }

    /// A spike in bin number `bin`; bins come in order.
    pub fn spike(&mut self, bin: u64) {
        self.reach(bin);
        self.open += 1;
    }

    /// Closes every bin before number `bin`.
    pub fn reach(&mut self, bin: u64) {
        while self.at < bin {
            let count = std::mem::take(&mut self.open);
            self.at += 1;
            match self.half.take() {
                None => self.half = Some(count),
                Some(first) => {
                    let both = u64::from(first) + u64::from(count);
                    self.pairs = (self.pairs.0 + 1, self.pairs.1 + both, self.pairs.2 + u128::from(both) * u128::from(both));
                }
            }
            self.window.push(count);
            if self.window.len() == WINDOW {
                let power = power(&self.window, 0.0, &*self.fft);
                self.power.resize(power.len(), 0.0);
                self.power.iter_mut().zip(power).for_each(|(sum, p)| *sum += p);
                self.window.drain(..WINDOW / 2);
            }
        }
    }

    /// Variance over mean of the spikes in two bins together.
    pub fn fano(&self) -> f64 {
        let (n, sum, squares) = (self.pairs.0 as f64, self.pairs.1 as f64, self.pairs.2 as f64);
        let mean = sum / n;
        (squares / n - mean * mean).max(0.0) / mean
    }

    /// Power by frequency, and the number of bins of a window; none with fewer than 32 bins or no spike.
    ///
    /// Welch (1967): Hann windows, half overlapping. A run shorter than one window is one window, of which the mean is taken
    /// off; in longer ones the mean is left, since under a Hann window it reaches the two lowest frequencies alone.
    pub fn spectrum(&self) -> Option<(Vec<f64>, usize)> {
        if !self.power.is_empty() {
            return self.power.iter().any(|p| *p > 0.0).then(|| (self.power.clone(), WINDOW));
        }
        let n = self.window.len();
        if n < 32 || self.window.iter().all(|c| *c == 0) {
            return None;
        }
        let mean = self.window.iter().map(|c| f64::from(*c)).sum::<f64>() / n as f64;
        Some((power(&self.window, mean, &*FftPlanner::new().plan_fft_forward(n)), n))
    }
}

fn power(counts: &[u32], mean: f64, fft: &dyn Fft<f64>) -> Vec<f64> {
    let n = counts.len();
    let window = |i: usize| 0.5 - 0.5 * libm::cos(std::f64::consts::TAU * i as f64 / n as f64);
    let mut buffer: Vec<_> = counts.iter().enumerate().map(|(i, c)| Complex::new((f64::from(*c) - mean) * window(i), 0.0)).collect();
    fft.process(&mut buffer);
    buffer[..n / 2].iter().map(|c| c.norm_sqr()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bins 0, 1, 2 ... hold the numbers of `counts`.
    fn filled(counts: &[u32]) -> Counts {
        let mut all = Counts::new();
        for (bin, n) in counts.iter().enumerate() {
            (0..*n).for_each(|_| all.spike(bin as u64));
        }
        all.reach(counts.len() as u64);
        all
    }

    #[test]
    fn moments_are_those_of_pairs_of_bins() {
        let all = filled(&[1, 2, 0, 0, 3, 4]);
        // 3, 0, 7: mean 10/3, mean square 58/3.
        assert!((all.fano() - (58.0 / 3.0 - 100.0 / 9.0) / (10.0 / 3.0)).abs() < 1e-12);
    }

    #[test]
    fn the_running_spectrum_is_that_of_overlapping_windows() {
        let counts: Vec<u32> = (0..5000u32).map(|i| 3 + (i * i + i / 7) % 11 + 4 * u32::from(i % 20 < 7)).collect();
        let (found, n) = filled(&counts).spectrum().unwrap();
        let fft = FftPlanner::new().plan_fft_forward(WINDOW);
        let mean = counts.iter().map(|c| f64::from(*c)).sum::<f64>() / counts.len() as f64;
        let mut expected = vec![0.0; WINDOW / 2];
        for start in (0..=counts.len() - WINDOW).step_by(WINDOW / 2) {
            power(&counts[start..start + WINDOW], mean, &*fft).iter().zip(&mut expected).for_each(|(p, sum)| *sum += p);
        }
        assert_eq!(n, WINDOW);
        (2..WINDOW / 2).for_each(|k| assert!((found[k] - expected[k]).abs() < 1e-9 * expected[k].max(1.0), "{k}"));
    }

    #[test]
    fn memory_does_not_grow_with_the_run() {
        let mut all = Counts::new();
        (0..1_000_000).for_each(|bin| all.spike(bin));
        assert!(all.window.capacity() <= 2 * WINDOW && all.power.len() == WINDOW / 2);
    }
}
