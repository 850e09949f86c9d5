"""Reference traces of neuron models by NEST 3.10 beyond those of protocol.json: `python zoo.py` writes zoo.npz and zoo.json beside itself.

Each case is one cell under a current that changes at times (`current_t` ms, `current` pA: steps, a ramp or noise) and spikes that arrive at its
receptors in turn (`spikes_in_K` ms). zoo.json gives for each case our model's name, step, parameters, weights; zoo.npz the drive, `t`, `V_m` and `spikes`
under CASE/NAME. A value at t is that of the end of the step that ends there.
"""
import json
import sys
from pathlib import Path

import nest
import numpy as np

HERE = Path(__file__).parent
END = 400.0

SYN = {"tau_syn_exc": "tau_syn_ex", "tau_syn_inh": "tau_syn_in", "E_exc": "E_ex", "E_inh": "E_in"}


def drive(kind, level, dt, seed):
    rng = np.random.default_rng(seed)
    if kind == "step":
        t, x = [20.0, 150.0, 200.0, 300.0], [level, 0.0, 1.4 * level, -0.3 * level]
    elif kind == "ramp":
        t = np.arange(20.0, 320.0, 10.0)
        x = np.linspace(0.0, 2.0 * level, len(t))
        t, x = np.append(t, 330.0), np.append(x, 0.0)
    else:
        t = np.arange(10.0, 390.0, 2.0)
        x = level * (1.0 + 0.8 * rng.standard_normal(len(t)))
    return np.asarray(t, float), np.asarray(x, float).round(3)


def arrivals(n, dt, seed):
    rng = np.random.default_rng(seed + 100)
    grid = np.arange(5.0, 395.0, 1.0)
    out = []
    for _ in range(n):
        t = np.sort(rng.choice(grid, 40, replace=False))
        out.append(t)
    if n > 1:
        # Some that meet in one step.
        out[1] = np.unique(np.concatenate([out[1], out[0][::9]]))
    return out


def run(model, params, dt, current, ports, initial=None, record="V_m"):
    """`ports`: (receptor_type, weight, arrival times)."""
    nest.ResetKernel()
    nest.set_verbosity("M_ERROR")
    nest.resolution = dt
    nest.rng_seed = 7
    cell = nest.Create(model, params=params)
    if initial:
        cell.set(initial)
    t, x = current
    gen = nest.Create("step_current_generator", params={"amplitude_times": np.round(t - dt, 6), "amplitude_values": x})
    syn = {"delay": dt}
    if model == "iaf_cond_alpha_mc":
        syn["receptor_type"] = 7
    nest.Connect(gen, cell, syn_spec=syn)
    for port, weight, times in ports:
        g = nest.Create("spike_generator", params={"spike_times": np.round(np.asarray(times) - dt, 6)})
        nest.Connect(g, cell, syn_spec={"delay": dt, "weight": weight, **({"receptor_type": port} if port else {})})
    meter = nest.Create("multimeter", params={"interval": dt, "record_from": [record]})
    nest.Connect(meter, cell)
    spikes = nest.Create("spike_recorder")
    nest.Connect(cell, spikes)
    nest.Simulate(END)
    e = meter.events
    return e["times"], e[record], spikes.events["times"]


def standard(p):
    return {SYN.get(k, k): v for k, v in p.items()}


def gif(p):
    return dict(
        C_m=p["C_m"], g_L=p["g_L"], E_L=p["E_L"], V_reset=p["V_reset"], t_ref=p["t_ref"], V_T_star=p["V_T"], Delta_V=p["Delta_V"],
        lambda_0=p["lambda_0"] * 1000.0, tau_stc=[p["tau_eta_1"], p["tau_eta_2"]], q_stc=[p["q_eta_1"], p["q_eta_2"]],
        tau_sfa=[p["tau_gamma_1"], p["tau_gamma_2"]], q_sfa=[p["q_gamma_1"], p["q_gamma_2"]], tau_syn_ex=p["tau_syn_exc"],
        tau_syn_in=p["tau_syn_inh"], I_e=p["I_e"])


