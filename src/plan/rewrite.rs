//! A network goes on as another one that is wired and driven like it, with other models: what keeps its name keeps its value. Knows no
//! text and no engine.
//!
//! *Goes on:* state variables and time left refractory by name and unit, inputs under way by receptor, traces, histories and weights.
//! *Begins:* variables that are new, at their initial values. *Refused:* all that is built once, receptors that lose their name or unit
//! while synapses or stimuli reach them, and rules with other traces.

use super::lower::lower;
use super::{Number, Plan, State, TracePlan, scale, structure};
use crate::model::Model;
use crate::network::{Drive, Network, Population, Probe, Receptor};

/// The plan of `new`, to go on from where `plan`, which came from `old`, stands. An error says what needs a rebuild.
pub fn rewritten(old: &Network, plan: &Plan, new: &Network) -> Result<Plan, String> {
    let rebuild = |what: String| format!("{what}: this needs the network to be rebuilt, so it cannot be changed while it runs");
    if let Some(what) = reshaped(old, new) {
        return Err(rebuild(what));
    }
    let wirings: Vec<_> = plan.projections.iter().map(|p| p.wiring.clone()).collect();
    let mut scales = scale::scales(new, &wirings).map_err(String::from)?;
    for ((scales, p), (before, planned)) in scales.iter_mut().zip(&new.populations).zip(old.populations.iter().zip(&plan.populations)) {
        let known = |r: usize| receptor(&p.model, &before.model, r).and_then(|r| planned.scale.get(r)).copied();
        // Receptors that are told apart by sign share one scale.
        let shared = (0..scales.len()).find_map(known).filter(|_| p.model.by_sign);
        scales.iter_mut().enumerate().for_each(|(r, scale)| *scale = shared.or_else(|| known(r)).unwrap_or(*scale));
    }
    if let Some(receptor) = scale::outgrown(new, &wirings, &scales) {
        return Err(rebuild(format!("the weights onto {receptor} no longer fit their fixed-point scale")));
    }
    let storage = plan.projections.iter().map(|p| p.storage.clone()).collect();
    let next = lower(new, wirings, storage, scales)?;
    if traces(plan) != traces(&next) || kept(plan) != kept(&next) {
        return Err(rebuild("synapses keep other traces than before".into()));
    }
    Ok(next)
}

/// The state of `plan` as that of `next`, which `rewritten` made of it.
pub fn carried(old: &Network, plan: &Plan, new: &Network, next: &Plan, state: &State) -> State {
    let mut values = Vec::new();
    let mut due = vec![vec![0; next.slots]; state.due.len()];
    for (i, to) in next.populations.iter().enumerate() {
        let (from, before, now) = (&plan.populations[i], &old.populations[i], &new.populations[i]);
        let one = |k: usize| match variable(now, &to.states, before, &from.states, k) {
            Some(known) => state.values[i][known].clone(),
            None => match &to.initial[k] {
                Number::Uniform(x) => vec![*x; to.size as usize],
                Number::Column(all) => all.clone(),
            },
        };
        values.push((0..to.states.len()).map(one).collect());
        let size = to.size as usize;
        for (r, known) in (0..now.model.receptors.len()).filter_map(|r| Some((r, receptor(&now.model, &before.model, r)?))) {
            let (here, there) = (to.slot + r * size, from.slot + known * size);
            due.iter_mut().zip(&state.due).for_each(|(row, old)| row[here..here + size].copy_from_slice(&old[there..there + size]));
        }
    }
    State { scales: next.populations.iter().map(|p| p.scale.clone()).collect(), values, due, ..state.clone() }
}

/// What of a network is built once and differs between these two, models apart.
pub fn reshaped(old: &Network, new: &Network) -> Option<String> {
    match alike(old, new) {
        Ok(as_before) => structure(old, &as_before),
        Err(what) => Some(what),
    }
}

