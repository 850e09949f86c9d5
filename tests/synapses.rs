//! Synapses whose spikes have a factor (short-term plasticity): NEST's weights and potentials, a second f64 implementation, closed
//! forms, and both engines bit for bit, stored or drawn, in slices, over checkpoints and edits; what is wrong is told.

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{advance, cpu, load, machines, npz, origin, rendered, run, start};
use synfire::base::rng::Stream;
use synfire::engine::cpu::{Cpu, Setup};
#[cfg(feature = "gpu")]
use synfire::engine::gpu::{Forced, Gpu};
use synfire::export::{Checkpoint, read_checkpoint, write_checkpoint};
use synfire::plan::{Harvest, plan};
use synfire::session::{Command, Simulation};

/// A cell that tells what arrives in each step.
const METER: &str = "[models.meter]\nupdate = \"got = in\"\n[models.meter.state]\ngot = \"0 pA\"\n[models.meter.receptors]\nin = \"pA\"\n";

/// One source with these spike times (ms) onto a meter and a cell, over a delay of 1 ms. The cell rests at 0 mV, where f32 resolves
/// small potentials.
fn protocol(times: &[f64], model: &str, parameters: &str) -> String {
    let times: Vec<String> = times.iter().map(|t| format!("\"{t} ms\"")).collect();
    let of = |to: &str, receptor: &str| {
        format!(
            "[[projections]]\nfrom = \"pre\"\nto = \"{to}\"\nrule = \"all_to_all\"\n{receptor}weight = \"500 pA\"\ndelay = \"1 ms\"\nsynapse = \"changing\"\n"
        )
    };
    let projections = of("meter", "receptor = \"in\"\n") + &of("cell", "");
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"2 s\"\n{METER}[synapses.changing]\nbase = \"{model}\"\n[synapses.changing.parameters]\n{parameters}\
         [populations.pre]\nmodel = \"spike_source\"\nsize = 1\n[populations.meter]\nmodel = \"meter\"\nsize = 1\n\
         [populations.cell]\nmodel = \"iaf_psc_exp\"\nsize = 1\n\
         [populations.cell.parameters]\nE_L = \"0 mV\"\nV_reset = \"0 mV\"\nV_th = \"15 mV\"\n{projections}\
         [[stimuli]]\nkind = \"spikes\"\nto = \"pre\"\nweight = 1\ntimes = [{}]\n\
         [[probes]]\nrecord = \"got\"\nof = \"meter\"\nevery = \"0.1 ms\"\n[[probes]]\nrecord = \"V_m\"\nof = \"cell\"\nevery = \"0.1 ms\"\n",
        times.join(", ")
    )
}

/// What arrived over a delay of 10 steps, by spike step; and the potentials by step.
fn arrived(harvest: &Harvest) -> (Vec<(u32, f32)>, BTreeMap<u32, f32>) {
    let of = |probe| harvest.samples.iter().filter(move |s| s.probe == probe).map(|s| (s.step, s.values[0]));
    (of(0).filter(|s| s.1 != 0.0).map(|(k, w)| (k - 10, w)).collect(), of(1).collect())
}

fn step(t: f64) -> u32 {
    (t * 10.0).round() as u32
}

#[test]
fn short_term_plasticity_gives_the_weights_and_potentials_of_nest() {
    for (name, parameters) in [
        ("depressing", "U = 0.5\ntau_rec = \"800 ms\"\ntau_fac = \"0 ms\"\n"),
        ("facilitating", "U = 0.05\ntau_rec = \"50 ms\"\ntau_fac = \"1 s\"\n"),
    ] {
        let reference = npz(&format!("stp_{name}.npz"));
        let text = protocol(&reference["t_pre"], "tsodyks_markram", parameters);
        for machine in machines() {
            let (weights, potentials) = arrived(&run(&text, machine, 14_000));
            assert_eq!(weights.len(), reference["weight"].len(), "{name}");
            for ((k, w), (t, expected)) in weights.iter().zip(reference["t_pre"].iter().zip(&reference["weight"])) {
                assert_eq!(*k, step(*t), "{name}");
                assert!((f64::from(*w) - expected).abs() < 2e-4, "{name} at {t} ms: {w} pA, NEST {expected}");
            }
            for (t, v) in reference["t"].iter().zip(&reference["V_m"]) {
                let ours = f64::from(potentials[&step(*t)]) - 70.0;
                assert!((ours - v).abs() < 2e-5, "{name} at {t} ms: {ours} mV, NEST {v}");
            }
        }
    }
}

