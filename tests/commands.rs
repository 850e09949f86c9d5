//! Commands around a run, and the conventions that all commands keep: streams, JSON, exit codes, signals.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn synfire(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_synfire")).current_dir(folder).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("synfire-commands-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", text(&output.stdout), text(&output.stderr)))
}

/// A folder with a new scene, `a.toml`.
fn with_scene(name: &str) -> PathBuf {
    let folder = folder(name);
    let made = synfire(&folder, &["new", "a"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    folder
}

#[test]
fn a_new_scene_runs_as_it_is_and_is_never_overwritten() {
    let folder = with_scene("new");
    let scene = std::fs::read_to_string(folder.join("a.toml")).unwrap();
    assert!(scene.starts_with("#:schema synfire.schema.json\n") && scene.matches('#').count() > 15);
    serde_json::from_str::<serde_json::Value>(&std::fs::read_to_string(folder.join("synfire.schema.json")).unwrap()).unwrap();
    let run = synfire(&folder, &["run", "a.toml", "--backend", "cpu", "--json"]);
    assert!(json(&run)["populations"][0]["rate_Hz"].as_f64().unwrap() > 1.0);
    assert_eq!(synfire(&folder, &["new", "a"]).status.code(), Some(1));
    assert!(synfire(&folder, &["new", "b.toml", "--from", "brunel"]).status.success());
    assert!(synfire(&folder, &["check", "b.toml"]).status.success());
    assert!(std::fs::read_to_string(folder.join("b.toml")).unwrap().contains("# 10 Hz"), "comments are kept");
    assert_eq!(synfire(&folder, &["new", ""]).status.code(), Some(2));
}

#[test]
fn compare_names_the_first_spike_that_differs() {
    let folder = with_scene("compare");
    let run = |out: &str, more: &[&str]| {
        let words = [&["run", "a.toml", "--backend", "cpu", "--out", out], more].concat();
        let done = synfire(&folder, &words);
        assert!(done.status.success(), "{}", text(&done.stderr));
    };
    let short = ["--duration", "300 ms"];
    run("one", &short);
    run("two", &[&short[..], &["--format", "csv"]].concat());
    run("other", &[&short[..], &["--set", "g=5.1"]].concat());
    run("long", &["--duration", "301 ms"]);
    let same = synfire(&folder, &["compare", "one", "two"]);
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stdout));
    assert!(text(&same.stdout).contains("exc_V_m: the same"));
    let differ = synfire(&folder, &["compare", "one", "other", "--json"]);
    assert_eq!(differ.status.code(), Some(1));
    let report = json(&differ);
    let first = &report["spikes"]["first_difference"];
    // The same spike by hand.
    let spikes = |name: &str| {
        let done = synfire(
            &folder,
            &["run", &format!("{name}/scene.toml"), "--backend", "cpu", "--format", "csv", "--out", &format!("{name}-csv")],
        );
        assert!(done.status.success(), "{}", text(&done.stderr));
        let lines = std::fs::read_to_string(folder.join(format!("{name}-csv/spikes.csv"))).unwrap();
        let row = |l: &str| (l.split(',').next().unwrap().parse::<u64>().unwrap(), l.split(',').nth(2).unwrap().parse::<u64>().unwrap());
        lines.lines().skip(1).map(row).collect::<Vec<_>>()
    };
    let (a, b) = (spikes("one"), spikes("other"));
    let at = a.iter().zip(&b).position(|(x, y)| x != y).unwrap();
    let expected = a[at].min(b[at]);
    assert_eq!((first["step"].as_u64().unwrap(), first["neuron"].as_u64().unwrap()), expected);
    assert_eq!(report["spikes"]["equal_before"].as_u64().unwrap() as usize, at);
    assert_eq!(synfire(&folder, &["compare", "one", "other", "--tolerance", "0.5"]).status.code(), Some(0));
    assert_eq!(synfire(&folder, &["compare", "one", "other", "--tolerance", "0.0001"]).status.code(), Some(1));
    let long = synfire(&folder, &["compare", "one", "long"]);
    assert!(long.status.code() == Some(1) && text(&long.stdout).contains("not of the same length"), "{}", text(&long.stdout));
    assert_eq!(synfire(&folder, &["compare", "one", "nothing"]).status.code(), Some(1));
}

