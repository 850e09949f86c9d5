//! Data files of a scene: inside its folder, as CSV with a header, npy or npz. Knows no unit but ms for delays.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::base::npy;
use crate::network::Synapse;

/// An entry of an archive may always unpack to this many bytes, and beyond to so many times its packed size: a small file must
/// not fill the memory.
const LEAST_UNPACKED: u64 = 64 << 20;
const MOST_RATIO: u64 = 100;

/// Numbers by column. The columns of an npy file have no names.
pub struct Columns {
    names: Vec<String>,
    values: Vec<Vec<f64>>,
}

impl Columns {
    /// The column of this name, or number `at` of a file without names.
    fn get(&self, name: &str, at: usize) -> Option<&[f64]> {
        let i = match self.names.is_empty() {
            true => Some(at),
            false => self.names.iter().position(|n| n == name),
        };
        i.and_then(|i| self.values.get(i)).map(Vec::as_slice)
    }

    fn known(&self) -> String {
        if self.names.is_empty() { format!("{} columns without names", self.values.len()) } else { self.names.join(", ") }
    }
}

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

/// Synapses from a file: columns `source`, `target`, and if wanted `weight` (in the receptor's internal unit) and `delay_ms`;
/// of an npy file in this order. Delays lie between these two, in ms.
pub fn synapses(folder: Option<&Path>, name: &str, [shortest, longest]: [f64; 2]) -> Result<Vec<Synapse>, String> {
    let file = columns(folder, name)?;
    let (Some(source), Some(target)) = (file.get("source", 0), file.get("target", 1)) else {
        return Err(format!("{name}: the columns source and target are needed, found {}", file.known()));
    };
    let (weight, delay) = (file.get("weight", 2), file.get("delay_ms", 3));
    if [Some(target), weight, delay].into_iter().flatten().any(|c| c.len() != source.len()) {
        return Err(format!("{name}: the columns differ in length"));
    }
    (0..source.len())
        .map(|i| {
            let delay = delay.map(|d| d[i]);
            if let Some(d) = delay.filter(|d| !(shortest..=longest).contains(d)) {
                return Err(format!("{name}, synapse {i}: a delay of {d} ms: at least one step of dt, at most {longest} ms"));
            }
            let (source, target) = (neuron(name, source[i], i)?, neuron(name, target[i], i)?);
            Ok(Synapse { source, target, weight: weight.map(|w| w[i]), delay })
        })
        .collect()
}

/// Pairs from a file that no delay lies between: columns `source`, `target`, and if wanted `conductance`, in the unit of the coupling.
pub fn pairs(folder: Option<&Path>, name: &str) -> Result<Vec<Synapse>, String> {
    let file = columns(folder, name)?;
    if let Some(key) = file.names.iter().find(|n| !["source", "target", "conductance"].contains(&n.as_str())) {
        return Err(format!("{name}: pairs have no column `{key}`"));
    }
    let (Some(source), Some(target)) = (file.get("source", 0), file.get("target", 1)) else {
        return Err(format!("{name}: the columns source and target are needed, found {}", file.known()));
    };
    let conductance = file.get("conductance", 2);
    if [Some(target), conductance].into_iter().flatten().any(|c| c.len() != source.len()) {
        return Err(format!("{name}: the columns differ in length"));
    }
    if let Some(g) = conductance.and_then(|g| g.iter().find(|g| **g < 0.0)) {
        return Err(format!("{name}: a conductance of {g}: a conductance is never negative"));
    }
    let pair = |i: usize| {
        let (source, target) = (neuron(name, source[i], i)?, neuron(name, target[i], i)?);
        Ok(Synapse { source, target, weight: conductance.map(|g| g[i]), delay: None })
    };
    (0..source.len()).map(pair).collect()
}

fn neuron(name: &str, x: f64, line: usize) -> Result<u32, String> {
    if x >= 0.0 && x < f64::from(u32::MAX) && x.fract() == 0.0 {
        Ok(x as u32)
    } else {
        Err(format!("{name}, synapse {line}: {x} is no neuron"))
    }
}

/// Times in ms from the first column, or the one named `time_ms`.
pub fn times(folder: Option<&Path>, name: &str) -> Result<Vec<f64>, String> {
    let file = columns(folder, name)?;
    let times = file.get("time_ms", 0).or(file.values.first().map(Vec::as_slice));
    times.map(<[f64]>::to_vec).ok_or_else(|| format!("{name} holds no column"))
}

