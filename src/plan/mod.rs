//! The narrow waist: numbered, in steps, every byte counted. Past this room there are no names.

mod harvest;

pub use harvest::{Harvest, Sample, Spike};
