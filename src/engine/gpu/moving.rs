//! The code of rules that move between spikes: synapses that keep values, follow a modulator, or whose weight changes in time; and of
//! rules that read their targets. The same walk from event to event as on the CPU, one synapse at a time. Knows no device. Writing to
//! a String cannot fail, so its results are dropped.
//!
//! A synapse stands at its last event, of source, target or modulator. A span is cut at each entry of the modulator; within it the
//! events of the target that arrive act in order, each by the program of its kind, and before every event the synapse is moved there.
//! What is read of the target stands in its entry; a spike of the source reads the rings, as they were its delay ago.

use std::fmt::Write;

use super::emit;
use super::histories::{conditional, deeper, entry, reads, rows};
use super::rules::{list, numbers};
use crate::model::READS;
use crate::plan::{Change, Plan, Plastic, TracePlan};

/// Whether a rule moves between spikes.
pub fn moves(plastic: &Plastic) -> bool {
    plastic.drift.is_some() || plastic.modulator.is_some() || !plastic.kept.is_empty()
}

/// The rule of one projection, by number.
pub struct Moving<'a> {
    plan: &'a Plan,
    k: usize,
    plastic: &'a Plastic,
    source: &'a TracePlan,
    target: &'a TracePlan,
    modulator: Option<&'a TracePlan>,
}

impl<'a> Moving<'a> {
    pub fn new(plan: &'a Plan, k: usize, plastic: &'a Plastic, source: &'a TracePlan) -> Self {
        let modulator = plastic.modulator.map(|m| &plan.modulators[m].traces);
        Self { plan, k, plastic, source, target: &plan.targets[plastic.targets], modulator }
    }

    fn counts(&self) -> [usize; 4] {
        let modulated = self.modulator.map_or(0, |t| t.states.len());
        [self.source.states.len(), self.target.states.len(), self.plastic.kept.len(), modulated]
    }

    pub fn functions(&self) -> String {
        let [source, target, ..] = self.counts();
        let mut o = self.change("pre", &self.plastic.pre, [Some(source), None, Some(target)]);
        o += &self.change("post", &self.plastic.post, [Some(target), None, Some(source)]);
        if let Some(condition) = &self.plastic.condition {
            o += &self.change("event", condition, [Some(target), None, Some(source)]);
        }
        if let Some(drift) = &self.plastic.drift {
            o += &self.change("drift", drift, [None, Some(source), Some(target)]);
            o += &self.go();
        }
        o += &self.reach();
        o += &self.row();
        o += &self.rest();
        o
    }

    /// What an event makes of a synapse: of what it keeps and of the weight, which are pointed to. `sides` are the traces before the
    /// factor (of an event that has one), those before the other side (of one that has none), and the others. What happens at an
    /// event has the steps since three others and what is read; what happens between events the steps to be gone before all these.
    fn change(&self, name: &str, change: &Change, sides: [Option<usize>; 3]) -> String {
        let [_, _, kept, modulated] = self.counts();
        let own = sides[0].or(sides[1]).unwrap_or(0);
        let others = sides[2].unwrap_or(0);
        let inputs = if sides[0].is_some() { READS + reads(self.target).len() } else { 4 };
        let mut o = format!(
            "fn {name}_{}({}{}{}{}{}w: ptr<function, f32>, {}) {{\n",
            self.k,
            list("c", change.coefficients.len(), true),
            list("own", own, true),
            list("other", others, true),
            (0..kept).map(|v| format!("k{v}: ptr<function, f32>, ")).collect::<String>(),
            list("m", modulated, true),
            list("u", inputs, true),
        );
        let mut s = 0;
        let mut state = |o: &mut String, value: String| {
            let _ = writeln!(o, "    var s{s} = {value};");
            s += 1;
        };
        (0..own).for_each(|i| state(&mut o, format!("own{i}")));
        if sides[0].is_some() {
            state(&mut o, "1.0".into());
        }
        (0..others).for_each(|i| state(&mut o, format!("other{i}")));
        (0..kept).for_each(|v| state(&mut o, format!("*k{v}")));
        (0..modulated).for_each(|i| state(&mut o, format!("m{i}")));
        state(&mut o, "*w".into());
        let weight = own + usize::from(sides[0].is_some()) + others + kept + modulated;
        o += &emit::body(&change.program);
        (0..kept).for_each(|v| _ = writeln!(o, "    *k{v} = flush(s{});", weight - modulated - kept + v));
        let _ = writeln!(o, "    *w = flush(s{weight});\n}}\n");
        o
    }

    fn pointers(&self) -> String {
        (0..self.plastic.kept.len()).map(|v| format!("k{v}, ")).collect()
    }

