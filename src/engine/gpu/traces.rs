//! Traces of neurons on a device: words behind the delay ring of the shard that holds the neurons, and the function that a spike
//! runs. Knows no row and no kernel.
//!
//! Of traces over `len` neurons of a piece, trace v of neuron i is the word `first + v * len + i`, the bits of an f32; then
//! follow the steps of the last spikes. Those of sources of synapses whose weights change stand elsewhere (`plastic`), over the whole
//! population, and are kept a second time as they were before the first spike of a batch.

use std::fmt::Write;

use super::shards::Piece;
use super::{emit, plastic};
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
        for (traces, t) in plan.traces_of(piece.population).filter(|(n, _)| !plastic::of_plastic(plan, *n)) {
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
/// are, the next words where their numbers are and over how many neurons they go. `plastic` traces are kept as they were before the
/// `fresh` spike of a batch.
pub fn function(t: &TracePlan, plastic: bool) -> String {
    let (states, n) = (t.states.len(), t.program.states - 1);
    let (place, cast) = if plastic { ("work.items", "u32") } else { ("ring", "i32") };
    let mut o = String::from(
        "(e: u32, i: u32, step: u32, fresh: bool) -> u32 {\n    let at = info[e] + i;\n    let base = info[e + 1u];\n    let len = info[e + 2u];\n",
    );
    // Writing to a String cannot fail.
    (0..t.coefficients.len()).for_each(|c| _ = writeln!(o, "    let c{c} = numbers[base + {c}u];"));
    (0..states).for_each(|s| _ = writeln!(o, "    var s{s} = bitcast<f32>({place}[at + {s}u * len]);"));
    let _ = writeln!(o, "    let last = bitcast<u32>({place}[at + {states}u * len]);\n    var s{n} = 1.0;\n    let u0 = f32(step - last);");
    if plastic {
        o += "    if (fresh) {\n";
        (0..states).for_each(|s| _ = writeln!(o, "        work.items[at + {}u * len] = bitcast<u32>(s{s});", states + 1 + s));
        let _ = writeln!(o, "        work.items[at + {}u * len] = last;\n    }}", 2 * states + 1);
    }
    o += &emit::body(&t.program);
    o += "    var whole = true;\n";
    for s in 0..states {
        let _ = writeln!(
            o,
            "    s{s} = flush(s{s});\n    {place}[at + {s}u * len] = bitcast<{cast}>(s{s});\n    whole = whole && finite(s{s});"
        );
    }
    o += "    if (!whole) {\n        atomicStore(&log.broken, 1u);\n    }\n";
    let _ = writeln!(o, "    {place}[at + {states}u * len] = bitcast<{cast}>(step);\n    return factor_of(s{n});\n}}");
    o
}
