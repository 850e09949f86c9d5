//! Lessons: text, a prediction, a measurable check, things to try, and the author's solution. Knows no way to measure.

use toml_edit::{Item, Table, TableLike};

use super::expectations::{self, Expectation, Known};
use super::fields::Reader;
use super::knobs::{Knob, pairs};
use crate::base::problem::did_you_mean;
use crate::base::units::TIME;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lesson {
    pub title: String,
    pub level: String,
    pub minutes: u64,
    pub authors: Vec<String>,
    pub license: String,
    /// Parameters that are not to be turned, by name.
    pub lock: Vec<String>,
    pub steps: Vec<LessonStep>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LessonStep {
    pub text: String,
    /// Panels and parameters that the step is about, as in `panel:raster` and `param:g`.
    pub focus: Vec<String>,
    /// What may be guessed beforehand, and which guess is right.
    pub predict: Option<(Vec<String>, usize)>,
    /// All must hold over `hold` ms.
    pub checks: Vec<Expectation>,
    pub hold: f64,
    /// Buttons: a label and what it sets.
    pub tries: Vec<(String, Vec<(String, String)>)>,
    pub hint: String,
    pub explain: String,
    /// Values with which the author passes the check.
    pub solution: Vec<(String, String)>,
}

pub const KEYS: [&str; 7] = ["title", "level", "minutes", "authors", "license", "lock", "step"];
pub const STEP_KEYS: [&str; 8] = ["text", "focus", "predict", "check", "try", "hint", "explain", "solution"];
pub const PREDICT_KEYS: [&str; 2] = ["choices", "answer"];
pub const CHECK_KEYS: [&str; 2] = ["all", "hold"];
pub const TRY_KEYS: [&str; 2] = ["label", "set"];
pub const SOLUTION_KEYS: [&str; 1] = ["set"];
/// The panels of the window by name.
pub const PANELS: [&str; 12] =
    ["raster", "rates", "traces", "space", "intervals", "spectrum", "curve", "plane", "weights", "equations", "journal", "about"];
/// Time over which a check must hold unless told, ms.
const HOLD: f64 = 1000.0;

pub fn lesson(reader: &mut Reader, document: &Table, among: Known, knobs: &[Knob]) -> Option<Lesson> {
    let item = document.get("lesson")?;
    let Some(table) = item.as_table_like() else {
        reader.say(item, "a lesson is a table", "write [lesson] and below it title = ... and [[lesson.step]]");
        return None;
    };
    reader.keys("[lesson]", table, &KEYS);
    let mut text = |key: &str| reader.string(table, key).unwrap_or_default();
    let (title, level, license) = (text("title"), text("level"), text("license"));
    let authors = texts(reader, table, "authors");
    let lock = locked(reader, table, knobs);
    let minutes = table.get("minutes").and_then(|item| reader.count(item, 10_000)).unwrap_or(0);
    let mut steps = Vec::new();
    for (item, row) in rows(reader, table, "step") {
        steps.push(step(reader, &item, row.as_ref(), among, knobs));
    }
    Some(Lesson { title, level, minutes, authors, license, lock, steps })
}

/// The parameters that a lesson locks: names, in which `*` stands for anything.
fn locked(reader: &mut Reader, table: &dyn TableLike, knobs: &[Knob]) -> Vec<String> {
    let names = || knobs.iter().filter(|k| !k.derived).map(|k| k.name.as_str());
    let mut lock: Vec<String> = Vec::new();
    for pattern in texts(reader, table, "lock") {
        let found: Vec<String> = names().filter(|name| fits(&pattern, name)).map(String::from).collect();
        if found.is_empty() {
            let help = did_you_mean(&pattern, names()).unwrap_or_else(|| "write lock = [\"NAME\"], * stands for anything".into());
            reader.say(table.get("lock").unwrap_or(&Item::None), format!("`{pattern}` locks no parameter of this scene"), help);
        }
        lock.extend(found);
    }
    lock.sort_unstable();
    lock.dedup();
    lock
}

/// Whether a name fits a pattern with stars.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => {
            let tail = name.strip_prefix(head);
            tail.is_some_and(|tail| (0..=tail.len()).any(|i| tail.is_char_boundary(i) && fits(rest, &tail[i..])))
        }
    }
}

fn step(reader: &mut Reader, item: &Item, table: &dyn TableLike, among: Known, knobs: &[Knob]) -> LessonStep {
    reader.keys("a step of a lesson", table, &STEP_KEYS);
    let mut text = |key: &str| paragraphs(&reader.string(table, key).unwrap_or_default());
    let (told, hint, explain) = (text("text"), text("hint"), text("explain"));
    if told.is_empty() {
        reader.say(item, "a step of a lesson has a text", "add text = \"...\"");
    }
    let predict = table.get("predict").and_then(|p| prediction(reader, p));
    let (checks, hold) = table.get("check").map_or((Vec::new(), HOLD), |c| check(reader, c, among));
    let focus = texts(reader, table, "focus");
    focus.iter().for_each(|f| known(reader, table.get("focus").unwrap_or(item), f, knobs));
    let mut tries = Vec::new();
    for (item, row) in rows(reader, table, "try") {
        reader.keys("a button of a lesson", row.as_ref(), &TRY_KEYS);
        let set = setting(reader, &item, row.as_ref(), knobs);
        match reader.string(row.as_ref(), "label") {
            Some(label) => tries.push((label, set)),
            None => reader.say(&item, "a button of a lesson has a label", "add label = \"...\""),
        }
    }
    let solution = match table.get("solution").and_then(|s| Some((s, s.as_table_like()?))) {
        Some((item, solution)) => {
            reader.keys("a solution", solution, &SOLUTION_KEYS);
            setting(reader, item, solution, knobs)
        }
        None => Vec::new(),
    };
    LessonStep { text: told, focus, predict, checks, hold, tries, hint, explain, solution }
}

