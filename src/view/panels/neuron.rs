//! One neuron of a population by itself: its f-I curve, and its phase plane with nullclines.

use std::sync::Arc;

use eframe::egui::{Align2, ComboBox, DragValue, Role, Stroke, Ui, WidgetInfo};
use egui_plot::{HLine, Line, MarkerShape, PlotPoint, PlotPoints, PlotTransform, Points, VLine};

use crate::export::{Column, Table};
use crate::session::Machine;
use crate::session::copies::{self, Curve, typical};
use crate::session::live::About;
use crate::session::plane::{self, Plane, Question};
use crate::view::later::Later;
use crate::view::look::{colour, number, small};
use crate::view::panel::{Seen, faint, plot};

/// One thread beside the simulation's.
const MACHINE: Machine = Machine::Cpu { threads: Some(1) };

/// Which population both panels are about.
fn choose(ui: &mut Ui, seen: &mut Seen, about: &About) -> usize {
    let all = &about.network.populations;
    let at = seen.tools.population.min(all.len().saturating_sub(1));
    if all.len() > 1 {
        ComboBox::from_label("population").selected_text(all[at].name.clone()).show_ui(ui, |ui| {
            for (i, p) in all.iter().enumerate() {
                ui.selectable_value(&mut seen.tools.population, i, &p.name);
            }
        });
    }
    at
}

#[derive(Default)]
pub struct FiCurve {
    found: Later<(u64, usize, Vec<f64>), Result<Curve, String>>,
}

impl FiCurve {
    pub fn show(&mut self, ui: &mut Ui, seen: &mut Seen) {
        let Some(about) = seen.frame.about.clone() else { return };
        let at = choose(ui, seen, &about);
        let ctx = ui.ctx().clone();
        let (curve, fresh) = match self.curve(seen, &about, at, move || ctx.request_repaint()) {
            (Some(Ok(curve)), fresh) => (curve.clone(), fresh),
            (Some(Err(e)), _) => return say(ui, e.clone()),
            (None, _) => return say(ui, "measuring..."),
        };
        let tint = colour(ui.visuals().dark_mode, at);
        let now = seen.rates(&about).get(at).copied().unwrap_or(0.0);
        let low = curve.points.first().map_or(0.0, |p| p[0]);
        let label = format!("{} added to what the scene gives ({})", curve.input, curve.unit);
        let name = about.network.populations.get(at).map_or(String::new(), |p| p.name.clone());
        let shown = plot("curve").x_axis_label(label).y_axis_label("spikes/s").show(ui, |ui| {
            ui.vline(VLine::new("", 0.0).color(faint(tint)));
            ui.hline(HLine::new("", now).color(faint(tint)));
            let line = Line::new(name.clone(), PlotPoints::from(curve.points.clone()));
            ui.line(line.color(if fresh { tint } else { faint(tint) }).width(2.0));
            let told = format!(" {name} in the network: {} spikes/s", number(now));
            ui.text(egui_plot::Text::new("", PlotPoint::new(low, now), told).anchor(Align2::LEFT_BOTTOM));
        });
        shown.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("f-I curve of {name}")));
    }

    fn curve(
        &mut self,
        seen: &Seen,
        about: &Arc<About>,
        at: usize,
        wake: impl FnOnce() + Send + 'static,
    ) -> (Option<&Result<Curve, String>>, bool) {
        let parameters = about.network.populations.get(at).map(|p| typical(p, seen.frame.step)).unwrap_or_default();
        let key = (seen.frame.generation, at, parameters.clone());
        let about = about.clone();
        self.found.get(&key, seen.wait, wake, move || copies::curve(&about.network, at, &parameters, &MACHINE))
    }

    pub fn data(&mut self, seen: &Seen, about: &Arc<About>) -> Option<Table> {
        let at = seen.tools.population.min(about.network.populations.len().saturating_sub(1));
        let (Some(Ok(curve)), _) = self.curve(seen, about, at, || {}) else { return None };
        let mut table = Table::default();
        table.add(format!("current_{}", curve.unit.replace('/', "_per_")), Column::Numbers(curve.points.iter().map(|p| p[0]).collect()));
        table.add("rate_Hz", Column::Numbers(curve.points.iter().map(|p| p[1]).collect()));
        Some(table)
    }
}

