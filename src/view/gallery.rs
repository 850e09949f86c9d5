//! The scenes that are part of the program, and the files of a folder. Knows no simulation.

use std::path::PathBuf;

use eframe::egui::{self, Context, RichText};

pub enum Chosen {
    Shipped(&'static str),
    File(PathBuf),
}

#[derive(Default)]
pub struct Gallery {
    pub shown: bool,
    browsing: bool,
    folder: PathBuf,
    typed: String,
}

impl Gallery {
    /// Shows the files of the folder where the program was started.
    pub fn browse(&mut self) {
        self.browsing = !self.browsing;
        if self.folder.as_os_str().is_empty() {
            self.folder = std::env::current_dir().unwrap_or_default();
        }
    }

    /// `recent` are the files that were opened last.
    pub fn show(&mut self, ctx: &Context, recent: &[PathBuf]) -> Option<Chosen> {
        let mut chosen = None;
        let mut open = self.shown;
        egui::Window::new("Scenes").open(&mut open).collapsible(false).default_width(560.0).show(ctx, |ui| {
            egui::ScrollArea::vertical().max_height(460.0).show(ui, |ui| {
                if !recent.is_empty() {
                    ui.heading("Opened last");
                }
                for path in recent {
                    if ui.button(path.display().to_string()).clicked() {
                        chosen = Some(Chosen::File(path.clone()));
                    }
                }
                for (group, scenes) in crate::scene::groups() {
                    ui.heading(*group);
                    for (name, text) in *scenes {
                        let title = quoted(text, "title").unwrap_or(name);
                        let about = super::look::flowing(quoted(text, "about").unwrap_or_default());
                        ui.group(|ui| {
                            ui.set_min_width(ui.available_width());
                            if ui.add(egui::Button::new(RichText::new(title).strong().size(15.0))).clicked() {
                                chosen = Some(Chosen::Shipped(name));
                            }
                            ui.label(about);
                            ui.weak(*name);
                        });
                    }
                }
            });
            if ui.button("Open a file...").clicked() {
                self.browse();
            }
        });
        self.shown = open && chosen.is_none();
        chosen.or_else(|| self.files(ctx))
    }

    fn files(&mut self, ctx: &Context) -> Option<Chosen> {
        let mut chosen = None;
        let mut open = self.browsing;
        egui::Window::new("Open a file").open(&mut open).collapsible(false).default_width(480.0).show(ctx, |ui| {
            ui.horizontal(|ui| {
                let label = ui.label("Path");
                let field = ui.add(egui::TextEdit::singleline(&mut self.typed).hint_text("a scene, TOML or JSON").desired_width(360.0));
                let field = field.labelled_by(label.id);
                if ui.button("Open").clicked() || (field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter))) {
                    chosen = Some(Chosen::File(PathBuf::from(self.typed.trim())));
                }
            });
            ui.weak(self.folder.display().to_string());
            let mut entries: Vec<(bool, String)> = std::fs::read_dir(&self.folder)
                .into_iter()
                .flatten()
                .flatten()
                .map(|e| (!e.path().is_dir(), e.file_name().to_string_lossy().to_string()))
                .filter(|(file, name)| !name.starts_with('.') && (!file || name.ends_with(".toml") || name.ends_with(".json")))
                .collect();
            entries.sort();
            egui::ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                if ui.button("up").clicked() {
                    self.folder.pop();
                }
                for (file, name) in entries {
                    if ui.button(if file { name.clone() } else { format!("{name}/") }).clicked() {
                        match file {
                            true => chosen = Some(Chosen::File(self.folder.join(name))),
                            false => self.folder.push(name),
                        }
                    }
                }
            });
        });
        self.browsing = open && chosen.is_none();
        chosen
    }
}

/// The first text of a key in a scene, in one or in three quotes.
fn quoted<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = text.split(&format!("\n{key} = ")).nth(1)?;
    match rest.strip_prefix("\"\"\"") {
        Some(long) => long.split("\"\"\"").next(),
        None => rest.split('"').nth(1),
    }
}
