//! Functions of the model language: those that are built in, and those that a model defines. Knows no step order.

use super::expr::Expr;
use super::graph::{Graph, Id};
use super::program::{Binary, Unary};
use super::statement::Function;
use super::typed::{Fault, Names, Typed, build, fault, number, same};
use crate::base::problem::did_you_mean;
use crate::base::units::{NUMBER, RATE};

/// Functions of a bare number.
const ONE: [(&str, Unary); 6] = [
    ("exp", Unary::Exp),
    ("expm1", Unary::Expm1),
    ("exprel", Unary::Exprel),
    ("log", Unary::Log),
    ("tanh", Unary::Tanh),
    ("floor", Unary::Floor),
];

/// Names that no function of a model may take.
pub const RESERVED: [&str; 17] = [
    "exp", "expm1", "exprel", "log", "tanh", "floor", "sqrt", "abs", "min", "max", "clip", "rising", "peak", "normal", "uniform", "escape",
    "before",
];

pub fn call(expr: &Expr, name: &str, arguments: &[Expr], graph: &mut Graph, names: &Names) -> Typed {
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
        ("rising" | "peak", [x, level]) => crossing(expr, name == "rising", x, level, graph, names),
        ("before", [x]) => before(expr, x, graph, names),
        ("normal" | "uniform", [a, b]) => draw(expr, name == "normal", a, b, graph, names),
        ("escape", [rate]) => escape(expr, rate, graph, names),
        (_, [a]) if ONE.iter().any(|(n, _)| *n == name) => {
            let a = number(a, graph, names)?;
            let op = ONE.iter().find(|(n, _)| *n == name).map_or(Unary::Exp, |(_, op)| *op);
            Ok((graph.unary(op, a), NUMBER))
        }
        _ => match names.functions[..names.visible].iter().position(|f| f.name == name) {
            Some(k) => defined(expr, k, arguments, graph, names),
            None => Err(unknown(expr, name, arguments.len(), names)),
        },
    }
}

fn unknown(expr: &Expr, name: &str, arguments: usize, names: &Names) -> Fault {
    if RESERVED.contains(&name) {
        return fault(expr, format!("`{name}` does not take {arguments} arguments"));
    }
    let all = RESERVED.iter().copied().chain(names.functions[..names.visible].iter().map(|f| f.name.as_str()));
    let help = did_you_mean(name, all).unwrap_or_else(|| format!("functions are {}", RESERVED.join(", ")));
    fault(expr, format!("there is no function `{name}`")).help(help)
}

/// `before(x)`: as it was when the step, or the substep after which is tested, began.
fn before(expr: &Expr, x: &Expr, graph: &mut Graph, names: &Names) -> Typed {
    let Some(before) = &names.before else {
        return Err(fault(expr, "`before` belongs into a threshold, a reset, or an event"));
    };
    build(x, graph, &Names { now: before.clone(), before: None, ..names.clone() })
}

/// `rising(x, level)`: below it before the step, not below after. `peak(x, level)`: not below it, and lower than before the step.
fn crossing(expr: &Expr, rising: bool, x: &Expr, level: &Expr, graph: &mut Graph, names: &Names) -> Typed {
    let (Some(before), Some(_)) = (&names.before, names.span) else {
        let name = if rising { "rising" } else { "peak" };
        return Err(fault(expr, format!("`{name}` belongs into a threshold or the condition of an event")));
    };
    let (now, level_now, _) = same(expr, "compare", x, level, graph, names)?;
    let earlier = Names { now: before.clone(), before: None, ..names.clone() };
    let (old, _) = build(x, graph, &earlier)?;
    let above = graph.binary(Binary::LessEqual, level_now, now);
    let turned = if rising {
        let (level_then, _) = build(level, graph, &earlier)?;
        graph.binary(Binary::Less, old, level_then)
    } else {
        graph.binary(Binary::Less, now, old)
    };
    Ok((graph.binary(Binary::And, above, turned), NUMBER))
}

fn chance<'a>(expr: &Expr, names: &'a Names) -> Result<&'a Names, Fault> {
    if names.random { Ok(names) } else { Err(fault(expr, "nothing is drawn here").help("draws belong into equations, updates and events")) }
}

/// `normal(mean, sd)` and `uniform(low, high)`: a new draw for every neuron and step.
fn draw(expr: &Expr, normal: bool, a: &Expr, b: &Expr, graph: &mut Graph, names: &Names) -> Typed {
    let (a, b, d) = same(expr, "draw from", a, b, graph, chance(expr, names)?)?;
    let x = graph.draw(normal);
    let width = if normal { b } else { graph.binary(Binary::Sub, b, a) };
    let scaled = graph.mul(width, x);
    Ok((graph.add(a, scaled), d))
}

/// `escape(rate)`: true with the probability that an event of this rate happens within the time tested, 1 - exp(-rate h).
fn escape(expr: &Expr, rate: &Expr, graph: &mut Graph, names: &Names) -> Typed {
    let (id, d) = build(rate, graph, chance(expr, names)?)?;
    if d != RATE {
        return Err(fault(rate, format!("`escape` takes a rate in {RATE}, and this is {d}")).help("write a rate, as in `1/ms` or `20 Hz`"));
    }
    let Some(span) = names.span else {
        return Err(fault(expr, "`escape` belongs into a threshold or the condition of an event"));
    };
    let (h, x) = (graph.number(-span), graph.draw(false));
    let minus = graph.mul(h, id);
    let survival = graph.unary(Unary::Expm1, minus);
    let probability = graph.unary(Unary::Neg, survival);
    Ok((graph.binary(Binary::LessEqual, x, probability), NUMBER))
}

/// A function of the model, written out where it is called. It sees its arguments, the parameters and the functions before it.
fn defined(expr: &Expr, k: usize, arguments: &[Expr], graph: &mut Graph, names: &Names) -> Typed {
    let function: &Function = &names.functions[k];
    if function.arguments.len() != arguments.len() {
        let (due, given) = (function.arguments.len(), arguments.len());
        return Err(fault(expr, format!("`{}` takes {due} arguments, not {given}", function.name)));
    }
    let values: Vec<(Id, crate::base::units::Dimension)> = arguments.iter().map(|a| build(a, graph, names)).collect::<Result<_, _>>()?;
    let mut now = names.common.clone();
    now.extend(function.arguments.iter().cloned().zip(values.iter().copied()));
    let inner = Names { now, before: None, visible: k, ..names.clone() };
    build(&function.body, graph, &inner).map_err(|f| {
        let with: Vec<String> = function.arguments.iter().zip(&values).map(|(a, v)| format!("{a} in {}", v.1)).collect();
        let message = if f.spot.is_none() && !with.is_empty() { format!("{}, with {}", f.message, with.join(", ")) } else { f.message };
        Fault { message, spot: f.spot.or_else(|| Some(function.spot.clone())), ..f }
    })
}
