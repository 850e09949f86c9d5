//! Data files of a scene: inside its folder, as CSV. Knows no unit but ms for delays.

use std::path::{Component, Path, PathBuf};

use crate::network::Synapse;

/// A path of the scene, made safe: relative, and not leading out of the scene's folder.
fn inside(folder: Option<&Path>, name: &str) -> Result<PathBuf, String> {
    let Some(folder) = folder else { return Err(format!("{name}: a scene without a folder of its own can read no files")) };
    let path = Path::new(name);
    if name.is_empty() || path.components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
        return Err(format!("{name}: files are named relative to the scene and lie in its folder"));
    }
    let full = folder.join(path);
    let (Ok(real), Ok(home)) = (full.canonicalize(), folder.canonicalize()) else {
        return Err(format!("{}: no such file", full.display()));
    };
    if real.starts_with(&home) { Ok(real) } else { Err(format!("{name}: the file lies outside of the scene's folder")) }
}

/// Synapses from a CSV file: `source`, `target`, and if wanted `weight` (in the receptor's internal unit) and `delay_ms`.
pub fn synapses(folder: Option<&Path>, name: &str) -> Result<Vec<Synapse>, String> {
    let (columns, rows) = csv(folder, name)?;
    let place = |key: &str| columns.iter().position(|c| c == key);
    let (Some(source), Some(target)) = (place("source"), place("target")) else {
        return Err(format!("{name}: the columns source and target are needed, found {}", columns.join(", ")));
    };
    let (weight, delay) = (place("weight"), place("delay_ms"));
    let id = |x: f64, line: usize| {
        if x >= 0.0 && x < f64::from(u32::MAX) && x.fract() == 0.0 {
            Ok(x as u32)
        } else {
            Err(format!("{name}, synapse {line}: {x} is no neuron"))
        }
    };
    rows.iter()
        .enumerate()
        .map(|(line, row)| {
            let delay = delay.map(|i| row[i]);
            if delay.is_some_and(|d| !(0.0..1e6).contains(&d)) {
                return Err(format!("{name}, synapse {line}: a delay of {} ms", delay.unwrap_or(0.0)));
            }
            Ok(Synapse { source: id(row[source], line)?, target: id(row[target], line)?, weight: weight.map(|i| row[i]), delay })
        })
        .collect()
}

/// Times in ms from the first column, or the one named `time_ms`.
pub fn times(folder: Option<&Path>, name: &str) -> Result<Vec<f64>, String> {
    let (columns, rows) = csv(folder, name)?;
    let i = columns.iter().position(|c| c == "time_ms").unwrap_or(0);
    Ok(rows.iter().map(|r| r[i]).collect())
}

fn csv(folder: Option<&Path>, name: &str) -> Result<(Vec<String>, Vec<Vec<f64>>), String> {
    let path = inside(folder, name)?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(&path).map_err(|e| format!("{name}: {e}"))?;
    let columns: Vec<String> = reader.headers().map_err(|e| format!("{name}: {e}"))?.iter().map(String::from).collect();
    let mut rows = Vec::new();
    for (line, record) in reader.records().enumerate() {
        let record = record.map_err(|e| format!("{name}: {e}"))?;
        let number = |text: &str| match text.parse::<f64>() {
            Ok(x) if x.is_finite() => Ok(x),
            _ => Err(format!("{name}, line {}: `{text}` is no number", line + 2)),
        };
        rows.push(record.iter().map(number).collect::<Result<Vec<_>, _>>()?);
    }
    Ok((columns, rows))
}
