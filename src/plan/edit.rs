//! What an edit of a running network changes: numbers that are taken over between batches, or more than that. Knows no engine.
//!
//! *Live and derived*: parameters, weights, stimuli. *Rebuild*: sizes, models, rules, delays, the step, the seed, and a
//! weight so large that the scale of its receptor no longer fits.

use super::lower::lower;
use super::{History, Plan, TracePlan, Traced, scale};
use crate::network::{Drive, Gap, Network, Projection, Rule, Stimulus, Synapse};

/// The plan of `new`, for an engine that runs `plan`, which came from `old`. An error says what needs a rebuild, or what is wrong.
pub fn edit(old: &Network, plan: &Plan, new: &Network) -> Result<Plan, String> {
    if let Some(what) = structure(old, new) {
        return Err(format!("{what}: this needs the network to be rebuilt, so it cannot be changed while it runs"));
    }
    let wirings: Vec<_> = plan.projections.iter().map(|p| p.wiring.clone()).collect();
    let scales: Vec<Vec<i32>> = plan.populations.iter().map(|p| p.scale.clone()).collect();
    if let Some(receptor) = scale::outgrown(new, &wirings, &scales) {
        return Err(format!("the weights onto {receptor} no longer fit their fixed-point scale: this needs the network to be rebuilt"));
    }
    let storage = plan.projections.iter().map(|p| p.storage.clone()).collect();
    let edited = lower(new, wirings, storage, scales)?;
    for (a, b) in plan.populations.iter().zip(&edited.populations) {
        if a.program != b.program {
            return Err(format!("the model of {} becomes another one: this needs the network to be rebuilt", a.name));
        }
    }
    let used =
        |plan: &Plan| plan.projections.iter().map(|p| (p.traces, p.plastic.as_ref().map(|w| (w.targets, w.modulator)))).collect::<Vec<_>>();
    let sides = |plan: &Plan| {
        plan.traces
            .iter()
            .chain(&plan.targets)
            .chain(plan.modulators.iter().map(|m| &m.traces))
            .map(|t| {
                let watch = t.watch.as_ref().map(|w| (w.reads.clone(), w.condition.as_ref().map(|all| all.clone().map(|c| c.program))));
                (t.program.clone(), watch)
            })
            .collect::<Vec<_>>()
    };
    if used(plan) != used(&edited) || sides(plan) != sides(&edited) {
        return Err("other synapses change than before, or by another rule: this needs the network to be rebuilt".into());
    }
    Ok(edited)
}

/// The plan of a network that has other probes than the one `plan` came from, and is like it otherwise.
pub fn observe(network: &Network, plan: &Plan) -> Result<Plan, String> {
    let each = || plan.projections.iter();
    let (wirings, storage) = (each().map(|p| p.wiring.clone()).collect(), each().map(|p| p.storage.clone()).collect());
    Ok(lower(network, wirings, storage, plan.populations.iter().map(|p| p.scale.clone()).collect())?)
}

/// The plan of a network whose inputs keep the scales of a checkpoint.
pub fn resumed(network: &Network, scales: &[Vec<i32>]) -> Result<Plan, String> {
    resumed_within(network, scales, None)
}

/// The same for a machine that has `free` bytes of memory, if that is known.
pub fn resumed_within(network: &Network, scales: &[Vec<i32>], free: Option<u64>) -> Result<Plan, String> {
    let fresh = super::plan_within(network, free)?;
    let matches = scales.len() == fresh.populations.len() && scales.iter().zip(&fresh.populations).all(|(s, p)| s.len() == p.scale.len());
    if !matches {
        return Err("the checkpoint is of a network with other populations or receptors".into());
    }
    let wirings: Vec<_> = fresh.projections.iter().map(|p| p.wiring.clone()).collect();
    if let Some(receptor) = scale::outgrown(network, &wirings, scales) {
        return Err(format!("the weights onto {receptor} do not fit the fixed-point scale of the checkpoint: run from the start"));
    }
    let storage = fresh.projections.iter().map(|p| p.storage.clone()).collect();
    Ok(lower(network, wirings, storage, scales.to_vec())?)
}

