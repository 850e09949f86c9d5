//! Weights that change: NEST's traces, a second f64 implementation of every rule over hand-made and random trains, the window of
//! pairings, and the same bits for any number of threads and steps of a batch, over saves, checkpoints and edits.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::slice::from_ref;
use std::sync::Arc;

use common::learning::{engine, kept_in_a_file, projection};
use common::{advance, cpu, edit_equals_restart, load, origin, planned, rendered, start};
use serde_json::Value;
use synfire::base::rng::Stream;
use synfire::plan::{Connection, Harvest, Plan, connections, plan};

/// Cells that spike when they are told to, and tell what arrives at them.
const CELLS: &str = "[models.relay]\nupdate = \"\"\"\ngot = in\ncount = fire\n\"\"\"\nthreshold = \"count > 0\"\n\
                     [models.relay.state]\ngot = \"0 pA\"\ncount = 0\n[models.relay.receptors]\nin = \"pA\"\nfire = \"1\"\n";

/// Spikes at these steps, for each cell of a population.
fn told(population: &str, trains: &[Vec<u32>]) -> String {
    let mut out = String::new();
    for (i, train) in trains.iter().enumerate().filter(|t| !t.1.is_empty()) {
        let times: Vec<String> = train.iter().map(|k| format!("\"{:.1} ms\"", f64::from(*k) / 10.0)).collect();
        let _ = write!(
            out,
            "[[stimuli]]\nkind = \"spikes\"\nto = \"{population}[{i}]\"\nreceptor = \"fire\"\nweight = 1\ntimes = [{}]\n",
            times.join(", ")
        );
    }
    out
}

/// Trains of sources and of targets, all connected with all.
fn scene(base: &str, parameters: &str, weight: &str, delay: &str, pre: &[Vec<u32>], post: &[Vec<u32>]) -> String {
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"5 s\"\nseed = 8\n{CELLS}[synapses.changing]\nbase = \"{base}\"\n\
         [synapses.changing.parameters]\n{parameters}[populations.pre]\nmodel = \"relay\"\nsize = {}\n\
         [populations.post]\nmodel = \"relay\"\nsize = {}\n[[projections]]\nfrom = \"pre\"\nto = \"post\"\nrule = \"all_to_all\"\nreceptor = \"in\"\n\
         weight = \"{weight}\"\nw_max = \"100 pA\"\ndelay = \"{delay}\"\nsynapse = \"changing\"\n{}{}\
         [[probes]]\nrecord = \"got\"\nof = \"post\"\nevery = \"0.1 ms\"\n",
        pre.len(),
        post.len(),
        told("pre", pre),
        told("post", post)
    )
}

#[test]
fn pairs_give_the_weights_of_nest() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/protocol.json");
    let protocol: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (name, base) in [("pair_additive", "stdp_pair"), ("pair_additive", "stdp_power"), ("pair_multiplicative", "stdp_power")] {
        let entry = &protocol["stdp"][name];
        let numbers = |key: &str| entry[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<f64>>();
        let steps = |key: &str| numbers(key).iter().map(|t| (t * 10.0).round() as u32).collect::<Vec<u32>>();
        let mut parameters = format!("tau_minus = \"{} ms\"\ntau_plus = \"{} ms\"\n", entry["tau_minus"], entry["par"]["tau_plus"]);
        for key in ["lambda", "alpha", "mu_plus", "mu_minus"] {
            if base == "stdp_power" || !key.starts_with("mu") {
                let _ = writeln!(parameters, "{key} = {}", entry["par"][key]);
            }
        }
        let text = scene(base, &parameters, "40 pA", "1 ms", &[steps("pre")], &[steps("post")]);
        let harvest = engine(&planned(&text), 1, None).advance(20_020).unwrap();
        let got: BTreeMap<u32, f32> = harvest.samples.iter().map(|s| (s.step, s.values[0])).collect();
        for (k, expected) in steps("pre").iter().zip(numbers("weight_at_pre")) {
            let w = f64::from(got[&(k + 10)]);
            assert!((w - expected).abs() < 3e-4, "{name} by {base} at step {k}: {w} pA, NEST {expected}");
        }
    }
}

