"""What a comparison of two runs holds: cells, rows, exhibits, texts, files, causes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from evaluation.report.compare.levels import Level, worst

Ends = tuple[float, float] | None
CauseKind = Literal[
    "study", "language", "input", "parameter", "notebook", "code", "package", "python", "font",
    "codes", "machine", "altered",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDifference:
    """A cell that is not identical.

    Attributes
    ----------
    column
        Its column; of bounds with the end, as in "strict: upper".
    before, after
        As results.json has them.
    size
        The change over the largest number of the column; 0 of a text for another, 1 where a
        number stands for something else.
    """

    column: str
    before: Any
    after: Any
    level: Level
    size: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDifference:
    """A row that is not identical.

    Attributes
    ----------
    label
        What names it; else its number.
    sides
        The rows as they are, None where there is none.
    cells
        Those that are not identical, if both have the row.
    """

    label: str
    sides: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]
    cells: tuple[CellDifference, ...] = ()

    @property
    def level(self) -> Level:
        """That of its worst cell."""
        return (
            worst(cell.level for cell in self.cells) if None not in self.sides else "different"
        )

    @property
    def size(self) -> float:
        """That of its largest difference; a row on one side alone counts as 1."""
        worse = [cell.size for cell in self.cells if cell.level == self.level]
        return max(worse, default=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDifference:
    """A text that is not identical: of an exhibit, or a sentence of the page.

    Attributes
    ----------
    place
        "caption", "note", "column" or "shown" of an exhibit; else the chapter it is in.
    before, after
        None where it is not there.
    """

    place: str
    before: str | None
    after: str | None
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitDifference:
    """A table or figure of two runs.

    Attributes
    ----------
    name, kind, notebook
        As results.json has them.
    captions
        Of either side; None where it has no such exhibit.
    keys
        The columns that name a row.
    n_rows
        How many either side has.
    rows, texts
        What is not identical of its rows, and of its caption, note, columns and display.
    n_cells
        How many cells are of which level.
    picture
        How alike a figure's pictures are.
    pixels
        The share of the pixels that differ, where they were compared.
    """

    name: str
    kind: str
    notebook: str
    captions: tuple[str | None, str | None]
    keys: tuple[str, ...] = ()
    n_rows: tuple[int, int] = (0, 0)
    rows: tuple[RowDifference, ...] = ()
    texts: tuple[TextDifference, ...] = ()
    n_cells: Mapping[Level, int] = field(default_factory=Counter)
    picture: Level = "identical"
    pixels: float | None = None

    @property
    def level(self) -> Level:
        """The worst of its cells, texts and pictures."""
        if None in self.captions:
            return "different"
        return worst(
            [self.picture, *(r.level for r in self.rows), *(t.level for t in self.texts)]
        )

    @property
    def caption(self) -> str:
        """Its caption, that of the second run first."""
        return self.captions[1] or self.captions[0] or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifference:
    """A file of two runs that is not identical.

    Attributes
    ----------
    why
        What differs, or how it was compared.
    counts
        Whether the verdict rests on it: not where it was asked for in one run alone.
    """

    name: str
    level: Level
    why: str = ""
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A thing that differs between what two runs were made from.

    Attributes
    ----------
    name
        Of the file, parameter, module or package.
    before, after
        '' where it says nothing, as of files that are told apart by their hash.
    details
        What is more: the chapters, or the rows that changed.
    """

    kind: CauseKind
    name: str
    before: str = ""
    after: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A main number that is not what it was.

    Attributes
    ----------
    exhibit, caption, row, column, unit
        Where it stands, and what it is in.
    before, after
        The numbers; a verdict's words.
    ends
        The ends of either's interval; None where it has none.
    remark
        What it means: the interval that now holds zero, say.
    """

    exhibit: str
    caption: str
    row: str
    column: str
    unit: str
    before: Any
    after: Any
    ends: tuple[Ends, Ends] = (None, None)
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two runs.

    Attributes
    ----------
    record
        What it says it was made from.
    language, titles, simulated
        Of results.json.
    """

    folder: Path
    name: str
    record: Mapping[str, Any]
    language: str
    titles: Mapping[str, str]
    simulated: bool = False
