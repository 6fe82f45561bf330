"""What stands behind a name in a formula: a claim's figure, a sum of money, or a gap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from evaluation.bounds import Bounds
from evaluation.claims.formula import Formula, Quantity, constant, evaluate_term
from evaluation.claims.table import Claim, ClaimTable, claim_unit
from evaluation.data.hedges import Reading
from evaluation.data.units import parse_unit
from evaluation.errors import DataError, suggest

FUNDS = {
    "funds_fiscal": "fiscal funds",
    "funds_dispatching_unit": "dispatching units' funds",
    "funds_social": "social funds",
    "funds_credit": "credit",
    "funds_own": "villages' own funds",
    "funds_use": "project funds (uses)",
    "funds_sources": "funds raised (sources)",
    "funds_total": "all funds stated",
}
"""Sums of a county's money: by source, all uses, all sources, and in all."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that no figure stands behind, and why."""

    name: str
    reason: str
    claims: tuple[str, ...] = ()

    def __str__(self) -> str:
        ids = f": {', '.join(self.claims)}" if self.claims else ""
        return f"{self.name} ({self.reason}{ids})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """A formula with the figures of one county in it.

    Attributes
    ----------
    formula
        The formula.
    terms
        Its one term, or both sides of its relation; empty where a figure is missing.
    missing
        The names that no figure stands behind.
    claims
        The ids of the claims found, whether or not all were.
    """

    formula: Formula
    terms: tuple[Quantity, ...]
    missing: tuple[Missing, ...]
    claims: tuple[str, ...]

    def answer(self, reading: Reading) -> str:
        """Say whether the relation holds for all, no or some possible values ('' if none)."""
        if self.formula.relation is None or not self.terms:
            return ""
        left, right = (term.read(reading) for term in self.terms)
        return left.compare(self.formula.relation, right)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds the figures of one county.

    Parameters
    ----------
    table
        The study's claims.
    county
        Whose figures a bare indicator means.
    county_wide
        Leave out claims on a team, a village or a case.
    """

    table: ClaimTable
    county: str
    county_wide: bool = False

    def resolve(self, name: str) -> Quantity | Missing:
        """Find what a name stands for.

        Raises
        ------
        DataError
            If no indicator, county or claim is so called, or two claims are meant.
        """
        if name in self.table.claims:
            return _quantity(name, [self.table.claims[name]])
        county, _, indicator = name.rpartition(".")
        county = county or self.county
        areas = [area.name for area in self.table.study.areas]
        if county not in areas:
            raise DataError(f"{name!r}: no county {county!r}; {suggest(county, areas)}")
        if indicator in FUNDS:
            return self._funds(county, indicator, name)
        if indicator in self.table.indicators:
            return self._figure(county, indicator, name)
        try:
            return constant(parse_unit(indicator).factor)
        except DataError:
            known = [*self.table.indicators, *FUNDS]
            raise DataError(
                f"no indicator or claim {indicator!r}; {suggest(indicator, known)}"
            ) from None

    def evaluate(self, formula: Formula) -> Evaluated:
        """Evaluate a formula's terms, or say what is missing for them."""
        found = {name: self.resolve(name) for name in formula.names}
        missing = tuple(item for item in found.values() if isinstance(item, Missing))
        quantities = {n: q for n, q in found.items() if isinstance(q, Quantity)}
        terms = [term for term in (formula.left, formula.right) if term is not None]
        return Evaluated(
            formula=formula,
            terms=()
            if missing
            else tuple(evaluate_term(term, quantities.__getitem__) for term in terms),
            missing=missing,
            claims=tuple(dict.fromkeys(c for item in found.values() for c in item.claims)),
        )

    def _figure(self, county: str, indicator: str, name: str) -> Quantity | Missing:
        claims = self.table.find(county, indicator)
        programme = self.table.study.programme.name
        if not claims and county != programme:
            # Said once of the whole programme ("two years"), it holds for each county.
            whole = self.table.find(programme, indicator)
            claims = [claim for claim in whole if claim.stage == "context"]
        wide = [claim for claim in claims if claim.is_county_wide or not self.county_wide]
        stated = [claim for claim in wide if claim.figure]
        if not claims:
            return Missing(name, "not stated")
        if not wide:
            reason = f"stated for {claims[0].village or claims[0].scope} only"
            return Missing(name, reason, _ids(claims))
        if not stated:
            return Missing(name, "said without a figure", _ids(wide))
        if len(stated) > 1:
            raise DataError(
                f"{name!r} is stated more than once for {county}; write the claim meant: "
                f"{', '.join(_ids(stated))}."
            )
        return _quantity(name, stated)

    def _funds(self, county: str, which: str, name: str) -> Quantity | Missing:
        kinds = self.table.indicators
        money = [
            claim
            for claim in self.table.claims.values()
            if claim.county == county
            and claim.is_county_wide
            and claim.figure
            and kinds[claim.indicator].money
        ]
        untold = [gap for gap in self.table.unquantified if gap.county == county]
        uses = [c for c in money if kinds[c.indicator].money == "use"]
        sources = [c for c in money if kinds[c.indicator].money == "source"]
        if which == "funds_total":
            return _total(name, uses, sources, open_above=bool(untold))
        if which == "funds_use":
            return _quantity(name, uses)
        if which == "funds_sources":
            chosen, gaps = sources, untold
        else:
            source = which.removeprefix("funds_")
            chosen = [c for c in money if kinds[c.indicator].source == source]
            gaps = [u for u in untold if kinds[u.indicator].source == source]
        if gaps:
            ids = tuple(dict.fromkeys(gap.claim for gap in gaps))
            return Missing(name, "named without an amount", ids)
        return _quantity(name, chosen)


def _quantity(name: str, claims: Sequence[Claim]) -> Quantity | Missing:
    """Sum claims' figures, in plain units."""
    total: Quantity | None = None
    for claim in claims:
        if claim.figure is None:
            return Missing(name, "said without a figure", (claim.claim,))
        figure, factor = claim.figure, claim_unit(claim).factor
        quantity = Quantity(
            printed=_as_printed(figure.value, figure.strict) * factor,
            strict=figure.strict * factor,
            loose=figure.loose * factor,
            claims=(claim.claim,),
        )
        total = quantity if total is None else total.combine(quantity, lambda a, b: a + b)
    return total or Missing(name, "not stated")


def _ids(claims: Sequence[Claim]) -> tuple[str, ...]:
    return tuple(claim.claim for claim in claims)


def _as_printed(value: Fraction, strict: Bounds) -> Bounds:
    """Take a figure at its word; a floor or a ceiling stays one."""
    return Bounds.exactly(value) if strict.is_bounded else strict


def _total(
    name: str, uses: Sequence[Claim], sources: Sequence[Claim], *, open_above: bool
) -> Quantity | Missing:
    """All money: at least the larger of uses and sources, at most both together.

    Uses (投入) and sources (争取) may be the same money, so they are never simply added.
    """
    parts = [_quantity(name, part) for part in (uses, sources) if part]
    stated = [part for part in parts if isinstance(part, Quantity)]
    if not stated:
        return Missing(name, "not stated")
    total = stated[0]
    if len(stated) == 2:
        total = stated[0].combine(stated[1], lambda u, s: u.maximum(s).hull(u + s))
    if open_above:
        endless = constant(Bounds(0, math.inf))
        total = total.combine(endless, lambda t, rest: t + rest)
    return total
