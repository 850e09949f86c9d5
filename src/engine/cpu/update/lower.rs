//! Program -> codes: sums of products become one code each, uniform values are computed at once. What each value is made of,
//! and in which order, stays as it was, so the bits do. Knows no block.

use super::code::{Code, Place, Signs};
use super::lanes;
use crate::model::program::{Binary, Op, Reg, Stmt};
use crate::plan::{Number, PopulationPlan};

/// Products that one code adds up at most.
pub const TERMS: usize = 6;

/// A program as codes.
pub struct Lowered {
    /// Temporary cells are still numbered by register.
    pub codes: Vec<Code>,
    /// The coefficients that differ from neuron to neuron, in order of their cells.
    pub columns: Vec<usize>,
    /// The temporary cell whose lanes are one, always, if any code reads it.
    pub ones: u32,
}

/// The program of a population of whose inputs some are `fed`; the others are zero in every step.
pub fn lower(plan: &PopulationPlan, fed: &[usize]) -> Lowered {
    let program = &plan.program;
    let registers = program.registers as usize;
    let mut lowering = Lowering {
        plan,
        fed,
        facts: vec![Fact::default(); registers],
        places: vec![Place::Uniform(0.0); registers],
        columns: Vec::new(),
        first_column: program.states + fed.len() as u32,
        codes: Vec::new(),
        ones: program.registers,
        temps: program.registers + 1,
    };
    lowering.survey(&program.body, &mut 0);
    lowering.absorb();
    lowering.body(&program.body);
    lowering.finish();
    Lowered { codes: lowering.codes, columns: lowering.columns, ones: lowering.ones }
}

/// What is known of a register before codes are made.
#[derive(Clone, Copy)]
struct Fact {
    op: Op,
    /// Stretch of the program without a store, a loop or a condition.
    segment: u32,
    uses: u32,
    /// The only operation that uses it, in the same segment.
    user: Option<Reg>,
    /// Part of the sum that its user makes.
    absorbed: bool,
}

impl Default for Fact {
    fn default() -> Self {
        Self { op: Op::Const(0.0), segment: u32::MAX, uses: 0, user: None, absorbed: false }
    }
}

struct Lowering<'a> {
    plan: &'a PopulationPlan,
    fed: &'a [usize],
    facts: Vec<Fact>,
    places: Vec<Place>,
    columns: Vec<usize>,
    first_column: u32,
    codes: Vec<Code>,
    /// A temporary cell of ones, the factor of plain constants in sums.
    ones: u32,
    /// Temporary cells so far.
    temps: u32,
}

