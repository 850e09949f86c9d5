//! `synfire verify`: every preset of a scene against the numbers it must reproduce.

use serde_json::{Value, json};

use super::args::{Changes, Verify};
use super::scene::named;
use super::simulate::{Task, machine, simulate};
use super::terminal::Terminal;
use super::{Failure, host};
use crate::record::{METRICS, Recording, Window, measure_weights};
use crate::scene::{Expectation, Interval, Preset, Scene};
use crate::session::{Machine, Origin, Simulation};

pub fn verify(words: &Verify, terminal: &Terminal) -> Result<(), Failure> {
    let origin = named(&words.scene, &Changes { preset: words.preset.clone(), ..Changes::default() })?;
    let scene = origin.load().map_err(Failure::Scene)?;
    let chosen: Vec<&Preset> = scene.presets.iter().filter(|p| words.preset.as_deref().is_none_or(|name| name == p.name)).collect();
    if chosen.iter().all(|p| p.expect.is_empty()) {
        return Err(Failure::Usage(format!("{} states no expectation, so there is nothing to verify", words.scene)));
    }
    let machine = machine(&words.place, terminal)?;
    let mut results = Vec::new();
    for preset in chosen.iter().filter(|p| !p.expect.is_empty()) {
        let of = one(&origin, &machine, preset, &words.scene, terminal)?;
        if !terminal.json {
            terminal.text(&text(preset, &words.scene, &of))?;
        }
        results.extend(of);
    }
    if !terminal.json {
        let lines: String = scene.unconfirmed.iter().map(|what| format!("not confirmed, and so not expected: {what}\n")).collect();
        terminal.text(&lines)?;
    }
    let good = results.iter().all(|r| r["ok"] == true);
    let place = machine.describe();
    if terminal.json {
        let all = json!({ "scene": words.scene, "ok": good, "unconfirmed": scene.unconfirmed, "engine": place.engine, "device": place.device, "results": results });
        terminal.data(String::new, || all)?;
    }
    if good { Ok(()) } else { Err(Failure::Check) }
}

/// Runs a preset once per seed and judges the means over the seeds.
fn one(origin: &Origin, machine: &Machine, preset: &Preset, scene: &str, terminal: &Terminal) -> Result<Vec<Value>, Failure> {
    let seeds = preset.expect.iter().map(|e| e.seeds).max().unwrap_or(1).max(1);
    let mut runs = Vec::new();
    let mut names = Vec::new();
    for seed in 1..=seeds {
        terminal.detail(format!("{scene} {} seed {seed}", preset.name));
        let mut origin = origin.clone();
        origin.options.seed = Some(u64::from(seed));
        origin.options.preset = Some(preset.name.clone()).filter(|n| !n.is_empty());
        let mut task = Task::new(origin)?;
        names = task.plan.populations.iter().map(|p| p.name.clone()).collect();
        task.windows = preset.expect.iter().map(|e| window(e, &task.scene, &names)).collect();
        let folder = host::Temporary::new(&format!("verify-{seed}")).map_err(Failure::Run)?;
        let (simulation, recording, outcome) = simulate(task, machine, folder.path(), terminal, false)?;
        if outcome.interrupted {
            return Err(Failure::Interrupted("nothing was verified".into()));
        }
        if let Some(e) = outcome.failed {
            return Err(Failure::Run(e));
        }
        runs.push(Run { weighed: weighed(preset, &simulation), recording });
    }
    let all = preset.expect.iter().enumerate().flat_map(|(n, e)| e.intervals.iter().map(move |i| (n, e, i)));
    Ok(all.map(|(n, e, interval)| judge(preset, n, e, interval, &runs, &names)).collect())
}

/// What is kept of a run.
struct Run {
    recording: Recording,
    /// Metrics of weights at its end, by expectation, then interval; none for populations.
    weighed: Vec<Vec<Option<Result<f64, String>>>>,
}

fn weighed(preset: &Preset, simulation: &Simulation) -> Vec<Vec<Option<Result<f64, String>>>> {
    let one = |e: &Expectation, i: &Interval| {
        let parts = i.synapses.iter().map(|(projection, from, to)| simulation.relative_weights((*projection, from, to)));
        let weights = parts.collect::<Result<Vec<_>, _>>().map(|all| all.concat());
        (!i.synapses.is_empty()).then(|| weights.and_then(|weights| measure_weights(&e.metric, &weights, e.window.bin)))
    };
    preset.expect.iter().map(|e| e.intervals.iter().map(|i| one(e, i)).collect()).collect()
}

/// The window of an expectation in a scene whose populations have these names.
fn window(e: &Expectation, scene: &Scene, names: &[String]) -> Window {
    let (all, given) = (Window::after(scene.network.warmup, scene.network.dt), &e.window);
    Window {
        start: given.start.unwrap_or(all.start),
        stop: given.stop.unwrap_or(all.stop),
        gap: given.gap.unwrap_or(all.gap),
        against: given.against.as_ref().and_then(|a| names.iter().position(|n| n == a)),
    }
}

