//! Laws of the network as tables of integers and as samples. Knows no projection.

use crate::base::draw::Quantile;
use crate::base::rng::Stream;
use crate::network::{Kind, Law, Values};

/// Normal tables end where the tail holds less than 2^-32.
const TAIL: f64 = 6.6;

/// The law as a table of integers, one unit being `to_integer`.
pub fn quantile(law: &Law, to_integer: f64) -> Result<Quantile, String> {
    Quantile::new(*law, to_integer)
}

/// Least and largest value that the law can give.
pub fn bounds(law: &Law) -> (f64, f64) {
    let (low, high) = match law.kind {
        Kind::Constant => (1.0, 1.0),
        Kind::Uniform { low, high } => (low, high),
        Kind::Normal { mean, sd } => (mean - TAIL * sd, mean + TAIL * sd),
        Kind::Lognormal { mu, sigma } => (libm::exp(mu - TAIL * sigma), libm::exp(mu + TAIL * sigma)),
        Kind::Exponential { mean } => (0.0, 24.0 * mean),
    };
    let (low, high) = (low.max(law.low).min(law.high), high.min(law.high).max(law.low));
    let (a, b) = (law.offset + law.scale * low, law.offset + law.scale * high);
    (a.min(b), a.max(b))
}

/// A number for each of `size` neurons, or one for all.
pub enum Spread {
    Uniform(f64),
    Column(Vec<f64>),
}

impl Spread {
    pub fn new(values: &Values, size: u32, seed: u64, stream: [u32; 2]) -> Result<Self, String> {
        Ok(match values {
            Values::Uniform(x) => Spread::Uniform(*x),
            Values::Column(c) if c.len() == size as usize => Spread::Column(c.to_vec()),
            Values::Column(c) => return Err(format!("a column of {} values for {size} neurons: give one value for each", c.len())),
            Values::Law(law) => {
                let table = quantile(law, 1.0)?;
                let stream = Stream::new(seed, stream);
                let sample = |i: u32| {
                    let block = stream.block([i, 0, 0, 0]);
                    table.sample(u64::from(block[0]) << 32 | u64::from(block[1]))
                };
                Spread::Column((0..size).map(sample).collect())
            }
        })
    }

    pub fn at(&self, i: u32) -> f64 {
        match self {
            Spread::Uniform(x) => *x,
            Spread::Column(c) => c[i as usize],
        }
    }

    pub fn is_column(&self) -> bool {
        matches!(self, Spread::Column(_))
    }
}
