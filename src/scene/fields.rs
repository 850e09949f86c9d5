//! Reading tables of a scene: known keys, values of a dimension, problems collected. Knows no meaning of any key.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use toml_edit::{Item, TableLike};

use super::entries::Spans;
use super::value::{Scope, Wrong, law, plain_number, sound};
use crate::base::problem::{Problem, Source, did_you_mean};
use crate::base::units::{Dimension, NUMBER, TIME, unit};
use crate::network::Law;

/// A scope and the problems found so far.
pub struct Reader {
    pub scope: Scope,
    pub problems: Vec<Problem>,
    /// Where files of the scene lie; none for a scene without a place.
    pub folder: Option<PathBuf>,
    /// Where the entries stand that have been read.
    pub spans: Spans,
}

impl Reader {
    pub fn new(source: Arc<Source>, folder: Option<PathBuf>) -> Self {
        Self { scope: Scope::new(source), problems: Vec::new(), folder, spans: Spans::default() }
    }

    pub fn wrong(&mut self, item: &Item, wrong: Wrong) {
        let problem = self.scope.problem(wrong, item.span().unwrap_or(0..0));
        self.push(problem);
    }

    pub fn say(&mut self, item: &Item, message: impl Into<String>, help: impl Into<String>) {
        self.wrong(item, Wrong(message.into(), Some(help.into())));
    }

    /// The same problem in every pair of a projection is told once; one without words was told where it arose.
    pub fn push(&mut self, problem: Problem) {
        const MOST: usize = 100;
        if problem.message.is_empty() || self.problems.iter().any(|p| p.render() == problem.render()) {
            return;
        }
        match self.problems.len() {
            ..MOST => self.problems.push(problem),
            MOST => self.problems.push(Problem::new(format!("there are more problems than these {MOST}"))),
            _ => {}
        }
    }

    /// Every key must be one of these.
    pub fn keys(&mut self, what: &str, table: &dyn TableLike, known: &[&str]) {
        for (key, item) in table.iter() {
            if !known.contains(&key) {
                let span = key_span(table, key).or(item.span()).unwrap_or(0..0);
                let help = did_you_mean(key, known.iter().copied()).unwrap_or_else(|| format!("keys here are: {}", known.join(", ")));
                let problem = self.scope.problem(Wrong(format!("{what} has no key `{key}`"), Some(help)), span);
                self.push(problem);
            }
        }
    }

    pub fn string(&mut self, table: &dyn TableLike, key: &str) -> Option<String> {
        self.text(key, table.get(key)?)
    }

    /// The text that stands for `key`.
    pub fn text(&mut self, key: &str, item: &Item) -> Option<String> {
        if item.as_str().is_none() && !item.is_none() {
            self.say(item, format!("{key} must be a text"), format!("write {key} = \"...\""));
        }
        item.as_str().map(String::from)
    }

    pub fn boolean(&mut self, table: &dyn TableLike, key: &str, default: bool) -> bool {
        let Some(item) = table.get(key) else { return default };
        item.as_bool().unwrap_or_else(|| {
            self.say(item, format!("{key} must be true or false"), format!("write {key} = {default}"));
            default
        })
    }

    pub fn law(&mut self, item: &Item, dimension: Dimension) -> Option<Law> {
        match self.scope.item(item) {
            Ok(value) => match law(value, dimension).and_then(sound) {
                Ok(law) => return Some(law),
                Err(w) => self.mismatch(item, w),
            },
            Err(p) => self.push(p),
        }
        None
    }

    pub fn number(&mut self, item: &Item, dimension: Dimension) -> Option<f64> {
        match self.scope.item(item) {
            Ok(value) => match plain_number(value, dimension) {
                Ok(x) => return Some(x),
                Err(w) => self.mismatch(item, w),
            },
            Err(p) => self.push(p),
        }
        None
    }

    /// A value of another kind than is needed; a name alone may be a unit by accident, as J is the joule.
    fn mismatch(&mut self, item: &Item, wrong: Wrong) {
        let name = item.as_str().map(str::trim).filter(|n| unit(n).is_some() && !self.scope.parameters.contains_key(*n));
        let help = name.map(|n| format!("`{n}` is read as a unit: [parameters] has nothing of this name"));
        self.wrong(item, Wrong(wrong.0, help.or(wrong.1)));
    }

    /// A whole number from 0 to `most`.
    pub fn count(&mut self, item: &Item, most: u64) -> Option<u64> {
        let x = self.number(item, NUMBER)?;
        if !(x >= 0.0 && x <= most as f64) {
            self.say(item, format!("{x} is out of range"), format!("a number between 0 and {most} is possible"));
            return None;
        }
        if (x - libm::round(x)).abs() > 1e-6 * x.max(1.0) {
            self.say(item, format!("{x} is no whole number"), "use round(...)");
            return None;
        }
        Some(libm::round(x) as u64)
    }

    /// A time on the grid of dt, in steps.
    pub fn steps(&mut self, item: &Item) -> Option<u64> {
        let t = self.number(item, TIME)?;
        self.on_grid(item, t)
    }

    /// The interval `every` of a table in steps, if it has one: one step where it says what cannot be.
    pub fn every(&mut self, table: &dyn TableLike) -> Option<u64> {
        let item = table.get("every")?;
        let steps = self.steps(item);
        if steps == Some(0) {
            self.say(item, "an interval of no time", "the shortest is one step of dt");
        }
        Some(steps.unwrap_or(1).max(1))
    }

    pub fn on_grid(&mut self, item: &Item, t: f64) -> Option<u64> {
        let dt = self.scope.dt?;
        let n = t / dt;
        if !(0.0..4e9).contains(&n) {
            self.say(item, format!("a time of {t} ms is out of range"), "at most 4e9 steps, and none below 0");
            return None;
        }
        if (n - libm::round(n)).abs() > 1e-6 * n.max(1.0) {
            let (low, high) = (libm::floor(n) * dt, libm::ceil(n) * dt);
            self.say(item, format!("{t} ms is no multiple of dt = {dt} ms"), format!("the nearest are {low:.6} ms and {high:.6} ms"));
            return None;
        }
        Some(libm::round(n) as u64)
    }
}

/// Where a key of a table stands.
pub fn key_span(table: &dyn TableLike, key: &str) -> Option<Range<usize>> {
    table.key(key).and_then(toml_edit::Key::span)
}
