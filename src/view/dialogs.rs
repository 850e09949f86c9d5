//! What lies over the panels or above them: the palette of commands, the sheet of keys, the gallery, and what went wrong. Knows no
//! panel's inside.

use eframe::egui::{self, Context, Key, KeyboardShortcut, RichText, Ui};

use super::actions::{Action, all, offered};
use super::app::App;
use super::gallery::Chosen;
use crate::session::live::Order;

/// Keys that belong to a control that has the focus.
const OWN: [Key; 9] =
    [Key::Space, Key::ArrowLeft, Key::ArrowRight, Key::ArrowUp, Key::ArrowDown, Key::Home, Key::End, Key::PageUp, Key::PageDown];

impl App {
    /// Keys and palette.
    pub(super) fn commands(&mut self, ctx: &Context) {
        let mut chosen = None;
        if !ctx.text_edit_focused() {
            let focused = ctx.memory(|m| m.focused().is_some());
            let free = |k: &KeyboardShortcut| !focused || k.modifiers.any() || !OWN.contains(&k.logical_key);
            let mut keys = all().into_iter().filter_map(|(_, action, key)| Some((action, key.filter(free)?)));
            chosen = keys.find(|(_, key)| ctx.input_mut(|i| i.consume_shortcut(key))).map(|(action, _)| action);
        }
        if let Some(mut typed) = self.palette.take() {
            let mut open = !ctx.input(|i| i.key_pressed(Key::Escape));
            egui::Window::new("Commands").open(&mut open).collapsible(false).resizable(false).default_width(360.0).show(ctx, |ui| {
                chosen = chosen.take().or(self.search(ui, &mut typed));
            });
            if open && chosen.is_none() {
                self.palette = Some(typed);
            }
        }
        if let Some(action) = chosen {
            self.act(action);
        }
    }

    /// What was typed, and what can be done that is called so.
    fn search(&self, ui: &mut Ui, typed: &mut String) -> Option<Action> {
        let mut chosen = None;
        let field = ui.add(egui::TextEdit::singleline(typed).hint_text("what shall be done?").desired_width(f32::INFINITY));
        field.request_focus();
        let wish = typed.to_lowercase();
        let about = self.frame.about.as_deref();
        let everything = all().into_iter().chain(offered(about, self.panels.tools.meant()));
        let entries = everything.filter(|(n, ..)| wish.split_whitespace().all(|w| n.to_lowercase().contains(w)));
        let enter = ui.input(|i| i.key_pressed(Key::Enter));
        egui::ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
            for (i, (name, action, key)) in entries.enumerate() {
                let key = key.map(|k| ui.ctx().format_shortcut(&k)).unwrap_or_default();
                let button = egui::Button::new(name).shortcut_text(key).min_size(egui::vec2(ui.available_width(), 0.0));
                if ui.add(button).clicked() || (enter && i == 0) {
                    chosen = Some(action);
                }
            }
        });
        chosen
    }

    pub(super) fn dialogs(&mut self, ctx: &Context) {
        let mut help = self.help;
        egui::Window::new("Keys").open(&mut help).collapsible(false).vscroll(true).show(ctx, |ui| {
            egui::Grid::new("keys").num_columns(2).striped(true).show(ui, |ui| {
                for (name, _, key) in all().into_iter().filter(|(.., k)| k.is_some()) {
                    ui.label(name);
                    ui.monospace(key.map(|k| ui.ctx().format_shortcut(&k)).unwrap_or_default());
                    ui.end_row();
                }
                for (what, key) in
                    [("Zoom in time, in rows", "wheel, Shift + wheel"), ("Look back", "drag"), ("Fit and follow", "double click")]
                {
                    ui.label(what);
                    ui.monospace(key);
                    ui.end_row();
                }
            });
        });
        self.help = help;
        match self.gallery.show(ctx, &self.kept.recent) {
            Some(Chosen::Shipped(name)) => self.open_shipped(name),
            Some(Chosen::File(path)) => self.open_file(path),
            None => {}
        }
    }

    /// A scene that could not be opened, and why the simulation stopped.
    pub(super) fn troubles(&mut self, ui: &mut Ui) {
        let frame = self.frame.clone();
        if !frame.problems.is_empty() {
            egui::Panel::top("problems").resizable(true).show(ui, |ui| {
                ui.horizontal(|ui| {
                    let count = frame.problems.len();
                    ui.label(
                        RichText::new(format!("{count} problem{} in the scene", if count == 1 { "" } else { "s" }))
                            .strong()
                            .color(ui.visuals().error_fg_color),
                    );
                    if frame.about.is_some() {
                        ui.weak("the scene that was open goes on");
                    }
                });
                egui::ScrollArea::both().max_height(240.0).show(ui, |ui| {
                    for problem in frame.problems.iter() {
                        ui.label(RichText::new(problem.render()).monospace());
                    }
                });
            });
        }
        if let Some(why) = &frame.stopped {
            egui::Panel::top("stopped").show(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    ui.label(RichText::new(format!("Stopped: {why}")).color(ui.visuals().warn_fg_color));
                    if frame.ran_away && ui.button("Go on without the guard").clicked() {
                        self.live.order(Order::Guard(None));
                        self.live.order(Order::Run);
                    }
                    if ui.button("Restart").clicked() {
                        self.act(Action::Restart);
                    }
                });
            });
        }
        let notes = [frame.note.clone().filter(|n| self.read.as_ref() != Some(n)), self.told.clone()];
        if notes.iter().any(Option::is_some) {
            egui::Panel::top("note").show(ui, |ui| {
                for (i, note) in notes.into_iter().enumerate().filter_map(|(i, n)| Some((i, n?))) {
                    ui.horizontal_wrapped(|ui| {
                        ui.label(note.trim_end());
                        if ui.small_button("Dismiss").clicked() {
                            if i == 0 { self.read = Some(note) } else { self.told = None }
                        }
                    });
                }
            });
        }
    }
}
