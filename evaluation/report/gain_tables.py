"""Tables of gains: how they were estimated and what they are on average."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from evaluation.gains.result import IncomeGains
from evaluation.gains.scale import retransformation
from evaluation.report.exhibits import Exhibit, html_table
from evaluation.report.gain_study import (
    StudyGains,
    interval_cells,
    interval_words,
    name_counties,
    needs_gains,
)
from evaluation.report.village_words import money_note, show_money, show_number

_MOST_ROWS = 60
_SUMMARY = "How gains were estimated, and how many there are"
_BY = {
    "county": "County",
    "town": "Town",
    "cohort": "First treated year",
    "year": "Year",
    "event_time": "Years since treatment",
}
ASSUMPTIONS = (
    "Common year effects take all counties' incomes to change alike without the programme; "
    "year effects by county let each county go its own way and compare villages within it "
    "alone, so that a shock to a whole county is no gain, but what reached its other villages "
    "too is not seen."
)


@needs_gains("gains_summary", _SUMMARY)
def gains_summary_table(gains: StudyGains) -> Exhibit:
    """Show how gains were estimated, counts with and without, and the mean gain."""
    main, shown, panel = gains.found, gains.shown, gains.panel
    frame, options = main.villages, main.options
    design, att = main.fit.design, main.att
    outcome = panel.variables[panel.outcome]
    level = main.cluster
    n_gain, n_interval = (int(frame[name].notna().sum()) for name in ("gain", "conf_low"))
    covariates = ", ".join(options.covariates) or "none"
    own = " and a linear trend of its own" if options.trends else ""
    source = (
        "never treated villages alone"
        if options.comparison == "never_treated"
        else "the untreated years of all villages, a village's own until it is treated"
    )
    rows: list[tuple[str, float | None, str]] = [
        (
            "Estimator",
            None,
            "imputation: what a village would have had is its own level"
            f"{own} and its {'county' if options.year_effects == 'county' else 'common'} year "
            "effects, fitted on untreated village-years (Borusyak, Jaravel, Spiess 2024, "
            "doi:10.1093/restud/rdae007); its gain is the mean over its treated years of the "
            "outcome less that",
        ),
        ("Outcome", None, f"{outcome.label}; {shown.unit}. {retransformation(panel)}"),
        ("Comparison", int(design.fitted.sum()), f"village-years: {source}"),
        ("Covariates", len(options.covariates), covariates),
        ("Years of anticipation", options.anticipation, "before the first treated one"),
        ("Weights", None, options.weights or "every village counts alike"),
        (
            "Errors of means",
            None,
            f"clustered by {level}; intervals of villages: from the same contrast in "
            f"comparison villages, nominally {gains.level} (alpha {options.alpha:g})",
        ),
        ("Treated villages", len(frame), f"treated by {panel.years[-1]}"),
        ("of them with a gain", n_gain, ""),
        ("of them with an interval", n_interval, ""),
        *_reason_rows(frame),
        *_left_out_rows(main),
        ("Mean gain", float(att["estimate"]) / shown.divisor, _att_words(main, gains)),
    ]
    if gains.within is not None:
        within = gains.within.att
        rows.append(
            (
                "Mean gain, year effects by county",
                float(within["estimate"]) / shown.divisor,
                _att_words(gains.within, gains),
            )
        )
    if panel.analysis.form != "level" and np.isfinite(main.yuan).any():
        money, mean = _mean_in_money(gains)
        rows.append(("Mean gain in money", mean, f"{money}; no interval: retransformed"))
    data = pd.DataFrame(rows, columns=["item", "value", "what"], dtype=object)
    cells = pd.DataFrame(
        {
            "": data["item"],
            "Value": ["" if v is None else show_number(float(v)) for v in data["value"]],
            "What": data["what"],
        },
        dtype=object,
    )
    note = (
        f"{_reading(gains)} This is the programme's doing if villages would have changed alike "
        "without it, and if what is done in one does not reach another. "
        f"{ASSUMPTIONS if gains.within else gains.why_not_within} {gains.prices} "
        f"{money_note(shown)}"
    )
    return Exhibit(
        name="gains_summary",
        kind="table",
        caption=_SUMMARY,
        data=data,
        body=html_table(cells),
        simulated=gains.study_data.study.simulated,
        note=" ".join(note.split()),
    )


def _reading(gains: StudyGains) -> str:
    """Say the programme's mean gain in one sentence."""
    main, shown = gains.found, gains.shown
    att = main.att
    mean = float(att["estimate"]) / shown.divisor
    more = "more" if mean >= 0 else "less"
    log = main.panel.analysis.form == "log"
    share = f" (about {abs(np.expm1(mean)):.0%})" if log else ""
    within = ""
    if gains.within is not None and np.isnan(att["conf_low"]):
        beside = gains.within.att
        within = (
            "With year effects by county it is "
            f"{show_number(float(beside['estimate']) / shown.divisor)} "
            f"({interval_words(beside, shown.divisor, gains.level)})."
        )
    return (
        f"Over {int(att['n_cells']):,} village-years the {int(att['n_villages']):,} treated "
        f"villages with a gain had {show_number(abs(mean))}{share} {more} a year than they "
        f"would have had ({shown.unit}; {interval_words(att, shown.divisor, gains.level)}). "
        f"{within}"
    )


