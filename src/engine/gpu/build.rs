//! Building rows: counted and filled by kernels, one thread to a row; rows that no formula gives are drawn by the host and
//! sent. Either way the bytes are the same. Knows the layout of rows and nothing of a step.

use rayon::prelude::*;

use super::Device;
use super::kernels::Fixed;
use super::memory::{filled, read};
use super::rows::{Outgrown, Rows};
use super::shards::{self, Piece};
use super::wires::{self, Format, drawable, first_rows, record_of, slot_base};
use crate::plan::{Drawn, Plan, ProjectionPlan, Synapses};

/// Synapses of a dispatch, so that no watchdog wakes: on a GPU, and where a processor stands in for one.
const PORTION: [u64; 2] = [1 << 24, 1 << 20];
/// Workgroups of a dispatch.
const GROUPS: u64 = 65_535;
/// Rows that the host draws on one thread, and such blocks at a time.
const BLOCK: u32 = 256;
const BLOCKS: usize = 32;

/// A cut of the network, with the tables and the rows of every shard.
pub struct Laid {
    pub pieces: Vec<Vec<Piece>>,
    pub wires: Vec<Vec<u32>>,
    pub rows: Vec<Rows>,
}

/// What builds rows.
pub struct Builder<'a> {
    pub plan: &'a Plan,
    pub device: &'a Device,
    pub kernels: &'a Fixed,
    /// Largest binding, bytes.
    pub limit: u64,
    /// The host draws all rows.
    pub host: bool,
}

/// Buffers of a shard that hold its rows.
pub struct Buffers<'a> {
    pub wires: &'a wgpu::Buffer,
    pub ends: &'a wgpu::Buffer,
    pub synapses: &'a wgpu::Buffer,
    pub weights: &'a wgpu::Buffer,
}

