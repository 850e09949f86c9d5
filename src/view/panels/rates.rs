//! Rates of the populations in time, from the counts that every chunk keeps.

use eframe::egui::{Role, Ui, WidgetInfo};
use egui_plot::{Line, PlotPoints};

use crate::export::{Column, Table};
use crate::session::live::{About, Frame};
use crate::view::look::colour;
use crate::view::panel::{Panels, Seen, bin, faint, named};

/// Points of a line, at most.
const POINTS: u64 = 300;

pub fn show(ui: &mut Ui, seen: &mut Seen) {
    let Some(about) = seen.frame.about.clone() else { return };
    let dark = ui.visuals().dark_mode;
    let lines = lines(seen, &about);
    let (from, to) = seen.span.of(seen.frame);
    let most = lines.iter().chain(seen.ghost.iter()).flatten().map(|p| p[1]).fold(1.0, f64::max);
    let names: Vec<String> = about.network.populations.iter().map(|p| p.name.clone()).collect();
    let ghost = seen.ghost.clone();
    let shown = named("rates", names.len()).y_axis_label("spikes/s").x_axis_label("ms").show(ui, |ui| {
        ui.set_plot_bounds_x(from..=to);
        ui.set_plot_bounds_y(0.0..=most * 1.08);
        for (i, line) in ghost.into_iter().enumerate() {
            ui.line(Line::new("", PlotPoints::from(line)).color(faint(colour(dark, i))).width(1.0));
        }
        for (i, (line, name)) in lines.into_iter().zip(names).enumerate() {
            ui.line(Line::new(name, PlotPoints::from(line)).color(colour(dark, i)).width(1.5));
        }
    });
    shown.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Rates of the populations"));
    seen.span.gestures(ui, &shown.response, seen.frame);
}

/// For each population the rate in Hz in bins of the visible time: (middle of the bin in ms, rate).
pub fn lines(seen: &Seen, about: &About) -> Vec<Vec<[f64; 2]>> {
    let (ranges, bin, dt) = (about.ranges(), bin(seen.frame.dt), seen.frame.dt);
    let (from, to) = seen.span.steps(seen.frame);
    // Several bins make a point, always the same ones, so that a line does not tremble as it moves.
    let wide = ((to.saturating_sub(from)) / bin / POINTS).max(1).next_power_of_two();
    let (first, last) = ((from.max(seen.frame.oldest())).div_ceil(bin * wide), to / (bin * wide));
    if last <= first {
        return vec![Vec::new(); ranges.len()];
    }
    let mut sums = vec![vec![0u32; (last - first) as usize]; ranges.len()];
    for chunk in seen.frame.chunks(from, to) {
        let (start, counts) = chunk.counts(&ranges, bin);
        for (sums, counts) in sums.iter_mut().zip(counts) {
            for (k, count) in counts.iter().enumerate() {
                let point = (start + k as u64) / wide;
                if let Some(sum) = point.checked_sub(first).and_then(|i| sums.get_mut(i as usize)) {
                    *sum += count;
                }
            }
        }
    }
    let length = (bin * wide) as f64 * dt;
    let point = |size: u32, (k, sum): (usize, &u32)| {
        let middle = ((first + k as u64) as f64 + 0.5) * length;
        [middle, f64::from(*sum) / (f64::from(size.max(1)) * length * 1e-3)]
    };
    sums.iter().zip(&ranges).map(|(s, r)| s.iter().enumerate().map(|p| point(r.1, p)).collect()).collect()
}

pub fn data(seen: &Seen, about: &About) -> Table {
    let lines = lines(seen, about);
    let mut table = Table::default();
    table.add("time_ms", Column::Numbers(lines.first().into_iter().flatten().map(|p| p[0]).collect()));
    for (line, p) in lines.iter().zip(&about.network.populations) {
        table.add(format!("{}_Hz", p.name), Column::Numbers(line.iter().map(|p| p[1]).collect()));
    }
    table
}

/// The lines as they are seen now, to be kept as a ghost.
pub fn current(panels: &mut Panels, frame: &Frame, about: &About) -> Vec<Vec<[f64; 2]>> {
    let (span, tools, ghost) = (&mut panels.span, &mut panels.tools, &mut panels.ghost);
    lines(&Seen { frame, span, tools, orders: &mut Vec::new(), ghost, moving: false, now: 0.0, wait: false }, about)
}
