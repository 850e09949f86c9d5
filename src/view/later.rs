//! What takes a while is computed on a thread of its own, and what is known is shown until then. Knows no panel.

use std::sync::mpsc::{Receiver, TryRecvError, channel};

pub struct Later<K, V> {
    known: Option<(K, V)>,
    coming: Option<(K, Receiver<V>)>,
}

impl<K, V> Default for Later<K, V> {
    fn default() -> Self {
        Self { known: None, coming: None }
    }
}

impl<K: PartialEq + Clone, V: Send + 'static> Later<K, V> {
    /// What is known, and whether it answers this key; if it does not, its computation is begun, one at a time. Where `wait`, it
    /// is done at once. `wake` is called when a value has come.
    pub fn get(
        &mut self,
        key: &K,
        wait: bool,
        wake: impl FnOnce() + Send + 'static,
        make: impl FnOnce() -> V + Send + 'static,
    ) -> (Option<&V>, bool) {
        if let Some((asked, receiver)) = self.coming.take() {
            match receiver.try_recv() {
                Ok(value) => self.known = Some((asked, value)),
                Err(TryRecvError::Empty) => self.coming = Some((asked, receiver)),
                // Its thread has failed: it is tried again.
                Err(TryRecvError::Disconnected) => {}
            }
        }
        let answers = |known: &Option<(K, V)>| known.as_ref().is_some_and(|(k, _)| k == key);
        if !answers(&self.known) && wait {
            self.known = Some((key.clone(), make()));
        } else if !answers(&self.known) && self.coming.is_none() {
            let (sender, receiver) = channel();
            let work = move || {
                // A window that is gone does not want to know.
                let _ = sender.send(make());
                wake();
            };
            if std::thread::Builder::new().name("later".into()).spawn(work).is_ok() {
                self.coming = Some((key.clone(), receiver));
            }
        }
        (self.known.as_ref().map(|k| &k.1), answers(&self.known))
    }
}
