"""Saturating NMDA gating by NEST 3.10: `python nmda.py` writes nmda.npz beside itself.

An iaf_bw_2001 that strong AMPA input makes spike acts through NMDA (30 nS, delay 1 ms) on another, which has AMPA (20 nS) and GABA (15 nS) input of its own;
step 0.1 ms, E_in -75 mV; run 0 with NEST's gating, run 1 with alpha 1/ms, tau_rise 1.5 ms, tau_decay 60 ms. Arrays of a run: `pre` (spikes of the first, ms),
`opened` (what NEST sends with each: the jump of the gating), `ampa`, `gaba` (ms), `spikes` of the second, and its `t`, `V_m` and gating `s`.
"""
from pathlib import Path

import nest
import numpy as np

out = {}
for i, (alpha, rise, decay) in enumerate([(0.5, 2.0, 100.0), (1.0, 1.5, 60.0)]):
    nest.ResetKernel()
    nest.resolution = 0.1
    par = dict(alpha=alpha, tau_rise_NMDA=rise, tau_decay_NMDA=decay, E_in=-75.0)
    pre, post = nest.Create("iaf_bw_2001", params=par), nest.Create("iaf_bw_2001", params=par)
    ports = nest.GetDefaults("iaf_bw_2001")["receptor_types"]
    rng = np.random.default_rng(9 + i)
    grid = np.arange(50, 5500)

    def train(n, to, weight, port):
        t = np.sort(rng.choice(grid, n, replace=False)) / 10
        # A generator takes one step to what it drives.
        generator = nest.Create("spike_generator", params={"spike_times": np.round(t - 0.1, 1)})
        nest.Connect(generator, to, syn_spec={"delay": 0.1, "weight": weight, "receptor_type": ports[port]})
        return t

    train(60, pre, 600.0, "AMPA")
    nest.Connect(pre, post, syn_spec={"delay": 1.0, "weight": 30.0, "receptor_type": ports["NMDA"]})
    ampa, gaba = train(80, post, 20.0, "AMPA"), train(40, post, 15.0, "GABA")
    meter = nest.Create("multimeter", params={"interval": 0.1, "record_from": ["V_m", "s_NMDA"]})
    nest.Connect(meter, post)
    # Spikes carry the jump in place of their time within the step.
    first, second = (nest.Create("spike_recorder", params={"time_in_steps": True}) for _ in range(2))
    nest.Connect(pre, first)
    nest.Connect(post, second)
    nest.Simulate(600.0)
    e = meter.events
    kept = np.arange(9, len(e["times"]) - 2, 20)
    out.update({f"pre_{i}": first.events["times"] * 0.1, f"opened_{i}": first.events["offsets"], f"ampa_{i}": ampa, f"gaba_{i}": gaba,
                f"spikes_{i}": second.events["times"] * 0.1, f"t_{i}": e["times"][kept], f"V_m_{i}": e["V_m"][kept], f"s_{i}": e["s_NMDA"][kept] / 30.0})
np.savez_compressed(Path(__file__).parent / "nmda.npz", **{k: np.asarray(v, float) for k, v in out.items()})