/// A rule as sums over all earlier spikes of the two trains, in f64.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Power { alpha: f64, mu: [f64; 2] },
    Nearest,
    Triplet,
    Vogels,
}

const TAU_PLUS: f64 = 17.0;
const TAU_MINUS: f64 = 33.0;
const LAMBDA: f64 = 0.04;

/// Sum of exp(-age/tau) over the times of a train before `now`; of the last of them alone for nearest neighbours.
fn trace(train: &[f64], now: f64, tau: f64, nearest: bool) -> f64 {
    let ages: Vec<f64> = train.iter().filter(|t| **t < now - 1e-6).map(|t| now - t).collect();
    if nearest { ages.last().map_or(0.0, |age| (-age / tau).exp()) } else { ages.iter().map(|age| (-age / tau).exp()).sum() }
}

/// The weight of one synapse after all events up to `end`, with those of the target delayed, and of the target first.
fn settled(rule: Rule, w: f64, delay: f64, pre: &[f64], post: &[f64], end: f64) -> f64 {
    let arrivals: Vec<f64> = post.iter().map(|s| s + delay).collect();
    let mut events: Vec<(f64, bool)> = arrivals.iter().map(|e| (*e, false)).chain(pre.iter().map(|t| (*t, true))).collect();
    events.retain(|e| e.0 < end + 1e-6);
    // Times that are equal up to rounding are one step.
    events.sort_by(|a, b| ((a.0 * 10.0).round(), a.1).partial_cmp(&((b.0 * 10.0).round(), b.1)).unwrap());
    let mut w = w;
    for (now, source) in events {
        let nearest = matches!(rule, Rule::Nearest);
        let (r1, o1) = (trace(pre, now, TAU_PLUS, nearest), trace(&arrivals, now, TAU_MINUS, nearest));
        let change = match (rule, source) {
            (Rule::Power { alpha, mu }, true) => -alpha * LAMBDA * w.powf(mu[1]) * o1,
            (Rule::Power { mu, .. }, false) => LAMBDA * (1.0 - w).powf(mu[0]) * r1,
            (Rule::Nearest, true) => -1.2 * LAMBDA * w.powf(0.3) * o1,
            (Rule::Nearest, false) => LAMBDA * (1.0 - w).powf(0.6) * r1,
            (Rule::Triplet, true) => -o1 * (0.02 + 0.01 * trace(pre, now, 101.0, false)),
            (Rule::Triplet, false) => r1 * (0.005 + 0.03 * trace(&arrivals, now, 125.0, false)),
            (Rule::Vogels, true) => LAMBDA * (trace(&arrivals, now, 20.0, false) - 2.0 * 0.01 * 20.0),
            (Rule::Vogels, false) => LAMBDA * trace(pre, now, 20.0, false),
        };
        w = (w + change).clamp(0.0, 1.0);
    }
    w
}

fn rules() -> Vec<(Rule, &'static str, String)> {
    let times = format!("tau_plus = \"{TAU_PLUS} ms\"\ntau_minus = \"{TAU_MINUS} ms\"\n");
    let power = |alpha: f64, mu: [f64; 2]| {
        let parameters = format!("lambda = {LAMBDA}\nalpha = {alpha}\nmu_plus = {}\nmu_minus = {}\n{times}", mu[0], mu[1]);
        (Rule::Power { alpha, mu }, "stdp_power", parameters)
    };
    vec![
        (Rule::Power { alpha: 1.05, mu: [0.0, 0.0] }, "stdp_pair", format!("lambda = {LAMBDA}\nalpha = 1.05\n{times}")),
        power(1.0, [1.0, 1.0]),
        power(1.1, [0.4, 0.4]),
        power(0.9, [0.0, 1.0]),
        (Rule::Nearest, "stdp_nearest", format!("lambda = {LAMBDA}\nalpha = 1.2\nmu_plus = 0.6\nmu_minus = 0.3\n{times}")),
        (
            Rule::Triplet,
            "stdp_triplet",
            format!("A2_plus = 0.005\nA3_plus = 0.03\nA2_minus = 0.02\nA3_minus = 0.01\n{times}tau_x = \"101 ms\"\ntau_y = \"125 ms\"\n"),
        ),
        (Rule::Vogels, "vogels_2011", format!("eta = {LAMBDA}\nrho_0 = \"10 Hz\"\ntau = \"20 ms\"\n")),
    ]
}

