"""Figures of the average effect: estimators side by side, and their event studies in one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evaluation.data.panel import Bools, Floats
from evaluation.effects.result import NAMES, EffectsTable
from evaluation.language import mark, say, sentences
from evaluation.report import plots
from evaluation.report.absent import NeedsFound
from evaluation.report.effects.study import StudyEffects
from evaluation.report.effects.tables import effect_rows, event_rows
from evaluation.report.effects.words import WHY, agreement_words
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.words import ONE_AT_A_TIME, bars_words, effects_words
from evaluation.report.village_words import COLORS

_FOREST = mark("The average effect by estimator, with intervals")
_EVENTS = mark("Effects by years since treatment, all estimators in one figure")
_YEAR_EFFECTS = {
    "common": mark("common year effects"),
    "county": mark("year effects by county"),
}
_MARKERS = "osD^vP"
_SPREAD = 0.66  # of a year, over which an event time's points are shifted
_MOST_TIMES = 10  # before treatment, and since, that are drawn
_WIDE = 2  # times the median width: intervals wider than that may be cut
_CUT = 1.5  # times as high a figure, above which they are


@NeedsFound("effects_plot", _FOREST)
def plot_effects(effects: StudyEffects) -> Exhibit:
    """Draw the average effect by every estimator with its interval."""
    tables, shown = effects.tables, effects.shown
    frames = [effect_rows(table, shown.divisor).dropna(subset="estimate") for table in tables]
    names = list(dict.fromkeys(name for frame in frames for name in frame["estimator"]))
    figure = plots.new_figure(7.2, 1.3 + 0.42 * len(names))
    with plots.in_style():
        axes = figure.subplots()
        axes.axvline(0, color="0.4", linewidth=1)
        for estimate in frames[-1].loc[frames[-1]["estimator"] == "imputation", "estimate"]:
            axes.axvline(estimate, color="0.4", linestyle=":")
        styles = zip(frames, tables, (COLORS["treated"], COLORS["2"]), "os", strict=False)
        for at, (frame, table, color, marker) in enumerate(styles):
            y = frame["estimator"].map(names.index) + 0.24 * (at - (len(frames) - 1) / 2)
            barred, reach = _find_bars(frame)
            axes.errorbar(
                frame["estimate"][barred], y[barred], xerr=reach, fmt="none", ecolor=color,
                elinewidth=1.5, capsize=3,
            )  # fmt: skip
            axes.plot(
                frame["estimate"], y, marker, color=color, markersize=6, zorder=3,
                markerfacecolor=color if marker == "o" else "white",
                label=plots.inscribe(_YEAR_EFFECTS[table.options.year_effects]),
            )  # fmt: skip
        axes.set_yticks(range(len(names)), [plots.inscribe(NAMES[name]) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(plots.inscribe("average effect, {unit}", unit=shown.axis))
        figure.legend(loc="outside lower left", ncols=2, frameon=False)
    told = [_bars_words(table, table.overall, effects) for table in tables]
    if len(told) > 1:
        told[1] = say("Hollow: {told}", told=told[1])
    words = sentences(
        agreement_words(effects.judged, shown),
        *told,
        say("Dotted: the estimate by imputation."),
    )
    return plots.figure_exhibit(
        figure,
        name="effects_plot",
        caption=say(_FOREST),
        alt=sentences(say("Points with intervals by estimator."), words),
        data=pd.concat(frames).assign(unit=shown.unit),
        simulated=effects.simulated,
        note=sentences(words, effects.gains.prices),
    )


@NeedsFound("event_studies", _EVENTS)
def plot_event_studies(effects: StudyEffects) -> Exhibit:
    """Draw the event studies of all estimators in one figure, with Callaway's bands."""
    table, shown = effects.judged, effects.shown
    events, left_out = _choose_times(event_rows(table, shown.divisor))
    names = list(dict.fromkeys(events["estimator"]))
    colors = plots.palette(names)
    figure = plots.new_figure(8.2, 4.4)
    with plots.in_style():
        axes = figure.subplots()
        axes.axhline(0, color="0.4", linewidth=1)
        axes.axvline(-0.5 - table.options.anticipation, color="0.4", linestyle=":")
        for at, name in enumerate(names):
            rows = events[events["estimator"] == name]
            shift = _SPREAD * (at / max(len(names) - 1, 1) - 0.5) if len(names) > 1 else 0
            x = rows["event_time"] + shift
            if name == "callaway_santanna":
                _fill_band(axes, rows, colors[name])
            barred, reach = _find_bars(rows)
            axes.errorbar(
                x[barred], rows["estimate"][barred], yerr=reach, fmt="none",
                ecolor=colors[name], elinewidth=1.1,
            )  # fmt: skip
            axes.plot(
                x, rows["estimate"], _MARKERS[at], color=colors[name], markersize=4.5,
                label=plots.inscribe(NAMES[name]), zorder=3,
            )  # fmt: skip
        axes.set_xlabel(plots.inscribe("years since treatment (0: the first treated year)"))
        axes.set_ylabel(plots.inscribe("effect, {unit}", unit=shown.axis))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=16))
        low, high, cut = _find_limits(events)
        if cut:
            axes.set_ylim(low, high)
        figure.legend(loc="outside lower left", ncols=3, frameon=False)
    words = sentences(*_paths_words(table, events, effects), left_out, cut)
    return plots.figure_exhibit(
        figure,
        name="event_studies",
        caption=say(_EVENTS),
        alt=sentences(
            say("Points with intervals by years since treatment and estimator."), words
        ),
        data=events.assign(unit=shown.unit),
        simulated=effects.simulated,
        note=sentences(words, effects.gains.prices),
    )


