"""Whether what is here is what a run was made from: a package holds nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report.chapters import choose_chapters
from evaluation.report.record.describe import describe_run, first_few, tell_changes
from evaluation.report.record.store import altered_outputs, hash_outputs

_MADE_FROM = ("inputs", "code", "notebooks")


def check_run(run: Path, record: Mapping[str, Any]) -> None:
    """Refuse a run that failed, or whose files are not as they were written.

    Raises
    ------
    ReportError
        Then.
    """
    if "error" in record:
        raise ReportError(f"{run}: this run failed; make the report, and package that run.")
    if changed := altered_outputs(record, hash_outputs(run)):
        raise ReportError(
            f"{run}: not as it was written: {first_few(changed)}. Make the report again with "
            "--force; evaluation verify says what was changed."
        )


def check_present(record: Mapping[str, Any], study: Study) -> None:
    """Refuse a run that was made from other inputs, code or notebooks than are here.

    Raises
    ------
    ReportError
        Then, with what differs and what to do.
    """
    if study.name != record["study"]:
        raise ReportError(
            f"{study.folder} is the study {study.name}, and the run is of {record['study']}; "
            "name its folder with --study."
        )
    notebooks = choose_chapters(study)
    font = record["chinese_font"]
    now = describe_run(study, notebooks, record["parameters"], font=font)
    changes = tell_changes(record, now, _MADE_FROM)
    if not changes:
        return
    git = record.get("git") or {}
    back = f" (git checkout {git['commit'][:12]})" if git.get("commit") else ""
    raise ReportError(
        f"the run was not made from what is here: {changes}. Make the report "
        f"again (evaluation report {study.folder}) and package that run, or go back to what "
        f"it was made from{back}."
    )
