//! Rules that read the potentials of their targets: Clopath's against NEST's traces, it and a user's own against a second f64
//! implementation step by step, and the same bits for any number of threads and steps of a batch, over looks, saves, checkpoints and
//! edits.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;

use common::learning::{engine, kept_in_a_file, nothing_changes_what_follows};
use common::voltage::{network, own};
use common::{advance, cpu, edit_equals_restart, npz, origin, planned, rendered, start};
use synfire::plan::{Connection, connections};

/// Cells that spike when they are told to.
const RELAY: &str = "[models.relay]\nupdate = \"count = fire\"\nthreshold = \"count > 0\"\n[models.relay.state]\ncount = 0\n\
                     [models.relay.receptors]\nfire = \"1\"\n";

fn times(steps: impl Iterator<Item = f64>) -> String {
    steps.map(|t| format!("\"{t:.1} ms\"")).collect::<Vec<_>>().join(", ")
}

/// `pre` spikes onto one cell, at which jumps arrive.
struct Pair<'a> {
    cell: &'a str,
    rule: &'a str,
    weight: &'a str,
    w_max: &'a str,
    delay: &'a str,
    pre: &'a [f64],
    at: &'a [f64],
    jump: Vec<String>,
}

impl Pair<'_> {
    fn text(&self) -> String {
        let mut jumps: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        self.at.iter().zip(&self.jump).for_each(|(t, j)| jumps.entry(j).or_default().push(*t));
        let jumps = jumps.into_iter().fold(String::new(), |mut out, (jump, at)| {
            let _ =
                write!(out, "[[stimuli]]\nkind = \"spikes\"\nto = \"post\"\nweight = \"{jump}\"\ntimes = [{}]\n", times(at.into_iter()));
            out
        });
        format!(
            "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"5 s\"\nseed = 8\n{RELAY}{}[synapses.rule]\n{}[populations.pre]\nmodel = \"relay\"\n\
             size = 1\n[populations.post]\nmodel = \"cell\"\nsize = 1\n[[projections]]\nfrom = \"pre\"\nto = \"post\"\nrule = \"all_to_all\"\n\
             weight = \"{}\"\nw_max = \"{}\"\ndelay = \"{}\"\nsynapse = \"rule\"\n\
             [[stimuli]]\nkind = \"spikes\"\nto = \"pre\"\nreceptor = \"fire\"\nweight = 1\ntimes = [{}]\n{jumps}\
             [[probes]]\nrecord = \"V_m\"\nof = \"post\"\nevery = \"0.1 ms\"\n\
             [[probes]]\nrecord = \"u_bar_plus\"\nof = \"post\"\nevery = \"0.1 ms\"\n\
             [[probes]]\nrecord = \"u_bar_minus\"\nof = \"post\"\nevery = \"0.1 ms\"\n\
             [[probes]]\nrecord = \"u_bar_bar\"\nof = \"post\"\nevery = \"0.1 ms\"\n",
            self.cell,
            self.rule,
            self.weight,
            self.w_max,
            self.delay,
            times(self.pre.iter().copied())
        )
    }

    /// The weight after each spike of the source, the spikes of the target, and the probed values by step, all in this order.
    fn run(&self) -> (Vec<f64>, Vec<u32>, [Vec<f32>; 4]) {
        let plan = planned(&self.text());
        let mut cpu = engine(&plan, 1, None);
        let (mut weights, mut spikes, mut probed) = (Vec::new(), Vec::new(), [const { Vec::new() }; 4]);
        for t in self.pre {
            let harvest = cpu.advance((t * 10.0).round() as u64 - cpu.step()).unwrap();
            spikes.extend(harvest.spikes.iter().filter(|s| s.neuron == 1).map(|s| s.step));
            harvest.samples.iter().for_each(|s| probed[s.probe as usize].push(s.values[0]));
            weights.push(f64::from(cpu.weights(0).unwrap()[0]));
        }
        (weights, spikes, probed)
    }
}

