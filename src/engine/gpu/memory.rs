//! All device memory of a network. Knows the layout of buffers and no kernel.

use std::ops::Range;
use std::sync::Arc;

use super::build::{Buffers, Builder, Laid};
use super::classes::Classes;
use super::coupled;
use super::grain::Grain;
use super::histories::{self, Stand};
use super::kernels::Fixed;
use super::rows::{self, Rows};
use super::saved::{kept_at_first, modulated_at_first};
use super::shards::Piece;
use super::tables::{self, Sizes, Tables};
use super::traces::{self, Place};
use super::wires::{self, Format};
use super::{Device, Forced, MOST, SPAN, modulators, plastic};
use crate::plan::{Plan, State, Traced, Traces};

pub struct Shard {
    pub pieces: Vec<Piece>,
    pub groups: u32,
    pub info: wgpu::Buffer,
    pub numbers: wgpu::Buffer,
    /// States, then the histories of targets.
    pub state: wgpu::Buffer,
    pub stands: Vec<Stand>,
    /// The delay ring, then the traces.
    pub ring: wgpu::Buffer,
    traces: Vec<Place>,
    pub wires: wgpu::Buffer,
    pub ends: wgpu::Buffer,
    pub synapses: wgpu::Buffer,
    pub weights: wgpu::Buffer,
    pub rows: Rows,
    /// Slots of a row of the ring.
    pub slots: u32,
    /// Whether any row, stored or drawn, may reach it.
    pub receives: bool,
    pub bound: Option<[wgpu::BindGroup; 2]>,
    pub changes: Option<[wgpu::BindGroup; 2]>,
    pub modulate: Option<wgpu::BindGroup>,
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
    /// Work items of every row.
    pub chunks: Vec<u32>,
    kernels: Arc<Fixed>,
    pub sizes: Sizes,
    /// Largest binding, bytes, and whether the host draws all rows.
    limit: u64,
    host: bool,
    pub waves: wgpu::Buffer,
    /// Counters, work lists, lists of rows that change, traces of their sources.
    pub work: wgpu::Buffer,
    sources: Vec<Place>,
    pub log: wgpu::Buffer,
    /// Samples of a submission, then what coupled neurons show each other.
    pub samples: wgpu::Buffer,
    /// What the host reads after a submission: the head of the log, its first spikes, the samples.
    staging: wgpu::Buffer,
    sample_bytes: u64,
}

/// What a submission brought, in words.
pub struct Collected {
    /// Spikes logged, work items lost, whether a state is broken, entries of histories lost.
    pub head: [u32; 4],
    /// Synaptic events of rows that are not stored.
    pub events: u64,
    pub spikes: Vec<u32>,
    pub samples: Vec<u32>,
}

/// Spikes that are copied with every submission; more of them take a second copy.
const EAGER: u64 = 1 << 15;
/// Bytes before the spikes of the log, and before the items of the work list.
pub const HEAD: u64 = 32;
pub const WORK_HEAD: u64 = 32;

