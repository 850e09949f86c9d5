//! The scenes that are part of the program, in groups.

use std::sync::LazyLock;

macro_rules! scenes {
    ($folder:literal; $($name:literal),*) => { &[$(($name, include_str!(concat!("../../scenes/", $folder, $name, ".toml")))),*] };
}

/// Name of a group, and name and text of its scenes.
pub type Group = (&'static str, &'static [(&'static str, &'static str)]);

const GROUPS: [Group; 2] = [
    (
        "networks and models",
        scenes!["";
            "lif_fi",
            "hh_squid",
            "izhikevich_2003",
            "adex_patterns",
            "brunel",
            "vogels_abbott_cuba",
            "vogels_abbott_coba",
            "vogels_abbott_cobahh",
            "cuba_large",
            "stdp_window",
            "song_stdp",
            "vogels_2011",
            "dopamine",
            "tum_bursts",
            "ring_bump",
            "two_cell_gap",
            "million",
            "microcircuit",
            "synfire",
            "jeffress",
            "cpg",
            "cpg_chain"
        ],
    ),
    (
        "motifs",
        scenes!["motifs/";
            "leaky",
            "passive",
            "refractory_period",
            "f_i_response",
            "adaptation",
            "burst",
            "inhibitory",
            "generators",
            "input_summation",
            "prolonged_activity",
            "rhythm_transformation",
            "two_neuron_oscillator",
            "reciprocal_inhibition",
            "recurrent_inhibition",
            "lateral_inhibition",
            "driven_circular_inhibition",
            "disinhibition",
            "types_of_inhibition",
            "visual_input"
        ],
    ),
];

pub fn groups() -> &'static [Group] {
    &GROUPS
}

/// Name and text of every shipped scene.
pub fn shipped() -> &'static [(&'static str, &'static str)] {
    static ALL: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| GROUPS.iter().flat_map(|(_, scenes)| scenes.iter().copied()).collect());
    &ALL
}
