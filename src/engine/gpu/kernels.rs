//! The pipelines, and a batch as dispatches. Knows no number of the network.

use std::sync::{Arc, OnceLock};

use super::Device;
use super::classes::Classes;
use super::grain::Grain;
use super::memory::{Memory, Shard};
use super::wires::{HEADER, RECORD, WALKS, item_words};
use super::{modulators, plastic, rules};
use crate::plan::Plan;

/// Workgroups of a dispatch in one dimension.
const WIDEST: u32 = 65_535;
/// Which bindings are only read.
const UPDATE: [bool; 8] = [true, true, true, false, false, false, false, false];
const DELIVER: [bool; 8] = [true, true, true, true, true, true, false, false];
const CHANGE: [bool; 8] = [true, true, true, false, false, false, false, true];
const COUNT: [bool; 2] = [true, false];
const FILL: [bool; 4] = [true, true, false, false];

/// A pipeline of one bind group.
pub struct Kernel {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
    group: u32,
}

impl Kernel {
    fn new(device: &Device, entry: &str, wgsl: &str, read_only: &[bool], group: u32) -> Result<Self, String> {
        let layout = layout(device, read_only);
        let pipeline = device.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(entry),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 16,
        });
        Ok(Self { pipeline: device.pipeline(entry, wgsl, group, &pipeline)?, layout, group })
    }

    pub fn bind(&self, device: &Device, buffers: &[&wgpu::Buffer]) -> wgpu::BindGroup {
        let each = buffers.iter().enumerate();
        let entries: Vec<_> = each.map(|(i, b)| wgpu::BindGroupEntry { binding: i as u32, resource: b.as_entire_binding() }).collect();
        device.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &self.layout, entries: &entries })
    }

    /// One thread for each of the third word of `portion`.
    pub fn run(&self, pass: &mut wgpu::ComputePass<'_>, bound: &wgpu::BindGroup, portion: [u32; 4]) {
        pass.set_pipeline(&self.pipeline);
        pass.set_immediates(0, bytemuck::cast_slice(&portion));
        pass.set_bind_group(0, bound, &[]);
        pass.dispatch_workgroups(portion[2].div_ceil(self.group), 1, 1);
    }

    /// A fixed grid for a batch.
    fn stride(&self, pass: &mut wgpu::ComputePass<'_>, bound: &wgpu::BindGroup, batch: [u32; 4], grid: u32) {
        pass.set_pipeline(&self.pipeline);
        pass.set_immediates(0, bytemuck::cast_slice(&batch));
        pass.set_bind_group(0, bound, &[]);
        pass.dispatch_workgroups(grid, 1, 1);
    }
}

/// The kernels that are the same for every network: those that build rows, and the deliveries.
pub struct Fixed {
    /// What counts and fills rows, without and with those that depend on distances. Made when first needed, as all are.
    building: [OnceLock<Arc<[Kernel; 2]>>; 2],
    /// Of stored rows alone, and of rows of both kinds; then the same where spikes have a factor; then all with distances.
    deliveries: [OnceLock<Arc<Kernel>>; 8],
    grain: Grain,
}

impl Fixed {
    /// Made once for a device, unless a test asks for another grain.
    pub fn of(device: &Device, grain: Grain) -> Arc<Self> {
        let made = || Arc::new(Self { building: Default::default(), deliveries: Default::default(), grain });
        let known = device.fixed.get_or_init(made);
        if known.grain == grain { known.clone() } else { made() }
    }

    /// What counts and what fills the rows of a plan.
    pub fn building(&self, device: &Device, plan: &Plan) -> Result<Arc<[Kernel; 2]>, String> {
        let near = near(plan);
        let place = &self.building[usize::from(near)];
        if let Some(made) = place.get() {
            return Ok(made.clone());
        }
        let [count, fill] = building(self.grain, near);
        let count = Kernel::new(device, "count", &count, &COUNT, self.grain.group)?;
        let made = Arc::new([count, Kernel::new(device, "fill", &fill, &FILL, self.grain.group)?]);
        Ok(place.get_or_init(|| made).clone())
    }

    /// The delivery; with `drawn`, also of rows that are drawn, with `factor`, of spikes that have one, and with `near`, of rows
    /// that depend on distances.
    fn deliver(&self, device: &Device, drawn: bool, factor: bool, near: bool) -> Result<Arc<Kernel>, String> {
        let near = near && drawn;
        let place = &self.deliveries[usize::from(drawn) + 2 * usize::from(factor) + 4 * usize::from(near)];
        if let Some(made) = place.get() {
            return Ok(made.clone());
        }
        let text = delivery(self.grain, drawn, factor, near);
        let made = Arc::new(Kernel::new(device, "deliver", &text, &DELIVER, self.grain.deliver)?);
        Ok(place.get_or_init(|| made).clone())
    }
}

