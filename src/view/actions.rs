//! Everything that can be done by a key or from the palette, in one table. Knows no widget.

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use super::look::Look;
use super::panel::{Hand, Panel};
use super::tiles::Arrangement;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    Toggle,
    Step,
    OneMillisecond,
    TenMilliseconds,
    Restart,
    NewSeed,
    Slower,
    Faster,
    RealTime,
    Speed(Option<f64>),
    Follow,
    Hold(Hand),
    Unselect,
    Ghost,
    Undo,
    Redo,
    Gallery,
    Open,
    Save,
    Palette,
    Help,
    FullScreen,
    Theme(Look),
    Show(Panel),
    Arrange(Arrangement),
    KeepLayout,
    ResetLayout,
    Calm,
    Guard,
    SavePng(Panel),
    SaveSvg(Panel),
    SaveCsv(Panel),
    SaveNpz(Panel),
}

const NONE: Modifiers = Modifiers::NONE;
const SHIFT: Modifiers = Modifiers::SHIFT;
const CTRL: Modifiers = Modifiers::COMMAND;

/// Name, action and key of everything.
pub fn all() -> Vec<(String, Action, Option<KeyboardShortcut>)> {
    let key = |m: Modifiers, k: Key| Some(KeyboardShortcut::new(m, k));
    let mut out: Vec<(String, Action, Option<KeyboardShortcut>)> = [
        ("Run or pause", Action::Toggle, key(NONE, Key::Space)),
        ("One millisecond", Action::OneMillisecond, key(SHIFT, Key::Period)),
        ("One step", Action::Step, key(NONE, Key::Period)),
        ("Ten milliseconds", Action::TenMilliseconds, key(NONE, Key::N)),
        ("Restart with another seed", Action::NewSeed, key(SHIFT, Key::R)),
        ("Restart with the same seed", Action::Restart, key(NONE, Key::R)),
        ("Slower", Action::Slower, key(NONE, Key::OpenBracket)),
        ("Faster", Action::Faster, key(NONE, Key::CloseBracket)),
        ("Real time", Action::RealTime, key(NONE, Key::Backslash)),
        ("Speed 0.001", Action::Speed(Some(0.001)), key(NONE, Key::Num1)),
        ("Speed 0.01", Action::Speed(Some(0.01)), key(NONE, Key::Num2)),
        ("Speed 0.1", Action::Speed(Some(0.1)), key(NONE, Key::Num3)),
        ("Speed 1", Action::Speed(Some(1.0)), key(NONE, Key::Num4)),
        ("As fast as possible", Action::Speed(None), key(NONE, Key::Num5)),
        ("Follow the present", Action::Follow, key(NONE, Key::End)),
        ("Poke with the pointer", Action::Hold(Hand::Poke), key(NONE, Key::P)),
        ("Select with the pointer", Action::Hold(Hand::Brush), key(NONE, Key::B)),
        ("Select nothing", Action::Unselect, key(SHIFT, Key::B)),
        ("Keep the rates as a ghost, or drop it", Action::Ghost, key(NONE, Key::G)),
        ("Redo", Action::Redo, key(CTRL.plus(SHIFT), Key::Z)),
        ("Undo", Action::Undo, key(CTRL, Key::Z)),
        ("Scenes", Action::Gallery, key(CTRL, Key::G)),
        ("Open a file", Action::Open, key(CTRL, Key::O)),
        ("Save the session", Action::Save, key(CTRL, Key::S)),
        ("Search commands", Action::Palette, key(CTRL, Key::K)),
        ("Keys", Action::Help, key(NONE, Key::F1)),
        ("Full screen on or off", Action::FullScreen, key(NONE, Key::F11)),
        ("Runaway guard on or off", Action::Guard, None),
        ("Calm display on or off", Action::Calm, None),
        ("Keep this layout for the next start", Action::KeepLayout, None),
        ("Panels as they were at first", Action::ResetLayout, None),
    ]
    .into_iter()
    .map(|(name, action, key)| (name.to_string(), action, key))
    .collect();
    out.extend(Look::ALL.map(|(look, name)| (format!("Theme: {name}"), Action::Theme(look), None)));
    let keys = [Key::Num1, Key::Num2, Key::Num3, Key::Num4];
    for (arrangement, k) in Arrangement::ALL.into_iter().zip(keys) {
        out.push((format!("Layout: {}", arrangement.title()), Action::Arrange(arrangement), key(CTRL, k)));
    }
    for panel in Panel::ALL {
        let title = panel.title();
        out.push((format!("Panel: {title}"), Action::Show(panel), None));
        out.push((format!("{title} as PNG"), Action::SavePng(panel), None));
        out.push((format!("{title} as SVG"), Action::SaveSvg(panel), None));
        if panel.has_data() {
            out.push((format!("{title} as CSV"), Action::SaveCsv(panel), None));
            out.push((format!("{title} as NPZ"), Action::SaveNpz(panel), None));
        }
    }
    out
}
