//! Models and populations of a scene. Knows no projection.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml_edit::{Item, Table, TableLike};

use super::columns::{stepped, values};
use super::fields::{Reader, key_span};
use super::value::{Value, Wrong};
use crate::base::problem::{Problem, Source, did_you_mean};
use crate::base::units::Quantity;
use crate::model::{self, Limits, Model, Parameter};
use crate::network::{Population, Positions, Values};

/// Keys of a model that copies another.
pub const COPY_KEYS: [&str; 6] = ["base", "parameters", "method", "substeps", "about", "cite"];
pub const KEYS: [&str; 7] = ["model", "size", "like", "each", "initial", "parameters", "positions"];

#[derive(Default)]
pub struct Populations {
    pub all: Vec<Population>,
    pub members: Vec<Option<(String, usize)>>,
    pub families: Vec<(String, String)>,
    /// Names of those that could not be read.
    pub unread: Vec<String>,
}

/// Models of the scene and the built-in ones, by name.
pub fn models(reader: &mut Reader, document: &Table) -> BTreeMap<String, Arc<Model>> {
    let mut out = builtin(reader);
    let Some(tables) = document.get("models").and_then(Item::as_table_like) else { return out };
    let mut waiting: Vec<&str> = tables.iter().map(|(name, _)| name).collect();
    // Models may copy each other in any order: each round takes those whose base is there.
    loop {
        let before = waiting.len();
        waiting.retain(|name| {
            let Some(item) = tables.get(name) else { return false };
            let base = item.get("base").and_then(Item::as_str);
            if base.is_some_and(|b| !out.contains_key(b)) {
                return true;
            }
            let read = match base {
                Some(base) => copy(reader, name, item, &out[base].clone()),
                None => item.as_table_like().and_then(|t| read(reader, name, t)),
            };
            read.map(|m| out.insert(name.to_string(), Arc::new(m)));
            false
        });
        if waiting.is_empty() || waiting.len() == before {
            break;
        }
    }
    for name in waiting {
        let base = &tables.get(name).and_then(|i| i.get("base")).cloned().unwrap_or_default();
        let known = out.keys().map(String::as_str).chain(model::builtin().map(|m| m.0));
        let help = did_you_mean(base.as_str().unwrap_or(""), known);
        reader.wrong(base, Wrong(format!("no model is named {}", base.to_string().trim()), help));
    }
    out
}

fn builtin(reader: &mut Reader) -> BTreeMap<String, Arc<Model>> {
    let mut out = BTreeMap::new();
    // Reading a model costs a millisecond: those that the scene does not name are left alone.
    let named = reader.scope.source.clone();
    for (name, text) in model::builtin().into_iter().filter(|(name, _)| named.text.contains(name)) {
        let source = Arc::new(Source { name: format!("{name}.toml"), text: text.to_string() });
        let mut inner = Reader::new(source, None);
        let document = toml_edit::Document::parse(text.to_string()).ok();
        if let Some(model) = document.as_ref().and_then(|d| read(&mut inner, name, d.as_table())) {
            out.insert(name.to_string(), Arc::new(model));
        }
        reader.problems.append(&mut inner.problems);
    }
    out
}

fn read(reader: &mut Reader, name: &str, table: &dyn TableLike) -> Option<Model> {
    let source = reader.scope.source.clone();
    let scope = &mut reader.scope;
    let mut evaluate = |item: &Item| -> Result<Quantity, Problem> {
        match scope.item(item)? {
            Value::Number(q) => Ok(q),
            Value::Law(..) => Err(scope.problem(Wrong("a model's default cannot be random".into(), None), item.span().unwrap_or(0..0))),
        }
    };
    match model::read(name, table, &source, &mut evaluate) {
        Ok(model) => Some(model),
        Err(problems) => {
            problems.into_iter().for_each(|p| reader.push(p));
            None
        }
    }
}

/// Another model with other defaults, or integrated otherwise.
fn copy(reader: &mut Reader, name: &str, item: &Item, base: &Model) -> Option<Model> {
    let table = item.as_table_like()?;
    reader.keys("a copied model", table, &COPY_KEYS);
    let mut model = Model { name: name.into(), ..base.clone() };
    if let Err(problems) = model::integrated(&mut model, table, &reader.scope.source) {
        problems.into_iter().for_each(|p| reader.push(p));
        model = Model { name: name.into(), ..base.clone() };
    }
    if let Some(parameters) = table.get("parameters").and_then(Item::as_table_like) {
        for (key, item) in parameters.iter() {
            let Some(i) = parameter(reader, base, parameters, key) else { continue };
            if let Some(x) = reader.number(item, base.parameters[i].dimension) {
                bounded(reader, &base.parameters[i], &Values::Uniform(x), item);
                refractory(reader, base, key, &Values::Uniform(x), item);
                model.parameters[i].default = x;
            }
        }
    }
    let values: Vec<f64> = model.parameters.iter().map(|p| p.default).collect();
    let _ = limited(reader, &model, &model.limits(), &values, [table.get("parameters"), Some(item)]);
    Some(model)
}

