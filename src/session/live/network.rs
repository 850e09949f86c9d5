//! A network that runs live: from a scene to a simulation and what is told of it. Knows no thread and no order.

use std::sync::Arc;
use std::time::Instant;

use super::{About, Watched};
use crate::base::problem::Problem;
use crate::network::{Network, Part, Probe, Which};
use crate::scene::{Knob, Scene};
use crate::session::{Machine, Origin, Simulation, memory};

/// Membranes that are recorded at once, at most.
pub const MOST_WATCHED: usize = 16;

pub struct Running {
    pub simulation: Simulation,
    pub about: Arc<About>,
    pub watched: Arc<[Watched]>,
}

/// Builds the network of an origin. Problems of the scene come as a list.
pub fn build(origin: Origin, machine: &Machine, original: Option<Arc<[Knob]>>, watch: &[u32]) -> Result<Running, Vec<Problem>> {
    let mut scene = origin.load()?;
    memory::fits(&scene.network).map_err(told)?;
    // What is looked at is recorded, not what the scene would write to a file.
    scene.network.probes.clear();
    let (base, original) =
        (Arc::from(scene.resolved.as_str()), original.unwrap_or_else(|| scene.knobs.iter().chain(&scene.cells).cloned().collect()));
    let plan = Arc::new(crate::plan::plan_within(&scene.network, memory::free()).map_err(|r| vec![scene.entries.problem(&r)])?);
    let mut simulation = Simulation::new(origin, scene, plan, machine, None).map_err(told)?;
    let watched = watch_neurons(&mut simulation, machine, watch).map_err(told)?;
    let rebuilds = rebuilds(&simulation);
    let about = Arc::new(tell(&simulation, original, rebuilds, base));
    Ok(Running { simulation, about, watched })
}

fn told(text: String) -> Vec<Problem> {
    vec![Problem::new(text)]
}

/// What is told of a simulation.
pub fn tell(simulation: &Simulation, original: Arc<[Knob]>, rebuilds: Arc<[Option<String>]>, base: Arc<str>) -> About {
    let (scene, plan, origin) = (&simulation.scene, &simulation.plan, &simulation.origin);
    let equations = |p: &crate::network::Population| match p.model.compile(scene.network.dt) {
        Ok(compiled) => format!("{} ({})\n{}\n{}", p.model.name, compiled.method, p.model.about, compiled.update),
        Err(problems) => problems.iter().map(Problem::render).collect(),
    };
    About {
        title: scene.title.clone(),
        about: scene.about.clone(),
        cite: scene.cite.clone(),
        unconfirmed: scene.unconfirmed.clone(),
        presets: scene.presets.iter().filter(|p| !p.name.is_empty()).cloned().collect(),
        knobs: scene.knobs.clone(),
        cells: scene.cells.clone(),
        original,
        rebuilds,
        buttons: scene.buttons.clone(),
        lesson: scene.lesson.clone().map(Arc::new),
        network: Arc::new(scene.network.clone()),
        plan: plan.clone(),
        sheets: plan.populations.iter().map(|p| p.sheet.clone()).collect(),
        equations: scene.network.populations.iter().map(equations).collect(),
        source: origin.source.clone(),
        folder: origin.folder.clone(),
        base,
        synapses: plan.synapses(),
        bytes: plan.bytes().max(simulation.synapse_bytes()),
        budget: plan.budget.clone(),
    }
}

/// For each knob what it would rebuild: tried with a value a little larger.
pub fn rebuilds(simulation: &Simulation) -> Arc<[Option<String>]> {
    let knobs = simulation.scene.knobs.iter();
    let tried = |k: &Knob| {
        if k.derived {
            return None;
        }
        let more = [k.value + 1.0, k.value * 1.1, k.value * 2.0];
        let found = more.iter().find_map(|x| simulation.rebuilds(&k.name, &written(*x, &k.unit)).ok());
        found.unwrap_or_else(|| Some("a value that could not be tried".into()))
    };
    knobs.map(tried).collect()
}

/// A value as a scene writes it.
pub fn written(value: f64, unit: &str) -> String {
    if unit.is_empty() { value.to_string() } else { format!("{value} {unit}") }
}

/// Records the membrane of these neurons, and of no others.
pub fn watch_neurons(simulation: &mut Simulation, machine: &Machine, neurons: &[u32]) -> Result<Arc<[Watched]>, String> {
    let (mut watched, mut probes) = (Vec::new(), Vec::new());
    for neuron in neurons.iter().take(MOST_WATCHED) {
        let Some((population, index)) = place(&simulation.scene.network, *neuron) else { continue };
        let p = &simulation.scene.network.populations[population];
        let variable = membrane(&p.model.states.iter().map(|s| s.name.as_str()).collect::<Vec<_>>());
        let Some(state) = p.model.states.get(variable) else { continue };
        let name = format!("{}[{index}]", p.name);
        watched.push(Watched { neuron: *neuron, name: name.clone(), variable: state.name.clone() });
        let of = Part { population, which: Which::Range { start: index, len: 1 } };
        probes.push(Probe::State { name, of, variable, every: 1 });
    }
    simulation.watch(probes, machine)?;
    Ok(watched.into())
}

/// The state variable that people look at first.
pub fn membrane(names: &[&str]) -> usize {
    ["V_m", "V", "v"].iter().find_map(|n| names.iter().position(|s| s == n)).unwrap_or(0)
}

/// Population and index within it of a neuron of the whole network.
pub fn place(network: &Network, neuron: u32) -> Option<(usize, u32)> {
    let mut first = 0;
    for (i, p) in network.populations.iter().enumerate() {
        if neuron < first + p.size {
            return Some((i, neuron - first));
        }
        first += p.size;
    }
    None
}

/// The scale at which this network holds real time here, if it is smaller than the one it has: found by running it for a moment.
pub fn fitting(running: &mut Running) -> Result<Option<(f64, f64)>, String> {
    let scene: &Scene = &running.simulation.scene;
    let Some(knob) = scene.knobs.iter().find(|k| k.name == "scale" && !k.derived) else { return Ok(None) };
    let (scale, least) = (knob.value, knob.range.map_or(0.0, |r| r[0]));
    let dt = scene.network.dt;
    running.simulation.advance((30.0 / dt).ceil() as u64)?;
    // The best of several short stretches: the others were shared with whatever else this machine does.
    let (start, mut factor, stretch) = (Instant::now(), f64::INFINITY, (5.0 / dt).ceil() as u64);
    for k in 0..40 {
        let now = Instant::now();
        running.simulation.advance(stretch)?;
        factor = factor.min(now.elapsed().as_secs_f64() * 1e3 / (stretch as f64 * dt));
        if k >= 3 && start.elapsed().as_secs_f64() > 0.5 {
            break;
        }
    }
    // A fifth is left for the drawing.
    if factor <= 0.8 {
        return Ok(None);
    }
    let wish = scale * 0.8 / factor;
    let step = libm::pow(10.0, libm::floor(libm::log10(wish)) - 1.0);
    let fit = (libm::floor(wish / step) * step).max(least);
    // Without the last digits that a product of floats brings.
    let fit = libm::round(fit * 1e6) / 1e6;
    Ok((fit < scale).then_some((fit, factor)))
}
