"""Effects where there should be none: before treatment, and on what it cannot move."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.data.panel import OutcomeScale, VillagePanel
from evaluation.effects.check import Amounts, Check, Subject, Verdict, not_possible
from evaluation.effects.checks.coefficients import tell_p
from evaluation.effects.checks.side_by_side import (
    average_error,
    average_row,
    draw_rows,
    estimate_row,
    tell,
)
from evaluation.effects.estimates import effective_clusters
from evaluation.errors import DesignError
from evaluation.gains.clusters import (
    ENOUGH_CLUSTERS,
    Interval,
    clustered_interval,
    fewest_clusters,
    takes_part,
    wild_interval,
)
from evaluation.gains.moments import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = ["estimate", "conf_low", "conf_high", "p_value", "n_villages", "reason"]
_MONEY = ("estimate", "conf_low", "conf_high")


def check_placebo_dates(subject: Subject, *, most: int = 3) -> Check:
    """Pretend that treatment came 1, 2, ... years earlier, on untreated years alone.

    Parameters
    ----------
    most
        How many years at most.

    Notes
    -----
    Treated years, and those that may be anticipated, are left out, and the imputation is made
    anew with cohorts moved back k years: the average effect over the k years should be zero
    if villages would have changed alike. Passed if the smallest p-value times the number of
    dates (Bonferroni) is not below alpha.
    """
    name, title = "placebo_dates", "Treatment pretended earlier"
    question = "Is there an effect in years before there was any treatment?"
    options = subject.gains.options
    rows = [
        {"years_earlier": k}
        | estimate_row(
            subject, _pretend(subject.panel, k, options.anticipation), anticipation=0
        )
        for k in range(1, most + 1)
    ]
    table = pd.DataFrame(rows)[["years_earlier", *_ROW]]
    known = table[table["estimate"].notna()]
    if known.empty:
        return not_possible(name, title, question, str(table["reason"].iloc[0]))
    least, n = known["p_value"].min(), int(known["p_value"].notna().sum())
    told = "; ".join(
        f"{_years(row['years_earlier'])} {tell(row, subject)}" for _, row in known.iterrows()
    )
    sentence = f"Average effect in untreated years, with treatment pretended earlier by {told}"
    verdict, ruled = _judge(float(least), n, options.alpha)
    sentence += f"; {ruled}"
    sentence += {
        "passed": "No effect shows before there was one, as far as errors allow to see.",
        "failed": "An effect shows where there can be none: treated villages were moving apart "
        "already, or were chosen for what happened to them in these years.",
    }.get(verdict, "")

    def draw(axes: Axes, amounts: Amounts) -> None:
        labels = [f"{_years(k)} earlier" for k in known["years_earlier"]]
        main = subject.gains.att["estimate"]
        draw_rows(axes, amounts, known.assign(label=labels), label="label", main=main)

    return Check(
        name=name, title=title, question=question, verdict=verdict, sentence=sentence.strip(),
        statistic=float(np.minimum(1, least * n)), table=table, money=_MONEY, draw=draw,
        statistic_name="smallest p-value, Bonferroni",
    )  # fmt: skip


def check_placebo_outcomes(subject: Subject) -> Check:
    """Estimate the effect on covariates that vary over the years and should not be moved.

    Notes
    -----
    Each variable of the panel whose role is covariate, in its own unit and in levels, by the
    same imputation without itself among the covariates. Passed if the smallest p-value times
    their number (Bonferroni) is not below alpha.
    """
    name, title = "placebo_outcomes", "Outcomes that the programme should not move"
    question = "Did anything move with the programme that it cannot have moved?"
    panel, options = subject.panel, subject.gains.options
    names = [
        key
        for key, variable in panel.variables.items()
        if variable.role == "covariate" and key != panel.outcome and _varies(panel.matrix(key))
    ]
    if not names:
        return not_possible(
            name, title, question,
            "the panel has no covariate that varies over the years, such as population.",
        )  # fmt: skip
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
        return not_possible(name, title, question, str(table["reason"].iloc[0]))
    n, least = len(known), known.iloc[int(known["p_value"].argmin())]
    verdict, ruled = _judge(float(least["p_value"]), n, options.alpha)
    told = f"{least['estimate']:+,.3g} {least['unit']}".strip()
    sentence = (
        f"Estimated like the outcome: {', '.join(known['outcome'])}. The clearest effect is on "
        f"{least['outcome']}, {told}, {least['share_of_mean']:+.1%} of its mean before "
        f"treatment ({tell_p(least['p_value'])}); {ruled}"
    )
    sentence += (
        "Nothing else that was measured moved with the programme; what was not measured may."
        if verdict == "passed"
        else "Unless the programme is meant to move it, treated villages changed for other "
        "reasons too, and the outcome may have moved for these."
    )

    def draw(axes: Axes, amounts: Amounts) -> None:
        scaled = known.assign(
            **{column: known[column] / known["mean"].abs() * 100 for column in _MONEY}
        )
        draw_rows(axes, Amounts(unit="% of mean"), scaled, label="outcome", main=0.0)

    return Check(
        name=name, title=title, question=question, verdict=verdict, sentence=sentence,
        statistic=float(np.minimum(1, least["p_value"] * n)), table=table, draw=draw,
        statistic_name="smallest p-value, Bonferroni",
    )  # fmt: skip


def check_anticipation(subject: Subject, *, most: int = 2) -> Check:
    """Count up to two more years before treatment as possibly affected, and compare.

    Parameters
    ----------
    most
        How many years more at most.

    Notes
    -----
    With a more years that may be anticipated these are not used as untreated. If nothing was
    anticipated, both estimates have the same mean, and their difference is judged by the
    clusters' parts in it: clustered, below 30 clusters by `wild_interval` of the linearised
    pseudo-values theta + C part_c (Kline, Santos 2012, doi:10.1515/2156-6674.1006). Passed if
    the smallest p-value times the number of differences is not below alpha.
    """
    name, title = "anticipation", "Effects before treatment began"
    question = "Does the effect change if the last years before treatment may be affected?"
    alpha, start = subject.gains.options.alpha, subject.gains.options.anticipation
    rows = [{"anticipation": start, **average_row(subject.gains)}]
    for k in range(start + 1, start + most + 1):
        rows.append({"anticipation": k, **_compare(subject, k)})
    columns = ["difference", "se_difference", "p_difference", "n_villages", "reason"]
    table = pd.DataFrame(rows).reindex(columns=["anticipation", *_MONEY, *columns])
    differences = table.iloc[1:]
    known = differences[differences["estimate"].notna()]
    if known.empty:
        return not_possible(name, title, question, str(differences["reason"].iloc[0]))
    n, least = int(known["p_difference"].notna().sum()), float(known["p_difference"].min())
    verdict, ruled = _judge(least, n, alpha)
    main = table.iloc[0]
    told = "; ".join(
        f"{tell(row, subject)} with {_years(row['anticipation'])}"
        for _, row in known.iterrows()
    )
    sentence = (
        f"The average effect is {tell(main, subject)} with {_years(start)} before treatment "
        f"left out, {told}. Of the differences {ruled}"
    )
    sentence += {
        "passed": "The effect does not hang on the last years before treatment counting as "
        "untreated.",
        "failed": "The last years before treatment differ from earlier ones: something came "
        "before the treatment, or villages were chosen for a bad year, from which they recover "
        "by themselves.",
    }.get(verdict, "")

    def draw(axes: Axes, amounts: Amounts) -> None:
        labels = [f"{_years(k)} left out" for k in table["anticipation"]]
        draw_rows(
            axes, amounts, table.assign(label=labels), label="label", main=main["estimate"]
        )

    return Check(
        name=name, title=title, question=question, verdict=verdict, sentence=sentence.strip(),
        statistic=float(known["difference"].abs().max()),
        statistic_name="largest change of the average effect", table=table,
        money=(*_MONEY, "difference", "se_difference", "statistic"), draw=draw,
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
    return "no year" if n == 0 else f"{n} year{'s' if n > 1 else ''}"


def _varies(matrix: Floats) -> bool:
    known = np.isfinite(matrix).sum(axis=1) > 1
    return bool((np.nanmax(matrix[known], axis=1) > np.nanmin(matrix[known], axis=1)).any())


def _compare(subject: Subject, anticipation: int) -> dict[str, Any]:
    """Estimate with another anticipation, and judge the difference from the main estimate."""
    try:
        gains = subject.reestimate(anticipation=anticipation)
    except DesignError as error:
        return {"estimate": np.nan, "n_villages": 0, "reason": str(error)}
    row, (main, own), (other, parts) = (
        average_row(gains), average_error(subject.gains), average_error(gains)
    )  # fmt: skip
    interval, alpha = Interval(), subject.gains.options.alpha
    if effective_clusters(subject.effects.setup) >= fewest_clusters(alpha):
        interval = _judge_difference(other - main, parts - own, alpha)
    return row | {
        "difference": other - main, "se_difference": interval.se,
        "p_difference": interval.p_value,
    }  # fmt: skip


def _judge_difference(difference: float, parts: Floats, alpha: float) -> Interval:
    """Give the interval from what clusters add to a difference's error (scaled, C)."""
    parts = parts[takes_part(parts)]
    n = len(parts)
    if n < 2:
        return Interval()
    if n >= ENOUGH_CLUSTERS:
        return clustered_interval(difference, parts * np.sqrt((n - 1) / n), alpha=alpha)
    # What estimates without one cluster are to first order.
    return wild_interval(difference, difference - parts * np.sqrt(n / (n - 1)), alpha=alpha)


def _judge(least: float, n: int, alpha: float) -> tuple[Verdict, str]:
    """Judge the smallest of n p-values, and say by which rule."""
    if np.isnan(least):
        return "informational", "there are too few clusters for a test. "
    p = min(1.0, least * n)
    side = "not below" if p >= alpha else "below"
    told = f"the smallest p-value, times {n}, is {p:.3f}, {side} {alpha:g}. "
    return ("passed" if p >= alpha else "failed"), told
