//! Closed forms: Poisson counts, noise currents, f-I curves, postsynaptic potentials, refractory periods; on both engines.

mod common;

use common::{cpu, machines, run};

const READER: &str = r#"
[models.reader]
update = "x = in + I"
[models.reader.state]
x = 0
[models.reader.receptors]
in = "1"
[models.reader.inputs]
I = "1"
"#;

fn head(rest: &str) -> String {
    format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 6\n{rest}")
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// The k-th moment about the mean.
fn moment(x: &[f64], k: i32) -> f64 {
    let m = mean(x);
    x.iter().map(|y| (y - m).powi(k)).sum::<f64>() / x.len() as f64
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (ma, mb) = (mean(a), mean(b));
    a.iter().zip(b).map(|(x, y)| (x - ma) * (y - mb)).sum::<f64>() / a.len() as f64 / (moment(a, 2) * moment(b, 2)).sqrt()
}

/// What `size` readers see at each step: rows of time.
fn seen(stimuli: &str, size: u32, steps: u64, machine: &synfire::session::Machine) -> Vec<Vec<f64>> {
    let text = head(&format!(
        "{READER}[populations.a]\nmodel = \"reader\"\nsize = {size}\n{stimuli}\n[[probes]]\nrecord = \"x\"\nof = \"a\"\nevery = \"0.1 ms\"\n"
    ));
    run(&text, machine, steps).samples.into_iter().map(|s| s.values.iter().map(|x| f64::from(*x)).collect()).collect()
}

fn poisson(rate: &str) -> String {
    format!("[[stimuli]]\nkind = \"poisson\"\nto = \"a\"\nreceptor = \"in\"\nrate = {rate}\nweight = 1\n")
}

/// Both engines draw the same; what they drew is returned once.
fn drawn(stimuli: &str, size: u32, steps: u64) -> Vec<Vec<f64>> {
    let first = seen(stimuli, size, steps, &cpu());
    assert_eq!(first.len(), steps as usize);
    for machine in machines() {
        let other = seen(stimuli, size, steps.min(200), machine);
        assert!(other[..] == first[..other.len()], "the engines draw differently");
    }
    first
}

/// Counts of a mean: mean, variance and third moment of a Poisson law, all equal to the mean.
fn is_poisson(what: &str, counts: &[f64], rate: f64) {
    let n = counts.len() as f64;
    assert!((mean(counts) - rate).abs() < 5.0 * (rate / n).sqrt(), "{what}: mean {}, expected {rate}", mean(counts));
    let (error_2, error_3) = ((2.0 * rate * rate + rate) / n, (15.0 * rate.powi(3) + 25.0 * rate * rate + rate) / n);
    assert!((moment(counts, 2) - rate).abs() < 5.0 * error_2.sqrt(), "{what}: variance {}, expected {rate}", moment(counts, 2));
    assert!((moment(counts, 3) - rate).abs() < 5.0 * error_3.sqrt(), "{what}: third moment {}, expected {rate}", moment(counts, 3));
    assert!(counts.iter().all(|c| *c >= 0.0 && c.fract() == 0.0), "{what}: no counts");
}

#[test]
fn poisson_counts_have_the_moments_of_their_rate_and_no_memory() {
    for (rate, expected) in [("\"20 Hz\"", 0.002), ("\"8 kHz\"", 0.8), ("\"400 kHz\"", 40.0)] {
        let rows = drawn(&poisson(rate), 200, 2000);
        let all: Vec<f64> = rows.iter().flatten().copied().collect();
        is_poisson(rate, &all, expected);
        let bound = 5.0 / (all.len() as f64).sqrt();
        // In time, within and across the four steps that share one block of random words; and between neighbours.
        for lag in [1, 2, 3, 4, 5] {
            let r = correlation(&all[..all.len() - lag * 200], &all[lag * 200..]);
            assert!(r.abs() < bound, "{rate}: {lag} steps apart correlate by {r}");
        }
        let r = correlation(&all[..all.len() - 1], &all[1..]);
        assert!(r.abs() < bound, "{rate}: neighbours correlate by {r}");
    }
}

#[test]
fn two_poisson_drives_add_up_and_are_independent() {
    let both = drawn(&(poisson("\"3 kHz\"") + &poisson("\"3 kHz\"")), 300, 1000);
    is_poisson("the sum", &both.into_iter().flatten().collect::<Vec<_>>(), 0.6);
}

#[test]
fn rates_by_neuron_and_in_time_are_poisson_at_each_of_their_values() {
    let each: Vec<String> = (0..4).map(|i| format!("\"{} kHz\"", 1 + 2 * i)).collect();
    let rows = drawn(&poisson(&format!("[{}]", each.join(", "))), 4, 40_000);
    for i in 0..4 {
        let counts: Vec<f64> = rows.iter().map(|r| r[i]).collect();
        is_poisson(&each[i], &counts, 0.1 * (1 + 2 * i) as f64);
    }
    let rows = drawn(&poisson("{ steps = [[\"2 ms\", \"4 kHz\"], [\"22 ms\", \"0 Hz\"], [\"42 ms\", \"9 kHz\"]] }"), 400, 620);
    let between = |from: usize, to: usize| rows[from..to].iter().flatten().copied().collect::<Vec<f64>>();
    assert!(between(0, 20).iter().all(|c| *c == 0.0) && between(220, 420).iter().all(|c| *c == 0.0));
    is_poisson("4 kHz", &between(20, 220), 0.4);
    is_poisson("9 kHz", &between(420, 620), 0.9);
    // The change is exact to the step: the step that begins at 2 ms is the first.
    assert!(rows[20].iter().sum::<f64>() > 0.0);
}

#[test]
fn noise_currents_are_normal_held_and_independent() {
    let rows = drawn("[[stimuli]]\nkind = \"noise\"\nto = \"a\"\nmean = 3\nsd = 2\nevery = \"0.5 ms\"\n", 400, 2000);
    for block in rows.chunks(5) {
        assert!(block.iter().all(|row| *row == block[0]), "a draw is held for five steps");
    }
    let draws: Vec<f64> = rows.iter().step_by(5).flatten().copied().collect();
    let n = draws.len() as f64;
    assert!((mean(&draws) - 3.0).abs() < 5.0 * 2.0 / n.sqrt(), "{}", mean(&draws));
    assert!((moment(&draws, 2) / 4.0 - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "{}", moment(&draws, 2));
    assert!((moment(&draws, 3) / 8.0).abs() < 5.0 * (6.0 / n).sqrt(), "{}", moment(&draws, 3));
    assert!((moment(&draws, 4) / 16.0 - 3.0).abs() < 5.0 * (24.0 / n).sqrt(), "{}", moment(&draws, 4));
    for lag in [1, 400, 800, 1200, 1600] {
        let r = correlation(&draws[..draws.len() - lag], &draws[lag..]);
        assert!(r.abs() < 5.0 / n.sqrt(), "{lag}: {r}");
    }
}

#[test]
fn direct_stepped_and_sinusoidal_currents_are_what_is_written() {
    let rows = drawn(
        "[[stimuli]]\nkind = \"current\"\nto = \"a\"\namplitude = 0.5\nstart = \"1 ms\"\nstop = \"3 ms\"\n\
         [[stimuli]]\nkind = \"current\"\nto = \"a\"\nsteps = [[\"2 ms\", 10], [\"5 ms\", -2]]\n\
         [[stimuli]]\nkind = \"sine\"\nto = \"a\"\noffset = 100\namplitude = 7\nfrequency = \"50 Hz\"\nphase = 0.4\n",
        3,
        100,
    );
    for (step, row) in rows.iter().enumerate() {
        let t = step as f64 * 0.1;
        let pulse = if (10..30).contains(&step) { 0.5 } else { 0.0 };
        let stairs = if step >= 50 {
            -2.0
        } else if step >= 20 {
            10.0
        } else {
            0.0
        };
        let sine = 100.0 + 7.0 * (std::f64::consts::TAU * 0.05 * t + 0.4).sin();
        assert!(row.iter().all(|x| (x - pulse - stairs - sine).abs() < 2e-5), "step {step}: {row:?}");
    }
}

/// Intervals of a linear integrate-and-fire cell, in steps: the refractory steps and the steps from reset to threshold.
#[test]
fn rates_of_integrate_and_fire_cells_follow_the_closed_form_to_the_step() {
    for model in ["iaf_psc_exp", "iaf_psc_alpha", "iaf_psc_delta", "iaf_cond_exp"] {
        for (dt, t_ref) in [(0.1, 2.0), (0.05, 0.0), (0.2, 5.0)] {
            // C_m 250 pF over 10 ms is a leak of 25 nS: 16.6667 nS in the conductance model, and 15 ms.
            let (leak, tau, reset) = if model == "iaf_cond_exp" { (16.6667, 250.0 / 16.6667, -60.0) } else { (25.0, 10.0, -65.0) };
            for drive in [14.9, 15.31, 17.7, 29.0, 61.3] {
                let text = format!(
                    "format = 1\n[run]\ndt = \"{dt} ms\"\nduration = \"1 s\"\n[populations.a]\nmodel = \"{model}\"\nsize = 1\n\
                     parameters.V_reset = \"{reset} mV\"\nparameters.t_ref = \"{t_ref} ms\"\nparameters.I_e = \"{} pA\"\n",
                    drive * leak
                );
                let reach = |from: f64| (tau / dt * ((-70.0 + drive - from) / (-70.0 + drive + 55.0)).ln()).ceil() as u32;
                for machine in machines() {
                    let steps: Vec<u32> = run(&text, machine, 3000).spikes.iter().map(|s| s.step).collect();
                    if drive < 15.0 {
                        assert!(steps.is_empty(), "{model} must be silent at {drive} mV: {steps:?}");
                        continue;
                    }
                    assert_eq!(steps[0], reach(-70.0), "{model}, dt {dt}: first spike at {drive} mV");
                    let interval = (t_ref / dt).round() as u32 + reach(reset);
                    assert!(steps.len() >= 3, "{model} at {drive} mV: {steps:?}");
                    assert!(
                        steps.windows(2).all(|w| w[1] - w[0] == interval),
                        "{model}, dt {dt}, {drive} mV: {steps:?}, expected {interval}"
                    );
                }
            }
        }
    }
}

/// Potential over rest after one input of weight w at 1 ms, sampled each step.
fn psp(model: &str, weight: &str, parameters: &str, machine: &synfire::session::Machine) -> Vec<f64> {
    let text = head(&format!(
        "[populations.a]\nmodel = \"{model}\"\nsize = 1\n{parameters}\n[[stimuli]]\nkind = \"spikes\"\nto = \"a\"\ntimes = [\"1 ms\"]\nweight = \"{weight}\"\n\
         [[probes]]\nrecord = \"V_m\"\nof = \"a\"\nevery = \"0.1 ms\"\n"
    ));
    run(&text, machine, 600).samples.iter().map(|s| f64::from(s.values[0]) + 70.0).collect()
}

fn follows(what: &str, found: &[f64], expected: impl Fn(f64) -> f64) {
    let (mut worst, mut most) = (0.0f64, 0.0f64);
    for (k, v) in found.iter().enumerate() {
        let t = ((k + 1) as f64 - 10.0) * 0.1;
        let e = if t < 0.0 { 0.0 } else { expected(t) };
        worst = worst.max((v - e).abs());
        most = most.max(e.abs());
    }
    // f32 near -70 mV has a grain of 7.6e-6 mV, and the rounding of some ten steps adds up.
    assert!(worst < 1e-4 && most > 0.05, "{what}: {worst} mV off, peak {most}");
}

#[test]
fn postsynaptic_potentials_have_the_shape_and_peak_of_the_closed_form() {
    let (c, tau) = (250.0f64, 10.0f64);
    for machine in machines() {
        for (tau_s, w) in [(0.5, 87.81), (2.0, -60.0), (9.999, 40.0), (10.0, 40.0), (10.001, 40.0), (25.0, 40.0)] {
            let receptor = if w > 0.0 { "exc" } else { "inh" };
            let parameters = format!("parameters.tau_syn_{receptor} = \"{tau_s} ms\"");
            let near = (tau_s - tau).abs() < 0.01;
            let exponential = |t: f64| {
                if near {
                    w / c * t * (-t / tau).exp()
                } else {
                    w / c * tau_s * tau / (tau - tau_s) * ((-t / tau).exp() - (-t / tau_s).exp())
                }
            };
            let found = psp("iaf_psc_exp", &format!("{w} pA"), &parameters, machine);
            // Near the singularity the limit itself is off by its distance.
            if !near || tau_s == tau {
                follows(&format!("exp, {tau_s} ms"), &found, exponential);
            } else {
                assert!(found.iter().enumerate().skip(10).all(|(k, v)| (v - exponential((k as f64 - 9.0) * 0.1)).abs() < 2e-4), "{tau_s}");
            }
            let alpha = |t: f64| {
                let k = w * std::f64::consts::E / (tau_s * c);
                if near {
                    k * t * t / 2.0 * (-t / tau).exp()
                } else {
                    let d = 1.0 / tau_s - 1.0 / tau;
                    k * ((-t / tau).exp() / (d * d) - (-t / tau_s).exp() * (t / d + 1.0 / (d * d)))
                }
            };
            let found = psp("iaf_psc_alpha", &format!("{w} pA"), &parameters, machine);
            if !near || tau_s == tau {
                follows(&format!("alpha, {tau_s} ms"), &found, alpha);
            } else {
                assert!(found.iter().enumerate().skip(10).all(|(k, v)| (v - alpha((k as f64 - 9.0) * 0.1)).abs() < 2e-3), "{tau_s}");
            }
        }
        follows("delta", &psp("iaf_psc_delta", "3 mV", "", machine), |t| 3.0 * (-t / tau).exp());
        // 87.81 pA of 0.5 ms peak at 0.15 mV (Potjans & Diesmann 2014).
        let peak = psp("iaf_psc_exp", "87.81 pA", "parameters.tau_syn_exc = \"0.5 ms\"", machine).into_iter().fold(0.0, f64::max);
        assert!((peak - 0.15).abs() < 1e-4, "{peak}");
    }
}

/// A drive that fires the cell in every step that it may: the refractory period alone sets the interval.
#[test]
fn refractory_periods_are_exact_in_steps_for_every_length() {
    for machine in machines() {
        for model in ["iaf_psc_exp", "iaf_psc_delta", "iaf_psc_alpha"] {
            for length in [0, 1, 2, 3, 7, 20, 53, 250] {
                let text = head(&format!(
                    "[populations.a]\nmodel = \"{model}\"\nsize = 2\nparameters.t_ref = \"{} ms\"\nparameters.I_e = \"1 mA\"\n",
                    f64::from(length) / 10.0
                ));
                let steps: Vec<u32> = run(&text, machine, 600).spikes.iter().filter(|s| s.neuron == 1).map(|s| s.step).collect();
                let expected: Vec<u32> = (1..=600).step_by(length as usize + 1).collect();
                assert_eq!(steps, expected, "{model}, {length} steps");
            }
        }
    }
}

/// Lengths that differ by neuron are exact too, and a drawn one is rounded to the grid.
#[test]
fn refractory_periods_by_neuron_are_exact_in_steps() {
    let text = head(
        "[populations.a]\nmodel = \"iaf_psc_delta\"\nsize = 3\nparameters.t_ref = [\"0.1 ms\", \"2 ms\", \"3.3 ms\"]\nparameters.I_e = \"1 mA\"\n",
    );
    for machine in machines() {
        let spikes = run(&text, machine, 200).spikes;
        for (neuron, interval) in [(0, 2), (1, 21), (2, 34)] {
            let steps: Vec<u32> = spikes.iter().filter(|s| s.neuron == neuron).map(|s| s.step).collect();
            assert!(steps.len() > 3 && steps.windows(2).all(|w| w[1] - w[0] == interval), "{neuron}: {steps:?}");
        }
    }
}