impl Builder<'_> {
    /// The cut and its rows. A cut by expectation that turns out too tight is made finer.
    pub fn lay(&self, slice: std::ops::Range<u32>) -> Result<Laid, String> {
        let mut slack = 1.02;
        loop {
            let pieces = shards::cut(self.plan, slice.clone(), self.limit, slack)?;
            let bits = shards::delay_bits(self.plan);
            let mut tables = pieces.iter().map(|p| wires::wires(self.plan, p, bits)).collect::<Result<Vec<_>, _>>()?;
            if let Some(t) = tables.iter().find(|t| t.len() as u64 * 4 > self.device.limit) {
                return Err(format!(
                    "{} words of wiring pass what {} binds ({} bytes); --backend cpu has no such limit",
                    t.len(),
                    self.device.listed.name,
                    self.device.limit
                ));
            }
            let rows: Vec<Result<Rows, Outgrown>> =
                pieces.iter().zip(&tables).map(|(p, t)| self.rows(p, t)).collect::<Result<_, String>>()?;
            match rows.into_iter().collect::<Result<Vec<_>, _>>() {
                Ok(rows) => {
                    rows.iter().zip(&mut tables).for_each(|(r, t)| r.enter(t));
                    return Ok(Laid { pieces, wires: tables, rows });
                }
                Err(Outgrown) if slack < 1e6 => slack *= 1.25,
                Err(Outgrown) => return Err(format!("one neuron receives more synapses than this device binds ({} bytes)", self.limit)),
            }
        }
    }

    fn rows(&self, pieces: &[Piece], wires: &[u32]) -> Result<Result<Rows, Outgrown>, String> {
        let lengths = self.lengths(pieces, wires)?;
        Ok(Rows::new(self.plan, &lengths, self.limit / 4))
    }

    /// Length of every row onto these pieces: from the wiring where it says, else counted.
    fn lengths(&self, pieces: &[Piece], words: &[u32]) -> Result<Vec<u32>, String> {
        let (first, all) = first_rows(self.plan)?;
        let mut lengths = Vec::with_capacity(all as usize);
        let mut count = Vec::new();
        for (i, p) in self.plan.projections.iter().enumerate() {
            let piece = pieces.iter().find(|piece| piece.population == p.target).filter(|_| !p.procedural());
            let whole = piece.is_some_and(|piece| covers(piece, p));
            match piece {
                None => lengths.resize(lengths.len() + p.from.len() as usize, 0),
                Some(_) if whole && !p.from.is_empty() && p.wiring.length(0, 0).is_some() => {
                    lengths.extend((0..p.from.len()).map(|s| whole_length(p, s)))
                }
                Some(piece) if self.host || !drawable(p) => lengths.extend(self.host_lengths(p, piece)),
                Some(_) => {
                    count.push(i);
                    lengths.resize(lengths.len() + p.from.len() as usize, 0);
                }
            }
        }
        if !count.is_empty() {
            let wires = filled(self.device, words);
            let counts = filled(self.device, &vec![0u32; all as usize]);
            let kernels = self.kernels.building(self.device, self.plan)?;
            let group = kernels[0].bind(self.device, &[&wires, &counts]);
            count.iter().for_each(|i| self.portions(*i, |pass, portion| kernels[0].run(pass, &group, portion)));
            let counted = read(self.device, &counts, 0, u64::from(all) * 4)?;
            for i in count {
                let range = first[i] as usize..(first[i] + self.plan.projections[i].from.len()) as usize;
                lengths[range.clone()].copy_from_slice(&counted[range]);
            }
        }
        Ok(lengths)
    }

    /// Fills the rows of the projections that `which` chooses.
    pub fn fill(&self, pieces: &[Piece], rows: &Rows, buffers: &Buffers, which: impl Fn(usize) -> bool) -> Result<(), String> {
        let (first, _) = first_rows(self.plan)?;
        let b = buffers;
        let kernels = self.kernels.building(self.device, self.plan)?;
        let group = kernels[1].bind(self.device, &[b.wires, b.ends, b.synapses, b.weights]);
        for (i, p) in self.plan.projections.iter().enumerate().filter(|(i, p)| which(*i) && !p.procedural()) {
            let Some(piece) = pieces.iter().find(|piece| piece.population == p.target) else { continue };
            if self.host || !drawable(p) {
                self.send(i, piece, rows, first[i], buffers);
            } else {
                self.portions(i, |pass, portion| kernels[1].run(pass, &group, portion));
            }
        }
        Ok(())
    }

    /// Dispatches over the sources of a projection, so many at a time.
    fn portions(&self, i: usize, mut run: impl FnMut(&mut wgpu::ComputePass, [u32; 4])) {
        let p = &self.plan.projections[i];
        let sources = u64::from(p.from.len());
        let mean = (p.wiring.synapses() / sources.max(1)).max(1);
        let most = PORTION[usize::from(self.device.listed.software)];
        let each = (most / mean).clamp(1, GROUPS * 64) as u32;
        for first in (0..p.from.len()).step_by(each as usize) {
            let mut encoder = self.device.device.create_command_encoder(&Default::default());
            let portion = [record_of(i) as u32, first, each.min(p.from.len() - first), 0];
            run(&mut encoder.begin_compute_pass(&Default::default()), portion);
            self.device.queue.submit([encoder.finish()]);
        }
    }

    fn host_lengths(&self, p: &ProjectionPlan, piece: &Piece) -> Vec<u32> {
        let blocks: Vec<u32> = (0..p.from.len()).step_by(BLOCK as usize).collect();
        let block = |first: &u32| {
            let mut drawn = Drawing::new(self.plan, p, piece);
            (*first..(first + BLOCK).min(p.from.len())).map(|s| drawn.row(s).count() as u32).collect::<Vec<_>>()
        };
        blocks.par_iter().flat_map_iter(block).collect()
    }

    /// Draws rows on the host and sends them in portions, so that the host never holds all.
    fn send(&self, i: usize, piece: &Piece, rows: &Rows, first_row: u32, buffers: &Buffers) {
        let p = &self.plan.projections[i];
        let blocks: Vec<u32> = (0..p.from.len()).step_by(BLOCK as usize).collect();
        let (format, bits) = (Format::of(p), shards::delay_bits(self.plan));
        let [origin, word] = rows.origin(i);
        for portion in blocks.chunks(BLOCKS) {
            let draw = |first: &u32| block(&mut Drawing::new(self.plan, p, piece), *first, rows, first_row, format, bits);
            let drawn: Vec<(u32, Vec<u32>, Vec<i32>)> = portion.par_iter().map(draw).collect();
            for (at, synapses, weights) in drawn.iter().filter(|d| !d.1.is_empty()) {
                let write =
                    |buffer, at: u32, words: &[u32]| self.device.queue.write_buffer(buffer, u64::from(at) * 4, bytemuck::cast_slice(words));
                write(buffers.synapses, *at, synapses);
                match format {
                    Format::Constant => {}
                    Format::Short => {
                        let pair = |w: &[i32]| w[0] as u32 & 0xFFFF | (w.get(1).copied().unwrap_or(0) as u32) << 16;
                        write(buffers.weights, word + (at - origin) / 2, &weights.chunks(2).map(pair).collect::<Vec<_>>());
                    }
                    Format::Long | Format::Plastic => write(buffers.weights, word + at - origin, bytemuck::cast_slice(weights)),
                }
            }
            // Written bytes wait in host memory until a submission takes them.
            self.device.queue.submit([]);
        }
    }
}

