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
from evaluation.language import mark, say, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OBSERVED = "observed"
_SHARES = ("share", "share_low", "share_high")
_STATISTIC = "difference in the share of outcomes known"


@asks(
    mark("Missing outcomes"),
    mark("Are outcomes missing more often, or less, once villages are treated?"),
    theme="data",
    if_failed=mark(
        "outcomes are missing in another way among treated villages, which can make an effect "
        "by itself"
    ),
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
            sentence=say("No outcome is missing in any village and year."),
        )  # fmt: skip
    looked_at = _mark_known_before(gains)
    if not (looked_at & subject.panel.is_treated).any():
        raise DesignError(say("no treated village is known before its treatment."))
    other = _observe(subject.panel, observed, looked_at)
    found = subject.reestimate(other, covariates=(), trends=False)
    main, row = average_row(gains), average_row(found)
    cells = found.cells
    share = float((cells.weights * observed[cells.rows]).sum() / cells.weights.sum())
    findings = [
        {"finding": mark("known, treated village-years"), "share": share},
        {"finding": mark("the same without the programme"), "share": share - row["estimate"]},
        {"finding": mark("difference"), "share": row["estimate"],
         "share_low": row["conf_low"], "share_high": row["conf_high"]},
        {"finding": mark("average effect")} | {column: main[column] for column in POINT},
    ]  # fmt: skip
    try:
        bounds = lee_bounds(gains, found)
        findings += [
            {"finding": mark("lowest average effect (Lee)"), "estimate": bounds.low},
            {"finding": mark("highest average effect (Lee)"), "estimate": bounds.high},
        ]
        told = _tell_bounds(bounds, subject)
    except DesignError as error:
        told = say("No Lee bounds: {reason}", reason=error)
    clear = excludes_zero(row)
    interval = say("no interval")
    if clear is not None:
        interval = say(
            "{level:.0%} interval {low:+z.2f} to {high:+z.2f}", level=1 - gains.options.alpha,
            low=100 * row["conf_low"], high=100 * row["conf_high"],
        )  # fmt: skip
    meaning = {
        None: say("Without an interval of the difference there is no rule."),
        True: say("The difference is no accident: part of the effect may come from it."),
        False: say(
            "The difference may be an accident, which does not show that the same kind of "
            "village is missing in both groups."
        ),
    }[clear]
    start = subject.panel.cohort <= subject.panel.years[-1]
    n_treated, n_out = int(start.sum()), int((start & ~looked_at).sum())
    out = say(
        "{n:,} of {total:,} treated villages are known in no year before treatment: they have "
        "no part in the effect, and none here.", n=n_out, total=n_treated,
    )  # fmt: skip
    sentence = sentences(
        say("{share:.1%} of outcomes are missing.", share=1 - observed.mean()),
        out if n_out else "",
        say(
            "{whose} are known in {share:.1%} of their treated years, {points:+z.2f} "
            "percentage points ({interval}) from what it would be without the programme.",
            whose=say("The others'") if n_out else say("Treated villages'"),
            share=share, points=100 * row["estimate"], interval=interval,
        ),
        say("The average effect is {effect}.", effect=tell(main, subject)),
        told,
        meaning,
    )  # fmt: skip

    def draw(axes: Axes, amounts: Amounts) -> None:
        panel, treated = subject.panel, subject.panel.is_treated
        kinds = (treated, say("treated villages")), (~treated, say("never treated"))
        for kind, label in kinds:
            if (some := kind & looked_at).any():
                axes.plot(panel.years, 100 * observed[some].mean(axis=0), "o-", label=label)
        axes.set_xticks(panel.years, panel.years.astype(str).tolist())
        axes.set_ylabel(say("outcomes known, %"))
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
    amounts = subject.amounts
    whose = {
        "treated": mark("{share:.2%} of treated villages' changes trimmed"),
        "comparison": mark("{share:.2%} of comparison villages' changes trimmed"),
    }
    trimmed = say(whose[bounds.group], share=bounds.trimmed)
    if np.isfinite(bounds.conf_low):
        trimmed = say(
            "{trimmed}; with sampling error {low} to {high}", trimmed=trimmed,
            low=amounts.number(bounds.conf_low), high=amounts.number(bounds.conf_high),
        )  # fmt: skip
    return say(
        "If the programme moves what is known in one direction only, it is {low} to {high} in "
        "village-years known either way (Lee bounds, {trimmed}).",
        low=amounts.number(bounds.low), high=amounts.tell(bounds.high), trimmed=trimmed,
    )  # fmt: skip
