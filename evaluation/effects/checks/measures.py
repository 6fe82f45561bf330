"""Whether the outcome measures what it should: other scales, its parts, grants booked in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.data.money import parse_money
from evaluation.data.panel import OutcomeScale, VillagePanel
from evaluation.effects.check import Amounts, Check, Subject, not_possible
from evaluation.effects.checks.side_by_side import (
    COLUMNS,
    average_row,
    draw_rows,
    estimate_row,
    excludes_zero,
    tell,
    tells_the_same,
)
from evaluation.errors import DesignError
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEADS = ("households", "population")
_INTERVAL = ("estimate", "conf_low", "conf_high")
_SHARES = ("share", "share_low", "share_high")


def check_outcomes(subject: Subject, *, per: Sequence[str] | None = None) -> Check:
    """Estimate the effect on the outcome on other scales, and on other money outcomes.

    Parameters
    ----------
    per
        Covariates to divide the outcome by; by default households and population, where the
        panel has them.

    Notes
    -----
    Effects are told as a share of the outcome's mean in treated villages' untreated years, so
    that scales can be compared; those on logarithms as exp(effect) - 1, zeros being left out.
    Passed if on every scale the sign is the main one's, and the interval excludes zero if and
    only if it does. Other outcomes, and kinds of income, have no rule.
    """
    name, title = "outcomes", "Other measures of the outcome"
    question = "Does the effect show on other scales of the outcome, and in its parts?"
    rows = []
    for kind, outcome, scale, panel in _list_measures(subject.panel, per):
        try:
            gains = subject.reestimate(panel)
            row = average_row(gains) | _find_shares(gains)
        except DesignError as error:
            row = dict.fromkeys([*COLUMNS, *_SHARES], np.nan) | {"reason": str(error)}
        rows.append({"kind": kind, "outcome": outcome, "scale": scale, **row})
    columns = ["outcome", "scale", *_SHARES, *_INTERVAL, "n_villages", "reason"]
    table = pd.DataFrame(rows)[columns]
    money = parse_money(subject.panel.variables[subject.panel.outcome].unit) is not None
    table.loc[(table["scale"] != "level") & money, list(_INTERVAL)] = np.nan  # other units
    shares = [
        dict(zip(_INTERVAL, (row[c] for c in _SHARES), strict=True)) | {"kind": row["kind"]}
        for row in rows
    ]
    main, known = shares[0], [row for row in shares if np.isfinite(row["estimate"])]
    scales = [row for row in known if row["kind"] == "scale"]
    others = [row for row in rows if row["kind"] == "other" and np.isfinite(row["share"])]
    agree = all(tells_the_same(row, main) for row in scales)
    sentence = (
        f"The effect is {_percent(main['estimate'])} of the mean outcome in treated villages "
        "before. "
    )
    if scales:
        sizes = [row["estimate"] for row in scales]
        sentence += (
            f"On {len(scales)} other scale{'s' * (len(scales) > 1)} it is "
            f"{_percent(min(sizes))} to {_percent(max(sizes))}; "
        )
        sentence += (
            "its sign, and whether its interval excludes zero, are the same on each. "
            if agree
            else "its sign, or whether its interval excludes zero, is not the same on each: "
            "the finding depends on the scale. "
        )
    if others:
        told = "; ".join(f"{row['outcome']} {_percent(row['share'])}" for row in others)
        sentence += f"Other outcomes, each of its own mean before: {told} (no rule)."

    def draw(axes: Axes, amounts: Amounts) -> None:
        drawn = pd.DataFrame(shares).assign(label=table["outcome"] + ", " + table["scale"])
        draw_rows(axes, Amounts(divisor=0.01), drawn, label="label", main=main["estimate"])
        axes.set_xlabel("average effect, % of the mean before treatment")

    verdict = "informational" if not scales else "passed" if agree else "failed"
    return Check(
        name=name, title=title, question=question, verdict=verdict,  # type: ignore[arg-type]
        sentence=sentence.strip(), statistic=main["estimate"],
        statistic_name="effect as a share of the mean before treatment", table=table,
        money=_INTERVAL if money else (), draw=draw,
    )  # fmt: skip


def check_subsidies(subject: Subject) -> Check:
    """Estimate the effect on income with and without subsidies, and on subsidies alone.

    Notes
    -----
    All three from the village-years in which both are known, in levels, so that the first is
    the sum of the other two. Failed if the outcome holds subsidies and the interval of their
    own effect excludes zero: a grant booked as income is the treatment, and no effect of it.
    """
    name, title = "subsidies", "Grants booked as income"
    question = "Is part of the effect a grant that is booked as income?"
    panel, split = subject.panel, split_subsidies(subject.panel)
    if split is None:
        reason = (
            "subsidies are not known by themselves. Give income by kind (panel.income), or the "
            "total and subsidies."
        )
        return not_possible(name, title, question, reason)
    earned, grants, included = split
    measures = {
        "income with subsidies": earned + grants,
        "income without subsidies": earned,
        "subsidies alone": grants,
    }
    rows = [
        {"outcome": label, **estimate_row(subject, with_outcome(panel, matrix))}
        for label, matrix in measures.items()
    ]
    if panel.analysis.form != "level":
        unit = panel.variables["income"].unit
        subject = replace(subject, amounts=Amounts(unit=unit))
    whole, own, grant = rows
    if np.isnan(grant["estimate"]):
        return not_possible(name, title, question, str(grant["reason"]))
    clear, share = excludes_zero(grant), grant["estimate"] / whole["estimate"]
    table = pd.DataFrame(rows)
    table["share_of_whole"] = table["estimate"] / whole["estimate"]
    sentence = (
        f"Subsidies alone changed by {tell(grant, subject)}. With them the effect is "
        f"{tell(whole, subject)}, of which {share:.0%} is grant; without them "
        f"{tell(own, subject)}. "
    )
    if not included:
        sentence += "The outcome leaves subsidies out, as far as they are booked apart."
    elif clear:
        sentence += (
            "The outcome holds them: that part of its effect is the programme's own money. "
            "Leave subsidies out (panel.subsidies: excluded)."
        )
    else:
        sentence += "The outcome holds them, but that they rose does not show" + (
            "." if clear is not None else ": there is no interval, and no rule."
        )

    def draw(axes: Axes, amounts: Amounts) -> None:
        draw_rows(axes, amounts, table, label="outcome", main=whole["estimate"])

    unknown = included and clear is None
    return Check(
        name=name, title=title, question=question,
        verdict="informational" if unknown else "failed" if included and clear else "passed",
        sentence=sentence, statistic=share,
        statistic_name="share of subsidies in the effect with them",
        table=table[["outcome", *_INTERVAL, "share_of_whole", "n_villages", "reason"]],
        money=_INTERVAL if panel.analysis.form == "level" else (), draw=draw,
    )  # fmt: skip


def split_subsidies(panel: VillagePanel) -> tuple[Floats, Floats, bool] | None:
    """Split income into what was earned and subsidies, and say whether the outcome holds both.

    N x T each, where both are known; None where subsidies are not known by themselves.
    """
    if panel.outcome != "income" or "income_subsidy" not in panel.matrices:
        return None
    # compose_income labels the outcome by what it leaves out.
    included = "without subsidies" not in panel.variables["income"].label
    income, subsidy = panel.matrix(), panel.matrix("income_subsidy")
    grants = np.where(np.isfinite(income), subsidy, np.nan)
    return (income - grants if included else income + 0 * grants), grants, included


def with_outcome(panel: VillagePanel, matrix: Floats) -> VillagePanel:
    """Put other numbers in the outcome's place, in levels."""
    matrices = {**panel.matrices, panel.outcome: matrix}
    return replace(panel, matrices=matrices, analysis=OutcomeScale())


