"""Digests of the rows of a study's files: which row changed since, without what it held."""

from __future__ import annotations

import base64
import codecs
import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.data.study import Study
from evaluation.data.study_files import TableFile
from evaluation.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "input-rows.json"
MOST_ROWS = 1_000_000
"""Of a larger file no digests are kept; nor of one with more than ten times as many cells."""

_VERSION = 1
_LINES = (".csv", ".tsv", ".tab", ".txt", ".yml", ".yaml", ".json", ".geojson", ".md")
_BYTES = 4  # of a digest
_SEPARATOR = "\x1f"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """Which rows of a file changed.

    Attributes
    ----------
    word
        What rows are counted by: "line", "row" or "observation".
    changed
        Their places before and after, both from 1 as an editor or a sheet shows them.
    removed, inserted
        Places before, and after.
    moved
        How many stand elsewhere, as they were.
    """

    word: str
    changed: Sequence[tuple[int, int]] = ()
    removed: Sequence[int] = ()
    inserted: Sequence[int] = ()
    moved: int = 0


def describe_rows(study: Study) -> dict[str, Any]:
    """Give a digest of every row of a study's files, for a run to keep as input-rows.json.

    Returns
    -------
    dict with version and files: by name what its rows are counted by, their digests and, where
    they do not follow one another from 1, their places. It is empty for a study under codes;
    files that study.yml names as confidential, and large ones, are left out.

    Notes
    -----
    A digest has 32 bits and does not tell the row. But who guesses a whole row can confirm the
    guess by it; hence none are kept of what is confidential or under codes.
    """
    if study.pseudonyms:
        return {}
    secret = {*getattr(study, "confidential", ())}
    files = {}
    for name in [study.file.name, *study.file_names()]:
        path = study.file if name == study.file.name else study.path(name)
        if name not in secret and (rows := read_rows(path, find_options(study, name))):
            files[name] = rows
    return {"version": _VERSION, "files": files}


def read_rows(path: Path, options: TableFile | None = None) -> dict[str, Any]:
    """Give the digests of a file's rows, as `describe_rows` does; {} where there are none.

    Text files count by lines, whose ends do not matter; others by the rows that
    `evaluation.data.tables.read_table` gives.
    """
    try:
        if path.suffix.lower() in _LINES:
            digests = _digest_lines(path.read_bytes())
            return {} if digests is None else {"word": "line", "digests": _pack(digests)}
        return _digest_table(path, options)
    except (OSError, DataError, UnicodeDecodeError):
        return {}  # what is wrong with the file is said where it is read


def find_options(study: Study, name: str) -> TableFile | None:
    """Give how study.yml says that one of its files is read."""
    panel = study.panel
    timing = panel.treatment.file if panel and panel.treatment else None
    parts = (panel, timing, study.ledger, study.projects, study.indicators)
    return next((p for p in parts if isinstance(p, TableFile) and p.file == name), None)


def compare_rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> RowChanges | None:
    """Name the rows that differ between two versions of a file.

    Parameters
    ----------
    before, after
        Digests, as `read_rows` gives them.

    Returns
    -------
    None if one of them has none, or they are counted otherwise. Rows between the same
    neighbours are changed ones if there are as many on either side, else removed and inserted.
    """
    if not before or not after or before["word"] != after["word"]:
        return None
    old, new = _unpack(before["digests"]), _unpack(after["digests"])
    places = [_places(side, len(rows)) for side, rows in ((before, old), (after, new))]
    changed: list[tuple[int, int]] = []
    gone: list[int] = []
    come: list[int] = []
    for (i0, i1), (j0, j1) in _gaps(old, new):
        if i1 - i0 == j1 - j0:
            changed += zip(range(i0, i1), range(j0, j1), strict=True)
        else:
            gone += range(i0, i1)
            come += range(j0, j1)
    away = Counter(old[[*gone, *(i for i, _ in changed)]].tolist())
    here = Counter(new[[*come, *(j for _, j in changed)]].tolist())
    moved = away & here
    n_moved = moved.total()
    # A row that is whole elsewhere has not changed, and what stands in its place is new.
    left, right = moved.copy(), moved.copy()
    gone = [i for i in gone if not _take(left, int(old[i]))]
    come = [j for j in come if not _take(right, int(new[j]))]
    kept = []
    for i, j in changed:
        was, now = _take(left, int(old[i])), _take(right, int(new[j]))
        if not was and not now:
            kept.append((i, j))
        elif not was:
            gone.append(i)
        elif not now:
            come.append(j)
    return RowChanges(
        word=str(before["word"]),
        changed=[(int(places[0][i]), int(places[1][j])) for i, j in kept],
        removed=[int(places[0][i]) for i in sorted(gone)],
        inserted=[int(places[1][j]) for j in sorted(come)],
        moved=n_moved,
    )


