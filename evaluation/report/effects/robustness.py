"""Exhibits of checks: the page of verdicts, each check's findings, the specification curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import pandas as pd
from markupsafe import Markup

from evaluation.effects.check import Amounts, Check, Verdict
from evaluation.effects.checks.run import THEMES
from evaluation.effects.checks.side_by_side import MONEY
from evaluation.effects.result import EffectsTable
from evaluation.errors import ReportError, suggest
from evaluation.language import commas, mark, say, say_count, sentences, speaking, spoken
from evaluation.report import plots
from evaluation.report.absent import NeedsFound
from evaluation.report.cells import html_table
from evaluation.report.effects.robustness_cells import lay_out
from evaluation.report.effects.robustness_readings import READINGS, ROWS
from evaluation.report.effects.robustness_study import StudyRobustness
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.words import (
    effects_words,
    tell_gain,
    zero_words,
)
from evaluation.report.village_words import drawable, money_note

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_VERDICTS = mark("What the checks found, on one page")
_CURVE = mark("The effect under all other choices")
_WORDS: Mapping[str, str] = {
    "passed": mark("✓ passed"),
    "failed": mark("✗ failed"),
    "informational": mark("– no verdict"),
    "not possible": mark("? not possible"),
}
_MOST_ROWS = 30  # of a check's table on the page; its file has all


@NeedsFound("robustness", _VERDICTS)
def verdict_table(robustness: StudyRobustness) -> Exhibit:
    """Show every check with its verdict, and what the verdicts mean for the claim."""
    order = list(THEMES)
    checks = sorted(robustness.checks.values(), key=lambda check: order.index(check.theme))
    rows = [
        {
            "theme": THEMES[check.theme],
            "check": check.title,
            "question": check.question,
            "verdict": check.verdict,
            "statistic": check.statistic
            / (robustness.shown.divisor if "statistic" in check.money else 1),
            "statistic_name": check.statistic_name,
            "finding": check.sentence,
            "if_failed": check.if_failed,
        }
        for check in checks
    ]
    data = pd.DataFrame(rows, dtype=object)
    sign = Markup('<span class="number verdict {}">{}</span>')
    cells = {
        "group": [say(theme) for theme in data["theme"]],
        say("Check"): [say(title) for title in data["check"]],
        say("Verdict"): [
            sign.format(v.replace(" ", "-"), say(_WORDS[v])) for v in data["verdict"]
        ],
        say("What was found"): data["finding"],
    }
    table = html_table(pd.DataFrame(cells, dtype=object), group="group")
    return Exhibit(
        name="robustness",
        kind="table",
        caption=say(_VERDICTS),
        data=data,
        body=Markup("<p>{}</p>{}").format(
            sentences(_tell_effect(robustness), verdict_words(robustness.checks)), table
        ),
        simulated=robustness.effects.simulated,
        note=_checked(robustness.effects.judged),
    )


def _tell_effect(robustness: StudyRobustness) -> str:
    """Say the effect that is checked, and whether there is one to explain."""
    gains = robustness.effects.judged.gains
    words = tell_gain(gains.att, gains, robustness.shown, robustness.effects.level)
    return sentences(
        say("The effect that is checked: {effect}.", effect=words), zero_words(gains.att)
    )


def verdict_words(checks: Mapping[str, Check]) -> str:
    """Say how many checks passed, which did not, and what that means for the claim."""
    by: dict[Verdict, list[Check]] = {verdict: [] for verdict in get_args(Verdict)}
    for check in checks.values():
        by[check.verdict].append(check)
    passed, failed, open_ones, unknown = by.values()
    told = [
        say(
            "Of {n} checks {passed} passed, {failed} failed, {open}, {unknown}.",
            n=len(checks),
            passed=len(passed),
            failed=len(failed),
            open=say_count("{n} has no verdict", "{n} have no verdict", len(open_ones)),
            unknown=say_count("{n} is not possible", "{n} are not possible", len(unknown)),
        )
    ]
    for check in failed:
        told.append(
            say(
                "{check} failed: {meaning}.",
                check=say(check.title),
                meaning=say(check.if_failed),
            )
        )
    if passed and not failed:
        told.append(
            say(
                "That none failed is no proof that the programme had the effect: a check sees "
                "only what it looks for."
            )
        )
    if open_ones:
        told.append(
            say(
                "No verdict, which leaves it to you to judge: {checks}.",
                checks=_titles(open_ones),
            )
        )
    if unknown:
        told.append(say("Not possible with these data: {checks}.", checks=_titles(unknown)))
    return sentences(*told)


def _titles(checks: Sequence[Check]) -> str:
    return commas(say(check.title).lower() for check in checks)


def _checked(table: EffectsTable) -> str:
    """Say which estimate was checked, and which event study."""
    main = say(
        "Checked: the imputation estimate with {effects}, clustered by {cluster}.",
        effects=effects_words(table.gains),
        cluster=say(table.gains.cluster),
    )
    if "callaway_santanna" not in table.found:
        return main
    study = say(
        "Checks of trends look at the event study of group-time averages (Callaway, "
        "Sant'Anna), whose years before treatment are measured as those since are."
    )
    return sentences(main, study)


@NeedsFound("check", mark("A check"))
def check_table(robustness: StudyRobustness, name: str) -> Exhibit:
    """Show what one check found, as a table under its question."""
    check, shown = robustness.checks[name], robustness.shown
    data = _scale(check, robustness)
    cells = lay_out(data[[*check.table]], robustness.effects.level)
    more = len(cells) - _MOST_ROWS
    told = "" if check.verdict == "not possible" else _verdict(check)  # its finding says so
    note = sentences(
        told,
        check.sentence,
        say("{n:,} more rows are in the table's file.", n=more) if more > 0 else "",
        say("Amounts in {unit}.", unit=shown.unit) if check.money else "",
        money_note(shown) if check.money else "",
    )
    return Exhibit(
        name=f"check_{name}",
        kind="table",
        caption=_caption(check),
        data=data if len(data) else pd.DataFrame({"finding": [check.sentence]}),
        body=html_table(cells.head(_MOST_ROWS)) if len(cells) else Markup(""),
        simulated=robustness.effects.simulated,
        note=note,
    )


@NeedsFound("check_figure", mark("A check"))
def plot_check(robustness: StudyRobustness, name: str) -> Exhibit:
    """Draw what one check found; as a table where it has no figure."""
    check = robustness.checks[name]
    if check.draw is None:
        return check_table(robustness, name)
    figure = plots.new_figure(7.2, 3.8)
    with plots.in_style(), _drawing():
        axes = figure.subplots()
        check.draw(axes, _drawn(robustness))
        _number(axes)
    return plots.figure_exhibit(
        figure,
        name=f"check_{name}_figure",
        caption=_caption(check),
        alt=check.sentence,
        data=_scale(check, robustness),
        simulated=robustness.effects.simulated,
        note=sentences(_verdict(check), say(READINGS.get(name, ROWS))),
    )


def _caption(check: Check) -> str:
    return say("{title}: {question}", title=say(check.title), question=say(check.question))


def _verdict(check: Check) -> str:
    return say("{verdict}.", verdict=say(_WORDS[check.verdict])[2:].capitalize())


def _drawing() -> AbstractContextManager[None]:
    """Speak English where there is no Chinese font to draw with."""
    return speaking(spoken() if plots.draws_chinese() else "en")


def _drawn(robustness: StudyRobustness) -> Amounts:
    """Say how figures tell amounts, whose unit may take a Chinese font."""
    amounts = robustness.effects.amounts
    return replace(amounts, unit=drawable(amounts.unit, robustness.shown.axis))


def _number(axes: Axes) -> None:
    """Put their number in the table in the place of names that no font has."""
    names = [text.get_text() for text in axes.get_yticklabels()]
    drawn = [drawable(name, str(number)) for number, name in enumerate(names, start=1)]
    if drawn != names:
        axes.set_yticks(axes.get_yticks(), drawn)


@NeedsFound("specification_curve", _CURVE)
def plot_specifications(robustness: StudyRobustness) -> Exhibit:
    """Draw the average effect under every combination of declared choices."""
    curve = robustness.curve
    assert curve is not None  # as there is an effect
    data = curve.to_frame()
    data[[*MONEY]] = data[[*MONEY]].astype(float) / robustness.shown.divisor
    figure = plots.new_figure(7.6, 6.4)
    with plots.in_style(), _drawing():
        replace(curve, amounts=_drawn(robustness)).draw(figure)
    words = curve.summary()
    return plots.figure_exhibit(
        figure,
        name="specification_curve",
        caption=say(_CURVE),
        alt=sentences(
            say("Estimates sorted by size with their intervals; below, the choices."), words
        ),
        data=data.assign(unit=robustness.shown.unit),
        simulated=robustness.effects.simulated,
        note=words,
    )


def show_checks(robustness: StudyRobustness, theme: str) -> None:
    """Show what all checks of a theme found: a figure where there is one, and the table."""
    from IPython.display import display

    if theme not in THEMES:
        raise ReportError(f"no theme {theme!r}; {suggest(theme, THEMES)}")
    for name, check in robustness.checks.items():
        if check.theme != theme:
            continue
        if check.draw is not None:
            display(plot_check(robustness, name))
        display(check_table(robustness, name))


def _scale(check: Check, robustness: StudyRobustness) -> pd.DataFrame:
    """Give a check's table with amounts, and their unit, as they are shown."""
    table, money = check.table.copy(), [name for name in check.money if name in check.table]
    table[money] = table[money].astype(float) / robustness.shown.divisor
    return table.assign(unit=robustness.shown.unit) if money else table
