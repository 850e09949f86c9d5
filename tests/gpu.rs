//! CPU = GPU, bit for bit: spikes, samples, state; whatever the batch, the shards, the lists. A machine without an adapter
//! skips these tests aloud, unless CI says that it must have one.
#![cfg(feature = "gpu")]

mod common;

use std::sync::Arc;

use common::{device, network_of};
use synfire::engine::cpu::Cpu;
use synfire::engine::gpu::{Device, Forced, Gpu};
use synfire::network::Network;
use synfire::plan::{Harvest, Plan, plan};

fn on_cpu(plan: &Arc<Plan>, steps: u64) -> (Harvest, Vec<Vec<f32>>) {
    let mut cpu = Cpu::new(plan.clone()).unwrap();
    let harvest = cpu.advance(steps).unwrap();
    let states = each_state(plan).map(|(p, v)| cpu.state(p, v).to_vec()).collect();
    (harvest, states)
}

fn on_gpu(plan: &Arc<Plan>, device: &Arc<Device>, steps: u64, forced: Forced) -> (Harvest, Vec<Vec<f32>>) {
    let mut gpu = Gpu::new(plan.clone(), device.clone(), forced).unwrap();
    let harvest = gpu.advance(steps).unwrap();
    let states = each_state(plan).map(|(p, v)| gpu.state(p, v).unwrap()).collect();
    (harvest, states)
}

fn each_state(plan: &Plan) -> impl Iterator<Item = (usize, usize)> {
    plan.populations.iter().enumerate().flat_map(|(p, population)| (0..population.states.len()).map(move |v| (p, v)))
}

/// Runs both engines and demands the same spikes, samples and states.
fn agree(network: &Network, steps: u64, least: usize, forced: Forced) {
    let Some(device) = device() else { return };
    let plan = Arc::new(plan(network).unwrap());
    let (expected, states) = on_cpu(&plan, steps);
    assert!(expected.spikes.len() >= least, "only {} spikes", expected.spikes.len());
    let (found, others) = on_gpu(&plan, device, steps, forced);
    let first = expected.spikes.iter().zip(&found.spikes).position(|(a, b)| a != b);
    assert!(
        first.is_none() && expected.spikes.len() == found.spikes.len(),
        "{} and {} spikes, first difference {first:?}",
        expected.spikes.len(),
        found.spikes.len()
    );
    assert_eq!(expected.events, found.events);
    assert!(expected.samples == found.samples, "samples differ");
    for ((p, v), (a, b)) in each_state(&plan).zip(states.iter().zip(&others)) {
        let different = a.iter().zip(b).filter(|(a, b)| a != b).count();
        assert!(
            different == 0 && a.len() == b.len(),
            "{} of {}: {different} differ",
            plan.populations[p].states[v],
            plan.populations[p].name
        );
    }
}

const NETWORK: &str = r#"format = 1
[run]
dt = "0.1 ms"
duration = "1 s"
seed = 3
[populations.exc]
model = "iaf_psc_exp"
size = 400
initial.V_m = "uniform(-70 mV, -55 mV)"
parameters.E_L = "normal(-60 mV, 2 mV)"
[populations.inh]
like = "exc"
size = 100
[[projections]]
from = "exc"
to = ["exc", "inh"]
rule = "fixed_in_degree"
in_degree = 40
weight = "redraw(normal(60 pA, 10 pA), 0, inf)"
delay = "redraw(normal(1.5 ms, 0.4 ms), 0.5 ms, inf)"
[[projections]]
from = "inh"
to = ["exc", "inh"]
rule = "fixed_probability"
p = 0.1
weight = "-300 pA"
delay = "uniform(0.5 ms, 3 ms)"
[[stimuli]]
kind = "poisson"
to = ["exc", "inh"]
rate = "4 kHz"
weight = "50 pA"
[[probes]]
record = "spikes"
of = "exc"
[[probes]]
record = "V_m"
of = "exc[10..30]"
every = "0.7 ms"
"#;

#[test]
fn a_balanced_network_gives_the_same_bits() {
    agree(&network_of(NETWORK), 2000, 500, Forced::default());
}

#[test]
fn batches_shards_and_grids_change_nothing() {
    let network = network_of(NETWORK);
    for forced in [
        Forced { batch: Some(1), ..Forced::default() },
        Forced { batch: Some(3), grid: Some(3), ..Forced::default() },
        Forced { binding: Some(40_000), ..Forced::default() },
        // More workgroups than go in one dimension.
        Forced { wide: Some(3), ..Forced::default() },
        Forced { wide: Some(1), batch: Some(2), ..Forced::default() },
    ] {
        agree(&network, 1000, 250, forced);
    }
}

