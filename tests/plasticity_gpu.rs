//! Weights that change on the GPU engine: the bits of the CPU engine in every weight, trace, history, input and spike, for every
//! rule that comes with the program and for a user's own, whatever the batch, the shards and the workgroups; over checkpoints that
//! go from one engine to the other, edits, probes; and what cannot be is told.
#![cfg(feature = "gpu")]

mod common;

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use common::learning::{gpu_machine, shapes};
use common::{advance, cpu, device, origin, planned, start};
use synfire::engine::cpu::{Cpu, Setup};
use synfire::engine::gpu::{Forced, Gpu};
use synfire::export::{Checkpoint, read_checkpoint, write_checkpoint};
use synfire::plan::{Harvest, Plan, State};
use synfire::session::{Command, Machine};

/// A user's own rule: a trace that saturates, one of two exponentials, powers, and changes on either side.
const OWN: &str = r#"[synapses.own]
equations = """
dfast/dt = -fast/tau
dslow/dt = (0.2 - slow)/(4*tau)
dback/dt = -back/tau_back
"""
on_pre = """
w -= rate*w^0.7*back*(1 + slow)
fast += 1 - fast
slow += 0.3
"""
on_post = """
w += (w < 0.5 ? rate : 0.5*rate)*fast*exp(-slow)
back = 0.5*back + 1
"""
[synapses.own.parameters]
rate = { value = 0.05, least = 0 }
tau = "15 ms"
tau_back = "25 ms"
[synapses.own.source]
fast = 0
slow = 0.2
[synapses.own.target]
back = 0
"#;

/// A recurrent network in which every rule is at work, beside static and depressing synapses: parts and lists of neurons, autapses,
/// several synapses between two cells, weights of 0 under a negative largest one.
fn network() -> String {
    let projection = |from: &str, to: &str, rule: &str, weight: &str, delay: &str, more: &str| {
        format!("[[projections]]\nfrom = \"{from}\"\nto = \"{to}\"\n{rule}\nweight = \"{weight}\"\ndelay = \"{delay}\"\n{more}")
    };
    let p = |p: f64| format!("rule = \"fixed_probability\"\np = {p}");
    let changing = |name: &str, most: &str| format!("synapse = \"{name}\"\nw_max = \"{most}\"\n");
    let projections = [
        projection("exc", "exc", &p(0.1), "uniform(0 pA, 80 pA)", "1.5 ms", &changing("pair", "80 pA")),
        projection(
            "exc",
            "exc[20..110]",
            "rule = \"fixed_in_degree\"\nin_degree = 9",
            "30 pA",
            "uniform(0.7 ms, 3 ms)",
            &changing("stdp_nearest", "90 pA"),
        ),
        projection("exc[30..90]", "inh", &p(0.3), "redraw(normal(30 pA, 10 pA), 0, 60 pA)", "1 ms", &changing("power", "60 pA")),
        projection(
            "exc",
            "inh",
            "rule = \"fixed_out_degree\"\nout_degree = 7",
            "20 pA",
            "uniform(0.8 ms, 2 ms)",
            &changing("triplet", "70 pA"),
        ),
        projection(
            "inh",
            "exc",
            &p(0.2),
            "redraw(normal(-100 pA, 80 pA), -300 pA, 0)",
            "uniform(0.8 ms, 2.5 ms)",
            &changing("vogels_2011", "-300 pA"),
        ),
        projection("inh", "inh", "rule = \"all_to_all\"\nallow_autapses = true", "-20 pA", "0.9 ms", &changing("own", "-50 pA")),
        projection("exc", "inh", &p(0.1), "40 pA", "uniform(0.8 ms, 2 ms)", "synapse = \"tsodyks_markram\"\n"),
        projection("inh", "exc", &p(0.1), "J", "1 ms", ""),
        projection("exc", "inh", &p(0.05), "30 pA", "1.2 ms", &changing("pair", "60 pA")),
    ]
    .concat();
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 4\n[parameters]\nlambda = 0.05\nJ = \"-100 pA\"\n{OWN}\
         [synapses.pair]\nbase = \"stdp_pair\"\n[synapses.pair.parameters]\nlambda = \"lambda\"\nalpha = 1.1\n\
         [synapses.power]\nbase = \"stdp_power\"\n[synapses.power.parameters]\nlambda = 0.06\nmu_plus = 0.4\nmu_minus = 0.3\n\
         [synapses.triplet]\nbase = \"stdp_triplet\"\n[synapses.triplet.parameters]\nA2_plus = 0.02\nA3_plus = 0.03\nA2_minus = 0.02\n\
         [populations.exc]\nmodel = \"iaf_psc_exp\"\nsize = 150\ninitial.V_m = \"uniform(-70 mV, -55 mV)\"\n\
         [populations.inh]\nlike = \"exc\"\nsize = 50\n{projections}\
         [[stimuli]]\nkind = \"poisson\"\nto = [\"exc\", \"inh\"]\nrate = \"9 kHz\"\nweight = \"60 pA\"\n\
         [[probes]]\nrecord = \"V_m\"\nof = \"exc[0..5]\"\nevery = \"0.5 ms\"\n\
         [[probes]]\nrecord = \"weights\"\nof = \"inh->exc\"\n"
    )
}

