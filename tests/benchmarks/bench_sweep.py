"""A sweep of 40 reports against papermill's command line on the same notebooks.

The peer runs every chapter of each report with ``papermill NOTEBOOK OUT -p ...``, two processes
at a time, and writes no report; ours writes the reports and the index too. Then the same sweep
again, of which nothing is left to do.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from evaluation.cluster.reports import plan_sweep

STUDY = Path("data/jining_simulated")
GRID = """\
over:
  county: all
  outcome: [income, operating]
specifications:
  - {}
  - {comparison: never_treated}
  - {trends: true}
  - {matching: propensity}
  - {dose_form: linear}
"""
PROCESSES = 2
BIN = Path(sys.executable).parent


def peer(plan, folder):
    """Give the seconds that papermill's command line takes."""
    calls = []
    for number, report in enumerate(plan.reports):
        job = plan.sweep.job(report.point, out=folder)
        for name, source in job.notebooks.items():
            values = job.values[name] | {"study": str(STUDY.resolve())}
            pairs = [word for pair in values.items() for word in _typed(*pair)]
            calls.append([source, folder / f"{number}-{name}.ipynb", *pairs])
    start = time.perf_counter()
    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(_papermill, calls))
    return time.perf_counter() - start, len(calls)


def _typed(name, value):
    """Hand text as text: papermill would take 007 for a number."""
    return ["-r" if isinstance(value, str) else "-p", name, str(value)]


def _papermill(arguments):
    call = [BIN / "papermill", "--no-progress-bar", "--log-level", "ERROR", *arguments]
    subprocess.run(call, check=True, capture_output=True)


def ours(grid, out):
    """Give the seconds that the command takes."""
    call = [BIN / "evaluation", "sweep", STUDY, "--grid", grid, "--out", out]
    start = time.perf_counter()
    subprocess.run(call, check=True, capture_output=True)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grid", type=Path, help="another grid.yml")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        grid = options.grid or folder / "grid.yml"
        if not options.grid:
            grid.write_text(GRID, encoding="utf-8")
        plan = plan_sweep(STUDY, grid=grid, out=folder / "reports")
        first = ours(grid, folder / "reports")
        second = ours(grid, folder / "reports")
        (folder / "peer").mkdir()
        other, n = peer(plan, folder / "peer")
    print(
        f"{len(plan.reports)} reports: {other / first:.1f} times as fast as papermill from the "
        f"command line, {PROCESSES} processes ({first:.0f} s with all that is written, the "
        f"peer's {n} notebooks {other:.0f} s); again, unchanged: {second:.1f} s, "
        f"{second / first:.1%} of it"
    )


if __name__ == "__main__":
    main()
