"""How a grid is set on paper: its columns' widths, the size of its type, upright or not."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from evaluation.report.files.grids import Cell, Grid, Table

KEPT_WHOLE = 280
"""A table up to this height, in points, is not broken over two pages."""

# Of an A4 page with margins of 2.5 cm, in points.
_LINE = {False: 453, True: 700}
_PAGE = {False: 640, True: 380}
_WAYS = (
    (False, 9, 2.2), (False, 8, 2.2), (False, 8, 4.5), (True, 9, 4.5), (True, 8, 4.5),
    (True, 7, float("inf")),
)  # fmt: skip
"""On its side or not, the size of type, and lines a row that are too many: tried in turn."""
_GAP = 1.8  # characters between two columns
_MANY_COLUMNS = 7
_SHARE = 0.4  # 0: all long columns are equally wide; 1: as wide as their text is long
_LONG_TEXT = 30
_SHORT = 16  # a head that takes one line
_MOST_CELLS = 0.9  # of a column's: what few cells have more of is broken
_WORD = re.compile(r"[^\s\u200b-]+-*|-+")
_NUMBER = re.compile(r"^[\[(<≥≤~±+−-]*\s*[\d.∞]")
_WIDE_WORD = 8  # Chinese may be broken anywhere, but four characters should stand together


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a table is set.

    Attributes
    ----------
    widths
        The columns' parts of the line's width.
    wrapped
        Whether cells have to be broken to fit; if not, columns are as wide as their content.
    size
        Of the type, in points.
    landscape
        Whether it needs a page on its side.
    height
        Its height on the page, notes included, roughly, in points.
    long
        Whether that is more than a page has.
    right
        By column, whether it is of numbers and aligned on the right.
    """

    widths: tuple[float, ...]
    wrapped: bool
    size: int
    landscape: bool
    height: float
    long: bool
    right: tuple[bool, ...]


@lru_cache(maxsize=1)  # the files of a table ask in turn
def lay_out(table: Table) -> Layout:
    """Choose how to set a table: upright in type of 9 points if that will do."""
    grid = table.grid
    columns = list(zip(*_single(grid), strict=True)) or [()] * grid.n_columns
    landscape, size, widths, wrapped = _fit(grid, columns)
    line = sum(widths) + _GAP * len(columns)
    line = line if wrapped else max(line, _room(landscape, size))
    height = (_lines(grid, widths) * 1.25 + 0.3 * len(grid.body)) * size
    height += 10 * (_width(table.note) / _room(landscape, 8) + 3)
    return Layout(
        widths=tuple((width + _GAP) / line for width in widths),
        wrapped=wrapped,
        size=size,
        landscape=landscape,
        height=height,
        long=height > _PAGE[landscape],
        right=tuple(_is_numeric(column[len(grid.head) :]) for column in columns),
    )


def _fit(
    grid: Grid, columns: Sequence[tuple[Cell, ...]]
) -> tuple[bool, int, list[float], bool]:
    """Choose landscape, size, widths in characters, and whether cells are broken."""
    whole = [max((_width(t) for c in col for t in c.texts), default=1) for col in columns]
    natural = [_natural(column, len(grid.head)) for column in columns]
    least = [max((_word(t) for c in col for t in c.texts), default=1) for col in columns]
    for landscape, size, most in _WAYS:
        room = _room(landscape, size) - _GAP * len(columns)
        if sum(whole) <= room:
            return landscape, size, [float(width) for width in whole], False
        widths = _share(natural, least, room)
        few = _lines(grid, widths) <= most * len(grid.body) or len(columns) < _MANY_COLUMNS
        if sum(least) <= room and few:
            break
    return landscape, size, widths, True


def _single(grid: Grid) -> list[tuple[Cell, ...]]:
    """Give the rows of which every cell is in one column."""
    rows = (*grid.head, *grid.body)
    return [row for row in rows if len(row) == grid.n_columns and all(c.span == 1 for c in row)]


def _share(natural: list[int], least: list[int], room: float) -> list[float]:
    """Share a line out: short columns keep what they need, long ones get more than others."""
    if sum(least) >= room:
        return [room * width / sum(least) for width in least]
    low, high = 0.0, room
    for _ in range(40):
        scale = (low + high) / 2
        widths = [
            min(max(scale * n**_SHARE, float(w)), n + 2.0)
            for n, w in zip(natural, least, strict=True)
        ]
        low, high = (scale, high) if sum(widths) < room else (low, scale)
    return widths


def _natural(column: tuple[Cell, ...], n_head: int) -> int:
    """Give the width that most of a column's cells take; a head may well take two lines."""
    widths = [max(map(_width, cell.texts)) for cell in column]
    head = [width // 2 + 1 if width > _SHORT else width for width in widths[:n_head]]
    body = sorted(widths[n_head:])[: math.ceil(_MOST_CELLS * (len(widths) - n_head))]
    return max([*head, *body[-1:]], default=1)


def _lines(grid: Grid, widths: list[float]) -> float:
    """Estimate how many lines the body takes."""
    total = 0.0
    for row in grid.body:
        spans = len(row) != len(widths)
        total += max(
            sum(-(-_width(t) // max(sum(widths) if spans else width, 1)) or 1 for t in c.texts)
            for c, width in zip(row, widths, strict=False)
        )
    return total


def _is_numeric(column: tuple[Cell, ...]) -> bool:
    texts = [text for cell in column if not cell.head for text in cell.texts if text]
    numbers = sum(bool(_NUMBER.match(text)) for text in texts)
    return bool(texts) and numbers >= 0.6 * len(texts) and max(map(_width, texts)) <= _LONG_TEXT


def _room(landscape: bool, size: int) -> float:
    """Give how many characters a line holds: small type is wider for its height."""
    return _LINE[landscape] / (size * 0.3 + 2)


def _word(text: str) -> int:
    return max((_unbroken(word) for word in _WORD.findall(text)), default=1)


def _unbroken(word: str) -> int:
    width = _width(word)
    return width if width == len(word) else min(width, _WIDE_WORD)


@lru_cache(maxsize=1 << 15)
def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if sign == "\u200b" else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )
