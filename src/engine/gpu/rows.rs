//! Where the rows of a shard lie, from their lengths. Knows no device.

use super::wires::{Format, first_rows, items, record_of};
use crate::plan::Plan;

pub struct Rows {
    /// Where every row ends, over all projections in order; a row begins where the one before ends, and at an even number
    /// where its weights have 16 bits.
    pub ends: Vec<u32>,
    /// First synapse and first word of the weights, by projection.
    origins: Vec<[u32; 2]>,
    /// Synapses by projection.
    counts: Vec<u32>,
    pub synapses: u32,
    pub weight_words: u32,
}

/// A shard would hold more than a binding takes.
pub struct Outgrown;

impl Rows {
    /// From lengths by row; at most `most` words to a buffer.
    pub fn new(plan: &Plan, lengths: &[u32], most: u64) -> Result<Self, Outgrown> {
        let (mut ends, mut origins, mut counts) = (Vec::with_capacity(lengths.len()), Vec::new(), Vec::new());
        let (mut at, mut words, mut row) = (0u64, 0u64, 0);
        for p in &plan.projections {
            let format = Format::of(p);
            at += if format == Format::Short { at & 1 } else { 0 };
            let origin = [at as u32, words as u32];
            let first = at;
            for length in &lengths[row..row + p.from.len() as usize] {
                at += u64::from(*length) + if format == Format::Short { at & 1 } else { 0 };
                ends.push(at as u32);
            }
            row += p.from.len() as usize;
            words += match format {
                Format::Constant => 0,
                Format::Short => (at - first).div_ceil(2),
                Format::Long => at - first,
                // The weights, then what else each synapse keeps.
                Format::Plastic => (at - first) * (1 + p.plastic.as_ref().map_or(0, |w| w.kept.len() as u64)),
            };
            counts.push((at - first) as u32);
            if at.max(words) > most {
                return Err(Outgrown);
            }
            origins.push(origin);
        }
        Ok(Self { ends, origins, counts, synapses: at as u32, weight_words: words as u32 })
    }

    /// Where a row begins.
    pub fn begin(&self, row: u32, format: Format) -> u32 {
        let end = if row == 0 { 0 } else { self.ends[row as usize - 1] };
        if format == Format::Short { end + (end & 1) } else { end }
    }

    pub fn origin(&self, projection: usize) -> [u32; 2] {
        self.origins[projection]
    }

    /// Synapses of a projection that are here.
    pub fn count(&self, projection: usize) -> u32 {
        self.counts[projection]
    }

    /// Tells the tables where the rows lie.
    pub fn enter(&self, wires: &mut [u32]) {
        for (i, [synapse, word]) in self.origins.iter().enumerate() {
            wires[record_of(i) + 28] = *word;
            wires[record_of(i) + 29] = *synapse;
        }
    }
}

/// Work items of every row, of so many synapses, and synapses that leave each neuron in rows that are stored.
pub fn work(plan: &Plan, shards: &[Rows], chunk: u32) -> Result<(Vec<u32>, Vec<u64>), String> {
    let (first, all) = first_rows(plan)?;
    let mut chunks = Vec::with_capacity(all as usize);
    let mut degrees = vec![0; plan.neurons as usize];
    for (i, p) in plan.projections.iter().enumerate() {
        let format = Format::of(p);
        for s in 0..p.from.len() {
            let row = first[i] + s;
            if p.procedural() {
                chunks.push(items(p, s, chunk));
                continue;
            }
            let lengths = shards.iter().map(|rows| rows.ends[row as usize] - rows.begin(row, format));
            chunks.push(lengths.clone().map(|l| l.div_ceil(chunk)).max().unwrap_or(0));
            let neuron = plan.populations[p.source].first + p.from.get(s);
            degrees[neuron as usize] += lengths.map(u64::from).sum::<u64>();
        }
    }
    Ok((chunks, degrees))
}
