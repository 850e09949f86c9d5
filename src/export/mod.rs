//! Recording -> file: npz for numpy, csv for everything else. Streams; knows no engine.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

mod checkpoint;
mod stored;
mod table;

use crate::base::npy::header;
use crate::record::{Recording, Words};
pub use checkpoint::{Checkpoint, read_checkpoint, write_checkpoint};
pub use stored::{Items, Stored};
pub use table::{Column, Table};

/// Removes the files of the run that `directory` holds: those that its `run.json` names, and no other.
pub fn clear(directory: &Path) -> Result<(), String> {
    let Ok(text) = std::fs::read_to_string(directory.join("run.json")) else { return Ok(()) };
    let about: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let named: Vec<&str> = about["files"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    let own = |name: &&str| Path::new(name).file_name().is_some_and(|n| n == *name);
    for path in named.into_iter().filter(own).map(|name| directory.join(name)).filter(|p| p.is_file()) {
        std::fs::remove_file(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

/// Writes `data.npz` and gives its name: `spikes_step`, `spikes_neuron` (u32), for each probe `NAME_step` (u32) and `NAME`
/// (f32, time x neuron), for each rate `NAME_step` (the ends of its bins) and `NAME` (f32, Hz), and for each probe of weights `NAME_source`,
/// `NAME_target` (u32, one for each synapse), `NAME_step` and `NAME` (f32, time x synapse).
pub fn npz(recording: &Recording, directory: &Path) -> Result<Vec<String>, String> {
    let path = directory.join("data.npz");
    write_npz(recording, &path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(vec!["data.npz".into()])
}

fn write_npz(recording: &Recording, path: &Path) -> std::io::Result<()> {
    let mut zip = ZipWriter::new(BufWriter::new(File::create(path)?));
    array(&mut zip, "spikes_step", "<u4", &recording.spike_steps, None)?;
    array(&mut zip, "spikes_neuron", "<u4", &recording.spike_neurons, None)?;
    for (layout, (steps, values)) in recording.layout.probes.iter().zip(&recording.probes) {
        array(&mut zip, &format!("{}_step", layout.name), "<u4", steps, None)?;
        array(&mut zip, &layout.name, "<f4", values, Some(layout.neurons.len() as u64))?;
    }
    for (layout, (steps, values)) in recording.layout.rates.iter().zip(&recording.rates) {
        array(&mut zip, &format!("{}_step", layout.name), "<u4", steps, None)?;
        array(&mut zip, &layout.name, "<f4", values, None)?;
    }
    for (name, weights) in recording.layout.weights.iter().zip(&recording.weights) {
        array(&mut zip, &format!("{name}_source"), "<u4", &weights.sources, None)?;
        array(&mut zip, &format!("{name}_target"), "<u4", &weights.targets, None)?;
        array(&mut zip, &format!("{name}_step"), "<u4", &weights.steps, None)?;
        array(&mut zip, name, "<f4", &weights.values, Some(weights.sources.count))?;
    }
    zip.finish()?.flush()
}

fn array(zip: &mut ZipWriter<BufWriter<File>>, name: &str, kind: &str, words: &Words, columns: Option<u64>) -> std::io::Result<()> {
    let options = SimpleFileOptions::default().large_file(words.count > 1 << 29).compression_method(zip::CompressionMethod::Deflated);
    zip.start_file(format!("{name}.npy"), options)?;
    let shape = match columns {
        Some(n) => format!("({}, {n})", words.count.checked_div(n).unwrap_or(0)),
        None => format!("({},)", words.count),
    };
    zip.write_all(&header(kind, &shape))?;
    std::io::copy(&mut File::open(&words.path)?, zip)?;
    Ok(())
}

/// Writes `spikes.csv` (step, time in ms, neuron), `NAME.csv` for each probe (step, one column for each neuron) and for each
/// rate (step, rate) and probe of weights (step, source, target, weight), and gives their names.
pub fn csv(recording: &Recording, directory: &Path) -> Result<Vec<String>, String> {
    write_csv(recording, directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let probes = recording.layout.probes.iter().chain(&recording.layout.rates).map(|p| &p.name);
    let named = probes.chain(&recording.layout.weights).map(|name| format!("{name}.csv"));
    Ok(std::iter::once("spikes.csv".into()).chain(named).collect())
}

fn write_csv(recording: &Recording, directory: &Path) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(directory.join("spikes.csv"))?);
    writeln!(out, "step,time_ms,neuron")?;
    let (mut steps, mut neurons) = (Reader::new(&recording.spike_steps)?, Reader::new(&recording.spike_neurons)?);
    for _ in 0..recording.spike_steps.count {
        let step = u32::from_le_bytes(steps.next()?);
        writeln!(out, "{step},{:.6},{}", f64::from(step) * recording.layout.dt, u32::from_le_bytes(neurons.next()?))?;
    }
    out.flush()?;
    for (layout, (steps, values)) in recording.layout.probes.iter().zip(&recording.probes) {
        let mut out = BufWriter::new(File::create(directory.join(format!("{}.csv", layout.name)))?);
        write!(out, "step")?;
        layout.neurons.iter().try_for_each(|n| write!(out, ",{n}"))?;
        let (mut rows, mut values) = (Reader::new(steps)?, Reader::new(values)?);
        for _ in 0..steps.count {
            write!(out, "\n{}", u32::from_le_bytes(rows.next()?))?;
            for _ in &layout.neurons {
                write!(out, ",{}", f32::from_le_bytes(values.next()?))?;
            }
        }
        writeln!(out)?;
        out.flush()?;
    }
    for (layout, (steps, values)) in recording.layout.rates.iter().zip(&recording.rates) {
        let mut out = BufWriter::new(File::create(directory.join(format!("{}.csv", layout.name)))?);
        writeln!(out, "step,rate_Hz")?;
        let (mut rows, mut values) = (Reader::new(steps)?, Reader::new(values)?);
        for _ in 0..steps.count {
            writeln!(out, "{},{}", u32::from_le_bytes(rows.next()?), f32::from_le_bytes(values.next()?))?;
        }
        out.flush()?;
    }
    for (name, weights) in recording.layout.weights.iter().zip(&recording.weights) {
        let mut out = BufWriter::new(File::create(directory.join(format!("{name}.csv")))?);
        writeln!(out, "step,source,target,weight")?;
        let (mut steps, mut values) = (Reader::new(&weights.steps)?, Reader::new(&weights.values)?);
        for _ in 0..weights.steps.count {
            let step = u32::from_le_bytes(steps.next()?);
            let (mut sources, mut targets) = (Reader::new(&weights.sources)?, Reader::new(&weights.targets)?);
            for _ in 0..weights.sources.count {
                let (source, target) = (u32::from_le_bytes(sources.next()?), u32::from_le_bytes(targets.next()?));
                writeln!(out, "{step},{source},{target},{}", f32::from_le_bytes(values.next()?))?;
            }
        }
        out.flush()?;
    }
    Ok(())
}

struct Reader(BufReader<File>);

impl Reader {
    fn new(words: &Words) -> std::io::Result<Self> {
        Ok(Self(BufReader::new(File::open(&words.path)?)))
    }

    fn next(&mut self) -> std::io::Result<[u8; 4]> {
        let mut word = [0; 4];
        self.0.read_exact(&mut word)?;
        Ok(word)
    }
}
