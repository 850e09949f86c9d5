//! Drive that arrives as counts times weight: Poisson input and replayed spikes. Knows no current.

use crate::base::rng::Stream;
use crate::plan::{DriveKind, DrivePlan, Keep, purpose};

/// Random numbers of four steps ahead: one Philox block serves four steps of one neuron.
pub struct Draws {
    stream: Stream,
    block: Vec<[u32; 4]>,
    of: Option<u64>,
}

impl Draws {
    pub fn new(seed: u64, drive: &DrivePlan) -> Self {
        let random = matches!(drive.kind, DriveKind::Poisson { .. });
        Self {
            stream: Stream::new(seed, [purpose::DRIVE, drive.stream]),
            block: vec![[0; 4]; if random { drive.to.len() as usize } else { 0 }],
            of: None,
        }
    }

    /// Adds what arrives at the end of step `step` to the row that is due then.
    #[inline(always)]
    pub fn apply(&mut self, drive: &DrivePlan, step: u64, due: &mut [i32]) {
        if step < drive.start || step >= drive.stop {
            return;
        }
        match &drive.kind {
            DriveKind::Poisson { counts, keep: Keep::All, weight, slot } => {
                self.refill(step / 4);
                let lane = (step % 4) as usize;
                for (i, block) in self.block.iter().enumerate() {
                    let at = &mut due[slot + drive.to.get(i as u32) as usize];
                    *at = at.wrapping_add(counts.draw(block[lane]) as i32 * weight);
                }
            }
            DriveKind::Poisson { counts, keep, weight, slot } => {
                self.refill(step / 4);
                let whole = keep.at(step);
                for (i, block) in self.block.iter().enumerate() {
                    let share = if let Keep::Each(all) = keep { all[i] } else { whole };
                    let count = self.thinned(counts.draw(block[(step % 4) as usize]), share, [i as u32, step as u32]);
                    let at = &mut due[slot + drive.to.get(i as u32) as usize];
                    *at = at.wrapping_add(count as i32 * weight);
                }
            }
            DriveKind::Spikes { steps, weight, slot } => {
                let first = steps.partition_point(|s| *s <= step);
                let count = steps[first..].iter().take_while(|s| **s == step + 1).count() as i32;
                if count > 0 {
                    for i in 0..drive.to.len() {
                        let at = &mut due[slot + drive.to.get(i) as usize];
                        *at = at.wrapping_add(count * weight);
                    }
                }
            }
            DriveKind::Current { .. } => {}
        }
    }

    /// How many of `count` events are kept, each by a word of its own.
    fn thinned(&self, count: u32, share: u32, counter: [u32; 2]) -> u32 {
        if share == Keep::WHOLE {
            return count;
        }
        let word = |j: u32| self.stream.block([counter[0], counter[1], j / 4, 1])[(j % 4) as usize];
        (0..count).filter(|j| word(*j) < share).count() as u32
    }

    #[inline(always)]
    fn refill(&mut self, quad: u64) {
        if self.of != Some(quad) {
            self.of = Some(quad);
            for (i, block) in self.block.iter_mut().enumerate() {
                *block = self.stream.block([i as u32, quad as u32, (quad >> 32) as u32, 0]);
            }
        }
    }
}
