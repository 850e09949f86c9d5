//! Checkpoints as files that numpy can read: a zip of arrays and a description. Logical, so that either engine, any batch
//! and any number of shards can go on from one. Knows no engine.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::base::npy;
use crate::plan::{History, Plan, State, TracePlan, Traced};

/// A state with what tells whether it belongs to a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub about: About,
    pub state: State,
}

/// What `checkpoint.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    pub synfire: String,
    pub step: u64,
    pub dt: f64,
    pub seed: u64,
    pub scales: Vec<Vec<i32>>,
    pub populations: Vec<Members>,
    /// Traces of neurons, by what they are of; their size is that of a population.
    #[serde(default)]
    pub traces: Vec<Members>,
    /// Traces of targets of synapses whose weights change.
    #[serde(default)]
    pub targets: Vec<Members>,
    /// Traces of modulators: each is one.
    #[serde(default)]
    pub modulators: Vec<Members>,
    /// By targets: what rules read of them; and whether steps of them are events.
    #[serde(default)]
    pub reads: Vec<usize>,
    /// Projections whose weights change.
    #[serde(default)]
    pub plastic: usize,
    /// The scene, as it was run.
    pub scene: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Members {
    pub name: String,
    pub size: u32,
    pub states: Vec<String>,
}

fn traced(plan: &Plan, all: &[TracePlan]) -> Vec<Members> {
    let members = |t: &TracePlan| Members { name: t.name.clone(), size: plan.populations[t.population].size, states: t.states.clone() };
    all.iter().map(members).collect()
}

impl Checkpoint {
    pub fn new(plan: &Plan, scene: &str, state: State) -> Self {
        let members = plan.populations.iter().map(|p| Members { name: p.name.clone(), size: p.size, states: p.states.clone() });
        let about = About {
            synfire: env!("CARGO_PKG_VERSION").into(),
            step: state.step,
            dt: plan.dt,
            seed: plan.seed,
            scales: state.scales.clone(),
            populations: members.collect(),
            traces: traced(plan, &plan.traces),
            targets: traced(plan, &plan.targets),
            modulators: plan
                .modulators
                .iter()
                .map(|m| Members { name: m.traces.name.clone(), size: 1, states: m.traces.states.clone() })
                .collect(),
            reads: state.histories.iter().map(|h| h.reads.len()).collect(),
            plastic: state.weights.len(),
            scene: scene.into(),
        };
        Self { about, state }
    }

    /// Whether a run of this plan may go on from here. An error says why not.
    pub fn belongs(&self, plan: &Plan) -> Result<(), String> {
        let (dt, seed) = (self.about.dt, self.about.seed);
        if dt != plan.dt {
            return Err(format!("the checkpoint has steps of {dt} ms and the scene of {} ms", plan.dt));
        }
        if seed != plan.seed {
            return Err(format!("the checkpoint is of seed {seed} and the scene of {}: --seed {seed}", plan.seed));
        }
        for (a, b) in self.about.populations.iter().zip(&plan.populations) {
            if a.name != b.name || a.size != b.size || a.states != b.states {
                return Err(format!("{} of the checkpoint and {} of the scene differ in name, size or states", a.name, b.name));
            }
        }
        let modulators = self.about.modulators.iter().zip(plan.modulators.iter().map(|m| &m.traces));
        for (a, t) in self.about.traces.iter().zip(&plan.traces).chain(self.about.targets.iter().zip(&plan.targets)).chain(modulators) {
            if a.name != t.name || a.states != t.states {
                return Err(format!(
                    "the checkpoint has the traces {} ({}) and the scene {} ({})",
                    a.name,
                    a.states.join(", "),
                    t.name,
                    t.states.join(", ")
                ));
            }
        }
        self.state.fits(plan)
    }
}

pub fn write_checkpoint(checkpoint: &Checkpoint, path: &Path) -> Result<(), String> {
    write(checkpoint, path).map_err(|e| format!("{}: {e}", path.display()))
}

