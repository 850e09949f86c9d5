//! Models of synapses that change, and which of them a projection takes. Knows no rule and no population.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml_edit::{Item, Table, TableLike};

use super::fields::Reader;
use super::value::{Value, Wrong};
use crate::base::problem::{Problem, Source, did_you_mean};
use crate::base::units::{Dimension, Quantity};
use crate::model::{Model, SynapseModel, builtin_synapses, read_synapse};
use crate::network::{Changing, Part};

/// Keys of a synapse model that copies another.
pub const COPY_KEYS: [&str; 4] = ["base", "parameters", "about", "cite"];

/// A model, and the values that take the place of its own: evaluated for every pair of populations.
#[derive(Clone)]
struct Definition {
    model: Arc<SynapseModel>,
    values: BTreeMap<usize, Item>,
}

/// Synapse models of the scene and the built-in ones, by name.
pub struct Synapses(BTreeMap<String, Definition>);

pub fn synapses(reader: &mut Reader, document: &Table) -> Synapses {
    let mut out = builtin(reader);
    let Some(tables) = document.get("synapses").and_then(Item::as_table_like) else { return Synapses(out) };
    let mut waiting: Vec<&str> = tables.iter().map(|(name, _)| name).collect();
    // They may copy each other in any order: each round takes those whose base is there.
    loop {
        let before = waiting.len();
        waiting.retain(|name| {
            let Some(item) = tables.get(name) else { return false };
            let base = item.get("base").and_then(Item::as_str);
            if base.is_some_and(|b| !out.contains_key(b)) {
                return true;
            }
            let read = match base {
                Some(base) => copy(reader, item, out[base].clone()),
                None => read(reader, name, item),
            };
            read.map(|d| out.insert(name.to_string(), d));
            false
        });
        if waiting.is_empty() || waiting.len() == before {
            break;
        }
    }
    for name in waiting {
        let base = &tables.get(name).and_then(|i| i.get("base")).cloned().unwrap_or_default();
        unknown(reader, base, &out);
    }
    Synapses(out)
}

fn unknown(reader: &mut Reader, item: &Item, known: &BTreeMap<String, Definition>) {
    let names = || known.keys().map(String::as_str).chain(builtin_synapses().map(|m| m.0));
    let help = did_you_mean(item.as_str().unwrap_or(""), names()).unwrap_or_else(|| {
        let built_in = builtin_synapses().map(|m| m.0).join(", ");
        format!("write [synapses.NAME], or take one that is built in: {built_in}")
    });
    reader.wrong(item, Wrong(format!("no synapse model is named {}", item.to_string().trim()), Some(help)));
}

fn builtin(reader: &mut Reader) -> BTreeMap<String, Definition> {
    let mut out = BTreeMap::new();
    let named = reader.scope.source.clone();
    for (name, text) in builtin_synapses().into_iter().filter(|(name, _)| named.text.contains(name)) {
        let (read, mut problems) = shipped(name, text);
        read.map(|d| out.insert(name.to_string(), d));
        reader.problems.append(&mut problems);
    }
    out
}

fn shipped(name: &str, text: &str) -> (Option<Definition>, Vec<Problem>) {
    let source = Arc::new(Source { name: format!("{name}.toml"), text: text.to_string() });
    let mut inner = Reader::new(source, None);
    let document = toml_edit::Document::parse(text.to_string()).ok();
    let read = document.as_ref().and_then(|d| read(&mut inner, name, d.as_item()));
    (read, inner.problems)
}

/// A built-in synapse model.
pub fn synapse(name: &str) -> Result<Arc<SynapseModel>, Vec<Problem>> {
    let text = builtin_synapses().into_iter().find(|m| m.0 == name).map_or("", |m| m.1);
    let (read, problems) = shipped(name, text);
    read.map(|d| d.model).ok_or(problems)
}

