"""What a file holds, as columns and texts that can be looked through."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
from lxml import etree
from python_calamine import CalamineWorkbook

from evaluation.data.coded import as_integer
from evaluation.data.sheets import SHEET_SUFFIXES
from evaluation.data.tables import read_table
from evaluation.data.text_files import TEXT_SUFFIXES
from evaluation.data.typed_files import TYPED_SUFFIXES
from evaluation.errors import DataError

_PICTURES = (".png", ".pdf", ".zip", ".whl")  # a PDF says what the page says
# Pictures within a text, and the lines that letters are drawn with.
_DRAWN = re.compile(
    r"""data:[\w/+.;=-]+;base64,[A-Za-z0-9+/=]+|\s(?:d|points)=(?:"[^"]*"|'[^']*')"""
)
_NO_TEXT = {"image/png", "files"}  # keys of a notebook's outputs that hold base64
_HEADS = 5  # rows of a sheet, of which the fullest names its columns
# Who made a file, for whom, who commented on it, and the folder that Excel last saved it in,
# which has a user's name in it.
_AUTHOR = re.compile(
    r"<(?:\w+:)?(?:creator|lastModifiedBy|Manager|Company)\b[^>]*>([^<]+)<"
    r"|<(?:\w+:)?person\b[^>]*\bdisplayName=\"([^\"]+)\""
    r"|<(?:\w+:)?absPath\b[^>]*\burl=\"([^\"]+)\""
)
_ABOUT = re.compile(r"docProps/(?:core|app)\.xml|xl/workbook\.xml|xl/persons/.*\.xml")
# What a workbook holds besides cells: a pivot table and a link keep copies of others' cells.
_BESIDE_CELLS = (
    "comments", "threadedComment", "drawing", "pivotCacheDefinition", "pivotCacheRecords",
    "externalLink",
)  # fmt: skip
_PROGRAMS = ("python-docx", "openpyxl", "village-evaluation")
_LONGEST_NUMBER = 1e10  # smaller ones are no numbers of persons


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: its distinct cells, and where each stands first."""

    name: str
    head: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A text, and how a place in it is told: lines, or one name for all."""

    text: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file holds."""

    columns: list[Column] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)


def read_file(path: Path, *, encoding: str | None = None) -> Reading:
    """Read a file of any kind that enters a package; of what is no text, nothing."""
    suffix = path.suffix.lower()
    if suffix in _PICTURES:
        return Reading()
    data = path.read_bytes()
    if suffix in SHEET_SUFFIXES:
        columns = list(_sheet_columns(data))
        if not zipfile.is_zipfile(io.BytesIO(data)):  # of before Excel 2007
            return Reading(columns=columns)
        texts = [*_packed_texts(data, _BESIDE_CELLS)]
        return Reading(columns=columns, passages=texts, authors=_authors(data))
    if suffix == ".docx":
        texts = [
            *_packed_texts(data, ("document", "footnotes", "comments", "header", "footer"))
        ]
        return Reading(passages=texts, authors=_authors(data))
    if suffix in TYPED_SUFFIXES:
        return Reading(columns=list(_typed_columns(path, encoding)))
    text = _decode(data, encoding)
    if suffix in (".csv", ".tsv", ".tab") or (suffix in TEXT_SUFFIXES and "\t" in text):
        with suppress(csv.Error):  # no table: a text, as any other
            return Reading(columns=list(_text_columns(text, suffix)))
    if suffix == ".ipynb":
        return Reading(passages=list(_cells(text)))
    if suffix in (".html", ".svg"):
        text = unescape(_DRAWN.sub(_keep_lines, text))
    return Reading(passages=[Passage(text=text)])


def _keep_lines(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def _decode(data: bytes, encoding: str | None) -> str:
    for one in (encoding, "utf-8-sig", "gb18030", "utf-16"):
        if one and not (one == "gb18030" and data[:2] in (b"\xff\xfe", b"\xfe\xff")):
            try:
                return data.decode(one)
            except (UnicodeError, LookupError):
                continue
    return data.decode("latin-1")


def _text_columns(text: str, suffix: str) -> Iterator[Column]:
    first = text.partition("\n")[0]
    delimiter = "\t" if suffix != ".csv" else max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    yield from _to_columns([(f"line {rows.line_num}", row) for row in rows], head=0)


def _sheet_columns(data: bytes) -> Iterator[Column]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    for sheet in book.sheet_names:
        page = book.get_sheet_by_name(sheet)
        top = page.start[0] if page.start else 0
        rows = [
            (f"{sheet}, row {number}", [as_integer(str(value)) for value in row])
            for number, row in enumerate(page.to_python(skip_empty_area=True), top + 1)
        ]
        filled = [sum(map(bool, row)) for _, row in rows[:_HEADS]]
        head = filled.index(max(filled)) if filled else 0
        titles = " ".join(cell for _, row in rows[:head] for cell in row if cell)
        if titles:
            yield Column(name=sheet, head="", cells={titles: f"{sheet}, above the table"})
        yield from _to_columns(rows[head:], head=1)


def _to_columns(rows: list[tuple[str, list[str]]], *, head: int) -> Iterator[Column]:
    """Give the columns of rows whose first names them, and maybe ``head`` more."""
    width = max((len(row) for _, row in rows), default=0)
    for position in range(width):
        cells = [(place, row[position].strip()) for place, row in rows if position < len(row)]
        above = [text for _, text in cells[: head + 1] if text]
        found: dict[str, str] = {}
        for place, text in cells[1:]:
            found.setdefault(text, place)
        name = cells[0][1] if cells else ""
        yield Column(name=name or str(position + 1), head=" ".join(above), cells=found)


def _typed_columns(path: Path, encoding: str | None) -> Iterator[Column]:
    try:
        table = read_table(path, encoding=encoding)
    except DataError:
        return
    for name in table.frame.columns:
        column = table.frame[name]
        labels = table.value_labels.get(str(name), {})
        found = {str(label): "value label" for label in labels.values()}
        if pd.api.types.is_numeric_dtype(column):
            column = column[column.abs() >= _LONGEST_NUMBER]
        first = column.drop_duplicates()
        for row, value in first.items():
            found.setdefault(as_integer(_plain(value)), f"observation {row}")
        yield Column(
            name=str(name), head=f"{name} {table.labels.get(str(name), '')}", cells=found
        )


def _plain(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


def _cells(text: str) -> Iterator[Passage]:
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError):
        yield Passage(text=text)
        return
    for number, cell in enumerate(cells, 1):
        yield Passage(text=unescape("\n".join(_strings(cell))), place=f"cell {number}")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, held in value.items():
            if key not in _NO_TEXT:
                yield from _strings(held)
    elif isinstance(value, list):
        if value and all(isinstance(line, str) for line in value):
            split = any("\n" in line for line in value)  # a text, kept line by line
            yield from _strings("".join(value) if split else "\n".join(value))
        else:
            for held in value:
                yield from _strings(held)
    elif isinstance(value, str):
        yield _DRAWN.sub("", value)
    elif isinstance(value, int | float) and abs(value) >= _LONGEST_NUMBER:
        yield _plain(value)


def _packed_texts(data: bytes, parts: tuple[str, ...]) -> Iterator[Passage]:
    """Give the paragraphs of a Word file, or the comments of a workbook."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        for name in file.namelist():
            stem = PurePosixPath(name).stem.rstrip("0123456789")
            if name.endswith(".xml") and stem in parts:
                root = etree.fromstring(file.read(name))
                blocks = root.findall(".//{*}p") or [root]
                lines = ["".join(map(str, block.itertext())) for block in blocks]
                lines += [str(item.get("v")) for item in root.iterfind(".//*[@v]")]
                yield Passage(text="\n".join(lines), place="text" if "word" in name else stem)


def _authors(data: bytes) -> list[str]:
    """Give who a file says made it, but for programs."""
    told: set[str] = set()
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        for name in filter(_ABOUT.fullmatch, file.namelist()):
            text = file.read(name).decode("utf-8", "replace")
            told |= {unescape("".join(found)) for found in _AUTHOR.findall(text)}
    return sorted(name for name in told if name.strip() and name not in _PROGRAMS)
