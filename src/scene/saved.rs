//! A saved session is a scene with a table `[session]` and the list `[[journal]]`. Knows no command: entries are plain values.

use serde_json::{Map, Value as Json};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike, Value};

use super::fields::Reader;

/// Where a saved session stood, and what was done in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    pub step: u64,
    pub journal: Vec<Json>,
}

/// Reads the session that a scene holds, if it does.
pub fn saved(reader: &mut Reader, document: &Table) -> Option<Saved> {
    let item = document.get("session")?;
    let table = item.as_table_like()?;
    reader.keys("[session]", table, &["synfire", "step"]);
    let Some(step) = table.get("step").and_then(Item::as_integer).and_then(|s| u64::try_from(s).ok()) else {
        reader.say(item, "a saved session says at which step it stood", "add step = NUMBER");
        return None;
    };
    let rows = super::projections::tables(reader, document, "journal");
    let journal = rows.iter().map(|(_, row)| Json::Object(object(row.as_ref()))).collect();
    Some(Saved { step, journal })
}

fn object(table: &dyn TableLike) -> Map<String, Json> {
    table.iter().filter_map(|(key, item)| Some((key.to_string(), json(item.as_value()?)))).collect()
}

fn json(value: &Value) -> Json {
    match value {
        Value::String(s) => s.value().clone().into(),
        Value::Integer(i) => (*i.value()).into(),
        Value::Float(f) => (*f.value()).into(),
        Value::Boolean(b) => (*b.value()).into(),
        Value::Datetime(d) => d.value().to_string().into(),
        Value::Array(a) => Json::Array(a.iter().map(json).collect()),
        Value::InlineTable(t) => Json::Object(object(t)),
    }
}

fn toml(value: &Json) -> Option<Value> {
    Some(match value {
        Json::String(s) => s.as_str().into(),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::from(n.as_f64().unwrap_or(0.0)), Value::from),
        Json::Bool(b) => (*b).into(),
        Json::Array(a) => Value::Array(a.iter().filter_map(toml).collect()),
        Json::Null | Json::Object(_) => return None,
    })
}

/// The file of a session: the scene as it stood at time 0, cut or stretched to end at `step`, and what was done since.
/// An error if `base` is no TOML, which a scene that was loaded always is.
pub fn session(base: &str, step: u64, dt: f64, journal: &[Json]) -> Result<String, String> {
    let mut document: DocumentMut = base.parse().map_err(|e| format!("the scene cannot be written: {e}"))?;
    let run = document.get_mut("run").and_then(Item::as_table_like_mut).ok_or("the scene has no [run]")?;
    run.insert("warmup", Item::Value("0 ms".into()));
    run.insert("duration", Item::Value(format!("{} ms", round(step.max(1) as f64 * dt)).into()));
    document.remove("journal");
    let mut session = Table::new();
    session.insert("synfire", Item::Value(env!("CARGO_PKG_VERSION").into()));
    session.insert("step", Item::Value(i64::try_from(step).map_err(|_| "too many steps")?.into()));
    document.insert("session", Item::Table(session));
    let mut rows = ArrayOfTables::new();
    for entry in journal.iter().filter_map(Json::as_object) {
        let mut row = Table::new();
        for (key, value) in entry {
            if let Some(value) = toml(value) {
                row.insert(key, Item::Value(value));
            }
        }
        rows.push(row);
    }
    if !rows.is_empty() {
        document.insert("journal", Item::ArrayOfTables(rows));
    }
    Ok(document.to_string())
}

/// Without the last digits that a product of floats brings.
fn round(ms: f64) -> f64 {
    libm::round(ms * 1e6) / 1e6
}