impl Lowering<'_> {
    fn survey(&mut self, body: &[Stmt], segment: &mut u32) {
        for stmt in body {
            match stmt {
                Stmt::Let(reg, op) => {
                    let fact = &mut self.facts[*reg as usize];
                    (fact.op, fact.segment) = (*op, *segment);
                    operands(op).into_iter().for_each(|r| self.used(r, Some(*reg), *segment));
                }
                Stmt::SetState(_, r) | Stmt::Spike(r) => {
                    self.used(*r, None, u32::MAX);
                    *segment += 1;
                }
                Stmt::Repeat(_, inner) => {
                    *segment += 1;
                    self.survey(inner, segment);
                    *segment += 1;
                }
                Stmt::When(r, inner) => {
                    self.used(*r, None, u32::MAX);
                    *segment += 1;
                    self.survey(inner, segment);
                    *segment += 1;
                }
            }
        }
    }

    fn used(&mut self, reg: Reg, by: Option<Reg>, segment: u32) {
        let fact = &mut self.facts[reg as usize];
        let near = fact.segment == segment;
        fact.uses += 1;
        fact.user = by.filter(|_| near && fact.uses == 1);
        if !near {
            // Used where the states may have changed.
            fact.segment = u32::MAX;
        }
    }

    /// Finds the sums and products that go into a larger sum.
    fn absorb(&mut self) {
        for r in 0..self.facts.len() {
            let Some(user) = self.facts[r].user else { continue };
            let Op::Binary(op @ (Binary::Add | Binary::Sub), x, y) = self.facts[user as usize].op else { continue };
            let other = if x as usize == r { y } else { x };
            let taken = self.is_sum(other) && self.facts[other as usize].user == Some(user);
            // `x - (y + z)` is not `-y - z + x` where the sign of a zero counts.
            let takes_sum = self.is_sum(r as Reg) && (x as usize == r || op == Binary::Add && !taken);
            self.facts[r].absorbed = x != y && self.is_sum(user) && (takes_sum || self.is_product(r as Reg));
        }
    }

    fn uniform(&self, reg: Reg) -> Option<f32> {
        match self.facts[reg as usize].op {
            Op::Const(x) => Some(x),
            Op::Coefficient(c) => match self.plan.coefficients[c as usize] {
                Number::Uniform(x) => Some(x),
                Number::Column(_) => None,
            },
            _ => None,
        }
    }

    /// A uniform number times a value.
    fn is_product(&self, reg: Reg) -> bool {
        let Op::Binary(Binary::Mul, a, b) = self.facts[reg as usize].op else { return false };
        self.uniform(a).is_some() != self.uniform(b).is_some()
    }

    /// A sum of uniform multiples of values.
    fn is_sum(&self, reg: Reg) -> bool {
        let Op::Binary(Binary::Add | Binary::Sub, a, b) = self.facts[reg as usize].op else { return false };
        self.mixed(a, b, reg).is_none() && (self.uniform(a).is_none() || self.uniform(b).is_none())
    }

    /// An operand that is a product of two values, and is used by `user` alone.
    fn mixed(&self, a: Reg, b: Reg, user: Reg) -> Option<Reg> {
        [a, b].into_iter().find(|r| {
            let fact = &self.facts[*r as usize];
            let Op::Binary(Binary::Mul, x, y) = fact.op else { return false };
            fact.user == Some(user) && a != b && self.uniform(x).is_none() && self.uniform(y).is_none()
        })
    }

    fn body(&mut self, body: &[Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::Let(reg, op) => self.operation(*reg, *op),
                Stmt::SetState(s, r) => {
                    let a = self.places[*r as usize];
                    self.codes.push(Code::Copy { to: Place::Cell(*s), a });
                }
                Stmt::Spike(r) => self.codes.push(Code::Spike { a: self.places[*r as usize] }),
                Stmt::Repeat(turns, inner) => {
                    self.codes.push(Code::Loop { turns: *turns });
                    self.body(inner);
                    self.codes.push(Code::Again);
                }
                Stmt::When(r, inner) => {
                    let at = self.codes.len();
                    self.codes.push(Code::Skip { a: self.places[*r as usize], codes: 0 });
                    self.body(inner);
                    let codes = (self.codes.len() - at - 1) as u32;
                    self.codes[at] = Code::Skip { a: self.places[*r as usize], codes };
                }
            }
        }
    }

    fn operation(&mut self, reg: Reg, op: Op) {
        let fact = self.facts[reg as usize];
        if fact.absorbed {
            return;
        }
        let to = Place::Temp(reg);
        let at = |me: &Self, r: Reg| me.places[r as usize];
        let code = match op {
            Op::Const(_) | Op::Coefficient(_) => {
                self.places[reg as usize] = self.coefficient(reg, op);
                return;
            }
            // Read where it stands, if it stays the same as long as it is used.
            Op::State(s) if fact.segment != u32::MAX => {
                self.places[reg as usize] = Place::Cell(s);
                return;
            }
            Op::State(s) => Code::Copy { to, a: Place::Cell(s) },
            Op::Input(i) => {
                let cell = self.fed.iter().position(|f| *f == i as usize).map(|k| Place::Cell(self.plan.program.states + k as u32));
                self.places[reg as usize] = cell.unwrap_or(Place::Uniform(0.0));
                return;
            }
            Op::Receptor(r) => Code::Take { to, receptor: r, kept: true },
            Op::Normal(n) => Code::Normal { to, number: n },
            Op::Uniform(n) => Code::Even { to, number: n },
            Op::Unary(u, a) => Code::Unary { op: u, to, a: at(self, a) },
            Op::Select(c, a, b) => Code::Select { to, condition: at(self, c), a: at(self, a), b: at(self, b) },
            Op::Binary(b, x, y) => self.binary(b, reg, x, y),
        };
        self.places[reg as usize] = to;
        match code {
            Code::Unary { op, a: Place::Uniform(x), .. } => self.places[reg as usize] = Place::Uniform(lanes::unary_of(op, x)),
            Code::Binary { op, a: Place::Uniform(x), b: Place::Uniform(y), .. } => {
                self.places[reg as usize] = Place::Uniform(lanes::binary_of(op, x, y));
            }
            Code::Select { condition: Place::Uniform(c), a, b, .. } => {
                self.codes.push(Code::Copy { to, a: if c != 0.0 { a } else { b } });
            }
            code => self.codes.push(code),
        }
    }

    fn coefficient(&mut self, reg: Reg, op: Op) -> Place {
        if let Some(x) = self.uniform(reg) {
            return Place::Uniform(x);
        }
        let Op::Coefficient(c) = op else { return Place::Uniform(0.0) };
        self.columns.push(c as usize);
        Place::Cell(self.first_column + self.columns.len() as u32 - 1)
    }

    fn binary(&mut self, op: Binary, reg: Reg, x: Reg, y: Reg) -> Code {
        let to = Place::Temp(reg);
        let (a, b) = (self.places[x as usize], self.places[y as usize]);
        let plain = Code::Binary { op, to, a, b };
        if !matches!(op, Binary::Add | Binary::Sub) {
            return plain;
        }
        if let Some(product) = self.mixed(x, y, reg) {
            return self.mul_add(op, to, product, x, y);
        }
        let absorbs = |r: Reg| self.facts[r as usize].absorbed;
        if !absorbs(x) && !absorbs(y) {
            return plain;
        }
        let mut terms = Vec::new();
        self.terms(reg, 1.0, &mut terms);
        self.linear(to, terms)
    }

    fn mul_add(&mut self, op: Binary, to: Place, product: Reg, x: Reg, y: Reg) -> Code {
        let other = if product == x { y } else { x };
        let signs = match (op, product == x) {
            (Binary::Add, _) => Signs::Plus,
            (_, true) => Signs::MinusC,
            (_, false) => Signs::MinusProduct,
        };
        let c = self.places[other as usize];
        // The product moves to where it is used: nothing is stored in between.
        let at = self.codes.iter().rposition(|code| code.to() == Some(Place::Temp(product)));
        match at.map(|at| (at, &self.codes[at])) {
            Some((at, &Code::Binary { a, b, .. })) => {
                self.codes.remove(at);
                Code::MulAdd { to, a, b, c, signs }
            }
            _ => Code::Binary { op, to, a: self.places[x as usize], b: self.places[y as usize] },
        }
    }

    /// The terms of a sum in the order in which they are added: that of `x + (y + z)` is y, z, x, since `a + b` is `b + a`.
    fn terms(&self, reg: Reg, sign: f32, out: &mut Vec<(f32, Place)>) {
        let fact = &self.facts[reg as usize];
        match fact.op {
            Op::Binary(op @ (Binary::Add | Binary::Sub), x, y) => {
                let other = if op == Binary::Sub { -sign } else { sign };
                let nested = |r: Reg| self.facts[r as usize].absorbed && self.is_sum(r);
                if nested(y) && !nested(x) {
                    self.terms(y, other, out);
                    self.term(x, sign, out);
                } else {
                    if nested(x) {
                        self.terms(x, sign, out)
                    } else {
                        self.term(x, sign, out)
                    }
                    self.term(y, other, out);
                }
            }
            _ => self.term(reg, sign, out),
        }
    }

    /// One product. `-(u x)` is `(-u) x`, and `x` is `1 x`, to the bit.
    fn term(&self, reg: Reg, sign: f32, out: &mut Vec<(f32, Place)>) {
        if let (true, Op::Binary(Binary::Mul, a, b)) = (self.facts[reg as usize].absorbed, self.facts[reg as usize].op) {
            let (u, x) = if let Some(u) = self.uniform(a) { (u, b) } else { (self.uniform(b).unwrap_or(1.0), a) };
            return self.value(sign * u, x, out);
        }
        self.value(sign, reg, out);
    }

    fn value(&self, factor: f32, reg: Reg, out: &mut Vec<(f32, Place)>) {
        match self.places[reg as usize] {
            Place::Uniform(x) => out.push((factor * x, Place::Temp(self.ones))),
            place => out.push((factor, place)),
        }
    }

    /// Longer sums in pieces, each in a cell of its own: no code reads the cell that it writes.
    fn linear(&mut self, to: Place, terms: Vec<(f32, Place)>) -> Code {
        let mut rest = terms;
        while rest.len() > TERMS {
            let tail = rest.split_off(TERMS);
            let piece = Place::Temp(self.temps);
            self.temps += 1;
            self.codes.push(Code::Linear { to: piece, terms: rest });
            rest = vec![(1.0, piece)];
            rest.extend(tail);
        }
        Code::Linear { to, terms: rest }
    }

    /// The end of a step: sums are cleared where they are read last, states are flushed.
    fn finish(&mut self) {
        let depth = |codes: &[Code], end: usize| {
            codes[..end].iter().filter(|c| matches!(c, Code::Loop { .. })).count()
                > codes[..end].iter().filter(|c| matches!(c, Code::Again)).count()
        };
        for receptor in 0..self.plan.program.receptors {
            let takes: Vec<usize> =
                (0..self.codes.len()).filter(|i| matches!(self.codes[*i], Code::Take { receptor: r, .. } if r == receptor)).collect();
            match takes[..] {
                [only] if !depth(&self.codes, only) && !self.skipped(only) => {
                    if let Code::Take { kept, .. } = &mut self.codes[only] {
                        *kept = false;
                    }
                }
                _ => self.codes.push(Code::Clear { receptor }),
            }
        }
        (0..self.plan.program.states).for_each(|s| self.codes.push(Code::Flush { a: Place::Cell(s) }));
    }

    /// Whether a code may be left out.
    fn skipped(&self, at: usize) -> bool {
        (0..at).any(|i| matches!(self.codes[i], Code::Skip { codes, .. } if i + codes as usize >= at))
    }
}

