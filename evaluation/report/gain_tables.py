"""Tables of gains: how they were estimated and what they are on average."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from evaluation.gains.result import IncomeGains
from evaluation.gains.scale import retransformation
from evaluation.report.absent import absent
from evaluation.report.exhibits import Exhibit, html_table
from evaluation.report.gain_study import StudyGains, name_counties, needs_gains
from evaluation.report.gain_support import (
    Row,
    count_comparison,
    extreme_rows,
    fewest_row,
    left_out_rows,
    money_rows,
    reason_rows,
    speaks_for,
)
from evaluation.report.gain_words import (
    ONE_AT_A_TIME,
    bars_words,
    cluster_of,
    effects_words,
    few_words,
    given_words,
    interval_cells,
    interval_words,
    natural_order,
    tell_gain,
    zero_words,
)
from evaluation.report.village_words import money_note, show_number

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
    rows: list[Row] = [
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
        fewest_row(main),
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
        *reason_rows(frame),
        *left_out_rows(main),
        *_shrunken_rows(gains),
        ("Mean gain", float(att["estimate"]) / shown.divisor, _att_words(main, gains)),
        *extreme_rows(gains),
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
    rows += money_rows(gains)
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
    """Say the programme's mean gain in a sentence, and what its interval leaves open."""
    main, att, within = gains.found, gains.found.att, ""
    if gains.within is not None and np.isnan(att["conf_low"]):
        beside = gains.within.att
        told = tell_gain(beside, gains.within, gains.shown, gains.level)
        within = (
            f"With year effects by county they had {told}. {zero_words(beside)} "
            f"{given_words(gains.within)}"
        )
    return (
        f"Over {int(att['n_cells']):,} village-years the {int(att['n_villages']):,} treated "
        f"villages with a gain had {tell_gain(att, main, gains.shown, gains.level)} than they "
        f"would have had. {zero_words(att)} {given_words(main)} {within} {speaks_for(main)}"
    )


def _att_words(found: IncomeGains, gains: StudyGains) -> str:
    words = interval_words(found.att, gains.shown.divisor, gains.level, found.cluster)
    return f"{gains.shown.unit}, over {int(found.att['n_cells']):,} village-years; {words}"


def _shrunken_rows(gains: StudyGains) -> list[Row]:
    return [] if gains.shrunken else [("Shrunken gains", 0, gains.why_not_shrunken)]


def gain_by_table(
    gains: StudyGains, by: Literal["county", "town", "cohort", "year", "event_time"]
) -> Exhibit:
    """Show mean gains by county, town, cohort, year or event time.

    Where intervals are missing under common year effects, the estimates with year effects
    by county stand beside them.
    """
    name, caption = f"gains_by_{by}", f"Mean gains by {_BY[by].lower()}"
    if gains.main is None:
        return absent(gains.study_data, name, caption, gains.reason)
    main, shown = gains.found, gains.shown
    found = main.by(by)
    within = None
    if gains.within is not None and found["conf_low"].isna().any():
        within = gains.within.by(by)
    if by in ("county", "town"):
        order = natural_order(found.index)
        found = found.iloc[order]
        within = within if within is None else within.iloc[order]
    labels = _labels(gains, found.index, by)
    data = found.reset_index(drop=True).assign(**{by: labels, "unit": shown.unit})
    data[_MONEY] /= shown.divisor
    if within is not None:
        beside = within.reset_index(drop=True)[[*_MONEY, "method", "reason"]]
        beside[_MONEY] /= shown.divisor
        data = data.join(beside.add_prefix("within_"))
    data = data[[by, *(name for name in data if name != by)]]
    if by == "year":
        counts = dict(zip(gains.panel.years.tolist(), count_comparison(main), strict=True))
        data["n_comparison"] = [int(counts[year]) for year in found.index]
    rows = np.arange(len(found))
    if len(found) > _MOST_ROWS:
        rows = np.sort(found["n_villages"].to_numpy().argsort(kind="stable")[-_MOST_ROWS:])
    cells, notes = _by_cells(found.iloc[rows], gains, main, by)
    table = pd.DataFrame(
        {
            _BY[by]: [labels[row] for row in rows],
            "Villages": [f"{n:,.0f}" for n in found["n_villages"].iloc[rows]],
            "Village-years": [f"{n:,.0f}" for n in found["n_cells"].iloc[rows]],
            **_comparison_cells(data.iloc[rows]),
            **cells,
        },
        dtype=object,
    )
    if gains.within is not None and within is not None:
        cells, more = _by_cells(within.iloc[rows], gains, gains.within, by, _WITHIN)
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
        name=name,
        kind="table",
        caption=caption,
        data=data,
        body=html_table(table),
        simulated=gains.study_data.study.simulated,
        note=" ".join(note.split()),
    )


