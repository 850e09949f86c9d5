//! A run directory -> its spikes and samples, one after another: memory does not grow with the run. Knows no recording.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use zip::ZipArchive;

use crate::base::npy;

/// A run that was written, and its `run.json`.
pub struct Stored {
    pub path: PathBuf,
    pub about: serde_json::Value,
    npz: bool,
}

/// Items of a file, or why it cannot be read on.
pub type Items<T> = Box<dyn Iterator<Item = Result<T, String>>>;

impl Stored {
    /// A directory that `synfire run` has written. An error says what it lacks.
    pub fn open(path: &Path) -> Result<Self, String> {
        let name = path.display();
        if !path.is_dir() {
            return Err(format!("{name} is no directory: give one that `synfire run` has written"));
        }
        let text = std::fs::read_to_string(path.join("run.json")).map_err(|e| format!("{name}/run.json: {e}: this is no finished run"))?;
        let about: serde_json::Value = serde_json::from_str(&text).map_err(|e| format!("{name}/run.json: {e}"))?;
        let npz = path.join("data.npz").is_file();
        if !npz && !path.join("spikes.csv").is_file() {
            return Err(format!("{name} holds neither data.npz nor spikes.csv"));
        }
        Ok(Self { path: path.to_path_buf(), about, npz })
    }

    /// (step, neuron), sorted.
    pub fn spikes(&self) -> Result<Items<(u32, u32)>, String> {
        if self.npz {
            let (steps, neurons) = (self.words("spikes_step")?, self.words("spikes_neuron")?);
            return Ok(Box::new(steps.zip(neurons).map(|(s, n)| Ok((s?, n?)))));
        }
        let rows = self.rows("spikes")?;
        Ok(Box::new(rows.map(|row| {
            let row = row?;
            let number = |i: usize| row.get(i).and_then(|t| t.parse().ok()).ok_or_else(|| format!("spikes.csv: a row {}", row.join(",")));
            Ok((number(0)?, number(2)?))
        })))
    }

    /// Names of what was sampled: probes and rates.
    pub fn sampled(&self) -> Result<Vec<String>, String> {
        if !self.npz {
            let files = self.about["files"].as_array().into_iter().flatten().filter_map(|f| f.as_str()?.strip_suffix(".csv"));
            return Ok(files.filter(|n| *n != "spikes").map(String::from).collect());
        }
        let archive = archive(&self.path.join("data.npz"))?;
        let names: Vec<&str> = archive.file_names().filter_map(|n| n.strip_suffix(".npy")).collect();
        let steps = |n: &&&str| names.contains(&format!("{n}_step").as_str());
        Ok(names.iter().filter(steps).map(|n| n.to_string()).collect())
    }

    /// (step, values) of what was sampled under this name.
    pub fn samples(&self, name: &str) -> Result<Items<(u32, Vec<f32>)>, String> {
        if self.npz {
            let (steps, mut values) = (self.words(&format!("{name}_step"))?, self.words(name)?);
            let width = values.width;
            return Ok(Box::new(steps.map(move |step| {
                let row = (0..width).map(|_| values.next().unwrap_or_else(|| Err("the array is cut off".into())).map(f32::from_bits));
                Ok((step?, row.collect::<Result<_, _>>()?))
            })));
        }
        let named = name.to_string();
        Ok(Box::new(self.rows(name)?.map(move |row| {
            let row = row?;
            let wrong = || format!("{named}.csv: a row {}", row.join(","));
            let (step, values) = row.split_first().ok_or_else(wrong)?;
            let values = values.iter().map(|t| t.parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
            Ok((step.parse().map_err(|_| wrong())?, values))
        })))
    }

    fn rows(&self, name: &str) -> Result<Items<Vec<String>>, String> {
        let path = self.path.join(format!("{name}.csv"));
        let wrong = move |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
        let file = File::open(&path).map_err(|e| wrong(&path, e))?;
        let lines = BufReader::new(file).lines().skip(1);
        Ok(Box::new(lines.map(move |l| l.map_err(|e| wrong(&path, e)).map(|l| l.split(',').map(|t| t.trim().to_string()).collect()))))
    }

    fn words(&self, name: &str) -> Result<Words, String> {
        Words::open(self.path.join("data.npz"), format!("{name}.npy"))
    }
}

fn archive(path: &Path) -> Result<ZipArchive<BufReader<File>>, String> {
    let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    ZipArchive::new(BufReader::new(file)).map_err(|e| format!("{}: {e}", path.display()))
}

/// 4-byte words of an array within an archive, unpacked by a thread of its own that stays a few portions ahead.
struct Words {
    portions: Receiver<Result<Vec<u8>, String>>,
    now: Vec<u8>,
    at: usize,
    /// Words of a row.
    width: usize,
}

const PORTION: usize = 1 << 18;

impl Words {
    fn open(path: PathBuf, name: String) -> Result<Self, String> {
        let wrong = |e: &dyn std::fmt::Display| format!("{}: {name}: {e}", path.display());
        let mut opened = archive(&path)?;
        let head = npy::head(&mut opened.by_name(&name).map_err(|e| wrong(&e))?).map_err(|e| wrong(&e))?;
        if !matches!(head.kind.as_str(), "<u4" | "<f4" | "<i4") {
            return Err(wrong(&format!("numbers of type {}", head.kind)));
        }
        let (send, portions) = sync_channel(2);
        let (file, entry) = (path.clone(), name.clone());
        std::thread::spawn(move || {
            let failed = |e: &dyn std::fmt::Display| Err(format!("{}: {entry}: {e}", file.display()));
            let mut file = match opened.by_name(&entry) {
                Ok(file) => file,
                Err(e) => return drop(send.send(failed(&e))),
            };
            if let Err(e) = npy::head(&mut file) {
                return drop(send.send(failed(&e)));
            }
            loop {
                let mut portion = Vec::with_capacity(PORTION);
                let read = file.by_ref().take(PORTION as u64).read_to_end(&mut portion);
                let more = match read {
                    Ok(0) => return,
                    Ok(_) => send.send(Ok(portion)),
                    Err(e) => return drop(send.send(failed(&e))),
                };
                // A reader that has gone wants no more.
                if more.is_err() {
                    return;
                }
            }
        });
        Ok(Self { portions, now: Vec::new(), at: 0, width: head.shape.iter().skip(1).product() })
    }
}

impl Iterator for Words {
    type Item = Result<u32, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.now.len() {
            match self.portions.recv().ok()? {
                Ok(portion) => (self.now, self.at) = (portion, 0),
                Err(e) => return Some(Err(e)),
            }
        }
        let word = self.now.get(self.at..self.at + 4)?;
        self.at += 4;
        Some(Ok(u32::from_le_bytes([word[0], word[1], word[2], word[3]])))
    }
}
