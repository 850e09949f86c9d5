//! Traces between spikes in closed form, and what a spike makes of them: a synapse model becomes a program that is run at spikes
//! alone. Knows no network and no device.

use super::Model;
use super::builder::Builder;
use super::compile::{Compiled, Made};
use super::emit::Stage;
use super::graph::{Id, Node};
use super::program::{Binary, Unary};
use super::typed::Fault;
use super::watch::{READS, Read};
use crate::base::problem::Problem;

/// What a spike of one side of a synapse does. States are the traces of that side, the factor, the traces of the other side, what
/// the synapse keeps, the traces of the modulator, the weight; inputs are the steps since the last spike of that side, of the
/// other, and of the modulator, then what is read of the target. What the synapse keeps, and the weight, are as they are when the
/// spike comes. A step of the target at which the model's condition holds is like one of its spikes.
#[derive(Clone, Debug)]
pub struct Effect {
    /// What becomes of the side's own traces and of the factor: states beyond these are left out, and inputs beyond the first, but
    /// of a target what is read of it.
    pub own: Compiled,
    /// What becomes of the weight, and of what the synapse keeps.
    pub weight: Compiled,
}

/// The traces of both sides, as a model whose `reset` is what a spike of its own side does.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub model: Model,
    /// Traces of its own.
    pub own: usize,
    /// What the synapse keeps, and traces of the modulator: just before the weight.
    pub kept: usize,
    pub modulator: usize,
    /// `source`, `target` or `modulator`.
    pub of: &'static str,
    /// The key of what its spikes do.
    pub block: &'static str,
    /// What is read of the target.
    pub reads: Vec<Read>,
}

impl Side {
    /// The programs of a spike, for steps of `dt` ms.
    pub fn compile(&self, dt: f64) -> Result<Effect, Vec<Problem>> {
        let model = &self.model;
        let mut builder = Builder::new(model, dt);
        builder.names.random = false;
        if self.of != "modulator" {
            builder.read(&self.reads);
        }
        let (factor, weight) = (self.own, model.states.len() - 1);
        let (synapse, modulator) = (weight - self.modulator - self.kept, weight - self.modulator);
        let before = builder.decayed(dt, |i| match i {
            _ if i <= factor => Some(0),
            _ if i < synapse => Some(1),
            _ if i < modulator || i == weight => None,
            _ => Some(2),
        });
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
        let mut changed: Vec<(usize, Id)> = (synapse..modulator).map(|i| (i, values[i])).collect();
        changed.push((weight, kept));
        let read = if self.reads.is_empty() { 0 } else { READS + self.reads.len() };
        let inputs = if self.modulator > 0 { 3 } else { 2 };
        let own_inputs = if self.of == "target" { read.max(1) } else { 1 };
        Ok(Effect { own: compiled(own, factor + 1, own_inputs), weight: compiled(changed, weight + 1, read.max(inputs)) })
    }

    /// A spike changes the traces of its own side, which know nothing of the other side and of the weight.
    fn check(&self, builder: &mut Builder, before: &[Id], values: &[Id]) {
        let (factor, weight) = (self.own, self.model.states.len() - 1);
        let other = if self.of == "source" { "target" } else { "source" };
        let synapse = weight - self.modulator - self.kept..weight - self.modulator;
        let reads = self.of != "target";
        let foreign = |n: &Node| match n {
            Node::State(i) => *i > factor,
            Node::Input(i) => *i == 1 || *i == 2 || (reads && *i >= READS),
            _ => false,
        };
        for (i, (old, new)) in before.iter().zip(values).enumerate() {
            let name = &self.model.states[i].name;
            let wrong = if i < factor && builder.graph.mentions(*new, foreign) {
                format!(
                    "`{name}` is of the {}, one for all its synapses, and cannot follow the {other}, the synapse or the weight",
                    self.of
                )
            } else if i == factor && builder.graph.mentions(*new, foreign) {
                "`factor` is one for all synapses of the source, and cannot follow the target or the weight".into()
            } else if i == factor && self.of != "source" && old != new {
                "`factor` is what a spike of the source brings: it belongs into `on_pre`".into()
            } else if i > factor && old != new && self.of == "modulator" {
                format!("`{name}` is not of the modulator, and `on_modulator` changes its traces alone")
            } else if synapse.contains(&i) || i == weight {
                continue;
            } else if i > factor && old != new {
                let of = if i < synapse.start { other } else { "modulator" };
                format!("`{name}` is a trace of the {of}, and `{}` is of the {}", self.block, self.of)
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
    /// The states a number of steps after they were set, by the input that holds it; those without one stay.
    pub(super) fn decayed(&mut self, dt: f64, input: impl Fn(usize) -> Option<usize>) -> Vec<Id> {
        let slopes = self.derivatives();
        let present = self.states.clone();
        let mut out = Vec::with_capacity(present.len());
        for (i, (slope, x)) in slopes.into_iter().zip(present).enumerate() {
            let law = input(i).and_then(|input| Some((self.graph.leaf(Node::Input(input)), self.law(i, slope)?)));
            out.push(law.map_or(x, |(steps, law)| self.later(dt, x, law, steps)));
        }
        out
    }

    /// The rate a and the rest r of dx/dt = a x + r.
    pub(super) fn law(&mut self, state: usize, slope: Id) -> Option<[Id; 2]> {
        let graph = &mut self.graph;
        let x = self.states[state];
        let linear = graph.linear(slope, &[x]).filter(|(a, rest)| graph.fixed[a[0]] && graph.fixed[*rest]);
        if linear.is_none() {
            self.not_linear(state);
        }
        linear.map(|(a, rest)| [a[0], rest])
    }

    /// x -> (x - q) exp(a dt steps) + q, where q = -r/a.
    pub(super) fn later(&mut self, dt: f64, x: Id, [a, rest]: [Id; 2], steps: Id) -> Id {
        let (h, zero) = (self.graph.number(dt), self.graph.number(0.0));
        let graph = &mut self.graph;
        if a == zero {
            let change = graph.mul(h, rest);
            let moved = graph.mul(change, steps);
            return graph.add(x, moved);
        }
        let inverse = graph.unary(Unary::Recip, a);
        let level = graph.mul(rest, inverse);
        let rate = graph.mul(h, a);
        let power = graph.mul(rate, steps);
        let decay = graph.unary(Unary::Exp, power);
        // The level is -q.
        let away = graph.add(x, level);
        let left = graph.mul(away, decay);
        graph.binary(Binary::Sub, left, level)
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