/// Every order and coincidence of two spikes of either side around a delay, apart enough to be told one from another.
fn hand_made(delay: u32) -> (Vec<u32>, Vec<u32>) {
    let (mut pre, mut post) = (Vec::new(), Vec::new());
    let mut at = 300;
    for shift in -3..=3i32 {
        // The arrival of the target's spike, before, with and after the source's.
        pre.push(at);
        post.push((at as i32 - delay as i32 + shift) as u32);
        at += 400;
        // Two of the source around one of the target, and two of the target around one of the source, in neighbouring steps.
        pre.extend([at, at + 1, at + 2]);
        post.push((at as i32 + 1 - delay as i32 + shift) as u32);
        at += 400;
        pre.push(at);
        post.extend([-1, 0, 1].map(|d| (at as i32 - delay as i32 + shift + d) as u32));
        at += 400;
    }
    (pre, post)
}

fn random(stream: &Stream, number: u32, count: u32, gap: u32) -> Vec<u32> {
    let mut at = 5;
    let next = |i: u32| {
        let word = stream.block([number, i, 0, 0]);
        at += if word[0].is_multiple_of(4) { 1 + word[1] % 2 } else { 1 + word[1] % gap };
        at
    };
    (0..count).map(next).collect()
}

fn times(train: &[u32]) -> Vec<f64> {
    train.iter().map(|k| f64::from(*k) / 10.0).collect()
}

/// Differences of an engine's weights to the second implementation.
fn compare(rule: Rule, plan: &Plan, weights: &[f32], pre: &[Vec<u32>], post: &[Vec<u32>], end: u32, what: &str) {
    let p = &plan.projections[0];
    let mut all: Vec<Connection> = Vec::new();
    connections(plan, p, |c| all.push(c));
    assert_eq!(all.len(), weights.len());
    let mut moved = 0;
    for (c, w) in all.iter().zip(weights) {
        let (source, target) = (&pre[c.source as usize], &post[c.target as usize - pre.len()]);
        let begin = f64::from(c.weight) / p.weight.quanta / 100.0;
        let expected = settled(rule, begin, f64::from(c.delay) / 10.0, &times(source), &times(target), f64::from(end) / 10.0);
        assert!((f64::from(*w) - expected).abs() < 3e-5, "{what}: {} to {} over {}: {w}, expected {expected}", c.source, c.target, c.delay);
        moved += usize::from((expected - begin).abs() > 1e-3);
    }
    assert!(moved > all.len() / 2, "{what}: only {moved} of {} weights have moved", all.len());
}

#[test]
fn every_rule_agrees_with_sums_over_pairs_at_every_order_and_coincidence() {
    for (rule, base, parameters) in rules() {
        for delay in [1, 10, 37] {
            let (pre, post) = hand_made(delay);
            let plan =
                planned(&scene(base, &parameters, "50 pA", &format!("{} ms", f64::from(delay) / 10.0), from_ref(&pre), from_ref(&post)));
            let end = pre.last().unwrap() + 100;
            for (threads, batch) in [(1, None), (1, Some(1))] {
                let mut cpu = engine(&plan, threads, batch);
                cpu.advance(u64::from(end)).unwrap();
                let weights = cpu.weights(0).unwrap();
                compare(rule, &plan, &weights, from_ref(&pre), from_ref(&post), end, &format!("{rule:?}, delay {delay}, batch {batch:?}"));
            }
        }
    }
}

