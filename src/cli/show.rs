//! `synfire show`: what a scene means, or a model: its parameters and the update that is really run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Failure;
use super::args;
use super::scene::{load, plan};
use super::terminal::Terminal;
use crate::base::problem::{Problem, Source, did_you_mean};
use crate::model::{Model, State, SynapseModel, builtin_synapses};
use crate::network::{Drive, Network, Probe, Projection, Receptor};
use crate::scene::{Options, Scene};

pub fn show(words: &args::Scene, terminal: &Terminal) -> Result<(), Failure> {
    let models = crate::model::builtin();
    let name = words.scene.as_str();
    if models.iter().any(|(n, _)| *n == name) {
        return model(name, terminal);
    }
    if builtin_synapses().iter().any(|(n, _)| *n == name) {
        return synapse(name, terminal);
    }
    let shipped = crate::scene::shipped();
    if name != "-" && !std::path::Path::new(name).exists() && !shipped.iter().any(|(n, _)| *n == name) {
        let synapses = builtin_synapses();
        let names = models.iter().chain(&synapses).chain(shipped).map(|(n, _)| *n);
        let help = did_you_mean(name, names).unwrap_or_else(|| "`synfire list scenes`, `models` and `synapses` name them".into());
        return Err(Failure::Usage(format!("no file, no shipped scene and no built-in model is named `{name}`: {help}")));
    }
    let loaded = load(words)?;
    let plan = plan(&loaded)?;
    terminal.data(|| scene_text(&loaded, &plan), || scene_json(&loaded, &plan))
}

/// A built-in model, as a population of one would run it.
fn model(name: &str, terminal: &Terminal) -> Result<(), Failure> {
    let text = format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 ms\"\n[populations.one]\nmodel = \"{name}\"\nsize = 1\n");
    let source = Arc::new(Source { name: name.into(), text });
    let scene = crate::scene::load(source, None, &Options::default()).map_err(Failure::Scene)?;
    let one = scene.network.populations.first().map(|p| p.model.clone());
    let model = one.ok_or_else(|| Failure::Scene(vec![Problem::new("the model gave no population")]))?;
    let text = model_text(&model, scene.network.dt)?;
    let json = model_json(&model, scene.network.dt)?;
    terminal.data(|| text, || json)
}

/// A built-in synapse model.
fn synapse(name: &str, terminal: &Terminal) -> Result<(), Failure> {
    const STEP: f64 = 0.1;
    let model = crate::scene::synapse(name).map_err(Failure::Scene)?;
    let (text, json) = (synapse_text(&model, STEP)?, synapse_json(&model, STEP)?);
    terminal.data(|| text, || json)
}

fn synapse_text(model: &SynapseModel, dt: f64) -> Result<String, Failure> {
    model.compile(dt).map_err(Failure::Scene)?;
    let mut out = format!("{}: {}\n{}\n\nparameters\n", model.name, model.about, model.cite);
    model.parameters().iter().for_each(|p| _ = writeln!(out, "  {:14} {} {}", p.name, p.default, p.dimension));
    out += &limits(model.limit_texts());
    out += "traces of the source neuron\n";
    model.source().iter().for_each(|t| _ = writeln!(out, "  {:14} {}", t.name, t.dimension));
    if model.plastic() {
        out += "traces of the target neuron\n";
        model.target().iter().for_each(|t| _ = writeln!(out, "  {:14} {}", t.name, t.dimension));
    }
    if !model.reads().is_empty() {
        out += "read of the target neuron\n";
        model.reads().iter().for_each(|r| _ = writeln!(out, "  {:14} {} ({})", r.name, r.of, r.dimension));
    }
    Ok(out + &model.update())
}

fn synapse_json(model: &SynapseModel, dt: f64) -> Result<Value, Failure> {
    model.compile(dt).map_err(Failure::Scene)?;
    let parameters = model.parameters().iter().map(|p| json!({ "name": p.name, "default": p.default, "unit": p.dimension.to_string() }));
    let traces = |of: &[State]| of.iter().map(|t| json!({ "name": t.name, "unit": t.dimension.to_string() })).collect::<Vec<_>>();
    let reads = model.reads().iter().map(|r| json!({ "name": r.name, "of": r.of, "unit": r.dimension.to_string() }));
    Ok(json!({
        "synapse": model.name, "about": model.about, "cite": model.cite, "dt_ms": dt, "parameters": parameters.collect::<Vec<_>>(),
        "source": traces(model.source()), "target": traces(model.target()), "reads": reads.collect::<Vec<_>>(), "update": model.update(),
    }))
}

