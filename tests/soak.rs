//! A window that is minimised or hidden for long: nobody draws, the simulation goes on at its pace, and memory stays bounded.
#![cfg(feature = "view")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{Context, RawInput, Rect, pos2, vec2};
use synfire::base::problem::Source;
use synfire::scene::Options;
use synfire::session::live::{Order, Phase};
use synfire::session::memory::resident;
use synfire::session::{Backend, Origin};
use synfire::view::{Action, App, Arrangement, Look, Wish};

/// Cells that fire so much that what is held for looking back is full after seconds of their life.
const BUSY: &str = "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[populations.cells]\nmodel = \"poisson_generator\"\n\
    size = 4000\n[populations.cells.parameters]\nrate = \"2 kHz\"\n";

struct Window {
    ctx: Context,
    app: App,
    time: f64,
}

impl Window {
    fn new() -> Self {
        let ctx = Context::default();
        let source = Arc::new(Source { name: "busy.toml".into(), text: BUSY.into() });
        let origin = Origin { source, folder: None, options: Options::default() };
        let (backend, look, layout) = (Backend::Cpu, Look::Dark, Some(Arrangement::Explore));
        let app = App::new(&ctx, Wish { origin, file: None, backend, device: None, run: true, fit: false, look, layout, settings: None })
            .unwrap();
        Self { ctx, app, time: 0.0 }
    }

    fn draw(&mut self) {
        self.time += 0.1;
        let screen_rect = Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1280.0, 800.0)));
        self.app.think(&self.ctx);
        let output = self.ctx.run_ui(RawInput { screen_rect, time: Some(self.time), ..RawInput::default() }, |ui| self.app.draw(ui));
        assert!(!output.shapes.is_empty());
    }

    /// As eframe does with a window that is not seen: its logic, now and then, and no drawing.
    fn hidden(&mut self, length: Duration) {
        let start = Instant::now();
        while start.elapsed() < length {
            self.app.think(&self.ctx);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn soak(length: Duration) {
    let mut window = Window::new();
    window.app.live.order(Order::Guard(None));
    window.app.act(Action::Speed(None));
    // Not kept: whoever holds on to a frame holds on to its spikes.
    let full = window.app.live.until(Duration::from_secs(300), |f| f.forgotten > 0).is_some();
    assert!(full, "what is held for looking back was never full");
    (0..5).for_each(|_| window.draw());
    let held = |window: &Window| window.app.frame.chunks.iter().map(|c| c.spikes.len() * 8).sum::<usize>();
    let (begun, memory, forgotten) = (window.app.live.frame().step, resident(), window.app.frame.forgotten);
    let mut last = begun;
    for part in 0..10 {
        window.hidden(length / 10);
        let frame = window.app.live.frame();
        assert!(frame.step > last && frame.phase == Phase::Running && frame.stopped.is_none(), "it stood still in part {part} of the time");
        last = frame.step;
        assert!(held(&window) < 200 << 20, "{} bytes of spikes are held", held(&window));
    }
    if let (Some(before), Some(after)) = (memory, resident()) {
        assert!(after < before + (64 << 20), "from {before} to {after} bytes while nobody looked");
    }
    // What was forgotten is counted, and the window that comes back shows the present at once.
    window.draw();
    let frame = &window.app.frame;
    assert!(frame.forgotten > forgotten && frame.step >= last);
    assert_eq!(frame.spikes, frame.forgotten + frame.chunks.iter().map(|c| c.spikes.len() as u64).sum::<u64>());
    let (_, shown) = window.app.panels.span.steps(frame);
    assert_eq!(shown, frame.step);
}

#[test]
fn a_hidden_window_neither_stops_the_simulation_nor_gathers_memory() {
    soak(Duration::from_secs(4));
}

#[test]
#[ignore = "takes five minutes"]
fn a_window_that_is_hidden_for_minutes_neither_stops_the_simulation_nor_gathers_memory() {
    soak(Duration::from_secs(300));
}
