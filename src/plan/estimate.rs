//! What a network will take, from its numbers alone: asked before any table is built. Knows no engine.

use crate::network::{Kind, Network, Projection, Rule};

/// Bytes that plan and engine will take together, to about a tenth; more where the wiring must be kept while it is built.
pub fn estimate(network: &Network) -> f64 {
    let longest = network.projections.iter().map(|p| super::laws::bounds(&p.delay).1).fold(0.0, f64::max) / network.dt;
    let neurons: f64 = network
        .populations
        .iter()
        .map(|p| {
            let columns = p.parameters.len() + p.model.states.len() + p.model.inputs.len() + 2;
            f64::from(p.size) * (4.0 * columns as f64 + 40.0 + 4.0 * p.model.receptors.len() as f64 * (longest + 1.0))
        })
        .sum();
    neurons + network.projections.iter().map(projection).sum::<f64>()
}

fn projection(p: &Projection) -> f64 {
    let (sources, targets) = (f64::from(p.from.which.len()), f64::from(p.to.which.len()));
    let count = match &p.rule {
        Rule::AllToAll => sources * targets,
        Rule::OneToOne => sources,
        Rule::FixedProbability(q) => q * sources * targets,
        Rule::FixedInDegree(k) => f64::from(*k) * targets,
        Rule::FixedOutDegree(k) => f64::from(*k) * sources,
        Rule::FixedTotalNumber(n) => *n as f64,
        Rule::List(list) => list.len() as f64,
    };
    let kept = match &p.rule {
        Rule::FixedTotalNumber(_) if !p.multapses => 12.0 * sources * targets,
        Rule::FixedInDegree(_) if !(p.multapses && p.autapses) => 20.0 * count,
        Rule::List(_) => 60.0 * count,
        _ => 0.0,
    };
    let own = 2.0 + 2.0 * f64::from(targets > 65_536.0) + 2.0 * drawn(p.weight.kind) + drawn(p.delay.kind);
    count * own + 16.0 * sources + kept
}

fn drawn(kind: Kind) -> f64 {
    if kind == Kind::Constant { 0.0 } else { 1.0 }
}
