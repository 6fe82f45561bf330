"""What goes into a run: its inputs, parameters, code and versions, and the hash over them."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import evaluation
from evaluation.data.shipped import shipped_index
from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report.code_state import packages_state

_CODE = (".py", ".j2", ".css", ".js", ".json", ".mo", ".mplstyle", ".tex", ".typ")
_PACKAGE = "village-evaluation"
_SHOWN = 3
_WHOSE = {
    "inputs": "of the study",
    "code": "of this package",
    "notebooks": "a notebook",
    "packages": "an installed package",
}
_PARTS = (
    "study",
    "inputs",
    "parameters",
    "notebooks",
    "code",
    "python",
    "packages",
    "chinese_font",
    "pseudonyms",
)


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
            for name, path in input_files(study).items()
        },
        "parameters": parameters,
        "notebooks": {name: sha256(path) for name, path in notebooks.items()},
        "code": describe_code(),
        "python": platform.python_version(),
        "packages": package_versions(),
        "chinese_font": font,
        **({"pseudonyms": sha256(study.pseudonyms)} if study.pseudonyms else {}),
    }
    return {**description, "hash": hash_description(description)}


def input_files(study: Study) -> dict[str, Path]:
    """Give all files that a study is read from, by name."""
    inputs = {study.file.name: study.file}
    inputs |= {name: study.path(name) for name in study.file_names()}
    if study.price_index() == "china":
        inputs[shipped_index().name] = shipped_index()
    return inputs


def hash_description(description: Mapping[str, Any]) -> str:
    """Give the hash over all that a run's output depends on; what else is recorded, is not."""
    parts = {part: description[part] for part in _PARTS if part in description}
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def name_run(description: Mapping[str, Any]) -> str:
    """Give the name of a run's folder, of its description or its record."""
    return f"{description['study']}-{description['hash'][:8]}"


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
    return dict(_read_versions(packages_state()))


def sha256(path: Path) -> str:
    """Give a file's sha256."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}.") from error


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name what differs between a part of two descriptions of a run."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def tell_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], parts: Iterable[str] = tuple(_WHOSE)
) -> str:
    """Name what differs between two descriptions of a run, and whose it is; '' if nothing."""
    told = []
    for part in parts:
        names = differing(before[part], after[part])
        told += [f"{first_few(names)} ({_WHOSE[part]})"] if names else []
    return "; ".join(told)


def first_few(names: Sequence[str]) -> str:
    """Name the first few, and count the others."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


@lru_cache(maxsize=1)
def _read_versions(state: object) -> dict[str, str]:
    """Read them from what the packages say of themselves, once for each state of them."""
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


def _needed(requirements: Iterable[str]) -> list[str]:
    parsed = [Requirement(text) for text in requirements]
    return [r.name for r in parsed if r.marker is None or r.marker.evaluate({"extra": ""})]
