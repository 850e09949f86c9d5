//! What each operation does to a cell: plain loops over lanes, of a length that the compiler does not know and hence turns into
//! vectors; a loop over one group is unrolled into single lanes instead. Knows no code and no order.

use crate::base::math;
use crate::model::program::{Binary, Unary};

/// Lanes that loops take in whole turns: four vectors of AVX2.
pub const GROUP: usize = super::super::partition::GROUP as usize;
pub type Group = [f32; GROUP];

/// A value as an operation reads it.
#[derive(Clone, Copy)]
pub enum Operand<'a> {
    Cell(&'a [Group]),
    Uniform(f32),
}

// Counted loops: what goes through `for_each` may be left a call, and then has the narrowest vectors.

#[inline(always)]
fn map(to: &mut [Group], a: &[Group], f: impl Fn(f32) -> f32) {
    let to = to.as_flattened_mut();
    let a = &a.as_flattened()[..to.len()];
    for i in 0..to.len() {
        to[i] = f(a[i]);
    }
}

#[inline(always)]
fn both(to: &mut [Group], a: &[Group], b: &[Group], f: impl Fn(f32, f32) -> f32) {
    let to = to.as_flattened_mut();
    let (a, b) = (&a.as_flattened()[..to.len()], &b.as_flattened()[..to.len()]);
    for i in 0..to.len() {
        to[i] = f(a[i], b[i]);
    }
}

#[inline(always)]
fn every(to: &mut [Group], a: &[Group], b: &[Group], c: &[Group], f: impl Fn(f32, f32, f32) -> f32) {
    let to = to.as_flattened_mut();
    let (a, b, c) = (&a.as_flattened()[..to.len()], &b.as_flattened()[..to.len()], &c.as_flattened()[..to.len()]);
    for i in 0..to.len() {
        to[i] = f(a[i], b[i], c[i]);
    }
}

#[inline(always)]
fn zip(to: &mut [Group], a: Operand, b: Operand, f: impl Fn(f32, f32) -> f32 + Copy) {
    match (a, b) {
        (Operand::Cell(a), Operand::Cell(b)) => both(to, a, b, f),
        (Operand::Cell(a), Operand::Uniform(y)) => map(to, a, |x| f(x, y)),
        (Operand::Uniform(x), Operand::Cell(b)) => map(to, b, |y| f(x, y)),
        (Operand::Uniform(x), Operand::Uniform(y)) => to.fill([f(x, y); GROUP]),
    }
}

#[inline(always)]
pub fn copy(to: &mut [Group], a: Operand, flush: bool) {
    match (a, flush) {
        (Operand::Cell(a), false) => to.copy_from_slice(a),
        (Operand::Cell(a), true) => map(to, a, math::flush),
        (Operand::Uniform(x), false) => to.fill([x; GROUP]),
        (Operand::Uniform(x), true) => to.fill([math::flush(x); GROUP]),
    }
}

#[inline(always)]
pub fn flush(cell: &mut [Group]) {
    for x in cell.as_flattened_mut() {
        *x = math::flush(*x);
    }
}

/// By masks: written as a conditional, the compiler chooses between addresses, one lane at a time.
#[inline(always)]
fn chosen(condition: f32, yes: f32, no: f32) -> f32 {
    masked(mask(condition != 0.0), yes, no)
}

#[inline(always)]
fn mask(x: bool) -> u32 {
    if x { u32::MAX } else { 0 }
}

#[inline(always)]
fn masked(mask: u32, yes: f32, no: f32) -> f32 {
    f32::from_bits((yes.to_bits() & mask) | (no.to_bits() & !mask))
}

#[inline(always)]
pub fn select(to: &mut [Group], condition: &[Group], yes: Operand, no: Operand, flush: bool) {
    if flush { select_by(to, condition, yes, no, math::flush) } else { select_by(to, condition, yes, no, |x| x) }
}

#[inline(always)]
fn select_by(to: &mut [Group], condition: &[Group], yes: Operand, no: Operand, end: impl Fn(f32) -> f32) {
    match (yes, no) {
        (Operand::Cell(a), Operand::Cell(b)) => every(to, condition, a, b, |c, a, b| end(chosen(c, a, b))),
        (Operand::Cell(a), Operand::Uniform(y)) => both(to, condition, a, |c, x| end(chosen(c, x, y))),
        (Operand::Uniform(x), Operand::Cell(b)) => both(to, condition, b, |c, y| end(chosen(c, x, y))),
        (Operand::Uniform(x), Operand::Uniform(y)) => map(to, condition, |c| end(chosen(c, x, y))),
    }
}

/// `a * b + c`, each rounded. The sign of the product and that of `c` are turned by factors of 1 and -1, which are exact.
#[inline(always)]
pub fn mul_add(to: &mut [Group], a: Operand, b: Operand, c: Operand, [product, addend]: [f32; 2], flush: bool) {
    let f = |x: f32, y: f32, z: f32| product * (x * y) + addend * z;
    match (a, b) {
        (Operand::Cell(a), Operand::Cell(b)) => three(to, a, b, c, f, flush),
        (Operand::Uniform(x), Operand::Cell(b)) => two(to, b, c, |y, z| f(x, y, z), flush),
        (Operand::Cell(a), Operand::Uniform(y)) => two(to, a, c, |x, z| f(x, y, z), flush),
        (Operand::Uniform(x), Operand::Uniform(y)) => zip(to, Operand::Uniform(x), c, |x, z| {
            let sum = f(x, y, z);
            if flush { math::flush(sum) } else { sum }
        }),
    }
}

#[inline(always)]
fn two(to: &mut [Group], a: &[Group], c: Operand, f: impl Fn(f32, f32) -> f32 + Copy, flush: bool) {
    if flush { zip(to, Operand::Cell(a), c, |x, z| math::flush(f(x, z))) } else { zip(to, Operand::Cell(a), c, f) }
}

