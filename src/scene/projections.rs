//! Projections of a scene: pairs of parts, a rule, weights and delays. Knows no stimulus.

use toml_edit::{Item, Table, TableLike};

use super::fields::Reader;
use super::parts::Places;
use super::synapses::Synapses;
use super::value::{Wrong, least};
use super::{convolution, files, space};
use crate::base::problem::did_you_mean;
use crate::base::units::{Dimension, NUMBER, TIME};
use crate::network::{Degree, Kind, LONGEST_DELAY, Law, Part, Profile, Projection, Receptor, Rule, Shape, Storage};

pub const KEYS: [&str; 25] = [
    "from",
    "to",
    "rule",
    "receptor",
    "synapse",
    "weight",
    "w_max",
    "modulator",
    "delay",
    "allow_autapses",
    "allow_multapses",
    "p",
    "in_degree",
    "out_degree",
    "count",
    "file",
    "storage",
    "kernel",
    "sigma",
    "length",
    "radius",
    "width",
    "reach",
    "stride",
    "padding",
];
/// The number of a rule, by which it is told.
const NUMBERS: [&str; 5] = ["p", "in_degree", "out_degree", "count", "file"];
pub const RULES: [&str; 9] = [
    "all_to_all",
    "one_to_one",
    "fixed_probability",
    "fixed_in_degree",
    "fixed_out_degree",
    "fixed_total_number",
    "distance",
    "convolution",
    "list",
];

