//! `synfire export`: what a scene means, as data, without running it.

use std::io::{BufWriter, Write};

use super::Failure;
use super::args::{Export, Exported};
use super::scene::{load, plan};
use super::terminal::{Terminal, closed, document};
use crate::plan::{Connection, Plan};

pub fn export(words: &Export, terminal: &Terminal) -> Result<(), Failure> {
    let Exported::Connections(words) = &words.what;
    let scene = load(words)?;
    let plan = plan(&scene)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if terminal.json { as_json(&plan, &mut out) } else { as_csv(&plan, &mut out) }.and_then(|()| out.flush()).map_err(closed)
}

/// Every synapse in turn, with its weight in internal units and its delay in ms.
fn each(plan: &Plan, mut row: impl FnMut(Connection, f64, f64) -> std::io::Result<()>) -> std::io::Result<()> {
    for p in &plan.projections {
        let mut result = Ok(());
        crate::plan::connections(plan, p, |c| {
            if result.is_ok() {
                result = row(c, f64::from(c.weight) / p.weight.quanta, f64::from(c.delay) * plan.dt);
            }
        });
        result?;
    }
    Ok(())
}

/// Neurons are numbered over the whole network, in file order.
fn as_csv(plan: &Plan, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "source,target,weight,delay_ms")?;
    each(plan, |c, weight, delay| writeln!(out, "{},{},{weight},{delay:.6}", c.source, c.target))
}

/// One document, written as it goes: a list of [source, target, weight, delay in ms].
fn as_json(plan: &Plan, out: &mut impl Write) -> std::io::Result<()> {
    let head = document(serde_json::json!({ "columns": ["source", "target", "weight", "delay_ms"] })).to_string();
    write!(out, "{},\"connections\":[", head.trim_end_matches('}'))?;
    let mut comma = "";
    each(plan, |c, weight, delay| {
        write!(out, "{comma}\n[{},{},{weight},{delay:.6}]", c.source, c.target)?;
        comma = ",";
        Ok(())
    })?;
    writeln!(out, "\n]}}")
}
