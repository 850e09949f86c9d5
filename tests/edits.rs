//! Edits, checkpoints and journals: an edit at a step equals a run that goes on from the checkpoint of that step with the
//! new value, on the other engine and in other batches; A + B = A, save, load, B.

mod common;

use common::{cpu, machines, origin};
use synfire::export::{Checkpoint, read_checkpoint, write_checkpoint};
use synfire::plan::{Spike, State};
use synfire::session::{Command, Machine, Simulation};

/// Spikes under way, refractory cells, noise held over several steps, drawn weights of both signs.
const NETWORK: &str = include_str!("edits.toml");

fn start(machine: &Machine, set: &[(&str, &str)], state: Option<&State>) -> Simulation {
    common::start(origin(NETWORK, None, set), machine, state)
}

fn advance(simulation: &mut Simulation, steps: u64, batch: u64) -> Vec<Spike> {
    common::advance(simulation, steps, batch).spikes
}

fn set(address: &str, value: &str) -> Command {
    Command::Set { address: address.into(), value: value.into() }
}

const EDITS: [(&str, &str); 14] = [
    ("J", "55 pA"),
    ("g", "6"),
    ("eta", "1.4"),
    ("exc.tau_m", "13 ms"),
    ("exc.E_L", "normal(-61 mV, 1 mV)"),
    ("inh.V_th", "-56 mV"),
    ("exc.t_ref", "4 ms"),
    ("inh->exc,inh.weight", "uniform(-400 pA, -100 pA)"),
    ("external.rate", "3.5 kHz"),
    ("hum.amplitude", "90 pA"),
    ("hiss.sd", "20 pA"),
    ("slow.g_L", "9 nS"),
    ("uneven.rate", "uniform(1 kHz, 4 kHz)"),
    ("waxing.rate", "2.5 kHz"),
];

#[test]
fn an_edit_equals_a_restart_from_a_checkpoint_on_the_other_engine() {
    let machines = machines();
    for (i, (address, value)) in EDITS.iter().enumerate() {
        let (here, there) = (&machines[i % machines.len()], &machines[(i + 1) % machines.len()]);
        let mut edited = start(here, &[], None);
        let before = advance(&mut edited, 333, 50);
        assert!(before.len() > 100, "too quiet: {}", before.len());
        let state = edited.save().unwrap();
        assert!(state.due.iter().flatten().any(|x| *x != 0), "nothing is under way");
        edited.apply(set(address, value)).unwrap();
        let after = advance(&mut edited, 400, 400);
        let mut restarted = start(there, &[(address, value)], Some(&state));
        assert_eq!(after, advance(&mut restarted, 400, 7), "{address}");
        assert_eq!(edited.save().unwrap(), restarted.save().unwrap(), "{address}");
        let mut unedited = start(here, &[], Some(&state));
        assert_ne!(after, advance(&mut unedited, 400, 100), "{address} changes nothing");
    }
}

#[test]
fn a_checkpoint_file_goes_on_where_the_run_stopped() {
    for machine in machines() {
        let mut whole = start(machine, &[], None);
        let mut expected = advance(&mut whole, 700, 100);
        let mut first = start(machine, &[], None);
        advance(&mut first, 301, 300);
        let path = std::env::temp_dir().join(format!("synfire-{}.checkpoint", std::process::id()));
        write_checkpoint(&Checkpoint::new(&first.plan, &first.scene.resolved, first.save().unwrap()), &path).unwrap();
        let read = read_checkpoint(&path).unwrap();
        assert_eq!(read.state, first.save().unwrap());
        read.belongs(&first.plan).unwrap();
        let mut second = start(machine, &[], Some(&read.state));
        expected.retain(|s| s.step > 301);
        assert_eq!(expected, advance(&mut second, 399, 100));
    }
}

#[test]
fn what_needs_a_rebuild_is_refused_and_changes_nothing() {
    let machine = cpu();
    for (address, value, word) in [
        ("n", "41", "size"),
        ("d", "2 ms", "wiring"),
        ("J", "900 nA", "fixed-point"),
        ("nonsense", "1", "nonsense"),
        ("exc.tau_m", "-3 ms", "tau_m"),
        ("exc.tau_m", "3 mV", "mV"),
    ] {
        let mut simulation = start(&machine, &[], None);
        advance(&mut simulation, 50, 50);
        let before = simulation.save().unwrap();
        let told = simulation.apply(set(address, value)).unwrap_err();
        assert!(told.contains(word), "{address} = {value}: {told}");
        assert_eq!(before, simulation.save().unwrap());
        assert!(simulation.journal.is_empty());
    }
}

#[test]
fn broken_checkpoints_are_refused_and_never_panic() {
    let machine = cpu();
    let mut simulation = start(&machine, &[], None);
    advance(&mut simulation, 20, 20);
    let path = std::env::temp_dir().join(format!("synfire-{}-broken.checkpoint", std::process::id()));
    write_checkpoint(&Checkpoint::new(&simulation.plan, "", simulation.save().unwrap()), &path).unwrap();
    let good = std::fs::read(&path).unwrap();
    for n in (0..good.len()).step_by(good.len() / 60 + 1) {
        std::fs::write(&path, &good[..n]).unwrap();
        assert!(read_checkpoint(&path).is_err(), "{n}");
        let mut bad = good.clone();
        bad[n] ^= 0x55;
        std::fs::write(&path, &bad).unwrap();
        // A flipped bit may hit what is not read; the rest is refused.
        if let Ok(read) = read_checkpoint(&path) {
            let _ = read.belongs(&simulation.plan);
        }
    }
}