/// Rows of a block of sources: first synapse, words, weights.
fn block(drawing: &mut Drawing, first: u32, rows: &Rows, first_row: u32, format: Format, bits: u32) -> (u32, Vec<u32>, Vec<i32>) {
    let (mut words, mut weights) = (Vec::new(), Vec::new());
    let at = rows.begin(first_row + first, format);
    for s in first..(first + BLOCK).min(drawing.p.from.len()) {
        let begin = (rows.begin(first_row + s, format) - at) as usize;
        words.resize(begin, 0);
        weights.resize(begin, 0);
        for (slot, delay, weight) in drawing.row(s) {
            words.push(slot << bits | delay);
            weights.push(weight);
        }
    }
    (at, words, weights)
}

/// Rows as the host draws them.
struct Drawing<'a> {
    p: &'a ProjectionPlan,
    piece: &'a Piece,
    synapses: Synapses<'a>,
    drawn: Vec<Drawn>,
    bases: [u32; 2],
}

impl<'a> Drawing<'a> {
    fn new(plan: &'a Plan, p: &'a ProjectionPlan, piece: &'a Piece) -> Self {
        let bases = [slot_base(plan, p, piece, 0), slot_base(plan, p, piece, 1)];
        Self { p, piece, synapses: Synapses::new(plan.seed, p), drawn: Vec::new(), bases }
    }

    /// Slot, delay and weight of the synapses of a row onto the piece, in canonical order; weights as they are stored.
    fn row(&mut self, source: u32) -> impl Iterator<Item = (u32, u32, i32)> {
        self.drawn.clear();
        self.synapses.row(source, &mut self.drawn);
        let (piece, bases, p, synapses) = (self.piece, self.bases, self.p, &self.synapses);
        let here = self.drawn.iter().filter(move |d| (piece.from..piece.to).contains(&d.target));
        let weight = move |d: &Drawn| p.plastic.as_ref().map_or(d.weight, |c| c.start(synapses.quanta(d)).to_bits() as i32);
        here.map(move |d| (d.target.wrapping_add(bases[usize::from(d.weight < 0)]), d.delay, weight(d)))
    }
}

/// Whether all targets of a projection lie in a piece.
fn covers(piece: &Piece, p: &ProjectionPlan) -> bool {
    p.to.is_empty() || (p.to.get(0) >= piece.from && p.to.get(p.to.len() - 1) < piece.to)
}

fn whole_length(p: &ProjectionPlan, source: u32) -> u32 {
    (0..p.wiring.stretches()).filter_map(|b| p.wiring.length(source, b)).sum()
}
