//! Stimuli of a scene. Knows no projection.

use std::sync::Arc;

use toml_edit::{Item, Table, TableLike};

use super::columns::{stepped, values};
use super::fields::Reader;
use super::files;
use super::parts::Places;
use super::projections::{receptor, required, tables, weight};
use super::value::Wrong;
use crate::base::problem::did_you_mean;
use crate::base::units::{NUMBER, RATE};
use crate::network::{Drive, Kind, Part, Rate, Receptor, Stimulus, Values, Wave};

pub const KINDS: [&str; 5] = ["poisson", "current", "sine", "noise", "spikes"];
/// Keys of a stimulus of any kind.
pub const KEYS: [&str; 21] = [
    "name",
    "label",
    "kind",
    "to",
    "rate",
    "correlation",
    "weight",
    "receptor",
    "input",
    "amplitude",
    "steps",
    "offset",
    "frequency",
    "phase",
    "mean",
    "sd",
    "every",
    "times",
    "file",
    "start",
    "stop",
];
/// The highest rate that can be asked for, 1/ms.
const FASTEST: f64 = 1e6;
/// Keys of a rate that swings.
pub const SWING_KEYS: [&str; 4] = ["offset", "amplitude", "frequency", "phase"];
/// Keys of every stimulus.
const COMMON: [&str; 6] = ["name", "label", "kind", "to", "start", "stop"];

/// Keys of a kind.
fn keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "poisson" => &["rate", "correlation", "weight", "receptor"],
        "spikes" => &["times", "file", "weight", "receptor"],
        "current" => &["input", "amplitude", "steps"],
        "sine" => &["input", "offset", "amplitude", "frequency", "phase"],
        "noise" => &["input", "mean", "sd", "every"],
        _ => &[],
    }
}

pub fn stimuli(reader: &mut Reader, document: &Table, places: &Places) -> Vec<Stimulus> {
    let mut out = Vec::new();
    for (item, table) in tables(reader, document, "stimuli") {
        let table = table.as_ref();
        let kind = table.get("kind").and_then(Item::as_str).unwrap_or("");
        if KINDS.contains(&kind) {
            let known: Vec<&str> = COMMON.iter().chain(keys(kind)).copied().collect();
            reader.keys(&format!("a stimulus of kind {kind}"), table, &known);
        }
        let name = reader.string(table, "name").unwrap_or_default();
        let start = table.get("start").map_or(Some(0), |i| reader.steps(i));
        let stop = table.get("stop").map_or(Some(u64::MAX), |i| reader.steps(i));
        let (Some(start), Some(stop), Some(to)) = (start, stop, required(reader, &item, table, "to")) else { continue };
        if let Some(item) = table.get("stop").filter(|_| stop <= start) {
            reader.say(item, "this stimulus stops before it starts", "let stop be later than start, or leave it out");
        }
        for part in places.parts(reader, &to) {
            let outer = std::mem::take(&mut reader.scope.bound);
            if let Some((set, i)) = &places.members[part.population] {
                reader.scope.bound = vec![(set.clone(), *i), ("to".into(), *i)];
            }
            if let Some(kind) = drive(reader, &item, table, places, &part) {
                reader.spans.stimuli.push(item.span().unwrap_or(0..0));
                out.push(Stimulus { name: name.clone(), to: part, kind, start, stop });
            }
            reader.scope.bound = outer;
        }
    }
    out
}

