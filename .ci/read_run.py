"""Reads a run with numpy alone, as the README tells, and checks it against run.json."""

import json
import sys

import numpy as np

folder = sys.argv[1]
run = json.load(open(f"{folder}/run.json"))
data = np.load(f"{folder}/data.npz")
step, neuron = data["spikes_step"], data["spikes_neuron"]
assert step.dtype == np.uint32 and step.shape == neuron.shape
order = step.astype(np.int64) * run["neurons"] + neuron
assert (np.diff(order) > 0).all(), "spikes are sorted by step, then neuron, and none comes twice"
assert step.max() <= run["end_step"] and neuron.max() < run["neurons"]
assert len(step) == run["spikes"], "every spike of this scene is recorded"
seconds = (run["end_step"] - run["warmup_steps"]) * run["dt_ms"] * 1e-3
for p in run["populations"]:
    own = (neuron >= p["first"]) & (neuron < p["first"] + p["neurons"]) & (step > run["warmup_steps"])
    rate = own.sum() / p["neurons"] / seconds
    assert abs(rate - p["rate_Hz"]) < 1e-6, (p["name"], rate, p["rate_Hz"])
for name in data.files:
    if name + "_step" in data.files:
        assert data[name].shape[0] == data[name + "_step"].shape[0], name
        assert np.isfinite(data[name]).all(), name
print(f"numpy {np.__version__} reads {len(step)} spikes and {len(data.files)} arrays")
