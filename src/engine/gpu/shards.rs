//! Cutting the network by target range, so that no binding passes the limit and every slot fits beside its delay.
//! Knows no device.

use crate::plan::{Number, Plan, PopulationPlan};

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

pub const SYNAPSE_BYTES: u64 = 8;

/// Bits that hold every delay of the plan.
pub fn delay_bits(plan: &Plan) -> u32 {
    usize::BITS - plan.ring.leading_zeros()
}

/// The shards, each a list of pieces. `slack` is how many times the expected number of synapses is allowed for.
pub fn cut(plan: &Plan, limit: u64, slack: f64) -> Result<Vec<Vec<Piece>>, String> {
    let most_slots = (1u64 << (32 - delay_bits(plan))) - 1;
    let mut shards = vec![Vec::new()];
    let mut taken = [0u64; 5];
    for (index, population) in plan.populations.iter().enumerate() {
        let each = each(plan, index, population, slack);
        let bounds = [limit, limit, limit, limit, most_slots];
        let mut from = 0;
        while from < population.size {
            let room = (0..5).filter(|k| each[*k] > 0).map(|k| bounds[k].saturating_sub(taken[k]) / each[k]).min().unwrap_or(u64::MAX);
            if room == 0 {
                if taken == [0; 5] {
                    return Err(format!(
                        "one neuron of {} takes more than the {limit} bytes that this device binds at once: --backend cpu has no such limit",
                        population.name
                    ));
                }
                shards.push(Vec::new());
                taken = [0; 5];
                continue;
            }
            let len = room.min(u64::from(population.size - from)) as u32;
            let piece = Piece { population: index, from, to: from + len, slot: taken[4] as u32 };
            if let Some(shard) = shards.last_mut() {
                shard.push(piece);
            }
            (0..5).for_each(|k| taken[k] += each[k] * u64::from(len));
            from += len;
        }
    }
    shards.retain(|s| !s.is_empty());
    Ok(shards)
}

/// What a neuron takes: bytes of ring, synapses, state and columns, and slots.
fn each(plan: &Plan, index: usize, population: &PopulationPlan, slack: f64) -> [u64; 5] {
    let receptors = u64::from(population.program.receptors);
    let columns = population.coefficients.iter().filter(|c| matches!(c, Number::Column(_))).count() as u64;
    let incoming: f64 =
        plan.projections.iter().filter(|p| p.target == index).map(|p| p.wiring.synapses() as f64 / f64::from(population.size.max(1))).sum();
    let synapses = libm::ceil(incoming * slack * SYNAPSE_BYTES as f64) as u64;
    [plan.ring as u64 * receptors * 4, synapses, u64::from(population.program.states) * 4, columns * 4, receptors]
}
