"""Gain per yuan by county, source and type of project, and the villages in no ratio."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.efficiency.spending import NO_TYPE, main_types
from evaluation.report.absent import NeedsFound, absent
from evaluation.report.efficiency_study import StudyEfficiency
from evaluation.report.exhibits import Exhibit
from evaluation.report.gain_study import name_counties
from evaluation.report.ledger_plots import SOURCES
from evaluation.report.village_words import show_number

Grouping = Literal["county", "source", "type"]

_CAPTIONS = {
    "county": "Gain per yuan by county",
    "source": "Gain per yuan of each source's money",
    "type": "Gain per yuan by villages' main type of project",
}
_GROUPS = "Villages and money in the ratios, and those in none"
_HOUSEHOLDS = "Money and gains per village and household"
_COUNTS = {"households": "household", "poor_households": "poor household"}
_MOST_ROWS = 60
_HEADS = {"county": "County", "source": "Money of", "type": "Main type"}
_NOTES = {
    "source": (
        "Each row has the whole gain over one source's money: what all the money bought, "
        "counted per yuan of this source. It attributes no gain to a source, and rows do not "
        "add up."
    ),
    "type": (
        "A village counts under the type that took most of its money, over half of it; else "
        "under none. Villages with other types differ in more than these."
    ),
}


def efficiency_table(efficiency: StudyEfficiency, by: Grouping = "county") -> Exhibit:
    """Show gain per yuan with its sets by county, source or main type of project."""
    return NeedsFound(f"gain_per_yuan_by_{by}", _CAPTIONS[by])(_efficiency_table)(
        efficiency, by
    )


def _efficiency_table(efficiency: StudyEfficiency, by: Grouping) -> Exhibit:
    found, shown = efficiency.found, efficiency.money
    total = found.total
    frame, labels = _rows(efficiency, by, total)
    data = frame.reset_index(drop=True).assign(**{by: labels, "unit": found.unit})
    data[["money", "money_sd"]] /= shown.divisor
    data[["gain", "conf_low", "conf_high"]] /= efficiency.gain_shown.divisor
    data = data.assign(money_unit=shown.unit, gain_unit=efficiency.gain_shown.unit)
    reasons = data.loc[data["kind"] == "none", "reason"].unique()
    alike = len(reasons) == 1 and len(data) > 1
    most = data["money"].nlargest(_MOST_ROWS + 1).index  # all of them together among these
    rows = data.loc[data.index.isin(most)]
    cells = pd.DataFrame(
        {
            _HEADS[by]: rows[by],
            "Villages": [f"{n:,.0f}" for n in rows["n_villages"]],
            f"Money {found.spending.stage}": [show_number(x) for x in rows["money"]],
            gain_head(efficiency): [show_number(x) for x in rows["gain"]],
            "Per yuan": [show_number(x) for x in rows["per_yuan"]],
            "Set": [set_cell(row, alike=alike) for row in rows.to_dict("records")],
        },
        dtype=object,
    )
    more = _mean_words(total) if by == "county" else _NOTES[by]
    cut = (
        f"The {_MOST_ROWS} with most money of {len(data) - 1:,}; all are in the table's file."
        if len(rows) < len(data)
        else ""
    )
    note = (
        f"{_reading(efficiency, total)} {more} {set_note(efficiency)} "
        f"{f'None: {reasons[0]}.' if alike else ''} {cut} "
        f"{efficiency.units_note()}"
    )
    return efficiency.table(
        f"gain_per_yuan_by_{by}", _CAPTIONS[by], data=data, cells=cells, note=note
    )


@NeedsFound("per_household", _HOUSEHOLDS)
def household_table(efficiency: StudyEfficiency) -> Exhibit:
    """Show money and gains per village, per household and per poor household, by county."""
    found, shown = efficiency.found, efficiency.money
    counts = [name for name in _COUNTS if name in found.gains.panel.matrices]
    if not counts:
        reason = f"The panel has neither {' nor '.join(_COUNTS)} among its covariates."
        return absent(efficiency.study_data, "per_household", _HOUSEHOLDS, reason)
    columns = ["gain", "conf_low", "conf_high", "money"]
    village = found.by("county").rename_axis("county")
    village[columns] = village[columns].div(village["n_villages"], axis=0)
    frames = {"village": village, **{_COUNTS[name]: found.per(name) for name in counts}}
    parts = [frame.reset_index().assign(per=per) for per, frame in frames.items()]
    data = pd.concat(parts)[["county", "per", "n_villages", "n_units", *columns, "reason"]]
    index = village["money"].mul(village["n_villages"]).nlargest(_MOST_ROWS).index
    cells = {"County": name_counties(efficiency.study_data.study, index)}
    for per, frame in frames.items():
        for name, head, how in (
            ("money", "Money", shown), ("gain", gain_head(efficiency), efficiency.gain_shown)
        ):  # fmt: skip
            divisor = how.divisor if per == "village" else 1
            cells[f"{head} per {per}"] = [
                show_number(x / divisor) for x in frame.loc[index, name]
            ]
    note = (
        "Sums over the villages in the ratios, over their number and over their households as "
        "first recorded: no household's own income. Counties by money, at most "
        f"{_MOST_ROWS}. Per household money is in {shown.unit.replace('万元', 'yuan')}; else: "
        f"{efficiency.units_note()}"
    )
    return efficiency.table(
        "per_household",
        _HOUSEHOLDS,
        data=data,
        cells=pd.DataFrame(cells, dtype=object),
        note=note,
    )


@NeedsFound("efficiency_groups", _GROUPS)
def efficiency_groups_table(efficiency: StudyEfficiency) -> Exhibit:
    """Count the villages and the money in the ratio, and those that are not, by reason."""
    found, shown = efficiency.found, efficiency.money
    groups = found.groups()
    parts = groups.rename_axis("group").reset_index().replace({"group": {"": "in the ratio"}})
    parts["gain"] = parts["gain"].where(parts["n_with_gain"] > 0)
    rest = found.spending.left_out
    rest = rest.assign(group="money " + rest["reason"].astype("str"), gain=np.nan)
    columns = ["group", "n_villages", "gain", "money"]
    data = pd.concat([parts[columns], rest[columns]] if len(rest) else [parts[columns]])
    data["money"] /= shown.divisor
    data["gain"] /= efficiency.gain_shown.divisor
    cells = pd.DataFrame(
        {
            "": [str(name).capitalize() for name in data["group"]],
            "Villages": [f"{n:,}" for n in data["n_villages"]],
            gain_head(efficiency): [show_number(x) for x in data["gain"]],
            f"Money {found.spending.stage}": [show_number(x) for x in data["money"]],
        },
        dtype=object,
    )
    inside = int((found.villages["group"] == "").sum())
    note = (
        f"{inside:,} treated villages have both a gain and money and are in the ratios; "
        f"{len(found.villages) - inside:,} are not. A village without money has no gain per "
        f"yuan, and its gain is not counted as bought for nothing. {efficiency.units_note()}"
    )
    return efficiency.table(
        "efficiency_groups",
        _GROUPS,
        data=data.assign(unit=shown.unit),
        cells=cells,
        note=note,
    )


def gain_head(efficiency: StudyEfficiency) -> str:
    """Name a column of summed gains."""
    return "Gain a year" if efficiency.found.horizon == "annual" else "Gain in all years"


def set_cell(row: dict[Any, Any], *, alike: bool = False) -> Markup:
    """Print a ratio's set as what it is: bounded, unbounded, the whole line, or none.

    The reason why there is none is left out where it is ``alike`` in all rows.
    """
    kind = row["kind"]
    if kind == "bounded":
        text = f"{show_number(row['low'])} to {show_number(row['high'])}"
    elif kind == "unbounded":
        parts = [f"up to {show_number(row['high'])}"] if np.isfinite(row["high"]) else []
        parts += [f"from {show_number(row['low'])} on"] if np.isfinite(row["low"]) else []
        text = f"unbounded: {' and '.join(parts)}"
    elif kind == "whole line":
        text = "any value (unbounded)"
    else:
        why = "none" if alike else f"none: {row['reason']}"
        return Markup('<span class="gap">{}</span>').format(why)
    return Markup('<span class="number">{}</span>').format(text)


def set_words(efficiency: StudyEfficiency, row: pd.Series[Any]) -> str:
    """Say a ratio's set in a sentence."""
    if row["kind"] == "none":
        return f"no set: {row['reason']}"
    level = f"{1 - efficiency.found.gains.options.alpha:.0%}"
    return f"{level} set {set_cell(row.to_dict()).striptags()}"


