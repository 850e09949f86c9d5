//! Expressions get their meaning: names are resolved, dimensions checked, values put into the graph. Knows no step order.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::calls;
use super::expr::{Expr, Node as Tree, Operator};
use super::graph::{Graph, Id};
use super::program::{Binary, Unary};
use super::statement::{Function, Spot};
use crate::base::problem::did_you_mean;
use crate::base::units::{self, Dimension, NUMBER};

/// What is wrong with a text, where in it, and what would help.
#[derive(Clone, Debug)]
pub struct Fault {
    pub message: String,
    pub span: Range<usize>,
    pub help: Option<String>,
    /// Where the text stands, if it is another one than that which was read: the body of a function.
    pub spot: Option<Spot>,
}

impl Fault {
    pub fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: message.into(), span, help: None, spot: None }
    }

    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// A text may not stand for more terms than this, functions written out.
const LARGEST: u32 = 50_000;

pub type Table = HashMap<String, (Id, Dimension)>;
pub type Typed = Result<(Id, Dimension), Fault>;

/// The names an expression may use.
#[derive(Clone, Default)]
pub struct Names {
    pub now: Table,
    /// The same names with the states before integration; only where `rising` and `peak` are allowed.
    pub before: Option<Table>,
    /// Whether random draws and white noise have a meaning here.
    pub random: bool,
    /// The length of the step or substep over which a condition is tested, in ms; none where nothing is tested.
    pub span: Option<f64>,
    pub functions: Arc<[Function]>,
    /// How many of the functions may be called: a body sees those before it.
    pub visible: usize,
    /// What the body of a function sees besides its arguments.
    pub common: Table,
}

pub fn fault(expr: &Expr, message: impl Into<String>) -> Fault {
    Fault::new(message, expr.span.clone())
}

pub fn build(expr: &Expr, graph: &mut Graph, names: &Names) -> Typed {
    graph.terms += 1;
    if graph.terms > LARGEST {
        return Err(fault(expr, format!("the model has over {LARGEST} terms, functions written out")));
    }
    match &expr.node {
        Tree::Number(x) => Ok((graph.number(*x), NUMBER)),
        Tree::Unit(x, unit) => match units::unit(unit) {
            Some(q) => Ok((graph.number(x * q.value), q.dimension)),
            None => Err(fault(expr, format!("`{unit}` is no unit"))
                .help("units are s, Hz, V, A, F, S, ohm, m, K, mol with prefixes, as in `10 mV`; a product needs `*`")),
        },
        Tree::Name(name) => lookup(expr, name, graph, names),
        Tree::Neg(a) => build(a, graph, names).map(|(a, d)| (graph.unary(Unary::Neg, a), d)),
        Tree::Not(a) => {
            let a = number(a, graph, names)?;
            Ok((graph.unary(Unary::Not, a), NUMBER))
        }
        Tree::Binary(op, a, b) => operator(expr, *op, a, b, graph, names),
        Tree::If(c, a, b) => {
            let c = number(c, graph, names)?;
            let (a, b, d) = same(expr, "choose between", a, b, graph, names)?;
            Ok((graph.select(c, a, b), d))
        }
        Tree::Call(name, arguments) => calls::call(expr, name, arguments, graph, names),
        Tree::Index(name, _) => Err(fault(expr, format!("`{name}[...]`: a model has no tables"))),
    }
}

fn lookup(expr: &Expr, name: &str, graph: &mut Graph, names: &Names) -> Typed {
    if let Some(found) = names.now.get(name) {
        return Ok(*found);
    }
    match name {
        "e" => return Ok((graph.number(std::f64::consts::E), NUMBER)),
        "pi" => return Ok((graph.number(std::f64::consts::PI), NUMBER)),
        _ => {}
    }
    if let Some(unit) = units::unit(name) {
        return Ok((graph.number(unit.value), unit.dimension));
    }
    if name == "xi" || name.starts_with("xi_") {
        return Err(fault(expr, format!("`{name}`, white noise, belongs into the equations of a model")));
    }
    let mut known: Vec<&str> = names.now.keys().map(String::as_str).collect();
    known.sort_unstable();
    let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| {
        let more = if known.len() > 12 { ", ..." } else { "" };
        format!("known are {}{more}", known.into_iter().take(12).collect::<Vec<_>>().join(", "))
    });
    Err(fault(expr, format!("`{name}` is not known here")).help(help))
}

