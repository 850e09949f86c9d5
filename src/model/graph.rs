//! Values as a shared graph: equal expressions are one node, constants are folded. Knows no text and no step order.
//!
//! A child always comes before its parents, so every pass is a loop and no text can exhaust the stack.

use std::collections::{BTreeSet, HashMap};

use super::matrix;
use super::program::{Binary, Unary};
use super::scalar;

pub type Id = usize;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    /// The bits of an f64.
    Const(u64),
    Parameter(usize),
    /// A state at the start of the present block of statements.
    State(usize),
    /// A state at the start of the step.
    Start(usize),
    Receptor(usize),
    Input(usize),
    /// A value that was remembered before the states changed.
    Held(usize),
    /// White noise of this number, before a method has made draws of it.
    Xi(usize),
    /// Random draws, by number.
    Normal(u32),
    Uniform(u32),
    /// An entry of `exp(matrix) - 1`: matrix, row, column.
    Propagator(usize, usize, usize),
    /// An entry of the root of a covariance: noise, row, column.
    Root(usize, usize, usize),
    /// A part of a value known on the host, as f32 holds it.
    Part(Part, Id),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    Select(Id, Id, Id),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// What is left when the value is rounded to f32.
    Rest,
    /// The upper twelve bits of the f32, and the lower ones.
    Upper,
    Lower,
}

/// A square matrix of values known on the host.
#[derive(Clone, Debug)]
pub struct Matrix {
    pub size: usize,
    pub entries: Vec<Id>,
}

#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub nodes: Vec<Node>,
    /// Known on the host: made of constants and parameters only.
    pub fixed: Vec<bool>,
    pub matrices: Vec<Matrix>,
    /// Linear systems under noise: a matrix, and the strength of each noise on each row.
    pub noises: Vec<(usize, Vec<Vec<Id>>)>,
    /// Draws that were numbered so far.
    pub draws: u32,
    /// Terms that were read so far: what a text may cost is bounded.
    pub terms: u32,
    index: HashMap<Node, Id>,
}

