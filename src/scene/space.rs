//! Positions of populations, and what depends on the distance: kernels, weights, delays. Knows no model.

use toml_edit::{Item, TableLike};

use super::fields::Reader;
use super::files;
use super::projections::required;
use super::value::{Value, plain_number};
use crate::base::units::{Dimension, LENGTH, NUMBER, Quantity};
use crate::network::{Degree, Distance, Layout, Positions, Profile, Shape};

/// Keys of a projection that only rule distance takes.
pub const KEYS: [&str; 6] = ["kernel", "sigma", "length", "radius", "width", "reach"];

/// `{ grid = [100, 80], extent = ["1 mm", "0.8 mm"], periodic = true }`, `{ random = true, extent = ... }` or
/// `{ file = "positions.csv", unit = "um" }`; `size` is the population's, if it is known already.
pub fn positions(reader: &mut Reader, item: &Item, size: Option<u32>) -> Option<Positions> {
    let help =
        "write { grid = [100, 80], extent = [\"1 mm\", \"0.8 mm\"] }, { random = true, extent = ... } or { file = \"...\", unit = \"um\" }";
    let Some(table) = item.as_table_like() else {
        reader.say(item, "positions are a table", help);
        return None;
    };
    reader.keys("positions", table, &["grid", "random", "file", "columns", "unit", "extent", "origin", "periodic"]);
    let periodic = reader.boolean(table, "periodic", false);
    let extent = lengths(reader, table, "extent")?;
    let origin = lengths(reader, table, "origin")?;
    let (layout, dimensions, found) = match (table.get("grid"), table.get("file"), reader.boolean(table, "random", false)) {
        (Some(grid), None, false) => grid_of(reader, grid)?,
        (None, Some(file), false) => listed(reader, table, file)?,
        (None, None, true) => (Layout::Random, extent.as_ref().map_or(0, Vec::len), None),
        _ => {
            reader.say(item, "positions are one of grid, random and file", help);
            return None;
        }
    };
    let wrong = |what: &str, n: usize| format!("{n} lengths of {what} for {dimensions} dimensions");
    if let Some(extent) = extent.as_ref().filter(|e| e.len() != dimensions || !(1..=3).contains(&e.len())) {
        reader.say(item, wrong("extent", extent.len()), "give one length for each of 1 to 3 dimensions");
        return None;
    }
    if let Some(origin) = origin.as_ref().filter(|o| o.len() != dimensions) {
        reader.say(item, wrong("origin", origin.len()), "give one length for each dimension");
        return None;
    }
    let (Some(extent), origin) = (extent.or(found.clone().filter(|_| !periodic).map(|f| f.0)), origin.or(found.map(|f| f.1))) else {
        reader.say(item, "the extent of the positions is missing", "add extent = [\"1 mm\", \"1 mm\"], one length for each dimension");
        return None;
    };
    if extent.iter().any(|e| !(*e > 0.0 && e.is_finite())) {
        reader.say(item, "an extent is positive", "give lengths above zero");
        return None;
    }
    let three = |v: &[f64]| std::array::from_fn(|a| v.get(a).copied().unwrap_or(0.0));
    let positions = Positions { dimensions, extent: three(&extent), origin: three(&origin.unwrap_or_default()), periodic, layout };
    fits(reader, item, &positions, size).then_some(positions)
}

/// As many positions as neurons, all of them inside.
fn fits(reader: &mut Reader, item: &Item, positions: &Positions, size: Option<u32>) -> bool {
    let count = positions.count();
    if let (Some(size), Some(count)) = (size, count)
        && u64::from(size) != count
    {
        reader.say(item, format!("{count} positions for {size} neurons"), "leave out size, or make the two equal");
        return false;
    }
    if let Layout::Listed(all) = &positions.layout {
        let inside = |p: &[f64; 3]| (0..3).all(|a| (0.0..=positions.extent[a]).contains(&(p[a] - positions.origin[a])));
        if let Some(i) = all.iter().position(|p| !inside(p)) {
            let help = "enlarge extent, or move origin, the corner from which it counts";
            reader.say(item, format!("position {i}, {:?} um, lies outside of the extent", &all[i][..positions.dimensions]), help);
            return false;
        }
    }
    true
}

