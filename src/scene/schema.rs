//! The JSON Schema of a scene, for editors: made of the same lists of keys by which the reader refuses unknown ones. It knows
//! shapes and words; what an expression means only the reader knows.

use serde_json::{Map, Value, json};

use super::{PARAMETER_KEYS, RUN_KEYS, TABLE_KEYS, expectations, gaps, lesson, populations, probes, projections, stimuli, synapses};

/// A JSON Schema of draft 7.
pub fn schema() -> Value {
    let mut out = object("", &super::KEYS);
    out["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    out["title"] = json!("A scene of Synfire");
    out["required"] = json!(["format", "run", "populations"]);
    out["definitions"] = json!({
        "quantity": {
            "description": "A number, a number with its unit (\"20 ms\"), or an expression over [parameters] and [tables]",
            "type": ["number", "string"]
        },
        "values": {
            "description": "One number for all neurons, a law to draw from, one number for each, a column of a file, or steps in time",
            "anyOf": [
                { "$ref": "#/definitions/quantity" },
                { "type": "array", "items": { "$ref": "#/definitions/quantity" } },
                object("column of a file", &["file", "column", "unit"]),
                object("number that changes in time", &["steps"])
            ]
        },
        "part": {
            "description": "A population, a part of one (exc[0..100], exc[every 10], exc[random 50], exc[7]), a set, or a list of these",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }]
        },
        "pairs": {
            "description": "Pairs of time and value",
            "type": "array", "minItems": 1,
            "items": { "type": "array", "minItems": 2, "maxItems": 2, "items": { "$ref": "#/definitions/quantity" } }
        },
        "bounds": {
            "anyOf": [
                { "$ref": "#/definitions/quantity" },
                { "type": "array", "items": { "$ref": "#/definitions/quantity" } }
            ]
        },
        "expect": { "type": "array", "items": object("expectation", &expectations::KEYS) },
        "model": { "anyOf": [object("copied model", &populations::COPY_KEYS), object("model", &crate::model::KEYS)] },
        "synapse": {
            "anyOf": [object("copied synapse model", &synapses::COPY_KEYS), object("synapse model", &crate::model::SYNAPSE_KEYS)]
        }
    });
    out
}

/// A table of these keys and no others.
fn object(table: &str, keys: &[&str]) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|key| (key.to_string(), property(table, key))).collect();
    let mut out = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    let required = match table {
        "run" => &["duration"][..],
        "projection" => &["from", "to", "rule", "weight"],
        "gap junction" => &["from", "to"],
        "stimulus" => &["kind", "to"],
        "probe" => &["record", "of"],
        "column of a file" => &["file"],
        "number that changes in time" => &["steps"],
        "expectation" => &["metric"],
        "copied model" | "copied synapse model" => &["base"],
        "synapse model" => &["on_pre"],
        "step of a lesson" => &["text"],
        "prediction" => &["choices", "answer"],
        "check" => &["all"],
        "try" => &["label", "set"],
        "solution" => &["set"],
        "table" => &["over"],
        _ => &[],
    };
    if !required.is_empty() {
        out["required"] = json!(required);
    }
    out
}

fn table_of(item: Value) -> Value {
    json!({ "type": "object", "additionalProperties": item })
}

fn list_of(table: &str, keys: &[&str]) -> Value {
    json!({ "type": "array", "items": object(table, keys) })
}

fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

fn one_of(about: &str, words: &[&str]) -> Value {
    json!({ "enum": words, "description": about })
}

fn refer(to: &str, about: &str) -> Value {
    let to = json!({ "$ref": format!("#/definitions/{to}") });
    if about.is_empty() { to } else { json!({ "description": about, "allOf": [to] }) }
}

