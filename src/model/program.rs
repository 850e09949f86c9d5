//! What one neuron does in one step, as straight-line numbers: the form both engines run. Knows no names and no text.

use crate::base::math;

/// Index of a value computed by a `Let`.
pub type Reg = u32;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unary {
    Neg,
    Recip,
    Sqrt,
    Exp,
    Expm1,
    Exprel,
    Log,
    Tanh,
    Abs,
    Floor,
    Not,
}

/// `Pow` takes a positive base. Comparisons give 1.0 or 0.0; `And` and `Or` take them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Pow,
    Min,
    Max,
    Less,
    LessEqual,
    Equal,
    And,
    Or,
}

impl Unary {
    /// What the operation means, to the bit.
    pub fn of(self, x: f32) -> f32 {
        match self {
            Unary::Neg => -x,
            Unary::Recip => math::recip(x),
            Unary::Sqrt => math::sqrt(x),
            Unary::Exp => math::exp(x),
            Unary::Expm1 => math::expm1(x),
            Unary::Exprel => math::exprel(x),
            Unary::Log => math::log(x),
            Unary::Tanh => math::tanh(x),
            Unary::Abs => x.abs(),
            Unary::Floor => x.floor(),
            Unary::Not => truth(x == 0.0),
        }
    }
}

impl Binary {
    /// What the operation means, to the bit.
    pub fn of(self, x: f32, y: f32) -> f32 {
        match self {
            Binary::Add => x + y,
            Binary::Sub => x - y,
            Binary::Mul => x * y,
            Binary::Pow => math::pow(x, y),
            Binary::Min if y < x => y,
            Binary::Max if x < y => y,
            Binary::Min | Binary::Max => x,
            Binary::Less => truth(x < y),
            Binary::LessEqual => truth(x <= y),
            Binary::Equal => truth(x == y),
            Binary::And => truth(x != 0.0 && y != 0.0),
            Binary::Or => truth(x != 0.0 || y != 0.0),
        }
    }
}

fn truth(x: bool) -> f32 {
    if x { 1.0 } else { 0.0 }
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Op {
    Const(f32),
    /// A number derived on the host from the parameters: uniform or a column.
    Coefficient(u32),
    /// The present value of a state variable.
    State(u32),
    /// The sum of weights that arrives at this receptor at the end of this step.
    Receptor(u32),
    /// A continuous input (a current), held over the step.
    Input(u32),
    Unary(Unary, Reg),
    Binary(Binary, Reg, Reg),
    /// `cond != 0 ? a : b`
    Select(Reg, Reg, Reg),
    /// A standard normal draw; the number tells the draws of a step apart. Every turn of a loop draws anew.
    Normal(u32),
    /// A draw from (0, 1], evenly, with the full precision of f32 near 0.
    Uniform(u32),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Stmt {
    Let(Reg, Op),
    SetState(u32, Reg),
    /// The neuron spikes in this step if the register is not zero (OR over all such statements).
    Spike(Reg),
    /// The body, this many times; loops may nest four deep.
    Repeat(u32, Vec<Stmt>),
    /// A body that changes nothing where the register is 0, so that it may be left out there.
    When(Reg, Vec<Stmt>),
}

/// One step of one neuron. All state is f32, hidden state (refractory countdown in steps) included.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Program {
    pub registers: u32,
    pub states: u32,
    pub receptors: u32,
    pub inputs: u32,
    pub coefficients: u32,
    pub body: Vec<Stmt>,
}