def set_note(efficiency: StudyEfficiency) -> str:
    """Say how sets are made."""
    found = efficiency.found
    level = f"{1 - found.gains.options.alpha:.0%}"
    if not found.money_error:
        return (
            f"{level} sets of ratios, for villages like these, money being taken as known "
            "without error: the gain's interval over the money."
        )
    return (
        f"{level} sets of ratios (Fieller), a village's money being measured with a relative "
        f"error of {found.money_error:.0%}; one without an end is printed as unbounded. "
        "Other exhibits take money as known."
    )


def _rows(
    efficiency: StudyEfficiency, by: Grouping, total: pd.Series[Any]
) -> tuple[pd.DataFrame, list[str]]:
    found = efficiency.found
    if by == "source":
        frame = found.by_source()
        order = [name for name in SOURCES if name in frame.index]
        frame = frame.loc[order]
        return frame, [" ".join(SOURCES[name]) for name in order]
    if by == "type":
        types = main_types(found.spending, efficiency.study_data.projects)
        frame = found.by(types)
        frame = frame.loc[sorted(frame.index, key=lambda name: (name == NO_TYPE, name))]
        labels = [str(name) for name in frame.index]
    else:
        frame = found.by("county")
        labels = name_counties(efficiency.study_data.study, frame.index)
    whole = pd.DataFrame([total]).infer_objects()
    return pd.concat([frame, whole]), [*labels, "all"]


def _reading(efficiency: StudyEfficiency, total: pd.Series[Any]) -> str:
    found = efficiency.found
    span = "a year" if found.horizon == "annual" else "in all years observed"
    gain = efficiency.say_gain(float(total["per_yuan"]), span)
    return (
        f"For each yuan {found.spending.stage} the {total['n_villages']:,.0f} villages had an "
        f"estimated {gain} ({set_words(efficiency, total)})."
    )


def _mean_words(total: pd.Series[Any]) -> str:
    """Say how the ratio of sums differs from the mean of ratios, and why."""
    mean, ratio = float(total["mean_of_ratios"]), float(total["per_yuan"])
    if np.isclose(mean, ratio, rtol=0.02, atol=0):
        return "The mean of villages' own ratios is the same to within 2%."
    if min(mean, ratio) <= 0:
        return f"The mean of villages' own ratios is {show_number(mean)}."
    side = "less" if mean > ratio else "more"
    return (
        f"These are ratios of sums, what the average yuan bought. The mean of villages' own "
        f"ratios is {show_number(mean)}: villages with {side} money gained more per yuan."
    )
