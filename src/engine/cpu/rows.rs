//! Stored synapses onto the neurons of one thread: a row for each neuron of the network, over all projections that leave it,
//! cut into runs of one delay and kind. Knows no rule.
//!
//! A row is delivered run by run, each when it is due, so that inputs land in one row of sums that stays in the cache and
//! not all over a delay ring. A synapse takes 2 or 4 bytes for its target and 2 or 4 for a weight that is drawn.

use super::sums::{SHORT, Sums};
use crate::base::prefetch::prefetch;
use crate::plan::scaled;

/// Cache lines of a run that are asked for ahead; the processor foresees the rest.
const LINES: usize = 4;

/// Sources that share one set of columns.
pub const BLOCK: u32 = 256;

/// Synapses of one delay and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub delay: u16,
    pub kind: u16,
    pub len: u32,
}

/// What the synapses of a run have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub receptor: u16,
    /// The constant weight in quanta, where weights are not stored.
    pub weight: i32,
    /// Of short stored weights.
    pub shift: u32,
}

/// Rows of up to `BLOCK` neurons, one after another.
#[derive(Default)]
pub struct Block {
    /// Where the runs and the synapses of each neuron end.
    pub run_ends: Vec<u32>,
    pub ends: Vec<u32>,
    pub runs: Vec<Run>,
    pub synapses: Synapses,
}

/// Targets, as numbers within the thread, and weights.
pub enum Synapses {
    /// Targets below `SHORT`; weights are constant in each run.
    Short(Vec<u16>),
    /// Target in the lower half, weight in the upper.
    Packed(Vec<u32>),
    Long(Vec<u32>),
    LongShort(Vec<u32>, Vec<i16>),
    /// Weights in quanta, without a shift.
    Wide(Vec<u32>, Vec<i32>),
}

impl Default for Synapses {
    fn default() -> Self {
        Synapses::Short(Vec::new())
    }
}

/// Where a row stands: a source, its next run, and that run's first synapse.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    pub source: u32,
    pub run: u32,
    pub at: u32,
}

impl Block {
    /// The row of a neuron from its beginning, and the number of its synapses; none without synapses.
    #[inline(always)]
    pub fn start(&self, source: u32) -> Option<(Cursor, u32)> {
        let i = (source % BLOCK) as usize;
        let first = |ends: &[u32]| if i == 0 { 0 } else { ends[i - 1] };
        let (run, at) = (first(&self.run_ends), first(&self.ends));
        (run < self.run_ends[i]).then(|| (Cursor { source, run, at }, self.ends[i] - at))
    }

    /// Asks for where the row of a neuron ends.
    #[inline(always)]
    pub fn prefetch_ends(&self, source: u32) {
        prefetch(&self.run_ends, (source % BLOCK) as usize);
        prefetch(&self.ends, (source % BLOCK) as usize);
    }

    /// Asks for the first run of the row of a neuron.
    #[inline(always)]
    pub fn prefetch_start(&self, source: u32) {
        if let Some((cursor, _)) = self.start(source) {
            prefetch(&self.runs, cursor.run as usize);
        }
    }

    /// The next run of a row, if there is one.
    #[inline(always)]
    pub fn run(&self, cursor: Cursor) -> Option<Run> {
        let end = self.run_ends[(cursor.source % BLOCK) as usize];
        (cursor.run < end).then(|| self.runs[cursor.run as usize])
    }

    /// Asks for what delivering a run will read: its first synapses and the run after it.
    #[inline(always)]
    pub fn prefetch(&self, cursor: Cursor, run: Run) {
        prefetch(&self.runs, cursor.run as usize + 1);
        let lines = |first: usize, size: usize| {
            let line = 64 / size;
            (0..(run.len as usize).div_ceil(line).min(LINES)).map(move |n| first + n * line)
        };
        let at = cursor.at as usize;
        match &self.synapses {
            Synapses::Short(t) => lines(at, 2).for_each(|i| prefetch(t, i)),
            Synapses::Packed(s) => lines(at, 4).for_each(|i| prefetch(s, i)),
            Synapses::Long(t) => lines(at, 4).for_each(|i| prefetch(t, i)),
            Synapses::LongShort(t, w) => {
                lines(at, 4).for_each(|i| prefetch(t, i));
                lines(at, 2).for_each(|i| prefetch(w, i));
            }
            Synapses::Wide(t, w) => lines(at, 4).for_each(|i| {
                prefetch(t, i);
                prefetch(w, i);
            }),
        }
    }

