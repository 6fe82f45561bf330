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
from evaluation.gains.result import IncomeGains

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
    effect: `lee_bounds`. Looked at are villages known untreated in a year before the last
    cohort's start, for those first seen later have no part in the effect.
    """
    gains, observed = subject.gains, np.isfinite(subject.gains.fit.design.outcome)
    if observed.all():
        return Check(
            verdict="passed", statistic=0.0, statistic_name=_STATISTIC,
            sentence="No outcome is missing in any village and year.",
        )  # fmt: skip
    looked_at = _mark_known_before(gains)
    if not (looked_at & subject.panel.is_treated).any():
        raise DesignError("no treated village is known before its treatment.")
    other = _observe(subject.panel, observed, looked_at)
    found = subject.reestimate(other, covariates=(), trends=False)
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
        interval = f"{level} interval {low:+z.2f} to {high:+z.2f}"
    meaning = {
        None: "Without an interval of the difference there is no rule.",
        True: "The difference is no accident: part of the effect may come from it.",
        False: "The difference may be an accident, which does not show that the same kind of "
        "village is missing in both groups.",
    }[clear]
    start = subject.panel.cohort <= subject.panel.years[-1]
    n_treated, n_out = int(start.sum()), int((start & ~looked_at).sum())
    who = "Treated villages'"
    if n_out:
        who = (
            f"{n_out:,} of {n_treated:,} treated villages are known in no year before "
            "treatment: they have no part in the effect, and none here. The others'"
        )
    sentence = (
        f"{1 - observed.mean():.1%} of outcomes are missing. {who} are known in {share:.1%} "
        "of their treated years, "
        f"{100 * row['estimate']:+z.2f} percentage points "
        f"({interval}) from what it would be without the programme. The average effect is "
        f"{tell(main, subject)}. {told} {meaning}"
    )

    def draw(axes: Axes, amounts: Amounts) -> None:
        panel, treated = subject.panel, subject.panel.is_treated
        for kind, label in ((treated, "treated villages"), (~treated, "never treated")):
            if (some := kind & looked_at).any():
                axes.plot(panel.years, 100 * observed[some].mean(axis=0), "o-", label=label)
        axes.set_xticks(panel.years, panel.years.astype(str).tolist())
        axes.set_ylabel("outcomes known, %")
        axes.legend(frameon=False)

    return Check(
        verdict=judge_by(None if clear is None else not clear), sentence=sentence,
        statistic=row["estimate"], statistic_name=_STATISTIC, money=POINT, draw=draw,
        table=pd.DataFrame(findings, columns=["finding", *_SHARES, *POINT]),
    )  # fmt: skip


def _mark_known_before(gains: IncomeGains) -> Bools:
    """Mark villages that are known untreated before the last cohort's start.

    One rule for treated and comparison villages: if the former alone had to be known before,
    their share known before would be larger for that reason.
    """
    design = gains.fit.design
    last = design.cohort[design.cohort <= design.years[-1]].max()
    before = design.years < last - gains.options.anticipation
    return np.asarray(design.own[:, before].any(axis=1))


def _observe(panel: VillagePanel, observed: Bools, looked_at: Bools) -> VillagePanel:
    """Make whether the outcome is known the outcome, unknown for villages not looked at."""
    variable = Variable(
        name=_OBSERVED, role="outcome", label="outcome known", unit="", scale="level", column=""
    )
    return replace(
        panel,
        matrices={**panel.matrices, _OBSERVED: np.where(looked_at[:, None], observed, np.nan)},
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
