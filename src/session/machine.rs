//! Where a network runs: which engine on which device, and why. Opens devices; knows no scene and no time.

use crate::engine::cpu::{Cpu, Phases, Setup};
#[cfg(feature = "gpu")]
use crate::engine::gpu::{Device, Forced, Gpu};
use crate::plan::{Harvest, Plan, State};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A real GPU, else the CPU.
    Auto,
    Cpu,
    Gpu,
}

/// A place to run networks.
#[derive(Clone)]
pub enum Machine {
    /// On so many threads, or as many as pay.
    Cpu { threads: Option<usize> },
    #[cfg(feature = "gpu")]
    Gpu { device: Arc<Device>, exact: Result<(), String> },
}

/// What a report says of a machine.
#[derive(Clone, Debug)]
pub struct Description {
    pub engine: &'static str,
    pub device: String,
    pub driver: String,
    /// Whether the self-test gave the bits of the CPU engine; if not, what differed.
    pub exact: Result<(), String>,
    /// Largest binding in bytes, where there is such a limit.
    pub binding: Option<u64>,
}

/// Chooses a machine, and says why in a sentence.
pub fn choose(backend: Backend, device: Option<&str>) -> Result<(Machine, String), String> {
    match backend {
        Backend::Cpu if device.is_some() => Err("--device names a GPU: leave it out, or take --backend gpu".into()),
        Backend::Cpu => Ok((Machine::Cpu { threads: None }, "CPU: asked for".into())),
        Backend::Gpu => gpu(device),
        Backend::Auto if device.is_some() => gpu(device),
        Backend::Auto => automatic(),
    }
}

#[cfg(feature = "gpu")]
fn gpu(wish: Option<&str>) -> Result<(Machine, String), String> {
    let device = Device::open(wish)?;
    let name = device.listed.name.clone();
    let device = Arc::new(device);
    let exact = super::selftest::run(&device);
    let said = if exact.is_ok() { "bit-exact with the CPU engine" } else { "not bit-exact with the CPU engine" };
    Ok((Machine::Gpu { device, exact }, format!("{name}: asked for; {said}")))
}

#[cfg(feature = "gpu")]
fn automatic() -> Result<(Machine, String), String> {
    let real = crate::engine::gpu::devices().iter().position(|d| !d.software);
    match real {
        // A GPU that cannot be opened is no reason not to run.
        Some(i) => gpu(Some(&i.to_string()))
            .map(|(machine, why)| (machine, why.replace("asked for", "the first real GPU")))
            .or_else(|e| Ok((Machine::Cpu { threads: None }, format!("CPU: {e}")))),
        None => Ok((Machine::Cpu { threads: None }, "CPU: no GPU was found".into())),
    }
}

#[cfg(not(feature = "gpu"))]
fn gpu(_: Option<&str>) -> Result<(Machine, String), String> {
    Err("this program was built without the GPU engine (feature `gpu`): leave out --backend gpu and --device".into())
}

#[cfg(not(feature = "gpu"))]
fn automatic() -> Result<(Machine, String), String> {
    Ok((Machine::Cpu { threads: None }, "CPU: built without the GPU engine".into()))
}

impl Machine {
    /// The same machine, the CPU engine on so many threads.
    pub fn with_threads(self, count: Option<usize>) -> Self {
        match self {
            Machine::Cpu { .. } => Machine::Cpu { threads: count },
            #[cfg(feature = "gpu")]
            gpu => gpu,
        }
    }

    /// Whether it is a GPU that software stands in for.
    pub fn is_software(&self) -> bool {
        match self {
            Machine::Cpu { .. } => false,
            #[cfg(feature = "gpu")]
            Machine::Gpu { device, .. } => device.listed.software,
        }
    }

    pub fn describe(&self) -> Description {
        match self {
            Machine::Cpu { .. } => Description { engine: "cpu", device: "CPU".into(), driver: String::new(), exact: Ok(()), binding: None },
            #[cfg(feature = "gpu")]
            Machine::Gpu { device, exact } => Description {
                engine: "gpu",
                device: device.listed.name.clone(),
                driver: format!("{} {}", device.listed.backend, device.listed.driver),
                exact: exact.clone(),
                binding: Some(device.limit),
            },
        }
    }
}

/// Seconds since the program first asked.
fn now() -> f64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64()
}

/// A network in an engine's memory.
pub enum Engine {
    Cpu(Box<Cpu>),
    #[cfg(feature = "gpu")]
    Gpu(Box<Gpu>),
}

