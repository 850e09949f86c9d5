//! A panel as a picture, without a window: the same drawing code on a context of its own. Waits for the device.

use eframe::egui::{self, CentralPanel, Context, FullOutput, RawInput, Rect, Vec2, pos2};
use eframe::egui_wgpu::{Renderer, RendererOptions, ScreenDescriptor};
use wgpu::{Extent3d, TextureFormat, TextureUsages};

use super::look::Look;
use super::panel::{Panel, Panels};
use super::rows::Choice;
use super::svg as vector;
use crate::session::live::Frame;

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
}

impl Shot {
    /// A panel at its default.
    pub fn new(panel: Panel, size: Vec2) -> Self {
        let (choice, selected, ghost) = (Choice::All, Vec::new(), Vec::new());
        Self { panel, look: Look::Light, size, span: 500.0, end: None, choice, heights: None, selected, ghost }
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
    let mut outputs = Vec::new();
    // Theme, fonts and the widths of axes are settled after some passes.
    for pass in 0..4 {
        let size = shot.size / if shot.look == Look::Projector { 1.4 } else { 1.0 };
        let input =
            RawInput { screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), size)), time: Some(f64::from(pass)), ..RawInput::default() };
        outputs.push(ctx.run_ui(input, |ui| {
            CentralPanel::default().show(ui, |ui| panels.show(ui, shot.panel, frame, &mut Vec::new()));
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
    let painted = paint(frame, shot);
    let (width, height) = ((shot.size.x as u32).clamp(16, 8192), (shot.size.y as u32).clamp(16, 8192));
    let rgba = pollster::block_on(render(painted, width, height))?;
    encode(width, height, &rgba)
}

/// RGBA as PNG.
pub(super) fn encode(width: u32, height: u32, rgba: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let wrong = |e: png::EncodingError| format!("the picture cannot be written: {e}");
    encoder.write_header().and_then(|mut w| w.write_image_data(rgba)).map_err(wrong)?;
    Ok(out)
}

async fn render(painted: Painted, width: u32, height: u32) -> Result<Vec<u8>, String> {
    let Painted { ctx, mut outputs } = painted;
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::from_env().unwrap_or(wgpu::Backends::PRIMARY | wgpu::Backends::GL);
    let instance = wgpu::Instance::new(descriptor);
    let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await.map_err(|e| {
        format!("a PNG is drawn by wgpu, and there is no adapter ({e}); an SVG needs none, and on Linux Mesa's mesa-vulkan-drivers is one")
    })?;
    let limits = wgpu::Limits::downlevel_webgl2_defaults().using_resolution(adapter.limits());
    let descriptor = wgpu::DeviceDescriptor { required_limits: limits, ..wgpu::DeviceDescriptor::default() };
    let (device, queue) = adapter.request_device(&descriptor).await.map_err(|e| e.to_string())?;
    let format = TextureFormat::Rgba8Unorm;
    let mut renderer = Renderer::new(&device, format, RendererOptions::PREDICTABLE);
    for output in &mut outputs {
        for (id, images) in output.textures_delta.set.drain() {
            images.iter().for_each(|image| renderer.update_texture(&device, &queue, id, image));
        }
    }
    let Some(last) = outputs.pop() else { return Err("nothing was painted".into()) };
    let pixels_per_point = last.pixels_per_point;
    let jobs = ctx.tessellate(last.shapes, pixels_per_point);
    let size = Extent3d { width, height, depth_or_array_layers: 1 };
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("picture"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
    let screen = ScreenDescriptor { size_in_pixels: [width, height], pixels_per_point };
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let extra = renderer.update_buffers(&device, &queue, &mut encoder, &jobs, &screen);
    {
        let attachment = wgpu::RenderPassColorAttachment {
            view: &view,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color::WHITE), store: wgpu::StoreOp::Store },
        };
        let descriptor = wgpu::RenderPassDescriptor { color_attachments: &[Some(attachment)], ..wgpu::RenderPassDescriptor::default() };
        let mut pass = encoder.begin_render_pass(&descriptor).forget_lifetime();
        renderer.render(&mut pass, &jobs, &screen);
    }
    // Rows of a copy begin at multiples of 256 bytes.
    let row = (width * 4).div_ceil(256) * 256;
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("picture"),
        size: u64::from(row) * u64::from(height),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None };
    encoder.copy_texture_to_buffer(texture.as_image_copy(), wgpu::TexelCopyBufferInfo { buffer: &buffer, layout }, size);
    queue.submit(extra.into_iter().chain([encoder.finish()]));
    let (sender, receiver) = std::sync::mpsc::channel();
    buffer.map_async(wgpu::MapMode::Read, .., move |done| _ = sender.send(done));
    device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| e.to_string())?;
    receiver.recv().map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
    let bytes = buffer.get_mapped_range(..).map_err(|e| e.to_string())?;
    Ok(bytes.chunks_exact(row as usize).flat_map(|r| r[..width as usize * 4].to_vec()).collect())
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
