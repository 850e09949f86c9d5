//! Memory of the sums. On Linux it asks for huge pages: where synapses land all over it, nearly every one misses the TLB with small
//! pages. Knows no step and no neuron.

use std::ops::{Deref, DerefMut};

/// Zeroed sums.
pub enum Ring {
    #[cfg(target_os = "linux")]
    Mapped(memmap2::MmapMut),
    Plain(Vec<i32>),
}

impl Ring {
    pub fn new(len: usize) -> Self {
        #[cfg(target_os = "linux")]
        if len >= LARGE
            && let Ok(map) = memmap2::MmapMut::map_anon(len * 4)
        {
            // A wish: where the system does not grant it, the ring is as right, and slower.
            let _ = map.advise(memmap2::Advice::HugePage);
            return Ring::Mapped(map);
        }
        Ring::Plain(vec![0; len])
    }
}

/// Smaller rings stay in the cache.
#[cfg(target_os = "linux")]
const LARGE: usize = 1 << 20;

impl Deref for Ring {
    type Target = [i32];

    #[inline(always)]
    fn deref(&self) -> &[i32] {
        match self {
            #[cfg(target_os = "linux")]
            Ring::Mapped(map) => bytemuck::cast_slice(map),
            Ring::Plain(vec) => vec,
        }
    }
}

impl DerefMut for Ring {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [i32] {
        match self {
            #[cfg(target_os = "linux")]
            Ring::Mapped(map) => bytemuck::cast_slice_mut(map),
            Ring::Plain(vec) => vec,
        }
    }
}
