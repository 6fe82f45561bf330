"""Tables of gains: how they were estimated and what they are on average."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from evaluation.gains.result import IncomeGains
from evaluation.language import mark, say, sentences
from evaluation.report.absent import absent
from evaluation.report.cells import html_table
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.study import StudyGains, name_counties, needs_gains
from evaluation.report.gains.support import (
    ASSUMPTIONS,
    Row,
    count_comparison,
    extreme_rows,
    left_out_rows,
    money_rows,
    option_rows,
    reason_rows,
    speaks_for,
)
from evaluation.report.gains.words import (
    ONE_AT_A_TIME,
    bars_words,
    cluster_of,
    few_words,
    given_words,
    interval_cells,
    interval_words,
    natural_order,
    series_words,
    tell_gain,
    zero_words,
)
from evaluation.report.village_words import money_note, show_number

_MOST_ROWS = 60
_SUMMARY = mark("How gains were estimated, and how many there are")
_ONE_COUNTY = mark("This report is on one county: its mean gain is that of all its villages.")
_BY = {
    "county": (mark("County"), mark("Mean gains by county")),
    "town": (mark("Town"), mark("Mean gains by town")),
    "cohort": (mark("First treated year"), mark("Mean gains by first treated year")),
    "year": (mark("Year"), mark("Mean gains by year")),
    "event_time": (
        mark("Years since treatment"),
        mark("Mean gains by years since treatment"),
    ),
}


@needs_gains("gains_summary", _SUMMARY)
def gains_summary_table(gains: StudyGains) -> Exhibit:
    """Show how gains were estimated, counts with and without, and the mean gain."""
    main, shown = gains.found, gains.shown
    frame, mean = main.villages, float(main.att["estimate"])
    n_gain, n_interval = (int(frame[name].notna().sum()) for name in ("gain", "conf_low"))
    rows: list[Row] = [
        *option_rows(gains),
        (say("of them with a gain"), n_gain, ""),
        (say("of them with an interval"), n_interval, ""),
        *reason_rows(frame),
        *left_out_rows(main),
        *_shrunken_rows(gains),
        (say("Mean gain"), mean / shown.divisor, _att_words(main, gains)),
        *extreme_rows(gains),
    ]
    if gains.within is not None:
        mean = float(gains.within.att["estimate"]) / shown.divisor
        item = say("Mean gain, year effects by county")
        rows.append((item, mean, _att_words(gains.within, gains)))
    rows += money_rows(gains)
    data = pd.DataFrame(rows, columns=["item", "value", "what"], dtype=object)
    cells = pd.DataFrame(
        {
            "": data["item"],
            say("Value"): ["" if v is None else show_number(float(v)) for v in data["value"]],
            say("What"): data["what"],
        },
        dtype=object,
    )
    note = sentences(
        *_reading(gains),
        say(
            "This is the programme's doing if villages would have changed alike without it, "
            "and if what is done in one does not reach another."
        ),
        say(ASSUMPTIONS) if gains.within else gains.why_not_within,
        gains.prices,
        money_note(shown),
    )
    return Exhibit(
        name="gains_summary",
        kind="table",
        caption=say(_SUMMARY),
        data=data,
        body=html_table(cells),
        simulated=gains.study_data.study.simulated,
        note=note,
    )


def _reading(gains: StudyGains) -> list[str]:
    """Say the programme's mean gain in a sentence, and what its interval leaves open."""
    main, att, within = gains.found, gains.found.att, []
    if gains.within is not None and np.isnan(att["conf_low"]):
        beside = gains.within.att
        told = tell_gain(beside, gains.within, gains.shown, gains.level)
        within = [
            say("With year effects by county they had {told}.", told=told),
            zero_words(beside),
            given_words(gains.within),
        ]
    had = say(
        "Over {cells:,} village-years the {n:,} treated villages with a gain had {told} than "
        "they would have had.",
        cells=int(att["n_cells"]), n=int(att["n_villages"]),
        told=tell_gain(att, main, gains.shown, gains.level),
    )  # fmt: skip
    return [had, zero_words(att), given_words(main), *within, speaks_for(main)]


def _att_words(found: IncomeGains, gains: StudyGains) -> str:
    return say(
        "{unit}, over {n:,} village-years; {interval}",
        unit=gains.shown.unit, n=int(found.att["n_cells"]),
        interval=interval_words(found.att, gains.shown.divisor, gains.level, found.cluster),
    )  # fmt: skip


def _shrunken_rows(gains: StudyGains) -> list[Row]:
    return [] if gains.shrunken else [(say("Shrunken gains"), 0, gains.why_not_shrunken)]


