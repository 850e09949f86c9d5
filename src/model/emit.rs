//! Graph -> program: every value that is needed is computed once, as early as it can be. Knows no equations.

use std::collections::HashMap;

use super::graph::{Graph, Id, Node};
use super::program::{Op, Program, Reg, Stmt};

/// What a step does, in order.
pub enum Stage {
    /// Values computed from the present states, then stored together.
    Set {
        sets: Vec<(usize, Id)>,
        spike: Option<Id>,
    },
    /// Remembers a value as `Node::Held`.
    Hold(usize, Id),
    Repeat(u32, Vec<Stage>),
    /// Stages that change nothing where this remembered value is 0.
    When(usize, Vec<Stage>),
}

struct Emitter<'a> {
    graph: &'a Graph,
    varies: Vec<bool>,
    registers: HashMap<Id, Reg>,
    next: Reg,
    coefficients: Vec<Id>,
    /// What does not change within the step: computed at its beginning.
    early: Vec<Stmt>,
}

/// The program, and the value of each of its coefficients.
pub fn emit(graph: &Graph, stages: &[Stage], states: usize, receptors: usize, inputs: usize) -> (Program, Vec<Id>) {
    let mut emitter =
        Emitter { graph, varies: varies(graph), registers: HashMap::new(), next: 0, coefficients: Vec::new(), early: Vec::new() };
    let body = emitter.stages(stages);
    let Emitter { next, coefficients, early, .. } = emitter;
    let program = Program {
        registers: next,
        states: states as u32,
        receptors: receptors as u32,
        inputs: inputs as u32,
        coefficients: coefficients.len() as u32,
        body: early.into_iter().chain(body).collect(),
    };
    (program, coefficients)
}

fn varies(graph: &Graph) -> Vec<bool> {
    let mut out: Vec<bool> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        out.push(match *node {
            Node::State(_) | Node::Held(_) | Node::Normal(_) | Node::Uniform(_) => true,
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
            Node::Normal(n) => Op::Normal(n),
            Node::Uniform(n) => Op::Uniform(n),
            Node::Unary(op, a) => Op::Unary(op, reg(a)),
            Node::Binary(op, a, b) => Op::Binary(op, reg(a), reg(b)),
            Node::Select(a, b, c) => Op::Select(reg(a), reg(b), reg(c)),
            // Fixed, or replaced before a program is made.
            _ => Op::Const(f32::NAN),
        }
    }

    fn compute(&mut self, id: Id) -> Stmt {
        let op = self.op(id);
        self.registers.insert(id, self.next);
        self.next += 1;
        Stmt::Let(self.next - 1, op)
    }

    /// Computes what these values are made of and is not there yet.
    fn need(&mut self, roots: &[Id], body: &mut Vec<Stmt>) {
        let marked = self.graph.reach(roots, |id| self.graph.fixed[id]);
        for id in (0..marked.len()).filter(|id| marked[*id]) {
            if self.registers.contains_key(&id) {
                continue;
            }
            let stmt = self.compute(id);
            if self.varies[id] { body.push(stmt) } else { self.early.push(stmt) }
        }
    }

    fn stages(&mut self, stages: &[Stage]) -> Vec<Stmt> {
        let mut body = Vec::new();
        for stage in stages {
            match stage {
                Stage::Set { sets, spike } => {
                    let changed: Vec<_> = sets.iter().filter(|(state, id)| self.graph.nodes[*id] != Node::State(*state)).collect();
                    let roots: Vec<Id> = changed.iter().map(|s| s.1).chain(*spike).collect();
                    self.need(&roots, &mut body);
                    body.extend(changed.iter().map(|(state, id)| Stmt::SetState(*state as u32, self.registers[id])));
                    body.extend(spike.map(|id| Stmt::Spike(self.registers[&id])));
                    self.forget();
                }
                Stage::Hold(k, id) => {
                    self.need(&[*id], &mut body);
                    let register = self.registers[id];
                    self.held(*k).into_iter().for_each(|node| _ = self.registers.insert(node, register));
                }
                Stage::Repeat(n, inner) => {
                    self.forget();
                    body.push(Stmt::Repeat(*n, self.stages(inner)));
                    self.forget();
                }
                Stage::When(k, inner) => {
                    let register = self.held(*k).and_then(|node| self.registers.get(&node).copied());
                    self.forget();
                    let inner = self.stages(inner);
                    body.extend(register.map(|r| Stmt::When(r, inner)));
                    self.forget();
                }
            }
        }
        body
    }

    fn held(&self, k: usize) -> Option<Id> {
        self.graph.nodes.iter().position(|n| *n == Node::Held(k))
    }

    /// The states have changed, or what was computed is no longer in sight.
    fn forget(&mut self) {
        let (varies, nodes) = (&self.varies, &self.graph.nodes);
        self.registers.retain(|id, _| !varies[*id] || matches!(nodes[*id], Node::Held(_)));
    }
}
