"""Average effects on 100,000 villages x 12 years, against pyfixest on the same file.

Ours: all estimators that need no covariates, with their event studies, errors clustered by
county. The peer: pyfixest's two-way fixed effects, event study, and Sun and Abraham. Then the
whole notebook on the programme's effect. Each is a process of its own; time of the first two is
from reading the file on, memory the peak of the process or, of the notebook, of its kernel.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from tests.benchmarks.national import make_study

VILLAGES = 100_000
MODULES = {
    "ours": ("evaluation.data.load", "evaluation.effects.estimate"),
    "peer": ("pandas", "pyfixest"),
    "notebook": (),
}
SAME = 1e-6  # of a coefficient: both solve the same least squares


def ours(folder):
    from evaluation.data.load import load_data
    from evaluation.data.study import Study
    from evaluation.effects.estimate import estimate_effects

    table = estimate_effects(load_data(Study.load(folder)).panel, cluster="county")
    rows = table.overall[["estimate", "se"]].astype(float)
    return {name: list(row) for name, row in zip(rows.index, rows.to_numpy(), strict=True)}


def peer(folder):
    import pandas as pd
    import pyfixest as pf

    table = pd.read_parquet(folder / "national.parquet")
    table["code"] = pd.factorize(table["code"])[0]
    table["county"] = pd.factorize(table["county"])[0]
    table["treated"] = (table["year"] >= table["cohort"]).astype(float)
    time = (table["year"] - table["cohort"]).fillna(-1).astype(int)
    table = table.assign(event_time=time, cohort=table["cohort"].fillna(0).astype(int))
    errors = {"CRV1": "county"}
    fit = pf.feols("income ~ treated | code + year", table, vcov=errors)
    pf.feols("income ~ i(event_time, ref=-1) | code + year", table, vcov=errors)
    pf.event_study(  # its aggregate() finds no cell of this panel's cohorts
        table, yname="income", idname="code", tname="year", gname="cohort",
        estimator="saturated", cluster="county",
    )  # fmt: skip
    return {"twfe": [float(fit.coef().iloc[0]), float(fit.se().iloc[0])]}


def notebook(folder):
    from evaluation.report.execute import execute_notebook
    from evaluation.report.run import notebook_folder

    execute_notebook(
        notebook_folder() / "4_programme_effect.ipynb",
        {"study": f"{folder.name}/study.yml"},
        folder=folder,
        working_folder=folder.parent,
        parts={"panel", "comparison", "village-outcome"},
    )
    return {}


def run(what, folder):
    for module in MODULES[what]:
        import_module(module)
    start = time.perf_counter()
    estimates = {"ours": ours, "peer": peer, "notebook": notebook}[what](folder)
    seconds = time.perf_counter() - start
    whose = resource.RUSAGE_CHILDREN if what == "notebook" else resource.RUSAGE_SELF
    peak = resource.getrusage(whose).ru_maxrss / 1024
    return {"seconds": seconds, "peak": peak, "estimates": estimates}


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "national"
        folder.mkdir()
        make_study(folder, VILLAGES)
        found = {}
        for what in ("ours", "peer", "notebook"):
            call = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.bench_effects"]
            done = subprocess.run([*call, what, folder], check=True, capture_output=True)
            found[what] = json.loads(done.stdout.splitlines()[-1])
    ours, peer = found["ours"], found["peer"]
    for name, (estimate, se) in ours["estimates"].items():
        print(f"{name}: {estimate:,.2f} ({se:,.2f})")
    apart = abs(ours["estimates"]["twfe"][0] / peer["estimates"]["twfe"][0] - 1)
    assert apart < SAME, apart
    print(
        f"five estimators: {ours['seconds']:.1f} s, {peer['seconds'] / ours['seconds']:.1f} "
        f"times as fast as pyfixest's three, peak {ours['peak']:,.0f} MB, "
        f"{ours['peak'] / peer['peak']:.2f} of its"
    )
    notebook = found["notebook"]
    print(f"the notebook: {notebook['seconds']:.0f} s, peak {notebook['peak']:,.0f} MB")


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(run(sys.argv[1], Path(sys.argv[2]))))
    else:
        main()
