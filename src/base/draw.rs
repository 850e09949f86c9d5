//! Laws as tables built in f64 on the host and read by integers, so that draws are the same everywhere. Knows no neuron.

/// How a random number X is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// X is 1: the value is `offset + scale`.
    Constant,
    Uniform {
        low: f64,
        high: f64,
    },
    Normal {
        mean: f64,
        sd: f64,
    },
    /// exp of a normal with these parameters.
    Lognormal {
        mu: f64,
        sigma: f64,
    },
    Exponential {
        mean: f64,
    },
}

/// `offset + scale * X`, X drawn by its kind and redrawn or clipped to [low, high] (bounds on X).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    pub kind: Kind,
    pub scale: f64,
    pub offset: f64,
    pub low: f64,
    pub high: f64,
    pub clip: bool,
}

/// Poisson counts by inversion of a table of cumulative probabilities in units of 2^-32; the tail beyond is cut.
#[derive(Clone, Debug)]
pub struct Poisson {
    first: u32,
    thresholds: Vec<u32>,
    /// Where to begin for each value of the first `GUIDE` bits: so fine that the search is nearly always over at once,
    /// and its branch well predicted.
    guide: Vec<u32>,
}

/// Tables up to this length are searched in order, for several words at once.
const SHORT: usize = 48;
const GUIDE: u32 = 12;
/// Bits of the guide in `Poisson::table`: device tables stay small.
const COARSE: u32 = 8;

impl Poisson {
    /// Counts of this mean; none at all for a mean of zero or less.
    pub fn new(mean: f64) -> Self {
        let spread = 8.0 * libm::sqrt(mean.max(0.0)) + 30.0;
        let first = if mean > 0.0 { (mean - spread).max(0.0) as u32 } else { 0 };
        let last = if mean > 0.0 { (mean + spread) as u32 } else { 0 };
        let mut thresholds = Vec::new();
        let mut sum = 0.0;
        for k in first..last {
            sum += libm::exp(f64::from(k) * libm::log(mean) - mean - libm::lgamma(f64::from(k) + 1.0));
            let t = libm::rint(sum * 4_294_967_296.0);
            if t >= 4_294_967_295.0 {
                break;
            }
            thresholds.push(t as u32);
        }
        let guide = (0..1u32 << GUIDE).map(|g| thresholds.partition_point(|t| *t <= g << (32 - GUIDE)) as u32).collect();
        Self { first, thresholds, guide }
    }

    /// The count for a uniform word.
    #[inline(always)]
    pub fn draw(&self, u: u32) -> u32 {
        let mut k = self.guide[(u >> (32 - GUIDE)) as usize] as usize;
        while k < self.thresholds.len() && self.thresholds[k] <= u {
            k += 1;
        }
        self.first + k as u32
    }

    /// The counts for several uniform words.
    #[inline(always)]
    pub fn draw_many(&self, words: &[u32], counts: &mut [u32]) {
        if self.thresholds.len() > SHORT {
            counts.iter_mut().zip(words).for_each(|(count, u)| *count = self.draw(*u));
            return;
        }
        counts.fill(self.first);
        for t in &self.thresholds {
            let mut any = 0;
            for (count, u) in counts.iter_mut().zip(words) {
                let above = u32::from(u >= t);
                *count += above;
                any |= above;
            }
            if any == 0 {
                break;
            }
        }
    }

    /// As words for an engine that draws elsewhere: least count, number of thresholds, coarse guide, thresholds. The highest bit
    /// of a word of the guide tells that a threshold lies within its words, so that there is something to search.
    pub fn table(&self) -> Vec<u32> {
        let mut table = vec![self.first, self.thresholds.len() as u32];
        let coarse = 1usize << (GUIDE - COARSE);
        let below = |word: u64| self.thresholds.partition_point(|t| u64::from(*t) <= word) as u32;
        table.extend(self.guide.iter().step_by(coarse).enumerate().map(|(g, first)| {
            let last = ((g as u64 + 1) << (32 - COARSE)) - 1;
            first | u32::from(below(last) > *first) << 31
        }));
        table.extend_from_slice(&self.thresholds);
        table
    }

    /// The largest count that can be drawn.
    pub fn max(&self) -> u32 {
        self.first + self.thresholds.len() as u32
    }
}

/// Intervals of a table; the first and last are refined once more.
const INTERVALS: usize = 4096;
/// Fractional bits of a table's entries, and bits of an entry; both at most.
const FRACTION: u32 = 16;
const BITS: u32 = 30;

/// Quantiles of a truncated law, times a scale, as integers: nothing that is drawn needs more than 32 bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantile {
    law: Law,
    /// One integer alone, where the law has no width.
    constant: Option<i32>,
    fraction: u32,
    /// Entries of the whole range, of its first interval and of its last, each `INTERVALS + 1`.
    entries: Vec<i32>,
}

