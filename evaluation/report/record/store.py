"""The record that a run's folder holds: what it was made from, and what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.errors import ReportError
from evaluation.report.record.crate import to_crate
from evaluation.report.record.crate_reading import from_crate
from evaluation.report.record.describe import hash_description, sha256
from evaluation.report.record.workflow import WORKFLOW, workflow_text

NAME = "ro-crate-metadata.json"
_OLD = "manifest.json"
_MEND = "Restore it from a copy, or run the report again."
_LONG = 300  # characters of a line


def read_record(run: Path) -> dict[str, Any]:
    """Read what a run says of itself.

    Raises
    ------
    ReportError
        If its record is not there, or is not as it was written.
    """
    path = run / NAME
    try:
        record = from_crate(json.loads(path.read_bytes()))
    except FileNotFoundError:
        if (run / _OLD).is_file():
            wrong = f"not there, but {_OLD}: an earlier version made the run."
            raise ReportError(f"{path}: {wrong} Run the report again.") from None
        if not run.is_dir():
            raise ReportError(
                f"{run}: no such folder; name a run's, as reports/STUDY-HASH8."
            ) from None
        raise ReportError(
            f"{path}: not there: {run} is no run, or not a whole one; name a run's folder, as "
            "reports/STUDY-HASH8."
        ) from None
    except NotADirectoryError:
        raise ReportError(
            f"{run}: a file; name the run's folder, as reports/STUDY-HASH8."
        ) from None
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path}: not whole, or not JSON: {error}. {_MEND}") from None
    except ReportError as error:
        raise ReportError(f"{path}: {error} {_MEND}") from None
    if hash_description(record) != record["hash"]:
        wrong = "was changed after the run was made: its hash is over something else."
        raise ReportError(f"{path}: it {wrong} {_MEND}")
    return record


def write_record(run: Path, record: Mapping[str, Any]) -> None:
    """Write into a run's folder what it says of itself, and the file that makes it again."""
    outputs = {**record["outputs"]}
    if WORKFLOW not in outputs:
        (run / WORKFLOW).write_text(workflow_text(record), encoding="utf-8", newline="\n")
        outputs = dict(sorted({**outputs, WORKFLOW: sha256(run / WORKFLOW)}.items()))
    files = {name: run / name for name in outputs}
    sizes = {name: path.stat().st_size for name, path in files.items() if path.is_file()}
    document = to_crate({**record, "outputs": outputs}, sizes)
    beside = run / f"{NAME}.new"
    beside.write_text(_lay_out(document), encoding="utf-8", newline="\n")
    beside.replace(run / NAME)


def hash_outputs(run: Path) -> dict[str, str]:
    """Give the sha256 of every file of a run but its record."""
    paths = sorted(path for path in run.rglob("*") if path.is_file() and path.name != NAME)
    return {path.relative_to(run).as_posix(): sha256(path) for path in paths}


def altered_outputs(record: Mapping[str, Any], now: Mapping[str, str]) -> list[str]:
    """Name the files of a run that are not as it wrote them, or are gone.

    Parameters
    ----------
    record
        As `read_record` gives it.
    now
        As `hash_outputs` gives it.
    """
    return sorted(name for name, sha in record["outputs"].items() if now.get(name) != sha)


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
    return record["hash"] == wanted and not altered_outputs(record, hash_outputs(run))


def write_json(path: Path, content: Any) -> None:
    """Write JSON with stable formatting."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _lay_out(document: Mapping[str, Any]) -> str:
    """Write a crate as JSON that can be read: one entity a line, long ones over several."""
    write = partial(json.dumps, ensure_ascii=False, allow_nan=False)
    context, graph = write(document["@context"]), document["@graph"]
    entities = []
    for entity in graph:
        text = write(entity)
        if len(text) > _LONG:
            text = (
                "{\n  "
                + ",\n  ".join(
                    f"{write(name)}: "
                    + (
                        "[\n   " + ",\n   ".join(map(write, value)) + "]"
                        if _long(value)
                        else write(value)
                    )
                    for name, value in entity.items()
                )
                + "}"
            )
        entities.append(text)
    return f'{{"@context": {context},\n"@graph": [\n ' + ",\n ".join(entities) + "\n]}\n"


def _long(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and isinstance(value[0], dict)