#[derive(Default)]
pub struct PhasePlane {
    current: f64,
    /// The variable on y that a person has chosen, of this population of this network.
    chosen: Option<((u64, usize), usize)>,
    found: Later<(u64, Question), Result<Plane, String>>,
}

impl PhasePlane {
    pub fn show(&mut self, ui: &mut Ui, seen: &mut Seen) {
        let Some(about) = seen.frame.about.clone() else { return };
        let mut question = None;
        ui.horizontal_wrapped(|ui| {
            let at = choose(ui, seen, &about);
            question = self.controls(ui, seen, &about, at);
        });
        let Some(question) = question else { return say(ui, "this model has no state to draw") };
        let ctx = ui.ctx().clone();
        let (key, network) = ((seen.frame.generation, question.clone()), about.network.clone());
        let asked = question.clone();
        let (found, fresh) =
            self.found.get(&key, seen.wait, move || ctx.request_repaint(), move || plane::plane(&network, &asked, &MACHINE));
        let plane = match found {
            Some(Ok(plane)) => plane.clone(),
            Some(Err(e)) => return say(ui, e.clone()),
            None => return say(ui, "drawing up..."),
        };
        draw(ui, &plane, &question, &about, fresh);
    }

    /// The menus above the picture, and what they ask for.
    fn controls(&mut self, ui: &mut Ui, seen: &Seen, about: &About, at: usize) -> Option<Question> {
        let p = about.network.populations.get(at)?;
        let states: Vec<&str> = p.model.states.iter().map(|s| s.name.as_str()).collect();
        if states.is_empty() {
            return None;
        }
        let (parameters, x, here) = (typical(p, seen.frame.step), membrane(&states), (seen.frame.generation, at));
        let own = || plane::partner(&about.network, at, &parameters, x);
        let mut y = self.chosen.filter(|c| c.0 == here).map(|c| c.1).or_else(own).filter(|y| *y < states.len());
        let others: Vec<usize> = (0..states.len()).filter(|s| *s != x).collect();
        if let (Some(first), false) = (y, others.len() < 2) {
            ComboBox::from_label("against").selected_text(states[first]).show_ui(ui, |ui| {
                for s in others {
                    if ui.selectable_label(first == s, states[s]).clicked() {
                        (y, self.chosen) = (Some(s), Some((here, s)));
                    }
                }
            });
        }
        if let Some(input) = p.model.inputs.first() {
            let label = ui.label("current");
            let speed = (self.current.abs() * 0.02).max(1.0);
            ui.add(DragValue::new(&mut self.current).speed(speed).suffix(format!(" {}", input.dimension)))
                .labelled_by(label.id)
                .on_hover_text("constant, added to what the scene gives the neuron");
        }
        Some(Question { population: at, parameters, current: self.current, x, y })
    }

    /// The orbit as it is seen.
    pub fn data(&mut self, seen: &Seen, about: &Arc<About>) -> Option<Table> {
        let at = seen.tools.population.min(about.network.populations.len().saturating_sub(1));
        let p = about.network.populations.get(at)?;
        let states: Vec<&str> = p.model.states.iter().map(|s| s.name.as_str()).collect();
        let (parameters, x) = (typical(p, seen.frame.step), membrane(&states));
        let chosen = self.chosen.filter(|c| c.0 == (seen.frame.generation, at)).map(|c| c.1);
        let y = chosen.or_else(|| plane::partner(&about.network, at, &parameters, x));
        let question = Question { population: at, parameters, current: self.current, x, y };
        let plane = plane::plane(&about.network, &question, &MACHINE).ok()?;
        let mut table = Table::default();
        for (a, s) in [Some(x), y].into_iter().flatten().enumerate() {
            let name = states.get(s)?;
            table.add(format!("orbit_{name}"), Column::Numbers(plane.orbit.iter().map(|p| p[a]).collect()));
            table.add(format!("fixed_{name}"), Column::Numbers(plane.fixed.iter().map(|f| f.0[a]).collect()));
        }
        let stable = plane.fixed.iter().map(|f| u32::from(f.1)).collect();
        table.add("fixed_stable", Column::Whole(stable));
        Some(table)
    }
}

