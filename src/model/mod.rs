//! Equations, once: one text becomes the program that every engine runs. Knows no network, no scene, no device.

pub mod expr;
pub mod program;

use crate::base::units::Dimension;

/// A neuron model, read and checked.
#[derive(Clone, Debug)]
pub struct Model {
    pub name: String,
    pub about: String,
    pub cite: String,
    pub parameters: Vec<Parameter>,
    pub states: Vec<State>,
    pub receptors: Vec<Receptor>,
    pub inputs: Vec<Input>,
    /// Receptor 0 takes positive, receptor 1 negative weights.
    pub by_sign: bool,
}

#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub dimension: Dimension,
    pub default: f64,
}

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
}

#[derive(Clone, Debug)]
pub struct Input {
    pub name: String,
    pub dimension: Dimension,
}
