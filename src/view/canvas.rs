//! A surface without a window: what egui paints becomes pixels on the first adapter that there is. Waits for the device; knows
//! no panel.

use std::sync::Arc;

use super::device::OnDevice;
use eframe::egui::mutex::RwLock;
use eframe::egui::{Context, FullOutput};
use eframe::egui_wgpu::{Renderer, RendererOptions, ScreenDescriptor};
use wgpu::{Extent3d, TextureFormat, TextureUsages};

pub struct Canvas {
    device: wgpu::Device,
    queue: wgpu::Queue,
    renderer: Arc<RwLock<Renderer>>,
    texture: wgpu::Texture,
    size: Extent3d,
    /// The adapter, by its name.
    pub adapter: String,
}

impl Canvas {
    /// Software adapters are taken too. What of wgpu's is asked for, every adapter has, GL included.
    pub fn new(width: u32, height: u32) -> Result<Self, String> {
        Ok(pollster::block_on(Self::open(width, height, RendererOptions::PREDICTABLE, false))?.0)
    }

    /// Painted as the window paints what this context shows; and what counts on this device, where it can.
    pub fn of_window(ctx: &Context, width: u32, height: u32) -> Result<(Self, Option<OnDevice>), String> {
        let options = RendererOptions { dithering: false, ..RendererOptions::default() };
        let (canvas, adapter) = pollster::block_on(Self::open(width, height, options, true))?;
        super::plain::install(ctx, &mut canvas.renderer.write(), &adapter, &canvas.device, canvas.texture.format());
        let counting = OnDevice::new(&adapter, &canvas.device, &canvas.queue, &canvas.renderer);
        Ok((canvas, counting))
    }

    /// With `compute` the device is asked for it, where the adapter has it.
    async fn open(width: u32, height: u32, options: RendererOptions, compute: bool) -> Result<(Self, wgpu::Adapter), String> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::from_env().unwrap_or(wgpu::Backends::PRIMARY | wgpu::Backends::GL);
        let instance = wgpu::Instance::new(descriptor);
        let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await.map_err(|e| {
            format!(
                "a PNG is drawn by wgpu, and there is no adapter ({e}); an SVG needs none, and on Linux Mesa's mesa-vulkan-drivers is one"
            )
        })?;
        let compute = compute && wgpu::Limits::default().check_limits(&adapter.limits());
        let limits = if compute { wgpu::Limits::default() } else { wgpu::Limits::downlevel_webgl2_defaults() };
        let limits = limits.using_resolution(adapter.limits());
        let descriptor = wgpu::DeviceDescriptor { required_limits: limits, ..wgpu::DeviceDescriptor::default() };
        let (device, queue) = adapter.request_device(&descriptor).await.map_err(|e| e.to_string())?;
        let format = TextureFormat::Rgba8Unorm;
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
        let renderer = Arc::new(RwLock::new(Renderer::new(&device, format, options)));
        let info = adapter.get_info();
        let name = format!("{} ({})", info.name, info.backend);
        Ok((Self { device, queue, renderer, texture, size, adapter: name }, adapter))
    }

    /// Takes the textures of a pass that is not drawn itself.
    pub fn textures(&mut self, output: &mut FullOutput) {
        let mut renderer = self.renderer.write();
        for (id, images) in output.textures_delta.set.drain() {
            images.iter().for_each(|image| renderer.update_texture(&self.device, &self.queue, id, image));
        }
    }

    /// Draws a pass, and waits until it is drawn.
    pub fn draw(&mut self, ctx: &Context, mut output: FullOutput) -> Result<(), String> {
        self.textures(&mut output);
        let pixels_per_point = output.pixels_per_point;
        let jobs = ctx.tessellate(output.shapes, pixels_per_point);
        let view = self.texture.create_view(&wgpu::TextureViewDescriptor::default());
        let screen = ScreenDescriptor { size_in_pixels: [self.size.width, self.size.height], pixels_per_point };
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut renderer = self.renderer.write();
        let extra = renderer.update_buffers(&self.device, &self.queue, &mut encoder, &jobs, &screen);
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
        self.queue.submit(extra.into_iter().chain([encoder.finish()]));
        self.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| e.to_string())?;
        output.textures_delta.free.iter().for_each(|id| renderer.free_texture(id));
        Ok(())
    }

    /// The pixels as RGBA, row by row.
    pub fn read(&self) -> Result<Vec<u8>, String> {
        let (width, height) = (self.size.width, self.size.height);
        // Rows of a copy begin at multiples of 256 bytes.
        let row = (width * 4).div_ceil(256) * 256;
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("picture"),
            size: u64::from(row) * u64::from(height),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None };
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_texture_to_buffer(self.texture.as_image_copy(), wgpu::TexelCopyBufferInfo { buffer: &buffer, layout }, self.size);
        self.queue.submit([encoder.finish()]);
        let (sender, receiver) = std::sync::mpsc::channel();
        buffer.map_async(wgpu::MapMode::Read, .., move |done| _ = sender.send(done));
        self.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| e.to_string())?;
        receiver.recv().map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        let bytes = buffer.get_mapped_range(..).map_err(|e| e.to_string())?;
        Ok(bytes.chunks_exact(row as usize).flat_map(|r| r[..width as usize * 4].to_vec()).collect())
    }
}
