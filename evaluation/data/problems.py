"""What is wrong with a study's files: collected over all of them, told at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.tables import Table
from evaluation.data.text_files import shorten
from evaluation.errors import DataError

Level = Literal["error", "warning", "note"]
_SHOWN = 10
_KEPT = 1_000
_WIDTH = 60  # of a cell in a message
_FILE = re.compile(r"([^:\s]+\.[a-z]{2,7}(?: \[[^:]*\])?): ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One kind of problem, and the places where it was found.

    Attributes
    ----------
    level
        error: the study does not load; warning: it loads, and its reports say so; note:
        something was read in a way that a reader may want to know.
    file, column
        Where.
    message
        What is wrong.
    remedy
        How to mend it.
    places
        Rows and cells, the first thousand; a row is counted as in the file.
    count
        How many places there are.
    left_out
        Whether rows or villages were left out for it.
    """

    level: Level
    file: str
    message: str
    remedy: str = ""
    column: str = ""
    row_word: str = "row"
    places: tuple[tuple[Any, str], ...] = ()
    count: int = 0
    left_out: bool = False

    def __str__(self) -> str:
        """Say it in one or two lines."""
        column = f"column {self.column}: " if self.column else ""
        shown = [
            (f"{self.row_word} {row}" if row != "" else "")
            + (f" {shorten(cell, _WIDTH)!r}" if cell else "")
            for row, cell in self.places[:_SHOWN]
        ]
        rest = self.count - len(shown)
        listed = ", ".join(text.strip() for text in shown)
        if listed and rest > 0:
            listed += f" and {rest:,} more ({self.count:,} in all)"
        text = f"{self.file}: {column}{self.message}" + (f": {listed}" if listed else "")
        text += "" if text.endswith("?") else "."
        return f"{text} {self.remedy}".rstrip()


@dataclass(slots=True)
class Problems:
    """The problems found so far."""

    found: list[Problem] = field(default_factory=list)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.found)

    def add(
        self,
        level: Level,
        file: str,
        message: str,
        remedy: str = "",
        *,
        column: str = "",
        row_word: str = "row",
        rows: Sequence[Any] | pd.Index[Any] = (),
        cells: Iterable[Any] | None = None,
        left_out: bool = False,
    ) -> None:
        """Add a problem; ``rows``, or ``cells`` alone, are the places where it was found."""
        texts = None if cells is None else [str(cell) for cell in cells]
        if texts is not None and not len(rows):
            row_word, rows = "", [""] * len(texts)
        listed = list(rows[:_KEPT])
        texts = [""] * len(listed) if texts is None else texts[: len(listed)]
        places = tuple(zip(listed, texts, strict=True))
        problem = Problem(
            level=level,
            file=file,
            message=message.rstrip(".。"),
            remedy=remedy,
            column=column,
            row_word=row_word,
            places=places,
            count=len(rows),
            left_out=left_out,
        )
        if problem not in self.found:  # two parts of a study may read one file
            self.found.append(problem)

    def take(self, error: DataError, file: str, *, level: Level = "error") -> None:
        """Add the lines of an error that was raised on reading a file."""
        for line in str(error).splitlines():
            named = _FILE.match(line)  # prices.csv, on reading study.yml
            told = line[named.end() :] if named else line.removeprefix(f"{file}: ")
            self.add(level, named[1] if named else file, told)

    @property
    def errors(self) -> list[Problem]:
        """Those for which the study does not load."""
        return [problem for problem in self.found if problem.level == "error"]

    def raise_errors(self) -> None:
        """Raise one DataError that lists all errors; does nothing where there are none."""
        if self.errors:
            raise DataError("\n".join(map(str, self.errors)))

    def to_frame(self) -> pd.DataFrame:
        """Give one row a place: level, file, row, column, cell, message, remedy."""
        rows = [
            (p.level, p.file, row, p.column, cell, p.message, p.remedy)
            for p in self.found
            for row, cell in (p.places or (("", ""),))
        ]
        columns = ["level", "file", "row", "column", "cell", "message", "remedy"]
        return pd.DataFrame(rows, columns=columns, dtype=object)


def report_rows(
    table: Table,
    problems: Problems,
    column: str,
    hits: npt.NDArray[np.bool_] | npt.NDArray[np.integer[Any]],
    message: str,
    remedy: str = "",
    *,
    level: Level = "error",
) -> None:
    """Report rows of a file, marked or by their positions, with their cells of a column."""
    rows = np.flatnonzero(hits) if hits.dtype == bool else hits
    if len(rows):
        problems.add(
            level,
            table.name,
            message,
            remedy,
            column=column,
            row_word=table.row_word,
            rows=table.frame.index[rows],
            cells=table.frame[column].iloc[rows[:_KEPT]],
        )


def name_cells(
    keys: pd.Index[str],
    years: npt.NDArray[np.int64],
    village: npt.NDArray[np.integer[Any]],
    year: npt.NDArray[np.integer[Any]],
) -> list[str]:
    """Name cells of a village x year matrix by their positions: "370831100201 2019"."""
    named = zip(keys.to_numpy(object)[village], years[year], strict=True)
    return [f"{key} {y}" for key, y in named]