def glif(level):
    def of(p):
        out = dict(g=p["g_L"], E_L=p["E_L"], C_m=p["C_m"], t_ref=p["t_ref"], V_th=p["V_th"], tau_syn=[p["tau_syn_exc"], p["tau_syn_inh"]],
                   V_m=p["E_L"], spike_dependent_threshold=level in (2, 4, 5), after_spike_currents=level >= 3, adapting_threshold=level == 5)
        if level in (1, 3):
            out["V_reset"] = p["V_reset"]
        if level in (2, 4, 5):
            out.update(voltage_reset_fraction=p["f_v"], voltage_reset_add=p["delta_V"], th_spike_add=p["delta_th"], th_spike_decay=p["b_s"])
        if level >= 3:
            out.update(asc_decay=[p["k_1"], p["k_2"]], asc_r=[p["f_1"], p["f_2"]], asc_amps=[p["delta_A_1"], p["delta_A_2"]], asc_init=[0.0, 0.0])
        if level == 5:
            out.update(th_voltage_index=p["a_v"], th_voltage_decay=p["b_v"])
        return out
    return of


def mc(p):
    soma = dict(C_m=p["C_m"], g_L=p["g_L"], E_L=p["E_L"], E_ex=p["E_exc"], E_in=p["E_inh"], tau_syn_ex=p["tau_syn_exc"], tau_syn_in=p["tau_syn_inh"])
    return dict(
        V_th=p["V_th"], V_reset=p["V_reset"], t_ref=p["t_ref"], g_sp=p["g_sp"], g_pd=p["g_pd"], soma=dict(soma, I_e=p["I_e"]),
        proximal=dict(soma, C_m=p["C_prox"], g_L=p["g_L_prox"]), distal=dict(soma, C_m=p["C_dist"], g_L=p["g_L_dist"]))


LIF = dict(C_m=250.0, tau_m=10.0, E_L=-70.0, V_th=-55.0, V_reset=-70.0, t_ref=2.0, I_e=0.0)
COND = dict(C_m=250.0, g_L=16.6667, E_L=-70.0, V_th=-55.0, V_reset=-60.0, t_ref=2.0, E_exc=0.0, E_inh=-85.0, tau_syn_exc=0.2, tau_syn_inh=2.0, I_e=0.0)
ADEX = dict(C_m=281.0, g_L=30.0, E_L=-70.6, V_th=-50.4, Delta_T=2.0, V_peak=0.0, V_reset=-60.0, a=4.0, b=80.5, tau_w=144.0, t_ref=0.0, I_e=0.0)
GLIF = dict(C_m=58.72, g_L=9.43, E_L=-78.85, V_th=-51.68, t_ref=3.75, tau_syn_exc=2.0, tau_syn_inh=2.0, I_e=0.0)
G1, G2 = dict(V_reset=-78.85), dict(f_v=0.2, delta_V=18.51, b_s=0.009, delta_th=0.37)
G3 = dict(k_1=0.003, f_1=1.0, delta_A_1=-9.18, k_2=0.1, f_2=1.0, delta_A_2=-198.94)
G5 = dict(a_v=0.005, b_v=0.09)
GIF = dict(C_m=80.0, g_L=4.0, E_L=-70.0, V_reset=-55.0, t_ref=4.0, V_T=-40.0, Delta_V=0.005, lambda_0=0.001, tau_eta_1=10.0, tau_eta_2=100.0, q_eta_1=20.0,
           q_eta_2=5.0, tau_gamma_1=10.0, tau_gamma_2=200.0, q_gamma_1=5.0, q_gamma_2=2.0, tau_syn_exc=2.0, tau_syn_inh=2.0, I_e=0.0)
HH = dict(C_m=100.0, g_Na=12000.0, g_K=3600.0, g_L=30.0, E_Na=50.0, E_K=-77.0, E_L=-54.402, t_ref=2.0, tau_syn_exc=0.2, tau_syn_inh=2.0, I_e=0.0)
MAT = dict(C_m=100.0, tau_m=5.0, E_L=-70.0, t_ref=2.0, I_e=0.0, tau_syn_exc=1.0, tau_syn_inh=3.0, omega=-51.0, alpha_1=37.0, alpha_2=2.0, tau_1=10.0, tau_2=200.0)
MC = dict(C_m=150.0, C_prox=75.0, C_dist=150.0, g_L=10.0, g_L_prox=5.0, g_L_dist=10.0, g_sp=2.5, g_pd=1.0, E_L=-70.0, V_th=-55.0, V_reset=-60.0, t_ref=0.0,
          E_exc=0.0, E_inh=-85.0, tau_syn_exc=0.5, tau_syn_inh=2.0, I_e=0.0)
