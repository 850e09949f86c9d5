//! Spikes per pixel counted on the device that paints, and their tones as a texture: what `density` does on the processor, for
//! adapters with compute. A frame costs its new spikes and its pixels. Waits for nothing but in tests; knows no panel.

use wgpu::{BindGroup, BindGroupLayout, Buffer, BufferUsages, ComputePipeline, Device, Extent3d, Queue, Texture, TextureUsages};

use super::density::{Progress, Sight};
use super::rows::Rows;
use crate::session::live::Frame;

/// Spikes that go to the device at once.
const PORTION: usize = 1 << 18;
/// Threads of a workgroup of spikes and cells, cells that one of them measures, and pixels of a workgroup.
const GROUP: u32 = 256;
const MEASURED: u32 = 16 * GROUP;
const PIXELS: [u32; 2] = [64, 4];

/// Colours of the rows, as egui stores them, and of the ground; whether the eye takes its time.
pub struct Paint<'a> {
    pub tints: &'a [u32],
    pub ground: u32,
    pub moving: bool,
}

pub struct Tally {
    device: Device,
    queue: Queue,
    layout: BindGroupLayout,
    /// By their places in `KERNELS`.
    kernels: Vec<ComputePipeline>,
    sight: Buffer,
    light: Buffer,
    held: Option<Held>,
    progress: Progress,
    /// The rows whose heights the device has.
    rows: Option<(u64, u64)>,
}

const KERNELS: [&str; 5] = ["clear", "bin", "measure", "expose", "tone"];

/// What grows with network and panel.
struct Held {
    counts: Buffer,
    heights: Buffer,
    spikes: Buffer,
    tints: Buffer,
    texture: Texture,
    group: BindGroup,
}

impl Tally {
    /// None where the device has no compute, or refuses it.
    pub fn new(device: &Device, queue: &Queue) -> Option<Self> {
        let limits = device.limits();
        let able = limits.max_storage_buffers_per_shader_stage >= 5
            && limits.max_storage_textures_per_shader_stage >= 1
            && limits.max_compute_invocations_per_workgroup >= GROUP;
        able.then(|| guarded(device, || Self::made(device, queue)))?.ok()
    }

