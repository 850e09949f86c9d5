//! `synfire devices`: what the GPU engine can use here, and whether it gives the CPU engine's bits.

use serde_json::json;

use super::scene::bytes;
use super::terminal::Terminal;
use super::{Failure, host};
use crate::session::{Tested, devices as found};

pub fn devices(terminal: &Terminal) -> Result<(), Failure> {
    let all = found();
    let (processor, threads) = host::processor();
    let text = || {
        let mut text = format!("cpu: the CPU engine, on {processor} with {threads} threads\n");
        for d in &all {
            text += &format!("{}: {} ({})\n   {}\n   largest binding {}\n", d.number, d.name, d.kind, d.driver, bytes(d.binding));
            text += &match &d.exact {
                Ok(()) => "   self-test: bit-exact with the CPU engine\n".to_string(),
                Err(e) => format!("   self-test: not bit-exact with the CPU engine: {e}\n"),
            };
        }
        if all.is_empty() {
            text += "no device for the GPU engine; on Linux, Mesa's mesa-vulkan-drivers holds one for every machine\n";
        }
        text
    };
    let json = || json!({ "cpu": { "processor": processor, "threads": threads }, "devices": all.iter().map(entry).collect::<Vec<_>>() });
    terminal.data(text, json)
}

fn entry(d: &Tested) -> serde_json::Value {
    json!({ "number": d.number, "name": d.name, "kind": d.kind, "driver": d.driver, "binding_limit_bytes": d.binding,
        "bit_exact": d.exact.is_ok(), "self_test": d.exact.as_ref().err() })
}
