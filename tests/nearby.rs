//! Rows by distance, drawn wherever they are: by any number of threads, by the device or by its host, stored or at every spike,
//! they are the same rows.

mod common;

use std::sync::Arc;

use synfire::engine::cpu::{Cpu, Setup};
use synfire::plan::{Harvest, Plan};

/// Layouts of the two populations.
const LAYOUTS: [[&str; 2]; 5] = [
    [
        "positions = { grid = [30, 25], extent = [\"1 mm\", \"0.8 mm\"], periodic = true }",
        "positions = { grid = [15, 41], extent = [\"1 mm\", \"0.8 mm\"], periodic = true }",
    ],
    [
        "positions = { grid = [30, 25], extent = [\"1 mm\", \"0.8 mm\"] }",
        "size = 600\npositions = { random = true, extent = [\"1.1 mm\", \"0.7 mm\"], origin = [\"-0.1 mm\", \"0.1 mm\"] }",
    ],
    [
        "size = 800\npositions = { random = true, extent = [\"1 mm\", \"1 mm\"], periodic = true }",
        "positions = { grid = [25, 26], extent = [\"1 mm\", \"1 mm\"], periodic = true }",
    ],
    ["positions = { grid = 900, extent = \"3 mm\" }", "positions = { grid = 700, extent = \"3 mm\" }"],
    [
        "positions = { grid = [9, 8, 11], extent = [\"0.5 mm\", \"0.5 mm\", \"0.6 mm\"], periodic = true }",
        "positions = { grid = [10, 9, 8], extent = [\"0.5 mm\", \"0.5 mm\", \"0.6 mm\"], periodic = true }",
    ],
];

/// Kernels whose probability is small everywhere, large everywhere, and both.
const KERNELS: [&str; 5] = [
    "kernel = \"gaussian\"\nsigma = \"120 um\"\np = 0.9",
    "kernel = \"gaussian\"\nsigma = \"150 um\"\np = 0.2",
    "kernel = \"disc\"\nradius = \"200 um\"\np = 0.5",
    "kernel = \"box\"\nwidth = \"300 um\"\np = 0.15",
    "kernel = \"0.6*exp(-((distance - 100 um)/(60 um))^2)\"\nreach = \"250 um\"\np = 0.5",
];

/// Laws of weight and delay.
const LAWS: [[&str; 2]; 4] = [
    ["J", "0.5 ms + distance/(0.3 m/s)"],
    ["J", "1.2 ms"],
    ["2*J*exp(-distance/(200 um))", "0.5 ms + distance/(0.3 m/s)"],
    ["normal(J, J)", "redraw(normal(1.5 ms, 0.7 ms), 5*dt, inf)"],
];

fn scene([first, second]: [&str; 2], kernel: &str, [weight, delay]: [&str; 2], to: &str, storage: &str) -> String {
    format!(
        r#"format = 1
[run]
dt = "0.1 ms"
duration = "1 s"
seed = 5
[parameters]
J = "15 pA"
[populations.a]
model = "iaf_psc_exp"
initial.V_m = "uniform(-70 mV, -55 mV)"
{first}
[populations.b]
model = "iaf_psc_exp"
initial.V_m = "uniform(-70 mV, -55 mV)"
{second}
[[projections]]
from = "a"
to = {to}
rule = "distance"
allow_autapses = false
{kernel}
weight = "{weight}"
delay = "{delay}"
storage = "{storage}"
[[projections]]
from = "b"
to = "a"
rule = "fixed_out_degree"
out_degree = 30
weight = "-2*J*exp(-distance/(300 um))"
delay = "0.5 ms + distance/(0.5 m/s)"
storage = "{storage}"
[[stimuli]]
kind = "poisson"
to = ["a", "b"]
rate = "6 kHz"
weight = "60 pA"
"#
    )
}

