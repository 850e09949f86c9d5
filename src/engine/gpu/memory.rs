//! All device memory of a network. Knows the layout of buffers and no kernel.

use super::build::{Builder, CHUNK};
use super::classes::Classes;
use super::shards::{self, Piece, SYNAPSE_BYTES};
use super::tables::{self, Sizes, Tables};
use super::{Device, Forced, MOST, SPAN};
use crate::plan::{Plan, State};

pub struct Shard {
    pub pieces: Vec<Piece>,
    pub groups: u32,
    pub state: wgpu::Buffer,
    pub synapses: wgpu::Buffer,
    pub update: [wgpu::Buffer; 4],
    pub ends: wgpu::Buffer,
    /// Number of synapses.
    pub count: u32,
    /// Slots of a row of the ring.
    pub slots: u32,
    pub bound: Option<[wgpu::BindGroup; 2]>,
}

impl Shard {
    /// Runs of slots: first here, first in the plan, length.
    fn each_run(&self, plan: &Plan, mut each: impl FnMut(usize, usize, usize)) {
        for piece in &self.pieces {
            let population = &plan.populations[piece.population];
            let len = piece.len() as usize;
            for r in 0..population.program.receptors as usize {
                each(piece.slot as usize + r * len, population.slot + r * population.size as usize + piece.from as usize, len);
            }
        }
    }
}

pub struct Memory {
    pub shards: Vec<Shard>,
    /// Ends of the rows by shard, and work items of a spike, by neuron.
    ends: Vec<Vec<u32>>,
    chunks: Vec<u32>,
    pub sizes: Sizes,
    pub waves: wgpu::Buffer,
    pub work: wgpu::Buffer,
    pub log: wgpu::Buffer,
    pub samples: wgpu::Buffer,
    /// What the host reads after a submission: the head of the log, its first spikes, the samples.
    staging: wgpu::Buffer,
    sample_bytes: u64,
}

/// What a submission brought, in words.
pub struct Collected {
    /// Spikes logged, work items lost, whether a state is broken, none.
    pub head: [u32; 4],
    pub spikes: Vec<u32>,
    pub samples: Vec<u32>,
}

/// The pieces of every shard, and the ends of its rows.
type Laid = (Vec<Vec<Piece>>, Vec<Vec<u32>>);

/// Spikes that are copied with every submission; more of them take a second copy.
const EAGER: u64 = 1 << 15;
const HEAD: u64 = 16;

