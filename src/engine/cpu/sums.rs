//! What arrives: sums of weights in quanta, one row for each step and receptor. Knows no synapse and no model.

use super::ring::Ring;
use crate::base::prefetch::prefetch;

/// A short target is below this.
pub const SHORT: usize = 1 << 16;

/// A ring of rows by step; a row holds one sum for each receptor and neuron of a thread.
pub struct Sums {
    values: Ring,
    /// Sums from one receptor to the next: an odd number of cache lines, so that rows do not fall upon one another.
    pitch: usize,
    receptors: usize,
    rows: usize,
}

impl Sums {
    pub fn new(neurons: usize, receptors: usize, rows: usize) -> Self {
        let pitch = (neurons.div_ceil(16) | 1) * 16;
        Self { values: Ring::new(pitch * receptors * rows + SHORT), pitch, receptors, rows }
    }

    fn first(&self, step: u64, receptor: usize) -> usize {
        ((step % self.rows as u64) as usize * self.receptors + receptor) * self.pitch
    }

    /// The sums of a receptor at a step and all that follow: at least `SHORT`, so that short targets need no check.
    #[inline(always)]
    pub fn from(&mut self, step: u64, receptor: usize) -> &mut [i32] {
        let first = self.first(step, receptor);
        &mut self.values[first..]
    }

    /// The sums of neurons `first..first + len`.
    #[inline(always)]
    pub fn lanes(&mut self, step: u64, receptor: usize, first: usize, len: usize) -> &mut [i32] {
        let at = self.first(step, receptor) + first;
        &mut self.values[at..at + len]
    }

    /// Asks for the sums of neurons from `first` on.
    #[inline(always)]
    pub fn prefetch(&self, step: u64, receptor: usize, first: usize, len: usize) {
        let at = self.first(step, receptor) + first;
        (at..at + len).step_by(16).for_each(|i| prefetch(&self.values, i));
    }

    pub fn read(&self, step: u64, receptor: usize, first: usize, len: usize) -> &[i32] {
        let at = self.first(step, receptor) + first;
        &self.values[at..at + len]
    }

    /// Where the sums of each step from `now` on begin, at entry 0 those of `now`; the last one falls upon it again. False where a
    /// place may take more than 32 bits.
    pub fn places(&self, now: u64, out: &mut Vec<u32>) -> bool {
        out.clear();
        out.extend((0..=self.rows as u64).map_while(|d| u32::try_from(self.first(now + d, 0)).ok()));
        u32::try_from(self.values.len()).is_ok()
    }

    /// From one receptor to the next.
    pub fn pitch(&self) -> usize {
        self.pitch
    }

    /// Adds a weight to sums all over the ring: in a loop of its own, so that many of them are fetched at once.
    #[inline(always)]
    pub fn scatter(&mut self, at: &[u32], weight: i32) {
        let values = &mut self.values[..];
        for at in at {
            let sum = &mut values[*at as usize];
            *sum = sum.wrapping_add(weight);
        }
    }

    pub fn clear(&mut self) {
        self.values.fill(0);
    }
}
