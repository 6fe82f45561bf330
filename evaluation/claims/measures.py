"""What the published figures say of each county: income, funds, and gain per yuan.

A measure has several definitions, each a formula; whether a county has one depends on what
the text states. Figures under unlike definitions are never ranked with one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from evaluation.bounds import Bounds
from evaluation.claims.formula import Quantity, parse_formula
from evaluation.claims.lookup import Evaluated, Lookup, describe_missing
from evaluation.claims.table import ClaimTable
from evaluation.data.hedges import Reading
from evaluation.data.units import parse_unit
from evaluation.errors import DataError, suggest


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure, the unit that it is shown in, and its definitions as formulas.

    ``unit`` scales the value; ``reads`` says it in words.
    """

    name: str
    label: str
    unit: str
    reads: str
    definitions: dict[str, str]


_WAN = "万元"


_GAIN = "collective_income_gain_total"
_GAIN_STATED = "n_villages * collective_income_gain_per_village_year"
_ONE_YEAR = "if the total is a yearly amount"
_ALL_YEARS = "if the total is the programme's sum (mean a year)"


def _gain_per(funds: str, label: str) -> dict[str, str]:
    return {
        f"{label}, {_ONE_YEAR}": f"{_GAIN} / {funds}",
        f"{label}, {_ALL_YEARS}": f"{_GAIN} / programme_years / {funds}",
        f"{label}, villages x gain stated for each": f"{_GAIN_STATED} / {funds}",
    }


_OTHER = {
    "social": "funds_social",
    "social and dispatching units": "(funds_social + funds_dispatching_unit)",
}


def _leverage() -> dict[str, str]:
    """Other money per yuan; uses may hold some of it, and nobody says how much."""
    definitions: dict[str, str] = {}
    for label, money in _OTHER.items():
        outside = f"max({money} - funds_use, 0)"
        rest = f"max(funds_use - {money}, 0)"
        definitions |= {
            f"{label}, per yuan of project funds, if nothing overlaps": f"{money} / funds_use",
            f"{label} outside the project funds, per yuan of them, whatever overlaps": (
                f"between({outside}, {money}) / funds_use"
            ),
            f"{label}, per yuan of project funds that are not, whatever overlaps": (
                f"{money} / between({rest}, funds_use)"
            ),
            f"{label}, per fiscal yuan": f"{money} / funds_fiscal",
        }
    return definitions


MEASURES = (
    Measure(
        name="level_per_village",
        label="Collective income per village, taken as yearly",
        unit="万元",
        reads=_WAN,
        definitions={
            "mean, from the text": "collective_income_level_mean",
            "total / villages": "collective_income_level_total / n_villages",
            "the smallest village, so at least this on average": (
                "at_least(collective_income_level_min)"
            ),
        },
    ),
    Measure(
        name="level_total",
        label="Collective income of all villages, taken as yearly",
        unit="万元",
        reads=_WAN,
        definitions={
            "total, from the text": "collective_income_level_total",
            "villages x mean": "n_villages * collective_income_level_mean",
            "villages x smallest": "n_villages * at_least(collective_income_level_min)",
        },
    ),
    Measure(
        name="gain_per_village",
        label="Gain in collective income per village and year",
        unit="万元",
        reads=_WAN,
        definitions={
            "stated for each village and year": "collective_income_gain_per_village_year",
            f"total / villages, {_ONE_YEAR}": f"{_GAIN} / n_villages",
            f"total / villages / years, {_ALL_YEARS}": (
                f"{_GAIN} / n_villages / programme_years"
            ),
        },
    ),
    Measure(
        name="gain_total",
        label="Gain in collective income of all villages per year",
        unit="万元",
        reads=_WAN,
        definitions={
            f"total, from the text, {_ONE_YEAR}": _GAIN,
            f"total / years, {_ALL_YEARS}": f"{_GAIN} / programme_years",
            "villages x gain stated for each": _GAIN_STATED,
        },
    ),
    Measure(
        name="funds",
        label="Funds",
        unit="万元",
        reads=_WAN,
        definitions={
            "project funds (uses)": "funds_use",
            "fiscal": "funds_fiscal",
            "dispatching units": "funds_dispatching_unit",
            "social": "funds_social",
            "raised (sources)": "funds_sources",
            "all funds: uses and sources, which may overlap": "funds_total",
        },
    ),
    Measure(
        name="funds_per_village",
        label="Funds per village",
        unit="万元",
        reads=_WAN,
        definitions={
            "project funds": "funds_use / n_villages",
            "all funds": "funds_total / n_villages",
        },
    ),
    Measure(
        name="gain_per_yuan",
        label="Gain in collective income per yuan of funds",
        unit="元",
        reads="yuan a year per yuan",
        definitions=_gain_per("funds_use", "project funds")
        | _gain_per("funds_sources", "funds raised")
        | _gain_per("funds_total", "all funds"),
    ),
    Measure(
        name="leverage",
        label="Other money per yuan (recorded, not crowding-in)",
        unit="元",
        reads="yuan per yuan",
        definitions=_leverage(),
    ),
    Measure(
        name="cost_per_job",
        label="Funds per reported job (gross, head count)",
        unit="万元",
        reads=_WAN,
        definitions={
            "project funds": "funds_use / jobs",
            "all funds": "funds_total / jobs",
        },
    ),
    Measure(
        name="funds_per_project",
        label="Funds per industry project",
        unit="万元",
        reads=_WAN,
        definitions={
            "project funds": "funds_use / n_industry_projects",
            "project funds, if those pooled in towns or within villages are all": (
                "funds_use / (n_projects_township_pooled + n_projects_in_village)"
            ),
            "all funds": "funds_total / n_industry_projects",
        },
    ),
)
"""Every measure, by the definitions that published figures allow."""