#[test]
fn every_rule_agrees_with_sums_over_pairs_over_random_trains_however_full_the_histories() {
    let stream = Stream::new(5, [41, 0]);
    // A silent source, one that spikes now and then, busy ones; targets that fill their histories many times over.
    let pre: Vec<Vec<u32>> = [(0, 100), (3, 2000), (60, 150), (150, 60), (400, 20), (80, 110)]
        .into_iter()
        .zip(0..)
        .map(|((n, gap), i)| random(&stream, i, n, gap))
        .collect();
    let post: Vec<Vec<u32>> = [(0, 100), (2, 900), (70, 120), (500, 16), (900, 9)]
        .into_iter()
        .zip(20..)
        .map(|((n, gap), i)| random(&stream, i, n, gap))
        .collect();
    for (rule, base, parameters) in rules() {
        let plan = planned(&scene(base, &parameters, "uniform(20 pA, 80 pA)", "uniform(0.5 ms, 3 ms)", &pre, &post));
        let mut first: Option<(Vec<f32>, Harvest)> = None;
        for (threads, batch) in [(1, None), (2, Some(1)), (3, Some(4))] {
            let mut cpu = engine(&plan, threads, batch);
            let harvest = cpu.advance(5000).unwrap();
            let weights = cpu.weights(0).unwrap();
            compare(rule, &plan, &weights, &pre, &post, 5000, &format!("{rule:?}, {threads} threads"));
            let (known, before) = first.get_or_insert_with(|| (weights.clone(), harvest.clone()));
            assert!(*known == weights && before.samples == harvest.samples, "{rule:?}, {threads} threads, batch {batch:?}");
        }
    }
}

#[test]
fn sixty_pairings_give_the_window_of_stdp() {
    for gap in [-60i32, -20, -5, -1, 1, 5, 20, 60] {
        // The target's spike arrives `gap` ms after the source's.
        let pre: Vec<u32> = (1..=60).map(|i| i * 4000).collect();
        let post: Vec<u32> = pre.iter().map(|k| (*k as i32 + 10 * gap - 10) as u32).collect();
        let text = scene("stdp_pair", "lambda = 0.005\nalpha = 1.05\ntau_minus = \"34 ms\"\n", "50 pA", "1 ms", from_ref(&pre), &[post]);
        let mut cpu = engine(&planned(&text), 1, None);
        cpu.advance(242_000).unwrap();
        let change = f64::from(cpu.weights(0).unwrap()[0]) - 0.5;
        let size = f64::from(gap.abs());
        let expected = 60.0 * if gap > 0 { 0.005 * (-size / 20.0).exp() } else { -1.05 * 0.005 * (-size / 34.0).exp() };
        assert!((change - expected).abs() < 2e-5, "{gap} ms: {change}, expected {expected}");
    }
}

/// A recurrent network whose excitatory and inhibitory weights change, beside static and depressing synapses.
fn network() -> String {
    let projections = [
        projection("exc", "exc", 0.1, "uniform(0 pA, 80 pA)", "1.5 ms", "synapse = \"pair\"\nw_max = \"80 pA\"\n"),
        projection("exc", "inh", 0.2, "40 pA", "uniform(0.8 ms, 2 ms)", "synapse = \"tsodyks_markram\"\n"),
        projection("inh", "exc", 0.2, "-100 pA", "uniform(0.8 ms, 3 ms)", "synapse = \"vogels_2011\"\nw_max = \"-400 pA\"\n"),
        projection("inh", "inh", 0.2, "-150 pA", "1 ms", ""),
        projection("exc", "inh", 0.1, "30 pA", "1 ms", "synapse = \"pair\"\nw_max = \"60 pA\"\n"),
    ]
    .concat();
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 4\n[parameters]\nlambda = 0.05\n\
         [synapses.pair]\nbase = \"stdp_pair\"\n[synapses.pair.parameters]\nlambda = \"lambda\"\nalpha = 1.1\n\
         [populations.exc]\nmodel = \"iaf_psc_exp\"\nsize = 300\ninitial.V_m = \"uniform(-70 mV, -55 mV)\"\n\
         [populations.inh]\nlike = \"exc\"\nsize = 80\n{projections}\
         [[stimuli]]\nkind = \"poisson\"\nto = [\"exc\", \"inh\"]\nrate = \"9 kHz\"\nweight = \"60 pA\"\n\
         [[probes]]\nrecord = \"V_m\"\nof = \"exc[0..5]\"\nevery = \"0.5 ms\"\n"
    )
}