/// The synapse models in use, by name.
fn synapses(network: &Network) -> BTreeMap<&str, &SynapseModel> {
    network.projections.iter().filter_map(|p| p.changing.as_ref()).map(|c| (c.model.name.as_str(), &*c.model)).collect()
}

/// `, synapse depressing (U 0.5, tau_rec 800 ms)`
fn changes(p: &Projection) -> String {
    let Some(c) = &p.changing else { return String::new() };
    let values: Vec<String> = c
        .model
        .parameters()
        .iter()
        .zip(&c.parameters)
        .map(|(p, x)| format!("{} {}", p.name, quantity(*x, &p.dimension.to_string())))
        .collect();
    format!(", synapse {} ({})", c.name, values.join(", "))
}

fn quantity(x: f64, unit: &str) -> String {
    if unit == "a bare number" { x.to_string() } else { format!("{x} {unit}") }
}

/// What the parameters must meet, a line for each.
fn limits<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let lines: String = texts.map(|text| format!("  {text}\n")).collect();
    if lines.is_empty() { lines } else { format!("limits\n{lines}") }
}

fn model_text(model: &Model, dt: f64) -> Result<String, Failure> {
    let compiled = model.compile(dt).map_err(Failure::Scene)?;
    let mut out = format!("{}: {}\n{}\n\nmethod: {}\n\nparameters\n", model.name, model.about, model.cite, compiled.method);
    model.parameters.iter().for_each(|p| _ = writeln!(out, "  {:14} {} {}", p.name, p.default, p.dimension));
    out += &limits(model.limit_texts());
    out += "receptors\n";
    model.receptors.iter().for_each(|r| _ = writeln!(out, "  {:14} weight in {}", r.name, r.weight));
    let _ = writeln!(out, "one step of {dt} ms\n{}", compiled.update);
    Ok(out)
}

fn model_json(model: &Model, dt: f64) -> Result<Value, Failure> {
    let compiled = model.compile(dt).map_err(Failure::Scene)?;
    let parameters = model.parameters.iter().map(|p| json!({ "name": p.name, "default": p.default, "unit": p.dimension.to_string() }));
    let states = model.states.iter().map(|s| json!({ "name": s.name, "unit": s.dimension.to_string() }));
    let receptors =
        model.receptors.iter().map(|r| json!({ "name": r.name, "weight_unit": r.weight.to_string(), "non_negative": r.non_negative }));
    let inputs = model.inputs.iter().map(|i| json!({ "name": i.name, "unit": i.dimension.to_string() }));
    Ok(json!({
        "model": model.name, "about": model.about, "cite": model.cite, "method": compiled.method, "dt_ms": dt,
        "parameters": parameters.collect::<Vec<_>>(), "states": states.collect::<Vec<_>>(), "receptors": receptors.collect::<Vec<_>>(),
        "inputs": inputs.collect::<Vec<_>>(), "limits": model.limit_texts().collect::<Vec<_>>(), "update": compiled.update,
    }))
}

/// The models in use, by name.
fn models(network: &Network) -> BTreeMap<&str, &Arc<Model>> {
    network.populations.iter().map(|p| (p.model.name.as_str(), &p.model)).collect()
}

fn title(network: &Network, p: &Projection) -> String {
    format!("{}->{}", network.populations[p.from.population].name, network.populations[p.to.population].name)
}

/// The receptor of a target and the unit of its weights.
fn receptor(network: &Network, target: usize, receptor: Receptor) -> (String, String) {
    let all = &network.populations[target].model.receptors;
    match receptor {
        Receptor::Named(r) => all.get(r).map_or_else(Default::default, |r| (r.name.clone(), r.weight.to_string())),
        Receptor::BySign => ("by sign".into(), all.first().map_or(String::new(), |r| r.weight.to_string())),
    }
}

fn kind(drive: &Drive) -> &'static str {
    match drive {
        Drive::Poisson { .. } => "poisson",
        Drive::Current { .. } => "current",
        Drive::Spikes { .. } => "spikes",
    }
}

fn probe(network: &Network, probe: &Probe) -> (String, String) {
    let name = |of: &crate::network::Part| format!("{} ({} neurons)", network.populations[of.population].name, of.which.len());
    match probe {
        Probe::Weights { projection, every, .. } => {
            let when = every.map_or("at the end".into(), |n| format!("every {} ms", n as f64 * network.dt));
            (format!("weights {when}"), network.projections.get(*projection).map_or(String::new(), |p| title(network, p)))
        }
        Probe::Spikes { of } => ("spikes".into(), name(of)),
        Probe::State { of, variable, every, .. } => {
            let states = &network.populations[of.population].model.states;
            let variable = states.get(*variable).map_or("", |s| s.name.as_str());
            (format!("{variable} every {} ms", *every as f64 * network.dt), name(of))
        }
        Probe::Rate { of, every, .. } => (format!("rate in bins of {} ms", *every as f64 * network.dt), name(of)),
    }
}

