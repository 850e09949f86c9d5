#!/usr/bin/env python3
"""Synfire beside NEST and Brian2: one table, made on this machine by one command.

    python3 benches/peers/run.py                        # the small networks, threads 1 and 2, medians of 3
    python3 benches/peers/run.py brunel_ai --repeats 5
    python3 benches/peers/run.py --all                  # the full microcircuit and the large networks too (12 GiB, an hour)

Makes a virtual environment in target/peers with NEST 3.10 and Brian2 2.9 from PyPI, builds Synfire, runs every simulator in turn, again and
again, and prints medians. Everything is run over warm-up and duration; rates count the duration alone."""

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import networks as net  # noqa: E402

PLACE = os.path.join(ROOT, "target", "peers")
PYTHON = os.path.join(PLACE, "venv", "bin", "python")
# Brian2 2.9 does not import with numpy 2.4.
PACKAGES = ["nest-simulator==3.10.*", "brian2==2.9.*", "numpy<2.4", "cython", "setuptools"]
SYNFIRE = os.path.join(ROOT, "target", "release", "synfire")


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def install():
    stamp = os.path.join(PLACE, "installed")
    if not os.path.exists(stamp):
        say("installing", ", ".join(PACKAGES))
        subprocess.run([sys.executable, "-m", "venv", os.path.join(PLACE, "venv")], check=True)
        subprocess.run([PYTHON, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        open(stamp, "w").close()
    say("building synfire")
    subprocess.run(["cargo", "build", "--release", "--locked", "-q"], cwd=ROOT, check=True)


def children_cpu(words, **more):
    """Runs a command; its standard output and its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, capture_output=True, text=True, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-400:] or done.stdout.strip()[-400:] or f"exit code {done.returncode}")
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def synfire(name, threads, seed, warmup, duration):
    scene, *words = net.NETWORKS[name][2]
    own = os.path.join(HERE, scene + ".toml")
    with open(own if os.path.exists(own) else os.path.join(ROOT, "scenes", scene + ".toml")) as f:
        text = f.read()
    with tempfile.TemporaryDirectory() as folder:

        def run(warmup, duration):
            path = os.path.join(folder, scene + ".toml")
            written, count = re.subn(r'(?m)^warmup = ".*"', f'warmup = "{warmup} ms"', text)
            if count == 0:
                written = re.sub(r"(?m)^\[run\]", f'[run]\nwarmup = "{warmup} ms"', text)
            with open(path, "w") as f:
                f.write(written)
            command = [SYNFIRE, "run", path, *words, "--duration", f"{duration} ms", "--seed", str(seed), "--threads", str(threads)]
            out, cpu = children_cpu([*command, "--backend", "cpu", "--json", "--force", "--out", os.path.join(folder, "out")])
            return json.loads(out), cpu

        # What a run of one step takes is all but the stepping.
        idle = run(0, net.DT)[1]
        report, cpu = run(warmup, duration)
    rates = {p["name"]: p["rate_Hz"] for p in report["populations"]}
    return dict(prepare=0.0, build=report["build_s"], run=report["simulation_s"], run_cpu=cpu - idle, rates=rates)


def nest(name, threads, seed, warmup, duration):
    words = [PYTHON, os.path.join(HERE, "with_nest.py"), name, str(warmup), str(duration), str(threads), str(seed)]
    # NEST's OpenMP threads spin; without a binding they disturb each other less on a busy machine.
    out, _ = children_cpu(words, env=dict(os.environ, PYNEST_QUIET="1"))
    return json.loads(out.strip().splitlines()[-1])


def brian2(name, threads, seed, warmup, duration):
    folder = os.path.join(PLACE, f"brian2_{name}_{warmup}_{duration}_{threads}")
    script = os.path.join(HERE, "with_brian2.py")
    if not os.path.exists(os.path.join(folder, "about.json")):
        shutil.rmtree(folder, ignore_errors=True)
        children_cpu([PYTHON, script, "compile", folder, name, str(warmup), str(duration), str(threads)])
    out, _ = children_cpu([PYTHON, script, "run", folder])
    return json.loads(out.strip().splitlines()[-1])


SIMULATORS = dict(synfire=synfire, nest=nest, brian2=brian2)


def measure(names, simulators, threads, repeats, scale):
    """Every measurement once, then every one again: what disturbs the machine disturbs all."""
    jobs = []
    for name in names:
        warmup, duration, _, peers = net.NETWORKS[name]
        warmup, duration = round(warmup * scale), max(round(duration * scale), 1)
        who = [s for s in simulators if s == "synfire" or s in peers]
        jobs += [(name, who_, t, warmup, duration) for who_ in who for t in threads]
    results = {job: [] for job in jobs}
    failed = {}
    for seed in range(1, repeats + 1):
        for job in jobs:
            name, who, t, warmup, duration = job
            if job in failed:
                continue
            try:
                result = SIMULATORS[who](name, t, seed, warmup, duration)
                results[job].append(result)
                say(f"{name} {who} {t} thread(s), {seed} of {repeats}: built {result['build']:.2f} s, run {result['run']:.2f} s")
            except (RuntimeError, OSError, ValueError) as e:
                failed[job] = str(e).strip().splitlines()[-1] if str(e).strip() else repr(e)
                say(f"{name} {who} {t} thread(s): FAILED: {failed[job]}")
    return results, failed


def table(results, failed):
    print("| network | simulator | threads | compile s | build s | run s | s per s | CPU s per s | rates Hz |")
    print("|---|---|---|---|---|---|---|---|---|")
    for job, runs in results.items():
        name, who, threads, warmup, duration = job
        if job in failed or not runs:
            print(f"| {name} | {who} | {threads} | failed: {failed.get(job, 'no run')} | | | | | |")
            continue
        life = (warmup + duration) * 1e-3
        median = lambda key: statistics.median(r[key] for r in runs)
        rates = " ".join(f"{statistics.mean(r['rates'][k] or 0.0 for r in runs):.2f}" for k in runs[0]["rates"])
        print(
            f"| {name} | {who} | {threads} | {median('prepare'):.1f} | {median('build'):.2f} | {median('run'):.2f} "
            f"| {median('run') / life:.3f} | {median('run_cpu') / life:.3f} | {rates} |"
        )
    print()
    for name in dict.fromkeys(job[0] for job in results):
        best = {}
        for job, runs in results.items():
            if job[0] == name and runs:
                best[job[1]] = min(best.get(job[1], float("inf")), statistics.median(r["run"] for r in runs))
        if "synfire" in best:
            said = [f"{s / best['synfire']:.1f}x {who}" for who, s in best.items() if who != "synfire"]
            print(f"{name}: {', '.join(said) or 'no peer'} (best setting of each)")


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("networks", nargs="*", help=f"of {', '.join(net.NETWORKS)}; default: {', '.join(net.USUAL)}")
    words.add_argument("--all", action="store_true", help="every network")
    words.add_argument("--repeats", type=int, default=3)
    words.add_argument("--threads", default="1,2", help="as in 1,2")
    words.add_argument("--only", default="synfire,nest,brian2", help="simulators, as in synfire,nest")
    words.add_argument("--scale", type=float, default=1.0, help="factor on warm-up and duration, for a quick look")
    words.add_argument("--json", help="write every single measurement to this file")
    args = words.parse_args()
    names = list(net.NETWORKS) if args.all else args.networks or net.USUAL
    unknown = [n for n in names if n not in net.NETWORKS]
    if unknown:
        words.error(f"no network {', '.join(unknown)}: there are {', '.join(net.NETWORKS)}")
    install()
    threads = [int(t) for t in args.threads.split(",")]
    results, failed = measure(names, args.only.split(","), threads, args.repeats, args.scale)
    table(results, failed)
    if args.json:
        with open(args.json, "w") as f:
            json.dump([dict(network=j[0], simulator=j[1], threads=j[2], warmup_ms=j[3], duration_ms=j[4], runs=r) for j, r in results.items()], f, indent=1)
    return 1 if failed else 0


sys.exit(main())
