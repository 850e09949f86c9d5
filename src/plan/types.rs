//! The plan: everything an engine needs, as numbers. Knows no names but those it needs to report a failure.

use std::sync::Arc;

use crate::base::draw::{Poisson, Quantile};
use crate::model::program::Program;
use crate::network::{Part, Storage, Synapse, Wave, Which};

use super::space::{Between, ByDistance, Sheet};
use super::{GapPlan, Wiring};

pub struct Plan {
    /// Length of a step, ms.
    pub dt: f64,
    pub seed: u64,
    pub neurons: u32,
    /// Input slots: one for each receptor of each neuron.
    pub slots: usize,
    /// Rows of the delay ring: the longest delay plus one.
    pub ring: usize,
    pub populations: Vec<PopulationPlan>,
    pub projections: Vec<ProjectionPlan>,
    pub gaps: Vec<GapPlan>,
    pub drives: Vec<DrivePlan>,
    /// Traces of sources, and of targets of synapses whose weights change.
    pub traces: Vec<TracePlan>,
    pub targets: Vec<TracePlan>,
    /// Traces that the spikes of some neurons set together.
    pub modulators: Vec<ModulatorPlan>,
    pub probes: Vec<ProbePlan>,
    /// What memory is spent on, counted before any of it is allocated.
    pub budget: Vec<(&'static str, u64)>,
}

/// Its sizes: what is in it is numbers by the million.
impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (populations, projections) = (self.populations.len(), self.projections.len());
        f.debug_struct("Plan").field("populations", &populations).field("projections", &projections).finish_non_exhaustive()
    }
}

impl ProjectionPlan {
    pub fn procedural(&self) -> bool {
        self.storage.storage == Storage::Procedural
    }
}

impl Plan {
    pub fn bytes(&self) -> u64 {
        self.budget.iter().map(|(_, b)| b).sum()
    }

    /// Synapses of the whole network; an expectation where a rule leaves the number to chance.
    pub fn synapses(&self) -> u64 {
        self.projections.iter().map(|p| p.wiring.synapses()).sum()
    }
}

/// One number for all neurons of a population, or one for each.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    Uniform(f32),
    Column(Vec<f32>),
}

pub struct PopulationPlan {
    pub name: String,
    /// Names of the state variables, hidden ones last.
    pub states: Vec<String>,
    pub first: u32,
    pub size: u32,
    pub program: Arc<Program>,
    pub coefficients: Vec<Number>,
    pub initial: Vec<Number>,
    /// First slot of receptor 0; receptor r of neuron i has slot `slot + r * size + i`.
    pub slot: usize,
    /// One unit of receptor r is `2^scale[r]` quanta.
    pub scale: Vec<i32>,
    /// Where its neurons are.
    pub sheet: Option<Arc<Sheet>>,
}

impl PopulationPlan {
    /// What to tell of a state variable that is infinite or no number.
    pub fn not_finite(&self, variable: &str, neuron: usize, step: u64, dt: f64) -> String {
        let (name, time) = (&self.name, (step as f64 * dt * 1e6).round() / 1e6);
        format!(
            "{variable} of {name}[{neuron}] is no finite number at or before step {step} ({time} ms): a smaller dt, more substeps or weaker input would help"
        )
    }
}

pub struct ProjectionPlan {
    pub source: usize,
    pub from: Which,
    pub target: usize,
    pub to: Which,
    pub wiring: Arc<Wiring>,
    pub listed: Arc<[Synapse]>,
    pub weight: Weight,
    /// In steps.
    pub delay: Quantile,
    /// The space of sources and targets, where both have positions.
    pub between: Option<Arc<Between>>,
    /// Weights in quanta (to be shifted as drawn ones are) and delays in steps, where they follow from the distance.
    pub by_distance: ByDistance,
    /// First slots of the receptors that take positive and negative weights.
    pub slots: [usize; 2],
    /// Number of the random streams of this projection.
    pub stream: u32,
    pub storage: Choice,
    /// The traces of its sources, which make the factor of every spike.
    pub traces: Option<usize>,
    /// How its weights change, if they do.
    pub plastic: Option<Plastic>,
}

/// How the weights of a projection change, in units of the largest.
#[derive(Clone, PartialEq)]
pub struct Plastic {
    /// The traces of its targets, by number among the plan's `targets`.
    pub targets: usize,
    /// What a spike of the source and one of the target make of a weight.
    pub pre: Change,
    pub post: Change,
    /// What a step of the target makes of it at which the condition of the rule holds.
    pub condition: Option<Change>,
    /// What becomes of a weight between two events, where something does.
    pub drift: Option<Change>,
    /// What each synapse keeps beside its weight, as it begins.
    pub kept: Vec<f32>,
    /// Whose spikes modulate the change, by number among the plan's `modulators`.
    pub modulator: Option<usize>,
    /// The largest weight in quanta, with its sign.
    pub quanta: f32,
    /// The largest weight in the receptor's unit.
    pub most: f64,
}

