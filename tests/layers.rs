//! The rooms keep their floors: a room uses only rooms below it, and each outside crate stays where it belongs.

use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: [(&str, u32); 11] = [
    ("base", 0),
    ("model", 1),
    ("network", 2),
    ("scene", 3),
    ("plan", 3),
    ("engine", 4),
    ("record", 4),
    ("session", 5),
    ("export", 5),
    ("view", 6),
    ("cli", 7),
];

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
    out
}

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let room = |p: &Path| p.strip_prefix(&root).unwrap().components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    files(&root).into_iter().map(|p| (room(&p), p.clone(), fs::read_to_string(&p).unwrap())).collect()
}

fn floor(room: &str) -> Option<u32> {
    FLOORS.iter().find(|(n, _)| *n == room).map(|(_, f)| *f)
}

#[test]
fn a_room_uses_only_rooms_on_lower_floors() {
    for (room, path, text) in sources() {
        let Some(own) = floor(&room) else { continue };
        for (other, level) in FLOORS.iter().filter(|(n, _)| *n != room) {
            let used = text.contains(&format!("crate::{other}::")) || text.contains(&format!("crate::{other};"));
            assert!(!used || *level < own, "{} uses {other}", path.display());
        }
    }
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    for (word, rooms) in [
        ("clap", &["cli"][..]),
        ("toml_edit", &["scene", "model"]),
        ("indicatif", &["cli"]),
        ("std::time", &["session", "cli"]),
        ("rustfft", &["record"]),
        ("ZipWriter", &["export"]),
        ("wgpu", &["engine", "view"]),
        ("egui", &["view"]),
        ("eframe", &["view"]),
        ("naga", &["engine"]),
    ] {
        for (room, path, text) in sources() {
            assert!(!text.contains(word) || rooms.contains(&room.as_str()) || !path.is_file(), "{} uses {word}", path.display());
        }
    }
}

#[test]
fn every_file_says_its_job_and_stays_small() {
    for (_, path, text) in sources() {
        assert!(text.starts_with("//!"), "{} does not begin with its job", path.display());
        assert!(text.lines().count() <= 500, "{} has over 500 lines", path.display());
    }
}
