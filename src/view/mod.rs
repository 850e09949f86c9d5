//! The window: a frame of the simulation becomes pixels, clicks become orders. The only room that knows egui.

mod actions;
mod activity;
mod app;
mod bars;
mod camera;
mod canvas;
mod density;
mod gallery;
mod later;
mod lesson;
mod look;
mod measure;
mod panel;
mod panels;
mod parameters;
mod picture;
mod places;
mod raster;
mod rows;
mod span;
mod svg;
mod tiles;

use std::path::PathBuf;

use eframe::egui::ViewportBuilder;
use eframe::egui_wgpu::{SurfaceConfig, WgpuConfiguration};

pub use actions::Action;
pub use app::App;
pub use look::Look;
pub use measure::{Clock, Drawn, measure};
pub use panel::{Hand, Panel};
pub use picture::{Shot, png, size, svg, window};
pub use rows::Choice;
pub use tiles::Arrangement;

use crate::session::{Backend, Origin};

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
}

/// Opens the window and stays until it is closed. An error says why there is none.
pub fn open(wish: Wish) -> Result<(), String> {
    let viewport =
        ViewportBuilder::default().with_title("Synfire").with_app_id("synfire").with_inner_size([1280.0, 800.0]).with_drag_and_drop(true);
    // Frames may wait behind the simulation where both use one device: a second one in flight keeps the window lively.
    let wgpu_options = WgpuConfiguration { surface: SurfaceConfig::HIGH_THROUGHPUT, ..WgpuConfiguration::default() };
    let options = eframe::NativeOptions { viewport, wgpu_options, ..eframe::NativeOptions::default() };
    let app = |cc: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Box::new(App::new(&cc.egui_ctx, wish)?))
    };
    eframe::run_native("synfire", options, Box::new(app))
        .map_err(|e| format!("the window could not be opened: {e}; `synfire run` and `synfire snap` need none"))
}
