//! A running network that can be edited: the scene it came from, its plan, its engine, and the journal of its edits.
//! Knows no clock and no file.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::machine::{Engine, Machine};
use super::poke::poke;
use crate::base::problem::{Problem, Source};
use crate::engine::cpu::Phases;
use crate::network::{Network, Probe};
use crate::plan::{self, Harvest, Plan, State};
use crate::scene::{self, Options, Scene};

/// What can be done to a running simulation. Applied between batches only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Gives the number at an address (`g`, `exc.tau_m`, `exc->inh.weight`, `external.rate`) a new value.
    Set { address: String, value: String },
    /// Moves a state variable of some neurons (ranges, the end left out) by an amount with a unit.
    Poke { population: String, neurons: Vec<[u32; 2]>, variable: String, add: String },
    /// Takes another text of the scene, with the values that were set on top of it: state that keeps its name goes on.
    Rewrite { text: String },
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
    /// Steps at which a parameter changes by itself.
    changes: Vec<u64>,
    /// Probes that take the place of the scene's own.
    watched: Option<Vec<Probe>>,
    machine: Machine,
    pub(super) engine: Engine,
}

impl Simulation {
    /// Builds the network of a scene that `origin` gave, to run on `machine`; from `state`, or else from the start.
    pub fn new(origin: Origin, scene: Scene, plan: Arc<Plan>, machine: &Machine, state: Option<&State>) -> Result<Self, String> {
        let mut engine = Engine::new(plan.clone(), machine)?;
        if let Some(state) = state {
            state.fits(&plan)?;
            engine.restore(state);
        }
        let changes = scene.network.changes();
        let mut simulation = Self { origin, scene, plan, journal: Vec::new(), changes, watched: None, machine: machine.clone(), engine };
        if simulation.changes.first().is_some_and(|c| *c <= simulation.step()) {
            let (old, new) = (simulation.scene.network.clone(), simulation.scene.network.at(simulation.step()));
            simulation.take_over(&old, &new)?;
        }
        Ok(simulation)
    }

    pub fn step(&self) -> u64 {
        self.engine.step()
    }

    pub fn synapse_bytes(&self) -> u64 {
        self.engine.synapse_bytes()
    }

    /// Measures the seconds of each phase from now on, where the engine can.
    pub fn measure(&mut self) {
        self.engine.measure();
    }

    /// Where the time went so far, if it is measured.
    pub fn phases(&self) -> Option<Phases> {
        self.engine.phases()
    }

    /// Steps that the engine takes at once.
    pub fn batch(&self) -> u64 {
        self.engine.batch()
    }

    /// Threads that step the network.
    pub fn threads(&self) -> usize {
        self.engine.threads()
    }

    /// Advances by `steps`; parameters that change in time change between batches.
    pub fn advance(&mut self, steps: u64) -> Result<Harvest, String> {
        let end = self.step() + steps;
        let mut harvest = Harvest { from: self.step(), to: end, ..Harvest::default() };
        while self.step() < end {
            let next = self.changes.iter().copied().find(|c| *c > self.step()).unwrap_or(end).min(end);
            let mut part = self.engine.advance(next - self.step())?;
            harvest.spikes.append(&mut part.spikes);
            harvest.samples.append(&mut part.samples);
            harvest.events += part.events;
            if self.changes.contains(&self.step()) {
                let (old, new) = (self.scene.network.at(self.step() - 1), self.scene.network.at(self.step()));
                self.take_over(&old, &new)?;
            }
        }
        Ok(harvest)
    }

    fn take_over(&mut self, old: &Network, new: &Network) -> Result<(), String> {
        let plan = Arc::new(plan::edit(old, &self.plan, new)?);
        self.engine.adopt(plan.clone())?;
        self.plan = plan;
        Ok(())
    }

    pub fn save(&self) -> Result<State, String> {
        self.engine.save()
    }

