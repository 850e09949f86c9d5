//! Continuous inputs: the value of every current at the start of a step. Knows no spike.

use super::block::Columns;
use crate::base::rng::Stream;
use crate::network::Wave;
use crate::plan::{DriveKind, DrivePlan, Plan, purpose};

/// Brings the input columns of population `p` up to step `step`.
#[inline(always)]
pub fn set(plan: &Plan, p: usize, step: u64, columns: &mut Columns) {
    columns.step = step;
    let stale = std::mem::take(&mut columns.stale);
    if stale {
        columns.noise = Stream::new(plan.seed, [purpose::NOISE, 0]);
    }
    for input in 0..columns.inputs.len() {
        let mut mine = plan.drives.iter().filter(|d| feeds(d, p, input));
        if stale || mine.clone().any(|d| changes(d, step)) {
            columns.inputs[input].fill(0.0);
            mine.by_ref().filter(|d| d.start <= step && step < d.stop).for_each(|d| add(plan, d, step, &mut columns.inputs[input]));
        }
    }
}

fn feeds(drive: &DrivePlan, p: usize, input: usize) -> bool {
    drive.population == p && matches!(drive.kind, DriveKind::Current { input: i, .. } if i == input)
}

/// Whether the value of this drive at `step` may differ from the one before.
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

fn add(plan: &Plan, drive: &DrivePlan, step: u64, column: &mut [f32]) {
    let DriveKind::Current { wave, .. } = &drive.kind else { return };
    if let Wave::Noise { mean, sd, every } = wave {
        let stream = Stream::new(plan.seed, [purpose::DRIVE, drive.stream]);
        let period = (step - drive.start) / every;
        for i in 0..drive.to.len() {
            column[drive.to.get(i) as usize] += *mean as f32 + *sd as f32 * stream.normal([i, period as u32, (period >> 32) as u32, 0]);
        }
        return;
    }
    let value = wave.at(step, plan.dt).unwrap_or(0.0);
    for i in 0..drive.to.len() {
        column[drive.to.get(i) as usize] += value as f32;
    }
}