fn parameter(reader: &mut Reader, model: &Model, table: &dyn TableLike, key: &str) -> Option<usize> {
    let known: Vec<&str> = model.parameters.iter().map(|p| p.name.as_str()).collect();
    among(reader, table, key, (&model.name, "parameter"), &known)
}

/// The number of a key among those that a model knows.
fn among(reader: &mut Reader, table: &dyn TableLike, key: &str, (model, what): (&str, &str), known: &[&str]) -> Option<usize> {
    let found = known.iter().position(|k| *k == key);
    if found.is_none() {
        let help = did_you_mean(key, known.iter().copied()).unwrap_or_else(|| format!("it has {}", known.join(", ")));
        let problem =
            reader.scope.problem(Wrong(format!("{model} has no {what} `{key}`"), Some(help)), key_span(table, key).unwrap_or(0..0));
        reader.push(problem);
    }
    found
}

pub fn populations(reader: &mut Reader, document: &Table, models: &BTreeMap<String, Arc<Model>>) -> Populations {
    let mut out = Populations::default();
    let Some(tables) = document.get("populations").and_then(Item::as_table_like) else { return out };
    for (name, item) in tables.iter() {
        let Some(table) = item.as_table_like() else {
            reader.say(item, format!("populations.{name} must be a table"), format!("write [populations.{name}]"));
            out.unread.push(name.into());
            continue;
        };
        reader.keys("a population", table, &KEYS);
        let before = out.all.len();
        let set = table.get("each").and_then(Item::as_str).map(String::from);
        match &set {
            None => one(reader, tables, name, table, models, None, &mut out),
            Some(set) => match reader.scope.sets.get(set).cloned() {
                None => reader.say(item, format!("each = \"{set}\": there is no such set"), "sets are listed under [sets]"),
                Some(members) => {
                    out.families.push((name.into(), set.clone()));
                    for (i, member) in members.iter().enumerate() {
                        let outer = std::mem::take(&mut reader.scope.bound);
                        reader.scope.bound = vec![(set.clone(), i)];
                        let before = out.all.len();
                        one(reader, tables, member, table, models, Some((set.clone(), i)), &mut out);
                        if out.all.len() == before {
                            out.unread.push(member.clone());
                        }
                        reader.scope.bound = outer;
                    }
                }
            },
        }
        if out.all.len() == before {
            out.unread.push(name.into());
        }
    }
    out
}

/// The value of a key, here or in the population that this one is like.
fn inherited<'a>(tables: &'a dyn TableLike, table: &'a dyn TableLike, key: &str, depth: usize) -> Option<&'a Item> {
    table.get(key).or_else(|| {
        let like = tables.get(table.get("like")?.as_str()?)?.as_table_like()?;
        if depth < 20 { inherited(tables, like, key, depth + 1) } else { None }
    })
}

fn one(
    reader: &mut Reader,
    tables: &dyn TableLike,
    name: &str,
    table: &dyn TableLike,
    models: &BTreeMap<String, Arc<Model>>,
    member: Option<(String, usize)>,
    out: &mut Populations,
) {
    if let Some(item) = table.get("like") {
        let like = item.as_str().unwrap_or("");
        if !tables.contains_key(like) {
            reader.wrong(item, Wrong(format!("no population is named `{like}`"), did_you_mean(like, tables.iter().map(|(k, _)| k))));
        }
    }
    let header = member.as_ref().and_then(|m| out.families.iter().rev().find(|f| f.1 == m.0)).map_or(name, |f| f.0.as_str());
    let span = key_span(tables, header).unwrap_or(0..0);
    let missing = tables.get(header).cloned().unwrap_or_default();
    let Some(model_item) = inherited(tables, table, "model", 0) else {
        return reader.say(&missing, format!("population {name} has no model"), "write model = \"iaf_psc_exp\", for instance");
    };
    let Some(model_name) = reader.text("model", model_item) else { return };
    let Some(model) = models.get(&model_name).cloned() else {
        let help = did_you_mean(&model_name, models.keys().map(String::as_str).chain(model::builtin().map(|m| m.0)));
        return reader.wrong(model_item, Wrong(format!("no model is named `{model_name}`"), help));
    };
    let mut positions = None;
    let size_item = inherited(tables, table, "size", 0);
    let size = size_item.map(|item| reader.count(item, 1 << 31));
    if let Some(item) = inherited(tables, table, "positions", 0) {
        positions = super::space::positions(reader, item, size.flatten().map(|s| s as u32));
        if positions.is_none() {
            return;
        }
    }
    let Some(size) = size.unwrap_or_else(|| positions.as_ref().and_then(Positions::count)) else {
        if size_item.is_none() {
            reader.say(&missing, format!("population {name} has no size"), "write size = 100");
        }
        return;
    };
    let size_item = size_item.unwrap_or(&missing);
    if out.all.iter().map(|p| u64::from(p.size)).sum::<u64>() + size > 1 << 31 {
        return reader.say(size_item, "more than 2^31 neurons in all", "make the populations smaller");
    }
    let size = size as u32;
    let mut population = Population {
        name: name.into(),
        size,
        parameters: model.parameters.iter().map(|p| Values::Uniform(p.default)).collect(),
        initial: vec![None; model.states.len()],
        model: model.clone(),
        changes: Vec::new(),
        positions,
    };
    let parameters_item = inherited(tables, table, "parameters", 0);
    if let Some(parameters) = parameters_item.and_then(Item::as_table_like) {
        for (key, item) in parameters.iter() {
            let Some(i) = parameter(reader, &model, parameters, key) else { continue };
            let dimension = model.parameters[i].dimension;
            match stepped(reader, item, dimension) {
                None => continue,
                Some(None) => {}
                Some(Some(steps)) => {
                    for (step, x) in steps {
                        bounded(reader, &model.parameters[i], &Values::Uniform(x), item);
                        refractory(reader, &model, key, &Values::Uniform(x), item);
                        population.changes.push((step, i, x));
                    }
                    continue;
                }
            }
            if let Some(v) = values(reader, item, dimension, size) {
                bounded(reader, &model.parameters[i], &v, item);
                refractory(reader, &model, key, &v, item);
                population.parameters[i] = v;
            }
        }
    }
    if let Some(initial) = inherited(tables, table, "initial", 0).and_then(Item::as_table_like) {
        for (key, item) in initial.iter() {
            let states: Vec<&str> = model.states.iter().map(|s| s.name.as_str()).collect();
            let Some(i) = among(reader, initial, key, (&model.name, "state variable"), &states) else { continue };
            population.initial[i] = values(reader, item, model.states[i].dimension, size);
        }
    }
    population.changes.sort_by_key(|c| c.0);
    within(reader, &population, parameters_item, model_item);
    out.all.push(population);
    out.members.push(member);
    reader.spans.populations.push(span);
}

