"""Exhibits of checks: the page of verdicts, each check's findings, the specification curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.effects.check import Check, Verdict
from evaluation.effects.checks.run import THEMES
from evaluation.effects.checks.side_by_side import MONEY
from evaluation.effects.result import EffectsTable
from evaluation.errors import ReportError, suggest
from evaluation.report import plots
from evaluation.report.absent import NeedsFound
from evaluation.report.exhibits import Exhibit, html_table
from evaluation.report.gain_words import (
    effects_words,
    show_interval,
    show_p,
    tell_gain,
    zero_words,
)
from evaluation.report.robustness_study import StudyRobustness
from evaluation.report.village_words import money_note, show_number

_VERDICTS = "What the checks found, on one page"
_CURVE = "The effect under all other choices"
_WORDS: Mapping[str, str] = {
    "passed": "✓ passed",
    "failed": "✗ failed",
    "informational": "– no verdict",
    "not possible": "? not possible",
}
_HEADINGS = {
    "event_time": "years since treatment",
    "se": "standard error",
    "p_value": "p",
    "p_holm": "p, Holm",
    "p_romano_wolf": "p, Romano-Wolf",
    "p_difference": "p of the difference",
    "se_difference": "its standard error",
    "n_villages": "villages",
    "n_left_out": "villages left out",
    "m_bar": "Mbar",
    "m": "M",
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
        }
        for check in checks
    ]
    data = pd.DataFrame(rows, dtype=object)
    mark = Markup('<span class="number verdict {}">{}</span>')
    verdicts = [mark.format(v.replace(" ", "-"), _WORDS[v]) for v in data["verdict"]]
    cells = {
        "group": data["theme"],
        "Check": data["check"],
        "Verdict": verdicts,
        "What was found": data["finding"],
    }
    table = html_table(pd.DataFrame(cells, dtype=object), group="group")
    return Exhibit(
        name="robustness",
        kind="table",
        caption=_VERDICTS,
        data=data,
        body=Markup("<p>{} {}</p>{}").format(
            _tell_effect(robustness), verdict_words(robustness.checks), table
        ),
        simulated=robustness.effects.simulated,
        note=_checked(robustness.effects.judged),
    )


def _tell_effect(robustness: StudyRobustness) -> str:
    """Say the effect that is checked, and whether there is one to explain."""
    gains = robustness.effects.judged.gains
    words = tell_gain(gains.att, gains, robustness.shown, robustness.effects.level)
    return f"The effect that is checked: {words}. {zero_words(gains.att)}".strip()


def verdict_words(checks: Mapping[str, Check]) -> str:
    """Say how many checks passed, which did not, and what that means for the claim."""
    by: dict[Verdict, list[Check]] = {verdict: [] for verdict in get_args(Verdict)}
    for check in checks.values():
        by[check.verdict].append(check)
    passed, failed, open_ones, unknown = by.values()
    told = (
        f"Of {len(checks)} checks {len(passed)} passed, {len(failed)} failed, "
        f"{len(open_ones)} {'has' if len(open_ones) == 1 else 'have'} no verdict, "
        f"{len(unknown)} {'is' if len(unknown) == 1 else 'are'} not possible."
    )
    for check in failed:
        told += f" {check.title} failed: {check.if_failed}."
    if passed and not failed:
        told += (
            " That none failed is no proof that the programme had the effect: a check sees "
            "only what it looks for."
        )
    if open_ones:
        told += f" No verdict, which leaves it to you to judge: {_titles(open_ones)}."
    if unknown:
        told += f" Not possible with these data: {_titles(unknown)}."
    return told


def _titles(checks: Sequence[Check]) -> str:
    return ", ".join(check.title.lower() for check in checks)


def _checked(table: EffectsTable) -> str:
    """Say which estimate was checked, and which event study."""
    main = (
        f"Checked: the imputation estimate with {effects_words(table.gains)}, clustered by "
        f"{table.gains.cluster}."
    )
    if "callaway_santanna" not in table.found:
        return main
    return (
        f"{main} Checks of trends look at the event study of group-time averages (Callaway, "
        "Sant'Anna), whose years before treatment are measured as those since are."
    )


@NeedsFound("check", "A check")
def check_table(robustness: StudyRobustness, name: str) -> Exhibit:
    """Show what one check found, as a table under its question."""
    check, shown = robustness.checks[name], robustness.shown
    data = _scale(check, robustness)
    cells = _lay_out(data[[*check.table]], robustness.effects.level)
    more = len(cells) - _MOST_ROWS
    rest = f" {more:,} more rows are in the table's file." if more > 0 else ""
    unit = f" Amounts in {shown.unit}. {money_note(shown)}" if check.money else ""
    note = f"{_WORDS[check.verdict][2:].capitalize()}. {check.sentence}{rest}{unit}"
    return Exhibit(
        name=f"check_{name}",
        kind="table",
        caption=f"{check.title}: {check.question}",
        data=data if len(data) else pd.DataFrame({"finding": [check.sentence]}),
        body=html_table(cells.head(_MOST_ROWS)) if len(cells) else Markup(""),
        simulated=robustness.effects.simulated,
        note=" ".join(note.split()),
    )


@NeedsFound("check_figure", "A check")
def plot_check(robustness: StudyRobustness, name: str) -> Exhibit:
    """Draw what one check found; as a table where it has no figure."""
    check = robustness.checks[name]
    if check.draw is None:
        return check_table(robustness, name)
    figure = plots.new_figure(7.2, 3.8)
    with plots.in_style():
        check.draw(figure.subplots(), robustness.effects.amounts)
    return plots.figure_exhibit(
        figure,
        name=f"check_{name}_figure",
        caption=f"{check.title}: {check.question}",
        alt=check.sentence,
        data=_scale(check, robustness),
        simulated=robustness.effects.simulated,
        note=f"{_WORDS[check.verdict][2:].capitalize()}.",
    )


@NeedsFound("specification_curve", _CURVE)
def plot_specifications(robustness: StudyRobustness) -> Exhibit:
    """Draw the average effect under every combination of declared choices."""
    curve = robustness.curve
    assert curve is not None  # as there is an effect
    data = curve.to_frame()
    data[[*MONEY]] = data[[*MONEY]].astype(float) / robustness.shown.divisor
    figure = plots.new_figure(7.6, 6.4)
    with plots.in_style():
        curve.draw(figure)
    words = curve.summary()
    return plots.figure_exhibit(
        figure,
        name="specification_curve",
        caption=_CURVE,
        alt=f"Estimates sorted by size with their intervals; below, the choices. {words}",
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


def _lay_out(table: pd.DataFrame, level: str) -> pd.DataFrame:
    """Give a check's table as cells: ends of intervals together, without empty columns."""
    cells: dict[str, list[str]] = {}
    for name in map(str, table):
        if name == "conf_high" and "conf_low" in table:
            continue
        if name == "conf_low":
            ends = table[["conf_low", "conf_high"]].to_numpy(float)
            cells[f"{level} interval"] = [show_interval(low, high) for low, high in ends]
        elif name.startswith("p_") and table[name].dtype.kind == "f":
            heading = _HEADINGS.get(name, f"p, {name[2:].replace('_', ' ')}")
            cells[heading] = [show_p(p) for p in table[name]]
        else:
            heading = _HEADINGS.get(name, name.replace("_", " "))
            cells[heading] = [_cell(value) for value in table[name]]
    return pd.DataFrame(
        {_capitalise(heading): column for heading, column in cells.items() if any(column)},
        dtype=object,
    )


def _capitalise(heading: str) -> str:
    """Begin with a capital, but for p, which is a letter and not a word."""
    is_p = heading.partition(" ")[0] in ("p", "p,")
    return heading if is_p else f"{heading[:1].upper()}{heading[1:]}"


def _cell(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}" if abs(int(value)) > 9999 else str(value)
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else show_number(float(value))
    return "" if value is None or value is pd.NA else str(value)