def _find_bars(rows: pd.DataFrame) -> tuple[Bools, Floats]:
    """Give which rows have an interval with ends, and how far these reach from the estimate.

    No bar is drawn on the side on which an interval does not reach beyond the estimate.
    """
    ends = rows[["conf_low", "conf_high"]].to_numpy(float)
    barred = np.isfinite(ends).all(axis=1)
    reach = (ends - rows[["estimate"]].to_numpy(float)) * [-1, 1]
    return barred, np.maximum(reach, 0)[barred].T


def _choose_times(events: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Keep the event times nearest to treatment, and say which are left out."""
    times = np.unique(events["event_time"])
    kept = np.append(times[times < 0][-_MOST_TIMES:], times[times >= 0][:_MOST_TIMES])
    if len(kept) == len(times):
        return events, ""
    told = say(
        "Not drawn: {n} event times before {first:+d} or after {last:+d}, which are in the "
        "table.",
        n=len(times) - len(kept), first=kept[0], last=kept[-1],
    )  # fmt: skip
    return events[events["event_time"].isin(kept)], told


def _find_limits(events: pd.DataFrame) -> tuple[float, float, str]:
    """Give the range of estimates and of all but the widest intervals, if that is much less.

    Returns
    -------
    Its ends, and what is cut; '' if nothing should be.
    """
    ends = events[["conf_low", "conf_high"]].astype(float).replace([-np.inf, np.inf], np.nan)
    width = ends["conf_high"] - ends["conf_low"]
    inner = ends[width <= _WIDE * width.median()]
    some = np.append(inner.to_numpy(float).ravel(), events["estimate"].dropna())
    whole = np.append(ends.to_numpy(float).ravel(), some)
    if np.isfinite(some).sum() < 2 or np.nanmax(whole) - np.nanmin(whole) < _CUT * np.ptp(some):
        return 0, 0, ""
    margin = 0.05 * np.ptp(some)
    low, high = some.min() - margin, some.max() + margin
    n = int(((ends["conf_low"] < low) | (ends["conf_high"] > high)).sum())
    return (
        low,
        high,
        say("{n} intervals go on beyond the figure; the table has them whole.", n=n),
    )


def _fill_band(axes: Axes, rows: pd.DataFrame, color: str) -> None:
    """Fill the band that holds at all event times at once, before and since treatment apart."""
    known = rows.dropna(subset="band_low").sort_values("event_time")
    for _, side in known.groupby("period"):
        x = np.repeat(side["event_time"].to_numpy(float), 2)
        x[::2] -= 0.5
        x[1::2] += 0.5
        low, high = (np.repeat(side[name].to_numpy(), 2) for name in ("band_low", "band_high"))
        axes.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)


def _bars_words(table: EffectsTable, rows: pd.DataFrame, effects: StudyEffects) -> str:
    """Say with which year effects, and how, intervals were made."""
    bars = bars_words(rows, effects.level, table.options.cluster)
    return say("{name}: {told}.", name=effects_words(table.gains).capitalize(), told=bars)


def _paths_words(table: EffectsTable, events: pd.DataFrame, effects: StudyEffects) -> list[str]:
    synthetic = events["estimator"] == "synthetic_did"
    known = events[(events["period"] == "before") & ~synthetic].dropna(subset="conf_low")
    told = mark(
        "Left of the line no point has an interval; what is not zero there puts the effects to "
        "its right in doubt."
    )
    if len(known) and synthetic.any():
        told = mark(
            "Left of the line {n} of {n_all} intervals leave out zero (those of synthetic DiD, "
            "which its weights make small, are not counted); what is not zero there puts the "
            "effects to its right in doubt."
        )
    elif len(known):
        told = mark(
            "Left of the line {n} of {n_all} intervals leave out zero; what is not zero there "
            "puts the effects to its right in doubt."
        )
    away = int(((known["conf_low"] > 0) | (known["conf_high"] < 0)).sum())
    banded = events.loc[events["estimator"] == "callaway_santanna", "band_low"].notna().any()
    return [
        say(told, n=away, n_all=len(known)),
        _bars_words(table, events, effects),
        say(
            "Shaded: the {level} band of Callaway, Sant'Anna, which holds at all times at "
            "once.",
            level=effects.level,
        )
        if banded
        else say("There is no band that holds at all times at once: that takes 30 clusters."),
        say(ONE_AT_A_TIME),
        say(WHY),
        say("What each measures from, and whom it leaves out: below the table of effects."),
    ]
