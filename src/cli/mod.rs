//! Words in, exit code out. The only room that knows clap and the terminal.
//!
//! Data goes to standard output, progress and problems to standard error; with `--json` standard output holds exactly one
//! document. Exit codes: 0 ok, 1 the run or a check failed, 2 usage, 3 the scene is invalid, 4 no suitable device, 5 too
//! large for the memory or a limit of the device, 130 interrupted.

mod args;
mod bench;
mod check;
mod compare;
mod devices;
#[cfg(feature = "view")]
mod drawing;
mod edits;
mod export;
mod failure;
mod host;
mod lesson;
mod list;
mod new;
mod report;
mod run;
mod scene;
mod show;
mod simulate;
mod sweep;
mod terminal;
mod vary;
mod verify;
#[cfg(feature = "view")]
mod window;

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, FromArgMatches};

pub use args::Args;
use args::Command;
pub use failure::Failure;
use terminal::Terminal;

/// Runs the program with the words of the command line.
pub fn main() -> ExitCode {
    let matches = match Args::command().color(colour()).try_get_matches() {
        Ok(matches) => matches,
        Err(e) => e.exit(),
    };
    let args = match Args::from_arg_matches(&matches) {
        Ok(args) => args,
        Err(e) => e.exit(),
    };
    let terminal = Terminal::new(&args.manner);
    let done = match args.command {
        Some(words) => command(words, &terminal),
        None => plain(&terminal),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.report(&terminal)),
    }
}

/// No command at all: the window.
#[cfg(feature = "view")]
fn plain(_: &Terminal) -> Result<(), Failure> {
    window::view(&args::View::default())
}

#[cfg(not(feature = "view"))]
fn plain(terminal: &Terminal) -> Result<(), Failure> {
    terminal.text(&Args::command().render_help().to_string())
}

fn command(command: Command, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        #[cfg(feature = "view")]
        Command::View(words) => window::view(&words),
        #[cfg(feature = "view")]
        Command::Snap(words) => window::snap(&words),
        Command::Run(words) => run::run(&words, terminal),
        Command::Check(words) => check::check(&words, terminal),
        Command::Verify(words) => verify::verify(&words, terminal),
        Command::Show(words) => show::show(&words, terminal),
        Command::List { what } => list::list(what, terminal),
        Command::New(words) => new::new(&words, terminal),
        Command::Devices => devices::devices(terminal),
        Command::Compare(words) => compare::compare(&words, terminal),
        Command::Export(words) => export::export(&words, terminal),
        Command::Bench(words) => bench::bench(&words, terminal),
        Command::Sweep(words) => sweep::sweep(&words, terminal),
        Command::Schema => terminal.text(&format!("{:#}\n", crate::scene::schema())),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "synfire", &mut text);
            terminal.text(&String::from_utf8_lossy(&text))
        }
    }
}

/// What `--color` says, before clap has read the words: clap's own messages follow it too.
fn colour() -> ColorChoice {
    let words: Vec<String> = std::env::args().collect();
    let value = words.iter().enumerate().find_map(|(i, w)| match w.strip_prefix("--color") {
        Some("") => words.get(i + 1).map(String::as_str),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    });
    match value {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}
