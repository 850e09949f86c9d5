//! `synfire check`: whether scenes are valid and what they will take, without running them.

use serde_json::{Value, json};

use super::args::Check;
use super::failure::problem;
use super::scene::{bytes, named, plan};
use super::terminal::Terminal;
use super::{Failure, host};
use crate::plan::{Plan, ProjectionPlan};

pub fn check(words: &Check, terminal: &Terminal) -> Result<(), Failure> {
    if words.lesson {
        return super::lesson::check(words, terminal);
    }
    if let [name] = &words.scenes[..] {
        let mut text = String::new();
        let report = one(name, &words.changes, &mut text)?;
        return terminal.data(|| text, || report);
    }
    let (mut reports, mut text, mut last) = (Vec::new(), String::new(), None);
    for name in &words.scenes {
        match one(name, &words.changes, &mut text) {
            Ok(report) => reports.push(report),
            Err(failure) => {
                terminal.wrong(&failure.message());
                reports.push(failed(name, &failure));
                last = Some(failure);
            }
        }
    }
    terminal.data(|| text, || json!({ "scenes": reports }))?;
    last.map_or(Ok(()), |failure| Err(Failure::Told(Box::new(failure))))
}

fn failed(name: &str, failure: &Failure) -> Value {
    let problems: Vec<Value> = match failure {
        Failure::Scene(problems) => problems.iter().map(problem).collect(),
        other => vec![json!({ "message": other.message() })],
    };
    json!({ "scene": name, "valid": false, "problems": problems })
}

fn one(name: &str, changes: &super::args::Changes, text: &mut String) -> Result<Value, Failure> {
    let scene = named(name, changes)?.load().map_err(Failure::Scene)?;
    let plan = plan(&scene)?;
    *text += &format!("{}: {} neurons, {} synapses\n", scene.title, plan.neurons, plan.synapses());
    for (what, b) in &plan.budget {
        *text += &format!("  {what:12} {}\n", bytes(*b));
    }
    *text += &format!("  {:12} {}\n", "in all", bytes(plan.bytes()));
    *text += &by_storage(&plan);
    let budget: serde_json::Map<String, Value> = plan.budget.iter().map(|(what, b)| (what.replace(' ', "_"), json!(b))).collect();
    Ok(json!({
        "scene": name, "valid": true, "title": scene.title, "preset": scene.preset, "neurons": plan.neurons, "synapses": plan.synapses(),
        "bytes": budget, "bytes_in_all": plan.bytes(), "bytes_free": host::free_memory(),
        "projections": plan.projections.iter().map(|p| projection(&plan, p)).collect::<Vec<_>>(),
        "populations": plan.populations.iter().map(|p| json!({ "name": p.name, "neurons": p.size })).collect::<Vec<_>>(),
    }))
}

/// The projections under how they are kept, and why.
fn by_storage(plan: &Plan) -> String {
    let kept = |p: &ProjectionPlan| format!("  {}: {}\n", storage(p), p.storage.why);
    let mut headings: Vec<String> = plan.projections.iter().map(kept).collect();
    headings.sort();
    headings.dedup();
    for heading in &mut headings {
        let of: Vec<&ProjectionPlan> = plan.projections.iter().filter(|p| kept(p) == *heading).collect();
        let width = of.iter().map(|p| address(plan, p).chars().count()).max().unwrap_or(0);
        for p in of {
            *heading +=
                &format!("    {:width$}  {} synapses{}{}\n", address(plan, p), p.wiring.synapses(), each(plan, p), changing(plan, p));
        }
    }
    headings.concat()
}

fn address(plan: &Plan, p: &ProjectionPlan) -> String {
    format!("{}->{}", plan.populations[p.source].name, plan.populations[p.target].name)
}

/// What a synapse takes, where it is kept.
fn each(plan: &Plan, p: &ProjectionPlan) -> String {
    match [plan.synapse_bytes(p), plan.synapse_bytes_on_gpu(p)] {
        _ if p.procedural() => String::new(),
        [cpu, gpu] if cpu == gpu => format!(" of {cpu} bytes"),
        [cpu, gpu] => format!(" of {cpu} bytes, {gpu} on a GPU"),
    }
}

/// What of a projection changes.
fn changing(plan: &Plan, p: &ProjectionPlan) -> String {
    let traces = p.traces.and_then(|n| plan.traces.get(n)).filter(|t| !t.states.is_empty());
    let mut out = traces
        .map_or_else(String::new, |t| format!("; traces {}, {} bytes for each source neuron", t.states.join(", "), 4 + 4 * t.states.len()));
    if let Some(t) = p.plastic.as_ref().and_then(|w| plan.targets.get(w.targets)) {
        out += &format!("; {} bytes for each target neuron's history", plan.history_bytes_of(t));
    }
    out
}

fn storage(p: &ProjectionPlan) -> &'static str {
    if p.procedural() { "procedural" } else { "stored" }
}

fn projection(plan: &Plan, p: &ProjectionPlan) -> Value {
    json!({ "address": address(plan, p), "synapses": p.wiring.synapses(), "storage": storage(p), "why": p.storage.why,
        "bytes_per_synapse": (!p.procedural()).then(|| plan.synapse_bytes(p)), "traces": p.traces.and_then(|n| plan.traces.get(n)).map(|t| &t.states) })
}
