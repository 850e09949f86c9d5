//! Cutting the network by target range, so that no binding passes the limit and every slot fits beside its delay.
//! Knows no device.

use std::ops::Range;

use super::wires::Format;
use super::{histories, plastic};
use crate::plan::{GapPlan, Number, Plan, PopulationPlan};

/// Neurons `from..to` of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub population: usize,
    pub from: u32,
    pub to: u32,
    /// First local slot of receptor 0; receptor r of neuron i has slot `slot + r * len + i - from`.
    pub slot: u32,
}

impl Piece {
    pub fn len(&self) -> u32 {
        self.to - self.from
    }
}

/// Bits that hold every delay of the plan.
pub fn delay_bits(plan: &Plan) -> u32 {
    usize::BITS - plan.ring.leading_zeros()
}

/// The shards of the neurons in `slice`, each a list of pieces. `slack` is how many times the expected number of synapses is
/// allowed for.
pub fn cut(plan: &Plan, slice: Range<u32>, limit: u64, slack: f64) -> Result<Vec<Vec<Piece>>, String> {
    let most_slots = (1u64 << (32 - delay_bits(plan))) - 1;
    let mut shards = vec![Vec::new()];
    let mut taken = [0u64; 6];
    for (index, population) in plan.populations.iter().enumerate() {
        let each = each(plan, index, population, slack);
        let bounds = [limit, limit, limit, limit, most_slots, limit];
        let (mut from, end) = (slice.start.max(population.first), slice.end.min(population.first + population.size));
        let end = end.saturating_sub(population.first);
        from = from.saturating_sub(population.first);
        while from < end {
            let room = (0..6).filter(|k| each[*k] > 0).map(|k| bounds[k].saturating_sub(taken[k]) / each[k]).min().unwrap_or(u64::MAX);
            if room == 0 {
                if taken == [0; 6] {
                    return Err(format!(
                        "one neuron of {} takes more than the {limit} bytes that this device binds at once: --backend cpu has no such limit",
                        population.name
                    ));
                }
                shards.push(Vec::new());
                taken = [0; 6];
                continue;
            }
            let len = room.min(u64::from(end - from)) as u32;
            let piece = Piece { population: index, from, to: from + len, slot: taken[4] as u32 };
            if let Some(shard) = shards.last_mut() {
                shard.push(piece);
            }
            (0..6).for_each(|k| taken[k] += each[k] * u64::from(len));
            from += len;
        }
    }
    shards.retain(|s| !s.is_empty());
    Ok(shards)
}

/// What a neuron takes: bytes of ring and traces, synapses, state and histories, columns and partners, slots, bytes of weights.
fn each(plan: &Plan, index: usize, population: &PopulationPlan, slack: f64) -> [u64; 6] {
    let receptors = u64::from(population.program.receptors);
    let columns = population.coefficients.iter().filter(|c| matches!(c, Number::Column(_))).count() as u64;
    let (mut synapses, mut weights) = (0.0, 0.0);
    for p in plan.projections.iter().filter(|p| p.target == index && !p.procedural()) {
        // Rows of 16-bit weights begin at even numbers.
        let each = (p.wiring.synapses() as f64 + 0.5 * f64::from(p.from.len())) * slack / f64::from(population.size.max(1));
        synapses += 4.0 * each;
        let kept = p.plastic.as_ref().map_or(0, |w| 4 * w.kept.len() as u64);
        weights += (Format::of(p).bytes() + kept) as f64 * each;
    }
    let bytes = |x: f64| libm::ceil(x) as u64;
    let depth = plan.history() as u32;
    let histories: u64 =
        histories::targets_of(plan, index).flat_map(|(_, t)| histories::words(plan, t, depth)).map(|w| 4 * u64::from(w)).sum();
    let state = u64::from(population.program.states) * 4 + histories;
    let here = plan.traces_of(index).filter(|(n, _)| !plastic::of_plastic(plan, *n));
    let traces: u64 = here.map(|(_, t)| 4 * u64::from(super::traces::words(t))).sum();
    let junctions: u64 = plan.gaps.iter().filter(|g| g.target[0] == index).map(GapPlan::bytes).sum();
    let columns = columns * 4 + junctions.div_ceil(u64::from(population.size.max(1)));
    [plan.ring as u64 * receptors * 4 + traces, bytes(synapses), state, columns, receptors, bytes(weights)]
}
