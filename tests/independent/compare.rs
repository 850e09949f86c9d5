//! The engine against the cells, over drives, step sizes and parameters.

use std::sync::Arc;

use synfire::base::problem::{Problem, Source};
use synfire::network::{Network, Part, Probe, Values, Which};
use synfire::session::{Backend, Engine, Machine, choose};

use crate::Parameters;
use crate::cells::cell;

/// Spikes in, ms; receptor k gets them k ms later.
const TIMES: [f64; 14] = [4.0, 12.0, 14.0, 15.0, 31.0, 40.0, 41.0, 42.0, 43.0, 70.0, 72.4, 90.0, 90.2, 110.0];
const LENGTH: f64 = 150.0;

struct Case<'a> {
    model: &'a str,
    set: &'a str,
    dt: f64,
    /// From 20 to 120 ms, with its unit.
    current: &'a str,
    /// By receptor, with their units.
    weights: &'a [&'a str],
}

fn load(case: &Case, receptors: &[(String, bool)], input: &str) -> Network {
    let mut text = format!(
        "format = 1\n[run]\ndt = \"{} ms\"\nduration = \"1 s\"\n[populations.a]\nmodel = \"{}\"\nsize = 1\n{}\n",
        case.dt, case.model, case.set
    );
    text += &format!(
        "[[stimuli]]\nkind = \"current\"\nto = \"a\"\ninput = \"{input}\"\nsteps = [[\"20 ms\", \"{0}\"], [\"120 ms\", \"0*{0}\"]]\n",
        case.current
    );
    for (k, (weight, (receptor, by_sign))) in case.weights.iter().zip(receptors).enumerate() {
        let times: Vec<String> = TIMES.iter().map(|t| format!("\"{:.1} ms\"", t + k as f64)).collect();
        let receptor = if *by_sign { String::new() } else { format!("receptor = \"{receptor}\"\n") };
        text += &format!("[[stimuli]]\nkind = \"spikes\"\nto = \"a\"\ntimes = [{}]\nweight = \"{weight}\"\n{receptor}", times.join(", "));
    }
    let source = Arc::new(Source { name: case.model.into(), text: text.clone() });
    match synfire::scene::load(source, None, &Default::default()) {
        Ok(scene) => scene.network,
        Err(problems) => panic!("{}\n{text}", problems.iter().map(Problem::render).collect::<String>()),
    }
}

/// The number of a text in the program's units.
fn number(text: &str) -> f64 {
    let text = format!(
        "format = 1\n[run]\ndt = \"1 ms\"\nduration = \"1 s\"\n[models.x]\nequations = \"dy/dt = 0/ms\"\nstate.y = 0\nparameters.x = \"{text}\"\n\
         [populations.a]\nmodel = \"x\"\nsize = 1\n"
    );
    let source = Arc::new(Source { name: "number".into(), text });
    let scene = synfire::scene::load(source, None, &Default::default()).unwrap_or_else(|p| panic!("{}", p[0].render()));
    scene.network.populations[0].model.parameters[0].default
}

struct Seen {
    /// Largest and median difference of the first state variable, away from spikes.
    most: f64,
    median: f64,
    ours: Vec<i64>,
    theirs: Vec<i64>,
}

