"""What changed in a study's files between two runs: which rows, and which cells."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from evaluation.data.study import Study
from evaluation.data.text_files import shorten
from evaluation.errors import EvaluationError
from evaluation.language import commas, say, say_count
from evaluation.report.compare.numbers import show_pair
from evaluation.report.compare.parts import Side
from evaluation.report.record.describe import sha256
from evaluation.report.record.rows import (
    FILE,
    RowChanges,
    compare_rows,
    find_options,
    read_rows,
)

Files: TypeAlias = "Study | Path | None"
"""Where a run's study lies, if it does: the study, or the folder of its files."""

_SHOWN = 8  # rows that are named of a kind
_CELLS = 12  # cells that are told
_BEFORE = 8  # characters of a cell that are shown before what differs in it
_MOST_ROWS = 50_000  # changed ones, up to which cells are looked at


def tell_rows(
    name: str, sides: tuple[Side, Side], studies: tuple[Files, Files]
) -> tuple[str, ...]:
    """Tell which rows of a changed file differ, and which cells if both versions are at hand.

    Nothing is told of a study under codes, or of a file that a study holds confidential.
    """
    if any(side.record.get("pseudonyms") for side in sides):
        return (say("its rows are not told: a run is under codes"),)
    loaded = tuple(map(_load, studies))
    if any(name in _confidential(study) for study in loaded):
        return (say("its rows are not told: the file is confidential"),)
    paths = [
        _find(name, side, study, given)
        for side, study, given in zip(sides, loaded, studies, strict=True)
    ]
    options = [find_options(study, name) if study else None for study in loaded]
    digests = [
        read_rows(path, option) if path else _kept(name, side)
        for path, option, side in zip(paths, options, sides, strict=True)
    ]
    changes = compare_rows(digests[0], digests[1])
    if changes is None:
        return ()
    tables = [
        _read(path, option) if all(paths) else None
        for path, option in zip(paths, options, strict=True)
    ]
    columns = [
        rows.get("columns", []) if table is None else list(map(str, table.columns))
        for rows, table in zip(digests, tables, strict=True)
    ]
    told = [*_tell_columns(columns[0], columns[1]), *_tell_changes(changes)]
    if not told:
        return (say("no row differs: only ends of lines, or how it is saved"),)
    few = len(changes.changed) <= _MOST_ROWS
    if few and tables[0] is not None and tables[1] is not None:
        told += _tell_cells(changes, tables[0], tables[1])
    return tuple(told)


def _load(given: Files) -> Study | None:
    if isinstance(given, Path):
        try:
            return Study.load(given)
        except EvaluationError:
            return None
    return given


def _confidential(study: Study | None) -> Sequence[str]:
    return getattr(study, "confidential", ())


def _find(name: str, side: Side, study: Study | None, given: Files) -> Path | None:
    """Find a file as the run read it; None if it is not there or has changed since."""
    if study:
        path = study.file if name == study.file.name else study.path(name)
    elif isinstance(given, Path):
        path = given / name
    else:
        return None
    recorded = side.record["inputs"].get(name, {}).get("sha256")
    return path if path.is_file() and sha256(path) == recorded else None


