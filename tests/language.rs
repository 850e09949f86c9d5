//! What a model may say: noise of the right size, draws, events, functions, forms of thresholds; and how mistakes are told.

use std::sync::Arc;

use synfire::base::problem::{Problem, Source};
use synfire::plan::{Harvest, State};
use synfire::session::{Backend, Engine, choose};

fn try_run(model: &str, size: u32, dt: f64, steps: u64, more: &str) -> Result<(Harvest, State), String> {
    let text = format!(
        "format = 1\n[run]\ndt = \"{dt} ms\"\nduration = \"1 s\"\nseed = 3\n[models.m]\n{}\n[populations.a]\nmodel = \"m\"\nsize = {size}\n{more}",
        model.replace("\n[", "\n[models.m.")
    );
    let source = Arc::new(Source { name: "language.toml".into(), text });
    let scene = synfire::scene::load(source, None, &Default::default())
        .map_err(|problems| problems.iter().map(Problem::render).collect::<String>())?;
    let plan = Arc::new(synfire::plan::plan(&scene.network)?);
    let mut engine = Engine::new(plan, &choose(Backend::Cpu, None)?.0)?;
    let harvest = engine.advance(steps)?;
    Ok((harvest, engine.save()?))
}

fn run(model: &str, size: u32, dt: f64, steps: u64) -> (Harvest, State) {
    try_run(model, size, dt, steps, "").unwrap_or_else(|e| panic!("{e}"))
}

fn mean(x: &[f32]) -> f64 {
    x.iter().map(|x| f64::from(*x)).sum::<f64>() / x.len() as f64
}

fn covariance(x: &[f32], y: &[f32]) -> f64 {
    let (a, b) = (mean(x), mean(y));
    x.iter().zip(y).map(|(x, y)| (f64::from(*x) - a) * (f64::from(*y) - b)).sum::<f64>() / x.len() as f64
}

/// dV = (E - V)/tau + sigma sqrt(2/tau) xi: mean E + (V0 - E) exp(-t/tau), variance sigma^2 (1 - exp(-2t/tau)).
#[test]
fn an_ornstein_uhlenbeck_process_has_its_mean_and_variance_by_every_method() {
    for (method, dt, within) in [("exact", 1.0, 0.03), ("exponential_euler", 1.0, 0.03), ("euler", 0.05, 0.03)] {
        let model = format!(
            "method = '{method}'\nequations = 'dV/dt = (E - V)/tau + sigma*sqrt(2/tau)*xi'\n[parameters]\nE = '2 mV'\ntau = '10 ms'\nsigma = '3 mV'\n[state]\nV = '0 mV'\n"
        );
        for t in [5.0, 40.0_f64] {
            let (_, state) = run(&model, 20_000, dt, (t / dt).round() as u64);
            let v = &state.values[0][0];
            let (m, var) = (2.0 - 2.0 * (-t / 10.0).exp(), 9.0 * (1.0 - (-t / 5.0).exp()));
            assert!(
                (mean(v) - m).abs() < 0.08 && (covariance(v, v) / var - 1.0).abs() < within,
                "{method} {t}: {} {}",
                mean(v),
                covariance(v, v)
            );
        }
    }
}

/// A membrane under a coloured current: stationary variance of V is R^2 s^2 tau_s/(tau_m + tau_s); steps of 5 ms change nothing.
#[test]
fn a_linear_system_under_noise_is_exact_whatever_the_step() {
    let model = "equations = '''\ndV/dt = (R*I - V)/tau_m\ndI/dt = -I/tau_s + s*sqrt(2/tau_s)*xi\n'''\n[parameters]\nR = '0.1 GOhm'\ntau_m = '10 ms'\ntau_s = '4 ms'\ns = '50 pA'\n[state]\nV = '0 mV'\nI = '0 pA'\n";
    for dt in [0.5, 5.0] {
        let (_, state) = run(model, 20_000, dt, (100.0 / dt) as u64);
        let (v, i) = (&state.values[0][0], &state.values[0][1]);
        // Cov(V, I) = R s^2 tau_s/(tau_m + tau_s).
        let (vv, vi, ii) = (25.0 * 4.0 / 14.0, 250.0 * 4.0 / 14.0, 2500.0);
        for (found, due) in [(covariance(v, v), vv), (covariance(v, i), vi), (covariance(i, i), ii)] {
            assert!((found / due - 1.0).abs() < 0.04, "dt {dt}: {found}, not {due}");
        }
    }
}

