//! Arithmetic in pairs of f32, about 48 bits: each value is a sum of two, the second less than half a unit in the last place of
//! the first. For schemes that amplify rounding. Knows no equations.
//!
//! Sums and products after Dekker 1971 (Numer Math 18:224) and Knuth; every operation is one of f32, so both engines agree.
//! Functions other than the arithmetic ones and the root are single: their value has the precision of f32.

use std::collections::HashMap;

use super::emit::Stage;
use super::graph::{Graph, Id, Node, Part};
use super::program::{Binary, Unary};

/// A value and its rest.
type Pair = (Id, Id);

struct Pairs<'a> {
    graph: &'a mut Graph,
    /// The first `paired` states have a rest each, from state `first` on.
    paired: usize,
    first: usize,
    known: HashMap<Id, Pair>,
}

/// Turns the values of these stages into pairs. The rest of state i becomes state `first + i`.
pub fn pair(graph: &mut Graph, stages: &mut [Stage], paired: usize, first: usize) {
    Pairs { graph, paired, first, known: HashMap::new() }.stages(stages);
}

impl Pairs<'_> {
    fn stages(&mut self, stages: &mut [Stage]) {
        for stage in stages {
            match stage {
                Stage::Set { sets, spike } => {
                    let roots: Vec<Id> = sets.iter().map(|s| s.1).chain(*spike).collect();
                    self.learn(&roots);
                    let mut out = Vec::new();
                    for (state, id) in sets.iter() {
                        let (value, rest) = self.known[id];
                        out.push((*state, value));
                        if *state < self.paired {
                            out.push((self.first + state, rest));
                        }
                    }
                    *sets = out;
                    *spike = spike.map(|id| self.known[&id].0);
                }
                Stage::Hold(_, id) => {
                    self.learn(&[*id]);
                    *id = self.known[id].0;
                }
                Stage::Repeat(_, inner) | Stage::When(_, inner) => self.stages(inner),
            }
        }
    }

    /// Children come before their parents, so one pass does.
    fn learn(&mut self, roots: &[Id]) {
        let marked = self.graph.reach(roots, |id| self.graph.fixed[id]);
        for id in (0..marked.len()).filter(|id| marked[*id]) {
            if !self.known.contains_key(&id) {
                let pair = self.one(id);
                self.known.insert(id, pair);
            }
        }
    }

    fn one(&mut self, id: Id) -> Pair {
        let zero = self.graph.number(0.0);
        if self.graph.fixed[id] {
            return (id, self.part(Part::Rest, id));
        }
        match self.graph.nodes[id] {
            Node::State(i) if i < self.paired => (id, self.graph.leaf(Node::State(self.first + i))),
            Node::Start(i) if i < self.paired => (id, self.graph.leaf(Node::Start(self.first + i))),
            Node::Unary(op, a) => self.unary(op, self.known[&a]),
            Node::Binary(op, a, b) => self.binary(op, a, b),
            Node::Select(c, a, b) => self.select(self.known[&c].0, self.known[&a], self.known[&b]),
            _ => (id, zero),
        }
    }

    fn part(&mut self, part: Part, id: Id) -> Id {
        match self.graph.constant(id) {
            Some(x) => self.graph.number(super::scalar::part(part, x)),
            None => self.graph.leaf(Node::Part(part, id)),
        }
    }

    /// The bare operation: nothing is folded or regrouped.
    fn raw(&mut self, op: Binary, a: Id, b: Id) -> Id {
        self.graph.leaf(Node::Binary(op, a, b))
    }

    /// The sum and its rounding error, whatever the sizes.
    fn two_sum(&mut self, a: Id, b: Id) -> Pair {
        let zero = self.graph.number(0.0);
        if a == zero || b == zero {
            return (if a == zero { b } else { a }, zero);
        }
        let sum = self.raw(Binary::Add, a, b);
        let part = self.raw(Binary::Sub, sum, a);
        let other = self.raw(Binary::Sub, sum, part);
        let (x, y) = (self.raw(Binary::Sub, a, other), self.raw(Binary::Sub, b, part));
        (sum, self.raw(Binary::Add, x, y))
    }

    /// The same where `a` is the larger.
    fn settle(&mut self, a: Id, b: Id) -> Pair {
        let zero = self.graph.number(0.0);
        if b == zero {
            return (a, zero);
        }
        let sum = self.raw(Binary::Add, a, b);
        let part = self.raw(Binary::Sub, sum, a);
        (sum, self.raw(Binary::Sub, b, part))
    }

    /// Two halves of twelve bits each.
    fn halves(&mut self, a: Id) -> Pair {
        if self.graph.fixed[a] {
            return (self.part(Part::Upper, a), self.part(Part::Lower, a));
        }
        let split = self.graph.number(4097.0);
        let large = self.raw(Binary::Mul, split, a);
        let over = self.raw(Binary::Sub, large, a);
        let upper = self.raw(Binary::Sub, large, over);
        (upper, self.raw(Binary::Sub, a, upper))
    }

    /// The product and its rounding error.
    fn two_product(&mut self, a: Id, b: Id) -> Pair {
        let product = self.raw(Binary::Mul, a, b);
        let ((a1, a2), (b1, b2)) = (self.halves(a), self.halves(b));
        let mut error = self.raw(Binary::Mul, a1, b1);
        error = self.raw(Binary::Sub, error, product);
        for (x, y) in [(a1, b2), (a2, b1), (a2, b2)] {
            let term = self.raw(Binary::Mul, x, y);
            error = self.raw(Binary::Add, error, term);
        }
        (product, error)
    }

    fn add(&mut self, a: Pair, b: Pair) -> Pair {
        let (sum, error) = self.two_sum(a.0, b.0);
        let rests = self.graph.add(a.1, b.1);
        let rest = self.graph.add(error, rests);
        self.settle(sum, rest)
    }

    fn negative(&mut self, a: Pair) -> Pair {
        (self.graph.unary(Unary::Neg, a.0), self.graph.unary(Unary::Neg, a.1))
    }

    fn subtract(&mut self, a: Pair, b: Pair) -> Pair {
        let minus = self.negative(b);
        self.add(a, minus)
    }

    fn multiply(&mut self, a: Pair, b: Pair) -> Pair {
        let (product, error) = self.two_product(a.0, b.0);
        let (x, y) = (self.graph.mul(a.0, b.1), self.graph.mul(a.1, b.0));
        let cross = self.graph.add(x, y);
        let rest = self.graph.add(error, cross);
        self.settle(product, rest)
    }

    fn select(&mut self, condition: Id, a: Pair, b: Pair) -> Pair {
        (self.graph.select(condition, a.0, b.0), self.graph.select(condition, a.1, b.1))
    }

    fn unary(&mut self, op: Unary, a: Pair) -> Pair {
        let (zero, one) = (self.graph.number(0.0), self.graph.number(1.0));
        match op {
            Unary::Neg => self.negative(a),
            Unary::Abs => {
                let (below, minus) = (self.graph.binary(Binary::Less, a.0, zero), self.negative(a));
                self.select(below, minus, a)
            }
            Unary::Floor => {
                let whole = self.graph.unary(Unary::Floor, a.0);
                let (is_whole, less) = (self.graph.binary(Binary::Equal, whole, a.0), self.graph.unary(Unary::Floor, a.1));
                let below = self.graph.add(whole, less);
                (self.graph.select(is_whole, below, whole), zero)
            }
            // One step of Newton on a result that is right to f32.
            Unary::Recip => {
                let near = (self.graph.unary(Unary::Recip, a.0), zero);
                let product = self.multiply(a, near);
                let left = self.subtract((one, zero), product);
                let correction = self.graph.mul(near.0, left.0);
                self.settle(near.0, correction)
            }
            Unary::Sqrt => {
                let near = self.graph.unary(Unary::Sqrt, a.0);
                let square = self.two_product(near, near);
                let left = self.subtract(a, square);
                let twice = self.raw(Binary::Add, near, near);
                let inverse = self.graph.unary(Unary::Recip, twice);
                let correction = self.graph.mul(left.0, inverse);
                let some = self.graph.binary(Binary::Less, zero, near);
                let correction = self.graph.select(some, correction, zero);
                self.settle(near, correction)
            }
            _ => (self.graph.unary(op, a.0), zero),
        }
    }

    fn binary(&mut self, op: Binary, a: Id, b: Id) -> Pair {
        let (x, y) = (self.known[&a], self.known[&b]);
        let zero = self.graph.number(0.0);
        match op {
            Binary::Add => self.add(x, y),
            Binary::Sub => self.subtract(x, y),
            Binary::Mul => self.multiply(x, y),
            Binary::Less | Binary::LessEqual | Binary::Equal => {
                let difference = self.subtract(x, y).0;
                (self.graph.binary(op, difference, zero), zero)
            }
            Binary::Min | Binary::Max => {
                let difference = self.subtract(x, y).0;
                let below = self.graph.binary(Binary::Less, difference, zero);
                if op == Binary::Min { self.select(below, x, y) } else { self.select(below, y, x) }
            }
            Binary::Pow | Binary::And | Binary::Or => (self.graph.binary(op, x.0, y.0), zero),
        }
    }
}
