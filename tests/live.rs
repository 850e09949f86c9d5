//! A live simulation: pause is absolute, edits take effect and are journalled, a reader is never waited for, a session
//! replays to the same spikes, and what goes wrong is told.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use synfire::base::problem::Source;
use synfire::plan::{self, Spike};
use synfire::scene::{Options, shipped};
use synfire::session::live::{Frame, Live, Opening, Order, Phase};
use synfire::session::{self, Backend, Command, Origin, Simulation};

const SOON: Duration = Duration::from_secs(30);

fn origin(text: &str, set: &[(&str, &str)]) -> Origin {
    let source = Arc::new(Source { name: "scene.toml".into(), text: text.into() });
    let set = set.iter().map(|(a, v)| (a.to_string(), v.to_string())).collect();
    Origin { source, folder: None, options: Options { set, ..Options::default() } }
}

fn brunel() -> Origin {
    origin(shipped().iter().find(|(n, _)| *n == "brunel").unwrap().1, &[("N_E", "1200")])
}

fn open(origin: Origin, run: bool) -> Live {
    let live = Live::start(Backend::Cpu, None, || {}).unwrap();
    carried_out(&live, Order::Open(Box::new(Opening { origin, run, fit: false })));
    live
}

fn carried_out(live: &Live, order: Order) -> Arc<Frame> {
    let number = live.order(order);
    live.until(SOON, |f| f.done >= number && f.phase != Phase::Building).expect("an order was not carried out")
}

fn reaches(live: &Live, step: u64) -> Arc<Frame> {
    live.until(SOON, |f| f.step >= step).expect("it does not run")
}

fn set(address: &str, value: &str) -> Order {
    Order::Set(vec![(address.into(), value.into())])
}

fn spikes(frame: &Frame) -> Vec<Spike> {
    assert_eq!(frame.forgotten, 0);
    frame.chunks.iter().flat_map(|c| c.spikes.iter().copied()).collect()
}

fn replayed(text: &str) -> Vec<Spike> {
    let origin = origin(text, &[]);
    let scene = origin.load().unwrap();
    let (end, journal) = (scene.network.warmup + scene.network.duration, session::saved::commands(scene.saved.as_ref().unwrap()).unwrap());
    let plan = Arc::new(plan::plan(&scene.network).unwrap());
    let mut simulation = Simulation::new(origin, scene, plan, &session::choose(Backend::Cpu, None).unwrap().0, None).unwrap();
    let mut all = Vec::new();
    session::run(&mut simulation, end, &journal, &AtomicBool::new(false), |_, h| {
        all.extend_from_slice(&h.spikes);
        Ok(())
    })
    .unwrap();
    all
}

fn poke() -> Command {
    Command::Poke { population: "exc".into(), neurons: vec![[3, 200]], variable: "V_m".into(), add: "15 mV".into() }
}

#[test]
fn pause_is_absolute_and_edits_and_pokes_do_not_resume() {
    let live = open(brunel(), true);
    reaches(&live, 200);
    let paused = carried_out(&live, Order::Pause).step;
    for order in [set("g", "6"), Order::Do(poke()), Order::Speed(None), Order::Watch(vec![1]), Order::Guard(None)] {
        let frame = carried_out(&live, order);
        assert_eq!((frame.step, frame.phase), (paused, Phase::Paused), "{:?}", frame.note);
    }
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(live.frame().step, paused);
    carried_out(&live, Order::Steps(7));
    reaches(&live, paused + 7);
    std::thread::sleep(Duration::from_millis(60));
    let frame = live.frame();
    assert_eq!((frame.step, frame.phase, frame.journal.len()), (paused + 7, Phase::Paused, 2));
    assert_eq!(frame.about.as_ref().unwrap().knobs.iter().find(|k| k.name == "g").unwrap().value, 6.0);
}

#[test]
fn a_session_with_edits_and_pokes_replays_to_the_same_spikes() {
    let live = open(brunel(), true);
    carried_out(&live, Order::Speed(None));
    for (i, order) in [set("g", "3.5"), Order::Do(poke()), set("eta", "3"), set("J", "0.12 mV"), Order::Do(poke())].into_iter().enumerate()
    {
        reaches(&live, 300 * (i as u64 + 1));
        carried_out(&live, order);
    }
    reaches(&live, 2000);
    carried_out(&live, Order::Pause);
    // An edit at the very last step is part of the session too.
    let frame = carried_out(&live, set("eta", "1"));
    assert_eq!((frame.journal.len(), frame.generation), (6, 1), "{:?}", frame.note);
    let text = session::saved::save(&frame).unwrap();
    let expected = spikes(&frame);
    assert!(expected.len() > 2000);
    assert_eq!(expected, replayed(&text));

    // Opened by another person, it stands where it stood, and goes on alike.
    let other = open(origin(&text, &[]), true);
    let opened = other.until(SOON, |f| f.phase == Phase::Paused && f.step == frame.step).expect("not there");
    assert_eq!((spikes(&opened), &opened.journal), (expected, &frame.journal));
    carried_out(&live, Order::Steps(200));
    carried_out(&other, Order::Steps(200));
    assert_eq!(spikes(&reaches(&live, frame.step + 200)), spikes(&reaches(&other, frame.step + 200)));
}

