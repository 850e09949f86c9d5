//! Harvest -> Recording: streams to disk, keeps running statistics. Memory grows neither with the time nor with the number
//! of spikes. Knows no engine and no file format of the user's.

mod bursts;
mod counts;
mod distribution;
mod formulas;
mod metrics;
mod rate;
mod spectrum;
mod statistics;
mod weights;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::plan::Harvest;
pub use distribution::{WEIGHT_METRICS, WEIGHTS_SUBSET, measure_weights};
pub use metrics::{METRICS, Metric};
pub use spectrum::spectrum;
pub use statistics::{Statistics, Window};
pub use weights::{Weighing, Weights};

/// What is recorded, and of whom.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Length of a step, ms.
    pub dt: f64,
    /// Steps that the statistics leave out.
    pub warmup: u64,
    /// Further windows of which there are statistics.
    pub windows: Vec<Window>,
    /// Name, first neuron, size; in order of neurons.
    pub populations: Vec<(String, u32, u32)>,
    /// Neurons whose spikes are written.
    pub spikes: Vec<u32>,
    pub probes: Vec<ProbeLayout>,
    /// Parts whose rate is recorded.
    pub rates: Vec<ProbeLayout>,
    /// Names of the probes of weights.
    pub weights: Vec<String>,
    /// Step at which the recording begins.
    pub first: u64,
}

#[derive(Clone, Debug)]
pub struct ProbeLayout {
    pub name: String,
    pub neurons: Vec<u32>,
    pub every: u64,
}

/// Takes harvests in order.
pub struct Recorder {
    layout: Layout,
    chosen: Vec<bool>,
    statistics: Statistics,
    windows: Vec<Statistics>,
    steps: Raw,
    neurons: Raw,
    probes: Vec<(Raw, Raw)>,
    rates: Vec<(rate::Rate, Raw, Raw)>,
    /// One for each probe of weights, in their order.
    pub weights: Vec<Weighing>,
}

/// A file of little-endian 4-byte words.
#[derive(Debug)]
struct Raw {
    path: PathBuf,
    file: BufWriter<File>,
    words: u64,
}

/// A finished run: statistics in memory, data in temporary files that vanish with it.
pub struct Recording {
    pub layout: Layout,
    pub statistics: Statistics,
    /// One for each window of the layout.
    pub windows: Vec<Statistics>,
    pub spike_steps: Words,
    pub spike_neurons: Words,
    /// Steps and values of each probe; values by time, then neuron.
    pub probes: Vec<(Words, Words)>,
    /// Steps at which the bins of each rate end, and the rates in Hz.
    pub rates: Vec<(Words, Words)>,
    pub weights: Vec<Weights>,
}

/// A finished file of little-endian 4-byte words, removed on drop.
pub struct Words {
    pub path: PathBuf,
    pub count: u64,
}

impl Drop for Words {
    fn drop(&mut self) {
        // A temporary file that cannot be removed does no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Raw {
    fn new(directory: &Path, name: &str) -> Result<Self, String> {
        let path = directory.join(format!(".{name}.part"));
        let file = File::create(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self { path, file: BufWriter::with_capacity(1 << 16, file), words: 0 })
    }

    fn push(&mut self, word: [u8; 4]) -> Result<(), String> {
        self.words += 1;
        self.file.write_all(&word).map_err(|e| format!("{}: {e}", self.path.display()))
    }

    fn finish(mut self) -> Result<Words, String> {
        self.file.flush().map_err(|e| format!("{}: {e}", self.path.display()))?;
        Ok(Words { path: self.path, count: self.words })
    }
}

impl Recorder {
    /// A recorder that writes temporary files into `directory`.
    pub fn new(directory: &Path, layout: Layout) -> Result<Self, String> {
        let neurons = layout.populations.iter().map(|p| p.1 + p.2).max().unwrap_or(0) as usize;
        let mut chosen = vec![false; neurons];
        layout.spikes.iter().filter(|n| (**n as usize) < neurons).for_each(|n| chosen[*n as usize] = true);
        let probe = |i: usize| Ok((Raw::new(directory, &format!("probe{i}_step"))?, Raw::new(directory, &format!("probe{i}_values"))?));
        let rate = |(i, r): (usize, &ProbeLayout)| {
            let counter = rate::Rate::new(&r.neurons, neurons, r.every, layout.dt, layout.first);
            Ok((counter, Raw::new(directory, &format!("rate{i}_step"))?, Raw::new(directory, &format!("rate{i}_values"))?))
        };
        Ok(Self {
            rates: layout.rates.iter().enumerate().map(rate).collect::<Result<_, String>>()?,
            weights: (0..layout.weights.len()).map(|i| Weighing::new(directory, i)).collect::<Result<_, _>>()?,
            statistics: Statistics::new(&layout, Window::after(layout.warmup, layout.dt)),
            windows: layout.windows.iter().map(|w| Statistics::new(&layout, *w)).collect(),
            steps: Raw::new(directory, "spike_step")?,
            neurons: Raw::new(directory, "spike_neuron")?,
            probes: (0..layout.probes.len()).map(probe).collect::<Result<_, String>>()?,
            layout,
            chosen,
        })
    }

    pub fn take(&mut self, harvest: &Harvest) -> Result<(), String> {
        for spike in &harvest.spikes {
            self.statistics.spike(u64::from(spike.step), spike.neuron);
            self.windows.iter_mut().for_each(|w| w.spike(u64::from(spike.step), spike.neuron));
            if self.chosen[spike.neuron as usize] {
                self.steps.push(spike.step.to_le_bytes())?;
                self.neurons.push(spike.neuron.to_le_bytes())?;
            }
        }
        self.statistics.reach(harvest.to);
        self.windows.iter_mut().for_each(|w| w.reach(harvest.to));
        for (counter, steps, values) in &mut self.rates {
            let mut write = |step: u64, rate: f32| {
                steps.push((step as u32).to_le_bytes())?;
                values.push(rate.to_le_bytes())
            };
            for spike in &harvest.spikes {
                counter.spike(u64::from(spike.step), spike.neuron, &mut write)?;
            }
            counter.reach(harvest.to, &mut write)?;
        }
        for sample in &harvest.samples {
            let (steps, values) = &mut self.probes[sample.probe as usize];
            steps.push(sample.step.to_le_bytes())?;
            sample.values.iter().try_for_each(|v| values.push(v.to_le_bytes()))?;
        }
        Ok(())
    }

    pub fn finish(self) -> Result<Recording, String> {
        Ok(Recording {
            layout: self.layout,
            statistics: self.statistics,
            windows: self.windows,
            spike_steps: self.steps.finish()?,
            spike_neurons: self.neurons.finish()?,
            rates: self.rates.into_iter().map(|(_, s, v)| Ok((s.finish()?, v.finish()?))).collect::<Result<_, String>>()?,
            weights: self.weights.into_iter().map(Weighing::finish).collect::<Result<_, _>>()?,
            probes: self.probes.into_iter().map(|(s, v)| Ok((s.finish()?, v.finish()?))).collect::<Result<_, String>>()?,
        })
    }
}

#[cfg(test)]
mod tests;
