//! Gap junctions on a device: what neurons show each other, the tables of partners, and the code of the currents. Their layout is
//! declared here alone. Knows no buffer. Writing to a String cannot fail, so its results are dropped.
//!
//! Behind the samples, which all shards share, stand the values of every variable that junctions look at, over its whole
//! population, twice: a step from an even number reads the first half and writes the second, one from an odd number the other way
//! round. So no shard can overtake another, and a step takes no dispatch more than without junctions.
//!
//! The words of a piece: for each variable that it shows, where its population stands in the first half; then for each current into
//! it five: where the ends of partners are (of each neuron the first and the next), where its partners, where their conductances among
//! the numbers, 1 if each partner has its own and else 0, where the population of the partners stands in the first half.

use std::fmt::Write;

use super::shards::Piece;
use crate::plan::{GapPlan, Number, Plan, State};

const CURRENT: usize = 5;

/// Words of a half.
pub fn words(plan: &Plan) -> u64 {
    plan.coupled().iter().map(|of| u64::from(plan.populations[of[0]].size)).sum()
}

/// Where a variable stands in a half.
fn place(plan: &Plan, of: [usize; 2]) -> u32 {
    plan.coupled().iter().take_while(|known| **known != of).map(|known| plan.populations[known[0]].size).sum()
}

/// Both halves at the start of a network.
pub fn at_first(plan: &Plan) -> Vec<f32> {
    halves(plan, |[population, variable]| {
        let p = &plan.populations[population];
        match &p.initial[variable] {
            Number::Uniform(x) => vec![*x; p.size as usize],
            Number::Column(all) => all.clone(),
        }
    })
}

/// Both halves in a state of the network.
pub fn of(plan: &Plan, state: &State) -> Vec<f32> {
    halves(plan, |[population, variable]| state.values[population][variable].clone())
}

fn halves(plan: &Plan, values: impl Fn([usize; 2]) -> Vec<f32>) -> Vec<f32> {
    let half: Vec<f32> = plan.coupled().into_iter().flat_map(values).collect();
    [&half[..], &half].concat()
}

/// The variables of a population that junctions look at.
fn shown(plan: &Plan, population: usize) -> Vec<usize> {
    plan.coupled().into_iter().filter(|of| of[0] == population).map(|of| of[1]).collect()
}

fn currents(plan: &Plan, population: usize) -> impl Iterator<Item = &GapPlan> {
    plan.gaps.iter().filter(move |g| g.target[0] == population)
}

/// Appends what a piece needs to the tables of its shard, and says where its words are. The halves stand `behind` so many samples.
pub fn tables(plan: &Plan, piece: &Piece, behind: u32, info: &mut Vec<u32>, numbers: &mut Vec<f32>) -> u32 {
    let mut words: Vec<u32> = shown(plan, piece.population).into_iter().map(|v| behind + place(plan, [piece.population, v])).collect();
    for gap in currents(plan, piece.population) {
        let first = gap.first(piece.from as usize);
        let ends = info.len() as u32;
        info.extend((piece.from..=piece.to).map(|i| (gap.first(i as usize) - first) as u32));
        let here = first..gap.first(piece.to as usize);
        words.extend([ends, info.len() as u32, numbers.len() as u32]);
        info.extend(&gap.partners[here.clone()]);
        let own = gap.conductances.len() != 1;
        numbers.extend_from_slice(if own { &gap.conductances[here] } else { &gap.conductances });
        words.extend([u32::from(own), behind + place(plan, gap.source)]);
    }
    let at = info.len() as u32;
    info.extend(words);
    at
}

/// Code before a step: adds the currents to the inputs, junctions in the order of the plan, partners in order, as the CPU engine does.
pub fn couple(plan: &Plan, population: usize) -> String {
    let mut o = String::new();
    let mut inputs: Vec<usize> = currents(plan, population).map(|g| g.target[2]).collect();
    inputs.sort_unstable();
    inputs.dedup();
    if !shown(plan, population).is_empty() {
        o += "        let half = (now & 1u) * info[6];\n";
    }
    inputs.iter().for_each(|u| _ = writeln!(o, "        var j{u} = 0.0;"));
    let first = shown(plan, population).len();
    for (k, gap) in currents(plan, population).enumerate() {
        let [_, variable, input] = gap.target;
        let word = |n: usize| format!("info[info[p + 14u] + {}u]", first + CURRENT * k + n);
        let _ = writeln!(
            o,
            "        for (var k = info[{ends} + i]; k < info[{ends} + i + 1u]; k++) {{\n            \
             let there = samples[half + {partners} + info[{which} + k]];\n            \
             j{input} = j{input} + numbers[{numbers} + k * {own}] * (there - s{variable});\n        }}",
            ends = word(0),
            which = word(1),
            numbers = word(2),
            own = word(3),
            partners = word(4),
        );
    }
    inputs.iter().for_each(|u| _ = writeln!(o, "        u{u} = u{u} + j{u};"));
    o
}

/// Code after a step: shows the others the values at its end.
pub fn show(plan: &Plan, population: usize) -> String {
    let each = shown(plan, population).into_iter().enumerate();
    each.map(|(k, v)| format!("        samples[info[6] - half + info[info[p + 14u] + {k}u] + within] = s{v};\n")).collect()
}