def _kept(name: str, side: Side) -> dict[str, Any]:
    """Give the digests that a run keeps of a file's rows; {} if it keeps none."""
    try:
        content = json.loads((side.folder / FILE).read_text(encoding="utf-8"))
        return dict(content["files"].get(name, {}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _tell_changes(changes: RowChanges) -> Iterator[str]:
    pairs = changes.changed
    changed = [j if i == j else f"{i} → {j}" for i, j in pairs]
    word = changes.word
    if changed:
        yield say("{n:,} changed: {rows}", n=len(changed), rows=_name(word, changed))
    if come := changes.inserted:
        yield say("{n:,} inserted: {rows}", n=len(come), rows=_name(word, come))
    if gone := changes.removed:
        yield say("{n:,} removed: {rows}", n=len(gone), rows=_name(word, gone))
    if changes.moved:
        yield say("{n:,} stand elsewhere, unchanged", n=changes.moved)


def _name(word: str, rows: Sequence[Any]) -> str:
    """Name rows by what they are counted by: "lines 3–5, 9"."""
    n, listed = len(rows), _list(rows)
    match word:
        case "line":
            return say_count("line {rows}", "lines {rows}", n, rows=listed)
        case "row":
            return say_count("row {rows}", "rows {rows}", n, rows=listed)
    return say_count("observation {rows}", "observations {rows}", n, rows=listed)


def _tell_columns(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    if gone := [name for name in before if name not in after]:
        yield say("columns only in the first: {names}", names=commas(gone))
    if come := [name for name in after if name not in before]:
        yield say("columns only in the second: {names}", names=commas(come))


def _list(rows: Sequence[Any]) -> str:
    """List rows, the stretches between them in one, the first ones only.

    Examples
    --------
    >>> _list([3, 4, 5, 9])
    '3–5, 9'
    """
    spans: list[list[Any]] = []
    for row in rows:
        if spans and isinstance(row, int) and spans[-1][-1] == row - 1:
            spans[-1][1:] = [row]
        else:
            spans.append([row])
    shown = commas("–".join(map(str, span)) for span in spans[:_SHOWN])
    return f"{shown} …" if len(spans) > _SHOWN else shown


def _read(path: Path | None, options: Any) -> Any:
    """Read a file as a table; None if it is none."""
    if path is None:
        return None
    from evaluation.data.tables import read_table

    names = ("sheet", "encoding", "header_rows") if options else ()
    try:
        return read_table(path, **{name: getattr(options, name) for name in names}).every_row
    except EvaluationError:
        return None


def _tell_cells(changes: RowChanges, before: Any, after: Any) -> Iterator[str]:
    """Tell the cells of changed rows: how many of each column, then the first of them."""
    columns = [name for name in after.columns if name in before.columns]
    places = [sorted(set(side)) for side in zip(*changes.changed, strict=True)]
    frames = [
        dict(zip(side, _records(frame[columns], side), strict=True))
        for frame, side in zip((before, after), places, strict=False)
    ]
    found = [
        (j, name, old, new)
        for i, j in changes.changed
        for name, old, new in zip(columns, frames[0][i], frames[1][j], strict=False)
        if old != new and not (old != old and new != new)
    ]
    for name in dict.fromkeys(name for _, name, _, _ in found):
        cells = [cell[2:] for cell in found if cell[1] == name]
        if len(cells) > 1 or len(found) > _CELLS:  # else it is told below
            yield _sum_up(str(name), cells)
    for place, name, old, new in found[:_CELLS]:
        texts = (str(old), str(new))
        pairs = enumerate(zip(*texts, strict=False))
        start = next((n for n, (a, b) in pairs if a != b), min(map(len, texts)))
        yield say(
            "{place}, {column}: {before} → {after}",
            place=_name(changes.word, [place]),
            column=name,
            before=_from(start, texts[0]),
            after=_from(start, texts[1]),
        )
    if len(found) > _CELLS:
        yield say("{n:,} more cells", n=len(found) - _CELLS)


def _from(start: int, text: str) -> str:
    """Shorten a text, not before the place from which on it differs from another."""
    cut = max(start - _BEFORE, 0)
    return ("… " if cut else "") + (shorten(text[cut:]) or "''")


def _records(frame: Any, places: Sequence[int]) -> list[Any]:
    """Give the records that lines belong to, each by its last line; () for a header's."""
    at = frame.index.searchsorted(places)
    rows = frame.to_numpy(dtype=object)
    first = frame.index[0] if len(frame) else 0
    return [
        rows[n] if first <= place and n < len(rows) else ()
        for n, place in zip(at, places, strict=True)
    ]


def _sum_up(column: str, cells: Sequence[tuple[Any, Any]]) -> str:
    """Say how many cells of a column changed, and how far their sum did if all are numbers."""
    try:
        pairs = [(float(old), float(new)) for old, new in cells]
    except ValueError:
        return say_count(
            "{column}: {n} cell", "{column}: {n:,} cells", len(cells), column=column
        )
    sums = show_pair(*(math.fsum(side) for side in zip(*pairs, strict=True)))
    return say_count(
        "{column}: {n} cell, from {before} to {after}",
        "{column}: {n:,} cells, their sum from {before} to {after}",
        len(cells),
        column=column,
        before=sums[0],
        after=sums[1],
    )


def changed_inputs(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name the files whose content differs between two records' inputs."""
    return sorted(
        name
        for name in {*before, *after}
        if (before.get(name) or {}).get("sha256") != (after.get(name) or {}).get("sha256")
    )
