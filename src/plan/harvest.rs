//! What an engine gives after a batch. Lives here so that engine and record need not know each other.

/// Spikes and samples of the steps (from, to].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Harvest {
    pub from: u64,
    pub to: u64,
    /// Sorted by step, then neuron. A spike's time is `step * dt`.
    pub spikes: Vec<Spike>,
    /// Sorted by step, then probe.
    pub samples: Vec<Sample>,
    /// Synaptic events delivered.
    pub events: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spike {
    pub step: u32,
    /// Over the whole network, in file order.
    pub neuron: u32,
}

/// One variable of the neurons of one probe, at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub probe: u32,
    pub step: u32,
    pub values: Vec<f32>,
}
