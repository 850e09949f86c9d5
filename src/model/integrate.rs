//! One step of the equations by each method: derivatives -> new values. Knows no thresholds and no text.

use std::collections::HashMap;

use super::graph::{Graph, Id, Matrix, Node};
use super::noise::Noise;
use super::program::Unary;

/// Larger systems are not integrated exactly: the propagator grows with the square.
const LARGEST: usize = 32;

/// The equations of a model over its states, in order.
pub struct System {
    /// The certain parts in `drift`.
    pub noise: Noise,
    pub inputs: usize,
    /// Held while `active` is 0.
    pub clamped: Vec<bool>,
    pub active: Id,
    /// The states the threshold looks at: exponential Euler takes them last.
    pub last: Vec<bool>,
}

impl System {
    fn states(&self, graph: &mut Graph) -> Vec<Id> {
        (0..self.noise.drift.len()).map(|i| graph.leaf(Node::State(i))).collect()
    }

    /// Exact for linear equations with constant coefficients; `None` for others. Written as a change, so that f32 stays accurate.
    pub fn exact(&self, graph: &mut Graph, dt: f64) -> Option<Vec<Id>> {
        let states = self.states(graph);
        let mut leaves = states.clone();
        leaves.extend((0..self.inputs).map(|i| graph.leaf(Node::Input(i))));
        let (n, size) = (states.len(), leaves.len() + 1);
        if size > LARGEST {
            return None;
        }
        let (zero, h) = (graph.number(0.0), graph.number(dt));
        let mut entries = vec![zero; size * size];
        for (i, f) in self.noise.drift.iter().enumerate() {
            let (row, rest) = graph.linear(*f, &leaves)?;
            for (j, value) in row.into_iter().chain([rest]).enumerate() {
                if !graph.fixed[value] {
                    return None;
                }
                entries[i * size + j] = graph.mul(h, value);
            }
        }
        let free = Matrix { size, entries: entries.clone() };
        for i in (0..n).filter(|i| self.clamped[*i]) {
            entries[i * size..(i + 1) * size].fill(zero);
        }
        let held = Matrix { size, entries };
        let paths = graph.paths(&free);
        let mut draws = Vec::new();
        let jumps = self.noise.exact(graph, &free, &vec![false; n], dt, &mut draws)?;
        let held_jumps =
            if self.clamped.contains(&true) { self.noise.exact(graph, &held, &self.clamped, dt, &mut draws)? } else { jumps.clone() };
        let at = graph.matrices.len();
        graph.matrices.extend([free, held]);
        let new: Vec<Id> = (0..n).map(|i| propagate(graph, at, i, &leaves, jumps[i])).collect();
        let out = (0..n).map(|i| {
            let touched = (0..n).any(|j| self.clamped[j] && paths[i * size + j]) || jumps[i] != held_jumps[i];
            let while_held = match (self.clamped[i], touched) {
                (true, _) => states[i],
                (false, true) => propagate(graph, at + 1, i, &leaves, held_jumps[i]),
                (false, false) => new[i],
            };
            graph.select(self.active, new[i], while_held)
        });
        Some(out.collect())
    }

    /// Each variable exactly in itself, in order, the threshold's last; of those already done, the mean over the step is used:
    /// exactly where it is a pure decay, else of old and new.
    /// Noise enters with the variance that it has in a decay at the present rate. `None` if some equation is not linear in its
    /// own variable.
    pub fn exponential_euler(&self, graph: &mut Graph, dt: f64) -> Option<Vec<Id>> {
        let states = self.states(graph);
        let (h, half) = (graph.number(dt), graph.number(0.5));
        let mut out = states.clone();
        let mut middle = HashMap::new();
        let order = (0..states.len()).filter(|i| !self.last[*i]).chain((0..states.len()).filter(|i| self.last[*i]));
        for i in order.collect::<Vec<_>>() {
            // Linear in its own variable before the others move: their new values may depend on this one's old value.
            let (slope, rest) = graph.linear(self.noise.drift[i], &[states[i]])?;
            let [f, slope, rest] = graph.replace(&[self.noise.drift[i], slope[0], rest], &middle)[..] else { return None };
            let z = graph.mul(h, slope);
            let relative = graph.unary(Unary::Exprel, z);
            let span = graph.mul(h, relative);
            let change = graph.mul(span, f);
            let mut new = graph.add(states[i], change);
            if !self.noise.is_empty() {
                let twice = graph.add(z, z);
                let relative = graph.unary(Unary::Exprel, twice);
                let variance = graph.mul(h, relative);
                let jump = self.noise.jump(graph, i, variance);
                new = graph.add(new, jump);
            }
            out[i] = if self.clamped[i] { graph.select(self.active, new, states[i]) } else { new };
            let pure = graph.constant(rest) == Some(0.0) && graph.fixed[slope] && !self.clamped[i] && self.noise.is_empty();
            let mean = if pure { graph.mul(relative, states[i]) } else { mean(graph, half, states[i], out[i]) };
            middle.insert(states[i], mean);
        }
        Some(out)
    }

