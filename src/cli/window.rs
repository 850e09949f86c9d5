//! `synfire`, `synfire view` and `synfire snap`: the window, and its pictures without one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::args::{Place, Snap, View};
use super::scene::{named, origin};
use super::{Failure, args};
use crate::session::live::{Frame, Live, Opening, Order, Phase};
use crate::session::{Backend, Origin};
use crate::view::{self, Arrangement, Look, Panel, Shot, Wish};

/// The scene that opens when none is named.
const DEFAULT: &str = "brunel";

/// The window.
pub fn view(words: &View) -> Result<(), Failure> {
    let name = words.scene.as_deref().unwrap_or(DEFAULT);
    let mut changes = words.changes.clone();
    changes.set.extend(words.scale.map(|scale| format!("scale={scale}")));
    let fit = !changes.set.iter().any(|s| s.trim_start().starts_with("scale"));
    let file = std::path::Path::new(name).is_file().then(|| name.into());
    let look = look(words.theme);
    let (backend, device) = (backend(&words.place), words.place.device.clone());
    let layout = words.layout.map(layout);
    let wish =
        Wish { origin: named(name, &changes)?, file, backend, device, run: !words.paused, fit, look, layout, settings: view::settings() };
    view::open(wish, words.isolate_gpu).map_err(Failure::Run)
}

fn backend(place: &Place) -> Backend {
    match place.backend {
        args::Backend::Auto => Backend::Auto,
        args::Backend::Cpu => Backend::Cpu,
        args::Backend::Gpu => Backend::Gpu,
    }
}

fn look(theme: args::Theme) -> Look {
    match theme {
        args::Theme::Dark => Look::Dark,
        args::Theme::Light => Look::Light,
        args::Theme::Projector => Look::Projector,
    }
}

fn layout(layout: args::Layout) -> Arrangement {
    match layout {
        args::Layout::Explore => Arrangement::Explore,
        args::Layout::Neuron => Arrangement::Neuron,
        args::Layout::Analysis => Arrangement::Analysis,
        args::Layout::Show => Arrangement::Show,
    }
}

/// A picture of a panel, or of the whole window, at a time.
pub fn snap(words: &Snap) -> Result<(), Failure> {
    let whole = words.panel == "window";
    let panel = Panel::named(&words.panel).or(whole.then_some(Panel::Raster)).ok_or_else(|| {
        let names: Vec<&str> = Panel::ALL.iter().map(|p| p.name()).collect();
        Failure::Run(format!("no panel is named `{}`: there are {}, and window for all of it", words.panel, names.join(", ")))
    })?;
    let size = view::size(&words.size).map_err(|e| Failure::Run(format!("--size: {e}")))?;
    let vector = match words.out.extension().and_then(|e| e.to_str()) {
        Some("png") => false,
        Some("svg") => true,
        _ => return Err(Failure::Run(format!("--out {}: the name ends in .png or .svg", words.out.display()))),
    };
    let time = |text: &str, what: &str| super::edits::milliseconds(text).map_err(|e| Failure::Run(format!("--{what} {text:?}: {e}")));
    let (at, span) = (time(&words.at, "at")?, time(&words.span, "span")?);
    let origin = origin(&words.scene)?;
    origin.load().map_err(Failure::Scene)?;
    let bytes = if whole {
        if vector {
            return Err(Failure::Run(format!("--out {}: the whole window is drawn as .png", words.out.display())));
        }
        let (backend, device, layout) = (backend(&words.place), words.place.device.clone(), Some(layout(words.layout)));
        let wish = Wish { origin, file: None, backend, device, run: false, fit: false, look: look(words.theme), layout, settings: None };
        view::window(wish, at, span, size).map_err(Failure::Run)?
    } else {
        let live = Live::start(backend(&words.place), words.place.device.clone(), || {}).map_err(Failure::Run)?;
        let frame = reach(&live, origin, at, panel)?;
        let about = frame.about.as_deref().ok_or_else(|| Failure::Run("there is no network".into()))?;
        let selected = about.ranges().iter().take(2).map(|r| r.0).collect();
        let population = match &words.population {
            Some(name) => about.network.populations.iter().position(|p| p.name == *name),
            None => Some(0),
        };
        let population = population.ok_or_else(|| Failure::Run("--population names no population of the scene".into()))?;
        let span = span.min(at).max(frame.dt);
        let shot = Shot { look: look(words.theme), span, end: Some(at), selected, population, ..Shot::new(panel, size) };
        if vector { view::svg(&frame, &shot).into_bytes() } else { view::png(&frame, &shot).map_err(Failure::Run)? }
    };
    std::fs::write(&words.out, bytes).map_err(|e| Failure::Run(format!("{}: {e}", words.out.display())))?;
    eprintln!("written to {}", words.out.display());
    Ok(())
}

/// Runs to a time in ms, the membranes of the first neurons recorded, and gives the frame.
fn reach(live: &Live, origin: Origin, at: f64, panel: Panel) -> Result<Arc<Frame>, Failure> {
    let patience = Duration::from_secs(24 * 3600);
    let opened = live.order(Order::Open(Box::new(Opening { origin, run: false, fit: false })));
    let done = |f: &Frame, number: u64| f.done >= number && f.phase != Phase::Building;
    let frame = live.until(patience, |f| done(f, opened)).ok_or_else(|| Failure::Run("it was not built in a day".into()))?;
    let Some(about) = &frame.about else {
        return Err(Failure::Scene(frame.problems.to_vec()));
    };
    live.order(Order::Guard(None));
    live.order(Order::Watch(about.ranges().iter().take(2).map(|r| r.0).collect()));
    let changing = about.plan.projections.iter().position(|p| p.plastic.is_some());
    live.order(Order::Weigh(changing.filter(|_| panel == Panel::Weights)));
    let end = (at / frame.dt).round() as u64;
    live.order(Order::Steps(end.saturating_sub(frame.step)));
    let start = Instant::now();
    loop {
        let frame = live.frame();
        if let Some(why) = &frame.stopped {
            return Err(Failure::Run(why.clone()));
        }
        if frame.step >= end && frame.phase == Phase::Paused {
            return Ok(frame);
        }
        if start.elapsed() > patience {
            return Err(Failure::Run("it did not get there in a day".into()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