    /// Adds a run to the sums of a step.
    #[inline(always)]
    pub fn add(&self, cursor: Cursor, run: Run, kind: Kind, sums: &mut Sums, step: u64) {
        let range = cursor.at as usize..cursor.at as usize + run.len as usize;
        let sums = sums.from(step, usize::from(kind.receptor));
        match &self.synapses {
            Synapses::Short(t) => {
                if let Some(sums) = sums.first_chunk_mut::<SHORT>() {
                    t[range].iter().for_each(|t| add(&mut sums[usize::from(*t)], kind.weight));
                }
            }
            Synapses::Packed(s) => {
                if let Some(sums) = sums.first_chunk_mut::<SHORT>() {
                    s[range].iter().for_each(|s| add(&mut sums[usize::from(*s as u16)], (*s as i32 >> 16) << kind.shift));
                }
            }
            Synapses::Long(t) => t[range].iter().for_each(|t| add(&mut sums[*t as usize], kind.weight)),
            Synapses::LongShort(t, w) => {
                let pairs = t[range.clone()].iter().zip(&w[range]);
                pairs.for_each(|(t, w)| add(&mut sums[*t as usize], i32::from(*w) << kind.shift));
            }
            Synapses::Wide(t, w) => t[range.clone()].iter().zip(&w[range]).for_each(|(t, w)| add(&mut sums[*t as usize], *w)),
        }
    }

    /// Adds a run to the sums of a step, every weight times a factor.
    #[inline(always)]
    pub fn add_scaled(&self, cursor: Cursor, run: Run, kind: Kind, factor: u32, sums: &mut Sums, step: u64) {
        if matches!(self.synapses, Synapses::Short(_) | Synapses::Long(_)) {
            return self.add(cursor, run, Kind { weight: scaled(kind.weight, factor), ..kind }, sums, step);
        }
        let sums = sums.from(step, usize::from(kind.receptor));
        self.each(cursor, run, kind, |target, weight| add(&mut sums[target as usize], scaled(weight, factor)));
    }

    /// Target and weight in quanta of each synapse of a run.
    pub fn each(&self, cursor: Cursor, run: Run, kind: Kind, mut each: impl FnMut(u32, i32)) {
        let range = cursor.at as usize..cursor.at as usize + run.len as usize;
        match &self.synapses {
            Synapses::Short(t) => t[range].iter().for_each(|t| each(u32::from(*t), kind.weight)),
            Synapses::Packed(s) => s[range].iter().for_each(|s| each(s & 0xFFFF, (*s as i32 >> 16) << kind.shift)),
            Synapses::Long(t) => t[range].iter().for_each(|t| each(*t, kind.weight)),
            Synapses::LongShort(t, w) => {
                let pairs = t[range.clone()].iter().zip(&w[range]);
                pairs.for_each(|(t, w)| each(*t, i32::from(*w) << kind.shift));
            }
            Synapses::Wide(t, w) => t[range.clone()].iter().zip(&w[range]).for_each(|(t, w)| each(*t, *w)),
        }
    }

    /// Calls `each(receptor, target, weight)` for every synapse.
    pub fn all(&self, kinds: &[Kind], mut each: impl FnMut(usize, u32, i32)) {
        let mut at = 0;
        for (i, run) in self.runs.iter().enumerate() {
            let kind = kinds[usize::from(run.kind)];
            let cursor = Cursor { source: 0, run: i as u32, at };
            self.each(cursor, *run, kind, |target, weight| each(usize::from(kind.receptor), target, weight));
            at += run.len;
        }
    }

    pub fn bytes(&self) -> u64 {
        let synapses = match &self.synapses {
            Synapses::Short(t) => t.len() * 2,
            Synapses::Packed(s) => s.len() * 4,
            Synapses::Long(t) => t.len() * 4,
            Synapses::LongShort(t, _) => t.len() * 6,
            Synapses::Wide(t, _) => t.len() * 8,
        };
        (synapses + self.runs.len() * 8 + self.ends.len() * 8) as u64
    }
}

/// No sum can pass an i32: `bound` has made sure.
#[inline(always)]
fn add(sum: &mut i32, weight: i32) {
    *sum = sum.wrapping_add(weight);
}
