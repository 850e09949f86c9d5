//! The engine through the library: wiring read back from spikes, repeatability, no privileged models, exact refractoriness.

mod common;

use std::sync::Arc;

use common::network_of;
use synfire::base::problem::Source;
use synfire::engine::cpu::{Cpu, Setup};
use synfire::network::Network;
use synfire::plan::{DriveKind, Plan, Sample, Spike, State, connections, plan};

fn spikes(network: &Network, steps: u64, batch: u64) -> Vec<Spike> {
    let plan = std::sync::Arc::new(plan(network).unwrap());
    let mut engine = Cpu::new(plan.clone()).unwrap();
    let mut out = Vec::new();
    while engine.step() < steps {
        out.extend(engine.advance(batch.min(steps - engine.step())).unwrap().spikes);
    }
    out
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
delay = "redraw(normal(1.5 ms, 0.7 ms), dt, inf)"
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
"#;

#[test]
fn spikes_do_not_depend_on_batches_or_threads() {
    let network = network_of(NETWORK);
    let one = spikes(&network, 2000, 2000);
    assert!(one.len() > 500, "only {} spikes", one.len());
    assert!(one.is_sorted());
    assert_eq!(one, spikes(&network, 2000, 7));
    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one, single.install(|| spikes(&network, 2000, 2000)));
    let mut other = network.clone();
    other.seed = 4;
    assert_ne!(one, spikes(&other, 2000, 2000));
}

/// Everything that a run gives, from an engine of so many threads and steps a batch, called for `call` steps at a time.
fn harvest(network: &Network, setup: Setup, steps: u64, call: u64) -> (Vec<Spike>, Vec<Sample>, u64, State) {
    let mut engine = Cpu::with(Arc::new(plan(network).unwrap()), setup).unwrap();
    let (mut spikes, mut samples, mut events) = (Vec::new(), Vec::new(), 0);
    while engine.step() < steps {
        let harvest = engine.advance(call.min(steps - engine.step())).unwrap();
        spikes.extend(harvest.spikes);
        samples.extend(harvest.samples);
        events += harvest.events;
    }
    (spikes, samples, events, engine.save())
}

/// Delays from 0.7 ms on, so that up to seven steps can be taken at once; currents that change within a batch, parts of
/// populations driven and probed, a population too small to be shared.
const BATCHES: &str = r#"format = 1
[run]
dt = "0.1 ms"
duration = "1 s"
seed = 5
[populations.exc]
model = "iaf_psc_exp"
size = 700
initial.V_m = "uniform(-70 mV, -55 mV)"
parameters.E_L = "normal(-60 mV, 2 mV)"
[populations.few]
model = "iaf_psc_delta"
size = 20
[populations.inh]
model = "iaf_psc_exp"
size = 333
[[projections]]
from = "exc"
to = ["exc", "inh"]
rule = "fixed_in_degree"
in_degree = 60
weight = "40 pA"
delay = "redraw(normal(1.5 ms, 0.7 ms), 0.7 ms, inf)"
[[projections]]
from = "inh"
to = ["inh", "exc"]
rule = "fixed_probability"
p = 0.1
weight = "normal(-200 pA, 150 pA)"
delay = "0.8 ms"
[[projections]]
from = "exc"
to = "few"
rule = "fixed_out_degree"
out_degree = 3
weight = "1 mV"
delay = "uniform(1 ms, 2 ms)"
[[stimuli]]
kind = "poisson"
to = ["exc[every 3]", "inh"]
rate = "6 kHz"
weight = "60 pA"
start = "3.3 ms"
[[stimuli]]
kind = "sine"
to = "exc[100..600]"
amplitude = "200 pA"
offset = "100 pA"
frequency = "40 Hz"
[[stimuli]]
kind = "noise"
to = "inh[every 2]"
mean = "50 pA"
sd = "100 pA"
every = "0.3 ms"
[[probes]]
record = "V_m"
of = "exc[every 7]"
every = "0.3 ms"
[[probes]]
record = "V_m"
of = "few"
every = "0.1 ms"
"#;

