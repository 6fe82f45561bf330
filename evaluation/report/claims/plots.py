"""Figures on published claims."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from markupsafe import Markup
from matplotlib.axes import Axes

from evaluation.claims.claim import Claim
from evaluation.claims.definitions import check_measures
from evaluation.claims.measures import assess_counties, assessment_frame
from evaluation.claims.table import ClaimTable
from evaluation.data.hedges import OTHER_READING, Reading
from evaluation.language import commas, mark, say, sentences
from evaluation.report import plots
from evaluation.report.claims.tables import READINGS
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import drawable

# What the package's notebook puts above figures and tables of measures.
_CAPTIONS = (
    mark("Collective income per village: levels and gains"),
    mark("Collective income by county, and what is not identified"),
    mark("Funds: by source, in all, per village and per project"),
    mark("Funds by county, and what is not identified"),
    mark("Gain per yuan, other money per yuan, and funds per job"),
    mark("Ratios by county, and what is not identified"),
)
_KINDS = (
    mark("exact figure"),
    mark("hedged or rounded figure"),
    mark("coder's reading"),
    mark("words only"),
)


def plot_claim_counts(table: ClaimTable) -> Exhibit:
    """Show how many claims each county makes, and how many of them hold a figure."""
    areas = table.study.areas
    shown = {area.name: drawable(table.name_area(area.name), area.name) for area in areas}
    rows = [
        {
            "county": claim.county,
            "kind": _kind(claim),
        }
        for claim in table.claims.values()
    ]
    claims = pd.DataFrame(rows)
    counts = pd.crosstab(claims["county"], claims["kind"])
    counts = counts.reindex([a.name for a in areas], columns=list(_KINDS), fill_value=0)
    figure = plots.new_figure(7.2, 0.45 * len(areas) + 1.1)
    with plots.in_style():
        axes = figure.subplots()
        left = pd.Series(0, index=counts.index)
        for kind, color in zip(_KINDS, sns.color_palette("Blues_r", len(_KINDS)), strict=True):
            bars = axes.barh(
                [shown[c] for c in counts.index],
                counts[kind],
                left=left,
                color=color,
                label=plots.inscribe(kind),
            )
            dark = kind == _KINDS[0]
            values = [str(n) if n else "" for n in counts[kind]]
            axes.bar_label(
                bars, values, label_type="center", color="white" if dark else "black"
            )
            left = left + counts[kind]
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(plots.inscribe("claims"))
        figure.legend(loc="outside upper left", ncols=len(_KINDS), frameon=False)
    summary = say("; ").join(
        say(
            "{county}: {counts}",
            county=table.name_area(str(county)),
            counts=commas(
                say("{n} {kind}", n=n, kind=say(str(kind))) for kind, n in row.items()
            ),
        )
        for county, row in counts.iterrows()
    )
    programme = table.name_area(table.study.programme.name)
    return plots.figure_exhibit(
        figure,
        name="claims_by_county",
        caption=say("Claims by county, and how many of them hold a figure"),
        alt=say("Stacked bars of the number of claims. {summary}.", summary=summary),
        data=counts.reset_index().astype(object),
        simulated=table.study.simulated,
        note=say(
            "{programme}: claims on all counties together. Coder's reading: the text has "
            "words, such as 全面 (all), that were coded as a number.",
            programme=programme,
        )
        if table.study.county is None
        else say(
            "{programme}: what is said of all counties together and holds for each; other "
            "such claims are left out. Coder's reading: the text has words, such as 全面 "
            "(all), that were coded as a number.",
            programme=programme,
        ),
    )


def plot_measures(
    table: ClaimTable,
    measures: Sequence[str],
    *,
    name: str,
    caption: str,
    reading: Reading | None = None,
) -> Exhibit:
    """Show measures as intervals, like beside like: one block a definition.

    The thick line is the reading asked for, the thin one below it the other reading,
    where that differs.

    Parameters
    ----------
    table
        The study's claims.
    measures
        Names of measures (evaluation.claims.measures.MEASURES), one panel each.
    name, caption
        Of the exhibit.
    reading
        By default the study's own.
    """
    check_measures(measures)
    reading = reading or table.study.reading
    other = OTHER_READING[reading]
    frame = assessment_frame(assess_counties(table))
    frame = frame[frame["measure"].isin(measures) & frame["strict"].notna()]
    groups = [(m, frame[frame["measure"] == m]) for m in measures]
    groups = [(m, rows) for m, rows in groups if len(rows)]
    if not groups:
        return Exhibit(
            name=name,
            kind="table",
            caption=say(caption),
            data=frame,
            simulated=table.study.simulated,
            body=Markup("<p>{}</p>").format(
                say("No figure is drawn: the text identifies none of these.")
            ),
        )
    heights = [len(rows) + rows["definition"].nunique() + 1.2 for _, rows in groups]
    figure = plots.new_figure(7.6, 0.24 * sum(heights) + 0.7 * len(groups))
    colors = plots.palette([county.name for county in table.study.counties])
    with plots.in_style():
        panels = figure.subplots(len(groups), squeeze=False, height_ratios=heights)[:, 0]
        for axes, (_, rows) in zip(panels, groups, strict=True):
            _draw_measure(axes, rows, table, colors, (reading, other))
    alt = say("; ").join(
        say(
            "{county}, {measure} ({definition}): {value} {unit}",
            county=table.name_area(county),
            measure=say(label),
            definition=say(definition),
            value=value,
            unit=unit,
        )
        for county, label, definition, value, unit in frame[
            ["county", "label", "definition", reading, "unit"]
        ].itertuples(index=False)
    )
    read, reread = say(READINGS[reading][0]), say(READINGS[other][0])
    return plots.figure_exhibit(
        figure,
        name=name,
        caption=say(caption),
        alt=say("Interval plot, {reading} reading. {values}.", reading=read, values=alt),
        data=frame,
        simulated=table.study.simulated,
        note=sentences(
            say(
                "Diamond: one value. Full dot: the end is a possible value; hollow: it is "
                "not; arrow: no upper bound. Thick: the {reading} reading of hedges; thin "
                "below: the {other} one, where it differs.",
                reading=read,
                other=reread,
            ),
            say(
                "Each block is one definition; blocks must not be ranked with one another, "
                "nor counties in a block unless 'What may be ranked' says so. Money of the "
                "years reported, not deflated."
            ),
        ),
    )


def _kind(claim: Claim) -> str:
    if claim.figure is None:
        return _KINDS[3]
    if not claim.printed:
        return _KINDS[2]
    return _KINDS[0 if claim.figure.is_exact else 1]


def _draw_measure(
    axes: Axes,
    rows: pd.DataFrame,
    table: ClaimTable,
    colors: dict[str, str],
    readings: tuple[Reading, Reading],
) -> None:
    reading, other = readings
    ends = plots.finite_ends([*rows["strict"], *rows["loose"]])
    low, high = min([0.0, *ends]), max([0.0, *ends])
    axes.set_xlim(low * 1.35, high * 1.35 or 1.0)
    ticks: list[float] = []
    labels: list[str] = []
    position = 0.0
    for definition, block in rows.groupby("definition", sort=False):
        axes.text(
            0.004,
            position,
            plots.inscribe(str(definition)),
            transform=axes.get_yaxis_transform(),
            fontstyle="italic",
            va="center",
            bbox={"fc": "white", "ec": "none", "pad": 1},
        )
        for row in block.to_dict("records"):
            position += 1
            color = colors[row["county"]]
            plots.draw_bounds(axes, position, row[reading], color=color)
            both = row[other] != row[reading]
            if both:
                plots.draw_bounds(axes, position + 0.3, row[other], color=color, thin=True)
            finite = plots.finite_ends([row[reading]])
            left = bool(finite) and not row[reading].is_bounded
            axes.annotate(
                str(row[reading]),
                (max(finite, default=0), position),
                xytext=(-9 if left else 9, 3 if both else 0),  # clear of the thin line
                textcoords="offset points",
                ha="right" if left else "left",
                va="center",
                fontsize="small",
            )
            ticks.append(position)
            labels.append(drawable(table.name_area(row["county"]), row["county"]))
        position += 1
    axes.set_ylim(position - 0.2, -0.8)
    axes.set_yticks(ticks, labels)
    axes.grid(visible=False, axis="y")
    label, unit, reads = rows[["label", "unit", "reads"]].iloc[0]
    axes.set_title(plots.inscribe(label))
    wan = unit == "万元"
    axes.set_xlabel(plots.inscribe("10,000 yuan") if wan else plots.inscribe(reads))
