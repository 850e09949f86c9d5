//! What rules read of the neurons of one share, step by step, and the steps at which the condition of their rule holds. Knows no
//! synapse and no spike.
//!
//! What is read is a state variable at the end of a step, or some steps before it. As many steps are kept as a spike of a source may
//! ask for after the longest delay and a batch.

use std::ops::Range;

use super::change::{Change, LANES};
use super::partition::Share;
use super::update::Columns;
use crate::model::READS;
use crate::plan::{self, Number, Plan, Reading, TracePlan};

pub struct Watch {
    share: Share,
    reads: Vec<Ring>,
    condition: Option<Change>,
    /// Steps and neurons of the share at which the condition held, since they were last asked for.
    held: Vec<(u32, u32)>,
}

/// The recent values of one variable: step by step, neuron by neuron.
struct Ring {
    reading: Reading,
    /// Steps that a state of the network holds.
    recalled: u32,
    steps: u32,
    values: Vec<f32>,
}

impl Ring {
    fn new(plan: &Plan, reading: Reading, share: &Share) -> Self {
        let recalled = plan.recalled(&reading) as u32;
        // A batch is no longer than the longest delay.
        let steps = recalled + plan.ring as u32;
        let initial = &plan.populations[share.population].initial[reading.variable];
        let value = |i: u32| match initial {
            Number::Uniform(x) => *x,
            Number::Column(c) => c[(share.start + i) as usize],
        };
        let values = (0..steps).flat_map(|_| (0..share.len()).map(value)).collect();
        Self { reading, recalled, steps, values }
    }

    /// The values at so many steps before `step`.
    #[inline(always)]
    fn row(&self, step: u32, before: u32, neurons: usize) -> Range<usize> {
        let at = (u64::from(step) + u64::from(self.steps) - u64::from(before)) % u64::from(self.steps);
        at as usize * neurons..(at as usize + 1) * neurons
    }
}

impl Watch {
    pub fn new(plan: &Plan, t: &TracePlan, share: Share) -> Option<Self> {
        let watch = t.watch.as_ref()?;
        let reads = watch.reads.iter().map(|r| Ring::new(plan, *r, &share)).collect();
        Some(Self { share, reads, condition: condition(watch), held: Vec::new() })
    }

    /// The numbers of an edited plan.
    pub fn adopt(&mut self, t: &TracePlan) {
        self.condition = t.watch.as_ref().and_then(condition);
    }

    /// Reads the neurons of a block at the end of step `step`.
    #[inline(always)]
    pub fn look(&mut self, step: u32, block: &Range<usize>, columns: &Columns) {
        let neurons = self.share.len() as usize;
        for ring in &mut self.reads {
            let row = ring.row(step, 0, neurons);
            ring.values[row][block.clone()].copy_from_slice(columns.cell(block, ring.reading.variable));
        }
        let Some(condition) = &mut self.condition else { return };
        for first in block.clone().step_by(LANES) {
            let lanes = first..block.end.min(first + LANES);
            for (r, ring) in self.reads.iter().enumerate() {
                let row = ring.row(step, ring.reading.age, neurons);
                condition.steps(READS + r)[..lanes.len()].copy_from_slice(&ring.values[row][lanes.clone()]);
            }
            let holds = condition.run(lanes.len());
            self.held.extend(lanes.zip(holds).filter(|(_, x)| **x != 0.0).map(|(i, _)| (step, i as u32)));
        }
    }

    /// The steps and neurons at which the condition held since this was last asked.
    pub fn held(&mut self) -> std::vec::Drain<'_, (u32, u32)> {
        self.held.drain(..)
    }

    /// What is read of a neuron at a step of the last ones.
    #[inline(always)]
    pub fn at(&self, neuron: usize, step: u32) -> impl Iterator<Item = f32> + '_ {
        let neurons = self.share.len() as usize;
        self.reads.iter().map(move |ring| ring.values[ring.row(step, ring.reading.age, neurons)][neuron])
    }

    /// Puts the values of the last steps into a state of the network at step `now`.
    pub fn save(&self, now: u32, size: usize, into: &mut [Vec<f32>]) {
        let (neurons, share) = (self.share.len() as usize, self.share.start as usize..self.share.end as usize);
        for (ring, into) in self.reads.iter().zip(into) {
            for age in 0..ring.recalled {
                let row = ring.row(now, age, neurons);
                into[age as usize * size..][..size][share.clone()].copy_from_slice(&ring.values[row]);
            }
        }
    }

    /// Goes on from a state of the network at step `now`.
    pub fn restore(&mut self, now: u32, size: usize, from: &[Vec<f32>]) {
        let (neurons, share) = (self.share.len() as usize, self.share.start as usize..self.share.end as usize);
        for (ring, from) in self.reads.iter_mut().zip(from) {
            for age in 0..ring.recalled {
                let row = ring.row(now, age, neurons);
                ring.values[row].copy_from_slice(&from[age as usize * size..][..size][share.clone()]);
            }
        }
        self.held.clear();
    }
}

fn condition(watch: &plan::Watch) -> Option<Change> {
    watch.condition.as_ref().map(|[holds, _]| Change::new(holds))
}
