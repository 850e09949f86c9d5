//! The synapses of a projection, row by row: targets, weights and delays as integers. Every synapse is a pure function of
//! (seed, projection, source, stretch, k). Knows no engine and stores nothing.

use super::wiring::distance::Scratch;
use super::{Plan, ProjectionPlan, purpose};
use crate::base::draw::Quantile;
use crate::base::rng::Stream;
use crate::network::Which;

/// One synapse of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Index into the target population.
    pub target: u32,
    /// Quanta, to be shifted left by the projection's shift unless its weights are listed.
    pub weight: i32,
    /// In steps, at least 1.
    pub delay: u32,
}

/// One synapse as exported: neurons count over the whole network, weight in quanta, delay in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    pub source: u32,
    pub target: u32,
    pub weight: i32,
    pub delay: u32,
}

/// The rows of a projection.
pub struct Synapses<'a> {
    p: &'a ProjectionPlan,
    weights: Stream,
    delays: Stream,
    /// Listed weights are full quanta; drawn ones await the shift.
    pub listed_weights: bool,
    targets: Vec<u32>,
    /// Stretches of a row, and their ends.
    ends: Vec<(u32, usize)>,
    scratch: Scratch,
}

impl<'a> Synapses<'a> {
    pub fn new(seed: u64, p: &'a ProjectionPlan) -> Self {
        Self {
            p,
            weights: Stream::new(seed, [purpose::WEIGHT, p.stream]),
            delays: Stream::new(seed, [purpose::DELAY, p.stream]),
            listed_weights: p.listed.iter().any(|s| s.weight.is_some()),
            targets: Vec::new(),
            ends: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// The row of the `source`-th source, in canonical order, pushed to `out`.
    pub fn row(&mut self, source: u32, out: &mut Vec<Drawn>) {
        let first = out.len();
        self.targets.clear();
        let mut ends = std::mem::take(&mut self.ends);
        ends.clear();
        self.p.wiring.drawn(source, &mut self.targets, &mut ends, &mut self.scratch);
        let (weight, delay) = (self.p.weight.law.min(), self.p.delay.min().max(1) as u32);
        out.extend(self.targets.iter().map(|t| Drawn { target: self.p.to.get(*t), weight, delay }));
        let row = &mut out[first..];
        self.distances(source, row);
        let by = &self.p.by_distance;
        let weights = !constant(&self.p.weight.law) && by.weight.is_none();
        let delays = !constant(&self.p.delay) && by.delay.is_none();
        let mut begin = 0;
        for (stretch, end) in ends.iter().filter(|_| weights || delays) {
            let (stretch, row) = (*stretch, &mut row[begin..*end]);
            begin = *end;
            if weights {
                self.weights.fill_stretch(source, stretch, row.len(), |k, u| row[k].weight = self.p.weight.law.draw(u));
            }
            if delays {
                self.delays.fill_stretch(source, stretch, row.len(), |k, u| row[k].delay = self.p.delay.draw(u).max(1) as u32);
            }
        }
        self.ends = ends;
        if !self.p.listed.is_empty() {
            self.list(source, row);
        }
    }

    /// Weights and delays that follow from the distance; `targets` holds the row's positions among the targets.
    fn distances(&self, source: u32, row: &mut [Drawn]) {
        let Some(between) = &self.p.between else { return };
        let place = between.source(source);
        let by = &self.p.by_distance;
        for (drawn, target) in row.iter_mut().zip(&self.targets) {
            let square = between.square(place, between.target(*target));
            if let Some(table) = &by.weight {
                drawn.weight = table.at(square);
            }
            if let Some(table) = &by.delay {
                drawn.delay = u32::from(table.at(square));
            }
        }
    }

    /// A drawn weight in quanta.
    pub fn quanta(&self, drawn: &Drawn) -> i32 {
        if self.listed_weights { drawn.weight } else { drawn.weight << self.p.weight.shift }
    }

    fn list(&self, source: u32, row: &mut [Drawn]) {
        for (drawn, i) in row.iter_mut().zip(self.p.wiring.listed(source)) {
            let synapse = &self.p.listed[*i as usize];
            if self.listed_weights {
                let law = drawn.weight << self.p.weight.shift;
                drawn.weight = synapse.weight.map_or(law, |w| libm::rint(w * self.p.weight.quanta) as i32);
            }
            if let Some(d) = synapse.delay {
                drawn.delay = libm::rint(d).max(1.0) as u32;
            }
        }
    }
}

/// Whether a law gives one integer alone.
pub fn constant(law: &Quantile) -> bool {
    law.min() == law.max()
}

/// Every synapse of a projection, in canonical order.
pub fn connections(plan: &Plan, p: &ProjectionPlan, each: impl FnMut(Connection)) {
    let whole = |population: usize| Which::Range { start: 0, len: plan.populations[population].size };
    connections_of(plan, p, &whole(p.source), &whole(p.target), each);
}

/// The synapses of a projection from some neurons to some neurons, in canonical order.
pub fn connections_of(plan: &Plan, p: &ProjectionPlan, from: &Which, to: &Which, mut each: impl FnMut(Connection)) {
    let mut synapses = Synapses::new(plan.seed, p);
    let mut row = Vec::new();
    for source in (0..p.from.len()).filter(|s| from.find(p.from.get(*s)).is_some()) {
        row.clear();
        synapses.row(source, &mut row);
        for drawn in row.iter().filter(|d| to.find(d.target).is_some()) {
            each(Connection {
                source: plan.populations[p.source].first + p.from.get(source),
                target: plan.populations[p.target].first + drawn.target,
                weight: synapses.quanta(drawn),
                delay: drawn.delay,
            });
        }
    }
}
