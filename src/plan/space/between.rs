//! The distances from the sources of a projection to its targets, and tables over their squares. Knows no kernel.

use std::sync::Arc;

use super::Sheet;
use crate::network::Which;

/// Two parts on one sheet.
pub struct Between {
    pub from: Arc<Sheet>,
    pub sources: Which,
    pub to: Arc<Sheet>,
    pub targets: Which,
    /// Sides of the box where they are one, else larger than any distance.
    pub wrap: [u32; 3],
}

/// Bits of a square that an entry tells apart.
const BITS: u32 = 10;

/// Values by the square of a distance, to a thousandth of it: exactly up to 2^11, then by its first 11 bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T> {
    pub values: Vec<T>,
}

/// The entry of a square. Larger squares have no lower entries.
#[inline(always)]
pub fn index(square: u32) -> usize {
    let shift = (31 - BITS).saturating_sub((square | 1).leading_zeros());
    ((shift << BITS) + (square >> shift)) as usize
}

impl<T: Copy> Table<T> {
    /// Of squares up to that of `reach`, in quanta; each entry is of the distance in its middle, in um.
    pub fn new(reach: u32, quantum: f64, mut of: impl FnMut(f64) -> T) -> Self {
        let entry = |i: usize| {
            let shift = ((i as u32) >> BITS).saturating_sub(1);
            let first = (i as u64 - (u64::from(shift) << BITS)) << shift;
            let middle = first as f64 + ((1u64 << shift) - 1) as f64 / 2.0;
            of(libm::sqrt(middle) * quantum)
        };
        Self { values: (0..=index(reach * reach)).map(entry).collect() }
    }

    /// The value at the square of a distance; the last one beyond the table.
    #[inline(always)]
    pub fn at(&self, square: u32) -> T {
        self.values[index(square).min(self.values.len() - 1)]
    }
}

impl Between {
    /// An error says why there is no distance between the two.
    pub fn new(from: Arc<Sheet>, sources: Which, to: Arc<Sheet>, targets: Which) -> Result<Self, String> {
        if from.dimensions != to.dimensions {
            return Err(format!("positions of {} and of {} dimensions: distance needs one sheet", from.dimensions, to.dimensions));
        }
        if from.periodic != to.periodic || (from.periodic && (from.extent, from.low) != (to.extent, to.low)) {
            return Err("one sheet is periodic and the other is not, or their extents differ: distance needs one sheet".into());
        }
        let wrap = if to.periodic { to.extent.map(|e| e.max(1)) } else { [1 << 18; 3] };
        Ok(Self { from, sources, to, targets, wrap })
    }

    /// The same seen from the targets.
    pub fn turned(&self) -> Self {
        Self { from: self.to.clone(), sources: self.targets.clone(), to: self.from.clone(), targets: self.sources.clone(), wrap: self.wrap }
    }

    /// The place of the `source`-th source.
    #[inline(always)]
    pub fn source(&self, source: u32) -> [u32; 3] {
        self.from.at(self.sources.get(source))
    }

    /// The place of the `target`-th target.
    #[inline(always)]
    pub fn target(&self, target: u32) -> [u32; 3] {
        self.to.at(self.targets.get(target))
    }

    /// How far two coordinates are apart along an axis, the short way round.
    #[inline(always)]
    pub fn apart(&self, axis: usize, a: u32, b: u32) -> u32 {
        let d = a.abs_diff(b);
        d.min(self.wrap[axis].wrapping_sub(d))
    }

    /// The square of the distance between two places.
    #[inline(always)]
    pub fn square(&self, a: [u32; 3], b: [u32; 3]) -> u32 {
        let d: [u32; 3] = std::array::from_fn(|axis| self.apart(axis, a[axis], b[axis]));
        d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    }

    /// The longest distance that can be, in quanta.
    pub fn longest(&self) -> u32 {
        let side = |axis: usize| f64::from(self.side(axis));
        libm::ceil(libm::sqrt((0..3).map(|a| side(a) * side(a)).sum())) as u32
    }

    /// The longest distance along an axis.
    pub fn side(&self, axis: usize) -> u32 {
        let (a, b) = (&self.from, &self.to);
        if b.periodic { b.extent[axis].div_ceil(2) } else { a.high[axis].max(b.high[axis]) - a.low[axis].min(b.low[axis]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_rise_with_the_square_and_stand_for_distances_within_a_thousandth() {
        let table = Table::new(65_000, 0.5, |d| d);
        let mut last = 0;
        for k in 0..400_000u32 {
            let square = if k < 5000 { k } else { (f64::from(k) / 400_000.0 * 65_000.0).powi(2) as u32 };
            assert!(index(square) >= last && (k >= 5000 || index(square) - last <= 1), "{square}");
            last = index(square);
            let d = f64::from(square).sqrt() * 0.5;
            assert!((table.at(square) - d).abs() <= 6e-4 * d, "{square}: {} for {d}", table.at(square));
        }
        assert_eq!(index(65_000 * 65_000) + 1, table.values.len());
    }
}
