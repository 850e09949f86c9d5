//! From positions to a panel: shifted and zoomed if they lie in a plane, else seen by a camera that turns around their middle.
//! Knows no neuron.

use eframe::egui::{Pos2, Rect, Vec2, pos2, vec2};
use glam::{Mat3, Vec3};

/// Distance of the camera, where the longest side of what it sees is 2.
const DISTANCE: f32 = 4.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Around the vertical, and above the horizon, in radians.
    pub turn: [f32; 2],
    pub zoom: f32,
    /// Of the middle, in half widths of the picture.
    pub shift: Vec2,
}

impl Default for Camera {
    fn default() -> Self {
        Self { turn: [0.6, 0.4], zoom: 1.0, shift: Vec2::ZERO }
    }
}

/// A camera in front of a panel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    pub camera: Camera,
    pub rect: Rect,
    /// The farthest points from the middle.
    pub reach: [f32; 2],
    pub flat: bool,
}

impl Sight {
    /// Points of the panel for one unit of length at the middle.
    pub fn scale(&self) -> f32 {
        let size = self.rect.size() * 0.47;
        let fit = if self.flat { (size.x / self.reach[0]).min(size.y / self.reach[1]) } else { size.min_elem() / 1.1 };
        fit * self.camera.zoom
    }

    /// How the world is turned before it is looked at along z.
    pub fn turn(&self) -> Mat3 {
        if self.flat { Mat3::IDENTITY } else { Mat3::from_rotation_x(self.camera.turn[1]) * Mat3::from_rotation_y(self.camera.turn[0]) }
    }

    /// Where a point is drawn, and how near it is: 1 in the middle, more in front. `turn` is what `Sight::turn` gives.
    pub fn place(&self, turn: &Mat3, point: [f32; 3]) -> (Pos2, f32) {
        let p = *turn * Vec3::from_array(point);
        let near = if self.flat { 1.0 } else { DISTANCE / (DISTANCE - p.z).max(0.1) };
        let middle = self.rect.center() + self.camera.shift * self.rect.width() * 0.5;
        let (x, y) = (p.x * near * self.scale(), p.y * near * self.scale());
        // The first of the rows of a plane is on top; in space, up is up.
        (pos2(middle.x + x, if self.flat { middle.y + y } else { middle.y - y }), near)
    }
}

impl Camera {
    /// A drag by some points turns what is in space, and shifts what is flat.
    pub fn drag(&mut self, by: Vec2, sight: &Sight) {
        if sight.flat {
            self.shift += by / (sight.rect.width() * 0.5).max(1.0);
        } else {
            let turn = by * 0.008;
            self.turn = [self.turn[0] + turn.x, (self.turn[1] + turn.y).clamp(-1.5, 1.5)];
        }
    }

    /// Zooms by a factor; what is under the pointer stays there.
    pub fn zoom_at(&mut self, factor: f32, pointer: Pos2, sight: &Sight) {
        let zoom = (self.zoom * factor).clamp(0.2, 500.0);
        let middle = sight.rect.center() + self.shift * sight.rect.width() * 0.5;
        let away = (pointer - middle) * (1.0 - zoom / self.zoom);
        self.shift += vec2(away.x, away.y) / (sight.rect.width() * 0.5).max(1.0);
        self.zoom = zoom;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(flat: bool) -> Sight {
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(400.0, 300.0));
        Sight { camera: Camera::default(), rect, reach: [1.0, 0.5], flat }
    }

    #[test]
    fn what_is_under_the_pointer_stays_there_when_it_is_zoomed() {
        let mut s = sight(true);
        let point = [0.3, -0.2, 0.0];
        let before = s.place(&s.turn(), point).0;
        let mut camera = s.camera;
        camera.zoom_at(3.0, before, &s);
        s.camera = camera;
        let after = s.place(&s.turn(), point).0;
        assert!((after - before).length() < 0.01 && s.camera.zoom == 3.0, "{before:?} {after:?}");
    }

    #[test]
    fn everything_fits_and_a_turn_keeps_lengths() {
        let s = sight(true);
        for corner in [[1.0, 0.5, 0.0], [-1.0, -0.5, 0.0]] {
            assert!(s.rect.contains(s.place(&s.turn(), corner).0));
        }
        let s = sight(false);
        let turned = s.turn() * Vec3::new(0.3, -0.4, 0.5);
        assert!((turned.length() - Vec3::new(0.3, -0.4, 0.5).length()).abs() < 1e-6);
        // What lies in front is nearer.
        let (front, back) = (s.turn().transpose() * Vec3::Z, s.turn().transpose() * -Vec3::Z);
        assert!(s.place(&s.turn(), front.to_array()).1 > 1.2 && s.place(&s.turn(), back.to_array()).1 < 0.9);
    }
}
