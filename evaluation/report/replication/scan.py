"""Looks for persons in all that enters a package: numbers, addresses, names, keys of codes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluation.data.pseudonyms import Pseudonyms
from evaluation.errors import ReportError
from evaluation.report.replication.patterns import Kind, find_values, judge_column
from evaluation.report.replication.persons import find_said, judge_head, judge_names
from evaluation.report.replication.readings import Column, Passage, read_file

_SHOWN = 20
_NAME = "personal name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What may be personal, in a column of a file or in its text.

    Attributes
    ----------
    file, column
        Where; a text has its kind in the column's place.
    place
        The first line, row or cell that holds it.
    kind
        What it looks like.
    masked
        Its beginning.
    n
        How many there are.
    """

    file: str
    column: str
    place: str
    kind: str
    masked: str
    n: int

    @property
    def name(self) -> str:
        """What it is called where it is to be allowed."""
        return f"{self.file}:{self.column}"


def scan_files(
    files: Mapping[str, Path],
    *,
    known: Collection[str] = (),
    word_columns: Mapping[str, Collection[str]] | None = None,
    encodings: Mapping[str, str | None] | None = None,
    pseudonyms: Pseudonyms | None = None,
) -> list[Finding]:
    """Look through files for what is a person's.

    Parameters
    ----------
    files
        By their name in the package; where they are.
    known
        Words that are no person's name: the study's villages, towns, counties, projects.
    word_columns
        By file, the columns that study.yml says hold places or units: not judged by what
        their cells look like.
    encodings
        By file, where study.yml gives one.
    pseudonyms
        The codes of a run under codes, whose names must not be seen.
    """
    found: list[Finding] = []
    for name, path in sorted(files.items()):
        reading = read_file(path, encoding=(encodings or {}).get(name))
        places = (word_columns or {}).get(name, ())
        for column in reading.columns:
            found += _in_column(name, column, known, column.name not in places, pseudonyms)
        for passage in reading.passages:
            found += _in_passage(name, passage, known, pseudonyms)
        found += [
            _finding(name, "author", "the file's properties", "author", [author])
            for author in reading.authors
        ]
    return found


def refuse_findings(findings: list[Finding], allow: Collection[str]) -> None:
    """Stop at what was found and is not allowed, with all of it and how to go on.

    Raises
    ------
    ReportError
        If anything is, or what is allowed was not found.
    """
    names = {one.name for one in findings}
    if idle := [name for name in allow if name not in names]:
        raise ReportError(
            f"--allow {idle[0]!r}: the scan found nothing there; write FILE:COLUMN as it told."
        )
    left = [one for one in findings if one.name not in allow]
    if not left:
        return
    lines = [
        f"{one.name} ({one.place}): {one.kind} {one.masked}"
        + (f", and {one.n - 1} more" if one.n > 1 else "")
        for one in left[:_SHOWN]
    ]
    more = [f"... and {len(left) - _SHOWN} more places"] if len(left) > _SHOWN else []
    raise ReportError(
        "\n".join(
            [
                "the package would hold what may be personal data; nothing was written.",
                *lines,
                *more,
                "Name the file under confidential in study.yml, or hide names with "
                "--pseudonymise, and make the report again; or take it out of the file; or, if "
                f"it may be shown, allow it: --allow '{left[0].name}'.",
            ]
        )
    )


def _in_column(
    file: str,
    column: Column,
    known: Collection[str],
    by_cells: bool,
    pseudonyms: Pseudonyms | None,
) -> Iterator[Finding]:
    cells = list(column.cells)
    text = "\n".join(cells)
    kinds: dict[Kind, list[tuple[str, str]]] = {}
    for kind, match in find_values(text):
        begin, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
        cell = text[begin : end if end >= 0 else None]
        kinds.setdefault(kind, []).append((match[0], column.cells.get(cell, "")))
    taken = False
    for kind, values in kinds.items():
        if judge_column(kind, cells, [value for value, _ in values]):
            taken = True
            yield _finding(file, column.name, values[0][1], kind.name, [v for v, _ in values])
    if not taken and (about := judge_head(column.head, cells)):
        yield _finding(
            file, column.name, column.cells[about[0]], "by its head, a number", about
        )
    if names := judge_names(column.head, cells, known=known, by_cells=by_cells):
        yield _finding(file, column.name, column.cells[names[0]], _NAME, names)
    elif said := [match[0] for match in find_said(text, known=known)]:
        yield _finding(file, column.name, "in its text", _NAME, said)
    yield from _by_key(file, column.name, text, pseudonyms)


def _in_passage(
    file: str, passage: Passage, known: Collection[str], pseudonyms: Pseudonyms | None
) -> Iterator[Finding]:
    text = passage.text
    kinds: dict[str, list[tuple[int, str]]] = {}
    for kind, match in find_values(text):
        kinds.setdefault(kind.name, []).append((match.start(), match[0]))
    for match in find_said(text, known=known):
        kinds.setdefault(_NAME, []).append((match.start(), match[0]))
    for match in _home().finditer(text):
        kinds.setdefault("folder of this machine", []).append((match.start(), match[0]))
    for name, values in kinds.items():
        place = passage.place or f"line {text.count(chr(10), 0, values[0][0]) + 1}"
        yield _finding(file, name, place, name, [value for _, value in values])
    yield from _by_key(file, passage.place or "text", text, pseudonyms)


def _home() -> re.Pattern[str]:
    """Give what finds the user's folder, which a cell may have printed, with a user's name."""
    forms = {str(Path.home()), Path.home().as_posix()}
    return re.compile(rf"(?<![\w/\\.-])(?:{'|'.join(map(re.escape, forms))})(?=[/\\])")


def _by_key(
    file: str, column: str, text: str, pseudonyms: Pseudonyms | None
) -> Iterator[Finding]:
    if pseudonyms and (code := pseudonyms.find(text)):
        kind = f"a name of the key, whose code is {code}"
        yield Finding(file=file, column=column, place=column, kind=kind, masked="", n=1)


def _finding(file: str, column: str, place: str, kind: str, values: list[str]) -> Finding:
    value = values[0]
    seen = min(3, len(value) // 3)
    masked = value[:seen] + "*" * (len(value) - seen)
    return Finding(
        file=file, column=column, place=place, kind=kind, masked=masked, n=len(values)
    )
