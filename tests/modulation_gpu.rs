//! Synapses that move between spikes on the GPU engine: the bits of the CPU engine in every weight, in what synapses keep and in
//! modulators, whatever the batch, the shards and the workgroups; looks, checkpoints from one engine to the other, edits, scenes.
#![cfg(feature = "gpu")]

mod common;

use std::fmt::Write;

use common::learning::{crossing, gpu_machine, looking_and_saving, on_cpu, on_gpu, projection, same, shapes};
use common::{advance, cpu, device, origin, planned, start};
use synfire::engine::gpu::{Forced, Gpu};
use synfire::session::Machine;

/// A user's own rule: two kept values, of which one has a level, a modulator of two traces, and a product of three in dw/dt.
const OWN: &str = r#"[synapses.own]
equations = """
da/dt = -a/tau
db/dt = (0.1 - b)/tau
de/dt = -e/(5*tau)
df/dt = (0.2 - f)/(3*tau)
dm/dt = -m/tau
dn/dt = -n/(2*tau)
dw/dt = gain*(e*m*b + f*n - 0.3*a)/tau
"""
on_pre = "e -= 0.4*b; w -= 0.01*n; a += 1"
on_post = "e += 0.5*a; f += 0.1*m; b += 0.7"
on_modulator = "m = 0.5*m + 1; n += 0.2*(1 - n)"
[synapses.own.parameters]
tau = "12 ms"
gain = 0.05
[synapses.own.source]
a = 0
[synapses.own.target]
b = 0.1
[synapses.own.synapse]
e = 0
f = 0.2
[synapses.own.modulator]
m = 0
n = 0
"#;

/// Rewarded, scaled and a user's synapses beside plain ones and static ones; modulators that are parts and lists.
fn network() -> String {
    let reward = "synapse = \"learn\"\nw_max = \"80 pA\"\nmodulator = [\"inh[0..3]\", \"exc[random 20]\"]\n";
    let projections = [
        projection("exc", "exc", 0.1, "uniform(0 pA, 80 pA)", "1.5 ms", reward),
        projection("exc", "inh", 0.1, "uniform(0 pA, 80 pA)", "uniform(0.5 ms, 3 ms)", reward),
        projection("inh", "exc", 0.2, "-100 pA", "uniform(0.8 ms, 3 ms)", "synapse = \"scale\"\nw_max = \"-400 pA\"\n"),
        projection("inh", "inh", 0.2, "-150 pA", "1 ms", "synapse = \"vogels_2011\"\nw_max = \"-300 pA\"\n"),
        projection("exc", "inh", 0.1, "40 pA", "uniform(0.6 ms, 2 ms)", "synapse = \"own\"\nw_max = \"90 pA\"\nmodulator = \"inh\"\n"),
        projection("inh", "exc", 0.1, "-50 pA", "1 ms", ""),
    ]
    .concat();
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 4\n[parameters]\nA = 0.5\n{OWN}\
         [synapses.learn]\nbase = \"stdp_dopamine\"\n[synapses.learn.parameters]\nA_plus = \"A\"\nA_minus = 0.4\nb = \"1 Hz\"\n\
         [synapses.scale]\nbase = \"homeostatic_scaling\"\n[synapses.scale.parameters]\nbeta = 0.5\nlambda = 0.02\n\
         [populations.exc]\nmodel = \"iaf_psc_exp\"\nsize = 150\ninitial.V_m = \"uniform(-70 mV, -55 mV)\"\n\
         [populations.inh]\nlike = \"exc\"\nsize = 50\n{projections}\
         [[stimuli]]\nkind = \"poisson\"\nto = [\"exc\", \"inh\"]\nrate = \"9 kHz\"\nweight = \"60 pA\"\n\
         [[probes]]\nrecord = \"V_m\"\nof = \"exc[0..5]\"\nevery = \"0.5 ms\"\n"
    )
}

#[test]
fn rules_that_move_between_spikes_give_the_same_bits_whatever_the_batch_the_shards_and_the_workgroups() {
    let Some(device) = device() else { return };
    let plan = planned(&network());
    let (begun, expected) = (on_cpu(&plan, 0), on_cpu(&plan, 1000));
    assert!(expected.0.spikes.len() > 500 && expected.1.modulators.iter().all(|m| m.last[0] > 500), "{} spikes", expected.0.spikes.len());
    for (n, (a, b)) in begun.2.iter().zip(&expected.2).enumerate() {
        let moved = a.iter().zip(b).filter(|(a, b)| a != b).count();
        assert!(moved > a.len() / 2, "only {moved} of {} weights {n} have moved", a.len());
    }
    assert!([0, 4].iter().all(|n| expected.1.kept[*n].iter().filter(|x| **x != 0.0).count() > expected.1.kept[*n].len() / 2));
    shapes(&plan, device, |how, mut gpu| {
        let harvest = gpu.advance(1000).unwrap();
        same(how, &expected, &on_gpu(&gpu, &plan, harvest));
    });
}