fn whole(threads: usize, batch: Option<usize>, steps: u64) -> (Harvest, Vec<Vec<f32>>) {
    let plan = planned(&network());
    let mut cpu = engine(&plan, threads, batch);
    let harvest = cpu.advance(steps).unwrap();
    assert!(harvest.spikes.len() > 1500, "{} spikes", harvest.spikes.len());
    (harvest, [0, 2, 4].map(|i| cpu.weights(i).unwrap()).to_vec())
}

#[test]
fn threads_and_batches_give_the_same_weights_and_spikes() {
    let expected = whole(1, None, 3000);
    for (threads, batch) in [(1, Some(1)), (2, None), (3, Some(3))] {
        assert!(whole(threads, batch, 3000) == expected, "{threads} threads, batch {batch:?}");
    }
}

#[test]
fn looking_and_saving_do_not_change_what_follows() {
    let expected = whole(2, None, 3000);
    let mut cpu = engine(&planned(&network()), 2, None);
    let mut spikes = Vec::new();
    for _ in 0..30 {
        spikes.extend(cpu.advance(100).unwrap().spikes);
        assert!(cpu.save().weights[0] == cpu.weights(0).unwrap());
    }
    assert!(spikes == expected.0.spikes && cpu.weights(4).unwrap() == expected.1[2]);
    // Going on from what was saved is going on.
    let mut cpu = engine(&planned(&network()), 1, None);
    let mut spikes = Vec::new();
    for k in 0..10 {
        spikes.extend(cpu.advance(300).unwrap().spikes);
        let state = cpu.save();
        cpu = engine(&planned(&network()), 1 + k % 3, [None, Some(1), Some(5)][k % 3]);
        cpu.restore(&state);
        assert_eq!(cpu.save(), state);
    }
    assert!(spikes == expected.0.spikes && cpu.weights(0).unwrap() == expected.1[0]);
}

#[test]
fn a_checkpoint_file_keeps_weights_and_histories_and_damage_is_told() {
    let (plan, saved) = kept_in_a_file(&network(), "plasticity.npz");
    let mut bad = saved.clone();
    bad.weights[0][3] = 1.5;
    assert!(bad.fits(&plan).unwrap_err().contains("beyond the largest"));
    let mut bad = saved.clone();
    bad.weights.pop();
    assert!(bad.fits(&plan).unwrap_err().contains("change in another way"));
    let mut bad = saved.clone();
    bad.histories[0].spikes.push([0, 100_000]);
    assert!(bad.fits(&plan).unwrap_err().contains("damaged"));
    let mut bad = saved;
    bad.histories[0].spikes.push([100_000, 1500]);
    assert!(bad.fits(&plan).unwrap_err().contains("damaged"));
}

#[test]
fn an_edit_of_a_rule_equals_a_restart_from_there() {
    for (address, value) in [("lambda", "0.2"), ("pair.tau_plus", "5 ms"), ("pair.tau_minus", "90 ms"), ("exc->exc.w_max", "90 pA")] {
        edit_equals_restart(&network(), address, value, 1500);
    }
}

#[test]
fn a_synapse_takes_eight_bytes_and_probes_give_weights_in_their_unit() {
    let plan = planned(&network());
    let sources = plan.projections.iter().filter(|p| p.plastic.is_some()).map(|p| u64::from(p.from.len()) * 8).sum::<u64>();
    let plastic: u64 = plan.projections.iter().filter(|p| p.plastic.is_some()).map(|p| p.wiring.counted()).sum();
    let without = planned(
        &network()
            .replace("synapse = \"pair\"\n", "")
            .replace("w_max = \"80 pA\"\n", "")
            .replace("w_max = \"60 pA\"\n", "")
            .replace("synapse = \"vogels_2011\"\nw_max = \"-400 pA\"\n", ""),
    );
    assert!(without.traces.len() < plan.traces.len());
    let bytes = |plan: &Arc<Plan>| engine(plan, 1, None).synapse_bytes();
    assert!(bytes(&plan) >= plastic * 8 + sources && bytes(&plan) <= plastic * 8 + bytes(&without));
    let text = format!("{}[[probes]]\nrecord = \"weights\"\nof = \"inh->exc\"\n", network());
    let mut simulation = start(origin(&text, None, &[]), &cpu(), None);
    advance(&mut simulation, 800, 800);
    let mut found = Vec::new();
    let each = |_: Connection, w: f32| {
        found.push(w);
        Ok(())
    };
    simulation.weights(0, each).unwrap();
    let state = simulation.save().unwrap();
    assert_eq!(found.len(), state.weights[1].len());
    assert!(found.iter().zip(&state.weights[1]).all(|(a, w)| (a + 400.0 * w).abs() < 1e-3));
    assert!(found.iter().any(|w| (w + 100.0).abs() > 5.0), "weights must have moved");
}

