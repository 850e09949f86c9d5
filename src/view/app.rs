//! The window: lays out toolbar, panels, parameters and status bar, and turns what a person does into orders. A function
//! of the newest frame; it never waits for the simulation, and opens no file itself.

use std::sync::Arc;

use eframe::egui::{self, Context, Ui};

use super::actions::{Action, Move};
use super::files::File;
use super::gallery::Gallery;
use super::kept::Kept;
use super::look::Look;
use super::panel::{Hand, Panel, Panels};
use super::parameters::Parameters;
use super::tiles::{Arrangement, Drawing, Layout};
use super::{Wish, bars, lesson};
use crate::session::Machine;
use crate::session::live::{Frame, Live, Order, Phase};

pub struct App {
    pub live: Live,
    pub frame: Arc<Frame>,
    pub panels: Panels,
    pub parameters: Parameters,
    pub layout: Layout,
    pub look: Look,
    pub gallery: Gallery,
    pub lesson: lesson::Lesson,
    pub kept: Kept,
    pub(super) palette: Option<String>,
    pub(super) help: bool,
    /// What is wished, and what was asked of the system last.
    full_screen: [bool; 2],
    /// What the window itself has to say, and what of the simulation's was read and put away.
    pub told: Option<String>,
    pub(super) read: Option<String>,
    /// What is open.
    pub(super) file: File,
    watched: Vec<u32>,
    weighed: Option<usize>,
    /// Seconds that the last frame took, painting included.
    pub cost: f32,
    /// When the next frame was asked for, in the window's own time.
    due: Option<f64>,
    /// Pictures that are being drawn come in here.
    pub(super) pictures: (std::sync::mpsc::Sender<String>, std::sync::mpsc::Receiver<String>),
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
        let kept = Kept::new(wish.settings);
        let (layout, told) = wish.layout.map_or_else(|| laid_out(&kept), |usual| (Layout::new(usual), None));
        let mut app = Self {
            frame: live.frame(),
            live,
            panels: Panels::default(),
            parameters: Parameters::default(),
            layout,
            look: wish.look,
            gallery: Gallery::default(),
            lesson: lesson::Lesson::default(),
            kept,
            palette: None,
            help: false,
            full_screen: [false; 2],
            told,
            read: None,
            file: File::default(),
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
            Action::Press(stimulus) => Some(Order::Press(stimulus)),
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
            Action::Look(way) => self.look_at(way),
            Action::Rows(choice) => self.panels.raster.choose(choice),
            Action::PokeSelected => self.poke_selected(),
            Action::Preset(name) => self.set_preset(&name),
            Action::Scene(name) => self.open_shipped(name),
            Action::Recent(path) => self.open_file(path),
            Action::OnDevice => self.panels.raster.change_device(),
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
            Action::KeepLayout => {
                let done = self.layout.written().and_then(|text| self.kept.keep_layout(&text));
                self.told = Some(done.unwrap_or_else(|e| e));
            }
            Action::ResetLayout => {
                self.kept.forget_layout();
                self.layout = Layout::new(Arrangement::Explore);
            }
            Action::SavePng(panel) => self.take_picture(panel, false),
            Action::SaveSvg(panel) => self.take_picture(panel, true),
            Action::SaveCsv(panel) => self.save_data(panel, false),
            Action::SaveNpz(panel) => self.save_data(panel, true),
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

    /// The sight of all panels of time, and the rows of the raster, by keys.
    fn look_at(&mut self, way: Move) {
        let (frame, panels) = (&self.frame, &mut self.panels);
        let (low, high) = panels.raster.heights.unwrap_or((0.0, 1.0));
        match way {
            Move::Back => panels.span.pan(-panels.span.length / 4.0, frame),
            Move::Forth => panels.span.pan(panels.span.length / 4.0, frame),
            Move::Shorter => panels.span.zoom(1.0 / 1.5, 0.5, frame),
            Move::Longer => panels.span.zoom(1.5, 0.5, frame),
            Move::RowsUp => panels.raster.shift(-(high - low) / 4.0),
            Move::RowsDown => panels.raster.shift((high - low) / 4.0),
            Move::FewerRows => panels.raster.zoom(1.0 / 1.5, (low + high) / 2.0),
            Move::MoreRows => panels.raster.zoom(1.5, (low + high) / 2.0),
            Move::AllRows => panels.raster.heights = None,
        }
    }

    fn poke_selected(&mut self) {
        let Some(about) = self.frame.about.clone() else { return };
        let orders = self.panels.tools.poke(&about, self.panels.tools.meant());
        if orders.is_empty() {
            self.told = Some("nobody is selected who has a membrane to be poked".into());
        }
        orders.into_iter().for_each(|o| _ = self.live.order(o));
    }

    fn set_preset(&mut self, name: &str) {
        let Some(about) = self.frame.about.clone() else { return };
        let mut orders = Vec::new();
        if let Some(preset) = about.presets.iter().find(|p| p.name == name) {
            self.parameters.set(&about, preset.set.clone(), &mut orders);
        }
        orders.into_iter().for_each(|o| _ = self.live.order(o));
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

/// The layout that was kept, or the usual one; and what there is to tell of it.
fn laid_out(kept: &Kept) -> (Layout, Option<String>) {
    let Some(text) = kept.layout() else { return (Layout::new(Arrangement::Explore), None) };
    match Layout::read(&text) {
        Ok((layout, 0)) => (layout, None),
        Ok((layout, n)) => (layout, Some(format!("the layout that was kept lacked {n} panels: they are in its largest stack"))),
        Err(e) => {
            (Layout::new(Arrangement::Explore), Some(format!("the layout that was kept cannot be read ({e}): here is the usual one")))
        }
    }
}

impl App {
    /// What is done for every frame before it is drawn, and also while the window is hidden.
    pub fn think(&mut self, ctx: &Context) {
        self.frame = self.live.frame();
        self.reload(ctx.input(|i| i.time));
        self.dropped(ctx);
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
            _ if self.file.path.is_some() => ctx.request_repaint_after_secs(0.5),
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
