//! The laws of engines that step some neurons of a network each, and tell each other their spikes. Knows no engine.

use super::{Plan, Spike};

impl Plan {
    /// The shortest delay in steps: nothing that spikes arrives earlier.
    pub fn shortest(&self) -> u64 {
        self.projections.iter().map(|p| p.shortest()).fold(f64::from(u32::MAX), f64::min).max(1.0) as u64
    }

    /// Whether an engine of some neurons may advance by so many steps, ignorant of the spikes of the others.
    pub fn reach(&self, steps: u64) -> Result<(), String> {
        let most = self.shortest();
        if steps <= most {
            return Ok(());
        }
        Err(format!("an engine of some neurons advances by at most {most} steps, the shortest delay, between two exchanges"))
    }

    /// Whether spikes from elsewhere, told at step `now`, are of this network and so recent that nothing of theirs is due yet.
    pub fn recent(&self, spikes: &[Spike], now: u64) -> Result<(), String> {
        let shortest = self.shortest();
        for spike in spikes {
            let step = u64::from(spike.step);
            if step > now || step + shortest <= now {
                return Err(format!("a spike of step {step} comes too late or too early at step {now}"));
            }
            if spike.neuron >= self.neurons {
                return Err(format!("there is no neuron {}: the network has {}", spike.neuron, self.neurons));
            }
        }
        Ok(())
    }
}
