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

    pub fn problem(&self, source: &Arc<Source>, fault: Fault) -> Problem {
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

/// One expression with its place.
pub fn expression(text: &str) -> Result<Expr, Fault> {
    expr::parse(text).map_err(|e| Fault { message: e.message, span: e.span, help: None })
}

/// The statements of a block: one per line or parted by `;`; an open bracket carries on to the next line, `#` begins a comment.
pub fn statements(text: &str, spot: &Spot) -> Result<Vec<Statement>, Fault> {
    let mut out = Vec::new();
    let (mut start, mut depth, mut comment) = (0, 0i32, false);
    let mut clean = String::with_capacity(text.len());
    for (at, c) in text.char_indices().chain([(text.len(), '\n')]) {
        comment = (comment || c == '#') && c != '\n';
        depth += i32::from(c == '(' && !comment) - i32::from(c == ')' && !comment);
        let last = at == text.len();
        if last || (depth <= 0 && !comment && (c == '\n' || c == ';')) {
            if !clean[start..].trim().is_empty() {
                out.push(one(&clean, start, spot)?);
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

/// The statement from `start` to the end of what has been read; blanks before it keep its places right.
fn one(block: &str, start: usize, spot: &Spot) -> Result<Statement, Fault> {
    let all = start + block[start..].len() - block[start..].trim_start().len()..start + block[start..].trim_end().len();
    let text = &block[all.clone()];
    let wrong = |message: &str| Fault { message: message.into(), span: all.clone(), help: None };
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
    let named = target.starts_with(|c: char| c.is_alphabetic() || c == '_') && target.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !named {
        return Err(wrong("the left side must be a name, or `dname/dt`"));
    }
    let right = all.start + equals + 1;
    let expr = expression(&format!("{}{}", " ".repeat(right), &block[right..all.end]))?;
    let shown = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Statement { target, kind, expr, span: all.start..all.start + left.len(), text: shown, spot: spot.clone() })
}
