//! Synfire: a scene file becomes spikes. Rooms from the ground up; a room uses only rooms on lower floors (`tests/layers.rs`).
#![deny(unsafe_code)]

pub mod base;
pub mod cli;
pub mod engine;
pub mod export;
pub mod model;
pub mod network;
pub mod plan;
pub mod record;
pub mod scene;
pub mod session;
#[cfg(feature = "view")]
pub mod view;
