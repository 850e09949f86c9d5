//! The parameters: sliders with ranges, values with units, reset, undo and redo. The table of the simulation is the one
//! truth; this only asks for changes. Knows no panel.

use std::cell::Cell;

use eframe::egui::{self, Button, Color32, DragValue, Grid, Rect, RichText, ScrollArea, Sense, Slider, Stroke, StrokeKind, Ui, vec2};

use super::look::number;
use crate::base::units::unit;
use crate::scene::Knob;
use crate::session::live::{About, Frame, Order};

/// Values before and after a change.
#[derive(Clone, Debug, PartialEq)]
struct Change {
    before: Vec<(String, String)>,
    after: Vec<(String, String)>,
}

#[derive(Default)]
pub struct Parameters {
    done: Vec<Change>,
    undone: Vec<Change>,
    /// What is being dragged: the knob, what it was before, and what is asked for now.
    held: Option<(String, String, f64)>,
    filter: String,
    /// What a lesson is about: marked until the next frame.
    pointed: Vec<String>,
    /// What a lesson locks may be turned all the same.
    pub unlocked: bool,
    /// The knob for which something was typed that is no value for it.
    refused: Option<String>,
}

impl Parameters {
    /// Marks a parameter in this frame.
    pub fn point_at(&mut self, name: &str) {
        self.pointed.push(name.to_string());
    }

    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    pub fn undo(&mut self) -> Option<Order> {
        let change = self.done.pop()?;
        self.undone.push(change.clone());
        Some(Order::Set(change.before))
    }

    pub fn redo(&mut self) -> Option<Order> {
        let change = self.undone.pop()?;
        self.done.push(change.clone());
        Some(Order::Set(change.after))
    }

    /// Forgets what could be undone: another scene is open.
    pub fn forget(&mut self) {
        *self = Self { filter: std::mem::take(&mut self.filter), ..Self::default() };
    }

    /// Asks for new values, and remembers the old ones.
    pub fn set(&mut self, about: &About, values: Vec<(String, String)>, orders: &mut Vec<Order>) {
        let old = |name: &String| about.knob(name).map(|k| (name.clone(), k.written.clone()));
        let before: Vec<_> = values.iter().filter_map(|(name, _)| old(name)).collect();
        self.refused = None;
        if before != values {
            self.done.push(Change { before, after: values.clone() });
            self.undone.clear();
            orders.push(Order::Set(values));
        }
    }

    pub fn show(&mut self, ui: &mut Ui, frame: &Frame, orders: &mut Vec<Order>) {
        let Some(about) = frame.about.clone() else { return };
        ui.horizontal(|ui| {
            ui.strong("Parameters");
            if ui
                .add_enabled(self.can_undo(), Button::new("Undo"))
                .on_hover_text("Ctrl+Z: the last value is taken back, time is not")
                .clicked()
            {
                orders.extend(self.undo());
            }
            if ui.add_enabled(self.can_redo(), Button::new("Redo")).on_hover_text("Ctrl+Shift+Z").clicked() {
                orders.extend(self.redo());
            }
            let changed = changed(&about);
            if ui.add_enabled(!changed.is_empty(), Button::new("Reset all")).on_hover_text("back to the values of the scene").clicked() {
                self.set(&about, changed, orders);
            }
        });
        let pointed = std::mem::take(&mut self.pointed);
        let shown = |k: &&Knob| self.filter.is_empty() || k.name.to_lowercase().contains(&self.filter.to_lowercase());
        let knobs: Vec<Knob> = about.knobs.iter().filter(shown).cloned().collect();
        let (sliders, others): (Vec<&Knob>, Vec<&Knob>) = knobs.iter().partition(|k| k.range.is_some() && !k.derived);
        let (typed, derived): (Vec<&Knob>, Vec<&Knob>) = others.into_iter().partition(|k| !k.derived);
        let lock = about.lesson.as_ref().filter(|_| !self.unlocked).map_or(&[][..], |l| &l.lock);
        let locked = |ui: &mut Ui, knob: &Knob| {
            if lock.contains(&knob.name) {
                ui.disable();
            }
        };
        ScrollArea::vertical().id_salt("parameters").auto_shrink([false, true]).show(ui, |ui| {
            for knob in sliders {
                let stroke = if pointed.contains(&knob.name) { Stroke::new(2.0, ui.visuals().warn_fg_color) } else { Stroke::NONE };
                egui::Frame::NONE.stroke(stroke).inner_margin(2.0).show(ui, |ui| {
                    locked(ui, knob);
                    self.slider(ui, &about, knob, orders);
                });
            }
            if !typed.is_empty() {
                Grid::new("typed").num_columns(3).min_col_width(10.0).show(ui, |ui| {
                    for knob in typed {
                        self.typed(ui, &about, knob, &locked, orders);
                        ui.end_row();
                    }
                });
            }
            if !derived.is_empty() {
                ui.collapsing("Derived", |ui| {
                    for knob in derived {
                        let text = format!("{} = {} {}", knob.name, number(knob.value), knob.unit);
                        ui.label(text).on_hover_text(format!("follows from others: {}", knob.written));
                    }
                });
            }
            self.cells(ui, &about, orders);
            if about.knobs.len() > 8 {
                let hint = eframe::egui::TextEdit::singleline(&mut self.filter).hint_text("filter parameters");
                ui.add(hint);
            }
        });
    }

