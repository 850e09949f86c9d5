//! Rows that are drawn again at every spike, into a ring of sums with one row for each step that is under way. Nothing is
//! stored but what the wiring itself keeps. Knows no stored row.

use crate::plan::{Drawn, Plan, Synapses};

pub struct Procedural {
    /// Procedural projections by the population that they leave.
    leaving: Vec<Vec<usize>>,
    /// Sums by due step modulo the number of rows, then slot; empty where all rows are stored.
    ring: Vec<i32>,
    rows: usize,
    slots: usize,
    drawn: Vec<Drawn>,
}

impl Procedural {
    pub fn new(plan: &Plan) -> Self {
        let mut leaving = vec![Vec::new(); plan.populations.len()];
        plan.projections.iter().enumerate().filter(|(_, p)| p.procedural()).for_each(|(i, p)| leaving[p.source].push(i));
        let any = leaving.iter().any(|l| !l.is_empty());
        let ring = vec![0; if any { plan.ring * plan.slots } else { 0 }];
        Self { leaving, ring, rows: plan.ring, slots: plan.slots, drawn: Vec::new() }
    }

    /// Adds what is due at step `now` to the accumulators.
    #[inline(always)]
    pub fn deliver(&mut self, now: u64, due: &mut [i32]) {
        if self.ring.is_empty() {
            return;
        }
        let at = (now % self.rows as u64) as usize * self.slots;
        for (sum, from) in due.iter_mut().zip(&mut self.ring[at..at + self.slots]) {
            *sum = sum.wrapping_add(*from);
            *from = 0;
        }
    }

    /// A neuron has spiked at step `now`: its rows are drawn and are under way. Gives the number of synapses.
    #[inline(always)]
    pub fn spike(&mut self, now: u64, neuron: u32, plan: &Plan) -> u64 {
        if self.ring.is_empty() {
            return 0;
        }
        let population = plan.populations.partition_point(|p| p.first + p.size <= neuron);
        let index = neuron - plan.populations[population].first;
        let mut events = 0;
        for i in &self.leaving[population] {
            let p = &plan.projections[*i];
            let Some(source) = p.from.find(index) else { continue };
            let mut synapses = Synapses::new(plan.seed, p);
            self.drawn.clear();
            synapses.row(source, &mut self.drawn);
            events += self.drawn.len() as u64;
            for d in &self.drawn {
                let row = ((now + u64::from(d.delay)) % self.rows as u64) as usize;
                let slot = p.slots[usize::from(d.weight < 0)] + d.target as usize;
                let sum = &mut self.ring[row * self.slots + slot];
                *sum = sum.wrapping_add(synapses.quanta(d));
            }
        }
        events
    }

    /// Adds all inputs that are under way after step `now` to `due`: entry d is due at now + 1 + d.
    pub fn save(&self, now: u64, due: &mut [Vec<i32>]) {
        if self.ring.is_empty() {
            return;
        }
        for (d, sums) in due.iter_mut().enumerate().take(self.rows - 1) {
            let at = ((now + 1 + d as u64) % self.rows as u64) as usize * self.slots;
            sums.iter_mut().zip(&self.ring[at..at + self.slots]).for_each(|(sum, from)| *sum = sum.wrapping_add(*from));
        }
    }

    /// Forgets all that is under way.
    pub fn clear(&mut self) {
        self.ring.fill(0);
    }
}
