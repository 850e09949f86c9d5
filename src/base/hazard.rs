//! Exponential draws as integers: minus the logarithm of a uniform word, by its leading bit and a small table. Knows no neuron.

/// One, as a draw.
pub const ONE: u32 = 1 << 24;

/// Bits of the table.
const BITS: u32 = 8;

/// Draws of mean `ONE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Hazard {
    /// ln(1 + i / 2^BITS) in units of 1 / ONE.
    table: Vec<u32>,
}

impl Hazard {
    pub fn new() -> Self {
        let entry = |i: u32| libm::rint(libm::log1p(f64::from(i) / f64::from(1u32 << BITS)) * f64::from(ONE)) as u32;
        Self { table: (0..=1 << BITS).map(entry).collect() }
    }

    /// -ln(word / 2^32); a word of zero counts as one.
    #[inline(always)]
    pub fn draw(&self, word: u32) -> u32 {
        const LN_2: u32 = 11_629_080;
        let word = word.max(1);
        let zeros = word.leading_zeros();
        let fraction = (word << zeros) & 0x7FFF_FFFF;
        let i = (fraction >> (31 - BITS)) as usize;
        let between = (fraction >> (31 - BITS - 16)) & 0xFFFF;
        let log = self.table[i] + (((self.table[i + 1] - self.table[i]) * between) >> 16);
        (zeros + 1) * LN_2 - log
    }

    /// The table, for an engine that draws elsewhere.
    pub fn table(&self) -> &[u32] {
        &self.table
    }
}

impl Default for Hazard {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_minus_the_logarithm_of_the_word_and_never_rise_with_it() {
        let hazard = Hazard::new();
        let mut last = u32::MAX;
        for word in (1..2000u32).chain((2000..u32::MAX).step_by(40_009)).chain([u32::MAX - 1, u32::MAX]) {
            let exact = -(f64::from(word) / 4_294_967_296.0).ln() * f64::from(ONE);
            let draw = hazard.draw(word);
            assert!((f64::from(draw) - exact).abs() < 40.0 && draw <= last, "{word}: {draw} for {exact}");
            last = draw;
        }
    }
}
