"""Maps of an index: counties at their villages' centre, coloured by their estimates."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex
from matplotlib.patheffects import withStroke

from evaluation.language import commas, say, sentences
from evaluation.report import plots
from evaluation.report.index.entries import Entry
from evaluation.report.index.names import CountyNames
from evaluation.report.index.plots import Picture, axis_unit, caption_of, draw, tell
from evaluation.report.index.runs import Run
from evaluation.report.village_words import drawable, show_number

_MOST_MAPS = 6
_LABELLED = 30
_SIDES = (2.6, 5.0)

Place = tuple[float, float]


def plot_maps(entries: Iterable[Entry], counties: CountyNames) -> tuple[list[Picture], int]:
    """Draw a map for every study with coordinates, from its newest run on all counties.

    Where there is none, from its newest runs on one county each that have the same settings.

    Returns
    -------
    The first six, and how many there are beside them.
    """
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        one = entry.estimate
        if one.county and one.kind != "claim" and not math.isnan(one.value):
            groups.setdefault((one.run.study, one.kind), []).append(entry)
    maps = []
    for group in groups.values():
        mapped = [entry for entry in group if entry.run.rows("village_map")]
        newest = next((e for e in mapped if not e.run.county), next(iter(mapped), None))
        if newest is not None:
            own = _choose([entry for entry in group if _goes_with(entry, newest)])
            places: dict[str, Place] = {}
            for run in {entry.run.place: entry.run for entry in own}.values():
                places |= _find_centres(run, counties)
            placed = {places[e.county]: e for e in reversed(own) if e.county in places}
            maps += [placed] if placed else []
    return [_plot(placed) for placed in maps[:_MOST_MAPS]], max(0, len(maps) - _MOST_MAPS)


def _goes_with(entry: Entry, newest: Entry) -> bool:
    """Whether an entry is of the same run, or of one on another county with its settings."""
    if not newest.run.county:
        return entry.run is newest.run
    same = (entry.outcome, entry.unit, entry.shared)
    return bool(entry.run.county) and same == (newest.outcome, newest.unit, newest.shared)


def _choose(entries: Sequence[Entry]) -> list[Entry]:
    """Choose the way of estimating that has most intervals, of several the first."""
    ways = Counter({entry.estimate.how: 0 for entry in entries})
    ways.update(entry.estimate.how for entry in entries if entry.estimate.bounds is not None)
    best = max(ways, key=lambda way: ways[way])
    return [entry for entry in entries if entry.estimate.how == best]


def _find_centres(run: Run, counties: CountyNames) -> dict[str, Place]:
    """Give each county's mean longitude and latitude."""
    villages = defaultdict(list)
    for row in run.rows("village_map"):
        if row["longitude"] is not None and row["latitude"] is not None:
            place = float(row["longitude"]), float(row["latitude"])
            villages[str(row["county"])].append(place)
    return {
        counties.show(name): (math.fsum(xs) / len(xs), math.fsum(ys) / len(ys))
        for name, places in villages.items()
        if name
        for xs, ys in [tuple(zip(*places, strict=True))]
    }


def _plot(placed: Mapping[Place, Entry]) -> Picture:
    first = next(iter(placed.values()))
    xs, ys = zip(*placed, strict=True)
    stretch = 1 / math.cos(math.radians(sum(ys) / len(ys)))
    spans = [max(side) - min(side) or 0.1 for side in (xs, ys)]
    height = min(max(4.0 * stretch * spans[1] / spans[0], _SIDES[0]), _SIDES[1])
    figure = plots.new_figure(5.6, height + 0.6)
    most = max(abs(entry.estimate.value) for entry in placed.values()) or 1.0
    scale = ScalarMappable(Normalize(-most, most), "RdBu")
    with plots.in_style():
        axes = figure.subplots()
        for number, ((x, y), entry) in enumerate(placed.items(), start=1):
            color = to_hex(scale.cmap(0.5 + entry.estimate.value / (2 * most)))
            face = "white" if _holds_zero(entry) else color
            axes.scatter(x, y, s=250, color="0.3", zorder=2)
            axes.scatter(x, y, s=150, color=face, edgecolors=color, linewidths=4, zorder=3)
            if len(placed) <= _LABELLED:
                name = plots.inscribe("county {name}", name=number)
                words = f"{drawable(entry.county, name)}\n{show_number(entry.estimate.value)}"
                text = axes.annotate(
                    words, (x, y), xytext=(0, 11), textcoords="offset points", ha="center",
                    va="bottom", zorder=4, fontsize="small",
                )  # fmt: skip
                text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
        axes.margins(0.25, 0.4)
        axes.set_aspect(stretch)
        axes.set_xlabel(plots.inscribe("longitude, degrees east"))
        axes.set_ylabel(plots.inscribe("latitude, degrees north"))
        axes.ticklabel_format(useOffset=False)
        axes.locator_params(nbins=5)
        figure.colorbar(scale, ax=axes, shrink=0.8, label=axis_unit(first))
    told = [
        say("{county} {values}", county=entry.county, values=tell(entry))
        for entry in placed.values()
    ]
    name, *others = dict.fromkeys(entry.run.name for entry in placed.values())
    if others:
        name = say("{name} and {n} more", name=name, n=len(others))
    way = say("{how}; run {run}.", how=first.estimate.how, run=name)
    alt = sentences(
        say("{caption}.", caption=caption_of(first)),
        say("Map of counties as dots coloured by estimate."),
        say("{numbers}.", numbers=commas(told)),
    )
    image = draw(figure, alt=alt, simulated=first.run.simulated)
    return Picture(caption=caption_of(first), image=image, note=way)


def _holds_zero(entry: Entry) -> bool:
    """Whether an estimate may be zero, or has no interval to say that it is not."""
    low, high = entry.estimate.ends
    return entry.estimate.bounds is None or low <= 0 <= high