    /// What the scene has no parameter for: those of its cells, by population.
    fn cells(&mut self, ui: &mut Ui, about: &About, orders: &mut Vec<Order>) {
        for p in &about.network.populations {
            let of = |k: &&Knob| k.name.strip_prefix(p.name.as_str()).is_some_and(|rest| rest.starts_with('.'));
            let wish = self.filter.to_lowercase();
            let all: Vec<&Knob> = about.cells.iter().filter(of).filter(|k| k.name.to_lowercase().contains(&wish)).collect();
            if all.is_empty() {
                continue;
            }
            ui.collapsing(format!("{}: {}", p.name, p.model.name), |ui| {
                Grid::new(("cells", &p.name)).num_columns(3).min_col_width(10.0).show(ui, |ui| {
                    for knob in all {
                        self.typed(ui, about, knob, &|_, _| {}, orders);
                        ui.end_row();
                    }
                });
            });
        }
    }

    fn slider(&mut self, ui: &mut Ui, about: &About, knob: &Knob, orders: &mut Vec<Order>) {
        let [low, high] = knob.range.unwrap_or([0.0, 1.0]);
        ui.horizontal(|ui| {
            mark(ui, about, knob);
            ui.label(RichText::new(&knob.name).strong()).on_hover_text(hint(about, knob));
            ui.weak(&knob.about);
        });
        ui.horizontal(|ui| {
            let mut value = self.value(knob);
            ui.spacing_mut().slider_width = (ui.available_width() - 150.0).clamp(60.0, 400.0);
            let (unit, refused) = (knob.unit.clone(), Cell::new(false));
            let slider = Slider::new(&mut value, low..=high)
                .logarithmic(knob.log)
                .clamping(eframe::egui::SliderClamping::Never)
                .update_while_editing(false)
                .suffix(if unit.is_empty() { String::new() } else { format!(" {unit}") })
                .max_decimals(4)
                .custom_parser(|text| parsed(text, &unit).or_else(|| (refused.set(true), None).1));
            let response = ui.add(slider).on_hover_text(hint(about, knob)).on_disabled_hover_text("the lesson has locked it");
            let name = knob.name.clone();
            response.widget_info(|| {
                let mut info = eframe::egui::WidgetInfo::slider(true, value, name.clone());
                info.label = Some(name.clone());
                info
            });
            self.changed(about, knob, value, response.changed(), response.dragged(), orders);
            self.reset(ui, about, knob, orders);
            self.refusal(knob, refused.get());
        });
        self.what_is_right(ui, knob);
    }

