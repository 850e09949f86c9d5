//! The panels side by side, to be dragged, resized and closed. Knows no simulation.

use eframe::egui::{self, Ui, Vec2, WidgetText};
use egui_tiles::{Behavior, Container, Linear, LinearDir, SimplificationOptions, Tile, TileId, Tiles, Tree, UiResponse};

use super::actions::Action;
use super::panel::{Panel, Panels};
use crate::session::live::{Frame, Order};

pub struct Layout {
    tree: Tree<Panel>,
}

impl Layout {
    /// Raster large, below it rates and membranes beside statistics.
    pub fn new() -> Self {
        let mut tiles = Tiles::default();
        let raster = tiles.insert_pane(Panel::Raster);
        let raster = tiles.insert_tab_tile(vec![raster]);
        let rates = tiles.insert_pane(Panel::Rates);
        let rates = tiles.insert_tab_tile(vec![rates]);
        let traces = [Panel::Traces, Panel::Equations, Panel::Journal].map(|p| tiles.insert_pane(p)).to_vec();
        let statistics = [Panel::Intervals, Panel::Spectrum, Panel::About].map(|p| tiles.insert_pane(p)).to_vec();
        let left = tiles.insert_tab_tile(traces);
        let right = tiles.insert_tab_tile(statistics);
        let below = tiles.insert_horizontal_tile(vec![left, right]);
        let mut linear = Linear::new(LinearDir::Vertical, vec![raster, rates, below]);
        linear.shares.set_share(raster, 2.1);
        linear.shares.set_share(rates, 0.9);
        linear.shares.set_share(below, 1.2);
        let root = tiles.insert_container(Container::Linear(linear));
        Self { tree: Tree::new(egui::Id::unique("panels"), root, tiles) }
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
}

impl Behavior<Panel> for Drawing<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Panel) -> UiResponse {
        self.drawn.push(*pane);
        egui::Frame::NONE.inner_margin(4.0).show(ui, |ui| self.panels.show(ui, *pane, self.frame, self.orders));
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
            if !matches!(panel, Panel::Equations | Panel::About) && ui.button("Save data as CSV").clicked() {
                self.actions.push(Action::SaveCsv(panel));
            }
        })
        .response
        .on_hover_text(format!("{}: pictures and data", panel.title()));
        if panel == Panel::Raster {
            super::bars::raster(ui, self.panels);
        }
    }
}