/// What of a network is built once and differs between these two.
pub fn structure(old: &Network, new: &Network) -> Option<String> {
    if old.dt != new.dt {
        return Some("the step".into());
    }
    if old.seed != new.seed {
        return Some("the seed".into());
    }
    if old.populations.len() != new.populations.len() {
        return Some("the number of populations".into());
    }
    for (a, b) in old.populations.iter().zip(&new.populations) {
        if a.positions != b.positions {
            return Some(format!("the positions of {}", a.name));
        }
        if a.name != b.name || a.size != b.size || a.model.states.len() != b.model.states.len() {
            return Some(format!("the size or model of {}", a.name));
        }
    }
    let alike =
        old.projections.len() == new.projections.len() && old.projections.iter().zip(&new.projections).all(|(a, b)| wired_alike(a, b));
    if !alike {
        return Some("the wiring (rules, degrees, delays, who projects to whom)".into());
    }
    let coupled = |network: &Network| network.gaps.iter().map(|g| Gap { conductance: 0.0, ..g.clone() }).collect::<Vec<_>>();
    if coupled(old) != coupled(new) {
        return Some("who is coupled to whom by gap junctions".into());
    }
    if old.stimuli.len() != new.stimuli.len() || !old.stimuli.iter().zip(&new.stimuli).all(|(a, b)| driven_alike(a, b)) {
        return Some("the kind or the target of a stimulus".into());
    }
    (old.probes != new.probes).then(|| "a probe".into())
}

fn wired_alike(a: &Projection, b: &Projection) -> bool {
    a.from == b.from
        && a.to == b.to
        && lead_alike(&a.rule, &b.rule)
        && a.receptor == b.receptor
        && a.delay == b.delay
        && a.delay_by_distance == b.delay_by_distance
        && a.weight_by_distance.is_some() == b.weight_by_distance.is_some()
        && (a.autapses, a.multapses) == (b.autapses, b.multapses)
        && a.changing.as_ref().map(|c| (&c.model.name, &c.modulator)) == b.changing.as_ref().map(|c| (&c.model.name, &c.modulator))
}

/// Listed weights are numbers that an edit may change; who is listed is not.
fn lead_alike(a: &Rule, b: &Rule) -> bool {
    match (a, b) {
        (Rule::List(a), Rule::List(b)) => {
            let alike = |(a, b): (&Synapse, &Synapse)| Synapse { weight: b.weight, ..*a } == *b && a.weight.is_some() == b.weight.is_some();
            a.len() == b.len() && a.iter().zip(b.iter()).all(alike)
        }
        _ => a == b,
    }
}

fn driven_alike(a: &Stimulus, b: &Stimulus) -> bool {
    let same = match (&a.kind, &b.kind) {
        (Drive::Poisson { receptor: a, .. }, Drive::Poisson { receptor: b, .. }) => a == b,
        (Drive::Spikes { receptor: a, .. }, Drive::Spikes { receptor: b, .. }) => a == b,
        (Drive::Current { input: a, .. }, Drive::Current { input: b, .. }) => a == b,
        _ => false,
    };
    same && a.to == b.to
}

/// An input under way that is too large for more to be added to it.
pub fn too_much(due: &[Vec<i32>]) -> Option<i32> {
    due.iter().flatten().copied().find(|x| x.unsigned_abs() > scale::UNDER_WAY)
}

/// A network at a step, apart from any engine: what a checkpoint holds.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct State {
    pub step: u64,
    /// Fixed-point exponents by population and receptor.
    pub scales: Vec<Vec<i32>>,
    /// Values by population and state variable.
    pub values: Vec<Vec<Vec<f32>>>,
    /// Inputs that are under way: entry d is due at step + 1 + d, one sum for each slot.
    pub due: Vec<Vec<i32>>,
    /// By traces of the plan.
    pub traces: Vec<Traced>,
    /// By traces of targets.
    pub histories: Vec<History>,
    /// By projection whose weights change: each weight, in canonical order, in units of the largest, with all spikes up to this
    /// step taken into account; of synapses that move between events as the last event left it.
    pub weights: Vec<Vec<f32>>,
    /// By the same projections: what each synapse keeps beside its weight, one value after another, then synapse.
    pub kept: Vec<Vec<f32>>,
    /// By modulators of the plan: one neuron that stands for all.
    pub modulators: Vec<Traced>,
}

