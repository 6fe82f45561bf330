"""Whether the outcome measures what it should: other scales, its parts, grants booked in it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.data.money import parse_money
from evaluation.data.panel import OutcomeScale, VillagePanel
from evaluation.effects.check import Amounts, Check, Subject, asks, judge_by
from evaluation.effects.checks.side_by_side import (
    POINT,
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
from evaluation.language import mark, say, say_count, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEADS = {"households": mark("per households"), "population": mark("per population")}
_SHARES = ("share", "share_low", "share_high")


@asks(
    mark("Other measures of the outcome"),
    mark("Does the effect show on other scales of the outcome, and in its parts?"),
    theme="data",
    if_failed=mark("the effect depends on how the outcome is measured"),
)
def check_outcomes(subject: Subject) -> Check:
    """Estimate the effect on the outcome on other scales, and on other money outcomes.

    Notes
    -----
    Scales: the level, logarithms, and by household and head, where the panel has them. Effects
    are told as a share of the outcome's mean in treated villages' untreated years, so
    that scales can be compared; those on logarithms as exp(effect) - 1, zeros being left out.
    Passed if on every scale the sign is the main one's, and the interval excludes zero if and
    only if it does. Other outcomes, and kinds of income, have no rule.
    """
    rows = []
    for kind, outcome, scale, panel in _list_measures(subject.panel):
        try:
            gains = subject.reestimate(panel)
            row = average_row(gains) | _find_shares(gains)
        except DesignError as error:
            row = dict.fromkeys([*POINT, *_SHARES, "n_villages"], np.nan)
            row["reason"] = str(error)
        rows.append({"kind": kind, "outcome": outcome, "scale": scale, **row})
    table = pd.DataFrame(rows)
    money = parse_money(subject.panel.variables[subject.panel.outcome].unit) is not None
    table.loc[(table["scale"] != "level") & money, list(POINT)] = np.nan  # other units
    shares = table[[*_SHARES]].set_axis(POINT, axis=1)
    main, known = shares.iloc[0], shares["estimate"].notna()
    scales = shares[known & (table["kind"] == "scale")]
    others = table[known & (table["kind"] == "other")]
    agree = all(tells_the_same(row, main) for _, row in scales.iterrows())
    in_logs = _in_logs(subject.panel)
    size = _percent(main["estimate"])
    told = [
        say("The effect is {share} (exp(b) - 1).", share=size)
        if in_logs
        else say("The effect is {share} of the mean outcome in treated villages before.",
                 share=size)
    ]  # fmt: skip
    if len(scales):
        low, high = _percent(scales["estimate"].min()), _percent(scales["estimate"].max())
        told.append(
            say_count(
                "On {n} other scale it is {sizes}; {finding}",
                "On {n} other scales it is {sizes}; {finding}", len(scales),
                sizes=low if low == high else say("{low} to {high}", low=low, high=high),
                finding=say(
                    "its sign, and whether its interval excludes zero, are the same on each."
                )
                if agree
                else say(
                    "its sign, or whether its interval excludes zero, is not the same on each: "
                    "the finding depends on the scale."
                ),
            )
        )  # fmt: skip
    if len(others):
        pairs = zip(others["outcome"], others["share"], strict=True)
        shares_told = (f"{say(outcome)} {_percent(share)}" for outcome, share in pairs)
        told.append(
            say(
                "Other outcomes, each of its own mean before: {told} (no rule).",
                told=say("; ").join(shares_told),
            )
        )
    unit = subject.panel.variables[subject.panel.outcome].unit
    levels = in_logs and money
    if levels:  # of which the logarithms were taken
        told.append(say("Amounts of levels in {unit}.", unit=say(unit)))

    def draw(axes: Axes, amounts: Amounts) -> None:
        of_mean = Amounts(divisor=0.01, unit=say("% of the mean before treatment"))
        labels = [
            say("{outcome}, {scale}", outcome=say(outcome), scale=say(scale))
            for outcome, scale in zip(table["outcome"], table["scale"], strict=True)
        ]
        draw_rows(axes, of_mean, rows=shares, labels=labels, main=main["estimate"])

    return Check(
        verdict=judge_by(agree if len(scales) else None), sentence=sentences(*told),
        statistic=float(main["estimate"]),
        statistic_name="effect as a share"
        + (", exp(b) - 1" if in_logs else " of the mean before treatment"),
        table=table[["outcome", "scale", *_SHARES, *POINT, "n_villages", "reason"]],
        money=POINT if money and not levels else (), draw=draw,
    )  # fmt: skip


@asks(
    mark("Grants booked as income"),
    mark("Is part of the effect a grant that is booked as income?"),
    theme="data",
    if_failed=mark("part of what counts as income is the programme's own money"),
)
def check_subsidies(subject: Subject) -> Check:
    """Estimate the effect on income with and without subsidies, and on subsidies alone.

    Notes
    -----
    All three from the village-years in which both are known, in levels, so that the first is
    the sum of the other two. Failed if the outcome holds subsidies and the interval of their
    own effect excludes zero: a grant booked as income is the treatment, and no effect of it.
    """
    panel, split = subject.panel, split_subsidies(subject.panel)
    if split is None:
        if panel.outcome != "income" and "income_subsidy" in panel.matrices:
            raise DesignError(
                say("the outcome is not income as a whole, that subsidies could be a part of.")
            )
        raise DesignError(
            say(
                "subsidies are not known by themselves. Give income by kind (panel.income), or "
                "the total and subsidies."
            )
        )
    earned, grants, included = split
    measures = {
        mark("income with subsidies"): earned + grants,
        mark("income without subsidies"): earned,
        mark("subsidies alone"): grants,
    }
    rows = [
        {"outcome": label, **estimate_row(subject, with_outcome(panel, matrix))}
        for label, matrix in measures.items()
    ]
    if panel.analysis.form != "level":
        unit = panel.variables["income"].unit
        subject = replace(subject, amounts=Amounts(unit=say(unit)))
    whole, own, grant = rows
    if np.isnan(grant["estimate"]):
        raise DesignError(grant["reason"])
    clear, share = excludes_zero(grant), grant["estimate"] / whole["estimate"]
    table = pd.DataFrame(rows)
    table["share_of_whole"] = table["estimate"] / whole["estimate"]
    with_them = tell(whole, subject)
    if 0 <= share <= 1:  # of an effect that the grant exceeds, or opposes, it is no share
        with_them = say(
            "{effect}, of which {share:.0%} is grant", effect=with_them, share=share
        )
    if not included:
        meaning = say("The outcome leaves subsidies out, as far as they are booked apart.")
    elif clear:
        meaning = say(
            "The outcome holds them: that part of its effect is the programme's own money. "
            "Leave subsidies out (panel.subsidies: excluded)."
        )
    elif clear is not None:
        meaning = say("The outcome holds them, but that they rose does not show.")
    else:
        meaning = say(
            "The outcome holds them, but that they rose does not show: there is no interval, "
            "and no rule."
        )
    sentence = sentences(
        say("Subsidies alone changed by {change}.", change=tell(grant, subject)),
        say("With them the effect is {effect}; without them {own}.", effect=with_them,
            own=tell(own, subject)),
        meaning,
    )  # fmt: skip

    return Check(
        verdict=judge_by(None if included and clear is None else not (included and clear)),
        sentence=sentence, statistic=share,
        statistic_name="share of subsidies in the effect with them",
        table=table[["outcome", *POINT, "share_of_whole", "n_villages", "reason"]],
        money=POINT if panel.analysis.form == "level" else (),
        draw=partial(draw_rows, rows=table, labels=measures, main=whole["estimate"]),
    )  # fmt: skip


def split_subsidies(panel: VillagePanel) -> tuple[Floats, Floats, bool] | None:
    """Split income into what was earned and subsidies, and say whether the outcome holds both.

    N x T each, where both are known; None where subsidies are not known by themselves.
    """
    if panel.outcome != "income" or "income_subsidy" not in panel.matrices:
        return None
    # compose_income names the columns that the outcome is the sum of.
    made_of, grant = (panel.variables[n].column for n in ("income", "income_subsidy"))
    total = panel.variables.get("income_total")
    included = grant in made_of.split(" + ") or (total is not None and made_of == total.column)
    income, subsidy = panel.matrix(), panel.matrix("income_subsidy")
    grants = np.where(np.isfinite(income), subsidy, np.nan)
    return (income - grants if included else income + 0 * grants), grants, included


def with_outcome(panel: VillagePanel, matrix: Floats) -> VillagePanel:
    """Put other numbers in the outcome's place, in levels."""
    matrices = {**panel.matrices, panel.outcome: matrix}
    return replace(panel, matrices=matrices, analysis=OutcomeScale())


def _list_measures(panel: VillagePanel) -> list[tuple[str, str, str, VillagePanel]]:
    """List measures: main, scale or other; the outcome's label; its scale; and the panel."""
    main, analysis = panel.variables[panel.outcome], panel.analysis
    forms = {
        mark("level"): OutcomeScale(),
        mark("log"): OutcomeScale(form="log", zeros="missing"),
        **{
            label: OutcomeScale(form="per_capita", per=name)
            for name, label in _HEADS.items()
            if name in panel.matrices
        },
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
    ends = np.array([att[column] for column in POINT], dtype=float)
    if _in_logs(gains.panel):
        ends = np.expm1(ends)
    else:
        before = abs(float(design.outcome[rows][design.own[rows]].mean()))
        ends = ends / before if before > 0 else np.full(3, np.nan)
    return dict(zip(_SHARES, ends.tolist(), strict=True))


def _in_logs(panel: VillagePanel) -> bool:
    return panel.analysis.form == "log" or panel.variables[panel.outcome].scale != "level"


def _percent(share: float) -> str:
    return f"{share:+z.1%}"
