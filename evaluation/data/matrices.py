"""The columns of a long file as village x year matrices, money in real units."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.cells import Numbers, read_numbers
from evaluation.data.coded import Floats
from evaluation.data.money import parse_money
from evaluation.data.panel import Variable
from evaluation.data.prices import find_far_cells, find_unit_drift, study_deflators
from evaluation.data.problems import Problems, name_cells
from evaluation.data.study import Study
from evaluation.data.study_files import Column, Scale
from evaluation.data.study_panel import PanelFile
from evaluation.data.tables import Table
from evaluation.data.villages import Positions, Villages
from evaluation.language import choose, say

_LARGEST_LOG = 50
_CHINESE = re.compile("[一-鿿]")


class Placer:
    """Puts the columns of a long file into matrices, money in real units."""

    def __init__(
        self,
        study: Study,
        panel: PanelFile,
        table: Table,
        villages: Villages,
        years: npt.NDArray[np.int64],
        at: Positions,
        shape: tuple[int, int],
        problems: Problems,
    ) -> None:
        self.study, self.panel, self.table = study, panel, table
        self.villages, self.years, self.at, self.shape = villages, years, at, shape
        self.problems = problems
        self.variables: dict[str, Variable] = {}
        self.hedged: list[dict[str, Any]] = []

    def all_columns(self) -> dict[str, Floats]:
        """Give the matrices of all outcomes, kinds of income and covariates."""
        panel = self.panel
        columns: list[tuple[str, Any, Column]] = []
        columns += [(name, "outcome", column) for name, column in panel.outcomes.items()]
        columns += [
            (f"income_{kind}", "income", column) for kind, column in panel.income.items()
        ]
        columns += [(name, "covariate", column) for name, column in panel.covariates.items()]
        matrices = {}
        for name, role, column in columns:
            matrices[name] = self.matrix_of(column, name)
            if role == "income" and column.scale == "level":
                self._report_negative(matrices[name], column)
            money = parse_money(column.unit)
            unit = column.unit
            if money:
                unit = "yuan" if money.currency == "CNY" else money.currency
            label = column.label.shown if column.label else ""
            self.variables[name] = Variable(
                name=name,
                role=role,
                label=label
                or self.table.labels.get(column.column, "")
                or choose(name, column.column if _CHINESE.search(column.column) else ""),
                unit=unit,
                scale="level" if money else column.scale,
                column=column.column,
                per_head=column.per_head,
            )
        return matrices

    def matrix_of(self, column: Column, name: str) -> Floats:
        """Give one column as a matrix, in real units if it is money."""
        panel, n_years = self.panel, self.shape[1]
        numbers: Numbers = read_numbers(
            self.table,
            column.column,
            self.problems,
            unit=column.unit,
            missing=panel.missing,
            keep_hedged=panel.hedged == "bounds" and column.scale == "level",
            may_hedge=column.scale == "level",
        )
        matrix = np.full(self.shape, np.nan)
        matrix.reshape(-1)[self.at] = numbers.values
        money = parse_money(column.unit)
        if money and column.scale == "level":
            self._report_drift(matrix, column)
        factors = self.factors_of(column)
        if money:
            if column.scale != "level":
                self._refuse_no_logs(matrix, column)
            to_level(matrix, column.scale)
            matrix *= factors
        for position, bounds in numbers.hedged.items():
            village, year = divmod(int(self.at[position]), n_years)
            self.hedged.append(
                {
                    "village": self.villages.frame.index[village],
                    "year": self.years[year],
                    "variable": name,
                    "printed": self.table.frame[column.column].iloc[position],
                    "lower": float(bounds.lower) * factors[year],
                    "upper": float(bounds.upper) * factors[year],
                }
            )
        return matrix

    def hedged_frame(self, keys: pd.Index[str]) -> pd.DataFrame:
        """Give the hedged figures of these villages that were kept as bounds."""
        columns = ["village", "year", "variable", "printed", "lower", "upper"]
        hedged = [figure for figure in self.hedged if figure["village"] in keys]
        if hedged:
            self.problems.add(
                "warning",
                self.table.name,
                say("hedged figures are kept as bounds; as points they are missing"),
                cells=[f"{h['village']} {h['year']}: {h['printed']}" for h in hedged],
            )
        return pd.DataFrame(hedged, columns=columns)

    @cached_property
    def _deflators(self) -> Floats:
        return study_deflators(self.study, self.years)

    def factors_of(self, column: Column) -> Floats:
        """Give by year what the column's numbers were multiplied by, to be real units."""
        money = parse_money(column.unit)
        return money.factor * self._deflators if money else np.ones(self.shape[1])

    def _name_cells(self, village: Positions, year: Positions) -> list[str]:
        return name_cells(self.villages.frame.index, self.years, village, year)

    def _report_negative(self, matrix: Floats, column: Column) -> None:
        if cells := self._name_cells(*np.nonzero(matrix < 0)):
            self.problems.add(
                "warning",
                self.table.name,
                say("negative income: a loss, or a slip?"),
                say("Nothing was changed."),
                column=column.column,
                cells=cells,
            )

    def _refuse_no_logs(self, matrix: Floats, column: Column) -> None:
        """Refuse what is no logarithm of money, such as -999 for a missing value."""
        village, year = np.nonzero(np.abs(matrix) > _LARGEST_LOG)
        if len(village):
            named = zip(self._name_cells(village, year), matrix[village, year], strict=True)
            self.problems.add(
                "error",
                self.table.name,
                f"not logarithms of money (beyond {_LARGEST_LOG} in size)",
                "Mend the scale, or name codes for missing values under missing.",
                column=column.column,
                cells=[f"{cell}: {value:g}" for cell, value in named],
            )
            matrix[village, year] = np.nan

    def _report_drift(self, matrix: Floats, column: Column) -> None:
        found = find_unit_drift(matrix, self.years, self.villages.frame["county"])
        if not found:
            found = self._name_cells(*find_far_cells(matrix).T)
        if found:
            self.problems.add(
                "warning",
                self.table.name,
                say("amounts of another order than the others: is the unit another there?"),
                say("Nothing was changed. Mend the file, or split it by unit."),
                column=column.column,
                cells=found,
            )


def plain_amounts(values: Floats, column: Column) -> Floats:
    """Give a column's numbers as amounts of one unit of the currency, in nominal money."""
    money, level = parse_money(column.unit), values.copy()
    to_level(level, column.scale)
    return level * (money.factor if money else 1)


def to_level(values: Floats, scale: Scale) -> None:
    """Bring logarithms back to levels, in place."""
    if scale != "level":
        (np.exp if scale == "log" else np.expm1)(values, out=values)
