"""One claim of a published text: its figure as bounds, and its place in the text."""

from __future__ import annotations

import contextlib
import datetime
import math
import re
from fractions import Fraction
from typing import Annotated, Any, Literal

import pydantic
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from evaluation.bounds import Bounds
from evaluation.data.hedge_words import bounds_a_number, check_hedge_words
from evaluation.data.hedges import Figure, read_figure
from evaluation.data.units import check_unit, parse_unit
from evaluation.language import choose

Pillar = Literal[
    "party_building", "industry", "livelihood", "secretary_team", "cross", "context"
]
Stage = Literal["input", "activity", "output", "outcome", "context"]
Scope = Literal[
    "city", "county_total", "every_village", "mean_per_village",
    "subset_of_villages", "group", "team", "village", "case",
]  # fmt: skip

_COUNTY_WIDE = ("county_total", "every_village", "mean_per_village", "city")


def _number(cell: str) -> Fraction | None:
    if cell and re.fullmatch(r"-?\d{1,30}(\.\d{1,30})?", cell, re.ASCII) is None:
        raise ValueError("not a number; write digits, without separators or unit")
    return Fraction(cell) if cell else None


def _end(cell: str) -> Fraction | float | None:
    return math.inf if cell == "inf" else _number(cell)


def _closed(cell: str) -> bool | None:
    if cell not in ("", "0", "1"):
        raise ValueError("0 for an open end, 1 for a closed one")
    return cell == "1" if cell else None


def _date(cell: str) -> str:
    with contextlib.suppress(ValueError):
        if re.fullmatch(r"\d{4}(-\d{2}){0,2}", cell, re.ASCII):
            datetime.date.fromisoformat(f"{cell}-01-01"[:10])
            return cell
    raise ValueError("not a date; write YYYY, YYYY-MM or YYYY-MM-DD")


def _hedge(cell: str) -> str:
    check_hedge_words(cell)
    return cell


_Number = Annotated[Any, BeforeValidator(_number)]
_End = Annotated[Any, BeforeValidator(_end)]
_Closed = Annotated[Any, BeforeValidator(_closed)]


class Claim(BaseModel):
    """One claim of the text, as a row of claims.csv.

    ``printed`` is the figure as it stands in the text; its bounds are read from it, and
    bounds given beside it must agree. Bounds without a printed figure are the coder's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str = Field(pattern=r"^[A-Z]+[0-9]+$")
    county: str = Field(min_length=1)
    pillar: Pillar
    stage: Stage
    indicator: str = Field(pattern=r"^[a-z_][a-z0-9_]*$")
    unit: Annotated[str, AfterValidator(check_unit)]
    scope: Scope
    as_of: Annotated[str, AfterValidator(_date)]
    status: Literal["realised", "projected"]
    printed: str
    village: str = ""
    value: _Number = None
    hedge: Annotated[str, AfterValidator(_hedge)] = ""
    lower: _End = None
    upper: _End = None
    lower_closed: _Closed = None
    upper_closed: _Closed = None
    upper_loose: _End = None
    n_villages: _Number = None
    period: str = ""
    figure_text: str = ""
    start: _Number = None
    end: _Number = None
    note: str = ""
    village_zh: str = ""
    note_zh: str = ""
    _figure: Figure | None = None

    @pydantic.model_validator(mode="after")
    def _read(self) -> Claim:
        given = self._given_bounds()
        if self.printed:
            if not self.unit:
                raise ValueError(f"{self.printed!r} is printed, but there is no unit")
            figure = read_figure(self.printed, unit=self.unit)
            self._check_against(figure, given)
        elif given:
            figure = self._own_figure(given)
        elif self.value is not None:
            raise ValueError("a value without printed; give the figure as printed, or bounds")
        else:
            return self
        object.__setattr__(self, "_figure", figure)
        return self

    @property
    def figure(self) -> Figure | None:
        """The figure, or None where the text gives words alone."""
        return self._figure

    @property
    def is_county_wide(self) -> bool:
        """Whether it speaks of the whole county, not of a team, a village or a case."""
        return self.scope in _COUNTY_WIDE

    @property
    def place(self) -> str:
        """The village or team that it speaks of, in the language spoken."""
        return choose(self.village, self.village_zh)

    def _given_bounds(self) -> Bounds | None:
        flags = (self.lower_closed, self.upper_closed)
        if self.lower is None and self.upper is None:
            if flags != (None, None):
                raise ValueError("lower_closed or upper_closed without lower and upper")
            return None
        if self.lower is None or self.upper is None:
            raise ValueError("one bound without the other; write inf for no upper bound")
        closed = [flag is not False for flag in flags]
        return Bounds(self.lower, self.upper, *closed)

    def _own_figure(self, given: Bounds) -> Figure:
        if not self.unit:
            raise ValueError("bounds without a unit; write 个 for a plain count")
        if self.value is not None and self.value not in given:
            raise ValueError(f"the value {self.value} is outside its bounds {given}")
        if self.upper_loose is not None:
            raise ValueError("upper_loose without printed; the coder's own bounds are one pair")
        return Figure(
            printed="",
            value=Fraction(given.lower if self.value is None else self.value),
            unit=parse_unit(self.unit),
            strict=given,
            loose=given,
            hedges=(),
            every=self.scope == "every_village",
            is_limit=not given.is_bounded,
        )

    def _check_against(self, figure: Figure, given: Bounds | None) -> None:
        for word in check_hedge_words(self.hedge):
            if bounds_a_number(word) and word not in figure.hedges:
                raise ValueError(
                    f"the hedge {word!r} is not in the printed {self.printed!r}; print the "
                    "figure with it"
                )
        if self.value is not None and self.value != figure.value:
            raise ValueError(f"value is not that of the printed {self.printed!r}")
        if given and given != figure.strict:
            raise ValueError(
                f"bounds {given} are not those of the printed {self.printed!r}, "
                f"{figure.strict}; mend them, or leave them empty to have them read"
            )
        if self.upper_loose is not None and self.upper_loose != figure.loose.upper:
            raise ValueError(
                f"upper_loose is not that of the printed {self.printed!r}, {figure.loose}"
            )
