//! Graph -> program: every value that is needed is computed once, as early as it can be. Knows no equations.

use std::collections::HashMap;

use super::graph::{Graph, Id, Node};
use super::program::{Op, Program, Reg, Stmt};

/// Values computed from the present states, then stored together.
pub struct Block {
    pub repeat: Option<u32>,
    pub sets: Vec<(usize, Id)>,
    pub spike: Option<Id>,
}

struct Emitter<'a> {
    graph: &'a Graph,
    varies: Vec<bool>,
    registers: HashMap<Id, Reg>,
    next: Reg,
    coefficients: Vec<Id>,
    body: Vec<Stmt>,
}

/// The program, and the value of each of its coefficients.
pub fn emit(graph: &Graph, blocks: &[Block], states: usize, receptors: usize, inputs: usize) -> (Program, Vec<Id>) {
    let mut emitter =
        Emitter { graph, varies: varies(graph), registers: HashMap::new(), next: 0, coefficients: Vec::new(), body: Vec::new() };
    let roots: Vec<Id> = blocks.iter().flat_map(roots).collect();
    let marked = graph.reach(&roots, |id| graph.fixed[id]);
    let early = |id: &Id| marked[*id] && matches!(graph.nodes[*id], Node::Start(_));
    (0..marked.len()).filter(early).for_each(|id| emitter.early(id));
    blocks.iter().for_each(|b| emitter.block(b));
    let Emitter { next, coefficients, body, .. } = emitter;
    let program = Program {
        registers: next,
        states: states as u32,
        receptors: receptors as u32,
        inputs: inputs as u32,
        coefficients: coefficients.len() as u32,
        body,
    };
    (program, coefficients)
}

fn roots(block: &Block) -> Vec<Id> {
    block.sets.iter().map(|s| s.1).chain(block.spike).collect()
}

fn varies(graph: &Graph) -> Vec<bool> {
    let mut out: Vec<bool> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        out.push(match *node {
            Node::State(_) => true,
            Node::Unary(_, a) => out[a],
            Node::Binary(_, a, b) => out[a] || out[b],
            Node::Select(a, b, c) => out[a] || out[b] || out[c],
            _ => false,
        });
    }
    out
}

impl Emitter<'_> {
    fn op(&mut self, id: Id) -> Op {
        if let Some(x) = self.graph.constant(id) {
            return Op::Const(x as f32);
        }
        if self.graph.fixed[id] {
            self.coefficients.push(id);
            return Op::Coefficient(self.coefficients.len() as u32 - 1);
        }
        let reg = |id: Id| self.registers[&id];
        match self.graph.nodes[id] {
            Node::State(i) | Node::Start(i) => Op::State(i as u32),
            Node::Receptor(i) => Op::Receptor(i as u32),
            Node::Input(i) => Op::Input(i as u32),
            Node::Unary(op, a) => Op::Unary(op, reg(a)),
            Node::Binary(op, a, b) => Op::Binary(op, reg(a), reg(b)),
            Node::Select(a, b, c) => Op::Select(reg(a), reg(b), reg(c)),
            Node::Const(_) | Node::Parameter(_) | Node::Propagator(..) => Op::Const(f32::NAN),
        }
    }

    fn compute(&mut self, id: Id) -> Stmt {
        let op = self.op(id);
        self.registers.insert(id, self.next);
        self.next += 1;
        Stmt::Let(self.next - 1, op)
    }

    fn early(&mut self, id: Id) {
        let stmt = self.compute(id);
        self.body.push(stmt);
    }

    fn block(&mut self, block: &Block) {
        let roots = roots(block);
        let marked = self.graph.reach(&roots, |id| self.graph.fixed[id]);
        let mut body = Vec::new();
        for id in (0..marked.len()).filter(|id| marked[*id]) {
            if self.registers.contains_key(&id) {
                continue;
            }
            if self.varies[id] {
                body.push(self.compute(id));
            } else {
                self.early(id);
            }
        }
        let changed = block.sets.iter().filter(|(state, id)| self.graph.nodes[*id] != Node::State(*state));
        body.extend(changed.map(|(state, id)| Stmt::SetState(*state as u32, self.registers[id])));
        body.extend(block.spike.map(|id| Stmt::Spike(self.registers[&id])));
        match block.repeat {
            Some(n) => self.body.push(Stmt::Repeat(n, body)),
            None => self.body.extend(body),
        }
        let varies = &self.varies;
        self.registers.retain(|id, _| !varies[*id]);
    }
}
