//! The proof that no sum of inputs can pass an i32: the largest that a step can bring to any neuron, from the rows as they
//! were built. A synapse carries at most one spike to a step, so the sizes of all weights onto a receptor bound its sum.
//! Knows no time.

use super::part::Part;
use super::partition::numbers;
use crate::plan::{DriveKind, Plan, ProjectionPlan};

/// The largest sum onto one receptor of one neuron of a thread, with the population and the neuron.
pub fn largest(plan: &Plan, part: &Part) -> (u64, usize, u32) {
    let neurons = numbers(&part.shares);
    let mut sums = vec![0u64; neurons * super::part::receptors(plan)];
    for block in &part.rows {
        block.all(part.calendar.kinds(), |receptor, neuron, weight| {
            sums[receptor * neurons + neuron as usize] += u64::from(weight.unsigned_abs());
        });
    }
    for share in &part.shares {
        let population = &plan.populations[share.population];
        let mut add = |slot: usize, index: u32, most: u64| {
            let receptor = (slot - population.slot) / (population.size as usize).max(1);
            if let Some(local) = share.local(index) {
                sums[receptor * neurons + local as usize] += most;
            }
        };
        for p in plan.projections.iter().filter(|p| p.procedural() && p.target == share.population) {
            let most = p.wiring.max_in_degree() * heaviest(p);
            let slots = if p.slots[0] == p.slots[1] { &p.slots[..1] } else { &p.slots[..] };
            slots.iter().for_each(|slot| (share.start..share.end).for_each(|i| add(*slot, i, most)));
        }
        for drive in plan.drives.iter().filter(|d| d.population == share.population) {
            let (slot, most) = match &drive.kind {
                DriveKind::Poisson { counts, weight, slot, .. } => (*slot, u64::from(counts.max()) * u64::from(weight.unsigned_abs())),
                DriveKind::Spikes { steps, weight, slot } => (*slot, at_once(steps) * u64::from(weight.unsigned_abs())),
                DriveKind::Current { .. } => continue,
            };
            (0..drive.to.len()).for_each(|k| add(slot, drive.to.get(k), most));
        }
    }
    let (at, most) = sums.iter().enumerate().max_by_key(|(_, s)| **s).map_or((0, 0), |(i, s)| (i % neurons, *s));
    let of = part.shares.iter().rev().find(|s| s.local as usize <= at);
    of.map_or((most, 0, 0), |s| (most, s.population, s.start + (at as u32 - s.local)))
}

/// An error says where the sum could be too large. `more` is what may be under way besides, of other weights.
pub fn check(plan: &Plan, (most, population, neuron): (u64, usize, u32), more: u64) -> Result<(), String> {
    if most + more <= i32::MAX as u64 {
        return Ok(());
    }
    let name = &plan.populations[population].name;
    Err(format!(
        "the inputs that can reach {name}[{neuron}] in one step do not fit its fixed-point scale: far more synapses meet there than \
         the rule lets expect; take a smaller weight, or another seed"
    ))
}

fn heaviest(p: &ProjectionPlan) -> u64 {
    let end = |w: i32| u64::from(w.unsigned_abs()) << p.weight.shift;
    end(p.weight.law.min()).max(end(p.weight.law.max()))
}

fn at_once(steps: &[u64]) -> u64 {
    steps.chunk_by(|a, b| a == b).map(|c| c.len() as u64).max().unwrap_or(0)
}
