//! The tables that the kernels read: `info` (u32) and `numbers` (f32) of a shard. Their layout is declared here alone.
//!
//! `info` begins with a header of 16 words: 0 rows of the ring, 1 slots of a row, 2 capacity of a work list, 3 capacity of
//! the spike log, 4 where the groups are, 5 number of groups, 6 words of a half of what coupled neurons show, 7 bits of a delay, 8 number of
//! the shard, 9-10 key of the model noise, 11 capacity of a list of rows that change, 12 where those lists begin, 13 steps of a
//! batch, 14 entries of a history. A group is (piece, first neuron within it). A piece has 15 words: class, first
//! neuron, length, slot, state, first within the population, coefficients, drives, probes, quanta, leaving projections,
//! traces, leaving projections whose weights change, histories, gap junctions (`coupled`). Projections are a number and, for each, 7 words:
//! projection << 8, sources (mode, 2), first row, where its work items by row are, which of the spike's factors it takes.
//! Traces have 3 words: where they stand, their numbers, and over how many neurons they go. Histories have the first two; their
//! numbers are those of a spike, then of the condition of the rule and of what a step does at which it holds.
//! A drive has 12: start, stop, key (2), weight, part (2), table, period (or where the shares of a Poisson drive are), mean,
//! sd, none. A probe has 4: interval, part
//! (2; of a list, the length in the second word), samples. A part is (start, length) or (where the positions are, length).

use super::classes::{Classes, drives, probes};
use super::coupled;
use super::grain::Grain;
use super::histories::Stand;
use super::shards::{Piece, delay_bits};
use super::traces::{self, Place};
use super::wires::first_rows;
use super::{events, plastic};
use crate::base::math;
use crate::base::rng::Stream;
use crate::network::{Wave, Which};
use crate::plan::{DriveKind, DrivePlan, Keep, Number, Plan, purpose};

pub const DRIVE_WORDS: usize = 12;
pub const PROBE_WORDS: usize = 4;
const HEADER: usize = 16;
const PIECE_WORDS: usize = 15;

/// Sizes that all shards share.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub grain: Grain,
    pub work: u32,
    pub log: u32,
    /// Steps of the longest submission.
    pub span: u32,
    /// Words of a work item.
    pub item: u32,
    /// Steps of a batch.
    pub batch: u32,
    /// Items of a list of rows that change.
    pub changes: u32,
    /// Entries of the history of a neuron.
    pub history: u32,
}

impl Sizes {
    /// Where the lists of rows that change begin, in words behind the counters of the work lists.
    pub fn changes_at(&self) -> u64 {
        2 * u64::from(self.work) * u64::from(self.item)
    }

    /// Where those lists end.
    pub fn behind(&self) -> u64 {
        self.changes_at() + 2 * u64::from(self.changes) * u64::from(plastic::ITEM)
    }
}

pub struct Tables {
    pub info: Vec<u32>,
    pub numbers: Vec<f32>,
    pub initial: Vec<f32>,
    pub slots: u32,
    pub groups: u32,
    /// Poisson tables, and where they are: drives of one rate share one.
    poisson: Vec<(Vec<u32>, u32)>,
}

