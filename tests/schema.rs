//! The JSON Schema of the scene file: valid itself, taken by every shipped scene, refusing what the reader refuses.

use serde_json::{Value, json};

fn scene(text: &str) -> Value {
    let document: toml_edit::DocumentMut = text.parse().unwrap();
    item(document.as_item())
}

fn item(item: &toml_edit::Item) -> Value {
    match item {
        toml_edit::Item::None => Value::Null,
        toml_edit::Item::Value(v) => value(v),
        toml_edit::Item::Table(t) => t.iter().map(|(k, v)| (k.to_string(), self::item(v))).collect::<serde_json::Map<_, _>>().into(),
        toml_edit::Item::ArrayOfTables(a) => a.iter().map(|t| self::item(&toml_edit::Item::Table(t.clone()))).collect(),
    }
}

fn value(v: &toml_edit::Value) -> Value {
    match v {
        toml_edit::Value::String(s) => json!(s.value()),
        toml_edit::Value::Integer(i) => json!(i.value()),
        toml_edit::Value::Float(f) => json!(f.value()),
        toml_edit::Value::Boolean(b) => json!(b.value()),
        toml_edit::Value::Datetime(d) => json!(d.to_string()),
        toml_edit::Value::Array(a) => a.iter().map(value).collect(),
        toml_edit::Value::InlineTable(t) => t.iter().map(|(k, v)| (k.to_string(), value(v))).collect::<serde_json::Map<_, _>>().into(),
    }
}

#[test]
fn the_schema_is_one_and_takes_every_shipped_scene_and_the_template() {
    let schema = synfire::scene::schema();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let template = include_str!("../src/cli/template.toml");
    for (name, text) in synfire::scene::shipped().iter().chain(&[("template", template)]) {
        let errors: Vec<String> = validator.iter_errors(&scene(text)).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
    for (name, text) in synfire::model::builtin() {
        let whole = json!({ "format": 1, "run": { "duration": "1 s" }, "populations": {}, "models": { name: scene(text) } });
        let errors: Vec<String> = validator.iter_errors(&whole).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
    for (name, text) in synfire::model::builtin_synapses() {
        let whole = json!({ "format": 1, "run": { "duration": "1 s" }, "populations": {}, "synapses": { name: scene(text) } });
        let errors: Vec<String> = validator.iter_errors(&whole).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn the_schema_refuses_unknown_keys_wrong_words_and_wrong_types() {
    let schema = synfire::scene::schema();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let good = scene(include_str!("../src/cli/template.toml"));
    assert!(validator.is_valid(&good));
    for (pointer, bad) in [
        ("/format", json!(2)),
        ("/run", json!({ "duraton": "1 s" })),
        ("/populations/exc", json!({ "model": "cell", "sise": 3 })),
        ("/populations/exc/size", json!([1])),
        ("/projections/0/rule", json!("fixed_in")),
        ("/projections/0", json!({ "from": "exc", "to": "exc" })),
        ("/stimuli/0/kind", json!("posson")),
        ("/probes/0/of", json!(3)),
        ("/parameters/g", json!({ "value": 5, "rang": [0, 8] })),
        ("/models/cell", json!({ "equation": "dV_m/dt = 0" })),
    ] {
        let mut scene = good.clone();
        *scene.pointer_mut(pointer).unwrap() = bad;
        assert!(!validator.is_valid(&scene), "{pointer}");
    }
}
