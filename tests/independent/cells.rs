//! The cells, from their papers. State variables stand in the order of the models' texts.

use std::f64::consts::E;

use crate::{Cell, Parameters, Test};

/// The cell of a model.
pub fn cell(name: &str, p: &Parameters) -> Cell {
    let p = p.clone();
    let mut cell = match name {
        "iaf_psc_exp" | "alif_psc_exp" | "mat2_psc_exp" | "iaf_psc_delta" | "iaf_psc_alpha" => current_based(name, &p),
        "iaf_cond_exp" | "iaf_cond_alpha" => conductance_based(name, &p),
        "iaf_ampa_nmda_gaba" => three_receptors(&p),
        "iaf_cond_exp_2c" => two_compartments(&p),
        "iaf_cond_alpha_3c" => three_compartments(&p),
        "hh" | "hh_psc_alpha" | "hh_cond_exp_traub" => squid_or_traub(name, &p),
        "fitzhugh_nagumo" => fitzhugh(&p),
        "morris_lecar" => morris(&p),
        _ if name.starts_with("glif_") => glif(name.as_bytes()[5] - b'0', &p),
        _ => exponential(name, &p),
    };
    cell.period = p.get("t_ref").copied().unwrap_or(0.0);
    cell
}

fn at_level(level: f64) -> Test {
    Box::new(move |_, now| now[0] >= level)
}

/// Decay of one synaptic variable, or the two of an alpha function, from index `i` on.
fn synapse(alpha: bool, y: &[f64], d: &mut [f64], i: usize, tau: f64) {
    if alpha {
        d[i] = y[i + 1] - y[i] / tau;
        d[i + 1] = -y[i + 1] / tau;
    } else {
        d[i] = -y[i] / tau;
    }
}

fn current_based(name: &str, p: &Parameters) -> Cell {
    let (alpha, delta) = (name == "iaf_psc_alpha", name == "iaf_psc_delta");
    let q = p.clone();
    let (more, width) = (["alif_psc_exp", "mat2_psc_exp"].iter().position(|n| *n == name).map_or(0, |k| k + 1), 1 + usize::from(alpha));
    let synapses = if delta { 0 } else { 2 * width };
    let mut state = vec![0.0; 1 + synapses + more];
    state[0] = p["E_L"];
    let adapt = 1 + synapses;
    let mut cell = Cell::new(
        state,
        Box::new(move |y, current, d| {
            let inputs = if delta { 0.0 } else { y[1] + y[1 + width] };
            d[0] = (q["E_L"] - y[0]) / q["tau_m"] + (inputs + q["I_e"] + current) / q["C_m"];
            if !delta {
                synapse(alpha, y, d, 1, q["tau_syn_exc"]);
                synapse(alpha, y, d, 1 + width, q["tau_syn_inh"]);
            }
            for (k, tau) in [["tau_th", ""], ["tau_1", "tau_2"]].get(more.wrapping_sub(1)).into_iter().flatten().enumerate().take(more) {
                d[adapt + k] = -y[adapt + k] / q[*tau];
            }
        }),
    );
    let (q, r) = (p.clone(), p.clone());
    cell.spikes = Box::new(move |_, now| now[0] >= q.get("omega").copied().unwrap_or_else(|| q["V_th"]) + now[adapt..].iter().sum::<f64>());
    cell.reset = Box::new(move |y| match more {
        0 => y[0] = r["V_reset"],
        1 => {
            y[0] = r["V_reset"];
            y[adapt] += r["delta_th"];
        }
        _ => {
            y[adapt] += r["alpha_1"];
            y[adapt + 1] += r["alpha_2"];
        }
    });
    cell.clamped = if more == 2 { Vec::new() } else { vec![0] };
    cell.receptors = match (delta, alpha) {
        (true, _) => vec![(0, 1.0); 2],
        (_, true) => vec![(2, E / p["tau_syn_exc"]), (4, E / p["tau_syn_inh"])],
        _ => vec![(1, 1.0), (2, 1.0)],
    };
    cell
}