/// Written beside the file and renamed, so that an interruption leaves the older one.
fn write(checkpoint: &Checkpoint, path: &Path) -> std::io::Result<()> {
    let part = path.with_extension("part");
    let mut zip = ZipWriter::new(BufWriter::new(File::create(&part)?));
    let options = SimpleFileOptions::default().large_file(true);
    zip.start_file("checkpoint.json", options)?;
    zip.write_all(serde_json::to_string_pretty(&checkpoint.about)?.as_bytes())?;
    for (p, (members, values)) in checkpoint.about.populations.iter().zip(&checkpoint.state.values).enumerate() {
        for (v, column) in values.iter().enumerate() {
            zip.start_file(column_name(p, v), options)?;
            zip.write_all(&npy::header("<f4", &format!("({},)", members.size)))?;
            zip.write_all(bytemuck::cast_slice(column))?;
        }
    }
    let state = &checkpoint.state;
    let bases = state.histories.iter().map(|h| &h.base);
    for (kind, t, traced) in
        numbered("trace", state.traces.iter()).chain(numbered("target", bases)).chain(numbered("modulator", state.modulators.iter()))
    {
        for (v, column) in traced.values.iter().enumerate() {
            array_file(&mut zip, &trace_name(kind, t, v), "<f4", &format!("({},)", column.len()), bytemuck::cast_slice(column))?;
        }
        let (name, shape) = (trace_name(kind, t, traced.values.len()), format!("({},)", traced.last.len()));
        array_file(&mut zip, &name, "<u4", &shape, bytemuck::cast_slice(&traced.last))?;
    }
    for (t, h) in state.histories.iter().enumerate() {
        array_file(&mut zip, &format!("spikes_{t}.npy"), "<u4", &format!("({}, 2)", h.spikes.len()), bytemuck::cast_slice(&h.spikes))?;
        if !h.reads.is_empty() {
            let (name, shape) = (format!("conditions_{t}.npy"), format!("({}, 2)", h.conditions.len()));
            array_file(&mut zip, &name, "<u4", &shape, bytemuck::cast_slice(&h.conditions))?;
        }
        for (r, values) in h.reads.iter().enumerate() {
            array_file(&mut zip, &format!("read_{t}_{r}.npy"), "<f4", &format!("({},)", values.len()), bytemuck::cast_slice(values))?;
        }
    }
    for (k, weights) in state.weights.iter().enumerate() {
        array_file(&mut zip, &format!("weights_{k}.npy"), "<f4", &format!("({},)", weights.len()), bytemuck::cast_slice(weights))?;
    }
    for (k, kept) in state.kept.iter().enumerate() {
        array_file(&mut zip, &format!("kept_{k}.npy"), "<f4", &format!("({},)", kept.len()), bytemuck::cast_slice(kept))?;
    }
    zip.start_file("due.npy", options)?;
    let slots = checkpoint.state.due.first().map_or(0, Vec::len);
    zip.write_all(&npy::header("<i4", &format!("({}, {slots})", checkpoint.state.due.len())))?;
    for row in &checkpoint.state.due {
        zip.write_all(bytemuck::cast_slice(row))?;
    }
    zip.finish()?.flush()?;
    std::fs::rename(part, path)
}

fn column_name(population: usize, variable: usize) -> String {
    format!("state_{population}_{variable}.npy")
}

/// The trace of this number; one more is the step of the last spike.
fn trace_name(kind: &str, traces: usize, number: usize) -> String {
    format!("{kind}_{traces}_{number}.npy")
}

fn numbered<T>(kind: &'static str, all: impl Iterator<Item = T>) -> impl Iterator<Item = (&'static str, usize, T)> {
    all.enumerate().map(move |(i, x)| (kind, i, x))
}

fn array_file(zip: &mut ZipWriter<BufWriter<File>>, name: &str, kind: &str, shape: &str, bytes: &[u8]) -> std::io::Result<()> {
    zip.start_file(name, SimpleFileOptions::default().large_file(true))?;
    zip.write_all(&npy::header(kind, shape))?;
    zip.write_all(bytes)
}

