"""Households or persons as village-years: means, medians, totals, shares, Ginis."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.cells import read_dates, read_numbers, read_truths, read_years
from evaluation.data.coded import Floats, distinct_cells, read_words
from evaluation.data.problems import Problems, report_rows
from evaluation.data.study_files import Column
from evaluation.data.study_panel import PanelFile, Statistic, Treatment
from evaluation.data.tables import Table
from evaluation.data.traits import agree_on_words
from evaluation.language import mark, say

Groups = npt.NDArray[np.integer[Any]]
_MADE = {
    "mean": mark("{name}: mean of {column}"),
    "median": mark("{name}: median of {column}"),
    "total": mark("{name}: total of {column}"),
    "share_below": mark("{name}: share_below of {column}"),
    "gini": mark("{name}: gini of {column}"),
}
_IN_UNITS = ("mean", "median", "total")


def aggregate_rows(
    table: Table, panel: PanelFile, problems: Problems
) -> tuple[Table, PanelFile]:
    """Turn rows of households or persons into one row a village and year.

    Parameters
    ----------
    table
        The file, one row a household or person.
    panel
        What it holds; ``panel.aggregate`` says what is taken.
    problems
        Takes cells that are no numbers, weights that are not positive (errors), and
        village-years with fewer rows than the minimum (a warning; their outcomes are missing).

    Returns
    -------
    table
        One row a village and year: the columns of village and year as in the file, and one
        for each outcome, for the treatment (1 if it is of any row; the first year or date),
        for traits (the word that all rows have) and for covariates and coordinates (means,
        weighted as the outcomes are). Rows with a missing value or weight are left out of what
        they lack.
    panel
        The same study of that table. A unit of money stays with means, medians and totals
        alone: a share or a Gini is not money.
    """
    assert panel.aggregate is not None
    key = [c for c in panel.village.model_dump().values() if c]
    key += [panel.year.column] if panel.year and not isinstance(panel.year, int) else []
    # Village-years are numbered by what the cells say, so that 1 and 1.0 are one.
    words = pd.DataFrame({column: read_words(table, column).to_array() for column in key})
    if panel.year and not isinstance(panel.year, int):  # its codes, not their labels
        texts, codes = distinct_cells(table.frame[panel.year.column])
        words[panel.year.column] = np.array(texts, dtype=object)[codes]
    numbered = words.groupby(key, sort=False, dropna=False)
    group, n = numbered.ngroup().to_numpy(np.intp), numbered.ngroups
    frame = words[~words.duplicated()].reset_index(drop=True)
    frame.index = pd.RangeIndex(1, n + 1)
    spec = panel.aggregate
    weights = np.ones(len(group))
    if spec.weights:
        weights = read_numbers(table, spec.weights, problems, missing=panel.missing).values
        wrong = ~(weights > 0) & ~np.isnan(weights)
        remedy = "Leave the weight empty where a row does not count."
        told = "weights that are not positive"
        report_rows(table, problems, spec.weights, wrong, told, remedy)
        weights = np.where(wrong, np.nan, weights)
    few = np.zeros(n, dtype=bool)
    outcomes: dict[str, Column] = {}
    for name, outcome in spec.outcomes.items():
        values = read_numbers(
            table, outcome.column, problems, unit=outcome.unit, missing=panel.missing
        ).values
        used = np.isfinite(values) & np.isfinite(weights)
        result = take_statistic(values[used], group[used], n, outcome, weights[used])
        small = np.bincount(group[used], minlength=n) < spec.minimum
        made = _name_statistic(name, outcome)
        frame[made] = np.where(small, np.nan, result)
        unit = outcome.unit if outcome.statistic in _IN_UNITS else ""
        outcomes[name] = Column(column=made, unit=unit, label=outcome.label)
        few |= small
        if outcome.statistic == "gini":
            told, remedy = "negative values have no Gini", "Take another statistic."
            report_rows(table, problems, outcome.column, used & (values < 0), told, remedy)
    if few.any():
        cells = [" ".join(row) for row in frame.loc[few, key].to_numpy(str)]
        problems.add(
            "warning",
            table.name,
            say(
                "village-years with fewer than {n} rows: their outcomes are missing",
                n=spec.minimum,
            ),
            say("Lower aggregate.minimum to keep them."),
            cells=cells,
        )
    changed: dict[str, Any] = {"outcomes": outcomes, "aggregate": None}
    if (treatment := panel.treatment) and not treatment.file:
        if treatment.treated:
            kind, column = "treated", treatment.treated
            on = read_truths(table, column, problems).to_array()
            result = np.asarray(pd.Series(on).groupby(group).max(), dtype=np.float64)
        else:
            kind = "first_year"
            column = str(treatment.first_year or treatment.date)
            result = _first_years(table, treatment, group, problems)
        frame[f"treatment: {column}"] = result
        new = {"date": None, kind: f"treatment: {column}"}
        changed["treatment"] = treatment.model_copy(update=new)

    def take_mean(name: str, column: Column) -> Column:
        values = read_numbers(
            table, column.column, problems, unit=column.unit, missing=panel.missing
        ).values
        used = np.isfinite(values) & np.isfinite(weights)
        mean = Statistic(column=column.column, statistic="mean")
        made = _name_statistic(name, mean)
        frame[made] = take_statistic(values[used], group[used], n, mean, weights[used])
        return column.model_copy(update={"column": made})

    for column in panel.traits.values():
        frame[column] = agree_on_words(table, panel, column, group, n, problems)
    changed["covariates"] = {
        name: take_mean(name, column) for name, column in panel.covariates.items()
    }
    if panel.coordinates:
        places = {
            name: take_mean(name, Column(column=column)).column
            for name, column in panel.coordinates.model_dump().items()
        }
        changed["coordinates"] = panel.coordinates.model_copy(update=places)
    note = say("{rows:,} rows became {n:,} village-years", rows=len(group), n=n)
    made_of = replace(
        table, frame=frame, row_word="village-year", value_labels={}, notes=(*table.notes, note)
    )
    problems.add("note", table.name, note)
    return made_of, panel.model_copy(update=changed)


def _name_statistic(name: str, made_of: Statistic) -> str:
    """Name the column that a statistic makes: "income: mean of 人均纯收入"."""
    return say(_MADE[made_of.statistic], name=name, column=made_of.column)


def _first_years(
    table: Table, treatment: Treatment, group: Groups, problems: Problems
) -> Floats:
    """Give each village-year's first treated year, NaN where none of its rows has one."""
    if treatment.date:
        return _smallest(read_dates(table, treatment.date, problems).to_array(), group)
    column = str(treatment.first_year)
    years = read_years(table, column, problems, required=False).to_array()
    first = _smallest(years, group)
    differ = ~np.isnan(first[group]) & (years != first[group])
    told = "the first treated year differs between the rows of a village and year"
    remedy = "Give one year in all rows of a village, or none in any."
    report_rows(table, problems, column, differ, told, remedy)
    return first


