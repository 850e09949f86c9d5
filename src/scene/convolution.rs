//! Rule convolution: a kernel that slides over a grid of sources, one target for each of its places. Knows no model.
//!
//! Target (X, Y) is reached by source (X stride_x - padding_x + column, Y stride_y - padding_y + row) for every row and column of the
//! kernel that holds no zero and meets a source, as convolutional layers have it (a cross-correlation: the kernel is not mirrored).
//! Along an axis (sources + 2 padding - kernel) / stride + 1 places fit, and as many targets there must be.

use toml_edit::{Item, TableLike, Value};

use super::fields::Reader;
use super::parts::Places;
use super::projections::required;
use crate::base::units::NUMBER;
use crate::network::{Kind, Law, Layout, Part, Rule, Synapse, Which};

/// Keys that only this rule takes, beside `kernel`.
pub const KEYS: [&str; 2] = ["stride", "padding"];
/// More synapses than this do not belong into a list.
const MOST: u64 = 1 << 26;

struct Kernel {
    columns: u32,
    rows: u32,
    /// By row, then column.
    values: Vec<f64>,
}

/// The synapses, each with the number of the kernel that it has: a factor of the projection's weight.
pub fn rule(reader: &mut Reader, item: &Item, table: &dyn TableLike, places: &Places, source: &Part, target: &Part) -> Option<Rule> {
    let kernel_item = required(reader, item, table, "kernel")?;
    let kernel = kernel(reader, &kernel_item)?;
    let (from, to) = (grid(reader, item, places, source)?, grid(reader, item, places, target)?);
    let stride = pair(reader, table, "stride", 1)?;
    let padding = pair(reader, table, "padding", 0)?;
    let size = [kernel.columns, kernel.rows];
    let places_along = |a: usize| {
        let room = (u64::from(from[a]) + 2 * u64::from(padding[a])).checked_sub(u64::from(size[a]))?;
        Some(room / u64::from(stride[a].max(1)) + 1)
    };
    let [Some(x), Some(y)] = [places_along(0), places_along(1)] else {
        reader.say(&kernel_item, "the kernel is larger than the sources with their padding", "take a smaller kernel or more padding");
        return None;
    };
    if stride.contains(&0) || [x, y] != to.map(u64::from) {
        let help = format!("give the targets positions = {{ grid = [{x}, {y}], ... }}, or change stride or padding");
        reader.say(item, format!("the kernel has {x} x {y} places, and there are {} x {} targets", to[0], to[1]), help);
        return None;
    }
    if x * y * kernel.values.len() as u64 > MOST {
        reader.say(item, format!("a convolution of more than {MOST} synapses"), "take fewer neurons, a longer stride or a smaller kernel");
        return None;
    }
    Some(Rule::List(synapses(&kernel, from, to, stride, padding).into()))
}

fn synapses(kernel: &Kernel, from: [u32; 2], to: [u32; 2], stride: [u32; 2], padding: [u32; 2]) -> Vec<Synapse> {
    // Where the kernel's place `k` of target `t` lies on an axis, if there is a source.
    let meets = |axis: usize, t: u32, k: u32| {
        let at = (u64::from(t) * u64::from(stride[axis]) + u64::from(k)).checked_sub(u64::from(padding[axis]))?;
        u32::try_from(at).ok().filter(|at| *at < from[axis])
    };
    let mut out = Vec::new();
    for (y, x) in (0..to[1]).flat_map(|y| (0..to[0]).map(move |x| (y, x))) {
        for (k, value) in kernel.values.iter().enumerate().filter(|(_, v)| **v != 0.0) {
            let (row, column) = (k as u32 / kernel.columns, k as u32 % kernel.columns);
            if let (Some(at_x), Some(at_y)) = (meets(0, x, column), meets(1, y, row)) {
                out.push(Synapse { source: at_y * from[0] + at_x, target: y * to[0] + x, weight: Some(*value), delay: None });
            }
        }
    }
    out
}

/// The list with every factor times the weight, which must be one number.
pub fn weighed(reader: &mut Reader, item: &Item, rule: Rule, weight: &Law, non_negative: bool) -> Option<Rule> {
    let Rule::List(list) = rule else { return Some(rule) };
    if weight.kind != Kind::Constant {
        reader.say(item, "the weight of a convolution is one number, which its kernel multiplies", "drop the random draw");
        return None;
    }
    let unit = weight.offset + weight.scale;
    let list: Vec<Synapse> = list.iter().map(|s| Synapse { weight: s.weight.map(|w| w * unit), ..*s }).collect();
    if non_negative && list.iter().any(|s| s.weight.is_some_and(|w| w < 0.0)) {
        reader.say(
            item,
            "this receptor takes no negative weight",
            "take a kernel without negative numbers, and another receptor for the rest",
        );
        return None;
    }
    Some(Rule::List(list.into()))
}

/// Counts of a grid of one or two dimensions, all of whose neurons take part.
fn grid(reader: &mut Reader, item: &Item, places: &Places, part: &Part) -> Option<[u32; 2]> {
    let population = &places.populations[part.population];
    let name = &population.name;
    if part.which != (Which::Range { start: 0, len: population.size }) {
        reader.say(item, format!("a convolution takes the whole of {name}"), "project between whole populations");
        return None;
    }
    match population.positions.as_ref().map(|p| &p.layout) {
        Some(Layout::Grid([x, y, 1])) => Some([*x, *y]),
        _ => {
            let help = format!("add populations.{name}.positions, as in {{ grid = [28, 28], extent = [\"1 mm\", \"1 mm\"] }}");
            reader.say(item, format!("{name} lies on no grid of one or two dimensions, over which a kernel could slide"), help);
            None
        }
    }
}

/// A list of rows of equal length, or one row.
fn kernel(reader: &mut Reader, item: &Item) -> Option<Kernel> {
    let help = "write kernel = [[0, 1, 0], [1, 4, 1], [0, 1, 0]], a list of rows";
    let rows: Vec<Vec<Item>> = match item.as_array() {
        Some(list) if list.iter().all(|row| row.is_array()) => {
            list.iter().map(|row| row.as_array().into_iter().flatten().map(|v: &Value| Item::Value(v.clone())).collect()).collect()
        }
        Some(list) => vec![list.iter().map(|v| Item::Value(v.clone())).collect()],
        None => Vec::new(),
    };
    let columns = rows.first().map_or(0, Vec::len);
    if columns == 0 || rows.iter().any(|row| row.len() != columns) {
        reader.say(item, "a kernel is a list of rows of equal length", help);
        return None;
    }
    let values = rows.iter().flatten().map(|v| reader.number(v, NUMBER)).collect::<Option<Vec<f64>>>()?;
    Some(Kernel { columns: columns as u32, rows: rows.len() as u32, values })
}

/// One number for both axes, or [x, y].
fn pair(reader: &mut Reader, table: &dyn TableLike, key: &str, default: u32) -> Option<[u32; 2]> {
    let Some(item) = table.get(key) else { return Some([default; 2]) };
    let each: Vec<Item> = match item.as_array() {
        Some(list) => list.iter().map(|v| Item::Value(v.clone())).collect(),
        None => vec![item.clone()],
    };
    let counts = each.iter().map(|v| reader.count(v, 1 << 20)).collect::<Option<Vec<u64>>>()?;
    match counts[..] {
        [n] => Some([n as u32; 2]),
        [x, y] => Some([x as u32, y as u32]),
        _ => {
            reader.say(item, format!("{key} is one number or a pair"), format!("write {key} = 2 or {key} = [2, 1]"));
            None
        }
    }
}
