"""Effects where there should be none: before treatment, and on what it cannot move."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.data.panel import OutcomeScale, VillagePanel
from evaluation.effects.check import Amounts, Check, Subject, asks, judge_by, tell_p
from evaluation.effects.checks.side_by_side import (
    POINT,
    average_error,
    average_row,
    draw_rows,
    estimate_row,
    judge_clustered,
    judge_wild,
    smallest_p,
    tell,
)
from evaluation.effects.estimates import effective_clusters
from evaluation.errors import DesignError
from evaluation.gains.clusters import ENOUGH_CLUSTERS, Interval, fewest_clusters, takes_part
from evaluation.gains.moments import Floats
from evaluation.language import commas, mark, say, say_count, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_EARLIER, _MOST_ANTICIPATED = 3, 2  # years
_ROW = [*POINT, "p_value", "n_villages", "reason"]


@asks(
    mark("Treatment pretended earlier"),
    mark("Is there an effect in years before there was any treatment?"),
    theme="trends",
    if_failed=mark("an effect shows in years in which there was no treatment"),
)
def check_placebo_dates(subject: Subject) -> Check:
    """Pretend that treatment came 1, 2, 3 years earlier, on untreated years alone.

    Notes
    -----
    Treated years, and those that may be anticipated, are left out, and the imputation is made
    anew with cohorts moved back k years: the average effect over the k years should be zero
    if villages would have changed alike. Passed if the smallest p-value times the number of
    dates (Bonferroni) is not below alpha.
    """
    options = subject.gains.options
    rows = [
        {"years_earlier": k}
        | estimate_row(
            subject, _pretend(subject.panel, k, options.anticipation), anticipation=0
        )
        for k in range(1, _MOST_EARLIER + 1)
    ]
    table = pd.DataFrame(rows)[["years_earlier", *_ROW]]
    known = table[table["estimate"].notna()]
    if known.empty:
        raise DesignError(table["reason"].iloc[0])
    told = say("; ").join(
        say("{years} {effect}", years=_years(row["years_earlier"]), effect=tell(row, subject))
        for _, row in known.iterrows()
    )
    p, passed, ruled = _judge(known["p_value"], options.alpha)
    sentence = sentences(
        say(
            "Average effect (imputation) in untreated years, with treatment pretended earlier "
            "by {told}; {rule}", told=told, rule=ruled,
        ),
        {
            None: "",
            True: say("No effect shows before there was one, as far as errors allow to see."),
            False: say(
                "An effect shows where there can be none: treated villages were moving apart "
                "already, or were chosen for what happened to them in these years."
            ),
        }[passed],
    )  # fmt: skip

    def labels() -> list[str]:
        return [say("{years} earlier", years=_years(k)) for k in table["years_earlier"]]

    main = subject.gains.att["estimate"]
    return Check(
        verdict=judge_by(passed), sentence=sentence, statistic=p,
        statistic_name="smallest p-value, Bonferroni", table=table, money=POINT,
        draw=partial(draw_rows, rows=table, labels=labels, main=main),
    )  # fmt: skip


@asks(
    mark("Outcomes that the programme should not move"),
    mark("Did anything move with the programme that it cannot have moved?"),
    theme="trends",
    if_failed=mark(
        "what the programme should not move moved with it: treated villages changed for other "
        "reasons too"
    ),
)
def check_placebo_outcomes(subject: Subject) -> Check:
    """Estimate the effect on covariates that vary over the years and should not be moved.

    Notes
    -----
    Each variable of the panel whose role is covariate, in its own unit and in levels, by the
    same imputation without itself among the covariates. Passed if the smallest p-value times
    their number (Bonferroni) is not below alpha.
    """
    panel, options = subject.panel, subject.gains.options
    names = [
        key
        for key, variable in panel.variables.items()
        if variable.role == "covariate" and key != panel.outcome and _varies(panel.matrix(key))
    ]
    if not names:
        raise DesignError(
            say("the panel has no covariate that varies over the years, such as population.")
        )
    rows = []
    for key in names:
        other = replace(panel, outcome=key, analysis=OutcomeScale())
        kept = tuple(covariate for covariate in options.covariates if covariate != key)
        untreated = panel.matrix(key)[~panel.treated_cells & panel.is_treated[:, None]]
        mean = float(np.nanmean(untreated)) if np.isfinite(untreated).any() else np.nan
        row = estimate_row(subject, other, covariates=kept)
        variable = panel.variables[key]
        rows.append({"outcome": variable.label, "unit": variable.unit, "mean": mean, **row})
    table = pd.DataFrame(rows)[["outcome", "unit", "mean", *_ROW]]
    table.insert(4, "share_of_mean", table["estimate"] / table["mean"].abs())
    known = table[table["p_value"].notna()]
    if known.empty:
        raise DesignError(table["reason"].iloc[0])
    least = known.iloc[int(known["p_value"].argmin())]
    p, passed, ruled = _judge(known["p_value"], options.alpha)
    sentence = sentences(
        say("Estimated like the outcome (imputation): {names}.",
            names=commas(map(say, known["outcome"]))),
        say(
            "The clearest effect is on {outcome}, {effect}, {share:+z.1%} of its mean before "
            "treatment ({p}); {rule}",
            outcome=say(least["outcome"]), share=least["share_of_mean"],
            effect=f"{least['estimate']:+,.3g} {say(least['unit'])}".strip(),
            p=tell_p(least["p_value"]), rule=ruled,
        ),
        say(
            "Nothing else that was measured moved with the programme; what was not measured "
            "may."
        )
        if passed
        else say(
            "Unless the programme is meant to move it, treated villages changed for other "
            "reasons too, and the outcome may have moved for these."
        ),
    )  # fmt: skip

    def draw(axes: Axes, amounts: Amounts) -> None:
        shares = known[[*POINT]].div(known["mean"].abs(), axis=0)
        of_mean = Amounts(divisor=0.01, unit=say("% of mean"))
        draw_rows(axes, of_mean, rows=shares, labels=known["outcome"], main=0.0)

    return Check(
        verdict=judge_by(passed), sentence=sentence, statistic=p,
        statistic_name="smallest p-value, Bonferroni", table=table, draw=draw,
    )  # fmt: skip


@asks(
    mark("Effects before treatment began"),
    mark("Does the effect change if the last years before treatment may be affected?"),
    theme="trends",
    if_failed=mark(
        "the effect depends on whether the last years before treatment count as untreated"
    ),
)
def check_anticipation(subject: Subject) -> Check:
    """Count one and two more years before treatment as possibly affected, and compare.

    Notes
    -----
    With a more years that may be anticipated these are not used as untreated. If nothing was
    anticipated, both estimates have the same mean, and their difference is judged by the
    clusters' parts in it: clustered, below 30 clusters by `wild_interval` of the linearised
    pseudo-values theta + C part_c (Kline, Santos 2012, doi:10.1515/2156-6674.1006). Passed if
    the smallest p-value times the number of differences is not below alpha.
    """
    alpha, start = subject.gains.options.alpha, subject.gains.options.anticipation
    rows = [{"anticipation": start, **average_row(subject.gains)}]
    for k in range(start + 1, start + _MOST_ANTICIPATED + 1):
        rows.append({"anticipation": k, **_compare(subject, k)})
    columns = ["difference", "se_difference", "p_difference", "n_villages", "reason"]
    table = pd.DataFrame(rows).reindex(columns=["anticipation", *POINT, *columns])
    differences = table.iloc[1:]
    known = differences[differences["estimate"].notna()]
    if known.empty:
        raise DesignError(differences["reason"].iloc[0])
    _, passed, ruled = _judge(known["p_difference"], alpha)
    main = table.iloc[0]
    told = say("; ").join(
        say("{effect} with {years}", effect=tell(row, subject),
            years=_years(row["anticipation"]))
        for _, row in known.iterrows()
    )  # fmt: skip
    sentence = sentences(
        say(
            "The average effect (imputation) is {effect} with {years} before treatment left "
            "out, {told}.", effect=tell(main, subject), years=_years(start), told=told,
        ),
        say("Of the differences {rule}", rule=ruled),
        {
            None: "",
            True: say(
                "The effect does not hang on the last years before treatment counting as "
                "untreated."
            ),
            False: say(
                "The last years before treatment differ from earlier ones: something came "
                "before the treatment, or villages were chosen for a bad year, from which they "
                "recover by themselves."
            ),
        }[passed],
    )  # fmt: skip

    def labels() -> list[str]:
        return [say("{years} left out", years=_years(k)) for k in table["anticipation"]]

    return Check(
        verdict=judge_by(passed), sentence=sentence,
        statistic=float(known["difference"].abs().max()),
        statistic_name="largest change of the average effect", table=table,
        money=(*POINT, "difference", "se_difference", "statistic"),
        draw=partial(draw_rows, rows=table, labels=labels, main=main["estimate"]),
    )  # fmt: skip


def _pretend(panel: VillagePanel, years: int, anticipation: int) -> VillagePanel:
    """Leave out years that treatment may have touched, and move cohorts back."""
    cohort = panel.cohort - anticipation
    with np.errstate(invalid="ignore"):
        touched = panel.years >= cohort[:, None]
    outcome = np.where(touched, np.nan, panel.matrix())
    return replace(
        panel,
        villages=panel.villages.assign(cohort=cohort - years),
        matrices={**panel.matrices, panel.outcome: outcome},
    )


def _years(n: int) -> str:
    return say_count("{n} year", "{n} years", n) if n else say("no year")


def _varies(matrix: Floats) -> bool:
    known = np.isfinite(matrix).sum(axis=1) > 1
    return bool((np.nanmax(matrix[known], axis=1) > np.nanmin(matrix[known], axis=1)).any())


def _compare(subject: Subject, anticipation: int) -> dict[str, Any]:
    """Estimate with another anticipation, and judge the difference from the main estimate."""
    try:
        gains = subject.reestimate(anticipation=anticipation)
    except DesignError as error:
        return {"estimate": np.nan, "n_villages": 0, "reason": str(error)}
    main, own = average_error(subject.gains)
    other, parts = average_error(gains)
    effective, alpha = effective_clusters(subject.effects.setup), subject.gains.options.alpha
    judged, moved = Interval(), parts - own
    if effective >= fewest_clusters(alpha):
        judged = (
            judge_clustered(other - main, moved, alpha=alpha, effective=effective)
            if takes_part(moved).sum() >= ENOUGH_CLUSTERS
            else judge_wild(other - main, moved, alpha=alpha, seed=subject.seed)
        )
    return average_row(gains) | {
        "difference": other - main, "se_difference": judged.se, "p_difference": judged.p_value,
    }  # fmt: skip


def _judge(p_values: pd.Series[float], alpha: float) -> tuple[float, bool | None, str]:
    """Judge the smallest of p-values: itself times their number, the verdict, and the rule."""
    p, n = smallest_p(p_values)
    if not n:
        return p, None, say("there are too few clusters for a test.")
    told = {"n": n, "p": tell_p(p), "alpha": alpha}
    if p >= alpha:
        rule = say("the smallest p-value, times {n}: {p}, not below {alpha:g}.", **told)
    else:
        rule = say("the smallest p-value, times {n}: {p}, below {alpha:g}.", **told)
    return p, bool(p >= alpha), rule
