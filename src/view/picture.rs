//! A panel as a picture, without a window: the same drawing code on a context of its own. Waits for the device.

use eframe::egui::{self, CentralPanel, Context, FullOutput, RawInput, Rect, Vec2, pos2};

use super::app::App;
use super::camera::Camera;
use super::canvas::Canvas;
use super::look::Look;
use super::panel::{Panel, Panels};
use super::rows::Choice;
use super::{Wish, svg as vector};
use crate::session::live::{DAY, Frame, Order, Phase};

/// What is drawn, and how large.
#[derive(Clone)]
pub struct Shot {
    pub panel: Panel,
    pub look: Look,
    pub size: Vec2,
    /// Length of the time in sight, ms, and its end.
    pub span: f64,
    pub end: Option<f64>,
    pub choice: Choice,
    pub heights: Option<(f32, f32)>,
    pub selected: Vec<u32>,
    pub ghost: Vec<Vec<[f64; 2]>>,
    /// Of the space panel.
    pub camera: Camera,
    pub calm: bool,
    /// Of which a single neuron is looked at.
    pub population: usize,
    /// Of which the weights are looked at; the first that change, if it is not said.
    pub projection: Option<usize>,
}

impl Shot {
    /// A panel at its default.
    pub fn new(panel: Panel, size: Vec2) -> Self {
        let (choice, selected, ghost) = (Choice::All, Vec::new(), Vec::new());
        let (look, span, end, heights, camera) = (Look::Light, 500.0, None, None, Camera::default());
        Self { panel, look, size, span, end, choice, heights, selected, ghost, camera, calm: true, population: 0, projection: None }
    }

    /// With these neurons alone in the raster.
    pub fn selecting(self, neurons: Vec<u32>) -> Self {
        Self { choice: Choice::Selected(neurons), ..self }
    }

    /// A panel as it is seen.
    pub fn of(panel: Panel, panels: &Panels, frame: &Frame, look: Look, size: Vec2) -> Self {
        let (choice, selected) = (panels.raster.choice.clone(), panels.tools.selected.clone());
        let end = Some(panels.span.of(frame).1);
        Self {
            panel,
            look,
            size,
            span: panels.span.length,
            end,
            choice,
            heights: panels.raster.heights,
            selected,
            ghost: panels.ghost.clone(),
            camera: panels.space.camera,
            calm: panels.space.calm,
            population: panels.tools.population,
            projection: panels.weights.chosen,
        }
    }
}

/// Everything that was painted: the output of the last pass and the textures of all.
pub(super) struct Painted {
    pub ctx: Context,
    pub outputs: Vec<FullOutput>,
}

pub(super) fn paint(frame: &Frame, shot: &Shot) -> Painted {
    let ctx = Context::default();
    shot.look.apply(&ctx);
    let mut panels = Panels::default();
    (panels.span.length, panels.span.end) = (shot.span, shot.end);
    (panels.raster.choice, panels.raster.heights) = (shot.choice.clone(), shot.heights);
    (panels.tools.selected, panels.ghost) = (shot.selected.clone(), shot.ghost.clone());
    (panels.space.camera, panels.space.calm, panels.tools.population) = (shot.camera, shot.calm, shot.population);
    panels.weights.chosen = shot.projection;
    let mut outputs = Vec::new();
    // Theme, fonts and the widths of axes are settled after some passes.
    for pass in 0..4 {
        let size = shot.size / if shot.look == Look::Projector { 1.4 } else { 1.0 };
        let input =
            RawInput { screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), size)), time: Some(f64::from(pass)), ..RawInput::default() };
        outputs.push(ctx.run_ui(input, |ui| {
            CentralPanel::default().show(ui, |ui| panels.show(ui, shot.panel, frame, &mut Vec::new(), true));
        }));
    }
    Painted { ctx, outputs }
}

/// A panel as SVG. Needs no device.
pub fn svg(frame: &Frame, shot: &Shot) -> String {
    vector::write(&paint(frame, shot), shot.size)
}