def _att_words(found: IncomeGains, gains: StudyGains) -> str:
    words = interval_words(found.att, gains.shown.divisor, gains.level)
    return f"{gains.shown.unit}, over {int(found.att['n_cells']):,} village-years; {words}"


def _reason_rows(frame: pd.DataFrame) -> list[tuple[str, float, str]]:
    """Count the villages without a gain, and those without an interval, by reason."""
    rows: list[tuple[str, float, str]] = []
    for name, some in {
        "without a gain": frame["gain"].isna(),
        "without an interval": frame["gain"].notna() & frame["conf_low"].isna(),
    }.items():
        counts = frame.loc[some, "reason"].astype(str).value_counts()
        rows += [(name, int(count), str(reason)) for reason, count in counts.items()]
    return rows


def _left_out_rows(main: IncomeGains) -> list[tuple[str, float, str]]:
    found = {
        "an outcome of zero has no logarithm": main.n_zeros_left_out,
        "a covariate is not known": main.n_cells_left_out,
    }
    rows = [("Village-years left out", float(n), why) for why, n in found.items() if n]
    return rows or [("Village-years left out", 0, "")]


def _mean_in_money(gains: StudyGains) -> tuple[str, float]:
    """Give the mean gain brought back from the analysis's scale, and its unit."""
    main, panel = gains.found, gains.panel
    variable = panel.variables[panel.outcome]
    weights = np.where(np.isfinite(main.yuan), main.cells.weights, 0)
    mean = float((weights * np.nan_to_num(main.yuan)).sum() / weights.sum())
    money = show_money(variable.unit, panel.price_year)
    small = money.divisor > 1 and abs(mean) < money.divisor  # an income per head
    unit = money.unit.replace("万元", "yuan") if small else money.unit
    return unit or "levels", mean if small else mean / money.divisor


