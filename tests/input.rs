//! Poisson input that is correlated between neurons or swings in time: its statistics against closed forms, the same on both
//! engines, and edited while it runs.

mod common;

use common::{advance, cpu, machines, origin, rendered, start};
use synfire::session::Command;

const NEURONS: usize = 400;

/// Cells that spike once for each event that arrives: the membrane forgets at once, and one event is above threshold.
fn scene(stimulus: &str) -> String {
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 4\n[populations.a]\nmodel = \"iaf_psc_delta\"\nsize = {NEURONS}\n\
         parameters = {{ tau_m = \"0.1 ms\", t_ref = \"0 ms\" }}\n\
         [[stimuli]]\nname = \"in\"\nkind = \"poisson\"\nto = \"a\"\nweight = \"60 mV\"\n{stimulus}\n"
    )
}

/// Spikes of every neuron in bins of so many steps.
fn binned(text: &str, steps: u64, bin: u64) -> Vec<Vec<f64>> {
    let runs: Vec<_> = machines()
        .iter()
        .map(|machine| {
            let mut simulation = start(origin(text, None, &[]), machine, None);
            let spikes = advance(&mut simulation, steps, 170).spikes;
            (spikes, simulation.save().unwrap())
        })
        .collect();
    assert!(runs.iter().all(|r| *r == runs[0]), "the engines differ");
    let mut counts = vec![vec![0.0; steps.div_ceil(bin) as usize]; NEURONS];
    for spike in &runs[0].0 {
        counts[spike.neuron as usize][((u64::from(spike.step) - 1) / bin) as usize] += 1.0;
    }
    counts
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn covariance(x: &[f64], y: &[f64]) -> f64 {
    let (a, b) = (mean(x), mean(y));
    x.iter().zip(y).map(|(x, y)| (x - a) * (y - b)).sum::<f64>() / x.len() as f64
}

/// Kuhn, Aertsen and Rotter 2003: every train is Poisson of the rate that was asked for, and two of them correlate by c. The rate is
/// so low that a step rarely holds two events, which would be one spike.
#[test]
fn copies_of_one_train_keep_the_rate_and_correlate_as_asked() {
    for c in [0.1, 0.5, 1.0] {
        let counts = binned(&scene(&format!("rate = \"60 Hz\"\ncorrelation = {c}")), 20_000, 20);
        let rate = mean(&counts.iter().map(|x| x.iter().sum::<f64>() / 2.0).collect::<Vec<_>>());
        assert!((rate - 60.0).abs() < 6.0, "c = {c}: {rate} Hz");
        let pairs = (0..NEURONS / 2).map(|i| (&counts[2 * i], &counts[2 * i + 1]));
        let found: Vec<f64> = pairs.map(|(x, y)| covariance(x, y) / (covariance(x, x) * covariance(y, y)).sqrt()).collect();
        assert!((mean(&found) - c).abs() < 0.03, "c = {c}: {}", mean(&found));
        let fano: Vec<f64> = counts.iter().map(|x| covariance(x, x) / mean(x)).collect();
        assert!((mean(&fano) - 1.0).abs() < 0.1, "c = {c}: Fano factor {}", mean(&fano));
    }
    let apart = binned(&scene("rate = \"60 Hz\""), 20_000, 20);
    let pairs = (0..NEURONS / 2).map(|i| (&apart[2 * i], &apart[2 * i + 1]));
    let found: Vec<f64> = pairs.map(|(x, y)| covariance(x, y) / (covariance(x, x) * covariance(y, y)).sqrt()).collect();
    assert!(mean(&found).abs() < 0.01, "without: {}", mean(&found));
}

/// The mean over an eighth of a period of offset + amplitude sin(2 pi f t + phase), of 400 neurons over ten periods: the standard
/// error of each is near 1.4 Hz.
#[test]
fn a_rate_that_swings_follows_its_sine() {
    let rate = "rate = { offset = \"50 Hz\", amplitude = \"40 Hz\", frequency = \"10 Hz\", phase = 0.7 }";
    let counts = binned(&scene(rate), 10_000, 125);
    for eighth in 0..8 {
        let found: f64 = counts.iter().map(|x| x.iter().skip(eighth).step_by(8).sum::<f64>()).sum();
        let found = found / NEURONS as f64 / 10.0 / 0.0125;
        let angle = |k: usize| std::f64::consts::TAU * k as f64 / 8.0 + 0.7;
        let expected = 50.0 + 40.0 * (angle(eighth).cos() - angle(eighth + 1).cos()) / (std::f64::consts::TAU / 8.0);
        assert!((found - expected).abs() < 5.0, "eighth {eighth}: {found} Hz for {expected}");
    }
}

#[test]
fn correlation_and_rate_change_while_they_run_as_a_restart_would_have_them() {
    let text = scene("rate = \"60 Hz\"\ncorrelation = 0.2");
    for machine in machines() {
        let mut edited = start(origin(&text, None, &[]), machine, None);
        advance(&mut edited, 300, 70);
        let state = edited.save().unwrap();
        edited.apply(Command::Set { address: "in.correlation".into(), value: "0.9".into() }).unwrap();
        let after = advance(&mut edited, 2_000, 500);
        let mut restarted = start(origin(&edited.scene.resolved, None, &[]), &cpu(), Some(&state));
        assert_eq!(after.spikes, advance(&mut restarted, 2_000, 33).spikes);
        assert!(after.spikes.len() > 1000 && edited.save().unwrap() == restarted.save().unwrap());
    }
}

#[test]
fn what_cannot_be_correlated_or_swing_is_refused_with_a_remedy() {
    for (stimulus, words) in [
        ("rate = \"60 Hz\"\ncorrelation = 1.2", "it lies between 0 and 1"),
        ("rate = \"60 Hz\"\ncorrelation = 1e-9", "take a larger correlation or a lower rate"),
        ("rate = \"uniform(1 Hz, 2 Hz)\"\ncorrelation = 0.5", "drop `correlation`, or give one rate"),
        ("rate = { steps = [[\"0 ms\", \"1 kHz\"]] }\ncorrelation = 0.5", "drop `correlation`, or give one rate"),
        ("rate = { offset = \"1 Hz\", amplitude = \"2 Hz\", frequency = \"1 Hz\" }", "falls below zero"),
        ("rate = { offset = \"1 Hz\", amplitude = \"1 mV\", frequency = \"1 Hz\" }", "mV"),
        ("rate = { offset = \"1 Hz\", frequency = \"1 Hz\" }", "`amplitude` is missing"),
        ("rate = { offset = \"1 Hz\", amplitude = \"1 Hz\", frequncy = \"1 Hz\" }", "rate"),
    ] {
        let told = origin(&scene(stimulus), None, &[]).load().map(|_| ()).map_err(|p| rendered(&p)).expect_err(stimulus);
        assert!(told.contains(words), "{stimulus}: {told}");
    }
}
