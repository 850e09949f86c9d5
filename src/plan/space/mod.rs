//! Space by integers: quantised positions, the squared distance of a pair, tables over it. Knows no rule.

mod between;
mod cells;
mod lower;
mod sheet;

pub use between::{Between, Table, index};
pub use cells::{Cells, Near};
pub use lower::{ByDistance, between, by_distance, sheets};
pub use sheet::{Grain, Places, Sheet};