impl Engine {
    pub fn new(plan: Arc<Plan>, machine: &Machine) -> Result<Self, String> {
        Ok(match machine {
            Machine::Cpu { threads } => Engine::Cpu(Box::new(Cpu::with(plan, Setup { threads: *threads, batch: None })?)),
            #[cfg(feature = "gpu")]
            Machine::Gpu { device, .. } => Engine::Gpu(Box::new(Gpu::new(plan, device.clone(), Forced::default())?)),
        })
    }

    pub fn adopt(&mut self, plan: Arc<Plan>) -> Result<(), String> {
        match self {
            Engine::Cpu(e) => e.adopt(plan),
            #[cfg(feature = "gpu")]
            Engine::Gpu(e) => e.adopt(plan),
        }
    }

    pub fn save(&self) -> Result<State, String> {
        match self {
            Engine::Cpu(e) => Ok(e.save()),
            #[cfg(feature = "gpu")]
            Engine::Gpu(e) => e.save(),
        }
    }

    pub fn restore(&mut self, state: &State) {
        match self {
            Engine::Cpu(e) => e.restore(state),
            #[cfg(feature = "gpu")]
            Engine::Gpu(e) => e.restore(state),
        }
    }

    /// The weights of a projection, in canonical order and units of the largest, if they change.
    pub fn weights(&self, projection: usize) -> Result<Option<Vec<f32>>, String> {
        match self {
            Engine::Cpu(e) => Ok(e.weights(projection)),
            #[cfg(feature = "gpu")]
            Engine::Gpu(e) => e.weights(projection),
        }
    }

    pub fn step(&self) -> u64 {
        match self {
            Engine::Cpu(e) => e.step(),
            #[cfg(feature = "gpu")]
            Engine::Gpu(e) => e.step(),
        }
    }

    pub fn synapse_bytes(&self) -> u64 {
        match self {
            Engine::Cpu(e) => e.synapse_bytes(),
            #[cfg(feature = "gpu")]
            Engine::Gpu(e) => e.synapse_bytes(),
        }
    }

    /// Measures the seconds of each phase from now on, where the engine can.
    pub fn measure(&mut self) {
        match self {
            Engine::Cpu(e) => e.measure(now),
            #[cfg(feature = "gpu")]
            Engine::Gpu(_) => {}
        }
    }

    /// Where the time went so far, if it is measured.
    pub fn phases(&self) -> Option<Phases> {
        match self {
            Engine::Cpu(e) => Some(e.phases()),
            #[cfg(feature = "gpu")]
            Engine::Gpu(_) => None,
        }
    }

    /// Steps that are taken at once.
    pub fn batch(&self) -> u64 {
        match self {
            Engine::Cpu(e) => e.batch(),
            #[cfg(feature = "gpu")]
            Engine::Gpu(e) => u64::from(e.shape().0),
        }
    }

    /// Threads that step the network.
    pub fn threads(&self) -> usize {
        match self {
            Engine::Cpu(e) => e.threads(),
            #[cfg(feature = "gpu")]
            Engine::Gpu(_) => 1,
        }
    }

    pub fn advance(&mut self, steps: u64) -> Result<Harvest, String> {
        match self {
            Engine::Cpu(e) => e.advance(steps),
            #[cfg(feature = "gpu")]
            Engine::Gpu(e) => e.advance(steps),
        }
    }
}

/// A device of the GPU engine, and the outcome of its self-test.
#[derive(Clone, Debug)]
pub struct Tested {
    pub number: usize,
    pub name: String,
    pub kind: String,
    pub driver: String,
    pub binding: u64,
    pub exact: Result<(), String>,
}

/// Every device that the GPU engine can use, tested.
#[cfg(feature = "gpu")]
pub fn devices() -> Vec<Tested> {
    let test = |(number, d): (usize, crate::engine::gpu::Listed)| Tested {
        number,
        exact: Device::open(Some(&number.to_string())).and_then(|device| super::selftest::run(&Arc::new(device))),
        driver: format!("{} {}", d.backend, d.driver),
        name: d.name,
        kind: d.kind,
        binding: d.binding,
    };
    crate::engine::gpu::devices().into_iter().enumerate().map(test).collect()
}

/// Every device that the GPU engine can use: none, since it was not built.
#[cfg(not(feature = "gpu"))]
pub fn devices() -> Vec<Tested> {
    Vec::new()
}
