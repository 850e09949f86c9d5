//! Drive that arrives as counts times weight: Poisson input and replayed spikes, of the neurons of one share. Knows no current.

use super::partition::Share;
use super::sums::Sums;
use crate::base::draw::Poisson;
use crate::base::rng::{ABREAST, Stream};
use crate::network::Which;
use crate::plan::{DriveKind, DrivePlan, Keep, purpose};

/// Counts of four steps ahead: one Philox block serves four steps of one neuron.
pub struct Draws {
    /// Which drive, and which share of the thread it goes to.
    pub drive: usize,
    share: Share,
    stream: Stream,
    /// Members of the drive in this share: from the first on, so many.
    first: u32,
    members: usize,
    /// By step within four, then member; filled up to whole groups.
    counts: [Vec<u32>; 4],
    of: Option<u64>,
}

impl Draws {
    /// None if the drive has nothing to do with the share.
    pub fn new(seed: u64, number: usize, drive: &DrivePlan, share: Share) -> Option<Self> {
        if drive.population != share.population || matches!(drive.kind, DriveKind::Current { .. }) {
            return None;
        }
        let (first, end) = (drive.to.position(share.start), drive.to.position(share.end));
        let stream = Stream::new(seed, [purpose::DRIVE, drive.stream]);
        let members = (end - first) as usize;
        let counts = std::array::from_fn(|_| vec![0; members.next_multiple_of(ABREAST)]);
        (first < end).then_some(Self { drive: number, share, stream, first, members, counts, of: None })
    }

    /// Where member `i` of these is, among the neurons of the thread.
    #[inline(always)]
    fn local(&self, drive: &DrivePlan, i: usize) -> usize {
        (self.share.local + drive.to.get(self.first + i as u32) - self.share.start) as usize
    }

    /// Adds what arrives at the end of step `step` to its sums. Gives the number of counts drawn.
    #[inline(always)]
    pub fn apply(&mut self, drive: &DrivePlan, size: u32, slot: usize, step: u64, sums: &mut Sums) -> u64 {
        if step < drive.start || step >= drive.stop {
            return 0;
        }
        let receptor = |s: usize| (s - slot) / (size as usize).max(1);
        match &drive.kind {
            DriveKind::Poisson { counts, keep: Keep::Copies(share), weight, slot } => {
                let train = self.stream.block([u32::MAX, (step / 4) as u32, ((step / 4) >> 32) as u32, 0]);
                let count = counts.draw(train[(step % 4) as usize]);
                let sums = sums.from(step + 1, receptor(*slot));
                for i in 0..self.members {
                    let kept = self.thinned(count, *share, [self.first + i as u32, step as u32]);
                    let at = &mut sums[self.local(drive, i)];
                    *at = at.wrapping_add(kept as i32 * weight);
                }
                self.members as u64
            }
            DriveKind::Poisson { counts, keep, weight, slot } => {
                self.refill(counts, step / 4);
                let counts = &self.counts[(step % 4) as usize][..self.members];
                let sums = sums.from(step + 1, receptor(*slot));
                match (keep, &drive.to) {
                    (Keep::All, Which::Range { .. }) => {
                        let first = self.local(drive, 0);
                        let lanes = &mut sums[first..first + self.members];
                        lanes.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.wrapping_add(*count as i32 * weight));
                    }
                    _ => {
                        let whole = keep.at(step);
                        for (i, count) in counts.iter().enumerate() {
                            let position = self.first + i as u32;
                            let share = if let Keep::Each(all) = keep { all[position as usize] } else { whole };
                            let count = self.thinned(*count, share, [position, step as u32]);
                            let sum = &mut sums[self.local(drive, i)];
                            *sum = sum.wrapping_add(count as i32 * weight);
                        }
                    }
                }
                self.members as u64
            }
            DriveKind::Spikes { steps, weight, slot } => {
                let first = steps.partition_point(|s| *s <= step);
                let count = steps[first..].iter().take_while(|s| **s == step + 1).count() as i32;
                if count > 0 {
                    let sums = sums.from(step + 1, receptor(*slot));
                    for i in 0..self.members {
                        let at = &mut sums[self.local(drive, i)];
                        *at = at.wrapping_add(count * weight);
                    }
                }
                0
            }
            DriveKind::Current { .. } => 0,
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
    fn refill(&mut self, poisson: &Poisson, quad: u64) {
        if self.of != Some(quad) {
            self.of = Some(quad);
            let mut words = [[0; ABREAST]; 4];
            for start in (0..self.members).step_by(ABREAST) {
                self.stream.abreast(self.first + start as u32, [quad as u32, (quad >> 32) as u32, 0], &mut words);
                for (counts, words) in self.counts.iter_mut().zip(&words) {
                    poisson.draw_many(words, &mut counts[start..start + ABREAST]);
                }
            }
        }
    }
}
