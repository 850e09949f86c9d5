//! The window: lays out toolbar, panels, parameters and status bar, and turns what a person does into orders. A function
//! of the newest frame; it never waits for the simulation.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{self, Context, Key, RichText, Ui};

use super::actions::{Action, all};
use super::gallery::Gallery;
use super::look::Look;
use super::panel::{Hand, Panel, Panels};
use super::parameters::Parameters;
use super::picture::{self, Shot};
use super::tiles::{Arrangement, Drawing, Layout};
use super::{Wish, bars, lesson};
use crate::base::problem::Source;
use crate::scene::Options;
use crate::session::live::{Frame, Live, Opening, Order, Phase};
use crate::session::{self, Machine, Origin};

pub struct App {
    pub live: Live,
    pub frame: Arc<Frame>,
    pub panels: Panels,
    pub parameters: Parameters,
    pub layout: Layout,
    pub look: Look,
    pub gallery: Gallery,
    pub lesson: lesson::Lesson,
    palette: Option<String>,
    help: bool,
    /// What is wished, and what was asked of the system last.
    full_screen: [bool; 2],
    /// What the window itself has to say.
    pub told: Option<String>,
    /// The file that is open, and when it was last changed.
    file: Option<(PathBuf, Option<std::fs::Metadata>)>,
    looked: f64,
    watched: Vec<u32>,
    weighed: Option<usize>,
    /// Seconds that the last frame took, painting included.
    pub cost: f32,
    /// When the next frame was asked for, in the window's own time.
    due: Option<f64>,
    /// Pictures that are being drawn come in here.
    pictures: (std::sync::mpsc::Sender<String>, std::sync::mpsc::Receiver<String>),
    look_applied: Option<Look>,
    /// What takes a while is waited for: set for pictures, never for a window.
    pub patient: bool,
}

impl App {
    /// The app on a simulation of its own.
    pub fn new(ctx: &Context, mut wish: Wish) -> Result<Self, String> {
        let (wake, device) = (ctx.clone(), wish.device.take());
        let live = Live::start(wish.backend, device, move || wake.request_repaint())?;
        Ok(Self::with(live, wish))
    }

    /// The app on a simulation on a machine that has been chosen, and why it was.
    pub fn on(ctx: &Context, wish: Wish, machine: Machine, why: String) -> Result<Self, String> {
        let wake = ctx.clone();
        Ok(Self::with(Live::on(machine, why, move || wake.request_repaint())?, wish))
    }

    fn with(live: Live, wish: Wish) -> Self {
        let mut app = Self {
            frame: live.frame(),
            live,
            panels: Panels::default(),
            parameters: Parameters::default(),
            layout: wish.layout.map_or_else(|| Layout::kept().unwrap_or(Layout::new(Arrangement::Explore)), Layout::new),
            look: wish.look,
            gallery: Gallery::default(),
            lesson: lesson::Lesson::default(),
            palette: None,
            help: false,
            full_screen: [false; 2],
            told: None,
            file: None,
            looked: 0.0,
            watched: Vec::new(),
            weighed: None,
            cost: 0.0,
            due: None,
            pictures: std::sync::mpsc::channel(),
            look_applied: None,
            patient: false,
        };
        app.open(wish.origin, wish.file, wish.run, wish.fit);
        app
    }

