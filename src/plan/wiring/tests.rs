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
        weight_by_distance: None,
        delay_by_distance: None,
        storage: None,
        changing: None,
    }
}

fn pairs(seed: u64, p: &Projection) -> Vec<(u32, u32)> {
    let wiring = Wiring::new(seed, 3, p, None).unwrap();
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
    let error = |rule, multapses| Wiring::new(1, 0, &projection(rule, 10, 12, true, multapses), None).err().unwrap_or_default();
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

/// Fixed in-degree without autapses, drawn by stubs: exact, without autapses, out-degrees as chance has them, sources even.
#[test]
fn autapses_are_traded_away_and_leave_the_law_alone() {
    let p = projection(Rule::FixedInDegree(30), 150, 150, false, true);
    assert!(matches!(Wiring::new(1, 3, &p, None).unwrap().kind(), Kind::Stubs(_)));
    let (mut variance, mut near) = (0.0, 0u32);
    for seed in 0..60 {
        let all = pairs(seed, &p);
        assert!(all.iter().all(|(s, t)| s != t));
        assert!(degrees(all.iter().map(|p| p.1), 150).iter().all(|d| *d == 30));
        variance += degrees(all.iter().map(|p| p.0), 150).iter().map(|d| (f64::from(*d) - 30.0).powi(2)).sum::<f64>() / 150.0 / 60.0;
        near += all.iter().filter(|(s, t)| (s + 1) % 150 == *t).count() as u32;
    }
    assert!((variance / (30.0 * (1.0 - 1.0 / 149.0)) - 1.0).abs() < 0.06, "{variance}");
    // A given other source is met with probability 1/149.
    let expected = 60.0 * 150.0 * 30.0 / 149.0;
    assert!((f64::from(near) - expected).abs() < 5.0 * expected.sqrt(), "{near} {expected}");
}

#[test]
fn blocks_of_targets_change_nothing_of_the_law_of_a_fixed_in_degree() {
    let (mut variance, none) = (0.0, None::<fn(u32) -> Option<u32>>);
    for seed in 0..40 {
        let stubs = Stubs::with_blocks_of(1000, 50, 200, 400, none, &Stream::new(seed, [1, 1])).unwrap();
        assert_eq!(stubs.blocks.len(), 20);
        let row = |s: u32| {
            let mut out = Vec::new();
            (0..20).for_each(|b| stubs.stretch(s, b, &mut out));
            out
        };
        let rows: Vec<Vec<u32>> = (0..200).map(row).collect();
        assert!(degrees(rows.iter().flatten().copied(), 400).iter().all(|d| *d == 50));
        variance += rows.iter().map(|r| (r.len() as f64 - 100.0).powi(2)).sum::<f64>() / 200.0 / 40.0;
    }
    assert!((variance / (100.0 * (1.0 - 1.0 / 200.0)) - 1.0).abs() < 0.06, "{variance}");
}

/// Whether two sources share targets as often as chance says, with and without multapses.
#[test]
fn pairs_of_sources_share_targets_as_independent_rows_do() {
    // With a fixed in-degree K, two sources compete for the stubs of a target: (K - 1) in place of (K - 1/N).
    let competing = 19.0 / 19.99;
    for (rule, multapses, expected) in [
        (Rule::FixedOutDegree(20), false, 1.0),
        (Rule::FixedTotalNumber(2000), false, 1.0),
        (Rule::FixedTotalNumber(2000), true, 1.0),
        (Rule::FixedInDegree(20), true, competing),
    ] {
        let p = projection(rule, 100, 100, true, multapses);
        let (mut shared, mut products) = (0.0, 0.0);
        for seed in 0..60 {
            let mut matrix = vec![[0.0; 100]; 100];
            pairs(seed, &p).iter().for_each(|(s, t)| matrix[*s as usize][*t as usize] += 1.0);
            for s in 0..99 {
                let row = |s: usize| matrix[s].iter().sum::<f64>();
                products += row(s) * row(s + 1) / 100.0;
                shared += (0..100).map(|t| matrix[s][t] * matrix[s + 1][t]).sum::<f64>();
            }
        }
        assert!((shared / products / expected - 1.0).abs() < 0.02, "{:?}: {shared} {products}", p.rule);
    }
}
