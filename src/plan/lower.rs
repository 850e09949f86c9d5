//! Network -> Plan: everything numbered, tables built, bytes counted. Allocates no state of an engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::laws::{self, Spread};
use super::space::{self, Between, Sheet};
use super::{
    Choice, DriveKind, DrivePlan, GapPlan, Keep, Number, Plan, PopulationPlan, ProbePlan, ProjectionPlan, Weight, Wiring, purpose, scale,
    storage,
};
use super::{ahead, gaps, traces};
use crate::base::draw::Poisson;
use crate::network::{
    Drive, LONGEST_DELAY, Network, Population, Probe, Projection, Rate, Receptor, Refusal, Rule, Stimulus, Subject, Synapse, Values,
};

/// Lowers a network for a machine of ample memory. A refusal says what it is about and what would help.
pub fn plan(network: &Network) -> Result<Plan, Refusal> {
    plan_within(network, None)
}

/// Lowers a network for a machine that has `free` bytes of memory, if that is known.
pub fn plan_within(network: &Network, free: Option<u64>) -> Result<Plan, Refusal> {
    let storage = storage::choose(network, free).map_err(|(i, e)| of_projection(network, i, e))?;
    let sheets = space::sheets(network);
    let wirings = network.projections.iter().enumerate().map(|(i, p)| wiring(network, i, p, &sheets)).collect::<Result<Vec<_>, _>>()?;
    let scales = scale::scales(network, &wirings)?;
    lower(network, wirings, storage, scales)
}

/// Lowers a network whose wirings, storage and scales are known.
pub fn lower(network: &Network, wirings: Vec<Arc<Wiring>>, storage: Vec<Choice>, scales: Vec<Vec<i32>>) -> Result<Plan, Refusal> {
    let sheets = space::sheets(network);
    let gaps = gaps::gaps(network)?;
    let reach = ahead::reach(network, &gaps)?;
    let mut populations = Vec::new();
    let (mut first, mut slot) = (0u32, 0usize);
    for (i, p) in network.populations.iter().enumerate() {
        let lowered = population(network, i, p, reach, [first as usize, slot], scales[i].clone())
            .map_err(|e| Refusal::of(Subject::Population(i), format!("population {}: {e}", p.name)))?;
        let lowered = PopulationPlan { sheet: sheets[i].clone(), ..lowered };
        first = first.checked_add(p.size).ok_or("more than 2^32 neurons")?;
        slot += p.size as usize * p.model.receptors.len();
        populations.push(lowered);
    }
    let mut projections = Vec::new();
    for (i, ((p, wiring), choice)) in network.projections.iter().zip(wirings).zip(storage).enumerate() {
        let between = space::between(p, &sheets).map_err(|e| of_projection(network, i, e))?;
        let lowered = projection(network, &populations, (i, p), wiring, choice, between);
        projections.push(lowered.map_err(|e| of_projection(network, i, e))?);
    }
    let quanta: Vec<f64> = projections.iter().map(|p| p.weight.quanta).collect();
    let traces::Lowered { used, sources, targets, modulators } = traces::lowered(network, &quanta)?;
    projections.iter_mut().zip(used).for_each(|(p, used)| (p.traces, p.plastic) = used);
    let longest = projections.iter().map(|p| p.longest()).fold(1.0, f64::max);
    let told = |i: usize| move |e: String| Refusal::of(Subject::Stimulus(i), e);
    let drives = network.stimuli.iter().enumerate().map(|(i, s)| drive(network, &populations, i, s).map_err(told(i)));
    let drives = drives.collect::<Result<Vec<_>, _>>()?;
    let mut plan = Plan {
        dt: network.dt,
        seed: network.seed,
        neurons: first,
        slots: slot,
        ring: longest as usize + 1,
        populations,
        projections,
        gaps,
        drives,
        traces: sources,
        targets,
        modulators,
        probes: network.probes.iter().filter_map(probe).collect(),
        budget: Vec::new(),
    };
    plan.budget = budget(&plan);
    Ok(plan)
}

pub(super) fn title(network: &Network, p: &Projection) -> String {
    format!("{}->{}", network.populations[p.from.population].name, network.populations[p.to.population].name)
}

