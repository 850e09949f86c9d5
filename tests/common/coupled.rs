//! What tests of gap junctions share: a network of coupled cells. Holds no test.

/// Many cells that spike, coupled among themselves and with a second population, one with one, beside synapses and noise.
pub fn network() -> String {
    "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 3\n[parameters]\ng = \"0.4 nS\"\n\
     [populations.a]\nmodel = \"iaf_psc_exp\"\nsize = 70\ninitial.V_m = \"uniform(-70 mV, -56 mV)\"\nparameters.I_e = \"uniform(300 pA, 500 pA)\"\n\
     [populations.b]\nlike = \"a\"\nsize = 40\n\
     [[gap_junctions]]\nfrom = \"a[0..20]\"\nto = \"a[0..20]\"\nconductance = \"g\"\n\
     [[gap_junctions]]\nfrom = \"a[30..70]\"\nto = \"b\"\nrule = \"one_to_one\"\nconductance = \"2 nS\"\n\
     [[gap_junctions]]\nfrom = \"a[every 9]\"\nto = \"b[random 7]\"\nconductance = \"0.3 nS\"\n\
     [[gap_junctions]]\nfrom = \"a[30..70]\"\nto = \"b[0..30]\"\nrule = \"fixed_probability\"\np = 0.05\nconductance = \"0.5 nS\"\n\
     [[projections]]\nfrom = \"a\"\nto = \"b\"\nrule = \"fixed_probability\"\np = 0.2\nweight = \"40 pA\"\ndelay = \"1.5 ms\"\n\
     [[stimuli]]\nkind = \"current\"\nto = \"a[0..5]\"\namplitude = \"50 pA\"\nstart = \"20 ms\"\nstop = \"60 ms\"\n\
     [[stimuli]]\nkind = \"poisson\"\nto = [\"a\", \"b\"]\nrate = \"2 kHz\"\nweight = \"30 pA\"\n\
     [[probes]]\nrecord = \"V_m\"\nof = [\"a\", \"b\"]\nevery = \"1 ms\"\n"
        .into()
}
