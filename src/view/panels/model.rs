//! What runs: the equations as they are stepped, and what the scene says of itself.

use eframe::egui::{RichText, ScrollArea, Ui};

use crate::session::memory::bytes;
use crate::view::look::{count, flowing};
use crate::view::panel::Seen;

pub fn equations(ui: &mut Ui, seen: &Seen) {
    let Some(about) = &seen.frame.about else { return };
    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
        for (text, p) in about.equations.iter().zip(&about.network.populations) {
            match told.iter_mut().find(|(t, _)| t == text) {
                Some((_, names)) => names.push(&p.name),
                None => told.push((text, vec![&p.name])),
            }
        }
        for (text, names) in told {
            ui.strong(names.join(", "));
            ui.label(RichText::new(text).monospace());
            ui.separator();
        }
    });
}

pub fn about(ui: &mut Ui, seen: &Seen) {
    let Some(about) = &seen.frame.about else { return };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.heading(&about.title);
        ui.label(flowing(&about.about));
        ui.weak(&about.cite);
        ui.separator();
        ui.label(format!("{} neurons, {} synapses, {}", count(about.neurons().into()), count(about.synapses), bytes(about.bytes)));
        for (what, size) in &about.budget {
            ui.weak(format!("{what}: {}", bytes(*size)));
        }
        ui.weak(format!("device: {}", seen.frame.device.why));
    });
}