fn on_cpu(plan: &Arc<Plan>, steps: u64) -> (Harvest, State) {
    let mut cpu = Cpu::with(plan.clone(), Setup { threads: Some(1), batch: None }).unwrap();
    (cpu.advance(steps).unwrap(), cpu.save())
}

/// The engines' spikes, samples, events and whole states must be the same.
fn same(what: &str, plan: &Plan, expected: &(Harvest, State), found: &(Harvest, State)) {
    assert!(expected.0.spikes == found.0.spikes, "{what}: {} and {} spikes", expected.0.spikes.len(), found.0.spikes.len());
    let (a, b) = (&expected.1, &found.1);
    let changing = plan.projections.iter().filter(|p| p.plastic.is_some());
    for (n, ((a, b), p)) in a.weights.iter().zip(&b.weights).zip(changing).enumerate() {
        let different = a.iter().zip(b).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        let (from, to) = (&plan.populations[p.source].name, &plan.populations[p.target].name);
        assert!(different == 0 && a.len() == b.len(), "{what}: {different} of {} weights {n}, {from} to {to}, differ", a.len());
    }
    assert!(a.traces == b.traces, "{what}: traces differ");
    assert!(a.histories == b.histories, "{what}: histories differ");
    assert!(a == b && expected.0 == found.0, "{what}: inputs, states or samples differ");
}

#[test]
fn every_rule_gives_the_same_bits_whatever_the_batch_the_shards_and_the_workgroups() {
    let Some(device) = device() else { return };
    let plan = planned(&network());
    let expected = on_cpu(&plan, 1000);
    assert!(expected.0.spikes.len() > 500, "{} spikes", expected.0.spikes.len());
    let begun = on_cpu(&plan, 0).1;
    for (n, (a, b)) in begun.weights.iter().zip(&expected.1.weights).enumerate() {
        let moved = a.iter().zip(b).filter(|(a, b)| a != b).count();
        assert!(moved > a.len() / 2, "only {moved} of {} weights {n} have moved", a.len());
    }
    shapes(&plan, device, |how, mut gpu| {
        let harvest = gpu.advance(1000).unwrap();
        same(how, &plan, &expected, &(harvest, gpu.save().unwrap()));
    });
}

/// Cells that spike when they are told to, and tell what arrives at them.
const CELLS: &str = "[models.relay]\nupdate = \"\"\"\ngot = in\ncount = fire\n\"\"\"\nthreshold = \"count > 0\"\n\
                     [models.relay.state]\ngot = \"0 pA\"\ncount = 0\n[models.relay.receptors]\nin = \"pA\"\nfire = \"1\"\n";