SYNS = dict(tau_syn_exc=0.2, tau_syn_inh=2.0)
PAIR = dict(tau_syn_exc=2.0, tau_syn_inh=2.0)

# ours, NEST's, parameters, translation, another set, current, weights by receptor, ports
CASES = [
    ("iaf_psc_exp", "iaf_psc_exp", {**LIF, **PAIR}, standard, dict(tau_m=14.0, tau_syn_exc=0.7, V_reset=-62.0, t_ref=3.0), 420.0, [300.0, -250.0], None),
    ("iaf_psc_alpha", "iaf_psc_alpha", {**LIF, **PAIR}, standard, dict(tau_m=14.0, tau_syn_exc=0.7, V_reset=-62.0, t_ref=3.0), 420.0, [300.0, -250.0], None),
    ("iaf_psc_delta", "iaf_psc_delta", LIF, standard, dict(tau_m=14.0, V_reset=-62.0, t_ref=3.0), 420.0, [3.0, -2.0], None),
    ("iaf_cond_exp", "iaf_cond_exp", COND, standard, dict(tau_syn_exc=2.0, tau_syn_inh=5.0, g_L=20.0, t_ref=3.0), 300.0, [20.0, -15.0], None),
    ("iaf_cond_alpha", "iaf_cond_alpha", COND, standard, dict(tau_syn_exc=2.0, tau_syn_inh=5.0, g_L=20.0, t_ref=3.0), 300.0, [15.0, -10.0], None),
    ("iaf_cond_alpha_3c", "iaf_cond_alpha_mc", MC, mc, dict(C_prox=100.0, g_sp=6.0, tau_syn_exc=1.5), 260.0, [6.0, 5.0, 8.0, 5.0, 8.0, 5.0], [1, 2, 3, 4, 5, 6]),
    ("mat2_psc_exp", "mat2_psc_exp", MAT, standard, dict(tau_m=9.0, alpha_1=15.0, tau_2=80.0, t_ref=4.0), 500.0, [250.0, -200.0], None),
    *[(f"glif_{n}", "glif_psc", {**GLIF, **(G1 if n in (1, 3) else {}), **(G2 if n in (2, 4, 5) else {}), **(G3 if n >= 3 else {}), **(G5 if n == 5 else {})}, glif(n),
       {**dict(tau_syn_exc=1.0, C_m=80.0), **(dict(f_v=0.5, delta_V=5.0, delta_th=2.0, b_s=0.02) if n in (2, 4, 5) else {}),
        **(dict(f_1=0.8, k_1=0.02, delta_A_1=-40.0, f_2=0.5) if n >= 3 else {}), **(dict(a_v=0.01, b_v=0.03) if n == 5 else {})}, 330.0, [80.0, -60.0], [1, 2]) for n in range(1, 6)],
    ("gif_psc_exp", "gif_psc_exp", GIF, gif, dict(tau_eta_1=30.0, q_gamma_1=3.0, t_ref=2.0, g_L=5.0), 200.0, [60.0, -40.0], None),
    ("aeif_cond_exp", "aeif_cond_exp", {**ADEX, **SYNS, "E_exc": 0.0, "E_inh": -85.0}, standard, dict(tau_w=60.0, b=40.0, V_reset=-56.0, t_ref=2.0, tau_syn_exc=2.0), 700.0, [20.0, -20.0], None),
    ("aeif_cond_alpha", "aeif_cond_alpha", {**ADEX, **SYNS, "E_exc": 0.0, "E_inh": -85.0}, standard, dict(tau_w=60.0, b=40.0, V_reset=-56.0, t_ref=2.0, tau_syn_exc=2.0), 700.0, [15.0, -15.0], None),
    ("aeif_psc_exp", "aeif_psc_exp", {**ADEX, **SYNS}, standard, dict(tau_w=60.0, b=40.0, V_reset=-56.0, t_ref=2.0, tau_syn_exc=2.0), 700.0, [500.0, -300.0], None),
    ("aeif_psc_alpha", "aeif_psc_alpha", {**ADEX, **SYNS}, standard, dict(tau_w=60.0, b=40.0, V_reset=-56.0, t_ref=2.0, tau_syn_exc=2.0), 700.0, [500.0, -300.0], None),
    # NEST loses an input that arrives in the step of a spike, so the cell is refractory for a while: then we do too.
    ("aeif_psc_delta", "aeif_psc_delta", {**ADEX, "t_ref": 1.0}, standard, dict(tau_w=60.0, b=40.0, V_reset=-56.0, t_ref=2.0), 700.0, [3.0, -2.0], None),
    ("hh_psc_alpha", "hh_psc_alpha", HH, standard, dict(g_K=4000.0, C_m=120.0, tau_syn_exc=2.0), 700.0, [120.0, -100.0], None),
    ("hh_cond_exp_traub", "hh_cond_exp_traub", dict(C_m=200.0, g_Na=20000.0, g_K=6000.0, g_L=10.0, E_Na=50.0, E_K=-90.0, E_L=-70.0, V_T=-63.0, t_ref=2.0, E_exc=0.0, E_inh=-80.0, tau_syn_exc=5.0, tau_syn_inh=10.0, I_e=0.0),
     standard, dict(g_K=5000.0, tau_syn_exc=2.0), 350.0, [6.0, -6.0], None),
]
RUNS = [("step", 0, 0.1), ("ramp", 1, 0.1), ("noise", 0, 0.1), ("noise", 1, 0.05), ("step", 1, 0.025), ("noise", 0, 0.5), ("ramp", 0, 1.0)]


