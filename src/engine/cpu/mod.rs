//! The CPU engine. Neurons in slices by thread, states in columns, blocks that stay in L1, stored rows of synapses, i32 inputs.
//!
//! Steps are taken in batches no longer than the shortest delay: nothing that spikes in a batch arrives in it. The laws of a
//! batch of steps k (each from k to k+1), in order, for every thread on its own neurons:
//! 1. *deliver*: of every row under way, the run that is due at k+1 is added to the sums of k+1.
//! 2. *drive*: counts and replayed spikes that arrive at k+1 are added too.
//! 3. *update*: every block of neurons goes through all steps of the batch: currents take their value of k, states are
//!    integrated over the step, sums are taken and cleared, thresholds tested, spikes and samples reported.
//! 4. *wait*: the spikes are published, and all threads meet.
//! 5. *spread*: the rows of every neuron that spiked at k+1 are under way, due from k+2 on; procedural ones are drawn now,
//!    into the sums of the steps to come.
//!
//! Sums are integers, so the result depends on neither the number of threads nor the batches.

mod bound;
mod build;
mod calendar;
mod change;
mod changing;
mod currents;
mod drift;
mod drive;
mod exchange;
mod gaps;
mod histories;
mod learning;
mod part;
mod partition;
mod phases;
mod plastic;
mod procedural;
mod ring;
mod rows;
mod setup;
mod slice;
mod sums;
mod update;
mod watch;

use std::ops::Range;
use std::sync::Arc;

use bound::Bound;
use exchange::Exchange;
use part::Part;
use partition::Owners;
pub use phases::Phases;
pub use setup::Setup;

use crate::plan::{self, Harvest, Plan, Sample, Spike, State, too_much};

/// A network in memory, at a step.
pub struct Cpu {
    plan: Arc<Plan>,
    step: u64,
    owners: Owners,
    /// One for each thread.
    parts: Vec<Part>,
    clock: Option<fn() -> f64>,
    /// What the rows can bring in one step.
    bound: Bound,
    /// The neurons that are stepped here.
    slice: Range<u32>,
    /// Synaptic events that have been told.
    told: u64,
}

impl Cpu {
    /// Builds the network for as many threads as pay: all memory is taken here.
    pub fn new(plan: Arc<Plan>) -> Result<Self, String> {
        Self::with(plan, Setup::default())
    }

    /// Builds the network as it is told.
    pub fn with(plan: Arc<Plan>, setup: Setup) -> Result<Self, String> {
        let slice = 0..plan.neurons;
        Self::of(plan, slice, setup)
    }

    /// An engine of the neurons in `slice` alone. Spikes of all others come by `accept`.
    pub fn of(plan: Arc<Plan>, slice: Range<u32>, setup: Setup) -> Result<Self, String> {
        slice::check(&plan, &slice)?;
        let (threads, batch) = (setup.threads(&plan), setup.batch(&plan));
        let shares = partition::partition(&slice::ranges(&plan, &slice), threads);
        let owners = Owners::new(plan.populations.len(), &shares);
        let owned: Vec<usize> = shares.iter().map(|of| partition::numbers(of)).collect();
        shares.iter().try_for_each(|s| plastic::check(&plan, s))?;
        let layers = changing::layers(&plan, &owners, &owned)?;
        let kinds = build::kinds(&plan);
        let part = |(shares, layers)| Part::new(&plan, shares, layers, kinds.clone(), batch);
        let parts: Vec<Part> = shares.into_iter().zip(layers).map(part).collect();
        let bound = Bound::new(&plan, &parts);
        bound.check(&plan)?;
        Ok(Self { step: 0, owners, parts, clock: None, bound, slice, told: 0, plan })
    }

    pub fn step(&self) -> u64 {
        self.step
    }

    /// Threads that step the network.
    pub fn threads(&self) -> usize {
        self.parts.len()
    }

    /// Steps that are taken at once.
    pub fn batch(&self) -> u64 {
        self.parts.first().map_or(1, Part::batch)
    }

    /// From now on the seconds of each phase are measured by this clock.
    pub fn measure(&mut self, clock: fn() -> f64) {
        self.clock = Some(clock);
    }

    /// Where the time went so far.
    pub fn phases(&self) -> Phases {
        let mut all = Phases::default();
        self.parts.iter().for_each(|p| all.add(&p.phases));
        all
    }

    /// Bytes taken by the stored synapses.
    pub fn synapse_bytes(&self) -> u64 {
        self.parts.iter().flat_map(|p| p.rows.iter().chain(p.changing.rows())).map(rows::Block::bytes).sum::<u64>()
            + self.parts.iter().map(|p| p.plastic.bytes()).sum::<u64>()
    }

