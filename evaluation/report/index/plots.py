"""Small multiples of an index: a study's estimates of one kind, by county and run."""

from __future__ import annotations

import base64
import io
import math
import textwrap
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from evaluation.language import commas, say, say_count, sentences, spoken
from evaluation.report import plots
from evaluation.report.files.pictures import slim_pictures
from evaluation.report.index.entries import Entry, title_of
from evaluation.report.index.rows import KINDS
from evaluation.report.village_words import drawable, show_number

_MOST_PANELS = 24
_MOST_SERIES = 6
_MOST_COUNTIES = 30
_MARKS = "osD^vP"
_LINE = {"en": 64, "zh": 36}  # characters of a legend


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure of the page: what is above it, the drawing, what is below it."""

    caption: str
    image: Markup
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """What one run, or several with the same numbers, found in one way."""

    label: str
    by_county: Mapping[str, Entry]


def plot_panels(entries: Iterable[Entry]) -> tuple[list[Picture], int]:
    """Draw a panel for every study, outcome, unit and kind, and a claim's every definition.

    Returns
    -------
    The first 24, and how many there are beside them.
    """
    panels: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        one = entry.estimate
        if one.drawn:
            definition = one.how if one.kind == "claim" else ""
            unit = (entry.unit, entry.price_year)
            key = (one.run.study, one.kind, entry.outcome, *unit, definition)
            panels.setdefault(key, []).append(entry)
    drawn = [_plot(panel) for panel in [*panels.values()][:_MOST_PANELS]]
    return drawn, len(panels) - len(drawn)


def draw(figure: Figure, *, alt: str, simulated: bool) -> Markup:
    """Draw a figure as the page holds it."""
    buffer = io.BytesIO()
    with plots.in_style(), warnings.catch_warnings():
        if simulated:
            figure.suptitle(plots.inscribe("SIMULATED"), color="firebrick", fontweight="bold")
        # A character that no font has is in the alternative text and in the table.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        # Laid out by hand: savefig would draw everything a second time to do the same.
        if (engine := figure.get_layout_engine()) is not None:
            engine.execute(figure)
            figure.set_layout_engine(None)
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    encoded = base64.b64encode(buffer.getvalue()).decode()
    image = Markup('<img alt="{}" src="data:image/svg+xml;base64,{}">').format(alt, encoded)
    return Markup(slim_pictures(image))


def axis_unit(entry: Entry) -> str:
    """Give an entry's unit and prices as a figure can show them."""
    unit = entry.unit.replace("万元", plots.inscribe("10,000 yuan"))
    prices = plots.inscribe("prices of {year}", year=entry.price_year)
    if not entry.price_year.isdigit():
        prices = plots.inscribe("nominal") if entry.price_year else ""
    shown = plots.inscribe("{unit}, {prices}", unit=unit, prices=prices) if prices else unit
    return drawable(shown, "")


def caption_of(entry: Entry) -> str:
    """Say whose estimates a figure shows, of what, and what they are."""
    one = entry.estimate
    definition = one.how if one.kind == "claim" else ""
    return say("; ").join(
        filter(None, (title_of(one.run), entry.outcome, say(KINDS[one.kind]), definition))
    )


def tell(entry: Entry) -> str:
    """Tell an estimate with its interval or bounds: "5.46 (4.96 to 5.96)"."""
    one = entry.estimate
    value = "" if math.isnan(one.value) else show_number(one.value)
    if one.kind == "claim":
        return one.interval
    interval = one.interval or say("no interval")
    return say("{value} ({interval})", value=value, interval=interval) if value else interval


