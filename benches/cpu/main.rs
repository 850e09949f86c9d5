//! What the CPU engine costs, measured with one command: `cargo bench --bench cpu`.
//!
//! The generated update against fixed loops that were written by hand for the same models, and a built-in model against its
//! own text under other names, as ratios of interleaved runs; then nanoseconds of each phase: updates, deliveries, draws,
//! synapses built, random words. The best of many short runs stands for each: other work on the machine only ever adds.

mod cobahh;
mod hand;
mod lif;
mod model;
mod phases;
mod six;

fn main() {
    println!("nanoseconds per neuron-step      generated  by hand  ratio   (voltages apart, spikes)");
    hand::compare::<lif::Lif>();
    hand::compare::<cobahh::Cobahh>();
    hand::compare::<six::Six>();
    println!("\nnanoseconds per neuron-step       built-in   pasted  ratio");
    ["iaf_psc_exp", "iaf_cond_exp", "hh_cond_exp_traub", "izhikevich"].into_iter().for_each(model::pasted);
    println!("\nnanoseconds per neuron-step of every built-in model");
    model::all();
    println!("\nphases");
    phases::all();
}
