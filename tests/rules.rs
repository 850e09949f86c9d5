//! Laws that hold for every synapse model that is built in: what of their parameters and weights is refused, and what the plan says
//! they take. A new one is tested by existing.

mod common;

use common::{network_of, origin, planned, rendered};
use synfire::model::Parameter;
use synfire::plan::{Plan, plan};
use synfire::session::{Engine, Machine};

fn names() -> impl Iterator<Item = &'static str> {
    synfire::model::builtin_synapses().into_iter().map(|m| m.0)
}

/// Sources and targets of which a rule may ask all that is built in, and a projection with other keys.
fn scene(name: &str, set: &str, weights: &str, size: u32) -> String {
    let plastic = synfire::scene::synapse(name).unwrap();
    let modulator = if plastic.modulator().is_empty() { "" } else { "modulator = \"pre\"\n" };
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 4\n[synapses.rule]\nbase = \"{name}\"\n[synapses.rule.parameters]\n{set}\n\
         [populations.pre]\nmodel = \"poisson_generator\"\nsize = {size}\n[populations.post]\nmodel = \"aeif_psc_delta_clopath\"\nsize = 200\n\
         [[projections]]\nfrom = \"pre\"\nto = \"post\"\nrule = \"fixed_out_degree\"\nout_degree = 100\ndelay = \"1 ms\"\nsynapse = \"rule\"\n\
         {modulator}{weights}"
    )
}

fn weights(name: &str) -> &'static str {
    if synfire::scene::synapse(name).unwrap().plastic() { "weight = \"0.4 mV\"\nw_max = \"1 mV\"\n" } else { "weight = \"0.4 mV\"\n" }
}

fn refusal(text: &str) -> Option<String> {
    match origin(text, None, &[]).load() {
        Err(problems) => Some(rendered(&problems)),
        Ok(scene) => plan(&scene.network).err().map(|e| e.message),
    }
}

fn set(name: &str, of: &str, value: &str) -> Option<String> {
    refusal(&scene(name, &format!("{of} = {value}"), weights(name), 3))
}

fn unit(p: &Parameter) -> String {
    p.dimension
        .to_string()
        .replace("a bare number", "1")
        .replace('^', "^(")
        .replace("-1", "-1)")
        .replace("-2", "-2)")
        .replace("^(2", "^(2)")
}

fn parameters(name: &str) -> Vec<Parameter> {
    synfire::scene::synapse(name).unwrap().parameters().to_vec()
}

#[test]
fn every_parameter_refuses_what_is_no_number_and_what_has_another_unit() {
    for name in names() {
        assert_eq!(refusal(&scene(name, "", weights(name), 3)), None, "{name}");
        for p in parameters(name) {
            let unit = unit(&p);
            for wrong in ["nan", "inf", "\"1 K\"", "\"normal(1, 0.1)*K\"", "true", &format!("\"log(-1)*{unit}\""), &format!("\"{unit}/0\"")]
            {
                let told = set(name, &p.name, wrong).unwrap_or_else(|| panic!("{name} takes {} = {wrong}", p.name));
                assert!(told.contains("test.toml:9:"), "{told}");
            }
        }
    }
}

#[test]
fn every_parameter_that_cannot_be_negative_is_refused_below_zero_and_time_constants_at_zero() {
    for name in names() {
        for p in parameters(name) {
            let (unit, signed) = (unit(&p), matches!(p.name.as_str(), "theta_minus" | "theta_plus" | "b"));
            match set(name, &p.name, &format!("\"-1000*{unit}\"")) {
                Some(told) => assert!(!signed && told.contains(&p.name) && told.contains("test.toml:9:"), "{told}"),
                None => assert!(signed, "{name} takes {} = -1000", p.name),
            }
            // A facilitation of no time is none, and what is read may be of now.
            let may_vanish = matches!(p.name.as_str(), "tau_fac" | "delay_u_bars") || p.dimension.to_string() != "ms";
            if !may_vanish {
                let told = set(name, &p.name, "\"0 ms\"").unwrap_or_else(|| panic!("{name} takes {} = 0 ms", p.name));
                assert!(told.contains(&p.name), "{told}");
            }
        }
    }
    for wrong in ["1.001", "-0.001", "7"] {
        assert!(set("tsodyks_markram", "U", wrong).unwrap().contains("U lies between 0 and 1"));
    }
    assert!(set("nmda_saturating", "tau_rise", "\"100 ms\"").unwrap().contains("needs tau_rise < tau_decay"));
    assert!(set("nmda_saturating", "alpha", "\"4/ms\"").unwrap().contains("needs alpha*tau_rise <= 6"));
}

