#!/usr/bin/env python3
"""Makes land.bin.zst, ports.csv and mids.csv, beside this script, from public packages.

Run as `python3 make.py PACKAGES_DIR`, in which these are unpacked, one directory each:
    npm pack world-atlas@2.0.2          -> world-atlas/   (tar xzf FILE -C world-atlas --strip-components 1)
    npm pack sea-ports@0.0.9            -> sea-ports/
    npm pack i18n-iso-countries@7.14.0  -> i18n-iso-countries/
    pip download --no-deps searoute==1.6.0  -> searoute/  (tar xzf, as above)
    pip download --no-deps pyais==3.3.1     -> pyais/     (unzip FILE -d pyais)
It needs Python 3.9 and the `zstd` command (1.5.4 gave the bytes in this directory).
transfer_zones.csv is compiled by hand and is not made here. Licences: LICENSES.md.
"""
import collections, csv, itertools, json, math, os, re, struct, subprocess, sys, tempfile

HERE, PKG = os.path.dirname(os.path.abspath(__file__)), sys.argv[1]
def load(path):
    with open(os.path.join(PKG, path), encoding="utf-8") as f:
        return json.load(f)

def write_csv(name, header, rows):
    with open(os.path.join(HERE, name), "w", encoding="utf-8", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows([header, *rows])
    print(name, len(rows), "rows")

# --- outlines: TopoJSON -> rings of (lon, lat) in 1e-5 degree, every one within +-180 ---
def clip(ring, s):
    """The part with s * lon <= 180; the cut runs exactly along the meridian."""
    out = []
    for (px, py), (x, y) in zip(ring[-1:] + ring, ring):
        if (s * px <= 180) != (s * x <= 180):
            out.append((180.0 * s, py + (y - py) * (180 * s - px) / (x - px)))
        out += [(x, y)] if s * x <= 180 else []
    return out

def flat(ring):
    """A closed ring on the sphere -> closed rings in the plane."""
    u = ring[:1]
    for x, y in ring[1:]:
        u.append((x + 360 * round((u[-1][0] - x) / 360), y))
    if abs(u[-1][0] - u[0][0]) > 1:  # goes round the pole: Antarctica
        u += [(u[-1][0], -90.0), (u[0][0], -90.0)]
    lo, hi = min(x for x, _ in u), max(x for x, _ in u)
    for k in (-360, 0, 360):
        if lo + k < 179.99999 and hi + k > -179.99999:
            out = [(round(x * 1e5), round(y * 1e5)) for x, y in clip(clip([(x + k, y) for x, y in u], -1), 1)]
            out = [p for i, p in enumerate(out) if p != out[i - 1]]  # no point twice
            if len(out) > 2:
                yield out

def rings(topo, layer):
    (sx, sy), (ox, oy), arcs = topo["transform"]["scale"], topo["transform"]["translate"], []
    for arc in topo["arcs"]:
        xy = zip(*(itertools.accumulate(v) for v in zip(*arc)))
        arcs.append([(x * sx + ox, y * sy + oy) for x, y in xy])
    for g in topo["objects"][layer]["geometries"]:
        for poly in g["arcs"] if g["type"] == "MultiPolygon" else [g["arcs"]]:
            for ring in poly:
                parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in ring]
                yield from ((g, f) for f in flat(parts[0] + [p for a in parts[1:] for p in a[1:]]))

def varint(v):  # of a number already zigzagged
    return bytes([v]) if v < 128 else bytes([v & 127 | 128]) + varint(v >> 7)

# all but "Null Island", a marker square of 1 km at 0, 0
LAND = [f for _, f in rings(load("world-atlas/land-10m.json"), "land") if max(map(abs, sum(f, ()))) > 1000]
blob = bytearray(struct.pack("<I", len(LAND)))
for f in LAND:
    blob += struct.pack("<Iii", len(f), *f[0])
    for (ax, ay), (bx, by) in zip(f, f[1:]):
        blob += b"".join(varint((d << 1) ^ (d >> 63)) for d in (bx - ax, by - ay))
with tempfile.TemporaryDirectory() as tmp:
    with open(os.path.join(tmp, "land.bin"), "wb") as f:
        f.write(blob)
    subprocess.run(["zstd", "-19", "-q", "-f", f.name, "-o", os.path.join(HERE, "land.bin.zst")], check=True)
print("land.bin.zst", len(LAND), "rings", sum(map(len, LAND)), "points", len(blob), "bytes before compression")

