//! Where neurons are, and what depends on the distance between them, as plain values. Lengths in um. Knows no projection.

use std::sync::Arc;

/// Positions of a population: a box, and places in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Positions {
    /// 1 to 3.
    pub dimensions: usize,
    /// Sides of the box, and its least corner; 0 beyond the dimensions.
    pub extent: [f64; 3],
    pub origin: [f64; 3],
    /// Opposite sides of the box are one.
    pub periodic: bool,
    pub layout: Layout,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Layout {
    /// So many along each axis, the first fastest, each in the middle of its share; 1 beyond the dimensions.
    Grid([u32; 3]),
    /// Uniform in the box.
    Random,
    Listed(Arc<[[f64; 3]]>),
}

impl Positions {
    /// Length, area or volume of the box.
    pub fn volume(&self) -> f64 {
        self.extent[..self.dimensions].iter().product()
    }

    /// Number of places, if the layout fixes it.
    pub fn count(&self) -> Option<u64> {
        match &self.layout {
            Layout::Grid(n) => Some(n.iter().map(|n| u64::from(*n)).product()),
            Layout::Random => None,
            Layout::Listed(all) => Some(all.len() as u64),
        }
    }
}

/// Who is connected to whom, by distance.
#[derive(Clone, Debug, PartialEq)]
pub struct Distance {
    pub shape: Shape,
    /// Nothing is connected beyond.
    pub reach: f64,
    pub degree: Degree,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// exp(-d^2 / (2 sigma^2))
    Gaussian { sigma: f64 },
    /// exp(-d / length)
    Exponential { length: f64 },
    /// 1 within the reach.
    Disc,
    /// 1 where no coordinate differs by more than the reach.
    Box,
    /// The user's.
    Profile(Profile),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Degree {
    /// Every pair independently, with this probability times the kernel.
    Probability(f64),
    /// So many targets for each source, drawn with the kernel as weight.
    Out(u32),
    /// So many sources for each target.
    In(u32),
}

impl Shape {
    /// The kernel at a distance.
    pub fn at(&self, distance: f64) -> f64 {
        match self {
            Shape::Gaussian { sigma } => libm::exp(-0.5 * (distance / sigma) * (distance / sigma)),
            Shape::Exponential { length } => libm::exp(-distance / length),
            Shape::Disc | Shape::Box => 1.0,
            Shape::Profile(profile) => profile.at(distance).max(0.0),
        }
    }

    /// Its largest value.
    pub fn max(&self) -> f64 {
        match self {
            Shape::Profile(profile) => profile.bounds().1,
            _ => 1.0,
        }
    }
}

/// A function of distance: its values from 0 to `reach` in equal steps, straight between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub reach: f64,
    pub values: Arc<[f64]>,
}

impl Profile {
    /// Steps of a profile.
    pub const STEPS: usize = 4096;

    pub fn at(&self, distance: f64) -> f64 {
        let x = (distance / self.reach * Self::STEPS as f64).clamp(0.0, Self::STEPS as f64);
        let i = (x as usize).min(Self::STEPS - 1);
        let at = |i: usize| self.values.get(i).copied().unwrap_or(0.0);
        at(i) + (at(i + 1) - at(i)) * (x - i as f64)
    }

    pub fn bounds(&self) -> (f64, f64) {
        self.values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
    }
}