fn say(ui: &mut Ui, text: impl Into<String>) {
    ui.weak(text.into());
}

fn membrane(states: &[&str]) -> usize {
    ["V_m", "V", "v"].iter().find_map(|n| states.iter().position(|s| s == n)).unwrap_or(0)
}

fn draw(ui: &mut Ui, plane: &Plane, question: &Question, about: &About, fresh: bool) {
    let dark = ui.visuals().dark_mode;
    let p = &about.network.populations[question.population];
    let axis = |s: usize| format!("{} ({})", p.model.states[s].name, unit(p.model.states[s].dimension));
    let y = question.y.map_or_else(|| format!("change of {} per ms", p.model.states[question.x].name), axis);
    let (ink, strong) = (ui.visuals().weak_text_color(), faint(ui.visuals().strong_text_color()));
    let (orbit, fixed) = (plane.orbit.clone(), plane.fixed.clone());
    let shown = plot("plane").x_axis_label(axis(question.x)).y_axis_label(y.clone()).show(ui, |ui| {
        ui.set_plot_bounds_x(plane.low[0]..=plane.high[0]);
        ui.set_plot_bounds_y(plane.low[1]..=plane.high[1]);
        if question.y.is_none() {
            ui.hline(HLine::new("", 0.0).color(ink));
        }
        ui.line(Line::new("orbit", PlotPoints::from(orbit)).color(strong).width(1.0));
        for (stable, shape) in [(true, MarkerShape::Circle), (false, MarkerShape::Diamond)] {
            let points: Vec<[f64; 2]> = fixed.iter().filter(|f| f.1 == stable).map(|f| f.0).collect();
            let name = if stable { "stable" } else { "unstable" };
            ui.points(Points::new(name, PlotPoints::from(points)).shape(shape).filled(stable).radius(5.0).color(colour(dark, 2)));
        }
    });
    let (transform, painter) = (shown.transform, ui.painter().with_clip_rect(shown.response.rect));
    let at = |p: [f64; 2]| transform.position_from_point(&PlotPoint::new(p[0], p[1]));
    for (axis, pieces) in plane.still.iter().enumerate() {
        let tint = if fresh { colour(dark, axis) } else { faint(colour(dark, axis)) };
        pieces.iter().for_each(|[a, b]| _ = painter.line_segment([at(*a), at(*b)], Stroke::new(2.0, tint)));
    }
    arrows(&painter, plane, &transform, ink);
    let names: Vec<String> = match question.y {
        Some(s) => [question.x, s].iter().map(|s| format!("{} stands still", p.model.states[*s].name)).collect(),
        None => vec![y],
    };
    let mut place = shown.response.rect.left_top() + eframe::egui::vec2(6.0, 4.0);
    for (i, name) in names.iter().enumerate() {
        painter.text(place, Align2::LEFT_TOP, name, small(), colour(dark, i));
        place.y += 13.0;
    }
    let told = format!("Phase plane of {}, {} fixed points", p.name, plane.fixed.len());
    shown.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &told));
}

/// Arrows of one length, as they point on the screen.
fn arrows(painter: &eframe::egui::Painter, plane: &Plane, transform: &PlotTransform, ink: eframe::egui::Color32) {
    let at = |p: [f64; 2]| transform.position_from_point(&PlotPoint::new(p[0], p[1]));
    for (from, change) in &plane.arrows {
        let (dx, dy) = (transform.dpos_dvalue_x() * change[0], transform.dpos_dvalue_y() * change[1]);
        let length = dx.hypot(dy);
        if length > 0.0 && length.is_finite() {
            let way = eframe::egui::vec2((dx / length) as f32, (dy / length) as f32) * 11.0;
            painter.arrow(at(*from) - way * 0.5, way, Stroke::new(1.0, ink));
        }
    }
}

fn unit(dimension: crate::base::units::Dimension) -> String {
    if dimension == crate::base::units::NUMBER { "1".into() } else { dimension.to_string() }
}
