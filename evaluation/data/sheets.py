"""Read one sheet of a workbook: titles, stacked headers, merged cells, totals and notes."""

import datetime
import io
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from python_calamine import (
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from evaluation.data.broken_cells import find_broken, has_ods_errors, name_cell
from evaluation.data.text_files import Cells, name_content, shorten, why_aside
from evaluation.errors import DataError, suggest
from evaluation.language import commas, say

SHEET_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")

Merge = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last cell, (row, column), of cells merged into one."""

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # how an encrypted xlsx names its content
_ODS_SPAN = re.compile(rb'number-(rows|columns)-spanned="([2-9]|\d\d)')
_NUMBER = re.compile(r"[-+]?[\d,，]+(?:\.\d*)?(?:[eE][-+]?\d+)?[万亿元]*")
_YEAR = re.compile(r"(?:19|20)\d\d|2100")
# A county's code has 6 digits and no round end, as amounts in yuan have; a village's 12.
_CODE = re.compile(r"[1-8]\d{3}(?!00)\d\d|\d{9}|\d{12}")
_COLUMNS_OF_A_TABLE = 3  # in narrower ones a single cell may be a record with a gap


def read_sheet(
    path: Path, *, sheet: str | None = None, header_rows: int | None = None
) -> Cells:
    """Read a sheet as a user sees it, every cell as text.

    Raises
    ------
    DataError
        If the workbook is damaged, protected or no workbook, or its sheet is not clear.
    """
    content = path.read_bytes()
    _check_content(path.name, content)
    with _one_error(path.name):
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        page, notes = _choose_sheet(path.name, workbook, sheet)
        values = page.to_python(skip_empty_area=True)
        found = find_broken(content, page.name)
        if path.suffix.lower() == ".ods":
            _check_ods(path.name, content, notes)
    name = f"{path.name} [{page.name}]"
    if page.start is None:
        raise DataError(f"{name}: the sheet is empty.")
    top, left = page.start
    rows = [[_to_text(value) for value in row] for row in values]
    errors = {(r - top, c - left): what for (r, c), what in found.items()}
    errors = {
        (r, c): what
        for (r, c), what in errors.items()
        if 0 <= r < len(rows) and 0 <= c < len(rows[0])
    }
    for (r, c), what in errors.items():
        rows[r][c] = what
    merges = [
        (
            (r0 - top, c0 - left),
            (min(r1 - top, len(rows) - 1), min(c1 - left, len(rows[0]) - 1)),
        )
        for (r0, c0), (r1, c1) in page.merged_cell_ranges or []
        if top <= r0 < top + len(rows) and left <= c0 < left + len(rows[0])
    ]
    titles, first = _find_header(rows, merges)
    body = min(first + (header_rows or _count_header_rows(merges, first)), len(rows))
    if body - first > 1:
        stacked = {"first": top + first + 1, "last": top + body}
        notes.append(say("header rows {first} to {last} stacked", **stacked))
    header = _stack_header(rows[first:body], merges, first)
    asides = _find_asides(rows, merges, body, header)
    records = [r for r in range(body, len(rows)) if any(rows[r])]
    broken: dict[int, list[str]] = {}
    for (r, c), what in sorted(errors.items()):
        if r >= body and r not in asides:
            text = f"cell {name_cell(top + r, left + c)} ({header[c]}): {what}; "
            text += "calculate it, write its value, or leave it empty."
            broken.setdefault(c, []).append(text)
    merges, shared = _split_shared(rows, merges, body, asides.keys())
    for (r0, c), (r1, _) in shared:
        text = f"cells {name_cell(top + r0, left + c)} to {name_cell(top + r1, left + c)} "
        text += f"({header[c]}) are merged over the number {rows[r0][c]!r}; unmerge them and "
        text += "say what each row's part is."
        broken.setdefault(c, []).append(text)
    filled = _fill_down(rows, merges, body, set(records) - asides.keys())
    counts = Counter(header[column] for _, column in filled)
    if counts:
        parts = commas(f"{column} {count}" for column, count in counts.items())
        notes.append(say("merged cells filled down: {parts}", parts=parts))
    return Cells(
        name=name,
        header=header,
        rows=[[filled.get((r, c), cell) for c, cell in enumerate(rows[r])] for r in records],
        places=[top + r + 1 for r in records],
        titles={top + r + 1: _name_title(rows[r]) for r in titles},
        asides={top + r + 1: asides[r] for r in sorted(asides)},
        broken=broken,
        notes=tuple(notes),
    )


def _name_title(cells: Sequence[str]) -> str:
    return say("title {cell!r}", cell=shorten("".join(cells)))


def _check_content(name: str, content: bytes) -> None:
    if _ENCRYPTED in content:
        raise DataError(f"{name}: protected by a password; save it without one.")
    if not name_content(content).endswith(("zip file", "(.xls)")):
        if content.strip() and b"\0" not in content[:1000]:
            raise DataError(
                f"{name}: not a workbook but a web page or text under its suffix; open it in "
                "Excel or WPS and save it as .xlsx."
            )
        raise DataError(f"{name}: damaged or not a workbook; copy it again.")


@contextmanager
def _one_error(name: str) -> Iterator[None]:
    """Turn whatever the reader raises on a damaged workbook into one DataError."""
    try:
        yield
    except (DataError, KeyboardInterrupt, SystemExit):
        raise
    except PasswordError as error:
        raise DataError(f"{name}: protected by a password; save it without one.") from error
    except BaseException as error:  # a panic in calamine is no Exception
        why = shorten(str(error), 80)
        raise DataError(f"{name}: damaged or not a workbook: {why}; copy it again.") from error


def _choose_sheet(
    name: str, workbook: CalamineWorkbook, sheet: str | None
) -> tuple[CalamineSheet, list[str]]:
    """Give the sheet asked for, or the only visible one that holds data, and notes."""
    if sheet is not None:
        if sheet not in workbook.sheet_names:
            hint = suggest(sheet, workbook.sheet_names)
            raise DataError(f"{name}: no sheet {sheet!r}; {hint}")
        return workbook.get_sheet_by_name(sheet), []
    pages = [
        (workbook.get_sheet_by_name(meta.name), meta.visible == SheetVisibleEnum.Visible)
        for meta in workbook.sheets_metadata
        if meta.typ == SheetTypeEnum.WorkSheet
    ]
    pages = [(page, visible) for page, visible in pages if page.start is not None]
    if not pages:
        raise DataError(f"{name}: no sheet holds data.")
    seen = [page for page, visible in pages if visible] or [page for page, _ in pages]
    if len(seen) > 1:
        names = ", ".join(page.name for page in seen)
        raise DataError(
            f"{name}: {len(seen)} sheets hold data: {names}; name one in study.yml "
            "(panel.sheet)."
        )
    hidden = [page.name for page, _ in pages if page.name != seen[0].name]
    told = say("hidden sheets not read: {names}", names=commas(hidden))
    return seen[0], [told] if hidden else []


def _check_ods(name: str, content: bytes, notes: list[str]) -> None:
    """Raise a DataError if there is an error somewhere, and note merged cells."""
    if has_ods_errors(content):
        raise DataError(
            f"{name}: some cells hold an error (#N/A, #DIV/0!); mend or empty them, or save it "
            "as .xlsx to have them named."
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if _ODS_SPAN.search(archive.read("content.xml")):
            told = say("merged cells are not read from ods; save it as xlsx to fill them")
            notes.append(told)


def _to_text(value: object) -> str:
    """Give a cell's shortest text: 370831100201.0 is 370831100201, a date is ISO."""
    match value:
        case bool():
            return str(value).upper()
        case float() if value.is_integer():
            return str(int(value))
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case datetime.date() | datetime.time():
            return value.isoformat()
    return str(value).strip()


def _find_header(
    rows: Sequence[Sequence[str]], merges: Sequence[Merge]
) -> tuple[list[int], int]:
    """Give the rows of titles, and the first row of the header under them."""
    # A group's name over some of the columns stands alone too, but not in the first one.
    groups = {start for start, end in merges if start[1] > 0 and end[1] > start[1]}
    titles: list[int] = []
    if max(sum(map(bool, row)) for row in rows) == 1:
        return titles, 0
    for number, row in enumerate(rows):
        filled = [column for column, cell in enumerate(row) if cell]
        alone = len(filled) == 1 and (number, filled[0]) not in groups
        if filled and (alone or all(re.search("[:：]", row[column]) for column in filled)):
            titles.append(number)
        elif filled:
            return titles, number
    return titles, len(rows)


def _count_header_rows(merges: Sequence[Merge], first: int) -> int:
    """Count down to the row under the last group, or to where a merged name ends."""
    last = first
    for (r0, c0), (r1, c1) in sorted(merges):
        if first <= r0 <= last:
            last = max(last, r1 + 1 if c1 > c0 else r1)
    return last - first + 1


def _stack_header(
    rows: Sequence[Sequence[str]], merges: Sequence[Merge], first: int
) -> list[str]:
    grid = [list(row) for row in rows]
    for (r0, c0), (r1, c1) in merges:
        if first <= r0 < first + len(rows):
            for row in grid[r0 - first : r1 - first + 1]:
                row[c0 : c1 + 1] = [rows[r0 - first][c0]] * (c1 - c0 + 1)
    names = []
    for column in zip(*grid, strict=True):
        parts = [" ".join(cell.split()) for cell in column if cell]
        names.append("_".join(dict.fromkeys(parts)))
    return names


def _find_asides(
    rows: Sequence[Sequence[str]],
    merges: Sequence[Merge],
    body: int,
    header: Sequence[str],
) -> dict[int, str]:
    """Give the totals and note rows, each with its reason."""
    # A county merged over its villages is no cell of one row: 小计 may stand beside it.
    shared = {(r, c0) for (r0, c0), (r1, _) in merges if r1 > r0 for r in range(r0, r1 + 1)}
    asides: dict[int, str] = {}
    for r in range(body, len(rows)):
        cells = ["" if (r, c) in shared else cell for c, cell in enumerate(rows[r])]
        if reason := why_aside(cells, header):
            asides[r] = reason
    for r in range(len(rows) - 1, body - 1, -1):
        if any(rows[r]) and r not in asides:
            if len(rows[r]) < _COLUMNS_OF_A_TABLE or not rows[r][0] or any(rows[r][1:]):
                break
            asides[r] = say("note {cell!r}", cell=shorten(rows[r][0]))
    return asides


def _split_shared(
    rows: Sequence[Sequence[str]], merges: Sequence[Merge], body: int, asides: Collection[int]
) -> tuple[list[Merge], list[Merge]]:
    """Part the merged cells of records that hold an amount from all others.

    A county, a year or a code over several rows is that of each of them; an amount is not.
    """
    rest: list[Merge] = []
    shared: list[Merge] = []
    for merge in merges:
        (r0, c0), (r1, _) = merge
        is_shared = body <= r0 < r1 and len(set(range(r0, r1 + 1)) - set(asides)) > 1
        (shared if is_shared and _is_amount(rows[r0][c0]) else rest).append(merge)
    return rest, shared


def _is_amount(cell: str) -> bool:
    if _CODE.fullmatch(cell) or _YEAR.fullmatch(cell):
        return False
    return bool(_NUMBER.fullmatch(cell))


def _fill_down(
    rows: Sequence[Sequence[str]], merges: Sequence[Merge], body: int, records: set[int]
) -> dict[tuple[int, int], str]:
    """Give the text of the cells that lie under the first one of a merged cell."""
    return {
        (r, c0): rows[r0][c0]
        for (r0, c0), (r1, _) in merges
        for r in range(r0 + 1, r1 + 1)
        if r in records and r0 >= body and rows[r0][c0]
    }
