//! Fixed in-degree with multapses: every target has K stubs, and each stub chooses its source independently. Rows have
//! random access: the multinomial out-degrees are kept as ends of rows, and synapse number j of all owns stub
//! permutation(j), whose target is stub / K. Knows no weight.
//!
//! More stubs than 31 bits hold are cut into blocks of targets, each with a multinomial of its own.
//!
//! Without autapses, a synapse that lands on its own source trades stubs with another that is chosen at random. In-degrees
//! stay exact and, given that, the source of a stub is uniform over all others by symmetry; the variance of out-degrees
//! differs from K(N-1)/(N-1)(1-1/(N-1)) by 1/N^2. Those few trades are kept.

use rayon::prelude::*;

use super::counts::Ends;
use super::permutation::Permutation;
use crate::base::rng::Stream;

/// Stubs of a block, at most.
const MOST: u64 = 1 << 31;
/// Fewer sources than this leave no room for trades: out-degrees would be too far from their law.
pub const FEWEST: u32 = 100;
const TRIES: u32 = 1000;

pub struct Stubs {
    pub in_degree: u32,
    /// Targets of a block.
    pub width: u32,
    pub blocks: Vec<Block>,
    targets: u32,
}

pub struct Block {
    pub ends: Ends,
    pub permutation: Permutation,
    /// Synapses that have another stub than the permutation says, sorted.
    pub trades: Vec<(u32, u32)>,
}

impl Stubs {
    /// None where autapses cannot be traded away.
    pub fn new(
        in_degree: u32,
        sources: u32,
        targets: u32,
        own: Option<impl Fn(u32) -> Option<u32> + Sync + Copy>,
        stream: &Stream,
    ) -> Option<Self> {
        Self::with_blocks_of(MOST, in_degree, sources, targets, own, stream)
    }

    pub fn with_blocks_of(
        most: u64,
        in_degree: u32,
        sources: u32,
        targets: u32,
        own: Option<impl Fn(u32) -> Option<u32> + Sync + Copy>,
        stream: &Stream,
    ) -> Option<Self> {
        let width = (most / u64::from(in_degree.max(1))).clamp(1, u64::from(targets.max(1))) as u32;
        let mut stubs = Self { in_degree, width, blocks: Vec::new(), targets };
        for b in 0..targets.div_ceil(width) {
            let count = (targets - b * width).min(width) * in_degree;
            let key = stream.block([b, 0, 0, 1]);
            let chooser = Stream::new(u64::from(key[2]) << 32 | u64::from(key[3]), [key[0], key[1]]);
            let mut block = Block {
                ends: Ends::multinomial(u64::from(count), sources, &chooser),
                permutation: Permutation::new(count, chooser.block([0, 0, 0, 1])),
                trades: Vec::new(),
            };
            if let Some(own) = own
                && !block.trade(sources, b * width, in_degree, own, &chooser)
            {
                return None;
            }
            stubs.blocks.push(block);
        }
        Some(stubs)
    }

    pub fn bytes(&self) -> u64 {
        self.blocks.iter().map(|b| b.ends.bytes() + 8 * b.trades.len() as u64).sum()
    }

    pub fn synapses(&self) -> u64 {
        u64::from(self.in_degree) * u64::from(self.targets)
    }

    /// Targets of a row that lie in block `b`.
    #[inline(always)]
    pub fn stretch(&self, source: u32, b: u32, out: &mut Vec<u32>) {
        let (block, first) = (&self.blocks[b as usize], out.len());
        let (begin, end) = block.row(source);
        out.extend((begin..end).map(|j| b * self.width + block.permutation.at(j) / self.in_degree));
        let from = block.trades.partition_point(|t| t.0 < begin);
        for (j, stub) in block.trades[from..].iter().take_while(|t| t.0 < end) {
            out[first + (j - begin) as usize] = b * self.width + stub / self.in_degree;
        }
    }
}

impl Block {
    pub fn row(&self, source: u32) -> (u32, u32) {
        let row = self.ends.row(source);
        (row.start as u32, row.end as u32)
    }

    /// Trades autapses away; false where no partner was found. `first` is the block's first target.
    fn trade(&mut self, sources: u32, first: u32, in_degree: u32, own: impl Fn(u32) -> Option<u32> + Sync, stream: &Stream) -> bool {
        let target = |j: u32| first + self.permutation.at(j) / in_degree;
        let autapses: Vec<u32> = (0..sources)
            .into_par_iter()
            .flat_map_iter(|s| {
                let (begin, end) = self.row(s);
                let here = own(s).filter(|t| (*t).wrapping_sub(first) < (self.permutation.n / in_degree.max(1)));
                (begin..end).filter(move |j| here.is_some_and(|t| target(*j) == t))
            })
            .collect();
        let mut traded = std::collections::BTreeMap::new();
        let source = |j: u32| self.ends.owner(j);
        for (i, j) in autapses.iter().enumerate() {
            let from = source(*j);
            let partner = (0..TRIES).find_map(|attempt| {
                let word = stream.block([i as u32, attempt, 0, 2])[0];
                let other = ((u64::from(word) * u64::from(self.permutation.n)) >> 32) as u32;
                let (theirs, there) = (source(other), target(other));
                let fits = own(theirs) != Some(there) && own(theirs) != Some(target(*j)) && own(from) != Some(there);
                (fits && !traded.contains_key(&other)).then_some(other)
            });
            let Some(other) = partner else { return false };
            traded.insert(*j, self.permutation.at(other));
            traded.insert(other, self.permutation.at(*j));
        }
        self.trades = traded.into_iter().collect();
        true
    }
}
