//! What tests of networks share: scenes from text, machines to run them on, runs in batches. Holds no test.
#![allow(dead_code, reason = "each test uses some of it")]

pub mod coupled;
pub mod learning;
pub mod voltage;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use synfire::base::problem::{Problem, Source};
#[cfg(feature = "gpu")]
use synfire::engine::gpu::Device;
use synfire::network::Network;
use synfire::plan::{Connection, Harvest, Plan, State, connections, plan, resumed};
use synfire::scene::{Options, Scene};
use synfire::session::{Backend, Command, Machine, Origin, Simulation, choose};

/// The CPU engine, and the GPU engine where there is an adapter; without one the tests say so, and in CI they fail.
pub fn machines() -> &'static [Machine] {
    static MACHINES: OnceLock<Vec<Machine>> = OnceLock::new();
    MACHINES.get_or_init(open)
}

fn open() -> Vec<Machine> {
    let cpu = choose(Backend::Cpu, None).unwrap().0;
    match choose(Backend::Gpu, None) {
        Ok((gpu, _)) => vec![cpu, gpu],
        Err(e) if std::env::var_os("CI").is_some() && cfg!(feature = "gpu") => panic!("CI must have an adapter: {e}"),
        Err(e) => {
            eprintln!("SKIPPED on the GPU engine: {e}");
            vec![cpu]
        }
    }
}

/// The device of the GPU engine, where there is one; without one the tests say so, and in CI they fail.
#[cfg(feature = "gpu")]
pub fn device() -> Option<&'static Arc<Device>> {
    static DEVICE: OnceLock<Option<Arc<Device>>> = OnceLock::new();
    let opened = DEVICE.get_or_init(|| match Device::open(None) {
        Ok(device) => Some(Arc::new(device)),
        Err(e) if std::env::var_os("CI").is_some() => panic!("CI must have an adapter: {e}"),
        Err(e) => {
            eprintln!("SKIPPED: {e}");
            None
        }
    });
    opened.as_ref()
}

pub fn cpu() -> Machine {
    choose(Backend::Cpu, None).unwrap().0
}

pub fn origin(text: &str, folder: Option<&Path>, set: &[(&str, &str)]) -> Origin {
    let source = Arc::new(Source { name: "test.toml".into(), text: text.into() });
    let set = set.iter().map(|(a, v)| (a.to_string(), v.to_string())).collect();
    Origin { source, folder: folder.map(Path::to_path_buf), options: Options { set, ..Options::default() } }
}

pub fn rendered(problems: &[Problem]) -> String {
    problems.iter().map(Problem::render).collect()
}

pub fn load(origin: &Origin) -> Scene {
    origin.load().unwrap_or_else(|p| panic!("{}", rendered(&p)))
}

/// The network of a scene.
pub fn network_of(text: &str) -> Network {
    load(&origin(text, None, &[])).network
}

/// A simulation from the start, or from a state.
pub fn start(origin: Origin, machine: &Machine, state: Option<&State>) -> Simulation {
    let scene = load(&origin);
    let plan = match state {
        Some(state) => resumed(&scene.network, &state.scales).unwrap(),
        None => plan(&scene.network).unwrap(),
    };
    Simulation::new(origin, scene, Arc::new(plan), machine, state).unwrap()
}

/// Advances in batches and joins what they bring.
pub fn advance(simulation: &mut Simulation, steps: u64, batch: u64) -> Harvest {
    let end = simulation.step() + steps;
    let mut all = Harvest { from: simulation.step(), to: end, ..Harvest::default() };
    while simulation.step() < end {
        let part = simulation.advance(batch.min(end - simulation.step())).unwrap();
        all.spikes.extend(part.spikes);
        all.samples.extend(part.samples);
        all.events += part.events;
    }
    all
}

/// A scene from the start over `steps`.
pub fn run(text: &str, machine: &Machine, steps: u64) -> Harvest {
    advance(&mut start(origin(text, None, &[]), machine, None), steps, steps)
}

/// All synapses of a plan, by projection.
pub fn synapses(plan: &Plan) -> Vec<Vec<Connection>> {
    let of = |p| {
        let mut out = Vec::new();
        connections(plan, p, |c| out.push(c));
        out
    };
    plan.projections.iter().map(of).collect()
}

/// The plan of a scene.
pub fn planned(text: &str) -> Arc<Plan> {
    Arc::new(plan(&network_of(text)).unwrap())
}

/// A file of tests/reference.
pub fn reference(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)
}

/// The arrays of an npz of one-dimensional f64 in tests/reference.
pub fn npz(name: &str) -> BTreeMap<String, Vec<f64>> {
    let mut zip = zip::ZipArchive::new(File::open(reference(name)).unwrap()).unwrap();
    let mut out = BTreeMap::new();
    for i in 0..zip.len() {
        let mut file = zip.by_index(i).unwrap();
        let key = file.name().trim_end_matches(".npy").to_string();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert!(String::from_utf8_lossy(&bytes[10..header]).contains("'<f8'"), "{name} {key}");
        out.insert(key, bytes[header..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect());
    }
    out
}

/// On the CPU engine an edit after 1,000 steps gives the spikes of a start from there with the new value, and not those of the old.
pub fn edit_equals_restart(text: &str, address: &str, value: &str, steps: u64) {
    let mut edited = start(origin(text, None, &[]), &cpu(), None);
    advance(&mut edited, 1000, 300);
    let state = edited.save().unwrap();
    edited.apply(Command::Set { address: address.into(), value: value.into() }).unwrap_or_else(|e| panic!("{address}: {e}"));
    let after = advance(&mut edited, steps, 400);
    let mut restarted = start(origin(text, None, &[(address, value)]), &cpu(), Some(&state));
    assert!(after.spikes == advance(&mut restarted, steps, steps).spikes, "{address}");
    let mut left = start(origin(text, None, &[]), &cpu(), Some(&state));
    assert!(after.spikes != advance(&mut left, steps, steps).spikes, "{address} must make a difference");
}
