//! Whether a device gives the bits of the CPU engine, found out by running a small network of several models on both.
//! Knows no machine.

use std::sync::Arc;

use crate::base::problem::Source;
use crate::engine::cpu::Cpu;
use crate::engine::gpu::{Device, Forced, Gpu};
use crate::plan;

const NETWORK: &str = include_str!("selftest.toml");
const STEPS: u64 = 400;

/// An error says what differed first.
pub fn run(device: &Arc<Device>) -> Result<(), String> {
    let source = Arc::new(Source { name: "self-test".into(), text: NETWORK.into() });
    let scene = crate::scene::load(source, None, &crate::scene::Options::default())
        .map_err(|problems| problems.iter().map(|p| p.render()).collect::<String>())?;
    let plan = Arc::new(plan::plan(&scene.network)?);
    let mut cpu = Cpu::new(plan.clone())?;
    let mut gpu = Gpu::new(plan.clone(), device.clone(), Forced::default())?;
    let (expected, found) = (cpu.advance(STEPS)?, gpu.advance(STEPS)?);
    if expected.spikes.len() < 200 {
        return Err(format!("the self-test is too quiet: {} spikes", expected.spikes.len()));
    }
    if let Some((a, b)) = expected.spikes.iter().zip(&found.spikes).find(|(a, b)| a != b) {
        return Err(format!(
            "the first spike that differs: neuron {} at step {}, here neuron {} at step {}",
            a.neuron, a.step, b.neuron, b.step
        ));
    }
    if expected.spikes.len() != found.spikes.len() {
        return Err(format!("{} spikes, here {}", expected.spikes.len(), found.spikes.len()));
    }
    for (p, population) in plan.populations.iter().enumerate() {
        for (v, name) in population.states.iter().enumerate() {
            let here = gpu.state(p, v)?;
            if let Some(i) = cpu.state(p, v).iter().zip(&here).position(|(a, b)| a != b) {
                return Err(format!("{name} of {}[{i}] is {} and here {}", population.name, cpu.state(p, v)[i], here[i]));
            }
        }
    }
    Ok(())
}
