//! Which neurons a raster shows, and at what height: bands by population. Knows no pixel and no time.

use crate::plan::Spike;

/// Share of the height that the smallest population gets at least.
const LEAST: f32 = 0.04;
/// Gap between two bands, as a share of the height.
const GAP: f32 = 0.006;

/// Which neurons of each population are shown, and in which order.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Choice {
    #[default]
    All,
    /// Every k-th.
    Every(u32),
    /// So many of each population, drawn once.
    Random(u32),
    /// All, the busiest of the visible time on top.
    ByRate,
    /// All, by their positions: along the last axis first, as pictures are read.
    ByPlace,
    /// These, numbered over the whole network.
    Selected(Vec<u32>),
}

impl Choice {
    /// Those that menus offer; the numbers can be changed.
    pub fn usual(selected: Vec<u32>) -> [Choice; 6] {
        [Choice::All, Choice::ByRate, Choice::ByPlace, Choice::Every(10), Choice::Random(50), Choice::Selected(selected)]
    }

    pub fn name(&self) -> String {
        match self {
            Choice::All => "all neurons".into(),
            Choice::Every(1) => "every neuron".into(),
            Choice::Every(2) => "every 2nd neuron".into(),
            Choice::Every(3) => "every 3rd neuron".into(),
            Choice::Every(k) => format!("every {k}th neuron"),
            Choice::Random(n) => format!("{n} drawn from each population"),
            Choice::ByRate => "all, by rate".into(),
            Choice::ByPlace => "all, by position".into(),
            Choice::Selected(list) => format!("{} selected", list.len()),
        }
    }
}

/// One population's part of the raster. Heights go from 0 (top) to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    pub population: usize,
    pub top: f32,
    pub height: f32,
    /// Neurons of the whole network in the order in which they are shown.
    pub shown: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub bands: Vec<Band>,
    /// Height of each neuron's middle; below 0 if it is not shown.
    height: Vec<f32>,
}

impl Rows {
    /// `ranges` are first neuron and size of each population; `spikes` those of the visible time, for an order by rate; `place`
    /// tells positions, for an order by them.
    pub fn new<'a>(
        ranges: &[(u32, u32)],
        choice: &Choice,
        spikes: impl Iterator<Item = &'a Spike>,
        place: &dyn Fn(u32) -> Option<[f64; 3]>,
    ) -> Self {
        let total: u32 = ranges.iter().map(|r| r.1).sum();
        let mut counts = vec![0u32; if *choice == Choice::ByRate { total as usize } else { 0 }];
        if *choice == Choice::ByRate {
            spikes.for_each(|s| _ = counts.get_mut(s.neuron as usize).map(|c| *c += 1));
        }
        let mut bands: Vec<Band> = ranges
            .iter()
            .enumerate()
            .map(|(population, range)| Band { population, top: 0.0, height: 0.0, shown: chosen(*range, choice, &counts, place) })
            .filter(|band| !band.shown.is_empty())
            .collect();
        let shown: usize = bands.iter().map(|b| b.shown.len()).sum();
        let share = |b: &Band| (b.shown.len() as f32 / shown.max(1) as f32).max(LEAST);
        let all: f32 = bands.iter().map(share).sum::<f32>() + GAP * bands.len().saturating_sub(1) as f32;
        let (mut top, mut height) = (0.0, vec![-1.0; total as usize]);
        for band in &mut bands {
            (band.top, band.height) = (top, share(band) / all);
            top += band.height + GAP / all;
            for (i, neuron) in band.shown.iter().enumerate() {
                height[*neuron as usize] = band.top + (i as f32 + 0.5) / band.shown.len() as f32 * band.height;
            }
        }
        Self { bands, height }
    }

    /// Height of a neuron's middle, if it is shown.
    pub fn height(&self, neuron: u32) -> Option<f32> {
        self.height.get(neuron as usize).copied().filter(|h| *h >= 0.0)
    }

    /// Height of each neuron's middle; below 0 if it is not shown.
    pub fn heights(&self) -> &[f32] {
        &self.height
    }

    /// The band at a height.
    pub fn band(&self, height: f32) -> Option<&Band> {
        self.bands.iter().find(|b| (b.top..=b.top + b.height).contains(&height))
    }

    /// The neuron shown at a height, and its population.
    pub fn at(&self, height: f32) -> Option<(u32, usize)> {
        let band = self.bands.iter().find(|b| (b.top..b.top + b.height).contains(&height))?;
        let i = ((height - band.top) / band.height * band.shown.len() as f32) as usize;
        band.shown.get(i).map(|n| (*n, band.population))
    }

    /// Height of the row of one neuron, where it is least.
    pub fn finest(&self) -> f32 {
        self.bands.iter().map(|b| b.height / b.shown.len() as f32).fold(1.0, f32::min)
    }
}