/// A refusal that is about one projection.
pub(super) fn of_projection(network: &Network, i: usize, message: String) -> Refusal {
    Refusal::of(Subject::Projection(i), format!("projection {}: {message}", title(network, &network.projections[i])))
}

fn wiring(network: &Network, i: usize, p: &Projection, sheets: &[Option<Arc<Sheet>>]) -> Result<Arc<Wiring>, Refusal> {
    space::between(p, sheets)
        .and_then(|between| Wiring::new(network.seed, i as u32, p, between))
        .map(Arc::new)
        .map_err(|e| of_projection(network, i, e))
}

/// `reach` is how far coupled variables are carried on to the middle of a step.
fn population(
    network: &Network,
    index: usize,
    p: &Population,
    reach: [f64; 2],
    [first, slot]: [usize; 2],
    scale: Vec<i32>,
) -> Result<PopulationPlan, String> {
    let ahead = gaps::coupled(network, index);
    let compiled = p.model.compile_ahead(network.dt, &ahead).map_err(|problems| problems.iter().map(|p| p.render()).collect::<String>())?;
    let spreads = p
        .parameters
        .iter()
        .enumerate()
        .map(|(k, v)| Spread::new(v, p.size, network.seed, [purpose::PARAMETER, (index as u32) << 12 | k as u32]))
        .collect::<Result<Vec<_>, _>>()?;
    for (parameter, spread) in p.model.parameters.iter().zip(&spreads) {
        let Spread::Column(column) = spread else { continue };
        if let Some((i, wrong)) = column.iter().enumerate().find_map(|(i, x)| Some((i, parameter.least.wrong(*x)?))) {
            let (name, unit, x) = (&parameter.name, parameter.dimension, column[i]);
            return Err(format!("{name} {wrong}, and neuron {i} has {x:.6} {unit}: cut the law, as in redraw(..., dt, inf)"));
        }
    }
    let at = |i: u32| spreads.iter().map(|s| s.at(i)).collect::<Vec<f64>>();
    let columns: BTreeSet<usize> = (0..spreads.len()).filter(|k| spreads[*k].is_column()).collect();
    let rows = if columns.is_empty() { 1 } else { p.size };
    let limits = p.model.limits();
    let limited = if limits.concern(|k| columns.contains(&k)) { rows } else { 1 };
    if let Some((i, (wrong, _))) = (0..limited).find_map(|i| Some((i, limits.broken(&at(i))?))) {
        return Err(format!("{wrong}, in neuron {i}: change one of them, or cut the law, as in redraw(...)"));
    }
    let derived = (0..rows).map(|i| compiled.coefficients(&[&at(i)[..], &reach].concat())).collect::<Result<Vec<_>, _>>()?;
    let coefficients = (0..compiled.program.coefficients as usize)
        .map(|c| {
            let varies = compiled.uses[c].iter().any(|k| columns.contains(k));
            number(varies, derived.iter().map(|row| row[c]))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut initial = Vec::new();
    for (k, values) in p.initial.iter().enumerate() {
        initial.push(match values {
            Some(v) => {
                let spread = Spread::new(v, p.size, network.seed, [purpose::INITIAL, (index as u32) << 12 | k as u32])?;
                number(spread.is_column(), (0..p.size).map(|i| spread.at(i)))?
            }
            None => number(!columns.is_empty(), (0..rows).map(|i| p.model.initial(k, &at(i))))?,
        });
    }
    initial.extend(compiled.hidden_initial.iter().map(|x| Number::Uniform(*x)));
    ahead.iter().enumerate().for_each(|(k, state)| initial[p.model.ahead(k)] = initial[*state].clone());
    Ok(PopulationPlan {
        name: p.name.clone(),
        states: compiled.states.clone(),
        first: first as u32,
        size: p.size,
        program: Arc::new(compiled.program),
        coefficients,
        initial,
        slot,
        scale,
        sheet: None,
    })
}

fn number(varies: bool, mut values: impl Iterator<Item = f64>) -> Result<Number, String> {
    let narrow = |x: f64| {
        let y = x as f32;
        if y.is_finite() {
            Ok(y)
        } else {
            Err(format!("a number derived from the parameters is {x}: check time constants and capacitances"))
        }
    };
    if varies {
        Ok(Number::Column(values.map(narrow).collect::<Result<_, _>>()?))
    } else {
        Ok(Number::Uniform(narrow(values.next().unwrap_or(0.0))?))
    }
}

fn projection(
    network: &Network,
    populations: &[PopulationPlan],
    (i, p): (usize, &Projection),
    wiring: Arc<Wiring>,
    storage: Choice,
    between: Option<Arc<Between>>,
) -> Result<ProjectionPlan, String> {
    let target = &populations[p.to.population];
    let (slots, exponent) = receptors(target, p.receptor);
    let quanta = libm::exp2(f64::from(exponent));
    let (low, high) = laws::bounds(&p.weight);
    let largest = low.abs().max(high.abs()) * quanta;
    let shift = if low == high { 0 } else { libm::ceil(libm::log2((largest / 32_000.0).max(1.0))) as u32 };
    let listed: Arc<[Synapse]> = match &p.rule {
        Rule::List(list) => list.iter().map(|s| Synapse { delay: s.delay.map(|d| d / network.dt), ..*s }).collect(),
        _ => Arc::new([]),
    };
    let unit = libm::ldexp(quanta, -(shift as i32));
    let (weights, delay) = (laws::quantile(&p.weight, unit)?, laws::quantile(&p.delay, 1.0 / network.dt)?);
    let longest = listed.iter().filter_map(|s| s.delay).fold(f64::from(delay.max()), f64::max);
    if longest > LONGEST_DELAY {
        return Err(format!("a delay of {longest} steps: at most {LONGEST_DELAY} fit; take a longer dt or a shorter delay"));
    }
    let by_distance = space::by_distance(p, between.as_deref(), [&weights, &delay], unit, network.dt);
    Ok(ProjectionPlan {
        source: p.from.population,
        from: p.from.which.clone(),
        target: p.to.population,
        to: p.to.which.clone(),
        wiring,
        listed,
        weight: Weight { law: weights, shift, quanta },
        delay,
        slots,
        stream: i as u32,
        storage,
        between,
        by_distance,
        traces: None,
        plastic: None,
    })
}

fn receptors(target: &PopulationPlan, receptor: Receptor) -> ([usize; 2], i32) {
    let slot = |r: usize| target.slot + r * target.size as usize;
    match receptor {
        Receptor::Named(r) => ([slot(r); 2], target.scale[r]),
        Receptor::BySign => ([slot(0), slot(1.min(target.scale.len() - 1))], target.scale[0]),
    }
}

impl ProjectionPlan {
    /// Whether synapses have other weights in a plan that is wired the same.
    pub fn reweighed(&self, other: &Self) -> bool {
        self.weight != other.weight || self.listed != other.listed
    }

    /// The shortest delay in steps.
    pub fn shortest(&self) -> f64 {
        self.listed.iter().filter_map(|s| s.delay).map(libm::rint).fold(f64::from(self.delay.min()), f64::min).max(1.0)
    }

    /// The longest delay in steps.
    pub fn longest(&self) -> f64 {
        self.listed.iter().filter_map(|s| s.delay).map(libm::rint).fold(f64::from(self.delay.max()), f64::max)
    }
}

fn drive(network: &Network, populations: &[PopulationPlan], i: usize, s: &Stimulus) -> Result<DrivePlan, String> {
    let target = &populations[s.to.population];
    let landing = |weight: f64, receptor: Receptor| {
        let (slots, exponent) = receptors(target, receptor);
        (libm::rint(weight * libm::exp2(f64::from(exponent))) as i32, slots[usize::from(weight < 0.0)])
    };
    let kind = match &s.kind {
        Drive::Poisson { rate: r, correlation, weight, receptor } => {
            let (weight, slot) = landing(*weight, *receptor);
            let (max, keep) = rate(network, i, s, r, *correlation)?;
            DriveKind::Poisson { counts: Poisson::new(max * network.dt), keep, weight, slot }
        }
        Drive::Spikes { times, weight, receptor } => {
            let (weight, slot) = landing(*weight, *receptor);
            DriveKind::Spikes { steps: times.clone(), weight, slot }
        }
        Drive::Current { input, wave } => DriveKind::Current { input: *input, wave: wave.clone() },
    };
    Ok(DrivePlan { population: s.to.population, to: s.to.which.clone(), start: s.start, stop: s.stop, kind, stream: i as u32 })
}

/// The largest rate, and what share of its events each neuron or step keeps.
pub fn rate(network: &Network, i: usize, s: &Stimulus, rate: &Rate, correlation: f64) -> Result<(f64, Keep), String> {
    let values = match rate {
        Rate::Steps(steps) => {
            let max = steps.iter().map(|s| s.1).fold(0.0, f64::max);
            return Ok((max, Keep::Steps(steps.iter().map(|s| (s.0, Keep::share(s.1, max))).collect())));
        }
        Rate::Swing { wave, max } => return Ok((*max, Keep::Swing { wave: wave.clone(), max: *max, dt: network.dt })),
        Rate::Values(Values::Uniform(x)) if correlation > 0.0 => return Ok((x / correlation, Keep::Copies(Keep::share(correlation, 1.0)))),
        Rate::Values(values) => values,
    };
    let spread = Spread::new(values, s.to.which.len(), network.seed, [purpose::RATE, i as u32])?;
    let Spread::Column(all) = spread else { return Ok((spread.at(0), Keep::All)) };
    if let Some(x) = all.iter().find(|x| !(0.0..=1e6).contains(*x)) {
        return Err(format!("stimulus {}: a drawn rate of {x} kHz: cut the law, as in redraw(..., 0, inf)", s.name));
    }
    let max = all.iter().copied().fold(0.0, f64::max);
    Ok((max, Keep::Each(all.iter().map(|x| Keep::share(*x, max)).collect())))
}

fn probe(probe: &Probe) -> Option<ProbePlan> {
    match probe {
        Probe::Spikes { .. } | Probe::Rate { .. } | Probe::Weights { .. } => None,
        Probe::State { of, variable, every, .. } => {
            Some(ProbePlan { population: of.population, of: of.which.clone(), variable: *variable, every: (*every).max(1) })
        }
    }
}

impl Plan {
    /// Bytes of one stored synapse of a projection on the GPU engine: target and delay are one word there.
    pub fn synapse_bytes_on_gpu(&self, p: &ProjectionPlan) -> u64 {
        let weight = match &p.plastic {
            Some(plastic) => 4 + 4 * plastic.kept.len() as u64,
            None if p.listed.iter().any(|s| s.weight.is_some()) => 4,
            None => 2 * u64::from(p.weight.law.min() != p.weight.law.max()),
        };
        4 + weight
    }

    /// Bytes of one stored synapse of a projection on the CPU engine.
    pub fn synapse_bytes(&self, p: &ProjectionPlan) -> u64 {
        if let Some(plastic) = &p.plastic {
            // Target and delay in one word, the weight, and what else is kept.
            return 8 + 4 * plastic.kept.len() as u64;
        }
        let target = if self.populations[p.target].size <= 1 << 16 { 2 } else { 4 };
        let weight = if p.listed.iter().any(|s| s.weight.is_some()) { 4 } else { 2 * u64::from(p.weight.law.min() != p.weight.law.max()) };
        let delay = u64::from(p.delay.min() != p.delay.max()) * if p.longest() < 256.0 { 1 } else { 2 };
        target + weight + delay
    }
}

fn budget(plan: &Plan) -> Vec<(&'static str, u64)> {
    let stored = || plan.projections.iter().filter(|p| !p.procedural());
    let columns = |p: &PopulationPlan| {
        let columns = p.coefficients.iter().filter(|c| matches!(c, Number::Column(_))).count();
        (p.program.states as usize + p.program.inputs as usize + columns) as u64 * u64::from(p.size) * 4
    };
    vec![
        ("synapses", stored().map(|p| p.wiring.synapses() * plan.synapse_bytes(p) + 4 * u64::from(p.from.len())).sum()),
        ("wiring", plan.projections.iter().map(|p| p.wiring.bytes()).sum()),
        ("delay ring", plan.ring as u64 * plan.slots as u64 * 4),
        ("state", plan.populations.iter().map(columns).sum()),
        ("histories", plan.history_bytes()),
        ("traces", plan.traces.iter().map(|t| u64::from(plan.populations[t.population].size) * 4 * (1 + t.states.len() as u64)).sum()),
        ("gap junctions", plan.gaps.iter().map(GapPlan::bytes).sum()),
        ("drive", plan.drives.iter().map(|d| u64::from(d.to.len()) * 16).sum()),
    ]
}
