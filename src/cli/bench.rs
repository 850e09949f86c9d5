//! `synfire bench`: how fast a scene is built and run here: by size, by engine, split by phase.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::args::{Backend, Bench, Changes, Place};
use super::scene::{named, plan};
use super::simulate::machine;
use super::terminal::Terminal;
use super::{Failure, host};
use crate::base::problem::Source;
use crate::record::{Layout, Recorder};
use crate::session::{self, Machine, Origin, Outcome, Phases, Simulation};

const SCENE: &str = include_str!("bench.toml");

pub fn bench(words: &Bench, terminal: &Terminal) -> Result<(), Failure> {
    let origin = match &words.scene {
        Some(scene) => named(scene, &words.changes)?,
        None => own(&words.changes)?,
    };
    let sizes: Vec<Option<f64>> = match words.sizes[..] {
        [] => vec![None],
        _ => words.sizes.iter().copied().map(Some).collect(),
    };
    #[cfg(feature = "view")]
    if words.window {
        let sized = sizes.iter().map(|size| sized(&origin, &words.knob, *size)).collect::<Result<Vec<_>, _>>()?;
        return super::drawing::bench(words, sized, terminal);
    }
    let mut cases = Vec::new();
    let mut before = String::new();
    for backend in &words.backend {
        let device = words.device.clone().filter(|_| *backend != Backend::Cpu);
        let machine = machine(&Place { backend: *backend, device }, terminal)?.with_threads(words.changes.threads);
        for size in &sizes {
            let origin = sized(&origin, &words.knob, *size)?;
            let case = case(&origin, &machine, words.repeat, terminal)?;
            if !terminal.json {
                let (title, rows) = text(&case);
                let head = if title == before { String::new() } else { format!("{title}\n{HEAD}\n") };
                terminal.text(&format!("{head}{rows}"))?;
                before = title;
            }
            cases.push(case);
        }
    }
    if terminal.json {
        let (processor, threads) = host::processor();
        terminal.data(String::new, || json!({ "host": { "processor": processor, "threads": threads }, "cases": cases }))?;
    }
    Ok(())
}

/// The scene that was made for this, with the changes of the command line.
fn own(changes: &Changes) -> Result<Origin, Failure> {
    let origin = named("brunel", changes)?;
    Ok(Origin { source: Arc::new(Source { name: "bench.toml".into(), text: SCENE.into() }), folder: None, options: origin.options })
}

fn sized(origin: &Origin, knob: &str, size: Option<f64>) -> Result<Origin, Failure> {
    let Some(size) = size else { return Ok(origin.clone()) };
    let mut origin = origin.clone();
    origin.options.set.push((knob.into(), size.to_string()));
    Ok(origin)
}

/// One run: how it went, seconds of computing to build and to run, phases.
struct Measured {
    outcome: Outcome,
    cpu: Option<[f64; 2]>,
    phases: Option<Phases>,
    threads: usize,
    batch: u64,
}

