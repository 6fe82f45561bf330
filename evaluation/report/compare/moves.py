"""The main numbers of a report that moved between two runs, the most important first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from evaluation.language import mark
from evaluation.report.compare.levels import is_number
from evaluation.report.compare.parts import (
    CellDifference,
    Ends,
    ExhibitDifference,
    Move,
    RowDifference,
)

# What a reader of an evaluation looks at first: exhibit, and its columns that count.
_MAIN: Mapping[str, tuple[str, ...]] = {
    "effects": ("estimate",),
    "findings": ("strict",),
    "claimed_gains": ("rise_strict", "left_strict"),
    "trend_bounds": ("lower", "upper"),
    "robustness": ("verdict",),
    "crosschecks": ("verdict",),
    "gains_by_county": ("estimate", "within_estimate"),
    "gain_per_yuan": ("per_yuan",),
    "cost_benefit": ("npv", "bcr", "value"),
    "public_value": ("value",),
    "gain_per_yuan_by_source": ("per_yuan",),
    "leverage": ("both_per_fiscal",),
    "cost_per_job": ("per_job",),
    "execution": ("spent",),
    "sustainability": ("ratio",),
    "gains_by_cohort": ("estimate",),
    "event_study": ("estimate", "within_estimate"),
    "panel_summary": ("count",),
}
_INTERVALS = {
    "estimate": ("conf_low", "conf_high"),
    "within_estimate": ("within_conf_low", "within_conf_high"),
    "value": ("conf_low", "conf_high"),
    "per_yuan": ("low", "high"),
    "ratio": ("low", "high"),
}
_WHOLE = frozenset({"all", "All", "全部", "imputation"})
_MOST = 6  # of an exhibit

HOLDS_ZERO = mark("its interval now holds zero")
NO_ZERO = mark("its interval no longer holds zero")
NO_INTERVAL = mark("it no longer has an interval")
NEW_INTERVAL = mark("it now has an interval")
OTHER_SIGN = mark("its sign changed")
OTHER_UNIT = mark("the units differ: the numbers are not in the same money")


def find_moves(exhibits: Iterable[ExhibitDifference]) -> list[Move]:
    """Give the main numbers that are not what they were, beyond the tolerance.

    Returns
    -------
    By the importance of their exhibit; in it those whose meaning changed (a sign, an interval
    that holds zero) first, then that of the whole programme, then by the size of the change
    relative to what it was.
    """
    by_name = {exhibit.name: exhibit for exhibit in exhibits}
    moves: list[Move] = []
    for name, columns in _MAIN.items():
        if name in by_name:
            found = [*_of_exhibit(by_name[name], columns)]
            found.sort(
                key=lambda move: (not move.remark, not _is_whole(move), -_relative(move))
            )
            told: dict[tuple[Any, ...], Move] = {}
            for move in found:  # what repeats at other horizons, say, is told once
                told.setdefault((move.column, *map(_key, (move.before, move.after))), move)
            moves += [*told.values()][:_MOST]
    return moves


def find_unmoved(exhibits: Iterable[ExhibitDifference]) -> list[str]:
    """Give the captions of exhibits with main numbers, none of which changed."""
    by_name = {exhibit.name: exhibit for exhibit in exhibits}
    return [
        by_name[name].caption
        for name, columns in _MAIN.items()
        if name in by_name and not [*_of_exhibit(by_name[name], columns)]
    ]


def relative_change(before: Any, after: Any) -> float | None:
    """Give the change of a number relative to what it was; None where there is none.

    Examples
    --------
    >>> relative_change(4.0, 5.0), relative_change(0, 5.0)
    (0.25, None)
    """
    if not (is_number(before) and is_number(after)) or before == 0:
        return None
    return (float(after) - float(before)) / abs(float(before))


def _of_exhibit(exhibit: ExhibitDifference, columns: tuple[str, ...]) -> Iterator[Move]:
    for row in exhibit.rows:
        for cell in row.cells:
            if cell.level == "different" and _column(cell) in columns and not _closed(cell):
                old, new = row.sides
                ends = (_ends(old, cell), _ends(new, cell))
                yield Move(
                    exhibit=exhibit.name,
                    caption=exhibit.caption,
                    row=row.label,
                    column=cell.column,
                    unit=str((row.sides[1] or {}).get("unit") or ""),
                    before=cell.before,
                    after=cell.after,
                    ends=ends,
                    remark=_remark(row, cell, ends),
                )


def _key(value: Any) -> Any:
    """Give what tells a value from others; bounds that only one run has are a mapping."""
    return repr(value) if isinstance(value, Mapping) else value


def _column(cell: CellDifference) -> str:
    return cell.column.partition(": ")[0]


def _closed(cell: CellDifference) -> bool:
    return cell.column.endswith("_closed")


def _relative(move: Move) -> float:
    change = relative_change(move.before, move.after)
    return abs(change) if change is not None else 1.0


def _is_whole(move: Move) -> bool:
    """Whether a number is the whole programme's, by the main estimator if there are many."""
    return not _WHOLE.isdisjoint(move.row.split(" · "))


def _remark(row: RowDifference, cell: CellDifference, ends: tuple[Ends, Ends]) -> str:
    """Say what a change means, if it is more than a change."""
    before, after = row.sides
    if before is None or after is None:
        return ""
    if before.get("unit") != after.get("unit"):
        return OTHER_UNIT
    zeros = [end and end[0] <= 0 <= end[1] for end in ends]
    match zeros:
        case [False, True]:
            return HOLDS_ZERO
        case [True, False]:
            return NO_ZERO
        case [None, bool()]:
            return NEW_INTERVAL
        case [bool(), None]:
            return NO_INTERVAL
    if is_number(cell.before) and is_number(cell.after) and cell.before * cell.after < 0:
        return OTHER_SIGN
    return ""


def _ends(row: Mapping[str, Any] | None, cell: CellDifference) -> Ends:
    """Give the ends of the interval of a number; None if it has none."""
    names = _INTERVALS.get(cell.column, ())
    found = [(row or {}).get(name) for name in names]
    ends = [float(end) for end in found if end is not None and is_number(end)]
    return (ends[0], ends[1]) if len(ends) == 2 else None
