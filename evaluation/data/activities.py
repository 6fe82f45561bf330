"""Projects, and indicators by pillar: tables of their own beside the panel."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.data.cells import read_dates, read_numbers, read_stated_years
from evaluation.data.coded import read_words
from evaluation.data.matching import match_villages
from evaluation.data.matrices import plain_amounts
from evaluation.data.opening import open_table
from evaluation.data.panel import VillagePanel
from evaluation.data.problems import Problems
from evaluation.data.schema import INDICATORS, PROJECTS, check_contract
from evaluation.data.study import Study
from evaluation.data.villages import Positions

_PILLARS = {
    "抓党建": "party_building",
    "党建": "party_building",
    "兴产业": "industry",
    "产业": "industry",
    "惠民生": "livelihood",
    "民生": "livelihood",
    "带队伍": "secretary_team",
    "队伍": "secretary_team",
}


def read_projects(
    study: Study, panel: VillagePanel | None, problems: Problems
) -> pd.DataFrame | None:
    """Read a study's projects.

    Returns
    -------
    One row a project of a village of the panel: village, county, project, type, start (year),
    jobs, expected_return (nominal units of the currency a year); NaN where not given.
    """
    spec = study.projects
    if spec is None:
        return None
    expected = spec.expected_return
    columns = [*spec.village.model_dump().values(), spec.project, spec.type, spec.start]
    columns += [spec.jobs, expected.column if expected else None]
    table = open_table(study, spec, [c for c in columns if c], problems, may_be_empty=True)
    if table is None or panel is None:
        return None
    position = match_villages(table, spec.village, panel.villages, problems)
    frame = _places(panel, position, table.frame.index)
    frame["project"] = read_words(table, spec.project).to_array()
    frame["type"] = read_words(table, spec.type).to_array() if spec.type else ""
    frame["start"] = (
        read_dates(table, spec.start, problems).to_array() if spec.start else np.nan
    )
    missing = spec.missing
    frame["jobs"] = (
        read_numbers(table, spec.jobs, problems, missing=missing).values
        if spec.jobs
        else np.nan
    )
    frame["expected_return"] = np.nan
    if expected:
        numbers = read_numbers(
            table, expected.column, problems, unit=expected.unit, missing=missing
        )
        frame["expected_return"] = plain_amounts(numbers.values, expected)
    names = {"start": spec.start or "", "jobs": spec.jobs or ""}
    check_contract(frame, PROJECTS, table.name, table.row_word, problems, columns=names)
    return frame[position >= 0].reset_index(drop=True)


def read_indicators(
    study: Study, panel: VillagePanel | None, problems: Problems
) -> pd.DataFrame | None:
    """Read a study's indicators.

    Returns
    -------
    One row a village, year and indicator: village, county, year, pillar, indicator, value,
    unit.
    """
    spec = study.indicators
    if spec is None:
        return None
    columns = [*spec.village.model_dump().values(), spec.pillar, spec.indicator, spec.value]
    columns += [spec.unit, None if isinstance(spec.year, int) else spec.year.column]
    table = open_table(study, spec, [c for c in columns if c], problems, may_be_empty=True)
    if table is None or panel is None:
        return None
    position = match_villages(table, spec.village, panel.villages, problems)
    frame = _places(panel, position, table.frame.index)
    frame["year"] = read_stated_years(table, spec.year, problems).to_array()
    meanings = {**_PILLARS, **spec.pillars}
    pillars = read_words(table, spec.pillar).map(lambda word: meanings.get(word, word))
    frame["pillar"] = pillars.to_array()
    frame["indicator"] = read_words(table, spec.indicator).to_array()
    frame["value"] = read_numbers(table, spec.value, problems, missing=spec.missing).values
    frame["unit"] = read_words(table, spec.unit).to_array() if spec.unit else ""
    remedies = {"pillar": "Say what a word means under indicators.pillars."}
    names = {"pillar": spec.pillar, "value": spec.value}
    check_contract(
        frame,
        INDICATORS,
        table.name,
        table.row_word,
        problems,
        columns=names,
        remedies=remedies,
    )
    doubled = frame.duplicated(["village", "year", "indicator"], keep=False) & (position >= 0)
    if doubled.any():
        problems.add(
            "error",
            table.name,
            "several values of one indicator for a village and year",
            "Keep one.",
            row_word=table.row_word,
            rows=frame.index[doubled],
        )
    return frame[position >= 0].reset_index(drop=True)


def _places(
    panel: VillagePanel,
    position: Positions,
    rows: pd.Index[int],
) -> pd.DataFrame:
    keys = np.append(panel.villages.index.to_numpy(object), "")
    county = np.append(panel.villages["county"].to_numpy(object), "")
    return pd.DataFrame({"village": keys[position], "county": county[position]}, index=rows)