fn scene_text(scene: &Scene, plan: &crate::plan::Plan) -> String {
    let n = &scene.network;
    let time = |steps: u64| format!("{} ms", steps as f64 * n.dt);
    let mut out = format!("{}\n{}\n{}\n\n", scene.title, scene.about, scene.cite);
    scene.unconfirmed.iter().for_each(|what| _ = writeln!(out, "not confirmed: {what}\n"));
    let preset = scene.preset.as_deref().map_or(String::new(), |p| format!(", preset {p}"));
    let _ = writeln!(out, "dt {} ms, warm-up {}, duration {}, seed {}{preset}", n.dt, time(n.warmup), time(n.duration), n.seed);
    out += "\npopulations\n";
    n.populations.iter().for_each(|p| _ = writeln!(out, "  {:16} {:>9} x {}", p.name, p.size, p.model.name));
    out += "\nprojections\n";
    for (p, planned) in n.projections.iter().zip(&plan.projections) {
        let (receptor, unit) = receptor(n, p.to.population, p.receptor);
        let _ = writeln!(
            out,
            "  {:16} {:>11} synapses, receptor {receptor}, weights in {unit}, delays of {} to {} ms{}",
            title(n, p),
            planned.wiring.synapses(),
            round(planned.shortest() * n.dt),
            round(planned.longest() * n.dt),
            changes(p)
        );
    }
    out += "\nstimuli\n";
    for s in &n.stimuli {
        let to = format!("{} ({} neurons)", n.populations[s.to.population].name, s.to.which.len());
        let _ = writeln!(out, "  {:16} {} to {to}", s.name, kind(&s.kind));
    }
    out += "\nprobes\n";
    n.probes.iter().map(|p| probe(n, p)).for_each(|(what, of)| _ = writeln!(out, "  {what:16} of {of}"));
    for model in models(n).values() {
        let _ = writeln!(out, "\nmodel {}", model_text(model, n.dt).unwrap_or_default().trim_end());
    }
    for model in synapses(n).values() {
        let _ = writeln!(out, "\nsynapse {}", synapse_text(model, n.dt).unwrap_or_default().trim_end());
    }
    let _ = write!(out, "\nthe scene, resolved\n\n{}", scene.resolved);
    out
}

fn round(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}

fn scene_json(scene: &Scene, plan: &crate::plan::Plan) -> Value {
    let n = &scene.network;
    let projections = n.projections.iter().zip(&plan.projections).map(|(p, planned)| {
        let (receptor, unit) = receptor(n, p.to.population, p.receptor);
        json!({ "address": title(n, p), "synapses": planned.wiring.synapses(), "receptor": receptor, "weight_unit": unit,
            "delay_ms": [round(planned.shortest() * n.dt), round(planned.longest() * n.dt)],
            "synapse": p.changing.as_ref().map(|c| &c.name) })
    });
    let populations = n.populations.iter().map(|p| json!({ "name": p.name, "neurons": p.size, "model": p.model.name }));
    let stimuli = n
        .stimuli
        .iter()
        .map(|s| json!({ "name": s.name, "kind": kind(&s.kind), "to": n.populations[s.to.population].name, "neurons": s.to.which.len() }));
    let probes = n.probes.iter().map(|p| probe(n, p)).map(|(record, of)| json!({ "record": record, "of": of }));
    json!({
        "title": scene.title, "about": scene.about, "cite": scene.cite, "unconfirmed": scene.unconfirmed, "preset": scene.preset, "dt_ms": n.dt, "seed": n.seed,
        "warmup_steps": n.warmup, "duration_steps": n.duration, "populations": populations.collect::<Vec<_>>(),
        "projections": projections.collect::<Vec<_>>(), "stimuli": stimuli.collect::<Vec<_>>(), "probes": probes.collect::<Vec<_>>(),
        "models": models(n).values().filter_map(|m| model_json(m, n.dt).ok()).collect::<Vec<_>>(), "resolved": scene.resolved,
        "synapses": synapses(n).values().filter_map(|m| synapse_json(m, n.dt).ok()).collect::<Vec<_>>(),
    })
}
