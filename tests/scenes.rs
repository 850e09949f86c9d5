//! The small shipped scenes: every expectation holds on the CPU engine, and on the GPU engine for some; and each scene without the
//! one thing it is about fails, so that its expectations are about that thing.

use std::path::PathBuf;
use std::process::Command;

use synfire::scene::{groups, shipped};

fn motifs() -> &'static [(&'static str, &'static str)] {
    groups().iter().find(|(name, _)| *name == "motifs").unwrap().1
}

/// Whether all expectations of a scene hold, and what `synfire verify` says.
fn verified(scene: &str, backend: &str) -> (bool, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_synfire")).args(["verify", scene, "--backend", backend]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(matches!(done.status.code(), Some(0 | 1)) && said.contains("expected"), "{scene}: {said}{told}");
    (done.status.success(), said)
}

/// The scene with one thing changed.
struct Changed(PathBuf);

impl Changed {
    fn new(scene: &str, from: &str, to: &str) -> Self {
        let text = shipped().iter().find(|(name, _)| *name == scene).unwrap_or_else(|| panic!("no scene is named {scene}")).1;
        assert!(text.contains(from), "{scene} has no {from}");
        let path =
            std::env::temp_dir().join(format!("synfire-scene-{}-{:?}-{scene}.toml", std::process::id(), std::thread::current().id()));
        std::fs::write(&path, text.replace(from, to)).unwrap();
        Self(path)
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Each motif, what makes it what it is, and the change that takes it away.
const INGREDIENTS: [(&str, &str, &str, &str); 20] = [
    ("leaky", "the leak", "tau = { value = \"10 ms\"", "tau = { value = \"200 ms\""),
    ("passive", "no threshold", "V_th = \"1 V\"", "V_th = \"-55 mV\""),
    ("refractory_period", "rest after a spike", "t_ref = \"t_ref[cell]\"", "t_ref = \"2 ms\""),
    ("f_i_response", "the threshold", "parameters.I_e = \"I[cell]\"", "parameters = { I_e = \"I[cell]\", V_th = \"-54.9 mV\" }"),
    ("adaptation", "the threshold that rises", "delta_th = \"delta_th\"", "delta_th = \"0 mV\""),
    ("burst", "a reset close to the threshold", "V_reset = \"V_reset\"", "V_reset = \"-58 mV\""),
    ("inhibitory", "inhibition", "weight = \"weight\"", "weight = \"0 pA\""),
    ("generators", "chance", "model = \"poisson_generator\"", "model = \"rate_generator\""),
    ("input_summation", "the leak", "tau = \"10 ms\"", "tau = \"1 s\""),
    ("prolonged_activity", "the way back", "weight = \"back\"", "weight = \"0 mV\""),
    ("rhythm_transformation", "two inputs for a spike", "w = { value = \"10 mV\"", "w = { value = \"20 mV\""),
    ("two_neuron_oscillator", "the way back", "from = \"right\"\nto = \"left\"", "from = \"right\"\nto = \"right\""),
    ("reciprocal_inhibition", "inhibition of each other", "weight = \"weight\"", "weight = \"0 pA\""),
    ("recurrent_inhibition", "inhibition", "weight = \"inhibition\"", "weight = \"0 pA\""),
    ("lateral_inhibition", "inhibition of neighbours", "weight = \"-inhibition*near[to,from]\"", "weight = \"0 pA\""),
    ("driven_circular_inhibition", "the closed circle", "from = \"c\"\nto = \"a\"", "from = \"c\"\nto = \"c\""),
    ("disinhibition", "inhibition of the inhibitor", "from = \"second\"\nto = \"first\"", "from = \"second\"\nto = \"second\""),
    ("types_of_inhibition", "feedforward inhibition", "from = \"forward_interneuron\"", "from = \"back_interneuron\""),
    ("types_of_inhibition", "feedback inhibition", "from = \"back_interneuron\"", "from = \"forward_interneuron\""),
    ("visual_input", "the surround", "weight = \"surround\"", "weight = \"0 pA\""),
];

/// The same of small networks.
const NETWORKS: [(&str, &str, &str, &str); 4] = [
    ("synfire", "strong enough synapses", "w = { value = \"4.86 mV\"", "w = { value = \"3.5 mV\""),
    ("jeffress", "delays along the axons", "delay = \"distance/speed\"", "delay = \"dt\""),
    ("cpg", "adaptation", "delta_th = \"strength/tau\"", "delta_th = \"0 mV\""),
    ("cpg_chain", "coupling of the segments", "weight = \"coupling\"", "weight = \"0 pA\""),
];

/// One list is for readers of scenes, which must not know how to measure, the other measures.
#[test]
fn metrics_that_an_expectation_may_name_are_those_that_are_measured() {
    let unit = |m: &synfire::record::Metric| synfire::base::units::unit(m.unit).map_or(synfire::base::units::NUMBER, |u| u.dimension);
    let measured: Vec<_> = synfire::record::METRICS.iter().map(|m| (m.name, unit(m))).collect();
    assert_eq!(synfire::scene::METRICS.to_vec(), measured);
    assert_eq!(synfire::scene::WEIGHT_METRICS, synfire::record::WEIGHT_METRICS.each_ref().map(|m| m.name));
}

#[test]
fn small_networks_do_what_they_say_and_not_without_their_ingredient() {
    for scene in ["synfire", "jeffress", "cpg", "cpg_chain"] {
        let (good, said) = verified(scene, "cpu");
        assert!(good, "{said}");
    }
    for (scene, what, from, to) in NETWORKS {
        let changed = Changed::new(scene, from, to);
        let (good, said) = verified(changed.0.to_str().unwrap(), "cpu");
        assert!(!good, "{scene} does not need {what}:\n{said}");
    }
}

#[test]
fn every_motif_does_what_it_says() {
    for (name, text) in motifs() {
        let (good, said) = verified(name, "cpu");
        assert!(good, "{said}");
        let lines = ["about = \"\"\"", "cite = \"", "expect = ["].map(|key| text.contains(key));
        assert_eq!(lines, [true; 3], "{name} says what it shows, after whom, and what must come out");
    }
}

#[test]
fn every_motif_without_its_ingredient_fails() {
    for (scene, what, from, to) in INGREDIENTS {
        let changed = Changed::new(scene, from, to);
        let (good, said) = verified(changed.0.to_str().unwrap(), "cpu");
        assert!(!good, "{scene} does not need {what}:\n{said}");
    }
    for (name, _) in motifs() {
        assert!(INGREDIENTS.iter().any(|(scene, ..)| scene == name), "nothing is known of what makes {name}");
    }
}

#[test]
fn the_window_of_pairings_has_its_closed_form_and_tells_all_pairs_from_nearest() {
    let (good, said) = verified("stdp_window", "cpu");
    assert!(good && said.contains("weight_mean.twice->nearest"), "{said}");
    for (from, to, fails) in [
        ("base = \"stdp_nearest\"", "base = \"stdp_power\"", "FAIL weight_mean.twice->nearest"),
        ("tau_minus = \"tau_minus\"", "tau_minus = \"tau_plus\"", "FAIL weight_mean.pre->m20"),
    ] {
        let (good, said) = verified(Changed::new("stdp_window", from, to).0.to_str().unwrap(), "cpu");
        assert!(!good && said.contains(fails) && said.contains("ok   weight_mean.pre->p5"), "{said}");
    }
}

#[test]
fn reward_reaches_back_to_the_pair_that_earned_it() {
    let (good, said) = verified("dopamine", "cpu");
    assert!(good, "{said}");
    // Without the spike of the modulator nothing moves.
    let (good, said) = verified(Changed::new("dopamine", "times = [\"4 s\"]", "times = []").0.to_str().unwrap(), "cpu");
    assert!(!good && said.matches("0.5000  expected").count() == 5, "{said}");
}

#[test]
fn two_cells_lock_by_their_gap_junction_and_not_without() {
    let (good, said) = verified("two_cell_gap", "cpu");
    assert!(good, "{said}");
    let changed = Changed::new("two_cell_gap", "conductance = \"g\"", "conductance = \"0 nS\"");
    let (good, said) = verified(changed.0.to_str().unwrap(), "cpu");
    assert!(!good && said.contains("FAIL locking.slow"), "{said}");
}

/// Minutes: `cargo test --release --test scenes -- --ignored`.
#[test]
#[ignore = "statistics over seeds"]
fn networks_that_learn_reach_their_published_states() {
    for name in ["song_stdp", "vogels_2011", "tum_bursts", "ring_bump"] {
        let (good, said) = verified(name, "cpu");
        assert!(good, "{said}");
    }
}

#[test]
fn what_cannot_be_measured_of_weights_is_told() {
    let expect = "{ metric = \"weight_mean.pre->p60\",";
    for (to, message) in [
        ("{ metric = \"weight_mean.pre->nobody\",", "no population is named `nobody`"),
        ("{ metric = \"weight_mean.pre->clock\",", "no projection leads along `pre->clock`"),
        ("{ metric = \"weight_mean.pre->p60\", stop = \"1 s\",", "weights are looked at when the run ends"),
        ("{ metric = \"weight_mean.pre->p60\", bin = [1, 0],", "a pair of numbers that rise"),
        ("{ metric = \"weight_share.pre->p60\",", "weight_share needs bin"),
        ("{ metric = \"rate.pre->p60\",", "no metric of a projection is named `rate`"),
        ("{ metric = \"weight_mean.pre\",", "no metric of a population is named `weight_mean`"),
    ] {
        let changed = Changed::new("stdp_window", expect, to);
        let done =
            Command::new(env!("CARGO_BIN_EXE_synfire")).args(["verify", changed.0.to_str().unwrap(), "--backend", "cpu"]).output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!done.status.success() && said.contains(message), "{to}: {said}");
    }
}

#[cfg(feature = "gpu")]
#[test]
fn motifs_do_the_same_on_the_gpu_engine() {
    if common::machines().len() < 2 {
        return;
    }
    for name in ["burst", "generators", "two_neuron_oscillator", "driven_circular_inhibition", "visual_input", "cpg_chain"] {
        let (good, said) = verified(name, "gpu");
        assert!(good, "{said}");
        assert_eq!(said, verified(name, "cpu").1, "{name}");
    }
}

#[cfg(feature = "gpu")]
mod common;
