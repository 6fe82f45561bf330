"""Whether the tables of a report's page show the numbers of results.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.report.files.grids import Grid
from evaluation.report.numbers.binding import Wrong, find_unexplained, read_printed
from evaluation.report.numbers.figures import Figures
from evaluation.report.numbers.finding import Finding
from evaluation.report.numbers.page import Shown
from evaluation.report.numbers.tokens import read_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCheck:
    """The numbers in an exhibit's tables, and which are none of its rows in results.json."""

    n_numbers: int
    findings: tuple[Finding, ...]


def check_tables(file: str, shown: Shown, exhibit: Mapping[str, Any]) -> TableCheck:
    """Compare the tables of an exhibit as displayed with its rows in results.json.

    Parameters
    ----------
    file
        The file that displays it.
    exhibit
        What results.json has of it.
    """
    figures = Figures(exhibit["rows"])
    said = (exhibit["caption"], exhibit["note"])
    words = frozenset(token.plain for text in said for token in read_tokens(text)[1])
    n, findings = 0, []
    for grid in shown.grids:
        printed = read_printed(grid)
        n_rows = sum(len(row) > 1 or grid.n_columns == 1 for row in grid.body)
        n += len(printed)
        _, wrong = find_unexplained(printed, figures, n_rows=n_rows, words=words)
        findings += [_tell(file, exhibit["name"], grid, one) for one in wrong]
    return TableCheck(n_numbers=n, findings=tuple(findings))


def _tell(file: str, name: str, grid: Grid, wrong: Wrong) -> Finding:
    printed = wrong.printed
    text = printed.token.text.strip()
    what = f"{text} is printed, where results.json has {wrong.expected}"
    if not wrong.expected:
        what = f"{text} is printed, which is not in results.json"
    return Finding(
        file=file,
        exhibit=f"table {name}",
        row=name_row(grid, printed.row),
        column=name_column(grid, printed.column),
        printed=text,
        expected=wrong.expected,
        what=what,
    )


def name_row(grid: Grid, row: int) -> str:
    """Give what heads a row of a table."""
    heads = [" ".join(cell.texts) for cell in grid.body[row] if cell.head]
    return " ".join(filter(None, heads)) or f"{row + 1}"


def name_column(grid: Grid, column: int) -> str:
    """Give what heads a column of a table."""
    for row in reversed(grid.head):
        if column < len(row):
            return " ".join(row[column].texts) or f"{column + 1}"
    return f"{column + 1}"