    /// Parameters of what a function needs to move a synapse: numbers, traces of the source, where the histories stand.
    fn parameters(&self) -> String {
        let drift = self.plastic.drift.as_ref().map_or(0, |d| d.coefficients.len());
        let kept: String = (0..self.plastic.kept.len()).map(|v| format!("k{v}: ptr<function, f32>, ")).collect();
        format!(
            "{}{}h: u32, held: u32, delay: u32, last: u32, {kept}w: ptr<function, f32>, stand: ptr<function, u32>, ",
            list("d", drift, true),
            list("x", self.source.states.len(), true)
        )
    }

    /// The arguments of the same; `own` says whether the names are variables, to be pointed to.
    fn arguments(&self, own: bool) -> String {
        let drift = self.plastic.drift.as_ref().map_or(0, |d| d.coefficients.len());
        let at = if own { "&" } else { "" };
        let kept: String = (0..self.plastic.kept.len()).map(|v| format!("{at}k{v}, ")).collect();
        format!("{}{}h, held, delay, last, {kept}{at}w, {at}stand, ", list("d", drift, false), list("x", self.source.states.len(), false))
    }

    /// The values of an entry of the target or of the modulator, as arguments.
    fn values(&self, at: &str) -> String {
        (0..self.target.states.len()).map(|i| format!("bitcast<f32>(state[{at} + {}u]), ", i + 1)).collect()
    }

    fn modulated(&self, at: &str) -> String {
        let states = self.modulator.map_or(0, |t| t.states.len());
        (0..states).map(|i| format!("bitcast<f32>(work.items[{at} + {}u]), ", i + 1)).collect()
    }

    /// One less than the entries of a history.
    fn mask(&self) -> String {
        match deeper(self.plan, self.target) {
            1 => "wires[3]".into(),
            times => format!("((wires[3] + 1u) * {times}u - 1u)"),
        }
    }

    fn entry(&self, n: &str) -> String {
        format!("h + 1u + ({n} & {}) * {}u", self.mask(), entry(self.target))
    }

    /// The last entry of the target at or before a step.
    fn last(&self, step: &str) -> String {
        format!("last_entry(h, newest, {}u, {}, {step})", entry(self.target), self.mask())
    }

    /// What was read of the target at an entry, as arguments.
    fn read(&self, at: &str) -> String {
        let first = 1 + self.target.states.len();
        (0..reads(self.target).len()).map(|r| format!(", bitcast<f32>(state[{at} + {}u])", first + r)).collect()
    }

    /// What rules read of the target at the end of step `known`, with names.
    fn recalled(&self) -> String {
        let (mut first, mut o) = (0, String::new());
        for (r, reading) in reads(self.target).iter().enumerate() {
            let rows = rows(self.plan, reading);
            let row = format!("(known % {rows}u + {}u) % {rows}u + {first}u", rows - reading.age);
            let _ = writeln!(
                o,
                "            let z{r} = bitcast<f32>(state[wires[q + 16u] + ({row}) * wires[q + 17u] + slot - wires[q + 9u]]);"
            );
            first += rows;
        }
        o
    }

    /// The events of the target between its entries e and n, in order.
    fn events(&self) -> String {
        let k = self.k;
        let (posts, events) = (self.plastic.post.coefficients.len(), self.plastic.condition.as_ref().map(|c| c.coefficients.len()));
        let mut o = String::from("        while (e < n) {\n");
        let _ = writeln!(o, "            let old = {};\n            let next = {};", self.entry("e"), self.entry("(e + 1u)"));
        o += "            let step = state[next];\n";
        if self.plastic.drift.is_some() {
            let _ = writeln!(o, "            go_{k}({}step + delay, e, m);", self.arguments(false));
        }
        o += &self.strike(["mark", "marked"]);
        let call = |name: &str, numbers: String| {
            format!(
                "            {name}_{k}({numbers}{}{}{}{}w, f32(step - state[old]), f32(step + delay - last), f32(step + delay - marked){});\n",
                self.values("old"),
                list("x", self.source.states.len(), false),
                self.pointers(),
                self.modulated("mark"),
                self.read("next"),
            )
        };
        match events.filter(|_| conditional(self.target)) {
            None => o += &call("post", list("b", posts, false)),
            Some(events) => {
                let _ = writeln!(o, "            if (state[next + {}u] == 0u) {{", entry(self.target) - 1);
                o += &call("post", list("b", posts, false));
                o += "            } else {\n";
                o += &call("event", list("f", events, false));
                o += "            }\n";
            }
        }
        o += "            e++;\n        }\n";
        o
    }

    /// The numbers of what an event of the target makes of a synapse.
    fn numbers(&self, typed: bool) -> String {
        let events = self.plastic.condition.as_ref().map_or(0, |c| c.coefficients.len());
        list("b", self.plastic.post.coefficients.len(), typed) + &list("f", events, typed)
    }

