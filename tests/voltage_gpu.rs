//! Rules that read their targets on the GPU engine: the bits of the CPU engine in every weight, in what synapses keep, in histories of
//! spikes and of steps at which conditions hold, and in what is read, whatever the batch, the shards and the workgroups; looks,
//! checkpoints from one engine to the other, edits; and a history that is too short is told of.
#![cfg(feature = "gpu")]

mod common;

use common::learning::{crossing, gpu_machine, looking_and_saving, on_cpu, on_gpu, same, shapes};
use common::voltage::{network, own};
use common::{device, planned};
use synfire::engine::gpu::{Forced, Gpu};
use synfire::plan::Harvest;

/// Rules beside a user's own: one that keeps a value, follows a modulator and moves between events, and one that only reads.
const MORE: &str = r#"[synapses.all]
equations = """
da/dt = -a/tau
db/dt = (0.1 - b)/tau
de/dt = -e/(5*tau)
dm/dt = -m/tau
dw/dt = gain*(e*m - 0.2*b*a)/tau
"""
on_pre = "e -= 0.4*b*late/pA; w -= 0.01*max(x, y)/pA; a += 1"
on_post = "e += 0.5*a*x/pA; b += 0.7 + 0.1*late/pA"
on_modulator = "m = 0.5*m + 1"
condition = "x > high"
on_condition = "e += 0.01*a*(1 + m)*(y - late)/pA; w += 0.002*a*b; b += 0.005*x/pA"
[synapses.all.parameters]
tau = "12 ms"
gain = 0.05
high = "0.9 pA"
[synapses.all.source]
a = 0
[synapses.all.target]
b = 0.1
[synapses.all.synapse]
e = 0
[synapses.all.modulator]
m = 0
[synapses.all.reads]
x = "pA"
y = "pA"
late = { of = "x", unit = "pA", delay = "4.7 ms" }
[synapses.seen]
equations = "da/dt = -a/(15 ms)\ndb/dt = -b/(25 ms)"
on_pre = "w -= 0.03*b*y/pA; a += 1"
on_post = "w += 0.03*a*late/pA; b += 1 + 0.1*y/pA"
[synapses.seen.source]
a = 0
[synapses.seen.target]
b = 0
[synapses.seen.reads]
y = "pA"
late = { of = "y", unit = "pA", delay = "0.6 ms" }
"#;

/// Four rules onto cells of one population, three of which read them, and one onto the sources.
fn rules() -> String {
    let projection = |synapse: &str, from: &str, to: &str, more: &str| {
        format!(
            "[[projections]]\nfrom = \"{from}\"\nto = \"{to}\"\nrule = \"all_to_all\"\nweight = \"uniform(0.2 mV, 0.8 mV)\"\nw_max = \"1 mV\"\n\
             delay = \"uniform(0.4 ms, 2.2 ms)\"\nsynapse = \"{synapse}\"\n{more}"
        )
    };
    let more = [
        projection("all", "pre", "post", "modulator = [\"pre[0..4]\", \"post[random 3]\"]\n"),
        projection("seen", "pre", "post[3..17]", ""),
        projection("stdp_pair", "post", "post", ""),
    ];
    own("uniform(0.3 ms, 3.1 ms)") + MORE + &more.concat()
}

#[test]
fn rules_that_read_their_targets_give_the_same_bits_whatever_the_batch_the_shards_and_the_workgroups() {
    let Some(device) = device() else { return };
    let plan = planned(&network());
    let (begun, expected) = (on_cpu(&plan, 0), on_cpu(&plan, 1000));
    assert!(expected.0.spikes.len() > 100, "{} spikes", expected.0.spikes.len());
    assert!(expected.1.histories.iter().any(|h| !h.conditions.is_empty() && !h.reads.is_empty()));
    for (n, (a, b)) in begun.2.iter().zip(&expected.2).enumerate() {
        let moved = a.iter().zip(b).filter(|(a, b)| a != b).count();
        assert!(moved > a.len() / 2, "only {moved} of {} weights {n} have moved", a.len());
    }
    shapes(&plan, device, |how, mut gpu| {
        same(&format!("begun, {how}"), &begun, &on_gpu(&gpu, &plan, Harvest::default()));
        let harvest = gpu.advance(1000).unwrap();
        same(how, &expected, &on_gpu(&gpu, &plan, harvest));
    });
}

#[test]
fn rules_of_a_user_beside_each_other_give_the_same_bits_however_full_the_histories() {
    let Some(device) = device() else { return };
    for (text, steps) in [(rules(), 3000), (own("0.1 ms"), 3000), (own("4 ms"), 3000)] {
        let plan = planned(&text);
        let expected = on_cpu(&plan, steps);
        let most = plan.targets.iter().map(|t| plan.history_of(t)).max().unwrap();
        let held = |i: usize| expected.0.samples.iter().filter(|s| s.probe == 0 && s.values[i] > 0.7).count();
        let held = (0..20).map(held).max().unwrap();
        assert!(held > 2 * most, "{held} of {most}");
        for forced in [Forced::default(), Forced { batch: Some(2), binding: Some(100_000), ..Forced::default() }] {
            let mut gpu = Gpu::new(plan.clone(), device.clone(), forced).unwrap();
            assert!(forced.binding.is_none() || gpu.shape().1 > 1, "{} shards", gpu.shape().1);
            let harvest = gpu.advance(steps).unwrap();
            same(&format!("{forced:?}"), &expected, &on_gpu(&gpu, &plan, harvest));
        }
    }
}

#[test]
fn a_history_that_is_too_short_is_told_of_and_loses_nothing_in_silence() {
    let Some(device) = device() else { return };
    let plan = planned(&own("4 ms"));
    let mut gpu = Gpu::new(plan, device.clone(), Forced { history: Some(16), ..Forced::default() }).unwrap();
    let told = gpu.advance(2500).unwrap_err();
    assert!(told.contains("the histories of 16 spikes") && told.contains("--backend cpu"), "{told}");
}

#[test]
fn looking_and_saving_do_not_change_what_follows() {
    let Some(device) = device() else { return };
    looking_and_saving(&rules(), device, |k| k % 3);
}

#[test]
fn states_cross_from_one_engine_to_the_other_and_edits_in_mid_run_give_the_same_bits() {
    let Some(gpu) = gpu_machine() else { return };
    let clopath = [("high", "-55 mV"), ("learn.A_LTD", "6e-3/mV"), ("learn.tau_x", "60 ms"), ("learn.theta_minus", "-65 mV")];
    let own = [("own.high", "0.4 pA"), ("own.gain", "0.1/(pA*ms)"), ("all.tau", "20 ms"), ("all.high", "0.3 pA")];
    crossing(&network(), clopath, 250, gpu);
    crossing(&rules(), own, 250, gpu);
}
