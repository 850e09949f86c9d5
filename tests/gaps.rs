//! Gap junctions: the conductance divider, its way there in first order of the step, the sum over many partners by a second f64
//! implementation, any threads and batches, checkpoints, edits, and what cannot be.

mod common;

use std::sync::Arc;

use common::{edit_equals_restart, load, origin, planned, refused_by_gpu, rendered};
use synfire::engine::cpu::{Cpu, Setup};
use synfire::plan::plan;

/// Two leaky cells of 10 nS and 200 pF without a threshold; a current into the first.
fn two(dt: &str, g: &str) -> String {
    format!(
        "format = 1\n[run]\ndt = \"{dt}\"\nduration = \"1 s\"\n[models.cell]\nbase = \"iaf_psc_exp\"\n[models.cell.parameters]\nC_m = \"200 pF\"\n\
         tau_m = \"20 ms\"\nV_th = \"1 V\"\n[populations.a]\nmodel = \"cell\"\nsize = 1\nparameters.I_e = \"100 pA\"\n\
         [populations.b]\nmodel = \"cell\"\nsize = 1\n[[gap_junctions]]\nfrom = \"a\"\nto = \"b\"\nconductance = \"{g}\"\n"
    )
}

fn voltages(cpu: &Cpu) -> [f64; 2] {
    [0, 1].map(|p| f64::from(cpu.state(p, 0)[0]) + 70.0)
}

#[test]
fn a_steady_current_divides_as_the_conductances_say_whatever_the_step() {
    for (dt, steps) in [("0.1 ms", 8000), ("1 ms", 800)] {
        for g in [0.0, 2.0, 10.0, 50.0] {
            let mut cpu = Cpu::new(planned(&two(dt, &format!("{g} nS")))).unwrap();
            cpu.advance(steps).unwrap();
            let (sum, across) = (100.0 / 10.0, 100.0 / (10.0 + 2.0 * g));
            let [a, b] = voltages(&cpu);
            // A voltage stands still where its change over a step is below half a digit of it: 4e-6 mV over 1 - exp(-dt/tau).
            assert!((a - (sum + across) / 2.0).abs() < 8e-4 && (b - (sum - across) / 2.0).abs() < 8e-4, "{g} nS, {dt}: {a} and {b}");
        }
    }
}

#[test]
fn on_the_way_there_the_error_shrinks_with_the_step() {
    // Sum and difference of the two relax with 20 ms and with C / (g_L + 2 g).
    let (g, t) = (15.0, 4.0);
    let sum = 10.0 * (1.0 - f64::exp(-t / 20.0));
    let across = 100.0 / (10.0 + 2.0 * g) * (1.0 - f64::exp(-t * (10.0 + 2.0 * g) / 200.0));
    let error = |dt: &str, steps: u64| {
        let mut cpu = Cpu::new(planned(&two(dt, "15 nS"))).unwrap();
        cpu.advance(steps).unwrap();
        let [a, b] = voltages(&cpu);
        (a - (sum + across) / 2.0).abs().max((b - (sum - across) / 2.0).abs())
    };
    let (coarse, fine) = (error("0.1 ms", 40), error("0.025 ms", 160));
    assert!(coarse < 0.01 && fine < 0.3 * coarse, "{coarse} mV at 0.1 ms, {fine} mV at 0.025 ms");
}

/// Many cells that spike, coupled among themselves and with a second population, one with one, beside synapses and noise.
fn network() -> String {
    "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 3\n[parameters]\ng = \"0.4 nS\"\n\
     [populations.a]\nmodel = \"iaf_psc_exp\"\nsize = 70\ninitial.V_m = \"uniform(-70 mV, -56 mV)\"\nparameters.I_e = \"uniform(300 pA, 500 pA)\"\n\
     [populations.b]\nlike = \"a\"\nsize = 40\n\
     [[gap_junctions]]\nfrom = \"a[0..20]\"\nto = \"a[0..20]\"\nconductance = \"g\"\n\
     [[gap_junctions]]\nfrom = \"a[30..70]\"\nto = \"b\"\nrule = \"one_to_one\"\nconductance = \"2 nS\"\n\
     [[gap_junctions]]\nfrom = \"a[every 9]\"\nto = \"b[random 7]\"\nconductance = \"0.3 nS\"\n\
     [[projections]]\nfrom = \"a\"\nto = \"b\"\nrule = \"fixed_probability\"\np = 0.2\nweight = \"40 pA\"\ndelay = \"1.5 ms\"\n\
     [[stimuli]]\nkind = \"current\"\nto = \"a[0..5]\"\namplitude = \"50 pA\"\nstart = \"20 ms\"\nstop = \"60 ms\"\n\
     [[stimuli]]\nkind = \"poisson\"\nto = [\"a\", \"b\"]\nrate = \"2 kHz\"\nweight = \"30 pA\"\n\
     [[probes]]\nrecord = \"V_m\"\nof = [\"a\", \"b\"]\nevery = \"1 ms\"\n"
        .into()
}

