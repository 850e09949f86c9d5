//! What the device needs to draw rows of synapses: the tables `wires` of a shard. Their layout is declared here alone.
//!
//! `wires` begins with a header of 12 words (0: bits of a delay; the others are told of in `plastic`) and a record of 36 words
//! for each projection:
//! 0 kind, 1 sources, 2 targets, 3-4 key of the wiring, 5-6 who is left out (mode; shift or table), 7-10 numbers of the kind,
//! 11-12 targets as neurons (mode; first or table), 13-17 weights (table, constant, shift, key), 18-21 delays (table, constant,
//! key), 22-23 the shard's neurons, 24-25 what to add to a neuron for its slot (positive, negative weights), 26 first row,
//! 27 format of the weights, 28 their first word, 29 first synapse, 30 whether rows are drawn at every spike, 31 stretches,
//! 32 how its weights change (`plastic`), or 0, 33-35 the space, weights and delays by distance (`nearby`), or 0.
//! A block of stubs has 12: ends, number, bits left and right, rounds, key (4), trades, how many, none. Tables follow.

use std::collections::HashMap;

use super::shards::Piece;
use super::{modulators, plastic};
use crate::base::rng::Stream;
use crate::network::Which;
use crate::plan::{Ends, Kind, LeftOut, Plan, ProjectionPlan, Stubs, constant, purpose};

pub const RECORD: usize = 36;
pub const HEADER: usize = 12;
/// Work items take this many blocks of targets of a Bernoulli row, or strips of one by distance.
pub const WALKS: u32 = 64;
const BLOCK: usize = 12;
/// The kind of a projection whose rows the host has to draw.
const ELSEWHERE: u32 = 7;

/// How the weights of a projection are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One for all.
    Constant,
    /// 16 bits, to be shifted.
    Short,
    /// Full quanta.
    Long,
    /// In units of the largest, as they change: f32.
    Plastic,
}

impl Format {
    pub fn of(p: &ProjectionPlan) -> Self {
        if p.plastic.is_some() {
            return Format::Plastic;
        }
        match (p.procedural(), p.listed.iter().any(|s| s.weight.is_some())) {
            (false, true) => Format::Long,
            (false, false) if !constant(&p.weight.law) => Format::Short,
            _ => Format::Constant,
        }
    }

    pub fn bytes(self) -> u64 {
        match self {
            Format::Constant => 0,
            Format::Short => 2,
            Format::Long | Format::Plastic => 4,
        }
    }
}

/// Whether the device can draw the rows of a projection.
pub fn drawable(p: &ProjectionPlan) -> bool {
    match p.wiring.kind() {
        Kind::Stored(_) => false,
        Kind::Distance(rows) => rows.degree().is_none(),
        _ => true,
    }
}

/// Work items of a row that is drawn at every spike, of so many synapses where it has a length.
pub fn items(p: &ProjectionPlan, source: u32, chunk: u32) -> u32 {
    match p.wiring.kind() {
        Kind::Bernoulli { .. } | Kind::Distance(_) => p.wiring.stretches().div_ceil(WALKS),
        _ => (0..p.wiring.stretches()).map(|b| p.wiring.length(source, b).unwrap_or(0).div_ceil(chunk)).sum(),
    }
}

/// Words of a work item.
pub fn item_words(factor: bool) -> u32 {
    if factor { 4 } else { 3 }
}

/// Where the record of a projection stands.
pub fn record_of(projection: usize) -> usize {
    HEADER + projection * RECORD
}

/// The number of the first row of every projection, and of rows in all.
pub fn first_rows(plan: &Plan) -> Result<(Vec<u32>, u32), String> {
    let mut sum = 0u64;
    let mut first = Vec::new();
    for p in &plan.projections {
        first.push(sum as u32);
        sum += u64::from(p.from.len());
    }
    let all = u32::try_from(sum).map_err(|_| "more than 2^32 rows of synapses: --backend cpu has no such limit".to_string())?;
    Ok((first, all))
}

#[derive(Default)]
pub struct Wires {
    words: Vec<u32>,
    known: HashMap<Vec<u32>, u32>,
}

/// The tables of a shard; where its rows lie is entered when they have been counted.
pub fn wires(plan: &Plan, pieces: &[Piece], delay_bits: u32) -> Result<Vec<u32>, String> {
    let (first, _) = first_rows(plan)?;
    let mut wires = Wires { words: vec![0; record_of(plan.projections.len())], known: HashMap::new() };
    wires.words[0] = delay_bits;
    let plastic = plastic::records(plan);
    wires.words[plastic::LIST] = wires.append(&plastic);
    wires.words[plastic::COUNT] = plastic.len() as u32;
    let [list, count] = modulators::tables(plan, |words| wires.append(words));
    (wires.words[modulators::LIST], wires.words[modulators::COUNT]) = (list, count);
    for (i, p) in plan.projections.iter().enumerate() {
        let piece = pieces.iter().find(|piece| piece.population == p.target);
        let mut record = wires.record(plan, p, piece, first[i]);
        if let (Some(change), Some(traces)) = (&p.plastic, p.traces) {
            let none = Vec::new();
            let drift = change.drift.as_ref().map_or(&none, |d| &d.coefficients);
            let event = change.condition.as_ref().map_or(&none, |c| &c.coefficients);
            let numbers = [&change.pre.coefficients, &change.post.coefficients, &plan.traces[traces].coefficients, drift, event];
            let numbers = numbers.map(|n| wires.append(&n.iter().map(|x| x.to_bits()).collect::<Vec<_>>()));
            let sources = match &p.from {
                Which::Range { start, .. } => [0, *start],
                Which::List(list) => [1, wires.append(list)],
            };
            record[32] = wires.append(&plastic::words(plan, p, change, pieces, numbers, sources));
        }
        wires.words[record_of(i)..record_of(i) + RECORD].copy_from_slice(&record);
    }
    Ok(wires.words)
}

