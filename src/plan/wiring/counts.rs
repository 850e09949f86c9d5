//! How many synapses each row has: the same for all, or a multinomial draw. Knows no target.

use crate::base::rng::Stream;

/// Where the rows end when all synapses of a projection are counted in order of their sources.
pub enum Ends {
    /// Every row has that many.
    Even(u32, u32),
    Short(Vec<u32>),
    Long(Vec<u64>),
}

impl Ends {
    /// `n` synapses that choose one of `sources` independently.
    pub fn multinomial(n: u64, sources: u32, stream: &Stream) -> Self {
        let mut counts = vec![0u64; sources as usize];
        split(&mut counts, 0, n, stream);
        let mut sum = 0;
        counts.iter_mut().for_each(|c| {
            sum += *c;
            *c = sum;
        });
        if n <= u64::from(u32::MAX) { Ends::Short(counts.into_iter().map(|c| c as u32).collect()) } else { Ends::Long(counts) }
    }

    /// The numbers of the synapses of a row.
    #[inline(always)]
    pub fn row(&self, source: u32) -> std::ops::Range<u64> {
        let s = source as usize;
        match self {
            Ends::Even(each, _) => u64::from(source) * u64::from(*each)..(u64::from(source) + 1) * u64::from(*each),
            Ends::Short(ends) => (if s == 0 { 0 } else { u64::from(ends[s - 1]) })..u64::from(ends[s]),
            Ends::Long(ends) => (if s == 0 { 0 } else { ends[s - 1] })..ends[s],
        }
    }

    /// Whose row synapse number `j` is in, where fewer than 2^32 are drawn.
    pub fn owner(&self, j: u32) -> u32 {
        match self {
            Ends::Even(each, _) => j / (*each).max(1),
            Ends::Short(ends) => ends.partition_point(|e| *e <= j) as u32,
            Ends::Long(ends) => ends.partition_point(|e| *e <= u64::from(j)) as u32,
        }
    }

    pub fn length(&self, source: u32) -> usize {
        let row = self.row(source);
        (row.end - row.start) as usize
    }

    /// Synapses in all.
    pub fn total(&self) -> u64 {
        match self {
            Ends::Even(each, sources) => u64::from(*each) * u64::from(*sources),
            Ends::Short(ends) => ends.last().map_or(0, |e| u64::from(*e)),
            Ends::Long(ends) => ends.last().copied().unwrap_or(0),
        }
    }

    pub fn bytes(&self) -> u64 {
        match self {
            Ends::Even(..) => 0,
            Ends::Short(ends) => ends.len() as u64 * 4,
            Ends::Long(ends) => ends.len() as u64 * 8,
        }
    }
}

/// Deals `n` synapses to the sources from `first` on: so many to the first half, the rest to the second.
fn split(counts: &mut [u64], first: u32, n: u64, stream: &Stream) {
    match counts {
        [] => {}
        [one] => *one = n,
        many => {
            let (left, right) = many.split_at_mut(many.len() / 2);
            let p = left.len() as f64 / (left.len() + right.len()) as f64;
            let dealt = binomial(n, p, stream, [first, (left.len() + right.len()) as u32]);
            split(right, first + left.len() as u32, n - dealt, stream);
            split(left, first, dealt, stream);
        }
    }
}

/// Successes of `n` trials of probability `p` <= 1/2, exact to the rounding of f64: by inversion where few are expected, else by
/// transformed rejection (Hoermann 1993, J Stat Comput Simul 46:101, algorithm BTRS).
fn binomial(n: u64, p: f64, stream: &Stream, counter: [u32; 2]) -> u64 {
    let unit = |high: u32, low: u32| ((u64::from(high) << 20 | u64::from(low >> 12)) as f64 + 0.5) / 4_503_599_627_370_496.0;
    let uniforms = |attempt: u32| {
        let b = stream.block([counter[0], counter[1], attempt, 3]);
        (unit(b[0], b[1]), unit(b[2], b[3]))
    };
    let (trials, q) = (n as f64, 1.0 - p);
    if trials * p < 12.0 {
        let mut left = uniforms(0).0;
        let mut probability = libm::exp(trials * libm::log1p(-p));
        for k in 0..n {
            left -= probability;
            if left < 0.0 {
                return k;
            }
            probability *= (n - k) as f64 / (k + 1) as f64 * (p / q);
        }
        return n;
    }
    let sd = libm::sqrt(trials * p * q);
    let b = 1.15 + 2.53 * sd;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let alpha = (2.83 + 5.1 / b) * sd;
    let mode = libm::floor((trials + 1.0) * p);
    let choose = |k: f64| libm::lgamma(k + 1.0) + libm::lgamma(trials - k + 1.0);
    for attempt in 0u32.. {
        let (u, v) = uniforms(attempt);
        let u = u - 0.5;
        let us = 0.5 - u.abs();
        let k = libm::floor((2.0 * a / us + b) * u + trials * p + 0.5);
        if us >= 0.07 && v <= 0.92 - 4.2 / b {
            return k as u64;
        }
        if k < 0.0 || k > trials {
            continue;
        }
        if libm::log(v * alpha / (a / (us * us) + b)) <= choose(mode) - choose(k) + (k - mode) * libm::log(p / q) {
            return k as u64;
        }
    }
    mode as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomial_counts_have_their_mean_and_variance() {
        let stream = Stream::new(1, [9, 9]);
        for (n, p) in [(3u64, 0.5), (40, 0.25), (60, 0.5), (10_000, 0.3), (4_000_000_000, 0.5)] {
            let draws: Vec<f64> = (0..40_000).map(|i| binomial(n, p, &stream, [i, n as u32]) as f64).collect();
            let mean = draws.iter().sum::<f64>() / 4e4;
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 4e4;
            let (m, v) = (n as f64 * p, n as f64 * p * (1.0 - p));
            assert!((mean - m).abs() < 5.0 * (v / 4e4).sqrt() && (variance / v - 1.0).abs() < 0.04, "{n} {p}: {mean} {variance}");
        }
    }

    /// Pearson's chi-square of the counts of one split, against the law itself.
    #[test]
    fn binomial_counts_have_the_probabilities_of_their_law() {
        let stream = Stream::new(2, [9, 9]);
        for (n, p) in [(20u64, 0.3), (80, 0.4)] {
            let mut seen = vec![0.0; n as usize + 1];
            (0..100_000).for_each(|i| seen[binomial(n, p, &stream, [i, 5]) as usize] += 1.0);
            let log = |k: f64| libm::lgamma(k + 1.0);
            let law = |k: f64| (log(n as f64) - log(k) - log(n as f64 - k) + k * p.ln() + (n as f64 - k) * (1.0 - p).ln()).exp() * 1e5;
            let terms: Vec<f64> =
                (0..=n as usize).filter(|k| law(*k as f64) > 10.0).map(|k| (seen[k] - law(k as f64)).powi(2) / law(k as f64)).collect();
            let (square, freedom) = (terms.iter().sum::<f64>(), terms.len() as f64);
            assert!((square - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(), "{n} {p}: {square} of {freedom}");
        }
    }

    #[test]
    fn counts_add_up_and_repeat() {
        for (n, sources) in [(0, 5), (7, 3), (100_000, 1000), (6_000_000_000, 1000)] {
            let ends = Ends::multinomial(n, sources, &Stream::new(5, [1, 2]));
            assert_eq!(ends.total(), n);
            assert_eq!((0..sources).map(|s| ends.length(s) as u64).sum::<u64>(), n);
        }
    }
}
