//! Projections of a scene: pairs of parts, a rule, weights and delays. Knows no stimulus.

use toml_edit::{Item, Table, TableLike};

use super::fields::Reader;
use super::files;
use super::parts::Places;
use super::value::Wrong;
use crate::base::problem::did_you_mean;
use crate::base::units::TIME;
use crate::network::{Kind, Law, Part, Projection, Receptor, Rule, Storage};

const KEYS: [&str; 14] = [
    "from",
    "to",
    "rule",
    "receptor",
    "weight",
    "delay",
    "allow_autapses",
    "allow_multapses",
    "p",
    "in_degree",
    "out_degree",
    "count",
    "file",
    "storage",
];
const RULES: [&str; 7] =
    ["all_to_all", "one_to_one", "fixed_probability", "fixed_in_degree", "fixed_out_degree", "fixed_total_number", "list"];

pub fn projections(reader: &mut Reader, document: &Table, places: &Places) -> Vec<Projection> {
    let mut out = Vec::new();
    for (item, table) in tables(reader, document, "projections") {
        reader.keys("a projection", table.as_ref(), &KEYS);
        let (Some(from), Some(to)) = (required(reader, &item, table.as_ref(), "from"), required(reader, &item, table.as_ref(), "to"))
        else {
            continue;
        };
        let (from, to) = (places.parts(reader, &from), places.parts(reader, &to));
        for source in &from {
            for target in &to {
                let outer = std::mem::take(&mut reader.scope.bound);
                reader.scope.bound = bound(places, source, target);
                if let Some(p) = pair(reader, &item, table.as_ref(), places, source, target)
                    && !empty(&p)
                {
                    out.push(p);
                }
                reader.scope.bound = outer;
            }
        }
    }
    out
}

/// The tables of an array of tables, with the item to point at.
pub fn tables(reader: &mut Reader, document: &Table, key: &str) -> Vec<(Item, Box<dyn TableLike>)> {
    let Some(item) = document.get(key) else { return Vec::new() };
    if let Some(array) = item.as_array_of_tables() {
        return array.iter().map(|t| (Item::Table(t.clone()), Box::new(t.clone()) as Box<dyn TableLike>)).collect();
    }
    if let Some(array) = item.as_array() {
        let inline = array.iter().filter_map(|v| v.as_inline_table());
        return inline.map(|t| (Item::Value(t.clone().into()), Box::new(t.clone()) as Box<dyn TableLike>)).collect();
    }
    reader.say(item, format!("{key} must be a list of tables"), format!("write [[{key}]]"));
    Vec::new()
}

pub fn required(reader: &mut Reader, item: &Item, table: &dyn TableLike, key: &str) -> Option<Item> {
    let found = table.get(key).cloned();
    if found.is_none() {
        reader.say(item, format!("`{key}` is missing here"), format!("add {key} = ..."));
    }
    found
}

/// Indices that the pair's expressions may use: `from`, `to`, and the sets' own names.
fn bound(places: &Places, source: &Part, target: &Part) -> Vec<(String, usize)> {
    let mut out = Vec::new();
    for (index, part) in [("from", source), ("to", target)] {
        if let Some((set, i)) = &places.members[part.population] {
            out.push((set.clone(), *i));
            out.push((index.to_string(), *i));
        }
    }
    out
}

fn empty(p: &Projection) -> bool {
    p.from.which.is_empty()
        || p.to.which.is_empty()
        || match p.rule {
            Rule::FixedInDegree(n) | Rule::FixedOutDegree(n) => n == 0,
            Rule::FixedTotalNumber(n) => n == 0,
            Rule::FixedProbability(q) => q == 0.0,
            _ => false,
        }
}

fn pair(reader: &mut Reader, item: &Item, table: &dyn TableLike, places: &Places, source: &Part, target: &Part) -> Option<Projection> {
    let rule = rule(reader, item, table, source, target)?;
    let receptor = receptor(reader, item, table, places, target)?;
    let weight_item = required(reader, item, table, "weight")?;
    let weight = weight(reader, &weight_item, places, target, receptor)?;
    let delay = match table.get("delay") {
        Some(d) => {
            let law = reader.law(d, TIME)?;
            if law.kind == Kind::Constant && reader.on_grid(d, law.offset + law.scale)? == 0 {
                reader.say(d, "a delay of 0 ms", "the shortest delay is one step of dt");
                return None;
            }
            law
        }
        None => Law::constant(reader.scope.dt?),
    };
    let storage = match table.get("storage") {
        Some(given) => Some(storage(reader, given)?),
        None => None,
    };
    Some(Projection {
        from: source.clone(),
        to: target.clone(),
        autapses: reader.boolean(table, "allow_autapses", true),
        multapses: reader.boolean(table, "allow_multapses", true) && !matches!(rule, Rule::FixedProbability(_)),
        rule,
        receptor,
        weight,
        delay,
        storage,
    })
}

