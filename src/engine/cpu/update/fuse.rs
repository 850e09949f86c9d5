//! Codes that nearly every leaky cell has, several in one: a state that decays and takes what arrives; threshold, reset and
//! refractory time. A code passes over a block and stores what the next one loads, so that fewer of them are faster; what is
//! computed, and in which order, stays as it was, so the bits do. Knows no block.

use super::code::{Code, Place};
use crate::model::program::Binary;

/// Of codes in which every temporary cell is written once, flushes and stores stand where they belong.
pub fn fuse(codes: &mut Vec<Code>) {
    while let Some((at, fire, parts)) = (0..codes.len()).find_map(|at| firing(codes, at)) {
        replace(codes, at, fire, &parts);
    }
    while let Some((at, filter, parts)) = (0..codes.len()).find_map(|at| filtering(codes, at)) {
        replace(codes, at, filter, &parts);
    }
}

/// A choice within the same choice: the inner one is of no effect, and may be left with no reader.
pub fn choose_once(codes: &mut [Code]) {
    for at in 0..codes.len() {
        let Code::Select { condition, a: Place::Temp(t), b, .. } = codes[at] else { continue };
        let Some(inner) = written(codes, Place::Temp(t)) else { continue };
        let Code::Select { condition: same, a, b: other, .. } = codes[inner] else { continue };
        let moves = |c: &Code| c.controls() || c.to() == Some(b) || c.to() == Some(a);
        if same == condition
            && other == b
            && !codes[inner..at].iter().any(moves)
            && let Code::Select { a: chosen, .. } = &mut codes[at]
        {
            *chosen = a;
        }
    }
}

/// Puts one code in the place of several, of which it stands at one.
fn replace(codes: &mut Vec<Code>, at: usize, code: Code, parts: &[usize]) {
    codes[at] = code;
    let mut index = 0;
    codes.retain(|_| {
        index += 1;
        index - 1 == at || !parts.contains(&(index - 1))
    });
}

/// The only code that writes a place.
fn written(codes: &[Code], place: Place) -> Option<usize> {
    let mut writers = (0..codes.len()).filter(|i| codes[*i].to() == Some(place));
    let first = writers.next();
    first.filter(|_| writers.next().is_none())
}

fn readers(codes: &[Code], place: Place) -> usize {
    codes.iter().flat_map(Code::reads).filter(|p| *p == place).count()
}

/// Whether the codes of a span, but for the parts, leave cells alone, neither reading nor writing them, and always follow one another.
fn leave(codes: &[Code], span: std::ops::Range<usize>, parts: &[usize], read: &[Place], kept: &[Place]) -> bool {
    let whole = |s: Place| match s {
        Place::Final(s) => Place::Cell(s),
        s => s,
    };
    span.filter(|i| !parts.contains(i)).all(|i| {
        let c = &codes[i];
        !c.controls() && !c.reads().iter().any(|p| read.contains(p)) && !c.to().is_some_and(|to| kept.contains(&whole(to)))
    })
}