#[test]
fn a_saved_session_runs_from_the_command_line_to_the_same_spikes() {
    let live = open(brunel(), true);
    reaches(&live, 200);
    carried_out(&live, set("g", "4"));
    reaches(&live, 600);
    let frame = carried_out(&live, Order::Pause);
    let folder = std::env::temp_dir().join(format!("synfire-live-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("saved.toml");
    std::fs::write(&file, session::saved::save(&frame).unwrap()).unwrap();
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_synfire"))
        .args(["run", file.to_str().unwrap(), "--backend", "cpu", "--format", "csv", "--force", "--out"])
        .arg(folder.join("out"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let csv = std::fs::read_to_string(folder.join("out/spikes.csv")).unwrap();
    let numbers = |line: &str| line.split(',').map(|w| w.parse::<f64>().unwrap() as u32).collect::<Vec<_>>();
    let found: Vec<Spike> = csv.lines().skip(1).map(numbers).map(|n| Spike { step: n[0], neuron: n[2] }).collect();
    assert_eq!(found, spikes(&frame));
}

#[test]
fn turning_g_j_and_eta_never_rebuilds_brunel_and_turning_its_size_does_and_says_so() {
    let live = open(brunel(), true);
    let about = live.frame().about.clone().unwrap();
    for (knob, rebuild) in about.knobs.iter().zip(about.rebuilds.iter()) {
        let live_knob = matches!(knob.name.as_str(), "g" | "eta" | "J" | "tau" | "theta");
        assert!(knob.derived || rebuild.is_none() == live_knob, "{} {rebuild:?}", knob.name);
    }
    for i in 0..60 {
        live.order(set("g", &format!("{}", 3.0 + f64::from(i) * 0.05)));
        live.order(set("eta", &format!("{}", 1.0 + f64::from(i) * 0.03)));
        live.order(set("J", &format!("{} mV", 0.08 + f64::from(i) * 0.001)));
    }
    let frame = carried_out(&live, set("g", "5"));
    assert_eq!((frame.generation, frame.note.as_deref()), (1, None));
    assert!(!frame.journal.is_empty());
    let frame = carried_out(&live, set("N_E", "800"));
    assert_eq!((frame.generation, frame.about.as_ref().unwrap().neurons()), (2, 1000));
    assert!(frame.note.as_ref().unwrap().contains("rebuilt"), "{:?}", frame.note);
    assert_eq!(frame.about.as_ref().unwrap().knobs.iter().find(|k| k.name == "eta").unwrap().value, 1.0 + 59.0 * 0.03);
    reaches(&live, 10);
}

#[test]
fn a_reader_that_sleeps_or_hangs_on_to_frames_neither_stops_nor_slows_it() {
    let live = open(brunel(), true);
    carried_out(&live, Order::Speed(None));
    let held = reaches(&live, 100);
    std::thread::sleep(Duration::from_millis(400));
    let later = live.frame();
    assert!(later.step > held.step + 500, "{} to {}", held.step, later.step);
    assert!(held.chunks.iter().all(|c| c.to <= held.step), "a frame changed in the hands of its reader");
}

#[test]
fn a_restart_with_the_same_seed_gives_the_same_spikes_and_another_seed_others() {
    let live = open(brunel(), false);
    carried_out(&live, Order::Steps(400));
    let first = spikes(&reaches(&live, 400));
    carried_out(&live, Order::Restart(None));
    carried_out(&live, Order::Steps(400));
    assert_eq!(first, spikes(&reaches(&live, 400)));
    let frame = carried_out(&live, Order::Restart(Some(99)));
    assert_eq!((frame.step, frame.seed, frame.phase), (0, 99, Phase::Paused));
    carried_out(&live, Order::Steps(400));
    assert_ne!(first, spikes(&reaches(&live, 400)));
}

#[test]
fn slow_motion_keeps_its_speed() {
    let live = open(brunel(), true);
    carried_out(&live, Order::Speed(Some(0.01)));
    let from = live.frame().step;
    std::thread::sleep(Duration::from_millis(500));
    let steps = live.frame().step - from;
    assert!((25..=75).contains(&steps), "{steps} steps in half a second, 50 expected");
}

#[test]
fn a_runaway_pauses_and_says_who_and_since_when() {
    let live = open(brunel(), false);
    carried_out(&live, Order::Guard(Some(100.0)));
    carried_out(&live, set("g", "1"));
    live.order(Order::Speed(None));
    live.order(Order::Run);
    let frame = live.until(SOON, |f| f.stopped.is_some()).expect("nothing stopped it");
    let told = frame.stopped.as_ref().unwrap();
    assert!(told.contains("exc") && told.contains("since"), "{told}");
    assert_eq!(live.until(SOON, |f| f.phase == Phase::Paused).map(|f| f.step), Some(frame.step));
    carried_out(&live, Order::Guard(None));
    carried_out(&live, Order::Run);
    assert!(reaches(&live, frame.step + 500).stopped.is_none());
}

const DIVERGING: &str = r#"
format = 1
[run]
dt = "0.1 ms"
duration = "1 s"
[models.grow]
equations = "dV_m/dt = V_m/tau"
threshold = "V_m <= -1 V"
reset = "V_m = 0 mV"
[models.grow.parameters]
tau = "0.05 ms"
[models.grow.state]
V_m = "1 mV"
[populations.cell]
model = "grow"
size = 3
"#;

#[test]
fn a_number_that_is_none_stops_it_and_names_neuron_variable_and_time() {
    let live = open(origin(DIVERGING, &[]), true);
    let frame = live.until(SOON, |f| f.stopped.is_some() || !f.problems.is_empty()).expect("nothing stopped it");
    let told = frame.stopped.clone().unwrap_or_else(|| panic!("{:?}", frame.problems));
    assert!(told.contains("V_m of cell[0]") && told.contains("ms"), "{told}");
    carried_out(&live, Order::Restart(None));
}

#[test]
fn a_scene_with_problems_is_told_and_the_one_that_runs_goes_on() {
    let live = open(brunel(), true);
    let broken = origin("format = 1\n[run]\ndt = \"0.1 mV\"\nnonsense = 3\n", &[]);
    let frame = carried_out(&live, Order::Open(Box::new(Opening { origin: broken, run: true, fit: false })));
    assert!(frame.problems.len() >= 2 && frame.problems.iter().all(|p| p.place.is_some()), "{:?}", frame.problems);
    assert_eq!((frame.generation, frame.phase), (1, Phase::Running));
    reaches(&live, frame.step + 50);
    for bad in [set("g", "nonsense"), set("tau", "3 mV"), set("N_E", "-4"), set("N_E", "1e15"), Order::Press("x".into())] {
        let frame = carried_out(&live, bad);
        assert_eq!((frame.generation, frame.phase), (1, Phase::Running));
    }
    assert!(live.frame().journal.is_empty());
}

#[test]
fn membranes_are_recorded_for_the_chosen_and_the_spikes_stay_the_same() {
    let live = open(brunel(), false);
    carried_out(&live, Order::Steps(300));
    let first = spikes(&reaches(&live, 300));
    carried_out(&live, Order::Restart(None));
    carried_out(&live, Order::Steps(100));
    carried_out(&live, Order::Watch(vec![0, 1250]));
    carried_out(&live, Order::Steps(200));
    let frame = reaches(&live, 300);
    assert_eq!(first, spikes(&frame));
    let seen: Vec<_> = frame.chunks.iter().filter(|c| c.watched.len() == 2).collect();
    assert_eq!(seen.iter().map(|c| c.traces[1].len()).sum::<usize>(), 200);
    assert_eq!((seen[0].watched[1].name.as_str(), seen[0].watched[1].variable.as_str()), ("inh[50]", "V_m"));
    assert!(seen.iter().all(|c| c.traces[0].iter().all(|v| (-200.0..=20.0).contains(v))));
}

const BUTTON: &str = r#"
format = 1
[run]
dt = "0.1 ms"
duration = "1 s"
[populations.cell]
model = "iaf_psc_exp"
size = 5
[[stimuli]]
name = "kick"
label = "Kick"
kind = "current"
to = "cell"
amplitude = "2000 pA"
start = "10 s"
stop = "10.01 s"
"#;

#[test]
fn a_labelled_stimulus_acts_when_it_is_pressed_and_is_journalled() {
    let live = open(origin(BUTTON, &[]), false);
    carried_out(&live, Order::Steps(500));
    assert_eq!(reaches(&live, 500).spikes, 0);
    carried_out(&live, Order::Press("kick".into()));
    carried_out(&live, Order::Steps(500));
    let frame = reaches(&live, 1000);
    let all = spikes(&frame);
    assert!(all.len() >= 5 && all.iter().all(|s| (501..=620).contains(&s.step)), "{all:?}");
    carried_out(&live, Order::Press("kick".into()));
    carried_out(&live, Order::Steps(500));
    let frame = reaches(&live, 1500);
    let again = spikes(&frame).split_off(all.len());
    assert!(again.len() >= 5 && again.iter().all(|s| (1001..=1120).contains(&s.step)), "{again:?}");
    assert_eq!([all, again].concat(), replayed(&session::saved::save(&frame).unwrap()));
}
