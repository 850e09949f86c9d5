//! Words in, exit code out. The only room that knows clap and the terminal.
//!
//! Data goes to standard output, progress and problems to standard error. Exit codes: 0 ok, 1 the run or a check failed,
//! 2 usage, 3 the scene is invalid, 5 too large for the memory, 130 interrupted.

mod args;
mod devices;
mod edits;
mod list;
mod run;
mod scene;
mod show;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

pub use args::Args;
use args::Command;

/// Why a command ended without success.
pub enum Failure {
    Run(String),
    Scene(String),
    Memory(String),
    Interrupted,
    /// Already reported.
    Check,
}

impl Failure {
    fn report(self) -> u8 {
        let (code, text) = match self {
            Failure::Run(text) => (1, format!("error: {text}")),
            Failure::Scene(text) => (3, text.trim_end().to_string()),
            Failure::Memory(text) => (5, format!("error: {text}")),
            Failure::Interrupted => (130, "interrupted: the partial run was written and marked".into()),
            Failure::Check => (1, String::new()),
        };
        if !text.is_empty() {
            eprintln!("{text}");
        }
        code
    }
}

/// Runs the program with the words of the command line.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.command {
        Command::Run(run) => run::run(&run),
        Command::Check(scene) => show::check(&scene),
        Command::Verify(verify) => verify::verify(&verify),
        Command::Show { name } => show::show(&name),
        Command::List { what } => list::list(what),
        Command::Export(export) => show::export(&export),
        Command::Devices { json } => devices::devices(json),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "synfire", &mut std::io::stdout());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.report()),
    }
}
