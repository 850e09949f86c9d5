//! Which neurons a text means: `exc`, `exc[0..100]`, `exc[every 10]`, `exc[random 50]`, a set, a list. Knows no rule.

use std::sync::Arc;

use toml_edit::{Item, Value as Toml};

use super::fields::Reader;
use super::value::Wrong;
use crate::base::problem::did_you_mean;
use crate::base::rng::Stream;
use crate::network::{Part, Population, Which};

/// Stream of random parts.
const PART: u32 = 32;

/// Populations by name, and where their member stands in its set.
pub struct Places<'a> {
    pub populations: &'a [Population],
    /// For each population its set and position, if it was made by `each`.
    pub members: &'a [Option<(String, usize)>],
    /// Names of `each` populations and the set they stand for.
    pub families: &'a [(String, String)],
    /// Names of populations that could not be read, of which the reader knows the reason.
    pub unread: &'a [String],
    pub seed: u64,
}

impl Places<'_> {
    /// The parts that an item names. Problems go to the reader.
    pub fn parts(&self, reader: &mut Reader, item: &Item) -> Vec<Part> {
        let texts: Vec<String> = match item {
            Item::Value(Toml::String(s)) => vec![s.value().clone()],
            Item::Value(Toml::Array(a)) => a.iter().filter_map(|v| v.as_str().map(String::from)).collect(),
            _ => Vec::new(),
        };
        if texts.is_empty() {
            reader.say(item, "expected the name of a population", "write \"exc\", \"exc[0..100]\" or a list of such");
        }
        let mut out = Vec::new();
        for text in texts {
            match self.named(reader, &text) {
                Ok(parts) => out.extend(parts),
                Err(wrong) => reader.wrong(item, wrong),
            }
        }
        out
    }

    /// The parts that a text names: one, or one for each member of a set; none for a population that could not be read.
    pub fn named(&self, reader: &Reader, text: &str) -> Result<Vec<Part>, Wrong> {
        let (name, inner) = match text.split_once('[') {
            Some((name, rest)) => (name.trim(), Some(rest.strip_suffix(']').ok_or(Wrong(format!("`{text}` lacks its `]`"), None))?.trim())),
            None => (text.trim(), None),
        };
        let family = self.families.iter().find(|(n, _)| n == name).map(|(_, set)| set.as_str());
        let set = family.or_else(|| reader.scope.sets.contains_key(name).then_some(name));
        let found: Vec<usize> = match (self.populations.iter().position(|p| p.name == name), set) {
            (Some(i), _) => vec![i],
            (None, Some(set)) => {
                let members = &reader.scope.sets[set];
                members.iter().filter_map(|m| self.populations.iter().position(|p| p.name == *m)).collect()
            }
            (None, None) => Vec::new(),
        };
        if found.is_empty() && !self.unread.iter().any(|n| n == name) {
            let help = did_you_mean(name, self.populations.iter().map(|p| p.name.as_str()));
            return Err(Wrong(format!("no population is named `{name}`"), help));
        }
        found.into_iter().map(|population| Ok(Part { population, which: self.which(text, population, inner)? })).collect()
    }

    fn which(&self, text: &str, population: usize, inner: Option<&str>) -> Result<Which, Wrong> {
        let size = self.populations[population].size;
        let Some(inner) = inner else { return Ok(Which::Range { start: 0, len: size }) };
        let bad = || Wrong(format!("`{text}` means no part"), Some("write [0..100], [7], [every 10] or [random 50]".into()));
        let parse = |s: &str| s.trim().parse::<u32>().map_err(|_| bad());
        let inside = |n: u32| if n <= size { Ok(n) } else { Err(Wrong(format!("`{text}`: the population has {size} neurons"), None)) };
        if let Some((a, b)) = inner.split_once("..") {
            let (start, end) = (parse(a)?, inside(parse(b)?)?);
            let len = end.checked_sub(start).ok_or_else(bad)?;
            return Ok(Which::Range { start, len });
        }
        if let Some(n) = inner.strip_prefix("every ") {
            let n = parse(n)?.max(1);
            return Ok(Which::List((0..size).step_by(n as usize).collect()));
        }
        if let Some(n) = inner.strip_prefix("random ") {
            return Ok(Which::List(self.random(population, inside(parse(n)?)?, size)));
        }
        let i = parse(inner)?;
        inside(i + u32::from(i < u32::MAX))?;
        Ok(Which::Range { start: i, len: 1 })
    }

    /// `n` different neurons, in order: those with the smallest words of a random stream.
    fn random(&self, population: usize, n: u32, size: u32) -> Arc<[u32]> {
        let stream = Stream::new(self.seed, [PART, population as u32]);
        let mut all: Vec<([u32; 2], u32)> = (0..size)
            .map(|i| {
                let b = stream.block([i, 0, 0, 0]);
                ([b[0], b[1]], i)
            })
            .collect();
        all.sort_unstable();
        let mut chosen: Vec<u32> = all[..n as usize].iter().map(|(_, i)| *i).collect();
        chosen.sort_unstable();
        chosen.into()
    }
}
