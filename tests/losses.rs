//! Lists of one entry: each reports exactly how much it lost, and the run stops; nothing is lost in silence. The CPU engine has no
//! list that can fill.
#![cfg(feature = "gpu")]

mod common;

use std::sync::Arc;

use common::{device, network_of};
use synfire::engine::cpu::Cpu;
use synfire::engine::gpu::{Device, Forced, Gpu};
use synfire::plan::{Plan, plan};

/// 64 cells that fire one after another, a step each, and reach 300 others ten steps later: two work items for each spike.
fn relay() -> Arc<Plan> {
    let due: Vec<String> = (1..=64).map(|i| i.to_string()).collect();
    let text = format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[models.clock]\nupdate = \"k += 1\"\nthreshold = \"k >= due\"\nreset = \"k -= 64\"\n\
         [models.clock.parameters]\ndue = 1\n[models.clock.state]\nk = 0\n[populations.in]\nmodel = \"clock\"\nsize = 64\nparameters.due = [{}]\n\
         [populations.out]\nmodel = \"iaf_psc_exp\"\nsize = 300\n\
         [[projections]]\nfrom = \"in\"\nto = \"out\"\nrule = \"all_to_all\"\nweight = \"1 pA\"\ndelay = \"1 ms\"\n",
        due.join(", ")
    );
    Arc::new(plan(&network_of(&text)).unwrap())
}

/// Work items and logged spikes that the report counts.
fn told(plan: &Arc<Plan>, device: &Arc<Device>, forced: Forced, steps: u64) -> (u64, u64) {
    let error = Gpu::new(plan.clone(), device.clone(), forced).unwrap().advance(steps).unwrap_err();
    let number = |word: &str| -> u64 {
        let before = error.split(word).next().unwrap().trim_end();
        before.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{error}"))
    };
    (number("work items"), number("logged spikes"))
}

#[test]
fn a_list_of_one_entry_reports_exactly_what_it_lost() {
    let Some(device) = device() else { return };
    let plan = relay();
    // The whole fits: as many events as the CPU engine counts.
    let whole = Gpu::new(plan.clone(), device.clone(), Forced::default()).unwrap().advance(60).unwrap();
    assert_eq!(whole, Cpu::new(plan.clone()).unwrap().advance(60).unwrap());
    assert_eq!((whole.spikes.len(), whole.events), (60, 60 * 300));
    let shape = Gpu::new(plan.clone(), device.clone(), Forced::default()).unwrap().shape();
    assert_eq!(shape, (10, 1), "batches of the shortest delay, one shard");
    // As on hardware, whose items hold at most 256 synapses: every batch of ten steps has twenty of them and room for a few.
    let hardware = Forced { group: Some(64), ..Forced::default() };
    for room in [1, 2, 7, 19] {
        let forced = Forced { work: Some(room), ..hardware };
        assert_eq!(told(&plan, device, forced, 60), (6 * (20 - u64::from(room)), 0), "room for {room}");
        assert_eq!(told(&plan, device, forced, 10), (20 - u64::from(room), 0));
    }
    for room in [1, 59] {
        assert_eq!(told(&plan, device, Forced { log: Some(room), ..Forced::default() }, 60), (0, 60 - u64::from(room)));
    }
    // Steps one by one have two items each.
    let single = Forced { work: Some(1), batch: Some(1), ..hardware };
    assert_eq!(told(&plan, device, single, 60), (60, 0));
    // Room for all is enough.
    let enough = Forced { work: Some(20), log: Some(60), ..hardware };
    assert_eq!(Gpu::new(plan.clone(), device.clone(), enough).unwrap().advance(60).unwrap(), whole);
}
