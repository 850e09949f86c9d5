//! Messages of a scene.