impl Plastic {
    /// A weight in units of the largest, from the quanta with which it begins.
    pub fn start(&self, quanta: i32) -> f32 {
        (quanta as f32 * self.unit()).clamp(0.0, 1.0)
    }

    /// One quantum, in units of the largest weight.
    pub fn unit(&self) -> f32 {
        (1.0 / f64::from(self.quanta)) as f32
    }

    /// The quanta that a weight brings.
    #[inline(always)]
    pub fn sent(&self, weight: f32) -> i32 {
        (weight * self.quanta).round_ties_even() as i32
    }
}

/// A program whose last state is a weight; before it stand the traces of the spiking side, the factor and the traces of the other
/// side, as their last spikes left them, what the synapse keeps, and the traces of the modulator. Its inputs are the steps since
/// those spikes, then what is read of the target. Of a drift the first states are the traces of the source and of the target, and the first input is the steps to
/// be gone; the others are as they are when it begins.
#[derive(Clone, PartialEq)]
pub struct Change {
    pub program: Arc<Program>,
    pub coefficients: Vec<f32>,
}

/// Traces that the spikes of some neurons set together, each like the last.
pub struct ModulatorPlan {
    pub of: Vec<Part>,
    pub traces: TracePlan,
}

impl ModulatorPlan {
    /// Whether a neuron, numbered over the whole network, is one of these.
    pub fn has(&self, populations: &[PopulationPlan], neuron: u32) -> bool {
        self.of.iter().any(|part| {
            let p = &populations[part.population];
            neuron.checked_sub(p.first).is_some_and(|i| i < p.size && part.which.find(i).is_some())
        })
    }
}

/// Traces of the neurons of a population, which projections that leave it share.
pub struct TracePlan {
    pub population: usize,
    /// The first projection that uses them, and the synapse model.
    pub name: String,
    pub states: Vec<String>,
    /// What a spike does: its states are the traces, then the factor; its input is the steps since the last spike.
    pub program: Arc<Program>,
    pub coefficients: Vec<f32>,
    pub initial: Vec<f32>,
    /// What rules read of these neurons, if they read anything.
    pub watch: Option<Watch>,
}

/// What rules read of the neurons of a population, and the steps of them that are events as spikes are.
#[derive(Clone, PartialEq)]
pub struct Watch {
    pub reads: Vec<Reading>,
    /// Whether a step is such an event, and what it makes of the traces: the first program has one state, which is 0 where it is
    /// none; of both the inputs from `READS` on are what is read.
    pub condition: Option<[Change; 2]>,
}

/// A state variable, and of how many steps ago.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    pub variable: usize,
    pub age: u32,
}

/// How a projection's synapses are held, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub storage: Storage,
    pub why: String,
}

/// Weights in quanta: `value << shift`, the value fitting 16 bits unless it is constant or listed.
#[derive(PartialEq)]
pub struct Weight {
    pub law: Quantile,
    pub shift: u32,
    /// Factor from the file's unit to quanta, for listed weights.
    pub quanta: f64,
}

pub struct DrivePlan {
    pub population: usize,
    pub to: Which,
    pub start: u64,
    pub stop: u64,
    pub kind: DriveKind,
    pub stream: u32,
}

pub enum DriveKind {
    /// Counts at the largest rate, of which a share is kept.
    Poisson {
        counts: Poisson,
        keep: Keep,
        weight: i32,
        slot: usize,
    },
    Current {
        input: usize,
        wave: Wave,
    },
    Spikes {
        steps: Arc<[u64]>,
        weight: i32,
        slot: usize,
    },
}

/// The share of Poisson events that is kept, in units of 2^-32; `Keep::WHOLE` keeps all.
#[derive(Clone, Debug, PartialEq)]
pub enum Keep {
    All,
    /// By neuron of the part.
    Each(Vec<u32>),
    /// From each step on.
    Steps(Vec<(u64, u32)>),
    /// By a rate that swings below this largest one, at steps of so many ms.
    Swing {
        wave: Wave,
        max: f64,
        dt: f64,
    },
    /// By each neuron on its own, of the events of one train for all.
    Copies(u32),
}

impl Keep {
    pub const WHOLE: u32 = u32::MAX;

    /// The share `rate / max`.
    pub fn share(rate: f64, max: f64) -> u32 {
        if rate >= max { Self::WHOLE } else { libm::rint(rate / max * 4_294_967_295.0) as u32 }
    }

    /// The share at a step, for all neurons alike.
    pub fn at(&self, step: u64) -> u32 {
        match self {
            Keep::Steps(steps) => steps.iter().rev().find(|s| s.0 <= step).map_or(0, |s| s.1),
            Keep::Swing { wave, max, dt } => Self::share(wave.at(step, *dt).unwrap_or(0.0), *max),
            Keep::Copies(share) => *share,
            _ => Self::WHOLE,
        }
    }
}

pub struct ProbePlan {
    pub population: usize,
    pub of: Which,
    pub variable: usize,
    pub every: u64,
}
