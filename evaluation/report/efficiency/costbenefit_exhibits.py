"""Costs and benefits over horizons, discount rates and decay: a map and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.lines import Line2D

from evaluation.data.panel import Floats
from evaluation.language import mark, say, sentences
from evaluation.report import plots
from evaluation.report.absent import absent
from evaluation.report.cells import html_table
from evaluation.report.digits import show_alike
from evaluation.report.efficiency.costbenefit_study import StudyCostBenefit
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.words import show_interval, show_share
from evaluation.report.village_words import show_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAP = mark("Net present value by horizon, discount rate and decay of the gain")
_TABLE = mark("Costs and benefits by horizon, discount rate and decay of the gain")
_MONEY = ["npv", "npv_low", "npv_high"]
_DARK = 0.6  # of the outermost colour: numbers on darker cells are white
_RING: dict[str, Any] = {
    "marker": "o", "markersize": 6, "markerfacecolor": "white", "markeredgecolor": "black",
    "linestyle": "none",
}  # fmt: skip


def plot_cost_benefit(found: StudyCostBenefit) -> Exhibit:
    """Draw NPV by horizon and discount rate, a panel for each decay, with the break-even."""
    study_data = found.efficiency.study_data
    if found.grid is None:
        return absent(study_data, "cost_benefit_map", say(_MAP), found.reason)
    data = _grid_shown(found)
    most = float(data["npv"].abs().max()) or 1.0
    decays = sorted(data["decay"].unique())
    n_horizons, n_rates = data["horizon"].nunique(), data["discount_rate"].nunique()
    height = 1.5 + len(decays) * (0.55 + 0.27 * n_rates)
    figure = plots.new_figure(max(6.4, 1.9 + 0.75 * n_horizons), height)
    first = found.flows.money.index[0]
    with plots.in_style():
        panels = figure.subplots(len(decays), sharex=True, squeeze=False)[:, 0]
        for axes, decay in zip(panels, decays, strict=True):
            _draw_panel(axes, data[data["decay"] == decay], most=most)
            words = plots.inscribe("decay {share} a year", share=show_share(decay))
            axes.set_title(words, fontweight="normal", fontsize="medium")
        words = plots.inscribe("break-even, years")
        panels[0].set_title(words, loc="right", fontweight="normal", fontsize="medium")
        figure.supylabel(plots.inscribe("discount rate"), fontsize="medium")
        axes.set_xlabel(
            plots.inscribe(
                "horizon, years from {first}\nin the cells: NPV, {unit}",
                first=first, unit=found.efficiency.money.axis,
            )
        )  # fmt: skip
        handles = []
        if data["npv"].min() < 0 <= data["npv"].max():
            line = Line2D([], [], color="black", linewidth=2.2)
            words = plots.inscribe("break-even: NPV is below zero on one side")
            handles = [(line, words)]
        if data["sign_open"].any():
            words = plots.inscribe("{level} interval holds zero", level=found.level)
            handles.append((Line2D([], [], **_RING), words))
        if handles:
            figure.legend(*zip(*handles, strict=True), loc="outside lower left", ncols=2,
                          frameon=False)  # fmt: skip
    note = sentences(
        _reading(found, data),
        say(
            "Blue: above zero, red: below. On the right: the shortest horizon with an NPV of "
            "zero or more."
        ),
        found.basis,
        found.units,
    )
    return plots.figure_exhibit(
        figure,
        name="cost_benefit_map",
        caption=say(_MAP),
        alt=sentences(say("Heat maps of net present value, one a decay."), note),
        data=data,
        simulated=study_data.study.simulated,
        note=note,
    )


def cost_benefit_table(found: StudyCostBenefit) -> Exhibit:
    """Show NPV, benefit-cost ratio, internal rate and payback of every combination."""
    study_data = found.efficiency.study_data
    if found.grid is None:
        return absent(study_data, "cost_benefit_grid", say(_TABLE), found.reason)
    data = _grid_shown(found).sort_values(["decay", "horizon", "discount_rate"])
    cells = pd.DataFrame(
        {
            "group": [
                say("Decay of the gain: {share} a year", share=show_share(decay))
                for decay in data["decay"]
            ],
            say("Horizon, years"): [str(span) for span in data["horizon"]],
            say("Discount rate"): [show_share(rate) for rate in data["discount_rate"]],
            say("NPV"): show_alike(data["npv"]),
            say("Interval"): [
                Markup('<span class="number">{}</span>').format(show_interval(low, high))
                for low, high in zip(data["npv_low"], data["npv_high"], strict=True)
            ],
            say("Benefit-cost ratio"): show_alike(data["bcr"]),
            say("Internal rate"): [_rate_cell(row) for row in data.to_dict("records")],
            say("Payback, years"): [_years_cell(x, say("not within")) for x in data["payback"]],
            say("Break-even, years"): [
                _years_cell(x, say("never")) for x in data["break_even_horizon"]
            ],
        },
        dtype=object,
    )
    first = found.flows.money.index[0]
    doubts = data.loc[data["reason"] != "", "reason"].value_counts()
    told = [
        "",
        *(
            say("{reason} ({n:,} rows)", reason=reason, n=count)
            for reason, count in doubts.items()
        ),
    ]
    note = sentences(
        _reading(found, data),
        say(
            "Benefit-cost ratio: gains over money, at present value. Internal rate: the "
            "discount rate at which NPV is zero{doubts}. Payback: discounted, from {first} and "
            "within the horizon. Break-even: the shortest horizon with an NPV of zero or more. "
            "What is paid, gained and not counted: as in the map of these values.",
            doubts=say("; ").join(told), first=first,
        ),
        found.units,
    )  # fmt: skip
    return Exhibit(
        name="cost_benefit_grid",
        kind="table",
        caption=say(_TABLE),
        data=data.reset_index(drop=True),
        body=html_table(cells, row_headers=2, group="group"),
        simulated=study_data.study.simulated,
        note=note,
    )


def _grid_shown(found: StudyCostBenefit) -> pd.DataFrame:
    """Give the grid with money as shown, and whether the interval leaves the sign open."""
    data, shown = found.found.to_frame(), found.efficiency.money
    data[_MONEY] /= shown.divisor
    return data.assign(
        sign_open=(data["npv_low"] < 0) & (data["npv_high"] > 0), unit=shown.unit
    )


def _draw_panel(axes: Axes, rows: pd.DataFrame, *, most: float) -> None:
    """Draw one decay's cells with their numbers, the break-even line, and when NPV is zero."""
    table = rows.pivot(index="discount_rate", columns="horizon", values="npv")
    unsure = rows.pivot(index="discount_rate", columns="horizon", values="sign_open")
    cells: Floats = table.to_numpy(np.float64)
    axes.pcolormesh(cells, cmap="RdBu", vmin=-most, vmax=most, edgecolors="white", linewidth=1)
    for (row, column), value in np.ndenumerate(cells):
        axes.text(
            column + 0.5, row + 0.5, show_number(value), ha="center", va="center",
            color="white" if abs(value) > _DARK * most else "black", fontsize=8,
        )  # fmt: skip
    row, column = np.nonzero(unsure.to_numpy(bool))
    axes.plot(column + 0.9, row + 0.5, **_RING)
    above = cells >= 0
    row, column = np.nonzero(above[:, 1:] != above[:, :-1])
    axes.vlines(column + 1, row, row + 1, color="black", linewidth=2.2)
    row, column = np.nonzero(above[1:] != above[:-1])
    axes.hlines(row + 1, column, column + 1, color="black", linewidth=2.2)
    places = np.arange(len(table)) + 0.5
    axes.set_yticks(places, [show_share(rate) for rate in table.index])
    axes.set_xticks(np.arange(cells.shape[1]) + 0.5, [str(span) for span in table.columns])
    axes.grid(visible=False)
    after = rows.groupby("discount_rate")["break_even_horizon"].first()
    axes.secondary_yaxis("right").set_yticks(
        places, [_years_cell(years, plots.inscribe("never")) for years in after]
    )


