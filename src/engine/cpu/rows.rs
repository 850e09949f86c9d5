//! Stored synapses of one projection: rows by source, in blocks of sources that were built in parallel. Knows no rule.
//!
//! A synapse takes 2 or 4 bytes for its target, and 2 or 4 more for a weight and 1 or 2 for a delay where these differ.

use crate::network::Which;

/// Sources that share one set of columns.
pub const BLOCK: u32 = 256;

pub struct Rows {
    /// Position of each neuron of the source population among the sources; `u32::MAX` where it is none.
    pub position: Position,
    pub blocks: Vec<Block>,
    pub shift: u32,
    /// Taken where a block stores none of its own.
    pub weight: i32,
    pub delay: u32,
}

pub enum Position {
    From { start: u32, len: u32 },
    Map(Vec<u32>),
}

/// Rows of up to `BLOCK` sources, one after another.
#[derive(Default)]
pub struct Block {
    pub ends: Vec<u32>,
    pub targets: Targets,
    pub weights: Weights,
    pub delays: Delays,
}

pub enum Targets {
    Short(Vec<u16>),
    Long(Vec<u32>),
}

#[derive(Default)]
pub enum Weights {
    #[default]
    Shared,
    Short(Vec<i16>),
    Long(Vec<i32>),
}

#[derive(Default)]
pub enum Delays {
    #[default]
    Shared,
    Short(Vec<u8>),
    Long(Vec<u16>),
}

impl Default for Targets {
    fn default() -> Self {
        Targets::Short(Vec::new())
    }
}

impl Position {
    pub fn new(which: &Which, size: u32) -> Self {
        match which {
            Which::Range { start, len } => Position::From { start: *start, len: *len },
            Which::List(list) => {
                let mut map = vec![u32::MAX; size as usize];
                list.iter().enumerate().for_each(|(i, n)| map[*n as usize] = i as u32);
                Position::Map(map)
            }
        }
    }

    fn of(&self, neuron: u32) -> Option<u32> {
        match self {
            Position::From { start, len } => neuron.checked_sub(*start).filter(|i| i < len),
            Position::Map(map) => Some(map[neuron as usize]).filter(|i| *i != u32::MAX),
        }
    }
}

/// Where a row's inputs go: the ring as seen by one spike.
struct Landing<'a> {
    ring: &'a mut [i32],
    slots: usize,
    rows: usize,
    /// Row of the present step.
    now: usize,
    base: [usize; 2],
}

impl Landing<'_> {
    #[inline(always)]
    fn add(&mut self, target: usize, weight: i32, delay: usize) {
        let row = self.now + delay;
        let row = if row >= self.rows { row - self.rows } else { row };
        let base = self.base[usize::from(weight < 0)];
        let at = &mut self.ring[row * self.slots + base + target];
        *at = at.wrapping_add(weight);
    }
}

trait Stored: Copy {
    fn get(self) -> i32;
}
impl Stored for u8 {
    #[inline(always)]
    fn get(self) -> i32 {
        i32::from(self)
    }
}
impl Stored for u16 {
    #[inline(always)]
    fn get(self) -> i32 {
        i32::from(self)
    }
}
impl Stored for i16 {
    #[inline(always)]
    fn get(self) -> i32 {
        i32::from(self)
    }
}
impl Stored for i32 {
    #[inline(always)]
    fn get(self) -> i32 {
        self
    }
}
impl Stored for u32 {
    #[inline(always)]
    fn get(self) -> i32 {
        self as i32
    }
}

impl Rows {
    /// Adds the row of a spiking neuron to the ring and gives the number of synaptic events.
    #[inline(always)]
    pub fn deliver(&self, neuron: u32, now: u64, base: [usize; 2], slots: usize, rows: usize, ring: &mut [i32]) -> u64 {
        let Some(source) = self.position.of(neuron) else { return 0 };
        let Some(block) = self.blocks.get((source / BLOCK) as usize) else { return 0 };
        let i = (source % BLOCK) as usize;
        let start = if i == 0 { 0 } else { block.ends[i - 1] as usize };
        let row = start..block.ends[i] as usize;
        let mut landing = Landing { ring, slots, rows, now: (now % rows as u64) as usize, base };
        match &block.targets {
            Targets::Short(targets) => self.weighted(block, &targets[row.clone()], row.clone(), &mut landing),
            Targets::Long(targets) => self.weighted(block, &targets[row.clone()], row.clone(), &mut landing),
        }
        row.len() as u64
    }

    #[inline(always)]
    fn weighted<T: Stored>(&self, block: &Block, targets: &[T], row: std::ops::Range<usize>, landing: &mut Landing) {
        let (w, shift) = (self.weight, self.shift);
        match &block.weights {
            Weights::Shared => self.delayed(block, targets.iter().map(|t| (t.get(), w)), row, landing),
            Weights::Short(weights) => {
                self.delayed(block, targets.iter().zip(&weights[row.clone()]).map(|(t, w)| (t.get(), w.get() << shift)), row, landing);
            }
            Weights::Long(weights) => {
                self.delayed(block, targets.iter().zip(&weights[row.clone()]).map(|(t, w)| (t.get(), *w)), row, landing);
            }
        }
    }

    #[inline(always)]
    fn delayed(&self, block: &Block, synapses: impl Iterator<Item = (i32, i32)>, row: std::ops::Range<usize>, landing: &mut Landing) {
        let d = self.delay as usize;
        match &block.delays {
            Delays::Shared => synapses.for_each(|(t, w)| landing.add(t as u32 as usize, w, d)),
            Delays::Short(delays) => {
                synapses.zip(&delays[row]).for_each(|((t, w), d)| landing.add(t as u32 as usize, w, d.get() as usize));
            }
            Delays::Long(delays) => {
                synapses.zip(&delays[row]).for_each(|((t, w), d)| landing.add(t as u32 as usize, w, d.get() as usize));
            }
        }
    }

    pub fn bytes(&self) -> u64 {
        self.blocks.iter().map(Block::bytes).sum()
    }
}

impl Block {
    fn bytes(&self) -> u64 {
        let targets = match &self.targets {
            Targets::Short(t) => t.len() * 2,
            Targets::Long(t) => t.len() * 4,
        };
        let weights = match &self.weights {
            Weights::Shared => 0,
            Weights::Short(w) => w.len() * 2,
            Weights::Long(w) => w.len() * 4,
        };
        let delays = match &self.delays {
            Delays::Shared => 0,
            Delays::Short(d) => d.len(),
            Delays::Long(d) => d.len() * 2,
        };
        (targets + weights + delays + self.ends.len() * 4) as u64
    }
}
