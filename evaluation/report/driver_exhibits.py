"""Which villages gained: differences in gain by trait, and gains by group beside the rest's."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.effects.heterogeneity import compare_groups
from evaluation.errors import DesignError, ReportError
from evaluation.gains.result import IncomeGains
from evaluation.report import plots
from evaluation.report.absent import NeedsFound
from evaluation.report.driver_study import (
    StudyDrivers,
    choose_gains,
    choose_groups,
    estimate_study_drivers,
    find_groups,
)
from evaluation.report.driver_words import (
    MODELS,
    MOST_GROUPS,
    driver_words,
    interval_note,
    scale_rows,
)
from evaluation.report.exhibits import Exhibit, html_lines, html_table
from evaluation.report.gain_study import StudyGains
from evaluation.report.gain_words import (
    effects_words,
    interval_cells,
    reason_words,
    show_interval,
    show_p,
)
from evaluation.report.village_words import COLORS, NEVER, drawable, money_note, show_number

_TABLE = "Which villages gained: differences in gain by trait"
_FIGURE = "Differences in gain by trait"
_STYLES = {
    "alone": ("o", COLORS["treated"], -0.22),
    "together": ("s", "0.15", 0.0),
    "comparison": ("D", COLORS[NEVER], 0.22),
}
_AMOUNTS = [
    "estimate", "se", "conf_low", "conf_high", "difference", "difference_se", "difference_low",
    "difference_high",
]  # fmt: skip
_DIFFERENCE = {
    "difference_low": "conf_low", "difference_high": "conf_high",
    "difference_reason": "reason",
}  # fmt: skip
_P_VALUES = {"p_value": "p", "p_holm": "p, Holm", "p_romano_wolf": "p, Romano-Wolf"}


@NeedsFound("drivers", _TABLE)
def drivers_table(gains: StudyGains, *, study: StudyDrivers | None = None) -> Exhibit:
    """Show how much more villages gained a year by trait, alone and with the others.

    Parameters
    ----------
    study
        As `estimate_study_drivers` gives it; estimated if not given.
    """
    study = study or estimate_study_drivers(gains)
    data, rows = scale_rows(study, gains), []
    for trait, block in data.groupby("trait", sort=False):
        head = {"Trait": study.labels[str(trait)], **_p_values(study, str(trait))}
        n_groups, n = int(block["n_groups"].iloc[0]), f"{block['n_villages'].iloc[0]:,.0f}"
        if n_groups > MOST_GROUPS:
            rows.append({**head, "For": f"{n_groups + 1} groups", "Villages": n})
            continue
        for _, lines in block.groupby("level", sort=False):
            keys = zip(lines["model"], lines["weighting"], strict=True)
            of = dict(zip(keys, lines.to_dict("records"), strict=True))
            shown = {title: _cell(of[key]) for key, title in MODELS.items() if key in of}
            rows.append({**head, "For": lines["what"].iloc[0], "Villages": n, **shown})
            head = {"Trait": ""}
    some = [title for title in MODELS.values() if any(title in row for row in rows)]
    columns = ["Trait", "For", "Villages", *some, "p", "p, Holm"]
    note = (
        f"{driver_words(study, gains, data)} The columns: each trait alone; the same with "
        "villages weighed by how well their gain is measured; with the others held fixed. p: "
        "of all of a trait's differences being zero; Holm: with as many traits looked at. "
        f"In {gains.shown.unit}, {effects_words(study.found)}. {gains.prices} "
        f"{money_note(gains.shown)}"
    )
    return Exhibit(
        name="drivers",
        kind="table",
        caption=_TABLE,
        data=data.assign(unit=gains.shown.unit),
        body=html_table(pd.DataFrame(rows, columns=columns, dtype=object).fillna("")),
        simulated=gains.study_data.study.simulated,
        note=" ".join(note.split()),
    )


@NeedsFound("drivers_figure", _FIGURE)
def plot_drivers(gains: StudyGains, *, study: StudyDrivers | None = None) -> Exhibit:
    """Draw the differences in gain by trait, with those of comparison villages beside them.

    Parameters
    ----------
    study
        As `estimate_study_drivers` gives it; estimated if not given.
    """
    study = study or estimate_study_drivers(gains)
    whole = scale_rows(study, gains)
    data = whole[(whole["n_groups"] <= MOST_GROUPS) & (whole["weighting"] == "equal")]
    if data["estimate"].isna().all():
        raise DesignError("No trait can be drawn: the table of differences by trait says why.")
    names = data["label"] + ": " + data["what"]
    place = {name: at for at, name in enumerate(dict.fromkeys(names))}
    figure = plots.new_figure(8.0, 1.6 + 0.38 * len(place))
    with plots.in_style():
        axes = figure.subplots()
        axes.axvline(0, color="0.4", linewidth=1)
        for model, (mark, color, shift) in _STYLES.items():
            rows = data[(data["model"] == model) & data["estimate"].notna()]
            if rows.empty:
                continue
            at = names[rows.index].map(place).to_numpy() + shift
            reach = rows[["conf_low", "conf_high"]].sub(rows["estimate"], axis=0).abs()
            axes.errorbar(
                rows["estimate"], at, xerr=reach.to_numpy().T, fmt=mark, color=color,
                markersize=4, linewidth=1.2, label=MODELS[model, "equal"].lower(),
            )  # fmt: skip
        ticks = [drawable(name, f"trait {at + 1}") for name, at in place.items()]
        axes.set_yticks(range(len(place)), ticks)
        axes.set_ylim(len(place) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"difference in gain a year,\n{gains.shown.axis}")
        figure.legend(loc="outside lower left", ncols=3, frameon=False)
    key = [f"{a}: {b}." for a, b in zip(ticks, place, strict=True) if a.startswith("trait ")]
    many = whole.loc[whole["n_groups"] > MOST_GROUPS, "label"].unique()
    hidden = f"Not drawn, as it has many groups: {', '.join(many)}." if len(many) else ""
    note = (
        f"{driver_words(study, gains, data)} {hidden} {' '.join(key)} In {gains.shown.unit}, "
        f"{effects_words(study.found)}. {gains.prices}"
    )
    note = " ".join(note.split())
    return plots.figure_exhibit(
        figure,
        name="drivers_figure",
        caption=_FIGURE,
        alt=f"Dots with intervals, a row a difference between villages. {note}",
        data=data.assign(unit=gains.shown.unit),
        simulated=gains.study_data.study.simulated,
        note=note,
    )


def show_drivers(gains: StudyGains) -> None:
    """Show the table and the figure of differences by trait, regressed once."""
    from IPython.display import display

    study = None
    with suppress(DesignError, ReportError):  # which each exhibit then gives as its reason
        study = estimate_study_drivers(gains)
    for make in (drivers_table, plot_drivers):
        display(make(gains, study=study))


def heterogeneity_table(gains: StudyGains, by: str = "") -> Exhibit:
    """Show mean gains of groups of villages, and how each differs from the rest.

    Parameters
    ----------
    by
        A trait of the panel ("dispatching_unit"), county, town, cohort or project_type. By
        default the first trait; without any the county, of one county alone the cohort.
    """
    why = ""
    if not by and gains.main is not None:
        by, why = choose_groups(choose_gains(gains))
    by = by or "group"
    name, caption = f"gains_of_{by}", f"Gains by {by.replace('_', ' ')}, each beside the rest"
    return NeedsFound(name, caption)(_heterogeneity_table)(gains, by, name, caption, why)


def _heterogeneity_table(
    gains: StudyGains, by: str, name: str, caption: str, why: str
) -> Exhibit:
    found, shown = choose_gains(gains), gains.shown
    frame = compare_groups(found, find_groups(gains, found, by))
    data = frame.reset_index(names=by)
    data[_AMOUNTS] /= shown.divisor
    own, shared = interval_cells(data, 1, found.cluster)
    differ = data[list(_DIFFERENCE)].rename(columns=_DIFFERENCE)
    rest, shared_by_rest = interval_cells(differ, 1, found.cluster)
    cells = {
        by.replace("_", " ").capitalize(): data[by],
        "Villages": [f"{n:,.0f}" for n in data["n_villages"]],
        "Gain": list(map(show_number, data["estimate"])),
        "Interval": own,
        "Less the rest's": list(map(show_number, data["difference"])),
        "Interval of that": rest,
        **{head: list(map(show_p, data[column])) for column, head in _P_VALUES.items()},
    }
    note = (
        f"{why} {_groups_words(data, frame.attrs, found)} Less the rest's: less the mean gain "
        "of all other villages that have a group. Groups of fewer than five villages are taken "
        f"together. {_none_words(shared, shared_by_rest)} "
        f"{interval_note(data, gains, found)} Intervals of differences rest on the clusters of "
        "all groups, those of means on a group's own. Holm: of each difference's own p; "
        "Romano-Wolf: of all groups at once, to go by where the two disagree. "
        f"In {shown.unit}, {effects_words(found)}. {gains.prices} {money_note(shown)}"
    )
    return Exhibit(
        name=name,
        kind="table",
        caption=caption,
        data=data.assign(unit=shown.unit),
        body=html_table(pd.DataFrame(cells, dtype=object)),
        simulated=gains.study_data.study.simulated,
        note=" ".join(note.split()),
    )


def _groups_words(data: pd.DataFrame, about: dict[Any, Any], found: IncomeGains) -> str:
    """Say whether groups differ by more than chance, and which."""
    by, alpha = str(data.columns[0]), found.options.alpha
    left = about["n_left_out"]
    rest = f"{left:,} villages with a gain have no group." if left else ""
    if np.isnan(about["joint_p"]):
        reason = reason_words(about["joint_reason"], found.cluster)
        return f"Whether groups differ by more than chance cannot be told: {reason}. {rest}"
    differ = data.loc[data["p_romano_wolf"] <= alpha, by]
    which = f"{', '.join(differ)} from the rest" if len(differ) else "none alone"
    shown = (
        f"Groups differ by more than chance ({which})"
        if about["joint_p"] <= alpha
        else "That groups differ by more than chance is not shown, nor that they are alike"
    )
    top = data.to_dict("records")[int(data["estimate"].to_numpy().argmax())]
    everyone = f"all {len(data)}" if len(data) > 2 else "both"
    chance = "; of many groups the highest is so in part by chance" if len(data) > 2 else ""
    return (
        f"{shown}: p {show_p(about['joint_p'])} of {everyone} gaining alike. "
        f"{top[by]} has the highest mean, {show_number(top['estimate'])}{chance}. {rest}"
    )


def _none_words(*reasons: str) -> str:
    told = [f"No interval: {reason}." for reason in dict.fromkeys(reasons) if reason]
    return " ".join(told)


def _p_values(study: StudyDrivers, trait: str) -> dict[str, str]:
    tests = study.drivers.tests
    row = tests[(tests["trait"] == trait) & (tests["model"] == "alone")].iloc[0].to_dict()
    return {"p": show_p(row["p_value"]), "p, Holm": show_p(row["p_holm"])}


def _cell(row: dict[Any, Any]) -> Markup:
    """Give a difference with its interval below."""
    if np.isnan(row["estimate"]):
        return Markup('<span class="gap">none: {}</span>').format(row["reason"])
    interval = show_interval(row["conf_low"], row["conf_high"]) or "no interval"
    return html_lines(show_number(row["estimate"]), f"({interval})")
