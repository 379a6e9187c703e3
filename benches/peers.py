#!/usr/bin/env python3
"""Times `alongside detect` beside what a user would write instead, and checks that they find the same ships together.

    pip install duckdb polars pyarrow scipy scikit-learn
    python3 benches/peers.py --bin target/release/alongside [--runs 3] [--threads 2] [--json FILE] [--chart FILE.svg] DAY.csv [DAY.csv ...]

Peers: SQL in DuckDB, polars (in memory and streaming), and Python with a k-d tree (scipy), and with a ball tree (scikit-learn) if `--peers` names
it, both reading with pyarrow; each from CSV and from Parquet, which this script writes from the CSV with DuckDB before the clock starts. What is
not installed is left out. Every command runs as a whole process, all of them in turn, one warm-up each; figures are medians. Time is wall clock, memory
the largest resident set that the kernel saw (wait4).

All peers compute the same: each ship's first position in every 10 minutes (of several in that second the southernmost, then the westernmost;
to 1e-5 degree), pairs within 500 m, for 12 such slots on end; and nothing else: no cleaning, no gaps, no scores, no files. The script ends with
an error unless their runs are equal to the last one.

`detect --preset gfw` has another definition (entry and exit to the second, below 2 kn, pieces merged over 4 h), so pairs differ, and the script
counts why. Where both definitions must say yes it ends with an error below a share of FLOOR: see `agreement`.
"""
import argparse
import csv
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

R = 6_371_000.0
NEAR_M = 500.0
SLOT_S = 600
SLOTS = 12
# Rows and columns of the grid of SQL and polars: at least 500 m to 72 degrees north or south.
CELL_LAT, CELL_LON = 0.005, 0.015
# Columns around the globe: the last has the first beside it.
COLUMNS = 24_000
# Least share of the cases in which both definitions must say yes. Measured: see docs/benchmarks.md.
FLOOR = 0.998

KINDS = {"mmsi": "ship", "basedatetime": "time", "base_date_time": "time", "lat": "lat", "latitude": "lat", "lon": "lon", "longitude": "lon"}


def header(path):
    """The file's own names, and those of ship, time, lat and lon."""
    with open(path, encoding="utf-8", errors="replace") as file:
        names = file.readline().strip().lstrip("\ufeff").split(",")
    return names, {KINDS[n.lower()]: n for n in names if n.lower() in KINDS}


# ---- The peers. Each writes one line a run: lower MMSI, higher MMSI, first slot, last slot.

SOURCE = "read_csv('{path}', header = true, auto_detect = false, quote = '', ignore_errors = true, columns = {{{columns}}})"
SQL = """
CREATE TEMP TABLE grid AS
    SELECT ship, slot, ((k >> 26) & 33554431) / 1e5 - 90 AS lat, (k & 67108863) / 1e5 - 180 AS lon,
           floor(((k >> 26) & 33554431) / 1e5 / {cell_lat})::INTEGER AS cy, floor((k & 67108863) / 1e5 / {cell_lon})::INTEGER % {columns} AS cx
    FROM (SELECT "{ship}" AS ship, (epoch_ms("{time}") // 600000)::INTEGER AS slot,
                 min((((epoch_ms("{time}") // 1000) % 600) << 51) | (floor(("{lat}" + 90) * 1e5 + 0.5)::BIGINT << 26) | floor(("{lon}" + 180) * 1e5 + 0.5)::BIGINT) AS k
          FROM {source} WHERE "{ship}" IS NOT NULL AND "{time}" IS NOT NULL AND abs("{lat}") <= 90 AND abs("{lon}") <= 180
          GROUP BY ALL);
COPY (
    WITH around AS (
        SELECT ship, slot, lat, lon, cy + dy AS cy, (cx + dx + {columns}) % {columns} AS cx, dy = 0 AND dx = 0 AS here
        FROM grid, (VALUES (0, 0), (0, 1), (1, -1), (1, 0), (1, 1)) AS d (dy, dx)),
    near AS (
        SELECT least(a.ship, b.ship) AS one, greatest(a.ship, b.ship) AS two, a.slot
        FROM grid a JOIN around b ON a.slot = b.slot AND a.cy = b.cy AND a.cx = b.cx
        WHERE (NOT b.here OR a.ship < b.ship)
          AND 12742000 * asin(sqrt(pow(sin(radians(b.lat - a.lat) / 2), 2)
              + cos(radians(a.lat)) * cos(radians(b.lat)) * pow(sin(radians(b.lon - a.lon) / 2), 2))) <= 500),
    islands AS (SELECT one, two, slot, slot - row_number() OVER (PARTITION BY one, two ORDER BY slot) AS island FROM near)
    SELECT one, two, min(slot), max(slot) FROM islands GROUP BY one, two, island HAVING count(*) >= 12
) TO '{out}' (HEADER false);
"""


