//! What is told of a run: the table on the terminal, and `run.json`. Knows no loop over time.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::host;
use super::scene::bytes;
use super::terminal::document;
use crate::plan::Plan;
use crate::record::Recording;
use crate::session::{Machine, Outcome, Simulation};

/// What `run.json` holds: all that is needed to repeat the run, and what came of it.
pub fn summary(simulation: &Simulation, resolved: &str, machine: &Machine, recording: &Recording, outcome: &Outcome) -> Value {
    let (scene, plan) = (&simulation.scene, &simulation.plan);
    let place = machine.describe();
    let (processor, threads) = host::processor();
    document(json!({
        "title": scene.title, "preset": scene.preset, "scene_sha256": hash(resolved), "seed": plan.seed, "dt_ms": plan.dt,
        "warmup_steps": scene.network.warmup, "first_step": outcome.end - outcome.steps, "steps": outcome.steps, "end_step": outcome.end,
        "edits": simulation.journal.len(),
        "complete": !outcome.interrupted && outcome.failed.is_none(), "interrupted": outcome.interrupted, "failure": outcome.failed,
        "engine": place.engine, "device": place.device, "driver": place.driver,
        "limits": { "binding_bytes": place.binding }, "bit_exact": place.exact.is_ok(), "self_test": place.exact.as_ref().err(),
        "host": { "system": std::env::consts::OS, "architecture": std::env::consts::ARCH, "processor": processor, "threads": threads },
        "neurons": plan.neurons, "synapses": plan.synapses(), "plan_bytes": plan.bytes(), "synapse_bytes": outcome.synapse_bytes,
        "peak_bytes": host::peak_memory(), "spikes": outcome.spikes, "synaptic_events": outcome.events,
        "build_s": outcome.build_seconds, "simulation_s": outcome.run_seconds, "real_time_factor": factor(plan, outcome),
        "populations": populations(plan, recording),
    }))
}

fn populations(plan: &Plan, recording: &Recording) -> Vec<Value> {
    let one = |(i, p): (usize, &crate::plan::PopulationPlan)| {
        let measure = |metric: &str, unit: f64| recording.measure(metric, i, 2).ok().map(|x| x * unit);
        json!({ "name": p.name, "first": p.first, "neurons": p.size, "rate_Hz": measure("rate", 1e3),
            "cv_isi": measure("cv_isi", 1.0), "synchrony": measure("synchrony", 1.0) })
    };
    plan.populations.iter().enumerate().map(one).collect()
}

/// SHA-256 of a text, in hexadecimal.
pub fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

/// Seconds of computing per second of the network's life.
pub fn factor(plan: &Plan, outcome: &Outcome) -> f64 {
    outcome.run_seconds * 1e3 / (outcome.steps.max(1) as f64 * plan.dt)
}

pub fn table(plan: &Plan, machine: &Machine, recording: &Recording, outcome: &Outcome, out: &Path) -> String {
    let wide = plan.populations.iter().map(|p| p.name.len()).max().unwrap_or(0).max(16);
    let mut text = format!("{:wide$} {:>9} {:>10} {:>8} {:>10}\n", "population", "neurons", "rate (Hz)", "CV ISI", "synchrony");
    for (i, p) in plan.populations.iter().enumerate() {
        let show = |metric: &str, unit: f64| recording.measure(metric, i, 2).map_or("-".into(), |x| format!("{:.3}", x * unit));
        let (rate, cv, synchrony) = (show("rate", 1e3), show("cv_isi", 1.0), show("synchrony", 1.0));
        text += &format!("{:wide$} {:>9} {rate:>10} {cv:>8} {synchrony:>10}\n", p.name, p.size);
    }
    let held = host::peak_memory().map_or(String::new(), |b| format!(", {} held by the program", bytes(b)));
    let rows = [
        ("spikes", outcome.spikes.to_string()),
        ("synaptic events", outcome.events.to_string()),
        ("built in", format!("{:.2} s", outcome.build_seconds)),
        ("simulated in", format!("{:.2} s", outcome.run_seconds)),
        ("real-time factor", format!("{:.3} (below 1 is faster than life)", factor(plan, outcome))),
        ("device", machine.describe().device),
        ("memory", format!("{} planned{held}", bytes(plan.bytes()))),
        ("written to", out.display().to_string()),
    ];
    rows.iter().for_each(|(name, value)| text += &format!("{name:16} {value}\n"));
    text
}
