//! Messages of a scene, and that no text can make the loader panic.

use super::*;

fn load_text(text: &str) -> Result<Scene, String> {
    let source = Arc::new(Source { name: "test.toml".into(), text: text.into() });
    load(source, None, &Options::default()).map_err(|p| p.iter().map(Problem::render).collect())
}

const SMALL: &str = r#"format = 1
[run]
dt = "0.1 ms"
duration = "10 ms"
[parameters]
J = "1 mV"
[populations.exc]
model = "iaf_psc_delta"
size = 10
[[projections]]
from = "exc"
to = "exc"
rule = "fixed_in_degree"
in_degree = 2
weight = "J"
delay = "1 ms"
"#;

fn message(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    load_text(&SMALL.replace(from, to)).expect_err(to)
}

#[test]
fn a_small_scene_loads() {
    let scene = load_text(SMALL).unwrap();
    assert_eq!((scene.network.populations.len(), scene.network.projections.len(), scene.network.duration), (1, 1, 100));
}

#[test]
fn every_shipped_scene_and_preset_loads_and_its_resolved_text_loads_again() {
    for (name, text) in shipped() {
        let source = Arc::new(Source { name: (*name).into(), text: text.to_string() });
        let scene = load(source.clone(), None, &Options::default()).map_err(|p| p.iter().map(Problem::render).collect::<String>()).unwrap();
        for preset in scene.presets.iter().filter(|p| !p.name.is_empty()) {
            let options = Options { preset: Some(preset.name.clone()), ..Options::default() };
            let with = load(source.clone(), None, &options).unwrap();
            // Models that are text of the scene name the file that they come from.
            let resolved = Arc::new(Source { name: (*name).into(), text: with.resolved.clone() });
            let again = load(resolved, None, &Options::default()).unwrap();
            assert_eq!(format!("{:?}", again.network), format!("{:?}", with.network), "{name} {}", preset.name);
        }
    }
}

#[test]
fn problems_name_place_reason_and_remedy() {
    for (from, to, words) in [
        ("model = ", "modle = ", vec!["no key `modle`", "did you mean `model`", "test.toml:8:1"]),
        ("iaf_psc_delta", "iaf_psc_dleta", vec!["no model is named", "did you mean `iaf_psc_delta`"]),
        ("\"J\"", "\"Q\"", vec!["no parameter is named `Q`"]),
        ("\"J\"", "\"3 pA\"", vec!["expected a value in mV, found pA"]),
        ("\"J\"", "3", vec!["expected a value in mV, found a bare number", "needs its unit"]),
        ("delay = \"1 ms\"", "delay = \"1.05 ms\"", vec!["no multiple of dt", "1.000000 ms and 1.100000 ms"]),
        ("J = \"1 mV\"", "J = \"Q\"\nQ = \"J\"", vec!["goes in a circle"]),
        ("J = \"1 mV\"", "J = nan", vec!["NaN"]),
        ("size = 10", "size = -1", vec!["out of range"]),
        ("size = 10", "size = 1e300", vec!["out of range"]),
        ("size = 10", "size = 10\nparameters.tau_m = \"-1 ms\"", vec!["tau_m must be positive"]),
        (
            "size = 10",
            "size = 10\nparameters.t_ref = \"0.25 ms\"",
            vec!["no multiple of dt", "0.200000 ms and 0.300000 ms", "test.toml:10"],
        ),
        ("size = 10", "size = 10\nparameters.t_ref = \"-2 ms\"", vec!["t_ref ", "test.toml:10"]),
        ("duration = \"10 ms\"", "duration = \"0 ms\"", vec!["a run of no time"]),
        ("fixed_in_degree", "fixed_in", vec!["no rule is named"]),
        ("duration = \"10 ms\"", "duration = 10", vec!["expected a value in ms, found a bare number", "as in \"10 ms\""]),
        ("format = 1", "format = 2", vec!["reads format 1"]),
        ("from = \"exc\"", "from = \"exc[0..99]\"", vec!["the population has 10 neurons"]),
        ("size = 10", "size = \"J\"", vec!["expected a bare number, found mV", "test.toml:9:8"]),
        ("J = \"1 mV\"", "I = \"1 mV\"", vec!["`J` is read as a unit: [parameters] has nothing of this name", "test.toml:15:10"]),
        ("size = 10", "size = 10\nparameters.tau = \"1 ms\"", vec!["has no parameter `tau`", "it has C_m, tau_m", "test.toml:10:12"]),
        ("size = 10", "size = 10\ninitial.V = \"1 mV\"", vec!["no state variable `V`", "it has V_m", "test.toml:10:9"]),
        ("size = 10", "size = 10\ninitial.V_m = \"normal(1 mV, -1 mV)\"", vec!["a standard deviation of -1", "test.toml:10:15"]),
        ("model = \"iaf_psc_delta\"", "model = 5", vec!["model must be a text", "test.toml:8:9"]),
        ("format = 1", "format = 1\ntitle = 5", vec!["title must be a text", "test.toml:2:9"]),
        ("format = 1", "format = 1\nabout = [\"x\"]", vec!["about must be a text", "test.toml:2:9"]),
        ("format = 1", "format = 1\npreset = 5", vec!["preset must be a text", "test.toml:2:10"]),
        ("format = 1", "format = 1\npreset = \"x\"", vec!["no preset `x`", "it has none", "test.toml:2:10"]),
        ("in_degree = 2", "in_degree = 2.5", vec!["no whole number", "round", "test.toml:14:13"]),
        ("in_degree = 2", "in_degree = 11\nallow_multapses = false", vec!["only 10 neurons to choose from", "test.toml:14:13"]),
        ("in_degree\"\nin_degree = 2", "total_number\"\ncount = 101\nallow_multapses = false", vec!["only 100 pairs", "test.toml:14:9"]),
        ("in_degree\"\nin_degree = 2", "probability\"\np = 1.5", vec!["a probability of 1.5: it lies between 0 and 1", "test.toml:14:5"]),
        ("weight = \"J\"", "weight = \"normal(J, -J)\"", vec!["a standard deviation of -1 is no distribution", "test.toml:15:10"]),
        ("weight = \"J\"", "weight = \"uniform(2*J, J)\"", vec!["a uniform from 2 to 1 is no distribution", "test.toml:15:10"]),
        ("weight = \"J\"", "weight = \"redraw(normal(J, J), 90*J, inf)\"", vec!["would never end", "test.toml:15:10"]),
        ("delay = \"1 ms\"", "delay = \"normal(1 ms, 1 ms)\"", vec!["can fall to -inf ms", "redraw(..., dt/2, inf)", "test.toml:16:9"]),
        ("delay = \"1 ms\"", "delay = \"100 s\"", vec!["a delay of 1000000 steps", "at most 60000", "test.toml:16:9"]),
    ] {
        let text = message(from, to);
        assert!(words.iter().all(|w| text.contains(w)), "{to}: {text}");
    }
}

