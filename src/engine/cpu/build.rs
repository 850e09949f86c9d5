//! Building stored rows, in parallel over blocks of sources. The result does not depend on the number of threads.

use rayon::prelude::*;

use super::rows::{BLOCK, Block, Delays, Position, Rows, Targets, Weights};
use crate::plan::{Drawn, Plan, ProjectionPlan, Synapses, constant};

pub fn rows(plan: &Plan, p: &ProjectionPlan) -> Result<Rows, String> {
    let sources = p.from.len();
    let blocks = (0..sources.div_ceil(BLOCK)).into_par_iter().map(|b| block(plan, p, b)).collect::<Result<Vec<_>, String>>()?;
    Ok(Rows {
        position: Position::new(&p.from, plan.populations[p.source].size),
        blocks,
        shift: p.weight.shift,
        weight: p.weight.law.min() << p.weight.shift,
        delay: p.delay.min().max(1) as u32,
    })
}

/// Draws the weights of stored rows again, by the law of an edited projection. Targets and delays stay.
pub fn reweigh(plan: &Plan, p: &ProjectionPlan, rows: &mut Rows) -> Result<(), String> {
    if !p.listed.is_empty() {
        *rows = self::rows(plan, p)?;
        return Ok(());
    }
    rows.shift = p.weight.shift;
    rows.weight = p.weight.law.min() << p.weight.shift;
    rows.blocks.par_iter_mut().enumerate().for_each(|(b, block)| {
        block.weights = Weights::Shared;
        if !constant(&p.weight.law) {
            let synapses = Synapses::new(plan.seed, p);
            let mut weights = vec![0; block.ends.last().copied().unwrap_or(0) as usize];
            let mut start = 0;
            for (i, end) in block.ends.iter().enumerate() {
                let row = &mut weights[start..*end as usize];
                synapses.weights(b as u32 * BLOCK + i as u32, row.len(), |k, w| row[k] = w as i16);
                start = *end as usize;
            }
            block.weights = Weights::Short(weights);
        }
    });
    Ok(())
}

fn block(plan: &Plan, p: &ProjectionPlan, b: u32) -> Result<Block, String> {
    let mut synapses = Synapses::new(plan.seed, p);
    let mut all: Vec<Drawn> = Vec::new();
    let mut block = Block::default();
    for source in b * BLOCK..(b * BLOCK + BLOCK).min(p.from.len()) {
        synapses.row(source, &mut all);
        block.ends.push(u32::try_from(all.len()).map_err(|_| "256 sources hold over 2^32 synapses: split the projection".to_string())?);
    }
    block.targets = if plan.populations[p.target].size <= 1 << 16 {
        Targets::Short(all.iter().map(|s| s.target as u16).collect())
    } else {
        Targets::Long(all.iter().map(|s| s.target).collect())
    };
    if synapses.listed_weights {
        block.weights = Weights::Long(all.iter().map(|s| s.weight).collect());
    } else if !constant(&p.weight.law) {
        block.weights = Weights::Short(all.iter().map(|s| s.weight as i16).collect());
    }
    if p.listed.iter().any(|s| s.delay.is_some()) || !constant(&p.delay) {
        block.delays = if p.longest() < 256.0 {
            Delays::Short(all.iter().map(|s| s.delay as u8).collect())
        } else {
            Delays::Long(all.iter().map(|s| s.delay as u16).collect())
        };
    }
    Ok(block)
}
