//! Lessons: the author's solutions pass, other values do not, and what is wrong with a lesson is told.

use std::process::Command;

fn synfire(words: &[&str]) -> (bool, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_synfire")).args(words).output().unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stdout).to_string() + &String::from_utf8_lossy(&done.stderr))
}

#[test]
fn the_solutions_of_the_shipped_lessons_pass() {
    for scene in ["lif_fi", "brunel"] {
        let (ok, told) = synfire(&["check", scene, "--lesson"]);
        assert!(ok && told.matches("pass").count() >= 2, "{scene}: {told}");
    }
}

#[test]
fn a_wrong_solution_fails_and_a_wrong_lesson_is_told() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/scenes/lif_fi.toml")).unwrap();
    let file = std::env::temp_dir().join(format!("synfire-lesson-{}.toml", std::process::id()));
    let path = file.to_str().unwrap();
    for (from, to, word) in [
        ("drive = \"26.85 mV\"", "drive = \"19 mV\"", "FAIL"),
        ("rate.mine\", between", "rate.nobody\", between", "names no population"),
        ("answer = 1", "answer = 7", "prediction"),
        ("hint = \"The slider", "hnit = \"The slider", "hnit"),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let (ok, told) = synfire(&["check", path, "--lesson"]);
        assert!(!ok && told.contains(word), "{to}: {told}");
    }
}
