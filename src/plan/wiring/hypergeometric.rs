//! How many of a fixed number of different pairs each source has: a multivariate hypergeometric law, by splitting the sources
//! in halves. f64 from `libm` only, so that all machines agree. Knows no target.

use super::Ends;
use crate::base::rng::Stream;

/// `n` different pairs, all sets of pairs being equally likely; `pairs(s)` is the number of pairs of the first `s` sources.
pub fn rows(n: u64, sources: u32, pairs: impl Fn(u32) -> u64, stream: &Stream) -> Ends {
    let mut ends = Vec::with_capacity(sources as usize);
    halve(n, [0, sources], &pairs, stream, &mut ends);
    let mut sum = 0;
    ends.iter_mut().for_each(|e| {
        sum += *e;
        *e = sum;
    });
    if n <= u64::from(u32::MAX) { Ends::Short(ends.into_iter().map(|e| e as u32).collect()) } else { Ends::Long(ends) }
}

fn halve(n: u64, [first, end]: [u32; 2], pairs: &impl Fn(u32) -> u64, stream: &Stream, out: &mut Vec<u64>) {
    match end - first {
        0 => {}
        1 => out.push(n),
        _ if n == 0 => out.resize(out.len() + (end - first) as usize, 0),
        _ => {
            let middle = first + (end - first) / 2;
            let block = stream.block([first, end, 0, 4]);
            let u = ((u64::from(block[0]) << 32 | u64::from(block[1])) >> 11) as f64;
            let below = |s: u32| pairs(s) - pairs(first);
            let left = marked(n, below(middle), below(end), (u + 0.5) / 9_007_199_254_740_992.0);
            halve(left, [first, middle], pairs, stream, out);
            halve(n - left, [middle, end], pairs, stream, out);
        }
    }
}

/// How many of `n` that are taken from `all` without putting back are among the first `of`.
fn marked(n: u64, of: u64, all: u64, u: f64) -> u64 {
    let (least, most) = ((n + of).saturating_sub(all), n.min(of));
    if least == most {
        return least;
    }
    let (x, k, a) = (n as f64, of as f64, all as f64);
    let mode = (((x + 1.0) * (k + 1.0) / (a + 2.0)) as u64).clamp(least, most);
    let (p, m) = (x / a, mode as f64);
    let at = likelihood(m, k, p) * likelihood(x - m, a - k, p) / likelihood(x, a, p);
    let up = |m: f64| (k - m) * (x - m) / ((m + 1.0) * (a - k - x + m + 1.0));
    outward(u, mode, least, most, at, up)
}

/// Subtracts probabilities from u, from the mode outward; `up(k)` is P(k+1)/P(k).
fn outward(u: f64, mode: u64, least: u64, most: u64, at: f64, up: impl Fn(f64) -> f64) -> u64 {
    let mut left = u - at;
    let (mut low, mut high, mut below, mut above) = (mode, mode, at, at);
    while left >= 0.0 {
        if high < most {
            above *= up(high as f64);
            high += 1;
            left -= above;
            if left < 0.0 {
                return high;
            }
        }
        if low > least {
            low -= 1;
            below /= up(low as f64);
            left -= below;
            if left < 0.0 {
                return low;
            }
        }
        // Rounding has left a rest that no count owns.
        if (high == most || above < 1e-25) && (low == least || below < 1e-25) {
            break;
        }
    }
    mode
}

/// The binomial probability by its saddle point (Loader 2000, "Fast and accurate computation of binomial probabilities").
fn likelihood(x: f64, n: f64, p: f64) -> f64 {
    if x == 0.0 {
        return libm::exp(n * libm::log1p(-p));
    }
    if x == n {
        return libm::exp(n * libm::log(p));
    }
    let rest = n - x;
    let exponent = correction(n) - correction(x) - correction(rest) - deviance(x, n * p) - deviance(rest, n * (1.0 - p));
    libm::exp(exponent) * libm::sqrt(n / (std::f64::consts::TAU * x * rest))
}

/// What Stirling's formula lacks: ln n! - ln(sqrt(2 pi n) (n/e)^n).
fn correction(n: f64) -> f64 {
    if n < 16.0 {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - 0.918_938_533_204_672_8;
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / square) / square) / square) / n
}

/// x ln(x/m) + m - x for an x near its mean m.
fn deviance(x: f64, m: f64) -> f64 {
    let d = (x - m) / m;
    x * libm::log1p(d) - (x - m)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(a: u64, b: u64) -> f64 {
        let log = |n: u64| libm::lgamma(n as f64 + 1.0);
        if b > a { f64::NEG_INFINITY } else { log(a) - log(b) - log(a - b) }
    }

    #[test]
    fn counts_without_putting_back_follow_the_exact_law() {
        let (stream, draws) = (Stream::new(4, [2, 9]), 40_000u32);
        for (n, of, all) in [(5, 3, 10), (50, 60, 100), (99, 50, 100), (10, 0, 20), (20, 20, 20), (400, 300, 1000)] {
            let mut found = vec![0.0; n as usize + 1];
            for i in 0..draws {
                let u = (f64::from(stream.block([i, 0, 0, 0])[0]) + 0.5) / 4_294_967_296.0;
                found[marked(n, of, all, u) as usize] += 1.0 / f64::from(draws);
            }
            let law = |k: u64| libm::exp(choose(of, k) + choose(all - of, n - k) - choose(all, n));
            let distance: f64 = found.iter().enumerate().map(|(k, f)| (f - law(k as u64)).abs()).sum();
            assert!(distance < 0.07, "{n} of {of} in {all}: {distance}");
        }
    }

    #[test]
    fn rows_share_the_pairs_with_the_variance_of_chance() {
        let (n, sources, each) = (3_000_000u64, 3000u32, 4000u64);
        let ends = rows(n, sources, |s| u64::from(s) * each, &Stream::new(1, [1, 2]));
        assert_eq!(ends.total(), n);
        let (mean, share) = (1000.0, n as f64 / (f64::from(sources) * each as f64));
        let variance = (0..sources).map(|s| (ends.length(s) as f64 - mean).powi(2)).sum::<f64>() / f64::from(sources);
        let expected = mean * (1.0 - share) * (1.0 - 1.0 / f64::from(sources));
        assert!((variance / expected - 1.0).abs() < 0.12, "{variance} {expected}");
    }
}
