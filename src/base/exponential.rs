//! Exponential draws as integers: minus the logarithm of a uniform word, by its leading bit and a small table. Knows no neuron.

/// One, as a draw.
pub const ONE: u32 = 1 << 27;

/// Bits of the table.
const BITS: u32 = 10;
const ENTRIES: usize = (1 << BITS) + 1;
/// ln 2 in units of 1 / ONE.
const LN_2: u32 = 93_032_640;

/// Draws of mean `ONE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Exponential {
    /// ln(1 + i / 2^BITS) in units of 1 / ONE.
    table: Box<[u32; ENTRIES]>,
}

impl Exponential {
    pub fn new() -> Self {
        let entry = |i| libm::rint(libm::log1p(i as f64 / f64::from(1u32 << BITS)) * f64::from(ONE)) as u32;
        Self { table: Box::new(std::array::from_fn(entry)) }
    }

    /// -ln(word / 2^32); a word of zero counts as one.
    #[inline(always)]
    pub fn draw(&self, word: u32) -> u32 {
        let word = word.max(1);
        let zeros = word.leading_zeros();
        let fraction = word << zeros << 1;
        let i = (fraction >> (32 - BITS)) as usize;
        let (low, high) = (self.table[i], self.table[i + 1]);
        let share = ((u64::from(high - low) * u64::from(fraction << BITS)) >> 32) as u32;
        (zeros + 1) * LN_2 - low - share
    }

    /// The table, for an engine that draws elsewhere.
    pub fn table(&self) -> &[u32] {
        &self.table[..]
    }
}

impl Default for Exponential {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_minus_the_logarithm_of_the_word_and_never_rise_with_it() {
        let law = Exponential::new();
        let mut last = u32::MAX;
        for word in (1..2000u32).chain((2000..u32::MAX).step_by(40_009)).chain([u32::MAX - 1, u32::MAX]) {
            let exact = -(f64::from(word) / 4_294_967_296.0).ln() * f64::from(ONE);
            let draw = law.draw(word);
            assert!((f64::from(draw) - exact).abs() < 40.0 && draw <= last, "{word}: {draw} for {exact}");
            last = draw;
        }
        assert_eq!(law.draw(0), law.draw(1));
    }
}
