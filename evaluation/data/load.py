"""A study's village data, all files together: loaded, or all that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd

from evaluation.data.activities import read_indicators, read_projects
from evaluation.data.ledger import FundingLedger
from evaluation.data.ledger_reader import read_ledger
from evaluation.data.narrow import narrow_data
from evaluation.data.panel import VillagePanel
from evaluation.data.panel_reader import read_panel
from evaluation.data.problems import Problem, Problems
from evaluation.data.pseudonyms import pseudonymise, read_pseudonyms
from evaluation.data.study import Study
from evaluation.display import ShowsSummary
from evaluation.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StudyData(ShowsSummary):
    """What a study's files hold; None for what it has not.

    Attributes
    ----------
    projects, indicators
        As evaluation.data.activities gives them.
    problems
        Warnings and notes on all files.
    """

    study: Study
    panel: VillagePanel | None
    ledger: FundingLedger | None
    projects: pd.DataFrame | None
    indicators: pd.DataFrame | None
    problems: tuple[Problem, ...]

    def summary(self) -> str:
        """Say the title, and in the lines after it what each file holds."""
        files = [part for part in (self.panel, self.ledger) if part]
        tables = {"projects": self.projects, "indicators": self.indicators}
        lines = [f"{part.source}: {part.summary()}" for part in files]
        lines += [f"{name}: {len(t):,} rows" for name, t in tables.items() if t is not None]
        title, *_ = self.study.summary().split("\n")
        return "\n".join([title, *lines])


def load_data(study: Study) -> StudyData:
    """Load a study's panel, ledger, projects and indicators, under pseudonyms if it has any.

    All files are checked whole; of a study that is restricted to a county, what is not that
    county's is left out then.

    Raises
    ------
    DataError
        With all that is wrong in any file, as ``evaluation check`` lists it; or if the county
        has no treated village.

    Examples
    --------
    >>> data = load_data(Study.load("data/jining_simulated"))
    >>> data.panel.years[0], data.panel.years[-1]
    (np.int64(2014), np.int64(2022))
    """
    data, problems = check_data(study)
    problems.raise_errors()
    assert data is not None
    data = narrow_data(data)
    if study.pseudonyms:
        return pseudonymise(data, read_pseudonyms(study.pseudonyms))
    return data


def check_data(study: Study) -> tuple[StudyData | None, Problems]:
    """Load a study's village data and collect all problems; None if there are errors."""
    problems = Problems()
    panel = ledger = projects = indicators = None
    with _collect(study, problems):
        panel = read_panel(study, problems)
    with _collect(study, problems):
        ledger = read_ledger(study, panel, problems)
    with _collect(study, problems):
        projects = read_projects(study, panel, problems)
        indicators = read_indicators(study, panel, problems)
    if problems.errors:
        return None, problems
    return StudyData(
        study=study,
        panel=panel,
        ledger=ledger,
        projects=projects,
        indicators=indicators,
        problems=tuple(problems),
    ), problems


@contextmanager
def _collect(study: Study, problems: Problems) -> Iterator[None]:
    """Add what is raised, such as a price index that lacks a year, and go on."""
    try:
        yield
    except DataError as error:
        problems.take(error, study.file.name)
