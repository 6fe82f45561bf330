"""Tables and figures of two runs, cell by cell out of their rows at full precision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from evaluation.report.compare.levels import Judge, Level, is_number
from evaluation.report.compare.matching import Row, match_rows
from evaluation.report.compare.parts import (
    CellDifference,
    ExhibitDifference,
    RowDifference,
    TextDifference,
)
from evaluation.report.results import is_absent

Exhibit = Mapping[str, Any]


def compare_exhibits(
    before: Mapping[str, Exhibit], after: Mapping[str, Exhibit], judge: Judge
) -> list[ExhibitDifference]:
    """Compare the exhibits of two runs, as results.json has them, by name.

    Returns
    -------
    All of them, in the order of the second run; those of the first alone come last.
    """
    return [
        compare_exhibit(before.get(name), after.get(name), judge)
        for name in dict.fromkeys([*after, *before])
    ]


def compare_exhibit(
    before: Exhibit | None, after: Exhibit | None, judge: Judge
) -> ExhibitDifference:
    """Compare an exhibit's columns, rows, caption and note; its pictures are not looked at."""
    one = after or before or {}
    made: dict[str, Any] = {
        "name": str(one["name"]),
        "kind": str(one.get("kind", "table")),
        "notebook": str(one.get("notebook", "")),
        "captions": tuple(side and str(side.get("caption", "")) for side in (before, after)),
        "n_rows": tuple(len(side["rows"]) if side else 0 for side in (before, after)),
    }
    if before is None or after is None:
        return ExhibitDifference(**made)
    if before == after:
        n = sum(len(row) for row in after["rows"])
        return ExhibitDifference(**made, n_cells=Counter({"identical": n}))
    texts = [*_compare_words(before, after, judge), *_compare_columns(before, after)]
    columns = [name for name in before["columns"] if name in after["columns"]]
    keys, rows, n_cells = compare_rows(before["rows"], after["rows"], columns, judge)
    return ExhibitDifference(**made, keys=keys, rows=rows, texts=tuple(texts), n_cells=n_cells)


def compare_rows(
    before: Sequence[Row], after: Sequence[Row], columns: Sequence[str], judge: Judge
) -> tuple[tuple[str, ...], tuple[RowDifference, ...], Mapping[Level, int]]:
    """Compare the rows of two tables in the columns that both have.

    Returns
    -------
    The columns that name a row, the rows that are not identical, and how many cells are of
    which level.
    """
    matched = match_rows(before, after, columns, named=judge.texts)
    largest = {name: _largest(name, before, after) for name in columns}
    rows: list[RowDifference] = []
    n_cells: Counter[Level] = Counter()
    for one, other in matched.pairs:
        place = other if other is not None else one
        old = None if one is None else before[one]
        new = None if other is None else after[other]
        if old is None or new is None:
            n_cells["different"] += len(columns)
            cells: tuple[CellDifference, ...] = ()
        else:
            cells = tuple(_compare_cells(old, new, columns, largest, judge))
            n_cells.update(cell.level for cell in cells)
            n_cells["identical"] += len(columns) - len({_head(cell) for cell in cells})
            if not cells:
                continue
        label = label_row(new or old or {}, matched.keys) or str((place or 0) + 1)
        rows.append(RowDifference(label=label, sides=(old, new), cells=cells))
    return matched.keys, tuple(rows), n_cells


def label_row(row: Row, keys: Sequence[str]) -> str:
    """Name a row by what its key columns hold.

    Examples
    --------
    >>> label_row({"cohort": "2019", "event_time": -3.0}, ["cohort", "event_time"])
    '2019 · event_time -3'
    """
    named = []
    for key in keys:
        value = row.get(key)
        if isinstance(value, str) and value:
            named.append(value)
        elif value is not None and value != "":
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            named.append(f"{key} {shown}")
    return " · ".join(named)


def _compare_cells(
    before: Row, after: Row, columns: Sequence[str], largest: Mapping[str, float], judge: Judge
) -> Iterator[CellDifference]:
    for column in columns:
        old, new = before[column], after[column]
        if old is new:
            continue
        parts = [(column, old, new)]
        if isinstance(old, dict) and isinstance(new, dict):
            ends = dict.fromkeys([*old, *new])
            parts = [(f"{column}: {end}", old.get(end), new.get(end)) for end in ends]
        for name, one, other in parts:
            level = judge.values(one, other, largest=largest[column])
            if level != "identical":
                size = _size(one, other, largest[column])
                yield CellDifference(
                    column=name, before=one, after=other, level=level, size=size
                )


def _head(cell: CellDifference) -> str:
    """Give the column of a cell, without the end of its bounds."""
    return cell.column.partition(": ")[0]


def _size(before: Any, after: Any, largest: float) -> float:
    if is_number(before) and is_number(after):
        return abs(after - before) / largest if largest else 0.0
    return 0.0 if isinstance(before, str) and isinstance(after, str) else 1.0


def _largest(column: str, before: Sequence[Row], after: Sequence[Row]) -> float:
    sizes = [0.0]
    for row in chain(before, after):
        value = row[column]
        for number in value.values() if isinstance(value, dict) else (value,):
            if is_number(number):
                sizes.append(abs(number))
    return max(sizes)


def _compare_words(before: Exhibit, after: Exhibit, judge: Judge) -> Iterator[TextDifference]:
    for place in ("caption", "note"):
        old, new = str(before.get(place, "")), str(after.get(place, ""))
        level = judge.phrases(old, new) if judge.texts else "identical"
        if level != "identical":
            yield TextDifference(place=place, before=old, after=new, level=level)


def _compare_columns(before: Exhibit, after: Exhibit) -> Iterator[TextDifference]:
    if is_absent(before) != is_absent(after):
        why = [str(x["rows"][0]["absent"]) if is_absent(x) else None for x in (before, after)]
        yield TextDifference(place="absent", before=why[0], after=why[1], level="different")
        return
    for name in dict.fromkeys([*before["columns"], *after["columns"]]):
        sides = [name if name in side["columns"] else None for side in (before, after)]
        if None in sides:
            yield TextDifference(
                place="column", before=sides[0], after=sides[1], level="different"
            )
