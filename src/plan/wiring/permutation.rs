//! A keyed permutation of 0..n with random access: a balanced Feistel network over the next even power of two, walking
//! until it lands inside (Black & Rogaway 2002). Knows nothing of neurons.

pub struct Permutation {
    n: u64,
    half: u32,
    keys: [u32; 6],
}

impl Permutation {
    pub fn new(n: u64, key: [u32; 4]) -> Self {
        let bits = 64 - n.saturating_sub(1).leading_zeros();
        Self { n, half: bits.div_ceil(2).max(1), keys: [key[0], key[1], key[2], key[3], key[0] ^ 0x9E37_79B9, key[2] ^ 0xBB67_AE85] }
    }

    /// The image of `i`, for i < n.
    #[inline(always)]
    pub fn at(&self, i: u64) -> u64 {
        let mut x = self.once(i);
        while x >= self.n {
            x = self.once(x);
        }
        x
    }

    #[inline(always)]
    fn once(&self, x: u64) -> u64 {
        let mask = (1u64 << self.half) - 1;
        let (mut l, mut r) = ((x >> self.half) as u32, (x & mask) as u32);
        for key in self.keys {
            (l, r) = (r, l ^ (mix(r ^ key) & mask as u32));
        }
        u64::from(l) << self.half | u64::from(r)
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

    #[test]
    fn every_number_is_reached_once() {
        for n in [1, 2, 3, 17, 64, 1000, 4097] {
            let p = Permutation::new(n, [1, 2, 3, 4]);
            let mut seen: Vec<u64> = (0..n).map(|i| p.at(i)).collect();
            seen.sort_unstable();
            assert!(seen.iter().copied().eq(0..n), "{n}");
        }
    }
}
