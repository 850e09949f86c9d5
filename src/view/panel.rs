//! The panels, and what each is given to draw: a frame of the simulation and what the person has chosen. A panel is a
//! function of these; what it asks for goes into a list of orders.

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui::{self, Color32, Ui};
use serde::{Deserialize, Serialize};

use super::panels::neuron::{FiCurve, PhasePlane};
use super::panels::space::{self, Space};
use super::panels::weights::Weights;
use super::panels::{journal, model, rates, statistics, traces};
use super::raster::{self, Raster};
use super::span::Span;
use crate::export::Table;
use crate::network::Population;
use crate::session::Command;
use crate::session::live::{About, Frame, Order};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Panel {
    Raster,
    Rates,
    Traces,
    Space,
    Intervals,
    Spectrum,
    Curve,
    Plane,
    Weights,
    Equations,
    Journal,
    About,
}

impl Panel {
    pub const ALL: [Panel; 12] = [
        Panel::Raster,
        Panel::Rates,
        Panel::Traces,
        Panel::Space,
        Panel::Intervals,
        Panel::Spectrum,
        Panel::Curve,
        Panel::Plane,
        Panel::Weights,
        Panel::Equations,
        Panel::Journal,
        Panel::About,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Panel::Raster => "Raster",
            Panel::Rates => "Rates",
            Panel::Traces => "Traces",
            Panel::Space => "Space",
            Panel::Intervals => "Intervals",
            Panel::Spectrum => "Spectrum",
            Panel::Curve => "f-I curve",
            Panel::Plane => "Phase plane",
            Panel::Weights => "Weights",
            Panel::Equations => "Equations",
            Panel::Journal => "Journal",
            Panel::About => "About",
        }
    }

    /// The word by which it is typed.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().position(|p| *p == self).and_then(|i| crate::scene::PANELS.get(i)).copied().unwrap_or("")
    }

    /// The panel of a name as it is typed: `raster`.
    pub fn named(name: &str) -> Option<Panel> {
        Self::ALL.into_iter().find(|p| p.name().eq_ignore_ascii_case(name))
    }

    /// Whether there are numbers behind it that can be saved.
    pub fn has_data(self) -> bool {
        !matches!(self, Panel::Equations | Panel::About)
    }
}

/// What a press of the pointer does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hand {
    /// Selects a membrane, and moves what is looked at.
    #[default]
    Look,
    /// Selects all neurons under the brush.
    Brush,
    /// Moves the membranes of all neurons under the brush.
    Poke,
}

/// What a person holds in the hand.
#[derive(Clone, Debug)]
pub struct Tools {
    pub hand: Hand,
    /// Of the brush, in points.
    pub radius: f32,
    /// What a poke adds to the membrane, mV.
    pub strength: f64,
    /// Neurons whose membranes are shown, of the network of this number.
    pub selected: Vec<u32>,
    /// Neurons that were brushed.
    pub brushed: BTreeSet<u32>,
    pub of: u64,
    /// The population of which a single neuron is looked at.
    pub population: usize,
}

impl Default for Tools {
    fn default() -> Self {
        let (hand, selected, brushed) = (Hand::Look, Vec::new(), BTreeSet::new());
        Self { hand, radius: 12.0, strength: 20.0, selected, brushed, of: 0, population: 0 }
    }
}

impl Tools {
    /// Adds a neuron to those whose membranes are shown, or takes it out.
    pub fn select(&mut self, neuron: u32) {
        match self.selected.iter().position(|n| *n == neuron) {
            Some(i) => _ = self.selected.remove(i),
            None => {
                if self.selected.len() >= 8 {
                    self.selected.remove(0);
                }
                self.selected.push(neuron);
            }
        }
    }

    /// The neurons that a person has in mind: those brushed, else those whose membranes are shown.
    pub fn meant(&self) -> Vec<u32> {
        if self.brushed.is_empty() { self.selected.clone() } else { self.brushed.iter().copied().collect() }
    }

    /// The orders that poke these neurons, in order of their numbers, where their models have a membrane in mV.
    pub fn poke(&self, about: &About, neurons: Vec<u32>) -> Vec<Order> {
        let one = |(p, (first, size)): (&Population, (u32, u32))| {
            let state = ["V_m", "V", "v"].iter().find_map(|n| p.model.states.iter().find(|s| s.name == *n))?;
            let mut ranges: Vec<[u32; 2]> = Vec::new();
            for n in neurons.iter().filter(|n| (first..first + size).contains(n)).map(|n| n - first) {
                match ranges.last_mut() {
                    Some(last) if last[1] == n => last[1] += 1,
                    _ => ranges.push([n, n + 1]),
                }
            }
            let (population, variable, add) = (p.name.clone(), state.name.clone(), format!("{} mV", self.strength));
            (!ranges.is_empty()).then_some(Order::Do(Command::Poke { population, neurons: ranges, variable, add }))
        };
        about.network.populations.iter().zip(about.ranges()).filter_map(one).collect()
    }
}

/// Everything that the panels keep between two frames.
#[derive(Default)]
pub struct Panels {
    pub span: Span,
    pub tools: Tools,
    pub raster: Raster,
    pub space: Space,
    pub intervals: statistics::Intervals,
    pub spectrum: statistics::Spectrum,
    pub curve: FiCurve,
    pub plane: PhasePlane,
    pub weights: Weights,
    traces: traces::Traces,
    /// Rates of an earlier time, kept to be compared with.
    pub ghost: Vec<Vec<[f64; 2]>>,
}

