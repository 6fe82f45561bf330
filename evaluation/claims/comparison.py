"""What may be compared: terms alike in definition, unit, scope, date and status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import combinations

import pandas as pd

from evaluation.bounds import Bounds
from evaluation.claims.claim import Claim
from evaluation.claims.lookup import Evaluated
from evaluation.claims.measures import Assessment
from evaluation.claims.table import ClaimTable
from evaluation.data.hedges import Reading
from evaluation.language import commas, mark, say

VERDICTS = (
    mark("above"), mark("below"), mark("equal"), mark("order unknown"),
    mark("not comparable"), mark("not identified"),
)  # fmt: skip
"""What a comparison of two counties may come to."""


def unlike(table: ClaimTable, terms: Sequence[Evaluated]) -> list[str]:
    """Say in what terms differ, so that ranking them would mislead; empty if in nothing.

    Terms are alike if they do the same arithmetic on the same indicators, in units of one
    kind, with the same scope, date and status.
    """
    claims = [[table.claims[name] for name in term.claims] for term in terms]
    indicators = [say(" with ").join(sorted({c.indicator for c in group})) for group in claims]
    traits = {
        mark("definition"): indicators
        if len(set(indicators)) > 1
        else [term.formula.rename(partial(_indicator, table)) for term in terms],
        mark("unit"): [join_traits(_unit(c) for c in g) for g in claims],
        mark("scope"): [join_traits((c.scope,) for c in g) for g in claims],
        mark("date"): [join_traits((c.as_of,) for c in g) for g in claims],
        mark("status"): [join_traits((c.status,) for c in g) for g in claims],
    }
    return [
        say(
            "{trait}: {values}",
            trait=say(trait),
            values=say(" against ").join(dict.fromkeys(values)),
        )
        for trait, values in traits.items()
        if len(set(values)) > 1 and (trait != "unit" or len(set(indicators)) == 1)
    ]


def join_traits(traits: Iterable[tuple[str, ...]]) -> str:
    """Print the different traits of a term, in order."""
    return say(" and ").join(sorted({"/".join(filter(None, trait)) for trait in traits}))


def _indicator(table: ClaimTable, name: str) -> str:
    claim = table.claims.get(name)
    return claim.indicator if claim else name.rpartition(".")[2]


def _unit(claim: Claim) -> tuple[str, ...]:
    return (claim.figure.unit.plain, claim.figure.unit.per) if claim.figure else ()


def compare_counties(
    table: ClaimTable, assessments: tuple[Assessment, ...], *, reading: Reading | None = None
) -> pd.DataFrame:
    """Say of every two counties and every measure whether one may be put above the other.

    An order is given only where both have the measure under the same definition, from
    figures alike in unit, scope, date and status, and every such definition and every
    possible value agrees.

    Returns
    -------
    DataFrame with columns measure, label, county, other, verdict (one of VERDICTS) and
    reason.
    """
    by_measure: dict[str, dict[str, list[Assessment]]] = {}
    for item in assessments:
        by_measure.setdefault(item.measure.name, {}).setdefault(item.county, []).append(item)
    rows = []
    for counties in by_measure.values():
        for county, other in combinations(counties, 2):
            verdict, reason = _compare(
                table, counties[county], counties[other], reading or table.study.reading
            )
            measure = counties[county][0].measure
            rows.append(
                {
                    "measure": measure.name, "label": measure.label, "county": county,
                    "other": other, "verdict": verdict, "reason": reason,
                }
            )  # fmt: skip
    columns = ["measure", "label", "county", "other", "verdict", "reason"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def _compare(
    table: ClaimTable, ours: list[Assessment], theirs: list[Assessment], reading: Reading
) -> tuple[str, str]:
    for side in (ours, theirs):
        if all(item.quantity is None for item in side):
            county = table.name_area(side[0].county)
            return "not identified", say("not identified for {county}", county=county)
    shared = [(a, b) for a, b in zip(ours, theirs, strict=True) if a.quantity and b.quantity]
    if not shared:
        known = [
            say(
                "{county}: {definitions}",
                county=table.name_area(side[0].county),
                definitions=commas(say(i.definition) for i in side if i.quantity),
            )
            for side in (ours, theirs)
        ]
        why = say("no definition in common ({known})", known=say("; ").join(known))
        return "not comparable", why
    verdicts: list[str] = []
    told: list[str] = []
    for a, b in shared:
        mine, other = a.read(reading), b.read(reading)
        if reasons := unlike(table, [a.result, b.result]):
            verdicts.append("not comparable")
            answer = say("not comparable ({reasons})", reasons=say("; ").join(reasons))
        else:
            verdicts.append(_order(mine, other) if mine and other else "order unknown")
            answer = say(verdicts[-1])
        told.append(say("{definition}: {answer}", definition=say(a.definition), answer=answer))
    each = say("; ").join(told)
    if "not comparable" in verdicts:
        return "not comparable", each
    if len(set(verdicts)) > 1:
        return "order unknown", say("it depends on the definition: {each}", each=each)
    return verdicts[0], each


def _order(mine: Bounds, other: Bounds) -> str:
    if mine.compare("==", other) == "yes":
        return "equal"
    if mine.compare(">", other) == "yes":
        return "above"
    if mine.compare("<", other) == "yes":
        return "below"
    return "order unknown"
