//! `synfire check --lesson`: the author's solution must pass the checks of every step. Knows no window.

use std::time::Duration;

use serde_json::{Value, json};

use super::Failure;
use super::args::Check;
use super::scene::named;
use super::terminal::Terminal;
use crate::session::lesson::judge;
use crate::session::live::{Live, Opening, Order, Phase};
use crate::session::{Backend, Origin};

/// Time after an edit that is left to the transient, ms.
const SETTLE: f64 = 300.0;
/// A simulation that does not answer for so long has failed.
const PATIENCE: Duration = Duration::from_secs(3600);

pub fn check(words: &Check, terminal: &Terminal) -> Result<(), Failure> {
    let (mut text, mut reports, mut passed) = (String::new(), Vec::new(), true);
    for name in &words.scenes {
        for (line, report, holds) in lesson(named(name, &words.changes)?)? {
            text += &line;
            reports.push(report);
            passed &= holds;
        }
    }
    terminal.data(|| text, || json!({ "checks": reports }))?;
    if passed { Ok(()) } else { Err(Failure::Check) }
}

/// Every check of a lesson: a line, a report, and whether it holds.
fn lesson(origin: Origin) -> Result<Vec<(String, Value, bool)>, Failure> {
    let scene = origin.load().map_err(Failure::Scene)?;
    let lesson = scene.lesson.ok_or_else(|| Failure::Run(format!("{} has no [lesson]", origin.source.name)))?;
    let live = Live::start(Backend::Cpu, None, || {}).map_err(Failure::Run)?;
    let done = |order| {
        let number = live.order(order);
        let frame = live.until(PATIENCE, |f| f.done >= number && f.phase != Phase::Building);
        frame.ok_or_else(|| Failure::Run("the simulation does not answer".into()))
    };
    done(Order::Open(Box::new(Opening { origin, run: false, fit: false })))?;
    done(Order::Guard(None))?;
    let mut out = Vec::new();
    for (i, step) in lesson.steps.iter().enumerate().filter(|(_, s)| !s.checks.is_empty()) {
        let frame = if step.solution.is_empty() { live.frame() } else { done(Order::Set(step.solution.clone()))? };
        if let Some(note) = frame.note.as_ref().filter(|n| !n.starts_with("rebuilt")) {
            return Err(Failure::Run(format!("the solution of step {}: {note}", i + 1)));
        }
        let end = frame.step + ((step.hold + SETTLE) / frame.dt).round() as u64;
        live.order(Order::Steps(end - frame.step));
        let frame = live.until(PATIENCE, |f| f.stopped.is_some() || (f.step >= end && f.phase == Phase::Paused));
        let frame = frame.ok_or_else(|| Failure::Run("the simulation does not get there".into()))?;
        if let Some(why) = &frame.stopped {
            return Err(Failure::Run(why.clone()));
        }
        for judged in judge(&frame, step) {
            let value = judged.value.as_ref().map_or_else(Clone::clone, |v| format!("{v:.3}"));
            let line = format!("step {}: {} {}: {value}\n", i + 1, if judged.holds { "pass" } else { "FAIL" }, judged.check);
            let report = json!({ "step": i + 1, "check": judged.check, "value": judged.value.ok(), "holds": judged.holds });
            out.push((line, report, judged.holds));
        }
    }
    Ok(out)
}
