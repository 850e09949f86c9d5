//! Colours, themes, numbers as people read them. Knows no simulation.

use eframe::egui::{Color32, Context, FontId, Theme, Visuals};

/// Colours of populations, told apart by people who see red and green alike (after Okabe & Ito 2008), for dark and for
/// light backgrounds.
const DARK: [Color32; 8] = [
    Color32::from_rgb(0x6c, 0xc0, 0xf5),
    Color32::from_rgb(0xf5, 0x8c, 0x4a),
    Color32::from_rgb(0x3c, 0xc8, 0x9a),
    Color32::from_rgb(0xe0, 0x9a, 0xc8),
    Color32::from_rgb(0xf0, 0xe4, 0x6a),
    Color32::from_rgb(0x4a, 0x90, 0xd9),
    Color32::from_rgb(0xd9, 0xa8, 0x3c),
    Color32::from_rgb(0xc8, 0xc8, 0xc8),
];
const LIGHT: [Color32; 8] = [
    Color32::from_rgb(0x00, 0x5f, 0x9e),
    Color32::from_rgb(0xc2, 0x4a, 0x00),
    Color32::from_rgb(0x00, 0x7a, 0x58),
    Color32::from_rgb(0xa8, 0x4c, 0x86),
    Color32::from_rgb(0x7a, 0x6c, 0x00),
    Color32::from_rgb(0x2b, 0x57, 0x9a),
    Color32::from_rgb(0x96, 0x66, 0x00),
    Color32::from_rgb(0x50, 0x50, 0x50),
];

/// The colour of a population.
pub fn colour(dark: bool, population: usize) -> Color32 {
    let palette = if dark { &DARK } else { &LIGHT };
    palette[population % palette.len()]
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    #[default]
    Dark,
    Light,
    /// Large and on white, for the back row of a lecture hall.
    Projector,
}

impl Look {
    pub const ALL: [(Look, &'static str); 3] = [(Look::Dark, "Dark"), (Look::Light, "Light"), (Look::Projector, "Projector")];

    pub fn apply(self, ctx: &Context) {
        ctx.set_theme(if self == Look::Dark { Theme::Dark } else { Theme::Light });
        let mut light = Visuals::light();
        light.override_text_color = Some(Color32::from_gray(if self == Look::Projector { 0 } else { 30 }));
        if self == Look::Projector {
            (light.panel_fill, light.extreme_bg_color) = (Color32::WHITE, Color32::WHITE);
        }
        ctx.set_visuals_of(Theme::Light, light);
        let mut dark = Visuals::dark();
        dark.panel_fill = Color32::from_rgb(0x16, 0x18, 0x1c);
        dark.extreme_bg_color = Color32::from_rgb(0x0b, 0x0c, 0x0f);
        dark.override_text_color = Some(Color32::from_gray(215));
        ctx.set_visuals_of(Theme::Dark, dark);
        ctx.set_zoom_factor(if self == Look::Projector { 1.4 } else { 1.0 });
    }
}

pub fn small() -> FontId {
    FontId::proportional(11.0)
}

/// Three significant digits, and no more than are there.
pub fn number(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return if x == 0.0 { "0".into() } else { "-".into() };
    }
    match x.abs() {
        a if a >= 1e6 => format!("{:.2}e{}", x / 10f64.powi(a.log10() as i32), a.log10() as i32),
        a if a >= 100.0 => format!("{x:.0}"),
        a if a >= 10.0 => format!("{x:.1}"),
        a if a >= 1.0 => format!("{x:.2}"),
        a if a >= 1e-3 => {
            let digits = (2.0 - a.log10().floor()) as usize;
            format!("{x:.digits$}").trim_end_matches('0').trim_end_matches('.').to_string()
        }
        _ => format!("{x:.2e}"),
    }
}

/// A count with thin groups of three digits.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(c);
    }
    out
}

/// A text without the line breaks of the file it comes from; empty lines part paragraphs.
pub fn flowing(text: &str) -> String {
    let paragraph = |p: &str| p.split_whitespace().collect::<Vec<_>>().join(" ");
    text.split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n")
}

/// A time in ms with the unit that suits it.
pub fn time(ms: f64) -> String {
    if ms.abs() >= 1000.0 { format!("{:.3} s", ms / 1000.0) } else { format!("{} ms", (ms * 100.0).round() / 100.0) }
}

#[cfg(test)]
mod tests {
    use super::{flowing, number};

    #[test]
    fn numbers_have_three_digits_and_no_more_than_are_there() {
        for (x, told) in [(0.43681, "0.437"), (0.5, "0.5"), (0.0123456, "0.0123"), (0.999, "0.999"), (3.456, "3.46"), (1234.0, "1234")] {
            assert_eq!(number(x), told);
        }
        assert_eq!([number(0.0), number(f64::NAN), number(5.45e6)], ["0", "-", "5.45e6"]);
    }

    #[test]
    fn a_text_flows_and_keeps_its_paragraphs() {
        assert_eq!(flowing("One\nline.\n\nAnd\n another "), "One line.\n\nAnd another");
    }
}
