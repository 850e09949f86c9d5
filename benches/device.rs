//! What a device costs, measured with one command: `cargo bench --bench device`, or `-- NAME` for the device of that name.
//!
//! Microseconds per step of a network that is silent and of one with 26 spikes and 100,000 synaptic events per step (as the
//! microcircuit has), by steps of a submission; the same with synapses drawn at every spike; random i32 atomic adds into
//! buffers of several sizes; direct against indirect dispatch; rows of synapses built per second.

use std::sync::Arc;
use std::time::Instant;

use synfire::base::problem::{Problem, Source};
use synfire::engine::gpu::{Device, Forced, Gpu};
use synfire::plan::{Plan, plan};

fn main() {
    // Cargo itself passes `--bench`.
    let wish = std::env::args().skip(1).find(|a| !a.starts_with("--"));
    match Device::open(wish.as_deref()) {
        Ok(device) => measure(&Arc::new(device)),
        Err(e) => println!("no device to measure: {e}"),
    }
}

fn measure(device: &Arc<Device>) {
    println!("{} ({})", device.listed.name, device.listed.driver);
    let heavy = !device.listed.software;
    println!("\nmicroseconds per step       steps of a submission: 1, 10, 100, 1000");
    for (name, spikes, storage) in
        [("silent", 0, "stored"), ("26 spikes, stored", 26, "stored"), ("26 spikes, procedural", 26, "procedural")]
    {
        let network = made(if heavy { 77_169 } else { 10_000 }, spikes, storage);
        let mut gpu = Gpu::new(network, device.clone(), Forced::default()).unwrap_or_else(|e| panic!("{e}"));
        let costs = [1, 10, 100, 1000].map(|steps| format!("{:9.1}", step(&mut gpu, steps)));
        println!("{name:24} {}", costs.join(" "));
    }
    println!("\nnanoseconds per random atomic add");
    for megabytes in [0.3, 5.0, 20.0, 64.0, 256.0] {
        match atomics(device, (megabytes * 1e6) as u64 / 4, if heavy { 1 << 20 } else { 1 << 14 }) {
            Ok(ns) => println!("{megabytes:6} MB {ns:9.4}"),
            Err(e) => println!("{megabytes:6} MB {e}"),
        }
    }
    println!("\nmicroseconds per dispatch of an empty kernel, 1000 in a pass");
    println!("direct   {:9.2}\nindirect {:9.2}", dispatches(device, false), dispatches(device, true));
    println!("\nmillion synapses built per second");
    for rule in [
        "rule = \"fixed_in_degree\"\nin_degree = 1000",
        "rule = \"fixed_probability\"\np = 0.1",
        "rule = \"fixed_total_number\"\ncount = \"1000*n\"",
    ] {
        let plan = built(if heavy { 100_000 } else { 2_000 }, rule);
        let start = Instant::now();
        let gpu = Gpu::new(plan.clone(), device.clone(), Forced::default()).unwrap_or_else(|e| panic!("{e}"));
        let rate = plan.synapses() as f64 / start.elapsed().as_secs_f64() / 1e6;
        println!("{rate:9.1}  {} ({} bytes)", rule.replace('\n', ", "), gpu.synapse_bytes());
    }
}

fn load(text: String) -> Arc<Plan> {
    let source = Arc::new(Source { name: "bench.toml".into(), text });
    let scene = synfire::scene::load(source, None, &Default::default())
        .unwrap_or_else(|p| panic!("{}", p.iter().map(Problem::render).collect::<String>()));
    Arc::new(plan(&scene.network).unwrap_or_else(|e| panic!("{e}")))
}

/// A population that receives, and `spikes` neurons that fire in every step, each onto 3,873 targets.
fn made(size: u32, spikes: u32, storage: &str) -> Arc<Plan> {
    let sources = spikes.max(1);
    let threshold = if spikes == 0 { "x >= 1" } else { "x >= 0" };
    load(format!(
        r#"format = 1
[run]
dt = "0.1 ms"
duration = "1 s"
[models.firing]
equations = "dx/dt = -x/(10 ms)"
threshold = "{threshold}"
reset = "x = 0"
[models.firing.state]
x = "0"
[populations.cells]
model = "iaf_psc_exp"
size = {size}
[populations.sources]
model = "firing"
size = {sources}
[[projections]]
from = "sources"
to = "cells"
rule = "fixed_out_degree"
out_degree = 3873
weight = "redraw(normal(0.1 pA, 0.01 pA), 0, inf)"
delay = "redraw(normal(1.5 ms, 0.75 ms), dt/2, inf)"
storage = "{storage}"
"#
    ))
}

