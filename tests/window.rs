//! The window, driven without a display: what a person clicks and types reaches the simulation, and what is drawn is
//! what happened.
#![cfg(feature = "view")]

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use synfire::base::problem::Source;
use synfire::scene::{Options, shipped};
use synfire::session::live::{Frame, Phase};
use synfire::session::{Backend, Command, Origin};
use synfire::view::{Action, App, Look, Panel, Shot, Wish, png, svg};

fn wish(name: &str, set: &[(&str, &str)]) -> Wish {
    let text = shipped().iter().find(|(n, _)| *n == name).unwrap().1;
    let set = set.iter().map(|(a, v)| (a.to_string(), v.to_string())).collect();
    let source = Arc::new(Source { name: format!("{name}.toml"), text: text.into() });
    let origin = Origin { source, folder: None, options: Options { set, ..Options::default() } };
    Wish { origin, file: None, backend: Backend::Cpu, device: None, run: true, fit: false, look: Look::Dark }
}

fn window(wish: Wish) -> Harness<'static, App> {
    let mut window = Harness::builder().with_size(vec2(1280.0, 800.0)).wgpu().build_eframe(|cc| App::new(&cc.egui_ctx, wish).unwrap());
    until(&mut window, "a network", |f| f.about.is_some() && f.phase != Phase::Building);
    window
}

/// Draws until the frame that is shown pleases.
fn until(window: &mut Harness<'_, App>, what: &str, pleases: impl Fn(&Frame) -> bool) {
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

fn brunel() -> Harness<'static, App> {
    window(wish("brunel", &[("N_E", "1200")]))
}

fn pause(window: &mut Harness<'_, App>) -> u64 {
    window.get_by_role_and_label(Role::Button, "Pause").click();
    until(window, "the pause", |f| f.phase == Phase::Paused);
    window.state().frame.step
}

fn knob(window: &Harness<'_, App>, name: &str) -> f64 {
    window.state().frame.about.as_ref().unwrap().knobs.iter().find(|k| k.name == name).unwrap().value
}

#[test]
fn run_pause_and_step_do_what_they_say() {
    let mut window = brunel();
    until(&mut window, "time", |f| f.step > 300);
    let paused = pause(&mut window);
    std::thread::sleep(std::time::Duration::from_millis(50));
    window.run_steps(3);
    assert_eq!(window.state().frame.step, paused);
    for (label, steps) in [("Step", 1), ("1 ms", 10), ("10 ms", 100)] {
        let from = window.state().frame.step;
        window.get_by_role_and_label(Role::Button, label).click();
        until(&mut window, label, |f| f.step == from + steps && f.phase == Phase::Paused);
    }
    window.key_press(Key::Space);
    until(&mut window, "running by key", |f| f.phase == Phase::Running);
}

#[test]
fn a_slider_edits_the_running_network_and_undo_takes_it_back() {
    let mut window = brunel();
    pause(&mut window);
    window.get_by_role_and_label(Role::Slider, "g").set_value_accesskit(3.25);
    until(&mut window, "the edit", |f| f.journal.len() == 1);
    assert_eq!((knob(&window, "g"), window.state().frame.generation, window.state().frame.phase), (3.25, 1, Phase::Paused));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    until(&mut window, "the undo", |f| f.journal.len() == 2);
    assert_eq!(knob(&window, "g"), 5.0);
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    until(&mut window, "the redo", |f| f.journal.len() == 3);
    assert_eq!(knob(&window, "g"), 3.25);
    // A preset is a large button, and one point of undo.
    window.get_by_role_and_label(Role::Button, "SI_fast").click();
    until(&mut window, "the preset", |f| f.journal.len() == 5);
    assert_eq!((knob(&window, "g"), knob(&window, "eta")), (6.0, 4.0));
    window.state_mut().act(Action::Undo);
    until(&mut window, "the undo of the preset", |f| f.journal.len() == 7);
    assert_eq!((knob(&window, "g"), knob(&window, "eta")), (3.25, 2.0));
}

#[test]
fn a_poke_in_the_raster_moves_the_neurons_under_the_pointer() {
    let mut window = brunel();
    until(&mut window, "time", |f| f.step > 200);
    pause(&mut window);
    window.key_press(Key::P);
    window.step();
    let area = window.state().panels.raster.area.unwrap();
    // The pointer is pressed and let go as a hand does it.
    let place = area.left_top() + vec2(area.width() * 0.5, area.height() * 0.25);
    window.hover_at(place);
    window.step();
    window.drag_at(place);
    window.step();
    window.drop_at(place);
    until(&mut window, "the poke", |f| !f.journal.is_empty());
    let frame = window.state().frame.clone();
    let Command::Poke { population, neurons, .. } = &frame.journal[0].command else { panic!("{:?}", frame.journal) };
    // A quarter down, within the excitatory four fifths: about neuron 375 of 1200.
    assert_eq!((population.as_str(), frame.phase), ("exc", Phase::Paused));
    assert!(neurons.iter().any(|[a, b]| (a..b).contains(&&375)), "{neurons:?}");
}

