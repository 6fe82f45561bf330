"""Exhibits of checks: the page of verdicts, each check's findings, the specification curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.effects.check import Check
from evaluation.effects.checks.run import CHECKS, THEMES
from evaluation.errors import ReportError, suggest
from evaluation.report import plots
from evaluation.report.exhibits import Exhibit, html_table
from evaluation.report.gain_words import effects_words, show_interval, show_p
from evaluation.report.robustness_study import StudyRobustness, needs_checks
from evaluation.report.village_words import money_note, show_number

_VERDICTS = "What the checks found, on one page"
_CURVE = "The effect under all other choices"
_WORDS: Mapping[str, str] = {
    "passed": "✓ passed",
    "failed": "✗ failed",
    "informational": "– no rule",
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


@needs_checks("robustness", _VERDICTS)
def verdict_table(robustness: StudyRobustness) -> Exhibit:
    """Show every check with its verdict, and what the verdicts mean for the claim."""
    checks = robustness.checks
    themes = [THEMES[CHECKS[name].theme] for name in checks]
    data = pd.DataFrame(
        {
            "theme": themes,
            "check": [check.title for check in checks.values()],
            "question": [check.question for check in checks.values()],
            "verdict": [check.verdict for check in checks.values()],
            "statistic": [_shown_statistic(check, robustness) for check in checks.values()],
            "statistic_name": [check.statistic_name for check in checks.values()],
            "finding": [check.sentence for check in checks.values()],
        },
        dtype=object,
    )
    order = [list(THEMES.values()).index(theme) for theme in themes]
    data = data.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)
    shown = pd.DataFrame(
        {
            "group": data["theme"],
            "Check": data["check"],
            "Verdict": [
                Markup('<span class="number verdict {}">{}</span>').format(
                    verdict.replace(" ", "-"), _WORDS[verdict]
                )
                for verdict in data["verdict"]
            ],
            "What was found": data["finding"],
        },
        dtype=object,
    )
    return Exhibit(
        name="robustness",
        kind="table",
        caption=_VERDICTS,
        data=data,
        body=Markup("<p>{}</p>{}").format(
            verdict_words(checks), html_table(shown, group="group")
        ),
        simulated=robustness.effects.gains.study_data.study.simulated,
        note=_subject_words(robustness),
    )


def verdict_words(checks: Mapping[str, Check]) -> str:
    """Say how many checks passed, which did not, and what that means for the claim."""
    ruled = {name: check for name, check in checks.items() if check.passed is not None}
    failed = [name for name, check in ruled.items() if not check.passed]
    unknown = [c.title.lower() for c in checks.values() if c.verdict == "not possible"]
    told = f"Of {len(ruled)} checks with a rule {len(ruled) - len(failed)} passed."
    for name in failed:
        told += f" {checks[name].title} failed: {CHECKS[name].if_failed}."
    if not failed:
        told += (
            " None of them speaks against the claim that the programme had the effect, which "
            "is no proof of it: a check sees only what it looks for."
        )
    if unknown:
        told += f" Not possible with these data: {', '.join(unknown)}."
    return told


@needs_checks("check", "A check")
def check_table(robustness: StudyRobustness, name: str) -> Exhibit:
    """Show what one check found, as a table under its question."""
    check = robustness.checks[name]
    shown = robustness.shown
    table = check.table.copy()
    money = [column for column in check.money if column in table]
    table[money] = table[money].astype(float) / shown.divisor
    cells = _lay_out(table, robustness.effects.level)
    more = len(cells) - _MOST_ROWS
    rest = f" {more:,} more rows are in the table's file." if more > 0 else ""
    unit = f" Amounts in {shown.unit}. {money_note(shown)}" if money else ""
    note = f"{_WORDS[check.verdict][2:].capitalize()}. {check.sentence}{rest}{unit}"
    return Exhibit(
        name=f"check_{name}",
        kind="table",
        caption=f"{check.title}: {check.question}",
        data=table if len(table) else pd.DataFrame({"finding": [check.sentence]}),
        body=html_table(cells.head(_MOST_ROWS)) if len(cells) else Markup(""),
        simulated=robustness.effects.gains.study_data.study.simulated,
        note=" ".join(note.split()),
    )


@needs_checks("check_figure", "A check")
def plot_check(robustness: StudyRobustness, name: str) -> Exhibit:
    """Draw what one check found; as a table where it has no figure."""
    check = robustness.checks[name]
    if check.draw is None:
        return check_table(robustness, name)
    figure = plots.new_figure(7.2, 3.8)
    with plots.in_style():
        check.draw(figure.subplots(), robustness.amounts)
    return plots.figure_exhibit(
        figure,
        name=f"check_{name}_figure",
        caption=f"{check.title}: {check.question}",
        alt=check.sentence,
        data=check.table,
        simulated=robustness.effects.gains.study_data.study.simulated,
        note=f"{_WORDS[check.verdict][2:].capitalize()}.",
    )


@needs_checks("specification_curve", _CURVE)
def plot_specifications(robustness: StudyRobustness) -> Exhibit:
    """Draw the average effect under every combination of declared choices."""
    curve = robustness.curve
    assert curve is not None
    figure = plots.new_figure(7.6, 6.4)
    with plots.in_style():
        curve.draw(figure, robustness.amounts)
    words = curve.summary()
    return plots.figure_exhibit(
        figure,
        name="specification_curve",
        caption=_CURVE,
        alt=f"Estimates sorted by size with their intervals; below, the choices. {words}",
        data=curve.to_frame(),
        simulated=robustness.effects.gains.study_data.study.simulated,
        note=words,
    )


def show_checks(robustness: StudyRobustness, theme: str) -> None:
    """Show what all checks of a theme found: a figure where there is one, and the table."""
    from IPython.display import display

    if theme not in THEMES:
        raise ReportError(f"no theme {theme!r}; {suggest(theme, THEMES)}")
    names = [name for name in robustness.checks if CHECKS[name].theme == theme]
    for name in names:
        if robustness.checks[name].draw is not None:
            display(plot_check(robustness, name))
        display(check_table(robustness, name))


def _subject_words(robustness: StudyRobustness) -> str:
    found = robustness.found
    words = effects_words(found.gains)
    return f"Checked: the imputation estimate with {words}, clustered by {found.gains.cluster}."


def _shown_statistic(check: Check, robustness: StudyRobustness) -> float:
    divisor = robustness.shown.divisor if "statistic" in check.money else 1
    return check.statistic / divisor


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
            cells[_HEADINGS.get(name, name[2:])] = [show_p(p) for p in table[name]]
        else:
            heading = _HEADINGS.get(name, name.replace("_", " "))
            cells[heading] = [_cell(value) for value in table[name]]
    return pd.DataFrame(
        {
            f"{heading[0].upper()}{heading[1:]}" if len(heading) > 1 else heading: column
            for heading, column in cells.items()
            if any(column)
        },
        dtype=object,
    )


def _cell(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}" if abs(int(value)) > 9999 else str(value)
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else show_number(float(value))
    return "" if value is None or value is pd.NA else str(value)
