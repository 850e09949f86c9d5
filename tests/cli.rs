//! The program as a user types it: exit codes, refusals, the run directory.

use std::path::PathBuf;
use std::process::{Command, Output};

fn synfire(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_synfire")).args(words).output().unwrap()
}

fn code(words: &[&str]) -> i32 {
    synfire(words).status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn temporary(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("synfire-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn a_run_writes_its_directory_and_refuses_to_overwrite_it() {
    let out = temporary("run").join("out");
    let out = out.to_str().unwrap();
    let words = ["run", "vogels_abbott_cuba", "--duration", "50 ms", "--out", out];
    let done = synfire(&words);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("real-time factor"));
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(format!("{out}/run.json")).unwrap()).unwrap();
    assert_eq!(json["neurons"], 4000);
    assert!(json["spikes"].as_u64().unwrap() > 1000);
    for file in ["data.npz", "scene.toml"] {
        assert!(std::fs::metadata(format!("{out}/{file}")).unwrap().len() > 100, "{file}");
    }
    assert_eq!(code(&words), 1);
    assert!(text(&synfire(&words).stderr).contains("--force"));
    let again = synfire(&["run", &format!("{out}/scene.toml"), "--out", &format!("{out}-2"), "--json"]);
    let repeated: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(repeated["spikes"], json["spikes"]);
}

#[test]
fn csv_is_written_on_request() {
    let out = temporary("csv").join("out");
    let out = out.to_str().unwrap();
    assert_eq!(code(&["run", "hh_squid", "--duration", "20 ms", "--out", out, "--format", "csv"]), 0);
    assert!(std::fs::read_to_string(format!("{out}/spikes.csv")).unwrap().starts_with("step,time_ms,neuron\n"));
    assert!(std::fs::read_to_string(format!("{out}/I10_V_m.csv")).unwrap().lines().count() > 1000);
}

#[test]
fn mistakes_have_their_exit_codes_and_remedies() {
    assert_eq!(code(&["fly"]), 2);
    let unknown = synfire(&["check", "bruenl"]);
    assert!(text(&unknown.stderr).contains("did you mean `brunel`"), "{}", text(&unknown.stderr));
    let wrong = synfire(&["check", "brunel", "--set", "gg=1"]);
    assert_eq!(wrong.status.code(), Some(3));
    assert!(text(&wrong.stderr).contains("no parameter is named `gg`"));
    let large = synfire(&["check", "brunel", "--set", "N_E=400000000", "--set", "eps=0.000001"]);
    assert_eq!(large.status.code(), Some(5), "{}", text(&large.stderr));
}

/// What only the plan finds out stands at its lines too, and an edit that cannot be is refused before anything is written.
#[test]
fn what_the_plan_refuses_has_its_place_and_edits_are_checked_beforehand() {
    let folder = temporary("refused");
    let (scene, out) = (folder.join("a.toml"), folder.join("out"));
    let good = "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"5 ms\"\n[parameters]\nJ = \"1 pA\"\n[populations.a]\nmodel = \"iaf_psc_exp\"\n\
                size = 10\n[[projections]]\nfrom = \"a\"\nto = \"a\"\nrule = \"all_to_all\"\nweight = \"J\"\ndelay = \"1 ms\"\n";
    let told = |text: &str, words: &[&str]| {
        std::fs::write(&scene, text).unwrap();
        let all = [&[words[0], scene.to_str().unwrap()], &words[1..]].concat();
        self::text(&synfire(&all).stderr)
    };
    let drawn = good.replace("size = 10", "size = 10\nparameters.C_m = \"normal(1 pF, 9 pF)\"");
    let found = told(&drawn, &["check"]);
    assert!(found.contains("C_m must be positive, and neuron") && found.contains("a.toml:7:14"), "{found}");
    let found = told(&good.replace("\"J\"", "\"1e30 pA\""), &["check"]);
    assert!(found.contains("is out of range") && found.contains("a.toml:10:1"), "{found}");
    for (edit, word) in [("2 ms: J=1 mV", "expected a value in pA, found mV"), ("2 ms: a->a.delay=2 ms", "needs the network to be rebuilt")]
    {
        let found = told(good, &["run", "--backend", "cpu", "--out", out.to_str().unwrap(), "--at", edit]);
        assert!(found.contains(word) && !found.contains("built in") && !out.exists(), "{found}");
    }
}

