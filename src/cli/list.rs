//! `synfire list`: what is built in.

use serde_json::{Value, json};

use super::Failure;
use super::args::What;
use super::terminal::Terminal;
use crate::record::{METRICS, WEIGHT_METRICS, WEIGHTS_SUBSET};

pub fn list(what: What, terminal: &Terminal) -> Result<(), Failure> {
    match what {
        What::Scenes => scenes(terminal),
        What::Models => named(terminal, "models", "about", &crate::model::builtin()),
        What::Synapses => named(terminal, "synapses", "about", &crate::model::builtin_synapses()),
        What::Metrics => metrics(terminal),
    }
}

fn scenes(terminal: &Terminal) -> Result<(), Failure> {
    let groups = crate::scene::groups();
    let line = |(name, text): &(&str, &str)| format!("  {name:28} {}\n", value(text, "title"));
    let group = |(group, scenes): &crate::scene::Group| format!("{group}\n{}", scenes.iter().map(line).collect::<String>());
    let text = || groups.iter().map(group).collect::<Vec<_>>().join("\n");
    let entry = |group: &str, (name, text): &(&str, &str)| json!({ "name": name, "title": value(text, "title"), "cite": value(text, "cite"), "group": group });
    let all = || groups.iter().flat_map(|(group, scenes)| scenes.iter().map(move |s| entry(group, s))).collect::<Vec<Value>>();
    terminal.data(text, || json!({ "scenes": all() }))
}

fn named(terminal: &Terminal, kind: &str, key: &str, all: &[(&str, &str)]) -> Result<(), Failure> {
    let text = || all.iter().map(|(name, text)| format!("{name:22} {}\n", value(text, key))).collect();
    let entry = |(name, text): &(&str, &str)| json!({ "name": name, key: value(text, key), "cite": value(text, "cite") });
    terminal.data(text, || json!({ kind: all.iter().map(entry).collect::<Vec<Value>>() }))
}

fn metrics(terminal: &Terminal) -> Result<(), Failure> {
    let spikes = METRICS.iter().map(|m| (m.name, m.unit, [m.formula, m.bins, m.minimum, m.subset]));
    let weights = WEIGHT_METRICS.iter().map(|m| (m.name, "1", [m.formula, m.bins, m.minimum, WEIGHTS_SUBSET]));
    let all: Vec<_> = spikes.chain(weights).collect();
    let rows = ["formula", "bins", "minimum", "subset"];
    let text = || {
        let one = |(name, unit, texts): &(&str, &str, [&str; 4])| {
            let lines: String = rows.iter().zip(texts).map(|(row, text)| format!("  {row:10} {text}\n")).collect();
            format!("{name} ({unit})\n{lines}")
        };
        all.iter().map(one).collect::<Vec<_>>().join("\n")
    };
    let entry = |(name, unit, [formula, bins, minimum, subset]): &(&str, &str, [&str; 4])| json!({ "name": name, "unit": unit, "formula": formula, "bins": bins, "minimum": minimum, "subset": subset });
    terminal.data(text, || json!({ "metrics": all.iter().map(entry).collect::<Vec<Value>>() }))
}

/// The first `key = "..."` of a text.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    text.lines().find_map(|l| l.strip_prefix(key)?.split('"').nth(1)).unwrap_or("")
}