impl Quantile {
    /// What the law gives, in units of `1/to_integer`.
    pub fn new(law: Law, to_integer: f64) -> Result<Self, String> {
        law.check()?;
        let value = |p: f64| law.at(p.clamp(1e-10, 1.0 - 1e-10)) * to_integer;
        let largest = value(0.0).abs().max(value(1.0).abs()).max(value(0.5).abs());
        if largest.is_nan() || largest >= f64::from(1u32 << 31) {
            return Err(format!("a drawn value of {} is out of range", largest / to_integer));
        }
        if law.kind == Kind::Constant || law.scale == 0.0 {
            return Ok(Self { law, constant: Some(libm::rint(value(0.5)) as i32), fraction: 0, entries: Vec::new() });
        }
        let fraction = (BITS as i32 - libm::ceil(libm::log2(largest + 2.0)) as i32).clamp(0, FRACTION as i32) as u32;
        let entry = |p: f64| libm::rint(value(p) * f64::from(1u32 << fraction)).clamp(-2_147_483_648.0, 2_147_483_647.0) as i32;
        let table = |low: f64, high: f64| (0..=INTERVALS).map(move |i| entry(low + (high - low) * i as f64 / INTERVALS as f64));
        let step = 1.0 / INTERVALS as f64;
        let entries: Vec<i32> = table(0.0, 1.0).chain(table(0.0, step)).chain(table(1.0 - step, 1.0)).collect();
        let ends = [entries[0], entries[INTERVALS]].map(|e| rounded(e, fraction));
        // A law that rounds to one integer is one.
        let constant = (ends[0] == ends[1]).then_some(ends[0]);
        Ok(Self { law, constant, fraction, entries: if constant.is_some() { Vec::new() } else { entries } })
    }

    /// The integer for a uniform word.
    #[inline(always)]
    pub fn draw(&self, u: u32) -> i32 {
        if let Some(x) = self.constant {
            return x;
        }
        let i = (u >> 20) as usize;
        let tail = i == 0 || i == INTERVALS - 1;
        let first = if !tail { i } else { (INTERVALS + 1) * (1 + usize::from(i != 0)) + ((u >> 8) & 0xFFF) as usize };
        let part = if tail { u << 24 } else { u << 12 };
        rounded(between(self.entries[first], self.entries[first + 1], part), self.fraction)
    }

    /// The table for an engine that draws elsewhere: fractional bits, then the entries. None of a constant.
    pub fn table(&self) -> Option<Vec<u32>> {
        let words = std::iter::once(self.fraction).chain(self.entries.iter().map(|e| *e as u32));
        self.constant.is_none().then(|| words.collect())
    }

    /// The value for a uniform word of 64 bits, in f64 and without the table.
    pub fn sample(&self, u: u64) -> f64 {
        self.law.at(((u >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0)
    }

    pub fn min(&self) -> i32 {
        self.ends().into_iter().fold(i32::MAX, i32::min)
    }

    pub fn max(&self) -> i32 {
        self.ends().into_iter().fold(i32::MIN, i32::max)
    }

    fn ends(&self) -> [i32; 2] {
        match self.constant {
            Some(x) => [x; 2],
            None => [self.entries[0], self.entries[INTERVALS]].map(|e| rounded(e, self.fraction)),
        }
    }
}

/// a + (b - a) part / 2^32, towards a.
#[inline(always)]
fn between(a: i32, b: i32, part: u32) -> i32 {
    let share = ((u64::from(a.abs_diff(b)) * u64::from(part)) >> 32) as i32;
    if b < a { a - share } else { a + share }
}

#[inline(always)]
fn rounded(x: i32, fraction: u32) -> i32 {
    (x + ((1 << fraction) >> 1)) >> fraction
}

impl Law {
    pub fn constant(value: f64) -> Self {
        Self::of(Kind::Constant, 0.0, value)
    }

    /// A law without bounds.
    pub fn of(kind: Kind, scale: f64, offset: f64) -> Self {
        Self { kind, scale, offset, low: f64::NEG_INFINITY, high: f64::INFINITY, clip: false }
    }

    /// Why nothing can be drawn by this law.
    pub fn check(&self) -> Result<(), String> {
        let bad = match self.kind {
            Kind::Normal { sd, .. } if !(sd >= 0.0 && sd.is_finite()) => Some(format!("a standard deviation of {sd}")),
            Kind::Lognormal { sigma, .. } if !(sigma >= 0.0 && sigma.is_finite()) => Some(format!("a sigma of {sigma}")),
            Kind::Exponential { mean } if !(mean > 0.0 && mean.is_finite()) => Some(format!("an exponential of mean {mean}")),
            Kind::Uniform { low, high } if low.is_nan() || high.is_nan() || low > high => Some(format!("a uniform from {low} to {high}")),
            _ => None,
        };
        if let Some(what) = bad {
            return Err(format!("{what} is no distribution"));
        }
        if !(self.scale.is_finite() && self.offset.is_finite()) {
            return Err("a drawn value must be finite".into());
        }
        if self.kind != Kind::Constant && !self.clip && self.cdf(self.high) - self.cdf(self.low) < 1e-9 {
            return Err(format!(
                "redrawing to [{}, {}] would never end: almost nothing of the distribution lies there",
                self.low, self.high
            ));
        }
        Ok(())
    }

    fn at(&self, p: f64) -> f64 {
        let x = if self.kind == Kind::Constant {
            1.0
        } else if self.clip {
            self.inverse(p).clamp(self.low, self.high)
        } else {
            let (a, b) = (self.cdf(self.low), self.cdf(self.high));
            self.inverse(a + p * (b - a)).clamp(self.low, self.high)
        };
        self.offset + self.scale * x
    }

    fn cdf(&self, x: f64) -> f64 {
        match self.kind {
            Kind::Constant => f64::from(x >= 1.0),
            Kind::Uniform { low, high } if high > low => ((x - low) / (high - low)).clamp(0.0, 1.0),
            Kind::Normal { mean, sd } if sd > 0.0 => 0.5 * libm::erfc((mean - x) / (sd * std::f64::consts::SQRT_2)),
            Kind::Lognormal { .. } if x <= 0.0 => 0.0,
            Kind::Lognormal { mu, sigma } if sigma > 0.0 => 0.5 * libm::erfc((mu - libm::log(x)) / (sigma * std::f64::consts::SQRT_2)),
            Kind::Exponential { mean } => -libm::expm1(-x.max(0.0) / mean),
            // A law without width sits wholly on one point.
            _ => f64::from(x >= self.inverse(0.5)),
        }
    }

    fn inverse(&self, p: f64) -> f64 {
        match self.kind {
            Kind::Constant => 1.0,
            Kind::Uniform { low, high } => low + (high - low) * p,
            Kind::Normal { mean, sd } => mean + sd * normal_quantile(p),
            Kind::Lognormal { mu, sigma } => libm::exp(mu + sigma * normal_quantile(p)),
            Kind::Exponential { mean } => -mean * libm::log1p(-p),
        }
    }
}

/// Quantile of the standard normal by bisection-safe Newton steps on erfc.
fn normal_quantile(p: f64) -> f64 {
    let p = p.clamp(1e-15, 1.0 - 1e-15);
    let tail = p.min(1.0 - p);
    // Abramowitz & Stegun 26.2.23, to 4.5e-4; Newton does the rest.
    let t = libm::sqrt(-2.0 * libm::log(tail));
    let mut x = t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1.0 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t);
    for _ in 0..3 {
        let error = 0.5 * libm::erfc(x / std::f64::consts::SQRT_2) - tail;
        x += error * libm::exp(0.5 * x * x) * 2.506_628_274_631_000_5;
    }
    if p < 0.5 { -x } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Stream;

    fn words(n: usize) -> Vec<u32> {
        let mut out = Vec::new();
        Stream::new(7, [1, 1]).fill(0, n, |_, u| out.push(u));
        out
    }

    fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
        let n = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / n;
        (mean, values.map(|x| (x - mean) * (x - mean)).sum::<f64>() / n)
    }

