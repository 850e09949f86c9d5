//! Painting for software adapters. The shader of egui's own renderer can do more than this window needs, and a software adapter
//! computes every side of its branches for every pixel: that was most of a frame. Here what egui has tessellated is
//! painted by the plainest shader instead, the same but for roundings at the edges of letters. Knows no panel.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui::epaint::{ClippedShape, Primitive, TextureId, Vertex, WHITE_UV, textures::TexturesDelta};
use eframe::egui::{Context, FullOutput, Plugin, Pos2, Rect, Shape};
use eframe::egui_wgpu::{Callback, CallbackResources, CallbackTrait, Renderer, ScreenDescriptor};

use super::brush::{Brush, Change};

/// Paints what a context shows with a brush of its own, if the adapter is a software one and its surface is stored as it is seen.
pub fn install(ctx: &Context, renderer: &mut Renderer, adapter: &wgpu::Adapter, device: &wgpu::Device, format: wgpu::TextureFormat) {
    if adapter.get_info().device_type == wgpu::DeviceType::Cpu && !format.is_srgb() {
        renderer.callback_resources.insert(Brush::new(device, format));
        ctx.add_plugin(Plain::default());
    }
}

/// Twice the area, in square points, from which a triangle is worth a change of the shader.
const LARGE: f32 = 1000.0;

/// Takes the place of what is to be painted.
#[derive(Default)]
struct Plain {
    /// Changes of textures that are not made yet.
    changes: Arc<Mutex<Vec<Change>>>,
    /// Textures to be freed when this frame has been painted.
    free: Vec<TextureId>,
}

impl Plain {
    fn note(&mut self, delta: &TexturesDelta) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.extend(self.free.drain(..).map(Change::Free));
        for (id, deltas) in &delta.set {
            changes.extend(deltas.iter().map(|delta| Change::Set(*id, delta.clone())));
        }
        self.free.extend(&delta.free);
    }
}

impl Plugin for Plain {
    fn debug_name(&self) -> &'static str {
        "plain painting"
    }

    fn output_hook(&mut self, ctx: &Context, output: &mut FullOutput) {
        self.note(&output.textures_delta);
        let mut painting = Painting { changes: self.changes.clone(), ..Painting::default() };
        for job in ctx.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point) {
            // Callbacks of others there are none.
            if let Primitive::Mesh(mesh) = job.primitive {
                painting.add(job.clip_rect, mesh.texture_id, mesh.vertices, &mesh.indices);
            }
        }
        let clip_rect = Rect::from_min_max(Pos2::ZERO, Pos2::new(1e5, 1e5));
        let everywhere = Rect::from_min_size(Pos2::ZERO, ctx.viewport_rect().size());
        output.shapes = vec![ClippedShape {
            clip_rect,
            shape: Shape::Callback(Callback::new_paint_callback(everywhere, painting)),
            transform_after_tessellation: Default::default(),
        }];
    }
}

/// A stretch of triangles with one clip and one texture.
pub struct Draw {
    pub clip: Rect,
    /// No texture where it would give white.
    pub texture: Option<TextureId>,
    pub indices: Range<u32>,
}

/// A frame as triangles.
#[derive(Default)]
struct Painting {
    changes: Arc<Mutex<Vec<Change>>>,
    draws: Vec<Draw>,
    vertices: Vec<Vertex>,
    indices: Vec<u32>,
}

impl Painting {
    /// Takes a mesh in; what of it is large and flat needs no texture.
    fn add(&mut self, clip: Rect, texture: TextureId, vertices: Vec<Vertex>, indices: &[u32]) {
        let (offset, mut first) = (self.vertices.len() as u32, self.indices.len() as u32);
        let flat = |three: &[u32; 3]| {
            let [Some(a), Some(b), Some(c)] = three.map(|i| vertices.get(i as usize)) else { return false };
            let (p, q) = (b.pos - a.pos, c.pos - a.pos);
            let large = (p.x * q.y - p.y * q.x).abs() > LARGE;
            large && texture == TextureId::default() && [a, b, c].iter().all(|v| v.uv == WHITE_UV)
        };
        for stretch in indices.as_chunks::<3>().0.chunk_by(|a, b| flat(a) == flat(b)) {
            let texture = (!flat(&stretch[0])).then_some(texture);
            self.indices.extend(stretch.iter().flatten().map(|i| i + offset));
            let end = self.indices.len() as u32;
            self.draws.push(Draw { clip, texture, indices: first..end });
            first = end;
        }
        self.vertices.extend(vertices);
    }
}

