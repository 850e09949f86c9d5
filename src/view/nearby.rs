//! Who is drawn near a place, found without looking at everybody. Knows no camera.

use eframe::egui::{Pos2, Rect};

/// Side of a square of the index, in points.
const SIDE: f32 = 16.0;

/// The neurons that are drawn within a rectangle, by squares.
#[derive(Debug, Default)]
pub struct Nearby {
    left_top: Pos2,
    across: usize,
    down: usize,
    /// Where the neurons of each square begin in `neurons`; one more than there are squares.
    starts: Vec<u32>,
    neurons: Vec<u32>,
}

impl Nearby {
    /// `shown` has the place of each neuron, and how near it is to the eye.
    pub fn new(rect: Rect, shown: &[(Pos2, f32)]) -> Self {
        let squares = |x: f32| ((x / SIDE).ceil().max(1.0)) as usize;
        let (across, down) = (squares(rect.width()), squares(rect.height()));
        let mut out = Self { left_top: rect.min, across, down, starts: vec![0; across * down + 1], neurons: Vec::new() };
        let of = |p: &Pos2| rect.contains(*p).then(|| out.square(*p));
        let squares: Vec<Option<usize>> = shown.iter().map(|s| of(&s.0)).collect();
        squares.iter().flatten().for_each(|s| out.starts[s + 1] += 1);
        (1..out.starts.len()).for_each(|s| out.starts[s] += out.starts[s - 1]);
        let mut next = out.starts.clone();
        out.neurons.resize(next.last().map_or(0, |n| *n as usize), 0);
        for (n, square) in squares.iter().enumerate().filter_map(|(n, s)| Some((n, (*s)?))) {
            out.neurons[next[square] as usize] = n as u32;
            next[square] += 1;
        }
        out
    }

    fn square(&self, p: Pos2) -> usize {
        let at = |x: f32, count: usize| ((x / SIDE).max(0.0) as usize).min(count.saturating_sub(1));
        at(p.y - self.left_top.y, self.down) * self.across + at(p.x - self.left_top.x, self.across)
    }

    /// The neurons within a reach, and some others.
    pub fn within(&self, at: Pos2, reach: f32) -> impl Iterator<Item = u32> + '_ {
        let (low, high) = (self.square(at - eframe::egui::Vec2::splat(reach)), self.square(at + eframe::egui::Vec2::splat(reach)));
        let across = self.across.max(1);
        let rows = (low / across..=high / across).map(move |row| (row * across + low % across, row * across + high % across));
        let list = |(a, b): (usize, usize)| {
            let ends = self.starts.get(a).zip(self.starts.get(b + 1));
            ends.and_then(|(a, b)| self.neurons.get(*a as usize..*b as usize)).unwrap_or_default()
        };
        rows.flat_map(list).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::{pos2, vec2};

    #[test]
    fn everybody_within_reach_is_found_and_nobody_twice() {
        let rect = Rect::from_min_size(pos2(5.0, 7.0), vec2(301.0, 199.0));
        let place = |n: u32| pos2(5.0 + (n * 7919 % 3400) as f32 * 0.1, 7.0 + (n * 104_729 % 2100) as f32 * 0.1);
        let shown: Vec<(Pos2, f32)> = (0..5000).map(|n| (if n == 17 { pos2(f32::NAN, 0.0) } else { place(n) }, 1.0)).collect();
        let nearby = Nearby::new(rect, &shown);
        for (at, reach) in [(pos2(100.0, 100.0), 12.0), (pos2(5.0, 7.0), 40.0), (pos2(320.0, 210.0), 25.0), (pos2(-50.0, 90.0), 60.0)] {
            let close = |n: &u32| rect.contains(shown[*n as usize].0) && (shown[*n as usize].0 - at).length() <= reach;
            let mut found: Vec<u32> = nearby.within(at, reach).filter(close).collect();
            found.sort_unstable();
            assert_eq!(found, (0..5000).filter(close).collect::<Vec<u32>>(), "{at:?} {reach}");
        }
        assert_eq!(Nearby::default().within(pos2(1.0, 1.0), 5.0).count(), 0);
    }
}
