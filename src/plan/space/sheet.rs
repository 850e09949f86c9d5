//! Positions of one population as integers: one quantum for the whole network, so fine that the longest distance is just below
//! 2^16 quanta and its square fits 32 bits. Knows no second population.

use crate::base::rng::Stream;
use crate::network::{Layout, Network, Positions};
use crate::plan::purpose;

/// Where each neuron of a population is, in quanta.
#[derive(Debug)]
pub struct Sheet {
    pub dimensions: usize,
    /// Sides of the box, and its corners, in quanta.
    pub extent: [u32; 3],
    pub low: [u32; 3],
    pub high: [u32; 3],
    pub periodic: bool,
    pub grain: Grain,
    pub places: Places,
}

#[derive(Debug)]
pub enum Places {
    /// Coordinates along each axis; neurons in order, the first axis fastest.
    Grid([Vec<u32>; 3]),
    Listed(Vec<[u32; 3]>),
}

/// How the whole network's positions become integers: a length of this many um, counted from this corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grain {
    pub quantum: f64,
    pub origin: [f64; 3],
}

impl Grain {
    /// None without positions.
    pub fn new(network: &Network) -> Option<Self> {
        let all = || network.populations.iter().filter_map(|p| p.positions.as_ref());
        let low = |a: usize| all().map(|p| p.origin[a]).fold(f64::INFINITY, f64::min);
        let high = |a: usize| all().map(|p| p.origin[a] + p.extent[a]).fold(f64::NEG_INFINITY, f64::max);
        all().next()?;
        let longest = libm::sqrt((0..3).map(|a| (high(a) - low(a)) * (high(a) - low(a))).sum());
        Some(Self { quantum: longest / 65_000.0, origin: [low(0), low(1), low(2)] })
    }
}

impl Sheet {
    pub fn new(positions: &Positions, population: u32, size: u32, seed: u64, grain: Grain) -> Self {
        let extent = positions.extent.map(|e| libm::rint(e / grain.quantum) as u32);
        let low: [u32; 3] = std::array::from_fn(|a| libm::rint((positions.origin[a] - grain.origin[a]) / grain.quantum) as u32);
        let high: [u32; 3] = std::array::from_fn(|a| low[a] + extent[a]);
        let inside = |x: f64, a: usize| (libm::rint((x - grain.origin[a]) / grain.quantum).max(0.0) as u32).clamp(low[a], high[a]);
        let places = match &positions.layout {
            Layout::Grid(n) => Places::Grid(std::array::from_fn(|a| {
                (0..n[a]).map(|i| low[a] + ((u64::from(2 * i + 1) * u64::from(extent[a])) / u64::from(2 * n[a])) as u32).collect()
            })),
            Layout::Random => {
                let stream = Stream::new(seed, [purpose::POSITION, population]);
                let place = |i: u32| {
                    let block = stream.block([i, 0, 0, 0]);
                    std::array::from_fn(|a| low[a] + ((u64::from(block[a]) * u64::from(extent[a])) >> 32) as u32)
                };
                Places::Listed((0..size).map(place).collect())
            }
            Layout::Listed(all) => Places::Listed(all.iter().map(|p| std::array::from_fn(|a| inside(p[a], a))).collect()),
        };
        Self { dimensions: positions.dimensions, extent, low, high, periodic: positions.periodic, grain, places }
    }

    /// The place of neuron `i`, in quanta.
    #[inline(always)]
    pub fn at(&self, i: u32) -> [u32; 3] {
        match &self.places {
            Places::Grid(axes) => {
                let (nx, ny) = (axes[0].len() as u32, axes[1].len() as u32);
                let (row, layer) = (i / nx, i / nx / ny);
                [axes[0][(i % nx) as usize], axes[1][(row % ny) as usize], axes[2][layer as usize]]
            }
            Places::Listed(all) => all[i as usize],
        }
    }

    /// The place of neuron `i`, in um.
    pub fn position(&self, i: u32) -> [f64; 3] {
        let at = self.at(i);
        std::array::from_fn(|a| self.grain.origin[a] + f64::from(at[a]) * self.grain.quantum)
    }

    pub fn bytes(&self) -> u64 {
        match &self.places {
            Places::Grid(axes) => axes.iter().map(|a| a.len() as u64 * 4).sum(),
            Places::Listed(all) => all.len() as u64 * 12,
        }
    }
}
