"""Gain per yuan by county, source and type of project, and the villages in no ratio."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.efficiency.spending import NO_TYPE, main_types
from evaluation.language import listing, mark, say, sentences
from evaluation.report.absent import NeedsFound, absent
from evaluation.report.data.ledger_plots import SOURCES
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.efficiency.study import StudyEfficiency
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.study import name_counties, name_with_all
from evaluation.report.gains.words import (
    few_words,
    reason_words,
    show_interval,
    show_share,
)
from evaluation.report.village_words import show_number

Grouping = Literal["county", "source", "type"]

_CAPTIONS = {
    "county": mark("Gain per yuan by county"),
    "source": mark("Gain per yuan of each source's money"),
    "type": mark("Gain per yuan by villages' main type of project"),
}
_GROUPS = mark("Villages and money in the ratios, and those in none")
_HOUSEHOLDS = mark("Money and gains per village and household")
_COUNTS = {"households": mark("household"), "poor_households": mark("poor household")}
_MOST_ROWS = 60
_HEADS = {"county": mark("County"), "source": mark("Money of"), "type": mark("Main type")}
_NOTES = {
    "source": mark(
        "Each row has the whole gain over one source's money: what all the money bought, "
        "counted per yuan of this source. It attributes no gain to a source, and rows do not "
        "add up."
    ),
    "type": mark(
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
    decimals, cluster = shared_decimals(rows["per_yuan"]), found.gains.cluster
    told = rows.assign(reason=[reason_words(why, cluster) for why in rows["reason"]])
    cells = pd.DataFrame(
        {
            say(_HEADS[by]): rows[by],
            say("Villages"): [f"{n:,.0f}" for n in rows["n_villages"]],
            money_head(efficiency): show_alike(rows["money"]),
            gain_head(efficiency): show_alike(rows["gain"]),
            say("Per yuan"): show_alike(rows["per_yuan"], decimals=decimals),
            say("Set"): [
                set_cell(row, alike=alike, decimals=decimals) for row in told.to_dict("records")
            ],
        },
        dtype=object,
    )
    cut = say(
        "The {most} with most money of {n:,}; all are in the table's file.",
        most=_MOST_ROWS, n=len(data) - 1,
    )  # fmt: skip
    note = sentences(
        _reading(efficiency, total),
        _mean_words(total) if by == "county" else say(_NOTES[by]),
        set_note(efficiency),
        say("None: {why}.", why=reason_words(reasons[0], cluster)) if alike else "",
        few_words(reasons, found.gains.options.alpha, cluster),
        cut if len(rows) < len(data) else "",
        efficiency.units_note(),
    )
    return efficiency.table(
        f"gain_per_yuan_by_{by}", say(_CAPTIONS[by]), data=data, cells=cells, note=note
    )


@NeedsFound("per_household", _HOUSEHOLDS)
def household_table(efficiency: StudyEfficiency) -> Exhibit:
    """Show money and gains per village, per household and per poor household, by county."""
    found, shown = efficiency.found, efficiency.money
    counts = [name for name in _COUNTS if name in found.gains.panel.matrices]
    if not counts:
        reason = say(
            "The panel has neither households nor poor_households among its covariates."
        )
        return absent(efficiency.study_data, "per_household", say(_HOUSEHOLDS), reason)
    columns = ["gain", "conf_low", "conf_high", "money"]
    village = found.by("county").rename_axis("county")
    village[columns] = village[columns].div(village["n_villages"], axis=0)
    frames = {mark("village"): village, **{_COUNTS[name]: found.per(name) for name in counts}}
    parts = [frame.reset_index().assign(per=per) for per, frame in frames.items()]
    data = pd.concat(parts)[["county", "per", "n_villages", "n_units", *columns, "reason"]]
    index = village["money"].mul(village["n_villages"]).nlargest(_MOST_ROWS).index
    cells = {say("County"): name_counties(efficiency.study_data.study, index)}
    for per, frame in frames.items():
        for name, head, how in (
            ("money", say("Money"), shown),
            ("gain", gain_head(efficiency), efficiency.gain_shown),
        ):
            divisor = how.divisor if per == "village" else 1
            cells[say("{what} per {unit}", what=head, unit=say(per))] = show_alike(
                frame.loc[index, name] / divisor
            )
    note = say(
        "Sums over the villages in the ratios, over their number and over their households as "
        "first recorded: no household's own income. Counties by money, at most {most}. Per "
        "household money is in {unit}; else: {units}",
        most=_MOST_ROWS, unit=shown.unit.replace("万元", say("yuan")),
        units=efficiency.units_note(),
    )  # fmt: skip
    return efficiency.table(
        "per_household",
        say(_HOUSEHOLDS),
        data=data,
        cells=pd.DataFrame(cells, dtype=object),
        note=note,
    )


@NeedsFound("efficiency_groups", _GROUPS)
def efficiency_groups_table(efficiency: StudyEfficiency) -> Exhibit:
    """Count the villages and the money in the ratio, and those that are not, by reason."""
    found, shown = efficiency.found, efficiency.money
    groups = found.groups()
    parts = groups.rename_axis("group").reset_index()
    parts["group"] = [say(str(name)) or say("in the ratio") for name in parts["group"]]
    parts["gain"] = parts["gain"].where(parts["n_with_gain"] > 0)
    rest = found.spending.left_out
    told = [say("money {reason}", reason=say(str(reason))) for reason in rest["reason"]]
    rest = rest.assign(group=told, gain=np.nan)
    columns = ["group", "n_villages", "gain", "money"]
    data = pd.concat([parts[columns], rest[columns]] if len(rest) else [parts[columns]])
    data["money"] /= shown.divisor
    data["gain"] /= efficiency.gain_shown.divisor
    cells = pd.DataFrame(
        {
            "": [str(name).capitalize() for name in data["group"]],
            say("Villages"): [f"{n:,}" for n in data["n_villages"]],
            gain_head(efficiency): show_alike(data["gain"]),
            money_head(efficiency): show_alike(data["money"]),
        },
        dtype=object,
    )
    inside = int((found.villages["group"] == "").sum())
    note = sentences(
        say(
            "{n:,} treated villages have both a gain and money and are in the ratios; "
            "{outside:,} are not. A village without money has no gain per yuan, and its gain "
            "is not counted as bought for nothing.",
            n=inside, outside=len(found.villages) - inside,
        ),
        efficiency.units_note(),
    )  # fmt: skip
    return efficiency.table(
        "efficiency_groups",
        say(_GROUPS),
        data=data.assign(unit=shown.unit),
        cells=cells,
        note=note,
    )


def gain_head(efficiency: StudyEfficiency) -> str:
    """Name a column of summed gains."""
    yearly = efficiency.found.horizon == "annual"
    return say("Gain a year") if yearly else say("Gain in all years")


def money_head(efficiency: StudyEfficiency) -> str:
    """Name a column of money."""
    return say("Money {stage}", stage=say(efficiency.found.spending.stage))


def set_cell(
    row: dict[Any, Any], *, alike: bool = False, decimals: int | None = None
) -> Markup:
    """Print a ratio's set as what it is: bounded, unbounded, the whole line, or none.

    The reason why there is none is left out where it is ``alike`` in all rows.
    """
    kind = row["kind"]
    if kind == "bounded":
        text = show_interval(row["low"], row["high"], decimals=decimals)
    elif kind == "unbounded":
        low, high = row["low"], row["high"]
        parts = [say("up to {high}", high=show_number(high))] if np.isfinite(high) else []
        parts += [say("from {low} on", low=show_number(low))] if np.isfinite(low) else []
        text = say("unbounded: {parts}", parts=listing(parts))
    elif kind == "whole line":
        text = say("any value (unbounded)")
    else:
        why = say("none") if alike else say("none: {why}", why=row["reason"])
        return Markup('<span class="gap">{}</span>').format(why)
    return Markup('<span class="number">{}</span>').format(text)


def set_words(efficiency: StudyEfficiency, row: pd.Series[Any]) -> str:
    """Say a ratio's set in a sentence."""
    if row["kind"] == "none":
        why = reason_words(row["reason"], efficiency.found.gains.cluster)
        return say("no set: {why}", why=why)
    level = show_share(1 - efficiency.found.gains.options.alpha)
    return say("{level} set {set}", level=level, set=set_cell(row.to_dict()).striptags())


