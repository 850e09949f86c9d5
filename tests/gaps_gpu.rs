//! Gap junctions on the GPU engine: the bits of the CPU engine in spikes, samples and states, whatever the shards and the workgroups;
//! checkpoints from one engine to the other, pokes, edits, the scene, and what cannot be.
#![cfg(feature = "gpu")]

mod common;

use std::sync::Arc;

use common::coupled::network;
use common::learning::gpu_machine;
use common::{advance, cpu, device, network_of, origin, planned, start};
use synfire::engine::cpu::Cpu;
use synfire::engine::gpu::{Forced, Gpu};
use synfire::network::{Gap, Part, Rule, Synapse, Which};
use synfire::plan::{Harvest, Plan, State, plan};
use synfire::session::{Command, Machine};

/// Cells of one, of two and of many variables, coupled by two variables over two inputs, within shards and across them, beside all
/// kinds of currents into the same inputs and synapses that learn; and listed pairs of their own conductances.
fn wide() -> Arc<Plan> {
    let text = r#"
format = 1
[run]
dt = "0.1 ms"
duration = "1 s"
seed = 5
[models.twin]
equations = """
dV_m/dt = (E_L - V_m)/tau_m + (I_V + I_syn)/C_m
dW/dt = (V_m - W)/tau_W + I_W/C_m
dI_syn/dt = -I_syn/tau_syn
"""
threshold = "V_m >= V_th"
reset = "V_m = V_reset"
refractory = { period = "t_ref", clamp = ["V_m"] }
parameters = { E_L = "-70 mV", tau_m = "12 ms", tau_W = "30 ms", C_m = "200 pF", tau_syn = "2 ms", V_th = "-55 mV", V_reset = "-68 mV", t_ref = "1 ms" }
state = { V_m = "E_L", W = "E_L", I_syn = "0 pA" }
receptors = { exc = "I_syn += w" }
inputs = { I_V = "pA", I_W = "pA" }
[populations.a]
model = "iaf_psc_exp"
size = 500
initial.V_m = "uniform(-70 mV, -56 mV)"
parameters.I_e = "uniform(300 pA, 500 pA)"
[populations.c]
model = "twin"
size = 300
initial.V_m = "uniform(-70 mV, -56 mV)"
[populations.hh]
model = "hh_psc_alpha_gap"
size = 20
parameters.I_e = "100 pA"
[[gap_junctions]]
from = "a[0..200]"
to = "a[0..200]"
rule = "fixed_probability"
p = 0.05
conductance = "0.5 nS"
[[gap_junctions]]
from = "c[0..150]"
to = "c[150..300]"
rule = "one_to_one"
conductance = "3 nS"
variable = "W"
input = "I_W"
[[gap_junctions]]
from = "c"
to = "c"
rule = "fixed_probability"
p = 0.03
conductance = "0.7 nS"
variable = "V_m"
input = "I_V"
[populations.ad]
model = "aeif_cond_exp"
size = 30
parameters.I_e = "uniform(500 pA, 900 pA)"
[[gap_junctions]]
from = "ad"
to = "ad"
rule = "fixed_probability"
p = 0.2
conductance = "2 nS"
[[gap_junctions]]
from = "a[every 25]"
to = "hh"
conductance = "0.2 nS"
[[projections]]
from = "a"
to = "c"
rule = "fixed_probability"
p = 0.1
weight = "uniform(20 pA, 60 pA)"
delay = "uniform(0.1 ms, 3 ms)"
[[projections]]
from = "a"
to = "a"
rule = "fixed_probability"
p = 0.05
weight = "uniform(0 pA, 40 pA)"
delay = "1.5 ms"
synapse = "stdp_pair"
w_max = "50 pA"
[[stimuli]]
kind = "current"
to = "a[0..150]"
amplitude = "50 pA"
start = "10 ms"
stop = "40 ms"
[[stimuli]]
kind = "noise"
to = "a[100..300]"
mean = "10 pA"
sd = "80 pA"
[[stimuli]]
kind = "poisson"
to = ["a", "c"]
rate = "4 kHz"
weight = "40 pA"
[[probes]]
record = "V_m"
of = "a[190..205]"
every = "0.5 ms"
[[probes]]
record = "W"
of = "c[140..160]"
every = "1 ms"
[[probes]]
record = "V_m"
of = "hh[3..5]"
every = "0.1 ms"
"#;
    let mut network = network_of(text);
    let part = |population, start| Part { population, which: Which::Range { start, len: 20 } };
    let listed = |k: u32| Synapse { source: k % 20, target: (k * k + 3) % 20, weight: Some(0.1 * f64::from(k + 1)), delay: None };
    let rule = Rule::List((0..20).map(listed).collect::<Vec<_>>().into());
    let sides = network.gaps[4].sides;
    network.gaps.push(Gap { from: part(0, 480), to: part(2, 0), rule, conductance: 0.0, sides });
    Arc::new(plan(&network).unwrap())
}

fn on_cpu(plan: &Arc<Plan>, steps: u64) -> (Harvest, State) {
    let mut cpu = Cpu::new(plan.clone()).unwrap();
    (cpu.advance(steps).unwrap(), cpu.save())
}

fn same(what: &str, expected: &(Harvest, State), found: &(Harvest, State)) {
    for (p, (a, b)) in expected.1.values.iter().zip(&found.1.values).enumerate() {
        for (v, (a, b)) in a.iter().zip(b).enumerate() {
            let different = a.iter().zip(b).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
            assert!(different == 0, "{what}: {different} of {} values of variable {v} of population {p} differ", a.len());
        }
    }
    assert!(expected.0.spikes == found.0.spikes, "{what}: {} and {} spikes", expected.0.spikes.len(), found.0.spikes.len());
    assert!(expected == found, "{what}: samples, events, inputs or weights differ");
}

