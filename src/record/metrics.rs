//! Metrics: one number from the statistics of one population. Each states its formula, bins, minimum spikes and subset.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use super::Recording;
use super::statistics::{BIN, Statistics};

pub struct Metric {
    pub name: &'static str,
    pub about: &'static str,
    /// Factor from internal units (1/ms for frequencies, ms for times) to the unit shown.
    pub shown: f64,
    measure: fn(&Statistics, usize, u32) -> f64,
}

pub const METRICS: [Metric; 6] = [
    Metric {
        name: "rate",
        about: "Mean rate in Hz: spikes / (neurons x time), all neurons, after the warm-up.",
        shown: 1e3,
        measure: rate,
    },
    Metric {
        name: "cv_isi",
        about: "Mean over neurons of sd / mean of their inter-spike intervals (population sd), over neurons with at least\n                 `min_spikes` spikes (2 unless told, at least 2 intervals), after the warm-up.",
        shown: 1.0,
        measure: cv_isi,
    },
    Metric {
        name: "synchrony",
        about: "Fano factor of the population count: variance / mean of the spikes of all neurons in bins of 1 ms; 1 for\n                 independent Poisson neurons.",
        shown: 1.0,
        measure: synchrony,
    },
    Metric {
        name: "peak_frequency",
        about: "Frequency in Hz of the largest value between 4 and 500 Hz of the power spectrum of the population count in\n                 bins of 0.5 ms (Welch: Hann windows of 512 ms, half overlapping; of the whole run if shorter).",
        shown: 1e3,
        measure: peak_frequency,
    },
    Metric { name: "spikes", about: "Number of spikes of all neurons after the warm-up.", shown: 1.0, measure: spikes },
    Metric {
        name: "lifetime",
        about: "Time of the last spike of the population in ms, from the start of the run.",
        shown: 1.0,
        measure: lifetime,
    },
];

impl Recording {
    /// A metric of a population in internal units (rates and frequencies in 1/ms, times in ms).
    /// An error if there is no such metric, or too little data for it.
    pub fn measure(&self, metric: &str, population: usize, min_spikes: u32) -> Result<f64, String> {
        let found = METRICS
            .iter()
            .find(|m| m.name == metric)
            .ok_or_else(|| format!("no metric `{metric}`: there are {}", METRICS.iter().map(|m| m.name).collect::<Vec<_>>().join(", ")))?;
        let value = (found.measure)(&self.statistics, population, min_spikes);
        if value.is_finite() { Ok(value) } else { Err(format!("too few spikes for {metric}")) }
    }
}

fn spikes(s: &Statistics, p: usize, _: u32) -> f64 {
    s.of(p).iter().map(|n| f64::from(n.spikes)).sum()
}

fn rate(s: &Statistics, p: usize, min: u32) -> f64 {
    spikes(s, p, min) / (s.of(p).len() as f64 * s.steps as f64 * s.dt)
}

fn cv_isi(s: &Statistics, p: usize, min: u32) -> f64 {
    let cv = |n: &super::statistics::Neuron| {
        let count = f64::from(n.intervals);
        let mean = n.sum / count;
        libm::sqrt((n.squares / count - mean * mean).max(0.0)) / mean
    };
    let enough = s.of(p).iter().filter(|n| n.spikes >= min && n.intervals >= 2);
    let (sum, count) = enough.fold((0.0, 0.0), |(sum, count), n| (sum + cv(n), count + 1.0));
    sum / count
}

fn synchrony(s: &Statistics, p: usize, _: u32) -> f64 {
    let counts: Vec<f64> = s.bins[p].chunks_exact(2).map(|c| f64::from(c[0] + c[1])).collect();
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / n / mean
}

fn lifetime(s: &Statistics, p: usize, _: u32) -> f64 {
    s.last[p] as f64 * s.dt
}

fn peak_frequency(s: &Statistics, p: usize, _: u32) -> f64 {
    let counts: Vec<f64> = s.bins[p].iter().map(|c| f64::from(*c)).collect();
    let n = counts.len().min((512.0 / BIN) as usize);
    if n < 32 || counts.iter().all(|c| *c == 0.0) {
        return f64::NAN;
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
    let frequency = |k: usize| k as f64 / (n as f64 * BIN);
    let peak = (1..n / 2).filter(|k| (0.004..=0.5).contains(&frequency(*k))).max_by(|a, b| power[*a].total_cmp(&power[*b]));
    peak.map_or(f64::NAN, |k| {
        // The vertex of a parabola through the peak and its neighbours.
        let (l, m, r) = (power[k - 1], power[k], power.get(k + 1).copied().unwrap_or(0.0));
        let shift = if l + r < 2.0 * m { 0.5 * (l - r) / (l - 2.0 * m + r) } else { 0.0 };
        (k as f64 + shift) / (n as f64 * BIN)
    })
}
