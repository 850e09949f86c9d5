//! Cells that spike by chance: laws in closed form, and a second simulation with other random numbers.

use std::sync::Arc;

use synfire::base::problem::{Problem, Source};
use synfire::session::{Backend, Engine, choose};

use crate::Parameters;

/// Spike steps of every neuron of a scene of one population.
fn trains(text: &str, steps: u64) -> (Vec<Vec<u32>>, Parameters) {
    let source = Arc::new(Source { name: "random".into(), text: text.into() });
    let scene = synfire::scene::load(source, None, &Default::default())
        .unwrap_or_else(|p| panic!("{}", p.iter().map(Problem::render).collect::<String>()));
    let plan = Arc::new(synfire::plan::plan(&scene.network).unwrap());
    let harvest = Engine::new(plan.clone(), &choose(Backend::Cpu, None).unwrap().0).unwrap().advance(steps).unwrap();
    let mut out = vec![Vec::new(); plan.neurons as usize];
    harvest.spikes.iter().for_each(|s| out[s.neuron as usize].push(s.step));
    let model = &scene.network.populations[0].model;
    (out, model.parameters.iter().map(|p| (p.name.clone(), p.default)).collect())
}

fn scene(model: &str, size: u32, more: &str) -> String {
    format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 8\n[populations.a]\nmodel = \"{model}\"\nsize = {size}\n{more}")
}

fn mean_and_cv(intervals: &[f64]) -> (f64, f64) {
    let n = intervals.len() as f64;
    let mean = intervals.iter().sum::<f64>() / n;
    (mean, (intervals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt() / mean)
}

fn intervals(trains: &[Vec<u32>]) -> Vec<f64> {
    trains.iter().flat_map(|t| t.windows(2).map(|w| f64::from(w[1] - w[0]) * 0.1)).collect()
}

#[test]
fn a_poisson_generator_has_its_rate_and_a_dead_time_makes_it_regular() {
    let (all, _) = trains(&scene("poisson_generator", 400, "parameters.rate = \"40 Hz\"\n"), 20_000);
    let (mean, cv) = mean_and_cv(&intervals(&all));
    assert!((mean - 25.0).abs() < 0.4 && (cv - 1.0).abs() < 0.02, "{mean} {cv}");
    // With a dead time d the interval is d plus an exponential: its CV is tau/(tau + d).
    let (all, _) = trains(&scene("poisson_generator", 400, "parameters.rate = \"100 Hz\"\nparameters.dead_time = \"10 ms\"\n"), 20_000);
    let (mean, cv) = mean_and_cv(&intervals(&all));
    assert!((mean - 20.05).abs() < 0.2 && (cv - 0.5).abs() < 0.02, "{mean} {cv}");
}

#[test]
fn a_rate_generator_counts_exactly() {
    let (all, _) = trains(&scene("rate_generator", 2, "parameters.rate = \"37 Hz\"\n"), 100_000);
    assert!((369..=370).contains(&all[0].len()), "{}", all[0].len());
    let gaps: Vec<u32> = all[0].windows(2).map(|w| w[1] - w[0]).collect();
    assert!(gaps.iter().all(|g| (270..=271).contains(g)), "{gaps:?}");
}

#[test]
fn parrots_and_sources_spike_in_the_step_of_their_input() {
    for model in ["parrot", "spike_source"] {
        let more =
            "[[stimuli]]\nkind = \"spikes\"\nto = \"a\"\nreceptor = \"in\"\ntimes = [\"1 ms\", \"2.5 ms\", \"2.6 ms\"]\nweight = 1\n";
        assert_eq!(trains(&scene(model, 1, more), 100).0[0], [10, 25, 26], "{model}");
    }
}

/// A small generator of its own (xorshift), so that no random number is shared with the engine.
struct Dice(u64);

impl Dice {
    fn even(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[test]
fn a_generalised_cell_with_escape_noise_has_the_intervals_of_a_second_simulation() {
    let more = "parameters.I_e = \"180 pA\"\nparameters.lambda_0 = \"10 Hz\"\nparameters.Delta_V = \"2 mV\"\n";
    let (all, mut p) = trains(&scene("gif_psc_exp", 600, more), 10_000);
    p.extend([("I_e".to_string(), 180.0), ("lambda_0".to_string(), 0.01), ("Delta_V".to_string(), 2.0)]);
    let (mut dice, mut other) = (Dice(0x9E37_79B9_7F4A_7C15), Vec::new());
    for _ in 0..600 {
        let (mut v, mut eta, mut gamma, mut left, mut train) = (p["E_L"], [0.0; 2], [0.0; 2], 0, Vec::new());
        for k in 1..=10_000u32 {
            if left == 0 {
                for _ in 0..10 {
                    let flow = p["g_L"] * (p["E_L"] - v) - eta[0] - eta[1] + p["I_e"];
                    v += 0.01 * flow / p["C_m"];
                }
            }
            for j in 0..2 {
                eta[j] *= (-0.1 / p[["tau_eta_1", "tau_eta_2"][j]]).exp();
                gamma[j] *= (-0.1 / p[["tau_gamma_1", "tau_gamma_2"][j]]).exp();
            }
            let rate = p["lambda_0"] * ((v - p["V_T"] - gamma[0] - gamma[1]) / p["Delta_V"]).exp();
            if left == 0 && dice.even() < 1.0 - (-rate * 0.1).exp() {
                train.push(k);
                v = p["V_reset"];
                for j in 0..2 {
                    eta[j] += p[["q_eta_1", "q_eta_2"][j]];
                    gamma[j] += p[["q_gamma_1", "q_gamma_2"][j]];
                }
                left = 40;
            } else if left > 0 {
                left -= 1;
            }
        }
        other.push(train);
    }
    let ((mean, cv), (due, due_cv)) = (mean_and_cv(&intervals(&all)), mean_and_cv(&intervals(&other)));
    let count = |t: &[Vec<u32>]| t.iter().map(Vec::len).sum::<usize>() as f64;
    println!("interval {mean} and {due} ms, CV {cv} and {due_cv}, spikes {} and {}", count(&all), count(&other));
    assert!(count(&all) > 3000.0 && (count(&all) / count(&other) - 1.0).abs() < 0.02);
    assert!((mean / due - 1.0).abs() < 0.02 && (cv - due_cv).abs() < 0.02);
}