#[inline(always)]
fn three(to: &mut [Group], a: &[Group], b: &[Group], c: Operand, f: impl Fn(f32, f32, f32) -> f32, flush: bool) {
    match c {
        Operand::Uniform(z) => both(to, a, b, |x, y| f(x, y, z)),
        Operand::Cell(c) => every(to, a, b, c, f),
    }
    if flush {
        self::flush(to);
    }
}

/// The first product, then the others added in order.
#[inline(always)]
pub fn linear<const N: usize>(to: &mut [Group], factors: [f32; N], cells: [&[Group]; N], flush: bool) {
    if flush { linear_by(to, factors, cells, math::flush) } else { linear_by(to, factors, cells, |x| x) }
}

#[inline(always)]
fn linear_by<const N: usize>(to: &mut [Group], factors: [f32; N], cells: [&[Group]; N], end: impl Fn(f32) -> f32) {
    let to = to.as_flattened_mut();
    let mut lanes: [&[f32]; N] = [&[]; N];
    for k in 0..N {
        lanes[k] = &cells[k].as_flattened()[..to.len()];
    }
    for i in 0..to.len() {
        let mut sum = factors[0] * lanes[0][i];
        for k in 1..N {
            sum += factors[k] * lanes[k][i];
        }
        to[i] = end(sum);
    }
}

/// Threshold, reset and refractory time (`Code::Fire`); whether any lane has reached the threshold.
#[inline(always)]
pub fn fire(hit: &mut [Group], v: &mut [Group], left: &mut [Group], from: &[Group], [threshold, reset, steps]: [f32; 3]) -> bool {
    let hit = hit.as_flattened_mut();
    let (v, left) = (&mut v.as_flattened_mut()[..hit.len()], &mut left.as_flattened_mut()[..hit.len()]);
    let from = &from.as_flattened()[..hit.len()];
    let mut any = 0;
    for i in 0..hit.len() {
        let free = mask(left[i] < 0.5);
        let now = masked(free, from[i], v[i]);
        let fires = mask(threshold <= now) & free;
        let rest = left[i] - 1.0;
        let rest = f32::from_bits(mask(0.0 < rest) & rest.to_bits());
        hit[i] = f32::from_bits(fires & 1.0f32.to_bits());
        v[i] = math::flush(masked(fires, reset, now));
        left[i] = math::flush(masked(fires, steps, rest));
        // Counted by ones: a mask would be seen as a choice, which keeps the loop from being turned into vectors.
        any += fires & 1;
    }
    any != 0
}

/// A state that decays and takes what arrives (`Code::Filter`).
#[inline(always)]
pub fn filter(state: &mut [Group], sums: &mut [i32], own: [f32; 2], gain: f32, quantum: f32) {
    let state = state.as_flattened_mut();
    let sums = &mut sums[..state.len()];
    for i in 0..state.len() {
        let arrived = sums[i] as f32 * quantum;
        state[i] = math::flush((own[0] * state[i] + own[1] * state[i]) + gain * arrived);
        sums[i] = 0;
    }
}

/// Whether any lane is not zero.
#[inline(always)]
pub fn any(cell: &[Group]) -> bool {
    cell.as_flattened().iter().fold(0, |any, x| any | x.to_bits() << 1) != 0
}

#[inline(always)]
fn truth(x: bool) -> f32 {
    if x { 1.0 } else { 0.0 }
}

#[inline(always)]
pub fn unary(op: Unary, to: &mut [Group], a: &[Group]) {
    match op {
        Unary::Neg => map(to, a, |x| -x),
        Unary::Recip => map(to, a, math::recip),
        Unary::Sqrt => map(to, a, math::sqrt),
        Unary::Exp => map(to, a, math::exp),
        Unary::Expm1 => map(to, a, math::expm1),
        Unary::Exprel => map(to, a, math::exprel),
        Unary::Log => map(to, a, math::log),
        Unary::Tanh => map(to, a, math::tanh),
        Unary::Abs => map(to, a, f32::abs),
        Unary::Floor => map(to, a, f32::floor),
        Unary::Not => map(to, a, |x| truth(x == 0.0)),
    }
}

#[inline(always)]
pub fn binary(op: Binary, to: &mut [Group], a: Operand, b: Operand) {
    match op {
        Binary::Add => zip(to, a, b, |x, y| x + y),
        Binary::Sub => zip(to, a, b, |x, y| x - y),
        Binary::Mul => zip(to, a, b, |x, y| x * y),
        Binary::Pow => zip(to, a, b, math::pow),
        Binary::Min => zip(to, a, b, |x, y| if y < x { y } else { x }),
        Binary::Max => zip(to, a, b, |x, y| if x < y { y } else { x }),
        Binary::Less => zip(to, a, b, |x, y| truth(x < y)),
        Binary::LessEqual => zip(to, a, b, |x, y| truth(x <= y)),
        Binary::Equal => zip(to, a, b, |x, y| truth(x == y)),
        Binary::And => zip(to, a, b, |x, y| truth(x != 0.0 && y != 0.0)),
        Binary::Or => zip(to, a, b, |x, y| truth(x != 0.0 || y != 0.0)),
    }
}

/// The operation on one value.
pub fn unary_of(op: Unary, x: f32) -> f32 {
    let mut to = [[0.0; GROUP]];
    unary(op, &mut to, &[[x; GROUP]]);
    to[0][0]
}

pub fn binary_of(op: Binary, x: f32, y: f32) -> f32 {
    let mut to = [[0.0; GROUP]];
    binary(op, &mut to, Operand::Uniform(x), Operand::Uniform(y));
    to[0][0]
}
