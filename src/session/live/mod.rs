//! A simulation on its own thread: orders go in, the newest frame is there to be looked at. A reader that is slow or gone
//! never holds it up. Knows no window.

mod chunk;
mod frame;
mod guard;
mod mailbox;
mod network;
mod pace;
mod weighing;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Backend, Command, Machine, Origin};
pub use chunk::{Chunk, History};
pub use frame::{About, Device, Frame, Phase, Speeds, Watched};
use mailbox::Mailbox;
pub use network::place;
pub use weighing::Weighed;

/// Longer than anybody waits.
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// What can be asked of a live simulation.
#[derive(Clone, Debug)]
pub enum Order {
    /// Opens a scene in place of the one that runs. If it has problems, the one that runs stays.
    Open(Box<Opening>),
    /// The text of the scene that runs has changed: it goes on from its present state where that is possible, else it is opened anew.
    Rewrite(Box<Opening>),
    Run,
    Pause,
    /// Pauses, then advances by this many steps.
    Steps(u64),
    /// Gives addresses new values: at once where that is possible, else by a rebuild, which starts again at time 0.
    Set(Vec<(String, String)>),
    /// A poke, or an edit that must not rebuild.
    Do(Command),
    /// Makes a labelled stimulus act from now on.
    Press(String),
    /// Starts again at time 0 with the values of now; with this seed, or the same.
    Restart(Option<u64>),
    /// Seconds of the network's life per second; `None` is as fast as possible.
    Speed(Option<f64>),
    /// Records the membrane of these neurons, and of no others.
    Watch(Vec<u32>),
    /// Tells the weights of this projection now and then, if they change; `None` tells none.
    Weigh(Option<usize>),
    /// The rate in Hz above which a population counts as running away; `None` lets it.
    Guard(Option<f64>),
    Quit,
}

/// What is to be opened.
#[derive(Clone, Debug)]
pub struct Opening {
    pub origin: Origin,
    /// Let the network run as soon as it is built.
    pub run: bool,
    /// A scene with a parameter `scale` is made as much smaller as real time demands.
    pub fit: bool,
}

/// The handle. Dropped, it ends the simulation.
pub struct Live {
    mailbox: Arc<Mailbox>,
    slot: Slot,
    thread: Option<JoinHandle<()>>,
}

/// The newest frame, and nothing older.
#[derive(Clone, Default)]
struct Slot(Arc<Mutex<Arc<Frame>>>);

impl Slot {
    fn get(&self) -> Arc<Frame> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, frame: Frame) {
        let frame = Arc::new(frame);
        let old = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), frame);
        // The old frame may be the last holder of chunks: they are freed here, outside of the lock.
        drop(old);
    }
}

impl Live {
    /// Starts the thread; `wake` is called on it whenever something has changed that a reader should see at once.
    pub fn start(backend: Backend, device: Option<String>, wake: impl Fn() + Send + 'static) -> Result<Self, String> {
        Self::begin(worker::Place::Choose(backend, device), wake)
    }

    /// The same on a machine that has been chosen, and why it was.
    pub fn on(machine: Machine, why: String, wake: impl Fn() + Send + 'static) -> Result<Self, String> {
        Self::begin(worker::Place::Chosen(machine, why), wake)
    }

    fn begin(place: worker::Place, wake: impl Fn() + Send + 'static) -> Result<Self, String> {
        let (mailbox, slot) = (Arc::new(Mailbox::default()), Slot::default());
        let worker = worker::Worker::new(mailbox.clone(), slot.clone(), place, Box::new(wake));
        let thread = std::thread::Builder::new().name("simulation".into()).spawn(move || worker.work());
        let thread = thread.map_err(|e| format!("the thread of the simulation could not be started: {e}"))?;
        Ok(Self { mailbox, slot, thread: Some(thread) })
    }

    /// Hands in an order and gives its number; `Frame::done` tells when it is carried out.
    pub fn order(&self, order: Order) -> u64 {
        self.mailbox.post(order)
    }

    /// The newest frame.
    pub fn frame(&self) -> Arc<Frame> {
        self.slot.get()
    }

    /// Waits until a frame pleases, or some time has passed. For tests and pictures; a window never waits.
    pub fn until(&self, patience: Duration, pleases: impl Fn(&Frame) -> bool) -> Option<Arc<Frame>> {
        let start = Instant::now();
        loop {
            let frame = self.frame();
            if pleases(&frame) {
                return Some(frame);
            }
            if start.elapsed() > patience {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.mailbox.post(Order::Quit);
        // A build cannot be broken off: it is left alone after a while.
        let start = Instant::now();
        while self.thread.as_ref().is_some_and(|t| !t.is_finished()) && start.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if let Some(thread) = self.thread.take().filter(|t| t.is_finished()) {
            let _ = thread.join();
        }
    }
}
