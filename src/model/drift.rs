//! What becomes of a weight between two events of its synapse, in closed form. Knows no network and no device.
//!
//! The law: dw/dt = Q or dw/dt = w P, where Q and P are sums of products of traces, each trace at most once in a product. Every
//! trace is q + (x - q) exp(a t), so that a product is a sum of exponentials, and its integral over T is T exprel(R T) for each of
//! them, R the sum of the rates.

use super::Model;
use super::builder::Builder;
use super::compile::{Compiled, Made};
use super::emit::Stage;
use super::graph::{Id, Node};
use super::program::{Binary, Unary};
use super::typed::Fault;
use crate::base::problem::Problem;

/// More factors of a product than these are refused: each doubles its exponentials.
const FACTORS: usize = 3;

/// A synapse between its events. States are the traces of the source, of the target, what the synapse keeps, the traces of the
/// modulator, and the weight; inputs are the steps to be gone, and those since the last spikes of source, target and modulator when
/// they begin.
#[derive(Clone, Debug)]
pub(super) struct Drift {
    pub model: Model,
    /// States of each kind: source, target, synapse, modulator.
    pub counts: [usize; 4],
}

/// Whether a trace grows evenly, without an end.
fn ramps(law: Option<[Id; 2]>, zero: Id) -> bool {
    law.is_some_and(|[a, rest]| a == zero && rest != zero)
}

/// A product of traces with its factor.
type Term = (Vec<usize>, Id);

impl Drift {
    fn weight(&self) -> usize {
        self.model.states.len() - 1
    }

    /// Source, target, synapse or modulator.
    fn kind(&self, state: usize) -> usize {
        let ends = self.counts.iter().scan(0, |end, n| {
            *end += n;
            Some(*end)
        });
        ends.take_while(|end| *end <= state).count()
    }

    /// What becomes of the weight, and of what the synapse keeps.
    pub fn compile(&self, dt: f64) -> Result<Compiled, Vec<Problem>> {
        let (model, weight) = (&self.model, self.weight());
        let mut builder = Builder::new(model, dt);
        builder.names.random = false;
        let start = builder.decayed(dt, |i| [Some(1), Some(2), None, Some(3), None][if i == weight { 4 } else { self.kind(i) }]);
        let slopes = builder.derivatives();
        let steps = builder.graph.leaf(Node::Input(0));
        let laws: Vec<Option<[Id; 2]>> = (0..weight).map(|i| builder.law(i, slopes[i])).collect();
        let mut sets = Vec::new();
        for i in (0..weight).filter(|i| self.kind(*i) == 2) {
            if let Some(law) = laws[i] {
                sets.push((i, builder.later(dt, start[i], law, steps)));
            }
        }
        let new = match self.terms(&mut builder, slopes[weight], &laws) {
            Some(parts) => Some(self.moved(&mut builder, dt, &start, &laws, parts)),
            None => {
                self.refused(&mut builder);
                None
            }
        };
        let Builder { graph, problems, .. } = builder;
        if !problems.is_empty() {
            return Err(problems);
        }
        sets.extend(new.map(|w| (weight, w)));
        let names = model.states.iter().map(|s| s.name.clone()).collect();
        let made = Made { method: "closed form".into(), period: None, hidden: 0, inputs: 4, update: String::new() };
        Ok(model.compiled(graph, &[Stage::Set { sets, spike: None }], names, made))
    }

    /// The products of which w P and Q are made; one of the two is empty.
    fn terms(&self, builder: &mut Builder, slope: Id, laws: &[Option<[Id; 2]>]) -> Option<[Vec<Term>; 2]> {
        let weight = self.weight();
        let zero = builder.graph.number(0.0);
        let (p, q) = builder.graph.linear(slope, &[builder.states[weight]])?;
        if p[0] != zero && q != zero {
            return None;
        }
        let mut out = [vec![(Vec::new(), p[0])], vec![(Vec::new(), q)]];
        for terms in &mut out {
            for i in 0..weight {
                let leaf = builder.states[i];
                let mut next = Vec::new();
                for (of, factor) in terms.drain(..) {
                    let (with, without) = builder.graph.linear(factor, &[leaf])?;
                    let more = of.iter().copied().chain([i]).collect();
                    next.extend([(more, with[0]), (of, without)].into_iter().filter(|t: &Term| t.1 != zero));
                }
                *terms = next;
            }
            if terms.iter().any(|t| !builder.graph.fixed[t.1] || t.0.len() > FACTORS || t.0.iter().any(|i| ramps(laws[*i], zero))) {
                return None;
            }
        }
        Some(out)
    }

    /// The weight some steps later.
    fn moved(&self, builder: &mut Builder, dt: f64, start: &[Id], laws: &[Option<[Id; 2]>], [p, q]: [Vec<Term>; 2]) -> Id {
        let weight = start[self.weight()];
        let power = self.integral(builder, dt, start, laws, &p);
        let growth = builder.graph.unary(Unary::Exp, power);
        let grown = builder.graph.mul(weight, growth);
        let change = self.integral(builder, dt, start, laws, &q);
        let graph = &mut builder.graph;
        let (zero, one) = (graph.number(0.0), graph.number(1.0));
        let moved = graph.add(grown, change);
        let raised = graph.binary(Binary::Max, moved, zero);
        graph.binary(Binary::Min, raised, one)
    }

    fn integral(&self, builder: &mut Builder, dt: f64, start: &[Id], laws: &[Option<[Id; 2]>], terms: &[Term]) -> Id {
        let graph = &mut builder.graph;
        let (zero, steps, h) = (graph.number(0.0), graph.leaf(Node::Input(0)), graph.number(dt));
        let time = graph.mul(h, steps);
        let mut sum = zero;
        for (of, factor) in terms {
            // Sums of exponentials: amplitudes and rates.
            let mut waves = vec![(*factor, zero)];
            for i in of {
                let Some([a, rest]) = laws[*i] else { continue };
                let inverse = if a == zero { zero } else { graph.unary(Unary::Recip, a) };
                // The level is -q.
                let level = graph.mul(rest, inverse);
                let away = graph.add(start[*i], level);
                let still = graph.unary(Unary::Neg, level);
                let mut next = Vec::new();
                for (size, rate) in waves {
                    let rate_with = graph.add(rate, a);
                    next.push((graph.mul(size, away), rate_with));
                    next.push((graph.mul(size, still), rate));
                }
                waves = next.into_iter().filter(|w| w.0 != zero).collect();
            }
            for (size, rate) in waves {
                let whole = graph.mul(rate, h);
                let power = graph.mul(whole, steps);
                let mean = graph.unary(Unary::Exprel, power);
                let area = graph.mul(time, mean);
                let part = graph.mul(size, area);
                sum = graph.add(sum, part);
            }
        }
        sum
    }

    fn refused(&self, builder: &mut Builder) {
        let weight = &self.model.states[self.weight()].name;
        let fault = format!("the change of `{weight}` in time has no closed form here");
        let help =
            "write a sum of products of traces, each once in a product (dw/dt = c*n), or w times such a sum (dw/dt = w*(goal - a)/tau)";
        match self.model.statements.iter().find(|s| s.target == *weight).cloned() {
            Some(s) => builder.fault(&s.spot, Fault::new(fault, s.span.clone()).help(help)),
            None => builder.problems.push(Problem::new(fault).help(help)),
        }
    }
}
