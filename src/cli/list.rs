//! `synfire list`: what is built in.

use super::Failure;
use super::args::What;

pub fn list(what: What) -> Result<(), Failure> {
    match what {
        What::Scenes => crate::scene::shipped().iter().for_each(|(name, text)| println!("{name:22} {}", value(text, "title"))),
        What::Models => crate::model::builtin().iter().for_each(|(name, text)| println!("{name:22} {}", value(text, "about"))),
        What::Metrics => crate::record::METRICS.iter().for_each(|m| println!("{:16} {}\n", m.name, m.about)),
    }
    Ok(())
}

/// The first `key = "..."` of a text.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    text.lines().find_map(|l| l.strip_prefix(key)?.split('"').nth(1)).unwrap_or("")
}
