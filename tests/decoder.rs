//! Decoder networks: neuron i fires at step i, and what arrives spells i. One spike that is lost, doubled, late or early fails
//! with its step. Every rule, heterogeneous delays, both engines, several batches, several turns of the ring.

mod common;

use std::fmt::Write;

use common::{advance, machines, origin, start, synapses};

/// Neuron i of `period` fires at steps i + 1, i + 1 + period, ...; readers show what arrives at each step.
const MODELS: &str = r#"
[models.clock]
update = "k += 1"
threshold = "k >= due"
reset = "k -= period"
[models.clock.parameters]
due = 1
period = 64
[models.clock.state]
k = 0
[models.reader]
receptor_by = "sign"
update = "x = exc + inh"
threshold = "x >= 0.5"
[models.reader.state]
x = 0
[models.reader.receptors]
exc = "1"
inh = "1"
"#;

const BITS: u32 = 6;
const N: u32 = 1 << BITS;

fn head(populations: &str) -> String {
    let due: Vec<String> = (1..=N).map(|i| i.to_string()).collect();
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 4\n{MODELS}\n[populations.in]\nmodel = \"clock\"\nsize = {N}\nparameters.due = [{}]\n{populations}",
        due.join(", ")
    )
}

/// A projection of rule, to a part, with a weight and a delay in steps.
fn projection(from: &str, to: &str, rule: &str, weight: &str, delay: &str) -> String {
    format!("[[projections]]\nfrom = {from}\nto = \"{to}\"\nrule = \"{rule}\"\nweight = {weight}\ndelay = {delay}\n")
}

/// Runs of sources whose bit is set, as a list of parts.
fn with_bit(bit: u32) -> String {
    let runs = (0..N).step_by(2 << bit).map(|i| format!("\"in[{}..{}]\"", i + (1 << bit), i + (2 << bit)));
    format!("[{}]", runs.collect::<Vec<_>>().join(", "))
}

/// For every step, what the readers' spikes say of it: population `out` holds `copies` readers for each bit, whose delays are
/// `delay(bit)` steps; they must spell the number of the source that fired then.
fn reads_back(text: &str, first: u32, copies: u32, turns: u32, delay: impl Fn(u32) -> u32) {
    for machine in machines() {
        for batch in [1000, 7] {
            let mut simulation = start(origin(text, None, &[]), machine, None);
            let longest = (0..BITS).map(&delay).max().unwrap();
            let spikes = advance(&mut simulation, u64::from(turns * N + longest), batch).spikes;
            let mut read = vec![vec![0u32; copies as usize]; (turns * N) as usize];
            for s in spikes.iter().filter(|s| s.neuron >= first) {
                let (bit, copy) = ((s.neuron - first) / copies, (s.neuron - first) % copies);
                // What source i sends at step i + 1 is read a delay later.
                let sent = s.step.checked_sub(1 + delay(bit)).expect("a spike before any was sent");
                if let Some(row) = read.get_mut(sent as usize) {
                    assert_eq!(row[copy as usize] >> bit & 1, 0, "bit {bit} read twice at step {}", s.step);
                    row[copy as usize] |= 1 << bit;
                }
            }
            for (step, row) in read.iter().enumerate() {
                assert!(row.iter().all(|x| *x == step as u32 % N), "step {step}: {row:?} in batches of {batch}");
            }
        }
    }
}

/// Five readers for each bit, each bit with a delay of its own, in steps.
fn all_to_all(delay: impl Fn(u32) -> u32) -> String {
    let mut text = head(&format!("[populations.out]\nmodel = \"reader\"\nsize = {}\n", BITS * 5));
    for bit in 0..BITS {
        let to = format!("out[{}..{}]", bit * 5, bit * 5 + 5);
        text += &projection(&with_bit(bit), &to, "all_to_all", "1", &format!("\"{} ms\"", f64::from(delay(bit)) / 10.0));
    }
    text
}

#[test]
fn all_to_all_wiring_reads_the_step_number_back() {
    reads_back(&all_to_all(|bit| 1 + 3 * bit), N, 5, 3, |bit| 1 + 3 * bit);
}

