//! What the parameters of every model must meet: alone, together, wherever and whenever they are given.

use synfire::session::Command;

use crate::common::{advance, origin, start};
use crate::{alone, drive, load, machines, model, names, planned, run, try_load};

/// A unit as the language of scenes writes it.
fn unit(p: &synfire::model::Parameter) -> String {
    p.dimension.to_string().replace("a bare number", "1").replace('^', "^(").replace("-1", "-1)").replace("-2", "-2)")
}

fn refusal(name: &str, more: &str) -> Option<String> {
    try_load(&alone(name, 0.1, 1, more)).err()
}

/// What may be negative: potentials, currents and drifts of either sign, shapes that published cells give either sign, and jumps.
const SIGNED: &[&str] = &[
    "E_L",
    "E_K",
    "E_Na",
    "E_Ca",
    "E_exc",
    "E_inh",
    "V_th",
    "V_reset",
    "V_peak",
    "V_T",
    "V_c",
    "V_1",
    "V_3",
    "V_spike",
    "V_clamp",
    "V_th_rest",
    "V_th_max",
    "omega",
    "I_e",
    "I_sp",
    "a",
    "b",
    "c",
    "d",
    "v_spike",
    "alpha_1",
    "alpha_2",
    "delta_th",
    "delta_V",
    "delta_A_1",
    "delta_A_2",
    "q_eta_1",
    "q_eta_2",
    "q_gamma_1",
    "q_gamma_2",
    "a_v",
];

#[test]
fn every_parameter_that_cannot_be_negative_is_refused_below_zero() {
    for name in names() {
        for p in &model(name).parameters {
            let told = refusal(name, &format!("parameters.{} = \"-1000*{}\"\n", p.name, unit(p)));
            if SIGNED.contains(&p.name.as_str()) {
                continue;
            }
            let told = told.unwrap_or_else(|| panic!("{name} takes {} = -1000", p.name));
            assert!(told.contains(&p.name) && told.contains("test.toml:"), "{told}");
        }
    }
}

#[test]
fn every_parameter_refuses_what_is_no_number_and_what_has_another_unit() {
    for name in names() {
        for p in &model(name).parameters {
            let unit = unit(p);
            for wrong in
                ["nan", "inf", "-inf", &format!("\"1*{unit}/0\""), &format!("\"log(-1)*{unit}\""), "\"1 K\"", "\"1e400\"", "true", "[]"]
            {
                let told = refusal(name, &format!("parameters.{} = {wrong}\n", p.name));
                let told = told.unwrap_or_else(|| panic!("{name} takes {} = {wrong}", p.name));
                assert!(told.contains("test.toml:"), "{told}");
            }
        }
    }
}

/// Combinations that have no meaning, as NEST refuses them.
#[test]
fn parameters_that_contradict_each_other_are_refused() {
    let (mut resets, mut peaks) = (0, 0);
    for name in names() {
        let model = model(name);
        let has = |p: &str| model.parameters.iter().any(|q| q.name == p);
        if has("V_reset") && has("V_th") && !has("V_peak") {
            for (reset, threshold) in [("-50 mV", "-50 mV"), ("-40 mV", "-50 mV")] {
                let told = refusal(name, &format!("parameters.V_th = \"{threshold}\"\nparameters.V_reset = \"{reset}\"\n")).unwrap();
                assert!(
                    told.contains("needs V_reset < V_th") && told.contains("V_th is -50 mV") && told.contains("test.toml:10:"),
                    "{told}"
                );
            }
            resets += 1;
        }
        if has("V_peak") {
            let told = refusal(name, "parameters.V_reset = \"40 mV\"\n").unwrap();
            assert!(told.contains("needs V_reset < V_peak"), "{told}");
            peaks += 1;
        }
        if has("V_peak") && has("V_th") {
            let told = refusal(name, "parameters.V_th = \"36 mV\"\n").unwrap();
            assert!(told.contains("needs V_th <= V_peak"), "{told}");
        }
        if has("Delta_T") {
            assert!(refusal(name, "parameters.Delta_T = \"0 mV\"\n").unwrap().contains("needs Delta_T > 0 mV"));
        }
    }
    assert!(resets >= 11 && peaks >= 8, "{resets} {peaks}");
    for (name, set, told) in [
        ("glif_2", "f_v = 1.1", "needs 0 <= f_v && f_v <= 1"),
        ("glif_5", "f_1 = -0.1", "needs 0 <= f_1 && f_1 <= 1"),
        ("glif_4", "b_s = \"0 Hz\"", "needs b_s > 0 Hz"),
        ("gif_psc_exp", "Delta_V = \"0 mV\"", "needs Delta_V > 0 mV"),
        ("gif_psc_exp", "g_L = \"0 nS\"", "needs g_L > 0 nS"),
        ("iaf_ampa_nmda_gaba", "tau_nmda = \"2 ms\"", "needs tau_nmda_rise < tau_nmda"),
        ("qif_psc_exp", "E_L = \"-30 mV\"", "needs E_L <= V_c"),
        ("izhikevich", "c = \"30 mV\"", "needs c < V_th"),
        ("morris_lecar", "V_4 = \"0 mV\"", "needs V_4 > 0 mV"),
        ("poisson_generator", "rate = \"-1 Hz\"", "needs rate >= 0 Hz"),
    ] {
        assert!(refusal(name, &format!("parameters.{set}\n")).unwrap().contains(told), "{name} {set}");
    }
}

