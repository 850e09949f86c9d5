//! Models of synapses that change: parameters, traces of the two neurons, and what their spikes do. One text for both engines.
//! Knows no network and no projection.

use std::fmt::Write;
use std::sync::Arc;

use toml_edit::{Item, TableLike};

use super::compile::Compiled;
use super::drift::Drift;
use super::expr::{Expr, Node};
use super::read::{Reader, TRIAL_STEP};
use super::statement::Statement;
use super::traces::{Effect, Side};
use super::watch::{self, Condition, Read, Watch};
use super::{Least, Limits, Model, Parameter, State};
use crate::base::problem::{Problem, Source};
use crate::base::units::{NUMBER, Quantity};

/// What the spikes of a neuron are multiplied by for the synapses of this model.
pub const FACTOR: &str = "factor";

/// The weight of a synapse in units of the largest, so that it lies between 0 and 1.
pub const WEIGHT: &str = "w";

pub const SYNAPSE_KEYS: [&str; 16] = [
    "about",
    "cite",
    "functions",
    "equations",
    "on_pre",
    "on_post",
    "on_modulator",
    "condition",
    "on_condition",
    "parameters",
    "limits",
    "source",
    "target",
    "synapse",
    "modulator",
    "reads",
];
const VALUE_KEYS: [&str; 3] = ["value", "least", "most"];

