//! The manners of the window: files come in every way, values are typed, everything has a key, and what goes wrong is told in words.
#![cfg(feature = "view")]

#[path = "common/window.rs"]
mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{brunel, headless, knob, opens, pause, stroke, until, window, wish, written};
use eframe::egui::accesskit::Role;
use eframe::egui::{DroppedFile, Event, Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use synfire::scene::shipped;
use synfire::session::Command;
use synfire::session::live::{Order, Phase};
use synfire::view::{Action, App, Arrangement, Choice, Hand, Panel};

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("synfire-manners-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

const CELLS: &str = "format = 1\ntitle = \"Cells\"\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[parameters]\ndrive = { value = \"400 pA\", range = [\"0 pA\", \"800 pA\"] }\n\
    count = 40\n[populations.cell]\nmodel = \"iaf_psc_exp\"\nsize = \"count\"\n[populations.cell.parameters]\nI_e = \"drive\"\n[[stimuli]]\nname = \"kick\"\nlabel = \"Kick\"\n\
    kind = \"current\"\nto = \"cell\"\namplitude = \"3000 pA\"\nstart = \"10 s\"\nstop = \"10.01 s\"\n[presets.weak]\nset = { drive = \"100 pA\" }\n";

fn type_into(window: &mut Harness<'static, App>, label: &str, text: &str) {
    window.get_by_role_and_label(Role::SpinButton, label).click();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(Event::Text(text.into()));
    window.run_steps(2);
    window.key_press(Key::Enter);
    window.run_steps(3);
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|e| e.to_string())
    }
}

