//! The code of a population: its program with its drives and probes around it, as one WGSL function. Populations of the
//! same form share a function; their numbers stand in tables. Knows no device.

use std::fmt::Write;

use super::kernels::FACTOR;
use super::tables::{DRIVE_WORDS, PROBE_WORDS};
use super::wires::item_words;
use super::{coupled, emit, events, histories, plastic, traces};
use crate::network::{Wave, Which};
use crate::plan::{DriveKind, DrivePlan, Keep, Number, Plan, ProbePlan};

/// Functions by number.
#[derive(Default)]
pub struct Classes {
    bodies: Vec<String>,
    /// Functions of traces, and of histories: of spikes, and of steps at which conditions may hold.
    traces: Vec<String>,
    histories: Vec<String>,
    events: Vec<String>,
    /// The most traces that a population has.
    told: usize,
    /// Whether any weights change.
    plastic: bool,
}

impl Classes {
    /// The number of the function for this population.
    pub fn number(&mut self, plan: &Plan, population: usize) -> u32 {
        let traced = plan.traces_of(population).map(|(n, t)| traces::function(t, plastic::of_plastic(plan, n)));
        let traces: Vec<usize> = traced.map(|text| place(&mut self.traces, text)).collect();
        let targets = || histories::targets_of(plan, population).map(|(_, t)| t);
        let spikes: Vec<usize> = targets().map(|t| place(&mut self.histories, events::history(plan, t))).collect();
        let events: Vec<Option<usize>> = targets().map(|t| events::event(plan, t).map(|text| place(&mut self.events, text))).collect();
        let watched = Watched { spikes, events };
        self.told = self.told.max(traces.len());
        self.plastic |= plastic::any(plan);
        place(&mut self.bodies, function(plan, population, &traces, &watched)) as u32
    }

    /// The update kernel, complete.
    pub fn kernel(&self, group: u32) -> String {
        let traces: String = self.traces.iter().enumerate().map(|(k, b)| format!("fn trace_{k}{b}\n")).collect();
        let histories: String = self.histories.iter().enumerate().map(|(k, b)| format!("fn history_{k}{b}\n")).collect();
        let events: String = self.events.iter().enumerate().map(|(k, b)| format!("fn event_{k}{b}\n")).collect();
        let announce = if self.plastic { include_str!("../../../shaders/announce.wgsl") } else { "" };
        let (declared, factor, start) = match self.told {
            0 => (String::new(), "", ""),
            n => (
                format!("// Factors of a spike: 1, then one by each of its traces.\nvar<private> told: array<u32, {}>;\n\n", n + 1),
                "                    work.items[word + 3u] = told[info[p + 6u]];\n",
                "    told[0] = 0x80000000u;\n",
            ),
        };
        let functions: String = self.bodies.iter().enumerate().map(|(k, b)| format!("fn class_{k}{b}\n")).collect();
        let cases: String = (0..self.bodies.len()).map(|k| format!("        case {k}u: {{ class_{k}(p, i); }}\n")).collect();
        let text = include_str!("../../../shaders/update.wgsl")
            .replace("{{CLASSES}}", &[announce, &traces, &histories, &events, &functions].concat())
            .replace("{{CHANGE}}", &plastic::ITEM.to_string())
            .replace("{{TOLD}}", &declared)
            .replace("{{FACTOR}}", factor)
            .replace("{{START}}", start)
            .replace("{{ITEM}}", &item_words(self.told > 0).to_string())
            .replace("{{CASES}}", &cases)
            .replace("{{GROUP}}", &group.to_string());
        [include_str!("../../../shaders/lib/math.wgsl"), include_str!("../../../shaders/lib/philox.wgsl"), FACTOR, &text].join("\n")
    }
}

/// The functions of the histories of a population: of spikes, and of steps, where these may be events.
struct Watched {
    spikes: Vec<usize>,
    events: Vec<Option<usize>>,
}

/// Where a text stands among others, which it joins if it is new.
fn place(all: &mut Vec<String>, text: String) -> usize {
    all.iter().position(|known| *known == text).unwrap_or_else(|| {
        all.push(text);
        all.len() - 1
    })
}

/// Drives onto a population, with their numbers in the plan.
pub fn drives(plan: &Plan, population: usize) -> impl Iterator<Item = (usize, &DrivePlan)> {
    plan.drives.iter().enumerate().filter(move |(_, d)| d.population == population)
}

pub fn probes(plan: &Plan, population: usize) -> impl Iterator<Item = (usize, &ProbePlan)> {
    plan.probes.iter().enumerate().filter(move |(_, p)| p.population == population)
}

/// Which receptor a slot of this population belongs to.
fn receptor(plan: &Plan, population: usize, slot: usize) -> usize {
    (slot - plan.populations[population].slot) / (plan.populations[population].size.max(1) as usize)
}

