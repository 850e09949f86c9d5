//! The terminal: data on standard output, everything else on standard error, and whether Ctrl-C was pressed. Knows no command.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Failure;
use super::args::{Colour, Manner};

/// Version of the documents that `--json` prints.
pub const SCHEMA_VERSION: u32 = 1;

pub struct Terminal {
    pub json: bool,
    level: i32,
    colour: bool,
    stop: OnceLock<Arc<AtomicBool>>,
}

impl Terminal {
    /// A terminal for these manners.
    pub fn new(manner: &Manner) -> Self {
        let colour = match manner.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::io::stderr().is_terminal(),
        };
        Self { json: manner.json, level: i32::from(manner.verbose) - i32::from(manner.quiet), colour, stop: OnceLock::new() }
    }

    /// Raised by Ctrl-C. From the first call on Ctrl-C asks for a stop, and a second one aborts; a command that never calls
    /// this, the window among them, ends at once.
    pub fn stop(&self) -> &AtomicBool {
        self.stop.get_or_init(|| {
            let stop = Arc::new(AtomicBool::new(false));
            let raised = stop.clone();
            let pressed = move || {
                if raised.swap(true, Ordering::Relaxed) {
                    eprintln!("aborted");
                    std::process::exit(130);
                }
            };
            // Where the system lets no handler be set, Ctrl-C ends the program at once.
            let _ = ctrlc::set_handler(pressed);
            stop
        })
    }

    pub fn stopped(&self) -> bool {
        self.stop().load(Ordering::Relaxed)
    }

    /// A line for the user, unless `-q`.
    pub fn note(&self, text: impl AsRef<str>) {
        self.say(0, text.as_ref());
    }

    /// A line for those who want to know more: `-v`.
    pub fn detail(&self, text: impl AsRef<str>) {
        self.say(1, text.as_ref());
    }

    fn say(&self, level: i32, text: &str) {
        if self.level >= level {
            // A closed standard error leaves nobody to tell.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// What went wrong, always told.
    pub fn wrong(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{}", if self.colour { coloured(text) } else { text.into() });
    }

    /// A progress bar over `end` steps; hidden with `-q` and where standard error is no terminal.
    pub fn bar(&self, end: u64, template: &str) -> ProgressBar {
        let target = if self.level >= 0 { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(end), target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar
    }

    /// Data as text, or as one JSON document.
    pub fn data(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> serde_json::Value) -> Result<(), Failure> {
        let text = if self.json { format!("{:#}\n", document(json())) } else { text() };
        self.text(&text)
    }

    pub fn text(&self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(closed)
    }
}

/// Standard output that nobody reads any more is no failure: `| head` has what it wanted.
pub fn closed(e: std::io::Error) -> Failure {
    if e.kind() == ErrorKind::BrokenPipe { Failure::Closed } else { Failure::Run(format!("standard output: {e}")) }
}

/// A document with its version first.
pub fn document(value: serde_json::Value) -> serde_json::Value {
    let mut out = serde_json::json!({ "schema_version": SCHEMA_VERSION, "synfire": env!("CARGO_PKG_VERSION") });
    if let (Some(all), serde_json::Value::Object(fields)) = (out.as_object_mut(), value) {
        all.extend(fields);
    }
    out
}

/// Messages in colours, line by line: what is wrong in red, where in blue, the remedy in green.
fn coloured(text: &str) -> String {
    let codes = [("error", "1;31"), ("-->", "34"), ("= help:", "32"), ("|", "31")];
    let line = |line: &str| {
        let start = line.trim_start();
        match codes.iter().find(|(word, _)| start.starts_with(word)) {
            Some((_, code)) => format!("\x1b[{code}m{line}\x1b[0m"),
            None => line.to_string(),
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
