//! The device that paints, where it can compute: the density of the raster is counted and drawn on it, and egui shows the texture.
//! Knows no panel.

use std::sync::Arc;

use eframe::egui::mutex::RwLock;
use eframe::egui::{Rect, TextureId, pos2};
use eframe::egui_wgpu::Renderer;
use wgpu::FilterMode;

use super::brush::Brush;
use super::density::Sight;
use super::rows::Rows;
use super::tally::{Paint, Tally};
use crate::session::live::Frame;

pub struct OnDevice {
    device: wgpu::Device,
    tally: Tally,
    renderer: Arc<RwLock<Renderer>>,
    shown: Option<TextureId>,
    /// It is used. At first on real GPUs alone: a software adapter is the same processor, and takes longer by this way (a frame in
    /// which nothing is new 1.4 times, one in which all is counted anew 1.9 times, by `cargo bench --bench window -- density`).
    pub wished: bool,
    /// Why it is not, if it was and failed.
    pub trouble: Option<String>,
}

impl OnDevice {
    /// None where the device has no compute.
    pub fn new(adapter: &wgpu::Adapter, device: &wgpu::Device, queue: &wgpu::Queue, renderer: &Arc<RwLock<Renderer>>) -> Option<Self> {
        let tally = Tally::new(device, queue)?;
        let wished = adapter.get_info().device_type != wgpu::DeviceType::Cpu;
        Some(Self { device: device.clone(), tally, renderer: renderer.clone(), shown: None, wished, trouble: None })
    }

    /// The density of a frame as a texture of egui's, and the part of it that is used. None if the device fails: then it is not
    /// wished any more.
    pub fn density(&mut self, frame: &Frame, rows: &Rows, version: u64, sight: Sight, paint: &Paint) -> Option<(TextureId, Rect)> {
        let (texture, fresh) = match self.tally.update(frame, rows, version, sight, paint) {
            Ok(done) => done,
            Err(e) => {
                (self.wished, self.trouble) = (false, Some(e));
                return None;
            }
        };
        if fresh || self.shown.is_none() {
            let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
            let mut renderer = self.renderer.write();
            let id = match self.shown {
                Some(id) => {
                    renderer.update_egui_texture_from_wgpu_texture(&self.device, &view, FilterMode::Nearest, id);
                    id
                }
                None => renderer.register_native_texture(&self.device, &view, FilterMode::Nearest),
            };
            if let Some(brush) = renderer.callback_resources.get_mut::<Brush>() {
                brush.adopt(&self.device, id, texture);
            }
            self.shown = Some(id);
        }
        let part = pos2(sight.columns as f32 / texture.width() as f32, sight.rows as f32 / texture.height() as f32);
        Some((self.shown?, Rect::from_min_max(pos2(0.0, 0.0), part)))
    }

    /// What was counted last. Waits for the device: for tests.
    pub fn counts(&self) -> Option<(Sight, Vec<Vec<u32>>)> {
        self.tally.counts()
    }
}
