//! Wiring that is kept as rows, because no formula gives a row by itself. Knows no rule.

use crate::network::Synapse;

pub struct Stored {
    ends: Vec<u64>,
    targets: Vec<u32>,
    /// For lists: where each synapse stands in the list.
    listed: Vec<u32>,
    max_in_degree: u64,
}

impl Stored {
    /// Rows from (source, target) pairs, in their order within each row.
    pub fn new(pairs: Vec<(u32, u32)>, sources: u32) -> Self {
        let (ends, order) = rows(pairs.iter().map(|p| p.0), sources);
        let targets: Vec<u32> = order.iter().map(|i| pairs[*i as usize].1).collect();
        Self { ends, max_in_degree: most(&targets), targets, listed: Vec::new() }
    }

    /// Synapses of a list whose ends all exist.
    pub fn listed(list: &[Synapse], sources: u32) -> Self {
        let (ends, order) = rows(list.iter().map(|s| s.source), sources);
        let targets: Vec<u32> = order.iter().map(|i| list[*i as usize].target).collect();
        Self { ends, max_in_degree: most(&targets), targets, listed: order }
    }

    pub fn row(&self, source: u32) -> &[u32] {
        &self.targets[self.range(source)]
    }

    pub fn positions(&self, source: u32) -> &[u32] {
        if self.listed.is_empty() { &[] } else { &self.listed[self.range(source)] }
    }

    pub fn synapses(&self) -> u64 {
        self.targets.len() as u64
    }

    pub fn bytes(&self) -> u64 {
        (self.ends.len() * 8 + self.targets.len() * 4 + self.listed.len() * 4) as u64
    }

    pub fn max_in_degree(&self) -> u64 {
        self.max_in_degree
    }

    fn range(&self, source: u32) -> std::ops::Range<usize> {
        let s = source as usize;
        (if s == 0 { 0 } else { self.ends[s - 1] as usize })..self.ends[s] as usize
    }
}

/// A stable counting sort by source: ends of the rows, and the order.
fn rows(of: impl Iterator<Item = u32> + Clone, sources: u32) -> (Vec<u64>, Vec<u32>) {
    let mut ends = vec![0u64; sources as usize];
    of.clone().for_each(|s| ends[s as usize] += 1);
    let mut at = Vec::with_capacity(ends.len());
    let mut sum = 0;
    for e in &mut ends {
        at.push(sum);
        sum += *e;
        *e = sum;
    }
    let mut order = vec![0u32; sum as usize];
    for (i, s) in of.enumerate() {
        order[at[s as usize] as usize] = i as u32;
        at[s as usize] += 1;
    }
    (ends, order)
}

fn most(targets: &[u32]) -> u64 {
    let mut counts = vec![0u64; targets.iter().max().map_or(0, |m| *m as usize + 1)];
    targets.iter().for_each(|t| counts[*t as usize] += 1);
    counts.into_iter().max().unwrap_or(0)
}
