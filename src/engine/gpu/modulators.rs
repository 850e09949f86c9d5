//! Traces of modulators on a device: where their histories stand, the words that the kernel finds them by, and its code. Their layout
//! is declared here alone. Knows no row. Writing to a String cannot fail, so its results are dropped.
//!
//! Behind the traces of sources, which all shards share, stands a word that counts the spikes of the log that have been looked at;
//! then for each modulator the number of its entries so far and a ring of them: a step and the traces that the spikes of that step
//! left. Entry 0 is what was before. Header of `wires`: 9 where the modulators are listed, 10 their number, 11 where that word is.
//! The words of a modulator: 0 where its history stands, 1 its numbers, 2 number of parts, then for each part three: a range (0, first
//! neuron, length) or a list (1, where it is, length), neurons over the whole network.

use std::fmt::Write;

use super::emit;
use super::histories::entry;
use super::plastic;
use super::tables::Sizes;
use crate::network::Which;
use crate::plan::{ModulatorPlan, Plan, TracePlan, Traced};

pub const LIST: usize = 9;
pub const COUNT: usize = 10;
pub const SEEN: usize = 11;

/// Words of the history of a modulator.
fn words(t: &TracePlan) -> u64 {
    1 + Plan::MODULATOR_HISTORY as u64 * u64::from(entry(t))
}

/// Words of all.
pub fn total(plan: &Plan) -> u64 {
    if plan.modulators.is_empty() { 0 } else { 1 + plan.modulators.iter().map(|m| words(&m.traces)).sum::<u64>() }
}

/// Where the word that counts stands among the work items, and the history of each modulator.
fn places(plan: &Plan, sizes: Sizes) -> (u32, Vec<u32>) {
    let (_, first) = plastic::sources(plan, sizes);
    let mut at = first + 1;
    let place = |m: &ModulatorPlan| {
        let here = at as u32;
        at += words(&m.traces);
        here
    };
    (first as u32, plan.modulators.iter().map(place).collect())
}

/// Where the history of a modulator stands among the work items.
pub fn place(plan: &Plan, sizes: Sizes, modulator: usize) -> u32 {
    places(plan, sizes).1.get(modulator).copied().unwrap_or(0)
}

/// The words of all modulators, appended by `append`, and then the list of them.
pub fn tables(plan: &Plan, mut append: impl FnMut(&[u32]) -> u32) -> [u32; 2] {
    let mut all = Vec::new();
    for m in &plan.modulators {
        let numbers = append(&m.traces.coefficients.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
        let mut words = vec![0, numbers, m.of.len() as u32];
        for part in &m.of {
            let first = plan.populations[part.population].first;
            match &part.which {
                Which::Range { start, len } => words.extend([0, first + start, *len]),
                Which::List(list) => {
                    let neurons: Vec<u32> = list.iter().map(|i| first + i).collect();
                    words.extend([1, append(&neurons), list.len() as u32]);
                }
            }
        }
        all.push(append(&words));
    }
    [append(&all), all.len() as u32]
}

/// Completes the tables with what is known when all rows have been counted.
pub fn enter(plan: &Plan, wires: &mut [u32], sizes: Sizes) {
    let (seen, places) = places(plan, sizes);
    wires[SEEN] = seen;
    for (k, place) in places.into_iter().enumerate() {
        let at = wires[wires[LIST] as usize + k] as usize;
        wires[at] = place;
    }
}

/// The words of a history that begins with these traces.
pub fn begin(t: &TracePlan, traced: &Traced) -> Vec<u32> {
    let mut out = vec![1];
    out.extend(&traced.last);
    out.extend(traced.values.iter().flat_map(|v| v.iter().map(|x| x.to_bits())));
    out.resize(words(t) as usize, 0);
    out
}

/// The traces as the last entry holds them.
pub fn last(t: &TracePlan, words: &[u32], into: &mut Traced) {
    let at = 1 + ((words[0] as usize).saturating_sub(1) & (Plan::MODULATOR_HISTORY - 1)) * entry(t) as usize;
    into.last[0] = words[at];
    into.values.iter_mut().zip(&words[at + 1..]).for_each(|(v, w)| v[0] = f32::from_bits(*w));
}

/// Words to be read of a modulator.
pub fn bytes(t: &TracePlan) -> u64 {
    4 * words(t)
}

/// The kernel, as text to stand behind that of the rules; none where nothing modulates.
pub fn kernel(plan: &Plan) -> String {
    if plan.modulators.is_empty() {
        return String::new();
    }
    let functions: String = plan.modulators.iter().enumerate().map(|(k, m)| function(k, &m.traces)).collect();
    let cases: String = (0..plan.modulators.len()).map(|k| format!("                case {k}u: {{ modulator_{k}(t); }}\n")).collect();
    include_str!("../../../shaders/modulate.wgsl").replace("{{MODULATORS}}", &functions).replace("{{CASES}}", &cases)
}

/// Appends an entry for each step of the batch with spikes; afterwards all synapses are to be settled if the next batch could push out
/// an entry that some synapse still needs.
fn function(k: usize, t: &TracePlan) -> String {
    let (n, each, depth) = (t.states.len(), entry(t), Plan::MODULATOR_HISTORY);
    let place = |of: &str| format!("at + 1u + (({of}) & {}u) * {each}u", depth - 1);
    let mut o =
        format!("fn modulator_{k}(t: u32) {{\n    let at = wires[t];\n    let base = wires[t + 1u];\n    var count = work.items[at];\n");
    (0..t.coefficients.len()).for_each(|c| _ = writeln!(o, "    let c{c} = bitcast<f32>(wires[base + {c}u]);"));
    let _ = writeln!(o, "    let old = {};\n    var last = work.items[old];\n    var whole = true;", place("count - 1u"));
    (0..n).for_each(|s| _ = writeln!(o, "    var s{s} = bitcast<f32>(work.items[old + {}u]);", s + 1));
    o += "    for (var b = 0u; b < batch.steps; b++) {\n        var left = atomicLoad(&struck[b]);\n        if (left == 0u) {\n            continue;\n        }\n";
    o += "        let now = batch.first + b + 1u;\n        while (left > 0u) {\n";
    let _ = writeln!(o, "            var s{n} = 1.0;\n            let u0 = f32(now - last);");
    o += &emit::body(&t.program);
    (0..n).for_each(|s| _ = writeln!(o, "            s{s} = flush(s{s});"));
    let _ = writeln!(
        o,
        "            last = now;\n            left--;\n        }}\n        let fresh = {};\n        work.items[fresh] = now;",
        place("count")
    );
    for s in 0..n {
        let _ = writeln!(o, "        work.items[fresh + {}u] = bitcast<u32>(s{s});\n        whole = whole && finite(s{s});", s + 1);
    }
    o += "        count++;\n    }\n    work.items[at] = count;\n    if (!whole) {\n        atomicStore(&log.broken, 1u);\n    }\n";
    let longest = plastic::LONGEST_BATCH;
    let _ = writeln!(
        o,
        "    if (count + {longest}u > {depth}u && work.items[{}] > work.counts[6u + batch.list]) {{\n        work.counts[4u + batch.list] = 1u;\n    }}\n}}\n",
        place(&format!("count + {longest}u - {depth}u"))
    );
    o
}