#[test]
fn every_rule_refuses_weights_beyond_the_largest_or_of_the_other_sign() {
    for name in names().filter(|n| synfire::scene::synapse(n).unwrap().plastic()) {
        for (weights, told) in [
            ("weight = \"1.2 mV\"\nw_max = \"1 mV\"\n", "w_max = 1"),
            ("weight = \"-0.1 mV\"\nw_max = \"1 mV\"\n", "w_max = 1"),
            ("weight = \"0.1 mV\"\nw_max = \"-1 mV\"\n", "w_max = -1"),
            ("weight = \"normal(0.5 mV, 1 mV)\"\nw_max = \"1 mV\"\n", "redraw"),
            ("weight = \"0 mV\"\nw_max = \"0 mV\"\n", "a largest weight of 0"),
            ("weight = \"0.1 mV\"\nw_max = inf\n", "test.toml"),
            ("weight = \"0.1 mV\"\nw_max = \"1 pA\"\n", "expected a value in mV"),
            ("weight = \"0.1 mV\"\n", "there is no largest weight"),
            ("weight = \"0.1 mV\"\nw_max = \"1 mV\"\nstorage = \"procedural\"\n", "weights that change must be kept"),
        ] {
            let said = refusal(&scene(name, "", weights, 3)).unwrap_or_else(|| panic!("{name} takes {weights}"));
            assert!(said.contains(told), "{name}: {said}");
        }
    }
}

fn bytes(plan: &std::sync::Arc<Plan>, machine: &Machine) -> u64 {
    Engine::new(plan.clone(), machine).unwrap().synapse_bytes()
}

/// Bytes of a synapse: 8 for rules that keep nothing beside the weight, 4 more for each value that they keep. What `check` prints is
/// what both engines take.
#[test]
fn the_plan_says_what_a_synapse_takes_and_it_is_so_on_both_engines() {
    for name in names() {
        let model = synfire::scene::synapse(name).unwrap();
        let due = if model.plastic() { 8 + 4 * model.kept().len() as u64 } else { 4 };
        let [few, many] = [500, 2500].map(|size| planned(&scene(name, "", weights(name), size)));
        let p = &few.projections[0];
        assert!(if model.plastic() { few.synapse_bytes(p) == due } else { few.synapse_bytes(p) <= due }, "{name}");
        assert_eq!(few.synapse_bytes_on_gpu(p), due, "{name}");
        for (engine, machine) in common::machines().iter().map(|m| (m.describe().engine, m)) {
            if engine == "gpu" && !model.reads().is_empty() {
                continue;
            }
            let said = if engine == "gpu" { few.synapse_bytes_on_gpu(p) } else { few.synapse_bytes(p) } as f64;
            let each = (bytes(&many, machine) - bytes(&few, machine)) as f64 / (2000.0 * 100.0);
            // A row costs some bytes more, of which each of its 100 synapses has a part.
            assert!(each >= said && each < said + 0.5, "{engine} {name}: {each} bytes, {said} are told");
        }
    }
    assert_eq!(
        network_of(&scene("stdp_dopamine", "", weights("stdp_dopamine"), 3)).projections[0].changing.as_ref().unwrap().model.kept().len(),
        1
    );
}
