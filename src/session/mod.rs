//! The only loop over time. Knows an engine and whom to give its harvest; draws nothing and parses nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::plan::{Harvest, Plan};

mod machine;
#[cfg(feature = "gpu")]
mod selftest;

pub use machine::{Backend, Description, Engine, Machine, Tested, choose, devices};

/// Steps between two harvests: long enough to cost nothing, short enough for a lively progress bar.
const BATCH: u64 = 250;

/// How a run went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    pub build_seconds: f64,
    pub run_seconds: f64,
    pub steps: u64,
    pub spikes: u64,
    pub events: u64,
    pub synapse_bytes: u64,
    /// Stopped before the end, by Ctrl-C.
    pub interrupted: bool,
}

/// Builds the network on `machine` and advances it by `steps`, giving every harvest in order to `each`.
/// `stop` is read between batches.
pub fn run(
    plan: &Plan,
    machine: &Machine,
    steps: u64,
    stop: &AtomicBool,
    mut each: impl FnMut(&Harvest) -> Result<(), String>,
) -> Result<Outcome, String> {
    let start = Instant::now();
    let mut engine = Engine::new(plan, machine)?;
    let mut outcome = Outcome { build_seconds: start.elapsed().as_secs_f64(), synapse_bytes: engine.synapse_bytes(), ..Outcome::default() };
    let start = Instant::now();
    while engine.step() < steps {
        if stop.load(Ordering::Relaxed) {
            outcome.interrupted = true;
            break;
        }
        let harvest = engine.advance(BATCH.min(steps - engine.step()))?;
        outcome.spikes += harvest.spikes.len() as u64;
        outcome.events += harvest.events;
        each(&harvest)?;
    }
    outcome.steps = engine.step();
    outcome.run_seconds = start.elapsed().as_secs_f64();
    Ok(outcome)
}
