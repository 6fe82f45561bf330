"""What study.yml says of a village panel: its key, outcomes, treatment and covariates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from evaluation.data.money import parse_money
from evaluation.data.study_files import (
    AnyColumn,
    AnyKey,
    AnyYear,
    Column,
    FileName,
    Part,
    TableFile,
    Text,
    Unit,
)
from evaluation.errors import suggest

IncomeKind = Literal["operating", "contracted", "investment", "subsidy", "other", "total"]
"""Kinds of collective income; total is what the file gives as the sum of the others."""

_NO_TRAITS = (  # what tables of villages have columns of their own for
    "village", "year", "county", "town", "name", "cohort", "event_time", "longitude",
    "latitude", "gain", "gain_yuan", "conf_low", "conf_high", "p_value", "spread", "variance",
    "n_placebos", "n_treated", "n_untreated", "untreated_years", "treated_years", "reason",
)  # fmt: skip


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


class Analysis(Part):
    """The scale that the main outcome is analysed on.

    Attributes
    ----------
    scale
        level: as it is; log; per_capita: divided by ``per``.
    per
        The covariate that per_capita divides by, year by year.
    zeros
        What log does with an outcome of zero: an error, missing (left out and counted), or
        add_one, log(1 + outcome), which depends on the outcome's unit.
    """

    scale: Literal["level", "log", "per_capita"] = "level"
    per: str | None = None
    zeros: Literal["error", "missing", "add_one"] = "error"

    @model_validator(mode="after")
    def _options_of_the_scale(self) -> Analysis:
        if (self.scale == "per_capita") != (self.per is not None):
            raise ValueError("per goes with scale: per_capita, and names a covariate")
        if "zeros" in self.model_fields_set and self.scale != "log":
            raise ValueError("zeros goes with scale: log, and only with it")
        return self


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
    analysis
        The scale that the main outcome is analysed on; the level unless said otherwise.
    treatment
        When villages were first treated; without it the panel has no cohorts.
    covariates, weights
        Further columns by name, and the name of the one to weigh villages by.
    traits
        Columns of words that a village has whatever the year, by name.
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
    analysis: Analysis = Analysis()
    treatment: Treatment | None = None
    covariates: dict[str, AnyColumn] = {}
    weights: str | None = None
    traits: dict[str, str] = {}
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
        taken += self.traits
        if doubled := sorted({name for name in taken if taken.count(name) > 1}):
            raise ValueError(f"two variables are called {doubled[0]!r}")
        if own := [name for name in self.traits if name in _NO_TRAITS]:
            raise ValueError(f"traits: {own[0]!r} has another meaning; name it differently")
        if self.outcome not in ("", *names):
            raise ValueError(f"outcome {self.outcome!r} is none of {', '.join(names)}")
        if self.weights is not None and self.weights not in self.covariates:
            raise ValueError(f"weights {self.weights!r} is not among the covariates")
        if set(self.income) == {"subsidy"}:
            raise ValueError("income has nothing but subsidies")
        return self

    @model_validator(mode="after")
    def _has_scale(self) -> PanelFile:
        scale, per = self.analysis.scale, self.analysis.per
        main = self.outcome or next(iter(self.outcomes if not self.income else ()), "")
        if scale != "level" and _stays_log(self.outcomes.get(main)):
            raise ValueError(
                f"analysis.scale: the outcome {main!r} is a logarithm already; give its unit "
                "if it is of money, or leave the scale out"
            )
        if per is not None and per not in self.covariates:
            named = suggest(per, self.covariates) if self.covariates else "there are none"
            raise ValueError(f"analysis.per: {per!r} is not among the covariates; {named}")
        if per is not None and _stays_log(self.covariates[per]):
            raise ValueError(f"analysis.per: {per!r} is a logarithm; give a column of levels")
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
    def number_columns(self) -> list[Column]:
        """All columns of numbers."""
        made = self.aggregate.outcomes.values() if self.aggregate else ()
        return [
            *self.income.values(),
            *self.outcomes.values(),
            *self.covariates.values(),
            *(Column(column=outcome.column, unit=outcome.unit) for outcome in made),
        ]

    @property
    def is_wide(self) -> bool:
        """Whether each year has columns of its own."""
        return self.year is None


def _stays_log(column: Column | None) -> bool:
    """Whether a column's logarithms are not brought back to levels, as those of money are."""
    return column is not None and column.scale != "level" and not parse_money(column.unit)
