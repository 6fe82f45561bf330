"""Chapters that need not be run: an earlier run has them, made from the same."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.errors import ReportError
from evaluation.report.execute import Notebook
from evaluation.report.record.describe import sha256
from evaluation.report.record.store import NAME, read_record

CHANGED = "a file that the report depends on changed in the meantime; run it again."
"""Why a chapter that is ready is not taken."""

_MOST = 30  # of the runs before, the newest: a folder may hold thousands
_OF_ALL = ("inputs", "code", "python", "packages", "chinese_font", "pseudonyms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reused:
    """Chapters out of earlier runs: the notebooks, and the seconds that they once took."""

    notebooks: Mapping[str, Notebook] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A chapter that was run for a report before that is made.

    Attributes
    ----------
    path
        Its executed notebook, as far as it came.
    key
        What it was made from: see `chapter_keys`.
    seconds
        How long it took.
    error
        Why it failed; '' if it did not.
    """

    path: Path
    key: str
    seconds: float = 0.0
    error: str = ""


def take_ready(chapters: Mapping[str, Ready], keys: Mapping[str, str], folder: Path) -> Reused:
    """Copy chapters that are ready into a run's folder, and read them.

    Parameters
    ----------
    keys
        What the run's chapters are to be made from.

    Raises
    ------
    ReportError
        If one failed, or was made from something else; what there is of it was copied.
    """
    import nbformat

    for name, chapter in chapters.items():
        if chapter.path.is_file():
            shutil.copyfile(chapter.path, folder / f"{name}.ipynb")
    for name, chapter in chapters.items():
        if chapter.key != keys[name]:
            raise ReportError(CHANGED)
        if chapter.error:
            raise ReportError(chapter.error)
    return Reused(
        notebooks={
            name: nbformat.read(folder / f"{name}.ipynb", as_version=4) for name in chapters
        },
        seconds={name: chapter.seconds for name, chapter in chapters.items()},
    )


def chapter_keys(description: Mapping[str, Any]) -> dict[str, str]:
    """Give the sha256 over all that each chapter depends on, by its name.

    Parameters
    ----------
    description
        As `describe_run` gives it. A chapter depends on all of it but on the notebooks and
        the parameters of the others.
    """
    shared = {part: description.get(part) for part in _OF_ALL}
    keys = {}
    for name, notebook in description["notebooks"].items():
        own = {"notebook": notebook, "parameters": description["parameters"][name]}
        text = json.dumps({**shared, **own}, sort_keys=True, ensure_ascii=False)
        keys[name] = hashlib.sha256(text.encode()).hexdigest()
    return keys


def past_records(out: Path, study: str) -> dict[Path, dict[str, Any]]:
    """Read the records of a study's last runs in a folder, failed ones too, by folder."""
    paths = [
        path
        for path in out.glob(f"{study}-*/{NAME}")
        if path.parent.suffix in ("", ".failed")  # not those that are being made
    ]
    found = {}
    for path in sorted(paths, key=os.path.getmtime, reverse=True)[:_MOST]:
        with suppress(ReportError):
            found[path.parent] = read_record(path.parent)
    return found


def past_seconds(records: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Give the seconds that chapters took when they were last run."""
    seconds: dict[str, float] = {}
    for record in records:
        seconds = {**record["seconds"], **seconds}
    return seconds


def find_chapters(
    keys: Mapping[str, str], records: Mapping[Path, Mapping[str, Any]], folder: Path
) -> Reused:
    """Copy the chapters that earlier runs have into a folder, and read them.

    Parameters
    ----------
    keys
        As `chapter_keys` gives them.
    records
        The earlier runs.
    folder
        Where executed notebooks are put.
    """
    import nbformat

    notebooks, seconds = {}, {}
    for name, key in keys.items():
        for run, record in records.items():
            file = f"notebooks/{name}.ipynb"
            path = run / file
            done = name in record["seconds"] and path.is_file()
            if not done or record["chapters"].get(name) != key:
                continue
            if sha256(path) == record["outputs"].get(file):  # not altered since
                content = path.read_bytes()
                (folder / path.name).write_bytes(content)
                notebooks[name] = nbformat.reads(content.decode(), as_version=4)
                seconds[name] = record["seconds"][name]
                break
    return Reused(notebooks=notebooks, seconds=seconds)
