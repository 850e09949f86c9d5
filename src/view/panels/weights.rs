//! The synapses of a projection: how their weights and delays are spread; weights that change, as they are now and as they began.

use std::sync::Arc;

use eframe::egui::{ComboBox, Role, Ui, WidgetInfo};
use egui_plot::{Bar, BarChart};

use crate::export::{Column, Table};
use crate::network::Which;
use crate::plan::{Plan, connections_of};
use crate::session::live::{About, Frame};
use crate::view::later::Later;
use crate::view::look::{colour, count, number, time};
use crate::view::panel::{Seen, faint, legend, plot};

/// Synapses of the plan that are looked at, about, and bars of a histogram.
const MOST: u64 = 200_000;
const BARS: usize = 40;

/// Weights in the unit of the receptor and delays in ms, as the plan has them, of some synapses of one projection.
#[derive(Clone, Debug, Default)]
struct Drawn {
    weights: Vec<f32>,
    delays: Vec<f32>,
    /// Sources that were looked at, and all.
    sources: (u32, u32),
}

/// Bars of values: the lower edge of the first, their width, and how many values are in each as a share of all.
#[derive(Clone, Debug, Default)]
struct Histogram {
    low: f64,
    width: f64,
    shares: Vec<f64>,
    told: String,
}

impl Histogram {
    /// Values that are all the same.
    fn is_single(&self) -> bool {
        self.shares.iter().skip(1).all(|s| *s == 0.0)
    }

    /// Where it begins and ends; the first bar in the middle if it is alone.
    fn span(&self, alone: bool) -> (f64, f64) {
        let end = self.low + self.width * self.shares.len() as f64;
        if self.shares.is_empty() { (f64::MAX, f64::MIN) } else { (if alone { 2.0 * self.low + self.width - end } else { self.low }, end) }
    }
}

#[derive(Default)]
pub struct Weights {
    /// The projection that a person has chosen.
    pub chosen: Option<usize>,
    drawn: Later<(u64, usize, usize), Arc<Drawn>>,
    /// Of weights at the start and now, and of delays.
    bars: Later<(u64, usize, usize, u64), [Histogram; 3]>,
}

impl Weights {
    /// The projection that is shown: the one chosen, else the first whose weights change.
    pub fn at(&self, about: &About) -> usize {
        let all = &about.plan.projections;
        let changing = || all.iter().position(|p| p.plastic.is_some()).unwrap_or(0);
        self.chosen.filter(|c| *c < all.len()).unwrap_or_else(changing)
    }

    pub fn show(&mut self, ui: &mut Ui, seen: &mut Seen) {
        let Some(about) = seen.frame.about.clone() else { return };
        if about.plan.projections.is_empty() {
            ui.weak("this network has no synapses");
            return;
        }
        let at = self.at(&about);
        ui.horizontal_wrapped(|ui| {
            ComboBox::from_label("projection").selected_text(name(&about.plan, at)).show_ui(ui, |ui| {
                for i in 0..about.plan.projections.len() {
                    if ui.selectable_label(i == at, name(&about.plan, i)).clicked() {
                        self.chosen = Some(i);
                    }
                }
            });
            ui.weak(now(seen.frame, &about, at));
        });
        let ctx = ui.ctx().clone();
        let Some((drawn, [first, now, delays])) = self.bars(seen, &about, at, move || ctx.request_repaint()) else {
            ui.weak("looking at the synapses...");
            return;
        };
        let (looked, all) = drawn.sources;
        if looked < all {
            ui.weak(format!("as built: {} synapses, those of {looked} of {all} sources", count(drawn.weights.len() as u64)));
        }
        let p = &about.plan.projections[at];
        let unit = about.network.populations[p.target].model.receptors.first().map_or(String::new(), |r| r.weight.to_string());
        let tint = colour(ui.visuals().dark_mode, p.source);
        let weights: Vec<(&str, Histogram, _)> = if now.shares.is_empty() {
            vec![("as built", first, tint)]
        } else {
            vec![("as built", first, ui.visuals().weak_text_color()), ("now", now, tint)]
        };
        ui.columns(2, |columns| {
            chart(&mut columns[0], "weights", &format!("weight ({unit})"), weights);
            chart(&mut columns[1], "delays", "delay (ms)", vec![("as built", delays, tint)]);
        });
    }

    fn drawn(&mut self, seen: &Seen, about: &Arc<About>, at: usize, wake: impl FnOnce() + Send + 'static) -> Option<Arc<Drawn>> {
        // Every edit makes another plan.
        let key = (seen.frame.generation, Arc::as_ptr(&about.plan) as usize, at);
        let plan = about.plan.clone();
        self.drawn.get(&key, seen.wait, wake, move || Arc::new(drawn(&plan, at))).0.cloned()
    }

    fn bars(
        &mut self,
        seen: &Seen,
        about: &Arc<About>,
        at: usize,
        wake: impl FnOnce() + Send + Clone + 'static,
    ) -> Option<(Arc<Drawn>, [Histogram; 3])> {
        let drawn = self.drawn(seen, about, at, wake.clone())?;
        let told = seen.frame.weights.clone().filter(|w| w.projection == at && about.plan.projections[at].plastic.is_some());
        let key = (seen.frame.generation, Arc::as_ptr(&drawn) as usize, at, told.as_ref().map_or(u64::MAX, |w| w.step));
        let of = drawn.clone();
        let make = move || {
            let now = told.as_ref().map_or(&[][..], |t| &t.values);
            let range = ends(of.weights.iter().chain(now));
            [histogram(&of.weights, range), histogram(now, range), histogram(&of.delays, ends(of.delays.iter()))]
        };
        Some((drawn, self.bars.get(&key, seen.wait, wake, make).0?.clone()))
    }

