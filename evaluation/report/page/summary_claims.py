"""The summary of published claims: counted, bounded, held against one another; no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import reduce

from evaluation.bounds import Bounds
from evaluation.claims.crosscheck import VERDICTS
from evaluation.language import commas, listing, mark, say, say_count, sentences
from evaluation.report.page.summary_parts import Evidence, Point, Row
from evaluation.report.results import to_bounds

# Measures that are told definition by definition, and ratios whose definitions are many.
_ONE_BY_ONE = ("level_per_village", "gain_per_village")
_SPANNED = ("gain_per_yuan", "cost_per_job")
_ORDERED = ("above", "below", "equal")  # of `evaluation.claims.comparison.VERDICTS`


def find_claims(evidence: Evidence) -> list[Point]:
    """Say what a text claims, and what follows if it is true."""
    counts = _count_claims(evidence)
    if not counts:
        return []
    told = mark(
        "The text makes {n:,} claims: {exact:,} with an exact figure, {hedged:,} with a hedged "
        "or rounded one, {read:,} read as a figure by the coder, {words:,} in words only."
    )
    if evidence.county:
        told = mark(
            "On {county} the text makes {n:,} claims: {exact:,} with an exact figure, "
            "{hedged:,} with a hedged or rounded one, {read:,} read as a figure by the coder, "
            "{words:,} in words only."
        )
    told = say(
        told,
        county=evidence.county,
        n=counts.total(),
        exact=counts["exact figure"],
        hedged=counts["hedged or rounded figure"],
        read=counts["coder's reading"],
        words=counts["words only"],
    )
    points = evidence.point(told, "claims_by_county", "claims")
    for measure in _ONE_BY_ONE:
        points += _tell_measure(evidence, measure, _each_definition)
    for measure in _SPANNED:
        points += _tell_measure(evidence, measure, _all_definitions)
    return points


def doubt_claims(evidence: Evidence) -> list[Point]:
    """Say how sure one can be of claims."""
    counts = _count_claims(evidence)
    if not counts:
        return []
    hedged = counts["hedged or rounded figure"]
    figures = hedged + counts["exact figure"] + counts["coder's reading"]
    loose = len(evidence.rows("readings"))
    told = sentences(
        say(
            "Whether figures are right is not checked here, only whether they agree. "
            "{hedged:,} of {n:,} are hedged or rounded, so that what follows is given as "
            "bounds: [10, 11) is from 10 to below 11.",
            hedged=hedged,
            n=figures,
        ),
        say_count(
            "Read loosely, {n} result changes.", "Read loosely, {n} results change.", loose
        )
        if loose
        else "",
    )
    return [
        *evidence.point(told, "hedged_figures", "readings", "claims"),
        *_crosschecks(evidence),
        *_claimed_trend(evidence),
    ]


def warn_of_claims(evidence: Evidence) -> list[Point]:
    """Say what is not to be concluded from claims."""
    if not evidence.rows("claims"):
        return []
    no_effect = say(
        "Not that the programme, or its money, caused what the text reports: the text has no "
        "villages to compare with, and a rise may have come without the programme."
    )
    pairs = Counter(str(row["verdict"]) for row in evidence.rows("comparisons"))
    ordered = sum(pairs[verdict] for verdict in _ORDERED)
    no_ranks = sentences(
        say(
            "Not which county did better: of {n:,} comparisons of two counties on one measure, "
            "{k:,} give an order.",
            n=pairs.total(),
            k=ordered,
        ),
        say("A county without a figure is not one without a result."),
    )
    limits = say_count(
        "The study names {n} limit of these figures: read it first.",
        "The study names {n} limits of these figures: read them first.",
        len(evidence.rows("limits")),
    )
    return [
        *evidence.point(no_effect, "evidence_ladder"),
        *(evidence.point(no_ranks, "comparisons") if pairs else []),
        *(evidence.point(limits, "limits") if evidence.rows("limits") else []),
    ]


def _count_claims(evidence: Evidence) -> Counter[str]:
    kinds = ("exact figure", "hedged or rounded figure", "coder's reading", "words only")
    counts: Counter[str] = Counter()
    for row in evidence.rows("claims_by_county"):
        counts.update({kind: int(row.get(kind) or 0) for kind in kinds})
    return +counts


def _tell_measure(
    evidence: Evidence, measure: str, tell: Callable[[Evidence, list[Row]], Iterable[str]]
) -> list[Point]:
    rows = [
        row
        for row in evidence.rows("findings")
        if row["measure"] == measure and row["strict"] is not None
    ]
    if not rows:
        return []
    counties = dict.fromkeys((*evidence.counties, *(str(row["county"]) for row in rows)))
    found = {county: [r for r in rows if r["county"] == county] for county in counties}
    label, unit = str(rows[0]["label"]), str(rows[0]["reads"])
    told = say(
        "{label}, if the text is true ({unit}): {found}.",
        label=say(label),
        unit=say(unit),
        found=say("; ").join(
            say(
                "{county} {values}",
                county=evidence.counties.get(county, county),
                values=commas(tell(evidence, own)),
            )
            for county, own in found.items()
            if own
        ),
    )
    return evidence.point(told, "findings")


def _each_definition(evidence: Evidence, rows: list[Row]) -> Iterable[str]:
    for row in rows:
        definition = str(row["definition"])
        yield say(
            "{bounds} ({definition})",
            bounds=_tell_readings([row]),
            definition=say(definition),
        )


def _all_definitions(evidence: Evidence, rows: list[Row]) -> Iterable[str]:
    yield say_count(
        "{span} (one definition)",
        "{span} (over {n} definitions)",
        len(rows),
        span=_tell_readings(rows),
    )


def _tell_readings(rows: list[Row]) -> str:
    """Tell what rows span in the strict reading, and in the loose one where it differs."""
    strict = reduce(Bounds.hull, (to_bounds(row["strict"]) for row in rows))
    loose = reduce(Bounds.hull, (to_bounds(row["loose"]) for row in rows))
    return (
        str(strict)
        if loose == strict
        else say("{strict}, loosely {loose}", strict=strict, loose=loose)
    )


def _crosschecks(evidence: Evidence) -> list[Point]:
    checks: dict[str, Row] = {row["check"]: row for row in evidence.rows("crosschecks")}
    if not checks:
        return []
    counts = Counter(str(row["verdict"]) for row in checks.values())
    told = say_count(
        "Of {n} cross-check of claims: {counts}.",
        "Of {n:,} cross-checks of claims: {counts}.",
        len(checks),
        counts=commas(
            say("{n:,} {verdict}", n=counts[key], verdict=say(word))
            for key, word in VERDICTS.items()
            if counts[key] or key == "inconsistent"
        ),
    )
    broken = [
        say(
            "{check} {title} ({county})",
            check=row["check"],
            title=row["title"],
            county=evidence.counties.get(row["county"], row["county"]),
        )
        for row in checks.values()
        if row["verdict"] == "inconsistent"
    ]
    what = (
        say("These cannot be true together: {checks}.", checks=listing(broken))
        if broken
        else say("Consistent says that figures can be true together, not that they are.")
    )
    return evidence.point(sentences(told, what), "crosschecks")


def _claimed_trend(evidence: Evidence) -> list[Point]:
    rows = [row for row in evidence.rows("claimed_gains") if row["left_strict"] is not None]
    if not rows:
        return []
    left = reduce(Bounds.hull, (to_bounds(row["left_strict"]) for row in rows))
    even = reduce(Bounds.hull, (to_bounds(row["break_even_strict"]) for row in rows))
    told = say(
        "Had incomes risen anyway by up to {trend} 万元 a village and year, which is assumed, "
        "{left} 万元 of the claimed rises would be left; a rise of {even} 万元 a year would "
        "explain them all, by county and definition.",
        trend=f"{float(rows[0]['trend_max']):g}",
        left=left,
        even=even,
    )
    return evidence.point(told, "claimed_gains")