#[test]
fn threads_batches_and_checkpoints_change_no_bit() {
    let plan = planned(&network());
    let engine = |threads, batch| Cpu::with(plan.clone(), Setup { threads: Some(threads), batch }).unwrap();
    let expected = engine(1, None).advance(2000).unwrap();
    assert!(expected.spikes.len() > 500, "{} spikes", expected.spikes.len());
    let mut other = engine(3, Some(7));
    let mut spikes = Vec::new();
    for _ in 0..10 {
        spikes.extend(other.advance(200).unwrap().spikes);
        let state = other.save();
        other = engine(2, None);
        other.restore(&state);
    }
    assert!(spikes == expected.spikes);
    // Coupling matters, and so does each of the junctions.
    for gone in ["conductance = \"g\"", "conductance = \"2 nS\"", "conductance = \"0.3 nS\""] {
        let without = planned(&network().replace(gone, "conductance = \"0 nS\""));
        assert!(Cpu::new(without).unwrap().advance(2000).unwrap().spikes != expected.spikes, "{gone}");
    }
}

/// The current into each neuron of both populations, by a sum over all pairs in f64.
#[test]
fn a_step_adds_the_currents_of_all_pairs() {
    // Cells without synapses, noise and spikes; the step of the exact method is V' = E + (V - E) d + R I (1 - d).
    let text =
        network().replace("model = \"iaf_psc_exp\"", "model = \"cell\"").replace("parameters.I_e = \"uniform(300 pA, 500 pA)\"\n", "");
    let head = "[models.cell]\nbase = \"iaf_psc_exp\"\nparameters = { V_th = \"1 V\" }\n[populations.a]";
    let text = text.replace("[populations.a]", head);
    let text = text.split("[[projections]]").next().unwrap().to_string();
    let network = load(&origin(&text, None, &[])).network;
    let mut cpu = Cpu::new(Arc::new(plan(&network).unwrap())).unwrap();
    cpu.advance(3).unwrap();
    let state = |cpu: &Cpu| [0, 1].map(|p| cpu.state(p, 0).into_iter().map(f64::from).collect::<Vec<f64>>());
    let before = state(&cpu);
    cpu.advance(1).unwrap();
    let after = state(&cpu);
    let mut currents = [vec![0.0; 70], vec![0.0; 40]];
    let mut couple = |a: (usize, u32), b: (usize, u32), g: f64| {
        let i = g * (before[b.0][b.1 as usize] - before[a.0][a.1 as usize]);
        currents[a.0][a.1 as usize] += i;
        currents[b.0][b.1 as usize] -= i;
    };
    (0..20).for_each(|i| (0..i).for_each(|j| couple((0, i), (0, j), 0.4)));
    (0..40).for_each(|i| couple((0, 30 + i), (1, i), 2.0));
    let third = &network.gaps[2];
    for i in 0..third.from.which.len() {
        (0..third.to.which.len()).for_each(|j| couple((0, third.from.which.get(i)), (1, third.to.which.get(j)), 0.3));
    }
    let decay = f64::exp(-0.1 / 10.0);
    for p in 0..2 {
        for (i, current) in currents[p].iter().enumerate() {
            let expected = -70.0 + (before[p][i] + 70.0) * decay + 10.0 / 250.0 * current * (1.0 - decay);
            assert!((after[p][i] - expected).abs() < 2e-5, "{p} {i}: {} and not {expected}", after[p][i]);
        }
    }
    assert!(currents[0][..20].iter().all(|i| i.abs() > 1e-3) && currents[0][20..30].iter().filter(|i| **i == 0.0).count() >= 8);
}

#[test]
fn an_edit_of_the_conductance_equals_a_restart_from_there() {
    edit_equals_restart(&network(), "g", "3 nS", 1500);
}

#[test]
fn what_cannot_be_is_told_with_a_remedy() {
    if let Some(refused) = refused_by_gpu(&network()) {
        assert!(refused.contains("has no gap junctions yet: --backend cpu"), "{refused}");
    }
    for (from, to, message) in [
        ("conductance = \"g\"\n", "", "`conductance` is missing here"),
        ("conductance = \"g\"", "conductance = \"-1 nS\"", "a conductance is never negative"),
        ("conductance = \"g\"", "conductance = \"1 pA\"", "expected a value in"),
        ("conductance = \"g\"", "conductance = \"g\"\nvariable = \"W_m\"", "has no variable `W_m`"),
        ("conductance = \"g\"", "conductance = \"g\"\ninput = \"I\"", "has no input `I`"),
        ("conductance = \"g\"", "conductance = \"g\"\nweight = 1", "has no key `weight`"),
        ("rule = \"one_to_one\"", "rule = \"one_to_many\"", "no rule of gap junctions is named `one_to_many`"),
        ("to = \"b\"\nrule", "to = \"b[0..3]\"\nrule", "parts of one size"),
        ("to = \"a[0..20]\"", "to = \"a[10..30]\"", "the two parts overlap"),
        ("to = \"a[0..20]\"", "to = \"a[0..20]\"\nrule = \"one_to_one\"", "coupled to itself"),
        ("to = \"a[0..20]\"", "to = \"nobody\"", "no population is named `nobody`"),
    ] {
        assert!(network().contains(from), "{from}");
        let problems = origin(&network().replacen(from, to, 1), None, &[]).load().expect_err(to);
        assert!(rendered(&problems).contains(message), "{to}: {}", rendered(&problems));
    }
}
