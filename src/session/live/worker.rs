//! The thread of a live simulation: takes orders between batches, advances, publishes. Knows no window.
//!
//! Laws: (1) paused is paused: nothing but `Steps` and `Run` advances; (2) orders take effect in the order in which they
//! came, between two batches; (3) every edit that took effect is in the journal, with its step; (4) nobody is waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::guard::Guard;
use super::mailbox::Mailbox;
use super::network::{Running, build, fitting, rebuilds, tell, watch_neurons, written};
use super::pace::Pace;
use super::weighing::Weighing;
use super::{Device, Frame, History, Opening, Order, Phase, Slot};
use crate::base::problem::Problem;
use crate::session::{Backend, Command, Machine, Origin, choose};

/// Memory of the history, bytes.
const HISTORY: usize = 192 << 20;
/// Time between two frames of a simulation that runs.
const FRAME: Duration = Duration::from_millis(15);
/// Rate above which a population runs away, Hz, unless told.
const GUARD: f64 = 400.0;

/// Where it computes.
pub enum Place {
    Choose(Backend, Option<String>),
    Chosen(Machine, String),
}

pub struct Worker {
    mailbox: Arc<Mailbox>,
    slot: Slot,
    wake: Box<dyn Fn() + Send>,
    /// What is to be chosen from, until it has been.
    place: Option<Place>,
    machine: Option<Machine>,
    network: Option<Running>,
    running: bool,
    /// Steps that are still to be taken although it is paused.
    due: u64,
    watch: Vec<u32>,
    weighing: Weighing,
    history: History,
    guard: Guard,
    pace: Pace,
    frame: Frame,
    published: Instant,
}

impl Worker {
    pub fn new(mailbox: Arc<Mailbox>, slot: Slot, place: Place, wake: Box<dyn Fn() + Send>) -> Self {
        let frame = Frame { guard: Some(GUARD), speed: Some(1.0), ..Frame::default() };
        slot.put(frame.clone());
        Self {
            mailbox,
            slot,
            wake,
            place: Some(place),
            machine: None,
            network: None,
            running: false,
            due: 0,
            watch: Vec::new(),
            weighing: Weighing::default(),
            history: History::default(),
            guard: Guard::new(Vec::new(), None, 0),
            pace: Pace::new(0.1, Some(1.0), 1),
            frame,
            published: Instant::now(),
        }
    }

    pub fn work(mut self) {
        let mut patience = Duration::ZERO;
        loop {
            while let Some((number, order)) = self.mailbox.take(patience) {
                patience = Duration::ZERO;
                if matches!(order, Order::Quit) {
                    return;
                }
                self.carry_out(order);
                self.frame.done = number;
                self.publish(true);
            }
            patience = self.advance();
        }
    }

    /// Takes a batch of steps, and says how long may be waited for the next.
    fn advance(&mut self) -> Duration {
        let Some(network) = &mut self.network else { return Duration::from_secs(3600) };
        let step = network.simulation.step();
        let steps = match (self.due, self.running) {
            (0, false) => return Duration::from_secs(3600),
            (0, true) => match self.pace.next(step) {
                Ok(steps) => steps,
                Err(wait) => {
                    self.publish(false);
                    return wait;
                }
            },
            (due, _) => due.min(2000),
        };
        let start = Instant::now();
        match network.simulation.advance(steps) {
            Ok(harvest) => {
                self.pace.took(steps, harvest.spikes.len() as u64, start.elapsed());
                self.frame.spikes += harvest.spikes.len() as u64;
                self.frame.events += harvest.events;
                let ran = self.guard.look(&harvest.spikes, harvest.to, self.frame.dt);
                self.history.take(harvest, &network.watched, HISTORY);
                self.due = self.due.saturating_sub(steps);
                if let Some((p, rate, since)) = ran {
                    let name = network.about.network.populations.get(p).map_or("", |p| p.name.as_str());
                    let since = since as f64 * self.frame.dt;
                    let why = format!(
                        "{name} runs away: {rate:.0} Hz on average since {since:.1} ms. Turn something down, or let it run with the guard off"
                    );
                    self.frame.ran_away = true;
                    self.stop(why);
                }
            }
            Err(e) => self.stop(e),
        }
        self.publish(!self.running && self.due == 0);
        Duration::ZERO
    }

