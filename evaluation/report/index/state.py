"""Whether runs are stale: what they were made from, held against what is here now."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from evaluation.data.config import read_config
from evaluation.data.shipped import shipped_index
from evaluation.data.study import Study
from evaluation.data.study_files import Area
from evaluation.errors import DataError
from evaluation.language import listing, mark, say
from evaluation.report.chapters import notebook_folder
from evaluation.report.fonts import find_chinese_font
from evaluation.report.record.describe import (
    describe_code,
    differing,
    package_versions,
    sha256,
)

_SHOWN = 2
_CHANGED = {
    "inputs": mark("inputs changed ({names})"),
    "code": mark("code of this package changed ({names})"),
    "notebooks": mark("notebooks changed ({names})"),
    "packages": mark("packages changed ({names})"),
}
Kind = Literal["current", "stale", "unknown", "damaged"]

KINDS: Mapping[Kind, str] = {
    "current": mark("current"),
    "stale": mark("stale"),
    "unknown": mark("inputs not compared"),
    "damaged": mark("cannot be read"),
}
"""What a run may be; said where it is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Whether a run is stale, and why."""

    kind: Kind
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What runs would be made from if they were made now.

    Attributes
    ----------
    studies
        The studies that are found, by name, each with its study.yml.
    code, packages
        As a record has them; the packages with Python and the Chinese font.
    hashes
        Those of files that were asked for already: runs share them.
    """

    studies: Mapping[str, tuple[Path, Study]]
    code: Mapping[str, str] = field(default_factory=describe_code)
    packages: Mapping[str, str] = field(
        default_factory=lambda: _with_python(
            package_versions(), platform.python_version(), find_chinese_font()
        )
    )

    hashes: dict[Path, str] = field(default_factory=dict)

    @property
    def areas(self) -> list[Area]:
        """The counties of all studies found."""
        return [area for _, study in self.studies.values() for area in study.counties]

    def judge(self, study: str, made: Mapping[str, Any]) -> State:
        """Say whether a run of a study is stale, by its record."""
        file, found = self.studies.get(study, (None, None))
        before = {
            "inputs": {name: entry["sha256"] for name, entry in made["inputs"].items()},
            "code": made["code"],
            "notebooks": made["notebooks"],
            "packages": _with_python(made["packages"], made["python"], made["chinese_font"]),
        }
        inputs: Mapping[str, str | None] = before["inputs"]
        if file:
            inputs = {name: self._input(file, name) for name in inputs}
        after = {
            "inputs": {name: sha for name, sha in inputs.items() if sha is not None},
            "code": self.code,
            "notebooks": {n: self._notebook(file, found, n) for n in before["notebooks"]},
            "packages": self.packages,
        }
        elsewhere = sorted(name for name, sha in inputs.items() if sha is None)
        before["inputs"] = {n: s for n, s in before["inputs"].items() if n not in elsewhere}
        changes = [
            say(_CHANGED[part], names=_list(names))
            for part in _CHANGED
            if (names := differing(before[part], after[part]))
        ]
        gaps = [] if file else [say("study not found: inputs not compared")]
        if elsewhere:
            gaps = [say("inputs not here ({names})", names=_list(elsewhere))]
        kind: Kind = "stale" if changes else "unknown" if gaps else "current"
        return State(kind=kind, details=(*changes, *gaps))

    def _input(self, file: Path, name: str) -> str | None:
        """Give the hash of a study's input now; None if it is not there."""
        for path in (file.parent / name, shipped_index()):
            if path.name == Path(name).name and path.is_file():
                return self._hash(path)
        return None

    def _notebook(self, file: Path | None, study: Study | None, name: str) -> str | None:
        paths = [notebook_folder() / f"{name}.ipynb"]
        if file and study:
            paths += [file.parent / own for own in study.chapters if Path(own).stem == name]
        return next((self._hash(path) for path in paths if path.is_file()), None)

    def _hash(self, path: Path) -> str:
        if path not in self.hashes:
            self.hashes[path] = sha256(path)
        return self.hashes[path]


def find_studies(folder: Path) -> dict[str, tuple[Path, Study]]:
    """Find the studies in a folder and in those in it, by name, whether or not data are there.

    A study that does not parse is left out, as is any other YAML file.
    """
    found: dict[str, tuple[Path, Study]] = {}
    for file in sorted([*folder.glob("*.y*ml"), *folder.glob("*/*.y*ml")]):
        try:
            study = read_config(file, Study)
        except DataError:
            continue
        found.setdefault(study.name, (file, study))
    return found


def _with_python(packages: Mapping[str, str], python: str, font: str) -> dict[str, str]:
    return {**packages, "Python": python, say("Chinese font"): font}


def _list(names: Iterable[str]) -> str:
    """Name the first few and count the others."""
    first, rest = [*names][:_SHOWN], len([*names]) - _SHOWN
    return listing([*first, *([say("{n} more", n=rest)] if rest > 0 else [])])
