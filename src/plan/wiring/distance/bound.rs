//! How many synapses a target can receive by distance, from cells alone. Knows no random number.

use super::{Rows, UNIT};
use crate::plan::space::{Between, Cells, Near, index};

impl Rows {
    /// A bound on the mean number of synapses that one target receives, from cells alone.
    pub fn most(&self) -> f64 {
        let sources = Cells::new(&self.between.turned(), self.reach);
        // What a synapse more is worth to a source of each cell: a degree is shared by what the source sees at least.
        let share = |cell: [u32; 3], near: &Neighbours| match self.degree {
            None => 1.0,
            Some(k) => {
                let mut low = 0.0;
                near.each(cell, |other, _| low += f64::from(self.cells.len(other)) * self.least(&sources, cell, other));
                f64::from(k) / low.max(1.0 / UNIT)
            }
        };
        let outward = Neighbours::new(&self.between, &sources, &self.cells, self.reach);
        let shares: Vec<f64> = every(sources.count()).map(|c| if sources.len(c) == 0 { 0.0 } else { share(c, &outward) }).collect();
        let inward = Neighbours::new(&self.between, &self.cells, &sources, self.reach);
        let limit = self.degree.map_or(1.0, f64::from);
        let most = |target: [u32; 3]| {
            let mut sum = 0.0;
            inward.each(target, |source, apart| {
                let chance = self.entry(apart).map_or(0.0, |e| f64::from(self.bound[e]) / UNIT);
                sum += f64::from(sources.len(source)) * (chance * shares[number(sources.count(), source)]).min(limit);
            });
            sum
        };
        every(self.cells.count()).filter(|c| self.cells.len(*c) > 0).map(most).fold(0.0, f64::max)
    }

    /// The least of the kernel between a cell of sources and one of targets.
    fn least(&self, sources: &Cells, from: [u32; 3], to: [u32; 3]) -> f64 {
        let far = self.combine(std::array::from_fn(|a| sources.farthest(&self.between, a, from[a], &self.cells, to[a])));
        let near = self.combine(std::array::from_fn(|a| sources.apart(&self.between, a, from[a], &self.cells, to[a])));
        if far > self.reach * self.reach {
            return 0.0;
        }
        let (a, b) = (index(near), index(far));
        self.chance.values[a..=b].iter().copied().min().map_or(0.0, |c| f64::from(c) / UNIT)
    }
}

/// Every cell.
fn every([x, y, z]: [u32; 3]) -> impl Iterator<Item = [u32; 3]> {
    (0..z).flat_map(move |z| (0..y).flat_map(move |y| (0..x).map(move |x| [x, y, z])))
}

fn number([x, y, _]: [u32; 3], cell: [u32; 3]) -> usize {
    ((cell[2] * y + cell[1]) * x + cell[0]) as usize
}

/// For each cell of one kind, along each axis, the cells of another kind that are within reach.
struct Neighbours([Vec<Vec<Near>>; 3]);

impl Neighbours {
    fn new(between: &Between, of: &Cells, among: &Cells, reach: u32) -> Self {
        Self(std::array::from_fn(|axis| {
            let near = |cell| {
                let apart = |other| Near { cell: other, apart: of.apart(between, axis, cell, among, other) };
                (0..among.count()[axis]).map(apart).filter(|n| n.apart <= reach).collect()
            };
            (0..of.count()[axis]).map(near).collect()
        }))
    }

    fn each(&self, cell: [u32; 3], mut each: impl FnMut([u32; 3], [u32; 3])) {
        let [along, across, up] = [0, 1, 2].map(|a| &self.0[a][cell[a] as usize]);
        for z in up {
            for y in across {
                along.iter().for_each(|x| each([x.cell, y.cell, z.cell], [x.apart, y.apart, z.apart]));
            }
        }
    }
}
