//! The panels side by side, to be dragged, resized and closed. Knows no simulation.

use eframe::egui::{self, Ui, Vec2, WidgetText};
use egui_tiles::{Behavior, Container, Linear, LinearDir, SimplificationOptions, Tile, TileId, Tiles, Tree, UiResponse};

use super::actions::Action;
use super::panel::{Panel, Panels};
use crate::session::live::{Frame, Order};

/// Arrangements that come with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    Explore,
    Neuron,
    Analysis,
    Show,
}

impl Arrangement {
    pub const ALL: [Arrangement; 4] = [Arrangement::Explore, Arrangement::Neuron, Arrangement::Analysis, Arrangement::Show];

    pub fn title(self) -> &'static str {
        match self {
            Arrangement::Explore => "Explore",
            Arrangement::Neuron => "Single neuron",
            Arrangement::Analysis => "Network analysis",
            Arrangement::Show => "Show",
        }
    }

    /// Rows from the top with their share of the height; each is a list of stacks of panels side by side.
    fn rows(self) -> Vec<(f32, Vec<Vec<Panel>>)> {
        use Panel::{About, Curve, Equations, Intervals, Journal, Plane, Raster, Rates, Space, Spectrum, Traces, Weights};
        match self {
            Arrangement::Explore => vec![
                (2.1, vec![vec![Raster, Space]]),
                (0.9, vec![vec![Rates]]),
                (1.2, vec![vec![Traces, Equations, Journal], vec![Intervals, Spectrum, Weights, Curve, Plane, About]]),
            ],
            Arrangement::Neuron => vec![
                (1.3, vec![vec![Traces, Rates]]),
                (1.5, vec![vec![Plane], vec![Curve]]),
                (0.9, vec![vec![Raster, Space], vec![Equations, Intervals, Spectrum, Weights, Journal, About]]),
            ],
            Arrangement::Analysis => vec![
                (1.5, vec![vec![Raster, Space]]),
                (1.0, vec![vec![Rates], vec![Spectrum]]),
                (1.0, vec![vec![Intervals], vec![Traces, Weights, Curve, Plane, Equations, Journal, About]]),
            ],
            Arrangement::Show => vec![
                (2.0, vec![vec![Space], vec![Raster]]),
                (0.6, vec![vec![Rates, Traces, Intervals, Spectrum, Weights, Curve, Plane, Equations, Journal, About]]),
            ],
        }
    }
}

pub struct Layout {
    tree: Tree<Panel>,
}

impl Layout {
    pub fn new(arrangement: Arrangement) -> Self {
        let mut tiles = Tiles::default();
        let mut rows = Vec::new();
        for (share, stacks) in arrangement.rows() {
            let mut beside = Vec::new();
            for stack in stacks {
                let panes = stack.into_iter().map(|p| tiles.insert_pane(p)).collect();
                beside.push(tiles.insert_tab_tile(panes));
            }
            let row = if let [one] = beside[..] { one } else { tiles.insert_horizontal_tile(beside) };
            rows.push((row, share));
        }
        let mut linear = Linear::new(LinearDir::Vertical, rows.iter().map(|r| r.0).collect());
        rows.iter().for_each(|(row, share)| linear.shares.set_share(*row, *share));
        let root = tiles.insert_container(Container::Linear(linear));
        Self { tree: Tree::new(egui::Id::unique("panels"), root, tiles) }
    }

    /// A layout from its text. Panels that it lacks, since it is of an older version or was closed for good, join the largest stack;
    /// the number of these comes with it. An error says why it is no layout.
    pub fn read(text: &str) -> Result<(Self, usize), String> {
        let mut tree: Tree<Panel> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let missing: Vec<Panel> = Panel::ALL.into_iter().filter(|p| tree.tiles.find_pane(p).is_none()).collect();
        let stacks = tree.tiles.iter().filter_map(|(id, tile)| match tile {
            Tile::Container(Container::Tabs(tabs)) => Some((tabs.children.len(), *id)),
            _ => None,
        });
        let largest = stacks.max_by_key(|s| s.0).map(|(_, id)| id).filter(|_| tree.root().is_some()).ok_or("it has no stack of panels")?;
        for panel in &missing {
            let pane = tree.tiles.insert_pane(*panel);
            if let Some(Tile::Container(Container::Tabs(tabs))) = tree.tiles.get_mut(largest) {
                tabs.add_child(pane);
            }
        }
        Ok((Self { tree }, missing.len()))
    }

