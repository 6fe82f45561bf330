"""Estimates of many runs as an index shows them: one name for one thing, in one language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from evaluation.data.study_files import Area
from evaluation.errors import ReportError
from evaluation.language import choose, say, spoken
from evaluation.report.chapters import notebook_folder
from evaluation.report.index.names import CountyNames, split_unit
from evaluation.report.index.rows import Estimate
from evaluation.report.index.runs import Run
from evaluation.report.parameters import read_parameters

_Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An estimate, its names as they are shown.

    Attributes
    ----------
    settings
        The parameters that differ from the notebook's defaults, or between the study's runs.
    """

    estimate: Estimate
    county: str
    outcome: str
    unit: str
    price_year: str
    settings: tuple[str, ...]

    @property
    def run(self) -> Run:
        """Whose estimate it is."""
        return self.estimate.run

    @property
    def shared(self) -> tuple[str, ...]:
        """The settings but for county and outcome: those that a sweep's runs may share."""
        return tuple(s for s in self.settings if not s.startswith(("county = ", "outcome = ")))


def make_entries(estimates: list[Estimate], counties: CountyNames) -> list[Entry]:
    """Name everything in the language spoken, and find the parameters that tell runs apart."""
    labels = _label_outcomes(estimates)
    varying = _find_varying(estimates)
    entries = []
    for one in estimates:
        unit, price_year = split_unit(one.unit)
        entries.append(
            Entry(
                estimate=one,
                county=counties.show(one.county),
                outcome=labels[one.run.study, one.outcome[0]],
                unit=unit,
                price_year=price_year,
                settings=_settings(one, varying),
            )
        )
    return entries


def name_all_counties(estimates: Iterable[Estimate], areas: Iterable[Area]) -> CountyNames:
    """Gather the counties' names that studies and runs have."""
    return CountyNames(areas, dict.fromkeys(one.county for one in estimates))


def title_of(run: Run) -> str:
    """Give the title of a run's study, SIMULATED where it is."""
    title = choose(run.title.get("en", ""), run.title.get("zh", "")) or run.study
    return f"{say('SIMULATED: ')}{title}" if run.simulated else title


def _label_outcomes(estimates: Iterable[Estimate]) -> dict[tuple[str, str], str]:
    """Label outcomes as a run in the language spoken does, else as any does."""
    labels: dict[tuple[str, str], str] = {}
    ordered = sorted(estimates, key=lambda one: one.run.language != spoken())
    for one in ordered:
        name, label = one.outcome
        labels.setdefault((one.run.study, name), label)
    return labels


def _find_varying(estimates: Iterable[Estimate]) -> set[tuple[str, str, str]]:
    """Find the parameters that differ between runs: study, chapter, name."""
    seen: dict[tuple[str, str, str], Any] = {}
    varying = set()
    for one in estimates:
        for name, value in one.run.parameters(one.notebook).items():
            key = one.run.study, one.notebook, name
            if seen.setdefault(key, value) != value:
                varying.add(key)
    return varying


def _settings(one: Estimate, varying: set[tuple[str, str, str]]) -> tuple[str, ...]:
    defaults = _defaults(one.notebook)
    given = one.run.parameters(one.notebook)
    given.pop("year_effects", None)  # each estimate says of itself
    # A report on all counties, or on the study's own outcome, has columns that say so.
    given = {n: v for n, v in given.items() if v or n not in ("county", "outcome")}
    return tuple(
        f"{name} = {value if value != '' else repr('')}"
        for name, value in given.items()
        if (one.run.study, one.notebook, name) in varying or value != defaults.get(name, value)
    )


@cache
def _defaults(notebook: str) -> _Values:
    try:
        declared = read_parameters(notebook_folder() / f"{notebook}.ipynb")
    except ReportError:
        return {}
    return {name: parameter.default for name, parameter in declared.items()}
