"""Treated villages' incomes beside what they would have been."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from evaluation.errors import ReportError, suggest
from evaluation.language import mark, say, sentences
from evaluation.report import plots
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.study import StudyGains, name_village, needs_gains
from evaluation.report.gains.words import (
    given_words,
    natural_order,
    show_interval,
    tell_gain,
    zero_words,
)
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
_NAMED = 5
_CAPTION = mark("Income of treated villages, and what it would have been")


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
    chosen = find_village(frame, village, gains.panel.villages)
    paths = main.paths()
    weights = pd.Series(main.fit.design.weights, index=main.panel.villages.index)
    paths["weight"] = weights.reindex(paths["village"]).to_numpy()
    paths[["outcome", "counterfactual"]] /= shown.divisor
    paths["county"] = frame["county"].reindex(paths["village"]).to_numpy()
    sizes = paths.groupby("county")["village"].nunique()
    sizes = sizes.iloc[natural_order(sizes.index)].sort_values(ascending=False, kind="stable")
    counties = [str(name) for name in sizes.index[: _MOST_PANELS - 2]] if len(sizes) > 1 else []
    labels, key = label_counties(gains.study_data.study, counties)
    parts = {"programme": paths} | {c: paths[paths["county"] == c] for c in counties}
    means = {name: _mean_paths(part) for name, part in parts.items()}
    own = paths[paths["village"] == chosen].set_index("year")[["outcome", "counterfactual"]]
    means["village"] = own.assign(n_villages=1)
    name = name_village(frame.loc[[chosen]])[0]
    called = name if name == chosen else f"{name} ({chosen})"
    shared = (frame["name"] == name).sum() > 1
    titles = {"programme": plots.inscribe("all ({n:,} villages)", n=len(main.cells.rows))}
    for c in counties:
        titles[c] = f"{labels[c]} ({sizes[c]:,})"
    titles["village"] = plots.inscribe(
        "one village: {name}", name=drawable(called if shared else name, chosen)
    )
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
        measured = plots.inscribe(
            "{outcome}, {axis}", outcome=outcome_label(main.panel), axis=shown.axis
        )
        figure.supylabel(measured, fontsize="small")
        handles, names = grid[0].get_legend_handles_labels()
        figure.legend(
            handles, names, loc="outside lower left", ncols=4, frameon=False, fontsize="small",
            columnspacing=1.2,
        )  # fmt: skip
    data = pd.concat(
        [mean.reset_index().assign(panel=part) for part, mean in means.items()],
        ignore_index=True,
    ).assign(unit=shown.unit)
    data["village"] = np.where(data["panel"] == "village", chosen, "")
    row = frame.loc[[chosen]].iloc[0]
    interval = show_interval(row["conf_low"], row["conf_high"])
    if interval:
        interval = say("{level} interval {ends}", level=gains.level, ends=interval)
    none = say("no interval: {why}", why=row["reason"])
    own_gain = say(
        "Village {name}: an estimated gain of {gain}{chosen}, {interval}.",
        name=called, gain=show_number(row["gain"]), interval=interval or none,
        chosen="" if village else say(" (the median of {n:,})", n=frame["gain"].count()),
    )  # fmt: skip
    note = sentences(
        *_reading(paths, gains),
        say(
            "Means over treated villages with a gain that are known in the year, each panel on "
            "a scale of its own; {fitted} fitted on the untreated years.",
            fitted=say("levels and trends are") if main.options.trends else say("levels are"),
        ),
        say(
            "Grey: the years in which villages are first treated, when the gap is of villages "
            "treated and not yet treated, and so no mean gain."
        ),
        own_gain,
        _cut(len(sizes), len(counties)),
        key,
        gains.prices,
    )
    return plots.figure_exhibit(
        figure,
        name="counterfactual",
        caption=say(_CAPTION),
        alt=sentences(say("Lines of the outcome and its counterfactual by year."), note),
        data=data,
        simulated=gains.study_data.study.simulated,
        note=note,
    )


def find_village(frame: pd.DataFrame, village: str, everybody: pd.DataFrame) -> str:
    """Find a treated village with a gain by its key or name; '' gives the median gain's.

    Parameters
    ----------
    frame
        The treated villages, with name, gain, conf_low and reason.
    everybody
        All villages of the panel, with name and cohort.

    Raises
    ------
    ReportError
        If no treated village, or more than one, is called so, or it has no gain.
    """
    known = frame[frame["gain"].notna()]
    if not village:
        ordered = known["gain"].sort_values(kind="stable")
        middle = ordered.iloc[[(len(ordered) - 1) // 2, len(ordered) // 2]]
        tied = known.loc[ordered.index[ordered.between(*middle)]]
        return str(tied["conf_low"].notna().idxmax())
    if village in frame.index:
        found = [village]
    else:
        found = [str(key) for key in frame.index[frame["name"] == village]]
    if not found:
        raise ReportError(_why_not_found(frame, village, everybody))
    if len(found) > 1:
        raise ReportError(
            f"village {village!r}: {len(found)} villages are called so; name one by its key: "
            f"{', '.join(found[:10])}."
        )
    if found[0] not in known.index:
        raise ReportError(f"village {village!r} has no gain: {frame['reason'][found[0]]}.")
    return found[0]


def _why_not_found(frame: pd.DataFrame, village: str, everybody: pd.DataFrame) -> str:
    """Say that a village is not treated, or is none, and name some that are."""
    called = everybody[(everybody.index == village) | (everybody["name"] == village)]
    if len(called):
        first = called["cohort"].min()
        when = "never treated" if np.isnan(first) else f"not treated before {first:.0f}"
        return f"village {village!r} is {when}; {_name_some(frame)}"
    nearest = suggest(village, {*map(str, frame.index), *filter(None, frame["name"])})
    offer = nearest if nearest.startswith("did") else _name_some(frame)
    return f"village {village!r} is no treated village; {offer}"


def _name_some(frame: pd.DataFrame) -> str:
    """Name the first treated villages with a gain by key, with their names."""
    known = frame[frame["gain"].notna()]
    some = known.iloc[natural_order(known.index)].head(_NAMED)
    names = zip(some.index, name_village(some), strict=True)
    told = ", ".join(f"{key}{f' ({name})' if name != key else ''}" for key, name in names)
    return f"give one of the {len(known):,} treated villages with a gain, such as {told}."


def _mean_paths(paths: pd.DataFrame) -> pd.DataFrame:
    """Average the outcome and its counterfactual by year, by villages' weights."""
    groups, names = paths.groupby("year"), ["outcome", "counterfactual"]
    totals = groups["weight"].sum()
    sums = paths[names].mul(paths["weight"], axis=0).groupby(paths["year"]).sum()
    return sums.div(totals, axis=0).assign(n_villages=groups["village"].nunique())


