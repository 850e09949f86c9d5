//! The statements of a model -> values in the graph, checked; problems are gathered. Knows no order of a step and no program.

use super::Model;
use super::expr::Expr;
use super::graph::{Graph, Id, Node};
use super::noise;
use super::program::Binary;
use super::statement::{Kind, Spot, Statement};
use super::typed::{self, Fault, Names};
use crate::base::problem::{Problem, did_you_mean};
use crate::base::units::{Dimension, NUMBER, TIME};

pub(super) struct Builder<'a> {
    pub(super) model: &'a Model,
    pub(super) graph: Graph,
    pub(super) names: Names,
    pub(super) states: Vec<Id>,
    /// The named quantities of the equations, in terms of the states.
    locals: Vec<(String, Id, Dimension)>,
    pub(super) active: Id,
    /// States of which a value half a step ahead is kept.
    pub(super) ahead: Vec<usize>,
    /// The white noises of the equations, by name.
    pub(super) xis: Vec<String>,
    /// The refractory period.
    pub(super) period: Option<Id>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(model: &'a Model, dt: f64) -> Self {
        let mut graph = Graph::default();
        let states: Vec<Id> = (0..model.states.len()).map(|i| graph.leaf(Node::State(i))).collect();
        let active = if model.period.is_some() {
            let left = graph.leaf(Node::State(states.len()));
            let half = graph.number(0.5);
            graph.binary(Binary::Less, left, half)
        } else {
            graph.number(1.0)
        };
        let mut builder = Self {
            model,
            graph,
            names: Names::default(),
            states,
            locals: Vec::new(),
            active,
            ahead: Vec::new(),
            xis: Vec::new(),
            period: None,
            problems: Vec::new(),
        };
        builder.names = builder.parameters();
        let step = builder.graph.number(dt);
        builder.names.now.insert("dt".into(), (step, TIME));
        builder.names.common = builder.names.now.clone();
        builder.names.random = true;
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

    pub(super) fn parameters(&mut self) -> Names {
        let mut names = Names::default();
        for (i, p) in self.model.parameters.iter().enumerate() {
            names.now.insert(p.name.clone(), (self.graph.leaf(Node::Parameter(i)), p.dimension));
        }
        names.common = names.now.clone();
        names.functions = self.model.functions.clone();
        names.visible = names.functions.len();
        names
    }

    /// From here on the names of the states, and of what is made of them, mean these values.
    pub(super) fn set(&mut self, values: &[Id]) {
        let graph = &self.graph;
        self.locals.retain(|l| !graph.mentions(l.1, |n| matches!(n, Node::Xi(_))));
        for (state, value) in self.model.states.iter().zip(values) {
            self.names.now.insert(state.name.clone(), (*value, state.dimension));
        }
        let moved = self.states.iter().copied().zip(values.iter().copied()).collect();
        let ids: Vec<Id> = self.locals.iter().map(|l| l.1).collect();
        let renewed = self.graph.replace(&ids, &moved);
        for ((name, _, dimension), id) in self.locals.iter().zip(renewed) {
            self.names.now.insert(name.clone(), (id, *dimension));
        }
    }

    pub(super) fn fault(&mut self, spot: &Spot, fault: Fault) {
        self.problems.push(spot.problem(&self.model.source, fault));
    }

    /// The value of an expression that must have a dimension; a number stands in where it is wrong.
    pub(super) fn value(&mut self, expr: &Expr, spot: &Spot, due: Option<Dimension>, what: &str) -> (Id, Dimension) {
        match typed::build(expr, &mut self.graph, &self.names) {
            Ok((id, d)) if due.is_none_or(|due| due == d) => (id, d),
            Ok((_, d)) => {
                let due = due.unwrap_or(NUMBER);
                let fault = Fault::new(format!("{what} must be {due}, and this is {d}"), expr.span.clone());
                let help = match (due == NUMBER, d == NUMBER) {
                    (true, _) => format!("divide by a value in {d}"),
                    (_, true) => format!("give it a unit: {due} is due"),
                    _ => format!("multiply it by something in {}", due.over(d)),
                };
                self.fault(spot, fault.help(help));
                (self.graph.number(1.0), due)
            }
            Err(f) => {
                self.fault(spot, f);
                (self.graph.number(1.0), due.unwrap_or(NUMBER))
            }
        }
    }

    pub(super) fn state(&mut self, statement: &Statement) -> Option<usize> {
        let found = self.model.states.iter().position(|s| s.name == statement.target);
        if found.is_none() {
            let help = did_you_mean(&statement.target, self.model.states.iter().map(|s| s.name.as_str()));
            let message = format!("`{}` is no state variable: it has no initial value under `state`", statement.target);
            self.fault(&statement.spot, Fault { help, ..Fault::new(message, statement.span.clone()) });
        }
        found
    }

    /// Assignments in order; names that are no states become named quantities where `local` allows it.
    pub(super) fn assign(&mut self, statements: &[Statement], values: &mut [Id], local: bool) {
        for (k, s) in statements.iter().enumerate() {
            let name = s.target.as_str();
            let is_state = self.model.states.iter().any(|x| x.name == name);
            let bad = s.kind == Kind::Derivative || (!is_state && local && (s.kind != Kind::Assign || self.model.knows(name)));
            if bad {
                let fault = Fault::new(format!("`{}` cannot stand here", s.text), s.span.clone());
                self.fault(&s.spot, fault.help("`X = ...`, or `X += ...` for a state variable; a name that is taken cannot be given anew"));
            } else if local && !is_state && !statements[k + 1..].iter().any(|later| later.mentions(name)) {
                self.unused(s);
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

    /// A name that nothing uses is a slip of the pen.
    fn unused(&mut self, s: &Statement) {
        let states = self.model.states.iter().map(|x| x.name.as_str());
        let help = did_you_mean(&s.target, states).or(Some("a state variable has its initial value under `state`".into()));
        let message = format!("`{}` is no state variable, and nothing below uses it", s.target);
        self.fault(&s.spot, Fault { help, ..Fault::new(message, s.span.clone()) });
    }

    /// dx/dt of each state; a state without an equation stays as it is.
    pub(super) fn derivatives(&mut self) -> Vec<Id> {
        let (rates, others): (Vec<&Statement>, Vec<&Statement>) = self.model.statements.iter().partition(|s| s.kind == Kind::Derivative);
        let states = self.states.clone();
        let outside = self.names.clone();
        self.locals.clear();
        self.name_noises();
        for s in others {
            if s.kind != Kind::Assign || self.model.knows(&s.target) || self.model.states.iter().any(|x| x.name == s.target) {
                let fault = Fault::new(format!("`{}` cannot stand among equations", s.text), s.span.clone());
                self.fault(&s.spot, fault.help("`dX/dt = ...` for a state variable, `X = ...` for a new name"));
                continue;
            }
            let new = self.value(&s.expr, &s.spot, None, &s.target);
            self.names.now.insert(s.target.clone(), new);
            self.locals.push((s.target.clone(), new.0, new.1));
        }
        let zero = self.graph.number(0.0);
        let mut out: Vec<Option<Id>> = vec![None; states.len()];
        for s in rates {
            let Some(i) = self.state(s) else { continue };
            if out[i].is_some() {
                let fault = Fault::new(format!("`{}` has two equations", s.target), s.span.clone());
                self.fault(&s.spot, fault.help("write one equation for each variable"));
            }
            let due = self.model.states[i].dimension.over(TIME);
            out[i] = Some(self.value(&s.expr, &s.spot, Some(due), &format!("d{}/dt", s.target)).0);
        }
        self.names = outside;
        out.into_iter().map(|f| f.unwrap_or(zero)).collect()
    }

    /// Every `xi` and `xi_NAME` of the equations is one white noise, of its own in every neuron.
    fn name_noises(&mut self) {
        for s in &self.model.statements {
            s.expr.names(&mut |name| {
                if (name == "xi" || name.starts_with("xi_")) && !self.xis.iter().any(|x| x == name) && !self.names.now.contains_key(name) {
                    self.xis.push(name.to_string());
                }
            });
        }
        for (k, name) in self.xis.iter().enumerate() {
            self.names.now.insert(name.clone(), (self.graph.leaf(Node::Xi(k)), noise::DIMENSION));
        }
    }
}

impl Model {
    /// Whether a name is taken by something that is no state.
    fn knows(&self, name: &str) -> bool {
        let parameter = self.parameters.iter().any(|p| p.name == name);
        let receptor = self.receptors.iter().any(|r| r.action.is_none() && r.name == name);
        name == "dt" || parameter || receptor || self.inputs.iter().any(|i| i.name == name)
    }
}
