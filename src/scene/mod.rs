//! File -> Scene: bytes to meaning, with every problem of the file at once. Knows no engine and no plan.

mod cells;
mod columns;
mod convolution;
mod entries;
mod expectations;
mod fields;
mod files;
mod functions;
mod gaps;
mod knobs;
mod lesson;
mod origin;
mod overrides;
mod parts;
mod populations;
mod probes;
mod projections;
mod saved;
mod schema;
mod shipped;
mod space;
mod stimuli;
mod synapses;
mod value;

use std::path::Path;
use std::sync::Arc;

use toml_edit::{Item, Table, TableLike};

use crate::base::problem::{Problem, Source};
use crate::base::units::{NUMBER, Quantity, TIME};
use crate::network::Network;
pub use entries::Entries;
pub use expectations::{Expectation, Interval, METRICS, Preset, WEIGHT_METRICS};
use fields::Reader;
pub use knobs::{Button, Knob};
pub use lesson::{Lesson, LessonStep, PANELS};
pub use saved::{Saved, session};
pub use schema::schema;
pub use shipped::{Group, groups, shipped};
pub use synapses::synapse;
use value::{Content, Value, Wrong};

/// What the command line changes in a scene.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub set: Vec<(String, String)>,
    pub preset: Option<String>,
    pub seed: Option<u64>,
    pub duration: Option<String>,
    pub warmup: Option<String>,
}

/// A scene and all it means.
#[derive(Debug)]
pub struct Scene {
    pub network: Network,
    pub title: String,
    pub about: String,
    pub cite: String,
    /// What is said of the network and was not confirmed: no expectation rests on it.
    pub unconfirmed: Vec<String>,
    /// The preset that was applied.
    pub preset: Option<String>,
    /// All presets; one without a name if the scene has none but states expectations.
    pub presets: Vec<Preset>,
    pub knobs: Vec<Knob>,
    /// Parameters of the populations' models, by address.
    pub cells: Vec<Knob>,
    pub buttons: Vec<Button>,
    pub lesson: Option<Lesson>,
    /// Where a saved session stood; none for a scene that is not one.
    pub saved: Option<Saved>,
    /// The text that was read, with preset and options applied: it loads to the same network.
    pub resolved: String,
    /// Where its entries stand in the file.
    pub entries: Entries,
}

const KEYS: [&str; 22] = [
    "format",
    "title",
    "about",
    "cite",
    "unconfirmed",
    "preset",
    "run",
    "parameters",
    "sets",
    "tables",
    "models",
    "populations",
    "synapses",
    "projections",
    "gap_junctions",
    "stimuli",
    "probes",
    "presets",
    "expect",
    "session",
    "journal",
    "lesson",
];

const RUN_KEYS: [&str; 4] = ["dt", "duration", "warmup", "seed"];
const PARAMETER_KEYS: [&str; 5] = ["value", "range", "about", "log", "label"];
const TABLE_KEYS: [&str; 7] = ["over", "values", "value", "unit", "default", "entries", "about"];

