//! What tests of the window share: the real app without a display, and scenes to open in it. Holds no test.
#![allow(dead_code, reason = "each test uses some of it")]

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use synfire::base::problem::Source;
use synfire::plan::{Spike, plan};
use synfire::scene::{Options, shipped};
use synfire::session::live::{Frame, Phase};
use synfire::session::{Backend, Machine, Origin, Simulation};
use synfire::view::{Action, App, Arrangement, Look, Panel, Wish, created};

pub fn wish(name: &str, set: &[(&str, &str)]) -> Wish {
    let text = shipped().iter().find(|(n, _)| *n == name).unwrap().1;
    let set = set.iter().map(|(a, v)| (a.to_string(), v.to_string())).collect();
    let source = Arc::new(Source { name: format!("{name}.toml"), text: text.into() });
    let origin = Origin { source, folder: None, options: Options { set, ..Options::default() } };
    Wish {
        origin,
        file: None,
        backend: Backend::Cpu,
        device: None,
        run: true,
        fit: false,
        look: Look::Dark,
        layout: Some(Arrangement::Explore),
        settings: None,
    }
}

/// A scene as it is written here.
pub fn written(text: &str) -> Wish {
    let mut wish = wish("brunel", &[]);
    wish.origin.source = Arc::new(Source { name: "scene.toml".into(), text: text.into() });
    wish
}

/// The app as eframe drives it, in a window of 1280 x 800; controls without a name fail.
pub fn window(wish: Wish) -> Harness<'static, App> {
    let mut window = Harness::builder()
        .with_size(vec2(1280.0, 800.0))
        .wgpu()
        .build_eframe(|cc| created(cc, wish, Machine::Cpu { threads: None }, "a test".into()).unwrap());
    until(&mut window, "a network", |f| f.about.is_some() && f.phase != Phase::Building);
    window
}

/// Draws until the frame that is shown pleases.
pub fn until(window: &mut Harness<'_, App>, what: &str, pleases: impl Fn(&Frame) -> bool) {
    for _ in 0..4000 {
        window.step();
        if pleases(&window.state().frame) {
            window.step();
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(4));
    }
    panic!("{what} did not come");
}

pub fn brunel() -> Harness<'static, App> {
    window(wish("brunel", &[("N_E", "1200")]))
}

/// Opens a shipped scene and shows these panels, one after the other; nothing may be wrong with it.
pub fn opens(name: &str, set: &[(&str, &str)], panels: &[Panel]) {
    let mut window = window(wish(name, set));
    until(&mut window, name, |f| f.step > 20 || f.stopped.is_some());
    for panel in panels {
        window.state_mut().act(Action::Show(*panel));
        window.run_steps(3);
    }
    let frame = &window.state().frame;
    assert!(frame.problems.is_empty() && frame.stopped.is_none(), "{name}: {:?} {:?}", frame.problems, frame.stopped);
}

pub fn pause(window: &mut Harness<'_, App>) -> u64 {
    window.get_by_role_and_label(Role::Button, "Pause").click();
    until(window, "the pause", |f| f.phase == Phase::Paused);
    window.state().frame.step
}

pub fn knob(window: &Harness<'_, App>, name: &str) -> f64 {
    window.state().frame.about.as_ref().unwrap().knobs.iter().find(|k| k.name == name).unwrap().value
}

/// The spikes of a scene run headless by the CPU engine, to a step.
pub fn headless(wish: Wish, end: u64) -> Vec<Spike> {
    let scene = wish.origin.load().unwrap();
    let machine = Machine::Cpu { threads: Some(1) };
    let plan = Arc::new(plan(&scene.network).unwrap());
    let mut simulation = Simulation::new(wish.origin, scene, plan, &machine, None).unwrap();
    simulation.advance(end).unwrap().spikes
}

/// What the density of a raster has to be after a headless run to a step: spikes counted by where they are drawn.
pub fn binned(window: &Harness<'_, App>, wish: Wish, end: u64) -> Vec<Vec<u32>> {
    let raster = &window.state().panels.raster;
    let (sight, _) = raster.counts().unwrap();
    let mut due = vec![vec![0u32; sight.columns]; sight.rows];
    for spike in headless(wish, end) {
        let column = (u64::from(spike.step) - 1) / sight.per;
        let Some(height) = raster.height(spike.neuron) else { continue };
        let row = (height - sight.low) * (sight.rows as f32 / (sight.high - sight.low));
        let column = column.checked_sub(sight.first).filter(|c| *c < sight.columns as u64);
        if let (Some(column), true) = (column, (0.0..sight.rows as f32).contains(&row)) {
            due[row as usize][column as usize] += 1;
        }
    }
    due
}

/// Presses the pointer at a place, draws it to others, and lets it go, as a hand does it.
pub fn stroke(window: &mut Harness<'_, App>, places: &[eframe::egui::Pos2]) {
    for (i, place) in places.iter().enumerate() {
        window.hover_at(*place);
        window.step();
        if i == 0 {
            window.drag_at(*place);
            window.step();
        }
    }
    if let Some(last) = places.last() {
        window.drop_at(*last);
    }
    window.step();
}
