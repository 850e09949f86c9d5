//! What arrives: sums of weights in quanta, one row for each step and receptor. Knows no synapse and no model.

/// A short target is below this.
pub const SHORT: usize = 1 << 16;

/// A ring of rows by step; a row holds one sum for each receptor and neuron of a thread.
pub struct Sums {
    values: Vec<i32>,
    /// Sums from one receptor to the next: an odd number of cache lines, so that rows do not fall upon one another.
    pitch: usize,
    receptors: usize,
    rows: usize,
}

impl Sums {
    pub fn new(neurons: usize, receptors: usize, rows: usize) -> Self {
        let pitch = (neurons.div_ceil(16) | 1) * 16;
        Self { values: vec![0; pitch * receptors * rows + SHORT], pitch, receptors, rows }
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

    pub fn read(&self, step: u64, receptor: usize, first: usize, len: usize) -> &[i32] {
        let at = self.first(step, receptor) + first;
        &self.values[at..at + len]
    }

    pub fn clear(&mut self) {
        self.values.fill(0);
    }
}
