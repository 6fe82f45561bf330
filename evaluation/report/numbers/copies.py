"""Whether the files of an exhibit, and its copies in other files, are one another's."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from evaluation.report.exhibits import MIME, flatten_bounds
from evaluation.report.files.grids import Grid
from evaluation.report.files.pictures import slim_pictures
from evaluation.report.numbers.documents import read_latex, read_word
from evaluation.report.numbers.finding import Finding
from evaluation.report.numbers.page import Shown, parse_part, read_shown
from evaluation.report.numbers.tables import name_column, name_row
from evaluation.report.numbers.tokens import plain_digits, read_tokens

Bundle = Mapping[str, Any]
"""What a notebook shows of an exhibit, by type."""


def read_bundles(run: Path, notebook: str) -> dict[str, Bundle]:
    """Give the exhibits that an executed notebook of a run shows, by name; none if not read."""
    try:
        content = json.loads((run / "notebooks" / f"{notebook}.ipynb").read_bytes())
        outputs = [out for cell in content["cells"] for out in cell.get("outputs", ())]
        bundles = [out["data"] for out in outputs if MIME in out.get("data", {})]
        return {bundle[MIME]["name"]: bundle for bundle in bundles}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def shown_in(bundle: Bundle) -> Shown | None:
    """Give an exhibit as a notebook displays it."""
    figures = read_shown(parse_part("".join(bundle["text/html"])))
    return next(iter(figures.values()), None)


def check_rows(exhibit: Mapping[str, Any], bundle: Bundle) -> Iterator[Finding]:
    """Compare an exhibit of results.json with what its notebook has of it."""
    own, source = bundle[MIME], _source(exhibit)
    at = {"file": "results.json", "exhibit": exhibit["name"]}
    for part in ("kind", "caption", "note", "columns"):
        if exhibit[part] != own[part]:
            yield Finding(**at, what=f"its {part} is not the one in {source}")
    if len(exhibit["rows"]) != len(own["rows"]):
        told = f"it has {len(exhibit['rows'])} rows, where {source} has {len(own['rows'])}"
        yield Finding(**at, what=told)
        return
    for i, (row, cells) in enumerate(zip(exhibit["rows"], own["rows"], strict=True), 1):
        for column, cell in zip(own["columns"], cells, strict=True):
            if (value := row.get(column)) != cell:
                yield Finding(
                    **at, row=f"{i}", column=column, printed=f"{value}", expected=f"{cell}",
                    what=f"it has {value}, where {source} has {cell}",
                )  # fmt: skip


def check_csv(run: Path, exhibit: Mapping[str, Any]) -> Iterator[Finding]:
    """Compare an exhibit's CSV file with its rows in results.json."""
    file = f"{exhibit['kind']}s/{exhibit['name']}.csv"
    columns = exhibit["columns"]
    rows = [[row[name] for name in columns] for row in exhibit["rows"]]
    wanted = flatten_bounds(columns, rows).to_csv(index=False, lineterminator="\n")
    found = _read_text(run / file).removeprefix("\ufeff")
    if found.replace("\r\n", "\n") == wanted:
        return
    lines = [list(csv.reader(io.StringIO(text, newline=""))) for text in (found, wanted)]
    heads = lines[1][0]
    for i, (got, want) in enumerate(zip_longest(*lines, fillvalue=[])):
        for column, a, b in zip_longest(heads, got, want, fillvalue=""):
            if a != b and not _same_number(a, b):
                yield Finding(
                    file=file, row=f"{i}", column=column, printed=a, expected=b,
                    what=f"it has {a or 'nothing'}, where results.json has {b or 'nothing'}",
                )  # fmt: skip


def check_display(
    file: str, shown: Shown, exhibit: Mapping[str, Any], bundle: Bundle
) -> Iterator[Finding]:
    """Compare an exhibit as the page displays it with what its notebook displays."""
    at = {"file": file, "exhibit": f"{exhibit['kind']} {exhibit['name']}"}
    own, source = shown_in(bundle), _source(exhibit)
    if own is None:
        return
    for part in ("caption", "note"):
        printed, wanted = _flat(getattr(shown, part)), _flat(getattr(own, part))
        if printed != wanted:
            yield _differing(at, f"its {part}", printed, wanted, source)
    if len(shown.grids) != len(own.grids):
        yield Finding(**at, what=f"it has not the tables that {source} has")
        return
    for grid, other in zip(shown.grids, own.grids, strict=True):
        yield from _check_grid(at, grid, other, source)


