//! What egui painted, as SVG: shapes stay shapes, text stays text, a density is embedded as PNG. Knows no panel.

use std::collections::HashMap;
use std::fmt::Write;

use eframe::egui::epaint::{ColorMode, ImageData, Mesh, RectShape, Shape, TextShape, TextureId};
use eframe::egui::{Color32, ColorImage, Pos2, Rect, Vec2};

use super::picture::{Painted, encode};

pub(super) fn write(painted: &Painted, size: Vec2) -> String {
    let Some(last) = painted.outputs.last() else { return String::new() };
    let zoom = last.pixels_per_point;
    let mut images: HashMap<TextureId, &ColorImage> = HashMap::new();
    for output in &painted.outputs {
        for (id, deltas) in &output.textures_delta.set {
            if let (Some(whole), true) = (deltas.iter().rev().find(|d| d.pos.is_none()), *id != TextureId::default()) {
                let ImageData::Color(image) = &whole.image;
                images.insert(*id, image);
            }
        }
    }
    let mut out = String::new();
    let (w, h) = (size.x, size.y);
    let _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {} {}" font-family="sans-serif">"#,
        w / zoom,
        h / zoom
    );
    for (i, clipped) in last.shapes.iter().enumerate() {
        let mut inside = String::new();
        shape(&mut inside, &clipped.shape, &images);
        if inside.is_empty() {
            continue;
        }
        let c = clipped.clip_rect.intersect(Rect::from_min_size(Pos2::ZERO, size));
        if c.is_positive() {
            let _ = writeln!(
                out,
                r#"<clipPath id="c{i}"><rect x="{}" y="{}" width="{}" height="{}"/></clipPath>"#,
                c.left(),
                c.top(),
                c.width(),
                c.height()
            );
            let _ = writeln!(out, "<g clip-path=\"url(#c{i})\">\n{inside}</g>");
        }
    }
    out + "</svg>\n"
}

