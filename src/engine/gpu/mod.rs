//! The GPU engine: WGSL kernels through wgpu. i32 inputs, work lists, target-range shards.
//!
//! The laws of a batch of steps k0+1 ..= k0+B, B at most the shortest delay, in order:
//! 1. *update* (one dispatch per shard): every neuron integrates B steps, zeroing each ring slot that it has read, logs its
//!    spikes and appends the chunks of their rows to work list b; list 1-b, which the delivery before has read, is emptied.
//!    What rules read of it is told step by step, and steps at which the condition of a rule holds are entered as spikes are.
//! 2. *deliver* (one dispatch per shard): every item of list b is added to the ring at step + delay, later than the batch.
//!
//! Where weights change, two dispatches more per shard:
//! 3. *change*: every row of such weights whose source has spiked in the batch is brought up to each of its spikes, in order, and
//!    its weights are added to the ring. The events of targets, which the update has put into their histories, act with their delay.
//! 4. *settle*: if a history could overflow in the next batch, all synapses are brought up to the end of this one. So none does.
//!
//! Where gap junctions couple neurons a batch is one step: the update reads what the one before has shown of the partners.
//!
//! The host waits only at the end of a submission of many batches, for its spikes and samples.

mod build;
mod classes;
mod coupled;
mod device;
mod emit;
mod events;
mod exact;
mod grain;
mod histories;
mod kernels;
mod memory;
mod modulators;
mod moving;
mod nearby;
mod plastic;
mod rows;
mod rules;
mod saved;
mod shards;
mod tables;
mod traces;
mod trouble;
mod wires;

use std::ops::Range;
use std::sync::Arc;

use crate::network::Wave;
use crate::plan::{
    DriveKind, Harvest, Keep, Plan, PopulationPlan, Sample, Spike, State, Traced, Traces, UNCHANGED, not_finite, other_changes,
};
pub use device::{Device, Listed, devices};
use kernels::Kernels;
use memory::Memory;

/// Sizes that a test or a bench may force. What is `None` is chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forced {
    /// Largest binding, bytes.
    pub binding: Option<u64>,
    /// Steps of a batch.
    pub batch: Option<u32>,
    /// Items of a work list.
    pub work: Option<u32>,
    /// Spikes of a submission.
    pub log: Option<u32>,
    /// Workgroups of a delivery.
    pub grid: Option<u32>,
    /// Threads of a workgroup; with it comes the grain of hardware.
    pub group: Option<u32>,
    /// Workgroups of a dispatch in one dimension.
    pub wide: Option<u32>,
    /// The host draws all rows of synapses.
    pub host: bool,
    /// Entries of the history of a neuron, a power of two.
    pub history: Option<u32>,
}

/// Steps of a submission, at most; whoever advances the engine asks for fewer where they take long.
const SPAN: u32 = 1024;
/// Steps of a batch, at most: an item holds its step in 8 bits.
const LONGEST_BATCH: u32 = 64;
/// Entries of the spike log and of a work list, at most.
const MOST: u64 = 1 << 22;

/// A network in the memory of a device, at a step.
pub struct Gpu {
    plan: Arc<Plan>,
    device: Arc<Device>,
    kernels: Kernels,
    memory: Memory,
    step: u64,
    batch: u32,
    grid: u32,
    /// Work list of the next batch.
    list: u32,
    /// Synapses that leave each neuron.
    degrees: Vec<u64>,
    /// The neurons that this engine owns.
    slice: Range<u32>,
    forced: Forced,
    /// Events of accepted spikes that no harvest has told yet.
    accepted: u64,
    /// The traces of the neurons outside of the slice.
    foreign: Traces,
}

impl Gpu {
    pub fn new(plan: Arc<Plan>, device: Arc<Device>, forced: Forced) -> Result<Self, String> {
        let all = 0..plan.neurons;
        Self::of(plan, device, all, forced)
    }

