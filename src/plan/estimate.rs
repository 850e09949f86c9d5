//! What a network will take, from its numbers alone: asked before any table is built. Knows no engine.

use crate::network::{Degree, Distance, Kind, Network, Projection, Rule, Shape, Storage};

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
    neurons + projections.map(|(i, p)| kept(network, p) + if procedural(i) { 0.0 } else { stored(network, p) }).sum::<f64>()
}

fn count(network: &Network, p: &Projection) -> f64 {
    let (sources, targets) = (f64::from(p.from.which.len()), f64::from(p.to.which.len()));
    match &p.rule {
        Rule::AllToAll => sources * targets,
        Rule::OneToOne => sources,
        Rule::FixedProbability(q) => q * sources * targets,
        Rule::FixedInDegree(k) => f64::from(*k) * targets,
        Rule::FixedOutDegree(k) => f64::from(*k) * sources,
        Rule::FixedTotalNumber(n) => *n as f64,
        Rule::Distance(Distance { degree: Degree::In(k), .. }) => f64::from(*k) * targets,
        Rule::Distance(Distance { degree: Degree::Out(k), .. }) => f64::from(*k) * sources,
        Rule::Distance(Distance { degree: Degree::Probability(q), shape, reach }) => {
            let Some(positions) = &network.populations[p.to.population].positions else { return 0.0 };
            let mean = q * integral(shape, *reach, positions.dimensions) / positions.volume();
            sources * targets * mean.min(1.0)
        }
        Rule::List(list) => list.len() as f64,
    }
}

/// The integral of a kernel over a space without borders.
fn integral(shape: &Shape, reach: f64, dimensions: usize) -> f64 {
    if *shape == Shape::Box {
        return libm::pow(2.0 * reach, dimensions as f64);
    }
    const STEPS: usize = 512;
    let width = reach / STEPS as f64;
    let surface = |r: f64| match dimensions {
        1 => 2.0,
        2 => std::f64::consts::TAU * r,
        _ => 2.0 * std::f64::consts::TAU * r * r,
    };
    (0..STEPS).map(|i| (i as f64 + 0.5) * width).map(|r| shape.at(r) * surface(r) * width).sum()
}

/// Bytes of the wiring itself.
fn kept(network: &Network, p: &Projection) -> f64 {
    let sources = f64::from(p.from.which.len());
    match &p.rule {
        Rule::FixedInDegree(_) if !p.multapses => 20.0 * count(network, p),
        Rule::Distance(Distance { degree: Degree::In(_), .. }) => 20.0 * count(network, p),
        Rule::List(_) => 60.0 * count(network, p),
        _ => 8.0 * sources,
    }
}

/// Bytes of the synapses, if they are stored.
pub fn stored(network: &Network, p: &Projection) -> f64 {
    if let Some(c) = p.changing.as_ref().filter(|c| c.model.plastic()) {
        return (8.0 + 4.0 * c.model.kept().len() as f64) * count(network, p) + 8.0 * f64::from(p.from.which.len());
    }
    let long = f64::from(p.to.which.len() > 65_536);
    count(network, p) * (2.0 + 2.0 * long + 2.0 * drawn(p.weight.kind) + drawn(p.delay.kind)) + 8.0 * f64::from(p.from.which.len())
}

fn drawn(kind: Kind) -> f64 {
    if kind == Kind::Constant { 0.0 } else { 1.0 }
}