/// What a panel is given.
pub struct Seen<'a> {
    pub frame: &'a Frame,
    pub span: &'a mut Span,
    pub tools: &'a mut Tools,
    pub orders: &'a mut Vec<Order>,
    pub ghost: &'a mut Vec<Vec<[f64; 2]>>,
    /// The simulation runs: what is smoothed may take its time.
    pub moving: bool,
    pub now: f64,
    /// What takes a while is waited for: a picture has no second frame.
    pub wait: bool,
}

impl Seen<'_> {
    /// Mean rate of each population over the visible time, Hz.
    pub fn rates(&self, about: &About) -> Vec<f64> {
        let ranges = about.ranges();
        let bin = bin(self.frame.dt);
        let (from, to) = self.span.steps(self.frame);
        let (first, last) = (from.div_ceil(bin), to / bin);
        let mut sums = vec![0u64; ranges.len()];
        for chunk in self.frame.chunks(from, to) {
            let (start, counts) = chunk.counts(&ranges, bin);
            for (sum, counts) in sums.iter_mut().zip(counts) {
                let inside = |(k, _): &(usize, &u32)| (first..last).contains(&(start + *k as u64));
                *sum += counts.iter().enumerate().filter(inside).map(|(_, c)| u64::from(*c)).sum::<u64>();
            }
        }
        let oldest = self.frame.oldest() / bin;
        let seconds = (last.saturating_sub(first.max(oldest)) * bin) as f64 * self.frame.dt * 1e-3;
        sums.iter().zip(&ranges).map(|(s, r)| if seconds > 0.0 { *s as f64 / (f64::from(r.1.max(1)) * seconds) } else { 0.0 }).collect()
    }
}

/// Steps of a bin of about a millisecond.
pub fn bin(dt: f64) -> u64 {
    (1.0 / dt.max(1e-9)).round().max(1.0) as u64
}

impl Panels {
    /// Draws a panel. A picture `wait`s for what takes a while.
    pub fn show(&mut self, ui: &mut Ui, panel: Panel, frame: &Frame, orders: &mut Vec<Order>, wait: bool) {
        let moving = frame.phase == crate::session::live::Phase::Running;
        let now = ui.input(|i| i.time);
        let (span, tools, ghost) = (&mut self.span, &mut self.tools, &mut self.ghost);
        let mut seen = Seen { frame, span, tools, orders, ghost, moving, now, wait };
        if frame.about.is_none() {
            ui.centered_and_justified(|ui| ui.weak("nothing runs yet"));
            return;
        }
        match panel {
            Panel::Raster => self.raster.show(ui, &mut seen),
            Panel::Rates => rates::show(ui, &mut seen),
            Panel::Traces => traces::show(ui, &mut seen, &mut self.traces),
            Panel::Space => self.space.show(ui, &mut seen),
            Panel::Intervals => self.intervals.show(ui, &mut seen),
            Panel::Spectrum => self.spectrum.show(ui, &mut seen),
            Panel::Curve => self.curve.show(ui, &mut seen),
            Panel::Plane => self.plane.show(ui, &mut seen),
            Panel::Weights => self.weights.show(ui, &mut seen),
            Panel::Equations => model::equations(ui, &seen),
            Panel::Journal => journal::show(ui, &mut seen),
            Panel::About => model::about(ui, &seen),
        }
    }

    /// The numbers that a panel shows, where there are some.
    pub fn data(&mut self, panel: Panel, frame: &Frame) -> Option<Table> {
        let (span, tools, ghost) = (&mut self.span, &mut self.tools, &mut self.ghost);
        let seen = Seen { frame, span, tools, orders: &mut Vec::new(), ghost, moving: false, now: f64::MAX, wait: true };
        let about: Arc<About> = frame.about.clone()?;
        match panel {
            Panel::Raster => Some(raster::data(&seen)),
            Panel::Rates => Some(rates::data(&seen, &about)),
            Panel::Traces => Some(traces::data(&seen)),
            Panel::Intervals => Some(self.intervals.data(&seen, &about)),
            Panel::Spectrum => Some(self.spectrum.data(&seen, &about)),
            Panel::Curve => self.curve.data(&seen, &about),
            Panel::Plane => self.plane.data(&seen, &about),
            Panel::Weights => self.weights.data(&seen, &about),
            Panel::Journal => Some(journal::data(&seen)),
            Panel::Space => Some(space::data(&seen, &about)),
            Panel::Equations | Panel::About => None,
        }
    }
}

/// A plot as all panels draw them: bounds are given, labels are small.
pub fn plot<'a>(id: &'static str) -> egui_plot::Plot<'a> {
    egui_plot::Plot::new(id)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_x(false)
        .set_margin_fraction(egui::vec2(0.01, 0.05))
}

/// Lines with names, at most: the raster has the names and colours of all, and more would hide what they name.
const NAMED: usize = 5;

/// A plot with the names of so many lines, small, and the lines seen through; of very many none.
pub fn named<'a>(id: &'static str, lines: usize) -> egui_plot::Plot<'a> {
    if lines <= NAMED { plot(id).legend(legend()) } else { plot(id) }
}

/// Names of lines, small, and the lines seen through.
pub fn legend() -> egui_plot::Legend {
    egui_plot::Legend::default().text_style(egui::TextStyle::Small).background_alpha(0.4)
}

/// A line's colour, weaker.
pub fn faint(color: Color32) -> Color32 {
    color.gamma_multiply(0.35)
}

#[cfg(test)]
mod tests {
    use super::Panel;

    #[test]
    fn every_panel_has_the_name_that_scenes_use() {
        assert_eq!(Panel::ALL.len(), crate::scene::PANELS.len());
        for panel in Panel::ALL {
            assert_eq!(Panel::named(panel.name()), Some(panel));
        }
        assert_eq!([Panel::Space, Panel::Curve, Panel::Plane, Panel::Raster].map(Panel::name), ["space", "curve", "plane", "raster"]);
    }
}
