//! Conditions that the parameters of a neuron model must meet, as its text states them. Knows no network.

use super::builder::Builder;
use super::expr::Expr;
use super::graph::{Graph, Id, Node};
use super::read::Reader;
use super::statement::Spot;
use super::typed::{self, Fault};
use super::{Model, Parameter};
use crate::base::units::NUMBER;

/// A comparison over parameters, such as `V_reset < V_th`.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    condition: (Expr, Spot),
    /// As written.
    text: String,
}

/// The limits of a model, ready to be asked.
pub struct Limits<'a> {
    model: &'a Model,
    graph: Graph,
    /// The value of each, and the parameters it is about.
    conditions: Vec<(Id, Vec<usize>)>,
}

impl Model {
    /// The conditions as written.
    pub fn limit_texts(&self) -> impl Iterator<Item = &str> {
        self.limits.iter().map(|l| l.text.as_str())
    }

    pub fn limits(&self) -> Limits<'_> {
        let mut builder = Builder::new(self, 1.0);
        let names = builder.parameters();
        let mut graph = builder.graph;
        let built = self.limits.iter().filter_map(|l| typed::build(&l.condition.0, &mut graph, &names).ok());
        let ids: Vec<Id> = built.map(|b| b.0).collect();
        let conditions = ids.into_iter().map(|id| (id, graph.uses(id).into_iter().collect())).collect();
        Limits { model: self, graph, conditions }
    }
}

impl Limits<'_> {
    /// Whether some limit is about one of these parameters.
    pub fn concern(&self, parameters: impl Fn(usize) -> bool) -> bool {
        self.conditions.iter().any(|(_, uses)| uses.iter().any(|p| parameters(*p)))
    }

    /// The first limit that values break, as a sentence, and the parameters it is about; a limit about a value that is not yet known,
    /// a NaN, is left out.
    pub fn broken(&self, values: &[f64]) -> Option<(String, &[usize])> {
        let known = |uses: &[usize]| uses.iter().all(|p| values.get(*p).is_some_and(|x| !x.is_nan()));
        let found = self.graph.evaluate(values);
        let broken = self.conditions.iter().position(|(id, uses)| known(uses) && found[*id] == 0.0)?;
        let uses = self.conditions[broken].1.as_slice();
        let here: Vec<String> = uses.iter().filter_map(|p| Some(told(self.model.parameters.get(*p)?, values[*p]))).collect();
        Some((format!("{} needs {}, and here {}", self.model.name, self.model.limits[broken].text, here.join(", ")), uses))
    }
}

fn told(parameter: &Parameter, value: f64) -> String {
    let unit = if parameter.dimension == NUMBER { String::new() } else { format!(" {}", parameter.dimension) };
    format!("{} is {value}{unit}", parameter.name)
}

impl Reader<'_> {
    /// The list of conditions of a model whose parameters are known.
    pub(super) fn limits(&mut self, model: &Model) -> Vec<Limit> {
        let Some(item) = self.table.get("limits") else { return Vec::new() };
        let Some(list) = item.as_array() else {
            self.problem(Some(item), "`limits` is a list of conditions: [\"V_reset < V_th\"]");
            return Vec::new();
        };
        let mut out = Vec::new();
        for value in list {
            let value = toml_edit::Item::Value(value.clone());
            let Some((text, spot)) = self.string("limits", &value) else { continue };
            let Some((expr, spot)) = self.parse(&text, spot) else { continue };
            let mut builder = Builder::new(model, 1.0);
            let names = builder.parameters();
            match typed::number(&expr, &mut builder.graph, &names) {
                Ok(id) if builder.graph.mentions(id, |n| matches!(n, Node::Parameter(_))) => {
                    out.push(Limit { condition: (expr, spot), text });
                }
                Ok(_) => self.fault(&spot, Fault::new(format!("`{text}` is about no parameter"), 0..text.len())),
                Err(fault) => self.fault(&spot, fault),
            }
        }
        out
    }
}
