"""Figures on the cells of a panel: when villages are treated, and which values are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from evaluation.data.load import StudyData
from evaluation.data.panel import VillagePanel
from evaluation.language import commas, mark, say, sentences
from evaluation.report import plots
from evaluation.report.cells import html_table
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import (
    COLORED,
    COLORS,
    STATES,
    color_cohorts,
    group_cohorts,
    group_counties,
    label_counties,
    needs,
    panel_of,
    start_note,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MANY_VILLAGES = 400  # more do not show one by one
_MANY_ROWS = 30

_ROLLOUT = mark("When villages are treated")
_FIRST_YEAR = mark("first treated year")
_OBSERVED = mark("Villages by number of years observed")
_COVERAGE = {
    "county": mark("Share of villages with a known outcome, by county and year"),
    "town": mark("Share of villages with a known outcome, by town and year"),
}

Counts = npt.NDArray[np.int64]


@needs("panel", "rollout", _ROLLOUT)
def plot_rollout(study_data: StudyData) -> Exhibit:
    """Show when villages are treated: village by village, or cohorts by county if many."""
    panel = panel_of(study_data)
    code, names = group_cohorts(panel)
    county, counties = group_counties(panel)
    counts = np.zeros((len(counties), len(names)), np.int64)
    np.add.at(counts, (county, code), 1)
    data = pd.DataFrame(
        [(counties[c], names[k], int(counts[c, k])) for c, k in np.argwhere(counts)],
        columns=["county", "cohort", "n_villages"],
    )
    sizes = commas(
        say("{name}: {n:,}", name=say(name), n=n)
        for name, n in zip(names, counts.sum(axis=0), strict=True)
    )
    many, key = panel.n_villages > _MANY_VILLAGES, ""
    rows = len(counties) if many and len(counties) <= _MANY_ROWS else 1
    figure = plots.new_figure(7.2, 1.4 + 0.35 * rows if many else 5.2)
    with plots.in_style():
        axes = figure.subplots()
        band, bands = group_cohorts(panel, most=COLORED)
        if many:
            counts = np.zeros((len(counties), len(bands)), np.int64)
            np.add.at(counts, (county, band), 1)
            labels, key = label_counties(study_data.study, counties)
            if rows == 1:
                counts = counts.sum(axis=0, keepdims=True)
                labels = {"": plots.inscribe("all villages")}
            _draw_bars(axes, counts, list(labels.values()), bands)
            figure.legend(
                loc="outside lower left", ncols=min(7, len(bands)), frameon=False,
                title=plots.inscribe(_FIRST_YEAR), alignment="left",
            )  # fmt: skip
        else:
            _draw_cells(axes, panel, band, bands)
            handles = [
                Patch(color=COLORS[state], label=plots.inscribe(state)) for state in STATES
            ]
            missing = plots.inscribe("outcome missing")
            handles.append(Patch(facecolor="white", edgecolor="0.6", label=missing))
            figure.legend(handles=handles, loc="outside lower left", ncols=4, frameon=False)
    n_treated = int(panel.is_treated.sum())
    note = sentences(
        say(
            "{treated:,} of {n:,} villages are treated. {sizes}.",
            treated=n_treated,
            n=panel.n_villages,
            sizes=sizes,
        ),
        start_note(study_data),
        key,
    )
    return plots.figure_exhibit(
        figure,
        name="rollout",
        caption=say(_ROLLOUT),
        alt=sentences(say("Villages by first treated year."), note),
        data=data,
        simulated=study_data.study.simulated,
        note=note,
    )


def _draw_bars(axes: Axes, counts: Counts, labels: list[str], names: list[str]) -> None:
    """Stack the cohorts of each county."""
    colors, left = color_cohorts(names), np.zeros(len(counts))
    for number, name in enumerate(names):
        axes.barh(
            labels, counts[:, number], left=left, color=colors[name],
            label=plots.inscribe(name),
        )  # fmt: skip
        left = left + counts[:, number]
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(plots.inscribe("villages"))


def _draw_cells(
    axes: Axes, panel: VillagePanel, code: npt.NDArray[np.intp], names: list[str]
) -> None:
    """Draw one line a village, sorted by cohort and county, one column a year."""
    county, _ = group_counties(panel)
    order = np.lexsort((county, panel.cohort, code))
    state = np.where(panel.is_treated[:, None], np.where(panel.treated_cells, 1, 2), 3)
    state[~np.isfinite(panel.matrix())] = 0
    shades = ListedColormap(["white", *(COLORS[name] for name in STATES)])
    axes.imshow(
        state[order], aspect="auto", cmap=shades, vmin=0, vmax=3, interpolation="nearest"
    )
    sizes = np.bincount(code)
    ends = np.cumsum(sizes)
    axes.set_yticks(
        ends - sizes / 2 - 0.5,
        [f"{plots.inscribe(name)} ({n:,})" for name, n in zip(names, sizes, strict=True)],
    )
    for end in ends[:-1]:
        axes.axhline(end - 0.5, color="0.2", linewidth=0.8)
    axes.set_xticks(range(len(panel.years)), [str(year) for year in panel.years])
    axes.tick_params(axis="x", rotation=90 if len(panel.years) > 15 else 0)
    axes.grid(visible=False)
    axes.set_ylabel(plots.inscribe("villages, by first treated year"))


@needs("panel", "coverage", mark("Where the outcome is known"))
def plot_balance(study_data: StudyData) -> Exhibit:
    """Show the share of villages with a known outcome, by county (or town) and year."""
    panel = panel_of(study_data)
    word = "county" if panel.villages["county"].nunique() > 1 else "town"
    code, groups = pd.factorize(panel.villages[word])
    known = np.zeros((len(groups), len(panel.years)), np.int64)
    np.add.at(known, code, np.isfinite(panel.matrix()))
    sizes = np.bincount(code, minlength=len(groups))
    data = pd.DataFrame(
        {
            word: np.repeat(np.asarray(groups, dtype=object), len(panel.years)),
            "year": np.tile(panel.years, len(groups)),
            "n_villages": np.repeat(sizes, len(panel.years)),
            "n_known": known.ravel(),
        }
    )
    data["share"] = data["n_known"] / data["n_villages"]
    share = known / sizes[:, None]
    worst = np.argsort(share.mean(axis=1), kind="stable")[:_MANY_ROWS]
    rows = np.sort(worst)
    labels, key = label_counties(
        study_data.study, [str(groups[row]) for row in rows], word=word
    )
    figure = plots.new_figure(7.2, 1.5 + 0.32 * len(rows))
    with plots.in_style():
        axes = figure.subplots()
        known_share, years = share[rows], len(panel.years)
        lowest = min(0.9, float(known_share.min()))
        image = axes.imshow(known_share, aspect="auto", cmap="Blues_r", vmin=lowest, vmax=1)
        for row, year in np.ndindex(known_share.shape) if years <= 15 else ():
            value = known_share[row, year]
            color = "white" if value < lowest + 0.4 * (1 - lowest) else "0.2"
            axes.text(
                year, row, f"{value:.0%}", ha="center", va="center", color=color,
                fontsize="small",
            )  # fmt: skip
        axes.set_yticks(range(len(rows)), list(labels.values()))
        axes.set_xticks(range(years), [str(year) for year in panel.years])
        axes.tick_params(axis="x", rotation=90 if years > 15 else 0)
        axes.grid(visible=False)
        bar = figure.colorbar(
            image, ax=axes, fraction=0.03, label=plots.inscribe("share known")
        )
        bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    low = data.loc[int(data["share"].argmin())].to_dict()
    note = sentences(
        say(
            "The outcome is known for {share:.1%} of villages and years; the least, "
            "{least:.0%}, for {place} in {year}.",
            share=known.sum() / (panel.n_villages * len(panel.years)),
            least=low["share"],
            place=labels.get(low[word]) or low[word] or say("all villages"),
            year=low["year"],
        ),
        say("The {n} with the most gaps are drawn.", n=len(rows))
        if len(rows) < len(groups)
        else "",
        key,
    )
    return plots.figure_exhibit(
        figure,
        name="coverage",
        caption=say(_COVERAGE[word]),
        alt=sentences(say("Shaded table; darker cells miss more."), note),
        data=data,
        simulated=study_data.study.simulated,
        note=note,
    )


@needs("panel", "years_observed", _OBSERVED)
def years_observed_table(study_data: StudyData) -> Exhibit:
    """Count villages by the number of years with a known outcome, treated and not."""
    panel = panel_of(study_data)
    years = np.isfinite(panel.matrix()).sum(axis=1)
    data = pd.DataFrame({"years": np.arange(len(panel.years), -1, -1)})
    for arm, member in (("treated", panel.is_treated), ("never_treated", ~panel.is_treated)):
        data[arm] = np.bincount(years[member], minlength=len(panel.years) + 1)[::-1]
    data = data[(data["treated"] > 0) | (data["never_treated"] > 0)].reset_index(drop=True)
    cells = pd.DataFrame(
        {
            say("Years with a known outcome"): data["years"],
            say("Treated villages"): [f"{n:,}" for n in data["treated"]],
            say("Never treated villages"): [f"{n:,}" for n in data["never_treated"]],
        },
        dtype=object,
    )
    whole = int((years == len(panel.years)).sum())
    return Exhibit(
        name="years_observed",
        kind="table",
        caption=say(_OBSERVED),
        data=data,
        body=html_table(cells),
        simulated=study_data.study.simulated,
        note=say(
            "{whole:,} of {n:,} villages ({share:.0%}) have the outcome in all {years} years.",
            whole=whole,
            n=panel.n_villages,
            share=whole / panel.n_villages,
            years=len(panel.years),
        ),
    )
