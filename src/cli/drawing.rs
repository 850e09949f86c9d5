//! `synfire bench --window`: what the window costs beside the network that it shows.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::args::{Backend, Bench};
use super::terminal::Terminal;
use super::{Failure, host};
use crate::session::memory::bytes;
use crate::session::{self, Origin};
use crate::view::{self, Arrangement, Clock, Drawn, Look, Wish};

pub fn bench(words: &Bench, origins: Vec<Origin>, terminal: &Terminal) -> Result<(), Failure> {
    let size = view::size(&words.pixels).map_err(|e| Failure::Run(format!("--pixels: {e}")))?;
    let time = super::edits::milliseconds(&words.draw).map_err(|e| Failure::Run(format!("--draw {:?}: {e}", words.draw)))?;
    let length = (time * 1e-3).clamp(1.0, 86_400.0);
    let mut cases = Vec::new();
    for origin in origins {
        for backend in &words.backend {
            let backend = match backend {
                Backend::Auto => session::Backend::Auto,
                Backend::Cpu => session::Backend::Cpu,
                Backend::Gpu => session::Backend::Gpu,
            };
            let (device, layout) = (words.device.clone(), Some(Arrangement::Explore));
            let wish = Wish {
                origin: origin.clone(),
                file: None,
                backend,
                device,
                run: true,
                fit: false,
                look: Look::Dark,
                layout,
                settings: None,
            };
            let drawn = view::measure(wish, size, length, Clock { now, rest }).map_err(Failure::Run)?;
            if !terminal.json {
                terminal.text(&text(&drawn, &words.pixels))?;
            }
            cases.push(report(&drawn));
        }
    }
    if terminal.json {
        let (processor, threads) = host::processor();
        terminal.data(
            String::new,
            || json!({ "host": { "processor": processor, "threads": threads }, "pixels": words.pixels, "windows": cases }),
        )?;
    }
    Ok(())
}

/// Seconds since this was first asked.
fn now() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

fn rest(seconds: f64) {
    std::thread::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 3600.0)));
}

/// Median, 95th percentile and most.
fn spread(all: &[f64]) -> [f64; 3] {
    let mut all = all.to_vec();
    all.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| all.get(((all.len().saturating_sub(1)) as f64 * share).round() as usize).copied().unwrap_or(f64::NAN);
    [at(0.5), at(0.95), at(1.0)]
}

fn report(d: &Drawn) -> Value {
    let of = |all: &[f64]| {
        let [median, p95, most] = spread(all);
        json!({ "count": all.len(), "median": median, "p95": p95, "max": most })
    };
    json!({
        "neurons": d.neurons, "adapter": d.adapter, "real_time_factor": d.factor, "spikes_per_second": d.spikes_per_second,
        "frame_to_frame_ms": of(&d.between), "window_code_ms": of(&d.code), "frame_with_painting_ms": of(&d.whole),
        "key_to_effect_ms": of(&d.key), "slider_to_effect_ms": of(&d.slider),
        "resident_bytes": d.memory, "held_bytes": d.held, "hidden_steps": d.hidden[0], "hidden_steps_asked": d.hidden[1],
    })
}

fn text(d: &Drawn, pixels: &str) -> String {
    let line = |what: &str, all: &[f64]| {
        let [median, p95, most] = spread(all);
        format!("  {what:32} median {median:7.1} ms   95 % within {p95:7.1} ms   most {most:7.1} ms   ({} times)\n", all.len())
    };
    let memory = |i: usize| format!("{} ({} of spikes held)", d.memory[i].map_or("?".into(), bytes), bytes(d.held[i]));
    let (factor, spikes) = (d.factor, d.spikes_per_second);
    let mut out = format!("{} neurons, real-time factor {factor:.2}, {spikes:.0} spikes/s; {pixels} on {}\n", d.neurons, d.adapter);
    out += &line("from frame to frame", &d.between);
    out += &line("a frame, the window's own code", &d.code);
    out += &line("a frame with its painting", &d.whole);
    out += &line("from a key to its effect", &d.key);
    out += &line("from a slider to its effect", &d.slider);
    out += &format!("  memory: {} at first, {} after drawing, {} after hiding\n", memory(0), memory(1), memory(2));
    out + &format!("  hidden: {:.0} steps of {:.0} that were asked for\n", d.hidden[0], d.hidden[1])
}