#[test]
fn any_number_of_threads_and_any_batch_give_the_same_run() {
    for text in
        [BATCHES.to_string(), BATCHES.replace("rule = \"fixed_out_degree\"", "rule = \"fixed_out_degree\"\nstorage = \"procedural\"")]
    {
        let network = network_of(&text);
        let one = harvest(&network, Setup { threads: Some(1), batch: Some(1) }, 1500, 1500);
        assert!(one.0.len() > 2000 && one.0.is_sorted(), "{} spikes", one.0.len());
        assert!(one.1.iter().filter(|s| s.probe == 0).all(|s| s.values.len() == 100));
        assert!(one.0.iter().any(|s| (700..720).contains(&s.neuron)));
        for (threads, batch, call) in [(1, 7, 1500), (1, 5, 1500), (2, 1, 1500), (2, 7, 11), (3, 4, 250), (5, 7, 1500)] {
            let setup = Setup { threads: Some(threads), batch: Some(batch) };
            assert!(one == harvest(&network, setup, 1500, call), "{threads} threads, batches of {batch}, calls of {call}");
        }
    }
}

/// Synapses that meet at one target by chance, more than the plan allows for, must not wrap a sum round in silence.
#[test]
fn inputs_that_could_overflow_are_refused_when_the_rows_are_built() {
    let network = network_of(NETWORK);
    let too_heavy = |plan: &mut Plan| {
        let DriveKind::Poisson { weight, .. } = &mut plan.drives[0].kind else { panic!() };
        *weight = i32::MAX / 3;
    };
    for what in ["a stored weight", "a constant weight", "a drive", "an edit", "an edited drive"] {
        let mut plan = plan(&network).unwrap();
        match what {
            "a stored weight" => plan.projections[0].weight.shift += 8,
            "a constant weight" => plan.projections[2].weight.shift += 8,
            "a drive" => too_heavy(&mut plan),
            _ => {
                let mut engine = Cpu::new(Arc::new(synfire::plan::plan(&network).unwrap())).unwrap();
                let mut twin = Cpu::new(Arc::new(synfire::plan::plan(&network).unwrap())).unwrap();
                engine.advance(300).unwrap();
                twin.advance(300).unwrap();
                match what {
                    "an edit" => plan.projections[2].weight.shift += 8,
                    _ => too_heavy(&mut plan),
                }
                assert!(engine.adopt(Arc::new(plan)).unwrap_err().contains("do not fit its fixed-point scale"));
                assert_eq!(engine.advance(300).unwrap(), twin.advance(300).unwrap(), "a refused edit changes nothing");
                continue;
            }
        }
        let refused = Cpu::new(Arc::new(plan)).err().unwrap_or_default();
        assert!(refused.contains("do not fit its fixed-point scale"), "{what}: {refused}");
    }
    // Wholly within: the same plan as it is.
    assert!(Cpu::new(Arc::new(plan(&network).unwrap())).is_ok());
}

#[test]
fn mutants_of_a_network_give_other_spikes() {
    let base = spikes(&network_of(NETWORK), 2000, 100);
    for (from, to) in [
        ("-300 pA", "-330 pA"),
        ("in_degree = 40", "in_degree = 39"),
        ("normal(1.5 ms", "normal(1.6 ms"),
        ("in_degree = 40", "in_degree = 40\nallow_multapses = false"),
        ("size = 100", "size = 100\nparameters.t_ref = \"2.1 ms\""),
    ] {
        assert!(NETWORK.contains(from));
        assert_ne!(base, spikes(&network_of(&NETWORK.replacen(from, to, 1)), 2000, 100), "{to}");
    }
}

