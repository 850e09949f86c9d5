//! `synfire compare`: two run directories, spike by spike, then by their statistics.

use serde_json::{Value, json};

use super::Failure;
use super::args::Compare;
use super::terminal::Terminal;
use crate::export::{Items, Stored};

pub fn compare(words: &Compare, terminal: &Terminal) -> Result<(), Failure> {
    if words.tolerance.is_some_and(|t| !(0.0..=1.0).contains(&t)) {
        return Err(Failure::Usage("--tolerance is a share between 0 and 1, as in 0.05".into()));
    }
    let (a, b) = (Stored::open(&words.run_a).map_err(Failure::Run)?, Stored::open(&words.run_b).map_err(Failure::Run)?);
    let report = report(&a, &b, words.tolerance).map_err(Failure::Run)?;
    let same = report["same"] == true || words.tolerance.is_some() && report["within_tolerance"] == true;
    terminal.data(|| text(&report), || report.clone())?;
    if same { Ok(()) } else { Err(Failure::Check) }
}

fn report(a: &Stored, b: &Stored, tolerance: Option<f64>) -> Result<Value, String> {
    let number = |s: &Stored, key: &str| s.about[key].as_u64().unwrap_or_default();
    let first = number(a, "first_step").max(number(b, "first_step"));
    let (end_a, end_b) = (number(a, "end_step"), number(b, "end_step"));
    let end = end_a.min(end_b);
    let one_grid = a.about["dt_ms"] == b.about["dt_ms"];
    let spikes = if one_grid { spikes(a, b, first, end)? } else { Value::Null };
    let samples = if one_grid { samples(a, b, first, end)? } else { Vec::new() };
    let statistics = statistics(a, b);
    let within = |t: f64| statistics.iter().all(|s| s["difference"].as_f64().is_none_or(|d| d <= t) && s["missing"] != true);
    let alike = |key: &str| a.about[key] == b.about[key];
    let span = number(a, "first_step") == number(b, "first_step") && end_a == end_b;
    let same = one_grid && span && spikes["first_difference"].is_null() && samples.iter().all(|s| s["same"] == true);
    let of = |s: &Stored| {
        let keys = ["title", "preset", "scene_sha256", "seed", "dt_ms", "first_step", "end_step", "engine", "device", "complete"];
        keys.iter().map(|k| (k.to_string(), s.about[*k].clone())).chain([("run".into(), json!(s.path))]).collect::<serde_json::Map<_, _>>()
    };
    Ok(json!({
        "same": same, "a": of(a), "b": of(b), "same_scene": alike("scene_sha256"), "same_seed": alike("seed"),
        "compared_steps": if one_grid { json!([first, end]) } else { Value::Null }, "spikes": spikes, "samples": samples,
        "statistics": statistics, "tolerance": tolerance, "within_tolerance": tolerance.map(within),
    }))
}

/// The first spike that one run has and the other lacks, within the steps that both have run.
fn spikes(a: &Stored, b: &Stored, first: u64, end: u64) -> Result<Value, String> {
    let inside = |spikes: Items<(u32, u32)>| {
        let within = move |(step, _): &(u32, u32)| u64::from(*step) > first && u64::from(*step) <= end;
        spikes.filter(move |s| s.as_ref().map_or(true, within))
    };
    let (mut from_a, mut from_b) = (inside(a.spikes()?), inside(b.spikes()?));
    let (mut counts, mut equal, mut found) = ([0u64, 0], 0u64, Value::Null);
    loop {
        let (x, y) = (from_a.next().transpose()?, from_b.next().transpose()?);
        counts[0] += u64::from(x.is_some());
        counts[1] += u64::from(y.is_some());
        match (x, y) {
            (None, None) => break,
            (x, y) if x == y => equal += u64::from(found.is_null()),
            (x, y) if found.is_null() => found = difference(a, b, x, y),
            _ => {}
        }
    }
    Ok(json!({ "a": counts[0], "b": counts[1], "equal_before": equal, "first_difference": found }))
}

/// The earlier of two spikes is the one that the other run lacks.
fn difference(a: &Stored, b: &Stored, x: Option<(u32, u32)>, y: Option<(u32, u32)>) -> Value {
    let in_a = y.is_none() || x.is_some() && x < y;
    let (run, spike) = if in_a { (a, x) } else { (b, y) };
    let (step, neuron) = spike.unwrap_or_default();
    let place = run.about["populations"].as_array().into_iter().flatten().find_map(|p| {
        let index = u64::from(neuron).checked_sub(p["first"].as_u64()?)?;
        (index < p["neurons"].as_u64()?).then(|| (p["name"].clone(), index))
    });
    let (population, index) = place.unwrap_or_default();
    let time = (f64::from(step) * run.about["dt_ms"].as_f64().unwrap_or_default() * 1e6).round() / 1e6;
    json!({ "only_in": if in_a { "a" } else { "b" }, "step": step, "time_ms": time, "neuron": neuron, "population": population, "index": index })
}

fn samples(a: &Stored, b: &Stored, first: u64, end: u64) -> Result<Vec<Value>, String> {
    let (of_a, of_b) = (a.sampled()?, b.sampled()?);
    of_a.iter().filter(|name| of_b.contains(name)).map(|name| sampled(a, b, name, first, end)).collect()
}

