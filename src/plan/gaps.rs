//! Gap junctions as numbers: for every neuron that is coupled, its partners and conductances. Knows no engine.
//!
//! The law, the same on every engine: over the step from t to t + h the current sum of g (V_partner - V_own), both as they are expected
//! to be at t + h/2, partners in order, is held. What is expected follows from the last two steps (`ahead`) and is V itself after a reset;
//! the model keeps it as a hidden variable. So currents are of second order in h, and exact where voltages stand still; a batch is one step.
//! A pair is drawn once, for both ways.

use super::{Plan, Wiring};
use crate::network::{Gap, Law, Network, Part, Projection, Receptor, Refusal, Rule, Subject};

/// More partners than this in all are refused.
const MOST: u64 = 1 << 28;

/// The current from the neurons of one population into those of one.
#[derive(Clone, PartialEq)]
pub struct GapPlan {
    /// Population and variable whose values are taken: what a voltage is expected to be half a step ahead.
    pub source: [usize; 2],
    /// Population, its variable, and the input that takes the current.
    pub target: [usize; 3],
    /// By neuron of the target population: the end of its partners.
    pub ends: Vec<u32>,
    /// Neurons of the source population, by target.
    pub partners: Vec<u32>,
    /// One for each partner, or one for all.
    pub conductances: Vec<f32>,
}

impl GapPlan {
    pub fn bytes(&self) -> u64 {
        (self.ends.len() + self.partners.len() + self.conductances.len()) as u64 * 4
    }

    /// Where the partners of a neuron begin; of one past the last, where they end.
    pub fn first(&self, neuron: usize) -> usize {
        neuron.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize)
    }

    /// The partners of a neuron, with their conductances.
    pub fn of(&self, neuron: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let first = self.first(neuron);
        let (partners, all) = (self.partners.get(first..self.first(neuron + 1)).unwrap_or_default(), &self.conductances);
        let each = partners.iter().zip(first..);
        each.map(move |(partner, k)| (*partner, all.get(if all.len() == 1 { 0 } else { k }).copied().unwrap_or(0.0)))
    }
}

impl Plan {
    /// The variables that gap junctions look at, in order: population and number.
    pub fn coupled(&self) -> Vec<[usize; 2]> {
        let mut variables: Vec<[usize; 2]> = self.gaps.iter().flat_map(|g| [g.source, [g.target[0], g.target[1]]]).collect();
        variables.sort_unstable();
        variables.dedup();
        variables
    }
}

pub(super) fn gaps(network: &Network) -> Result<Vec<GapPlan>, Refusal> {
    let mut out = Vec::new();
    for (i, gap) in network.gaps.iter().enumerate() {
        let [a, b] = gap.sides;
        let told = |e: String| Refusal::of(Subject::Gap(i), format!("{}: {e}", title(network, gap)));
        let pairs = pairs(network, i, gap).map_err(told)?;
        out.push(one(network, gap, [&gap.from, &gap.to], [a, b], &pairs));
        if gap.from != gap.to {
            let turned: Pairs = pairs.into_iter().map(|(a, b, g)| (b, a, g)).collect();
            out.push(one(network, gap, [&gap.to, &gap.from], [b, a], &turned));
        }
    }
    Ok(out)
}

/// The variables of a population that gap junctions look at, in order.
pub(super) fn coupled(network: &Network, population: usize) -> Vec<usize> {
    let of = |g: &Gap| [(g.from.population, g.sides[0][0]), (g.to.population, g.sides[1][0])];
    let all = network.gaps.iter().flat_map(of).filter(|(p, _)| *p == population).map(|(_, variable)| variable);
    all.collect::<std::collections::BTreeSet<usize>>().into_iter().collect()
}

/// The number of what the variable of a side is expected to be half a step ahead.
fn ahead(network: &Network, population: usize, variable: usize) -> usize {
    let k = coupled(network, population).iter().position(|v| *v == variable).unwrap_or(0);
    network.populations[population].model.ahead(k)
}

fn title(network: &Network, gap: &Gap) -> String {
    let [from, to] = [&gap.from, &gap.to].map(|p| network.populations[p.population].name.as_str());
    format!("gap junctions from {from} to {to}")
}

/// Places in the two parts, and the conductance where it is a pair's own.
type Pairs = Vec<(u32, u32, Option<f64>)>;