# --- countries ---
ISO = {num: a2 for a2, _, num, _ in load("i18n-iso-countries/codes.json")}
NAMES = load("i18n-iso-countries/langs/en.json")["countries"]
FIRST = {"AE", "CD", "CG", "GB", "KR", "NL"}  # of several names take the first, else the second
PLAIN = {"FM": "Micronesia", "LA": "Laos", "MD": "Moldova", "SY": "Syria", "VA": "Vatican City",
         "VG": "British Virgin Islands", "VI": "United States Virgin Islands"}
LANDLOCKED = set("""AD AF AM AT AZ BF BI BO BT BW BY CF CH CZ ET HU KG KZ LA LI LS LU MD MK ML MN MW NE NP
    PY RS RW SK SM SS SZ TD TJ TM UG UZ VA XK ZM ZW""".split())
# ITU allocations the package lacks or to which it gives no ISO code of the territory or its flag state
MID_FIX = {501: "FR", 550: "TL", 607: "TF", 608: "SH", 618: "TF", 635: "TF", 638: "SS", 740: "FK"}
PART = {204: "Azores", 255: "Madeira", 303: "Alaska", 306: "also Bonaire, Sint Eustatius and Saba; Sint Maarten",
        501: "Adélie Land", 607: "Saint Paul and Amsterdam Islands", 608: "Ascension Island", 618: "Crozet",
        635: "Kerguelen"}

def country_name(a2, part=None):
    n = PLAIN.get(a2, NAMES[a2])
    return (n if isinstance(n, str) else n[0 if a2 in FIRST else 1]) + (f" ({part})" if part else "")

with open(os.path.join(PKG, "pyais/pyais/constants.py"), encoding="utf-8") as f:
    MIDS = {int(m): a2 for m, a2 in re.findall(r'^\s+([2-7]\d\d): \("([A-Z]{2})", "', f.read(), re.M)}
MIDS.update(MID_FIX)
write_csv("mids.csv", ["mid", "iso2", "country", "landlocked"],
          [[m, c, country_name(c, PART.get(m)), str(c in LANDLOCKED).lower()] for m, c in sorted(MIDS.items())])

# --- ports: searoute's list, checked against sea-ports' list and the outlines ---
NO_ID = {"Somaliland": "SO", "N. Cyprus": "CY", "Akrotiri": "CY", "Dhekelia": "CY", "Cyprus U.N. Buffer Zone": "CY",
         "USNB Guantanamo Bay": "CU", "Indian Ocean Ter.": "CX", "Baikonur": "KZ"}
# outlines in which a country's ports may lie besides its own, and the country then written
ALSO = {"GF": {"FR": "GF"}, "GP": {"FR": "GP", "BL": "BL", "MF": "MF"}, "MQ": {"FR": "MQ"}, "RE": {"FR": "RE"},
        "YT": {"FR": "YT"}, "KM": {"FR": "YT"}, "TK": {"NZ": "TK"}, "CC": {"CX": "CC"}, "SJ": {"NO": "SJ"},
        "UA": {"RU": "UA"}, "FI": {"AX": "AX"}, "US": {"GU": "GU"}, "GB": {"GG": "GG", "JE": "JE", "IM": "IM"},
        "AN": {"CW": "CW", "SX": "SX", "NL": "BQ"}, "CS": {"RS": "RS", "ME": "ME"}}
# looked at by hand: where both lists are plausible take the first or second; positions known to be wrong
TAKE = dict.fromkeys("ANEUX AUGOV BRFNO CNYTN GBBEL IDBUR JMPKS JPKND JPKZU JPSKM JPTGO PAMIT PEGSM THMAT TRNEM".split(), 0)
TAKE.update(dict.fromkeys("BRNVT CASJF CLPCH JPNAN PEATI TCPLS USPTM".split(), 1))
WRONG = set("""ANSXM ARSFN BRVIC CLCAP CLCCL CNHSN GPSBH JPIYM NGWAR TWMLI USCAI USCHA USPIT USWBG
    VNSTD""".split())
