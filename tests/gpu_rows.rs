//! Rows of synapses on the device: the bytes that kernels write are those that the host writes, for every rule and any number
//! of shards; drawn again at every spike they give the same spikes; and so does a network that is cut into slices.
#![cfg(feature = "gpu")]

mod common;

use std::sync::Arc;

use synfire::base::rng::Stream;
use synfire::engine::cpu::Cpu;
use synfire::engine::gpu::{Device, Forced, Gpu};
use synfire::plan::{Harvest, Plan, Spike, plan};

use common::{device, network_of};

fn made(text: &str) -> Arc<Plan> {
    Arc::new(plan(&network_of(text)).unwrap_or_else(|e| panic!("{e}\n{text}")))
}

/// Rules, and whether their rows may be drawn at every spike.
const RULES: [(&str, bool); 13] = [
    ("rule = \"fixed_in_degree\"\nin_degree = 40\nallow_autapses = true", true),
    ("rule = \"fixed_in_degree\"\nin_degree = 40\nallow_autapses = false", true),
    ("rule = \"fixed_in_degree\"\nin_degree = 40\nallow_multapses = false", false),
    ("rule = \"fixed_out_degree\"\nout_degree = 41\nallow_autapses = false", true),
    ("rule = \"fixed_out_degree\"\nout_degree = 40\nallow_autapses = false\nallow_multapses = false", true),
    ("rule = \"fixed_total_number\"\ncount = 9000", true),
    ("rule = \"fixed_total_number\"\ncount = 9000\nallow_autapses = false\nallow_multapses = false", true),
    ("rule = \"fixed_probability\"\np = 0.1\nallow_autapses = false", true),
    ("rule = \"fixed_probability\"\np = 0.7", true),
    ("rule = \"fixed_probability\"\np = 1.0\nallow_autapses = false", true),
    ("rule = \"all_to_all\"", true),
    ("rule = \"one_to_one\"", true),
    ("rule = \"one_to_one\"\nallow_autapses = false", true),
];

const LAWS: [(&str, &str); 4] = [
    ("0.3*J", "1.5 ms"),
    ("normal(0.3*J, J)", "redraw(normal(1.5 ms, 0.7 ms), dt, inf)"),
    ("J*lognormal(-0.5, 0.4)", "1 ms"),
    ("-J", "uniform(0.5 ms, 3 ms)"),
];

fn scene(rule: &str, storage: &str, (weight, delay): (&str, &str)) -> String {
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
initial.V_m = "uniform(-70 mV, -55 mV)"
[populations.inh]
like = "exc"
size = 100
[[projections]]
from = "exc[50..350]"
to = "exc[20..320]"
{rule}
weight = "{weight}"
delay = "{delay}"
storage = "{storage}"
[[projections]]
from = "inh"
to = ["exc", "inh"]
rule = "fixed_probability"
p = 0.1
weight = "-5*J"
delay = "uniform(0.5 ms, 3 ms)"
[[stimuli]]
kind = "poisson"
to = ["exc", "inh"]
rate = "6 kHz"
weight = "J"
"#
    )
}

#[test]
fn the_device_builds_the_bytes_that_the_host_builds() {
    let Some(device) = device() else { return };
    for (i, (rule, _)) in RULES.iter().enumerate() {
        for (binding, group) in [(None, 64), (Some(40_000), 128)] {
            let laws = LAWS[(i + usize::from(group == 128)) % 4];
            let plan = made(&scene(rule, "stored", laws));
            let built = |host| {
                let forced = Forced { binding, host, group: Some(group), ..Forced::default() };
                Gpu::new(plan.clone(), device.clone(), forced).unwrap_or_else(|e| panic!("{rule}: {e}")).built().unwrap()
            };
            let (here, there) = (built(true), built(false));
            assert!(here.len() > 1 || binding.is_none(), "{rule}: one shard");
            let synapses: usize = here.iter().map(|s| s[1].len()).sum();
            assert!(synapses > 5000, "{rule}: {synapses} synapses");
            assert!(here == there, "{rule} {laws:?} in {} shards", here.len());
        }
    }
}

fn same(a: &Harvest, b: &Harvest, what: &str) {
    assert!(a.spikes.len() > 100, "{what}: {} spikes", a.spikes.len());
    assert!(a.spikes == b.spikes, "{what}: {} and {} spikes", a.spikes.len(), b.spikes.len());
    assert_eq!(a.events, b.events, "{what}");
}

#[test]
fn rows_drawn_at_every_spike_give_the_spikes_of_stored_rows() {
    let Some(device) = device() else { return };
    for (i, (rule, _)) in RULES.iter().enumerate().filter(|(_, r)| r.1) {
        let laws = LAWS[i % 4];
        let expected = Cpu::new(made(&scene(rule, "stored", laws))).unwrap().advance(250).unwrap();
        let drawn = made(&scene(rule, "procedural", laws));
        let forced = if i % 2 == 0 { Forced::default() } else { Forced { binding: Some(30_000), ..Forced::default() } };
        let mut gpu = Gpu::new(drawn, device.clone(), forced).unwrap();
        same(&expected, &gpu.advance(250).unwrap(), rule);
    }
}

