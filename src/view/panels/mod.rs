//! The panels other than the raster.

pub mod journal;
pub mod model;
pub mod rates;
pub mod statistics;
pub mod traces;
