//! What the window opens and writes: scenes, sessions, pictures and data. Knows no widget.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::Context;

use super::app::App;
use super::lesson::Lesson;
use super::panel::Panel;
use super::picture::{self, Shot};
use crate::base::problem::Source;
use crate::scene::Options;
use crate::session::live::{Opening, Order, Phase};
use crate::session::{self, Origin};

/// Seconds between two looks at the file that is open.
const EVERY: f64 = 0.5;

/// What is open: its file, if it is one, and how it was opened.
#[derive(Default)]
pub struct File {
    pub path: Option<PathBuf>,
    /// What was known of it when it was read.
    known: Option<std::fs::Metadata>,
    options: Options,
    fit: bool,
    looked: f64,
}

fn origin(path: &Path, text: String, options: Options) -> Origin {
    let source = Arc::new(Source { name: path.display().to_string(), text });
    let folder = path.parent().map(|p| if p.as_os_str().is_empty() { PathBuf::from(".") } else { p.to_path_buf() });
    Origin { source, folder, options }
}

impl App {
    pub(super) fn open(&mut self, origin: Origin, path: Option<PathBuf>, run: bool, fit: bool) {
        let known = path.as_ref().and_then(|path| std::fs::metadata(path).ok());
        let noted = path.as_ref().map_or(Ok(()), |path| self.kept.opened(path));
        if let Err(e) = noted {
            self.told = Some(format!("this file will not be among those opened last: {e}"));
        }
        self.file = File { path, known, options: origin.options.clone(), fit, looked: self.file.looked };
        self.live.order(Order::Open(Box::new(Opening { origin, run, fit })));
        self.parameters.forget();
        self.lesson = Lesson::default();
    }

    /// Opens a shipped scene.
    pub fn open_shipped(&mut self, name: &str) {
        if let Some((name, text)) = crate::scene::shipped().iter().find(|(n, _)| *n == name) {
            let source = Arc::new(Source { name: format!("{name}.toml"), text: text.to_string() });
            self.open(Origin { source, folder: None, options: Options::default() }, None, true, true);
        }
    }

    /// Opens a file; one that cannot be read is told about.
    pub fn open_file(&mut self, path: PathBuf) {
        self.open_with(path, Options::default(), true, true);
    }

    fn open_with(&mut self, path: PathBuf, options: Options, run: bool, fit: bool) {
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                self.told = None;
                self.open(origin(&path, text, options), Some(path), run, fit);
            }
            Err(e) => self.told = Some(format!("{}: {e}", path.display())),
        }
    }

    /// Goes on with the text of the file when it was changed, or opens it anew with the options that it was opened with; what was
    /// paused stays so.
    pub(super) fn reload(&mut self, now: f64) {
        if now - self.file.looked < EVERY {
            return;
        }
        self.file.looked = now;
        let Some(path) = self.file.path.clone() else { return };
        let time = |m: &std::fs::Metadata| m.modified().ok();
        let fresh = std::fs::metadata(&path).ok();
        if fresh.as_ref().and_then(time) != self.file.known.as_ref().and_then(time) && fresh.is_some() {
            let (options, fit) = (self.file.options.clone(), self.file.fit);
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    self.file.known = fresh;
                    let run = self.frame.phase != Phase::Paused;
                    self.told = None;
                    self.live.order(Order::Rewrite(Box::new(Opening { origin: origin(&path, text, options), run, fit })));
                    self.parameters.forget();
                }
                Err(e) => self.told = Some(format!("{}: {e}", path.display())),
            }
        }
    }

    /// Opens a file that was dropped on the window.
    pub(super) fn dropped(&mut self, ctx: &Context) {
        let mut paths: Vec<PathBuf> = ctx.input(|i| i.raw.dropped_files.iter().map(|f| f.path().to_path_buf()).collect());
        if paths.is_empty() {
            return;
        }
        self.open_file(paths.remove(0));
        if let (false, None) = (paths.is_empty(), &self.told) {
            self.told = Some(format!("one scene at a time: the first was opened, and {} left alone", paths.len()));
        }
    }

    /// A file name in the folder where the program was started that is not taken.
    fn path(&self, what: &str, ending: &str) -> PathBuf {
        let title = self.frame.about.as_ref().map_or("scene".into(), |a| a.source.name.clone());
        let stem = PathBuf::from(title).file_stem().map_or("scene".into(), |s| s.to_string_lossy().to_string());
        let what = what.to_lowercase();
        let names =
            (1..).map(|n| PathBuf::from(if n == 1 { format!("{stem}-{what}.{ending}") } else { format!("{stem}-{what}-{n}.{ending}") }));
        names.into_iter().find(|p| !p.exists()).unwrap_or_default()
    }

    pub(super) fn save(&mut self) {
        let path = self.path("session", "toml");
        self.told = Some(match session::saved::save(&self.frame) {
            Ok(text) => written(&path, std::fs::write(&path, text)),
            Err(e) => e,
        });
    }

    /// The numbers behind a panel.
    pub(super) fn save_data(&mut self, panel: Panel, npz: bool) {
        let path = self.path(panel.name(), if npz { "npz" } else { "csv" });
        self.told = Some(match self.panels.data(panel, &self.frame) {
            Some(table) if npz => table.npz(&path).map_or_else(|e| e, |()| written(&path, Ok(()))),
            Some(table) => written(&path, std::fs::write(&path, table.csv())),
            None => format!("there are no numbers behind {}", panel.title()),
        });
    }

    /// Draws a panel on a thread of its own, since a picture is waited for.
    pub(super) fn take_picture(&mut self, panel: Panel, vector: bool) {
        let path = self.path(panel.name(), if vector { "svg" } else { "png" });
        let shot = Shot::of(panel, &self.panels, &self.frame, self.look, self.layout.size(panel));
        let (frame, sender) = (self.frame.clone(), self.pictures.0.clone());
        let drawn = move || {
            let bytes = if vector { Ok(picture::svg(&frame, &shot).into_bytes()) } else { picture::png(&frame, &shot) };
            let told = match bytes {
                Ok(bytes) => written(&path, std::fs::write(&path, bytes)),
                Err(e) => e,
            };
            // A window that is closed does not want to know.
            let _ = sender.send(told);
        };
        if let Err(e) = std::thread::Builder::new().name("picture".into()).spawn(drawn) {
            self.told = Some(e.to_string());
        }
    }
}

/// What to tell of a file that was to be written.
fn written(path: &Path, done: std::io::Result<()>) -> String {
    match done {
        Ok(()) => format!("written: {}", path.display()),
        Err(e) => format!("{}: {e}", path.display()),
    }
}
