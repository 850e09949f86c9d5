//! Laws that hold for every model: what is refused, refractoriness, rest, step sizes, and what `synfire show` says.

use std::process::Command;

use synfire::model::Least;
use synfire::network::{Drive, Part, Stimulus, Wave, Which};
use synfire::session::Engine;

use crate::{alone, drive, load, machines, model, names, planned, run, try_load};

#[test]
fn every_model_refuses_time_constants_and_capacitances_that_are_not_positive() {
    for name in names() {
        for p in &model(name).parameters {
            let unit = p.dimension.to_string().replace("a bare number", "1").replace('^', "^(").replace("-1", "-1)").replace("-2", "-2)");
            let set = |x: i32| try_load(&alone(name, 0.1, 1, &format!("parameters.{} = \"{x}*{unit}\"\n", p.name)));
            let time_or_capacitance = matches!(p.dimension.to_string().as_str(), "ms" | "pF" | "ms*mV^-1*pA*um^-2");
            let period = matches!(p.name.as_str(), "t_ref" | "dead_time" | "t_clamp");
            let due = if period {
                Least::Zero
            } else if time_or_capacitance {
                Least::AboveZero
            } else {
                Least::Any
            };
            assert_eq!(p.least, due, "{name}.{}", p.name);
            if due == Least::Any {
                continue;
            }
            for x in [0, -1] {
                match set(x) {
                    Ok(_) => assert!(period && x == 0, "{name} takes {} = {x}", p.name),
                    Err(told) => assert!(told.contains(&p.name) && told.contains("test.toml:") && !(period && x == 0), "{told}"),
                }
            }
        }
    }
}

#[test]
fn a_drawn_time_constant_that_is_not_positive_is_refused() {
    let network = load(&alone("iaf_psc_exp", 0.1, 500, "parameters.tau_m = \"normal(10 ms, 5 ms)\"\n"));
    let told = synfire::plan::plan(&network).err().unwrap().message;
    assert!(told.contains("tau_m must be positive") && told.contains("redraw"), "{told}");
    assert!(try_load(&alone("iaf_psc_exp", 0.1, 1, "[models.x]\nbase = \"iaf_psc_exp\"\nparameters.C_m = \"0 pF\"\n")).is_err());
}

/// A drive so strong that a cell spikes again as soon as it may.
fn pushed(name: &str, period: f64, machine: &synfire::session::Machine) -> Vec<u32> {
    let key = if name == "poisson_generator" { "dead_time" } else { "t_ref" };
    let mut network = load(&alone(name, 0.1, 1, &format!("parameters.{key} = \"{period} ms\"\n")));
    let to = Part { population: 0, which: Which::Range { start: 0, len: 1 } };
    let kind = Drive::Current { input: 0, wave: Wave::Constant(1e6) };
    network.stimuli.push(Stimulus { name: String::new(), to, kind, start: 0, stop: u64::MAX });
    let (harvest, _) = run(machine, &planned(&network), 200, 200);
    harvest.spikes.iter().map(|s| s.step).collect()
}

#[test]
fn every_model_is_refractory_for_exactly_its_steps() {
    let (mut exact, mut at_least) = (0, 0);
    for name in names() {
        let model = model(name);
        if !model.parameters.iter().any(|p| p.least == Least::Zero) {
            continue;
        }
        // These spike at a maximum, which is not there at every step: only the least interval is known.
        if name.starts_with("hh") {
            let text = alone(name, 0.1, 20, &format!("parameters.t_ref = \"14.3 ms\"\n{}", drive(name, name)));
            let (harvest, _) = run(&crate::common::machines()[0], &planned(&load(&text)), 3000, 3000);
            for i in 0..20 {
                let steps: Vec<u32> = harvest.spikes.iter().filter(|s| s.neuron == i).map(|s| s.step).collect();
                assert!(steps.len() > 3 && steps.windows(2).all(|w| w[1] - w[0] > 143), "{name}: {steps:?}");
            }
            at_least += 1;
            continue;
        }
        for period in [0.0, 0.1, 2.0, 3.7] {
            // A spike that is held for a while is followed by the rest of the period.
            let held = if name == "aeif_psc_delta_clopath" { 20 } else { 0 };
            let due = (period * 10.0_f64).round() as u32 + 1 + held;
            let steps = pushed(name, period, &crate::common::machines()[0]);
            assert!(steps.len() > 3 && steps.windows(2).all(|w| w[1] - w[0] == due), "{name}, {period} ms: {steps:?}");
        }
        exact += 1;
    }
    assert!(exact >= 20 && at_least == 5, "{exact} {at_least}");
    for (engine, machine) in machines() {
        for name in ["iaf_cond_alpha", "aeif_psc_exp", "glif_5", "gif_psc_exp"] {
            assert!(pushed(name, 3.7, machine).windows(2).all(|w| w[1] - w[0] == 38), "{engine} {name}");
        }
    }
}

