"""Reference traces of plasticity rules by NEST 3.10: `python plastic.py` writes beside itself.

Two parrots, source and target, spike as told; between them the synapse, whose weight does not move the target (port 1). Arrays: `pre`, `post`, `dopa`
(ms; `dopa` when a spike reaches the volume transmitter) and the `weight` transmitted at each spike of the source. Dendritic delay 1 ms, step 0.1 ms.
"""
from pathlib import Path

import nest
import numpy as np

HERE = Path(__file__).parent


def trains(seed, counts, end):
    rng = np.random.default_rng(seed)
    return [np.sort(rng.choice(np.arange(50, end * 10), n, replace=False)) / 10 for n in counts]


def relay(times):
    generator = nest.Create("spike_generator", params={"spike_times": times})
    parrot = nest.Create("parrot_neuron")
    nest.Connect(generator, parrot, syn_spec={"delay": 0.1})
    return parrot


def dopamine():
    nest.ResetKernel()
    nest.resolution = 0.1
    end = 4000
    # A generator takes one step to its parrot.
    pre, post, dopa = trains(3, [120, 110, 25], end)
    # Pairs close together, and spikes of all three in one step.
    post = np.unique(np.concatenate([post, pre[::7] + 0.3, pre[3::11] - 1.0]).round(1))
    dopa = np.unique(np.concatenate([dopa, pre[::29], post[::23] + 1.0]).round(1))
    source, target, reward = relay(pre), relay(post), relay(dopa)
    nest.SetStatus(target, {"tau_minus": 33.0})
    transmitter = nest.Create("volume_transmitter")
    nest.Connect(reward, transmitter, syn_spec={"delay": 0.1})
    recorder = nest.Create("weight_recorder")
    par = dict(A_plus=9.0, A_minus=6.0, tau_plus=17.0, tau_c=700.0, tau_n=150.0, b=0.004, Wmin=0.0, Wmax=100.0)
    nest.CopyModel("stdp_dopamine_synapse", "rule", {**par, "volume_transmitter": transmitter, "weight_recorder": recorder})
    nest.Connect(source, target, syn_spec={"synapse_model": "rule", "weight": 40.0, "delay": 1.0, "receptor_type": 1})
    nest.Simulate(end + 50.0)
    events = recorder.events
    assert len(events["weights"]) == len(pre)
    # Parrots spike one step after their generators.
    np.savez_compressed(HERE / "stdp_dopamine.npz", pre=pre + 0.1, post=post + 0.1, dopa=dopa + 0.2, weight=events["weights"])
    w = events["weights"]
    print("dopamine", w[:3], w[-3:], "of", len(w), "at the least", (w == 0).sum(), "at the most", (w == 100).sum())


dopamine()
