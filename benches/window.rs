//! What a frame of the window costs, measured with one command: `cargo bench --bench window`.
//!
//! The window's own code at 10 thousand and at 1 million neurons, with as many new spikes in every frame, by the panel that is in
//! front; then the painting by the first adapter. In processor time, that of the thread and that of the process: other work on
//! the machine is not in it, and a software adapter paints on the threads that everybody uses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{RawInput, Rect, pos2, vec2};
use synfire::base::problem::Source;
use synfire::scene::Options;
use synfire::session::live::{DAY, Order, Phase};
use synfire::session::{Backend, Origin};
use synfire::view::{Action, Arrangement, Clock, Look, Panel, Stage, Wish};

/// Frames of a measurement, the steps of the network between two of them, and its new spikes in each.
const FRAMES: u32 = 60;
const STEPS: u64 = 10;
const SPIKES: f64 = 2000.0;
/// Bytes that are gone through between two frames: more than caches hold.
const SWEPT: usize = 64 << 20;

fn main() {
    // All of it, or what is named: code, density, painting.
    let named: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let parts: [(&str, fn()); 3] = [("code", own_code), ("density", density), ("painting", layouts)];
    parts.iter().filter(|(name, _)| named.is_empty() || named.iter().any(|n| n == name)).for_each(|(_, part)| part());
}

fn own_code() {
    println!("ms of the window's own code per frame, {SPIKES} new spikes in each, caches cold: median of {FRAMES}");
    let (mut small, mut large) = (window(10_000, Arrangement::Explore), window(1_000_000, Arrangement::Explore));
    println!("in front           10 000 neurons  1 000 000 neurons  ratio");
    for panel in [Panel::Raster, Panel::Space, Panel::Intervals, Panel::Spectrum, Panel::Traces] {
        let costs = code([&mut small, &mut large], panel);
        println!("{:15} {:17.2} {:18.2} {:6.2}", panel.title(), costs[0], costs[1], costs[1] / costs[0]);
    }
}

fn layouts() {
    println!("\nms per frame of 1280 x 800, nothing runs   from start to end   processor time of all threads");
    for arrangement in Arrangement::ALL {
        let mut window = window(10_000, arrangement);
        live(&window, 5000);
        let [whole, all] = painting(&mut window, |_, _| {});
        println!("{:20} {whole:41.1} {all:31.1}   on {}", arrangement.title(), window.adapter());
    }
}

/// A window on cells that fire at random.
fn window(neurons: u32, layout: Arrangement) -> Stage {
    let rate = SPIKES / (f64::from(neurons) * STEPS as f64 * 1e-4);
    let population = |name: &str, size: u32| {
        format!(
            "[populations.{name}]\nmodel = \"poisson_generator\"\nsize = {size}\n[populations.{name}.parameters]\nrate = \"{rate} Hz\"\n"
        )
    };
    let head = "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n";
    let text = head.to_string() + &population("exc", neurons / 5 * 4) + &population("inh", neurons / 5);
    let source = Arc::new(Source { name: "cells.toml".into(), text });
    let origin = Origin { source, folder: None, options: Options::default() };
    let (backend, look) = (Backend::Cpu, Look::Dark);
    let wish = Wish { origin, file: None, backend, device: None, run: false, fit: false, look, layout: Some(layout), settings: None };
    let rest = |seconds: f64| std::thread::sleep(Duration::from_secs_f64(seconds));
    let now = || {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_secs_f64()
    };
    Stage::new(wish, vec2(1280.0, 800.0), Clock { now, rest }).unwrap_or_else(|e| panic!("{e}"))
}

/// Lets the network live for some steps.
fn live(window: &Stage, steps: u64) {
    let due = window.app.live.frame().step + steps;
    window.app.live.order(Order::Guard(None));
    window.app.live.order(Order::Steps(steps));
    window.app.live.until(DAY, |f| f.step >= due && f.phase == Phase::Paused);
}

/// The density counted by the processor and by the device that paints: frames in which nothing is new, and frames in which all spikes
/// in sight are counted anew, since the rows are zoomed.
fn density() {
    let window = &mut window(100_000, Arrangement::Explore);
    if window.app.panels.raster.device.is_none() {
        return println!("\nthe adapter has no compute: the density is counted by the processor");
    }
    window.app.act(Action::Show(Panel::Raster));
    live(window, 4000);
    println!("\nms per frame of 1280 x 800, from start to end / processor time of all threads, on {}", window.adapter());
    println!("density counted by           nothing new        all counted anew");
    for _ in 0..2 {
        let still = painting(window, |_, _| {});
        let anew =
            painting(window, |window, frame| window.app.panels.raster.heights = Some((0.0, 0.9 + 0.001 * f64::from(frame % 8) as f32)));
        window.app.panels.raster.heights = None;
        let by = if window.app.panels.raster.on_device { "the device" } else { "the processor" };
        println!("{by:20} {:10.1} / {:5.1} {:16.1} / {:5.1}", still[0], still[1], anew[0], anew[1]);
        window.app.act(Action::OnDevice);
    }
}

/// The window's own code, in ms, without any painting, at ten frames a second of the window's time: medians, the windows in turn, so
/// that other work on the machine meets both.
fn code(mut windows: [&mut Stage; 2], panel: Panel) -> [f64; 2] {
    let mut spent = [Vec::new(), Vec::new()];
    let mut swept = vec![0u8; SWEPT];
    for window in &mut windows {
        // The raster shares its place with the space.
        window.app.act(Action::Show(Panel::Raster));
        window.app.act(Action::Show(panel));
        // What is computed beside the window belongs to its cost: here it is computed by it, and in every frame.
        window.app.patient = panel == Panel::Intervals;
    }
    for frame in 0..FRAMES + 10 {
        for (window, spent) in windows.iter_mut().zip(&mut spent) {
            live(window, STEPS);
            // A simulation of many neurons leaves nothing of the window in the caches, one of few leaves all: that is not the drawing's.
            swept.iter_mut().step_by(64).for_each(|byte| *byte = byte.wrapping_add(1));
            let took = one(window);
            if frame >= 10 {
                spent.push(took * 1e3);
            }
        }
    }
    spent.map(|mut all| {
        all.sort_unstable_by(f64::total_cmp);
        all[all.len() / 2]
    })
}

/// Seconds of a frame's own code.
fn one(window: &mut Stage) -> f64 {
    let time = Some(window.age().max(window.ctx.input(|i| i.time)) + 0.1);
    let input = RawInput { screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1280.0, 800.0))), time, ..RawInput::default() };
    let before = thread();
    window.app.think(&window.ctx);
    let ctx = window.ctx.clone();
    let output = ctx.run_ui(input, |ui| window.app.draw(ui));
    let took = thread() - before;
    drop(output);
    took
}

/// Time from start to end, and processor time of all threads, of a frame with its painting, in ms.
fn painting(window: &mut Stage, before_each: impl Fn(&mut Stage, u32)) -> [f64; 2] {
    let mut frame = |k: u32| {
        before_each(window, k);
        window.frame(Vec::new()).unwrap_or_else(|e| panic!("{e}")).whole
    };
    (0..10).for_each(|k| _ = frame(k));
    let before = process();
    let whole: f64 = (0..FRAMES).map(&mut frame).sum();
    [whole / f64::from(FRAMES), (process() - before) * 1e3 / f64::from(FRAMES)]
}

/// Seconds of processor time of this thread so far, where the system tells.
fn thread() -> f64 {
    // The system counts up when a thread gives way.
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) * 1e-9
}

/// Seconds of processor time of this process so far, where the system tells, in hundredths.
fn process() -> f64 {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = told.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
}
