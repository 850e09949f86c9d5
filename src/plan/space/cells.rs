//! The targets of a projection sorted into cells of the sheet, so that a source looks only at those near it. Knows no kernel.

use std::ops::Range;

use super::Between;
use super::sheet::Places;
use crate::network::Which;

/// Cells along three axes; targets in each.
pub struct Cells {
    axes: [Axis; 3],
    content: Content,
}

/// Least and largest coordinate of each cell along an axis.
struct Axis {
    low: Vec<u32>,
    high: Vec<u32>,
}

enum Content {
    /// Blocks of a grid, whose targets are numbered as the grid is.
    Grid { n: [u32; 3], block: [u32; 3], at: [Vec<u32>; 3] },
    /// Targets and their places in order of cells.
    Listed { starts: Vec<u32>, targets: Vec<u32>, places: Vec<[u32; 3]> },
}

/// A cell's place along one axis, and how far it is from a source.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    pub cell: u32,
    pub apart: u32,
}

/// Targets on a line of a grid along its first axis: the first of them, and how far the line is from a place, along the second and
/// the third axis.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub first: u32,
    pub across: u32,
    pub up: u32,
}

/// The first axis of a grid: coordinates, and how many are in a cell.
pub struct Along<'a> {
    pub at: &'a [u32],
    pub block: u32,
}

/// Cells from a source to the reach, along an axis.
const ACROSS: u32 = 8;
/// Cells along an axis, at most.
const MOST: u32 = 1024;

impl Cells {
    pub fn new(between: &Between, reach: u32) -> Self {
        let width = (reach / ACROSS).max(1);
        let whole = between.targets == Which::Range { start: 0, len: between.targets.len() };
        match &between.to.places {
            Places::Grid(axes) if whole && axes.iter().map(|a| a.len() as u64).product::<u64>() == u64::from(between.targets.len()) => {
                Self::grid(axes, width)
            }
            _ => Self::listed(between, width),
        }
    }

    fn grid(axes: &[Vec<u32>; 3], width: u32) -> Self {
        let n = std::array::from_fn(|a| axes[a].len() as u32);
        let block: [u32; 3] = std::array::from_fn(|a| {
            let (first, last) = (axes[a].first().copied().unwrap_or(0), axes[a].last().copied().unwrap_or(0));
            let spacing = f64::from(last - first) / f64::from(n[a].saturating_sub(1).max(1));
            let few = n[a].div_ceil(MOST);
            (libm::rint(f64::from(width) / spacing.max(1e-9)).max(1.0) as u32).max(few).min(n[a].max(1))
        });
        let ends = std::array::from_fn(|a| Axis {
            low: axes[a].chunks(block[a] as usize).map(|c| c[0]).collect(),
            high: axes[a].chunks(block[a] as usize).map(|c| c[c.len() - 1]).collect(),
        });
        Self { axes: ends, content: Content::Grid { n, block, at: axes.clone() } }
    }

    fn listed(between: &Between, width: u32) -> Self {
        let extent = between.to.high;
        let mut width: [u32; 3] = std::array::from_fn(|a| width.max((extent[a] + 1).div_ceil(MOST)));
        let number = |width: [u32; 3]| (0..3).map(|a| u64::from(extent[a] / width[a] + 1)).product::<u64>();
        while number(width) > u64::from(between.targets.len()).max(64) {
            width = width.map(|w| w * 2);
        }
        let count: [u32; 3] = std::array::from_fn(|a| extent[a] / width[a] + 1);
        let all = count.iter().map(|c| *c as usize).product::<usize>();
        let cell = |p: [u32; 3]| {
            let c: [u32; 3] = std::array::from_fn(|a| p[a] / width[a]);
            ((c[2] * count[1] + c[1]) * count[0] + c[0]) as usize
        };
        let mut starts = vec![0u32; all + 1];
        (0..between.targets.len()).for_each(|t| starts[cell(between.target(t)) + 1] += 1);
        (1..starts.len()).for_each(|c| starts[c] += starts[c - 1]);
        let mut at = starts.clone();
        let (mut targets, mut places) = (vec![0; between.targets.len() as usize], vec![[0; 3]; between.targets.len() as usize]);
        for t in 0..between.targets.len() {
            let place = between.target(t);
            let k = &mut at[cell(place)];
            targets[*k as usize] = t;
            places[*k as usize] = place;
            *k += 1;
        }
        let axes = std::array::from_fn(|a| Axis {
            low: (0..count[a]).map(|c| c * width[a]).collect(),
            high: (0..count[a]).map(|c| ((c + 1) * width[a] - 1).min(extent[a])).collect(),
        });
        Self { axes, content: Content::Listed { starts, targets, places } }
    }

    /// Number of cells along each axis.
    pub fn count(&self) -> [u32; 3] {
        std::array::from_fn(|a| self.axes[a].low.len() as u32)
    }

    /// The cells along an axis that hold points within `reach` of coordinate `x`, in order.
    pub fn near(&self, between: &Between, axis: usize, x: u32, reach: u32, out: &mut Vec<Near>) {
        out.clear();
        let Axis { low, high } = &self.axes[axis];
        for (cell, (low, high)) in low.iter().zip(high).enumerate() {
            let inside = (*low..=*high).contains(&x);
            let apart = if inside { 0 } else { between.apart(axis, x, *low).min(between.apart(axis, x, *high)) };
            if apart <= reach {
                out.push(Near { cell: cell as u32, apart });
            }
        }
    }