fn conductance_based(name: &str, p: &Parameters) -> Cell {
    let alpha = name == "iaf_cond_alpha";
    let width = 1 + usize::from(alpha);
    let q = p.clone();
    let mut state = vec![0.0; 1 + 2 * width];
    state[0] = p["E_L"];
    let mut cell = Cell::new(
        state,
        Box::new(move |y, current, d| {
            let flow = q["g_L"] * (q["E_L"] - y[0]) + y[1] * (q["E_exc"] - y[0]) + y[1 + width] * (q["E_inh"] - y[0]);
            d[0] = (flow + q["I_e"] + current) / q["C_m"];
            synapse(alpha, y, d, 1, q["tau_syn_exc"]);
            synapse(alpha, y, d, 1 + width, q["tau_syn_inh"]);
        }),
    );
    integrate_and_fire(&mut cell, p);
    cell.receptors = if alpha { vec![(2, E / p["tau_syn_exc"]), (4, E / p["tau_syn_inh"])] } else { vec![(1, 1.0), (2, 1.0)] };
    cell
}

fn integrate_and_fire(cell: &mut Cell, p: &Parameters) {
    let reset = p["V_reset"];
    cell.spikes = at_level(p["V_th"]);
    cell.reset = Box::new(move |y| y[0] = reset);
    cell.clamped = vec![0];
}

fn three_receptors(p: &Parameters) -> Cell {
    let q = p.clone();
    let mut cell = Cell::new(
        vec![p["E_L"], 0.0, 0.0, 0.0, 0.0],
        Box::new(move |y, current, d| {
            let open = 1.0 / (1.0 + q["Mg"] / q["Mg_half"] * (-y[0] / q["V_Mg"]).exp());
            let flow = (y[1] + y[3] * open) * (q["E_exc"] - y[0]) + y[4] * (q["E_inh"] - y[0]) + q["g_L"] * (q["E_L"] - y[0]);
            d[0] = (flow + q["I_e"] + current) / q["C_m"];
            d[1] = -y[1] / q["tau_ampa"];
            d[2] = -y[2] / q["tau_nmda_rise"];
            d[3] = y[2] - y[3] / q["tau_nmda"];
            d[4] = -y[4] / q["tau_gaba"];
        }),
    );
    integrate_and_fire(&mut cell, p);
    // The peak of a difference of exponentials, found by looking.
    let (rise, decay) = (p["tau_nmda_rise"], p["tau_nmda"]);
    let shape = |t: f64| ((-t / decay).exp() - (-t / rise).exp()) / (1.0 / rise - 1.0 / decay);
    let peak = (1..400_000).map(|k| shape(f64::from(k) * 1e-3)).fold(0.0, f64::max);
    cell.receptors = vec![(1, 1.0), (2, 1.0 / peak), (4, 1.0)];
    cell
}

fn two_compartments(p: &Parameters) -> Cell {
    let q = p.clone();
    let mut cell = Cell::new(
        vec![p["E_L"], p["E_L"], 0.0, 0.0, 0.0, 0.0],
        Box::new(move |y, current, d| {
            let along = q["g_c"] * (y[1] - y[0]);
            d[0] = (q["g_L"] * (q["E_L"] - y[0]) + y[2] * (q["E_exc"] - y[0]) + y[3] * (q["E_inh"] - y[0]) + along + q["I_e"] + current)
                / q["C_m"];
            d[1] = (q["g_L_dend"] * (q["E_L"] - y[1]) + y[4] * (q["E_exc"] - y[1]) + y[5] * (q["E_inh"] - y[1]) - along) / q["C_dend"];
            for i in 2..6 {
                d[i] = -y[i] / if i % 2 == 0 { q["tau_syn_exc"] } else { q["tau_syn_inh"] };
            }
        }),
    );
    integrate_and_fire(&mut cell, p);
    cell.receptors = (2..6).map(|i| (i, 1.0)).collect();
    cell
}