/// The same model, step by step in f64: resources recover and the use decays over every 0.1 ms, whether there is a spike or not.
fn released(spikes: &[u32], u_jump: f64, tau_rec: f64, tau_fac: f64) -> Vec<f64> {
    let (mut x, mut u, mut out) = (1.0, 0.0, Vec::new());
    for k in 1..=*spikes.last().unwrap() {
        x += (1.0 - x) * (1.0 - (-0.1 / tau_rec).exp());
        u *= if tau_fac > 0.0 { (-0.1 / tau_fac).exp() } else { 0.0 };
        if spikes.binary_search(&k).is_ok() {
            u = u + u_jump - u * u_jump;
            out.push(u * x);
            x *= 1.0 - u;
        }
    }
    out
}

#[test]
fn a_second_implementation_agrees_over_random_trains() {
    let stream = Stream::new(3, [40, 0]);
    for (number, (u, tau_rec, tau_fac)) in
        [(0.5, 800.0, 0.0), (0.04, 100.0, 1000.0), (1.0, 3.0, 0.0), (0.3, 200.0, 50.0), (0.9, 1.0, 5000.0)].into_iter().enumerate()
    {
        let mut spikes: Vec<u32> = Vec::new();
        let mut at = 0;
        for i in 0..100u32 {
            let word = stream.block([number as u32, i, 0, 0]);
            // Bursts of neighbouring steps, and gaps of up to 60 ms.
            at += if word[0].is_multiple_of(3) { 1 + word[1] % 3 } else { 1 + word[1] % 600 };
            spikes.push(at);
        }
        let times: Vec<f64> = spikes.iter().map(|k| f64::from(*k) / 10.0).collect();
        let text = protocol(&times, "tsodyks_markram", &format!("U = {u}\ntau_rec = \"{tau_rec} ms\"\ntau_fac = \"{tau_fac} ms\"\n"));
        let expected = released(&spikes, u, tau_rec, tau_fac);
        for machine in machines() {
            let (weights, _) = arrived(&run(&text, machine, u64::from(at) + 20));
            let mut found = weights.iter().copied().collect::<BTreeMap<u32, f32>>();
            for (k, factor) in spikes.iter().zip(&expected) {
                // A factor below half a quantum brings nothing.
                let w = f64::from(found.remove(k).unwrap_or(0.0));
                assert!((w - 500.0 * factor).abs() < 500.0 * 2e-6, "{number} at step {k}: {w}, expected {}", 500.0 * factor);
            }
            assert!(found.is_empty(), "{found:?}");
        }
    }
}

#[test]
fn regular_trains_settle_at_the_closed_form() {
    // x before a spike in the steady state: (1 - e)/(1 - (1 - U) e), e = exp(-T/tau_rec).
    for (rate, resources) in [(5.0, 0.362), (10.0, 0.210), (20.0, 0.114), (50.0, 0.048)] {
        let interval = 1000.0 / rate;
        let times: Vec<f64> = (1..=80).map(|i| f64::from(i) * interval).collect();
        let text = protocol(&times, "tsodyks_markram", "U = 0.5\ntau_rec = \"800 ms\"\ntau_fac = \"0 ms\"\n");
        let e = (-interval / 800.0f64).exp();
        let settled = (1.0 - e) / (1.0 - 0.5 * e);
        assert!((settled - resources).abs() < 1e-3);
        let (weights, _) = arrived(&run(&text, &cpu(), (80.0 * interval * 10.0) as u64 + 20));
        let last = f64::from(weights.last().unwrap().1);
        assert!((last - 500.0 * 0.5 * settled).abs() < 1e-3, "{rate} Hz: {last}");
    }
}

