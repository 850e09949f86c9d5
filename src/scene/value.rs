//! Expressions of a scene evaluated: parameters, tables over sets, units, one random draw. Knows no population.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use toml_edit::{Item, Value as Toml};

use crate::base::problem::{Problem, Source, did_you_mean};
use crate::base::units::{Dimension, NUMBER, Quantity, TIME, unit};
use crate::model::expr::{Expr, Node, Operator, parse};
use crate::network::{Kind, Law};

/// A number with its dimension, or a law of one random draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    Number(Quantity),
    Law(Law, Dimension),
}

impl Value {
    pub fn dimension(&self) -> Dimension {
        match self {
            Value::Number(q) => q.dimension,
            Value::Law(_, dimension) => *dimension,
        }
    }
}

/// What an error is about: a message and a remedy.
#[derive(Debug, Clone)]
pub struct Wrong(pub String, pub Option<String>);

pub type Result<T> = std::result::Result<T, Wrong>;

pub fn wrong<T>(message: impl Into<String>) -> Result<T> {
    Err(Wrong(message.into(), None))
}

/// What follows from a parameter that is told about at its own place: nothing to add.
fn told() -> Wrong {
    Wrong(String::new(), None)
}

/// What names mean: parameters and tables as written, sets, and the members that indices stand for now.
#[derive(Clone)]
pub struct Scope {
    pub source: Arc<Source>,
    pub dt: Option<f64>,
    /// What `distance` means, where it means something.
    pub distance: Option<Quantity>,
    pub parameters: BTreeMap<String, Item>,
    pub tables: BTreeMap<String, Table>,
    pub sets: BTreeMap<String, Vec<String>>,
    /// Index name and position within its set.
    pub bound: Vec<(String, usize)>,
    known: BTreeMap<String, Value>,
    /// Parameters without a value, and why, each told once.
    broken: BTreeSet<String>,
    pub faults: Vec<Problem>,
    visiting: Vec<String>,
}

#[derive(Clone)]
pub struct Table {
    /// Index name and set.
    pub over: Vec<(String, String)>,
    pub unit: Quantity,
    pub content: Content,
}

#[derive(Clone)]
pub enum Content {
    Values(Toml),
    Formula(Item),
    Entries { default: Option<Item>, entries: Item },
}

impl Scope {
    pub fn new(source: Arc<Source>) -> Self {
        Self {
            source,
            dt: None,
            distance: None,
            parameters: BTreeMap::new(),
            tables: BTreeMap::new(),
            sets: BTreeMap::new(),
            bound: Vec::new(),
            known: BTreeMap::new(),
            broken: BTreeSet::new(),
            faults: Vec::new(),
            visiting: Vec::new(),
        }
    }

    /// The value of an item as a problem-carrying result.
    pub fn item(&mut self, item: &Item) -> std::result::Result<Value, Problem> {
        let span = item.span().unwrap_or(0..0);
        self.written(item).map_err(|w| self.problem(w, span))
    }

    pub fn problem(&self, wrong: Wrong, span: Range<usize>) -> Problem {
        let p = Problem::new(wrong.0).at(&self.source, span);
        match wrong.1 {
            Some(help) => p.help(help),
            None => p,
        }
    }

    fn written(&mut self, item: &Item) -> Result<Value> {
        match item {
            Item::Value(value) => self.toml(value),
            _ => wrong("expected a number or an expression"),
        }
    }

    fn toml(&mut self, value: &Toml) -> Result<Value> {
        match value {
            Toml::Integer(i) => number(*i.value() as f64, NUMBER),
            Toml::Float(f) if f.value().is_nan() => wrong("NaN is no value"),
            Toml::Float(f) => number(*f.value(), NUMBER),
            Toml::String(s) => self.text(s.value()),
            Toml::InlineTable(t) => match t.get("value") {
                Some(v) => self.toml(&v.clone()),
                None => wrong("expected `value` in this table"),
            },
            _ => wrong("expected a number or an expression"),
        }
    }

    pub fn text(&mut self, text: &str) -> Result<Value> {
        let expr = parse(text).map_err(|e| Wrong(format!("in `{text}`: {}", e.message), None))?;
        self.eval(&expr)
    }