/// One length or a list of them; an outer none tells of a problem.
fn lengths(reader: &mut Reader, table: &dyn TableLike, key: &str) -> Option<Option<Vec<f64>>> {
    let Some(item) = table.get(key) else { return Some(None) };
    match item.as_array() {
        Some(list) => list.iter().map(|v| reader.number(&Item::Value(v.clone()), LENGTH)).collect::<Option<Vec<f64>>>().map(Some),
        None => reader.number(item, LENGTH).map(|x| Some(vec![x])),
    }
}

/// A layout, its dimensions, and the extent and origin that it has by itself.
type Found = (Layout, usize, Option<(Vec<f64>, Vec<f64>)>);

fn grid_of(reader: &mut Reader, item: &Item) -> Option<Found> {
    let counts: Vec<u64> = match item.as_array() {
        Some(list) => list.iter().map(|v| reader.count(&Item::Value(v.clone()), 1 << 31)).collect::<Option<_>>()?,
        None => vec![reader.count(item, 1 << 31)?],
    };
    let all = counts.iter().try_fold(1u64, |all, n| all.checked_mul(*n)).unwrap_or(u64::MAX);
    if !(1..=3).contains(&counts.len()) || counts.contains(&0) || all > 1 << 31 {
        reader.say(item, "a grid has 1 to 3 counts above zero, and at most 2^31 places", "write grid = [100, 80]");
        return None;
    }
    Some((Layout::Grid(std::array::from_fn(|a| counts.get(a).map_or(1, |n| *n as u32))), counts.len(), None))
}

fn listed(reader: &mut Reader, table: &dyn TableLike, item: &Item) -> Option<Found> {
    let unit = match table.get("unit").and_then(Item::as_str).map(|u| reader.scope.text(&format!("1 {u}"))) {
        Some(Ok(Value::Number(q))) if q.dimension == LENGTH => q.value,
        _ => {
            reader.say(item, "positions from a file need the unit of a length", "add unit = \"um\"");
            return None;
        }
    };
    let columns: Option<Vec<String>> =
        table.get("columns").and_then(Item::as_array).map(|a| a.iter().filter_map(|v| v.as_str().map(String::from)).collect());
    match files::places(reader.folder.as_deref(), item.as_str().unwrap_or(""), columns.as_deref()) {
        Ok(columns) => {
            let count = columns.first().map_or(0, Vec::len);
            let at = |i: usize| std::array::from_fn(|a| columns.get(a).map_or(0.0, |c: &Vec<f64>| c[i] * unit));
            let all: Vec<[f64; 3]> = (0..count).map(at).collect();
            let ends = |pick: fn(f64, f64) -> f64, start: f64| -> Vec<f64> {
                (0..columns.len()).map(|a| all.iter().map(|p| p[a]).fold(start, pick)).collect()
            };
            let (low, high) = (ends(f64::min, f64::INFINITY), ends(f64::max, f64::NEG_INFINITY));
            let extent = low.iter().zip(&high).map(|(l, h)| (h - l).max(1e-3)).collect();
            Some((Layout::Listed(all.into()), columns.len(), Some((extent, low))))
        }
        Err(message) => {
            reader.say(item, message, "a file with columns x, y, z, or with those that columns = [...] names");
            None
        }
    }
}