#[test]
fn noises_of_one_name_are_one_and_of_two_names_are_two() {
    for method in ["exact", "euler"] {
        let model = format!(
            "method = '{method}'\nequations = '''\ndx/dt = sqrt(1/ms)*xi\ndy/dt = sqrt(1/ms)*xi\ndz/dt = sqrt(1/ms)*xi_other\n'''\n[state]\nx = 0\ny = 0\nz = 0\n"
        );
        let (_, state) = run(&model, 20_000, 0.1, 100);
        let [x, y, z] = [0, 1, 2].map(|k| &state.values[0][k]);
        assert!(x.iter().zip(y).all(|(a, b)| (a - b).abs() < 1e-4), "{method}");
        assert!((covariance(x, x) / 10.0 - 1.0).abs() < 0.03 && covariance(x, z).abs() < 0.3, "{method}: {}", covariance(x, x));
    }
}

#[test]
fn an_escape_rate_is_a_rate_in_steps_and_in_substeps() {
    for each in ["", "substeps = 4\nthreshold_each = 'substep'\nmethod = 'euler'\n"] {
        let model = format!("{each}equations = 'dx/dt = 0/ms'\nthreshold = 'escape(x*50 Hz)'\n[state]\nx = 1\n");
        let (harvest, _) = run(&model, 2000, 0.1, 10_000);
        let rate = harvest.spikes.len() as f64 / 2000.0;
        // Two spikes in a step are one: 1 - exp(-0.005) of a step.
        assert!((rate - 49.9).abs() < 0.7, "{rate}");
    }
}

#[test]
fn draws_have_their_laws() {
    let (_, state) = run("update = 'x = uniform(2, 4); y = normal(1, 0.5)'\n[state]\nx = 0\ny = 0\n", 20_000, 0.1, 3);
    let (x, y) = (&state.values[0][0], &state.values[0][1]);
    assert!((mean(x) - 3.0).abs() < 0.02 && (covariance(x, x) - 1.0 / 3.0).abs() < 0.01 && x.iter().all(|x| (2.0..=4.0).contains(x)));
    assert!((mean(y) - 1.0).abs() < 0.02 && (covariance(y, y) - 0.25).abs() < 0.01 && covariance(x, y).abs() < 0.01);
}

/// A counter that counts by events alone: upward passages of a sine, and its maxima.
#[test]
fn events_have_their_own_conditions_and_actions() {
    let model = "method = 'rk4'\nequations = '''\ndx/dt = omega*y\ndy/dt = -omega*x\n'''\nthreshold = 'rising(x, 0.5)'\n\
                 events.up = { condition = 'rising(x, 0)', action = 'ups += 1' }\n\
                 events.top = { condition = 'peak(x, 0)', action = 'twice = 2*ups; tops += 1; sum += twice' }\n\
                 [parameters]\nomega = '2*pi/(10 ms)'\n[state]\nx = -0.1\ny = 0.995\nups = 0\ntops = 0\nsum = 0\n";
    let (harvest, state) = run(model, 1, 0.1, 1000);
    let values: Vec<f32> = state.values[0].iter().map(|v| v[0]).collect();
    // Ten turns: maxima are first seen one to two steps in a falling limb, so each falling step above zero is one.
    assert_eq!((values[2], harvest.spikes.len()), (10.0, 10));
    assert!(values[3] >= 240.0 && values[4] > values[3], "{values:?}");
}

#[test]
fn functions_are_written_out_and_check_their_units_at_the_call() {
    let model = "functions = '''\nsigmoid(v, s) = 1/(1 + exp(-v/s))\ntwice(v) = 2*sigmoid(v, width)\n'''\nupdate = 'x = twice(V) + sigmoid(1, 2); V = V'\n\
                 [parameters]\nwidth = '5 mV'\n[state]\nx = 0\nV = '3 mV'\n";
    let (_, state) = run(model, 1, 0.1, 1);
    let due = 2.0 / (1.0 + (-0.6_f64).exp()) + 1.0 / (1.0 + (-0.5_f64).exp());
    assert!((f64::from(state.values[0][0][0]) - due).abs() < 1e-6);
}

