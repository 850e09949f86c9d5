//! Bursts of populations as running sums: how many, their period, and where they fall in the cycle of another population. Knows no
//! metric.

/// Sums over the bursts of one population.
#[derive(Clone, Copy, Debug, Default)]
pub struct Burst {
    /// Step of the last spike, and of the last start of a burst.
    last: Option<u64>,
    pub start: Option<u64>,
    /// Starts so far, and the first of them.
    pub count: u64,
    pub first: u64,
    /// First start since the reference last began a burst.
    waiting: Option<u64>,
    /// Over the cycles of the reference in which this population began a burst: how many, and the sum of the unit vectors of
    /// the phases.
    pub cycles: u64,
    pub sum: [f64; 2],
}

/// A burst starts with a spike that follows a silence of the population of at least `gap` steps.
#[derive(Clone, Debug)]
pub struct Bursts {
    gap: u64,
    /// Step from which silence counts.
    from: u64,
    /// Population whose bursts bound the cycles of phases.
    pub against: Option<usize>,
    pub of: Vec<Burst>,
}

impl Bursts {
    pub fn new(gap: u64, from: u64, against: Option<usize>, populations: usize) -> Self {
        Self { gap, from, against, of: vec![Burst::default(); populations] }
    }

    /// A spike of a population; spikes come in the order of their steps.
    pub fn spike(&mut self, step: u64, population: usize) {
        let burst = &mut self.of[population];
        let silent = step - burst.last.unwrap_or(self.from);
        burst.last = Some(step);
        if silent < self.gap.max(1) {
            return;
        }
        let before = burst.start.replace(step);
        burst.first = if burst.count == 0 { step } else { burst.first };
        burst.count += 1;
        burst.waiting = burst.waiting.or(Some(step));
        if self.against == Some(population) {
            self.turn(before, step);
        }
    }

    /// The reference begins a burst: the phases of the cycle that ends here are known. A burst of this very step belongs to
    /// the next cycle.
    fn turn(&mut self, before: Option<u64>, step: u64) {
        for burst in &mut self.of {
            let Some(at) = burst.waiting.filter(|at| *at < step) else { continue };
            burst.waiting = burst.start.filter(|at| *at == step);
            // What began before the first cycle has no phase.
            let Some(before) = before.filter(|b| *b <= at) else { continue };
            let angle = std::f64::consts::TAU * (at - before) as f64 / (step - before) as f64;
            burst.cycles += 1;
            burst.sum[0] += libm::cos(angle);
            burst.sum[1] += libm::sin(angle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_starts_after_a_silence_and_has_a_phase_in_the_cycle_of_another() {
        let mut bursts = Bursts::new(10, 0, Some(0), 3);
        // Population 0 bursts at 20, 60 and 100; 1 a quarter later, twice in the second cycle; 2 with 0, in the same steps.
        for step in [20, 21, 25, 60, 65, 100] {
            bursts.spike(step, 2);
            bursts.spike(step, 0);
            if matches!(step, 20 | 60) {
                bursts.spike(step + 10, 1);
                bursts.spike(step + 12, 1);
            }
            if step == 60 {
                bursts.spike(90, 1);
            }
        }
        let count = |p: usize| (bursts.of[p].count, bursts.of[p].first, bursts.of[p].start, bursts.of[p].cycles);
        assert_eq!(count(0), (3, 20, Some(100), 2));
        assert_eq!(count(1), (3, 30, Some(90), 2));
        assert_eq!(count(2), (3, 20, Some(100), 2));
        let near = |p: usize, [x, y]: [f64; 2]| (bursts.of[p].sum[0] - x).abs() < 1e-12 && (bursts.of[p].sum[1] - y).abs() < 1e-12;
        assert!(near(0, [2.0, 0.0]) && near(1, [0.0, 2.0]) && near(2, [2.0, 0.0]), "{bursts:?}");
    }

    #[test]
    fn a_spike_too_soon_after_the_beginning_starts_no_burst() {
        let mut bursts = Bursts::new(10, 100, None, 1);
        [105, 112, 130].into_iter().for_each(|step| bursts.spike(step, 0));
        assert_eq!((bursts.of[0].count, bursts.of[0].first, bursts.of[0].cycles), (1, 130, 0));
    }
}
