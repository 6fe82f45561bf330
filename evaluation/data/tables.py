"""Read a table as it stands: what is left out, filled or decoded is named, never silent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.data.broken_cells import name_column
from evaluation.data.sheets import SHEET_SUFFIXES, read_sheet
from evaluation.data.text_files import TEXT_SUFFIXES, Cells, read_text_file, shorten
from evaluation.data.typed_files import TYPED_SUFFIXES, check_columns, read_typed_file
from evaluation.errors import DataError, raise_problems, suggest
from evaluation.language import mark, say

_ROWS = {
    "line": mark("line {row}: {what}"),
    "row": mark("row {row}: {what}"),
    "observation": mark("observation {row}: {what}"),
}


class EmptyTable(DataError):
    """A table with a header and no rows: a form that was not filled in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file of rows, as it stands.

    Attributes
    ----------
    name
        The file, and the sheet if it has any, for messages.
    frame
        One row a record. Text files and sheets: every cell text, stripped, empty ones ''.
        Typed files: numbers with NaN for missing, text with '' for missing, dates as ISO text.
    every_row
        The frame with its totals and notes left in.
    row_word
        What the index of the frame counts, as a user finds it in the file: "line" of a text
        file, "row" of a sheet, "observation" of a typed file.
    encoding
        As used, for text files and Stata and SPSS files.
    labels, value_labels
        What a Stata or SPSS file calls its columns and its codes; the frame keeps the codes.
    left_out
        The rows left out, each named: "row 14: totals row '合计'".
    notes
        What else was done: merged cells filled down, header rows stacked, encoding not UTF-8.
    """

    name: str
    frame: pd.DataFrame
    every_row: pd.DataFrame
    row_word: str
    encoding: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def select(
        self, required: Sequence[str] = (), optional: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Give the frame of a table whose columns are fixed and whose rows all count.

        Parameters
        ----------
        required, optional
            The columns that must and may be there; any other is an error. A missing optional
            one is filled with ''. With neither given, all columns are taken.

        Raises
        ------
        DataError
            If the columns are not those asked for.

        Notes
        -----
        Nothing is left out: an indicator may well be called "total".
        """
        header = [str(column) for column in self.frame.columns]
        known = {*required, *optional}
        missing = [name for name in required if name not in header]
        problems = [f"no column {', '.join(missing)}; it has {', '.join(header)}."] * bool(
            missing
        )
        problems += [
            f"unknown column {name!r}; {suggest(name, known)}"
            for name in header
            if known and name not in known
        ]
        raise_problems(self.name, problems)
        return self.every_row.assign(**{name: "" for name in optional if name not in header})


def read_table(
    path: Path,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    header_rows: int | None = None,
    columns: Sequence[str] | None = None,
) -> Table:
    """Read a table from a text file, a workbook or a typed file, by its suffix.

    Parameters
    ----------
    path
        A .csv, .tsv, .tab, .txt, .xlsx, .xlsm, .xls, .ods, .dta, .sav, .parquet or .feather.
    sheet
        The sheet of a workbook; needed where several hold data.
    encoding
        Of a text, Stata or SPSS file; found if not given (UTF-8, UTF-16, then GB18030).
    header_rows
        How many rows of a sheet name its columns; found from merged cells if not given.
    columns
        The columns to read, in this order; all if not given.

    Raises
    ------
    DataError
        If the file is missing, damaged, empty or of another kind than its suffix says, its
        columns are not named once each, or an option does not apply to it.
    """
    suffix = path.suffix.lower()
    known = [*TEXT_SUFFIXES, *SHEET_SUFFIXES, *TYPED_SUFFIXES]
    if suffix not in known:
        raise DataError(
            f"{path.name}: the suffix {suffix!r} is not read; save it as one of "
            f"{', '.join(known)}."
        )
    if suffix not in SHEET_SUFFIXES and (sheet is not None or header_rows is not None):
        raise DataError(
            f"{path.name}: sheet and header_rows are for workbooks; leave them out."
        )
    if encoding is not None and suffix in (*SHEET_SUFFIXES, ".parquet", ".feather"):
        raise DataError(f"{path.name}: says its encoding itself; leave encoding out.")
    if header_rows is not None and header_rows < 1:
        raise DataError(f"{path.name}: header_rows is {header_rows}; give 1 or more.")
    try:
        if suffix in TEXT_SUFFIXES:
            return _to_table(read_text_file(path, encoding=encoding), "line", columns)
        if suffix in SHEET_SUFFIXES:
            cells = read_sheet(path, sheet=sheet, header_rows=header_rows)
            return _to_table(cells, "row", columns)
        typed = read_typed_file(path, encoding=encoding, columns=columns)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    if typed.frame.empty:
        raise EmptyTable(f"{path.name}: {say('no observations')}.")
    return Table(
        name=path.name,
        frame=typed.frame,
        every_row=typed.frame,
        row_word="observation",
        encoding=typed.encoding,
        labels=typed.labels,
        value_labels=typed.value_labels,
        notes=typed.notes,
    )


def _to_table(cells: Cells, row_word: str, columns: Sequence[str] | None) -> Table:
    if not cells.rows:
        why = say("no rows; the first row names the columns")
        raise EmptyTable(f"{cells.name}: {why}.")
    frame = pd.DataFrame(
        cells.rows,
        index=pd.Index(cells.places, name=row_word),
        columns=range(len(cells.header)),
        dtype="str",
    )
    records = frame.drop(index=list(cells.asides)) if cells.asides else frame
    said = f" ({'; '.join(cells.notes)})" if cells.notes else ""
    problems = []
    unnamed = [number for number, name in enumerate(cells.header) if not name]
    for number in unnamed:
        held = records[number][records[number] != ""]
        if len(held):
            problems.append(
                f"column {name_column(number)} has no name but holds data ({row_word} "
                f"{held.index[0]}: {shorten(held.iloc[0])!r}); name it in the header{said}."
            )
    raise_problems(cells.name, problems)
    header = [name for name in cells.header if name]
    check_columns(cells.name, header, columns)
    used = [number for number, name in enumerate(cells.header) if name in (columns or header)]
    raise_problems(cells.name, [text for n in used for text in cells.broken.get(n, ())])
    frame, records = (
        rows.drop(columns=unnamed).set_axis(header, axis="columns")[list(columns or header)]
        for rows in (frame, records)
    )
    left_out = {**cells.titles, **cells.asides}
    return Table(
        name=cells.name,
        frame=records,
        every_row=frame,
        row_word=row_word,
        encoding=cells.encoding,
        left_out=tuple(name_row(row_word, n, text) for n, text in left_out.items()),
        notes=cells.notes,
    )


def name_row(row_word: str, row: int, what: str) -> str:
    """Say what a row of a file is: "line 14: totals row '合计'"."""
    return say(_ROWS[row_word], row=row, what=what)