#[test]
fn every_model_stays_at_its_fixed_point() {
    for name in names().filter(|n| !n.ends_with("_generator")) {
        // With its published E_L this cell fires by itself, in NEST too.
        let calm = if name == "hh_cond_exp_traub" { "parameters.E_L = \"-70 mV\"\n" } else { "" };
        let plan = planned(&load(&alone(name, 0.1, 1, calm)));
        let mut engine = Engine::new(plan.clone(), &crate::common::machines()[0]).unwrap();
        let (early, before) = (engine.advance(12_000).unwrap(), engine.save().unwrap());
        let (late, after) = (engine.advance(3000).unwrap(), engine.save().unwrap());
        assert!(early.spikes.is_empty() && late.spikes.is_empty(), "{name} spikes at rest");
        for (variable, (a, b)) in plan.populations[0].states.iter().zip(before.values[0].iter().zip(&after.values[0])) {
            assert!((a[0] - b[0]).abs() < 1e-3 && b[0].is_finite(), "{name}: {variable} drifts from {} to {}", a[0], b[0]);
        }
    }
}

/// Exact integration: what a cell does below its threshold under inputs on the coarse grid does not depend on the step.
#[test]
fn linear_models_do_not_depend_on_the_step() {
    let mut count = 0;
    for name in names() {
        let compiled = model(name).compile(0.1).unwrap();
        if compiled.method != "exact" || model(name).receptors.is_empty() {
            continue;
        }
        let states = |dt: f64| {
            let mut text = alone(name, dt, 1, "");
            for (k, receptor) in model(name).receptors.iter().enumerate() {
                let weight = if receptor.weight.to_string() == "mV" { ["3 mV", "-1 mV"][k] } else { ["60 pA", "-40 pA"][k] };
                text += &format!(
                    "[[stimuli]]\nkind = \"spikes\"\nto = \"{name}\"\ntimes = [\"4 ms\", \"9.6 ms\", \"{} ms\"]\nweight = \"{weight}\"\n",
                    20 + k
                );
            }
            text += &format!(
                "[[stimuli]]\nkind = \"current\"\nto = \"{name}\"\ninput = \"I_stim\"\nsteps = [[\"2 ms\", \"100 pA\"], [\"30 ms\", \"-50 pA\"]]\n"
            );
            let (harvest, state) = run(&crate::common::machines()[0], &planned(&load(&text)), (40.0 / dt).round() as u64, 1000);
            assert!(harvest.spikes.is_empty(), "{name} spikes");
            state.values[0][..model(name).states.len()].iter().map(|v| f64::from(v[0])).collect::<Vec<f64>>()
        };
        let (coarse, fine) = (states(0.2), states(0.05));
        let rest: Vec<f64> = model(name).parameters.iter().map(|p| p.default).collect();
        let moved = (coarse[0] - model(name).initial(0, &rest)).abs();
        assert!(moved > 0.05, "{name} does not move: {coarse:?}");
        assert!(coarse.iter().zip(&fine).all(|(a, b)| (a - b).abs() < 2e-4), "{name}: {coarse:?} {fine:?}");
        count += 1;
    }
    assert!(count >= 10, "{count}");
}

#[test]
fn show_tells_the_update_of_every_model() {
    for name in names() {
        let out = Command::new(env!("CARGO_BIN_EXE_synfire")).args(["show", name]).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).to_string();
        assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
        let model = model(name);
        let words = model
            .parameters
            .iter()
            .map(|p| &p.name)
            .chain(model.receptors.iter().map(|r| &r.name))
            .chain(model.states.iter().map(|s| &s.name));
        for word in words.chain([&model.about, &model.cite]) {
            assert!(!word.is_empty() && text.contains(word.as_str()), "{name}: nothing of `{word}` in\n{text}");
        }
        assert!(text.contains(&format!("method: {}", model.compile(0.1).unwrap().method)));
    }
}
