//! The panels, and what each is given to draw: a frame of the simulation and what the person has chosen. A panel is a
//! function of these; what it asks for goes into a list of orders.

use std::sync::Arc;

use eframe::egui::{self, Color32, Ui};
use serde::{Deserialize, Serialize};

use super::panels::{journal, model, rates, statistics, traces};
use super::raster::{self, Raster};
use super::span::Span;
use crate::session::Command;
use crate::session::live::{About, Frame, Order};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Panel {
    Raster,
    Rates,
    Traces,
    Intervals,
    Spectrum,
    Equations,
    Journal,
    About,
}

impl Panel {
    pub const ALL: [Panel; 8] =
        [Panel::Raster, Panel::Rates, Panel::Traces, Panel::Intervals, Panel::Spectrum, Panel::Equations, Panel::Journal, Panel::About];

    pub fn title(self) -> &'static str {
        match self {
            Panel::Raster => "Raster",
            Panel::Rates => "Rates",
            Panel::Traces => "Traces",
            Panel::Intervals => "Intervals",
            Panel::Spectrum => "Spectrum",
            Panel::Equations => "Equations",
            Panel::Journal => "Journal",
            Panel::About => "About",
        }
    }

    /// The panel of a name as it is typed: `raster`.
    pub fn named(name: &str) -> Option<Panel> {
        Self::ALL.into_iter().find(|p| p.title().eq_ignore_ascii_case(name))
    }
}

/// What a person holds in the hand.
#[derive(Clone, Debug)]
pub struct Tools {
    pub poking: bool,
    /// Of the brush, in points.
    pub radius: f32,
    /// What a poke adds to the membrane, mV.
    pub strength: f64,
    /// Neurons whose membranes are shown, of the network of this number.
    pub selected: Vec<u32>,
    pub of: u64,
}

impl Default for Tools {
    fn default() -> Self {
        Self { poking: false, radius: 12.0, strength: 20.0, selected: Vec::new(), of: 0 }
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

    /// The command that pokes neurons of a population, if its model has a membrane in mV.
    pub fn poke(&self, about: &About, population: usize, neurons: Vec<[u32; 2]>) -> Option<Command> {
        let p = about.network.populations.get(population)?;
        let state = ["V_m", "V", "v"].iter().find_map(|n| p.model.states.iter().find(|s| s.name == *n))?;
        let add = format!("{} mV", self.strength);
        (!neurons.is_empty()).then(|| Command::Poke { population: p.name.clone(), neurons, variable: state.name.clone(), add })
    }
}

/// Everything that the panels keep between two frames.
#[derive(Default)]
pub struct Panels {
    pub span: Span,
    pub tools: Tools,
    pub raster: Raster,
    pub intervals: statistics::Intervals,
    pub spectrum: statistics::Spectrum,
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
    /// Draws a panel.
    pub fn show(&mut self, ui: &mut Ui, panel: Panel, frame: &Frame, orders: &mut Vec<Order>) {
        let (raster, intervals, spectrum) = (&mut self.raster, &mut self.intervals, &mut self.spectrum);
        let moving = frame.phase == crate::session::live::Phase::Running;
        let now = ui.input(|i| i.time);
        let (span, tools, ghost) = (&mut self.span, &mut self.tools, &mut self.ghost);
        let mut seen = Seen { frame, span, tools, orders, ghost, moving, now };
        if frame.about.is_none() {
            ui.centered_and_justified(|ui| ui.weak("nothing runs yet"));
            return;
        }
        match panel {
            Panel::Raster => raster.show(ui, &mut seen),
            Panel::Rates => rates::show(ui, &mut seen),
            Panel::Traces => traces::show(ui, &mut seen),
            Panel::Intervals => intervals.show(ui, &mut seen),
            Panel::Spectrum => spectrum.show(ui, &mut seen),
            Panel::Equations => model::equations(ui, &seen),
            Panel::Journal => journal::show(ui, &mut seen),
            Panel::About => model::about(ui, &seen),
        }
    }

    /// The data that a panel shows, as CSV.
    pub fn csv(&mut self, panel: Panel, frame: &Frame) -> Option<String> {
        let (intervals, spectrum) = (&mut self.intervals, &mut self.spectrum);
        let (span, tools, ghost) = (&mut self.span, &mut self.tools, &mut self.ghost);
        let seen = Seen { frame, span, tools, orders: &mut Vec::new(), ghost, moving: false, now: f64::MAX };
        let about: Arc<About> = frame.about.clone()?;
        match panel {
            Panel::Raster => Some(raster::csv(&seen)),
            Panel::Rates => Some(rates::csv(&seen, &about)),
            Panel::Traces => Some(traces::csv(&seen)),
            Panel::Intervals => Some(intervals.csv(&seen, &about)),
            Panel::Spectrum => Some(spectrum.csv(&seen, &about)),
            Panel::Journal => Some(journal::csv(&seen)),
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

/// A line's colour, weaker.
pub fn faint(color: Color32) -> Color32 {
    color.gamma_multiply(0.35)
}
