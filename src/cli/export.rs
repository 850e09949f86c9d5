//! `synfire export`: what a scene means, as data, and the weights that a run has learned, without running it.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use super::args::{Connections, Export, Exported};
use super::scene::{load, origin, plan};
use super::terminal::{Terminal, closed, document};
use super::{Failure, host};
use crate::plan::{Connection, Plan};
use crate::session::{Backend, Simulation, choose};

pub fn export(words: &Export, terminal: &Terminal) -> Result<(), Failure> {
    let Exported::Connections(words) = &words.what;
    let listed = Listed::new(words)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if terminal.json { as_json(&listed, &mut out) } else { as_csv(&listed, &mut out) }.and_then(|()| out.flush()).map_err(closed)
}

/// The synapses that are asked for.
struct Listed {
    plan: Arc<Plan>,
    /// By projection: whether it is wanted, and the weights that are now, if they change.
    projections: Vec<(bool, Option<Vec<f32>>)>,
    /// Neurons are counted within their populations, and not over the whole network in file order.
    within: bool,
}

impl Listed {
    fn new(words: &Connections) -> Result<Self, Failure> {
        let (plan, weights) = match &words.checkpoint {
            None => (Arc::new(plan(&load(&words.scene)?)?), Vec::new()),
            Some(path) => {
                let checkpoint = crate::export::read_checkpoint(path).map_err(Failure::Run)?;
                let origin = origin(&words.scene)?;
                let scene = origin.load().map_err(Failure::Scene)?;
                let free = host::free_memory();
                let plan = crate::plan::resumed_within(&scene.network, &checkpoint.about.scales, free).map_err(Failure::Run)?;
                checkpoint.belongs(&plan).map_err(Failure::Run)?;
                let (machine, _) = choose(Backend::Cpu, None).map_err(Failure::Device)?;
                let stood = Simulation::new(origin, scene, Arc::new(plan), &machine, Some(&checkpoint.state)).map_err(Failure::Limit)?;
                let weights = (0..stood.plan.projections.len()).map(|p| stood.changing_weights(p)).collect();
                (stood.plan.clone(), weights)
            }
        };
        let names: Vec<String> = plan.projections.iter().map(|p| name(&plan, p)).collect();
        if let Some(of) = words.of.as_ref().filter(|of| !names.contains(of)) {
            let known = names.iter().map(String::as_str);
            let help = crate::base::problem::did_you_mean(of, known.clone()).unwrap_or_else(|| {
                let mut known: Vec<&str> = known.collect();
                known.dedup();
                format!("there are {}", known.join(", "))
            });
            return Err(Failure::Usage(format!("--of {of}: no projection leads there; {help}")));
        }
        let mut weights = weights.into_iter();
        let projections = names.iter().map(|n| (words.of.as_ref().is_none_or(|of| of == n), weights.next().flatten())).collect();
        Ok(Self { plan, projections, within: words.of.is_some() })
    }

    /// Every synapse in turn, with its weight in internal units and its delay in ms.
    fn each(&self, mut row: impl FnMut(Connection, f64, f64) -> std::io::Result<()>) -> std::io::Result<()> {
        let all = self.plan.projections.iter().zip(&self.projections);
        for (p, (_, weights)) in all.filter(|(_, (wanted, _))| *wanted) {
            let first = [p.source, p.target].map(|of| if self.within { self.plan.populations[of].first } else { 0 });
            let (mut result, mut k) = (Ok(()), 0);
            crate::plan::connections(&self.plan, p, |c| {
                let weight = weights.as_ref().and_then(|w| w.get(k)).map_or(f64::from(c.weight) / p.weight.quanta, |w| f64::from(*w));
                k += 1;
                if result.is_ok() {
                    let here = Connection { source: c.source - first[0], target: c.target - first[1], ..c };
                    result = row(here, weight, f64::from(c.delay) * self.plan.dt);
                }
            });
            result?;
        }
        Ok(())
    }
}

fn name(plan: &Plan, p: &crate::plan::ProjectionPlan) -> String {
    format!("{}->{}", plan.populations[p.source].name, plan.populations[p.target].name)
}

fn as_csv(listed: &Listed, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "source,target,weight,delay_ms")?;
    listed.each(|c, weight, delay| writeln!(out, "{},{},{weight},{delay:.6}", c.source, c.target))
}

/// One document, written as it goes: a list of [source, target, weight, delay in ms].
fn as_json(listed: &Listed, out: &mut impl Write) -> std::io::Result<()> {
    let head = document(serde_json::json!({ "columns": ["source", "target", "weight", "delay_ms"] })).to_string();
    write!(out, "{},\"connections\":[", head.trim_end_matches('}'))?;
    let mut comma = "";
    listed.each(|c, weight, delay| {
        write!(out, "{comma}\n[{},{},{weight},{delay:.6}]", c.source, c.target)?;
        comma = ",";
        Ok(())
    })?;
    writeln!(out, "\n]}}")
}
