//! Statistics and exactness of the rules, over seeds.

use super::*;
use crate::network::{Law, Part, Receptor, Which};

fn part(population: usize, len: u32) -> Part {
    Part { population, which: Which::Range { start: 0, len } }
}

fn projection(rule: Rule, sources: u32, targets: u32, autapses: bool, multapses: bool) -> Projection {
    let to = if autapses { 1 } else { 0 };
    Projection {
        from: part(0, sources),
        to: part(to, targets),
        rule,
        autapses,
        multapses,
        receptor: Receptor::Named(0),
        weight: Law::constant(1.0),
        delay: Law::constant(1.0),
        storage: None,
    }
}

fn pairs(seed: u64, p: &Projection) -> Vec<(u32, u32)> {
    let wiring = Wiring::new(seed, 3, p).unwrap();
    let mut out = Vec::new();
    for s in 0..p.from.which.len() {
        let mut row = Vec::new();
        wiring.row(s, &mut row);
        out.extend(row.into_iter().map(|t| (s, t)));
    }
    out
}

fn degrees(ids: impl Iterator<Item = u32>, n: u32) -> Vec<u32> {
    let mut counts = vec![0; n as usize];
    ids.for_each(|i| counts[i as usize] += 1);
    counts
}

#[test]
fn in_degrees_are_exact_with_and_without_multapses_and_autapses() {
    for (autapses, multapses) in [(true, true), (false, true), (true, false), (false, false)] {
        let p = projection(Rule::FixedInDegree(20), 100, 100, autapses, multapses);
        let pairs = pairs(1, &p);
        assert!(degrees(pairs.iter().map(|p| p.1), 100).iter().all(|d| *d == 20));
        assert!(autapses || pairs.iter().all(|(s, t)| s != t));
        let mut unique = pairs.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len() < pairs.len(), multapses);
    }
}

#[test]
fn out_degrees_of_fixed_in_degree_are_binomial() {
    let p = projection(Rule::FixedInDegree(50), 200, 400, true, true);
    let mut variance = 0.0;
    for seed in 0..40 {
        let d = degrees(pairs(seed, &p).iter().map(|p| p.0), 200);
        variance += d.iter().map(|d| (f64::from(*d) - 100.0).powi(2)).sum::<f64>() / 200.0 / 40.0;
    }
    assert!((variance / (100.0 * (1.0 - 1.0 / 200.0)) - 1.0).abs() < 0.06, "{variance}");
}

#[test]
fn multapses_of_fixed_total_number_come_as_often_as_chance_says() {
    let p = projection(Rule::FixedTotalNumber(5000), 100, 100, true, true);
    let mut repeats = 0.0;
    for seed in 0..40 {
        let mut all = pairs(seed, &p);
        assert_eq!(all.len(), 5000);
        all.sort_unstable();
        all.dedup();
        repeats += (5000 - all.len()) as f64 / 40.0;
    }
    let expected = 5000.0 - 1e4 * (1.0 - (1.0 - 1e-4f64).powi(5000));
    assert!((repeats - expected).abs() < 12.0, "{repeats} {expected}");
}

#[test]
fn fixed_probability_has_its_mean_and_never_repeats() {
    for q in [0.0, 0.02, 0.5, 1.0] {
        let p = projection(Rule::FixedProbability(q), 300, 200, true, false);
        let mut mean = 0.0;
        for seed in 0..20 {
            let all = pairs(seed, &p);
            assert!(all.windows(2).all(|w| w[0] < w[1]));
            mean += all.len() as f64 / 20.0;
        }
        assert!((mean - q * 6e4).abs() <= 5.0 * (6e4 * q * (1.0 - q) / 20.0).sqrt(), "{q}: {mean}");
    }
}

#[test]
fn totals_and_out_degrees_without_multapses_are_exact_and_distinct() {
    for rule in [Rule::FixedTotalNumber(900), Rule::FixedOutDegree(9)] {
        let p = projection(rule, 100, 100, false, false);
        let mut all = pairs(5, &p);
        assert!(all.iter().all(|(s, t)| s != t) && all.len() == 900);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 900);
    }
    assert_eq!(pairs(1, &projection(Rule::AllToAll, 10, 10, false, true)).len(), 90);
    assert_eq!(pairs(1, &projection(Rule::OneToOne, 4, 4, true, true)), [(0, 0), (1, 1), (2, 2), (3, 3)]);
}

#[test]
fn the_impossible_is_refused_with_the_numbers() {
    let error = |rule, multapses| Wiring::new(1, 0, &projection(rule, 10, 12, true, multapses)).err().unwrap_or_default();
    assert!(error(Rule::FixedInDegree(11), false).contains("11"));
    assert!(error(Rule::OneToOne, true).contains("10 sources and 12 targets"));
    assert!(error(Rule::FixedProbability(1.5), false).contains("between 0 and 1"));
    assert!(error(Rule::FixedTotalNumber(121), false).contains("120 pairs"));
}

#[test]
fn projections_and_seeds_differ_and_calls_repeat() {
    let p = projection(Rule::FixedTotalNumber(500), 100, 100, true, true);
    assert_eq!(pairs(1, &p), pairs(1, &p));
    assert_ne!(pairs(1, &p), pairs(2, &p));
}
