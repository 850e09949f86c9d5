//! Where neurons are drawn: their positions, or, in a scene that gives none, squares in the order of their numbers. Knows no camera.

use std::collections::BTreeSet;

use crate::session::live::About;

#[derive(Debug, Default)]
pub struct Places {
    /// Of every neuron; none if it is hidden, or has no position and others have one. Within -1 to 1 along the longest side.
    pub at: Vec<Option<[f32; 3]>>,
    /// Of every neuron.
    pub population: Vec<u16>,
    /// The farthest of them from the middle, across and up.
    pub reach: [f32; 2],
    pub flat: bool,
    pub told: String,
}

impl Places {
    pub fn new(about: &About, hidden: &BTreeSet<u16>) -> Self {
        let population = about.ranges().iter().enumerate().flat_map(|(p, r)| std::iter::repeat_n(p as u16, r.1 as usize)).collect();
        let placed = about.sheets.iter().any(Option::is_some);
        let (raw, told) = if placed { (positions(about), extent(about)) } else { (squares(about), "no positions: by number".into()) };
        let mut raw = raw;
        for (_, (first, size)) in about.ranges().into_iter().enumerate().filter(|(p, _)| hidden.contains(&(*p as u16))) {
            raw[first as usize..(first + size) as usize].fill(None);
        }
        let mut ends = ([f32::MAX; 3], [f32::MIN; 3]);
        for p in raw.iter().flatten() {
            for (a, x) in p.iter().enumerate() {
                (ends.0[a], ends.1[a]) = (ends.0[a].min(*x), ends.1[a].max(*x));
            }
        }
        if raw.iter().all(Option::is_none) {
            ends = ([0.0; 3], [1.0; 3]);
        }
        let longest = (0..3).map(|a| ends.1[a] - ends.0[a]).fold(f32::MIN_POSITIVE, f32::max);
        let middle: [f32; 3] = std::array::from_fn(|a| (ends.0[a] + ends.1[a]) / 2.0);
        let scaled = |p: [f32; 3]| std::array::from_fn(|a| (p[a] - middle[a]) * 2.0 / longest);
        let flat = ends.1[2] - ends.0[2] <= 1e-3 * longest;
        let reach = std::array::from_fn(|a| ((ends.1[a] - ends.0[a]) / longest).max(0.02));
        Self { at: raw.into_iter().map(|p| p.map(scaled)).collect(), population, reach, flat, told }
    }
}

fn positions(about: &About) -> Vec<Option<[f32; 3]>> {
    let of = |(sheet, range): (&Option<_>, &(u32, u32))| -> Vec<Option<[f32; 3]>> {
        let sheet: Option<&std::sync::Arc<crate::plan::Sheet>> = sheet.as_ref();
        // A line of neurons is drawn as one.
        (0..range.1).map(|i| sheet.map(|s| s.position(i).map(|x| x as f32))).collect()
    };
    about.sheets.iter().zip(&about.ranges()).flat_map(of).collect()
}

fn extent(about: &About) -> String {
    let with: Vec<String> = about
        .network
        .populations
        .iter()
        .filter_map(|p| {
            let positions = p.positions.as_ref()?;
            let sides: Vec<String> = positions.extent[..positions.dimensions].iter().map(|e| format!("{e}")).collect();
            Some(format!("{}: {} um{}", p.name, sides.join(" x "), if positions.periodic { ", periodic" } else { "" }))
        })
        .collect();
    with.join("; ")
}

/// Each population a square, all of one grain, side by side.
fn squares(about: &About) -> Vec<Option<[f32; 3]>> {
    let mut left = 0.0;
    let mut out = Vec::new();
    for (_, size) in about.ranges() {
        let side = libm::ceil(libm::sqrt(f64::from(size))) as u32;
        // Small ones stand in the middle of the height of the largest.
        let place = |i: u32| [left + (i % side.max(1)) as f32, (i / side.max(1)) as f32 - side as f32 / 2.0, 0.0];
        out.extend((0..size).map(|i| Some(place(i))));
        left += side as f32 + (side as f32 * 0.06).max(1.0);
    }
    out
}
