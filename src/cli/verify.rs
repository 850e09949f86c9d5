//! `synfire verify`: every preset of a scene against the numbers it must reproduce.

use super::Failure;
use super::args::Verify;
use super::run::{Task, machine, simulate, words};
use super::scene::{load, origin, plan, problems};
use crate::record::Recording;
use crate::scene::Expectation;
use crate::session::Machine;

pub fn verify(args: &Verify) -> Result<(), Failure> {
    let scene = load(&words(&args.scene, args.preset.clone(), 1))?;
    let machine = machine(&args.place)?;
    let mut good = true;
    let mut count = 0;
    for preset in scene.presets.iter().filter(|p| args.preset.as_deref().is_none_or(|name| name == p.name)) {
        let name = Some(preset.name.clone()).filter(|n| !n.is_empty());
        count += preset.expect.len();
        good &= one(&args.scene, &machine, name, &preset.expect)?;
    }
    if count == 0 {
        return Err(Failure::Run(format!("{} states no expectation, so there is nothing to verify", args.scene)));
    }
    if good { Ok(()) } else { Err(Failure::Check) }
}

/// Runs a preset once per seed and judges the means over the seeds.
fn one(scene: &str, machine: &Machine, preset: Option<String>, expect: &[Expectation]) -> Result<bool, Failure> {
    let seeds = expect.iter().map(|e| e.seeds).max().unwrap_or(1).max(1);
    let mut recordings = Vec::new();
    let mut names = Vec::new();
    for seed in 1..=seeds {
        let origin = origin(&words(scene, preset.clone(), u64::from(seed)))?;
        let scene = origin.load().map_err(problems)?;
        let plan = plan(&scene)?;
        names = plan.populations.iter().map(|p| p.name.clone()).collect();
        let directory = std::env::temp_dir().join(format!("synfire-verify-{}-{seed}", std::process::id()));
        std::fs::create_dir_all(&directory).map_err(|e| Failure::Run(format!("{}: {e}", directory.display())))?;
        let task = Task { origin, scene, plan, state: None, journal: Vec::new() };
        let (_, recording, outcome) = simulate(task, machine, &directory, false)?;
        if outcome.interrupted {
            return Err(Failure::Interrupted);
        }
        recordings.push(recording);
        // What is left in the temporary folder is the system's to clear.
        let _ = std::fs::remove_dir_all(directory);
    }
    println!("{} ({seeds} seed{})", preset.as_deref().unwrap_or(scene), if seeds == 1 { "" } else { "s" });
    let mut good = true;
    for e in expect {
        for interval in &e.intervals {
            good &= judge(e, &interval.population, interval.low, interval.high, &recordings, &names)?;
        }
    }
    Ok(good)
}

/// Whether the population spiked in the last 100 ms of the run.
fn alive(recording: &Recording, population: usize) -> bool {
    let end = (recording.statistics.warmup + recording.statistics.steps) as f64 * recording.statistics.dt;
    recording.measure("lifetime", population, 0).is_ok_and(|t| t > end - 100.0)
}

fn judge(e: &Expectation, population: &str, low: f64, high: f64, recordings: &[Recording], names: &[String]) -> Result<bool, Failure> {
    let index = names.iter().position(|n| n == population).ok_or_else(|| Failure::Run(format!("no population {population}")))?;
    let all = &recordings[..(e.seeds.max(1) as usize).min(recordings.len())];
    let runs: Vec<&Recording> = all.iter().filter(|r| !e.alive || alive(r, index)).collect();
    if e.alive {
        let lifetimes: Vec<String> = all.iter().filter_map(|r| r.measure("lifetime", index, 0).ok()).map(|t| format!("{t:.0}")).collect();
        println!("       {} of {} seeds alive at the end; last spikes at {} ms", runs.len(), all.len(), lifetimes.join(", "));
    }
    let values = runs.iter().map(|r| r.measure(&e.metric, index, e.min_spikes)).collect::<Result<Vec<_>, _>>().map_err(Failure::Run)?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let good = mean >= low && mean <= high;
    let unit = crate::record::METRICS.iter().find(|m| m.name == e.metric).map_or(1.0, |m| m.shown);
    println!(
        "  {} {:24} {:>10.4}  expected {:.4} to {:.4}",
        if good { "ok  " } else { "FAIL" },
        format!("{}.{population}", e.metric),
        mean * unit,
        low * unit,
        high * unit
    );
    Ok(good)
}
