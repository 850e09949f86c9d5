//! Blocks of text -> statements with their places: `dx/dt = ...`, `x = ...`, `x += ...`. Knows no meaning.

use std::ops::Range;
use std::sync::Arc;

use super::expr::{self, Expr};
use super::typed::Fault;
use crate::base::problem::{Problem, Source};

/// Where a text of the model stands in its file.
#[derive(Clone, Debug, Default)]
pub struct Spot {
    /// Where the text begins, if it stands in the file letter for letter.
    pub base: Option<usize>,
    pub whole: Option<Range<usize>>,
}

impl Spot {
    pub fn of(item: Option<Range<usize>>, text: &str, source: &Source) -> Self {
        let base = item.clone().and_then(|span| {
            let raw = source.text.get(span.clone())?;
            let skip = match raw {
                _ if raw.starts_with("\"\"\"") || raw.starts_with("'''") => {
                    3 + if raw[3..].starts_with("\r\n") { 2 } else { usize::from(raw[3..].starts_with('\n')) }
                }
                _ => 1,
            };
            let start = span.start + skip;
            (source.text.get(start..start + text.len()) == Some(text)).then_some(start)
        });
        Self { base, whole: item }
    }

    pub fn problem(&self, source: &Arc<Source>, mut fault: Fault) -> Problem {
        if let Some(spot) = fault.spot.take() {
            return spot.problem(source, fault);
        }
        let mut problem = Problem::new(fault.message);
        problem.help = fault.help;
        match (self.base, &self.whole) {
            (Some(base), _) => problem.at(source, base + fault.span.start..base + fault.span.end),
            (None, Some(span)) => problem.at(source, span.clone()),
            _ => problem,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Derivative,
    Assign,
    Increase,
    Decrease,
}

#[derive(Clone, Debug)]
pub struct Statement {
    pub target: String,
    pub kind: Kind,
    pub expr: Expr,
    /// Of the target, in the text of the block.
    pub span: Range<usize>,
    /// As written, for `synfire show`.
    pub text: String,
    pub spot: Spot,
}

impl Statement {
    pub fn mentions(&self, name: &str) -> bool {
        let mut found = false;
        self.expr.names(&mut |n| found |= n == name);
        found
    }
}

/// One expression with its place.
pub fn expression(text: &str) -> Result<Expr, Fault> {
    expr::parse(text).map_err(|e| Fault::new(e.message, e.span))
}

/// A function that a model defines: `f(x, y) = ...`.
#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub arguments: Vec<String>,
    pub body: Expr,
    pub span: Range<usize>,
    pub text: String,
    pub spot: Spot,
}

/// The statements of a block: one per line or parted by `;`; an open bracket carries on to the next line, `#` begins a comment.
pub fn statements(text: &str, spot: &Spot) -> Result<Vec<Statement>, Fault> {
    pieces(text, |block, start| one(block, start, spot))
}

/// The definitions of a block of functions.
pub fn functions(text: &str, spot: &Spot) -> Result<Vec<Function>, Fault> {
    pieces(text, |block, start| function(block, start, spot))
}

/// `each` gets the block so far and the beginning of a statement in it.
fn pieces<T>(text: &str, mut each: impl FnMut(&str, usize) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    let mut out = Vec::new();
    let (mut start, mut depth, mut comment) = (0, 0i32, false);
    let mut clean = String::with_capacity(text.len());
    for (at, c) in text.char_indices().chain([(text.len(), '\n')]) {
        comment = (comment || c == '#') && c != '\n';
        depth += i32::from(c == '(' && !comment) - i32::from(c == ')' && !comment);
        let last = at == text.len();
        if last || (depth <= 0 && !comment && (c == '\n' || c == ';')) {
            if !clean[start..].trim().is_empty() {
                out.push(each(&clean, start)?);
            }
            start = at + 1;
            depth = 0;
        }
        if !last {
            if comment { (0..c.len_utf8()).for_each(|_| clean.push(' ')) } else { clean.push(c) }
        }
    }
    Ok(out)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn function(block: &str, start: usize, spot: &Spot) -> Result<Function, Fault> {
    let all = start + block[start..].len() - block[start..].trim_start().len()..start + block[start..].trim_end().len();
    let text = &block[all.clone()];
    let wrong = || Fault::new("expected `name(argument, ...) = value`", all.clone()).help("as in `sigma(v) = 1/(1 + exp(-v/(5 mV)))`");
    let (left, right) = text.split_once('=').ok_or_else(wrong)?;
    let (name, rest) = left.split_once('(').ok_or_else(wrong)?;
    let arguments: Vec<String> =
        rest.trim_end().strip_suffix(')').ok_or_else(wrong)?.split(',').map(|a| a.trim().to_string()).filter(|a| !a.is_empty()).collect();
    if !is_name(name.trim()) || !arguments.iter().all(|a| is_name(a)) {
        return Err(wrong());
    }
    let body = expression(&format!("{}{right}", " ".repeat(all.start + left.len() + 1)))?;
    let shown = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Function { name: name.trim().into(), arguments, body, span: all.start..all.start + left.len(), text: shown, spot: spot.clone() })
}

/// The statement from `start` to the end of what has been read; blanks before it keep its places right.
fn one(block: &str, start: usize, spot: &Spot) -> Result<Statement, Fault> {
    let all = start + block[start..].len() - block[start..].trim_start().len()..start + block[start..].trim_end().len();
    let text = &block[all.clone()];
    let wrong = |message: &str| Fault::new(message, all.clone());
    let equals = text.find('=').ok_or_else(|| wrong("expected `name = value` or `dname/dt = value`"))?;
    let (left, kind) = match &text[..equals] {
        l if l.ends_with('+') => (&l[..l.len() - 1], Kind::Increase),
        l if l.ends_with('-') => (&l[..l.len() - 1], Kind::Decrease),
        l => (l, Kind::Assign),
    };
    let left = left.trim();
    let derivative: String = left.chars().filter(|c| !c.is_whitespace()).collect();
    let (target, kind) = match derivative.strip_prefix('d').and_then(|d| d.strip_suffix("/dt")) {
        Some(name) if kind == Kind::Assign => (name.to_string(), Kind::Derivative),
        _ => (left.to_string(), kind),
    };
    if !is_name(&target) {
        return Err(wrong("the left side must be a name, or `dname/dt`"));
    }
    let right = all.start + equals + 1;
    let expr = expression(&format!("{}{}", " ".repeat(right), &block[right..all.end]))?;
    let shown = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Statement { target, kind, expr, span: all.start..all.start + left.len(), text: shown, spot: spot.clone() })
}
