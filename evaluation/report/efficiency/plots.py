"""Gain per yuan as a picture: counties with their sets, over their villages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.language import mark, say, sentences
from evaluation.report import plots
from evaluation.report.absent import NeedsFound
from evaluation.report.efficiency.study import StudyEfficiency
from evaluation.report.efficiency.tables import set_note, set_words
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import (
    COLORS,
    NEVER,
    drawable,
    label_counties,
    show_number,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = mark("Gain per yuan: the programme, counties and their villages")
_MOST = 30  # counties
_CUT = 0.02  # of villages at either end, beyond which the axis does not reach


@NeedsFound("gain_per_yuan", _CAPTION)
def plot_efficiency(efficiency: StudyEfficiency) -> Exhibit:
    """Draw counties' gain per yuan with their sets, and villages' as dots."""
    found, total = efficiency.found, efficiency.found.total
    frame = found.by("county").sort_values("money", ascending=False)
    drawn = frame.head(_MOST)
    study = efficiency.study_data.study
    labels, key = label_counties(study, map(str, drawn.index))
    rows = pd.concat([pd.DataFrame([total]).infer_objects(), drawn])
    names = [plots.inscribe("all"), *labels.values()]
    first = 1
    if study.county:  # all there is is the county's
        rows, names, first = rows.iloc[:1], [*labels.values()], 0
    villages = found.villages[found.villages["group"] == ""]
    figure = plots.new_figure(7.2, 1.5 + 0.38 * len(rows))
    with plots.in_style():
        axes = figure.subplots()
        axes.axvline(0, color="0.4", linewidth=1)
        low, high = np.quantile(villages["per_yuan"], [_CUT, 1 - _CUT])
        ends = rows.loc[rows["kind"] == "bounded", ["low", "high"]].to_numpy(float).ravel()
        edges = [min(low, 0.0, *ends), max(high, 0.0, *ends)]
        space = 0.04 * (edges[1] - edges[0] or 1.0)
        axes.set_xlim(edges[0] - space, edges[1] + space)
        for place, row in enumerate(rows.to_dict("records")):
            _draw_set(axes, place, row)
        for place, county in enumerate(drawn.index, start=first):
            own = villages.loc[villages["county"] == county, "per_yuan"]
            axes.plot(
                own.clip(*axes.get_xlim()), np.full(len(own), place + 0.28), "|",
                color=COLORS[NEVER], markersize=6, alpha=0.8,
            )  # fmt: skip
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(drawable(found.unit, "gain per unit of money"))
    rest = len(frame) - len(drawn)
    sides = villages["per_yuan"]
    note = sentences(
        say(
            "{ratio} {unit} in all ({set}).",
            ratio=show_number(float(total["per_yuan"])), unit=found.unit,
            set=set_words(efficiency, total),
        ),
        say(
            "Diamonds: ratios of sums; bars: their sets, an arrow where a set has no end, none "
            "where there is no set. Small ticks: villages, whose own ratios go from {low} to "
            "{high}, those outside at the margin; their scatter has errors of measurement in "
            "it and is no ranking.",
            low=show_number(float(sides.min())), high=show_number(float(sides.max())),
        ),
        say("{n} counties with less money are not drawn.", n=rest) if rest else "",
        set_note(efficiency), efficiency.basis, key,
    )  # fmt: skip
    columns = ["n_villages", "money", "gain", "per_yuan", "low", "high", "kind", "reason"]
    named = ["all", *map(str, drawn.index)][1 - first :]
    data = rows[columns].assign(county=named, unit=found.unit)
    note = efficiency.reword(note)
    return plots.figure_exhibit(
        figure,
        name="gain_per_yuan",
        caption=efficiency.reword(say(_CAPTION)),
        alt=sentences(say("Dots of gain per yuan by county with bars for their sets."), note),
        data=data,
        simulated=efficiency.study_data.study.simulated,
        note=note,
    )


def _draw_set(axes: Axes, place: int, row: dict[Any, Any]) -> None:
    color = COLORS["treated"]
    left, right = axes.get_xlim()
    spans = {
        "bounded": [(row["low"], row["high"])],
        "unbounded": [(left, row["high"]), (row["low"], right)],
        "whole line": [(left, right)],
    }.get(str(row["kind"]), [])
    for low, high in spans:
        if high > low:
            axes.plot([low, high], [place, place], color=color, linewidth=2.4, zorder=2)
            if low <= left:
                axes.plot(left, place, "<", color=color, clip_on=False)
            if high >= right:
                axes.plot(right, place, ">", color=color, clip_on=False)
    axes.plot(row["per_yuan"], place, "D", color="0.1", markersize=5, zorder=3)
