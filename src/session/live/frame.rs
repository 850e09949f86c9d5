//! What a reader sees of a live simulation: values as of one moment, shared and never changed.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Chunk, Weighed};
use crate::base::problem::{Problem, Source};
use crate::network::Network;
use crate::plan::{Plan, Sheet};
use crate::scene::{Button, Knob, Lesson, Preset};
use crate::session::Stamped;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// No network yet, or none that could be built.
    #[default]
    Empty,
    Building,
    Paused,
    Running,
}

/// A neuron whose membrane is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    pub neuron: u32,
    pub name: String,
    pub variable: String,
}

/// How fast it goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Speeds {
    /// Seconds of computing per second of the network's life, below 1 is faster than life.
    pub factor: f64,
    /// Seconds of life per second, as seen from outside.
    pub pace: f64,
    pub steps_per_second: f64,
    pub spikes_per_second: f64,
    pub ms_per_step: f64,
}

#[derive(Clone, Debug, Default)]
pub struct Device {
    pub name: String,
    pub why: String,
    pub exact: bool,
}

/// What changes only with an edit or a rebuild.
#[derive(Clone, Debug)]
pub struct About {
    pub title: String,
    pub about: String,
    pub cite: String,
    pub unconfirmed: Vec<String>,
    pub presets: Vec<Preset>,
    pub knobs: Vec<Knob>,
    /// Parameters of the populations' models, by address: none of them rebuilds.
    pub cells: Vec<Knob>,
    /// Both as they were when the scene was opened.
    pub original: Arc<[Knob]>,
    /// For each knob what it would rebuild, if it cannot be changed while the network runs.
    pub rebuilds: Arc<[Option<String>]>,
    pub buttons: Vec<Button>,
    pub lesson: Option<Arc<Lesson>>,
    pub network: Arc<Network>,
    pub plan: Arc<Plan>,
    /// Where the neurons of each population are, if the scene says.
    pub sheets: Vec<Option<Arc<Sheet>>>,
    /// The step that is run, by population.
    pub equations: Vec<String>,
    pub source: Arc<Source>,
    pub folder: Option<PathBuf>,
    /// The scene as it stood at time 0 of this run.
    pub base: Arc<str>,
    pub synapses: u64,
    pub bytes: u64,
    pub budget: Vec<(&'static str, u64)>,
}

impl About {
    /// First neuron and size of each population.
    pub fn ranges(&self) -> Vec<(u32, u32)> {
        let mut first = 0;
        let range = |size: u32| {
            first += size;
            (first - size, size)
        };
        self.network.populations.iter().map(|p| p.size).map(range).collect()
    }

    /// A parameter of the scene or of a population.
    pub fn knob(&self, name: &str) -> Option<&Knob> {
        self.knobs.iter().chain(&self.cells).find(|k| k.name == name)
    }

    pub fn neurons(&self) -> u32 {
        self.network.populations.iter().map(|p| p.size).sum()
    }
}

#[derive(Clone, Debug, Default)]
pub struct Frame {
    pub phase: Phase,
    /// Number of the last order that was carried out.
    pub done: u64,
    /// Counts the networks that were built; spikes of different ones have nothing to do with each other.
    pub generation: u64,
    pub about: Option<Arc<About>>,
    pub step: u64,
    /// Length of a step, ms.
    pub dt: f64,
    pub chunks: Arc<[Arc<Chunk>]>,
    /// Spikes since time 0, and those no longer held for looking back.
    pub spikes: u64,
    pub forgotten: u64,
    pub events: u64,
    /// Of the projection that was chosen, if its weights change.
    pub weights: Option<Arc<Weighed>>,
    pub journal: Arc<[Stamped]>,
    pub seed: u64,
    pub speed: Option<f64>,
    pub guard: Option<f64>,
    pub speeds: Speeds,
    pub device: Device,
    /// Memory of plan, engine and history, bytes.
    pub bytes: u64,
    /// What is wrong with the scene that was to be opened.
    pub problems: Arc<[Problem]>,
    /// Why the simulation stopped by itself; and whether the guard did it, against a population that ran away.
    pub stopped: Option<String>,
    pub ran_away: bool,
    /// What happened to the last order, if it is worth telling: a rebuild, a refusal.
    pub note: Option<String>,
}

impl Frame {
    /// Time in ms.
    pub fn time(&self) -> f64 {
        self.step as f64 * self.dt
    }

    /// First step that can be looked back to.
    pub fn oldest(&self) -> u64 {
        self.chunks.first().map_or(self.step, |c| c.from)
    }

    /// The chunks that touch the steps (from, to].
    pub fn chunks(&self, from: u64, to: u64) -> &[Arc<Chunk>] {
        let low = self.chunks.partition_point(|c| c.to <= from);
        let high = self.chunks.partition_point(|c| c.from < to);
        &self.chunks[low..high.max(low)]
    }
}