pub fn number(expr: &Expr, graph: &mut Graph, names: &Names) -> Result<Id, Fault> {
    let (id, d) = build(expr, graph, names)?;
    let wrong = || fault(expr, format!("a bare number is due here, not {d}")).help(format!("divide by a value in {d}"));
    if d == NUMBER { Ok(id) } else { Err(wrong()) }
}

/// What would make the two dimensions one.
fn remedy(a: Dimension, b: Dimension) -> String {
    match (a == NUMBER, b == NUMBER) {
        (true, _) => format!("give the bare number a unit: {b} is due"),
        (_, true) => format!("give the bare number a unit: {a} is due"),
        _ => format!("the first is the second times {}: is a factor missing?", a.over(b)),
    }
}

pub fn same(expr: &Expr, verb: &str, a: &Expr, b: &Expr, graph: &mut Graph, names: &Names) -> Result<(Id, Id, Dimension), Fault> {
    let ((a, d), (b, other)) = (build(a, graph, names)?, build(b, graph, names)?);
    if d == other { Ok((a, b, d)) } else { Err(fault(expr, format!("cannot {verb} {d} and {other}")).help(remedy(d, other))) }
}

fn operator(expr: &Expr, op: Operator, a: &Expr, b: &Expr, graph: &mut Graph, names: &Names) -> Typed {
    match op {
        Operator::Add | Operator::Sub => {
            let (verb, op) = if op == Operator::Add { ("add", Binary::Add) } else { ("subtract", Binary::Sub) };
            let (a, b, d) = same(expr, verb, a, b, graph, names)?;
            Ok((graph.binary(op, a, b), d))
        }
        Operator::Mul | Operator::Div => {
            let ((a, x), (b, y)) = (build(a, graph, names)?, build(b, graph, names)?);
            if op == Operator::Mul {
                return Ok((graph.mul(a, b), x.times(y)));
            }
            if graph.constant(b) == Some(0.0) {
                return Err(fault(expr, "division by zero").help("divide by something else"));
            }
            let inverse = graph.unary(Unary::Recip, b);
            Ok((graph.mul(a, inverse), x.over(y)))
        }
        Operator::Pow => power(expr, a, b, graph, names),
        Operator::And | Operator::Or => {
            let (a, b) = (number(a, graph, names)?, number(b, graph, names)?);
            Ok((graph.binary(if op == Operator::And { Binary::And } else { Binary::Or }, a, b), NUMBER))
        }
        _ => {
            let (a, b, _) = same(expr, "compare", a, b, graph, names)?;
            let id = match op {
                Operator::Less => graph.binary(Binary::Less, a, b),
                Operator::LessEqual => graph.binary(Binary::LessEqual, a, b),
                Operator::Greater => graph.binary(Binary::Less, b, a),
                Operator::GreaterEqual => graph.binary(Binary::LessEqual, b, a),
                Operator::Equal => graph.binary(Binary::Equal, a, b),
                _ => {
                    let equal = graph.binary(Binary::Equal, a, b);
                    graph.unary(Unary::Not, equal)
                }
            };
            Ok((id, NUMBER))
        }
    }
}

fn power(expr: &Expr, base: &Expr, exponent: &Expr, graph: &mut Graph, names: &Names) -> Typed {
    let (a, d) = build(base, graph, names)?;
    let b = number(exponent, graph, names)?;
    let constant = graph.constant(b);
    let dimension = match constant {
        _ if d == NUMBER => Some(NUMBER),
        Some(p) => d.to(p),
        None => None,
    };
    let dimension = dimension.ok_or_else(|| {
        fault(expr, format!("{d} to this power has no unit")).help("make the base a bare number, or the power a constant")
    })?;
    let id = match constant {
        Some(p) if p == p.trunc() && p.abs() <= 16.0 => {
            let one = graph.number(1.0);
            let positive = (0..p.abs() as usize).fold(one, |so_far, _| graph.mul(so_far, a));
            if p < 0.0 { graph.unary(Unary::Recip, positive) } else { positive }
        }
        Some(0.5) => graph.unary(Unary::Sqrt, a),
        _ => graph.binary(Binary::Pow, a, b),
    };
    Ok((id, dimension))
}
