//! Which rules can be met between two parts. Knows no random number.

use super::{Part, Rule};

impl Rule {
    /// Why no synapses between these parts can follow the rule, and what would help. Whether a rule by distance can, its positions tell.
    pub fn check(&self, from: &Part, to: &Part, autapses: bool, multapses: bool) -> Result<(), String> {
        let (n_s, n_t) = (u64::from(from.which.len()), u64::from(to.which.len()));
        let excluded = u64::from(!autapses && from.population == to.population);
        match self {
            Rule::AllToAll | Rule::Distance(_) => Ok(()),
            Rule::OneToOne if n_s == n_t => Ok(()),
            Rule::OneToOne => Err(format!("one_to_one needs equal sizes: {n_s} sources and {n_t} targets")),
            Rule::FixedProbability(q) if (0.0..=1.0).contains(q) => Ok(()),
            Rule::FixedProbability(q) => Err(format!("a probability of {q}: it lies between 0 and 1")),
            Rule::FixedOutDegree(k) => degree(*k, "out", "targets for each source", [n_s, n_t], excluded, multapses),
            Rule::FixedInDegree(k) => degree(*k, "in", "sources for each target", [n_t, n_s], excluded, multapses),
            Rule::FixedTotalNumber(n) if (n_s == 0 || n_t <= excluded) && *n > 0 => {
                Err(format!("{n} synapses between {n_s} and {n_t} neurons"))
            }
            Rule::FixedTotalNumber(n) => {
                let pairs = n_s * n_t - excluded * u64::from(common(from, to));
                match multapses || *n <= pairs {
                    true => Ok(()),
                    false => Err(format!("{n} synapses without multapses, but only {pairs} pairs: allow_multapses = true, or fewer")),
                }
            }
            Rule::List(list) => {
                let beyond = |what, found: u32, i, there: u64| {
                    let what = format!("{what} {found} of listed synapse {i} does not exist");
                    if u64::from(found) < there { Ok(()) } else { Err(format!("{what}: there are {there}, counted from 0")) }
                };
                list.iter().enumerate().try_for_each(|(i, s)| {
                    beyond("source", s.source, i, n_s)?;
                    beyond("target", s.target, i, n_t)
                })
            }
        }
    }
}

/// Whether each of `[own, others]` neurons finds `k` among the others.
fn degree(k: u32, which: &str, each: &str, [own, others]: [u64; 2], excluded: u64, multapses: bool) -> Result<(), String> {
    if k > 0 && own > 0 && others <= excluded {
        return Err(format!("{k} {each}, but there are none"));
    }
    if own == 0 || multapses || u64::from(k) + excluded <= others {
        return Ok(());
    }
    let left = others - excluded;
    Err(format!("an {which}-degree of {k} without multapses, but only {left} neurons to choose from: allow_multapses = true, or fewer"))
}

/// Neurons that belong to both parts of one population.
fn common(a: &Part, b: &Part) -> u32 {
    (0..a.which.len()).filter(|i| b.which.find(a.which.get(*i)).is_some()).count() as u32
}
