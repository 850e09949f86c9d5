//! From the words that name a scene to a loaded scene and its plan.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Failure, args, host};
use crate::base::problem::Source;
use crate::plan::Plan;
use crate::scene::{Options, Scene};
use crate::session::Origin;

/// Loads what `words` name: a file, a shipped scene, or standard input.
pub fn load(words: &args::Scene) -> Result<Scene, Failure> {
    origin(words)?.load().map_err(Failure::Scene)
}

/// Where the scene comes from that `words` name.
pub fn origin(words: &args::Scene) -> Result<Origin, Failure> {
    named(&words.scene, &words.changes)
}

/// Where the scene of this name comes from, with these changes.
pub fn named(name: &str, changes: &args::Changes) -> Result<Origin, Failure> {
    threads(changes.threads)?;
    let (source, folder) = source(name)?;
    let set = changes.set.iter().map(|s| pair(s)).collect::<Result<Vec<_>, _>>()?;
    let (preset, duration, warmup) = (changes.preset.clone(), changes.duration.clone(), changes.warmup.clone());
    Ok(Origin { source, folder, options: Options { set, preset, seed: changes.seed, duration, warmup } })
}

/// Lowers a scene, refusing what does not fit into memory.
pub fn plan(scene: &Scene) -> Result<Plan, Failure> {
    crate::session::memory::fits(&scene.network).map_err(Failure::Limit)?;
    crate::plan::plan_within(&scene.network, host::free_memory()).map_err(|refusal| Failure::Scene(vec![scene.entries.problem(&refusal)]))
}

pub fn source(name: &str) -> Result<(Arc<Source>, Option<PathBuf>), Failure> {
    if name == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|e| Failure::Run(format!("standard input: {e}")))?;
        return Ok((Arc::new(Source { name: "standard input".into(), text }), None));
    }
    let path = Path::new(name);
    if path.is_file() {
        let text = std::fs::read_to_string(path).map_err(|e| Failure::Run(format!("{name}: {e}")))?;
        let folder = path.parent().map(|p| if p.as_os_str().is_empty() { PathBuf::from(".") } else { p.to_path_buf() });
        return Ok((Arc::new(Source { name: name.into(), text }), folder));
    }
    let shipped = crate::scene::shipped();
    match shipped.iter().find(|(n, _)| *n == name) {
        Some((n, text)) => Ok((Arc::new(Source { name: format!("{n}.toml"), text: text.to_string() }), None)),
        None => {
            let hint = crate::base::problem::did_you_mean(name, shipped.iter().map(|(n, _)| *n));
            Err(Failure::Usage(format!(
                "no file and no shipped scene `{name}`: {}",
                hint.unwrap_or_else(|| "`synfire list scenes` names those that are shipped".into())
            )))
        }
    }
}

fn pair(text: &str) -> Result<(String, String), Failure> {
    let (name, value) = text.split_once('=').ok_or_else(|| Failure::Usage(format!("--set {text}: write it as NAME=VALUE")))?;
    Ok((name.trim().into(), value.trim().into()))
}

fn threads(count: Option<usize>) -> Result<(), Failure> {
    let Some(count) = count else { return Ok(()) };
    if count == 0 || count > 1024 {
        return Err(Failure::Usage(format!("--threads {count}: between 1 and 1024")));
    }
    rayon::ThreadPoolBuilder::new().num_threads(count).build_global().map_err(|e| Failure::Run(e.to_string()))
}

pub use crate::session::memory::bytes;
