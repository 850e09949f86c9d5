"""Reference traces of voltage-based plasticity by NEST 3.10: `python clopath.py` writes clopath_*.npz beside itself.

A source spikes as told; its target is moved by spikes of its own (80 mV: a spike a step later; less: a jump). Step 0.1 ms. Arrays of one run:
`pre` (ms, spikes of the source), `at` and `jump` (ms, mV or pA: what arrives at the target), `weight` (transmitted at each spike of the source; the
largest is 1, or in `hh` 2000), and of the target `t` with its state variables. `clopath_pairs.npz` numbers ten runs: five pairs, 10 ms apart, at 10, 20,
30, 40 and 50 Hz, the source first (0 to 4) or last (5 to 9), and a last spike of the source 250 ms later, as in Clopath's figure 2b.
"""
from pathlib import Path

import nest
import numpy as np

HERE = Path(__file__).parent
STEP = 0.1
CELL = dict(theta_minus=-70.6, theta_plus=-45.3, A_LTD=14.0e-5, A_LTP=8.0e-5, tau_u_bar_minus=10.0, tau_u_bar_plus=7.0, delay_u_bars=4.0)
PAIRED = dict(CELL, V_m=-70.6, E_L=-70.6, C_m=281.0, a=4.0, b=0.0805, V_reset=-49.6, V_clamp=33.0, t_clamp=2.0, t_ref=0.0)


def run(model, params, pre, at, jump, weight, largest, delay, until, read=()):
    nest.ResetKernel()
    nest.resolution = STEP
    nest.set_verbosity("M_ERROR")
    cell = nest.Create(model, params=params)
    source = nest.Create("parrot_neuron")
    # A generator takes one step to what it drives.
    nest.Connect(nest.Create("spike_generator", params={"spike_times": np.round(pre - STEP, 1)}), source, syn_spec={"delay": STEP})
    driver = nest.Create("spike_generator", params={"spike_times": np.round(at - STEP, 1), "spike_weights": jump})
    nest.Connect(driver, cell, syn_spec={"delay": STEP})
    recorder = nest.Create("weight_recorder")
    nest.CopyModel("clopath_synapse", "rule", {"weight_recorder": recorder})
    nest.Connect(source, cell, syn_spec={"synapse_model": "rule", "weight": weight, "Wmax": largest, "delay": delay})
    meter = nest.Create("multimeter", params={"interval": STEP, "record_from": list(read) or ["V_m"]})
    nest.Connect(meter, cell)
    spikes = nest.Create("spike_recorder")
    nest.Connect(cell, spikes)
    nest.Simulate(until)
    events = recorder.events
    order = np.argsort(events["times"])
    out = dict(pre=pre, at=at, jump=jump, weight=events["weights"][order], spikes=spikes.events["times"])
    assert len(out["weight"]) == len(pre)
    return out, meter.events


def pairs():
    all = {}
    for order in (0, 1):
        for k, rate in enumerate((10, 20, 30, 40, 50)):
            first = np.round(20 + np.arange(5) * 1000 / rate, 1)
            pre, post = (first, first + 10) if order == 0 else (first + 10, first)
            pre = np.append(pre, first[-1] + 250)
            out, _ = run("aeif_psc_delta_clopath", PAIRED, pre, post, np.full(5, 80.0), 0.5, 1.0, 0.1, pre[-1] + 20)
            i = order * 5 + k
            all.update({f"{key}_{i}": np.asarray(out[key], float) for key in ("pre", "at", "weight", "spikes")})
            print("pairs", i, out["weight"][-1])
    np.savez_compressed(HERE / "clopath_pairs.npz", **all)


def train(name, model, params, seed, jumps, big, weight, largest, delay, read):
    rng = np.random.default_rng(seed)
    grid = np.arange(200, 15000)
    pre = np.sort(rng.choice(grid, 60, replace=False)) / 10
    forced, small = rng.choice(grid, 30, replace=False) / 10, rng.choice(grid, 120, replace=False) / 10
    at = np.concatenate([forced, small])
    jump = np.concatenate([np.full(len(forced), big), rng.uniform(*jumps, len(small))]).round(2)
    at, first = np.unique(at, return_index=True)
    out, states = run(model, params, pre, at, jump[first], weight, largest, delay, 1600.0, read)
    kept = np.arange(0, 4000, 5)
    out.update({"t": states["times"][kept], **{key: states[key][kept] for key in read}})
    np.savez_compressed(HERE / f"clopath_{name}.npz", **{key: np.asarray(x, float) for key, x in out.items()})
    print(name, out["weight"][:3], out["weight"][-3:], "spikes", len(out["spikes"]))


pairs()
filtered = ("V_m", "u_bar_plus", "u_bar_minus", "u_bar_bar")
adex = filtered + ("w", "z", "V_th")
train("adex", "aeif_psc_delta_clopath", CELL, 5, (-6, 8), 80.0, 0.5, 1.0, 1.5, adex)
train("homeostatic", "aeif_psc_delta_clopath", dict(CELL, A_LTD=1e-5, A_LTD_const=False, u_ref_squared=60.0), 6, (-6, 8), 80.0, 0.5, 1.0, 1.0, adex)
# NEST begins with filtered potentials of 0 mV here.
hh = dict(CELL, theta_minus=-65.0, theta_plus=-35.0, A_LTD=0.56, A_LTP=2.4, tau_u_bar_plus=114.0, delay_u_bars=5.0, u_bar_plus=-65.0, u_bar_minus=-65.0, u_bar_bar=-65.0)
train("hh", "hh_psc_alpha_clopath", hh, 7, (-200, 300), 4000.0, 800.0, 2000.0, 2.0, filtered)
