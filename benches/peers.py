#!/usr/bin/env python3
"""Times `alongside detect` beside the bare SQL that a user would write instead, and prints ratios.

    python3 benches/peers.py --bin target/release/alongside [--runs 5] [--threads 2] DAY.csv [DAY.csv ...]

Each command runs as a whole process, the two in turn, one warm-up each; figures are medians. Time is wall clock, memory the
largest resident set that the kernel saw (wait4). DuckDB is optional (`pip install duckdb`): without it only `detect` is timed.
The SQL takes each ship's first position in every 10 minutes, finds pairs within 500 m for 2 h on that grid, and does nothing else:
no cleaning, no gaps, no scores, no files.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

SQL = """
SET threads = {threads};
SET enable_progress_bar = false;
CREATE TEMP TABLE grid AS
    SELECT ship, slot, lat, lon, floor(lat / 0.005)::INTEGER AS cy, floor(lon / 0.01)::INTEGER AS cx
    FROM (SELECT "{mmsi}" AS ship, (epoch("{time}") // 600)::INTEGER AS slot, arg_min("{lat}", "{time}") AS lat, arg_min("{lon}", "{time}") AS lon
          FROM read_csv('{path}', header = true, auto_detect = false, ignore_errors = true, columns = {{{columns}}})
          GROUP BY ALL);
WITH around AS (
    SELECT ship, slot, lat, lon, cy + dy AS cy, cx + dx AS cx
    FROM grid, (VALUES (-1), (0), (1)) AS y (dy), (VALUES (-1), (0), (1)) AS x (dx)),
near AS (
    SELECT a.ship AS one, b.ship AS two, a.slot
    FROM grid a JOIN around b ON a.slot = b.slot AND a.cy = b.cy AND a.cx = b.cx AND a.ship < b.ship
    WHERE 12742000 * asin(sqrt(pow(sin(radians(b.lat - a.lat) / 2), 2)
          + cos(radians(a.lat)) * cos(radians(b.lat)) * pow(sin(radians(b.lon - a.lon) / 2), 2))) <= 500),
islands AS (SELECT one, two, slot, slot - row_number() OVER (PARTITION BY one, two ORDER BY slot) AS island FROM near)
SELECT count(*) FROM (SELECT one, two, min(slot), max(slot) FROM islands GROUP BY one, two, island HAVING count(*) >= 12);
"""


def sql_for(path, threads):
    """The SQL with the file's own column names: four typed columns, the rest as text that is never looked at."""
    with open(path, encoding="utf-8", errors="replace") as file:
        names = file.readline().strip().lstrip("\ufeff").split(",")
    kinds = {"mmsi": "INTEGER", "basedatetime": "TIMESTAMP", "base_date_time": "TIMESTAMP", "lat": "DOUBLE", "latitude": "DOUBLE", "lon": "DOUBLE", "longitude": "DOUBLE"}
    named = {}
    for name in names:
        kind = kinds.get(name.lower())
        if kind:
            named[{"basedatetime": "time", "base_date_time": "time", "latitude": "lat", "longitude": "lon"}.get(name.lower(), name.lower())] = name
    columns = ", ".join(f"'{n}': '{kinds.get(n.lower(), 'VARCHAR')}'" for n in names)
    return SQL.format(path=path.replace("'", "''"), threads=threads, columns=columns, **named)


def timed(command):
    """Seconds, peak resident bytes and output of one whole process."""
    begin = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begin
        out.seek(0)
        text = out.read().decode(errors="replace").strip()
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_maxrss * 1024, text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", default="target/release/alongside")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("days", nargs="+")
    args = parser.parse_args()
    try:
        import duckdb
    except ImportError:
        duckdb = None
        print("duckdb is not installed: only detect is timed", file=sys.stderr)
    figures = []
    for day in args.days:
        with tempfile.TemporaryDirectory() as scratch:
            commands = {"alongside detect": [args.bin, "detect", day, "-o", os.path.join(scratch, "run"), "--overwrite", "-q", "--threads", str(args.threads)]}
            if duckdb:
                script = f"import duckdb; print(duckdb.connect().execute({sql_for(day, args.threads)!r}).fetchall()[0][0])"
                commands["bare SQL (DuckDB)"] = [sys.executable, "-c", script]
            runs = {name: [] for name in commands}
            for turn in range(args.runs + 1):
                for name, command in commands.items():
                    result = timed(command)
                    if turn > 0:
                        runs[name].append(result)
        median = {n: (statistics.median(r[0] for r in rs), statistics.median(r[1] for r in rs)) for n, rs in runs.items()}
        base = median.get("bare SQL (DuckDB)")
        for name, (seconds, peak) in median.items():
            spread = (min(r[0] for r in runs[name]), max(r[0] for r in runs[name]))
            figures.append({"day": os.path.basename(day), "command": name, "seconds": round(seconds, 2), "fastest": round(spread[0], 2), "slowest": round(spread[1], 2),
                            "peak_gib": round(peak / 2**30, 2), "ratio_to_sql": round(seconds / base[0], 2) if base else None})
    if args.json:
        print(json.dumps(figures, indent=1))
        return
    print(f"{'day':<42} {'command':<20} {'median s':>9} {'min-max s':>13} {'peak GiB':>9} {'x SQL':>6}")
    for f in figures:
        ratio = "" if f["ratio_to_sql"] is None else f"{f['ratio_to_sql']:.2f}"
        span = f"{f['fastest']:.2f}-{f['slowest']:.2f}"
        print(f"{f['day']:<42} {f['command']:<20} {f['seconds']:>9.2f} {span:>13} {f['peak_gib']:>9.2f} {ratio:>6}")


if __name__ == "__main__":
    main()