def set_note(efficiency: StudyEfficiency) -> str:
    """Say how sets are made."""
    found = efficiency.found
    level = show_share(1 - found.gains.options.alpha)
    if not found.money_error:
        return say(
            "{level} sets of ratios, for villages like these, money being taken as known "
            "without error: the gain's interval over the money.",
            level=level,
        )
    return say(
        "{level} sets of ratios (Fieller), a village's money being measured with a relative "
        "error of {error:.0%}; one without an end is printed as unbounded. Other exhibits take "
        "money as known.",
        level=level, error=found.money_error,
    )  # fmt: skip


def _rows(
    efficiency: StudyEfficiency, by: Grouping, total: pd.Series[Any]
) -> tuple[pd.DataFrame, list[str]]:
    found = efficiency.found
    if by == "source":
        frame = found.by_source()
        order = [name for name in SOURCES if name in frame.index]
        frame = frame.loc[order]
        return frame, [say(SOURCES[name]) for name in order]
    whole = pd.DataFrame([total]).infer_objects()
    if by == "county":
        frame = pd.concat([found.by("county"), whole])
        labels, kept = name_with_all(efficiency.study_data.study, frame.index[:-1])
        return frame.iloc[kept], labels
    frame = found.by(main_types(found.spending, efficiency.study_data.projects))
    frame = frame.loc[sorted(frame.index, key=lambda name: (name == NO_TYPE, name))]
    labels = [say(NO_TYPE) if name == NO_TYPE else str(name) for name in frame.index]
    return pd.concat([frame, whole]), [*labels, say("all")]


def _reading(efficiency: StudyEfficiency, total: pd.Series[Any]) -> str:
    found = efficiency.found
    span = say("a year") if found.horizon == "annual" else say("in all years observed")
    gain = efficiency.say_gain(float(total["per_yuan"]), span)
    return say(
        "For each yuan {stage} the {n:,.0f} villages had an estimated {gain} ({set}).",
        stage=say(found.spending.stage), n=total["n_villages"], gain=gain,
        set=set_words(efficiency, total),
    )  # fmt: skip


def _mean_words(total: pd.Series[Any]) -> str:
    """Say how the ratio of sums differs from the mean of ratios, and why."""
    mean, ratio = float(total["mean_of_ratios"]), float(total["per_yuan"])
    if np.isclose(mean, ratio, rtol=0.02, atol=0):
        return say("The mean of villages' own ratios is the same to within 2%.")
    if min(mean, ratio) <= 0:
        told = mark("The mean of villages' own ratios is {mean}.")
    elif mean > ratio:
        told = mark(
            "These are ratios of sums, what the average yuan bought. The mean of villages' own "
            "ratios is {mean}: villages with less money gained more per yuan."
        )
    else:
        told = mark(
            "These are ratios of sums, what the average yuan bought. The mean of villages' own "
            "ratios is {mean}: villages with more money gained more per yuan."
        )
    return say(told, mean=show_number(mean))