    /// As text that can be read again.
    pub fn written(&self) -> Result<String, String> {
        serde_json::to_string(&self.tree).map_err(|e| e.to_string())
    }

    /// Brings a panel to the front, also one that was closed.
    pub fn show(&mut self, panel: Panel) {
        if let Some(id) = self.tree.tiles.find_pane(&panel) {
            self.tree.set_visible(id, true);
            self.tree.make_active(|tile, _| tile == id);
        }
    }

    /// Where a panel was drawn, if it was; a size for its picture.
    pub fn size(&self, panel: Panel) -> Vec2 {
        let rect = self.tree.tiles.find_pane(&panel).and_then(|id| self.tree.tiles.rect(id));
        rect.map_or(Vec2::new(900.0, 500.0), |r| r.size()).max(Vec2::new(300.0, 160.0))
    }

    /// Draws all and gives the panels that were really seen.
    pub fn draw(&mut self, ui: &mut Ui, mut drawing: Drawing) -> Vec<Panel> {
        self.tree.ui(&mut drawing, ui);
        drawing.drawn
    }
}

/// What is drawn, while it is.
pub struct Drawing<'a> {
    pub panels: &'a mut Panels,
    pub frame: &'a Frame,
    pub orders: &'a mut Vec<Order>,
    pub actions: &'a mut Vec<Action>,
    pub drawn: Vec<Panel>,
    /// What takes a while is waited for.
    pub wait: bool,
}

impl Behavior<Panel> for Drawing<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Panel) -> UiResponse {
        self.drawn.push(*pane);
        egui::Frame::NONE.inner_margin(4.0).show(ui, |ui| self.panels.show(ui, *pane, self.frame, self.orders, self.wait));
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Panel) -> WidgetText {
        pane.title().into()
    }

    fn is_tab_closable(&self, _: &Tiles<Panel>, _: TileId) -> bool {
        true
    }

    fn on_tab_close(&mut self, tiles: &mut Tiles<Panel>, tile: TileId) -> bool {
        // Hidden, so that it comes back where it was.
        tiles.set_visible(tile, false);
        false
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..SimplificationOptions::default() }
    }

    fn top_bar_right_ui(&mut self, tiles: &Tiles<Panel>, ui: &mut Ui, _: TileId, tabs: &egui_tiles::Tabs, _: &mut f32) {
        let Some(Tile::Pane(panel)) = tabs.active.and_then(|id| tiles.get(id)) else { return };
        let panel = *panel;
        ui.menu_button("Save", |ui| {
            if ui.button("Save as PNG").clicked() {
                self.actions.push(Action::SavePng(panel));
            }
            if ui.button("Save as SVG").clicked() {
                self.actions.push(Action::SaveSvg(panel));
            }
            if panel.has_data() && ui.button("Save data as CSV").clicked() {
                self.actions.push(Action::SaveCsv(panel));
            }
            if panel.has_data() && ui.button("Save data as NPZ").clicked() {
                self.actions.push(Action::SaveNpz(panel));
            }
        })
        .response
        .on_hover_text(format!("{}: pictures and data", panel.title()));
        match panel {
            Panel::Raster => super::bars::raster(ui, self.panels),
            Panel::Space => super::bars::space(ui, self.panels, self.frame),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arrangement_has_every_panel_and_is_the_same_after_it_was_kept() {
        for arrangement in Arrangement::ALL {
            let mut layout = Layout::new(arrangement);
            layout.show(Panel::Journal);
            let (again, missing) = Layout::read(&layout.written().unwrap()).unwrap();
            assert!(again.tree == layout.tree && missing == 0, "{arrangement:?}");
        }
        assert!(Layout::read("{}").is_err() && Layout::read("nonsense").is_err());
    }

    #[test]
    fn a_layout_of_an_older_version_gets_the_panels_that_it_lacks() {
        let mut poor = Layout::new(Arrangement::Show);
        for panel in [Panel::Journal, Panel::Weights, Panel::Space] {
            let id = poor.tree.tiles.find_pane(&panel).unwrap();
            poor.tree.remove_recursively(id);
        }
        let (mut again, missing) = Layout::read(&poor.written().unwrap()).unwrap();
        assert_eq!(missing, 3);
        for panel in Panel::ALL {
            again.show(panel);
            let id = again.tree.tiles.find_pane(&panel).unwrap();
            assert!(again.tree.is_visible_in_layout(id) && again.tree.active_tiles().contains(&id), "{panel:?}");
        }
    }
}