impl Memory {
    pub fn new(plan: &Plan, device: &Device, batch: u32, forced: Forced) -> Result<(Self, Classes, Vec<u64>), String> {
        let limit = forced.binding.unwrap_or(device.limit).min(device.limit);
        let (cut, ends) = lay(plan, limit)?;
        let (chunks, degrees) = rows(plan, &ends);
        let sizes = sizes(plan, &chunks, batch, forced, limit);
        let mut classes = Classes::default();
        let tables: Vec<Tables> =
            cut.iter().enumerate().map(|(i, pieces)| tables::tables(plan, i, pieces, sizes, &chunks, &mut classes)).collect();
        let sample_words = plan.probes.iter().map(|p| u64::from(tables::samples(p.every, sizes.span)) * u64::from(p.of.len())).sum::<u64>();
        let waves = plan.drives.len() as u64 * u64::from(sizes.span) * 4;
        for (what, bytes) in
            [("samples of a submission: probe fewer neurons, or at a longer interval", sample_words * 4), ("currents", waves)]
        {
            if bytes > limit {
                return Err(format!("{bytes} bytes for {what}; this device binds {limit}"));
            }
        }
        if let Some(t) = tables.iter().find(|t| t.info.len().max(t.numbers.len()) as u64 * 4 > limit) {
            return Err(format!("tables of {} words pass what this device binds; --backend cpu has no such limit", t.info.len()));
        }
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let memory = Self {
            waves: buffer(device, waves, storage),
            work: buffer(device, HEAD + u64::from(sizes.work) * 2 * 8, storage),
            log: buffer(device, HEAD + u64::from(sizes.log) * 8, storage),
            samples: buffer(device, sample_words * 4, storage),
            staging: buffer(device, HEAD + EAGER * 8 + sample_words * 4, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            sample_bytes: sample_words * 4,
            shards: cut.iter().zip(&tables).zip(&ends).map(|((pieces, t), e)| shard(device, plan, pieces, t, e)).collect(),
            sizes,
            ends,
            chunks,
        };
        memory.fill(plan, device);
        Ok((memory, classes, degrees))
    }

    /// Draws all synapses and sends them.
    fn fill(&self, plan: &Plan, device: &Device) {
        let cut: Vec<Vec<Piece>> = self.shards.iter().map(|s| s.pieces.clone()).collect();
        Builder::new(plan, &cut, shards::delay_bits(plan)).fill(&self.ends, |s, first, words| {
            if !words.is_empty() {
                device.queue.write_buffer(&self.shards[s].synapses, first * SYNAPSE_BYTES, bytemuck::cast_slice(words));
            }
            // Written bytes wait in host memory until a submission takes them.
            device.queue.submit([]);
        });
    }

    /// Takes over the numbers of an edited plan; `weights` tells whether any weight changed. State and ring stay.
    pub fn adopt(&mut self, plan: &Plan, device: &Device, weights: bool) -> Classes {
        let mut classes = Classes::default();
        for (i, shard) in self.shards.iter_mut().enumerate() {
            let tables = tables::tables(plan, i, &shard.pieces, self.sizes, &self.chunks, &mut classes);
            shard.update[0] = filled(device, &tables.info);
            shard.update[1] = filled(device, &tables.numbers);
        }
        if weights {
            self.fill(plan, device);
        }
        classes
    }

    /// Inputs under way: entry d is due d steps after the next one, one sum for each slot of the plan.
    pub fn due(&self, plan: &Plan, device: &Device, step: u64) -> Result<Vec<Vec<i32>>, String> {
        let mut due = vec![vec![0; plan.slots]; plan.ring - 1];
        for shard in &self.shards {
            let ring = &shard.update[3];
            let words = read(device, ring, 0, plan.ring as u64 * u64::from(shard.slots) * 4)?;
            for (d, row) in due.iter_mut().enumerate() {
                let at = ((step + 1 + d as u64) % plan.ring as u64) as usize * shard.slots as usize;
                shard.each_run(plan, |here, there, len| {
                    row[there..there + len].copy_from_slice(bytemuck::cast_slice(&words[at + here..at + here + len]));
                });
            }
        }
        Ok(due)
    }

    /// Puts a state into place.
    pub fn restore(&self, plan: &Plan, device: &Device, state: &State) {
        for shard in &self.shards {
            let mut ring = vec![0i32; plan.ring * shard.slots as usize];
            for d in 0..plan.ring {
                let at = ((state.step + 1 + d as u64) % plan.ring as u64) as usize * shard.slots as usize;
                let row = state.row(d, plan.slots);
                shard.each_run(plan, |here, there, len| ring[at + here..at + here + len].copy_from_slice(&row[there..there + len]));
            }
            device.queue.write_buffer(&shard.update[3], 0, bytemuck::cast_slice(&ring));
            let values: Vec<f32> = shard
                .pieces
                .iter()
                .flat_map(|p| state.values[p.population].iter().flat_map(|v| &v[p.from as usize..p.to as usize]))
                .copied()
                .collect();
            if !values.is_empty() {
                device.queue.write_buffer(&shard.state, 0, bytemuck::cast_slice(&values));
            }
        }
        device.queue.submit([]);
    }

    pub fn copy_out(&self, encoder: &mut wgpu::CommandEncoder) {
        let spikes = u64::from(self.sizes.log).min(EAGER) * 8;
        encoder.copy_buffer_to_buffer(&self.log, 0, &self.staging, 0, HEAD + spikes);
        if self.sample_bytes > 0 {
            encoder.copy_buffer_to_buffer(&self.samples, 0, &self.staging, HEAD + EAGER * 8, self.sample_bytes);
        }
    }

    /// Waits for the submission.
    pub fn collect(&self, device: &Device) -> Result<Collected, String> {
        let mut collected = mapped(device, &self.staging, |bytes: &[u8]| {
            let words: &[u32] = bytemuck::cast_slice(bytes);
            let head = [words[0], words[1], words[2], words[3]];
            let eager = u64::from(head[0]).min(u64::from(self.sizes.log)).min(EAGER) as usize;
            let samples = words[(HEAD / 4 + EAGER * 2) as usize..][..(self.sample_bytes / 4) as usize].to_vec();
            Collected { head, spikes: words[4..4 + 2 * eager].to_vec(), samples }
        })?;
        let count = u64::from(collected.head[0].min(self.sizes.log));
        if count > EAGER {
            collected.spikes.extend(read(device, &self.log, HEAD + EAGER * 8, (count - EAGER) * 8)?);
        }
        Ok(collected)
    }
}

/// The cut, and the ends of the rows of every shard. A cut by expectation that turns out too tight is made finer.
fn lay(plan: &Plan, limit: u64) -> Result<Laid, String> {
    let mut slack = 1.02;
    loop {
        let cut = shards::cut(plan, limit, slack)?;
        let builder = Builder::new(plan, &cut, shards::delay_bits(plan));
        match builder.ends(limit / SYNAPSE_BYTES) {
            Ok(ends) => return Ok((cut, ends)),
            Err(_) if slack < 1e6 => slack *= 1.25,
            Err(_) => return Err(format!("one neuron receives more synapses than this device binds ({limit} bytes)")),
        }
    }
}

/// Work items and synapses of a spike, by neuron.
fn rows(plan: &Plan, ends: &[Vec<u32>]) -> (Vec<u32>, Vec<u64>) {
    let length = |e: &Vec<u32>, n: usize| e[n] - if n == 0 { 0 } else { e[n - 1] };
    let neurons = 0..plan.neurons as usize;
    let chunks = neurons.clone().map(|n| ends.iter().map(|e| length(e, n).div_ceil(CHUNK)).max().unwrap_or(0)).collect();
    let degrees = neurons.map(|n| ends.iter().map(|e| u64::from(length(e, n))).sum()).collect();
    (chunks, degrees)
}

fn sizes(plan: &Plan, chunks: &[u32], batch: u32, forced: Forced, limit: u64) -> Sizes {
    let items = chunks.iter().map(|c| u64::from(*c)).sum::<u64>() * u64::from(batch);
    let most = MOST.min((limit - HEAD) / 16);
    let neurons = u64::from(plan.neurons.max(1));
    // All neurons in every step fit, unless the network is so large that a submission of one batch would not.
    let span = (most / neurons).clamp(u64::from(batch), u64::from(SPAN.max(batch)));
    Sizes {
        work: forced.work.unwrap_or(items.min(most) as u32).max(1),
        log: forced.log.unwrap_or((neurons * span).min(most) as u32).max(1),
        span: span as u32,
    }
}

fn buffer(device: &Device, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.device.create_buffer(&wgpu::BufferDescriptor { label: None, size: bytes.max(16), usage, mapped_at_creation: false })
}

fn filled<T: bytemuck::NoUninit>(device: &Device, values: &[T]) -> wgpu::Buffer {
    let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
    let bytes: &[u8] = bytemuck::cast_slice(values);
    let buffer = buffer(device, bytes.len() as u64, storage);
    if !bytes.is_empty() {
        device.queue.write_buffer(&buffer, 0, bytes);
    }
    buffer
}

fn shard(device: &Device, plan: &Plan, pieces: &[Piece], tables: &Tables, ends: &[u32]) -> Shard {
    let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
    let state = filled(device, &tables.initial);
    let count = ends.last().copied().unwrap_or(0);
    let ring = buffer(device, plan.ring as u64 * u64::from(tables.slots) * 4, storage);
    Shard {
        pieces: pieces.to_vec(),
        groups: tables.groups,
        update: [filled(device, &tables.info), filled(device, &tables.numbers), state.clone(), ring],
        state,
        synapses: buffer(device, u64::from(count) * SYNAPSE_BYTES, storage),
        ends: filled(device, ends),
        count,
        slots: tables.slots,
        bound: None,
    }
}

/// Words of a buffer. Blocks until the device has them.
pub fn read(device: &Device, from: &wgpu::Buffer, at: u64, bytes: u64) -> Result<Vec<u32>, String> {
    if bytes == 0 {
        return Ok(Vec::new());
    }
    let staging = buffer(device, bytes, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
    let mut encoder = device.device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(from, at, &staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    mapped(device, &staging, |b: &[u8]| bytemuck::cast_slice(&b[..bytes as usize]).to_vec())
}

fn mapped<T>(device: &Device, staging: &wgpu::Buffer, take: impl FnOnce(&[u8]) -> T) -> Result<T, String> {
    let lost = |e: &dyn std::fmt::Display| format!("{} was lost: {e}", device.listed.name);
    let (send, receive) = std::sync::mpsc::channel();
    staging.map_async(wgpu::MapMode::Read, .., move |result| {
        // The receiver is gone only if this call has already failed.
        let _ = send.send(result);
    });
    device.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| lost(&e))?;
    receive.recv().map_err(|e| lost(&e))?.map_err(|e| lost(&e))?;
    let taken = take(&staging.get_mapped_range(..).map_err(|e| lost(&e))?);
    staging.unmap();
    Ok(taken)
}
