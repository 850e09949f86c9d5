//! The phase plane of a model: nullclines, arrows, fixed points and an orbit, for two of its state variables. The others stand
//! where they would come to rest there. Knows no window.

use super::copies::{orbit, range};
use super::machine::Machine;
use crate::model::Flow;
use crate::network::Network;

/// Points of the grid along each axis, arrows along each, and the length of the orbit in ms.
const GRID: usize = 100;
const ARROWS: usize = 14;
const ORBIT: f64 = 400.0;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub population: usize,
    pub parameters: Vec<f64>,
    /// Constant current in internal units.
    pub current: f64,
    /// State variables along x and y; with one alone, its change is drawn against it.
    pub x: usize,
    pub y: Option<usize>,
}

/// In internal units; with one variable y is its change per ms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plane {
    pub low: [f64; 2],
    pub high: [f64; 2],
    /// Pieces of the lines on which x, and on which y, stands still.
    pub still: [Vec<[[f64; 2]; 2]>; 2],
    /// Where an arrow begins, and the change per ms there.
    pub arrows: Vec<([f64; 2], [f64; 2])>,
    /// Where both stand still, and whether small deviations die out.
    pub fixed: Vec<([f64; 2], bool)>,
    pub orbit: Vec<[f64; 2]>,
}

/// The state variable that belongs on the y axis: the first that the membrane moves directly.
pub fn partner(network: &Network, population: usize, parameters: &[f64], x: usize) -> Option<usize> {
    let model = &network.populations.get(population)?.model;
    let flow = model.flow(network.dt).ok()?;
    let start: Vec<f64> = (0..model.states.len()).map(|s| model.initial(s, parameters)).collect();
    let at = |v: f64| {
        let mut state = start.clone();
        state[x] = v;
        flow.at(parameters, &state, &[])
    };
    let (here, there) = (at(start[x]), at(start[x] + 5.0));
    let moves = |s: &usize| *s != x && (here[*s] - there[*s]).abs() > 1e-9 * (here[*s].abs() + there[*s].abs()).max(1e-12);
    (0..model.states.len())
        .filter(moves)
        .max_by(|a, b| slowness(&flow, parameters, &start, *a).total_cmp(&slowness(&flow, parameters, &start, *b)))
}

/// Time constant of a variable by itself, ms.
fn slowness(flow: &Flow, parameters: &[f64], start: &[f64], s: usize) -> f64 {
    let (slope, _) = own(flow, parameters, start, &[], s);
    if slope < 0.0 { -1.0 / slope } else { f64::MAX }
}

/// How the change of a variable depends on itself, and that change.
fn own(flow: &Flow, parameters: &[f64], state: &[f64], inputs: &[f64], s: usize) -> (f64, f64) {
    let here = flow.at(parameters, state, inputs)[s];
    let step = 1e-4 * state[s].abs().max(1e-2);
    let mut moved = state.to_vec();
    moved[s] += step;
    ((flow.at(parameters, &moved, inputs)[s] - here) / step, here)
}

/// The flow in the plane: the others at their own rest.
struct Field<'a> {
    flow: Flow,
    question: &'a Question,
    start: Vec<f64>,
    inputs: Vec<f64>,
}

impl Field<'_> {
    fn at(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let q = self.question;
        let mut state = self.start.clone();
        state[q.x] = x;
        let Some(along) = q.y else { return [self.flow.at(&q.parameters, &state, &self.inputs)[q.x], 0.0] };
        state[along] = y;
        // Most are linear in themselves: one step is exact, a second serves those that hang on another.
        for _ in 0..2 {
            for s in (0..state.len()).filter(|s| *s != q.x && *s != along) {
                let (slope, here) = own(&self.flow, &q.parameters, &state, &self.inputs, s);
                if slope < -1e-9 {
                    state[s] -= here / slope;
                }
            }
        }
        let f = self.flow.at(&q.parameters, &state, &self.inputs);
        [f[q.x], f[along]]
    }
}