    /// The derivatives with the clamped ones at rest.
    fn held(&self, graph: &mut Graph) -> Vec<Id> {
        let zero = graph.number(0.0);
        let pick = |(f, c): (&Id, &bool)| if *c { graph.select(self.active, *f, zero) } else { *f };
        self.noise.drift.iter().zip(&self.clamped).map(pick).collect()
    }

    /// Forward Euler, all from the old values; with noise, Euler and Maruyama.
    pub fn euler(&self, graph: &mut Graph, dt: f64) -> Vec<Id> {
        let f = self.held(graph);
        let mut out = self.along(graph, &f, dt);
        let (h, zero) = (graph.number(dt), graph.number(0.0));
        for (i, new) in out.iter_mut().enumerate() {
            let jump = self.noise.jump(graph, i, h);
            let jump = if self.clamped[i] { graph.select(self.active, jump, zero) } else { jump };
            *new = graph.add(*new, jump);
        }
        out
    }

    fn along(&self, graph: &mut Graph, slopes: &[Id], dt: f64) -> Vec<Id> {
        let h = graph.number(dt);
        let states = self.states(graph);
        states
            .into_iter()
            .zip(slopes)
            .map(|(x, k)| {
                let change = graph.mul(h, *k);
                graph.add(x, change)
            })
            .collect()
    }

    /// The classic fourth-order Runge-Kutta step.
    pub fn rk4(&self, graph: &mut Graph, dt: f64) -> Vec<Id> {
        let states = self.states(graph);
        let f = self.held(graph);
        let mut slopes = vec![f.clone()];
        for reach in [dt / 2.0, dt / 2.0, dt] {
            let at = self.along(graph, &slopes[slopes.len() - 1], reach);
            let moved = states.iter().copied().zip(at).collect();
            slopes.push(graph.replace(&f, &moved));
        }
        let two = graph.number(2.0);
        let total: Vec<Id> = (0..states.len())
            .map(|i| {
                let inner = graph.add(slopes[1][i], slopes[2][i]);
                let (outer, inner) = (graph.add(slopes[0][i], slopes[3][i]), graph.mul(two, inner));
                graph.add(outer, inner)
            })
            .collect();
        self.along(graph, &total, dt / 6.0)
    }
}

fn mean(graph: &mut Graph, half: Id, a: Id, b: Id) -> Id {
    let sum = graph.add(a, b);
    graph.mul(half, sum)
}

/// x + (jump + (P - 1) leaves + b) for one row of a propagator.
fn propagate(graph: &mut Graph, matrix: usize, row: usize, leaves: &[Id], jump: Id) -> Id {
    let size = leaves.len() + 1;
    let paths = graph.paths(&graph.matrices[matrix]);
    let mut sum = jump;
    for column in (0..size).filter(|j| paths[row * size + j]) {
        if column == row && graph.constant(graph.matrices[matrix].entries[row * size + row]) == Some(0.0) {
            continue;
        }
        let entry = graph.leaf(Node::Propagator(matrix, row, column));
        let term = if column + 1 == size { entry } else { graph.mul(entry, leaves[column]) };
        sum = graph.add(sum, term);
    }
    graph.add(leaves[row], sum)
}
