"""An invented national panel on disk: villages x 12 years, unbalanced, five cohorts."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

YEARS = 12
FIRST_YEAR = 2010
STUDY = """\
version: 1
name: national
title: {en: a national panel}
source: {publisher: {en: invented}}
programme: {name: a programme}
prices: {basis: real, base_year: 2020}
panel:
  file: national.parquet
  village: {code: code, county: county}
  year: year
  outcomes: {income: {column: income, unit: 元}}
  treatment: {first_year: cohort}
"""


def make_study(folder, villages):
    """Write the study in a process of its own.

    A process started later would have this one's memory in its peak, as Linux counts it.
    """
    call = [sys.executable, "-m", "tests.benchmarks.national", str(folder), str(villages)]
    subprocess.run(call, check=True)


def write_study(folder, villages):
    """Write the study: 18% of villages treated from 2015 to 2019 on, 3% of rows missing."""
    generator = np.random.default_rng(0)
    # Six digits a county, three a town, three a village from 201 on.
    codes = pa.array(
        [f"{110000 + i // 250}{i // 25 % 10 + 101}{i % 25 + 201}" for i in range(villages)]
    )
    counties = pa.array([f"{110000 + i // 250}" for i in range(villages)])
    village = pa.array(np.repeat(np.arange(villages), YEARS))
    cohorts = 2015.0 + generator.integers(0, 5, villages)
    cohorts[generator.random(villages) > 0.18] = np.nan
    rows = villages * YEARS
    table = pa.table(
        {
            "code": codes.take(village),
            "county": counties.take(village),
            "year": np.tile(np.arange(FIRST_YEAR, FIRST_YEAR + YEARS), villages),
            "cohort": pa.array(cohorts, from_pandas=True).take(village),
            "income": np.exp(generator.normal(11, 0.8, rows)),
        }
    )
    kept = generator.random(rows) > 0.03  # unbalanced, as real panels are
    pq.write_table(table.filter(pa.array(kept)), folder / "national.parquet")
    (folder / "study.yml").write_text(STUDY, encoding="utf-8")


if __name__ == "__main__":
    write_study(Path(sys.argv[1]), int(sys.argv[2]))
