"""One measurement with NEST: builds a network, runs it, prints one line of JSON. Arguments: network, ms of warm-up, ms, threads."""

import json
import os
import sys
import time

import nest

import networks as net


def cpu():
    t = os.times()
    return t.user + t.system


def in_degree(k, **more):
    return dict(rule="fixed_indegree", indegree=k, allow_autapses=False, allow_multapses=True, **more)


def recorders(populations, start):
    out = {}
    for name, cells in populations.items():
        out[name] = nest.Create("spike_recorder", params=dict(start=start))
        nest.Connect(cells, out[name])
    return out


def brunel(start):
    b = net.BRUNEL
    cell = dict(E_L=0.0, tau_m=b["tau"], V_th=b["theta"], V_reset=b["reset"], t_ref=b["t_ref"], C_m=250.0)
    cells = nest.Create("iaf_psc_delta", b["n_exc"] + b["n_inh"], params=cell)
    cells.V_m = nest.random.uniform(0.0, b["theta"])
    exc, inh = cells[: b["n_exc"]], cells[b["n_exc"] :]
    nest.CopyModel("static_synapse_hpc", "of_exc", dict(weight=b["J"], delay=b["delay"]))
    nest.CopyModel("static_synapse_hpc", "of_inh", dict(weight=-b["g"] * b["J"], delay=b["delay"]))
    nest.Connect(exc, cells, in_degree(b["k_exc"]), "of_exc")
    nest.Connect(inh, cells, in_degree(b["k_inh"]), "of_inh")
    drive = nest.Create("poisson_generator", params=dict(rate=b["rate"] * b["k_exc"]))
    nest.Connect(drive, cells, "all_to_all", "of_exc")
    return recorders(dict(exc=exc, inh=inh), start)


def cuba(start, c):
    cell = dict(
        C_m=c["c"], tau_m=c["tau"], E_L=c["e_l"], V_th=c["theta"], V_reset=c["reset"], t_ref=c["t_ref"],
        tau_syn_ex=c["tau_exc"], tau_syn_in=c["tau_inh"],
    )
    cells = nest.Create("iaf_psc_exp", c["n_exc"] + c["n_inh"], params=cell)
    cells.V_m = nest.random.uniform(c["reset"], c["theta"])
    exc, inh = cells[: c["n_exc"]], cells[c["n_exc"] :]
    for name, source, w, k in [("of_exc", exc, c["w_exc"], c.get("k_exc")), ("of_inh", inh, c["w_inh"], c.get("k_inh"))]:
        nest.CopyModel("static_synapse_hpc", name, dict(weight=w, delay=net.DT))
        rule = in_degree(k) if k else dict(rule="pairwise_bernoulli", p=c["p"])
        nest.Connect(source, cells, rule, name)
    return recorders(dict(exc=exc, inh=inh), start)


def cobahh(start):
    c = net.COBAHH
    cell = dict(
        C_m=c["c"], g_L=c["g_l"], g_Na=c["g_na"], g_K=c["g_k"], E_L=c["e_l"], E_Na=c["e_na"], E_K=c["e_k"], V_T=c["v_t"],
        t_ref=c["t_ref"], E_ex=c["e_exc"], E_in=c["e_inh"], tau_syn_ex=c["tau_exc"], tau_syn_in=c["tau_inh"],
    )
    cells = nest.Create("hh_cond_exp_traub", c["n_exc"] + c["n_inh"], params=cell)
    normal, most = nest.random.normal, nest.math.max
    cells.V_m = normal(-65.0, 5.0)
    # This model's conductances cannot be set, so one spike at the start brings them.
    first = nest.Create("spike_generator", params=dict(spike_times=[net.DT]))
    nest.Connect(first, cells, "all_to_all", dict(weight=10.0 * most(normal(4.0, 1.5), 0.0), delay=net.DT))
    nest.Connect(first, cells, "all_to_all", dict(weight=-10.0 * most(normal(20.0, 12.0), 0.0), delay=net.DT))
    exc, inh = cells[: c["n_exc"]], cells[c["n_exc"] :]
    for name, source, w in [("of_exc", exc, c["w_exc"]), ("of_inh", inh, -c["w_inh"])]:
        nest.CopyModel("static_synapse_hpc", name, dict(weight=w, delay=net.DT))
        nest.Connect(source, cells, dict(rule="pairwise_bernoulli", p=c["p"]), name)
    return recorders(dict(exc=exc, inh=inh), start)


