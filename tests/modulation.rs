//! Synapses that move between spikes: reward-modulated STDP against NEST's trace, it and synaptic scaling against a second f64
//! implementation over hand-made and random trains, and the same bits for any number of threads and steps of a batch, over looks,
//! saves, checkpoints and edits.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;

use common::learning::{engine, kept_in_a_file, nothing_changes_what_follows, projection};
use common::{edit_equals_restart, npz, origin, planned, rendered};
use synfire::base::rng::Stream;
use synfire::plan::{Connection, Plan, connections};

const CELLS: &str = "[models.relay]\nupdate = \"\"\"\ngot = in\ncount = fire\n\"\"\"\nthreshold = \"count > 0\"\n\
                     [models.relay.state]\ngot = \"0 pA\"\ncount = 0\n[models.relay.receptors]\nin = \"pA\"\nfire = \"1\"\n";

/// Steps of 0.1 ms at which the cells of a population spike.
type Trains = Vec<Vec<u32>>;

/// Sources, targets and modulators that spike as told; all sources are connected with all targets.
struct Case {
    base: &'static str,
    parameters: String,
    weight: &'static str,
    delay: &'static str,
    trains: [Trains; 3],
}

impl Case {
    fn text(&self) -> String {
        let mut told = String::new();
        for (population, trains) in ["pre", "post", "reward"].iter().zip(&self.trains) {
            for (i, train) in trains.iter().enumerate().filter(|t| !t.1.is_empty()) {
                let times: Vec<String> = train.iter().map(|k| format!("\"{:.1} ms\"", f64::from(*k) / 10.0)).collect();
                let to = format!("to = \"{population}[{i}]\"\nreceptor = \"fire\"\nweight = 1");
                let _ = write!(told, "[[stimuli]]\nkind = \"spikes\"\n{to}\ntimes = [{}]\n", times.join(", "));
            }
        }
        let sizes: Vec<usize> = self.trains.iter().map(|t| t.len().max(1)).collect();
        let modulator = if self.base == "stdp_dopamine" { "modulator = \"reward\"\n" } else { "" };
        format!(
            "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"5 s\"\nseed = 8\n{CELLS}[synapses.changing]\nbase = \"{}\"\n\
             [synapses.changing.parameters]\n{}[populations.pre]\nmodel = \"relay\"\nsize = {}\n[populations.post]\nmodel = \"relay\"\nsize = {}\n\
             [populations.reward]\nmodel = \"relay\"\nsize = {}\n[[projections]]\nfrom = \"pre\"\nto = \"post\"\nrule = \"all_to_all\"\nreceptor = \"in\"\n\
             weight = \"{}\"\nw_max = \"100 pA\"\ndelay = \"{}\"\nsynapse = \"changing\"\n{modulator}{told}\
             [[probes]]\nrecord = \"got\"\nof = \"post\"\nevery = \"0.1 ms\"\n",
            self.base, self.parameters, sizes[0], sizes[1], sizes[2], self.weight, self.delay
        )
    }
}

#[test]
fn dopamine_moves_weights_as_in_nest() {
    let reference = npz("stdp_dopamine.npz");
    let steps = |key: &str| reference[key].iter().map(|t| (t * 10.0).round() as u32).collect::<Vec<u32>>();
    let parameters = "A_plus = 0.09\nA_minus = 0.06\ntau_plus = \"17 ms\"\ntau_minus = \"33 ms\"\ntau_c = \"700 ms\"\ntau_n = \"150 ms\"\nb = \"4 Hz\"\n";
    let trains = ["pre", "post", "dopa"].map(|key| vec![steps(key)]);
    let case = Case { base: "stdp_dopamine", parameters: parameters.into(), weight: "40 pA", delay: "1 ms", trains };
    let harvest = engine(&planned(&case.text()), 1, None).advance(40_100).unwrap();
    let got: BTreeMap<u32, f32> = harvest.samples.iter().map(|s| (s.step, s.values[0])).collect();
    let (mut low, mut high) = (f64::INFINITY, 0.0f64);
    for (k, expected) in steps("pre").iter().zip(&reference["weight"]) {
        let w = f64::from(got[&(k + 10)]);
        assert!((w - expected).abs() < 3e-3, "at step {k}: {w} pA, NEST {expected}");
        (low, high) = (low.min(*expected), high.max(*expected));
    }
    assert!(low < 31.0 && high > 60.0, "the trace says little: {low} to {high}");
}