    /// How far two intervals of cells, here and of other cells on the same sheet, are apart along an axis.
    pub fn apart(&self, between: &Between, axis: usize, cell: u32, other: &Cells, with: u32) -> u32 {
        let (a, b) = (&self.axes[axis], &other.axes[axis]);
        let (c, w) = (cell as usize, with as usize);
        let apart = |x: u32, y: u32| between.apart(axis, x, y);
        if a.low[c] <= b.high[w] && b.low[w] <= a.high[c] {
            return 0;
        }
        [apart(a.low[c], b.low[w]), apart(a.low[c], b.high[w]), apart(a.high[c], b.low[w]), apart(a.high[c], b.high[w])]
            .into_iter()
            .fold(u32::MAX, u32::min)
    }

    /// How far points of two such intervals can be apart, at most.
    pub fn farthest(&self, between: &Between, axis: usize, cell: u32, other: &Cells, with: u32) -> u32 {
        let interval = |cells: &Cells, c: u32| (cells.axes[axis].low[c as usize], cells.axes[axis].high[c as usize]);
        let ((a, b), (x, y)) = (interval(self, cell), interval(other, with));
        let middles = between.apart(axis, (a + b) / 2, (x + y) / 2);
        (middles + (b - a).div_ceil(2) + (y - x).div_ceil(2) + 1).min(between.side(axis))
    }

    /// Targets in a cell.
    #[inline(always)]
    pub fn len(&self, cell: [u32; 3]) -> u32 {
        match &self.content {
            Content::Grid { n, block, .. } => (0..3).map(|a| block[a].min(n[a] - cell[a] * block[a])).product(),
            Content::Listed { starts, .. } => {
                let c = self.number(cell);
                starts[c + 1] - starts[c]
            }
        }
    }

    /// The `j`-th target of a cell, and its place. On a grid they are counted along the second axis first, then the third.
    #[inline(always)]
    pub fn target(&self, cell: [u32; 3], j: u32) -> (u32, [u32; 3]) {
        match &self.content {
            Content::Grid { n, block, at } => {
                let first: [u32; 3] = std::array::from_fn(|a| cell[a] * block[a]);
                let [tall, deep] = [1, 2].map(|a| block[a].min(n[a] - first[a]));
                let (column, line) = (j / (tall * deep), j % (tall * deep));
                let i = [first[0] + column, first[1] + line % tall, first[2] + line / tall];
                ((i[2] * n[1] + i[1]) * n[0] + i[0], std::array::from_fn(|a| at[a][i[a] as usize]))
            }
            Content::Listed { starts, targets, places } => {
                let k = (starts[self.number(cell)] + j) as usize;
                (targets[k], places[k])
            }
        }
    }

    /// Least and largest coordinates of the cells along an axis, for an engine that draws elsewhere.
    pub fn axis(&self, axis: usize) -> [&[u32]; 2] {
        [&self.axes[axis].low, &self.axes[axis].high]
    }

    /// Targets of the grid and of a cell along each axis; or else where the targets of each cell begin, and the targets: for an
    /// engine that draws elsewhere.
    pub fn content(&self) -> Result<[[u32; 3]; 2], [&[u32]; 2]> {
        match &self.content {
            Content::Grid { n, block, .. } => Ok([*n, *block]),
            Content::Listed { starts, targets, .. } => Err([starts, targets]),
        }
    }

    /// The first axis, if targets lie on a grid.
    pub fn along(&self) -> Option<Along<'_>> {
        let Content::Grid { block, at, .. } = &self.content else { return None };
        Some(Along { at: &at[0], block: block[0] })
    }

    /// The lines of a strip of cells, in the order in which targets are counted, if these lie on a grid.
    #[inline(always)]
    pub fn lines(&self, between: &Between, [y, z]: [u32; 2], place: [u32; 3], mut each: impl FnMut(Line)) {
        let Content::Grid { n, block, at } = &self.content else { return };
        let range = |a: usize, cell: u32| cell * block[a]..((cell + 1) * block[a]).min(n[a]);
        for k in range(2, z) {
            let up = between.apart(2, place[2], at[2][k as usize]);
            for j in range(1, y) {
                each(Line { first: (k * n[1] + j) * n[0], across: between.apart(1, place[1], at[1][j as usize]), up });
            }
        }
    }

    /// A range that holds all targets of a strip of cells, if there is one that is known to.
    #[inline(always)]
    pub fn strip(&self, [y, z]: [u32; 2]) -> Option<Range<u32>> {
        let Content::Grid { n, block, .. } = &self.content else { return None };
        let last = |a: usize, cell: u32| ((cell + 1) * block[a]).min(n[a]) - 1;
        Some((z * block[2] * n[1] + y * block[1]) * n[0]..(last(2, z) * n[1] + last(1, y) + 1) * n[0])
    }

    #[inline(always)]
    fn number(&self, cell: [u32; 3]) -> usize {
        let count = self.count();
        ((cell[2] * count[1] + cell[1]) * count[0] + cell[0]) as usize
    }

    pub fn bytes(&self) -> u64 {
        match &self.content {
            Content::Grid { at, .. } => at.iter().map(|a| a.len() as u64 * 4).sum(),
            Content::Listed { starts, targets, .. } => (starts.len() * 4 + targets.len() * 16) as u64,
        }
    }
}
