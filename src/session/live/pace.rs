//! How many steps to take now, so that the speed is the one asked for and orders never wait long; and how fast it went.

use std::time::{Duration, Instant};

use super::Speeds;
use crate::session::Governor;

/// What is behind by more than this is never caught up.
const LAG: f64 = 0.1;

#[derive(Debug)]
pub struct Pace {
    dt: f64,
    speed: Option<f64>,
    /// Time at which the network should stand at this step.
    anchor: (Instant, f64),
    /// How much is computed between two looks at the mailbox.
    governor: Governor,
    window: Window,
    speeds: Speeds,
}

/// What was done since an instant.
#[derive(Debug)]
struct Window {
    since: Instant,
    busy: f64,
    steps: u64,
    spikes: u64,
}

impl Window {
    fn new() -> Self {
        Self { since: Instant::now(), busy: 0.0, steps: 0, spikes: 0 }
    }
}

impl Pace {
    /// `dt` in ms; the engine takes `batch` steps at once.
    pub fn new(dt: f64, speed: Option<f64>, batch: u64) -> Self {
        Self {
            dt,
            speed,
            anchor: (Instant::now(), 0.0),
            governor: Governor::window(batch),
            window: Window::new(),
            speeds: Speeds::default(),
        }
    }

    /// From now on, at this speed.
    pub fn start(&mut self, speed: Option<f64>, step: u64) {
        self.speed = speed;
        self.anchor = (Instant::now(), step as f64);
        self.window = Window::new();
    }

    /// Steps to take now, or how long to wait for the next.
    pub fn next(&mut self, step: u64) -> Result<u64, Duration> {
        let slice = self.governor.steps();
        let Some(speed) = self.speed else { return Ok(slice) };
        let per_second = speed * 1e3 / self.dt;
        let due = self.anchor.1 + self.anchor.0.elapsed().as_secs_f64() * per_second;
        let behind = due - step as f64;
        if behind > (LAG * per_second).max(2.0) {
            self.anchor = (Instant::now(), step as f64 + 1.0);
            return Ok(slice.min(behind as u64).max(1));
        }
        if behind >= 1.0 {
            return Ok(slice.min(behind as u64));
        }
        Err(Duration::from_secs_f64(((1.0 - behind) / per_second).clamp(1e-4, 0.05)))
    }

    pub fn took(&mut self, steps: u64, spikes: u64, time: Duration) {
        let seconds = time.as_secs_f64().max(1e-9);
        self.governor.took(steps, seconds);
        let w = &mut self.window;
        w.busy += seconds;
        w.steps += steps;
        w.spikes += spikes;
        let wall = w.since.elapsed().as_secs_f64();
        // The first figure comes soon, later ones are calm.
        let wait = if self.speeds.steps_per_second == 0.0 { 0.1 } else { 0.5 };
        if wall >= wait && w.steps > 0 {
            let life = w.steps as f64 * self.dt * 1e-3;
            self.speeds = Speeds {
                factor: w.busy / life,
                pace: life / wall,
                steps_per_second: w.steps as f64 / wall,
                spikes_per_second: w.spikes as f64 / life,
                ms_per_step: w.busy * 1e3 / w.steps as f64,
            };
            self.window = Window::new();
        }
    }

    pub fn speeds(&self) -> Speeds {
        self.speeds
    }
}
