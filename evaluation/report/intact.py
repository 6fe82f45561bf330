"""Whether a run's files are those that its record names, as they were written."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from evaluation.report.numbers.finding import Finding
from evaluation.report.record.describe import name_run
from evaluation.report.record.store import NAME

_TEXT = {".csv", ".html", ".ipynb", ".json", ".py", ".svg", ".tex"}
_HASH = re.compile(r"-([0-9a-f]{8})(?=$|\.)")
_BY_PROGRAMS = {
    ".DS_Store": "file managers write it", "Thumbs.db": "file managers write it",
    "desktop.ini": "file managers write it", "__pycache__": "Python writes it",
    ".ipynb_checkpoints": "Jupyter writes it", "compare.html": "evaluation compare writes it",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Intact:
    """What was found of a run's files.

    Attributes
    ----------
    n_files
        How many are as the record says.
    findings
        Which are not, are missing, or are not the run's.
    remarks
        What is as well to know and alters nothing.
    """

    n_files: int
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...]


def check_files(run: Path, record: Mapping[str, Any]) -> Intact:
    """Compare what lies in a run's folder with its record.

    Parameters
    ----------
    record
        As `read_record` gives it.
    """
    found = {_plain(name): path for name, path in _walk(run)}
    outputs = {_plain(name): sha for name, sha in record["outputs"].items()}
    wrong = [
        finding
        for name, sha in outputs.items()
        if (finding := _check_file(name, sha, found.get(name)))
    ]
    findings, remarks = [*_check_name(run, record), *wrong], [*_tell_renamed(run, record)]
    for name in sorted({*found} - {*outputs, NAME}):
        parts = {*PurePosixPath(name).parts} & {*_BY_PROGRAMS}
        if found[name].is_symlink():
            findings.append(Finding(file=name, what="it is a link, and not the run's"))
        elif parts:
            why = _BY_PROGRAMS[parts.pop()]
            remarks.append(f"{name} is not the run's, and does no harm: {why}.")
        else:
            findings.append(Finding(file=name, what="it is not the run's: someone put it here"))
    if (run / NAME).is_symlink():
        findings.append(Finding(file=NAME, what="it is a link: it may change elsewhere"))
    return Intact(
        n_files=len(outputs) - len(wrong), findings=tuple(findings), remarks=tuple(remarks)
    )


def _walk(run: Path) -> Iterator[tuple[str, Path]]:
    """Give all files and links of a folder, by their names in it; no link is followed."""
    for place, folders, files in os.walk(run):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in [*files, *links]:
            path = Path(place) / name
            yield path.relative_to(run).as_posix(), path


def _plain(name: str) -> str:
    """Write a name as all systems do: some take accents apart."""
    return unicodedata.normalize("NFC", name)


def _check_file(name: str, sha: str, path: Path | None) -> Finding | None:
    if path is None:
        return Finding(file=name, what="it is missing")
    if path.is_symlink():
        return Finding(file=name, what="it is a link: what it shows may change elsewhere")
    try:
        content = path.read_bytes()
    except OSError as error:
        return Finding(file=name, what=f"it cannot be read: {error.strerror}")
    if hashlib.sha256(content).hexdigest() == sha:
        return None
    if path.suffix in _TEXT:
        for old, new in ((b"\r\n", b"\n"), (b"\n", b"\r\n")):
            if hashlib.sha256(content.replace(old, new)).hexdigest() == sha:
                told = "its line ends were changed, as by git or mail, and nothing else"
                return Finding(file=name, what=told)
    return Finding(file=name, what="it was changed after the run was made: another sha256")


def _check_name(run: Path, record: Mapping[str, Any]) -> Iterator[Finding]:
    name = run.resolve().name
    for own in _HASH.findall(name):
        if own != record["hash"][:8]:
            told = f"the folder is called {name}, and its record is that of {name_run(record)}"
            yield Finding(file=NAME, what=told)


def _tell_renamed(run: Path, record: Mapping[str, Any]) -> Iterator[str]:
    name = run.resolve().name
    if not _HASH.search(name):
        yield f"the folder was renamed to {name}: it was written as {name_run(record)}."
