//! The expression language of models and scenes: text -> tree. Knows precedence and places, no meaning.
//!
//! `1 ms` and `10 mV` are a number times a unit; `a[i, j]` indexes a table; `^` and `**` are powers and bind to the right.

use std::ops::Range;

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub node: Node,
    /// Bytes of the expression's own text.
    pub span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Number(f64),
    /// A number directly followed by a unit name, as in `10 mV`.
    Unit(f64, String),
    Name(String),
    Neg(Box<Expr>),
    Not(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// `cond ? a : b`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
    Index(String, Vec<Expr>),
}

impl Expr {
    /// Gives every name that stands in the expression, functions and units apart.
    pub fn names(&self, each: &mut impl FnMut(&str)) {
        match &self.node {
            Node::Number(_) | Node::Unit(..) => {}
            Node::Name(name) => each(name),
            Node::Neg(a) | Node::Not(a) => a.names(each),
            Node::Binary(_, a, b) => {
                a.names(each);
                b.names(each);
            }
            Node::If(a, b, c) => [a, b, c].into_iter().for_each(|x| x.names(each)),
            Node::Call(_, arguments) | Node::Index(_, arguments) => arguments.iter().for_each(|x| x.names(each)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
}

/// What is wrong with a text, and where in it.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntaxError {
    pub message: String,
    pub span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Symbol(&'static str),
}

const SYMBOLS: [&str; 24] =
    ["**", "<=", ">=", "==", "!=", "&&", "||", "+=", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ",", "?", ":", "!", "="];

/// Nesting deeper than this is refused, so that no text can exhaust the stack.
const DEEPEST: usize = 64;

/// Reads a whole text as one expression.
pub fn parse(text: &str) -> Result<Expr, SyntaxError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, end: text.len(), depth: 0 };
    let expr = parser.conditional()?;
    match parser.tokens.get(parser.at) {
        None => Ok(expr),
        Some((_, span)) => Err(SyntaxError { message: "expected an operator or the end of the expression".into(), span: span.clone() }),
    }
}

fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, SyntaxError> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, len) = if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) {
            let len = number_length(rest);
            let value =
                rest[..len].parse().map_err(|_| SyntaxError { message: format!("`{}` is no number", &rest[..len]), span: at..at + len })?;
            (Token::Number(value), len)
        } else if c.is_alphabetic() || c == '_' {
            let len = rest.find(|d: char| !(d.is_alphanumeric() || d == '_')).unwrap_or(rest.len());
            match &rest[..len] {
                "and" => (Token::Symbol("&&"), len),
                "or" => (Token::Symbol("||"), len),
                "not" => (Token::Symbol("!"), len),
                name => (Token::Name(name.to_string()), len),
            }
        } else if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            return Err(SyntaxError { message: format!("`{c}` means nothing here"), span: at..at + c.len_utf8() });
        };
        out.push((token, at..at + len));
        at += len;
    }
    Ok(out)
}

fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |mut i: usize| {
        while bytes.get(i).is_some_and(u8::is_ascii_digit) {
            i += 1;
        }
        i
    };
    let mut i = digits(0);
    if bytes.get(i) == Some(&b'.') {
        i = digits(i + 1);
    }
    if matches!(bytes.get(i), Some(b'e' | b'E')) {
        let sign = i + 1 + usize::from(matches!(bytes.get(i + 1), Some(b'+' | b'-')));
        if digits(sign) > sign {
            i = digits(sign);
        }
    }
    i
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    end: usize,
    depth: usize,
}

type Parsed = Result<Expr, SyntaxError>;