def duckdb_source(path):
    """What stands after FROM: four typed columns, the rest as text that is never looked at."""
    quoted = path.replace("'", "''")
    if path.endswith(".parquet"):
        return f"read_parquet('{quoted}')"
    types = {"ship": "INTEGER", "time": "TIMESTAMP", "lat": "DOUBLE", "lon": "DOUBLE"}
    names, _ = header(path)
    columns = ", ".join(f"'{n}': '{types.get(KINDS.get(n.lower()), 'VARCHAR')}'" for n in names)
    return SOURCE.format(path=quoted, columns=columns)


def peer_duckdb(path, named, out, threads):
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET threads = {threads}; SET enable_progress_bar = false; SET preserve_insertion_order = false;")
    con.execute(SQL.format(source=duckdb_source(path), out=out, cell_lat=CELL_LAT, cell_lon=CELL_LON, columns=COLUMNS, **named))


def polars_rows(path, named):
    """The four columns, lazily, the time parsed."""
    import polars as pl

    if path.endswith(".parquet"):
        return pl.scan_parquet(path).select(ship=named["ship"], time=pl.col(named["time"]).cast(pl.Datetime("ms")), lat=named["lat"], lon=named["lon"])
    types = {named["ship"]: pl.Int32, named["time"]: pl.String, named["lat"]: pl.Float64, named["lon"]: pl.Float64}
    rows = pl.scan_csv(path, schema_overrides=types, quote_char=None, ignore_errors=True, infer_schema=False)
    # With its format given this is five times faster than a Datetime column of the reader.
    time_ms = pl.col(named["time"]).str.to_datetime(time_form(named), strict=False, time_unit="ms")
    return rows.select(ship=named["ship"], time=time_ms, lat=named["lat"], lon=named["lon"])


def time_form(named):
    """The legacy layout writes a T between date and time, the renamed one a space."""
    return "%Y-%m-%d %H:%M:%S" if "_" in named["time"] else "%Y-%m-%dT%H:%M:%S"


