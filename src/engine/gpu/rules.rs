//! The code of rules by which weights change: WGSL functions for rows, from the programs of a synapse model. Knows no device. Writing
//! to a String cannot fail, so its results are dropped.

use std::fmt::Write;

use super::emit;
use super::histories::entry;
use super::moving::{Moving, moves};
use super::plastic;
use crate::plan::{Change, Plan, TracePlan};

/// The functions of all rules, and the cases that call them: for rows with spikes, for rows to be settled.
pub fn functions(plan: &Plan) -> [String; 3] {
    let mut out = [String::new(), String::new(), String::new()];
    for (k, p) in plastic::rules(plan).into_iter().enumerate() {
        let (Some(change), Some(traces)) = (&p.plastic, p.traces) else { continue };
        let walks = moves(change) || plan.targets[change.targets].watch.is_some();
        let rest = if walks {
            out[0] += &Moving::new(plan, k, change, &plan.traces[traces]).functions();
            format!("rest_{k}(p, q, source, begin, end, lane, now, full == 2u)")
        } else {
            format!("rest_{k}(p, q, source, begin, end, lane, now)")
        };
        out[1] += &format!("            case {k}u: {{ row_{k}(p, q, source, begin, end, lane, spikes); }}\n");
        out[2] += &format!("                case {k}u: {{ {rest}; }}\n");
        if walks {
            continue;
        }
        let rule = Rule { k, pre: &change.pre, post: &change.post, source: &plan.traces[traces], target: &plan.targets[change.targets] };
        out[0] += &rule.functions();
    }
    out
}

struct Rule<'a> {
    k: usize,
    pre: &'a Change,
    post: &'a Change,
    source: &'a TracePlan,
    target: &'a TracePlan,
}

/// Names with numbers, as a list: of parameters with `typed`, else of arguments.
pub fn list(name: &str, count: usize, typed: bool) -> String {
    (0..count).map(|i| if typed { format!("{name}{i}: f32, ") } else { format!("{name}{i}, ") }).collect()
}

/// Loads numbers that stand behind the word `at` of a projection.
pub fn numbers(o: &mut String, name: &str, count: usize, at: u32) {
    let _ = writeln!(o, "    let {name} = wires[q + {at}u];");
    (0..count).for_each(|i| _ = writeln!(o, "    let {name}{i} = bitcast<f32>(wires[{name} + {i}u]);"));
}

