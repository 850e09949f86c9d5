//! Traces of neurons, which change at their spikes alone: what a network asks for as numbers, and the simple way to run them.
//! Knows no synapse and no device.
//!
//! The laws, the same on every engine: at a spike of step k the program of the traces is run with the number of steps since the
//! neuron's last spike (the start of the run counts as one); what is stored is flushed; `factor` is cut to 0..1 and becomes a
//! whole number of 2^-31. A synapse then brings `scaled` of its weight: integers, so that sums depend on no order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::laws;
use super::lower::{of_projection, title};
use super::{Change, ModulatorPlan, Plan, Plastic, ProjectionPlan, Reading, TracePlan, Watch};
use crate::base::math;
use crate::base::problem::Problem;
use crate::model::program::{Op, Program, Stmt};
use crate::model::{Compiled, Effects, READS, Start};
use crate::network::{Changing, Network, Part, Projection, Refusal, Rule};

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

/// What synapses that change need.
#[derive(Default)]
pub(super) struct Lowered {
    /// By projection: the traces of its sources, and how its weights change.
    pub used: Vec<(Option<usize>, Option<Plastic>)>,
    pub sources: Vec<TracePlan>,
    pub targets: Vec<TracePlan>,
    pub modulators: Vec<ModulatorPlan>,
}

/// Modulators by who they are, synapse model and numbers.
#[derive(Default)]
struct Modulators<'a> {
    all: Vec<ModulatorPlan>,
    keys: Vec<(&'a [Part], &'a str, &'a [f64])>,
}

impl<'a> Modulators<'a> {
    fn place(&mut self, of: &'a Changing, compiled: &Compiled, initial: &[f64], what: &str) -> Result<usize, String> {
        let key = (&of.modulator[..], of.name.as_str(), &of.parameters[..]);
        if let Some(place) = self.keys.iter().position(|k| *k == key) {
            return Ok(place);
        }
        let traces = trace_plan(of.modulator.first().map_or(0, |p| p.population), of, compiled, initial, what)?;
        self.keys.push(key);
        self.all.push(ModulatorPlan { of: of.modulator.clone(), traces });
        Ok(self.all.len() - 1)
    }
}

/// Traces by population, synapse model and numbers.
#[derive(Default)]
struct Known<'a> {
    all: Vec<TracePlan>,
    places: BTreeMap<(usize, &'a str, Vec<u64>), usize>,
}

impl<'a> Known<'a> {
    /// Where the traces of a population stand, which are new if no projection has asked for them yet.
    fn place(&mut self, population: usize, of: &'a Changing, compiled: &Compiled, initial: &[f64], what: &str) -> Result<usize, String> {
        let key = (population, of.name.as_str(), of.parameters.iter().map(|x| x.to_bits()).collect());
        if let Some(place) = self.places.get(&key) {
            return Ok(*place);
        }
        self.places.insert(key, self.all.len());
        self.all.push(trace_plan(population, of, compiled, initial, what)?);
        Ok(self.all.len() - 1)
    }
}

fn trace_plan(population: usize, of: &Changing, compiled: &Compiled, initial: &[f64], what: &str) -> Result<TracePlan, String> {
    let mut states = compiled.states.clone();
    // The factor is no trace.
    states.pop();
    Ok(TracePlan {
        population,
        name: format!("{} of {what}", of.name),
        states,
        program: Arc::new(compiled.program.clone()),
        coefficients: numbers(compiled, of)?,
        initial: narrow(initial),
        watch: None,
    })
}

/// What a rule reads of the neurons of a target.
fn watch(network: &Network, p: &Projection, of: &Changing, condition: Option<[Change; 2]>) -> Result<Option<Watch>, String> {
    let target = &network.populations[p.to.population];
    let readings = of.model.reading(&target.model, &of.parameters, network.dt)?;
    let reads = readings.into_iter().map(|(variable, age)| Reading { variable, age }).collect::<Vec<_>>();
    Ok((!reads.is_empty()).then_some(Watch { reads, condition }))
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|x| *x as f32).collect()
}

fn numbers(compiled: &Compiled, of: &Changing) -> Result<Vec<f32>, String> {
    Ok(compiled.coefficients(&of.parameters)?.iter().map(|x| *x as f32).collect())
}

/// Numbers what synapses need; `quanta` gives the quanta of a receptor's unit, by projection. An error names the projection.
pub(super) fn lowered(network: &Network, quanta: &[f64]) -> Result<Lowered, Refusal> {
    let (mut used, mut sources, mut targets) = (Vec::new(), Known::default(), Known::default());
    let mut modulators = Modulators::default();
    for (i, (p, quanta)) in network.projections.iter().zip(quanta).enumerate() {
        used.push(match &p.changing {
            None => (None, None),
            Some(of) => {
                let what = title(network, p);
                let lowered = one(network, p, of, *quanta, &what, [&mut sources, &mut targets], &mut modulators);
                lowered.map_err(|e| of_projection(network, i, format!("synapse {}: {e}", of.name)))?
            }
        });
    }
    Ok(Lowered { used, sources: sources.all, targets: targets.all, modulators: modulators.all })
}