#[test]
fn five_pairs_at_five_rates_in_either_order_give_the_weights_of_nest() {
    let reference = npz("clopath_pairs.npz");
    let cell = "[models.cell]\nbase = \"aeif_psc_delta_clopath\"\n[models.cell.parameters]\nb = \"0.0805 pA\"\nV_reset = \"-49.6 mV\"\n";
    let rule = "base = \"clopath\"\n[synapses.rule.parameters]\ndelay_u_bars = \"4 ms\"\n";
    let mut last = Vec::new();
    for i in 0..10 {
        let of = |key: &str| &reference[&format!("{key}_{i}")];
        let jump = vec!["80 mV".to_string(); of("at").len()];
        let pair = Pair { cell, rule, weight: "0.5 mV", w_max: "1 mV", delay: "0.1 ms", pre: of("pre"), at: of("at"), jump };
        let (weights, spikes, _) = pair.run();
        let due: Vec<u32> = of("spikes").iter().map(|t| (t * 10.0).round() as u32).collect();
        assert_eq!(spikes, due, "run {i}");
        for (k, (w, expected)) in weights.iter().zip(of("weight")).enumerate() {
            assert!((w - expected).abs() < TO_NEST, "run {i}, spike {k}: {w}, NEST {expected}");
        }
        last.push(*of("weight").last().unwrap());
    }
    // The figure: the source first strengthens at high rates, the source last weakens at low ones and strengthens at high ones.
    assert!(last[0] < 0.505 && last[4] > 0.52 && last[5] < 0.49 && last[9] > 0.51, "{last:?}");
}

/// Differences of weights to NEST, in units of the largest: it solves the cells adaptively.
const TO_NEST: f64 = 1e-3;

fn compare_train(name: &str, cell: &str, rule: &str, [weight, w_max, delay]: [&str; 3], unit: &str, largest: f64) {
    let reference = npz(&format!("clopath_{name}.npz"));
    let jump = reference["jump"].iter().map(|j| format!("{j} {unit}")).collect();
    let pair = Pair { cell, rule, weight, w_max, delay, pre: &reference["pre"], at: &reference["at"], jump };
    let (weights, spikes, probed) = pair.run();
    let due: Vec<u32> = reference["spikes"].iter().map(|t| (t * 10.0).round() as u32).collect();
    let end = (reference["pre"].last().unwrap() * 10.0).round() as u32;
    let due: Vec<u32> = due.into_iter().filter(|k| *k <= end).collect();
    assert!(spikes.len() == due.len() && spikes.iter().zip(&due).all(|(a, b)| a.abs_diff(*b) <= 1), "{name}: {spikes:?}\nNEST {due:?}");
    for (p, variable) in ["V_m", "u_bar_plus", "u_bar_minus", "u_bar_bar"].iter().enumerate().skip(1) {
        for (t, expected) in reference["t"].iter().zip(&reference[*variable]) {
            let x = f64::from(probed[p][(t * 10.0).round() as usize - 1]);
            assert!((x - expected).abs() < 0.5, "{name}: {variable} at {t} ms: {x}, NEST {expected}");
        }
    }
    let (mut low, mut high) = (f64::INFINITY, 0.0f64);
    for (k, (w, expected)) in weights.iter().zip(&reference["weight"]).enumerate() {
        let expected = expected / largest;
        assert!((w - expected).abs() < TO_NEST, "{name}, spike {k}: {w}, NEST {expected}");
        (low, high) = (low.min(expected), high.max(expected));
    }
    assert!(high - low > 0.05, "{name}: the trace says little: {low} to {high}");
}

#[test]
fn random_trains_give_the_weights_of_nest() {
    let cell = "[models.cell]\nbase = \"aeif_psc_delta_clopath\"\n";
    let numbers = ["0.5 mV", "1 mV", "1.5 ms"];
    compare_train("adex", cell, "base = \"clopath\"\n[synapses.rule.parameters]\ndelay_u_bars = \"4 ms\"\n", numbers, "mV", 1.0);
    let rule = "base = \"clopath_homeostatic\"\n[synapses.rule.parameters]\ndelay_u_bars = \"4 ms\"\nA_LTD = \"1e-5/mV\"\n";
    compare_train("homeostatic", cell, rule, ["0.5 mV", "1 mV", "1 ms"], "mV", 1.0);
    // NEST's weights are in pA, and so are its amplitudes: here they are in units of the largest, 2000 pA.
    let rule = "base = \"clopath\"\n[synapses.rule.parameters]\ntheta_minus = \"-65 mV\"\ntheta_plus = \"-35 mV\"\nA_LTD = \"2.8e-4/mV\"\n\
                A_LTP = \"1.2e-3/mV^2\"\n";
    let cell = "[models.cell]\nbase = \"hh_psc_alpha_clopath\"\n";
    compare_train("hh", cell, rule, ["800 pA", "2000 pA", "2 ms"], "pA", 2000.0);
}

