//! The stretch of time that all panels show: it follows the present, or stands still to look back. Knows no panel.

use eframe::egui::{Response, Ui};

use crate::session::live::Frame;

#[derive(Clone, Debug)]
pub struct Span {
    /// Length, ms.
    pub length: f64,
    /// End, ms; `None` follows the present.
    pub end: Option<f64>,
}

impl Default for Span {
    fn default() -> Self {
        Self { length: 500.0, end: None }
    }
}

impl Span {
    /// Begin and end in ms.
    pub fn of(&self, frame: &Frame) -> (f64, f64) {
        let end = self.end.unwrap_or(frame.time().max(self.length));
        (end - self.length, end)
    }

    /// First and last step, (from, to].
    pub fn steps(&self, frame: &Frame) -> (u64, u64) {
        let (from, to) = self.of(frame);
        let step = |t: f64| (t / frame.dt.max(1e-9)).round().max(0.0) as u64;
        (step(from), step(to).min(frame.step))
    }

    pub fn follow(&mut self) {
        self.end = None;
    }

    /// Moves the end by some ms; at the present it follows again.
    pub fn pan(&mut self, ms: f64, frame: &Frame) {
        let (_, end) = self.of(frame);
        let first = frame.oldest() as f64 * frame.dt + self.length.min(frame.time());
        let end = (end + ms).max(first);
        self.end = (end < frame.time()).then_some(end);
    }

    /// Zooms by a factor around a place between 0 (left) and 1.
    pub fn zoom(&mut self, factor: f64, place: f64, frame: &Frame) {
        let (from, _) = self.of(frame);
        let at = from + place * self.length;
        let length = (self.length * factor).clamp(frame.dt.max(0.01) * 10.0, 60_000.0);
        let following = self.end.is_none();
        self.length = length;
        if !following {
            self.end = Some(at - place * length + length);
            self.pan(0.0, frame);
        }
    }

    /// Drag to look back, wheel to zoom, double click to follow: the same on every panel of time.
    pub fn gestures(&mut self, ui: &Ui, response: &Response, frame: &Frame) {
        let rect = response.rect;
        if response.dragged() {
            self.pan(-f64::from(response.drag_delta().x) / f64::from(rect.width().max(1.0)) * self.length, frame);
        }
        if response.double_clicked() {
            self.follow();
        }
        if let Some(pointer) = response.hover_pos() {
            let (scroll, zoom) = ui.input(|i| (if i.modifiers.shift { 0.0 } else { i.smooth_scroll_delta().y }, i.zoom_delta()));
            let factor = f64::from((-scroll * 0.004).exp() / zoom);
            if (factor - 1.0).abs() > 1e-4 {
                self.zoom(factor, f64::from((pointer.x - rect.left()) / rect.width().max(1.0)), frame);
            }
        }
    }
}
