//! The method of integration that a copied model names: taken on both engines, of the order that it has, refused where it cannot be.

mod common;

use common::{machines, origin, rendered, run};

fn scene(base: &str, current: &str, method: &str) -> String {
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[models.cell]\nbase = \"{base}\"\n{method}\n[populations.c]\nmodel = \"cell\"\n\
         size = 1\nparameters.I_e = \"{current}\"\n[[probes]]\nrecord = \"spikes\"\nof = \"c\"\n"
    )
}

/// Mean interval between spikes, in steps.
fn interval(text: &str, steps: u64, machine: &synfire::session::Machine) -> f64 {
    let spikes = run(text, machine, steps).spikes;
    assert!(spikes.len() > 8, "{} spikes", spikes.len());
    let (first, last) = (spikes[2].step, spikes[spikes.len() - 1].step);
    (last - first) as f64 / (spikes.len() - 3) as f64
}

#[test]
fn exponential_euler_of_hodgkin_huxley_cells_converges_to_runge_kutta() {
    for (base, current) in [("hh_cond_exp_traub", "1 nA"), ("hh", "15 uA/cm^2")] {
        for machine in machines() {
            let steps = 2500;
            let exact = interval(&scene(base, current, "substeps = 20"), steps, machine);
            let apart = [1, 4, 16].map(|n| {
                let text = scene(base, current, &format!("method = \"exponential_euler\"\nsubsteps = {n}"));
                (interval(&text, steps, machine) - exact).abs() / exact
            });
            // A mean over some dozen intervals ends a step early or late.
            assert!(
                apart[0] < 0.1 && apart[0] > 0.01 && apart[1] < 0.4 * apart[0] + 2e-3 && apart[2] < 0.4 * apart[1] + 2e-3,
                "{base}: {apart:?}"
            );
        }
    }
}

#[test]
fn a_method_that_a_copied_model_cannot_have_is_told_at_its_line() {
    for (base, method, told) in [
        ("hh_cond_exp_traub", "method = \"exact\"", "are not linear with constant coefficients"),
        ("hh_cond_exp_traub", "method = \"heun\"", "`method` is one of exact, exponential_euler, rk4, euler, not `heun`"),
        ("hh_cond_exp_traub", "substeps = 0", "`substeps` is a whole number from 1 to 1000"),
        ("iaf_psc_exp", "method = \"exact\"\nsubsteps = 2", "substeps are of rk4, euler and exponential_euler"),
        ("izhikevich_2003", "method = \"rk4\"", "is written as an `update`"),
    ] {
        let text = scene(base, "1 pA", method);
        let problems = origin(&text, None, &[]).load().err().map(|p| rendered(&p)).unwrap_or_default();
        assert!(problems.contains(told) && problems.contains("test.toml:7:"), "{base}, {method}: {problems}");
        assert!(!problems.contains("no model is named"), "{problems}");
    }
}
