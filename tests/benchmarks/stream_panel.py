"""An invented panel of any length on disk, as `national` draws it, in pieces of memory."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.national import FIRST_YEAR, YEARS

VILLAGES_A_GROUP = 90_000  # 1.05 million rows, as 3% are missing
COUNTIES = 2_800  # as China has


def make_panel(path, rows):
    """Write the panel in a process of its own: its memory is not in the caller's peak."""
    call = [sys.executable, "-m", "tests.benchmarks.stream_panel", str(path), str(rows)]
    subprocess.run(call, check=True)


def write_panel(path, rows):
    """Write about so many rows: 18% of villages treated from 2015 to 2019 on, 3% missing."""
    villages = round(rows / YEARS / 0.97)
    a_county = max(1, -(-villages // COUNTIES))
    writer = None
    for number, start in enumerate(range(0, villages, VILLAGES_A_GROUP)):
        generator = np.random.default_rng(number)
        at = np.arange(start, min(start + VILLAGES_A_GROUP, villages))
        county = at // a_county
        codes = pa.array([f"{c + 110_000}{i:07}" for c, i in zip(county, at, strict=True)])
        counties = pa.array([str(c + 110_000) for c in county])
        village = np.repeat(np.arange(len(at)), YEARS)
        cohorts = 2015.0 + generator.integers(0, 5, len(at))
        cohorts[generator.random(len(at)) > 0.18] = np.nan
        kept = generator.random(len(village)) > 0.03
        village = pa.array(village[kept])
        years = np.tile(np.arange(FIRST_YEAR, FIRST_YEAR + YEARS), len(at))[kept]
        table = pa.table(
            {
                "code": codes.take(village),
                "county": counties.take(village),
                "year": years,
                "cohort": pa.array(cohorts, from_pandas=True).take(village),
                "income": np.exp(generator.normal(11, 0.8, len(years))),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=len(table))
    writer.close()


if __name__ == "__main__":
    write_panel(sys.argv[1], int(sys.argv[2]))
