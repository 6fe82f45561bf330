"""What differs in an exhibit, laid out as a page shows it: both values side by side."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.data.text_files import shorten
from evaluation.language import commas, mark, say
from evaluation.report.compare.levels import Level, is_number
from evaluation.report.compare.numbers import show, show_change, show_pair
from evaluation.report.compare.parts import CellDifference, ExhibitDifference, RowDifference

_ROWS = 20
_ALONE = 10  # rows of one run alone
_WIDTH, _LONG = 60, 200  # characters of a cell
_COLUMNS = 6
_WITH_CHANGE = 3  # columns up to which there is room for the change
_MANY = 8  # rows from which on a column's changes are summed up


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell on a page; ``mark`` is the class that it is marked by."""

    text: str
    mark: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """An exhibit's differing rows, side by side.

    Attributes
    ----------
    columns
        The columns shown; each takes ``parts`` of a row.
    parts
        The heads under each: before, after, and the change where there is room.
    rows
        A label and the cells of each.
    told
        What is more to say: rows and columns not shown, and changes summed up.
    alone
        Rows that one run alone has, in words.
    """

    columns: Sequence[str]
    parts: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    told: Sequence[str]
    alone: Sequence[str]


def lay_out(exhibit: ExhibitDifference, level: Level) -> Layout:
    """Lay out the rows of an exhibit that are of a level, the largest differences first."""
    found = [row for row in exhibit.rows if row.level == level]
    rows = sorted((row for row in found if row.cells), key=lambda row: -row.size)
    alone = [row for row in found if None in row.sides]
    columns = _choose_columns(rows)
    shown = columns[:_COLUMNS]
    parts = [say("First"), say("Second")]
    if len(shown) <= _WITH_CHANGE:
        parts.append(say("Change"))
    return Layout(
        columns=shown,
        parts=parts,
        rows=[(row.label, _cells(row, shown, len(parts))) for row in rows[:_ROWS]],
        told=[*_tell(exhibit, rows, columns), *_sum_up(rows, shown)],
        alone=_tell_alone(alone, exhibit.keys),
    )


def _tell_alone(rows: Sequence[RowDifference], keys: Sequence[str]) -> list[str]:
    """Tell rows that one run alone has, the first ones with what is in them."""
    told = []
    for row in rows[:_ALONE]:
        known = next(side for side in row.sides if side is not None)
        cells = commas(
            f"{name} {shorten(show(value), _WIDTH)}"
            for name, value in known.items()
            if name not in keys and value is not None and value != ""
        )
        message = (
            say("Only in the first run: {row}")
            if row.sides[0]
            else say("Only in the second run: {row}")
        )
        held = say(" (") + cells + say(")") if cells else ""
        told.append(message.format(row=row.label) + held)
    if len(rows) > _ALONE:
        told.append(say("{n:,} more rows are in one run alone.", n=len(rows) - _ALONE))
    return told


def _choose_columns(rows: Sequence[RowDifference]) -> list[str]:
    """Give the columns that differ in the table's order, those of numbers first."""
    numbers: dict[str, bool] = {}
    for row in rows:
        for cell in row.cells:
            if cell.level == row.level:
                known = is_number(cell.before) or is_number(cell.after)
                numbers[cell.column] = numbers.get(cell.column, False) or known
    order = [*(rows[0].sides[1] or {})] if rows else []
    place = {name: n for n, name in enumerate(order)}
    return sorted(numbers, key=lambda name: (not numbers[name], place[name.partition(": ")[0]]))


def _cells(row: RowDifference, columns: Sequence[str], n_parts: int) -> list[Cell]:
    changed = {cell.column: cell for cell in row.cells}
    cells: list[Cell] = []
    for column in columns:
        cell = changed.get(column)
        if cell is None:
            values = [_value(side, column) for side in row.sides]
            pair = tuple(
                show(v) if side else "" for v, side in zip(values, row.sides, strict=True)
            )
            numbers = all(is_number(value) for value in values if value is not None)
            marked = "changed" if None in row.sides else ""
        else:
            values = [cell.before, cell.after]
            pair = show_pair(cell.before, cell.after)
            numbers = all(is_number(value) or value is None for value in values)
            marked = "changed" if cell.level == "different" else "near"
        cells += [Cell(text=shorten(text, _LONG), mark=marked, number=numbers) for text in pair]
        if n_parts > 2:
            change = show_change(*values) if cell else ("", "")
            text = say(" (").join(filter(None, change)) + (say(")") if change[1] else "")
            cells.append(Cell(text=text, number=True))
    return cells


def _value(side: Mapping[str, object] | None, column: str) -> object:
    name, _, end = column.partition(": ")
    value = (side or {}).get(name)
    return value.get(end) if end and isinstance(value, dict) else value


def _tell(
    exhibit: ExhibitDifference, rows: Sequence[RowDifference], columns: Sequence[str]
) -> list[str]:
    told = []
    n = exhibit.n_rows[1]
    if len(rows) == n > 1:
        told.append(say("All {n:,} rows differ.", n=n))
    elif rows:
        told.append(say("{k:,} of {n:,} rows differ.", k=len(rows), n=n))
    if len(rows) > _ROWS:
        told.append(say("The {n} that differ most are shown.", n=_ROWS))
    if len(columns) > _COLUMNS:
        others = ", ".join(columns[_COLUMNS:])
        told.append(say("Other columns that differ: {names}.", names=others))
    return told


def _sum_up(rows: Sequence[RowDifference], columns: Sequence[str]) -> list[str]:
    """Say of columns with many changed numbers how far they moved."""
    told = []
    for column in columns:
        cells = [cell for row in rows for cell in row.cells if cell.column == column]
        changes = [_change(cell) for cell in cells]
        known = sorted(change for change in changes if change is not None)
        if len(known) >= _MANY:
            middle, least, most = statistics.median(known), known[0], known[-1]
            told.append(
                say(
                    "{column}: {n:,} numbers changed, by {middle} at the median, from {least} "
                    "to {most}.",
                    column=column,
                    n=len(known),
                    middle=show_change(0.0, middle)[0],
                    least=show_change(0.0, least)[0],
                    most=show_change(0.0, most)[0],
                )
            )
    return told


def _change(cell: CellDifference) -> float | None:
    if is_number(cell.before) and is_number(cell.after):
        return float(cell.after) - float(cell.before)
    return None


PLACES = {
    "caption": mark("Title"),
    "note": mark("Note"),
    "column": mark("Column"),
    "shown": mark("As displayed"),
    "absent": mark("Not shown, because"),
}
"""What a text of an exhibit is; said where it is shown."""