fn built(size: u32, rule: &str) -> Arc<Plan> {
    load(format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[parameters]\nn = {size}\n[populations.cells]\nmodel = \"iaf_psc_exp\"\nsize = \"n\"\n\
         [[projections]]\nfrom = \"cells\"\nto = \"cells\"\n{rule}\nweight = \"1 pA\"\ndelay = \"1.5 ms\"\n"
    ))
}

/// Microseconds per step of submissions of so many steps: the best of several.
fn step(gpu: &mut Gpu, steps: u64) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..(2000 / steps).clamp(3, 100) {
        let start = Instant::now();
        gpu.advance(steps).unwrap_or_else(|e| panic!("{e}"));
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / steps as f64);
    }
    best
}

const ATOMICS: &str = "
@group(0) @binding(0) var<storage, read_write> sums: array<atomic<i32>>;
@compute @workgroup_size(64)
fn adds(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = arrayLength(&sums);
    var x = id.x * 747796405u + 2891336453u;
    for (var i = 0u; i < 64u; i++) {
        x = (x ^ (x >> 15u)) * 0x846CA68Bu + 0x9E3779B9u;
        atomicAdd(&sums[(x ^ (x >> 16u)) % n], 1);
    }
}";

const EMPTY: &str = "
@group(0) @binding(0) var<storage, read_write> sums: array<u32>;
@compute @workgroup_size(64)
fn adds(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x == 0u) { sums[0] += 1u; }
}";

struct Bench<'a> {
    device: &'a Device,
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
}

impl<'a> Bench<'a> {
    fn new(device: &'a Device, text: &str, words: u64) -> Result<Self, String> {
        device.guarded(|| {
            let module = device
                .device
                .create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source: wgpu::ShaderSource::Wgsl(text.into()) });
            let pipeline = device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: None,
                layout: None,
                module: &module,
                entry_point: Some("adds"),
                compilation_options: Default::default(),
                cache: None,
            });
            let sums = device.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: 4 * words,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            });
            let entries = [wgpu::BindGroupEntry { binding: 0, resource: sums.as_entire_binding() }];
            let layout = pipeline.get_bind_group_layout(0);
            let group = device.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries });
            Ok(Self { device, pipeline, group })
        })
    }

    /// Seconds of the best of five passes.
    fn seconds(&self, run: impl Fn(&mut wgpu::ComputePass)) -> f64 {
        let once = || {
            let mut encoder = self.device.device.create_command_encoder(&Default::default());
            {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                pass.set_pipeline(&self.pipeline);
                pass.set_bind_group(0, &self.group, &[]);
                run(&mut pass);
            }
            let start = Instant::now();
            self.device.queue.submit([encoder.finish()]);
            self.device.wait().unwrap_or_else(|e| panic!("{e}"));
            start.elapsed().as_secs_f64()
        };
        (0..5).map(|_| once()).fold(f64::INFINITY, f64::min)
    }
}

fn atomics(device: &Device, words: u64, threads: u32) -> Result<f64, String> {
    let bench = Bench::new(device, ATOMICS, words)?;
    Ok(bench.seconds(|pass| pass.dispatch_workgroups(threads / 64, 1, 1)) * 1e9 / (f64::from(threads) * 64.0))
}

fn dispatches(device: &Device, indirect: bool) -> f64 {
    let bench = Bench::new(device, EMPTY, 16).unwrap_or_else(|e| panic!("{e}"));
    let usage = wgpu::BufferUsages::INDIRECT | wgpu::BufferUsages::COPY_DST;
    let arguments = device.device.create_buffer(&wgpu::BufferDescriptor { label: None, size: 16, usage, mapped_at_creation: false });
    device.queue.write_buffer(&arguments, 0, bytemuck::cast_slice(&[1u32, 1, 1, 0]));
    let seconds = bench.seconds(|pass| {
        for _ in 0..1000 {
            if indirect {
                pass.dispatch_workgroups_indirect(&arguments, 0);
            } else {
                pass.dispatch_workgroups(1, 1, 1);
            }
        }
    });
    seconds * 1e3
}
