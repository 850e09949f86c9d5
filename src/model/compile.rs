//! Model -> program: one step in NEST's order (integrate, inputs, threshold, reset). Knows no network and no device.

use super::builder::Builder;
use super::emit::{self, Stage};
use super::graph::{Graph, Id, Node};
use super::pairs;
use super::program::Program;
use super::typed;
use super::{Least, Model};
use crate::base::problem::Problem;
use crate::base::units::{CURRENT, Dimension, TIME, VOLTAGE};

/// A model made ready for one step length.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub program: Program,
    pub method: String,
    /// The parameters each coefficient depends on.
    pub uses: Vec<Vec<usize>>,
    /// All states of the program: the model's own in order, then hidden ones.
    pub states: Vec<String>,
    pub hidden_initial: Vec<f32>,
    /// What values each parameter may take.
    pub(super) least: Vec<Least>,
    /// What is really run, in order, to be read by people.
    pub update: String,
    graph: Graph,
    wanted: Vec<Id>,
    parameters: Vec<String>,
}

/// What else is known of a program that is made.
pub(super) struct Made {
    pub method: String,
    pub period: Option<Id>,
    /// States beyond those of the model.
    pub hidden: usize,
    pub inputs: usize,
    pub update: String,
}

impl Compiled {
    /// The coefficients of the program for these parameters, in f64.
    pub fn coefficients(&self, parameters: &[f64]) -> Result<Vec<f64>, String> {
        let values = self.graph.evaluate(parameters);
        let out: Vec<f64> = self.wanted.iter().map(|id| values[*id]).collect();
        match out.iter().position(|x| !(*x as f32).is_finite()) {
            None => Ok(out),
            Some(bad) => {
                let of = self.uses[bad].iter().map(|p| {
                    let value = parameters.get(*p).copied().unwrap_or(f64::NAN);
                    format!("{} = {value}", self.parameters.get(*p).map_or("", |name| name))
                });
                Err(format!("the step has no finite value with {}", of.collect::<Vec<_>>().join(", ")))
            }
        }
    }
}

impl Model {
    /// The program of one step of `dt` milliseconds.
    pub fn compile(&self, dt: f64) -> Result<Compiled, Vec<Problem>> {
        self.compile_ahead(dt, &[])
    }

    /// The same, which also keeps what these states are expected to be half a step ahead, as hidden states: as they are, and so many times
    /// what the last step has changed them by (but for inputs that made them jump) and what the change itself has changed by; nothing
    /// more after a reset or an event. How many times are two further parameters of the coefficients.
    pub fn compile_ahead(&self, dt: f64, ahead: &[usize]) -> Result<Compiled, Vec<Problem>> {
        let mut builder = Builder::new(self, dt);
        builder.ahead = ahead.to_vec();
        let (mut stages, method): (Vec<Stage>, String) = builder.step(dt);
        let Builder { mut graph, problems, period, .. } = builder;
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut states: Vec<String> = self.states.iter().map(|s| s.name.clone()).collect();
        states.extend(self.period.as_ref().map(|_| "refractory steps left".to_string()));
        states.extend(ahead.iter().flat_map(|i| [self.name_ahead(*i), format!("last rise of {}", self.states[*i].name)]));
        if self.paired {
            pairs::pair(&mut graph, &mut stages, self.states.len(), states.len());
            states.extend(self.states.iter().map(|s| format!("rest of {}", s.name)));
        }
        let hidden = states.len() - self.states.len();
        let made = Made { method, period, hidden, inputs: self.inputs.len(), update: String::new() };
        let mut compiled = self.compiled(graph, &stages, states, made);
        compiled.update = self.describe(&compiled.method, dt);
        Ok(compiled)
    }

    /// The hidden state that says what the k-th of some states is expected to be half a step ahead; the next is how it has changed last.
    pub fn ahead(&self, k: usize) -> usize {
        self.states.len() + usize::from(self.period.is_some()) + 2 * k
    }

    /// Its name, for the state itself.
    pub fn name_ahead(&self, state: usize) -> String {
        format!("{} half a step ahead", self.states.get(state).map_or("", |s| &s.name))
    }

    /// What stages become, with what is known of the parameters in them.
    pub(super) fn compiled(&self, graph: Graph, stages: &[Stage], states: Vec<String>, made: Made) -> Compiled {
        let least = (0..self.parameters.len()).map(|p| self.least(&graph, made.period, p)).collect();
        let (program, wanted) = emit::emit(&graph, stages, states.len(), self.receptors.len(), made.inputs);
        Compiled {
            program,
            uses: wanted.iter().map(|id| graph.uses(*id).into_iter().collect()).collect(),
            states,
            hidden_initial: vec![0.0; made.hidden],
            least,
            update: made.update,
            method: made.method,
            graph,
            wanted,
            parameters: self.parameters.iter().map(|p| p.name.clone()).collect(),
        }
    }

    /// Times and capacitances that are divided by must be positive, a refractory period not negative.
    fn least(&self, graph: &Graph, period: Option<Id>, parameter: usize) -> Least {
        let Dimension(d) = self.parameters[parameter].dimension;
        let capacitance = d[..3] == [TIME.0[0], -VOLTAGE.0[1], CURRENT.0[2]] && d[4..] == [0, 0];
        if !capacitance && d != TIME.0 {
            return Least::Any;
        }
        if graph.divides(parameter) {
            return Least::AboveZero;
        }
        let in_period = |p: Id| graph.mentions(p, |n| *n == Node::Parameter(parameter));
        if period.is_some_and(in_period) { Least::Zero } else { Least::Any }
    }

    /// The initial value of a state for these parameters.
    pub fn initial(&self, state: usize, parameters: &[f64]) -> f64 {
        let mut builder = Builder::new(self, 1.0);
        let names = builder.parameters();
        let Some(state) = self.states.get(state) else { return f64::NAN };
        match typed::build(&state.initial, &mut builder.graph, &names) {
            Ok((id, _)) => builder.graph.evaluate(parameters)[id],
            Err(_) => f64::NAN,
        }
    }
}
