"""A file as a village panel: checked cell by cell, money in real units, nothing filled in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.cells import read_stated_years
from evaluation.data.coded import Floats
from evaluation.data.income import compose_income
from evaluation.data.matrices import Placer
from evaluation.data.microdata import aggregate_rows
from evaluation.data.opening import find_yearly, open_table
from evaluation.data.panel import OutcomeScale, VillagePanel
from evaluation.data.problems import Problems, name_cells
from evaluation.data.schema import COORDINATES, check_contract
from evaluation.data.study import Study
from evaluation.data.study_files import Column, YearColumn
from evaluation.data.study_panel import PanelFile
from evaluation.data.succession import report_successions
from evaluation.data.tables import Table
from evaluation.data.traits import read_traits
from evaluation.data.treatment import read_cohorts, report_untreated
from evaluation.data.villages import Positions, lost_digits, read_villages
from evaluation.language import say

_YEAR = "{year}"  # what the column of years is called that a wide file gets


def read_panel(study: Study, problems: Problems) -> VillagePanel | None:
    """Read a study's panel.

    Parameters
    ----------
    study
        Its ``panel`` says what the file holds.
    problems
        Takes all that is wrong. With errors the panel is None, or has the villages and years
        alone to rely on.
    """
    panel = study.panel
    if panel is None:
        return None
    table = open_table(study, panel, _columns(panel), problems)
    other = None
    if panel.treatment and panel.treatment.file and panel.treatment.village:
        wanted = [panel.treatment.first_year or panel.treatment.date]
        wanted += panel.treatment.village.model_dump().values()
        other = open_table(study, panel.treatment.file, [c for c in wanted if c], problems)
    if table is None or (other is None and panel.treatment and panel.treatment.file):
        return None
    if panel.is_wide:
        table, panel = _lengthen(table, panel, problems)
    if panel.aggregate:
        table, panel = aggregate_rows(table, panel, problems)
    return _build(study, panel, table, other, problems)


def _build(
    study: Study, panel: PanelFile, table: Table, other: Table | None, problems: Problems
) -> VillagePanel | None:
    assert panel.year is not None  # a wide file was lengthened
    years = read_stated_years(table, panel.year, problems)
    villages = read_villages(table, panel.village, years, problems, renamed=panel.renamed)
    if panel.village.code and lost_digits(villages.frame.index).any():
        return None  # which was reported; rows of many villages look like one
    cohort, kept = np.full(len(villages.frame), np.nan), np.ones(len(villages.frame), bool)
    if panel.treatment:
        cohort, kept = read_cohorts(
            table,
            panel.treatment,
            villages,
            years,
            problems,
            other=other,
            missing=panel.treatment.file.missing if panel.treatment.file else panel.missing,
        )
    used = np.unique(years.values[np.flatnonzero(np.bincount(years.codes))])
    if np.isnan(used).any():
        return None  # which was reported; cells cannot be placed
    span = used.astype(np.int64)
    place_of = np.searchsorted(used, years.values).astype(np.int32)
    at = villages.of_row * len(span) + place_of[years.codes]
    shape = len(villages.frame), len(span)
    rows = np.zeros(shape, dtype=bool)
    rows.reshape(-1)[at] = True
    if int(rows.sum()) < len(at):
        _report_doubles(table, villages.frame.index, span, at, problems)
    report_successions(table, villages.frame, span, rows, problems)
    place = Placer(study, panel, table, villages, span, at, shape, problems)
    matrices = place.all_columns()
    if coordinates := panel.coordinates:
        for name, column in coordinates.model_dump().items():
            villages.frame[name] = _by_village(place.matrix_of(Column(column=column), name))
        check_contract(
            villages.frame, COORDINATES, table.name, "village", problems,
            columns=coordinates.model_dump(),
            remedies=dict.fromkeys(coordinates.model_dump(), "Are the two swapped?"),
        )  # fmt: skip
    frame = villages.frame.join(read_traits(table, panel, villages, years, problems))
    # With an error the panel only serves to check the other files: its warnings may be false.
    told = Problems() if problems.errors else problems
    variables = place.variables
    if panel.income:
        income, variable = compose_income(
            panel, table, matrices, variables, told,
            factors={kind: place.factors_of(column) for kind, column in panel.income.items()},
            villages=villages.frame.index, years=span,
        )  # fmt: skip
        matrices, variables = {"income": income, **matrices}, {"income": variable, **variables}
    outcome = panel.outcome or next(n for n, v in variables.items() if v.role == "outcome")
    frame = frame.assign(cohort=cohort)
    if not kept.all():
        frame, rows = frame[kept], rows[kept]
        matrices = {name: matrix[kept] for name, matrix in matrices.items()}
    values = matrices[outcome]
    if panel.treatment:
        observed = np.isfinite(values)
        report_untreated(table, frame["cohort"].to_numpy(), observed, list(span), frame.index,
                         told)  # fmt: skip
    _report_gaps(table, span, values, frame.index, outcome, told)
    if told is not problems:
        problems.found += told.errors
    return VillagePanel(
        villages=frame,
        years=span,
        matrices=matrices,
        variables=variables,
        outcome=outcome,
        rows=rows,
        hedged=place.hedged_frame(frame.index),
        weights=panel.weights,
        traits=tuple(panel.traits),
        analysis=OutcomeScale(
            form=panel.analysis.scale, per=panel.analysis.per, zeros=panel.analysis.zeros
        ),
        price_year=study.price_year,
        source=table.name,
        problems=tuple(problems),
    )


def _columns(panel: PanelFile) -> list[str]:
    """List the columns that the study names in the panel's file."""
    names = list(panel.village.model_dump().values())
    names += [panel.year.column] if panel.year and not isinstance(panel.year, int) else []
    columns = [*panel.income.values(), *panel.outcomes.values(), *panel.covariates.values()]
    names += [column.column for column in columns]
    names += panel.traits.values()
    if panel.treatment and not panel.treatment.file:
        names += [panel.treatment.first_year, panel.treatment.treated, panel.treatment.date]
    if panel.aggregate:
        names += [outcome.column for outcome in panel.aggregate.outcomes.values()]
        names += [panel.aggregate.weights]
    names += panel.coordinates.model_dump().values() if panel.coordinates else []
    return list(dict.fromkeys(name for name in names if name))