    /// An engine of the neurons in `slice` alone. Spikes of all others come by `accept`.
    pub fn of(plan: Arc<Plan>, device: Arc<Device>, slice: Range<u32>, forced: Forced) -> Result<Self, String> {
        if let Some(p) = plan.projections.iter().find(|p| p.procedural() && !wires::drawable(p)) {
            return Err(format!(
                "the GPU engine cannot draw rows of a fixed degree by distance, as from {} to {}, at every spike: p instead of the degree, \
                 storage = \"stored\", or --backend cpu",
                plan.populations[p.source].name, plan.populations[p.target].name
            ));
        }
        if !plan.gaps.is_empty() && slice != (0..plan.neurons) {
            return Err("gap junctions join neurons at every step: such a network is stepped whole".into());
        }
        if let Some(p) = plan.projections.iter().find(|p| p.plastic.is_some() && slice != (0..plan.neurons)) {
            return Err(format!(
                "an engine of some neurons alone cannot change the weights from {} to {}: the traces of their sources are elsewhere",
                plan.populations[p.source].name, plan.populations[p.target].name
            ));
        }
        let longest = match () {
            _ if !plan.gaps.is_empty() => 1,
            _ if plastic::any(&plan) => plastic::LONGEST_BATCH,
            _ => LONGEST_BATCH,
        };
        let batch = forced.batch.unwrap_or(longest).clamp(1, plan.shortest().min(u64::from(longest)) as u32);
        let (memory, kernels, degrees) = device.guarded(|| Self::build(&plan, &device, slice.clone(), batch, forced))?;
        let grid = forced.grid.unwrap_or(if device.listed.software { 64 } else { 1024 });
        let foreign = Traces::new(&plan);
        Ok(Self { plan, device, kernels, memory, step: 0, batch, grid, list: 0, degrees, slice, forced, accepted: 0, foreign })
    }

    fn build(plan: &Plan, device: &Device, slice: Range<u32>, batch: u32, forced: Forced) -> Result<(Memory, Kernels, Vec<u64>), String> {
        let (mut memory, classes, degrees) = Memory::new(plan, device, slice, batch, forced)?;
        let kernels = Kernels::new(device, &classes, memory.sizes.grain, plan, forced.wide)?;
        kernels.bind(device, &mut memory);
        // A pipeline that a driver cannot make may lose the device without a word, and rows are built by now.
        device.wait()?;
        Ok((memory, kernels, degrees))
    }

    pub fn step(&self) -> u64 {
        self.step
    }

    pub fn synapse_bytes(&self) -> u64 {
        self.memory.shards.iter().map(|s| s.synapses.size() + s.weights.size()).sum()
    }

    /// Bytes of the device's memory that the network takes.
    pub fn bytes(&self) -> u64 {
        self.memory.bytes()
    }

    /// Steps of a batch, and number of shards.
    pub fn shape(&self) -> (u32, usize) {
        (self.batch, self.memory.shards.len())
    }

    /// State variable `variable` of a population, one value for each neuron.
    pub fn state(&self, population: usize, variable: usize) -> Result<Vec<f32>, String> {
        let mut out = Vec::new();
        for shard in &self.memory.shards {
            let mut base = 0u64;
            for piece in &shard.pieces {
                let states = u64::from(self.plan.populations[piece.population].program.states);
                let len = u64::from(piece.len());
                if piece.population == population {
                    let words = memory::read(&self.device, &shard.state, (base + variable as u64 * len) * 4, len * 4)?;
                    out.extend(words.into_iter().map(f32::from_bits));
                }
                base += states * len;
            }
        }
        Ok(out)
    }

    /// Takes over the plan of an edit, which `plan::edit` has found to fit. State and inputs under way stay.
    pub fn adopt(&mut self, plan: Arc<Plan>) -> Result<(), String> {
        let device = self.device.clone();
        device.guarded(|| self.take_over(plan))
    }

    fn take_over(&mut self, plan: Arc<Plan>) -> Result<(), String> {
        // Weights that change take the spikes so far into account by the rule that held when they came.
        let settled = if other_changes(&self.plan, &plan) { Some(self.save()?) } else { None };
        if !self.memory.keeps(&self.plan, &plan) {
            // Another layout of the rows: everything is built anew, and goes on from here.
            let state = self.save()?;
            let (memory, kernels, degrees) = Self::build(&plan, &self.device, self.slice.clone(), self.batch, self.forced)?;
            (self.memory, self.kernels, self.degrees, self.plan, self.list) = (memory, kernels, degrees, plan, 0);
            self.restore(&state);
            return Ok(());
        }
        let classes = self.memory.adopt(&self.plan, &plan, &self.device)?;
        self.kernels.update(&self.device, &classes)?;
        self.kernels.bind(&self.device, &mut self.memory);
        self.plan = plan;
        settled.iter().for_each(|state| self.restore(state));
        Ok(())
    }

    /// Words of the rows of every shard: ends, synapses, weights.
    pub fn built(&self) -> Result<Vec<[Vec<u32>; 3]>, String> {
        self.memory.built(&self.device)
    }

    /// Brings all weights that change up to this step, which changes no bit of what follows.
    fn settle(&self, look: bool) -> Result<(), String> {
        if plastic::any(&self.plan) {
            self.memory.tell(&self.device, self.list, if look { 2 } else { 1 }, None);
            let mut encoder = self.device.device.create_command_encoder(&Default::default());
            let batch = [self.step as u32, 0, self.step as u32, self.list];
            self.kernels.settle(&mut encoder.begin_compute_pass(&Default::default()), &self.memory.shards, batch, self.grid);
            self.device.queue.submit([encoder.finish()]);
            self.memory.tell(&self.device, self.list, 0, Some(self.step as u32));
            self.device.wait()?;
        }
        Ok(())
    }

