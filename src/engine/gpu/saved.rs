//! Weights that change and histories of targets between a device and a state of the network. Knows no kernel.

use super::memory::{Memory, Shard, WORK_HEAD, read};
use super::wires::Format;
use super::{Device, modulators, wires};
use crate::plan::{History, Plan, ProjectionPlan, Synapses, Traced, histories, modulated};

impl Memory {
    /// Says for the next batch whether all synapses are to be settled (1), or looked at (2), and up to which step they are settled.
    pub fn tell(&self, device: &Device, list: u32, full: u32, settled: Option<u32>) {
        let write = |word: u32, value: u32| device.queue.write_buffer(&self.work, u64::from(word) * 4, bytemuck::bytes_of(&value));
        write(4 + list, full);
        settled.into_iter().for_each(|step| write(6 + list, step));
    }

    /// The events of targets that have not yet acted on every synapse at step `now`, and what rules read of them.
    pub fn histories(&self, plan: &Plan, device: &Device, now: u32) -> Result<Vec<History>, String> {
        let mut out = histories(plan);
        for shard in &self.shards {
            for stand in &shard.stands {
                let mut words = read(device, &shard.state, u64::from(stand.first) * 4, u64::from(stand.words()) * 4)?;
                stand.put(plan, &mut words, now, plan.ring as u32 - 1, &mut out[stand.targets]);
            }
        }
        for h in &mut out {
            h.spikes.sort_unstable();
            h.conditions.sort_unstable();
        }
        Ok(out)
    }

    /// Puts histories into place, of a network at step `now`, up to which all spikes have acted.
    pub fn put_histories(&self, plan: &Plan, device: &Device, all: &[History], now: u32) {
        for shard in &self.shards {
            for stand in &shard.stands {
                let words = stand.of(plan, &all[stand.targets], now);
                device.queue.write_buffer(&shard.state, u64::from(stand.first) * 4, bytemuck::cast_slice(&words));
            }
        }
        device.queue.write_buffer(&self.work, WORK_HEAD - 16, bytemuck::cast_slice(&[0, 0, now, now]));
        device.queue.submit([]);
    }

    /// What modulators have now.
    pub fn modulators(&self, plan: &Plan, device: &Device) -> Result<Vec<Traced>, String> {
        let mut out = modulated(plan);
        for (k, (m, into)) in plan.modulators.iter().zip(&mut out).enumerate() {
            let at = WORK_HEAD + 4 * u64::from(modulators::place(plan, self.sizes, k));
            modulators::last(&m.traces, &read(device, &self.work, at, modulators::bytes(&m.traces))?, into);
        }
        Ok(out)
    }

    /// Puts modulators into place.
    pub fn put_modulators(&self, plan: &Plan, device: &Device, all: &[Traced]) {
        for (k, (m, traced)) in plan.modulators.iter().zip(all).enumerate() {
            let at = WORK_HEAD + 4 * u64::from(modulators::place(plan, self.sizes, k));
            device.queue.write_buffer(&self.work, at, bytemuck::cast_slice(&modulators::begin(&m.traces, traced)));
        }
        device.queue.submit([]);
    }

    /// Copies of the weights of all shards, to be put back.
    pub fn copied(&self, device: &Device) -> Vec<wgpu::Buffer> {
        let mut encoder = device.device.create_command_encoder(&Default::default());
        let copy = |s: &Shard| {
            let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
            let made = wgpu::BufferDescriptor { label: None, size: s.weights.size(), usage, mapped_at_creation: false };
            let copy = device.device.create_buffer(&made);
            encoder.copy_buffer_to_buffer(&s.weights, 0, &copy, 0, s.weights.size());
            copy
        };
        let copies = self.shards.iter().map(copy).collect();
        device.queue.submit([encoder.finish()]);
        copies
    }

    pub fn put_back(&self, device: &Device, copies: &[wgpu::Buffer]) {
        let mut encoder = device.device.create_command_encoder(&Default::default());
        self.shards.iter().zip(copies).for_each(|(s, copy)| encoder.copy_buffer_to_buffer(copy, 0, &s.weights, 0, s.weights.size()));
        device.queue.submit([encoder.finish()]);
    }

    /// Calls `each(shard, word of its weights)` for the synapses of a projection, in canonical order.
    fn each_weight(&self, plan: &Plan, projection: usize, mut each: impl FnMut(usize, usize)) {
        let p = &plan.projections[projection];
        // More rows than 2^32 have been refused before.
        let first = wires::first_rows(plan).map_or_else(|_| Vec::new(), |rows| rows.0);
        let (mut drawn, mut all) = (Vec::new(), Synapses::new(plan.seed, p));
        let pieces = self.shards.iter().enumerate();
        let here: Vec<_> =
            pieces.filter_map(|(i, s)| s.pieces.iter().find(|piece| piece.population == p.target).map(|piece| (i, piece))).collect();
        let mut next = vec![0; self.shards.len()];
        for source in 0..p.from.len() {
            for (i, _) in &here {
                next[*i] = self.shards[*i].rows.begin(first[projection] + source, Format::Plastic);
            }
            drawn.clear();
            all.row(source, &mut drawn);
            for d in &drawn {
                let Some((i, _)) = here.iter().find(|(_, piece)| (piece.from..piece.to).contains(&d.target)) else { continue };
                let [synapse, word] = self.shards[*i].rows.origin(projection);
                each(*i, (word + next[*i] - synapse) as usize);
                next[*i] += 1;
            }
        }
    }

