//! Statistics of every wiring rule over many seeds, from the wiring as it is exported: degrees, pairs, multapses, autapses,
//! parts, independence. Bounds are five standard errors of the closed form, so a right rule fails once in a million.

mod common;

use common::{load, origin, synapses};
use synfire::network::Network;
use synfire::plan::{Connection, plan};

const SOURCES: usize = 40;
const TARGETS: usize = 30;
const SEEDS: u64 = 200;

fn network(rule: &str, from: &str, to: &str) -> Network {
    let projection = format!(
        "[[projections]]\nfrom = \"{from}\"\nto = \"{to}\"\nweight = \"uniform(0 pA, 100 pA)\"\ndelay = \"uniform(0.1 ms, 5 ms)\"\n{rule}\n"
    );
    let text = format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[populations.a]\nmodel = \"iaf_psc_exp\"\nsize = {SOURCES}\n\
         [populations.b]\nlike = \"a\"\nsize = {TARGETS}\n{projection}{projection}"
    );
    load(&origin(&text, None, &[])).network
}

/// How often each pair is connected, source by source, for each of two projections that are written alike.
fn matrices(network: &Network, seed: u64) -> Vec<Vec<Vec<f64>>> {
    let of = |list: Vec<Connection>, first: u32, targets: usize| {
        let mut m = vec![vec![0.0; targets]; SOURCES];
        list.iter().for_each(|c| m[c.source as usize][(c.target - first) as usize] += 1.0);
        m
    };
    let mut network = network.clone();
    network.seed = seed;
    let plan = plan(&network).unwrap();
    let to = &plan.populations[plan.projections[0].target];
    synapses(&plan).into_iter().map(|list| of(list, to.first, to.size as usize)).collect()
}

fn out_degrees(m: &[Vec<f64>]) -> Vec<f64> {
    m.iter().map(|row| row.iter().sum()).collect()
}

fn in_degrees(m: &[Vec<f64>]) -> Vec<f64> {
    (0..m[0].len()).map(|t| m.iter().map(|row| row[t]).sum()).collect()
}

