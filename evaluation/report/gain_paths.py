"""Treated villages' incomes beside what they would have been."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from evaluation.errors import ReportError, suggest
from evaluation.report import plots
from evaluation.report.exhibits import Exhibit
from evaluation.report.gain_study import StudyGains, name_village, needs_gains, show_interval
from evaluation.report.village_words import (
    COLORS,
    NEVER,
    drawable,
    label_counties,
    outcome_label,
    show_number,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_PANELS = 12  # the programme's and a village's among them
_COLUMNS = 3
_CAPTION = "Income of treated villages, and what it would have been"


@needs_gains("counterfactual", _CAPTION)
def plot_counterfactual(gains: StudyGains, *, village: str = "") -> Exhibit:
    """Draw the mean outcome of treated villages beside its counterfactual, and one village's.

    Parameters
    ----------
    village
        The key or the name of a treated village; by default the one with the median gain.

    Raises
    ------
    ReportError
        If no treated village, or more than one, is called so, or it has no gain.
    """
    main, shown = gains.found, gains.shown
    frame = gains.villages()
    chosen = find_village(frame, village)
    paths = main.paths()
    paths[["outcome", "counterfactual"]] /= shown.divisor
    paths["county"] = frame["county"].reindex(paths["village"]).to_numpy()
    sizes = paths.groupby("county")["village"].nunique().sort_values(ascending=False)
    counties = [str(name) for name in sizes.index[: _MOST_PANELS - 2]] if len(sizes) > 1 else []
    labels, key = label_counties(gains.study_data.study, counties)
    parts = {"programme": paths} | {c: paths[paths["county"] == c] for c in counties}
    means = {name: _mean_paths(part) for name, part in parts.items()}
    own = paths[paths["village"] == chosen].set_index("year")[["outcome", "counterfactual"]]
    means["village"] = own.assign(n_villages=1)
    name = name_village(frame.loc[[chosen]])[0]
    titles = {"programme": f"all ({len(main.cells.rows):,} villages)"}
    titles |= {
        c: f"{'county ' if c.isdigit() else ''}{labels[c]} ({sizes[c]:,})" for c in counties
    }
    titles |= {"village": f"one village: {drawable(name, chosen)}"}
    rows = -(-len(means) // _COLUMNS)
    figure = plots.new_figure(8.4, 0.9 + 2.1 * rows)
    cohort = pd.Series(main.cells.cohort, index=main.panel.villages.index[main.cells.rows])
    cohorts = {"programme": cohort, "village": cohort.loc[[chosen]]}
    with plots.in_style():
        grid = figure.subplots(rows, min(_COLUMNS, len(means)), squeeze=False).ravel()
        for axes, (part, mean) in zip(grid, means.items(), strict=False):
            treated = cohorts.get(part)
            if treated is None:
                treated = cohort[frame["county"].reindex(cohort.index) == part]
            _draw(axes, mean, treated)
            axes.set_title(titles[part], fontsize="small")
        for axes in grid[len(means) :]:
            axes.set_axis_off()
        figure.supylabel(f"{outcome_label(main.panel)}, {shown.axis}", fontsize="small")
        handles, names = grid[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower left", ncols=3, frameon=False)
    data = pd.concat(
        [mean.reset_index().assign(panel=part) for part, mean in means.items()],
        ignore_index=True,
    ).assign(unit=shown.unit)
    data["village"] = np.where(data["panel"] == "village", chosen, "")
    row = frame.loc[[chosen]].iloc[0]
    interval = show_interval(row["conf_low"], row["conf_high"])
    called = name if name == chosen else f"{name} ({chosen})"
    by_default = "" if village else ", the median one"
    note = (
        f"{_reading(means['programme'], shown.unit)} Means over treated villages with a gain "
        "that are known in the year, each panel on a scale of its own; grey: the years in "
        "which villages are first treated. "
        f"{called}: gain {show_number(row['gain'])}{by_default}, "
        f"{f'{gains.level} interval {interval}' if interval else row['reason']}. "
        f"{_cut(len(sizes), len(counties))} {key} {gains.prices}"
    )
    return plots.figure_exhibit(
        figure,
        name="counterfactual",
        caption=_CAPTION,
        alt=f"Lines of the outcome and its counterfactual by year. {note}",
        data=data,
        simulated=gains.study_data.study.simulated,
        note=" ".join(note.split()),
    )


def find_village(frame: pd.DataFrame, village: str) -> str:
    """Find a treated village with a gain by its key or name; '' gives the median gain's.

    Raises
    ------
    ReportError
        If no treated village, or more than one, is called so, or it has no gain.
    """
    known = frame[frame["gain"].notna()]
    if not village:
        some = known[known["conf_low"].notna()]
        ordered = (some if len(some) else known)["gain"].sort_values(kind="stable")
        return str(ordered.index[(len(ordered) - 1) // 2])
    if village in frame.index:
        found = [village]
    else:
        found = [str(key) for key in frame.index[frame["name"] == village]]
    if not found:
        names = {*map(str, frame.index), *filter(None, frame["name"])}
        raise ReportError(
            f"village {village!r} is no treated village; {suggest(village, names)}"
        )
    if len(found) > 1:
        raise ReportError(
            f"village {village!r}: {len(found)} villages are called so; name one by its key: "
            f"{', '.join(found[:10])}."
        )
    if found[0] not in known.index:
        raise ReportError(f"village {village!r} has no gain: {frame['reason'][found[0]]}.")
    return found[0]


def _mean_paths(paths: pd.DataFrame) -> pd.DataFrame:
    """Average the outcome and its counterfactual by year."""
    groups = paths.groupby("year")
    means = groups[["outcome", "counterfactual"]].mean()
    return means.assign(n_villages=groups["village"].nunique())


def _draw(axes: Axes, mean: pd.DataFrame, cohort: pd.Series[Any]) -> None:
    years, color = mean.index.to_numpy(), COLORS["treated"]
    first, last = cohort.min() - 0.5, cohort.max() + 0.5
    axes.axvspan(first, last, color="0.92", zorder=0)
    axes.plot(
        years, mean["counterfactual"], "--s", color=COLORS[NEVER], markersize=2.5,
        label="without the programme (estimated)",
    )  # fmt: skip
    axes.plot(years, mean["outcome"], "-o", color=color, markersize=3, label="as observed")
    axes.fill_between(
        years, mean["counterfactual"], mean["outcome"], where=years >= cohort.min(),
        color=color, alpha=0.15, linewidth=0, label="gain",
    )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.tick_params(labelsize="small")


def _reading(mean: pd.DataFrame, unit: str) -> str:
    """Say how far the two lines lie apart in the last year."""
    last = mean.iloc[-1]
    gap = last["outcome"] - last["counterfactual"]
    return (
        f"In {mean.index[-1]} treated villages had {show_number(last['outcome'])} on average, "
        f"against {show_number(last['counterfactual'])} without the programme: "
        f"{show_number(abs(gap))} {'more' if gap >= 0 else 'less'} ({unit})."
    )


def _cut(n: int, drawn: int) -> str:
    return f"The {drawn} of {n:,} counties with most treated villages." if 0 < drawn < n else ""
