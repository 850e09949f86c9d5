//! Traces between spikes in closed form, and what a spike makes of them: a synapse model becomes a program that is run at spikes
//! alone. Knows no network and no device.

use super::Model;
use super::builder::Builder;
use super::compile::{Compiled, Made};
use super::emit::Stage;
use super::graph::{Id, Node};
use super::program::Unary;
use super::typed::Fault;
use crate::base::problem::Problem;

/// The program of a spike, for steps of `dt` ms: its states are the traces as the neuron's last spike left them, its only input
/// is the number of steps since then, and it leaves the traces as this spike does.
pub(super) fn compile(model: &Model, dt: f64) -> Result<Compiled, Vec<Problem>> {
    let mut builder = Builder::new(model, dt);
    builder.names.random = false;
    let mut values = builder.decayed(dt);
    builder.set(&values);
    builder.assign(&model.reset, &mut values, true);
    let Builder { graph, problems, .. } = builder;
    if !problems.is_empty() {
        return Err(problems);
    }
    let stages = [Stage::Set { sets: values.into_iter().enumerate().collect(), spike: None }];
    let states = model.states.iter().map(|s| s.name.clone()).collect();
    let made = Made { method: "closed form".into(), period: None, hidden: 0, inputs: 1, update: describe(model) };
    Ok(model.compiled(graph, &stages, states, made))
}

impl Builder<'_> {
    /// The states a number of steps (input 0) after they were set: x -> (x - q) exp(a dt steps) + q for dx/dt = a (x - q).
    fn decayed(&mut self, dt: f64) -> Vec<Id> {
        let slopes = self.derivatives();
        let present = self.states.clone();
        let steps = self.graph.leaf(Node::Input(0));
        let (h, zero) = (self.graph.number(dt), self.graph.number(0.0));
        let mut out = Vec::with_capacity(present.len());
        for (i, (slope, x)) in slopes.into_iter().zip(present).enumerate() {
            let graph = &mut self.graph;
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
                graph.binary(super::program::Binary::Sub, left, level)
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

/// What is really run, in order, to be read by people.
fn describe(model: &Model) -> String {
    let lines = |of: &[super::statement::Statement]| of.iter().map(|s| format!("   {}\n", s.text)).collect::<String>();
    format!(
        "at every spike of the source, for all synapses at once:\n1. in closed form over the time since its last spike\n{}2. these \
         assignments, in order\n{}3. each synapse delivers round(weight*factor) quanta; the factor is cut to 0..1, in units of 2^-31\n",
        lines(&model.statements),
        lines(&model.reset)
    )
}
