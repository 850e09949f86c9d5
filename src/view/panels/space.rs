//! The network in space: neurons where they are, bright as they have fired lately. Turned, zoomed, selected and poked by hand.

use std::collections::BTreeSet;

use eframe::egui::epaint::Mesh;
use eframe::egui::{
    Align2, Color32, ColorImage, Painter, Pos2, Rect, Response, Role, Sense, Stroke, TextureHandle, TextureOptions, Ui, WidgetInfo, pos2,
    vec2,
};

use crate::export::{Column, Table};
use crate::session::live::About;
use crate::view::activity::{Activity, NOWHERE};
use crate::view::camera::{Camera, Sight};
use crate::view::look::{colour, count, number, small};
use crate::view::nearby::Nearby;
use crate::view::panel::{Hand, Seen};
use crate::view::places::Places;
use crate::view::raster::quad;

/// Up to so many neurons are drawn one by one; more are gathered in cells.
const SINGLE: usize = 20_000;
/// Side of a cell, in points, at least.
const LEAST: f32 = 2.0;
/// Up to so many are round.
const ROUND: usize = 2_000;
/// Time constants of what is seen, ms: calm, so that nothing flashes, and quick.
const CALM: f64 = 300.0;
const QUICK: f64 = 20.0;

pub struct Space {
    pub camera: Camera,
    /// No flashing: activity is averaged over a third of a second, and contrast is limited.
    pub calm: bool,
    /// Populations that are not drawn, by number.
    pub hidden: BTreeSet<u16>,
    /// Network and hidden populations that are arranged.
    of: Option<(u64, BTreeSet<u16>)>,
    places: Places,
    sight: Option<Sight>,
    /// Where each neuron is drawn, and how near it is; and all of them from the farthest to the nearest.
    shown: Vec<(Pos2, f32)>,
    order: Vec<u32>,
    cells: Vec<u32>,
    /// The population whose colour a cell has: that of most of its neurons.
    tints: Vec<u16>,
    /// Who is near a place.
    nearby: Nearby,
    /// Cells across and down, and their side in points; none where neurons are drawn one by one.
    grid: Option<(usize, usize, f32)>,
    version: u64,
    activity: Activity,
    exposure: f32,
    texture: Option<TextureHandle>,
    /// Where it was drawn last.
    pub area: Option<Rect>,
    poked: Option<Pos2>,
}

impl Default for Space {
    fn default() -> Self {
        let (of, places, sight, grid, texture) = (None, Places::default(), None, None, None);
        let (shown, order, cells, area, poked) = (Vec::new(), Vec::new(), Vec::new(), None, None);
        let (tints, nearby) = (Vec::new(), Nearby::default());
        let (camera, activity) = (Camera::default(), Activity::default());
        Self {
            camera,
            calm: true,
            hidden: BTreeSet::new(),
            of,
            places,
            sight,
            shown,
            order,
            cells,
            tints,
            nearby,
            grid,
            version: 0,
            activity,
            exposure: 0.0,
            texture,
            area,
            poked,
        }
    }
}