impl CallbackTrait for Painting {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        screen: &ScreenDescriptor,
        _: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        if let Some(brush) = resources.get_mut::<Brush>() {
            let changes = std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner));
            changes.into_iter().for_each(|change| brush.change(device, queue, change));
            let [width, height] = screen.size_in_pixels.map(|p| p as f32 / screen.pixels_per_point);
            brush.load(device, queue, [width, height], &self.vertices, &self.indices);
        }
        Vec::new()
    }

    fn paint(&self, info: eframe::egui::PaintCallbackInfo, pass: &mut wgpu::RenderPass<'static>, resources: &CallbackResources) {
        if let Some(brush) = resources.get::<Brush>() {
            brush.paint(pass, &self.draws, info.screen_size_px, info.pixels_per_point);
        }
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::{self, Color32, ColorImage, RawInput, TextureOptions, vec2};

    use crate::view::canvas::Canvas;

    /// A screen with all kinds of things on it, after some frames in which textures came and went.
    fn painted(plain: bool) -> Option<Vec<u8>> {
        let ctx = egui::Context::default();
        let canvas = if plain { Canvas::of_window(&ctx, 500, 400).map(|c| c.0) } else { Canvas::new(500, 400) };
        let mut canvas = match canvas {
            Ok(canvas) => canvas,
            Err(e) if std::env::var_os("CI").is_none() => {
                println!("SKIPPED: {e}");
                return None;
            }
            Err(e) => panic!("{e}"),
        };
        let mut texture: Option<egui::TextureHandle> = None;
        for frame in 0..5u8 {
            let screen_rect = Some(egui::Rect::from_min_size(egui::Pos2::ZERO, vec2(500.0, 400.0)));
            let output = ctx.run_ui(RawInput { screen_rect, time: Some(frame.into()), ..RawInput::default() }, |ui| {
                let pixel = |i: usize| Color32::from_rgb(i as u8, frame * 40, (i / 7) as u8);
                // It has another size in the end, and then another content.
                let side = if frame < 3 { 30 } else { 64 };
                let image = ColorImage::new([side, side], (0..side * side).map(pixel).collect());
                let handle = texture.get_or_insert_with(|| ctx.load_texture("image", image.clone(), TextureOptions::NEAREST));
                handle.set(image, TextureOptions::NEAREST);
                let id = handle.id();
                egui::CentralPanel::default().show(ui, |ui| {
                    ui.heading("A heading, and ordinary words: 0.123 mV");
                    ui.horizontal(|ui| _ = (ui.button("Button"), ui.checkbox(&mut true, "box"), ui.radio(true, "radio")));
                    let (rect, _) = ui.allocate_exact_size(vec2(400.0, 120.0), egui::Sense::hover());
                    ui.painter().rect_filled(rect, 0.0, Color32::from_rgb(20, 40, 90));
                    ui.painter().rect_filled(rect.shrink(20.0), 12.0, Color32::from_rgba_unmultiplied(200, 90, 20, 120));
                    ui.painter().line_segment([rect.left_top(), rect.right_bottom()], (2.0, Color32::WHITE));
                    ui.painter().circle_filled(rect.center(), 30.0, Color32::LIGHT_GREEN);
                    ui.image((id, vec2(256.0, 128.0)));
                });
                egui::Window::new("A window").fixed_pos((250.0, 180.0)).show(ui.ctx(), |ui| ui.label("above it all"));
            });
            canvas.draw(&ctx, output).unwrap();
        }
        Some(canvas.read().unwrap())
    }

    #[test]
    fn plain_painting_gives_the_pixels_of_the_general_one_but_for_roundings() {
        let (Some(plain), Some(general)) = (painted(true), painted(false)) else { return };
        let apart = |(a, b): (&[u8], &[u8])| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
        let all: Vec<u8> = plain.chunks_exact(4).zip(general.chunks_exact(4)).map(apart).collect();
        let (differ, most) = (all.iter().filter(|d| **d > 2).count(), all.iter().max());
        // Filters of textures round on their own at the edges of letters.
        assert!(differ * 1000 < all.len(), "{differ} of {} pixels differ, by {most:?} at most", all.len());
        let ground = &plain[..4];
        assert!(plain.chunks_exact(4).filter(|p| *p != ground).count() > 50_000);
    }
}