def _smallest(values: Floats, group: Groups) -> Floats:
    return np.asarray(pd.Series(values).groupby(group).min(), dtype=np.float64)


def take_statistic(
    values: Floats, group: Groups, n: int, outcome: Statistic, weights: Floats
) -> Floats:
    """Take one statistic in each of ``n`` groups; NaN where a group is empty.

    Parameters
    ----------
    values, weights
        Finite numbers; weights positive.
    group
        Which group each is in, 0 to n - 1.

    Notes
    -----
    With x sorted in a group, weights w, their sum W and cumulated weights c:
    median = the x at which c passes W / 2 (the mean of two where c equals it);
    Gini = 2 sum(w x (c - w / 2)) / (W sum(w x)) - 1.

    Examples
    --------
    >>> gini = Statistic(column="x", statistic="gini")
    >>> take_statistic(np.array([1.0, 3.0]), np.array([0, 0]), 1, gini, np.ones(2))
    array([0.25])
    """
    total = np.bincount(group, weights, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        if outcome.statistic == "mean":
            return np.asarray(np.bincount(group, weights * values, n) / total)
        if outcome.statistic == "total":
            return np.where(total > 0, np.bincount(group, weights * values, n), np.nan)
        if outcome.statistic == "share_below":
            below = weights * (values < float(outcome.line or 0))
            return np.asarray(np.bincount(group, below, n) / total)
        order = np.lexsort((values, group))
        x, w, g = values[order], weights[order], group[order]
        before = np.concatenate([[0.0], np.cumsum(total)[:-1]])
        if outcome.statistic == "gini":
            middle = np.cumsum(w) - w / 2 - before[g]
            twice = 2 * np.bincount(g, w * x * middle, n)
            return np.asarray(twice / (total * np.bincount(g, w * x, n)) - 1)
    return _medians(x, w, g, n, total.astype(float))


def _medians(x: Floats, w: Floats, g: Groups, n: int, total: Floats) -> Floats:
    medians = np.full(n, np.nan)
    ends = np.searchsorted(g, np.arange(n), side="right")
    starts = np.searchsorted(g, np.arange(n), side="left")
    for i in np.flatnonzero(total > 0):
        own = slice(starts[i], ends[i])
        cumulated = np.cumsum(w[own])
        half = cumulated[-1] / 2
        place = int(np.searchsorted(cumulated, half))
        tied = np.isclose(cumulated[place], half, rtol=1e-12) and place + 1 < len(cumulated)
        medians[i] = x[own][place : place + 2].mean() if tied else x[own][place]
    return medians
