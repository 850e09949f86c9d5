//! Membranes of the selected neurons, with their spikes and thresholds.

use std::collections::VecDeque;

use eframe::egui::{Key, Role, TextEdit, Ui, WidgetInfo};
use egui_plot::{HLine, Line, LineStyle, MarkerShape, PlotPoints, Points};

use crate::export::{Column, Table};
use crate::network::Values;
use crate::session::live::{About, Frame, Watched, place};
use crate::view::look::colour;
use crate::view::panel::{Seen, faint, legend, plot};

/// Pairs of least and most that a line is drawn from.
const POINTS: u64 = 600;
/// Spikes of a neuron that are marked, at most.
const MARKS: usize = 2000;

/// What the panel keeps.
#[derive(Default)]
pub struct Traces {
    /// The name of a neuron that is being typed.
    typed: String,
    marks: Marks,
}

/// The spikes of the neurons that are shown, carried along as time goes on: a frame costs its new spikes, not those in sight.
#[derive(Default)]
struct Marks {
    /// Network and neurons, and the steps (from, to] that were gone through.
    of: (u64, Vec<u32>),
    span: (u64, u64),
    steps: Vec<VecDeque<u32>>,
}

impl Marks {
    fn update(&mut self, frame: &Frame, neurons: &[u32], (from, to): (u64, u64)) {
        let goes_on =
            self.of.0 == frame.generation && self.of.1 == neurons && (self.span.0..=self.span.1).contains(&from) && to >= self.span.1;
        let fresh = if goes_on { self.span.1 } else { from };
        if !goes_on {
            self.of = (frame.generation, neurons.to_vec());
            self.steps = vec![VecDeque::new(); neurons.len()];
        }
        for steps in &mut self.steps {
            while steps.front().is_some_and(|s| u64::from(*s) <= from) {
                steps.pop_front();
            }
        }
        for spike in frame.chunks(fresh, to).iter().flat_map(|c| c.within(fresh, to)) {
            if let Some(i) = neurons.iter().position(|n| *n == spike.neuron) {
                self.steps[i].push_back(spike.step);
            }
        }
        self.span = (from, to);
    }
}

pub fn show(ui: &mut Ui, seen: &mut Seen, kept: &mut Traces) {
    let Some(about) = seen.frame.about.clone() else { return };
    if !seen.wait {
        ui.horizontal_wrapped(|ui| choose(ui, seen, &about, &mut kept.typed));
    }
    let dark = ui.visuals().dark_mode;
    let watched = seen.frame.chunks.last().map(|c| c.watched.clone()).unwrap_or_default();
    if watched.is_empty() {
        ui.weak("click a neuron in the raster, or name it here, to see its membrane; it is recorded from then on");
        return;
    }
    let (from, to) = seen.span.of(seen.frame);
    let lines: Vec<Vec<[f64; 2]>> = (0..watched.len()).map(|i| line(seen, &watched, i)).collect();
    let ends = lines.iter().flatten().map(|p| p[1]).filter(|v| v.is_finite());
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    let (low, high) = if low < high { (low, high) } else { (-1.0, 1.0) };
    let room = (high - low) * 0.12;
    let levels: Vec<f64> = watched.iter().filter_map(|w| threshold(&about, w.neuron)).collect();
    let neurons: Vec<u32> = watched.iter().map(|w| w.neuron).collect();
    kept.marks.update(seen.frame, &neurons, seen.span.steps(seen.frame));
    let mark = |step: &u32| [f64::from(*step) * seen.frame.dt, high + room * 0.5];
    let spikes: Vec<Vec<[f64; 2]>> = kept.marks.steps.iter().map(|all| all.iter().take(MARKS).map(mark).collect()).collect();
    let shown = plot("traces").legend(legend()).y_axis_label(watched[0].variable.clone()).x_axis_label("ms").show(ui, |ui| {
        ui.set_plot_bounds_x(from..=to);
        ui.set_plot_bounds_y(low - room..=high + room);
        for (i, level) in levels.into_iter().enumerate() {
            ui.hline(HLine::new("", level).color(faint(colour(dark, i))).style(LineStyle::dashed_loose()));
        }
        for (i, (line, spikes)) in lines.into_iter().zip(spikes).enumerate() {
            let name = watched[i].name.clone();
            ui.line(Line::new(name.clone(), PlotPoints::from(line)).color(colour(dark, i)).width(1.2));
            ui.points(Points::new(name, PlotPoints::from(spikes)).color(colour(dark, i)).shape(MarkerShape::Down).radius(3.5));
        }
    });
    shown.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Membranes of the selected neurons"));
    seen.span.gestures(ui, &shown.response, seen.frame);
}

/// The neurons that are shown, to be put away, and a field for others.
fn choose(ui: &mut Ui, seen: &mut Seen, about: &About, typed: &mut String) {
    for neuron in seen.tools.selected.clone() {
        let Some((population, index)) = place(&about.network, neuron) else { continue };
        let name = format!("{}[{index}]", about.network.populations[population].name);
        if ui.small_button(format!("{name} x")).on_hover_text(format!("shows {name} no longer")).clicked() {
            seen.tools.select(neuron);
        }
    }
    let label = ui.label("show");
    let hint = about.network.populations.first().map_or(String::new(), |p| format!("{}[0]", p.name));
    let field = ui.add(TextEdit::singleline(typed).hint_text(hint).desired_width(90.0)).labelled_by(label.id);
    let found = number(about, typed);
    let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    if let (true, Some(neuron)) = (entered, found.filter(|n| !seen.tools.selected.contains(n))) {
        seen.tools.select(neuron);
        typed.clear();
    }
    if !typed.is_empty() && found.is_none() {
        ui.colored_label(ui.visuals().warn_fg_color, "a population and a number within it");
    }
}

