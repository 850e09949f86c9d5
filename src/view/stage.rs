//! A window without a display: the real app and its real drawing, painted by the first adapter, frame by frame. Reads no clock of
//! its own, and decides nothing.

use eframe::egui::{Context, Event, RawInput, Rect, Vec2, ViewportId, pos2};

use super::Wish;
use super::app::App;
use super::canvas::Canvas;
use crate::base::problem::Problem;
use crate::session::live::DAY;

/// How time is read and let pass.
pub struct Clock {
    pub now: fn() -> f64,
    pub rest: fn(f64),
}

/// What a frame took, in ms, and how long the next may wait, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// In the window's own code.
    pub code: f64,
    /// With its painting.
    pub whole: f64,
    pub wait: f64,
}

pub struct Stage {
    pub ctx: Context,
    pub app: App,
    canvas: Canvas,
    size: Vec2,
    pub clock: Clock,
    start: f64,
}

impl Stage {
    /// Opens the window; its network is built when this returns. An error says what is wrong with scene or adapter.
    pub fn new(wish: Wish, size: Vec2, clock: Clock) -> Result<Self, String> {
        let ctx = Context::default();
        let run = wish.run;
        let mut app = App::new(&ctx, wish)?;
        let built = app.live.until(DAY, |f| f.step > 0 || (!run && f.about.is_some()) || !f.problems.is_empty() || f.stopped.is_some());
        let built = built.ok_or("the network was not built in a day")?;
        if !built.problems.is_empty() {
            return Err(built.problems.iter().map(Problem::render).collect());
        }
        let (canvas, counting) = Canvas::of_window(&ctx, size.x as u32, size.y as u32)?;
        app.panels.raster.device = counting;
        let start = (clock.now)();
        Ok(Self { ctx, app, canvas, size, clock, start })
    }

    /// The adapter that paints, by its name.
    pub fn adapter(&self) -> &str {
        &self.canvas.adapter
    }

    pub fn frame(&mut self, events: Vec<Event>) -> Result<Took, String> {
        let begun = (self.clock.now)();
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), self.size)),
            time: Some(begun - self.start),
            events,
            ..RawInput::default()
        };
        self.app.think(&self.ctx);
        let output = self.ctx.run_ui(input, |ui| self.app.draw(ui));
        let code = self.since(begun);
        let wait = output.viewport_output.get(&ViewportId::ROOT).map_or(0.0, |v| v.repaint_delay.as_secs_f64());
        self.canvas.draw(&self.ctx, output)?;
        let whole = self.since(begun);
        self.app.cost = whole as f32;
        Ok(Took { code: code * 1e3, whole: whole * 1e3, wait })
    }

    /// Waits as a window does: until the next frame is due, or something has happened.
    pub fn rest(&self, wait: f64) {
        let begun = (self.clock.now)();
        while self.since(begun) < wait.min(0.25) && !self.ctx.has_requested_repaint() {
            (self.clock.rest)(0.001);
        }
    }

    /// Seconds since an instant, and since the window was opened.
    pub fn since(&self, begun: f64) -> f64 {
        (self.clock.now)() - begun
    }

    pub fn age(&self) -> f64 {
        self.since(self.start)
    }
}