def _lengthen(table: Table, panel: PanelFile, problems: Problems) -> tuple[Table, PanelFile]:
    """Turn a wide file, whose columns are named with {year}, into a long one."""
    columns = _columns(panel)
    at = {n: find_yearly(n, map(str, table.frame)) for n in columns if "{year}" in n}
    fixed = [name for name in columns if name not in at]
    parts = []
    years = sorted({year for found in at.values() for year in found})
    lost = [name.replace("{year}", y) for name, found in at.items() for y in years
            if y not in found]  # fmt: skip
    if lost:
        message = say("columns that other years have are not there: missing in these")
        problems.add("warning", table.name, message, cells=lost)
    for year in years:
        part = table.frame[fixed].copy()
        part[_YEAR] = year
        for name, found in at.items():
            part[name] = table.frame[found[year]] if year in found else np.nan
        parts.append(part)
    long = pd.concat(parts)
    for name in at:
        if not pd.api.types.is_numeric_dtype(long[name]):
            long[name] = long[name].fillna("")
    named = panel.model_copy(update={"year": YearColumn(column=_YEAR)})
    return replace(table, frame=long), named


def _by_village(matrix: Floats) -> Floats:
    """Take each village's first known value."""
    known = np.isfinite(matrix)
    first = matrix[np.arange(len(matrix)), known.argmax(axis=1)]
    return np.where(known.any(axis=1), first, np.nan)


def _report_doubles(
    table: Table,
    keys: pd.Index[str],
    span: npt.NDArray[np.int64],
    at: Positions,
    problems: Problems,
) -> None:
    doubled = pd.Series(at).duplicated(keep=False).to_numpy()
    village, year = np.divmod(at[doubled], len(span))
    problems.add(
        "error",
        table.name,
        "several rows for one village and year",
        "Keep one row per village and year; if these are households, use panel.aggregate.",
        row_word=table.row_word,
        rows=table.frame.index[doubled],
        cells=name_cells(keys, span, village, year),
    )


def _report_gaps(
    table: Table,
    span: npt.NDArray[np.int64],
    values: Floats,
    keys: pd.Index[str],
    name: str,
    problems: Problems,
) -> None:
    """Report missing years, villages without any outcome, and gaps that hold a zero."""

    def warn(message: str, cells: list[str], remedy: str = "") -> None:
        if cells:
            problems.add("warning", table.name, message, remedy, cells=cells)

    lost = sorted(set(range(int(span[0]), int(span[-1]) + 1)) - set(span.tolist()))
    warn(say("years that no village has"), [str(year) for year in lost])
    known = np.isfinite(values)
    if not known.any(axis=1).all():
        told = say("villages without any value of {name}", name=name)
        warn(told, list(keys.to_numpy()[~known.any(axis=1)]))
    if len(span) < 3:
        return
    zero = values[:, 1:-1] == 0
    if zero.any():
        positive = values > 0
        before = np.logical_or.accumulate(positive, axis=1)[:, :-2]
        after = np.logical_or.accumulate(positive[:, ::-1], axis=1)[:, ::-1][:, 2:]
        village, year = np.nonzero(zero & before & after)
        warn(
            say(
                "zeros of {name} between years above zero: are they gaps filled with 0?",
                name=name,
            ),
            name_cells(keys, span, village, year + 1),
            say("Leave a cell empty where the value is not known. Nothing was changed."),
        )
