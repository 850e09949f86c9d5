//! Building stored rows, in parallel over blocks of sources. The result does not depend on the number of threads that build.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::partition::{NOBODY, Owners};
use super::rows::{self, BLOCK, Block, Kind, Run};
use super::sums::SHORT;
use crate::plan::{Drawn, Plan, ProjectionPlan, Synapses, constant};

/// Rows of all neurons in one layer onto the neurons of each owner; `owned` says how many neurons each has.
pub fn blocks(plan: &Plan, owners: &Owners, owned: &[usize], layer: usize) -> Result<Vec<Vec<Block>>, String> {
    if plan.projections.len() > usize::from(u16::MAX) / 2 {
        return Err(format!("{} projections: at most 32,767 can be built", plan.projections.len()));
    }
    let kinds = kinds(plan);
    let alike = alike(plan, &kinds);
    let builder =
        Builder { plan, owners, owned, keys: (0..plan.populations.len()).map(|p| Keys::new(plan, p, &alike, layer)).collect(), kinds };
    let built: Vec<Vec<Block>> = (0..plan.neurons.div_ceil(BLOCK)).into_par_iter().map(|b| builder.block(b)).collect::<Result<_, _>>()?;
    let mut out: Vec<Vec<Block>> = owned.iter().map(|_| Vec::with_capacity(built.len())).collect();
    built.into_iter().for_each(|of| out.iter_mut().zip(of).for_each(|(out, block)| out.push(block)));
    Ok(out)
}

/// The kind of the synapses of each projection: those of positive weight, then those of negative.
pub fn kinds(plan: &Plan) -> Vec<Kind> {
    let of = |p: &ProjectionPlan| {
        let target = &plan.populations[p.target];
        p.slots.map(|slot| Kind {
            receptor: ((slot - target.slot) / (target.size as usize).max(1)) as u16,
            weight: p.weight.law.min() << p.weight.shift,
            // Listed weights are whole quanta.
            shift: if p.listed.iter().any(|s| s.weight.is_some()) { 0 } else { p.weight.shift },
        })
    };
    plan.projections.iter().flat_map(of).collect()
}

/// Whether a projection's weights are stored one by one.
pub fn stored(p: &ProjectionPlan) -> bool {
    !p.procedural() && p.plastic.is_none() && (!constant(&p.weight.law) || p.listed.iter().any(|s| s.weight.is_some()))
}

/// For each kind the first that is the same where weights are stored: runs of alike kinds can be one.
fn alike(plan: &Plan, kinds: &[Kind]) -> Vec<u16> {
    let layers: Vec<(usize, usize)> = plan.projections.iter().map(|p| (p.source, plan.layer(p))).collect();
    let with_stored: BTreeSet<(usize, usize)> =
        plan.projections.iter().zip(&layers).filter(|(p, _)| stored(p)).map(|(_, layer)| *layer).collect();
    let mixed: Vec<bool> = layers.iter().map(|layer| with_stored.contains(layer)).collect();
    let first = |i: usize| {
        let same = |j: usize| mixed[j / 2] && (kinds[i].receptor, kinds[i].shift) == (kinds[j].receptor, kinds[j].shift);
        if mixed[i / 2] { (0..i).find(|j| same(*j)).unwrap_or(i) } else { i }
    };
    (0..kinds.len()).map(|i| first(i) as u16).collect()
}

/// The order of the synapses in the rows of one population: by owner, delay and kind, as one number.
struct Keys {
    /// Stored projections that leave the population, with the ranks of their two kinds.
    leaving: Vec<(usize, [u32; 2])>,
    /// Kinds by rank.
    kinds: Vec<u16>,
    shortest: u32,
    delays: u32,
    /// Some weights are stored one by one.
    stored: bool,
}

impl Keys {
    fn new(plan: &Plan, population: usize, alike: &[u16], layer: usize) -> Self {
        let here = |p: &ProjectionPlan| p.source == population && !p.procedural() && p.plastic.is_none() && plan.layer(p) == layer;
        let of = || plan.projections.iter().enumerate().filter(|(_, p)| here(p));
        let mut kinds: Vec<u16> = of().flat_map(|(i, _)| [alike[2 * i], alike[2 * i + 1]]).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let rank = |kind: u16| kinds.partition_point(|k| *k < kind) as u32;
        let leaving = of().map(|(i, _)| (i, [rank(alike[2 * i]), rank(alike[2 * i + 1])])).collect();
        let shortest = of().map(|(_, p)| p.shortest() as u32).min().unwrap_or(1);
        let longest = of().map(|(_, p)| p.longest() as u32).fold(shortest, u32::max);
        Self { leaving, kinds, shortest, delays: longest - shortest + 1, stored: of().any(|(_, p)| stored(p)) }
    }

    fn key(&self, owner: u16, delay: u32, rank: u32) -> u64 {
        (u64::from(owner) * u64::from(self.delays) + u64::from(delay - self.shortest)) * self.kinds.len() as u64 + u64::from(rank)
    }

    fn run(&self, key: u64, len: usize) -> (usize, Run) {
        let (kind, rest) = (key % self.kinds.len() as u64, key / self.kinds.len() as u64);
        let delay = (rest % u64::from(self.delays)) as u32 + self.shortest;
        let run = Run { delay: delay as u16, kind: self.kinds[kind as usize], len: len as u32 };
        ((rest / u64::from(self.delays)) as usize, run)
    }
}