#[test]
fn limits_hold_for_columns_laws_changes_copies_and_live_edits() {
    let told = |more: &str| refusal("iaf_psc_exp", more).unwrap_or_else(|| panic!("{more}"));
    let two = |more: &str| try_load(&alone("iaf_psc_exp", 0.1, 2, more)).err().unwrap_or_else(|| panic!("{more}"));
    assert!(two("parameters.V_reset = [\"-70 mV\", \"-50 mV\"]\n").contains("V_reset is -50 mV"));
    let changes = "parameters.V_th = { steps = [[\"0 ms\", \"-50 mV\"], [\"5 ms\", \"-80 mV\"]] }\n";
    assert!(told(changes).contains("V_th is -80 mV"));
    assert!(try_load(&alone("iaf_psc_exp", 0.1, 1, &changes.replace("-80", "-60"))).is_ok());
    let copied = "[models.x]\nbase = \"iaf_psc_exp\"\nparameters.V_th = \"-71 mV\"\n";
    assert!(told(copied).contains("x needs V_reset < V_th"));
    // Drawn values are known when the network is laid out.
    let network = load(&alone("iaf_psc_exp", 0.1, 500, "parameters.V_th = \"normal(-65 mV, 5 mV)\"\n"));
    let wrong = synfire::plan::plan(&network).err().unwrap().message;
    assert!(wrong.contains("needs V_reset < V_th") && wrong.contains("in neuron") && wrong.contains("redraw"), "{wrong}");
    let network = load(&alone("iaf_psc_exp", 0.1, 500, "parameters.V_th = \"redraw(normal(-65 mV, 5 mV), -69 mV, inf)\"\n"));
    assert!(synfire::plan::plan(&network).is_ok());
    // An edit of a running network is refused, and the network runs on as it was.
    let text = alone("iaf_psc_exp", 0.1, 3, &drive("iaf_psc_exp", "iaf_psc_exp"));
    let mut running = start(origin(&text, None, &[]), machines().next().unwrap().1, None);
    advance(&mut running, 100, 100);
    let refused = running.apply(Command::Set { address: "iaf_psc_exp.V_th".into(), value: "-75 mV".into() }).unwrap_err();
    assert!(refused.contains("needs V_reset < V_th"), "{refused}");
    let mut other = start(origin(&text, None, &[]), machines().next().unwrap().1, None);
    advance(&mut other, 100, 100);
    assert_eq!(advance(&mut running, 300, 300).spikes, advance(&mut other, 300, 300).spikes);
}

#[test]
fn a_users_own_limits_are_read_and_what_is_wrong_with_them_is_told() {
    let own = |limits: &str, more: &str| {
        format!(
            "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[models.own]\nequations = \"dx/dt = -x/tau\"\nlimits = {limits}\n\
             parameters = {{ tau = \"5 ms\", low = 1, high = 2 }}\nstate.x = 0\n[populations.p]\nmodel = \"own\"\nsize = 2\n{more}"
        )
    };
    assert!(try_load(&own("[\"low < high\", \"tau > 2*dt\"]", "")).unwrap_err().contains("`dt` is not known here"));
    assert!(try_load(&own("[\"low < high\"]", "")).is_ok());
    for (limits, more, told) in [
        ("[\"low < high\"]", "parameters.low = 3\n", "own needs low < high, and here low is 3, high is 2"),
        ("[\"high < low\"]", "", "own needs high < low"),
        ("[\"low < tau\"]", "", "cannot compare a bare number and ms"),
        ("[\"low < hihg\"]", "", "did you mean `high`"),
        ("[\"low <\"]", "", "test.toml:7:"),
        ("[\"1 < 2\"]", "", "is about no parameter"),
        ("\"low < high\"", "", "is a list of conditions"),
        ("[3]", "", "must be a text"),
    ] {
        let said = try_load(&own(limits, more)).err().unwrap_or_else(|| panic!("{limits} {more}"));
        assert!(said.contains(told), "{limits}: {said}");
    }
}

/// With a slope so sharp that its exponential would leave the range of f32, a cell still spikes and stays finite.
#[test]
fn sharp_exponential_cells_stay_finite() {
    for name in names().filter(|n| (n.starts_with("aeif") || n.starts_with("eif")) && !n.ends_with("clopath")) {
        let peak = "parameters.V_peak = \"20 mV\"\n";
        for (slope, spikes) in [("0.1 mV", 3), ("0.5 mV", 3), ("2 mV", 3)] {
            let text = alone(name, 0.1, 1, &format!("parameters.Delta_T = \"{slope}\"\n{peak}{}", drive(name, name)));
            for (engine, machine) in machines() {
                let (harvest, _) = run(machine, &planned(&load(&text)), 1000, 1000);
                assert!(harvest.spikes.len() >= spikes, "{engine} {name} {slope}: {} spikes", harvest.spikes.len());
            }
        }
    }
}
