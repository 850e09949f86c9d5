"""Reference trace of gap junctions by NEST 3.10: `python gaps.py` writes gaps.npz beside itself.

Three hh_psc_alpha_gap under currents of 300, 250 and 60 pA, the first coupled to the others by 20 and 30 nS, as NEST iterates their waveforms: step
0.01 ms, interpolation of third order, tolerance 1e-7. Arrays: `t` (ms), `V_0`, `V_1`, `V_2` (mV) every 0.2 ms, `spikes_0`, `spikes_1`, `spikes_2` (ms).
"""
from pathlib import Path

import nest
import numpy as np

nest.ResetKernel()
nest.resolution = 0.01
nest.set_verbosity("M_ERROR")
nest.SetKernelStatus({"use_wfr": True, "wfr_comm_interval": 0.1, "wfr_tol": 1e-7, "wfr_max_iterations": 30, "wfr_interpolation_order": 3})
cells = nest.Create("hh_psc_alpha_gap", 3)
for cell, current in zip(cells, (300.0, 250.0, 60.0)):
    cell.set(I_e=current)
for other, g in ((1, 20.0), (2, 30.0)):
    nest.Connect(cells[0], cells[other], {"rule": "one_to_one", "make_symmetric": True}, {"synapse_model": "gap_junction", "weight": g})
meter = nest.Create("multimeter", params={"interval": 0.01, "record_from": ["V_m"]})
nest.Connect(meter, cells)
spikes = nest.Create("spike_recorder")
nest.Connect(cells, spikes)
nest.Simulate(100.0)
out = {}
for i, cell in enumerate(cells):
    mine = meter.events["senders"] == cell.global_id
    out["t"], out[f"V_{i}"] = meter.events["times"][mine][19::20], meter.events["V_m"][mine][19::20]
    out[f"spikes_{i}"] = spikes.events["times"][spikes.events["senders"] == cell.global_id]
    print(i, out[f"spikes_{i}"][:4], len(out[f"spikes_{i}"]), out[f"V_{i}"][-1])
np.savez_compressed(Path(__file__).parent / "gaps.npz", **out)
