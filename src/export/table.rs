//! A small table -> CSV or npz: what a panel shows. Knows no panel and no recording.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::base::npy::header;

#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    Numbers(Vec<f64>),
    Whole(Vec<u32>),
    Texts(Vec<String>),
}

/// Named columns; they may differ in length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<(String, Column)>,
}

impl Table {
    pub fn add(&mut self, name: impl Into<String>, column: Column) {
        self.columns.push((name.into(), column));
    }

    /// With a line of names; a column that is shorter leaves its places empty.
    pub fn csv(&self) -> String {
        let quoted = |text: &str| match text.contains([',', '"', '\n']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.to_string(),
        };
        let mut out = self.columns.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(",") + "\n";
        for row in 0..self.columns.iter().map(|(_, c)| c.len()).max().unwrap_or(0) {
            for (i, (_, column)) in self.columns.iter().enumerate() {
                out += if i > 0 { "," } else { "" };
                match column {
                    Column::Numbers(all) => out.extend(all.get(row).map(f64::to_string)),
                    Column::Whole(all) => out.extend(all.get(row).map(u32::to_string)),
                    Column::Texts(all) => out.extend(all.get(row).map(|t| quoted(t))),
                }
            }
            out.push('\n');
        }
        out
    }

    /// One array for each column: f64, u32, or text of fixed width.
    pub fn npz(&self, path: &Path) -> Result<(), String> {
        self.write(path).map_err(|e| format!("{}: {e}", path.display()))
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut zip = ZipWriter::new(BufWriter::new(File::create(path)?));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        for (name, column) in &self.columns {
            zip.start_file(format!("{name}.npy"), options)?;
            let shape = format!("({},)", column.len());
            match column {
                Column::Numbers(all) => {
                    zip.write_all(&header("<f8", &shape))?;
                    all.iter().try_for_each(|x| zip.write_all(&x.to_le_bytes()))?;
                }
                Column::Whole(all) => {
                    zip.write_all(&header("<u4", &shape))?;
                    all.iter().try_for_each(|x| zip.write_all(&x.to_le_bytes()))?;
                }
                Column::Texts(all) => {
                    let width = all.iter().map(|t| t.chars().count()).max().unwrap_or(0).max(1);
                    zip.write_all(&header(&format!("<U{width}"), &shape))?;
                    for text in all {
                        let letters = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(width);
                        letters.into_iter().try_for_each(|c| zip.write_all(&c.to_le_bytes()))?;
                    }
                }
            }
        }
        zip.finish()?.flush()
    }
}

impl Column {
    pub fn len(&self) -> usize {
        match self {
            Column::Numbers(all) => all.len(),
            Column::Whole(all) => all.len(),
            Column::Texts(all) => all.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