#[test]
fn every_panel_opens_and_every_scene_that_is_small_runs() {
    for (name, set) in [
        ("lif_fi", &[][..]),
        ("izhikevich_2003", &[]),
        ("hh_squid", &[]),
        ("vogels_abbott_cuba", &[]),
        ("microcircuit", &[("scale_N", "0.02"), ("scale_K", "0.02")]),
    ] {
        let mut window = window(wish(name, set));
        until(&mut window, name, |f| f.step > 20);
        for panel in Panel::ALL {
            window.state_mut().act(Action::Show(panel));
            window.run_steps(3);
        }
        let frame = &window.state().frame;
        assert!(frame.problems.is_empty() && frame.stopped.is_none(), "{name}: {:?} {:?}", frame.problems, frame.stopped);
    }
}

#[test]
fn hidden_membranes_are_not_recorded() {
    let mut window = brunel();
    until(&mut window, "membranes", |f| f.chunks.last().is_some_and(|c| c.watched.len() == 2));
    window.state_mut().act(Action::Show(Panel::Journal));
    until(&mut window, "nobody watched", |f| f.chunks.last().is_some_and(|c| c.watched.is_empty()));
}

#[test]
fn a_broken_scene_shows_its_problems_and_the_old_one_goes_on() {
    let mut window = brunel();
    let file = std::env::temp_dir().join(format!("synfire-broken-{}.toml", std::process::id()));
    std::fs::write(&file, "format = 1\n[run]\ndt = \"0.1 mV\"\nnonsense = 3\n").unwrap();
    window.state_mut().open_file(file.clone());
    until(&mut window, "problems", |f| !f.problems.is_empty());
    let count = window.state().frame.problems.len();
    window.get_by_label(&format!("{count} problems in the scene"));
    let step = window.state().frame.step;
    until(&mut window, "the old scene", |f| f.step > step + 50 && f.phase == Phase::Running);
    // The file is put right, and opens by itself.
    std::fs::write(&file, shipped().iter().find(|(n, _)| *n == "izhikevich_2003").unwrap().1).unwrap();
    until(&mut window, "the new scene", |f| f.problems.is_empty() && f.about.as_ref().is_some_and(|a| a.neurons() == 1000));
    std::fs::remove_file(file).unwrap();
}

#[test]
fn the_palette_finds_a_command() {
    let mut window = brunel();
    pause(&mut window);
    let from = window.state().frame.step;
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.run_steps(2);
    window.event(eframe::egui::Event::Text("ten mil".into()));
    window.run_steps(2);
    window.key_press(Key::Enter);
    until(&mut window, "ten milliseconds", |f| f.step == from + 100);
}

#[test]
fn the_window_is_not_blank_and_a_picture_shows_every_spike() {
    let mut window = brunel();
    until(&mut window, "time", |f| f.step > 1000);
    pause(&mut window);
    match window.render() {
        Ok(image) => {
            let first = *image.get_pixel(0, 0);
            let other = image.pixels().filter(|p| **p != first).count();
            assert!((image.width(), image.height()) == (1280, 800) && other > 100_000, "{other} pixels differ");
        }
        Err(e) => panic!("{e}"),
    }
    let frame = window.state().frame.clone();
    let selected: Vec<u32> = (0..40).collect();
    let mine = frame.chunks.iter().flat_map(|c| &c.spikes).filter(|s| s.neuron < 40).count();
    let shot = Shot { span: frame.time(), end: Some(frame.time()), ..Shot::new(Panel::Raster, vec2(900.0, 500.0)).selecting(selected) };
    let drawn = svg(&frame, &shot).matches("<polygon").count();
    assert_eq!(drawn, mine, "ticks drawn and spikes fired");
    let bytes = png(&frame, &Shot::new(Panel::Rates, vec2(640.0, 360.0))).unwrap();
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 5000, "{} bytes", bytes.len());
}

#[test]
fn a_window_that_is_not_drawn_does_not_hold_the_simulation_up() {
    let mut window = brunel();
    window.state_mut().act(Action::Speed(None));
    until(&mut window, "time", |f| f.step > 100);
    let before = window.state().frame.step;
    std::thread::sleep(std::time::Duration::from_millis(500));
    window.step();
    assert!(window.state().frame.step > before + 500);
}