struct Builder<'a> {
    plan: &'a Plan,
    owners: &'a Owners,
    owned: &'a [usize],
    keys: Vec<Keys>,
    kinds: Vec<Kind>,
}

/// One synapse on its way into a block.
#[derive(Clone, Copy, Default)]
struct Entry {
    key: u64,
    target: u32,
    weight: i32,
}

/// What is gathered for one owner.
#[derive(Default)]
struct Gathered {
    block: Block,
    targets: Vec<u32>,
    weights: Vec<i32>,
}

impl Builder<'_> {
    fn block(&self, b: u32) -> Result<Vec<Block>, String> {
        let plan = self.plan;
        let mut synapses: Vec<Synapses> = plan.projections.iter().map(|p| Synapses::new(plan.seed, p)).collect();
        let mut gathered: Vec<Gathered> = self.owned.iter().map(|_| Gathered::default()).collect();
        let (mut row, mut sorted, mut drawn) = (Vec::new(), Vec::new(), Vec::new());
        let mut weights_stored = false;
        for neuron in b * BLOCK..(b * BLOCK + BLOCK).min(plan.neurons) {
            let population = plan.populations.partition_point(|p| p.first + p.size <= neuron);
            let index = neuron - plan.populations[population].first;
            let keys = &self.keys[population];
            weights_stored |= keys.stored;
            row.clear();
            for (i, ranks) in &keys.leaving {
                if let Some(source) = plan.projections[*i].from.find(index) {
                    drawn.clear();
                    synapses[*i].row(source, &mut drawn);
                    self.entries(keys, plan.projections[*i].target, *ranks, &drawn, &mut row);
                }
            }
            by_key(&mut row, &mut sorted, self.owned.len() as u64 * u64::from(keys.delays) * keys.kinds.len() as u64);
            gather(&row, keys, &mut gathered)?;
        }
        Ok(gathered.into_iter().zip(self.owned).map(|(g, owned)| self.columns(g, weights_stored, *owned)).collect())
    }

    fn entries(&self, keys: &Keys, target: usize, ranks: [u32; 2], drawn: &[Drawn], row: &mut Vec<Entry>) {
        row.extend(drawn.iter().filter_map(|d| {
            let (owner, target) = self.owners.find(target, d.target);
            let entry = || Entry { key: keys.key(owner, d.delay, ranks[usize::from(d.weight < 0)]), target, weight: d.weight };
            (owner != NOBODY).then(entry)
        }));
    }

    fn columns(&self, gathered: Gathered, weights_stored: bool, owned: usize) -> Block {
        let Gathered { mut block, targets, weights } = gathered;
        let (short, small) = (owned <= SHORT, weights.iter().all(|w| i16::try_from(*w).is_ok()));
        block.synapses = match (weights_stored, short) {
            (false, true) => rows::Synapses::Short(targets.iter().map(|t| *t as u16).collect()),
            (false, false) => rows::Synapses::Long(targets),
            (true, true) if small => rows::Synapses::Packed(targets.iter().zip(&weights).map(|(t, w)| t | (*w as u32) << 16).collect()),
            (true, false) if small => rows::Synapses::LongShort(targets, weights.iter().map(|w| *w as i16).collect()),
            _ => rows::Synapses::Wide(targets, self.quanta(&block, weights)),
        };
        block
    }

    /// Weights with their shifts applied.
    fn quanta(&self, block: &Block, mut weights: Vec<i32>) -> Vec<i32> {
        let mut at = 0;
        for run in &block.runs {
            let end = at + run.len as usize;
            weights[at..end].iter_mut().for_each(|w| *w <<= self.kinds[usize::from(run.kind)].shift);
            at = end;
        }
        weights
    }
}

/// Counting is faster than comparing up to this many keys.
const COUNTED: u64 = 1 << 16;

/// Stable order by key, all of which are below `keys`.
fn by_key(row: &mut Vec<Entry>, sorted: &mut Vec<Entry>, keys: u64) {
    if keys <= 1 {
        return;
    }
    if keys > COUNTED {
        row.sort_by_key(|e| e.key);
        return;
    }
    let mut place = vec![0u32; keys as usize + 1];
    row.iter().for_each(|e| place[e.key as usize + 1] += 1);
    (1..place.len()).for_each(|d| place[d] += place[d - 1]);
    sorted.clear();
    sorted.resize(row.len(), Entry::default());
    for entry in row.iter() {
        let at = &mut place[entry.key as usize];
        sorted[*at as usize] = *entry;
        *at += 1;
    }
    std::mem::swap(row, sorted);
}

/// The row of one source, in order of keys, as runs of its owners.
fn gather(row: &[Entry], keys: &Keys, gathered: &mut [Gathered]) -> Result<(), String> {
    for run in row.chunk_by(|a, b| a.key == b.key) {
        let (owner, header) = keys.run(run[0].key, run.len());
        let mine = &mut gathered[owner];
        mine.block.runs.push(header);
        mine.targets.extend(run.iter().map(|e| e.target));
        mine.weights.extend(run.iter().map(|e| e.weight));
    }
    let too_many = |_| "256 neurons have over 2^32 synapses: split the population".to_string();
    for mine in gathered {
        mine.block.run_ends.push(u32::try_from(mine.block.runs.len()).map_err(too_many)?);
        mine.block.ends.push(u32::try_from(mine.targets.len()).map_err(too_many)?);
    }
    Ok(())
}