    fn eval(&mut self, expr: &Expr) -> Result<Value> {
        match &expr.node {
            Node::Number(x) => number(*x, NUMBER),
            Node::Unit(x, name) => match unit(name) {
                Some(u) => number(x * u.value, u.dimension),
                None => Err(Wrong(
                    format!("`{name}` is no unit"),
                    Some("units are written as mV, ms, pA, nS, Hz ...; a product needs `*`".into()),
                )),
            },
            Node::Name(name) => self.name(name),
            Node::Neg(a) => {
                let a = self.eval(a)?;
                multiply(a, Quantity::number(-1.0))
            }
            Node::Not(a) => {
                let a = self.plain(a)?;
                number(f64::from(a.value == 0.0), NUMBER)
            }
            Node::If(c, a, b) => {
                let c = self.plain(c)?;
                self.eval(if c.value != 0.0 { a } else { b })
            }
            Node::Binary(op, a, b) => {
                let (a, b) = (self.eval(a)?, self.eval(b)?);
                binary(*op, a, b)
            }
            Node::Call(name, args) if name == "sum" => self.sum(args),
            Node::Call(name, args) => {
                let args = args.iter().map(|a| self.eval(a)).collect::<Result<Vec<_>>>()?;
                super::functions::call(name, &args)
            }
            Node::Index(name, args) => self.index(name, args),
        }
    }

    fn plain(&mut self, expr: &Expr) -> Result<Quantity> {
        match self.eval(expr)? {
            Value::Number(q) => Ok(q),
            Value::Law(..) => wrong("a random draw cannot decide a condition"),
        }
    }

    /// The value of a parameter. One that has none leaves its reason in `faults`.
    pub fn parameter(&mut self, name: &str) -> Option<Value> {
        self.name(name).ok()
    }

    fn name(&mut self, name: &str) -> Result<Value> {
        match name {
            "inf" => return number(f64::INFINITY, NUMBER),
            "distance" if self.distance.is_some() && self.visiting.is_empty() => {
                return self.distance.map_or_else(|| wrong("distance has no meaning here"), |d| number(d.value, d.dimension));
            }
            "pi" => return number(std::f64::consts::PI, NUMBER),
            "dt" if !self.parameters.contains_key("dt") => {
                return match self.dt {
                    Some(dt) => number(dt, TIME),
                    None => wrong("dt cannot depend on itself"),
                };
            }
            _ => {}
        }
        if let Some(value) = self.known.get(name) {
            return Ok(*value);
        }
        let Some(item) = self.parameters.get(name).cloned() else {
            if let Some(u) = unit(name) {
                return Ok(Value::Number(u));
            }
            let names = self.parameters.keys().map(String::as_str);
            return Err(Wrong(format!("no parameter is named `{name}`"), did_you_mean(name, names)));
        };
        if self.broken.contains(name) {
            return Err(told());
        }
        match self.visit(name.to_string(), |me| me.written(&item)) {
            Ok(value) => {
                self.known.insert(name.to_string(), value);
                Ok(value)
            }
            Err(wrong) => {
                self.broken.insert(name.to_string());
                if !wrong.0.is_empty() {
                    let fault = self.problem(wrong, item.span().unwrap_or(0..0));
                    self.faults.push(fault);
                }
                Err(told())
            }
        }
    }

    fn visit<T>(&mut self, name: String, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.visiting.contains(&name) {
            return wrong(format!("{} -> {name} goes in a circle", self.visiting.join(" -> ")));
        }
        if self.visiting.len() > 40 {
            return wrong("parameters refer to each other more than 40 deep");
        }
        self.visiting.push(name);
        let out = inner(self);
        self.visiting.pop();
        out
    }

    fn sum(&mut self, args: &[Expr]) -> Result<Value> {
        let [Expr { node: Node::Name(index), .. }, body] = args else { return wrong("sum is written sum(index, expression)") };
        let set = if self.sets.contains_key(index) { Some(index.clone()) } else { self.set_of(index, body) };
        let Some(count) = set.and_then(|s| self.sets.get(&s)).map(Vec::len) else {
            return wrong(format!("sum over `{index}`: no table in the expression is indexed by it"));
        };
        let mut total: Option<Value> = None;
        for i in 0..count {
            self.bound.push((index.clone(), i));
            let term = self.eval(body);
            self.bound.pop();
            total = Some(match total {
                None => term?,
                Some(t) => binary(Operator::Add, t, term?)?,
            });
        }
        total.map_or_else(|| number(0.0, NUMBER), Ok)
    }