SECOND_NAME = {"KRPUS", "BRRIO"}  # Busan for Pusan, Rio de Janeiro for a broken name
CELL = 25000  # grid of outline points, 0.25 degree
coast, border, shapes = collections.defaultdict(list), collections.defaultdict(list), []
for x, y in itertools.chain(*LAND):
    coast[x // CELL, y // CELL].append((x, y, ""))
for g, f in rings(load("world-atlas/countries-10m.json"), "countries"):
    c = ISO.get(g.get("id")) or NO_ID.get(g["properties"]["name"])
    xs, ys = zip(*f)
    shapes += [(c, min(xs), max(xs), min(ys), max(ys), f)] if c else []
    for x, y in f if c else ():
        border[x // CELL, y // CELL].append((x, y, c))

def km(ax, ay, bx, by):
    return 111.195 * math.hypot(ay - by, ((ax - bx + 540) % 360 - 180) * math.cos(math.radians((ay + by) / 2)))

def around(grid, lon, lat, limit):
    """Least distance in km to a point of each outline, below the limit."""
    best, h = {}, int(limit / 111.195 / 0.25) + 1
    w = int(limit / 111.195 / 0.25 / max(0.05, math.cos(math.radians(lat)))) + 1
    i0, j0 = round(lon * 1e5) // CELL, round(lat * 1e5) // CELL
    for i in range(i0 - w, i0 + w + 1):
        for j in range(j0 - h, j0 + h + 1):
            for x, y, c in grid.get(((i + 720) % 1440 - 720, j), ()):
                best[c] = min(best.get(c, limit), km(lon, lat, x / 1e5, y / 1e5))
    return {c: d for c, d in best.items() if d < limit}

def inside(x, y, ring):
    return sum((ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax
               for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1])) % 2

def place(code, lon, lat, offshore):
    """(country to write, km to the coast), or None where the position cannot belong to the code."""
    x, y, near = round(lon * 1e5), round(lat * 1e5), around(border, lon, lat, 25)
    hits = collections.Counter(c for c, a, b, s, n, f in shapes if a <= x <= b and s <= y <= n and inside(x, y, f))
    near.update({c: 0 for c, n in hits.items() if n % 2})
    if not near and offshore:  # terminals at sea, small islands
        near = around(border, lon, lat, 150)
    own = code[:2]
    options = {c: d for c, d in {**ALSO.get(own, {}), own: own}.items() if c in near and d in NAMES}
    found = own if own in options else min(options, key=near.get, default=None)
    return found and (options[found], around(coast, lon, lat, 60).get("", 99.0))

def minutes(lon, lat):
    """Degrees and minutes written as a decimal number: 27.46 for 27 degrees 46 minutes."""
    m = [round(abs(v) * 1e6) % 1000000 for v in (lon, lat)]
    return all(v % 10000 == 0 and v < 600000 for v in m) and any(v % 50000 for v in m)

second = {k: v for k, v in load("sea-ports/lib/ports.json").items() if v.get("coordinates")}
first = [(p["properties"]["port"], p["properties"]["name"], *p["geometry"]["coordinates"])
         for p in load("searoute/searoute/data/ports.geojson")["features"]]
codes, why, rows = {p[0] for p in first}, collections.Counter(), []
for code, name, lon, lat in first + [(k, None, None, None) for k in second if k not in codes]:
    a, b = (name, lon, lat), code in second and (second[code]["name"], *second[code]["coordinates"])
    pa = name and not minutes(lon, lat) and place(code, lon, lat, True)
    pb = b and abs(b[2]) <= 90 and place(code, *b[1:], False)
    drop, keep_code = None, len(code) == 5 and code[:2] in NAMES
    if code in WRONG:
        drop = "known to be wrong"
    elif pa and pb:
        d, diff = km(*a[1:], *b[1:]), pb[1] - pa[1]
        if d <= 25 or code in TAKE:
            pick = TAKE.get(code, 0)
        elif min(pa[1], pb[1]) <= 10 and abs(diff) > 5:  # lists disagree: the one at the coast
            pick, keep_code = int(diff < 0), keep_code and d <= 50
        else:
            drop = "lists disagree"
    elif pa or pb:
        pick, drop = int(not pa), (pa or pb)[1] > (50 if pa else 10) and "inland, one list only"
    else:
        drop = "degrees.minutes" if name and minutes(lon, lat) else "wrong country"
    if not drop:
        n, x, y = (a, b)[pick]
        n = " ".join((b[0] if code in SECOND_NAME else n).split())
        n = n.title() if n.isupper() and len(n) > 3 else n
        drop = "airport" if re.search(r"\bApt\b", n) else None
    why[drop or ("kept, second list" if pick else "kept, first list")] += 1
    if not drop:
        rows.append((n, (pa, pb)[pick][0], f"{y:.4f}", f"{x:.4f}", code if keep_code else ""))
rows.sort(key=lambda r: (r[1], r[0], float(r[2]), float(r[3]), r[4]))
out = []
for r in rows:
    if all(r[0].casefold() != p[0].casefold() or km(*map(float, (r[3], r[2], p[3], p[2]))) > 5 for p in out):
        out.append(r)
print(dict(why), "same name within 5 km:", len(rows) - len(out))
write_csv("ports.csv", ["name", "country", "lat", "lon", "locode"], out)
