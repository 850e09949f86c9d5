//! Damaged files and models by the thousand: data files, checkpoints, journals, model texts. Each is taken or refused with a reason;
//! none may panic. What is taken must be planned, run, or refused in turn.

mod common;

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use common::{advance, cpu, load, origin, rendered, start};
use serde_json::{Value, json};
use synfire::base::npy;
use synfire::base::rng::Stream;
use synfire::export::{Checkpoint, read_checkpoint, write_checkpoint};
use synfire::plan::{plan, resumed};
use synfire::session::{Command, Simulation};
use zip::write::SimpleFileOptions;

/// Choices, reproducible from a number.
struct Dice(Stream, u32);

impl Dice {
    fn new(number: u32) -> Self {
        Self(Stream::new(41, [99, number]), 0)
    }

    fn below(&mut self, n: usize) -> usize {
        self.1 += 1;
        self.0.block([self.1, 0, 0, 0])[0] as usize % n.max(1)
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// Flips, cuts, doubles or replaces a piece.
    fn damage(&mut self, bytes: &mut Vec<u8>, words: &[&str]) {
        let at = self.below(bytes.len());
        let end = (at + self.below(24)).min(bytes.len());
        match self.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                let to = self.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            3 => bytes.truncate(at),
            _ => {
                let word = self.of(words).as_bytes().to_vec();
                let until = if self.below(2) == 0 { at } else { end };
                bytes.splice(at..until, word);
            }
        }
    }
}

