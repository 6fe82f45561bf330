"""What must not leave a run: cells of a few villages or households, and names under codes."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

from lxml import html as parser
from lxml.html.builder import E

from evaluation.data.pseudonyms import Pseudonyms
from evaluation.errors import ReportError
from evaluation.language import say, sentences
from evaluation.report.execute import Notebook
from evaluation.report.exhibits import MIME

SMALLEST = 5
"""The villages or households that a cell must hold under pseudonyms, unless study.yml says."""

COUNTS = (
    "n_villages", "n_treated", "n_never", "n_known", "n_left_out", "n_households", "households",
)  # fmt: skip
"""Columns of exhibits that count who is in a row, or whom its difference from all tells of."""

_LABELS = ("year", "cohort", "event_time")  # numbers that head a row, and tell of nobody

NAMES = ("village", "villages")
"""Columns of exhibits that name one village or more."""

_TEXT = {".html", ".ipynb", ".csv", ".json", ".svg", ".tex", ".md"}


def protect_notebook(notebook: Notebook, smallest: int) -> None:
    """Suppress the small cells in the exhibits that an executed notebook shows, in place.

    Parameters
    ----------
    smallest
        A row counted over fewer villages or households than this, but more than none, is
        suppressed; so is the next smallest, until they are two or more and as many together,
        as a total less what is shown would tell the one that is missing.

    Notes
    -----
    A table whose rows cannot be told apart in what is displayed, and a figure that draws a
    small row, are left out as a whole, with that reason. A row that names a village in its
    column ``village``, or those that it is about in ``villages``, is theirs under their
    codes, and no cell.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            bundle = output.get("data", {})
            if MIME in bundle:
                _protect(bundle, smallest)


def check_names(folder: Path, pseudonyms: Pseudonyms) -> None:
    """Refuse a run in which a name stands that has a code.

    Raises
    ------
    ReportError
        If any of its files holds one.
    """
    for path in sorted(folder.rglob("*")):
        if code := pseudonyms.find(unescape(_read(path))):
            raise ReportError(
                f"{path.relative_to(folder).as_posix()} names the village, town or project "
                f"{code}, although names are to be codes; nothing was kept. Look its name "
                "up in the key file, and where the study's texts, labels or traits hold it."
            )


def _protect(bundle: dict[str, Any], smallest: int) -> None:
    exhibit = bundle[MIME]
    hidden = find_small(exhibit["columns"], exhibit["rows"], smallest)
    if not hidden:
        return
    page = parser.fragment_fromstring(bundle["text/html"], create_parent="div")
    lines = [line for line in page.iterfind(".//tbody/tr") if line.find("td") is not None]
    if exhibit["kind"] == "figure" or len(lines) != len(exhibit["rows"]):
        _withhold(bundle, page, smallest)
        return
    for row in hidden:
        exhibit["rows"][row] = [
            value if isinstance(value, str) or column in _LABELS else None
            for column, value in zip(exhibit["columns"], exhibit["rows"][row], strict=True)
        ]
        for cell in lines[row].iterfind("td"):
            _replace(cell, "…")
    note = say(
        "Rows of fewer than {n} villages or households are suppressed, and the next smallest "
        "where a total would tell them.",
        n=smallest,
    )
    exhibit["note"] = sentences(exhibit["note"], note)
    exhibit.pop("files", None)
    page.find(".//figure").append(E.p(note, {"class": "note"}))
    bundle["text/html"] = parser.tostring(page, encoding="unicode")
    bundle["text/plain"] = exhibit["caption"]


def find_small(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], smallest: int
) -> list[int]:
    """Give the rows to suppress: the small ones, and those that would tell them by a total.

    Examples
    --------
    >>> find_small(["county", "n_villages"], [["a", 3], ["b", 9], ["c", 30], ["all", 42]], 5)
    [0, 1]
    """
    names = [list(columns).index(name) for name in NAMES if name in columns]
    hidden: set[int] = set()
    for column in COUNTS:
        if column not in columns:
            continue
        place = list(columns).index(column)
        sizes = {
            i: float(row[place])
            for i, row in enumerate(rows)
            if isinstance(row[place], (int, float))
            and row[place] > 0
            and not any(row[name] for name in names)
        }
        few = {i for i, size in sizes.items() if size < smallest}
        for row in sorted(sizes, key=lambda i: sizes[i]):
            if few and (len(few) < 2 or sum(sizes[i] for i in few) < smallest):
                few.add(row)
        hidden |= few
    return sorted(hidden)


def _withhold(bundle: dict[str, Any], page: Any, smallest: int) -> None:
    """Leave an exhibit out, its caption and the reason apart."""
    exhibit = bundle[MIME]
    reason = say(
        "Not shown: it has cells of fewer than {n} villages or households.", n=smallest
    )
    exhibit |= {"kind": "table", "note": "", "columns": ["absent"], "rows": [[reason]]}
    exhibit.pop("files", None)
    figure = page.find(".//figure")
    for child in figure.xpath("*[not(self::figcaption)]"):
        figure.remove(child)
    figure.set("class", "exhibit table")
    figure.append(E.p(reason))
    bundle["text/html"] = parser.tostring(page, encoding="unicode")
    bundle["text/plain"] = f"{exhibit['caption']}\n{reason}"
    bundle.pop("image/svg+xml", None)
    bundle.pop("image/png", None)


def _replace(cell: Any, text: str) -> None:
    for child in list(cell):
        cell.remove(child)
    cell.text = text


def _read(path: Path) -> str:
    """Give a file's text; of a Word file, its parts as they are and each paragraph in one."""
    if path.suffix in _TEXT:
        return path.read_text(encoding="utf-8", errors="replace")
    if path.suffix != ".docx":
        return ""
    with zipfile.ZipFile(path) as file:
        parts = [file.read(name) for name in file.namelist() if name.endswith(".xml")]
    whole = b"\n".join(parts).decode("utf-8")
    return whole + re.sub("<(?!/w:p>)[^>]*>", "", whole)