#[test]
fn nothing_of_a_stimulus_probe_or_expectation_is_ignored() {
    let current = "[[stimuli]]\nkind = \"current\"\nto = \"exc\"\namplitude = \"1 pA\"\n";
    let noise = "[[stimuli]]\nkind = \"noise\"\nto = \"exc\"\nsd = \"1 pA\"\n";
    let probe = "[[probes]]\nrecord = \"V_m\"\nof = \"exc\"\n";
    let expect = |more: &str| SMALL.replace("[run]", &format!("expect = [{{ metric = \"rate.exc\", below = \"1 Hz\", {more} }}]\n[run]"));
    assert!(load_text(&format!("{SMALL}{current}{noise}{probe}")).is_ok() && load_text(&expect("seeds = 5")).is_ok());
    for (text, word) in [
        (format!("{SMALL}{current}rate = \"1 Hz\"\n"), "a stimulus of kind current has no key `rate`"),
        (format!("{SMALL}{current}start = \"5 ms\"\nstop = \"2 ms\"\n"), "stops before it starts"),
        (format!("{SMALL}{noise}every = \"0 ms\"\n"), "an interval of no time"),
        (format!("{SMALL}{}", noise.replace("1 pA", "-1 pA")), "a standard deviation below zero"),
        (format!("{SMALL}{probe}every = \"0 ms\"\n"), "an interval of no time"),
        (expect("seeds = -3"), "seeds is a whole number from 1 to 100"),
        (expect("min_spikes = 2.5"), "min_spikes is a whole number"),
    ] {
        let told = load_text(&text).expect_err(word);
        assert!(told.contains(word), "{told}");
    }
}

#[test]
fn all_problems_of_a_file_are_told_at_once() {
    let text = load_text(&SMALL.replace("\"J\"", "\"Q\"").replace("size = 10", "size = -1\nfoo = 2")).unwrap_err();
    assert!(text.contains("no key `foo`") && text.contains("out of range"), "{text}");
}

#[test]
fn a_population_that_cannot_be_read_hides_no_other_problem_and_makes_none() {
    let told = message("iaf_psc_delta", "iaf_psc_dleta");
    assert_eq!(told.matches("error: ").count(), 1, "{told}");
    let text = SMALL.replace("iaf_psc_delta", "iaf_psc_dleta").replace("fixed_in_degree", "fixed_in").replace("\"1 ms\"", "\"1.05 ms\"");
    let told = load_text(&text).unwrap_err();
    let all = ["no model is named", "no rule is named", "no multiple of dt"];
    assert!(told.matches("error: ").count() == 3 && all.iter().all(|w| told.contains(w)), "{told}");
    let told = load_text(&SMALL.replace("fixed_in_degree", "fixed_in").replace("weight = \"J\"", "weight = \"3 pA\"")).unwrap_err();
    assert!(told.contains("no rule is named") && told.contains("expected a value in mV, found pA"), "{told}");
}