    /// The set of the first table that is indexed by this name.
    fn set_of(&self, index: &str, expr: &Expr) -> Option<String> {
        match &expr.node {
            Node::Index(table, args) => {
                let place = args.iter().position(|a| matches!(&a.node, Node::Name(n) if n == index));
                place.and_then(|i| Some(self.tables.get(table)?.over.get(i)?.1.clone()))
            }
            Node::Neg(a) | Node::Not(a) => self.set_of(index, a),
            Node::Binary(_, a, b) => self.set_of(index, a).or_else(|| self.set_of(index, b)),
            Node::If(a, b, c) => self.set_of(index, a).or_else(|| self.set_of(index, b)).or_else(|| self.set_of(index, c)),
            Node::Call(_, args) => args.iter().find_map(|a| self.set_of(index, a)),
            _ => None,
        }
    }

    fn index(&mut self, name: &str, args: &[Expr]) -> Result<Value> {
        let Some(table) = self.tables.get(name).cloned() else {
            return Err(Wrong(format!("no table is named `{name}`"), did_you_mean(name, self.tables.keys().map(String::as_str))));
        };
        if args.len() != table.over.len() {
            return wrong(format!("{name} has {} indices, not {}", table.over.len(), args.len()));
        }
        let mut at = Vec::new();
        for (arg, (_, set)) in args.iter().zip(&table.over) {
            let Node::Name(index) = &arg.node else { return wrong(format!("an index of {name} is a name")) };
            at.push(self.member(index, set)?);
        }
        let label = format!("{name}[{at:?}]");
        self.visit(label, |me| me.entry(name, &table, &at))
    }

    fn member(&self, index: &str, set: &str) -> Result<usize> {
        if let Some((_, i)) = self.bound.iter().rev().find(|(n, _)| n == index) {
            return Ok(*i);
        }
        let members = self.sets.get(set).map(Vec::as_slice).unwrap_or_default();
        members.iter().position(|m| m == index).ok_or_else(|| {
            Wrong(format!("`{index}` is no member of {set} and no index here"), did_you_mean(index, members.iter().map(String::as_str)))
        })
    }

    fn entry(&mut self, name: &str, table: &Table, at: &[usize]) -> Result<Value> {
        let value = match &table.content {
            Content::Values(values) => {
                let mut value = values.clone();
                for (i, (_, set)) in at.iter().zip(&table.over) {
                    let size = self.sets.get(set).map_or(0, Vec::len);
                    let next = value.as_array().filter(|a| a.len() == size).and_then(|a| a.get(*i)).cloned();
                    value = next.ok_or_else(|| Wrong(format!("{name} needs {size} values over {set}"), None))?;
                }
                self.toml(&value)?
            }
            Content::Formula(item) => {
                let outer = self.bound.len();
                self.bound.extend(table.over.iter().zip(at).map(|((index, _), i)| (index.clone(), *i)));
                let value = self.written(item);
                self.bound.truncate(outer);
                value?
            }
            Content::Entries { default, entries } => {
                let mut found = Some(entries);
                for (i, (_, set)) in at.iter().zip(&table.over) {
                    let label = self.sets.get(set).and_then(|s| s.get(*i));
                    found = found.and_then(|f| f.get(label?.as_str()));
                }
                match found.or(default.as_ref()).cloned() {
                    Some(item) => self.written(&item)?,
                    None => return wrong(format!("{name} has no entry and no default here")),
                }
            }
        };
        match value {
            Value::Number(q) if q.dimension == NUMBER => multiply(value, table.unit),
            _ => Ok(value),
        }
    }
}

pub fn number(value: f64, dimension: Dimension) -> Result<Value> {
    if value.is_nan() { wrong("the result is not a number (NaN)") } else { Ok(Value::Number(Quantity { value, dimension })) }
}

fn multiply(a: Value, b: Quantity) -> Result<Value> {
    match a {
        Value::Number(a) => number(a.value * b.value, a.dimension.times(b.dimension)),
        Value::Law(law, d) => Ok(Value::Law(Law { scale: law.scale * b.value, offset: law.offset * b.value, ..law }, d.times(b.dimension))),
    }
}

fn same(a: Dimension, b: Dimension) -> Result<()> {
    if a == b { Ok(()) } else { wrong(format!("one side is in {a}, the other in {b}")) }
}