    fn open(&mut self, origin: Origin, file: Option<PathBuf>, run: bool, fit: bool) {
        self.file = file.map(|path| (path.clone(), std::fs::metadata(path).ok()));
        self.live.order(Order::Open(Box::new(Opening { origin, run, fit })));
        self.parameters.forget();
        self.lesson = lesson::Lesson::default();
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
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let source = Arc::new(Source { name: path.display().to_string(), text });
                let folder = path.parent().map(|p| if p.as_os_str().is_empty() { PathBuf::from(".") } else { p.to_path_buf() });
                self.told = None;
                self.open(Origin { source, folder, options: Options::default() }, Some(path), true, true);
            }
            Err(e) => self.told = Some(format!("{}: {e}", path.display())),
        }
    }

    /// Opens the file anew when it was changed.
    fn reload(&mut self, now: f64) {
        if now - self.looked < 0.5 {
            return;
        }
        self.looked = now;
        let Some((path, known)) = &self.file else { return };
        let time = |m: &std::fs::Metadata| m.modified().ok();
        let fresh = std::fs::metadata(path).ok();
        if fresh.as_ref().and_then(time) != known.as_ref().and_then(time) && fresh.is_some() {
            let path = path.clone();
            self.open_file(path);
        }
    }

    pub fn act(&mut self, action: Action) {
        let order = match action {
            Action::Toggle => Some(if self.frame.phase == Phase::Running { Order::Pause } else { Order::Run }),
            Action::Step => Some(Order::Steps(1)),
            Action::OneMillisecond => Some(Order::Steps(self.steps(1.0))),
            Action::TenMilliseconds => Some(Order::Steps(self.steps(10.0))),
            Action::Restart => Some(Order::Restart(None)),
            Action::NewSeed => Some(Order::Restart(Some(self.frame.seed + 1))),
            Action::Slower => Some(Order::Speed(Some(self.frame.speed.unwrap_or(4.0) / 2.0))),
            Action::Faster => Some(Order::Speed(self.frame.speed.map(|s| s * 2.0).filter(|s| *s <= 64.0))),
            Action::RealTime => Some(Order::Speed(Some(1.0))),
            Action::Speed(speed) => Some(Order::Speed(speed)),
            Action::Guard => Some(Order::Guard(if self.frame.guard.is_some() { None } else { Some(400.0) })),
            Action::Undo => self.parameters.undo(),
            Action::Redo => self.parameters.redo(),
            other => {
                self.act_here(other);
                None
            }
        };
        if let Some(order) = order {
            if matches!(order, Order::Restart(_) | Order::Steps(_) | Order::Run) {
                self.panels.span.follow();
            }
            self.live.order(order);
        }
    }

    /// What concerns the window alone.
    fn act_here(&mut self, action: Action) {
        match action {
            Action::Follow => self.panels.span.follow(),
            Action::Hold(hand) => self.panels.tools.hand = if self.panels.tools.hand == hand { Hand::Look } else { hand },
            Action::Unselect => self.panels.tools.brushed.clear(),
            Action::Calm => self.panels.space.calm = !self.panels.space.calm,
            Action::Ghost => self.ghost(),
            Action::Gallery => self.gallery.shown = !self.gallery.shown,
            Action::Open => self.gallery.browse(),
            Action::Save => self.save(),
            Action::Palette => self.palette = if self.palette.is_some() { None } else { Some(String::new()) },
            Action::Help => self.help = !self.help,
            Action::FullScreen => self.full_screen[0] = !self.full_screen[0],
            Action::Theme(look) => self.look = look,
            Action::Show(panel) => self.layout.show(panel),
            Action::Arrange(arrangement) => self.layout = Layout::new(arrangement),
            Action::KeepLayout => self.told = Some(self.layout.keep().unwrap_or_else(|e| e)),
            Action::ResetLayout => {
                Layout::forget();
                self.layout = Layout::new(Arrangement::Explore);
            }
            Action::SavePng(panel) => self.take_picture(panel, false),
            Action::SaveSvg(panel) => self.take_picture(panel, true),
            Action::SaveCsv(panel) | Action::SaveNpz(panel) => {
                let npz = matches!(action, Action::SaveNpz(_));
                let path = self.path(panel.name(), if npz { "npz" } else { "csv" });
                self.told = Some(match self.panels.data(panel, &self.frame) {
                    Some(table) if npz => table.npz(&path).map_or_else(|e| e, |()| format!("written: {}", path.display())),
                    Some(table) => written(&path, std::fs::write(&path, table.csv())),
                    None => format!("there are no numbers behind {}", panel.title()),
                });
            }
            _ => {}
        }
    }

    fn steps(&self, ms: f64) -> u64 {
        (ms / self.frame.dt.max(1e-9)).round().max(1.0) as u64
    }

    fn ghost(&mut self) {
        let Some(about) = self.frame.about.clone() else { return };
        if self.panels.ghost.is_empty() {
            let lines = super::panels::rates::current(&mut self.panels, &self.frame, &about);
            self.panels.ghost = lines;
        } else {
            self.panels.ghost.clear();
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

    fn save(&mut self) {
        let path = self.path("session", "toml");
        self.told = Some(match session::saved::save(&self.frame) {
            Ok(text) => written(&path, std::fs::write(&path, text)),
            Err(e) => e,
        });
    }

    /// Draws a panel on a thread of its own, since a picture is waited for.
    fn take_picture(&mut self, panel: Panel, vector: bool) {
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

    /// Keys and palette.
    fn commands(&mut self, ctx: &Context) {
        let mut chosen = None;
        if ctx.memory(|m| m.focused()).is_none_or(|_| !ctx.egui_wants_keyboard_input()) {
            for (_, action, key) in all() {
                if key.is_some_and(|k| ctx.input_mut(|i| i.consume_shortcut(&k))) {
                    chosen = Some(action);
                    break;
                }
            }
        }
        if let Some(typed) = &mut self.palette {
            let (mut open, mut done) = (true, ctx.input(|i| i.key_pressed(Key::Escape)));
            egui::Window::new("Commands").open(&mut open).collapsible(false).resizable(false).default_width(360.0).show(ctx, |ui| {
                let field = ui.add(egui::TextEdit::singleline(typed).hint_text("what shall be done?").desired_width(f32::INFINITY));
                field.request_focus();
                let wish = typed.to_lowercase();
                let entries: Vec<_> =
                    all().into_iter().filter(|(n, ..)| wish.split_whitespace().all(|w| n.to_lowercase().contains(w))).collect();
                let enter = ui.input(|i| i.key_pressed(Key::Enter));
                egui::ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
                    for (i, (name, action, key)) in entries.into_iter().enumerate() {
                        let key = key.map(|k| ui.ctx().format_shortcut(&k)).unwrap_or_default();
                        let button = egui::Button::new(name).shortcut_text(key).min_size(egui::vec2(ui.available_width(), 0.0));
                        if ui.add(button).clicked() || (enter && i == 0) {
                            (chosen, done) = (Some(action), true);
                        }
                    }
                });
            });
            if done || !open {
                self.palette = None;
            }
        }
        if let Some(action) = chosen {
            self.act(action);
        }
    }

    fn dialogs(&mut self, ctx: &Context) {
        let mut help = self.help;
        egui::Window::new("Keys").open(&mut help).collapsible(false).show(ctx, |ui| {
            egui::Grid::new("keys").num_columns(2).striped(true).show(ui, |ui| {
                for (name, _, key) in all().into_iter().filter(|(.., k)| k.is_some()) {
                    ui.label(name);
                    ui.monospace(key.map(|k| ui.ctx().format_shortcut(&k)).unwrap_or_default());
                    ui.end_row();
                }
                for (what, key) in
                    [("Zoom in time, in rows", "wheel, Shift + wheel"), ("Look back", "drag"), ("Fit and follow", "double click")]
                {
                    ui.label(what);
                    ui.monospace(key);
                    ui.end_row();
                }
            });
        });
        self.help = help;
        match self.gallery.show(ctx) {
            Some(super::gallery::Chosen::Shipped(name)) => self.open_shipped(name),
            Some(super::gallery::Chosen::File(path)) => self.open_file(path),
            None => {}
        }
    }

    /// A scene that could not be opened, and why the simulation stopped.
    fn troubles(&mut self, ui: &mut Ui) {
        let frame = self.frame.clone();
        if !frame.problems.is_empty() {
            egui::Panel::top("problems").resizable(true).show(ui, |ui| {
                ui.horizontal(|ui| {
                    let count = frame.problems.len();
                    ui.label(
                        RichText::new(format!("{count} problem{} in the scene", if count == 1 { "" } else { "s" }))
                            .strong()
                            .color(ui.visuals().error_fg_color),
                    );
                    if frame.about.is_some() {
                        ui.weak("the scene that was open goes on");
                    }
                });
                egui::ScrollArea::both().max_height(240.0).show(ui, |ui| {
                    for problem in frame.problems.iter() {
                        ui.label(RichText::new(problem.render()).monospace());
                    }
                });
            });
        }
        if let Some(why) = &frame.stopped {
            egui::Panel::top("stopped").show(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    ui.label(RichText::new(format!("Stopped: {why}")).color(ui.visuals().warn_fg_color));
                    if ui.button("Go on without the guard").clicked() {
                        self.live.order(Order::Guard(None));
                        self.live.order(Order::Run);
                    }
                    if ui.button("Restart").clicked() {
                        self.act(Action::Restart);
                    }
                });
            });
        }
        if let Some(note) = frame.note.clone().or(self.told.clone()) {
            egui::Panel::top("note").show(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    ui.label(note.trim_end());
                    if self.told.is_some() && ui.small_button("Dismiss").clicked() {
                        self.told = None;
                    }
                });
            });
        }
    }

    /// What the panels that are shown need, and no more.
    fn watch(&mut self, drawn: &[Panel]) {
        let Some(about) = self.frame.about.as_ref().filter(|_| self.frame.phase != Phase::Building) else { return };
        let tools = &mut self.panels.tools;
        if tools.of != self.frame.generation {
            tools.of = self.frame.generation;
            let neurons = about.neurons();
            if tools.selected.is_empty() || tools.selected.iter().any(|n| *n >= neurons) {
                tools.selected = about.ranges().iter().take(2).map(|r| r.0).collect();
            }
            tools.brushed.retain(|n| *n < neurons);
            self.watched.clear();
            self.weighed = None;
        }
        let weigh = self.panels.weights.at(about);
        let weigh =
            (drawn.contains(&Panel::Weights) && about.plan.projections.get(weigh).is_some_and(|p| p.plastic.is_some())).then_some(weigh);
        if weigh != self.weighed {
            self.weighed = weigh;
            self.live.order(Order::Weigh(weigh));
        }
        let wish = if drawn.contains(&Panel::Traces) { tools.selected.clone() } else { Vec::new() };
        if wish != self.watched {
            self.watched.clone_from(&wish);
            self.live.order(Order::Watch(wish));
        }
    }
}

