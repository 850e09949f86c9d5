//! The raster: every spike of the network, as density where there are more spikes than pixels, else as ticks.

use std::sync::Arc;

use eframe::egui::epaint::{Mesh, Vertex, WHITE_UV};
use eframe::egui::{
    Align2, Color32, ColorImage, Pos2, Rect, Response, Role, Sense, Stroke, TextureHandle, TextureId, TextureOptions, Ui, WidgetInfo, pos2,
    vec2,
};

use super::density::{Density, Sight};
use super::device::OnDevice;
use super::later::Later;
use super::look::{colour, count, number, small};
use super::panel::{Hand, Seen};
use super::rows::{Choice, Rows};
use super::tally::Paint;
use crate::export::{Column, Table};
use crate::plan::Spike;
use crate::session::live::{About, Chunk};

/// Room for names on the left and for times below.
const LEFT: f32 = 96.0;
const BELOW: f32 = 20.0;
/// Points from which rows are high enough for single ticks.
const TALL: f32 = 1.9;
/// Neurons that are sorted within a frame, at most.
const AT_ONCE: u32 = 100_000;

#[derive(Default)]
pub struct Raster {
    pub choice: Choice,
    /// Upper and lower edge of what is seen, 0 to 1.
    pub heights: Option<(f32, f32)>,
    rows: Arc<Rows>,
    sorting: Later<(u64, Choice), Arc<Rows>>,
    of: Option<(u64, Choice)>,
    version: u64,
    density: Density,
    /// Where the device that paints counts, if it can.
    pub device: Option<OnDevice>,
    /// It did so for what was drawn last.
    pub on_device: bool,
    texture: Option<TextureHandle>,
    exposure: f32,
    /// Where it was drawn last, and whether as ticks.
    pub area: Option<Rect>,
    pub ticks: bool,
    /// Where the brush has poked last, while it is drawn along.
    poked: Option<Pos2>,
}

