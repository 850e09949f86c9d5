//! Words of the commands around a run: new, compare, bench, sweep. Knows no meaning.

use std::path::PathBuf;

use clap::Args as Words;

use super::{Backend, Changes, Place};

#[derive(Words)]
pub struct New {
    /// Name of the scene; NAME.toml is written
    pub name: String,
    /// A shipped scene or a scene file to begin with
    #[arg(long, value_name = "SCENE")]
    pub from: Option<String>,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
}

#[derive(Words)]
pub struct Compare {
    /// Directory of a run
    pub run_a: PathBuf,
    /// Directory of another run
    pub run_b: PathBuf,
    /// Let spikes differ, and the statistics by this share, as in 0.05
    #[arg(long, value_name = "SHARE")]
    pub tolerance: Option<f64>,
}

#[derive(Words)]
pub struct Bench {
    /// A scene (default: a balanced network of `N` neurons, made for this)
    pub scene: Option<String>,
    #[command(flatten)]
    pub changes: Changes,
    /// Sizes to measure: values of the parameter `--knob`
    #[arg(long, value_delimiter = ',', value_name = "N,N,...")]
    pub sizes: Vec<f64>,
    /// The parameter that `--sizes` sets
    #[arg(long, default_value = "N")]
    pub knob: String,
    /// Engines to measure
    #[arg(long, value_enum, value_delimiter = ',', default_value = "auto")]
    pub backend: Vec<Backend>,
    /// Number or part of the name of a GPU, as `synfire devices` lists them
    #[arg(long, env = "SYNFIRE_DEVICE")]
    pub device: Option<String>,
    /// Measure the window that shows the scene: frames, latency, memory; painted without a display
    #[cfg(feature = "view")]
    #[arg(long)]
    pub window: bool,
    /// How long the window is drawn, and then hidden
    #[cfg(feature = "view")]
    #[arg(long, default_value = "10 s", requires = "window")]
    pub draw: String,
    /// Size of the window in pixels
    #[cfg(feature = "view")]
    #[arg(long, default_value = "1280x800", requires = "window")]
    pub pixels: String,
    /// Runs of each case; the median is told
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..1000))]
    pub repeat: u32,
}

#[derive(Words)]
pub struct Sweep {
    /// A scene file, the name of a shipped scene, or - for standard input (TOML or JSON)
    pub scene: String,
    #[command(flatten)]
    pub changes: Changes,
    #[command(flatten)]
    pub place: Place,
    /// Values of a parameter, as in `g=3:8:0.5`, `"J=0.1 mV:0.3 mV:0.1 mV"` or `g=3,4.5,6`; several make a grid
    #[arg(long, value_name = "NAME=FIRST:LAST:STEP")]
    pub vary: Vec<String>,
    /// Seeds 1 to N for each point
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..1_000_000))]
    pub seeds: u32,
    /// What to measure, as in `rate` (of every population) or `cv_isi.exc`; may be repeated (default: rate, cv_isi, synchrony)
    #[arg(long, value_name = "METRIC[.POPULATION]")]
    pub metric: Vec<String>,
    /// Write the table to this file instead of standard output
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
    /// Runs side by side (default: as many as there are cores and memory; one on a GPU)
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..1025))]
    pub jobs: Option<u32>,
}