/// Text of a function without its name. Writing to a String cannot fail, so its results are dropped.
fn function(plan: &Plan, index: usize, traces: &[usize], watched: &Watched) -> String {
    let population = &plan.populations[index];
    let program = &population.program;
    let mut o = String::from("(p: u32, i: u32) {\n");
    o += "    let first = info[p + 1u];\n    let len = info[p + 2u];\n    let within = info[p + 5u] + i;\n";
    o += "    let noise = vec2(info[9], info[10]);\n";
    for (c, number) in population.coefficients.iter().enumerate() {
        let lane = if matches!(number, Number::Column(_)) { " + i" } else { "" };
        let _ = writeln!(o, "    let c{c} = numbers[info[info[p + 6u] + {c}u]{lane}];");
    }
    for r in 0..program.receptors {
        let _ = writeln!(o, "    let q{r} = numbers[info[p + 9u] + {r}u];");
    }
    for s in 0..program.states {
        let _ = writeln!(o, "    var s{s} = bitcast<f32>(state[info[p + 4u] + {s}u * len + i]);");
    }
    for (j, (_, drive)) in drives(plan, index).enumerate() {
        constants(&mut o, j, drive);
    }
    for (j, (_, probe)) in probes(plan, index).enumerate() {
        let _ = writeln!(o, "    let h{j} = info[p + 8u] + {}u;\n    let every{j} = info[h{j}];", j * PROBE_WORDS);
        member(&mut o, &probe.of, &format!("h{j} + 1u"), 'e', 'g', j);
    }
    let targets = || histories::targets_of(plan, index).map(|(_, t)| t).enumerate();
    // Spikes of the batch, by step.
    let changes = !watched.spikes.is_empty() || plan.traces_of(index).any(|(n, _)| plastic::of_plastic(plan, n));
    if changes {
        o += "    var spikes = 0u;\n";
    }
    if watched.events.iter().any(Option::is_some) {
        o += "    var events = false;\n";
    }
    targets().for_each(|(k, t)| o += &events::rings(plan, k, t));
    // What no step changes is read before the steps: a load costs a software adapter as much as thirty operations.
    o += "    let slot = info[p + 3u] + i;\n    let rows = info[0];\n    let width = info[1];\n    var row = (batch.first + 1u) % rows;\n";
    o += "    for (var t = 0u; t < batch.steps; t++) {\n        let now = batch.first + t;\n        let at = row * width + slot;\n";
    o += "        row = select(row + 1u, 0u, row + 1u == rows);\n";
    for r in 0..program.receptors {
        let _ = writeln!(o, "        var a{r} = ring[at + {r}u * len];\n        ring[at + {r}u * len] = 0;");
    }
    (0..program.inputs).for_each(|u| o += &format!("        var u{u} = 0.0;\n"));
    for (j, (_, drive)) in drives(plan, index).enumerate() {
        o += &driven(plan, index, j, drive);
    }
    o += &coupled::couple(plan, index);
    o += "        var spiked = false;\n        let turn0 = 0u;\n";
    o += &emit::body(program);
    (0..program.states).for_each(|s| o += &format!("        s{s} = flush(s{s});\n"));
    targets().for_each(|(k, t)| o += &events::reading(plan, k, t));
    o += "        if (spiked) {\n";
    for (k, (number, (n, _))) in traces.iter().zip(plan.traces_of(index)).enumerate() {
        let place = if plastic::of_plastic(plan, n) { "within" } else { "i" };
        let fresh = if changes { "spikes == 0u" } else { "false" };
        let _ = writeln!(o, "            told[{}] = trace_{number}(info[p + 11u] + {}u, {place}, now + 1u, {fresh});", k + 1, 3 * k);
    }
    targets().for_each(|(k, t)| o += &events::spike(watched.spikes[k], k, t));
    if changes {
        o += "            spikes |= 1u << t;\n";
    }
    o += "            emit(first + i, within, info[p + 10u], t);\n        }\n";
    targets().for_each(|(k, t)| o += &watched.events[k].map_or_else(String::new, |number| events::step(number, k, t)));
    for (j, (_, probe)) in probes(plan, index).enumerate() {
        let v = probe.variable;
        let _ = writeln!(
            o,
            "        if (g{j} && (now + 1u) % every{j} == 0u) {{\n            let sample = (now + 1u) / every{j} - batch.origin / every{j} - 1u;\n            samples[info[h{j} + 3u] + sample * info[h{j} + 2u] + e{j}] = s{v};\n        }}"
        );
    }
    o += &coupled::show(plan, index);
    o += "    }\n";
    if changes {
        o += "    if (spikes != 0u) {\n        announce(within, info[p + 12u], spikes);\n";
        targets().filter(|(k, _)| watched.events[*k].is_none()).for_each(|(k, t)| o += &events::watched(plan, k, t));
        o += "    }\n";
    }
    if watched.events.iter().any(Option::is_some) {
        o += "    if (spikes != 0u || events) {\n";
        targets().filter(|(k, _)| watched.events[*k].is_some()).for_each(|(k, t)| o += &events::watched(plan, k, t));
        o += "    }\n";
    }
    o += "    var whole = true;\n";
    for s in 0..program.states {
        let _ = writeln!(o, "    state[info[p + 4u] + {s}u * len + i] = bitcast<u32>(s{s});\n    whole = whole && finite(s{s});");
    }
    o += "    if (!whole) {\n        atomicStore(&log.broken, 1u);\n    }\n}\n";
    o
}

