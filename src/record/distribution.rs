//! Metrics of the weights of many synapses: one number from how they are distributed. Knows no projection.

pub struct WeightMetric {
    pub name: &'static str,
    pub formula: &'static str,
    pub bins: &'static str,
    /// Synapses below which it is not told.
    pub minimum: &'static str,
    /// Of one weight at least, and the bin.
    measure: fn(&[f64], [f64; 2]) -> f64,
}

/// Synapses and time that count.
pub const WEIGHTS_SUBSET: &str =
    "the synapses of `metric.FROM->TO` (either side may be a part) when the run ends, in units of w_max; static weights in their own unit";

/// All weights, and those of a metric without a bin.
const ALL: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

pub const WEIGHT_METRICS: [WeightMetric; 4] = [
    WeightMetric { name: "weight_mean", formula: "mean of the weights", bins: "none", minimum: "1 synapse", measure: |w, _| mean(w) },
    WeightMetric {
        name: "weight_sd",
        formula: "standard deviation of the weights (divided by n)",
        bins: "none",
        minimum: "1 synapse",
        measure: |w, _| libm::sqrt(moment(w, 2)),
    },
    WeightMetric {
        name: "weight_share",
        formula: "part of the synapses whose weight lies in the bin; several of them make a histogram",
        bins: "`bin = [low, high]` of the expectation: low included, high left out unless it is 1",
        minimum: "1 synapse",
        measure: share,
    },
    WeightMetric {
        name: "weight_bimodality",
        formula: "(skewness^2 + 1) / kurtosis (Sarle's coefficient): 1 for two values, 5/9 for a uniform law, 1/3 for a normal one",
        bins: "none",
        minimum: "2 different weights",
        measure: |w, _| {
            let (two, three) = (moment(w, 2), moment(w, 3));
            (three * three / (two * two * two) + 1.0) / (moment(w, 4) / (two * two))
        },
    },
];

fn mean(w: &[f64]) -> f64 {
    w.iter().sum::<f64>() / w.len() as f64
}

/// The k-th moment about the mean.
fn moment(w: &[f64], k: i32) -> f64 {
    let mean = mean(w);
    w.iter().map(|x| (x - mean).powi(k)).sum::<f64>() / w.len() as f64
}

fn share(w: &[f64], [low, high]: [f64; 2]) -> f64 {
    let inside = |x: &&f64| **x >= low && (**x < high || **x == high && high == 1.0);
    w.iter().filter(inside).count() as f64 / w.len() as f64
}

/// A metric of weights. An error if there is no such metric, or nothing to measure.
pub fn measure_weights(metric: &str, weights: &[f64], bin: Option<[f64; 2]>) -> Result<f64, String> {
    let known = || WEIGHT_METRICS.iter().map(|m| m.name).collect::<Vec<_>>().join(", ");
    let found = WEIGHT_METRICS
        .iter()
        .find(|m| m.name == metric)
        .ok_or_else(|| format!("no metric of a projection is named `{metric}`: there are {}", known()))?;
    if (metric == "weight_share") != bin.is_some() {
        return Err("weight_share needs bin = [low, high], and no other metric takes it".into());
    }
    let value = if weights.is_empty() { f64::NAN } else { (found.measure)(weights, bin.unwrap_or(ALL)) };
    if value.is_finite() { Ok(value) } else { Err(format!("too few different weights for {metric}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_the_mean_the_shares_and_the_bimodality_of_their_law() {
        let of = |metric: &str, w: &[f64], bin| measure_weights(metric, w, bin);
        let near = |a: Result<f64, String>, b: f64| assert!((a.clone().unwrap() - b).abs() < 2e-3, "{a:?} {b}");
        let uniform: Vec<f64> = (0..=1000).map(|i| f64::from(i) / 1000.0).collect();
        near(of("weight_mean", &uniform, None), 0.5);
        near(of("weight_sd", &uniform, None), (1.0f64 / 12.0).sqrt());
        near(of("weight_bimodality", &uniform, None), 5.0 / 9.0);
        near(of("weight_share", &uniform, Some([0.2, 0.5])), 0.3);
        near(of("weight_bimodality", &[0.0, 0.0, 0.0, 1.0], None), 1.0);
        assert_eq!(of("weight_share", &[0.0, 0.2, 0.8, 1.0], Some([0.8, 1.0])), Ok(0.5));
        assert_eq!(of("weight_share", &[0.0, 0.2, 0.8, 1.0], Some([0.0, 0.2])), Ok(0.25));
        assert!(of("weight_share", &uniform, None).unwrap_err().contains("needs bin"));
        assert!(of("weight_mean", &[], None).unwrap_err().contains("too few"));
        assert!(of("weight_bimodality", &[0.5, 0.5], None).unwrap_err().contains("too few"));
        assert!(of("rate", &uniform, None).unwrap_err().contains("weight_mean, weight_sd"));
    }
}
