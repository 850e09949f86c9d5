//! Gap junctions of a scene: who is coupled to whom, how strongly, and by which variable and input. Knows no synapse.

use toml_edit::{Item, Table, TableLike};

use super::fields::Reader;
use super::files;
use super::parts::Places;
use super::projections::{required, tables};
use super::value::Wrong;
use crate::base::problem::did_you_mean;
use crate::base::units::{Dimension, NUMBER};
use crate::network::{Gap, Part, Rule};

pub const KEYS: [&str; 8] = ["from", "to", "rule", "p", "file", "conductance", "variable", "input"];
pub const RULES: [&str; 4] = ["all_to_all", "one_to_one", "fixed_probability", "list"];

pub fn gaps(reader: &mut Reader, document: &Table, places: &Places) -> Vec<Gap> {
    let mut out = Vec::new();
    for (item, table) in tables(reader, document, "gap_junctions") {
        let table = table.as_ref();
        reader.keys("a gap junction", table, &KEYS);
        let (Some(from), Some(to)) = (required(reader, &item, table, "from"), required(reader, &item, table, "to")) else { continue };
        let (from, to) = (places.parts(reader, &from), places.parts(reader, &to));
        for (a, b) in from.iter().flat_map(|a| to.iter().map(move |b| (a, b))) {
            let made = pair(reader, &item, table, places, a, b);
            reader.spans.gaps.extend(made.as_ref().and(item.span()));
            out.extend(made);
        }
    }
    out
}

fn pair(reader: &mut Reader, item: &Item, table: &dyn TableLike, places: &Places, from: &Part, to: &Part) -> Option<Gap> {
    let rule = table.get("rule").map_or("all_to_all", |r| r.as_str().unwrap_or(""));
    if !RULES.contains(&rule) {
        let help = did_you_mean(rule, RULES).unwrap_or_else(|| format!("rules here are {}", RULES.join(", ")));
        reader.wrong(item, Wrong(format!("no rule of gap junctions is named `{rule}`"), Some(help)));
        return None;
    }
    let one_to_one = rule == "one_to_one";
    if one_to_one && from.which.len() != to.which.len() {
        reader.say(item, "one_to_one needs parts of one size", "take parts of as many neurons, or rule = \"all_to_all\"");
        return None;
    }
    for (key, of) in [("p", "fixed_probability"), ("file", "list")] {
        if let (Some(given), true) = (table.get(key), rule != of) {
            reader.say(given, format!("rule {rule} takes no `{key}`"), format!("remove it, or take rule = \"{of}\""));
        }
    }
    let same = from.population == to.population;
    if same && from.which != to.which && (0..from.which.len()).any(|i| to.which.find(from.which.get(i)).is_some()) {
        reader.say(
            item,
            "the two parts overlap, so that some pairs would be coupled twice",
            "take the same part twice, or two that are apart",
        );
        return None;
    }
    if same && one_to_one && from.which == to.which {
        reader.say(item, "each neuron would be coupled to itself", "take rule = \"all_to_all\", or two different parts");
        return None;
    }
    let (a, unit) = side(reader, item, table, places, from)?;
    let (b, other) = side(reader, item, table, places, to)?;
    if unit != other {
        reader.say(item, "the two sides have currents or voltages of different units", "couple neurons of like models");
        return None;
    }
    let rule = match rule {
        "one_to_one" => Rule::OneToOne,
        "fixed_probability" => Rule::FixedProbability(probability(reader, item, table)?),
        "list" => listed(reader, item, table)?,
        _ => Rule::AllToAll,
    };
    let of_all = |rule: &Rule| matches!(rule, Rule::List(list) if !list.is_empty() && list.iter().all(|s| s.weight.is_some()));
    let conductance = match table.get("conductance") {
        None if of_all(&rule) => 0.0,
        _ => {
            let item = required(reader, item, table, "conductance")?;
            let conductance = reader.number(&item, unit)?;
            if !(conductance >= 0.0 && conductance.is_finite()) {
                reader.say(&item, format!("a conductance of {conductance} {unit}"), "a conductance is never negative");
                return None;
            }
            conductance
        }
    };
    Some(Gap { from: from.clone(), to: to.clone(), rule, conductance, sides: [a, b] })
}

fn probability(reader: &mut Reader, item: &Item, table: &dyn TableLike) -> Option<f64> {
    let value = required(reader, item, table, "p")?;
    let p = reader.number(&value, NUMBER)?;
    if !(0.0..=1.0).contains(&p) {
        reader.say(&value, format!("a probability of {p}"), "it lies between 0 and 1");
        return None;
    }
    Some(p)
}

/// Pairs from a file: columns `source`, `target`, and if wanted `conductance`.
fn listed(reader: &mut Reader, item: &Item, table: &dyn TableLike) -> Option<Rule> {
    let value = required(reader, item, table, "file")?;
    match files::pairs(reader.folder.as_deref(), value.as_str().unwrap_or("")) {
        Ok(list) => Some(Rule::List(list.into())),
        Err(message) => {
            reader.say(&value, message, "a CSV file with the columns source, target and, if wanted, conductance");
            None
        }
    }
}

/// Variable and input of one side, and the unit of a conductance between such.
fn side(reader: &mut Reader, item: &Item, table: &dyn TableLike, places: &Places, part: &Part) -> Option<([usize; 2], Dimension)> {
    let model = &places.populations[part.population].model;
    let mut find = |key: &str, usual: Option<&str>, names: Vec<&str>| {
        let name = table.get(key).map_or(usual, |i| i.as_str()).unwrap_or("");
        let found = names.iter().position(|n| *n == name);
        if found.is_none() {
            let help =
                did_you_mean(name, names.iter().copied()).unwrap_or_else(|| format!("write {key} = ..., one of {}", names.join(", ")));
            reader.wrong(item, Wrong(format!("{} has no {key} `{name}` for a gap junction", model.name), Some(help)));
        }
        found
    };
    let variable = find("variable", Some("V_m"), model.states.iter().map(|s| s.name.as_str()).collect());
    let usual = Some(&model.inputs).filter(|all| all.len() == 1).map(|all| all[0].name.as_str());
    let input = find("input", usual, model.inputs.iter().map(|i| i.name.as_str()).collect());
    let (variable, input) = (variable?, input?);
    let unit = model.inputs[input].dimension.over(model.states[variable].dimension);
    Some(([variable, input], unit))
}
