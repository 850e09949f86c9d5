//! Building stored rows, in parallel over blocks of neurons. The result does not depend on the number of threads.

use rayon::prelude::*;

use super::rows::{BLOCK, Block, Run, SLOT_BITS, Targets, Weights};
use crate::plan::{Drawn, Plan, ProjectionPlan, Synapses, constant};

/// Rows of all neurons.
pub fn blocks(plan: &Plan) -> Result<Vec<Block>, String> {
    if plan.slots >= 1 << SLOT_BITS {
        return Err(format!("{} receptors in all: the CPU engine numbers at most 2^{SLOT_BITS}", plan.slots));
    }
    if plan.projections.len() > usize::from(u16::MAX) {
        return Err(format!("{} projections: at most 65,535 can be built", plan.projections.len()));
    }
    let mut leaving = vec![Vec::new(); plan.populations.len()];
    plan.projections.iter().enumerate().filter(|(_, p)| !p.procedural()).for_each(|(i, p)| leaving[p.source].push(i));
    (0..plan.neurons.div_ceil(BLOCK)).into_par_iter().map(|b| block(plan, &leaving, b)).collect()
}

/// The weight of each projection whose weights are all the same, in quanta.
pub fn constants(plan: &Plan) -> Vec<i32> {
    plan.projections.iter().map(|p| p.weight.law.min() << p.weight.shift).collect()
}

/// Whether a projection's weights are stored one by one.
pub fn stored(p: &ProjectionPlan) -> bool {
    !p.procedural() && (!constant(&p.weight.law) || p.listed.iter().any(|s| s.weight.is_some()))
}

/// One synapse on its way into a block.
#[derive(Clone, Copy, Default)]
struct Entry {
    delay: u32,
    projection: u16,
    shift: u8,
    slot: u32,
    weight: i32,
}

fn block(plan: &Plan, leaving: &[Vec<usize>], b: u32) -> Result<Block, String> {
    let mut synapses: Vec<Synapses> = plan.projections.iter().map(|p| Synapses::new(plan.seed, p)).collect();
    let mut out = Block::default();
    let (mut all, mut row, mut sorted, mut drawn) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut weights_stored = false;
    for neuron in b * BLOCK..(b * BLOCK + BLOCK).min(plan.neurons) {
        let population = plan.populations.partition_point(|p| p.first + p.size <= neuron);
        let index = neuron - plan.populations[population].first;
        weights_stored |= leaving[population].iter().any(|i| stored(&plan.projections[*i]));
        row.clear();
        for i in &leaving[population] {
            if let Some(source) = plan.projections[*i].from.find(index) {
                drawn.clear();
                synapses[*i].row(source, &mut drawn);
                entries(plan, *i, &synapses[*i], &drawn, &mut row);
            }
        }
        by_delay(&mut row, &mut sorted);
        out.runs.extend(row.chunk_by(|a, b| (a.delay, a.projection) == (b.delay, b.projection)).map(|c| Run {
            delay: c[0].delay as u16,
            projection: c[0].projection,
            len: c.len() as u32,
        }));
        all.extend_from_slice(&row);
        let too_many = |_| "256 neurons have over 2^32 synapses: split the population".to_string();
        out.run_ends.push(u32::try_from(out.runs.len()).map_err(too_many)?);
        out.ends.push(u32::try_from(all.len()).map_err(too_many)?);
    }
    columns(plan, &all, weights_stored, synapses.iter().any(|s| s.listed_weights), &mut out);
    Ok(out)
}

/// Entries of a drawn row. Runs of stored weights need not be told apart by projection.
fn entries(plan: &Plan, i: usize, synapses: &Synapses, drawn: &[Drawn], row: &mut Vec<Entry>) {
    let p = &plan.projections[i];
    let mixed = plan.projections.iter().filter(|q| q.source == p.source).any(stored);
    let (projection, shift) = (if mixed { 0 } else { i as u16 }, if synapses.listed_weights { 0 } else { p.weight.shift as u8 });
    row.extend(drawn.iter().map(|d| Entry {
        delay: d.delay,
        projection,
        shift,
        slot: p.slots[usize::from(d.weight < 0)] as u32 + d.target,
        weight: d.weight,
    }));
}

/// Stable order by delay, then projection: rows come in order of projections.
fn by_delay(row: &mut Vec<Entry>, sorted: &mut Vec<Entry>) {
    let (low, high) = row.iter().fold((u32::MAX, 0), |(low, high), e| (low.min(e.delay), high.max(e.delay)));
    if low >= high {
        return;
    }
    if high - low > 4096 {
        row.sort_by_key(|e| e.delay);
        return;
    }
    let mut place = vec![0usize; (high - low + 2) as usize];
    row.iter().for_each(|e| place[(e.delay - low + 1) as usize] += 1);
    (1..place.len()).for_each(|d| place[d] += place[d - 1]);
    sorted.clear();
    sorted.resize(row.len(), Entry::default());
    for entry in row.iter() {
        let at = &mut place[(entry.delay - low) as usize];
        sorted[*at] = *entry;
        *at += 1;
    }
    std::mem::swap(row, sorted);
}

fn columns(plan: &Plan, all: &[Entry], weights_stored: bool, long: bool, out: &mut Block) {
    let shift = all.first().map_or(0, |e| e.shift);
    let one_shift = all.iter().all(|e| e.shift == shift);
    out.targets = if plan.slots <= 1 << 16 && (one_shift || long || !weights_stored) {
        Targets::Short(all.iter().map(|e| e.slot as u16).collect(), u32::from(shift))
    } else {
        Targets::Long(all.iter().map(|e| e.slot | u32::from(e.shift) << SLOT_BITS).collect())
    };
    if weights_stored {
        out.weights = if long || !all.iter().all(|e| i16::try_from(e.weight).is_ok()) {
            Weights::Long(all.iter().map(|e| e.weight << e.shift).collect())
        } else {
            Weights::Short(all.iter().map(|e| e.weight as i16).collect())
        };
    }
}