/// A recurrent network with two ways to change, a user's own and static synapses, of every form of stored and drawn weights.
fn network(storage: &str) -> String {
    let projection = |from: &str, to: &str, rule: &str, weight: &str, delay: &str, synapse: &str| {
        format!(
            "[[projections]]\nfrom = \"{from}\"\nto = \"{to}\"\n{rule}\nweight = \"{weight}\"\ndelay = \"{delay}\"\nstorage = \"{storage}\"\n{synapse}"
        )
    };
    let (few, many) = ("rule = \"fixed_probability\"\np = 0.1", "rule = \"fixed_out_degree\"\nout_degree = 20");
    let projections = [
        projection("exc", "exc", few, "60 pA", "1.5 ms", "synapse = \"depressing\"\n"),
        projection("exc", "inh", many, "redraw(normal(90 pA, 20 pA), 0 pA, inf)", "uniform(0.5 ms, 3 ms)", "synapse = \"facilitating\"\n"),
        projection("inh", "exc", few, "-uniform(100 pA, 500 pA)", "0.8 ms", "synapse = \"saturating\"\n"),
        projection("inh", "inh", many, "-150 pA", "uniform(0.5 ms, 2 ms)", ""),
        projection("exc", "inh", many, "20 pA", "0.5 ms", "synapse = \"depressing\"\n"),
    ]
    .concat();
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 4\n[parameters]\nU = 0.5\n\
         [synapses.depressing]\nbase = \"tsodyks_markram\"\n[synapses.depressing.parameters]\nU = \"U\"\ntau_rec = \"300 ms\"\n\
         [synapses.facilitating]\nbase = \"tsodyks_markram\"\n[synapses.facilitating.parameters]\nU = 0.1\ntau_rec = \"100 ms\"\ntau_fac = \"1 s\"\n\
         [synapses.saturating]\nequations = \"ds/dt = -s/tau\"\non_pre = \"\"\"\nfactor = k*(1 - s)\ns += factor\n\"\"\"\n\
         [synapses.saturating.parameters]\ntau = \"80 ms\"\nk = 0.6\n[synapses.saturating.source]\ns = \"0.25*k\"\n\
         [populations.exc]\nmodel = \"iaf_psc_exp\"\nsize = 300\ninitial.V_m = \"uniform(-70 mV, -55 mV)\"\n\
         [populations.inh]\nlike = \"exc\"\nsize = 80\n{projections}\
         [[stimuli]]\nname = \"drive\"\nkind = \"poisson\"\nto = [\"exc\", \"inh\"]\nrate = \"9 kHz\"\nweight = \"60 pA\"\n\
         [[probes]]\nrecord = \"V_m\"\nof = \"exc[0..5]\"\nevery = \"0.5 ms\"\n"
    )
}

fn harvest(text: &str, threads: usize, batch: Option<usize>, steps: u64) -> Harvest {
    let plan = Arc::new(plan(&load(&origin(text, None, &[])).network).unwrap());
    Cpu::with(plan, Setup { threads: Some(threads), batch }).unwrap().advance(steps).unwrap()
}

fn same(a: &Harvest, b: &Harvest, what: &str) {
    assert!(a.spikes.len() > 1500, "{what}: {} spikes", a.spikes.len());
    assert_eq!(a.spikes.len(), b.spikes.len(), "{what}");
    assert!(a.spikes == b.spikes && a.samples == b.samples, "{what}");
    assert_eq!(a.events, b.events, "{what}");
}

