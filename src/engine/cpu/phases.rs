//! Where the time goes: seconds and counts by phase of the step. Reads no clock of its own: it is given one.

/// Seconds are summed over threads, and zero unless `Cpu::measure` was called; counts are always kept.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Phases {
    /// Stored rows that are due are added to the sums.
    pub deliver: f64,
    /// Poisson counts and replayed spikes are added to the sums.
    pub drive: f64,
    /// States are integrated; thresholds, resets, probes.
    pub update: f64,
    /// Spikes are put under way; procedural rows are drawn.
    pub spread: f64,
    /// Threads wait for each other.
    pub wait: f64,
    /// Synaptic events of the spikes so far.
    pub events: u64,
    pub spikes: u64,
    /// Neurons times steps.
    pub updates: u64,
    /// Poisson counts drawn.
    pub draws: u64,
}

impl Phases {
    pub fn add(&mut self, other: &Phases) {
        self.deliver += other.deliver;
        self.drive += other.drive;
        self.update += other.update;
        self.spread += other.spread;
        self.wait += other.wait;
        self.events += other.events;
        self.spikes += other.spikes;
        self.updates += other.updates;
        self.draws += other.draws;
    }
}

/// Laps of one thread.
#[derive(Clone, Copy)]
pub struct Watch {
    clock: Option<fn() -> f64>,
    last: f64,
}

impl Watch {
    pub fn new(clock: Option<fn() -> f64>) -> Self {
        Self { clock, last: clock.map_or(0.0, |now| now()) }
    }

    /// Adds the time since the last lap.
    #[inline(always)]
    pub fn lap(&mut self, phase: &mut f64) {
        if let Some(now) = self.clock {
            let now = now();
            *phase += now - self.last;
            self.last = now;
        }
    }
}
