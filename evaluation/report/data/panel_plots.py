"""Figures on a village panel: where the villages are, and their outcome over the years."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from evaluation.data.load import StudyData
from evaluation.data.money import parse_money
from evaluation.language import commas, mark, say, say_count, sentences
from evaluation.report import plots
from evaluation.report.absent import absent
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import (
    COLORED,
    NEVER,
    color_cohorts,
    count_members,
    group_cohorts,
    group_counties,
    label_counties,
    mean_by_group,
    name_prices,
    needs,
    outcome_label,
    panel_of,
    show_variable,
    start_note,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MANY_POINTS = 5_000  # more are drawn as pixels, and given by county
_MANY_COUNTIES = 30
_FEW_LINES = 15
_FEW_COHORTS = 6  # a line each; more are grouped
_GET_GEOPANDAS = mark(
    'The study has boundaries; to draw them: pip install "village-evaluation[map]".'
)
_MAP = mark("Where the villages are")
_FIRST_YEAR = mark("first treated year")


@needs("map", "village_map", _MAP)
def plot_map(study_data: StudyData) -> Exhibit:
    """Draw the villages at their coordinates, coloured by cohort; boundaries if known."""
    panel = panel_of(study_data)
    frame = panel.villages.reset_index()
    code, names = group_cohorts(panel, most=COLORED)
    frame["cohort"] = np.array(names, dtype=object)[code]
    placed = frame.dropna(subset=["longitude", "latitude"])
    if placed.empty:
        reason = say("No village has coordinates.")
        return absent(study_data, "village_map", say(_MAP), reason)
    columns = ["village", "county", "cohort", "longitude", "latitude"]
    data = placed[columns]
    if len(placed) > _MANY_POINTS:
        data = placed.groupby(["county", "cohort"], sort=True).agg(
            n_villages=("village", "size"),
            longitude=("longitude", "mean"),
            latitude=("latitude", "mean"),
        ).reset_index()  # fmt: skip
    figure = plots.new_figure(7.2, map_height(placed, width=6.4) + 0.8)
    colors = color_cohorts(names)
    with plots.in_style():
        axes = figure.subplots()
        drawn, missing = draw_boundaries(study_data, axes)
        size = float(np.clip(6_000 / len(placed), 0.3, 22))
        for name in sorted(names, key=lambda n: n != NEVER):
            rows = placed[placed["cohort"] == name]
            axes.scatter(
                rows["longitude"],
                rows["latitude"],
                s=size,
                c=colors[name],
                linewidths=0,
                label=f"{plots.inscribe(name)} ({len(rows):,})",
                rasterized=len(placed) > _MANY_POINTS,
                zorder=2 if name == NEVER else 3,
            )
        key = write_counties(study_data, axes, placed)
        frame_map(axes, placed)
        figure.legend(
            loc="outside lower left", ncols=5, frameon=False, alignment="left",
            title=plots.inscribe(_FIRST_YEAR), markerscale=max(1.0, 4 / size**0.5),
        )  # fmt: skip
    n_treated = int((placed["cohort"] != NEVER).sum())
    note = sentences(
        say(
            "{treated:,} treated and {never:,} never treated villages.",
            treated=n_treated,
            never=len(placed) - n_treated,
        ),
        say_count(
            "{n} village has no coordinates and is not drawn.",
            "{n:,} villages have no coordinates and are not drawn.",
            lost,
        )
        if (lost := len(frame) - len(placed))
        else "",
        drawn,
        key,
        missing,
    )
    return plots.figure_exhibit(
        figure,
        name="village_map",
        caption=say("Where the villages are, by first treated year"),
        alt=sentences(say("Map of villages as dots."), note),
        data=data,
        simulated=study_data.study.simulated,
        note=note,
    )


def map_height(placed: pd.DataFrame, *, width: float) -> float:
    """Give the height, in inches, of a map of villages that is so wide."""
    spans = [float(np.ptp(placed[name])) or 0.1 for name in ("longitude", "latitude")]
    return float(np.clip(width * _stretch(placed) * spans[1] / spans[0], 2.5, 6))


def frame_map(axes: Axes, placed: pd.DataFrame) -> None:
    """Let a map's axes be true to distances, and name them."""
    axes.margins(0.1)
    axes.set_aspect(_stretch(placed))
    axes.set_xlabel(plots.inscribe("longitude, degrees east"))
    axes.set_ylabel(plots.inscribe("latitude, degrees north"))
    axes.ticklabel_format(useOffset=False)


def _stretch(placed: pd.DataFrame) -> float:
    """Give the length of a degree of latitude against one of longitude."""
    return float(1 / np.cos(np.radians(placed["latitude"].mean())))


def draw_boundaries(study_data: StudyData, axes: Axes) -> tuple[str, str]:
    """Draw the study's boundaries; say that they are there, or what they need."""
    study = study_data.study
    if not (study.panel and study.panel.boundaries):
        return "", ""
    try:
        import geopandas
    except ImportError:
        return "", say(_GET_GEOPANDAS)
    areas = geopandas.read_file(study.path(study.panel.boundaries)).to_crs(4326)
    areas.boundary.plot(ax=axes, color="0.55", linewidth=0.7, aspect=None, zorder=1)
    return say("Boundaries: {file}.", file=study.panel.boundaries), ""


