//! Another text of a scene that runs: the model is swapped between two batches, and what keeps its name keeps its value. Both engines.

mod common;

use std::path::Path;
use std::process::Command as Process;

use common::{advance, machines, origin, start};
use synfire::plan::State;
use synfire::session::live::{Live, Opening, Order};
use synfire::session::{Backend, Command, Simulation, choose};

const CELL: &str = "equations = \"\"\"
dV/dt = (E - V)/tau + I/C
dI/dt = -I/tau_s
\"\"\"
threshold = \"V >= V_t\"
reset = \"V = V_r\"
refractory = { period = \"t_ref\", clamp = [\"V\"] }
receptors.exc = \"I += w\"
state = { V = \"E\", I = \"0 pA\" }
";

/// The same cell with variables in another order, and with a threshold that rises.
const ADAPTIVE: &str = "equations = \"\"\"
dth/dt = -th/(50 ms)
dI/dt = -I/tau_s
dV/dt = (E - V)/tau + I/C
\"\"\"
threshold = \"V >= V_t + th\"
reset = \"V = V_r; th += 3 mV\"
refractory = { period = \"t_ref\", clamp = [\"V\"] }
receptors.other = \"V += w\"
receptors.exc = \"I += w\"
state = { th = \"1.5 mV\", I = \"0 pA\", V = \"E\" }
";

fn scene(cell: &str, size: u32) -> String {
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"200 ms\"\nseed = 3\n[parameters]\nw = \"60 pA\"\n[models.cell]\n{cell}\
         [models.cell.parameters]\nE = \"-70 mV\"\ntau = \"10 ms\"\nC = \"200 pF\"\ntau_s = \"3 ms\"\nV_t = \"-55 mV\"\nV_r = \"-65 mV\"\nt_ref = \"2 ms\"\n\
         [populations.a]\nmodel = \"cell\"\nsize = {size}\ninitial.V = \"uniform(-70 mV, -55 mV)\"\n\
         [[projections]]\nfrom = \"a\"\nto = \"a\"\nrule = \"fixed_probability\"\np = 0.1\nreceptor = \"exc\"\nweight = \"w\"\n\
         delay = \"uniform(0.5 ms, 3 ms)\"\n\
         [[projections]]\nfrom = \"a\"\nto = \"a\"\nrule = \"fixed_probability\"\np = 0.1\nreceptor = \"exc\"\nweight = \"20 pA\"\nw_max = \"60 pA\"\n\
         delay = \"1 ms\"\nsynapse = \"stdp_pair\"\n\
         [[stimuli]]\nkind = \"poisson\"\nto = \"a\"\nrate = \"5 kHz\"\nreceptor = \"exc\"\nweight = \"70 pA\"\n\
         [[probes]]\nrecord = \"V\"\nof = \"a[0..3]\"\nevery = \"0.5 ms\"\n[[probes]]\nrecord = \"spikes\"\nof = \"a\"\n"
    )
}

fn rewrite(simulation: &mut Simulation, text: String) -> Result<(), String> {
    simulation.apply(Command::Rewrite { text })
}

fn values<'a>(simulation: &Simulation, state: &'a State, name: &str) -> &'a [f32] {
    let k = simulation.plan.populations[0].states.iter().position(|s| s == name).unwrap_or_else(|| panic!("no {name}"));
    &state.values[0][k]
}

#[test]
fn a_model_is_swapped_and_what_keeps_its_name_keeps_its_value() {
    let mut ends = Vec::new();
    for machine in machines() {
        let mut simulation = start(origin(&scene(CELL, 120), None, &[]), machine, None);
        let early = advance(&mut simulation, 500, 90);
        assert!(early.spikes.len() > 100, "{}", early.spikes.len());
        let before = simulation.save().unwrap();
        let names = ["V", "I", "refractory steps left"];
        let known: Vec<Vec<f32>> = names.iter().map(|n| values(&simulation, &before, n).to_vec()).collect();
        assert!(known[2].iter().any(|x| *x > 0.0) && before.due.iter().flatten().any(|x| *x != 0));
        rewrite(&mut simulation, scene(ADAPTIVE, 120)).unwrap();
        let after = simulation.save().unwrap();
        for (name, known) in names.iter().zip(&known) {
            assert_eq!(values(&simulation, &after, name), known, "{name}");
        }
        assert!(values(&simulation, &after, "th").iter().all(|x| *x == 1.5));
        assert_eq!(
            (after.step, &after.weights, &after.traces, &after.histories),
            (500, &before.weights, &before.traces, &before.histories)
        );
        // Inputs under way are those of the receptor of that name, now the second.
        for (now, old) in after.due.iter().zip(&before.due) {
            assert_eq!((&now[120..], &now[..120]), (&old[..], &[0; 120][..]));
        }
        let late = advance(&mut simulation, 500, 77);
        assert!(late.spikes.len() > 20 && late.spikes.iter().all(|s| s.step > 500));
        assert_eq!(simulation.journal.len(), 1);
        ends.push((late.spikes, late.samples, simulation.save().unwrap()));
    }
    assert!(ends.windows(2).all(|w| w[0] == w[1]), "the engines agree");
}

#[test]
fn the_same_text_or_one_in_another_order_changes_nothing() {
    let reordered = CELL.replace("state = { V = \"E\", I = \"0 pA\" }", "state = { I = \"0 pA\", V = \"E\" }");
    for machine in machines() {
        let mut left = start(origin(&scene(CELL, 100), None, &[]), machine, None);
        let expected = advance(&mut left, 900, 900);
        for text in [scene(CELL, 100), scene(&reordered, 100)] {
            let mut simulation = start(origin(&scene(CELL, 100), None, &[]), machine, None);
            let mut spikes = advance(&mut simulation, 333, 333).spikes;
            rewrite(&mut simulation, text).unwrap();
            spikes.extend(advance(&mut simulation, 567, 50).spikes);
            assert!(spikes == expected.spikes);
        }
    }
}

/// Where all names stay, a rewrite is the new text's own run from the checkpoint of that step, on either engine.
#[test]
fn a_rewrite_equals_a_restart_with_the_new_text() {
    let (old, new) = (scene(CELL, 100), scene(&CELL.replace("V = V_r\"", "V = V_r - 2 mV; I = 0.5*I\""), 100).replace("60 pA", "75 pA"));
    for here in machines() {
        for there in machines() {
            let mut simulation = start(origin(&old, None, &[]), here, None);
            advance(&mut simulation, 400, 400);
            let state = simulation.save().unwrap();
            rewrite(&mut simulation, new.clone()).unwrap();
            let after = advance(&mut simulation, 500, 60);
            let mut restarted = start(origin(&new, None, &[]), there, Some(&state));
            assert!(after.spikes == advance(&mut restarted, 500, 500).spikes && after.spikes.len() > 50);
            let mut left = start(origin(&old, None, &[]), there, Some(&state));
            assert!(after.spikes != advance(&mut left, 500, 500).spikes, "the new text must make a difference");
        }
    }
}

#[test]
fn values_set_by_hand_stay_and_later_edits_go_to_the_new_text() {
    let machine = &machines()[0];
    let mut simulation = start(origin(&scene(CELL, 60), None, &[]), machine, None);
    simulation.apply(Command::Set { address: "a.V_t".into(), value: "-56 mV".into() }).unwrap();
    rewrite(&mut simulation, scene(ADAPTIVE, 60)).unwrap();
    let of = |s: &Simulation, name: &str| {
        let p = &s.scene.network.populations[0];
        let i = p.model.parameters.iter().position(|p| p.name == name).unwrap();
        format!("{:?}", p.parameters[i])
    };
    assert_eq!(of(&simulation, "V_t"), "Uniform(-56.0)");
    simulation.apply(Command::Set { address: "a.tau".into(), value: "12 ms".into() }).unwrap();
    assert_eq!(of(&simulation, "tau"), "Uniform(12.0)");
    assert_eq!(simulation.scene.network.populations[0].model.states.len(), 3);
}

#[test]
fn what_needs_a_rebuild_and_what_is_wrong_is_told_and_the_run_goes_on() {
    let text = scene(CELL, 80);
    for machine in machines() {
        let mut simulation = start(origin(&text, None, &[]), machine, None);
        let mut left = start(origin(&text, None, &[]), machine, None);
        advance(&mut simulation, 200, 200);
        advance(&mut left, 200, 200);
        for (from, to, told) in [
            ("size = 80", "size = 81", "the size or model of a"),
            ("dt = \"0.1 ms\"", "dt = \"0.05 ms\"", "the step"),
            ("seed = 3", "seed = 4", "the seed"),
            ("p = 0.1", "p = 0.2", "the wiring"),
            ("exc", "exz", "the receptor exz of a"),
            ("receptors.exc = \"I += w\"", "receptors.exc = \"V += w*mV/pA\"", ""),
            ("rate = \"5 kHz\"", "rate = \"5 mV\"", "test.toml:"),
            ("dV/dt = (E - V)/tau + I/C", "dV/dt = (E - V)/tau + I", "cannot add"),
            ("synapse = \"stdp_pair\"", "synapse = \"stdp_triplet\"", "the wiring"),
            ("weight = \"w\"", "weight = \"100000*w\"", "no longer fit their fixed-point scale"),
            ("record = \"V\"", "record = \"I\"", "a probe"),
        ] {
            assert!(text.contains(from), "{from}");
            match rewrite(&mut simulation, text.replace(from, to)) {
                Err(e) => assert!(!told.is_empty() && e.contains(told), "{to}: {e}"),
                Ok(()) => {
                    assert!(told.is_empty(), "{to} is taken");
                    // Back again: nothing has happened in between.
                    rewrite(&mut simulation, text.clone()).unwrap();
                }
            }
        }
        assert!(advance(&mut simulation, 300, 300).spikes == advance(&mut left, 300, 300).spikes);
    }
}

fn synfire(folder: &Path, words: &[&str]) -> (bool, String) {
    let done = Process::new(env!("CARGO_BIN_EXE_synfire")).current_dir(folder).args(words).output().unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn the_command_line_takes_a_new_text_and_its_journal_replays() {
    let folder = std::env::temp_dir().join(format!("synfire-{}-rewrite", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("old.toml"), scene(CELL, 60)).unwrap();
    std::fs::write(folder.join("new.toml"), scene(ADAPTIVE, 60)).unwrap();
    std::fs::write(folder.join("other.toml"), scene(ADAPTIVE, 61)).unwrap();
    let run = |out: &str, more: &[&str]| {
        let words = [&["run", "old.toml", "--backend", "cpu", "--format", "csv", "--force", "--out", out][..], more].concat();
        let (ok, told) = synfire(&folder, &words);
        assert!(ok, "{told}");
        std::fs::read_to_string(folder.join(out).join("spikes.csv")).unwrap()
    };
    let (plain, edited) = (run("plain", &[]), run("edited", &["--at", "50 ms: @new.toml", "--at", "120 ms: w=90 pA"]));
    assert_ne!(plain, edited);
    assert_eq!(edited, run("again", &["--journal", "edited/journal.jsonl"]));
    let (ok, told) = synfire(&folder, &["run", "old.toml", "--backend", "cpu", "--at", "50 ms: @other.toml", "--out", "no"]);
    assert!(!ok && told.contains("the size or model of a") && told.contains("rebuilt"), "{told}");
    let (ok, told) = synfire(&folder, &["run", "old.toml", "--backend", "cpu", "--at", "50 ms: @nothing.toml", "--out", "no"]);
    assert!(!ok && told.contains("nothing.toml"), "{told}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_live_simulation_goes_on_with_a_new_text_and_opens_one_anew_that_cannot() {
    let live = Live::on(choose(Backend::Cpu, None).unwrap().0, String::new(), || {}).unwrap();
    let soon = std::time::Duration::from_secs(60);
    let done = |order: Order| {
        let number = live.order(order);
        live.until(soon, |f| f.done >= number).expect("an order was not carried out")
    };
    let opening = |text: &str| Box::new(Opening { origin: origin(text, None, &[]), run: false, fit: false });
    done(Order::Open(opening(&scene(CELL, 60))));
    let _ = done(Order::Steps(300));
    let standing = live.until(soon, |f| f.step == 300).unwrap();
    let frame = done(Order::Rewrite(opening(&scene(ADAPTIVE, 60))));
    assert_eq!((frame.step, frame.generation, frame.journal.len()), (300, standing.generation, 1));
    assert!(frame.note.as_deref().unwrap_or("").contains("goes on from here"), "{:?}", frame.note);
    assert!(frame.about.as_ref().unwrap().equations[0].contains("dth/dt"), "the window tells the new equations");
    let frame = done(Order::Rewrite(opening(&scene(ADAPTIVE, 61))));
    assert_eq!((frame.step, frame.generation), (0, standing.generation + 1));
    assert!(frame.note.as_deref().unwrap_or("").contains("the size or model of a"), "{:?}", frame.note);
    // A text with a mistake is told about, and what runs stays.
    let frame = done(Order::Rewrite(opening(&scene(ADAPTIVE, 61).replace("dth/dt = -th/", "dth/dt = -tg/"))));
    assert!(frame.problems.iter().any(|p| p.render().contains("`tg` is not known")) && frame.generation == standing.generation + 1);
}