fn drive(reader: &mut Reader, item: &Item, table: &dyn TableLike, places: &Places, to: &Part) -> Option<Drive> {
    let kind_item = required(reader, item, table, "kind")?;
    let kind = reader.text("kind", &kind_item)?;
    match kind.as_str() {
        "poisson" => {
            let rate_item = required(reader, item, table, "rate")?;
            let rate = rate(reader, &rate_item, to)?;
            let correlation = correlation(reader, table, &rate_item, &rate)?;
            let (weight, receptor) = landing(reader, item, table, places, to)?;
            Some(Drive::Poisson { rate, correlation, weight, receptor })
        }
        "spikes" => {
            let (weight, receptor) = landing(reader, item, table, places, to)?;
            Some(Drive::Spikes { times: times(reader, item, table)?, weight, receptor })
        }
        "current" | "sine" | "noise" => {
            let input = input(reader, item, table, places, to)?;
            let dimension = places.populations[to.population].model.inputs[input].dimension;
            Some(Drive::Current { input, wave: wave(reader, item, table, &kind, dimension)? })
        }
        _ => {
            let help = did_you_mean(&kind, KINDS).unwrap_or_else(|| format!("kinds are {}", KINDS.join(", ")));
            reader.wrong(&kind_item, Wrong(format!("no stimulus is of kind `{kind}`"), Some(help)));
            None
        }
    }
}

/// How alike the trains of two neurons are: 0 unless told.
fn correlation(reader: &mut Reader, table: &dyn TableLike, rate_item: &Item, rate: &Rate) -> Option<f64> {
    let Some(item) = table.get("correlation") else { return Some(0.0) };
    let c = reader.number(item, NUMBER)?;
    if !(0.0..=1.0).contains(&c) {
        reader.say(item, format!("a correlation of {c}"), "it lies between 0 and 1");
        return None;
    }
    match rate {
        _ if c == 0.0 => {}
        Rate::Values(Values::Uniform(x)) if x / c <= FASTEST => {}
        Rate::Values(Values::Uniform(x)) => {
            let help = "take a larger correlation or a lower rate";
            reader.say(item, format!("the train that all neurons share would have a rate of {} kHz", x / c), help);
            return None;
        }
        _ => {
            reader.say(
                rate_item,
                "copies of one train need one rate, for all neurons and all times",
                "drop `correlation`, or give one rate",
            );
            return None;
        }
    }
    Some(c)
}

/// `{ offset, amplitude, frequency, phase }`; none if it is something else.
fn swinging(reader: &mut Reader, item: &Item) -> Option<Option<Rate>> {
    let Some(table) = item.as_table_like().filter(|t| t.contains_key("frequency")) else { return Some(None) };
    reader.keys("a rate that swings", table, &SWING_KEYS);
    let wave = wave(reader, item, table, "sine", RATE)?;
    let Wave::Sine { offset, amplitude, .. } = wave else { return None };
    let max = offset + amplitude.abs();
    if amplitude.abs() > offset {
        reader.say(item, "this rate falls below zero", "let its amplitude be at most its offset");
        return None;
    }
    Some(Some(Rate::Swing { wave, max }))
}

/// One rate, one for each neuron, steps in time or a sine. What is drawn is checked by the plan.
fn rate(reader: &mut Reader, item: &Item, to: &Part) -> Option<Rate> {
    let rate = match (swinging(reader, item)?, stepped(reader, item, RATE)?) {
        (Some(swing), _) => swing,
        (None, Some(steps)) => Rate::Steps(steps.into()),
        (None, None) => Rate::Values(values(reader, item, RATE, to.which.len())?),
    };
    let known: Vec<f64> = match &rate {
        Rate::Values(Values::Uniform(x)) => vec![*x],
        Rate::Values(Values::Column(all)) => all.to_vec(),
        Rate::Values(Values::Law(_)) => Vec::new(),
        Rate::Steps(steps) => steps.iter().map(|s| s.1).collect(),
        Rate::Swing { max, .. } => vec![*max],
    };
    if let Some(x) = known.iter().find(|x| !(0.0..=FASTEST).contains(*x)) {
        reader.say(item, format!("a rate of {x} kHz"), "a rate lies between 0 and 1e9 Hz");
        return None;
    }
    Some(rate)
}

fn landing(reader: &mut Reader, item: &Item, table: &dyn TableLike, places: &Places, to: &Part) -> Option<(f64, Receptor)> {
    let receptor = receptor(reader, item, table, places, to)?;
    let weight_item = required(reader, item, table, "weight")?;
    let law = weight(reader, &weight_item, places, to, receptor)?;
    if law.kind != Kind::Constant {
        reader.say(&weight_item, "the weight of a stimulus is one number", "drop the random draw");
        return None;
    }
    Some((law.offset + law.scale, receptor))
}