#[test]
fn files_are_opened_by_drop_by_dialog_from_the_gallery_and_from_the_list_of_the_last() {
    let folder = folder("files");
    let file = folder.join("cells.toml");
    std::fs::write(&file, CELLS).unwrap();
    let mut first = wish("izhikevich_2003", &[]);
    first.settings = Some(folder.join("settings"));
    let mut window = window(first);
    let is = |count: u32| {
        move |f: &synfire::session::live::Frame| f.phase != Phase::Building && f.about.as_ref().is_some_and(|a| a.neurons() == count)
    };
    // Dropped, two of them: the first is opened, and the other one told about.
    window.input_mut().dropped_files = vec![Arc::new(Dropped(file.clone())), Arc::new(Dropped(folder.join("other.toml")))];
    until(&mut window, "the dropped scene", is(40));
    window.get_by_label_contains("one scene at a time");
    window.state_mut().act(Action::Gallery);
    window.run_steps(2);
    let title = "Leaky integrate-and-fire: the f-I curve";
    window.get_by_role_and_label(Role::Button, title).scroll_to_me();
    window.run_steps(3);
    window.get_by_role_and_label(Role::Button, title).click();
    until(&mut window, "the shipped scene", is(6));
    // From the list of those that were opened last, in the menu.
    window.get_by_role_and_label(Role::Button, "File").click();
    window.run_steps(2);
    window.get_by_role_and_label(Role::Button, "cells.toml").click();
    until(&mut window, "the scene that was opened last", is(40));
    // By its path in the dialog.
    window.state_mut().open_shipped("izhikevich_2003");
    until(&mut window, "a shipped scene", is(1000));
    window.state_mut().act(Action::Open);
    window.run_steps(2);
    window.get_by_role_and_label(Role::TextInput, "Path").click();
    window.run_steps(1);
    window.event(Event::Text(file.display().to_string()));
    window.run_steps(1);
    window.key_press(Key::Enter);
    until(&mut window, "the scene of a path", is(40));
    window.state_mut().open_file(folder.join("nothing.toml"));
    window.run_steps(2);
    window.get_by_label_contains("nothing.toml");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_that_changes_is_opened_with_the_options_of_before_and_stays_paused() {
    let folder = folder("reload");
    let file = folder.join("cells.toml");
    std::fs::write(&file, CELLS).unwrap();
    let mut mine = written(CELLS);
    mine.file = Some(file.clone());
    mine.origin.options.set.push(("drive".into(), "500 pA".into()));
    mine.origin.options.seed = Some(77);
    let mut window = window(mine);
    pause(&mut window);
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::write(&file, CELLS.replace("count = 40", "count = 30")).unwrap();
    until(&mut window, "the new text", |f| f.generation == 2 && f.phase == Phase::Paused);
    let frame = window.state().frame.clone();
    assert_eq!((frame.about.as_ref().unwrap().neurons(), frame.seed, frame.step), (30, 77, 0));
    assert_eq!(knob(&window, "drive"), 500.0);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_value_is_typed_with_a_unit_and_one_of_another_kind_is_refused_in_words() {
    let mut window = window(written(CELLS));
    pause(&mut window);
    type_into(&mut window, "drive", "0.25 nA");
    until(&mut window, "the edit", |f| f.journal.len() == 1);
    assert!((knob(&window, "drive") - 250.0).abs() < 1e-9);
    type_into(&mut window, "drive", "3 mV");
    window.get_by_label_contains("drive is a number in pA");
    assert_eq!((window.state().frame.journal.len(), knob(&window, "drive")), (1, 250.0));
    // One for which there is no range is typed too; it rebuilds, and the network says so.
    type_into(&mut window, "count", "25");
    until(&mut window, "the rebuild", |f| f.generation == 2 && f.phase == Phase::Paused);
    window.get_by_label_contains("rebuilt, from time 0");
    assert!(window.query_by_label_contains("drive is a number").is_none());
    // A rebuild keeps what was edited, and it can be taken back.
    assert_eq!(knob(&window, "drive"), 250.0);
    window.get_by_role_and_label(Role::Button, "Reset all").click();
    until(&mut window, "the reset", |f| f.generation == 3 && f.phase == Phase::Paused);
    assert_eq!((knob(&window, "drive"), knob(&window, "count")), (400.0, 40.0));
}

#[test]
fn a_drag_of_a_slider_is_one_point_of_undo_and_takes_effect_on_its_way() {
    let mut window = window(written(CELLS));
    pause(&mut window);
    let rect = window.get_by_role_and_label(Role::Slider, "drive").rect();
    let at = |share: f32| rect.left_center() + vec2(rect.width() * share, 0.0);
    let places: Vec<_> = (0..6).map(|i| at(0.5 + 0.05 * i as f32)).collect();
    stroke(&mut window, &places);
    until(&mut window, "the end of the drag", |f| f.journal.last().is_some_and(|c| matches!(&c.command, Command::Set { .. })));
    window.run_steps(5);
    let reached = knob(&window, "drive");
    assert!(reached > 500.0 && window.state().frame.phase == Phase::Paused, "{reached}");
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    until(&mut window, "the undo", |f| f.about.as_ref().is_some_and(|a| a.knobs.iter().any(|k| k.name == "drive" && k.value == 400.0)));
    assert!(!window.state().parameters.can_undo());
}

#[test]
fn a_labelled_stimulus_is_a_button_and_a_command() {
    let mut window = window(written(CELLS));
    pause(&mut window);
    window.get_by_role_and_label(Role::Button, "Kick").click();
    until(&mut window, "the press", |f| f.journal.len() == 2);
    for (typed, due) in [("press kick", 4), ("preset weak", 5)] {
        window.key_press_modifiers(Modifiers::COMMAND, Key::K);
        window.run_steps(2);
        window.event(Event::Text(typed.into()));
        window.run_steps(2);
        window.key_press(Key::Enter);
        until(&mut window, typed, |f| f.journal.len() == due);
    }
    assert_eq!((knob(&window, "drive"), window.state().frame.phase), (100.0, Phase::Paused));
}

#[test]
fn time_and_rows_are_looked_at_by_keys_and_the_keys_of_a_focused_control_are_its_own() {
    let mut window = brunel();
    window.state_mut().act(Action::Speed(None));
    until(&mut window, "time", |f| f.step > 12_000);
    pause(&mut window);
    let span = |window: &Harness<'static, App>| window.state().panels.span.clone();
    let (length, end) = (span(&window).length, window.state().frame.time());
    let press = |window: &mut Harness<'static, App>, key: Key| {
        window.key_press(key);
        window.run_steps(2);
    };
    press(&mut window, Key::ArrowLeft);
    assert_eq!(span(&window).end, Some(end - length / 4.0));
    press(&mut window, Key::Plus);
    assert!(span(&window).length < length);
    press(&mut window, Key::Minus);
    press(&mut window, Key::End);
    assert_eq!(span(&window).end, None);
    press(&mut window, Key::PageUp);
    press(&mut window, Key::ArrowDown);
    let (low, high) = window.state().panels.raster.heights.unwrap();
    assert!(high - low < 0.7 && low > 0.2, "{low} {high}");
    press(&mut window, Key::Home);
    assert_eq!(window.state().panels.raster.heights, None);
    // A slider that has the focus is moved by the arrows, and time is not.
    window.get_by_role_and_label(Role::Slider, "g").focus();
    window.run_steps(2);
    press(&mut window, Key::ArrowLeft);
    assert_eq!(span(&window).end, None);
    until(&mut window, "the edit by an arrow", |f| f.journal.len() == 1);
    assert!(knob(&window, "g") < 5.0);
    // Everything else works there too.
    press(&mut window, Key::P);
    assert_eq!(window.state().panels.tools.hand, Hand::Poke);
}

#[test]
fn neurons_are_chosen_by_number_poked_by_a_key_and_shown_alone() {
    let mut window = brunel();
    pause(&mut window);
    let field = window.get_by_role_and_label(Role::TextInput, "show");
    field.click();
    window.run_steps(1);
    window.event(Event::Text("inh[7]".into()));
    window.run_steps(1);
    window.key_press(Key::Enter);
    window.run_steps(3);
    assert_eq!(window.state().panels.tools.selected, [0, 1200, 1207]);
    window.get_by_role_and_label(Role::Button, "exc[0] x").click();
    window.run_steps(3);
    assert_eq!(window.state().panels.tools.selected, [1200, 1207]);
    window.state_mut().act(Action::PokeSelected);
    until(&mut window, "the poke", |f| f.journal.len() == 1);
    let Command::Poke { population, neurons, .. } = &window.state().frame.journal[0].command else { panic!() };
    assert_eq!((population.as_str(), neurons.as_slice()), ("inh", &[[0, 1], [7, 8]][..]));
    for (choice, count) in [(Choice::Every(7), 215), (Choice::Random(33), 66), (Choice::Selected(vec![3, 1207]), 2), (Choice::ByRate, 1500)]
    {
        window.state_mut().act(Action::Rows(choice.clone()));
        window.run_steps(2);
        let shown = (0..1500).filter(|n| window.state().panels.raster.height(*n).is_some()).count();
        assert_eq!(shown, count, "{choice:?}");
    }
    // Any number of them, typed.
    window.state_mut().act(Action::Rows(Choice::Every(10)));
    window.run_steps(2);
    type_into(&mut window, "every so many neurons", "4");
    assert_eq!(window.state().panels.raster.choice, Choice::Every(4));
}

#[test]
fn a_brush_that_is_drawn_through_the_raster_pokes_all_along() {
    let mut window = brunel();
    until(&mut window, "time", |f| f.step > 200);
    pause(&mut window);
    window.key_press(Key::P);
    window.step();
    let area = window.state().panels.raster.area.unwrap();
    let places: Vec<_> = (0..5).map(|i| area.left_top() + vec2(area.width() * 0.5, area.height() * (0.2 + 0.1 * i as f32))).collect();
    stroke(&mut window, &places);
    until(&mut window, "the pokes", |f| f.journal.len() >= 4);
    let mut all: Vec<u32> = Vec::new();
    for stamped in window.state().frame.journal.iter() {
        let Command::Poke { neurons, .. } = &stamped.command else { panic!() };
        all.extend(neurons.iter().flat_map(|[a, b]| *a..*b));
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert!(all.len() == count && all.last().unwrap() - all[0] > 400, "{count} neurons, of these {} once", all.len());
}

#[test]
fn a_runaway_and_a_number_that_is_none_are_told_in_the_window() {
    let mut window = brunel();
    window.state_mut().live.order(Order::Guard(Some(100.0)));
    window.state_mut().act(Action::Speed(None));
    window.get_by_role_and_label(Role::Slider, "g").set_value_accesskit(1.0);
    until(&mut window, "the guard", |f| f.stopped.is_some());
    window.get_by_label_contains("exc runs away");
    window.get_by_label_contains("since");
    let step = window.state().frame.step;
    window.get_by_role_and_label(Role::Button, "Go on without the guard").click();
    until(&mut window, "going on", |f| f.step > step + 100 && f.stopped.is_none());

    let text = "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[models.grow]\nequations = \"dV_m/dt = V_m/tau\"\nthreshold = \"V_m <= -1 V\"\n\
        reset = \"V_m = 0 mV\"\n[models.grow.parameters]\ntau = \"0.05 ms\"\n[models.grow.state]\nV_m = \"1 mV\"\n[populations.cell]\nmodel = \"grow\"\nsize = 3\n";
    let mut window = common::window(written(text));
    until(&mut window, "the number that is none", |f| f.stopped.is_some());
    window.get_by_label_contains("V_m of cell[0] is no finite number at or before step");
    assert!(window.query_by_role_and_label(Role::Button, "Go on without the guard").is_none(), "it is not the guard's doing");
}

#[test]
fn a_lesson_locks_parameters_until_they_are_unlocked() {
    let lesson = "[lesson]\ntitle = \"One\"\nlock = [\"dri*\"]\n[[lesson.step]]\ntext = \"Look.\"\n";
    let mut window = window(written(&format!("{CELLS}{lesson}")));
    pause(&mut window);
    window.get_by_label("locked: drive");
    let is_off = |window: &Harness<'static, App>| window.get_by_role_and_label(Role::Slider, "drive").accesskit_node().is_disabled();
    assert!(is_off(&window));
    window.get_by_label("unlock").click();
    window.run_steps(2);
    assert!(!is_off(&window));
    window.get_by_role_and_label(Role::Slider, "drive").set_value_accesskit(300.0);
    until(&mut window, "the edit", |f| f.journal.len() == 1);
    // A lock that locks nothing is a problem of the scene, at its line.
    let wrong = written(&format!("{CELLS}{}", lesson.replace("dri*", "drve")));
    let problems = wrong.origin.load().unwrap_err();
    let told = problems[0].render();
    assert!(told.contains("drve") && told.contains("drive") && told.contains("lock = "), "{told}");
}

#[test]
fn a_layout_is_kept_read_again_reset_and_told_about_when_it_cannot_be_read() {
    let settings = folder("layout");
    let open = || {
        let mut wish = written(CELLS);
        (wish.layout, wish.settings) = (None, Some(settings.clone()));
        window(wish)
    };
    let mut first = open();
    first.state_mut().act(Action::Arrange(Arrangement::Show));
    first.run_steps(2);
    let shown = |window: &Harness<'static, App>| window.state().panels.space.area.is_some();
    assert!(shown(&first));
    first.get_by_role_and_label(Role::Button, "View").click();
    first.run_steps(2);
    first.get_by_role_and_label(Role::Button, "Keep this layout for the next start").click();
    first.run_steps(2);
    first.get_by_label_contains("this layout is kept in");
    drop(first);
    let mut second = open();
    second.run_steps(2);
    assert!(shown(&second), "the layout Show has the space in front");
    second.state_mut().act(Action::ResetLayout);
    drop(second);
    let mut third = open();
    third.run_steps(2);
    assert!(!shown(&third) && third.state().told.is_none());
    drop(third);
    std::fs::write(settings.join("layout.json"), "{ \"nothing\": 1 }").unwrap();
    let mut fourth = open();
    fourth.run_steps(2);
    fourth.get_by_label_contains("cannot be read");
    std::fs::remove_dir_all(settings).unwrap();
}

#[test]
fn the_status_bar_tells_time_speed_spikes_device_seed_and_losses() {
    let mut window = brunel();
    until(&mut window, "speeds", |f| f.speeds.steps_per_second > 0.0 && f.spikes > 0);
    pause(&mut window);
    window.run_steps(2);
    for part in ["t = ", "1\u{2009}500 neurons", "RTF ", "steps/s", "spikes/s", "step ", "frame ", "seed 1", "no losses", "CPU"] {
        assert!(window.query_all_by_label_contains(part).next().is_some(), "{part}");
    }
}

#[test]
fn a_restart_by_button_gives_the_same_spikes_and_a_new_seed_others() {
    let mut window = brunel();
    pause(&mut window);
    let spikes = |window: &mut Harness<'static, App>, label: &str, seed: u64| {
        window.get_by_role_and_label(Role::Button, label).click();
        until(window, label, |f| f.step == 0 && f.seed == seed && f.phase == Phase::Paused);
        window.state_mut().live.order(Order::Steps(400));
        until(window, "400 steps", |f| f.step == 400 && f.phase == Phase::Paused);
        window.state().frame.chunks.iter().flat_map(|c| c.spikes.clone()).collect::<Vec<_>>()
    };
    let (one, other, third) = (spikes(&mut window, "Restart", 1), spikes(&mut window, "Restart", 1), spikes(&mut window, "New seed", 2));
    assert!(one == headless(wish("brunel", &[("N_E", "1200")]), 400) && one.len() > 100);
    assert!(one == other && one != third);
}

#[test]
fn the_lesson_of_brunel_is_walked_in_the_window() {
    let mut window = window(wish("brunel", &[("scale", "0.2")]));
    window.state_mut().act(Action::Speed(None));
    let click = |window: &mut Harness<'static, App>, role: Role, label: &str| {
        window.get_by_role_and_label(role, label).click();
        window.run_steps(2);
    };
    click(&mut window, Role::Button, "Next");
    click(&mut window, Role::RadioButton, "all cells fire fast and in step");
    window.get_by_label_contains("That is what happens");
    click(&mut window, Role::Button, "Set g = 3");
    passed(&mut window, 1);
    click(&mut window, Role::Button, "Next");
    click(&mut window, Role::Button, "See Intervals");
    click(&mut window, Role::Button, "g = 6");
    passed(&mut window, 2);
    click(&mut window, Role::Button, "Next");
    for (name, value) in [("g", 4.5), ("eta", 0.9)] {
        window.get_by_role_and_label(Role::Slider, name).set_value_accesskit(value);
        window.run_steps(2);
    }
    passed(&mut window, 3);
    assert_eq!(window.state().lesson.passed, [1, 2, 3]);
}

