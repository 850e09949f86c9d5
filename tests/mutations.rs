//! Thousands of damaged scenes: each is loaded, or refused with problems, and small ones are planned. None may panic.

use std::sync::Arc;

use synfire::base::problem::Source;
use synfire::base::rng::Stream;

#[test]
fn mutated_scenes_never_panic() {
    let texts: Vec<&[u8]> = synfire::scene::shipped().iter().map(|(_, t)| t.as_bytes()).collect();
    let stream = Stream::new(1, [99, 0]);
    let (mut loaded, mut refused, mut planned) = (0, 0, 0);
    for i in 0..4000u32 {
        let w = stream.block([i, 0, 0, 0]);
        let mut text = texts[i as usize % texts.len()].to_vec();
        let at = w[0] as usize % text.len();
        let end = (at + w[1] as usize % 20).min(text.len());
        match w[2] % 4 {
            0 => text[at] ^= 1 << (w[3] % 7),
            1 => drop(text.drain(at..end)),
            2 => {
                let piece = text[at..end].to_vec();
                let to = w[3] as usize % text.len();
                text.splice(to..to, piece);
            }
            _ => drop(text.splice(at..at, b"9e9".iter().copied())),
        }
        let Ok(text) = String::from_utf8(text) else { continue };
        let source = Arc::new(Source { name: "mutant.toml".into(), text });
        match synfire::scene::load(source, None, &Default::default()) {
            Err(problems) => {
                refused += 1;
                assert!(!problems.is_empty() && problems.iter().all(|p| p.render().starts_with("error: ")));
            }
            Ok(scene) => {
                loaded += 1;
                if synfire::plan::estimate(&scene.network, None) < 2e6 {
                    planned += 1;
                    // Refusing is fine, crashing is not.
                    let _ = synfire::plan::plan(&scene.network);
                }
            }
        }
    }
    assert!(loaded > 500 && refused > 500 && planned > 100, "{loaded} loaded, {refused} refused, {planned} planned");
}