/// The rule of a projection by distance.
pub fn rule(reader: &mut Reader, item: &Item, table: &dyn TableLike) -> Option<Distance> {
    let kernel = required(reader, item, table, "kernel")?;
    let name = kernel.as_str().unwrap_or("");
    let own: &[&str] = match name {
        "gaussian" => &["sigma", "reach"],
        "exponential" => &["length", "reach"],
        "disc" => &["radius"],
        "box" => &["width"],
        _ => &["reach"],
    };
    for key in KEYS[1..].iter().filter(|k| !own.contains(k)) {
        if let Some(other) = table.get(key) {
            reader.say(other, format!("kernel {name} takes no `{key}`"), format!("it takes {}", own.join(" and ")));
        }
    }
    let first = required(reader, item, table, own[0])?;
    let size = positive(reader, &first)?;
    let reach = match table.get("reach") {
        Some(reach) => Some(positive(reader, reach)?),
        None => None,
    };
    let (shape, usual) = match name {
        "gaussian" => (Shape::Gaussian { sigma: size }, 4.0 * size),
        "exponential" => (Shape::Exponential { length: size }, 8.0 * size),
        "disc" => (Shape::Disc, size),
        "box" => (Shape::Box, size / 2.0),
        _ if mentions(&kernel) => {
            let profile = profile(reader, &kernel, NUMBER, size)?;
            if profile.bounds().0 < 0.0 {
                reader.say(&kernel, format!("the kernel falls to {}", profile.bounds().0), "it is never negative: cut it with max(0, ...)");
                return None;
            }
            (Shape::Profile(profile), size)
        }
        _ => {
            let help = "kernels are gaussian, exponential, disc, box, or an expression of distance";
            reader.say(&kernel, format!("no kernel is named `{name}`"), help);
            return None;
        }
    };
    let degree = match (table.get("p"), table.get("in_degree"), table.get("out_degree")) {
        (Some(p), None, None) => Degree::Probability(reader.number(p, NUMBER)?),
        (None, Some(k), None) => Degree::In(reader.count(k, u64::from(u32::MAX))? as u32),
        (None, None, Some(k)) => Degree::Out(reader.count(k, u64::from(u32::MAX))? as u32),
        _ => {
            let help = "p is the factor of the kernel for each pair; a degree takes the kernel as a weight";
            reader.say(item, "rule distance takes one of p, in_degree and out_degree", help);
            return None;
        }
    };
    if let Degree::Probability(p) = degree {
        let most = p * shape.max();
        if !(0.0..=1.0).contains(&most) {
            reader.say(table.get("p").unwrap_or(item), format!("a probability of up to {most}"), "it lies between 0 and 1");
            return None;
        }
    }
    Some(Distance { shape, reach: reach.unwrap_or(usual), degree })
}

fn positive(reader: &mut Reader, item: &Item) -> Option<f64> {
    let x = reader.number(item, LENGTH)?;
    if !(x > 0.0 && x.is_finite()) {
        reader.say(item, format!("a length of {x} um"), "give one above zero");
        return None;
    }
    Some(x)
}

/// Whether an expression speaks of `distance`.
pub fn mentions(item: &Item) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    item.as_str().is_some_and(|s| s.split(|c| !word(c)).any(|w| w == "distance"))
}

/// An expression of `distance`, from 0 to `reach` um.
pub fn profile(reader: &mut Reader, item: &Item, dimension: Dimension, reach: f64) -> Option<Profile> {
    let mut values = Vec::with_capacity(Profile::STEPS + 1);
    for i in 0..=Profile::STEPS {
        let distance = reach * i as f64 / Profile::STEPS as f64;
        reader.scope.distance = Some(Quantity { value: distance, dimension: LENGTH });
        let value = reader.scope.item(item);
        reader.scope.distance = None;
        match value.map(|v| plain_number(v, dimension)) {
            Ok(Ok(x)) if x.is_finite() => values.push(x),
            Ok(Ok(x)) => {
                reader.say(item, format!("the value is {x} at a distance of {distance} um"), "it must be finite up to the reach");
                return None;
            }
            Ok(Err(wrong)) => {
                reader.wrong(item, wrong);
                return None;
            }
            Err(problem) => {
                reader.push(problem);
                return None;
            }
        }
    }
    Some(Profile { reach, values: values.into() })
}

/// The longest distance between neurons of two populations.
pub fn longest(a: &Positions, b: &Positions) -> f64 {
    let side = |k: usize| {
        if a.periodic {
            return a.extent[k] / 2.0;
        }
        let (low, high) = (a.origin[k].min(b.origin[k]), (a.origin[k] + a.extent[k]).max(b.origin[k] + b.extent[k]));
        high - low
    };
    libm::sqrt((0..3).map(|k| side(k) * side(k)).sum())
}