/// The new network with the old models, and the numbers that these give to what keeps its name.
fn alike(old: &Network, new: &Network) -> Result<Network, String> {
    let mut out = new.clone();
    if old.populations.len() != new.populations.len() {
        return Ok(out);
    }
    for (p, before) in out.populations.iter_mut().zip(&old.populations) {
        p.model = before.model.clone();
    }
    let names = |population: usize| (&new.populations[population], &old.populations[population]);
    let reached = |population: usize, r: Receptor| {
        let (now, before) = names(population);
        let lost = |r: usize| {
            let name = now.model.receptors.get(r).map_or("", |r| r.name.as_str());
            format!("the receptor {name} of {}, which is reached by synapses or stimuli", now.name)
        };
        match r {
            Receptor::Named(r) => receptor(&now.model, &before.model, r).map(Receptor::Named).ok_or_else(|| lost(r)),
            Receptor::BySign => match (0..2).find(|r| receptor(&now.model, &before.model, *r) != Some(*r)) {
                Some(r) => Err(lost(r)),
                None => Ok(Receptor::BySign),
            },
        }
    };
    let input = |population: usize, input: usize| {
        let (now, before) = names(population);
        let wish = now.model.inputs.get(input);
        let found = wish.and_then(|w| before.model.inputs.iter().position(|i| i.name == w.name && i.dimension == w.dimension));
        found.ok_or_else(|| format!("the input {} of {}, which is driven", wish.map_or("", |w| &w.name), now.name))
    };
    let read = |population: usize, variable: usize| {
        let (now, before) = names(population);
        let wish = now.model.states.get(variable);
        let found = wish.and_then(|w| before.model.states.iter().position(|s| s.name == w.name && s.dimension == w.dimension));
        found.ok_or_else(|| format!("the variable {} of {}, which is recorded or coupled", wish.map_or("", |w| &w.name), now.name))
    };
    for p in &mut out.projections {
        p.receptor = reached(p.to.population, p.receptor)?;
    }
    for s in &mut out.stimuli {
        match &mut s.kind {
            Drive::Poisson { receptor, .. } | Drive::Spikes { receptor, .. } => *receptor = reached(s.to.population, *receptor)?,
            Drive::Current { input: i, .. } => *i = input(s.to.population, *i)?,
        }
    }
    for g in &mut out.gaps {
        for (side, part) in g.sides.iter_mut().zip([&g.from, &g.to]) {
            *side = [read(part.population, side[0])?, input(part.population, side[1])?];
        }
    }
    for probe in &mut out.probes {
        if let Probe::State { of, variable, .. } = probe {
            *variable = read(of.population, *variable)?;
        }
    }
    Ok(out)
}

/// The number in another model of a receptor of this name and unit.
fn receptor(model: &Model, other: &Model, r: usize) -> Option<usize> {
    let wish = model.receptors.get(r)?;
    other.receptors.iter().position(|o| o.name == wish.name && o.weight == wish.weight)
}

/// The number among the states of a program, of a model's and then hidden ones, of the one that is called as number `k` of another.
fn variable(now: &Population, states: &[String], before: &Population, known: &[String], k: usize) -> Option<usize> {
    let found = known.iter().position(|s| *s == states[k])?;
    let unit = |p: &Population, k: usize| p.model.states.get(k).map(|s| s.dimension);
    (unit(now, k) == unit(before, found)).then_some(found)
}

/// What the traces of a plan are called, and how much of the past they read.
fn traces(plan: &Plan) -> Vec<(&str, &[String], usize)> {
    let all = plan.traces.iter().chain(&plan.targets).chain(plan.modulators.iter().map(|m| &m.traces));
    let reads = |t: &TracePlan| t.watch.as_ref().map_or(0, |w| w.reads.iter().map(|r| 1 + r.age as usize).sum());
    all.map(|t| (t.name.as_str(), t.states.as_slice(), reads(t))).collect()
}

/// How many values each synapse keeps, by projection.
fn kept(plan: &Plan) -> Vec<usize> {
    plan.projections.iter().map(|p| p.plastic.as_ref().map_or(0, |w| w.kept.len())).collect()
}