def _draw(axes: Axes, mean: pd.DataFrame, cohort: pd.Series[Any]) -> None:
    years, color = mean.index.to_numpy(), COLORS["treated"]
    first, last = cohort.min() - 0.5, cohort.max() + 0.5
    axes.axvspan(first, last, color="0.92", zorder=0)
    axes.plot(
        years, mean["counterfactual"], "--s", color=COLORS[NEVER], markersize=2.5,
        label=plots.inscribe("without the programme (estimated)"),
    )  # fmt: skip
    observed = plots.inscribe("as observed")
    axes.plot(years, mean["outcome"], "-o", color=color, markersize=3, label=observed)
    since = mean[years >= cohort.min()]
    without, observed = since["counterfactual"], since["outcome"]
    for some, shade, name in (
        (observed >= without, color, plots.inscribe("more than without")),
        (observed <= without, COLORS["3"], plots.inscribe("less than without")),
    ):
        axes.fill_between(
            since.index.to_numpy(), without, observed, where=some, interpolate=True,
            color=shade, alpha=0.2, linewidth=0, label=name,
        )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.tick_params(labelsize="small")


def _reading(paths: pd.DataFrame, gains: StudyGains) -> list[str]:
    """Say how far treated villages lie above their counterfactual in the last year."""
    last = paths.loc[paths["gain"].notna(), "year"].max()
    treated = paths[paths["gain"].notna() & (paths["year"] == last)]
    mean = _mean_paths(treated).iloc[0]
    told, found = [], gains.found
    row = found.by("year").loc[last]
    told.append(tell_gain(row, found, gains.shown, gains.level, in_that_year=True))
    if np.isnan(row["conf_low"]) and gains.within is not None:
        found = gains.within
        row = found.by("year").loc[last]
        beside = tell_gain(row, found, gains.shown, gains.level, in_that_year=True)
        told.append(say("with year effects by county {told}", told=beside))
    had = say(
        "In {year} treated villages had {mean} on average, against an estimated {without} "
        "without the programme: {told}.",
        year=last, mean=show_number(mean["outcome"]), told=say("; ").join(told),
        without=show_number(mean["counterfactual"]),
    )  # fmt: skip
    return [had, zero_words(row), given_words(found)]


def _cut(n: int, drawn: int) -> str:
    if not 0 < drawn < n:
        return ""
    return say("The {drawn} of {n:,} counties with most treated villages.", drawn=drawn, n=n)
