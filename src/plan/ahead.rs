//! How far voltages behind gap junctions are carried on to the middle of a step: as far as is sure to be stable. Knows no engine.
//!
//! Of what a voltage V has changed by in the last step, d, and in the one before, e, the middle of the next step is expected at
//! V + a d + c (d - e): the methods of Adams and Bashforth of order 3 (a = 1/2, c = 5/12), 2 (1/2, 0) and 1 (0, 0: as it is), in Hairer,
//! Norsett & Wanner 1993, Solving Ordinary Differential Equations I, III.1. Differences that junctions let decay with a rate of r per ms are
//! stable while h r is below 6/11, 1 and 2; no r is larger than twice the largest sum of g / C over the junctions of a cell, nor smaller
//! than that sum (Gershgorin; the matrix is similar to a symmetric one).

use super::gaps::{GapPlan, coupled};
use super::laws::Spread;
use super::purpose;
use crate::network::{Network, Refusal, Subject};

/// a and c by the largest of 2 h g / C; beyond the last the order is 1.
const ORDERS: [(f64, [f64; 2]); 2] = [(0.5, [0.5, 5.0 / 12.0]), (0.9, [0.5, 0.0])];

/// The numbers a and c for a network. Junctions too strong for any order are refused.
pub(super) fn reach(network: &Network, gaps: &[GapPlan]) -> Result<[f64; 2], Refusal> {
    let mut most = 0.0f64;
    for population in 0..network.populations.len() {
        let told =
            |e: String| Refusal::of(Subject::Population(population), format!("population {}: {e}", network.populations[population].name));
        let onto: Vec<&GapPlan> = gaps.iter().filter(|g| g.target[0] == population).collect();
        if !onto.is_empty() {
            most = most.max(2.0 * steepest(network, population, &onto).map_err(told)?);
        }
    }
    Ok(ORDERS.iter().find(|(below, _)| most <= *below).map_or([0.0; 2], |order| order.1))
}

/// The largest part of a difference that the junctions of one neuron let pass in a step.
fn steepest(network: &Network, index: usize, onto: &[&GapPlan]) -> Result<f64, String> {
    let p = &network.populations[index];
    if p.size == 0 {
        return Ok(0.0);
    }
    // Equations that are wrong are told elsewhere.
    let Ok(flow) = p.model.flow(network.dt) else { return Ok(f64::INFINITY) };
    let spread = |(k, v)| Spread::new(v, p.size, network.seed, [purpose::PARAMETER, (index as u32) << 12 | k as u32]);
    let spreads = p.parameters.iter().enumerate().map(spread).collect::<Result<Vec<_>, _>>()?;
    let coupled = coupled(network, index);
    let parameters = |i: u32| spreads.iter().map(|s| s.at(i)).collect::<Vec<f64>>();
    let start: Vec<f64> = (0..p.model.states.len()).map(|k| p.model.initial(k, &parameters(0))).collect();
    // By current: what a unit of it changes the variable by, per ms.
    let answers = |i: u32| -> Vec<f64> {
        let parameters = parameters(i);
        let answer = |gap: &&GapPlan| {
            let variable = coupled[(gap.target[1] - p.model.ahead(0)) / 2];
            let mut inputs = vec![0.0; p.model.inputs.len()];
            let without = flow.at(&parameters, &start, &inputs)[variable];
            inputs[gap.target[2]] = 1.0;
            (flow.at(&parameters, &start, &inputs)[variable] - without).abs()
        };
        onto.iter().map(answer).collect()
    };
    let varied = spreads.iter().any(Spread::is_column);
    let all = answers(0);
    let mut most = 0.0f64;
    for i in 0..p.size {
        let own = if varied { answers(i) } else { all.clone() };
        let conducts = |gap: &GapPlan| gap.of(i as usize).map(|(_, g)| f64::from(g)).sum::<f64>();
        let rate: f64 = onto.iter().zip(&own).map(|(gap, answer)| conducts(gap) * answer).sum();
        if rate * network.dt > 2.0 {
            return Err(format!(
                "the gap junctions of neuron {i} let its voltage follow its partners at {rate:.4} per ms, too fast for steps of {} ms: take a \
                 dt of at most {:.4} ms, or smaller conductances",
                network.dt,
                1.0 / rate
            ));
        }
        // What is not known may be anything.
        most = if rate.is_nan() { f64::INFINITY } else { most.max(rate * network.dt) };
    }
    Ok(most)
}
