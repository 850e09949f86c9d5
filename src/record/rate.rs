//! The rate of a part in bins of an interval, from its spikes. Knows no file.

/// Counts spikes of some neurons, bin by bin: a bin ends at each multiple of its length.
pub struct Rate {
    members: Vec<bool>,
    count: u32,
    every: u64,
    dt: f64,
    /// End of the bin that is open.
    end: u64,
    spikes: u32,
}

impl Rate {
    /// `first` is the step at which the recording begins; the bin that it cuts is left out.
    pub fn new(neurons: &[u32], of: usize, every: u64, dt: f64, first: u64) -> Self {
        let mut members = vec![false; of];
        neurons.iter().for_each(|n| members[*n as usize] = true);
        let end = (first.div_ceil(every) + 1) * every;
        Self { members, count: neurons.len() as u32, every, dt, end, spikes: 0 }
    }

    /// Counts a spike; spikes come in order of steps. Gives every bin that is closed by it: its end, and the rate in Hz.
    pub fn spike(&mut self, step: u64, neuron: u32, mut each: impl FnMut(u64, f32) -> Result<(), String>) -> Result<(), String> {
        if self.members[neuron as usize] {
            self.reach(step - 1, &mut each)?;
            self.spikes += u32::from(step > self.end - self.every);
        }
        Ok(())
    }

    /// Closes every bin that ends at or before `step`.
    pub fn reach(&mut self, step: u64, mut each: impl FnMut(u64, f32) -> Result<(), String>) -> Result<(), String> {
        while self.end <= step {
            let seconds = self.every as f64 * self.dt * 1e-3;
            each(self.end, (f64::from(self.spikes) / (f64::from(self.count.max(1)) * seconds)) as f32)?;
            self.spikes = 0;
            self.end += self.every;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_the_spikes_up_to_their_end() {
        let mut rate = Rate::new(&[1, 2], 4, 10, 0.1, 0);
        let mut out = Vec::new();
        for (step, neuron) in [(1, 1), (10, 2), (10, 3), (11, 1), (35, 2)] {
            rate.spike(step, neuron, |s, r| {
                out.push((s, r));
                Ok(())
            })
            .unwrap();
        }
        rate.reach(40, |s, r| {
            out.push((s, r));
            Ok(())
        })
        .unwrap();
        assert_eq!(out, [(10, 1000.0), (20, 500.0), (30, 0.0), (40, 500.0)]);
    }

    #[test]
    fn a_recording_that_begins_within_a_bin_leaves_it_out() {
        let mut rate = Rate::new(&[0], 1, 10, 0.1, 15);
        let mut out = Vec::new();
        for step in [16, 20, 21, 30, 31] {
            rate.spike(step, 0, |s, r| {
                out.push((s, r));
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(out, [(30, 2000.0)]);
    }
}