/// Trains of steps for each cell of two populations, all connected with all and each with itself, over several delays: cells that
/// spike in every step for a while, so that one batch holds many spikes of a source and histories fill many times over.
fn trains(base: &str, delay: &str) -> String {
    let every = |from: u32, to: u32, gap: u32| (from..to).step_by(gap as usize).collect::<Vec<u32>>();
    let trains = [
        vec![],
        every(3, 700, 1),
        every(50, 1990, 2),
        every(100, 1990, 37),
        [every(10, 60, 1), every(400, 420, 3), every(1500, 1700, 1)].concat(),
        every(7, 1990, 11),
    ];
    let told = |population: &str| {
        let mut out = String::new();
        for (i, train) in trains.iter().enumerate().filter(|t| !t.1.is_empty()) {
            let times: Vec<String> = train.iter().map(|k| format!("\"{}.{} ms\"", k / 10, k % 10)).collect();
            let to = if population == "b" { 5 - i } else { i };
            let _ = write!(
                out,
                "[[stimuli]]\nkind = \"spikes\"\nto = \"{population}[{to}]\"\nreceptor = \"fire\"\nweight = 1\ntimes = [{}]\n",
                times.join(", ")
            );
        }
        out
    };
    let projection = |from: &str, to: &str| {
        format!(
            "[[projections]]\nfrom = \"{from}\"\nto = \"{to}\"\nrule = \"all_to_all\"\nreceptor = \"in\"\nweight = \"uniform(20 pA, 80 pA)\"\n\
             w_max = \"100 pA\"\ndelay = \"{delay}\"\nsynapse = \"changing\"\n"
        )
    };
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"5 s\"\nseed = 8\n{CELLS}{OWN}[synapses.changing]\nbase = \"{base}\"\n\
         [populations.a]\nmodel = \"relay\"\nsize = 6\n[populations.b]\nmodel = \"relay\"\nsize = 6\n{}{}{}{}\
         [[probes]]\nrecord = \"got\"\nof = \"b\"\nevery = \"0.1 ms\"\n",
        projection("a", "b"),
        projection("a", "a"),
        told("a"),
        told("b")
    )
}

#[test]
fn sources_that_spike_in_every_step_and_full_histories_give_the_same_bits() {
    let Some(device) = device() else { return };
    for (base, delay) in [
        ("stdp_pair", "uniform(0.5 ms, 3 ms)"),
        ("stdp_power", "0.1 ms"),
        ("stdp_nearest", "2.9 ms"),
        ("stdp_triplet", "uniform(0.4 ms, 0.9 ms)"),
        ("vogels_2011", "uniform(1.2 ms, 5 ms)"),
        ("stdp_pair", "4 ms"),
    ] {
        let plan = planned(&trains(base, delay));
        let expected = on_cpu(&plan, 2000);
        for forced in [Forced::default(), Forced { batch: Some(2), binding: Some(16_000), ..Forced::default() }] {
            let mut gpu = Gpu::new(plan.clone(), device.clone(), forced).unwrap();
            let harvest = gpu.advance(2000).unwrap();
            same(&format!("{base} over {delay}, {forced:?}"), &plan, &expected, &(harvest, gpu.save().unwrap()));
        }
    }
}

#[test]
fn a_history_that_is_too_short_is_told_of_and_loses_nothing_in_silence() {
    let Some(device) = device() else { return };
    let plan = planned(&trains("stdp_pair", "4 ms"));
    let mut gpu = Gpu::new(plan.clone(), device.clone(), Forced { history: Some(16), ..Forced::default() }).unwrap();
    let told = gpu.advance(2000).unwrap_err();
    assert!(told.contains("the histories of 16 spikes") && told.contains("--backend cpu"), "{told}");
    let mut gpu = Gpu::new(plan, device.clone(), Forced { work: Some(1), ..Forced::default() }).unwrap();
    let told = gpu.advance(2000).unwrap_err();
    assert!(told.contains("work items"), "{told}");
}

