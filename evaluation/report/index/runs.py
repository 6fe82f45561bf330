"""The runs below a folder: what their records and results.json say, or what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from evaluation.errors import ReportError
from evaluation.language import choose
from evaluation.report.record.store import NAME, read_record
from evaluation.report.results import Exhibits, reason_of, rows_of

RESULTS = "results.json"

# What an index shows; of the rest of a run nothing is kept.
_NEEDED = {
    "effects",
    "gains_by_county",
    "trend_bounds",
    "claimed_gains",
    "summary_statistics",
    "village_map",
}

MISFITS = (OSError, KeyError, ValueError, TypeError, AttributeError, IndexError)
"""What reading a run raises where it does not hold what this version would have written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as an index needs it.

    Attributes
    ----------
    name, place
        Its folder's name, and where it is from the index, with slashes.
    study, title, simulated, language
        What results.json says; the title by language.
    county, outcome
        The county that it is on alone; what the outcome is called that was chosen; else ''.
    end
        When it was made, as the record has it.
    record
        What it was made from.
    exhibits
        Those that an index shows, by name.
    has_page
        Whether its report.html is there.
    problem
        What is wrong with its files; '' if they can be read.
    """

    name: str
    place: str
    study: str
    title: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False
    language: str = ""
    county: str = ""
    outcome: str = ""
    end: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)
    exhibits: Exhibits = field(default_factory=dict)
    has_page: bool = False
    problem: str = ""

    def rows(self, name: str) -> list[Mapping[str, Any]]:
        """Give an exhibit's rows; none if it only says why it is not there."""
        return rows_of(self.exhibits, name)

    def reason(self, name: str) -> str:
        """Give the reason for which an exhibit has nothing to show; '' if it has."""
        return reason_of(self.exhibits, name)

    def parameters(self, notebook: str) -> dict[str, Any]:
        """Give a chapter's parameters, without the study and the language."""
        given = self.record.get("parameters", {}).get(notebook, {})
        return {name: given[name] for name in given if name not in ("study", "language")}


def find_runs(folder: Path) -> list[Run]:
    """Read all runs below a folder, by study, the newest first; failed ones are left out."""
    runs = [_read_run(place, folder) for place in _run_folders(folder)]
    runs.sort(key=lambda run: run.place)
    runs.sort(key=lambda run: run.end, reverse=True)
    runs.sort(key=lambda run: run.study)
    return runs


def tell_misfit(file: str, error: Exception) -> str:
    """Say what is wrong with a file of a run."""
    match error:
        case OSError():
            return f"{file}: {error.strerror}"
        case KeyError():
            return f"{file}: no {error.args[0]!r} in it"
    return f"{file}: {error}"


def _run_folders(folder: Path) -> Iterator[Path]:
    for place, inner, files in os.walk(folder):
        name = Path(place).name
        if name.endswith((".failed", ".old", ".rerun")) or ".partial-" in name:
            inner.clear()
        elif {NAME, RESULTS} <= {*files}:
            inner.clear()  # what a run's own folders hold is no run
            yield Path(place)


def _read_run(place: Path, folder: Path) -> Run:
    name = place.resolve().name
    where = place.relative_to(folder).as_posix()
    has_page = (place / "report.html").is_file()
    try:
        made = read_record(place)
        results = _read(place / RESULTS)
        exhibits = {e["name"]: e for e in results["exhibits"] if e["name"] in _NEEDED}
        title = results.get("title") or {"en": results["study"]}
        return Run(
            name=name,
            place=where,
            study=str(results["study"]),
            title={"en": str(title["en"]), "zh": str(title.get("zh") or "")},
            simulated=bool(results["simulated"]),
            language=str(results.get("language", "")),
            county=str((results.get("county") or {}).get("name", "")),
            outcome=_said(results.get("outcome") or {}),
            end=str(made["end"]),
            record=made,
            exhibits=exhibits,
            has_page=has_page,
        )
    except ReportError as error:
        wrong = str(error).removeprefix(f"{place}{os.sep}")
    except MISFITS as error:
        wrong = tell_misfit(RESULTS, error)
    study = name.rpartition("-")[0] or name
    return Run(name=name, place=where, study=study, has_page=has_page, problem=wrong)


def _said(text: Mapping[str, Any]) -> str:
    return choose(str(text.get("en", "")), str(text.get("zh", "")))


def _read(path: Path) -> Any:
    # Eight times as fast as json.loads on the megabyte that a run's results are.
    return from_json(path.read_bytes())