fn chosen((first, size): (u32, u32), choice: &Choice, counts: &[u32], place: &dyn Fn(u32) -> Option<[f64; 3]>) -> Vec<u32> {
    let all = first..first + size;
    match choice {
        Choice::All => all.collect(),
        Choice::Every(k) => all.step_by((*k).max(1) as usize).collect(),
        Choice::Selected(list) => {
            let mut list: Vec<u32> = list.iter().copied().filter(|n| all.contains(n)).collect();
            list.sort_unstable();
            list
        }
        Choice::ByRate => {
            let mut list: Vec<u32> = all.collect();
            list.sort_by_key(|n| std::cmp::Reverse(counts.get(*n as usize).copied().unwrap_or(0)));
            list
        }
        Choice::ByPlace => {
            let mut list: Vec<([f64; 3], u32)> = all.map(|n| (place(n).map_or([0.0; 3], |[x, y, z]| [z, y, x]), n)).collect();
            list.sort_by(|(a, _), (b, _)| {
                a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
            });
            list.into_iter().map(|(_, n)| n).collect()
        }
        // A step that has no divisor in common with the size walks over all neurons in a scattered order.
        Choice::Random(n) => {
            let step = (size as f64 * 0.618_034) as u64 | 1;
            let step = (step..).find(|s| gcd(*s, u64::from(size)) == 1).unwrap_or(1);
            let mut list: Vec<u32> = (0..u64::from((*n).min(size))).map(|i| first + (i * step % u64::from(size)) as u32).collect();
            list.sort_unstable();
            list
        }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shown_neuron_is_found_where_it_is_drawn() {
        let ranges = [(0, 1000), (1000, 10), (1010, 250)];
        for choice in [Choice::All, Choice::Every(7), Choice::Random(9), Choice::Selected(vec![3, 1005, 1200, 9999])] {
            let rows = Rows::new(&ranges, &choice, std::iter::empty(), &|_| None);
            let shown: Vec<u32> = rows.bands.iter().flat_map(|b| b.shown.clone()).collect();
            assert!(!shown.is_empty() && rows.bands.iter().all(|b| b.top + b.height <= 1.0001));
            for n in &shown {
                assert_eq!(rows.height(*n).and_then(|h| rows.at(h)).map(|f| f.0), Some(*n), "{choice:?}");
            }
            assert_eq!((0..1260).filter(|n| rows.height(*n).is_some()).count(), shown.len());
        }
        assert_eq!(Rows::new(&ranges, &Choice::Random(5), std::iter::empty(), &|_| None).bands[1].shown.len(), 5);
    }

    #[test]
    fn by_rate_the_busiest_is_on_top() {
        let spikes: Vec<Spike> = [4, 4, 4, 2, 2, 0].iter().map(|n| Spike { step: 1, neuron: *n }).collect();
        let rows = Rows::new(&[(0, 5)], &Choice::ByRate, spikes.iter(), &|_| None);
        assert_eq!(rows.bands[0].shown, [4, 2, 0, 1, 3]);
    }

    #[test]
    fn by_place_rows_are_read_like_a_page() {
        let place = |n: u32| Some([f64::from(n * 7 % 5), f64::from(n % 2), 0.0]);
        let rows = Rows::new(&[(0, 5)], &Choice::ByPlace, std::iter::empty(), &place);
        assert_eq!(rows.bands[0].shown, [0, 4, 2, 3, 1]);
    }
}
