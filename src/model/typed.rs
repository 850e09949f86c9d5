//! Expressions get their meaning: names are resolved, dimensions checked, values put into the graph. Knows no step order.

use std::collections::HashMap;
use std::ops::Range;

use super::expr::{Expr, Node as Tree, Operator};
use super::graph::{Graph, Id};
use super::program::{Binary, Unary};
use crate::base::problem::did_you_mean;
use crate::base::units::{self, Dimension, NUMBER};

/// What is wrong with a text, where in it, and what would help.
#[derive(Clone, Debug)]
pub struct Fault {
    pub message: String,
    pub span: Range<usize>,
    pub help: Option<String>,
}

type Table = HashMap<String, (Id, Dimension)>;
type Typed = Result<(Id, Dimension), Fault>;

/// The names an expression may use.
#[derive(Clone, Default)]
pub struct Names {
    pub now: Table,
    /// The same names with the states before integration; only where `rising` and `peak` are allowed.
    pub before: Option<Table>,
}

fn fault(expr: &Expr, message: impl Into<String>) -> Fault {
    Fault { message: message.into(), span: expr.span.clone(), help: None }
}

pub fn build(expr: &Expr, graph: &mut Graph, names: &Names) -> Typed {
    match &expr.node {
        Tree::Number(x) => Ok((graph.number(*x), NUMBER)),
        Tree::Unit(x, unit) => match units::unit(unit) {
            Some(q) => Ok((graph.number(x * q.value), q.dimension)),
            None => Err(fault(expr, format!("`{unit}` is no unit"))),
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
        Tree::Call(name, arguments) => call(expr, name, arguments, graph, names),
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
    let help = did_you_mean(name, names.now.keys().map(String::as_str));
    Err(Fault { help, ..fault(expr, format!("`{name}` is not known here")) })
}

fn number(expr: &Expr, graph: &mut Graph, names: &Names) -> Result<Id, Fault> {
    let (id, d) = build(expr, graph, names)?;
    if d == NUMBER { Ok(id) } else { Err(fault(expr, format!("a bare number is due here, not {d}"))) }
}

fn same(expr: &Expr, verb: &str, a: &Expr, b: &Expr, graph: &mut Graph, names: &Names) -> Result<(Id, Id, Dimension), Fault> {
    let ((a, d), (b, other)) = (build(a, graph, names)?, build(b, graph, names)?);
    if d == other { Ok((a, b, d)) } else { Err(fault(expr, format!("cannot {verb} {d} and {other}"))) }
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
                return Err(fault(expr, "division by zero"));
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
    let dimension = dimension.ok_or_else(|| fault(expr, format!("{d} to this power has no unit")))?;
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

fn call(expr: &Expr, name: &str, arguments: &[Expr], graph: &mut Graph, names: &Names) -> Typed {
    const ONE: [(&str, Unary); 6] = [
        ("exp", Unary::Exp),
        ("expm1", Unary::Expm1),
        ("exprel", Unary::Exprel),
        ("log", Unary::Log),
        ("tanh", Unary::Tanh),
        ("floor", Unary::Floor),
    ];
    match (name, arguments) {
        ("sqrt", [a]) => {
            let (a, d) = build(a, graph, names)?;
            let root = d.to(0.5).ok_or_else(|| fault(expr, format!("the root of {d} has no unit")))?;
            Ok((graph.unary(Unary::Sqrt, a), root))
        }
        ("abs", [a]) => build(a, graph, names).map(|(a, d)| (graph.unary(Unary::Abs, a), d)),
        ("min" | "max", [a, b]) => {
            let (a, b, d) = same(expr, "compare", a, b, graph, names)?;
            Ok((graph.binary(if name == "min" { Binary::Min } else { Binary::Max }, a, b), d))
        }
        ("clip", [x, low, high]) => {
            let (x_id, low, d) = same(expr, "compare", x, low, graph, names)?;
            let (_, high, _) = same(expr, "compare", x, high, graph, names)?;
            let raised = graph.binary(Binary::Max, x_id, low);
            Ok((graph.binary(Binary::Min, raised, high), d))
        }
        ("rising" | "peak", [x, level]) => {
            let Some(before) = &names.before else {
                return Err(fault(expr, format!("`{name}` belongs into the threshold of a model")));
            };
            let (now, level, _) = same(expr, "compare", x, level, graph, names)?;
            let (old, _) = build(x, graph, &Names { now: before.clone(), before: None })?;
            let above = graph.binary(Binary::LessEqual, level, now);
            let turned = graph.binary(Binary::Less, if name == "rising" { old } else { now }, if name == "rising" { level } else { old });
            Ok((graph.binary(Binary::And, above, turned), NUMBER))
        }
        (_, [a]) if ONE.iter().any(|(n, _)| *n == name) => {
            let a = number(a, graph, names)?;
            let op = ONE.iter().find(|(n, _)| *n == name).map_or(Unary::Exp, |(_, op)| *op);
            Ok((graph.unary(op, a), NUMBER))
        }
        _ => {
            let known = ["sqrt", "abs", "min", "max", "clip", "rising", "peak"];
            let all = || known.iter().copied().chain(ONE.iter().map(|(n, _)| *n));
            let message = match all().any(|n| n == name) {
                true => format!("`{name}` does not take {} arguments", arguments.len()),
                false => format!("there is no function `{name}`"),
            };
            let help = all().all(|n| n != name).then(|| did_you_mean(name, all())).flatten();
            Err(Fault { help, ..fault(expr, message) })
        }
    }
}