    fn typed(&mut self, ui: &mut Ui, about: &About, knob: &Knob, locked: &dyn Fn(&mut Ui, &Knob), orders: &mut Vec<Order>) {
        let name = ui.horizontal(|ui| {
            mark(ui, about, knob);
            ui.label(&knob.name).on_hover_text(hint(about, knob)).id
        });
        let mut value = self.value(knob);
        let (unit, refused) = (knob.unit.clone(), Cell::new(false));
        let suffix = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        let speed = (knob.value.abs() * 0.01).max(1e-4);
        let whole = knob.value.fract() == 0.0 && knob.value.abs() >= 20.0;
        let field = DragValue::new(&mut value).update_while_editing(false).speed(if whole { speed.max(1.0) } else { speed }).suffix(suffix);
        let field = if whole { field.max_decimals(0) } else { field.max_decimals(6) };
        let response = ui.scope(|ui| {
            locked(ui, knob);
            ui.add(field.custom_parser(|text| parsed(text, &unit).or_else(|| (refused.set(true), None).1)))
        });
        let response =
            response.inner.labelled_by(name.inner).on_hover_text(hint(about, knob)).on_disabled_hover_text("the lesson has locked it");
        let rebuild = rebuilds(about, knob).is_some();
        // A rebuild is asked for once, when the hand lets go.
        let (is_changed, dragged) = (response.changed(), response.dragged());
        if rebuild && dragged {
            if self.held.is_none() {
                self.held = Some((knob.name.clone(), knob.written.clone(), value));
            }
            if let Some(held) = &mut self.held {
                held.2 = value;
            }
        } else if rebuild && response.drag_stopped() {
            self.held = None;
            self.set(about, vec![(knob.name.clone(), written(value, knob))], orders);
        } else {
            self.changed(about, knob, value, is_changed, dragged, orders);
        }
        self.reset(ui, about, knob, orders);
        self.refusal(knob, refused.get());
        self.what_is_right(ui, knob);
    }

    /// Remembers that what was typed for a knob is no value for it.
    fn refusal(&mut self, knob: &Knob, refused: bool) {
        if refused {
            self.refused = Some(knob.name.clone());
        }
    }

    /// Says what may be typed, after something else was.
    fn what_is_right(&self, ui: &mut Ui, knob: &Knob) {
        if self.refused.as_ref() == Some(&knob.name) {
            let unit =
                if knob.unit.is_empty() { "without a unit".to_string() } else { format!("in {}, or with a unit of its kind", knob.unit) };
            ui.colored_label(ui.visuals().warn_fg_color, format!("{} is a number {unit}: nothing was changed", knob.name));
        }
    }

    /// What the control of a knob shows: what the hand asks for, else what is.
    fn value(&self, knob: &Knob) -> f64 {
        self.held.as_ref().filter(|h| h.0 == knob.name).map_or(knob.value, |h| h.2)
    }

    /// One drag is one point of undo.
    fn changed(&mut self, about: &About, knob: &Knob, value: f64, changed: bool, dragged: bool, orders: &mut Vec<Order>) {
        let new = || vec![(knob.name.clone(), written(value, knob))];
        if changed {
            self.refused = None;
        }
        if dragged {
            if self.held.as_ref().is_none_or(|h| h.0 != knob.name) {
                self.held = Some((knob.name.clone(), knob.written.clone(), value));
            }
            if changed {
                if let Some(held) = &mut self.held {
                    held.2 = value;
                }
                orders.push(Order::Set(new()));
            }
        } else if let Some((_, before, value)) = self.held.take_if(|h| h.0 == knob.name) {
            let after = vec![(knob.name.clone(), written(value, knob))];
            let before = vec![(knob.name.clone(), before)];
            if before != after {
                self.done.push(Change { before, after });
                self.undone.clear();
            }
        } else if changed {
            self.set(about, new(), orders);
        }
    }

