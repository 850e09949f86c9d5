//! Every model that is built in, in turn: a new model is tested by existing. Both engines.

#[path = "../common/mod.rs"]
mod common;
mod limits;
mod sweeps;
mod zoo;

use std::sync::Arc;

use synfire::base::problem::{Problem, Source};
use synfire::model::Model;
use synfire::network::Network;
use synfire::plan::{Harvest, Plan, State, plan};
use synfire::session::{Engine, Machine};

/// The machines by the name of their engine.
fn machines() -> impl Iterator<Item = (&'static str, &'static Machine)> {
    common::machines().iter().map(|machine| (machine.describe().engine, machine))
}

fn names() -> impl Iterator<Item = &'static str> {
    synfire::model::builtin().into_iter().map(|m| m.0)
}

fn try_load(text: &str) -> Result<Network, String> {
    let source = Arc::new(Source { name: "test.toml".into(), text: text.into() });
    match synfire::scene::load(source, None, &Default::default()) {
        Ok(scene) => Ok(scene.network),
        Err(problems) => Err(problems.iter().map(Problem::render).collect()),
    }
}

fn load(text: &str) -> Network {
    try_load(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// A scene of one population.
fn alone(name: &str, dt: f64, size: u32, more: &str) -> String {
    format!(
        "format = 1\n[run]\ndt = \"{dt} ms\"\nduration = \"1 s\"\nseed = 5\n[populations.{name}]\nmodel = \"{name}\"\nsize = {size}\n{more}"
    )
}

fn model(name: &str) -> Arc<Model> {
    load(&alone(name, 0.1, 1, "")).populations[0].model.clone()
}

fn run(machine: &Machine, plan: &Arc<Plan>, steps: u64, batch: u64) -> (Harvest, State) {
    let mut engine = Engine::new(plan.clone(), machine).unwrap();
    let mut out = Harvest { to: steps, ..Harvest::default() };
    while engine.step() < steps {
        let mut part = engine.advance(batch.min(steps - engine.step())).unwrap();
        out.spikes.append(&mut part.spikes);
        out.samples.append(&mut part.samples);
        out.events += part.events;
    }
    let state = engine.save().unwrap();
    (out, state)
}

fn planned(network: &Network) -> Arc<Plan> {
    Arc::new(plan(network).unwrap())
}

/// A steady input and a weight for each receptor that make a cell of this model spike now and then, as texts of stimuli.
fn drive(name: &str, to: &str) -> String {
    let model = model(name);
    let mut out = String::new();
    let steady = |dimension: &str| match dimension {
        "pA" if name.starts_with("aeif") || name.starts_with("eif") || name.starts_with("hh") => "1000 pA",
        "pA" => "500 pA",
        "ms^-1*mV" => "6 mV/ms",
        "pA*um^-2" if name == "morris_lecar" => "100 uA/cm^2",
        "pA*um^-2" => "9 uA/cm^2",
        "kHz" => "60 Hz",
        "a bare number" => "0.4",
        other => panic!("{name}: an input in {other}"),
    };
    for input in model.inputs.iter().take(1) {
        let amplitude = steady(&input.dimension.to_string());
        out += &format!("[[stimuli]]\nkind = \"current\"\nto = \"{to}\"\ninput = \"{}\"\namplitude = \"{amplitude}\"\n", input.name);
    }
    for (k, receptor) in model.receptors.iter().enumerate() {
        let weight = match receptor.weight.to_string().as_str() {
            "pA" => ["120 pA", "-20 pA"][k % 2],
            "nS" => ["3 nS", "1 nS"][k % 2],
            "mV" => ["1 mV", "-0.5 mV"][k % 2],
            "ms^-1*mV" => ["2 mV/ms", "-1 mV/ms"][k % 2],
            "mV^-1*pA*um^-2" => ["0.01 mS/cm^2", "0.01 mS/cm^2"][k % 2],
            "a bare number" => ["0.2", "0.1"][k % 2],
            other => panic!("{name}: a weight in {other}"),
        };
        let receptor = if model.by_sign { String::new() } else { format!("receptor = \"{}\"\n", receptor.name) };
        let rate = if matches!(name, "parrot" | "spike_source") { "100 Hz" } else { "2 kHz" };
        out += &format!("[[stimuli]]\nkind = \"poisson\"\nto = \"{to}\"\nrate = \"{rate}\"\n{receptor}weight = \"{weight}\"\n");
    }
    out
}
