//! The panels other than the raster.

pub mod journal;
pub mod model;
pub mod neuron;
pub mod rates;
pub mod space;
pub mod statistics;
pub mod traces;
pub mod weights;
