"""How often estimators' intervals cover the average effect in simulated Jining panels.

`python -m tests.recovery.effects_coverage` writes effects_coverage.csv: for each estimator, in
worlds in which its assumptions hold, the bias as a share of the true effect and the coverage,
of the effect on the treated villages of that panel and of its mean over all panels.
"""

import csv
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.data.panel import Variable, VillagePanel
from evaluation.data.prices import deflators, read_price_index
from evaluation.data.simulate import simulate_programme
from evaluation.data.simulation_options import KINDS, SOURCES, SimulationOptions
from evaluation.effects.estimate import ESTIMATORS, estimate_effects

TABLE = Path(__file__).with_name("effects_coverage.csv")
REPETITIONS = 1_000
COLUMNS = (
    "world", "estimator", "effect", "bias_share", "coverage", "coverage_of_mean", "given",
    "se_over_sd", "repetitions",
)  # fmt: skip

COUNTIES = ("Sishui", "Weishan", "Yutai", "Liangshan")
# Counties and their money are the same in every panel, and no drawing: gains differ by the luck
# of villages (gain_sd), which is drawn anew, and not by money.
USUAL = {
    "comparison": 10, "missing": 0.0, "rounding_up": 0.0,
    "funds": {county: dict.fromkeys(SOURCES, 1_000.0) for county in COUNTIES},
    "treated": dict.fromkeys(COUNTIES, 20),
    "money_sd": 0.0, "pooled": 0.0, "gain_sd": 0.5,
}  # fmt: skip
# No luck either, nor phases: the effect is one number, as two-way fixed effects assume.
CONSTANT = {
    **USUAL, "gain_sd": 0.0, "decay": 0.0, "phase_in": (1.0,), "elasticity": 0.05,
}  # fmt: skip
WORLDS = {
    "gains differ, staggered": (USUAL, ESTIMATORS),
    "one effect, staggered": (CONSTANT, ESTIMATORS),
}


def to_panel(simulation):
    """Give a simulation as the panel that its study would be read as, and its true gains."""
    options, frame = simulation.options, simulation.villages
    years = np.array(options.years)
    first = frame.groupby("village", sort=False, observed=True).first()
    n = len(first)

    def matrix(name):
        return frame[name].to_numpy(float).reshape(n, len(years))

    kinds = [f"income_{kind}" for kind in KINDS]
    real = deflators(read_price_index("china"), options.years, base_year=options.base_year)
    matrices = {kind: matrix(kind) * real for kind in kinds}
    matrices["income"] = sum(matrices[k] for k in kinds if k != "income_subsidy")
    matrices["households"] = matrix("households")
    roles = {"income": "outcome", "households": "covariate"}
    villages = pd.DataFrame(
        {name: first[name].astype(str) for name in ("county", "town", "name")}
    )
    villages["cohort"] = first["cohort"].to_numpy(float)
    villages[["longitude", "latitude"]] = first[["longitude", "latitude"]].to_numpy(float)
    villages.index = villages.index.astype(str)
    panel = VillagePanel(
        villages=villages,
        years=years.astype(np.int64),
        matrices=matrices,
        variables={
            name: Variable(
                name=name, role=roles.get(name, "income"), label=name,
                unit="" if name == "households" else "yuan", scale="level", column=name,
            )
            for name in matrices
        },
        outcome="income",
        rows=np.isfinite(matrices["income"]),
        hedged=pd.DataFrame(),
        price_year=options.base_year,
    )  # fmt: skip
    truth = simulation.truth
    gains = np.full((n, len(years)), np.nan)
    at = villages.index.get_indexer(truth["village"].astype(str))
    gains[at, truth["year"].to_numpy() - years[0]] = truth["gain"].to_numpy()
    return panel, np.where(np.isfinite(matrices["income"]), gains, np.nan)


def run_one(world, seed):
    """Give for each estimator the true effect, the estimate, its se and its interval."""
    options, estimators = WORLDS[world]
    panel, gains = to_panel(simulate_programme(SimulationOptions(**options), seed=seed))
    table = estimate_effects(
        panel, estimators=estimators, covariates=("households",), year_effects="county"
    )
    true = float(np.nanmean(gains))
    rows = table.overall[["estimate", "se", "conf_low", "conf_high"]].astype(float)
    return [(world, name, true, *row) for name, *row in rows.itertuples()]


def summarise(found):
    """Give a row a world and estimator."""
    names = ["world", "estimator", "true", "estimate", "se", "low", "high"]
    frame = pd.DataFrame(found, columns=names)
    rows = []
    for (world, estimator), part in frame.groupby(["world", "estimator"], sort=False):
        mean = part["true"].mean()
        known = part[part["low"].notna()]
        rows.append(
            {
                "world": world,
                "estimator": estimator,
                "effect": round(mean),
                "bias_share": round(float((part["estimate"] - part["true"]).mean() / mean), 4),
                "coverage": _share(known["true"].between(known["low"], known["high"])),
                "coverage_of_mean": _share((known["low"] <= mean) & (mean <= known["high"])),
                "given": _share(part["low"].notna()),
                "se_over_sd": round(float(known["se"].mean() / part["estimate"].std()), 3),
                "repetitions": len(part),
            }
        )
    return rows


def _share(true):
    return round(float(true.mean()), 4) if len(true) else ""


def _run(job):
    return run_one(*job)


def main():
    repetitions = int(sys.argv[1]) if sys.argv[1:] else REPETITIONS
    jobs = [(world, seed) for world in WORLDS for seed in range(repetitions)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = [row for rows in pool.map(_run, jobs, chunksize=4) for row in rows]
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(summarise(found))


if __name__ == "__main__":
    main()
