"""The specification curve's figure: estimates by size, and the choices behind each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.effects.check import Amounts
from evaluation.errors import DesignError
from evaluation.language import choose, commas, mark, say

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WORDS: Mapping[str, Mapping[Any, str]] = {
    "estimator": {
        "imputation": mark("imputation"),
        "callaway_santanna": "Callaway-Sant'Anna",
        "sun_abraham": "Sun-Abraham",
        "twfe": mark("two-way fixed effects"),
        "synthetic_did": mark("synthetic DiD"),
        "matched_did": mark("matched DiD"),
    },
    "comparison": {
        "not_yet_treated": mark("not yet treated"),
        "never_treated": mark("never treated"),
    },
    "year_effects": {
        "common": mark("common year effects"),
        "county": mark("year effects by county"),
    },
    "anticipation": {0: mark("no anticipation"), 1: mark("1 year of anticipation")},
    "trends": {False: mark("no trends"), True: mark("trends by village")},
    "scale": {"level": mark("level"), "log": mark("logarithm")},
    "subsidies": {"without": mark("without subsidies"), "with": mark("with subsidies")},
    "covariates": {"": mark("no covariates")},
    "cohorts": {"": mark("all cohorts")},
}
_LONGEST = 34  # characters of a label


def draw_curve(
    figure: Figure,
    frame: pd.DataFrame,
    choices: Mapping[str, Sequence[Any]],
    amounts: Amounts,
    labels: Mapping[str, str],
) -> None:
    """Draw estimates sorted by size with their intervals, and below which choices they are.

    Intervals that exclude zero are blue; the combination that was chosen is a diamond.

    Raises
    ------
    DesignError
        If no combination could be estimated.
    """
    rows = frame[frame["estimate"].notna()].sort_values("estimate", kind="stable")
    if rows.empty:
        raise DesignError(say("no combination of choices could be estimated: nothing to draw."))
    marks = [
        (key, text_of(value)) for key, values in choices.items() for value in values
        if len(values) > 1
    ]  # fmt: skip
    below_height = max(1.0, 0.2 * (len(marks) + len({key for key, _ in marks})))
    top, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.0, below_height])
    at, chosen = np.arange(len(rows)), rows["main"].to_numpy(bool)
    points = rows[["estimate", "conf_low", "conf_high"]].to_numpy(float) / amounts.divisor
    clear = (points[:, 1] > 0) | (points[:, 2] < 0)
    for some, colour in ((~clear, "0.6"), (clear, "C0")):
        top.vlines(at[some], points[some, 1], points[some, 2], color=colour, linewidth=0.8)
        top.plot(at[some], points[some, 0], "o", color=colour, markersize=2.5)
    top.plot(at[chosen], points[chosen, 0], "D", color="C1", markersize=6)
    top.axhline(0, color="0.3", linewidth=0.8)
    top.set_ylabel(amounts.label(say("average effect")))
    places: list[int] = []
    for number, (key, value) in enumerate(marks):
        new = number > 0 and key != marks[number - 1][0]
        places.append((places[-1] if places else 0) + 1 + new)
        here = rows[key].to_numpy() == value
        below.plot(at[here], np.full(here.sum(), places[-1]), "|", color="0.25", markersize=5)
        both = here & chosen
        below.plot(at[both], np.full(both.sum(), places[-1]), "D", color="C1", markersize=4)
    below.set_yticks(places, [_label(key, value, labels) for key, value in marks])
    below.set_ylim((places[-1] if places else 1) + 0.7, 0.3)
    below.set_xlabel(say("combinations of choices, by size of the effect"))
    below.grid(False)


def text_of(value: Any) -> Any:
    """Give a choice as it stands in the frame: names as text."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


def _label(key: str, value: Any, labels: Mapping[str, str]) -> str:
    known = _WORDS.get(key, {}).get(value)
    if key == "covariates":
        value = commas(choose(name, labels.get(name, "")) for name in value.split(", "))
    other = {
        "covariates": mark("with {value}"),
        "cohorts": mark("without {value}"),
        "anticipation": mark("{value} years of anticipation"),
    }.get(key, "{value}")
    told = say(other, value=value) if known is None else say(known)
    return told if len(told) <= _LONGEST else told[: _LONGEST - 3] + "..."
