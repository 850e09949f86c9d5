//! What tests of synapses that change share: networks of drawn projections, engines of so many threads, what must not change the
//! future, and checkpoints in files. Holds no test.

use std::path::PathBuf;
use std::sync::Arc;

use synfire::engine::cpu::{Cpu, Setup};
#[cfg(feature = "gpu")]
use synfire::engine::gpu::{Device, Forced, Gpu};
use synfire::export::{Checkpoint, read_checkpoint, write_checkpoint};
#[cfg(feature = "gpu")]
use synfire::plan::Harvest;
use synfire::plan::{Plan, State, connections};
use synfire::session::{Command, Machine};

use super::{advance, cpu, machines, origin, planned, start};

/// A projection of fixed probability, with further lines.
pub fn projection(from: &str, to: &str, p: f64, weight: &str, delay: &str, more: &str) -> String {
    format!(
        "[[projections]]\nfrom = \"{from}\"\nto = \"{to}\"\nrule = \"fixed_probability\"\np = {p}\nweight = \"{weight}\"\ndelay = \"{delay}\"\n{more}"
    )
}

pub fn engine(plan: &Arc<Plan>, threads: usize, batch: Option<usize>) -> Cpu {
    Cpu::with(plan.clone(), Setup { threads: Some(threads), batch }).unwrap()
}

pub fn gpu_machine() -> Option<&'static Machine> {
    machines().iter().find(|m| m.describe().engine == "gpu")
}

/// Looks, saves, threads and batches change no bit of what follows, in a network whose first `learning` projections learn, and which
/// spikes more than `least` times in 3000 steps.
pub fn nothing_changes_what_follows(text: &str, learning: usize, least: usize) {
    let plan = planned(text);
    let mut cpu = engine(&plan, 1, None);
    let spikes = cpu.advance(3000).unwrap().spikes;
    assert!(spikes.len() > least, "{} spikes", spikes.len());
    let all = |cpu: &Cpu| (0..learning).map(|i| cpu.weights(i).unwrap()).collect::<Vec<_>>();
    let (state, weights) = (cpu.save(), all(&cpu));
    for (number, p) in weights.iter().enumerate() {
        let (mut begin, projection) = (Vec::new(), &plan.projections[number]);
        connections(&plan, projection, |c| begin.push(projection.plastic.as_ref().unwrap().start(c.weight)));
        let moved = begin.iter().zip(p).filter(|(a, b)| (*a - *b).abs() > 1e-3).count();
        assert!(2 * moved > p.len(), "projection {number}: {moved} of {} weights have moved", p.len());
    }
    for (threads, batch) in [(1, Some(1)), (2, None), (3, Some(3))] {
        let mut other = engine(&plan, threads, batch);
        let mut found = Vec::new();
        for k in 0..30 {
            found.extend(other.advance(100).unwrap().spikes);
            if k % 4 == 0 {
                other.weights(0).unwrap();
            } else if k % 4 == 1 {
                // Going on from what was saved is going on.
                let state = other.save();
                other = engine(&plan, 1 + (threads + k) % 3, [None, Some(1), Some(5)][k % 3]);
                other.restore(&state);
                assert_eq!(other.save(), state);
            }
        }
        assert!(found == spikes && other.save() == state, "{threads} threads, batch {batch:?}");
        assert!(all(&other) == weights);
    }
}

/// A checkpoint of step 1500 that a file keeps whole, and from which a run goes on as if it had not stopped; with its plan.
pub fn kept_in_a_file(text: &str, name: &str) -> (Arc<Plan>, State) {
    let mut first = start(origin(text, None, &[]), &cpu(), None);
    advance(&mut first, 1500, 400);
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let checkpoint = Checkpoint::new(&first.plan, &first.scene.resolved, first.save().unwrap());
    write_checkpoint(&checkpoint, &file).unwrap();
    let read = read_checkpoint(&file).unwrap();
    assert_eq!(read, checkpoint);
    read.belongs(&first.plan).unwrap();
    let after = advance(&mut first, 1500, 1500);
    let mut second = start(origin(text, None, &[]), &cpu(), Some(&read.state));
    assert!(advance(&mut second, 1500, 700).spikes == after.spikes);
    assert_eq!(second.save().unwrap(), first.save().unwrap());
    (first.plan.clone(), read.state)
}

/// What a run brought, the network after it, and by projection whose weights change the weights as someone sees them.
#[cfg(feature = "gpu")]
pub type Ran = (Harvest, State, Vec<Vec<f32>>);

#[cfg(feature = "gpu")]
pub fn on_cpu(plan: &Arc<Plan>, steps: u64) -> Ran {
    let mut cpu = engine(plan, 1, None);
    let harvest = cpu.advance(steps).unwrap();
    let looked = (0..plan.projections.len()).filter_map(|p| cpu.weights(p)).collect();
    (harvest, cpu.save(), looked)
}

/// The same of the GPU engine, after a run that brought this.
#[cfg(feature = "gpu")]
pub fn on_gpu(gpu: &Gpu, plan: &Plan, harvest: Harvest) -> Ran {
    let looked = (0..plan.projections.len()).filter_map(|p| gpu.weights(p).unwrap()).collect();
    (harvest, gpu.save().unwrap(), looked)
}

