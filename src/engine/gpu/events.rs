//! What events do to the histories of targets, as WGSL of the update: spikes, and steps at which the condition of a rule holds; and
//! how what rules read of their targets is told step by step. Knows no row and no device. Writing to a String cannot fail, so its
//! results are dropped.

use std::fmt::Write;

use super::emit;
use super::histories::{conditional, deeper, entry, reads, rows};
use crate::model::READS;
use crate::plan::{Plan, Reading, TracePlan};

/// Entries of a history.
fn depth(plan: &Plan, t: &TracePlan) -> String {
    match deeper(plan, t) {
        1 => "info[14]".into(),
        times => format!("(info[14] * {times}u)"),
    }
}

/// Words of a history.
fn words(plan: &Plan, t: &TracePlan) -> String {
    format!("(1u + {} * {}u)", depth(plan, t), entry(t))
}

/// Where the histories of targets are told of: the k-th of a population.
fn told(k: usize) -> String {
    format!("info[p + 13u] + {}u", 2 * k)
}

/// What is read, as parameters or arguments of a function.
fn values(t: &TracePlan, name: &str, typed: bool) -> String {
    (0..reads(t).len()).map(|r| format!(", {name}{r}{}", if typed { ": f32" } else { "" })).collect()
}

/// The test whether a batch more would push out what some synapse still needs.
pub fn watched(plan: &Plan, k: usize, t: &TracePlan) -> String {
    let most = if conditional(t) { "2u * info[13]" } else { "info[13]" };
    format!("        watch(info[{}] + i * {}, {}u, {}, {most});\n", told(k), words(plan, t), entry(t), depth(plan, t))
}

/// Of the k-th targets of a population, if they are read: where they are told of, and where their rings have the neuron.
pub fn rings(plan: &Plan, k: usize, t: &TracePlan) -> String {
    if reads(t).is_empty() {
        return String::new();
    }
    format!("    let f{k} = {};\n    let y{k} = info[f{k}] + {} * len + i;\n", told(k), words(plan, t))
}

/// What rules read of a neuron at the end of a step: told to the rings, and given names.
pub fn reading(plan: &Plan, k: usize, t: &TracePlan) -> String {
    let mut first = 0;
    let mut o = String::new();
    for (r, reading) in reads(t).iter().enumerate() {
        let (rows, Reading { variable, age }) = (rows(plan, reading), *reading);
        let at = |row: &str| format!("state[y{k} + ({row} + {first}u) * len]");
        let _ = writeln!(o, "        {} = bitcast<u32>(s{variable});", at(&format!("(now + 1u) % {rows}u")));
        let _ = match age {
            0 => writeln!(o, "        let v{k}_{r} = s{variable};"),
            _ => {
                let row = format!("((now + 1u) % {rows}u + {}u) % {rows}u", rows - age);
                writeln!(o, "        let v{k}_{r} = bitcast<f32>({});", at(&row))
            }
        };
        first += rows;
    }
    o
}

/// A spike: the call of the function with this number.
pub fn spike(number: usize, k: usize, t: &TracePlan) -> String {
    format!("            history_{number}({}, i, now + 1u{});\n", told(k), values(t, &format!("v{k}_"), false))
}

/// A step at which the condition of the rule may hold: the same.
pub fn step(number: usize, k: usize, t: &TracePlan) -> String {
    let arguments = values(t, &format!("v{k}_"), false);
    format!("        if (event_{number}(f{k}, i, now + 1u{arguments})) {{\n            events = true;\n        }}\n")
}

/// What a spike does to the history of its neuron, as a WGSL function without its name. `info[e]` says where the histories are, the
/// next word where their numbers are.
pub fn history(plan: &Plan, t: &TracePlan) -> String {
    let mut o = format!("(e: u32, i: u32, step: u32{}) {{\n    let base = info[e + 1u];\n", values(t, "v", true));
    named(&mut o, t, 0, t.coefficients.len());
    enter(&mut o, plan, t, false);
    o += "}\n";
    o
}

/// The same of a step at which a condition may hold; it gives whether that is so.
pub fn event(plan: &Plan, t: &TracePlan) -> Option<String> {
    let [holds, made] = t.watch.as_ref()?.condition.as_ref()?;
    let mut o = format!("(e: u32, i: u32, step: u32{}) -> bool {{\n    let base = info[e + 1u];\n", values(t, "v", true));
    o += "    var holds = false;\n    {\n";
    named(&mut o, t, t.coefficients.len(), holds.coefficients.len());
    o += "    var s0 = 1.0;\n";
    o += &emit::body(&holds.program);
    o += "    holds = flush(s0) != 0.0;\n    }\n    if (!holds) {\n        return false;\n    }\n";
    named(&mut o, t, t.coefficients.len() + holds.coefficients.len(), made.coefficients.len());
    enter(&mut o, plan, t, true);
    o += "    return true;\n}\n";
    Some(o)
}

/// Names for the numbers of a program and for what it reads.
fn named(o: &mut String, t: &TracePlan, first: usize, count: usize) {
    (0..count).for_each(|c| _ = writeln!(o, "    let c{c} = numbers[base + {}u];", first + c));
    (0..reads(t).len()).for_each(|r| _ = writeln!(o, "    let u{} = v{r};", READS + r));
}

/// The numbers of all these programs, one behind the other.
pub fn numbers(t: &TracePlan) -> Vec<f32> {
    let conditions = t.watch.iter().flat_map(|w| &w.condition).flatten();
    t.coefficients.iter().chain(conditions.flat_map(|c| &c.coefficients)).copied().collect()
}

/// One entry more: the traces after the event, and what was read then.
fn enter(o: &mut String, plan: &Plan, t: &TracePlan, condition: bool) {
    let (n, each, depth) = (t.states.len(), entry(t), depth(plan, t));
    let made = t.watch.as_ref().and_then(|w| w.condition.as_ref()).filter(|_| condition);
    let place = |k: &str| format!("h + 1u + ({k} & ({depth} - 1u)) * {each}u");
    let _ = writeln!(o, "    let h = info[e] + i * {};\n    let count = state[h];", words(plan, t));
    let _ = writeln!(o, "    let old = {};", place("(count - 1u)"));
    (0..n).for_each(|s| _ = writeln!(o, "    var s{s} = bitcast<f32>(state[old + {}u]);", s + 1));
    let _ = writeln!(o, "    var s{n} = 1.0;\n    let u0 = f32(step - state[old]);");
    *o += &emit::body(made.map_or(&t.program, |[_, event]| &event.program));
    let _ = writeln!(o, "    if (crowded(h, {each}u, {depth}, 1u)) {{\n        atomicAdd(&log.pushed, 1u);\n    }}");
    let _ = writeln!(o, "    let fresh = {};\n    var whole = true;\n    state[fresh] = step;", place("count"));
    for s in 0..n {
        let _ =
            writeln!(o, "    s{s} = flush(s{s});\n    state[fresh + {}u] = bitcast<u32>(s{s});\n    whole = whole && finite(s{s});", s + 1);
    }
    (0..reads(t).len()).for_each(|r| _ = writeln!(o, "    state[fresh + {}u] = bitcast<u32>(v{r});", n + 1 + r));
    if conditional(t) {
        let _ = writeln!(o, "    state[fresh + {}u] = {}u;", each - 1, u32::from(condition));
    }
    *o += "    state[h] = count + 1u;\n    if (!whole) {\n        atomicStore(&log.broken, 1u);\n    }\n";
}
