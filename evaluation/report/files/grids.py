"""A table as a report shows it, read out of its HTML into a grid of cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

Run = tuple[str, bool]
"""Text, and whether it is bold."""

_HIDDEN = {"script", "style", "button", "input", "select", "label", "svg"}
_BLOCKS = {"p", "div", "li", "ul", "ol", "details", "summary", "section"}
_BOLD = {"strong", "b"}
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_TOGETHER = "\u00a0"  # a space at which a line is not broken
_MINUS = re.compile(r"(?<![\w-])-(?=\.?\d)")
_BREAK = "\u200b"  # where a line may be broken within a word
_LONG_WORD = re.compile(r"[!-~\u200b]{25,}")
_JOINT = re.compile(r"[_/=.,;:-](?=\w)|\w{16}(?=\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell: its lines of text, how many columns it spans, whether it heads its row."""

    lines: tuple[tuple[Run, ...], ...]
    span: int = 1
    head: bool = False

    @property
    def texts(self) -> list[str]:
        """The lines as plain text."""
        return ["".join(text for text, _ in line) for line in self.lines]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table's rows; one that a single cell spans is a heading inside the table."""

    head: tuple[tuple[Cell, ...], ...]
    body: tuple[tuple[Cell, ...], ...]

    @cached_property
    def n_columns(self) -> int:
        """How many columns there are."""
        return max(sum(cell.span for cell in row) for row in (*self.head, *self.body))

    def first(self, n: int) -> Grid:
        """Give the table with its first rows only."""
        return replace(self, body=self.body[:n])


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A grid with what stands above and below it; without a name it isn't numbered."""

    name: str
    caption: str
    note: str
    grid: Grid


def read_exhibit(figure: Any) -> Table | None:
    """Read a table exhibit as it is displayed.

    Parameters
    ----------
    figure
        Its HTML, as lxml has it.

    Returns
    -------
    The table; what stands above it or beside it is at the head of the note. None if there is
    no table: an exhibit may be a list, or say why there is none.
    """
    found = figure.find(".//table")
    if found is None or (grid := read_grid(found)) is None:
        return None
    captions = [plain_text(part) for part in figure.iter("figcaption")]
    beside = [plain_text(part) for part in figure.iter("p", "ul") if not _inside(part)]
    return Table(
        name=figure.get("id", ""),
        caption=" ".join(captions),
        note=" ".join(filter(None, beside)),
        grid=grid,
    )


def read_grid(table: Any) -> Grid | None:
    """Read an HTML table; None if it has no row with anything in it."""
    head: list[tuple[Cell, ...]] = []
    body: list[tuple[Cell, ...]] = []
    for row in table.iter("tr"):
        cells = tuple(_read_cell(cell) for cell in row.iterchildren("td", "th"))
        if cells:
            (head if row.getparent().tag == "thead" else body).append(cells)
    return Grid(head=tuple(head), body=tuple(body)) if body else None


def plain_text(element: Any) -> str:
    """Give the text of an element on one line."""
    return " ".join(filter(None, _read_cell(element).texts))


def _inside(part: Any) -> bool:
    return any(
        above.tag == "table" or above.get("class") in ("search", "files")
        for above in (part, *part.iterancestors())
    )


def _read_cell(element: Any) -> Cell:
    lines: list[list[Run]] = [[]]
    for text, bold in _runs(element, bold=False):
        if text == "\n":
            lines.append([])
        elif lines[-1] and lines[-1][-1][1] == bold:
            lines[-1][-1] = lines[-1][-1][0] + text, bold
        else:
            lines[-1].append((text, bold))
    kept = [line for line in map(_tidy, lines) if line] or [()]
    span = int(element.get("colspan") or 1)
    return Cell(lines=tuple(kept), span=span, head=element.tag == "th")


def _runs(element: Any, *, bold: bool) -> Iterator[Run]:
    """Walk through an element's text; a line break is a run of its own."""
    bold = bold or element.tag in _BOLD
    space = _TOGETHER if "number" in element.get("class", "").split() else " "
    if element.text:
        yield _SPACE.sub(space, element.text), bold
    for child in element:
        if child.tag == "br":
            yield "\n", False
        elif child.tag == "wbr":
            yield _BREAK, bold
            yield from _runs(child, bold=bold)  # libxml2 takes what follows as its content
        elif isinstance(child.tag, str) and child.tag not in _HIDDEN:
            block = child.tag in _BLOCKS
            if block:
                yield "\n", False
            yield from _runs(child, bold=bold)
            if block:
                yield "\n", False
        if child.tail:
            yield _SPACE.sub(" ", child.tail), bold


def _tidy(line: list[Run]) -> tuple[Run, ...]:
    """Strip a line's ends, set minus signs, and let very long words be broken."""
    runs = [(_MINUS.sub("−", _SPACE.sub(" ", text)), bold) for text, bold in line]
    runs = [(_LONG_WORD.sub(_soften, text), bold) for text, bold in runs]
    if runs:
        runs[0] = runs[0][0].lstrip(" "), runs[0][1]
        runs[-1] = runs[-1][0].rstrip(" "), runs[-1][1]
    return tuple(run for run in runs if run[0])


def _soften(word: re.Match[str]) -> str:
    return word[0] if _BREAK in word[0] else _JOINT.sub(rf"\g<0>{_BREAK}", word[0])
