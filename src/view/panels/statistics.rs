//! Intervals between spikes, their variation, and the spectrum of the populations, over the visible time. Computed a few
//! times a second, and only while they are looked at.

use std::sync::Arc;

use eframe::egui::{Role, Ui, WidgetInfo};
use egui_plot::{Bar, BarChart, Line, PlotPoints};

use crate::export::{Column, Table};
use crate::plan::Spike;
use crate::record::spectrum;
use crate::session::live::{About, Chunk};
use crate::view::later::Later;
use crate::view::look::{colour, number};
use crate::view::panel::{Seen, bin, faint, named};

/// Seconds between two computations.
const EVERY: f64 = 0.25;
/// Spikes that are looked at, at most: the last ones.
const MOST: usize = 2_000_000;
/// Bars of a histogram.
const BARS: usize = 40;

/// Histograms of one population.
#[derive(Clone, Default)]
struct Shape {
    /// Share of the intervals in bars from 0 to `longest`.
    intervals: Vec<f64>,
    /// Share of the neurons in bars of CV from 0 to 2.
    cv: Vec<f64>,
    mean_cv: f64,
    neurons: u32,
}

/// Of all populations, and where the bars of the intervals end, ms.
#[derive(Clone, Default)]
struct Shapes {
    longest: f64,
    of: Vec<Shape>,
}

/// What is asked for: the network, and the time in sight; while it moves, a moment of the window's clock.
type Moment = (u64, u64, u64);

/// What is gathered of a neuron: the step of its last spike, its intervals, their sum and the sum of their squares.
#[derive(Clone, Copy, Default)]
struct Each(u32, u32, f64, f64);

/// They go through very many spikes, so they are computed beside the window.
#[derive(Default)]
pub struct Intervals {
    found: Later<Moment, Shapes>,
}

impl Intervals {
    pub fn show(&mut self, ui: &mut Ui, seen: &mut Seen) {
        let Some(about) = seen.frame.about.clone() else { return };
        let ctx = ui.ctx().clone();
        let Some(Shapes { of: shapes, longest }) = self.shapes(seen, &about, move || ctx.request_repaint()) else {
            ui.weak("counting...");
            return;
        };
        let (shapes, longest) = (&shapes, longest);
        let dark = ui.visuals().dark_mode;
        let names: Vec<String> = about.network.populations.iter().map(|p| p.name.clone()).collect();
        ui.columns(2, |columns| {
            let chart = |ui: &mut Ui, id, label: &str, most: f64, of: &dyn Fn(&Shape) -> Vec<f64>, name: &dyn Fn(usize) -> String| {
                let top = shapes.iter().flat_map(of).fold(1e-3, f64::max);
                let charts: Vec<BarChart> = shapes
                    .iter()
                    .enumerate()
                    .filter(|(_, s)| s.neurons > 0)
                    .map(|(i, s)| {
                        let width = most / BARS as f64;
                        let bars = of(s).iter().enumerate().map(|(k, h)| Bar::new((k as f64 + 0.5) * width, *h).width(width)).collect();
                        BarChart::new(name(i), bars).color(faint(colour(dark, i)))
                    })
                    .collect();
                let shown = named(id, shapes.len()).x_axis_label(label.to_string()).show(ui, |ui| {
                    ui.set_plot_bounds_x(0.0..=most);
                    ui.set_plot_bounds_y(0.0..=top * 1.05);
                    charts.into_iter().for_each(|c| ui.bar_chart(c));
                });
                let told: Vec<String> = (0..shapes.len()).filter(|i| shapes[*i].neurons > 0).map(name).collect();
                let told = format!("{label}; {}", told.join(", "));
                shown.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &told));
                shown.response.on_hover_text(told);
            };
            chart(&mut columns[0], "isi", "interval (ms)", longest.max(1.0), &|s| s.intervals.clone(), &|i| names[i].clone());
            let with_cv = |i: usize| format!("{}: mean CV {}", names[i], number(shapes[i].mean_cv));
            chart(&mut columns[1], "cv", "CV of the intervals", 2.0, &|s| s.cv.clone(), &with_cv);
        });
    }

    fn shapes(&mut self, seen: &Seen, about: &Arc<About>, wake: impl FnOnce() + Send + 'static) -> Option<Shapes> {
        let (from, to) = seen.span.steps(seen.frame);
        let moment = if seen.moving && !seen.wait { ((seen.now / EVERY) as u64, u64::MAX) } else { (from, to) };
        let (chunks, about) = (seen.frame.chunks(from, to).to_vec(), about.clone());
        let (key, dt) = ((seen.frame.generation, moment.0, moment.1), seen.frame.dt);
        let make = move || shapes(&chunks, &about.ranges(), (from, to), dt);
        let found = self.found.get(&key, seen.wait, wake, make).0?;
        // What is known may still be of another network.
        (found.of.len() == seen.frame.about.as_ref()?.network.populations.len()).then(|| found.clone())
    }

    pub fn data(&mut self, seen: &Seen, about: &Arc<About>) -> Table {
        let shapes = self.shapes(seen, about, || {}).unwrap_or_default();
        let middles = |most: f64| Column::Numbers((0..BARS).map(|k| (k as f64 + 0.5) / BARS as f64 * most).collect());
        let mut table = Table::default();
        table.add("interval_ms", middles(shapes.longest));
        table.add("cv", middles(2.0));
        for (shape, p) in shapes.of.iter().zip(&about.network.populations) {
            table.add(format!("{}_intervals", p.name), Column::Numbers(shape.intervals.clone()));
            table.add(format!("{}_cv", p.name), Column::Numbers(shape.cv.clone()));
        }
        table
    }
}

