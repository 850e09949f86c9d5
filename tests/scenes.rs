//! The small shipped scenes: every expectation holds on the CPU engine, and on the GPU engine for some; and each motif without the
//! one thing it is about fails, so that its expectations are about that thing.

use std::path::PathBuf;
use std::process::Command;

use synfire::scene::groups;

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
        let text = motifs().iter().find(|(name, _)| *name == scene).unwrap_or_else(|| panic!("no motif is named {scene}")).1;
        assert!(text.contains(from), "{scene} has no {from}");
        let path = std::env::temp_dir().join(format!("synfire-motif-{}-{scene}.toml", std::process::id()));
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

#[cfg(feature = "gpu")]
#[test]
fn motifs_do_the_same_on_the_gpu_engine() {
    if common::machines().len() < 2 {
        return;
    }
    for name in ["burst", "generators", "two_neuron_oscillator", "driven_circular_inhibition", "visual_input"] {
        let (good, said) = verified(name, "gpu");
        assert!(good, "{said}");
        assert_eq!(said, verified(name, "cpu").1, "{name}");
    }
}

#[cfg(feature = "gpu")]
mod common;
