//! Traces of neurons, which change at their spikes alone: what a network asks for as numbers, and the simple way to run them.
//! Knows no synapse and no device.
//!
//! The laws, the same on every engine: at a spike of step k the program of the traces is run with the number of steps since the
//! neuron's last spike (the start of the run counts as one); what is stored is flushed; `factor` is cut to 0..1 and becomes a
//! whole number of 2^-31. A synapse then brings `scaled` of its weight: integers, so that sums depend on no order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lower::title;
use super::{Plan, ProjectionPlan, TracePlan};
use crate::base::math;
use crate::base::problem::Problem;
use crate::model::program::{Op, Program, Stmt};
use crate::network::Network;

/// The factor 1.
pub const UNCHANGED: u32 = 1 << 31;

/// The whole number of 2^-31 for a factor.
pub fn factor(x: f32) -> u32 {
    let high = if 1.0 < x { 1.0 } else { x };
    let cut = if 0.0 < high { high } else { 0.0 };
    (cut * 2_147_483_648.0) as u32
}

/// The weight times the factor, to the nearest whole quantum, halves away from zero. Weights are at most 2^30 quanta.
#[inline(always)]
pub fn scaled(weight: i32, factor: u32) -> i32 {
    let size = (u64::from(weight.unsigned_abs()) * u64::from(factor) + (1 << 30)) >> 31;
    if weight < 0 { -(size as i32) } else { size as i32 }
}

/// The traces that each projection uses, and all traces. An error names the projection.
pub(super) fn traces(network: &Network) -> Result<(Vec<Option<usize>>, Vec<TracePlan>), String> {
    let (mut used, mut out) = (Vec::new(), Vec::new());
    let mut known: BTreeMap<(usize, &str, Vec<u64>), usize> = BTreeMap::new();
    for p in &network.projections {
        let Some(changing) = &p.changing else {
            used.push(None);
            continue;
        };
        let key = (p.from.population, changing.name.as_str(), changing.parameters.iter().map(|x| x.to_bits()).collect());
        let place = match known.get(&key) {
            Some(place) => *place,
            None => {
                let wrong = |e: String| format!("projection {}: synapse {}: {e}", title(network, p), changing.name);
                let compiled = changing.model.compile(network.dt).map_err(|all| wrong(all.iter().map(Problem::render).collect()))?;
                let coefficients = compiled.coefficients(&changing.parameters).map_err(wrong)?;
                let states = changing.model.traces();
                out.push(TracePlan {
                    population: p.from.population,
                    name: format!("{} of {}", changing.name, title(network, p)),
                    states: states.iter().map(|s| s.name.clone()).collect(),
                    program: Arc::new(compiled.program),
                    coefficients: coefficients.iter().map(|x| *x as f32).collect(),
                    initial: (0..states.len()).map(|i| changing.model.initial(i, &changing.parameters) as f32).collect(),
                });
                known.insert(key, out.len() - 1);
                out.len() - 1
            }
        };
        used.push(Some(place));
    }
    Ok((used, out))
}

impl Plan {
    /// The traces of a population, by number.
    pub fn traces_of(&self, population: usize) -> impl Iterator<Item = (usize, &TracePlan)> {
        self.traces.iter().enumerate().filter(move |(_, t)| t.population == population)
    }

    /// The layer in which a projection's rows stand: 0 if nothing changes, else one more than the place of its traces among those of
    /// its source population.
    pub fn layer(&self, p: &ProjectionPlan) -> usize {
        p.traces.map_or(0, |n| 1 + self.traces_of(p.source).take_while(|(k, _)| *k < n).count())
    }
}

/// The traces of one population at a step, apart from any engine.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Traced {
    /// By trace, then neuron: as the neuron's last spike left them.
    pub values: Vec<Vec<f32>>,
    /// The step of each neuron's last spike; 0 before the first.
    pub last: Vec<u32>,
}

/// All traces of a network, in the memory of the host.
pub struct Traces {
    all: Vec<Traced>,
    registers: Vec<f32>,
    states: Vec<f32>,
}

impl Traces {
    pub fn new(plan: &Plan) -> Self {
        let traced = |t: &TracePlan| {
            let size = plan.populations[t.population].size as usize;
            Traced { values: t.initial.iter().map(|x| vec![*x; size]).collect(), last: vec![0; size] }
        };
        Self { all: plan.traces.iter().map(traced).collect(), registers: Vec::new(), states: Vec::new() }
    }

    pub fn save(&self) -> Vec<Traced> {
        self.all.clone()
    }

    pub fn restore(&mut self, traces: &[Traced]) {
        self.all = traces.to_vec();
    }

    /// A neuron of the traces' population has spiked: what its synapses are multiplied by.
    pub fn spike(&mut self, t: &TracePlan, number: usize, neuron: u32, step: u32) -> u32 {
        let (traced, i) = (&mut self.all[number], neuron as usize);
        self.states.clear();
        self.states.extend(traced.values.iter().map(|v| v[i]));
        self.states.push(1.0);
        run(&t.program, &t.coefficients, (step - traced.last[i]) as f32, &mut self.states, &mut self.registers);
        traced.values.iter_mut().zip(&self.states).for_each(|(v, x)| v[i] = math::flush(*x));
        traced.last[i] = step;
        factor(self.states[traced.values.len()])
    }

    /// The first trace that is infinite or no number.
    pub fn not_finite(&self, plan: &Plan) -> Option<String> {
        not_finite(&self.all, plan)
    }
}

/// The first trace that is infinite or no number.
pub fn not_finite(all: &[Traced], plan: &Plan) -> Option<String> {
    all.iter().zip(&plan.traces).find_map(|(traced, t)| {
        let (v, i) = traced.values.iter().enumerate().find_map(|(v, x)| Some((v, x.iter().position(|x| !x.is_finite())?)))?;
        let (population, trace) = (&plan.populations[t.population].name, &t.states[v]);
        Some(format!("the trace {trace} of {population}[{i}] ({}) is no finite number: its rule grows without bound", t.name))
    })
}

/// Runs a straight program of states and one input.
fn run(program: &Program, coefficients: &[f32], input: f32, states: &mut [f32], registers: &mut Vec<f32>) {
    registers.resize(program.registers as usize, 0.0);
    for stmt in &program.body {
        match stmt {
            Stmt::Let(to, op) => {
                let at = |r: u32| registers[r as usize];
                registers[*to as usize] = match *op {
                    Op::Const(x) => x,
                    Op::Coefficient(c) => coefficients[c as usize],
                    Op::State(s) => states[s as usize],
                    Op::Unary(op, a) => op.of(at(a)),
                    Op::Binary(op, a, b) => op.of(at(a), at(b)),
                    Op::Select(c, a, b) => at(if at(c) != 0.0 { a } else { b }),
                    // A synapse model has one input and no more.
                    Op::Input(_) | Op::Receptor(_) | Op::Normal(_) | Op::Uniform(_) => input,
                };
            }
            Stmt::SetState(s, r) => states[*s as usize] = registers[*r as usize],
            // Made by models of neurons alone.
            Stmt::Spike(_) | Stmt::Repeat(..) | Stmt::When(..) => {}
        }
    }
}