impl Parser {
    fn here(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |(_, s)| s.clone())
    }

    fn take(&mut self, symbols: &[&'static str]) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some((Token::Symbol(s), _)) if symbols.contains(s) => {
                self.at += 1;
                Some(s)
            }
            _ => None,
        }
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), SyntaxError> {
        let span = self.here();
        self.take(&[symbol]).map(|_| ()).ok_or(SyntaxError { message: format!("expected `{symbol}`"), span })
    }

    fn conditional(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SyntaxError { message: format!("nested more than {DEEPEST} deep"), span: self.here() });
        }
        let mut expr = self.binary(0)?;
        if self.take(&["?"]).is_some() {
            let yes = self.conditional()?;
            self.expect(":")?;
            let no = self.conditional()?;
            let span = expr.span.start..no.span.end;
            expr = Expr { node: Node::If(Box::new(expr), Box::new(yes), Box::new(no)), span };
        }
        self.depth -= 1;
        Ok(expr)
    }

    fn binary(&mut self, level: usize) -> Parsed {
        const LEVELS: [&[&str]; 5] = [&["||"], &["&&"], &["<", "<=", ">", ">=", "==", "!="], &["+", "-"], &["*", "/"]];
        let Some(symbols) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        let mut chain = 0;
        while let Some(symbol) = self.take(symbols) {
            chain += 1;
            if chain > 500 {
                return Err(SyntaxError { message: "more than 500 terms in one chain".into(), span: self.here() });
            }
            let right = self.binary(level + 1)?;
            let span = left.span.start..right.span.end;
            left = Expr { node: Node::Binary(operator(symbol), Box::new(left), Box::new(right)), span };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let start = self.here().start;
        let Some(sign) = self.take(&["-", "+", "!"]) else { return self.power() };
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SyntaxError { message: format!("nested more than {DEEPEST} deep"), span: self.here() });
        }
        let inner = self.unary()?;
        self.depth -= 1;
        let span = start..inner.span.end;
        Ok(match sign {
            "-" => Expr { node: Node::Neg(Box::new(inner)), span },
            "!" => Expr { node: Node::Not(Box::new(inner)), span },
            _ => inner,
        })
    }

    fn power(&mut self) -> Parsed {
        let base = self.atom()?;
        if self.take(&["^", "**"]).is_none() {
            return Ok(base);
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SyntaxError { message: format!("nested more than {DEEPEST} deep"), span: self.here() });
        }
        let exponent = self.unary()?;
        self.depth -= 1;
        let span = base.span.start..exponent.span.end;
        Ok(Expr { node: Node::Binary(Operator::Pow, Box::new(base), Box::new(exponent)), span })
    }

    fn atom(&mut self) -> Parsed {
        let span = self.here();
        let Some((token, _)) = self.tokens.get(self.at).cloned() else {
            return Err(SyntaxError { message: "the expression ends too early".into(), span });
        };
        self.at += 1;
        let node = match token {
            Token::Number(value) => match self.tokens.get(self.at).cloned() {
                Some((Token::Name(unit), unit_span)) => {
                    self.at += 1;
                    return Ok(Expr { node: Node::Unit(value, unit), span: span.start..unit_span.end });
                }
                _ => Node::Number(value),
            },
            Token::Name(name) => {
                if self.take(&["("]).is_some() {
                    Node::Call(name, self.list(")")?)
                } else if self.take(&["["]).is_some() {
                    Node::Index(name, self.list("]")?)
                } else {
                    Node::Name(name)
                }
            }
            Token::Symbol("(") => {
                let inner = self.conditional()?;
                self.expect(")")?;
                inner.node
            }
            Token::Symbol(s) => return Err(SyntaxError { message: format!("expected a value, found `{s}`"), span }),
        };
        Ok(Expr { node, span: span.start..self.tokens[self.at - 1].1.end })
    }

    fn list(&mut self, close: &'static str) -> Result<Vec<Expr>, SyntaxError> {
        let mut out = Vec::new();
        if self.take(&[close]).is_some() {
            return Ok(out);
        }
        loop {
            out.push(self.conditional()?);
            if self.take(&[","]).is_none() {
                self.expect(close)?;
                return Ok(out);
            }
        }
    }
}

fn operator(symbol: &str) -> Operator {
    match symbol {
        "+" => Operator::Add,
        "-" => Operator::Sub,
        "*" => Operator::Mul,
        "/" => Operator::Div,
        "<" => Operator::Less,
        "<=" => Operator::LessEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterEqual,
        "==" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "&&" => Operator::And,
        _ => Operator::Or,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_powers_and_indices_are_read() {
        assert!(parse("log(1-p[to,from])/N[to]^-2 + 10 mV").is_ok());
        assert!(matches!(parse("-2 ^ 2").unwrap().node, Node::Neg(_)));
        assert_eq!(parse("1 +").unwrap_err().message, "the expression ends too early");
    }

    #[test]
    fn deep_nesting_is_refused_and_not_a_crash() {
        assert!(parse(&"(".repeat(100_000)).is_err());
        assert!(parse(&"-".repeat(100_000)).is_err());
        assert!(parse(&"2^".repeat(100_000)).is_err());
    }
}
