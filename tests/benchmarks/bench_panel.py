"""A national panel, from Parquet to a VillagePanel, against pyarrow reading the same file.

Time: pairs of both in one process, the median ratio. Memory: the peak of a process that loads
the panel, against one that holds the Arrow table and three matrices of villages x years.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

YEARS = 12
PAIRS = 5
STUDY = """\
version: 1
name: national
title: {en: a national panel}
source: {publisher: {en: invented}}
programme: {name: a programme}
prices: {basis: nominal, base_year: 2020}
panel:
  file: national.parquet
  village: {code: code, county: county}
  year: year
  outcomes: {income: {column: income, unit: 元}}
  treatment: {first_year: cohort}
"""


def write_study(folder, villages):
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
            "year": np.tile(np.arange(2010, 2010 + YEARS), villages),
            "cohort": pa.array(cohorts, from_pandas=True).take(village),
            "income": np.exp(generator.normal(11, 0.8, rows)),
        }
    )
    kept = generator.random(rows) > 0.03  # unbalanced, as real panels are
    pq.write_table(table.filter(pa.array(kept)), folder / "national.parquet")
    (folder / "study.yml").write_text(STUDY, encoding="utf-8")


def load(folder):
    from evaluation.data.load import load_data
    from evaluation.data.study import Study

    return load_data(Study.load(folder)).panel


def read(folder):
    return pq.read_table(folder / "national.parquet")


def time_pairs(folder):
    load(folder)
    ratios, loads, reads = [], [], []
    for _ in range(PAIRS):
        start = time.perf_counter()
        read(folder)
        middle = time.perf_counter()
        load(folder)
        end = time.perf_counter()
        reads.append(middle - start)
        loads.append(end - middle)
        ratios.append(loads[-1] / reads[-1])
    return {"ratios": ratios, "loads": loads, "reads": reads}


def count_villages(table):
    return len(table["code"].unique())


def peak(folder, what):
    """Give this process's peak memory in MB after doing one of the two."""
    import resource

    import evaluation.data.load  # both hold the same code

    if what == "load":
        kept = load(folder)
        assert kept.n_villages
    else:
        table = read(folder)
        kept = table, [np.ones((count_villages(table), YEARS)) for _ in range(3)]
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"peak": megabytes, "modules": evaluation.data.load.__name__}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--villages", type=int, default=700_000)
    parser.add_argument("--child", choices=("time", "load", "hold"))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.child:
        done = (
            time_pairs(options.folder)
            if options.child == "time"
            else peak(options.folder, options.child)
        )
        print(json.dumps(done))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_study(folder, options.villages)
        size = (folder / "national.parquet").stat().st_size / 2**20
        print(f"{options.villages:,} villages x {YEARS} years, {size:.0f} MB of Parquet")
        found = {}
        for child in ("time", "load", "hold"):
            done = subprocess.run(
                [sys.executable, __file__, "--child", child, "--folder", name],
                capture_output=True,
                text=True,
                check=True,
            )
            found[child] = json.loads(done.stdout)
        times = found["time"]
        ratios = times["ratios"]
        print(
            f"VillagePanel / pyarrow read_table: {statistics.median(ratios):.1f} times "
            f"({min(ratios):.1f} to {max(ratios):.1f}; fastest "
            f"{min(times['loads']):.2f} s and {min(times['reads']):.2f} s)"
        )
        loaded, held = found["load"]["peak"], found["hold"]["peak"]
        print(
            f"peak memory: {loaded:,.0f} MB, against {held:,.0f} MB for the Arrow table and "
            f"three matrices: {loaded / held:.2f} times"
        )


if __name__ == "__main__":
    main()
