//! Edit = restart, over all models and all their parameters: what an edit at a step gives equals what a fresh load of the
//! resolved scene gives that goes on from the checkpoint file of that step, in other batches, on the other engine, and in a new
//! process. Spikes are under way and cells refractory. And A + B = A, save, load, B.

mod common;

use std::path::{Path, PathBuf};

use common::{advance, cpu, load, machines, origin, start};
use synfire::export::{Checkpoint, read_checkpoint, write_checkpoint};
use synfire::model::{Least, Model};
use synfire::plan::State;
use synfire::session::{Command, Machine, Simulation};
use toml_edit::{DocumentMut, Item};

const BEFORE: u64 = 250;
const AFTER: u64 = 150;

/// Drives and weights in the units that models use; the first that loads is taken.
const CURRENTS: [(&str, &str); 6] =
    [("500 pA", "400 pA"), ("12 mV/ms", "6 mV/ms"), ("12 uA/cm^2", "8 uA/cm^2"), ("0.6", "0.4"), ("0.7/ms", "0.4/ms"), ("20 mV", "8 mV")];
const WEIGHTS: [&str; 8] = ["90 pA", "0.8 mV", "25 nS", "0.03 mS/cm^2", "1 mV/ms", "0.9", "0.2/ms", "2 uA/cm^2"];

fn loads(text: &str) -> bool {
    origin(text, None, &[]).load().is_ok()
}

fn model(name: &str) -> std::sync::Arc<Model> {
    let text = format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[populations.a]\nmodel = \"{name}\"\nsize = 1\n");
    load(&origin(&text, None, &[])).network.populations[0].model.clone()
}

/// Cells of one model that excite and inhibit each other under noise and Poisson input of every kind the model takes.
fn scene(name: &str) -> String {
    let model = model(name);
    let mut text =
        format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 5\n[populations.a]\nmodel = \"{name}\"\nsize = 24\n");
    // Inhibition that would silence the cells shows little.
    let factor = |name: &str| if ["inh", "gaba", "in"].iter().any(|i| name.to_lowercase().ends_with(i)) { "0.1*" } else { "" };
    let mut receptors: Vec<(String, &str)> =
        model.receptors.iter().map(|r| (format!("receptor = \"{}\"\n", r.name), factor(&r.name))).collect();
    if model.by_sign {
        receptors = vec![(String::new(), ""), (String::new(), "-0.5*")];
    }
    for (receptor, sign) in receptors {
        let with = |w: &str| {
            format!(
                "[[projections]]\nfrom = \"a\"\nto = \"a\"\nrule = \"fixed_probability\"\np = 0.4\n{receptor}weight = \"{sign}({w})\"\n\
                 delay = \"uniform(0.3 ms, 2 ms)\"\n[[stimuli]]\nkind = \"poisson\"\nto = \"a\"\nrate = \"4 kHz\"\n{receptor}weight = \"{sign}({w})\"\n"
            )
        };
        let fits = WEIGHTS.iter().map(|w| with(w)).find(|more| loads(&format!("{text}{more}")));
        text += &fits.unwrap_or_else(|| panic!("{name}: no weight fits `{receptor}`; add its unit to WEIGHTS"));
    }
    for input in &model.inputs {
        let with = |(mean, sd): &(&str, &str)| {
            format!(
                "[[stimuli]]\nkind = \"noise\"\nto = \"a\"\ninput = \"{}\"\nmean = \"{mean}\"\nsd = \"{sd}\"\nevery = \"0.4 ms\"\n",
                input.name
            )
        };
        // Two that the first fitting current leaves silent.
        let strong = match name {
            "morris_lecar" => Some(&("66 uA/cm^2", "40 uA/cm^2")),
            _ if name.starts_with("aeif_psc") => Some(&("1500 pA", "900 pA")),
            _ => None,
        };
        let fits = strong.into_iter().chain(&CURRENTS).map(with).find(|more| loads(&format!("{text}{more}")));
        text += &fits.unwrap_or_else(|| panic!("{name}: no current fits `{}`; add its unit to CURRENTS", input.name));
    }
    text
}

/// Every parameter of a built-in model, and another value for it.
fn edits(name: &str, text: &str) -> Vec<(String, String)> {
    let document: DocumentMut = text.parse().unwrap();
    let Some(parameters) = document.get("parameters").and_then(Item::as_table_like) else { return Vec::new() };
    let other = |key: &str, item: &Item| {
        let written = match item.as_str() {
            Some(s) => s.to_string(),
            None => item.to_string().trim().to_string(),
        };
        if key.starts_with("t_ref") {
            return format!("round(({written} + 0.4 ms)/dt)*dt");
        }
        match written.strip_prefix("0 ").or(written.strip_prefix("0.0 ")) {
            Some(unit) => format!("0.3 {unit}"),
            None if written == "0" || written == "0.0" => "0.3".into(),
            // These are parts of a whole, and 1 to begin with.
            None if key.starts_with("f_") => format!("({written})*0.96"),
            None => format!("({written})*1.04"),
        }
    };
    let all: Vec<_> = parameters.iter().map(|(key, item)| (format!("a.{key}"), other(key, item))).collect();
    assert_eq!(all.len(), model(name).parameters.len(), "{name}");
    all
}