    fn stop(&mut self, why: String) {
        (self.running, self.due) = (false, 0);
        self.frame.stopped = Some(why);
        self.publish(true);
    }

    fn carry_out(&mut self, order: Order) {
        // What was told stays until something is done that may have its own news.
        if !matches!(order, Order::Watch(_) | Order::Weigh(_) | Order::Speed(_) | Order::Run | Order::Pause) {
            self.frame.note = None;
        }
        match order {
            Order::Open(opening) => self.open(*opening),
            Order::Rewrite(opening) => self.rewrite(*opening),
            Order::Run => self.run(true),
            Order::Pause => self.run(false),
            Order::Steps(n) => {
                self.run(false);
                self.due += n.min(1 << 32);
            }
            Order::Speed(speed) => {
                self.frame.speed = speed.map(|s| if s.is_finite() { s.clamp(1e-5, 1e4) } else { 1.0 });
                self.run(self.running);
            }
            Order::Guard(limit) => {
                self.frame.guard = limit;
                self.look_out();
            }
            Order::Set(values) => self.set(values),
            Order::Do(command) => self.command(command),
            Order::Press(stimulus) => self.press(&stimulus),
            Order::Restart(seed) => self.restart(seed),
            Order::Watch(neurons) => self.observe(neurons),
            Order::Weigh(projection) => self.weighing.choose(projection),
            Order::Quit => {}
        }
    }

    fn run(&mut self, running: bool) {
        self.running = running && self.network.is_some();
        self.due = 0;
        if self.running {
            (self.frame.stopped, self.frame.ran_away) = (None, false);
            self.look_out();
        }
        let step = self.network.as_ref().map_or(0, |n| n.simulation.step());
        self.pace.start(self.frame.speed, step);
    }

    fn look_out(&mut self) {
        if let Some(network) = &self.network {
            self.guard = Guard::new(network.about.ranges(), self.frame.guard, network.simulation.step());
        }
    }

    fn open(&mut self, opening: Opening) {
        let ran = self.running;
        self.run(opening.run);
        let saved = opening.origin.load().ok().and_then(|scene| scene.saved);
        if !self.rebuild(opening.origin, true) {
            self.run(ran && self.network.is_some());
            return;
        }
        if opening.fit && saved.is_none() {
            self.fit();
        }
        if let Some(saved) = saved {
            self.replay(&saved);
        } else {
            self.run(opening.run);
        }
    }

    fn rewrite(&mut self, opening: Opening) {
        let text = opening.origin.source.text.clone();
        let done = self.network.as_mut().map(|network| network.simulation.apply(Command::Rewrite { text }));
        let Some(Ok(())) = done else {
            self.open(opening);
            if let Some(Err(e)) = done.filter(|_| self.frame.problems.is_empty()) {
                self.frame.note = Some(format!("opened anew, from time 0: {e}"));
            }
            return;
        };
        self.frame.problems = Arc::default();
        self.observe(self.watch.clone());
        self.weighing.choose(None);
        if let Some(network) = &mut self.network {
            let (scene, base) = (&network.simulation.scene, network.about.base.clone());
            let original = scene.knobs.iter().chain(&scene.cells).cloned().collect();
            network.about = Arc::new(tell(&network.simulation, original, rebuilds(&network.simulation), base));
        }
        self.frame.note = Some("the new text goes on from here: what keeps its name keeps its value".into());
        self.look_out();
    }

    /// Makes the network as small as real time demands.
    fn fit(&mut self) {
        let Some(network) = &mut self.network else { return };
        let origin = network.simulation.origin.clone();
        match fitting(network) {
            Ok(Some((scale, factor))) => {
                let mut smaller = origin;
                smaller.options.set.push(("scale".into(), scale.to_string()));
                if self.rebuild(smaller, true) {
                    self.frame.note = Some(format!(
                        "made smaller (scale {scale}) to hold real time here: in full, a second of its life takes about {factor:.1} s. --scale 1 forces it"
                    ));
                }
            }
            Ok(None) => _ = self.rebuild(origin, true),
            Err(e) => self.stop(e),
        }
    }