    /// State variable `variable` of a population, one value for each neuron.
    pub fn state(&self, population: usize, variable: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.plan.populations[population].size as usize];
        for (share, columns) in self.parts.iter().flat_map(|p| p.shares.iter().zip(&p.columns)) {
            if share.population == population {
                out[share.start as usize..share.end as usize].copy_from_slice(&columns.state(variable));
            }
        }
        out
    }

    /// Takes over the plan of an edit, which `plan::edit` has found to fit. State and inputs under way stay. After an error
    /// the engine goes on with the plan that it had.
    pub fn adopt(&mut self, plan: Arc<Plan>) -> Result<(), String> {
        if self.plan.projections.iter().zip(&plan.projections).any(|(a, b)| a.reweighed(b)) {
            self.reweigh(&plan)?;
        } else if self.plan.projections.iter().zip(&plan.projections).any(|(a, b)| a.plastic != b.plastic) {
            // The largest of weights that change may have become larger.
            let bound = Bound::new(&plan, &self.parts);
            bound.check(&plan)?;
            self.bound = bound;
        } else {
            // Drives may have become larger. What is under way is of the same rows.
            self.bound.check(&plan)?;
        }
        // Weights that change take the spikes so far into account by the rule that held when they came.
        let settled = plan::other_changes(&self.plan, &plan).then(|| self.save());
        self.parts.iter_mut().for_each(|p| p.adopt(&plan));
        if let Some(state) = settled {
            self.parts.iter_mut().for_each(|p| p.plastic.restore(&plan, &state));
        }
        self.plan = plan;
        Ok(())
    }

    /// Other weights; what is under way keeps those that it left with.
    fn reweigh(&mut self, plan: &Plan) -> Result<(), String> {
        let due = self.due();
        if too_much(&due).is_some() {
            return Err("the inputs under way are too large for other weights to be added to them: let them arrive first".into());
        }
        let both = || self.plan.projections.iter().zip(&plan.projections);
        let turned = both().any(|(a, b)| (a.weight.law.min() < 0) != (b.weight.law.min() < 0));
        let mut layers = None;
        if turned || both().any(|(a, b)| build::stored(a) || build::stored(b)) {
            let owned: Vec<usize> = self.parts.iter().map(|p| partition::numbers(&p.shares)).collect();
            layers = Some(changing::layers(plan, &self.owners, &owned)?);
        }
        let mut swap = |parts: &mut [Part], kinds: Vec<rows::Kind>| {
            for (i, part) in parts.iter_mut().enumerate() {
                part.reweigh(&kinds);
                if let Some(layers) = &mut layers {
                    part.swap(&mut layers[i]);
                }
            }
        };
        swap(&mut self.parts, build::kinds(plan));
        let bound = Bound::new(plan, &self.parts);
        if let Err(e) = bound.check(plan) {
            swap(&mut self.parts, build::kinds(&self.plan));
            return Err(e);
        }
        self.bound = bound;
        self.take_over(&due);
        Ok(())
    }

    /// The network at this step, apart from the engine.
    pub fn save(&self) -> State {
        let values =
            |(p, population): (usize, &crate::plan::PopulationPlan)| (0..population.states.len()).map(|v| self.state(p, v)).collect();
        let mut state = State {
            step: self.step,
            scales: self.plan.populations.iter().map(|p| p.scale.clone()).collect(),
            values: self.plan.populations.iter().enumerate().map(values).collect(),
            due: self.due(),
            traces: self.parts.first().map_or_else(Vec::new, |p| p.changing.traces.save()),
            histories: plan::histories(&self.plan),
            weights: self.per_synapse(|_| 1),
            kept: self.per_synapse(|plastic| plastic.kept.len()),
            modulators: plan::modulated(&self.plan),
        };
        for part in &self.parts {
            part.plastic.save(&self.plan, self.step as u32, &part.changing.traces, &mut state);
        }
        state.histories.iter_mut().for_each(|h| {
            h.spikes.sort_unstable();
            h.conditions.sort_unstable();
        });
        state
    }

    /// Room for so many values of every synapse of each projection whose weights change.
    fn per_synapse(&self, values: impl Fn(&plan::Plastic) -> usize) -> Vec<Vec<f32>> {
        let of = |p: &plan::ProjectionPlan| p.plastic.as_ref().map(|w| vec![0.0; p.wiring.counted() as usize * values(w)]);
        self.plan.projections.iter().filter_map(of).collect()
    }

    /// The weights of a projection, in canonical order and units of the largest, if they change: as they would be if every synapse
    /// had an event now.
    pub fn weights(&self, projection: usize) -> Option<Vec<f32>> {
        let p = self.plan.projections.get(projection).filter(|p| p.plastic.is_some())?;
        let mut out = vec![0.0; p.wiring.counted() as usize];
        for part in &self.parts {
            part.plastic.weights(&self.plan, projection, self.step as u32, &part.changing.traces, &mut out);
        }
        Some(out)
    }

    /// All that is under way: entry d is due at step + 1 + d.
    fn due(&self) -> Vec<Vec<i32>> {
        let mut due = vec![vec![0i32; self.plan.slots]; self.plan.ring - 1];
        self.parts.iter().for_each(|p| p.due(&self.plan, self.step, &mut due));
        due
    }

    fn take_over(&mut self, due: &[Vec<i32>]) {
        self.parts.iter_mut().for_each(|p| p.take_over(&self.plan, due));
    }

    /// Goes on from a state that fits the plan.
    pub fn restore(&mut self, state: &State) {
        self.step = state.step;
        self.take_over(&state.due);
        for part in &mut self.parts {
            part.changing.traces.restore(&state.traces);
            part.plastic.restore(&self.plan, state);
            for (share, columns) in part.shares.iter().zip(&mut part.columns) {
                let range = share.start as usize..share.end as usize;
                for (v, values) in state.values[share.population].iter().enumerate() {
                    columns.set_state(v, &values[range.clone()]);
                }
                columns.stale = true;
            }
        }
    }

    /// Advances by `steps` and gives what happened.
    pub fn advance(&mut self, steps: u64) -> Result<Harvest, String> {
        self.check_steps(steps)?;
        let (from, clock, plan) = (self.step, self.clock, &*self.plan);
        let exchange = Exchange::new(self.parts.len());
        let run = |(thread, part): (usize, &mut Part)| {
            let _guard = exchange.guard();
            pulp::Arch::new().dispatch(Steps { plan, part, thread, exchange: &exchange, from, steps, clock })
        };
        let ran = match &mut self.parts[..] {
            [only] => run((0, only)),
            parts => std::thread::scope(|scope| {
                let mut threads = parts.iter_mut().enumerate();
                let mine = threads.next();
                let run = &run;
                let others: Vec<_> = threads.map(|t| scope.spawn(move || run(t))).collect();
                let ran = mine.is_none_or(run);
                others.into_iter().all(|t| t.join().is_ok_and(|ran| ran)) && ran
            }),
        };
        if !ran {
            return Err("a thread of the CPU engine has failed".into());
        }
        self.step = from + steps;
        self.check_finite()?;
        let (spikes, samples) = (self.spikes(), self.samples());
        let events = self.phases().events;
        let before = std::mem::replace(&mut self.told, events);
        Ok(Harvest { from, to: self.step, spikes, samples, events: events - before })
    }

    /// The spikes of all threads. Each gives a sorted run, and sorting knows runs.
    fn spikes(&mut self) -> Vec<Spike> {
        let mut spikes = std::mem::take(&mut self.parts[0].spikes);
        self.parts[1..].iter_mut().for_each(|p| spikes.append(&mut p.spikes));
        if self.parts.len() > 1 {
            spikes.sort();
        }
        spikes
    }

    /// The samples of all threads: every one has its part of each.
    fn samples(&mut self) -> Vec<Sample> {
        let mut samples = std::mem::take(&mut self.parts[0].samples);
        for part in &mut self.parts[1..] {
            samples.iter_mut().zip(part.samples.drain(..)).for_each(|(all, mut more)| all.values.append(&mut more.values));
        }
        samples
    }

    fn check_finite(&self) -> Result<(), String> {
        if let Some(wrong) = self.parts.first().and_then(|p| p.changing.traces.not_finite(&self.plan)) {
            return Err(wrong);
        }
        match self.parts.iter().filter_map(|p| p.broken).min() {
            None => Ok(()),
            Some((p, v, i)) => {
                let plan = &self.plan.populations[p];
                Err(plan.not_finite(&plan.states[v], i, self.step, self.plan.dt))
            }
        }
    }
}

/// Steps to be run with the widest vectors of this processor. A closure would not do: it is not inlined into the code
/// that has them. The results are the same, since nothing is contracted or reordered.
struct Steps<'a> {
    plan: &'a Plan,
    part: &'a mut Part,
    thread: usize,
    exchange: &'a Exchange,
    from: u64,
    steps: u64,
    clock: Option<fn() -> f64>,
}

impl pulp::NullaryFnOnce for Steps<'_> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        let ran = self.part.run(self.plan, self.thread, self.exchange, self.from, self.steps, self.clock);
        self.part.broken = self.part.not_finite();
        ran
    }
}
