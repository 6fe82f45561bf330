"""Cohorts: the first treated year of every village, from a year, a date or an indicator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.cells import read_dates, read_truths, read_years
from evaluation.data.coded import Coded, Floats
from evaluation.data.matching import match_villages
from evaluation.data.problems import Level, Problems, report_rows
from evaluation.data.study_panel import Treatment
from evaluation.data.tables import Table
from evaluation.data.villages import Positions, Villages
from evaluation.language import say

Bools = npt.NDArray[np.bool_]


def read_cohorts(
    table: Table,
    treatment: Treatment,
    villages: Villages,
    years: Coded,
    problems: Problems,
    *,
    other: Table | None = None,
    missing: Sequence[str] = (),
) -> tuple[Floats, Bools]:
    """Give every village's first treated year.

    Parameters
    ----------
    table
        The panel's file.
    treatment
        How the file, or the ``other``, says it; ``missing`` are cells that say nothing.
    villages, years
        The village and year of every row of the panel's file.
    problems
        Takes contradictions, villages whose treatment switches off (an error, or a warning
        that says how many were dropped or kept), and files of villages that do not join.

    Returns
    -------
    cohort
        The first treated year by village, NaN where never treated.
    kept
        False for villages that ``reversals: drop`` leaves out.
    """
    n = len(villages.frame)
    kept = np.ones(n, dtype=bool)
    if treatment.treated:
        return _from_indicator(table, treatment, villages, years.to_array(), problems)
    source, of_row = table, villages.of_row
    if other is not None and treatment.village:
        source = other
        of_row = match_villages(other, treatment.village, villages.frame, problems)
    if treatment.date:
        values = read_dates(source, treatment.date, problems, missing=missing)
    else:
        column = str(treatment.first_year)
        values = read_years(source, column, problems, required=False, missing=missing)
    if other is None and treatment.first_year:
        # The same in all rows of a village: that of any of them, held against the others.
        distinct, same = np.unique(values.values, return_inverse=True)  # 2019 and 2019年
        codes = same.astype(np.int16)[values.codes]
        one = np.empty(n, dtype=np.int16)
        one[of_row] = codes
        differ = np.zeros(n, dtype=bool)
        differ[of_row[one[of_row] != codes]] = True
        low = distinct[one]
    else:
        low, high = _extremes(of_row, values.to_array(), n)
        differ = low < high
        if other is not None and treatment.date:  # several projects: the first counts
            differ[:] = False
    _report(
        problems,
        source,
        str(treatment.first_year or treatment.date),
        villages.frame.index[differ],
        "villages whose first treated year differs between rows",
        "Give one year in all rows of a village, or none in any.",
    )
    return low, kept


def report_untreated(
    table: Table, cohort: Floats, observed: Bools, years: Sequence[int], keys: pd.Index[str],
    problems: Problems,
) -> None:  # fmt: skip
    """Report treated villages with no untreated year, and panels with no comparison village.

    Parameters
    ----------
    cohort
        First treated year by village.
    observed
        Village x year: whether the outcome is known.
    """
    before = observed & (
        np.asarray(years) < np.where(np.isnan(cohort), np.inf, cohort)[:, None]
    )
    never_before = ~np.isnan(cohort) & ~before.any(axis=1) & observed.any(axis=1)
    _report(
        problems,
        table,
        "",
        keys[never_before],
        say("treated villages without an untreated year: no gain can be worked out for them"),
        say("Add years before the treatment, if there are any."),
        level="warning",
    )
    if not np.isnan(cohort).any() and len(cohort):
        problems.add(
            "warning",
            table.name,
            say("no village is never treated: comparisons rest on villages not yet treated"),
        )
    if np.isnan(cohort).all() and len(cohort):
        problems.add("warning", table.name, say("no village is ever treated"))


def _from_indicator(
    table: Table, treatment: Treatment, villages: Villages, years: Floats, problems: Problems
) -> tuple[Floats, Bools]:
    column = str(treatment.treated)
    on = read_truths(table, column, problems).to_array()
    keys, n = villages.frame.index, len(villages.frame)
    told = "rows that do not say whether the village was treated"
    report_rows(table, problems, column, np.isnan(on), told, "Write 1 or 0 in every row.")
    cohort, _ = _extremes(villages.of_row, np.where(on == 1, years, np.nan), n)
    off_after = (on == 0) & (years > cohort[villages.of_row])
    back = np.bincount(villages.of_row, off_after, n) > 0
    kept = np.ones(n, dtype=bool)
    if back.any() and treatment.reversals == "error":
        remedy = (
            "Set treatment.reversals to drop (leave them out) or first_on (keep them treated)."
        )
        _report(problems, table, column, keys[back], "villages whose treatment ends", remedy)
    elif back.any():
        dropped = treatment.reversals == "drop"
        kept = ~back if dropped else kept
        message = (
            say("villages whose treatment ends or comes twice, left out")
            if dropped
            else say(
                "villages whose treatment ends or comes twice, kept, as treated from the first "
                "year on"
            )
        )
        problems.add(
            "warning", table.name, message, column=column, cells=keys[back], left_out=dropped
        )
    untreated = np.where((on == 0) & (years < cohort[villages.of_row]), years, np.nan)
    _, last_off = _extremes(villages.of_row, untreated, n)
    gap = cohort - last_off
    ordinary = np.nanmin(gap) if np.isfinite(gap).any() else 1
    _report(
        problems,
        table,
        column,
        keys[gap > max(ordinary, 1)],
        say("villages with years missing just before the first treated one: it may be earlier"),
        "",
        level="warning",
    )
    return cohort, kept


def _extremes(of_row: Positions, values: Floats, n: int) -> tuple[Floats, Floats]:
    """Give each village's smallest and largest value, NaN where it has none."""
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    known = ~np.isnan(values) & (of_row >= 0)
    # Few distinct years: one pass a year is quicker than ufunc.at on millions of rows.
    for value in np.unique(values[known]):
        here = of_row[known & (values == value)]
        low[here] = np.minimum(low[here], value)
        high[here] = value
    low[np.isinf(low)] = np.nan
    high[np.isinf(high)] = np.nan
    return low, high


def _report(
    problems: Problems,
    table: Table,
    column: str,
    villages: pd.Index[str],
    message: str,
    remedy: str,
    *,
    level: Level = "error",
) -> None:
    if len(villages):
        problems.add(
            level,
            table.name,
            message,
            remedy,
            column=column,
            cells=list(villages),
        )
