"""A study of one county alone, or on another outcome than its own: what study.yml then says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evaluation.data.money import parse_money
from evaluation.data.study_files import Area, Column, Text
from evaluation.data.study_panel import Analysis, PanelFile, Statistic
from evaluation.errors import DataError, suggest
from evaluation.language import has_chinese, mark, say_in

if TYPE_CHECKING:
    from evaluation.data.study import Study

_KINDS = {
    "operating": mark("operating income"),
    "contracted": mark("income from contracts"),
    "investment": mark("investment income"),
    "subsidy": mark("subsidies"),
    "other": mark("other income"),
    "total": mark("income with subsidies"),
}
_INCOME = {
    "excluded": mark("collective income without subsidies"),
    "included": mark("collective income"),
}
_ALONE = mark(
    "This report is on {county} alone; the study's own title and texts speak of all counties."
)
_PANEL = mark(
    "Its villages are compared with one another and with none of other counties, so that "
    "results differ from what a report on all counties says of it."
)
_MONEY = mark("Money that is recorded for several counties together is not counted.")
_CLAIMS = mark(
    "Claims on other counties, or on all of them together, are left out, and so are the "
    "cross-checks that rest on them."
)


_CHOSEN = mark("The outcome of this report is {label}, chosen in place of the study's own.")
_ONE_KIND = mark(
    "It is one kind of income: what was gained or lost in others is in no gain and in no ratio."
)
_GRANTS = mark(
    "It holds subsidies: a grant that is booked as income makes the gain equal to the "
    "treatment, and is nothing that money earned."
)


def restrict(
    whole: Study, *, county: str, outcome: str
) -> tuple[dict[str, object], Area | None, Text | None]:
    """Say what study.yml would have to say for a study of one county or on another outcome.

    Returns
    -------
    changed
        Fields of the study with their values.
    county, outcome
        The county, and what the outcome is called; None where it is the study's own.

    Raises
    ------
    DataError
        If there is no such county or outcome.
    """
    changed: dict[str, object] = {}
    limits: list[Text] = []
    area = label = None
    if county:
        area = choose_area(county, whole.counties, of_files=whole.panel is not None)
        has = {part: part in whole.parts for part in ("panel", "ledger", "claims")}
        limits.append(limit_of(area, **has))
        changed["counties"] = [own for own in whole.counties if own == area]
    if outcome:
        if whole.panel is None:
            raise DataError(f"outcome {outcome!r}: {whole.name} has no panel.")
        panel, name = choose_outcome(whole.panel, outcome)
        if panel.outcome != main_outcome(whole.panel):
            label = name
            limits.append(limit_of_outcome(panel, label))
            changed["panel"] = panel
    changed["limits"] = [*limits, *whole.limits]
    changed["title"] = retitle(whole.title, area, label)
    return changed, area, label


def choose_area(name: str, areas: Sequence[Area], *, of_files: bool) -> Area:
    """Find a county by its name in either language.

    Parameters
    ----------
    name
        In English or in Chinese, as study.yml or a data file has it.
    areas
        The counties of study.yml.
    of_files
        Whether the data files may have others: which they have is known when they are read.

    Raises
    ------
    DataError
        If there is none of that name.
    """
    for area in areas:
        if name in (area.name, area.zh):
            return area
    if of_files:
        return Area(name=name)
    raise DataError(unknown_county(name, areas))


def unknown_county(name: str, areas: Sequence[Area], in_files: Sequence[str] = ()) -> str:
    """Say that there is no such county, and which may be meant."""
    known = [word for area in areas for word in (area.name, area.zh) if word]
    if not (known or in_files):
        return f"county {name!r}: neither study.yml nor its files name any county."
    return f"no county {name!r}; {suggest(name, dict.fromkeys([*known, *in_files]))}"


def choose_outcome(panel: PanelFile, name: str) -> tuple[PanelFile, Text]:
    """Make another of a panel's outcomes, or a kind of its income, the main one.

    Returns
    -------
    panel
        As study.yml would have it. The scale that study.yml gives for income holds for its
        kinds too; another outcome is analysed on the scale that the file has it on.
    label
        What the outcome is called.

    Raises
    ------
    DataError
        If the panel has no such outcome.
    """
    columns: dict[str, Column | Statistic] = {**panel.outcomes}
    columns |= panel.aggregate.outcomes if panel.aggregate else {}
    kinds = {str(kind): column for kind, column in panel.income.items()}
    main = main_outcome(panel)
    kind = name.removeprefix("income_")
    if name in columns:
        chosen, label = name, _label(name, columns[name])
    elif name == "income" and kinds:
        chosen = name
        label = _in_both(_INCOME[panel.subsidies])
    elif kind in kinds:
        chosen = f"income_{kind}"
        label = _label(_KINDS[kind], kinds[kind])
        income = {k: c.model_copy(update={"label": label}) if k == kind else c
                  for k, c in panel.income.items()}  # fmt: skip
        panel = panel.model_copy(update={"income": income})
    else:
        known = outcome_names(panel)
        raise DataError(f"no outcome {name!r} in the panel; {suggest(name, known)}")
    is_income = main == "income" and (chosen == main or chosen not in columns)
    keeps = chosen == main or is_income
    analysis = panel.analysis if keeps else _scale_of(columns.get(chosen))
    return panel.model_copy(update={"outcome": chosen, "analysis": analysis}), label


def main_outcome(panel: PanelFile) -> str:
    """Name the outcome that a panel has for its main one."""
    return panel.outcome or ("income" if panel.income else outcome_names(panel)[0])


def outcome_names(panel: PanelFile) -> list[str]:
    """Name the outcomes that a panel has, kinds of income among them."""
    columns = [*panel.outcomes, *(panel.aggregate.outcomes if panel.aggregate else ())]
    return [*columns, *(["income", *map(str, panel.income)] if panel.income else [])]


def retitle(title: Text, county: Area | None, outcome: Text | None) -> Text:
    """Say in a title that it is of one county alone, or on another outcome."""
    parts = []
    if county:
        parts.append(_in_both(mark("{county} alone"), _names(county)))
    if outcome:
        labels = {"en": {"label": outcome.en}, "zh": {"label": outcome.zh or outcome.en}}
        parts.append(_in_both(mark("outcome: {label}"), labels))
    en, zh = "; ".join(part.en for part in parts), "；".join(part.zh for part in parts)
    told = {"en": {"title": title.en, "what": en}, "zh": {"title": title.zh, "what": zh}}
    both = _in_both(mark("{title} ({what})"), told)
    return both if title.zh else Text(en=both.en)


def limit_of_outcome(panel: PanelFile, label: Text) -> Text:
    """Say what an outcome is not that was chosen."""
    names = {"en": {"label": label.en}, "zh": {"label": label.zh or label.en}}
    kind = panel.outcome.removeprefix("income_") if panel.outcome not in panel.outcomes else ""
    has = (
        (kind in panel.income and kind != "total", _ONE_KIND),
        (kind in ("subsidy", "total"), _GRANTS),
    )
    return _join(_in_both(_CHOSEN, names), *(_in_both(words) for given, words in has if given))


def limit_of(county: Area, *, panel: bool, ledger: bool, claims: bool) -> Text:
    """Say what a report on one county alone leaves out, of the files that the study has."""
    has = ((panel, _PANEL), (ledger, _MONEY), (claims, _CLAIMS))
    return _join(
        _in_both(_ALONE, _names(county)), *(_in_both(words) for given, words in has if given)
    )


def _label(name: str, column: Column | Statistic) -> Text:
    if column.label:
        return column.label
    words = _in_both(name.replace("_", " "))
    return Text(en=words.en, zh=column.column if has_chinese(column.column) else words.zh)


def _scale_of(column: Column | Statistic | None) -> Analysis:
    """Give the scale of a column: money that the file has as a logarithm is put back to it."""
    if (
        not isinstance(column, Column)
        or column.scale == "level"
        or not parse_money(column.unit)
    ):
        return Analysis()
    return Analysis(scale="log", zeros="add_one" if column.scale == "log1p" else "error")


def _names(area: Area) -> dict[str, dict[str, str]]:
    """Name a county in both languages; a number as "county 12"."""
    told = Text(en=area.name, zh=area.zh or area.name)
    if area.name.isdigit():
        numbered = {"name": area.name}
        told = _in_both(mark("county {name}"), {"en": numbered, "zh": numbered})
    return {"en": {"county": told.en}, "zh": {"county": told.zh}}


def _join(*texts: Text) -> Text:
    return Text(en=" ".join(text.en for text in texts), zh="".join(text.zh for text in texts))


def _in_both(message: str, values: Mapping[str, Mapping[str, str]] | None = None) -> Text:
    own = values or {"en": {}, "zh": {}}
    return Text(en=say_in("en", message, **own["en"]), zh=say_in("zh", message, **own["zh"]))
