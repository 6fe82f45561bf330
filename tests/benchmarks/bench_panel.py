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
import pyarrow.parquet as pq

from tests.benchmarks.national import YEARS, make_study

PAIRS = 5


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
        make_study(folder, options.villages)
        size = (folder / "national.parquet").stat().st_size / 2**20
        print(f"{options.villages:,} villages x {YEARS} years, {size:.0f} MB of Parquet")
        found = {}
        for child in ("time", "load", "hold"):
            done = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "tests.benchmarks.bench_panel",
                    "--child",
                    child,
                    "--folder",
                    name,
                ],
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
