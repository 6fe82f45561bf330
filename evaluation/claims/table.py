"""The claims of a published text: each figure as bounds, each with its place in the text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import pydantic
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from evaluation.bounds import Bounds
from evaluation.data.config import describe_errors
from evaluation.data.hedges import Figure, check_hedge_words, read_figure
from evaluation.data.study import Study, Text, Unquantified
from evaluation.data.tables import read_table
from evaluation.data.units import Unit, parse_unit
from evaluation.errors import DataError, raise_problems, suggest

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
    if cell and re.fullmatch(r"-?\d+(\.\d+)?", cell) is None:
        raise ValueError("not a number; write digits, without separators or unit")
    return Fraction(cell) if cell else None


def _end(cell: str) -> Fraction | float | None:
    return math.inf if cell == "inf" else _number(cell)


def _closed(cell: str) -> bool | None:
    if cell not in ("", "0", "1"):
        raise ValueError("0 for an open end, 1 for a closed one")
    return cell == "1" if cell else None


def _unit(cell: str) -> str:
    if cell:
        parse_unit(cell)
    return cell


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

    claim: str = Field(pattern=r"^[A-Za-z]\w*$")
    county: str = Field(min_length=1)
    pillar: Pillar
    stage: Stage
    indicator: str = Field(pattern=r"^[a-z_][a-z0-9_]*$")
    unit: Annotated[str, AfterValidator(_unit)]
    scope: Scope
    as_of: str = Field(pattern=r"^\d{4}(-\d{2}){0,2}$")
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

    def _given_bounds(self) -> Bounds | None:
        if self.lower is None and self.upper is None:
            return None
        if self.lower is None or self.upper is None:
            raise ValueError("one bound without the other; write inf for no upper bound")
        closed = [flag is not False for flag in (self.lower_closed, self.upper_closed)]
        return Bounds(self.lower, self.upper, *closed)

    def _own_figure(self, given: Bounds) -> Figure:
        if not self.unit:
            raise ValueError("bounds without a unit; write 个 for a plain count")
        return Figure(
            printed="",
            value=Fraction(given.lower if self.value is None else self.value),
            unit=parse_unit(self.unit),
            strict=given,
            loose=given,
            hedges=(),
            every=self.scope == "every_village",
        )

    def _check_against(self, figure: Figure, given: Bounds | None) -> None:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """What an indicator is called, and the part it plays in the money's arithmetic."""

    name: str
    label: Text
    money: str  # "use", "source" or ""
    source: str  # fiscal, dispatching_unit, social, credit, own or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTable:
    """All claims of a study.

    Attributes
    ----------
    study
        The study that they belong to.
    claims
        The claims by id, in the order of the file.
    indicators
        The dictionary of indicators by name.
    unquantified
        The money that the text names without an amount.
    """

    study: Study
    claims: Mapping[str, Claim]
    indicators: Mapping[str, Indicator]
    unquantified: tuple[Unquantified, ...] = ()

    def find(self, county: str, indicator: str) -> list[Claim]:
        """Find the claims on an indicator that speak of a county."""
        return [
            claim
            for claim in self.claims.values()
            if (claim.county, claim.indicator) == (county, indicator)
        ]

    def to_frame(self) -> pd.DataFrame:
        """Give one row a claim, with its bounds in both readings as printed in its unit.

        Columns: claim, county, village, pillar, stage, indicator, printed, unit, strict,
        loose (Bounds or None), scope, as_of, period, status, start, end, note.
        """
        rows = [
            {
                "claim": c.claim, "county": c.county, "village": c.village,
                "pillar": c.pillar, "stage": c.stage, "indicator": c.indicator,
                "printed": c.printed, "unit": c.unit, "hedge": c.hedge,
                "strict": c.figure.strict if c.figure else None,
                "loose": c.figure.loose if c.figure else None,
                "scope": c.scope, "as_of": c.as_of, "period": c.period,
                "status": c.status, "start": c.start, "end": c.end, "note": c.note,
            }
            for c in self.claims.values()
        ]  # fmt: skip
        return pd.DataFrame(rows, dtype=object)


def load_claims(study: Study) -> ClaimTable:
    """Read a study's claims and check every row.

    Raises
    ------
    DataError
        If the study has no claims, or a row does not hold: the rows are listed, each with
        its line, its claim and what is wrong.
    """
    if study.claims is None:
        raise DataError("study.yml: the study has no claims; add 'claims: {file: claims.csv}'.")
    indicators = _read_indicators(study.path(study.claims.indicators))
    path = study.path(study.claims.file)
    fields = Claim.model_fields
    rows = read_table(
        path,
        required=[name for name, field in fields.items() if field.is_required()],
        optional=[name for name, field in fields.items() if not field.is_required()],
    )
    known = {"county": [a.name for a in study.areas], "indicator": list(indicators)}
    where = {"county": "the counties of study.yml", "indicator": study.claims.indicators}
    claims: dict[str, Claim] = {}
    problems: list[str] = []
    for line, row in zip(rows.index, rows.to_dict("records"), strict=True):
        place = f"line {line} ({row['claim'] or 'no claim id'})"
        cells = {str(name): cell for name, cell in row.items()}
        for name, names in known.items():
            if cells[name] not in names:
                hint = suggest(cells[name], names)
                problems.append(
                    f"{place}: {name} {cells[name]!r} is not in {where[name]}; {hint}"
                )
        try:
            claim = Claim.model_validate(cells)
        except pydantic.ValidationError as error:
            problems += [f"{place}: {text}" for text in describe_errors(Claim, error)]
            continue
        if claim.claim in claims:
            problems.append(f"{place}: a second row with this id; ids are given once.")
        claims[claim.claim] = claim
    problems += [
        f"study.yml: unquantified: no claim {item.claim!r} on {item.county}."
        for item in study.claims.unquantified
        if item.claim not in claims or claims[item.claim].county != item.county
    ]
    raise_problems(path.name, problems)
    return ClaimTable(
        study=study,
        claims=claims,
        indicators=indicators,
        unquantified=tuple(study.claims.unquantified),
    )


def _read_indicators(path: Path) -> dict[str, Indicator]:
    rows = read_table(
        path, required=["indicator", "label_en", "label_zh"], optional=["money", "source"]
    )
    allowed = {
        "money": ["", "use", "source"],
        "source": ["", "fiscal", "dispatching_unit", "social", "credit", "own"],
    }
    problems = [
        f"line {line}: {column} {cell!r} is not known; {suggest(cell, values[1:])}"
        for column, values in allowed.items()
        for line, cell in rows[column].items()
        if cell not in values
    ]
    doubled = rows["indicator"][rows["indicator"].duplicated()]
    problems += [f"line {line}: a second row for {name!r}." for line, name in doubled.items()]
    raise_problems(path.name, problems)
    return {
        row["indicator"]: Indicator(
            name=row["indicator"],
            label=Text(en=row["label_en"], zh=row["label_zh"]),
            money=row["money"],
            source=row["source"],
        )
        for row in rows.to_dict("records")
    }


def claim_unit(claim: Claim) -> Unit:
    """Give the unit of a claim that has a figure."""
    return parse_unit(claim.unit)
