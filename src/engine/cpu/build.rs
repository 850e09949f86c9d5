//! Building stored rows, in parallel over blocks of sources. Every synapse is a pure function of (seed, projection,
//! source, k), so the result does not depend on the number of threads.

use rayon::prelude::*;

use super::rows::{BLOCK, Block, Delays, Position, Rows, Targets, Weights};
use crate::base::rng::Stream;
use crate::plan::{Plan, ProjectionPlan, purpose};

/// One synapse as exported: neurons count over the whole network, weight in quanta, delay in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    pub source: u32,
    pub target: u32,
    pub weight: i32,
    pub delay: u32,
}

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

/// Every synapse of a projection, in canonical order.
pub fn connections(plan: &Plan, p: &ProjectionPlan, mut each: impl FnMut(Connection)) {
    let draws = Draws::new(plan.seed, p);
    let (mut targets, mut values) = (Vec::new(), Vec::new());
    for source in 0..p.from.len() {
        targets.clear();
        p.wiring.row(source, &mut targets);
        draws.row(source, targets.len(), &mut values);
        for (t, (w, d)) in targets.iter().zip(&values) {
            each(Connection {
                source: plan.populations[p.source].first + p.from.get(source),
                target: plan.populations[p.target].first + p.to.get(*t),
                weight: if draws.long { *w } else { w << p.weight.shift },
                delay: *d,
            });
        }
    }
}

/// Weights and delays of a row.
struct Draws<'a> {
    p: &'a ProjectionPlan,
    weights: Stream,
    delays: Stream,
    /// Listed weights are full quanta; drawn ones await the shift.
    long: bool,
}

impl<'a> Draws<'a> {
    fn new(seed: u64, p: &'a ProjectionPlan) -> Self {
        Self {
            p,
            weights: Stream::new(seed, [purpose::WEIGHT, p.stream]),
            delays: Stream::new(seed, [purpose::DELAY, p.stream]),
            long: p.listed.iter().any(|s| s.weight.is_some()),
        }
    }

    fn row(&self, source: u32, count: usize, out: &mut Vec<(i32, u32)>) {
        out.clear();
        out.resize(count, (self.p.weight.law.min(), self.p.delay.min().max(1) as u32));
        if !constant(&self.p.weight.law) {
            self.weights.fill(source, count, |k, u| out[k].0 = self.p.weight.law.draw(u));
        }
        if !constant(&self.p.delay) {
            self.delays.fill(source, count, |k, u| out[k].1 = self.p.delay.draw(u).max(1) as u32);
        }
        if !self.p.listed.is_empty() {
            self.list(source, out);
        }
    }

    fn list(&self, source: u32, out: &mut [(i32, u32)]) {
        for (value, i) in out.iter_mut().zip(self.p.wiring.listed(source)) {
            let synapse = &self.p.listed[*i as usize];
            if self.long {
                value.0 = synapse.weight.map_or(value.0 << self.p.weight.shift, |w| libm::rint(w * self.p.weight.quanta) as i32);
            }
            if let Some(d) = synapse.delay {
                value.1 = libm::rint(d).max(1.0) as u32;
            }
        }
    }
}

fn constant(law: &crate::base::draw::Quantile) -> bool {
    law.min() == law.max()
}

fn block(plan: &Plan, p: &ProjectionPlan, b: u32) -> Result<Block, String> {
    let draws = Draws::new(plan.seed, p);
    let listed_delays = p.listed.iter().any(|s| s.delay.is_some());
    let longest = p.listed.iter().filter_map(|s| s.delay).fold(f64::from(p.delay.max()), f64::max);
    let (mut targets, mut values) = (Vec::new(), Vec::new());
    let mut all = Vec::new();
    let mut block = Block::default();
    for source in b * BLOCK..(b * BLOCK + BLOCK).min(p.from.len()) {
        targets.clear();
        p.wiring.row(source, &mut targets);
        draws.row(source, targets.len(), &mut values);
        all.extend(targets.iter().zip(&values).map(|(t, (w, d))| (p.to.get(*t), *w, *d)));
        block.ends.push(u32::try_from(all.len()).map_err(|_| "256 sources hold over 2^32 synapses: split the projection".to_string())?);
    }
    block.targets = if plan.populations[p.target].size <= 1 << 16 {
        Targets::Short(all.iter().map(|s| s.0 as u16).collect())
    } else {
        Targets::Long(all.iter().map(|s| s.0).collect())
    };
    if draws.long {
        block.weights = Weights::Long(all.iter().map(|s| s.1).collect());
    } else if !constant(&p.weight.law) {
        block.weights = Weights::Short(all.iter().map(|s| s.1 as i16).collect());
    }
    if listed_delays || !constant(&p.delay) {
        block.delays = if longest < 256.0 {
            Delays::Short(all.iter().map(|s| s.2 as u8).collect())
        } else {
            Delays::Long(all.iter().map(|s| s.2 as u16).collect())
        };
    }
    Ok(block)
}
