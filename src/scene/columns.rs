//! Numbers that differ between neurons or change in time: lists, columns of files, steps. Knows no model.

use toml_edit::{Item, TableLike};

use super::fields::Reader;
use super::files;
use super::value::Value;
use crate::base::units::{Dimension, NUMBER, Quantity};
use crate::network::{Kind, Values};

/// A number for each of `size` neurons: one, a law, a list, or `{ file, column, unit }`.
pub fn values(reader: &mut Reader, item: &Item, dimension: Dimension, size: u32) -> Option<Values> {
    let column = if let Some(list) = item.as_array() {
        list.iter().map(|v| reader.number(&Item::Value(v.clone()), dimension)).collect::<Option<Vec<f64>>>()?
    } else if let Some(table) = item.as_table_like().filter(|t| t.contains_key("file")) {
        from_file(reader, item, table, dimension)?
    } else {
        let law = reader.law(item, dimension)?;
        return Some(if law.kind == Kind::Constant { Values::Uniform(law.offset + law.scale) } else { Values::Law(law) });
    };
    if column.len() != size as usize {
        reader.say(item, format!("{} values for {size} neurons", column.len()), "give one value for each neuron");
        return None;
    }
    Some(Values::Column(column.into()))
}

fn from_file(reader: &mut Reader, item: &Item, table: &dyn TableLike, dimension: Dimension) -> Option<Vec<f64>> {
    reader.keys("a column of a file", table, &["file", "column", "unit"]);
    let (name, column) = (reader.string(table, "file")?, reader.string(table, "column"));
    let unit = match reader.string(table, "unit") {
        None => Quantity { value: 1.0, dimension: NUMBER },
        Some(text) => match reader.scope.text(&format!("1 {text}")) {
            Ok(Value::Number(q)) => q,
            _ => {
                reader.say(item, format!("`{text}` is no unit"), format!("give one of {dimension}, as in unit = \"{dimension}\""));
                return None;
            }
        },
    };
    if unit.dimension != dimension {
        let help = if dimension == NUMBER {
            "leave `unit` out".into()
        } else {
            format!("give the unit of its numbers, as in unit = \"{dimension}\"")
        };
        reader.say(item, format!("the file's unit is {}, and {dimension} is needed", unit.dimension), help);
        return None;
    }
    match files::column(reader.folder.as_deref(), &name, column.as_deref()) {
        Ok(values) => Some(values.into_iter().map(|x| x * unit.value).collect()),
        Err(message) => {
            reader.say(item, message, "a file with one row for each neuron");
            None
        }
    }
}

/// `{ steps = [["0 ms", "2 kHz"], ["100 ms", "8 kHz"]] }`: values from steps on, in order of time; none if it is something else.
pub fn stepped(reader: &mut Reader, item: &Item, dimension: Dimension) -> Option<Option<Vec<(u64, f64)>>> {
    let Some(table) = item.as_table_like().filter(|t| t.contains_key("steps")) else { return Some(None) };
    reader.keys("a number that changes in time", table, &["steps"]);
    let help = "write { steps = [[\"0 ms\", \"1 kHz\"], [\"20 ms\", \"2 kHz\"]] }";
    let mut out = Vec::new();
    for row in table.get("steps").and_then(Item::as_array).into_iter().flatten() {
        let pair: Vec<Item> = row.as_array().into_iter().flatten().cloned().map(Item::Value).collect();
        let [at, value] = &pair[..] else {
            reader.say(item, "a step is a pair of time and value", help);
            return None;
        };
        out.push((reader.steps(at)?, reader.number(value, dimension)?));
    }
    if out.is_empty() || !out.is_sorted_by(|a, b| a.0 < b.0) {
        reader.say(item, "steps are pairs in the order of their times", help);
        return None;
    }
    Some(Some(out))
}