def check_measures(names: Sequence[str]) -> None:
    """Raise a DataError if no measure has one of the names."""
    known = [measure.name for measure in MEASURES]
    for name in names:
        if name not in known:
            raise DataError(f"no measure {name!r}; {suggest(name, known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One measure of one county under one definition.

    Attributes
    ----------
    county, measure, definition
        What it is.
    result
        The definition's formula with the county's figures in it.
    """

    county: str
    measure: Measure
    definition: str
    result: Evaluated

    @property
    def quantity(self) -> Quantity | None:
        """The value in plain units, or None where it is not identified."""
        return self.result.terms[0] if self.result.terms else None

    def read(self, reading: Reading) -> Bounds | None:
        """Give the value in the measure's unit, or None where it is not identified."""
        if self.quantity is None:
            return None
        return self.quantity.read(reading) / parse_unit(self.measure.unit).factor


def assess_counties(table: ClaimTable) -> tuple[Assessment, ...]:
    """Work out every measure of every county, under every definition.

    Only claims on the whole county count: a team's or a village's figure says nothing of
    the others. Where a figure is missing the measure is not identified, and says so.

    Parameters
    ----------
    table
        The study's claims.

    Returns
    -------
    One assessment a measure, definition and county, in that order. Money is in yuan inside,
    and read in the measure's unit.

    Notes
    -----
    With figures x known to lie in sets X, a measure f(x) lies in {f(x): x in X}: the
    assumption is that the text is true, and nothing else [1]_. Uses U and sources S of
    money may be the same money, so all funds lie in [max(U, S), U + S].

    References
    ----------
    .. [1] Manski (2003), Partial Identification of Probability Distributions, Springer.
       https://doi.org/10.1007/b97478
    """
    lookups = [Lookup(table, c.name, county_wide=True) for c in table.study.counties]
    return tuple(
        Assessment(
            county=lookup.county,
            measure=measure,
            definition=definition,
            result=lookup.evaluate(parse_formula(formula)),
        )
        for measure in MEASURES
        for definition, formula in measure.definitions.items()
        for lookup in lookups
    )


def assessment_frame(assessments: tuple[Assessment, ...]) -> pd.DataFrame:
    """Give one row a county, measure and definition.

    Columns: county, measure, label, definition, formula, unit, reads, as_printed, strict,
    loose (Bounds in the unit, None where not identified), claims, missing.
    """
    rows = []
    for a in assessments:
        quantity = a.quantity
        factor = parse_unit(a.measure.unit).factor
        rows.append(
            {
                "county": a.county,
                "measure": a.measure.name,
                "label": a.measure.label,
                "definition": a.definition,
                "formula": a.result.formula.text,
                "unit": a.measure.unit,
                "reads": a.measure.reads,
                "as_printed": quantity.printed / factor if quantity else None,
                "strict": a.read("strict"),
                "loose": a.read("loose"),
                "claims": " ".join(a.result.claims),
                "missing": describe_missing(a.result.missing),
            }
        )
    return pd.DataFrame(rows, dtype=object)
