"""Gains on a panel larger than memory, against the estimate in memory on 700,000 villages.

Each is a process of its own, in turn; time is from the plan or the reading on, memory the
process's peak. With --workers also by workers of Dask, one and then so many, which have
started before the clock does.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from tests.benchmarks.bench_gains import VILLAGES, start_run
from tests.benchmarks.national import make_study
from tests.benchmarks.stream_panel import make_panel

SIZES = (1_000_000, 10_000_000, 100_000_000)


def run(path, out, workers):
    """Give one estimate's seconds, peak megabytes of this process, and numbers."""
    from contextlib import ExitStack

    from evaluation.cluster.gains import estimate_gains

    with ExitStack() as stack:
        client = None
        if workers:
            from distributed import Client, LocalCluster

            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0"
            )
            client = stack.enter_context(Client(stack.enter_context(cluster)))
            client.run(__import__, "evaluation.cluster.gains")
        start, steps = time.perf_counter(), []

        def tell(line):
            steps.append([line, round(time.perf_counter() - start, 2)])

        gains = estimate_gains(
            path, out, village="code", county="county", client=client, tell=tell
        )
        seconds = time.perf_counter() - start
        att = gains.att
    return {
        "rows": gains.n_rows,
        "seconds": seconds,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "estimate": float(att["estimate"]),
        "se": float(att["se"]),
        "intervals": gains.n_intervals,
        "steps": steps,
    }


def start_stream(path, workers=0):
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.bench_stream", "--child", str(path),
             "--out", str(Path(folder, "out")), "--workers", str(workers)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def compare(folder, rows, workers):
    make_study(folder, VILLAGES)
    path = folder / "panel.parquet"
    make_panel(path, rows)
    before = start_run("ours", folder)
    found = start_stream(path)
    after = start_run("ours", folder)
    own = pq.ParquetFile(folder / "national.parquet").metadata.num_rows
    in_memory = np.mean([before["seconds"], after["seconds"]]) / own
    streamed = found["seconds"] / found["rows"]
    print(
        f"{found['rows']:,} rows in {found['seconds']:.1f} s, peak {found['peak']:,.0f} MB; a "
        f"row takes {streamed / in_memory:.2f} times as long as in memory "
        f"({before['seconds']:.1f} and {after['seconds']:.1f} s for {own:,} rows)"
    )
    print("; ".join(f"{line} at {at:.1f} s" for line, at in found["steps"]))
    if workers:
        one, many = start_stream(path, 1), start_stream(path, workers)
        for each in (one, many):
            np.testing.assert_array_equal(
                [each[key] for key in ("estimate", "se", "intervals")],
                [found[key] for key in ("estimate", "se", "intervals")],
            )
        print(
            f"{workers} workers are {one['seconds'] / many['seconds']:.2f} times as fast as "
            f"one ({one['seconds']:.1f} s); the same numbers"
        )
    return found


def scale(folder, sizes):
    """Print how time and memory grow with rows."""
    for rows in sizes:
        path = folder / "panel.parquet"
        make_panel(path, rows)
        found = start_stream(path)
        print(
            f"{found['rows']:,} rows: {found['seconds'] / found['rows'] * 1e6:.2f} s a "
            f"million, peak {found['peak']:,.0f} MB",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--scale", action="store_true", help="only growth from 1e6 to 1e8")
    parser.add_argument("--folder", type=Path, help="for the files; by default a new one")
    parser.add_argument("--child", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(run(options.child, options.out, options.workers)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        if options.scale:
            scale(Path(name), SIZES)
        else:
            compare(Path(name), options.rows, options.workers)


if __name__ == "__main__":
    main()
