//! A session as one file, and back: scene, step and journal. Knows no window and no path.

use super::live::Frame;
use super::simulation::Stamped;
use crate::scene::{self, Saved};

/// The file of what a frame shows: loaded again, it stands at the same step with the same spikes behind it.
pub fn save(frame: &Frame) -> Result<String, String> {
    let about = frame.about.as_ref().ok_or("nothing runs that could be saved")?;
    let journal: Vec<_> = frame.journal.iter().filter_map(|c| serde_json::to_value(c).ok()).collect();
    scene::session(&about.base, frame.step, frame.dt, &journal)
}

/// The commands of a saved session, in order.
pub fn commands(saved: &Saved) -> Result<Vec<Stamped>, String> {
    let read = |(i, entry): (usize, &serde_json::Value)| {
        serde_json::from_value(entry.clone()).map_err(|e| format!("entry {} of the journal: {e}", i + 1))
    };
    saved.journal.iter().enumerate().map(read).collect()
}
