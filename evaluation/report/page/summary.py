"""One page for those who read no more: what was found, how sure it is, what it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.language import choose, say
from evaluation.report.page.summary_claims import doubt_claims, find_claims, warn_of_claims
from evaluation.report.page.summary_panel import (
    doubt_change,
    doubt_effect,
    find_change,
    find_effect,
    warn_of_change,
    warn_of_effect,
)
from evaluation.report.page.summary_parts import Evidence, Point, Summary, name_county
from evaluation.report.results import name_exhibits, rows_of

CHANGE, EFFECT = 1, 2
"""The places of the second and third rungs in `evaluation.report.words.LADDER`."""


def summarise(
    results: Mapping[str, Any],
    *,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    counties: Mapping[str, str] | None = None,
) -> Summary:
    """Sum a report up from its numbers, in the language spoken.

    Parameters
    ----------
    results
        As in results.json.
    parameters
        Each chapter's, for the coverage of intervals and the trend that is allowed.
    counties
        Counties' names as they are shown, by the name that claims have.

    Returns
    -------
    Points under three heads. A number that is not known gives no sentence, or the reason.
    """
    gains = (parameters or {}).get("3_income_gains", {})
    evidence = Evidence(
        exhibits=name_exhibits(results),
        alpha=float(gains.get("alpha", 0.05)),
        trend_max=float(gains.get("trend_max", 10_000)),
        counties=counties or {},
        county=name_county(**results["county"]) if results.get("county") else "",
    )
    found, sure, warned = (
        find_claims(evidence),
        doubt_claims(evidence),
        warn_of_claims(evidence),
    )
    reached = reached_rung(results)
    if reached == EFFECT:
        found += find_effect(evidence)
        sure += doubt_effect(evidence)
        warned += warn_of_effect(evidence)
    elif reached == CHANGE:
        found += find_change(evidence)
        sure += doubt_change(evidence)
        warned += warn_of_change(evidence)
    elif reached is None:
        warned += _describe(evidence)
    if evidence.county:
        text = say(
            "Nothing on other counties, and not what a report on all of them says of {county}: "
            "the limits say what is left out here.",
            county=evidence.county,
        )
        warned = [*evidence.point(text, "limits"), *warned]
    if outcome := results.get("outcome"):
        text = say(
            "Nothing on the study's own outcome: that of this report, {label}, was chosen in "
            "its place.",
            label=choose(outcome["en"], outcome["zh"]),
        )
        warned = [*evidence.point(text, "limits"), *warned]
    if results["simulated"]:
        text = say(
            "Nothing on any real village, secretary or county: the data are simulated, and "
            "show only what the methods would find in such data."
        )
        warned = [*evidence.point(text, "source"), *warned]
    return Summary(found=tuple(found), sure=tuple(sure), not_to_conclude=tuple(warned))


def reached_rung(results: Mapping[str, Any]) -> int | None:
    """Give the place of the rung of evidence that a study reached, None if it is on none."""
    rows = rows_of(name_exhibits(results), "evidence_ladder")
    return next((place for place, row in enumerate(rows) if row["reached"]), None)


def _describe(evidence: Evidence) -> list[Point]:
    """Say of data on no rung that they describe, and why."""
    ladder = evidence.exhibits.get("evidence_ladder")
    text = say("Not what the programme did: these data are on no rung of evidence.")
    return evidence.point(text, "evidence_ladder") if ladder else []
