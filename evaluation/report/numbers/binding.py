"""Which rows of results.json the parts of a printed table show, worked out from its numbers.

A table shows a row of results.json in each of its rows, or in each column, or cell, or line
of a cell. Where its numbers come from is learnt from the table itself: numbers printed alike
in a column come from the same column of results.json, shown in the same way. One that does
not is as wrong as one that is nowhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.report.files.grids import Grid
from evaluation.report.numbers.figures import Figures, Source
from evaluation.report.numbers.tokens import SCALES, Token, read_tokens

_MOST_MISSED = 0.1  # of the numbers of a table that has as many rows as results.json
_FEW = 2
_USUAL = 3  # numbers of a column that tell where it comes from
_RARE = 0.15
_MOST_STRAY = 1  # cells in columns of one county each, say, for them to be held to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A number in a cell of a table.

    Attributes
    ----------
    row, column, line, place
        Where it stands; its place is that in the line.
    part
        The row that it belongs to: a heading inside the table belongs to the next row.
    head
        Whether its cell heads the row.
    shape
        Its line, with # for each number.
    """

    row: int
    part: int
    column: int
    line: int
    place: int
    head: bool
    shape: str
    token: Token


def read_printed(grid: Grid) -> list[Printed]:
    """Give all numbers in the cells of a table."""
    return [
        Printed(
            row=i, part=i + _is_heading(grid, i), column=j, line=k, place=p,
            head=cell.head, shape=shape, token=token,
        )
        for i, row in enumerate(grid.body)
        for j, cell in enumerate(row)
        for k, text in enumerate(cell.texts)
        for shape, tokens in [read_tokens(text)]
        for p, token in enumerate(tokens)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A number that is not where it should come from, and what is there ('' if not known)."""

    printed: Printed
    expected: str


Rows = list[set[int]]
"""The rows of results.json that the part shows in which a number stands, for each number."""


def find_unexplained(
    printed: Sequence[Printed], figures: Figures, *, n_rows: int, words: frozenset[str]
) -> tuple[str, list[Wrong]]:
    """Give the numbers of a table that are not where its other numbers come from.

    Parameters
    ----------
    n_rows
        How many rows the table has, without headings inside it.
    words
        Numbers of the exhibit's caption and note, which its cells may say as well.

    Returns
    -------
    What of the table shows one row of results.json each ("row", "column", "cell", "line" or
    "table"), and the numbers that are not in theirs.
    """
    tried: list[tuple[float, str, list[Wrong]]] = []
    for (name, level), doubt in zip(_LEVELS.items(), _DOUBTS, strict=True):
        missed = _unusual(printed, level(printed, figures), figures, name, words)
        if name == "row" and n_rows == figures.n_rows:
            doubt = -_MOST_MISSED * len(printed)
        cost = len(missed) + doubt * max(1.0, len(printed) / 100)
        tried.append((cost, name, missed))
        if cost <= 0:
            break
    _, name, missed = min(tried, key=lambda level: level[0])
    return name, missed


def _is_heading(grid: Grid, row: int) -> bool:
    return len(grid.body[row]) == 1 and grid.n_columns > 1


def _by_row(printed: Sequence[Printed], figures: Figures) -> Rows:
    return _in_order(printed, figures, lambda p: p.part)


def _by_column(printed: Sequence[Printed], figures: Figures) -> Rows:
    return _in_order(printed, figures, lambda p: p.column)


def _by_cell(printed: Sequence[Printed], figures: Figures) -> Rows:
    return _best(printed, figures, lambda p: (p.row, p.column))


def _by_line(printed: Sequence[Printed], figures: Figures) -> Rows:
    return _best(printed, figures, lambda p: (p.row, p.column, p.line))


def _by_table(printed: Sequence[Printed], figures: Figures) -> Rows:
    return [set(range(figures.n_rows))] * len(printed)


_LEVELS: dict[str, Callable[[Sequence[Printed], Figures], Rows]] = {
    "row": _by_row, "column": _by_column, "cell": _by_cell, "line": _by_line,
    "table": _by_table,
}  # fmt: skip
_DOUBTS = (0.0, 0.5, 1.5, 2.5, 6.0)
"""How many numbers in a hundred a finer part must explain more for it to be the one shown."""


def _in_order(
    printed: Sequence[Printed], figures: Figures, part_of: Callable[[Printed], int]
) -> Rows:
    """Bind parts of a table to rows so that most numbers are found, both in their order."""
    parts = sorted({part_of(p) for p in printed})
    at = {part: i for i, part in enumerate(parts)}
    score = np.zeros((len(parts), figures.n_rows))
    for p in printed:
        score[at[part_of(p)], list(figures.find(p.token))] += 1
    rows = _align(score)
    return [{rows[at[part_of(p)]]} for p in printed]


def _align(score: Any) -> list[int]:
    """Give each line of a table of scores a column, in rising order, or -1 for none."""
    n, m = score.shape
    best = np.zeros((n + 1, m + 1))
    for i in range(n):
        taken = best[i, :-1] + score[i]
        best[i + 1, 1:] = np.maximum.accumulate(np.maximum(best[i, 1:], taken))
    rows, j = [-1] * n, m
    for i in range(n - 1, -1, -1):
        while j and best[i + 1, j] == best[i + 1, j - 1]:
            j -= 1
        if j and best[i + 1, j] > best[i, j]:
            rows[i], j = j - 1, j - 1
    return rows


def _best(
    printed: Sequence[Printed], figures: Figures, part_of: Callable[[Printed], Hashable]
) -> Rows:
    """Bind each part of a table to the row in which most of its numbers are.

    Where a table's columns, or its rows, are each of one name (of a county, say), parts are
    held to the rows of theirs.
    """
    scores: dict[Hashable, Counter[int]] = defaultdict(Counter)
    for p in printed:
        scores[part_of(p)].update(list(figures.find(p.token)))
    found = {part: _most(score) for part, score in scores.items()}
    for axis in ("column", "part"):
        lines: dict[int, list[Hashable]] = defaultdict(list)
        for part, p in {part_of(p): p for p in printed if not p.head}.items():
            lines[getattr(p, axis)].append(part)
        allowed = _named_rows({at: [found[x] for x in xs] for at, xs in lines.items()}, figures)
        for at, parts in lines.items():
            for part in parts:
                kept = {x: n for x, n in scores[part].items() if x in allowed.get(at, {x})}
                scores[part] = Counter(kept)
                found[part] = _most(kept)
    sizes = Counter(part_of(p) for p in printed)
    for part, rows in found.items():  # one row has all of a part's numbers, or one is wrong
        if rows and scores[part][min(rows)] < sizes[part]:
            found[part] = {min(rows)}
    return [found[part_of(p)] for p in printed]


def _most(score: Mapping[int, int]) -> set[int]:
    most = max(score.values(), default=0)
    return {row for row, n in score.items() if n == most}


def _named_rows(
    found: Mapping[int, Sequence[set[int]]], figures: Figures
) -> dict[int, set[int]]:
    """Give the rows that each line may show: those of its name, where each has its own."""
    ranked = []
    for names in figures.names.values():
        own, stray = {}, 0
        for line, rows in found.items():
            counts = Counter(name for part in rows for name in {names[row] for row in part})
            if counts:
                own[line], count = counts.most_common(1)[0]
                stray += len(rows) - count
        most = _MOST_STRAY if len(own) > _FEW else 0
        if len({*own.values()}) == len(own) > 1 and stray <= most:
            rows_of = {name: {i for i, x in enumerate(names) if x == name} for name in names}
            ranked.append((stray, {line: rows_of[name] for line, name in own.items()}))
    return min(ranked, key=lambda kept: kept[0], default=(0, {}))[1]


def _unusual(
    printed: Sequence[Printed], rows: Rows, figures: Figures, level: str, words: frozenset[str]
) -> list[Wrong]:
    """Give what has no source, or another than numbers printed alike in its column have."""
    sources = [
        frozenset().union(*(found[row] for row in of if row in found))
        for p, of in zip(printed, rows, strict=True)
        for found in [figures.find(p.token)]
    ]
    alike: dict[Hashable, list[int]] = defaultdict(list)
    for i, p in enumerate(printed):
        column = p.column if level != "cell" else p.head
        alike[(column, p.shape, p.place)].append(i)
    missed = _misquoted(printed, rows, figures)
    for members in alike.values():
        known = {i: _sure(sources[i], printed[i].token) for i in members}
        usual = _usual_sources(known.values())
        for i in members:
            token = printed[i].token
            found = sources[i] & usual if usual else known[i]
            told = not known[i] and not token.bare and token.plain in words
            if not found and not told:
                missed.setdefault(i, figures.nearest(token, rows[i], usual))
    return [Wrong(printed=printed[i], expected=said) for i, said in sorted(missed.items())]


def _sure(sources: frozenset[Source], token: Token) -> frozenset[Source]:
    """Leave out sources in another unit for a number of one digit, which many numbers have."""
    if not token.is_short:
        return sources
    return frozenset(source for source in sources if source.scale in SCALES[:2])


def _misquoted(printed: Sequence[Printed], rows: Rows, figures: Figures) -> dict[int, str]:
    """Give the numbers in words that the row has as well, with another number there."""
    lines: dict[Hashable, list[int]] = defaultdict(list)
    for i, p in enumerate(printed):
        lines[(p.row, p.column, p.line)].append(i)
    missed: dict[int, str] = {}
    for members in lines.values():
        first, numbers = members[0], [printed[i].token.plain for i in members]
        told = figures.misquoted(rows[first], printed[first].shape, numbers)
        missed |= {members[place]: said for place, said in told.items()}
    return missed


def _usual_sources(found: Iterable[frozenset[Source]]) -> frozenset[Source]:
    """Give the fewest sources that most have; none where there are too few to tell."""
    left = [sources for sources in found if sources]
    n, usual = len(left), set()
    if n < _USUAL:
        return frozenset()
    while left:
        counts = Counter(source for sources in left for source in sources)
        # Bounds are rounded outwards: of two that do as well, that is the one.
        source, count = max(
            counts.items(), key=lambda item: (item[1], item[0].mode in ("down", "up"))
        )
        if count < max(2, _RARE * n):
            break
        usual.add(source)
        left = [sources for sources in left if source not in sources]
    return frozenset(usual)