/// Whether any rows that the device draws depend on distances.
fn near(plan: &Plan) -> bool {
    plan.projections.iter().any(|p| p.between.is_some())
}

/// The kernels of a batch.
pub struct Kernels {
    update: Kernel,
    deliver: Arc<Kernel>,
    /// Of rows whose weights change: those with spikes, and all where a history is nearly full.
    changes: Option<[Kernel; 2]>,
    /// What the spikes of modulators do, where there are any: bound as the changes are.
    modulate: Option<Kernel>,
    /// Text of the update kernel.
    text: String,
    /// Workgroups of a dispatch in one dimension, at most.
    wide: u32,
}

impl Kernels {
    pub fn new(device: &Device, classes: &Classes, grain: Grain, plan: &Plan, wide: Option<u32>) -> Result<Self, String> {
        let (group, text) = (grain.group, classes.kernel(grain.group));
        let drawn = plan.projections.iter().any(|p| p.procedural());
        let deliver = Fixed::of(device, grain).deliver(device, drawn, !plan.traces.is_empty(), near(plan))?;
        let (mut changes, mut modulate) = (None, None);
        if plastic::any(plan) {
            let text = changing(grain, plan);
            let kernel = |entry| Kernel::new(device, entry, &text, &CHANGE, group);
            changes = Some([kernel("change")?, kernel("settle")?]);
            modulate = (!plan.modulators.is_empty()).then(|| kernel("modulate")).transpose()?;
        }
        let update = Kernel::new(device, "update", &text, &UPDATE, group)?;
        Ok(Self { update, deliver, changes, modulate, text, wide: wide.unwrap_or(WIDEST).clamp(1, WIDEST) })
    }

    /// Builds the update again where an edit has changed its text.
    pub fn update(&mut self, device: &Device, classes: &Classes) -> Result<(), String> {
        let text = classes.kernel(self.update.group);
        if text != self.text {
            self.update = Kernel::new(device, "update", &text, &UPDATE, self.update.group)?;
            self.text = text;
        }
        Ok(())
    }

    /// Bind groups of every shard.
    pub fn bind(&self, device: &Device, memory: &mut Memory) {
        for shard in &mut memory.shards {
            let s = &*shard;
            let update = [&s.info, &s.numbers, &memory.waves, &s.state, &s.ring, &memory.work, &memory.log, &memory.samples];
            let deliver = [&s.info, &s.wires, &s.ends, &s.synapses, &s.weights, &memory.work, &s.ring, &memory.log];
            let change = [&s.wires, &s.ends, &s.synapses, &s.weights, &memory.work, &s.ring, &memory.log, &s.state];
            let changes = self.changes.as_ref().map(|kernels| kernels.each_ref().map(|k| k.bind(device, &change)));
            let modulate = self.modulate.as_ref().map(|k| k.bind(device, &change));
            shard.bound = Some([self.update.bind(device, &update), self.deliver.bind(device, &deliver)]);
            (shard.changes, shard.modulate) = (changes, modulate);
        }
    }

    /// One batch: update of every shard, then delivery to every shard, and where weights change what `changes` does.
    pub fn batch(&self, pass: &mut wgpu::ComputePass<'_>, shards: &[Shard], batch: [u32; 4], grid: u32) {
        pass.set_pipeline(&self.update.pipeline);
        pass.set_immediates(0, bytemuck::cast_slice(&batch));
        for (shard, [update, _]) in bound(shards) {
            pass.set_bind_group(0, update, &[]);
            let wide = shard.groups.clamp(1, self.wide);
            pass.dispatch_workgroups(wide, shard.groups.div_ceil(wide).max(1), 1);
        }
        self.deliver(pass, shards, batch, grid);
        // What modulators have is shared by all shards.
        if let (Some(modulate), Some(bound)) = (&self.modulate, shards.first().and_then(|s| s.modulate.as_ref())) {
            modulate.stride(pass, bound, batch, 1);
        }
        if let Some([change, settle]) = &self.changes {
            let each = |which: usize| shards.iter().filter_map(move |s| s.changes.as_ref().map(|c| &c[which]));
            each(0).for_each(|bound| change.stride(pass, bound, batch, grid));
            each(1).for_each(|bound| settle.stride(pass, bound, batch, grid));
        }
    }

