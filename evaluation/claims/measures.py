"""What the published figures say of each county: income, funds, and gain per yuan.

A measure has several definitions, each a formula; whether a county has one depends on what
the text states. Figures under unlike definitions are never ranked with one another.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from evaluation.bounds import Bounds
from evaluation.claims.definitions import MEASURES, Measure
from evaluation.claims.formula import Quantity, parse_formula
from evaluation.claims.lookup import Evaluated, Lookup, describe_missing
from evaluation.claims.table import ClaimTable
from evaluation.data.hedges import Reading
from evaluation.data.units import parse_unit


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