#[test]
fn threads_batches_engines_and_storage_give_the_same_bits() {
    let expected = harvest(&network("stored"), 1, None, 4000);
    let still = harvest(&network("stored").replace("synapse = \"depressing\"\n", ""), 1, None, 4000);
    assert!(still.spikes != expected.spikes, "synapses that change must make a difference");
    for (threads, batch) in [(1, Some(1)), (2, None), (3, Some(2))] {
        same(&expected, &harvest(&network("stored"), threads, batch, 4000), &format!("{threads} threads"));
    }
    for storage in ["stored", "procedural"] {
        for machine in machines() {
            same(&expected, &run(&network(storage), machine, 4000), &format!("{storage} on {}", machine.describe().engine));
        }
    }
}

#[cfg(feature = "gpu")]
#[test]
fn shards_work_lists_workgroups_and_slices_give_the_same_bits() {
    let Some(device) = common::device() else { return };
    let expected = harvest(&network("stored"), 1, None, 1500);
    let made = |storage| Arc::new(plan(&load(&origin(&network(storage), None, &[])).network).unwrap());
    for forced in [
        Forced { binding: Some(40_000), ..Forced::default() },
        Forced { batch: Some(1), ..Forced::default() },
        Forced { host: true, group: Some(128), ..Forced::default() },
    ] {
        let mut gpu = Gpu::new(made("stored"), device.clone(), forced).unwrap();
        same(&expected, &gpu.advance(1500).unwrap(), &format!("{forced:?}"));
    }
    for storage in ["stored", "procedural"] {
        let plan = made(storage);
        let cut = [0, 150, 330, plan.neurons];
        let slice = |w: &[u32]| Gpu::of(plan.clone(), device.clone(), w[0]..w[1], Forced::default()).unwrap();
        let mut engines: Vec<Gpu> = cut.windows(2).map(slice).collect();
        let mut spikes = Vec::new();
        for _ in 0..300 {
            let parts: Vec<Harvest> = engines.iter_mut().map(|e| e.advance(5).unwrap()).collect();
            let mut fresh: Vec<_> = parts.iter().flat_map(|p| p.spikes.iter().copied()).collect();
            fresh.sort_unstable();
            engines.iter_mut().for_each(|e| e.accept(&fresh).unwrap());
            spikes.extend(fresh);
        }
        assert!(spikes == expected.spikes, "{storage}");
    }
}

fn through_a_file(simulation: &Simulation) -> Checkpoint {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("synapses_{number}.npz"));
    let checkpoint = Checkpoint::new(&simulation.plan, &simulation.scene.resolved, simulation.save().unwrap());
    write_checkpoint(&checkpoint, &file).unwrap();
    let read = read_checkpoint(&file).unwrap();
    assert_eq!(read, checkpoint);
    read.belongs(&simulation.plan).unwrap();
    read
}

#[test]
fn a_run_goes_on_from_a_checkpoint_on_either_engine() {
    for storage in ["stored", "procedural"] {
        let text = network(storage);
        let whole = run(&text, &cpu(), 3000);
        let rest: Vec<_> = whole.spikes.iter().filter(|s| s.step > 1234).copied().collect();
        let mut states = Vec::new();
        for from in machines() {
            let mut first = start(origin(&text, None, &[]), from, None);
            advance(&mut first, 1234, 500);
            let checkpoint = through_a_file(&first);
            for to in machines() {
                let mut second = start(origin(&text, None, &[]), to, Some(&checkpoint.state));
                assert!(advance(&mut second, 3000 - 1234, 700).spikes == rest);
            }
            states.push(checkpoint.state);
        }
        assert!(states.windows(2).all(|w| w[0] == w[1]), "the engines save the same state");
        let other = load(&origin(&text.replace("synapse = \"saturating\"\n", ""), None, &[])).network;
        assert!(states[0].fits(&plan(&other).unwrap()).unwrap_err().contains("change in another way"));
    }
}

