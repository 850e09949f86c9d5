//! Toolbar, status bar, and what the scene offers as large buttons. Knows no panel's inside.

use eframe::egui::{self, Button, ComboBox, RichText, Slider, Ui};

use super::actions::Action;
use super::app::App;
use super::look::{Look, count, flowing, number, time};
use super::panel::{Hand, Panel, Panels};
use super::parameters::Parameters;
use super::rows::Choice;
use super::tiles::Arrangement;
use crate::session::live::{Frame, Order, Phase};
use crate::session::memory::bytes;

pub fn toolbar(ui: &mut Ui, app: &mut App, actions: &mut Vec<Action>, orders: &mut Vec<Order>) {
    let frame = app.frame.clone();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = 26.0;
        ui.menu_button("File", |ui| {
            for (name, action) in [("Scenes...", Action::Gallery), ("Open a file...", Action::Open), ("Save the session", Action::Save)] {
                if ui.button(name).clicked() {
                    actions.push(action);
                }
            }
            ui.separator();
            for path in &app.kept.recent {
                let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().to_string());
                if ui.button(name).on_hover_text(path.display().to_string()).clicked() {
                    actions.push(Action::Recent(path.clone()));
                }
            }
        });
        ui.menu_button("View", |ui| {
            for panel in Panel::ALL {
                if ui.button(panel.title()).clicked() {
                    actions.push(Action::Show(panel));
                }
            }
            ui.separator();
            for (look, name) in Look::ALL {
                if ui.radio(app.look == look, name).clicked() {
                    actions.push(Action::Theme(look));
                }
            }
            ui.separator();
            for arrangement in Arrangement::ALL {
                if ui.button(format!("Layout: {}", arrangement.title())).clicked() {
                    actions.push(Action::Arrange(arrangement));
                }
            }
            for (name, action) in
                [("Keep this layout for the next start", Action::KeepLayout), ("Panels as they were at first", Action::ResetLayout)]
            {
                if ui.button(name).clicked() {
                    actions.push(action);
                }
            }
        });
        ui.menu_button("Help", |ui| {
            for (name, action) in [("Search commands", Action::Palette), ("Keys", Action::Help)] {
                if ui.button(name).clicked() {
                    actions.push(action);
                }
            }
        });
        ui.separator();
        let running = frame.phase == Phase::Running;
        let there = frame.about.is_some() && frame.phase != Phase::Building;
        let name = if running { "Pause" } else { "Run" };
        let button = Button::new(RichText::new(name).strong()).min_size(egui::vec2(86.0, 26.0));
        if ui.add_enabled(there, button).on_hover_text("Space").clicked() {
            actions.push(Action::Toggle);
        }
        for (name, hint, action) in [
            ("Step", "one step of the simulation ( . )", Action::Step),
            ("1 ms", "Shift + .", Action::OneMillisecond),
            ("10 ms", "N", Action::TenMilliseconds),
            ("Restart", "from time 0 with the same seed ( R )", Action::Restart),
            ("New seed", "from time 0 with another seed ( Shift + R )", Action::NewSeed),
        ] {
            if ui.add_enabled(there, Button::new(name).min_size(egui::vec2(0.0, 26.0))).on_hover_text(hint).clicked() {
                actions.push(action);
            }
        }
        ui.separator();
        speed(ui, &frame, orders);
        ui.separator();
        hand(ui, app, actions);
        let following = app.panels.span.end.is_none();
        if ui.add_enabled(!following, Button::new("Now")).on_hover_text("follow the present (End)").clicked() {
            actions.push(Action::Follow);
        }
        if app.panels.tools.hand == Hand::Look {
            ui.weak(format!("sight {}", time(app.panels.span.length)));
        }
    });
}

/// What the pointer does in the raster and in space.
fn hand(ui: &mut Ui, app: &mut App, actions: &mut Vec<Action>) {
    let tools = &mut app.panels.tools;
    for (name, hand, hint) in [
        ("Poke", Hand::Poke, "P: a click moves the membranes of the neurons under the brush, in the raster and in space"),
        ("Select", Hand::Brush, "B: a click or a drag selects the neurons under the brush; rows of the raster can show them alone"),
    ] {
        if ui.selectable_label(tools.hand == hand, name).on_hover_text(hint).clicked() {
            actions.push(Action::Hold(hand));
        }
    }
    // No words beside them: the toolbar keeps to its one line.
    let field = |ui: &mut Ui, name: &str, value: &mut f64, suffix: &str, range: std::ops::RangeInclusive<f64>| {
        let response = ui.add(egui::DragValue::new(value).suffix(suffix).range(range).max_decimals(1)).on_hover_text(name);
        let (name, value) = (name.to_string(), *value);
        response.widget_info(|| egui::WidgetInfo { label: Some(name.clone()), ..egui::WidgetInfo::drag_value(true, value) });
    };
    if tools.hand == Hand::Poke {
        field(ui, "what a poke adds to the membrane", &mut tools.strength, " mV", -100.0..=100.0);
    }
    if tools.hand != Hand::Look {
        let mut radius = f64::from(tools.radius);
        field(ui, "reach of the brush", &mut radius, " px", 1.0..=200.0);
        tools.radius = radius as f32;
    }
    if !tools.brushed.is_empty() && ui.button(format!("Unselect {}", tools.brushed.len())).on_hover_text("Shift + B").clicked() {
        actions.push(Action::Unselect);
    }
}