/// Tables of a shard. `chunks` holds the work items of every row.
pub fn tables(plan: &Plan, number: usize, pieces: &[Piece], sizes: Sizes, chunks: &[u32], classes: &mut Classes) -> Tables {
    let mut t = Tables { info: vec![0; HEADER], numbers: Vec::new(), initial: Vec::new(), slots: 0, groups: 0, poisson: Vec::new() };
    t.slots = pieces.iter().map(|p| p.len() * plan.populations[p.population].program.receptors).sum();
    let (mut places, _) = traces::places(plan, pieces, plan.ring as u32 * t.slots);
    places.extend(plastic::sources(plan, sizes).0);
    let stands = Stand::all(plan, pieces, sizes.history);
    let first_piece = t.info.len();
    t.info.resize(first_piece + PIECE_WORDS * pieces.len(), 0);
    for (i, piece) in pieces.iter().enumerate() {
        let words = t.piece(plan, piece, (&places, &stands), sizes.span, chunks, classes);
        let at = first_piece + i * PIECE_WORDS;
        t.info[at..at + PIECE_WORDS].copy_from_slice(&words);
    }
    let groups_at = t.info.len() as u32;
    for (i, piece) in pieces.iter().enumerate() {
        for first in (0..piece.len()).step_by(sizes.grain.group as usize) {
            t.info.extend([(first_piece + i * PIECE_WORDS) as u32, first]);
            t.groups += 1;
        }
    }
    let noise = Stream::new(plan.seed, [purpose::NOISE, 0]).key();
    let header = [
        plan.ring as u32,
        t.slots,
        sizes.work,
        sizes.log,
        groups_at,
        t.groups,
        coupled::words(plan) as u32,
        delay_bits(plan),
        number as u32,
        noise[0],
        noise[1],
    ];
    t.info[..header.len()].copy_from_slice(&header);
    t.info[11..15].copy_from_slice(&[sizes.changes, sizes.changes_at() as u32, sizes.batch, sizes.history]);
    t
}

impl Tables {
    fn piece(
        &mut self,
        plan: &Plan,
        piece: &Piece,
        (traced, stands): (&[Place], &[Stand]),
        span: u32,
        chunks: &[u32],
        classes: &mut Classes,
    ) -> [u32; PIECE_WORDS] {
        let population = &plan.populations[piece.population];
        let range = piece.from as usize..piece.to as usize;
        let state = self.initial.len() as u32;
        for number in &population.initial {
            match number {
                Number::Uniform(x) => self.initial.resize(self.initial.len() + range.len(), *x),
                Number::Column(c) => self.initial.extend_from_slice(&c[range.clone()]),
            }
        }
        let places: Vec<u32> = population.coefficients.iter().map(|number| self.number(number, &range)).collect();
        let coefficients = self.append(&places);
        let quanta = self.numbers.len() as u32;
        self.numbers.extend(population.scale.iter().map(|s| math::power_of_two(-s)));
        let mut words = Vec::new();
        for (i, drive) in drives(plan, piece.population) {
            words.extend(self.drive(plan, i, drive, population.size, span));
        }
        let drives = self.append(&words);
        words.clear();
        for (i, probe) in probes(plan, piece.population) {
            let part = self.part(&probe.of, population.size);
            words.extend([u32::try_from(probe.every).unwrap_or(u32::MAX), part[0], part[1], sample_base(plan, i, span)]);
        }
        let probes = self.append(&words);
        words.clear();
        for (n, t) in plan.traces_of(piece.population) {
            // Traces of a whole population begin before the piece.
            let here = traced.iter().find(|p| p.traces == n && (p.from == piece.from || plastic::of_plastic(plan, n)));
            let place = here.map_or([0; 2], |p| [p.first, p.len]);
            words.extend([place[0], self.numbers.len() as u32, place[1]]);
            self.numbers.extend_from_slice(&t.coefficients);
        }
        let traces = self.append(&words);
        words.clear();
        for stand in stands.iter().filter(|s| plan.targets[s.targets].population == piece.population && s.from == piece.from) {
            words.extend([stand.first, self.numbers.len() as u32]);
            self.numbers.extend(events::numbers(&plan.targets[stand.targets]));
        }
        let histories = self.append(&words);
        let behind = sample_base(plan, plan.probes.len(), span);
        let junctions = coupled::tables(plan, piece, behind, &mut self.info, &mut self.numbers);
        let class = classes.number(plan, piece.population);
        let leaving = self.leaving(plan, piece.population, chunks, false);
        let changing = self.leaving(plan, piece.population, chunks, true);
        [
            class,
            population.first + piece.from,
            piece.len(),
            piece.slot,
            state,
            piece.from,
            coefficients,
            drives,
            probes,
            quanta,
            leaving,
            traces,
            changing,
            histories,
            junctions,
        ]
    }