    /// Brings a saved session to the step at which it was saved, with the edits it holds.
    fn replay(&mut self, saved: &crate::scene::Saved) {
        let end = saved.step;
        let commands = match super::super::saved::commands(saved) {
            Ok(commands) => commands,
            Err(e) => return self.stop(e),
        };
        self.frame.note = Some(format!("replaying the saved session, {} edits", commands.len()));
        let mut commands = commands.into_iter().peekable();
        loop {
            let Some(network) = &mut self.network else { return };
            let step = network.simulation.step();
            while let Some(c) = commands.next_if(|c| c.step <= step) {
                if let Err(e) = network.simulation.apply(c.command) {
                    return self.stop(format!("the saved session could not be replayed: {e}"));
                }
            }
            if step >= end {
                break;
            }
            let until = commands.peek().map_or(end, |c| c.step.clamp(step + 1, end));
            match network.simulation.advance((until - step).min(200)) {
                Ok(harvest) => {
                    self.frame.spikes += harvest.spikes.len() as u64;
                    self.frame.events += harvest.events;
                    self.history.take(harvest, &network.watched, HISTORY);
                }
                Err(e) => return self.stop(e),
            }
            self.publish(false);
        }
        self.retell();
        self.run(false);
    }

    /// Builds the network of an origin in place of the one there is; `afresh` if it is another scene. False if it could not be.
    fn rebuild(&mut self, origin: Origin, afresh: bool) -> bool {
        self.frame.phase = Phase::Building;
        self.publish_as(Phase::Building);
        if let Err(e) = self.prepare() {
            self.frame.problems = Arc::from([Problem::new(e)]);
            return false;
        }
        let Some(machine) = &self.machine else { return false };
        let original = self.network.as_ref().filter(|_| !afresh).map(|n| n.about.original.clone());
        if afresh {
            self.watch.clear();
        }
        match build(origin, machine, original, &self.watch) {
            Ok(network) => {
                self.frame = Frame {
                    generation: self.frame.generation + 1,
                    dt: network.simulation.plan.dt,
                    problems: Arc::default(),
                    stopped: None,
                    ran_away: false,
                    spikes: 0,
                    events: 0,
                    ..std::mem::take(&mut self.frame)
                };
                self.history = History::default();
                self.weighing.choose(None);
                self.pace = Pace::new(self.frame.dt, self.frame.speed, network.simulation.batch());
                self.network = Some(network);
                self.run(self.running);
                true
            }
            Err(problems) => {
                self.frame.problems = problems.into();
                false
            }
        }
    }

    /// Chooses the machine, once.
    fn prepare(&mut self) -> Result<(), String> {
        if let Some(place) = self.place.take() {
            let (machine, why) = match place {
                Place::Chosen(machine, why) => (machine, why),
                Place::Choose(backend, device) => {
                    let chosen = choose(backend, device.as_deref());
                    // What is missing now may be there when the next scene is opened.
                    chosen.inspect_err(|_| self.place = Some(Place::Choose(backend, device)))?
                }
            };
            let told = machine.describe();
            self.frame.device = Device { name: told.device, why, exact: told.exact.is_ok() };
            self.machine = Some(machine);
        }
        Ok(())
    }

    fn set(&mut self, values: Vec<(String, String)>) {
        let Some(network) = &mut self.network else { return };
        let mut rebuild = None;
        let mut edits = Vec::new();
        for (address, value) in &values {
            let current = network.simulation.origin.options.set.iter().any(|pair| pair == &(address.clone(), value.clone()));
            match network.simulation.rebuilds(address, value) {
                _ if current => {}
                Ok(None) => edits.push(Command::Set { address: address.clone(), value: value.clone() }),
                Ok(Some(what)) => rebuild = Some(what),
                Err(e) => return self.frame.note = Some(e),
            }
        }
        if rebuild.is_none() {
            for command in edits {
                match network.simulation.apply(command) {
                    Ok(()) => {}
                    Err(e) if e.contains("rebuilt") => rebuild = Some(e),
                    Err(e) => {
                        self.frame.note = Some(e);
                        break;
                    }
                }
            }
        }
        let Some(what) = rebuild else { return self.retell() };
        let mut origin = network.simulation.origin.clone();
        origin.options.set.retain(|(known, _)| !values.iter().any(|(address, _)| address == known));
        origin.options.set.extend(values);
        if self.rebuild(origin, false) {
            self.frame.note = Some(format!("rebuilt, from time 0: {what}"));
        } else {
            self.refuse();
        }
    }

