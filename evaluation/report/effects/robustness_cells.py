"""A check's table as cells: headings, intervals, numbers and words as they are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.effects.result import NAMES
from evaluation.language import mark, say
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.gains.words import show_interval, show_p
from evaluation.report.village_words import show_number

_HEADINGS: Mapping[str, str] = {
    "anticipation": mark("years before left out"),
    "bias": mark("bias"),
    "bias_if_passed": mark("bias if passed"),
    "breakdown": mark("breakdown"),
    "change": mark("change"),
    "cluster": mark("cluster"),
    "comparison": mark("comparison"),
    "difference": mark("difference"),
    "drawn_high": mark("upper end of draws"),
    "drawn_low": mark("lower end of draws"),
    "draws": mark("draws"),
    "effective_clusters": mark("as equal ones"),
    "estimate": mark("estimate"),
    "estimator": mark("estimator"),
    "event_time": mark("years since treatment"),
    "family": mark("family"),
    "finding": mark("finding"),
    "group": mark("group"),
    "left_out": mark("left out"),
    "m": mark("bend a year (M)"),
    "m_bar": mark("times the largest before (Mbar)"),
    "main": mark("the one checked"),
    "mean": mark("mean"),
    "n_as_large": mark("draws as large"),
    "n_clusters": mark("clusters (number)"),
    "n_left_out": mark("villages left out"),
    "n_treated_clusters": mark("clusters with treated villages"),
    "n_villages": mark("Villages"),
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
    "power": mark("chance to notice it"),
    "pre_test": mark("test of coefficients"),
    "prices": mark("prices"),
    "reason": mark("reason"),
    "same_finding": mark("same finding"),
    "scale": mark("scale"),
    "se": mark("standard error"),
    "se_difference": mark("its standard error"),
    "share": mark("share"),
    "share_of_effect": mark("share of effect"),
    "share_of_mean": mark("share of mean"),
    "share_of_villages": mark("share of villages"),
    "share_of_whole": mark("share of whole"),
    "slope": mark("trend a year"),
    "t": mark("studentised effect"),
    "target": mark("effect"),
    "unit": mark("unit"),
    "villages": mark("which villages"),
    "years_earlier": mark("years earlier"),
}
_ESTIMATORS: Mapping[Any, str] = {"imputation": NAMES["imputation"], "twfe": NAMES["twfe"]}
_CLUSTERS = (mark("village"), mark("town"), mark("county"))  # said as other words in cells are


_ENDS = {"conf_high": "conf_low", "share_high": "share_low"}  # shown with the lower end
_ALIKE = {
    "estimate", "se", "conf_low", "conf_high", "change", "difference", "se_difference",
    "drawn_low", "drawn_high",
}  # fmt: skip


def lay_out(table: pd.DataFrame, level: str) -> pd.DataFrame:
    """Give a check's table as cells: ends of intervals together, without empty columns."""
    cells: dict[str, list[str]] = {}
    sizes = [name for name in ("estimate", "conf_low", "conf_high") if name in table]
    alike = shared_decimals(table[sizes].to_numpy(float).ravel()) if sizes else None
    for name in map(str, table):
        if _ENDS.get(name, name) != name and _ENDS[name] in table:
            continue
        heading = say(_HEADINGS.get(name, name.replace("_", " ")))
        floats = table[name].dtype.kind == "f"
        if name == "conf_low":
            ends = table[["conf_low", "conf_high"]].to_numpy(float)
            heading = say("{level} interval", level=level)
            cells[heading] = [_line(show_interval(*row, decimals=alike)) for row in ends]
        elif name == "share_low":
            heading = say("{level} interval of the share", level=level)
            ends = table[["share_low", "share_high"]].to_numpy(float)
            cells[heading] = [_line(_share_interval(*row)) for row in ends]
        elif name.startswith("p_") and floats:
            cells[heading] = [show_p(p) for p in table[name]]
        elif (name == "power" or name.startswith("share")) and floats:
            places = 0 if name == "power" else 1
            cells[heading] = ["" if np.isnan(x) else f"{x:z.{places}%}" for x in table[name]]
        elif floats:
            decimals = alike if name in _ALIKE else None
            cells[heading] = show_alike(table[name], decimals=decimals)
        else:
            cells[heading] = [_cell(value) for value in table[name]]
    return pd.DataFrame(
        {_capitalise(heading): column for heading, column in cells.items() if any(column)},
        dtype=object,
    )


def _line(text: str) -> str:
    """Keep a cell on one line."""
    return Markup('<span class="number">{}</span>').format(text) if text else ""


def _share_interval(low: float, high: float) -> str:
    if np.isnan(low):
        return ""
    return say("{low} to {high}", low=f"{low:z.1%}", high=f"{high:z.1%}")


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
    return "" if value is None or value is pd.NA else say(_ESTIMATORS.get(value, str(value)))