    /// The weights as they are now where they change, else those of the synapses that are looked at, with their delays.
    pub fn data(&mut self, seen: &Seen, about: &Arc<About>) -> Option<Table> {
        let at = self.at(about);
        about.plan.projections.get(at)?;
        let mut table = Table::default();
        let numbers = |all: &[f32]| Column::Numbers(all.iter().map(|x| f64::from(*x)).collect());
        if let Some(now) = seen.frame.weights.as_ref().filter(|w| w.projection == at) {
            table.add("weight", numbers(&now.values));
            return Some(table);
        }
        let drawn = self.drawn(seen, about, at, || {})?;
        table.add("weight", numbers(&drawn.weights));
        table.add("delay_ms", numbers(&drawn.delays));
        Some(table)
    }
}

/// What is told of weights that change.
fn now(frame: &Frame, about: &About, at: usize) -> String {
    if about.plan.projections[at].plastic.is_none() {
        return "these weights do not change".into();
    }
    match frame.weights.as_ref().filter(|w| w.projection == at) {
        Some(w) => format!("{} weights at {}", count(w.values.len() as u64), time(w.step as f64 * frame.dt)),
        None => "not read yet".into(),
    }
}

fn name(plan: &Plan, at: usize) -> String {
    let of = |p: &crate::plan::ProjectionPlan| {
        let changes = if p.plastic.is_some() { " (plastic)" } else { "" };
        format!("{}: {} -> {}{changes}", at + 1, plan.populations[p.source].name, plan.populations[p.target].name)
    };
    plan.projections.get(at).map_or(String::new(), of)
}

/// The synapses of so many sources, evenly chosen, as make about `MOST`.
fn drawn(plan: &Plan, at: usize) -> Drawn {
    let Some(p) = plan.projections.get(at) else { return Drawn::default() };
    let all = p.from.len();
    let every = (p.wiring.synapses() / MOST + 1).min(u64::from(all.max(1))) as u32;
    let sources: Vec<u32> = (0..all).step_by(every.max(1) as usize).map(|i| p.from.get(i)).collect();
    let mut out = Drawn { sources: (sources.len() as u32, all), ..Drawn::default() };
    let whole = Which::Range { start: 0, len: plan.populations[p.target].size };
    connections_of(plan, p, &Which::List(sources.into()), &whole, |c| {
        out.weights.push((f64::from(c.weight) / p.weight.quanta) as f32);
        out.delays.push((f64::from(c.delay) * plan.dt) as f32);
    });
    out
}

fn ends<'a>(values: impl Iterator<Item = &'a f32>) -> (f64, f64) {
    values.filter(|v| v.is_finite()).fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(f64::from(*v)), h.max(f64::from(*v))))
}

/// Between two ends; values that are all the same have a bar of their own.
fn histogram(values: &[f32], (low, high): (f64, f64)) -> Histogram {
    if values.is_empty() || low > high {
        return Histogram::default();
    }
    let width = ((high - low) / (BARS - 1) as f64).max(high.abs().max(1e-12) * 1e-3);
    let low = low - width / 2.0;
    let mut shares = vec![0.0; BARS];
    for v in values.iter().filter(|v| v.is_finite()) {
        if let Some(share) = shares.get_mut(((f64::from(*v) - low) / width) as usize) {
            *share += 1.0 / values.len() as f64;
        }
    }
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
    let square = values.iter().map(|v| (f64::from(*v) - mean) * (f64::from(*v) - mean)).sum::<f64>() / values.len() as f64;
    Histogram { low, width, shares, told: format!("mean {}, sd {}", number(mean), number(square.sqrt())) }
}

fn chart(ui: &mut Ui, id: &'static str, label: &str, all: Vec<(&str, Histogram, eframe::egui::Color32)>) {
    let told: Vec<String> = all.iter().map(|(name, h, _)| format!("{name}: {}", h.told)).collect();
    let told = format!("{label}, {}", told.join("; "));
    let alone = all.iter().all(|(_, h, _)| h.is_single());
    let (from, to) = all.iter().map(|(_, h, _)| h.span(alone)).fold((f64::MAX, f64::MIN), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let (from, to) = if from < to { (from, to) } else { (0.0, 1.0) };
    let shown = plot(id).legend(legend()).x_axis_label(label.to_string()).y_axis_label("share of the synapses").show(ui, |ui| {
        ui.set_plot_bounds_x(from..=to);
        for (name, h, tint) in all {
            let bar = |(i, share): (usize, &f64)| Bar::new(h.low + (i as f64 + 0.5) * h.width, *share).width(h.width);
            let bars = h.shares.iter().enumerate().filter(|(_, s)| **s > 0.0).map(bar).collect();
            ui.bar_chart(BarChart::new(format!("{name}: {}", h.told), bars).color(faint(tint)));
        }
    });
    shown.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &told));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_every_value_once_also_where_all_are_one() {
        let values = [1.0, 2.0, 2.0, 3.0, 5.0];
        let h = histogram(&values, ends(values.iter()));
        assert!((h.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12 && h.shares[0] > 0.19 && h.shares[BARS - 1] > 0.19);
        assert!((h.low + h.width / 2.0 - 1.0).abs() < 1e-9 && h.told.starts_with("mean 2.60"), "{}", h.told);
        let one = [-0.5; 7];
        let h = histogram(&one, ends(one.iter()));
        assert!((h.shares[0] - 1.0).abs() < 1e-6 && h.width > 0.0);
        assert!(histogram(&[], ends([].iter())).shares.is_empty());
        assert!(histogram(&[f32::NAN], ends([f32::NAN].iter())).shares.is_empty());
    }
}
