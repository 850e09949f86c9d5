//! The two pipelines, and a batch as dispatches. Knows no number of the network.

use super::Device;
use super::build::CHUNK;
use super::classes::Classes;
use super::memory::Memory;
use super::memory::Shard;

pub struct Kernels {
    update: wgpu::ComputePipeline,
    deliver: wgpu::ComputePipeline,
    layouts: [wgpu::BindGroupLayout; 2],
    /// Text of the update kernel.
    text: String,
}

/// Workgroups of a dispatch in one dimension.
const WIDEST: u32 = 65_535;
/// Which bindings of update and delivery are only read.
const UPDATE: [bool; 8] = [true, true, true, false, false, false, false, false];
const DELIVER: [bool; 6] = [true, true, true, true, false, false];

impl Kernels {
    pub fn new(device: &Device, classes: &Classes) -> Result<Self, String> {
        let layouts = [layout(device, &UPDATE), layout(device, &DELIVER)];
        let text = classes.kernel();
        Ok(Self {
            update: pipeline(device, "update", &text, &layouts[0])?,
            deliver: pipeline(device, "deliver", &delivery(), &layouts[1])?,
            layouts,
            text,
        })
    }

    /// Builds the update again where an edit has changed its text.
    pub fn update(&mut self, device: &Device, classes: &Classes) -> Result<(), String> {
        let text = classes.kernel();
        if text != self.text {
            self.update = pipeline(device, "update", &text, &self.layouts[0])?;
            self.text = text;
        }
        Ok(())
    }

    /// Bind groups of every shard.
    pub fn bind(&self, device: &Device, memory: &mut Memory) {
        let group = |l: usize, buffers: &[&wgpu::Buffer]| {
            let entries: Vec<_> = buffers
                .iter()
                .enumerate()
                .map(|(i, b)| wgpu::BindGroupEntry { binding: i as u32, resource: b.as_entire_binding() })
                .collect();
            device.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &self.layouts[l], entries: &entries })
        };
        for shard in &mut memory.shards {
            let [info, numbers, state, ring] = &shard.update;
            let update = group(0, &[info, numbers, &memory.waves, state, ring, &memory.work, &memory.log, &memory.samples]);
            let deliver = group(1, &[info, &shard.ends, &shard.synapses, &memory.work, ring, &memory.log]);
            shard.bound = Some([update, deliver]);
        }
    }

    /// One batch: update of every shard, then delivery to every shard.
    pub fn batch(&self, pass: &mut wgpu::ComputePass<'_>, shards: &[Shard], batch: [u32; 4], grid: u32) {
        pass.set_pipeline(&self.update);
        pass.set_immediates(0, bytemuck::cast_slice(&batch));
        for (shard, [update, _]) in bound(shards) {
            pass.set_bind_group(0, update, &[]);
            let wide = shard.groups.clamp(1, WIDEST);
            pass.dispatch_workgroups(wide, shard.groups.div_ceil(wide).max(1), 1);
        }
        pass.set_pipeline(&self.deliver);
        pass.set_immediates(0, bytemuck::cast_slice(&batch));
        for (_, [_, deliver]) in bound(shards).filter(|(s, _)| s.count > 0) {
            pass.set_bind_group(0, deliver, &[]);
            pass.dispatch_workgroups(grid, 1, 1);
        }
    }
}

fn bound(shards: &[Shard]) -> impl Iterator<Item = (&Shard, &[wgpu::BindGroup; 2])> {
    shards.iter().filter_map(|s| s.bound.as_ref().map(|b| (s, b)))
}

/// The delivery kernel, complete.
pub fn delivery() -> String {
    include_str!("../../../shaders/deliver.wgsl").replace("{{CHUNK}}", &CHUNK.to_string())
}

fn pipeline(device: &Device, entry: &str, wgsl: &str, layout: &wgpu::BindGroupLayout) -> Result<wgpu::ComputePipeline, String> {
    let layout = device.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(entry),
        bind_group_layouts: &[Some(layout)],
        immediate_size: 16,
    });
    device.pipeline(entry, wgsl, &layout)
}

fn layout(device: &Device, read_only: &[bool]) -> wgpu::BindGroupLayout {
    let entries: Vec<_> = read_only
        .iter()
        .enumerate()
        .map(|(i, read_only)| wgpu::BindGroupLayoutEntry {
            binding: i as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only: *read_only },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    device.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
}
