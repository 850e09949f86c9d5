//! Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, SC11). No generator state. Knows no distribution but the normal.

use super::math;

/// One block: four words from a key and a counter.
#[inline(always)]
pub fn philox(mut key: [u32; 2], mut c: [u32; 4]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(c[0]) * 0xD251_1F53;
        let b = u64::from(c[2]) * 0xCD9E_8D57;
        c = [(b >> 32) as u32 ^ c[1] ^ key[0], b as u32, (a >> 32) as u32 ^ c[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    c
}

/// Blocks that are made side by side.
pub const ABREAST: usize = 64;

/// A stream of blocks, named by the seed, a purpose and a number within the purpose.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    key: [u32; 2],
}

impl Stream {
    pub fn new(seed: u64, name: [u32; 2]) -> Self {
        let block = philox([seed as u32, (seed >> 32) as u32], [name[0], name[1], 0x53594E46, 0x4952_4531]);
        Self { key: [block[0], block[1]] }
    }

    /// The key, for an engine that draws elsewhere.
    pub fn key(&self) -> [u32; 2] {
        self.key
    }

    #[inline(always)]
    pub fn block(&self, counter: [u32; 4]) -> [u32; 4] {
        philox(self.key, counter)
    }

    /// The words of 16 blocks whose counters follow each other in their second word: vectors where the processor has them.
    #[inline(always)]
    pub fn many(&self, counter: [u32; 4]) -> [u32; 64] {
        self.blocks::<16, 64>(counter)
    }

    /// The words of 4 such blocks.
    #[inline(always)]
    pub fn few(&self, counter: [u32; 4]) -> [u32; 16] {
        self.blocks::<4, 16>(counter)
    }

    /// The words, four times as many as blocks.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "a lane is an index into four arrays at once")]
    fn blocks<const BLOCKS: usize, const WORDS: usize>(&self, counter: [u32; 4]) -> [u32; WORDS] {
        let mut key = self.key;
        let second = std::array::from_fn(|i| counter[1].wrapping_add(i as u32));
        let mut c = [[counter[0]; BLOCKS], second, [counter[2]; BLOCKS], [counter[3]; BLOCKS]];
        for _ in 0..10 {
            for i in 0..BLOCKS {
                let a = u64::from(c[0][i]) * 0xD251_1F53;
                let b = u64::from(c[2][i]) * 0xCD9E_8D57;
                c[0][i] = (b >> 32) as u32 ^ c[1][i] ^ key[0];
                c[1][i] = b as u32;
                c[2][i] = (a >> 32) as u32 ^ c[3][i] ^ key[1];
                c[3][i] = a as u32;
            }
            key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
        }
        let mut out = [0; WORDS];
        for i in 0..BLOCKS {
            (0..4).for_each(|lane| out[4 * i + lane] = c[lane][i]);
        }
        out
    }

    /// The blocks whose first counter words are `first`, `first + 1` ..., word by word: vectors where the processor has them.
    #[inline(always)]
    pub fn abreast(&self, first: u32, rest: [u32; 3], words: &mut [[u32; ABREAST]; 4]) {
        let [a, b, c, d] = words;
        for i in 0..ABREAST {
            [a[i], b[i], c[i], d[i]] = self.block([first.wrapping_add(i as u32), rest[0], rest[1], rest[2]]);
        }
    }

    /// A standard normal draw (Box & Muller 1958), in f32.
    #[inline(always)]
    pub fn normal(&self, counter: [u32; 4]) -> f32 {
        let block = self.block(counter);
        let u = ((block[0] >> 8) as f32 + 0.5) * (1.0 / 16_777_216.0);
        let v = (block[1] >> 8) as f32 * (1.0 / 16_777_216.0);
        math::sqrt(-2.0 * math::log(u)) * math::cos_turns(v)
    }

    /// A draw from (0, 1], evenly: 48 random bits, so that small values keep their precision.
    #[inline(always)]
    pub fn uniform(&self, counter: [u32; 4]) -> f32 {
        let block = self.block(counter);
        let low = ((block[1] >> 8) as f32 + 0.5) * (1.0 / 16_777_216.0);
        ((block[0] >> 8) as f32 + low) * (1.0 / 16_777_216.0)
    }

    /// One word for each k in 0..count of a row: word k is lane k % 4 of block (row, k / 4).
    #[inline(always)]
    pub fn fill(&self, row: u32, count: usize, each: impl FnMut(usize, u32)) {
        self.fill_stretch(row, 0, count, each);
    }

    /// The same for a stretch of a row: word k is lane k % 4 of block (row, k / 4, stretch).
    #[inline(always)]
    pub fn fill_stretch(&self, row: u32, stretch: u32, count: usize, mut each: impl FnMut(usize, u32)) {
        for b in 0..count.div_ceil(4) {
            let block = self.block([row, b as u32, stretch, 0]);
            for (lane, word) in block.iter().enumerate().take(count - 4 * b) {
                each(4 * b + lane, *word);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the Random123 distribution (`kat_vectors`).
    #[test]
    fn philox_gives_the_known_answers() {
        assert_eq!(philox([0, 0], [0; 4]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 2], [u32::MAX; 4]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let (key, counter) = ([0xa409_3822, 0x299f_31d0], [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344]);
        assert_eq!(philox(key, counter), [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }

    #[test]
    fn uniform_draws_are_even_and_never_zero() {
        let stream = Stream::new(1, [2, 4]);
        let n = 200_000;
        let draws: Vec<f32> = (0..n).map(|i| stream.uniform([i, 0, 0, 0])).collect();
        let mean = draws.iter().map(|x| f64::from(*x)).sum::<f64>() / f64::from(n);
        let share = |below: f32| draws.iter().filter(|x| **x < below).count() as f64 / f64::from(n);
        assert!((mean - 0.5).abs() < 0.003 && (share(0.1) - 0.1).abs() < 0.003 && (share(0.001) - 0.001).abs() < 0.0003);
        assert!(draws.iter().all(|x| *x > 0.0 && *x <= 1.0));
    }

    #[test]
    fn many_blocks_are_the_blocks_one_by_one() {
        let stream = Stream::new(5, [1, 2]);
        let one: Vec<u32> = (0..16).flat_map(|i| stream.block([7, u32::MAX - 3u32.wrapping_sub(i), 9, 1])).collect();
        assert_eq!(one, stream.many([7, u32::MAX - 3, 9, 1]));
        assert_eq!(one[..16], stream.few([7, u32::MAX - 3, 9, 1]));
    }

    #[test]
    fn blocks_side_by_side_are_the_blocks_one_by_one() {
        let stream = Stream::new(9, [3, 4]);
        let mut many = [[0; ABREAST]; 4];
        stream.abreast(u32::MAX - 5, [7, 8, 9], &mut many);
        for i in 0..ABREAST {
            let one = stream.block([(u32::MAX - 5).wrapping_add(i as u32), 7, 8, 9]);
            assert_eq!(one, many.map(|words| words[i]));
        }
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let stream = Stream::new(1, [2, 3]);
        let n = 200_000;
        let draws: Vec<f64> = (0..n).map(|i| f64::from(stream.normal([i, 0, 0, 0]))).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        let fourth = draws.iter().map(|x| x.powi(4)).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.015 && (fourth - 3.0).abs() < 0.1, "{mean} {variance} {fourth}");
    }
}
