//! Rows of synapses for the device: one row for each neuron and shard, over all projections that leave the neuron.
//! Counted first, then filled and sent in portions, so that the host never holds all of them. Knows no kernel.

use rayon::prelude::*;

use super::shards::Piece;
use crate::plan::{Drawn, Plan, Synapses};

/// Work items take this many synapses.
pub const CHUNK: u32 = 256;
/// Neurons whose rows one thread draws at a time, and such blocks to a portion.
const BLOCK: u32 = 256;
const PORTION: usize = 32;

/// Where a range of a population's neurons lies: in which shard, and at which slot.
#[derive(Clone, Copy)]
struct Landing {
    to: u32,
    shard: usize,
    piece: Piece,
}

pub struct Builder<'a> {
    plan: &'a Plan,
    leaving: Vec<Vec<usize>>,
    /// By population, in order of neurons.
    landings: Vec<Vec<Landing>>,
    shards: usize,
    delay_bits: u32,
}

/// Rows of a block of neurons, by shard: ends counted from the block's first synapse, and synapses.
#[derive(Default, Clone)]
struct Rows {
    ends: Vec<u32>,
    words: Vec<[u32; 2]>,
    count: u64,
}

impl<'a> Builder<'a> {
    pub fn new(plan: &'a Plan, shards: &[Vec<Piece>], delay_bits: u32) -> Self {
        let mut leaving = vec![Vec::new(); plan.populations.len()];
        plan.projections.iter().enumerate().for_each(|(i, p)| leaving[p.source].push(i));
        let mut landings = vec![Vec::new(); plan.populations.len()];
        for (shard, pieces) in shards.iter().enumerate() {
            for piece in pieces {
                landings[piece.population].push(Landing { to: piece.to, shard, piece: *piece });
            }
        }
        Self { plan, leaving, landings, shards: shards.len(), delay_bits }
    }

    /// Ends of the rows of every shard, by neuron. An error names a shard that outgrows `most` synapses.
    pub fn ends(&self, most: u64) -> Result<Vec<Vec<u32>>, Outgrown> {
        let blocks: Vec<Vec<Rows>> = (0..self.plan.neurons.div_ceil(BLOCK)).into_par_iter().map(|b| self.block(b, false)).collect();
        (0..self.shards)
            .map(|s| {
                let (mut ends, mut base) = (Vec::with_capacity(self.plan.neurons as usize), 0u64);
                for block in &blocks {
                    if base + block[s].count > most {
                        return Err(Outgrown);
                    }
                    ends.extend(block[s].ends.iter().map(|e| base as u32 + e));
                    base += block[s].count;
                }
                Ok(ends)
            })
            .collect()
    }

    /// Gives every shard's synapses in order of rows: (shard, first synapse, words).
    pub fn fill(&self, ends: &[Vec<u32>], mut each: impl FnMut(usize, u64, &[[u32; 2]])) {
        let blocks: Vec<u32> = (0..self.plan.neurons.div_ceil(BLOCK)).collect();
        for portion in blocks.chunks(PORTION) {
            let rows: Vec<Vec<Rows>> = portion.par_iter().map(|b| self.block(*b, true)).collect();
            for (b, rows) in portion.iter().zip(&rows) {
                for (s, rows) in rows.iter().enumerate() {
                    let first = if *b == 0 { 0 } else { ends[s][(b * BLOCK) as usize - 1] };
                    each(s, u64::from(first), &rows.words);
                }
            }
        }
    }

    fn block(&self, b: u32, keep: bool) -> Vec<Rows> {
        let mut synapses: Vec<Synapses> = self.plan.projections.iter().map(|p| Synapses::new(self.plan.seed, p)).collect();
        let mut out = vec![Rows::default(); self.shards];
        let mut drawn = Vec::new();
        for neuron in b * BLOCK..(b * BLOCK + BLOCK).min(self.plan.neurons) {
            let population = self.plan.populations.partition_point(|p| p.first + p.size <= neuron);
            let index = neuron - self.plan.populations[population].first;
            for i in &self.leaving[population] {
                if let Some(source) = self.plan.projections[*i].from.find(index) {
                    drawn.clear();
                    synapses[*i].row(source, &mut drawn);
                    self.place(*i, &synapses[*i], &drawn, keep, &mut out);
                }
            }
            out.iter_mut().for_each(|rows| rows.ends.push(rows.count as u32));
        }
        out
    }

    fn place(&self, i: usize, synapses: &Synapses, row: &[Drawn], keep: bool, out: &mut [Rows]) {
        let p = &self.plan.projections[i];
        let target = &self.plan.populations[p.target];
        let landings = &self.landings[p.target];
        for drawn in row {
            let landing = landings[landings.partition_point(|l| l.to <= drawn.target)];
            let rows = &mut out[landing.shard];
            rows.count += 1;
            if keep {
                let weight = synapses.quanta(drawn);
                let receptor = (p.slots[usize::from(weight < 0)] - target.slot) as u32 / target.size;
                let slot = landing.piece.slot + receptor * landing.piece.len() + drawn.target - landing.piece.from;
                rows.words.push([slot << self.delay_bits | drawn.delay, weight as u32]);
            }
        }
    }
}

/// A shard would hold more synapses than a binding takes.
pub struct Outgrown;