#[test]
fn what_cannot_be_is_told_with_a_remedy() {
    let own = "[synapses.own]\nequations = \"\"\"\nda/dt = -a/tau\ndb/dt = -b/tau\n\"\"\"\non_pre = \"w -= b; a += 1\"\non_post = \"w += a; b += 1\"\n\
               [synapses.own.parameters]\ntau = \"20 ms\"\n[synapses.own.source]\na = 0\n[synapses.own.target]\nb = 0\n";
    let good = network().replace("[synapses.pair]", &format!("{own}[synapses.pair]"));
    assert!(origin(&good, None, &[]).load().is_ok());
    for (from, to, message) in [
        ("w_max = \"80 pA\"\n", "", "there is no largest weight"),
        ("w_max = \"80 pA\"", "w_max = \"0 pA\"", "a largest weight of 0"),
        ("w_max = \"80 pA\"", "w_max = \"80 mV\"", "expected a value in pA"),
        ("synapse = \"tsodyks_markram\"\n", "synapse = \"tsodyks_markram\"\nw_max = \"80 pA\"\n", "does not change the weights"),
        ("delay = \"1 ms\"\n", "delay = \"1 ms\"\nw_max = \"80 pA\"\n", "w_max is of weights that change"),
        ("on_pre = \"w -= b; a += 1\"", "on_pre = \"w -= b; a += b\"", "`a` is of the source, one for all its synapses"),
        ("on_pre = \"w -= b; a += 1\"", "on_pre = \"w -= b; b += 1\"", "`b` is a trace of the target, and `on_pre` is of the source"),
        ("on_pre = \"w -= b; a += 1\"", "on_pre = \"w -= b; factor = 0.5\"", "changes both the weight `w` and the `factor`"),
        ("on_post = \"w += a; b += 1\"", "on_post = \"w += a; b += w\"", "`b` is of the target"),
        ("on_post = \"w += a; b += 1\"", "on_post = \"w += a; factor = 0.5\"", "belongs into `on_pre`"),
        ("on_post = \"w += a; b += 1\"", "on_post = \"w += a*1 ms\"", "`w` must be a bare number"),
        (
            "on_pre = \"w -= b; a += 1\"\non_post = \"w += a; b += 1\"",
            "on_pre = \"a += 1\"\non_post = \"b += 1\"",
            "never changes the weight",
        ),
        ("da/dt = -a/tau", "da/dt = -a*b/tau", "not linear in `a` alone"),
    ] {
        assert!(good.contains(from), "{from}");
        let problems = origin(&good.replacen(from, to, 1), None, &[]).load().expect_err(to);
        assert!(rendered(&problems).contains(message), "{to}: {}", rendered(&problems));
    }
    for (from, to, message) in [
        ("uniform(0 pA, 80 pA)", "uniform(0 pA, 90 pA)", "kept between 0 and w_max = 80"),
        ("\"-100 pA\"", "\"100 pA\"", "kept between 0 and w_max = -400"),
        ("w_max = \"80 pA\"", "w_max = \"80 pA\"\nstorage = \"procedural\"", "weights that change must be kept"),
    ] {
        let network = load(&origin(&good.replacen(from, to, 1), None, &[])).network;
        let error = plan(&network).err().unwrap().message;
        assert!(error.contains(message), "{to}: {error}");
    }
}