fn speed(ui: &mut Ui, frame: &Frame, orders: &mut Vec<Order>) {
    let label = ui.label("Speed");
    let most = 10.0f64;
    let mut value = frame.speed.unwrap_or(most);
    let text = move |v: f64, _: std::ops::RangeInclusive<usize>| if v >= most * 0.999 { "max".into() } else { format!("x{}", number(v)) };
    let slider = Slider::new(&mut value, 0.001..=most).logarithmic(true).custom_formatter(text);
    let slider = slider.custom_parser(|t| t.trim_start_matches('x').parse().ok());
    ui.spacing_mut().slider_width = 110.0;
    let told = "seconds of the network's life per second; [ ] \\ and 1 to 5";
    if ui.add(slider).labelled_by(label.id).on_hover_text(told).changed() {
        orders.push(Order::Speed((value < most * 0.999).then_some(value)));
    }
    let pace = frame.speeds.pace;
    let slow = frame.speed.is_some_and(|s| pace < s * 0.9) && frame.phase == Phase::Running && pace > 0.0;
    let text = RichText::new(format!("x{} real time", number(pace)));
    let text = if slow { text.color(ui.visuals().warn_fg_color) } else { text };
    ui.label(text).on_hover_text("seconds of life per second, measured; yellow: this machine cannot go as fast as asked");
}

pub fn status(ui: &mut Ui, app: &App) {
    let f = &app.frame;
    ui.horizontal_wrapped(|ui| {
        let phase = match f.phase {
            Phase::Empty => "no network",
            Phase::Building => "building...",
            Phase::Paused => "paused",
            Phase::Running => "running",
        };
        ui.strong(format!("{phase}  t = {}", time(f.time())));
        ui.separator();
        if let Some(about) = &f.about {
            ui.label(format!("{} neurons  {} synapses", count(about.neurons().into()), count(about.synapses)));
            ui.separator();
        }
        let s = f.speeds;
        ui.label(format!("RTF {}", number(s.factor)))
            .on_hover_text("real-time factor: seconds of computing per second of life; below 1 is faster than life");
        ui.separator();
        ui.label(format!("{} steps/s", count(s.steps_per_second as u64)));
        ui.label(format!("{} spikes/s", count(s.spikes_per_second as u64)))
            .on_hover_text("spikes per second of life, of the whole network");
        ui.separator();
        ui.label(format!("step {} ms", number(s.ms_per_step)));
        ui.label(format!("frame {} ms", number(f64::from(app.cost) * 1e3))).on_hover_text("time to draw the last frame");
        ui.separator();
        ui.label(bytes(f.bytes)).on_hover_text("memory of the network and of the spikes held for looking back");
        ui.separator();
        let exact = if f.device.exact { "" } else { ", not bit-exact" };
        ui.label(format!("{}{exact}", f.device.name)).on_hover_text(&f.device.why);
        ui.label(format!("seed {}", f.seed));
        ui.separator();
        let forgotten = if f.forgotten == 0 { "no losses".into() } else { format!("{} spikes no longer held", count(f.forgotten)) };
        ui.label(forgotten).on_hover_text("spikes that were too long ago to look back to; none is ever lost to the network");
    });
}

