//! NMDA receptors whose gating saturates at the source (`nmda_saturating`), onto iaf_bw_2001: against the two gating equations in f64,
//! against their closed form under a regular train, and against NEST. Both engines.

mod common;

use common::{advance, machines, npz, origin, start};
use synfire::session::Machine;

fn times(all: &[f64]) -> String {
    all.iter().map(|t| format!("\"{t:.1} ms\"")).collect::<Vec<_>>().join(", ")
}

/// Conductance of a target onto which a source acts with 1 nS, at the end of every step.
fn gating(train: &[f64], parameters: &str, machine: &Machine, end: f64) -> Vec<f64> {
    let text = format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"10 s\"\n[synapses.gating]\nbase = \"nmda_saturating\"\n[synapses.gating.parameters]\n{parameters}\n\
         [populations.pre]\nmodel = \"parrot\"\nsize = 1\n[populations.post]\nmodel = \"iaf_bw_2001\"\nsize = 1\nparameters.tau_nmda = \"80 ms\"\n\
         [[projections]]\nfrom = \"pre\"\nto = \"post\"\nrule = \"all_to_all\"\nreceptor = \"nmda\"\nweight = \"1 nS\"\ndelay = \"0.1 ms\"\nsynapse = \"gating\"\n\
         [[stimuli]]\nkind = \"spikes\"\nto = \"pre\"\nreceptor = \"in\"\nweight = 1\ntimes = [{}]\n\
         [[probes]]\nrecord = \"g_nmda\"\nof = \"post\"\nevery = \"0.1 ms\"\n",
        times(train)
    );
    let harvest = advance(&mut start(origin(&text, None, &[]), machine, None), (end * 10.0) as u64, 1000);
    harvest.samples.iter().map(|s| f64::from(s.values[0])).collect()
}

/// s of ds/dt = alpha x (1 - s) - s/tau_decay, dx/dt = -x/tau_rise, x + 1 at every spike; by Runge-Kutta in f64, at the end of every step.
fn equations(train: &[f64], alpha: f64, rise: f64, decay: f64, end: f64) -> Vec<f64> {
    let (mut s, mut x, mut out) = (0.0, 0.0, Vec::new());
    let h = 0.01;
    for k in 1..=(end * 10.0) as u64 {
        for _ in 0..10 {
            let slope = |s: f64, x: f64| alpha * x * (1.0 - s) - s / decay;
            let at = |t: f64| x * f64::exp(-t / rise);
            let k1 = slope(s, x);
            let k2 = slope(s + h / 2.0 * k1, at(h / 2.0));
            let k3 = slope(s + h / 2.0 * k2, at(h / 2.0));
            let k4 = slope(s + h * k3, at(h));
            s += h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
            x = at(h);
        }
        x += train.iter().filter(|t| (**t * 10.0).round() as u64 == k).count() as f64;
        out.push(s);
    }
    out
}

#[test]
fn gating_goes_where_its_equations_lead_once_a_spike_has_risen() {
    for (alpha, rise, parameters) in [(0.5, 2.0, ""), (0.2, 1.0, "alpha = \"0.2/ms\"\ntau_rise = \"1 ms\""), (1.0, 2.0, "alpha = \"1/ms\"")]
    {
        // Apart enough for the rise of one to be over at the next.
        let train: Vec<f64> = [20.0, 80.0, 121.0, 165.0, 300.0, 342.0].to_vec();
        let expected = equations(&train, alpha, rise, 80.0, 500.0);
        for machine in machines() {
            let found = gating(&train, &format!("tau_decay = \"80 ms\"\n{parameters}"), machine, 500.0);
            for (t, next) in train.iter().zip(train[1..].iter().chain([&500.0])) {
                // The spike acts a step after that of the source.
                let k = (next * 10.0) as usize - 1;
                assert!(next - t > 12.0 * rise);
                let (a, b) = (found[k + 1 - 1], expected[k - 1]);
                assert!((a - b).abs() < 2e-4 && b > 0.03 && b < 1.0, "{alpha}: {a} before {next} ms, expected {b}");
            }
        }
    }
}

