"""What study.yml says of each data file but the panel, and what all of them share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from evaluation.data.money import check_unit, parse_money
from evaluation.language import choose

FundSource = Literal["fiscal", "dispatching_unit", "social", "credit", "own"]
Stage = Literal["committed", "received", "spent"]
Role = Literal["source", "use"]
Pillar = Literal["party_building", "industry", "livelihood", "secretary_team"]
Scale = Literal["level", "log", "log1p"]


class Part(BaseModel):
    """A part of study.yml: its keys are known, its types exact."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Text(Part):
    """A text in English, and in Chinese where there is one."""

    en: str
    zh: str = ""

    @property
    def shown(self) -> str:
        """The text in the language spoken, as far as there is one."""
        return choose(self.en, self.zh)


def _inside(name: str) -> str:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError("name a file inside the study's folder")
    return name


FileName = Annotated[str, AfterValidator(_inside)]
Unit = Annotated[str, AfterValidator(check_unit)]


class Area(Part):
    """A county, or the whole programme, as the files name it."""

    name: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    zh: str = ""


class Unquantified(Part):
    """Money that the text names without an amount: totals then have no upper bound."""

    county: str
    indicator: str
    claim: str


class ClaimFiles(Part):
    """The published claims: the table, its dictionary of indicators, the cross-checks."""

    file: FileName = "claims.csv"
    indicators: FileName = "indicators.csv"
    crosschecks: FileName | None = None
    unquantified: list[Unquantified] = []


class TableFile(Part):
    """A file of rows under named columns."""

    file: FileName
    sheet: str | None = None
    encoding: str | None = None
    header_rows: int | None = Field(None, ge=1, le=5)
    missing: list[str] = []


class Column(Part):
    """A column of numbers: what they are in, and on which scale.

    Money on the scale log or log1p (log of one more) is brought back to a level; a column
    without a unit of money is taken as it stands. ``per_head`` says that it is a person's, so
    that it is not set against a village's money.
    """

    column: str
    unit: Unit = ""
    scale: Scale = "level"
    per_head: bool = False
    label: Text | None = None


class Fixed(Part):
    """A value that holds for every row, where no column gives it."""

    value: str


def _column(given: object) -> object:
    return {"column": given} if isinstance(given, str) else given


AnyColumn = Annotated[Column, BeforeValidator(_column)]


class VillageKey(Part):
    """The columns that say which village a row is on.

    ``code`` is the 12-digit division code (行政区划代码), ``id`` any other identifier; without
    either a village is known by county, town and name together.
    """

    code: str | None = None
    id: str | None = None
    name: str | None = None
    town: str | None = None
    county: str | None = None

    @model_validator(mode="after")
    def _says_which(self) -> VillageKey:
        if self.code and self.id:
            raise ValueError("give code (12 digits) or id (any other), not both")
        if not (self.code or self.id or self.name):
            raise ValueError("give code, id, or name (with town and county)")
        return self


AnyKey = Annotated[
    VillageKey,
    BeforeValidator(lambda given: {"id": given} if isinstance(given, str) else given),
]


class YearColumn(Part):
    """A column of years; ``values`` says which year a code stands for ("0": 1991)."""

    column: str
    values: dict[str, int] = {}


FixedYear = Annotated[int, Field(ge=1900, le=2100)]
AnyYear = Annotated[YearColumn | FixedYear, BeforeValidator(_column)]


class LedgerFile(TableFile):
    """A funding ledger: one row an amount of money, or a row a village with a column a source.

    Attributes
    ----------
    village
        The columns of village, town and county; where the village is empty the money is
        pooled for the town or county.
    amount, source
        The column of amounts, and the one that says whose money it was; or
    amounts
        a column of amounts for each source, and ``total`` where the file gives it.
    sources, stages
        What the file's words mean, where they are none of those known.
    stage, role
        A column, or ``{value: ...}`` for all rows.
    shared_by
        How pooled money is shared out to villages: equally, or by a covariate of the panel
        (households, poor_households).
    """

    village: AnyKey
    year: AnyYear
    amount: AnyColumn | None = None
    source: str | Fixed | None = None
    amounts: dict[FundSource | Literal["total"], AnyColumn] = {}
    sources: dict[str, FundSource | Literal["total"]] = {}
    stage: str | Fixed = Fixed(value="received")
    stages: dict[str, Stage] = {}
    role: str | Fixed = Fixed(value="source")
    project: str | None = None
    shared_by: Literal["equal", "households", "poor_households"] | None = None

    @model_validator(mode="after")
    def _one_shape(self) -> LedgerFile:
        if bool(self.amounts) == (self.amount is not None):
            raise ValueError("give amount and source (one amount a row), or amounts by source")
        if self.amount and self.source is None:
            raise ValueError("source: whose money it was: a column, or {value: fiscal}")
        for column in (*self.amounts.values(), *([self.amount] if self.amount else [])):
            if not parse_money(column.unit):
                raise ValueError(f"{column.column}: say what money it is in, as in unit: 万元")
        return self

    @property
    def number_columns(self) -> list[Column]:
        """All columns of numbers."""
        return [*self.amounts.values(), *([self.amount] if self.amount else [])]


class ProjectsFile(TableFile):
    """Projects, one row each: type, start, jobs, expected return a year."""

    village: AnyKey
    project: str
    type: str | None = None
    start: str | None = None
    jobs: str | None = None
    expected_return: AnyColumn | None = None

    @property
    def number_columns(self) -> list[Column]:
        """All columns of numbers in a unit."""
        return [self.expected_return] if self.expected_return else []


class IndicatorsFile(TableFile):
    """Indicators by pillar, one row a village, year and indicator."""

    village: AnyKey
    year: AnyYear
    pillar: str
    indicator: str
    value: str
    unit: str | None = None
    pillars: dict[str, Pillar] = {}


class Prices(Part):
    """What money is in: its currency, and the prices of which year.

    Attributes
    ----------
    basis
        nominal: of the year that each row is on; real: of the base year already.
    base_year
        All money is given in this year's prices.
    index
        "china": national consumer prices, shipped with the package; or a file of the study
        with columns year and index, or year and inflation_percent.
    currency
        ISO 4217; every money column must be in it.
    """

    basis: Literal["nominal", "real"]
    base_year: int = Field(ge=1900, le=2100)
    index: FileName | None = "china"
    currency: str = Field("CNY", pattern=r"^[A-Z]{3}$")
