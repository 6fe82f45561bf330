"""Before-after changes and claimed rises, and what a secular trend leaves of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.bounds import Bounds
from evaluation.claims.formula import Quantity, constant
from evaluation.claims.lookup import Lookup, Missing, describe_missing
from evaluation.claims.measures import Assessment, assess_counties
from evaluation.claims.table import ClaimTable
from evaluation.data.hedges import READINGS
from evaluation.data.load import StudyData
from evaluation.data.panel import VillagePanel
from evaluation.gains.before_after import ENDS, TrendBounds, bound_change, bound_gains
from evaluation.language import choose, mark, say, sentences
from evaluation.report.absent import absent
from evaluation.report.cells import (
    html_bounds,
    html_claims,
    html_formula,
    html_lines,
    html_table,
)
from evaluation.report.claims.tables import name_area, relabel, say_gap
from evaluation.report.exhibits import LEGEND, MONEY, Exhibit
from evaluation.report.gains.study import name_with_all
from evaluation.report.village_words import (
    money_note,
    name_prices,
    needs,
    panel_of,
    show_number,
    show_variable,
)

_MEASURE = "gain_per_village"
_WAN = 10_000
_MANY_VILLAGES = 5_000
_PRECISION = 12  # digits; what floating point adds behind them is not to be rounded outwards
_CHANGES = mark("Before-after changes of treated villages, and what a trend leaves of them")


@needs("panel", "trend_bounds", _CHANGES)
def trend_bounds_table(study_data: StudyData, *, trend_max: float) -> Exhibit:
    """Show treated villages' before-after changes under a trend, by county and in all.

    Parameters
    ----------
    study_data
        The study. Up to 5,000 villages stand one by one in the exhibit's data.
    trend_max
        The steepest trend allowed, in the outcome's unit (yuan) per village and year.
    """
    panel = panel_of(study_data)
    if not panel.is_treated.any():
        reason = say("No village of the panel is treated.")
        return absent(study_data, "trend_bounds", say(_CHANGES), reason)
    bounds = bound_gains(panel, trend_max=trend_max)
    everywhere, counties = bounds.programme(), bounds.by("county").reset_index()
    if not everywhere["n_villages"]:
        reason = say(
            "No treated village has an outcome before and after its first treated year."
        )
        return absent(study_data, "trend_bounds", say(_CHANGES), reason)
    shown = show_variable(panel, panel.variables[panel.outcome])
    labels, _ = name_with_all(study_data.study, pd.Index([]))
    rows = [_change_cells(labels[-1], everywhere.to_dict(), shown.divisor)]
    if len(counties) > 1:
        chinese = {area.name: area.zh for area in study_data.study.counties}
        names = [choose(county, chinese.get(county, "")) for county in counties["county"]]
        each = zip(names, counties.to_dict("records"), strict=True)
        rows = [*(_change_cells(name, row, shown.divisor) for name, row in each), *rows]
    cells = pd.DataFrame(rows, dtype=object)
    most = f"{show_number(trend_max)} {say(bounds.unit)}".strip()
    label = panel.variables[panel.outcome].label
    notes = (
        say("{outcome}; {unit}.", outcome=label, unit=shown.unit)
        if shown.unit
        else say("{outcome}.", outcome=label),
        say("Means over {n:,} treated villages.", n=int(everywhere["n_villages"])),
        _left_out_note(bounds),
        say(
            "Before and after: a village's mean over its untreated and its treated years; "
            "years apart: the distance of these years' means. Less a trend: the change less a "
            "rise that would have come without the programme, of between 0 and {most} a "
            "village and year. Both ends are assumptions: that it is no more (trend_max), and "
            "that incomes would not have fallen. Break-even: the rise a year that explains "
            "the whole change.",
            most=most,
        ),
        _why_no_more(panel),
        _hedged_note(panel),
        name_prices(study_data.study, brief=True),
        money_note(shown),
        say(LEGEND),
    )
    return Exhibit(
        name="trend_bounds",
        kind="table",
        caption=say(
            "Before-after changes of treated villages, and what a trend leaves of them "
            "(between 0 and {most} a year)",
            most=most,
        ),
        data=_trend_data(bounds, shown.divisor, shown.unit),
        body=html_table(cells),
        simulated=study_data.study.simulated,
        note=sentences(*notes),
    )


def claimed_gains_table(table: ClaimTable, *, trend_max: float) -> Exhibit:
    """Show counties' claimed rises in income, and what a secular trend leaves of them.

    Parameters
    ----------
    table
        The study's claims.
    trend_max
        The steepest trend allowed, in yuan per village and year.
    """
    rows = [
        _claimed_row(assessment, table, trend_max)
        for assessment in assess_counties(table)
        if assessment.measure.name == _MEASURE
    ]
    shown: list[dict[str, Any]] = []
    for area in table.study.counties:
        block = [row for row in rows if row["county"] == area.name]
        known = [row for row in block if row["left_strict"] is not None]
        heading = " ".join(name_area(area))
        shown += [{"county": heading, **_claim_cells(row)} for row in known]
        if not known:
            gaps = say("; ").join(dict.fromkeys(str(row["missing"]) for row in block))
            gap = say_gap(relabel(gaps, table))
            shown.append({"county": heading, say("Definition"): gap})
    cells = pd.DataFrame(shown, dtype=object)
    return Exhibit(
        name="claimed_gains",
        kind="table",
        simulated=table.study.simulated,
        caption=say(
            "Claimed rises in yearly collective income per village, and what a trend of 0 to "
            "{trend} yuan a year leaves of them",
            trend=show_number(trend_max),
        ),
        note=sentences(
            say(
                "No gain is estimated here: these are claims, in 万元 per village, if the text "
                "is true. The text does not say what a rise is measured from: it may have "
                "taken one year, or all years of the programme. Less a trend: the claimed rise "
                "less one that would have come without the programme, of between 0 and {trend} "
                "yuan a village and year. Both ends are assumptions: that it is no more "
                "(trend_max), and that incomes would not have fallen. Break-even: the rise a "
                "year that explains all that is claimed. Bounds in the strict reading, and in "
                "the loose one where it differs. There are no comparison villages: nothing "
                "says how steep the trend was, or what the programme did.",
                trend=show_number(trend_max),
            ),
            say(MONEY),
            say(LEGEND),
        ),
        data=pd.DataFrame(rows, dtype=object),
        body=html_table(cells.where(cells.notna(), None), group="county"),
    )


def _change_cells(county: str, row: dict[Any, Any], divisor: float) -> dict[str, Any]:
    def span(kind: str) -> Markup:
        lower, upper = (
            float(f"{row[f'{kind}{end}'] / divisor:.{_PRECISION}g}")
            for end in ("lower", "upper")
        )
        return Markup("") if np.isnan(lower) else html_bounds(Bounds(lower, upper))

    return {
        say("County"): county or say("no county"),
        say("Villages"): f"{row['n_villages']:,.0f}",
        say("Years apart"): show_number(row["years_between"]),
        say("Before"): span("before_"),
        say("After"): span("after_"),
        say("Change"): span("change_"),
        say("Less a trend"): span(""),
        say("Break-even"): span("break_even_"),
    }


def _trend_data(bounds: TrendBounds, divisor: float, unit: str) -> pd.DataFrame:
    """Give the programme, the counties and the villages below one another."""
    programme = bounds.programme().to_frame().T.assign(level="programme")
    counties = bounds.by("county").reset_index().assign(level="county")
    parts = [programme, counties]
    if len(bounds.villages) <= _MANY_VILLAGES:
        parts.append(bounds.villages.reset_index().assign(level="village"))
    data = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    ends = list(ENDS)
    data[ends] = data[ends].astype(float) / divisor
    first = ["level", "county", "town", "village", "cohort", "n_villages", "n_without"]
    return data.assign(unit=unit).reindex(
        columns=[*first, "n_before", "n_after", "years_between", *ends, "unit", "reason"]
    )


def _why_no_more(panel: VillagePanel) -> str:
    if panel.has_comparison:
        return say(
            "Comparison villages are left aside here: the table holds what treated villages "
            "alone can say, which is not what the programme did."
        )
    return say(
        "There are no comparison villages, so nothing in the data says how steep the trend "
        "was, or what the programme did."
    )


def _hedged_note(panel: VillagePanel) -> str:
    hedged = panel.hedged["variable"]
    n_own, n_kinds = (hedged == panel.outcome).sum(), hedged.str.startswith("income_").sum()
    own = say("{n:,} hedged figures count with both of their ends.", n=n_own)
    kinds = say(
        "{n:,} figures of a kind of income are hedged: their years are left out.", n=n_kinds
    )
    return sentences(
        own if n_own else "", kinds if n_kinds and panel.outcome == "income" else ""
    )


def _left_out_note(bounds: TrendBounds) -> str:
    """Count the villages without a change by reason, and say where single villages are."""
    reasons = bounds.villages["reason"]
    counts = reasons[reasons != ""].value_counts()
    told = say("; ").join(
        say("{n:,} with {reason}", n=n, reason=reason) for reason, n in counts.items()
    )
    many = say(
        "{n:,} villages are too many to be listed one by one in the data.", n=len(reasons)
    )
    return sentences(
        say("Left out: {told}.", told=told) if told else "",
        many if len(reasons) > _MANY_VILLAGES else "",
    )


def _claimed_row(assessment: Assessment, table: ClaimTable, trend_max: float) -> dict[str, Any]:
    """Work out one county's claimed rise under one definition, in both readings."""
    rise = assessment.quantity
    years = Lookup(table, assessment.county, county_wide=True).resolve("programme_years")
    gaps = [*assessment.result.missing, *([years] if isinstance(years, Missing) else [])]
    claims = dict.fromkeys((*assessment.result.claims, *years.claims))
    row: dict[str, Any] = {
        "county": assessment.county,
        "definition": assessment.definition,
        "formula": assessment.result.formula.text,
        "unit": assessment.measure.unit,
        "trend_max": trend_max / _WAN,
        "claims": " ".join(claims),
        "missing": describe_missing(list(dict.fromkeys(gaps))),
    }
    for reading in READINGS:
        found: tuple[Bounds | None, ...] = (None,) * 4
        if rise is not None and isinstance(years, Quantity):
            change = rise.read(reading)
            apart = constant(1).combine(years, Bounds.hull).read(reading)
            left, break_even = bound_change(change, apart, trend_max=trend_max)
            found = (change / _WAN, apart, left / _WAN, break_even / _WAN)
        names = ("rise", "years", "left", "break_even")
        row |= {f"{name}_{reading}": b for name, b in zip(names, found, strict=True)}
    return row


def _claim_cells(row: dict[str, Any]) -> dict[str, Any]:
    def both(name: str) -> Markup:
        strict, loose = row[f"{name}_strict"], row[f"{name}_loose"]
        lines = [html_bounds(strict)]
        if loose != strict:
            lines.append(Markup(say("loosely {value}")).format(value=html_bounds(loose)))
        return html_lines(*lines)

    definition = row["definition"]
    return {
        say("Definition"): html_lines(say(definition), html_formula(row["formula"])),
        say("Claimed rise"): both("rise"),
        say("Years"): both("years"),
        say("Less a trend"): both("left"),
        say("Break-even"): both("break_even"),
        say("Claims"): html_claims(row["claims"]),
    }
