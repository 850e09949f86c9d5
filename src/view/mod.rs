//! The window: a frame of the simulation becomes pixels, clicks become orders. The only room that knows egui.

mod actions;
mod activity;
mod app;
mod bars;
mod brush;
mod camera;
mod canvas;
mod density;
mod device;
mod dialogs;
mod files;
mod gallery;
mod kept;
mod later;
mod lesson;
mod look;
mod measure;
mod nearby;
mod panel;
mod panels;
mod parameters;
mod picture;
mod places;
mod plain;
mod raster;
mod rows;
mod span;
mod stage;
mod svg;
mod tally;
mod tiles;

use std::path::PathBuf;

use eframe::egui::ViewportBuilder;
#[cfg(feature = "gpu")]
use eframe::egui_wgpu::WgpuSetupExisting;
use eframe::egui_wgpu::{SurfaceConfig, WgpuConfiguration, WgpuSetup};

pub use actions::{Action, Move};
pub use app::App;
pub use kept::settings;
pub use look::Look;
pub use measure::{Drawn, measure};
pub use panel::{Hand, Panel};
pub use picture::{Shot, png, size, svg, window};
pub use rows::Choice;
pub use stage::{Clock, Stage, Took};
pub use tiles::Arrangement;

use crate::session::{Backend, Machine, Origin, choose};
use device::OnDevice;

/// What the window opens with.
pub struct Wish {
    pub origin: Origin,
    /// The file it came from, to be opened again when it changes.
    pub file: Option<PathBuf>,
    pub backend: Backend,
    pub device: Option<String>,
    pub run: bool,
    pub fit: bool,
    pub look: Look,
    /// How the panels stand; the kept layout, or the usual one, if it is not said.
    pub layout: Option<Arrangement>,
    /// Where a layout and the files that were opened last are kept; nowhere if it is not said.
    pub settings: Option<PathBuf>,
}

/// Opens the window and stays until it is closed. Where a real GPU simulates, the window is painted on the same device, unless that
/// is to be kept apart: a software device takes long to paint, and every step would wait for it. An error says why there is no
/// window.
pub fn open(wish: Wish, apart: bool) -> Result<(), String> {
    let (machine, why) = choose(wish.backend, wish.device.as_deref())?;
    let viewport =
        ViewportBuilder::default().with_title("Synfire").with_app_id("synfire").with_inner_size([1280.0, 800.0]).with_drag_and_drop(true);
    // Frames may wait behind the simulation where both use one device: a second one in flight keeps the window lively.
    let mut wgpu_options = WgpuConfiguration { surface: SurfaceConfig::HIGH_THROUGHPUT, ..WgpuConfiguration::default() };
    if let Some(setup) = shared(&machine).filter(|_| !apart && !machine.is_software()) {
        wgpu_options.wgpu_setup = setup;
    }
    let options = eframe::NativeOptions { viewport, wgpu_options, dithering: false, ..eframe::NativeOptions::default() };
    let app = |cc: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Box::new(created(cc, wish, machine, why)?))
    };
    eframe::run_native("synfire", options, Box::new(app))
        .map_err(|e| format!("the window could not be opened: {e}; --isolate-gpu paints it on a device of its own, and `synfire run` and `synfire snap` need no window"))
}

/// The app in a window that eframe, or a test in its place, has made.
pub fn created(cc: &eframe::CreationContext<'_>, wish: Wish, machine: Machine, why: String) -> Result<App, String> {
    if let Some(state) = &cc.wgpu_render_state {
        plain::install(&cc.egui_ctx, &mut state.renderer.write(), &state.adapter, &state.device, state.target_format);
    }
    let mut app = App::on(&cc.egui_ctx, wish, machine, why)?;
    app.panels.raster.device = cc.wgpu_render_state.as_ref().and_then(|s| OnDevice::new(&s.adapter, &s.device, &s.queue, &s.renderer));
    Ok(app)
}

/// How a window is set up that paints on the device of a machine, where it has one.
#[cfg(feature = "gpu")]
pub fn shared(machine: &Machine) -> Option<WgpuSetup> {
    let Machine::Gpu { device, .. } = machine else { return None };
    let (instance, adapter) = (device.instance.clone(), device.adapter.clone());
    Some(WgpuSetup::Existing(WgpuSetupExisting { instance, adapter, device: device.device.clone(), queue: device.queue.clone() }))
}

#[cfg(not(feature = "gpu"))]
pub fn shared(_: &Machine) -> Option<WgpuSetup> {
    None
}