fn set((address, value): &(String, String)) -> Command {
    Command::Set { address: address.clone(), value: value.clone() }
}

/// Through a file and back.
fn through_a_file(simulation: &Simulation, path: &Path) -> State {
    write_checkpoint(&Checkpoint::new(&simulation.plan, &simulation.scene.resolved, simulation.save().unwrap()), path).unwrap();
    let read = read_checkpoint(path).unwrap();
    read.belongs(&simulation.plan).unwrap();
    read.state
}

fn temporary(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("synfire-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Runs, edits, runs on; and from the checkpoint, with the resolved scene alone. Returns whether the edit changed anything.
fn edit_is_restart(text: &str, at: u64, edits: &[(String, String)], here: &Machine, there: &Machine, path: &Path) -> bool {
    let mut edited = start(origin(text, None, &[]), here, None);
    advance(&mut edited, at, 60);
    let state = through_a_file(&edited, path);
    for edit in edits {
        edited.apply(set(edit)).unwrap_or_else(|e| panic!("{edit:?}: {e}\n{text}"));
    }
    let resolved = edited.scene.resolved.clone();
    let after = advance(&mut edited, AFTER, AFTER);
    let mut restarted = start(origin(&resolved, None, &[]), there, Some(&state));
    let again = advance(&mut restarted, AFTER, 7);
    assert_eq!(after.spikes, again.spikes, "spikes after {edits:?}\n{text}");
    assert_eq!(after.events, again.events, "events after {edits:?}\n{text}");
    assert_eq!(edited.save().unwrap(), restarted.save().unwrap(), "state after {edits:?}\n{text}");
    let mut unedited = start(origin(text, None, &[]), here, Some(&state));
    advance(&mut unedited, AFTER, 50);
    unedited.save().unwrap() != edited.save().unwrap()
}

/// A step after `BEFORE` at which an edit means most: spikes are under way and cells refractory, where the model knows either.
/// None if the network never comes there.
fn busy(text: &str) -> Option<u64> {
    let mut simulation = start(origin(text, None, &[]), &cpu(), None);
    let spikes = advance(&mut simulation, BEFORE, BEFORE).spikes.len();
    let population = &simulation.plan.populations[0];
    let receptors = population.program.receptors > 0;
    let refractory = population.states.iter().position(|s| s == "refractory steps left");
    let refractory = refractory.filter(|_| !{
        let model = &simulation.scene.network.populations[0].model;
        model.parameters.iter().any(|p| p.least == Least::Zero && p.default == 0.0)
    });
    for _ in 0..500 {
        let state = simulation.save().unwrap();
        let under_way = !receptors || state.due.iter().flatten().any(|x| *x != 0);
        let resting = refractory.is_none_or(|r| state.values[0][r].iter().any(|x| *x > 0.0));
        if spikes >= 5 && under_way && resting {
            return Some(simulation.step());
        }
        advance(&mut simulation, 1, 1);
    }
    None
}

#[test]
fn every_parameter_of_every_model() {
    let folder = temporary("edit-restart");
    let path = folder.join("c");
    let (mut count, mut without, mut quiet) = (0, Vec::new(), Vec::new());
    for (name, model_text) in synfire::model::builtin() {
        let text = scene(name);
        let Some(at) = busy(&text) else {
            quiet.push(name);
            continue;
        };
        for edit in edits(name, model_text) {
            count += 1;
            if !edit_is_restart(&text, at, std::slice::from_ref(&edit), &cpu(), &cpu(), &path) {
                without.push(format!("{name} {} ", edit.0));
            }
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    assert!(quiet.is_empty(), "models that hardly spike here: {quiet:?}");
    assert!(count >= 90 && without.len() * 8 <= count, "{} of {count} without effect: {without:?}", without.len());
}

/// All parameters of a model at once, from each engine to the other.
#[test]
fn all_parameters_at_once_on_the_other_engine() {
    let folder = temporary("edit-restart-other");
    let machines = machines();
    for (i, (name, model_text)) in synfire::model::builtin().into_iter().enumerate() {
        let (here, there) = (&machines[i % machines.len()], &machines[(i + 1) % machines.len()]);
        let edits = edits(name, model_text);
        let text = scene(name);
        let at = busy(&text).unwrap_or_else(|| panic!("{name} hardly spikes here"));
        let changed = edit_is_restart(&text, at, &edits, here, there, &folder.join("c"));
        assert!(changed || edits.is_empty(), "{name}: no parameter has an effect");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_run_goes_on_from_its_checkpoint_on_the_other_engine_at_any_step() {
    let folder = temporary("resume");
    let text = include_str!("../src/session/selftest.toml");
    let machines = machines();
    let mut whole = start(origin(text, None, &[]), &machines[0], None);
    let expected = advance(&mut whole, 300, 300);
    for cut in [0, 1, 2, 157, 299] {
        for (i, here) in machines.iter().enumerate() {
            let there = &machines[(i + 1) % machines.len()];
            let mut first = start(origin(text, None, &[]), here, None);
            let mut spikes = advance(&mut first, cut, 31).spikes;
            let state = through_a_file(&first, &folder.join("c"));
            let mut second = start(origin(text, None, &[]), there, Some(&state));
            spikes.extend(advance(&mut second, 300 - cut, 40).spikes);
            assert_eq!(spikes, expected.spikes, "cut at {cut}");
            assert_eq!(second.save().unwrap(), whole.save().unwrap(), "cut at {cut}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

fn synfire(words: &[&str]) {
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_synfire")).args(words).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// The spikes after a step, as lines.
fn late(folder: &Path, after: u64) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("spikes.csv")).unwrap();
    text.lines().skip(1).filter(|l| l.split(',').next().unwrap().parse::<u64>().unwrap() > after).map(String::from).collect()
}

/// The same through the program: run with --at; and run to the step, write a checkpoint, go on in a new process with --set.
#[test]
fn a_new_process_goes_on_with_the_new_value() {
    let folder = temporary("process");
    let scene = folder.join("scene.toml");
    let text = include_str!("edits.toml").replace("duration = \"1 s\"", "duration = \"60 ms\"")
        + "[[probes]]\nrecord = \"spikes\"\nof = [\"exc\", \"inh\", \"slow\"]\n";
    std::fs::write(&scene, text).unwrap();
    let at = |name: &str| folder.join(name).to_str().unwrap().to_string();
    let other = if machines().len() > 1 { "gpu" } else { "cpu" };
    let common =
        |out: &str| vec!["run".to_string(), at("scene.toml"), "--format".into(), "csv".into(), "--force".into(), "--out".into(), at(out)];
    let call = |mut words: Vec<String>, more: &[&str]| {
        words.extend(more.iter().map(|w| w.to_string()));
        synfire(&words.iter().map(String::as_str).collect::<Vec<_>>());
    };
    call(common("half"), &["--backend", "cpu", "--duration", "30 ms", "--checkpoint", &at("c")]);
    call(common("plain"), &["--backend", "cpu"]);
    for (i, (address, value)) in
        [("g", "7"), ("exc.tau_m", "12 ms"), ("inh->exc,inh.weight", "-250 pA"), ("hum.amplitude", "120 pA")].iter().enumerate()
    {
        let set = format!("{address}={value}");
        call(common("edited"), &["--backend", "cpu", "--at", &format!("30 ms: {set}")]);
        let place = if i % 2 == 0 { other } else { "cpu" };
        call(common("resumed"), &["--backend", place, "--resume", &at("c"), "--set", &set]);
        let (edited, resumed, plain) =
            (late(&folder.join("edited"), 300), late(&folder.join("resumed"), 0), late(&folder.join("plain"), 300));
        assert!(edited.len() > 100, "{set}: only {} spikes", edited.len());
        assert_eq!(edited, resumed, "{set}");
        assert_ne!(edited, plain, "{set}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// The same for every model: all its parameters are edited at a busy step; a new process, for every third model on the other
/// engine, comes to the same spikes and to the same state at the end.
#[test]
fn every_model_goes_on_in_a_new_process() {
    let folder = temporary("process-models");
    let at = |name: &str| folder.join(name).to_str().unwrap().to_string();
    let other = if machines().len() > 1 { "gpu" } else { "cpu" };
    for (i, (name, model_text)) in synfire::model::builtin().into_iter().enumerate() {
        let text = scene(name) + "[[probes]]\nrecord = \"spikes\"\nof = \"a\"\n";
        let step = busy(&text).unwrap_or_else(|| panic!("{name} hardly spikes here"));
        std::fs::write(folder.join("scene.toml"), text).unwrap();
        let time = |step: u64| format!("{}.{} ms", step / 10, step % 10);
        let run = |out: &str, backend: &str, end: u64, more: &[String]| {
            let words = ["run", &at("scene.toml"), "--format", "csv", "--force", "--out", &at(out), "--backend", backend];
            let mut words: Vec<String> = words.into_iter().map(String::from).collect();
            words.extend(["--duration".into(), time(end), "--checkpoint".into(), at(&format!("{out}-end"))]);
            words.extend_from_slice(more);
            synfire(&words.iter().map(String::as_str).collect::<Vec<_>>());
        };
        let edits: Vec<String> = edits(name, model_text).iter().map(|(address, value)| format!("{address}={value}")).collect();
        let (now, later): (Vec<_>, Vec<_>) =
            edits.iter().map(|e| (["--set".to_string(), e.clone()], ["--at".to_string(), format!("{}: {e}", time(step))])).unzip();
        run("half", "cpu", step, &[]);
        run("edited", "cpu", step + AFTER, &later.concat());
        let resume = [vec!["--resume".to_string(), at("half-end")], now.concat()].concat();
        run("resumed", if i % 3 == 0 { other } else { "cpu" }, step + AFTER, &resume);
        assert_eq!(late(&folder.join("edited"), step), late(&folder.join("resumed"), 0), "{name}");
        let end = |out: &str| read_checkpoint(Path::new(&at(&format!("{out}-end")))).unwrap().state;
        assert_eq!(end("edited"), end("resumed"), "{name}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
