//! `check`, `show` and `export`: what a scene or a model is, without running it.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use super::args;
use super::scene::{bytes, load, plan};
use super::{Failure, scene};
use crate::base::problem::Source;
use crate::plan::Plan;
use crate::scene::Options;

pub fn check(words: &args::Scene) -> Result<(), Failure> {
    let scene = load(words)?;
    let plan = plan(&scene)?;
    println!("{}: {} neurons, {} synapses", scene.title, plan.neurons, plan.synapses());
    for (what, b) in &plan.budget {
        println!("  {what:12} {}", bytes(*b));
    }
    println!("  {:12} {}", "in all", bytes(plan.bytes()));
    for p in &plan.projections {
        let (from, to) = (&plan.populations[p.source].name, &plan.populations[p.target].name);
        let how = if p.procedural() { "procedural" } else { "stored" };
        println!("  {from}->{to}: {} synapses, {how}: {}", p.wiring.synapses(), p.storage.why);
    }
    Ok(())
}

pub fn show(name: &str) -> Result<(), Failure> {
    let texts = crate::model::builtin();
    if !texts.iter().any(|(n, _)| *n == name) {
        let hint = crate::base::problem::did_you_mean(name, texts.iter().map(|(n, _)| *n)).unwrap_or_default();
        return Err(Failure::Run(format!("no built-in model `{name}`; `synfire list models` names them. {hint}")));
    }
    let text = format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 ms\"\n[populations.one]\nmodel = \"{name}\"\nsize = 1\n");
    let source = Arc::new(Source { name: name.into(), text });
    let options = Options { set: Vec::new(), preset: None, seed: None, duration: None };
    let scene = crate::scene::load(source, None, &options).map_err(scene::problems)?;
    let model = &scene.network.populations[0].model;
    let compiled = model.compile(scene.network.dt).map_err(scene::problems)?;
    println!("{name}: {}\n{}\n\nmethod: {}\n\nparameters", model.about, model.cite, compiled.method);
    for p in &model.parameters {
        println!("  {:14} {} {}", p.name, p.default, p.dimension);
    }
    println!("receptors");
    for r in &model.receptors {
        println!("  {:14} weight in {}", r.name, r.weight);
    }
    println!("one step of 0.1 ms\n{}", compiled.update);
    Ok(())
}

pub fn export(words: &args::Export) -> Result<(), Failure> {
    let args::Exported::Connections(words) = &words.what;
    let scene = load(words)?;
    connections(&plan(&scene)?).map_err(|e| Failure::Run(e.to_string()))
}

/// Neurons are numbered over the whole network, in file order; weights in internal units, delays in ms.
fn connections(plan: &Plan) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "source,target,weight,delay_ms")?;
    for p in &plan.projections {
        let mut result = Ok(());
        crate::plan::connections(plan, p, |c| {
            if result.is_ok() {
                let (weight, delay) = (f64::from(c.weight) / p.weight.quanta, f64::from(c.delay) * plan.dt);
                result = writeln!(out, "{},{},{weight},{delay:.6}", c.source, c.target);
            }
        });
        result?;
    }
    out.flush()
}
