//! The formulas of the metrics: statistics -> one number, not finite where there are too few spikes. Knows no name and no unit.

use std::f64::consts::TAU;

use super::counts::BIN;
use super::statistics::{Neuron, Statistics};

pub fn spikes(s: &Statistics, p: usize, _: u32) -> f64 {
    s.of(p).iter().map(|n| f64::from(n.spikes)).sum()
}

pub fn rate(s: &Statistics, p: usize, min: u32) -> f64 {
    spikes(s, p, min) / (s.of(p).len() as f64 * s.steps as f64 * s.dt)
}

pub fn cv_isi(s: &Statistics, p: usize, min: u32) -> f64 {
    let cv = |n: &Neuron| {
        let count = f64::from(n.intervals);
        let mean = n.sum / count;
        libm::sqrt((n.squares / count - mean * mean).max(0.0)) / mean
    };
    let enough = s.of(p).iter().filter(|n| n.spikes >= min && n.intervals >= 2);
    let (sum, count) = enough.fold((0.0, 0.0), |(sum, count), n| (sum + cv(n), count + 1.0));
    sum / count
}

pub fn synchrony(s: &Statistics, p: usize, _: u32) -> f64 {
    s.counts[p].fano()
}

pub fn lifetime(s: &Statistics, p: usize, _: u32) -> f64 {
    s.last[p] as f64 * s.dt
}

pub fn peak_frequency(s: &Statistics, p: usize, _: u32) -> f64 {
    let Some((power, n)) = s.counts[p].spectrum() else { return f64::NAN };
    let frequency = |k: usize| k as f64 / (n as f64 * BIN);
    let peak = (1..n / 2).filter(|k| (0.004..=0.5).contains(&frequency(*k))).max_by(|a, b| power[*a].total_cmp(&power[*b]));
    peak.map_or(f64::NAN, |k| {
        // The vertex of a parabola through the peak and its neighbours.
        let (l, m, r) = (power[k - 1], power[k], power.get(k + 1).copied().unwrap_or(0.0));
        let shift = if l + r < 2.0 * m { 0.5 * (l - r) / (l - 2.0 * m + r) } else { 0.0 };
        (k as f64 + shift) / (n as f64 * BIN)
    })
}

pub fn latency(s: &Statistics, p: usize, _: u32) -> f64 {
    let times = &s.times[p];
    if times.count == 0 { f64::NAN } else { (times.first - s.window.start) as f64 * s.dt }
}

pub fn spread(s: &Statistics, p: usize, _: u32) -> f64 {
    let times = &s.times[p];
    if times.count < 2 {
        return f64::NAN;
    }
    let n = times.count as f64;
    let mean = times.sum as f64 / n;
    libm::sqrt((times.squares as f64 / n - mean * mean).max(0.0)) * s.dt
}

pub fn active(s: &Statistics, p: usize, _: u32) -> f64 {
    s.of(p).iter().filter(|n| n.spikes > 0).count() as f64
}

pub fn centre(s: &Statistics, p: usize, min: u32) -> f64 {
    s.of(p).iter().enumerate().map(|(k, n)| k as f64 * f64::from(n.spikes)).sum::<f64>() / spikes(s, p, min)
}

/// Mean over spikes of the unit vectors of neurons on a ring.
fn ring(s: &Statistics, p: usize) -> [f64; 2] {
    let of = s.of(p);
    let angle = |k: usize| TAU * k as f64 / of.len() as f64;
    let add = |[x, y]: [f64; 2], (k, n): (usize, &Neuron)| {
        [x + f64::from(n.spikes) * libm::cos(angle(k)), y + f64::from(n.spikes) * libm::sin(angle(k))]
    };
    of.iter().enumerate().fold([0.0; 2], add).map(|x| x / spikes(s, p, 0))
}

pub fn ring_centre(s: &Statistics, p: usize, _: u32) -> f64 {
    turn(ring(s, p)) * 360.0
}

pub fn ring_width(s: &Statistics, p: usize, _: u32) -> f64 {
    let [x, y] = ring(s, p);
    libm::sqrt(-2.0 * libm::log(libm::hypot(x, y).clamp(0.0, 1.0))) / TAU * 360.0
}

/// The direction of a vector as a fraction of a turn, from 0 to 1.
fn turn([x, y]: [f64; 2]) -> f64 {
    let turn = libm::atan2(y, x) / TAU;
    if turn < 0.0 { turn + 1.0 } else { turn }
}

pub fn bursts(s: &Statistics, p: usize, _: u32) -> f64 {
    s.bursts.of[p].count as f64
}

pub fn period(s: &Statistics, p: usize, _: u32) -> f64 {
    let b = &s.bursts.of[p];
    match b.start {
        Some(last) if b.count > 1 => (last - b.first) as f64 * s.dt / (b.count - 1) as f64,
        _ => f64::NAN,
    }
}

pub fn phase(s: &Statistics, p: usize, _: u32) -> f64 {
    let b = &s.bursts.of[p];
    if b.cycles == 0 { f64::NAN } else { turn(b.sum) }
}

pub fn locking(s: &Statistics, p: usize, _: u32) -> f64 {
    let b = &s.bursts.of[p];
    libm::hypot(b.sum[0], b.sum[1]) / b.cycles as f64
}