fn case(origin: &Origin, machine: &Machine, repeat: u32, terminal: &Terminal) -> Result<Value, Failure> {
    let scene = origin.load().map_err(Failure::Scene)?;
    let plan = plan(&scene)?;
    let life = (scene.network.warmup + scene.network.duration) as f64 * plan.dt;
    let (neurons, synapses, planned, dt) = (plan.neurons, plan.synapses(), plan.bytes(), plan.dt);
    drop(plan);
    host::reset_peak();
    let bar = terminal.bar(u64::from(repeat), "{bar:30} run {pos} of {len}");
    let mut runs = Vec::new();
    for _ in 0..repeat {
        runs.push(one(origin, machine, terminal)?);
        bar.inc(1);
        if terminal.stopped() {
            return Err(Failure::Interrupted("nothing was measured to the end".into()));
        }
    }
    bar.finish_and_clear();
    let median = |f: &dyn Fn(&Measured) -> f64| {
        let mut all: Vec<f64> = runs.iter().map(f).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let (build, run) = (median(&|m| m.outcome.build_seconds), median(&|m| m.outcome.run_seconds));
    let cpu = |i: usize| runs[0].cpu.map(|_| median(&|m| m.cpu.map_or(f64::NAN, |c| c[i])));
    let last = &runs[runs.len() - 1];
    let phase = |(name, seconds, count): (&str, f64, u64)| {
        let each = (count > 0).then(|| seconds * 1e9 / count as f64);
        let share = seconds / (last.outcome.run_seconds * last.threads as f64);
        json!({ "phase": name, "seconds": seconds, "share": share, "count": count, "ns_each": each })
    };
    let named = |p: Phases| {
        let of = [
            ("deliver", p.deliver, p.events),
            ("drive", p.drive, p.draws),
            ("update", p.update, p.updates),
            ("spread", p.spread, p.spikes),
            ("wait", p.wait, 0),
        ];
        of.map(phase)
    };
    let batches = last.outcome.steps.div_ceil(last.batch.max(1));
    let place = machine.describe();
    Ok(json!({
        "title": scene.title, "engine": place.engine, "device": place.device, "neurons": neurons, "synapses": synapses,
        "life_s": life * 1e-3, "dt_ms": dt, "runs": repeat, "build_s": build, "run_s": run, "real_time_factor": run * 1e3 / life,
        "build_cpu_s": cpu(0), "run_cpu_s": cpu(1), "us_per_step": run * 1e6 / last.outcome.steps.max(1) as f64,
        "spikes": last.outcome.spikes, "synaptic_events": last.outcome.events, "events_per_s": last.outcome.events as f64 / run,
        "synapse_bytes": last.outcome.synapse_bytes, "plan_bytes": planned, "peak_bytes": host::peak_memory(),
        "steps_per_batch": last.batch, "batches": batches, "us_per_batch": run * 1e6 / batches.max(1) as f64,
        "threads": last.threads, "phases": last.phases.map(named),
    }))
}

/// Builds and runs once; spikes and statistics are taken, nothing is written.
fn one(origin: &Origin, machine: &Machine, terminal: &Terminal) -> Result<Measured, Failure> {
    let scene = origin.load().map_err(Failure::Scene)?;
    let end = scene.network.warmup + scene.network.duration;
    let before = host::cpu_seconds();
    let start = std::time::Instant::now();
    let plan = plan(&scene)?;
    let populations = plan.populations.iter().map(|p| (p.name.clone(), p.first, p.size)).collect();
    let (spikes, probes, rates) = (Vec::new(), Vec::new(), Vec::new());
    let layout = Layout {
        dt: plan.dt,
        warmup: scene.network.warmup,
        windows: Vec::new(),
        populations,
        spikes,
        probes,
        rates,
        weights: Vec::new(),
        first: 0,
    };
    let mut simulation = Simulation::new(origin.clone(), scene, Arc::new(plan), machine, None).map_err(Failure::Limit)?;
    simulation.measure();
    let build_seconds = start.elapsed().as_secs_f64();
    let built = host::cpu_seconds();
    let folder = host::Temporary::new("bench").map_err(Failure::Run)?;
    let mut recorder = Recorder::new(Path::new(folder.path()), layout).map_err(Failure::Run)?;
    let outcome = session::run(&mut simulation, end, &[], terminal.stop(), |_, harvest| {
        recorder.take(&crate::plan::Harvest { samples: Vec::new(), ..harvest.clone() })
    });
    let outcome = Outcome { build_seconds, ..outcome.map_err(Failure::Run)? };
    if let Some(e) = outcome.failed {
        return Err(Failure::Run(e));
    }
    let cpu = before.zip(built).zip(host::cpu_seconds()).map(|((a, b), c)| [b - a, c - b]);
    Ok(Measured { outcome, cpu, phases: simulation.phases(), batch: simulation.batch(), threads: simulation.threads() })
}

const HEAD: &str = "   neurons     synapses  build (s)  (CPU s)    run (s)  (CPU s)  real time  us/step   events/s  memory";

/// What stands above the rows, and the rows of a case.
fn text(case: &Value) -> (String, String) {
    let number = |key: &str, digits: usize| case[key].as_f64().map_or("-".into(), |x| format!("{x:.digits$}"));
    let title = format!(
        "{}, {} s of life, on {} ({} runs, medians)",
        case["title"].as_str().unwrap_or_default(),
        case["life_s"],
        case["device"].as_str().unwrap_or_default(),
        case["runs"]
    );
    let memory = case["peak_bytes"].as_u64().map_or("-".into(), super::scene::bytes);
    let mut rows = format!(
        "{:>10} {:>12} {:>10} {:>8} {:>10} {:>8} {:>10} {:>8} {:>10.3e}  {memory}\n",
        case["neurons"].to_string(),
        case["synapses"].to_string(),
        number("build_s", 3),
        number("build_cpu_s", 2),
        number("run_s", 3),
        number("run_cpu_s", 2),
        number("real_time_factor", 3),
        number("us_per_step", 1),
        case["events_per_s"].as_f64().unwrap_or_default()
    );
    if let Some(batches) = case["batches"].as_u64() {
        let (each, steps) = (number("us_per_batch", 1), &case["steps_per_batch"]);
        rows += &format!("{:>10} {batches} batches of {steps} steps, {each} us each\n", "");
    }
    for p in case["phases"].as_array().into_iter().flatten() {
        let (name, share) = (p["phase"].as_str().unwrap_or_default(), p["share"].as_f64().unwrap_or_default() * 100.0);
        let each = p["ns_each"].as_f64().map_or(String::new(), |x| format!(", {x:.2} ns for each of {}", p["count"]));
        rows += &format!("{:>10} {name:10} {:>8.3} s {share:>5.1} %{each}\n", "", p["seconds"].as_f64().unwrap_or_default());
    }
    (title, rows)
}
