//! The flow of a model: how fast its state moves at a point, as its equations say, for pictures of its phase plane. Computes in
//! f64 and one point at a time; no engine runs this.

use super::Model;
use super::builder::Builder;
use super::graph::{Graph, Id};
use crate::base::problem::Problem;

/// The derivatives of a model's states by time.
#[derive(Clone, Debug)]
pub struct Flow {
    graph: Graph,
    slopes: Vec<Id>,
    /// An `update` block has no derivatives: new values less old ones, over this many ms.
    step: Option<f64>,
}

impl Model {
    /// The flow between spikes: without refractoriness, white noise and what arrives from others. Where the model is an ordered
    /// `update`, the change that a step of `dt` ms makes, over dt.
    pub fn flow(&self, dt: f64) -> Result<Flow, Vec<Problem>> {
        let mut builder = Builder::new(self, dt);
        let (slopes, step) = if self.explicit {
            let mut values = builder.states.clone();
            builder.assign(&self.statements, &mut values, true);
            (values, Some(dt))
        } else {
            (builder.derivatives(), None)
        };
        let Builder { graph, problems, .. } = builder;
        if problems.is_empty() { Ok(Flow { graph, slopes, step }) } else { Err(problems) }
    }
}

impl Flow {
    /// Change of each state per ms for these parameters, states and inputs, all in internal units and in the model's order.
    pub fn at(&self, parameters: &[f64], states: &[f64], inputs: &[f64]) -> Vec<f64> {
        let values = self.graph.evaluate_at(parameters, states, inputs);
        let slope = |(i, id): (usize, &Id)| match self.step {
            Some(dt) => (values[*id] - states.get(i).copied().unwrap_or(0.0)) / dt,
            None => values[*id],
        };
        self.slopes.iter().enumerate().map(slope).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Model;
    use crate::model::tests::shipped;

    fn place(model: &Model, name: &str) -> usize {
        model.states.iter().position(|s| s.name == name).unwrap()
    }

    #[test]
    fn the_flow_of_a_leaky_cell_is_its_equation() {
        let m = shipped("iaf_psc_exp");
        let set = [("tau_m", 20.0), ("C_m", 200.0), ("E_L", -70.0), ("I_e", 300.0)];
        let p: Vec<f64> = m.parameters.iter().map(|p| set.iter().find(|(n, _)| *n == p.name).map_or(p.default, |(_, v)| *v)).collect();
        let v = place(&m, "V_m");
        let mut at = vec![0.0; m.states.len()];
        at[v] = -60.0;
        let flow = m.flow(0.1).unwrap();
        let (rest, driven) = (flow.at(&p, &at, &[0.0]), flow.at(&p, &at, &[100.0]));
        assert!(
            (rest[v] - (-10.0 / 20.0 + 300.0 / 200.0)).abs() < 1e-12 && (driven[v] - rest[v] - 0.5).abs() < 1e-12,
            "{rest:?} {driven:?}"
        );
    }

    #[test]
    fn the_flow_of_an_update_block_is_what_a_step_changes() {
        let m = shipped("izhikevich_2003");
        let p: Vec<f64> = m.parameters.iter().map(|p| p.default).collect();
        let (v, u) = (-60.0, -13.0);
        let mut at = vec![0.0; m.states.len()];
        (at[place(&m, "V_m")], at[place(&m, "U_m")]) = (v, u);
        // The finer the step, the nearer to the published equations.
        let flow = m.flow(0.001).unwrap().at(&p, &at, &[0.0]);
        let (due_v, due_u) = (0.04 * v * v + 5.0 * v + 140.0 - u, 0.02 * (0.2 * v - u));
        assert!((flow[place(&m, "V_m")] - due_v).abs() < 0.01, "{flow:?} {due_v}");
        assert!((flow[place(&m, "U_m")] - due_u).abs() < 0.01, "{flow:?} {due_u}");
    }
}
