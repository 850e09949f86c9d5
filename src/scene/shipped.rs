//! The scenes that are part of the program.

macro_rules! scenes {
    ($($name:literal),*) => { &[$(($name, include_str!(concat!("../../scenes/", $name, ".toml")))),*] };
}

/// Name and text of every shipped scene.
pub fn shipped() -> &'static [(&'static str, &'static str)] {
    scenes![
        "lif_fi",
        "hh_squid",
        "izhikevich_2003",
        "adex_patterns",
        "brunel",
        "vogels_abbott_cuba",
        "vogels_abbott_coba",
        "vogels_abbott_cobahh",
        "cuba_large",
        "microcircuit"
    ]
}
