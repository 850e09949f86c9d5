//! Probes of a scene: what is recorded, of whom, how often. Knows no stimulus.

use toml_edit::{Item, Table, TableLike, Value as Toml};

use super::fields::Reader;
use super::parts::Places;
use super::projections::{required, tables};
use super::value::Wrong;
use crate::base::problem::did_you_mean;
use crate::network::{Part, Probe, Projection, Which};

pub const KEYS: [&str; 4] = ["record", "of", "every", "name"];

pub fn probes(reader: &mut Reader, document: &Table, places: &Places, projections: &[Projection]) -> Vec<Probe> {
    let mut out = Vec::new();
    for (item, table) in tables(reader, document, "probes") {
        let table = table.as_ref();
        reader.keys("a probe", table, &KEYS);
        let (Some(record), Some(of)) = (required(reader, &item, table, "record"), required(reader, &item, table, "of")) else { continue };
        let every = reader.every(table);
        let Some(name) = reader.text("record", &record) else { continue };
        let given = reader.string(table, "name");
        if given.as_deref().is_some_and(|n| !plain(n)) {
            reader.say(&item, "the name of a probe becomes the name of a file", "take letters, digits, _ and -");
            continue;
        }
        if name == "weights" {
            out.extend(weights(reader, &of, places, projections, given.as_deref(), every));
            continue;
        }
        let parts = places.parts(reader, &of);
        let several = parts.len() > 1;
        for part in parts {
            let population = &places.populations[part.population].name;
            let title = match &given {
                Some(given) if several => format!("{given}_{population}"),
                Some(given) => given.clone(),
                None => format!("{population}_{name}"),
            };
            out.extend(one(reader, table, &record, places, part, title, every));
        }
    }
    out
}

fn plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c))
}

fn one(
    reader: &mut Reader,
    table: &dyn TableLike,
    record: &Item,
    places: &Places,
    of: Part,
    name: String,
    every: Option<u64>,
) -> Option<Probe> {
    match record.as_str().unwrap_or("") {
        "spikes" => {
            if let Some(item) = table.get("every") {
                reader.say(item, "spikes are recorded whenever they come", "drop `every`, or record = \"rate\" to count them in bins");
            }
            Some(Probe::Spikes { of })
        }
        "rate" => {
            if every.is_none() {
                reader.say(record, "a rate needs the length of its bins", "add every = \"5 ms\"");
            }
            Some(Probe::Rate { name, of, every: every? })
        }
        variable => {
            let model = &places.populations[of.population].model;
            let found = model.states.iter().position(|s| s.name == variable);
            if found.is_none() {
                let names: Vec<&str> = model.states.iter().map(|s| s.name.as_str()).chain(["spikes", "rate", "weights"]).collect();
                let help = did_you_mean(variable, names.iter().copied()).unwrap_or_else(|| format!("there are {}", names.join(", ")));
                reader.wrong(record, Wrong(format!("{} has no state variable `{variable}`", model.name), Some(help)));
            }
            Some(Probe::State { name, of, variable: found?, every: every.unwrap_or(1) })
        }
    }
}

/// What of which projections leads along a text as `exc->inh[random 50]`: never nothing.
pub fn along(reader: &Reader, text: &str, places: &Places, projections: &[Projection]) -> Result<Vec<(usize, Which, Which)>, Wrong> {
    let Some((from, to)) = text.split_once("->") else {
        let help = "write \"exc->inh\", or a part of it as \"exc[0..10]->inh[random 50]\"";
        return Err(Wrong(format!("`{text}` is no projection"), Some(help.into())));
    };
    let (from, to) = (places.named(reader, from)?, places.named(reader, to)?);
    let mut found = Vec::new();
    for (i, p) in projections.iter().enumerate() {
        let of = |parts: &[Part], population: usize| parts.iter().find(|q| q.population == population).map(|q| q.which.clone());
        if let (Some(sources), Some(targets)) = (of(&from, p.from.population), of(&to, p.to.population)) {
            found.push((i, sources, targets));
        }
    }
    if found.is_empty() {
        let name = |p: &Projection| format!("{}->{}", places.populations[p.from.population].name, places.populations[p.to.population].name);
        let mut names: Vec<String> = projections.iter().map(name).collect();
        names.dedup();
        return Err(Wrong(format!("no projection leads along `{text}`"), Some(format!("there are {}", names.join(", ")))));
    }
    Ok(found)
}

/// `of = "exc->inh"`, or a list of such; either side may be a part, and then so are the synapses.
fn weights(
    reader: &mut Reader,
    of: &Item,
    places: &Places,
    projections: &[Projection],
    given: Option<&str>,
    every: Option<u64>,
) -> Vec<Probe> {
    let texts: Vec<String> = match of {
        Item::Value(Toml::Array(list)) => list.iter().filter_map(|v| v.as_str().map(String::from)).collect(),
        _ => of.as_str().map(String::from).into_iter().collect(),
    };
    let mut found = Vec::new();
    for text in &texts {
        match along(reader, text, places, projections) {
            Ok(mut synapses) => found.append(&mut synapses),
            Err(wrong) => {
                reader.wrong(of, wrong);
                return Vec::new();
            }
        }
    }
    let several = found.len() > 1;
    let probe = |(projection, from, to): (usize, _, _)| {
        let p = &projections[projection];
        let pair = format!("{}_{}", places.populations[p.from.population].name, places.populations[p.to.population].name);
        let name = match given {
            Some(given) if several => format!("{given}_{pair}"),
            Some(given) => given.to_string(),
            None => format!("{pair}_weights"),
        };
        Probe::Weights { name, projection, from, to, every }
    };
    found.into_iter().map(probe).collect()
}
