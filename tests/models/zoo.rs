//! All models, a few to a network: a device takes more than linearly longer to compile one kernel of them all.

use crate::{alone, drive, load, machines, model, names, planned, run};

const TOGETHER: usize = 4;

/// Thirty cells of each model, each under its drive, a third of their parameters' defaults spread over the cells.
fn zoo(names: &[&str]) -> String {
    let mut text = String::from("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 5\n");
    for name in names {
        text += &format!("[populations.{name}]\nmodel = \"{name}\"\nsize = 30\n");
        if model(name).parameters.iter().any(|p| p.name == "tau_m") {
            text += "parameters.tau_m = \"uniform(8 ms, 12 ms)\"\n";
        }
        if model(name).parameters.iter().any(|p| p.name == "g_L") && model(name).parameters.iter().any(|p| p.name == "tau_syn_exc") {
            text += "parameters.tau_syn_exc = \"uniform(1 ms, 3 ms)\"\n";
        }
    }
    names.iter().for_each(|name| text += &drive(name, name));
    text
}

#[test]
fn every_model_gives_the_same_bits_on_both_engines_and_in_any_batches() {
    let all: Vec<&str> = names().collect();
    all.chunks(TOGETHER).for_each(agree);
}

fn agree(names: &[&str]) {
    let plan = planned(&load(&zoo(names)));
    let (whole, state) = run(&crate::common::machines()[0], &plan, 1500, 1500);
    for (p, population) in plan.populations.iter().enumerate() {
        let count = whole.spikes.iter().filter(|s| (population.first..population.first + population.size).contains(&s.neuron)).count();
        assert!(count >= 30, "only {count} spikes of {} (population {p})", population.name);
    }
    for (engine, machine) in machines() {
        for batch in if engine == "cpu" { [1500, 37].iter() } else { [37].iter() } {
            let (parts, end) = run(machine, &plan, 1500, *batch);
            let first = whole.spikes.iter().zip(&parts.spikes).find(|(a, b)| a != b);
            assert!(whole.spikes == parts.spikes, "{engine}, batches of {batch}: the first spikes that differ are {first:?}");
            for (population, (a, b)) in plan.populations.iter().zip(state.values.iter().zip(&end.values)) {
                assert!(a == b, "{engine}, batches of {batch}: the state of {} differs", population.name);
            }
        }
    }
}

/// The text of a model with every name of its own changed.
fn renamed(name: &str, text: &str) -> String {
    let model = model(name);
    let mut own: Vec<String> = model.parameters.iter().map(|p| p.name.clone()).collect();
    own.extend(model.states.iter().map(|s| s.name.clone()));
    own.extend(model.receptors.iter().map(|r| r.name.clone()).chain(model.inputs.iter().map(|i| i.name.clone())));
    // Named quantities and functions stand at the beginning of a line of a block.
    let block = |line: &&str| line.contains('=') && !line.contains('"') && !line.starts_with('d');
    let word = |line: &str| line.split(['=', '(', '+', ' ']).next().unwrap_or("").trim().to_string();
    let inside = text.split("\"\"\"").skip(1).step_by(2).flat_map(|b| b.lines());
    own.extend(inside.filter(block).map(word).filter(|w| !w.is_empty()));
    let mut out = String::new();
    for line in text.lines() {
        // In a receptor, `w` is the weight, whatever a state is called.
        let receptor = line.contains("+= w");
        let plain = line.starts_with("about") || line.starts_with("cite");
        let mut rest = line;
        while let Some(at) = rest.find(|c: char| c.is_alphanumeric() || c == '_').filter(|_| !plain) {
            let len = rest[at..].find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len() - at);
            let (before, token) = (&rest[..at], &rest[at..at + len]);
            rest = &rest[at + len..];
            let derived = token.strip_prefix('d').filter(|t| rest.trim_start().starts_with("/dt") && own.iter().any(|o| o == t));
            out += before;
            out += &match derived {
                Some(state) => format!("dmy_{state}"),
                None if own.iter().any(|o| o == token) && !(receptor && token == "w") => format!("my_{token}"),
                None => token.to_string(),
            };
        }
        out += rest;
        out.push('\n');
    }
    format!("[models.mine]\n{}", out.replace("\n[", "\n[models.mine."))
}

#[test]
fn a_model_pasted_into_a_scene_with_every_name_changed_gives_the_same_digest() {
    for (name, text) in synfire::model::builtin() {
        let built_in = alone(name, 0.1, 20, &drive(name, name));
        let pasted = renamed(name, text);
        let mut changed = built_in.replace(&format!("model = \"{name}\""), "model = \"mine\"");
        for (key, what) in [("input", model(name).inputs.first().map(|i| i.name.clone()))]
            .into_iter()
            .chain(model(name).receptors.iter().map(|r| ("receptor", Some(r.name.clone()))))
        {
            let Some(what) = what else { continue };
            changed = changed.replace(&format!("{key} = \"{what}\""), &format!("{key} = \"my_{what}\""));
        }
        let (a, b) = (planned(&load(&built_in)), planned(&load(&(changed + &pasted))));
        assert!(b.populations[0].states[..model(name).states.len()].iter().all(|s| s.starts_with("my_")), "{pasted}");
        for (engine, machine) in machines() {
            // One pipeline for each model takes the device a while: the text of the program is the same there as here.
            if engine == "gpu" && !matches!(name, "iaf_psc_exp" | "aeif_cond_exp" | "gif_psc_exp" | "morris_lecar" | "izhikevich") {
                continue;
            }
            let ((x, s), (y, t)) = (run(machine, &a, 800, 800), run(machine, &b, 800, 800));
            assert!(!x.spikes.is_empty(), "{name} is silent");
            assert!(x.spikes == y.spikes && s.values == t.values, "{engine} {name}");
        }
        assert!(a.populations[0].program == b.populations[0].program, "{name}");
    }
}