/// A refractory period that is written and the same for all cells lies on the grid like every time that is written; one that is drawn,
/// or a model's own, is rounded.
fn refractory(reader: &mut Reader, model: &Model, name: &str, values: &Values, item: &Item) {
    let period = model.period_text.as_deref().is_some_and(|p| p.trim() == name);
    if let (true, Values::Uniform(x @ 0.0..)) = (period, values) {
        // Its step is of no interest here, only that there is one.
        let _ = reader.on_grid(item, *x);
    }
}

/// Refuses parameters that break a limit of the model, at the start or after a change; drawn ones are looked at when they are drawn.
fn within(reader: &mut Reader, population: &Population, parameters: Option<&Item>, otherwise: &Item) {
    let limits = population.model.limits();
    let column = |p: usize| matches!(population.parameters.get(p), Some(Values::Column(_)));
    let rows = if limits.concern(column) { population.size } else { 1 };
    for i in 0..rows {
        let at = |p: &Values| match p {
            Values::Uniform(x) => *x,
            Values::Column(column) => column.get(i as usize).copied().unwrap_or(f64::NAN),
            Values::Law(_) => f64::NAN,
        };
        let mut values: Vec<f64> = population.parameters.iter().map(at).collect();
        let mut sound = limited(reader, &population.model, &limits, &values, [parameters, Some(otherwise)]);
        for (n, (step, parameter, x)) in population.changes.iter().enumerate() {
            values[*parameter] = *x;
            if population.changes.get(n + 1).is_none_or(|next| next.0 != *step) {
                sound = sound && limited(reader, &population.model, &limits, &values, [parameters, Some(otherwise)]);
            }
        }
        if !sound {
            return;
        }
    }
}

/// Says which limit of the model these values break, where the last of them is written.
fn limited(reader: &mut Reader, model: &Model, limits: &Limits, values: &[f64], [parameters, otherwise]: [Option<&Item>; 2]) -> bool {
    let Some((wrong, about)) = limits.broken(values) else { return true };
    let table = parameters.and_then(Item::as_table_like);
    let written = |p: &usize| table?.get(&model.parameters.get(*p)?.name);
    let Some(item) = about.iter().filter_map(written).next_back().or(otherwise) else { return false };
    let help = if about.len() > 1 { "change one of them" } else { "give another value" };
    reader.say(item, wrong, help);
    false
}

/// Refuses a value that the equations do not bear; drawn ones are looked at when they are drawn.
fn bounded(reader: &mut Reader, parameter: &Parameter, values: &Values, item: &Item) {
    let worst = match values {
        Values::Uniform(x) => *x,
        Values::Column(column) => column.iter().copied().fold(f64::INFINITY, f64::min),
        Values::Law(_) => return,
    };
    if let Some(wrong) = parameter.least.wrong(worst) {
        reader.say(item, format!("{} {wrong}, and is {worst} {}", parameter.name, parameter.dimension), "give a larger value");
    }
}
