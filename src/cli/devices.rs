//! `synfire devices`: what the GPU engine can use here, and whether it gives the CPU engine's bits.

use serde_json::json;

use super::Failure;
use crate::session::{Tested, devices as found};

pub fn devices(as_json: bool) -> Result<(), Failure> {
    let all = found();
    if as_json {
        let list: Vec<_> = all.iter().map(entry).collect();
        println!("{:#}", json!(list));
        return Ok(());
    }
    println!("cpu: the CPU engine, {} threads build", std::thread::available_parallelism().map_or(1, usize::from));
    for d in &all {
        println!("{}: {} ({})\n   {}", d.number, d.name, d.kind, d.driver);
        println!("   largest binding {}", super::scene::bytes(d.binding));
        match &d.exact {
            Ok(()) => println!("   self-test: bit-exact with the CPU engine"),
            Err(e) => println!("   self-test: not bit-exact with the CPU engine: {e}"),
        }
    }
    if all.is_empty() {
        println!("no device for the GPU engine; on Linux, Mesa's mesa-vulkan-drivers holds one for every machine");
    }
    Ok(())
}

fn entry(d: &Tested) -> serde_json::Value {
    json!({ "number": d.number, "name": d.name, "kind": d.kind, "driver": d.driver, "binding_limit_bytes": d.binding,
        "bit_exact": d.exact.is_ok(), "self_test": d.exact.as_ref().err() })
}
