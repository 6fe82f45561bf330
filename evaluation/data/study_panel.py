"""What study.yml says of a village panel: its key, outcomes, treatment and covariates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from evaluation.data.study_files import (
    AnyColumn,
    AnyKey,
    AnyYear,
    FileName,
    Part,
    TableFile,
    Text,
    Unit,
)

IncomeKind = Literal["operating", "contracted", "investment", "subsidy", "other", "total"]
"""Kinds of collective income; total is what the file gives as the sum of the others."""


class Treatment(Part):
    """When a village was first treated, by one of ``first_year``, ``treated``, ``date``.

    Attributes
    ----------
    first_year
        A column with the first treated year, empty for villages never treated.
    treated
        A column that is 1 in treated years and 0 in others.
    date
        A column of dates; the earliest one's year counts.
    reversals
        What to do with villages whose treatment switches off or comes twice: an error, drop
        them, or keep them as treated from the first year on.
    file
        Another file that the dates or years stand in, one row a village or a project.
    """

    first_year: str | None = None
    treated: str | None = None
    date: str | None = None
    reversals: Literal["error", "drop", "first_on"] = "error"
    file: TableFile | None = None
    village: AnyKey | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Treatment:
        if sum(map(bool, (self.first_year, self.treated, self.date))) != 1:
            raise ValueError("give one of first_year, treated, date")
        if (self.file is None) != (self.village is None):
            raise ValueError(
                "file and village go together: the other file, and its village key"
            )
        if self.file and self.treated:
            raise ValueError("from another file give first_year or date")
        return self


class Statistic(Part):
    """What is taken over the households or persons of a village in a year."""

    column: str
    statistic: Literal["mean", "median", "total", "share_below", "gini"]
    line: float | int | None = None
    unit: Unit = ""
    label: Text | None = None

    @model_validator(mode="after")
    def _line_for_share(self) -> Statistic:
        if (self.statistic == "share_below") != (self.line is not None):
            raise ValueError("a line goes with share_below, and only with it")
        return self


class Aggregate(Part):
    """How rows of households or persons become village-years."""

    outcomes: dict[str, Statistic] = Field(min_length=1)
    weights: str | None = None
    minimum: int = Field(5, ge=1)


class Coordinates(Part):
    """The columns of a village's place, in degrees (WGS 84)."""

    longitude: str
    latitude: str


class PanelFile(TableFile):
    """A village panel: one row a village and year, or one a village with a column a year.

    Attributes
    ----------
    village, year
        What identifies a row. For a wide file ``year`` is left out and columns are named
        with ``{year}``: ``"{year}年经营收入"``. A year as a number dates a cross-section.
    income
        Collective income by kind. The outcome ``income`` is made of them: subsidies are left
        out unless ``subsidies`` says otherwise.
    outcomes
        Other outcomes, by name.
    outcome
        The main one; by default income, else the first.
    treatment
        When villages were first treated; without it the panel has no cohorts.
    covariates, weights
        Further columns by name, and the name of the one to weigh villages by.
    aggregate
        Where rows are households or persons.
    renamed
        Former names of villages, by the name that they have now.
    hedged
        What to do with figures such as "10余万": an error, or keep them as bounds.
    """

    village: AnyKey
    year: AnyYear | None = None
    income: dict[IncomeKind, AnyColumn] = {}
    subsidies: Literal["excluded", "included"] = "excluded"
    outcomes: dict[str, AnyColumn] = {}
    outcome: str = ""
    treatment: Treatment | None = None
    covariates: dict[str, AnyColumn] = {}
    weights: str | None = None
    coordinates: Coordinates | None = None
    boundaries: FileName | None = None
    aggregate: Aggregate | None = None
    renamed: dict[str, str] = {}
    hedged: Literal["error", "bounds"] = "error"

    @model_validator(mode="after")
    def _has_outcome(self) -> PanelFile:
        names = [*self.outcomes, *(self.aggregate.outcomes if self.aggregate else ())]
        names += ["income"] if self.income else []
        if not names:
            raise ValueError("no outcome: give income, outcomes or aggregate")
        if self.aggregate and (self.income or self.outcomes):
            raise ValueError("with aggregate, name all outcomes below it")
        taken = [*names, *self.covariates, *(f"income_{kind}" for kind in self.income)]
        if doubled := sorted({name for name in taken if taken.count(name) > 1}):
            raise ValueError(f"two variables are called {doubled[0]!r}")
        if self.outcome not in ("", *names):
            raise ValueError(f"outcome {self.outcome!r} is none of {', '.join(names)}")
        if self.weights is not None and self.weights not in self.covariates:
            raise ValueError(f"weights {self.weights!r} is not among the covariates")
        if set(self.income) == {"subsidy"}:
            raise ValueError("income has nothing but subsidies")
        return self

    @model_validator(mode="after")
    def _has_years(self) -> PanelFile:
        columns = [*self.income.values(), *self.outcomes.values(), *self.covariates.values()]
        if self.year is None and not any("{year}" in column.column for column in columns):
            raise ValueError(
                "no year: name the column of years, or write {year} in the names of columns "
                "that stand once a year"
            )
        return self

    @property
    def is_wide(self) -> bool:
        """Whether each year has columns of its own."""
        return self.year is None