fn compare(case: &Case, machine: &Machine) -> Seen {
    let model = model(case.model);
    let receptors: Vec<(String, bool)> = model.receptors.iter().map(|r| (r.name.clone(), model.by_sign)).collect();
    let mut network = load(case, &receptors, &model.inputs[0].name);
    let of = Part { population: 0, which: Which::Range { start: 0, len: 1 } };
    network.probes.push(Probe::State { name: "first".into(), of, variable: 0, every: 1 });
    let parameters: Parameters = model
        .parameters
        .iter()
        .zip(&network.populations[0].parameters)
        .map(|(p, v)| (p.name.clone(), if let Values::Uniform(x) = v { *x } else { f64::NAN }))
        .collect();
    let steps = (LENGTH / case.dt).round() as usize;
    let harvest = Engine::new(Arc::new(synfire::plan::plan(&network).unwrap()), machine).unwrap().advance(steps as u64).unwrap();
    let ours: Vec<i64> = harvest.spikes.iter().map(|s| i64::from(s.step)).collect();
    let (current, weights): (f64, Vec<f64>) = (number(case.current), case.weights.iter().map(|w| number(w)).collect());
    let step_of = |t: f64| (t / case.dt).round() as usize;
    let mut cell = cell(case.model, &parameters);
    let (mut theirs, mut trace) = (Vec::new(), Vec::new());
    let inner = (case.dt / if cell.at_once { 0.0002 } else { 0.002 }).round() as usize;
    for k in 1..=steps {
        let on = k > step_of(20.0) && k <= step_of(120.0);
        let mut arriving = Vec::new();
        for (r, w) in weights.iter().enumerate() {
            arriving.extend(TIMES.iter().filter(|t| step_of(**t + r as f64) == k).map(|_| (r, *w)));
        }
        if cell.step(case.dt, inner, if on { current } else { 0.0 }, &arriving) {
            theirs.push(k as i64);
        }
        trace.push(cell.state[0]);
    }
    let away = |k: usize| ours.iter().chain(&theirs).all(|s| (*s - k as i64 - 1).abs() as f64 * case.dt > 2.0);
    let mut differences: Vec<f64> =
        (0..steps).filter(|k| away(*k)).map(|k| (f64::from(harvest.samples[k].values[0]) - trace[k]).abs()).collect();
    differences.sort_by(f64::total_cmp);
    assert!(differences.len() > steps / 10, "{}: nothing is left away from spikes", case.model);
    Seen { most: differences[differences.len() - 1], median: differences[differences.len() / 2], ours, theirs }
}

/// The cases of a model: two currents, two parameter sets, three step sizes.
fn check(name: &str, other: &str, currents: [&str; 2], weights: &[&str], most: f64, median: f64, shift: i64) {
    let machine = choose(Backend::Cpu, None).unwrap().0;
    let mut spikes = 0;
    for (set, dt, current) in [("", 0.1, currents[0]), (other, 0.1, currents[1]), (other, 0.05, currents[0]), ("", 0.2, currents[1])] {
        let case = Case { model: name, set, dt, current, weights };
        let seen = compare(&case, &machine);
        let moved = seen.ours.iter().zip(&seen.theirs).map(|(a, b)| (a - b).abs()).max().unwrap_or(0);
        let what = format!("{name}, {set:?}, dt {dt}, {current}: most {:.6}, median {:.6}, moved {moved}", seen.most, seen.median);
        println!("{what}, {} spikes", seen.ours.len());
        assert!(seen.ours.len() == seen.theirs.len() && moved <= shift, "{what}: {:?} {:?}", seen.ours, seen.theirs);
        assert!(seen.most < most && seen.median < median, "{what}");
        spikes += seen.ours.len();
    }
    assert!(spikes >= 6, "{name}: only {spikes} spikes");
}

#[test]
fn linear_cells_are_exact() {
    let psc = ["150 pA", "-90 pA"];
    let set = "parameters.tau_m = \"14 ms\"\nparameters.tau_syn_exc = \"1.3 ms\"\nparameters.t_ref = \"3 ms\"\nparameters.I_e = \"60 pA\"";
    for name in ["iaf_psc_exp", "iaf_psc_alpha", "alif_psc_exp", "mat2_psc_exp"] {
        check(name, set, ["520 pA", "700 pA"], &psc, 3e-4, 1e-4, 0);
    }
    let delta = "parameters.tau_m = \"14 ms\"\nparameters.t_ref = \"3 ms\"\nparameters.I_e = \"60 pA\"";
    check("iaf_psc_delta", delta, ["520 pA", "700 pA"], &["3 mV", "-2 mV"], 3e-4, 1e-4, 0);
    let glif = "parameters.C_m = \"70 pF\"\nparameters.tau_syn_exc = \"1.3 ms\"\nparameters.t_ref = \"3 ms\"\nparameters.I_e = \"20 pA\"";
    for name in ["glif_1", "glif_2", "glif_3", "glif_4", "glif_5"] {
        check(name, glif, ["360 pA", "500 pA"], &["60 pA", "-40 pA"], 5e-4, 2e-4, 0);
    }
}