/// Loads a scene. Files it names are looked for in `folder`.
pub fn load(source: Arc<Source>, folder: Option<&Path>, options: &Options) -> Result<Scene, Vec<Problem>> {
    let file = source.clone();
    let (source, preset) = overrides::apply(source, options).map_err(|p| vec![p])?;
    let document = overrides::parse(&source).map_err(|p| vec![p])?;
    let mut reader = Reader::new(source.clone(), folder.map(Path::to_path_buf));
    let table = document.as_table();
    reader.keys("a scene", table, &KEYS);
    format(&mut reader, table);
    let stepped = step(&mut reader, table);
    names(&mut reader, table);
    let run = stepped.and_then(|()| run(&mut reader, table));
    let models = populations::models(&mut reader, table);
    let made = populations::populations(&mut reader, table, &models);
    let (seed, warmup, duration) = run.unwrap_or_default();
    let places = parts::Places { populations: &made.all, members: &made.members, families: &made.families, unread: &made.unread, seed };
    let synapses = synapses::synapses(&mut reader, table);
    let projections = projections::projections(&mut reader, table, &places, &synapses);
    let gaps = gaps::gaps(&mut reader, table, &places);
    let stimuli = stimuli::stimuli(&mut reader, table, &places);
    let probes = probes::probes(&mut reader, table, &places, &projections);
    let known = expectations::Known { places: &places, projections: &projections };
    let presets = expectations::presets(&mut reader, table, known);
    let (knobs, buttons) = (knobs::knobs(&mut reader, table), knobs::buttons(&mut reader, table));
    let (saved, lesson) = (saved::saved(&mut reader, table), lesson::lesson(&mut reader, table, known, &knobs));
    let mut text = |key: &str| reader.string(table, key).unwrap_or_default().trim().to_string();
    let (title, about, cite) = (text("title"), text("about"), text("cite"));
    let unconfirmed = unconfirmed(&mut reader, table);
    let title = Some(title).filter(|t| !t.is_empty()).unwrap_or_else(|| source.name.clone());
    if made.all.is_empty() && reader.problems.is_empty() {
        reader.push(Problem::new("the scene has no population").help("add [populations.NAME] with model and size"));
    }
    let dt = reader.scope.dt.unwrap_or(0.1);
    if !reader.problems.is_empty() {
        return Err(reader.problems.into_iter().map(|p| origin::traced(p, &source, &file)).collect());
    }
    let cells = cells::cells(table, &made.all);
    let network = Network { title: title.clone(), dt, seed, warmup, duration, populations: made.all, projections, gaps, stimuli, probes };
    let resolved = source.text.clone();
    let entries = Entries { spans: reader.spans, read: source, file };
    Ok(Scene { network, title, about, cite, unconfirmed, preset, presets, knobs, cells, buttons, lesson, saved, resolved, entries })
}

fn unconfirmed(reader: &mut Reader, table: &Table) -> Vec<String> {
    let Some(item) = table.get("unconfirmed") else { return Vec::new() };
    let texts: Option<Vec<String>> = item.as_array().and_then(|list| list.iter().map(|v| v.as_str().map(String::from)).collect());
    texts.unwrap_or_else(|| {
        reader.say(item, "`unconfirmed` is a list of texts", "write [\"...\"]");
        Vec::new()
    })
}

fn format(reader: &mut Reader, table: &Table) {
    match table.get("format") {
        None => reader.push(Problem::new("the scene does not say its format").help("begin the file with format = 1")),
        Some(item) if item.as_integer() != Some(1) => {
            reader.say(item, "this program reads format 1", "a newer format needs a newer Synfire");
        }
        Some(_) => {}
    }
}

/// The step, which every expression may use.
fn step(reader: &mut Reader, document: &Table) -> Option<()> {
    let Some(table) = document.get("run").and_then(Item::as_table_like) else {
        reader.push(Problem::new("the scene has no [run]").help("add [run] with dt, duration and, if wanted, warmup and seed"));
        return None;
    };
    reader.keys("[run]", table, &RUN_KEYS);
    let dt = match table.get("dt") {
        None => 0.1,
        Some(item) => {
            let dt = reader.number(item, TIME)?;
            if !(1e-6..=1e3).contains(&dt) {
                reader.say(item, format!("a step of {dt} ms"), "dt lies between 1 ns and 1 s; 0.1 ms is usual");
                return None;
            }
            dt
        }
    };
    reader.scope.dt = Some(dt);
    Some(())
}

/// Seed, warm-up and duration.
fn run(reader: &mut Reader, document: &Table) -> Option<(u64, u64, u64)> {
    let table = document.get("run").and_then(Item::as_table_like)?;
    let seed = match table.get("seed") {
        None => 1,
        Some(item) => reader.count(item, 1 << 53)?,
    };
    let duration = projections::required(reader, document.get("run")?, table, "duration")?;
    let item = duration;
    let duration = reader.steps(&item)?;
    if duration == 0 {
        reader.say(&item, "a run of no time", "the shortest is one step of dt");
    }
    let warmup = table.get("warmup").map_or(Some(0), |item| reader.steps(item))?;
    Some((seed, warmup, duration))
}

