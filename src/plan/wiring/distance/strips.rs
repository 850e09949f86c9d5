//! Rows by probability, strip by strip. Knows no degree.
//!
//! Law of a strip: the targets of its cells, in order, take up a stretch of a line each, as long as the hazard of the bound of their
//! cell. Points fall on that line at exponential distances of mean one (`ONE` units). A target is reached if the first point in its
//! stretch lies in the part of it that its own hazard makes up, -ln(1 - p): that happens with probability p, independently for all.
//! Where the bound is large, each target takes a word instead.
//!
//! Words: distance n of strip s of source i is lane n%4 of counter [i, n/4, s, 0]; the n-th target with a word of its own takes lane
//! n%4 of counter [i, n/4, s, 1].

use std::ops::Range;

use super::{EACH, Rows, Scratch};
use crate::base::exponential::ONE;
use crate::base::rng::Stream;
use crate::plan::space::{Near, index};

/// A target, and the entry of tables over the square of its distance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept {
    pub target: u32,
    pub entry: u32,
}

/// A target that is kept if a word is below an entry of the table of limits and chances.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried {
    kept: Kept,
    word: u32,
    at: u32,
}

/// A target and how far it is: the square of the distance, and that of the largest difference of a coordinate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    target: u32,
    sum: u32,
    most: u32,
}

/// A cell of a strip: its number along the first axis and its targets, the place of the first of them in `squares`, the hazard of
/// each and its reciprocal, and where the cell ends on the line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cell {
    x: u32,
    count: u32,
    first: u32,
    hazard: u32,
    inverse: u64,
    end: u64,
}

/// Lines of less than so much take few words.
const FEW: u64 = 40 * ONE as u64;

impl Rows {
    /// Calls `each(strip, kept)` for the strips of a row that are wanted, by their number and their targets.
    #[inline(always)]
    pub(super) fn strips(
        &self,
        stream: &Stream,
        source: u32,
        own: Option<u32>,
        scratch: &mut Scratch,
        wanted: impl Fn(u32, Option<Range<u32>>) -> bool,
        mut each: impl FnMut(u32, &[Kept]),
    ) {
        let place = self.between.source(source);
        let own = own.unwrap_or(u32::MAX);
        let Scratch { near, cells, lines, squares, points, tried, kept, .. } = scratch;
        self.near(place, near);
        squares.clear();
        let [along, across, up] = &*near;
        for z in up {
            for y in across {
                let strip = z.cell * self.cells.count()[1] + y.cell;
                if self.entry([0, y.apart, z.apart]).is_none() || !wanted(strip, self.cells.strip([y.cell, z.cell])) {
                    continue;
                }
                let line = self.lay(along, [y, z], cells);
                self.points(stream, [source, strip], line, points);
                let words = cells.iter().filter(|c| c.hazard == EACH).map(|c| c.count as usize).sum::<usize>();
                if kept.len() < points.len() + words {
                    tried.resize(points.len() + words, Tried::default());
                    kept.resize(points.len() + words, Kept::default());
                }
                let drawn = Drawn { stream, name: [source, strip], cells, points, own };
                let count = if let Some(grid) = self.cells.along() {
                    if squares.is_empty() {
                        for x in along {
                            let cell = (x.cell * grid.block) as usize..(((x.cell + 1) * grid.block) as usize).min(grid.at.len());
                            squares.extend(grid.at[cell].iter().map(|at| self.between.apart(0, place[0], *at)).map(|d| d * d));
                        }
                    }
                    lines.clear();
                    self.cells.lines(&self.between, [y.cell, z.cell], place, |line| {
                        let [y, z] = [line.across, line.up].map(|d| d * d);
                        lines.push(Place { target: line.first, sum: y + z, most: y.max(z) });
                    });
                    let (lines, squares) = (&lines[..], &squares[..]);
                    let (tall, block) = (lines.len() as u32, grid.block);
                    let per = (1u64 << 32) / u64::from(tall.max(1));
                    self.try_all(drawn, tried, |cell, j| {
                        // The quotient by the number of lines: its reciprocal falls short of it by one at most.
                        let short = ((u64::from(j) * per) >> 32) as u32;
                        let column = short + u32::from(j - short * tall >= tall);
                        let (line, square) = (lines[(j - column * tall) as usize], squares[(cell.first + column) as usize]);
                        Place { target: line.target + cell.x * block + column, sum: line.sum + square, most: line.most.max(square) }
                    })
                } else {
                    self.try_all(drawn, tried, |cell, j| {
                        let (target, at) = self.cells.target([cell.x, y.cell, z.cell], j);
                        let [x, y, z] = std::array::from_fn(|a| self.between.apart(a, place[a], at[a])).map(|d| d * d);
                        Place { target, sum: x + y + z, most: x.max(y).max(z) }
                    })
                };
                each(strip, self.keep(&tried[..count], kept));
            }
        }
    }