fn storage(reader: &mut Reader, item: &Item) -> Option<Storage> {
    match item.as_str() {
        Some("stored") => Some(Storage::Stored),
        Some("procedural") => Some(Storage::Procedural),
        _ => {
            let help = "write \"stored\", \"procedural\" (drawn again at every spike), or leave it out: the plan chooses";
            reader.say(item, format!("there is no storage {}", item.to_string().trim()), help);
            None
        }
    }
}

/// A weight in the dimension of its receptor; a conductance takes none below zero.
pub fn weight(reader: &mut Reader, item: &Item, places: &Places, target: &Part, receptor: Receptor) -> Option<Law> {
    let model = &places.populations[target.population].model;
    let r = &model.receptors[match receptor {
        Receptor::Named(r) => r,
        Receptor::BySign => 0,
    }];
    let law = reader.law(item, r.weight)?;
    if r.non_negative && crate::scene::value::least(&law) < 0.0 {
        let help = "inhibition comes from the receptor's reversal potential; cut a drawn weight with redraw(..., 0, inf)";
        reader.say(item, format!("receptor {} takes no negative weight", r.name), help);
        return None;
    }
    Some(law)
}

pub fn receptor(reader: &mut Reader, item: &Item, table: &dyn TableLike, places: &Places, target: &Part) -> Option<Receptor> {
    let model = &places.populations[target.population].model;
    let names: Vec<&str> = model.receptors.iter().map(|r| r.name.as_str()).collect();
    match table.get("receptor") {
        Some(given) => {
            let name = given.as_str().unwrap_or("");
            let found = names.iter().position(|n| *n == name);
            if found.is_none() {
                let help = did_you_mean(name, names.iter().copied()).unwrap_or_else(|| format!("it has {}", names.join(", ")));
                reader.wrong(given, Wrong(format!("{} has no receptor `{name}`", model.name), Some(help)));
            }
            found.map(Receptor::Named)
        }
        None if model.by_sign => Some(Receptor::BySign),
        None if names.len() == 1 => Some(Receptor::Named(0)),
        None => {
            reader.say(
                item,
                format!("{} has several receptors", model.name),
                format!("write receptor = \"{}\", one of {}", names.first().unwrap_or(&""), names.join(", ")),
            );
            None
        }
    }
}

fn rule(reader: &mut Reader, item: &Item, table: &dyn TableLike, source: &Part, target: &Part) -> Option<Rule> {
    let name_item = required(reader, item, table, "rule")?;
    let name = name_item.as_str().unwrap_or("");
    let own = match name {
        "fixed_probability" => "p",
        "fixed_in_degree" => "in_degree",
        "fixed_out_degree" => "out_degree",
        "fixed_total_number" => "count",
        "list" => "file",
        _ => "",
    };
    for key in ["p", "in_degree", "out_degree", "count", "file"] {
        if let Some(other) = table.get(key).filter(|_| key != own) {
            reader.say(other, format!("rule {name} takes no `{key}`"), "remove it, or choose another rule");
        }
    }
    let mut whole = |most: u64| {
        let value = required(reader, item, table, own)?;
        reader.count(&value, most)
    };
    Some(match name {
        "all_to_all" => Rule::AllToAll,
        "one_to_one" => {
            let (a, b) = (source.which.len(), target.which.len());
            if a != b {
                reader.say(&name_item, format!("one_to_one needs equal sizes: {a} sources and {b} targets"), "take parts of equal size");
                return None;
            }
            Rule::OneToOne
        }
        "fixed_in_degree" => Rule::FixedInDegree(whole(u64::from(u32::MAX))? as u32),
        "fixed_out_degree" => Rule::FixedOutDegree(whole(u64::from(u32::MAX))? as u32),
        "fixed_total_number" => Rule::FixedTotalNumber(whole(1 << 40)?),
        "fixed_probability" => {
            let value = required(reader, item, table, "p")?;
            let p = reader.number(&value, crate::base::units::NUMBER)?;
            if !(0.0..=1.0).contains(&p) {
                reader.say(&value, format!("a probability of {p}"), "it lies between 0 and 1");
                return None;
            }
            Rule::FixedProbability(p)
        }
        "list" => {
            let value = required(reader, item, table, "file")?;
            match files::synapses(reader.folder.as_deref(), value.as_str().unwrap_or("")) {
                Ok(list) => Rule::List(list.into()),
                Err(message) => {
                    reader.say(&value, message, "a CSV file with the columns source, target and, if wanted, weight and delay_ms");
                    return None;
                }
            }
        }
        _ => {
            let help = did_you_mean(name, RULES).unwrap_or_else(|| format!("rules are {}", RULES.join(", ")));
            reader.wrong(&name_item, Wrong(format!("no rule is named `{name}`"), Some(help)));
            return None;
        }
    })
}
