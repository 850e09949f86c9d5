//! Whether the check of a lesson's step holds: measured as the metrics are, over the last of what a frame shows. Knows no window.

use super::live::Frame;
use crate::record::{Layout, METRICS, Statistics, Window};
use crate::scene::{Expectation, LessonStep};

/// A check in words, what was measured, in the unit in which it is shown, and whether that is in the interval.
#[derive(Clone, Debug)]
pub struct Judged {
    pub check: String,
    /// The error says why there is no number yet, or never will be.
    pub value: Result<f64, String>,
    pub holds: bool,
}

/// Judges a step. Only time after the last edit counts; while there is too little of it, nothing holds.
pub fn judge(frame: &Frame, step: &LessonStep) -> Vec<Judged> {
    let statistics = statistics(frame, step.hold);
    step.checks.iter().flat_map(|e| e.intervals.iter().map(|i| one(frame, statistics.as_ref(), e, i))).collect()
}

fn one(frame: &Frame, statistics: Option<&Statistics>, expected: &Expectation, interval: &crate::scene::Interval) -> Judged {
    let known = METRICS.iter().find(|m| m.name == expected.metric);
    let (shown, unit) = known.map_or((1.0, ""), |m| (m.shown, if m.unit == "1" { "" } else { m.unit }));
    let digits = |x: f64| (x * shown * 1e6).round() / 1e6;
    let (name, low, high) = (format!("{} of {}", expected.metric, interval.population), digits(interval.low), digits(interval.high));
    let check = match (low.is_finite(), high.is_finite()) {
        (true, true) => format!("{name} between {low} and {high} {unit}"),
        (true, false) => format!("{name} above {low} {unit}"),
        _ => format!("{name} below {high} {unit}"),
    };
    let population = frame.about.as_ref().and_then(|a| a.network.populations.iter().position(|p| p.name == interval.population));
    let value = match (statistics, population) {
        (Some(s), Some(p)) => s.measure(&expected.metric, p, expected.min_spikes),
        (None, _) => Err("too little time since the last change".into()),
        (_, None) => Err("no such population".into()),
    };
    let holds = value.as_ref().is_ok_and(|v| (interval.low..=interval.high).contains(v));
    Judged { check: check.trim_end().into(), value: value.map(|v| v * shown), holds }
}

/// Statistics over the last `hold` ms, if so much time has passed since the last edit and the start.
fn statistics(frame: &Frame, hold: f64) -> Option<Statistics> {
    let about = frame.about.as_ref()?;
    let steps = (hold / frame.dt).round() as u64;
    let edited = frame.journal.last().map_or(0, |c| c.step);
    let from = frame.step.checked_sub(steps).filter(|from| *from >= edited.max(frame.oldest()))?;
    let ranges = about.ranges();
    let populations = about.network.populations.iter().zip(&ranges).map(|(p, r)| (p.name.clone(), r.0, r.1)).collect();
    let layout = Layout {
        dt: frame.dt,
        warmup: from,
        windows: Vec::new(),
        populations,
        spikes: Vec::new(),
        probes: Vec::new(),
        rates: Vec::new(),
        weights: Vec::new(),
        first: from,
    };
    let mut statistics = Statistics::new(&layout, Window::after(from, frame.dt));
    for spike in frame.chunks(from, frame.step).iter().flat_map(|c| c.within(from, frame.step)) {
        statistics.spike(u64::from(spike.step), spike.neuron);
    }
    statistics.reach(frame.step);
    Some(statistics)
}
