//! Models of synapses that change: parameters, traces of the source neuron, and what its spikes do. One text for both engines.
//! Knows no network and no projection.

use std::sync::Arc;

use toml_edit::{Item, TableLike};

use super::compile::Compiled;
use super::expr::{Expr, Node};
use super::read::{Reader, TRIAL_STEP};
use super::{Model, Parameter, State, traces};
use crate::base::problem::{Problem, Source};
use crate::base::units::{NUMBER, Quantity};

/// What the spikes of a neuron are multiplied by for the synapses of this model.
pub const FACTOR: &str = "factor";

pub const SYNAPSE_KEYS: [&str; 7] = ["about", "cite", "functions", "equations", "on_pre", "parameters", "source"];
const VALUE_KEYS: [&str; 3] = ["value", "least", "most"];

/// Name and text of each synapse model that comes with the program; the text holds the keys of one table.
pub fn builtin_synapses() -> [(&'static str, &'static str); 1] {
    [("tsodyks_markram", include_str!("synapses/tsodyks_markram.toml"))]
}

/// A synapse model, read and checked.
#[derive(Clone, Debug)]
pub struct SynapseModel {
    pub name: String,
    pub about: String,
    pub cite: String,
    /// The traces of the source as a model: its last state is the factor, its `reset` is `on_pre`.
    inner: Model,
    bounds: Vec<Bounds>,
}

/// What values a parameter may take, ends included.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    least: f64,
    most: f64,
}

impl SynapseModel {
    pub fn parameters(&self) -> &[Parameter] {
        &self.inner.parameters
    }

    /// The traces of the source neuron, without the factor.
    pub fn traces(&self) -> &[State] {
        &self.inner.states[..self.inner.states.len() - 1]
    }

    /// The program of a spike of the source, for steps of `dt` ms: its states are the traces and the factor, its input the steps
    /// since the last spike.
    pub fn compile(&self, dt: f64) -> Result<Compiled, Vec<Problem>> {
        traces::compile(&self.inner, dt)
    }

    /// The value of a trace at the start of a run.
    pub fn initial(&self, trace: usize, parameters: &[f64]) -> f64 {
        self.inner.initial(trace, parameters)
    }

    /// The default of a parameter is this from now on.
    pub fn set_default(&mut self, parameter: usize, value: f64) {
        self.inner.parameters[parameter].default = value;
    }

    /// What is wrong with the value of a parameter, if something is.
    pub fn wrong(&self, parameter: usize, value: f64) -> Option<String> {
        let (p, Bounds { least, most }) = (&self.inner.parameters[parameter], self.bounds[parameter]);
        if let Some(wrong) = p.least.wrong(value) {
            return Some(format!("{} {wrong}, and is {value} {}", p.name, p.dimension));
        }
        let ends = match (least.is_finite(), most.is_finite()) {
            (true, true) => format!("lies between {least} and {most}"),
            (true, false) => format!("is at least {least}"),
            _ => format!("is at most {most}"),
        };
        (!(least..=most).contains(&value)).then(|| format!("{} {ends}, and here it is {value} {}", p.name, p.dimension))
    }
}

/// Reads and checks a synapse model; all problems at once.
pub fn read_synapse(
    name: &str,
    table: &dyn TableLike,
    source: &Arc<Source>,
    evaluate: &mut dyn FnMut(&Item) -> Result<Quantity, Problem>,
) -> Result<SynapseModel, Vec<Problem>> {
    let mut reader = Reader { table, source, problems: Vec::new() };
    reader.keys(table, &SYNAPSE_KEYS, "a synapse model");
    let mut bounds = Vec::new();
    for (_, item) in reader.entries("parameters") {
        bounds.push(read_bounds(&mut reader, &item, evaluate));
    }
    let mut inner = Model {
        name: name.to_string(),
        parameters: reader.parameters(evaluate),
        functions: reader.functions(),
        statements: reader.block("equations"),
        reset: reader.block("on_pre"),
        ..Model::empty(source.clone())
    };
    reader.states("source", &mut inner);
    inner.states.push(State { name: FACTOR.into(), dimension: NUMBER, initial: Expr { node: Node::Number(1.0), span: 0..0 } });
    reader.unique(&inner);
    let (about, cite) = (reader.text("about").map(|t| t.0).unwrap_or_default(), reader.text("cite").map(|t| t.0).unwrap_or_default());
    if !table.contains_key("on_pre") {
        reader.problems.push(Problem::new(format!("synapse model `{name}` needs `on_pre`: what a spike of the source does")));
    }
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let compiled = traces::compile(&inner, TRIAL_STEP)?;
    inner.parameters.iter_mut().zip(&compiled.least).for_each(|(p, least)| p.least = *least);
    let model = SynapseModel { name: name.to_string(), about, cite, inner, bounds };
    let defaults = reader.entries("parameters");
    for (i, p) in model.parameters().iter().enumerate() {
        if let Some(wrong) = model.wrong(i, p.default) {
            reader.problem(defaults.get(i).map(|d| &d.1), wrong);
        }
    }
    if reader.problems.is_empty() { Ok(model) } else { Err(reader.problems) }
}

fn read_bounds(reader: &mut Reader, item: &Item, evaluate: &mut dyn FnMut(&Item) -> Result<Quantity, Problem>) -> Bounds {
    let mut bounds = Bounds { least: f64::NEG_INFINITY, most: f64::INFINITY };
    let Some(table) = item.as_table_like() else { return bounds };
    reader.keys(table, &VALUE_KEYS, "a parameter of a synapse model");
    let unit = evaluate(item).map(|q| q.dimension);
    for (key, end) in [("least", &mut bounds.least), ("most", &mut bounds.most)] {
        let Some(item) = table.get(key) else { continue };
        match evaluate(item) {
            Ok(q) if unit.as_ref().is_ok_and(|unit| *unit == q.dimension) => *end = q.value,
            Ok(q) => reader.problem(Some(item), format!("`{key}` is in {}, and the value is not", q.dimension)),
            Err(problem) => reader.problems.push(problem),
        }
    }
    bounds
}