def main(only=None):
    rows, arrays = [], {}
    for number, (ours, theirs, base, translate, other, level, weights, ports) in enumerate(CASES):
        if only and ours not in only:
            continue
        for kind, which, dt in RUNS:
            if dt >= 0.5 and (ours.startswith("hh") or "t_ref" not in base):
                continue
            p = dict(base, **(other if which else {}))
            # On the grid of every step.
            p["t_ref"] = 2.0 if p["t_ref"] and dt >= 0.5 else round(p["t_ref"], 1)
            current = drive(kind, level, dt, number)
            spikes = arrivals(len(weights), dt, number)
            params = translate(p)
            if ours.startswith("hh_psc"):
                initial = {"V_m": -65.0, "Act_m": 0.052932, "Inact_h": 0.596121, "Act_n": 0.317677}
            elif ours == "iaf_cond_alpha_3c":
                initial = None
            else:
                initial = {"V_m": p["E_L"]}
            if ours.startswith("glif"):
                params.pop("V_m")
            record = "V_m.s" if ours == "iaf_cond_alpha_3c" else "V_m"
            use = [(ports[k] if ports else 0, w, spikes[k]) for k, w in enumerate(weights)]
            t, v, out = run(theirs, params, dt, current, use, initial, record)
            case = f"{ours}/{kind}_{which}_{dt}"
            every = round(4.0 / dt)
            kept = np.arange(every - 1, len(t), every)
            arrays.update({f"{case}/current_t": current[0], f"{case}/current": current[1], f"{case}/t": t[kept], f"{case}/V_m": v[kept], f"{case}/spikes": out})
            for k in range(len(weights)):
                arrays[f"{case}/in_{k}"] = spikes[k]
            rows.append(dict(case=case, model=ours, dt=dt, parameters=p, weights=weights))
            print(case, len(out), "spikes", round(float(v.min()), 1), round(float(v.max()), 1), flush=True)
    if not only:
        np.savez_compressed(HERE / "zoo.npz", **{k: np.asarray(x, float) for k, x in arrays.items()})
        (HERE / "zoo.json").write_text(json.dumps(rows, indent=0))
    return rows, arrays


if __name__ == "__main__":
    main(sys.argv[1:])