    #[test]
    fn poisson_counts_have_the_mean_and_variance_of_their_rate() {
        for mean in [0.01, 0.5, 2.0, 40.0, 1000.0, 1e5] {
            let table = Poisson::new(mean);
            let (m, v) = moments(words(200_000).into_iter().map(|u| f64::from(table.draw(u))).collect::<Vec<_>>().into_iter());
            let error = (mean / 200_000.0f64).sqrt() * 5.0;
            assert!((m - mean).abs() < error && (v / mean - 1.0).abs() < 0.05, "{mean}: {m} {v}");
            let all = words(1600);
            let mut counts = vec![0; 64];
            for some in all.chunks_exact(64) {
                table.draw_many(some, &mut counts);
                assert!(counts.iter().zip(some).all(|(count, u)| *count == table.draw(*u)));
            }
        }
        assert_eq!(Poisson::new(0.0).draw(u32::MAX), 0);
        assert_eq!(Poisson::new(-1.0).max(), 0);
    }

    #[test]
    fn quantiles_have_the_moments_of_their_law() {
        for (kind, mean, variance) in [
            (Kind::Normal { mean: 3.0, sd: 0.5 }, 3.0, 0.25),
            (Kind::Uniform { low: 1.0, high: 2.0 }, 1.5, 1.0 / 12.0),
            (Kind::Exponential { mean: 2.0 }, 2.0, 4.0),
            (Kind::Lognormal { mu: 0.0, sigma: 0.5 }, 1.133, 0.3647),
        ] {
            let table = Quantile::new(Law::of(kind, 1.0, 0.0), 1000.0).unwrap();
            let (m, v) = moments(words(300_000).into_iter().map(|u| f64::from(table.draw(u)) / 1000.0).collect::<Vec<_>>().into_iter());
            assert!((m - mean).abs() < 0.012 && (v / variance - 1.0).abs() < 0.03, "{kind:?}: {m} {v}");
        }
        let normal = |mean: f64| Law::of(Kind::Normal { mean, sd: 1.0 }, 1.0, 0.0);
        let cut = Quantile::new(Law { low: 0.0, ..normal(1.0) }, 1000.0).unwrap();
        assert!(cut.min() >= 0 && words(10_000).into_iter().all(|u| cut.draw(u) >= 0));
        assert!(Quantile::new(Law { low: 50.0, ..normal(0.0) }, 1.0).is_err());
    }
}