    /// Brings all weights that change up to the end of the batch, if the list says so.
    pub fn settle(&self, pass: &mut wgpu::ComputePass<'_>, shards: &[Shard], batch: [u32; 4], grid: u32) {
        let Some([_, settle]) = &self.changes else { return };
        shards.iter().filter_map(|s| s.changes.as_ref()).for_each(|bound| settle.stride(pass, &bound[1], batch, grid));
    }

    /// Delivers what stands in a work list.
    pub fn deliver(&self, pass: &mut wgpu::ComputePass<'_>, shards: &[Shard], batch: [u32; 4], grid: u32) {
        pass.set_pipeline(&self.deliver.pipeline);
        pass.set_immediates(0, bytemuck::cast_slice(&batch));
        for (_, [_, deliver]) in bound(shards).filter(|(s, _)| s.receives) {
            pass.set_bind_group(0, deliver, &[]);
            pass.dispatch_workgroups(grid, 1, 1);
        }
    }
}

fn bound(shards: &[Shard]) -> impl Iterator<Item = (&Shard, &[wgpu::BindGroup; 2])> {
    shards.iter().filter_map(|s| s.bound.as_ref().map(|b| (s, b)))
}

/// What factors are and do.
pub const FACTOR: &str = include_str!("../../../shaders/lib/factor.wgsl");

const MATH: &str = include_str!("../../../shaders/lib/math.wgsl");

/// With all that draws rows; by distance too, if any row depends on it.
fn composed(text: &str, grain: Grain, group: u32, near: bool) -> String {
    let philox = include_str!("../../../shaders/lib/philox.wgsl");
    let distance =
        if near { include_str!("../../../shaders/lib/distance.wgsl") } else { include_str!("../../../shaders/lib/placeless.wgsl") };
    let lib = [MATH, philox, include_str!("../../../shaders/lib/wiring.wgsl"), distance, FACTOR];
    filled(&[&lib[..], &[text]].concat(), grain, group)
}

fn filled(parts: &[&str], grain: Grain, group: u32) -> String {
    let numbers = [
        ("{{GROUP}}", group),
        ("{{CHUNK}}", grain.chunk),
        ("{{WALKS}}", WALKS),
        ("{{HEADER}}", HEADER as u32),
        ("{{RECORD}}", RECORD as u32),
        ("{{ITEM}}", plastic::ITEM),
        ("{{DEPTH}}", Plan::MODULATOR_HISTORY as u32 - 1),
    ];
    numbers.iter().fold(parts.join("\n"), |text, (token, n)| text.replace(token, &n.to_string()))
}

/// The delivery kernel, complete. What draws rows stands in it only if rows are drawn: a processor with wide vectors goes
/// through both sides of a branch, and drawing is by far the longer one.
fn delivery(grain: Grain, drawn: bool, factor: bool, near: bool) -> String {
    let stored = "stored_chunk(p, row, work.items[item + 2u], lane);";
    let both = "if (wires[p + 30u] == 0u) { stored_chunk(p, row, work.items[item + 2u], lane); } \
                else { drawn_chunk(p, row - wires[p + 26u], work.items[item + 2u], lane); }";
    let text = include_str!("../../../shaders/deliver.wgsl").replace("{{CHUNKS}}", if drawn { both } else { stored });
    let (declared, take) = if factor {
        (
            "var<private> factor: u32;\n\nfn times_factor(weight: i32) -> i32 {\n    return scaled(weight, factor);\n}\n",
            "factor = work.items[item + 3u];",
        )
    } else {
        ("fn times_factor(weight: i32) -> i32 {\n    return weight;\n}\n", "")
    };
    let item = item_words(factor).to_string();
    composed(&text.replace("{{FACTOR}}", declared).replace("{{TAKE}}", take).replace("{{ITEM}}", &item), grain, grain.deliver, near)
}

/// The kernels of weights that change, complete.
fn changing(grain: Grain, plan: &Plan) -> String {
    let [functions, changes, settles] = rules::functions(plan);
    let text = include_str!("../../../shaders/change.wgsl");
    let text = [text, &modulators::kernel(plan)].concat();
    let text = text.replace("{{RULES}}", &functions).replace("{{CHANGES}}", &changes).replace("{{SETTLES}}", &settles);
    self::filled(&[MATH, &text], grain, grain.group)
}

/// The kernels that count and fill rows, complete.
fn building(grain: Grain, near: bool) -> [String; 2] {
    [include_str!("../../../shaders/count.wgsl"), include_str!("../../../shaders/fill.wgsl")]
        .map(|text| composed(text, grain, grain.group, near))
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
