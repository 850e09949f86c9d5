//! `synfire run`: build, run with a progress bar, print the table, write the run directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::args::{self, Format};
use super::scene::{bytes, free_memory, origin, plan, problems};
use super::{Failure, args::Run, edits};
use crate::export::{self, Checkpoint};
use crate::network::{Network, Probe};
use crate::plan::{self, Plan, State};
use crate::record::{Layout, ProbeLayout, Recorder, Recording};
use crate::scene::Scene;
use crate::session::{self, Backend, Machine, Origin, Outcome, Simulation, Stamped};

pub fn run(words: &Run) -> Result<(), Failure> {
    let origin = origin(&words.scene)?;
    let scene = origin.load().map_err(problems)?;
    let mut plan = plan(&scene)?;
    let journal = edits::journal(words, &scene)?;
    let resumed = words.resume.as_deref().map(export::read_checkpoint).transpose().map_err(Failure::Run)?;
    if let Some(checkpoint) = &resumed {
        plan = plan::resumed_within(&scene.network, &checkpoint.about.scales, free_memory()).map_err(Failure::Run)?;
        checkpoint.belongs(&plan).map_err(Failure::Run)?;
    }
    let out = directory(words)?;
    eprintln!("{}: {} neurons, {} synapses, {}", scene.title, plan.neurons, plan.synapses(), bytes(plan.bytes()));
    let machine = machine(&words.place)?.with_threads(words.scene.threads);
    let resolved = scene.resolved.clone();
    let task = Task { origin, scene, plan, state: resumed.map(|c| c.state), journal };
    let (simulation, recording, outcome) = simulate(task, &machine, &out, true)?;
    if let Some(path) = &words.checkpoint {
        let state = simulation.save().map_err(Failure::Run)?;
        let checkpoint = Checkpoint::new(&simulation.plan, &simulation.scene.resolved, state);
        export::write_checkpoint(&checkpoint, path).map_err(Failure::Run)?;
    }
    let report = summary(&simulation, &machine, &recording, &outcome);
    write(words, &resolved, &simulation.journal, &report, &out, &recording)?;
    if words.json {
        println!("{report:#}");
    } else {
        table(&simulation.plan, &machine, &recording, &outcome);
        println!("written to {}", out.display());
    }
    if outcome.interrupted { Err(Failure::Interrupted) } else { Ok(()) }
}

/// A run that is asked for.
pub struct Task {
    pub origin: Origin,
    pub scene: Scene,
    pub plan: Plan,
    /// Where to go on from.
    pub state: Option<State>,
    pub journal: Vec<Stamped>,
}

/// The machine that was asked for, with a line on what was chosen and why.
pub fn machine(place: &args::Place) -> Result<Machine, Failure> {
    let backend = match place.backend {
        args::Backend::Auto => Backend::Auto,
        args::Backend::Cpu => Backend::Cpu,
        args::Backend::Gpu => Backend::Gpu,
    };
    let (machine, why) = session::choose(backend, place.device.as_deref()).map_err(Failure::Run)?;
    eprintln!("device: {why}");
    Ok(machine)
}

/// Runs and records into `out`; Ctrl-C ends the run early.
pub fn simulate(task: Task, machine: &Machine, out: &Path, progress: bool) -> Result<(Simulation, Recording, Outcome), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = stop.clone();
    // A second handler in one process (as `verify` would set) is refused by the system and not needed.
    let _ = ctrlc::set_handler(move || raised.store(true, Ordering::Relaxed));
    let network = &task.scene.network;
    let (dt, end) = (network.dt, network.warmup + network.duration);
    let first = task.state.as_ref().map_or(0, |s| s.step);
    if first >= end {
        let (at, end) = (first as f64 * dt, end as f64 * dt);
        return Err(Failure::Run(format!("the checkpoint stands at {at} ms and the run ends at {end} ms: take a longer --duration")));
    }
    let mut recorder = Recorder::new(out, layout(network, first)).map_err(Failure::Run)?;
    let bar = if progress { ProgressBar::new(end) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent}% {msg} eta {eta}") {
        bar.set_style(style);
    }
    let start = std::time::Instant::now();
    let mut simulation =
        Simulation::new(task.origin, task.scene, Arc::new(task.plan), machine, task.state.as_ref()).map_err(Failure::Run)?;
    let build_seconds = start.elapsed().as_secs_f64();
    let start = std::time::Instant::now();
    let outcome = session::run(&mut simulation, end, &task.journal, &stop, |harvest| {
        bar.set_position(harvest.to);
        bar.set_message(format!("{:.2}x real time", start.elapsed().as_secs_f64() * 1e3 / ((harvest.to - first) as f64 * dt)));
        recorder.take(harvest)
    });
    bar.finish_and_clear();
    let outcome = Outcome { build_seconds, ..outcome.map_err(Failure::Run)? };
    Ok((simulation, recorder.finish().map_err(Failure::Run)?, outcome))
}

/// What is recorded; the statistics begin after the warm-up, or where the run begins.
fn layout(network: &Network, first_step: u64) -> Layout {
    let mut first = 0;
    let mut populations = Vec::new();
    for p in &network.populations {
        populations.push((p.name.clone(), first, p.size));
        first += p.size;
    }
    let mut spikes = Vec::new();
    let (mut probes, mut rates) = (Vec::new(), Vec::new());
    let mut names = vec!["spikes".to_string()];
    for probe in &network.probes {
        match probe {
            Probe::Spikes { of } => spikes.extend((0..of.which.len()).map(|i| populations[of.population].1 + of.which.get(i))),
            Probe::Rate { name, of, every } => rates.push(ProbeLayout {
                name: unused(name, &mut names),
                neurons: (0..of.which.len()).map(|i| populations[of.population].1 + of.which.get(i)).collect(),
                every: *every,
            }),
            Probe::State { name, of, every, .. } => {
                probes.push(ProbeLayout {
                    name: unused(name, &mut names),
                    neurons: (0..of.which.len()).map(|i| populations[of.population].1 + of.which.get(i)).collect(),
                    every: *every,
                });
            }
        }
    }
    Layout { dt: network.dt, warmup: network.warmup.max(first_step), populations, spikes, probes, rates, first: first_step }
}