def _list_measures(
    panel: VillagePanel, per: Sequence[str] | None
) -> list[tuple[str, str, str, VillagePanel]]:
    """List measures: main, scale or other; the outcome's label; its scale; and the panel."""
    main, analysis = panel.variables[panel.outcome], panel.analysis
    heads = [name for name in per or _HEADS if name in panel.matrices]
    forms = {
        "level": OutcomeScale(),
        "log": OutcomeScale(form="log", zeros="missing"),
        **{f"per {name}": OutcomeScale(form="per_capita", per=name) for name in heads},
    }
    own = f"per {analysis.per}" if analysis.per else analysis.form
    if main.scale != "level":
        own, forms = main.scale, {}
    found = [("main", main.label, own, panel)]
    for form, scale in forms.items():
        if form != own:
            found.append(("scale", main.label, form, replace(panel, analysis=scale)))
    skipped = {panel.outcome, "income_subsidy"}  # which have a check of their own
    skipped |= {"income_total"} if panel.outcome == "income" else set()
    for name, variable in panel.variables.items():
        if variable.role == "covariate" or name in skipped or not parse_money(variable.unit):
            continue
        other = replace(panel, outcome=name, analysis=OutcomeScale())
        found.append(("other", variable.label.replace("_", " "), "level", other))
    return found


def _find_shares(gains: IncomeGains) -> dict[str, float]:
    """Give the effect and its interval as shares of the mean in untreated years."""
    att, design, rows = gains.att, gains.fit.design, gains.cells.rows
    ends = np.array([att[column] for column in _INTERVAL], dtype=float)
    panel = gains.panel
    if panel.analysis.form == "log" or panel.variables[panel.outcome].scale != "level":
        ends = np.expm1(ends)
    else:
        before = abs(float(design.outcome[rows][design.own[rows]].mean()))
        ends = ends / before if before > 0 else np.full(3, np.nan)
    return dict(zip(_SHARES, ends.tolist(), strict=True))


def _percent(share: float) -> str:
    return f"{100 * share:+.3g}%"