/// Neurons that are gathered at a time: what is kept of them stays in the nearest caches.
const BLOCK: usize = 4096;

/// From the spikes of the steps (from, to]; of very many the last. Costs the spikes, whatever the number of neurons: blocks of
/// neurons are gone through one after the other.
fn shapes(chunks: &[Arc<Chunk>], ranges: &[(u32, u32)], (mut from, to): (u64, u64), dt: f64) -> Shapes {
    let neurons = ranges.last().map_or(0, |r| r.0 + r.1);
    let mut count = 0;
    for chunk in chunks.iter().rev() {
        count += chunk.spikes.len();
        if count > MOST {
            from = from.max(chunk.to);
            break;
        }
    }
    let (mut all, mut cvs): (Vec<Vec<f32>>, Vec<Vec<f64>>) = (vec![Vec::new(); ranges.len()], vec![Vec::new(); ranges.len()]);
    let population = |neuron: u32| ranges.partition_point(|r| r.0 <= neuron).saturating_sub(1);
    let (mut each, mut fired) = ([Each::default(); BLOCK], Vec::new());
    for block in blocks(chunks, (from, to), neurons) {
        for spike in &block {
            let n = &mut each[spike.neuron as usize % BLOCK];
            if n.0 > 0 {
                let interval = f64::from(spike.step - n.0) * dt;
                (n.1, n.2, n.3) = (n.1 + 1, n.2 + interval, n.3 + interval * interval);
                all[population(spike.neuron)].push(interval as f32);
            } else {
                fired.push(spike.neuron);
            }
            n.0 = spike.step;
        }
        for neuron in fired.drain(..) {
            let n = std::mem::take(&mut each[neuron as usize % BLOCK]);
            if n.1 >= 2 {
                let (count, mean) = (f64::from(n.1), n.2 / f64::from(n.1));
                cvs[population(neuron)].push((n.3 / count - mean * mean).max(0.0).sqrt() / mean);
            }
        }
    }
    // The bars reach to the 98th percentile of the population with the longest intervals.
    let far = |list: &mut Vec<f32>| {
        let k = (list.len() * 98 / 100).min(list.len().saturating_sub(1));
        if list.is_empty() { 0.0 } else { f64::from(*list.select_nth_unstable_by(k, f32::total_cmp).1) }
    };
    let longest = all.iter_mut().map(far).fold(0.0, f64::max).max(2.0 * dt);
    let histogram = |values: &mut dyn Iterator<Item = f64>, most: f64| {
        let mut bars = vec![0.0; BARS];
        let mut total = 0.0;
        for v in values {
            total += 1.0;
            if let Some(bar) = bars.get_mut((v / most * BARS as f64) as usize) {
                *bar += 1.0;
            }
        }
        bars.iter().map(|b| b / f64::max(total, 1.0)).collect::<Vec<f64>>()
    };
    let shape = |(list, cv): (&Vec<f32>, &Vec<f64>)| Shape {
        intervals: histogram(&mut list.iter().map(|x| f64::from(*x)), longest),
        mean_cv: cv.iter().sum::<f64>() / cv.len() as f64,
        neurons: cv.len() as u32,
        cv: histogram(&mut cv.iter().copied(), 2.0),
    };
    Shapes { longest, of: all.iter().zip(&cvs).map(shape).collect() }
}

/// The spikes of the steps (from, to] by blocks of neurons, each in the order of time.
fn blocks(chunks: &[Arc<Chunk>], (from, to): (u64, u64), neurons: u32) -> Vec<Vec<Spike>> {
    let all = || chunks.iter().flat_map(|c| c.within(from, to)).filter(|s| s.neuron < neurons);
    let mut sizes = vec![0; (neurons as usize).div_ceil(BLOCK)];
    all().for_each(|s| sizes[s.neuron as usize / BLOCK] += 1);
    let mut blocks: Vec<Vec<Spike>> = sizes.into_iter().map(Vec::with_capacity).collect();
    all().for_each(|s| blocks[s.neuron as usize / BLOCK].push(*s));
    blocks
}

#[derive(Default)]
pub struct Spectrum {
    at: Option<f64>,
    /// By population: frequency in Hz, power relative to the mean.
    lines: Vec<Vec<[f64; 2]>>,
}