/// Parameters, sets and tables become the scope of every expression.
fn names(reader: &mut Reader, document: &Table) {
    if let Some(sets) = document.get("sets").and_then(Item::as_table_like) {
        for (name, item) in sets.iter() {
            let members: Vec<String> = item.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(String::from)).collect();
            if members.is_empty() || item.as_array().map(|a| a.len()) != Some(members.len()) {
                reader.say(item, format!("set {name} must be a list of names"), "write [\"a\", \"b\"]");
            }
            if let Some(twice) = members.iter().enumerate().find_map(|(i, m)| members[..i].contains(m).then_some(m)) {
                reader.say(item, format!("`{twice}` is twice in set {name}"), "give each member a name of its own");
            }
            reader.scope.sets.insert(name.into(), members);
        }
    }
    if let Some(tables) = document.get("tables").and_then(Item::as_table_like) {
        for (name, item) in tables.iter() {
            if let Some(t) = item.as_table_like()
                && let Some(read) = table(reader, item, t)
            {
                reader.scope.tables.insert(name.into(), read);
            }
        }
    }
    if let Some(parameters) = document.get("parameters").and_then(Item::as_table_like) {
        for (name, item) in parameters.iter() {
            if let Some(t) = item.as_table_like() {
                reader.keys("a parameter", t, &PARAMETER_KEYS);
            }
            let value = item.as_table_like().and_then(|t| t.get("value")).unwrap_or(item);
            reader.scope.parameters.insert(name.into(), value.clone());
        }
        for (name, _) in parameters.iter() {
            let _ = reader.scope.parameter(name);
        }
        std::mem::take(&mut reader.scope.faults).into_iter().for_each(|fault| reader.push(fault));
    }
}

fn table(reader: &mut Reader, item: &Item, t: &dyn TableLike) -> Option<value::Table> {
    reader.keys("a table", t, &TABLE_KEYS);
    let over = projections::required(reader, item, t, "over")?;
    let texts: Vec<String> = match over.as_str() {
        Some(s) => vec![s.into()],
        None => over.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(String::from)).collect(),
    };
    let mut pairs = Vec::new();
    for text in texts {
        let (index, set) = text.split_once(':').unwrap_or((&text, &text));
        if !reader.scope.sets.contains_key(set) {
            reader.say(&over, format!("there is no set `{set}`"), "sets are listed under [sets]");
            return None;
        }
        pairs.push((index.to_string(), set.to_string()));
    }
    let unit = match t.get("unit").and_then(Item::as_str) {
        None => Quantity { value: 1.0, dimension: NUMBER },
        Some(text) => match reader.scope.text(&format!("1 {text}")) {
            Ok(Value::Number(q)) => q,
            _ => {
                reader.wrong(item, Wrong(format!("`{text}` is no unit"), None));
                return None;
            }
        },
    };
    let content = match (t.get("values"), t.get("value"), t.get("entries")) {
        (Some(values), None, None) => {
            let sizes: Vec<usize> = pairs.iter().map(|(_, set)| reader.scope.sets[set].len()).collect();
            let sound = values.as_value().filter(|v| filled(v, &sizes));
            if sound.is_none() {
                let shape: Vec<String> = sizes.iter().map(usize::to_string).collect();
                reader.say(
                    values,
                    format!("the table needs {} values", shape.join(" x ")),
                    "give one for each member, in the order of its set",
                );
            }
            Content::Values(sound?.clone())
        }
        (None, Some(value), None) => Content::Formula(value.clone()),
        (None, None, Some(entries)) => Content::Entries { default: t.get("default").cloned(), entries: entries.clone() },
        _ => {
            reader.say(
                item,
                "a table has one of values, value and entries",
                "values = [...], value = \"formula\", or entries with a default",
            );
            return None;
        }
    };
    Some(value::Table { over: pairs, unit, content })
}

/// Whether a list holds so many lists of so many values.
fn filled(value: &toml_edit::Value, sizes: &[usize]) -> bool {
    match (sizes, value.as_array()) {
        ([], None) => true,
        ([size, rest @ ..], Some(list)) => list.len() == *size && list.iter().all(|v| filled(v, rest)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
