"""One network with Brian2's C++ standalone mode. `compile` writes and compiles a program into a folder; `run` runs it once and prints
one line of JSON. Arguments: compile FOLDER network warm-up duration threads, or run FOLDER.

Steps are as in NEST where the delay is one step shorter and the refractory period one step longer (scenes.md, section h)."""

import json
import os
import subprocess
import sys
import time

import numpy as np

import networks as net


def fixed_in_degree(rng, sources, first_source, targets, k):
    """Source and target of every synapse; multapses allowed, autapses not."""
    post = np.repeat(np.arange(targets, dtype=np.int32), k)
    own = post - first_source
    has_own = (own >= 0) & (own < sources)
    pre = (rng.random(post.size) * (sources - has_own)).astype(np.int32)
    pre += (has_own & (pre >= own)).astype(np.int32)
    return pre, post


def compile_(folder, name, warmup, duration, threads):
    import brian2 as b
    from brian2 import Hz, Network, NeuronGroup, PoissonInput, SpikeMonitor, Synapses, mV, ms, nS, pA, pF

    t0 = time.perf_counter()
    b.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b.prefs.devices.cpp_standalone.openmp_threads = threads if threads > 1 else 0
    b.defaultclock.dt = net.DT * ms
    b.seed(1)
    rng = np.random.default_rng(1)
    dt = net.DT * ms
    parts = []
    if name == "brunel_ai":
        c = net.BRUNEL
        n = c["n_exc"] + c["n_inh"]
        space = dict(tau=c["tau"] * ms, theta=c["theta"] * mV, reset=c["reset"] * mV, J=c["J"] * mV, gJ=c["g"] * c["J"] * mV)
        cells = NeuronGroup(
            n, "dv/dt = -v/tau : volt (unless refractory)", threshold="v >= theta", reset="v = reset",
            refractory=c["t_ref"] * ms + dt, method="exact", namespace=space,
        )
        cells.v = "rand()*theta"
        parts.append(PoissonInput(cells, "v", c["k_exc"], c["rate"] * Hz, c["J"] * mV))
        for first, size, k, then in [(0, c["n_exc"], c["k_exc"], "v_post += J"), (c["n_exc"], c["n_inh"], c["k_inh"], "v_post -= gJ")]:
            s = Synapses(cells[first : first + size], cells, on_pre=then, delay=c["delay"] * ms - dt, namespace=space)
            pre, post = fixed_in_degree(rng, size, first, n, k)
            s.connect(i=pre, j=post)
            parts.append(s)
    elif name.startswith("cuba"):
        large = {"cuba_100000x1000": (100_000, 1_000), "cuba_1000000x100": (1_000_000, 100)}
        c = net.cuba_large(*large[name]) if name in large else net.CUBA
        n = c["n_exc"] + c["n_inh"]
        space = dict(
            tau=c["tau"] * ms, e_l=c["e_l"] * mV, theta=c["theta"] * mV, reset=c["reset"] * mV,
            tau_exc=c["tau_exc"] * ms, tau_inh=c["tau_inh"] * ms,
            w_exc=c["w_exc"] / c["c"] * c["tau"] * mV, w_inh=c["w_inh"] / c["c"] * c["tau"] * mV,
        )
        model = """dv/dt = (e_l - v + x + y)/tau : volt (unless refractory)
                   dx/dt = -x/tau_exc : volt
                   dy/dt = -y/tau_inh : volt"""
        cells = NeuronGroup(
            n, model, threshold="v >= theta", reset="v = reset", refractory=c["t_ref"] * ms + dt, method="exact", namespace=space,
        )
        cells.v = "reset + rand()*(theta - reset)"
        for first, size, k, then in [
            (0, c["n_exc"], c.get("k_exc"), "x_post += w_exc"), (c["n_exc"], c["n_inh"], c.get("k_inh"), "y_post += w_inh"),
        ]:
            s = Synapses(cells[first : first + size], cells, on_pre=then, delay=0 * ms, namespace=space)
            if k:
                pre, post = fixed_in_degree(rng, size, first, n, k)
                s.connect(i=pre, j=post)
            else:
                s.connect(p=c["p"])
            parts.append(s)
    elif name == "stdp_10000":
        c = net.STDP
        n = c["n_exc"]
        space = dict(
            C=c["c"] * pF, tau=c["tau"] * ms, e_l=c["e_l"] * mV, theta=c["theta"] * mV, reset=c["reset"] * mV, tau_syn=c["tau_syn"] * ms,
            tau_plus=c["tau_plus"] * ms, tau_minus=c["tau_minus"] * ms, rule=c["rule"], w_max=c["w_max"] * pA,
        )
        model = """dv/dt = (e_l - v)/tau + x/C : volt (unless refractory)
                   dx/dt = -x/tau_syn : amp"""
        cells = NeuronGroup(
            n, model, threshold="v >= theta", reset="v = reset", refractory=c["t_ref"] * ms + dt, method="exact", namespace=space,
        )
        cells.v = "reset + rand()*(theta - reset)"
        # As many inputs of so low a rate that their sum is all but a Poisson process.
        parts.append(PoissonInput(cells, "x", 1000, c["rate"] / 1000 * Hz, c["w_drive"] * pA))
        s = Synapses(
            cells, cells, """w : 1
            dpre/dt = -pre/tau_plus : 1 (event-driven)
            dpost/dt = -post/tau_minus : 1 (event-driven)""",
            on_pre="w = clip(w - rule*post, 0, 1)\nx_post += w*w_max\npre += 1",
            on_post="w = clip(w + rule*pre, 0, 1)\npost += 1",
            delay=c["delay"] * ms - dt, namespace=space,
        )
        pre, post = fixed_in_degree(rng, n, 0, n, c["k_exc"])
        s.connect(i=pre, j=post)
        s.w = c["w"] / c["w_max"]
        parts.append(s)
    elif name == "cobahh_4000":
        c = net.COBAHH
        space = dict(
            C=c["c"] * pF, g_l=c["g_l"] * nS, g_na=c["g_na"] * nS, g_k=c["g_k"] * nS, e_l=c["e_l"] * mV, e_na=c["e_na"] * mV,
            e_k=c["e_k"] * mV, v_t=c["v_t"] * mV, e_exc=c["e_exc"] * mV, e_inh=c["e_inh"] * mV, tau_exc=c["tau_exc"] * ms,
            tau_inh=c["tau_inh"] * ms, w_exc=c["w_exc"] * nS, w_inh=c["w_inh"] * nS, ms=ms, mV=mV, nS=nS,
        )
        model = """
        dv/dt = (g_l*(e_l - v) + x*(e_exc - v) + y*(e_inh - v) - g_na*(m*m*m)*h*(v - e_na) - g_k*(n*n*n*n)*(v - e_k))/C : volt
        dm/dt = alpha_m*(1 - m) - beta_m*m : 1
        dn/dt = alpha_n*(1 - n) - beta_n*n : 1
        dh/dt = alpha_h*(1 - h) - beta_h*h : 1
        dx/dt = -x/tau_exc : siemens
        dy/dt = -y/tau_inh : siemens
        alpha_m = 0.32*4/exprel((13*mV - v + v_t)/(4*mV))/ms : Hz
        beta_m = 0.28*5/exprel((v - v_t - 40*mV)/(5*mV))/ms : Hz
        alpha_h = 0.128*exp((17*mV - v + v_t)/(18*mV))/ms : Hz
        beta_h = 4./(1 + exp((40*mV - v + v_t)/(5*mV)))/ms : Hz
        alpha_n = 0.032*5/exprel((15*mV - v + v_t)/(5*mV))/ms : Hz
        beta_n = 0.5*exp((10*mV - v + v_t)/(40*mV))/ms : Hz"""
        cells = NeuronGroup(
            c["n_exc"] + c["n_inh"], model, threshold="v > -20*mV", refractory=c["t_ref"] * ms, method="exponential_euler",
            namespace=space,
        )
        cells.v = "e_l + (randn()*5 - 5)*mV"
        cells.x = "clip(randn()*1.5 + 4, 0, inf)*10*nS"
        cells.y = "clip(randn()*12 + 20, 0, inf)*10*nS"
        for first, size, then in [(0, c["n_exc"], "x_post += w_exc"), (c["n_exc"], c["n_inh"], "y_post += w_inh")]:
            s = Synapses(cells[first : first + size], cells, on_pre=then, delay=0 * ms, namespace=space)
            s.connect(p=c["p"])
            parts.append(s)
    else:
        raise SystemExit(f"no Brian2 version of {name}")
    monitor = SpikeMonitor(cells)
    network = Network(cells, monitor, *parts)
    # clock() counts CPU time of all threads.
    b.device.insert_code("before_network_run", "const clock_t cpu_before = clock();")
    b.device.insert_code(
        "after_network_run", 'std::ofstream("results/cpu.txt") << double(clock() - cpu_before) / CLOCKS_PER_SEC << std::endl;'
    )
    network.run((warmup + duration) * ms)
    b.device.build(directory=folder, compile=True, run=False)
    names = {k: b.device.get_array_filename(monitor.variables[k]) for k in ("i", "t")}
    about = dict(names=names, warmup=warmup, duration=duration, n_exc=c["n_exc"], n_inh=c["n_inh"], prepare=time.perf_counter() - t0)
    with open(os.path.join(folder, "about.json"), "w") as f:
        json.dump(about, f)


def run(folder):
    with open(os.path.join(folder, "about.json")) as f:
        about = json.load(f)
    t0 = time.perf_counter()
    subprocess.run(["./main"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - t0
    with open(os.path.join(folder, "results", "last_run_info.txt")) as f:
        seconds = float(f.read().split()[0])
    path = {k: os.path.join(folder, "results", os.path.basename(v)) for k, v in about["names"].items()}
    i, t = np.fromfile(path["i"], np.int32), np.fromfile(path["t"], np.float64)
    late = i[t * 1e3 >= about["warmup"]]
    n_exc, n_inh, ms = about["n_exc"], about["n_inh"], about["duration"]
    rates = dict(exc=np.sum(late < n_exc) / n_exc / ms * 1e3)
    if n_inh:
        rates["inh"] = np.sum(late >= n_exc) / n_inh / ms * 1e3
    with open(os.path.join(folder, "results", "cpu.txt")) as f:
        cpu = float(f.read())
    print(json.dumps(dict(prepare=about["prepare"], build=wall - seconds, run=seconds, run_cpu=cpu, rates=rates)))


if sys.argv[1] == "compile":
    compile_(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:7]))
else:
    run(sys.argv[2])