/// The weight of one synapse, step by step, from what was probed of its target (from step 0 on): in every step first what reaches it of
/// its target, then the spike of its source.
fn stepped(w: f64, delay: usize, pre: &[u32], post: &[u32], x: &[f64], y: &[f64], end: usize) -> f64 {
    let value = |of: &[f64], step: i64| of[step.max(0) as usize];
    let (mut a, mut b, mut w) = (0.0, 0.0, w);
    for now in 1..=end {
        a *= (-0.1f64 / 20.0).exp();
        let seen = now as i64 - delay as i64;
        // What the spike of a source sees of its target is from before this step.
        let before = if seen >= 1 { b * (-0.1f64 / 30.0).exp() } else { b };
        if seen >= 1 {
            b = before;
            let (x, y, late) = (value(x, seen), value(y, seen), value(y, seen - 13));
            if post.contains(&(seen as u32)) {
                w = (w + 0.03 * a * x).clamp(0.0, 1.0);
                b += 1.0;
            }
            if x > 0.7 && y - late > -0.5 {
                w = (w + 0.02 * 0.1 * a * (x - 0.7) * (1.0 - w)).clamp(0.0, 1.0);
                b += 0.01 * y;
            }
        }
        if pre.contains(&(now as u32)) {
            w = (w - 0.02 * before * value(y, seen - 13)).clamp(0.0, 1.0);
            a += 1.0;
        }
    }
    w
}

#[test]
fn a_rule_of_a_user_agrees_with_a_second_implementation_step_by_step_however_full_the_histories() {
    for delay in ["uniform(0.3 ms, 3.1 ms)", "0.1 ms"] {
        let plan = planned(&own(delay));
        let end = 4000;
        let mut first = None;
        for (threads, batch) in [(1, None), (2, Some(1)), (3, Some(2))] {
            let mut cpu = engine(&plan, threads, batch);
            let harvest = cpu.advance(end as u64).unwrap();
            let found = (cpu.weights(0).unwrap(), cpu.save(), harvest.spikes.clone());
            if threads == 1 {
                let mut probed = [vec![vec![f64::from(0.1f32)]; 20], vec![vec![f64::from(0.2f32)]; 20]];
                for s in &harvest.samples {
                    s.values.iter().enumerate().for_each(|(i, v)| probed[s.probe as usize][i].push(f64::from(*v)));
                }
                let spikes = |n: u32| harvest.spikes.iter().filter(|s| s.neuron == n).map(|s| s.step).collect::<Vec<u32>>();
                let mut all: Vec<Connection> = Vec::new();
                connections(&plan, &plan.projections[0], |c| all.push(c));
                let (mut moved, mut conditions) = (0, 0);
                for (c, w) in all.iter().zip(&found.0) {
                    let i = (c.target - 12) as usize;
                    let begin = f64::from(c.weight) / plan.projections[0].weight.quanta;
                    let (pre, post) = (spikes(c.source), spikes(c.target));
                    let expected = stepped(begin, c.delay as usize, &pre, &post, &probed[0][i], &probed[1][i], end);
                    assert!((f64::from(*w) - expected).abs() < 1e-4, "{} to {i} over {}: {w}, expected {expected}", c.source, c.delay);
                    moved += usize::from((expected - begin).abs() > 1e-2);
                    conditions = conditions.max(probed[0][i].iter().filter(|x| **x > 0.7).count());
                }
                assert!(3 * moved > all.len(), "only {moved} of {} weights have moved", all.len());
                // More events than a history holds.
                assert!(conditions > 4 * plan.history_of(&plan.targets[0]), "{conditions}");
            }
            assert!(*first.get_or_insert_with(|| found.clone()) == found, "{delay}, {threads} threads, batch {batch:?}");
        }
    }
}

#[test]
fn looks_saves_threads_and_batches_change_no_bit_of_what_follows() {
    nothing_changes_what_follows(&network(), 2, 200);
}

#[test]
fn a_checkpoint_file_keeps_what_was_read_and_damage_is_told() {
    let (plan, saved) = kept_in_a_file(&network(), "voltage.npz");
    assert!(saved.histories.iter().any(|h| !h.conditions.is_empty()));
    let damaged = |damage: &dyn Fn(&mut synfire::plan::State), message: &str| {
        let mut state = saved.clone();
        damage(&mut state);
        let wrong = state.fits(&plan).unwrap_err();
        assert!(wrong.contains(message), "{wrong}");
    };
    damaged(&|s| s.histories[0].reads[1][3] = f32::NAN, "what a rule reads");
    damaged(&|s| _ = s.histories[0].reads.pop(), "what a rule reads");
    damaged(&|s| s.histories[0].conditions.push([0, 1501]), "later than itself");
    damaged(&|s| s.histories[0].conditions.push([90, 1499]), "later than itself");
}