/// Forward Euler on a map that doubles each rounding error per step: f32 is lost after 24 steps, pairs hold on for twice as many.
#[test]
fn pairs_keep_twice_the_bits() {
    let model = |precision: &str| {
        format!(
            "precision = '{precision}'\nupdate = 'x = 2*x - floor(2*x)'\n[state]\nx = 'start'\n[parameters]\nstart = 0.12345678901234567\n"
        )
    };
    let exact = (0..36).fold(0.123_456_789_012_345_67_f64, |x, _| 2.0 * x - (2.0 * x).floor());
    let start = f64::from(0.123_456_789_012_345_67_f64 as f32);
    let rounded = (0..20).fold(start, |x, _| 2.0 * x - (2.0 * x).floor());
    let last = |precision: &str, steps: u64| f64::from(run(&model(precision), 1, 0.1, steps).1.values[0][0][0]);
    assert!((last("single", 20) - rounded).abs() < 1e-6, "{exact}");
    let nearly = "update = 'x = 4.0*x*(1 - x)'\n[state]\nx = 0.3\n";
    let map =
        |steps: u64, precision: &str| f64::from(run(&format!("precision = '{precision}'\n{nearly}"), 1, 0.1, steps).1.values[0][0][0]);
    let due = (0..25).fold(f64::from(0.3_f32), |x, _| 4.0 * x * (1.0 - x));
    assert!((map(25, "pairs") - due).abs() < 1e-4, "{} {due}", map(25, "pairs"));
    assert!((map(25, "single") - due).abs() > 1e-2);
}

#[test]
fn mistakes_are_told_at_their_place_with_units_and_a_remedy() {
    let model = |equations: &str, more: &str| {
        format!("equations = '''\n{equations}\n'''\n{more}\n[parameters]\ntau = '10 ms'\ng = '3 nS'\n[state]\nV = '0 mV'\n")
    };
    let good = "dV/dt = -V/tau";
    for (equations, more, words) in [
        ("dV/dt = -V/tau + xi", "", vec!["cannot add", "is a factor missing"]),
        ("dV/dt = -V", "", vec!["dV/dt must be", "multiply it by something in"]),
        ("dV/dt = -V/tau + (1 mV)*sqrt(1/tau)*xi^2", "", vec![]),
        ("dV/dt = -V/tau + (1 mV/ms)*abs(xi*sqrt(1 ms))", "", vec!["not linear in its white noise"]),
        ("dV/dt = (g - V)/tau", "", vec!["cannot subtract nS and mV"]),
        ("dV/dt = -V/tau + 3", "", vec!["give the bare number a unit"]),
        ("dV/dt = -Q/tau", "", vec!["`Q` is not known here"]),
        ("dV/dt = -V/tua", "", vec!["did you mean `tau`"]),
        (good, "method = 'rk5'", vec!["`method` is one of"]),
        (good, "threshold = 'escape(3)'", vec!["takes a rate in kHz", "20 Hz"]),
        (good, "threshold = 'V > 3 ms'", vec!["cannot compare mV and ms"]),
        (good, "events.x = { condition = 'V > 0 mV' }", vec!["needs a `condition` and an `action`"]),
        (good, "events.x = { condition = 'V > 0 mV', action = 'W = 0 mV' }", vec!["nothing below uses it"]),
        (good, "functions = 'exp(x) = x'", vec!["there is already a function `exp`"]),
        (good, "functions = 'f(x) = f(x)'\nthreshold = 'f(1) > 0'", vec!["there is no function `f`"]),
        ("dV/dt = -f(V)/tau", "functions = 'f(x) = x + 1 ms'", vec!["cannot add mV and ms", "with x in mV"]),
        ("dV/dt = -f(V, V)/tau", "functions = 'f(x) = x'", vec!["takes 1 arguments, not 2"]),
        ("dV/dt = -V/tau", "threshold = 'V > 0 mV'\nreset = 'V = rising(V, 0 mV)'", vec!["belongs into a threshold"]),
    ] {
        let told = try_run(&model(equations, more), 1, 0.1, 1, "").map(|_| ()).err().unwrap_or_else(|| panic!("taken: {equations} {more}"));
        assert!(told.contains("language.toml:"), "no place: {told}");
        assert!(words.iter().all(|w| told.contains(w)), "{equations} {more}: {told}");
    }
}

/// Functions that call each other twice grow without bound; the text is refused and nothing hangs.
#[test]
fn a_text_that_stands_for_too_much_is_refused() {
    let mut functions = String::from("f0(x) = x*x + x\n");
    (1..60).for_each(|k| functions += &format!("f{k}(x) = f{}(x) + f{}(x + 1)\n", k - 1, k - 1));
    let model = format!("functions = '''\n{functions}'''\nupdate = 'x = f59(x)'\n[state]\nx = 0\n");
    let told = try_run(&model, 1, 0.1, 1, "").map(|_| ()).unwrap_err();
    assert!(told.contains("terms"), "{told}");
}
