"""Whether other prices, or other comparison villages, give another answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from evaluation.data.money import parse_money
from evaluation.data.panel import VillagePanel
from evaluation.data.prices import deflators, read_price_index
from evaluation.effects.check import Check, Subject, asks, judge_by, select_villages
from evaluation.effects.checks.side_by_side import (
    COLUMNS,
    MONEY,
    average_row,
    draw_rows,
    estimate_row,
    tell,
    tells_the_same,
)
from evaluation.errors import DataError, DesignError
from evaluation.gains.moments import Bools, Floats
from evaluation.language import commas, mark, say, sentences

_SAME = 1e-9  # relative: rounding


@asks(
    mark("Other prices"),
    mark("Does the effect depend on how money is deflated?"),
    theme="data",
    if_failed=mark("the effect depends on the deflator"),
)
def check_deflators(
    subject: Subject, *, levels: Mapping[int, float] | None = None, points: float = 2.0
) -> Check:
    """Estimate the effect in money of other prices.

    Parameters
    ----------
    levels
        The price index by year that real money was deflated with, or nominal money is to be;
        by default China's national consumer prices, if money is in yuan.
    points
        By how many percentage points a year prices may have risen faster, or more slowly.

    Notes
    -----
    A deflator multiplies all money of a year by one factor. That changes the money that
    effects are in, which is undone here (they are divided by the factor's mean over treated
    village-years), and stretches differences in level between villages, so that paths that are
    parallel in one money are not in another: this is what is looked at. In logarithms the year
    effects take it up, and there is nothing to look at. Passed if every estimate has the main
    one's sign, lies in its interval, and excludes zero if and only if it does.
    """
    panel, main = subject.panel, average_row(subject.gains)
    variable, own = panel.variables[panel.outcome], panel.matrix()
    money = parse_money(variable.unit)
    if money is None or variable.scale == "log1p":
        raise DesignError(say("the outcome is not money, nor its logarithm."))
    scale = panel.analysis
    if variable.scale == "log" or (scale.form == "log" and scale.zeros != "add_one"):
        raise DesignError(
            say(
                "a deflator common to all villages cancels in logarithms, where it is a part "
                "of the year effects."
            )
        )
    years, growth = panel.years, 1 + points / 100
    factors: list[Floats] = [growth ** (years[0] - years), growth ** (years - years[0])]
    base, index = panel.price_year or int(years[-1]), mark("the index given")
    lacking = say("no price index is known for its currency")
    try:
        if levels is None and money.currency == "CNY":
            levels, index = read_price_index("china"), mark("China's consumer prices")
        if levels is not None:
            real = deflators(levels, years.tolist(), base_year=base)
            factors.insert(0, 1 / real if panel.price_year else real)
            lacking = ""
    except DataError as error:
        lacking = str(error)

    def labels() -> list[str]:
        by = {"index": say(index)}
        deflated = (
            say("nominal money, by {index}", **by)
            if panel.price_year
            else say("prices of {year}, by {index}", year=base, **by)
        )
        return [
            say("as they are"),
            *([] if lacking else [deflated]),
            say("prices rising {points:g} points a year faster", points=points),
            say("prices rising {points:g} points a year more slowly", points=points),
        ]

    cells = subject.gains.cells
    shares = cells.weights.sum(axis=0) / cells.weights.sum()
    told = labels()
    rows = [{"prices": told[0], **main}]
    for label, factor in zip(told[1:], factors, strict=True):
        matrices = {**panel.matrices, panel.outcome: own * factor}
        row = estimate_row(subject, replace(panel, matrices=matrices))
        mean = 1.0 if scale.form == "log" else float(shares @ factor)
        rows.append({"prices": label, **row} | {column: row[column] / mean for column in MONEY})

    def agrees(row: Mapping[str, Any]) -> bool:
        inside = not (row["estimate"] < main["conf_low"] or row["estimate"] > main["conf_high"])
        return tells_the_same(row, main) and inside

    skipped = say("Nominal money is not looked at: {reason}.", reason=lacking)
    return _judge(
        subject, rows, agrees, label="prices", labels=labels,
        rule=mark("lie in its interval and exclude zero if it does"),
        more=skipped if lacking else "",
    )  # fmt: skip


@asks(
    mark("Other comparison villages"),
    mark("Does the effect depend on whom treated villages are compared with?"),
    theme="choices",
    if_failed=mark("the effect depends on whom treated villages are compared with"),
)
def check_comparison_groups(subject: Subject) -> Check:
    """Compare treated villages with other villages.

    Notes
    -----
    Villages of like income before are the treated and never treated ones whose mean outcome
    before the first treatment lies where both kinds are found; they are no alternative where
    that leaves nothing out. Errors are clustered as each comparison's own default has it, by
    county where counties are compared, unless the level was chosen. Passed if every estimate
    has the main one's sign and an interval that holds it.
    """
    panel, gains = subject.panel, subject.gains
    frame, main = panel.villages, average_row(gains)
    towns = frame["town"].astype(str)
    town = frame["county"].astype(str) + " " + towns
    within = replace(panel, villages=frame.assign(county=town))
    alike = select_villages(panel, _common_support(subject))
    choices: dict[str, tuple[VillagePanel, dict[str, Any]]] = {
        mark("villages not yet treated"): (panel, {"comparison": "not_yet_treated"}),
        mark("villages never treated"): (panel, {"comparison": "never_treated"}),
        mark("villages of all counties"): (panel, {"year_effects": "common"}),
        mark("villages of the same county"): (panel, {"year_effects": "county"}),
        mark("villages of the same town"): (
            within, {"year_effects": "county", "cluster": "town"},
        ),
        mark("villages of like income before"): (alike, {}),
        mark("each with a trend of its own"): (panel, {"trends": True}),
    }  # fmt: skip
    if (towns == "").any() or town.nunique() == frame["county"].nunique():
        del choices["villages of the same town"]
    if frame["county"].nunique() == 1:
        del choices["villages of all counties"], choices["villages of the same county"]
    rows = [{"comparison": mark("as chosen"), **main}]
    for label, (other, changes) in choices.items():
        same = [getattr(gains.options, option) == v for option, v in changes.items()]
        if other is panel and same[0]:
            continue
        row = estimate_row(subject, other, **changes)
        if other is alike and np.isclose(row["estimate"], main["estimate"], rtol=_SAME):
            continue  # nothing that counts is left out
        rows.append({"comparison": label, **row})

    def agrees(row: Mapping[str, Any]) -> bool:
        outside = row["conf_low"] > main["estimate"] or row["conf_high"] < main["estimate"]
        return bool(np.sign(row["estimate"]) == np.sign(main["estimate"])) and not outside

    rule = mark("have intervals that hold it")
    return _judge(subject, rows, agrees, label="comparison", rule=rule)


def _judge(
    subject: Subject,
    rows: Sequence[dict[str, Any]],
    agrees: Callable[[Mapping[str, Any]], bool],
    *,
    label: str,
    rule: str,
    labels: Callable[[], list[str]] | None = None,
    more: str = "",
) -> Check:
    """Make the check of rows that are to agree with the first; their labels are said."""
    main, known = rows[0], [row for row in rows[1:] if np.isfinite(row["estimate"])]
    if not known:
        raise DesignError(rows[-1]["reason"])
    apart = [row for row in known if not agrees(row)]
    lowest = min(known, key=lambda row: float(row["estimate"]))
    highest = max(known, key=lambda row: float(row["estimate"]))
    size = abs(float(main["estimate"])) or np.nan
    change = max(abs(row["estimate"] - main["estimate"]) for row in known) / size
    ranged = say(
        "The average effect of {effect} is {low} ({lowest}) to {high} ({highest}) in {n} "
        "alternatives.",
        effect=tell(main, subject), n=len(known),
        low=subject.amounts.tell(lowest["estimate"]), lowest=say(lowest[label]),
        high=subject.amounts.tell(highest["estimate"]), highest=say(highest[label]),
    )  # fmt: skip
    if apart:
        named = say("; ").join(
            say("{what}: {effect}", what=say(row[label]), effect=tell(row, subject))
            for row in apart
        )
        judged = say(
            "Not all have its sign and {rule}. Apart from it: {named}.",
            rule=say(rule), named=named,
        )  # fmt: skip
    else:
        judged = say(
            "All have its sign and {rule}, which does not make any of them right.",
            rule=say(rule),
        )
    bare = commas(say(row[label]) for row in known if np.isnan(row["conf_low"]))
    signs = say("By sign alone, without an interval: {names}.", names=bare) if bare else ""
    table = pd.DataFrame(rows)[[label, *COLUMNS]]
    return Check(
        verdict=judge_by(not apart), sentence=sentences(ranged, judged, signs, more),
        statistic=change,
        statistic_name="largest change, as a share of it", table=table, money=MONEY,
        draw=partial(
            draw_rows, rows=table, labels=labels or table[label], main=main["estimate"]
        ),
    )  # fmt: skip


def _common_support(subject: Subject) -> Bools:
    """Mark villages whose mean outcome before the first treatment both kinds have."""
    design, options = subject.gains.fit.design, subject.gains.options
    before = design.years < np.nanmin(design.cohort) - options.anticipation
    known = np.isfinite(design.outcome[:, before])
    sums = np.where(known, design.outcome[:, before], 0).sum(axis=1)
    means = np.where(known.any(axis=1), sums / np.maximum(known.sum(axis=1), 1), np.nan)
    treated = subject.panel.is_treated
    if np.isnan(means[treated]).all() or np.isnan(means[~treated]).all():
        return np.ones(len(means), dtype=bool)
    low = max(np.nanmin(means[treated]), np.nanmin(means[~treated]))
    high = min(np.nanmax(means[treated]), np.nanmax(means[~treated]))
    return np.asarray((means >= low) & (means <= high))
