//! Codes in order -> codes that write states where they belong and share temporary cells. Knows no program.

use super::code::{Code, Place};
use super::fuse;

/// Codes that are ready to run, and the number of temporary cells they need. The cell `ones` is never written: it becomes the
/// first one, and stays as it is.
pub fn allocate(mut codes: Vec<Code>, ones: u32) -> (Vec<Code>, usize) {
    flush_in_place(&mut codes);
    fuse::choose_once(&mut codes);
    drop_unread(&mut codes);
    store_in_place(&mut codes);
    fuse::fuse(&mut codes);
    let temps = share(&mut codes, ones);
    (codes, temps)
}

/// Whether each code is run exactly once a step.
fn once(codes: &[Code]) -> Vec<bool> {
    let (mut depth, mut skipped) = (0u32, 0usize);
    let mut out = Vec::with_capacity(codes.len());
    for (i, code) in codes.iter().enumerate() {
        match code {
            Code::Loop { .. } => depth += 1,
            Code::Again => depth -= 1,
            Code::Skip { codes, .. } => skipped = skipped.max(i + 1 + *codes as usize),
            _ => {}
        }
        out.push(depth == 0 && i >= skipped);
    }
    out
}

/// Takes away a code; conditions that leave it out leave out one less.
fn remove(codes: &mut Vec<Code>, at: usize) {
    for (i, code) in codes[..at].iter_mut().enumerate() {
        if let Code::Skip { codes: n, .. } = code
            && i + *n as usize >= at
        {
            *n -= 1;
        }
    }
    codes.remove(at);
}

/// Takes away choices that are never read.
fn drop_unread(codes: &mut Vec<Code>) {
    let unread = |codes: &[Code], code: &Code| matches!(code, Code::Select { to: to @ Place::Temp(_), .. } if !codes.iter().any(|c| c.reads().contains(to)));
    while let Some(at) = codes.iter().rposition(|code| unread(codes, code)) {
        remove(codes, at);
    }
}

/// A flush becomes part of the last store of its state.
fn flush_in_place(codes: &mut Vec<Code>) {
    let mut at = 0;
    while at < codes.len() {
        let Code::Flush { a: Place::Cell(s) } = codes[at] else {
            at += 1;
            continue;
        };
        let touches = |c: &Code| c.to() == Some(Place::Cell(s)) || c.reads().contains(&Place::Cell(s));
        let last = codes[..at].iter().rposition(touches);
        match last {
            Some(i)
                if once(codes)[i] && matches!(codes[i], Code::Copy { to: Place::Cell(_), .. }) && codes[i].to() == Some(Place::Cell(s)) =>
            {
                if let Code::Copy { to, .. } = &mut codes[i] {
                    *to = Place::Final(s);
                }
                remove(codes, at);
            }
            _ => at += 1,
        }
    }
}

/// A value that is only stored is computed where it is stored, if nothing reads the old one in between.
fn store_in_place(codes: &mut Vec<Code>) {
    let mut at = 0;
    while at < codes.len() {
        let Code::Copy { to: to @ (Place::Cell(s) | Place::Final(s)), a: Place::Temp(t) } = codes[at] else {
            at += 1;
            continue;
        };
        let read = codes.iter().flat_map(Code::reads).filter(|p| *p == Place::Temp(t)).count();
        let written: Vec<usize> = (0..codes.len()).filter(|i| codes[*i].to() == Some(Place::Temp(t))).collect();
        let of_state = |p: Place| p == Place::Cell(s) || p == Place::Final(s);
        let fits = match written[..] {
            [i] if i < at && read == 1 => {
                matches!(codes[i], Code::Linear { .. } | Code::Select { .. } | Code::MulAdd { .. })
                    && codes[i..at].iter().all(|c| !c.controls() && !c.reads().into_iter().any(of_state) && !c.to().is_some_and(of_state))
            }
            _ => false,
        };
        if fits {
            if let Some(place) = codes[written[0]].places().into_iter().last() {
                *place = to;
            }
            remove(codes, at);
        } else {
            at += 1;
        }
    }
}

