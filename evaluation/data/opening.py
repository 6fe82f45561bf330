"""A file of a study, opened: what is wrong with it joins what is wrong with the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from evaluation.data.problems import Problems
from evaluation.data.study import Study
from evaluation.data.study_files import TableFile
from evaluation.data.tables import EmptyTable, Table, name_row, read_table
from evaluation.data.text_files import TOTALS
from evaluation.errors import DataError, suggest
from evaluation.language import say


def open_table(
    study: Study,
    file: TableFile,
    columns: Sequence[str],
    problems: Problems,
    *,
    may_be_empty: bool = False,
    totals_in: str = "",
) -> Table | None:
    """Read one of a study's files; None where it cannot be read or lacks a column.

    Parameters
    ----------
    columns
        Those that the study names; in a wide file ``{year}`` stands for a year.
    problems
        Takes why it cannot be read, the columns that are not there, and as warnings the rows
        that were left out.
    may_be_empty
        Whether a file without rows is as good as none, with a warning.
    totals_in
        A column whose word 合计 makes a row one to check, not to leave out.
    """
    plain = [name for name in columns if "{year}" not in name]
    try:
        table = read_table(
            study.path(file.file),
            sheet=file.sheet,
            encoding=file.encoding,
            header_rows=file.header_rows,
            columns=plain if plain == list(columns) else None,
        )
        if totals_in and totals_in in table.every_row:
            table = _keep_totals(table, totals_in)
        if table.frame.empty:
            raise EmptyTable(f"{table.name}: {say('no rows but totals and notes')}.")
    except EmptyTable as error:
        problems.take(error, file.file, level="warning" if may_be_empty else "error")
        return None
    except DataError as error:
        problems.take(error, file.file)
        return None
    known = [str(name) for name in table.frame.columns]
    missing = [name for name in plain if name not in known]
    missing += [n for n in columns if "{year}" in n and not find_yearly(n, known)]
    for name in missing:
        problems.add(
            "error",
            table.name,
            f"no column {name!r}" + ", with a year of four digits" * ("{year}" in name),
            suggest(name, known).capitalize(),
        )
    for text in table.left_out:
        what = say("left out: {what}", what=text)
        problems.add("warning", table.name, what, left_out=True)
    for text in table.notes:
        problems.add("note", table.name, text)
    return None if missing else table


def find_yearly(pattern: str, columns: Iterable[str]) -> dict[str, str]:
    """Find the columns of a pattern with {year} in a wide file, by year.

    Examples
    --------
    >>> find_yearly("{year}年收入", ["2019年收入", "2020年收入", "19年收入", "户数"])
    {'2019': '2019年收入', '2020': '2020年收入'}
    """
    form = re.compile(re.escape(pattern).replace(r"\{year\}", r"(\d{4})"))
    return {m[1]: name for name in columns if (m := form.fullmatch(name))}


def _keep_totals(table: Table, column: str) -> Table:
    """Put back the totals rows whose word stands in a column of words, such as 资金来源."""
    if len(table.frame) == len(table.every_row):
        return table
    stays = table.every_row[column].str.replace(r"\s", "", regex=True).str.lower().isin(TOTALS)
    stays |= table.every_row.index.isin(table.frame.index)
    kept = tuple(name_row(table.row_word, row, "") for row in table.every_row.index[stays])
    left_out = [text for text in table.left_out if not text.startswith(kept)]
    return replace(table, frame=table.every_row[stays], left_out=tuple(left_out))
