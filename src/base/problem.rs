//! A problem in a file: place, reason, remedy, rendered the way rustc does. Knows nothing of what the file means.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

/// A text and the name under which the user knows it.
#[derive(Debug)]
pub struct Source {
    pub name: String,
    pub text: String,
}

/// A stretch of a text, in bytes.
#[derive(Clone, Debug)]
pub struct Place {
    pub source: Arc<Source>,
    pub span: Range<usize>,
}

/// What is wrong, where, and what would fix it.
#[derive(Clone, Debug)]
pub struct Problem {
    pub message: String,
    pub place: Option<Place>,
    pub help: Option<String>,
}

impl Problem {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, help: None }
    }

    pub fn at(mut self, source: &Arc<Source>, span: Range<usize>) -> Self {
        self.place = Some(Place { source: source.clone(), span });
        self
    }

    /// No remedy is told where the text is empty.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into()).filter(|h| !h.is_empty());
        self
    }

    /// The problem as text: message, `file:line:column`, the offending line underlined, the remedy.
    pub fn render(&self) -> String {
        let mut out = format!("error: {}\n", self.message);
        if let Some(place) = &self.place {
            place.render(&mut out);
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "  = help: {help}");
        }
        out
    }
}

impl Place {
    /// Line and column, counted from 1; columns in characters.
    pub fn position(&self) -> (usize, usize) {
        let text = &self.source.text;
        let start = floor(text, self.span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        (text[..start].matches('\n').count() + 1, text[line_start..start].chars().count() + 1)
    }

    /// The offending text, as far as it stands on one line.
    pub fn text(&self) -> &str {
        let text = &self.source.text;
        let start = floor(text, self.span.start);
        let end = floor(text, self.span.end.max(start));
        text[start..end].lines().next().unwrap_or_default()
    }

    fn render(&self, out: &mut String) {
        let text = &self.source.text;
        let (line, column) = self.position();
        let whole = text.lines().nth(line - 1).unwrap_or_default();
        let width = self.text().chars().count().max(1);
        let pad = " ".repeat(line.to_string().len());
        let _ = writeln!(out, "{pad}--> {}:{line}:{column}", self.source.name);
        let _ = writeln!(out, "{pad} |");
        let _ = writeln!(out, "{line} | {}", whole.replace('\t', " "));
        let _ = writeln!(out, "{pad} | {}{}", " ".repeat(column - 1), "^".repeat(width));
    }
}

/// The nearest character boundary at or below `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The candidate that a misspelt word most likely meant.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near = candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(word, c), c))
        .filter(|(distance, c)| *distance <= c.len().min(word.len()) / 3)
        .min_by_key(|(distance, _)| *distance)?;
    Some(format!("did you mean `{}`?", near.1))
}