fn one<'a>(
    network: &Network,
    p: &Projection,
    of: &'a Changing,
    quanta: f64,
    what: &str,
    [sources, targets]: [&mut Known<'a>; 2],
    modulators: &mut Modulators<'a>,
) -> Result<(Option<usize>, Option<Plastic>), String> {
    let effects = of.model.compile(network.dt);
    let Effects { pre, post, modulator, condition, drift } = effects.map_err(|all| all.iter().map(Problem::render).collect::<String>())?;
    let start: Start = of.model.initial(&of.parameters);
    let source = sources.place(p.from.population, of, &pre.own, &start.source, what)?;
    let Some(most) = of.w_max.filter(|_| of.model.plastic()) else { return Ok((Some(source), None)) };
    within(p, most)?;
    let change = |c: &Compiled| Ok::<_, String>(Change { program: Arc::new(c.program.clone()), coefficients: numbers(c, of)? });
    let place = targets.place(p.to.population, of, &post.own, &start.target, what)?;
    let event = condition.as_ref().map(|(holds, event)| Ok::<_, String>([change(holds)?, change(&event.own)?])).transpose()?;
    targets.all[place].watch = watch(network, p, of, event)?;
    let condition = condition.as_ref().map(|(_, event)| change(&event.weight)).transpose()?;
    let modulator = modulator.map(|m| modulators.place(of, &m.own, &start.modulator, what)).transpose()?;
    let drift = drift.as_ref().map(change).transpose()?;
    let (pre, post) = (change(&pre.weight)?, change(&post.weight)?);
    Ok((
        Some(source),
        Some(Plastic {
            targets: place,
            pre,
            post,
            condition,
            drift,
            kept: narrow(&start.synapse),
            modulator,
            quanta: (most * quanta) as f32,
            most,
        }),
    ))
}

/// Weights begin between 0 and the largest.
fn within(p: &Projection, most: f64) -> Result<(), String> {
    let (mut low, mut high) = laws::bounds(&p.weight);
    if let Rule::List(list) = &p.rule {
        low = list.iter().filter_map(|s| s.weight).fold(low, f64::min);
        high = list.iter().filter_map(|s| s.weight).fold(high, f64::max);
    }
    let inside = |x: f64| (-1e-9..=1.0 + 1e-9).contains(&(x / most));
    if inside(low) && inside(high) {
        return Ok(());
    }
    Err(format!(
        "weights begin between {low} and {high}, and are kept between 0 and w_max = {most}: cut the law, as in redraw(..., 0, w_max), or \
         give another w_max"
    ))
}

impl Plan {
    /// Spikes of a target that are kept until they have acted on all its synapses: those of a longest delay and of a batch at the
    /// least, and some more, so that bringing all synapses up to date is rare.
    pub fn history(&self) -> usize {
        (2 * self.ring + 34).next_power_of_two()
    }

    /// The same where steps are events too: a step may be one and have a spike, and a spike brings some twenty.
    pub fn history_of(&self, t: &TracePlan) -> usize {
        let watched = t.watch.as_ref().is_some_and(|w| w.condition.is_some());
        if watched { (4 * self.ring + 128).next_power_of_two() } else { self.history() }
    }

    /// Steps of which what a rule reads is kept: those that a spike of a source, the longest delay later, may ask for.
    pub fn recalled(&self, reading: &Reading) -> usize {
        self.ring - 1 + reading.age as usize
    }

    /// Bytes that each target neuron takes for what its spikes do to the synapses onto it.
    pub fn history_bytes_of(&self, t: &TracePlan) -> u64 {
        let read = |r: &Reading| 4 * (self.recalled(r) + self.ring) as u64;
        let reads = t.watch.as_ref().map_or(&[][..], |w| &w.reads);
        let (entry, kind) = (4 * (1 + t.states.len() + reads.len()) as u64, u64::from(t.watch.is_some()));
        // The last three entries stand once more beside the count.
        let recent = 4 + 3 * 4 * (1 + t.states.len()) as u64;
        recent + self.history_of(t) as u64 * (entry + kind) + reads.iter().map(read).sum::<u64>()
    }

