//! Equations, once: one text becomes the program that every engine runs. Knows no network, no scene, no device.

mod builder;
mod builtin;
mod calls;
mod compile;
mod drift;
mod emit;
pub mod expr;
mod flow;
mod graph;
mod integrate;
mod limits;
mod linear;
mod matrix;
mod noise;
mod pairs;
pub mod program;
mod read;
mod scalar;
mod show;
mod statement;
mod step;
mod synapse;
#[cfg(test)]
mod tests;
mod traces;
mod typed;
mod watch;

use std::sync::Arc;

pub use builtin::builtin;
pub use compile::Compiled;
pub use flow::Flow;
pub use limits::Limits;
pub use read::{KEYS, integrated, read};
pub use synapse::{Effects, SYNAPSE_KEYS, Start, SynapseModel, builtin_synapses, read_synapse};
pub use watch::{READS, Read};

use crate::base::problem::Source;
use crate::base::units::Dimension;
use limits::Limit;
use statement::{Function, Spot, Statement};

/// A neuron model, read and checked.
#[derive(Clone, Debug)]
pub struct Model {
    pub name: String,
    pub about: String,
    pub cite: String,
    pub parameters: Vec<Parameter>,
    /// What the parameters must meet together.
    pub(crate) limits: Vec<Limit>,
    pub states: Vec<State>,
    pub receptors: Vec<Receptor>,
    pub inputs: Vec<Input>,
    /// Receptor 0 takes positive, receptor 1 negative weights.
    pub by_sign: bool,
    /// The text the model was read from; places in it are kept with the statements.
    pub(crate) source: Arc<Source>,
    /// The equations, or the ordered assignments of an `update` block.
    pub(crate) statements: Vec<Statement>,
    pub(crate) functions: Arc<[Function]>,
    pub(crate) explicit: bool,
    pub(crate) method: Option<String>,
    pub(crate) substeps: u32,
    /// The longest substep in ms, where the model says that in place of their number.
    pub(crate) substep: Option<f64>,
    pub(crate) threshold: Option<(expr::Expr, Spot)>,
    pub(crate) threshold_text: String,
    pub(crate) each_substep: bool,
    /// States and arithmetic in pairs of f32, about 48 bits.
    pub(crate) paired: bool,
    pub(crate) reset: Vec<Statement>,
    pub(crate) period: Option<(expr::Expr, Spot)>,
    pub(crate) period_text: Option<String>,
    /// States held while refractory.
    pub(crate) clamp: Vec<usize>,
    /// Further events, tested in order after the threshold.
    pub(crate) events: Vec<Event>,
}

/// What a model does besides spiking when a condition holds.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub name: String,
    pub condition: (expr::Expr, Spot),
    /// The condition as written.
    pub text: String,
    pub action: Vec<Statement>,
}

#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub dimension: Dimension,
    pub default: f64,
    /// What values the equations bear.
    pub least: Least,
}

/// The least value of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Least {
    Any,
    /// A refractory period.
    Zero,
    /// A time constant or a capacitance that something is divided by.
    AboveZero,
}

impl Least {
    /// What is wrong with a value, if something is.
    pub fn wrong(self, value: f64) -> Option<&'static str> {
        match self {
            Least::AboveZero if value <= 0.0 => Some("must be positive"),
            Least::Zero if value < 0.0 => Some("cannot be negative"),
            _ => None,
        }
    }
}

/// No step is cut into more parts.
pub(crate) const MOST_SUBSTEPS: f64 = 1000.0;

#[derive(Clone, Debug)]
pub struct State {
    pub name: String,
    pub dimension: Dimension,
    pub initial: expr::Expr,
}

#[derive(Clone, Debug)]
pub struct Receptor {
    pub name: String,
    pub weight: Dimension,
    /// A conductance: negative weights are refused.
    pub non_negative: bool,
    /// `state += w * ...` at the end of the step; none if the `update` block names the receptor.
    pub(crate) action: Option<Statement>,
}

#[derive(Clone, Debug)]
pub struct Input {
    pub name: String,
    pub dimension: Dimension,
}

impl Model {
    /// A model without anything, read from this text.
    pub(crate) fn empty(source: Arc<Source>) -> Self {
        Self {
            name: String::new(),
            about: String::new(),
            cite: String::new(),
            parameters: Vec::new(),
            limits: Vec::new(),
            states: Vec::new(),
            receptors: Vec::new(),
            inputs: Vec::new(),
            by_sign: false,
            source,
            statements: Vec::new(),
            functions: Arc::new([]),
            explicit: false,
            method: None,
            substeps: 1,
            substep: None,
            threshold: None,
            threshold_text: String::new(),
            each_substep: false,
            paired: false,
            reset: Vec::new(),
            period: None,
            period_text: None,
            clamp: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Substeps of a step of `dt` ms.
    pub(crate) fn substeps(&self, dt: f64) -> u32 {
        self.substep.map_or(self.substeps, |longest| libm::ceil(dt / longest - 1e-6).clamp(1.0, MOST_SUBSTEPS) as u32)
    }

    /// Whether a state variable is held while the neuron is refractory.
    pub fn holds(&self, state: usize) -> bool {
        self.clamp.contains(&state)
    }
}
