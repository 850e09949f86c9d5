//! Traces and spike times of NEST 3.10 (tests/reference), met by the CPU engine through scene, plan and engine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use synfire::base::problem::Source;
use synfire::engine::cpu::Cpu;
use synfire::network::{Drive, Network, Part, Receptor, Stimulus, Values, Wave, Which};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

/// The arrays of an npz of one-dimensional f64.
fn npz(name: &str) -> BTreeMap<String, Vec<f64>> {
    let mut zip = zip::ZipArchive::new(File::open(folder().join(name)).unwrap()).unwrap();
    let mut out = BTreeMap::new();
    for i in 0..zip.len() {
        let mut file = zip.by_index(i).unwrap();
        let key = file.name().trim_end_matches(".npy").to_string();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert!(String::from_utf8_lossy(&bytes[10..header]).contains("'<f8'"), "{name} {key}");
        out.insert(key, bytes[header..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect());
    }
    out
}

fn protocol() -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join("protocol.json")).unwrap()).unwrap()
}

/// One cell with NEST's parameters; both programs count in ms, mV, pA, pF, nS.
fn cell(model: &str, protocol: &Value) -> Network {
    let entry = &protocol["models"][model];
    let dt = entry["h"].as_f64().unwrap_or(0.1);
    let text = format!("format = 1\n[run]\ndt = \"{dt} ms\"\nduration = \"300 ms\"\n[populations.cell]\nmodel = \"{model}\"\nsize = 1\n");
    let source = Arc::new(Source { name: model.into(), text });
    let mut network = synfire::scene::load(source, None, &Default::default()).unwrap().network;
    let population = &mut network.populations[0];
    let set = entry["par"].as_object().unwrap();
    let initial = protocol["hh_initial"][model].as_object();
    for (key, value) in set.iter().chain(initial.into_iter().flatten()) {
        let Some(value) = value.as_f64() else { continue };
        let name = match key.as_str() {
            "tau_syn_ex" => "tau_syn_exc",
            "tau_syn_in" => "tau_syn_inh",
            "E_ex" => "E_exc",
            "E_in" => "E_inh",
            other => other,
        };
        if let Some(i) = population.model.parameters.iter().position(|p| p.name == name) {
            population.parameters[i] = Values::Uniform(value);
        } else {
            let found = population.model.states.iter().position(|s| s.name == name);
            let i = found.unwrap_or_else(|| panic!("{model} has no {name}"));
            population.initial[i] = Some(Values::Uniform(value));
        }
    }
    network
}

fn stimulate(network: &mut Network, kind: Drive) {
    let to = Part { population: 0, which: Which::Range { start: 0, len: 1 } };
    network.stimuli.push(Stimulus { name: String::new(), to, kind, start: 0, stop: u64::MAX });
}

fn drive(network: &mut Network, protocol: &Value, model: &str, run: &str) {
    let entry = &protocol["models"][model];
    let step = |t: f64| (t / network.dt).round() as u64;
    if run == "step" {
        let steps = vec![(step(20.0), entry["I"].as_f64().unwrap()), (step(220.0), 0.0)];
        return stimulate(network, Drive::Current { input: 0, wave: Wave::Steps(steps.into()) });
    }
    for (receptor, times, delay, weight) in [(0, "exc_ms", "exc_delay_ms", "we"), (1, "inh_ms", "inh_delay_ms", "wi")] {
        let delay = protocol["spikes"][delay].as_f64().unwrap();
        let times: Vec<u64> = protocol["spikes"][times]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| ((t.as_f64().unwrap() + delay) / network.dt).round() as u64)
            .collect();
        let weight = entry[weight].as_f64().unwrap();
        let model = &network.populations[0].model;
        let (receptor, weight) = if model.by_sign { (Receptor::BySign, weight) } else { (Receptor::Named(receptor), weight.abs()) };
        stimulate(network, Drive::Spikes { times: times.into(), weight, receptor });
    }
}

/// Differences of V_m to NEST in mV, sorted, leaving out 2 ms around each spike where `away`; and spike steps of both.
fn compare(model: &str, run: &str, away: bool) -> (Vec<f64>, Vec<i64>, Vec<i64>) {
    let protocol = protocol();
    let mut network = cell(model, &protocol);
    drive(&mut network, &protocol, model, run);
    let plan = std::sync::Arc::new(synfire::plan::plan(&network).unwrap());
    let mut engine = Cpu::new(plan.clone()).unwrap();
    let reference = npz(&format!("neuron_{model}_{run}.npz"));
    let variable = network.populations[0].model.states.iter().position(|s| s.name == "V_m").unwrap();
    let theirs: Vec<i64> = reference["spikes"].iter().map(|t| (t / network.dt).round() as i64).collect();
    let (mut ours, mut differences) = (Vec::new(), Vec::new());
    for (t, v) in reference["t"].iter().zip(&reference["V_m"]) {
        ours.extend(engine.advance(1).unwrap().spikes.iter().map(|s| i64::from(s.step)));
        let step = (t / network.dt).round() as i64;
        assert_eq!(step, engine.step() as i64);
        let near = theirs.iter().any(|s| (*s - step).abs() as f64 * network.dt <= 2.0);
        if !(away && near) {
            differences.push((f64::from(engine.state(0, variable)[0]) - v).abs());
        }
    }
    differences.sort_by(f64::total_cmp);
    (differences, ours, theirs)
}

#[test]
fn linear_models_meet_nest_to_a_ten_thousandth_of_a_millivolt_and_to_the_step() {
    for model in ["iaf_psc_exp", "iaf_psc_alpha", "iaf_psc_delta"] {
        for run in ["step", "spikes"] {
            let (differences, ours, theirs) = compare(model, run, false);
            assert_eq!(ours, theirs, "{model} {run}");
            assert!(ours.len() >= 2 && *differences.last().unwrap() < 1e-4, "{model} {run}: {:?}", differences.last());
        }
    }
}

#[test]
fn izhikevich_cells_spike_in_the_steps_of_nest() {
    for (model, run, bound) in [("izhikevich", "step", 1e-3), ("izhikevich", "spikes", 1e-3), ("izhikevich_2003", "step", 1e-2)] {
        let (differences, ours, theirs) = compare(model, run, true);
        assert_eq!(ours, theirs, "{model} {run}");
        let p95 = differences[differences.len() * 95 / 100];
        assert!(ours.len() >= 2 && p95 < bound, "{model} {run}: {p95}");
    }
}

#[test]
fn conductance_models_meet_nest_away_from_spikes_and_spike_within_two_steps() {
    for (model, run) in [
        ("iaf_cond_exp", "step"),
        ("aeif_cond_exp", "step"),
        ("aeif_cond_exp", "spikes"),
        ("hh_cond_exp_traub", "step"),
        ("hh_cond_exp_traub", "spikes"),
    ] {
        let (differences, ours, theirs) = compare(model, run, true);
        let shift = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).max().unwrap_or(99);
        let (median, p95) = (differences[differences.len() / 2], differences[differences.len() * 95 / 100]);
        println!("{model} {run}: median {median:.4} mV, p95 {p95:.4} mV, spikes shifted by at most {shift} steps");
        assert!(ours.len() == theirs.len() && shift <= 2, "{model} {run}: {ours:?} {theirs:?}");
        assert!(median < 0.03 && p95 < 0.2, "{model} {run}: median {median}, p95 {p95}");
    }
}