def _plot(entries: Sequence[Entry]) -> Picture:
    series, n_left = _part(entries)
    counties = _order(entries)
    shown = counties[:_MOST_COUNTIES]
    first = entries[0]
    claims = first.estimate.kind == "claim"
    legend = len(series) > 1
    lines = len(shown) * (0.16 * len(series) + 0.16)
    n_lines = sum(one.label.count("\n") + 1 for one in series) if legend else 0
    figure = plots.new_figure(5.0, 0.9 + lines + 0.19 * n_lines)
    colors = plots.palette([one.label for one in series])
    with plots.in_style():
        axes = figure.subplots()
        ends = [x for e in entries for x in (*e.estimate.ends, e.estimate.value)]
        finite = [x for x in ends if math.isfinite(x)] + ([] if claims else [0.0])
        low, high = min(finite, default=0.0), max(finite, default=1.0)
        room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
        axes.set_xlim(low - room, high + room)
        for number, one in enumerate(series):
            shift = (number - (len(series) - 1) / 2) * 0.62 / len(series)
            for row, county in enumerate(shown):
                if county in one.by_county:
                    entry = one.by_county[county]
                    _mark(axes, row + shift, entry, colors[one.label], _MARKS[number])
            axes.plot([], [], _MARKS[number], color=colors[one.label], label=one.label)
        if not claims:
            axes.axvline(0, color="0.4", linewidth=1, zorder=1)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_yticks(range(len(shown)), _labels(shown))
        axes.set_xlabel(axis_unit(first))
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(6))
        if legend:
            figure.legend(loc="outside lower left", frameon=False, fontsize="small")
    caption = caption_of(first)
    told = [
        say(
            "{name}: {numbers}.",
            name=one.label.replace("\n", " "),
            numbers=commas(_numbers(one, shown)),
        )
        for one in series
    ]
    note = sentences(
        say_count("{n} more run is in the table.", "{n:,} more runs are in the table.", n_left)
        if n_left
        else "",
        say_count(
            "{n} more county is in the table.",
            "{n:,} more counties are in the table.",
            len(counties) - len(shown),
        )
        if len(counties) > len(shown)
        else "",
    )
    alt = sentences(say("{caption}.", caption=caption), *told)
    image = draw(figure, alt=alt, simulated=first.run.simulated)
    return Picture(caption=caption, image=image, note=note)


def _part(entries: Sequence[Entry]) -> tuple[list[_Series], int]:
    """Part entries by run and way; runs with the same numbers are one; count those left out.

    Runs on one county each that have the same settings are one too, as those of a sweep are.
    """
    found: dict[tuple[object, str], dict[str, Entry]] = {}
    for entry in entries:
        key: object = entry.run.place
        for number in count() if entry.run.county else ():
            key = number, entry.shared
            if entry.county not in found.get((key, entry.estimate.how), {}):
                break
        found.setdefault((key, entry.estimate.how), {})[entry.county] = entry
    alike: dict[object, list[dict[str, Entry]]] = {}
    for (_, how), some in found.items():
        numbers = [(c, repr((e.estimate.value, e.estimate.ends))) for c, e in some.items()]
        alike.setdefault((how, tuple(numbers)), []).append(some)
    groups = [*alike.values()]
    several = len({key[0] for key in found}) > 1
    series = [
        _Series(label=_label(group, several=several), by_county=group[0])
        for group in groups[:_MOST_SERIES]
    ]
    places = [{e.run.place for some in group for e in some.values()} for group in groups]
    drawn: set[str] = set().union(*places[:_MOST_SERIES])
    return series, len(set().union(*places) - drawn)


def _label(group: Sequence[Mapping[str, Entry]], *, several: bool) -> str:
    """Name a series by its run, where there are several, and its way."""
    entry = next(iter(group[0].values()))
    how = "" if entry.estimate.kind == "claim" else entry.estimate.how
    name = entry.run.name.rpartition("-")[2]
    n_runs = len({e.run.place for some in group for e in some.values()})
    if n_runs > 1:
        name = say("{name} and {n} more", name=name, n=n_runs - 1)
    several_counties = len(group[0]) > 1
    settings = commas(entry.shared if several_counties else entry.settings)
    parts = (name if several else "", how, settings if several else "")
    label = commas(filter(None, parts)) or name
    return textwrap.fill(drawable(label, entry.run.name), _LINE[spoken()])


def _mark(axes: Axes, place: float, entry: Entry, color: str, mark: str) -> None:
    one = entry.estimate
    if one.kind != "effect" and one.bounds is not None:
        plots.draw_bounds(axes, place, one.bounds, color=color)
        return
    low, high = one.ends
    if one.bounds is not None:
        edges = axes.get_xlim()
        ends = [max(low, edges[0]), min(high, edges[1])]
        axes.plot(ends, [place, place], color=color, linewidth=2, solid_capstyle="butt")
    face = "white" if one.bounds is None else color
    axes.plot(one.value, place, mark, color=color, markerfacecolor=face, markersize=5.5)


def _numbers(series: _Series, counties: Sequence[str]) -> list[str]:
    return [
        say("{county} {values}", county=county, values=tell(series.by_county[county]))
        for county in counties
        if county in series.by_county
    ]


def _order(entries: Iterable[Entry]) -> list[str]:
    """List counties as they come, all of them together first."""
    counties = dict.fromkeys(entry.county for entry in entries)
    return sorted(counties, key=lambda county: county != say("all"))


def _labels(counties: Sequence[str]) -> list[str]:
    """Give counties' names in a figure; a number where no font has Chinese."""
    return [
        drawable(county, plots.inscribe("county {name}", name=number))
        for number, county in enumerate(counties, start=1)
    ]
