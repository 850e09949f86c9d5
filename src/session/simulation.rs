//! A running network that can be edited: the scene it came from, its plan, its engine, and the journal of its edits.
//! Knows no clock and no file.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::machine::{Engine, Machine};
use crate::base::problem::{Problem, Source};
use crate::plan::{self, Harvest, Plan, State};
use crate::scene::{self, Options, Scene};

/// What can be done to a running simulation. Applied between batches only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Gives the number at an address (`g`, `exc.tau_m`, `exc->inh.weight`, `external.rate`) a new value.
    Set { address: String, value: String },
}

/// A command and the step after which it was applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    pub step: u64,
    #[serde(flatten)]
    pub command: Command,
}

/// Where a scene came from, so that it can be read again with other values.
#[derive(Clone, Debug)]
pub struct Origin {
    pub source: Arc<Source>,
    pub folder: Option<PathBuf>,
    pub options: Options,
}

impl Origin {
    pub fn load(&self) -> Result<Scene, Vec<Problem>> {
        scene::load(self.source.clone(), self.folder.as_deref(), &self.options)
    }
}

pub struct Simulation {
    pub origin: Origin,
    pub scene: Scene,
    pub plan: Arc<Plan>,
    pub journal: Vec<Stamped>,
    engine: Engine,
}

impl Simulation {
    /// Builds the network of a scene that `origin` gave, to run on `machine`; from `state`, or else from the start.
    pub fn new(origin: Origin, scene: Scene, plan: Arc<Plan>, machine: &Machine, state: Option<&State>) -> Result<Self, String> {
        let mut engine = Engine::new(plan.clone(), machine)?;
        if let Some(state) = state {
            state.fits(&plan)?;
            engine.restore(state);
        }
        Ok(Self { origin, scene, plan, journal: Vec::new(), engine })
    }

    pub fn step(&self) -> u64 {
        self.engine.step()
    }

    pub fn synapse_bytes(&self) -> u64 {
        self.engine.synapse_bytes()
    }

    pub fn advance(&mut self, steps: u64) -> Result<Harvest, String> {
        self.engine.advance(steps)
    }

    pub fn save(&self) -> Result<State, String> {
        self.engine.save()
    }

    /// Applies a command at this step. An error says why it cannot be; then nothing has changed.
    pub fn apply(&mut self, command: Command) -> Result<(), String> {
        let Command::Set { address, value } = &command;
        let mut origin = self.origin.clone();
        origin.options.set.retain(|(known, _)| known != address);
        origin.options.set.push((address.clone(), value.clone()));
        let scene = origin.load().map_err(|problems| problems.iter().map(Problem::render).collect::<String>())?;
        let plan = plan::edit(&self.scene.network, &self.plan, &scene.network).map_err(|e| format!("{address} = {value}: {e}"))?;
        let plan = Arc::new(plan);
        self.engine.adopt(plan.clone())?;
        (self.origin, self.scene, self.plan) = (origin, scene, plan);
        self.journal.push(Stamped { step: self.engine.step(), command });
        Ok(())
    }
}
