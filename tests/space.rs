//! Wiring, weights and delays by distance: the statistics of every kernel and layout, exact degrees, tables against their formulas,
//! both engines, and what is refused.

mod common;

use synfire::plan::{Plan, connections, plan};

const EXPLICIT: &str = "x,y\n-100,0\n-100,50\n100,0\n100,50\n0,25\n";

/// A scene of two populations on one sheet; `rule` fills the projection from the first to the second.
fn scene(first: &str, second: &str, rule: &str) -> String {
    format!(
        r#"format = 1
[run]
dt = "0.1 ms"
duration = "1 s"
seed = 7
[populations.a]
model = "iaf_psc_exp"
{first}
[populations.b]
model = "iaf_psc_exp"
{second}
[[projections]]
from = "a"
to = "b"
{rule}
weight = "60 pA*exp(-distance/(200 um))"
delay = "0.5 ms + distance/(0.3 m/s)"
"#
    )
}

fn made(text: &str) -> Plan {
    plan(&common::load(&common::origin(text, None, &[])).network).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// The distance from source to target by the formula, from exported positions; `extent` is that of a periodic sheet.
fn distance(plan: &Plan, source: u32, target: u32, extent: Option<[f64; 3]>, square: bool) -> f64 {
    let at = |p: usize, i: u32| plan.populations[p].sheet.as_ref().unwrap().position(i);
    let (x, y) = (at(0, source), at(1, target));
    let apart = |k: usize| {
        let d = (x[k] - y[k]).abs();
        extent.map_or(d, |e| if e[k] > 0.0 { d.min(e[k] - d) } else { d })
    };
    let d = [apart(0), apart(1), apart(2)];
    if square { d.into_iter().fold(0.0, f64::max) } else { d.iter().map(|d| d * d).sum::<f64>().sqrt() }
}

type Kernel = (&'static str, fn(f64) -> f64, bool);

const KERNELS: [Kernel; 6] = [
    ("kernel = \"gaussian\"\nsigma = \"80 um\"\np = 0.9", |d| if d < 320.0 { 0.9 * (-0.5 * (d / 80.0).powi(2)).exp() } else { 0.0 }, false),
    ("kernel = \"gaussian\"\nsigma = \"120 um\"\np = 0.02", |d| 0.02 * (-0.5 * (d / 120.0).powi(2)).exp(), false),
    (
        "kernel = \"exponential\"\nlength = \"60 um\"\nreach = \"300 um\"\np = 0.3",
        |d| if d < 300.0 { 0.3 * (-d / 60.0).exp() } else { 0.0 },
        false,
    ),
    ("kernel = \"disc\"\nradius = \"150 um\"\np = 0.15", |d| if d < 150.0 { 0.15 } else { 0.0 }, false),
    ("kernel = \"box\"\nwidth = \"240 um\"\np = 0.15", |d| if d < 120.0 { 0.15 } else { 0.0 }, true),
    (
        "kernel = \"0.4*exp(-((distance - 100 um)/(30 um))^2)\"\nreach = \"220 um\"\np = 0.5",
        |d| if d < 220.0 { 0.2 * (-((d - 100.0) / 30.0).powi(2)).exp() } else { 0.0 },
        false,
    ),
];

/// Layouts of sources and targets, and the extent where it is periodic.
const LAYOUTS: [(&str, &str, Option<[f64; 3]>); 5] = [
    (
        "positions = { grid = [40, 30], extent = [\"800 um\", \"600 um\"], periodic = true }",
        "positions = { grid = [20, 45], extent = [\"800 um\", \"600 um\"], periodic = true }",
        Some([800.0, 600.0, 0.0]),
    ),
    (
        "size = 1000\npositions = { random = true, extent = [\"800 um\", \"600 um\"] }",
        "size = 900\npositions = { random = true, extent = [\"700 um\", \"500 um\"], origin = [\"-50 um\", \"40 um\"] }",
        None,
    ),
    (
        "size = 1100\npositions = { random = true, extent = [\"700 um\", \"700 um\"], periodic = true }",
        "positions = { grid = [31, 29], extent = [\"700 um\", \"700 um\"], periodic = true }",
        Some([700.0, 700.0, 0.0]),
    ),
    ("size = 600\npositions = { random = true, extent = \"2 mm\" }", "positions = { grid = 700, extent = \"2 mm\" }", None),
    (
        "positions = { grid = [9, 10, 11], extent = [\"400 um\", \"400 um\", \"500 um\"], periodic = true }",
        "size = 800\npositions = { random = true, extent = [\"400 um\", \"400 um\", \"500 um\"], periodic = true }",
        Some([400.0, 400.0, 500.0]),
    ),
];

/// Chi-square of the synapses counted in bins of distance against the sum of the kernel over all pairs there.
#[test]
fn pairs_are_connected_with_the_probability_of_the_kernel_at_their_distance() {
    for (first, second, extent) in LAYOUTS {
        for (kernel, law, square) in KERNELS {
            let plan = made(&scene(first, second, &format!("rule = \"distance\"\n{kernel}")));
            let (n, m) = (plan.populations[0].size, plan.populations[1].size);
            const BINS: usize = 24;
            let bin = |d: f64| ((d / 330.0 * BINS as f64) as usize).min(BINS);
            let (mut mean, mut variance, mut seen) = ([0.0; BINS + 1], [0.0; BINS + 1], [0.0; BINS + 1]);
            for s in 0..n {
                for t in 0..m {
                    let d = distance(&plan, s, t, extent, square);
                    let p = law(d);
                    mean[bin(d)] += p;
                    variance[bin(d)] += p * (1.0 - p);
                }
            }
            let mut all = Vec::new();
            connections(&plan, &plan.projections[0], |c| all.push((c.source, c.target - n)));
            all.iter().for_each(|(s, t)| seen[bin(distance(&plan, *s, *t, extent, square))] += 1.0);
            let total: f64 = mean.iter().sum();
            let sd = variance.iter().sum::<f64>().sqrt();
            // A border of the kernel is as sharp as the table: two thousandths of the pairs may fall on its other side.
            assert!((all.len() as f64 - total).abs() < 4.5 * sd + 0.004 * total, "{kernel} {first}: {} of {total}", all.len());
            for b in 0..=BINS {
                let allowed = 5.0 * variance[b].sqrt() + 0.02 * mean[b] + 3.0;
                assert!((seen[b] - mean[b]).abs() < allowed, "{kernel} {first}: bin {b}: {} of {}", seen[b], mean[b]);
            }
            all.sort_unstable();
            assert!(all.windows(2).all(|w| w[0] != w[1]), "{kernel}: a pair is connected twice");
            let expected = plan.projections[0].wiring.synapses() as f64;
            assert!((expected / total - 1.0).abs() < 0.03, "{kernel}: {expected} expected, {total}");
        }
    }
}

#[test]
fn no_target_receives_more_than_the_plan_allows_for() {
    for (first, second, _) in LAYOUTS {
        for degree in ["p = 0.5", "out_degree = 60"] {
            let plan = made(&scene(first, second, &format!("rule = \"distance\"\nkernel = \"gaussian\"\nsigma = \"70 um\"\n{degree}")));
            let mut received = vec![0u64; plan.neurons as usize];
            connections(&plan, &plan.projections[0], |c| received[c.target as usize] += 1);
            let (most, allowed) = (*received.iter().max().unwrap(), plan.projections[0].wiring.max_in_degree());
            assert!(most <= allowed, "{first} {degree}: {most} of {allowed}");
            assert!(allowed < 8 * most + 500, "{first} {degree}: {most}, and {allowed} allowed for");
        }
    }
}

/// Degrees are exact, and the targets of each source are drawn in proportion to the kernel.
#[test]
fn degrees_with_a_kernel_are_exact_and_drawn_in_proportion_to_it() {
    for (first, second, extent) in LAYOUTS {
        for (of_sources, degree) in [(true, "out_degree = 50"), (false, "in_degree = 40")] {
            let plan = made(&scene(first, second, &format!("rule = \"distance\"\nkernel = \"gaussian\"\nsigma = \"100 um\"\n{degree}")));
            let (n, m) = (plan.populations[0].size, plan.populations[1].size);
            let mut all = Vec::new();
            connections(&plan, &plan.projections[0], |c| all.push((c.source, c.target - n)));
            let mut counts = vec![0u32; if of_sources { n } else { m } as usize];
            all.iter().for_each(|(s, t)| counts[if of_sources { *s } else { *t } as usize] += 1);
            assert!(counts.iter().all(|c| *c == if of_sources { 50 } else { 40 }), "{first} {degree}");
            // The mean squared distance of the synapses against the kernel's, summed over all pairs.
            let kernel = |d: f64| if d < 400.0 { (-0.5 * (d / 100.0).powi(2)).exp() } else { 0.0 };
            let (rows, columns) = if of_sources { (n, m) } else { (m, n) };
            let (mut expected, mut spread) = (0.0, 0.0);
            for r in 0..rows {
                let (mut sum, mut moment, mut fourth) = (0.0, 0.0, 0.0);
                for c in 0..columns {
                    let (s, t) = if of_sources { (r, c) } else { (c, r) };
                    let d = distance(&plan, s, t, extent, false);
                    let w = kernel(d);
                    (sum, moment, fourth) = (sum + w, moment + w * d * d, fourth + w * d.powi(4));
                }
                expected += moment / sum / f64::from(rows);
                spread += (fourth / sum - (moment / sum).powi(2)) / f64::from(rows);
            }
            let found = all.iter().map(|(s, t)| distance(&plan, *s, *t, extent, false).powi(2)).sum::<f64>() / all.len() as f64;
            let error = (spread / all.len() as f64).sqrt();
            assert!((found - expected).abs() < 5.0 * error + 0.003 * expected, "{first} {degree}: {found} of {expected}");
        }
    }
}

#[test]
fn weights_and_delays_follow_their_formulas_of_the_distance() {
    for (first, second, extent) in LAYOUTS {
        for rule in ["rule = \"distance\"\nkernel = \"disc\"\nradius = \"300 um\"\np = 0.1", "rule = \"fixed_out_degree\"\nout_degree = 20"]
        {
            let plan = made(&scene(first, second, rule));
            let quanta = f64::from(plan.populations[1].scale[0]).exp2();
            let mut count = 0;
            connections(&plan, &plan.projections[0], |c| {
                let d = distance(&plan, c.source, c.target - plan.populations[0].size, extent, false);
                let steps = (0.5 + d / 300.0) / 0.1;
                assert!((f64::from(c.delay) - steps).abs() < 0.55, "{first} {d}: {} for {steps}", c.delay);
                let weight = 60.0 * (-d / 200.0).exp();
                assert!(
                    (f64::from(c.weight) / quanta - weight).abs() < 0.005 * weight + 0.8,
                    "{d}: {} for {weight}",
                    f64::from(c.weight) / quanta
                );
                count += 1;
            });
            assert!(count > 1000, "{count}");
        }
    }
}

#[test]
fn positions_come_from_grids_and_files_as_written() {
    let folder = std::env::temp_dir().join(format!("synfire-space-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("p.csv"), EXPLICIT).unwrap();
    let text = scene(
        "positions = { file = \"p.csv\", unit = \"um\" }",
        "positions = { grid = [4, 2], extent = [\"200 um\", \"50 um\"], origin = [\"-100 um\", \"0 um\"] }",
        "rule = \"all_to_all\"",
    );
    let plan = plan(&common::load(&common::origin(&text, Some(&folder), &[])).network).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let at = |p: usize, i: u32| plan.populations[p].sheet.as_ref().unwrap().position(i);
    assert_eq!((plan.populations[0].size, plan.populations[1].size), (5, 8));
    for (i, expected) in [[-100.0, 0.0], [-100.0, 50.0], [100.0, 0.0], [100.0, 50.0], [0.0, 25.0]].iter().enumerate() {
        assert!((0..2).all(|a| (at(0, i as u32)[a] - expected[a]).abs() < 0.01), "{:?}", at(0, i as u32));
    }
    for (i, expected) in [(0, [-75.0, 12.5]), (1, [-25.0, 12.5]), (7, [75.0, 37.5])] {
        assert!((0..2).all(|a| (at(1, i)[a] - expected[a]).abs() < 0.01), "{:?}", at(1, i));
    }
}

#[test]
fn wiring_by_distance_gives_the_same_spikes_on_every_engine() {
    let text = scene(LAYOUTS[2].0, LAYOUTS[2].1, "rule = \"distance\"\nkernel = \"gaussian\"\nsigma = \"80 um\"\np = 0.5")
        + "[[stimuli]]\nkind = \"poisson\"\nto = [\"a\", \"b\"]\nrate = \"5 kHz\"\nweight = \"80 pA\"\n";
    let all: Vec<_> = common::machines().iter().map(|m| common::run(&text, m, 500)).collect();
    assert!(all[0].spikes.len() > 1000 && all[0].events > 10_000, "{} {}", all[0].spikes.len(), all[0].events);
    all.iter().for_each(|h| assert_eq!(h.spikes, all[0].spikes));
}

#[test]
fn what_space_cannot_be_is_refused_with_place_and_remedy() {
    let grid = "positions = { grid = [10, 10], extent = [\"1 mm\", \"1 mm\"] }";
    let gaussian = "rule = \"distance\"\nkernel = \"gaussian\"\nsigma = \"80 um\"\np = 0.5";
    for (first, second, rule, word) in [
        ("size = 5", grid, gaussian, "a has no positions"),
        ("size = 5\npositions = { grid = [2, 2], extent = [\"1 mm\", \"1 mm\"] }", grid, gaussian, "4 positions for 5 neurons"),
        ("positions = { grid = [2, 2], extent = \"1 mm\" }", grid, gaussian, "1 lengths of extent for 2 dimensions"),
        ("positions = { grid = [2, 2] }", grid, gaussian, "the extent of the positions is missing"),
        ("positions = { grid = [2, 2], extent = [\"1 mm\", \"0 mm\"] }", grid, gaussian, "an extent is positive"),
        ("positions = { grid = [2, 2], extent = [\"1 mV\", \"1 mm\"] }", grid, gaussian, "expected a value in um"),
        ("size = 4\npositions = { grid = 4, extent = \"1 mm\" }", grid, gaussian, "do not lie on one sheet"),
        ("positions = { grid = [2, 2], random = true, extent = [\"1 mm\", \"1 mm\"] }", grid, gaussian, "one of grid, random and file"),
        (grid, grid, "rule = \"distance\"\nkernel = \"gauss\"\nreach = \"1 mm\"\np = 0.5", "no kernel is named `gauss`"),
        (grid, grid, "rule = \"distance\"\nkernel = \"gaussian\"\nradius = \"1 mm\"\np = 0.5", "takes no `radius`"),
        (grid, grid, "rule = \"distance\"\nkernel = \"disc\"\nradius = \"1 mm\"", "one of p, in_degree and out_degree"),
        (grid, grid, "rule = \"distance\"\nkernel = \"disc\"\nradius = \"1 mm\"\np = 1.5", "a probability of up to 1.5"),
        (grid, grid, "rule = \"distance\"\nkernel = \"1 - distance/(0.5 mm)\"\nreach = \"1 mm\"\np = 1", "the kernel falls to -1"),
        (grid, grid, "rule = \"distance\"\nkernel = \"distance\"\nreach = \"1 mm\"\np = 1", "expected a bare number"),
        (grid, grid, "rule = \"all_to_all\"\nsigma = \"1 mm\"", "takes no `sigma`"),
    ] {
        let problems = common::origin(&scene(first, second, rule), None, &[]).load().err().unwrap_or_default();
        let text = common::rendered(&problems);
        assert!(text.contains(word), "{word}:\n{text}");
    }
    for (rule, word) in [
        ("rule = \"distance\"\nkernel = \"disc\"\nradius = \"20 um\"\nout_degree = 3\nallow_autapses = false", "nobody within reach"),
        ("rule = \"distance\"\nkernel = \"disc\"\nradius = \"0.001 um\"\np = 1", "told apart"),
        ("rule = \"distance\"\nkernel = \"disc\"\nradius = \"1 mm\"\nout_degree = 3\nallow_multapses = false", "allow_multapses = true"),
    ] {
        let text = scene(grid, grid, rule).replace("to = \"b\"", "to = \"a\"");
        let error = plan(&common::load(&common::origin(&text, None, &[])).network).err().unwrap().message;
        assert!(error.contains(word), "{word}: {error}");
    }
}
