"""Read a table as it stands: every cell stays text, nothing is dropped or coerced."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from evaluation.errors import DataError, raise_problems, suggest


def read_table(
    path: Path, *, required: Sequence[str] = (), optional: Sequence[str] = ()
) -> pd.DataFrame:
    """Read a CSV file whose first row names the columns.

    Parameters
    ----------
    path
        A file in UTF-8 (with or without byte order mark) or, failing that, GB18030.
    required, optional
        The columns that must and may be there; any other is an error. With neither
        given, all columns are taken.

    Returns
    -------
    DataFrame of text, one row a record, empty cells as ''. The index is the line of the
    file that the record ends on; a missing optional column is filled with ''.

    Raises
    ------
    DataError
        If the file is missing, empty or in another encoding, a row has more or fewer
        cells than the header, or the columns are not those asked for.
    """
    rows = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    records: list[list[str]] = []
    lines: list[int] = []
    problems: list[str] = []
    try:
        header = [name.strip() for name in next(rows, [])]
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                problems.append(
                    f"line {rows.line_num}: {len(row)} cells under {len(header)} columns; "
                    "quote a cell that holds a comma."
                )
            records.append([cell.strip() for cell in row])
            lines.append(rows.line_num)
    except csv.Error as error:
        raise DataError(f"{path.name}: line {rows.line_num}: {error}.") from error
    if not records:
        raise DataError(f"{path.name}: no rows; the first row names the columns.")
    problems = _column_problems(header, required, optional) + problems
    raise_problems(path.name, problems)
    frame = pd.DataFrame(records, columns=header, index=pd.Index(lines, name="line"), dtype=str)
    for name in optional:
        if name not in frame:
            frame[name] = ""
    return frame


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    if path.suffix.lower() != ".csv":
        raise DataError(f"{path.name}: only .csv is read; save the table as CSV (UTF-8).")
    # UTF-8 first: GB18030 would read almost any UTF-8 file, wrongly.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DataError(f"{path.name}: neither UTF-8 nor GB18030; save it as CSV (UTF-8).")


def _column_problems(
    header: list[str], required: Sequence[str], optional: Sequence[str]
) -> list[str]:
    problems = [
        f"two columns are named {n!r}." for n in sorted(set(header)) if header.count(n) > 1
    ]
    if not (required or optional):
        return problems
    missing = [name for name in required if name not in header]
    unknown = [name for name in header if name not in {*required, *optional}]
    if missing:
        problems.append(f"no column {', '.join(missing)}; it has {', '.join(header)}.")
    problems += [f"unknown column {n!r}; {suggest(n, {*required, *optional})}" for n in unknown]
    return problems
