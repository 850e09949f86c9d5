//! Gap junctions as numbers: for every neuron that is coupled, its partners and conductances. Knows no engine.
//!
//! The law, the same on every engine: over the step from t to t + h the current sum of g (V_partner - V_own), both as they are at t,
//! partners in order, is held. So it is of first order in h, and exact where voltages stand still; a batch is one step.

use crate::network::{Gap, Network, Part};

/// More partners than this in all are refused.
const MOST: u64 = 1 << 28;

/// The current from the neurons of one population into those of one.
#[derive(Clone, PartialEq)]
pub struct GapPlan {
    /// Population and variable whose values are taken.
    pub source: [usize; 2],
    /// Population, its variable, and the input that takes the current.
    pub target: [usize; 3],
    /// By neuron of the target population: the end of its partners.
    pub ends: Vec<u32>,
    /// Neurons of the source population, by target.
    pub partners: Vec<u32>,
    pub conductance: f32,
}

impl GapPlan {
    pub fn bytes(&self) -> u64 {
        (self.ends.len() + self.partners.len()) as u64 * 4
    }

    /// The partners of a neuron.
    pub fn of(&self, neuron: usize) -> &[u32] {
        let end = |i: usize| self.ends.get(i).map_or(0, |e| *e as usize);
        let first = if neuron == 0 { 0 } else { end(neuron - 1) };
        self.partners.get(first..end(neuron)).unwrap_or_default()
    }
}

pub(super) fn gaps(network: &Network) -> Result<Vec<GapPlan>, String> {
    let mut out = Vec::new();
    for gap in &network.gaps {
        let [a, b] = gap.sides;
        out.push(one(network, gap, [&gap.from, &gap.to], [a, b])?);
        if gap.from != gap.to {
            out.push(one(network, gap, [&gap.to, &gap.from], [b, a])?);
        }
    }
    Ok(out)
}

/// The current into the second part.
fn one(network: &Network, gap: &Gap, [from, to]: [&Part; 2], [source, target]: [[usize; 2]; 2]) -> Result<GapPlan, String> {
    let pairs = if gap.one_to_one { u64::from(to.which.len()) } else { u64::from(from.which.len()) * u64::from(to.which.len()) };
    if pairs > MOST {
        let names = [from, to].map(|p| network.populations[p.population].name.as_str());
        return Err(format!("{pairs} gap junctions from {} to {}: at most {MOST} are possible; take parts", names[0], names[1]));
    }
    let (mut ends, mut partners) = (Vec::new(), Vec::new());
    for neuron in 0..network.populations[to.population].size {
        if let Some(place) = to.which.find(neuron) {
            let own = |s: &u32| from.population == to.population && *s == neuron;
            match gap.one_to_one {
                true => partners.push(from.which.get(place)),
                false => partners.extend((0..from.which.len()).map(|i| from.which.get(i)).filter(|s| !own(s))),
            }
        }
        ends.push(partners.len() as u32);
    }
    Ok(GapPlan {
        source: [from.population, source[0]],
        target: [to.population, target[0], target[1]],
        ends,
        partners,
        conductance: gap.conductance as f32,
    })
}