def gain_by_table(
    gains: StudyGains, by: Literal["county", "town", "cohort", "year", "event_time"]
) -> Exhibit:
    """Show mean gains by county, town, cohort, year or event time.

    Where intervals are missing under common year effects, the estimates with year effects
    by county stand beside them.
    """
    name, caption = f"gains_by_{by}", say(_BY[by][1])
    if gains.main is None:
        return absent(gains.study_data, name, caption, gains.reason)
    if by == "county" and gains.study_data.study.county:
        return absent(gains.study_data, name, caption, say(_ONE_COUNTY))
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
            say(_BY[by][0]): [labels[row] for row in rows],
            say("Villages"): [f"{n:,.0f}" for n in found["n_villages"].iloc[rows]],
            say("Village-years"): [f"{n:,.0f}" for n in found["n_cells"].iloc[rows]],
            **_comparison_cells(data.iloc[rows]),
            **cells,
        },
        dtype=object,
    )
    if gains.within is not None and within is not None:
        cells, more = _by_cells(within.iloc[rows], gains, gains.within, by, within=True)
        table = table.join(pd.DataFrame(cells, dtype=object))
        notes += more
    cut = say(
        "The {n} with most villages of {all:,}; all are in the table's file.",
        n=_MOST_ROWS, all=len(found),
    )  # fmt: skip
    note = sentences(
        _extremes(data, by, gains.level),
        cut if len(found) > _MOST_ROWS else "",
        *notes,
        say(ASSUMPTIONS) if within is not None and by == "county" else "",
        say("In {unit}.", unit=shown.unit),
        gains.prices,
        money_note(shown),
    )
    return Exhibit(
        name=name,
        kind="table",
        caption=caption,
        data=data,
        body=html_table(table),
        simulated=gains.study_data.study.simulated,
        note=note,
    )


_ENDS = ["estimate", "conf_low", "conf_high"]
_MONEY = [*_ENDS, "se"]


def _labels(gains: StudyGains, index: pd.Index[Any], by: str) -> list[str]:
    if by == "county":
        return name_counties(gains.study_data.study, index)
    parts = (key if isinstance(key, tuple) else (str(key),) for key in index)
    return [" ".join(filter(None, names)) for names in parts]


def _comparison_cells(data: pd.DataFrame) -> dict[str, list[str]]:
    if "n_comparison" not in data:
        return {}
    return {say("Comparison villages"): [f"{n:,.0f}" for n in data["n_comparison"]]}


def _by_cells(
    frame: pd.DataFrame, gains: StudyGains, found: IncomeGains, by: str, *, within: bool = False
) -> tuple[dict[str, list[Any]], list[str]]:
    divisor, cluster = gains.shown.divisor, cluster_of(found, by)
    means = frame["estimate"] / divisor
    places = shared_decimals(np.ravel(frame[_ENDS] / divisor))
    intervals, shared = interval_cells(frame, divisor, cluster, decimals=places)
    gain, interval, lacking = (
        (
            mark("Gain, year effects by county"),
            mark("Interval, year effects by county"),
            mark("No interval, year effects by county: {why}."),
        )
        if within
        else (mark("Gain"), mark("Interval"), mark("No interval: {why}."))
    )
    cells: dict[str, list[Any]] = {
        say(gain): show_alike(means, decimals=places),
        say(interval): intervals,
    }
    notes = [say(lacking, why=shared)] if shared else []
    notes.append(few_words(frame["reason"], found.options.alpha, cluster))
    if frame["conf_low"].notna().any():
        notes.append(series_words(found, bars_words(frame, gains.level, cluster)))
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
        return say("No group has a gain.")
    ordered = known.sort_values(f"{side}estimate", kind="stable")
    word = mark("{size} (years since treatment {name})")
    word = word if by == "event_time" else mark("{size} ({name})")
    ends = ordered[[f"{side}estimate", by]].iloc[[0, -1]].to_numpy(object)
    sizes = show_alike(ends[:, 0], decimals=shared_decimals(data[f"{side}estimate"]))
    least, most = (say(word, size=size, name=ends[i, 1]) for i, size in enumerate(sizes))
    span = mark("The estimated mean gain goes from {least} to {most}{where}{whose}; {zero}.")
    span = (
        span
        if len(known) > 1
        else mark("The estimated mean gain is {most}{where}{whose}; {zero}.")
    )
    where = say(" with year effects by county") if side else ""
    words = {"least": least, "most": most, "where": where, "whose": ""}
    if not with_some:
        return say(span, zero=say("no group has an interval"), **words)
    if len(known) < len(data):
        words["whose"] = say(", of the {n:,} with an interval", n=len(known))
    told = []
    for name in with_some:
        low, high = data[f"{name}conf_low"], data[f"{name}conf_high"]
        away, n = int(((low > 0) | (high < 0)).sum()), int(low.notna().sum())
        some = mark("{away:,} of {n:,} {level} intervals leave out zero")
        if name:
            some = mark(
                "{away:,} of {n:,} {level} intervals leave out zero with year effects by county"
            )
        told.append(say(some, away=away, n=n, level=level))
    return sentences(say(span, zero=say("; ").join(told), **words), say(ONE_AT_A_TIME))
