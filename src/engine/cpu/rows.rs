//! Stored synapses: one row for each neuron over all projections that leave it, cut into runs of one delay. Knows no rule.
//!
//! A row is delivered run by run, each when it is due, so that inputs land in one row of accumulators that stays in the
//! cache and not all over a delay ring. A synapse takes 2 or 4 bytes for its slot and 2 or 4 for a weight that is drawn.

/// Neurons that share one set of columns.
pub const BLOCK: u32 = 256;
/// Bits of a long target that hold its slot; the others hold the shift of its weight.
pub const SLOT_BITS: u32 = 27;

/// Synapses of one delay, and of one projection where weights are constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub delay: u16,
    /// Whose constant weight holds; of no meaning where weights are stored.
    pub projection: u16,
    pub len: u32,
}

/// Rows of up to `BLOCK` neurons, one after another.
#[derive(Default)]
pub struct Block {
    /// Where the runs and the synapses of each neuron end.
    pub run_ends: Vec<u32>,
    pub ends: Vec<u32>,
    pub runs: Vec<Run>,
    pub targets: Targets,
    pub weights: Weights,
}

pub enum Targets {
    /// Slots; the shift of stored weights is the same for all.
    Short(Vec<u16>, u32),
    /// Slots and shifts.
    Long(Vec<u32>),
}

#[derive(Default)]
pub enum Weights {
    /// Constant in each run.
    #[default]
    Constant,
    Short(Vec<i16>),
    Long(Vec<i32>),
}

impl Default for Targets {
    fn default() -> Self {
        Targets::Short(Vec::new(), 0)
    }
}

/// Where a row stands: a neuron, its next run, and that run's first synapse.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    pub neuron: u32,
    pub run: u32,
    pub at: u32,
}

impl Block {
    /// The row of a neuron from its beginning, and the number of its synapses; none without synapses.
    pub fn start(&self, neuron: u32) -> Option<(Cursor, u32)> {
        let i = (neuron % BLOCK) as usize;
        let first = |ends: &[u32]| if i == 0 { 0 } else { ends[i - 1] };
        let (run, at) = (first(&self.run_ends), first(&self.ends));
        (run < self.run_ends[i]).then(|| (Cursor { neuron, run, at }, self.ends[i] - at))
    }

    /// The next run of a row, if there is one.
    pub fn run(&self, cursor: Cursor) -> Option<Run> {
        let end = self.run_ends[(cursor.neuron % BLOCK) as usize];
        (cursor.run < end).then(|| self.runs[cursor.run as usize])
    }

    /// Adds a run to the accumulators; `constants` holds the constant weights by projection.
    #[inline(always)]
    pub fn add(&self, cursor: Cursor, run: Run, constants: &[i32], due: &mut [i32]) {
        let range = cursor.at as usize..cursor.at as usize + run.len as usize;
        match (&self.targets, &self.weights) {
            (Targets::Short(t, _), Weights::Constant) => {
                constant(due, t[range].iter().map(|t| usize::from(*t)), constants[run.projection as usize])
            }
            (Targets::Long(t), Weights::Constant) => constant(due, t[range].iter().map(|t| slot(*t)), constants[run.projection as usize]),
            (Targets::Short(t, shift), Weights::Short(w)) => {
                let pairs = t[range.clone()].iter().zip(&w[range]);
                each(due, pairs.map(|(t, w)| (usize::from(*t), i32::from(*w) << shift)));
            }
            (Targets::Long(t), Weights::Short(w)) => {
                let pairs = t[range.clone()].iter().zip(&w[range]);
                each(due, pairs.map(|(t, w)| (slot(*t), i32::from(*w) << (t >> SLOT_BITS))));
            }
            (Targets::Short(t, _), Weights::Long(w)) => {
                each(due, t[range.clone()].iter().zip(&w[range]).map(|(t, w)| (usize::from(*t), *w)))
            }
            (Targets::Long(t), Weights::Long(w)) => each(due, t[range.clone()].iter().zip(&w[range]).map(|(t, w)| (slot(*t), *w))),
        }
    }

    pub fn bytes(&self) -> u64 {
        let targets = match &self.targets {
            Targets::Short(t, _) => t.len() * 2,
            Targets::Long(t) => t.len() * 4,
        };
        let weights = match &self.weights {
            Weights::Constant => 0,
            Weights::Short(w) => w.len() * 2,
            Weights::Long(w) => w.len() * 4,
        };
        (targets + weights + self.runs.len() * 8 + self.ends.len() * 8) as u64
    }
}

#[inline(always)]
fn slot(target: u32) -> usize {
    (target & ((1 << SLOT_BITS) - 1)) as usize
}

#[inline(always)]
fn constant(due: &mut [i32], slots: impl Iterator<Item = usize>, weight: i32) {
    each(due, slots.map(|s| (s, weight)));
}

#[inline(always)]
fn each(due: &mut [i32], synapses: impl Iterator<Item = (usize, i32)>) {
    synapses.for_each(|(slot, weight)| due[slot] = due[slot].wrapping_add(weight));
}