/// Numbers of the second implementation, in ms and 1/ms.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Dopamine { b: f64, size: f64 },
    Scaling { lambda: f64 },
}

const TAU: [f64; 2] = [17.0, 33.0];

/// Sum over a train of exp(-age/tau) before `now`.
fn trace(train: &[f64], now: f64, tau: f64) -> f64 {
    train.iter().filter(|t| **t < now - 1e-6).map(|t| (-(now - t) / tau).exp()).sum()
}

/// Integral of a function by Simpson's rule.
fn area(f: impl Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    let n = (2.0 * ((to - from) / 2.0).ceil()).max(2.0) as usize;
    let h = (to - from) / n as f64;
    (0..=n)
        .map(|i| {
            f(from + i as f64 * h)
                * if i == 0 || i == n {
                    1.0
                } else if i % 2 == 1 {
                    4.0
                } else {
                    2.0
                }
        })
        .sum::<f64>()
        * h
        / 3.0
}

/// The weight at `end`: from event to event, what happens between two being integrated numerically from sums over all spikes.
fn settled(rule: Rule, w: f64, delay: f64, [pre, post, reward]: [&[f64]; 3], end: f64) -> f64 {
    let arrivals: Vec<f64> = post.iter().map(|s| s + delay).collect();
    let mut events: Vec<(f64, u8)> = arrivals.iter().map(|t| (*t, 0)).collect();
    events.extend(pre.iter().map(|t| (*t, 1)).chain(reward.iter().map(|t| (*t, 2))));
    events.retain(|e| e.0 < end + 1e-6);
    events.push((end, 3));
    // Times that are equal up to rounding are one step.
    events.sort_by_key(|e| ((e.0 * 10.0).round() as i64, e.1));
    let (mut w, mut c, mut now) = (w, 0.0f64, 0.0);
    for (at, kind) in events {
        match rule {
            Rule::Dopamine { b, .. } => {
                // A spike at the beginning of the stretch has acted.
                let n0: f64 = reward.iter().filter(|s| **s < now + 1e-6).map(|s| (-(now - s) / 150.0).exp() / 150.0).sum();
                let n = |t: f64| n0 * (-(t - now) / 150.0).exp();
                w += c * area(|t| (-(t - now) / 700.0).exp() * (n(t) - b), now, at);
                c *= (-(at - now) / 700.0).exp();
            }
            Rule::Scaling { .. } => {
                let a0: f64 = arrivals.iter().filter(|s| **s < now + 1e-6).map(|s| (-(now - s) / 400.0).exp() / 400.0).sum();
                let a = |t: f64| a0 * (-(t - now) / 400.0).exp();
                w *= area(|t| 0.05 * (0.01 - a(t)), now, at).exp();
            }
        }
        w = w.clamp(0.0, 1.0);
        let (source, target) = (trace(pre, at, TAU[0]), trace(&arrivals, at, TAU[1]));
        match (rule, kind) {
            (Rule::Dopamine { size, .. }, 0) => c += size * source,
            (Rule::Dopamine { size, .. }, 1) => c -= 0.7 * size * target,
            (Rule::Scaling { lambda }, 0) => w += lambda * source,
            (Rule::Scaling { lambda }, 1) => w -= 1.1 * lambda * target,
            _ => {}
        }
        (w, now) = (w.clamp(0.0, 1.0), at);
    }
    w
}

/// `size` is that of an eligibility.
fn rules(size: f64) -> Vec<(Rule, &'static str, String)> {
    let times = "tau_plus = \"17 ms\"\ntau_minus = \"33 ms\"\n";
    let dopamine = |b: f64| {
        let own = format!("A_plus = {size}\nA_minus = {}\ntau_c = \"700 ms\"\ntau_n = \"150 ms\"\nb = \"{} Hz\"\n", 0.7 * size, b * 1e3);
        (Rule::Dopamine { b, size }, "stdp_dopamine", own + times)
    };
    let scaling = |lambda: f64| {
        let own = format!("goal = \"10 Hz\"\nbeta = 0.05\ntau_a = \"400 ms\"\nlambda = {lambda}\nalpha = 1.1\n");
        (Rule::Scaling { lambda }, "homeostatic_scaling", own + times)
    };
    vec![dopamine(0.0), dopamine(0.003), scaling(0.0), scaling(0.02)]
}