impl State {
    /// Whether an engine of this plan can go on from here. An error says why not.
    pub fn fits(&self, plan: &Plan) -> Result<(), String> {
        let alike = self.values.len() == plan.populations.len()
            && self
                .values
                .iter()
                .zip(&plan.populations)
                .all(|(values, p)| values.len() == p.states.len() && values.iter().all(|v| v.len() == p.size as usize));
        if !alike {
            return Err("the checkpoint is of a network with other populations or state variables".into());
        }
        self.changing_fits(plan)?;
        if self.due.iter().any(|row| row.len() != plan.slots) {
            return Err("the checkpoint is of a network with other receptors".into());
        }
        if let Some(x) = too_much(&self.due) {
            return Err(format!("the checkpoint holds an input of {x} quanta under way, more than any network sums up: it is damaged"));
        }
        if self.due.iter().skip(plan.ring - 1).any(|row| row.iter().any(|x| *x != 0)) {
            return Err("the checkpoint holds spikes under way that arrive after the longest delay of this scene".into());
        }
        Ok(())
    }

    fn changing_fits(&self, plan: &Plan) -> Result<(), String> {
        let size = |t: &TracePlan| plan.populations[t.population].size as usize;
        let traced = |a: &Traced, t: &TracePlan| {
            a.values.len() == t.states.len() && a.values.iter().all(|v| v.len() == size(t)) && a.last.len() == size(t)
        };
        let plastic: Vec<_> = plan.projections.iter().filter(|p| p.plastic.is_some()).collect();
        let fits = self.traces.len() == plan.traces.len()
            && self.traces.iter().zip(&plan.traces).all(|(a, t)| traced(a, t))
            && self.histories.len() == plan.targets.len()
            && self.histories.iter().zip(&plan.targets).all(|(h, t)| traced(&h.base, t))
            && self.weights.len() == plastic.len()
            && self.kept.len() == plastic.len()
            && self.modulators.len() == plan.modulators.len()
            && self
                .modulators
                .iter()
                .zip(&plan.modulators)
                .all(|(a, m)| a.values.len() == m.traces.states.len() && a.values.iter().all(|v| v.len() == 1) && a.last.len() == 1);
        if !fits {
            return Err("the checkpoint is of a network whose synapses change in another way".into());
        }
        let counts = |p: &&crate::plan::ProjectionPlan| p.wiring.counted() as usize * p.plastic.as_ref().map_or(0, |w| w.kept.len());
        if self.kept.iter().zip(&plastic).any(|(kept, p)| kept.len() != counts(p) || kept.iter().any(|x| !x.is_finite())) {
            return Err("the checkpoint holds other values of synapses than this scene has: it is damaged".into());
        }
        let bases = self.histories.iter().map(|h| &h.base);
        let mut late =
            self.traces.iter().chain(bases).chain(&self.modulators).flat_map(|t| &t.last).any(|last| u64::from(*last) > self.step);
        for (h, t) in self.histories.iter().zip(&plan.targets) {
            let reads = t.watch.as_ref().map_or(&[][..], |w| &w.reads);
            let kept = |(values, r): (&Vec<f32>, _)| values.len() == plan.recalled(r) * size(t) && values.iter().all(|x| x.is_finite());
            if h.reads.len() != reads.len() || !h.reads.iter().zip(reads).all(kept) {
                return Err("the checkpoint holds other values of what a rule reads than this scene asks for".into());
            }
            for events in [&h.spikes, &h.conditions] {
                let mut last = h.base.last.clone();
                for [neuron, step] in events {
                    let known = last.get_mut(*neuron as usize).filter(|last| **last < *step);
                    late |= known.is_none_or(|last| std::mem::replace(last, *step) > *step) || u64::from(*step) > self.step;
                }
                let most = events.iter().fold(std::collections::BTreeMap::new(), |mut counts, s| {
                    *counts.entry(s[0]).or_insert(0usize) += 1;
                    counts
                });
                late |= most.values().any(|n| *n >= plan.ring);
            }
            late |= size(t) != h.base.last.len();
        }
        if late {
            return Err("the checkpoint tells of spikes that are later than itself or out of order: it is damaged".into());
        }
        if self.weights.iter().flatten().any(|w| !(0.0..=1.0).contains(w)) {
            return Err("the checkpoint holds a weight beyond the largest: it is damaged".into());
        }
        Ok(())
    }

    /// The row that is due `d` steps after the next one; zeros beyond what is held.
    pub fn row(&self, d: usize, slots: usize) -> std::borrow::Cow<'_, [i32]> {
        self.due.get(d).map_or_else(|| vec![0; slots].into(), |row| row.as_slice().into())
    }
}
