//! The proof that no sum of inputs can pass an i32: the largest that a step can bring to any neuron. A synapse carries at most
//! one spike to a step, so the sizes of all weights onto a receptor bound its sum. Where the rule of a projection does not say
//! how many synapses can meet at one neuron, they are counted in the rows as they were built. Knows no time.

use rayon::prelude::*;

use super::build;
use super::part::{self, Part};
use super::partition::numbers;
use crate::plan::{DriveKind, Plan, ProjectionPlan, UNDER_WAY};

/// Largest sums of what rows bring, in quanta, by population and receptor.
pub struct Bound(Vec<Vec<u64>>);

impl Bound {
    /// From the rules alone where they prove enough, else from the rows.
    pub fn new(plan: &Plan, parts: &[Part]) -> Self {
        let certain = Self(ruled(plan, |p| p.wiring.most_in_degree()));
        if certain.check(plan).is_ok() {
            return certain;
        }
        // What does not stand in rows of fixed weights can only be bounded by what is likely.
        let mut most =
            ruled(plan, |p: &ProjectionPlan| Some(if p.procedural() || p.plastic.is_some() { p.wiring.max_in_degree() } else { 0 }));
        let counted: Vec<Self> = parts.par_iter().map(|part| counted(plan, part)).collect();
        for (p, population) in most.iter_mut().enumerate() {
            for (r, sum) in population.iter_mut().enumerate() {
                *sum = sum.saturating_add(counted.iter().map(|c| c.0[p][r]).max().unwrap_or(0));
            }
        }
        Self(most)
    }

    /// Whether the rows and the drives of a plan leave room within an i32 for as much as may be under way of older weights,
    /// or of a state that is restored. An error says where not.
    pub fn check(&self, plan: &Plan) -> Result<(), String> {
        let mut sums = self.0.clone();
        for drive in &plan.drives {
            let (slot, most) = match &drive.kind {
                DriveKind::Poisson { counts, weight, slot, .. } => (*slot, u64::from(counts.max()) * u64::from(weight.unsigned_abs())),
                DriveKind::Spikes { steps, weight, slot } => (*slot, at_once(steps) * u64::from(weight.unsigned_abs())),
                DriveKind::Current { .. } => continue,
            };
            let sum = &mut sums[drive.population][receptor(plan, drive.population, slot)];
            *sum = sum.saturating_add(most);
        }
        let room = u64::from(i32::MAX.unsigned_abs() - UNDER_WAY);
        match sums.iter().position(|of| of.iter().any(|sum| *sum > room)) {
            None => Ok(()),
            Some(p) => Err(format!(
                "the inputs that one step can bring to a neuron of {} do not fit its fixed-point scale: smaller weights or fewer \
                 synapses onto it would, or another seed where they meet by chance; or the network rebuilt, if this is an edit",
                plan.populations[p].name
            )),
        }
    }
}

fn receptor(plan: &Plan, population: usize, slot: usize) -> usize {
    let p = &plan.populations[population];
    (slot - p.slot) / (p.size as usize).max(1)
}

/// What projections can bring, each with so many synapses to a neuron at most; where nobody knows how many, more than anything.
fn ruled(plan: &Plan, most: impl Fn(&ProjectionPlan) -> Option<u64>) -> Vec<Vec<u64>> {
    let mut sums: Vec<Vec<u64>> = plan.populations.iter().map(|p| vec![0; p.scale.len()]).collect();
    for p in &plan.projections {
        let most = most(p).map_or(u64::MAX, |n| n.saturating_mul(heaviest(p)));
        let mut receptors = p.slots.map(|slot| receptor(plan, p.target, slot)).to_vec();
        receptors.dedup();
        receptors.into_iter().for_each(|r| sums[p.target][r] = sums[p.target][r].saturating_add(most));
    }
    sums
}

/// The largest sums that the rows of one thread bring.
fn counted(plan: &Plan, part: &Part) -> Bound {
    let neurons = numbers(&part.shares);
    let mut sums = vec![0u64; neurons * part::receptors(plan)];
    let kinds = build::kinds(plan);
    // A factor makes no weight larger.
    for block in part.rows.iter().chain(part.changing.rows()) {
        block.all(&kinds, |receptor, neuron, weight| sums[receptor * neurons + neuron as usize] += u64::from(weight.unsigned_abs()));
    }
    let mut most: Vec<Vec<u64>> = plan.populations.iter().map(|p| vec![0; p.scale.len()]).collect();
    for share in &part.shares {
        for (r, most) in most[share.population].iter_mut().enumerate() {
            let first = r * neurons + share.local as usize;
            *most = sums[first..first + share.len() as usize].iter().copied().max().unwrap_or(0).max(*most);
        }
    }
    Bound(most)
}

/// The size of the largest weight of a projection.
fn heaviest(p: &ProjectionPlan) -> u64 {
    let drawn = [p.weight.law.min(), p.weight.law.max()].into_iter();
    let by_distance = p.by_distance.weight.iter().flat_map(|table| table.values.iter().copied());
    let quanta = drawn.chain(by_distance).map(|w| u64::from(w.unsigned_abs()) << p.weight.shift);
    let listed = p.listed.iter().filter_map(|s| s.weight).map(|w| libm::ceil((w * p.weight.quanta).abs()) as u64);
    let changing = p.plastic.iter().map(|w| libm::ceilf(w.quanta.abs()) as u64);
    quanta.chain(listed).chain(changing).max().unwrap_or(0)
}

fn at_once(steps: &[u64]) -> u64 {
    steps.chunk_by(|a, b| a == b).map(|c| c.len() as u64).max().unwrap_or(0)
}
