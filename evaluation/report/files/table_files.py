"""The files of a table exhibit for papers: LaTeX and Word, as the report shows it."""

from __future__ import annotations

from evaluation.report.files.grids import read_exhibit
from evaluation.report.files.latex_tables import latex_table
from evaluation.report.files.word_tables import word_document

MOST_WORD_ROWS = 1_000
"""Longer tables are not written for Word, which takes minutes to lay them out."""


def table_files(html: str) -> dict[str, bytes]:
    """Write a table exhibit as it is displayed, for LaTeX and Word.

    Parameters
    ----------
    html
        What the exhibit displays.

    Returns
    -------
    The files by the end of their names: ".tex" and, up to `MOST_WORD_ROWS` rows, ".docx".
    Empty if the exhibit shows no table but, say, why there is none.
    """
    import lxml.html

    figure = next(lxml.html.fromstring(html).iter("figure"), None)
    table = None if figure is None else read_exhibit(figure)
    if table is None:
        return {}
    files = {".tex": latex_table(table).encode()}
    if len(table.grid.body) <= MOST_WORD_ROWS:
        files[".docx"] = word_document(table)
    return files