def _reading(found: StudyCostBenefit, data: pd.DataFrame) -> str:
    """Say from where to where NPV goes, how often it is above zero, and how sure that is."""
    ends = [
        say(
            "{npv} ({horizon} years, discount rate {rate}, decay {decay})",
            npv=show_number(float(row["npv"])), horizon=row["horizon"],
            rate=show_share(row["discount_rate"]), decay=show_share(row["decay"]),
        )
        for row in (data.iloc[place] for place in (data["npv"].argmin(), data["npv"].argmax()))
    ]  # fmt: skip
    unsure = say(
        "; in {n:,} the {level} interval of the gains leaves open on which side of zero it is",
        n=int(data["sign_open"].sum()), level=found.level,
    )  # fmt: skip
    least = data.sort_values(["decay", "discount_rate"]).iloc[0]
    years = float(least["break_even_horizon"])
    even = say("never")
    if np.isfinite(years):
        even = say("after {years:,.0f} years", years=years)
    return say(
        "NPV to society goes from {low} to {high}. It is zero or more in {n:,} of {all:,} "
        "combinations{unsure}. At a discount rate of {rate} and a decay of {decay} the money "
        "is back {even}.",
        low=ends[0], high=ends[1], n=int((data["npv"] >= 0).sum()), all=len(data),
        unsure=unsure if found.flows.has_interval else "",
        rate=show_share(least["discount_rate"]), decay=show_share(least["decay"]), even=even,
    )  # fmt: skip


def _rate_cell(row: dict[Any, Any]) -> Markup:
    if np.isnan(row["irr"]):
        return Markup('<span class="gap">{}</span>').format(say("none"))
    flag = "" if row["irr_unique"] else say(" (not the only one)")
    return Markup('<span class="number">{:.1%}{}</span>').format(row["irr"], flag)


def _years_cell(years: float, otherwise: str) -> str:
    return show_number(years) if np.isfinite(years) else otherwise
