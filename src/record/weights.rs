//! Weights of the synapses of a part of a projection, at some steps: streamed, value by value. Knows no engine.

use std::path::Path;

use super::{Raw, Words};

/// What is written of one probe of weights.
pub struct Weighing {
    sources: Raw,
    targets: Raw,
    steps: Raw,
    values: Raw,
}

/// A finished probe of weights: neurons over the whole network, one of each for every synapse; then steps, and values by time,
/// then synapse.
pub struct Weights {
    pub sources: Words,
    pub targets: Words,
    pub steps: Words,
    pub values: Words,
}

impl Weighing {
    pub fn new(directory: &Path, number: usize) -> Result<Self, String> {
        let raw = |what: &str| Raw::new(directory, &format!("weights{number}_{what}"));
        Ok(Self { sources: raw("source")?, targets: raw("target")?, steps: raw("step")?, values: raw("values")? })
    }

    /// The next synapse, in the order in which its weights will come.
    pub fn synapse(&mut self, source: u32, target: u32) -> Result<(), String> {
        self.sources.push(source.to_le_bytes())?;
        self.targets.push(target.to_le_bytes())
    }

    /// From here on the weights of this step.
    pub fn step(&mut self, step: u64) -> Result<(), String> {
        self.steps.push((step as u32).to_le_bytes())
    }

    pub fn weight(&mut self, weight: f32) -> Result<(), String> {
        self.values.push(weight.to_le_bytes())
    }

    pub fn finish(self) -> Result<Weights, String> {
        let (sources, targets) = (self.sources.finish()?, self.targets.finish()?);
        Ok(Weights { sources, targets, steps: self.steps.finish()?, values: self.values.finish()? })
    }
}