#[test]
fn more_problems_than_can_be_read_are_told_to_be_more() {
    let many: String = (0..150).map(|i| format!("key{i} = 1\n")).collect();
    let told = load_text(&SMALL.replace("size = 10\n", &format!("size = 10\n{many}"))).unwrap_err();
    assert!(told.matches("error: ").count() == 101 && told.contains("there are more problems than these 100"), "{told}");
}

/// Options add, take and change lines of the text that is read; a problem is told where its author finds it.
#[test]
fn problems_stand_at_their_lines_in_the_file_whatever_options_change() {
    let file = format!("preset = \"p\"\n{}[presets.p]\nset = {{ J = \"2 mV\" }}\n", SMALL.replace("in_degree = 2", "in_degre = 2"));
    let load = |options: &Options| {
        let source = Arc::new(Source { name: "test.toml".into(), text: file.clone() });
        load(source, None, options).unwrap_err().iter().map(Problem::render).collect::<String>()
    };
    let line = file.lines().position(|l| l == "in_degre = 2").unwrap() + 1;
    let changed = Options { seed: Some(3), warmup: Some("1 ms".into()), set: vec![("J".into(), "3 mV".into())], ..Options::default() };
    for options in [Options::default(), changed] {
        let told = load(&options);
        assert!(told.contains(&format!("test.toml:{line}:1")) && told.contains("in_degre = 2"), "{told}");
    }
    let told = load(&Options { set: vec![("J".into(), "3 pA".into())], ..Options::default() });
    assert!(told.contains("expected a value in mV, found pA") && told.contains("test.toml:"), "{told}");
    let told = load(&Options { duration: Some("3 mV".into()), ..Options::default() });
    assert!(told.contains("test.toml (with its preset and options):") && told.contains("duration = \"3 mV\""), "{told}");
}

/// What others say that use it would only repeat it.
#[test]
fn a_parameter_without_a_value_is_told_once() {
    for (value, words) in [
        ("\"1 mV + 1 pA\"", "one side is in mV, the other in pA"),
        ("\"Q\"", "no parameter is named `Q`"),
        ("true", "expected a number or an expression"),
        ("\"K\"\nK = \"J\"", "goes in a circle"),
    ] {
        let told = message("J = \"1 mV\"", &format!("J = {value}\nL = \"2*J\""));
        assert!(told.matches("error: ").count() == 1 && told.contains(words) && told.contains("test.toml:6:5"), "{told}");
    }
}

#[test]
fn sets_tables_presets_and_expectations_are_read_whether_they_are_used_or_not() {
    let preset = |more: &str| format!("{SMALL}[presets.p]\nset = {{ J = \"2 mV\" }}\n{more}");
    let expect = |what: &str| preset(&format!("expect = [{{ {what} }}]\n"));
    assert!(load_text(&expect("metric = \"rate.exc\", between = [1, \"2 Hz\"]")).is_ok());
    for (text, words) in [
        (format!("{SMALL}[sets]\ns = [\"a\", \"a\"]\n"), "`a` is twice in set s"),
        (format!("{SMALL}[sets]\ns = [\"a\", \"b\"]\n[tables]\nT = {{ over = \"s\", values = [1, 2, 3] }}\n"), "the table needs 2 values"),
        (format!("{SMALL}[presets.p]\nset = {{ K = 1 }}\n"), "no parameter is named `K`"),
        (format!("{SMALL}[presets.p]\nset = {{ J = \"2 pA\" }}\n"), "`J` is in mV, and this is in pA"),
        (format!("{SMALL}[presets.p]\nset = {{ J = \"2 *\" }}\n"), "the expression ends too early"),
        (expect("metric = \"rte.exc\", below = 1"), "did you mean `rate`"),
        (expect("metric = \"rate.exc->exc\", below = 1"), "no metric of a projection is named `rate`"),
        (expect("metric = \"rate.ex\", below = 1"), "names no population"),
        (expect("metric = \"rate.exc\", below = \"1 mV\""), "this metric is in kHz, and the bound in mV"),
        (expect("metric = \"rate.exc\", between = [3, 1]"), "nothing lies between"),
        (expect("metric = \"rate.exc\""), "an expectation needs its bounds"),
    ] {
        let told = load_text(&text).expect_err(words);
        assert!(told.contains(words) && told.contains("--> test.toml:"), "{told}");
    }
}

#[test]
fn files_outside_of_the_folder_are_refused() {
    let text = SMALL.replace("rule = \"fixed_in_degree\"\nin_degree = 2", "rule = \"list\"\nfile = \"../secret.csv\"");
    let source = Arc::new(Source { name: "test.toml".into(), text });
    let problems = load(source, Some(Path::new("scenes")), &Options::default()).unwrap_err();
    assert!(problems[0].render().contains("lie in its folder"), "{}", problems[0].render());
}

#[test]
fn a_scene_may_be_json() {
    let text = r#"{"format":1,"run":{"dt":"0.1 ms","duration":"1 ms"},"populations":{"a":{"model":"iaf_psc_exp","size":3}}}"#;
    assert_eq!(load_text(text).unwrap().network.populations[0].size, 3);
}