    /// The projections that leave a population, those whose weights change or the others, with the work items of their rows.
    fn leaving(&mut self, plan: &Plan, population: usize, chunks: &[u32], changing: bool) -> u32 {
        // More rows than 2^32 have been refused before.
        let first = first_rows(plan).map_or_else(|_| Vec::new(), |rows| rows.0);
        let mut words = vec![0];
        for (i, p) in plan.projections.iter().enumerate().filter(|(_, p)| p.source == population && p.plastic.is_some() == changing) {
            let rows = &chunks[first[i] as usize..(first[i] + p.from.len()) as usize];
            if rows.iter().all(|c| *c == 0) {
                continue;
            }
            let part = self.part(&p.from, plan.populations[population].size);
            let mode = u32::from(matches!(p.from, Which::List(_)));
            words[0] += 1;
            words.extend([(i as u32) << 8, mode, part[0], part[1], first[i], self.append(rows), plan.layer(p) as u32]);
        }
        self.append(&words)
    }

    fn append(&mut self, words: &[u32]) -> u32 {
        let at = self.info.len() as u32;
        self.info.extend_from_slice(words);
        at
    }

    fn poisson(&mut self, table: Vec<u32>) -> u32 {
        if let Some((_, at)) = self.poisson.iter().find(|(known, _)| *known == table) {
            return *at;
        }
        let at = self.append(&table);
        self.poisson.push((table, at));
        at
    }

    fn number(&mut self, number: &Number, range: &std::ops::Range<usize>) -> u32 {
        let at = self.numbers.len() as u32;
        match number {
            Number::Uniform(x) => self.numbers.push(*x),
            Number::Column(c) => self.numbers.extend_from_slice(&c[range.clone()]),
        }
        at
    }

    fn part(&mut self, which: &Which, size: u32) -> [u32; 2] {
        match which {
            Which::Range { start, len } => [*start, *len],
            Which::List(list) => {
                let mut positions = vec![u32::MAX; size as usize];
                list.iter().enumerate().for_each(|(i, n)| positions[*n as usize] = i as u32);
                [self.append(&positions), list.len() as u32]
            }
        }
    }

    fn drive(&mut self, plan: &Plan, i: usize, drive: &DrivePlan, size: u32, span: u32) -> [u32; DRIVE_WORDS] {
        let clamped = |step: u64| u32::try_from(step).unwrap_or(u32::MAX);
        let key = Stream::new(plan.seed, [purpose::DRIVE, drive.stream]).key();
        let part = self.part(&drive.to, size);
        let mut words = [clamped(drive.start), clamped(drive.stop), key[0], key[1], 0, part[0], part[1], 0, 1, 0, 0, 0];
        match &drive.kind {
            DriveKind::Poisson { counts, keep, weight, .. } => {
                words[4] = *weight as u32;
                words[7] = self.poisson(counts.table());
                words[8] = match keep {
                    Keep::All => 0,
                    Keep::Each(shares) => self.append(shares),
                    Keep::Steps(_) | Keep::Swing { .. } => i as u32 * span,
                    Keep::Copies(share) => *share,
                };
            }
            DriveKind::Spikes { steps, weight, .. } => {
                words[4] = *weight as u32;
                words[7] = self.append(&[steps.len() as u32]);
                self.info.extend(steps.iter().map(|s| clamped(*s)));
            }
            DriveKind::Current { wave: Wave::Noise { mean, sd, every }, .. } => {
                words[8] = clamped(*every).max(1);
                words[9] = (*mean as f32).to_bits();
                words[10] = (*sd as f32).to_bits();
            }
            DriveKind::Current { .. } => words[7] = i as u32 * span,
        }
        words
    }
}

/// First word of a probe's samples of a submission.
pub fn sample_base(plan: &Plan, probe: usize, span: u32) -> u32 {
    plan.probes[..probe].iter().map(|p| samples(p.every, span) * p.of.len()).sum()
}

/// Most samples that a probe takes in a submission.
pub fn samples(every: u64, span: u32) -> u32 {
    (u64::from(span) / every) as u32 + 1
}
