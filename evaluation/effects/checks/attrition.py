"""Whether outcomes are missing in another way among treated villages, and what that can do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.data.panel import OutcomeScale, Variable, VillagePanel
from evaluation.effects.check import Amounts, Check, Subject, asks, judge_by
from evaluation.effects.checks.lee import LeeBounds, lee_bounds
from evaluation.effects.checks.side_by_side import POINT, average_row, excludes_zero, tell
from evaluation.errors import DesignError
from evaluation.gains.moments import Bools

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OBSERVED = "observed"
_SHARES = ("share", "share_low", "share_high")
_STATISTIC = "difference in the share of outcomes known"


@asks(
    "Missing outcomes",
    "Are outcomes missing more often, or less, once villages are treated?",
    theme="data",
    if_failed="outcomes are missing in another way among treated villages, which can make an "
    "effect by itself",
)
def check_attrition(subject: Subject) -> Check:
    """Compare how often the outcome is known among treated and comparison villages.

    Notes
    -----
    The difference in differences of whether the outcome (with its covariates) is known, by the
    same imputation and clusters; failed if its interval excludes zero. What that can do to the
    effect: `lee_bounds`.
    """
    gains, observed = subject.gains, np.isfinite(subject.gains.fit.design.outcome)
    if observed.all():
        return Check(
            verdict="passed", statistic=0.0, statistic_name=_STATISTIC,
            sentence="No outcome is missing in any village and year.",
        )  # fmt: skip
    found = subject.reestimate(_observe(subject.panel, observed), covariates=(), trends=False)
    main, row = average_row(gains), average_row(found)
    cells = found.cells
    share = float((cells.weights * observed[cells.rows]).sum() / cells.weights.sum())
    findings = [
        {"finding": "known, treated village-years", "share": share},
        {"finding": "the same without the programme", "share": share - row["estimate"]},
        {"finding": "difference", "share": row["estimate"], "share_low": row["conf_low"],
         "share_high": row["conf_high"]},
        {"finding": "average effect"} | {column: main[column] for column in POINT},
    ]  # fmt: skip
    try:
        bounds = lee_bounds(gains, found)
        findings += [
            {"finding": "lowest average effect (Lee)", "estimate": bounds.low},
            {"finding": "highest average effect (Lee)", "estimate": bounds.high},
        ]
        told = _tell_bounds(bounds, subject)
    except DesignError as error:
        told = f"No Lee bounds: {error}"
    clear, level = excludes_zero(row), f"{1 - gains.options.alpha:.0%}"
    interval = "no interval"
    if clear is not None:
        low, high = 100 * row["conf_low"], 100 * row["conf_high"]
        interval = f"{level} interval {low:+.2f} to {high:+.2f}"
    meaning = {
        None: "Without an interval of the difference there is no rule.",
        True: "The difference is no accident: part of the effect may come from it.",
        False: "The difference may be an accident, which does not show that the same kind of "
        "village is missing in both groups.",
    }[clear]
    points = round(100 * float(row["estimate"]), 2) + 0.0  # not -0.00
    sentence = (
        f"{1 - observed.mean():.1%} of outcomes are missing. Treated villages' are known in "
        f"{share:.1%} of their treated years, {points:+.2f} percentage points "
        f"({interval}) from what it would be without the programme. The average effect is "
        f"{tell(main, subject)}. {told} {meaning}"
    )

    def draw(axes: Axes, amounts: Amounts) -> None:
        panel, treated = subject.panel, subject.panel.is_treated
        for some, label in ((treated, "treated villages"), (~treated, "never treated")):
            if some.any():
                axes.plot(panel.years, 100 * observed[some].mean(axis=0), "o-", label=label)
        axes.set_xticks(panel.years, panel.years.astype(str).tolist())
        axes.set_ylabel("outcomes known, %")
        axes.legend(frameon=False)

    return Check(
        verdict=judge_by(None if clear is None else not clear), sentence=sentence,
        statistic=row["estimate"], statistic_name=_STATISTIC, money=POINT, draw=draw,
        table=pd.DataFrame(findings, columns=["finding", *_SHARES, *POINT]),
    )  # fmt: skip


def _observe(panel: VillagePanel, observed: Bools) -> VillagePanel:
    """Make whether the outcome is known the outcome."""
    variable = Variable(
        name=_OBSERVED, role="outcome", label="outcome known", unit="", scale="level", column=""
    )
    return replace(
        panel,
        matrices={**panel.matrices, _OBSERVED: observed.astype(float)},
        variables={**panel.variables, _OBSERVED: variable},
        outcome=_OBSERVED,
        analysis=OutcomeScale(),
    )


def _tell_bounds(bounds: LeeBounds, subject: Subject) -> str:
    amounts, more = subject.amounts, ""
    if np.isfinite(bounds.conf_low):
        low, high = amounts.number(bounds.conf_low), amounts.number(bounds.conf_high)
        more = f"; with sampling error {low} to {high}"
    return (
        "If the programme moves what is known in one direction only, it is "
        f"{amounts.number(bounds.low)} to {amounts.tell(bounds.high)} in village-years known "
        f"either way (Lee bounds, {bounds.trimmed:.2%} of {bounds.group} villages' changes "
        f"trimmed{more})."
    )
