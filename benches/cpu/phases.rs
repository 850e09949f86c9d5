//! Nanoseconds of each phase of a network, of a built synapse by rule, and of random words. Knows no neuron model.

use std::hint::black_box;

use synfire::base::draw::Poisson;
use synfire::base::rng::{ABREAST, Stream};

use super::hand::{engine, load, now};

const NETWORK: &str = include_str!("../../src/cli/bench.toml");
const RUNS: usize = 40;

pub fn all() {
    network();
    for rule in [
        "rule = \"fixed_in_degree\"\nin_degree = 500",
        "rule = \"fixed_probability\"\np = 0.1",
        "rule = \"fixed_total_number\"\ncount = 2500000",
    ] {
        for weight in ["1 pA", "redraw(normal(1 pA, 0.1 pA), 0, inf)"] {
            build(rule, weight);
        }
    }
    words();
}

fn print(what: &str, ns: f64, unit: &str) {
    println!("{what:56} {ns:8.2} ns per {unit}");
}

fn network() {
    let mut engine = engine(load(NETWORK));
    // What was there before the network settled is left out.
    engine.advance(1000).unwrap_or_else(|e| panic!("{e}"));
    let mut best = [f64::INFINITY; 4];
    for _ in 0..RUNS {
        let a = engine.phases();
        engine.advance(60).unwrap_or_else(|e| panic!("{e}"));
        let b = engine.phases();
        let per = |seconds: f64, count: u64| seconds / count.max(1) as f64 * 1e9;
        let events = b.events - a.events;
        let now = [
            per(b.update - a.update, b.updates - a.updates),
            per(b.drive - a.drive, b.draws - a.draws),
            per(b.deliver - a.deliver, events),
            per(b.spread - a.spread, b.spikes - a.spikes),
        ];
        best = std::array::from_fn(|i| best[i].min(now[i]));
    }
    let [update, drive, deliver, spread] = best;
    print("update, balanced network of 10,000 neurons", update, "neuron-step");
    print("drive", drive, "Poisson count");
    print("deliver", deliver, "event");
    print("spread", spread, "spike");
}

fn build(rule: &str, weight: &str) {
    let plan = load(&format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[populations.cells]\nmodel = \"iaf_psc_exp\"\nsize = 5000\n\
         [[projections]]\nfrom = \"cells\"\nto = \"cells\"\n{rule}\nweight = \"{weight}\"\ndelay = \"redraw(normal(1.5 ms, 0.75 ms), dt/2, inf)\"\n"
    ));
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = now();
        black_box(engine(plan.clone()));
        best = best.min(now() - start);
    }
    let drawn = if weight.starts_with("redraw") { "drawn" } else { "constant" };
    let name = rule.split('"').nth(1).unwrap_or_default();
    print(&format!("build, {name}, {drawn} weights, all threads"), best * 1e9 / plan.synapses() as f64, "synapse");
}

/// One thread, the widest vectors.
fn words() {
    let stream = Stream::new(1, [2, 3]);
    let poisson = Poisson::new(1.8);
    let mut words = [[0; ABREAST]; 4];
    let mut counts = [0; ABREAST];
    let time = |what: &str, unit: &str, per: usize, work: &mut dyn FnMut(u32)| {
        let mut best = f64::INFINITY;
        for run in 0..RUNS as u32 {
            let start = now();
            (0..1000).for_each(|k| work(run * 1000 + k));
            best = best.min(now() - start);
        }
        print(what, best * 1e9 / (1000 * per) as f64, unit);
    };
    let arch = pulp::Arch::new();
    time("Philox4x32-10, side by side", "word", 4 * ABREAST, &mut |k| {
        arch.dispatch(Abreast(&stream, k, &mut words));
        black_box(&words);
    });
    let words = words;
    time("Poisson count of mean 1.8 from a word", "count", ABREAST, &mut |k| {
        arch.dispatch(Draw(&poisson, &words[k as usize % 4], &mut counts));
        black_box(&counts);
    });
    time("normal number", "number", 1, &mut |k| {
        black_box(stream.normal([k, 0, 0, 0]));
    });
}

struct Abreast<'a>(&'a Stream, u32, &'a mut [[u32; ABREAST]; 4]);

impl pulp::NullaryFnOnce for Abreast<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.0.abreast(self.1, [5, 6, 7], self.2);
    }
}

struct Draw<'a>(&'a Poisson, &'a [u32], &'a mut [u32]);

impl pulp::NullaryFnOnce for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.0.draw_many(self.1, self.2);
    }
}