/// A panel as PNG, drawn on the first adapter that there is, software ones included.
pub fn png(frame: &Frame, shot: &Shot) -> Result<Vec<u8>, String> {
    shoot(paint(frame, shot), shot.size)
}

/// The whole window as PNG, as it looks when its scene has come to a time in ms; `span` is the length of the time in sight.
pub fn window(wish: Wish, at: f64, span: f64, size: Vec2) -> Result<Vec<u8>, String> {
    let ctx = Context::default();
    let mut app = App::new(&ctx, wish)?;
    app.patient = true;
    app.panels.span.length = span;
    let built = app.live.until(DAY, |f| f.phase != Phase::Building && f.phase != Phase::Empty || !f.problems.is_empty());
    let frame = built.ok_or("the network was not built in a day")?;
    if !frame.problems.is_empty() {
        return Err(frame.problems.iter().map(crate::base::problem::Problem::render).collect());
    }
    let mut outputs = vec![pass(&ctx, &mut app, size, 0)];
    let end = (at / frame.dt).round() as u64;
    app.live.order(Order::Guard(None));
    app.live.order(Order::Steps(end.saturating_sub(frame.step)));
    let frame = app.live.until(DAY, |f| f.stopped.is_some() || (f.step >= end && f.phase == Phase::Paused));
    if let Some(why) = frame.ok_or("it did not get there in a day")?.stopped.clone() {
        return Err(why);
    }
    // Fonts and the widths of axes are settled after some passes.
    outputs.extend((1..6).map(|k| pass(&ctx, &mut app, size, k)));
    shoot(Painted { ctx, outputs }, size)
}

/// One pass of the whole window.
fn pass(ctx: &Context, app: &mut App, size: Vec2, number: u32) -> FullOutput {
    let size = size / if app.look == Look::Projector { 1.4 } else { 1.0 };
    let input =
        RawInput { screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), size)), time: Some(f64::from(number)), ..RawInput::default() };
    app.think(ctx);
    ctx.run_ui(input, |ui| app.draw(ui))
}

fn shoot(painted: Painted, size: Vec2) -> Result<Vec<u8>, String> {
    let (width, height) = ((size.x as u32).clamp(16, 8192), (size.y as u32).clamp(16, 8192));
    let mut canvas = Canvas::new(width, height)?;
    let Painted { ctx, mut outputs } = painted;
    let last = outputs.pop().ok_or("nothing was painted")?;
    outputs.iter_mut().for_each(|output| canvas.textures(output));
    canvas.draw(&ctx, last)?;
    encode(width, height, &canvas.read()?)
}

/// RGBA as PNG, without the last where nothing shines through; of two ways to write it the shorter one.
pub(super) fn encode(width: u32, height: u32, rgba: &[u8]) -> Result<Vec<u8>, String> {
    let opaque = rgba.chunks_exact(4).all(|p| p[3] == 255);
    let rgb: Vec<u8> = if opaque { rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect() } else { Vec::new() };
    let (color, bytes) = if opaque { (png::ColorType::Rgb, &rgb[..]) } else { (png::ColorType::Rgba, rgba) };
    let write = |filter: png::Filter| {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, width, height);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        encoder.set_filter(filter);
        encoder.write_header().and_then(|mut w| w.write_image_data(bytes))?;
        Ok(out)
    };
    let wrong = |e: png::EncodingError| format!("the picture cannot be written: {e}");
    let (plain, adaptive) = (write(png::Filter::NoFilter).map_err(wrong)?, write(png::Filter::Adaptive).map_err(wrong)?);
    Ok(if plain.len() < adaptive.len() { plain } else { adaptive })
}

/// A size as it is typed: `1600x900`.
pub fn size(text: &str) -> Result<Vec2, String> {
    let parsed = text
        .split_once('x')
        .and_then(|(w, h)| Some(egui::vec2(w.trim().parse::<u16>().ok()?.into(), h.trim().parse::<u16>().ok()?.into())));
    parsed
        .filter(|s| s.min_elem() >= 64.0 && s.max_elem() <= 8192.0)
        .ok_or_else(|| format!("a size is WIDTHxHEIGHT, each from 64 to 8192, not {text:?}"))
}
