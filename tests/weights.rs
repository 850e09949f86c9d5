//! Probes of weights: on both engines what `export connections` tells, before and after an edit, at an interval or at the end.

use std::path::PathBuf;
use std::process::{Command, Output};

const SCENE: &str = r#"format = 1
[run]
dt = "0.1 ms"
duration = "20 ms"
[parameters]
J = "10 pA"
[populations.exc]
model = "iaf_psc_exp"
size = 20
[populations.inh]
like = "exc"
size = 10
[[projections]]
from = "exc"
to = ["exc", "inh"]
rule = "fixed_in_degree"
in_degree = 4
weight = "normal(J, 1 pA)"
delay = "1 ms"
[[probes]]
record = "weights"
of = "exc->inh"
every = "5 ms"
[[probes]]
record = "weights"
of = "exc[0..10]->exc[every 2]"
name = "last"
"#;

fn synfire(words: &[&str]) -> Output {
    let done = Command::new(env!("CARGO_BIN_EXE_synfire")).args(words).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done
}

/// step, source, target, weight.
fn rows(path: PathBuf) -> Vec<(u32, u32, u32, f32)> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.starts_with("step,source,target,weight\n"));
    let row = |l: &str| {
        let f: Vec<&str> = l.split(',').collect();
        (f[0].parse().unwrap(), f[1].parse().unwrap(), f[2].parse().unwrap(), f[3].parse().unwrap())
    };
    text.lines().skip(1).map(row).collect()
}

#[test]
fn probes_of_weights_give_the_synapses_of_a_part_at_their_times_on_both_engines() {
    let folder = std::env::temp_dir().join(format!("synfire-weights-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let scene = folder.join("scene.toml");
    std::fs::write(&scene, SCENE).unwrap();
    let scene = scene.to_str().unwrap();
    let exported = |more: &[&str]| -> Vec<(u32, u32, f32)> {
        let text = String::from_utf8(synfire(&[&["export", "connections", scene], more].concat()).stdout).unwrap();
        let row = |l: &str| {
            let f: Vec<&str> = l.split(',').collect();
            (f[0].parse().unwrap(), f[1].parse().unwrap(), f[2].parse::<f64>().unwrap() as f32)
        };
        text.lines().skip(1).map(row).collect()
    };
    let (before, after) = (exported(&[]), exported(&["--set", "J=15 pA"]));
    let gpu = synfire::session::choose(synfire::session::Backend::Gpu, None);
    if let Err(e) = &gpu {
        assert!(std::env::var_os("CI").is_none(), "{e}");
        eprintln!("SKIPPED on the GPU engine: {e}");
    }
    for backend in if gpu.is_ok() { &["cpu", "gpu"][..] } else { &["cpu"] } {
        let out = folder.join(backend);
        let words = ["run", scene, "--backend", backend, "--out", out.to_str().unwrap(), "--format", "csv", "--at", "12 ms: J=15 pA"];
        synfire(&words);
        let found = rows(out.join("exc_inh_weights.csv"));
        let onto = |all: &[(u32, u32, f32)]| all.iter().filter(|c| c.1 >= 20).copied().collect::<Vec<_>>();
        let mut expected = Vec::new();
        for (step, all) in [(50, &before), (100, &before), (150, &after), (200, &after)] {
            expected.extend(onto(all).into_iter().map(|(s, t, w)| (step, s, t, w)));
        }
        assert_eq!(found.len(), 4 * 40);
        assert_eq!(found, expected, "{backend}");
        let part = |c: &&(u32, u32, f32)| c.0 < 10 && c.1 < 20 && c.1.is_multiple_of(2);
        let last: Vec<_> = after.iter().filter(part).map(|(s, t, w)| (200, *s, *t, *w)).collect();
        assert!(last.len() > 5);
        assert_eq!(rows(out.join("last.csv")), last, "{backend}");
    }
    // The same numbers as arrays: read back by `compare`.
    synfire(&["run", scene, "--backend", "cpu", "--out", folder.join("npz").to_str().unwrap(), "--at", "12 ms: J=15 pA"]);
    let stored = synfire::export::Stored::open(&folder.join("npz")).unwrap();
    let times: Vec<(u32, usize)> = stored.samples("exc_inh_weights").unwrap().map(|r| r.map(|(s, w)| (s, w.len())).unwrap()).collect();
    assert_eq!(times, [(50, 40), (100, 40), (150, 40), (200, 40)]);
}

#[test]
fn probes_of_weights_that_mean_nothing_are_refused_with_a_remedy() {
    for (of, words) in [("exc", "is no projection"), ("inh->exc", "no projection leads along"), ("exc->ihn", "did you mean `inh`")] {
        let text = SCENE.replace("\"exc->inh\"", &format!("\"{of}\""));
        let source = synfire::base::problem::Source { name: "scene.toml".into(), text };
        let problems = synfire::scene::load(source.into(), None, &Default::default()).unwrap_err();
        assert!(problems[0].render().contains(words), "{}", problems[0].render());
    }
}
