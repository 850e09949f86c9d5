//! Spikes per pixel: a grid of counts that is carried along as time goes on, so that a frame costs its new spikes and its
//! pixels, whatever the number of neurons. Knows no colour.

use std::collections::VecDeque;
use std::ops::Range;

use super::rows::Rows;
use crate::plan::Spike;
use crate::session::live::Frame;

/// Up to so many spikes in sight are also kept one by one, to be drawn as ticks.
pub const MOST_TICKS: usize = 20_000;

/// What is looked at: columns of `per` steps from column `first` (which begins after step `first * per`), and heights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    pub first: u64,
    pub per: u64,
    pub columns: usize,
    pub rows: usize,
    /// Heights of the upper and the lower edge.
    pub low: f32,
    pub high: f32,
}

impl Sight {
    /// Rows for one unit of height.
    pub fn rise(&self) -> f32 {
        self.rows as f32 / (self.high - self.low)
    }

    /// The row of a height, if it is in sight. A difference and a product, so that a device finds the same.
    pub fn row(&self, height: f32) -> Option<usize> {
        let row = (height - self.low) * self.rise();
        (0.0..self.rows as f32).contains(&row).then_some(row as usize)
    }

    fn end(&self) -> u64 {
        self.first + self.columns as u64
    }
}

/// How far counting has come: what the counts are of, and the step up to which spikes are in them.
#[derive(Debug, Default)]
pub struct Progress {
    sight: Option<Sight>,
    /// Network and rows.
    of: (u64, u64),
    filled: u64,
}

/// What a frame adds: spikes of the steps (from, to]. Before that all columns begin at zero if it is counted `afresh`, else those
/// of time that were not in sight.
pub struct Due {
    pub afresh: bool,
    pub stale: Range<u64>,
    pub from: u64,
    pub to: u64,
}

impl Progress {
    /// Goes on to a sight of a network and its rows at a step.
    pub fn next(&mut self, of: (u64, u64), sight: Sight, step: u64) -> Due {
        let kept = self.sight.filter(|s| self.of == of && Sight { first: sight.first, ..*s } == sight);
        let kept = kept.filter(|s| s.first <= sight.first && sight.first < s.end() && self.filled <= step);
        let (stale, from) = kept.map_or((0..0, 0), |old| (old.end()..sight.end(), self.filled.min(old.end() * sight.per)));
        let (from, to) = (from.max(sight.first * sight.per), step.min(sight.end() * sight.per));
        (self.sight, self.of, self.filled) = (Some(sight), of, to.max(from));
        Due { afresh: kept.is_none(), stale, from, to }
    }

    /// What the counts are of.
    pub fn sight(&self) -> Option<Sight> {
        self.sight
    }
}

#[derive(Debug, Default)]
pub struct Density {
    progress: Progress,
    /// Row by row; column k of time lies at k % columns.
    counts: Vec<u32>,
    /// Sum of the counts.
    total: u64,
    /// The spikes in sight, oldest first, if they are few.
    ticks: Option<VecDeque<Spike>>,
    /// Counts that were set to zero and counted again, for the tests of its cost.
    pub spikes_binned: u64,
}

impl Density {
    /// Brings the counts up to a frame. `version` names the rows: another one, and all is counted anew.
    pub fn update(&mut self, frame: &Frame, rows: &Rows, version: u64, sight: Sight) {
        if sight.columns == 0 || sight.rows == 0 {
            return;
        }
        let due = self.progress.next((frame.generation, version), sight, frame.step);
        if due.afresh {
            self.counts.clear();
            self.counts.resize(sight.columns * sight.rows, 0);
            (self.total, self.ticks) = (0, Some(VecDeque::new()));
        }
        for column in due.stale {
            self.clear(column as usize % sight.columns, sight);
        }
        if let Some(ticks) = &mut self.ticks {
            while ticks.front().is_some_and(|s| u64::from(s.step) <= sight.first * sight.per) {
                ticks.pop_front();
            }
        }
        let (from, to) = (due.from, due.to);
        for spike in frame.chunks(from, to).iter().flat_map(|c| c.within(from, to)) {
            if let Some(row) = rows.height(spike.neuron).and_then(|h| sight.row(h)) {
                let column = ((u64::from(spike.step) - 1) / sight.per) as usize % sight.columns;
                self.counts[row * sight.columns + column] += 1;
                self.total += 1;
                if let Some(ticks) = &mut self.ticks {
                    ticks.push_back(*spike);
                }
            }
            self.spikes_binned += 1;
        }
        self.few(frame, rows, sight);
    }

    /// Keeps the spikes in sight one by one while they are few. Some fewer are needed to begin again, so that it does not flutter.
    fn few(&mut self, frame: &Frame, rows: &Rows, sight: Sight) {
        match &self.ticks {
            Some(ticks) if ticks.len() > MOST_TICKS => self.ticks = None,
            None if self.total <= MOST_TICKS as u64 * 3 / 4 => {
                let (from, to) = (sight.first * sight.per, self.progress.filled);
                let all = frame.chunks(from, to).iter().flat_map(|c| c.within(from, to));
                let seen = all.filter(|s| rows.height(s.neuron).is_some_and(|h| sight.row(h).is_some()));
                self.ticks = Some(seen.copied().collect());
            }
            _ => {}
        }
    }

