//! The window, driven without a display: what a person clicks and types reaches the simulation, and what is drawn is
//! what happened.
#![cfg(feature = "view")]

#[path = "common/window.rs"]
mod common;

use std::sync::Arc;

use common::{binned, brunel, knob, opens, pause, until, window, wish, written};
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use synfire::plan::plan;
use synfire::scene::shipped;
use synfire::session::live::{Frame, Phase};
use synfire::session::{Command, Machine, Simulation, saved};
use synfire::view::{Action, App, Arrangement, Choice, Hand, Look, Move, Panel, Shot, png, svg};

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
        opens(name, set, &Panel::ALL);
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

#[test]
fn the_density_that_is_drawn_is_the_binning_of_a_headless_run() {
    let mut window = brunel();
    until(&mut window, "time", |f| f.step > 6000);
    let end = pause(&mut window);
    window.run_steps(2);
    assert!(!window.state().panels.raster.ticks && !window.state().panels.raster.on_device, "so many spikes are drawn as density");
    let due = binned(&window, wish("brunel", &[("N_E", "1200")]), end);
    assert!(due.iter().flatten().sum::<u32>() > 5000);
    assert_eq!(window.state().panels.raster.counts().unwrap().1, due);
}

#[test]
fn the_device_that_paints_counts_the_same_density() {
    let mut window = brunel();
    if window.state().panels.raster.device.is_none() {
        assert!(std::env::var_os("CI").is_none(), "the adapter has no compute");
        return println!("SKIPPED: the adapter has no compute");
    }
    window.state_mut().act(Action::OnDevice);
    let drawn = |window: &mut Harness<'static, App>, end: u64| {
        window.run_steps(2);
        assert!(window.state().panels.raster.on_device);
        let due = binned(window, wish("brunel", &[("N_E", "1200")]), end);
        assert!(due.iter().flatten().sum::<u32>() > 1000);
        assert_eq!(window.state().panels.raster.counts().unwrap().1, due);
    };
    // It goes on from frame to frame, then other rows, another time, and a part of the rows are looked at.
    until(&mut window, "time", |f| f.step > 6000);
    let end = pause(&mut window);
    drawn(&mut window, end);
    let by_processor = |window: &mut Harness<'static, App>| {
        window.state_mut().act(Action::OnDevice);
        window.run_steps(2);
        let picture = window.render().unwrap();
        window.state_mut().act(Action::OnDevice);
        window.run_steps(2);
        picture
    };
    let (one, other) = (by_processor(&mut window), window.render().unwrap());
    assert!(window.state().panels.raster.on_device);
    let area = window.state().panels.raster.area.unwrap().shrink(1.0);
    let inside = |x: u32, y: u32| area.contains(eframe::egui::pos2(x as f32, y as f32));
    let differ = one
        .enumerate_pixels()
        .filter(|(x, y, p)| inside(*x, *y) && p.0.iter().zip(other.get_pixel(*x, *y).0).any(|(a, b)| a.abs_diff(b) > 3));
    let differ = differ.count();
    // Roundings of the sampler at the edges of columns.
    assert!(differ * 500 < area.area() as usize, "{differ} pixels of the density are of another colour");
    window.state_mut().act(Action::Look(Move::Back));
    drawn(&mut window, end);
    window.state_mut().act(Action::Rows(Choice::ByRate));
    drawn(&mut window, end);
    window.state_mut().panels.raster.zoom(0.7, 0.1);
    window.state_mut().act(Action::Follow);
    drawn(&mut window, end);
    // Rows that are high enough for ticks are looked after by the processor.
    window.state_mut().panels.raster.zoom(0.05, 0.2);
    window.run_steps(2);
    assert!(!window.state().panels.raster.on_device);
}