#[test]
fn looking_and_saving_do_not_change_what_follows() {
    let Some(device) = device() else { return };
    let plan = planned(&network());
    let expected = on_cpu(&plan, 1500);
    let mut gpu = Gpu::new(plan.clone(), device.clone(), Forced::default()).unwrap();
    let mut harvest = Harvest { to: 1500, ..Harvest::default() };
    for k in 0..15 {
        let part = gpu.advance(100).unwrap();
        harvest.spikes.extend(part.spikes);
        harvest.samples.extend(part.samples);
        harvest.events += part.events;
        let state = gpu.save().unwrap();
        assert!(state.weights[4] == gpu.weights(4).unwrap().unwrap());
        if k % 4 == 3 {
            // Going on from what was saved is going on.
            gpu = Gpu::new(plan.clone(), device.clone(), Forced { batch: Some(1 + k), ..Forced::default() }).unwrap();
            gpu.restore(&state);
            assert!(gpu.save().unwrap() == state);
        }
    }
    assert!(gpu.weights(7).unwrap().is_none());
    same("looked at", &plan, &expected, &(harvest, gpu.save().unwrap()));
}

#[test]
fn a_checkpoint_of_one_engine_goes_on_on_the_other() {
    let Some(gpu) = gpu_machine() else { return };
    let (text, cpu) = (network(), cpu());
    let mut whole = start(origin(&text, None, &[]), &cpu, None);
    let expected = advance(&mut whole, 1500, 1500);
    for (number, (first, second)) in [(&cpu, gpu), (gpu, &cpu), (gpu, gpu)].into_iter().enumerate() {
        let mut begun = start(origin(&text, None, &[]), first, None);
        let mut spikes = advance(&mut begun, 777, 300).spikes;
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("plasticity_gpu_{number}.npz"));
        let checkpoint = Checkpoint::new(&begun.plan, &begun.scene.resolved, begun.save().unwrap());
        write_checkpoint(&checkpoint, &file).unwrap();
        let read = read_checkpoint(&file).unwrap();
        let mut resumed = start(origin(&text, None, &[]), second, Some(&read.state));
        spikes.extend(advance(&mut resumed, 723, 500).spikes);
        assert!(spikes == expected.spikes, "{number}");
        assert!(resumed.save().unwrap() == whole.save().unwrap(), "{number}");
    }
}

#[test]
fn edits_in_mid_run_and_probes_give_the_same_bits() {
    let Some(gpu) = gpu_machine() else { return };
    let edits = [
        ("lambda", "0.2"),
        ("pair.tau_plus", "5 ms"),
        ("own.tau_back", "90 ms"),
        ("exc->exc.w_max", "90 pA"),
        ("J", "-60 pA"),
        ("exc.tau_m", "12 ms"),
    ];
    let run = |machine: &Machine| {
        let mut simulation = start(origin(&network(), None, &[]), machine, None);
        let (mut spikes, mut seen) = (Vec::new(), Vec::new());
        for (address, value) in edits {
            spikes.extend(advance(&mut simulation, 300, 130).spikes);
            simulation.apply(Command::Set { address: address.into(), value: value.into() }).unwrap_or_else(|e| panic!("{address}: {e}"));
            let each = |_, w: f32| {
                seen.push(w.to_bits());
                Ok(())
            };
            simulation.weights(0, each).unwrap();
        }
        spikes.extend(advance(&mut simulation, 300, 300).spikes);
        (spikes, seen, simulation.save().unwrap())
    };
    let (expected, found) = (run(&cpu()), run(gpu));
    assert!(expected.0 == found.0, "spikes differ");
    assert!(expected.1 == found.1 && !found.1.is_empty(), "probes differ");
    assert!(expected.2 == found.2, "states differ");
}

#[test]
fn an_engine_of_some_neurons_alone_refuses_weights_that_change() {
    let Some(device) = device() else { return };
    let refused = Gpu::of(planned(&network()), device.clone(), 0..100, Forced::default()).err().unwrap();
    assert!(refused.contains("cannot change the weights from exc to exc"), "{refused}");
}
