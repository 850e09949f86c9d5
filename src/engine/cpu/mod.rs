//! The CPU engine. States in columns, neurons in blocks that stay in L1, stored rows of synapses, i32 inputs in one row of
//! accumulators.
//!
//! The laws of a step k (from k to k+1), in order:
//! 1. *deliver*: of every row under way, the run that is due at k+1 is added to the accumulators.
//! 2. *drive*: counts and replayed spikes that arrive at k+1 are added too; currents hold their value of k.
//! 3. *update*: every block integrates over the step, then takes the accumulators, then tests, resets and reports.
//! 4. *clear*: the accumulators are zeroed, and the rows of the neurons that spiked at k+1 are under way, due from k+2 on;
//!    procedural ones are drawn now, into a ring that step 1 reads too.

mod block;
mod build;
mod calendar;
mod currents;
mod drive;
mod procedural;
mod rows;

use std::sync::Arc;

use crate::plan::{Harvest, Number, Plan, Sample, Spike, State};

/// A network in memory, at a step.
pub struct Cpu {
    plan: Arc<Plan>,
    step: u64,
    populations: Vec<block::Columns>,
    /// One sum for each slot: what arrives at the end of this step.
    due: Vec<i32>,
    blocks: Vec<rows::Block>,
    calendar: calendar::Calendar,
    procedural: procedural::Procedural,
    drives: Vec<drive::Draws>,
    phases: Phases,
}

/// Seconds spent in each phase are measured by the session; these count the work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Phases {
    pub events: u64,
    pub spikes: u64,
}

impl Cpu {
    /// Builds the network: all memory is taken here.
    pub fn new(plan: Arc<Plan>) -> Result<Self, String> {
        let blocks = build::blocks(&plan)?;
        Ok(Self {
            step: 0,
            populations: plan.populations.iter().map(block::Columns::new).collect(),
            due: vec![0; plan.slots],
            blocks,
            procedural: procedural::Procedural::new(&plan),
            calendar: calendar::Calendar::new(plan.ring - 1, build::constants(&plan)),
            drives: plan.drives.iter().map(|d| drive::Draws::new(plan.seed, d)).collect(),
            phases: Phases::default(),
            plan,
        })
    }

    pub fn step(&self) -> u64 {
        self.step
    }

    /// Bytes taken by the stored synapses.
    pub fn synapse_bytes(&self) -> u64 {
        self.blocks.iter().map(rows::Block::bytes).sum()
    }

    /// State variable `variable` of a population, one value for each neuron.
    pub fn state(&self, population: usize, variable: usize) -> &[f32] {
        &self.populations[population].states[variable]
    }

    /// Takes over the plan of an edit, which `plan::edit` has found to fit. State and inputs under way stay.
    pub fn adopt(&mut self, plan: Arc<Plan>) -> Result<(), String> {
        if self.plan.projections.iter().zip(&plan.projections).any(|(a, b)| a.weight != b.weight) {
            // What is under way keeps the weights that it left with.
            let due = self.calendar.due(self.step, self.plan.slots, &self.blocks);
            self.calendar.take_over(due);
            self.calendar.reweigh(build::constants(&plan));
            let turned =
                self.plan.projections.iter().zip(&plan.projections).any(|(a, b)| (a.weight.law.min() < 0) != (b.weight.law.min() < 0));
            if turned || self.plan.projections.iter().chain(&plan.projections).any(build::stored) {
                self.blocks = build::blocks(&plan)?;
            }
        }
        for (columns, p) in self.populations.iter_mut().zip(&plan.populations) {
            columns.adopt(p);
        }
        self.drives = plan.drives.iter().map(|d| drive::Draws::new(plan.seed, d)).collect();
        self.plan = plan;
        Ok(())
    }

