//! Where the entries of a network stand in the file, for what is found out about them later. Knows no meaning.

use std::ops::Range;
use std::sync::Arc;

use super::origin;
use crate::base::problem::{Problem, Source};
use crate::network::{Refusal, Subject};

/// Stretches of the text that was read, one for each entry of the network.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    pub populations: Vec<Range<usize>>,
    pub projections: Vec<Range<usize>>,
    pub gaps: Vec<Range<usize>>,
    pub stimuli: Vec<Range<usize>>,
}

#[derive(Clone, Debug)]
pub struct Entries {
    pub spans: Spans,
    /// The text that was read, with preset and options in it, and the file.
    pub read: Arc<Source>,
    pub file: Arc<Source>,
}

impl Entries {
    /// The refusal as a problem at its place.
    pub fn problem(&self, refusal: &Refusal) -> Problem {
        let problem = Problem::new(refusal.message.as_str());
        let spans = &self.spans;
        let span = refusal.about.and_then(|about| match about {
            Subject::Population(i) => spans.populations.get(i),
            Subject::Projection(i) => spans.projections.get(i),
            Subject::Gap(i) => spans.gaps.get(i),
            Subject::Stimulus(i) => spans.stimuli.get(i),
        });
        match span {
            Some(span) => origin::traced(problem.at(&self.read, span.clone()), &self.read, &self.file),
            None => problem,
        }
    }
}
