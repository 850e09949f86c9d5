//! Parameters of the populations' models that can be turned although the scene has no parameter for them: those that it writes as a
//! number, and those that it leaves to the model. What it computes from its own parameters is turned there. Knows no window.

use toml_edit::{Item, Table, TableLike};

use super::knobs::{Knob, literal, size};
use crate::base::units::{Dimension, NUMBER, unit};
use crate::network::{Population, Values};

/// Populations that copy each other, models that do: no scene has longer chains.
const LONGEST: usize = 16;

/// By their addresses: `exc.tau_m`.
pub fn cells(document: &Table, populations: &[Population]) -> Vec<Knob> {
    let Some(tables) = document.get("populations").and_then(Item::as_table_like) else { return Vec::new() };
    let mut out = Vec::new();
    // Members of a set have no address of their own.
    for p in populations.iter().filter(|p| tables.contains_key(&p.name)) {
        for (i, (parameter, value)) in p.model.parameters.iter().zip(&p.parameters).enumerate() {
            let (Values::Uniform(value), false) = (value, p.changes.iter().any(|c| c.1 == i)) else { continue };
            let unit = match place(document, tables, &p.name, &parameter.name) {
                Some(item) => text(item).and_then(|t| literal(&t)),
                None => shown(parameter.dimension),
            };
            let Some(unit) = unit else { continue };
            let value = value / size(&unit);
            let written = if unit.is_empty() { value.to_string() } else { format!("{value} {unit}") };
            let (name, about) = (format!("{}.{}", p.name, parameter.name), format!("of {}, {}", p.name, p.model.name));
            out.push(Knob { name, about, written, value, unit, range: None, log: false, derived: false });
        }
    }
    out
}

/// Where a parameter of a population is written: at the population, at the one that it is like, at its model, or that one's base.
fn place<'a>(document: &'a Table, populations: &'a dyn TableLike, population: &str, key: &str) -> Option<&'a Item> {
    let (mut population, mut model) = (populations.get(population)?, None);
    for _ in 0..LONGEST {
        if let Some(found) = population.get("parameters").and_then(|p| p.get(key)) {
            return Some(found);
        }
        model = model.or(population.get("model").and_then(Item::as_str));
        let like = population.get("like").and_then(Item::as_str).and_then(|name| populations.get(name));
        let Some(like) = like else { break };
        population = like;
    }
    let models = document.get("models").and_then(Item::as_table_like)?;
    let mut model = models.get(model?)?;
    for _ in 0..LONGEST {
        if let Some(found) = model.get("parameters").and_then(|p| p.get(key)) {
            return Some(found);
        }
        model = models.get(model.get("base").and_then(Item::as_str)?)?;
    }
    None
}

/// A value as it is written.
fn text(item: &Item) -> Option<String> {
    let number = || item.as_float().or(item.as_integer().map(|i| i as f64));
    item.as_str().map(|t| t.trim().to_string()).or_else(|| number().map(|x| x.to_string()))
}

/// The unit in which a dimension is shown, if it can be written too.
fn shown(dimension: Dimension) -> Option<String> {
    let name = dimension.to_string();
    if dimension == NUMBER { Some(String::new()) } else { unit(&name).filter(|u| u.dimension == dimension).map(|_| name) }
}