/// Position among the members of a part, and whether there is one. A list keeps the position of every neuron.
fn member(o: &mut String, which: &Which, at: &str, position: char, is: char, j: usize) {
    let _ = match which {
        Which::Range { .. } => {
            writeln!(o, "    let {position}{j} = within - info[{at}];\n    let {is}{j} = {position}{j} < info[{at} + 1u];")
        }
        Which::List(_) => {
            writeln!(o, "    let {position}{j} = info[info[{at}] + within];\n    let {is}{j} = {position}{j} != 0xFFFFFFFFu;")
        }
    };
}

/// What a drive is, as far as no step changes it.
fn constants(o: &mut String, j: usize, drive: &DrivePlan) {
    let _ = writeln!(
        o,
        "    let d{j} = info[p + 7u] + {}u;\n    let start{j} = info[d{j}];\n    let stop{j} = info[d{j} + 1u];",
        j * DRIVE_WORDS
    );
    member(o, &drive.to, &format!("d{j} + 5u"), 'k', 'm', j);
    let key = format!("    let key{j} = vec2(info[d{j} + 2u], info[d{j} + 3u]);\n");
    let weight = format!("    let weight{j} = bitcast<i32>(info[d{j} + 4u]);\n");
    *o += &match &drive.kind {
        DriveKind::Poisson { .. } => format!(
            "{key}{weight}    let table{j} = info[d{j} + 7u];\n    let least{j} = info[table{j}];\n    let entries{j} = info[table{j} + 1u];\n    \
             var b{j} = vec4<u32>();\n"
        ),
        DriveKind::Current { wave: Wave::Noise { .. }, .. } => format!("{key}    var n{j} = 0.0;\n"),
        DriveKind::Spikes { .. } => weight,
        DriveKind::Current { .. } => String::new(),
    };
}

/// What a drive adds in a step.
fn driven(plan: &Plan, population: usize, j: usize, drive: &DrivePlan) -> String {
    let active = format!("m{j} && start{j} <= now && now < stop{j}");
    let (weight, key) = (format!("weight{j}"), format!("key{j}"));
    match &drive.kind {
        DriveKind::Poisson { slot, keep, .. } => {
            let r = receptor(plan, population, *slot);
            // Copies of one train draw its counts at a place that is no neuron's.
            let member = if let Keep::Copies(_) = keep { "0xFFFFFFFFu".to_string() } else { format!("k{j}") };
            let drawn = format!("poisson(table{j}, least{j}, entries{j}, b{j}[now & 3u])");
            let count = match keep {
                Keep::All => drawn,
                Keep::Each(_) => format!("thinned({drawn}, info[info[d{j} + 8u] + k{j}], {key}, vec2(k{j}, now))"),
                Keep::Copies(_) => format!("thinned({drawn}, info[d{j} + 8u], {key}, vec2(k{j}, now))"),
                Keep::Steps(_) | Keep::Swing { .. } => {
                    let share = format!("waves[info[d{j} + 8u] + now - batch.origin]");
                    format!("thinned({drawn}, {share}, {key}, vec2(k{j}, now))")
                }
            };
            format!(
                "        if (m{j} && (t == 0u || (now & 3u) == 0u)) {{\n            b{j} = philox({key}, vec4({member}, now >> 2u, 0u, 0u));\n        }}\n        \
                 if ({active}) {{\n            a{r} += {count} * {weight};\n        }}\n"
            )
        }
        DriveKind::Spikes { slot, .. } => {
            let r = receptor(plan, population, *slot);
            format!("        if ({active}) {{\n            a{r} += replayed(info[d{j} + 7u], now + 1u) * {weight};\n        }}\n")
        }
        DriveKind::Current { input, wave: Wave::Noise { .. } } => format!(
            "        if ({active}) {{\n            let since = now - start{j};\n            if (t == 0u || since % info[d{j} + 8u] == 0u) {{\n                \
             let x = normal({key}, vec4(k{j}, since / info[d{j} + 8u], 0u, 0u));\n                \
             n{j} = bitcast<f32>(info[d{j} + 9u]) + bitcast<f32>(info[d{j} + 10u]) * x;\n            }}\n            \
             u{input} = u{input} + n{j};\n        }}\n"
        ),
        DriveKind::Current { input, .. } => {
            format!(
                "        if ({active}) {{\n            u{input} = u{input} + bitcast<f32>(waves[info[d{j} + 7u] + now - batch.origin]);\n        }}\n"
            )
        }
    }
}
