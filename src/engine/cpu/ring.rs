//! Memory of the sums. On Linux it asks for huge pages: where synapses land all over it, nearly every one misses the TLB with small
//! pages. Knows no step and no neuron.

use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

/// Zeroed sums.
pub enum Ring {
    Mapped(MmapMut),
    Plain(Vec<i32>),
}

impl Ring {
    pub fn new(len: usize) -> Self {
        // Small rings fit the cache, and a mapping cannot be empty.
        if len < 1 << 20 {
            return Ring::Plain(vec![0; len]);
        }
        match MmapMut::map_anon(len * 4) {
            Ok(map) => {
                // A wish: where the system does not grant it, the ring is as right, and slower.
                #[cfg(target_os = "linux")]
                let _ = map.advise(memmap2::Advice::HugePage);
                Ring::Mapped(map)
            }
            Err(_) => Ring::Plain(vec![0; len]),
        }
    }
}

impl Deref for Ring {
    type Target = [i32];

    #[inline(always)]
    fn deref(&self) -> &[i32] {
        match self {
            Ring::Mapped(map) => bytemuck::cast_slice(map),
            Ring::Plain(vec) => vec,
        }
    }
}

impl DerefMut for Ring {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [i32] {
        match self {
            Ring::Mapped(map) => bytemuck::cast_slice_mut(map),
            Ring::Plain(vec) => vec,
        }
    }
}
