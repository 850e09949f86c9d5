//! Built-in models: each alone, and beside its own text pasted into a scene under other names. Knows no equation.

use std::collections::HashSet;

use synfire::model::builtin;

use super::hand::{NEURONS, STEPS, best, engine, load, update};

fn scene(head: &str, model: &str) -> String {
    format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"10 s\"\n{head}\n[populations.cells]\nmodel = \"{model}\"\nsize = {NEURONS}\n")
}

/// The text of a model as a table of a scene, all its own names changed.
fn renamed(text: &str) -> String {
    let mut own = HashSet::new();
    let mut inside = false;
    for line in text.lines() {
        inside = if line.starts_with('[') { true } else { inside };
        if let (true, Some((key, _))) = (inside, line.split_once(" = ")) {
            own.insert(key.trim());
        }
    }
    let mut out = String::from("[models.mine]\n");
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        let derivative = word.strip_prefix('d').filter(|state| c == '/' && own.contains(state));
        match derivative {
            Some(state) => out.extend(["dmy_", state]),
            None => out.extend([if own.contains(&*word) { "my_" } else { "" }, &word]),
        }
        word.clear();
        out.push(c);
    }
    ["parameters", "state", "receptors", "inputs"]
        .iter()
        .fold(out, |text, table| text.replace(&format!("\n[{table}"), &format!("\n[models.mine.{table}")))
}

/// A built-in against its own text.
pub fn pasted(name: &str) {
    let text = builtin().iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text);
    let mut own = engine(load(&scene("", name)));
    let mut mine = engine(load(&scene(&renamed(text), "mine")));
    let [own, mine] = best(|| update(&mut own), || update(&mut mine));
    println!("{name:32} {own:9.2} {mine:8.2} {:6.2}", mine / own);
}

/// Every built-in model, at rest.
pub fn all() {
    for (name, _) in builtin() {
        let mut engine = engine(load(&scene("", name)));
        let seconds = (0..20).map(|_| update(&mut engine)).fold(f64::INFINITY, f64::min);
        println!("{name:32} {:9.2}", seconds * 1e9 / (NEURONS as f64 * STEPS as f64));
    }
}
