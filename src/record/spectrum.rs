//! The power spectrum of counts that are held in memory. Knows no population.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// Power spectrum of counts in equal bins (Welch: Hann windows of `window` bins, or of all if there are fewer, half
/// overlapping, the mean taken out): the length n of a window, and the power at k / n per bin for k below n / 2. No power
/// if there are fewer than 32 bins or no counts.
pub fn spectrum(counts: &[f64], window: usize) -> (usize, Vec<f64>) {
    let n = counts.len().min(window);
    if n < 32 || counts.iter().all(|c| *c == 0.0) {
        return (n, Vec::new());
    }
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    let fft = FftPlanner::new().plan_fft_forward(n);
    let mut power = vec![0.0; n / 2];
    for start in (0..=counts.len() - n).step_by(n / 2) {
        let window = |i: usize| 0.5 - 0.5 * libm::cos(std::f64::consts::TAU * i as f64 / n as f64);
        let mut buffer: Vec<_> = (0..n).map(|i| Complex::new((counts[start + i] - mean) * window(i), 0.0)).collect();
        fft.process(&mut buffer);
        power.iter_mut().zip(&buffer).for_each(|(p, c)| *p += c.norm_sqr());
    }
    (n, power)
}