#[test]
fn an_edit_equals_a_restart_from_there() {
    for (address, value) in [("high", "-55 mV"), ("learn.A_LTD", "6e-3/mV"), ("learn.tau_x", "60 ms"), ("learn.theta_minus", "-65 mV")] {
        edit_equals_restart(&network(), address, value, 2000);
    }
    let mut running = start(origin(&network(), None, &[]), &cpu(), None);
    advance(&mut running, 100, 100);
    let told = running
        .apply(synfire::session::Command::Set { address: "learn.delay_u_bars".into(), value: "3 ms".into() })
        .expect_err("how long values are kept is settled");
    assert!(format!("{told:?}").contains("rebuilt"), "{told:?}");
}

#[test]
fn what_cannot_be_is_told_with_a_remedy() {
    let good = own("1 ms");
    assert!(origin(&good, None, &[]).load().is_ok(), "{}", rendered(&origin(&good, None, &[]).load().err().unwrap_or_default()));
    for (from, to, message) in [
        ("x = \"pA\"\ny", "x = { of = \"z\", unit = \"pA\" }\ny", "own reads `z` of its target"),
        ("x = \"pA\"\ny", "x = { of = \"got\", unit = \"pA\" }\ny", "own reads `got` as pA"),
        ("{ of = \"y\", unit = \"pA\"", "{ of = \"y\"", "has no unit"),
        ("{ of = \"y\",", "{ off = \"y\",", "`off` is no key of what a synapse model reads"),
        ("delay = \"age\"", "delay = \"high\"", "a delay must be ms"),
        ("delay = \"age\"", "delay = \"old\"", "`old` is not known here"),
        ("value = \"1.3 ms\"", "value = \"1.33 ms\"", "the nearest are 1.300000 ms and 1.400000 ms"),
        ("value = \"1.3 ms\"", "value = \"13 s\"", "from 0 to 10000 steps"),
        ("value = \"1.3 ms\"", "value = \"-1 ms\"", "age is at least 0"),
        ("late = {", "high = {", "named twice"),
        ("condition = \"x > high && y", "condition = \"x && y", "a bare number is due here, not pA"),
        ("condition = \"x > high && y - late > -0.5 pA\"\n", "", "has one of `condition`"),
        ("condition = \"x > high", "condition = \"a > 1 && x > high", "`a` is not known here"),
        ("a += 1\"", "a += x/pA\"", "`a` is of the source, one for all its synapses"),
        ("b += 0.01*y/pA\"", "b += a\"", "`b` is of the target"),
        ("b += 0.01*y/pA\"", "a += 1\"", "`a` is a trace of the source, and `on_condition` is of the target"),
        ("db/dt = -b/(30 ms)", "db/dt = -b/(30 ms)*x/pA", "not linear in `b` alone, with constant coefficients"),
    ] {
        assert!(good.contains(from), "{from}");
        let problems = origin(&good.replacen(from, to, 1), None, &[]).load().expect_err(to);
        assert!(rendered(&problems).contains(message), "{to}: {}", rendered(&problems));
    }
    // A rule that reads what its target has not.
    let other = network().replacen("model = \"aeif_psc_delta_clopath\"", "model = \"aeif_psc_delta\"", 1);
    let problems = rendered(&origin(&other, None, &[]).load().expect_err("no filtered potentials"));
    assert!(problems.contains("clopath reads `u_bar_plus` of its target, and aeif_psc_delta has V_m, w"), "{problems}");
    // Bad values of every parameter.
    for value in ["A_LTD = \"-1/mV\"", "A_LTP = \"-1/mV^2\"", "tau_x = \"0 ms\"", "delay_u_bars = \"-1 ms\"", "theta_plus = \"3 ms\""] {
        let cleared = network().replace("theta_plus = \"high\"\nA_LTP = \"4e-4/mV^2\"\nA_LTD = \"6e-4/mV\"\n", &format!("{value}\n"));
        let problems = origin(&cleared, None, &[]).load().expect_err(value);
        assert!(rendered(&problems).contains(value.split(' ').next().unwrap()), "{value}: {}", rendered(&problems));
    }
}