#[test]
fn models_scenes_metrics_and_synapses_can_be_listed() {
    assert!(text(&synfire(&["list", "scenes"]).stdout).contains("microcircuit"));
    let metrics = text(&synfire(&["list", "metrics"]).stdout);
    for metric in synfire::record::METRICS {
        assert!(metrics.contains(metric.name), "{metrics}");
    }
    for word in ["formula", "bins", "minimum", "subset"] {
        assert_eq!(
            metrics.lines().filter(|l| l.trim_start().starts_with(word)).count(),
            synfire::record::METRICS.len() + synfire::record::WEIGHT_METRICS.len(),
            "{word}"
        );
    }
    for (name, _) in synfire::model::builtin() {
        let shown = synfire(&["show", name]);
        assert!(shown.status.success() && text(&shown.stdout).contains("method:"), "{name}: {}", text(&shown.stderr));
    }
    let listed = text(&synfire(&["list", "synapses"]).stdout);
    for (name, _) in synfire::model::builtin_synapses() {
        let shown = synfire(&["show", name]);
        assert!(shown.status.success() && text(&shown.stdout).contains("traces of the source"), "{name}: {}", text(&shown.stderr));
        assert!(listed.contains(name));
    }
    let synapses = text(&synfire(&["export", "connections", "vogels_abbott_cuba"]).stdout);
    let count = synapses.lines().count();
    assert!((310_000..330_000).contains(&count), "{count}");
    assert!(synapses.lines().nth(1).unwrap().ends_with(",0.100000"));
}

#[test]
fn a_thousand_cells_start_run_and_exit_within_a_second() {
    let out = temporary("quick").join("out");
    let start = std::time::Instant::now();
    assert_eq!(code(&["run", "izhikevich_2003", "--duration", "1 s", "--out", out.to_str().unwrap()]), 0);
    // Twice the promise, for machines that run other tests beside this one.
    assert!(start.elapsed().as_secs_f64() < 2.0 || cfg!(debug_assertions), "{:?}", start.elapsed());
}

/// A folder with a scene that draws on data files of every kind.
fn files(name: &str) -> PathBuf {
    let folder = temporary(name);
    let npy = |name: &str, kind: &str, shape: &str, data: &[u8]| {
        let bytes = [synfire::base::npy::header(kind, shape), data.to_vec()].concat();
        std::fs::write(folder.join(name), bytes).unwrap();
    };
    let doubles = |values: &[f64]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    npy("synapses.npy", "<f8", "(2, 4)", &doubles(&[0.0, 1.0, 5000.0, 1.5, 1.0, 2.0, 5000.0, 2.0]));
    npy("times.npy", "<f8", "(2,)", &doubles(&[5.0, 9.0]));
    std::fs::write(folder.join("thresholds.csv"), "V_th\n-58\n-57\n-56\n").unwrap();
    std::fs::write(
        folder.join("scene.toml"),
        r#"format = 1
[run]
dt = "0.1 ms"
duration = "40 ms"
[populations.cells]
model = "iaf_psc_exp"
size = 3
parameters.V_th = { file = "thresholds.csv", unit = "mV" }
[[projections]]
from = "cells"
to = "cells"
rule = "list"
file = "synapses.npy"
weight = "1 pA"
delay = "1 ms"
[[stimuli]]
kind = "spikes"
to = "cells[0]"
file = "times.npy"
weight = "4 nA"
[[probes]]
record = "spikes"
of = "cells"
[[probes]]
record = "rate"
of = "cells"
every = "10 ms"
name = "activity"
"#,
    )
    .unwrap();
    folder
}

