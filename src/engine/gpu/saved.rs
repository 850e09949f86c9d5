//! Weights that change and histories of targets between a device and a state of the network. Knows no kernel.

use super::memory::{Memory, WORK_HEAD, read};
use super::wires::Format;
use super::{Device, wires};
use crate::plan::{History, Plan, Synapses, histories};

impl Memory {
    /// Says for the next batch whether all synapses are to be settled, and up to which step they are.
    pub fn tell(&self, device: &Device, list: u32, full: bool, settled: Option<u32>) {
        let write = |word: u32, value: u32| device.queue.write_buffer(&self.work, u64::from(word) * 4, bytemuck::bytes_of(&value));
        write(4 + list, u32::from(full));
        settled.into_iter().for_each(|step| write(6 + list, step));
    }

    /// The spikes of targets that have not yet acted on every synapse at step `now`.
    pub fn histories(&self, plan: &Plan, device: &Device, now: u32) -> Result<Vec<History>, String> {
        let mut out = histories(plan);
        for shard in &self.shards {
            for stand in &shard.stands {
                let mut words = read(device, &shard.state, u64::from(stand.first) * 4, u64::from(stand.words()) * 4)?;
                stand.put(&plan.targets[stand.targets], &mut words, now, plan.ring as u32 - 1, &mut out[stand.targets]);
            }
        }
        out.iter_mut().for_each(|h| h.spikes.sort_unstable());
        Ok(out)
    }

    /// Puts histories into place, of a network at step `now`, up to which all spikes have acted.
    pub fn put_histories(&self, plan: &Plan, device: &Device, all: &[History], now: u32) {
        for shard in &self.shards {
            for stand in &shard.stands {
                let words = stand.of(&plan.targets[stand.targets], &all[stand.targets]);
                device.queue.write_buffer(&shard.state, u64::from(stand.first) * 4, bytemuck::cast_slice(&words));
            }
        }
        device.queue.write_buffer(&self.work, WORK_HEAD - 16, bytemuck::cast_slice(&[0, 0, now, now]));
        device.queue.submit([]);
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

    /// By projection whose weights change: all of them, in canonical order.
    pub fn all_weights(&self, plan: &Plan, device: &Device) -> Result<Vec<Vec<f32>>, String> {
        let changing: Vec<usize> = (0..plan.projections.len()).filter(|i| plan.projections[*i].plastic.is_some()).collect();
        if changing.is_empty() {
            return Ok(Vec::new());
        }
        let words =
            self.shards.iter().map(|s| read(device, &s.weights, 0, u64::from(s.rows.weight_words) * 4)).collect::<Result<Vec<_>, _>>()?;
        Ok(changing.into_iter().map(|i| self.ordered(plan, i, &words)).collect())
    }

    /// Puts weights of a state into place.
    pub fn put_weights(&self, plan: &Plan, device: &Device, all: &[Vec<f32>]) {
        let changing = plan.projections.iter().enumerate().filter(|(_, p)| p.plastic.is_some());
        for ((i, _), weights) in changing.zip(all) {
            let mut places: Vec<Vec<usize>> = self.shards.iter().map(|_| Vec::new()).collect();
            let mut values: Vec<Vec<f32>> = places.iter().map(|_| Vec::new()).collect();
            let mut weights = weights.iter();
            self.each_weight(plan, i, |shard, at| {
                places[shard].push(at);
                values[shard].extend(weights.next());
            });
            for ((shard, places), values) in self.shards.iter().zip(places).zip(values) {
                // Rows of a projection lie one behind the other.
                if let (Some(first), false) = (places.first(), values.is_empty()) {
                    device.queue.write_buffer(&shard.weights, *first as u64 * 4, bytemuck::cast_slice(&values));
                }
            }
            device.queue.submit([]);
        }
    }
}
