//! One run of a scene: built, advanced with a progress bar, recorded. Knows no table and no file format.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::args;
use super::terminal::Terminal;
use super::{Failure, scene};
use crate::network::{Network, Part, Probe};
use crate::plan::{Plan, State};
use crate::record::{Layout, ProbeLayout, Recorder, Recording, Window};
use crate::scene::Scene;
use crate::session::{self, Backend, Machine, Origin, Outcome, Simulation, Stamped};

/// A run that is asked for.
pub struct Task {
    pub origin: Origin,
    pub scene: Scene,
    pub plan: Plan,
    /// Where to go on from.
    pub state: Option<State>,
    pub journal: Vec<Stamped>,
    /// Windows of which statistics are kept beside those of the whole run.
    pub windows: Vec<Window>,
}

impl Task {
    /// A run of a scene from its start, without edits.
    pub fn new(origin: Origin) -> Result<Self, Failure> {
        let scene = origin.load().map_err(Failure::Scene)?;
        let plan = scene::plan(&scene)?;
        Ok(Self { origin, scene, plan, state: None, journal: Vec::new(), windows: Vec::new() })
    }
}

/// The machine that was asked for, with a line on what was chosen and why.
pub fn machine(place: &args::Place, terminal: &Terminal) -> Result<Machine, Failure> {
    let backend = match place.backend {
        args::Backend::Auto => Backend::Auto,
        args::Backend::Cpu => Backend::Cpu,
        args::Backend::Gpu => Backend::Gpu,
    };
    if backend == Backend::Cpu && place.device.is_some() {
        return Err(Failure::Usage("--device names a GPU: leave it out, or take --backend gpu".into()));
    }
    let (machine, why) = session::choose(backend, place.device.as_deref()).map_err(Failure::Device)?;
    terminal.note(format!("device: {why}"));
    Ok(machine)
}

/// Runs and records into `out`; Ctrl-C ends the run early. A run that fails on the way is told by its outcome.
pub fn simulate(
    task: Task,
    machine: &Machine,
    out: &Path,
    terminal: &Terminal,
    progress: bool,
) -> Result<(Simulation, Recording, Outcome), Failure> {
    let network = &task.scene.network;
    let (dt, end) = (network.dt, network.warmup + network.duration);
    let first = task.state.as_ref().map_or(0, |s| s.step);
    if first >= end {
        let (at, end) = (first as f64 * dt, end as f64 * dt);
        return Err(Failure::Usage(format!("the checkpoint stands at {at} ms and the run ends at {end} ms: take a longer --duration")));
    }
    let layout = Layout { windows: task.windows, ..layout(network, first) };
    let start = Instant::now();
    let spinner = terminal.bar(1, "{spinner} building {elapsed}");
    if progress {
        spinner.enable_steady_tick(std::time::Duration::from_millis(100));
    }
    let built = Simulation::new(task.origin, task.scene, Arc::new(task.plan), machine, task.state.as_ref());
    spinner.finish_and_clear();
    let mut simulation = built.map_err(Failure::Limit)?;
    let mut recorder = Recorder::new(out, layout).map_err(Failure::Run)?;
    for (i, weighing) in recorder.weights.iter_mut().enumerate() {
        simulation.weights(i, |c, _| weighing.synapse(c.source, c.target)).map_err(Failure::Run)?;
    }
    let build_seconds = start.elapsed().as_secs_f64();
    if progress {
        terminal.note(format!("built in {build_seconds:.2} s"));
    }
    let bar = if progress { terminal.bar(end - first, "{bar:30} {percent}% {msg} eta {eta}") } else { indicatif::ProgressBar::hidden() };
    let start = Instant::now();
    let outcome = session::run(&mut simulation, end, &task.journal, terminal.stop(), |simulation, harvest| {
        bar.set_position(harvest.to - first);
        bar.set_message(format!("{:.2}x real time", start.elapsed().as_secs_f64() * 1e3 / ((harvest.to - first) as f64 * dt)));
        recorder.take(harvest)?;
        weigh(simulation, &mut recorder, |every| every.is_some_and(|n| harvest.to.is_multiple_of(n)))
    });
    bar.finish_and_clear();
    let outcome = Outcome { build_seconds, ..outcome.map_err(Failure::Run)? };
    weigh(&simulation, &mut recorder, |every| every.is_none()).map_err(Failure::Run)?;
    Ok((simulation, recorder.finish().map_err(Failure::Run)?, outcome))
}

/// Writes the weights of the probes whose interval is `due`, as they are now.
fn weigh(simulation: &Simulation, recorder: &mut Recorder, due: impl Fn(Option<u64>) -> bool) -> Result<(), String> {
    for (i, _) in simulation.weights_probes().into_iter().filter(|(_, every)| due(*every)) {
        if let Some(weighing) = recorder.weights.get_mut(i) {
            weighing.step(simulation.step())?;
            simulation.weights(i, |_, weight| weighing.weight(weight))?;
        }
    }
    Ok(())
}

/// What is recorded; the statistics begin after the warm-up, or where the run begins.
fn layout(network: &Network, first_step: u64) -> Layout {
    let mut first = 0;
    let mut populations = Vec::new();
    for p in &network.populations {
        populations.push((p.name.clone(), first, p.size));
        first += p.size;
    }
    let numbers = |of: &Part| (0..of.which.len()).map(|i| populations[of.population].1 + of.which.get(i)).collect::<Vec<u32>>();
    let mut spikes = Vec::new();
    let (mut probes, mut rates, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    let mut names = vec!["spikes".to_string()];
    for probe in &network.probes {
        match probe {
            Probe::Weights { name, .. } => weights.push(unused(name, &mut names)),
            Probe::Spikes { of } => spikes.extend(numbers(of)),
            Probe::Rate { name, of, every } => {
                rates.push(ProbeLayout { name: unused(name, &mut names), neurons: numbers(of), every: *every });
            }
            Probe::State { name, of, every, .. } => {
                probes.push(ProbeLayout { name: unused(name, &mut names), neurons: numbers(of), every: *every });
            }
        }
    }
    let warmup = network.warmup.max(first_step);
    Layout { dt: network.dt, warmup, windows: Vec::new(), populations, spikes, probes, rates, weights, first: first_step }
}

/// A name that no other array of the run has: a second `exc_V_m` becomes `exc_V_m_2`.
fn unused(name: &str, names: &mut Vec<String>) -> String {
    let numbered = (2..).map(|n| format!("{name}_{n}"));
    let free = std::iter::once(name.to_string()).chain(numbered).find(|n| !names.contains(n)).unwrap_or_default();
    names.push(free.clone());
    free
}
