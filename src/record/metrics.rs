//! Metrics: one number from the statistics of one population. Each states its formula, bins, minimum spikes and subset.

use super::Recording;
use super::formulas::*;
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

const ALL: &str = "all neurons of the population, after the warm-up; or from `start` to `stop` of the expectation";

const BURST: &str = "a burst starts with a spike after a silence of the population of at least `gap` (20 ms unless the expectation says otherwise), counted from the end of the warm-up";

pub const METRICS: [Metric; 16] = [
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
        subset: "the neurons with that many spikes, after the warm-up; or from `start` to `stop` of the expectation",
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
        subset: "all neurons of the population, warm-up included; up to `stop` of the expectation",
        shown: 1.0,
        measure: lifetime,
    },
    Metric {
        name: "latency",
        unit: "ms",
        formula: "time of the first spike, counted from the end of the warm-up or from `start`",
        bins: "none",
        minimum: "1",
        subset: ALL,
        shown: 1.0,
        measure: latency,
    },
    Metric {
        name: "spread",
        unit: "ms",
        formula: "standard deviation of the times of all spikes (divided by n)",
        bins: "none",
        minimum: "2",
        subset: ALL,
        shown: 1.0,
        measure: spread,
    },
    Metric {
        name: "active",
        unit: "1",
        formula: "number of neurons that spike",
        bins: "none",
        minimum: "none",
        subset: ALL,
        shown: 1.0,
        measure: active,
    },
    Metric {
        name: "centre",
        unit: "1",
        formula: "mean over spikes of the number of the neuron within its population, from 0",
        bins: "none",
        minimum: "1",
        subset: ALL,
        shown: 1.0,
        measure: centre,
    },
    Metric {
        name: "ring_centre",
        unit: "deg",
        formula: "direction, from 0 to 360, of the sum over spikes of unit vectors at 360 k / n degrees, k the number of the neuron among n",
        bins: "none",
        minimum: "1",
        subset: ALL,
        shown: 1.0,
        measure: ring_centre,
    },
    Metric {
        name: "ring_width",
        unit: "deg",
        formula: "circular standard deviation sqrt(-2 log R), R the length of the mean over spikes of the unit vectors of ring_centre",
        bins: "none",
        minimum: "1",
        subset: ALL,
        shown: 1.0,
        measure: ring_width,
    },
    Metric {
        name: "bursts",
        unit: "1",
        formula: "number of bursts",
        bins: BURST,
        minimum: "none",
        subset: ALL,
        shown: 1.0,
        measure: bursts,
    },
    Metric {
        name: "period",
        unit: "ms",
        formula: "mean time from the start of a burst to the start of the next",
        bins: BURST,
        minimum: "2 bursts",
        subset: ALL,
        shown: 1.0,
        measure: period,
    },
    Metric {
        name: "phase",
        unit: "1",
        formula: "circular mean, from 0 to 1, over the cycles of the population `against` of (a - r) / (s - r): r and s start the cycle and the next, a is the first start of a burst between them; cycles without one are left out",
        bins: BURST,
        minimum: "1 cycle",
        subset: ALL,
        shown: 1.0,
        measure: phase,
    },
    Metric {
        name: "locking",
        unit: "1",
        formula: "length of the mean over cycles of the unit vectors at the phases of `phase`; 1 for a constant phase",
        bins: BURST,
        minimum: "1 cycle",
        subset: ALL,
        shown: 1.0,
        measure: locking,
    },
];

impl Statistics {
    /// A metric of a population in internal units (rates and frequencies in 1/ms, times in ms).
    /// An error if there is no such metric, or too little data for it.
    pub fn measure(&self, metric: &str, population: usize, min_spikes: u32) -> Result<f64, String> {
        let found = METRICS
            .iter()
            .find(|m| m.name == metric)
            .ok_or_else(|| format!("no metric `{metric}`: there are {}", METRICS.iter().map(|m| m.name).collect::<Vec<_>>().join(", ")))?;
        if matches!(metric, "phase" | "locking") && self.bursts.against.is_none() {
            return Err(format!("{metric} needs against = \"POPULATION\", whose bursts bound the cycles"));
        }
        if self.window.stop < u64::MAX && self.window.start + self.steps < self.window.stop {
            return Err("the run ends before the window of the expectation".into());
        }
        let value = (found.measure)(self, population, min_spikes);
        if value.is_finite() { Ok(value) } else { Err(format!("too few spikes for {metric}")) }
    }
}

impl Recording {
    /// A metric of a population over the run after its warm-up.
    pub fn measure(&self, metric: &str, population: usize, min_spikes: u32) -> Result<f64, String> {
        self.statistics.measure(metric, population, min_spikes)
    }
}