impl Spectrum {
    pub fn show(&mut self, ui: &mut Ui, seen: &mut Seen) {
        let Some(about) = seen.frame.about.clone() else { return };
        self.compute(seen, &about);
        let dark = ui.visuals().dark_mode;
        let names: Vec<String> = about.network.populations.iter().map(|p| p.name.clone()).collect();
        let lines = self.lines.clone();
        if lines.iter().all(Vec::is_empty) {
            ui.centered_and_justified(|ui| ui.weak("a spectrum takes 64 ms of visible time with spikes"));
            return;
        }
        let most = lines.iter().flatten().map(|p| p[1]).fold(1e-9, f64::max);
        let label = "log10 of power";
        let shown = named("spectrum", names.len()).x_axis_label("Hz").y_axis_label(label).show(ui, |ui| {
            ui.set_plot_bounds_x(0.0..=300.0);
            for (i, (line, name)) in lines.into_iter().zip(names).enumerate() {
                let line: Vec<[f64; 2]> = line.into_iter().filter(|p| p[1] > 0.0).map(|p| [p[0], (p[1] / most).log10()]).collect();
                ui.line(Line::new(name, PlotPoints::from(line)).color(colour(dark, i)).width(1.5));
            }
        });
        shown.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Spectrum of the populations"));
    }

    fn compute(&mut self, seen: &Seen, about: &About) {
        if self.at.is_some_and(|at| (0.0..EVERY).contains(&(seen.now - at))) && self.lines.len() == about.network.populations.len() {
            return;
        }
        self.at = Some(seen.now);
        let (ranges, bin) = (about.ranges(), bin(seen.frame.dt));
        let (from, to) = seen.span.steps(seen.frame);
        let (first, last) = (from.max(seen.frame.oldest()).div_ceil(bin), to / bin);
        let mut counts = vec![vec![0.0; last.saturating_sub(first) as usize]; ranges.len()];
        for chunk in seen.frame.chunks(from, to) {
            let (start, chunk) = chunk.counts(&ranges, bin);
            for (sums, counts) in counts.iter_mut().zip(chunk) {
                for (k, count) in counts.iter().enumerate() {
                    if let Some(sum) = (start + k as u64).checked_sub(first).and_then(|i| sums.get_mut(i as usize)) {
                        *sum += f64::from(*count);
                    }
                }
            }
        }
        let length = bin as f64 * seen.frame.dt;
        let line = |counts: &Vec<f64>| {
            let n = (512.0 / length) as usize;
            let (n, power) = spectrum(counts, n);
            power.iter().enumerate().skip(1).map(|(k, p)| [k as f64 / (n as f64 * length) * 1e3, *p]).collect()
        };
        self.lines = counts.iter().map(line).collect();
    }

    pub fn data(&mut self, seen: &Seen, about: &About) -> Table {
        self.at = None;
        self.compute(seen, about);
        let mut table = Table::default();
        let longest = self.lines.iter().max_by_key(|l| l.len());
        table.add("frequency_Hz", Column::Numbers(longest.into_iter().flatten().map(|p| p[0]).collect()));
        for (line, p) in self.lines.iter().zip(&about.network.populations) {
            table.add(format!("{}_power", p.name), Column::Numbers(line.iter().map(|p| p[1]).collect()));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Harvest;
    use crate::session::live::History;

    #[test]
    fn intervals_and_their_variation_are_those_of_the_spikes_in_sight() {
        let spikes: Vec<Spike> =
            [(10, 0), (15, 3), (20, 0), (30, 0), (40, 3), (45, 3), (50, 0), (60, 1)].map(|(step, neuron)| Spike { step, neuron }).into();
        // Also where they are far apart, in blocks of their own.
        for far in [0, 3 * BLOCK as u32] {
            let spikes = spikes.iter().map(|s| Spike { neuron: s.neuron + if s.neuron == 3 { far } else { 0 }, ..*s }).collect();
            let mut history = History::default();
            history.take(Harvest { from: 0, to: 100, spikes, ..Harvest::default() }, &Arc::from([]), usize::MAX);
            let found = shapes(&history.chunks(), &[(0, 3), (3, 2 + far)], (0, 100), 0.1);
            // Neuron 0: 1, 1 and 2 ms; neuron 3: 2.5 and 0.5 ms; neuron 1 has one spike and no interval.
            assert_eq!((found.longest, found.of[0].neurons, found.of[1].neurons), (2.5, 1, 1));
            let cv = |all: &[f64]| {
                let mean = all.iter().sum::<f64>() / all.len() as f64;
                (all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt() / mean
            };
            assert!((found.of[0].mean_cv - cv(&[1.0, 1.0, 2.0])).abs() < 1e-12);
            assert!((found.of[1].mean_cv - cv(&[2.5, 0.5])).abs() < 1e-12);
            assert!((found.of[0].intervals.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