    /// The cells of a strip on their line, and how long it is.
    #[inline(always)]
    fn lay(&self, along: &[Near], [y, z]: [&Near; 2], cells: &mut Vec<Cell>) -> u64 {
        cells.clear();
        let (mut end, mut first) = (0, 0);
        let block = self.cells.along().map_or(0, |grid| grid.block);
        for x in along {
            if let Some(bound) = self.entry([x.apart, y.apart, z.apart]) {
                let ((inverse, hazard), count) = (self.hazard[bound], self.cells.len([x.cell, y.cell, z.cell]));
                end += if hazard == EACH { 0 } else { u64::from(hazard) * u64::from(count) };
                cells.push(Cell { x: x.cell, count, first, hazard, inverse, end });
            }
            first += block;
        }
        end
    }

    /// The points on a line that long, and at least one behind its end.
    #[inline(always)]
    fn points(&self, stream: &Stream, [source, strip]: [u32; 2], line: u64, points: &mut Vec<u64>) {
        points.clear();
        let (mut sum, mut block) = (0, 0);
        while sum < line {
            let counter = [source, block, strip, 0];
            // What is drawn beyond the end is wasted.
            if line - sum > FEW {
                sum = self.more(sum, &stream.many(counter), points);
                block += 16;
            } else {
                sum = self.more(sum, &stream.few(counter), points);
                block += 4;
            }
        }
        points.push(u64::MAX);
    }

    /// The points behind `sum` that these words make; gives the last.
    #[inline(always)]
    fn more(&self, mut sum: u64, words: &[u32], points: &mut Vec<u64>) -> u64 {
        let first = points.len();
        points.resize(first + words.len(), 0);
        for (point, word) in points[first..].iter_mut().zip(words) {
            sum += u64::from(self.law.draw(*word));
            *point = sum;
        }
        sum
    }

    /// The targets that are tried, in order, and their number; `locate` says where the j-th of a cell is.
    #[inline(always)]
    fn try_all(&self, drawn: Drawn, tried: &mut [Tried], locate: impl Fn(&Cell, u32) -> Place) -> usize {
        let Drawn { stream, name: [source, strip], cells, points, own } = drawn;
        let (reach, square, entries) = (self.reach * self.reach, self.square, self.limit.len());
        let one = |place: Place, word: u32, first: bool, table: usize| {
            let entry = index(place.sum);
            let (kernel, at) = if square { (place.most, index(place.most)) } else { (place.sum, entry) };
            let tried = first & (kernel <= reach) & (place.target != own);
            let kept = Kept { target: place.target, entry: entry as u32 };
            Tried { kept, word: if tried { word } else { u32::MAX }, at: (at.min(entries - 1) + table) as u32 }
        };
        let (mut count, mut k, mut start, mut word) = (0, 0, 0, 0);
        let mut words = [0; 64];
        for cell in cells.iter().copied() {
            if cell.hazard == EACH {
                for j in 0..cell.count {
                    if word % 64 == 0 {
                        words = stream.many([source, word / 4, strip, 1]);
                    }
                    tried[count] = one(locate(&cell, j), words[(word % 64) as usize], true, entries);
                    count += 1;
                    word += 1;
                }
                continue;
            }
            let hazard = u64::from(cell.hazard);
            let mut last = u32::MAX;
            while points[k] < cell.end {
                let into = points[k] - start;
                k += 1;
                // The quotient by the hazard: its reciprocal falls short of it by one at most.
                let short = ((u128::from(into) * u128::from(cell.inverse)) >> 64) as u64;
                let rest = into - short * hazard;
                let over = u64::from(rest >= hazard);
                let (j, rest) = ((short + over) as u32, (rest - over * hazard) as u32);
                tried[count] = one(locate(&cell, j), rest, j != last, 0);
                count += 1;
                last = j;
            }
            start = cell.end;
        }
        count
    }

    /// Those that are kept. In a loop of its own, so that many entries of the table are fetched at once, and without a branch: which
    /// are kept is chance.
    #[inline(always)]
    fn keep<'a>(&self, tried: &[Tried], kept: &'a mut [Kept]) -> &'a [Kept] {
        let (below, mut count) = (&self.below[..], 0);
        for t in tried {
            kept[count] = t.kept;
            count += usize::from(t.word < below[t.at as usize]);
        }
        &kept[..count]
    }
}

/// What a strip is drawn from: its cells, the points on their line, and the target that is left out.
struct Drawn<'a> {
    stream: &'a Stream,
    name: [u32; 2],
    cells: &'a [Cell],
    points: &'a [u64],
    own: u32,
}