fn three_compartments(p: &Parameters) -> Cell {
    let q = p.clone();
    let mut state = vec![0.0; 15];
    state[..3].fill(p["E_L"]);
    let mut cell = Cell::new(
        state,
        Box::new(move |y, current, d| {
            let (near, far) = (q["g_sp"] * (y[1] - y[0]), q["g_pd"] * (y[2] - y[1]));
            let parts = [("g_L", "C_m", near), ("g_L_prox", "C_prox", far - near), ("g_L_dist", "C_dist", -far)];
            for (k, (leak, capacity, along)) in parts.into_iter().enumerate() {
                let g = 3 + 4 * k;
                let synaptic = y[g] * (q["E_exc"] - y[k]) + y[g + 2] * (q["E_inh"] - y[k]);
                let own = if k == 0 { q["I_e"] + current } else { 0.0 };
                d[k] = (q[leak] * (q["E_L"] - y[k]) + synaptic + along + own) / q[capacity];
                synapse(true, y, d, g, q["tau_syn_exc"]);
                synapse(true, y, d, g + 2, q["tau_syn_inh"]);
            }
        }),
    );
    integrate_and_fire(&mut cell, p);
    cell.receptors = (0..6).map(|r| (4 + 2 * r, E / if r % 2 == 0 { p["tau_syn_exc"] } else { p["tau_syn_inh"] })).collect();
    cell
}

/// Teeter et al. 2018; what a spike leaves behind rests while refractory, its decay over that time put into the reset.
fn glif(level: u8, p: &Parameters) -> Cell {
    let (rule, currents, follows) = (matches!(level, 2 | 4 | 5), level >= 3, level == 5);
    let spike_threshold = 5;
    let first_current = 5 + usize::from(rule);
    let voltage_threshold = first_current + 2;
    let mut state = vec![0.0; 5 + usize::from(rule) + 2 * usize::from(currents) + usize::from(follows)];
    state[0] = p["E_L"];
    let (q, r, s) = (p.clone(), p.clone(), p.clone());
    let n = state.len();
    let mut cell = Cell::new(
        state,
        Box::new(move |y, current, d| {
            let after = if currents { y[first_current] + y[first_current + 1] } else { 0.0 };
            d[0] = (current + q["I_e"] + y[1] + y[3] + after - q["g_L"] * (y[0] - q["E_L"])) / q["C_m"];
            synapse(true, y, d, 1, q["tau_syn_exc"]);
            synapse(true, y, d, 3, q["tau_syn_inh"]);
            if rule {
                d[spike_threshold] = -q["b_s"] * y[spike_threshold];
            }
            if currents {
                d[first_current] = -q["k_1"] * y[first_current];
                d[first_current + 1] = -q["k_2"] * y[first_current + 1];
            }
            if follows {
                d[voltage_threshold] = q["a_v"] * (y[0] - q["E_L"]) - q["b_v"] * y[voltage_threshold];
            }
        }),
    );
    cell.spikes = Box::new(move |_, y| {
        let raised = if rule { y[spike_threshold] } else { 0.0 } + if follows { y[voltage_threshold] } else { 0.0 };
        y[0] >= r["V_th"] + raised
    });
    cell.reset = Box::new(move |y| {
        if !rule {
            y[0] = s["V_reset"];
        }
        if rule {
            y[spike_threshold] = s["delta_th"] + y[spike_threshold] * (-s["b_s"] * s["t_ref"]).exp();
        }
        for j in 0..2 * usize::from(currents) {
            let (f, k, a) = [("f_1", "k_1", "delta_A_1"), ("f_2", "k_2", "delta_A_2")][j];
            y[first_current + j] = s[a] + s[f] * y[first_current + j] * (-s[k] * s["t_ref"]).exp();
        }
    });
    if rule {
        let (rest, part, add) = (p["E_L"], p["f_v"], p["delta_V"]);
        cell.from_before = Some(Box::new(move |v| rest + part * (v - rest) + add));
    }
    cell.clamped = std::iter::once(0).chain(5..n).collect();
    cell.receptors = vec![(2, E / p["tau_syn_exc"]), (4, E / p["tau_syn_inh"])];
    cell
}