/// Draws up the plane. An error says why there is none.
pub fn plane(network: &Network, question: &Question, machine: &Machine) -> Result<Plane, String> {
    let p = network.populations.get(question.population).ok_or("there is no such population")?;
    let flow = p.model.flow(network.dt).map_err(|all| all.iter().map(|p| p.message.clone()).collect::<Vec<_>>().join("; "))?;
    let start: Vec<f64> = (0..p.model.states.len()).map(|s| p.model.initial(s, &question.parameters)).collect();
    if start.len() <= question.x.max(question.y.unwrap_or(0)) {
        return Err("the model has no such variable".into());
    }
    let mut inputs = vec![0.0; p.model.inputs.len()];
    if let Some(first) = inputs.first_mut() {
        *first = question.current;
    }
    let variables = [question.x, question.y.unwrap_or(question.x)];
    let run = |current| orbit(network, question.population, &question.parameters, machine, (current, ORBIT), variables);
    let path = run(question.current)?;
    let mut seen = path.clone();
    // Also where it goes when it is driven hard, so that the picture stays as the current changes.
    if let Ok((_, hard)) = range(network, question.population, &question.parameters, machine) {
        seen.extend(run(hard).unwrap_or_default());
    }
    let field = Field { flow, question, start, inputs };
    let (low, high) = bounds(&seen);
    let mut out = Plane { low, high, orbit: path, ..Plane::default() };
    if question.y.is_none() {
        alone(&field, &mut out);
        return Ok(out);
    }
    let place = |i: usize, j: usize, n: usize| -> [f64; 2] {
        let at = |k: usize, a: usize| low[a] + (high[a] - low[a]) * k as f64 / n as f64;
        [at(i, 0), at(j, 1)]
    };
    let grid: Vec<[f64; 2]> = (0..=GRID).flat_map(|j| (0..=GRID).map(move |i| (i, j))).map(|(i, j)| field.at(place(i, j, GRID))).collect();
    for j in 0..GRID {
        for i in 0..GRID {
            let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
            let values = corners.map(|(i, j)| grid[j * (GRID + 1) + i]);
            let places = corners.map(|(i, j)| place(i, j, GRID));
            let mut crossed = [false; 2];
            for axis in 0..2 {
                let pieces = pieces(places, values.map(|v| v[axis]));
                crossed[axis] = !pieces.is_empty();
                out.still[axis].extend(pieces);
            }
            if crossed == [true; 2] {
                out.fixed.extend(fixed(&field, places[0], places[2]));
            }
        }
    }
    out.fixed.dedup_by(|a, b| (0..2).all(|k| (a.0[k] - b.0[k]).abs() < (high[k] - low[k]) / GRID as f64));
    out.arrows =
        (1..ARROWS).flat_map(|j| (1..ARROWS).map(move |i| (i, j))).map(|(i, j)| place(i, j, ARROWS)).map(|p| (p, field.at(p))).collect();
    Ok(out)
}

/// One variable: its change against it.
fn alone(field: &Field, out: &mut Plane) {
    let at = |i: usize| out.low[0] + (out.high[0] - out.low[0]) * i as f64 / GRID as f64;
    let line: Vec<[f64; 2]> = (0..=GRID).map(|i| [at(i), field.at([at(i), 0.0])[0]]).filter(|p| p[1].is_finite()).collect();
    let ends = line.iter().fold((0.0f64, 0.0f64), |(l, h), p| (l.min(p[1]), h.max(p[1])));
    let room = ((ends.1 - ends.0) * 0.08).max(1e-9);
    (out.low[1], out.high[1]) = (ends.0 - room, ends.1 + room);
    out.still[0] = line.windows(2).map(|w| [w[0], w[1]]).collect();
    for w in line.windows(2).filter(|w| (w[0][1] > 0.0) != (w[1][1] > 0.0)) {
        let x = w[0][0] + (w[1][0] - w[0][0]) * w[0][1] / (w[0][1] - w[1][1]);
        out.fixed.push(([x, 0.0], w[0][1] > 0.0));
    }
    out.orbit.iter_mut().for_each(|p| p[1] = 0.0);
}

/// Where the orbits go, and some room around.
fn bounds(seen: &[[f64; 2]]) -> ([f64; 2], [f64; 2]) {
    let (mut low, mut high) = ([0.0; 2], [1.0; 2]);
    for a in 0..2 {
        let mut all: Vec<f64> = seen.iter().map(|p| p[a]).filter(|x| x.is_finite()).collect();
        all.sort_unstable_by(f64::total_cmp);
        let (Some(first), Some(last)) = (all.first(), all.last()) else { continue };
        let room = ((last - first) * 0.2).max(1e-3 * last.abs().max(1e-3));
        (low[a], high[a]) = (first - room, last + room);
    }
    (low, high)
}

/// The line of zero through a cell, by its corners in order.
fn pieces(places: [[f64; 2]; 4], values: [f64; 4]) -> Vec<[[f64; 2]; 2]> {
    if values.iter().any(|v| !v.is_finite()) {
        return Vec::new();
    }
    let crossing = |k: usize| {
        let (a, b, from, to) = (values[k], values[(k + 1) % 4], places[k], places[(k + 1) % 4]);
        let s = a / (a - b);
        ((a > 0.0) != (b > 0.0)).then(|| [from[0] + (to[0] - from[0]) * s, from[1] + (to[1] - from[1]) * s])
    };
    let found: Vec<[f64; 2]> = (0..4).filter_map(crossing).collect();
    found.chunks_exact(2).map(|two| [two[0], two[1]]).collect()
}