#[test]
fn an_edit_of_a_running_network_equals_a_restart_from_there() {
    for (address, value) in [("U", "0.15"), ("saturating.k", "0.9"), ("facilitating.tau_rec", "40 ms"), ("exc->exc.weight", "80 pA")] {
        let text = network("stored");
        for machine in machines() {
            let mut edited = start(origin(&text, None, &[]), machine, None);
            advance(&mut edited, 1000, 300);
            let checkpoint = through_a_file(&edited);
            edited.apply(Command::Set { address: address.into(), value: value.into() }).unwrap();
            let after = advance(&mut edited, 1500, 400);
            let mut restarted = start(origin(&text, None, &[(address, value)]), machine, Some(&checkpoint.state));
            assert!(after.spikes == advance(&mut restarted, 1500, 1500).spikes, "{address}");
            let mut left = start(origin(&text, None, &[]), machine, Some(&checkpoint.state));
            assert!(after.spikes != advance(&mut left, 1500, 1500).spikes, "{address} must make a difference");
        }
    }
}

#[test]
fn projections_of_one_population_share_their_traces() {
    let made = plan(&load(&origin(&network("stored"), None, &[])).network).unwrap();
    assert_eq!(made.traces.len(), 3);
    let used: Vec<Option<usize>> = made.projections.iter().map(|p| p.traces).collect();
    assert_eq!(used, [Some(0), Some(1), Some(2), None, Some(0)]);
    // Two numbers and the step of the last spike for each source.
    assert_eq!(made.budget.iter().find(|b| b.0 == "traces").unwrap().1, 300 * 12 + 300 * 12 + 80 * 8);
}

#[test]
fn what_is_wrong_with_a_synapse_model_is_told_with_a_remedy() {
    let good = network("stored");
    for (from, to, message) in [
        ("tau_rec = \"300 ms\"", "tau_rec = \"0 ms\"", "tau_rec must be positive"),
        ("tau_rec = \"300 ms\"", "tau_rec = \"-5 ms\"", "tau_rec must be positive"),
        ("tau_rec = \"300 ms\"", "tau_rec = 300", "expected a value in ms"),
        ("tau_rec = \"300 ms\"", "tau_rek = \"300 ms\"", "did you mean `tau_rec`"),
        ("tau_fac = \"1 s\"", "tau_fac = \"-1 s\"", "tau_fac is at least 0"),
        ("U = 0.5", "U = 1.5", "U lies between 0 and 1, and here it is 1.5"),
        ("U = 0.5", "U = -0.1", "U lies between 0 and 1"),
        ("synapse = \"depressing\"", "synapse = \"depresing\"", "did you mean `depressing`"),
        ("base = \"tsodyks_markram\"", "base = \"tsodyks\"", "no synapse model is named \"tsodyks\""),
        ("ds/dt = -s/tau", "ds/dt = -s*s/tau", "not linear in `s` alone"),
        ("ds/dt = -s/tau", "ds/dt = -s", "ds/dt must be kHz"),
        ("ds/dt = -s/tau", "ds/dt = -s/tou", "`tou` is not known"),
        ("s += factor", "q += factor", "`q"),
        ("factor = k*(1 - s)", "factor = k*(1 - normal(0, 1))", "normal"),
        ("tau = \"80 ms\"", "tau = \"0 ms\"", "tau must be positive"),
        ("[synapses.saturating.source]", "[synapses.saturating.sourse]", "`sourse`"),
        ("on_pre = \"\"\"\nfactor = k*(1 - s)\ns += factor\n\"\"\"\n", "", "needs `on_pre`"),
    ] {
        assert!(good.contains(from), "{from}");
        let problems = origin(&good.replacen(from, to, 1), None, &[]).load().expect_err(to);
        assert!(rendered(&problems).contains(message), "{to}: {}", rendered(&problems));
    }
}

#[test]
fn a_trace_that_grows_without_bound_stops_the_run() {
    let text = network("stored").replace("s += factor", "s = s*1e30 + 1e30");
    for machine in machines() {
        let mut simulation = start(origin(&text, None, &[]), machine, None);
        let error = simulation.advance(4000).unwrap_err();
        assert!(error.contains("the trace s of inh["), "{error}");
    }
}
