#!/usr/bin/env python3
"""Draws traffic of hard shapes, runs `alongside detect` on each as a whole process, and checks answers, time and memory.

    python3 benches/shapes.py --bin target/release/alongside [--quick] [--only NAME,...] [--scratch DIR [--draw]]

Every drawing is the same on any machine and knows what must be found in it; the checks read `manifest.json` and `events.csv`.
With --scratch the drawings stay there and are used again; --draw makes them and runs nothing. Without it they go to a temporary
folder, one shape at a time. All of it takes about twelve minutes on two cores and 12 GB of disk, --quick less than a minute. Ends with 1
when a check or a target fails.
"""
import argparse
import csv
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HEADER = "MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,Cargo,TransceiverClass\n"
HOUR = 3600
# Bytes, seconds and shares that must hold; docs/benchmarks.md says where each is from.
GIB = 1 << 30


# Running and reading.

def timed(command):
    """Wall seconds, processor seconds and peak resident bytes of one whole process."""
    begin = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begin
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        raise RuntimeError(f"{' '.join(command[:2])} ... ended with {code}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


class Run:
    """One run of `detect`: what it took, its manifest and its events."""

    def __init__(self, bench, inputs, *options):
        self.out = os.path.join(bench.runs, "run")
        shutil.rmtree(self.out, ignore_errors=True)
        command = [bench.bin, "detect", *inputs, "-o", self.out, "-q", "--threads", str(bench.threads), *options]
        self.wall, self.cpu, self.peak = timed(command)
        with open(os.path.join(self.out, "manifest.json"), encoding="utf-8") as file:
            self.manifest = json.load(file)
        self.rows = sum(i["rows"] for i in self.manifest["inputs"])
        self.duplicates = sum(i["duplicates"] for i in self.manifest["inputs"])
        self.positions = sum(i["positions"] for i in self.manifest["inputs"])
        self.found = self.manifest["events"]["rendezvous"]["found"]

    def file(self, name):
        with open(os.path.join(self.out, name), "rb") as file:
            return file.read()

    def meetings(self, ships=None):
        """Ships, start and end of every meeting in events.csv, with both ships among those named."""
        with open(os.path.join(self.out, "events.csv"), encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            return sorted(
                (r["vessel_1_mmsi"], r["vessel_2_mmsi"], r["start"], r["end"], r["duration_h"], r["confidence"]) for r in rows
                if r["kind"] == "rendezvous" and (ships is None or {int(r["vessel_1_mmsi"]), int(r["vessel_2_mmsi"])} <= ships))


# Drawing.

def clock(second):
    """A second after the begin of 2024-03-01 as the files spell it."""
    day, second = divmod(second, 86400)
    return f"2024-03-{day + 1:02d}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def says(mmsi, kind=70, length=100):
    """The columns behind a position: what a ship says of itself."""
    return f",0.1,0.0,{mmsi % 360}.0,SHIP {mmsi},,,{kind},1,{length},16,5.0,{kind},A\n"


def write(path, lines):
    """Lines to a file in large pieces."""
    with open(path, "w", encoding="ascii", buffering=1 << 22) as file:
        file.write(HEADER)
        file.writelines(lines)


def on_one_point(ships, hours, only=None):
    """Ships on one anchor point with a metre or two of noise, a fix every ten minutes; `only` keeps some of them as they are."""
    dice = random.Random(1)
    for k in range(hours * 6 + 1):
        for ship in range(ships):
            lat, lon = 28.5 + dice.randrange(-2, 3) * 1e-5, -94.5 + dice.randrange(-2, 3) * 1e-5
            if only is None or ship in only:
                yield f"{366000000 + ship},{clock(min(k * 600 + ship * 7 % 60, 86399))},{lat:.5f},{lon:.5f}{says(366000000 + ship)}"


def port(ships):
    """Berths of 45 m in quays 90 m apart; of every 4 ships one stays all day, the others come and go on even hours. Returns the rows
    and how many pairs lie within 500 m together for an hour and more."""
    lat0, lon0 = 29.7, -95.0
    north, east = 1 / 111194.93, 1 / (111194.93 * math.cos(math.radians(lat0)))
    columns = 60
    place = [(k // columns, k % columns) for k in range(ships)]
    stay = [(0, 24), (0, 10), (8, 18), (14, 24)]
    expected = 0
    # Squares of the distance in berths: nothing lies between 496 and 502 m, so no noise of a metre decides anything.
    for i, (row, column) in enumerate(place):
        for j in range(i):
            dr, dc = place[j][0] - row, place[j][1] - column
            if dc * dc + 4 * dr * dr <= 121:
                a, b = stay[i % 4], stay[j % 4]
                expected += min(a[1], b[1]) - max(a[0], b[0]) >= 2

    def rows():
        dice = random.Random(2)
        for k in range(0, 86400, 180):
            stamp = [clock(k + s) for s in range(60)]
            for ship, (row, column) in enumerate(place):
                begin, end = stay[ship % 4]
                if begin * HOUR <= k < end * HOUR:
                    lat = lat0 + row * 90 * north + dice.randrange(2) * 1e-5
                    lon = lon0 + column * 45 * east + dice.randrange(2) * 1e-5
                    yield f"{367000000 + ship},{stamp[ship * 7 % 60]},{lat:.5f},{lon:.5f}{tails[ship]}"
    tails = [says(367000000 + ship, (70, 80, 52, 31)[ship % 4]) for ship in range(ships)]
    return rows(), expected


def one_long_track(rows):
    """A ship that circles at a report a second, for days; on the first a second one drifts 100 m beside it for six hours."""
    tail, other = says(368000001), says(368000002, 80)
    for k in range(rows):
        a = k / 43200 * 2 * math.pi
        yield f"368000001,{clock(k)},{28 + 0.05 * math.sin(a):.5f},{-90 + 0.05 * math.cos(a):.5f}{tail}"
    for k in range(10 * HOUR, 16 * HOUR + 1, 60):
        a = k / 43200 * 2 * math.pi
        yield f"368000002,{clock(k)},{28.0009 + 0.05 * math.sin(a):.5f},{-90 + 0.05 * math.cos(a):.5f}{other}"


def many_short_tracks(ships):
    """Ships with ten fixes each in three hours, kilometres from any other but for 500 pairs. Pairs are the ships 2k and 2k + 1."""
    for k in range(10):
        for ship in range(ships):
            paired = ship < 1000
            cell = ship // 2 if paired else ship
            row, column = divmod(cell, 600)
            lat, lon = -40 + row * 0.05 + (0.001 if paired and ship % 2 else 0), -150 + column * 0.08 + k * 1e-5
            yield f"{200000000 + ship * 5},{clock(k * 1200 + ship % 600)},{lat:.5f},{lon:.5f}{says(ship)}"


def about_a_meridian(pairs, meridian):
    """Pairs that drift together across a meridian for some hours, the one around the other, and part. There is no land near 90 and 180
    degrees at these latitudes."""
    dice = random.Random(3)
    for pair in range(pairs):
        lat, drift, begin, hours = -13 + pair * 0.08, dice.choice((-1, 1)) * dice.uniform(0.2, 1.5), dice.randrange(0, 9), dice.randrange(2, 12)
        apart, turn = dice.uniform(0.0003, 0.003), dice.uniform(0, 6)
        for ship in range(2):
            mmsi = 370000000 + 2 * pair + ship
            for second in range(begin * HOUR, min((begin + hours) * HOUR, 86000), 240):
                at = second + ship * 61 + dice.randrange(30)
                away = ship * (apart if begin * HOUR + 1200 < at < (begin + hours) * HOUR - 1200 else 0.2)
                x = drift * 1852 / 111195 * (at - (begin + hours / 2) * HOUR) / HOUR + away * math.cos(turn + at / 9000)
                lon = (meridian + round(x, 5) + 180) % 360 - 180
                yield f"{mmsi},{clock(at)},{lat + away * math.sin(turn + at / 9000):.5f},{lon:.5f}{says(mmsi, 80, 150)}"


# The bench.

class Bench:
    """Where things are, and the table in the making."""

    def __init__(self, args):
        self.bin, self.threads, self.quick, self.draw_only, self.keep = args.bin, args.threads, args.quick, args.draw, args.scratch is not None
        self.scratch, self.runs = args.scratch, None
        self.lines, self.failed = [], []

    def drawn(self, name, lines):
        """A file of the scratch folder, drawn where it is not there yet."""
        path = os.path.join(self.scratch, name)
        if not os.path.exists(path):
            write(path + ".part", lines() if callable(lines) else lines)
            os.rename(path + ".part", path)
        return path

    def simulated_days(self, ships, days, *options):
        """The folder of simulated days."""
        folder = os.path.join(self.scratch, f"simulated-{ships}x{days}{'-'.join(options)}")
        if not os.path.exists(os.path.join(folder, "labels.csv")):
            shutil.rmtree(folder, ignore_errors=True)
            command = [self.bin, "simulate", "-o", folder, "--ships", str(ships), "--days", str(days), "--interval", "45", "--seed", "1", *options]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return os.path.join(folder, "ais")

    def simulated(self, ships, *options):
        """The file of a simulated day."""
        ais = self.simulated_days(ships, 1, *options)
        return os.path.join(ais, os.listdir(ais)[0])

    def forget(self, path):
        """Makes room on the disk."""
        if not self.keep:
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)

    def line(self, shape, run, checks, note=""):
        """A line of the table; checks are (what, whether it holds)."""
        wrong = [what for what, holds in checks if not holds]
        self.failed += [f"{shape}: {what}" for what in wrong]
        verdict = "; ".join(f"NOT {w}" for w in wrong) or "; ".join(what for what, _ in checks)
        text = f"| {shape} | {run.rows:,} | {run.wall:.2f} | {run.cpu:.2f} | {run.peak / GIB:.2f} | {run.found:,} | {verdict}{note} |"
        self.lines.append(text)
        print(text, flush=True)


def point_600(bench):
    """600 ships on one point for a day."""
    ships, hours = (200, 6) if bench.quick else (600, 24)
    path = bench.drawn(f"point-{ships}.csv", lambda: on_one_point(ships, hours))
    chosen = set(random.Random(4).sample(range(ships), 50))
    few = bench.drawn(f"point-{ships}-sample.csv", lambda: on_one_point(ships, hours, chosen))
    if bench.draw_only:
        return
    run = Run(bench, [path])
    everything = Run(bench, [path], "--min-confidence", "0", "--formats", "csv").meetings({366000000 + k for k in chosen})
    brute = sample_by_every_index(bench, few)
    bench.line(f"{ships} ships on one point, {hours} h", run, [
        ("every pair", run.found == ships * (ships - 1) // 2),
        ("under 10 s", run.wall < 10),
        ("50 of them as by brute force", brute is not None),
        # Confidence is another where thousands stand by: times must agree.
        ("the same times among all", brute is not None and [m[:5] for m in brute] == [m[:5] for m in everything] and len(brute) == 50 * 49 // 2),
    ])
    bench.forget(path)


def point_5000(bench):
    """5,000 ships on one point for three hours: 12.5 million meetings."""
    ships, hours = (1000, 2) if bench.quick else (5000, 3)
    path = bench.drawn(f"point-{ships}.csv", lambda: on_one_point(ships, hours))
    chosen = set(random.Random(5).sample(range(ships), 50))
    few = bench.drawn(f"point-{ships}-sample.csv", lambda: on_one_point(ships, hours, chosen))
    if bench.draw_only:
        return
    run = Run(bench, [path])
    brute = sample_by_every_index(bench, few)
    bench.line(f"{ships:,} ships on one point, {hours} h", run, [
        ("every pair", run.found == ships * (ships - 1) // 2),
        ("under 4 GiB", run.peak < 4 * GIB),
        ("50 of them as by brute force", brute is not None and len(brute) == 50 * 49 // 2),
    ])
    bench.forget(path)


def sample_by_every_index(bench, path):
    """The meetings of a few ships; None unless every index gives the same bytes."""
    files, meetings = [], None
    for index in ("rstar", "grid", "brute"):
        run = Run(bench, [path], "--index", index, "--min-confidence", "0")
        files.append((run.file("events.csv"), run.file("events.geojson")))
        meetings = run.meetings()
    return meetings if files[0] == files[1] == files[2] else None


def port_3000(bench):
    """A port of 3,000 ships for a day."""
    ships = 600 if bench.quick else 3000
    rows, expected = port(ships)
    path = bench.drawn(f"port-{ships}.csv", rows)
    if bench.draw_only:
        return
    run = Run(bench, [path])
    bench.line(f"port of {ships:,} ships, 24 h", run, [("the pairs that lie within 500 m", run.found == expected)])
    bench.forget(path)


def long_track(bench):
    """One ship with a million rows."""
    rows = 200_000 if bench.quick else 1_000_000
    path = bench.drawn(f"long-{rows}.csv", lambda: one_long_track(rows))
    if bench.draw_only:
        return
    run = Run(bench, [path])
    bench.line(f"one ship with {rows:,} rows", run, [("the one meeting", run.found == 1), ("every row", run.rows == rows + 361 and run.duplicates == 0)])
    bench.forget(path)


def short_tracks(bench):
    """100,000 ships with ten rows each."""
    ships = 20_000 if bench.quick else 100_000
    path = bench.drawn(f"short-{ships}.csv", lambda: many_short_tracks(ships))
    if bench.draw_only:
        return
    run = Run(bench, [path])
    bench.line(f"{ships:,} ships with ten rows each", run, [
        ("the 500 pairs", run.found == 500), ("every ship", run.manifest["vessels"] == ships), ("every row", run.rows == 10 * ships)])
    bench.forget(path)


def antimeridian(bench):
    """Everything on the antimeridian, against the same 90 degrees away."""
    pairs = 60 if bench.quick else 400
    here, there = (bench.drawn(f"meridian-{pairs}-{m}.csv", lambda: about_a_meridian(pairs, m)) for m in (180, 90))
    if bench.draw_only:
        return
    away = Run(bench, [there], "--min-confidence", "0").meetings()
    run = Run(bench, [here], "--min-confidence", "0")
    bench.line(f"{pairs} pairs across the antimeridian", run, [("the pairs", run.found == pairs), ("as 90 degrees away", run.meetings() == away)])
    bench.forget(here)
    bench.forget(there)


def repeats(bench):
    """40 million rows of which 70 % are repeats: a day of 12 million, three times over and a third of it once more."""
    day = bench.simulated(1000 if bench.quick else 10_920)
    part = os.path.join(bench.scratch, "part.csv")
    with open(day, "rb") as source, open(part, "wb") as third:
        # Whole lines, about a third of them: 1 / 0.3 copies in all.
        left = os.path.getsize(day) // 3
        while left > 0:
            left -= third.write(source.read(min(left, 1 << 24)))
        third.write(source.readline())
    if bench.draw_only:
        return
    once = Run(bench, [day])
    answers = [once.file(f) for f in ("events.csv", "events.geojson")]
    copies = [day]
    for k in (2, 3):
        copies.append(os.path.join(bench.scratch, f"copy-{k}.csv"))
        if not os.path.exists(copies[-1]):
            os.link(day, copies[-1])
    run = Run(bench, [*copies, part])
    share = run.duplicates / run.rows
    bench.line(f"a day with {share:.1%} of repeats", run, [
        ("every repeat", run.positions == once.positions),
        ("the events of the day once", [run.file(f) for f in ("events.csv", "events.geojson")] == answers),
        ("under 2 GiB", run.peak < 2 * GIB),
    ], f"; once: {once.wall:.2f} s, {once.peak / GIB:.2f} GiB")
    for path in (part, *copies[1:]):
        os.remove(path)
    bench.forget(os.path.dirname(os.path.dirname(day)))


def scaling(bench):
    """From 2.5 to 40 million rows of one day, by more ships: they share the same waters, so the meetings grow with the square."""
    sizes = [570, 1140, 2280] if bench.quick else [2280, 4560, 9100, 18_200, 36_400]
    growth(bench, "ships", [(f"simulated day, {ships:,} ships", ships, 1) for ships in sizes])


def scaling_days(bench):
    """From 2.5 to 40 million rows by more days of the same ships: the meetings grow with the rows."""
    ships, days = (570, [1, 2, 4]) if bench.quick else (2280, [1, 2, 4, 8, 20])
    growth(bench, "days", [(f"{ships:,} simulated ships, days: {n}", ships, n) for n in days])


def growth(bench, by, sizes):
    """Runs growing inputs; time must grow with an exponent of at most 1.1."""
    points = []
    for what, ships, days in sizes:
        ais = bench.simulated_days(ships, days)
        if bench.draw_only:
            continue
        # The fastest of several: what disturbs only ever slows down.
        size = ships * days
        runs = [Run(bench, [ais]) for _ in range(3 if size < 10_000 else 2 if size < 20_000 else 1)]
        run = min(runs, key=lambda r: r.cpu)
        run.wall = min(r.wall for r in runs)
        points.append((run.rows, run.wall, run.cpu))
        bench.line(what, run, [], f"{run.cpu / run.rows * 1e6:.2f} µs of processor a row")
        bench.forget(os.path.dirname(ais))
    if points:
        wall, cpu = (exponent([(p[0], p[k]) for p in points]) for k in (1, 2))
        text = f"  exponent of time over rows, by {by}: {wall:.3f} by the clock, {cpu:.3f} of processor (at most 1.1)"
        bench.lines.append(text)
        print(text, flush=True)
        if max(wall, cpu) > 1.1:
            bench.failed.append(f"growth by {by}: exponent above 1.1")


def exponent(points):
    """The slope of the straight line through the logarithms."""
    xs, ys = [math.log(p[0]) for p in points], [math.log(p[1]) for p in points]
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)


def zst(bench):
    """`.zst` costs at most 1.3 times the plain CSV or the decoder's own time, whichever is larger."""
    ships = 1140 if bench.quick else 4560
    plain, packed = bench.simulated(ships), bench.simulated(ships, "--compress", "zst")
    if bench.draw_only:
        return
    decoder = shutil.which("zstd")
    runs, decoded = {plain: [], packed: []}, []
    for _ in range(5):
        for path, list_ in runs.items():
            list_.append(Run(bench, [path]))
        if decoder:
            decoded.append(timed([decoder, "-dcq", packed])[0])
    a, b = (min(r.wall for r in runs[p]) for p in (plain, packed))
    alone = min(decoded, default=0.0)
    run = min(runs[packed], key=lambda r: r.wall)
    bench.line(f"`.zst` of {ships:,} ships", run, [("at most 1.3 times plain or the decoder alone", b <= max(1.3 * a, alone))],
               f": {b / a:.2f} times plain ({a:.2f} s)" + (f", decoder alone {alone:.2f} s" if decoder else ""))
    for path in (plain, packed):
        bench.forget(os.path.dirname(os.path.dirname(path)))


SHAPES = {f.__name__.replace("_", "-"): f for f in (point_600, point_5000, port_3000, long_track, short_tracks, antimeridian, zst, repeats, scaling, scaling_days)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", default="target/release/alongside")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="small versions")
    parser.add_argument("--only", help="names, with commas: " + ", ".join(SHAPES))
    parser.add_argument("--scratch", help="folder for the drawings, kept")
    parser.add_argument("--draw", action="store_true", help="only draw into --scratch")
    args = parser.parse_args()
    args.bin = os.path.abspath(args.bin)
    names = args.only.split(",") if args.only else list(SHAPES)
    if unknown := [n for n in names if n not in SHAPES]:
        parser.error(f"no shape {', '.join(unknown)}; there are {', '.join(SHAPES)}")
    if args.draw and not args.scratch:
        parser.error("--draw needs --scratch")
    bench = Bench(args)
    print("| shape | rows | s | processor s | peak GiB | meetings | what holds |\n|---|---:|---:|---:|---:|---:|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        bench.scratch = args.scratch or os.path.join(folder, "drawn")
        bench.runs = folder
        os.makedirs(bench.scratch, exist_ok=True)
        for name in names:
            try:
                SHAPES[name](bench)
            except RuntimeError as error:
                bench.failed.append(f"{name}: {error}")
    for what in bench.failed:
        print(f"FAILED  {what}", file=sys.stderr)
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
