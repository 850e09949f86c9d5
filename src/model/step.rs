//! The law of a step, as in NEST: integrate, add what arrives, test the threshold, reset. Knows no text and no device.

use super::builder::Builder;
use super::emit::Block;
use super::graph::{Id, Node};
use super::integrate::System;
use super::program::{Binary, Unary};
use super::typed::{self, Fault, Names};
use crate::base::problem::Problem;
use crate::base::units::{NUMBER, TIME};

impl Builder<'_> {
    /// The blocks of a step, and the name of the method.
    pub(super) fn step(&mut self, dt: f64) -> (Vec<Block>, String) {
        let model = self.model;
        let (values, method) = self.integrate(dt);
        let substeps = if method == "rk4" { model.substeps } else { 1 };
        if (model.each_substep || model.substeps > 1) && method != "rk4" {
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
            let outside = self.names.clone();
            self.assign(&model.statements, &mut values, true);
            self.names = outside;
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
            let why = if method == "exact" {
                "linear with constant coefficients, in at most 32 variables"
            } else {
                "linear each in its own variable"
            };
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