impl Space {
    pub fn show(&mut self, ui: &mut Ui, seen: &mut Seen) {
        let Some(about) = seen.frame.about.clone() else { return };
        let (response, painter) = ui.allocate_painter(ui.available_size().max(vec2(120.0, 80.0)), Sense::click_and_drag());
        let rect = response.rect.shrink(2.0);
        let (dark, ground) = (ui.visuals().dark_mode, ui.visuals().extreme_bg_color);
        painter.rect_filled(rect, 0.0, ground);
        self.arrange(seen.frame.generation, &about, rect);
        let tau = (if self.calm { CALM } else { QUICK }) / seen.frame.dt.max(1e-9);
        let (_, to) = seen.span.steps(seen.frame);
        self.activity.update(seen.frame, &self.cells, self.version, tau, to);
        self.expose(seen.moving);
        let clip = painter.with_clip_rect(rect);
        match self.grid {
            None => self.singles(&clip, ground, dark),
            Some(grid) => self.cells(ui, &clip, grid, (ground, dark)),
        }
        self.chosen(&clip, seen, ui.visuals().strong_text_color());
        self.told(ui, &painter, seen, &about, rect);
        self.gestures(ui, &response, seen, &about);
        self.area = self.sight.map(|s| s.rect);
        let told = format!("{} neurons in space, {}", about.neurons(), self.places.told);
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &told));
    }

    /// Places neurons and cells anew where network, camera or panel have changed.
    fn arrange(&mut self, generation: u64, about: &About, rect: Rect) {
        let of = (generation, self.hidden.clone());
        if self.of.as_ref() != Some(&of) {
            self.places = Places::new(about, &self.hidden);
            (self.of, self.sight) = (Some(of), None);
        }
        // Room for the words above and below.
        let rect = Rect::from_min_max(rect.min + vec2(0.0, 18.0), rect.max - vec2(0.0, 18.0));
        let sight = Sight { camera: self.camera, rect, reach: self.places.reach, flat: self.places.flat };
        if self.sight == Some(sight) {
            return;
        }
        self.sight = Some(sight);
        self.version += 1;
        let (turn, away) = (sight.turn(), (pos2(f32::NAN, f32::NAN), 0.0));
        self.shown = self.places.at.iter().map(|p| p.map_or(away, |p| sight.place(&turn, p))).collect();
        self.nearby = Nearby::new(rect, &self.shown);
        let visible = self.shown.iter().filter(|s| rect.contains(s.0)).count();
        self.grid = None;
        if visible <= SINGLE {
            self.cells = (0..self.shown.len() as u32).map(|n| if rect.contains(self.shown[n as usize].0) { n } else { NOWHERE }).collect();
            self.order = (0..self.shown.len() as u32).filter(|n| rect.contains(self.shown[*n as usize].0)).collect();
            if !sight.flat {
                self.order.sort_by(|a, b| self.shown[*a as usize].1.total_cmp(&self.shown[*b as usize].1));
            }
            return;
        }
        // So large that a cell holds several neurons: fewer would show the grid of the picture, not of the network. And never so small
        // that the cells of a large network cost more than the neurons of a small one.
        let side = ((rect.area() / visible as f32).sqrt() * 2.0).max(LEAST);
        let (across, down) = (((rect.width() / side).ceil() as usize).max(1), ((rect.height() / side).ceil() as usize).max(1));
        let cell = |p: &Pos2| {
            let (x, y) = (((p.x - rect.left()) / side) as u32, ((p.y - rect.top()) / side) as u32);
            if rect.contains(*p) { y.min(down as u32 - 1) * across as u32 + x.min(across as u32 - 1) } else { NOWHERE }
        };
        self.cells = self.shown.iter().map(|s| cell(&s.0)).collect();
        self.tints = majorities(&self.cells, &self.places.population, across * down);
        self.order = Vec::new();
        self.grid = Some((across, down, side));
    }

    /// The eye gets used to what it sees.
    fn expose(&mut self, moving: bool) {
        let (sum, number) = self.activity.rates().flatten().filter(|r| *r > 1e-9).fold((0.0, 0u32), |(s, n), r| (s + r, n + 1));
        let mean = if number == 0 { 0.0 } else { sum / number as f32 };
        self.exposure = if self.exposure == 0.0 || !moving { mean } else { self.exposure + 0.1 * (mean - self.exposure) };
    }

    /// From 0 to 1, as the eye is used to it now.
    fn bright(&self, rate: f32) -> f32 {
        1.0 - (-rate / self.exposure.max(1e-9)).exp()
    }

    fn tone(&self, bright: f32, tint: Color32, ground: Color32) -> Color32 {
        let (least, most) = if self.calm { (0.16, 0.62) } else { (0.12, 0.88) };
        ground.lerp_to_gamma(tint, least + most * bright)
    }

    fn tint(&self, neuron: u32, dark: bool) -> Color32 {
        colour(dark, self.places.population.get(neuron as usize).copied().unwrap_or(0).into())
    }

    fn singles(&self, painter: &Painter, ground: Color32, dark: bool) {
        let rates: Vec<f32> = self.activity.rates().map(|r| r.unwrap_or(0.0)).collect();
        let area = self.sight.map_or(1.0, |s| s.rect.area());
        let side = ((area / self.order.len().max(1) as f32).sqrt() * 0.62).clamp(1.5, 16.0);
        let mut mesh = Mesh::default();
        for n in &self.order {
            let (at, near) = self.shown[*n as usize];
            let bright = self.bright(rates.get(*n as usize).copied().unwrap_or(0.0));
            let tone = self.tone(bright, self.tint(*n, dark), ground);
            if self.order.len() <= ROUND {
                painter.circle_filled(at, side * 0.55 * near, tone);
            } else {
                quad(&mut mesh, Rect::from_center_size(at, vec2(side, side) * near), tone);
            }
        }
        painter.add(mesh);
    }

    fn cells(&mut self, ui: &Ui, painter: &Painter, (across, down, side): (usize, usize, f32), (ground, dark): (Color32, bool)) {
        let Some(rect) = self.sight.map(|s| s.rect) else { return };
        let populations = self.tints.iter().map(|p| *p as usize + 1).max().unwrap_or(0);
        let tones = |p| std::array::from_fn(|k| self.tone(k as f32 / 63.0, colour(dark, p), ground));
        let table: Vec<[Color32; 64]> = (0..populations).map(tones).collect();
        let mut pixels = vec![ground; across * down];
        for ((rate, population), pixel) in self.activity.rates().zip(&self.tints).zip(&mut pixels) {
            if let Some(rate) = rate {
                *pixel = table[*population as usize][(self.bright(rate) * 63.0) as usize];
            }
        }
        let image = ColorImage::new([across, down], pixels);
        match &mut self.texture {
            Some(texture) => texture.set(image, TextureOptions::NEAREST),
            none => *none = Some(ui.ctx().load_texture("space", image, TextureOptions::NEAREST)),
        }
        let place = Rect::from_min_size(rect.min, vec2(across as f32, down as f32) * side);
        if let Some(texture) = &self.texture {
            painter.image(texture.id(), place, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
        }
    }

    /// Rings around those that were brushed, and larger ones around those whose membrane is shown.
    fn chosen(&self, painter: &Painter, seen: &Seen, ink: Color32) {
        let at = |n: &u32| self.shown.get(*n as usize).map(|s| s.0);
        for place in seen.tools.brushed.iter().take(5000).filter_map(at) {
            painter.circle_stroke(place, 4.0, Stroke::new(1.0, ink));
        }
        for place in seen.tools.selected.iter().filter_map(at) {
            painter.circle_stroke(place, 7.0, Stroke::new(1.5, ink));
        }
    }

    fn told(&self, ui: &Ui, painter: &Painter, seen: &Seen, about: &About, rect: Rect) {
        let ink = ui.visuals().weak_text_color();
        let how = if self.calm { "calm: rates over 300 ms" } else { "spikes of the last 20 ms" };
        let gathered = self.grid.map_or(String::new(), |(across, down, _)| format!(", {across} x {down} cells"));
        let text = format!("{}  ({how}{gathered})", self.places.told);
        painter.text(rect.left_bottom() + vec2(4.0, -3.0), Align2::LEFT_BOTTOM, text, small(), ink);
        let mut place = rect.left_top() + vec2(4.0, 3.0);
        for (i, (p, rate)) in about.network.populations.iter().zip(seen.rates(about)).enumerate() {
            let text = format!("{} {} spikes/s", p.name, number(rate));
            let shown = painter.text(place, Align2::LEFT_TOP, text, small(), colour(ui.visuals().dark_mode, i));
            place.x = shown.right() + 12.0;
        }
        if !seen.tools.brushed.is_empty() {
            let text = format!("{} selected", count(seen.tools.brushed.len() as u64));
            painter.text(rect.right_top() + vec2(-4.0, 4.0), Align2::RIGHT_TOP, text, small(), ink);
        }
    }

    /// The neurons within some points of a place.
    pub fn near(&self, at: Pos2, radius: f32) -> Vec<u32> {
        let mut all: Vec<u32> = self.nearby.within(at, radius).filter(|n| self.far(*n, at) <= radius * radius).collect();
        all.sort_unstable();
        all
    }

    fn nearest(&self, at: Pos2) -> Option<u32> {
        let close = self.nearby.within(at, 15.0).filter(|n| self.far(*n, at) <= 15.0 * 15.0);
        close.min_by(|a, b| self.far(*a, at).total_cmp(&self.far(*b, at)).then(a.cmp(b)))
    }

    fn far(&self, neuron: u32, at: Pos2) -> f32 {
        self.shown.get(neuron as usize).map_or(f32::MAX, |s| (s.0 - at).length_sq())
    }

    fn gestures(&mut self, ui: &Ui, response: &Response, seen: &mut Seen, about: &About) {
        let Some(sight) = self.sight else { return };
        if let Some(pointer) = response.hover_pos() {
            let (scroll, zoom) = ui.input(|i| (i.smooth_scroll_delta().y, i.zoom_delta()));
            let factor = (scroll * 0.004).exp() * zoom;
            if (factor - 1.0).abs() > 1e-4 {
                self.camera.zoom_at(factor, pointer, &sight);
            }
            if let Some(n) = self.nearest(pointer) {
                let ranges = about.ranges();
                let p = ranges.partition_point(|r| r.0 <= n).saturating_sub(1);
                response.show_tooltip_text(format!("{}[{}]", about.network.populations[p].name, n - ranges[p].0));
            }
        }
        if response.double_clicked() {
            self.camera = Camera::default();
        }
        let pointer = response.interact_pointer_pos().filter(|p| sight.rect.contains(*p));
        let pressed = response.clicked() || response.dragged();
        match (seen.tools.hand, pointer) {
            (Hand::Look, Some(at)) if response.clicked() => {
                if let Some(n) = self.nearest(at) {
                    seen.tools.select(n);
                }
            }
            (Hand::Look, _) if response.dragged() => self.camera.drag(response.drag_delta(), &sight),
            (Hand::Brush, Some(at)) if pressed => {
                let near = self.near(at, seen.tools.radius);
                seen.tools.brushed.extend(near);
            }
            // A hand that rests pokes once.
            (Hand::Poke, Some(at)) if pressed && self.poked.is_none_or(|p| (p - at).length() > seen.tools.radius) => {
                let near = self.near(at, seen.tools.radius);
                let orders = seen.tools.poke(about, near);
                seen.orders.extend(orders);
                self.poked = Some(at);
            }
            _ => {}
        }
        if !response.dragged() {
            self.poked = None;
        }
    }
}