fn binary(op: Operator, a: Value, b: Value) -> Result<Value> {
    use Operator::{Add, Div, Mul, Pow, Sub};
    match (op, a, b) {
        (Mul, Value::Law(..), Value::Number(q)) => multiply(a, q),
        (Mul, Value::Number(q), Value::Law(..)) => multiply(b, q),
        (Div, Value::Law(..), Value::Number(q)) => multiply(a, Quantity { value: 1.0 / q.value, dimension: NUMBER.over(q.dimension) }),
        (Add | Sub, Value::Law(law, d), Value::Number(q)) => {
            same(d, q.dimension)?;
            Ok(Value::Law(Law { offset: law.offset + if op == Add { q.value } else { -q.value }, ..law }, d))
        }
        (Add, Value::Number(_), Value::Law(..)) => binary(Add, b, a),
        (Sub, Value::Number(_), Value::Law(..)) => binary(Add, multiply(b, Quantity::number(-1.0))?, a),
        (_, Value::Number(a), Value::Number(b)) => match op {
            Mul => number(a.value * b.value, a.dimension.times(b.dimension)),
            Div => number(a.value / b.value, a.dimension.over(b.dimension)),
            Pow => {
                same(b.dimension, NUMBER)?;
                match a.dimension.to(b.value) {
                    Some(d) => number(libm::pow(a.value, b.value), d),
                    None => wrong(format!("{} cannot be raised to {}", a.dimension, b.value)),
                }
            }
            _ => {
                same(a.dimension, b.dimension)?;
                plain(op, a, b)
            }
        },
        _ => wrong("a value may hold one random draw, scaled and shifted: write it as a + b*draw"),
    }
}

fn plain(op: Operator, a: Quantity, b: Quantity) -> Result<Value> {
    let (x, y) = (a.value, b.value);
    let truth = |t: bool| number(f64::from(t), NUMBER);
    match op {
        Operator::Add => number(x + y, a.dimension),
        Operator::Sub => number(x - y, a.dimension),
        Operator::Less => truth(x < y),
        Operator::LessEqual => truth(x <= y),
        Operator::Greater => truth(x > y),
        Operator::GreaterEqual => truth(x >= y),
        Operator::Equal => truth(x == y),
        Operator::NotEqual => truth(x != y),
        Operator::And => truth(x != 0.0 && y != 0.0),
        _ => truth(x != 0.0 || y != 0.0),
    }
}

/// The law of a value that must have this dimension.
pub fn law(value: Value, dimension: Dimension) -> Result<Law> {
    let (law, found) = match value {
        Value::Number(q) => (Law::constant(q.value), q.dimension),
        Value::Law(law, d) => (law, d),
    };
    if found != dimension {
        let help = (found == NUMBER).then(|| format!("a bare number needs its unit, as in \"10 {dimension}\""));
        let expected = if dimension == NUMBER { dimension.to_string() } else { format!("a value in {dimension}") };
        return Err(Wrong(format!("expected {expected}, found {found}"), help));
    }
    if !(law.scale.is_finite() && law.offset.is_finite()) {
        return wrong("the value must be finite");
    }
    Ok(law)
}

/// A law by which something can be drawn.
pub fn sound(law: Law) -> Result<Law> {
    law.check().map_or_else(wrong, |()| Ok(law))
}

/// The number of a value that must have this dimension and no randomness.
pub fn plain_number(value: Value, dimension: Dimension) -> Result<f64> {
    let law = law(value, dimension)?;
    if law.kind == Kind::Constant { Ok(law.offset + law.scale) } else { wrong("a random draw has no place here") }
}

/// The least value that a law can give.
pub fn least(law: &Law) -> f64 {
    let (low, high) = match law.kind {
        Kind::Constant => (1.0, 1.0),
        Kind::Uniform { low, high } => (low, high),
        Kind::Normal { mean, sd: 0.0 } => (mean, mean),
        Kind::Normal { .. } => (f64::NEG_INFINITY, f64::INFINITY),
        Kind::Lognormal { .. } | Kind::Exponential { .. } => (0.0, f64::INFINITY),
    };
    let end = if law.scale >= 0.0 { low.max(law.low) } else { high.min(law.high) };
    if law.scale == 0.0 { law.offset } else { law.offset + law.scale * end }
}