def _take(left: Counter[int], digest: int) -> bool:
    if left[digest] <= 0:
        return False
    left[digest] -= 1
    return True


def _digest(row: bytes) -> bytes:
    return hashlib.blake2b(row, digest_size=_BYTES).digest()


def _digest_lines(content: bytes) -> bytes | None:
    if content.startswith(_UTF16):  # a byte of a character may be that of a line's end
        content = content.decode("utf-16").encode()
    elif b"\0" in content:
        return None
    lines = content.splitlines()
    if len(lines) > MOST_ROWS:
        return None
    return b"".join(map(_digest, lines))


def _digest_table(path: Path, options: TableFile | None) -> dict[str, Any]:
    from evaluation.data.tables import read_table

    names = ("sheet", "encoding", "header_rows") if options else ()
    table = read_table(path, **{name: getattr(options, name) for name in names})
    frame = table.every_row
    if len(frame) > MOST_ROWS or frame.size > 10 * MOST_ROWS:
        return {}
    columns = [frame.iloc[:, n].tolist() for n in range(frame.shape[1])]
    rows = zip(*columns, strict=True)
    head = {"columns": [str(name) for name in frame.columns]}
    digests = b"".join(_digest(_SEPARATOR.join(map(str, row)).encode()) for row in rows)
    places = frame.index.to_numpy()
    follows = len(places) and (places == np.arange(1, len(places) + 1)).all()
    kept = {} if follows else {"places": _pack(places.astype("<u4").tobytes())}
    return {"word": table.row_word, **head, "digests": _pack(digests), **kept}


def _pack(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _unpack(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(base64.b64decode(text), dtype="<u4")


def _places(rows: Mapping[str, Any], n: int) -> NDArray[Any]:
    return _unpack(rows["places"]) if "places" in rows else np.arange(1, n + 1)


Span = tuple[int, int]


def _gaps(old: NDArray[np.uint32], new: NDArray[np.uint32]) -> Iterator[tuple[Span, Span]]:
    """Give the stretches of two sequences between those that both have."""
    n = min(len(old), len(new))
    head = _first_false(old[:n] == new[:n])
    n -= head
    tail = _first_false((old[len(old) - n :] == new[len(new) - n :])[::-1]) if n else 0
    old_end, new_end = len(old) - tail, len(new) - tail
    i, j = head, head
    for a, b in [*_anchors(old[head:old_end], new[head:new_end], head), (old_end, new_end)]:
        if (a, b) < (i, j) or a < i or b < j:
            continue  # reached already by the one before
        # From an anchor back and on, rows that come more than once are alike too.
        back = 0
        while a - back > i and b - back > j and old[a - back - 1] == new[b - back - 1]:
            back += 1
        on = 0
        while i + on < a - back and j + on < b - back and old[i + on] == new[j + on]:
            on += 1
        if (i + on, j + on) != (a - back, b - back):
            yield (i + on, a - back), (j + on, b - back)
        i, j = a + 1, b + 1


def _first_false(alike: NDArray[np.bool_]) -> int:
    return int(alike.argmin()) if len(alike) and not alike.all() else len(alike)


def _anchors(old: NDArray[Any], new: NDArray[Any], start: int) -> list[tuple[int, int]]:
    """Give the longest run of rows, unique in both, that come in the same order."""
    unique = []
    for rows in (old, new):
        values, first, counts = np.unique(rows, return_index=True, return_counts=True)
        unique.append((values[counts == 1], first[counts == 1]))
    _, here, there = np.intersect1d(unique[0][0], unique[1][0], return_indices=True)
    pairs = sorted(zip(unique[0][1][here].tolist(), unique[1][1][there].tolist(), strict=True))
    ends: list[int] = []  # the least last place in the second, of runs of every length
    last: list[int] = []  # which pair that is
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [number]
    run = []
    number = last[-1] if last else -1
    while number >= 0:
        run.append((pairs[number][0] + start, pairs[number][1] + start))
        number = before[number]
    return run[::-1]