    /// A rebuild for an edit failed: the old network goes on.
    fn refuse(&mut self) {
        let problems: String = self.frame.problems.iter().map(Problem::render).collect();
        self.frame.problems = Arc::default();
        self.frame.note = Some(problems);
    }

    fn command(&mut self, command: Command) {
        let Some(network) = &mut self.network else { return };
        match network.simulation.apply(command) {
            Ok(()) => self.retell(),
            Err(e) => self.frame.note = Some(e),
        }
    }

    fn press(&mut self, stimulus: &str) {
        let Some(network) = &self.network else { return };
        let Some(button) = network.about.buttons.iter().find(|b| b.stimulus == stimulus) else { return };
        let (now, length) = (network.simulation.step(), button.length);
        let was = button.start;
        // Between the two edits the stimulus must end after it begins.
        let keys = if now < was + length { [("start", now), ("stop", now + length)] } else { [("stop", now + length), ("start", now)] };
        let dt = self.frame.dt;
        let time = |step: u64| written(step as f64 * dt, "ms");
        for (key, step) in keys {
            self.command(Command::Set { address: format!("{stimulus}.{key}"), value: time(step) });
        }
    }

    fn restart(&mut self, seed: Option<u64>) {
        let Some(network) = &self.network else { return };
        let mut origin = network.simulation.origin.clone();
        if seed.is_some() {
            origin.options.seed = seed;
        }
        if !self.rebuild(origin, false) {
            self.refuse();
        }
    }

    fn observe(&mut self, neurons: Vec<u32>) {
        self.watch = neurons;
        let (Some(network), Some(machine)) = (&mut self.network, &self.machine) else { return };
        match watch_neurons(&mut network.simulation, machine, &self.watch) {
            Ok(watched) => network.watched = watched,
            Err(e) => self.frame.note = Some(e),
        }
    }

    /// Tells anew what an edit has changed.
    fn retell(&mut self) {
        let Some(network) = &mut self.network else { return };
        let about = &network.about;
        network.about = Arc::new(tell(&network.simulation, about.original.clone(), about.rebuilds.clone(), about.base.clone()));
    }

    fn publish(&mut self, now: bool) {
        if !now && self.published.elapsed() < FRAME {
            return;
        }
        let phase = match (&self.network, self.running || self.due > 0) {
            (None, _) => Phase::Empty,
            (Some(_), true) => Phase::Running,
            (Some(_), false) => Phase::Paused,
        };
        self.publish_as(phase);
        if now {
            (self.wake)();
        }
    }

    fn publish_as(&mut self, phase: Phase) {
        self.published = Instant::now();
        self.frame.phase = phase;
        if let Some(network) = &self.network {
            let journal = &network.simulation.journal;
            if self.frame.journal.len() != journal.len() || phase == Phase::Building {
                self.frame.journal = journal.clone().into();
            }
            self.frame.step = network.simulation.step();
            self.frame.seed = network.simulation.plan.seed;
            self.frame.about = Some(network.about.clone());
            self.frame.chunks = self.history.chunks();
            self.frame.forgotten = self.history.forgotten;
            self.frame.bytes = network.about.bytes + self.history.bytes() as u64;
            self.frame.weights = self.weighing.look(&network.simulation, self.running || self.due > 0);
            self.frame.speeds = self.pace.speeds();
        }
        self.slot.put(self.frame.clone());
        if phase == Phase::Building {
            (self.wake)();
        }
    }
}
