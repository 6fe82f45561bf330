"""What went into a run and what it was made with: the run's name, and its manifest."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import evaluation
from evaluation.data.prices import shipped_index
from evaluation.data.study import Study
from evaluation.errors import ReportError

NAME = "manifest.json"
_CODE = (".py", ".j2", ".css", ".js", ".json", ".mo", ".mplstyle", ".tex", ".typ")
_PACKAGE = "village-evaluation"


def describe_run(
    study: Study, notebooks: Mapping[str, Path], parameters: Mapping[str, Any], *, font: str
) -> dict[str, Any]:
    """Describe all that a run's output depends on.

    Returns
    -------
    dict with study, inputs, parameters, notebooks, code (sha256 by file), python, packages,
    chinese_font and hash, which is over all the others.
    """
    description = {
        "study": study.name,
        "inputs": {
            name: {"sha256": sha256(path), "bytes": path.stat().st_size}
            for name, path in _inputs(study).items()
        },
        "parameters": parameters,
        "notebooks": {name: sha256(path) for name, path in notebooks.items()},
        "code": describe_code(),
        "python": platform.python_version(),
        "packages": package_versions(),
        "chinese_font": font,
        **({"pseudonyms": sha256(study.pseudonyms)} if study.pseudonyms else {}),
    }
    text = json.dumps(description, sort_keys=True, ensure_ascii=False)
    return {**description, "hash": hashlib.sha256(text.encode()).hexdigest()}


def describe_code() -> dict[str, str]:
    """Give the sha256 of the package's files that what it writes depends on, by name."""
    package = Path(evaluation.__file__).parent
    return {
        path.relative_to(package).as_posix(): sha256(path)
        for path in sorted(package.rglob("*"))
        if path.suffix in _CODE
    }


def package_versions() -> dict[str, str]:
    """Give the versions of all packages that this one stands on, by name."""
    found: dict[str, str] = {}
    waiting = [_PACKAGE]
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # another platform's
        found[name] = distribution.version
        waiting += _needed(distribution.requires or ())
    return dict(sorted(found.items()))


def sha256(path: Path) -> str:
    """Give a file's sha256."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}.") from error


def hash_outputs(run: Path) -> dict[str, str]:
    """Give the sha256 of every file of a run but its manifest."""
    paths = sorted(path for path in run.rglob("*") if path.is_file() and path.name != NAME)
    return {path.relative_to(run).as_posix(): sha256(path) for path in paths}


def add_outputs(run: Path, written: Iterable[Path]) -> None:
    """Name in a run's manifest what was written into its folder later, with its sha256.

    Raises
    ------
    ReportError
        If the run has no manifest that can be read.
    """
    try:
        manifest = json.loads((run / NAME).read_text(encoding="utf-8"))
        before = manifest["outputs"]
    except (OSError, ValueError, KeyError) as error:
        raise ReportError(f"{run / NAME}: cannot be read; run the report again.") from error
    tops = {path.relative_to(run).parts[0] for path in written}
    kept = {name: sha for name, sha in before.items() if name.split("/")[0] not in tops}
    files = [path for top in tops for path in (run / top, *(run / top).rglob("*"))]
    added = {path.relative_to(run).as_posix(): sha256(path) for path in files if path.is_file()}
    manifest["outputs"] = dict(sorted((kept | added).items()))
    beside = run / f"{NAME}.new"
    write_json(beside, manifest)
    beside.replace(run / NAME)


def is_whole(run: Path, wanted: str) -> bool:
    """Whether a folder is the run with that hash, its outputs as they were written."""
    try:
        manifest = json.loads((run / NAME).read_text(encoding="utf-8"))
        outputs = manifest["outputs"].items()
        return bool(manifest["hash"] == wanted and hash_outputs(run).items() >= outputs)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name what differs between a part of two descriptions of a run."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def past_seconds(out: Path, study: str) -> dict[str, float]:
    """Give the seconds that the chapters of a study took in the last run in a folder."""
    for path in sorted(out.glob(f"{study}-*/{NAME}"), key=os.path.getmtime, reverse=True):
        with suppress(OSError, ValueError, KeyError):
            return {**json.loads(path.read_text(encoding="utf-8"))["seconds"]}
    return {}


def write_json(path: Path, content: Any) -> None:
    """Write JSON with stable formatting."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _inputs(study: Study) -> dict[str, Path]:
    """Give all files that a study is read from, by name."""
    inputs = {study.file.name: study.file}
    inputs |= {name: study.path(name) for name in study.file_names()}
    if study.price_index() == "china":
        inputs[shipped_index().name] = shipped_index()
    return inputs


def _needed(requirements: Iterable[str]) -> list[str]:
    parsed = [Requirement(text) for text in requirements]
    return [r.name for r in parsed if r.marker is None or r.marker.evaluate({"extra": ""})]
