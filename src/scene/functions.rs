//! Functions of the expressions of a scene. Knows no names but its own.

use super::value::{Result, Value, Wrong, number, wrong};
use crate::base::problem::did_you_mean;
use crate::base::units::{Dimension, NUMBER, Quantity};
use crate::network::{Kind, Law};

const NAMES: [&str; 17] = [
    "sqrt",
    "log",
    "exp",
    "round",
    "floor",
    "ceil",
    "abs",
    "min",
    "max",
    "normal",
    "uniform",
    "lognormal",
    "exponential",
    "redraw",
    "clip",
    "tanh",
    "sum",
];

pub fn call(name: &str, args: &[Value]) -> Result<Value> {
    if !NAMES.contains(&name) {
        return Err(Wrong(format!("no function is named `{name}`"), did_you_mean(name, NAMES)));
    }
    if let ("redraw" | "clip", [Value::Law(law, d), low, high]) = (name, args) {
        return cut(*law, *d, bound(low, *d)?, bound(high, *d)?, name == "clip");
    }
    let plain = args
        .iter()
        .map(|a| match a {
            Value::Number(q) => Ok(*q),
            Value::Law(..) => wrong(format!("{name} of a random draw: only scaling, shifting, redraw and clip are possible")),
        })
        .collect::<Result<Vec<Quantity>>>()?;
    of_numbers(name, &plain)
}

fn of_numbers(name: &str, args: &[Quantity]) -> Result<Value> {
    match (name, args) {
        ("sqrt", [a]) => match a.dimension.to(0.5) {
            Some(d) => number(libm::sqrt(a.value), d),
            None => wrong(format!("the root of {}", a.dimension)),
        },
        ("round" | "floor" | "ceil" | "abs", [a]) => {
            let f = match name {
                "round" => libm::round,
                "floor" => libm::floor,
                "ceil" => libm::ceil,
                _ => libm::fabs,
            };
            number(f(a.value), a.dimension)
        }
        ("log" | "exp" | "tanh", [a]) => {
            if a.dimension != NUMBER {
                return wrong(format!("{name} takes a bare number, not {}", a.dimension));
            }
            number(
                if name == "log" {
                    libm::log(a.value)
                } else if name == "exp" {
                    libm::exp(a.value)
                } else {
                    libm::tanh(a.value)
                },
                NUMBER,
            )
        }
        ("min" | "max", [a, b]) => {
            alike(a, b)?;
            number(if name == "min" { a.value.min(b.value) } else { a.value.max(b.value) }, a.dimension)
        }
        ("redraw" | "clip", [a, low, high]) => {
            let (low, high) = (bound(&Value::Number(*low), a.dimension)?, bound(&Value::Number(*high), a.dimension)?);
            number(a.value.max(low).min(high), a.dimension)
        }
        ("normal", [mean, sd]) => {
            alike(mean, sd)?;
            random(Kind::Normal { mean: mean.value, sd: sd.value }, mean.dimension)
        }
        ("uniform", [low, high]) => {
            alike(low, high)?;
            random(Kind::Uniform { low: low.value, high: high.value }, low.dimension)
        }
        ("lognormal", [mu, sigma]) => {
            alike(mu, &Quantity::number(0.0))?;
            alike(sigma, &Quantity::number(0.0))?;
            random(Kind::Lognormal { mu: mu.value, sigma: sigma.value }, NUMBER)
        }
        ("exponential", [mean]) => random(Kind::Exponential { mean: mean.value }, mean.dimension),
        _ => wrong(format!("{name} does not take {} values", args.len())),
    }
}

fn alike(a: &Quantity, b: &Quantity) -> Result<()> {
    if a.dimension == b.dimension { Ok(()) } else { wrong(format!("one value is in {}, the other in {}", a.dimension, b.dimension)) }
}

fn random(kind: Kind, dimension: Dimension) -> Result<Value> {
    Ok(Value::Law(Law::of(kind, 1.0, 0.0), dimension))
}

/// A bound of a cut; a bare 0 or inf goes with every dimension.
fn bound(value: &Value, dimension: Dimension) -> Result<f64> {
    match value {
        Value::Number(q) if q.dimension == dimension || (q.dimension == NUMBER && (q.value == 0.0 || q.value.is_infinite())) => Ok(q.value),
        Value::Number(q) => wrong(format!("the bound is in {}, the draw in {dimension}", q.dimension)),
        Value::Law(..) => wrong("a bound cannot be random"),
    }
}

fn cut(law: Law, dimension: Dimension, low: f64, high: f64, clip: bool) -> Result<Value> {
    if law.low.is_finite() || law.high.is_finite() {
        return wrong("a draw can be redrawn or clipped once");
    }
    if low > high {
        return wrong(format!("the bounds {low} and {high} are in the wrong order"));
    }
    if law.scale == 0.0 {
        return Ok(Value::Law(Law { clip, ..law }, dimension));
    }
    let (a, b) = ((low - law.offset) / law.scale, (high - law.offset) / law.scale);
    Ok(Value::Law(Law { low: a.min(b), high: a.max(b), clip, ..law }, dimension))
}
