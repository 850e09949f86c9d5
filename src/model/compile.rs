//! Model -> program: one step in NEST's order (integrate, inputs, threshold, reset). Knows no network and no device.

use std::collections::HashMap;

use super::Model;
use super::emit::{self, Block};
use super::expr::Expr;
use super::graph::{Graph, Id, Node};
use super::integrate::System;
use super::program::{Binary, Program, Unary};
use super::statement::{Kind, Spot, Statement};
use super::typed::{self, Fault, Names};
use crate::base::problem::{Problem, did_you_mean};
use crate::base::units::{Dimension, NUMBER, TIME};

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
    /// What is really run, in order, to be read by people.
    pub update: String,
    graph: Graph,
    wanted: Vec<Id>,
    parameters: Vec<String>,
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
                    format!("{} = {value}", self.parameters[*p])
                });
                Err(format!("the step has no finite value with {}", of.collect::<Vec<_>>().join(", ")))
            }
        }
    }
}

pub(super) struct Builder<'a> {
    model: &'a Model,
    graph: Graph,
    names: Names,
    states: Vec<Id>,
    active: Id,
    problems: Vec<Problem>,
}

impl Model {
    /// The program of one step of `dt` milliseconds.
    pub fn compile(&self, dt: f64) -> Result<Compiled, Vec<Problem>> {
        let mut builder = Builder::new(self, dt);
        let (blocks, method) = builder.step(dt);
        let Builder { graph, problems, .. } = builder;
        if !problems.is_empty() {
            return Err(problems);
        }
        let hidden = usize::from(self.period.is_some());
        let (program, wanted) = emit::emit(&graph, &blocks, self.states.len() + hidden, self.receptors.len(), self.inputs.len());
        let mut states: Vec<String> = self.states.iter().map(|s| s.name.clone()).collect();
        states.extend(self.period.as_ref().map(|_| "refractory steps left".to_string()));
        Ok(Compiled {
            program,
            uses: wanted.iter().map(|id| graph.uses(*id).into_iter().collect()).collect(),
            states,
            hidden_initial: vec![0.0; hidden],
            update: self.describe(&method, dt),
            method,
            graph,
            wanted,
            parameters: self.parameters.iter().map(|p| p.name.clone()).collect(),
        })
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

impl<'a> Builder<'a> {
    fn new(model: &'a Model, dt: f64) -> Self {
        let mut graph = Graph::default();
        let states: Vec<Id> = (0..model.states.len()).map(|i| graph.leaf(Node::State(i))).collect();
        let active = if model.period.is_some() {
            let left = graph.leaf(Node::State(states.len()));
            let half = graph.number(0.5);
            graph.binary(Binary::Less, left, half)
        } else {
            graph.number(1.0)
        };
        let mut builder = Self { model, graph, names: Names::default(), states, active, problems: Vec::new() };
        builder.names = builder.parameters();
        let step = builder.graph.number(dt);
        builder.names.now.insert("dt".into(), (step, TIME));
        for (i, input) in model.inputs.iter().enumerate() {
            let leaf = builder.graph.leaf(Node::Input(i));
            builder.names.now.insert(input.name.clone(), (leaf, input.dimension));
        }
        for (i, receptor) in model.receptors.iter().enumerate().filter(|(_, r)| r.action.is_none()) {
            let leaf = builder.graph.leaf(Node::Receptor(i));
            builder.names.now.insert(receptor.name.clone(), (leaf, receptor.weight));
        }
        let present = builder.states.clone();
        builder.set(&present);
        builder
    }

    fn parameters(&mut self) -> Names {
        let mut names = Names::default();
        for (i, p) in self.model.parameters.iter().enumerate() {
            names.now.insert(p.name.clone(), (self.graph.leaf(Node::Parameter(i)), p.dimension));
        }
        names
    }

    /// From here on the names of the states mean these values.
    fn set(&mut self, values: &[Id]) {
        for (state, value) in self.model.states.iter().zip(values) {
            self.names.now.insert(state.name.clone(), (*value, state.dimension));
        }
    }

    fn fault(&mut self, spot: &Spot, fault: Fault) {
        self.problems.push(spot.problem(&self.model.source, fault));
    }

    /// The value of an expression that must have a dimension; a number stands in where it is wrong.
    fn value(&mut self, expr: &Expr, spot: &Spot, due: Option<Dimension>, what: &str) -> (Id, Dimension) {
        match typed::build(expr, &mut self.graph, &self.names) {
            Ok((id, d)) if due.is_none_or(|due| due == d) => (id, d),
            Ok((_, d)) => {
                let due = due.unwrap_or(NUMBER);
                let message = format!("{what} must be {due}, and this is {d}");
                self.fault(spot, Fault { message, span: expr.span.clone(), help: None });
                (self.graph.number(1.0), due)
            }
            Err(f) => {
                self.fault(spot, f);
                (self.graph.number(1.0), due.unwrap_or(NUMBER))
            }
        }
    }

    fn state(&mut self, statement: &Statement) -> Option<usize> {
        let found = self.model.states.iter().position(|s| s.name == statement.target);
        if found.is_none() {
            let help = did_you_mean(&statement.target, self.model.states.iter().map(|s| s.name.as_str()));
            let message = format!("`{}` is no state variable: it has no initial value under `state`", statement.target);
            self.fault(&statement.spot, Fault { message, span: statement.span.clone(), help });
        }
        found
    }

    /// Assignments in order; names that are no states become named quantities where `local` allows it.
    fn assign(&mut self, statements: &[Statement], values: &mut [Id], local: bool) {
        for s in statements {
            let name = s.target.as_str();
            let is_state = self.model.states.iter().any(|x| x.name == name);
            let bad = s.kind == Kind::Derivative || (!is_state && local && (s.kind != Kind::Assign || self.model.knows(name)));
            if bad {
                let message = format!("`{}` cannot stand here", s.text);
                self.fault(&s.spot, Fault { message, span: s.span.clone(), help: None });
            } else if local && !is_state {
                let new = self.value(&s.expr, &s.spot, None, name);
                self.names.now.insert(name.to_string(), new);
            } else if let Some(i) = self.state(s) {
                let d = self.model.states[i].dimension;
                let (right, _) = self.value(&s.expr, &s.spot, Some(d), &format!("`{name}`"));
                values[i] = match s.kind {
                    Kind::Increase => self.graph.add(values[i], right),
                    Kind::Decrease => self.graph.binary(Binary::Sub, values[i], right),
                    _ => right,
                };
                self.names.now.insert(name.to_string(), (values[i], d));
            }
        }
    }

    /// dx/dt of each state; a state without an equation stays as it is.
    fn derivatives(&mut self) -> Vec<Id> {
        let (rates, others): (Vec<&Statement>, Vec<&Statement>) = self.model.statements.iter().partition(|s| s.kind == Kind::Derivative);
        let states = self.states.clone();
        for s in others {
            if s.kind != Kind::Assign || self.model.knows(&s.target) || self.model.states.iter().any(|x| x.name == s.target) {
                let message = format!("`{}` cannot stand among equations", s.text);
                let help = Some("`dX/dt = ...` for a state variable, `X = ...` for a new name".into());
                self.fault(&s.spot, Fault { message, span: s.span.clone(), help });
                continue;
            }
            let new = self.value(&s.expr, &s.spot, None, &s.target);
            self.names.now.insert(s.target.clone(), new);
        }
        let zero = self.graph.number(0.0);
        let mut out: Vec<Option<Id>> = vec![None; states.len()];
        for s in rates {
            let Some(i) = self.state(s) else { continue };
            if out[i].is_some() {
                let message = format!("`{}` has two equations", s.target);
                self.fault(&s.spot, Fault { message, span: s.span.clone(), help: None });
            }
            let due = self.model.states[i].dimension.over(TIME);
            out[i] = Some(self.value(&s.expr, &s.spot, Some(due), &format!("d{}/dt", s.target)).0);
        }
        out.into_iter().map(|f| f.unwrap_or(zero)).collect()
    }

    /// The blocks of a step, and the name of the method.
    fn step(&mut self, dt: f64) -> (Vec<Block>, String) {
        let model = self.model;
        let (values, method) = self.integrate(dt);
        let substeps = if method == "rk4" { model.substeps } else { 1 };
        if model.each_substep && method != "rk4" || model.substeps > 1 && method != "rk4" {
            self.problems.push(Problem::new(format!("substeps belong to the method rk4, and `{}` runs {method}", model.name)));
        }
        if substeps == 1 {
            let before = self.states.clone();
            let values = self.receive(values);
            return (vec![self.events(values, &before, None)], method);
        }
        let present = self.states.clone();
        if model.each_substep {
            let inner = self.events(values, &present, Some(substeps));
            let mut sets: Vec<(usize, Id)> = self.receive(present).into_iter().enumerate().collect();
            if model.period.is_some() {
                sets.push((self.states.len(), self.count_down()));
            }
            return (vec![inner, Block { repeat: None, sets, spike: None }], method);
        }
        let inner = Block { repeat: Some(substeps), sets: values.into_iter().enumerate().collect(), spike: None };
        let before: Vec<Id> = (0..present.len()).map(|i| self.graph.leaf(Node::Start(i))).collect();
        let values = self.receive(present);
        (vec![inner, self.events(values, &before, None)], method)
    }

    fn integrate(&mut self, dt: f64) -> (Vec<Id>, String) {
        let model = self.model;
        if model.explicit {
            let mut values = self.states.clone();
            self.assign(&model.statements, &mut values, true);
            return (self.hold(values), "update".into());
        }
        let derivatives = self.derivatives();
        let present = self.states.clone();
        self.set(&present);
        let watched = self.watched();
        let system = System {
            derivatives,
            inputs: model.inputs.len(),
            clamped: (0..present.len()).map(|i| model.clamp.contains(&i)).collect(),
            active: self.active,
            last: watched,
        };
        let graph = &mut self.graph;
        let h = dt / f64::from(model.substeps);
        let asked = model.method.as_deref();
        if matches!(asked, None | Some("exact"))
            && let Some(new) = system.exact(graph, dt)
        {
            return (new, "exact".into());
        }
        if matches!(asked, None | Some("exponential_euler"))
            && let Some(new) = system.exponential_euler(graph, dt)
        {
            return (new, "exponential_euler".into());
        }
        if let Some(method @ ("exact" | "exponential_euler")) = asked {
            let why = if method == "exact" { "linear with constant coefficients" } else { "linear each in its own variable" };
            self.problems.push(Problem::new(format!("method `{method}`: the equations of `{}` are not {why}", model.name)).help("use rk4"));
        }
        if asked == Some("euler") { (system.euler(graph, dt), "euler".into()) } else { (system.rk4(graph, h), "rk4".into()) }
    }

    /// Which states the threshold looks at.
    fn watched(&mut self) -> Vec<bool> {
        let none = vec![false; self.states.len()];
        let Some((expr, _)) = &self.model.threshold else { return none };
        let names = Names { now: self.names.now.clone(), before: Some(self.names.now.clone()) };
        let Ok((id, _)) = typed::build(expr, &mut self.graph, &names) else { return none };
        (0..none.len()).map(|i| self.graph.mentions(id, |n| *n == Node::State(i))).collect()
    }

    /// Clamped states keep their value while refractory.
    fn hold(&mut self, mut values: Vec<Id>) -> Vec<Id> {
        for i in &self.model.clamp {
            values[*i] = self.graph.select(self.active, values[*i], self.states[*i]);
        }
        values
    }

    /// Adds what arrives at the end of the step.
    fn receive(&mut self, mut values: Vec<Id>) -> Vec<Id> {
        let model = self.model;
        for (k, receptor) in model.receptors.iter().enumerate() {
            let Some(action) = &receptor.action else { continue };
            let Some(i) = self.state(action) else { continue };
            let shadowed = self.names.now.get("w").copied();
            let sum = self.graph.leaf(Node::Receptor(k));
            self.names.now.insert("w".into(), (sum, receptor.weight));
            let (jump, _) = self.value(&action.expr, &action.spot, Some(model.states[i].dimension), &format!("`{}`", action.target));
            self.names.now.remove("w");
            self.names.now.extend(shadowed.map(|w| ("w".to_string(), w)));
            values[i] = self.graph.add(values[i], jump);
        }
        self.hold(values)
    }

    /// Threshold, reset, refractory time; inside a repeated block when tested after every substep.
    fn events(&mut self, mut values: Vec<Id>, before: &[Id], repeat: Option<u32>) -> Block {
        let model = self.model;
        self.set(before);
        let old = self.names.now.clone();
        self.set(&values);
        self.names.before = Some(old);
        let condition = model.threshold.as_ref().map(|(expr, spot)| self.value(expr, spot, Some(NUMBER), "a condition").0);
        self.names.before = None;
        let spike = condition.map(|c| self.graph.binary(Binary::And, c, self.active));
        let mut after = values.clone();
        self.assign(&model.reset, &mut after, false);
        if let Some(spike) = spike {
            for (value, reset) in values.iter_mut().zip(after) {
                *value = self.graph.select(spike, reset, *value);
            }
        }
        let mut sets: Vec<(usize, Id)> = values.into_iter().enumerate().collect();
        if let Some(steps) = self.refractory_steps(repeat.is_some()) {
            let zero = self.graph.number(0.0);
            let go_on = if repeat.is_some() { self.graph.leaf(Node::State(model.states.len())) } else { self.count_down() };
            let left = self.graph.select(spike.unwrap_or(zero), steps, go_on);
            sets.push((model.states.len(), left));
        }
        let present = self.states.clone();
        self.set(&present);
        Block { repeat, sets, spike }
    }

    fn count_down(&mut self) -> Id {
        let (zero, one) = (self.graph.number(0.0), self.graph.number(1.0));
        let left = self.graph.leaf(Node::State(self.states.len()));
        let less = self.graph.binary(Binary::Sub, left, one);
        self.graph.binary(Binary::Max, less, zero)
    }

    /// The period in whole steps; one more inside a step, for the count at its end.
    fn refractory_steps(&mut self, inside: bool) -> Option<Id> {
        let (expr, spot) = self.model.period.as_ref()?;
        let (period, _) = self.value(expr, spot, Some(TIME), "a refractory period");
        if !self.graph.fixed[period] {
            self.fault(spot, Fault { message: "a refractory period is made of parameters".into(), span: expr.span.clone(), help: None });
        }
        let step = self.names.now["dt"].0;
        let (half, one, zero) = (self.graph.number(0.5), self.graph.number(1.0), self.graph.number(0.0));
        let inverse = self.graph.unary(Unary::Recip, step);
        let ratio = self.graph.mul(period, inverse);
        let shifted = self.graph.add(ratio, half);
        let steps = self.graph.unary(Unary::Floor, shifted);
        if !inside {
            return Some(steps);
        }
        let (more, any) = (self.graph.add(steps, one), self.graph.binary(Binary::Less, zero, steps));
        Some(self.graph.select(any, more, zero))
    }
}

impl Model {
    /// Whether a name is taken by something that is no state.
    fn knows(&self, name: &str) -> bool {
        let names: HashMap<&str, ()> = self.parameters.iter().map(|p| (p.name.as_str(), ())).collect();
        let receptor = self.receptors.iter().any(|r| r.action.is_none() && r.name == name);
        name == "dt" || names.contains_key(name) || receptor || self.inputs.iter().any(|i| i.name == name)
    }
}