/// Cells that spike as told, some in every step, so that histories of targets and of the modulator fill many times over.
fn trains(base: &str, delay: &str) -> String {
    let every = |from: u32, to: u32, gap: u32| (from..to).step_by(gap as usize).collect::<Vec<u32>>();
    let trains = [
        vec![],
        every(3, 500, 1),
        every(50, 1990, 3),
        every(100, 1990, 37),
        [every(10, 60, 1), every(400, 420, 3), every(1500, 1650, 1)].concat(),
    ];
    let mut told = String::new();
    let mut tell = |to: String, train: &[u32]| {
        let times: Vec<String> = train.iter().map(|k| format!("\"{}.{} ms\"", k / 10, k % 10)).collect();
        let _ = write!(
            told,
            "[[stimuli]]\nkind = \"spikes\"\nto = \"{to}\"\nreceptor = \"fire\"\nweight = 1\ntimes = [{}]\n",
            times.join(", ")
        );
    };
    for (i, train) in trains.iter().enumerate().filter(|t| !t.1.is_empty()) {
        tell(format!("a[{i}]"), train);
        tell(format!("b[{}]", 4 - i), train);
    }
    tell("reward[0..7]".into(), &every(20, 1900, 1));
    tell("reward[3..9]".into(), &every(25, 1900, 5));
    let modulator = if base == "homeostatic_scaling" { "" } else { "modulator = \"reward\"\n" };
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"5 s\"\nseed = 8\n[models.relay]\nupdate = \"\"\"\ngot = in\ncount = fire\n\"\"\"\n\
         threshold = \"count > 0\"\n[models.relay.state]\ngot = \"0 pA\"\ncount = 0\n[models.relay.receptors]\nin = \"pA\"\nfire = \"1\"\n{OWN}\
         [populations.a]\nmodel = \"relay\"\nsize = 5\n[populations.b]\nmodel = \"relay\"\nsize = 5\n[populations.reward]\nmodel = \"relay\"\nsize = 9\n\
         [[projections]]\nfrom = \"a\"\nto = \"b\"\nrule = \"all_to_all\"\nreceptor = \"in\"\nweight = \"uniform(20 pA, 80 pA)\"\n\
         w_max = \"100 pA\"\ndelay = \"{delay}\"\nsynapse = \"{base}\"\n{modulator}{told}\
         [[probes]]\nrecord = \"got\"\nof = \"b\"\nevery = \"0.1 ms\"\n"
    )
}

#[test]
fn spikes_of_all_three_in_every_step_and_full_histories_give_the_same_bits() {
    let Some(device) = device() else { return };
    for (base, delay) in
        [("stdp_dopamine", "uniform(0.5 ms, 3 ms)"), ("own", "0.1 ms"), ("own", "uniform(0.3 ms, 1.7 ms)"), ("homeostatic_scaling", "2 ms")]
    {
        let plan = planned(&trains(base, delay));
        let expected = on_cpu(&plan, 1300);
        for forced in [Forced::default(), Forced { batch: Some(2), binding: Some(30_000), ..Forced::default() }] {
            let mut gpu = Gpu::new(plan.clone(), device.clone(), forced).unwrap();
            let harvest = gpu.advance(1300).unwrap();
            same(&format!("{base} over {delay}, {forced:?}"), &expected, &on_gpu(&gpu, &plan, harvest));
        }
    }
}

#[test]
fn looking_and_saving_do_not_change_what_follows() {
    let Some(device) = device() else { return };
    looking_and_saving(&network(), device, |_| 4);
}

#[test]
fn states_cross_from_one_engine_to_the_other_and_edits_in_mid_run_give_the_same_bits() {
    let Some(gpu) = gpu_machine() else { return };
    crossing(&network(), [("A", "0.1"), ("learn.tau_n", "50 ms"), ("scale.goal", "50 Hz"), ("own.gain", "0.2")], 150, gpu);
}

#[test]
fn the_scene_of_rewarded_synapses_is_the_same_on_both_engines() {
    let Some(gpu) = gpu_machine() else { return };
    let text = synfire::scene::shipped().iter().find(|(name, _)| *name == "dopamine").unwrap().1;
    let run = |machine: &Machine| {
        let mut simulation = start(origin(text, None, &[]), machine, None);
        (advance(&mut simulation, 3000, 1000), simulation.save().unwrap())
    };
    assert!(run(&cpu()) == run(gpu));
}