/// AdEx in its forms, the exponential and the quadratic cell: they spike within the step.
fn exponential(name: &str, p: &Parameters) -> Cell {
    let adapts = name.starts_with("aeif");
    let (alpha, delta, conductance) = (name.ends_with("alpha"), name.ends_with("delta"), name.contains("cond"));
    let (first, width) = (1 + usize::from(adapts), 1 + usize::from(alpha));
    let quadratic = name.starts_with("qif");
    let q = p.clone();
    let mut state = vec![0.0; first + if delta { 0 } else { 2 * width }];
    state[0] = p["E_L"];
    let mut cell = Cell::new(
        state,
        Box::new(move |y, current, d| {
            let v = y[0].min(q["V_peak"]);
            let own = if quadratic {
                q["k"] * (v - q["E_L"]) * (v - q["V_c"])
            } else {
                -q["g_L"] * (v - q["E_L"]) + q["g_L"] * q["Delta_T"] * ((v - q["V_th"]) / q["Delta_T"]).exp()
            };
            let synaptic = match (delta, conductance) {
                (true, _) => 0.0,
                (_, true) => y[first] * (q["E_exc"] - v) + y[first + width] * (q["E_inh"] - v),
                _ => y[first] + y[first + width],
            };
            d[0] = (own + synaptic - if adapts { y[1] } else { 0.0 } + q["I_e"] + current) / q["C_m"];
            if adapts {
                d[1] = (q["a"] * (v - q["E_L"]) - y[1]) / q["tau_w"];
            }
            if !delta {
                synapse(alpha, y, d, first, q["tau_syn_exc"]);
                synapse(alpha, y, d, first + width, q["tau_syn_inh"]);
            }
        }),
    );
    let r = p.clone();
    cell.spikes = at_level(p["V_peak"]);
    cell.reset = Box::new(move |y| {
        y[0] = r["V_reset"];
        if adapts {
            y[1] += r["b"];
        }
    });
    cell.at_once = true;
    cell.clamped = vec![0];
    cell.receptors = match (delta, alpha) {
        (true, _) => vec![(0, 1.0); 2],
        (_, true) => vec![(first + 1, E / p["tau_syn_exc"]), (first + 3, E / p["tau_syn_inh"])],
        _ => vec![(first, 1.0), (first + 1, 1.0)],
    };
    cell
}

/// x/(1 - exp(-x)), written so that 0 is no trouble.
fn ratio(x: f64) -> f64 {
    if x.abs() < 1e-7 { 1.0 + x / 2.0 } else { x / (1.0 - (-x).exp()) }
}