/// The column of this name; without a name the only one.
pub fn column(folder: Option<&Path>, name: &str, column: Option<&str>) -> Result<Vec<f64>, String> {
    let file = columns(folder, name)?;
    let found = match column {
        Some(c) => file.get(c, usize::MAX),
        None if file.values.len() == 1 => file.values.first().map(Vec::as_slice),
        None => None,
    };
    found.map(<[f64]>::to_vec).ok_or_else(|| format!("{name}: name one of its columns ({}) with column = ...", file.known()))
}

/// One to three columns of coordinates: those named, else x, y, z as far as they are there; of an npy file its first ones.
pub fn places(folder: Option<&Path>, name: &str, named: Option<&[String]>) -> Result<Vec<Vec<f64>>, String> {
    let file = columns(folder, name)?;
    let usual = ["x", "y", "z"].map(String::from);
    let found: Vec<Vec<f64>> = match named {
        Some(all) => all
            .iter()
            .enumerate()
            .map(|(at, n)| file.get(n, at).map(<[f64]>::to_vec).ok_or_else(|| format!("{name} has no column {n}, but {}", file.known())))
            .collect::<Result<_, _>>()?,
        None => usual.iter().enumerate().map_while(|(at, n)| file.get(n, at).map(<[f64]>::to_vec)).collect(),
    };
    if !(1..=3).contains(&found.len()) || found.iter().any(|c| c.len() != found[0].len() || c.is_empty()) {
        return Err(format!("{name}: 1 to 3 columns of coordinates are needed, all equally long; it has {}", file.known()));
    }
    Ok(found)
}

fn columns(folder: Option<&Path>, name: &str) -> Result<Columns, String> {
    let path = inside(folder, name)?;
    let wrong = |e: String| format!("{name}: {e}");
    let read = match path.extension().and_then(|e| e.to_str()) {
        Some("npy") => {
            std::fs::read(&path).map_err(|e| e.to_string()).and_then(|b| array(&b)).map(|values| Columns { names: Vec::new(), values })
        }
        Some("npz") => archive(&path),
        Some("csv") => csv(&path),
        _ => Err("a data file ends in .csv, .npy or .npz".into()),
    };
    let columns = read.map_err(wrong)?;
    if columns.values.iter().all(Vec::is_empty) {
        return Err(format!("{name} is empty"));
    }
    match columns.values.iter().find_map(|c| c.iter().enumerate().find(|(_, x)| !x.is_finite())) {
        Some((i, x)) => Err(format!("{name}: value {} is {x}, which is no number to work with", i + 1)),
        None => Ok(columns),
    }
}

/// The columns of an array of one or two dimensions.
fn array(bytes: &[u8]) -> Result<Vec<Vec<f64>>, String> {
    let array = npy::read(bytes)?;
    match array.shape[..] {
        [_] => Ok(vec![array.values]),
        [_, n] if n <= 64 => Ok((0..n).map(|c| array.values.iter().skip(c).step_by(n).copied().collect()).collect()),
        _ => Err(format!("an array of shape {:?}: one column, or rows of at most 64 columns", array.shape)),
    }
}

fn archive(path: &Path) -> Result<Columns, String> {
    let zip = zip::ZipArchive::new(File::open(path).map_err(|e| e.to_string())?);
    let mut zip = zip.map_err(|e| format!("this is no npz file ({e})"))?;
    let mut columns = Columns { names: Vec::new(), values: Vec::new() };
    for i in 0..zip.len() {
        let mut file = zip.by_index(i).map_err(|e| e.to_string())?;
        let name = file.name().trim_end_matches(".npy").to_string();
        let most = LEAST_UNPACKED + MOST_RATIO.saturating_mul(file.compressed_size());
        let mut bytes = Vec::new();
        file.by_ref().take(most + 1).read_to_end(&mut bytes).map_err(|e| format!("{name}: {e}"))?;
        if bytes.len() as u64 > most {
            return Err(format!("{name} unpacks to over {MOST_RATIO} times its size: save it uncompressed, with numpy.savez"));
        }
        let values = array(&bytes).map_err(|e| format!("{name}: {e}"))?;
        columns.values.push(values.into_iter().next().unwrap_or_default());
        columns.names.push(name);
    }
    Ok(columns)
}

fn csv(path: &Path) -> Result<Columns, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(|e| e.to_string())?;
    let names: Vec<String> = reader.headers().map_err(|e| e.to_string())?.iter().map(String::from).collect();
    let mut values = vec![Vec::new(); names.len()];
    for (line, record) in reader.records().enumerate() {
        let record = record.map_err(|e| e.to_string())?;
        for (column, text) in values.iter_mut().zip(record.iter()) {
            column.push(text.parse::<f64>().map_err(|_| format!("line {}: `{text}` is no number", line + 2))?);
        }
    }
    Ok(Columns { names, values })
}
