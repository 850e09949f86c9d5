//! What can be typed. Knows no meaning.

mod tools;
#[cfg(feature = "view")]
mod window;

use std::path::PathBuf;

use clap::{ArgAction, Args as Words, Parser, Subcommand, ValueEnum};

pub use tools::{Bench, Compare, New, Sweep};
#[cfg(feature = "view")]
pub use window::{Layout, Snap, Theme, View};

/// Simulate networks of spiking neurons.
#[derive(Parser)]
#[command(name = "synfire", version, about)]
pub struct Args {
    /// Without one, the window opens
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub manner: Manner,
}

/// How to talk.
#[derive(Words, Clone)]
pub struct Manner {
    /// Print one JSON document on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Say less on standard error
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub quiet: u8,
    /// Say more on standard error
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Colours in messages; NO_COLOR switches them off too
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: Colour,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
pub enum Command {
    /// Open the window, in which a scene runs
    #[cfg(feature = "view")]
    View(View),
    /// Draw a panel of the window into a file, without a display
    #[cfg(feature = "view")]
    Snap(Snap),
    /// Run a scene and write what its probes record
    Run(Run),
    /// Check scenes and print the memory they will take, without running them
    Check(Check),
    /// Run a scene's presets and compare with the published numbers
    Verify(Verify),
    /// Print what a scene means, or a model: its parameters and the update that is really run
    Show(Scene),
    /// List what is built in
    List { what: What },
    /// Write a new scene with comments, which runs as it is
    New(New),
    /// List the devices that the GPU engine can use, and test whether they give the CPU engine's bits
    Devices,
    /// Compare two runs: the first spike that differs, then statistics
    Compare(Compare),
    /// Write the synapses of a scene: source, target, weight, delay
    Export(Export),
    /// Measure the speed of a scene, split by phase
    Bench(Bench),
    /// Run a scene for many values of its parameters and print one table
    Sweep(Sweep),
    /// Print the JSON Schema of the scene file
    Schema,
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum What {
    Scenes,
    Models,
    Synapses,
    Metrics,
}

#[derive(Words, Clone)]
pub struct Scene {
    /// A scene file, the name of a shipped scene, or - for standard input (TOML or JSON)
    pub scene: String,
    #[command(flatten)]
    pub changes: Changes,
}

/// What is changed in a scene before it is read.
#[derive(Words, Clone, Default)]
pub struct Changes {
    /// Set a parameter, as in `--set g=6` or `--set "J=0.2 mV"`
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Take this preset instead of the scene's own
    #[arg(long)]
    pub preset: Option<String>,
    /// Seed of every random number
    #[arg(long)]
    pub seed: Option<u64>,
    /// Length of the run after the warm-up, as in "2 s"
    #[arg(long, value_parser = duration)]
    pub duration: Option<String>,
    /// Time before the statistics begin, as in "200 ms"
    #[arg(long, value_parser = duration)]
    pub warmup: Option<String>,
    /// Threads that build and step the network (default: all, to step it as many as pay)
    #[arg(long)]
    pub threads: Option<usize>,
}

/// A time needs its unit; what else it may be, the scene decides.
fn duration(text: &str) -> Result<String, String> {
    match text.trim().parse::<f64>() {
        Ok(_) => Err(format!("a time needs its unit, as in \"{} s\" or \"{} ms\"", text.trim(), text.trim())),
        Err(_) => Ok(text.into()),
    }
}

/// Where to run.
#[derive(Words, Clone, Default)]
pub struct Place {
    /// auto takes a real GPU, else the CPU
    #[arg(long, value_enum, default_value = "auto", env = "SYNFIRE_BACKEND")]
    pub backend: Backend,
    /// Number or part of the name of a GPU, as `synfire devices` lists them
    #[arg(long, env = "SYNFIRE_DEVICE")]
    pub device: Option<String>,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq, Default)]
pub enum Backend {
    #[default]
    Auto,
    Cpu,
    Gpu,
}

#[derive(Words)]
pub struct Run {
    #[command(flatten)]
    pub scene: Scene,
    #[command(flatten)]
    pub place: Place,
    /// Directory to write (default: runs/SCENE-NUMBER)
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Replace an existing run
    #[arg(long)]
    pub force: bool,
    /// Format of the data
    #[arg(long, value_enum, default_value = "npz")]
    pub format: Format,
    /// Change a value while the network runs, as in `--at "200 ms: g=6"`, or go on with another text of the scene, as in
    /// `--at "200 ms: @other.toml"`: state that keeps its name goes on; may be repeated
    #[arg(long, value_name = "TIME: NAME=VALUE")]
    pub at: Vec<String>,
    /// Replay the edits of a run: its journal.jsonl
    #[arg(long)]
    pub journal: Option<PathBuf>,
    /// Write the state at the end of the run to this file
    #[arg(long)]
    pub checkpoint: Option<PathBuf>,
    /// Go on from a checkpoint, of either engine
    #[arg(long)]
    pub resume: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub enum Format {
    Npz,
    Csv,
}

#[derive(Words)]
pub struct Check {
    /// Scene files, names of shipped scenes, or - for standard input (TOML or JSON)
    #[arg(required = true)]
    pub scenes: Vec<String>,
    /// Run the author's solutions of the scene's lesson, and see whether they pass
    #[arg(long)]
    pub lesson: bool,
    #[command(flatten)]
    pub changes: Changes,
}

#[derive(Words)]
pub struct Verify {
    /// A scene file or the name of a shipped scene
    pub scene: String,
    /// Only this preset
    #[arg(long)]
    pub preset: Option<String>,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Words)]
pub struct Export {
    #[command(subcommand)]
    pub what: Exported,
}

#[derive(Subcommand)]
pub enum Exported {
    /// source, target, weight, delay of every synapse, as CSV on standard output: a file for rule = "list"
    Connections(Connections),
}

#[derive(Words)]
pub struct Connections {
    #[command(flatten)]
    pub scene: Scene,
    /// Weights as they are in this checkpoint of the scene, where they change (default: those at the start)
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// The projections of one pair of populations alone, neurons counted within each: what rule = "list" between them reads
    #[arg(long, value_name = "FROM->TO")]
    pub of: Option<String>,
}
