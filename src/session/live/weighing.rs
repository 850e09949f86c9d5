//! The weights of one projection as they change, told now and then: at most a twentieth of the time goes into it. Knows no order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::session::Simulation;

/// Time between two tellings, at least.
const EVERY: Duration = Duration::from_millis(250);

/// The weights of a projection at a step, in canonical order and in the unit of their receptor.
#[derive(Clone, Debug)]
pub struct Weighed {
    pub projection: usize,
    pub step: u64,
    pub values: Arc<[f32]>,
}

#[derive(Default)]
pub struct Weighing {
    of: Option<usize>,
    told: Option<Arc<Weighed>>,
    /// When it was told last, and what that took.
    last: Option<(Instant, Duration)>,
}

impl Weighing {
    /// From now on the weights of this projection, or of none.
    pub fn choose(&mut self, projection: Option<usize>) {
        *self = Self { of: projection, ..Self::default() };
    }

    /// The weights to be told: anew if some time has passed, or if they stand still.
    pub fn look(&mut self, simulation: &Simulation, running: bool) -> Option<Arc<Weighed>> {
        let projection = self.of?;
        let (step, start) = (simulation.step(), Instant::now());
        let due = self.last.is_none_or(|(at, took)| start - at >= EVERY.max(20 * took));
        if self.told.as_ref().is_none_or(|t| t.step != step && (due || !running)) {
            let values = simulation.changing_weights(projection);
            self.told = values.map(|values| Arc::new(Weighed { projection, step, values: values.into() }));
            self.last = Some((start, start.elapsed()));
        }
        self.told.clone()
    }
}
