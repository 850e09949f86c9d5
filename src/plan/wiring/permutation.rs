//! A keyed permutation of 0..n with random access: a Feistel network over the next power of two, walking until it lands
//! inside (Black & Rogaway 2002). In 32 bits, so that a shader can do the same. Knows nothing of neurons.

pub struct Permutation {
    pub n: u32,
    /// Bits of the two halves; they trade places in every round, and an even number of rounds restores them.
    pub left: u32,
    pub right: u32,
    pub rounds: u32,
    pub key: [u32; 4],
}

impl Permutation {
    pub fn new(n: u32, key: [u32; 4]) -> Self {
        let bits = 32 - n.saturating_sub(1).leading_zeros();
        // Over keys, the images of two numbers are uniform to 1 % only with so many rounds: the smaller, the more.
        let rounds = match bits {
            0..=4 => 24,
            5..=7 => 12,
            _ => 6,
        };
        Self { n, left: bits / 2, right: bits - bits / 2, rounds, key }
    }

    /// The image of `i`, for i < n. Less than two rounds of the network are walked on average.
    #[inline(always)]
    pub fn at(&self, i: u32) -> u32 {
        let mut x = self.once(i);
        while x >= self.n {
            x = self.once(x);
        }
        x
    }

    #[inline(always)]
    fn once(&self, x: u32) -> u32 {
        let (wide, narrow) = ((1 << self.right) - 1, (1 << self.left) - 1);
        let (mut l, mut r) = (x >> self.right, x & wide);
        for round in 0..self.rounds / 2 {
            let key = |i: u32| self.key[(i % 4) as usize].wrapping_add((i / 4).wrapping_mul(0x9E37_79B9));
            l ^= mix(r ^ key(2 * round)) & narrow;
            r ^= mix(l ^ key(2 * round + 1)) & wide;
        }
        l << self.right | r
    }
}

/// A full-avalanche mix of 32 bits (Mueller's `lowbias32` constants, found by Wellons).
#[inline(always)]
fn mix(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7FEB_352D);
    x = (x ^ (x >> 15)).wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Stream;

    #[test]
    fn every_number_is_reached_once() {
        for n in [1, 2, 3, 17, 64, 1000, 4097] {
            let p = Permutation::new(n, [1, 2, 3, 4]);
            let mut seen: Vec<u32> = (0..n).map(|i| p.at(i)).collect();
            seen.sort_unstable();
            assert!(seen.iter().copied().eq(0..n), "{n}");
        }
        let large = Permutation::new(u32::MAX, [5, 6, 7, 8]);
        assert!((0..1000).map(|i| large.at(i)).all(|x| x < u32::MAX));
    }

    /// Over keys, the first two images are every ordered pair equally often: chi-squared with n(n-1)-1 degrees of freedom.
    #[test]
    fn small_permutations_are_uniform_over_keys() {
        let stream = Stream::new(9, [8, 7]);
        for n in [2u32, 3, 5, 8, 13, 20, 40] {
            let cells = (n * (n - 1)) as usize;
            let mut counts = vec![0u32; (n * n) as usize];
            let draws = 1000 * cells as u32;
            for i in 0..draws {
                let p = Permutation::new(n, stream.block([i, n, 0, 0]));
                counts[(p.at(0) * n + p.at(n - 1)) as usize] += 1;
            }
            let expected = f64::from(draws) / cells as f64;
            let possible = (0..n * n).filter(|c| c / n != c % n).map(|c| f64::from(counts[c as usize]));
            let chi2: f64 = possible.map(|c| (c - expected).powi(2) / expected).sum();
            let freedom = cells as f64 - 1.0;
            assert!((chi2 - freedom).abs() < 4.5 * (2.0 * freedom).sqrt() + 4.0, "{n}: {chi2} for {freedom}");
        }
    }
}
