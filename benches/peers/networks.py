"""The networks of the table, as numbers that every simulator reads: ms, mV, pA, nS, Hz. Knows no simulator."""

import math

DT = 0.1

BRUNEL = dict(
    n_exc=10_000, n_inh=2_500, k_exc=1_000, k_inh=250, J=0.1, g=5.0, eta=2.0, delay=1.5,
    tau=20.0, theta=20.0, reset=10.0, t_ref=2.0,
)
BRUNEL["rate"] = BRUNEL["eta"] * BRUNEL["theta"] / (BRUNEL["J"] * BRUNEL["k_exc"] * BRUNEL["tau"]) * 1e3  # Hz, of each of k_exc inputs

CELL = dict(c=200.0, tau=20.0, e_l=-49.0, theta=-50.0, reset=-60.0, t_ref=5.0, tau_exc=5.0, tau_inh=10.0)
CUBA = dict(CELL, n_exc=3_200, n_inh=800, p=0.02, w_exc=16.2, w_inh=-90.0)


def cuba_large(n, fan_in):
    """Vogels-Abbott with a fixed in-degree, weights scaled by 80 / fan-in (scenes.md, section i)."""
    s = 80 / fan_in
    return dict(
        CELL, n_exc=n * 4 // 5, n_inh=n // 5, k_exc=fan_in * 4 // 5, k_inh=fan_in // 5, w_exc=16.2 * s, w_inh=-90.0 * s,
    )


COBAHH = dict(
    n_exc=3_200, n_inh=800, p=0.02, c=200.0, g_l=10.0, g_na=20_000.0, g_k=6_000.0, e_l=-60.0, e_na=50.0, e_k=-90.0, v_t=-63.0,
    t_ref=3.0, e_exc=0.0, e_inh=-80.0, tau_exc=5.0, tau_inh=10.0, w_exc=6.0, w_inh=67.0,
)
# The pair rule on every synapse; stdp_10000.toml has the same numbers.
STDP = dict(
    n_exc=10_000, n_inh=0, k_exc=640, c=250.0, tau=10.0, e_l=-70.0, theta=-55.0, reset=-70.0, t_ref=2.0, tau_syn=2.0, rate=4_650.0, w_drive=33.0,
    w=0.1, w_max=0.2, rule=0.01, tau_plus=20.0, tau_minus=20.0, delay=1.5,
)


def microcircuit(scale):
    """Potjans & Diesmann 2014 with neurons and in-degrees scaled alike, and the current that replaces the lost mean input."""
    names = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]
    full = [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948]
    k_bg = [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100]
    rate = [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829]
    p = [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
    c, tau_m, tau_s, g, nu_bg = 250.0, 10.0, 0.5, 4.0, 8.0
    ratio = tau_m / tau_s
    unit = 0.15 * c * (1 / tau_m - 1 / tau_s) / (ratio ** (tau_m / (tau_s - tau_m)) - ratio ** (tau_s / (tau_s - tau_m)))
    count = [
        [math.log(1 - p[t][s]) / math.log(1 - 1 / (full[t] * full[s])) for s in range(8)] for t in range(8)
    ]
    w = [[unit * (1 if s % 2 == 0 else -g) * (2 if (t, s) == (0, 2) else 1) for s in range(8)] for t in range(8)]
    lost = [
        tau_s * 1e-3 * (1 - math.sqrt(scale))
        * (sum(w[t][s] * count[t][s] / full[t] * rate[s] for s in range(8)) + unit * k_bg[t] * nu_bg)
        for t in range(8)
    ]
    root = math.sqrt(scale)
    return dict(
        names=names, sizes=[round(scale * n) for n in full],
        synapses=[[round(scale * scale * k) for k in row] for row in count],
        weights=[[x / root for x in row] for row in w], w_bg=unit / root, rate_bg=[scale * k * nu_bg for k in k_bg],
        k_bg=k_bg, delays=[1.5, 0.8] * 4, current=lost, c=c, tau_m=tau_m, tau_s=tau_s, e_l=-65.0, reset=-65.0, theta=-50.0,
        t_ref=2.0, v0=[-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43],
        v0_sd=[5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48],
    )


# name: (warm-up ms, duration ms, words of `synfire run`, peers that have it)
NETWORKS = {
    "brunel_ai": (200, 1000, ["brunel", "--preset", "AI"], ["nest", "brian2"]),
    "cuba_4000": (500, 1000, ["vogels_abbott_cuba"], ["nest", "brian2"]),
    "cobahh_4000": (500, 500, ["vogels_abbott_cobahh"], ["nest", "brian2"]),
    "microcircuit_0.1": (500, 1000, ["microcircuit", "--preset", "laptop"], ["nest"]),
    "stdp_10000": (1000, 3000, ["stdp_10000"], ["nest", "brian2"]),
    "microcircuit": (100, 500, ["microcircuit", "--preset", "full"], ["nest"]),
    "cuba_100000x1000": (0, 300, ["cuba_large", "--preset", "hundred_thousand"], ["nest", "brian2"]),
    "cuba_1000000x100": (0, 100, ["cuba_large", "--preset", "million"], ["brian2"]),
}
USUAL = ["brunel_ai", "cuba_4000", "cobahh_4000", "microcircuit_0.1", "stdp_10000"]
