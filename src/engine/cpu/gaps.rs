//! Currents through gap junctions over one step, from the voltages at its start. Knows no synapse and no thread: a network with
//! gap junctions is stepped by one.

use super::currents::Feed;
use super::partition::Share;
use super::update::Columns;
use crate::plan::Plan;

/// Tells the inputs of each share the currents of the step that begins. Junctions in the order of the plan, partners in order: sums
/// are the same in every run.
pub fn couple(plan: &Plan, shares: &[Share], columns: &[Columns], feeds: &mut [Vec<Feed>]) {
    if plan.gaps.is_empty() {
        return;
    }
    let place = |population: usize| shares.iter().position(|s| s.population == population);
    let state = |population: usize, variable: usize| place(population).map_or_else(Vec::new, |i| columns[i].state(variable));
    feeds.iter_mut().flatten().for_each(|feed| feed.coupled.clear());
    for gap in &plan.gaps {
        let [population, variable, input] = gap.target;
        let (others, own) = (state(gap.source[0], gap.source[1]), state(population, variable));
        let Some(feed) = place(population).and_then(|i| feeds[i].get_mut(input)) else { continue };
        feed.coupled.resize(own.len(), 0.0);
        for (neuron, (sum, v)) in feed.coupled.iter_mut().zip(&own).enumerate() {
            for partner in gap.of(neuron) {
                *sum += gap.conductance * (others[*partner as usize] - v);
            }
        }
    }
}