impl Wires {
    fn record(&mut self, plan: &Plan, p: &ProjectionPlan, piece: Option<&Piece>, first_row: u32) -> [u32; RECORD] {
        let mut r = [0; RECORD];
        let wiring = p.wiring.stream().key();
        (r[1], r[2], r[3], r[4]) = (p.from.len(), p.to.len(), wiring[0], wiring[1]);
        (r[5], r[6]) = match p.wiring.left_out() {
            None => (0, 0),
            Some(LeftOut::Shift(shift)) => (1, *shift as u32),
            Some(LeftOut::Places(places)) => (2, self.append(places)),
        };
        self.kind(p, &mut r);
        (r[11], r[12]) = match &p.to {
            Which::Range { start, .. } => (0, *start),
            Which::List(list) => (1, self.append(list)),
        };
        let key = |what| Stream::new(plan.seed, [what, p.stream]).key();
        let (weights, delays) = (key(purpose::WEIGHT), key(purpose::DELAY));
        let by = &p.by_distance;
        r[13] = self.law(p.weight.law.table().filter(|_| by.weight.is_none()));
        (r[14], r[15], r[16], r[17]) = (p.weight.law.min() as u32, p.weight.shift, weights[0], weights[1]);
        r[18] = self.law(p.delay.table().filter(|_| by.delay.is_none()));
        (r[19], r[20], r[21]) = (p.delay.min().max(1) as u32, delays[0], delays[1]);
        if let Some(piece) = piece {
            (r[22], r[23]) = (piece.from, piece.to);
            let base = |sign: usize| slot_base(plan, p, piece, sign);
            (r[24], r[25]) = (base(0), base(1));
        }
        if let Some(between) = p.between.as_ref().filter(|_| by.weight.is_some() || by.delay.is_some()) {
            r[33] = self.space(between);
            r[34] = by.weight.as_ref().map_or(0, |table| self.table(table.values.iter().map(|w| *w as u32)));
            r[35] = by.delay.as_ref().map_or(0, |table| self.table(table.values.iter().map(|d| u32::from(*d))));
        }
        (r[26], r[27], r[30], r[31]) = (first_row, Format::of(p) as u32, u32::from(p.procedural()), p.wiring.stretches());
        r
    }

    fn kind(&mut self, p: &ProjectionPlan, r: &mut [u32; RECORD]) {
        match p.wiring.kind() {
            Kind::AllToAll => r[0] = 0,
            Kind::OneToOne => r[0] = 1,
            Kind::Bernoulli { gaps, block, .. } => {
                let table = gaps.thresholds();
                (r[0], r[7], r[8], r[9]) = (2, *block, self.shared(table.to_vec()), table.len() as u32);
            }
            Kind::Independent { ends } => {
                r[0] = 3;
                (r[7], r[8]) = self.ends(ends);
            }
            Kind::Distinct { ends } => {
                r[0] = 4;
                (r[7], r[8]) = self.ends(ends);
            }
            Kind::Stubs(stubs) => {
                (r[0], r[7], r[8], r[9], r[10]) = (5, stubs.in_degree.max(1), stubs.width, stubs.blocks.len() as u32, self.stubs(stubs));
            }
            Kind::Distance(rows) if rows.degree().is_none() => (r[0], r[7]) = (6, self.rows(rows)),
            Kind::Distance(_) | Kind::Stored(_) => r[0] = ELSEWHERE,
        }
    }

    fn ends(&mut self, ends: &Ends) -> (u32, u32) {
        match ends {
            Ends::Even(each, _) => (0, *each),
            Ends::Short(ends) => (self.append(ends), 0),
            // Only differences are read.
            Ends::Long(ends) => (self.append(&ends.iter().map(|e| *e as u32).collect::<Vec<_>>()), 0),
        }
    }

    fn stubs(&mut self, stubs: &Stubs) -> u32 {
        let mut records = Vec::with_capacity(BLOCK * stubs.blocks.len());
        for block in &stubs.blocks {
            let (p, (ends, _)) = (&block.permutation, self.ends(&block.ends));
            let trades: Vec<u32> = block.trades.iter().flat_map(|t| [t.0, t.1]).collect();
            let at = self.append(&trades);
            let [a, b, c, d] = p.key;
            records.extend([ends, p.n, p.left, p.right, p.rounds, a, b, c, d, at, block.trades.len() as u32, 0]);
        }
        self.append(&records)
    }

    /// Tables of laws begin behind the records, so 0 can stand for none.
    fn law(&mut self, table: Option<Vec<u32>>) -> u32 {
        table.map_or(0, |t| self.shared(t))
    }

    pub(super) fn shared(&mut self, table: Vec<u32>) -> u32 {
        if let Some(at) = self.known.get(&table) {
            return *at;
        }
        let at = self.append(&table);
        self.known.insert(table, at);
        at
    }

    pub(super) fn append(&mut self, words: &[u32]) -> u32 {
        let at = self.words.len() as u32;
        self.words.extend_from_slice(words);
        at
    }
}

/// What turns a neuron of a piece into the slot of its receptor for weights that are positive (0) or negative (1).
pub fn slot_base(plan: &Plan, p: &ProjectionPlan, piece: &Piece, sign: usize) -> u32 {
    let target = &plan.populations[p.target];
    // Weights that change keep the sign of the largest, those of 0 too.
    let sign = p.plastic.as_ref().map_or(sign, |w| usize::from(w.quanta < 0.0));
    let receptor = (p.slots[sign] - target.slot) as u32 / target.size.max(1);
    (piece.slot + receptor * piece.len()).wrapping_sub(piece.from)
}