#[test]
fn gating_saturates_at_the_closed_form_of_a_regular_train() {
    for (interval, most) in [(100.0, 1.0), (20.0, 1.0), (5.0, 1.0), (1.0, 1.0)] {
        let train: Vec<f64> = (1..=(2000.0 / interval) as u32).map(|i| f64::from(i) * interval).collect();
        // What one spike opens where all is shut, from the equations; where s is open, less by (1 - exp(-alpha tau_rise)) s.
        let one = equations(&[1.0], 0.5, 2.0, 80.0, 61.0)[608] * f64::exp(59.9 / 80.0);
        let keep = f64::exp(-interval / 80.0);
        let settled = one / (1.0 - keep * f64::exp(-1.0));
        for machine in machines() {
            let found = gating(&train, "tau_decay = \"80 ms\"", machine, 2001.0);
            let last = found[(train.last().unwrap() * 10.0) as usize];
            assert!((last - settled).abs() < 5e-4 && last < 1.1 * most, "{interval} ms: {last}, expected {settled}");
        }
    }
}

/// NEST's iaf_bw_2001 onto iaf_bw_2001, the source spiking as its own strong input makes it (tests/reference/nmda.py).
#[test]
fn gating_and_membrane_are_those_of_nest() {
    let all = npz("nmda.npz");
    for (i, parameters) in ["", "alpha = \"1/ms\"\ntau_rise = \"1.5 ms\"\ntau_decay = \"60 ms\""].iter().enumerate() {
        let of = |key: &str| &all[&format!("{key}_{i}")];
        let tau = if i == 0 { 100.0 } else { 60.0 };
        let text = format!(
            "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[synapses.gating]\nbase = \"nmda_saturating\"\n[synapses.gating.parameters]\n{parameters}\n\
             [populations.pre]\nmodel = \"parrot\"\nsize = 1\n[populations.post]\nmodel = \"iaf_bw_2001\"\nsize = 1\nparameters = {{ tau_nmda = \"{tau} ms\", E_inh = \"-75 mV\" }}\n\
             [[projections]]\nfrom = \"pre\"\nto = \"post\"\nrule = \"all_to_all\"\nreceptor = \"nmda\"\nweight = \"30 nS\"\ndelay = \"1 ms\"\nsynapse = \"gating\"\n\
             [[stimuli]]\nkind = \"spikes\"\nto = \"pre\"\nreceptor = \"in\"\nweight = 1\ntimes = [{}]\n\
             [[stimuli]]\nkind = \"spikes\"\nto = \"post\"\nreceptor = \"ampa\"\nweight = \"20 nS\"\ntimes = [{}]\n\
             [[stimuli]]\nkind = \"spikes\"\nto = \"post\"\nreceptor = \"gaba\"\nweight = \"15 nS\"\ntimes = [{}]\n\
             [[probes]]\nrecord = \"g_nmda\"\nof = \"post\"\nevery = \"0.1 ms\"\n[[probes]]\nrecord = \"V_m\"\nof = \"post\"\nevery = \"0.1 ms\"\n",
            times(of("pre")),
            times(of("ampa")),
            times(of("gaba"))
        );
        for machine in machines() {
            let harvest = advance(&mut start(origin(&text, None, &[]), machine, None), 6000, 6000);
            let sample = |probe: u32, t: f64| {
                let step = (t * 10.0).round() as u32;
                f64::from(harvest.samples.iter().find(|s| s.probe == probe && s.step == step).unwrap().values[0])
            };
            let spikes: Vec<f64> = harvest.spikes.iter().filter(|s| s.neuron == 1).map(|s| f64::from(s.step) / 10.0).collect();
            let theirs = of("spikes");
            assert!(spikes.len() == theirs.len() && spikes.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 0.11), "{spikes:?} {theirs:?}");
            for ((t, s), v) in of("t").iter().zip(of("s")).zip(of("V_m")) {
                let ours = sample(0, *t);
                assert!((ours - 30.0 * s).abs() < 2e-3, "{i}: {ours} nS at {t} ms, NEST {}", 30.0 * s);
                if theirs.iter().all(|x| (x - t).abs() > 2.0) {
                    assert!((sample(1, *t) - v).abs() < 0.02, "{i}: {} mV at {t} ms, NEST {v}", sample(1, *t));
                }
            }
        }
    }
}
