//! Mutants of shipped scenes: each wrong network makes an expectation of its scene fail, or a statistic of its wiring. The scenes
//! themselves pass the same checks, so that what fails is the mutation.

mod common;

use std::process::Command;

use common::{load, origin};
use synfire::plan::plan;

fn shipped(name: &str) -> &'static str {
    synfire::scene::shipped().iter().find(|(n, _)| *n == name).unwrap().1
}

/// The scene with every pair (from, to) applied, on one seed.
fn mutant(name: &str, edits: &[(&str, &str)]) -> String {
    let mut text = shipped(name).replace("seeds = 5", "seeds = 1");
    for (from, to) in edits {
        assert!(text.contains(from), "{name} has no {from}");
        text = text.replace(from, to);
    }
    text
}

/// What `synfire verify` says of a scene: whether all expectations hold, and its lines.
fn verified(what: &str, text: &str, preset: Option<&str>) -> (bool, String) {
    let path = std::env::temp_dir().join(format!("synfire-{}-{}.toml", std::process::id(), what.replace(' ', "-")));
    std::fs::write(&path, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_synfire"));
    command.args(["verify", path.to_str().unwrap(), "--backend", "cpu"]);
    if let Some(preset) = preset {
        command.args(["--preset", preset]);
    }
    let done = command.output().unwrap();
    std::fs::remove_file(path).unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(matches!(done.status.code(), Some(0 | 1)) && said.contains("expected"), "{what}: {}", String::from_utf8_lossy(&done.stderr));
    (done.status.success(), said)
}

fn fails(what: &str, text: &str, preset: Option<&str>, expectation: &str) {
    let (good, said) = verified(what, text, preset);
    assert!(!good && said.lines().any(|l| l.contains("FAIL") && l.contains(expectation)), "{what} goes unnoticed:\n{said}");
}

fn passes(what: &str, text: &str, preset: Option<&str>) {
    let (good, said) = verified(what, text, preset);
    assert!(good, "{what}:\n{said}");
}

#[test]
fn wrong_weights_and_degrees_leave_the_asynchronous_state_of_brunel() {
    let of = |edits: &[(&str, &str)]| mutant("brunel", edits);
    passes("brunel as shipped", &of(&[]), Some("AI"));
    let inhibition = "weight = \"-g*J\"";
    fails("inhibition 10 percent stronger", &of(&[(inhibition, "weight = \"-1.1*g*J\"")]), Some("AI"), "rate.exc");
    fails("inhibition 10 percent weaker", &of(&[(inhibition, "weight = \"-0.9*g*J\"")]), Some("AI"), "rate.exc");
    let half = [("in_degree = \"C_E\"", "in_degree = \"C_E/2\""), ("in_degree = \"C_I\"", "in_degree = \"C_I/2\"")];
    fails("half the in-degree", &of(&half), Some("AI"), "rate.exc");
    let swapped = [("weight = \"J\"\ndelay", "weight = \"?\"\ndelay"), (inhibition, "weight = \"J\""), ("\"?\"", "\"-g*J\"")];
    fails("E and I swapped", &of(&swapped), Some("AI"), "rate.exc");
}

#[test]
fn a_delay_longer_by_a_step_slows_the_synchronous_state_of_brunel() {
    // All fire in step, so a short run tells as much as a long one.
    let short = ("duration = \"1 s\"", "duration = \"0.2 s\"");
    passes("brunel as shipped, SR", &mutant("brunel", &[short]), Some("SR"));
    fails("delay one step longer", &mutant("brunel", &[short, ("delay = \"1.5 ms\"", "delay = \"1.6 ms\"")]), Some("SR"), "rate.exc");
}

#[test]
fn a_refractory_period_longer_by_a_step_lowers_the_rate_of_lif_fi() {
    passes("lif_fi as shipped", &mutant("lif_fi", &[]), None);
    fails("refractory one step longer", &mutant("lif_fi", &[("t_ref = \"2 ms\"", "t_ref = \"2.01 ms\"")]), None, "rate.RI40");
    fails("refractory one step shorter", &mutant("lif_fi", &[("t_ref = \"2 ms\"", "t_ref = \"1.99 ms\"")]), None, "rate.RI40");
}

/// Synapses that repeat a pair, in the rows of the first sources.
fn repeats(text: &str) -> (f64, f64) {
    let scene = load(&origin(text, None, &[]));
    let plan = plan(&scene.network).unwrap();
    let (mut row, mut repeated, mut synapses) = (Vec::new(), 0, 0);
    // The second projection is from exc to inh: no autapses to reckon with.
    let projection = &plan.projections[1];
    for source in 0..2000 {
        row.clear();
        projection.wiring.row(source, &mut row);
        synapses += row.len();
        row.sort_unstable();
        repeated += row.windows(2).filter(|w| w[0] == w[1]).count();
    }
    (f64::from(repeated as u32), f64::from(synapses as u32))
}

#[test]
fn multapses_of_brunel_come_as_often_as_chance_says() {
    let (found, synapses) = repeats(shipped("brunel"));
    // A row of k onto n targets has k - n(1 - (1 - 1/n)^k) repeats.
    let (k, n) = (synapses / 2000.0, 2500.0f64);
    let expected = 2000.0 * (k - n * (1.0 - (1.0 - 1.0 / n).powf(k)));
    assert!(expected > 10_000.0 && (found - expected).abs() < 6.0 * expected.sqrt(), "{found}, expected {expected}");
    let (none, _) = repeats(&mutant("brunel", &[("allow_multapses = true", "allow_multapses = false")]));
    assert_eq!(none, 0.0);
}
