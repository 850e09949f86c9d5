//! Traces of neurons on a device: words behind the delay ring of the shard that holds the neurons, and the function that a spike
//! runs. Knows no row and no kernel.
//!
//! Of traces over `len` neurons of a piece, trace v of neuron i is the word `first + v * len + i`, the bits of an f32; then
//! follow the steps of the last spikes.

use std::fmt::Write;

use super::emit;
use super::shards::Piece;
use crate::plan::{Plan, TracePlan, Traced};

/// Where the traces of a piece stand in the ring's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Number of the traces in the plan.
    pub traces: usize,
    /// Neurons of the population.
    pub from: u32,
    pub len: u32,
    pub first: u32,
}

/// Words of the traces of one neuron.
pub fn words(t: &TracePlan) -> u32 {
    1 + t.states.len() as u32
}

/// The places of all traces of a shard, piece by piece, behind `ring` words; and where they end.
pub fn places(plan: &Plan, pieces: &[Piece], ring: u32) -> (Vec<Place>, u32) {
    let (mut out, mut first) = (Vec::new(), ring);
    for piece in pieces {
        for (traces, t) in plan.traces_of(piece.population) {
            out.push(Place { traces, from: piece.from, len: piece.len(), first });
            first += words(t) * piece.len();
        }
    }
    (out, first)
}

impl Place {
    /// The words of these traces in a state of the network.
    pub fn of(&self, traced: &Traced) -> Vec<u32> {
        let range = self.from as usize..(self.from + self.len) as usize;
        let values = traced.values.iter().flat_map(|v| v[range.clone()].iter().map(|x| x.to_bits()));
        values.chain(traced.last[range.clone()].iter().copied()).collect()
    }

    /// Puts words that a device gave into a state of the network.
    pub fn put(&self, words: &[u32], traced: &mut Traced) {
        let range = self.from as usize..(self.from + self.len) as usize;
        let mut columns = words.chunks_exact((self.len as usize).max(1));
        for (v, column) in traced.values.iter_mut().zip(&mut columns) {
            v[range.clone()].iter_mut().zip(column).for_each(|(x, w)| *x = f32::from_bits(*w));
        }
        columns.next().into_iter().for_each(|last| traced.last[range.clone()].copy_from_slice(last));
    }
}

/// What a spike does to traces and which factor it gets, as a WGSL function without its name. `info[e]` says where the traces
/// are, the next word where their numbers are.
pub fn function(t: &TracePlan) -> String {
    let (states, n) = (t.states.len(), t.program.states - 1);
    let mut o = String::from("(e: u32, i: u32, len: u32, step: u32) -> u32 {\n    let at = info[e] + i;\n    let base = info[e + 1u];\n");
    // Writing to a String cannot fail.
    (0..t.coefficients.len()).for_each(|c| _ = writeln!(o, "    let c{c} = numbers[base + {c}u];"));
    (0..states).for_each(|s| _ = writeln!(o, "    var s{s} = bitcast<f32>(ring[at + {s}u * len]);"));
    let _ = writeln!(o, "    var s{n} = 1.0;\n    let u0 = f32(step - bitcast<u32>(ring[at + {states}u * len]));");
    o += &emit::body(&t.program);
    o += "    var whole = true;\n";
    for s in 0..states {
        let _ = writeln!(o, "    s{s} = flush(s{s});\n    ring[at + {s}u * len] = bitcast<i32>(s{s});\n    whole = whole && finite(s{s});");
    }
    o += "    if (!whole) {\n        atomicStore(&log.broken, 1u);\n    }\n";
    let _ = writeln!(o, "    ring[at + {states}u * len] = bitcast<i32>(step);\n    return factor_of(s{n});\n}}");
    o
}
