//! A model's program -> WGSL. Every register is one `let` of one operation, so nothing is left to precedence. Knows no buffer.

use std::fmt::Write;

use crate::model::program::{Binary, Op, Program, Stmt, Unary};

/// The body of one step: reads `c` coefficients, `a` receptor sums, `q` quanta and `u` inputs; changes `s` and `spiked`.
pub fn body(program: &Program) -> String {
    let mut out = String::new();
    statements(&program.body, 2, 0, &mut out);
    out
}

/// `turn` is the number of loops around; `turn0` stands before the body.
fn statements(body: &[Stmt], depth: usize, turn: usize, out: &mut String) {
    let pad = "    ".repeat(depth);
    for stmt in body {
        // Writing to a String cannot fail.
        let _ = match stmt {
            Stmt::Let(reg, op) => writeln!(out, "{pad}let r{reg} = {};", expression(*op, turn)),
            Stmt::SetState(s, reg) => writeln!(out, "{pad}s{s} = r{reg};"),
            Stmt::Spike(reg) => writeln!(out, "{pad}spiked = spiked || r{reg} != 0.0;"),
            Stmt::Repeat(n, inner) => {
                let k = turn + 1;
                let _ = writeln!(out, "{pad}for (var n{k} = 0u; n{k} < {n}u; n{k}++) {{");
                let _ = writeln!(out, "{pad}    let turn{k} = turn{turn} * {n}u + n{k};");
                statements(inner, depth + 1, k, out);
                writeln!(out, "{pad}}}")
            }
            Stmt::When(reg, inner) => {
                let _ = writeln!(out, "{pad}if (r{reg} != 0.0) {{");
                statements(inner, depth + 1, turn, out);
                writeln!(out, "{pad}}}")
            }
        };
    }
}

/// The shortest decimal that reads back as this f32.
fn literal(x: f32) -> String {
    format!("{x:?}f")
}

fn expression(op: Op, turn: usize) -> String {
    match op {
        Op::Const(x) => literal(x),
        Op::Coefficient(c) => format!("c{c}"),
        Op::State(s) => format!("s{s}"),
        Op::Receptor(r) => format!("f32(a{r}) * q{r}"),
        Op::Input(i) => format!("u{i}"),
        Op::Normal(n) => format!("normal(noise, vec4(first + i, now, {n}u, turn{turn}))"),
        Op::Uniform(n) => format!("uniform_of(noise, vec4(first + i, now, {n}u, turn{turn}))"),
        Op::Unary(op, a) => unary(op, a),
        Op::Binary(op, a, b) => binary(op, a, b),
        Op::Select(c, a, b) => format!("select(r{b}, r{a}, r{c} != 0.0)"),
    }
}

fn unary(op: Unary, a: u32) -> String {
    let name = match op {
        Unary::Neg => return format!("-r{a}"),
        Unary::Not => return format!("truth(r{a} == 0.0)"),
        Unary::Recip => "recip_of",
        Unary::Sqrt => "sqrt_of",
        Unary::Exp => "exp_of",
        Unary::Expm1 => "expm1_of",
        Unary::Exprel => "exprel_of",
        Unary::Log => "log_of",
        Unary::Tanh => "tanh_of",
        Unary::Abs => "abs",
        Unary::Floor => "floor",
    };
    format!("{name}(r{a})")
}

fn binary(op: Binary, a: u32, b: u32) -> String {
    match op {
        Binary::Add => format!("r{a} + r{b}"),
        Binary::Sub => format!("r{a} - r{b}"),
        Binary::Mul => format!("r{a} * r{b}"),
        Binary::Pow => format!("pow_of(r{a}, r{b})"),
        Binary::Min => format!("select(r{a}, r{b}, r{b} < r{a})"),
        Binary::Max => format!("select(r{a}, r{b}, r{a} < r{b})"),
        Binary::Less => format!("truth(r{a} < r{b})"),
        Binary::LessEqual => format!("truth(r{a} <= r{b})"),
        Binary::Equal => format!("truth(r{a} == r{b})"),
        Binary::And => format!("truth(r{a} != 0.0 && r{b} != 0.0)"),
        Binary::Or => format!("truth(r{a} != 0.0 || r{b} != 0.0)"),
    }
}
