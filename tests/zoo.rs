//! Traces and spikes of NEST 3.10 for the neuron models that it has too, under steps, ramps and noise of current with spikes at every
//! receptor, two sets of parameters each, and steps of 0.025 to 1 ms (tests/reference/zoo.py).

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{machines, network_of, npz, reference};
use serde_json::Value;
use synfire::network::{Drive, Network, Part, Probe, Receptor, Stimulus, Values, Wave, Which};
use synfire::plan::plan;
use synfire::session::{Engine, Machine};

fn part() -> Part {
    Part { population: 0, which: Which::Range { start: 0, len: 1 } }
}

fn network(row: &Value, all: &BTreeMap<String, Vec<f64>>) -> Network {
    let (model, case, dt) = (row["model"].as_str().unwrap(), row["case"].as_str().unwrap(), row["dt"].as_f64().unwrap());
    let text = format!("format = 1\n[run]\ndt = \"{dt} ms\"\nduration = \"400 ms\"\n[populations.a]\nmodel = \"{model}\"\nsize = 1\n");
    let mut network = network_of(&text);
    let cell = &mut network.populations[0];
    for (key, value) in row["parameters"].as_object().unwrap() {
        let i = cell.model.parameters.iter().position(|p| p.name == *key).unwrap_or_else(|| panic!("{model} has no {key}"));
        cell.parameters[i] = Values::Uniform(value.as_f64().unwrap());
    }
    let step = |t: f64| (t / dt).round() as u64;
    let mut give = |kind| network.stimuli.push(Stimulus { name: String::new(), to: part(), kind, start: 0, stop: u64::MAX });
    let current = all[&format!("{case}/current_t")].iter().zip(&all[&format!("{case}/current")]).map(|(t, x)| (step(*t), *x));
    give(Drive::Current { input: 0, wave: Wave::Steps(current.collect::<Vec<_>>().into()) });
    for (k, weight) in row["weights"].as_array().unwrap().iter().enumerate() {
        let times: Vec<u64> = all[&format!("{case}/in_{k}")].iter().map(|t| step(*t)).collect();
        let weight = weight.as_f64().unwrap();
        let (receptor, weight) = if cell.model.by_sign { (Receptor::BySign, weight) } else { (Receptor::Named(k), weight.abs()) };
        give(Drive::Spikes { times: times.into(), weight, receptor });
    }
    network.probes = vec![Probe::State { name: "V".into(), of: part(), variable: 0, every: 1 }];
    network
}

/// Median and largest difference of the potential more than 2 ms away from spikes, and of spikes in steps; none if their numbers differ.
fn compare(row: &Value, all: &BTreeMap<String, Vec<f64>>, machine: &Machine) -> (f64, f64, Option<i64>, usize) {
    let (case, dt) = (row["case"].as_str().unwrap(), row["dt"].as_f64().unwrap());
    let network = network(row, all);
    let harvest = Engine::new(Arc::new(plan(&network).unwrap()), machine).unwrap().advance((400.0 / dt).round() as u64).unwrap();
    let theirs: Vec<i64> = all[&format!("{case}/spikes")].iter().map(|t| (t / dt).round() as i64).collect();
    let ours: Vec<i64> = harvest.spikes.iter().map(|s| i64::from(s.step)).collect();
    let shift = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).max().unwrap_or(0);
    let mut differences = Vec::new();
    for (t, v) in all[&format!("{case}/t")].iter().zip(&all[&format!("{case}/V_m")]) {
        let k = (t / dt).round() as i64;
        if theirs.iter().all(|s| (s - k).abs() as f64 * dt > 2.0) && k <= harvest.samples.len() as i64 {
            differences.push((f64::from(harvest.samples[k as usize - 1].values[0]) - v).abs());
        }
    }
    differences.sort_by(f64::total_cmp);
    let spikes = theirs.len();
    let shift = (ours.len() == theirs.len()).then_some(shift);
    (differences[differences.len() / 2], differences[differences.len() - 1], shift, spikes)
}

/// Bounds by model: median and largest difference in mV and shift in steps, for steps up to 0.1 ms and for longer ones.
fn bounds(model: &str) -> [(f64, f64, i64); 2] {
    match model {
        // Both are exact.
        "iaf_psc_exp" | "iaf_psc_alpha" | "iaf_psc_delta" | "mat2_psc_exp" | "glif_1" | "glif_2" => [(5e-5, 2e-4, 0); 2],
        // NEST holds the currents after a spike over each step.
        "glif_3" => [(2e-4, 3e-4, 0), (0.02, 3.0, 1)],
        "glif_4" => [(2e-4, 3e-4, 0), (5e-3, 0.04, 0)],
        "glif_5" => [(2e-4, 0.4, 2), (5e-3, 0.04, 0)],
        "gif_psc_exp" => [(0.06, 0.5, 4), (0.4, 30.0, 8)],
        // NEST's solver is adaptive; a spike that moves by a step moves what follows.
        "iaf_cond_exp" => [(4e-4, 2e-3, 1), (5e-4, 2.5, 2)],
        "iaf_cond_alpha" => [(5e-5, 0.05, 1), (5e-5, 3e-4, 0)],
        "iaf_cond_alpha_3c" => [(5e-5, 2e-4, 0), (5e-5, 2e-3, 0)],
        "aeif_cond_exp" => [(5e-4, 0.5, 1), (1e-3, 0.3, 1)],
        "aeif_cond_alpha" => [(2e-4, 5e-3, 0), (1e-3, 0.1, 1)],
        "aeif_psc_exp" => [(5e-4, 0.05, 1), (1e-3, 0.3, 1)],
        "aeif_psc_alpha" => [(3e-4, 0.5, 2), (1e-3, 0.3, 1)],
        "aeif_psc_delta" => [(5e-4, 0.2, 1), (3e-3, 3.0, 2)],
        "hh_psc_alpha" => [(1e-4, 0.05, 0); 2],
        "hh_cond_exp_traub" => [(2e-3, 0.4, 2); 2],
        _ => panic!("no bounds for {model}"),
    }
}

#[test]
fn every_model_that_nest_has_too_gives_its_traces_and_spikes() {
    let rows: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(reference("zoo.json")).unwrap()).unwrap();
    let all = npz("zoo.npz");
    let (mut spikes, mut wrong) = (0, Vec::new());
    for (n, row) in rows.iter().enumerate() {
        let long = usize::from(row["dt"].as_f64().unwrap() > 0.1);
        let (median, most, shift) = bounds(row["model"].as_str().unwrap())[long];
        // Compiling a kernel for every case would take the device minutes.
        for machine in machines().iter().filter(|m| m.describe().engine == "cpu" || n % 23 == 0) {
            let seen = compare(row, &all, machine);
            if !(seen.0 <= median && seen.1 <= most && seen.2.is_some_and(|s| s <= shift)) {
                wrong.push(format!("{}: {seen:?}", row["case"]));
            }
            spikes += seen.3;
        }
    }
    assert!(wrong.is_empty() && spikes > 1500, "{spikes} spikes\n{}", wrong.join("\n"));
}
