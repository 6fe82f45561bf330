"""How often intervals cover the truth in invented panels: `make coverage` writes coverage.csv.

Each case is a world (worlds.py) and what is estimated in it. Coverage is over villages (or
averages) and repetitions; what is printed without an interval is not counted but its share is
told in `given`.
"""

import csv
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from evaluation.gains.estimate import estimate_gains
from evaluation.gains.selection import select_top
from tests.recovery.worlds import World, make_panel

TABLE = Path(__file__).with_name("coverage.csv")
SEED = 20_210_708
REPETITIONS = 1_000
FDR, TOP = 0.1, 0.1
COLUMNS = (
    "case",
    "what",
    "nominal",
    "coverage",
    "given",
    "bias_in_sd",
    "n",
    "repetitions",
    "seed",
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A world, what is estimated in it, and with which options."""

    name: str
    world: World
    what: str  # villages, averages, shrunken
    alpha: float = 0.05
    options: dict = field(default_factory=dict)
    share: float = 1.0  # of the repetitions


def _village_cases():
    return [
        Case(
            name=f"villages, AR(1) {rho}, {years} untreated years",
            world=World(rho=rho, n_untreated=years),
            what="villages",
            alpha=alpha,
            share=0.2,
        )
        for alpha in (0.05, 0.1)
        for rho in (0.0, 0.5, 0.9)
        for years in (5, 8, 12)
    ]


CASES = [
    *_village_cases(),
    Case(
        name="villages, trends of their own",
        world=World(n_untreated=8),
        what="villages",
        options={"trends": True},
        share=0.2,
    ),
    Case(
        name="villages chosen for a low income the year before",
        world=World(selection=2.0, level_sd=0.5),
        what="villages",
        share=0.2,
    ),
    Case(
        name="the same, that year left out (anticipation=1)",
        world=World(selection=2.0, level_sd=0.5, n_untreated=6),
        what="villages",
        options={"anticipation": 1},
        share=0.2,
    ),
    *(
        Case(name=f"40 counties{more}", world=world, what="averages", alpha=alpha)
        for alpha in (0.05, 0.1)
        for more, world in {
            "": World(),
            ", staggered, 3% missing": World(staggered=True, missing=0.03),
            ", 20 of them treated whole": World(treated_counties=20, treated=8, comparison=8),
            ", 4 of them treated whole": World(treated_counties=4, treated=8, comparison=8),
        }.items()
    ),
    *(
        Case(name=f"{name}", world=world, what="averages", alpha=alpha)
        for alpha in (0.05, 0.1)
        for name, world in {
            "8 counties": World(counties=8, treated=10, comparison=30),
            "8 counties, 4 of them treated whole": World(
                counties=8, treated=20, comparison=20, treated_counties=4
            ),
            "8 counties, 2 of them treated whole": World(
                counties=8, treated=20, comparison=20, treated_counties=2
            ),
            "4 counties": World(counties=4, treated=20, comparison=50),
        }.items()
    ),
    Case(
        name="4 counties, year effects by county",
        world=World(counties=4, treated=20, comparison=50),
        what="averages",
        options={"year_effects": "county"},
    ),
    Case(
        name="40 counties, year effects by county",
        world=World(staggered=True, missing=0.03),
        what="averages",
        options={"year_effects": "county"},
        share=0.3,
    ),
    *(
        Case(
            name=f"shrunken, sd of gains {sd}",
            world=World(gain_sd=sd),
            what="shrunken",
            share=0.3,
        )
        for sd in (0.3, 1.0)
    ),
]


def run_case(case, *, repetitions=REPETITIONS, seed=SEED):
    """Give a row for each thing that the case's intervals are of."""
    n = max(1, round(repetitions * case.share))
    found = {}
    for repetition in range(n):
        generator = np.random.default_rng([seed, repetition])
        for what, *cells in MEASURES[case.what](case, generator):
            found.setdefault(what, []).append(np.broadcast_arrays(*map(np.atleast_1d, cells)))
    rows = []
    for what, parts in found.items():
        covered, error = (np.concatenate([p[k] for p in parts]).astype(float) for k in (0, 1))
        given = np.isfinite(covered)
        rows.append(
            {
                "case": case.name,
                "what": what,
                "nominal": FDR if "false" in what else 1 - case.alpha,
                "coverage": round(covered[given].mean(), 4) if given.any() else "",
                "given": round(given.mean(), 4),
                "bias_in_sd": round(error.mean(), 4),
                "n": len(covered),
                "repetitions": n,
                "seed": seed,
            }
        )
    return rows


def _villages(case, generator):
    panel, gains, sd = make_panel(case.world, generator)
    frame = estimate_gains(panel, alpha=case.alpha, **case.options).villages
    rows = panel.villages.index.get_indexer(frame.index)
    true, sd = np.nanmean(gains[rows], axis=1), sd[rows]
    covered, error = _covered(frame, true), (frame["gain"].to_numpy() - true) / sd
    noisiest = sd >= np.quantile(sd, 0.75)
    yield "villages", covered, error
    yield "villages, the truly noisiest quarter", covered[noisiest], error[noisiest]
    guessed = frame["spread"].to_numpy()
    for name, some in (
        ("noisiest", guessed >= np.quantile(guessed, 0.75)),
        ("quietest", guessed <= np.quantile(guessed, 0.25)),
    ):
        yield f"villages, the {name} quarter by estimate", covered[some], error[some]


def _averages(case, generator):
    panel, gains, _ = make_panel(case.world, generator)
    found = estimate_gains(panel, alpha=case.alpha, **case.options)
    event_time = panel.years - panel.cohort[:, None]
    counted = np.zeros(gains.shape, dtype=bool)
    counted[found.cells.rows] = found.cells.counted
    gains = np.where(counted, gains, np.nan)
    scale = 10_000.0
    for name, by in (
        ("programme", "programme"),
        ("event time", "event_time"),
        ("county", "county"),
    ):
        table = found.by(by)
        if by == "programme":
            true = np.array([np.nanmean(gains)])
        elif by == "event_time":
            true = np.array([np.nanmean(gains[event_time == h]) for h in table.index])
        else:
            county = panel.villages["county"].to_numpy()
            true = np.array([np.nanmean(gains[county == name]) for name in table.index])
        yield name, _covered(table, true), (table["estimate"].to_numpy() - true) / scale


def _shrunken(case, generator):
    panel, gains, _ = make_panel(case.world, generator)
    found = estimate_gains(panel, alpha=case.alpha, **case.options)
    frame = found.shrink().villages
    rows = panel.villages.index.get_indexer(frame.index)
    true = np.nanmean(gains[rows], axis=1)
    error = (frame["posterior_mean"].to_numpy() - true) / 10_000
    yield "empirical Bayes", _covered(frame, true), error
    top = select_top(frame["posterior_mean"], frame["posterior_sd"], share=TOP, fdr=FDR)
    chosen = top.selected.to_numpy()
    wrong = true[chosen] < np.quantile(true, 1 - TOP)
    yield "selected villages that are false", wrong.sum() / max(1, chosen.sum()), 0.0


MEASURES = {"villages": _villages, "averages": _averages, "shrunken": _shrunken}


def _covered(frame, true):
    low, high = frame["conf_low"].to_numpy(), frame["conf_high"].to_numpy()
    return np.where(np.isnan(low), np.nan, (low <= true) & (true <= high))


def main():
    repetitions = int(sys.argv[1]) if sys.argv[1:] else REPETITIONS
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        tables = list(pool.map(_run, [(case, repetitions) for case in CASES]))
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for rows in tables:
            writer.writerows(rows)
            for row in rows:
                print(", ".join(f"{key} {value}" for key, value in row.items()))


def _run(task):
    case, repetitions = task
    return run_case(case, repetitions=repetitions)


if __name__ == "__main__":
    main()