    /// The weights of a projection, in canonical order.
    pub fn weights(&self, plan: &Plan, device: &Device, projection: usize) -> Result<Vec<f32>, String> {
        let words =
            self.shards.iter().map(|s| read(device, &s.weights, 0, u64::from(s.rows.weight_words) * 4)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.ordered(plan, projection, &words))
    }

    fn ordered(&self, plan: &Plan, projection: usize, words: &[Vec<u32>]) -> Vec<f32> {
        let mut out = Vec::with_capacity(plan.projections[projection].wiring.counted() as usize);
        self.each_weight(plan, projection, |shard, at| out.push(f32::from_bits(words[shard][at])));
        out
    }

    /// By projection whose weights change: all of them, in canonical order; and what else their synapses keep, value by value.
    pub fn all_weights(&self, plan: &Plan, device: &Device) -> Result<[Vec<Vec<f32>>; 2], String> {
        let (mut weights, mut kept) = (Vec::new(), Vec::new());
        let changing: Vec<(usize, &ProjectionPlan)> = plan.projections.iter().enumerate().filter(|(_, p)| p.plastic.is_some()).collect();
        if changing.is_empty() {
            return Ok([weights, kept]);
        }
        let words =
            self.shards.iter().map(|s| read(device, &s.weights, 0, u64::from(s.rows.weight_words) * 4)).collect::<Result<Vec<_>, _>>()?;
        for (i, p) in changing {
            weights.push(self.ordered(plan, i, &words));
            let values = p.plastic.as_ref().map_or(0, |w| w.kept.len());
            let mut all = vec![Vec::new(); values];
            if values > 0 {
                self.each_weight(plan, i, |shard, at| {
                    let column = |v: usize| at + (v + 1) * self.shards[shard].rows.count(i) as usize;
                    all.iter_mut().enumerate().for_each(|(v, out)| out.push(f32::from_bits(words[shard][column(v)])));
                });
            }
            kept.push(all.concat());
        }
        Ok([weights, kept])
    }

    /// Puts what synapses keep beside their weights into place.
    pub fn put_kept(&self, plan: &Plan, device: &Device, all: &[Vec<f32>]) {
        let changing = plan.projections.iter().enumerate().filter(|(_, p)| p.plastic.is_some());
        for ((i, p), kept) in changing.zip(all) {
            let values = p.plastic.as_ref().map_or(0, |w| w.kept.len());
            for column in kept.chunks_exact((kept.len() / values.max(1)).max(1)).take(values).enumerate() {
                self.put_column(plan, device, i, (column.0 + 1, column.1));
            }
        }
    }

    /// Puts weights of a state into place.
    pub fn put_weights(&self, plan: &Plan, device: &Device, all: &[Vec<f32>]) {
        let changing = plan.projections.iter().enumerate().filter(|(_, p)| p.plastic.is_some());
        for ((i, _), weights) in changing.zip(all) {
            self.put_column(plan, device, i, (0, weights));
        }
    }

    /// Puts one value of each synapse of a projection into place: 0 is the weight.
    fn put_column(&self, plan: &Plan, device: &Device, projection: usize, (number, column): (usize, &[f32])) {
        let mut first: Vec<Option<usize>> = vec![None; self.shards.len()];
        let mut values: Vec<Vec<f32>> = vec![Vec::new(); self.shards.len()];
        let mut column = column.iter();
        self.each_weight(plan, projection, |shard, at| {
            first[shard].get_or_insert(at);
            values[shard].extend(column.next());
        });
        for ((shard, first), values) in self.shards.iter().zip(first).zip(values) {
            // Rows of a projection lie one behind the other.
            if let (Some(first), false) = (first, values.is_empty()) {
                let at = first + number * shard.rows.count(projection) as usize;
                device.queue.write_buffer(&shard.weights, at as u64 * 4, bytemuck::cast_slice(&values));
            }
        }
        device.queue.submit([]);
    }
}

/// What synapses keep as a run begins.
pub fn kept_at_first(plan: &Plan) -> Vec<Vec<f32>> {
    let of = |p: &ProjectionPlan| {
        let count = p.wiring.counted() as usize;
        p.plastic.as_ref().map(|w| w.kept.iter().flat_map(|x| std::iter::repeat_n(*x, count)).collect())
    };
    plan.projections.iter().filter_map(of).collect()
}

/// What modulators have as a run begins.
pub fn modulated_at_first(plan: &Plan) -> Vec<Traced> {
    let of = |m: &crate::plan::ModulatorPlan| Traced { values: m.traces.initial.iter().map(|x| vec![*x]).collect(), last: vec![0] };
    plan.modulators.iter().map(of).collect()
}
