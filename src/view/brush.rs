//! What plain painting holds on the device: two pipelines, the textures of the window, and the triangles of a frame. Knows no egui
//! context.

use std::collections::HashMap;

use eframe::egui::Rect;
use eframe::egui::epaint::textures::{TextureFilter, TextureOptions};
use eframe::egui::epaint::{ImageData, ImageDelta, TextureId, Vertex};
use wgpu::{BindGroup, BindGroupLayout, Buffer, BufferUsages, Device, Queue, RenderPipeline, Texture};

use super::plain::Draw;

/// A texture that becomes another.
pub enum Change {
    Set(TextureId, ImageDelta),
    Free(TextureId),
}

pub struct Brush {
    textured: RenderPipeline,
    flat: RenderPipeline,
    screen: (Buffer, BindGroup),
    layout: BindGroupLayout,
    textures: HashMap<TextureId, (Texture, BindGroup)>,
    vertices: Buffer,
    indices: Buffer,
}

impl Brush {
    pub fn new(device: &Device, format: wgpu::TextureFormat) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("paint"),
            source: wgpu::ShaderSource::Wgsl(include_str!("../../shaders/paint.wgsl").into()),
        });
        let of_screen = layout(device, &[(wgpu::ShaderStages::VERTEX, uniform())]);
        let image = wgpu::BindingType::Texture {
            multisampled: false,
            sample_type: wgpu::TextureSampleType::Float { filterable: true },
            view_dimension: wgpu::TextureViewDimension::D2,
        };
        let sampler = wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering);
        let of_image = layout(device, &[(wgpu::ShaderStages::FRAGMENT, image), (wgpu::ShaderStages::FRAGMENT, sampler)]);
        let screen = buffer(device, 16, BufferUsages::UNIFORM);
        let bound = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("screen"),
            layout: &of_screen,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: screen.as_entire_binding() }],
        });
        Self {
            textured: pipeline(device, &module, &[Some(&of_screen), Some(&of_image)], "textured", format),
            flat: pipeline(device, &module, &[Some(&of_screen)], "flat_colour", format),
            screen: (screen, bound),
            layout: of_image,
            textures: HashMap::new(),
            vertices: buffer(device, 1 << 16, BufferUsages::VERTEX),
            indices: buffer(device, 1 << 16, BufferUsages::INDEX),
        }
    }

    pub fn change(&mut self, device: &Device, queue: &Queue, change: Change) {
        match change {
            Change::Free(id) => _ = self.textures.remove(&id),
            Change::Set(id, delta) => {
                let ImageData::Color(image) = &delta.image;
                let [width, height] = image.size.map(|s| s as u32);
                let extent = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
                if delta.pos.is_none() && self.textures.get(&id).is_none_or(|t| t.0.size() != extent) {
                    self.textures.insert(id, self.texture(device, extent, delta.options));
                }
                let Some((texture, _)) = self.textures.get(&id) else { return };
                let [x, y] = delta.pos.unwrap_or([0, 0]).map(|p| p as u32);
                let mut place = texture.as_image_copy();
                place.origin = wgpu::Origin3d { x, y, z: 0 };
                let rows = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(4 * width), rows_per_image: None };
                queue.write_texture(place, bytemuck::cast_slice(image.pixels.as_slice()), rows, extent);
            }
        }
    }

    fn texture(&self, device: &Device, size: wgpu::Extent3d, options: TextureOptions) -> (Texture, BindGroup) {
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("image"),
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let bound = self.bound(device, &texture, options);
        (texture, bound)
    }

    /// Takes a texture that was made elsewhere.
    pub fn adopt(&mut self, device: &Device, id: TextureId, texture: &Texture) {
        let bound = self.bound(device, texture, TextureOptions::NEAREST);
        self.textures.insert(id, (texture.clone(), bound));
    }

    fn bound(&self, device: &Device, texture: &Texture, options: TextureOptions) -> BindGroup {
        let filter = |f: TextureFilter| if f == TextureFilter::Nearest { wgpu::FilterMode::Nearest } else { wgpu::FilterMode::Linear };
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
            mag_filter: filter(options.magnification),
            min_filter: filter(options.minification),
            ..wgpu::SamplerDescriptor::default()
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("image"),
            layout: &self.layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(&view) },
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(&sampler) },
            ],
        })
    }

    /// Brings the triangles of a frame to the device; `size` is the screen's in points.
    pub fn load(&mut self, device: &Device, queue: &Queue, size: [f32; 2], vertices: &[Vertex], indices: &[u32]) {
        queue.write_buffer(&self.screen.0, 0, bytemuck::cast_slice(&[size[0], size[1], 0.0, 0.0]));
        for (held, bytes, usage) in [
            (&mut self.vertices, bytemuck::cast_slice(vertices), BufferUsages::VERTEX),
            (&mut self.indices, bytemuck::cast_slice(indices), BufferUsages::INDEX),
        ] {
            let bytes: &[u8] = bytes;
            if held.size() < bytes.len() as u64 {
                *held = buffer(device, (bytes.len() as u64).next_power_of_two(), usage);
            }
            queue.write_buffer(held, 0, bytes);
        }
    }

    pub fn paint(&self, pass: &mut wgpu::RenderPass<'static>, draws: &[Draw], screen: [u32; 2], pixels: f32) {
        pass.set_viewport(0.0, 0.0, screen[0] as f32, screen[1] as f32, 0.0, 1.0);
        pass.set_bind_group(0, &self.screen.1, &[]);
        pass.set_vertex_buffer(0, self.vertices.slice(..));
        pass.set_index_buffer(self.indices.slice(..), wgpu::IndexFormat::Uint32);
        for draw in draws {
            let Some([x, y, width, height]) = scissor(draw.clip, screen, pixels) else { continue };
            pass.set_scissor_rect(x, y, width, height);
            match draw.texture.map(|id| self.textures.get(&id)) {
                None => pass.set_pipeline(&self.flat),
                Some(Some((_, image))) => {
                    pass.set_pipeline(&self.textured);
                    pass.set_bind_group(1, image, &[]);
                }
                // A texture that was never given: nothing to paint with.
                Some(None) => continue,
            }
            pass.draw_indexed(draw.indices.clone(), 0, 0..1);
        }
    }
}

