//! The form in which the update of a population is run: operations on cells, one value for each lane. Knows no equations.

use crate::model::program::{Binary, Unary};

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Place {
    /// A cell of the block: states first, then inputs that are fed, then coefficients that differ from neuron to neuron.
    Cell(u32),
    /// A cell that lives within one step.
    Temp(u32),
    /// The same for all lanes.
    Uniform(f32),
    /// A state at the end of the step: written flushed, never read.
    Final(u32),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Code {
    /// The sum that arrives at a receptor, which is cleared unless it is `kept`.
    Take {
        to: Place,
        receptor: u32,
        kept: bool,
    },
    Clear {
        receptor: u32,
    },
    Copy {
        to: Place,
        a: Place,
    },
    Unary {
        op: Unary,
        to: Place,
        a: Place,
    },
    Binary {
        op: Binary,
        to: Place,
        a: Place,
        b: Place,
    },
    /// `a * b + c`, or with the signs of the product and of `c` turned.
    MulAdd {
        to: Place,
        a: Place,
        b: Place,
        c: Place,
        signs: Signs,
    },
    /// The first product, then each further one added to it in order.
    Linear {
        to: Place,
        terms: Vec<(f32, Place)>,
    },
    Select {
        to: Place,
        condition: Place,
        a: Place,
        b: Place,
    },
    Normal {
        to: Place,
        number: u32,
    },
    Even {
        to: Place,
        number: u32,
    },
    /// Magnitudes that are too small become zero: the end of a step for a state.
    Flush {
        a: Place,
    },
    Spike {
        a: Place,
    },
    /// Those whose count of steps left is below a half go to the candidate `from`; who then reaches the threshold is told of in
    /// `hit`, spikes, is reset and has all steps before it; the counts of the others go down by one.
    Fire {
        hit: Place,
        v: u32,
        left: u32,
        from: Place,
        threshold: f32,
        reset: f32,
        steps: f32,
    },
    /// A state becomes `own[0] * state + own[1] * state + gain * sum`, flushed, with the sum that arrives at a receptor and is
    /// cleared.
    Filter {
        state: u32,
        own: [f32; 2],
        gain: f32,
        receptor: u32,
    },
    /// A loop of so many turns begins, or its turn ends.
    Loop {
        turns: u32,
    },
    Again,
    /// Leaves out so many codes if the cell is zero in every lane.
    Skip {
        a: Place,
        codes: u32,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signs {
    /// `a * b + c`
    Plus,
    /// `a * b - c`
    MinusC,
    /// `c - a * b`
    MinusProduct,
}

impl Code {
    pub fn to(&self) -> Option<Place> {
        match self {
            Code::Take { to, .. } | Code::Copy { to, .. } | Code::Unary { to, .. } | Code::Binary { to, .. } => Some(*to),
            Code::MulAdd { to, .. } | Code::Linear { to, .. } | Code::Select { to, .. } => Some(*to),
            Code::Normal { to, .. } | Code::Even { to, .. } | Code::Fire { hit: to, .. } => Some(*to),
            _ => None,
        }
    }

    /// Every place that is read, then the one that is written.
    pub fn places(&mut self) -> Vec<&mut Place> {
        match self {
            Code::Take { to, .. } | Code::Normal { to, .. } | Code::Even { to, .. } => vec![to],
            Code::Copy { to, a } | Code::Unary { to, a, .. } => vec![a, to],
            Code::Binary { to, a, b, .. } => vec![a, b, to],
            Code::MulAdd { to, a, b, c, .. } => vec![a, b, c, to],
            Code::Linear { to, terms } => terms.iter_mut().map(|t| &mut t.1).chain([to]).collect(),
            Code::Select { to, condition, a, b } => vec![condition, a, b, to],
            Code::Flush { a } | Code::Spike { a } | Code::Skip { a, .. } => vec![a],
            Code::Fire { hit, from, .. } => vec![from, hit],
            Code::Clear { .. } | Code::Filter { .. } | Code::Loop { .. } | Code::Again => Vec::new(),
        }
    }

    /// Whether what follows may be run more or less than once.
    pub fn controls(&self) -> bool {
        matches!(self, Code::Loop { .. } | Code::Again | Code::Skip { .. })
    }

    pub fn reads(&self) -> Vec<Place> {
        match self {
            Code::Copy { a, .. } | Code::Unary { a, .. } | Code::Flush { a } | Code::Spike { a } | Code::Skip { a, .. } => vec![*a],
            Code::Binary { a, b, .. } => vec![*a, *b],
            Code::MulAdd { a, b, c, .. } => vec![*a, *b, *c],
            Code::Linear { terms, .. } => terms.iter().map(|t| t.1).collect(),
            Code::Select { condition, a, b, .. } => vec![*condition, *a, *b],
            Code::Fire { from, .. } => vec![*from],
            _ => Vec::new(),
        }
    }
}
