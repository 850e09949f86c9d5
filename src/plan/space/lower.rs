//! Positions and distance profiles of the network, as sheets, spaces and tables. Knows no rule.

use std::sync::Arc;

use super::{Between, Grain, Sheet, Table};
use crate::base::draw::Quantile;
use crate::network::{Network, Population, Profile, Projection, Rule};

/// Weights (as drawn ones are: to be shifted into quanta) and delays in steps, where they follow from the distance.
#[derive(Clone, Default, PartialEq)]
pub struct ByDistance {
    pub weight: Option<Arc<Table<i32>>>,
    pub delay: Option<Arc<Table<u16>>>,
}

/// Where the neurons of each population are.
pub fn sheets(network: &Network) -> Vec<Option<Arc<Sheet>>> {
    let grain = Grain::new(network);
    let sheet = |(i, p): (usize, &Population)| Some(Arc::new(Sheet::new(p.positions.as_ref()?, i as u32, p.size, network.seed, grain?)));
    network.populations.iter().enumerate().map(sheet).collect()
}

/// The space of a projection that asks for distances.
pub fn between(p: &Projection, sheets: &[Option<Arc<Sheet>>]) -> Result<Option<Arc<Between>>, String> {
    if !matches!(p.rule, Rule::Distance(_)) && p.weight_by_distance.is_none() && p.delay_by_distance.is_none() {
        return Ok(None);
    }
    let (Some(from), Some(to)) = (&sheets[p.from.population], &sheets[p.to.population]) else {
        return Err("distance needs positions of the sources and of the targets".into());
    };
    Between::new(from.clone(), p.from.which.clone(), to.clone(), p.to.which.clone()).map(|b| Some(Arc::new(b)))
}

/// The tables of a projection; one unit of a weight is `to_quanta`, a step is `dt`. The laws of weight and delay hold their bounds.
pub fn by_distance(p: &Projection, between: Option<&Between>, [weight, delay]: [&Quantile; 2], to_quanta: f64, dt: f64) -> ByDistance {
    let Some(between) = between else { return ByDistance::default() };
    let quantum = between.to.grain.quantum;
    let reach = |profile: &Profile| (libm::ceil(profile.reach / quantum).min(65_535.0) as u32).min(between.longest());
    let weights =
        |w: &Profile| Table::new(reach(w), quantum, |d| (libm::rint(w.at(d) * to_quanta) as i32).clamp(weight.min(), weight.max()));
    let delays = |t: &Profile| {
        Table::new(reach(t), quantum, |d| (libm::rint(t.at(d) / dt) as i32).clamp(delay.min().max(1), delay.max().max(1)) as u16)
    };
    ByDistance {
        weight: p.weight_by_distance.as_ref().map(|w| Arc::new(weights(w))),
        delay: p.delay_by_distance.as_ref().map(|t| Arc::new(delays(t))),
    }
}
