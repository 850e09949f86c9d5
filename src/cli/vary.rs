//! Values of `--vary`: `g=3:8:0.5`, `J=0.1 mV:0.3 mV:0.1 mV`, `g=3,4.5,6`. Knows no scene.

/// A parameter and its values, as texts that a scene can read.
#[derive(Debug, PartialEq)]
pub struct Axis {
    pub name: String,
    pub values: Vec<String>,
}

/// An axis may not have more values than this.
const MOST: f64 = 1e6;

/// Reads a word of `--vary`. An error says how it is written.
pub fn axis(text: &str) -> Result<Axis, String> {
    let form = "write it as NAME=FIRST:LAST:STEP or NAME=A,B,C";
    let (name, values) = text.split_once('=').filter(|(n, v)| !n.trim().is_empty() && !v.trim().is_empty()).ok_or(form)?;
    let parts: Vec<&str> = values.split(':').map(str::trim).collect();
    let values = match parts[..] {
        [list] => list.split(',').map(|v| v.trim().to_string()).collect(),
        [first, last, step] => range(first, last, step)?,
        _ => return Err(form.into()),
    };
    if let Some(empty) = values.iter().position(String::is_empty) {
        return Err(format!("value {} is empty: {form}", empty + 1));
    }
    Ok(Axis { name: name.trim().into(), values })
}

/// `first`, `first + step` ... up to and with `last`.
fn range(first: &str, last: &str, step: &str) -> Result<Vec<String>, String> {
    let ((a, unit), (b, unit_b), (d, unit_d)) = (split(first)?, split(last)?, split(step)?);
    for (text, other) in [(last, unit_b), (step, unit_d)] {
        if other != unit {
            return Err(format!("`{first}` and `{text}` have different units: write all three in one"));
        }
    }
    let count = (b - a) / d;
    if !(0.0..MOST).contains(&count) {
        return Err(format!("no step of {step} leads from {first} to {last}, or too many do"));
    }
    // A millionth of a step forgives 0.1 + 0.2.
    let count = (count + 1e-6).floor() as u64;
    let value = |i: u64| {
        // Twelve digits: 3.0000000000000004 is written 3.
        let rounded: f64 = format!("{:.11e}", a + i as f64 * d).parse().unwrap_or(a);
        if unit.is_empty() { rounded.to_string() } else { format!("{rounded} {unit}") }
    };
    Ok((0..=count).map(value).collect())
}

/// A number and its unit, which may be none.
fn split(text: &str) -> Result<(f64, &str), String> {
    let ends = text.char_indices().map(|(i, _)| i).chain([text.len()]).rev();
    // The longest beginning that is a number: 1e3 is one, and so is 1 of "1 eV".
    let at = ends.filter(|i| text[..*i].trim().parse::<f64>().is_ok_and(f64::is_finite)).max();
    let at = at.ok_or_else(|| format!("`{text}` begins with no number"))?;
    Ok((text[..at].trim().parse().unwrap_or_default(), text[at..].trim()))
}

/// Every combination of values, the last axis turning fastest.
pub fn grid(axes: &[Axis]) -> Vec<Vec<(String, String)>> {
    axes.iter().fold(vec![Vec::new()], |points, axis| {
        let extend = |point: &Vec<(String, String)>| {
            let point = point.clone();
            axis.values.iter().map(move |v| [point.clone(), vec![(axis.name.clone(), v.clone())]].concat()).collect::<Vec<_>>()
        };
        points.iter().flat_map(extend).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        axis(text).unwrap().values
    }

    #[test]
    fn ranges_hold_both_ends_and_their_unit() {
        assert_eq!(values("g=3:4:0.5"), ["3", "3.5", "4"]);
        assert_eq!(values("x=0:0.3:0.1"), ["0", "0.1", "0.2", "0.3"]);
        assert_eq!(values("J=0.1 mV:0.3 mV:0.1 mV"), ["0.1 mV", "0.2 mV", "0.3 mV"]);
        assert_eq!(values("g=8:3:-2.5"), ["8", "5.5", "3"]);
        assert_eq!(values("n=1e3:3e3:1e3"), ["1000", "2000", "3000"]);
        assert_eq!(values("exc.tau_m=10 ms, 20 ms"), ["10 ms", "20 ms"]);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for wrong in ["g", "g=", "=3", "g=1:2", "g=1:2:0", "g=1:2:-1", "g=1:a:2", "J=1 mV:2 V:1 mV", "g=1,,2", "g=0:1:1e-9"] {
            assert!(axis(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_grid_holds_every_combination() {
        let points = grid(&[axis("a=1,2").unwrap(), axis("b=3:4:1").unwrap()]);
        let texts: Vec<String> = points.iter().map(|p| p.iter().map(|(_, v)| v.as_str()).collect()).collect();
        assert_eq!(texts, ["13", "14", "23", "24"]);
        assert_eq!(grid(&[]).len(), 1);
    }
}
