//! Loops written by hand, and the generated update of the same model beside them. Knows no equation.

use std::sync::Arc;
use std::time::Instant;

use synfire::base::problem::{Problem, Source};
use synfire::engine::cpu::{Cpu, Setup};
use synfire::plan::{Plan, plan};

/// Neurons of every comparison.
pub const NEURONS: usize = 8192;
/// Steps of one measured run: one batch of the engine.
pub const STEPS: u64 = 32;
/// Runs of each, within these seconds.
const RUNS: usize = 300;
const LONGEST: f64 = 5.0;
/// How far voltages may be apart at the end, mV: what rounding in another order makes of them.
const APART: f32 = 0.1;

/// A population of one model as plain columns.
pub trait ByHand {
    const NAME: &'static str;
    /// The scene of the same population.
    const SCENE: &'static str;

    /// From the voltages at the start, mV.
    fn new(voltages: &[f32]) -> Self;
    /// The next steps: takes inputs and clears them, integrates, notes spikes. Always inlined.
    fn run(&mut self, steps: u64);
    fn voltages(&self) -> &[f32];
    fn spikes(&self) -> u64;
}

/// A closure would not be inlined into the code that has the widest vectors.
struct Widest<'a, T>(&'a mut T, u64);

impl<T: ByHand> pulp::NullaryFnOnce for Widest<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.0.run(self.1);
    }
}

pub fn load(text: &str) -> Arc<Plan> {
    let source = Arc::new(Source { name: "bench.toml".into(), text: text.into() });
    let scene = synfire::scene::load(source, None, &Default::default())
        .unwrap_or_else(|p| panic!("{}", p.iter().map(Problem::render).collect::<String>()));
    Arc::new(plan(&scene.network).unwrap_or_else(|e| panic!("{e}")))
}

pub fn now() -> f64 {
    thread_local!(static START: Instant = Instant::now());
    START.with(Instant::elapsed).as_secs_f64()
}

pub fn engine(plan: Arc<Plan>) -> Cpu {
    let mut engine = Cpu::with(plan, Setup { threads: Some(1), batch: None }).unwrap_or_else(|e| panic!("{e}"));
    engine.measure(now);
    engine
}

/// Seconds that the update of one batch took.
pub fn update(engine: &mut Cpu) -> f64 {
    let before = engine.phases().update;
    engine.advance(STEPS).unwrap_or_else(|e| panic!("{e}"));
    engine.phases().update - before
}

/// The best of interleaved runs, in nanoseconds per neuron-step.
pub fn best(mut one: impl FnMut() -> f64, mut other: impl FnMut() -> f64) -> [f64; 2] {
    let mut best = [f64::INFINITY; 2];
    let start = now();
    for _ in (0..RUNS).take_while(|_| now() - start < LONGEST) {
        best = [best[0].min(one()), best[1].min(other())];
    }
    best.map(|s| s * 1e9 / (NEURONS as f64 * STEPS as f64))
}

pub fn compare<T: ByHand>() {
    let mut engine = engine(load(T::SCENE));
    let mut hand = T::new(&engine.state(0, 0));
    let by_hand = || {
        let start = now();
        pulp::Arch::new().dispatch(Widest(&mut hand, STEPS));
        now() - start
    };
    let [generated, written] = best(|| update(&mut engine), by_hand);
    // All but a hundredth: rounding in another order may move a spike by a step.
    let mut apart: Vec<f32> = engine.state(0, 0).iter().zip(hand.voltages()).map(|(a, b)| (a - b).abs()).collect();
    apart.sort_by(f32::total_cmp);
    let apart = apart[NEURONS * 99 / 100];
    let spikes = [engine.phases().spikes, hand.spikes()];
    let alike = apart <= APART && spikes[0] > 0 && spikes[0].abs_diff(spikes[1]) <= spikes[0] / 100;
    assert!(alike, "{}: another model? {apart} mV, spikes {spikes:?}", T::NAME);
    println!("{:32} {generated:9.2} {written:8.2} {:6.2}   ({apart:.1e} mV, {})", T::NAME, generated / written, spikes[0]);
}
