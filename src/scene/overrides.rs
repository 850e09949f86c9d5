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
    let own = document.get("preset");
    if let Some(item) = own.filter(|i| !i.is_str()) {
        let span = parse(&source)?.get("preset").and_then(Item::span).unwrap_or(0..0);
        let problem = Problem::new(format!("preset must be a text, and is {}", item.to_string().trim())).at(&source, span);
        return Err(problem.help("write preset = \"NAME\", one of [presets]"));
    }
    let preset = options.preset.clone().or_else(|| own.and_then(Item::as_str).map(String::from));
    let times = options.duration.is_some() || options.warmup.is_some();
    if preset.is_none() && options.set.is_empty() && options.seed.is_none() && !times {
        return Ok((source, None));
    }
    if let Some(name) = &preset {
        let presets = document.get("presets").and_then(Item::as_table_like);
        let names: Vec<&str> = presets.map(|t| t.iter().map(|(k, _)| k).collect()).unwrap_or_default();
        if !names.contains(&name.as_str()) {
            let all = if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
            let problem = Problem::new(format!("the scene has no preset `{name}`"));
            let problem = problem.help(did_you_mean(name, names.iter().copied()).unwrap_or(all));
            // The command line has no place in the file.
            let span = parse(&source)?.get("preset").and_then(Item::span).filter(|_| options.preset.is_none());
            return Err(if let Some(span) = span { problem.at(&source, span) } else { problem });
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
        set_address(&mut document, address, value)?;
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

/// Gives what stands at an address a value: `g`, `exc.tau_m`, `exc->inh.weight`, `external.rate`, `depressing.U`.
fn set_address(document: &mut DocumentMut, address: &str, value: Value) -> Result<(), Problem> {
    let Some((place, key)) = address.rsplit_once('.') else { return set_parameter(document, address, value) };
    if let Some((from, to)) = place.split_once("->") {
        let wish = (from.trim(), to.trim());
        return set_entry(document, "projections", place, key, value, |t| (named(t, "from").as_str(), named(t, "to").as_str()) == wish);
    }
    let stimuli = document.get("stimuli").and_then(Item::as_array_of_tables);
    if stimuli.is_some_and(|all| all.iter().any(|t| named(t, "name") == place)) {
        return set_entry(document, "stimuli", place, key, value, |t| named(t, "name") == place);
    }
    if document.get("synapses").is_some_and(|all| all.get(place).is_some()) {
        return set_in(document, "synapses", place, key, value);
    }
    set_in(document, "populations", place, key, value)
}

/// A name or a list of names, as one address writes it: `exc,inh`.
fn named(table: &toml_edit::Table, key: &str) -> String {
    match table.get(key) {
        Some(Item::Value(Value::Array(list))) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        Some(item) => item.as_str().unwrap_or_default().to_string(),
        None => String::new(),
    }
}

fn set_entry(
    document: &mut DocumentMut,
    kind: &str,
    place: &str,
    key: &str,
    value: Value,
    is: impl Fn(&toml_edit::Table) -> bool,
) -> Result<(), Problem> {
    let all = document.get_mut(kind).and_then(Item::as_array_of_tables_mut);
    let mut names = Vec::new();
    let mut found = 0;
    for table in all.into_iter().flat_map(|all| all.iter_mut()) {
        names.push(format!("{}->{}", named(table, "from"), named(table, "to")));
        if is(table) {
            found += 1;
            table.insert(key, Item::Value(value.clone()));
        }
    }
    match found {
        1 => Ok(()),
        0 => {
            let help = did_you_mean(place, names.iter().map(String::as_str)).unwrap_or_else(|| format!("there are {}", names.join(", ")));
            Err(Problem::new(format!("nothing in [[{kind}]] is `{place}`")).help(help))
        }
        n => Err(Problem::new(format!("{n} entries of [[{kind}]] are `{place}`")).help("set a parameter that they use instead")),
    }
}

/// A parameter of a population or of a synapse model.
fn set_in(document: &mut DocumentMut, kind: &str, population: &str, parameter: &str, value: Value) -> Result<(), Problem> {
    let table = document.get_mut(kind).and_then(|p| p.get_mut(population)).and_then(Item::as_table_like_mut);
    let Some(table) = table else {
        return Err(Problem::new(format!("no population is named `{population}`"))
            .help("write NAME=VALUE, POPULATION.PARAMETER=VALUE, SYNAPSE.PARAMETER=VALUE, FROM->TO.weight=VALUE or STIMULUS.rate=VALUE"));
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
    for (key, time) in [("duration", &options.duration), ("warmup", &options.warmup)] {
        if let Some(time) = time {
            table.insert(key, Item::Value(time.as_str().into()));
        }
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