/// For each cell the population of most of its neurons, if there is one: the vote that is left when unlike ones have cancelled out.
fn majorities(cells: &[u32], populations: &[u16], count: usize) -> Vec<u16> {
    let mut votes = vec![(0u16, 0u32); count];
    for (cell, population) in cells.iter().zip(populations) {
        match votes.get_mut(*cell as usize) {
            Some(vote) if vote.1 == 0 => *vote = (*population, 1),
            Some(vote) if vote.0 == *population => vote.1 += 1,
            Some(vote) => vote.1 -= 1,
            // A neuron that is not shown.
            None => {}
        }
    }
    votes.into_iter().map(|vote| vote.0).collect()
}

/// Where every neuron is, in um, and how it fires in the time in sight.
pub fn data(seen: &Seen, about: &About) -> Table {
    let (from, to) = seen.span.steps(seen.frame);
    let mut spikes = vec![0u32; about.neurons() as usize];
    for spike in seen.frame.chunks(from, to).iter().flat_map(|c| c.within(from, to)) {
        if let Some(n) = spikes.get_mut(spike.neuron as usize) {
            *n += 1;
        }
    }
    let seconds = (to.saturating_sub(from.max(seen.frame.oldest())) as f64 * seen.frame.dt * 1e-3).max(1e-9);
    let mut table = Table::default();
    table.add("neuron", Column::Whole((0..about.neurons()).collect()));
    let names = about.network.populations.iter().flat_map(|p| std::iter::repeat_n(p.name.clone(), p.size as usize));
    table.add("population", Column::Texts(names.collect()));
    let place = |axis: usize| {
        let of = about.sheets.iter().zip(about.ranges());
        let all = of.flat_map(move |(sheet, (_, size))| (0..size).map(move |i| sheet.as_ref().map_or(f64::NAN, |s| s.position(i)[axis])));
        Column::Numbers(all.collect())
    };
    if about.sheets.iter().any(Option::is_some) {
        ["x_um", "y_um", "z_um"].into_iter().enumerate().for_each(|(axis, name)| table.add(name, place(axis)));
    }
    table.add("rate_Hz", Column::Numbers(spikes.iter().map(|n| f64::from(*n) / seconds).collect()));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_the_colour_of_most_of_its_neurons() {
        let cells = [0, 0, 0, 0, 0, 2, NOWHERE, 2, 2];
        let populations = [0, 1, 0, 1, 0, 1, 1, 3, 3];
        assert_eq!(majorities(&cells, &populations, 3), [0, 0, 3]);
        assert!(majorities(&[], &[], 0).is_empty());
    }
}