    /// The weights of a projection, in canonical order and units of the largest, if they change.
    pub fn weights(&self, projection: usize) -> Result<Option<Vec<f32>>, String> {
        let Some(plastic) = self.plan.projections.get(projection).and_then(|p| p.plastic.as_ref()) else { return Ok(None) };
        self.settle(false)?;
        if !moving::moves(plastic) {
            return self.memory.weights(&self.plan, &self.device, projection).map(Some);
        }
        // What moves between events is moved to this very step for the one who looks, and stays where it was.
        let copies = self.memory.copied(&self.device);
        self.settle(true)?;
        let weights = self.memory.weights(&self.plan, &self.device, projection);
        self.memory.put_back(&self.device, &copies);
        weights.map(Some)
    }

    /// The network at this step, apart from the engine.
    pub fn save(&self) -> Result<State, String> {
        self.settle(false)?;
        let [weights, kept] = self.memory.all_weights(&self.plan, &self.device)?;
        let values = |(p, population): (usize, &PopulationPlan)| (0..population.states.len()).map(|v| self.state(p, v)).collect();
        Ok(State {
            step: self.step,
            scales: self.plan.populations.iter().map(|p| p.scale.clone()).collect(),
            values: self.plan.populations.iter().enumerate().map(values).collect::<Result<_, _>>()?,
            due: self.memory.due(&self.plan, &self.device, self.step)?,
            traces: self.traces()?,
            histories: self.memory.histories(&self.plan, &self.device, self.step as u32)?,
            kept,
            modulators: self.memory.modulators(&self.plan, &self.device)?,
            weights,
        })
    }

    fn traces(&self) -> Result<Vec<Traced>, String> {
        let mut traces = self.foreign.save();
        self.memory.traces(&self.plan, &self.device, &mut traces)?;
        Ok(traces)
    }

    /// Goes on from a state that fits the plan.
    pub fn restore(&mut self, state: &State) {
        self.step = state.step;
        self.foreign.restore(&state.traces);
        self.memory.restore(&self.plan, &self.device, state);
    }

    /// Advances by `steps` and gives what happened.
    pub fn advance(&mut self, steps: u64) -> Result<Harvest, String> {
        let mut harvest = Harvest { from: self.step, to: self.step + steps, ..Harvest::default() };
        if harvest.to >= u64::from(u32::MAX) {
            return Err("the GPU engine counts steps in 32 bits: a longer dt or --backend cpu goes further".into());
        }
        if self.slice != (0..self.plan.neurons) {
            self.plan.reach(steps)?;
        }
        while self.step < harvest.to {
            let span = u64::from(self.memory.sizes.span).min(harvest.to - self.step);
            self.submit(span as u32)?;
            self.collect(span, &mut harvest)?;
        }
        Ok(harvest)
    }

    /// Takes spikes of neurons outside of the slice. Each must be so recent that none of its synapses is due yet: engines
    /// that advance by the shortest delay and then exchange their spikes give what one engine gives.
    pub fn accept(&mut self, spikes: &[Spike]) -> Result<(), String> {
        self.plan.recent(spikes, self.step)?;
        let (rows, _) = wires::first_rows(&self.plan)?;
        let first = spikes.iter().map(|s| s.step).min().unwrap_or(1).saturating_sub(1);
        let mut items: Vec<u32> = Vec::new();
        let mut factors = vec![UNCHANGED; self.plan.traces.len()];
        for spike in spikes.iter().filter(|s| !self.slice.contains(&s.neuron)) {
            let population = self.plan.populations.partition_point(|p| p.first + p.size <= spike.neuron);
            let index = spike.neuron - self.plan.populations[population].first;
            self.accepted += self.degrees[spike.neuron as usize];
            for (n, t) in self.plan.traces_of(population) {
                factors[n] = self.foreign.spike(t, n, index, spike.step);
            }
            for (i, p) in self.plan.projections.iter().enumerate().filter(|(_, p)| p.source == population) {
                let Some(source) = p.from.find(index) else { continue };
                let row = rows[i] + source;
                let t = spike.step - 1 - first;
                let factor = p.traces.map_or(UNCHANGED, |n| factors[n]);
                let words = self.memory.sizes.item as usize;
                for c in 0..self.memory.chunks[row as usize] {
                    items.extend_from_slice(&[row, (i as u32) << 8 | t, c, factor][..words]);
                }
            }
        }
        for portion in items.chunks((self.memory.sizes.item * self.memory.sizes.work) as usize) {
            self.memory.write_work(&self.device, self.list, portion);
            let mut encoder = self.device.device.create_command_encoder(&Default::default());
            let batch = [first, 0, first, self.list];
            self.kernels.deliver(&mut encoder.begin_compute_pass(&Default::default()), &self.memory.shards, batch, self.grid);
            encoder.clear_buffer(&self.memory.work, 4 * u64::from(self.list), Some(4));
            self.device.queue.submit([encoder.finish()]);
        }
        Ok(())
    }

