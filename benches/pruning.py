"""How many row groups of a converted day a question about a degree and an hour must read, by their statistics.

    alongside convert AIS_2020_01_01.zip -o canonical && python3 benches/pruning.py canonical/2020-01-01.parquet

Boxes of one degree and one hour that hold ships: those of the cells that `convert` sorts by, and 3,000 drawn anywhere about them. pyarrow and DuckDB
read the row groups whose statistics of t, lon and lat meet the box, and no others.
"""

import datetime
import os
import random
import statistics
import sys

import duckdb
from pyarrow import parquet

HOUR = datetime.timedelta(hours=1)


def main(path):
    about = parquet.ParquetFile(path).metadata
    names = [about.schema.column(i).name for i in range(about.num_columns)]
    bounds = lambda g, name: (lambda s: (s.min, s.max))(about.row_group(g).column(names.index(name)).statistics)
    groups = [[bounds(g, name) for name in ("t", "lon", "lat")] for g in range(about.num_row_groups)]

    def read(*box):
        """Row groups that meet a box of three axes, from and below."""
        return sum(all(low < to and high >= begin for (low, high), (begin, to) in zip(group, box)) for group in groups)

    day = groups[0][0][0].replace(hour=0, minute=0, second=0, microsecond=0)
    cells = duckdb.execute(f"SELECT floor(lon), floor(lat), hour(t), count(*) FROM '{path}' GROUP BY ALL ORDER BY ALL").fetchall()
    box = lambda t, lon, lat: ((t, t + HOUR), (lon, lon + 1), (lat, lat + 1))
    aligned = [read(*box(day + h * HOUR, lon, lat)) for lon, lat, h, _ in cells]
    random.seed(1)
    drawn = random.choices(cells, weights=[n for *_, n in cells], k=3000)
    anywhere = sorted(read(*box(day + (h + random.random()) * HOUR, lon + random.random() - 0.5, lat + random.random() - 0.5)) for lon, lat, h, _ in drawn)
    hour = read((day + 12 * HOUR, day + 13 * HOUR), (-180, 181), (-90, 91))
    print(f"{about.num_rows} rows, {about.num_row_groups} row groups, {os.path.getsize(path)} bytes")
    print(f"a cell and an hour of the clock: {statistics.mean(aligned):.1f} on average, {max(aligned)} at most, of {len(aligned)} boxes")
    print(f"a degree and an hour anywhere: median {statistics.median(anywhere):.0f}, nine in ten {anywhere[2700]} at most, {anywhere[-1]} at most")
    print(f"an hour everywhere: {hour}")


if __name__ == "__main__":
    main(sys.argv[1])
