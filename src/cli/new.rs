//! `synfire new`: a scene to begin with, full of comments, which runs as it is.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Failure;
use super::args::New;
use super::scene::source;
use super::terminal::Terminal;
use crate::base::problem::Problem;
use crate::scene::Options;

const TEMPLATE: &str = include_str!("template.toml");
/// What editors read to complete keys and underline mistakes.
const SCHEMA: &str = "synfire.schema.json";

pub fn new(words: &New, terminal: &Terminal) -> Result<(), Failure> {
    let path = path(&words.name)?;
    if path.exists() && !words.force {
        return Err(Failure::Run(format!("{} exists: take another name, or --force to replace it", path.display())));
    }
    let text = match words.from.as_deref() {
        None => TEMPLATE.replace("NAME", &title(&path)),
        Some(from) => source(from)?.0.text.clone(),
    };
    let text = if text.starts_with("#:schema") || text.trim_start().starts_with('{') { text } else { format!("#:schema {SCHEMA}\n{text}") };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf();
    write(&path, &text)?;
    let schema = folder.join(SCHEMA);
    let mut written = vec![path.display().to_string()];
    if !schema.exists() {
        write(&schema, &format!("{:#}\n", crate::scene::schema()))?;
        written.push(schema.display().to_string());
    }
    let source = crate::base::problem::Source { name: path.display().to_string(), text };
    if let Err(problems) = crate::scene::load(source.into(), Some(&folder), &Options::default()) {
        let all: String = problems.iter().map(Problem::render).collect();
        terminal.note(format!("{all}the new scene does not load yet: files that it names must be copied beside it too"));
    }
    let name = path.display();
    let text =
        || format!("{}\nrun it with: synfire run {name}\n", written.iter().map(|w| format!("wrote {w}")).collect::<Vec<_>>().join("\n"));
    terminal.data(text, || json!({ "written": written }))
}

/// The file of a name: `.toml` is added where it is missing.
fn path(name: &str) -> Result<PathBuf, Failure> {
    let mut path = PathBuf::from(name);
    if path.file_name().is_none_or(|n| n.to_str().is_none_or(|n| n.trim_matches(['.', '-', ' ']).is_empty())) {
        return Err(Failure::Usage(format!("`{name}` is no name for a file")));
    }
    if path.extension().is_none_or(|e| e != "toml" && e != "json") {
        path.as_mut_os_string().push(".toml");
    }
    Ok(path)
}

fn title(path: &Path) -> String {
    path.file_stem().map_or_else(|| "scene".into(), |s| s.to_string_lossy().replace(['"', '\\'], ""))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|e| Failure::Run(format!("{}: {e}", path.display())))
}
