//! The fixed-point scale of every receptor: a power of two from the largest sum that one step can bring. Knows no engine.

use std::sync::Arc;

use super::{Wiring, laws};
use crate::base::draw::Poisson;
use crate::network::{Drive, Network, Population, Receptor, Refusal, Subject};

/// Sums of a new network stay below this many quanta: weights can grow fourfold before the scale no longer fits.
const LARGEST: f64 = (1u32 << 28) as f64;
/// What is under way may be this much, half of what an i32 holds, when other weights are taken over or a state is restored.
pub const UNDER_WAY: u32 = (1 << 30) - 1;
/// Sums of an edited network stay within the other half.
const EDITED: f64 = (1u32 << 30) as f64;

/// Exponents by population and receptor: one unit is `2^scale` quanta.
pub fn scales(network: &Network, wirings: &[Arc<Wiring>]) -> Result<Vec<Vec<i32>>, Refusal> {
    let sums = sums(network, wirings);
    let one = |i: usize, p: &Population, sums: &[f64]| {
        exponents(&p.name, p.model.by_sign, sums).map_err(|e| Refusal::of(Subject::Population(i), e))
    };
    network.populations.iter().zip(&sums).enumerate().map(|(i, (p, sums))| one(i, p, sums)).collect()
}

/// A receptor whose sums no longer fit these exponents.
pub fn outgrown(network: &Network, wirings: &[Arc<Wiring>], scales: &[Vec<i32>]) -> Option<String> {
    let fits = |sum: f64, scale: i32| sum.is_finite() && sum * libm::exp2(f64::from(scale)) <= EDITED;
    let sums = sums(network, wirings);
    network.populations.iter().zip(&sums).zip(scales).find_map(|((p, sums), scales)| {
        let r = sums.iter().zip(scales).position(|(sum, scale)| !fits(*sum, *scale))?;
        Some(format!("{}.{}", p.name, p.model.receptors[r].name))
    })
}

/// The largest sum that one step can bring, by population and receptor.
fn sums(network: &Network, wirings: &[Arc<Wiring>]) -> Vec<Vec<f64>> {
    let mut sums: Vec<Vec<f64>> = network.populations.iter().map(|p| vec![0.0; p.model.receptors.len()]).collect();
    for (p, wiring) in network.projections.iter().zip(wirings) {
        let (mut low, mut high) = laws::bounds(&p.weight);
        if let crate::network::Rule::List(list) = &p.rule {
            low = list.iter().filter_map(|s| s.weight).fold(low, f64::min);
            high = list.iter().filter_map(|s| s.weight).fold(high, f64::max);
        }
        if let Some(most) = p.changing.as_ref().and_then(|c| c.w_max) {
            (low, high) = (low.min(most), high.max(most));
        }
        let count = wiring.max_in_degree() as f64;
        add(&mut sums[p.to.population], p.receptor, low, count);
        add(&mut sums[p.to.population], p.receptor, high, count);
    }
    for (i, s) in network.stimuli.iter().enumerate() {
        match &s.kind {
            Drive::Poisson { rate, correlation, weight, receptor } => {
                // A rate that cannot be drawn is told of where it is lowered.
                let max = super::lower::rate(network, i, s, rate, *correlation).map_or(0.0, |r| r.0);
                let count = f64::from(Poisson::new(max * network.dt).max());
                add(&mut sums[s.to.population], *receptor, *weight, count);
            }
            Drive::Spikes { times, weight, receptor } => {
                add(&mut sums[s.to.population], *receptor, *weight, most_at_once(times));
            }
            Drive::Current { .. } => {}
        }
    }
    sums
}

fn add(sums: &mut [f64], receptor: Receptor, weight: f64, count: f64) {
    let r = match receptor {
        Receptor::Named(r) => r,
        Receptor::BySign => usize::from(weight < 0.0),
    };
    if let Some(sum) = sums.get_mut(r) {
        *sum += weight.abs() * count;
    }
}

fn most_at_once(times: &[u64]) -> f64 {
    times.chunk_by(|a, b| a == b).map(|c| c.len()).max().unwrap_or(0) as f64
}

/// Receptors that are told apart by sign share one scale, since one row may feed both.
fn exponents(name: &str, by_sign: bool, sums: &[f64]) -> Result<Vec<i32>, String> {
    let shared = sums.iter().copied().fold(0.0, f64::max);
    sums.iter()
        .map(|sum| {
            let sum = if by_sign { shared } else { *sum };
            if !sum.is_finite() {
                return Err(format!("the weights onto {name} have no finite largest sum"));
            }
            if sum == 0.0 {
                return Ok(16);
            }
            Ok((libm::floor(libm::log2(LARGEST / sum)) as i32).clamp(-40, 60))
        })
        .collect()
}
