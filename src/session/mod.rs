//! The only loop over time. Knows an engine and whom to give its harvest; draws nothing and parses nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

pub mod copies;
mod governor;
pub mod lesson;
pub mod live;
mod machine;
pub mod memory;
pub mod plane;
mod poke;
pub mod saved;
#[cfg(feature = "gpu")]
mod selftest;
mod simulation;
mod weights;

pub use crate::engine::cpu::Phases;
use crate::plan::Harvest;
pub use governor::Governor;
pub use machine::{Backend, Description, Engine, Machine, Tested, choose, devices};
pub use simulation::{Command, Origin, Simulation, Stamped};

/// How a run went.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub build_seconds: f64,
    pub run_seconds: f64,
    /// Steps that were run, and the step at which the run ended.
    pub steps: u64,
    pub end: u64,
    pub spikes: u64,
    pub events: u64,
    pub synapse_bytes: u64,
    /// Stopped before the end, by Ctrl-C.
    pub interrupted: bool,
    /// Why the run could not go on to its end.
    pub failed: Option<String>,
}

/// Advances a simulation to step `end`, applying the commands of `journal` at their steps and giving every harvest in
/// order to `each`. `stop` is read between batches. An error says why nothing was run; what fails later stands in the outcome.
pub fn run(
    simulation: &mut Simulation,
    end: u64,
    journal: &[Stamped],
    stop: &AtomicBool,
    mut each: impl FnMut(&Simulation, &Harvest) -> Result<(), String>,
) -> Result<Outcome, String> {
    let first = simulation.step();
    check(journal, first, end)?;
    let mut outcome = Outcome { synapse_bytes: simulation.synapse_bytes(), ..Outcome::default() };
    let mut commands = journal.iter().peekable();
    let start = Instant::now();
    let mut governor = Governor::headless(simulation.batch());
    while simulation.step() < end {
        if stop.load(Ordering::Relaxed) {
            outcome.interrupted = true;
            break;
        }
        if let Err(e) = batch(simulation, end, &mut governor, &mut commands, &mut outcome, &mut each) {
            outcome.failed = Some(e);
            break;
        }
    }
    if !outcome.interrupted && outcome.failed.is_none() {
        outcome.failed = commands.try_for_each(|stamped| simulation.apply(stamped.command.clone())).err();
    }
    outcome.end = simulation.step();
    outcome.steps = outcome.end - first;
    outcome.run_seconds = start.elapsed().as_secs_f64();
    Ok(outcome)
}

fn batch<'a>(
    simulation: &mut Simulation,
    end: u64,
    governor: &mut Governor,
    commands: &mut std::iter::Peekable<impl Iterator<Item = &'a Stamped>>,
    outcome: &mut Outcome,
    each: &mut impl FnMut(&Simulation, &Harvest) -> Result<(), String>,
) -> Result<(), String> {
    while let Some(stamped) = commands.next_if(|c| c.step <= simulation.step()) {
        simulation.apply(stamped.command.clone())?;
    }
    let until = commands.peek().map_or(end, |c| c.step.min(end));
    let until = simulation.next_weights().map_or(until, |step| step.min(until));
    let (steps, began) = (governor.steps().min(until - simulation.step()), Instant::now());
    let harvest = simulation.advance(steps)?;
    governor.took(steps, began.elapsed().as_secs_f64());
    outcome.spikes += harvest.spikes.len() as u64;
    outcome.events += harvest.events;
    each(simulation, &harvest)
}

/// A journal must be in order and within the run, since nothing of it may be dropped.
fn check(journal: &[Stamped], first: u64, end: u64) -> Result<(), String> {
    if !journal.is_sorted_by_key(|c| c.step) {
        return Err("the commands of the journal are not in the order of their steps".into());
    }
    match journal.iter().find(|c| c.step < first || c.step > end) {
        Some(c) => Err(format!("the journal holds a command at step {}, and the run goes from step {first} to {end}", c.step)),
        None => Ok(()),
    }
}
