//! Adapters and the device. Knows no network.

use std::sync::{Arc, OnceLock};

use super::exact;
use super::kernels::Fixed;
use super::trouble::Trouble;

/// What a user can choose from.
#[derive(Clone, Debug)]
pub struct Listed {
    pub name: String,
    pub kind: String,
    pub backend: String,
    pub driver: String,
    /// Largest storage binding, bytes.
    pub binding: u64,
    /// Runs on a processor, as Mesa's llvmpipe does.
    pub software: bool,
    /// Float operations can be kept as they are written.
    pub exact: bool,
}

/// A device, its queue and its limits.
pub struct Device {
    pub listed: Listed,
    /// Where the device comes from: a window that paints with it needs them.
    pub instance: wgpu::Instance,
    pub adapter: wgpu::Adapter,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    /// Largest binding that is used, bytes.
    pub limit: u64,
    pub trouble: Arc<Trouble>,
    /// Kernels that every network shares, once they have been made.
    pub fixed: OnceLock<Arc<Fixed>>,
}

fn adapters() -> (wgpu::Instance, Vec<wgpu::Adapter>) {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.flags = wgpu::InstanceFlags::from_build_config().with_env();
    let instance = wgpu::Instance::new(descriptor);
    let all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    (instance, all.into_iter().filter(|a| a.features().contains(wgpu::Features::IMMEDIATES)).collect())
}

fn describe(adapter: &wgpu::Adapter) -> Listed {
    let info = adapter.get_info();
    let limits = adapter.limits();
    Listed {
        name: if info.name.is_empty() { "unnamed".into() } else { info.name },
        kind: format!("{:?}", info.device_type),
        backend: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        binding: binding(&limits),
        software: info.device_type == wgpu::DeviceType::Cpu,
        exact: info.backend == wgpu::Backend::Vulkan && adapter.features().contains(wgpu::Features::PASSTHROUGH_SHADERS),
    }
}

fn binding(limits: &wgpu::Limits) -> u64 {
    limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
}

/// The adapters that can run the kernels, real GPUs first.
pub fn devices() -> Vec<Listed> {
    sorted().1.iter().map(describe).collect()
}

fn sorted() -> (wgpu::Instance, Vec<wgpu::Adapter>) {
    let (instance, mut all) = adapters();
    all.sort_by_key(|a| match a.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu | wgpu::DeviceType::VirtualGpu => 1,
        wgpu::DeviceType::Other => 2,
        wgpu::DeviceType::Cpu => 3,
    });
    (instance, all)
}

impl Device {
    /// Opens the device of this number in `devices()`, or whose name contains this text; the first one without a wish.
    pub fn open(wish: Option<&str>) -> Result<Self, String> {
        let (instance, all) = sorted();
        if all.is_empty() {
            return Err(
                "no Vulkan, Metal or DX12 device was found; on Linux, Mesa's mesa-vulkan-drivers holds one for every machine".into()
            );
        }
        let chosen = match wish {
            None => all.first(),
            Some(w) => match w.parse::<usize>() {
                Ok(i) => all.get(i),
                Err(_) => all.iter().find(|a| a.get_info().name.to_lowercase().contains(&w.to_lowercase())),
            },
        };
        let names = || all.iter().enumerate().map(|(i, a)| format!("{i}: {}", a.get_info().name)).collect::<Vec<_>>().join(", ");
        let adapter = chosen.ok_or_else(|| format!("no device {:?}; there is {}", wish.unwrap_or_default(), names()))?;
        Self::of(instance, adapter, adapter.limits())
    }

    /// The first device, asked for no more than every WebGPU device has.
    pub fn modest() -> Result<Self, String> {
        let (instance, all) = sorted();
        let adapter = all.first().ok_or("no device")?;
        Self::of(instance, adapter, wgpu::Limits { max_immediate_size: 16, ..wgpu::Limits::default() })
    }

    fn of(instance: wgpu::Instance, adapter: &wgpu::Adapter, limits: wgpu::Limits) -> Result<Self, String> {
        let listed = describe(adapter);
        let mut features = wgpu::Features::IMMEDIATES;
        if listed.exact {
            features |= wgpu::Features::PASSTHROUGH_SHADERS;
        }
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("synfire"),
            required_features: features,
            required_limits: limits.clone(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|e| format!("{} cannot be used: {e}", listed.name))?;
        let trouble = Trouble::of(&device);
        Ok(Self { limit: binding(&limits), listed, instance, adapter: adapter.clone(), device, queue, trouble, fixed: OnceLock::new() })
    }

    /// A compute pipeline from WGSL. Where the driver allows it, its float operations are kept as written; the ordinary
    /// pipeline is then built too in debug builds, for wgpu's validation of shader against layout.
    pub fn pipeline(&self, entry: &str, wgsl: &str, group: u32, layout: &wgpu::PipelineLayout) -> Result<wgpu::ComputePipeline, String> {
        let build = |module: &wgpu::ShaderModule| {
            self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(entry),
                layout: Some(layout),
                module,
                entry_point: Some(entry),
                compilation_options: Default::default(),
                cache: None,
            })
        };
        let ordinary = || {
            let source = wgpu::ShaderSource::Wgsl(wgsl.into());
            let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
            let pipeline = build(&self.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some(entry), source }));
            match pollster::block_on(scope.pop()) {
                Some(error) => Err(format!("kernel {entry}: {error}")),
                None => Ok(pipeline),
            }
        };
        if !self.listed.exact {
            return ordinary();
        }
        if cfg!(debug_assertions) {
            ordinary()?;
        }
        Ok(build(&exact::passthrough(&self.device, entry, group, exact::spirv(wgsl)?)))
    }
}
