//! How finely work is dealt out to a device. Knows no kernel and no network.

use super::{Device, Forced};

/// Threads of workgroups, and synapses of a work item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grain {
    /// Threads of a workgroup.
    pub group: u32,
    /// Threads of a workgroup that delivers spikes.
    pub deliver: u32,
    /// Synapses of a work item.
    pub chunk: u32,
}

impl Grain {
    const HARDWARE: Self = Self { group: 64, deliver: 64, chunk: 256 };
    /// A processor goes through a load lane by lane, and reads what it has to know of a row once for each of its vectors: so one
    /// vector delivers long pieces.
    const SOFTWARE: Self = Self { deliver: 8, chunk: 1024, ..Self::HARDWARE };

    /// What suits the device; the grain of hardware, with workgroups of the size that a test asks for.
    pub fn of(device: &Device, forced: Forced) -> Self {
        match forced.group {
            Some(group) => Self { group, deliver: group, ..Self::HARDWARE },
            None if device.listed.software => Self::SOFTWARE,
            None => Self::HARDWARE,
        }
    }
}
