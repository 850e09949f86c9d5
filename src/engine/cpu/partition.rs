//! Which neurons each thread owns: a slice of every large population, so that all threads have the same kinds of work.
//! Knows no synapse and no equation.

use std::ops::Range;

/// Neurons that are updated together, a few vectors of the widest kind: shares begin at multiples of it, in the thread and counted
/// from the first neuron of the population that is here.
pub const GROUP: u32 = 32;
/// Populations of fewer neurons for each thread stay whole.
const WHOLE: u32 = 4 * GROUP;

/// A slice of a population in the memory of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub population: usize,
    /// Its neurons, as indices into the population.
    pub start: u32,
    pub end: u32,
    /// Where they begin among the neurons of the thread.
    pub local: u32,
}

impl Share {
    pub fn len(&self) -> u32 {
        self.end - self.start
    }

    /// The neuron's number within the thread, if it is one of these.
    #[inline(always)]
    pub fn local(&self, index: u32) -> Option<u32> {
        (self.start <= index && index < self.end).then(|| self.local + index - self.start)
    }
}

/// Numbers that the neurons of these shares take up, gaps included.
pub fn numbers(shares: &[Share]) -> usize {
    shares.last().map_or(0, |s| (s.local + s.len().next_multiple_of(GROUP)) as usize)
}

/// The shares of each thread, in order of populations; of each population the neurons in its range.
pub fn partition(ranges: &[Range<u32>], threads: usize) -> Vec<Vec<Share>> {
    let threads = threads.max(1) as u32;
    let mut shares = vec![Vec::new(); threads as usize];
    let mut owned = vec![0u32; threads as usize];
    for (population, range) in ranges.iter().enumerate().filter(|(_, range)| !range.is_empty()) {
        let size = range.end - range.start;
        let least = (0..threads as usize).min_by_key(|t| owned[*t]).unwrap_or(0);
        let mut give = |thread: usize, start: u32, end: u32| {
            shares[thread].push(Share { population, start: range.start + start, end: range.start + end, local: owned[thread] });
            owned[thread] += (end - start).next_multiple_of(GROUP);
        };
        if size < threads * WHOLE {
            give(least, 0, size);
            continue;
        }
        let cut = |t: u32| if t == threads { size } else { (u64::from(size) * u64::from(t) / u64::from(threads)) as u32 / GROUP * GROUP };
        (0..threads).for_each(|t| give(t as usize, cut(t), cut(t + 1)));
    }
    shares
}

/// The owner of neurons that belong to no thread here.
pub const NOBODY: u16 = u16::MAX;

/// Which thread owns a neuron, and its number there.
pub struct Owners {
    /// By population: where each slice ends, whose it is, and what leads from an index to the number within the thread. The last
    /// ends nowhere.
    slices: Vec<Vec<(u32, u16, u32)>>,
}

impl Owners {
    pub fn new(populations: usize, shares: &[Vec<Share>]) -> Self {
        let mut slices = vec![Vec::new(); populations];
        for (thread, mine) in shares.iter().enumerate() {
            for s in mine {
                let all: &mut Vec<_> = &mut slices[s.population];
                if all.is_empty() && s.start > 0 {
                    all.push((s.start, NOBODY, 0));
                }
                all.push((s.end, thread as u16, s.local.wrapping_sub(s.start)));
            }
        }
        slices.iter_mut().for_each(|all| all.push((u32::MAX, NOBODY, 0)));
        Self { slices }
    }

    /// Thread and number there.
    #[inline(always)]
    pub fn find(&self, population: usize, index: u32) -> (u16, u32) {
        let slices = &self.slices[population];
        let i = slices.iter().map(|s| usize::from(index >= s.0)).sum::<usize>();
        (slices[i].1, index.wrapping_add(slices[i].2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_neuron_has_one_owner_and_a_number_of_its_own() {
        for threads in [1, 2, 3, 7] {
            let sizes = [10_000, 0, 5, 70, 641, 3];
            let shares = partition(&sizes.map(|size| 0..size), threads);
            let owners = Owners::new(sizes.len(), &shares);
            let mut taken: Vec<Vec<u32>> = vec![Vec::new(); threads];
            for (p, size) in sizes.iter().enumerate() {
                for i in 0..*size {
                    let (thread, local) = owners.find(p, i);
                    let share = shares[usize::from(thread)].iter().find(|s| s.population == p && s.local(i).is_some()).unwrap();
                    assert_eq!(share.local(i), Some(local));
                    taken[usize::from(thread)].push(local);
                }
            }
            for (mine, shares) in taken.iter_mut().zip(&shares) {
                let count = mine.len();
                mine.sort_unstable();
                mine.dedup();
                assert!(mine.len() == count && mine.iter().all(|i| (*i as usize) < numbers(shares)), "{threads}");
                assert!(shares.iter().all(|s| s.local.is_multiple_of(GROUP) && s.start.is_multiple_of(GROUP)));
            }
            let most = taken.iter().map(Vec::len).max().unwrap_or(0);
            assert!(most <= 10_719 / threads + 800, "{threads}: {most}");
        }
    }

    #[test]
    fn neurons_outside_of_a_slice_have_no_owner() {
        for threads in [1, 2] {
            let shares = partition(&[300..700, 0..0, 0..10], threads);
            let owners = Owners::new(3, &shares);
            let outside = |p, i| owners.find(p, i).0 == NOBODY;
            assert!(outside(0, 0) && outside(0, 299) && !outside(0, 300) && !outside(0, 699) && outside(0, 700));
            assert!(outside(1, 0) && !outside(2, 0) && !outside(2, 9) && outside(2, 10));
        }
    }
}
