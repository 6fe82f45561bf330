"""The files of two runs: notebooks, tables' files, documents, by what is in them."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from evaluation.language import say
from evaluation.report.compare.levels import Judge, Level, worst
from evaluation.report.compare.parts import FileDifference
from evaluation.report.compare.pictures import compare_drawings, share_of_pixels
from evaluation.report.exhibits import MIME

# What is asked for apart, or says only what a run was made from.
_OPTIONAL = re.compile(r"report\.(docx|pdf)|latex/.*")
_RECORDS = ("input-rows.json", "workflow.py")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.:+Z-]*")
_LARGEST = 200_000_000  # bytes of a Word file, unpacked
_TAG = re.compile(r"<[^>]*>")
_PASSING = ("metadata", "execution_count", "id")  # of a notebook's cells
_PICTURES = ("image/png", "image/svg+xml")


def compare_files(
    before: Path,
    after: Path,
    outputs: tuple[Mapping[str, str], Mapping[str, str]],
    known: Mapping[str, tuple[Level, str]],
    judge: Judge,
) -> tuple[list[FileDifference], int]:
    """Compare the files of two runs.

    Parameters
    ----------
    before, after
        The runs' folders.
    outputs
        The sha256 of every file of either, as they are now.
    known
        Files that were compared already, with their level and what differs.

    Returns
    -------
    Those that are not identical, and how many were compared on which the verdict rests.
    """
    found: list[FileDifference] = []
    n = 0
    tops = [{name.split("/")[0] for name in side} for side in outputs]
    for name in sorted({*outputs[0], *outputs[1]}):
        sides = [name in side for side in outputs]
        top = name.split("/")[0]
        optional = bool(_OPTIONAL.fullmatch(name)) or name in _RECORDS
        if optional and top not in tops[0] & tops[1]:
            if "/" in name and found and found[-1].name == f"{top}/":
                continue  # a folder that one run lacks is told once
            shown = f"{top}/" if "/" in name else name
            found.append(_alone(shown, in_first=sides[0], counts=False))
            continue
        same = outputs[0].get(name) == outputs[1].get(name)
        if not same and not judge.texts and name not in known:
            continue  # in another language
        counts = name not in _RECORDS
        n += counts
        if not all(sides):
            found.append(_alone(name, in_first=sides[0], counts=counts))
        elif not same:
            level, why = known.get(name) or compare_file(before / name, after / name, judge)
            found.append(FileDifference(name=name, level=level, why=why, counts=counts))
    return found, n


def _alone(name: str, *, in_first: bool, counts: bool) -> FileDifference:
    why = say("only in the first run") if in_first else say("only in the second run")
    return FileDifference(name=name, level="different", why=why, counts=counts)


def compare_file(before: Path, after: Path, judge: Judge) -> tuple[Level, str]:
    """Compare two files that are not identical; give their level, and what differs."""
    if before.read_bytes() == after.read_bytes():
        return "identical", ""
    match before.suffix:
        case ".ipynb":
            return _compare_notebooks(before, after, judge)
        case ".docx":
            return _compare_members(before, after, judge)
        case ".pdf":
            return _compare_pdfs(before, after, judge)
        case ".csv":
            return _compare_cells(before, after, judge)
        case ".svg":
            return compare_drawings(before.read_bytes(), after.read_bytes(), judge), ""
        case ".png":
            share = share_of_pixels(before, after)
            told = say("{share:.2%} of the pixels", share=share)
            return ("different", told) if share else ("canonical", "")
    return _compare_texts(before.read_bytes(), after.read_bytes(), judge)


def _compare_texts(
    before: bytes, after: bytes, judge: Judge, *, numbered: bool = True
) -> tuple[Level, str]:
    """Compare texts; of different ones give what differs in the first line that does."""
    texts = [_TIME.sub("TIME", side.decode("utf-8", "replace")) for side in (before, after)]
    level = judge.phrases(*texts)
    if level != "different":
        return ("canonical" if level == "identical" else level), ""
    for n, lines in enumerate(zip_longest(*(text.splitlines() for text in texts)), 1):
        old, new = (line or "" for line in lines)
        if judge.phrases(old, new) == "different":
            what = _differing(old, new)
            return level, say("line {n}: {what}", n=n, what=what) if numbered else what
    return level, ""


def _differing(before: str, after: str, around: int = 30) -> str:
    """Give the stretch of two lines that is not alike, with what stands around it."""
    first = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    start = max(0, first - around // 2)
    old, new = (text[start : start + 2 * around].strip() for text in (before, after))
    return f"{old!r} → {new!r}"


def _compare_cells(before: Path, after: Path, judge: Judge) -> tuple[Level, str]:
    """Compare two CSV files by their cells' texts, numbers as numbers."""
    sides = [
        list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        for path in (before, after)
    ]
    levels: list[Level] = ["canonical"]
    why = ""
    head = sides[1][0] if sides[1] else []
    for n, rows in enumerate(zip_longest(*sides, fillvalue=[]), 1):
        if rows[0] == rows[1]:
            continue
        for place, (old, new) in enumerate(zip_longest(*rows, fillvalue="")):
            level = judge.values(_number(old), _number(new))
            levels.append(level)
            if level == "different" and not why:
                column = head[place] if place < len(head) else str(place + 1)
                what = f"{column}: {old} → {new}"
                why = say("line {n}: {what}", n=n, what=what)
    return worst(levels), why


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _compare_notebooks(before: Path, after: Path, judge: Judge) -> tuple[Level, str]:
    """Compare what two executed notebooks show; their code is a cause, no result."""
    sides = []
    numbers = []
    for path in (before, after):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            numbers.append(_exhibits(cells))
            sides.append(
                [
                    "\n".join("".join(cell.get("source", "")) for cell in cells),
                    "\n".join(_outputs(cells)),
                ]
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return "different", say("it is no notebook in one of the runs")
    shown, why = _compare_texts(
        sides[0][1].encode(), sides[1][1].encode(), judge, numbered=False
    )
    if shown == "different":
        return shown, why
    level = worst([shown, _compare_json(numbers[0], numbers[1], judge)])
    if level == "different":
        return level, say("numbers of an exhibit in it")
    if sides[0][0] != sides[1][0]:
        return level, say("its code or text, but nothing that it shows")
    return level, ""


def _compare_json(before: Any, after: Any, judge: Judge) -> Level:
    """Compare what two exhibits carry, numbers as numbers."""
    if isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            return "different"
        pairs = zip(before, after, strict=True)
        return worst(_compare_json(old, new, judge) for old, new in pairs)
    return judge.values(before, after)


def _exhibits(cells: list[Any]) -> list[Any]:
    """Give the rows of the exhibits that a notebook shows."""
    data = [output.get("data", {}) for cell in cells for output in cell.get("outputs", ())]
    return [one[MIME].get("rows") for one in data if MIME in one]


def _outputs(cells: list[Any]) -> Iterator[str]:
    for cell in cells:
        for output in cell.get("outputs", ()):
            kept = {name: value for name, value in output.items() if name not in _PASSING}
            data = dict(kept.get("data", {}))
            # Figures and the numbers of exhibits are compared themselves.
            apart = (*_PICTURES, MIME, "text/plain") if MIME in data else _PICTURES
            for name in apart:
                data.pop(name, None)
            yield _TAG.sub(" ", "".join(data.pop("text/html", "")))
            yield json.dumps(kept | {"data": data}, ensure_ascii=False, sort_keys=True)


def _compare_members(before: Path, after: Path, judge: Judge) -> tuple[Level, str]:
    """Compare two Word files by the files that they are made of."""
    try:
        sides = [_members(path) for path in (before, after)]
    except (zipfile.BadZipFile, OSError):
        return "different", say("it is no Word file in one of the runs")
    levels: list[Level] = ["canonical"]
    why = ""
    for name in sorted({*sides[0], *sides[1]}):
        old, new = (side.get(name) for side in sides)
        if old == new:
            continue
        level: Level = "different"
        said = ""
        if old is not None and new is not None and name.endswith((".xml", ".rels")):
            level, said = _compare_texts(_lines(old), _lines(new), judge, numbered=False)
        levels.append(level)
        if level == "different" and not why:
            why = f"{name} {said}".strip()
    return worst(levels), why


def _lines(xml: bytes) -> bytes:
    """Put a paragraph on a line of its own, its marks left out where it holds text."""
    broken = xml.replace(b"</w:p>", b"</w:p>\n")
    return re.sub(_TAG.pattern.encode(), b"", broken) if b"<w:t" in xml else broken


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        if sum(member.file_size for member in file.infolist()) > _LARGEST:
            raise zipfile.BadZipFile("it unpacks to more than a report's files hold")
        return {name: file.read(name) for name in file.namelist()}


def _compare_pdfs(before: Path, after: Path, judge: Judge) -> tuple[Level, str]:
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError:
        return "different", say("its text is not compared: pypdf is not installed")
    try:
        texts = [
            "\n".join(page.extract_text() for page in PdfReader(path).pages)
            for path in (before, after)
        ]
    except (PyPdfError, OSError, ValueError):
        return "different", say("it is no PDF in one of the runs")
    return _compare_texts(texts[0].encode(), texts[1].encode(), judge, numbered=False)
