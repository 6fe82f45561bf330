"""Where the study of a run is, and its data: known by their sha256."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluation.data.config import read_config
from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report.index.state import find_studies
from evaluation.report.record.describe import sha256

_MOST = 50_000  # files that are looked at


def find_study(run: Path, record: Mapping[str, Any], given: Path | None = None) -> Path:
    """Find a run's study.yml: that given, or the one that has most of the run's inputs.

    Raises
    ------
    ReportError
        If there is none there, in the working folder, nor beside the run.
    """
    if given:
        file = given if given.suffix in (".yml", ".yaml") else given / "study.yml"
        if not file.is_file():
            raise ReportError(
                f"--study {given}: {file} is not there; name the folder that has the study.yml."
            )
        return file
    name = record["study"]
    found = [
        file
        for place in _places(run)
        for study, (file, _) in find_studies(place).items()
        if study == name
    ]
    if not found:
        raise ReportError(
            f"{run}: its study, {name}, is not in {', '.join(map(str, _places(run)))}; name "
            "its folder with --study."
        )
    return max(found, key=lambda file: _n_same(record, file.parent))


def find_data(run: Path, record: Mapping[str, Any], file: Path) -> Path | None:
    """Find the folder of a run's data files; None if they lie beside study.yml, or nowhere."""
    names = read_config(file, Study).file_names()
    inputs = record["inputs"]
    missing = {n: inputs[n] for n in names if n in inputs and not (file.parent / n).is_file()}
    if not missing:
        return None
    first = Path(next(iter(missing)))
    for path in _walk(_places(run)):
        if path.name == first.name:
            folder = path.parents[len(first.parts) - 1]
            if all(_is_input(folder / name, entry) for name, entry in missing.items()):
                return folder
    return None


def _n_same(record: Mapping[str, Any], folder: Path) -> int:
    """Count the inputs of a run that a folder has as they were."""
    return sum(_is_input(folder / name, entry) for name, entry in record["inputs"].items())


def _is_input(path: Path, entry: Mapping[str, Any]) -> bool:
    """Whether a file is an input of a run, as it was."""
    same_size = path.is_file() and path.stat().st_size == entry["bytes"]
    return same_size and sha256(path) == entry["sha256"]


def _places(run: Path) -> list[Path]:
    """Give the folders in which a run's study is looked for."""
    above = run.resolve().parents[:2]
    near = [place for folder in (Path(), *above) for place in (folder / "data", folder)]
    known = {place.resolve(): place for place in reversed(near) if place.is_dir()}
    return [place for place in near if known.get(place.resolve()) is place]


def _walk(places: list[Path]) -> Iterator[Path]:
    """Give the files in folders and below, up to a number."""
    left = _MOST
    for place in places:
        for folder, inner, files in os.walk(place):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            yield from (Path(folder) / name for name in sorted(files))
            left -= len(files)
            if left < 0:
                return