/// Gives every temporary cell a number that is free while it is needed; never that of a cell which the same code reads.
fn share(codes: &mut [Code], ones: u32) -> usize {
    let ends = ends(codes);
    let mut numbers: Vec<Option<u32>> = vec![None; ends.len()];
    let (mut free, mut count) = (Vec::new(), 1u32);
    for (i, code) in codes.iter_mut().enumerate() {
        let mut over = Vec::new();
        for place in code.places() {
            let Place::Temp(t) = *place else { continue };
            if t == ones {
                *place = Place::Temp(0);
                continue;
            }
            let number = *numbers[t as usize].get_or_insert_with(|| {
                free.pop().unwrap_or_else(|| {
                    count += 1;
                    count - 1
                })
            });
            if ends[t as usize] == i && !over.contains(&number) {
                over.push(number);
            }
            *place = Place::Temp(number);
        }
        free.extend(over);
    }
    count as usize
}

/// The last code at which each temporary cell is needed: the end of a loop for those that come from outside it.
fn ends(codes: &[Code]) -> Vec<usize> {
    let mut loops = Vec::new();
    let mut open = Vec::new();
    for (i, code) in codes.iter().enumerate() {
        match code {
            Code::Loop { .. } => open.push(i),
            Code::Again => loops.extend(open.pop().map(|first| (first, i))),
            _ => {}
        }
    }
    let mut spans: Vec<Option<(usize, usize)>> = Vec::new();
    for (i, code) in codes.iter().enumerate() {
        for place in code.reads().into_iter().chain(code.to()) {
            let Place::Temp(t) = place else { continue };
            if spans.len() <= t as usize {
                spans.resize(t as usize + 1, None);
            }
            let (first, last) = spans[t as usize].get_or_insert((i, i));
            let around = loops.iter().filter(|(a, b)| *a < i && i < *b && *first < *a).map(|l| l.1).max();
            *last = (*last).max(around.unwrap_or(i));
        }
    }
    spans.into_iter().map(|s| s.map_or(0, |s| s.1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::program::Binary;

    fn temp(to: u32, a: Place) -> Code {
        Code::Binary { op: Binary::Mul, to: Place::Temp(to), a, b: a }
    }

    #[test]
    fn a_value_from_outside_a_loop_outlives_its_turns() {
        let codes = vec![
            temp(0, Place::Cell(0)),
            Code::Loop { turns: 3 },
            temp(1, Place::Temp(0)),
            temp(2, Place::Temp(1)),
            Code::Copy { to: Place::Cell(0), a: Place::Temp(2) },
            Code::Again,
            temp(3, Place::Cell(0)),
            Code::Copy { to: Place::Cell(1), a: Place::Temp(3) },
        ];
        let (codes, temps) = allocate(codes, u32::MAX);
        assert_eq!(temps, 4);
        assert_eq!(codes[0].to(), Some(Place::Temp(1)));
        assert!((2..4).all(|i| codes[i].to() != Some(Place::Temp(1))));
    }

    #[test]
    fn a_value_is_computed_where_it_is_stored_unless_the_old_one_is_still_read() {
        let sum = |to: u32, a: Place| Code::Linear { to: Place::Temp(to), terms: vec![(2.0, a), (1.0, a)] };
        let store = |s: u32, t: u32| Code::Copy { to: Place::Cell(s), a: Place::Temp(t) };
        let flush = |s: u32| Code::Flush { a: Place::Cell(s) };
        let codes = vec![sum(0, Place::Cell(1)), sum(1, Place::Cell(1)), store(0, 0), store(1, 1), flush(0), flush(1)];
        let (codes, _) = allocate(codes, u32::MAX);
        assert_eq!(codes.len(), 3);
        assert_eq!(codes[0].to(), Some(Place::Final(0)));
        assert_eq!(codes[2], Code::Copy { to: Place::Final(1), a: codes[1].to().unwrap() });
    }
}