#[test]
fn listed_wiring_reads_the_step_number_back() {
    let folder = std::env::temp_dir().join(format!("synfire-listed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut csv = String::from("source,target,weight,delay_ms\n");
    for i in 0..N {
        (0..BITS).filter(|b| i >> b & 1 == 1).for_each(|b| writeln!(csv, "{i},{b},1,{}", f64::from(17 - 2 * b) / 10.0).unwrap());
    }
    std::fs::write(folder.join("synapses.csv"), csv).unwrap();
    let text = head(&format!("[populations.out]\nmodel = \"reader\"\nsize = {BITS}\n"))
        + &projection("\"in\"", "out", "list", "7", "\"3 ms\"").replace("rule", "file = \"synapses.csv\"\nrule");
    for machine in machines() {
        let mut simulation = start(origin(&text, Some(&folder), &[]), machine, None);
        let mut read = vec![0u32; (2 * N) as usize];
        for s in advance(&mut simulation, u64::from(2 * N + 17), 50).spikes.iter().filter(|s| s.neuron >= N) {
            let bit = s.neuron - N;
            if let Some(r) = read.get_mut((s.step - 1 - (17 - 2 * bit)) as usize) {
                *r += 1 << bit;
            }
        }
        assert!(read.iter().enumerate().all(|(step, r)| *r == step as u32 % N), "{read:?}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Clock -> relay by one-to-one with drawn delays; relay -> readers by all-to-all. The relay's delays come from the export.
#[test]
fn one_to_one_wiring_reads_the_step_number_back() {
    let mut text =
        head(&format!("[populations.relay]\nmodel = \"reader\"\nsize = {N}\n[populations.out]\nmodel = \"reader\"\nsize = {BITS}\n"));
    text += &projection("\"in\"", "relay", "one_to_one", "1", "\"uniform(0.1 ms, 4 ms)\"");
    for bit in 0..BITS {
        text += &projection(&with_bit(bit).replace("in[", "relay["), &format!("out[{bit}]"), "all_to_all", "1", "\"0.2 ms\"");
    }
    for machine in machines() {
        let mut simulation = start(origin(&text, None, &[]), machine, None);
        let delays: Vec<u32> = synapses(&simulation.plan)[0].iter().map(|c| c.delay).collect();
        assert!(delays.len() == N as usize && delays.iter().max() > Some(&30) && delays.iter().min() < Some(&10));
        let steps = u64::from(2 * N + 60);
        // Bits of relays that fire together are read together: the readers' sum is not asked, their spikes are.
        let mut expected = vec![0u32; steps as usize + 1];
        let mut relayed = Vec::new();
        for turn in 0..3 {
            for i in 0..N {
                let at = turn * N + i + 1 + delays[i as usize];
                relayed.push((at, N + i));
                if let Some(e) = expected.get_mut(at as usize + 2) {
                    *e |= i;
                }
            }
        }
        relayed.retain(|(step, _)| u64::from(*step) <= steps);
        relayed.sort_unstable();
        let (mut read, mut seen) = (vec![0u32; steps as usize + 1], Vec::new());
        for s in advance(&mut simulation, steps, 33).spikes {
            if s.neuron >= 2 * N {
                read[s.step as usize] |= 1 << (s.neuron - 2 * N);
            } else if s.neuron >= N {
                seen.push((s.step, s.neuron));
            }
        }
        assert_eq!(seen, relayed);
        assert_eq!(read, expected);
    }
}

const RANDOM: [(&str, &str); 9] = [
    ("fixed_probability", "p = 0.3"),
    ("fixed_in_degree", "in_degree = 9"),
    ("fixed_in_degree", "in_degree = 9\nallow_multapses = false"),
    ("fixed_out_degree", "out_degree = 11"),
    ("fixed_out_degree", "out_degree = 11\nallow_multapses = false"),
    ("fixed_total_number", "count = 700"),
    ("fixed_total_number", "count = 700\nallow_multapses = false"),
    ("all_to_all", ""),
    ("one_to_one", ""),
];

/// Every reader must hold, at every step, the sum of the weights that the exported wiring lets arrive then.
#[test]
fn drawn_wiring_delivers_what_is_exported_at_every_step() {
    for (rule, option) in RANDOM {
        let mut text =
            head("[populations.out]\nmodel = \"reader\"\nsize = 64\n[[probes]]\nrecord = \"x\"\nof = \"out\"\nevery = \"0.1 ms\"\n");
        text += &projection("\"in\"", "out", rule, "\"uniform(-1, 2)\"", "\"redraw(normal(1.5 ms, 1 ms), 0.1 ms, 4 ms)\"");
        text += &format!("{option}\n");
        for machine in machines() {
            let mut simulation = start(origin(&text, None, &[]), machine, None);
            let scale = simulation.plan.populations[1].scale[0];
            let wiring = synapses(&simulation.plan).remove(0);
            assert!(wiring.len() >= 64 && wiring.iter().any(|c| c.weight < 0), "{rule}: {}", wiring.len());
            let steps = 150u32;
            let mut sums = vec![[[0i64; 2]; 64]; steps as usize + 1];
            for c in &wiring {
                for at in (c.source + 1 + c.delay..=steps).step_by(N as usize) {
                    sums[at as usize][(c.target - N) as usize][usize::from(c.weight < 0)] += i64::from(c.weight);
                }
            }
            let unit = 2f32.powi(-scale);
            let samples = advance(&mut simulation, u64::from(steps), 40).samples;
            assert_eq!(samples.len(), steps as usize);
            let mut arrived = 0;
            for sample in samples {
                let expected: Vec<f32> = sums[sample.step as usize].iter().map(|[a, b]| *a as f32 * unit + *b as f32 * unit).collect();
                arrived += expected.iter().filter(|x| **x != 0.0).count();
                assert_eq!(sample.values, expected, "{rule} {option} at step {}", sample.step);
            }
            assert!(arrived > 100, "{rule}: only {arrived}");
        }
    }
}

/// The mutant: one delay that is one step longer than said.
#[test]
fn a_delay_longer_by_one_step_is_noticed() {
    let mutant = all_to_all(|bit| 1 + 3 * bit + u32::from(bit == 2));
    assert!(std::panic::catch_unwind(|| reads_back(&mutant, N, 5, 1, |bit| 1 + 3 * bit)).is_err());
}