#[test]
fn a_resolved_scene_runs_to_the_same_spikes_with_preset_and_settings() {
    let folder = folder("resolved");
    let words = ["run", "brunel", "--preset", "SI_slow", "--set", "N_E=400", "--seed", "5", "--warmup", "50 ms", "--duration", "100 ms"];
    assert!(synfire(&folder, &[&words[..], &["--backend", "cpu", "--out", "one"]].concat()).status.success());
    assert!(synfire(&folder, &["run", "one/scene.toml", "--backend", "cpu", "--out", "two"]).status.success());
    let same = synfire(&folder, &["compare", "one", "two", "--json"]);
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stdout));
    let report = json(&same);
    assert!(report["spikes"]["a"].as_u64().unwrap() > 0 && report["same_scene"] == true, "{report:#}");
}

#[test]
fn a_run_tells_all_that_is_needed_to_repeat_it() {
    let folder = with_scene("report");
    let words = ["run", "a.toml", "--backend", "cpu", "--duration", "100 ms", "--out", "r", "--at", "150 ms: g=6"];
    assert!(synfire(&folder, &words).status.success());
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.join("r/run.json")).unwrap()).unwrap();
    for key in [
        "schema_version",
        "synfire",
        "scene_sha256",
        "seed",
        "dt_ms",
        "steps",
        "engine",
        "device",
        "driver",
        "limits",
        "bit_exact",
        "build_s",
        "simulation_s",
        "real_time_factor",
        "edits",
        "complete",
        "host",
        "files",
        "spikes",
        "synaptic_events",
        "peak_bytes",
    ] {
        assert!(report.get(key).is_some(), "{key}");
    }
    assert_eq!((report["edits"].as_u64(), report["complete"].as_bool()), (Some(1), Some(true)));
    for file in report["files"].as_array().unwrap() {
        assert!(folder.join("r").join(file.as_str().unwrap()).is_file(), "{file}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.join("r")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), report["files"].as_array().unwrap().len(), "{left:?}");
}

/// The longer run records 120 MB more. What is held is what one advance gives, which the governor keeps short in time.
#[test]
fn a_longer_recording_takes_no_more_memory() {
    let folder = folder("memory");
    let scene = "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[populations.a]\nmodel = \"iaf_psc_exp\"\nsize = 1000\n\
        [[stimuli]]\nkind = \"current\"\nto = \"a\"\namplitude = \"1 nA\"\n[[probes]]\nrecord = \"V_m\"\nof = \"a\"\n";
    std::fs::write(folder.join("a.toml"), scene).unwrap();
    let peak = |duration: &str| {
        let words = ["run", "a.toml", "--backend", "cpu", "--duration", duration, "--out", "r", "--force"];
        assert!(synfire(&folder, &words).status.success());
        let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.join("r/run.json")).unwrap()).unwrap();
        assert!(report["spikes"].as_u64().unwrap() > 50_000, "{report:#}");
        report["peak_bytes"].as_u64()
    };
    if let (Some(short), Some(long)) = (peak("1 s"), peak("4 s")) {
        assert!(long < short + (30 << 20), "{short} bytes for 1 s, {long} for 4 s");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn force_replaces_runs_and_nothing_else() {
    let folder = with_scene("force");
    let run =
        |more: &[&str]| synfire(&folder, &[&["run", "a.toml", "--backend", "cpu", "--duration", "10 ms"], more].concat()).status.code();
    assert_eq!(run(&["--out", "r", "--format", "csv"]), Some(0));
    std::fs::write(folder.join("r/notes.txt"), "mine").unwrap();
    assert_eq!(run(&["--out", "r"]), Some(1));
    assert_eq!(run(&["--out", "r", "--force"]), Some(0));
    assert!(folder.join("r/notes.txt").exists() && folder.join("r/data.npz").exists() && !folder.join("r/spikes.csv").exists());
    std::fs::create_dir(folder.join("mine")).unwrap();
    std::fs::write(folder.join("mine/thesis.tex"), "years").unwrap();
    assert_eq!(run(&["--out", "mine", "--force"]), Some(1));
    assert_eq!(std::fs::read_dir(folder.join("mine")).unwrap().count(), 1);
    assert_eq!(run(&["--out", "a.toml", "--force"]), Some(1));
}

#[test]
fn a_sweep_gives_one_row_for_each_value_and_seed() {
    let folder = with_scene("sweep");
    let words = ["sweep", "a.toml", "--backend", "cpu", "--duration", "100 ms", "--vary", "g=4:6:1", "--seeds", "2"];
    let table = synfire(&folder, &words);
    assert!(table.status.success(), "{}", text(&table.stderr));
    let lines = text(&table.stdout);
    assert_eq!(lines.lines().count(), 7, "{lines}");
    assert!(lines.starts_with("g,seed,rate.exc (Hz),") && lines.lines().nth(2).unwrap().starts_with("4,2,"), "{lines}");
    let alone = synfire(&folder, &[&words[..], &["--jobs", "1"]].concat());
    assert_eq!(text(&alone.stdout), lines);
    let run = synfire(&folder, &["run", "a.toml", "--backend", "cpu", "--duration", "100 ms", "--set", "g=5", "--seed", "2", "--json"]);
    let rows = json(&synfire(&folder, &[&words[..], &["--metric", "rate.exc", "--json"]].concat()));
    let row = rows["rows"].as_array().unwrap().iter().find(|r| r["set"]["g"] == 5.0 && r["seed"] == 2).unwrap();
    assert_eq!(row["metrics"]["rate.exc"], json(&run)["populations"][0]["rate_Hz"]);
    for (wrong, code) in [("g", 2), ("g=1:2:0", 2), ("gg=1,2", 3), ("J=1 mV:2 mV:1 mV", 3)] {
        let refused = synfire(&folder, &["sweep", "a.toml", "--vary", wrong]);
        assert_eq!(refused.status.code(), Some(code), "{wrong}: {}", text(&refused.stderr));
    }
    let unknown = synfire(&folder, &["sweep", "a.toml", "--metric", "rat.exc"]);
    assert!(unknown.status.code() == Some(2) && text(&unknown.stderr).contains("did you mean `rate`"), "{}", text(&unknown.stderr));
}

#[test]
fn bench_splits_its_time_by_phase_and_by_size() {
    let folder = folder("bench");
    let words = ["bench", "--sizes", "500,1000", "--repeat", "1", "--backend", "cpu", "--duration", "50 ms", "--threads", "1"];
    let report = json(&synfire(&folder, &[&words[..], &["--json"]].concat()));
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(cases.iter().map(|c| c["neurons"].as_u64().unwrap()).collect::<Vec<_>>(), [500, 1000]);
    for case in cases {
        let sum: f64 = case["phases"].as_array().unwrap().iter().map(|p| p["seconds"].as_f64().unwrap()).sum();
        let run = case["run_s"].as_f64().unwrap();
        assert!(sum > 0.2 * run && sum <= run, "{case:#}");
        assert!(case["spikes"].as_u64().unwrap() > 100, "too quiet: {case:#}");
    }
    assert!(text(&synfire(&folder, &words).stdout).contains("update"));
}

#[test]
fn every_command_that_prints_data_prints_one_json_document() {
    let folder = with_scene("json");
    for words in [
        &["check", "a.toml"][..],
        &["check", "a.toml", "brunel"],
        &["show", "a.toml"],
        &["show", "hh"],
        &["list", "scenes"],
        &["list", "models"],
        &["list", "metrics"],
        &["export", "connections", "a.toml"],
        &["devices"],
        &["verify", "lif_fi", "--backend", "cpu"],
        &["new", "c"],
        &["check", "nothing"],
        &["check", "a.toml", "--set", "g=true"],
        &["run", "a.toml", "--out", "a.toml"],
    ] {
        let output = synfire(&folder, &[words, &["--json"]].concat());
        assert_eq!(json(&output)["schema_version"], 1, "{words:?}");
    }
    let wrong = json(&synfire(&folder, &["check", "a.toml", "--json", "--set", "J=3 ms"]));
    let problem = &wrong["error"]["problems"][0];
    assert!(problem["place"]["line"].as_u64().is_some() && problem["message"].as_str().unwrap().contains("ms"), "{wrong:#}");
}

#[test]
fn exit_codes_tell_what_kind_of_failure_it_was() {
    let folder = with_scene("codes");
    let code = |words: &[&str]| synfire(&folder, words).status.code();
    assert_eq!(code(&["run", "a.toml", "--duration", "10 ms", "--backend", "cpu"]), Some(0));
    assert_eq!(code(&["run", "a.toml", "--duration", "10"]), Some(2));
    assert_eq!(code(&["run", "a.toml", "--backend", "cpu", "--device", "0"]), Some(2));
    assert_eq!(code(&["chek", "a.toml"]), Some(2));
    assert_eq!(code(&["run", "a.toml", "--set", "g=nan"]), Some(3));
    assert_eq!(code(&["run", "a.toml", "--backend", "gpu", "--device", "no such thing"]), Some(4));
    assert_eq!(code(&["check", "a.toml", "--set", "N=1000000000"]), Some(5));
}

#[test]
fn quiet_says_nothing_but_errors_and_colours_are_asked_for() {
    let folder = with_scene("quiet");
    let quiet = synfire(&folder, &["run", "a.toml", "-q", "--duration", "10 ms", "--backend", "cpu"]);
    assert!(quiet.stderr.is_empty() && !quiet.stdout.is_empty(), "{}", text(&quiet.stderr));
    let wrong = |more: &[&str]| text(&synfire(&folder, &[&["check", "a.toml", "--set", "gg=1"], more].concat()).stderr);
    assert!(!wrong(&[]).contains('\x1b') && wrong(&["--color", "always"]).contains('\x1b') && !wrong(&["-qq"]).is_empty());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = with_scene("pipe");
    let mut child = Command::new(env!("CARGO_BIN_EXE_synfire"))
        .current_dir(&folder)
        .args(["export", "connections", "a.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{}", text(&done.stderr));
}

#[cfg(target_os = "linux")]
mod signals {
    use super::*;
    use std::process::Child;

    fn wait(what: &str, mut ready: impl FnMut() -> bool) {
        for _ in 0..3000 {
            if ready() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("waited a minute for {what}");
    }

    fn interrupt(child: &Child) {
        assert!(Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap().success());
    }

    fn start(folder: &Path, words: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_synfire"));
        let child =
            command.current_dir(folder).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Until the program catches SIGINT (bit 2 of the mask), the signal would end it at once.
        wait("the handler", || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            let mask = status.lines().find_map(|l| l.strip_prefix("SigCgt:")).unwrap().trim().to_string();
            u64::from_str_radix(&mask, 16).unwrap() & 2 != 0
        });
        child
    }

    #[test]
    #[cfg(feature = "view")]
    fn ctrl_c_ends_a_command_that_has_nothing_to_save_at_once() {
        use std::os::unix::process::ExitStatusExt;
        let folder = with_scene("picture");
        let words = ["snap", "a.toml", "--panel", "raster", "--backend", "cpu", "--at", "100000 s", "--out", "x.svg"];
        // A shell that runs the tests in the background ignores the signal, and so would all that it starts.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT", env!("CARGO_BIN_EXE_synfire")]);
        let mut child = command.current_dir(&folder).args(words).stderr(Stdio::piped()).spawn().unwrap();
        // The simulation has a thread of its own; when there is one, the command is under way.
        let threads = format!("/proc/{}/task", child.id());
        wait("the simulation", || std::fs::read_dir(&threads).is_ok_and(|t| t.count() > 1));
        interrupt(&child);
        wait("the end", || child.try_wait().unwrap().is_some());
        assert_eq!(child.wait().unwrap().signal(), Some(2));
        assert!(!folder.join("x.svg").exists());
    }

    #[test]
    fn ctrl_c_writes_the_partial_run_and_marks_it() {
        let folder = with_scene("interrupt");
        let child = start(&folder, &["run", "a.toml", "--backend", "cpu", "--duration", "100000 s", "--out", "r"]);
        let part = folder.join("r/.spike_step.part");
        wait("spikes", || part.metadata().is_ok_and(|m| m.len() > 0));
        interrupt(&child);
        let done = child.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(130), "{}", text(&done.stderr));
        let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.join("r/run.json")).unwrap()).unwrap();
        assert_eq!((report["complete"].as_bool(), report["interrupted"].as_bool()), (Some(false), Some(true)));
        let steps = report["steps"].as_u64().unwrap();
        assert!(steps > 0 && report["spikes"].as_u64().unwrap() > 0);
        // It is the beginning of the same run.
        let dt = report["dt_ms"].as_f64().unwrap();
        let time = format!("{} ms", (steps as f64 * dt).round() - 200.0);
        let again = synfire(&folder, &["run", "a.toml", "--backend", "cpu", "--duration", &time, "--out", "s"]);
        assert!(again.status.success(), "{}", text(&again.stderr));
        let same = synfire(&folder, &["compare", "r", "s", "--json"]);
        assert!(json(&same)["spikes"]["first_difference"].is_null(), "{}", text(&same.stdout));
    }

    #[test]
    fn ctrl_c_twice_aborts() {
        let folder = folder("abort");
        // It waits for a scene that never comes.
        let mut child = start(&folder, &["run", "-"]);
        interrupt(&child);
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(child.try_wait().unwrap().is_none(), "the first one asks for a stop");
        wait("the end", || {
            interrupt(&child);
            child.try_wait().unwrap().is_some()
        });
        let stdin = child.stdin.take();
        let done = child.wait_with_output().unwrap();
        drop(stdin);
        assert_eq!(done.status.code(), Some(130), "{}", text(&done.stderr));
        assert!(text(&done.stderr).contains("aborted"));
    }
}