fn times(reader: &mut Reader, item: &Item, table: &dyn TableLike) -> Option<Arc<[u64]>> {
    let mut steps: Vec<u64> = Vec::new();
    if let Some(file) = table.get("file") {
        let name = reader.text("file", file)?;
        match files::times(reader.folder.as_deref(), &name) {
            Ok(list) => steps = list.into_iter().map(|t| reader.on_grid(file, t)).collect::<Option<_>>()?,
            Err(message) => {
                reader.say(file, message, "a CSV file with a column time_ms");
                return None;
            }
        }
    } else {
        let list = required(reader, item, table, "times")?;
        if !list.is_array() {
            reader.say(&list, "times are a list", "write times = [\"5 ms\", \"9 ms\"]");
            return None;
        }
        for value in list.as_array().into_iter().flatten() {
            steps.push(reader.steps(&Item::Value(value.clone()))?);
        }
    }
    steps.sort_unstable();
    Some(steps.into())
}

fn input(reader: &mut Reader, item: &Item, table: &dyn TableLike, places: &Places, to: &Part) -> Option<usize> {
    let model = &places.populations[to.population].model;
    let names: Vec<&str> = model.inputs.iter().map(|i| i.name.as_str()).collect();
    match table.get("input") {
        None if names.len() == 1 => Some(0),
        None => {
            reader.say(
                item,
                format!("{} has {} inputs", model.name, names.len()),
                format!("write input = ..., one of {}", names.join(", ")),
            );
            None
        }
        Some(given) => {
            let name = reader.text("input", given)?;
            let found = names.iter().position(|n| *n == name);
            if found.is_none() {
                let help = did_you_mean(&name, names.iter().copied()).unwrap_or_else(|| format!("it has {}", names.join(", ")));
                reader.wrong(given, Wrong(format!("{} has no input `{name}`", model.name), Some(help)));
            }
            found
        }
    }
}

fn wave(reader: &mut Reader, item: &Item, table: &dyn TableLike, kind: &str, d: crate::base::units::Dimension) -> Option<Wave> {
    let mut get = |key: &str, dimension| {
        let value = required(reader, item, table, key)?;
        reader.number(&value, dimension)
    };
    match kind {
        "sine" => {
            let (amplitude, frequency) = (get("amplitude", d)?, get("frequency", RATE)?);
            let offset = table.get("offset").map_or(Some(0.0), |i| reader.number(i, d))?;
            let phase = table.get("phase").map_or(Some(0.0), |i| reader.number(i, NUMBER))?;
            Some(Wave::Sine { offset, amplitude, frequency, phase })
        }
        "noise" => {
            let sd = get("sd", d)?;
            let mean = table.get("mean").map_or(Some(0.0), |i| reader.number(i, d))?;
            if let Some(item) = table.get("sd").filter(|_| sd < 0.0) {
                reader.say(item, "a standard deviation below zero", "give a value of zero or more");
            }
            Some(Wave::Noise { mean, sd, every: reader.every(table).unwrap_or(1) })
        }
        _ => match table.get("steps").and_then(Item::as_array) {
            None => {
                if let Some(list) = table.get("amplitude").filter(|i| i.is_array()) {
                    reader.say(list, "an amplitude is one value", "for one that changes write steps = [[\"20 ms\", \"300 pA\"], ...]");
                    return None;
                }
                get("amplitude", d).map(Wave::Constant)
            }
            Some(list) => {
                let mut steps = Vec::new();
                for row in list {
                    let pair: Vec<Item> = row.as_array().into_iter().flatten().cloned().map(Item::Value).collect();
                    let [at, value] = &pair[..] else {
                        reader.say(item, "a step of a current is a pair", "write steps = [[\"20 ms\", \"300 pA\"], ...]");
                        return None;
                    };
                    steps.push((reader.steps(at)?, reader.number(value, d)?));
                }
                steps.sort_by_key(|s| s.0);
                Some(Wave::Steps(steps.into()))
            }
        },
    }
}