_NUMBERED = ("event_time",)
_WITHIN = ", year effects by county"
_MONEY = ["estimate", "se", "conf_low", "conf_high"]


def _labels(gains: StudyGains, index: pd.Index[Any], by: str) -> list[str]:
    if by == "county":
        return name_counties(gains.study_data.study, index)
    return [" ".join(key) if isinstance(key, tuple) else str(key) for key in index]


def _comparison_cells(data: pd.DataFrame) -> dict[str, list[str]]:
    if "n_comparison" not in data:
        return {}
    return {"Comparison villages": [f"{n:,.0f}" for n in data["n_comparison"]]}


def _by_cells(
    frame: pd.DataFrame, gains: StudyGains, found: IncomeGains, by: str, suffix: str = ""
) -> tuple[dict[str, list[Any]], list[str]]:
    divisor, cluster = gains.shown.divisor, cluster_of(found, by)
    intervals, shared = interval_cells(frame, divisor, cluster)
    cells: dict[str, list[Any]] = {
        f"Gain{suffix}": [show_number(value / divisor) for value in frame["estimate"]],
        f"Interval{suffix}": intervals,
    }
    notes = [f"No interval{suffix}: {shared}."] if shared else []
    notes.append(few_words(frame["reason"], found.options.alpha, cluster))
    if frame["conf_low"].notna().any():
        how = f"{effects_words(found)}: {bars_words(frame, gains.level, cluster)}."
        notes.append(how[0].upper() + how[1:])
    return cells, notes


def _extremes(data: pd.DataFrame, by: str, level: str) -> str:
    """Say which groups gained most and least, and how many intervals leave out zero.

    If any has an interval, only those with one are named, by the estimates that have it.
    """
    sides = [side for side in ("", "within_") if f"{side}conf_low" in data]
    with_some = [side for side in sides if data[f"{side}conf_low"].notna().any()]
    side = with_some[0] if with_some else ""
    known = data.dropna(subset=f"{side}{'conf_low' if with_some else 'estimate'}")
    if known.empty:
        return "No group has a gain."
    ordered = known.sort_values(f"{side}estimate", kind="stable")
    word = f"{_BY[by].lower()} " if by in _NUMBERED else ""
    ends = ordered[[f"{side}estimate", by]].iloc[[0, -1]].to_numpy(object)
    least, most = (f"{show_number(float(size))} ({word}{name})" for size, name in ends)
    span = f"goes from {least} to {most}" if len(known) > 1 else f"is {most}"
    where = " with year effects by county" if side else ""
    if not with_some:
        return f"The estimated mean gain {span}{where}; no group has an interval."
    whose = f", of the {len(known):,} with an interval" if len(known) < len(data) else ""
    told = []
    for name in with_some:
        low, high = data[f"{name}conf_low"], data[f"{name}conf_high"]
        away, n = int(((low > 0) | (high < 0)).sum()), int(low.notna().sum())
        how = " with year effects by county" if name else ""
        told.append(f"{away:,} of {n:,} {level} intervals leave out zero{how}")
    return f"The estimated mean gain {span}{where}{whose}; {'; '.join(told)}. {ONE_AT_A_TIME}"
