//! Everything that can be done by a key or from the palette, in one table. Knows no widget.

use std::path::PathBuf;

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use super::look::Look;
use super::panel::{Hand, Panel};
use super::rows::Choice;
use super::tiles::Arrangement;
use crate::session::live::About;

/// Where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Back,
    Forth,
    Shorter,
    Longer,
    RowsUp,
    RowsDown,
    FewerRows,
    MoreRows,
    AllRows,
}

#[derive(Clone, Debug, PartialEq)]
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
    Look(Move),
    Rows(Choice),
    Hold(Hand),
    Unselect,
    /// Pokes those that were selected.
    PokeSelected,
    /// The preset of this name, the stimulus of this name.
    Preset(String),
    Press(String),
    Scene(&'static str),
    Recent(PathBuf),
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
    /// The density is counted on the device that paints, or on the processor.
    OnDevice,
    SavePng(Panel),
    SaveSvg(Panel),
    SaveCsv(Panel),
    SaveNpz(Panel),
}

const NONE: Modifiers = Modifiers::NONE;
const SHIFT: Modifiers = Modifiers::SHIFT;
const CTRL: Modifiers = Modifiers::COMMAND;

/// Name, action and key.
pub type Named = (String, Action, Option<KeyboardShortcut>);

/// What the scene that runs offers, by name: its presets, its stimuli, and which of its neurons can be shown; and other scenes.
pub fn offered(about: Option<&About>, selected: Vec<u32>) -> Vec<Named> {
    let mut out: Vec<Named> = Vec::new();
    if let Some(about) = about {
        out.extend(about.presets.iter().map(|p| (format!("Preset: {}", p.label), Action::Preset(p.name.clone()), None)));
        out.extend(about.buttons.iter().map(|b| (format!("Press: {}", b.label), Action::Press(b.stimulus.clone()), None)));
        out.extend(Choice::usual(selected).into_iter().map(|c| (format!("Rows: {}", c.name()), Action::Rows(c), None)));
    }
    out.extend(crate::scene::shipped().iter().map(|(name, _)| (format!("Scene: {name}"), Action::Scene(name), None)));
    out
}

/// Name, action and key of everything that is always there.
pub fn all() -> Vec<Named> {
    let key = |m: Modifiers, k: Key| Some(KeyboardShortcut::new(m, k));
    let mut out: Vec<Named> = [
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
        ("Earlier", Action::Look(Move::Back), key(NONE, Key::ArrowLeft)),
        ("Later", Action::Look(Move::Forth), key(NONE, Key::ArrowRight)),
        ("Shorter time in sight", Action::Look(Move::Shorter), key(NONE, Key::Plus)),
        ("Longer time in sight", Action::Look(Move::Longer), key(NONE, Key::Minus)),
        ("Rows above", Action::Look(Move::RowsUp), key(NONE, Key::ArrowUp)),
        ("Rows below", Action::Look(Move::RowsDown), key(NONE, Key::ArrowDown)),
        ("Fewer rows, higher ones", Action::Look(Move::FewerRows), key(NONE, Key::PageUp)),
        ("More rows", Action::Look(Move::MoreRows), key(NONE, Key::PageDown)),
        ("All rows", Action::Look(Move::AllRows), key(NONE, Key::Home)),
        ("Poke with the pointer", Action::Hold(Hand::Poke), key(NONE, Key::P)),
        ("Select with the pointer", Action::Hold(Hand::Brush), key(NONE, Key::B)),
        ("Select nothing", Action::Unselect, key(SHIFT, Key::B)),
        ("Poke the selected neurons", Action::PokeSelected, key(SHIFT, Key::P)),
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
        ("Count the density on the painting device, or on the processor", Action::OnDevice, None),
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
