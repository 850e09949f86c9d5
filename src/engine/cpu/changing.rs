//! Synapses whose weights are multiplied by a factor that each spike of the source makes anew: the traces of all sources, which
//! every thread keeps for itself, and the stored rows of such projections, in layers. Knows no neuron model and no equation.

use std::collections::VecDeque;

use super::build;
use super::calendar::Calendar;
use super::partition::Owners;
use super::rows::{Block, Kind};
use super::sums::Sums;
use crate::plan::{Plan, Spike, Traces};

/// Rows of one layer, and what of them is under way.
struct Layer {
    rows: Vec<Block>,
    calendar: Calendar,
}

pub struct Changing {
    pub traces: Traces,
    /// The traces of each population, in the order of their layers.
    of: Vec<Vec<usize>>,
    layers: Vec<Layer>,
    /// By traces: what the last spike of any neuron made.
    factors: Vec<u32>,
}

/// Rows by owner and layer: those that do not change, then one layer for each of the most traces that a population has.
pub fn layers(plan: &Plan, owners: &Owners, owned: &[usize]) -> Result<Vec<Vec<Vec<Block>>>, String> {
    let most = plan.projections.iter().map(|p| plan.layer(p)).max().unwrap_or(0);
    let mut out: Vec<Vec<Vec<Block>>> = owned.iter().map(|_| Vec::new()).collect();
    for layer in 0..=most {
        let blocks = build::blocks(plan, owners, owned, layer)?;
        out.iter_mut().zip(blocks).for_each(|(mine, blocks)| mine.push(blocks));
    }
    Ok(out)
}

impl Changing {
    /// With the rows of each layer that changes.
    pub fn new(plan: &Plan, layers: impl Iterator<Item = Vec<Block>>, kinds: &[Kind]) -> Self {
        Self {
            traces: Traces::new(plan),
            of: (0..plan.populations.len()).map(|p| plan.traces_of(p).map(|(n, _)| n).collect()).collect(),
            layers: layers.map(|rows| Layer { rows, calendar: Calendar::new(plan.ring - 1, kinds.to_vec()) }).collect(),
            factors: vec![0; plan.traces.len()],
        }
    }

    /// A neuron has spiked: its rows are under way. Gives the number of their synapses.
    #[inline(always)]
    pub fn spike(&mut self, spike: &Spike, plan: &Plan) -> u64 {
        if self.factors.is_empty() {
            return 0;
        }
        let population = plan.populations.partition_point(|p| p.first + p.size <= spike.neuron);
        let index = spike.neuron - plan.populations[population].first;
        let mut events = 0;
        for (number, layer) in self.of[population].iter().zip(&mut self.layers) {
            let factor = self.traces.spike(&plan.traces[*number], *number, index, spike.step);
            self.factors[*number] = factor;
            events += u64::from(layer.calendar.spike(u64::from(spike.step), spike.neuron, factor, &layer.rows));
        }
        events
    }

    /// By traces: what the last spike made.
    pub fn factors(&self) -> &[u32] {
        &self.factors
    }

    /// Adds what is due at step `now` to its sums.
    #[inline(always)]
    pub fn deliver(&mut self, now: u64, sums: &mut Sums) {
        self.layers.iter_mut().for_each(|l| l.calendar.deliver(now, &l.rows, sums));
    }

    /// Calls `each(d, receptor, neuron, weight)` for all that is under way after step `now`, due at now + 1 + d.
    pub fn due(&self, now: u64, each: &mut impl FnMut(usize, usize, u32, i32)) {
        self.layers.iter().for_each(|l| l.calendar.due(now, &l.rows, &mut *each));
    }

    /// Forgets what is under way.
    pub fn forget(&mut self) {
        self.layers.iter_mut().for_each(|l| l.calendar.take_over(VecDeque::new()));
    }

    /// Other rows against those that are here.
    pub fn swap(&mut self, layers: &mut [Vec<Block>]) {
        self.layers.iter_mut().zip(layers).for_each(|(l, rows)| std::mem::swap(&mut l.rows, rows));
    }

    /// The kinds of an edited plan.
    pub fn reweigh(&mut self, kinds: &[Kind]) {
        self.layers.iter_mut().for_each(|l| l.calendar.reweigh(kinds.to_vec()));
    }

    pub fn rows(&self) -> impl Iterator<Item = &Block> {
        self.layers.iter().flat_map(|l| &l.rows)
    }
}