/// The codes around a spike: who is free, the candidate for those who are, the threshold, the reset, and the count of steps left.
fn firing(codes: &[Code], spike: usize) -> Option<(usize, Code, Vec<usize>)> {
    let Code::Spike { a: hit @ Place::Temp(_) } = codes[spike] else { return None };
    let and = written(codes, hit)?;
    let Code::Binary { op: Binary::And, a, b, .. } = codes[and] else { return None };
    let (reached, free) = match codes[written(codes, a)?] {
        Code::Binary { op: Binary::LessEqual, .. } => (a, b),
        _ => (b, a),
    };
    let over = written(codes, reached)?;
    let Code::Binary { op: Binary::LessEqual, a: Place::Uniform(threshold), b: now, .. } = codes[over] else { return None };
    let less = written(codes, free)?;
    let Code::Binary { op: Binary::Less, a: Place::Cell(left), b: Place::Uniform(0.5), .. } = codes[less] else { return None };
    let clamp = written(codes, now)?;
    let Code::Select { condition, a: from @ Place::Temp(_), b: Place::Cell(v), .. } = codes[clamp] else { return None };
    let reset = written(codes, Place::Final(v))?;
    let Code::Select { condition: at_reset, a: Place::Uniform(to), b: else_now, .. } = codes[reset] else { return None };
    let count = written(codes, Place::Final(left))?;
    let Code::Select { condition: at_count, a: Place::Uniform(steps), b: rest @ Place::Temp(_), .. } = codes[count] else { return None };
    let max = written(codes, rest)?;
    let Code::Binary { op: Binary::Max, a: Place::Uniform(0.0), b: one_less, .. } = codes[max] else { return None };
    let sub = written(codes, one_less)?;
    let Code::Binary { op: Binary::Sub, a: Place::Cell(counted), b: Place::Uniform(1.0), .. } = codes[sub] else { return None };
    let alike = condition == free && at_reset == hit && at_count == hit && else_now == now && counted == left && v != left;
    let private = [(reached, 1), (now, 2), (rest, 1), (one_less, 1)].iter().all(|(p, n)| readers(codes, *p) == *n);
    let mut parts = vec![over, clamp, and, reset, sub, max, count, spike];
    if readers(codes, free) == 2 {
        parts.push(less);
    }
    let states = [Place::Cell(v), Place::Cell(left)];
    let (first, last) = (*parts.iter().min()?, *parts.iter().max()?);
    let before = leave(codes, first..and, &parts, &[], &states) && less < and;
    let after = leave(codes, and..last + 1, &parts, &states, &states);
    let fire = Code::Fire { hit, v, left, from, threshold, reset: to, steps };
    (alike && private && before && after).then_some((and, fire, parts))
}

/// A state that becomes two multiples of itself and what arrives at a receptor.
fn filtering(codes: &[Code], store: usize) -> Option<(usize, Code, Vec<usize>)> {
    let Code::Copy { to: Place::Final(state), a: value @ Place::Temp(_) } = codes[store] else { return None };
    let sum = written(codes, value)?;
    let Code::Linear { terms, .. } = &codes[sum] else { return None };
    let [(own, Place::Cell(s)), (more, Place::Cell(t)), (gain, arrived @ Place::Temp(_))] = terms[..] else { return None };
    let take = written(codes, arrived)?;
    let Code::Take { receptor, kept: false, .. } = codes[take] else { return None };
    let private = readers(codes, value) == 1 && readers(codes, arrived) == 1;
    let parts = vec![take, sum, store];
    let others = leave(codes, take..store, &parts, &[], &[Place::Cell(state)]);
    let filter = Code::Filter { state, own: [own, more], gain, receptor };
    (s == state && t == state && take < sum && sum < store && private && others).then_some((store, filter, parts))
}

#[cfg(test)]
mod tests {
    use super::super::allocate::allocate;
    use super::super::lower::lower;
    use super::*;

    fn codes(model: &str) -> Vec<Code> {
        let text = format!("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 ms\"\n[populations.cells]\nmodel = \"{model}\"\nsize = 1\n");
        let source = std::sync::Arc::new(crate::base::problem::Source { name: "fuse.toml".into(), text });
        let scene = crate::scene::load(source, None, &Default::default()).unwrap_or_else(|e| panic!("{e:?}"));
        let plan = crate::plan::plan(&scene.network).unwrap_or_else(|e| panic!("{e}"));
        let lowered = lower(&plan.populations[0], &[0]);
        allocate(lowered.codes, lowered.ones).0
    }

    #[test]
    fn a_leaky_cell_is_a_sum_a_threshold_and_a_decay_for_each_receptor() {
        let codes = codes("iaf_psc_exp");
        let is = |f: fn(&Code) -> bool| codes.iter().filter(|c| f(c)).count();
        assert_eq!(is(|c| matches!(c, Code::Linear { .. })), 1);
        assert_eq!(is(|c| matches!(c, Code::Fire { .. })), 1);
        assert_eq!(is(|c| matches!(c, Code::Filter { .. })), 2);
        assert_eq!(codes.len(), 4, "{codes:?}");
    }

    #[test]
    fn a_threshold_that_moves_stays_as_it_is() {
        let codes = codes("mat2_psc_exp");
        assert!(!codes.iter().any(|c| matches!(c, Code::Fire { .. })), "{codes:?}");
        assert!(codes.iter().any(|c| matches!(c, Code::Spike { .. })));
    }
}
