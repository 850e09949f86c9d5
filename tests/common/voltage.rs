//! Networks of synapses that read their targets, for both engines. Holds no test.

use std::fmt::Write;

use super::learning::projection;

/// Cells whose potential follows a current, and a rule of a user: it reads what it wants, of either event, and a trace of the target
/// follows both.
pub const OWN: &str = "[models.follower]\nequations = \"\"\"\ndx/dt = (I_stim - x)/(3 ms)\ndy/dt = (x - y)/(9 ms)\n\"\"\"\nthreshold = \"rising(x, 1 pA)\"\n\
     reset = \"x -= 0.3 pA\"\n[models.follower.state]\nx = \"0.1 pA\"\ny = \"0.2 pA\"\ngot = \"0 mV\"\n[models.follower.receptors]\nin = \"got += w\"\n\
     [models.follower.inputs]\nI_stim = \"pA\"\n[synapses.own]\nequations = \"\"\"\nda/dt = -a/(20 ms)\ndb/dt = -b/(30 ms)\n\"\"\"\n\
     on_pre = \"w -= 0.02*b*late/pA; a += 1\"\non_post = \"w += 0.03*a*x/pA; b += 1\"\ncondition = \"x > high && y - late > -0.5 pA\"\n\
     on_condition = \"w += gain*dt*a*(x - high)*(1 - w); b += 0.01*y/pA\"\n[synapses.own.parameters]\nhigh = \"0.7 pA\"\ngain = \"0.02/(pA*ms)\"\n\
     age = { value = \"1.3 ms\", least = \"0 ms\" }\n[synapses.own.source]\na = 0\n[synapses.own.target]\nb = 0\n\
     [synapses.own.reads]\nx = \"pA\"\ny = \"pA\"\nlate = { of = \"y\", unit = \"pA\", delay = \"age\" }\n";

/// Sources that spike by themselves, and followers under currents that rise and fall.
pub fn own(delay: &str) -> String {
    let mut currents = String::new();
    for i in 0..20 {
        let (amplitude, frequency) = (0.3 + 0.15 * f64::from(i), 5 + 7 * i);
        let _ = write!(
            currents,
            "[[stimuli]]\nkind = \"sine\"\nto = \"post[{i}]\"\ninput = \"I_stim\"\noffset = \"{} pA\"\namplitude = \"{amplitude} pA\"\nfrequency = \"{frequency} Hz\"\n",
            0.05 * f64::from(i)
        );
    }
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"5 s\"\nseed = 8\n{OWN}[populations.pre]\nmodel = \"poisson_generator\"\nsize = 12\n\
         parameters.rate = \"30 Hz\"\n[populations.post]\nmodel = \"follower\"\nsize = 20\n[[projections]]\nfrom = \"pre\"\nto = \"post\"\n\
         rule = \"all_to_all\"\nweight = \"uniform(0.2 mV, 0.8 mV)\"\nw_max = \"1 mV\"\ndelay = \"{delay}\"\nsynapse = \"own\"\n{currents}\
         [[probes]]\nrecord = \"x\"\nof = \"post\"\nevery = \"0.1 ms\"\n[[probes]]\nrecord = \"y\"\nof = \"post\"\nevery = \"0.1 ms\"\n"
    )
}

/// Cells that learn by Clopath's rule, of which some inhibit.
pub fn network() -> String {
    let learn = "synapse = \"learn\"\nw_max = \"4 mV\"\n";
    let projection = |from: &str, to: &str, weight: &str, delay: &str, more: &str| projection(from, to, 0.2, weight, delay, more);
    let projections = [
        projection("exc", "exc", "uniform(0 mV, 4 mV)", "uniform(0.5 ms, 3 ms)", learn),
        projection("exc", "inh", "uniform(0 mV, 4 mV)", "1.5 ms", "synapse = \"clopath_homeostatic\"\nw_max = \"4 mV\"\n"),
        projection("inh", "exc", "-2 mV", "0.8 ms", ""),
        projection("exc", "exc", "1 mV", "1 ms", "synapse = \"stdp_pair\"\nw_max = \"2 mV\"\n"),
    ];
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\nseed = 4\n[parameters]\nhigh = \"-45.3 mV\"\n[synapses.learn]\nbase = \"clopath\"\n\
         [synapses.learn.parameters]\ntheta_plus = \"high\"\nA_LTP = \"4e-4/mV^2\"\nA_LTD = \"6e-4/mV\"\n\
         [populations.exc]\nmodel = \"aeif_psc_delta_clopath\"\nsize = 80\ninitial.V_m = \"uniform(-70 mV, -55 mV)\"\n\
         [populations.inh]\nlike = \"exc\"\nsize = 20\n{}[[stimuli]]\nkind = \"poisson\"\nto = [\"exc\", \"inh\"]\nrate = \"3 kHz\"\nweight = \"1.2 mV\"\n\
         [[probes]]\nrecord = \"V_m\"\nof = \"exc[0..5]\"\nevery = \"0.5 ms\"\n",
        projections.concat()
    )
}