fn temporary(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("synfire-fuzz-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

const FILES: &str = r#"format = 1
[run]
dt = "0.1 ms"
duration = "5 ms"
[populations.cells]
model = "iaf_psc_exp"
size = 4
parameters.V_th = { file = "V.csv", column = "V_th", unit = "mV" }
parameters.tau_m = { file = "V.npz", column = "tau_m", unit = "ms" }
[[projections]]
from = "cells"
to = "cells"
rule = "list"
file = "S"
weight = "1 pA"
delay = "1 ms"
[[stimuli]]
kind = "spikes"
to = "cells[0]"
file = "T"
weight = "4 nA"
"#;

fn zipped(entries: &BTreeMap<String, Vec<u8>>, deflate: bool) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let method = if deflate { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
    for (name, bytes) in entries {
        zip.start_file(name.as_str(), SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn doubles(shape: &str, values: &[f64]) -> Vec<u8> {
    [npy::header("<f8", shape), values.iter().flat_map(|x| x.to_le_bytes()).collect()].concat()
}

/// The good files of each kind: name, bytes.
fn good(kind: &str) -> Vec<(&'static str, Vec<u8>)> {
    let columns = |names: &[&str], values: &[&[f64]]| {
        names.iter().zip(values).map(|(n, v)| (format!("{n}.npy"), doubles(&format!("({},)", v.len()), v))).collect::<BTreeMap<_, _>>()
    };
    let synapses: [&[f64]; 4] = [&[0.0, 1.0, 2.0], &[1.0, 2.0, 3.0], &[900.0, 800.0, -30.0], &[0.5, 1.0, 2.5]];
    let names = ["source", "target", "weight", "delay_ms"];
    let (s, t): (Vec<u8>, Vec<u8>) = match kind {
        "csv" => (b"source,target,weight,delay_ms\n0,1,900,0.5\n1,2,800,1\n2,3,-30,2.5\n".to_vec(), b"time_ms\n0.5\n2.5\n4\n".to_vec()),
        "npy" => (doubles("(3, 4)", &(0..3).flat_map(|i| synapses.map(|c| c[i])).collect::<Vec<_>>()), doubles("(3,)", &[0.5, 2.5, 4.0])),
        _ => (zipped(&columns(&names, &synapses), true), zipped(&columns(&["time_ms"], &[&[0.5, 2.5, 4.0]]), false)),
    };
    vec![
        ("S", s),
        ("T", t),
        ("V.csv", b"other,V_th\n1,-55\n2,-56\n3,-54\n4,-55\n".to_vec()),
        ("V.npz", zipped(&columns(&["tau_m", "x"], &[&[10.0, 11.0, 12.0, 13.0], &[1.0]]), true)),
    ]
}

/// What a scene comes to after it loaded: a plan and a few steps, or a reason.
fn try_out(text: &str, folder: Option<&Path>) -> bool {
    let origin = origin(text, folder, &[]);
    match origin.load() {
        Err(problems) => {
            assert!(!problems.is_empty() && rendered(&problems).starts_with("error: "));
            false
        }
        Ok(scene) => {
            if synfire::plan::estimate(&scene.network, None) > 1e8 {
                return true;
            }
            match plan(&scene.network) {
                Err(why) => {
                    assert!(why.message.len() > 10, "{why}");
                    false
                }
                Ok(plan) => {
                    let machine = cpu();
                    if let Ok(mut simulation) = Simulation::new(origin, scene, plan.into(), &machine, None) {
                        // A state that is no number is told of.
                        let _ = simulation.advance(12);
                    }
                    true
                }
            }
        }
    }
}

#[test]
fn damaged_data_files_are_taken_or_refused() {
    const WORDS: [&str; 14] = [
        "1e308",
        "-1",
        "nan",
        "inf",
        "4294967296",
        "0.05",
        "1e-300",
        "\"",
        ",",
        "\n",
        "'shape': (9999999999999, 9)",
        "<i8",
        "True",
        "\u{e9}",
    ];
    let (mut taken, mut refused) = (0, 0);
    for kind in ["csv", "npy", "npz"] {
        let folder = temporary(kind);
        let name = |n: &str| if n.len() == 1 { format!("{n}.{kind}") } else { n.to_string() };
        let text = FILES.replace("\"S\"", &format!("\"S.{kind}\"")).replace("\"T\"", &format!("\"T.{kind}\""));
        let files = good(kind);
        files.iter().for_each(|(n, bytes)| std::fs::write(folder.join(name(n)), bytes).unwrap());
        assert!(try_out(&text, Some(&folder)), "the undamaged files must do");
        for i in 0..700 {
            let mut dice = Dice::new(i);
            let (file, bytes) = &files[dice.below(files.len())];
            let mut bad = bytes.clone();
            (0..=dice.below(3)).for_each(|_| dice.damage(&mut bad, &WORDS));
            std::fs::write(folder.join(name(file)), &bad).unwrap();
            if try_out(&text, Some(&folder)) {
                taken += 1
            } else {
                refused += 1
            }
            std::fs::write(folder.join(name(file)), bytes).unwrap();
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
    assert!(taken > 100 && refused > 700, "{taken} taken, {refused} refused");
}

#[test]
fn archives_that_unpack_to_more_than_they_may_are_refused() {
    let folder = temporary("bomb");
    let text = FILES.replace("\"S\"", "\"S.npz\"").replace("\"T\"", "\"T.npz\"");
    let files = good("npz");
    files
        .iter()
        .for_each(|(n, bytes)| std::fs::write(folder.join(if n.len() == 1 { format!("{n}.npz") } else { n.to_string() }), bytes).unwrap());
    // A column of zeros that says it has five numbers, and unpacks to 300 MiB.
    let mut bomb = doubles("(5,)", &[]);
    bomb.resize(300 << 20, 0);
    let packed = zipped(&BTreeMap::from([("tau_m.npy".to_string(), bomb)]), true);
    assert!(packed.len() < 1 << 20);
    std::fs::write(folder.join("V.npz"), packed).unwrap();
    let told = rendered(&origin(&text, Some(&folder), &[]).load().unwrap_err());
    assert!(told.contains("unpacks to"), "{told}");
    std::fs::remove_dir_all(folder).unwrap();
}

fn unzipped(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut out = BTreeMap::new();
    for i in 0..zip.len() {
        let mut entry = zip.by_index(i).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        out.insert(entry.name().to_string(), bytes);
    }
    out
}

/// Some number or text of a JSON value becomes something else.
fn twist(value: &mut Value, dice: &mut Dice) {
    let others = [
        json!(-1),
        json!(0),
        json!(4_294_967_295u64),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(2147483647),
        json!(-2147483648i64),
        json!(1e300),
        json!(0.5),
        json!("x"),
        json!(null),
        json!([]),
        json!([[1]]),
        json!({}),
    ];
    match value {
        Value::Array(list) if !list.is_empty() && dice.below(5) > 0 => {
            let i = dice.below(list.len());
            if dice.below(8) == 0 { drop(list.remove(i)) } else { twist(&mut list[i], dice) }
        }
        Value::Object(map) if !map.is_empty() && dice.below(10) > 0 => {
            let key = map.keys().nth(dice.below(map.len())).unwrap().clone();
            if dice.below(8) == 0 { drop(map.remove(&key)) } else { twist(map.get_mut(&key).unwrap(), dice) }
        }
        _ => *value = others[dice.below(others.len())].clone(),
    }
}

/// Well-formed archives with wrong content: what a flipped bit hardly ever makes, since archives carry checksums.
#[test]
fn checkpoints_with_wrong_content_are_taken_or_refused() {
    let folder = temporary("checkpoint");
    let path = folder.join("c");
    let machine = cpu();
    let text = include_str!("edits.toml");
    let mut simulation = start(origin(text, None, &[]), &machine, None);
    advance(&mut simulation, 60, 60);
    write_checkpoint(&Checkpoint::new(&simulation.plan, "", simulation.save().unwrap()), &path).unwrap();
    let entries = unzipped(&std::fs::read(&path).unwrap());
    let names: Vec<String> = entries.keys().cloned().collect();
    let (mut taken, mut refused) = (0, 0);
    for i in 0..500 {
        let mut dice = Dice::new(10_000 + i);
        let mut bad = entries.clone();
        match dice.below(4) {
            0 | 1 => {
                let mut about: Value = serde_json::from_slice(&bad["checkpoint.json"]).unwrap();
                about.as_object_mut().unwrap().remove("scene");
                about["scene"] = json!("");
                (0..=dice.below(2)).for_each(|_| twist(&mut about, &mut dice));
                bad.insert("checkpoint.json".into(), about.to_string().into_bytes());
            }
            2 => {
                let name = &names[dice.below(names.len())];
                let bytes = bad.get_mut(name).unwrap();
                dice.damage(bytes, &["<i8", "(0,)", "(2, 3, 4)", "(18446744073709551615, 2)", "\u{0}", "\u{7f}\u{7f}\u{7f}\u{7f}"]);
            }
            _ => {
                // Values of extremes: no finite numbers in the state, sums at the end of their range under way.
                let name = &names[dice.below(names.len())];
                let bytes = bad.get_mut(name).unwrap();
                let fill = [[0xff; 4], [0, 0, 0x80, 0x7f], [0xff, 0xff, 0xff, 0x7f], [0, 0, 0, 0x80]][dice.below(4)];
                bytes.iter_mut().skip(128).enumerate().for_each(|(k, b)| *b = fill[k % 4]);
            }
        }
        std::fs::write(&path, zipped(&bad, dice.below(2) == 0)).unwrap();
        let done = read_checkpoint(&path).and_then(|read| {
            let scene = load(&origin(text, None, &[]));
            let plan = resumed(&scene.network, &read.about.scales)?;
            read.belongs(&plan)?;
            let mut simulation = Simulation::new(origin(text, None, &[]), scene, plan.into(), &machine, Some(&read.state))?;
            simulation.advance(9).map(|_| ())
        });
        match done {
            Ok(()) => taken += 1,
            Err(why) => {
                refused += 1;
                assert!(why.len() > 10, "{why}");
            }
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    assert!(taken > 5 && refused > 300, "{taken} taken, {refused} refused");
}

#[test]
fn senseless_edits_change_nothing_and_say_why() {
    const ADDRESSES: [&str; 22] = [
        "J",
        "g",
        "n",
        "d",
        "eta",
        "exc.tau_m",
        "exc.E_L",
        "slow.I_e",
        "inh.V_th",
        "external.rate",
        "hum.frequency",
        "hiss.every",
        "hiss.sd",
        "inh->exc,inh.weight",
        "exc->slow.delay",
        "exc->slow.in_degree",
        "exc.size",
        "exc",
        ".",
        "->",
        "a->b.weight",
        "waxing.rate",
    ];
    const VALUES: [&str; 32] = [
        "1",
        "0",
        "-1",
        "1e300",
        "1e-300",
        "nan",
        "inf",
        "-inf",
        "2 ms",
        "0 ms",
        "-3 pA",
        "1/0",
        "sqrt(-1)",
        "g",
        "J*J",
        "normal(0 mV, 1 mV)",
        "60 pA",
        "-90 pA",
        "12 ms",
        "-57 mV",
        "3 kHz",
        "1.5",
        "uniform(2 pA, 1 pA)",
        "exponential(0 pA)",
        "redraw(normal(0, 1), 50, 51)",
        "((((((((",
        "\"",
        "",
        "0x10",
        "10 kHz",
        "1e9 kHz",
        "{ steps = 1 }",
    ];
    let machine = cpu();
    let (mut applied, mut refused) = (0, 0);
    let mut simulation = start(origin(include_str!("edits.toml"), None, &[]), &machine, None);
    advance(&mut simulation, 20, 20);
    for i in 0..600 {
        let mut dice = Dice::new(20_000 + i);
        let (mut address, mut value) = (dice.of(&ADDRESSES).as_bytes().to_vec(), dice.of(&VALUES).as_bytes().to_vec());
        if dice.below(6) == 0 {
            dice.damage(&mut address, &VALUES);
        }
        if dice.below(6) == 0 {
            dice.damage(&mut value, &VALUES);
        }
        let (address, value) = (String::from_utf8_lossy(&address).into_owned(), String::from_utf8_lossy(&value).into_owned());
        let before = (simulation.save().unwrap(), simulation.journal.len());
        match simulation.apply(Command::Set { address: address.clone(), value: value.clone() }) {
            Ok(()) => {
                applied += 1;
                // An edit may blow a state up; then the run says so, and a new one goes on.
                if simulation.advance(3).is_err() || applied % 8 == 0 {
                    simulation = start(origin(include_str!("edits.toml"), None, &[]), &machine, None);
                    advance(&mut simulation, 20, 20);
                }
            }
            Err(why) => {
                refused += 1;
                assert!(why.len() > 10, "{address} = {value}: {why}");
                assert_eq!(before, (simulation.save().unwrap(), simulation.journal.len()), "{address} = {value}");
            }
        }
    }
    assert!(applied > 15 && refused > 300, "{applied} applied, {refused} refused");
}

/// Through the program, since the program reads journals.
#[test]
fn damaged_journals_are_refused_with_their_line() {
    let folder = temporary("journal");
    let at = |n: &str| folder.join(n).to_str().unwrap().to_string();
    let text = include_str!("edits.toml").replace("duration = \"1 s\"", "duration = \"3 ms\"");
    std::fs::write(folder.join("scene.toml"), text).unwrap();
    let good = "{\"step\":10,\"command\":\"set\",\"address\":\"g\",\"value\":\"6\"}\n{\"step\":20,\"command\":\"set\",\"address\":\"eta\",\"value\":\"1.2\"}\n";
    let run = |journal: &[u8]| {
        std::fs::write(folder.join("j"), journal).unwrap();
        let words = ["run", &at("scene.toml"), "--backend", "cpu", "--journal", &at("j"), "--out", &at("out"), "--force"];
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_synfire")).args(words).output().unwrap();
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!told.contains("panicked") && done.status.code().is_some_and(|c| c < 100), "{told}\n{}", String::from_utf8_lossy(journal));
        assert!(done.status.success() || told.contains("error: "), "{told}");
        done.status.success()
    };
    assert!(run(good.as_bytes()));
    let (mut taken, mut refused) = (0, 0);
    for i in 0..120 {
        let mut dice = Dice::new(30_000 + i);
        let mut bad = good.as_bytes().to_vec();
        dice.damage(&mut bad, &["-1", "18446744073709551616", "1e9", "null", "{", "}", "\"step\":", "\"value\":7", "\n", "29", "30"]);
        if run(&bad) { taken += 1 } else { refused += 1 }
    }
    std::fs::remove_dir_all(folder).unwrap();
    assert!(taken > 1 && refused > 50, "{taken} taken, {refused} refused");
}

#[test]
fn damaged_models_are_taken_or_refused() {
    const WORDS: [&str; 40] = [
        "dt",
        "dV_m/dt",
        "V_m",
        "w",
        "xi",
        "0",
        "1e39",
        "-",
        "(",
        ")",
        "^",
        "/",
        "*0",
        "/0",
        "exp(",
        "exprel(",
        "log(-1)",
        "sqrt(-1)",
        "mV",
        "ms",
        "pA",
        "if",
        ">=",
        "==",
        "\n",
        ";",
        "+=",
        "=",
        "\"",
        "\"\"\"",
        "rising(",
        "peak(",
        "t_ref",
        "random()",
        "clip(1, 2, 3)",
        "min(",
        "substep",
        "[events.x]\n",
        "method = \"exact\"\n",
        "substeps = 1000000\n",
    ];
    let models = synfire::model::builtin();
    let (mut taken, mut refused) = (0, 0);
    for i in 0..4000u32 {
        let mut dice = Dice::new(40_000 + i);
        let (_, text) = models[dice.below(models.len())];
        let mut bytes = format!("[models.m]\n{}", text.replace("\n[", "\n[models.m.")).into_bytes();
        (0..=dice.below(2)).for_each(|_| dice.damage(&mut bytes, &WORDS));
        let Ok(model) = String::from_utf8(bytes) else { continue };
        let scene = format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[populations.a]\nmodel = \"m\"\nsize = 3\n{model}");
        if try_out(&scene, None) { taken += 1 } else { refused += 1 }
    }
    assert!(taken > 200 && refused > 1500, "{taken} taken, {refused} refused");
}