fn operands(op: &Op) -> Vec<Reg> {
    match *op {
        Op::Unary(_, a) => vec![a],
        Op::Binary(_, a, b) => vec![a, b],
        Op::Select(a, b, c) => vec![a, b, c],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::allocate::allocate;
    use super::*;
    use crate::model::program::Program;

    /// A state that becomes a sum of this many products of itself.
    fn sum_of(products: u32) -> PopulationPlan {
        let mut body = vec![Stmt::Let(0, Op::State(0))];
        for k in 0..products {
            body.push(Stmt::Let(1 + 2 * k, Op::Const(k as f32 + 0.5)));
            body.push(Stmt::Let(2 + 2 * k, Op::Binary(Binary::Mul, 1 + 2 * k, 0)));
        }
        let (mut sum, mut next) = (2, 1 + 2 * products);
        for k in 1..products {
            body.push(Stmt::Let(next, Op::Binary(Binary::Add, sum, 2 + 2 * k)));
            (sum, next) = (next, next + 1);
        }
        body.push(Stmt::SetState(0, sum));
        PopulationPlan {
            name: "cells".into(),
            states: vec!["x".into()],
            first: 0,
            size: 1,
            program: Arc::new(Program { registers: next, states: 1, body, ..Program::default() }),
            coefficients: Vec::new(),
            initial: vec![Number::Uniform(0.0)],
            slot: 0,
            scale: Vec::new(),
            sheet: None,
        }
    }

    #[test]
    fn sums_of_any_length_are_taken_in_order_and_no_code_reads_the_cell_that_it_writes() {
        for products in 2..20 {
            let (codes, _) = allocate(lower(&sum_of(products), &[]).codes, u32::MAX);
            let factors: Vec<f32> = codes
                .iter()
                .flat_map(|c| match c {
                    Code::Linear { terms, .. } => terms.iter().filter(|t| t.1 == Place::Cell(0)).map(|t| t.0).collect(),
                    _ => Vec::new(),
                })
                .collect();
            assert_eq!(factors, (0..products).map(|k| k as f32 + 0.5).collect::<Vec<_>>());
            assert!(codes.iter().all(|c| c.to().is_none_or(|to| !c.reads().contains(&to))), "{codes:?}");
        }
    }
}
