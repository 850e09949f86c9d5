//! Models of synapses that change: parameters, traces of the two neurons, and what their spikes do. One text for both engines.
//! Knows no network and no projection.

use std::fmt::Write;
use std::sync::Arc;

use toml_edit::{Item, TableLike};

use super::expr::{Expr, Node};
use super::read::{Reader, TRIAL_STEP};
use super::statement::Statement;
use super::traces::{Effect, Side};
use super::{Least, Model, Parameter, State};
use crate::base::problem::{Problem, Source};
use crate::base::units::{NUMBER, Quantity};

/// What the spikes of a neuron are multiplied by for the synapses of this model.
pub const FACTOR: &str = "factor";

/// The weight of a synapse in units of the largest, so that it lies between 0 and 1.
pub const WEIGHT: &str = "w";

pub const SYNAPSE_KEYS: [&str; 9] = ["about", "cite", "functions", "equations", "on_pre", "on_post", "parameters", "source", "target"];
const VALUE_KEYS: [&str; 3] = ["value", "least", "most"];

/// Name and text of each synapse model that comes with the program; the text holds the keys of one table.
pub fn builtin_synapses() -> [(&'static str, &'static str); 6] {
    [
        ("tsodyks_markram", include_str!("synapses/tsodyks_markram.toml")),
        ("stdp_pair", include_str!("synapses/stdp_pair.toml")),
        ("stdp_power", include_str!("synapses/stdp_power.toml")),
        ("stdp_nearest", include_str!("synapses/stdp_nearest.toml")),
        ("stdp_triplet", include_str!("synapses/stdp_triplet.toml")),
        ("vogels_2011", include_str!("synapses/vogels_2011.toml")),
    ]
}

/// A synapse model, read and checked.
#[derive(Clone, Debug)]
pub struct SynapseModel {
    pub name: String,
    pub about: String,
    pub cite: String,
    pre: Side,
    post: Side,
    bounds: Vec<Bounds>,
}

/// What spikes of the two sides do.
#[derive(Clone, Debug)]
pub struct Effects {
    pub pre: Effect,
    pub post: Effect,
}

/// What values a parameter may take, ends included.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    least: f64,
    most: f64,
}

impl SynapseModel {
    pub fn parameters(&self) -> &[Parameter] {
        &self.pre.model.parameters
    }

    /// The traces of the source neuron, without the factor.
    pub fn source(&self) -> &[State] {
        &self.pre.model.states[..self.pre.own]
    }

    /// The traces of the target neuron.
    pub fn target(&self) -> &[State] {
        &self.post.model.states[..self.post.own]
    }

    /// Whether the weights change.
    pub fn plastic(&self) -> bool {
        [&self.pre, &self.post].iter().any(|side| side.model.reset.iter().any(|s| s.target == WEIGHT))
    }

    /// What spikes do, for steps of `dt` ms.
    pub fn compile(&self, dt: f64) -> Result<Effects, Vec<Problem>> {
        Ok(Effects { pre: self.pre.compile(dt)?, post: self.post.compile(dt)? })
    }

    /// The values of the traces of the source, then of the target, at the start of a run.
    pub fn initial(&self, parameters: &[f64]) -> [Vec<f64>; 2] {
        [&self.pre, &self.post].map(|side| (0..side.own).map(|i| side.model.initial(i, parameters)).collect())
    }

    /// What is really run, in order, to be read by people.
    pub fn update(&self) -> String {
        let lines = |of: &[Statement]| of.iter().map(|s| format!("   {}\n", s.text)).collect::<String>();
        let (pre, post) = (&self.pre.model, &self.post.model);
        let mut out = format!("traces, in closed form from spike to spike of their neuron\n{}", lines(&pre.statements));
        let _ = write!(out, "at every spike of the source, in order\n{}", lines(&pre.reset));
        if !self.plastic() {
            return out + "   each synapse delivers round(weight*factor) quanta; the factor is cut to 0..1, in units of 2^-31\n";
        }
        let _ = write!(out, "at every spike of the target, in order\n{}", lines(&post.reset));
        out + "   w is the weight in units of w_max, and is held between 0 and 1 after either\n\
               The delay is that of the dendrite, as in NEST: a spike of the target acts on a synapse after the delay, one of the source at once,\n\
               and what the source delivers is the weight after that. Of two that meet in a step the target's is first; each sees the\n\
               traces of the other from before, so that they make no pair.\n"
    }

    /// The default of a parameter is this from now on.
    pub fn set_default(&mut self, parameter: usize, value: f64) {
        self.pre.model.parameters[parameter].default = value;
    }

    /// What is wrong with the value of a parameter, if something is.
    pub fn wrong(&self, parameter: usize, value: f64) -> Option<String> {
        let (p, Bounds { least, most }) = (&self.pre.model.parameters[parameter], self.bounds[parameter]);
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
    let both = Model {
        name: name.to_string(),
        parameters: reader.parameters(evaluate),
        functions: reader.functions(),
        statements: reader.block("equations"),
        ..Model::empty(source.clone())
    };
    let (mut sides, mut blocks) = (Vec::new(), Vec::new());
    for (key, block) in [("source", "on_pre"), ("target", "on_post")] {
        let mut side = both.clone();
        reader.states(key, &mut side);
        sides.push(side.states);
        blocks.push(reader.block(block));
    }
    let mut side = |of: &'static str, own: usize| {
        let state = |name: &str| State { name: name.into(), dimension: NUMBER, initial: Expr { node: Node::Number(1.0), span: 0..0 } };
        let states = sides[own].iter().cloned().chain([state(FACTOR)]).chain(sides[1 - own].iter().cloned()).chain([state(WEIGHT)]);
        let model = Model { states: states.collect(), reset: std::mem::take(&mut blocks[own]), ..both.clone() };
        Side { own: sides[own].len(), model, of }
    };
    let (pre, post) = (side("source", 0), side("target", 1));
    reader.unique(&pre.model);
    let (about, cite) = (reader.text("about").map(|t| t.0).unwrap_or_default(), reader.text("cite").map(|t| t.0).unwrap_or_default());
    let mut model = SynapseModel { name: name.to_string(), about, cite, pre, post, bounds };
    if !table.contains_key("on_pre") {
        reader.problems.push(Problem::new(format!("synapse model `{name}` needs `on_pre`: what a spike of the source does")));
    }
    if !model.plastic() && (table.contains_key("on_post") || table.contains_key("target")) {
        let message = format!("synapse model `{name}` has a target and never changes the weight `w`");
        reader.problems.push(Problem::new(message).help("change `w` in `on_pre` or `on_post`, or leave the target out"));
    }
    if model.plastic() && model.pre.model.reset.iter().any(|s| s.target == FACTOR) {
        let message = format!("synapse model `{name}` changes both the weight `w` and the `factor`");
        reader.problems.push(Problem::new(message).help("one of the two is possible for now"));
    }
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let Effects { pre, post } = model.compile(TRIAL_STEP)?;
    for compiled in [&pre.own, &pre.weight, &post.own, &post.weight] {
        // A parameter that anything is divided by must be positive in all of them.
        for (p, least) in model.pre.model.parameters.iter_mut().zip(&compiled.least).filter(|(_, least)| **least != Least::Any) {
            p.least = *least;
        }
    }
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
