//! White noise in equations: what multiplies it, and the draws that a step takes for it. Knows no text.
//!
//! `xi` has the unit 1/sqrt(time): over a step of h it adds up to sqrt(h) times a standard normal draw. Stochastic equations
//! are read as Ito's.

use super::graph::{Graph, Id, Matrix, Node};
use super::program::Unary;
use crate::base::units::Dimension;

/// 1/sqrt(ms).
pub const DIMENSION: Dimension = Dimension([-6, 0, 0, 0, 0, 0]);

/// Derivatives parted into what is certain and what multiplies each noise.
pub struct Noise {
    pub drift: Vec<Id>,
    /// By state, then by noise.
    pub strength: Vec<Vec<Id>>,
    pub draws: Vec<Id>,
}

impl Noise {
    /// An error is the number of the state whose equation is not linear in its noise.
    pub fn new(graph: &mut Graph, derivatives: Vec<Id>, noises: usize) -> Result<Self, usize> {
        let xis: Vec<Id> = (0..noises).map(|k| graph.leaf(Node::Xi(k))).collect();
        let (mut drift, mut strength) = (Vec::new(), Vec::new());
        for (i, f) in derivatives.iter().enumerate() {
            let (g, rest) = graph.linear(*f, &xis).ok_or(i)?;
            drift.push(rest);
            strength.push(g);
        }
        Ok(Self { drift, strength, draws: (0..noises).map(|_| graph.draw(true)).collect() })
    }

    pub fn is_empty(&self) -> bool {
        self.draws.is_empty()
    }

    /// What the noises add to a state over a span whose variance is `variance` for noise of strength 1.
    pub fn jump(&self, graph: &mut Graph, state: usize, variance: Id) -> Id {
        let root = graph.unary(Unary::Sqrt, variance);
        let mut sum = graph.number(0.0);
        for (g, x) in self.strength[state].iter().zip(&self.draws) {
            let spread = graph.mul(*g, root);
            let term = graph.mul(spread, *x);
            sum = graph.add(sum, term);
        }
        sum
    }

    /// The exact jumps of a linear system of `size` rows over one step: the root of the covariance that builds up, times one
    /// draw for each state that the noise reaches (`draws`). `None` if some strength is not known on the host.
    pub fn exact(&self, graph: &mut Graph, matrix: &Matrix, held: &[bool], dt: f64, draws: &mut Vec<Option<Id>>) -> Option<Vec<Id>> {
        let (n, size) = (self.drift.len(), matrix.size);
        let zero = graph.number(0.0);
        if self.strength.iter().flatten().any(|g| !graph.fixed[*g]) {
            return None;
        }
        let paths = graph.paths(matrix);
        let excited = |i: usize| !held[i] && self.strength[i].iter().any(|g| *g != zero);
        let reached: Vec<bool> = (0..n).map(|i| !held[i] && (0..n).any(|j| excited(j) && paths[i * size + j])).collect();
        if !reached.contains(&true) {
            return Some(vec![zero; n]);
        }
        let entries = (0..n * n).map(|k| matrix.entries[k / n * size + k % n]).collect();
        // The matrix is of one step, so the strength is too.
        let root = graph.number(libm::sqrt(dt));
        let strength = (0..n)
            .map(|i| self.strength[i].iter().map(|g| if excited(i) { graph.mul(*g, root) } else { zero }).collect::<Vec<Id>>())
            .collect::<Vec<_>>();
        graph.matrices.push(Matrix { size: n, entries });
        graph.noises.push((graph.matrices.len() - 1, strength));
        let number = graph.noises.len() - 1;
        draws.resize(n, None);
        (0..n).filter(|i| reached[*i]).for_each(|i| _ = draws[i].get_or_insert_with(|| graph.draw(true)));
        let mut out = vec![zero; n];
        for i in (0..n).filter(|i| reached[*i]) {
            for (j, draw) in draws.iter().enumerate().take(i + 1).filter(|(j, _)| reached[*j]) {
                let entry = graph.leaf(Node::Root(number, i, j));
                let term = graph.mul(entry, draw.unwrap_or(zero));
                out[i] = graph.add(out[i], term);
            }
        }
        Some(out)
    }
}