    fn reset(&mut self, ui: &mut Ui, about: &About, knob: &Knob, orders: &mut Vec<Order>) {
        let Some(original) = about.original.iter().find(|k| k.name == knob.name && k.written != knob.written) else { return };
        let told = format!("back to {}", original.written);
        if ui.small_button("reset").on_hover_text(told).clicked() {
            self.set(about, vec![(knob.name.clone(), original.written.clone())], orders);
        }
    }
}

/// Knobs that are not as the scene has them, and how it has them.
fn changed(about: &About) -> Vec<(String, String)> {
    let differs = |o: &&Knob| about.knob(&o.name).is_some_and(|k| !k.derived && k.written != o.written);
    about.original.iter().filter(differs).map(|o| (o.name.clone(), o.written.clone())).collect()
}

fn rebuilds<'a>(about: &'a About, knob: &Knob) -> Option<&'a str> {
    let at = about.knobs.iter().position(|k| k.name == knob.name)?;
    about.rebuilds.get(at)?.as_deref()
}

/// A dot that says live or rebuild, and whether the value was changed.
fn mark(ui: &mut Ui, about: &About, knob: &Knob) {
    let rebuild = rebuilds(about, knob).is_some();
    let changed = about.original.iter().any(|k| k.name == knob.name && k.written != knob.written);
    let color = if changed { Color32::from_rgb(0xf0, 0xb0, 0x30) } else { ui.visuals().weak_text_color() };
    let told = match (rebuild, changed) {
        (true, _) => "a change rebuilds the network and starts at time 0",
        (false, true) => "changed; takes effect while it runs",
        (false, false) => "takes effect while it runs",
    };
    let (response, painter) = ui.allocate_painter(vec2(9.0, 14.0), Sense::hover());
    let middle = response.rect.center();
    if rebuild {
        painter.rect_stroke(Rect::from_center_size(middle, vec2(6.0, 6.0)), 0.0, Stroke::new(1.3, color), StrokeKind::Middle);
    } else {
        painter.circle_filled(middle, 3.2, color);
    }
    response.on_hover_text(told);
}

fn hint(about: &About, knob: &Knob) -> String {
    let live = match rebuilds(about, knob) {
        Some(what) => format!("a change rebuilds: {what}"),
        None => "takes effect while it runs".to_string(),
    };
    format!("{} = {}\n{}\n{live}", knob.name, knob.written, knob.about)
}

/// A value as the scene writes it, without the last digits of a slider.
fn written(value: f64, knob: &Knob) -> String {
    let digits = |x: f64| format!("{x:.6e}").parse::<f64>().unwrap_or(x);
    let value = digits(value);
    if knob.unit.is_empty() { value.to_string() } else { format!("{value} {}", knob.unit) }
}

/// A typed number, with its own unit or without: `0.2 mV`, `200 uV`, `0.2`.
fn parsed(text: &str, own: &str) -> Option<f64> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_alphabetic() && c != 'e' && c != 'E').unwrap_or(text.len());
    let number: f64 = text[..split].trim().parse().ok()?;
    let name = text[split..].trim();
    if name.is_empty() || name == own {
        return Some(number);
    }
    let (given, own) = (unit(name)?, unit(own)?);
    (given.dimension == own.dimension).then(|| number * given.value / own.value)
}

#[cfg(test)]
mod tests {
    use super::parsed;

    #[test]
    fn a_typed_value_may_bring_its_unit() {
        assert_eq!(parsed(" 0.25 mV ", "mV"), Some(0.25));
        assert!((parsed("200 uV", "mV").unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(parsed("1e-3", "mV"), Some(1e-3));
        assert_eq!(parsed("3", ""), Some(3.0));
        assert_eq!(parsed("3 ms", "mV"), None);
        assert_eq!(parsed("three", "mV"), None);
    }
}
