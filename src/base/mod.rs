//! Base: numbers, units, random numbers, problems. Knows nothing of neurons.

pub mod draw;
pub mod exponential;
pub mod gaps;
pub mod math;
pub mod npy;
pub mod prefetch;
pub mod problem;
pub mod rng;
pub mod units;