fn passed(window: &mut Harness<'static, App>, step: usize) {
    for _ in 0..8000 {
        window.step();
        if window.state().lesson.passed.contains(&step) {
            return window.run_steps(2);
        }
        std::thread::sleep(std::time::Duration::from_millis(4));
    }
    panic!("step {step} of the lesson was not passed; {:?}", window.state().frame.stopped);
}

#[test]
fn every_shipped_scene_opens_and_its_panels_are_drawn() {
    for (name, _) in shipped() {
        // Large ones are made smaller, as a user would.
        let set: &[(&str, &str)] = match *name {
            "brunel" => &[("N_E", "1200")],
            "microcircuit" => &[("scale_N", "0.02"), ("scale_K", "0.02")],
            "cuba_large" => &[("N", "4000")],
            "million" => &[("n", "50"), ("side", "1 mm")],
            _ => &[],
        };
        opens(name, set, &[Panel::Space, Panel::Intervals, Panel::Weights, Panel::Equations]);
    }
}

#[test]
fn the_default_scene_is_made_as_large_as_real_time_allows_and_says_so() {
    let mut first = wish("brunel", &[]);
    first.fit = true;
    let mut window = window(first);
    until(&mut window, "spikes", |f| f.phase == Phase::Running && f.spikes > 0);
    let (scale, note) = (knob(&window, "scale"), window.state().frame.note.clone());
    assert!((0.1..=1.0).contains(&scale), "{scale}");
    if scale < 1.0 {
        assert!(note.as_ref().is_some_and(|n| n.contains(&format!("scale {scale}")) && n.contains("--scale 1 forces it")), "{note:?}");
        window.get_by_label_contains("made smaller");
    }
}

#[test]
fn parameters_of_cells_are_turned_where_the_scene_has_none_of_its_own() {
    let mut window = window(written(CELLS));
    pause(&mut window);
    let about = window.state().frame.about.clone().unwrap();
    assert!(about.cells.iter().any(|k| k.name == "cell.tau_m") && !about.cells.iter().any(|k| k.name == "cell.I_e"), "{:?}", about.cells);
    window.get_by_label("cell: iaf_psc_exp").click();
    window.run_steps(30);
    type_into(&mut window, "cell.tau_m", "25 ms");
    until(&mut window, "the edit", |f| f.journal.len() == 1);
    let frame = window.state().frame.clone();
    assert_eq!((frame.generation, frame.about.as_ref().unwrap().knob("cell.tau_m").unwrap().value), (1, 25.0));
    window.get_by_role_and_label(Role::Button, "Reset all").click();
    until(&mut window, "the reset", |f| f.journal.len() == 2);
    assert_eq!(window.state().frame.about.as_ref().unwrap().knob("cell.tau_m").unwrap().value, 10.0);
}
