//! Edits of a run as words and as a journal: one JSON object a line. Knows no engine.

use std::sync::Arc;

use super::Failure;
use super::args::Run;
use crate::base::problem::Source;
use crate::base::units::{TIME, unit};
use crate::plan;
use crate::scene::Scene;
use crate::session::{self, Command, Origin, Stamped};

/// The commands that a run shall apply, from a saved session, `--at` and `--journal`, in the order of their steps.
pub fn journal(words: &Run, scene: &Scene) -> Result<Vec<Stamped>, Failure> {
    let dt = scene.network.dt;
    let mut all = match &scene.saved {
        Some(saved) => session::saved::commands(saved).map_err(Failure::Run)?,
        None => Vec::new(),
    };
    if let Some(path) = &words.journal {
        let wrong = |e: &dyn std::fmt::Display| Failure::Run(format!("{}: {e}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| wrong(&e))?;
        for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            all.push(serde_json::from_str(line).map_err(|e| wrong(&format!("line {}: {e}", i + 1)))?);
        }
    }
    for text in &words.at {
        all.push(at(text, dt).map_err(|e| Failure::Usage(format!("--at {text:?}: {e}")))?);
    }
    all.sort_by_key(|c| c.step);
    Ok(all)
}

/// Refuses values that the scene does not take, and edits that would need a rebuild, before anything is built.
pub fn check(origin: &Origin, scene: &Scene, journal: &[Stamped]) -> Result<(), Failure> {
    let mut edited = origin.clone();
    let mut network = scene.network.clone();
    for Stamped { step, command } in journal {
        let told = match command {
            Command::Poke { .. } => continue,
            Command::Set { address, value } => {
                edited.options.set.retain(|(known, _)| known != address);
                edited.options.set.push((address.clone(), value.clone()));
                format!("{address} = {value}")
            }
            Command::Rewrite { text } => {
                edited.source = Arc::new(Source { name: "the new text".into(), text: text.clone() });
                "the new text".into()
            }
        };
        let next = edited.load().map_err(Failure::Scene)?.network;
        let rewritten = matches!(command, Command::Rewrite { .. });
        let what = if rewritten { plan::reshaped(&network, &next) } else { plan::structure(&network, &next) };
        if let Some(what) = what {
            let text =
                format!("{told} at step {step}: {what}: this needs the network to be rebuilt, so it cannot be changed while it runs");
            return Err(Failure::Usage(text));
        }
        network = next;
    }
    Ok(())
}

/// `200 ms: g=6`, or `200 ms: @other.toml`
fn at(text: &str, dt: f64) -> Result<Stamped, String> {
    let form = "write it as \"200 ms: g=6\", or \"200 ms: @FILE\" for another text of the scene";
    let (time, set) = text.split_once(':').ok_or(form)?;
    let time = time.trim();
    let steps = milliseconds(time)? / dt;
    if !(steps >= 0.0 && steps < 2f64.powi(53) && (steps - steps.round()).abs() < 1e-6) {
        return Err(format!("{time} is no whole number of steps of {dt} ms"));
    }
    let command = if let Some(file) = set.trim().strip_prefix('@') {
        Command::Rewrite { text: std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))? }
    } else {
        let (address, value) = set.split_once('=').ok_or(form)?;
        Command::Set { address: address.trim().into(), value: value.trim().into() }
    };
    Ok(Stamped { step: steps.round() as u64, command })
}

/// `200 ms` or `0.2 s`, in ms.
pub fn milliseconds(text: &str) -> Result<f64, String> {
    let form = "write a time with its unit, as in \"200 ms\"";
    let split = text.find(|c: char| c.is_alphabetic()).ok_or(form)?;
    let number: f64 = text[..split].trim().parse().map_err(|_| form)?;
    let unit = unit(text[split..].trim()).filter(|u| u.dimension == TIME);
    let ms = number * unit.ok_or_else(|| format!("{} is no unit of time", &text[split..]))?.value;
    if (0.0..1e12).contains(&ms) { Ok(ms) } else { Err(form.into()) }
}

/// A journal as text.
pub fn text(journal: &[Stamped]) -> String {
    // A command holds only text and numbers, which always have a JSON form.
    journal.iter().filter_map(|c| serde_json::to_string(c).ok()).map(|line| line + "\n").collect()
}
