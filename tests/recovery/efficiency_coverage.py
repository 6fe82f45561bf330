"""How often sets of gain per yuan cover the truth in invented panels with ledgers.

`python -m tests.recovery.efficiency_coverage` writes efficiency_coverage.csv: a row for the
programme, its forty counties and their villages in each case. A panel is one of a world of
worlds.py, its money is drawn; the truth is the sum of true gains over that of true money. With
errors of money the ledger holds each village's money with an independent relative error, whose
standard deviation the sets are told.
"""

import csv
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.efficiency.ratios import funding_efficiency
from evaluation.gains.estimate import estimate_gains
from tests.efficiency.ledgers import random_ledger
from tests.recovery.worlds import SD, World, make_panel

SEED = 20_210_708
PANELS = 300
TABLE = Path(__file__).with_name("efficiency_coverage.csv")
KINDS = ("programme", "county", "village")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A world, the relative error of money, and how gain per yuan is asked for."""

    name: str
    world: World = field(default_factory=World)
    money_error: float = 0.0
    options: dict = field(default_factory=dict)


CASES = [
    Case(name="money known"),
    Case(name="money with an error of .2", money_error=0.2),
    # Where gains are known so well that the error of money is most of that of the ratio.
    Case(
        name="money with an error of .2, large gains",
        world=World(gain=8.0),
        money_error=0.2,
    ),
    Case(
        name="money known, staggered, 3% missing, cumulative",
        world=World(staggered=True, missing=0.03),
        options={"horizon": "cumulative"},
    ),
]


def run_case(case, *, panels=PANELS, seed=SEED, told=None):
    """Give by kind the share of sets that cover the truth, and of those without two ends."""
    told = case.money_error if told is None else told
    found = [
        _cover(case, np.random.default_rng([seed, panel]), told) for panel in range(panels)
    ]
    rows = []
    for kind, frames in zip(KINDS, zip(*found, strict=True), strict=True):
        frame = pd.concat(frames)
        given = frame[frame["kind"] != "none"]
        rows.append(
            {
                "case": case.name,
                "what": kind,
                "coverage": round(float(given["covered"].mean()), 4),
                "given": round(len(given) / len(frame), 4),
                "unbounded": round(float((given["kind"] != "bounded").mean()), 4),
                "n": len(frame),
                "panels": panels,
                "seed": seed,
            }
        )
    return rows


def _cover(case, generator, told):
    """Say of each set of one panel's whether it covers the truth; a frame for each kind."""
    panel, gains, _ = make_panel(case.world, generator)
    ledger = random_ledger(panel, int(generator.integers(2**32)), size=10 * SD)
    true_money = ledger.entries.groupby("village")["amount"].sum()
    error = case.money_error * generator.standard_normal(len(true_money))
    factor = (1 + error).clip(min=0)  # an amount is not negative, whatever is wrong with it
    ledger.entries["amount"] *= ledger.entries["village"].map(
        pd.Series(factor, index=true_money.index)
    )
    found = funding_efficiency(estimate_gains(panel), ledger, money_error=told, **case.options)
    rows = panel.villages.index[found.gains.cells.rows]
    true = pd.DataFrame(
        {"gain": np.nansum(found.weights * gains[found.gains.cells.rows], axis=1)}, index=rows
    ).join(true_money.rename("money"))
    true = true[found.villages["group"].reindex(rows) == ""]
    labels = {"programme": pd.Series("all", true.index), "county": panel.villages["county"],
              "village": true.index.to_series()}  # fmt: skip
    for kind in KINDS:
        sums = true.groupby(labels[kind].reindex(true.index)).sum()
        frame = found.villages if kind == "village" else found.by(kind)
        frame = frame.loc[sums.index]
        yield frame[["kind"]].assign(covered=_inside(frame, sums["gain"] / sums["money"]))


def _inside(frame, true):
    bounded = (frame["low"] <= true) & (true <= frame["high"])
    outside = (true <= frame["high"]) | (true >= frame["low"])
    return bounded.where(frame["kind"] == "bounded", outside) | (frame["kind"] == "whole line")


def main():
    panels = int(sys.argv[1]) if sys.argv[1:] else PANELS
    rows = [row for case in CASES for row in run_case(case, panels=panels)]
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
