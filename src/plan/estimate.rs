//! What a network will take, from its numbers alone: asked before any table is built. Knows no engine.

use crate::network::{Kind, Network, Projection, Rule, Storage};

/// Bytes that plan and engine will take together, to about a tenth; more where the wiring must be kept while it is built.
/// `free` is what the machine has, if that is known.
pub fn estimate(network: &Network, free: Option<u64>) -> f64 {
    let longest = network.projections.iter().map(|p| super::laws::bounds(&p.delay).1).fold(0.0, f64::max) / network.dt;
    let neurons: f64 = network
        .populations
        .iter()
        .map(|p| {
            let columns = p.parameters.len() + p.model.states.len() + p.model.inputs.len() + 2;
            f64::from(p.size) * (4.0 * columns as f64 + 40.0 + 4.0 * p.model.receptors.len() as f64 * (longest + 1.0))
        })
        .sum();
    // What cannot be as asked is told of where it is lowered.
    let chosen = super::storage::choose(network, free).unwrap_or_default();
    let procedural = |i: usize| chosen.get(i).is_some_and(|c| c.storage == Storage::Procedural);
    let projections = network.projections.iter().enumerate();
    neurons + projections.map(|(i, p)| kept(p) + if procedural(i) { 0.0 } else { stored(p) }).sum::<f64>()
}

fn count(p: &Projection) -> f64 {
    let (sources, targets) = (f64::from(p.from.which.len()), f64::from(p.to.which.len()));
    match &p.rule {
        Rule::AllToAll => sources * targets,
        Rule::OneToOne => sources,
        Rule::FixedProbability(q) => q * sources * targets,
        Rule::FixedInDegree(k) => f64::from(*k) * targets,
        Rule::FixedOutDegree(k) => f64::from(*k) * sources,
        Rule::FixedTotalNumber(n) => *n as f64,
        Rule::List(list) => list.len() as f64,
    }
}

/// Bytes of the wiring itself.
fn kept(p: &Projection) -> f64 {
    let sources = f64::from(p.from.which.len());
    match &p.rule {
        Rule::FixedInDegree(_) if !p.multapses => 20.0 * count(p),
        Rule::List(_) => 60.0 * count(p),
        _ => 8.0 * sources,
    }
}

/// Bytes of the synapses, if they are stored.
pub fn stored(p: &Projection) -> f64 {
    let long = f64::from(p.to.which.len() > 65_536);
    count(p) * (2.0 + 2.0 * long + 2.0 * drawn(p.weight.kind) + drawn(p.delay.kind)) + 8.0 * f64::from(p.from.which.len())
}

fn drawn(kind: Kind) -> f64 {
    if kind == Kind::Constant { 0.0 } else { 1.0 }
}