fn total(m: &[Vec<f64>]) -> f64 {
    out_degrees(m).iter().sum()
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn variance(x: &[f64]) -> f64 {
    let m = mean(x);
    x.iter().map(|y| (y - m) * (y - m)).sum::<f64>() / (x.len() - 1) as f64
}

/// Five standard errors of a variance estimated from n nearly normal numbers.
fn near(what: &str, found: f64, expected: f64, n: f64) {
    let relative = 5.0 * (2.0 / n).sqrt();
    assert!(
        (found - expected).abs() <= relative * expected + 1e-9,
        "{what}: {found}, expected {expected} within {:.1} %",
        relative * 100.0
    );
}

/// What a rule promises: its text, the probability law of one pair, the variances of degrees and of their sum.
struct Promise {
    rule: &'static str,
    pair: (f64, f64),
    out: f64,
    inward: f64,
    total: f64,
}

fn promises() -> Vec<Promise> {
    let (s, t) = (SOURCES as f64, TARGETS as f64);
    let binomial = |n: f64, p: f64| n * p * (1.0 - p);
    let pairs = s * t;
    // Sums of a fixed number without repeats are hypergeometric: the variance shrinks by (N - n)/(N - 1).
    let hyper = |n: f64, share: f64| binomial(n, share) * (pairs - n) / (pairs - 1.0);
    vec![
        Promise {
            rule: "rule = \"fixed_in_degree\"\nin_degree = 12",
            pair: (12.0 / s, binomial(12.0, 1.0 / s)),
            out: binomial(12.0 * t, 1.0 / s),
            inward: 0.0,
            total: 0.0,
        },
        Promise {
            rule: "rule = \"fixed_in_degree\"\nin_degree = 12\nallow_multapses = false",
            pair: (12.0 / s, binomial(1.0, 12.0 / s)),
            out: binomial(t, 12.0 / s),
            inward: 0.0,
            total: 0.0,
        },
        Promise {
            rule: "rule = \"fixed_out_degree\"\nout_degree = 9",
            pair: (9.0 / t, binomial(9.0, 1.0 / t)),
            out: 0.0,
            inward: binomial(9.0 * s, 1.0 / t),
            total: 0.0,
        },
        Promise {
            rule: "rule = \"fixed_out_degree\"\nout_degree = 9\nallow_multapses = false",
            pair: (9.0 / t, binomial(1.0, 9.0 / t)),
            out: 0.0,
            inward: binomial(s, 9.0 / t),
            total: 0.0,
        },
        Promise {
            rule: "rule = \"fixed_total_number\"\ncount = 400",
            pair: (400.0 / pairs, binomial(400.0, 1.0 / pairs)),
            out: binomial(400.0, 1.0 / s),
            inward: binomial(400.0, 1.0 / t),
            total: 0.0,
        },
        Promise {
            rule: "rule = \"fixed_total_number\"\ncount = 400\nallow_multapses = false",
            pair: (400.0 / pairs, binomial(1.0, 400.0 / pairs)),
            out: hyper(400.0, 1.0 / s),
            inward: hyper(400.0, 1.0 / t),
            total: 0.0,
        },
        Promise {
            rule: "rule = \"fixed_probability\"\np = 0.03",
            pair: (0.03, binomial(1.0, 0.03)),
            out: binomial(t, 0.03),
            inward: binomial(s, 0.03),
            total: binomial(pairs, 0.03),
        },
        Promise {
            rule: "rule = \"fixed_probability\"\np = 0.6",
            pair: (0.6, binomial(1.0, 0.6)),
            out: binomial(t, 0.6),
            inward: binomial(s, 0.6),
            total: binomial(pairs, 0.6),
        },
    ]
}

#[test]
fn degrees_of_every_rule_have_their_mean_and_variance() {
    for promise in promises() {
        let network = network(promise.rule, "a", "b");
        let all: Vec<_> = (1..=SEEDS).map(|seed| matrices(&network, seed).remove(0)).collect();
        let n = SEEDS as f64;
        let (s, t) = (SOURCES as f64, TARGETS as f64);
        let outs: Vec<f64> = all.iter().flat_map(|m| out_degrees(m)).collect();
        let ins: Vec<f64> = all.iter().flat_map(|m| in_degrees(m)).collect();
        let totals: Vec<f64> = all.iter().map(|m| total(m)).collect();
        // Means: of the total, hence of both degrees.
        let expected = promise.pair.0 * s * t;
        let error = 5.0 * (promise.total / n).sqrt() + 1e-6;
        assert!((mean(&totals) - expected).abs() <= error, "{}: {} synapses, expected {expected}", promise.rule, mean(&totals));
        // Degrees of one seed add up to the total, which costs one degree of freedom of each.
        near(promise.rule, variance(&outs), promise.out, n * (s - 1.0));
        near(promise.rule, variance(&ins), promise.inward, n * (t - 1.0));
        near(promise.rule, variance(&totals), promise.total, n - 1.0);
    }
}

#[test]
fn every_pair_is_connected_as_often_as_any_other() {
    for promise in promises() {
        let network = network(promise.rule, "a", "b");
        let mut sums = vec![vec![0.0; TARGETS]; SOURCES];
        let mut squares = 0.0;
        for seed in 1..=SEEDS {
            for (sum, row) in sums.iter_mut().flatten().zip(matrices(&network, seed).remove(0).iter().flatten()) {
                *sum += row;
                squares += (row - promise.pair.0).powi(2);
            }
        }
        let n = SEEDS as f64;
        let pairs = (SOURCES * TARGETS) as f64;
        let (p, v) = promise.pair;
        // The variance within a pair, over seeds and pairs: counts the multapses.
        let kurtosis = 1.0 / v + 3.0;
        assert!((squares / (n * pairs) / v - 1.0).abs() < 5.0 * (kurtosis / (n * pairs)).sqrt(), "{}: {squares}", promise.rule);
        // Chi-squared of the sums: pairs are alike, neither more nor less than chance allows.
        let chi: f64 = sums.iter().flatten().map(|c| (c - n * p).powi(2) / (n * v)).sum();
        let free = pairs - SOURCES.max(TARGETS) as f64;
        assert!(chi > free - 6.0 * (2.0 * free).sqrt() && chi < pairs + 6.0 * (2.0 * pairs).sqrt(), "{}: chi-squared {chi}", promise.rule);
        let worst = sums.iter().flatten().map(|c| (c - n * p).abs() / (n * v).sqrt()).fold(0.0, f64::max);
        assert!(worst < 6.0, "{}: a pair is {worst} standard deviations off", promise.rule);
    }
}

#[test]
fn sources_and_targets_choose_independently() {
    let binomial_square = |k: f64, n: f64| k / n * (1.0 - 1.0 / n) + k * k / (n * n);
    for (rule, k, by_target) in
        [("rule = \"fixed_in_degree\"\nin_degree = 12", 12.0, true), ("rule = \"fixed_out_degree\"\nout_degree = 9", 9.0, false)]
    {
        let network = network(rule, "a", "b");
        let chosen_from = if by_target { SOURCES } else { TARGETS } as f64;
        let (mut products, mut shared) = (Vec::new(), Vec::new());
        for seed in 1..=SEEDS {
            let m = matrices(&network, seed).remove(0);
            let free = if by_target { out_degrees(&m) } else { in_degrees(&m) };
            let expected = mean(&free);
            free.windows(2).for_each(|w| products.push((w[0] - expected) * (w[1] - expected)));
            // Common choices of two who choose.
            let row = |i: usize| -> Vec<f64> { if by_target { m.iter().map(|r| r[i]).collect() } else { m[i].clone() } };
            let choosers = if by_target { TARGETS } else { SOURCES };
            for i in 0..choosers - 1 {
                shared.push(row(i).iter().zip(row(i + 1)).map(|(a, b)| a * b).sum::<f64>());
            }
        }
        // Covariance of two degrees of a multinomial of n choices: -n/c^2.
        let choices = mean(&products.iter().map(|_| if by_target { k * TARGETS as f64 } else { k * SOURCES as f64 }).collect::<Vec<_>>());
        let covariance = -choices / (chosen_from * chosen_from);
        let error = 5.0 * (variance(&products) / products.len() as f64).sqrt();
        assert!((mean(&products) - covariance).abs() < error, "{rule}: covariance {}, expected {covariance}", mean(&products));
        // Mean and variance of the number of common choices.
        let n = chosen_from;
        let expected = k * k / n;
        let together = k * (k - 1.0) / (n * n);
        let second = n * binomial_square(k, n).powi(2) + n * (n - 1.0) * together * together;
        let v = second - expected * expected;
        let error = 5.0 * (v / shared.len() as f64).sqrt();
        assert!((mean(&shared) - expected).abs() < error, "{rule}: {} common choices, expected {expected}", mean(&shared));
        near(rule, variance(&shared), v, shared.len() as f64 / 2.0);
    }
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (ma, mb) = (mean(a), mean(b));
    let both: f64 = a.iter().zip(b).map(|(x, y)| (x - ma) * (y - mb)).sum();
    both / (a.len() - 1) as f64 / (variance(a) * variance(b)).sqrt()
}

#[test]
fn projections_and_seeds_are_independent_of_each_other() {
    for promise in promises() {
        let network = network(promise.rule, "a", "b");
        let (mut first, mut second, mut next) = (Vec::new(), Vec::new(), Vec::new());
        for seed in 1..=60 {
            let mut both = matrices(&network, seed);
            second.extend(both.remove(1).into_iter().flatten());
            first.extend(both.remove(0).into_iter().flatten());
            next.extend(matrices(&network, seed + 1).remove(0).into_iter().flatten());
        }
        let bound = 5.0 / (first.len() as f64).sqrt();
        for (what, other) in [("the two projections", &second), ("neighbouring seeds", &next)] {
            let r = correlation(&first, other);
            assert!(r.abs() < bound, "{}: {what} correlate by {r}", promise.rule);
        }
        // The second projection of a seed is not the first of the next one.
        let r = correlation(&second, &next);
        assert!(r.abs() < bound, "{}: shifted projections correlate by {r}", promise.rule);
    }
}

#[test]
fn weights_and_delays_are_independent_of_each_other_and_of_who_is_connected() {
    for promise in promises() {
        let mut network = network(promise.rule, "a", "b");
        let (mut weight, mut delay, mut target, mut source, mut others) = (vec![], vec![], vec![], vec![], vec![]);
        for seed in 1..=40 {
            network.seed = seed;
            let plan = plan(&network).unwrap();
            // The scale follows the largest in-degree, and so may differ from seed to seed.
            let unit = 2f64.powi(-plan.populations[1].scale[0]);
            let mut all = synapses(&plan);
            let second = all.remove(1);
            for (c, d) in all.remove(0).iter().zip(&second) {
                weight.push(f64::from(c.weight) * unit);
                delay.push(f64::from(c.delay));
                target.push(f64::from(c.target));
                source.push(f64::from(c.source));
                others.push(f64::from(d.weight) * unit);
            }
        }
        let bound = 5.0 / (weight.len() as f64).sqrt();
        for (what, a, b) in [
            ("weight and delay", &weight, &delay),
            ("weight and target", &weight, &target),
            ("weight and source", &weight, &source),
            ("delay and target", &delay, &target),
            ("weights of two projections", &weight, &others),
        ] {
            let r = correlation(a, b);
            assert!(r.abs() < bound, "{}: {what} correlate by {r}", promise.rule);
        }
        // Delays from 0.1 to 5 ms, rounded: 1 to 50 steps, mean 25.5, the ends half as often.
        let error = 5.0 * (variance(&delay) / delay.len() as f64).sqrt();
        assert!((mean(&delay) - 25.5).abs() < error && delay.iter().all(|d| (1.0..=50.0).contains(d)), "{}", mean(&delay));
    }
}

#[test]
fn autapses_come_as_often_as_chance_says_or_never() {
    let n = SOURCES as f64;
    for (rule, share) in [
        ("rule = \"fixed_in_degree\"\nin_degree = 12", 12.0),
        ("rule = \"fixed_in_degree\"\nin_degree = 12\nallow_multapses = false", 12.0),
        ("rule = \"fixed_out_degree\"\nout_degree = 9", 9.0),
        ("rule = \"fixed_out_degree\"\nout_degree = 9\nallow_multapses = false", 9.0),
        ("rule = \"fixed_total_number\"\ncount = 400", 10.0),
        ("rule = \"fixed_total_number\"\ncount = 400\nallow_multapses = false", 10.0),
        ("rule = \"fixed_probability\"\np = 0.2", 8.0),
        ("rule = \"all_to_all\"", n),
        ("rule = \"one_to_one\"", n),
    ] {
        let with = network(&format!("{rule}\nallow_autapses = true"), "a", "a");
        let without = network(&format!("{rule}\nallow_autapses = false"), "a", "a");
        let own = |m: &[Vec<f64>]| (0..SOURCES).map(|i| m[i][i]).sum::<f64>();
        let (mut sum, mut full, mut rest) = (0.0, 0.0, 0.0);
        for seed in 1..=100 {
            let m = matrices(&with, seed).remove(0);
            sum += own(&m);
            full += total(&m);
            let m = matrices(&without, seed).remove(0);
            assert_eq!(own(&m), 0.0, "{rule}");
            rest += total(&m);
        }
        // `share` synapses for each neuron, one in n of them onto itself.
        let error = if share == n { 0.0 } else { 5.0 * (share * 100.0).sqrt() };
        let expected = if rule.contains("one_to_one") { n * 100.0 } else { share * 100.0 };
        assert!((sum - expected).abs() <= error, "{rule}: {sum} autapses, expected {expected}");
        // Degrees and totals that are fixed stay so; where pairs are given, the diagonal is missing.
        let missing = if rule.contains("all_to_all") || rule.contains("one_to_one") { n * 100.0 } else { 0.0 };
        if rule.contains("probability") {
            assert!((rest / full - (n - 1.0) / n).abs() < 0.03, "{rule}: {rest} {full}");
        } else {
            assert_eq!(rest, full - missing, "{rule}");
        }
    }
}

#[test]
fn parts_are_connected_within_themselves() {
    let list: Vec<u32> = (0..SOURCES as u32).step_by(3).collect();
    for rule in [
        "rule = \"fixed_in_degree\"\nin_degree = 5",
        "rule = \"fixed_in_degree\"\nin_degree = 5\nallow_multapses = false",
        "rule = \"fixed_out_degree\"\nout_degree = 5",
        "rule = \"fixed_total_number\"\ncount = 90",
        "rule = \"fixed_probability\"\np = 0.3",
        "rule = \"all_to_all\"",
    ] {
        // Sources 0, 3, 6, ... and targets 10..30 of one population: they overlap in 12, 15, 18, ...
        let network = network(&format!("{rule}\nallow_autapses = false"), "a[every 3]", "a[10..30]");
        let mut seen = vec![vec![0.0; SOURCES]; SOURCES];
        for seed in 1..=80 {
            let m = matrices(&network, seed).remove(0);
            for (s, row) in m.iter().enumerate() {
                for (t, count) in row.iter().enumerate() {
                    let allowed = list.contains(&(s as u32)) && (10..30).contains(&t) && s != t;
                    assert!(*count == 0.0 || allowed, "{rule}: {s} -> {t}");
                    seen[s][t] += count;
                }
            }
            if rule.contains("in_degree") {
                assert!(in_degrees(&m)[10..30].iter().all(|d| *d == 5.0), "{rule}");
            }
        }
        let missed = list.iter().flat_map(|s| (10..30).map(move |t| (*s as usize, t))).filter(|(s, t)| s != t && seen[*s][*t] == 0.0);
        assert_eq!(missed.count(), 0, "{rule}: some pairs are never connected");
    }
}

#[test]
fn random_parts_take_every_neuron_equally_often() {
    let text = |seed: u64| {
        format!(
            "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = {seed}\n[populations.a]\nmodel = \"iaf_psc_exp\"\nsize = 50\n\
             [[probes]]\nrecord = \"V_m\"\nof = \"a[random 20]\"\n"
        )
    };
    let mut counts = [0.0; 50];
    for seed in 1..=400 {
        let plan = plan(&load(&origin(&text(seed), None, &[])).network).unwrap();
        let of = &plan.probes[0].of;
        let members: Vec<u32> = (0..of.len()).map(|i| of.get(i)).collect();
        assert!(members.len() == 20 && members.is_sorted_by(|a, b| a < b));
        members.iter().for_each(|m| counts[*m as usize] += 1.0);
    }
    let chi: f64 = counts.iter().map(|c| (c - 160.0f64).powi(2) / (400.0 * 0.4 * 0.6)).sum();
    assert!((15.0..100.0).contains(&chi), "{chi}");
}
