//! The lesson of a scene beside it: text, prediction, check, things to try. Nothing is ever blocked. Knows no engine.

use eframe::egui::{Button, Color32, RichText, Ui, vec2};

use super::look::{flowing, number};
use super::panel::Panel;
use super::parameters::Parameters;
use super::tiles::Layout;
use crate::scene::LessonStep;
use crate::session::lesson::{Judged, judge};
use crate::session::live::{Frame, Order};

/// Seconds between two looks at the check.
const EVERY: f64 = 0.4;

#[derive(Default)]
pub struct Lesson {
    pub step: usize,
    guess: Option<usize>,
    hint: bool,
    judged: Vec<Judged>,
    at: f64,
    /// Steps whose check has held.
    pub passed: Vec<usize>,
}

impl Lesson {
    fn go(&mut self, step: usize) {
        *self = Self { step, passed: std::mem::take(&mut self.passed), ..Self::default() };
    }

    pub fn show(&mut self, ui: &mut Ui, frame: &Frame, parameters: &mut Parameters, orders: &mut Vec<Order>, layout: &mut Layout) {
        let Some(about) = frame.about.clone() else { return };
        let Some(lesson) = about.lesson.clone() else { return };
        let Some(step) = lesson.steps.get(self.step.min(lesson.steps.len().saturating_sub(1))) else { return };
        let title = format!("Lesson: {}", lesson.title);
        eframe::egui::CollapsingHeader::new(RichText::new(title).strong()).id_salt("lesson").default_open(true).show(ui, |ui| {
            ui.weak(format!("step {} of {}", self.step + 1, lesson.steps.len()));
            if !lesson.lock.is_empty() {
                ui.horizontal_wrapped(|ui| {
                    ui.weak(format!("locked: {}", lesson.lock.join(", ")));
                    ui.checkbox(&mut parameters.unlocked, "unlock");
                });
            }
            ui.label(RichText::new(flowing(&step.text)).size(14.0));
            self.prediction(ui, step);
            self.checks(ui, frame, step);
            ui.horizontal_wrapped(|ui| {
                for (label, set) in &step.tries {
                    if ui.add(Button::new(label).min_size(vec2(0.0, 26.0))).clicked() {
                        parameters.set(&about, set.clone(), orders);
                    }
                }
                if !step.hint.is_empty() && ui.button("Hint").clicked() {
                    self.hint = !self.hint;
                }
                for focus in &step.focus {
                    if let Some(panel) = focus.strip_prefix("panel:").and_then(Panel::named) {
                        if ui.button(format!("See {}", panel.title())).clicked() {
                            layout.show(panel);
                        }
                    } else if let Some(name) = focus.strip_prefix("param:") {
                        parameters.point_at(name);
                        ui.label(RichText::new(format!("Turn {name}, marked below")).strong());
                    }
                }
            });
            if self.hint {
                ui.label(RichText::new(&step.hint).italics());
            }
            if !step.explain.is_empty() && (self.guess.is_some() || self.passed.contains(&self.step)) {
                ui.label(&step.explain);
            }
            ui.horizontal(|ui| {
                if ui.add_enabled(self.step > 0, Button::new("Back")).clicked() {
                    self.go(self.step - 1);
                } else if ui.add_enabled(self.step + 1 < lesson.steps.len(), Button::new("Next")).clicked() {
                    self.go(self.step + 1);
                }
            });
        });
        ui.separator();
    }

    fn prediction(&mut self, ui: &mut Ui, step: &LessonStep) {
        let Some((choices, answer)) = &step.predict else { return };
        for (i, choice) in choices.iter().enumerate() {
            if ui.radio(self.guess == Some(i), choice).clicked() {
                self.guess = Some(i);
            }
        }
        match self.guess {
            Some(guess) if guess == *answer => _ = ui.label(RichText::new("That is what happens. See for yourself.").color(good(ui))),
            Some(_) => _ = ui.label("Try it and see."),
            None => {}
        }
    }

    fn checks(&mut self, ui: &mut Ui, frame: &Frame, step: &LessonStep) {
        if step.checks.is_empty() {
            return;
        }
        let now = ui.input(|i| i.time);
        if self.judged.is_empty() || now - self.at > EVERY {
            (self.judged, self.at) = (judge(frame, step), now);
        }
        if self.judged.iter().all(|j| j.holds) && !self.passed.contains(&self.step) {
            self.passed.push(self.step);
        }
        for judged in &self.judged {
            let value = judged.value.as_ref().map_or_else(Clone::clone, |v| number(*v));
            let (mark, color) = if judged.holds { ("done", good(ui)) } else { ("not yet", ui.visuals().text_color()) };
            ui.label(RichText::new(format!("{mark}: {} (now: {value})", judged.check)).color(color));
        }
        if self.passed.contains(&self.step) {
            ui.label(RichText::new("Passed.").strong().color(good(ui)));
        }
    }
}

fn good(ui: &Ui) -> Color32 {
    if ui.visuals().dark_mode { Color32::from_rgb(0x3c, 0xc8, 0x9a) } else { Color32::from_rgb(0x00, 0x7a, 0x58) }
}
