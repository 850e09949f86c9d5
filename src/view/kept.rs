//! What is kept from one start to the next, in a folder of settings: a layout, and the files that were opened last. Knows no panel.

use std::path::{Path, PathBuf};

const LAYOUT: &str = "layout.json";
const RECENT: &str = "recent.json";
/// Files that are remembered, at most.
const MOST: usize = 8;

/// The folder of settings that a system has for this program.
pub fn settings() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let settings = folder("XDG_CONFIG_HOME").or_else(|| folder("APPDATA")).or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(settings.join("synfire"))
}

#[derive(Debug, Default)]
pub struct Kept {
    folder: Option<PathBuf>,
    /// The files that were opened last, newest first.
    pub recent: Vec<PathBuf>,
}

impl Kept {
    /// Without a folder nothing is kept.
    pub fn new(folder: Option<PathBuf>) -> Self {
        let mut kept = Self { folder, recent: Vec::new() };
        // A list that cannot be read is begun anew: it holds nothing that is not elsewhere.
        kept.recent = kept.read(RECENT).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        kept
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.as_ref()?.join(name)).ok()
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let folder = self.folder.as_ref();
        let folder = folder.ok_or("no folder for settings is known here: neither XDG_CONFIG_HOME, HOME nor APPDATA is set")?;
        let path = folder.join(name);
        let done = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
        done.map_err(|e| format!("{}: {e}", path.display())).map(|()| path)
    }

    /// A file was opened. An error says why that could not be kept.
    pub fn opened(&mut self, path: &Path) -> Result<(), String> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        self.recent.retain(|known| *known != path);
        self.recent.insert(0, path);
        self.recent.truncate(MOST);
        if self.folder.is_none() {
            return Ok(());
        }
        let text = serde_json::to_string(&self.recent).map_err(|e| e.to_string())?;
        self.write(RECENT, &text).map(|_| ())
    }

    /// The text of the layout that was kept.
    pub fn layout(&self) -> Option<String> {
        self.read(LAYOUT)
    }

    /// Keeps a layout for the next start, and says where.
    pub fn keep_layout(&self, text: &str) -> Result<String, String> {
        Ok(format!("this layout is kept in {}", self.write(LAYOUT, text)?.display()))
    }

    /// Forgets the layout that was kept.
    pub fn forget_layout(&self) {
        if let Some(folder) = &self.folder {
            // What is not there need not be removed.
            let _ = std::fs::remove_file(folder.join(LAYOUT));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_were_opened_are_remembered_newest_first_and_once() {
        let folder = std::env::temp_dir().join(format!("synfire-kept-{}", std::process::id()));
        let mut kept = Kept::new(Some(folder.clone()));
        assert!(kept.recent.is_empty());
        for n in (0..12).chain([7]) {
            kept.opened(&folder.join(format!("{n}.toml"))).unwrap();
        }
        let again = Kept::new(Some(folder.clone())).recent;
        assert_eq!((again.len(), &again[0], &again[1]), (8, &folder.join("7.toml"), &folder.join("11.toml")));
        std::fs::write(folder.join(RECENT), "nonsense").unwrap();
        assert!(Kept::new(Some(folder.clone())).recent.is_empty());
        std::fs::remove_dir_all(folder).unwrap();
        assert!(Kept::new(None).keep_layout("x").is_err() && Kept::new(None).layout().is_none());
    }
}