fn squid_or_traub(name: &str, p: &Parameters) -> Cell {
    let traub = name == "hh_cond_exp_traub";
    let alpha = name == "hh_psc_alpha";
    let width = 1 + usize::from(alpha);
    let q = p.clone();
    let gates = move |v: f64, q: &Parameters| -> [(f64, f64); 3] {
        if traub {
            let u = v - q["V_T"];
            let m = (0.32 * 4.0 * ratio((u - 13.0) / 4.0), 0.28 * 5.0 * ratio((40.0 - u) / 5.0));
            let h = (0.128 * ((17.0 - u) / 18.0).exp(), 4.0 / (1.0 + ((40.0 - u) / 5.0).exp()));
            let n = (0.032 * 5.0 * ratio((u - 15.0) / 5.0), 0.5 * ((10.0 - u) / 40.0).exp());
            [m, h, n]
        } else {
            let m = (ratio((v + 40.0) / 10.0), 4.0 * (-(v + 65.0) / 18.0).exp());
            let h = (0.07 * (-(v + 65.0) / 20.0).exp(), 1.0 / (1.0 + (-(v + 35.0) / 10.0).exp()));
            let n = (0.1 * ratio((v + 55.0) / 10.0), 0.125 * (-(v + 65.0) / 80.0).exp());
            [m, h, n]
        }
    };
    let mut state = vec![0.0; 4 + 2 * width];
    state[0] = if traub { p["E_L"] } else { -65.0 };
    if traub {
        gates(p["E_L"], p).iter().zip(&mut state[1..4]).for_each(|((a, b), x)| *x = a / (a + b));
    } else {
        state[1..4].copy_from_slice(&[0.052932, 0.596121, 0.317677]);
    }
    let level = if traub { p["V_T"] + 30.0 } else { 0.0 };
    let mut cell = Cell::new(
        state,
        Box::new(move |y, current, d| {
            let v = y[0];
            let synaptic = if alpha { y[4] + y[6] } else { y[4] * (q["E_exc"] - v) + y[5] * (q["E_inh"] - v) };
            let flow = q["g_Na"] * y[1].powi(3) * y[2] * (q["E_Na"] - v) + q["g_K"] * y[3].powi(4) * (q["E_K"] - v);
            d[0] = (flow + q["g_L"] * (q["E_L"] - v) + synaptic + q["I_e"] + current) / q["C_m"];
            for (k, (a, b)) in gates(v, &q).into_iter().enumerate() {
                d[1 + k] = a * (1.0 - y[1 + k]) - b * y[1 + k];
            }
            synapse(alpha, y, d, 4, q["tau_syn_exc"]);
            synapse(alpha, y, d, 4 + width, q["tau_syn_inh"]);
        }),
    );
    cell.spikes = Box::new(move |before, now| now[0] >= level && now[0] < before[0]);
    cell.receptors = if alpha { vec![(5, E / p["tau_syn_exc"]), (7, E / p["tau_syn_inh"])] } else { vec![(4, 1.0), (5, 1.0)] };
    cell
}

fn rising(level: f64) -> Test {
    Box::new(move |before, now| before[0] < level && now[0] >= level)
}

fn fitzhugh(p: &Parameters) -> Cell {
    let q = p.clone();
    let mut cell = Cell::new(
        vec![-1.1994, -0.6243],
        Box::new(move |y, current, d| {
            d[0] = (y[0] - y[0].powi(3) / 3.0 - y[1] + q["I_e"] + current) / q["tau"];
            d[1] = (y[0] + q["a"] - q["b"] * y[1]) / q["tau_u"];
        }),
    );
    cell.spikes = rising(p["v_spike"]);
    cell
}

fn morris(p: &Parameters) -> Cell {
    let q = p.clone();
    let mut cell = Cell::new(
        vec![-60.855, 0.014915, 0.0, 0.0],
        Box::new(move |y, current, d| {
            let v = y[0];
            let m = 0.5 * (1.0 + ((v - q["V_1"]) / q["V_2"]).tanh());
            let n = 0.5 * (1.0 + ((v - q["V_3"]) / q["V_4"]).tanh());
            let flow = -q["g_Ca"] * m * (v - q["E_Ca"]) - q["g_K"] * y[1] * (v - q["E_K"]) - q["g_L"] * (v - q["E_L"]);
            d[0] = (flow + y[2] * (q["E_exc"] - v) + y[3] * (q["E_inh"] - v) + q["I_e"] + current) / q["C_m"];
            d[1] = q["phi"] * ((v - q["V_3"]) / (2.0 * q["V_4"])).cosh() * (n - y[1]);
            d[2] = -y[2] / q["tau_syn_exc"];
            d[3] = -y[3] / q["tau_syn_inh"];
        }),
    );
    cell.spikes = rising(p["V_spike"]);
    cell.receptors = vec![(2, 1.0), (3, 1.0)];
    cell
}
