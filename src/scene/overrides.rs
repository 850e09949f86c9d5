//! Presets and options of the command line, written into the text before it is read. Knows no meaning.

use std::sync::Arc;

use toml_edit::{Document, DocumentMut, Item, Value};

use super::Options;
use crate::base::problem::{Problem, Source, did_you_mean};

pub fn parse(source: &Arc<Source>) -> Result<Document<String>, Problem> {
    Document::parse(source.text.clone()).map_err(|e| syntax(source, &e))
}

fn syntax(source: &Arc<Source>, e: &toml_edit::TomlError) -> Problem {
    Problem::new(format!("this is not TOML: {}", e.message().replace('\n', "; "))).at(source, e.span().unwrap_or(0..0))
}

/// The source with preset and options applied, and the preset's name.
pub fn apply(source: Arc<Source>, options: &Options) -> Result<(Arc<Source>, Option<String>), Problem> {
    let text = if source.text.trim_start().starts_with('{') { json(&source)? } else { source.text.clone() };
    let source = Arc::new(Source { name: source.name.clone(), text });
    let mut document: DocumentMut = source.text.parse().map_err(|e| syntax(&source, &e))?;
    let preset = options.preset.clone().or_else(|| document.get("preset").and_then(Item::as_str).map(String::from));
    if preset.is_none() && options.set.is_empty() && options.seed.is_none() && options.duration.is_none() {
        return Ok((source, None));
    }
    if let Some(name) = &preset {
        let presets = document.get("presets").and_then(Item::as_table_like);
        let names: Vec<&str> = presets.map(|t| t.iter().map(|(k, _)| k).collect()).unwrap_or_default();
        if !names.contains(&name.as_str()) {
            let help = did_you_mean(name, names.iter().copied()).unwrap_or_else(|| format!("it has {}", names.join(", ")));
            return Err(Problem::new(format!("the scene has no preset `{name}`")).help(help));
        }
        let set = document["presets"].get(name).and_then(|p| p.get("set")).cloned();
        for (key, item) in set.as_ref().and_then(Item::as_table_like).into_iter().flat_map(|t| t.iter()) {
            let value = item.as_value().cloned().ok_or_else(|| Problem::new(format!("preset {name} sets {key} to no value")))?;
            set_parameter(&mut document, key, value)?;
        }
        document.remove("preset");
    }
    for (address, text) in &options.set {
        let value = text.parse::<f64>().map_or_else(|_| Value::from(text.as_str()), Value::from);
        match address.split_once('.') {
            None => set_parameter(&mut document, address, value)?,
            Some((population, parameter)) => set_population(&mut document, population, parameter, value)?,
        }
    }
    run(&mut document, options)?;
    Ok((Arc::new(Source { name: source.name.clone(), text: document.to_string() }), preset))
}

fn set_parameter(document: &mut DocumentMut, name: &str, value: Value) -> Result<(), Problem> {
    let table = document.get_mut("parameters").and_then(Item::as_table_like_mut);
    let names: Vec<String> = table.as_ref().map(|t| t.iter().map(|(k, _)| k.to_string()).collect()).unwrap_or_default();
    let Some(item) = table.and_then(|t| t.get_mut(name)) else {
        let help = did_you_mean(name, names.iter().map(String::as_str)).unwrap_or_else(|| format!("parameters are {}", names.join(", ")));
        return Err(Problem::new(format!("no parameter is named `{name}`")).help(help));
    };
    match item.as_table_like_mut() {
        Some(inner) => inner.insert("value", Item::Value(value)).map_or((), drop),
        None => *item = Item::Value(value),
    }
    Ok(())
}

fn set_population(document: &mut DocumentMut, population: &str, parameter: &str, value: Value) -> Result<(), Problem> {
    let table = document.get_mut("populations").and_then(|p| p.get_mut(population)).and_then(Item::as_table_like_mut);
    let Some(table) = table else {
        return Err(Problem::new(format!("no population is named `{population}`")).help("write NAME=VALUE or POPULATION.PARAMETER=VALUE"));
    };
    if !table.contains_key("parameters") {
        table.insert("parameters", Item::Table(toml_edit::Table::new()));
    }
    if let Some(parameters) = table.get_mut("parameters").and_then(Item::as_table_like_mut) {
        parameters.insert(parameter, Item::Value(value));
    }
    Ok(())
}

fn run(document: &mut DocumentMut, options: &Options) -> Result<(), Problem> {
    let Some(table) = document.get_mut("run").and_then(Item::as_table_like_mut) else { return Ok(()) };
    if let Some(seed) = options.seed {
        let seed = i64::try_from(seed).map_err(|_| Problem::new(format!("a seed of {seed}")).help("at most 2^53"))?;
        table.insert("seed", Item::Value(seed.into()));
    }
    if let Some(duration) = &options.duration {
        table.insert("duration", Item::Value(duration.as_str().into()));
    }
    Ok(())
}

/// A JSON scene as TOML text.
fn json(source: &Arc<Source>) -> Result<String, Problem> {
    let value: serde_json::Value = serde_json::from_str(&source.text).map_err(|e| Problem::new(format!("this is not JSON: {e}")))?;
    let serde_json::Value::Object(map) = value else { return Err(Problem::new("a JSON scene is an object")) };
    let mut document = DocumentMut::new();
    for (key, value) in map {
        if let Some(v) = toml(value) {
            document.insert(&key, Item::Value(v));
        }
    }
    Ok(document.to_string())
}

fn toml(value: serde_json::Value) -> Option<Value> {
    Some(match value {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(b) => b.into(),
        serde_json::Value::Number(n) => n.as_i64().map_or_else(|| Value::from(n.as_f64().unwrap_or(f64::NAN)), Value::from),
        serde_json::Value::String(s) => s.into(),
        serde_json::Value::Array(a) => Value::Array(a.into_iter().filter_map(toml).collect()),
        serde_json::Value::Object(o) => Value::InlineTable(o.into_iter().filter_map(|(k, v)| Some((k, toml(v)?))).collect()),
    })
}