/// The network of the self-test: every built-in model, every random rule, each kind of input.
fn every_model() -> Network {
    network_of(include_str!("../src/session/selftest.toml"))
}

#[test]
fn every_model_gives_the_same_bits() {
    agree(&every_model(), 1000, 5000, Forced::default());
    agree(&every_model(), 300, 1000, Forced { binding: Some(60_000), batch: Some(2), ..Forced::default() });
}

#[test]
fn shards_are_cut_where_a_binding_would_be_too_large() {
    let Some(device) = device() else { return };
    let plan = Arc::new(plan(&network_of(NETWORK)).unwrap());
    let shards =
        |binding| Gpu::new(plan.clone(), device.clone(), Forced { binding: Some(binding), ..Forced::default() }).map(|gpu| gpu.shape().1);
    assert_eq!(shards(1 << 27).unwrap(), 1);
    assert!(shards(40_000).unwrap() >= 5);
    let refused = shards(150).unwrap_err();
    assert!(refused.contains("--backend cpu"), "{refused}");
}

#[test]
fn a_device_with_the_limits_of_webgpu_and_no_more_gives_the_same_bits() {
    if device().is_none() {
        return;
    }
    let modest = Arc::new(Device::modest().unwrap());
    let plan = Arc::new(plan(&every_model()).unwrap());
    let (expected, found) = (on_cpu(&plan, 300), on_gpu(&plan, &modest, 300, Forced::default()));
    assert!(expected == found && expected.0.spikes.len() > 1000);
}

#[test]
fn what_a_device_refuses_is_a_sentence_and_the_device_lives_on() {
    let Some(device) = device() else { return };
    let too_large = wgpu::BufferDescriptor { label: None, size: 1 << 45, usage: wgpu::BufferUsages::STORAGE, mapped_at_creation: false };
    let refused = device.guarded(|| Ok(device.device.create_buffer(&too_large))).unwrap_err();
    assert!(refused.contains("--backend cpu"), "{refused}");
    agree(&network_of(NETWORK), 100, 10, Forced::default());
}

#[test]
fn a_lost_device_is_told_of_and_never_panics() {
    if device().is_none() {
        return;
    }
    let lost = Arc::new(Device::open(None).unwrap());
    let plan = Arc::new(plan(&network_of(NETWORK)).unwrap());
    let mut gpu = Gpu::new(plan.clone(), lost.clone(), Forced::default()).unwrap();
    gpu.advance(20).unwrap();
    lost.device.destroy();
    for told in [gpu.advance(20).err(), gpu.save().err(), Gpu::new(plan, lost, Forced::default()).err()] {
        let told = told.unwrap();
        assert!(told.contains("was lost") && told.contains("--backend cpu"), "{told}");
    }
}

#[test]
fn an_error_that_nobody_asked_for_is_told_of_and_never_panics() {
    if device().is_none() {
        return;
    }
    let device = Arc::new(Device::open(None).unwrap());
    let plan = Arc::new(plan(&network_of(NETWORK)).unwrap());
    let mut gpu = Gpu::new(plan, device.clone(), Forced::default()).unwrap();
    let _ = device.device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 1 << 45,
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    });
    assert!(gpu.advance(20).unwrap_err().contains("reported an error"));
}

#[test]
fn a_list_of_one_entry_reports_the_exact_loss() {
    let Some(device) = device() else { return };
    let plan = Arc::new(plan(&network_of(NETWORK)).unwrap());
    let spikes = on_cpu(&plan, 256).0.spikes.len();
    let told = |forced| Gpu::new(plan.clone(), device.clone(), forced).unwrap().advance(256).unwrap_err();
    // The log loses all but one; what is lost is still delivered.
    let log = told(Forced { log: Some(1), ..Forced::default() });
    assert!(log.contains(&format!("0 work items and {} logged spikes", spikes - 1)), "{spikes}: {log}");
    let work = told(Forced { work: Some(1), ..Forced::default() });
    assert!(work.contains("work items") && !work.contains(" 0 work items"), "{work}");
}

#[test]
fn a_state_that_is_no_number_is_named() {
    let Some(device) = device() else { return };
    let text = r#"format = 1
[run]
dt = "0.1 ms"
duration = "10 ms"
[models.bad]
equations = "dx/dt = x*x/ms"
method = "euler"
threshold = "x < 0"
[models.bad.state]
x = "1"
[populations.p]
model = "bad"
size = 3
initial.x = "50"
"#;
    let plan = Arc::new(plan(&network_of(text)).unwrap());
    let here = Gpu::new(plan.clone(), device.clone(), Forced::default()).unwrap().advance(100).unwrap_err();
    assert!(here.contains("x of p[0] is no finite number"), "{here}");
    assert!(Cpu::new(plan.clone()).unwrap().advance(100).unwrap_err().contains("x of p[0]"));
}