/// Neuron i fires at step i, its binary weights spell i; the outputs must read the step number back.
#[test]
fn a_decoder_network_reads_the_step_number_back() {
    let bits = 6;
    let n = 1u32 << bits;
    let mut csv = String::from("source,target,weight,delay_ms\n");
    for i in 0..n {
        (0..bits).filter(|b| i >> b & 1 == 1).for_each(|b| csv += &format!("{i},{b},100,0.{}\n", 1 + b));
    }
    let folder = std::env::temp_dir().join(format!("synfire-decoder-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("synapses.csv"), csv).unwrap();
    let mut text = format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"20 ms\"\n[populations.in]\nmodel = \"iaf_psc_delta\"\nsize = {n}\n\
         [populations.out]\nmodel = \"iaf_psc_delta\"\nsize = {bits}\nparameters.t_ref = \"0 ms\"\n\
         [[projections]]\nfrom = \"in\"\nto = \"out\"\nrule = \"list\"\nfile = \"synapses.csv\"\nweight = \"1 mV\"\ndelay = \"0.1 ms\"\n"
    );
    for i in 0..n {
        text += &format!(
            "[[stimuli]]\nkind = \"spikes\"\nto = \"in[{i}]\"\ntimes = [\"{}.{} ms\"]\nweight = \"100 mV\"\n",
            (i + 1) / 10,
            (i + 1) % 10
        );
    }
    let source = Arc::new(Source { name: "decoder.toml".into(), text });
    let network = synfire::scene::load(source, Some(&folder), &Default::default()).unwrap().network;
    let mut read = vec![0u32; n as usize];
    for spike in spikes(&network, 200, 200) {
        if spike.neuron >= n {
            let bit = spike.neuron - n;
            read[(spike.step - 1 - (1 + bit)) as usize] |= 1 << bit;
        }
    }
    assert_eq!(read, (0..n).collect::<Vec<_>>());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_delivered_event_is_an_exported_synapse() {
    let network = network_of(NETWORK);
    let plan = std::sync::Arc::new(plan(&network).unwrap());
    let mut out_degree = vec![0u64; plan.neurons as usize];
    for p in &plan.projections {
        connections(&plan, p, |c| out_degree[c.source as usize] += 1);
    }
    let harvest = Cpu::new(plan.clone()).unwrap().advance(1000).unwrap();
    assert_eq!(harvest.events, harvest.spikes.iter().map(|s| out_degree[s.neuron as usize]).sum::<u64>());
    assert!(harvest.events > 10_000);
}

#[test]
fn the_refractory_period_is_exact_in_steps() {
    let text = "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[populations.a]\nmodel = \"iaf_psc_delta\"\nsize = 1\n\
                parameters.t_ref = \"2 ms\"\nparameters.I_e = \"1 mA\"\n";
    let steps: Vec<u32> = spikes(&network_of(text), 100, 100).iter().map(|s| s.step).collect();
    assert_eq!(steps, [1, 22, 43, 64, 85]);
}

#[test]
fn drawn_time_constants_below_zero_are_refused_by_the_plan() {
    for law in ["parameters.tau_m = \"normal(1 ms, 5 ms)\"", "parameters.t_ref = \"uniform(-1 ms, 1 ms)\""] {
        let text =
            format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[populations.a]\nmodel = \"iaf_psc_exp\"\nsize = 50\n{law}\n");
        let told = plan(&network_of(&text)).err().unwrap().message;
        assert!(told.contains("neuron") && told.contains("redraw"), "{told}");
    }
}

#[test]
fn cells_that_cost_much_are_stepped_by_all_threads_and_few_cheap_ones_by_one() {
    let cells = |model: &str, size: u32| {
        let text = format!(
            "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[populations.a]\nmodel = \"{model}\"\nsize = {size}\n\
             [[projections]]\nfrom = \"a\"\nto = \"a\"\nrule = \"fixed_in_degree\"\nin_degree = 1\nreceptor = \"exc\"\nweight = \"{}\"\ndelay = \"0.1 ms\"\n",
            if model == "iaf_psc_exp" { "1 pA" } else { "1 nS" }
        );
        Cpu::new(common::planned(&text)).unwrap().threads()
    };
    let there = rayon::current_num_threads();
    assert_eq!(cells("hh_cond_exp_traub", 4000), there);
    assert_eq!(cells("iaf_psc_exp", 1000), 1);
    // The same number of cells is worth it or not by what their equations cost.
    assert!(there == 1 || cells("hh_cond_exp_traub", 1000) > cells("iaf_psc_exp", 1000));
}