def stdp(start):
    c = net.STDP
    cell = dict(
        C_m=c["c"], tau_m=c["tau"], E_L=c["e_l"], V_th=c["theta"], V_reset=c["reset"], t_ref=c["t_ref"], tau_syn_ex=c["tau_syn"],
        tau_minus=c["tau_minus"],
    )
    cells = nest.Create("iaf_psc_exp", c["n_exc"], params=cell)
    cells.V_m = nest.random.uniform(c["reset"], c["theta"])
    rule = dict(tau_plus=c["tau_plus"], Wmax=c["w_max"], mu_plus=0.0, mu_minus=0.0, alpha=1.0)
    nest.CopyModel("stdp_synapse_hom", "changing", {"lambda": c["rule"], **rule})
    nest.Connect(cells, cells, in_degree(c["k_exc"]), dict(synapse_model="changing", weight=c["w"], delay=c["delay"]))
    drive = nest.Create("poisson_generator", params=dict(rate=c["rate"]))
    nest.Connect(drive, cells, "all_to_all", dict(weight=c["w_drive"], delay=net.DT))
    return recorders(dict(exc=cells), start)


def microcircuit(start, scale):
    m = net.microcircuit(scale)
    populations = {}
    for i, name in enumerate(m["names"]):
        cell = dict(
            C_m=m["c"], tau_m=m["tau_m"], tau_syn_ex=m["tau_s"], tau_syn_in=m["tau_s"], E_L=m["e_l"], V_reset=m["reset"],
            V_th=m["theta"], t_ref=m["t_ref"], I_e=m["current"][i],
        )
        populations[name] = nest.Create("iaf_psc_exp", m["sizes"][i], params=cell)
        populations[name].V_m = nest.random.normal(m["v0"][i], m["v0_sd"][i])
    redraw, normal = nest.math.redraw, nest.random.normal
    inf = float("inf")
    # One synapse model per source: the 16-byte synapse holds only 64 different models, and delays sort better apart.
    for s, source in enumerate(m["names"]):
        nest.CopyModel("static_synapse_hpc", f"of_{source}")
        for t, target in enumerate(m["names"]):
            n, w, d = m["synapses"][t][s], m["weights"][t][s], m["delays"][s]
            if n:
                weight = redraw(normal(w, abs(w) * 0.1), *((0.0, inf) if w > 0 else (-inf, 0.0)))
                # Values are rounded to the grid; below half a step NEST would draw a delay of no step.
                delay = redraw(normal(d, d / 2), net.DT / 2 + 1e-9, inf)
                nest.Connect(
                    populations[source], populations[target],
                    dict(rule="fixed_total_number", N=n, allow_autapses=True, allow_multapses=True),
                    dict(synapse_model=f"of_{source}", weight=weight, delay=delay),
                )
    for t, target in enumerate(m["names"]):
        drive = nest.Create("poisson_generator", params=dict(rate=m["rate_bg"][t]))
        nest.Connect(drive, populations[target], "all_to_all", dict(weight=m["w_bg"], delay=net.DT))
    return recorders(populations, start)


def build(name, start):
    if name == "brunel_ai":
        return brunel(start)
    if name == "cuba_4000":
        return cuba(start, net.CUBA)
    if name == "cobahh_4000":
        return cobahh(start)
    if name == "stdp_10000":
        return stdp(start)
    if name == "cuba_100000x1000":
        return cuba(start, net.cuba_large(100_000, 1_000))
    return microcircuit(start, 0.1 if name.endswith("0.1") else 1.0)


def main():
    name, warmup, duration, threads, seed = sys.argv[1], *map(int, sys.argv[2:6])
    nest.ResetKernel()
    nest.set(resolution=net.DT, local_num_threads=threads, rng_seed=seed, print_time=False)
    t0 = time.perf_counter()
    counters = build(name, float(warmup))
    nest.Prepare()
    t1, c1 = time.perf_counter(), cpu()
    nest.Run(float(warmup + duration))
    t2, c2 = time.perf_counter(), cpu()
    nest.Cleanup()
    sizes = {n: len(nest.GetConnections(target=r)) for n, r in counters.items()}
    rates = {n: r.n_events / sizes[n] / duration * 1e3 for n, r in counters.items()}
    print(json.dumps(dict(prepare=0.0, build=t1 - t0, run=t2 - t1, run_cpu=c2 - c1, rates=rates)))


main()
