//! What the device needs to know of space: places, tables over the square of the distance, cells. Their layout in `wires` is
//! declared here alone. Knows no random number.
//!
//! A part has 6 words: which (0 a range, 1 a list), its first neuron or the list, how places are kept (0 a grid, 1 a list), places
//! along the first two axes, where they are: coordinates along each axis, or three for every neuron.
//! A space has 15: how far round it is along each axis (3), sources (6), targets (6).
//! A table has its number of entries, then these.
//! Rows by distance have 20: the space, cells along each axis (3), their least coordinates, then the largest, along each axis (3),
//! reach, whether it is that of the largest difference of a coordinate, tables of the bounds' hazards, of the kernel's, and of the
//! kernel, the law of points, how targets are kept in cells (0 a grid, 1 lists), targets of the grid and of a cell along each axis
//! (6), or where the targets of each cell begin, and these.

use super::wires::Wires;
use crate::network::Which;
use crate::plan::{Between, DistanceRows, Places, Sheet};

impl Wires {
    /// Where the words of rows by distance are.
    pub fn rows(&mut self, rows: &DistanceRows) -> u32 {
        let cells = rows.cells();
        let count = cells.count();
        let mut words = vec![self.space(&rows.between), count[0], count[1], count[2]];
        words.extend((0..3).map(|axis| self.shared(cells.axis(axis).concat())));
        let (reach, square) = rows.reach();
        words.extend([reach, u32::from(square)]);
        words.extend(rows.tables().map(|table| self.table(table.into_iter())));
        words.push(self.shared(rows.law().table().to_vec()));
        match cells.content() {
            Ok([n, block]) => words.extend([0, n[0], n[1], n[2], block[0], block[1], block[2]]),
            Err([starts, targets]) => {
                let (starts, targets) = (self.shared(starts.to_vec()), self.shared(targets.to_vec()));
                words.extend([1, starts, targets, 0, 0, 0, 0]);
            }
        }
        self.append(&words)
    }

    /// Where the words of a space are.
    pub fn space(&mut self, between: &Between) -> u32 {
        let (from, to) = (self.part(&between.from, &between.sources), self.part(&between.to, &between.targets));
        self.shared([&between.wrap[..], &from, &to].concat())
    }

    /// A table over the square of a distance.
    pub fn table(&mut self, values: impl Iterator<Item = u32>) -> u32 {
        let mut words = vec![0];
        words.extend(values);
        words[0] = words.len() as u32 - 1;
        self.shared(words)
    }

    fn part(&mut self, sheet: &Sheet, which: &Which) -> [u32; 6] {
        let (mode, first) = match which {
            Which::Range { start, .. } => (0, *start),
            Which::List(list) => (1, self.shared(list.to_vec())),
        };
        let (listed, [wide, tall], words) = match &sheet.places {
            Places::Grid(axes) => (0, [axes[0].len() as u32, axes[1].len() as u32], axes.concat()),
            Places::Listed(all) => (1, [0; 2], all.concat()),
        };
        [mode, first, listed, wide, tall, self.shared(words)]
    }
}