/// A name that no other array of the run has: a second `exc_V_m` becomes `exc_V_m_2`.
fn unused(name: &str, names: &mut Vec<String>) -> String {
    let numbered = (2..).map(|n| format!("{name}_{n}"));
    let free = std::iter::once(name.to_string()).chain(numbered).find(|n| !names.contains(n)).unwrap_or_default();
    names.push(free.clone());
    free
}

fn directory(words: &Run) -> Result<PathBuf, Failure> {
    let out = match &words.out {
        Some(out) => out.clone(),
        None => {
            let stem = Path::new(&words.scene.scene).file_stem().and_then(|s| s.to_str()).unwrap_or("scene").trim_matches('-').to_string();
            let stem = if stem.is_empty() { "scene".to_string() } else { stem };
            (1..).map(|n| PathBuf::from(format!("runs/{stem}-{n}"))).find(|p| !p.exists()).unwrap_or_default()
        }
    };
    if out.exists() {
        if !words.force {
            return Err(Failure::Run(format!("{} exists: take another --out, or --force to replace its files", out.display())));
        }
        if !out.is_dir() {
            return Err(Failure::Run(format!("{} is a file: take another --out", out.display())));
        }
    }
    std::fs::create_dir_all(&out).map_err(|e| Failure::Run(format!("{}: {e}", out.display())))?;
    Ok(out)
}

fn write(
    words: &Run,
    resolved: &str,
    journal: &[Stamped],
    report: &serde_json::Value,
    out: &Path,
    recording: &Recording,
) -> Result<(), Failure> {
    let file = |name: &str, text: String| {
        std::fs::write(out.join(name), text).map_err(|e| Failure::Run(format!("{}: {e}", out.join(name).display())))
    };
    match words.format {
        Format::Npz => export::npz(recording, &out.join("data.npz")),
        Format::Csv => export::csv(recording, out),
    }
    .map_err(Failure::Run)?;
    file("scene.toml", resolved.to_string())?;
    file("journal.jsonl", edits::text(journal))?;
    file("run.json", format!("{report:#}\n"))
}

fn summary(simulation: &Simulation, machine: &Machine, recording: &Recording, outcome: &Outcome) -> serde_json::Value {
    let (scene, plan) = (&simulation.scene, &simulation.plan);
    let populations: Vec<_> = plan
        .populations
        .iter()
        .enumerate()
        .map(|(i, p)| {
            let measure = |metric: &str, unit: f64| recording.measure(metric, i, 2).ok().map(|x| x * unit);
            json!({ "name": p.name, "first": p.first, "neurons": p.size, "rate_Hz": measure("rate", 1e3),
                "cv_isi": measure("cv_isi", 1.0), "synchrony": measure("synchrony", 1.0) })
        })
        .collect();
    let place = machine.describe();
    json!({
        "synfire": env!("CARGO_PKG_VERSION"), "title": scene.title, "preset": scene.preset, "seed": plan.seed, "dt_ms": plan.dt,
        "warmup_steps": scene.network.warmup, "steps": outcome.steps, "end_step": outcome.end, "edits": simulation.journal.len(), "complete": !outcome.interrupted, "engine": place.engine,
        "device": place.device, "driver": place.driver, "binding_limit_bytes": place.binding, "bit_exact": place.exact.is_ok(),
        "self_test": place.exact.as_ref().err(),
        "neurons": plan.neurons, "synapses": plan.synapses(), "plan_bytes": plan.bytes(), "synapse_bytes": outcome.synapse_bytes,
        "spikes": outcome.spikes, "synaptic_events": outcome.events, "build_s": outcome.build_seconds,
        "simulation_s": outcome.run_seconds, "real_time_factor": factor(plan, outcome), "populations": populations,
    })
}

/// Seconds of computing per second of the network's life.
fn factor(plan: &Plan, outcome: &Outcome) -> f64 {
    outcome.run_seconds * 1e3 / (outcome.steps.max(1) as f64 * plan.dt)
}

fn table(plan: &Plan, machine: &Machine, recording: &Recording, outcome: &Outcome) {
    println!("{:16} {:>9} {:>10} {:>8} {:>10}", "population", "neurons", "rate (Hz)", "CV ISI", "synchrony");
    for (i, p) in plan.populations.iter().enumerate() {
        let show = |metric: &str, unit: f64| recording.measure(metric, i, 2).map_or("-".into(), |x| format!("{:.3}", x * unit));
        println!("{:16} {:>9} {:>10} {:>8} {:>10}", p.name, p.size, show("rate", 1e3), show("cv_isi", 1.0), show("synchrony", 1.0));
    }
    println!("spikes           {}\nsynaptic events  {}", outcome.spikes, outcome.events);
    println!("built in         {:.2} s\nsimulated in     {:.2} s", outcome.build_seconds, outcome.run_seconds);
    println!("real-time factor {:.3} (below 1 is faster than life)", factor(plan, outcome));
    println!("device           {}\nmemory           {} planned", machine.describe().device, bytes(plan.bytes()));
}

/// The words of a scene and nothing else, for `verify`.
pub fn words(scene: &str, preset: Option<String>, seed: u64) -> args::Scene {
    args::Scene { scene: scene.into(), set: Vec::new(), preset, seed: Some(seed), duration: None, threads: None }
}
