//! `synfire run`: build, run with a progress bar, print the table, write the run directory.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::args::{Format, Run};
use super::scene::{bytes, origin, plan};
use super::simulate::{Task, machine, simulate};
use super::terminal::Terminal;
use super::{Failure, edits, host, report};
use crate::export::{self, Checkpoint};
use crate::plan;
use crate::record::Recording;
use crate::session::Stamped;

pub fn run(words: &Run, terminal: &Terminal) -> Result<(), Failure> {
    // From here on Ctrl-C leaves a partial run, whatever is under way.
    terminal.stop();
    let origin = origin(&words.scene)?;
    let scene = origin.load().map_err(Failure::Scene)?;
    let mut plan = plan(&scene)?;
    let journal = edits::journal(words, &scene)?;
    edits::check(&origin, &scene, &journal)?;
    let resumed = words.resume.as_deref().map(export::read_checkpoint).transpose().map_err(Failure::Run)?;
    if let Some(checkpoint) = &resumed {
        plan = plan::resumed_within(&scene.network, &checkpoint.about.scales, host::free_memory()).map_err(Failure::Run)?;
        checkpoint.belongs(&plan).map_err(Failure::Run)?;
    }
    refuse(words)?;
    terminal.note(format!("{}: {} neurons, {} synapses, {}", scene.title, plan.neurons, plan.synapses(), bytes(plan.bytes())));
    let machine = machine(&words.place, terminal)?.with_threads(words.scene.changes.threads);
    let out = directory(words)?;
    let resolved = scene.resolved.clone();
    let task = Task { origin, scene, plan, state: resumed.map(|c| c.state), journal, windows: Vec::new() };
    let (simulation, recording, outcome) = simulate(task, &machine, &out, terminal, true).inspect_err(|_| {
        // Only an empty directory goes: that of a run that never began.
        let _ = std::fs::remove_dir(&out);
    })?;
    if let Some(path) = words.checkpoint.as_ref().filter(|_| outcome.failed.is_none()) {
        let state = simulation.save().map_err(Failure::Run)?;
        let checkpoint = Checkpoint::new(&simulation.plan, &simulation.scene.resolved, state);
        export::write_checkpoint(&checkpoint, path).map_err(Failure::Run)?;
    }
    let summary = report::summary(&simulation, &resolved, &machine, &recording, &outcome);
    write(words.format, &resolved, &simulation.journal, &summary, &out, &recording)?;
    let table = || report::table(&simulation.plan, &machine, &recording, &outcome, &out);
    terminal.data(table, || summary.clone())?;
    match outcome.failed {
        Some(e) => {
            let failure = Failure::Run(format!("{e}\nwhat was recorded until then is in {}", out.display()));
            terminal.wrong(&failure.message());
            Err(Failure::Told(Box::new(failure)))
        }
        None if outcome.interrupted => {
            Err(Failure::Interrupted(format!("the partial run was written to {} and marked as incomplete", out.display())))
        }
        None => Ok(()),
    }
}

/// Refuses an `--out` that must not be written to.
fn refuse(words: &Run) -> Result<(), Failure> {
    let Some(out) = words.out.as_deref().filter(|p| p.exists()) else { return Ok(()) };
    let name = out.display();
    let refused = |text: String| Err(Failure::Run(text));
    if !out.is_dir() {
        return refused(format!("{name} is a file: take another --out"));
    }
    if !words.force {
        return refused(format!("{name} exists: take another --out, or --force to replace the run in it"));
    }
    let empty = std::fs::read_dir(out).is_ok_and(|mut all| all.next().is_none());
    if !empty && !out.join("run.json").is_file() {
        return refused(format!("{name} holds other files and no run: take another --out (--force replaces runs only)"));
    }
    Ok(())
}

/// The directory to write: the one asked for, or the first free `runs/SCENE-NUMBER`.
fn directory(words: &Run) -> Result<PathBuf, Failure> {
    let wrong = |path: &Path, e: std::io::Error| Failure::Run(format!("{}: {e}", path.display()));
    if let Some(out) = &words.out {
        std::fs::create_dir_all(out).map_err(|e| wrong(out, e))?;
        return Ok(out.clone());
    }
    let stem = Path::new(&words.scene.scene).file_stem().and_then(|s| s.to_str()).unwrap_or("scene").trim_matches('-');
    let (runs, stem) = (Path::new("runs"), if stem.is_empty() { "scene" } else { stem });
    std::fs::create_dir_all(runs).map_err(|e| wrong(runs, e))?;
    for n in 1u64.. {
        let path = runs.join(format!("{stem}-{n}"));
        // Made only if it was not there: two runs at once take two directories.
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(wrong(&path, e)),
        }
    }
    Err(Failure::Run("no free directory in runs".into()))
}

fn write(format: Format, resolved: &str, journal: &[Stamped], summary: &Value, out: &Path, recording: &Recording) -> Result<(), Failure> {
    let file = |name: &str, text: String| {
        std::fs::write(out.join(name), text).map_err(|e| Failure::Run(format!("{}: {e}", out.join(name).display())))
    };
    export::clear(out).map_err(Failure::Run)?;
    let data = match format {
        Format::Npz => export::npz(recording, out),
        Format::Csv => export::csv(recording, out),
    }
    .map_err(Failure::Run)?;
    file("scene.toml", resolved.to_string())?;
    file("journal.jsonl", edits::text(journal))?;
    let mut summary = summary.clone();
    summary["files"] = ["run.json", "scene.toml", "journal.jsonl"].into_iter().map(String::from).chain(data).collect();
    file("run.json", format!("{summary:#}\n"))
}