fn sampled(a: &Stored, b: &Stored, name: &str, first: u64, end: u64) -> Result<Value, String> {
    let inside = |rows: Items<(u32, Vec<f32>)>| {
        rows.filter(move |r| r.as_ref().map_or(true, |(step, _)| u64::from(*step) > first && u64::from(*step) <= end))
    };
    let (mut from_a, mut from_b) = (inside(a.samples(name)?), inside(b.samples(name)?));
    let (mut same, mut at, mut largest) = (true, Value::Null, 0f64);
    loop {
        let (x, y) = match (from_a.next().transpose()?, from_b.next().transpose()?) {
            (None, None) => break,
            (Some(x), Some(y)) => (x, y),
            _ => {
                same = false;
                break;
            }
        };
        // Bits, so that two numbers that are none are the same.
        let bits = |row: &[f32]| row.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
        if x.0 != y.0 || bits(&x.1) != bits(&y.1) {
            same = false;
            at = if at.is_null() { json!(x.0.min(y.0)) } else { at };
            let gaps = x.1.iter().zip(&y.1).map(|(p, q)| f64::from((p - q).abs()));
            largest = gaps.fold(largest, f64::max);
        }
    }
    Ok(json!({ "name": name, "same": same, "first_step": at, "largest_difference": largest }))
}

/// Rate, CV and synchrony of every population in both runs, and their difference as a share of the larger.
fn statistics(a: &Stored, b: &Stored) -> Vec<Value> {
    let all = |s: &Stored| s.about["populations"].as_array().cloned().unwrap_or_default();
    let (of_a, of_b) = (all(a), all(b));
    let mut out = Vec::new();
    for p in &of_a {
        let other = of_b.iter().find(|q| q["name"] == p["name"]);
        for metric in ["rate_Hz", "cv_isi", "synchrony"] {
            let (x, y) = (p[metric].as_f64(), other.and_then(|q| q[metric].as_f64()));
            let difference = x.zip(y).map(|(x, y)| if x == y { 0.0 } else { (x - y).abs() / x.abs().max(y.abs()) });
            let missing = x.is_some() != y.is_some();
            out.push(json!({ "population": p["name"], "metric": metric, "a": x, "b": y, "difference": difference, "missing": missing }));
        }
    }
    let named = |q: &&Value| !of_a.iter().any(|p| p["name"] == q["name"]);
    out.extend(of_b.iter().filter(named).map(|q| json!({ "population": q["name"], "metric": "", "missing": true })));
    out
}

fn text(r: &Value) -> String {
    let mut out = String::new();
    for key in ["a", "b"] {
        let run = &r[key];
        let plain = |k: &str| run[k].as_str().map_or_else(|| run[k].to_string(), String::from);
        let marked = if run["complete"] == false { ", incomplete" } else { "" };
        let (run, title, seed, end) = (plain("run"), plain("title"), plain("seed"), plain("end_step"));
        out += &format!("{}: {run}: {title}, seed {seed}, to step {end}, on {}{marked}\n", key.to_uppercase(), plain("device"));
    }
    if r["same_scene"] != true {
        out += "the scenes differ\n";
    }
    match r["compared_steps"].as_array() {
        None => out += "steps of different length: no spike can be compared with another\n",
        Some(span) => {
            let steps = format!("steps {} to {}", span[0], span[1]);
            let s = &r["spikes"];
            let first = &s["first_difference"];
            if first.is_null() {
                out += &format!("spikes: the same in {steps}, {} in all\n", s["a"]);
            } else {
                let run = first["only_in"].as_str().unwrap_or_default().to_uppercase();
                out += &format!(
                    "first spike that differs: {}[{}] (neuron {}) at {} ms (step {}), only in {run}, after {} equal ones\nspikes in {steps}: A {}, B {}\n",
                    first["population"].as_str().unwrap_or_default(),
                    first["index"],
                    first["neuron"],
                    first["time_ms"],
                    first["step"],
                    s["equal_before"],
                    s["a"],
                    s["b"]
                );
            }
            if r["a"]["end_step"] != r["b"]["end_step"] || r["a"]["first_step"] != r["b"]["first_step"] {
                out += "the runs are not of the same length\n";
            }
        }
    }
    for s in r["samples"].as_array().into_iter().flatten() {
        let (name, at) = (s["name"].as_str().unwrap_or_default(), &s["first_step"]);
        out += &if s["same"] == true {
            format!("{name}: the same\n")
        } else {
            format!("{name}: differs from step {at} on, by at most {}\n", s["largest_difference"])
        };
    }
    out += &format!("{:16} {:10} {:>12} {:>12} {:>10}\n", "population", "metric", "A", "B", "difference");
    for s in r["statistics"].as_array().into_iter().flatten() {
        let number = |k: &str| s[k].as_f64().map_or("-".into(), |x| format!("{x:.4}"));
        let share = s["difference"].as_f64().map_or("-".into(), |x| format!("{:.2} %", x * 100.0));
        let (population, metric) = (s["population"].as_str().unwrap_or_default(), s["metric"].as_str().unwrap_or_default());
        out += &format!("{population:16} {metric:10} {:>12} {:>12} {share:>10}\n", number("a"), number("b"));
    }
    out += match (r["same"] == true, r["within_tolerance"].as_bool()) {
        (true, _) => "the runs are the same\n",
        (false, None) => "the runs differ\n",
        (false, Some(true)) => "the runs differ; their statistics agree within the tolerance\n",
        (false, Some(false)) => "the runs differ, and their statistics by more than the tolerance\n",
    };
    out
}
