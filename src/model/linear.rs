//! Whether a value is linear in some leaves, and its factors. Knows no equations.

use super::graph::{Graph, Id, Node, children};
use super::program::{Binary, Unary};

/// The factor of each leaf, and the rest.
pub type Linear = (Vec<Id>, Id);

impl Graph {
    /// The root as a weighted sum of the leaves, and the rest; `None` if it is not linear in them.
    pub fn linear(&mut self, root: Id, leaves: &[Id]) -> Option<Linear> {
        let marked = self.reach(&[root], |_| false);
        let (zero, one) = (self.number(0.0), self.number(1.0));
        let mut found: Vec<Option<Linear>> = vec![None; marked.len()];
        for id in (0..marked.len()).filter(|id| marked[*id]) {
            let (list, count) = children(&self.nodes[id]);
            let free = |this: &Option<Linear>| this.as_ref().is_some_and(|(c, _)| c.iter().all(|c| *c == zero));
            found[id] = if let Some(k) = leaves.iter().position(|l| *l == id) {
                Some(((0..leaves.len()).map(|j| if j == k { one } else { zero }).collect(), zero))
            } else if list[..count].iter().all(|c| free(&found[*c])) {
                Some((vec![zero; leaves.len()], id))
            } else {
                self.combine(self.nodes[id], &found, free)
            };
        }
        found[root].take()
    }

    fn combine(&mut self, node: Node, found: &[Option<Linear>], free: impl Fn(&Option<Linear>) -> bool) -> Option<Linear> {
        match node {
            Node::Unary(Unary::Neg, a) => {
                let (c, rest) = found[a].clone()?;
                Some((c.into_iter().map(|x| self.unary(Unary::Neg, x)).collect(), self.unary(Unary::Neg, rest)))
            }
            Node::Binary(op @ (Binary::Add | Binary::Sub), a, b) => {
                let ((x, p), (y, q)) = (found[a].clone()?, found[b].clone()?);
                Some((x.into_iter().zip(y).map(|(x, y)| self.binary(op, x, y)).collect(), self.binary(op, p, q)))
            }
            Node::Binary(Binary::Mul, a, b) => {
                let (factor, other) = if free(&found[a]) { (a, b) } else { (b, a) };
                if !free(&found[factor]) {
                    return None;
                }
                let (c, rest) = found[other].clone()?;
                Some((c.into_iter().map(|x| self.mul(factor, x)).collect(), self.mul(factor, rest)))
            }
            Node::Select(s, a, b) if free(&found[s]) => {
                let ((x, p), (y, q)) = (found[a].clone()?, found[b].clone()?);
                Some((x.into_iter().zip(y).map(|(x, y)| self.select(s, x, y)).collect(), self.select(s, p, q)))
            }
            _ => None,
        }
    }
}
