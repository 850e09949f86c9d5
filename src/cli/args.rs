//! What can be typed. Knows no meaning.

use std::path::PathBuf;

use clap::{Args as Words, Parser, Subcommand, ValueEnum};

/// Simulate networks of spiking neurons.
#[derive(Parser)]
#[command(name = "synfire", version, about)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run a scene and write what its probes record
    Run(Run),
    /// Check a scene and print the memory it will take, without running it
    Check(Scene),
    /// Run a scene's presets and compare with the published numbers
    Verify(Verify),
    /// Print a model: its parameters and the update that is really run
    Show {
        /// Name of a built-in model
        name: String,
    },
    /// List what is built in
    List { what: What },
    /// Write the synapses of a scene: source, target, weight, delay
    Export(Export),
    /// List the devices that the GPU engine can use, and test whether they give the CPU engine's bits
    Devices {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum What {
    Scenes,
    Models,
    Metrics,
}

#[derive(Words)]
pub struct Scene {
    /// A scene file, the name of a shipped scene, or - for standard input (TOML or JSON)
    pub scene: String,
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
    #[arg(long)]
    pub duration: Option<String>,
    /// Threads that build and step the network (default: all, to step it as many as pay)
    #[arg(long)]
    pub threads: Option<usize>,
}

/// Where to run.
#[derive(Words, Clone)]
pub struct Place {
    /// auto takes a real GPU, else the CPU
    #[arg(long, value_enum, default_value = "auto")]
    pub backend: Backend,
    /// Number or part of the name of a GPU, as `synfire devices` lists them
    #[arg(long)]
    pub device: Option<String>,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub enum Backend {
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
    /// Replace an existing directory
    #[arg(long)]
    pub force: bool,
    /// Format of the data
    #[arg(long, value_enum, default_value = "npz")]
    pub format: Format,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Change a value while the network runs, as in `--at "200 ms: g=6"`; may be repeated
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
    /// source, target, weight, delay of every synapse, as CSV on standard output
    Connections(Scene),
}