    /// The spikes in sight, oldest first, if they are few.
    pub fn ticks(&self) -> Option<&VecDeque<Spike>> {
        self.ticks.as_ref()
    }

    /// Spikes in sight.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// What the counts are of.
    pub fn sight(&self) -> Option<Sight> {
        self.progress.sight
    }

    fn clear(&mut self, column: usize, sight: Sight) {
        for count in self.counts.iter_mut().skip(column).step_by(sight.columns) {
            self.total -= u64::from(std::mem::take(count));
        }
    }

    /// The counts of a row, oldest column first.
    pub fn row(&self, row: usize) -> impl Iterator<Item = u32> + '_ {
        let (columns, first) = self.progress.sight.map_or((0, 0), |s| (s.columns, s.first as usize % s.columns.max(1)));
        let row = self.counts.get(row * columns..(row + 1) * columns).unwrap_or_default();
        let (a, b) = row.split_at(first.min(row.len()));
        b.iter().chain(a).copied()
    }

    /// Mean of the counts that are not zero.
    pub fn mean(&self) -> f32 {
        let (sum, count) = self.counts.iter().filter(|c| **c > 0).fold((0u64, 0u64), |(s, n), c| (s + u64::from(*c), n + 1));
        if count == 0 { 0.0 } else { sum as f32 / count as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Harvest;
    use crate::session::live::History;
    use crate::view::rows::Choice;
    use std::sync::Arc;

    /// A pseudo-random number below n.
    fn random(state: &mut u64, n: u64) -> u64 {
        *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (*state >> 33) % n
    }

    fn naive(all: &[Spike], rows: &Rows, sight: Sight, until: u64) -> Vec<Vec<u32>> {
        let mut out = vec![vec![0; sight.columns]; sight.rows];
        for s in all.iter().filter(|s| u64::from(s.step) <= until) {
            let column = (u64::from(s.step) - 1) / sight.per;
            let shown = (sight.first..sight.end()).contains(&column);
            if let Some(row) = rows.height(s.neuron).and_then(|h| sight.row(h)).filter(|_| shown) {
                out[row][(column - sight.first) as usize] += 1;
            }
        }
        out
    }

    #[test]
    fn density_equals_a_plain_binning_while_time_goes_on_and_the_sight_moves() {
        let (mut seed, mut history, mut all) = (7, History::default(), Vec::new());
        let ranges = [(0, 300), (300, 80)];
        let rows = [
            Rows::new(&ranges, &Choice::All, std::iter::empty(), &|_| None),
            Rows::new(&ranges, &Choice::Every(3), std::iter::empty(), &|_| None),
        ];
        let mut density = Density::default();
        let mut step = 0;
        for round in 0..120u64 {
            let steps = random(&mut seed, 60);
            let mut spikes: Vec<Spike> = (0..random(&mut seed, 200).min(steps * 50))
                .map(|_| Spike { step: (step + 1 + random(&mut seed, steps.max(1))) as u32, neuron: random(&mut seed, 380) as u32 })
                .collect();
            spikes.sort_unstable();
            all.extend_from_slice(&spikes);
            history.take(Harvest { from: step, to: step + steps, spikes, ..Harvest::default() }, &Arc::from([]), usize::MAX);
            step += steps;
            let frame = Frame { step, chunks: history.chunks(), generation: 1, ..Frame::default() };
            let (per, columns) = (1 + round / 50, 40);
            let follow = (step.div_ceil(per)).saturating_sub(columns as u64);
            let first = if round % 17 == 16 { follow / 2 } else { follow };
            let (low, high) = if round % 31 > 25 { (0.3, 0.6) } else { (0.0, 1.0) };
            let sight = Sight { first, per, columns, rows: 50, low, high };
            let rows_now = &rows[usize::from(round > 80)];
            density.update(&frame, rows_now, u64::from(round > 80), sight);
            let found: Vec<Vec<u32>> = (0..50).map(|r| density.row(r).collect()).collect();
            assert_eq!(found, naive(&all, rows_now, sight, step), "round {round}");
            let sum: u64 = found.iter().flatten().map(|c| u64::from(*c)).sum();
            assert_eq!((density.total(), density.ticks().map(|t| t.len() as u64)), (sum, Some(sum)), "round {round}");
        }
    }

    #[test]
    fn a_sight_that_follows_counts_every_spike_once() {
        let rows = Rows::new(&[(0, 10)], &Choice::All, std::iter::empty(), &|_| None);
        let (mut history, mut density) = (History::default(), Density::default());
        for k in 0..200u64 {
            let spikes = (0..10).map(|n| Spike { step: k as u32 * 10 + 5, neuron: n }).collect();
            history.take(Harvest { from: k * 10, to: k * 10 + 10, spikes, ..Harvest::default() }, &Arc::from([]), usize::MAX);
            let frame = Frame { step: k * 10 + 10, chunks: history.chunks(), generation: 1, ..Frame::default() };
            let first = (k * 10 + 10).saturating_sub(500);
            density.update(&frame, &rows, 0, Sight { first, per: 1, columns: 500, rows: 20, low: 0.0, high: 1.0 });
        }
        assert_eq!(density.spikes_binned, 2000);
    }
}
