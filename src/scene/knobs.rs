//! What of a scene can be turned and pressed: knobs from `[parameters]`, buttons from labelled stimuli. Knows no window.

use toml_edit::{Item, Table, TableLike};

use super::fields::Reader;
use super::projections::tables;
use super::value::Value;
use crate::base::units::{NUMBER, Quantity, unit};
use crate::model::expr::{Node, parse};

/// A parameter of the scene.
#[derive(Clone, Debug, PartialEq)]
pub struct Knob {
    pub name: String,
    pub about: String,
    /// As it stands in the scene: `0.1 mV`, or the formula of a derived parameter.
    pub written: String,
    /// The value in `unit`.
    pub value: f64,
    /// As the scene writes it; empty for a bare number.
    pub unit: String,
    /// Least and most, in `unit`.
    pub range: Option<[f64; 2]>,
    /// A logarithmic slider suits it.
    pub log: bool,
    /// Follows from others by a formula: shown, not set.
    pub derived: bool,
}

/// A stimulus with a label: pressed, it acts from now on for its length.
#[derive(Clone, Debug, PartialEq)]
pub struct Button {
    pub label: String,
    pub stimulus: String,
    /// When it acts, and for how long, in steps.
    pub start: u64,
    pub length: u64,
}

pub fn knobs(reader: &mut Reader, document: &Table) -> Vec<Knob> {
    let Some(parameters) = document.get("parameters").and_then(Item::as_table_like) else { return Vec::new() };
    parameters.iter().filter_map(|(name, item)| knob(reader, name, item)).collect()
}

fn knob(reader: &mut Reader, name: &str, item: &Item) -> Option<Knob> {
    let table = item.as_table_like();
    let given = table.and_then(|t| t.get("value")).unwrap_or(item);
    // A parameter whose value is wrong or drawn has been told about elsewhere.
    let Ok(Value::Number(value)) = reader.scope.item(given) else { return None };
    let written = match given.as_str() {
        Some(text) => text.trim().to_string(),
        None => value.value.to_string(),
    };
    let literal = literal(&written);
    let unit = literal.clone().unwrap_or_else(|| shown(value));
    let size = size(&unit);
    let text = |key: &str| table.and_then(|t| t.get(key)).and_then(Item::as_str).unwrap_or("").to_string();
    let range = table.and_then(|t| t.get("range")).and_then(|item| range(reader, item, value, size));
    Some(Knob {
        name: name.into(),
        about: text("about"),
        value: value.value / size,
        range,
        log: table.and_then(|t| t.get("log")).and_then(Item::as_bool).unwrap_or(false),
        derived: literal.is_none(),
        written,
        unit,
    })
}

/// The unit of a written number, if the text is one: `""` for a bare number.
pub fn literal(text: &str) -> Option<String> {
    let expr = parse(text).ok()?;
    let number = |node: &Node| match node {
        Node::Number(_) => Some(String::new()),
        Node::Unit(_, unit) => Some(unit.clone()),
        _ => None,
    };
    match &expr.node {
        Node::Neg(inner) => number(&inner.node),
        other => number(other),
    }
}

/// A unit in which to show what a formula gives.
fn shown(value: Quantity) -> String {
    if value.dimension == NUMBER { String::new() } else { value.dimension.to_string() }
}

/// Size of a unit in internal units.
pub fn size(name: &str) -> f64 {
    unit(name).map_or(1.0, |u| u.value)
}

fn range(reader: &mut Reader, item: &Item, value: Quantity, size: f64) -> Option<[f64; 2]> {
    let ends: Vec<Item> = item.as_array().into_iter().flatten().cloned().map(Item::Value).collect();
    let [low, high] = &ends[..] else {
        reader.say(item, "a range is a pair", "write range = [least, most]");
        return None;
    };
    let (low, high) = (reader.number(low, value.dimension)?, reader.number(high, value.dimension)?);
    if low >= high {
        reader.say(item, "a range goes from the least to the most", "exchange the two");
        return None;
    }
    Some([low / size, high / size])
}

pub fn buttons(reader: &mut Reader, document: &Table) -> Vec<Button> {
    let mut out = Vec::new();
    for (item, table) in tables(reader, document, "stimuli") {
        let table = table.as_ref();
        let Some(label) = reader.string(table, "label") else { continue };
        let name = reader.string(table, "name").unwrap_or_default();
        let mut steps = |key: &str| table.get(key).and_then(|i| reader.steps(i));
        match (name.is_empty(), steps("start"), steps("stop")) {
            (false, Some(start), Some(stop)) if stop > start => {
                out.push(Button { label, stimulus: name, start, length: stop - start });
            }
            _ => reader.say(
                &item,
                format!("the stimulus labelled `{label}` becomes a button, and a button needs a name, a start and a later stop"),
                "add name, start and stop: pressed, it acts for stop - start from then on",
            ),
        }
    }
    out
}

/// A text of a preset, and what it sets.
pub fn pairs(table: &dyn TableLike) -> Vec<(String, String)> {
    let written = |item: &Item| match item {
        Item::Value(toml_edit::Value::String(s)) => s.value().clone(),
        other => other.to_string().trim().to_string(),
    };
    let set = table.get("set").and_then(Item::as_table_like);
    set.map(|t| t.iter().map(|(key, item)| (key.to_string(), written(item))).collect()).unwrap_or_default()
}