def write_counties(study_data: StudyData, axes: Axes, placed: pd.DataFrame) -> str:
    """Write each county's name above its villages, so that no dot is hidden."""
    known = placed[placed["county"] != ""].groupby("county")
    places = known.agg(x=("longitude", "mean"), y=("latitude", "max"))
    if len(places) > _MANY_COUNTIES:
        return ""
    labels, key = label_counties(study_data.study, [str(name) for name in places.index])
    for name, (x, y) in zip(labels.values(), places.to_numpy(), strict=True):
        text = axes.annotate(
            name, (x, y), xytext=(0, 6), textcoords="offset points", ha="center", va="bottom",
            zorder=6,
        )  # fmt: skip
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
    return key


@needs("panel", "income_paths", mark("The mean outcome by cohort"))
def plot_income_paths(study_data: StudyData) -> Exhibit:
    """Show the mean outcome by cohort and year, with each cohort's first treated year."""
    panel = panel_of(study_data)
    outcome = panel.variables[panel.outcome]
    shown = show_variable(panel, outcome)
    values = panel.matrix() / shown.divisor
    code, names = group_cohorts(panel, most=_FEW_COHORTS)
    county, counties = group_counties(panel)
    means, known = mean_by_group(values, code, len(names))
    colors = color_cohorts(names)
    figure = plots.new_figure(7.2, 4.2)
    with plots.in_style():
        axes = figure.subplots()
        if len(counties) > 1 and len(counties) * len(names) <= _FEW_LINES:
            parts, _ = mean_by_group(
                values, county * len(names) + code, len(counties) * len(names)
            )
            for number, path in enumerate(parts):
                color = colors[names[number % len(names)]]
                axes.plot(panel.years, path, color=color, linewidth=0.7, alpha=0.45)
        for name, label, path in zip(names, count_members(code, names), means, strict=True):
            axes.plot(panel.years, path, "-o", color=colors[name], markersize=4, label=label)
            if name.isdigit() and int(name) <= panel.years[-1]:
                axes.axvline(int(name), color=colors[name], linestyle="--", linewidth=1)
        axes.set_ylabel(f"{outcome_label(panel)}\n{shown.axis}")
        axes.set_xlabel(plots.inscribe("year"))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
        figure.legend(
            loc="outside lower left", ncols=3, frameon=False, alignment="left",
            title=plots.inscribe(_FIRST_YEAR),
        )  # fmt: skip
    data = pd.DataFrame(
        {
            "cohort": np.repeat(np.array(names, dtype=object), len(panel.years)),
            "year": np.tile(panel.years, len(names)),
            "mean": means.ravel(),
            "n_villages": known.ravel(),
            "unit": shown.unit,
        }
    )
    changes = _changes(data, names)
    return plots.figure_exhibit(
        figure,
        name="income_paths",
        caption=say("Mean of {outcome} by cohort", outcome=outcome.label),
        alt=sentences(say("Lines of the mean outcome by cohort and year."), changes),
        data=data,
        simulated=study_data.study.simulated,
        note=sentences(
            changes,
            say(
                "Means are over the villages known in each year. Dashed: the first treated "
                "year, where all of a line share one; thin lines, if any: single counties. "
                "Differences between lines are no effect: the villages differ."
            ),
            start_note(study_data),
            name_prices(study_data.study, brief=True) if parse_money(outcome.unit) else "",
        ),
    )


def _changes(data: pd.DataFrame, names: list[str]) -> str:
    """Say how each cohort's mean changed before anyone was treated, and since, with n."""
    cohorts = [int(name[:4]) for name in names if name != NEVER]
    years = data["year"]
    first, last = int(years.min()), int(years.max())
    before = years[years < min(cohorts, default=last + 1)]
    turn = int(before.max()) if len(before) else first
    spans = [(a, b) for a, b in ((first, turn), (turn, last)) if a < b]
    at = data.set_index(["cohort", "year"])
    means, known = at["mean"].to_dict(), at["n_villages"].to_dict()
    rises = [[means[name, b] - means[name, a] for name in names] for a, b in spans]
    decimals = shared_decimals(rise for span in rises for rise in span)
    texts = []
    for (a, b), span in zip(spans, rises, strict=True):
        changes = commas(
            say(
                "{name} by {change} ({before:,} and {after:,} villages)",
                name=say(name),
                change=change or say("unknown"),
                before=known[name, a],
                after=known[name, b],
            )
            for name, change in zip(names, show_alike(span, decimals=decimals), strict=True)
        )
        texts.append(say("from {a} to {b}: {changes}", a=a, b=b, changes=changes))
    if not texts:
        return ""
    return say(
        "How much each mean changed ({unit}; villages known in the first and the last year): "
        "{spans}.",
        unit=data["unit"].iloc[0] or say("no unit given"),
        spans=say("; ").join(texts),
    )