pub fn projections(reader: &mut Reader, document: &Table, places: &Places, synapses: &Synapses) -> Vec<Projection> {
    let mut out = Vec::new();
    for (item, table) in tables(reader, document, "projections") {
        reader.keys("a projection", table.as_ref(), &KEYS);
        let (Some(from), Some(to)) = (required(reader, &item, table.as_ref(), "from"), required(reader, &item, table.as_ref(), "to"))
        else {
            continue;
        };
        let (from, to) = (places.parts(reader, &from), places.parts(reader, &to));
        if from.is_empty() || to.is_empty() {
            // A population that could not be read: of its projections this much can be told.
            rule_name(reader, &item, table.as_ref());
            plain_delay(reader, table.as_ref());
        }
        for source in &from {
            for target in &to {
                let outer = std::mem::take(&mut reader.scope.bound);
                reader.scope.bound = bound(places, source, target);
                let made = pair(reader, &item, table.as_ref(), places, source, target).filter(|p| !empty(p));
                reader.spans.projections.extend(made.as_ref().and(item.span()));
                let named = table.get("synapse");
                out.extend(made.map(|p| {
                    let unit = unit(places, target, p.receptor);
                    let modulator = table.get("modulator").map(|m| (m, places.parts(reader, m)));
                    let model = &places.populations[target.population].model;
                    let changing = named.and_then(|name| synapses.changing(reader, name, table.get("w_max"), modulator, unit, model));
                    Projection { changing, ..p }
                }));
                if let (Some(modulator), None) = (table.get("modulator"), named) {
                    reader.say(modulator, "a modulator is of synapses that change", "add synapse = \"...\", or remove it");
                }
                if let (Some(w_max), None) = (table.get("w_max"), named) {
                    reader.say(w_max, "w_max is of weights that change", "add synapse = \"...\", or remove it");
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
            Rule::Distance(ref d) => matches!(d.degree, Degree::In(0) | Degree::Out(0)),
            _ => false,
        }
}

fn pair(reader: &mut Reader, item: &Item, table: &dyn TableLike, places: &Places, source: &Part, target: &Part) -> Option<Projection> {
    // Each is looked at before any may end this, so that all that is wrong is told at once.
    let rule = rule(reader, item, table, places, source, target);
    let receptor = receptor(reader, item, table, places, target);
    let weight_item = required(reader, item, table, "weight");
    let plain_weight = match (&weight_item, receptor) {
        (Some(w), Some(receptor)) if !space::mentions(w) => weight(reader, w, places, target, receptor),
        _ => None,
    };
    let plain_delay = plain_delay(reader, table);
    let storage = match table.get("storage") {
        Some(given) => Some(storage(reader, given)?),
        None => None,
    };
    let (mut rule, receptor, weight_item) = (rule?, receptor?, weight_item?);
    let autapses = reader.boolean(table, "allow_autapses", true);
    let multapses = reader.boolean(table, "allow_multapses", true) && !matches!(rule, Rule::FixedProbability(_));
    if let Err(e) = rule.check(source, target, autapses, multapses) {
        let at = NUMBERS.iter().find_map(|key| table.get(key)).or(table.get("rule")).unwrap_or(item);
        reader.wrong(at, Wrong(e, None));
        return None;
    }
    if let (Some(kernel), Some(weight), Rule::List(_)) = (table.get("kernel"), &plain_weight, &rule) {
        rule = convolution::weighed(reader, kernel, rule, weight, takes_none_below_zero(places, target, receptor))?;
    }
    let reach = reach(reader, item, places, source, target, &rule, [Some(&weight_item), table.get("delay")])?;
    let (weight, weight_by_distance) = match space::mentions(&weight_item) {
        true => weight_profile(reader, &weight_item, places, target, receptor, reach)?,
        false => (plain_weight?, None),
    };
    let (delay, delay_by_distance) = match table.get("delay") {
        Some(d) if space::mentions(d) => delay_profile(reader, d, reach)?,
        _ => (plain_delay?, None),
    };
    Some(Projection {
        from: source.clone(),
        to: target.clone(),
        autapses,
        multapses,
        rule,
        receptor,
        weight,
        delay,
        weight_by_distance,
        delay_by_distance,
        storage,
        changing: None,
    })
}

/// A delay that no distance changes; one step where none is written.
fn plain_delay(reader: &mut Reader, table: &dyn TableLike) -> Option<Law> {
    let Some(item) = table.get("delay") else { return Some(Law::constant(reader.scope.dt?)) };
    if space::mentions(item) {
        return None;
    }
    let (law, dt) = (reader.law(item, TIME)?, reader.scope.dt?);
    if law.kind == Kind::Constant {
        let steps = reader.on_grid(item, law.offset + law.scale)?;
        return length(reader, item, steps as f64).then_some(law);
    }
    // What is drawn is rounded to steps, from half a step on to one.
    let least = least(&law);
    if least < 0.499_999 * dt {
        let help = "a delay is one step of dt at least: cut the law, as in redraw(..., dt/2, inf)";
        reader.say(item, format!("a delay that can fall to {least} ms"), help);
        return None;
    }
    Some(law)
}

/// Whether a delay has a length that can be.
fn length(reader: &mut Reader, item: &Item, steps: f64) -> bool {
    let told = match steps {
        0.0 => Some(("a delay of 0 ms".to_string(), "the shortest delay is one step of dt".to_string())),
        LONGEST_DELAY.. => {
            Some((format!("a delay of {steps} steps"), format!("at most {LONGEST_DELAY}: take a shorter delay or a longer dt")))
        }
        _ => None,
    };
    told.map(|(message, help)| reader.say(item, message, help)).is_none()
}

fn delay_profile(reader: &mut Reader, item: &Item, reach: f64) -> Option<(Law, Option<Profile>)> {
    let profile = space::profile(reader, item, TIME, reach)?;
    if profile.bounds().0 < 0.0 {
        reader.say(item, format!("the delay falls to {} ms", profile.bounds().0), "a delay is never negative");
        return None;
    }
    Some((bounding(&profile), Some(profile)))
}

/// How far the distances of a pair can go; 0 where nothing depends on them.
fn reach(
    reader: &mut Reader,
    item: &Item,
    places: &Places,
    source: &Part,
    target: &Part,
    rule: &Rule,
    values: [Option<&Item>; 2],
) -> Option<f64> {
    if !matches!(rule, Rule::Distance(_)) && !values.into_iter().flatten().any(space::mentions) {
        return Some(0.0);
    }
    let of = |part: &Part| places.populations[part.population].positions.as_ref();
    let (Some(a), Some(b)) = (of(source), of(target)) else {
        let part = if of(source).is_none() { source } else { target };
        let name = &places.populations[part.population].name;
        let help = format!("add populations.{name}.positions, as in {{ grid = [100, 100], extent = [\"1 mm\", \"1 mm\"] }}");
        reader.say(item, format!("{name} has no positions, and this projection asks for distances"), help);
        return None;
    };
    if a.dimensions != b.dimensions || a.periodic != b.periodic || (a.periodic && (a.extent, a.origin) != (b.extent, b.origin)) {
        let help = "give both the same number of dimensions, and if they are periodic the same extent and origin";
        reader.say(item, "the two populations do not lie on one sheet", help);
        return None;
    }
    Some(match rule {
        Rule::Distance(d) if d.shape != Shape::Box => d.reach.min(space::longest(a, b)),
        _ => space::longest(a, b),
    })
}

/// The law that holds the bounds of a profile.
fn bounding(profile: &Profile) -> Law {
    let (low, high) = profile.bounds();
    if low == high { Law::constant(low) } else { Law::of(Kind::Uniform { low, high }, 1.0, 0.0) }
}

fn weight_profile(
    reader: &mut Reader,
    item: &Item,
    places: &Places,
    target: &Part,
    receptor: Receptor,
    reach: f64,
) -> Option<(Law, Option<Profile>)> {
    let r = &places.populations[target.population].model.receptors[match receptor {
        Receptor::Named(r) => r,
        Receptor::BySign => 0,
    }];
    let profile = space::profile(reader, item, r.weight, reach)?;
    let law = bounding(&profile);
    if r.non_negative && profile.bounds().0 < 0.0 {
        reader.say(item, format!("receptor {} takes no negative weight", r.name), "cut it with max(0, ...)");
        return None;
    }
    Some((law, Some(profile)))
}

fn takes_none_below_zero(places: &Places, target: &Part, receptor: Receptor) -> bool {
    let receptors = &places.populations[target.population].model.receptors;
    matches!(receptor, Receptor::Named(r) if receptors.get(r).is_some_and(|r| r.non_negative))
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

/// The dimension of weights onto a receptor.
fn unit(places: &Places, target: &Part, receptor: Receptor) -> Dimension {
    let receptors = &places.populations[target.population].model.receptors;
    let r = if let Receptor::Named(r) = receptor { r } else { 0 };
    receptors.get(r).map_or(NUMBER, |r| r.weight)
}

/// A weight in the dimension of its receptor; a conductance takes none below zero.
pub fn weight(reader: &mut Reader, item: &Item, places: &Places, target: &Part, receptor: Receptor) -> Option<Law> {
    let model = &places.populations[target.population].model;
    let r = &model.receptors[match receptor {
        Receptor::Named(r) => r,
        Receptor::BySign => 0,
    }];
    let law = reader.law(item, r.weight)?;
    if r.non_negative && least(&law) < 0.0 {
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
            let name = reader.text("receptor", given)?;
            let found = names.iter().position(|n| *n == name);
            if found.is_none() {
                let help = did_you_mean(&name, names.iter().copied()).unwrap_or_else(|| format!("it has {}", names.join(", ")));
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

fn rule_name(reader: &mut Reader, item: &Item, table: &dyn TableLike) -> Option<&'static str> {
    let name_item = required(reader, item, table, "rule")?;
    let name = reader.text("rule", &name_item)?;
    let found = RULES.into_iter().find(|r| *r == name);
    if found.is_none() {
        let help = did_you_mean(&name, RULES).unwrap_or_else(|| format!("rules are {}", RULES.join(", ")));
        reader.wrong(&name_item, Wrong(format!("no rule is named `{name}`"), Some(help)));
    }
    found
}

fn rule(reader: &mut Reader, item: &Item, table: &dyn TableLike, places: &Places, source: &Part, target: &Part) -> Option<Rule> {
    let name = rule_name(reader, item, table)?;
    let own = match name {
        "fixed_probability" => "p",
        "fixed_in_degree" => "in_degree",
        "fixed_out_degree" => "out_degree",
        "fixed_total_number" => "count",
        "list" => "file",
        _ => "",
    };
    let mut without = |keys: &[&str], help: &str| {
        for key in keys.iter().filter(|key| **key != own) {
            if let Some(other) = table.get(key) {
                reader.say(other, format!("rule {name} takes no `{key}`"), help);
            }
        }
    };
    match name {
        "distance" => {
            without(&["count", "file"], "remove it, or choose another rule");
            without(&convolution::KEYS, "remove it, or take rule = \"convolution\"");
            return space::rule(reader, item, table).map(Rule::Distance);
        }
        "convolution" => {
            without(&["sigma", "length", "radius", "width", "reach"], "remove it, or take rule = \"distance\"");
            without(&NUMBERS, "remove it, or choose another rule");
            return convolution::rule(reader, item, table, places, source, target);
        }
        _ => {
            without(&space::KEYS, "remove it, or take rule = \"distance\"");
            without(&convolution::KEYS, "remove it, or take rule = \"convolution\"");
            without(&NUMBERS, "remove it, or choose another rule");
        }
    }
    let mut whole = |most: u64| {
        let value = required(reader, item, table, own)?;
        reader.count(&value, most)
    };
    Some(match name {
        "all_to_all" => Rule::AllToAll,
        "one_to_one" => Rule::OneToOne,
        "fixed_in_degree" => Rule::FixedInDegree(whole(u64::from(u32::MAX))? as u32),
        "fixed_out_degree" => Rule::FixedOutDegree(whole(u64::from(u32::MAX))? as u32),
        "fixed_total_number" => Rule::FixedTotalNumber(whole(1 << 40)?),
        "fixed_probability" => {
            let value = required(reader, item, table, "p")?;
            Rule::FixedProbability(reader.number(&value, crate::base::units::NUMBER)?)
        }
        "list" => {
            let value = required(reader, item, table, "file")?;
            let (name, dt) = (reader.text("file", &value)?, reader.scope.dt?);
            match files::synapses(reader.folder.as_deref(), &name, [0.499_999 * dt, LONGEST_DELAY * dt]) {
                Ok(list) => Rule::List(list.into()),
                Err(message) => {
                    reader.say(
                        &value,
                        message,
                        "a CSV file with the columns source, target and, if wanted, weight and delay_ms, which is rounded to steps",
                    );
                    return None;
                }
            }
        }
        _ => return None,
    })
}
