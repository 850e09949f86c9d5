//! Why a command ended without success, and its exit code. Knows no command.

use serde_json::json;

use super::terminal::{Terminal, document};
use crate::base::problem::Problem;

pub enum Failure {
    /// The run failed.
    Run(String),
    /// The words of the command line do not fit together.
    Usage(String),
    /// The scene is invalid.
    Scene(Vec<Problem>),
    /// No suitable device.
    Device(String),
    /// Too large for the memory, or for a limit of the device.
    Limit(String),
    /// Ended by Ctrl-C; what was done with the part that ran.
    Interrupted(String),
    /// A check failed, and its report was printed.
    Check,
    /// Told already, with the data.
    Told(Box<Failure>),
    /// Nobody reads standard output any more.
    Closed,
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Failure::Run(_) | Failure::Check => 1,
            Failure::Usage(_) => 2,
            Failure::Scene(_) => 3,
            Failure::Device(_) => 4,
            Failure::Limit(_) => 5,
            Failure::Interrupted(_) => 130,
            Failure::Told(failure) => failure.code(),
            Failure::Closed => 0,
        }
    }

    pub fn message(&self) -> String {
        match self {
            Failure::Run(text) | Failure::Usage(text) | Failure::Device(text) | Failure::Limit(text) => format!("error: {text}"),
            Failure::Interrupted(text) => format!("interrupted: {text}"),
            Failure::Scene(problems) => {
                let all: String = problems.iter().map(|p| p.render() + "\n").collect();
                format!("{all}{} problem{}", problems.len(), if problems.len() == 1 { "" } else { "s" })
            }
            Failure::Check | Failure::Told(_) | Failure::Closed => String::new(),
        }
    }

    /// Tells the user, and gives the exit code. With `--json`, what has printed no document yet prints one.
    pub fn report(self, terminal: &Terminal) -> u8 {
        let message = self.message();
        if !message.is_empty() {
            terminal.wrong(&message);
        }
        if terminal.json && !matches!(self, Failure::Interrupted(_) | Failure::Check | Failure::Told(_) | Failure::Closed) {
            let error = json!({ "code": self.code(), "message": message.trim_start_matches("error: ") });
            let mut out = document(json!({ "error": error }));
            if let Failure::Scene(problems) = &self {
                out["error"]["problems"] = problems.iter().map(problem).collect();
            }
            // The exit code tells it too.
            let _ = terminal.text(&format!("{out:#}\n"));
        }
        self.code()
    }
}

/// A problem as JSON: message, file, line, column, text, help.
pub fn problem(p: &Problem) -> serde_json::Value {
    let place = p.place.as_ref().map(|place| {
        let (line, column) = place.position();
        json!({ "file": place.source.name, "line": line, "column": column, "text": place.text() })
    });
    json!({ "message": p.message, "place": place, "help": p.help })
}
