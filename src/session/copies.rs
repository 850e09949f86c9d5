//! Copies of one neuron of a population, cut off from the network, each under a constant current of its own: the f-I curve and
//! the orbit through its phase plane. Knows no window.

use std::sync::Arc;

use super::machine::{Engine, Machine};
use crate::network::{Drive, Kind, Network, Part, Population, Probe, Stimulus, Values, Wave, Which};
use crate::plan::{Harvest, plan};

/// Copies of a sweep.
const COPIES: u32 = 96;
/// Times of the search for the range and of the curve itself: left out, and counted, ms.
const SEARCH: (f64, f64) = (50.0, 250.0);
const COUNT: (f64, f64) = (200.0, 800.0);
/// The range of a curve ends where a neuron is this fast, Hz.
const FAST: f64 = 100.0;

/// Rates against currents that are added to what the scene gives the neuron.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub input: String,
    pub unit: String,
    /// Current in the unit, rate in Hz.
    pub points: Vec<[f64; 2]>,
}

/// One number for each parameter of a population at a step: where its neurons differ, the middle of their law.
pub fn typical(population: &Population, step: u64) -> Vec<f64> {
    let mut out: Vec<f64> = population.parameters.iter().map(middle).collect();
    for (_, parameter, value) in population.changes.iter().filter(|c| c.0 <= step) {
        out[*parameter] = *value;
    }
    out
}

fn middle(values: &Values) -> f64 {
    match values {
        Values::Uniform(x) => *x,
        Values::Column(all) => all.iter().sum::<f64>() / all.len().max(1) as f64,
        Values::Law(law) => {
            let x = match law.kind {
                Kind::Constant => 1.0,
                Kind::Uniform { low, high } => (low + high) / 2.0,
                Kind::Normal { mean, .. } | Kind::Exponential { mean } => mean,
                Kind::Lognormal { mu, .. } => libm::exp(mu),
            };
            law.offset + law.scale * x.clamp(law.low, law.high)
        }
    }
}

/// One neuron for each current and nothing else.
fn copies(network: &Network, population: usize, parameters: &[f64], currents: &[f64]) -> Result<Network, String> {
    let p = network.populations.get(population).ok_or("there is no such population")?;
    let size = currents.len() as u32;
    let cell = Population {
        size,
        parameters: parameters.iter().map(|x| Values::Uniform(*x)).collect(),
        initial: vec![None; p.model.states.len()],
        changes: Vec::new(),
        positions: None,
        ..p.clone()
    };
    if p.model.inputs.is_empty() && currents.iter().any(|c| *c != 0.0) {
        return Err(format!("{} takes no current, so it has no f-I curve", p.model.name));
    }
    let stimulus = |(i, current): (usize, &f64)| Stimulus {
        name: format!("current {i}"),
        to: Part { population: 0, which: Which::Range { start: i as u32, len: 1 } },
        kind: Drive::Current { input: 0, wave: Wave::Constant(*current) },
        start: 0,
        stop: u64::MAX,
    };
    let stimuli = currents.iter().enumerate().filter(|(_, c)| **c != 0.0).map(stimulus).collect();
    let (title, dt, seed) = (network.title.clone(), network.dt, network.seed);
    Ok(Network {
        title,
        dt,
        seed,
        warmup: 0,
        duration: 0,
        populations: vec![cell],
        projections: Vec::new(),
        gaps: Vec::new(),
        stimuli,
        probes: Vec::new(),
    })
}

fn run(network: &Network, machine: &Machine, ms: f64) -> Result<Harvest, String> {
    let mut engine = Engine::new(Arc::new(plan(network)?), machine)?;
    engine.advance(((ms / network.dt).ceil() as u64).max(1))
}

/// Rate of each copy in Hz: by its intervals, where there are some.
fn rates(network: &Network, machine: &Machine, (before, counted): (f64, f64)) -> Result<Vec<f64>, String> {
    let harvest = run(network, machine, before + counted)?;
    let mut found = vec![(0u32, 0u32, 0u32); network.populations[0].size as usize];
    for spike in harvest.spikes.iter().filter(|s| f64::from(s.step) * network.dt > before) {
        if let Some((count, first, last)) = found.get_mut(spike.neuron as usize) {
            (*count, *first, *last) = (*count + 1, if *count == 0 { spike.step } else { *first }, spike.step);
        }
    }
    let rate = |(count, first, last): &(u32, u32, u32)| match count {
        0 | 1 => f64::from(*count) / counted * 1e3,
        n => f64::from(n - 1) / (f64::from(last - first) * network.dt) * 1e3,
    };
    Ok(found.iter().map(rate).collect())
}

/// The f-I curve of a population with these parameters, from below its threshold to where it is fast.
pub fn curve(network: &Network, population: usize, parameters: &[f64], machine: &Machine) -> Result<Curve, String> {
    let (low, high) = range(network, population, parameters, machine)?;
    let currents: Vec<f64> = (0..COPIES).map(|i| low + (high - low) * f64::from(i) / f64::from(COPIES - 1)).collect();
    let network = copies(network, population, parameters, &currents)?;
    let found = rates(&network, machine, COUNT)?;
    let input = network.populations[0].model.inputs.first();
    Ok(Curve {
        input: input.map_or_else(String::new, |i| i.name.clone()),
        unit: input.map_or_else(String::new, |i| i.dimension.to_string()),
        points: currents.into_iter().zip(found).map(|(c, r)| [c, r]).collect(),
    })
}