/// The pixels of a clip, if there are any: to whole pixels as egui's own renderer does it.
fn scissor(clip: Rect, screen: [u32; 2], pixels: f32) -> Option<[u32; 4]> {
    let end = |x: f32, most: u32| ((x * pixels).round().max(0.0) as u32).min(most);
    let (left, top) = (end(clip.min.x, screen[0]), end(clip.min.y, screen[1]));
    let (right, bottom) = (end(clip.max.x, screen[0]), end(clip.max.y, screen[1]));
    (left < right && top < bottom).then(|| [left, top, right - left, bottom - top])
}

fn buffer(device: &Device, size: u64, usage: BufferUsages) -> Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("paint"),
        size,
        usage: usage | BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn uniform() -> wgpu::BindingType {
    wgpu::BindingType::Buffer { ty: wgpu::BufferBindingType::Uniform, has_dynamic_offset: false, min_binding_size: None }
}

fn layout(device: &Device, of: &[(wgpu::ShaderStages, wgpu::BindingType)]) -> BindGroupLayout {
    let entry = |(binding, (visibility, ty)): (usize, &(wgpu::ShaderStages, wgpu::BindingType))| wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: *visibility,
        ty: *ty,
        count: None,
    };
    let entries: Vec<_> = of.iter().enumerate().map(entry).collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some("paint"), entries: &entries })
}

fn pipeline(
    device: &Device,
    module: &wgpu::ShaderModule,
    groups: &[Option<&BindGroupLayout>],
    entry: &str,
    format: wgpu::TextureFormat,
) -> RenderPipeline {
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some("paint"),
        bind_group_layouts: groups,
        immediate_size: 0,
    });
    let component = |src_factor, dst_factor| wgpu::BlendComponent { src_factor, dst_factor, operation: wgpu::BlendOperation::Add };
    // Colours are premultiplied, as egui has them.
    let blend = wgpu::BlendState {
        color: component(wgpu::BlendFactor::One, wgpu::BlendFactor::OneMinusSrcAlpha),
        alpha: component(wgpu::BlendFactor::OneMinusDstAlpha, wgpu::BlendFactor::One),
    };
    let attributes = wgpu::vertex_attr_array![0 => Float32x2, 1 => Float32x2, 2 => Unorm8x4];
    let corners = wgpu::VertexBufferLayout { array_stride: 20, step_mode: wgpu::VertexStepMode::Vertex, attributes: &attributes };
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(entry),
        layout: Some(&layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some("corner"),
            buffers: &[Some(corners)],
            compilation_options: Default::default(),
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some(entry),
            targets: &[Some(wgpu::ColorTargetState { format, blend: Some(blend), write_mask: wgpu::ColorWrites::ALL })],
            compilation_options: Default::default(),
        }),
        multiview_mask: None,
        cache: None,
    })
}