impl Rule<'_> {
    fn functions(&self) -> String {
        let mut o = String::new();
        o += &self.change("pre", self.pre, self.source.states.len(), self.target.states.len());
        o += &self.change("post", self.post, self.target.states.len(), self.source.states.len());
        o += &self.react();
        o += &self.row();
        o += &self.rest();
        o
    }

    /// What a spike makes of a weight: `own` traces of the spiking side (s), the other side's (o), the weight, the steps since their
    /// last spikes.
    fn change(&self, side: &str, change: &Change, own: usize, other: usize) -> String {
        let (k, c) = (self.k, list("c", change.coefficients.len(), true));
        let mut o =
            format!("fn {side}_{k}({c}{}{}w: f32, u0: f32, u1: f32) -> f32 {{\n", list("own", own, true), list("other", other, true));
        (0..own).for_each(|i| _ = writeln!(o, "    var s{i} = own{i};"));
        let _ = writeln!(o, "    var s{own} = 1.0;");
        (0..other).for_each(|i| _ = writeln!(o, "    var s{} = other{i};", own + 1 + i));
        let weight = own + 1 + other;
        let _ = writeln!(o, "    var s{weight} = w;");
        o += &emit::body(&change.program);
        let _ = writeln!(o, "    return flush(s{weight});\n}}\n");
        o
    }

    /// The values of an entry, as arguments.
    fn values(&self, at: &str) -> String {
        (0..self.target.states.len()).map(|i| format!("bitcast<f32>(state[{at} + {}u]), ", i + 1)).collect()
    }

    /// The entry of a history: `h` is where the history stands.
    fn entry(&self, n: &str) -> String {
        format!("h + 1u + ({n} & wires[3]) * {}u", entry(self.target))
    }

    /// The spikes of the target up to entry `n` that arrive after step `since`, in order.
    fn react(&self) -> String {
        let (k, s) = (self.k, self.source.states.len());
        let posts = self.post.coefficients.len();
        format!(
            "fn react_{k}({}{}h: u32, n: u32, since: u32, delay: u32, last: u32, weight: f32) -> f32 {{\n    \
                 var w = weight;\n    \
                 var e = n;\n    \
                 while (e > 0u && state[{at}] + delay > since) {{\n        e--;\n    }}\n    \
                 while (e < n) {{\n        \
                     let old = {at};\n        \
                     e++;\n        \
                     let step = state[{at}];\n        \
                     w = post_{k}({}{}{}w, f32(step - state[old]), f32(step + delay - last));\n    \
                 }}\n    \
                 return w;\n}}\n\n",
            list("b", posts, true),
            list("x", s, true),
            list("b", posts, false),
            self.values("old"),
            list("x", s, false),
            at = self.entry("e"),
        )
    }

    /// What a synapse is: its history, delay and slot; and its last entry at or before a step.
    fn synapse(&self) -> String {
        let each = format!("(1u + (wires[3] + 1u) * {}u)", entry(self.target));
        format!(
            "        let place = base + j;\n        \
                 var w = bitcast<f32>(weights[place]);\n        \
                 let delay = synapses[j] & mask;\n        \
                 let slot = synapses[j] >> bits;\n        \
                 let h = wires[q + 8u] + (slot - wires[q + 9u]) * {each};\n        \
                 var n = state[h] - 1u;\n"
        )
    }

    fn row(&self) -> String {
        let (k, s) = (self.k, self.source.states.len());
        let (pres, posts, traces) = (self.pre.coefficients.len(), self.post.coefficients.len(), self.source.coefficients.len());
        let mut o = format!("fn row_{k}(p: u32, q: u32, source: u32, begin: u32, end: u32, lane: u32, spikes: u32) {{\n");
        numbers(&mut o, "a", pres, 1);
        numbers(&mut o, "b", posts, 2);
        numbers(&mut o, "c", traces, 3);
        o += "    let at = wires[q + 4u] + source;\n    let size = wires[q + 5u];\n    let bits = wires[0];\n    let mask = (1u << bits) - 1u;\n";
        o += "    let base = wires[p + 28u] - wires[p + 29u];\n    let settled = work.counts[6u + batch.list];\n";
        (0..s).for_each(|i| _ = writeln!(o, "    let before{i} = bitcast<f32>(work.items[at + {}u * size]);", s + 1 + i));
        let _ = writeln!(o, "    let before = work.items[at + {}u * size];", 2 * s + 1);
        o += "    for (var j = begin + lane; j < end; j += {{GROUP}}u) {\n";
        o += &self.synapse();
        (0..s).for_each(|i| _ = writeln!(o, "        var x{i} = before{i};"));
        o += "        var last = before;\n        var left = spikes;\n        let newest = n;\n        while (left != 0u) {\n";
        o += "            let now = batch.first + firstTrailingBit(left) + 1u;\n            left = left & (left - 1u);\n";
        o += "            let known = now - min(now, delay);\n            n = newest;\n";
        let _ = writeln!(o, "            while (n > 0u && state[{}] > known) {{\n                n--;\n            }}", self.entry("n"));
        o += "            if (now >= delay) {\n";
        let (b, x) = (list("b", posts, false), list("x", s, false));
        let _ = writeln!(o, "                w = react_{k}({b}{x}h, n, max(last, settled), delay, last, w);\n            }}");
        o += "            let seen = max(known, 1u) - 1u;\n";
        let _ = writeln!(o, "            while (n > 0u && state[{}] > seen) {{\n                n--;\n            }}", self.entry("n"));
        let _ = writeln!(o, "            let entry = {};", self.entry("n"));
        let a = list("a", pres, false);
        let _ = writeln!(
            o,
            "            w = pre_{k}({a}{x}{}w, f32(now - last), f32(known - min(known, state[entry])));",
            self.values("entry")
        );
        o += "            send(q, slot, now, delay, w);\n            if (left != 0u) {\n";
        o += &self.next();
        o += "                last = now;\n            }\n        }\n        weights[place] = bitcast<u32>(w);\n    }\n}\n\n";
        o
    }

    /// What a spike makes of the traces x of its source.
    fn next(&self) -> String {
        let n = self.source.states.len();
        let mut o = String::new();
        (0..n).for_each(|i| _ = writeln!(o, "                var s{i} = x{i};"));
        let _ = writeln!(o, "                var s{n} = 1.0;\n                let u0 = f32(now - last);");
        o += &emit::body(&self.source.program);
        (0..n).for_each(|i| _ = writeln!(o, "                x{i} = flush(s{i});"));
        o
    }

    fn rest(&self) -> String {
        let (k, s) = (self.k, self.source.states.len());
        let posts = self.post.coefficients.len();
        let mut o = format!("fn rest_{k}(p: u32, q: u32, source: u32, begin: u32, end: u32, lane: u32, now: u32) {{\n");
        numbers(&mut o, "b", posts, 2);
        o += "    let at = wires[q + 4u] + source;\n    let size = wires[q + 5u];\n    let bits = wires[0];\n    let mask = (1u << bits) - 1u;\n";
        (0..s).for_each(|i| _ = writeln!(o, "    let x{i} = bitcast<f32>(work.items[at + {i}u * size]);"));
        let _ = writeln!(o, "    let last = work.items[at + {s}u * size];");
        o += "    let since = max(last, work.counts[6u + batch.list]);\n    if (since >= now) {\n        return;\n    }\n";
        o += "    let base = wires[p + 28u] - wires[p + 29u];\n    for (var j = begin + lane; j < end; j += {{GROUP}}u) {\n";
        o += &self.synapse();
        o += "        if (now >= delay) {\n";
        let _ =
            writeln!(o, "            while (n > 0u && state[{}] > now - delay) {{\n                n--;\n            }}", self.entry("n"));
        let (b, x) = (list("b", posts, false), list("x", s, false));
        let _ = writeln!(
            o,
            "            weights[place] = bitcast<u32>(react_{k}({b}{x}h, n, since, delay, last, w));\n        }}\n    }}\n}}\n"
        );
        o
    }
}
