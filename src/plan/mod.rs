//! The narrow waist: numbered, in steps, every byte counted. Past this room there are no names.

mod ahead;
mod edit;
mod estimate;
mod flowing;
mod gaps;
mod harvest;
mod laws;
mod lower;
mod rewrite;
mod scale;
mod slices;
mod space;
mod storage;
mod synapses;
mod traces;
mod types;
mod wiring;

pub use edit::{State, edit, observe, resumed, resumed_within, structure, too_much};
pub use estimate::estimate;
pub use flowing::{Flowing, Scratch};
pub use gaps::GapPlan;
pub use harvest::{Harvest, Sample, Spike};
pub use lower::{plan, plan_within};
pub use rewrite::{carried, reshaped, rewritten};
pub use scale::UNDER_WAY;
pub use space::{Between, ByDistance, Places, Sheet, Table};
pub use synapses::{Connection, Drawn, Synapses, connections, connections_of, constant};
pub use traces::{History, Traced, Traces, UNCHANGED, after, after_condition, histories, modulated, not_finite, other_changes, scaled};
pub use types::{
    Change, Choice, DriveKind, DrivePlan, Keep, ModulatorPlan, Number, Plan, Plastic, PopulationPlan, ProbePlan, ProjectionPlan, Reading,
    TracePlan, Watch, Weight,
};
pub use wiring::distance::Rows as DistanceRows;
pub use wiring::{Ends, Kind, LeftOut, Permutation, Stubs, Wiring};

/// What a random stream is for; the second half of its name is a number within the purpose.
pub mod purpose {
    pub const WEIGHT: u32 = 1;
    pub const DELAY: u32 = 2;
    pub const DRIVE: u32 = 3;
    pub const NOISE: u32 = 4;
    pub const PARAMETER: u32 = 5;
    pub const INITIAL: u32 = 6;
    pub const RATE: u32 = 7;
    pub const POSITION: u32 = 8;
}
