//! What a rule reads of the own variables of its targets, and the condition under which a step of a target is an event for its
//! synapses. Knows no network and no device.

use toml_edit::Item;

use super::builder::Builder;
use super::compile::{Compiled, Made};
use super::emit::Stage;
use super::expr::Expr;
use super::graph::{Graph, Node};
use super::read::Reader;
use super::statement::Spot;
use super::traces::Side;
use super::typed::{self, Fault};
use super::{Model, SynapseModel};
use crate::base::problem::{Problem, did_you_mean};
use crate::base::units::{Dimension, NUMBER, TIME};

/// Inputs of a program before the values that are read: steps since the spikes of the two sides and of the modulator.
pub const READS: usize = 3;

/// Values of longer ago are refused: all since then are kept, for every neuron.
const OLDEST: f64 = 10_000.0;

const READ_KEYS: [&str; 3] = ["of", "unit", "delay"];

/// A variable of the target's model, as it was some time ago.
#[derive(Clone, Debug)]
pub struct Read {
    pub name: String,
    /// The variable of the target's model.
    pub of: String,
    pub dimension: Dimension,
    delay: Option<(Expr, Spot)>,
}

/// A synapse model's watch over its targets.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub reads: Vec<Read>,
    /// When a step is an event, and what it does.
    pub event: Option<(Condition, Side)>,
}

#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// Parameters and functions; no states.
    pub model: Model,
    pub reads: Vec<Read>,
    pub condition: (Expr, Spot),
    pub text: String,
}

impl Condition {
    /// A program of one state, which is not 0 where the condition holds.
    pub fn compile(&self, dt: f64) -> Result<Compiled, Vec<Problem>> {
        let mut builder = Builder::new(&self.model, dt);
        builder.names.random = false;
        builder.read(&self.reads);
        let (holds, _) = builder.value(&self.condition.0, &self.condition.1, Some(NUMBER), "a condition");
        let Builder { graph, problems, .. } = builder;
        if !problems.is_empty() {
            return Err(problems);
        }
        let made = Made { method: String::new(), period: None, hidden: 0, inputs: READS + self.reads.len(), update: String::new() };
        Ok(self.model.compiled(graph, &[Stage::Set { sets: vec![(0, holds)], spike: None }], vec!["condition".into()], made))
    }
}

impl Builder<'_> {
    /// The names of what is read.
    pub(super) fn read(&mut self, reads: &[Read]) {
        for (i, read) in reads.iter().enumerate() {
            let leaf = self.graph.leaf(Node::Input(READS + i));
            self.names.now.insert(read.name.clone(), (leaf, read.dimension));
        }
    }
}

/// The `[reads]` of a synapse model; parameters and functions are those of `model`.
pub(super) fn reads(reader: &mut Reader, model: &Model) -> Vec<Read> {
    let mut out: Vec<Read> = Vec::new();
    for (name, item) in reader.entries("reads") {
        let read = match item.as_table_like() {
            None => reader.string(&name, &item).and_then(|(unit, spot)| {
                let dimension = reader.unit(&unit, spot)?;
                Some(Read { name: name.clone(), of: name.clone(), dimension, delay: None })
            }),
            Some(table) => {
                reader.keys(table, &READ_KEYS, "what a synapse model reads");
                let of = table.get("of").and_then(|of| reader.string("of", of)).map_or_else(|| name.clone(), |(of, _)| of);
                let unit = table.get("unit").and_then(|unit| reader.string("unit", unit)).and_then(|(unit, spot)| reader.unit(&unit, spot));
                if !table.contains_key("unit") {
                    reader.problem(Some(&item), format!("`{name}` has no unit: write {{ of = \"V_m\", unit = \"mV\" }}"));
                }
                let delay = table.get("delay").and_then(|delay| delayed(reader, delay, model));
                unit.map(|dimension| Read { name: name.clone(), of, dimension, delay })
            }
        };
        let Some(read) = read else { continue };
        if model.parameters.iter().any(|p| p.name == read.name) || out.iter().any(|r| r.name == read.name) {
            reader.problem(Some(&item), format!("`{name}` is named twice in model `{}`", model.name));
        }
        out.push(read);
    }
    out
}

/// A time made of parameters.
fn delayed(reader: &mut Reader, item: &Item, model: &Model) -> Option<(Expr, Spot)> {
    let (text, spot) = reader.string("delay", item)?;
    let (expr, spot) = reader.parse(&text, spot)?;
    let mut builder = Builder::new(model, 1.0);
    let names = builder.parameters();
    match typed::build(&expr, &mut builder.graph, &names) {
        Ok((_, TIME)) => Some((expr, spot)),
        Ok((_, d)) => {
            reader.fault(&spot, Fault::new(format!("a delay must be {TIME}, and this is {d}"), expr.span.clone()));
            None
        }
        Err(fault) => {
            reader.fault(&spot, fault);
            None
        }
    }
}

impl SynapseModel {
    /// What the model reads of its targets.
    pub fn reads(&self) -> &[Read] {
        self.watch.as_ref().map_or(&[], |w| &w.reads)
    }

    /// Which variables of a target's model are read, by number, and of how many steps ago. An error says what is missing.
    pub fn reading(&self, target: &Model, parameters: &[f64], dt: f64) -> Result<Vec<(usize, u32)>, String> {
        self.reads().iter().map(|read| Ok((self.variable(read, target)?, self.age(read, parameters, dt)?))).collect()
    }

    fn variable(&self, read: &Read, target: &Model) -> Result<usize, String> {
        let found = target.states.iter().position(|s| s.name == read.of);
        let names = || target.states.iter().map(|s| s.name.as_str());
        let variable = found.ok_or_else(|| {
            let near = did_you_mean(&read.of, names()).map(|near| format!("; {near}")).unwrap_or_default();
            format!(
                "{} reads `{}` of its target, and {} has {}{near}",
                self.name,
                read.of,
                target.name,
                names().collect::<Vec<_>>().join(", ")
            )
        })?;
        let dimension = target.states[variable].dimension;
        if dimension != read.dimension {
            return Err(format!("{} reads `{}` as {}, and that of {} is {dimension}", self.name, read.of, read.dimension, target.name));
        }
        Ok(variable)
    }

    /// Of how many steps ago a value is.
    fn age(&self, read: &Read, parameters: &[f64], dt: f64) -> Result<u32, String> {
        let Some((expr, _)) = &read.delay else { return Ok(0) };
        let mut builder = Builder::new(self.constants(), 1.0);
        let names = builder.parameters();
        let graph: &mut Graph = &mut builder.graph;
        let delay = typed::build(expr, graph, &names).map_or(f64::NAN, |(id, _)| graph.evaluate(parameters)[id]);
        let steps = delay / dt;
        if !(0.0..=OLDEST).contains(&steps) {
            return Err(format!("{} reads `{}` of {delay} ms ago: from 0 to {OLDEST} steps of {dt} ms are possible", self.name, read.of));
        }
        if (steps - libm::round(steps)).abs() > 1e-6 * steps.max(1.0) {
            let (low, high) = (libm::floor(steps) * dt, libm::ceil(steps) * dt);
            return Err(format!(
                "{} reads `{}` of {delay} ms ago, no multiple of dt = {dt} ms: the nearest are {low:.6} ms and {high:.6} ms",
                self.name, read.of
            ));
        }
        Ok(libm::round(steps) as u32)
    }
}