/// The engines' spikes, samples, whole states, and weights as someone sees them, must be the same.
#[cfg(feature = "gpu")]
pub fn same(what: &str, expected: &Ran, found: &Ran) {
    let (a, b) = (&expected.1, &found.1);
    assert!(a.modulators == b.modulators, "{what}: modulators differ: {:?} {:?}", a.modulators, b.modulators);
    let bits = |all: &[Vec<f32>], n: usize| all[n].iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    for n in 0..a.weights.len() {
        for (name, x, y) in [("kept", &a.kept, &b.kept), ("weights", &a.weights, &b.weights), ("seen", &expected.2, &found.2)] {
            let (x, y) = (bits(x, n), bits(y, n));
            let different = x.iter().zip(&y).filter(|(x, y)| x != y).count();
            assert!(different == 0 && x.len() == y.len(), "{what}: {different} of {} {name} {n} differ", x.len());
        }
    }
    assert!(expected.0.spikes == found.0.spikes, "{what}: {} and {} spikes", expected.0.spikes.len(), found.0.spikes.len());
    for (n, (a, b)) in a.histories.iter().zip(&b.histories).enumerate() {
        assert!(a.base == b.base && a.spikes == b.spikes, "{what}: spikes of history {n} differ");
        assert!(a.conditions == b.conditions, "{what}: {} and {} conditions of history {n}", a.conditions.len(), b.conditions.len());
        assert!(a.reads == b.reads, "{what}: what is read of history {n} differs");
    }
    assert!(a.traces == b.traces, "{what}: traces differ");
    assert!(a == b && expected.0 == found.0, "{what}: inputs, states or samples differ");
}

/// Calls `check(how, engine)` with GPU engines of a plan: batches, grids, shards and workgroups that must change nothing.
#[cfg(feature = "gpu")]
pub fn shapes(plan: &Arc<Plan>, device: &Arc<Device>, mut check: impl FnMut(&str, Gpu)) {
    for forced in [
        Forced::default(),
        Forced { batch: Some(1), ..Forced::default() },
        Forced { batch: Some(3), grid: Some(3), ..Forced::default() },
        Forced { binding: Some(140_000), ..Forced::default() },
        Forced { host: true, group: Some(128), ..Forced::default() },
    ] {
        let gpu = Gpu::new(plan.clone(), device.clone(), forced).unwrap();
        assert!(forced.binding.is_none() || gpu.shape().1 > 2, "{} shards", gpu.shape().1);
        check(&format!("{forced:?}"), gpu);
    }
}

/// Looks at weights, saves and goes on from what was saved between stretches of 100 steps: all is as on the CPU engine, which is left
/// alone. `looked(k)` is the projection that is looked at after stretch k.
#[cfg(feature = "gpu")]
pub fn looking_and_saving(text: &str, device: &Arc<Device>, looked: impl Fn(usize) -> usize) {
    let plan = planned(text);
    let expected = on_cpu(&plan, 900);
    let mut gpu = Gpu::new(plan.clone(), device.clone(), Forced::default()).unwrap();
    let mut harvest = Harvest { to: 900, ..Harvest::default() };
    for k in 0..9 {
        let part = gpu.advance(100).unwrap();
        harvest.spikes.extend(part.spikes);
        harvest.samples.extend(part.samples);
        harvest.events += part.events;
        gpu.weights(looked(k)).unwrap().unwrap();
        if k % 3 == 1 {
            let state = gpu.save().unwrap();
            gpu = Gpu::new(plan.clone(), device.clone(), Forced { batch: Some(1 + k as u32), ..Forced::default() }).unwrap();
            gpu.restore(&state);
            assert!(gpu.save().unwrap() == state);
        }
    }
    same("looked at", &expected, &on_gpu(&gpu, &plan, harvest));
}

/// Four stretches of twice so many steps, each from the state in which the one before has left the network and with an edit in its
/// middle: on the CPU engine, on a device, and on both in turn, all is the same.
pub fn crossing(text: &str, edits: [(&str, &str); 4], half: u64, gpu: &Machine) {
    let cpu = cpu();
    let run = |machines: [&Machine; 4]| {
        let mut spikes = Vec::new();
        let mut state: Option<State> = None;
        for (k, machine) in machines.into_iter().enumerate() {
            let mut simulation = start(origin(text, None, &edits[..k]), machine, state.as_ref());
            spikes.extend(advance(&mut simulation, half, 70).spikes);
            let (address, value) = (edits[k].0.into(), edits[k].1.into());
            simulation.apply(Command::Set { address, value }).unwrap_or_else(|e| panic!("{}: {e}", edits[k].0));
            spikes.extend(advance(&mut simulation, half, half).spikes);
            state = Some(simulation.save().unwrap());
        }
        (spikes, state)
    };
    let expected = run([&cpu, &cpu, &cpu, &cpu]);
    for machines in [[gpu, gpu, gpu, gpu], [&cpu, gpu, &cpu, gpu]] {
        let found = run(machines);
        assert!(expected.0 == found.0, "spikes differ");
        assert!(expected.1 == found.1, "states differ");
    }
}