impl Memory {
    /// Also gives the synapses that leave each neuron in stored rows.
    pub fn new(plan: &Plan, device: &Device, slice: Range<u32>, batch: u32, forced: Forced) -> Result<(Self, Classes, Vec<u64>), String> {
        let limit = forced.binding.unwrap_or(device.limit).min(device.limit);
        let grain = Grain::of(device, forced);
        let kernels = Fixed::of(device, grain);
        let mut laid = Builder { plan, device, kernels: &kernels, limit, host: forced.host }.lay(slice)?;
        let (chunks, degrees) = rows::work(plan, &laid.rows, grain.chunk)?;
        let sizes = sizes(plan, &chunks, batch, (forced, grain), limit)?;
        let (sources, end) = plastic::sources(plan, sizes);
        for (i, ((pieces, wires), rows)) in laid.pieces.iter().zip(&mut laid.wires).zip(&laid.rows).enumerate() {
            plastic::enter(plan, wires, i, pieces, sizes, rows);
        }
        let mut classes = Classes::default();
        let tables: Vec<Tables> =
            laid.pieces.iter().enumerate().map(|(i, pieces)| tables::tables(plan, i, pieces, sizes, &chunks, &mut classes)).collect();
        let sample_words = plan.probes.iter().map(|p| u64::from(tables::samples(p.every, sizes.span)) * u64::from(p.of.len())).sum::<u64>();
        // With what coupled neurons show each other.
        let shown_bytes = (sample_words + 2 * coupled::words(plan)) * 4;
        let waves = plan.drives.len() as u64 * u64::from(sizes.span) * 4;
        for (what, bytes) in [("samples of a submission: probe fewer neurons, or at a longer interval", shown_bytes), ("currents", waves)] {
            if bytes > limit {
                return Err(format!("{bytes} bytes for {what}; this device binds {limit}"));
            }
        }
        if let Some(t) = tables.iter().find(|t| t.info.len().max(t.numbers.len()) as u64 * 4 > device.limit) {
            return Err(format!("tables of {} words pass what this device binds; --backend cpu has no such limit", t.info.len()));
        }
        let memory = Self {
            waves: buffer(device, waves, STORAGE),
            work: buffer(device, WORK_HEAD + 4 * (end + modulators::total(plan)), STORAGE),
            sources,
            log: buffer(device, HEAD + u64::from(sizes.log) * 8, STORAGE),
            samples: buffer(device, shown_bytes, STORAGE),
            staging: buffer(device, HEAD + EAGER * 8 + sample_words * 4, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            sample_bytes: sample_words * 4,
            shards: shards(device, plan, laid, &tables, sizes),
            sizes,
            chunks,
            kernels,
            limit,
            host: forced.host,
        };
        memory.fill(plan, device, |_| true)?;
        memory.show(device, &coupled::at_first(plan));
        memory.put_traces(device, &Traces::new(plan).save());
        memory.put_histories(plan, device, &histories::beginning(plan), 0);
        memory.put_kept(plan, device, &kept_at_first(plan));
        memory.put_modulators(plan, device, &modulated_at_first(plan));
        Ok((memory, classes, degrees))
    }

    /// Draws the rows of some projections into their places.
    fn fill(&self, plan: &Plan, device: &Device, which: impl Fn(usize) -> bool) -> Result<(), String> {
        let builder = Builder { plan, device, kernels: &self.kernels, limit: self.limit, host: self.host };
        for s in &self.shards {
            let buffers = Buffers { wires: &s.wires, ends: &s.ends, synapses: &s.synapses, weights: &s.weights };
            builder.fill(&s.pieces, &s.rows, &buffers, &which)?;
        }
        Ok(())
    }

    /// Whether the rows of an edited plan lie where they lay.
    pub fn keeps(&self, old: &Plan, new: &Plan) -> bool {
        old.projections.iter().zip(&new.projections).all(|(a, b)| Format::of(a) == Format::of(b))
    }

    /// Takes over the numbers of an edited plan whose rows keep their places. State and ring stay; rows whose weights have
    /// changed are drawn again where they lie.
    pub fn adopt(&mut self, old: &Plan, plan: &Plan, device: &Device) -> Result<Classes, String> {
        let mut classes = Classes::default();
        for (i, shard) in self.shards.iter_mut().enumerate() {
            let tables = tables::tables(plan, i, &shard.pieces, self.sizes, &self.chunks, &mut classes);
            shard.info = filled(device, &tables.info);
            shard.numbers = filled(device, &tables.numbers);
            let mut words = wires::wires(plan, &shard.pieces, super::shards::delay_bits(plan))?;
            shard.rows.enter(&mut words);
            plastic::enter(plan, &mut words, i, &shard.pieces, self.sizes, &shard.rows);
            shard.wires = filled(device, &words);
        }
        let kept = |i: usize| old.projections[i].plastic.is_some();
        self.fill(plan, device, |i| !kept(i) && old.projections[i].reweighed(&plan.projections[i]))?;
        Ok(classes)
    }

    /// Bytes of all buffers.
    pub fn bytes(&self) -> u64 {
        let of = |s: &Shard| [&s.info, &s.numbers, &s.state, &s.ring, &s.wires, &s.ends, &s.synapses, &s.weights].map(wgpu::Buffer::size);
        let shared = [&self.waves, &self.work, &self.log, &self.samples, &self.staging].map(wgpu::Buffer::size);
        self.shards.iter().flat_map(of).chain(shared).sum()
    }

    /// Words of the rows of every shard: ends, synapses, weights.
    pub fn built(&self, device: &Device) -> Result<Vec<[Vec<u32>; 3]>, String> {
        let words = |buffer: &wgpu::Buffer, n: u32| read(device, buffer, 0, u64::from(n) * 4);
        let shard = |s: &Shard| Ok([s.rows.ends.clone(), words(&s.synapses, s.rows.synapses)?, words(&s.weights, s.rows.weight_words)?]);
        self.shards.iter().map(shard).collect()
    }

    /// Inputs under way: entry d is due d steps after the next one, one sum for each slot of the plan.
    pub fn due(&self, plan: &Plan, device: &Device, step: u64) -> Result<Vec<Vec<i32>>, String> {
        let mut due = vec![vec![0; plan.slots]; plan.ring - 1];
        for shard in &self.shards {
            let words = read(device, &shard.ring, 0, plan.ring as u64 * u64::from(shard.slots) * 4)?;
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
            device.queue.write_buffer(&shard.ring, 0, bytemuck::cast_slice(&ring));
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
        self.show(device, &coupled::of(plan, state));
        self.put_traces(device, &state.traces);
        self.put_histories(plan, device, &state.histories, state.step as u32);
        self.put_weights(plan, device, &state.weights);
        self.put_kept(plan, device, &state.kept);
        self.put_modulators(plan, device, &state.modulators);
    }

    /// Puts what neurons that gap junctions couple show each other behind the samples.
    fn show(&self, device: &Device, halves: &[f32]) {
        if !halves.is_empty() {
            device.queue.write_buffer(&self.samples, self.sample_bytes, bytemuck::cast_slice(halves));
        }
    }

    /// Overlays the traces of the neurons that are here.
    pub fn traces(&self, plan: &Plan, device: &Device, into: &mut [Traced]) -> Result<(), String> {
        let mut take = |place: &Place, buffer: &wgpu::Buffer, head: u64| {
            let bytes = u64::from(traces::words(&plan.traces[place.traces]) * place.len) * 4;
            place.put(&read(device, buffer, head + u64::from(place.first) * 4, bytes)?, &mut into[place.traces]);
            Ok::<_, String>(())
        };
        self.shards.iter().try_for_each(|s| s.traces.iter().try_for_each(|place| take(place, &s.ring, 0)))?;
        self.sources.iter().try_for_each(|place| take(place, &self.work, WORK_HEAD))
    }

    /// Puts traces into place.
    pub fn put_traces(&self, device: &Device, traces: &[Traced]) {
        let put = |place: &Place, buffer: &wgpu::Buffer, head: u64| {
            device.queue.write_buffer(buffer, head + u64::from(place.first) * 4, bytemuck::cast_slice(&place.of(&traces[place.traces])));
        };
        self.shards.iter().for_each(|s| s.traces.iter().for_each(|place| put(place, &s.ring, 0)));
        self.sources.iter().for_each(|place| put(place, &self.work, WORK_HEAD));
        device.queue.submit([]);
    }

    /// Puts items into a work list that is empty.
    pub fn write_work(&self, device: &Device, list: u32, items: &[u32]) {
        let count = items.len() as u32 / self.sizes.item;
        device.queue.write_buffer(&self.work, 4 * u64::from(list), bytemuck::bytes_of(&count));
        let at = WORK_HEAD + u64::from(list) * u64::from(self.sizes.work) * 4 * u64::from(self.sizes.item);
        device.queue.write_buffer(&self.work, at, bytemuck::cast_slice(items));
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
            let head = [words[0], words[1], words[2], words[5]];
            let events = u64::from(words[4]) << 32 | u64::from(words[3]);
            let eager = u64::from(head[0]).min(u64::from(self.sizes.log)).min(EAGER) as usize;
            let samples = words[(HEAD / 4 + EAGER * 2) as usize..][..(self.sample_bytes / 4) as usize].to_vec();
            let first = (HEAD / 4) as usize;
            Collected { head, events, spikes: words[first..first + 2 * eager].to_vec(), samples }
        })?;
        let count = u64::from(collected.head[0].min(self.sizes.log));
        if count > EAGER {
            collected.spikes.extend(read(device, &self.log, HEAD + EAGER * 8, (count - EAGER) * 8)?);
        }
        Ok(collected)
    }
}

