"""Cells of a workbook that hold no value: errors of Excel, formulas never calculated."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree import ElementTree

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_P = rb"(?:\w+:)?"  # a prefix of the namespace, which some programs write
_ERROR = re.compile(rb"<" + _P + rb"c\s[^>]*?\bt=\"e\"[^>]*>")
_NO_VALUE = re.compile(
    rb"(?:</" + _P + rb"f>|<" + _P + rb"f\b[^>]*/>)\s*"
    rb"(?:<" + _P + rb"v\s*/>|<" + _P + rb"v></" + _P + rb"v>|</" + _P + rb"c>)"
)
_CELL = re.compile(rb"<" + _P + rb"c\s[^>]*>")
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_VALUE = re.compile(rb"<" + _P + rb"v>([^<]{1,20})<")
_LONGEST_CELL = 10_000  # bytes: a formula has at most 8,192 characters
_ODS_ERROR = b'value-type="error"'


def find_broken(content: bytes, sheet: str) -> dict[tuple[int, int], str]:
    """Find the cells of a sheet of an .xlsx that hold an error or no calculated value.

    The reader gives them as empty, which is what they are not.

    Parameters
    ----------
    content
        The workbook. Of one in another format nothing is found.
    sheet
        The sheet's name.

    Returns
    -------
    What each holds, by row and column from 0: "#N/A", or "formula never calculated".
    """
    if not content.startswith(b"PK"):
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        part = _part_of(archive, sheet) if "xl/workbook.xml" in names else ""
        xml = archive.read(part) if part in names else b""
    broken: dict[tuple[int, int], str] = {}
    for hit in _ERROR.finditer(xml):
        value = _VALUE.search(xml, hit.end(), hit.end() + _LONGEST_CELL)
        _put(broken, hit[0], value[1].decode() if value else "#ERROR")
    for hit in _NO_VALUE.finditer(xml):
        *_, cell = [b"", *_CELL.findall(xml, max(0, hit.start() - _LONGEST_CELL), hit.start())]
        if b't="str"' not in cell:  # a formula that gives an empty text has been calculated
            _put(broken, cell, "formula never calculated")
    return broken


def has_ods_errors(content: bytes) -> bool:
    """Tell whether an .ods holds an error somewhere; the reader does not say where."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _ODS_ERROR in archive.read("content.xml")


def name_cell(row: int, column: int) -> str:
    """Name a cell, by its row and column from 0.

    Examples
    --------
    >>> name_cell(6, 1), name_cell(0, 26)
    ('B7', 'AA1')
    """
    return f"{name_column(column)}{row + 1}"


def name_column(number: int) -> str:
    """Give a column's letter in a sheet: 0 is A, 26 is AA."""
    before, last = divmod(number, 26)
    return (name_column(before - 1) if before else "") + chr(ord("A") + last)


def _put(broken: dict[tuple[int, int], str], cell: bytes, what: str) -> None:
    if place := _PLACE.search(cell):
        column = 0
        for letter in place[1]:
            column = column * 26 + letter - ord("A") + 1
        broken[int(place[2]) - 1, column - 1] = what


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Find the part of the archive that holds a sheet."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for element in book.iter():
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            target = targets.get(element.get(_RELATION), "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return ""
