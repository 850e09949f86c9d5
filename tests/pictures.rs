//! A few pictures of the window, compared with those in tests/pictures: the numbers behind them are tested elsewhere, this is how they
//! look. `UPDATE_PICTURES=1 cargo test --test pictures` draws them anew, to be looked at before they are committed.
#![cfg(feature = "view")]

#[path = "common/window.rs"]
mod common;

use std::path::Path;

use common::wish;
use eframe::egui::{Rect, pos2, vec2};
use synfire::view::{Look, window};

/// How far a channel of a pixel may be off, and the share of pixels that may be farther: adapters round on their own.
const NEAR: u8 = 24;
const SHARE: f64 = 0.005;

type Picture = (u32, u32, Vec<u8>);

fn decoded(bytes: &[u8]) -> Picture {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    (info.width, info.height, pixels)
}

/// Compares a picture within a rectangle; what lies outside of it tells how fast this machine is.
fn compare(name: &str, bytes: &[u8], within: Rect) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures").join(name);
    if std::env::var_os("UPDATE_PICTURES").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        return std::fs::write(file, bytes).unwrap();
    }
    let (found, due) = (decoded(bytes), decoded(&std::fs::read(&file).unwrap()));
    assert_eq!((found.0, found.1), (due.0, due.1));
    let pixels = found.2.chunks_exact(3).zip(due.2.chunks_exact(3)).enumerate();
    let place = |i: usize| pos2((i as u32 % found.0) as f32, (i as u32 / found.0) as f32);
    let inside: Vec<bool> = pixels
        .filter(|(i, _)| within.contains(place(*i)))
        .map(|(_, (a, b))| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= NEAR))
        .collect();
    let differ = inside.iter().filter(|same| !**same).count();
    if differ as f64 > SHARE * inside.len() as f64 {
        let other = std::env::temp_dir().join(name);
        std::fs::write(&other, bytes).unwrap();
        panic!("{differ} of {} pixels of {name} have changed: compare it with {}", inside.len(), other.display());
    }
}

#[test]
fn the_default_layout_looks_as_it_did_in_dark_and_light() {
    let size = vec2(1000.0, 640.0);
    for (look, name) in [(Look::Dark, "default-dark.png"), (Look::Light, "default-light.png")] {
        let mut wish = wish("brunel", &[("N_E", "1200")]);
        (wish.look, wish.run) = (look, false);
        let bytes = match window(wish, 300.0, 200.0, size) {
            Ok(bytes) => bytes,
            Err(e) if e.contains("there is no adapter") && std::env::var_os("CI").is_none() => return println!("SKIPPED: {e}"),
            Err(e) => panic!("{e}"),
        };
        // Below the toolbar, above the status bar.
        compare(name, &bytes, Rect::from_min_max(pos2(0.0, 80.0), pos2(size.x, size.y - 50.0)));
    }
}