/// What the scene says, its presets and its stimuli.
pub fn scene(ui: &mut Ui, frame: &Frame, parameters: &mut Parameters, orders: &mut Vec<Order>) {
    let Some(about) = frame.about.clone() else { return };
    ui.add_space(4.0);
    ui.heading(&about.title);
    egui::CollapsingHeader::new("About").id_salt("about scene").default_open(true).show(ui, |ui| {
        ui.label(flowing(&about.about));
        ui.weak(&about.cite);
        about.unconfirmed.iter().for_each(|what| _ = ui.weak(format!("Not confirmed: {what}")));
    });
    if !about.presets.is_empty() {
        ui.horizontal_wrapped(|ui| {
            for preset in &about.presets {
                let is = |(name, value): &(String, String)| about.knobs.iter().any(|k| k.name == *name && same(&k.written, value));
                let here = !preset.set.is_empty() && preset.set.iter().all(is);
                let button = Button::new(RichText::new(&preset.label).size(15.0)).min_size(egui::vec2(70.0, 34.0)).selected(here);
                let set: Vec<String> = preset.set.iter().map(|(n, v)| format!("{n} = {v}")).collect();
                if ui.add(button).on_hover_text(format!("{}\n{}", preset.about, set.join(", ")).trim().to_string()).clicked() {
                    parameters.set(&about, preset.set.clone(), orders);
                }
            }
        });
    }
    if !about.buttons.is_empty() {
        ui.horizontal_wrapped(|ui| {
            for stimulus in &about.buttons {
                let button = Button::new(RichText::new(&stimulus.label).size(15.0)).min_size(egui::vec2(70.0, 34.0));
                let told = format!("acts for {}", time(stimulus.length as f64 * frame.dt));
                if ui.add(button).on_hover_text(told).clicked() {
                    orders.push(Order::Press(stimulus.stimulus.clone()));
                }
            }
        });
    }
    ui.separator();
}

/// Whether two written values are one number.
fn same(a: &str, b: &str) -> bool {
    let plain = |t: &str| t.trim().trim_matches('"').to_string();
    match (plain(a).parse::<f64>(), plain(b).parse::<f64>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => plain(a) == plain(b),
    }
}

/// Which neurons the raster shows.
pub fn raster(ui: &mut Ui, panels: &mut Panels) {
    let selected = panels.tools.meant();
    let mut choice = panels.raster.choice.clone();
    ComboBox::from_label("rows").selected_text(choice.name()).show_ui(ui, |ui| {
        for one in Choice::usual(selected) {
            let name = one.name();
            ui.selectable_value(&mut choice, one, name);
        }
    });
    match &mut choice {
        Choice::Every(k) => number_of(ui, "every so many neurons", k, 1..=1_000_000),
        Choice::Random(n) => number_of(ui, "neurons of each population", n, 1..=1_000_000),
        _ => {}
    }
    if choice != panels.raster.choice {
        panels.raster.choose(choice);
    }
    let (what, device) = (if panels.raster.ticks { "ticks" } else { "density" }, &panels.raster.device);
    let place = match device {
        _ if panels.raster.on_device => "counted on the device that paints".to_string(),
        None => "counted on the processor, since the device that paints cannot".into(),
        Some(device) => device.trouble.as_ref().map_or("counted on the processor".into(), |e| format!("counted on the processor: {e}")),
    };
    ui.weak(what)
        .on_hover_text(format!("single spikes are drawn when there are fewer than 20 000 in sight and rows are two pixels high; {place}"));
    if ui.small_button("Fit").on_hover_text("all rows (Home)").clicked() {
        panels.raster.heights = None;
    }
}

/// A whole number with a name for those who cannot see where it stands.
fn number_of(ui: &mut Ui, name: &str, value: &mut u32, range: std::ops::RangeInclusive<u32>) {
    let response = ui.add(egui::DragValue::new(value).range(range)).on_hover_text(name);
    let (name, value) = (name.to_string(), f64::from(*value));
    response.widget_info(|| egui::WidgetInfo { label: Some(name.clone()), ..egui::WidgetInfo::drag_value(true, value) });
}

/// How the network is seen in space.
pub fn space(ui: &mut Ui, panels: &mut Panels, frame: &Frame) {
    let all: &[crate::network::Population] = frame.about.as_ref().map_or(&[], |a| &a.network.populations);
    if all.len() > 1 {
        ui.menu_button("Show", |ui| {
            for (i, p) in all.iter().enumerate().map(|(i, p)| (i as u16, p)) {
                let mut shown = !panels.space.hidden.contains(&i);
                if ui.checkbox(&mut shown, &p.name).changed() {
                    if shown {
                        panels.space.hidden.remove(&i)
                    } else {
                        panels.space.hidden.insert(i)
                    };
                }
            }
        });
    }
    ui.checkbox(&mut panels.space.calm, "calm").on_hover_text(
        "averaged over a third of a second and with little contrast, so that nothing flashes; a network that fires in step can flash \
         the screen at a rate that does people harm",
    );
    if ui.small_button("Fit").on_hover_text("all of it (double click)").clicked() {
        panels.space.camera = super::camera::Camera::default();
    }
}
