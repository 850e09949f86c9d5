//! A poke: some neurons are moved at once, as by a short strong pulse. Knows no engine.

use super::simulation::Command;
use crate::base::units::{Dimension, unit};
use crate::network::Network;
use crate::plan::{Plan, State};

/// The state after a poke. Neurons that hold the variable while refractory are left alone, since it takes no input then.
/// An error says what is wrong with the command; then nothing is changed.
pub fn poke(network: &Network, plan: &Plan, state: &mut State, command: &Command) -> Result<(), String> {
    let Command::Poke { population, neurons, variable, add } = command else { return Ok(()) };
    let p = network.populations.iter().position(|p| p.name == *population);
    let p = p.ok_or_else(|| format!("a poke: no population is named `{population}`"))?;
    let model = &network.populations[p].model;
    let v = model.states.iter().position(|s| s.name == *variable);
    let v = v.ok_or_else(|| format!("a poke: {} has no state variable `{variable}`", model.name))?;
    let add = quantity(add, model.states[v].dimension).map_err(|e| format!("a poke of {variable}: {e}"))? as f32;
    let size = network.populations[p].size;
    if let Some([from, to]) = neurons.iter().find(|[from, to]| from >= to || *to > size) {
        return Err(format!("a poke: {population} has no neurons {from} to {to}, since it has {size}"));
    }
    let states = &plan.populations[p].states;
    let ahead = states.iter().position(|s| *s == model.name_ahead(v));
    let rest = states.iter().position(|s| s == "refractory steps left").filter(|_| model.holds(v));
    for i in neurons.iter().flat_map(|[from, to]| *from as usize..*to as usize) {
        if rest.is_none_or(|r| state.values[p][r][i] <= 0.0) {
            state.values[p][v][i] += add;
            ahead.iter().for_each(|a| state.values[p][*a][i] += add);
        }
    }
    Ok(())
}

/// `15 mV`, in internal units.
fn quantity(text: &str, dimension: Dimension) -> Result<f64, String> {
    let form = || format!("write a number and its unit, as in \"15 mV\", not {text:?}");
    let text = text.trim();
    let split = text.find(char::is_whitespace).unwrap_or(text.len());
    let number: f64 = text[..split].parse().map_err(|_| form())?;
    let name = text[split..].trim();
    let (size, found) = match name {
        "" => (1.0, crate::base::units::NUMBER),
        _ => unit(name).map(|u| (u.value, u.dimension)).ok_or_else(form)?,
    };
    if found != dimension {
        return Err(format!("{text} is in {found}, and the variable in {dimension}"));
    }
    let value = number * size;
    if value.is_finite() && value.abs() < 1e30 { Ok(value) } else { Err(form()) }
}
