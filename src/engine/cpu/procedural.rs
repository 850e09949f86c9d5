//! Rows that are drawn again at every spike, into the ring of sums, which then has one row for each step that is under way.
//! Nothing is stored but what the wiring itself keeps. Knows no stored row.

use super::partition::Share;
use super::sums::Sums;
use crate::plan::{Drawn, Flowing, Plan, ProjectionPlan, Scratch, Synapses, UNCHANGED, scaled};

pub struct Procedural {
    /// Procedural projections by the population that they leave.
    leaving: Vec<Vec<usize>>,
    /// The share of each population in this thread, if it has one.
    shares: Vec<Option<Share>>,
    drawn: Vec<Drawn>,
    room: Room,
}

/// What rows need that are taken as they are drawn.
#[derive(Default)]
struct Room {
    scratch: Scratch,
    /// Where the sums of the steps from `now` on begin; none where they have too many of them.
    places: Vec<u32>,
    now: Option<u64>,
    short: bool,
    /// Where the synapses of a row land.
    landings: Vec<u32>,
}

/// Whether any projection is procedural.
pub fn any(plan: &Plan) -> bool {
    plan.projections.iter().any(|p| p.procedural())
}

impl Procedural {
    pub fn new(plan: &Plan, shares: &[Share]) -> Self {
        let mut leaving = vec![Vec::new(); if any(plan) { plan.populations.len() } else { 0 }];
        plan.projections.iter().enumerate().filter(|(_, p)| p.procedural()).for_each(|(i, p)| leaving[p.source].push(i));
        let share = |population: usize| shares.iter().find(|s| s.population == population).copied();
        Self { leaving, shares: (0..plan.populations.len()).map(share).collect(), drawn: Vec::new(), room: Room::default() }
    }

    /// A neuron has spiked at step `now`: its rows are drawn, and what lands in this thread is under way, weights times the factor
    /// that its traces have made. Gives the number of synapses that do.
    #[inline(always)]
    pub fn spike(&mut self, now: u64, neuron: u32, factors: &[u32], plan: &Plan, sums: &mut Sums) -> u64 {
        if self.leaving.is_empty() {
            return 0;
        }
        let population = plan.populations.partition_point(|p| p.first + p.size <= neuron);
        let index = neuron - plan.populations[population].first;
        let mut events = 0;
        for i in &self.leaving[population] {
            let p = &plan.projections[*i];
            let (Some(source), Some(share)) = (p.from.find(index), self.shares[p.target]) else { continue };
            let factor = p.traces.map_or(UNCHANGED, |n| factors[n]);
            let target = &plan.populations[p.target];
            let receptors = p.slots.map(|slot| (slot - target.slot) / (target.size as usize).max(1));
            let row = Row { source, now, share, factor, receptors };
            events += match Flowing::new(p) {
                Some(flowing) if self.room.ready(now, sums) => {
                    pulp::Arch::new().dispatch(Taken { flowing, row, room: &mut self.room, sums })
                }
                _ => row.whole(plan, p, &mut self.drawn, sums),
            };
        }
        events
    }
}

/// A row that is to be drawn.
#[derive(Clone, Copy)]
struct Row {
    source: u32,
    now: u64,
    share: Share,
    factor: u32,
    receptors: [usize; 2],
}

impl Row {
    /// Draws all of it, and takes what lands here.
    fn whole(self, plan: &Plan, p: &ProjectionPlan, drawn: &mut Vec<Drawn>, sums: &mut Sums) -> u64 {
        let mut synapses = Synapses::new(plan.seed, p);
        drawn.clear();
        synapses.row(self.source, drawn);
        let mut events = 0;
        for d in drawn {
            let Some(local) = self.share.local(d.target) else { continue };
            events += 1;
            let sum = &mut sums.from(self.now + u64::from(d.delay), self.receptors[usize::from(d.weight < 0)])[local as usize];
            *sum = sum.wrapping_add(scaled(synapses.quanta(d), self.factor));
        }
        events
    }
}

impl Room {
    /// Makes ready for rows that leave at step `now`. False if they cannot be taken this way.
    #[inline(always)]
    fn ready(&mut self, now: u64, sums: &Sums) -> bool {
        if self.now != Some(now) {
            self.now = Some(now);
            self.short = sums.places(now, &mut self.places);
        }
        self.short
    }
}

/// A row that is taken as it is drawn, with the widest vectors of this processor.
struct Taken<'a> {
    flowing: Flowing<'a>,
    row: Row,
    room: &'a mut Room,
    sums: &'a mut Sums,
}

impl pulp::NullaryFnOnce for Taken<'_> {
    type Output = u64;

    #[inline(always)]
    fn call(self) -> u64 {
        let Self { flowing, row: Row { source, share, factor, receptors, .. }, room, sums } = self;
        let weight = scaled(flowing.weight, factor);
        let first = (receptors[usize::from(flowing.weight < 0)] * sums.pitch()) as u32 + share.local;
        let Room { scratch, places, landings, .. } = room;
        let mut events = 0;
        flowing.pieces(source, share.start..share.end, scratch, |kept| {
            if landings.len() < kept.len() {
                landings.resize(kept.len(), 0);
            }
            // Without a branch: what lands here is chance.
            let mut count = 0;
            for k in kept {
                let local = flowing.target(k).wrapping_sub(share.start);
                landings[count] = places[flowing.delay(k) as usize].wrapping_add(first).wrapping_add(local);
                count += usize::from(local < share.len());
            }
            sums.scatter(&landings[..count], weight);
            events += count as u64;
        });
        events
    }
}
