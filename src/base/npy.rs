//! numpy's array files (npy, versions 1 to 3): headers to write, arrays to read. Knows no zip and no meaning of an array.

/// The header of a file of version 1.0, padded to 64 bytes. `kind` as in "<f4", `shape` as in "(3, 4)".
pub fn header(kind: &str, shape: &str) -> Vec<u8> {
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
    out
}

/// What the header of a file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub kind: String,
    pub shape: Vec<usize>,
}

/// Reads the header of a stream of version 1, as `header` writes it, and leaves the stream at its data.
pub fn head(stream: &mut impl std::io::Read) -> Result<Head, String> {
    let mut start = [0; 10];
    stream.read_exact(&mut start).map_err(|e| e.to_string())?;
    if !start.starts_with(b"\x93NUMPY\x01") {
        return Err("this is no npy file of version 1".into());
    }
    let mut text = vec![0; usize::from(u16::from_le_bytes([start[8], start[9]]))];
    stream.read_exact(&mut text).map_err(|e| e.to_string())?;
    described(&text)
}

fn described(text: &[u8]) -> Result<Head, String> {
    let text = std::str::from_utf8(text).map_err(|_| "the npy header is no text")?;
    if field(text, "fortran_order").is_some_and(|f| f.starts_with("True")) {
        return Err("an array in Fortran order: save it with numpy.ascontiguousarray".into());
    }
    let kind = field(text, "descr").and_then(|f| f.split(['\'', '"']).nth(1)).ok_or("the npy header names no type")?;
    Ok(Head { kind: kind.into(), shape: shape(field(text, "shape").ok_or("the npy header names no shape")?)? })
}

/// An array, in C order. Whole numbers beyond 2^53 lose digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

/// Reads a file. An error says what is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Array, String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("this is no npy file")?;
    let (head, data) = match rest {
        [1, _, a, b, rest @ ..] => split(rest, usize::from(u16::from_le_bytes([*a, *b]))),
        [2 | 3, _, a, b, c, d, rest @ ..] => split(rest, u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        _ => None,
    }
    .ok_or("the npy header is cut off or of an unknown version")?;
    let Head { kind, shape } = described(head)?;
    let count = shape.iter().try_fold(1usize, |n, s| n.checked_mul(*s)).ok_or("the array is too large")?;
    let values = values(&kind, data)?;
    if values.len() != count {
        return Err(format!("the shape {shape:?} needs {count} numbers, and the file holds {}", values.len()));
    }
    Ok(Array { shape, values })
}

fn split(rest: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    rest.split_at_checked(length)
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let after = &head[head.find(name)? + name.len()..];
    Some(after[after.find(':')? + 1..].trim_start())
}

fn shape(text: &str) -> Result<Vec<usize>, String> {
    let inner = text.strip_prefix('(').and_then(|t| t.split(')').next()).ok_or("the npy header has no shape")?;
    inner.split(',').map(str::trim).filter(|t| !t.is_empty()).map(|t| t.parse().map_err(|_| format!("a length of {t}"))).collect()
}

fn values(kind: &str, data: &[u8]) -> Result<Vec<f64>, String> {
    macro_rules! as_f64 {
        ($type:ty) => {
            data.as_chunks().0.iter().map(|b| <$type>::from_le_bytes(*b) as f64).collect()
        };
    }
    Ok(match kind {
        "<f4" => as_f64!(f32),
        "<f8" => as_f64!(f64),
        "<i2" => as_f64!(i16),
        "<u2" => as_f64!(u16),
        "<i4" => as_f64!(i32),
        "<u4" => as_f64!(u32),
        "<i8" => as_f64!(i64),
        "<u8" => as_f64!(u64),
        "|i1" => as_f64!(i8),
        "|u1" | "|b1" => as_f64!(u8),
        other => return Err(format!("numbers of type {other}: save them as float32, float64 or integers, little-endian")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        [header(kind, shape), data.to_vec()].concat()
    }

    #[test]
    fn arrays_are_read_back() {
        let bytes: Vec<u8> = [1i32, -2, 3, 4, 5, 6].iter().flat_map(|x| x.to_le_bytes()).collect();
        let array = read(&file("<i4", "(2, 3)", &bytes)).unwrap();
        assert_eq!(array, Array { shape: vec![2, 3], values: vec![1.0, -2.0, 3.0, 4.0, 5.0, 6.0] });
        assert_eq!(read(&file("<f8", "(1,)", &0.1f64.to_le_bytes())).unwrap().values, [0.1]);
    }

    #[test]
    fn broken_files_are_refused_and_never_panic() {
        let good = file("<f4", "(2,)", &[0; 8]);
        for n in 0..good.len() - 1 {
            assert!(read(&good[..n]).is_err(), "{n}");
        }
        for i in 0..good.len() {
            for flip in [1, 64, 255] {
                let mut bad = good.clone();
                bad[i] ^= flip;
                let _ = read(&bad);
            }
        }
        assert!(read(&file("<f4", "(3,)", &[0; 8])).unwrap_err().contains("needs 3 numbers"));
        assert!(read(&file("<c8", "(1,)", &[0; 8])).is_err());
    }
}
