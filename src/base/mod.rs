//! Base: numbers, units, random numbers, problems. Knows nothing of neurons.

pub mod problem;
pub mod units;
