"""A report on one county or on another outcome: its parameters say so, and its study knows."""

from __future__ import annotations

from collections.abc import Mapping

from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report import chapters
from evaluation.report.parameters import Value

Values = Mapping[str, Mapping[str, Value]]


def restrict_study(study: Study, values: Values) -> tuple[Study, Values]:
    """Restrict a study as its chapters' parameters ``county`` and ``outcome`` say.

    Returns
    -------
    study
        The study that the report is on.
    values
        The parameters, with one name for a county however it was written, and none for the
        study's own outcome, so that what is run for one report serves another.

    Raises
    ------
    DataError
        If the study has no such county or outcome.
    ReportError
        If a chapter of the study's own would report on all counties among those on one.
    """
    county, outcome = (_value_of(values, name) for name in ("county", "outcome"))
    if not (county or outcome):
        return study, values
    restricted = study.restrict(county=county, outcome=outcome)
    area = restricted.county
    for chapter, chosen in values.items():
        if area and chapter not in chapters.CHAPTERS and "county" not in chosen:
            raise ReportError(
                f"{chapter}: its parameters cell does not declare 'county: str', for "
                "Study.load to be handed it: it would report on all counties."
            )
    named: dict[str, Value] = {"county": area.name if area else ""}
    if restricted.outcome is None:
        named["outcome"] = ""
    return restricted, {
        chapter: {**chosen, **{name: named[name] for name in named if name in chosen}}
        for chapter, chosen in values.items()
    }


def _value_of(values: Values, name: str) -> str:
    return next((str(chosen[name]) for chosen in values.values() if chosen.get(name)), "")
