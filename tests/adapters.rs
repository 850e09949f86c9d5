//! The window on different adapters: one of which no compute is asked paints it too, and where a GPU simulates, one device does both.
#![cfg(all(feature = "view", feature = "gpu"))]

use std::process::Command;
use std::sync::Arc;

use eframe::egui::vec2;
use egui_kittest::Harness;
use synfire::base::problem::Source;
use synfire::plan::{Spike, plan};
use synfire::scene::{Options, shipped};
use synfire::session::live::{Frame, Phase};
use synfire::session::{Backend, Machine, Origin, Simulation, choose};
use synfire::view::{Action, App, Arrangement, Look, Panel, Wish, created, shared};

/// What is not there fails in CI, and is told elsewhere.
fn missing(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what}");
    println!("SKIPPED: {what}");
}

fn brunel() -> Wish {
    let text = shipped().iter().find(|(n, _)| *n == "brunel").unwrap().1;
    let set = vec![("N_E".to_string(), "400".to_string())];
    let source = Arc::new(Source { name: "brunel.toml".into(), text: text.into() });
    let origin = Origin { source, folder: None, options: Options { set, ..Options::default() } };
    let (look, layout) = (Look::Dark, Some(Arrangement::Explore));
    Wish { origin, file: None, backend: Backend::Cpu, device: None, run: true, fit: false, look, layout, settings: None }
}

/// A picture by the program, painted by an adapter of this kind; none if there is no such adapter.
fn picture(kind: &str, panel: &str) -> Option<(u32, u32, Vec<u8>)> {
    let file = std::env::temp_dir().join(format!("synfire-{kind}-{panel}-{}.png", std::process::id()));
    let words =
        ["snap", "brunel", "--set", "N_E=400", "--backend", "cpu", "--panel", panel, "--at", "300 ms", "--size", "800x500", "--out"];
    let run = Command::new(env!("CARGO_BIN_EXE_synfire")).args(words).arg(&file).env("WGPU_BACKEND", kind).output().unwrap();
    let told = String::from_utf8_lossy(&run.stderr).to_string();
    if told.contains("there is no adapter") {
        return None;
    }
    assert!(run.status.success(), "{told}");
    let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&file).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    std::fs::remove_file(file).unwrap();
    Some((info.width, info.height, pixels))
}

#[test]
fn an_adapter_of_which_no_compute_is_asked_paints_the_same_density() {
    let (Some(gl), Some(vulkan)) = (picture("gl", "raster"), picture("vulkan", "raster")) else {
        return missing("there is no adapter of GL, or none of Vulkan");
    };
    assert_eq!((gl.0, gl.1, vulkan.0, vulkan.1), (800, 500, 800, 500));
    let pixels = gl.2.chunks_exact(3).zip(vulkan.2.chunks_exact(3));
    let differ = pixels.filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 3)).count();
    assert!(differ * 500 < 800 * 500, "{differ} pixels differ");
    // Spikes are there: pixels that are neither of the ground nor grey.
    let coloured = gl.2.chunks_exact(3).filter(|p| p[0].abs_diff(p[2]) > 40).count();
    assert!(coloured > 3000, "{coloured} coloured pixels");
}

#[test]
fn the_whole_window_is_painted_by_an_adapter_of_which_no_compute_is_asked() {
    let Some((_, _, pixels)) = picture("gl", "window") else { return missing("there is no adapter of GL") };
    let other = pixels.chunks_exact(3).filter(|p| *p != &pixels[..3]).count();
    assert!(other > 40_000, "{other} pixels are not the ground's");
}

/// Draws until the frame that is shown pleases.
fn until(window: &mut Harness<'_, App>, what: &str, pleases: impl Fn(&Frame) -> bool) {
    for _ in 0..6000 {
        window.step();
        if pleases(&window.state().frame) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(4));
    }
    panic!("{what} did not come");
}

#[test]
fn one_device_simulates_and_paints_and_the_spikes_are_those_of_the_cpu() {
    let (machine, why) = match choose(Backend::Gpu, None) {
        Ok(chosen) => chosen,
        Err(e) => return missing(&e),
    };
    let setup = shared(&machine).expect("a GPU has a device to share");
    let app = |cc: &mut eframe::CreationContext<'_>| created(cc, brunel(), machine, why).unwrap();
    let mut window = Harness::builder().with_size(vec2(900.0, 600.0)).wgpu_setup(setup).build_eframe(app);
    until(&mut window, "time", |f| f.step > 400);
    window.render().unwrap();
    window.state_mut().act(Action::Show(Panel::Space));
    window.state_mut().act(Action::Toggle);
    until(&mut window, "the pause", |f| f.phase == Phase::Paused);
    let picture = window.render().unwrap();
    let first = *picture.get_pixel(0, 0);
    assert!(picture.pixels().filter(|p| **p != first).count() > 50_000);
    let frame = window.state().frame.clone();
    assert!(frame.device.name != "CPU" && frame.stopped.is_none(), "{:?} {:?}", frame.device, frame.stopped);
    let spikes: Vec<Spike> = frame.chunks.iter().flat_map(|c| c.spikes.clone()).collect();
    let scene = brunel().origin.load().unwrap();
    let plan = Arc::new(plan(&scene.network).unwrap());
    let mut cpu = Simulation::new(brunel().origin, scene, plan, &Machine::Cpu { threads: Some(1) }, None).unwrap();
    let due = cpu.advance(frame.step).unwrap().spikes;
    assert!(due.len() > 100 && (!frame.device.exact || spikes == due), "{} and {} spikes", spikes.len(), due.len());
}