/// Differences of an engine's weights to the second implementation.
fn compare(rule: Rule, plan: &Plan, weights: &[f32], trains: &[Trains; 3], end: u32, what: &str) {
    let times = |train: &[u32]| train.iter().map(|k| f64::from(*k) / 10.0).collect::<Vec<f64>>();
    let mut reward: Vec<f64> = trains[2].iter().flat_map(|t| times(t)).collect();
    reward.sort_by(f64::total_cmp);
    let mut all: Vec<Connection> = Vec::new();
    connections(plan, &plan.projections[0], |c| all.push(c));
    let mut moved = 0;
    for (c, w) in all.iter().zip(weights) {
        let (source, target) = (times(&trains[0][c.source as usize]), times(&trains[1][c.target as usize - trains[0].len()]));
        let begin = f64::from(c.weight) / plan.projections[0].weight.quanta / 100.0;
        let expected = settled(rule, begin, f64::from(c.delay) / 10.0, [&source, &target, &reward], f64::from(end) / 10.0);
        assert!((f64::from(*w) - expected).abs() < 5e-5, "{what}: {} to {} over {}: {w}, expected {expected}", c.source, c.target, c.delay);
        moved += usize::from((expected - begin).abs() > 1e-3);
    }
    assert!(2 * moved > all.len(), "{what}: only {moved} of {} weights have moved", all.len());
}

/// Every order and coincidence of spikes of the three, around a delay.
fn hand_made(delay: u32) -> [Trains; 3] {
    let (mut pre, mut post, mut reward) = (Vec::new(), Vec::new(), Vec::new());
    let mut at = 300;
    for shift in -2..=2i32 {
        for late in -2..=2i32 {
            pre.push(at);
            post.push((at as i32 - delay as i32 + shift) as u32);
            reward.push((at as i32 + late) as u32);
            at += 350;
        }
        // Two of the modulator in one step, in neighbouring steps, and alone.
        reward.extend([at, at + 100, at + 101]);
        pre.push(at + 100);
        at += 350;
    }
    [vec![pre], vec![post], vec![reward.clone(), reward.into_iter().step_by(3).collect()]]
}

