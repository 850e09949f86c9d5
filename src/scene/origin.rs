//! From the text that was read, with preset and options written into it, back to the file: where a problem stands for its author.
//! Knows no meaning.

use std::sync::Arc;

use crate::base::problem::{Place, Problem, Source};

/// The problem at its place in the file. A line that the file does not have, as an option wrote it, keeps its place in the text
/// that was read, which is then named so.
pub fn traced(problem: Problem, read: &Arc<Source>, file: &Arc<Source>) -> Problem {
    let Some(place) = problem.place.as_ref().filter(|p| p.source.text == read.text && read.text != file.text) else { return problem };
    let place = counterpart(place, file).unwrap_or_else(|| {
        let how = if file.text.trim_start().starts_with('{') { "as TOML" } else { "with its preset and options" };
        let source = Source { name: format!("{} ({how})", file.name), text: read.text.clone() };
        Place { source: source.into(), span: place.span.clone() }
    });
    Problem { place: Some(place), ..problem }
}

/// Options change lines and add or take lines, but never copy one: the nth line of a wording is the nth in the file too.
fn counterpart(place: &Place, file: &Arc<Source>) -> Option<Place> {
    let text = &place.source.text;
    let (line, _) = place.position();
    let begin = begin(text, line)?;
    let wording = text.lines().nth(line - 1)?;
    let before = text.lines().take(line - 1).filter(|l| *l == wording).count();
    let (there, _) = file.text.lines().enumerate().filter(|(_, l)| *l == wording).nth(before)?;
    let shift = self::begin(&file.text, there + 1)?;
    let span = place.span.start.checked_sub(begin)? + shift..place.span.end.checked_sub(begin)? + shift;
    Some(Place { source: file.clone(), span })
}

/// Where a line, counted from 1, begins.
fn begin(text: &str, line: usize) -> Option<usize> {
    match line {
        1 => Some(0),
        _ => text.match_indices('\n').nth(line.checked_sub(2)?).map(|(at, _)| at + 1),
    }
}
