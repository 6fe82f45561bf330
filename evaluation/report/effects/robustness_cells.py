"""A check's table as cells: headings, intervals, numbers and words as they are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from evaluation.language import mark, say
from evaluation.report.gains.words import show_interval, show_p
from evaluation.report.village_words import show_number

_HEADINGS: Mapping[str, str] = {
    "anticipation": mark("anticipation"),
    "bias": mark("bias"),
    "bias_if_passed": mark("bias if passed"),
    "breakdown": mark("breakdown"),
    "change": mark("change"),
    "cluster": mark("cluster"),
    "comparison": mark("comparison"),
    "difference": mark("difference"),
    "drawn_high": mark("drawn high"),
    "drawn_low": mark("drawn low"),
    "draws": mark("draws"),
    "effective_clusters": mark("effective clusters"),
    "estimate": mark("estimate"),
    "estimator": mark("estimator"),
    "event_time": mark("years since treatment"),
    "family": mark("family"),
    "finding": mark("finding"),
    "group": mark("group"),
    "left_out": mark("left out"),
    "m": "M",
    "m_bar": "Mbar",
    "main": mark("main"),
    "mean": mark("mean"),
    "n_as_large": mark("n as large"),
    "n_clusters": mark("n clusters"),
    "n_left_out": mark("villages left out"),
    "n_treated_clusters": mark("n treated clusters"),
    "n_villages": mark("villages"),
    "name": mark("name"),
    "outcome": mark("outcome"),
    "p_clustered": mark("p, clustered"),
    "p_difference": mark("p of the difference"),
    "p_holm": mark("p, Holm"),
    "p_not_studentised": mark("p, not studentised"),
    "p_romano_wolf": mark("p, Romano-Wolf"),
    "p_value": mark("p"),
    "p_wild": mark("p, wild"),
    "paths": mark("paths"),
    "power": mark("power"),
    "pre_test": mark("pre test"),
    "prices": mark("prices"),
    "reason": mark("reason"),
    "same_finding": mark("same finding"),
    "scale": mark("scale"),
    "se": mark("standard error"),
    "se_difference": mark("its standard error"),
    "share": mark("share"),
    "share_high": mark("share high"),
    "share_low": mark("share low"),
    "share_of_effect": mark("share of effect"),
    "share_of_mean": mark("share of mean"),
    "share_of_villages": mark("share of villages"),
    "share_of_whole": mark("share of whole"),
    "slope": mark("slope"),
    "t": mark("t"),
    "target": mark("target"),
    "unit": mark("unit"),
    "years_earlier": mark("years earlier"),
}
_CLUSTERS = (mark("village"), mark("town"), mark("county"))  # said as other words in cells are


def lay_out(table: pd.DataFrame, level: str) -> pd.DataFrame:
    """Give a check's table as cells: ends of intervals together, without empty columns."""
    cells: dict[str, list[str]] = {}
    for name in map(str, table):
        if name == "conf_high" and "conf_low" in table:
            continue
        heading = say(_HEADINGS.get(name, name.replace("_", " ")))
        if name == "conf_low":
            ends = table[["conf_low", "conf_high"]].to_numpy(float)
            cells[say("{level} interval", level=level)] = [show_interval(*row) for row in ends]
        elif name.startswith("p_") and table[name].dtype.kind == "f":
            cells[heading] = [show_p(p) for p in table[name]]
        else:
            cells[heading] = [_cell(value) for value in table[name]]
    return pd.DataFrame(
        {_capitalise(heading): column for heading, column in cells.items() if any(column)},
        dtype=object,
    )


def _capitalise(heading: str) -> str:
    """Begin with a capital, but for p, which is a letter and not a word."""
    return heading if re.match(r"p\b", heading) else f"{heading[:1].upper()}{heading[1:]}"


def _cell(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return say("yes") if value else say("no")
    if isinstance(value, int | np.integer):
        return f"{value:,}" if abs(int(value)) > 9999 else str(value)
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else show_number(float(value))
    return "" if value is None or value is pd.NA else say(str(value))
