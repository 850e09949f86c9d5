//! Presets and the published numbers they must reproduce. Knows no way to measure them.

use toml_edit::{Item, Table, TableLike, Value as Toml};

use super::fields::{Reader, key_span};
use super::parts::Places;
use super::probes;
use super::value::{Value, Wrong};
use crate::base::problem::did_you_mean;
use crate::base::units::{Dimension, NUMBER, RATE, TIME};
use crate::network::{Projection, Which};

#[derive(Clone, Debug)]
pub struct Preset {
    pub name: String,
    /// What its button says; its name unless told.
    pub label: String,
    pub about: String,
    /// Parameters and their values, as written.
    pub set: Vec<(String, String)>,
    pub expect: Vec<Expectation>,
}

/// A metric whose mean over the seeds lies in an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub metric: String,
    pub intervals: Vec<Interval>,
    pub seeds: u32,
    pub min_spikes: u32,
    /// Judge only the seeds whose network spikes to the end.
    pub alive: bool,
    pub window: Window,
}

/// The part of a run that counts, in steps, and how bursts are told. What is none is as `list metrics` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    pub start: Option<u64>,
    pub stop: Option<u64>,
    /// Steps of silence before a burst.
    pub gap: Option<u64>,
    /// Population whose bursts bound the cycles of phases.
    pub against: Option<String>,
    /// Weights of this bin alone, from (included) to (left out, unless it is 1).
    pub bin: Option<[f64; 2]>,
}

/// In internal units: 1/ms for rates, ms for times.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// The name of a population; or of a projection, as in `exc->inh`.
    pub population: String,
    /// The synapses of a projection that are meant, as its number and the neurons of both sides; none for a population.
    pub synapses: Vec<(usize, Which, Which)>,
    pub low: f64,
    pub high: f64,
}

/// Keys of a preset.
pub const PRESET_KEYS: [&str; 4] = ["set", "expect", "label", "about"];
pub const KEYS: [&str; 16] = [
    "metric",
    "over",
    "between",
    "below",
    "above",
    "near",
    "within",
    "seeds",
    "min_spikes",
    "alive",
    "start",
    "stop",
    "gap",
    "against",
    "bin",
    "about",
];

/// Metrics by name, each with the dimension of its values; a test holds them to those that are measured.
pub const METRICS: [(&str, Dimension); 16] = [
    ("rate", RATE),
    ("cv_isi", NUMBER),
    ("synchrony", NUMBER),
    ("peak_frequency", RATE),
    ("spikes", NUMBER),
    ("lifetime", TIME),
    ("latency", TIME),
    ("spread", TIME),
    ("active", NUMBER),
    ("centre", NUMBER),
    ("ring_centre", NUMBER),
    ("ring_width", NUMBER),
    ("bursts", NUMBER),
    ("period", TIME),
    ("phase", NUMBER),
    ("locking", NUMBER),
];
/// Metrics of the weights of a projection.
pub const WEIGHT_METRICS: [&str; 4] = ["weight_mean", "weight_sd", "weight_share", "weight_bimodality"];

/// Where expectations are read: populations, and the projections between them.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub places: &'a Places<'a>,
    pub projections: &'a [Projection],
}

pub fn presets(reader: &mut Reader, document: &Table, known: Known) -> Vec<Preset> {
    let mut out = Vec::new();
    if let Some(item) = document.get("expect") {
        let (label, about) = (String::new(), String::new());
        out.push(Preset { name: String::new(), label, about, set: Vec::new(), expect: list(reader, item, known) });
    }
    let Some(tables) = document.get("presets").and_then(Item::as_table_like) else { return out };
    for (name, item) in tables.iter() {
        let Some(table) = item.as_table_like() else { continue };
        reader.keys("a preset", table, &PRESET_KEYS);
        let expect = table.get("expect").map(|e| list(reader, e, known)).unwrap_or_default();
        let label = reader.string(table, "label").unwrap_or_else(|| name.into());
        let about = reader.string(table, "about").unwrap_or_default();
        settable(reader, table.get("set"));
        out.push(Preset { name: name.into(), label, about, set: super::knobs::pairs(table), expect });
    }
    out
}