    pub(super) fn history_bytes(&self) -> u64 {
        let neuron = |t: &TracePlan| self.history_bytes_of(t);
        let modulator = |m: &ModulatorPlan| 4 + Self::MODULATOR_HISTORY as u64 * 4 * (1 + m.traces.states.len() as u64);
        self.targets.iter().map(|t| u64::from(self.populations[t.population].size) * neuron(t)).sum::<u64>()
            + self.modulators.iter().map(modulator).sum::<u64>()
    }

    /// Spikes of a modulator that are kept until they have acted on all synapses: when there are more, all are brought up to date.
    pub const MODULATOR_HISTORY: usize = 1024;

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
        after(t, step - traced.last[i], &[], &mut self.states, &mut self.registers);
        traced.values.iter_mut().zip(&self.states).for_each(|(v, x)| v[i] = *x);
        traced.last[i] = step;
        factor(self.states[traced.values.len()])
    }

    /// The traces of a neuron as its last spike left them, and the step of that.
    pub fn of(&self, number: usize, neuron: u32) -> (impl Iterator<Item = f32> + '_, u32) {
        let traced = &self.all[number];
        (traced.values.iter().map(move |v| v[neuron as usize]), traced.last[neuron as usize])
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

/// What a spike makes of traces that the last one, so many steps ago, left like this; the last of `states` is the factor. Of a
/// target `read` is what is read of it.
pub fn after(t: &TracePlan, steps: u32, read: &[f32], states: &mut [f32], registers: &mut Vec<f32>) {
    run(&t.program, &t.coefficients, (steps as f32, read), states, registers);
    states[..t.states.len()].iter_mut().for_each(|x| *x = math::flush(*x));
}

/// The same of a step at which the condition of the rule holds.
pub fn after_condition(t: &TracePlan, steps: u32, read: &[f32], states: &mut [f32], registers: &mut Vec<f32>) {
    if let Some([_, event]) = t.watch.as_ref().and_then(|w| w.condition.as_ref()) {
        run(&event.program, &event.coefficients, (steps as f32, read), states, registers);
        states[..t.states.len()].iter_mut().for_each(|x| *x = math::flush(*x));
    }
}

/// The spikes of targets that have not yet acted on every synapse, apart from any engine.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct History {
    /// The traces as the spikes before those left them.
    pub base: Traced,
    /// Neuron and step, in order.
    pub spikes: Vec<[u32; 2]>,
    /// The same of steps at which the condition of a rule holds.
    pub conditions: Vec<[u32; 2]>,
    /// By what is read: values of the last steps, the present one first, for each step one for each neuron.
    pub reads: Vec<Vec<f32>>,
}

/// Whether weights change by other numbers in an edited plan.
pub fn other_changes(old: &Plan, new: &Plan) -> bool {
    let changes = old.projections.iter().zip(&new.projections).any(|(a, b)| a.plastic != b.plastic);
    let numbers = |all: &[TracePlan]| all.iter().map(|t| (t.coefficients.clone(), t.watch.clone())).collect::<Vec<_>>();
    let modulators = |plan: &Plan| plan.modulators.iter().map(|m| m.traces.coefficients.clone()).collect::<Vec<_>>();
    changes
        || modulators(old) != modulators(new)
        || (!old.targets.is_empty() && (numbers(&old.targets) != numbers(&new.targets) || numbers(&old.traces) != numbers(&new.traces)))
}

/// Modulators of a network, to be filled.
pub fn modulated(plan: &Plan) -> Vec<Traced> {
    plan.modulators.iter().map(|m| Traced { values: vec![vec![0.0]; m.traces.states.len()], last: vec![0] }).collect()
}

/// Histories of a network, to be filled.
pub fn histories(plan: &Plan) -> Vec<History> {
    let of = |t: &TracePlan| {
        let size = plan.populations[t.population].size as usize;
        let reads = t.watch.as_ref().map_or(&[][..], |w| &w.reads);
        History {
            base: Traced { values: vec![vec![0.0; size]; t.states.len()], last: vec![0; size] },
            reads: reads.iter().map(|r| vec![0.0; plan.recalled(r) * size]).collect(),
            ..History::default()
        }
    };
    plan.targets.iter().map(of).collect()
}

/// Runs a straight program of states, of one input, and of what is read.
fn run(program: &Program, coefficients: &[f32], (steps, read): (f32, &[f32]), states: &mut [f32], registers: &mut Vec<f32>) {
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
                    Op::Input(i) if i as usize >= READS => read.get(i as usize - READS).copied().unwrap_or(0.0),
                    // Traces have no input besides, and nothing else at all.
                    Op::Input(_) | Op::Receptor(_) | Op::Normal(_) | Op::Uniform(_) => steps,
                };
            }
            Stmt::SetState(s, r) => states[*s as usize] = registers[*r as usize],
            // Made by models of neurons alone.
            Stmt::Spike(_) | Stmt::Repeat(..) | Stmt::When(..) => {}
        }
    }
}