    /// The network at this step, apart from the engine.
    pub fn save(&self) -> State {
        let mut due = self.calendar.due(self.step, self.plan.slots, &self.blocks);
        self.procedural.save(self.step, &mut due);
        State {
            step: self.step,
            scales: self.plan.populations.iter().map(|p| p.scale.clone()).collect(),
            values: self.populations.iter().map(|c| c.states.clone()).collect(),
            due,
        }
    }

    /// Goes on from a state that fits the plan.
    pub fn restore(&mut self, state: &State) {
        self.step = state.step;
        self.calendar.take_over(state.due.clone());
        self.procedural.clear();
        for (columns, values) in self.populations.iter_mut().zip(&state.values) {
            columns.states.clone_from(values);
            columns.stale = true;
        }
    }

    /// Advances by `steps` and gives what happened.
    pub fn advance(&mut self, steps: u64) -> Result<Harvest, String> {
        let mut harvest = Harvest { from: self.step, to: self.step + steps, ..Harvest::default() };
        let before = self.phases.events;
        pulp::Arch::new().dispatch(Steps { plan: &self.plan.clone(), engine: self, steps, harvest: &mut harvest });
        harvest.events = self.phases.events - before;
        self.check_finite()?;
        Ok(harvest)
    }

    #[inline(always)]
    fn one_step(&mut self, plan: &Plan, harvest: &mut Harvest) {
        let now = self.step + 1;
        let due = &mut self.due[..];
        self.calendar.deliver(now, &self.blocks, due);
        self.procedural.deliver(now, due);
        for (drive, draws) in plan.drives.iter().zip(&mut self.drives) {
            draws.apply(drive, self.step, due);
        }
        let first_spike = harvest.spikes.len();
        for (p, (population, columns)) in plan.populations.iter().zip(&mut self.populations).enumerate() {
            currents::set(plan, p, self.step, columns);
            columns.update(population, due, |neuron| harvest.spikes.push(Spike { step: now as u32, neuron: population.first + neuron }));
        }
        due.fill(0);
        for spike in &harvest.spikes[first_spike..] {
            self.phases.events += u64::from(self.calendar.spike(now, spike.neuron, &self.blocks));
            self.phases.events += self.procedural.spike(now, spike.neuron, plan);
        }
        self.phases.spikes += (harvest.spikes.len() - first_spike) as u64;
        self.sample(plan, now, harvest);
        self.step = now;
    }

    fn sample(&self, plan: &Plan, now: u64, harvest: &mut Harvest) {
        for (i, probe) in plan.probes.iter().enumerate() {
            if now.is_multiple_of(probe.every) {
                let column = &self.populations[probe.population].states[probe.variable];
                let values = (0..probe.of.len()).map(|k| column[probe.of.get(k) as usize]).collect();
                harvest.samples.push(Sample { probe: i as u32, step: now as u32, values });
            }
        }
    }

    fn check_finite(&self) -> Result<(), String> {
        for (plan, columns) in self.plan.populations.iter().zip(&self.populations) {
            for (name, column) in plan.states.iter().zip(&columns.states) {
                if let Some(i) = column.iter().position(|x| !x.is_finite()) {
                    return Err(plan.not_finite(name, i, self.step as f64 * self.plan.dt));
                }
            }
        }
        Ok(())
    }
}

/// Steps to be run with the widest vectors of this processor. A closure would not do: it is not inlined into the code
/// that has them. The results are the same, since nothing is contracted or reordered.
struct Steps<'a> {
    plan: &'a Plan,
    engine: &'a mut Cpu,
    steps: u64,
    harvest: &'a mut Harvest,
}

impl pulp::NullaryFnOnce for Steps<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for _ in 0..self.steps {
            self.engine.one_step(self.plan, self.harvest);
        }
    }
}

/// A number spread over a population.
fn column(number: &Number, size: u32) -> Vec<f32> {
    match number {
        Number::Uniform(x) => vec![*x; size as usize],
        Number::Column(c) => c.clone(),
    }
}
