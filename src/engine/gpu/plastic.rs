//! Weights that change, on a device: where the traces of sources stand, and the words that the kernels find all by that rules need. Their layout is declared here alone. Knows no kernel and no buffer.
//!
//! Where the histories of targets stand is told in `histories`. *Traces of sources* stand behind the work lists, which all shards
//! share: columns over a whole population, of the traces as the last spike left them and its step, then of the same before the first
//! spike of the present batch.
//!
//! The words of `wires` behind a projection's record: 0 rule, 1-3 numbers (of a spike of the source, of one of the target, of the
//! source's traces), 4 where the traces of its sources stand among the work items, 5 their neurons, 6-7 sources as neurons (mode;
//! first or table), 8 where the histories of its targets stand, 9 slot of their first neuron, 10 reciprocal of the largest weight in
//! quanta, 11 that weight, 12 numbers of what happens between events, 13 where the history of its modulator stands, 14 synapses of
//! the projection in the shard: what they keep beside the weight stands behind all weights, value by value; 15 numbers of a step of
//! the target at which the condition of the rule holds, 16 where the rings of what is read of the targets stand, 17 neurons of those.
//! Header of `wires`: 1 rows of the ring, 2 slots of a row, 3 length of a history less one, 4 where the records of these projections
//! are listed, 5 their number, 6 capacity of a list of rows that change, 7 where those lists begin, 8 number of the shard.

use super::histories::Stand;
use super::modulators;
use super::rows::Rows;
use super::shards::Piece;
use super::tables::Sizes;
use super::traces::Place;
use super::wires::{record_of, slot_base};
use crate::plan::{Plan, Plastic, ProjectionPlan, TracePlan};

pub const LIST: usize = 4;
pub const COUNT: usize = 5;
/// Steps of a batch, at most: the spikes of one neuron in a batch are the bits of a word.
pub const LONGEST_BATCH: u32 = 32;
/// Words of an item of a list of rows that change.
pub const ITEM: u32 = 4;

/// Whether any weights change.
pub fn any(plan: &Plan) -> bool {
    plan.projections.iter().any(|p| p.plastic.is_some())
}

/// Whether traces are of sources of synapses whose weights change.
pub fn of_plastic(plan: &Plan, traces: usize) -> bool {
    plan.projections.iter().any(|p| p.plastic.is_some() && p.traces == Some(traces))
}

/// Where the records of all projections whose weights change are.
pub fn records(plan: &Plan) -> Vec<u32> {
    changing(plan).map(|(i, _)| record_of(i) as u32).collect()
}

fn changing(plan: &Plan) -> impl Iterator<Item = (usize, &ProjectionPlan)> {
    plan.projections.iter().enumerate().filter(|(_, p)| p.plastic.is_some())
}

/// The programs of a rule, and the layout of what it knows of sources, of targets and of a modulator.
fn alike(plan: &Plan, a: &ProjectionPlan, b: &ProjectionPlan) -> bool {
    let programs = |p: &ProjectionPlan| {
        let drift = |c: &Plastic| c.drift.as_ref().map(|d| d.program.clone());
        let modulated = |c: &Plastic| c.modulator.map(|m| plan.modulators[m].traces.states.len());
        let change = p.plastic.as_ref().map(|c| (c.pre.program.clone(), c.post.program.clone(), drift(c), c.kept.len(), modulated(c)));
        let watched = p.plastic.as_ref().map(|c| {
            let watch = plan.targets[c.targets].watch.as_ref();
            (c.condition.as_ref().map(|e| e.program.clone()), watch.map(|w| w.reads.clone()))
        });
        (change, watched, p.traces.map(|n| plan.traces[n].program.clone()))
    };
    programs(a) == programs(b)
}

/// One projection for each rule.
pub fn rules(plan: &Plan) -> Vec<&ProjectionPlan> {
    let mut rules: Vec<&ProjectionPlan> = Vec::new();
    for (_, p) in changing(plan) {
        if !rules.iter().any(|known| alike(plan, known, p)) {
            rules.push(p);
        }
    }
    rules
}

/// Where the traces of sources stand among the work items, and where they end.
pub fn sources(plan: &Plan, sizes: Sizes) -> (Vec<Place>, u64) {
    let (mut places, mut first) = (Vec::new(), sizes.behind());
    for (traces, t) in plan.traces.iter().enumerate().filter(|(n, _)| of_plastic(plan, *n)) {
        let len = plan.populations[t.population].size;
        places.push(Place { traces, from: 0, len, first: first as u32 });
        first += u64::from(source_words(t)) * u64::from(len);
    }
    (places, first)
}

/// Words of all traces of sources.
pub fn source_total(plan: &Plan) -> u64 {
    let of = |t: &TracePlan| u64::from(source_words(t)) * u64::from(plan.populations[t.population].size);
    plan.traces.iter().enumerate().filter(|(n, _)| of_plastic(plan, *n)).map(|(_, t)| of(t)).sum()
}

fn source_words(t: &TracePlan) -> u32 {
    2 * super::traces::words(t)
}

/// The words behind a projection's record. `numbers` says where its numbers are, `sources` who its sources are.
pub fn words(plan: &Plan, p: &ProjectionPlan, change: &Plastic, pieces: &[Piece], numbers: [u32; 5], sources: [u32; 2]) -> Vec<u32> {
    let rule = rules(plan).iter().position(|known| alike(plan, known, p)).unwrap_or(0) as u32;
    let piece = pieces.iter().find(|piece| piece.population == p.target);
    let slot = piece.map_or(0, |piece| slot_base(plan, p, piece, 0).wrapping_add(piece.from));
    let mut words = vec![rule];
    words.extend(&numbers[..3]);
    words.extend([0, plan.populations[p.source].size]);
    words.extend(sources);
    words.extend([0, slot, change.unit().to_bits(), change.quanta.to_bits(), numbers[3], 0, 0, numbers[4], 0, 0]);
    words
}

/// Completes the tables of a shard with what is known when all rows have been counted.
pub fn enter(plan: &Plan, wires: &mut [u32], number: usize, pieces: &[Piece], sizes: Sizes, rows: &Rows) {
    let slots: u32 = pieces.iter().map(|p| p.len() * plan.populations[p.population].program.receptors).sum();
    wires[1..4].copy_from_slice(&[plan.ring as u32, slots, sizes.history - 1]);
    wires[6..9].copy_from_slice(&[sizes.changes, sizes.changes_at() as u32, number as u32]);
    let ((places, _), stands) = (sources(plan, sizes), Stand::all(plan, pieces, sizes.history));
    modulators::enter(plan, wires, sizes);
    for (i, p) in changing(plan) {
        let words = wires[record_of(i) + 32] as usize;
        let modulator = p.plastic.as_ref().and_then(|c| c.modulator);
        wires[words + 13] = modulator.map_or(0, |m| modulators::place(plan, sizes, m));
        wires[words + 14] = rows.count(i);
        wires[words + 4] = places.iter().find(|s| Some(s.traces) == p.traces).map_or(0, |s| s.first);
        if let Some(stand) = stands.iter().find(|s| p.plastic.as_ref().is_some_and(|c| c.targets == s.targets)) {
            wires[words + 8] = stand.first;
            wires[words + 16..words + 18].copy_from_slice(&[stand.rings(), stand.len]);
        }
    }
}
