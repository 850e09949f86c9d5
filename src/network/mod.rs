//! What the user asks for, as plain values: populations, projections, stimuli, probes. Knows no file and no engine.
//! Units everywhere: ms, mV, pA, pF, nS; times on the grid are in steps.

mod rule;
mod space;
mod subject;

use std::sync::Arc;

pub use crate::base::draw::{Kind, Law};
use crate::model::{Model, SynapseModel};
pub use space::{Degree, Distance, Layout, Positions, Profile, Shape};
pub use subject::{Refusal, Subject};

/// Delays of more steps than this are refused: they would take too much memory.
pub const LONGEST_DELAY: f64 = 60_000.0;

#[derive(Clone, Debug)]
pub struct Network {
    pub title: String,
    pub dt: f64,
    pub seed: u64,
    pub warmup: u64,
    pub duration: u64,
    pub populations: Vec<Population>,
    pub projections: Vec<Projection>,
    pub gaps: Vec<Gap>,
    pub stimuli: Vec<Stimulus>,
    pub probes: Vec<Probe>,
}

#[derive(Clone, Debug)]
pub struct Population {
    pub name: String,
    pub model: Arc<Model>,
    pub size: u32,
    /// One entry per parameter of the model, in its order.
    pub parameters: Vec<Values>,
    /// One entry per state variable; `None` takes the model's own initial expression.
    pub initial: Vec<Option<Values>>,
    /// Parameters that change in time: from which step on, which, to what; in order of steps. Before its first change a
    /// parameter has its value in `parameters`.
    pub changes: Vec<(u64, usize, f64)>,
    pub positions: Option<Positions>,
}

/// A number for each neuron of a population.
#[derive(Clone, Debug)]
pub enum Values {
    Uniform(f64),
    Law(Law),
    Column(Arc<[f64]>),
}

/// Some neurons of one population, in id order.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub population: usize,
    pub which: Which,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Which {
    Range { start: u32, len: u32 },
    List(Arc<[u32]>),
}

impl Which {
    pub fn len(&self) -> u32 {
        match self {
            Which::Range { len, .. } => *len,
            Which::List(list) => list.len() as u32,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position of a neuron among the members.
    pub fn find(&self, neuron: u32) -> Option<u32> {
        match self {
            Which::Range { start, len } => neuron.checked_sub(*start).filter(|i| i < len),
            Which::List(list) => list.binary_search(&neuron).ok().map(|i| i as u32),
        }
    }

    /// How many members come before this neuron. Members are in the order of the population.
    pub fn position(&self, neuron: u32) -> u32 {
        match self {
            Which::Range { start, len } => neuron.saturating_sub(*start).min(*len),
            Which::List(list) => list.partition_point(|n| *n < neuron) as u32,
        }
    }

    /// The i-th member, as an index into the population.
    pub fn get(&self, i: u32) -> u32 {
        match self {
            Which::Range { start, .. } => start + i,
            Which::List(list) => list[i as usize],
        }
    }
}

#[derive(Clone, Debug)]
pub struct Projection {
    pub from: Part,
    pub to: Part,
    pub rule: Rule,
    pub autapses: bool,
    pub multapses: bool,
    pub receptor: Receptor,
    pub weight: Law,
    /// In milliseconds.
    pub delay: Law,
    /// Weights and delays that follow from the distance; their laws then hold the bounds.
    pub weight_by_distance: Option<Profile>,
    pub delay_by_distance: Option<Profile>,
    /// Where its synapses come from; the plan chooses if it is not said.
    pub storage: Option<Storage>,
    /// How its synapses change; static ones do not.
    pub changing: Option<Changing>,
}

/// Electrical coupling of the neurons of two parts: the same conductance both ways.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    pub from: Part,
    pub to: Part,
    /// Each with each, one with one, each pair with a probability, or listed pairs, of which the weight is the conductance.
    pub rule: Rule,
    /// In the unit of the input over that of the variable: nS for pA and mV.
    pub conductance: f64,
    /// Variable and input, by number, of either side.
    pub sides: [[usize; 2]; 2],
}

/// A synapse model with its numbers.
#[derive(Clone, Debug)]
pub struct Changing {
    /// Projections of one population that name the same and have the same numbers share the traces of their source neurons.
    pub name: String,
    pub model: Arc<SynapseModel>,
    /// One for each parameter of the model.
    pub parameters: Vec<f64>,
    /// The largest weight, where weights change.
    pub w_max: Option<f64>,
    /// Whose spikes modulate the change; empty where nobody's do.
    pub modulator: Vec<Part>,
}

/// Whether synapses are kept in memory, or drawn again at every spike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    Stored,
    Procedural,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receptor {
    Named(usize),
    /// Receptor 0 takes positive weights, receptor 1 negative ones.
    BySign,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    AllToAll,
    OneToOne,
    FixedProbability(f64),
    FixedInDegree(u32),
    FixedOutDegree(u32),
    FixedTotalNumber(u64),
    Distance(Distance),
    List(Arc<[Synapse]>),
}

/// One listed synapse; weight and delay fall back to the projection's laws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Synapse {
    pub source: u32,
    pub target: u32,
    pub weight: Option<f64>,
    pub delay: Option<f64>,
}

