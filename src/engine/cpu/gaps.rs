//! Currents through gap junctions over one step, from the voltages expected in its middle. Knows no synapse: threads show each other the
//! values of their neurons before every step.

use super::currents::Feed;
use super::exchange::{Exchange, Values};
use super::partition::Share;
use super::update::Columns;
use crate::plan::Plan;

/// The variables that junctions look at: population and number.
pub struct Coupled {
    variables: Vec<[usize; 2]>,
    /// Of each, the values of the whole population.
    values: Vec<Vec<f32>>,
    shown: Values,
}

impl Coupled {
    pub fn new(plan: &Plan) -> Self {
        let variables = plan.coupled();
        let values = variables.iter().map(|[p, _]| vec![0.0; plan.populations[*p].size as usize]).collect();
        Self { variables, values, shown: Vec::new() }
    }

    pub fn any(&self) -> bool {
        !self.variables.is_empty()
    }

    /// Shows the others the values of the neurons that are here, for step `number`.
    pub fn show(&mut self, thread: usize, number: u64, exchange: &Exchange, shares: &[Share], columns: &[Columns]) {
        self.shown.clear();
        for (k, [population, variable]) in self.variables.iter().enumerate() {
            let here = shares.iter().zip(columns).filter(|(share, _)| share.population == *population);
            self.shown.extend(here.map(|(_, columns)| (k, columns.state(*variable))));
        }
        exchange.show(thread, number, &mut self.shown);
    }

    /// Tells the inputs of each share the currents of step `number`, which all have shown their values for. Junctions in the order of
    /// the plan, partners in order: sums are the same in every run.
    pub fn couple(&mut self, plan: &Plan, number: u64, exchange: &Exchange, shares: &[Share], feeds: &mut [Vec<Feed>]) {
        let mut filled = vec![0; self.variables.len()];
        // Threads have their shares of a population in order.
        exchange.shown(number, |k, part| {
            self.values[k][filled[k]..filled[k] + part.len()].copy_from_slice(part);
            filled[k] += part.len();
        });
        feeds.iter_mut().flatten().for_each(|feed| feed.coupled.clear());
        let values = |of: [usize; 2]| self.variables.binary_search(&of).map_or(&[][..], |k| &self.values[k]);
        for gap in &plan.gaps {
            let [population, variable, input] = gap.target;
            let (others, own) = (values(gap.source), values([population, variable]));
            for (share, feeds) in shares.iter().zip(&mut *feeds).filter(|(share, _)| share.population == population) {
                let Some(feed) = feeds.get_mut(input) else { continue };
                feed.coupled.resize(share.len() as usize, 0.0);
                for (sum, neuron) in feed.coupled.iter_mut().zip(share.start as usize..) {
                    for (partner, conductance) in gap.of(neuron) {
                        *sum += conductance * (others[partner as usize] - own[neuron]);
                    }
                }
            }
        }
    }
}