/// Whether the population spiked in the last 100 ms of the run.
fn alive(recording: &Recording, population: usize) -> bool {
    let end = (recording.statistics.window.start + recording.statistics.steps) as f64 * recording.statistics.dt;
    recording.measure("lifetime", population, 0).is_ok_and(|t| t > end - 100.0)
}

/// The mean of expectation number `number` of a preset over its seeds, and whether it lies in the interval.
fn judge(preset: &Preset, number: usize, e: &Expectation, interval: &Interval, runs: &[Run], names: &[String]) -> Value {
    let index = names.iter().position(|n| *n == interval.population).unwrap_or_default();
    let all = &runs[..(e.seeds.max(1) as usize).min(runs.len())];
    let judged: Vec<&Run> = all.iter().filter(|r| !e.alive || alive(&r.recording, index)).collect();
    let unit = METRICS.iter().find(|m| m.name == e.metric).map_or(1.0, |m| m.shown);
    let lifetimes: Option<Vec<f64>> = e.alive.then(|| all.iter().filter_map(|r| r.recording.measure("lifetime", index, 0).ok()).collect());
    let place = e.intervals.iter().position(|i| i == interval).unwrap_or_default();
    let measure = |run: &&Run| {
        if let Some(value) = run.weighed.get(number).and_then(|all| all.get(place)?.as_ref()) {
            return value.clone();
        }
        let r = &run.recording;
        let window = r.windows.get(number).unwrap_or(&r.statistics);
        window.measure(&e.metric, index, e.min_spikes)
    };
    let values = judged.iter().map(measure).collect::<Result<Vec<_>, _>>();
    let (values, why) = match values {
        Ok(values) if values.is_empty() => (values, Some("no seed spikes to the end".to_string())),
        Ok(values) => (values, None),
        Err(e) => (Vec::new(), Some(e)),
    };
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let finite = |x: f64| x.is_finite().then_some(x * unit);
    let dt = runs.first().map_or(0.0, |r| r.recording.statistics.dt);
    let ms = |steps: Option<u64>| steps.map(|n| n as f64 * dt);
    json!({
        "preset": preset.name, "metric": e.metric, "population": interval.population, "seeds": all.len(), "judged": values.len(),
        "ok": mean >= interval.low && mean <= interval.high, "measured": finite(mean), "low": finite(interval.low),
        "high": finite(interval.high), "from_ms": ms(e.window.start), "to_ms": ms(e.window.stop), "against": e.window.against, "bin": e.window.bin, "values": values.iter().map(|v| v * unit).collect::<Vec<_>>(), "lifetimes_ms": lifetimes, "why": why,
    })
}

fn text(preset: &Preset, scene: &str, results: &[Value]) -> String {
    let seeds = results.iter().filter_map(|r| r["seeds"].as_u64()).max().unwrap_or(1);
    let name = if preset.name.is_empty() { scene } else { &preset.name };
    let mut text = format!("{name} ({seeds} seed{})\n", if seeds == 1 { "" } else { "s" });
    for r in results {
        let number = |key: &str, none: &str| r[key].as_f64().map_or(none.to_string(), |x| format!("{x:.4}"));
        if let Some(lifetimes) = r["lifetimes_ms"].as_array() {
            let at: Vec<String> = lifetimes.iter().filter_map(Value::as_f64).map(|t| format!("{t:.0}")).collect();
            text += &format!("       {} of {} seeds alive at the end; last spikes at {} ms\n", r["judged"], r["seeds"], at.join(", "));
        }
        let what = format!("{}.{}", r["metric"].as_str().unwrap_or_default(), r["population"].as_str().unwrap_or_default());
        text += &format!(
            "  {} {what:24} {:>10}  expected {} to {}{}\n",
            if r["ok"] == true { "ok  " } else { "FAIL" },
            number("measured", "-"),
            number("low", "any"),
            number("high", "any"),
            notes(r)
        );
    }
    text
}

/// In what part of the run and against what a result was measured, and why there is none.
fn notes(r: &Value) -> String {
    let mut notes = Vec::new();
    let time = |key: &str, none: &str| r[key].as_f64().map_or(none.to_string(), |t| format!("{t} ms"));
    if r["from_ms"].is_number() || r["to_ms"].is_number() {
        notes.push(format!("{} to {}", time("from_ms", "the warm-up"), time("to_ms", "the end")));
    }
    notes.extend(r["against"].as_str().map(|a| format!("against {a}")));
    notes.extend(r["bin"].as_array().map(|_| format!("in {}", r["bin"])));
    notes.extend(r["why"].as_str().map(String::from));
    if notes.is_empty() { String::new() } else { format!("  ({})", notes.join("; ")) }
}