    /// The step of the modulator's entry m, and that entry: 0 where there is no modulator.
    fn strike(&self, [mark, marked]: [&str; 2]) -> String {
        let Some(t) = self.modulator else { return format!("    let {mark} = 0u;\n    let {marked} = 0u;\n") };
        format!(
            "    let {mark} = held + 1u + (m & {}u) * {}u;\n    let {marked} = work.items[{mark}];\n",
            Plan::MODULATOR_HISTORY - 1,
            entry(t)
        )
    }

    /// Moves a synapse to step `to`; the last spike of its target that it has seen is entry e, of the modulator m.
    fn go(&self) -> String {
        let k = self.k;
        let mut o = format!("fn go_{k}({}to: u32, e: u32, m: u32) {{\n", self.parameters());
        o += &self.strike(["mark", "marked"]);
        let _ = writeln!(o, "    let seen = {};\n    let away = *stand - min(*stand, delay);", self.entry("e"));
        let u3 = if self.modulator.is_some() { "f32(*stand - marked)" } else { "0.0" };
        let _ = writeln!(
            o,
            "    drift_{k}({}{}{}{}{}w, f32(to - *stand), f32(*stand - last), f32(away - min(away, state[seen])), {u3});",
            list("d", self.plastic.drift.as_ref().map_or(0, |d| d.coefficients.len()), false),
            list("x", self.source.states.len(), false),
            self.values("seen"),
            self.pointers(),
            self.modulated("mark"),
        );
        o += "    *stand = to;\n}\n\n";
        o
    }

    /// All events from step `begun` (left out) to `to`, of the modulator up to `limit`; at the end the synapse stands there, if `arrive`.
    /// Gives the last entry of the modulator that it has seen, which was m.
    fn reach(&self) -> String {
        let k = self.k;
        let mut o = format!(
            "fn reach_{k}({}{}newest: u32, first: u32, begun: u32, to: u32, limit: u32, arrive: bool) -> u32 {{\n    var m = first;\n    var since = begun;\n    loop {{\n",
            self.numbers(true),
            self.parameters()
        );
        o += "    var until = to;\n    var more = false;\n";
        if let Some(t) = self.modulator {
            let next = format!("work.items[held + 1u + ((m + 1u) & {}u) * {}u]", Plan::MODULATOR_HISTORY - 1, entry(t));
            let _ = writeln!(
                o,
                "    if (m + 1u < work.items[held] && {next} <= limit) {{\n        until = {next};\n        more = true;\n    }}"
            );
        }
        o += "    if (until >= delay) {\n";
        let _ = writeln!(o, "        let n = {};\n        var e = n;", self.last("until - delay"));
        let at = self.entry("e");
        let _ = writeln!(o, "        while (e > 0u && state[{at}] + delay > since) {{\n            e--;\n        }}");
        o += &self.events();
        o += "    }\n";
        if self.plastic.drift.is_some() {
            let _ = writeln!(
                o,
                "    if (more || arrive) {{\n        go_{k}({}until, {}, m);\n    }}",
                self.arguments(false),
                self.last("until - min(until, delay)")
            );
        }
        o += "    if (!more) {\n        return m;\n    }\n    m++;\n    since = until;\n    }\n    return m;\n}\n\n";
        o
    }

    /// What a synapse is, and where it stands when a span from `begun` begins: at its last event.
    fn synapse(&self) -> String {
        let each = format!("(1u + ({} + 1u) * {}u)", self.mask(), entry(self.target));
        let mut o = format!(
            "        let place = base + j;\n        var w = bitcast<f32>(weights[place]);\n        let delay = synapses[j] & mask;\n        \
                 let slot = synapses[j] >> bits;\n        let h = wires[q + 8u] + (slot - wires[q + 9u]) * {each};\n        let newest = state[h] - 1u;\n"
        );
        (0..self.plastic.kept.len())
            .for_each(|v| _ = writeln!(o, "        var k{v} = bitcast<f32>(weights[place + {}u * wires[q + 14u]]);", v + 1));
        let m = self.modulator.map_or("0u".into(), |t| format!("last_modulator(held, {}u, begun)", entry(t)));
        let _ = writeln!(o, "        var m = {m};");
        o += &self.strike(["mark", "marked"]);
        if self.plastic.drift.is_none() {
            o += "        var stand = 0u;\n";
            return o;
        }
        let seen = self.entry(&self.last("begun - min(begun, delay)"));
        let _ = writeln!(o, "        let reached = state[{seen}];");
        o += "        var stand = max(last, marked);\n        if (reached != 0u && reached + delay <= begun) {\n            stand = max(stand, reached + delay);\n        }\n";
        o
    }

