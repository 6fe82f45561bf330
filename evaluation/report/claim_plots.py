"""Figures on published claims."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from markupsafe import Markup
from matplotlib.axes import Axes

from evaluation.claims.claim import Claim
from evaluation.claims.measures import assess_counties, assessment_frame, check_measures
from evaluation.claims.table import ClaimTable
from evaluation.data.hedges import OTHER_READING, Reading
from evaluation.report import plots
from evaluation.report.exhibits import Exhibit

_KINDS = ("exact figure", "hedged or rounded figure", "coder's reading", "words only")


def plot_claim_counts(table: ClaimTable) -> Exhibit:
    """Show how many claims each county makes, and how many of them hold a figure."""
    areas = table.study.areas
    shown = {area.name: plots.label(area.name, area.zh) for area in areas}
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
                label=kind,
            )
            dark = kind == _KINDS[0]
            values = [str(n) if n else "" for n in counts[kind]]
            axes.bar_label(
                bars, values, label_type="center", color="white" if dark else "black"
            )
            left = left + counts[kind]
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("claims")
        figure.legend(loc="outside upper left", ncols=len(_KINDS), frameon=False)
    summary = "; ".join(
        f"{county}: " + ", ".join(f"{n} {kind}" for kind, n in row.items())
        for county, row in counts.iterrows()
    )
    return plots.figure_exhibit(
        figure,
        name="claims_by_county",
        caption="Claims by county, and how many of them hold a figure",
        alt=f"Stacked bars of the number of claims. {summary}.",
        data=counts.reset_index().astype(object),
        simulated=table.study.simulated,
        note=(
            f"{table.study.programme.name}: claims on all counties together. Coder's reading: "
            "the text has words, such as 全面 (all), that were coded as a number."
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
            caption=caption,
            data=frame,
            simulated=table.study.simulated,
            body=Markup("<p>No figure is drawn: the text identifies none of these.</p>"),
        )
    heights = [len(rows) + rows["definition"].nunique() + 1.2 for _, rows in groups]
    figure = plots.new_figure(7.6, 0.24 * sum(heights) + 0.7 * len(groups))
    colors = plots.palette([county.name for county in table.study.counties])
    with plots.in_style():
        panels = figure.subplots(len(groups), squeeze=False, height_ratios=heights)[:, 0]
        for axes, (_, rows) in zip(panels, groups, strict=True):
            _draw_measure(axes, rows, table, colors, (reading, other))
    alt = "; ".join(
        f"{r['county']}, {r['label']} ({r['definition']}): {r[reading]} {r['unit']}"
        for r in frame.to_dict("records")
    )
    return plots.figure_exhibit(
        figure,
        name=name,
        caption=caption,
        alt=f"Interval plot, {reading} reading. {alt}.",
        data=frame,
        simulated=table.study.simulated,
        note=(
            "Diamond: one value. Full dot: the end is a possible value; hollow: it is not; "
            "arrow: no upper bound. Thick: the "
            f"{reading} reading of hedges; thin below: the {other} one, where it differs. "
            "Each block is one definition; blocks must not be ranked with one another, nor "
            "counties in a block unless 'What may be ranked' says so. Money of the years "
            "reported, not deflated."
        ),
    )


def _kind(claim: Claim) -> str:
    if claim.figure is None:
        return _KINDS[3]
    if not claim.printed:
        return _KINDS[2]
    return _KINDS[0 if claim.figure.strict.is_exact else 1]


def _draw_measure(
    axes: Axes,
    rows: pd.DataFrame,
    table: ClaimTable,
    colors: dict[str, str],
    readings: tuple[Reading, Reading],
) -> None:
    reading, other = readings
    chinese = {county.name: county.zh for county in table.study.counties}
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
            str(definition),
            transform=axes.get_yaxis_transform(),
            fontstyle="italic",
            va="center",
            bbox={"fc": "white", "ec": "none", "pad": 1},
        )
        for row in block.to_dict("records"):
            position += 1
            color = colors[row["county"]]
            plots.draw_bounds(axes, position, row[reading], color=color)
            if row[other] != row[reading]:
                plots.draw_bounds(axes, position + 0.3, row[other], color=color, thin=True)
            finite = plots.finite_ends([row[reading]])
            left = bool(finite) and not row[reading].is_bounded
            axes.annotate(
                str(row[reading]),
                (max(finite, default=0), position),
                xytext=(-9 if left else 9, 0),
                textcoords="offset points",
                ha="right" if left else "left",
                va="center",
                fontsize="small",
            )
            ticks.append(position)
            labels.append(plots.label(row["county"], chinese[row["county"]]))
        position += 1
    axes.set_ylim(position - 0.2, -0.8)
    axes.set_yticks(ticks, labels)
    axes.grid(visible=False, axis="y")
    first = rows.iloc[0]
    axes.set_title(first["label"])
    wan = first["unit"] == "万元"
    axes.set_xlabel(plots.label("10,000 yuan", "万元") if wan else first["reads"])
