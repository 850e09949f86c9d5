//! The models that come with the program, in the very form a user writes. Knows only their texts.

/// Name and text of each built-in model; the text holds the keys of one model table.
pub fn builtin() -> [(&'static str, &'static str); 9] {
    [
        ("iaf_psc_exp", include_str!("builtin/iaf_psc_exp.toml")),
        ("iaf_psc_alpha", include_str!("builtin/iaf_psc_alpha.toml")),
        ("iaf_psc_delta", include_str!("builtin/iaf_psc_delta.toml")),
        ("iaf_cond_exp", include_str!("builtin/iaf_cond_exp.toml")),
        ("izhikevich", include_str!("builtin/izhikevich.toml")),
        ("izhikevich_2003", include_str!("builtin/izhikevich_2003.toml")),
        ("aeif_cond_exp", include_str!("builtin/aeif_cond_exp.toml")),
        ("hh", include_str!("builtin/hh.toml")),
        ("hh_cond_exp_traub", include_str!("builtin/hh_cond_exp_traub.toml")),
    ]
}