    fn made(device: &Device, queue: &Queue) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("density"),
            source: wgpu::ShaderSource::Wgsl(include_str!("../../shaders/density.wgsl").into()),
        });
        let layout = layout(device);
        let of_pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("density"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let kernel = |entry: &str| {
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(entry),
                layout: Some(&of_pipeline),
                module: &module,
                entry_point: Some(entry),
                compilation_options: Default::default(),
                cache: None,
            })
        };
        Self {
            device: device.clone(),
            queue: queue.clone(),
            kernels: KERNELS.map(kernel).into(),
            layout,
            sight: buffer(device, 44, BufferUsages::UNIFORM),
            light: buffer(device, 12, BufferUsages::STORAGE),
            held: None,
            progress: Progress::default(),
            rows: None,
        }
    }

    /// Brings counts and tones up to a frame; `version` names the rows. Gives the texture, of which the part of the sight's size
    /// at the upper left is used, and whether it is another one than before. An error says why the device cannot.
    pub fn update(&mut self, frame: &Frame, rows: &Rows, version: u64, sight: Sight, paint: &Paint) -> Result<(&Texture, bool), String> {
        let fresh = self.hold(rows.heights().len(), sight)?;
        let of = (frame.generation, version);
        let Some(held) = &self.held else { return Err("nothing is held".into()) };
        if self.rows != Some(of) {
            self.queue.write_buffer(&held.heights, 0, bytemuck::cast_slice(rows.heights()));
            self.rows = Some(of);
        }
        self.queue.write_buffer(&held.tints, 0, bytemuck::cast_slice(paint.tints));
        let due = self.progress.next(of, sight, frame.step);
        let (stale, count) = if due.afresh { (0, sight.columns as u64) } else { (due.stale.start, due.stale.end - due.stale.start) };
        let mut clear = ((stale % sight.columns as u64) as u32, count as u32);
        let mut portion: Vec<[u32; 2]> = Vec::new();
        for spike in frame.chunks(due.from, due.to).iter().flat_map(|c| c.within(due.from, due.to)) {
            if portion.len() == PORTION {
                self.send(held, sight, paint, &portion, std::mem::take(&mut clear), false);
                portion.clear();
            }
            portion.push([spike.step, spike.neuron]);
        }
        self.send(held, sight, paint, &portion, clear, true);
        Ok((&held.texture, fresh))
    }

    /// Clears columns, counts some spikes, and draws the tones when these were the `last`.
    fn send(&self, held: &Held, sight: Sight, paint: &Paint, spikes: &[[u32; 2]], (stale, fresh): (u32, u32), last: bool) {
        let (columns, rows) = (sight.columns as u32, sight.rows as u32);
        let words = [
            (sight.first % sight.columns as u64) as u32,
            columns,
            rows,
            sight.per.min(u64::from(u32::MAX)) as u32,
            sight.low.to_bits(),
            sight.rise().to_bits(),
            spikes.len() as u32,
            stale,
            fresh,
            u32::from(paint.moving),
            paint.ground,
        ];
        self.queue.write_buffer(&self.sight, 0, bytemuck::cast_slice(&words));
        self.queue.write_buffer(&held.spikes, 0, bytemuck::cast_slice(spikes));
        let cells = columns * rows;
        let threads = |n: u32, of: u32| [n.div_ceil(of), 1];
        let drawn = |of: [u32; 2]| if last { of } else { [0, 0] };
        let grids = [
            threads(fresh * rows, GROUP),
            threads(spikes.len() as u32, GROUP),
            drawn(threads(cells, MEASURED)),
            drawn([1, 1]),
            drawn([columns.div_ceil(PIXELS[0]), rows.div_ceil(PIXELS[1])]),
        ];
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_bind_group(0, &held.group, &[]);
            for (kernel, [x, y]) in self.kernels.iter().zip(grids).filter(|(_, [x, y])| x * y > 0) {
                pass.set_pipeline(kernel);
                pass.dispatch_workgroups(x, y, 1);
            }
        }
        self.queue.submit([encoder.finish()]);
    }

    /// Makes room for so many neurons and this sight. True if the texture is another one; what was counted is then forgotten.
    fn hold(&mut self, neurons: usize, sight: Sight) -> Result<bool, String> {
        let size = |b: &Buffer| b.size() as usize / 4;
        let enough = |h: &Held| {
            size(&h.counts) >= sight.columns * sight.rows
                && size(&h.heights) >= neurons
                && h.texture.width() as usize >= sight.columns
                && h.texture.height() as usize >= sight.rows
        };
        if self.held.as_ref().is_some_and(enough) {
            return Ok(false);
        }
        let limits = self.device.limits();
        // With room to grow: panels are dragged, and sights zoomed.
        let side = |n: usize, multiple: usize| (n.div_ceil(multiple) * multiple) as u32;
        let most = limits.max_texture_dimension_2d;
        let (width, height) = (side(sight.columns, 256).min(most), side(sight.rows, 128).min(most));
        let largest = u64::from(width) * u64::from(height) * 4;
        let binding = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        if largest.max(neurons as u64 * 4) > binding || (width as usize) < sight.columns || (height as usize) < sight.rows {
            return Err(format!("the density of {neurons} neurons in {width} x {height} pixels is larger than this device can bind"));
        }
        let (device, queue) = (self.device.clone(), self.queue.clone());
        let held = guarded(&device, || {
            let storage = |size: u64| buffer(&device, size.max(16), BufferUsages::STORAGE | BufferUsages::COPY_SRC);
            let texture = device.create_texture(&wgpu::TextureDescriptor {
                label: Some("density"),
                size: Extent3d { width, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: wgpu::TextureFormat::Rgba8Unorm,
                usage: TextureUsages::TEXTURE_BINDING | TextureUsages::STORAGE_BINDING,
                view_formats: &[],
            });
            let (counts, heights) = (storage(largest), storage(neurons as u64 * 4));
            let (spikes, tints) = (storage(PORTION as u64 * 8), storage(u64::from(height) * 4));
            let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
            let buffers = [&self.sight, &counts, &heights, &spikes, &self.light, &tints];
            let mut entries: Vec<_> = buffers.iter().enumerate().map(|(i, b)| entry(i, b.as_entire_binding())).collect();
            entries.push(entry(6, wgpu::BindingResource::TextureView(&view)));
            let group =
                device.create_bind_group(&wgpu::BindGroupDescriptor { label: Some("density"), layout: &self.layout, entries: &entries });
            Held { counts, heights, spikes, tints, texture, group }
        })?;
        // What the eye was used to is of another time.
        queue.write_buffer(&self.light, 0, &[0; 12]);
        (self.held, self.progress, self.rows) = (Some(held), Progress::default(), None);
        Ok(true)
    }

    /// The counts by row from the top, oldest column first. Waits for the device: for tests.
    pub fn counts(&self) -> Option<(Sight, Vec<Vec<u32>>)> {
        let (sight, held) = (self.progress.sight()?, self.held.as_ref()?);
        let size = (sight.columns * sight.rows * 4) as u64;
        let read = buffer(&self.device, size, BufferUsages::MAP_READ);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&held.counts, 0, &read, 0, size);
        self.queue.submit([encoder.finish()]);
        read.map_async(wgpu::MapMode::Read, .., |_| {});
        self.device.poll(wgpu::PollType::wait_indefinitely()).ok()?;
        let bytes = read.get_mapped_range(..).ok()?;
        let all: Vec<u32> = bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let first = (sight.first % sight.columns as u64) as usize;
        let row = |row: &[u32]| row[first..].iter().chain(&row[..first]).copied().collect();
        Some((sight, all.chunks(sight.columns).map(row).collect()))
    }
}

