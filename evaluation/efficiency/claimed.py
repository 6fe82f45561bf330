"""Efficiency of published claims: bounds, by the definitions that the claims' chapter uses."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from evaluation.claims.measures import Assessment, assess_counties, assessment_frame
from evaluation.claims.table import ClaimTable
from evaluation.display import ShowsSummary

MEASURES = ("gain_per_yuan", "leverage", "cost_per_job", "funds_per_village")
"""The measures of `evaluation.claims.measures` that are ratios of or to money."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ClaimedEfficiency(ShowsSummary):
    """What published figures say of efficiency, county by county.

    Attributes
    ----------
    assessments
        One a measure, definition and county; a county whose figures a definition lacks has no
        bounds but what is missing.
    """

    assessments: tuple[Assessment, ...]

    def to_frame(self) -> pd.DataFrame:
        """Give one row a county, measure and definition; see `assessment_frame`."""
        return assessment_frame(self.assessments)

    def summary(self) -> str:
        """List the gains per yuan that the figures allow."""
        found = [
            f"{a.county}, {a.definition}: {a.read('strict')} {a.measure.reads}"
            for a in self.assessments
            if a.measure.name == "gain_per_yuan" and a.quantity is not None
        ]
        return "\n".join(found) or "No county's figures give a gain per yuan."


def claimed_efficiency(claims: ClaimTable) -> ClaimedEfficiency:
    """Work out the ratios to money of every county that published figures allow.

    Parameters
    ----------
    claims
        The study's claims.

    Returns
    -------
    ClaimedEfficiency: bounds that hold for every value the words allow.

    Examples
    --------
    >>> from evaluation import Study, load_claims
    >>> found = claimed_efficiency(load_claims(Study.load("data/jining_2021")))
    >>> print(found.summary().splitlines()[0])
    Yutai, project funds, if the total is a yearly amount: 0.328 yuan a year per yuan
    """
    found = assess_counties(claims)
    return ClaimedEfficiency(assessments=tuple(a for a in found if a.measure.name in MEASURES))