#[test]
fn coupled_cells_give_the_same_bits_whatever_the_shards_and_the_workgroups() {
    let Some(device) = device() else { return };
    for (plan, steps, least) in [(planned(&network()), 600, 100), (wide(), 150, 400)] {
        let expected = on_cpu(&plan, steps);
        assert!(expected.0.spikes.len() > least, "{} spikes", expected.0.spikes.len());
        for forced in [
            Forced::default(),
            Forced { batch: Some(7), group: Some(32), ..Forced::default() },
            Forced { binding: Some(60_000), ..Forced::default() },
            Forced { host: true, group: Some(128), wide: Some(2), ..Forced::default() },
        ] {
            let mut gpu = Gpu::new(plan.clone(), device.clone(), forced).unwrap();
            let (batch, shards) = gpu.shape();
            assert!(batch == 1 && (forced.binding.is_none() || least < 500 || shards > 3), "batch {batch}, {shards} shards");
            let harvest = gpu.advance(steps).unwrap();
            same(&format!("{forced:?}, {shards} shards"), &expected, &(harvest, gpu.save().unwrap()));
        }
    }
}

#[test]
fn a_submission_may_end_after_an_odd_step() {
    let Some(device) = device() else { return };
    let plan = planned(&network());
    let expected = on_cpu(&plan, 1500);
    let mut gpu = Gpu::new(plan.clone(), device.clone(), Forced::default()).unwrap();
    let mut harvest = Harvest { to: 1500, ..Harvest::default() };
    for steps in [1, 2, 3, 1025, 7, 462] {
        let part = gpu.advance(steps).unwrap();
        harvest.spikes.extend(part.spikes);
        harvest.samples.extend(part.samples);
        harvest.events += part.events;
        if steps == 7 {
            // Going on from what was saved, after an even number of steps, is going on.
            let state = gpu.save().unwrap();
            gpu = Gpu::new(plan.clone(), device.clone(), Forced::default()).unwrap();
            gpu.restore(&state);
        }
    }
    same("in parts", &expected, &(harvest, gpu.save().unwrap()));
}

#[test]
fn states_cross_from_one_engine_to_the_other_and_edits_and_pokes_give_the_same_bits() {
    let Some(gpu) = gpu_machine() else { return };
    let cpu = cpu();
    // Each stretch on the engine that is told, from the state in which the one before has left the network.
    let run = |machines: [&Machine; 4]| {
        let mut spikes = Vec::new();
        let mut state: Option<State> = None;
        let mut g = "0.4 nS";
        for (machine, next) in machines.into_iter().zip(["3 nS", "0 nS", "1 nS", "6 nS"]) {
            let mut simulation = start(origin(&network(), None, &[("g", g)]), machine, state.as_ref());
            spikes.extend(advance(&mut simulation, 151, 70).spikes);
            simulation.apply(Command::Set { address: "g".into(), value: next.into() }).unwrap();
            spikes.extend(advance(&mut simulation, 150, 150).spikes);
            let (population, variable) = ("a".into(), "V_m".into());
            simulation.apply(Command::Poke { population, neurons: vec![[3, 9], [40, 50]], variable, add: "4 mV".into() }).unwrap();
            spikes.extend(advance(&mut simulation, 150, 150).spikes);
            (state, g) = (Some(simulation.save().unwrap()), next);
        }
        (spikes, state)
    };
    let expected = run([&cpu, &cpu, &cpu, &cpu]);
    assert!(expected.0.len() > 300, "{} spikes", expected.0.len());
    for machines in [[gpu, gpu, gpu, gpu], [&cpu, gpu, &cpu, gpu], [gpu, &cpu, gpu, &cpu]] {
        let found = run(machines);
        assert!(expected.0 == found.0, "spikes differ");
        assert!(expected.1 == found.1, "states differ");
    }
}

#[test]
fn each_junction_matters_on_the_device() {
    let Some(device) = device() else { return };
    let spikes = |text: &str| Gpu::new(planned(text), device.clone(), Forced::default()).unwrap().advance(1000).unwrap().spikes;
    let expected = spikes(&network());
    for gone in ["conductance = \"g\"", "conductance = \"2 nS\"", "conductance = \"0.3 nS\"", "conductance = \"0.5 nS\""] {
        assert!(spikes(&network().replace(gone, "conductance = \"0 nS\"")) != expected, "{gone}");
    }
}

#[test]
fn the_scene_of_two_coupled_cells_is_the_same_on_both_engines() {
    let Some(gpu) = gpu_machine() else { return };
    let text = synfire::scene::shipped().iter().find(|(name, _)| *name == "two_cell_gap").unwrap().1;
    let run = |machine: &Machine| {
        let mut simulation = start(origin(text, None, &[]), machine, None);
        (advance(&mut simulation, 5000, 1000), simulation.save().unwrap())
    };
    assert!(run(&cpu()) == run(gpu));
}

#[test]
fn what_cannot_be_is_told_with_a_remedy() {
    let Some(device) = device() else { return };
    let plan = planned(&network());
    let told = Gpu::of(plan.clone(), device.clone(), 0..60, Forced::default()).err().unwrap();
    assert!(told.contains("such a network is stepped whole"), "{told}");
    let told = Gpu::new(plan, device.clone(), Forced { binding: Some(300), ..Forced::default() }).err().unwrap();
    assert!(told.contains("--backend cpu") || told.contains("this device binds"), "{told}");
}