/// What the device gives, or what it says in place of it.
fn guarded<T>(device: &Device, make: impl FnOnce() -> T) -> Result<T, String> {
    let scopes = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation].map(|filter| device.push_error_scope(filter));
    let made = make();
    let [memory, validation] = scopes;
    // The innermost scope was pushed last.
    let errors = [validation, memory].map(|scope| pollster::block_on(scope.pop()));
    errors.into_iter().flatten().next().map_or(Ok(made), |e| Err(e.to_string()))
}

fn buffer(device: &Device, size: u64, usage: BufferUsages) -> Buffer {
    let usage = usage | BufferUsages::COPY_DST;
    device.create_buffer(&wgpu::BufferDescriptor { label: Some("density"), size, usage, mapped_at_creation: false })
}

fn entry(binding: usize, resource: wgpu::BindingResource) -> wgpu::BindGroupEntry {
    wgpu::BindGroupEntry { binding: binding as u32, resource }
}

/// As `shaders/density.wgsl` has it: five storage buffers of the eight that every device has.
fn layout(device: &Device) -> BindGroupLayout {
    let of = |ty| wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None };
    let storage = |read_only| of(wgpu::BufferBindingType::Storage { read_only });
    let texture = wgpu::BindingType::StorageTexture {
        access: wgpu::StorageTextureAccess::WriteOnly,
        format: wgpu::TextureFormat::Rgba8Unorm,
        view_dimension: wgpu::TextureViewDimension::D2,
    };
    let all = [of(wgpu::BufferBindingType::Uniform), storage(false), storage(true), storage(true), storage(false), storage(true), texture];
    let entry = |(binding, ty): (usize, &wgpu::BindingType)| wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: *ty,
        count: None,
    };
    let entries: Vec<_> = all.iter().enumerate().map(entry).collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some("density"), entries: &entries })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Harvest, Spike};
    use crate::session::live::History;
    use crate::view::density::Density;
    use crate::view::rows::Choice;
    use std::sync::Arc;

    fn device() -> Option<(Device, Queue)> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let opened = pollster::block_on(async {
            let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await.map_err(|e| e.to_string())?;
            adapter.request_device(&wgpu::DeviceDescriptor::default()).await.map_err(|e| e.to_string())
        });
        match opened {
            Ok(opened) => Some(opened),
            Err(e) if std::env::var_os("CI").is_none() => {
                println!("SKIPPED: {e}");
                None
            }
            Err(e) => panic!("{e}"),
        }
    }

    #[test]
    fn the_device_counts_what_the_processor_counts_while_time_goes_on_and_the_sight_moves() {
        let Some((device, queue)) = device() else { return };
        let (mut tally, mut density) = (Tally::new(&device, &queue).unwrap(), Density::default());
        let rows = [Choice::All, Choice::Every(3)].map(|c| Rows::new(&[(0, 3000), (3000, 800)], &c, std::iter::empty(), &|_| None));
        let (mut history, mut seed, mut step) = (History::default(), 11u64, 0u64);
        let mut random = |n: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) % n
        };
        for round in 0..40u64 {
            let steps = 1 + random(60);
            // Once there are more than go to the device at a time.
            let count = if round == 20 { PORTION as u64 * 2 + 99 } else { random(4000) };
            let one = |_| Spike { step: (step + 1 + random(steps)) as u32, neuron: random(3800) as u32 };
            let mut spikes: Vec<Spike> = (0..count).map(one).collect();
            spikes.sort_unstable();
            history.take(Harvest { from: step, to: step + steps, spikes, ..Harvest::default() }, &Arc::from([]), usize::MAX);
            step += steps;
            let frame = Frame { step, chunks: history.chunks(), generation: 1, ..Frame::default() };
            let (per, columns) = (1 + round / 15, if round > 30 { 300 } else { 90 });
            let follow = step.div_ceil(per).saturating_sub(columns as u64);
            let first = if round % 9 == 8 { follow / 2 } else { follow };
            let (low, high) = if round % 13 > 9 { (0.31, 0.57) } else { (0.0, 1.0) };
            let sight = Sight { first, per, columns, rows: 70, low, high };
            let which = usize::from(round > 25);
            let paint = Paint { tints: &[u32::MAX; 70], ground: 0, moving: false };
            tally.update(&frame, &rows[which], which as u64, sight, &paint).unwrap();
            density.update(&frame, &rows[which], which as u64, sight);
            let due: Vec<Vec<u32>> = (0..sight.rows).map(|r| density.row(r).collect()).collect();
            assert!(tally.counts().unwrap() == (sight, due), "round {round}");
        }
        // A network that is too large for its bindings is refused, and the processor counts it.
        let huge = Sight { first: 0, per: 1, columns: 100_000, rows: 70, low: 0.0, high: 1.0 };
        assert!(tally.update(&Frame::default(), &rows[0], 0, huge, &Paint { tints: &[], ground: 0, moving: false }).is_err());
    }
}
