"""Gains by years since treatment, and what the years before it say of the comparison."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from evaluation.gains.event_study import find_reference
from evaluation.gains.result import IncomeGains
from evaluation.language import mark, say, say_count, sentences
from evaluation.report import plots
from evaluation.report.cells import html_table
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.pretrends import EventStudy, before_words, dip_words
from evaluation.report.gains.study import StudyGains, needs_gains
from evaluation.report.gains.words import (
    ONE_AT_A_TIME,
    bars_words,
    effects_words,
    few_words,
    given_words,
    interval_cells,
    series_words,
    show_interval,
    show_p,
)
from evaluation.report.village_words import COLORS, money_note, show_number

_CAPTION = mark("Gains by years since treatment, and the years before")
_FEW = 10  # villages: an event time with fewer is no headline
_ENDS = ["estimate", "conf_low", "conf_high"]
_STEP = mark(
    "Having different references, the two sides may show a step or a kink at the line that "
    "comes from that alone (Roth 2024, Interpreting event-studies from recent "
    "difference-in-differences methods, arXiv:2401.12309)."
)


@needs_gains("event_study", _CAPTION)
def plot_event_study(gains: StudyGains) -> Exhibit:
    """Draw gains by event time, with the coefficients before treatment."""
    events, shown = _study_events(gains), gains.shown
    figure = plots.new_figure(7.6, 3.9)
    styles = zip(events, (COLORS["treated"], COLORS["2"]), "os", (0.0, 0.18), strict=False)
    with plots.in_style():
        axes = figure.subplots()
        axes.axhline(0, color="0.4", linewidth=1)
        axes.axvline(-0.5 - gains.found.options.anticipation, color="0.4", linestyle=":")
        for event, color, marker, shift in styles:
            known = event.frame.dropna(subset="estimate")
            values = known[_ENDS].to_numpy() / shown.divisor
            x = known.index.to_numpy(np.float64) + shift
            axes.plot(
                x, values[:, 0], marker, color=color, markersize=5, zorder=3,
                markerfacecolor=color if marker == "o" else "white",
                label=effects_words(event.found, plots.inscribe),
            )  # fmt: skip
            barred = np.isfinite(values).all(axis=1)
            reach = np.abs(values[:, 1:] - values[:, :1])[barred].T
            axes.errorbar(
                x[barred], values[barred, 0], yerr=reach, fmt="none", ecolor=color,
                elinewidth=1.3, capsize=2.5,
            )  # fmt: skip
        axes.set_xlabel(plots.inscribe("years since treatment (0: the first treated year)"))
        axes.set_ylabel(plots.inscribe("gain, {axis}", axis=shown.axis))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=16))
        figure.legend(loc="outside lower left", ncols=2, frameon=False)
    first, *hollow = _bars(events, gains)
    words = sentences(
        *_headline(events, gains),
        *_reference_words(gains.found, events[0].before),
        first,
        *(say("Hollow: {told}", told=told) for told in hollow),
        given_words(events[-1].found),
        say(ONE_AT_A_TIME),
    )
    return plots.figure_exhibit(
        figure,
        name="event_study",
        caption=say(_CAPTION),
        alt=sentences(say("Points with intervals by years since treatment."), words),
        data=_event_data(events, gains),
        simulated=gains.study_data.study.simulated,
        note=sentences(words, gains.prices),
    )


@needs_gains("event_study_table", _CAPTION)
def event_study_table(gains: StudyGains) -> Exhibit:
    """Show the coefficients before treatment and the gains since, and what the former say."""
    events, shown = _study_events(gains), gains.shown
    frame = events[0].frame
    decimals = shared_decimals(np.ravel(frame[_ENDS] / shown.divisor))
    cells, shared = interval_cells(frame, shown.divisor, gains.found.cluster, decimals=decimals)
    table = pd.DataFrame(
        {
            "group": np.where(
                frame["period"] == "before",
                say("Before treatment: should be zero"),
                say("Gains since"),
            ),
            say("Years since treatment"): [f"{h:+d}" if h else "0" for h in frame.index],
            say("Villages"): [
                f"{n:,.0f}" if np.isfinite(n) else "" for n in frame["n_villages"]
            ],
            say("Estimate"): show_alike(frame["estimate"] / shown.divisor, decimals=decimals),
            say("Interval"): cells,
            say("p"): [show_p(p) for p in frame["p_value"]],
        },
        dtype=object,
    )
    notes = [say("No interval: {why}.", why=shared) if shared else ""]
    for event in events[1:]:
        beside = event.frame.reindex(frame.index)
        cells, shared = interval_cells(
            beside, shown.divisor, event.found.cluster, decimals=decimals
        )
        table[say("Year effects by county")] = show_alike(
            beside["estimate"] / shown.divisor, decimals=decimals
        )
        table[say("Interval, by county")] = pd.Series(cells, dtype=object)
        table[say("p, by county")] = [show_p(p) for p in beside["p_value"]]
        notes.append(say("No interval, by county: {why}.", why=shared) if shared else "")
    notes += [
        few_words(event.frame["reason"], event.found.options.alpha, event.found.cluster)
        for event in events
    ]
    note = sentences(
        before_words(events, gains),
        dip_words(gains),
        *notes,
        *_bars(events, gains),
        say("In {unit}.", unit=shown.unit),
        gains.prices,
        money_note(shown),
    )
    joint_p = float(frame.attrs["joint_p"])
    return Exhibit(
        name="event_study_table",
        kind="table",
        caption=say(_CAPTION),
        data=_event_data(events, gains).assign(joint_p=joint_p),
        body=html_table(table, group="group"),
        simulated=gains.study_data.study.simulated,
        note=note,
    )


def _study_events(gains: StudyGains) -> list[EventStudy]:
    """Get the event study, and that with year effects by county where it has no interval."""
    events = [EventStudy(found=gains.found, frame=gains.found.event_study())]
    if gains.within is not None and events[0].frame["conf_low"].isna().all():
        events.append(EventStudy(found=gains.within, frame=gains.within.event_study()))
    return events


def _headline(events: list[EventStudy], gains: StudyGains) -> list[str]:
    """Say the mean gain at first and at the last event time that enough villages stand for."""
    with_some = [event for event in events if event.since["conf_low"].notna().any()]
    event = with_some[0] if with_some else events[0]
    many = event.since[event.since["n_villages"] >= _FEW]
    known = many.dropna(subset="conf_low")
    some = next((rows for rows in (known, many) if len(rows)), event.since)
    told = []
    for at in dict.fromkeys((event.since.index[0], some.index[-1])):
        row = event.since.loc[at]
        ends = show_interval(
            row["conf_low"] / gains.shown.divisor, row["conf_high"] / gains.shown.divisor
        )
        size = show_number(float(row["estimate"]) / gains.shown.divisor)
        words = {"size": size, "level": gains.level, "ends": ends}
        told.append(say("{size} ({level} interval {ends})", **words) if ends else size)
    last = int(some.index[-1])
    n_last, n_most = int(some["n_villages"].iloc[-1]), int(event.since["n_villages"].max())
    later = say_count(
        " and, {n} year on, {told}", " and, {n} years on, {told}", last, told=told[-1]
    )
    fewer = say(
        "Known so long: {n:,} of {all:,} villages; later points rest on earlier cohorts.",
        n=n_last, all=n_most,
    )  # fmt: skip
    how = say(" with {effects}", effects=effects_words(event.found))
    mean = say(
        "The estimated mean gain{how} is {first} in the first treated year{later} ({unit}).",
        how=how if len(events) > 1 else "", first=told[0], later=later if told[1:] else "",
        unit=gains.shown.unit,
    )  # fmt: skip
    return [mean, fewer if n_last < n_most else ""]


def _bars(events: list[EventStudy], gains: StudyGains) -> list[str]:
    """Say of each series how its intervals were made, or why it has none."""
    told = []
    for event in events:
        bars = bars_words(event.frame, gains.level, event.found.cluster)
        told.append(series_words(event.found, bars))
    return told


def _reference_words(main: IncomeGains, before: pd.DataFrame) -> list[str]:
    """Say what points on either side of the line are measured from."""
    if before.empty:
        return [
            say(
                "Points since treatment are measured from all untreated years; before it there "
                "are none."
            )
        ]
    times, n_villages = find_reference(main.fit.design, tuple(before.index))
    told = say_count(
        "Points since treatment are measured from all untreated years, those before it from "
        "event time {times} ({villages:,} villages).",
        "Points since treatment are measured from all untreated years, those before it from "
        "event times {times} ({villages:,} villages).",
        len(times), villages=n_villages,
        times=say("{low} to {high}", low=times[0], high=times[-1]) if times[1:] else times[0],
    )  # fmt: skip
    return [told, say(_STEP)]


def _event_data(events: list[EventStudy], gains: StudyGains) -> pd.DataFrame:
    divisor = gains.shown.divisor
    data = events[0].frame.reset_index().rename(columns={"index": "event_time"})
    data[[*_ENDS, "se"]] /= divisor
    for event in events[1:]:
        beside = event.frame.reindex(events[0].frame.index)
        beside = beside[[*_ENDS, "p_value", "n_clusters", "reason"]].copy()
        beside[_ENDS] /= divisor
        data = data.join(beside.add_prefix("within_").reset_index(drop=True))
        data["within_cluster"] = event.found.cluster
    return data.assign(cluster=gains.found.cluster, unit=gains.shown.unit)