#[test]
fn every_order_and_coincidence_of_three_agrees_with_sums_over_spikes() {
    for (rule, base, parameters) in rules(0.3) {
        for (delay, text) in [(1, "0.1 ms"), (10, "1 ms"), (37, "3.7 ms")] {
            let case = Case { base, parameters: parameters.clone(), weight: "50 pA", delay: text, trains: hand_made(delay) };
            let plan = planned(&case.text());
            let end = case.trains[0][0].last().unwrap() + 777;
            for (threads, batch) in [(1, None), (1, Some(1))] {
                let mut cpu = engine(&plan, threads, batch);
                cpu.advance(u64::from(end)).unwrap();
                compare(rule, &plan, &cpu.weights(0).unwrap(), &case.trains, end, &format!("{rule:?}, delay {delay}, batch {batch:?}"));
            }
        }
    }
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

fn trains() -> [Trains; 3] {
    let stream = Stream::new(5, [43, 0]);
    let of = |first: u32, all: &[(u32, u32)]| all.iter().zip(first..).map(|((n, gap), i)| random(&stream, i, *n, *gap)).collect();
    [
        of(0, &[(0, 100), (3, 2000), (60, 150), (200, 40), (80, 110)]),
        of(20, &[(0, 100), (2, 900), (70, 120), (500, 16), (900, 9)]),
        // More than a modulator's history holds.
        of(40, &[(20, 400), (1100, 6)]),
    ]
}

#[test]
fn random_trains_agree_with_sums_over_spikes_for_any_threads_and_batches_however_full_the_histories() {
    for (rule, base, parameters) in rules(0.01) {
        let case = Case { base, parameters, weight: "uniform(20 pA, 80 pA)", delay: "uniform(0.5 ms, 3 ms)", trains: trains() };
        let plan = planned(&case.text());
        let mut first = None;
        for (threads, batch) in [(1, None), (2, Some(1)), (3, Some(4))] {
            let mut cpu = engine(&plan, threads, batch);
            let harvest = cpu.advance(5000).unwrap();
            let found = (cpu.weights(0).unwrap(), cpu.save(), harvest.samples);
            if threads == 1 {
                compare(rule, &plan, &found.0, &case.trains, 5000, &format!("{rule:?}"));
            }
            assert!(*first.get_or_insert_with(|| found.clone()) == found, "{rule:?}, {threads} threads, batch {batch:?}");
        }
    }
}

/// A network of cells of which some reward the others, and whose inhibition scales.
fn network() -> String {
    let reward = "synapse = \"learn\"\nw_max = \"80 pA\"\nmodulator = [\"inh[0..3]\", \"exc[0..20]\"]\n";
    let projections = [
        projection("exc", "exc", 0.1, "uniform(0 pA, 80 pA)", "1.5 ms", reward),
        projection("exc", "inh", 0.1, "uniform(0 pA, 80 pA)", "uniform(0.5 ms, 3 ms)", reward),
        projection("inh", "exc", 0.2, "-100 pA", "uniform(0.8 ms, 3 ms)", "synapse = \"scale\"\nw_max = \"-400 pA\"\n"),
        projection("inh", "inh", 0.2, "-150 pA", "1 ms", "synapse = \"vogels_2011\"\nw_max = \"-300 pA\"\n"),
    ]
    .concat();
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 4\n[parameters]\nA = 0.5\n\
         [synapses.learn]\nbase = \"stdp_dopamine\"\n[synapses.learn.parameters]\nA_plus = \"A\"\nA_minus = 0.4\n\
         [synapses.scale]\nbase = \"homeostatic_scaling\"\n[synapses.scale.parameters]\nbeta = 0.5\nlambda = 0.02\n\
         [populations.exc]\nmodel = \"iaf_psc_exp\"\nsize = 300\ninitial.V_m = \"uniform(-70 mV, -55 mV)\"\n\
         [populations.inh]\nlike = \"exc\"\nsize = 80\n{projections}\
         [[stimuli]]\nkind = \"poisson\"\nto = [\"exc\", \"inh\"]\nrate = \"9 kHz\"\nweight = \"60 pA\"\n\
         [[probes]]\nrecord = \"V_m\"\nof = \"exc[0..5]\"\nevery = \"0.5 ms\"\n"
    )
}

#[test]
fn looks_saves_threads_and_batches_change_no_bit_of_what_follows() {
    nothing_changes_what_follows(&network(), 3, 1500);
}

#[test]
fn a_checkpoint_file_keeps_what_synapses_and_modulators_hold_and_damage_is_told() {
    let (plan, saved) = kept_in_a_file(&network(), "modulation.npz");
    let damaged = |damage: &dyn Fn(&mut synfire::plan::State), message: &str| {
        let mut state = saved.clone();
        damage(&mut state);
        let wrong = state.fits(&plan).unwrap_err();
        assert!(wrong.contains(message), "{wrong}");
    };
    damaged(&|s| s.kept[0][3] = f32::NAN, "damaged");
    damaged(&|s| s.kept[1].push(0.0), "damaged");
    damaged(&|s| s.modulators[0].last[0] = 1501, "later than itself");
    damaged(&|s| _ = s.modulators.pop(), "change in another way");
}

#[test]
fn an_edit_equals_a_restart_from_there() {
    for (address, value) in
        [("A", "0.1"), ("learn.tau_c", "50 ms"), ("learn.tau_n", "20 ms"), ("scale.goal", "50 Hz"), ("learn.b", "1 kHz")]
    {
        edit_equals_restart(&network(), address, value, 2000);
    }
}

#[test]
fn a_synapse_takes_twelve_bytes_with_an_eligibility_and_eight_without() {
    let plan = planned(&network());
    for (p, bytes) in plan.projections.iter().zip([12, 12, 8, 8]) {
        let kept = p.plastic.as_ref().unwrap().kept.len() as u64;
        assert_eq!(8 + 4 * kept, bytes);
    }
    let counted: u64 = plan.projections.iter().zip([12, 12, 8, 8]).map(|(p, b)| p.wiring.counted() * b + u64::from(p.from.len()) * 8).sum();
    // Beside them stand the ends of rows that do not change, of which there are none here.
    let taken = engine(&plan, 1, None).synapse_bytes();
    assert!(taken >= counted && taken < counted + counted / 10, "{taken} bytes, of which {counted} are of synapses");
}

