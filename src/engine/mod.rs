//! Engines: Plan -> Harvest. Knows no names, no files, no recording.

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
