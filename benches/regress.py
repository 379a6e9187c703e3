#!/usr/bin/env python3
"""Says what became slower since the last landing.

    python3 benches/regress.py --bin target/release/alongside [--keep] [--turns 7]

Runs a small fixed set of inputs and compares with `benches/last.json`; ends with 1 when something takes more than 1.15 times what
it took there, by processor time, by the clock or in memory. --keep writes the file anew: do it when a change that is meant to cost
or save time lands.

Times are ratios to a calibration loop, run before and after every measurement: SHA-256, deflate and inflate of fixed bytes, on as
many threads as `detect` gets. All three are compiled code inside Python (hashlib and zlib, which let threads run side by side), so
that neither this script's interpreter nor a slow minute of a shared machine counts as a change of ours. Another processor or zlib
changes the ratios: then the file is only a hint, and the script says so. What one measurement differs from the next is taken from the
turns themselves (their median deviation) and added to the 1.15 where it is more; while it is, the set is run again, up to three times
as often.
"""
import argparse
import hashlib
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import threading
import time
import zlib

sys.dont_write_bytecode = True
import shapes

HERE = os.path.dirname(os.path.abspath(__file__))
LAST = os.path.join(HERE, "last.json")
SLOWER = 1.15


def calibrator(threads):
    """A function that does the same work every time and says how long it took: (by the clock, of processor)."""
    dice = random.Random(0)
    text = "".join(f"{dice.randrange(10**9)},{dice.random():.5f},{dice.random():.5f},A\n" for _ in range(150_000)).encode()
    block = bytes(range(256)) * 4096

    def work():
        digest = hashlib.sha256()
        for _ in range(160):
            digest.update(block)
        zlib.decompress(zlib.compress(text, 4))

    def once():
        wall, cpu = time.perf_counter(), time.process_time()
        crew = [threading.Thread(target=work) for _ in range(threads)]
        for one in crew:
            one.start()
        for one in crew:
            one.join()
        return time.perf_counter() - wall, time.process_time() - cpu

    once()
    return once


def inputs(bench):
    """The fixed set: name, inputs, options."""
    fixture = os.path.join(HERE, "..", "fixtures", "two-days")
    port, _ = shapes.port(600)
    return [
        ("fixture, two days", [fixture], []),
        ("simulated day, 1.3 million rows", [bench.simulated(1140)], []),
        ("the same as .zst", [bench.simulated(1140, "--compress", "zst")], []),
        ("the same, all events written", [bench.simulated(1140)], ["--min-confidence", "0"]),
        ("1,000 ships on one point, 2 h", [bench.drawn("point.csv", lambda: shapes.on_one_point(1000, 2))], []),
        ("port of 600 ships, 24 h", [bench.drawn("port.csv", port)], []),
        ("one ship with 500,000 rows", [bench.drawn("long.csv", lambda: shapes.one_long_track(500_000))], []),
        ("20,000 ships with ten rows each", [bench.drawn("short.csv", lambda: shapes.many_short_tracks(20_000))], []),
    ]


def machine():
    """What decides how long the calibration takes."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), model)
    except OSError:
        pass
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version(), "zlib": zlib.ZLIB_RUNTIME_VERSION}


def deviation(values):
    """Median deviation from the median, as a share of it."""
    middle = statistics.median(values)
    return statistics.median(abs(v - middle) for v in values) / middle


def measure(bench, calibrate, turns):
    """Of every input the ratios of every turn. Noisy ones go on."""
    set_ = inputs(bench)
    ratios = {name: {"processor": [], "clock": [], "MiB": []} for name, *_ in set_}
    for name, files, options in set_:
        shapes.Run(bench, files, *options)
    for turn in range(3 * turns):
        for name, files, options in set_:
            mine = ratios[name]
            if turn >= turns and max(noise(mine, k) for k in ("processor", "clock")) <= SLOWER - 1:
                continue
            before = calibrate()
            run = shapes.Run(bench, files, *options)
            after = calibrate()
            mine["clock"].append(run.wall / ((before[0] + after[0]) / 2))
            mine["processor"].append(run.cpu / ((before[1] + after[1]) / 2))
            mine["MiB"].append(run.peak / (1 << 20))
    return ratios


def noise(figures, what):
    """How far a median of so many turns may be off: three standard errors, the deviation being two thirds of a standard deviation."""
    values = figures[what]
    return 3 * 1.48 * 1.25 * deviation(values) / len(values) ** 0.5


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", default="target/release/alongside")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--keep", action="store_true", help="write benches/last.json anew")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = shapes.Bench(argparse.Namespace(bin=os.path.abspath(args.bin), threads=args.threads, quick=True, draw=False, scratch=folder))
        bench.runs = os.path.join(folder, "runs")
        os.makedirs(bench.runs)
        ratios = measure(bench, calibrator(args.threads), args.turns)
    now = {name: {k: {"median": round(statistics.median(v), 3), "noise": round(noise(f, k), 3)} for k, v in f.items()} for name, f in ratios.items()}
    last = {}
    if os.path.exists(LAST):
        with open(LAST, encoding="utf-8") as file:
            last = json.load(file)
    if last and last["machine"] != machine():
        print(f"benches/last.json is from another machine ({last['machine']}): take what follows as a hint", file=sys.stderr)
    slower = []
    print(f"{'input':<36} {'':>10} {'now':>8} {'last':>8} {'ratio':>6} {'limit':>6}")
    for name, figures in now.items():
        for what, figure in figures.items():
            kept = last.get("inputs", {}).get(name, {}).get(what)
            if kept is None:
                print(f"{name:<36} {what:>10} {figure['median']:>8.3f} {'new':>8}")
                continue
            limit = max(SLOWER, 1 + figure["noise"] + kept["noise"])
            ratio = figure["median"] / kept["median"]
            verdict = "  SLOWER" if ratio > limit and what != "MiB" else "  MORE MEMORY" if ratio > limit else "  faster" if ratio < 2 - limit else ""
            slower += [f"{name}: {what} {ratio:.2f} times"] if ratio > limit else []
            print(f"{name:<36} {what:>10} {figure['median']:>8.3f} {kept['median']:>8.3f} {ratio:>6.2f} {limit:>6.2f}{verdict}")
    gone = set(last.get("inputs", {})) - set(now)
    if gone:
        print(f"no longer measured: {', '.join(sorted(gone))}")
    if args.keep:
        with open(LAST, "w", encoding="utf-8") as file:
            json.dump({"machine": machine(), "unit": "times the calibration loop of benches/regress.py; memory in MiB", "inputs": now}, file, indent=1)
            file.write("\n")
        print("kept in benches/last.json")
        return 0
    if not last:
        print("benches/last.json is not there: --keep makes it", file=sys.stderr)
        return 1
    print(f"\n{len(slower)} slower" if slower else "\nnothing became slower")
    for line in slower:
        print(f"  {line}")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
