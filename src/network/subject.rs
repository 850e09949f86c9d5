//! What of a network a refusal is about, so that who knows the file can say where it stands. Knows no file.

use std::fmt;

/// An entry of the network, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Population(usize),
    Projection(usize),
    Gap(usize),
    Stimulus(usize),
}

/// Why a network cannot be run, and what would help.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// None where it is about the whole.
    pub about: Option<Subject>,
    pub message: String,
}

impl Refusal {
    pub fn of(about: Subject, message: impl Into<String>) -> Self {
        Self { about: Some(about), message: message.into() }
    }
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self { about: None, message }
    }
}

impl From<&str> for Refusal {
    fn from(message: &str) -> Self {
        Self::from(message.to_string())
    }
}

impl From<Refusal> for String {
    fn from(refusal: Refusal) -> Self {
        refusal.message
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}