fn shape(out: &mut String, shape: &Shape, images: &HashMap<TextureId, &ColorImage>) {
    match shape {
        Shape::Vec(all) => all.iter().for_each(|s| self::shape(out, s, images)),
        Shape::Circle(c) => {
            let _ = writeln!(
                out,
                r#"<circle cx="{}" cy="{}" r="{}" {} {}/>"#,
                c.center.x,
                c.center.y,
                c.radius,
                fill(c.fill),
                line(c.stroke.width, c.stroke.color)
            );
        }
        Shape::LineSegment { points: [a, b], stroke } => {
            let _ = writeln!(out, r#"<line x1="{}" y1="{}" x2="{}" y2="{}" {}/>"#, a.x, a.y, b.x, b.y, line(stroke.width, stroke.color));
        }
        Shape::Path(path) => {
            let points: Vec<String> = path.points.iter().map(|p| format!("{:.2},{:.2}", p.x, p.y)).collect();
            let color = match &path.stroke.color {
                ColorMode::Solid(color) => *color,
                ColorMode::UV(_) => Color32::GRAY,
            };
            let kind = if path.closed { "polygon" } else { "polyline" };
            let _ = writeln!(out, r#"<{kind} points="{}" {} {}/>"#, points.join(" "), fill(path.fill), line(path.stroke.width, color));
        }
        Shape::Rect(r) => rectangle(out, r, images),
        Shape::Text(t) => text(out, t),
        Shape::Mesh(mesh) => triangles(out, mesh, images),
        _ => {}
    }
}

fn rectangle(out: &mut String, r: &RectShape, images: &HashMap<TextureId, &ColorImage>) {
    let (x, y, w, h) = (r.rect.left(), r.rect.top(), r.rect.width(), r.rect.height());
    match r.brush.as_ref().and_then(|b| images.get(&b.fill_texture_id)) {
        Some(image) => picture(out, r.rect, image),
        None if r.fill != Color32::TRANSPARENT || r.stroke.width > 0.0 => {
            let _ = writeln!(
                out,
                r#"<rect x="{x:.2}" y="{y:.2}" width="{w:.2}" height="{h:.2}" {} {}/>"#,
                fill(r.fill),
                line(r.stroke.width, r.stroke.color)
            );
        }
        None => {}
    }
}

fn picture(out: &mut String, rect: Rect, image: &ColorImage) {
    let rgba: Vec<u8> = image.pixels.iter().flat_map(|p| p.to_srgba_unmultiplied()).collect();
    // An image that PNG cannot hold does not come out of a panel.
    let Ok(png) = encode(image.size[0] as u32, image.size[1] as u32, &rgba) else { return };
    let (x, y, w, h) = (rect.left(), rect.top(), rect.width(), rect.height());
    let _ = writeln!(
        out,
        r#"<image x="{x:.2}" y="{y:.2}" width="{w:.2}" height="{h:.2}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{}"/>"#,
        base64(&png)
    );
}

fn text(out: &mut String, t: &TextShape) {
    let format = t.galley.job.sections.first().map(|s| &s.format);
    let own = format.map(|f| f.color).filter(|c| *c != Color32::PLACEHOLDER);
    let color = t.override_text_color.or(own).unwrap_or(t.fallback_color);
    let size = format.map_or(12.0, |f| f.font_id.size);
    for row in &t.galley.rows {
        let turned = if t.angle == 0.0 {
            String::new()
        } else {
            format!(r#" transform="rotate({} {} {})""#, t.angle.to_degrees(), t.pos.x, t.pos.y)
        };
        let (x, y) = (t.pos.x + row.pos.x, t.pos.y + row.pos.y + size * 0.95);
        let text = row.row.text().replace('&', "&amp;").replace('<', "&lt;");
        if !text.trim().is_empty() {
            let length = row.row.size.x;
            let _ = writeln!(
                out,
                r#"<text x="{x:.2}" y="{y:.2}" font-size="{size}" textLength="{length:.2}" lengthAdjust="spacingAndGlyphs" {}{turned}>{text}</text>"#,
                fill(color)
            );
        }
    }
}

/// Pairs of triangles that are upright rectangles become rectangles: the ticks of a raster.
fn triangles(out: &mut String, mesh: &Mesh, images: &HashMap<TextureId, &ColorImage>) {
    if let Some(image) = images.get(&mesh.texture_id) {
        return picture(out, mesh.calc_bounds(), image);
    }
    let at = |i: u32| mesh.vertices.get(i as usize).map(|v| (v.pos, v.color));
    let upright = mesh.vertices.len().is_multiple_of(4) && mesh.vertices.len() / 4 * 6 == mesh.indices.len();
    for (k, three) in mesh.indices.chunks_exact(if upright { 6 } else { 3 }).enumerate() {
        let corners: Vec<Pos2> = if upright {
            (0..4).filter_map(|i| at(k as u32 * 4 + i)).map(|v| v.0).collect()
        } else {
            three.iter().filter_map(|i| at(*i)).map(|v| v.0).collect()
        };
        let Some((_, color)) = at(three[0]) else { continue };
        let points: Vec<String> = corners.iter().map(|p| format!("{:.2},{:.2}", p.x, p.y)).collect();
        let _ = writeln!(out, r#"<polygon points="{}" {}/>"#, points.join(" "), fill(color));
    }
}

fn fill(color: Color32) -> String {
    paint("fill", color)
}

fn line(width: f32, color: Color32) -> String {
    if width <= 0.0 { String::new() } else { format!(r#"stroke-width="{width}" {}"#, paint("stroke", color)) }
}

fn paint(what: &str, color: Color32) -> String {
    let [r, g, b, a] = color.to_srgba_unmultiplied();
    match a {
        0 => format!(r#"{what}="none""#),
        255 => format!(r##"{what}="#{r:02x}{g:02x}{b:02x}""##),
        _ => format!(r##"{what}="#{r:02x}{g:02x}{b:02x}" {what}-opacity="{:.3}""##, f32::from(a) / 255.0),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let n = three.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for i in 0..4 {
            out.push(if i <= three.len() { DIGITS[(n >> (18 - 6 * i) & 63) as usize] as char } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_the_usual_one() {
        assert_eq!(["", "f", "fo", "foo", "foob"].map(|t| super::base64(t.as_bytes())), ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }
}
