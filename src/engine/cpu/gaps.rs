//! Currents through gap junctions over one step, from the voltages at its start. Knows no synapse and no thread: a network with
//! gap junctions is stepped by one.

use super::partition::Share;
use super::update::Columns;
use crate::plan::Plan;

/// The current into one input of the neurons of one population.
pub struct Coupled {
    population: usize,
    input: usize,
    values: Vec<f32>,
}

/// Junctions in the order of the plan, partners in order: sums are the same in every run.
pub fn currents(plan: &Plan, shares: &[Share], columns: &[Columns]) -> Vec<Coupled> {
    let state = |population: usize, variable: usize| {
        let column = shares.iter().zip(columns).find(|(s, _)| s.population == population);
        column.map_or_else(Vec::new, |(_, c)| c.state(variable))
    };
    let mut out: Vec<Coupled> = Vec::new();
    for gap in &plan.gaps {
        let [population, variable, input] = gap.target;
        let (others, own) = (state(gap.source[0], gap.source[1]), state(population, variable));
        let at = out.iter().position(|c| c.population == population && c.input == input).unwrap_or_else(|| {
            out.push(Coupled { population, input, values: vec![0.0; own.len()] });
            out.len() - 1
        });
        for (neuron, (sum, v)) in out[at].values.iter_mut().zip(&own).enumerate() {
            for partner in gap.of(neuron) {
                *sum += gap.conductance * (others[*partner as usize] - v);
            }
        }
    }
    out
}

impl Coupled {
    /// The currents into neurons `start..` of an input, if it is coupled.
    pub fn of(all: &[Self], population: usize, input: usize, start: usize) -> Option<&[f32]> {
        all.iter().find(|c| c.population == population && c.input == input).map(|c| &c.values[start..])
    }
}
