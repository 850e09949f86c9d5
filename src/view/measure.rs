//! What the window costs, measured without a display: the real app and its real drawing, painted by the first adapter. Times of
//! frames, from a key or a slider to the frame that shows its effect, and memory while it is drawn and while it is hidden. Reads
//! no clock of its own. Times are in seconds where nothing else is said.

use eframe::egui::{Event, Key, Modifiers, Vec2};

use super::stage::{Clock, Stage};
use super::{Action, Wish};
use crate::session::live::{DAY, Order, Phase};
use crate::session::memory::resident;

/// Frames before anything is measured: fonts, axes and the figures of the simulation settle.
const WARM: f64 = 2.0;
/// Time between two presses.
const PRESS: f64 = 0.7;
/// What has no effect for so long has none.
const PATIENCE: f64 = 10.0;

/// What was measured; times in ms.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    pub adapter: String,
    pub neurons: u64,
    /// Real-time factor of the simulation beside the drawing, and its spikes per second of life.
    pub factor: f64,
    pub spikes_per_second: f64,
    /// From frame to frame; computing of one frame in the window's own code; and with the painting.
    pub between: Vec<f64>,
    pub code: Vec<f64>,
    pub whole: Vec<f64>,
    /// From a press of a key, right after a frame, to the frame that shows what it did; and the same of a slider.
    pub key: Vec<f64>,
    pub slider: Vec<f64>,
    /// Bytes of the process after the warm-up, after the drawing, and after a time hidden.
    pub memory: [Option<u64>; 3],
    /// Bytes of spikes and samples that are held for looking back, at the same times.
    pub held: [u64; 3],
    /// Steps of the simulation while the window was hidden, and the speed that was asked for, in steps.
    pub hidden: [f64; 2],
}

/// Bytes of the process, and of the spikes and samples that are held for looking back.
fn note(window: &Stage) -> (Option<u64>, u64) {
    let held = window.app.frame.chunks.iter().map(|c| c.spikes.len() * 8 + c.traces.iter().map(|t| t.len() * 4).sum::<usize>());
    (resident(), held.sum::<usize>() as u64)
}

/// Draws a scene for some time, presses things, then hides the window for as long.
pub fn measure(wish: Wish, size: Vec2, length: f64, clock: Clock) -> Result<Drawn, String> {
    let mut window = Stage::new(wish, size, clock)?;
    let mut out = Drawn { adapter: window.adapter().to_string(), ..Drawn::default() };
    window.app.act(Action::Guard);
    while window.age() < WARM {
        let took = window.frame(Vec::new())?;
        window.rest(took.wait);
    }
    out.neurons = window.app.frame.about.as_ref().map_or(0, |a| u64::from(a.neurons()));
    (out.memory[0], out.held[0]) = note(&window);
    let begun = (window.clock.now)();
    let (mut pressed, mut last) = (begun, begun);
    while window.since(begun) < length {
        if window.since(pressed) >= PRESS {
            pressed = (window.clock.now)();
            press(&mut window, &mut out)?;
            last = (window.clock.now)();
        }
        let took = window.frame(Vec::new())?;
        // What stands still is not drawn again: only frames of a network that runs follow on each other.
        if window.app.frame.phase == Phase::Running {
            out.between.push(window.since(last) * 1e3);
        }
        last = (window.clock.now)();
        out.code.push(took.code);
        out.whole.push(took.whole);
        window.rest(took.wait);
    }
    (out.factor, out.spikes_per_second) = (window.app.frame.speeds.factor, window.app.frame.speeds.spikes_per_second);
    (out.memory[1], out.held[1]) = note(&window);
    hide(&mut window, &mut out, length);
    Ok(out)
}

/// A press of the space key, and a move of the first slider, in turn; each until its effect has been drawn.
fn press(window: &mut Stage, out: &mut Drawn) -> Result<(), String> {
    let begun = (window.clock.now)();
    // Two keys, so that it runs again, and then a slider.
    let slider = out.key.len() >= 2 * (out.slider.len() + 1);
    let knob = window.app.frame.about.as_ref().and_then(|a| {
        let live =
            |(i, k): (usize, &crate::scene::Knob)| (k.range.is_some() && !k.derived && a.rebuilds.get(i)?.is_none()).then(|| k.clone());
        a.knobs.iter().enumerate().find_map(live)
    });
    if let (true, Some(knob)) = (slider, knob) {
        let [low, high] = knob.range.unwrap_or([0.0, 1.0]);
        let value = if knob.value > (low + high) / 2.0 { knob.value - (high - low) * 1e-3 } else { knob.value + (high - low) * 1e-3 };
        let written = if knob.unit.is_empty() { value.to_string() } else { format!("{value} {}", knob.unit) };
        let number = window.app.live.order(Order::Set(vec![(knob.name, written)]));
        while window.app.frame.done < number && window.since(begun) < PATIENCE {
            let took = window.frame(Vec::new())?;
            window.rest(took.wait);
        }
        out.slider.push(window.since(begun) * 1e3);
        return Ok(());
    }
    let was = window.app.frame.phase;
    let key = |pressed| Event::Key { key: Key::Space, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE };
    let mut wait = window.frame(vec![key(true), key(false)])?.wait;
    while window.app.frame.phase == was && window.since(begun) < PATIENCE {
        window.rest(wait);
        wait = window.frame(Vec::new())?.wait;
    }
    out.key.push(window.since(begun) * 1e3);
    Ok(())
}

/// The window is not drawn, as when it is minimised: only what needs no drawing is done, and that seldom.
fn hide(window: &mut Stage, out: &mut Drawn, length: f64) {
    if window.app.frame.phase != Phase::Running {
        window.app.act(Action::Toggle);
        window.app.live.until(DAY, |f| f.phase == Phase::Running || f.stopped.is_some());
    }
    let (begun, from) = ((window.clock.now)(), window.app.live.frame().step);
    while window.since(begun) < length {
        window.app.think(&window.ctx);
        (window.clock.rest)(length.min(0.5));
    }
    let frame = window.app.live.frame();
    let asked = frame.speed.map_or(f64::INFINITY, |s| s * window.since(begun) * 1e3 / frame.dt);
    out.hidden = [(frame.step - from) as f64, asked];
    window.app.think(&window.ctx);
    (out.memory[2], out.held[2]) = note(window);
}