#[test]
fn conductance_and_compartment_cells_agree() {
    let set = "parameters.tau_syn_exc = \"1.5 ms\"\nparameters.g_L = \"20 nS\"\nparameters.t_ref = \"3 ms\"";
    check("iaf_cond_exp", set, ["400 pA", "600 pA"], &["20 nS", "12 nS"], 0.03, 0.003, 1);
    check("iaf_cond_alpha", set, ["400 pA", "600 pA"], &["12 nS", "8 nS"], 0.05, 0.003, 1);
    let set = "parameters.tau_nmda = \"80 ms\"\nparameters.Mg = 1.4\nparameters.t_ref = \"3 ms\"";
    check("iaf_ampa_nmda_gaba", set, ["600 pA", "800 pA"], &["10 nS", "2 nS", "12 nS"], 0.005, 0.001, 1);
    let set = "parameters.tau_syn_exc = \"1.5 ms\"\nparameters.C_dend = \"200 pF\"\nparameters.g_c = \"12 nS\"";
    check("iaf_cond_exp_2c", set, ["500 pA", "700 pA"], &["6 nS", "6 nS", "8 nS", "5 nS"], 0.005, 0.001, 1);
    let set = "parameters.tau_syn_exc = \"1.5 ms\"\nparameters.C_prox = \"100 pF\"\nparameters.g_sp = \"6 nS\"";
    let weights = ["5 nS", "5 nS", "5 nS", "5 nS", "5 nS", "5 nS"];
    check("iaf_cond_alpha_3c", set, ["350 pA", "500 pA"], &weights, 0.005, 0.001, 1);
}

#[test]
fn cells_that_spike_within_the_step_agree() {
    let set = "parameters.tau_w = \"100 ms\"\nparameters.b = \"60 pA\"\nparameters.V_reset = \"-58 mV\"\nparameters.t_ref = \"1 ms\"";
    check("aeif_cond_exp", set, ["900 pA", "1100 pA"], &["30 nS", "20 nS"], 0.15, 0.01, 1);
    check("aeif_cond_alpha", set, ["900 pA", "1100 pA"], &["30 nS", "20 nS"], 0.15, 0.01, 1);
    check("aeif_psc_exp", set, ["900 pA", "1100 pA"], &["800 pA", "-200 pA"], 0.15, 0.01, 1);
    check("aeif_psc_alpha", set, ["900 pA", "1100 pA"], &["800 pA", "-200 pA"], 0.15, 0.01, 1);
    check("aeif_psc_delta", set, ["900 pA", "1100 pA"], &["3 mV", "-2 mV"], 0.15, 0.01, 1);
    let set = "parameters.Delta_T = \"2.5 mV\"\nparameters.t_ref = \"3 ms\"";
    check("eif_psc_exp", set, ["900 pA", "1500 pA"], &["800 pA", "-500 pA"], 0.05, 0.01, 1);
    let set = "parameters.k = \"1 nS/mV\"\nparameters.t_ref = \"3 ms\"";
    // Without a refractory period the small errors of all spikes add up, and 400 pA end while V is near the unstable point.
    check("qif_psc_exp", set, ["200 pA", "400 pA"], &["100 pA", "-60 pA"], 2.0, 0.03, 1);
}

#[test]
fn cells_with_gates_and_oscillators_agree() {
    let set = "parameters.g_K = \"40 mS/cm^2\"\nparameters.tau_syn_exc = \"3 ms\"";
    check("hh", set, ["9 uA/cm^2", "14 uA/cm^2"], &["0.05 mS/cm^2", "0.05 mS/cm^2"], 0.05, 0.005, 1);
    let set = "parameters.g_K = \"4000 nS\"\nparameters.tau_syn_exc = \"3 ms\"";
    check("hh_psc_alpha", set, ["900 pA", "1400 pA"], &["150 pA", "-150 pA"], 0.05, 0.005, 1);
    let set = "parameters.g_K = \"5000 nS\"\nparameters.tau_syn_exc = \"3 ms\"";
    check("hh_cond_exp_traub", set, ["500 pA", "800 pA"], &["6 nS", "6 nS"], 0.1, 0.01, 1);
    check("fitzhugh_nagumo", "parameters.tau_u = \"10 ms\"", ["0.5", "0.7"], &["0.2"], 0.002, 0.0005, 1);
    let set = "parameters.phi = \"0.06 kHz\"\nparameters.tau_syn_exc = \"3 ms\"";
    check("morris_lecar", set, ["100 uA/cm^2", "120 uA/cm^2"], &["0.1 mS/cm^2", "0.05 mS/cm^2"], 0.01, 0.002, 1);
}

fn model(name: &str) -> Arc<synfire::model::Model> {
    let text = format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[populations.a]\nmodel = \"{name}\"\nsize = 1\n");
    let source = Arc::new(Source { name: name.into(), text });
    synfire::scene::load(source, None, &Default::default()).map_err(|p| p[0].render()).unwrap().network.populations[0].model.clone()
}