@needs_gains("gains_by", "Mean gains by group")
def gain_by_table(
    gains: StudyGains, by: Literal["county", "town", "cohort", "year", "event_time"]
) -> Exhibit:
    """Show mean gains by county, town, cohort, year or event time.

    Where intervals are missing under common year effects, the estimates with year effects
    by county stand beside them.
    """
    main, shown = gains.found, gains.shown
    found = main.by(by)
    within = gains.within.by(by) if gains.within and found["conf_low"].isna().any() else None
    labels = _labels(gains, found.index, by)
    data = found.reset_index(drop=True).assign(**{by: labels, "unit": shown.unit})
    data[_MONEY] /= shown.divisor
    if within is not None:
        beside = within.reset_index(drop=True)[[*_MONEY, "method", "reason"]]
        beside[_MONEY] /= shown.divisor
        data = data.join(beside.add_prefix("within_"))
    data = data[[by, *(name for name in data if name != by)]]
    rows = np.arange(len(found))
    if len(found) > _MOST_ROWS:
        rows = np.sort(found["n_villages"].to_numpy().argsort(kind="stable")[-_MOST_ROWS:])
    cells, notes = _by_cells(found.iloc[rows], shown.divisor, "")
    table = pd.DataFrame(
        {
            _BY[by]: [labels[row] for row in rows],
            "Villages": [f"{n:,.0f}" for n in found["n_villages"].iloc[rows]],
            "Village-years": [f"{n:,.0f}" for n in found["n_cells"].iloc[rows]],
            **cells,
        },
        dtype=object,
    )
    if within is not None:
        cells, more = _by_cells(within.iloc[rows], shown.divisor, ", year effects by county")
        table = table.join(pd.DataFrame(cells, dtype=object))
        notes += more
    cut = (
        f"The {_MOST_ROWS} with most villages of {len(found):,}; all are in the table's file. "
        if len(found) > _MOST_ROWS
        else ""
    )
    assumed = ASSUMPTIONS if within is not None and by == "county" else ""
    note = (
        f"{_extremes(data, by, gains.level)} {cut}{' '.join(notes)} {assumed} "
        f"In {shown.unit}. {gains.prices} {money_note(shown)}"
    )
    return Exhibit(
        name=f"gains_by_{by}",
        kind="table",
        caption=f"Mean gains by {_BY[by].lower()}",
        data=data,
        body=html_table(table),
        simulated=gains.study_data.study.simulated,
        note=" ".join(note.split()),
    )


_NUMBERED = ("event_time",)
_MONEY = ["estimate", "se", "conf_low", "conf_high"]


def _labels(gains: StudyGains, index: pd.Index[Any], by: str) -> list[str]:
    if by == "county":
        return name_counties(gains.study_data.study, index)
    return [" ".join(key) if isinstance(key, tuple) else str(key) for key in index]


def _by_cells(
    found: pd.DataFrame, divisor: float, suffix: str
) -> tuple[dict[str, list[Any]], list[str]]:
    intervals, shared = interval_cells(found, divisor)
    cells: dict[str, list[Any]] = {
        f"Gain{suffix}": [show_number(value / divisor) for value in found["estimate"]],
        f"Interval{suffix}": intervals,
    }
    methods = " and ".join(sorted({method for method in found["method"] if method}))
    notes = [f"No interval{suffix}: {shared}."] if shared else []
    return cells, notes + ([f"Intervals{suffix}: {methods}."] if methods else [])


def _extremes(data: pd.DataFrame, by: str, level: str) -> str:
    """Say which groups gained most and least, and how many intervals leave out zero."""
    known = data.dropna(subset="estimate")
    if known.empty:
        return "No group has a gain."
    ordered = known.sort_values("estimate", kind="stable")
    word = f"{_BY[by].lower()} " if by in _NUMBERED else ""
    least, most = (
        (show_number(float(ordered["estimate"].iloc[i])), f"{word}{ordered[by].iloc[i]}")
        for i in (0, -1)
    )
    words = f"The mean gain is {most[0]} for {most[1]}"
    if len(known) > 1:
        words = f"The mean gain goes from {least[0]} ({least[1]}) to {most[0]} ({most[1]})"
    sides = [side for side in ("", "within_") if f"{side}conf_low" in data]
    told = []
    for side in sides:
        low, high = data[f"{side}conf_low"], data[f"{side}conf_high"]
        if n := int(low.notna().sum()):
            away = int(((low > 0) | (high < 0)).sum())
            where = " with year effects by county" if side else ""
            told.append(f"{away:,} of {n:,} {level} intervals leave out zero{where}")
    return f"{words}; {'; '.join(told) or 'no group has an interval'}."
