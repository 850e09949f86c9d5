//! Dimensions and units. Internal units: ms, mV, pA, um (hence pF, nS, kHz, GOhm); K and mol as they are.

use std::fmt;

/// Exponents of (time, voltage, current, length, temperature, amount), in twelfths so that roots stay exact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Dimension(pub [i16; 6]);

pub const NUMBER: Dimension = Dimension([0; 6]);
pub const TIME: Dimension = Dimension([12, 0, 0, 0, 0, 0]);
pub const RATE: Dimension = Dimension([-12, 0, 0, 0, 0, 0]);
pub const VOLTAGE: Dimension = Dimension([0, 12, 0, 0, 0, 0]);
pub const LENGTH: Dimension = Dimension([0, 0, 0, 12, 0, 0]);
pub const CURRENT: Dimension = Dimension([0, 0, 12, 0, 0, 0]);

impl Dimension {
    pub fn times(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].saturating_add(other.0[i])))
    }

    pub fn over(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].saturating_sub(other.0[i])))
    }

    /// The dimension to a power; `None` if it is no twelfth.
    pub fn to(self, power: f64) -> Option<Self> {
        let mut out = [0; 6];
        for (o, e) in out.iter_mut().zip(self.0) {
            let x = f64::from(e) * power;
            if x != libm::round(x) || x.abs() > 1200.0 {
                return None;
            }
            *o = x as i16;
        }
        Some(Self(out))
    }
}

/// A value in internal units, with its dimension.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Quantity {
    pub value: f64,
    pub dimension: Dimension,
}

impl Quantity {
    pub fn number(value: f64) -> Self {
        Self { value, dimension: NUMBER }
    }
}

/// The bare units: SI symbol, dimension, size in internal units.
const UNITS: [(&str, [i16; 6], f64); 14] = [
    ("s", [1, 0, 0, 0, 0, 0], 1e3),
    ("Hz", [-1, 0, 0, 0, 0, 0], 1e-3),
    ("V", [0, 1, 0, 0, 0, 0], 1e3),
    ("A", [0, 0, 1, 0, 0, 0], 1e12),
    ("m", [0, 0, 0, 1, 0, 0], 1e6),
    ("K", [0, 0, 0, 0, 1, 0], 1.0),
    ("mol", [0, 0, 0, 0, 0, 1], 1.0),
    ("F", [1, -1, 1, 0, 0, 0], 1e12),
    ("S", [0, -1, 1, 0, 0, 0], 1e9),
    ("ohm", [0, 1, -1, 0, 0, 0], 1e-9),
    ("Ohm", [0, 1, -1, 0, 0, 0], 1e-9),
    ("C", [1, 0, 1, 0, 0, 0], 1e15),
    ("W", [0, 1, 1, 0, 0, 0], 1e15),
    ("J", [1, 1, 1, 0, 0, 0], 1e18),
];

const PREFIXES: [(&str, f64); 11] = [
    ("", 1.0),
    ("f", 1e-15),
    ("p", 1e-12),
    ("n", 1e-9),
    ("u", 1e-6),
    ("\u{b5}", 1e-6),
    ("m", 1e-3),
    ("c", 1e-2),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
];

/// The unit of this name ("mV", "uF", "kHz"), if there is one.
pub fn unit(name: &str) -> Option<Quantity> {
    let bare = |n: &str| UNITS.iter().find(|(u, _, _)| *u == n);
    let of = |(_, d, size): &(&str, [i16; 6], f64), prefix: f64| Quantity { value: size * prefix, dimension: Dimension(d.map(|e| e * 12)) };
    if let Some(found) = bare(name) {
        return Some(of(found, 1.0));
    }
    PREFIXES[1..].iter().find_map(|(p, f)| Some(of(bare(name.strip_prefix(p)?)?, *f)))
}

/// Names by which a dimension is shown, with the size of the shown unit in internal units (all 1 here, but Hz).
const SHOWN: [(&str, [i16; 6]); 9] = [
    ("ms", [1, 0, 0, 0, 0, 0]),
    ("kHz", [-1, 0, 0, 0, 0, 0]),
    ("mV", [0, 1, 0, 0, 0, 0]),
    ("pA", [0, 0, 1, 0, 0, 0]),
    ("um", [0, 0, 0, 1, 0, 0]),
    ("pF", [1, -1, 1, 0, 0, 0]),
    ("nS", [0, -1, 1, 0, 0, 0]),
    ("GOhm", [0, 1, -1, 0, 0, 0]),
    ("fC", [1, 0, 1, 0, 0, 0]),
];

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == NUMBER {
            return write!(f, "a bare number");
        }
        if let Some((name, _)) = SHOWN.iter().find(|(_, d)| d.map(|e| e * 12) == self.0) {
            return write!(f, "{name}");
        }
        let names = ["ms", "mV", "pA", "um", "K", "mol"];
        let parts: Vec<String> = (0..6)
            .filter(|&i| self.0[i] != 0)
            .map(|i| match self.0[i] {
                12 => names[i].to_string(),
                e if e % 12 == 0 => format!("{}^{}", names[i], e / 12),
                e => format!("{}^({}/12)", names[i], e),
            })
            .collect();
        write!(f, "{}", parts.join("*"))
    }
}