/// The fixed point near a cell, by Newton's steps, and its stability by trace and determinant.
fn fixed(field: &Field, low: [f64; 2], high: [f64; 2]) -> Option<([f64; 2], bool)> {
    let size = [high[0] - low[0], high[1] - low[1]];
    let mut p = [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0];
    let jacobian = |p: [f64; 2]| {
        let f = field.at(p);
        let (dx, dy) = (size[0] * 1e-3, size[1] * 1e-3);
        let (a, b) = (field.at([p[0] + dx, p[1]]), field.at([p[0], p[1] + dy]));
        (f, [[(a[0] - f[0]) / dx, (b[0] - f[0]) / dy], [(a[1] - f[1]) / dx, (b[1] - f[1]) / dy]])
    };
    for _ in 0..8 {
        let (f, [[a, b], [c, d]]) = jacobian(p);
        let det = a * d - b * c;
        if det.abs() < 1e-300 || !det.is_finite() {
            return None;
        }
        p = [p[0] - (d * f[0] - b * f[1]) / det, p[1] - (a * f[1] - c * f[0]) / det];
    }
    let inside = (0..2).all(|k| (low[k] - 0.5 * size[k]..=high[k] + 0.5 * size[k]).contains(&p[k]));
    let (_, [[a, b], [c, d]]) = jacobian(p);
    inside.then_some((p, a + d < 0.0 && a * d - b * c > 0.0))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::problem::Source;
    use crate::scene::{Options, load};
    use crate::session::copies::typical;

    fn network(model: &str, set: &str) -> Network {
        let text = format!(
            "format = 1\n[run]\ndt = \"0.05 ms\"\nduration = \"1 s\"\n[models.m]\nbase = \"{model}\"\n[models.m.parameters]\n{set}\n[populations.p]\nmodel = \"m\"\nsize = 1\n"
        );
        load(Arc::new(Source { name: model.into(), text }), None, &Options::default()).unwrap().network
    }

    fn question(network: &Network, current: f64) -> Question {
        let p = &network.populations[0];
        let parameters = typical(p, 0);
        let x = p.model.states.iter().position(|s| ["V_m", "V", "v"].contains(&s.name.as_str())).unwrap();
        let y = partner(network, 0, &parameters, x);
        Question { population: 0, parameters, current, x, y }
    }

    #[test]
    fn adex_has_a_stable_and_an_unstable_fixed_point_below_its_rheobase_and_none_above() {
        let network = network("aeif_cond_exp", "");
        let machine = Machine::Cpu { threads: Some(1) };
        let q = question(&network, 0.0);
        let model = &network.populations[0].model;
        assert_eq!(q.y.map(|y| model.states[y].name.as_str()), Some("w"));
        let plane = plane(&network, &q, &machine).unwrap();
        assert_eq!(plane.fixed.iter().map(|f| f.1).collect::<Vec<_>>(), [true, false], "{:?}", plane.fixed);
        // At rest V = E_L to within exp((E_L - V_th)/Delta_T), and w = 0.
        assert!((plane.fixed[0].0[0] + 70.6).abs() < 0.05 && plane.fixed[0].0[1].abs() < 0.5, "{:?}", plane.fixed);
        // The w-nullcline is w = a (V - E_L), a = 4 nS.
        assert!(plane.still[1].len() > 50 && plane.still[1].iter().flatten().all(|p| (p[1] - 4.0 * (p[0].min(0.0) + 70.6)).abs() < 0.5));
        let driven = super::plane(&network, &question(&network, 2000.0), &machine).unwrap();
        assert!(driven.fixed.is_empty(), "{:?}", driven.fixed);
    }

    #[test]
    fn a_cell_of_one_variable_has_a_line_with_its_rest() {
        let network = network("iaf_psc_delta", "");
        let q = question(&network, 100.0);
        assert_eq!(q.y, None);
        let plane = plane(&network, &q, &Machine::Cpu { threads: Some(1) }).unwrap();
        // E_L + I tau / C = -70 + 100 * 10 / 250
        assert!(plane.fixed.len() == 1 && plane.fixed[0].1 && (plane.fixed[0].0[0] + 66.0).abs() < 0.01, "{:?}", plane.fixed);
    }
}