/// What to tell of a file that was to be written.
fn written(path: &std::path::Path, done: std::io::Result<()>) -> String {
    match done {
        Ok(()) => format!("written: {}", path.display()),
        Err(e) => format!("{}: {e}", path.display()),
    }
}

impl App {
    /// What is done for every frame before it is drawn, and also while the window is hidden.
    pub fn think(&mut self, ctx: &Context) {
        self.frame = self.live.frame();
        self.reload(ctx.input(|i| i.time));
        let dropped = ctx.input(|i| i.raw.dropped_files.first().map(|f| f.path().to_path_buf()));
        if let Some(path) = dropped {
            self.open_file(path);
        }
        while let Ok(told) = self.pictures.1.try_recv() {
            self.told = Some(told);
        }
    }

    /// Draws the window and asks for the next frame.
    pub fn draw(&mut self, ui: &mut Ui) {
        let ctx = ui.ctx().clone();
        if self.look_applied != Some(self.look) {
            self.look.apply(&ctx);
            self.look_applied = Some(self.look);
        }
        self.commands(&ctx);
        if self.full_screen[0] != self.full_screen[1] {
            self.full_screen[1] = self.full_screen[0];
            ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(self.full_screen[0]));
        }
        let mut actions = Vec::new();
        let mut orders = Vec::new();
        egui::Panel::top("toolbar").show(ui, |ui| bars::toolbar(ui, self, &mut actions, &mut orders));
        egui::Panel::bottom("status").show(ui, |ui| bars::status(ui, self));
        self.troubles(ui);
        egui::Panel::right("side").default_size(330.0).min_size(240.0).resizable(true).show(ui, |ui| {
            self.lesson.show(ui, &self.frame, &mut self.parameters, &mut orders, &mut self.layout);
            bars::scene(ui, &self.frame, &mut self.parameters, &mut orders);
            self.parameters.show(ui, &self.frame, &mut orders);
        });
        let mut drawn = Vec::new();
        egui::CentralPanel::default().frame(egui::Frame::NONE.fill(ui.visuals().panel_fill).inner_margin(4.0)).show(ui, |ui| {
            let drawing = Drawing {
                panels: &mut self.panels,
                frame: &self.frame,
                orders: &mut orders,
                actions: &mut actions,
                drawn: Vec::new(),
                wait: self.patient,
            };
            drawn = self.layout.draw(ui, drawing);
        });
        self.dialogs(&ctx);
        self.watch(&drawn);
        actions.into_iter().for_each(|a| self.act(a));
        orders.into_iter().for_each(|o| _ = self.live.order(o));
        // Drawing takes half of the time at most; what stands still is not drawn again.
        self.due = None;
        match self.frame.phase {
            Phase::Running | Phase::Building => {
                let wait = self.cost.clamp(0.033, 0.2);
                self.due = Some(ctx.input(|i| i.time) + f64::from(wait));
                ctx.request_repaint_after_secs(wait);
            }
            _ if self.file.is_some() => ctx.request_repaint_after_secs(0.5),
            _ => {}
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _: &mut eframe::Frame) {
        self.think(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        // The painting is done elsewhere, and is not in eframe's figure: a frame that comes late has waited for it.
        let late = self.due.map_or(0.0, |due| (ui.input(|i| i.time) - due).clamp(0.0, 1.0));
        self.cost = frame.info().cpu_usage.unwrap_or(0.0) + late as f32;
        self.draw(ui);
    }
}
