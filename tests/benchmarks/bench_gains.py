"""Gains on a national panel, from Parquet, against diff-diff's ImputationDiD on the same file.

The peer gives the average and the event study with errors clustered by county; ours gives these
and the interval of every village; with --all also pre-period coefficients and shrinkage. Each
is a process of its own, in turn; time is from reading the file on, memory the process's peak.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import numpy as np

from tests.benchmarks.national import make_study

VILLAGES = 700_000
SIZES = (10_000, 50_000, 250_000, 1_000_000, 5_000_000)
MODULES = {
    "ours": ("evaluation.data.load", "evaluation.gains.estimate"),
    "all": ("evaluation.data.load", "evaluation.gains.estimate"),
    "peer": ("pandas", "diff_diff"),
}
SAME = 1e-6  # of the average: both solve the same least squares


def ours(folder, *, leads):
    from evaluation.data.load import load_data
    from evaluation.data.study import Study
    from evaluation.gains.estimate import estimate_gains

    panel = load_data(Study.load(folder)).panel
    read = time.perf_counter()
    gains = estimate_gains(panel, cluster="county")
    study = gains.event_study(leads=leads)
    att = gains.att
    if leads is None:
        gains.shrink()
    return att, study.loc[0, "estimate"], read


def peer(folder):
    import pandas as pd
    from diff_diff import ImputationDiD

    table = pd.read_parquet(folder / "national.parquet")
    table["code"] = pd.factorize(table["code"])[0]
    table["cohort"] = table["cohort"].fillna(0).astype(int)
    read = time.perf_counter()
    found = ImputationDiD(cluster="county").fit(
        table, outcome="income", unit="code", time="year", first_treat="cohort",
        aggregate="event_study",
    )  # fmt: skip
    att = {"estimate": found.overall_att, "se": found.overall_se}
    return att, found.event_study_effects[0]["effect"], read


def run(what, folder):
    """Give one run's seconds, peak megabytes and numbers; imports are not counted."""
    for module in MODULES[what]:
        import_module(module)
    start = time.perf_counter()
    if what == "peer":
        att, first, read = peer(folder)
    else:
        att, first, read = ours(folder, leads=0 if what == "ours" else None)
    end = time.perf_counter()
    return {
        "seconds": end - start,
        "reading": read - start,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "estimate": float(att["estimate"]),
        "se": float(att["se"]),
        "first": float(first),
    }


def start_run(what, folder):
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_gains", "--child", what, "--folder",
         str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def compare(villages, pairs):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_study(folder, villages)
        found = {what: [] for what in ("ours", "all", "peer")}
        for _ in range(pairs):
            for what, runs in found.items():
                runs.append(start_run(what, folder))
    own, other = found["ours"][0], found["peer"][0]
    for key in ("estimate", "se", "first"):
        print(f"{key}: {own[key]:.10g}, peer {other[key]:.10g}")
    np.testing.assert_allclose(own["estimate"], other["estimate"], rtol=SAME)
    for what, label in (
        ("ours", "average, event study, village intervals"),
        ("all", "the same, pre-period coefficients, shrinkage"),
    ):
        ratios = [
            b["seconds"] / a["seconds"] for a, b in zip(found[what], found["peer"], strict=True)
        ]
        peaks = [run["peak"] for run in found[what]]
        print(
            f"{label}: {statistics.median(ratios):.0f} times as fast as the peer "
            f"({min(ratios):.0f} to {max(ratios):.0f}); {_seconds(found[what])}, peer "
            f"{_seconds(found['peer'])}; peak {max(peaks):,.0f} MB, "
            f"{max(peaks) / min(run['peak'] for run in found['peer']):.2f} of the peer's"
        )


def _seconds(runs):
    total = statistics.median(run["seconds"] for run in runs)
    return f"{total:.1f} s ({statistics.median(run['reading'] for run in runs):.1f} reading)"


def scale(sizes):
    """Print how time and memory grow with villages, and the slopes on logarithms."""
    seconds, peaks = [], []
    for villages in sizes:
        with tempfile.TemporaryDirectory() as name:
            make_study(Path(name), villages)
            found = start_run("all", Path(name))
        seconds.append(found["seconds"] - found["reading"])
        peaks.append(found["peak"])
        print(
            f"{villages:,} villages: {seconds[-1]:.2f} s for the gains, "
            f"{found['reading']:.2f} s reading, peak {peaks[-1]:,.0f} MB"
        )
    slope = np.polyfit(np.log(sizes[-3:]), np.log(seconds[-3:]), 1)[0]
    print(f"slope of log seconds on log villages from {sizes[-3]:,} on: {slope:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--villages", type=int, default=VILLAGES)
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--scale", action="store_true", help="only time against villages")
    parser.add_argument("--child", choices=("ours", "all", "peer"))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(run(options.child, options.folder)))
    elif options.scale:
        scale(SIZES)
    else:
        compare(options.villages, options.pairs)


if __name__ == "__main__":
    main()
