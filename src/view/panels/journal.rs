//! What was done in this run, step by step.

use eframe::egui::{Grid, ScrollArea, Ui};

use crate::export::{Column, Table};
use crate::session::{Command, Stamped};
use crate::view::look::time;
use crate::view::panel::Seen;

fn told(stamped: &Stamped) -> String {
    match &stamped.command {
        Command::Set { address, value } => format!("{address} = {value}"),
        Command::Rewrite { .. } => "the scene, rewritten".into(),
        Command::Poke { population, neurons, variable, add } => {
            let count: u32 = neurons.iter().map(|[a, b]| b - a).sum();
            format!("poke: {variable} of {count} in {population}, {add}")
        }
    }
}

pub fn show(ui: &mut Ui, seen: &mut Seen) {
    ui.weak("Scene, seed and this list give the same spikes again. A click on a time looks back to it.");
    ScrollArea::vertical().auto_shrink(false).stick_to_bottom(true).show(ui, |ui| {
        Grid::new("journal").num_columns(2).striped(true).show(ui, |ui| {
            for stamped in seen.frame.journal.iter() {
                let at = stamped.step as f64 * seen.frame.dt;
                if ui.link(time(at)).clicked() {
                    seen.span.end = Some(at);
                    seen.span.pan(seen.span.length / 2.0, seen.frame);
                }
                ui.label(told(stamped));
                ui.end_row();
            }
        });
    });
}

pub fn data(seen: &Seen) -> Table {
    let journal = &seen.frame.journal;
    let mut table = Table::default();
    table.add("step", Column::Numbers(journal.iter().map(|s| s.step as f64).collect()));
    table.add("command", Column::Texts(journal.iter().map(told).collect()));
    table
}
