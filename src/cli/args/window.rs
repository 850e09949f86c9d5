//! What can be typed of the window and its pictures. Knows no meaning.

use std::path::PathBuf;

use clap::{Args as Words, ValueEnum};

use super::{Changes, Place, Scene};

/// What the window opens with.
#[derive(Words, Default)]
pub struct View {
    /// A scene file or the name of a shipped scene (default: brunel)
    pub scene: Option<String>,
    #[command(flatten)]
    pub changes: Changes,
    /// Size of a scene that has a parameter `scale`; left out, the largest that holds real time here
    #[arg(long)]
    pub scale: Option<f64>,
    /// Do not start to run
    #[arg(long)]
    pub paused: bool,
    /// Colours
    #[arg(long, value_enum, default_value = "dark")]
    pub theme: Theme,
    /// How the panels stand (default: as they were kept, else explore)
    #[arg(long, value_enum)]
    pub layout: Option<Layout>,
    /// Paint on a device of its own where a GPU simulates, as is done on software devices
    #[arg(long)]
    pub isolate_gpu: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub enum Layout {
    Explore,
    Neuron,
    Analysis,
    Show,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq, Default)]
pub enum Theme {
    #[default]
    Dark,
    Light,
    Projector,
}

#[derive(Words)]
pub struct Snap {
    #[command(flatten)]
    pub scene: Scene,
    #[command(flatten)]
    pub place: Place,
    /// A panel of the window by its name, as in raster, space or plane; or `window`, all of it
    #[arg(long, default_value = "raster")]
    pub panel: String,
    /// How the panels stand in a picture of the window
    #[arg(long, value_enum, default_value = "explore")]
    pub layout: Layout,
    /// The population of which a single neuron is drawn (curve and plane); the first, if it is not said
    #[arg(long)]
    pub population: Option<String>,
    /// Time at which it is drawn, as in "2 s"
    #[arg(long, default_value = "1 s")]
    pub at: String,
    /// Length of the time in sight
    #[arg(long, default_value = "500 ms")]
    pub span: String,
    /// Width and height in pixels
    #[arg(long, default_value = "1200x700")]
    pub size: String,
    /// Colours
    #[arg(long, value_enum, default_value = "light")]
    pub theme: Theme,
    /// File to write, .png or .svg
    #[arg(long)]
    pub out: PathBuf,
}
