//! Continuous inputs: the value of every current at the start of a step. Knows no spike.

use super::partition::Share;
use crate::base::rng::Stream;
use crate::network::Wave;
use crate::plan::{DriveKind, DrivePlan, Plan, purpose};

/// The currents that feed one input of one share.
pub struct Feed {
    drives: Vec<usize>,
    /// What gap junctions bring to each neuron of the share in this step, if there are any.
    pub coupled: Vec<f32>,
    /// The first neuron of the share.
    first: u32,
}

impl Feed {
    pub fn new(plan: &Plan, share: &Share, input: usize) -> Self {
        Self { drives: drives(plan, share.population, input).collect(), coupled: Vec::new(), first: share.start }
    }

    /// Whether the values at `step` may differ from those before.
    #[inline(always)]
    pub fn changes(&self, plan: &Plan, step: u64) -> bool {
        !self.coupled.is_empty() || self.drives.iter().any(|i| changes(&plan.drives[*i], step))
    }

    /// The values of neurons `start..` of the population at `step`.
    pub fn set(&self, plan: &Plan, step: u64, start: u32, values: &mut [f32]) {
        values.fill(0.0);
        for drive in self.drives.iter().map(|i| &plan.drives[*i]).filter(|d| d.start <= step && step < d.stop) {
            add(plan, drive, step, start, values);
        }
        values.iter_mut().zip(self.coupled.iter().skip((start - self.first) as usize)).for_each(|(sum, current)| *sum += current);
    }
}

/// The inputs of a share.
pub fn feeds(plan: &Plan, share: &Share) -> Vec<Feed> {
    (0..plan.populations[share.population].program.inputs as usize).map(|input| Feed::new(plan, share, input)).collect()
}

/// The inputs of a population that currents or gap junctions feed.
pub fn fed(plan: &Plan, population: usize) -> Vec<usize> {
    let coupled = |input: usize| plan.gaps.iter().any(|g| g.target[0] == population && g.target[2] == input);
    let feeds = |input: &usize| coupled(*input) || drives(plan, population, *input).next().is_some();
    (0..plan.populations[population].program.inputs as usize).filter(feeds).collect()
}

/// The currents into an input, by number.
fn drives(plan: &Plan, population: usize, input: usize) -> impl Iterator<Item = usize> {
    let feeds = move |d: &DrivePlan| d.population == population && matches!(d.kind, DriveKind::Current { input: i, .. } if i == input);
    plan.drives.iter().enumerate().filter(move |(_, d)| feeds(d)).map(|(i, _)| i)
}

fn changes(drive: &DrivePlan, step: u64) -> bool {
    if step == drive.start || step == drive.stop {
        return true;
    }
    match &drive.kind {
        DriveKind::Current { wave, .. } if drive.start < step && step < drive.stop => match wave {
            Wave::Constant(_) => false,
            Wave::Steps(steps) => steps.iter().any(|(s, _)| *s == step),
            Wave::Sine { .. } => true,
            Wave::Noise { every, .. } => (step - drive.start).is_multiple_of(*every),
        },
        _ => false,
    }
}

fn add(plan: &Plan, drive: &DrivePlan, step: u64, start: u32, values: &mut [f32]) {
    let DriveKind::Current { wave, .. } = &drive.kind else { return };
    let members = drive.to.position(start)..drive.to.position(start + values.len() as u32);
    if let Wave::Noise { mean, sd, every } = wave {
        let stream = Stream::new(plan.seed, [purpose::DRIVE, drive.stream]);
        let period = (step - drive.start) / every;
        for i in members {
            values[(drive.to.get(i) - start) as usize] +=
                *mean as f32 + *sd as f32 * stream.normal([i, period as u32, (period >> 32) as u32, 0]);
        }
        return;
    }
    let value = wave.at(step, plan.dt).unwrap_or(0.0);
    for i in members {
        values[(drive.to.get(i) - start) as usize] += value as f32;
    }
}
