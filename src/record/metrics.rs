//! Metrics: one number from the statistics of one population. Each states its formula, bins, minimum spikes and subset.

use super::Recording;
use super::counts::BIN;
use super::statistics::Statistics;

pub struct Metric {
    pub name: &'static str,
    /// Unit in which it is shown.
    pub unit: &'static str,
    pub formula: &'static str,
    pub bins: &'static str,
    /// Spikes below which it is not told.
    pub minimum: &'static str,
    /// Neurons and time that count.
    pub subset: &'static str,
    /// Factor from internal units (1/ms for frequencies, ms for times) to the unit shown.
    pub shown: f64,
    measure: fn(&Statistics, usize, u32) -> f64,
}

const ALL: &str = "all neurons of the population, after the warm-up";

pub const METRICS: [Metric; 6] = [
    Metric {
        name: "rate",
        unit: "Hz",
        formula: "spikes / (neurons x time)",
        bins: "none",
        minimum: "none; a silent population has 0 Hz",
        subset: ALL,
        shown: 1e3,
        measure: rate,
    },
    Metric {
        name: "cv_isi",
        unit: "1",
        formula: "mean over neurons of sd / mean of the inter-spike intervals of each (population sd, divided by n)",
        bins: "none",
        minimum: "per neuron `min_spikes` (2 unless the expectation says otherwise) and 2 intervals",
        subset: "the neurons with that many spikes, after the warm-up",
        shown: 1.0,
        measure: cv_isi,
    },
    Metric {
        name: "synchrony",
        unit: "1",
        formula: "Fano factor of the population count: variance / mean of the spikes of all neurons in a bin; 1 for independent Poisson neurons",
        bins: "1 ms, from the end of the warm-up; a last incomplete bin is left out",
        minimum: "1",
        subset: ALL,
        shown: 1.0,
        measure: synchrony,
    },
    Metric {
        name: "peak_frequency",
        unit: "Hz",
        formula: "frequency between 4 and 500 Hz of the largest power of the population count (Welch: Hann windows, half overlapping; the vertex of a parabola through the peak and its neighbours)",
        bins: "0.5 ms, windows of 512 ms; a run shorter than that is one window",
        minimum: "1, and 16 ms",
        subset: ALL,
        shown: 1e3,
        measure: peak_frequency,
    },
    Metric {
        name: "spikes",
        unit: "1",
        formula: "number of spikes",
        bins: "none",
        minimum: "none",
        subset: ALL,
        shown: 1.0,
        measure: spikes,
    },
    Metric {
        name: "lifetime",
        unit: "ms",
        formula: "time of the last spike, counted from the start of the run",
        bins: "none",
        minimum: "none; a silent population has 0 ms",
        subset: "all neurons of the population, warm-up included",
        shown: 1.0,
        measure: lifetime,
    },
];

impl Recording {
    /// A metric of a population, as `Statistics::measure` gives it.
    pub fn measure(&self, metric: &str, population: usize, min_spikes: u32) -> Result<f64, String> {
        self.statistics.measure(metric, population, min_spikes)
    }
}

impl Statistics {
    /// A metric of a population in internal units (rates and frequencies in 1/ms, times in ms).
    /// An error if there is no such metric, or too little data for it.
    pub fn measure(&self, metric: &str, population: usize, min_spikes: u32) -> Result<f64, String> {
        let found = METRICS
            .iter()
            .find(|m| m.name == metric)
            .ok_or_else(|| format!("no metric `{metric}`: there are {}", METRICS.iter().map(|m| m.name).collect::<Vec<_>>().join(", ")))?;
        let value = (found.measure)(self, population, min_spikes);
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
    s.counts[p].fano()
}

fn lifetime(s: &Statistics, p: usize, _: u32) -> f64 {
    s.last[p] as f64 * s.dt
}

fn peak_frequency(s: &Statistics, p: usize, _: u32) -> f64 {
    let Some((power, n)) = s.counts[p].spectrum() else { return f64::NAN };
    let frequency = |k: usize| k as f64 / (n as f64 * BIN);
    let peak = (1..n / 2).filter(|k| (0.004..=0.5).contains(&frequency(*k))).max_by(|a, b| power[*a].total_cmp(&power[*b]));
    peak.map_or(f64::NAN, |k| {
        // The vertex of a parabola through the peak and its neighbours.
        let (l, m, r) = (power[k - 1], power[k], power.get(k + 1).copied().unwrap_or(0.0));
        let shift = if l + r < 2.0 * m { 0.5 * (l - r) / (l - 2.0 * m + r) } else { 0.0 };
        (k as f64 + shift) / (n as f64 * BIN)
    })
}