/// Slices of one network that exchange their spikes after every shortest delay.
fn in_slices(plan: &Arc<Plan>, device: &Arc<Device>, slices: u32, steps: u64) -> Harvest {
    let cut = |i: u32| plan.neurons * i / slices;
    let slice = |i: u32| Gpu::of(plan.clone(), device.clone(), cut(i)..cut(i + 1), Forced::default()).unwrap();
    let mut engines: Vec<Gpu> = (0..slices).map(slice).collect();
    let mut all = Harvest { from: 0, to: steps, ..Harvest::default() };
    for step in (0..steps).step_by(5) {
        let parts: Vec<Harvest> = engines.iter_mut().map(|e| e.advance(5.min(steps - step)).unwrap()).collect();
        let mut spikes: Vec<Spike> = parts.iter().flat_map(|p| p.spikes.iter().copied()).collect();
        spikes.sort_unstable();
        engines.iter_mut().for_each(|e| e.accept(&spikes).unwrap());
        all.spikes.extend(spikes);
    }
    all
}

#[test]
fn pretended_ranks_give_the_spikes_of_one() {
    let Some(device) = device() else { return };
    for storage in ["stored", "procedural"] {
        let plan = made(&scene(RULES[1].0, storage, LAWS[1]).replace("dt, inf", "5*dt, inf"));
        let one = Gpu::new(plan.clone(), device.clone(), Forced::default()).unwrap().advance(200).unwrap();
        assert!(one.spikes.len() > 250);
        for slices in [1, 2, 3] {
            assert!(one.spikes == in_slices(&plan, device, slices, 200).spikes, "{slices} slices, {storage}");
        }
        let mut slice = Gpu::of(plan.clone(), device.clone(), 0..100, Forced::default()).unwrap();
        assert!(slice.advance(6).unwrap_err().contains("at most 5 steps"));
        slice.advance(5).unwrap();
        slice.advance(5).unwrap();
        assert!(slice.accept(&[Spike { step: 5, neuron: 300 }]).unwrap_err().contains("too late"));
    }
}

/// Rows of some hundred and some thousand synapses: one work item holds at most 256 of a row on hardware, 1024 on a processor.
fn long_rows(storage: &str) -> String {
    let far = format!(
        "[populations.far]\nlike = \"exc\"\nsize = 2600\n[[projections]]\nfrom = \"exc\"\nto = \"far\"\nrule = \"all_to_all\"\n\
         weight = \"normal(0.3*J, J)\"\ndelay = \"uniform(0.5 ms, 3 ms)\"\nstorage = \"{storage}\"\n"
    );
    scene(RULES[7].0, storage, LAWS[1]) + &far
}

#[test]
fn any_size_of_workgroups_and_of_work_items_gives_the_same_bits() {
    let Some(device) = device() else { return };
    for storage in ["stored", "procedural"] {
        let plan = made(&long_rows(storage));
        let expected = Cpu::new(plan.clone()).unwrap().advance(300).unwrap();
        for group in [None, Some(64), Some(128), Some(256)] {
            let mut gpu = Gpu::new(plan.clone(), device.clone(), Forced { group, ..Forced::default() }).unwrap();
            same(&expected, &gpu.advance(300).unwrap(), &format!("{storage} {group:?}"));
        }
    }
}

/// A network of random rules, laws, parts, stimuli and storage.
fn random_scene(number: u32) -> String {
    let stream = Stream::new(11, [7, number]);
    let mut count = 0;
    let mut below = |n: u32| {
        count += 1;
        stream.block([count, 0, 0, 0])[0] % n
    };
    let mut text = format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = {number}\n[parameters]\nJ = \"60 pA\"\n");
    let models = ["iaf_psc_exp", "iaf_psc_alpha", "iaf_psc_exp"];
    for (i, model) in models.iter().enumerate() {
        let size = 101 + below(200);
        text += &format!("[populations.p{i}]\nmodel = \"{model}\"\nsize = {size}\ninitial.V_m = \"uniform(-70 mV, -55 mV)\"\n");
        text += &format!("[[stimuli]]\nkind = \"poisson\"\nto = \"p{i}\"\nrate = \"{} kHz\"\nweight = \"J\"\n", 5 + below(4));
    }
    for _ in 0..5 + below(3) {
        let (rule, drawn) = loop {
            let rule = RULES[below(13) as usize];
            if !rule.0.contains("one_to_one") {
                break rule;
            }
        };
        let (_, delay) = LAWS[below(4) as usize];
        let weight = ["0.2*J", "normal(0*J, 0.5*J)", "-0.7*J", "uniform(-J, 1.2*J)", "J*lognormal(-1, 0.5)"][below(5) as usize];
        let storage = if drawn && below(2) == 0 { "procedural" } else { "stored" };
        let (from, to) = (below(3), below(3));
        let part = |p: u32, range: u32| if range < 2 { format!("p{p}") } else { format!("p{p}[{range}..101]") };
        text += &format!(
            "[[projections]]\nfrom = \"{}\"\nto = \"{}\"\n{rule}\nweight = \"{weight}\"\ndelay = \"{delay}\"\nstorage = \"{storage}\"\n",
            part(from, 0),
            part(to, below(20)),
        );
    }
    text
}

#[test]
fn random_networks_give_the_same_bits_on_both_engines() {
    let Some(device) = device() else { return };
    let mut spikes = 0;
    for number in 0..12 {
        let text = random_scene(number);
        let plan = made(&text);
        let (mut cpu, forced) =
            (Cpu::new(plan.clone()).unwrap(), Forced { binding: [None, Some(60_000)][number as usize % 2], ..Forced::default() });
        let mut gpu = Gpu::new(plan.clone(), device.clone(), forced).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let (a, b) = (cpu.advance(200).unwrap(), gpu.advance(200).unwrap());
        assert!(a == b, "network {number}: {} and {} spikes\n{text}", a.spikes.len(), b.spikes.len());
        assert!(cpu.save() == gpu.save().unwrap(), "network {number}: states differ\n{text}");
        spikes += a.spikes.len();
    }
    assert!(spikes > 3000, "only {spikes} spikes");
}
