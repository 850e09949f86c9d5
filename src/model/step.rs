//! The law of a step, as in NEST: integrate, add what arrives, test the threshold, reset. Knows no text and no device.

use super::builder::Builder;
use super::emit::Stage;
use super::expr::Expr;
use super::graph::{Id, Node};
use super::integrate::System;
use super::noise::Noise;
use super::program::{Binary, Unary};
use super::statement::{Spot, Statement};
use super::typed::{self, Fault, Names};
use crate::base::problem::Problem;
use crate::base::units::{NUMBER, TIME};

/// A substep in which the threshold is crossed is run again in so many finer ones: the reset falls where it belongs.
pub const FINER: u32 = 16;
/// The remembered value that says in which neurons that is so.
const CROSSED: usize = 0;

impl Builder<'_> {
    /// The stages of a step, and the name of the method.
    pub(super) fn step(&mut self, dt: f64) -> (Vec<Stage>, String) {
        let model = self.model;
        let substeps = model.substeps(dt);
        let h = dt / f64::from(substeps);
        let (values, method) = self.integrate(dt, h);
        if substeps > 1 && matches!(method.as_str(), "exact" | "update") {
            self.problems
                .push(Problem::new(format!("substeps are of rk4, euler and exponential_euler, and `{}` runs {method}", model.name)));
        }
        let present = self.states.clone();
        if model.each_substep {
            let mut inner = self.substep(&values, &method, h);
            if substeps > 1 {
                inner = vec![Stage::Repeat(substeps, inner)];
            }
            let mut sets: Vec<(usize, Id)> = self.receive(present).into_iter().enumerate().collect();
            if model.period.is_some() {
                sets.push((self.states.len(), self.count_down()));
            }
            let (mut begun, zero) = (Vec::new(), self.graph.number(0.0));
            for (k, state) in self.ahead.clone().into_iter().enumerate() {
                let risen = self.graph.leaf(Node::State(model.ahead(k)));
                begun.push((model.ahead(k), zero));
                sets.extend([(model.ahead(k), self.half_a_step_ahead(k, sets[state].1, risen)), (model.ahead(k) + 1, risen)]);
            }
            inner.insert(0, Stage::Set { sets: begun, spike: None });
            inner.push(Stage::Set { sets, spike: None });
            return (inner, method);
        }
        if substeps == 1 {
            let received = self.receive(values.clone());
            return (vec![self.events(received, [&present, &values], dt, false)], method);
        }
        let inner = vec![Stage::Set { sets: values.into_iter().enumerate().collect(), spike: None }];
        let before: Vec<Id> = (0..present.len()).map(|i| self.graph.leaf(Node::Start(i))).collect();
        let received = self.receive(present.clone());
        (vec![Stage::Repeat(substeps, inner), self.events(received, [&before, &present], dt, false)], method)
    }

    /// One substep with its test. Without randomness, the one in which the threshold is crossed is run again in finer ones.
    fn substep(&mut self, values: &[Id], method: &str, h: f64) -> Vec<Stage> {
        let present = self.states.clone();
        let coarse = self.events(values.to_vec(), [&present, values], h, true);
        let Stage::Set { spike: Some(crossed), sets } = &coarse else { return vec![coarse] };
        let crossed = *crossed;
        let drawn = |id: &Id| self.graph.mentions(*id, |n| matches!(n, Node::Normal(_) | Node::Uniform(_)));
        if method != "rk4" || !self.problems.is_empty() || sets.iter().map(|s| &s.1).chain([&crossed]).any(drawn) {
            return vec![coarse];
        }
        let (zero, held) = (self.graph.number(0.0), self.graph.leaf(Node::Held(CROSSED)));
        let roots: Vec<Id> = sets.iter().map(|s| s.1).collect();
        let elsewhere = self.graph.replace(&roots, &[(crossed, zero)].into());
        let numbers: Vec<usize> = sets.iter().map(|s| s.0).collect();
        let sets = self.masked(held, numbers.into_iter().zip(elsewhere), true);
        let (finer, _) = self.integrate(h, h / f64::from(FINER));
        let finer_step = self.events(finer.clone(), [&present, &finer], h / f64::from(FINER), true);
        let Stage::Set { sets: within, spike } = finer_step else { return vec![coarse] };
        let within = self.masked(held, within.into_iter(), false);
        let spike = spike.map(|s| self.graph.binary(Binary::And, held, s));
        let again = Stage::Repeat(FINER, vec![Stage::Set { sets: within, spike }]);
        vec![Stage::Hold(CROSSED, crossed), Stage::Set { sets, spike: None }, Stage::When(CROSSED, vec![again])]
    }

    /// Values taken only where `held` is, or only where it is `not`.
    fn masked(&mut self, held: Id, sets: impl Iterator<Item = (usize, Id)>, not: bool) -> Vec<(usize, Id)> {
        sets.map(|(i, value)| {
            let old = self.graph.leaf(Node::State(i));
            (i, if not { self.graph.select(held, old, value) } else { self.graph.select(held, value, old) })
        })
        .collect()
    }

    /// New values over `h` (over `dt` where no substeps are taken), and the method.
    fn integrate(&mut self, dt: f64, h: f64) -> (Vec<Id>, String) {
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
        let last = self.watched();
        let xis = self.xis.len();
        let noise = match Noise::new(&mut self.graph, derivatives, xis) {
            Ok(noise) => noise,
            Err(i) => {
                let message = format!("the equation of `{}` is not linear in its white noise", model.states[i].name);
                self.problems
                    .push(self.at_equation(i, Problem::new(message).help("write it as a sum of terms, each times at most one `xi`")));
                return (present, "euler".into());
            }
        };
        let noisy = !noise.is_empty();
        let clamped = (0..present.len()).map(|i| model.clamp.contains(&i)).collect();
        let system = System { noise, inputs: model.inputs.len(), clamped, active: self.active, last };
        let graph = &mut self.graph;
        let asked = model.method.as_deref();
        if matches!(asked, None | Some("exact"))
            && let Some(new) = system.exact(graph, dt)
        {
            return (new, "exact".into());
        }
        if matches!(asked, None | Some("exponential_euler"))
            && let Some(new) = system.exponential_euler(graph, h)
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
        if asked == Some("rk4") && noisy {
            let help = "use euler, with substeps where it needs them";
            self.problems.push(Problem::new(format!("method `rk4` knows no white noise, and `{}` has some", model.name)).help(help));
        }
        if asked == Some("euler") || noisy { (system.euler(graph, h), "euler".into()) } else { (system.rk4(graph, h), "rk4".into()) }
    }

    /// A problem at the equation of a state.
    fn at_equation(&self, state: usize, problem: Problem) -> Problem {
        let found = self.model.statements.iter().find(|s| s.target == self.model.states[state].name);
        found.map_or(problem.clone(), |s| {
            let placed = s.spot.problem(&self.model.source, Fault::new("", s.span.clone()));
            Problem { message: problem.message, help: problem.help, ..placed }
        })
    }

    /// Which states the threshold looks at.
    fn watched(&mut self) -> Vec<bool> {
        let none = vec![false; self.states.len()];
        let Some((expr, _)) = &self.model.threshold else { return none };
        let names = Names { before: Some(self.names.now.clone()), span: Some(1.0), ..self.names.clone() };
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

    /// A condition over values that were `before` until now, tested every `span` ms.
    fn condition(&mut self, condition: &(Expr, Spot), before: &[Id], values: &[Id], span: f64) -> Id {
        self.set(before);
        let old = self.names.now.clone();
        self.set(values);
        (self.names.before, self.names.span) = (Some(old), Some(span));
        let (id, _) = self.value(&condition.0, &condition.1, Some(NUMBER), "a condition");
        (self.names.before, self.names.span) = (None, None);
        id
    }

    /// What a block of assignments makes of the values where the condition holds.
    fn act(&mut self, condition: Id, action: &[Statement], before: &[Id], values: &mut [Id]) {
        self.set(before);
        let old = self.names.now.clone();
        self.set(values);
        let outside = self.names.clone();
        self.names.before = Some(old);
        let mut after = values.to_vec();
        self.assign(action, &mut after, true);
        self.names = outside;
        for (value, new) in values.iter_mut().zip(after) {
            *value = self.graph.select(condition, new, *value);
        }
    }

    /// The events of the model, in order, after the threshold and its reset.
    fn named_events(&mut self, values: &mut [Id], before: &[Id], span: f64) {
        for event in &self.model.events {
            let condition = self.condition(&event.condition, before, values, span);
            self.act(condition, &event.action, before, values);
        }
    }

    /// Threshold, reset, refractory time, then the events; `inside` a step when tested after every substep. The states were `before`, and
    /// `integrated` until inputs arrived.
    fn events(&mut self, mut values: Vec<Id>, [before, integrated]: [&[Id]; 2], span: f64, inside: bool) -> Stage {
        let (model, arrived) = (self.model, values.clone());
        let condition = model.threshold.as_ref().map(|threshold| self.condition(threshold, before, &values, span));
        let spike = condition.map(|c| self.graph.binary(Binary::And, c, self.active));
        if let Some(spike) = spike {
            self.act(spike, &model.reset, before, &mut values);
        }
        self.named_events(&mut values, before, span);
        let present = self.states.clone();
        self.set(&present);
        let mut sets: Vec<(usize, Id)> = values.iter().copied().enumerate().collect();
        for (k, i) in self.ahead.clone().into_iter().enumerate() {
            let risen = self.graph.binary(Binary::Sub, integrated[i], before[i]);
            let (undisturbed, zero) = (self.graph.binary(Binary::Equal, values[i], arrived[i]), self.graph.number(0.0));
            if inside {
                // What it rises by in all, until the end of the step.
                let so_far = self.graph.leaf(Node::State(model.ahead(k)));
                let sum = self.graph.add(so_far, risen);
                sets.push((model.ahead(k), self.graph.select(undisturbed, sum, zero)));
            } else {
                let expected = self.half_a_step_ahead(k, values[i], risen);
                sets.push((model.ahead(k), self.graph.select(undisturbed, expected, values[i])));
                sets.push((model.ahead(k) + 1, self.graph.select(undisturbed, risen, zero)));
            }
        }
        if let Some(steps) = self.refractory_steps(inside) {
            let zero = self.graph.number(0.0);
            let go_on = if inside { self.graph.leaf(Node::State(model.states.len())) } else { self.count_down() };
            let left = self.graph.select(spike.unwrap_or(zero), steps, go_on);
            sets.push((model.states.len(), left));
        }
        Stage::Set { sets, spike }
    }

    /// What a value that has risen so much in a step is expected to be half a step later. How much it rose in the step before is not
    /// known where that is 0: it was set then, or held.
    fn half_a_step_ahead(&mut self, k: usize, value: Id, risen: Id) -> Id {
        let [rise, bend] = [0, 1].map(|n| self.graph.leaf(Node::Parameter(self.model.parameters.len() + n)));
        let (zero, last) = (self.graph.number(0.0), self.graph.leaf(Node::State(self.model.ahead(k) + 1)));
        let (unknown, bent) = (self.graph.binary(Binary::Equal, last, zero), self.graph.binary(Binary::Sub, risen, last));
        let bent = self.graph.select(unknown, zero, bent);
        let (straight, bent) = (self.graph.mul(rise, risen), self.graph.mul(bend, bent));
        let more = self.graph.add(straight, bent);
        self.graph.add(value, more)
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
        self.period = Some(period);
        if !self.graph.fixed[period] {
            self.fault(spot, Fault::new("a refractory period is made of parameters", expr.span.clone()));
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
