//! Gaps between the successes of independent trials, from a table of integers. Knows nothing of neurons.
//!
//! P(gap >= k) = (1-p)^k. Gaps of the table's length or more begin anew after it: the law has no memory.

/// Bits of the guide.
const GUIDE: u32 = 10;
/// Entries, at most.
const LONGEST: usize = 2048;

#[derive(Clone, Debug, PartialEq)]
pub struct Gaps {
    thresholds: Vec<u32>,
    /// Where to begin for each value of the first `GUIDE` bits.
    guide: Vec<u16>,
}

impl Gaps {
    /// For trials of this probability, between 0 and 1 and neither.
    pub fn new(p: f64) -> Self {
        let log_q = libm::log1p(-p);
        let threshold = |k: usize| libm::rint(-libm::expm1(log_q * (k + 1) as f64) * 4_294_967_296.0);
        let thresholds: Vec<u32> = (0..LONGEST).map(threshold).take_while(|t| *t < 4_294_967_296.0).map(|t| t as u32).collect();
        let guide = (0..1u32 << GUIDE).map(|g| thresholds.partition_point(|t| *t <= g << (32 - GUIDE)) as u16).collect();
        Self { thresholds, guide }
    }

    /// Failures before the next success for a uniform word; an error gives the failures that are certain so far.
    #[inline(always)]
    pub fn draw(&self, u: u32) -> Result<u32, u32> {
        let mut k = self.guide[(u >> (32 - GUIDE)) as usize] as usize;
        while k < self.thresholds.len() && self.thresholds[k] <= u {
            k += 1;
        }
        if k < self.thresholds.len() { Ok(k as u32) } else { Err(k as u32) }
    }

    /// The table, for an engine that draws elsewhere: the gap is the number of thresholds that do not exceed the word.
    pub fn thresholds(&self) -> &[u32] {
        &self.thresholds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Stream;

    #[test]
    fn gaps_have_the_mean_and_variance_of_a_geometric_law_also_beyond_the_table() {
        for p in [0.9, 0.5, 0.1, 0.02, 1e-4] {
            let gaps = Gaps::new(p);
            let (mut at, mut all) = (0f64, Vec::new());
            Stream::new(3, [1, 1]).fill(0, 400_000, |_, u| match gaps.draw(u) {
                Ok(k) => {
                    all.push(at + f64::from(k));
                    at = 0.0;
                }
                Err(k) => at += f64::from(k),
            });
            let n = all.len() as f64;
            let mean = all.iter().sum::<f64>() / n;
            let variance = all.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
            let (m, v) = ((1.0 - p) / p, (1.0 - p) / (p * p));
            assert!((mean - m).abs() < 5.0 * (v / n).sqrt() && (variance / v - 1.0).abs() < 0.15, "{p}: {mean} {variance}");
        }
    }
}
