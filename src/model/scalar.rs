//! What each operation means, in f64 on the host. Knows no graph and no names.

use super::graph::Part;
use super::program::{Binary, Unary};

pub fn unary(op: Unary, x: f64) -> f64 {
    match op {
        Unary::Neg => -x,
        Unary::Recip => 1.0 / x,
        Unary::Sqrt => x.sqrt(),
        Unary::Exp => libm::exp(x),
        Unary::Expm1 => libm::expm1(x),
        Unary::Exprel if x.abs() < 1e-5 => 1.0 + x / 2.0 + x * x / 6.0,
        Unary::Exprel => libm::expm1(x) / x,
        Unary::Log => libm::log(x),
        Unary::Tanh => libm::tanh(x),
        Unary::Abs => x.abs(),
        Unary::Floor => x.floor(),
        Unary::Not => truth(x == 0.0),
    }
}

pub fn binary(op: Binary, x: f64, y: f64) -> f64 {
    match op {
        Binary::Add => x + y,
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Pow => libm::pow(x, y),
        Binary::Min => x.min(y),
        Binary::Max => x.max(y),
        Binary::Less => truth(x < y),
        Binary::LessEqual => truth(x <= y),
        Binary::Equal => truth(x == y),
        Binary::And => truth(x != 0.0 && y != 0.0),
        Binary::Or => truth(x != 0.0 || y != 0.0),
    }
}

pub fn part(part: Part, x: f64) -> f64 {
    let near = x as f32;
    let upper = f32::from_bits(near.to_bits() & 0xFFFF_F000);
    match part {
        Part::Rest => x - f64::from(near),
        Part::Upper => f64::from(upper),
        Part::Lower => f64::from(near - upper),
    }
}

fn truth(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}