fn sizes(plan: &Plan, chunks: &[u32], batch: u32, (forced, grain): (Forced, Grain), limit: u64) -> Result<Sizes, String> {
    let (mut items, mut changes, mut rest) = (0u64, 0u64, chunks);
    for p in &plan.projections {
        let (rows, others) = rest.split_at(p.from.len() as usize);
        let sum = rows.iter().map(|c| u64::from(*c)).sum::<u64>();
        if p.plastic.is_some() {
            changes += sum
        } else {
            items += sum * u64::from(batch)
        }
        rest = others;
    }
    let traces = 4 * (plastic::source_total(plan) + modulators::total(plan));
    let Some(room) = limit.checked_sub(traces + HEAD + WORK_HEAD).filter(|room| *room > 1 << 10) else {
        return Err(format!(
            "{traces} bytes of traces of sources and modulators; this device binds {limit}: --backend cpu has no such limit"
        ));
    };
    // Both kinds of lists share a buffer.
    let room = if changes > 0 { room / 2 } else { room };
    let item = wires::item_words(!plan.traces.is_empty());
    let most = MOST.min(room / (8 * u64::from(item)));
    let neurons = u64::from(plan.neurons.max(1));
    // All neurons in every step fit, unless the network is so large that a submission of one batch would not.
    let span = (most / neurons).clamp(u64::from(batch), u64::from(SPAN.max(batch)));
    Ok(Sizes {
        grain,
        work: forced.work.unwrap_or(items.min(most) as u32).max(1),
        log: forced.log.unwrap_or((neurons * span).min(most) as u32).max(1),
        span: span as u32,
        item,
        batch,
        changes: forced.work.unwrap_or(changes.min(MOST.min(room / (8 * u64::from(plastic::ITEM)))) as u32),
        history: forced.history.unwrap_or(plan.history() as u32),
    })
}

const STORAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_DST).union(wgpu::BufferUsages::COPY_SRC);

fn buffer(device: &Device, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.device.create_buffer(&wgpu::BufferDescriptor { label: None, size: bytes.max(16), usage, mapped_at_creation: false })
}

pub fn filled<T: bytemuck::NoUninit>(device: &Device, values: &[T]) -> wgpu::Buffer {
    let bytes: &[u8] = bytemuck::cast_slice(values);
    let buffer = buffer(device, bytes.len() as u64, STORAGE);
    if !bytes.is_empty() {
        device.queue.write_buffer(&buffer, 0, bytes);
    }
    buffer
}

fn shards(device: &Device, plan: &Plan, laid: Laid, tables: &[Tables], sizes: Sizes) -> Vec<Shard> {
    let drawn = plan.projections.iter().any(|p| p.procedural());
    let still = plan.projections.iter().any(|p| p.plastic.is_none());
    let parts = laid.pieces.into_iter().zip(laid.wires).zip(laid.rows).zip(tables);
    let shard = |pieces: Vec<Piece>, wires: Vec<u32>, rows: Rows, t: &Tables| {
        let (traces, words) = traces::places(plan, &pieces, plan.ring as u32 * t.slots);
        let stands = Stand::all(plan, &pieces, sizes.history);
        Shard {
            pieces,
            groups: t.groups,
            info: filled(device, &t.info),
            numbers: filled(device, &t.numbers),
            state: {
                let words = t.initial.len() as u64 + stands.iter().map(|s| u64::from(s.words())).sum::<u64>();
                let state = buffer(device, words * 4, STORAGE);
                if !t.initial.is_empty() {
                    device.queue.write_buffer(&state, 0, bytemuck::cast_slice(&t.initial));
                }
                state
            },
            stands,
            ring: buffer(device, u64::from(words) * 4, STORAGE),
            traces,
            wires: filled(device, &wires),
            ends: filled(device, &rows.ends),
            synapses: buffer(device, u64::from(rows.synapses) * 4, STORAGE),
            weights: buffer(device, u64::from(rows.weight_words) * 4, STORAGE),
            receives: drawn || (rows.synapses > 0 && still),
            rows,
            slots: t.slots,
            bound: None,
            changes: None,
            modulate: None,
        }
    };
    parts.map(|(((pieces, wires), rows), t)| shard(pieces, wires, rows, t)).collect()
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
    device.wait()?;
    receive.recv().map_err(|e| lost(&e))?.map_err(|e| lost(&e))?;
    let taken = take(&staging.get_mapped_range(..).map_err(|e| lost(&e))?);
    staging.unmap();
    Ok(taken)
}