impl Graph {
    pub fn leaf(&mut self, node: Node) -> Id {
        if let Some(id) = self.index.get(&node) {
            return *id;
        }
        let fixed = match node {
            Node::Const(_) | Node::Parameter(_) | Node::Propagator(..) | Node::Root(..) | Node::Part(..) => true,
            _ => {
                let (list, count) = children(&node);
                count > 0 && list[..count].iter().all(|c| self.fixed[*c])
            }
        };
        self.nodes.push(node);
        self.fixed.push(fixed);
        self.index.insert(node, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    pub fn number(&mut self, value: f64) -> Id {
        self.leaf(Node::Const((value + 0.0).to_bits()))
    }

    pub fn constant(&self, id: Id) -> Option<f64> {
        if let Node::Const(bits) = self.nodes[id] { Some(f64::from_bits(bits)) } else { None }
    }

    pub fn unary(&mut self, op: Unary, a: Id) -> Id {
        if let Some(x) = self.constant(a) {
            return self.number(scalar::unary(op, x));
        }
        match (op, self.nodes[a]) {
            (Unary::Neg, Node::Unary(Unary::Neg, inner)) | (Unary::Recip, Node::Unary(Unary::Recip, inner)) => inner,
            _ => self.leaf(Node::Unary(op, a)),
        }
    }

    pub fn binary(&mut self, op: Binary, a: Id, b: Id) -> Id {
        let (x, y) = (self.constant(a), self.constant(b));
        if let (Some(x), Some(y)) = (x, y) {
            return self.number(scalar::binary(op, x, y));
        }
        let (zero_a, zero_b) = (x == Some(0.0), y == Some(0.0));
        match op {
            Binary::Add if zero_a => b,
            Binary::Add | Binary::Sub if zero_b => a,
            Binary::Sub if zero_a => self.unary(Unary::Neg, b),
            Binary::Mul if zero_a || zero_b => self.number(0.0),
            Binary::Mul if x == Some(1.0) => b,
            Binary::Mul if y == Some(1.0) => a,
            Binary::And if zero_a || zero_b => self.number(0.0),
            Binary::And if x.is_some() => b,
            Binary::And if y.is_some() => a,
            Binary::Mul => self.product(a, b),
            Binary::Add | Binary::Min | Binary::Max if a > b => self.leaf(Node::Binary(op, b, a)),
            _ => self.leaf(Node::Binary(op, a, b)),
        }
    }

    /// Factors known on the host are gathered on the left, so that they become one coefficient.
    fn product(&mut self, a: Id, b: Id) -> Id {
        let (a, b) = if self.fixed[b] && !self.fixed[a] || (self.fixed[a] == self.fixed[b] && a > b) { (b, a) } else { (a, b) };
        match self.nodes[b] {
            Node::Binary(Binary::Mul, c, d) if self.fixed[a] && self.fixed[c] && !self.fixed[b] => {
                let factor = self.binary(Binary::Mul, a, c);
                self.leaf(Node::Binary(Binary::Mul, factor, d))
            }
            _ => self.leaf(Node::Binary(Binary::Mul, a, b)),
        }
    }

    /// A new normal draw, or one from (0, 1].
    pub fn draw(&mut self, normal: bool) -> Id {
        self.draws += 1;
        self.leaf(if normal { Node::Normal(self.draws - 1) } else { Node::Uniform(self.draws - 1) })
    }

    pub fn add(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Add, a, b)
    }

    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Mul, a, b)
    }

    pub fn select(&mut self, condition: Id, yes: Id, no: Id) -> Id {
        match self.constant(condition) {
            Some(x) if x != 0.0 => yes,
            Some(_) => no,
            None if yes == no => yes,
            None => self.leaf(Node::Select(condition, yes, no)),
        }
    }

    /// Which nodes the roots are made of; `stop` nodes are marked and not entered.
    pub fn reach(&self, roots: &[Id], stop: impl Fn(Id) -> bool) -> Vec<bool> {
        let mut marked = vec![false; self.nodes.len()];
        roots.iter().for_each(|r| marked[*r] = true);
        for id in (0..self.nodes.len()).rev() {
            if marked[id] && !stop(id) {
                let (list, count) = children(&self.nodes[id]);
                list[..count].iter().for_each(|c| marked[*c] = true);
            }
        }
        marked
    }

    pub fn mentions(&self, root: Id, what: impl Fn(&Node) -> bool) -> bool {
        self.reach(&[root], |_| false).iter().zip(&self.nodes).any(|(m, n)| *m && what(n))
    }

    /// The roots with leaves replaced.
    pub fn replace(&mut self, roots: &[Id], by: &HashMap<Id, Id>) -> Vec<Id> {
        let marked = self.reach(roots, |_| false);
        let mut new: Vec<Id> = (0..marked.len()).collect();
        for id in (0..marked.len()).filter(|id| marked[*id]) {
            new[id] = match (by.get(&id), self.nodes[id]) {
                (Some(other), _) => *other,
                (None, Node::Unary(op, a)) => self.unary(op, new[a]),
                (None, Node::Binary(op, a, b)) => self.binary(op, new[a], new[b]),
                (None, Node::Select(a, b, c)) => self.select(new[a], new[b], new[c]),
                _ => id,
            };
        }
        roots.iter().map(|r| new[*r]).collect()
    }

    /// The value of every node that is known on the host.
    pub fn evaluate(&self, parameters: &[f64]) -> Vec<f64> {
        let mut values = vec![f64::NAN; self.nodes.len()];
        let mut done: HashMap<usize, Vec<f64>> = HashMap::new();
        let mut roots: HashMap<usize, Vec<f64>> = HashMap::new();
        for (id, node) in self.nodes.iter().enumerate().filter(|(id, _)| self.fixed[*id]) {
            values[id] = match *node {
                Node::Const(bits) => f64::from_bits(bits),
                Node::Parameter(p) => parameters.get(p).copied().unwrap_or(f64::NAN),
                Node::Propagator(m, i, j) => {
                    let Matrix { size, entries } = &self.matrices[m];
                    let all = done.entry(m).or_insert_with(|| {
                        let a: Vec<f64> = entries.iter().map(|e| values[*e]).collect();
                        matrix::exponential(&a, *size)
                    });
                    all[i * size + j] - if i == j { 1.0 } else { 0.0 }
                }
                Node::Root(k, i, j) => {
                    let (matrix, strengths) = &self.noises[k];
                    let Matrix { size, entries } = &self.matrices[*matrix];
                    let all = roots.entry(k).or_insert_with(|| {
                        let a: Vec<f64> = entries.iter().map(|e| values[*e]).collect();
                        let g: Vec<Vec<f64>> = strengths.iter().map(|row| row.iter().map(|e| values[*e]).collect()).collect();
                        matrix::root(matrix::covariance(&a, &g, *size), *size)
                    });
                    all[i * size + j]
                }
                Node::Part(part, a) => scalar::part(part, values[a]),
                Node::Unary(op, a) => scalar::unary(op, values[a]),
                Node::Binary(op, a, b) => scalar::binary(op, values[a], values[b]),
                Node::Select(c, a, b) => values[if values[c] != 0.0 { a } else { b }],
                _ => f64::NAN,
            };
        }
        values
    }

    /// The value of every node where the state and the inputs are these: no noise, nothing that arrives, and no state beyond.
    /// Entries of propagators are none of it.
    pub fn evaluate_at(&self, parameters: &[f64], states: &[f64], inputs: &[f64]) -> Vec<f64> {
        let mut values = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let value = match *node {
                Node::Const(bits) => f64::from_bits(bits),
                Node::Parameter(p) => parameters.get(p).copied().unwrap_or(f64::NAN),
                Node::State(i) | Node::Start(i) => states.get(i).copied().unwrap_or(0.0),
                Node::Input(i) => inputs.get(i).copied().unwrap_or(0.0),
                Node::Uniform(_) => 0.5,
                Node::Receptor(_) | Node::Xi(_) | Node::Normal(_) => 0.0,
                Node::Part(part, a) => scalar::part(part, values[a]),
                Node::Unary(op, a) => scalar::unary(op, values[a]),
                Node::Binary(op, a, b) => scalar::binary(op, values[a], values[b]),
                Node::Select(c, a, b) => values[if values[c] != 0.0 { a } else { b }],
                Node::Held(_) | Node::Propagator(..) | Node::Root(..) => f64::NAN,
            };
            values.push(value);
        }
        values
    }

    /// Whether some value is divided by this parameter, alone or as a factor.
    pub fn divides(&self, parameter: usize) -> bool {
        let below = |id: Id| {
            let mut open = vec![id];
            while let Some(id) = open.pop() {
                match self.nodes[id] {
                    Node::Parameter(p) if p == parameter => return true,
                    Node::Binary(Binary::Mul, a, b) => open.extend([a, b]),
                    _ => {}
                }
            }
            false
        };
        self.nodes.iter().any(|n| matches!(*n, Node::Unary(Unary::Recip, a) if below(a)))
    }

    /// The parameters a value depends on.
    pub fn uses(&self, root: Id) -> BTreeSet<usize> {
        let mut out = BTreeSet::new();
        let marked = self.reach(&[root], |_| false);
        for (node, _) in self.nodes.iter().zip(marked).filter(|(_, m)| *m) {
            match *node {
                Node::Parameter(p) => _ = out.insert(p),
                Node::Part(_, a) => out.extend(self.uses(a)),
                Node::Root(k, ..) => {
                    let (matrix, strengths) = &self.noises[k];
                    let all = self.matrices[*matrix].entries.iter().chain(strengths.iter().flatten());
                    all.for_each(|entry| out.extend(self.uses(*entry)));
                }
                Node::Propagator(m, i, j) => {
                    let a = &self.matrices[m];
                    let paths = self.paths(a);
                    for (k, entry) in a.entries.iter().enumerate() {
                        if paths[i * a.size + k / a.size] && paths[k % a.size * a.size + j] {
                            out.extend(self.uses(*entry));
                        }
                    }
                }
                _ => {}
            }
        }
        out
    }

    /// Whether column j acts on row i at all, at `i * size + j`, directly or through others.
    pub fn paths(&self, a: &Matrix) -> Vec<bool> {
        let n = a.size;
        let mut out: Vec<bool> = (0..n * n).map(|k| k / n == k % n || self.constant(a.entries[k]) != Some(0.0)).collect();
        for via in 0..n {
            for k in 0..n * n {
                out[k] |= out[k / n * n + via] && out[via * n + k % n];
            }
        }
        out
    }
}

pub(super) fn children(node: &Node) -> ([Id; 3], usize) {
    match *node {
        Node::Unary(_, a) => ([a, 0, 0], 1),
        Node::Binary(_, a, b) => ([a, b, 0], 2),
        Node::Select(a, b, c) => ([a, b, c], 3),
        _ => ([0; 3], 0),
    }
}