/// Name and text of each synapse model that comes with the program; the text holds the keys of one table.
pub fn builtin_synapses() -> [(&'static str, &'static str); 11] {
    [
        ("tsodyks_markram", include_str!("synapses/tsodyks_markram.toml")),
        ("nmda_saturating", include_str!("synapses/nmda_saturating.toml")),
        ("stdp_pair", include_str!("synapses/stdp_pair.toml")),
        ("stdp_power", include_str!("synapses/stdp_power.toml")),
        ("stdp_nearest", include_str!("synapses/stdp_nearest.toml")),
        ("stdp_triplet", include_str!("synapses/stdp_triplet.toml")),
        ("vogels_2011", include_str!("synapses/vogels_2011.toml")),
        ("stdp_dopamine", include_str!("synapses/stdp_dopamine.toml")),
        ("homeostatic_scaling", include_str!("synapses/homeostatic_scaling.toml")),
        ("clopath", include_str!("synapses/clopath.toml")),
        ("clopath_homeostatic", include_str!("synapses/clopath_homeostatic.toml")),
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
    modulator: Option<Side>,
    /// What is read of the target, and the steps of it at which something happens.
    pub(super) watch: Option<Watch>,
    /// What happens between events, where something does.
    drift: Option<Drift>,
    bounds: Vec<Bounds>,
}

/// What spikes of the two sides do.
#[derive(Clone, Debug)]
pub struct Effects {
    pub pre: Effect,
    pub post: Effect,
    pub modulator: Option<Effect>,
    /// When a step of the target is an event, and what it does.
    pub condition: Option<(Compiled, Effect)>,
    /// The weight and what the synapse keeps between two events: see `drift`.
    pub drift: Option<Compiled>,
}

/// Values at the start of a run.
pub struct Start {
    pub source: Vec<f64>,
    pub target: Vec<f64>,
    pub synapse: Vec<f64>,
    pub modulator: Vec<f64>,
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

    /// What each synapse keeps beside its weight.
    pub fn kept(&self) -> &[State] {
        let Model { states, .. } = &self.pre.model;
        let end = states.len() - 1 - self.pre.modulator;
        &states[end - self.pre.kept..end]
    }

    /// The traces of the modulator.
    pub fn modulator(&self) -> &[State] {
        let Model { states, .. } = &self.pre.model;
        &states[states.len() - 1 - self.pre.modulator..states.len() - 1]
    }

    /// Whether the weights change.
    pub fn plastic(&self) -> bool {
        let event = self.event().map(|(_, side)| side);
        let blocks = [&self.pre, &self.post].into_iter().chain(event).flat_map(|side| &side.model.reset);
        blocks.chain(&self.pre.model.statements).any(|s| s.target == WEIGHT)
    }

    fn event(&self) -> Option<&(Condition, Side)> {
        self.watch.as_ref()?.event.as_ref()
    }

    /// Parameters and functions.
    pub(super) fn constants(&self) -> &Model {
        &self.pre.model
    }

    /// What spikes do, for steps of `dt` ms.
    pub fn compile(&self, dt: f64) -> Result<Effects, Vec<Problem>> {
        let modulator = self.modulator.as_ref().map(|m| m.compile(dt)).transpose()?;
        let drift = self.drift.as_ref().map(|d| d.compile(dt)).transpose()?;
        let event = self.event().map(|(condition, side)| Ok::<_, Vec<Problem>>((condition.compile(dt)?, side.compile(dt)?)));
        Ok(Effects { pre: self.pre.compile(dt)?, post: self.post.compile(dt)?, modulator, condition: event.transpose()?, drift })
    }

    /// The values at the start of a run.
    pub fn initial(&self, parameters: &[f64]) -> Start {
        let model = &self.pre.model;
        let of = |range: std::ops::Range<usize>| range.map(|i| model.initial(i, parameters)).collect::<Vec<f64>>();
        let weight = model.states.len() - 1;
        let (synapse, modulator) = (weight - self.pre.modulator - self.pre.kept, weight - self.pre.modulator);
        Start {
            source: of(0..self.pre.own),
            target: of(self.pre.own + 1..synapse),
            synapse: of(synapse..modulator),
            modulator: of(modulator..weight),
        }
    }

    /// What is really run, in order, to be read by people.
    pub fn update(&self) -> String {
        let lines = |of: &[Statement]| of.iter().map(|s| format!("   {}\n", s.text)).collect::<String>();
        let (pre, post) = (&self.pre.model, &self.post.model);
        let of = if self.drift.is_some() { ", w and what a synapse keeps from event to event" } else { "" };
        let mut out = format!("traces, in closed form from spike to spike of their neuron{of}\n{}", lines(&pre.statements));
        let _ = write!(out, "at every spike of the source, in order\n{}", lines(&pre.reset));
        if !self.plastic() {
            return out + "   each synapse delivers round(weight*factor) quanta; the factor is cut to 0..1, in units of 2^-31\n";
        }
        let _ = write!(out, "at every spike of the target, in order\n{}", lines(&post.reset));
        if let Some((condition, side)) = self.event() {
            let _ = write!(
                out,
                "at every step of the target at whose end {}, in order, after a spike\n{}",
                condition.text,
                lines(&side.model.reset)
            );
        }
        if !self.reads().is_empty() {
            out += "   what is read of the target is as it is at the end of the step of its spike or condition; at a spike of the source, as it\n\
                    was the delay before; and older by the read's own delay, if it has one\n";
        }
        if let Some(modulator) = &self.modulator {
            let _ = write!(out, "at every spike of the modulator, in order\n{}", lines(&modulator.model.reset));
        }
        if self.drift.is_some() {
            out += "   the weight of a synapse moves at the spikes of its source, its target and its modulator, over the time since the last of\n\
                    them; of three that meet in a step the target's is first and the modulator's last\n";
        }
        out + "   w is the weight in units of w_max, and is held between 0 and 1 after each\n\
               The delay is that of the dendrite, as in NEST: a spike of the target acts on a synapse after the delay, one of the source at once,\n\
               and what the source delivers is the weight after that. Of two that meet in a step the target's is first; each sees the\n\
               traces of the other from before, so that they make no pair.\n"
    }

    /// What the parameters must meet together.
    pub fn limits(&self) -> Limits<'_> {
        self.pre.model.limits()
    }

    /// The same as written.
    pub fn limit_texts(&self) -> impl Iterator<Item = &str> {
        self.pre.model.limit_texts()
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
    let mut both = Model {
        name: name.to_string(),
        parameters: reader.parameters(evaluate),
        functions: reader.functions(),
        statements: reader.block("equations"),
        ..Model::empty(source.clone())
    };
    both.limits = reader.limits(&both);
    let reads = watch::reads(&mut reader, &both);
    let (mut sides, mut blocks) = (Vec::new(), Vec::new());
    for (key, block) in SIDES {
        let mut side = both.clone();
        reader.states(key, &mut side);
        sides.push(side.states);
        blocks.push(reader.block(block));
    }
    let state = |name: &str| State { name: name.into(), dimension: NUMBER, initial: Expr { node: Node::Number(1.0), span: 0..0 } };
    let counts = [0, 1, 2, 3].map(|i| sides[i].len());
    let mut side = |own: usize| {
        let (of, block) = SIDES[own];
        // The modulator's traces are its own, and then not among what stands before the weight.
        let after: &[usize] = if own == 3 { &[0, 1, 2] } else { &[1 - own, 2, 3] };
        let others = after.iter().flat_map(|k| sides[*k].iter().cloned());
        let states = sides[own].iter().cloned().chain([state(FACTOR)]).chain(others).chain([state(WEIGHT)]);
        let model = Model { states: states.collect(), reset: std::mem::take(&mut blocks[own]), ..both.clone() };
        let modulator = if own == 3 { 0 } else { counts[3] };
        Side { own: counts[own], kept: counts[2], modulator, model, of, block, reads: reads.clone() }
    };
    let (pre, post) = (side(0), side(1));
    let modulator = (counts[3] > 0 || table.contains_key("on_modulator")).then(|| side(3));
    let watch = read_watch(&mut reader, reads, &both, &post);
    reader.unique(&pre.model);
    let moves = counts[2] > 0 || both.statements.iter().any(|s| s.target == WEIGHT);
    let drift = moves.then(|| {
        let states = sides.iter().flatten().cloned().chain([state(WEIGHT)]).collect();
        Drift { model: Model { states, ..both.clone() }, counts }
    });
    let (about, cite) = (reader.text("about").map(|t| t.0).unwrap_or_default(), reader.text("cite").map(|t| t.0).unwrap_or_default());
    let mut model = SynapseModel { name: name.to_string(), about, cite, pre, post, modulator, watch, drift, bounds };
    if !table.contains_key("on_pre") {
        reader.problems.push(Problem::new(format!("synapse model `{name}` needs `on_pre`: what a spike of the source does")));
    }
    let more = ["on_post", "target", "synapse", "modulator", "on_modulator", "reads", "condition", "on_condition"]
        .into_iter()
        .find(|key| table.contains_key(key));
    if let (false, Some(key)) = (model.plastic(), more) {
        let message = format!("synapse model `{name}` has `{key}` and never changes the weight `w`");
        reader.problems.push(Problem::new(message).help("change `w` in `on_pre`, in `on_post` or by dw/dt, or leave it out"));
    }
    if table.contains_key("on_modulator") != (counts[3] > 0) {
        let message = format!("synapse model `{name}` has one of `modulator` (its traces) and `on_modulator` (what its spikes do to them)");
        reader.problems.push(Problem::new(message).help("give both, or neither"));
    }
    if model.plastic() && model.pre.model.reset.iter().any(|s| s.target == FACTOR) {
        let message = format!("synapse model `{name}` changes both the weight `w` and the `factor`");
        reader.problems.push(Problem::new(message).help("one of the two is possible for now"));
    }
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let Effects { pre, post, modulator, condition, drift } = model.compile(TRIAL_STEP)?;
    let own = modulator.as_ref().map(|m| &m.own);
    let event = condition.as_ref().map(|(condition, effect)| [condition, &effect.own, &effect.weight]);
    for compiled in [&pre.own, &pre.weight, &post.own, &post.weight].into_iter().chain(own).chain(event.into_iter().flatten()).chain(&drift)
    {
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
    let values: Vec<f64> = model.parameters().iter().map(|p| p.default).collect();
    if let Some((wrong, _)) = model.limits().broken(&values) {
        reader.problem(table.get("limits"), wrong);
    }
    if reader.problems.is_empty() { Ok(model) } else { Err(reader.problems) }
}

/// Tables of traces, and what the spikes of each side do.
const SIDES: [(&str, &str); 4] = [("source", "on_pre"), ("target", "on_post"), ("synapse", ""), ("modulator", "on_modulator")];

/// The reads, and the event that a condition over them makes: it is like a spike of the target.
fn read_watch(reader: &mut Reader, reads: Vec<Read>, both: &Model, post: &Side) -> Option<Watch> {
    let (condition, statements) = (reader.expression("condition"), reader.block("on_condition"));
    if reader.table.contains_key("condition") != reader.table.contains_key("on_condition") {
        let message =
            format!("synapse model `{}` has one of `condition` (when a step of the target is an event) and `on_condition`", both.name);
        reader.problems.push(Problem::new(message).help("give both, or neither"));
    }
    if reads.is_empty() {
        if let Some(item) = reader.table.get("condition") {
            reader.problem(Some(item), "a condition is over variables of the target, and none is read: name them under `reads`");
        }
        return None;
    }
    let text = reader.table.get("condition").and_then(Item::as_str).unwrap_or_default().to_string();
    let event = condition.map(|condition| {
        let model = Model { reset: statements, ..post.model.clone() };
        let condition = Condition { model: both.clone(), reads: reads.clone(), condition, text };
        (condition, Side { model, block: "on_condition", ..post.clone() })
    });
    Some(Watch { reads, event })
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