/// The currents between which something happens: found with powers of two.
pub fn range(network: &Network, population: usize, parameters: &[f64], machine: &Machine) -> Result<(f64, f64), String> {
    // A current that is far too strong makes the state infinite: then weaker ones are tried.
    let mut top = 22;
    let (currents, found) = loop {
        let up = (-8..=top).map(|k| libm::exp2(f64::from(k)));
        let currents: Vec<f64> = up.clone().map(|c| -c).rev().chain([0.0]).chain(up).collect();
        let tried = copies(network, population, parameters, &currents)?;
        match rates(&tried, machine, SEARCH) {
            Ok(found) => break (currents, found),
            Err(e) if top <= -4 => return Err(e),
            Err(_) => top -= 4,
        }
    };
    let most = found.iter().copied().fold(0.0, f64::max);
    if most == 0.0 {
        return Err("no constant current makes this neuron spike".into());
    }
    let fast = found.iter().position(|r| *r >= FAST.min(most)).unwrap_or(0);
    let silent = (0..fast).rev().find(|i| found[*i] == 0.0).unwrap_or(0);
    let (low, high) = (currents[silent], currents[fast]);
    // Where the scene puts the neuron belongs into the picture, if it is near.
    let near = (high - low).abs();
    Ok((if low > 0.0 && low <= 2.0 * near { 0.0 } else { low }, if high < 0.0 && -high <= near { 0.0 } else { high }))
}

/// The orbit of two state variables for so many ms from the model's initial values, under a constant current.
pub fn orbit(
    network: &Network,
    population: usize,
    parameters: &[f64],
    machine: &Machine,
    (current, ms): (f64, f64),
    variables: [usize; 2],
) -> Result<Vec<[f64; 2]>, String> {
    let mut network = copies(network, population, parameters, &[current])?;
    let of = || Part { population: 0, which: Which::Range { start: 0, len: 1 } };
    let probe = |variable: usize| Probe::State { name: format!("v{variable}"), of: of(), variable, every: 1 };
    network.probes = variables.map(probe).into();
    let harvest = run(&network, machine, ms)?;
    let mut out: Vec<[f64; 2]> = Vec::new();
    for sample in &harvest.samples {
        let value = sample.values.first().copied().map_or(f64::NAN, f64::from);
        match (sample.probe, out.last_mut()) {
            (0, _) => out.push([value, f64::NAN]),
            (_, Some(last)) => last[1] = value,
            _ => {}
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::problem::Source;
    use crate::scene::{Options, load, shipped};

    fn network(name: &str) -> Network {
        let text = shipped().iter().find(|(n, _)| *n == name).unwrap().1;
        load(Arc::new(Source { name: name.into(), text: text.into() }), None, &Options::default()).unwrap().network
    }

    #[test]
    fn the_curve_of_a_leaky_cell_is_its_closed_form() {
        let network = network("lif_fi");
        let cell = network.populations.iter().position(|p| p.name == "mine").unwrap();
        let mut p = typical(&network.populations[cell], 0);
        let at = |name: &str| network.populations[cell].model.parameters.iter().position(|p| p.name == name).unwrap();
        p[at("I_e")] = 0.0;
        let curve = curve(&network, cell, &p, &Machine::Cpu { threads: Some(1) }).unwrap();
        assert_eq!((curve.unit.as_str(), curve.points.len()), ("pA", 96));
        let (mut silent, mut fast) = (0, 0);
        for [current, rate] in curve.points {
            // tau_m 20 ms, C_m 200 pF: 0.1 mV per pA; threshold 20 mV, reset 10 mV, 2 ms refractory.
            let v = current * 0.1;
            let due = if v > 20.0 { 1e3 / (2.0 + 20.0 * ((v - 10.0) / (v - 20.0)).ln()) } else { 0.0 };
            silent += u32::from(due == 0.0);
            fast += u32::from(due > 50.0);
            assert!(
                (rate - due).abs() <= 0.01 * due + 2.6 * f64::from(u8::from((v - 20.0).abs() < 0.5)),
                "{current} pA: {rate} and not {due}"
            );
        }
        assert!(silent > 5 && fast > 5, "{silent} {fast}");
    }

    #[test]
    fn a_cell_that_fires_by_itself_and_one_that_takes_no_current() {
        let fi = network("lif_fi");
        let cell = fi.populations.iter().position(|p| p.name == "mine").unwrap();
        let machine = Machine::Cpu { threads: Some(1) };
        // drive = 22 mV: it fires without more, and its threshold lies below 0.
        let curve = curve(&fi, cell, &typical(&fi.populations[cell], 0), &machine).unwrap();
        let (first, last) = (curve.points[0], curve.points[95]);
        assert!(first[0] < -20.0 && first[1] == 0.0 && last[0] > 0.0 && last[1] > 60.0, "{first:?} {last:?}");
        let orbit = orbit(&fi, cell, &typical(&fi.populations[cell], 0), &machine, (0.0, 50.0), [0, 0]).unwrap();
        assert!(orbit.len() == 5000 && orbit.iter().all(|p| p[0] == p[1] && (0.0..20.01).contains(&p[0])));
    }
}