/// What a preset sets are parameters, each to a value of its dimension.
fn settable(reader: &mut Reader, set: Option<&Item>) {
    let Some(set) = set else { return };
    let Some(table) = set.as_table_like() else { return reader.say(set, "set is a table", "write set = { NAME = VALUE }") };
    for (key, item) in table.iter() {
        if !reader.scope.parameters.contains_key(key) {
            let names: Vec<&str> = reader.scope.parameters.keys().map(String::as_str).collect();
            let all = format!("parameters are {}", names.join(", "));
            let help = did_you_mean(key, names.iter().copied()).unwrap_or(all);
            let span = key_span(table, key).unwrap_or(0..0);
            let problem = reader.scope.problem(Wrong(format!("no parameter is named `{key}`"), Some(help)), span);
            reader.push(problem);
            continue;
        }
        match (reader.scope.item(item), reader.scope.parameter(key)) {
            (Ok(value), Some(own)) if value.dimension() != own.dimension() => {
                let (found, expected) = (value.dimension(), own.dimension());
                reader.say(item, format!("`{key}` is in {expected}, and this is in {found}"), "give a value of the same dimension");
            }
            (Err(problem), _) => reader.push(problem),
            _ => {}
        }
    }
}

/// Whether this is a metric of weights, if it is a metric of what is measured.
fn metric(reader: &mut Reader, item: &Item, name: &str, of_weights: bool) -> Option<Dimension> {
    let known: Vec<&str> = if of_weights { WEIGHT_METRICS.to_vec() } else { METRICS.iter().map(|m| m.0).collect() };
    if !known.contains(&name) {
        let of = if of_weights { "a projection" } else { "a population" };
        let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| format!("there are {}", known.join(", ")));
        reader.wrong(item, Wrong(format!("no metric of {of} is named `{name}`"), Some(help)));
        return None;
    }
    Some(METRICS.iter().find(|m| m.0 == name).map_or(NUMBER, |m| m.1))
}

pub fn list(reader: &mut Reader, item: &Item, known: Known) -> Vec<Expectation> {
    let mut out = Vec::new();
    if item.as_array().is_none() {
        reader.say(item, "expectations are a list", "write [{ metric = \"rate.exc\", between = [\"1 Hz\", \"2 Hz\"] }]");
    }
    for value in item.as_array().into_iter().flatten() {
        let item = Item::Value(value.clone());
        match value.as_inline_table() {
            Some(table) => out.extend(one(reader, &item, table, known)),
            None => reader.say(&item, "an expectation is a table", "write { metric = ..., between = [...] }"),
        }
    }
    out
}

fn one(reader: &mut Reader, item: &Item, table: &dyn TableLike, known: Known) -> Option<Expectation> {
    let places = known.places;
    reader.keys("an expectation", table, &KEYS);
    let metric_item = super::projections::required(reader, item, table, "metric")?;
    let metric = reader.text("metric", &metric_item)?;
    let (name, population) = metric.split_once('.').unwrap_or((&metric, ""));
    let dimension = self::metric(reader, &metric_item, name, population.contains("->"))?;
    let populations: Vec<String> = match reader.string(table, "over") {
        Some(set) => reader.scope.sets.get(&set).cloned().unwrap_or_default(),
        None => vec![population.to_string()],
    };
    let synapses = if population.contains("->") { synapses(reader, item, population, known)? } else { Vec::new() };
    if synapses.is_empty() && (populations.is_empty() || populations.iter().any(|p| !places.populations.iter().any(|q| q.name == *p))) {
        reader.say(item, format!("`{metric}` names no population"), "write metric.population, or over = \"SET\"");
        return None;
    }
    let count = populations.len();
    let mut get = |key: &str| -> Option<Vec<f64>> {
        let Some(found) = table.get(key) else { return Some(Vec::new()) };
        let values: Vec<Toml> =
            found.as_array().map(|a| a.iter().cloned().collect()).unwrap_or_else(|| found.as_value().cloned().into_iter().collect());
        values.into_iter().map(|v| number(reader, dimension, &Item::Value(v))).collect()
    };
    let bounds = ["between", "below", "above", "near", "within"].map(&mut get);
    let [Some(between), Some(below), Some(above), Some(near), Some(within)] = bounds else { return None };
    let (seeds, min_spikes) = (whole(reader, table, "seeds", 1, 1..=100), whole(reader, table, "min_spikes", 2, 0..=1_000_000));
    let bounds: Vec<(f64, f64)> = if !near.is_empty() && within.len() == 1 {
        // `within` is a fraction, whatever the metric's unit.
        let w = table.get("within").and_then(|i| i.as_float()).unwrap_or(0.0);
        near.iter().map(|n| (n * (1.0 - w), n * (1.0 + w))).collect()
    } else if let [low, high] = between[..] {
        vec![(low, high); count]
    } else if below.len() + above.len() > 0 {
        vec![(above.first().copied().unwrap_or(f64::NEG_INFINITY), below.first().copied().unwrap_or(f64::INFINITY)); count]
    } else {
        Vec::new()
    };
    if bounds.len() != count {
        let help = "write between = [a, b], below, above, or near = [...] with within, one for each population";
        reader.say(item, "an expectation needs its bounds", help);
        return None;
    }
    if let Some((low, high)) = bounds.iter().find(|(low, high)| low.is_nan() || high.is_nan() || low > high) {
        reader.say(item, format!("nothing lies between {low} and {high}"), "give the least first, then the most");
        return None;
    }
    let alive = reader.boolean(table, "alive", false);
    let window = window(reader, item, table, places);
    if !synapses.is_empty() && (window.start.is_some() || window.stop.is_some() || alive) {
        reader.say(item, "weights are looked at when the run ends", "leave start, stop and alive out, or end the run earlier");
    }
    let interval = |(population, (low, high))| Interval { population, synapses: synapses.clone(), low, high };
    let intervals = populations.into_iter().zip(bounds).map(interval).collect();
    Some(Expectation { metric: name.into(), intervals, seeds, min_spikes, alive, window })
}

