"""Group-time effects (Callaway, Sant'Anna 2021), adjusted or matched, and their averages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from evaluation.effects.cohort_years import (
    CohortYear,
    average_cohort_years,
    compare_cohort_years,
)
from evaluation.effects.estimates import Estimates, collect, judge
from evaluation.effects.setup import Setup, check_choice
from evaluation.effects.weights import Method
from evaluation.errors import DesignError
from evaluation.gains.clusters import fewest_clusters, takes_part, too_few
from evaluation.language import mark, say, sentences

GroupTime = Literal["callaway_santanna", "matched_did"]
By = Literal["cohort", "year", "event_time"]
_COLUMNS = [
    "cohort", "year", "event_time", "att", "se", "n_treated", "n_comparison", "reason",
]  # fmt: skip


def estimate_callaway_santanna(setup: Setup) -> Estimates:
    """Average group-time effects over treated village-years, and by years since treatment.

    With covariates, comparison villages are weighed and adjusted by their baseline ("doubly
    robust"); without, changes are compared as they are.

    Returns
    -------
    Estimates; its note says which cohort-years were left out, and why.

    Raises
    ------
    DesignError
        If no cohort can be compared in a treated year.

    Notes
    -----
    ATT(g, t) = E[Y_t - Y_b | cohort g] - E[Y_t - Y_b | comparison], with b the last year
    before g - anticipation, also for years t before b. Comparison villages are never treated
    within the years, or not yet by max(t, b) + anticipation. If both would have changed alike
    from b to t without the programme (with covariates: those with the same covariates in year
    b), this is the mean effect on cohort g in year t. It takes villages known in both years,
    so that with holes they differ from year to year.

    Cohort-years are averaged by their treated villages. In a panel without holes this is R
    did's att_gt(base_period = "universal", est_method = "dr") and aggte ("simple" and
    "dynamic"), with its analytic standard errors where each village is its own cluster;
    covariates that vary are those of year b before b too, where R takes year t's. Errors of
    an average over few villages of one cohort are too small: one village's vanishes.

    Callaway, Sant'Anna (2021, doi:10.1016/j.jeconom.2020.12.001); Sant'Anna, Zhao (2020,
    doi:10.1016/j.jeconom.2020.06.003).
    """
    return _estimate(setup, "callaway_santanna")


def estimate_matched_did(setup: Setup) -> Estimates:
    """Average group-time effects against comparison villages weighed to the same baseline.

    Returns
    -------
    Estimates; its note says which cohort-years were left out, and why, and as how few equal
    villages the weighted ones count.

    Raises
    ------
    DesignError
        If there are no covariates, or no cohort can be compared in a treated year.

    Notes
    -----
    Effects and averages are those of `estimate_callaway_santanna`, with weighted means. The
    assumption: villages with the same covariates in the year before treatment would have
    changed alike. With "entropy" it is enough that the change is linear in them, or the log
    odds of treatment are (Hainmueller 2012, doi:10.1093/pan/mpr025; Zhao, Percival 2017,
    doi:10.1515/jci-2016-0010). Errors are too small where the weighted comparison villages
    count as hardly more than there are covariates.

    Outcomes before treatment are not matched on: comparison villages chosen for theirs are
    chosen for their errors too, and return to their own mean, which passes for an effect (Daw,
    Hatfield 2018, doi:10.1111/1475-6773.12993).
    """
    if not setup.covariates:
        raise DesignError(
            say(
                "matching needs covariates to match villages on. Name some that the programme "
                "does not change, such as covariates=['households']."
            )
        )
    return _estimate(setup, "matched_did")


def group_time_effects(
    setup: Setup, *, estimator: GroupTime = "callaway_santanna"
) -> pd.DataFrame:
    """Give the effect on each cohort in each year.

    Returns
    -------
    DataFrame: cohort, year, event_time, att, se (by the setup's clusters), n_treated,
    n_comparison (villages with a weight), reason (why there is no att or no se). Where
    villages are compared within their county, the mean over counties by treated villages.

    Examples
    --------
    >>> from evaluation import Study, load_data
    >>> from evaluation.effects.setup import EffectOptions, build_setup
    >>> panel = load_data(Study.load("data/jining_simulated")).panel
    >>> effects = group_time_effects(build_setup(panel, EffectOptions(cluster="town")))
    >>> effects.loc[effects["event_time"] == 0, ["cohort", "year", "n_treated"]].values.tolist()
    [[2019, 2019, 46], [2020, 2020, 31]]
    """
    cells, rows = _compare(setup, estimator), []
    for cohort, year in sorted({(cell.cohort, cell.year) for cell in cells}):
        some = [cell for cell in cells if (cell.cohort, cell.year) == (cohort, year)]
        reason = say("; ").join(dict.fromkeys(cell.reason for cell in some if cell.reason))
        att, se, n_treated = np.nan, np.nan, 0
        for mean in average_cohort_years(some, setup, lambda _: 0):
            n_clusters = int(takes_part(mean.parts).sum())
            att, n_treated, reason = mean.estimate, mean.n_cells, ""
            if n_treated == 1:
                reason = say("a single treated village has no standard error")
            elif n_clusters < fewest_clusters(setup.options.alpha):
                reason = too_few(n_clusters, n_clusters, setup.options.alpha)
            else:
                se = float(np.sqrt((mean.parts**2).sum()))
        n_comparison = sum(cell.n_comparison for cell in some)
        rows.append((cohort, year, year - cohort, att, se, n_treated, n_comparison, reason))
    return pd.DataFrame(rows, columns=_COLUMNS)


def average_by(
    setup: Setup, by: By, *, estimator: GroupTime = "callaway_santanna"
) -> pd.DataFrame:
    """Average the effects on treated village-years by cohort, year or years since treatment.

    Returns
    -------
    DataFrame: the column ``by`` and what `judge` gives. By event time also years before
    treatment. As R did's aggte, "group", "calendar" and "dynamic".

    Raises
    ------
    DesignError
        If no cohort can be compared in a treated year.
    """
    check_choice("by", by, By)

    def estimate(setup: Setup) -> Estimates:
        cells = _compare(setup, estimator, fail=True)
        some = [cell for cell in cells if by == "event_time" or cell.event_time >= 0]
        return collect(average_cohort_years(some, setup, lambda cell: int(getattr(cell, by))))

    _, frame = judge(estimate, setup)
    frame = frame.drop(columns="period").rename(columns={"event_time": by})
    return frame.astype({by: int})


def _estimate(setup: Setup, estimator: GroupTime) -> Estimates:
    cells = _compare(setup, estimator, fail=True)
    after = [cell for cell in cells if cell.event_time >= 0]
    (overall,) = average_cohort_years(after, setup, lambda _: 0)
    events = average_cohort_years(cells, setup, lambda cell: cell.event_time)
    return collect(
        [replace(overall, event_time=np.nan), *events],
        _describe(cells, setup, overall.n_villages, estimator),
    )


def _compare(setup: Setup, estimator: GroupTime, *, fail: bool = False) -> list[CohortYear]:
    """Compare cohorts year by year; if asked to, fail where none can be after treatment."""
    check_choice("estimator", estimator, GroupTime)
    method: Method = "means"
    if setup.covariates:
        method = setup.options.matching if estimator == "matched_did" else "doubly_robust"
    cells = compare_cohort_years(setup, method=method)
    if not fail or any(cell.event_time >= 0 and not cell.reason for cell in cells):
        return cells
    ways = [say("name fewer covariates")] if setup.covariates else []
    if setup.options.comparison == "never_treated":
        ways.append(say("take comparison='not_yet_treated'"))
    if len(np.unique(setup.group)) > 1:
        ways.append(say("compare across counties (year_effects='common')"))
    raise DesignError(
        say(
            "no cohort can be compared in a treated year: {told}. It may help to {ways}.",
            told=_count_reasons(cells) or say("no cohort is known before its treatment"),
            ways=say(", or to ").join(ways or [say("add comparison villages")]),
        )
    )


def _count_reasons(cells: Sequence[CohortYear]) -> str:
    counts = Counter(cell.reason for cell in cells if cell.reason)
    told = [say("{reason} ({n:,})", reason=why, n=n) for why, n in counts.most_common()]
    return say("; ").join(told)


def _describe(
    cells: Sequence[CohortYear], setup: Setup, n_villages: int, estimator: GroupTime
) -> str:
    """Say what was left out, and how few comparison villages weights may rest on."""
    notes = []
    left_out = sum(1 for cell in cells if cell.reason)
    if left_out:
        notes.append(
            say(
                "{n:,} of {n_all:,} cohort-years left out: {told}.",
                n=left_out, n_all=len(cells), told=_count_reasons(cells),
            )
        )  # fmt: skip
    if missing := int(setup.treated.sum()) - n_villages:
        told = mark(
            "{n:,} treated villages take no part: not known in the year that changes are "
            "measured from, or in any treated year that is compared."
        )
        if setup.covariates:
            told = mark(
                "{n:,} treated villages take no part: not known with their covariates in the "
                "year that changes are measured from, or in any treated year that is compared."
            )
        notes.append(say(told, n=missing))
    if estimator == "matched_did":
        notes.append(
            say(
                "The weighted comparison villages count as {n:,.1f} equal ones where they are "
                "fewest.",
                n=min(cell.n_effective for cell in cells if not cell.reason),
            )
        )
    return sentences(*notes)
