//! What goes wrong on a device, as a sentence with a remedy and never as a panic. Knows no network.

use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use super::Device;

/// Longer than this no submission may take: on a GPU, and where a processor that others share stands in for one.
const PATIENCE: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(300)];

/// The first error that no scope has caught, and why the device was lost.
#[derive(Default)]
pub struct Trouble {
    error: Mutex<Option<String>>,
    lost: Mutex<Option<String>>,
}

fn keep(place: &Mutex<Option<String>>, text: String) {
    place.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
}

fn told(place: &Mutex<Option<String>>) -> Option<String> {
    place.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Trouble {
    /// Listens to a device: wgpu itself would panic.
    pub fn of(device: &wgpu::Device) -> Arc<Self> {
        let trouble = Arc::new(Self::default());
        let (errors, losses) = (trouble.clone(), trouble.clone());
        device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| keep(&errors.error, e.to_string())));
        device.set_device_lost_callback(move |reason, text| keep(&losses.lost, format!("{reason:?} {text}").trim().to_string()));
        trouble
    }
}

const REMEDY: &str = "a smaller network, storage = \"procedural\", or --backend cpu would help";

impl Device {
    /// Runs what creates or builds. An error names what the device refused and what would help; the device itself lives on
    /// where it can.
    pub fn guarded<T>(&self, run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
        let scopes = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation]
            .map(|filter| self.device.push_error_scope(filter));
        let result = run();
        let [memory, internal, validation] = scopes;
        // The innermost scope was pushed last.
        let errors = [validation, internal, memory].map(|scope| pollster::block_on(scope.pop()));
        let name = &self.listed.name;
        if let Some(error) = errors[2].as_ref() {
            return Err(format!("{name} has too little memory for this network ({error}): {REMEDY}"));
        }
        self.check()?;
        if let Some(error) = errors[0].as_ref().or(errors[1].as_ref()) {
            return Err(format!("{name} refused to build this network ({error}): {REMEDY}"));
        }
        result
    }

    /// An error if the device was lost or has reported an error that nobody asked for.
    pub fn check(&self) -> Result<(), String> {
        let name = &self.listed.name;
        if let Some(why) = told(&self.trouble.lost) {
            return Err(format!(
                "{name} was lost ({why}): its driver was reset, or the model is too complex for it; run again, go on from a checkpoint, or take --backend cpu"
            ));
        }
        match told(&self.trouble.error) {
            Some(why) => Err(format!("{name} reported an error ({why}): {REMEDY}")),
            None => Ok(()),
        }
    }

    /// Waits for everything submitted, but not for ever.
    pub fn wait(&self) -> Result<(), String> {
        let patience = PATIENCE[usize::from(self.listed.software)];
        let waited = self.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(patience) });
        self.check()?;
        let name = &self.listed.name;
        waited.map(|_| ()).map_err(|e| format!("{name} has not answered for {} s ({e}): {REMEDY}", patience.as_secs()))
    }
}