    fn submit(&mut self, span: u32) -> Result<(), String> {
        self.write_waves(span);
        let mut encoder = self.device.device.create_command_encoder(&Default::default());
        let mut done = 0;
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            while done < span {
                let steps = self.batch.min(span - done);
                let batch = [self.step as u32 + done, steps, self.step as u32, self.list];
                self.kernels.batch(&mut pass, &self.memory.shards, batch, self.grid);
                self.list = 1 - self.list;
                done += steps;
            }
        }
        self.memory.copy_out(&mut encoder);
        encoder.clear_buffer(&self.memory.log, 0, Some(memory::HEAD));
        self.device.queue.submit([encoder.finish()]);
        self.step += u64::from(span);
        Ok(())
    }

    /// What is the same for all neurons and differs from step to step: currents, and shares of stepped rates.
    fn write_waves(&self, span: u32) {
        for (i, drive) in self.plan.drives.iter().enumerate() {
            let steps = self.step..self.step + u64::from(span);
            let values: Vec<u32> = match &drive.kind {
                DriveKind::Current { wave: Wave::Noise { .. }, .. } => continue,
                DriveKind::Current { wave, .. } => steps.map(|k| (wave.at(k, self.plan.dt).unwrap_or(0.0) as f32).to_bits()).collect(),
                DriveKind::Poisson { keep: keep @ (Keep::Steps(_) | Keep::Swing { .. }), .. } => steps.map(|k| keep.at(k)).collect(),
                _ => continue,
            };
            let at = i as u64 * u64::from(self.memory.sizes.span) * 4;
            self.device.queue.write_buffer(&self.memory.waves, at, bytemuck::cast_slice(&values));
        }
    }

    fn collect(&mut self, span: u64, harvest: &mut Harvest) -> Result<(), String> {
        let collected = self.memory.collect(&self.device)?;
        let [count, lost, broken, pushed] = collected.head;
        if lost > 0 || count > self.memory.sizes.log {
            let spikes = count.saturating_sub(self.memory.sizes.log);
            return Err(format!(
                "the network outgrew its lists: {lost} work items and {spikes} logged spikes were lost before {} ms; \
                 it is probably running away. --backend cpu has no such bound",
                self.step as f64 * self.plan.dt
            ));
        }
        if pushed > 0 {
            return Err(format!(
                "the histories of {} spikes of each target, or more where steps are events too, overflowed {pushed} times before {} ms, while \
                 synapses that change still needed them: --backend cpu has no such bound",
                self.memory.sizes.history,
                self.step as f64 * self.plan.dt
            ));
        }
        let first = harvest.spikes.len();
        harvest.spikes.extend(collected.spikes.chunks_exact(2).map(|w| Spike { step: w[0], neuron: w[1] }));
        harvest.spikes[first..].sort_unstable();
        harvest.events += std::mem::take(&mut self.accepted) + collected.events;
        harvest.events += harvest.spikes[first..].iter().map(|s| self.degrees[s.neuron as usize]).sum::<u64>();
        self.sampled(span, &collected.samples, harvest);
        if broken != 0 { Err(self.broken()?) } else { Ok(()) }
    }

    fn sampled(&self, span: u64, words: &[u32], harvest: &mut Harvest) {
        let before = self.step - span;
        let mut taken = Vec::new();
        for (i, probe) in self.plan.probes.iter().enumerate() {
            let base = tables::sample_base(&self.plan, i, self.memory.sizes.span) as usize;
            let len = probe.of.len() as usize;
            for (k, n) in (before / probe.every + 1..=self.step / probe.every).enumerate() {
                let values = words[base + k * len..base + (k + 1) * len].iter().map(|w| f32::from_bits(*w)).collect();
                taken.push(Sample { probe: i as u32, step: (n * probe.every) as u32, values });
            }
        }
        taken.sort_by_key(|s| (s.step, s.probe));
        harvest.samples.append(&mut taken);
    }

    /// Names the first number that is none.
    fn broken(&self) -> Result<String, String> {
        for (p, population) in self.plan.populations.iter().enumerate() {
            for (v, name) in population.states.iter().enumerate() {
                if let Some(i) = self.state(p, v)?.iter().position(|x| !x.is_finite()) {
                    return Ok(population.not_finite(name, i, self.step, self.plan.dt));
                }
            }
        }
        if let Some(wrong) = not_finite(&self.traces()?, &self.plan) {
            return Ok(wrong);
        }
        Ok("a state was no finite number and became one again".into())
    }
}