impl Raster {
    pub fn show(&mut self, ui: &mut Ui, seen: &mut Seen) {
        let Some(about) = seen.frame.about.clone() else { return };
        self.arrange(ui, seen, &about);
        let (response, painter) = ui.allocate_painter(ui.available_size().max(vec2(160.0, 60.0)), Sense::click_and_drag());
        let rect = Rect::from_min_max(response.rect.min + vec2(LEFT, 4.0), response.rect.max - vec2(8.0, BELOW));
        let dark = ui.visuals().dark_mode;
        painter.rect_filled(rect, 0.0, ui.visuals().extreme_bg_color);
        let ends = self.heights.unwrap_or((0.0, 1.0));
        let sight = sight(seen, rect, ends, ui.ctx().pixels_per_point());
        let clip = painter.with_clip_rect(rect);
        // Rows too low for ticks need no spike by itself: they are counted where they are painted.
        let tall = self.rows.finest() / (ends.1 - ends.0) * rect.height() >= TALL;
        let drawn = if tall { None } else { self.by_device(ui, seen, sight, dark) };
        self.on_device = drawn.is_some();
        let spikes = if let Some((texture, part)) = drawn {
            self.ticks = false;
            clip.image(texture, place(seen, rect, sight), part, Color32::WHITE);
            let (from, to) = seen.span.steps(seen.frame);
            seen.frame.chunks(from, to).iter().map(|c| c.within(from, to).len() as u64).sum()
        } else {
            self.density.update(seen.frame, &self.rows, self.version, sight);
            self.ticks = tall && self.density.ticks().is_some();
            if self.ticks {
                let mesh = self.marks(seen, rect, ends, dark);
                clip.add(mesh);
            } else if let Some(texture) = self.picture(ui, seen, sight, dark) {
                clip.image(texture, place(seen, rect, sight), Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
            }
            self.density.total()
        };
        self.names(ui, &painter, seen, &about, rect, ends);
        times(&painter, seen, rect, ui.visuals().weak_text_color());
        self.area = Some(rect);
        self.gestures(ui, &response, seen, &about, rect, ends);
        let told = format!("Raster of {} neurons, {spikes} spikes in sight", about.neurons());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &told));
    }

    /// Chooses the rows anew where network or choice have changed. What is to be sorted and large is so beside the window, and the
    /// rows of before are shown until then.
    fn arrange(&mut self, ui: &Ui, seen: &Seen, about: &Arc<About>) {
        let of = (seen.frame.generation, self.choice.clone());
        if self.of.as_ref() == Some(&of) {
            return;
        }
        let (from, to) = seen.span.steps(seen.frame);
        let (chunks, network, choice) = (seen.frame.chunks(from, to).to_vec(), about.clone(), self.choice.clone());
        let make = move || Arc::new(arranged(&network, &choice, &chunks, (from, to)));
        let sorted = matches!(self.choice, Choice::ByRate | Choice::ByPlace);
        if sorted && about.neurons() > AT_ONCE && !seen.wait {
            let ctx = ui.ctx().clone();
            match self.sorting.get(&of, false, move || ctx.request_repaint(), make) {
                (Some(rows), true) => self.rows = rows.clone(),
                _ if self.of.as_ref().is_some_and(|known| known.0 == of.0) => return,
                // Of another network nothing can be shown.
                _ => {
                    self.rows = Arc::new(arranged(about, &Choice::All, &[], (from, to)));
                    self.version += 1;
                    return self.of = Some((of.0, Choice::All));
                }
            }
        } else {
            self.rows = make();
        }
        self.version += 1;
        self.of = Some(of);
    }

    fn marks(&self, seen: &Seen, rect: Rect, ends: (f32, f32), dark: bool) -> Mesh {
        let (t0, t1) = seen.span.of(seen.frame);
        let scale = f64::from(rect.width()) / (t1 - t0);
        let mut mesh = Mesh::default();
        for spike in self.density.ticks().into_iter().flatten() {
            let Some(h) = self.rows.height(spike.neuron) else { continue };
            let Some(band) = self.rows.band(h) else { continue };
            let tall = (band.height / band.shown.len() as f32 / (ends.1 - ends.0) * rect.height() * 0.8).clamp(1.5, 14.0);
            let x = rect.left() + ((f64::from(spike.step) * seen.frame.dt - t0) * scale) as f32;
            let y = rect.top() + (h - ends.0) / (ends.1 - ends.0) * rect.height();
            if x >= rect.left() {
                quad(&mut mesh, Rect::from_center_size(pos2(x, y), vec2(1.6, tall)), colour(dark, band.population));
            }
        }
        mesh
    }

    /// The density as the device counts and draws it, and the part of the texture that is used.
    fn by_device(&mut self, ui: &Ui, seen: &Seen, sight: Sight, dark: bool) -> Option<(TextureId, Rect)> {
        let device = self.device.as_mut().filter(|d| d.wished)?;
        let word = |c: Color32| u32::from_le_bytes(c.to_array());
        let tints: Vec<u32> = populations(&self.rows, sight).map(|p| p.map_or(0, |p| word(colour(dark, p)))).collect();
        let paint = Paint { tints: &tints, ground: word(ui.visuals().extreme_bg_color), moving: seen.moving };
        device.density(seen.frame, &self.rows, self.version, sight, &paint)
    }

    /// The density as a texture.
    fn picture(&mut self, ui: &Ui, seen: &Seen, sight: Sight, dark: bool) -> Option<TextureId> {
        let mean = self.density.mean();
        self.exposure = if self.exposure == 0.0 || !seen.moving { mean } else { self.exposure + 0.1 * (mean - self.exposure) };
        let image = self.tones(sight, ui.visuals().extreme_bg_color, dark);
        match &mut self.texture {
            Some(texture) => texture.set(image, TextureOptions::NEAREST),
            none => *none = Some(ui.ctx().load_texture("raster", image, TextureOptions::NEAREST)),
        }
        self.texture.as_ref().map(TextureHandle::id)
    }

    /// Counts become tones: 1 - exp(-count / mean), in the colour of the population.
    fn tones(&self, sight: Sight, ground: Color32, dark: bool) -> ColorImage {
        let k = 1.2 / self.exposure.max(0.3);
        let all = self.rows.bands.iter().map(|b| b.population + 1).max().unwrap_or(0);
        let table: Vec<[Color32; 64]> = (0..all)
            .map(|p| {
                std::array::from_fn(|c| {
                    ground.lerp_to_gamma(colour(dark, p), if c == 0 { 0.0 } else { 0.15 + 0.85 * (1.0 - (-(c as f32) * k).exp()) })
                })
            })
            .collect();
        let mut pixels = Vec::with_capacity(sight.columns * sight.rows);
        for (row, population) in populations(&self.rows, sight).enumerate() {
            match population {
                Some(p) => pixels.extend(self.density.row(row).map(|c| table[p][(c as usize).min(63)])),
                None => pixels.extend(std::iter::repeat_n(ground, sight.columns)),
            }
        }
        pixels.resize(sight.columns * sight.rows, ground);
        ColorImage::new([sight.columns, sight.rows], pixels)
    }

    fn names(&self, ui: &Ui, painter: &eframe::egui::Painter, seen: &Seen, about: &About, rect: Rect, ends: (f32, f32)) {
        let dark = ui.visuals().dark_mode;
        let rates = seen.rates(about);
        for band in &self.rows.bands {
            let y = |h: f32| rect.top() + (h - ends.0) / (ends.1 - ends.0) * rect.height();
            let (top, bottom) = (y(band.top).max(rect.top()), y(band.top + band.height).min(rect.bottom()));
            if bottom - top < 2.0 {
                continue;
            }
            let tint = colour(dark, band.population);
            let bar = Rect::from_min_max(pos2(rect.left() - 5.0, top), pos2(rect.left() - 2.0, bottom));
            painter.rect_filled(bar, 1.0, tint);
            let name = about.network.populations.get(band.population).map_or("", |p| p.name.as_str());
            let middle = pos2(rect.left() - 10.0, (top + bottom) / 2.0);
            if bottom - top > 30.0 {
                painter.text(middle - vec2(0.0, 7.0), Align2::RIGHT_CENTER, name, eframe::egui::FontId::proportional(13.0), tint);
                let rate = rates.get(band.population).map_or(String::new(), |r| format!("{} spikes/s", number(*r)));
                painter.text(middle + vec2(0.0, 7.0), Align2::RIGHT_CENTER, rate, small(), ui.visuals().weak_text_color());
            } else if bottom - top > 10.0 {
                let rate = rates.get(band.population).map_or(String::new(), |r| number(*r));
                painter.text(middle, Align2::RIGHT_CENTER, format!("{name}  {rate}"), small(), tint);
            }
        }
    }

    fn gestures(&mut self, ui: &Ui, response: &Response, seen: &mut Seen, about: &About, rect: Rect, ends: (f32, f32)) {
        let inside = |p: Pos2| rect.contains(p);
        let height = |p: Pos2| ends.0 + (p.y - rect.top()) / rect.height() * (ends.1 - ends.0);
        let pointer = response.interact_pointer_pos().or(response.hover_pos());
        if seen.tools.hand != Hand::Look {
            let pressed = response.interact_pointer_pos().filter(|p| inside(*p));
            let pressing = response.clicked() || response.dragged();
            let near = |p: Pos2| self.near(height(p), seen.tools.radius * (ends.1 - ends.0) / rect.height());
            match (seen.tools.hand, pressed) {
                // A hand that rests pokes once.
                (Hand::Poke, Some(p)) if pressing && self.poked.is_none_or(|q| (q - p).length() > seen.tools.radius) => {
                    let orders = seen.tools.poke(about, near(p));
                    seen.orders.extend(orders);
                    self.poked = Some(p);
                }
                (Hand::Brush, Some(p)) if pressing => {
                    let near = near(p);
                    seen.tools.brushed.extend(near);
                }
                _ => {}
            }
            if !response.dragged() {
                self.poked = None;
            }
        } else {
            let mut time = response.clone();
            time.rect = rect;
            seen.span.gestures(ui, &time, seen.frame);
            if response.dragged() && self.heights.is_some() {
                self.shift(-response.drag_delta().y / rect.height() * (ends.1 - ends.0));
            }
            if response.double_clicked() {
                self.heights = None;
            } else if let Some((neuron, _)) = pointer.filter(|p| inside(*p) && response.clicked()).and_then(|p| self.rows.at(height(p))) {
                seen.tools.select(neuron);
            }
        }
        let Some(p) = response.hover_pos().filter(|p| inside(*p)) else { return };
        let scroll = ui.input(|i| if i.modifiers.shift { i.smooth_scroll_delta().y + i.smooth_scroll_delta().x } else { 0.0 });
        if scroll != 0.0 {
            self.zoom((-scroll * 0.004).exp(), height(p));
        }
        if let Some((neuron, population)) = self.rows.at(height(p)) {
            let p = &about.network.populations[population];
            let first = about.ranges()[population].0;
            let size = count(u64::from(p.size));
            response.show_tooltip_text(format!("{}[{}] of {size}", p.name, neuron - first));
        }
    }

    /// Zooms the rows by a factor around a height.
    pub fn zoom(&mut self, factor: f32, at: f32) {
        let (low, high) = self.heights.unwrap_or((0.0, 1.0));
        let length = ((high - low) * factor).clamp(1e-6, 1.0);
        let low = (at - (at - low) / (high - low) * length).clamp(0.0, 1.0 - length);
        self.heights = (length < 0.999).then_some((low, low + length));
    }

    /// Moves the rows by a part of the whole height, where not all are in sight.
    pub fn shift(&mut self, by: f32) {
        if let Some((low, high)) = self.heights {
            let low = (low + by).clamp(0.0, 1.0 - (high - low));
            self.heights = Some((low, low + (self.heights.map_or(1.0, |h| h.1 - h.0))));
        }
    }

    /// The shown neurons within a reach of a height: at least the one that is there.
    fn near(&self, height: f32, reach: f32) -> Vec<u32> {
        let bands = self.rows.bands.iter().filter(|b| b.top - reach <= height && height <= b.top + b.height + reach);
        let close = |n: &u32| self.rows.height(*n).is_some_and(|h| (h - height).abs() <= reach);
        let mut hit: Vec<u32> = bands.flat_map(|b| b.shown.iter().copied().filter(close)).collect();
        if hit.is_empty() {
            hit.extend(self.rows.at(height).map(|(n, _)| n));
        }
        hit.sort_unstable();
        hit
    }

    /// Counts on the device that paints, or on the processor.
    pub fn change_device(&mut self) {
        if let Some(device) = &mut self.device {
            device.wished = !device.wished;
        }
    }

    /// Chooses which neurons are shown.
    pub fn choose(&mut self, choice: Choice) {
        (self.choice, self.heights) = (choice, None);
    }

    /// The counts that were drawn last as density: by row from the top, oldest column first; and what they are of.
    pub fn counts(&self) -> Option<(Sight, Vec<Vec<u32>>)> {
        if self.on_device {
            return self.device.as_ref()?.counts();
        }
        let sight = self.density.sight()?;
        Some((sight, (0..sight.rows).map(|r| self.density.row(r).collect()).collect()))
    }

    /// Height of a neuron's middle, if it is shown.
    pub fn height(&self, neuron: u32) -> Option<f32> {
        self.rows.height(neuron)
    }
}

