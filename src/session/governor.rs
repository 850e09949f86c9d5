//! How many steps are asked of an engine at once, from how long the last ones took: so many that a harvest costs nothing,
//! so few that no watchdog wakes, a window stays lively and Ctrl-C is heard. Knows no engine and no clock.

/// Seconds that an advance shall take at most; and steps.
#[derive(Clone, Debug)]
pub struct Governor {
    steps: u64,
    /// Steps that the engine takes at once: to ask for half a batch more costs as much as for a whole one.
    batch: u64,
    slow: f64,
    most: u64,
}

impl Governor {
    /// For a run without a window, on an engine that takes `batch` steps at once: up to 100 ms.
    pub fn headless(batch: u64) -> Self {
        Self { steps: 1, batch: batch.max(1), slow: 0.1, most: 1024 }
    }

    /// Beside a window on the same device: up to 20 ms, so that no frame waits long.
    pub fn window(batch: u64) -> Self {
        Self { slow: 0.02, ..Self::headless(batch) }
    }

    /// Steps of the next advance: whole batches, unless one alone takes too long.
    pub fn steps(&self) -> u64 {
        if self.steps < self.batch { self.steps } else { self.steps - self.steps % self.batch }
    }

    /// Learns that an advance of `steps` took `seconds`. Doubles where even twice as many would be in time, halves at once
    /// where it was not.
    pub fn took(&mut self, steps: u64, seconds: f64) {
        if seconds > self.slow {
            self.steps = (steps / 2).max(1);
        } else if steps >= self.steps() && seconds < 0.4 * self.slow {
            self.steps = (2 * self.steps).min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An engine of so many seconds to a step, over 100 advances: the longest of them, and steps at the end.
    fn governed(mut governor: Governor, seconds: f64) -> (f64, u64) {
        let mut longest: f64 = 0.0;
        for _ in 0..100 {
            let took = governor.steps() as f64 * seconds;
            longest = longest.max(took);
            governor.took(governor.steps(), took);
        }
        (longest, governor.steps())
    }

    #[test]
    fn steps_grow_until_they_take_their_time_and_no_advance_is_too_long() {
        for (seconds, steps) in [(1e-6, 1024), (1e-3, 64), (0.09, 1), (3.0, 1)] {
            let (longest, found) = governed(Governor::headless(1), seconds);
            assert_eq!(found, steps, "{seconds}");
            assert!(longest <= 0.1_f64.max(seconds));
        }
        assert!(governed(Governor::window(1), 1e-3).0 <= 0.02);
    }

    #[test]
    fn an_advance_is_of_whole_batches_where_there_is_time_for_one() {
        for (seconds, batch, steps) in [(1e-6, 15, 1020), (1e-3, 15, 60), (3e-3, 15, 15), (3e-3, 64, 16), (3.0, 15, 1)] {
            let (longest, found) = governed(Governor::headless(batch), seconds);
            assert_eq!(found, steps, "{seconds} {batch}");
            assert!(longest <= 0.1_f64.max(seconds));
        }
    }

    #[test]
    fn a_slow_advance_halves_at_once() {
        let mut governor = Governor::headless(1);
        (0..10).for_each(|_| governor.took(governor.steps(), 1e-3));
        assert_eq!(governor.steps(), 1024);
        governor.took(1024, 0.3);
        assert_eq!(governor.steps(), 512);
        // An advance that was cut short says nothing of longer ones.
        governor.took(3, 1e-4);
        assert_eq!(governor.steps(), 512);
    }
}