#[test]
fn a_lesson_is_walked_to_its_end() {
    let mut window = window(wish("lif_fi", &[]));
    window.state_mut().act(Action::Speed(None));
    let click = |window: &mut Harness<'static, App>, label: &str| {
        window.get_by_role_and_label(Role::Button, label).click();
        window.run_steps(2);
    };
    click(&mut window, "Next");
    // The prediction: any guess may be made, the right one is told.
    window.get_by_role_and_label(Role::RadioButton, "just above 20 mV, its threshold").click();
    window.run_steps(2);
    window.get_by_label_contains("That is what happens");
    click(&mut window, "21 mV");
    until(&mut window, "what the button sets", |f| f.journal.len() == 1);
    assert_eq!(knob(&window, "drive"), 21.0);
    click(&mut window, "Next");
    assert!(window.query_by_label("Passed.").is_none());
    click(&mut window, "Hint");
    window.get_by_label_contains("the logarithm is 0.9");
    window.get_by_role_and_label(Role::Slider, "drive").set_value_accesskit(26.85);
    passed(&mut window, 2);
    window.get_by_label("Passed.");
    click(&mut window, "Next");
    window.get_by_role_and_label(Role::Slider, "drive").set_value_accesskit(150.0);
    passed(&mut window, 3);
    assert_eq!(window.state().lesson.passed, [2, 3]);
    click(&mut window, "Back");
    window.get_by_label("Passed.");
}

/// Draws until the check of a step of the lesson has held.
fn passed(window: &mut Harness<'static, App>, step: usize) {
    for _ in 0..4000 {
        window.step();
        if window.state().lesson.passed.contains(&step) {
            return window.run_steps(2);
        }
        std::thread::sleep(std::time::Duration::from_millis(4));
    }
    panic!("step {step} of the lesson was not passed");
}

