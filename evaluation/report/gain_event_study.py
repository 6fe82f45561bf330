"""Gains by years since treatment, and what the years before it say of the comparison."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from evaluation.gains.result import IncomeGains
from evaluation.report import plots
from evaluation.report.exhibits import Exhibit, html_table
from evaluation.report.gain_study import (
    StudyGains,
    interval_cells,
    needs_gains,
    show_interval,
    show_p,
)
from evaluation.report.village_words import COLORS, money_note, show_number

_CAPTION = "Gains by years since treatment, and the years before"
_HOLLOW = " Hollow: year effects by county, which take out what a whole county shares."
_ENDS = ["estimate", "conf_low", "conf_high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """An event study as shown: by event time, what it is clustered by, and words on both."""

    frame: pd.DataFrame
    within: pd.DataFrame | None
    cluster: str
    joint_p: float
    words: str


@needs_gains("event_study", _CAPTION)
def plot_event_study(gains: StudyGains) -> Exhibit:
    """Draw gains by event time, with the coefficients before treatment."""
    event, shown = _study_events(gains), gains.shown
    figure = plots.new_figure(7.6, 3.9)
    series = [(event.frame, COLORS["treated"], "o", _effects(gains.found), 0.0)]
    if event.within is not None:
        series.append((event.within, COLORS["2"], "s", "year effects by county", 0.18))
    with plots.in_style():
        axes = figure.subplots()
        axes.axhline(0, color="0.4", linewidth=1)
        axes.axvline(-0.5 - gains.found.options.anticipation, color="0.4", linestyle=":")
        for frame, color, marker, name, shift in series:
            known = frame.dropna(subset="estimate")
            values = known[_ENDS].to_numpy() / shown.divisor
            x = known.index.to_numpy(np.float64) + shift
            reach = np.abs(values[:, 1:] - values[:, :1]).T
            axes.errorbar(
                x, values[:, 0], yerr=np.nan_to_num(reach), fmt=marker, color=color,
                markersize=5, elinewidth=1.3, capsize=2.5, label=name,
                markerfacecolor=color if marker == "o" else "white",
            )  # fmt: skip
        axes.set_xlabel("years since treatment (0: the first treated year)")
        axes.set_ylabel(f"gain, {shown.axis}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=16))
        figure.legend(loc="outside lower left", ncols=2, frameon=False)
    return plots.figure_exhibit(
        figure,
        name="event_study",
        caption=_CAPTION,
        alt=f"Points with intervals by years since treatment. {event.words}",
        data=_event_data(event, shown.divisor, shown.unit),
        simulated=gains.study_data.study.simulated,
        note=" ".join(f"{event.words} {gains.prices}".split()),
    )


@needs_gains("event_study_table", _CAPTION)
def event_study_table(gains: StudyGains) -> Exhibit:
    """Show the coefficients before treatment and the gains since, and what the former say."""
    event, shown = _study_events(gains), gains.shown
    frame = event.frame
    cells, shared = interval_cells(frame, shown.divisor)
    table = pd.DataFrame(
        {
            "group": np.where(
                frame["period"] == "before", "Before treatment: should be zero", "Gains since"
            ),
            "Years since treatment": [f"{h:+d}" if h else "0" for h in frame.index],
            "Villages": [f"{n:,.0f}" if np.isfinite(n) else "" for n in frame["n_villages"]],
            "Estimate": [show_number(value / shown.divisor) for value in frame["estimate"]],
            "Interval": cells,
            "p": [show_p(p) for p in frame["p_value"]],
        },
        dtype=object,
    )
    if event.within is not None:
        beside = event.within.reindex(frame.index)
        table["Year effects by county"] = [
            show_number(value / shown.divisor) for value in beside["estimate"]
        ]
        table["Interval, by county"] = [
            show_interval(low / shown.divisor, high / shown.divisor)
            for low, high in zip(beside["conf_low"], beside["conf_high"], strict=True)
        ]
    note = (
        f"{_before_words(event.frame, event.joint_p, gains)} {_dip_words(gains)} "
        f"{f'No interval: {shared}.' if shared else ''} "
        f"In {shown.unit}. {gains.prices} "
        f"{money_note(shown)}"
    )
    return Exhibit(
        name="event_study_table",
        kind="table",
        caption=_CAPTION,
        data=_event_data(event, shown.divisor, shown.unit).assign(joint_p=event.joint_p),
        body=html_table(table, group="group"),
        simulated=gains.study_data.study.simulated,
        note=" ".join(note.split()),
    )


def _study_events(gains: StudyGains) -> _Event:
    """Get the event study, and that with year effects by county where it has no interval."""
    main, frame, coarse = gains.found, gains.found.event_study(), ""
    level = main.cluster
    within = None
    if frame["conf_low"].isna().all() and level == "county" and gains.within is not None:
        coarse = (
            f"{int(frame['n_clusters'].max())} counties are too few for intervals clustered by "
            "county."
        )
        within = gains.within.event_study()
    methods = " and ".join(sorted({str(m) for m in frame["method"] if m}))
    since = frame[frame["period"] == "after"]
    first, last = (float(since["estimate"].iloc[i]) / gains.shown.divisor for i in (0, -1))
    n_last, n_most = int(since["n_villages"].iloc[-1]), int(since["n_villages"].max())
    fewer = (
        f"Known so long: {n_last:,} of {n_most:,} villages; later points rest on earlier "
        "cohorts."
    )
    words = (
        f"The mean gain is {show_number(first)} in the first treated year and, "
        f"{int(since.index[-1])} years on, {show_number(last)} ({gains.shown.unit}). "
        f"{fewer if n_last < n_most else ''} Points before treatment are measured from all "
        "years before them, those since from all untreated years. "
        f"Bars: {gains.level} intervals{f', {methods}' if methods else ''}, clustered by "
        f"{level}; a point without one has the reason in the table. {coarse}"
        f"{_HOLLOW if within is not None else ''}"
    )
    return _Event(
        frame=frame, within=within, cluster=level,
        joint_p=float(frame.attrs["joint_p"]), words=words,
    )  # fmt: skip


def _effects(main: IncomeGains) -> str:
    by_county = main.options.year_effects == "county"
    return "year effects by county" if by_county else "common year effects"


def _event_data(event: _Event, divisor: float, unit: str) -> pd.DataFrame:
    data = event.frame.reset_index().rename(columns={"index": "event_time"})
    money = [*_ENDS, "se"]
    data[money] /= divisor
    if event.within is not None:
        beside = event.within.reindex(event.frame.index)[_ENDS] / divisor
        data = data.join(beside.add_prefix("within_").reset_index(drop=True))
    return data.assign(cluster=event.cluster, unit=unit)


def _before_words(frame: pd.DataFrame, joint_p: float, gains: StudyGains) -> str:
    """Say what the coefficients before treatment tell of parallel paths."""
    before = frame[frame["period"] == "before"]
    known = before.dropna(subset="estimate")
    if known.empty:
        why = before["reason"].iloc[0] if len(before) else "too few years before treatment"
        return f"Whether paths were parallel before treatment cannot be looked at: {why}."
    largest = known.iloc[int(known["estimate"].abs().argmax())]
    size = show_number(float(largest["estimate"]) / gains.shown.divisor)
    told = f"the largest coefficient is {size}, at {largest.name:+d}"
    n, away = int(known["conf_low"].notna().sum()), int(_leave_out_zero(known).sum())
    told += f", and {away} of {n} intervals leave out zero" if n else ""
    alpha = gains.found.options.alpha
    if np.isnan(joint_p):
        return f"Before treatment {told}; no joint test with fewer than 30 clusters."
    if joint_p < alpha:
        return (
            "Before treatment the paths of treated and comparison villages part (joint test: "
            f"p {_p_words(joint_p)}): {told}. Gains that rest on parallel paths are then in "
            "doubt."
        )
    return (
        f"Before treatment no parting of paths was found (joint test: p {_p_words(joint_p)}): "
        f"{told}. That is no proof of there being none."
    )


def _leave_out_zero(frame: pd.DataFrame) -> pd.Series[bool]:
    return (frame["conf_low"] > 0) | (frame["conf_high"] < 0)


def _p_words(p: float) -> str:
    shown = show_p(p)
    return shown if shown.startswith("<") else f"= {shown}"


def _dip_words(gains: StudyGains) -> str:
    """Say whether treated villages' income was low in the last year before treatment."""
    main = gains.found
    looked = (
        "Selection on a low income in the year before was looked for: the last untreated year "
        "against all those before it"
    )
    last = _last_lead(main)
    by: str = main.cluster
    if last is not None and np.isnan(last["conf_low"]) and gains.within is not None:
        last, by = _last_lead(gains.within), "place, with year effects by county"
    if last is None or np.isnan(last["estimate"]):
        why = f": {last['reason']}" if last is not None else ""
        return f"{looked}. It cannot be told{why or ': too few untreated years'}."
    divisor = gains.shown.divisor
    size = show_number(abs(float(last["estimate"])) / divisor)
    side = "below" if last["estimate"] < 0 else "above"
    if np.isnan(last["conf_low"]):
        return f"{looked}: {size} {side}, with no interval ({last['reason']})."
    interval = show_interval(last["conf_low"] / divisor, last["conf_high"] / divisor)
    told = (
        f"{size} {side} what the years before lead to expect ({gains.level} interval "
        f"{interval}, clustered by {by})"
    )
    if last["conf_high"] < 0:
        return (
            f"In the last year before treatment treated villages were {told}. "
            "Villages chosen for a low income regress to the mean: "
            "part of their later rise would have come without the programme, so that gains are "
            "biased upwards, which no interval covers. Compare with anticipation = 1."
        )
    return (
        f"{looked}. It was not found: treated villages were {told}. A dip of up to "
        f"{show_number(max(0.0, -float(last['conf_low'])) / divisor)} is not ruled out; what "
        "there is of one would regress to the mean and pass for a gain."
    )


def _last_lead(main: IncomeGains) -> pd.Series[float] | None:
    frame = main.event_study(leads=1)
    before = frame[frame["period"] == "before"]
    return before.iloc[-1] if len(before) else None
