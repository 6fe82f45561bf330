"""The record that a run's folder holds: what it was made from, and what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evaluation.errors import ReportError
from evaluation.report.record.describe import sha256

NAME = "ro-crate-metadata.json"


def read_record(run: Path) -> dict[str, Any]:
    """Read what a run says of itself.

    Raises
    ------
    ReportError
        If its record is not there, or is not one.
    """
    path = run / NAME
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        record["outputs"], record["hash"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReportError(f"{path}: cannot be read; run the report again.") from error
    return record


def write_record(run: Path, record: Mapping[str, Any]) -> None:
    """Write into a run's folder what it says of itself."""
    beside = run / f"{NAME}.new"
    write_json(beside, record)
    beside.replace(run / NAME)


def hash_outputs(run: Path) -> dict[str, str]:
    """Give the sha256 of every file of a run but its record."""
    paths = sorted(path for path in run.rglob("*") if path.is_file() and path.name != NAME)
    return {path.relative_to(run).as_posix(): sha256(path) for path in paths}


def add_outputs(run: Path, written: Iterable[Path]) -> None:
    """Name in a run's record what was written into its folder later, with its sha256.

    Raises
    ------
    ReportError
        If the run has no record that can be read.
    """
    record = read_record(run)
    tops = {path.relative_to(run).parts[0] for path in written}
    kept = {
        name: sha for name, sha in record["outputs"].items() if name.split("/")[0] not in tops
    }
    files = [path for top in tops for path in (run / top, *(run / top).rglob("*"))]
    added = {path.relative_to(run).as_posix(): sha256(path) for path in files if path.is_file()}
    record["outputs"] = dict(sorted((kept | added).items()))
    write_record(run, record)


def is_whole(run: Path, wanted: str) -> bool:
    """Whether a folder is the run with that hash, its outputs as they were written."""
    try:
        record = read_record(run)
    except ReportError:
        return False
    outputs = record["outputs"].items()
    return bool(record["hash"] == wanted and hash_outputs(run).items() >= outputs)


def write_json(path: Path, content: Any) -> None:
    """Write JSON with stable formatting."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