#[test]
fn data_files_give_synapses_times_and_parameters() {
    let folder = files("data");
    let (scene, out) = (folder.join("scene.toml"), folder.join("out"));
    let done = synfire(&["run", scene.to_str().unwrap(), "--out", out.to_str().unwrap(), "--format", "csv", "--backend", "cpu"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let spikes = std::fs::read_to_string(out.join("spikes.csv")).unwrap();
    let of = |n: &str| spikes.lines().filter(|l| l.ends_with(&format!(",{n}"))).count();
    assert!(of("0") >= 1 && of("1") >= 1 && of("2") >= 1, "{spikes}");
    let rate = std::fs::read_to_string(out.join("activity.csv")).unwrap();
    let total: f64 = rate.lines().skip(1).map(|l| l.split(',').nth(1).unwrap().parse::<f64>().unwrap() * 3.0 * 0.01).sum();
    assert_eq!(total.round() as usize, spikes.lines().count() - 1);
}

#[test]
fn what_is_wrong_in_a_data_file_is_told() {
    let folder = files("told");
    let scene = std::fs::read_to_string(folder.join("scene.toml")).unwrap().replace("synapses.npy", "synapses.csv");
    for (name, content, words) in [
        ("synapses.csv", "source,target\n0,0\n1,7\n", "target 7 of listed synapse 1 does not exist: there are 3"),
        ("synapses.csv", "source,target\n0.5,0\n", "synapse 0: 0.5 is no neuron"),
        ("synapses.csv", "source,target,delay_ms\n0,1,0\n", "synapse 0: a delay of 0 ms"),
        ("synapses.csv", "from,target\n0,1\n", "the columns source and target are needed, found from, target"),
        ("synapses.csv", "", "synapses.csv is empty"),
        ("thresholds.csv", "V_th\n-58\nnan\n-56\n", "value 2 is NaN"),
        ("thresholds.csv", "V_th\n-58\nx\n-56\n", "line 3: `x` is no number"),
        ("thresholds.csv", "V_th\n-58\n", "1 values for 3 neurons"),
    ] {
        std::fs::write(folder.join("synapses.csv"), "source,target\n0,1\n").unwrap();
        std::fs::write(folder.join("thresholds.csv"), "V_th\n-58\n-57\n-56\n").unwrap();
        let load = || {
            let source = synfire::base::problem::Source { name: "scene.toml".into(), text: scene.clone() };
            synfire::scene::load(source.into(), Some(&folder), &Default::default())
        };
        assert!(load().is_ok());
        std::fs::write(folder.join(name), content).unwrap();
        let told: String = load().unwrap_err().iter().map(synfire::base::problem::Problem::render).collect();
        assert!(told.contains(words) && told.contains("--> scene.toml:"), "{told}");
    }
}

#[test]
fn broken_data_files_are_refused_and_never_panic() {
    let folder = files("broken");
    let scene = folder.join("scene.toml");
    let load = || {
        let source = synfire::base::problem::Source { name: "scene.toml".into(), text: std::fs::read_to_string(&scene).unwrap() };
        synfire::scene::load(source.into(), Some(&folder), &Default::default())
    };
    for name in ["synapses.npy", "times.npy", "thresholds.csv"] {
        let good = std::fs::read(folder.join(name)).unwrap();
        for i in 0..good.len() {
            std::fs::write(folder.join(name), &good[..i]).unwrap();
            let cut = load();
            assert!(cut.is_err() || name == "thresholds.csv", "{name} cut at {i}");
            for flip in [0x01, 0x10, 0xff] {
                let mut bad = good.clone();
                bad[i] ^= flip;
                std::fs::write(folder.join(name), &bad).unwrap();
                if let Ok(scene) = load() {
                    // Another number may be as good; then it must be planned or refused.
                    let _ = synfire::plan::plan(&scene.network);
                }
            }
        }
        std::fs::write(folder.join(name), &good).unwrap();
        assert!(load().is_ok());
    }
}