/// What may stand at a key. Keys without a rule of their own hold a quantity.
fn property(table: &str, key: &str) -> Value {
    match (table, key) {
        ("", "format") => json!({ "const": 1, "description": "Version of the scene format" }),
        ("", "unconfirmed") => {
            json!({ "type": "array", "items": { "type": "string" }, "description": "What is said of the network and was not confirmed" })
        }
        ("", "run") => object("run", &RUN_KEYS),
        ("", "parameters") => table_of(json!({ "anyOf": [refer("quantity", ""), object("parameter", &PARAMETER_KEYS)] })),
        ("", "sets") => table_of(json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })),
        ("", "tables") => table_of(object("table", &TABLE_KEYS)),
        ("", "models") => table_of(refer("model", "")),
        ("", "synapses") => table_of(refer("synapse", "")),
        ("", "populations") => table_of(object("population", &populations::KEYS)),
        ("", "gap_junctions") => list_of("gap junction", &gaps::KEYS),
        ("", "projections") => list_of("projection", &projections::KEYS),
        ("", "stimuli") => list_of("stimulus", &stimuli::KEYS),
        ("", "probes") => list_of("probe", &probes::KEYS),
        ("", "presets") => table_of(object("preset", &expectations::PRESET_KEYS)),
        ("", "lesson") => object("lesson", &lesson::KEYS),
        ("", "session") => json!({ "type": "object", "description": "Where a saved session stood" }),
        ("", "journal") => json!({ "type": "array", "description": "What was done in a saved session" }),
        ("lesson", "step") => list_of("step of a lesson", &lesson::STEP_KEYS),
        ("lesson", "minutes") => json!({ "type": "integer", "minimum": 0 }),
        ("lesson", "authors") => json!({ "type": "array", "items": { "type": "string" } }),
        ("lesson", "lock") => {
            json!({ "type": "array", "items": { "type": "string" }, "description": "Parameters that are not to be turned; * stands for anything" })
        }
        ("step of a lesson", "focus") => {
            json!({ "type": "array", "items": { "type": "string" }, "description": "panel:NAME or param:NAME" })
        }
        ("step of a lesson", "predict") => object("prediction", &lesson::PREDICT_KEYS),
        ("prediction", "choices") => json!({ "type": "array", "items": { "type": "string" }, "minItems": 2 }),
        ("prediction", "answer") => json!({ "type": "integer", "minimum": 0 }),
        ("step of a lesson", "check") => object("check", &lesson::CHECK_KEYS),
        ("check", "all") => refer("expect", "All of these must hold"),
        ("check", "hold") => refer("quantity", "A time, with its unit"),
        ("step of a lesson", "try") => list_of("try", &lesson::TRY_KEYS),
        ("step of a lesson", "solution") => object("solution", &lesson::SOLUTION_KEYS),
        ("try" | "solution", "set") => table_of(refer("quantity", "")),
        ("lesson" | "step of a lesson", _) => text("A text"),
        ("" | "preset", "expect") => refer("expect", "Published numbers that `synfire verify` checks"),
        ("preset", "set") => table_of(refer("quantity", "")),
        ("run", "seed") => json!({ "type": ["integer", "string"], "description": "Seed of every random number" }),
        ("parameter", "range") => json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": refer("quantity", "") }),
        ("parameter", "log") => json!({ "type": "boolean", "description": "A slider with a logarithmic scale" }),
        ("table", "over") => json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] }),
        ("table", "values") => json!({ "type": "array" }),
        ("table", "entries") => json!({ "type": "object" }),
        ("population" | "copied model" | "model", "parameters") | ("population", "initial") => table_of(refer("values", "")),
        ("copied synapse model", "parameters") => table_of(refer("quantity", "")),
        ("synapse model", "parameters" | "source" | "target" | "synapse" | "modulator" | "reads") => {
            table_of(json!({ "type": ["string", "number", "object"] }))
        }
        ("synapse model", "equations" | "on_pre" | "on_post" | "on_modulator" | "condition" | "on_condition" | "functions") => {
            text(about(key))
        }
        ("model" | "synapse model", "limits") => {
            json!({ "type": "array", "items": { "type": "string" }, "description": "What the parameters must meet, as in V_reset < V_th" })
        }
        ("model", "state" | "receptors" | "inputs") => table_of(json!({ "type": ["string", "number", "object"] })),
        ("model", "substep") => refer("quantity", "The longest substep; how many a step takes follows from it"),
        ("model" | "copied model", "substeps") => json!({ "type": "integer", "minimum": 1 }),
        ("model" | "copied model", "about" | "cite" | "equations" | "update" | "threshold" | "reset" | "method" | "receptor_by") => {
            text(about(key))
        }
        ("gap junction", "rule") => one_of("Who is coupled to whom", &gaps::RULES),
        ("gap junction", "variable") => text("The state variable whose difference drives the current; V_m unless told"),
        ("gap junction", "conductance") => refer("quantity", "One for both ways"),
        ("projection", "rule") => one_of("Who is connected to whom", &projections::RULES),
        ("projection", "kernel") => {
            json!({ "type": ["string", "array"], "description": "Of rule distance its name, of rule convolution its rows" })
        }
        ("projection", "stride" | "padding") => json!({ "description": "Of rule convolution: one number, or [x, y]" }),
        ("projection", "allow_autapses" | "allow_multapses") | ("expectation", "alive") => json!({ "type": "boolean" }),
        ("stimulus", "kind") => one_of("What is given", &stimuli::KINDS),
        ("stimulus", "steps") | ("number that changes in time", "steps") => refer("pairs", ""),
        ("stimulus", "times") => json!({ "type": "array", "items": refer("quantity", "") }),
        ("stimulus", "rate") => json!({
            "description": "Events per second of each neuron: as values, or as a sine",
            "anyOf": [refer("values", ""), object("rate that swings", &stimuli::SWING_KEYS)]
        }),
        ("projection", "from" | "to" | "modulator") | ("gap junction", "from" | "to") | ("stimulus", "to") | ("probe", "of") => {
            refer("part", "")
        }
        ("probe", "record") => text("spikes, rate, weights, or a state variable of the model"),
        ("expectation", "between" | "near" | "above" | "below" | "within") => refer("bounds", ""),
        ("expectation", "bin") => {
            json!({ "type": "array", "items": { "type": "number" }, "description": "From this weight up to that, in units of w_max" })
        }
        ("expectation", "seeds" | "min_spikes") => json!({ "type": "integer", "minimum": 0 }),
        (
            _,
            "title" | "about" | "cite" | "preset" | "model" | "like" | "each" | "file" | "column" | "unit" | "receptor" | "synapse"
            | "name" | "label" | "input" | "base" | "metric" | "over" | "against" | "storage",
        ) => text(about(key)),
        (_, "duration" | "warmup" | "dt" | "delay" | "every" | "start" | "stop" | "gap") => refer("quantity", "A time, with its unit"),
        // What has no rule yet may be anything: an editor must not underline what the reader takes.
        ("population" | "projection" | "probe" | "run", "size" | "w_max" | "weight" | "p" | "in_degree" | "out_degree" | "count") => {
            refer("quantity", "")
        }
        ("stimulus" | "parameter", "value" | "weight" | "amplitude" | "offset" | "frequency" | "phase" | "mean" | "sd") => {
            refer("quantity", "")
        }
        _ => json!({}),
    }
}

fn about(key: &str) -> &'static str {
    match key {
        "model" => "A model of this scene or a built-in one (`synfire list models`)",
        "base" => "The model that is copied with other parameters",
        "like" => "The population whose entries hold here too",
        "each" => "One population for each member of this set",
        "preset" => "The preset that is taken unless --preset names another",
        "synapse" => "How the synapses change: a synapse model of this scene or a built-in one (`synfire list synapses`)",
        "on_post" => "What a spike of the target does, in order",
        "on_modulator" => "What a spike of the modulator does, in order",
        "condition" => "When a step of the target is an event: over what is read of it",
        "on_condition" => "What such a step of the target does, in order",
        "on_pre" => "What a spike of the source does, in order",
        "receptor" => "The receptor of the target that the weight goes to",
        "file" => "A file in the folder of the scene",
        "storage" => "stored, procedural, or auto",
        "metric" => "metric.population, or a metric of weights as metric.exc->inh (`synfire list metrics`)",
        _ => "A text",
    }
}
