//! The million-neuron sheet, smaller: the front of what a kick sets off moves at the speed of conduction.

mod common;

use std::sync::Arc;

use synfire::engine::cpu::Cpu;
use synfire::plan::{Plan, plan};

const SCENE: &str = include_str!("../scenes/million.toml");

fn made(text: &str, set: &[(&str, &str)]) -> Arc<Plan> {
    Arc::new(plan(&common::load(&common::origin(text, None, set)).network).unwrap())
}

/// Least squares: slope of y over x.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / points.iter().map(|p| (p.0 - x) * (p.0 - x)).sum::<f64>()
}

/// All cells of a few lines are made to fire at 5 ms. The run with the kick and the one without are the same to the bit until the
/// kick arrives: the front is where any cell begins to differ.
#[test]
fn the_front_of_a_kick_moves_at_the_speed_of_conduction() {
    // A sheet of 2 by 5 mm at its own density; the kick takes its first 0.25 mm.
    let set = [("n", "250"), ("side", "5 mm")];
    let narrow = SCENE.replace("[\"2*n\", ", "[\"0.8*n\", ").replace("[\"n\", ", "[\"0.4*n\", ").replace("[\"side\", ", "[\"0.4*side\", ");
    assert_eq!(narrow.matches("0.4*side").count(), 2);
    let scene =
        |time: &str| format!("{narrow}\n[[stimuli]]\nkind = \"spikes\"\nto = \"exc[0..4000]\"\ntimes = [\"{time}\"]\nweight = \"5 nA\"\n");
    // The other run is kicked after its end, so that both count in the same quanta.
    let (a, b) = (made(&scene("1 s"), &set), made(&scene("5 ms"), &set));
    let (mut quiet, mut kicked) = (Cpu::new(a.clone()).unwrap(), Cpu::new(b).unwrap());
    const BIN: f64 = 100.0;
    let mut first = [f64::INFINITY; 24];
    for step in 1..=(31.0 / a.dt) as u64 {
        quiet.advance(1).unwrap();
        kicked.advance(1).unwrap();
        for (p, population) in a.populations.iter().enumerate() {
            let sheet = population.sheet.as_ref().unwrap();
            let pairs = (0..population.states.len()).flat_map(|v| quiet.state(p, v).into_iter().zip(kicked.state(p, v)).enumerate());
            for i in pairs.filter(|(_, (x, y))| x != y).map(|(i, _)| i % population.size as usize) {
                // Along the second axis, from the nearer edge of the kicked lines.
                let y = sheet.position(i as u32)[1];
                let bin = ((y - 250.0).min(5000.0 - y) / BIN).floor();
                if bin >= 0.0 && (bin as usize) < first.len() {
                    let at = &mut first[bin as usize];
                    *at = at.min(step as f64 * a.dt);
                }
            }
        }
    }
    // Beyond the longest axon too, so that the front has been handed on by cells that fired.
    let points: Vec<(f64, f64)> = (1..20).map(|b| ((f64::from(b) + 0.5) * BIN, first[b as usize])).collect();
    assert!(points.iter().all(|p| p.1.is_finite()) && points.is_sorted_by(|a, b| a.1 <= b.1), "{points:?}");
    let speed = 1e-3 / slope(&points);
    println!("front {speed:.4} m/s: {points:?}");
    assert!((speed / 0.1 - 1.0).abs() < 0.1, "{speed} m/s: {points:?}");
}

/// Built, not run: a processor that stands in for a GPU takes minutes to step it.
#[cfg(feature = "gpu")]
#[test]
fn the_million_fits_two_gib_of_a_device_and_its_rows_need_none_of_them() {
    use synfire::engine::gpu::{Forced, Gpu};
    let Some(device) = common::device() else { return };
    let gpu = Gpu::new(made(SCENE, &[]), device.clone(), Forced::default()).unwrap();
    println!("{} MiB", gpu.bytes() >> 20);
    assert!(gpu.bytes() < 2 << 30 && gpu.bytes() > 100 << 20, "{} bytes", gpu.bytes());
    assert!(gpu.synapse_bytes() < 1 << 10, "{} bytes of synapses", gpu.synapse_bytes());
}