fn read_traced(zip: &mut ZipArchive<BufReader<File>>, kind: &str, t: usize, members: &Members) -> Result<Traced, String> {
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for v in 0..=members.states.len() {
        columns.push(array(zip, &trace_name(kind, t, v))?.values);
    }
    let last = columns.pop().unwrap_or_default().into_iter().map(|x| x as u32).collect();
    Ok(Traced { values: columns.into_iter().map(|v| v.into_iter().map(|x| x as f32).collect()).collect(), last })
}

pub fn read_checkpoint(path: &Path) -> Result<Checkpoint, String> {
    let wrong = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let file = File::open(path).map_err(|e| wrong(&e))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|e| wrong(&format!("this is no checkpoint: {e}")))?;
    let text = entry(&mut zip, "checkpoint.json").map_err(|e| wrong(&e))?;
    let about: About = serde_json::from_slice(&text).map_err(|e| wrong(&format!("checkpoint.json: {e}")))?;
    let mut values = Vec::new();
    for (p, members) in about.populations.iter().enumerate() {
        let column = |v: usize| array(&mut zip, &column_name(p, v)).map(|a| a.values.iter().map(|x| *x as f32).collect());
        values.push((0..members.states.len()).map(column).collect::<Result<Vec<Vec<f32>>, String>>().map_err(|e| wrong(&e))?);
    }
    let all = about.traces.iter().enumerate();
    let traces = all.map(|(t, m)| read_traced(&mut zip, "trace", t, m)).collect::<Result<_, _>>().map_err(|e| wrong(&e))?;
    let mut histories = Vec::new();
    for (t, members) in about.targets.iter().enumerate() {
        let base = read_traced(&mut zip, "target", t, members).map_err(|e| wrong(&e))?;
        let mut pairs = |name: &str| {
            let values = array(&mut zip, &format!("{name}_{t}.npy")).map_err(|e| wrong(&e))?.values;
            Ok::<_, String>(values.chunks_exact(2).map(|p| [p[0] as u32, p[1] as u32]).collect())
        };
        let spikes = pairs("spikes")?;
        let read = about.reads.get(t).copied().unwrap_or(0);
        let conditions = if read > 0 { pairs("conditions")? } else { Vec::new() };
        let column = |r| array(&mut zip, &format!("read_{t}_{r}.npy")).map(|a| a.values.into_iter().map(|x| x as f32).collect());
        let reads = (0..read).map(column).collect::<Result<_, _>>().map_err(|e| wrong(&e))?;
        histories.push(History { base, spikes, conditions, reads });
    }
    let mut by_projection = |name: &str| {
        let one = |k| array(&mut zip, &format!("{name}_{k}.npy")).map(|a| a.values.into_iter().map(|x| x as f32).collect());
        (0..about.plastic).map(one).collect::<Result<Vec<Vec<f32>>, String>>().map_err(|e| wrong(&e))
    };
    let (weights, kept) = (by_projection("weights")?, by_projection("kept")?);
    let all = about.modulators.iter().enumerate();
    let modulators = all.map(|(t, m)| read_traced(&mut zip, "modulator", t, m)).collect::<Result<_, _>>().map_err(|e| wrong(&e))?;
    let due = array(&mut zip, "due.npy").map_err(|e| wrong(&e))?;
    let slots = due.shape.get(1).copied().unwrap_or(0);
    let due = match slots {
        0 => Vec::new(),
        n => due.values.chunks(n).map(|row| row.iter().map(|x| *x as i32).collect()).collect(),
    };
    let state = State { step: about.step, scales: about.scales.clone(), values, due, traces, histories, weights, kept, modulators };
    Ok(Checkpoint { about, state })
}

fn entry(zip: &mut ZipArchive<BufReader<File>>, name: &str) -> Result<Vec<u8>, String> {
    let mut file = zip.by_name(name).map_err(|e| format!("{name}: {e}"))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|e| format!("{name}: {e}"))?;
    Ok(bytes)
}

fn array(zip: &mut ZipArchive<BufReader<File>>, name: &str) -> Result<npy::Array, String> {
    npy::read(&entry(zip, name)?).map_err(|e| format!("{name}: {e}"))
}
