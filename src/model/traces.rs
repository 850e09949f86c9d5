//! Traces between spikes in closed form, and what a spike makes of them: a synapse model becomes a program that is run at spikes
//! alone. Knows no network and no device.

use super::Model;
use super::builder::Builder;
use super::compile::{Compiled, Made};
use super::emit::Stage;
use super::graph::{Id, Node};
use super::program::{Binary, Unary};
use super::typed::Fault;
use crate::base::problem::Problem;

/// What a spike of one side of a synapse does. States are the traces of that side, the factor, the traces of the other side, the
/// weight; inputs are the steps since the last spike of that side, and of the other.
#[derive(Clone, Debug)]
pub struct Effect {
    /// What becomes of the side's own traces and of the factor: states and input beyond these are left out.
    pub own: Compiled,
    /// What becomes of the weight.
    pub weight: Compiled,
}

/// The traces of both sides, as a model whose `reset` is what a spike of its own side does.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub model: Model,
    /// Traces of its own.
    pub own: usize,
    /// `source` or `target`.
    pub of: &'static str,
}

impl Side {
    /// The programs of a spike, for steps of `dt` ms.
    pub fn compile(&self, dt: f64) -> Result<Effect, Vec<Problem>> {
        let model = &self.model;
        let mut builder = Builder::new(model, dt);
        builder.names.random = false;
        let (factor, weight) = (self.own, model.states.len() - 1);
        let before = builder.decayed(dt, factor + 1..weight);
        builder.set(&before);
        let mut values = before.clone();
        builder.assign(&model.reset, &mut values, true);
        self.check(&mut builder, &before, &values);
        let (zero, one) = (builder.graph.number(0.0), builder.graph.number(1.0));
        let raised = builder.graph.binary(Binary::Max, values[weight], zero);
        let kept = builder.graph.binary(Binary::Min, raised, one);
        let Builder { graph, problems, .. } = builder;
        if !problems.is_empty() {
            return Err(problems);
        }
        let names = |count: usize| model.states[..count].iter().map(|s| s.name.clone()).collect::<Vec<_>>();
        let compiled = |sets: Vec<(usize, Id)>, states: usize, inputs: usize| {
            let made = Made { method: "closed form".into(), period: None, hidden: 0, inputs, update: String::new() };
            model.compiled(graph.clone(), &[Stage::Set { sets, spike: None }], names(states), made)
        };
        let kept = if values[weight] == before[weight] { values[weight] } else { kept };
        let own = values[..=factor].iter().copied().enumerate().collect();
        Ok(Effect { own: compiled(own, factor + 1, 1), weight: compiled(vec![(weight, kept)], weight + 1, 2) })
    }

    /// A spike changes the traces of its own side, which know nothing of the other side and of the weight.
    fn check(&self, builder: &mut Builder, before: &[Id], values: &[Id]) {
        let (factor, weight) = (self.own, self.model.states.len() - 1);
        let other = if self.of == "source" { "target" } else { "source" };
        let block = if self.of == "source" { "on_pre" } else { "on_post" };
        let foreign = |n: &Node| matches!(n, Node::State(i) if *i > factor) || *n == Node::Input(1);
        for (i, (old, new)) in before.iter().zip(values).enumerate() {
            let name = &self.model.states[i].name;
            let wrong = if i < factor && builder.graph.mentions(*new, foreign) {
                format!("`{name}` is of the {}, one for all its synapses, and cannot follow the {other} or the weight", self.of)
            } else if i == factor && builder.graph.mentions(*new, foreign) {
                "`factor` is one for all synapses of the source, and cannot follow the target or the weight".into()
            } else if i == factor && self.of == "target" && old != new {
                "`factor` is what a spike of the source brings: it belongs into `on_pre`".into()
            } else if i > factor && i < weight && old != new {
                format!("`{name}` is a trace of the {other}, and `{block}` is of the {}", self.of)
            } else {
                continue;
            };
            let statement = self.model.reset.iter().find(|s| s.target == *name).cloned();
            match statement {
                Some(s) => builder.fault(&s.spot, Fault::new(wrong, s.span)),
                None => builder.problems.push(Problem::new(wrong)),
            }
        }
    }
}

impl Builder<'_> {
    /// The states a number of steps (input 1 for the `others`, else 0) after they were set: x -> (x - q) exp(a dt steps) + q for
    /// dx/dt = a (x - q).
    fn decayed(&mut self, dt: f64, others: std::ops::Range<usize>) -> Vec<Id> {
        let slopes = self.derivatives();
        let present = self.states.clone();
        let (h, zero) = (self.graph.number(dt), self.graph.number(0.0));
        let mut out = Vec::with_capacity(present.len());
        for (i, (slope, x)) in slopes.into_iter().zip(present).enumerate() {
            let graph = &mut self.graph;
            let steps = graph.leaf(Node::Input(usize::from(others.contains(&i))));
            let linear = graph.linear(slope, &[x]).filter(|(a, rest)| graph.fixed[a[0]] && graph.fixed[*rest]);
            let Some((a, rest)) = linear else {
                self.not_linear(i);
                out.push(x);
                continue;
            };
            out.push(if a[0] == zero {
                let change = graph.mul(h, rest);
                let moved = graph.mul(change, steps);
                graph.add(x, moved)
            } else {
                let inverse = graph.unary(Unary::Recip, a[0]);
                let level = graph.mul(rest, inverse);
                let rate = graph.mul(h, a[0]);
                let power = graph.mul(rate, steps);
                let decay = graph.unary(Unary::Exp, power);
                // The level is -q.
                let away = graph.add(x, level);
                let left = graph.mul(away, decay);
                graph.binary(Binary::Sub, left, level)
            });
        }
        out
    }

    fn not_linear(&mut self, state: usize) {
        let name = &self.model.states[state].name;
        let fault = format!("the equation of `{name}` is not linear in `{name}` alone, with constant coefficients");
        let help = "a trace decays by itself, as in `dx/dt = (1 - x)/tau`, so that nothing runs between two spikes";
        match self.model.statements.iter().find(|s| s.target == *name).cloned() {
            Some(s) => self.fault(&s.spot, Fault::new(fault, s.span).help(help)),
            None => self.problems.push(Problem::new(fault).help(help)),
        }
    }
}
