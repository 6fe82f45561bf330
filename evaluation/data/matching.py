"""Villages of other files, found among the panel's."""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np
import pandas as pd

from evaluation.data.coded import read_words
from evaluation.data.problems import Problems, report_rows
from evaluation.data.study_files import VillageKey
from evaluation.data.tables import Table
from evaluation.data.villages import NAMES, Positions, clean_name, key_columns
from evaluation.language import say


def match_villages(
    table: Table,
    key: VillageKey,
    villages: pd.DataFrame,
    problems: Problems,
    *,
    pooled: bool = False,
) -> Positions:
    """Find the panel's village for every row of another file; -1 where there is none.

    Parameters
    ----------
    key
        The other file's columns: code or id are looked up among the panel's keys, otherwise
        county, town and name, as far as both files have them.
    villages
        The panel's villages (Villages.frame).
    pooled
        Whether a row may be on no village.
    """
    columns = key_columns(key)
    code = columns.get("code") or columns.get("id")
    parts: list[str]
    if code:
        parts, index = [next(iter(columns))], pd.Index(villages.index)
    else:
        parts = [
            p for p in NAMES if p in columns and (p == "name" or (villages[p] != "").any())
        ]
        index = pd.Index(villages[parts].agg("/".join, axis=1))
    column = columns[parts[-1]]
    read = [read_words(table, columns[part], labelled=part in NAMES) for part in parts]
    cells = [(w if code else w.map(clean_name)).to_array() for w in read]
    wanted = np.array(["/".join(row) for row in zip(*cells, strict=True)], dtype=object)
    empty = cells[-1] == ""
    unclear = ~empty & np.isin(wanted, index[index.duplicated()])
    remedy = "Give the town too, or the villages' codes."
    report_rows(table, problems, column, unclear, "names that several villages have", remedy)
    found = pd.Series(np.arange(len(index)), index=index)
    found = found[~found.index.duplicated()].reindex(wanted).fillna(-1).astype(np.intp)
    positions = found.to_numpy(copy=True)
    positions[empty | unclear] = -1
    lost = (positions < 0) & ~empty & ~unclear
    if lost.any():
        names = list(dict.fromkeys(wanted[lost]))
        # Near names may be one village; near codes are neighbours.
        shown = names if code else [f"{n}{_nearest(n, index)}" for n in names[:10]] + names[10:]
        problems.add(
            "warning" if (positions >= 0).any() else "error",
            table.name,
            say(
                "{n} villages that the panel does not have; their rows are left out ({rows})",
                n=len(names),
                rows=lost.sum(),
            ),
            say(
                "Mend the town, name or code where it is the same village, unless it was left "
                "out of the panel."
            ),
            column=column,
            cells=shown,
            left_out=True,
        )
    if code and "name" in columns:
        stray = empty & (read_words(table, columns["name"]).to_array() != "")
        remedy = "Give its code, or identify villages by county, town and name alone."
        told = "rows that name a village without its code"
        report_rows(table, problems, columns["name"], stray, told, remedy)
        empty &= ~stray
    if not pooled:
        remedy = "Give the village of every row."
        report_rows(table, problems, column, empty, "rows without a village", remedy)
    return positions


def _nearest(name: str, known: pd.Index[str]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.8)
    return say(" (did you mean {name!r}?)", name=near[0]) if near else ""
