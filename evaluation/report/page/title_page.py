"""What stands under a report's title: how far its data reach, whose they are, how many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.data.study import Study
from evaluation.language import say, sentences
from evaluation.report.page.summary import reached_rung
from evaluation.report.page.summary_parts import name_county
from evaluation.report.results import Exhibits, name_exhibits, rows_of
from evaluation.report.words import LADDER


def front_facts(
    study: Study, results: Mapping[str, Any], *, run_name: str
) -> list[tuple[str, str]]:
    """Give the facts of a title page, each with its label."""
    rung, panel = tell_results(results)
    publisher = study.source.publisher.shown
    date = study.source.date
    facts = [
        (say("Evidence"), rung),
        (say("Source"), study.source.title.shown if study.source.title else ""),
        (
            say("Publisher"),
            say("{publisher}, {date}", publisher=publisher, date=date) if date else publisher,
        ),
        (say("County"), _tell_county(study)),
        (say("Outcome"), study.outcome.shown if study.outcome else ""),
        (say("Panel"), panel),
        (say("Run"), run_name),
    ]
    return [(label, told) for label, told in facts if told]


def _tell_county(study: Study) -> str:
    """Say which county a report is on alone; '' if on all."""
    if study.county is None:
        return ""
    zh = study.county.zh
    names = dict.fromkeys((name_county(study.county.name, zh), zh))
    return say("{county} alone", county=" ".join(filter(None, names)))


def tell_results(results: Mapping[str, Any]) -> tuple[str, str]:
    """Say how far a study's data reach and how many they are, as its results have it."""
    return _tell_rung(results), _tell_panel(name_exhibits(results))


def _tell_rung(results: Mapping[str, Any]) -> str:
    reached = reached_rung(results)
    if reached is None:
        return say("On no rung of evidence: these data describe, and no more.")
    name, _, may_say = LADDER[reached]
    return sentences(
        say("Rung {n} of {of}: {name}.", n=reached + 1, of=len(LADDER), name=say(name)),
        say("What may be said: {what}.", what=say(may_say)),
    )


def _tell_panel(exhibits: Exhibits) -> str:
    """Say a panel's years and how many villages it has, treated ones apart."""
    most: dict[str, int] = {}
    years = set()
    for row in rows_of(exhibits, "coverage"):
        place = str(row.get("county", row.get("town", "")))
        most[place] = max(most.get(place, 0), int(row["n_villages"]))
        years.add(int(row["year"]))
    if not years:
        return ""
    treated = sum(
        int(row["n_villages"])
        for row in rows_of(exhibits, "rollout")
        if str(row["cohort"])[:1].isdigit()
    )
    return say(
        "{first} to {last}; {n:,} villages, of which {treated:,} treated and {never:,} never "
        "treated",
        first=min(years),
        last=max(years),
        n=sum(most.values()),
        treated=treated,
        never=sum(most.values()) - treated,
    )
