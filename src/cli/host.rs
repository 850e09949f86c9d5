//! What the operating system says of memory and computing time, where it says so: Linux. Knows no command.

use std::fs;
use std::path::{Path, PathBuf};

pub use crate::session::memory::free as free_memory;

/// The most bytes that this process has held at once, since its start or `reset_peak`.
pub fn peak_memory() -> Option<u64> {
    kib(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// Forgets the peak so far. Where this is not possible the peak is that of the whole process.
pub fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn kib(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix(key))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Seconds of computing that this process has used on all its threads. Linux counts in hundredths.
pub fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in parentheses, may hold blanks; user and system time are the 12th and 13th field after it.
    let mut fields = text[text.rfind(')')? + 1..].split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

/// Name of the processor and its number of threads.
pub fn processor() -> (String, usize) {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find(|l| l.starts_with("model name")).and_then(|l| l.split_once(':')).map_or("CPU", |(_, n)| n.trim());
    (name.to_string(), std::thread::available_parallelism().map_or(1, usize::from))
}

/// A folder for what nobody keeps; it goes with this value.
pub struct Temporary(PathBuf);

impl Temporary {
    /// `what` tells the folders of one process apart.
    pub fn new(what: &str) -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("synfire-{what}-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What is left in the temporary folder is the system's to clear.
        let _ = fs::remove_dir_all(&self.0);
    }
}