def polars_runs(path, named, out, engine):
    import polars as pl

    c = pl.col
    e5 = lambda col, add: ((c(col) + add) * 1e5 + 0.5).floor().cast(pl.Int64)
    seconds = c("time").dt.timestamp("ms") // 1000
    grid = (
        polars_rows(path, named)
        .filter(c("ship").is_not_null() & c("time").is_not_null() & (c("lat").abs() <= 90) & (c("lon").abs() <= 180))
        .select("ship", slot=(seconds // SLOT_S).cast(pl.Int32), k=(seconds % SLOT_S) * 2**51 + e5("lat", 90.0) * 2**26 + e5("lon", 180.0))
        .group_by("ship", "slot")
        .agg(c("k").min())
        .select("ship", "slot", y=(c("k") // 2**26) % 2**25 / 1e5, x=c("k") % 2**26 / 1e5)
        .with_columns(lat=c("y") - 90, lon=c("x") - 180, cy=(c("y") / CELL_LAT).floor().cast(pl.Int32), cx=(c("x") / CELL_LON).floor().cast(pl.Int32) % COLUMNS)
        .drop("x", "y")
        .collect(engine=engine)
        .lazy()
    )
    half = lambda a, b: ((c(a) - c(b)).radians() / 2).sin().pow(2)
    metres = 2 * R * (half("lat_right", "lat") + c("lat").radians().cos() * c("lat_right").radians().cos() * half("lon_right", "lon")).sqrt().arcsin()
    near = pl.concat(
        grid.join(grid.with_columns(cy=c("cy") + dy, cx=(c("cx") + dx) % COLUMNS), on=["slot", "cy", "cx"])
        .filter((c("ship") < c("ship_right")) if (dy, dx) == (0, 0) else pl.lit(True))
        .filter(metres <= NEAR_M)
        .select("slot", one=pl.min_horizontal("ship", "ship_right"), two=pl.max_horizontal("ship", "ship_right"))
        for dy, dx in [(0, 0), (0, 1), (1, -1), (1, 0), (1, 1)]
    )
    new = (c("one") != c("one").shift()) | (c("two") != c("two").shift()) | (c("slot") != c("slot").shift() + 1)
    runs = (
        near.sort("one", "two", "slot")
        .with_columns(run=new.fill_null(True).cum_sum())
        .group_by("run")
        .agg(c("one").first(), c("two").first(), first=c("slot").min(), last=c("slot").max())
        .filter(c("last") - c("first") + 1 >= SLOTS)
        .select("one", "two", "first", "last")
    )
    runs.collect(engine=engine).write_csv(out, include_header=False)


def peer_polars(path, named, out, threads):
    polars_runs(path, named, out, "in-memory")


def peer_polars_streaming(path, named, out, threads):
    polars_runs(path, named, out, "streaming")


def arrow_rows(path, named, threads):
    """Ship, time in seconds, lat, lon as numpy arrays, by pyarrow."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import compute as pc, csv as pa_csv, parquet as pq

    pa.set_cpu_count(threads)
    order = [named[k] for k in ("ship", "time", "lat", "lon")]
    if path.endswith(".parquet"):
        table = pq.read_table(path, columns=order)
    else:
        parse = pa_csv.ParseOptions(quote_char=False, invalid_row_handler=lambda row: "skip")
        read = lambda types: pa_csv.read_csv(path, parse_options=parse, convert_options=pa_csv.ConvertOptions(column_types=dict(zip(order, types)), include_columns=order))
        try:
            table = read([pa.int64(), pa.timestamp("s"), pa.float64(), pa.float64()])
        except pa.ArrowInvalid:
            # A cell that is none: as text then, and without the rows that cannot be cast.
            table = read([pa.string()] * 4)
            for name, form in zip(order, [r"^\d{1,9}$", ".", r"^-?\d+(\.\d+)?$", r"^-?\d+(\.\d+)?$"]):
                table = table.filter(pc.match_substring_regex(table.column(name), form))
            times = pc.strptime(table.column(order[1]), format=time_form(named), unit="s", error_is_null=True)
            table = table.set_column(table.column_names.index(order[1]), order[1], times)
    ship, when, lat, lon = (table.column(n) for n in order)
    rows = [ship.cast(pa.int64()), when.cast(pa.timestamp("s"), safe=False).cast(pa.int64()), lat.cast(pa.float64()), lon.cast(pa.float64())]
    keep = None
    if any(column.null_count for column in rows):
        keep = np.logical_and.reduce([column.is_valid().to_numpy() for column in rows])
    rows = [column.fill_null(0).to_numpy() for column in rows]
    good = (np.abs(rows[2]) <= 90) & (np.abs(rows[3]) <= 180)
    keep = good if keep is None else keep & good
    return rows if keep.all() else [column[keep] for column in rows]


def arrow_grid(path, named, threads):
    """The first position of every ship in every slot, by slot: ship, slot, second in it, lat, lon."""
    import numpy as np
    import pyarrow as pa

    ship, when, lat, lon = arrow_rows(path, named, threads)
    slot, second = when // SLOT_S, when % SLOT_S
    key = (second << 51) | (np.floor((lat + 90) * 1e5 + 0.5).astype(np.int64) << 26) | np.floor((lon + 180) * 1e5 + 0.5).astype(np.int64)
    table = pa.table({"who": (slot << 31) | ship, "key": key})
    del ship, when, lat, lon, slot, second, key
    table = table.group_by("who").aggregate([("key", "min")])
    who, key = table.column("who").to_numpy(), table.column("key_min").to_numpy()
    order = np.argsort(who)
    who, key = who[order], key[order]
    return who & 0x7FFFFFFF, who >> 31, key >> 51, ((key >> 26) & 0x1FFFFFF) / 1e5 - 90, (key & 0x3FFFFFF) / 1e5 - 180


def slots_of(slot):
    """Where each slot's rows begin and end."""
    import numpy as np

    cuts = np.flatnonzero(np.diff(slot)) + 1
    return zip(np.concatenate([[0], cuts]).tolist(), np.concatenate([cuts, [len(slot)]]).tolist())


def pairs_kdtree(slot, lat, lon):
    """Pairs of rows of one slot within 500 m: chords in Earth-centred metres."""
    import numpy as np
    from scipy.spatial import cKDTree

    y, x = np.radians(lat), np.radians(lon)
    points = R * np.column_stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])
    chord = 2 * R * np.sin(NEAR_M / (2 * R))
    return np.concatenate([cKDTree(points[i:j]).query_pairs(chord, output_type="ndarray") + i for i, j in slots_of(slot)])


def pairs_balltree(slot, lat, lon):
    import numpy as np
    from sklearn.neighbors import BallTree

    points = np.radians(np.column_stack([lat, lon]))
    found = []
    for i, j in slots_of(slot):
        near = BallTree(points[i:j], metric="haversine").query_radius(points[i:j], NEAR_M / R)
        a, b = np.repeat(np.arange(i, j), [len(n) for n in near]), np.concatenate(near) + i
        found.append(np.column_stack([a, b])[a < b])
    return np.concatenate(found)


def runs_of(ship, slot, pairs):
    """Near pairs in order of pair and slot, and where their runs of consecutive slots begin and end."""
    import numpy as np

    a, b = pairs[:, 0], pairs[:, 1]
    a, b = np.where(ship[a] < ship[b], a, b), np.where(ship[a] < ship[b], b, a)
    order = np.lexsort([slot[a], ship[b], ship[a]])
    a, b = a[order], b[order]
    one, two, when = ship[a], ship[b], slot[a]
    cuts = np.flatnonzero((one[1:] != one[:-1]) | (two[1:] != two[:-1]) | (when[1:] != when[:-1] + 1)) + 1
    begin, end = np.concatenate([[0], cuts]), np.concatenate([cuts, [len(a)]])
    return a, b, begin, end


def tree_runs(path, named, out, threads, search):
    import numpy as np

    ship, slot, _, lat, lon = arrow_grid(path, named, threads)
    a, b, begin, end = runs_of(ship, slot, search(slot, lat, lon))
    begin, last = begin[end - begin >= SLOTS], end[end - begin >= SLOTS] - 1
    np.savetxt(out, np.column_stack([ship[a[begin]], ship[b[begin]], slot[a[begin]], slot[a[last]]]), fmt="%d", delimiter=",")


def peer_kdtree(path, named, out, threads):
    tree_runs(path, named, out, threads, pairs_kdtree)


def peer_balltree(path, named, out, threads):
    tree_runs(path, named, out, threads, pairs_balltree)


PEERS = {
    "duckdb": ("SQL (DuckDB)", ["duckdb"], peer_duckdb),
    "polars": ("polars", ["polars"], peer_polars),
    "polars-streaming": ("polars, streaming", ["polars"], peer_polars_streaming),
    "kdtree": ("Python, k-d tree (scipy)", ["scipy", "pyarrow"], peer_kdtree),
    "balltree": ("Python, ball tree (scikit-learn)", ["sklearn", "pyarrow"], peer_balltree),
}
# Ten times slower than the others: measured when named.
ON_REQUEST = {"balltree"}


# ---- Reading alone: every column typed, the time parsed, into memory.


def typed(names):
    """All columns of the layout by kind, as `detect` reads them."""
    text = {"vesselname", "vessel_name", "imo", "callsign", "call_sign", "transceiverclass", "transceiver"}
    kind = lambda name: KINDS.get(name) or ("text" if name in text else "number")
    return {n: kind(n.lower()) for n in names}


def read_polars(path, named, threads):
    import polars as pl

    names, _ = header(path)
    types = {"ship": pl.Int32, "number": pl.Float32, "lat": pl.Float64, "lon": pl.Float64}
    schema = {n: types.get(kind, pl.String) for n, kind in typed(names).items()}
    when = pl.col(named["time"]).str.to_datetime(time_form(named), strict=False, time_unit="ms")
    rows = pl.scan_csv(path, schema=schema, quote_char=None, ignore_errors=True).with_columns(when)
    return min(timed_call(lambda: rows.collect(engine=engine)) for engine in ("streaming", "in-memory"))


def read_duckdb(path, named, threads):
    import duckdb

    names, _ = header(path)
    types = {"ship": "INTEGER", "number": "FLOAT", "lat": "DOUBLE", "lon": "DOUBLE", "time": "TIMESTAMP"}
    columns = ", ".join(f"'{n}': '{types.get(kind, 'VARCHAR')}'" for n, kind in typed(names).items())
    con = duckdb.connect()
    con.execute(f"SET threads = {threads}; SET enable_progress_bar = false; SET preserve_insertion_order = false;")
    source = SOURCE.format(path=path.replace("'", "''"), columns=columns)
    return timed_call(lambda: con.execute(f"CREATE TEMP TABLE rows AS SELECT * FROM {source}"))


def read_pyarrow(path, named, threads):
    import pyarrow as pa
    from pyarrow import csv as pa_csv

    pa.set_cpu_count(threads)
    names, _ = header(path)
    types = {"ship": pa.int32(), "number": pa.float32(), "lat": pa.float64(), "lon": pa.float64(), "time": pa.timestamp("s")}
    schema = {n: types.get(kind, pa.string()) for n, kind in typed(names).items()}
    parse = pa_csv.ParseOptions(quote_char=False, invalid_row_handler=lambda row: "skip")
    try:
        return timed_call(lambda: pa_csv.read_csv(path, parse_options=parse, convert_options=pa_csv.ConvertOptions(column_types=schema)))
    except pa.ArrowInvalid:
        # One cell that cannot be read, and it refuses the file.
        return None


def timed_call(work):
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


READERS = {"polars": ("polars", ["polars"], read_polars), "duckdb": ("DuckDB", ["duckdb"], read_duckdb), "pyarrow": ("pyarrow", ["pyarrow"], read_pyarrow)}


# ---- Whole processes.


def installed(modules):
    import importlib.util

    return all(importlib.util.find_spec(m) for m in modules)


def timed(command, threads):
    """Seconds, peak resident bytes and output of one whole process."""
    env = dict(os.environ, POLARS_MAX_THREADS=str(threads), OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
    begin = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out, env=env)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begin
        out.seek(0)
        text = out.read().decode(errors="replace").strip()
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_maxrss * 1024, text


def child(args):
    path = args.days[0]
    named = json.loads(args.named)
    if args.child == "parquet":
        import duckdb

        duckdb.execute(f"COPY (SELECT * FROM {duckdb_source(path)}) TO '{args.out}' (FORMAT parquet, COMPRESSION zstd)")
    elif args.child == "agreement":
        print(json.dumps(agreement(args, path, named)))
    elif args.child.startswith("read-"):
        print(json.dumps(READERS[args.child[5:]][2](path, named, args.threads)))
    else:
        PEERS[args.child][2](path, named, args.out, args.threads)


OURS = ("detect", "gfw")


def detect(args, day, out, *more):
    return [args.bin, "detect", day, "-o", out, "--overwrite", "-q", "--threads", str(args.threads), *more]


def measure(args, day, scratch):
    """One day: every command in turn, round after round. Figures, reading, the peers' runs, and how they agree with ours."""
    _, named = header(day)
    # Nothing large happens in this process: a child is charged with what its parent held when it was born.
    me = [sys.executable, os.path.abspath(__file__), "--bin", args.bin, "--threads", str(args.threads), "--named", json.dumps(named)]
    parquet = None
    if installed(["duckdb"]):
        parquet = os.path.join(scratch, "day.parquet")
        timed([*me, "--child", "parquet", "--out", parquet, day], args.threads)
    run = os.path.join(scratch, "run")
    out = lambda key, form: os.path.join(scratch, f"{key}.{form}.csv")
    # (key, form) to title and command.
    commands = {("detect", "csv"): ("alongside detect", detect(args, day, run)), ("gfw", "csv"): ("alongside detect --preset gfw", detect(args, day, run + "-gfw", "--preset", "gfw"))}
    if parquet:
        commands["detect", "parquet"] = ("alongside detect", detect(args, parquet, run + "-parquet"))
    for key, (title, modules, _) in PEERS.items():
        if key not in args.peers if args.peers else key in ON_REQUEST:
            continue
        if not installed(modules):
            print(f"{title} is not installed: left out", file=sys.stderr)
            continue
        for form, path in (("csv", day), ("parquet", parquet)):
            if path:
                commands[key, form] = (title, [*me, "--child", key, "--out", out(key, form), path])
    for key, (title, modules, _) in READERS.items():
        if installed(modules) and not args.no_reading:
            commands["read-" + key, "csv"] = (title, [*me, "--child", "read-" + key, day])
    results = {k: [] for k in commands}
    reads = {k: [] for k in commands}
    for turn in range(args.runs + 1):
        for k, (_, command) in commands.items():
            seconds, peak, text = timed(command, args.threads)
            if k[0] in OURS:
                folder = run + {("detect", "csv"): "", ("gfw", "csv"): "-gfw", ("detect", "parquet"): "-parquet"}[k]
                with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
                    text = json.load(file)["timings_ms"]["read"] / 1000
            if turn > 0:
                results[k].append((seconds, peak))
                reads[k].append(json.loads(text) if k[0].startswith("read-") else text)
    base = statistics.median(s for s, _ in results["detect", "csv"])
    figures, reading = [], []
    for (key, form), (title, _) in commands.items():
        seconds, peak = [s for s, _ in results[key, form]], statistics.median(p for _, p in results[key, form])
        if not key.startswith("read-"):
            figures.append({"key": key, "command": title, "input": form, "seconds": round(statistics.median(seconds), 2), "fastest": round(min(seconds), 2), "slowest": round(max(seconds), 2),
                            "ratio_to_detect": round(statistics.median(seconds) / base, 2), "peak_gib": round(peak / 2**30, 2)})
        if (key, form) == ("detect", "csv") or key.startswith("read-"):
            if None in reads[key, form]:
                print(f"{title}: cannot read {day} with typed columns", file=sys.stderr)
                continue
            alone = statistics.median(reads[key, form])
            reading.append({"command": "alongside: read, with SHA-256, grouping by ship and order" if key == "detect" else title, "seconds": round(alone, 2), "mb_per_s": round(os.path.getsize(day) / 1e6 / alone)})
    runs = {}
    for key, form in commands:
        if key in PEERS:
            with open(out(key, form), encoding="utf-8") as file:
                lines = sorted(line.strip() for line in file)
            runs[f"{PEERS[key][0]}, {form}"] = (len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest())
    agree, found = None, next((out(*k) for k in commands if k[0] in PEERS), None)
    if found and installed(["scipy", "pyarrow"]):
        agree = json.loads(timed([*me, "--child", "agreement", "--out", found, day], args.threads)[2])
    return figures, reading, runs, agree


# ---- Whether they agree.


def agreement(args, day, named):
    """Pairs of the peers beside those of `detect --preset gfw --min-confidence 0`, with reasons, and the two checks.

    Both must say yes where a run's first positions are all within 400 m, no ship was faster than 1.5 kn between two of them, the exact times span
    2 h, and both numbers are those of ships; and, the other way, where a meeting lasted 2.5 h at a median below 400 m with nine tenths observed, and
    both ships sent in every slot of it.
    """
    import numpy as np

    ours = {}
    moment = lambda text: int(np.datetime64(text.rstrip("Z"), "s").astype(np.int64))
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "run")
        timed(detect(args, day, out, "--preset", "gfw", "--min-confidence", "0", "--formats", "csv", "--kinds", "rendezvous"), args.threads)
        with open(os.path.join(out, "events.csv"), encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                event = (moment(row["start"]), moment(row["end"]), float(row["median_distance_m"]), float(row["observed_fraction"]))
                ours.setdefault((int(row["vessel_1_mmsi"]), int(row["vessel_2_mmsi"])), []).append(event)
    with open(args.out, encoding="utf-8") as file:
        peers = {tuple(map(int, line.split(",")[:2])) for line in file}

    ship, slot, second, lat, lon = arrow_grid(day, named, args.threads)
    when = slot * SLOT_S + second
    a, b, begin, end = runs_of(ship, slot, pairs_kdtree(slot, lat, lon))
    y, x = np.radians(lat), np.radians(lon)
    metres = lambda i, j: 2 * R * np.arcsin(np.sqrt(np.sin((y[j] - y[i]) / 2) ** 2 + np.cos(y[i]) * np.cos(y[j]) * np.sin((x[j] - x[i]) / 2) ** 2))
    # The speed from each row to the ship's next one, in knots.
    order = np.lexsort([slot, ship])
    i, j = order[:-1], order[1:]
    knots = np.full(len(ship), np.nan)
    same = ship[i] == ship[j]
    i, j = i[same], j[same]
    knots[i] = metres(i, j) / np.maximum(when[j] - when[i], 1) * 3600 / 1852
    apart = metres(a, b)

    stations, nobody = {111, 970, 972, 974, *range(990, 1000)}, {111_111_111, 123_456_789}
    is_ship = lambda mmsi: 100_000_000 <= mmsi <= 999_999_999 and mmsi // 1_000_000 not in stations and mmsi not in nobody
    theirs = {}
    for p, q in zip(begin.tolist(), end.tolist()):
        if q - p < SLOTS:
            continue
        pair = (int(ship[a[p]]), int(ship[b[p]]))
        legs = [knots[rows[p : q - 1]] for rows in (a, b)]
        span = min(when[a[q - 1]], when[b[q - 1]]) - max(when[a[p]], when[b[p]])
        theirs.setdefault(pair, []).append({"span": span, "far": apart[p:q].max(), "fast": max(v.max() for v in legs), "median": max(np.median(v) for v in legs)})
    if set(theirs) != peers:
        sys.exit("the grid of this check is not that of the peers")

    must = {p for p, runs in theirs.items() if all(map(is_ship, p)) and any(r["far"] <= 400 and r["fast"] <= 1.5 and r["span"] >= 7200 for r in runs)}
    only_theirs = {}
    for pair in theirs.keys() - ours.keys():
        best = max(theirs[pair], key=lambda r: r["span"])
        reason = (
            "number of no ship" if not all(map(is_ship, pair))
            else "shorter than 2 h by exact times" if best["span"] < 7200
            else "a jump of more than 50 kn" if best["fast"] > 50
            else "median speed of one 2 kn or more" if best["median"] >= 2
            else "one faster than 2 kn for a time" if best["fast"] > 2
            else "at the edge: a position beyond 400 m, or within a tenth of 2 kn or 2 h" if best["far"] > 400 or best["fast"] > 1.8 or best["span"] < 7920
            else "not told"
        )
        only_theirs[reason] = only_theirs.get(reason, 0) + 1

    # Which slots each ship sent in, and in which each pair was near.
    first = int(slot.min())
    width = int(slot.max()) - first + 1
    number = {m: k for k, m in enumerate(np.unique(ship).tolist())}
    sent = np.zeros((len(number), width), dtype=bool)
    sent[np.searchsorted(np.unique(ship), ship), slot - first] = True
    near = {}
    for p, q in zip(begin.tolist(), end.tolist()):
        near.setdefault((int(ship[a[p]]), int(ship[b[p]])), []).append((int(slot[a[p]]) - first, int(slot[a[q - 1]]) - first + 1))

    def longest(flags):
        best = current = 0
        for flag in flags:
            current = current + 1 if flag else 0
            best = max(best, current)
        return best

    must_too, only_ours = set(), {}
    for pair, events in ours.items():
        both = sent[number[pair[0]]] & sent[number[pair[1]]]
        close = np.zeros(width, dtype=bool)
        for p, q in near.get(pair, []):
            close[p:q] = True
        slots = lambda e: slice(max(e[0] // SLOT_S - first, 0), e[1] // SLOT_S - first + 1)
        if any(e[1] - e[0] >= 9000 and e[2] < 400 and e[3] > 0.9 and both[slots(e)].all() for e in events):
            must_too.add(pair)
        if pair in theirs:
            continue
        here = slots(max(events, key=lambda e: e[1] - e[0]))
        silent, far = ~both[here], both[here] & ~close[here]
        reason = (
            "a slot without a position: no interpolation there" if longest(close[here] | silent) >= SLOTS
            else "a first position beyond 500 m: merged here" if longest(close[here] | far) >= SLOTS
            else "both of these" if longest(close[here] | silent | far) >= SLOTS
            else "fewer than 12 slots in 2 h and more"
        )
        only_ours[reason] = only_ours.get(reason, 0) + 1
    both = theirs.keys() & ours.keys()
    slow = {p for p, runs in theirs.items() if any(r["median"] < 2 for r in runs)}
    return {
        "peers": len(theirs), "ours": len(ours), "both": len(both), "peers_in_ours": round(len(both) / max(len(theirs), 1), 4), "ours_in_peers": round(len(both) / max(len(ours), 1), 4),
        "peers_below_2_kn": len(slow), "peers_below_2_kn_in_ours": round(len(slow & ours.keys()) / max(len(slow), 1), 4),
        "only_peers": dict(sorted(only_theirs.items(), key=lambda kv: -kv[1])), "only_ours": dict(sorted(only_ours.items(), key=lambda kv: -kv[1])),
        "must_be_ours": len(must), "of_these_ours": len(must & ours.keys()), "must_be_peers": len(must_too), "of_these_peers": len(must_too & theirs.keys()),
        "missing": [sorted(must - ours.keys())[:20], sorted(must_too - theirs.keys())[:20]],
    }


# ---- What is printed.


def chart(days):
    """Bars of seconds and of memory, one panel a day, of polars the faster engine; mid-tones that stand on white and on black."""
    left, row, ours, peer, text = 232, 22, "#2f9e83", "#8497b0", "#7a858f"
    axes = {"seconds": (left, 300, "s, wall clock"), "peak_gib": (left + 390, 150, "GiB, peak memory")}
    shown = lambda f, day: not f["key"].startswith("polars") or f is fastest_polars(day["figures"], f["input"])
    chosen = [(day, [f for f in day["figures"] if shown(f, day)]) for day in days]
    lines, top = [], 24
    for day, figures in chosen:
        lines.append(f'<text x="0" y="{top}" font-size="14" font-weight="600">{escape(day["title"])}</text>')
        lines += [f'<text x="{x}" y="{top + 26}" font-size="11.5">{unit}</text>' for x, _, unit in axes.values()]
        top += 32
        for form, title in (("csv", "CSV"), ("parquet", "Parquet")):
            for f in sorted((f for f in figures if f["input"] == form), key=lambda f: (f["key"] not in OURS, f["key"] == "gfw", f["seconds"])):
                lines.append(f'<text x="{left - 10}" y="{top + 15}" text-anchor="end">{escape(f["command"])}, {title}</text>')
                for key, (x, width, _) in axes.items():
                    bar = f[key] * width / max(g[key] for _, figures in chosen for g in figures)
                    lines.append(f'<rect x="{x}" y="{top + 3}" width="{bar:.1f}" height="15" rx="2" fill="{ours if f["key"] in OURS else peer}"/>')
                    lines.append(f'<text x="{x + bar + 7:.1f}" y="{top + 15}">{f[key]:.2f}</text>')
                top += row
            top += 6
        lines.append(f'<text x="0" y="{top + 16}" font-size="11.5">alongside: all its work, tracks, gaps, scores and files among it. The others: the bare pairs.</text>')
        top += 52
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 0 860 {top - 20}" role="img" aria-labelledby="t">',
        '<title id="t">Seconds and peak memory of whole runs: alongside and its peers</title>',
        f'<g font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" font-size="12.5" fill="{text}">',
    ]
    return "\n".join(head + lines + ["</g>", "</svg>"]) + "\n"


def fastest_polars(figures, form):
    return min((f for f in figures if f["key"].startswith("polars") and f["input"] == form), key=lambda f: f["seconds"], default=None)


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def table(day):
    print(f"\n{day['title']}\n{'command':<34} {'input':<8} {'median s':>9} {'min-max s':>13} {'x detect':>9} {'peak GiB':>9}")
    for f in sorted(day["figures"], key=lambda f: f["input"]):
        mark = " *" if f is fastest_polars(day["figures"], f["input"]) else ""
        span = f"{f['fastest']:.2f}-{f['slowest']:.2f}"
        print(f"{f['command'] + mark:<34} {f['input']:<8} {f['seconds']:>9.2f} {span:>13} {f['ratio_to_detect']:>9.2f} {f['peak_gib']:>9.2f}")
    if any(f["key"].startswith("polars") for f in day["figures"]):
        print("* the faster of polars' two engines")
    if day["reading"]:
        print(f"\n{'reading alone, every column typed':<60} {'median s':>9} {'MB/s':>6}")
        for r in day["reading"]:
            print(f"{r['command']:<60} {r['seconds']:>9.2f} {r['mb_per_s']:>6}")
    a = day["agreement"]
    if a:
        print(f"\npairs: peers {a['peers']}, detect --preset gfw {a['ours']}, both {a['both']}: {a['peers_in_ours']:.1%} of the peers', {a['ours_in_peers']:.1%} of ours")
        print(f"  of the peers' {a['peers_below_2_kn']} with medians below 2 kn {a['peers_below_2_kn_in_ours']:.1%} are ours")
        for who in ("only_peers", "only_ours"):
            for reason, n in a[who].items():
                print(f"  {who.replace('_', ' ')}: {n:>6}  {reason}")
        print(f"  where both must say yes: {a['of_these_ours']} of {a['must_be_ours']} of the peers' are ours, {a['of_these_peers']} of {a['must_be_peers']} of ours are theirs")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", default="target/release/alongside")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", type=lambda t: t.split(","), help="these of " + ", ".join(PEERS) + " [default: all but " + ", ".join(ON_REQUEST) + "]")
    parser.add_argument("--no-reading", action="store_true", help="leave out the readers")
    parser.add_argument("--title", action="append", default=[], help="what to call a day in table and chart, in order")
    parser.add_argument("--json", metavar="FILE", help="the figures for machines")
    parser.add_argument("--chart", metavar="FILE.svg", help="the figures as bars")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    parser.add_argument("--named", help=argparse.SUPPRESS)
    parser.add_argument("days", nargs="+")
    args = parser.parse_args()
    if args.child:
        return child(args)
    days, wrong = [], []
    for n, path in enumerate(args.days):
        with tempfile.TemporaryDirectory() as scratch:
            figures, reading, runs, a = measure(args, path, scratch)
            title = args.title[n] if n < len(args.title) else os.path.basename(path)
            day = {"title": title, "bytes": os.path.getsize(path), "threads": args.threads, "figures": figures, "reading": reading, "agreement": a}
            days.append(day)
            if len(set(runs.values())) > 1:
                wrong.append(f"{path}: the peers' runs are not equal: " + "; ".join(f"{name}: {count} ({digest[:8]})" for name, (count, digest) in runs.items()))
            if a:
                for said, of in ((a["of_these_ours"], a["must_be_ours"]), (a["of_these_peers"], a["must_be_peers"])):
                    if said < FLOOR * of:
                        wrong.append(f"{path}: only {said} of {of} pairs that both definitions must find; missing {a['missing']}")
        table(day)
        if len(set(runs.values())) == 1:
            print(f"  all {len(runs)} of the peers have the same {next(iter(runs.values()))[0]} runs")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(days, file, indent=1)
            file.write("\n")
    if args.chart:
        with open(args.chart, "w", encoding="utf-8") as file:
            file.write(chart(days))
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