#[test]
fn what_cannot_be_is_told_with_a_remedy() {
    let own = "[synapses.own]\nequations = \"\"\"\nda/dt = -a/tau\ndb/dt = -b/tau\nde/dt = -e/tau\ndm/dt = -m/tau\ndw/dt = e*m/tau\n\"\"\"\n\
               on_pre = \"e -= b; a += 1\"\non_post = \"e += a; b += 1\"\non_modulator = \"m += 1\"\n[synapses.own.parameters]\ntau = \"20 ms\"\n\
               [synapses.own.source]\na = 0\n[synapses.own.target]\nb = 0\n[synapses.own.synapse]\ne = 0\n[synapses.own.modulator]\nm = 0\n";
    let good =
        network().replace("[synapses.learn]", &format!("{own}[synapses.learn]")).replacen("synapse = \"learn\"", "synapse = \"own\"", 1);
    assert!(origin(&good, None, &[]).load().is_ok(), "{}", rendered(&origin(&good, None, &[]).load().err().unwrap_or_default()));
    let modulator = "modulator = [\"inh[0..3]\", \"exc[0..20]\"]\n";
    for (from, to, message) in [
        (modulator, "", "own follows the spikes of a modulator"),
        ("modulator = [\"inh[0..3]\"", "modulator = [\"nobody\"", "no population is named `nobody`"),
        ("w_max = \"-400 pA\"\n", "w_max = \"-400 pA\"\nmodulator = \"exc\"\n", "scale has no modulator"),
        ("synapse = \"vogels_2011\"\nw_max = \"-300 pA\"\n", "modulator = \"exc\"\n", "a modulator is of synapses that change"),
        ("dw/dt = e*m/tau", "dw/dt = e*e/tau", "the change of `w` in time has no closed form"),
        ("dw/dt = e*m/tau", "dw/dt = e*m/tau - w/tau", "the change of `w` in time has no closed form"),
        ("dw/dt = e*m/tau", "dw/dt = exp(e)/tau", "the change of `w` in time has no closed form"),
        ("dw/dt = e*m/tau", "dw/dt = e*m", "must be"),
        ("de/dt = -e/tau", "de/dt = -e*e/tau", "not linear in `e` alone"),
        ("de/dt = -e/tau", "de/dt = b/tau - e/tau", "not linear in `e` alone"),
        ("a += 1\"", "a += e\"", "`a` is of the source, one for all its synapses"),
        ("a += 1\"", "a += 1; m += 1\"", "`m` is a trace of the modulator, and `on_pre` is of the source"),
        ("m += 1\"", "m += e\"", "`m` is of the modulator"),
        ("m += 1\"", "m += 1; w += 0.1\"", "`w` is not of the modulator"),
        ("m += 1\"", "m += 1; factor = 0.5\"", "belongs into `on_pre`"),
        ("on_modulator = \"m += 1\"\n", "", "has one of `modulator` (its traces) and `on_modulator`"),
        ("dw/dt = e*m/tau\n", "", "and never changes the weight `w`"),
    ] {
        assert!(good.contains(from), "{from}");
        let problems = origin(&good.replacen(from, to, 1), None, &[]).load().expect_err(to);
        assert!(rendered(&problems).contains(message), "{to}: {}", rendered(&problems));
    }
    // Bad values of every parameter of the rules.
    for (name, values) in [
        ("stdp_dopamine", ["A_plus = -1", "A_minus = -1", "tau_c = \"0 ms\"", "tau_n = \"-1 ms\"", "tau_plus = \"0 ms\""]),
        ("homeostatic_scaling", ["goal = \"-1 Hz\"", "beta = -1", "tau_a = \"0 ms\"", "lambda = -1", "alpha = -1"]),
    ] {
        for value in values {
            let at = if name == "stdp_dopamine" { "[synapses.learn.parameters]\n" } else { "[synapses.scale.parameters]\n" };
            let key = value.split(' ').next().unwrap();
            let cleared =
                network().replace("A_plus = \"A\"\n", "").replace("A_minus = 0.4\n", "").replace("beta = 0.5\nlambda = 0.02\n", "");
            let problems = origin(&cleared.replace(at, &format!("{at}{value}\n")), None, &[]).load().expect_err(value);
            assert!(rendered(&problems).contains(key), "{value}: {}", rendered(&problems));
        }
    }
}
