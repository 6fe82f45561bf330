"""The references of a report: of the methods that its exhibits use."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from evaluation.report.page.literature import REFERENCES, Reference
from evaluation.report.results import is_absent


def cite(
    results: Mapping[str, Any], *, parameters: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[Reference, list[str]]:
    """Give the references of the exhibits that are there, and which exhibits use each.

    Parameters
    ----------
    results
        As in results.json. An exhibit that only says why it is absent uses nothing.
    parameters
        Each chapter's.
    """
    there = [exhibit for exhibit in results["exhibits"] if not is_absent(exhibit)]
    used = {
        reference: [
            exhibit["name"]
            for exhibit in there
            if _uses(exhibit, reference, (parameters or {}).get(exhibit["notebook"], {}))
        ]
        for reference in REFERENCES
    }
    return {reference: names for reference, names in used.items() if names}


def _uses(
    exhibit: Mapping[str, Any], reference: Reference, parameters: Mapping[str, Any]
) -> bool:
    name = exhibit["name"]
    if not any(fnmatchcase(name, pattern) for pattern in reference.exhibits.split()):
        return False
    rows = [{**parameters, **row} for row in exhibit["rows"]]
    return not reference.only or any(
        row.get("estimate", 0) is not None
        and all(text in str(row.get(column)) for column, text in reference.only)
        for row in rows
    )
