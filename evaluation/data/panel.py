"""VillagePanel: outcomes as village x year matrices, cohorts, and what is known of villages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.money import parse_money
from evaluation.data.problems import Problem
from evaluation.display import ShowsSummary
from evaluation.errors import DesignError, suggest

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What a matrix of a panel holds.

    Attributes
    ----------
    name
        Its name in the panel.
    role
        outcome, income (a kind of it), covariate.
    label
        What a reader sees.
    unit
        "yuan" (or another currency's code) for money, in real prices; else as declared.
    scale
        level, log or log1p.
    column
        The column of the file that it was read from.
    per_head
        Whether it is a person's.
    """

    name: str
    role: Literal["outcome", "income", "covariate"]
    label: str
    unit: str
    scale: str
    column: str
    per_head: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeScale:
    """The scale that the main outcome is analysed on, as study.yml's panel.analysis says it.

    Attributes
    ----------
    form
        level, log or per_capita.
    per
        The covariate that per_capita divides by.
    zeros
        What log does with an outcome of zero: error, missing, or add_one, log(1 + outcome).
    """

    form: Literal["level", "log", "per_capita"] = "level"
    per: str | None = None
    zeros: Literal["error", "missing", "add_one"] = "error"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VillagePanel(ShowsSummary):
    """Villages observed over years.

    Attributes
    ----------
    villages
        One row a village, index "village" (the key): county, town, name, longitude and
        latitude where known, the traits (words, "" where not known), cohort (first treated
        year, NaN for never treated).
    years
        The T years observed, ascending.
    matrices
        N x T matrices by variable, NaN where missing. Money is in real units of the currency
        (yuan of the base year).
    variables
        What each matrix holds.
    outcome
        The name of the main outcome.
    rows
        N x T: whether the file has a row for that village and year.
    hedged
        Hedged figures, kept as bounds: village, year, variable, lower, upper (in the same
        units as the matrices, where they are missing).
    weights
        The covariate to weigh villages by, if any.
    traits
        The columns of ``villages`` that are traits.
    analysis
        The scale that the main outcome is analysed on; its matrix is the level.
    price_year
        Whose prices money is in; None without money, and where it is nominal.
    source
        The name of the file.
    problems
        What was found on reading, errors apart.
    """

    villages: pd.DataFrame
    years: npt.NDArray[np.int64]
    matrices: Mapping[str, Floats]
    variables: Mapping[str, Variable]
    outcome: str
    rows: Bools
    hedged: pd.DataFrame
    weights: str | None = None
    traits: tuple[str, ...] = ()
    analysis: OutcomeScale = OutcomeScale()
    price_year: int | None = None
    source: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def n_villages(self) -> int:
        """How many villages there are."""
        return len(self.villages)

    @property
    def cohort(self) -> Floats:
        """First treated year by village, NaN for never treated."""
        return self.villages["cohort"].to_numpy(np.float64)

    @property
    def is_treated(self) -> Bools:
        """Whether a village is ever treated, in or after the years observed."""
        return ~np.isnan(self.cohort)

    @property
    def treated_cells(self) -> Bools:
        """N x T: whether a village was treated in a year."""
        with np.errstate(invalid="ignore"):
            return self.years >= self.cohort[:, None]

    @property
    def treated_from_start(self) -> Bools:
        """Whether a treated village has no row of an untreated year."""
        return self.is_treated & ~(self.rows & ~self.treated_cells).any(axis=1)

    @property
    def has_before_after(self) -> Bools:
        """Whether a village's outcome is known in an untreated and in a treated year."""
        known, treated = np.isfinite(self.matrix()), self.treated_cells
        return np.asarray((known & treated).any(axis=1) & (known & ~treated).any(axis=1))

    @property
    def has_comparison(self) -> bool:
        """Whether changes can be compared.

        They can if a village with an outcome before and after has it in a treated year in
        which another, untreated village has it too, and in a further untreated year.
        """
        known, treated = np.isfinite(self.matrix()), self.treated_cells
        after = (known & treated)[self.has_before_after].any(axis=0)
        untreated = known & ~treated
        beside = untreated[untreated.sum(axis=1) > 1].any(axis=0)
        return bool((after & beside).any())

    def matrix(self, name: str = "") -> Floats:
        """Give a variable as an N x T matrix; the main outcome by default.

        Raises
        ------
        DesignError
            If the panel has no such variable.
        """
        name = name or self.outcome
        if name not in self.matrices:
            raise DesignError(
                f"the panel has no variable {name!r}; {suggest(name, self.matrices)}"
            )
        return self.matrices[name]

    def to_frame(self) -> pd.DataFrame:
        """Give the tidy frame: one row a village and year that the file has a row for.

        Returns
        -------
        DataFrame with village, year, county, town, name, cohort, the traits, event_time (year
        - cohort) and a column for every variable.
        """
        at_village, at_year = np.nonzero(self.rows)
        frame = self.villages.iloc[at_village].reset_index()
        frame.insert(1, "year", self.years[at_year])
        frame["event_time"] = frame["year"] - frame["cohort"]
        for name, values in self.matrices.items():
            frame[name] = values[at_village, at_year]
        return frame

    def summary(self) -> str:
        """Say in a few lines what the panel holds."""
        outcome = self.variables[self.outcome]
        known = np.isfinite(self.matrix())
        prices = f", prices of {self.price_year}" if self.price_year else ", nominal"
        money = prices if parse_money(outcome.unit) else ""
        first, last = self.years[0], self.years[-1]
        span = f"{first}-{last}" if len(self.years) > 1 else str(first)
        return (
            f"{self.n_villages:,} villages, {span}, {int(self.rows.sum()):,} rows\n"
            f"outcome {outcome.name} ({outcome.column}): {int(known.sum()):,} values"
            f"{f' in {outcome.unit}' if outcome.unit else ''}{money}\n"
            f"{int(self.is_treated.sum()):,} treated villages, "
            f"{int((~self.is_treated).sum()):,} never treated"
        )