pub fn quad(mesh: &mut Mesh, rect: Rect, color: Color32) {
    let first = mesh.vertices.len() as u32;
    let corners = [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom()];
    mesh.vertices.extend(corners.map(|pos| Vertex { pos, uv: WHITE_UV, color }));
    mesh.indices.extend([0, 1, 2, 0, 2, 3].map(|i| first + i));
}

fn arranged(about: &About, choice: &Choice, chunks: &[Arc<Chunk>], (from, to): (u64, u64)) -> Rows {
    let ranges = about.ranges();
    let place = |n: u32| {
        let p = ranges.partition_point(|r| r.0 <= n).checked_sub(1)?;
        about.sheets.get(p)?.as_ref().map(|s| s.position(n - ranges[p].0))
    };
    Rows::new(&ranges, choice, chunks.iter().flat_map(|c| c.within(from, to)), &place)
}

/// The population of each row of pixels; none between two bands.
fn populations(rows: &Rows, sight: Sight) -> impl Iterator<Item = Option<usize>> + '_ {
    let height = move |row: usize| sight.low + (row as f32 + 0.5) / sight.rows as f32 * (sight.high - sight.low);
    (0..sight.rows).map(move |row| rows.band(height(row)).map(|b| b.population))
}

/// Where the columns of a sight are drawn.
fn place(seen: &Seen, rect: Rect, sight: Sight) -> Rect {
    let (t0, t1) = seen.span.of(seen.frame);
    let x = |column: u64| rect.left() + (((column * sight.per) as f64 * seen.frame.dt - t0) / (t1 - t0)) as f32 * rect.width();
    Rect::from_min_max(pos2(x(sight.first), rect.top()), pos2(x(sight.first + sight.columns as u64), rect.bottom()))
}

