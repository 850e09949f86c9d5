//! Whether a projection's synapses are stored or drawn again at every spike, and why. Knows no engine.

use super::wiring::FEWEST;
use super::{Choice, estimate};
use crate::network::{Degree, Distance, Network, Projection, Rule, Storage};

/// What is taken for the memory of a machine that does not tell.
const USUAL: u64 = 16 << 30;

/// A choice for each projection. An error gives the projection whose wish cannot be met.
pub fn choose(network: &Network, free: Option<u64>) -> Result<Vec<Choice>, (usize, String)> {
    let room = free.unwrap_or(USUAL) as f64 / 2.0;
    let sizes: Vec<f64> = network.projections.iter().map(|p| estimate::stored(network, p)).collect();
    let mut left: f64 =
        network.projections.iter().zip(&sizes).filter(|(p, _)| p.storage != Some(Storage::Procedural)).map(|(_, s)| s).sum();
    let all = left;
    let mut chosen = Vec::new();
    for (i, p) in network.projections.iter().enumerate() {
        let refusal = refusal(p);
        let (storage, why) = match (p.storage, &refusal) {
            (Some(Storage::Procedural), Some(why)) => return Err((i, format!("storage = \"procedural\" is not possible: {why}"))),
            (Some(wish), _) => (wish, "as the scene says".to_string()),
            (None, Some(why)) => (Storage::Stored, why.to_string()),
            (None, None) => (Storage::Stored, format!("{} of stored synapses fit", mebibytes(all))),
        };
        chosen.push(Choice { storage, why });
    }
    // The largest are given up first.
    let mut order: Vec<usize> = (0..sizes.len()).filter(|i| network.projections[*i].storage.is_none()).collect();
    order.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]));
    for i in order.into_iter().filter(|i| refusal(&network.projections[*i]).is_none()) {
        if left <= room {
            break;
        }
        left -= sizes[i];
        let mib = |x: f64| x / 1_048_576.0;
        let why = format!("{:.0} MiB of stored synapses would pass half of the {:.0} MiB at hand", mib(all), mib(room * 2.0));
        chosen[i] = Choice { storage: Storage::Procedural, why };
    }
    Ok(chosen)
}

fn mebibytes(bytes: f64) -> String {
    let mib = bytes / 1_048_576.0;
    if mib < 0.1 { "less than 0.1 MiB".into() } else { format!("{mib:.1} MiB") }
}

/// Why the rows of this projection cannot be drawn one by one.
fn refusal(p: &Projection) -> Option<&'static str> {
    if p.changing.as_ref().is_some_and(|c| c.model.plastic()) {
        return Some("weights that change must be kept");
    }
    let may_meet = !p.autapses && p.from.population == p.to.population;
    match p.rule {
        Rule::Distance(Distance { degree: Degree::In(_), .. }) => {
            Some("each target chooses its own sources, so a row would take a scan of all targets; p or out_degree makes it possible")
        }
        Rule::List(_) => Some("a listed synapse is in no formula"),
        Rule::FixedInDegree(_) if !p.multapses => Some(
            "with a fixed in-degree and no multapses, a row would take a scan of all targets; allow_multapses = true makes it possible",
        ),
        Rule::FixedInDegree(_) if may_meet && p.from.which.len() < FEWEST => Some(
            "with a fixed in-degree, no autapses and so few sources, a row would take a scan of all targets; \
             allow_autapses = true makes it possible",
        ),
        _ => None,
    }
}
