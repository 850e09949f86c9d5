//! How a network is run: threads and steps of a batch. Knows no neuron.

use crate::model::program::{Binary, Op, Stmt, Unary};
use crate::plan::Plan;

/// The longest batch: beyond it nothing is gained, and the sums of a batch leave the cache.
const LONGEST: usize = 32;
/// Bytes of sums of all steps of a batch, for all threads together.
const SUMS: usize = 8 << 20;
/// Nanoseconds of work in a batch that make up for one more thread: meeting costs a few hundred, and far more where other
/// programs want the processor too.
const PAYS: f64 = 20_000.0;

/// What is left open is chosen from the plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setup {
    pub threads: Option<usize>,
    /// Steps of a batch, at most the shortest delay.
    pub batch: Option<usize>,
}

impl Setup {
    pub(super) fn batch(&self, plan: &Plan) -> usize {
        if !plan.gaps.is_empty() {
            return 1;
        }
        let shortest = plan.shortest().min(LONGEST as u64) as usize;
        let room = SUMS / (4 * plan.slots).max(1);
        self.batch.unwrap_or(room.max(1)).clamp(1, shortest.max(1))
    }

    /// As many as there are, unless a batch is too short to share.
    pub(super) fn threads(&self, plan: &Plan) -> usize {
        let work = work(plan) * self.batch(plan) as f64;
        self.threads.unwrap_or_else(|| rayon::current_num_threads().min((work / PAYS) as usize)).max(1)
    }
}

/// Nanoseconds of a step, roughly: neurons by what their programs do, and events at 5 Hz.
fn work(plan: &Plan) -> f64 {
    let neurons: f64 = plan.populations.iter().map(|p| f64::from(p.size) * (0.3 + cost(&p.program.body))).sum();
    let counts: f64 = plan.drives.iter().map(|d| 1.0 * f64::from(d.to.len())).sum();
    let partners: usize = plan.gaps.iter().map(|g| g.partners.len()).sum();
    neurons + counts + partners as f64 + plan.synapses() as f64 * 0.005 * plan.dt * 1.5
}

/// Nanoseconds that a neuron takes, roughly: functions cost some twenty times a product, substeps are taken again and again.
fn cost(body: &[Stmt]) -> f64 {
    let of = |stmt: &Stmt| match stmt {
        Stmt::Let(_, Op::Normal(_)) => 20.0,
        Stmt::Let(_, Op::Uniform(_) | Op::Binary(Binary::Pow, ..)) => 2.0,
        Stmt::Let(_, Op::Unary(Unary::Neg | Unary::Abs | Unary::Floor | Unary::Not, _)) => 0.03,
        Stmt::Let(_, Op::Unary(..)) => 0.6,
        Stmt::Repeat(turns, inner) => f64::from(*turns) * cost(inner),
        // Rarely taken.
        Stmt::When(..) => 0.0,
        _ => 0.03,
    };
    body.iter().map(of).sum()
}