/// What the density is made of: columns of whole steps, a pixel wide at least.
fn sight(seen: &Seen, rect: Rect, ends: (f32, f32), pixels: f32) -> Sight {
    let (t0, t1) = seen.span.of(seen.frame);
    let dt = seen.frame.dt;
    let per = (((t1 - t0) / dt) / f64::from(rect.width() * pixels)).ceil().max(1.0) as u64;
    // It ends with the newest step; a part of a column at the right is left to be filled.
    let last = (t1 / dt / per as f64).ceil().max(1.0) as u64;
    let columns = (((t1 - t0) / dt / per as f64).ceil() as usize).clamp(1, 4096);
    Sight {
        first: last.saturating_sub(columns as u64),
        per,
        columns,
        rows: ((rect.height() * pixels) as usize).clamp(1, 2160),
        low: ends.0,
        high: ends.1,
    }
}

/// Marks of time below a panel.
pub fn times(painter: &eframe::egui::Painter, seen: &Seen, rect: Rect, ink: Color32) {
    let (t0, t1) = seen.span.of(seen.frame);
    let rough = (t1 - t0) / f64::from((rect.width() / 90.0).max(1.0));
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(rough);
    let mut t = (t0 / step).ceil() * step;
    while t <= t1 {
        let x = rect.left() + ((t - t0) / (t1 - t0)) as f32 * rect.width();
        painter.line_segment([pos2(x, rect.bottom()), pos2(x, rect.bottom() + 4.0)], Stroke::new(1.0, ink));
        let text = if t1 >= 10_000.0 { format!("{} s", (t / 10.0).round() / 100.0) } else { format!("{} ms", (t * 100.0).round() / 100.0) };
        let anchor = if x > rect.right() - 24.0 { Align2::RIGHT_TOP } else { Align2::CENTER_TOP };
        painter.text(pos2(x, rect.bottom() + 5.0), anchor, text, small(), ink);
        t += step;
    }
}

/// The spikes in sight.
pub fn data(seen: &Seen) -> Table {
    let (from, to) = seen.span.steps(seen.frame);
    let all: Vec<&Spike> = seen.frame.chunks(from, to).iter().flat_map(|c| c.within(from, to)).collect();
    let mut table = Table::default();
    table.add("step", Column::Whole(all.iter().map(|s| s.step).collect()));
    table.add("time_ms", Column::Numbers(all.iter().map(|s| f64::from(s.step) * seen.frame.dt).collect()));
    table.add("neuron", Column::Whole(all.iter().map(|s| s.neuron).collect()));
    table
}
