//! Rows by probability, strip by strip: first the candidates that pass the bounds of their cells, one after another, then those of
//! them that are kept, each by itself. Knows no degree.

use std::ops::Range;

use super::{EACH, Rows, Scratch};
use crate::base::rng::Stream;
use crate::plan::space::{Near, index};

/// The `j`-th target of a cell, kept if its word, as a share of `limit`, is below the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Candidate {
    cell: u32,
    j: u32,
    word: u32,
    limit: u32,
}

/// A target, and the entry of tables over the square of its distance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept {
    pub target: u32,
    pub entry: u32,
}

impl Rows {
    /// Calls `each(strip, kept)` for the strips of a row that are wanted, by their number and targets.
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
        let Scratch { near, lines, words, candidates, kept, .. } = scratch;
        self.near(place, near);
        let [along, across, up] = &*near;
        for z in up {
            for y in across {
                let strip = z.cell * self.cells.count()[1] + y.cell;
                if self.entry([0, y.apart, z.apart]).is_none() || !wanted(strip, self.cells.strip([y.cell, z.cell])) {
                    continue;
                }
                let mut words = Words { stream, counter: [source, 0, strip, 0], words };
                let apart = [y.apart, z.apart];
                let count = match self.cells.lines(&self.between, [y.cell, z.cell], place, lines) {
                    Some(grid) => {
                        let bits = grid.block.trailing_zeros();
                        let wide = |cell: u32| grid.block.min(grid.at.len() as u32 - cell * grid.block);
                        self.candidates_of(&mut words, along, apart, |cell| wide(cell) * lines.len() as u32, candidates);
                        self.keep(candidates, own, kept, |cell, j| {
                            let wide = wide(cell);
                            // Cells are whole but for the last one, and a power of two wide.
                            let (row, column) = if wide == grid.block { (j >> bits, j & (wide - 1)) } else { (j / wide, j % wide) };
                            let (line, x) = (lines[row as usize], cell * grid.block + column);
                            (line.first + x, [self.between.apart(0, place[0], grid.at[x as usize]), line.across, line.up])
                        })
                    }
                    None => {
                        self.candidates_of(&mut words, along, apart, |cell| self.cells.len([cell, y.cell, z.cell]), candidates);
                        self.keep(candidates, own, kept, |cell, j| {
                            let (target, at) = self.cells.target([cell, y.cell, z.cell], j);
                            (target, std::array::from_fn(|a| self.between.apart(a, place[a], at[a])))
                        })
                    }
                };
                each(strip, &kept[..count]);
            }
        }
    }

    /// The candidates of a strip; `count` tells the targets of a cell.
    #[inline(always)]
    fn candidates_of(&self, words: &mut Words, along: &[Near], [y, z]: [u32; 2], count: impl Fn(u32) -> u32, out: &mut Vec<Candidate>) {
        out.clear();
        words.words.clear();
        let mut at = 0u32;
        let mut budget = self.budget.draw(words.word(at));
        for x in along {
            let Some(bound) = self.entry([x.apart, y, z]) else { continue };
            let (hazard, count) = (self.hazard[bound], count(x.cell));
            if hazard == EACH {
                for j in 0..count {
                    at += 1;
                    out.push(Candidate { cell: x.cell, j, word: words.word(at), limit: u32::MAX });
                }
                continue;
            }
            let (limit, inverse) = (self.passed[bound], self.inverse[bound]);
            let mut left = count;
            loop {
                let all = u64::from(left) * u64::from(hazard);
                if u64::from(budget) >= all {
                    budget -= all as u32;
                    break;
                }
                // The quotient of the two, which the inverse gives or falls short of by one.
                let near = ((u64::from(budget) * u64::from(inverse)) >> 32) as u32;
                left -= near + u32::from(budget - near * hazard >= hazard);
                out.push(Candidate { cell: x.cell, j: count - left, word: words.word(at + 1), limit });
                left -= 1;
                at += 2;
                budget = self.budget.draw(words.word(at));
            }
        }
    }

    /// How many of the candidates are kept, at the beginning of `out`; `locate` tells which target the j-th of a cell is, and how
    /// far it is along each axis. Without a branch: which are kept is chance.
    #[inline(always)]
    fn keep(&self, candidates: &[Candidate], own: Option<u32>, out: &mut Vec<Kept>, locate: impl Fn(u32, u32) -> (u32, [u32; 3])) -> usize {
        if out.len() < candidates.len() {
            out.resize(candidates.len(), Kept::default());
        }
        let (reach, own) = (self.reach * self.reach, own.unwrap_or(u32::MAX));
        let mut count = 0;
        for c in candidates {
            let (target, apart) = locate(c.cell, c.j);
            let word = ((u64::from(c.word) * u64::from(c.limit)) >> 32) as u32;
            let [x, y, z] = apart.map(|a| a * a);
            let square = x + y + z;
            let entry = index(square);
            let (kernel, at) = if self.square { (x.max(y).max(z), index(x.max(y).max(z))) } else { (square, entry) };
            let chance = self.chance.values[at.min(self.chance.values.len() - 1)];
            out[count] = Kept { target, entry: entry as u32 };
            count += usize::from((kernel <= reach) & (word < chance) & (target != own));
        }
        count
    }
}

/// The words of a strip: word w is lane w%4 of counter [source, w/4, strip, 0].
struct Words<'a> {
    stream: &'a Stream,
    counter: [u32; 4],
    words: &'a mut Vec<u32>,
}

impl Words<'_> {
    #[inline(always)]
    fn word(&mut self, at: u32) -> u32 {
        if at as usize >= self.words.len() {
            self.more();
        }
        self.words[at as usize]
    }

    fn more(&mut self) {
        self.words.extend_from_slice(&self.stream.many(self.counter));
        self.counter[1] += 16;
    }
}