/// What a button or a solution sets: parameters of the scene, and at least one.
fn setting(reader: &mut Reader, item: &Item, table: &dyn TableLike, knobs: &[Knob]) -> Vec<(String, String)> {
    let set = pairs(table);
    if set.is_empty() {
        reader.say(item, "nothing is set here", "add set = { PARAMETER = VALUE }");
    }
    for (name, _) in &set {
        if !knobs.iter().any(|k| k.name == *name && !k.derived) {
            let help = did_you_mean(name, knobs.iter().filter(|k| !k.derived).map(|k| k.name.as_str()));
            reader.say(item, format!("`{name}` is no parameter that can be set"), help.unwrap_or_default());
        }
    }
    set
}

fn prediction(reader: &mut Reader, item: &Item) -> Option<(Vec<String>, usize)> {
    let example = "predict = { choices = [\"a\", \"b\"], answer = 1 }";
    let Some(table) = item.as_table_like() else {
        reader.say(item, "a prediction is a table", example);
        return None;
    };
    reader.keys("a prediction", table, &PREDICT_KEYS);
    let choices = texts(reader, table, "choices");
    let answer = table.get("answer").and_then(Item::as_integer).and_then(|a| usize::try_from(a).ok()).filter(|a| *a < choices.len());
    if answer.is_none() {
        reader.say(item, "a prediction has choices, and the number of the right one, from 0", example);
    }
    answer.map(|a| (choices, a))
}

fn check(reader: &mut Reader, item: &Item, among: Known) -> (Vec<Expectation>, f64) {
    let example = "check = { all = [{ metric = \"rate.exc\", above = \"3 Hz\" }], hold = \"1 s\" }";
    let Some(table) = item.as_table_like() else {
        reader.say(item, "a check is a table", example);
        return (Vec::new(), HOLD);
    };
    reader.keys("a check", table, &CHECK_KEYS);
    let hold = table.get("hold").and_then(|h| reader.number(h, TIME)).unwrap_or(HOLD);
    if !(hold > 0.0 && hold <= 600_000.0) {
        reader.say(item, format!("a check cannot hold for {hold} ms"), "a time up to 10 minutes");
    }
    let checks = table.get("all").map(|all| expectations::list(reader, all, among)).unwrap_or_default();
    if checks.iter().flat_map(|e| &e.intervals).any(|i| !i.synapses.is_empty()) {
        reader.say(item, "a check of a lesson looks at spikes, not at weights", "take a metric of a population");
    }
    if checks.is_empty() {
        reader.say(item, "a check lists what must hold", example);
    }
    (checks, hold)
}

/// Whether a focus is a panel or a parameter that there is.
fn known(reader: &mut Reader, item: &Item, focus: &str, knobs: &[Knob]) {
    let (kind, name) = focus.split_once(':').unwrap_or((focus, ""));
    let names: Vec<&str> = match kind {
        "panel" => PANELS.to_vec(),
        "param" => knobs.iter().map(|k| k.name.as_str()).collect(),
        _ => Vec::new(),
    };
    if !names.contains(&name) {
        let help = did_you_mean(name, names).unwrap_or_else(|| "write panel:raster or param:NAME".into());
        reader.say(item, format!("there is no `{focus}` to look at"), help);
    }
}

fn texts(reader: &mut Reader, table: &dyn TableLike, key: &str) -> Vec<String> {
    let Some(item) = table.get(key) else { return Vec::new() };
    let list: Option<Vec<String>> = item.as_array().and_then(|all| all.iter().map(|v| v.as_str().map(String::from)).collect());
    list.unwrap_or_else(|| {
        reader.say(item, format!("{key} is a list of texts"), format!("write {key} = [\"...\"]"));
        Vec::new()
    })
}

/// Lines of one paragraph are one line: they are broken anew where they are read. An empty line parts paragraphs.
fn paragraphs(text: &str) -> String {
    let joined = |p: &str| p.split_whitespace().collect::<Vec<_>>().join(" ");
    let all: Vec<String> = text.split("\n\n").map(joined).filter(|p| !p.is_empty()).collect();
    all.join("\n\n")
}

/// The tables of a list, written either way.
fn rows(reader: &mut Reader, table: &dyn TableLike, key: &str) -> Vec<(Item, Box<dyn TableLike>)> {
    let Some(item) = table.get(key) else { return Vec::new() };
    let mut holder = Table::new();
    holder.insert(key, item.clone());
    super::projections::tables(reader, &holder, key)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, does) in
            [("tau", "tau", true), ("tau", "tau_m", false), ("tau*", "tau", true), ("*_m", "tau_m", true), ("a*b*c", "axxbc", true)]
        {
            assert_eq!(fits(pattern, name), does, "{pattern} {name}");
        }
        assert!(!fits("a*b*c", "acb") && fits("*", "") && !fits("", "x"));
    }
}
