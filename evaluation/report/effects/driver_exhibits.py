"""Which villages gained: differences in gain by trait, and gains by group beside the rest's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.effects.heterogeneity import compare_groups
from evaluation.errors import DesignError, ReportError
from evaluation.language import commas, mark, say, sentences
from evaluation.report import plots
from evaluation.report.absent import NeedsFound
from evaluation.report.cells import html_lines, html_table
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.effects.driver_study import (
    StudyDrivers,
    choose_gains,
    choose_groups,
    estimate_study_drivers,
    find_groups,
)
from evaluation.report.effects.driver_words import (
    MODELS,
    MOST_GROUPS,
    amount_words,
    driver_words,
    figure_words,
    groups_words,
    interval_note,
    name_group,
    scale_rows,
)
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.study import StudyGains
from evaluation.report.gains.words import (
    interval_cells,
    show_interval,
    show_p,
)
from evaluation.report.village_words import COLORS, NEVER, drawable, money_note

_TABLE = mark("Which villages gained: differences in gain by trait")
_FIGURE = mark("Differences in gain by trait")
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
_P_VALUES = {
    "p_value": mark("p"), "p_holm": mark("p, Holm"), "p_romano_wolf": mark("p, Romano-Wolf"),
}  # fmt: skip
_GROUPS = (
    mark("county"), mark("town"), mark("cohort"), mark("project type"),
    mark("dispatching unit"), mark("dispatch level"), mark("group"),
)  # fmt: skip


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
    data = data.assign(**_tests(study, data["trait"]), unit=gains.shown.unit)
    decimals = shared_decimals(data["estimate"])
    for trait, block in data.groupby("trait", sort=False):
        first = block.iloc[0]
        n_groups, n = int(first["n_groups"]), f"{first['n_villages']:,.0f}"
        head = {
            "Trait": study.labels[str(trait)],
            "p": show_p(first["p_trait"]), "p, Holm": show_p(first["p_trait_holm"]),
        }  # fmt: skip
        if n_groups > MOST_GROUPS:
            groups = say("{n} groups", n=n_groups + 1)
            rows.append({**head, "For": groups, "Villages": n})
            continue
        for _, lines in block.groupby("level", sort=False):
            keys = zip(lines["model"], lines["weighting"], strict=True)
            of = dict(zip(keys, lines.to_dict("records"), strict=True))
            shown = {
                title: _cell(of[key], decimals) for key, title in MODELS.items() if key in of
            }
            rows.append({**head, "For": lines["what"].iloc[0], "Villages": n, **shown})
            head = {"Trait": ""}
    some = [title for title in MODELS.values() if any(title in row for row in rows)]
    columns = [mark("Trait"), mark("For"), mark("Villages"), *some, "p", "p, Holm"]
    cells = pd.DataFrame(rows, columns=columns, dtype=object).fillna("")
    note = sentences(
        driver_words(study, gains, data),
        *_columns_words(some),
        *amount_words(gains, study.found), money_note(gains.shown),
    )  # fmt: skip
    return Exhibit(
        name="drivers",
        kind="table",
        caption=say(_TABLE),
        data=data,
        body=html_table(cells.rename(columns=say)),
        simulated=gains.study_data.study.simulated,
        note=note,
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
        told = say("No trait can be drawn: the table of differences by trait says why.")
        raise DesignError(told)
    names = data["label"] + say(": ") + data["what"]
    place = {name: at for at, name in enumerate(dict.fromkeys(names))}
    figure = plots.new_figure(8.0, 1.6 + 0.38 * len(place))
    with plots.in_style():
        axes = figure.subplots()
        axes.axvline(0, color="0.4", linewidth=1)
        for model, (marker, color, shift) in _STYLES.items():
            rows = data[(data["model"] == model) & data["estimate"].notna()]
            if rows.empty:
                continue
            at = names[rows.index].map(place).to_numpy() + shift
            reach = rows[["conf_low", "conf_high"]].sub(rows["estimate"], axis=0).abs()
            axes.errorbar(
                rows["estimate"], at, xerr=reach.to_numpy().T, fmt=marker, color=color,
                markersize=4, linewidth=1.2,
                label=plots.inscribe(MODELS[model, "equal"]).lower(),
            )  # fmt: skip
        ticks = [drawable(name, f"trait {at + 1}") for name, at in place.items()]
        axes.set_yticks(range(len(place)), ticks)
        axes.set_ylim(len(place) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        label = plots.inscribe("difference in gain a year,\n{unit}", unit=gains.shown.axis)
        axes.set_xlabel(label)
        figure.legend(loc="outside lower left", ncols=3, frameon=False)
    key = [
        say("{name}: {told}.", name=a, told=b)
        for a, b in zip(ticks, place, strict=True)
        if a.startswith("trait ")
    ]
    many = whole.loc[whole["n_groups"] > MOST_GROUPS, "label"].unique()
    hidden = say("Not drawn, as it has many groups: {names}.", names=commas(many))
    note = sentences(
        figure_words(study, gains, data), hidden if len(many) else "", *key,
        *amount_words(gains, study.found),
    )  # fmt: skip
    return plots.figure_exhibit(
        figure,
        name="drivers_figure",
        caption=say(_FIGURE),
        alt=sentences(say("Dots with intervals, a row a difference between villages."), note),
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
    name = re.sub(r"\W+", "_", f"gains_of_{by}")  # a trait may have any name
    caption = say("Gains by {groups}, each beside the rest", groups=say(by.replace("_", " ")))
    return NeedsFound(name, caption)(_heterogeneity_table)(gains, by, name, caption, why)


def _heterogeneity_table(
    gains: StudyGains, by: str, name: str, caption: str, why: str
) -> Exhibit:
    found, shown = choose_gains(gains), gains.shown
    frame = compare_groups(found, find_groups(gains, found, by))
    data = frame.reset_index(names=by)
    data[_AMOUNTS] /= shown.divisor
    decimals = shared_decimals([*data["estimate"], *data["difference"]])
    own, shared = interval_cells(data, 1, found.cluster, decimals=decimals)
    differ = data[list(_DIFFERENCE)].rename(columns=_DIFFERENCE)
    rest, shared_by_rest = interval_cells(differ, 1, found.cluster, decimals=decimals)
    cells = {
        say(by.replace("_", " ")).capitalize(): list(map(name_group, data[by])),
        say("Villages"): [f"{n:,.0f}" for n in data["n_villages"]],
        say("Gain"): show_alike(data["estimate"], decimals=decimals),
        say("Interval"): own,
        say("Less the rest's"): show_alike(data["difference"], decimals=decimals),
        say("Interval of that"): rest,
        **{say(head): list(map(show_p, data[column])) for column, head in _P_VALUES.items()},
    }
    reasons = dict.fromkeys(filter(None, (shared, shared_by_rest)))
    note = sentences(
        why,
        *groups_words(data, frame.attrs, found),
        say(
            "Less the rest's: less the mean gain of all other villages that have a group. "
            "Groups of fewer than five villages are taken together."
        ),
        *(say("No interval: {why}.", why=reason) for reason in reasons),
        interval_note(data, gains, found),
        say(
            "Intervals of differences rest on the clusters of all groups, those of means on a "
            "group's own. Holm: of each difference's own p; Romano-Wolf: of all groups at "
            "once, to go by where the two disagree."
        ),
        *amount_words(gains, found),
        money_note(shown),
    )
    return Exhibit(
        name=name,
        kind="table",
        caption=caption,
        data=data.assign(unit=shown.unit),
        body=html_table(pd.DataFrame(cells, dtype=object)),
        simulated=gains.study_data.study.simulated,
        note=note,
    )


def _columns_words(columns: Iterable[str]) -> Iterable[str]:
    """Say what the table's columns are, of those that it has."""
    said = {
        MODELS["alone", "equal"]: mark("Alone: each trait by itself."),
        MODELS["alone", "precision"]: mark(
            "By precision: the same with villages weighed by how well their gain is measured."
        ),
        MODELS["together", "equal"]: mark("All together: with the other traits held fixed."),
    }
    yield from (say(told) for title, told in said.items() if title in columns)
    yield say(
        "p: of all of a trait's differences being zero; Holm: with as many traits looked at."
    )


def _tests(study: StudyDrivers, traits: pd.Series[Any]) -> dict[str, pd.Series[Any]]:
    """Give the p-value of all of a trait's differences, and Holm's, for rows of traits."""
    tests = study.drivers.tests
    alone = tests[tests["model"] == "alone"].set_index("trait")
    return {
        "p_trait": traits.map(alone["p_value"]), "p_trait_holm": traits.map(alone["p_holm"]),
    }  # fmt: skip


def _cell(row: dict[Any, Any], decimals: int) -> Markup:
    """Give a difference with its interval below."""
    if np.isnan(row["estimate"]):
        return Markup('<span class="gap">{}</span>').format(
            say("none: {why}", why=row["reason"])
        )
    interval = show_interval(row["conf_low"], row["conf_high"], decimals=decimals)
    detail = Markup('<span class="detail number">{}</span>').format(
        interval or say("no interval")
    )
    return html_lines(*show_alike([row["estimate"]], decimals=decimals), detail)