    fn keep(&self) -> String {
        let mut o = String::from("        weights[place] = bitcast<u32>(w);\n");
        (0..self.plastic.kept.len())
            .for_each(|v| _ = writeln!(o, "        weights[place + {}u * wires[q + 14u]] = bitcast<u32>(k{v});", v + 1));
        o
    }

    fn load(&self) -> String {
        let mut o = String::new();
        numbers(&mut o, "b", self.plastic.post.coefficients.len(), 2);
        if let Some(condition) = &self.plastic.condition {
            numbers(&mut o, "f", condition.coefficients.len(), 15);
        }
        if let Some(drift) = &self.plastic.drift {
            numbers(&mut o, "d", drift.coefficients.len(), 12);
        }
        o += "    let held = wires[q + 13u];\n    let at = wires[q + 4u] + source;\n    let size = wires[q + 5u];\n    let bits = wires[0];\n";
        o += "    let mask = (1u << bits) - 1u;\n    let base = wires[p + 28u] - wires[p + 29u];\n    let settled = work.counts[6u + batch.list];\n";
        o
    }

    fn row(&self) -> String {
        let (k, s) = (self.k, self.source.states.len());
        let pres = self.plastic.pre.coefficients.len();
        let mut o = format!("fn row_{k}(p: u32, q: u32, source: u32, begin: u32, end: u32, lane: u32, spikes: u32) {{\n");
        numbers(&mut o, "a", pres, 1);
        numbers(&mut o, "c", self.source.coefficients.len(), 3);
        o += &self.load();
        (0..s).for_each(|i| _ = writeln!(o, "    let before{i} = bitcast<f32>(work.items[at + {}u * size]);", s + 1 + i));
        let _ = writeln!(o, "    let before = work.items[at + {}u * size];", 2 * s + 1);
        o += "    for (var j = begin + lane; j < end; j += {{GROUP}}u) {\n        var last = before;\n        var begun = max(last, settled);\n";
        o += &self.synapse();
        (0..s).for_each(|i| _ = writeln!(o, "        var x{i} = before{i};"));
        o += "        var left = spikes;\n        while (left != 0u) {\n";
        o += "            let now = batch.first + firstTrailingBit(left) + 1u;\n            left = left & (left - 1u);\n";
        let _ =
            writeln!(o, "            m = reach_{k}({}{}newest, m, begun, now, now - 1u, true);", self.numbers(false), self.arguments(true));
        o += "            let known = now - min(now, delay);\n";
        let seen = self.entry(&self.last("max(known, 1u) - 1u"));
        let _ = writeln!(o, "            let seen = {seen};");
        o += &self.strike(["hit", "when"]);
        let pointers: String = (0..self.plastic.kept.len()).map(|v| format!("&k{v}, ")).collect();
        o += &self.recalled();
        let recalled: String = (0..reads(self.target).len()).map(|r| format!(", z{r}")).collect();
        let _ = writeln!(
            o,
            "            pre_{k}({}{}{}{pointers}{}&w, f32(now - last), f32(known - min(known, state[seen])), f32(now - when){recalled});",
            list("a", pres, false),
            list("x", s, false),
            self.values("seen"),
            self.modulated("hit"),
        );
        o += "            send(q, slot, now, delay, w);\n            if (left != 0u) {\n";
        (0..s).for_each(|i| _ = writeln!(o, "                var s{i} = x{i};"));
        let _ = writeln!(o, "                var s{s} = 1.0;\n                let u0 = f32(now - last);");
        o += &emit::body(&self.source.program);
        (0..s).for_each(|i| _ = writeln!(o, "                x{i} = flush(s{i});"));
        o += "                last = now;\n                begun = now;\n";
        if let Some(t) = self.modulator {
            let _ = writeln!(o, "                m = last_modulator(held, {}u, now);", entry(t));
        }
        o += "            }\n        }\n";
        o += &self.keep();
        o += "    }\n}\n\n";
        o
    }

    fn rest(&self) -> String {
        let (k, s) = (self.k, self.source.states.len());
        let mut o = format!("fn rest_{k}(p: u32, q: u32, source: u32, begin: u32, end: u32, lane: u32, now: u32, look: bool) {{\n");
        o += &self.load();
        (0..s).for_each(|i| _ = writeln!(o, "    let x{i} = bitcast<f32>(work.items[at + {i}u * size]);"));
        let _ = writeln!(o, "    let last = work.items[at + {s}u * size];");
        o += "    let begun = max(last, settled);\n    if (begun >= now && !look) {\n        return;\n    }\n    for (var j = begin + lane; j < end; j += {{GROUP}}u) {\n";
        o += &self.synapse();
        let _ = writeln!(o, "        m = reach_{k}({}{}newest, m, begun, now, now, look);", self.numbers(false), self.arguments(true));
        o += &self.keep();
        o += "    }\n}\n";
        o
    }
}