def check_documents(run: Path, exhibit: Mapping[str, Any], bundle: Bundle) -> Iterator[Finding]:
    """Compare a table's files for LaTeX and Word with what its notebook displays."""
    own = shown_in(bundle)
    grids = own.grids if own else []
    for end, read in {".tex": read_latex, ".docx": read_word}.items():
        given = bundle[MIME].get("files", {})
        if end not in exhibit["files"] or end in given or not grids:
            continue
        file = f"{exhibit['kind']}s/{exhibit['name']}{end}"
        found, wanted = read(run / file), _numbers_of(grids[0])
        if found != wanted:
            pairs = zip_longest(found, wanted, fillvalue="nothing")
            a, b = next((a, b) for a, b in pairs if a != b)
            what = f"it has {a}, where {_source(exhibit)} displays {b}"
            yield Finding(file=file, printed=a, expected=b, what=what)


def check_files(run: Path, exhibit: Mapping[str, Any], bundle: Bundle) -> Iterator[Finding]:
    """Compare an exhibit's pictures, and files of its own, with those in its notebook."""
    own: dict[str, bytes] = {
        end: base64.b64decode(content) for end, content in bundle[MIME].get("files", {}).items()
    }
    if exhibit["kind"] == "figure":
        own[".svg"] = "".join(bundle.get("image/svg+xml", "")).encode()
        own[".png"] = base64.b64decode("".join(bundle.get("image/png", "")))
    for end, content in own.items():
        file = f"{exhibit['kind']}s/{exhibit['name']}{end}"
        if _read_bytes(run / file).strip() != content.strip():
            yield Finding(file=file, what=f"it is not the one that {_source(exhibit)} holds")


def check_picture(
    run: Path, file: str, shown: Shown, exhibit: Mapping[str, Any]
) -> Iterator[Finding]:
    """Compare a figure in the page with its file, as this version would put it there."""
    if exhibit["kind"] == "figure":
        stem = f"figures/{exhibit['name']}"
        drawn = base64.b64encode(_read_bytes(run / f"{stem}.svg")).decode()
        if slim_pictures(f"data:image/svg+xml;base64,{drawn}") not in shown.pictures:
            at = {"file": file, "exhibit": f"figure {exhibit['name']}"}
            yield Finding(**at, what=f"its picture is not that of {stem}.svg")


def _source(exhibit: Mapping[str, Any]) -> str:
    return f"notebooks/{exhibit['notebook']}.ipynb"


def _check_grid(
    at: Mapping[str, str], grid: Grid, other: Grid, source: str
) -> Iterator[Finding]:
    if len(grid.body) != len(other.body):
        told = f"it has {len(grid.body)} rows, where {source} has {len(other.body)}"
        yield Finding(**at, what=told)
        return
    rows = zip((*grid.head, *grid.body), (*other.head, *other.body), strict=False)
    for i, (cells, wanted) in enumerate(rows, -len(grid.head)):
        for j, (cell, want) in enumerate(zip_longest(cells, wanted)):
            printed, expected = (_flat(" ".join(c.texts)) if c else "" for c in (cell, want))
            if printed != expected:
                row = name_row(grid, i) if i >= 0 else "its head"
                place = {**at, "row": row, "column": name_column(grid, j)}
                yield _differing(place, "", printed, expected, source)


def _differing(
    at: Mapping[str, str], what: str, printed: str, expected: str, source: str
) -> Finding:
    """Tell two texts apart: by their first numbers that differ, else as a whole."""
    numbers = ([token.text for token in read_tokens(text)[1]] for text in (printed, expected))
    pairs = zip_longest(*numbers, fillvalue="nothing")
    a, b = next(((a, b) for a, b in pairs if a != b), (repr(printed), repr(expected)))
    has = (
        f"{what} has {a}, where {source} has {b}"
        if what
        else (f"{a} is printed, where {source} has {b}")
    )
    return Finding(**at, printed=a, expected=b, what=has)


def _numbers_of(grid: Grid) -> list[str]:
    lines = [text for row in (*grid.head, *grid.body) for cell in row for text in cell.texts]
    return [token.plain for text in lines for token in read_tokens(text)[1]]


def _flat(text: str) -> str:
    return plain_digits(text).strip()


def _same_number(a: str, b: str) -> bool:
    try:
        return float(a) == float(b)
    except ValueError:
        return False


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _read_text(path: Path) -> str:
    return _read_bytes(path).decode("utf-8", errors="replace")