fn read(reader: &mut Reader, name: &str, item: &Item) -> Option<Definition> {
    let Some(table) = item.as_table_like() else {
        reader.say(item, format!("synapses.{name} must be a table"), format!("write [synapses.{name}]"));
        return None;
    };
    let source = reader.scope.source.clone();
    let scope = &mut reader.scope;
    let mut evaluate = |item: &Item| -> Result<Quantity, Problem> {
        match scope.item(item)? {
            Value::Number(q) => Ok(q),
            Value::Law(..) => {
                Err(scope.problem(Wrong("a synapse model's default cannot be random".into(), None), item.span().unwrap_or(0..0)))
            }
        }
    };
    match read_synapse(name, table, &source, &mut evaluate) {
        Ok(model) => Some(Definition { model: Arc::new(model), values: BTreeMap::new() }),
        Err(problems) => {
            problems.into_iter().for_each(|p| reader.push(p));
            None
        }
    }
}

/// Another model with other values.
fn copy(reader: &mut Reader, item: &Item, mut base: Definition) -> Option<Definition> {
    let table = item.as_table_like()?;
    reader.keys("a copied synapse model", table, &COPY_KEYS);
    for (key, item) in table.get("parameters").and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter) {
        let known = base.model.parameters();
        match known.iter().position(|p| p.name == key) {
            Some(i) => _ = base.values.insert(i, item.clone()),
            None => {
                let help = did_you_mean(key, known.iter().map(|p| p.name.as_str()));
                reader.wrong(item, Wrong(format!("{} has no parameter `{key}`", base.model.name), help));
            }
        }
    }
    Some(base)
}

impl Synapses {
    /// What a projection names, with the values that hold for this pair; its weights are in this dimension, onto neurons of this model.
    pub fn changing(
        &self,
        reader: &mut Reader,
        item: &Item,
        w_max: Option<&Item>,
        modulator: Option<(&Item, Vec<Part>)>,
        weight: Dimension,
        target: &Model,
    ) -> Option<Changing> {
        let name = item.as_str().unwrap_or("");
        let Some(Definition { model, values }) = self.0.get(name) else {
            unknown(reader, item, &self.0);
            return None;
        };
        let mut parameters = Vec::new();
        for (i, p) in model.parameters().iter().enumerate() {
            let value = match values.get(&i) {
                None => p.default,
                Some(item) => {
                    let x = reader.number(item, p.dimension)?;
                    if let Some(wrong) = model.wrong(i, x) {
                        reader.say(item, wrong, "give another value");
                        return None;
                    }
                    x
                }
            };
            parameters.push(value);
        }
        if let Some((wrong, about)) = model.limits().broken(&parameters) {
            let at = about.iter().filter_map(|p| values.get(p)).next_back().unwrap_or(item);
            reader.say(at, wrong, "change one of them");
            return None;
        }
        if let Some(wrong) = reader.scope.dt.and_then(|dt| model.reading(target, &parameters, dt).err()) {
            reader.say(item, wrong, "take another neuron model, another rule, or write one that reads what is there");
            return None;
        }
        let w_max = match (w_max, model.plastic()) {
            (None, false) => None,
            (Some(w_max), true) => {
                let x = reader.number(w_max, weight)?;
                if x == 0.0 || !x.is_finite() {
                    reader.say(w_max, format!("a largest weight of {x} {weight}"), "give the largest weight, with its sign");
                    return None;
                }
                Some(x)
            }
            (None, true) => {
                let help = "add w_max = ... to the projection: weights are kept between 0 and it";
                reader.say(item, format!("{name} changes the weights, and there is no largest weight"), help);
                return None;
            }
            (Some(w_max), false) => {
                reader.say(w_max, format!("{name} does not change the weights"), "remove w_max");
                return None;
            }
        };
        let modulator = match (modulator, model.modulator().is_empty()) {
            (None, true) => Vec::new(),
            (Some((_, parts)), false) if !parts.is_empty() => parts,
            (Some(_), false) => return None,
            (None, false) => {
                reader.say(item, format!("{name} follows the spikes of a modulator"), "add modulator = \"POPULATION\" to the projection");
                return None;
            }
            (Some((at, _)), true) => {
                reader.say(at, format!("{name} has no modulator"), "remove it, or take a model with [modulator] and on_modulator");
                return None;
            }
        };
        Some(Changing { name: name.into(), model: model.clone(), parameters, w_max, modulator })
    }
}
