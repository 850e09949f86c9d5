//! Whether a network fits into this machine, asked before anything is allocated. Knows no scene text.

use crate::network::Network;

/// Bytes that a new process may still take, where the system says so.
pub fn free() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Bytes that this process holds in memory, where the system says so.
pub fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|l| l.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// An error, in a sentence, if the network takes more than is free.
pub fn fits(network: &Network) -> Result<(), String> {
    let free = free();
    let needed = crate::plan::estimate(network, free);
    match free.filter(|free| needed > *free as f64) {
        Some(free) => Err(format!(
            "this network takes about {} and only {} are free: scale it down or take a larger machine",
            bytes(needed as u64),
            bytes(free)
        )),
        None => Ok(()),
    }
}

/// A number of bytes for people.
pub fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} B"),
        10_000..10_000_000 => format!("{:.1} KiB", count as f64 / 1024.0),
        10_000_000..10_000_000_000 => format!("{:.1} MiB", count as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", count as f64 / 1_073_741_824.0),
    }
}