/// The neuron of a name like `exc[12]`, over the whole network.
fn number(about: &About, name: &str) -> Option<u32> {
    let (population, index) = name.trim().strip_suffix(']')?.split_once('[')?;
    let at = about.network.populations.iter().position(|p| p.name == population.trim())?;
    let (first, size) = *about.ranges().get(at)?;
    index.trim().parse::<u32>().ok().filter(|i| *i < size).map(|i| first + i)
}

/// Least and most of each stretch of time, so that no peak is lost.
fn line(seen: &Seen, watched: &std::sync::Arc<[Watched]>, i: usize) -> Vec<[f64; 2]> {
    let (from, to) = seen.span.steps(seen.frame);
    let wide = ((to.saturating_sub(from)) / POINTS).max(1);
    let mut out: Vec<[f64; 2]> = Vec::new();
    // The stretch that is being gone through: its number, least and most.
    let mut open: Option<(u64, f32, f32)> = None;
    let mut close = |open: Option<(u64, f32, f32)>| {
        if let Some((bin, low, high)) = open {
            let t = (bin * wide) as f64 * seen.frame.dt;
            out.push([t, f64::from(low)]);
            if wide > 1 {
                out.push([t + wide as f64 * seen.frame.dt * 0.5, f64::from(high)]);
            }
        }
    };
    for chunk in seen.frame.chunks(from, to).iter().filter(|c| c.watched[..] == watched[..]) {
        for (k, value) in chunk.traces[i].iter().enumerate() {
            let step = chunk.from + 1 + k as u64;
            if !(from..=to).contains(&step) {
                continue;
            }
            let bin = step / wide;
            open = match open {
                Some((b, low, high)) if b == bin => Some((b, low.min(*value), high.max(*value))),
                other => {
                    close(other);
                    Some((bin, *value, *value))
                }
            };
        }
    }
    close(open);
    out
}

/// The threshold of a neuron, where its model calls it V_th and it is one number.
fn threshold(about: &About, neuron: u32) -> Option<f64> {
    let at = about.ranges().iter().position(|r| (r.0..r.0 + r.1).contains(&neuron))?;
    let p = about.network.populations.get(at)?;
    match p.parameters.get(p.model.parameters.iter().position(|p| p.name == "V_th")?)? {
        Values::Uniform(v) => Some(*v),
        _ => None,
    }
}

pub fn data(seen: &Seen) -> Table {
    let watched = seen.frame.chunks.last().map(|c| c.watched.clone()).unwrap_or_default();
    let (from, to) = seen.span.steps(seen.frame);
    let (mut times, mut values) = (Vec::new(), vec![Vec::new(); watched.len()]);
    for chunk in seen.frame.chunks(from, to).iter().filter(|c| c.watched[..] == watched[..] && !watched.is_empty()) {
        for k in 0..chunk.traces[0].len() {
            let step = chunk.from + 1 + k as u64;
            if (from + 1..=to).contains(&step) {
                times.push(step as f64 * seen.frame.dt);
                values.iter_mut().zip(&chunk.traces).for_each(|(v, t)| v.push(t.get(k).copied().map_or(f64::NAN, f64::from)));
            }
        }
    }
    let mut table = Table::default();
    table.add("time_ms", Column::Numbers(times));
    for (w, values) in watched.iter().zip(values) {
        table.add(format!("{}_{}", w.name, w.variable), Column::Numbers(values));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::Marks;
    use crate::plan::{Harvest, Spike};
    use crate::session::live::{Frame, History};
    use std::sync::Arc;

    #[test]
    fn marks_are_the_spikes_in_sight_of_the_neurons_that_are_shown() {
        let (mut history, mut marks, mut all) = (History::default(), Marks::default(), Vec::<Spike>::new());
        for round in 0..90u64 {
            let spikes: Vec<Spike> =
                (0..12).map(|k| Spike { step: (round * 6 + 1 + k / 2) as u32, neuron: (k * 7 + round) as u32 % 9 }).collect();
            all.extend_from_slice(&spikes);
            history.take(Harvest { from: round * 6, to: round * 6 + 6, spikes, ..Harvest::default() }, &Arc::from([]), usize::MAX);
            let frame = Frame { step: round * 6 + 6, chunks: history.chunks(), generation: 1, ..Frame::default() };
            // It looks back now and then, and others are chosen.
            let to = if round % 11 == 10 { frame.step / 2 } else { frame.step };
            let (from, neurons): (u64, &[u32]) = (to.saturating_sub(100), if round > 50 { &[8, 2, 0] } else { &[4, 8] });
            marks.update(&frame, neurons, (from, to));
            for (n, found) in neurons.iter().zip(&marks.steps) {
                let mine = |s: &&Spike| s.neuron == *n && (from + 1..=to).contains(&u64::from(s.step));
                assert_eq!(
                    found.iter().copied().collect::<Vec<u32>>(),
                    all.iter().filter(mine).map(|s| s.step).collect::<Vec<u32>>(),
                    "{round}"
                );
            }
        }
    }
}