#[derive(Clone, Debug)]
pub struct Stimulus {
    pub name: String,
    pub to: Part,
    pub kind: Drive,
    /// Active in steps [start, stop).
    pub start: u64,
    pub stop: u64,
}

#[derive(Clone, Debug)]
pub enum Drive {
    /// Independent for each neuron; or, with a correlation c above 0, copies of one train of rate / c for the whole part, of which
    /// each neuron keeps every event with probability c (the multiple interaction process of Kuhn, Aertsen and Rotter 2003).
    Poisson { rate: Rate, correlation: f64, weight: f64, receptor: Receptor },
    /// Into the model's input of this index; in the input's unit.
    Current { input: usize, wave: Wave },
    /// (arrival step, weight), sorted; the same for each neuron of the part.
    Spikes { times: Arc<[u64]>, weight: f64, receptor: Receptor },
}

/// A rate in 1/ms.
#[derive(Clone, Debug)]
pub enum Rate {
    /// One for all neurons of the part, or one for each.
    Values(Values),
    /// From each step on; zero before the first.
    Steps(Arc<[(u64, f64)]>),
    /// A rate that swings, never below zero nor above `max`.
    Swing { wave: Wave, max: f64 },
}

impl Network {
    /// Steps at which a parameter changes by itself, in order.
    pub fn changes(&self) -> Vec<u64> {
        let mut steps: Vec<u64> = self.populations.iter().flat_map(|p| p.changes.iter().map(|c| c.0)).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// The network with the parameters that hold over step `step`.
    pub fn at(&self, step: u64) -> Network {
        let mut network = self.clone();
        for p in &mut network.populations {
            for (_, parameter, value) in p.changes.iter().filter(|c| c.0 <= step) {
                p.parameters[*parameter] = Values::Uniform(*value);
            }
        }
        network
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Wave {
    Constant(f64),
    /// Value from each step on; zero before the first.
    Steps(Arc<[(u64, f64)]>),
    /// offset + amplitude sin(2 pi f t + phase), f in 1/ms.
    Sine {
        offset: f64,
        amplitude: f64,
        frequency: f64,
        phase: f64,
    },
    /// A new normal draw per neuron every `every` steps.
    Noise {
        mean: f64,
        sd: f64,
        every: u64,
    },
}

impl Wave {
    /// The value that holds over step `step` of `dt` ms for all neurons alike; none for noise.
    pub fn at(&self, step: u64, dt: f64) -> Option<f64> {
        match self {
            Wave::Constant(x) => Some(*x),
            Wave::Steps(steps) => Some(steps.iter().rev().find(|(s, _)| *s <= step).map_or(0.0, |(_, x)| *x)),
            Wave::Sine { offset, amplitude, frequency, phase } => {
                Some(offset + amplitude * libm::sin(std::f64::consts::TAU * frequency * step as f64 * dt + phase))
            }
            Wave::Noise { .. } => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Probe {
    Spikes {
        of: Part,
    },
    State {
        name: String,
        of: Part,
        variable: usize,
        every: u64,
    },
    /// Spikes per neuron and second in bins of `every` steps.
    Rate {
        name: String,
        of: Part,
        every: u64,
    },
    /// Weights of the synapses of a projection from and to these neurons, every so many steps, or at the end alone.
    Weights {
        name: String,
        projection: usize,
        from: Which,
        to: Which,
        every: Option<u64>,
    },
}