    /// Takes these probes instead of the scene's own. The spikes stay what they are.
    pub fn watch(&mut self, probes: Vec<Probe>, machine: &Machine) -> Result<(), String> {
        self.scene.network.probes.clone_from(&probes);
        let plan = Arc::new(plan::observe(&self.scene.network.at(self.step()), &self.plan)?);
        match &mut self.engine {
            Engine::Cpu(engine) => engine.adopt(plan.clone())?,
            // The buffers of a device are laid out for its probes.
            #[cfg(feature = "gpu")]
            Engine::Gpu(_) => {
                let state = self.engine.save()?;
                let mut engine = Engine::new(plan.clone(), machine)?;
                engine.restore(&state);
                self.engine = engine;
            }
        }
        let _ = machine;
        (self.plan, self.watched) = (plan, Some(probes));
        Ok(())
    }

    /// Whether an edit needs a rebuild, and of what; found out from the scene alone. An error says what is wrong with it.
    pub fn rebuilds(&self, address: &str, value: &str) -> Result<Option<String>, String> {
        let (_, scene) = self.with(address, value)?;
        Ok(plan::structure(&self.scene.network, &scene.network))
    }

    /// The scene with another value at an address, and where it would come from.
    fn with(&self, address: &str, value: &str) -> Result<(Origin, Scene), String> {
        let mut origin = self.origin.clone();
        origin.options.set.retain(|(known, _)| known != address);
        origin.options.set.push((address.into(), value.into()));
        let mut scene = origin.load().map_err(|problems| problems.iter().map(Problem::render).collect::<String>())?;
        if let Some(probes) = &self.watched {
            scene.network.probes.clone_from(probes);
        }
        Ok((origin, scene))
    }

    /// Goes on with another text of the scene, in an engine of its own.
    fn rewrite(&mut self, text: &str) -> Result<(), String> {
        let mut origin = self.origin.clone();
        origin.source = Arc::new(Source { name: self.origin.source.name.clone(), text: text.into() });
        let mut scene = origin.load().map_err(|problems| problems.iter().map(Problem::render).collect::<String>())?;
        let (mut old, watched) = (self.scene.network.at(self.step()), self.watched.as_ref());
        let watched = watched.map(|probes| kept(probes, &old, &scene.network));
        if let Some((before, now)) = &watched {
            old.probes.clone_from(before);
            scene.network.probes.clone_from(now);
        }
        let new = scene.network.at(self.step());
        let plan = Arc::new(plan::rewritten(&old, &self.plan, &new)?);
        let state = plan::carried(&old, &self.plan, &new, &plan, &self.save()?);
        state.fits(&plan)?;
        let mut engine = Engine::new(plan.clone(), &self.machine)?;
        engine.restore(&state);
        self.changes = scene.network.changes();
        (self.origin, self.scene, self.plan, self.engine, self.watched) = (origin, scene, plan, engine, watched.map(|w| w.1));
        Ok(())
    }

    /// Applies a command at this step. An error says why it cannot be; then nothing has changed.
    pub fn apply(&mut self, command: Command) -> Result<(), String> {
        match &command {
            Command::Set { address, value } => {
                let (origin, scene) = self.with(address, value)?;
                let (old, new) = (self.scene.network.at(self.step()), scene.network.at(self.step()));
                self.take_over(&old, &new).map_err(|e| format!("{address} = {value}: {e}"))?;
                self.changes = scene.network.changes();
                (self.origin, self.scene) = (origin, scene);
            }
            Command::Rewrite { text } => self.rewrite(text)?,
            Command::Poke { .. } => {
                let mut state = self.save()?;
                poke(&self.scene.network, &self.plan, &mut state, &command)?;
                self.engine.restore(&state);
            }
        }
        self.journal.push(Stamped { step: self.engine.step(), command });
        Ok(())
    }
}

/// Probes whose variables another network has by the same names, and how it numbers them.
fn kept(probes: &[Probe], old: &Network, new: &Network) -> (Vec<Probe>, Vec<Probe>) {
    let one = |probe: &Probe| {
        let Probe::State { name, of, variable, every } = probe else { return Some((probe.clone(), probe.clone())) };
        let wish = &old.populations.get(of.population)?.model.states.get(*variable)?.name;
        let variable = new.populations.get(of.population)?.model.states.iter().position(|s| s.name == *wish)?;
        Some((probe.clone(), Probe::State { name: name.clone(), of: of.clone(), variable, every: *every }))
    };
    probes.iter().filter_map(one).unzip()
}
