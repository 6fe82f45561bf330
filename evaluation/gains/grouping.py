"""What gains are averaged over: the cells of a county, a cohort, a year, or other groups."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.errors import DesignError
from evaluation.gains.targets import Codes, TreatedCells

By = Literal["programme", "county", "town", "cohort", "year", "event_time"]


def group_cells(
    by: By | pd.Series[Any], cells: TreatedCells, panel: VillagePanel
) -> tuple[Codes, pd.Index[Any]]:
    """Give the average that each treated cell belongs to (n x T, or -1), and their names."""
    if isinstance(by, str) and by in ("year", "event_time"):
        return _by_time(by, cells, panel)
    villages = panel.villages.iloc[cells.rows]
    names: Any
    if isinstance(by, pd.Series):
        labels = by.reindex(villages.index)
        if labels.isna().all():
            raise DesignError("no village with a gain has a label; index them by village.")
        code, names = pd.factorize(labels, sort=True)
        index = pd.Index(names, name=by.name)
    elif by == "programme":
        code, index = np.zeros(len(villages), dtype=np.intp), pd.Index(["all"], name=by)
    elif by == "town":
        pairs = pd.MultiIndex.from_frame(villages[["county", "town"]].astype(object))
        code, names = pairs.factorize(sort=True)
        index = names.set_names(["county", "town"])
    elif by == "county":
        code, names = pd.factorize(villages["county"], sort=True)
        index = pd.Index(names, name=by)
    elif by == "cohort":
        code, names = pd.factorize(cells.cohort.astype(int), sort=True)
        index = pd.Index(names, name=by)
    else:
        raise DesignError(
            f"by is {by!r}; give programme, county, town, cohort, year, event_time or a Series "
            "with a label for each village."
        )
    return np.where(cells.counted, code[:, None], -1), index


def _by_time(by: str, cells: TreatedCells, panel: VillagePanel) -> tuple[Codes, pd.Index[Any]]:
    values = np.broadcast_to(panel.years, cells.counted.shape)
    if by == "event_time":
        values = values - cells.cohort.astype(int)[:, None]
    first = int(values.min())
    counts = np.bincount((values - first)[cells.counted])
    number = np.cumsum(counts > 0) - 1
    codes = number[np.minimum(values - first, len(number) - 1)]
    names = np.flatnonzero(counts) + first
    return np.where(cells.counted, codes, -1), pd.Index(names, name=by)