fn window(reader: &mut Reader, item: &Item, table: &dyn TableLike, places: &Places) -> Window {
    let mut steps = |key: &str| table.get(key).and_then(|i| reader.steps(i));
    let (start, stop, gap) = (steps("start"), steps("stop"), steps("gap"));
    if stop.is_some_and(|stop| stop <= start.unwrap_or(0)) {
        reader.say(item, "the window of this expectation stops before it starts", "let stop be later than start, or leave it out");
    }
    let against = reader.string(table, "against");
    if let Some(name) = against.as_ref().filter(|n| !places.populations.iter().any(|p| p.name == **n)) {
        let help = did_you_mean(name, places.populations.iter().map(|p| p.name.as_str()));
        reader.wrong(item, Wrong(format!("no population is named `{name}`"), help));
    }
    Window { start, stop, gap, against, bin: bin(reader, table) }
}

fn bin(reader: &mut Reader, table: &dyn TableLike) -> Option<[f64; 2]> {
    let item = table.get("bin")?;
    let ends = |v: &Toml| v.as_float().or(v.as_integer().map(|n| n as f64));
    let all: Option<Vec<f64>> = item.as_array().and_then(|a| a.iter().map(ends).collect());
    match all.as_deref() {
        Some([low, high]) if low < high => Some([*low, *high]),
        _ => {
            reader.say(item, "a bin of weights is a pair of numbers that rise", "write bin = [0.8, 1], in units of w_max");
            None
        }
    }
}

/// The synapses along `exc->inh`; either side may be a part.
fn synapses(reader: &mut Reader, item: &Item, text: &str, known: Known) -> Option<Vec<(usize, Which, Which)>> {
    match probes::along(reader, text, known.places, known.projections) {
        Ok(found) => Some(found),
        Err(wrong) => {
            reader.wrong(item, wrong);
            None
        }
    }
}

fn whole(reader: &mut Reader, table: &dyn TableLike, key: &str, default: u32, range: std::ops::RangeInclusive<u32>) -> u32 {
    let Some(item) = table.get(key) else { return default };
    match item.as_integer().and_then(|n| u32::try_from(n).ok()).filter(|n| range.contains(n)) {
        Some(n) => n,
        None => {
            let (low, high) = range.into_inner();
            reader.say(item, format!("{key} is a whole number from {low} to {high}"), format!("leave it out for {default}"));
            default
        }
    }
}

/// A bare number is in the unit in which the metric is shown: Hz for rates and frequencies.
fn number(reader: &mut Reader, dimension: Dimension, item: &Item) -> Option<f64> {
    match reader.scope.item(item) {
        Ok(Value::Number(q)) if q.dimension == NUMBER && dimension == RATE => Some(q.value * 1e-3),
        Ok(Value::Number(q)) if q.dimension == NUMBER || q.dimension == dimension => Some(q.value),
        Ok(Value::Number(q)) => {
            reader.say(
                item,
                format!("this metric is in {dimension}, and the bound in {}", q.dimension),
                "give a bound in the metric's unit",
            );
            None
        }
        Ok(Value::Law(..)) => {
            reader.say(item, "an expectation is a number", "drop the random draw");
            None
        }
        Err(p) => {
            reader.push(p);
            None
        }
    }
}