/// The pairs of rules that say which; none of those that take all.
fn pairs(network: &Network, number: usize, gap: &Gap) -> Result<Pairs, String> {
    let (n, m, same) = (gap.from.which.len(), gap.to.which.len(), gap.from == gap.to);
    let most = match &gap.rule {
        Rule::AllToAll => u64::from(n) * u64::from(m),
        Rule::FixedProbability(p) => (p * f64::from(n) * f64::from(m)) as u64,
        _ => u64::from(n.min(m)),
    };
    if most > MOST {
        return Err(format!("{most} of them: at most {MOST} are possible; take parts, or fewer"));
    }
    match &gap.rule {
        Rule::List(list) => {
            let mut seen = std::collections::BTreeSet::new();
            for s in list.iter() {
                if s.source >= n || s.target >= m {
                    return Err(format!("a pair of {} and {}, and there are {n} and {m} neurons, counted from 0", s.source, s.target));
                }
                let (a, b) = (gap.from.which.get(s.source), gap.to.which.get(s.target));
                let key = if same { (a.min(b), a.max(b)) } else { (a, b) };
                if gap.from.population == gap.to.population && a == b {
                    return Err(format!("neuron {} is coupled to itself", s.source));
                }
                if !seen.insert(key) {
                    return Err(format!("the pair of {} and {} is listed twice", s.source, s.target));
                }
            }
            Ok(list.iter().map(|s| (s.source, s.target, s.weight)).collect())
        }
        Rule::FixedProbability(_) => {
            // Far from the streams of projections.
            let wiring = Wiring::new(network.seed, u32::MAX - number as u32, &drawn(gap), None)?;
            let (mut out, mut row) = (Vec::new(), Vec::new());
            for a in 0..n {
                row.clear();
                wiring.row(a, &mut row);
                out.extend(row.iter().filter(|b| !same || a < **b).map(|b| (a, *b, None)));
            }
            Ok(out)
        }
        _ => Ok(Vec::new()),
    }
}

/// A projection that draws the pairs.
fn drawn(gap: &Gap) -> Projection {
    Projection {
        from: gap.from.clone(),
        to: gap.to.clone(),
        rule: gap.rule.clone(),
        autapses: false,
        multapses: false,
        receptor: Receptor::Named(0),
        weight: Law::constant(0.0),
        delay: Law::constant(0.0),
        weight_by_distance: None,
        delay_by_distance: None,
        storage: None,
        changing: None,
    }
}

/// The current into the second part; `pairs` are places in the first and in the second.
fn one(network: &Network, gap: &Gap, [from, to]: [&Part; 2], [source, target]: [[usize; 2]; 2], pairs: &Pairs) -> GapPlan {
    let mut by_target: Vec<(u32, u32, Option<f64>)> = pairs.iter().map(|(a, b, g)| (*b, *a, *g)).collect();
    if gap.from == gap.to {
        by_target.extend(pairs);
    }
    by_target.sort_unstable_by_key(|(b, a, _)| (*b, *a));
    let own = by_target.iter().any(|pair| pair.2.is_some());
    let (mut ends, mut partners) = (Vec::new(), Vec::new());
    let mut conductances = if own { Vec::new() } else { vec![gap.conductance as f32] };
    let mut next = by_target.into_iter().peekable();
    for neuron in 0..network.populations[to.population].size {
        if let Some(place) = to.which.find(neuron) {
            match gap.rule {
                Rule::OneToOne => partners.push(from.which.get(place)),
                Rule::AllToAll => {
                    let own = |s: &u32| from.population == to.population && *s == neuron;
                    partners.extend((0..from.which.len()).map(|i| from.which.get(i)).filter(|s| !own(s)));
                }
                _ => {
                    while let Some((_, a, g)) = next.next_if(|pair| pair.0 == place) {
                        partners.push(from.which.get(a));
                        if own {
                            conductances.push(g.unwrap_or(gap.conductance) as f32);
                        }
                    }
                }
            }
        }
        ends.push(partners.len() as u32);
    }
    let (source, own) = (ahead(network, from.population, source[0]), ahead(network, to.population, target[0]));
    GapPlan { source: [from.population, source], target: [to.population, own, target[1]], ends, partners, conductances }
}
