//! Rows that are drawn again at every spike: the same spikes as stored ones, for every rule, through checkpoints and edits.

mod common;

use std::sync::Arc;

use common::network_of;
use synfire::base::problem::Source;
use synfire::engine::cpu::Cpu;
use synfire::network::{Network, Storage};
use synfire::plan::{self, Plan, plan, plan_within};

const RULES: [&str; 13] = [
    "rule = \"fixed_in_degree\"\nin_degree = 40\nallow_autapses = true",
    "rule = \"fixed_out_degree\"\nout_degree = 40\nallow_autapses = false",
    "rule = \"fixed_out_degree\"\nout_degree = 40\nallow_autapses = false\nallow_multapses = false",
    "rule = \"fixed_total_number\"\ncount = 9000",
    "rule = \"fixed_total_number\"\ncount = 9000\nallow_autapses = false\nallow_multapses = false",
    "rule = \"fixed_in_degree\"\nin_degree = 40\nallow_autapses = false",
    "rule = \"fixed_probability\"\np = 0.1\nallow_autapses = false",
    "rule = \"fixed_probability\"\np = 1.0",
    "rule = \"all_to_all\"",
    "rule = \"one_to_one\"",
    "rule = \"distance\"\nkernel = \"gaussian\"\nsigma = \"100 um\"\np = 0.9\nallow_autapses = false",
    "rule = \"distance\"\nkernel = \"disc\"\nradius = \"200 um\"\np = 0.2",
    "rule = \"distance\"\nkernel = \"exponential\"\nlength = \"100 um\"\nout_degree = 40",
];

/// A network whose excitatory rows come from `rule`; onto parts, so that positions and neurons differ.
fn scene(rule: &str, storage: &str) -> String {
    format!(
        r#"format = 1
[run]
dt = "0.1 ms"
duration = "1 s"
seed = 3
[parameters]
J = "60 pA"
[populations.exc]
model = "iaf_psc_exp"
size = 400
positions = {{ random = true, extent = ["1 mm", "1 mm"], periodic = true }}
initial.V_m = "uniform(-70 mV, -55 mV)"
[populations.inh]
like = "exc"
size = 100
positions = {{ grid = [10, 10], extent = ["1 mm", "1 mm"], periodic = true }}
[[projections]]
from = "exc[50..350]"
to = "exc[20..320]"
{rule}
weight = "normal(0.3*J, J)"
delay = "redraw(normal(1.5 ms, 0.7 ms), dt, inf)"
storage = "{storage}"
[[projections]]
from = "inh"
to = ["exc", "inh"]
rule = "fixed_probability"
p = 0.1
weight = "-5*J*exp(-distance/(500 um))"
delay = "0.5 ms + distance/(0.3 m/s)"
storage = "{storage}"
[[stimuli]]
kind = "poisson"
to = ["exc", "inh"]
rate = "6 kHz"
weight = "J"
"#
    )
}

fn made(network: &Network) -> Arc<Plan> {
    Arc::new(plan(network).unwrap())
}

#[test]
fn procedural_rows_give_the_spikes_of_stored_rows_for_every_rule() {
    for rule in RULES {
        let (stored, drawn) = (made(&network_of(&scene(rule, "stored"))), made(&network_of(&scene(rule, "procedural"))));
        assert!(drawn.projections[0].procedural() && !stored.projections[0].procedural());
        let (mut a, mut b) = (Cpu::new(stored).unwrap(), Cpu::new(drawn).unwrap());
        assert!(b.synapse_bytes() < a.synapse_bytes(), "{rule}");
        let (x, y) = (a.advance(600).unwrap(), b.advance(600).unwrap());
        assert!(x.spikes.len() > 300, "{rule}: {} spikes", x.spikes.len());
        assert_eq!(x, y, "{rule}");
        assert_eq!(a.save(), b.save(), "{rule}");
    }
}

#[test]
fn a_checkpoint_of_procedural_rows_resumes_with_stored_ones_and_the_other_way_round() {
    for (first, second) in [("stored", "procedural"), ("procedural", "stored")] {
        let (one, two) = (made(&network_of(&scene(RULES[0], first))), made(&network_of(&scene(RULES[0], second))));
        let mut whole = Cpu::new(one).unwrap();
        whole.advance(300).unwrap();
        let mut resumed = Cpu::new(two).unwrap();
        resumed.restore(&whole.save());
        assert_eq!(whole.advance(300).unwrap(), resumed.advance(300).unwrap());
    }
}

#[test]
fn an_edit_of_a_weight_changes_procedural_rows_as_it_does_stored_ones() {
    let run = |storage: &str| {
        let (old, new) =
            (network_of(&scene(RULES[3], storage)), network_of(&scene(RULES[3], storage).replace("J = \"60 pA\"", "J = \"90 pA\"")));
        let before = made(&old);
        let mut engine = Cpu::new(before.clone()).unwrap();
        engine.advance(300).unwrap();
        engine.adopt(Arc::new(plan::edit(&old, &before, &new).unwrap())).unwrap();
        engine.advance(300).unwrap()
    };
    assert_eq!(run("stored"), run("procedural"));
}

#[test]
fn the_plan_stores_what_fits_and_draws_the_rest_and_says_why() {
    let text = scene(RULES[6], "stored").replace("storage = \"stored\"\n", "");
    let network = network_of(&text);
    let ample = plan(&network).unwrap();
    assert!(ample.projections.iter().all(|p| p.storage.storage == Storage::Stored && p.storage.why.contains("fit")));
    let tight = plan_within(&network, Some(60_000)).unwrap();
    // The largest goes first, and no more than must.
    assert!(tight.projections[0].procedural() && !tight.projections[2].procedural());
    assert!(tight.projections[0].storage.why.contains("at hand"), "{}", tight.projections[0].storage.why);
    assert!(tight.bytes() < ample.bytes());
}

#[test]
fn what_cannot_be_procedural_is_refused_in_a_sentence() {
    for (rule, word) in [
        ("rule = \"fixed_in_degree\"\nin_degree = 40\nallow_multapses = false", "allow_multapses = true"),
        ("rule = \"fixed_in_degree\"\nin_degree = 40\nallow_multapses = false\nallow_autapses = false", "allow_multapses = true"),
    ] {
        let error = plan(&network_of(&scene(rule, "procedural"))).err().unwrap().message;
        assert!(error.contains("exc->exc") && error.contains("procedural") && error.contains(word), "{error}");
    }
    let text = scene(RULES[0], "cloud");
    let source = Arc::new(Source { name: "test.toml".into(), text });
    let problems = synfire::scene::load(source, None, &Default::default()).err().unwrap();
    assert!(problems[0].render().contains("there is no storage") && problems[0].render().contains("procedural"));
}
