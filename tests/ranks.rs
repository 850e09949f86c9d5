//! Pretended ranks on the CPU engine: slices of one network that exchange their spikes give the run and the weights of one engine.

mod common;

use std::sync::Arc;

use common::planned;
use synfire::engine::cpu::{Cpu, Setup};
use synfire::plan::{Harvest, Plan, Spike};

/// Fixed, drawn again, short-term and plastic synapses, shortest delay 5 steps.
const NETWORK: &str = r#"format = 1
[run]
dt = "0.1 ms"
duration = "1 s"
seed = 5
[populations.exc]
model = "iaf_psc_exp"
size = 240
initial.V_m = "uniform(-70 mV, -55 mV)"
[populations.inh]
like = "exc"
size = 60
[[stimuli]]
kind = "poisson"
to = ["exc", "inh"]
receptor = "exc"
rate = "9 kHz"
weight = "60 pA"
[[projections]]
from = "exc"
to = "exc"
rule = "fixed_in_degree"
in_degree = 20
receptor = "exc"
weight = "normal(20 pA, 4 pA)"
delay = "uniform(0.5 ms, 3 ms)"
[[projections]]
from = "exc"
to = "inh"
rule = "fixed_total_number"
count = 1500
storage = "procedural"
receptor = "exc"
weight = "25 pA"
delay = "0.8 ms"
[[projections]]
from = "inh"
to = "exc"
rule = "fixed_probability"
p = 0.2
receptor = "inh"
weight = "-60 pA"
delay = "1 ms"
synapse = "tsodyks_markram"
[[projections]]
from = "exc"
to = "exc"
rule = "fixed_probability"
p = 0.1
receptor = "exc"
weight = "20 pA"
w_max = "40 pA"
delay = "1.5 ms"
synapse = "stdp_pair"
"#;

fn setup(threads: usize) -> Setup {
    Setup { threads: Some(threads), batch: None }
}

/// The run of slices that end at these neurons, and the sum of their plastic weights, each of which one of them has.
fn in_slices(plan: &Arc<Plan>, ends: &[u32], threads: usize, steps: u64) -> (Harvest, Vec<f32>) {
    let starts = [0].into_iter().chain(ends.iter().copied());
    let mut engines: Vec<Cpu> = starts.zip(ends).map(|(a, b)| Cpu::of(plan.clone(), a..*b, setup(threads)).unwrap()).collect();
    let mut all = Harvest { from: 0, to: steps, ..Harvest::default() };
    for _ in (0..steps).step_by(5) {
        let parts: Vec<Harvest> = engines.iter_mut().map(|e| e.advance(5).unwrap()).collect();
        let mut spikes: Vec<Spike> = parts.iter().flat_map(|p| p.spikes.iter().copied()).collect();
        spikes.sort_unstable();
        engines.iter_mut().for_each(|e| e.accept(&spikes).unwrap());
        all.spikes.extend(spikes);
        all.events += parts.iter().map(|p| p.events).sum::<u64>();
    }
    // What the last exchange brought is told by the next call.
    all.events += engines.iter_mut().map(|e| e.advance(0).unwrap().events).sum::<u64>();
    let mut weights = engines[0].weights(3).unwrap();
    for engine in &engines[1..] {
        weights.iter_mut().zip(engine.weights(3).unwrap()).for_each(|(sum, w)| *sum += w);
    }
    (all, weights)
}

#[test]
fn pretended_ranks_give_the_run_of_one() {
    let plan = planned(NETWORK);
    let mut whole = Cpu::with(plan.clone(), setup(1)).unwrap();
    let expected = whole.advance(2000).unwrap();
    assert!(expected.spikes.len() > 1000, "{} spikes", expected.spikes.len());
    let initial = Cpu::with(plan.clone(), setup(1)).unwrap().weights(3).unwrap();
    let weights = whole.weights(3).unwrap();
    assert!(weights.iter().zip(&initial).filter(|(a, b)| a != b).count() > weights.len() / 2);
    for (ends, threads) in [(&[300][..], 2), (&[150, 300], 1), (&[7, 150, 300], 2), (&[77, 78, 210, 300], 1)] {
        let (run, found) = in_slices(&plan, ends, threads, 2000);
        assert!(run.spikes == expected.spikes, "{ends:?}: {} and {} spikes", run.spikes.len(), expected.spikes.len());
        assert!(found == weights, "{ends:?}");
        assert_eq!(run.events, expected.events, "{ends:?}");
    }
}

#[test]
fn a_slice_refuses_what_it_could_not_know_or_is_told_too_late() {
    let whole = planned(NETWORK);
    let mut slice = Cpu::of(whole, 0..100, setup(1)).unwrap();
    assert!(slice.advance(6).unwrap_err().contains("at most 5 steps"));
    slice.advance(5).unwrap();
    slice.advance(5).unwrap();
    assert!(slice.accept(&[Spike { step: 5, neuron: 200 }]).unwrap_err().contains("too late"));
    assert!(slice.accept(&[Spike { step: 11, neuron: 200 }]).unwrap_err().contains("too early"));
    assert!(slice.accept(&[Spike { step: 9, neuron: 300 }]).unwrap_err().contains("there is no neuron 300"));
    let reward = NETWORK.replace("synapse = \"stdp_pair\"", "synapse = \"stdp_dopamine\"\nmodulator = \"inh\"");
    let modulated = planned(&reward);
    assert!(Cpu::of(modulated.clone(), 0..300, setup(1)).is_ok());
    assert!(Cpu::of(modulated, 0..100, setup(1)).err().unwrap().contains("stepped whole"));
    let gaps = format!("{NETWORK}[[gap_junctions]]\nfrom = \"inh\"\nto = \"inh\"\nrule = \"all_to_all\"\nconductance = \"1 nS\"\n");
    let joined = planned(&gaps);
    assert!(Cpu::of(joined, 0..100, setup(1)).err().unwrap().contains("stepped whole"));
}
