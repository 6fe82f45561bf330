"""What stands behind a name in a formula: a claim's figure, a sum of money, or a gap."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from evaluation.bounds import Bounds
from evaluation.claims.claim import Claim
from evaluation.claims.formula import Formula, Quantity, constant, evaluate_term
from evaluation.claims.indicators import FUNDS
from evaluation.claims.table import HOLDS_FOR_EACH, ClaimTable
from evaluation.data.hedges import Reading
from evaluation.data.units import parse_unit
from evaluation.errors import DataError, suggest
from evaluation.language import commas, say


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that no figure stands behind, and why."""

    name: str
    reason: str
    claims: tuple[str, ...] = ()

    def __str__(self) -> str:
        return describe_missing([self])


def describe_missing(gaps: Sequence[Missing]) -> str:
    """Say what is missing and why, the names with one reason together.

    Examples
    --------
    >>> describe_missing([Missing("jobs", "not stated"), Missing("n_villages", "not stated")])
    'jobs, n_villages: not stated'
    """
    by_reason: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for gap in gaps:
        by_reason.setdefault((gap.reason, gap.claims), []).append(gap.name)
    parts = []
    for (reason, claims), names in by_reason.items():
        said = say("{reason} ({claims})", reason=reason, claims=commas(claims))
        known = said if claims else reason
        parts.append(say("{names}: {reason}", names=commas(names), reason=known))
    return say("; ").join(parts)


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
            If no indicator, county or claim is so called, or two claims are meant. (With
            ``county_wide``, where nobody can write which, two claims make it missing.)
        """
        if name in self.table.claims:
            found = _quantity(self.table.claims[name])
            return found or Missing(name, say("said without a figure"), (name,))
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
            unit = parse_unit(indicator)
            return constant(unit.factor, money=int(unit.is_money))
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
        sides = [term for term in (formula.left, formula.right) if term is not None]
        terms: tuple[Quantity, ...] = ()
        if not missing:
            terms = tuple(evaluate_term(term, quantities.__getitem__) for term in sides)
            terms[0].check_same_kind(terms[-1])
        return Evaluated(
            formula=formula,
            terms=terms,
            missing=missing,
            claims=tuple(dict.fromkeys(c for item in found.values() for c in item.claims)),
        )

    def _figure(self, county: str, indicator: str, name: str) -> Quantity | Missing:
        claims = self.table.find(county, indicator)
        programme = self.table.study.programme.name
        if not claims and indicator == HOLDS_FOR_EACH:
            # Said once of the whole programme ("two years"), it holds for each county.
            claims = self.table.find(programme, indicator)
        if self.county_wide and claims and all(c.status == "projected" for c in claims):
            return Missing(name, say("projected, not realised"), _ids(claims))
        wide = claims
        if self.county_wide:
            wide = [c for c in claims if c.is_county_wide and c.status == "realised"]
        stated = [claim for claim in wide if claim.figure]
        if not claims:
            return Missing(name, say("not stated"))
        if not wide:
            reason = say("stated for {whom} only", whom=claims[0].place or claims[0].scope)
            return Missing(name, reason, _ids(claims))
        if not stated:
            return Missing(name, say("said without a figure"), _ids(wide))
        if len(stated) > 1 and self.county_wide:
            return Missing(name, say("stated more than once"), _ids(stated))
        if len(stated) > 1:
            raise DataError(
                f"{name!r} is stated more than once for {county}; write the claim meant: "
                f"{', '.join(_ids(stated))}."
            )
        return _quantity(stated[0]) or Missing(name, say("not stated"))

    def _funds(self, county: str, which: str, name: str) -> Quantity | Missing:
        known, gaps = self._money(county)
        kinds = self.table.indicators

        def belongs(indicator: str) -> bool:
            kind = kinds[indicator]
            return which in (
                "funds_total",
                "funds_use" if kind.money == "use" else "funds_sources",
                f"funds_{kind.source}",
            )

        untold = [gap for gap in gaps if belongs(gap.name)]
        if untold and which != "funds_total":
            return _join_gaps(name, untold)
        chosen = {i: quantity for i, quantity in known.items() if belongs(i)}
        uses = [q for i, q in chosen.items() if kinds[i].money == "use"]
        sources = [q for i, q in chosen.items() if kinds[i].money == "source"]
        return _total(name, uses, sources, untold)

    def _money(self, county: str) -> tuple[dict[str, Quantity], list[Missing]]:
        """Find a county's money by indicator, and what is named without an amount."""
        wide = Lookup(self.table, county, county_wide=True)
        known: dict[str, Quantity] = {}
        gaps = [
            Missing(gap.indicator, say("named without an amount"), (gap.claim,))
            for gap in self.table.unquantified
            if gap.county == county
        ]
        for indicator in self.table.indicators.values():
            if indicator.money and any(
                claim.is_county_wide and claim.status == "realised"
                for claim in self.table.find(county, indicator.name)
            ):
                found = wide._figure(county, indicator.name, indicator.name)
                if isinstance(found, Missing):
                    gaps.append(found)
                else:
                    known[indicator.name] = found
        return known, gaps


def _quantity(claim: Claim) -> Quantity | None:
    """Give a claim's figure in plain units."""
    if claim.figure is None:
        return None
    figure, factor = claim.figure, claim.figure.unit.factor
    # A floor or a ceiling stays one; any other figure is taken at its word.
    printed = figure.strict if figure.is_limit else Bounds.exactly(figure.value)
    return Quantity(
        printed=printed * factor,
        strict=figure.strict * factor,
        loose=figure.loose * factor,
        money=int(figure.unit.is_money),
        claims=(claim.claim,),
    )


def _sum(quantities: Sequence[Quantity]) -> Quantity | None:
    if not quantities:
        return None
    return reduce(lambda a, b: a.combine(b, operator.add), quantities)


def _ids(claims: Sequence[Claim]) -> tuple[str, ...]:
    return tuple(claim.claim for claim in claims)


def _total(
    name: str,
    uses: Sequence[Quantity],
    sources: Sequence[Quantity],
    gaps: Sequence[Missing],
) -> Quantity | Missing:
    """All money: at least the larger of uses and sources, at most both together.

    Money named without an amount leaves it without an upper bound.

    Uses (投入) and sources (争取) may be the same money, so they are never simply added.
    """
    used, raised = _sum(uses), _sum(sources)
    if used and raised:
        total = used.combine(raised, lambda u, r: u.maximum(r).hull(u + r))
    elif (one := used or raised) is None:
        return _join_gaps(name, gaps) if gaps else Missing(name, say("not stated"))
    else:
        total = one
    if gaps:
        claims = tuple(claim for gap in gaps for claim in gap.claims)
        more = replace(constant(Bounds(0, math.inf)), claims=claims)
        total = total.combine(more, operator.add)
    return total


def _join_gaps(name: str, gaps: Sequence[Missing]) -> Missing:
    ids = tuple(dict.fromkeys(claim for gap in gaps for claim in gap.claims))
    return Missing(name, gaps[0].reason, ids)
