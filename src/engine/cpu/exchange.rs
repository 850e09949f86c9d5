//! Where threads meet: a barrier that spins, and the spikes of the last batch. Knows no network.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{RwLock, RwLockReadGuard};

use crate::plan::Spike;

/// Turns of spinning before the processor is offered to others: about as long as a short step takes.
const SPINS: u32 = 500;

/// Columns of values, each with its number.
pub type Values = Vec<(usize, Vec<f32>)>;

pub struct Exchange {
    threads: usize,
    arrived: AtomicUsize,
    passed: AtomicUsize,
    broken: AtomicBool,
    /// Spikes by thread, of batches with even and with odd numbers: one is written while the other is still read.
    spikes: Vec<[RwLock<Vec<Spike>>; 2]>,
    /// Values that threads show each other, numbered, in the same way.
    shown: Vec<[RwLock<Values>; 2]>,
}

impl Exchange {
    pub fn new(threads: usize) -> Self {
        Self {
            threads,
            arrived: AtomicUsize::new(0),
            passed: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            spikes: (0..threads).map(|_| Default::default()).collect(),
            shown: (0..threads).map(|_| Default::default()).collect(),
        }
    }

    /// Publishes the spikes of a thread; what is in `spikes` afterwards is of no meaning.
    pub fn publish(&self, thread: usize, batch: u64, spikes: &mut Vec<Spike>) {
        if let Ok(mut mine) = self.spikes[thread][(batch % 2) as usize].write() {
            std::mem::swap(&mut *mine, spikes);
        }
    }

    /// The spikes of every thread in turn, after `wait`. No closure is called with them: it would not be inlined into the code that has
    /// the widest vectors.
    #[inline(always)]
    pub fn each(&self, batch: u64) -> impl Iterator<Item = RwLockReadGuard<'_, Vec<Spike>>> {
        self.spikes.iter().flat_map(move |of| of[(batch % 2) as usize].read())
    }

    /// Shows values of a thread to all; what is in `values` afterwards is of no meaning.
    pub fn show(&self, thread: usize, batch: u64, values: &mut Values) {
        if let Ok(mut mine) = self.shown[thread][(batch % 2) as usize].write() {
            std::mem::swap(&mut *mine, values);
        }
    }

    /// Reads what every thread in turn has shown, after `wait`.
    pub fn shown(&self, batch: u64, mut read: impl FnMut(usize, &[f32])) {
        for of in &self.shown {
            if let Ok(values) = of[(batch % 2) as usize].read() {
                values.iter().for_each(|(number, values)| read(*number, values));
            }
        }
    }

    /// Waits until every thread is here. False if one of them will never come.
    #[must_use]
    pub fn wait(&self) -> bool {
        if self.threads == 1 {
            return true;
        }
        let round = self.passed.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.arrived.store(0, Ordering::Relaxed);
            self.passed.store(round.wrapping_add(1), Ordering::Release);
            return true;
        }
        let mut turns = 0;
        while self.passed.load(Ordering::Acquire) == round {
            if self.broken.load(Ordering::Relaxed) {
                return false;
            }
            turns += 1;
            if turns < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        true
    }

    /// Lets the others go if this thread ends before its time.
    pub fn guard(&self) -> Guard<'_> {
        Guard(self)
    }
}

pub struct Guard<'a>(&'a Exchange);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Relaxed);
        }
    }
}