/// Every layout and every kernel twice, with laws and targets that change from one to the next.
fn cases() -> impl Iterator<Item = (String, impl Fn(&str) -> Arc<Plan>)> {
    (0..10).map(|i| {
        let (layout, kernel) = (LAYOUTS[i % 5], KERNELS[(i + i / 5 * 2) % 5]);
        let to = ["[\"a\", \"b\"]", "[\"b\", \"a[37..641]\"]"][(i / 2) % 2];
        let laws = LAWS[(i + i / 5) % LAWS.len()];
        let what = format!("{kernel}\n{}\n{laws:?} {to}", layout.join("\n"));
        (what, move |storage: &str| common::planned(&scene(layout, kernel, laws, to, storage)))
    })
}

fn same(a: &Harvest, b: &Harvest, what: &str) {
    assert!(a.spikes.len() > 100 && a.events > 5000, "{what}: {} spikes, {} events", a.spikes.len(), a.events);
    assert!(a.spikes == b.spikes, "{what}: {} and {} spikes", a.spikes.len(), b.spikes.len());
    assert_eq!(a.events, b.events, "{what}");
}

#[test]
fn rows_that_several_threads_draw_for_themselves_give_the_spikes_of_stored_rows() {
    for (what, made) in cases() {
        let expected = Cpu::new(made("stored")).unwrap().advance(200).unwrap();
        let drawn = made("procedural");
        for threads in [1, 2, 3] {
            let mut cpu = Cpu::with(drawn.clone(), Setup { threads: Some(threads), batch: None }).unwrap();
            assert_eq!(cpu.threads(), threads);
            same(&expected, &cpu.advance(200).unwrap(), &what);
        }
    }
}

#[cfg(feature = "gpu")]
mod on_the_device {
    use super::*;
    use synfire::engine::gpu::{Forced, Gpu};

    #[test]
    fn rows_that_it_builds_are_the_bytes_that_the_host_builds() {
        let Some(device) = common::device() else { return };
        for (i, (what, made)) in cases().enumerate() {
            let plan = made("stored");
            let built = |host| {
                let binding = [None, Some(200_000)][i / 5];
                let forced = Forced { binding, host, ..Forced::default() };
                Gpu::new(plan.clone(), device.clone(), forced).unwrap_or_else(|e| panic!("{what}: {e}")).built().unwrap()
            };
            let (here, there) = (built(true), built(false));
            assert!(here.len() > 1 || i < 5, "{what}: one shard");
            let synapses: usize = here.iter().map(|s| s[1].len()).sum();
            assert!(synapses > 10_000, "{what}: {synapses} synapses");
            assert!(here == there, "{what} in {} shards", here.len());
        }
    }

    #[test]
    fn rows_that_it_draws_at_every_spike_give_the_spikes_of_stored_rows() {
        let Some(device) = common::device() else { return };
        for (i, (what, made)) in cases().enumerate() {
            let expected = Cpu::new(made("stored")).unwrap().advance(100).unwrap();
            let forced = Forced { binding: [None, Some(200_000)][i / 5], ..Forced::default() };
            let mut gpu = Gpu::new(made("procedural"), device.clone(), forced).unwrap_or_else(|e| panic!("{what}: {e}"));
            same(&expected, &gpu.advance(100).unwrap(), &what);
        }
    }

    #[test]
    fn rows_of_a_fixed_degree_are_stored_or_refused_in_a_sentence() {
        let Some(device) = common::device() else { return };
        let of = |storage| {
            common::planned(&scene(LAYOUTS[0], "kernel = \"gaussian\"\nsigma = \"120 um\"\nout_degree = 40", LAWS[0], "\"b\"", storage))
        };
        let expected = Cpu::new(of("stored")).unwrap().advance(100).unwrap();
        same(&expected, &Gpu::new(of("stored"), device.clone(), Forced::default()).unwrap().advance(100).unwrap(), "a degree");
        let error = Gpu::new(of("procedural"), device.clone(), Forced::default()).err().unwrap();
        assert!(error.contains("from a to b") && error.contains("storage = \"stored\""), "{error}");
    }
}
