"""Every treated village: where its gain lies on the map, and in a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.language import mark, say, say_count, sentences
from evaluation.report import plots
from evaluation.report.absent import absent
from evaluation.report.data.panel_plots import (
    draw_boundaries,
    frame_map,
    map_height,
    write_counties,
)
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.study import (
    StudyGains,
    name_counties,
    name_village,
    needs_gains,
)
from evaluation.report.gains.words import natural_order, show_interval, show_p
from evaluation.report.template_files import read_template
from evaluation.report.village_words import money_note

_MOST_ROWS = 3_000
_MANY_POINTS = 5_000
_MAP = mark("Gains of treated villages on the map")
_TABLE = mark("Gains of all treated villages")
_NUMERIC = ("First treated", "Gain", "Interval", "p", "Shrunken", "Robust interval")


@needs_gains("gain_map", _MAP, shrunken=True)
def plot_gain_map(gains: StudyGains) -> Exhibit:
    """Draw treated villages at their coordinates, coloured by shrunken gain."""
    shown, frame = gains.shown, gains.villages()
    if not {"longitude", "latitude"} <= set(frame):
        reason = say("This study has no coordinates of villages.")
        return absent(gains.study_data, "gain_map", say(_MAP), reason)
    placed = frame.dropna(subset=["longitude", "latitude", "shrunken"])
    if placed.empty:
        reason = say("No village with a shrunken gain has coordinates.")
        return absent(gains.study_data, "gain_map", say(_MAP), reason)
    figure = plots.new_figure(7.6, map_height(placed, width=5.6) + 0.6)
    most = float(np.quantile(placed["shrunken"].abs(), 0.99)) or 1.0
    with plots.in_style():
        axes = figure.subplots()
        drawn, missing = draw_boundaries(gains.study_data, axes)
        dots = axes.scatter(
            placed["longitude"], placed["latitude"], c=placed["shrunken"], cmap="RdBu",
            vmin=-most, vmax=most, s=float(np.clip(8_000 / len(placed), 0.5, 38)),
            edgecolors="0.35", linewidths=0.4 if len(placed) <= _MANY_POINTS else 0,
            rasterized=len(placed) > _MANY_POINTS, zorder=5,
        )  # fmt: skip
        key = write_counties(gains.study_data, axes, placed)
        frame_map(axes, placed)
        label = plots.inscribe("shrunken gain, {axis}", axis=shown.axis)
        figure.colorbar(dots, ax=axes, shrink=0.8, label=label)
    note = sentences(
        say(
            "{n:,} treated villages; blue is a gain, red a loss, white zero. The 1% with the "
            "largest gains or losses share the darkest colours.",
            n=len(placed),
        ),
        say_count(
            "{n} treated village has no shrunken gain or no coordinates: not drawn.",
            "{n:,} treated villages have no shrunken gain or no coordinates: not drawn.",
            lost,
        )
        if (lost := len(frame) - len(placed))
        else "",
        drawn,
        key,
        missing,
        gains.prices,
    )  # fmt: skip
    columns = ["county", "name", "longitude", "latitude", "shrunken", "shrunken_low",
               "shrunken_high"]  # fmt: skip
    return plots.figure_exhibit(
        figure,
        name="gain_map",
        caption=say(_MAP),
        alt=sentences(say("Map of treated villages as dots coloured by gain."), note),
        data=placed[columns].reset_index().assign(unit=shown.unit),
        simulated=gains.study_data.study.simulated,
        note=note,
    )


@needs_gains("village_gains", _TABLE)
def village_table(gains: StudyGains) -> Exhibit:
    """List all treated villages: gain, interval, shrunken gain, or the reason for none.

    The page's table can be searched and sorted where it may run its script; it has at most
    3,000 rows, the exhibit's data has all.
    """
    shown, frame = gains.shown, gains.villages()
    frame = frame.iloc[natural_order(frame["county"], frame["town"], name_village(frame))]
    columns = ["county", "town", "name", "cohort", "untreated_years", "treated_years", "gain",
               "conf_low", "conf_high", "p_value", "gain_yuan", "shrunken", "shrunken_sd",
               "shrunken_low", "shrunken_high", "reason"]  # fmt: skip
    data = frame[columns].reset_index().assign(unit=shown.unit)
    rows = frame
    if len(frame) > _MOST_ROWS:
        rows = frame.iloc[np.linspace(0, len(frame) - 1, _MOST_ROWS).round().astype(int)]
    cells = _cells(rows, gains)
    cut = say(
        "{n:,} villages, evenly spaced, of {all:,}; all are in tables/village_gains.csv.",
        n=_MOST_ROWS, all=len(frame),
    )  # fmt: skip
    n_gain, n_raw = (int(frame[name].notna().sum()) for name in ("gain", "conf_low"))
    shrunken = (
        say("There are no shrunken gains.")
        if gains.shrunken is None
        else say("Shrunken: the gain with its luck taken out, and its robust interval.")
    )
    note = sentences(
        say(
            "{n:,} of {all:,} treated villages have a gain, {own:,} an interval of their own.",
            n=n_gain, all=len(frame), own=n_raw,
        ),
        say("Where one is missing, the reason is given.") if n_raw < len(frame) else "",
        cut if len(rows) < len(frame) else "",
        say(
            "Gain: the mean over the village's treated years, with its {level} interval; p: of "
            "no gain, from comparison villages.",
            level=gains.level,
        ),
        shrunken,
        say("In {unit}.", unit=shown.unit),
        gains.prices,
        money_note(shown),
    )  # fmt: skip
    return Exhibit(
        name="village_gains",
        kind="table",
        caption=say(_TABLE),
        data=data,
        body=_sortable(cells),
        simulated=gains.study_data.study.simulated,
        note=note,
    )


def _cells(rows: pd.DataFrame, gains: StudyGains) -> pd.DataFrame:
    """Give the cells as shown, by their English heads, without columns of nothing."""
    counties = rows["county"].unique()
    named = dict(
        zip(counties, name_counties(gains.study_data.study, pd.Index(counties)), strict=True)
    )
    keys, names = [str(key) for key in rows.index], name_village(rows)
    decimals = shared_decimals(np.ravel(rows[["gain", "conf_low", "conf_high"]]))

    def ends(low: str, high: str) -> list[str]:
        return [show_interval(*row, decimals=decimals) for row in rows[[low, high]].to_numpy()]

    columns: dict[str, list[str]] = {
        mark("Village"): names,
        mark("Key"): keys if keys != names else [],
        mark("County"): [named[county] for county in rows["county"]],
        mark("Town"): rows["town"].to_list(),
        mark("Gain"): show_alike(rows["gain"], decimals=decimals),
        mark("Interval"): ends("conf_low", "conf_high"),
        mark("Shrunken"): show_alike(rows["shrunken"], decimals=decimals),
        mark("Robust interval"): ends("shrunken_low", "shrunken_high"),
        mark("p"): [show_p(p) for p in rows["p_value"]],
        mark("Reason"): rows["reason"].to_list(),
        mark("First treated"): [f"{year:.0f}" for year in rows["cohort"]],
        mark("Untreated years"): rows["untreated_years"].astype(object).fillna("").to_list(),
        mark("Treated years"): rows["treated_years"].astype(object).fillna("").to_list(),
    }
    return pd.DataFrame({name: c for name, c in columns.items() if any(c)}, dtype=object)


def _cell(shown: str, column: str) -> Markup:
    start = Markup('<td class="reason">') if column == "Reason" and shown else Markup("<td>")
    return start + Markup("{}</td>").format(shown)


def _sortable(cells: pd.DataFrame) -> Markup:
    """Build a table that its script makes searchable; as bare as thousands of rows need."""
    head = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(
            Markup(' class="n"') if name in _NUMERIC else "", say(str(name))
        )
        for name in cells
    )
    lines = [
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            row[0], Markup("").join(map(_cell, row[1:], cells.columns[1:]))
        )
        for row in cells.to_numpy(object)
    ]
    script = read_template("table.js")
    # Beyond the page, in JupyterLab, there is no style sheet to hold thousands of rows.
    return Markup(
        '<div class="tall" style="max-height:36rem;overflow:auto">'
        '<table class="sortable" data-search="{}" data-label="{}" data-count="{}">'
        "<thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table></div><script>\n{}</script>"
    ).format(
        say("Search"), say("Search the table"), say("N of M"),
        head, Markup("\n").join(lines), script,
    )  # fmt: skip
