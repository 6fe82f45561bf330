"""Bands between columns of nodes, as wide as the money that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Literal
from unicodedata import east_asian_width

import numpy as np
import pandas as pd
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Labels = Mapping[tuple[str, str], str]

SMALL = 8.5
"""The size of labels."""
_THIN, _BOX = 0.012, 0.24  # half the width of a node, columns being 1 apart
_WIDEST_NAME = 16  # characters in a box, Chinese ones counting twice


def place_nodes(flows: pd.DataFrame, column: str, gaps: float) -> pd.DataFrame:
    """Place a column's nodes below one another.

    Parameters
    ----------
    flows
        One row a flow: ordered categoricals that name its nodes, and amount.
    gaps
        What the gaps between nodes add up to, as a share of all money; the same in every
        column, so that columns are equally high.

    Returns
    -------
    DataFrame indexed by node: start and amount.
    """
    sums = flows.groupby(column, observed=False)["amount"].sum()
    free, n = gaps * sums.sum(), len(sums)
    first, space = (0.0, free / (n - 1)) if n > 1 else (free / 2, 0.0)
    start = first + sums.cumsum() - sums + space * np.arange(n)
    return pd.DataFrame({"start": start, "amount": sums})


def place_bands(
    flows: pd.DataFrame, left: str, right: str, *, color: str, gaps: float
) -> pd.DataFrame:
    """Place the bands between two columns of nodes, one for each colour.

    Returns
    -------
    DataFrame, widest first: the columns ``left``, ``right`` and ``color``, amount, and
    left_start and right_start, where the band starts on either side.

    Notes
    -----
    Bands of the same two nodes stay together, for fewer crossings to follow.
    """
    keys = list(dict.fromkeys([left, right, color]))
    bands = flows.groupby(keys, observed=True)[["amount"]].sum().reset_index()
    for side, own, other in (("left", left, right), ("right", right, left)):
        bands = bands.sort_values(list(dict.fromkeys([own, other, color])))
        before = bands.groupby(own, observed=True)["amount"].cumsum() - bands["amount"]
        start = place_nodes(flows, own, gaps)["start"]
        bands[f"{side}_start"] = before + start[bands[own]].to_numpy()
    return bands.sort_values("amount", ascending=False, kind="stable")


def draw_bands(
    axes: Axes,
    flows: pd.DataFrame,
    heads: Mapping[str, str],
    labels: Labels,
    colors: Mapping[str, str],
    *,
    gaps: float,
) -> None:
    """Draw two or three columns of nodes and the bands between them.

    Parameters
    ----------
    heads
        The columns of ``flows`` from left to right, with what is written above them; bands
        have the colour of their node in the first.
    labels
        What is written beside (in a middle column, inside) a node, by column and name.
    colors
        Of the first column's nodes.
    """
    columns, total = list(heads), float(flows["amount"].sum())
    middles = columns[1:-1]
    halves = {name: _BOX if name in middles else _THIN for name in columns}
    for x, (left, right) in enumerate(pairwise(columns)):
        ends = x + halves[left], x + 1 - halves[right]
        bands = place_bands(flows, left, right, color=columns[0], gaps=gaps)
        for row in bands.to_dict("records"):
            path = _band_path(ends, row["left_start"], row["right_start"], row["amount"])
            color = colors[row[columns[0]]]
            axes.add_patch(PathPatch(path, fc=color, alpha=0.6, linewidth=0))
    for x, name in enumerate(columns):
        half, side = halves[name], 0 if name in middles else 1 if x else -1
        align: Literal["left", "center", "right"] = ("center", "left", "right")[side]
        for node, start, amount in place_nodes(flows, name, gaps).itertuples():
            color = "0.93" if not side else "0.35" if x else colors[node]
            box = Rectangle((x - half, start), 2 * half, amount, fc=color, ec="0.4", lw=0.5)
            axes.add_patch(box)
            text = labels[name, node] if side else _shorten(labels[name, node])
            axes.text(
                x + side * (half + 0.015), start + amount / 2,
                f"{text} {show_part(amount / total)}", fontsize=SMALL, va="center", ha=align,
            )  # fmt: skip
        axes.annotate(
            heads[name], (x + side * half, 0), xytext=(0, 12), textcoords="offset points",
            ha=align, fontweight="bold",
        )  # fmt: skip
    axes.set_xlim(-_THIN, len(columns) - 1 + _THIN)
    axes.set_ylim(total * (1 + gaps), 0)
    axes.set_axis_off()


def show_part(share: float) -> str:
    """Print a share as whole per cent, a small one as <1%.

    Examples
    --------
    >>> show_part(0.123), show_part(0.001), show_part(0.0)
    ('12%', '<1%', '0%')
    """
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def _shorten(text: str) -> str:
    """Cut a name that a box has no room for."""
    widths = np.cumsum([2 if east_asian_width(sign) in "WF" else 1 for sign in text])
    fits = int((widths <= _WIDEST_NAME).sum())
    return text if fits == len(text) else f"{text[: fits - 1]}…"


def _band_path(ends: tuple[float, float], left: float, right: float, width: float) -> Path:
    """Trace a band that is equally high, and level, at both ends."""
    (x0, x1), middle = ends, sum(ends) / 2
    over = [(x0, left), (middle, left), (middle, right), (x1, right)]
    under = [(x, y + width) for x, y in reversed(over)]
    curve = [Path.CURVE4] * 3
    codes = [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]
    return Path([*over, *under, over[0]], codes)