#[test]
fn a_saved_session_is_opened_where_it_stood_with_the_same_spikes() {
    let mut window = brunel();
    until(&mut window, "time", |f| f.step > 800);
    pause(&mut window);
    window.get_by_role_and_label(Role::Slider, "g").set_value_accesskit(4.0);
    until(&mut window, "the edit", |f| f.journal.len() == 1);
    let at = window.state().frame.step;
    window.state_mut().act(Action::TenMilliseconds);
    until(&mut window, "ten milliseconds", |f| f.step == at + 100);
    let before = window.state().frame.clone();
    let spikes = |f: &Frame| f.chunks.iter().flat_map(|c| c.spikes.clone()).collect::<Vec<_>>();
    let file = std::env::temp_dir().join(format!("synfire-session-{}.toml", std::process::id()));
    std::fs::write(&file, saved::save(&before).unwrap()).unwrap();
    // Something else, and then the session again.
    window.state_mut().open_shipped("izhikevich_2003");
    until(&mut window, "another scene", |f| f.about.as_ref().is_some_and(|a| a.neurons() == 1000) && f.phase != Phase::Building);
    window.state_mut().open_file(file.clone());
    until(&mut window, "the session", |f| f.step == before.step && f.phase == Phase::Paused && f.generation > before.generation + 1);
    let after = window.state().frame.clone();
    assert_eq!((after.journal.clone(), knob(&window, "g")), (before.journal.clone(), 4.0));
    assert!(spikes(&after) == spikes(&before) && after.spikes > 1000);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn in_space_neurons_are_poked_and_selected_by_hand() {
    let mut window = brunel();
    until(&mut window, "time", |f| f.step > 200);
    pause(&mut window);
    window.state_mut().act(Action::Show(Panel::Space));
    window.run_steps(3);
    assert!(window.state().panels.space.calm, "nothing flashes unless it is asked for");
    // Without positions: squares by number, the excitatory one on the left.
    let area = window.state().panels.space.area.unwrap();
    let place = area.left_center() + vec2(area.width() * 0.3, 0.0);
    window.key_press(Key::P);
    window.step();
    window.hover_at(place);
    window.step();
    window.drag_at(place);
    window.step();
    window.drop_at(place);
    until(&mut window, "the poke", |f| !f.journal.is_empty());
    let near = window.state().panels.space.near(place, window.state().panels.tools.radius);
    let Command::Poke { population, neurons, .. } = &window.state().frame.journal[0].command else { panic!() };
    let poked: Vec<u32> = neurons.iter().flat_map(|[a, b]| *a..*b).collect();
    assert_eq!((population.as_str(), &poked), ("exc", &near));
    assert!(poked.len() > 1 && poked.len() < 60, "{poked:?}");
    window.key_press(Key::B);
    window.step();
    assert_eq!(window.state().panels.tools.hand, Hand::Brush);
    window.drag_at(place);
    window.step();
    window.drop_at(place);
    window.run_steps(3);
    let near = window.state().panels.space.near(place, window.state().panels.tools.radius);
    assert!(near.len() > 1);
    assert_eq!(window.state().panels.tools.meant(), near);
    window.state_mut().act(Action::Unselect);
    window.run_steps(2);
    assert!(window.state().panels.tools.brushed.is_empty());
}

#[test]
fn a_network_in_three_dimensions_is_turned_by_a_drag_and_its_rows_go_by_position() {
    let text = "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[populations.exc]\nmodel = \"iaf_psc_exp\"\nsize = 400\n\
        positions = { random = true, extent = [\"1 mm\", \"1 mm\", \"0.6 mm\"] }\n[populations.exc.parameters]\nI_e = \"400 pA\"\n";
    let mut window = window(written(text));
    until(&mut window, "time", |f| f.step > 300);
    pause(&mut window);
    window.state_mut().act(Action::Show(Panel::Space));
    window.run_steps(3);
    let (area, before) = (window.state().panels.space.area.unwrap(), window.state().panels.space.camera);
    let seen = window.state().panels.space.near(area.center(), 60.0);
    window.hover_at(area.center());
    window.step();
    window.drag_at(area.center());
    window.step();
    window.hover_at(area.center() + vec2(80.0, 30.0));
    window.step();
    window.drop_at(area.center() + vec2(80.0, 30.0));
    window.run_steps(2);
    assert_ne!(window.state().panels.space.camera, before);
    assert_ne!(window.state().panels.space.near(area.center(), 60.0), seen);
    // Rows by position: from the lowest to the highest third coordinate.
    window.state_mut().panels.raster.choose(synfire::view::Choice::ByPlace);
    window.state_mut().act(Action::Show(Panel::Raster));
    window.run_steps(2);
    let frame = window.state().frame.clone();
    let sheet = frame.about.as_ref().unwrap().sheets[0].clone().unwrap();
    let raster = &window.state().panels.raster;
    let mut order: Vec<u32> = (0..400).collect();
    order.sort_by(|a, b| raster.height(*a).unwrap().total_cmp(&raster.height(*b).unwrap()));
    assert!(order.windows(2).all(|w| sheet.position(w[0])[2] <= sheet.position(w[1])[2]));
}

#[test]
fn every_control_has_a_name_in_every_layout_theme_and_dialog() {
    let mut window = brunel();
    until(&mut window, "time", |f| f.step > 200);
    pause(&mut window);
    // What stands still is not drawn again: then the harness looks whether everything that can be used has a name.
    let calm = |window: &mut Harness<'static, App>, what: &str| {
        for _ in 0..200 {
            if window.run_ok().is_some() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the window does not come to rest: {what}");
    };
    for arrangement in Arrangement::ALL {
        window.state_mut().act(Action::Arrange(arrangement));
        calm(&mut window, arrangement.title());
    }
    for panel in Panel::ALL {
        window.state_mut().act(Action::Show(panel));
        calm(&mut window, panel.title());
    }
    for hand in [Hand::Poke, Hand::Brush] {
        window.state_mut().act(Action::Hold(hand));
        calm(&mut window, "hand");
    }
    for action in [Action::Gallery, Action::Help, Action::Open] {
        window.state_mut().act(action.clone());
        calm(&mut window, "a dialog");
        window.state_mut().act(action);
    }
    for (look, name) in Look::ALL {
        window.state_mut().act(Action::Theme(look));
        calm(&mut window, name);
    }
}

#[test]
fn panels_give_their_numbers_as_csv_and_npz() {
    let mut window = brunel();
    until(&mut window, "time", |f| f.step > 1500);
    pause(&mut window);
    let frame = window.state().frame.clone();
    for panel in Panel::ALL.into_iter().filter(|p| p.has_data()) {
        let table = window.state_mut().panels.data(panel, &frame).unwrap_or_else(|| panic!("{panel:?}"));
        let csv = table.csv();
        assert_eq!(csv.lines().next().map(|l| l.split(',').count()), Some(table.columns.len()), "{panel:?}");
        let file = std::env::temp_dir().join(format!("synfire-{}-{}.npz", panel.name(), std::process::id()));
        table.npz(&file).unwrap();
        let archive = zip::ZipArchive::new(std::fs::File::open(&file).unwrap()).unwrap();
        assert_eq!(archive.len(), table.columns.len(), "{panel:?}");
        std::fs::remove_file(file).unwrap();
    }
    let spikes = window.state_mut().panels.data(Panel::Raster, &frame).unwrap();
    let (from, to) = window.state().panels.span.steps(&frame);
    let due = frame.chunks(from, to).iter().map(|c| c.within(from, to).len()).sum::<usize>();
    assert!(due > 500 && spikes.csv().lines().count() == due + 1);
}

const PLASTIC: &str = "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[synapses.changing]\nbase = \"stdp_pair\"\n\
    [populations.pre]\nmodel = \"poisson_generator\"\nsize = 50\n[populations.pre.parameters]\nrate = \"40 Hz\"\n\
    [populations.post]\nmodel = \"iaf_psc_exp\"\nsize = 20\n[populations.post.parameters]\nI_e = \"450 pA\"\n[[projections]]\n\
    from = \"pre\"\nto = \"post\"\nrule = \"all_to_all\"\nweight = \"20 pA\"\nw_max = \"60 pA\"\ndelay = \"1.5 ms\"\nsynapse = \"changing\"\n";

#[test]
fn weights_that_change_are_told_while_they_are_in_sight_and_are_those_of_a_headless_run() {
    let mut window = window(written(PLASTIC));
    until(&mut window, "time", |f| f.step > 300);
    assert!(window.state().frame.weights.is_none(), "nobody looks at them");
    window.state_mut().act(Action::Show(Panel::Weights));
    until(&mut window, "weights", |f| f.weights.as_ref().is_some_and(|w| w.values.len() == 1000));
    let before = window.state().frame.weights.as_ref().unwrap().step;
    until(&mut window, "later weights", |f| f.weights.as_ref().is_some_and(|w| w.step > before + 500));
    let end = pause(&mut window);
    until(&mut window, "weights of this step", |f| f.weights.as_ref().is_some_and(|w| w.step == end));
    let told = window.state().frame.weights.clone().unwrap();
    let scene = written(PLASTIC).origin.load().unwrap();
    let plan = Arc::new(plan(&scene.network).unwrap());
    let mut simulation = Simulation::new(written(PLASTIC).origin, scene, plan, &Machine::Cpu { threads: Some(1) }, None).unwrap();
    simulation.advance(end).unwrap();
    let due = simulation.changing_weights(0).unwrap();
    assert!(told.values[..] == due[..] && due.iter().any(|w| (*w - 20.0).abs() > 0.1));
    let frame = window.state().frame.clone();
    assert_eq!(window.state_mut().panels.data(Panel::Weights, &frame).unwrap().csv().lines().count(), 1001);
    window.state_mut().act(Action::Show(Panel::Spectrum));
    until(&mut window, "nobody weighed", |f| f.weights.is_none());
}
